//! What the kernel knows of an open file and the standard library does not ask it.

#![allow(unsafe_code, clippy::disallowed_types)]

use std::{fs::File, io, ops::Range, os::fd::AsRawFd};

/// How far a file system's own word can be taken for what reading gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Trust {
    /// Sizes are those of the bytes, and a file keeps its inode number.
    pub(super) sizes: bool,
    /// `SEEK_DATA` finds all data.
    pub(super) holes: bool,
}

/// Nothing is taken on trust from file systems that are not listed here: what /proc, /sys, FUSE and network file systems
/// say of size and inode need not be so, and OpenZFS has called data a hole more than once
/// (<https://github.com/openzfs/zfs/issues/15526>). An overlay passes questions about holes on to any file system.
pub(super) fn trust(file: &File) -> Trust {
    // SAFETY: all-zero is a valid `statfs`, which the call fills in.
    let kind = unsafe {
        let mut about: libc::statfs = std::mem::zeroed();
        match libc::fstatfs(file.as_raw_fd(), &mut about) {
            0 => about.f_type,
            _ => 0,
        }
    };
    match kind {
        libc::EXT4_SUPER_MAGIC | libc::XFS_SUPER_MAGIC | libc::BTRFS_SUPER_MAGIC | libc::TMPFS_MAGIC => {
            Trust { sizes: true, holes: true }
        }
        libc::OVERLAYFS_SUPER_MAGIC => Trust { sizes: true, holes: false },
        _ => Trust { sizes: false, holes: false },
    }
}

/// Bytes of a file that are either all in a hole, or stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) range: Range<u64>,
    pub(super) hole: bool,
}

/// The extent in which a byte of a file of that size is. Where the file system cannot tell, everything is stored.
pub(super) fn extent(file: &File, at: u64, size: u64) -> Extent {
    // SAFETY: seeking has no preconditions; nobody relies on the descriptor's position.
    let seek = |whence| match unsafe { libc::lseek(file.as_raw_fd(), at as libc::off_t, whence) } {
        -1 => Err(io::Error::last_os_error()),
        found => Ok((found as u64).clamp(at, size)),
    };
    match seek(libc::SEEK_DATA) {
        Ok(data) if data > at => Extent { range: at..data, hole: true },
        Ok(_) => Extent { range: at..seek(libc::SEEK_HOLE).unwrap_or(size), hole: false },
        // There is no more data.
        Err(error) if error.raw_os_error() == Some(libc::ENXIO) => Extent { range: at..size, hole: true },
        Err(_) => Extent { range: at..size, hole: false },
    }
}

/// From now on, reads go past the page cache.
pub(super) fn set_direct(file: &File) -> io::Result<()> {
    // SAFETY: these commands take and return plain integers.
    let done = unsafe {
        match libc::fcntl(file.as_raw_fd(), libc::F_GETFL) {
            -1 => -1,
            flags => libc::fcntl(file.as_raw_fd(), libc::F_SETFL, flags | libc::O_DIRECT),
        }
    };
    if done == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Whether the byte can be had without waiting for the disk. A file system that cannot tell says no.
pub(super) fn is_cached(file: &File, at: u64) -> bool {
    let mut byte = 0_u8;
    let place = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
    // SAFETY: `place` is one byte that is ours to write to.
    unsafe { libc::preadv2(file.as_raw_fd(), &place, 1, at as libc::off_t, libc::RWF_NOWAIT) == 1 }
}
