//! A mapped file that may be truncated by others without killing the process.
//!
//! Touching a mapped page past a file's new end raises SIGBUS. The handler here answers it for addresses inside a
//! [`Map`] only: it puts zero pages in the place of the missing ones and notes the loss, the hash runs on to a result
//! that nobody gets, and the caller raises `FileChanged`. Any other SIGBUS goes to whoever handled it before.

#![allow(unsafe_code, clippy::disallowed_types)]

use std::{
    fs::File,
    io, mem, ptr,
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
};

use memmap2::Mmap;

/// A whole file, mapped for reading.
#[derive(Debug)]
pub(super) struct Map {
    mmap: Mmap,
    region: &'static Region,
}

impl Map {
    /// `None` if as many maps are alive as the handler can watch: read the file instead.
    pub(super) fn new(file: &File) -> io::Result<Option<Self>> {
        install_handler()?;
        // SAFETY: others may write to the file while it is mapped; the bytes are only ever hashed, never trusted, and
        // `Source::check_unchanged` discards the result. Truncation is what this module is about.
        let mmap = unsafe { Mmap::map(file)? };
        let start = mmap.as_ptr() as usize;
        let Some(region) = REGIONS.iter().find(|region| !region.taken.swap(true, SeqCst)) else {
            return Ok(None);
        };
        region.lost.store(false, SeqCst);
        region.end.store(start + mmap.len().next_multiple_of(page_size()), SeqCst);
        region.start.store(start, SeqCst);
        Ok(Some(Self { mmap, region }))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.mmap
    }

    /// Whether the file ended before its map did when a page was touched.
    pub(super) fn lost_pages(&self) -> bool {
        self.region.lost.load(SeqCst)
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        self.region.start.store(0, SeqCst);
        self.region.taken.store(false, SeqCst);
    }
}

/// A map that the handler answers for; `start` is 0 while it is free.
#[derive(Debug)]
struct Region {
    taken: AtomicBool,
    start: AtomicUsize,
    end: AtomicUsize,
    lost: AtomicBool,
}

static REGIONS: [Region; 64] = [const {
    Region {
        taken: AtomicBool::new(false),
        start: AtomicUsize::new(0),
        end: AtomicUsize::new(0),
        lost: AtomicBool::new(false),
    }
}; 64];

static PREVIOUS: OnceLock<libc::sigaction> = OnceLock::new();
static PAGE_SIZE: OnceLock<usize> = OnceLock::new();

fn page_size() -> usize {
    // SAFETY: sysconf has no preconditions.
    *PAGE_SIZE.get_or_init(|| unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize)
}

fn install_handler() -> io::Result<()> {
    static INSTALLED: OnceLock<Result<(), i32>> = OnceLock::new();
    INSTALLED
        .get_or_init(|| {
            page_size();
            // SAFETY: plain calls; all-zero is a valid `sigaction`, and the old action is stored before the handler
            // can need it, since no region is registered yet.
            unsafe {
                let mut old: libc::sigaction = mem::zeroed();
                if libc::sigaction(libc::SIGBUS, ptr::null(), &mut old) != 0 {
                    return Err(io::Error::last_os_error().raw_os_error().unwrap_or(libc::EINVAL));
                }
                let _ = PREVIOUS.set(old);
                let mut new: libc::sigaction = mem::zeroed();
                new.sa_sigaction = on_sigbus as *const () as usize;
                new.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
                if libc::sigaction(libc::SIGBUS, &new, ptr::null_mut()) != 0 {
                    return Err(io::Error::last_os_error().raw_os_error().unwrap_or(libc::EINVAL));
                }
            }
            Ok(())
        })
        .map_err(io::Error::from_raw_os_error)
}

/// Async-signal-safe: atomics, `mmap` and `sigaction` only.
extern "C" fn on_sigbus(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel passes valid pointers to an SA_SIGINFO handler; the pages replaced lie in a live `Map`, which
    // nobody writes to, and hold nothing any more.
    unsafe {
        // Positive codes come from the kernel; only those carry an address.
        if (*info).si_code > 0 {
            let address = (*info).si_addr() as usize;
            for region in &REGIONS {
                let (start, end) = (region.start.load(SeqCst), region.end.load(SeqCst));
                if start == 0 || !(start..end).contains(&address) {
                    continue;
                }
                let page = address - address % PAGE_SIZE.get().copied().unwrap_or(4096);
                let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
                if libc::mmap(page as *mut _, end - page, libc::PROT_READ, flags, -1, 0) != libc::MAP_FAILED {
                    region.lost.store(true, SeqCst);
                    return;
                }
            }
        }
        let Some(previous) = PREVIOUS.get() else {
            return;
        };
        match previous.sa_sigaction {
            // Returning repeats the access, which now ends the process as it would have without us.
            libc::SIG_DFL | libc::SIG_IGN => {
                libc::sigaction(signal, previous, ptr::null_mut());
            }
            handler if previous.sa_flags & libc::SA_SIGINFO != 0 => {
                mem::transmute::<usize, extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void)>(handler)(
                    signal, info, context,
                );
            }
            handler => mem::transmute::<usize, extern "C" fn(libc::c_int)>(handler)(signal),
        }
    }
}
