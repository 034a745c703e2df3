//! Where the bytes come from: a file, mapped or read by position, or a buffer the caller lends.
//!
//! The only module that opens, maps or looks at files. A [`Source`] is shared by threads; each takes a [`Reader`].

#![allow(clippy::disallowed_types, clippy::disallowed_methods)]

mod ahead;
mod map;
pub(crate) mod memory;
mod reader;
mod system;

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Seek, SeekFrom},
    ops::Range,
    os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    str::FromStr,
};

pub(crate) use self::{
    ahead::Ahead,
    reader::{Chunk, NextTile, Reader},
};
use self::{
    ahead::Window,
    system::{Extent, Trust},
};
use crate::{
    error::{Error, Hint, Result},
    limits::MAX_OBJECT_SIZE,
};

/// How a file is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Io {
    /// Mapped if it is in the page cache and not small, else read.
    #[default]
    Auto,
    /// Mapped into memory.
    Mmap,
    /// Positioned reads: by the threads that hash if the file is in the page cache, else ahead of them.
    Read,
    /// Read ahead of the threads that hash, past the page cache (O_DIRECT).
    Direct,
}

impl Io {
    const ALL: [(&'static str, Self); 4] =
        [("auto", Self::Auto), ("mmap", Self::Mmap), ("read", Self::Read), ("direct", Self::Direct)];
}

impl FromStr for Io {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let names = Self::ALL.map(|(name, _)| name).join("\", \"");
        Self::ALL
            .into_iter()
            .find_map(|(name, io)| (name == text).then_some(io))
            .ok_or_else(|| Error::argument("io", format!("{text:?} is not one of \"{names}\"")))
    }
}

/// What a file was when it was opened.
#[derive(Debug)]
struct Identity {
    size: u64,
    modified: Time,
    changed: Time,
    inode: (u64, u64),
}

/// Seconds and nanoseconds.
type Time = (i64, i64);

impl Identity {
    /// Of an open file. The size of a block device is where it ends.
    fn of(mut file: &File, metadata: &Metadata) -> io::Result<Self> {
        let size = match metadata.file_type().is_block_device() {
            true => file.seek(SeekFrom::End(0))?,
            false => metadata.size(),
        };
        Ok(Self { size, ..Self::named(metadata) })
    }

    fn named(metadata: &Metadata) -> Self {
        Self {
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            inode: (metadata.dev(), metadata.ino()),
        }
    }
}

/// Whether a file's time is what it was. Network file systems, and local ones that store whole seconds, forget digits when
/// they look at a file again; a write would have moved the time forward.
fn is_same_time(before: Time, now: Time) -> bool {
    let ((seconds, nanoseconds), coarse) = (before, [100, 1_000, 1_000_000, 1_000_000_000]);
    now == before
        || coarse.iter().any(|unit| now == (seconds, nanoseconds - nanoseconds % unit))
        // FAT stores every other second.
        || now == (seconds - seconds.rem_euclid(2), 0)
}

/// Bytes of known length that threads read by position.
#[derive(Debug)]
pub(crate) enum Source<'a> {
    Bytes(&'a [u8]),
    Memory(Vec<u8>),
    File(OpenFile),
}

#[derive(Debug)]
pub(crate) struct OpenFile {
    path: PathBuf,
    file: File,
    identity: Identity,
    /// Bytes that reading gives, whatever `identity.size` is.
    size: u64,
    trust: Trust,
    /// It has holes, which need not be read.
    sparse: bool,
    way: Way,
}

/// How an open file is read.
#[derive(Debug)]
enum Way {
    Mapped(map::Map),
    /// Tile by tile, into a buffer that stays in L2.
    Copied,
    /// Window by window, by other threads; `direct` if past the page cache.
    Ahead {
        direct: bool,
    },
}

impl Way {
    fn of(file: &File, size: u64, io: Io) -> io::Result<Self> {
        let mapped = || map::Map::new(file, size).map(|map| map.map_or(Self::Copied, Self::Mapped));
        match io {
            _ if size == 0 => Ok(Self::Copied),
            Io::Mmap => mapped(),
            Io::Direct => system::set_direct(file).map(|()| Self::Ahead { direct: true }),
            Io::Auto | Io::Read if size < MIN_LOOK => Ok(Self::Copied),
            Io::Auto | Io::Read if !is_cached(file, size) => Ok(Self::Ahead { direct: false }),
            // No address space is left for it, or the file system does not map.
            Io::Auto => Ok(mapped().unwrap_or(Self::Copied)),
            Io::Read => Ok(Self::Copied),
        }
    }
}

/// Smaller files are copied without a look at the page cache: mapping them costs more than copying, and there is
/// little to read ahead.
const MIN_LOOK: u64 = 512 << 10;
/// Places in a file at which the page cache is looked at, at most: one for each [`MIN_LOOK`] bytes.
const MAX_LOOKS: u64 = 16;
/// Fewer bytes of holes are not worth looking for.
const MIN_HOLES: u64 = 1 << 20;
/// A file whose size is not what its file system says is read at once if it is no longer than this.
const MAX_MISSTATED: usize = 16 << 20;

impl Source<'_> {
    /// Whether its bytes are hashed where the CPU has just copied them.
    pub(crate) fn is_copied(&self) -> bool {
        matches!(self, Source::File(OpenFile { way: Way::Copied, .. }))
    }

