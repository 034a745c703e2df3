//! Many files at once.

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
};

use super::{Input, Options, hash_inputs, only, threads};
use crate::{
    algorithm::Algorithm,
    error::{Error, Result},
    s3::ObjectChecksums,
    schedule::{self, Observer},
};

/// All checksums of many files. Their parts share the lanes and threads, and a file that cannot be hashed never stops the
/// others. Results come in the order of the paths, batch by batch: at most 256 files are open, and a batch ends after
/// 512 MiB or with its first larger file.
///
/// ```
/// use partsum::{Algorithm, HashFiles, Options};
///
/// let file = std::env::temp_dir().join(format!("partsum-files-{}", std::process::id()));
/// std::fs::write(&file, "aaa")?;
/// let mut files = HashFiles::new(&[Algorithm::Md5], Options::default())?;
/// files.open(vec![file.clone(), "/no/such/file".into()])?;
/// let results = files.hash_batch(&mut ())?;
/// assert_eq!(results[0].1.as_ref().unwrap().etag()?, "47bce5c74f589f4867dbd57e9ca9f808");
/// assert!(results[1].1.is_err());
/// # std::fs::remove_file(&file)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct HashFiles {
    algorithms: Vec<Algorithm>,
    options: Options,
    threads: usize,
    /// Files that are open, but not in a batch yet.
    opened: VecDeque<(PathBuf, Result<Input<'static>>)>,
}

/// Bytes after which a batch is full.
const BATCH_BYTES: u64 = 512 << 20;
/// Files up to this size are read as they are opened.
const SMALL_FILE: u64 = 16 << 10;

impl HashFiles {
    /// The most paths for one call of [`open`](Self::open), which is how many files may be open.
    pub const MAX_OPEN: usize = 256;

    /// # Errors
    /// [`Error::NoAlgorithms`]; [`Error::InvalidArgument`] for no threads.
    pub fn new(algorithms: &[Algorithm], options: Options) -> Result<Self> {
        let threads = threads(&options)?;
        Ok(Self { algorithms: Algorithm::distinct(algorithms)?, options, threads, opened: VecDeque::new() })
    }

    /// Whether all files that were opened have been hashed.
    pub fn is_drained(&self) -> bool {
        self.opened.is_empty()
    }

    /// Opens the next files.
    ///
    /// # Errors
    /// If threads cannot be started. The error of a file is its result.
    pub fn open(&mut self, paths: Vec<PathBuf>) -> Result<()> {
        let inputs = schedule::map(self.threads, &paths, |path| self.open_one(path));
        self.opened.extend(paths.into_iter().zip(inputs));
        Ok(())
    }

    /// Hashes a batch of the open files and returns their results, in order.
    ///
    /// # Errors
    /// [`Error::Interrupted`]. The error of a file is its result.
    pub fn hash_batch(&mut self, observer: &mut dyn Observer) -> Result<Vec<(PathBuf, Result<ObjectChecksums>)>> {
        let (mut order, mut inputs, mut bytes) = (Vec::new(), Vec::new(), 0);
        while bytes < BATCH_BYTES
            && let Some((path, opened)) = self.opened.pop_front()
        {
            match opened {
                Ok(input) => {
                    bytes += input.source.size();
                    inputs.push(input);
                    order.push((path, None));
                }
                Err(error) => order.push((path, Some(error))),
            }
        }
        let mut results = hash_inputs(inputs, &self.algorithms, self.threads, observer)?.into_iter();
        let result = |(path, failed): (PathBuf, Option<Error>)| match failed {
            Some(error) => Some((path, Err(error))),
            None => Some((path, results.next()?.map(only))),
        };
        Ok(order.into_iter().filter_map(result).collect())
    }

    fn open_one(&self, path: &Path) -> Result<Input<'static>> {
        let mut input = Input::open(path, std::slice::from_ref(&self.options.part_size), &self.options)?;
        if input.source.size() <= SMALL_FILE {
            input.source = input.source.into_memory()?;
        }
        Ok(input)
    }
}
