//! Where the bytes come from: a file, mapped or read by position, or a buffer the caller lends.
//!
//! The only module that opens, maps or looks at files. A [`Source`] is shared by threads; each takes a [`Reader`].

#![allow(clippy::disallowed_types, clippy::disallowed_methods)]

mod map;

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io,
    ops::Range,
    os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    str::FromStr,
};

use crate::error::{Error, Result};

/// How a file is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Io {
    /// What is safe and fast for the file.
    #[default]
    Auto,
    /// Mapped into memory.
    Mmap,
    /// Positioned reads into a buffer of each thread.
    Read,
}

impl Io {
    const ALL: [(&'static str, Self); 3] = [("auto", Self::Auto), ("mmap", Self::Mmap), ("read", Self::Read)];
}

impl FromStr for Io {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let names = Self::ALL.map(|(name, _)| name).join("\", \"");
        Self::ALL
            .into_iter()
            .find_map(|(name, io)| (name == text).then_some(io))
            .ok_or_else(|| Error::argument("io", format!("{text:?} is not a way to read a file: \"{names}\"")))
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
    fn of(metadata: &Metadata) -> Self {
        Self {
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            inode: (metadata.dev(), metadata.ino()),
        }
    }
}

/// Bytes of known length that threads read by position.
#[derive(Debug)]
pub(crate) enum Source<'a> {
    Bytes(&'a [u8]),
    File(OpenFile),
}

#[derive(Debug)]
pub(crate) struct OpenFile {
    path: PathBuf,
    file: File,
    identity: Identity,
    map: Option<map::Map>,
}

impl Source<'_> {
    /// Opens a regular file.
    ///
    /// # Errors
    /// [`Error::Io`] if it is missing, not readable, a directory, or anything else that has no length.
    pub(crate) fn open(path: &Path, io: Io) -> Result<Self> {
        let refused = |source| Error::Io { path: path.to_owned(), offset: None, source };
        // Without O_NONBLOCK, opening a FIFO waits for its writer.
        let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path).map_err(refused)?;
        let metadata = file.metadata().map_err(refused)?;
        if metadata.is_dir() {
            return Err(refused(io::Error::from_raw_os_error(libc::EISDIR)));
        }
        if !metadata.is_file() {
            let problem = "not a regular file: hash pipes and devices with MultipartHasher";
            return Err(refused(io::Error::new(io::ErrorKind::InvalidInput, problem)));
        }
        if metadata.size() == 0 && file.read_at(&mut [0], 0).is_ok_and(|read| read > 0) {
            let problem = "the file system does not tell its size: hash it with MultipartHasher";
            return Err(refused(io::Error::new(io::ErrorKind::InvalidInput, problem)));
        }
        let map = match io {
            Io::Mmap if metadata.size() > 0 => map::Map::new(&file).map_err(refused)?,
            _ => None,
        };
        Ok(Source::File(OpenFile { path: path.to_owned(), file, identity: Identity::of(&metadata), map }))
    }

    pub(crate) fn size(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(file) => file.identity.size,
        }
    }

    pub(crate) fn reader(&self) -> Reader<'_> {
        Reader { source: self, buffer: Vec::new() }
    }

    /// After hashing: is it still the file that was opened?
    ///
    /// # Errors
    /// [`Error::FileChanged`] if size, modification time or inode differ, or the name is gone.
    pub(crate) fn check_unchanged(&self) -> Result<()> {
        let Self::File(OpenFile { path, file, identity, map }) = self else {
            return Ok(());
        };
        if map.as_ref().is_some_and(map::Map::lost_pages) {
            return Err(Error::FileChanged { path: path.clone(), change: "it was truncated".to_owned() });
        }
        let open = file.metadata().map_err(|source| Error::Io { path: path.clone(), offset: None, source })?;
        let named = fs::metadata(path).map_err(|source| Error::FileChanged {
            path: path.clone(),
            change: format!("its name is gone ({source})"),
        })?;
        let change = match (Identity::of(&open), Identity::of(&named)) {
            (open, _) if open.size != identity.size => {
                format!("{} bytes became {}", identity.size, open.size)
            }
            (open, _) if open != *identity => "it was written to".to_owned(),
            (_, named) if named.inode != identity.inode => "another file took its name".to_owned(),
            _ => return Ok(()),
        };
        Err(Error::FileChanged { path: path.clone(), change })
    }
}

/// One thread's way to the bytes.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    source: &'a Source<'a>,
    buffer: Vec<u8>,
}

impl Reader<'_> {
    /// The bytes of each range, all valid until the next call.
    ///
    /// # Errors
    /// [`Error::FileChanged`] if the file ends before a range does; [`Error::Io`] as the system says.
    pub(crate) fn read(&mut self, ranges: &[Range<u64>]) -> Result<Vec<&[u8]>> {
        let (path, file) = match self.source {
            Source::Bytes(bytes) => return Ok(slices(bytes, ranges)),
            Source::File(OpenFile { map: Some(map), .. }) => {
                return Ok(slices(map.bytes(), ranges));
            }
            Source::File(OpenFile { path, file, .. }) => (path, file),
        };
        let total: u64 = ranges.iter().map(|range| range.end - range.start).sum();
        self.buffer.resize(total as usize, 0);
        let mut rest = &mut self.buffer[..];
        for range in ranges {
            let (bytes, others) = rest.split_at_mut((range.end - range.start) as usize);
            file.read_exact_at(bytes, range.start).map_err(|source| match source.kind() {
                io::ErrorKind::UnexpectedEof => {
                    Error::FileChanged { path: path.clone(), change: format!("it ends before byte {}", range.end) }
                }
                _ => Error::Io { path: path.clone(), offset: Some(range.start), source },
            })?;
            rest = others;
        }
        let mut rest = &self.buffer[..];
        Ok(ranges
            .iter()
            .map(|range| {
                let (bytes, others) = rest.split_at((range.end - range.start) as usize);
                rest = others;
                bytes
            })
            .collect())
    }
}

fn slices<'a>(bytes: &'a [u8], ranges: &[Range<u64>]) -> Vec<&'a [u8]> {
    ranges.iter().map(|range| &bytes[range.start as usize..range.end as usize]).collect()
}