    /// Opens a regular file or a block device.
    ///
    /// # Errors
    /// [`Error::Io`] if it is missing, not readable, a directory, or anything else that has no length, and if it has to
    /// be read past the page cache where the file system has no such way.
    pub(crate) fn open(path: &Path, io: Io) -> Result<Self> {
        let refused = |source| Error::Io { path: path.to_owned(), offset: None, part: None, source };
        let unsuitable = |problem, hint| Error::UnsuitableFile { path: path.to_owned(), problem, hint };
        // Without O_NONBLOCK, opening a FIFO waits for its writer.
        let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path).map_err(refused)?;
        let metadata = file.metadata().map_err(refused)?;
        if metadata.is_dir() {
            return Err(refused(io::Error::from_raw_os_error(libc::EISDIR)));
        }
        if !metadata.is_file() && !metadata.file_type().is_block_device() {
            return Err(unsuitable("it is not a regular file and has no size", Hint::UseStream));
        }
        let identity = Identity::of(&file, &metadata).map_err(refused)?;
        let trust = match metadata.is_file() {
            true => system::trust(&file),
            false => Trust { sizes: true, holes: false },
        };
        let mut file = OpenFile {
            path: path.to_owned(),
            file,
            size: identity.size,
            identity,
            trust,
            sparse: false,
            way: Way::Copied,
        };
        if !trust.sizes && file.is_misstated() {
            if let Some(bytes) = file.read_whole()? {
                return Ok(Self::Memory(bytes));
            }
            file.size = file.find_end()?;
        }
        file.sparse = trust.holes && metadata.blocks() * 512 + MIN_HOLES <= file.size;
        file.way = Way::of(&file.file, file.size, io).map_err(|error| match (io, error.raw_os_error()) {
            (Io::Direct, Some(libc::EINVAL)) => {
                unsuitable("the file system cannot read past the page cache (O_DIRECT)", Hint::UseCachedReads)
            }
            _ => refused(error),
        })?;
        Ok(Source::File(file))
    }

    pub(crate) fn size(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File(file) => file.size,
        }
    }

    /// Reads a small file into memory and closes it, so that thousands of them need no descriptors.
    ///
    /// # Errors
    /// As [`Reader::read`], and as [`check_unchanged`](Self::check_unchanged).
    pub(crate) fn into_memory(self) -> Result<Self> {
        let bytes = match &self {
            Self::File(file) => file.read(0..self.size())?,
            Self::Bytes(_) | Self::Memory(_) => return Ok(self),
        };
        self.check_unchanged()?;
        Ok(Self::Memory(bytes))
    }

    /// After hashing: is it still the file that was opened?
    ///
    /// # Errors
    /// [`Error::FileChanged`] if size, modification time or inode differ, or the name is gone; [`Error::Io`] if the
    /// system does not tell, or could not read a page of a mapped file.
    pub(crate) fn check_unchanged(&self) -> Result<()> {
        let Self::File(file) = self else {
            return Ok(());
        };
        let changed = |change| Err(Error::FileChanged { path: file.path.clone(), change });
        let metadata = file.file.metadata().map_err(|source| file.error(None, source))?;
        let open = Identity::of(&file.file, &metadata).map_err(|source| file.error(None, source))?;
        if open.size != file.identity.size {
            return changed(format!("{} bytes became {}", file.identity.size, open.size));
        }
        if !is_same_time(file.identity.modified, open.modified) {
            return changed("it was written to".to_owned());
        }
        match fs::metadata(&file.path) {
            Ok(named) if !file.is_named(&Identity::named(&named)) => {
                return changed("another file took its name".to_owned());
            }
            Ok(_) => {}
            Err(gone) if matches!(gone.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return changed(format!("its name is gone ({gone})"));
            }
            Err(source) => return Err(file.error(None, source)),
        }
        if !file.trust.sizes && file.has_byte(file.size) {
            return changed(format!("it has more than {} bytes", file.size));
        }
        match &file.way {
            Way::Mapped(map) => map.lost().map_or(Ok(()), |offset| Err(file.why_lost(offset))),
            Way::Copied | Way::Ahead { .. } => Ok(()),
        }
    }

    const fn is_read_ahead(&self) -> bool {
        matches!(self, Self::File(OpenFile { way: Way::Ahead { .. }, .. }))
    }
}

