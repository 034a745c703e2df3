//! Where the bytes come from: a file, mapped or read by position, or a buffer the caller lends.
//!
//! The only module that opens, maps or looks at files. A [`Source`] is shared by threads; each takes a [`Reader`].

#![allow(clippy::disallowed_types, clippy::disallowed_methods)]

mod ahead;
mod map;
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
use self::{ahead::Window, system::Extent};
use crate::error::{Error, Hint, Result};

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

/// What a file was when it was opened: a different one means that it changed.
#[derive(Debug, PartialEq, Eq)]
struct Identity {
    size: u64,
    modified: (i64, i64),
    inode: (u64, u64),
}

impl Identity {
    /// Of an open file. The size of a block device is where it ends.
    fn of(mut file: &File, metadata: &Metadata) -> io::Result<Self> {
        let size = match metadata.file_type().is_block_device() {
            true => file.seek(SeekFrom::End(0))?,
            false => metadata.size(),
        };
        Ok(Self { size, modified: (metadata.mtime(), metadata.mtime_nsec()), inode: inode(metadata) })
    }
}

fn inode(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
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
            Io::Auto => mapped(),
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
        let size = identity.size;
        if size == 0 && file.read_at(&mut [0], 0).is_ok_and(|read| read > 0) {
            return Err(unsuitable("the file system does not tell its size", Hint::UseStream));
        }
        let way = Way::of(&file, size, io).map_err(|error| match (io, error.raw_os_error()) {
            (Io::Direct, Some(libc::EINVAL)) => {
                unsuitable("the file system cannot read past the page cache (O_DIRECT)", Hint::UseCachedReads)
            }
            _ => refused(error),
        })?;
        let sparse = metadata.is_file() && metadata.blocks() * 512 + MIN_HOLES <= size;
        Ok(Source::File(OpenFile { path: path.to_owned(), file, identity, sparse, way }))
    }

    pub(crate) fn size(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File(file) => file.identity.size,
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
        if open != file.identity {
            return changed("it was written to".to_owned());
        }
        match fs::metadata(&file.path) {
            Ok(named) if inode(&named) == open.inode => {}
            Ok(_) => return changed("another file took its name".to_owned()),
            Err(gone) if matches!(gone.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return changed(format!("its name is gone ({gone})"));
            }
            Err(source) => return Err(file.error(None, source)),
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
        system::extent(&self.file, at, self.identity.size)
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
