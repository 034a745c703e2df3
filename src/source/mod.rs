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
    Memory(Vec<u8>),
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

impl OpenFile {
    fn read(&self, range: Range<u64>) -> Result<Vec<u8>> {
        let mut bytes = vec![0; (range.end - range.start) as usize];
        self.read_into(&mut bytes, range.start).map(|()| bytes)
    }

    fn read_into(&self, bytes: &mut [u8], offset: u64) -> Result<()> {
        self.file.read_exact_at(bytes, offset).map_err(|source| match source.kind() {
            io::ErrorKind::UnexpectedEof => {
                let change = format!("it ends before byte {}", offset + bytes.len() as u64);
                Error::FileChanged { path: self.path.clone(), change }
            }
            _ => Error::Io { path: self.path.clone(), offset: Some(offset), source },
        })
    }
}

/// A range of one of several sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) source: usize,
    pub(crate) range: Range<u64>,
}

impl Span {
    pub(crate) fn len(&self) -> u64 {
        self.range.end - self.range.start
    }
}

/// One thread's way to the bytes of several sources.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    sources: &'a [Source<'a>],
    buffer: Vec<u8>,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(sources: &'a [Source<'a>]) -> Self {
        Self { sources, buffer: Vec::new() }
    }

    /// The bytes of each span, all valid until the next call. What cannot be read is an error of its own:
    /// [`Error::FileChanged`] if the file ends before the span does, [`Error::Io`] as the system says.
    pub(crate) fn read(&mut self, spans: &[Span]) -> Vec<Result<&[u8]>> {
        let copied = |span: &Span| match &self.sources[span.source] {
            Source::File(file) if file.map.is_none() => Some(file),
            _ => None,
        };
        let total: u64 = spans.iter().filter(|span| copied(span).is_some()).map(Span::len).sum();
        self.buffer.resize(total as usize, 0);
        let mut rest = &mut self.buffer[..];
        let mut outcomes = Vec::with_capacity(spans.len());
        for span in spans {
            outcomes.push(match copied(span) {
                Some(file) => {
                    let (bytes, others) = rest.split_at_mut(span.len() as usize);
                    rest = others;
                    file.read_into(bytes, span.range.start)
                }
                None => Ok(()),
            });
        }
        let mut rest = &self.buffer[..];
        let within = |bytes: &'a [u8], span: &Span| &bytes[span.range.start as usize..span.range.end as usize];
        let bytes = spans.iter().zip(outcomes).map(|(span, outcome)| {
            let bytes = match &self.sources[span.source] {
                Source::Bytes(bytes) => within(bytes, span),
                Source::Memory(bytes) => within(bytes, span),
                Source::File(OpenFile { map: Some(map), .. }) => within(map.bytes(), span),
                Source::File(_) => {
                    let (bytes, others) = rest.split_at(span.len() as usize);
                    rest = others;
                    bytes
                }
            };
            outcome.map(|()| bytes)
        });
        bytes.collect()
    }
}