/// Whether all of a file seems to be in the page cache, and certainly not if the file system cannot tell.
fn is_cached(file: &File, size: u64) -> bool {
    let looks = (size / MIN_LOOK).clamp(1, MAX_LOOKS);
    (0..looks).all(|look| system::is_cached(file, size / looks * look))
}

impl OpenFile {
    const fn is_direct(&self) -> bool {
        matches!(self.way, Way::Ahead { direct: true })
    }

    fn read(&self, range: Range<u64>) -> Result<Vec<u8>> {
        if self.is_direct() {
            let mut window = Window::new(0, 0, range.clone(), Vec::new());
            return window.fill(self).map(|()| window.bytes(&range).to_vec());
        }
        let mut bytes = vec![0; (range.end - range.start) as usize];
        self.read_exact(&mut bytes, range.start).map(|()| bytes)
    }

    fn read_exact(&self, bytes: &mut [u8], offset: u64) -> Result<()> {
        let mut got = 0;
        while got < bytes.len() {
            match self.read_some(&mut bytes[got..], offset + got as u64)? {
                0 => return Err(self.ends_before(offset + bytes.len() as u64)),
                more => got += more,
            }
        }
        Ok(())
    }

    /// As many bytes as one read gives; none at the end of the file.
    fn read_some(&self, bytes: &mut [u8], offset: u64) -> Result<usize> {
        loop {
            match self.file.read_at(bytes, offset) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read.map_err(|source| self.error(Some(offset), source)),
            }
        }
    }

    fn extent(&self, at: u64) -> Extent {
        system::extent(&self.file, at, self.size)
    }

    /// Whether a name still stands for this file. Where inode numbers change from one look to the next, size and times
    /// tell: a file that took the name has another time of change.
    fn is_named(&self, named: &Identity) -> bool {
        let before = &self.identity;
        named.inode == before.inode
            || (!self.trust.sizes
                && named.inode.0 == before.inode.0
                && named.size == before.size
                && is_same_time(before.modified, named.modified)
                && is_same_time(before.changed, named.changed))
    }

    /// Whether there is a byte at an offset. Where reading fails, there may be: reading will say so.
    fn has_byte(&self, offset: u64) -> bool {
        self.file.read_at(&mut [0], offset).is_ok_and(|read| read == 1)
    }

    /// Whether the size that the file system says is not where the bytes end.
    fn is_misstated(&self) -> bool {
        let ends_before = |offset| self.file.read_at(&mut [0], offset).is_ok_and(|read| read == 0);
        self.has_byte(self.size) || self.size.checked_sub(1).is_some_and(ends_before)
    }

    /// All bytes, to the end that reading meets; `None` if there are too many to keep.
    fn read_whole(&self) -> Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        let mut got = 0;
        while got <= MAX_MISSTATED {
            bytes.resize((2 * got).max(64 << 10), 0);
            match self.read_some(&mut bytes[got..], got as u64)? {
                0 => {
                    bytes.truncate(got);
                    return Ok(Some(bytes));
                }
                more => got += more,
            }
        }
        Ok(None)
    }

    /// The offset of the last byte and one, by halving: for files that are too long to keep.
    fn find_end(&self) -> Result<u64> {
        let (mut has, mut end) = (0, MAX_MISSTATED as u64);
        while self.read_some(&mut [0], end)? > 0 {
            if end > MAX_OBJECT_SIZE {
                let endless =
                    io::Error::new(io::ErrorKind::FileTooLarge, "it has no end, or one past S3's largest object");
                return Err(self.error(None, endless));
            }
            (has, end) = (end, 2 * end);
        }
        while end - has > 1 {
            let middle = has + (end - has) / 2;
            match self.read_some(&mut [0], middle)? {
                0 => end = middle,
                _ => has = middle,
            }
        }
        Ok(end)
    }

    fn error(&self, offset: Option<u64>, source: io::Error) -> Error {
        Error::Io { path: self.path.clone(), offset, part: None, source }
    }

    fn ends_before(&self, offset: u64) -> Error {
        Error::FileChanged { path: self.path.clone(), change: format!("it ends before byte {offset}") }
    }

    /// Why a page of a mapped file was not there, though the file has not changed: reading says it better.
    fn why_lost(&self, offset: u64) -> Error {
        let again = self.read_exact(&mut [0], offset);
        again.err().unwrap_or_else(|| self.error(Some(offset), io::Error::from_raw_os_error(libc::EIO)))
    }
}
