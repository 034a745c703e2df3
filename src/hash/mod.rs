//! The verbs: from bytes to [`ObjectChecksums`].

mod files;
mod multipart;

use std::{
    ops::Range,
    path::{Path, PathBuf},
};

pub use files::HashFiles;
pub use multipart::{MultipartHasher, UpdateSizes};

use crate::{
    algorithm::Algorithm,
    digest::Digest,
    error::{Error, Result},
    kernels::Message,
    parts::{Part, PartPlan, PartSize, SmallParts},
    s3::ObjectChecksums,
    schedule::{self, Batch, BatchDigests, Observer},
    source::{Chunk, Io, Source},
};

/// Options of the functions that hash.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The part size, or another way to plan parts.
    pub part_size: PartSize,
    /// Whether parts below 5 MiB are accepted.
    pub small_parts: SmallParts,
    /// Number of threads; `None` for every CPU that the process may use.
    pub threads: Option<usize>,
    /// How to read files.
    pub io: Io,
}

/// All checksums of a file, in one read.
///
/// # Errors
/// [`Error::Io`] as the system says; [`Error::PartPlan`] where S3 would refuse the plan; [`Error::FileChanged`] if the
/// file did while it was read; [`Error::Interrupted`] if the observer asked for it.
///
/// ```
/// use partsum::{Algorithm, Options, hash_file};
///
/// let file = std::env::temp_dir().join(format!("partsum-doc-{}", std::process::id()));
/// std::fs::write(&file, "aaa")?;
/// let options = Options { part_size: "8MiB".parse()?, ..Options::default() };
/// let sums = hash_file(&file, &[Algorithm::Md5, Algorithm::Crc64Nvme], &options, &mut ())?;
/// assert_eq!(sums.etag()?, "e2c3da976e66ec9e7dc128fbc782fc91-1");
/// assert_eq!(sums.full_object(Algorithm::Crc64Nvme)?, "Rnr2/5P7Gsk=");
/// # std::fs::remove_file(&file)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn hash_file(
    path: impl AsRef<Path>,
    algorithms: &[Algorithm],
    options: &Options,
    observer: &mut dyn Observer,
) -> Result<ObjectChecksums> {
    let input = Input::open(path.as_ref(), std::slice::from_ref(&options.part_size), options)?;
    hash_one(input, algorithms, options, observer).map(only)
}

/// All checksums of a file under several part plans, in one read. Parts that plans share are hashed once.
///
/// # Errors
/// As [`hash_file`]; [`Error::InvalidArgument`] without plans.
///
/// ```
/// use partsum::{Algorithm, Options, PartSize, hash_plans};
///
/// let file = std::env::temp_dir().join(format!("partsum-plans-{}", std::process::id()));
/// std::fs::write(&file, "aaa")?;
/// let plans = [PartSize::Whole, PartSize::Bytes(8 << 20)];
/// let sums = hash_plans(&file, &plans, &[Algorithm::Md5], &Options::default(), &mut ())?;
/// assert_eq!(sums[0].etag()?, "47bce5c74f589f4867dbd57e9ca9f808");
/// assert_eq!(sums[1].etag()?, "e2c3da976e66ec9e7dc128fbc782fc91-1");
/// # std::fs::remove_file(&file)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn hash_plans(
    path: impl AsRef<Path>,
    plans: &[PartSize],
    algorithms: &[Algorithm],
    options: &Options,
    observer: &mut dyn Observer,
) -> Result<Vec<ObjectChecksums>> {
    if plans.is_empty() {
        return Err(Error::argument("plans", "no part plan is given; give at least one"));
    }
    let input = Input::open(path.as_ref(), plans, options)?;
    hash_one(input, algorithms, options, observer)
}

/// [`hash_plans`] of a file that is open already, with parts of any size.
pub(crate) fn hash_opened(
    path: &Path,
    source: Source<'_>,
    plans: &[PartSize],
    algorithms: &[Algorithm],
    options: &Options,
    observer: &mut dyn Observer,
) -> Result<Vec<ObjectChecksums>> {
    let options = Options { small_parts: SmallParts::Allow, ..options.clone() };
    let input = Input::new(Some(path.to_owned()), source, plans, &options)?;
    hash_one(input, algorithms, &options, observer)
}

/// All checksums of bytes in memory.
///
/// # Errors
/// As [`hash_file`], but for the file's.
///
/// ```
/// use partsum::{Algorithm, Options, hash_bytes};
///
/// let sums = hash_bytes(b"hello world", &[Algorithm::Sha256], &Options::default(), &mut ())?;
/// assert_eq!(sums.full_object(Algorithm::Sha256)?, "uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=");
/// # Ok::<(), partsum::Error>(())
/// ```
pub fn hash_bytes(
    bytes: &[u8],
    algorithms: &[Algorithm],
    options: &Options,
    observer: &mut dyn Observer,
) -> Result<ObjectChecksums> {
    let input = Input::new(None, Source::Bytes(bytes), std::slice::from_ref(&options.part_size), options)?;
    hash_one(input, algorithms, options, observer).map(only)
}

fn only(mut sums: Vec<ObjectChecksums>) -> ObjectChecksums {
    sums.swap_remove(0)
}

/// A source and its part plans.
#[derive(Debug)]
struct Input<'a> {
    path: Option<PathBuf>,
    source: Source<'a>,
    plans: Vec<PartPlan>,
}

impl<'a> Input<'a> {
    fn new(path: Option<PathBuf>, source: Source<'a>, part_sizes: &[PartSize], options: &Options) -> Result<Self> {
        let plan = |part_size| PartPlan::new(source.size(), part_size, options.small_parts);
        let plans = part_sizes.iter().map(plan).collect::<Result<_, _>>()?;
        Ok(Self { path, source, plans })
    }

    fn open(path: &Path, part_sizes: &[PartSize], options: &Options) -> Result<Self> {
        Self::new(Some(path.to_owned()), Source::open(path, options.io)?, part_sizes, options)
    }

    /// Offsets of the parts of all plans, each once.
    fn ranges(&self) -> Vec<Range<u64>> {
        let mut ranges: Vec<_> = self.plans.iter().flat_map(|plan| plan.iter().map(range)).collect();
        if self.plans.len() > 1 {
            // Sorted by offset, so that a byte is still in the cache when the next plan needs it.
            ranges.sort_by_key(|range| (range.start, range.end));
            ranges.dedup();
        }
        ranges
    }
}

fn range(part: Part) -> Range<u64> {
    part.offset..part.offset + part.size
}

fn hash_one(
    input: Input<'_>,
    algorithms: &[Algorithm],
    options: &Options,
    observer: &mut dyn Observer,
) -> Result<Vec<ObjectChecksums>> {
    let algorithms = Algorithm::distinct(algorithms)?;
    hash_inputs(vec![input], &algorithms, threads(options)?, observer)?.swap_remove(0)
}

/// For each input, the checksums under each of its plans.
fn hash_inputs(
    inputs: Vec<Input<'_>>,
    algorithms: &[Algorithm],
    threads: usize,
    observer: &mut dyn Observer,
) -> Result<Vec<Result<Vec<ObjectChecksums>>>> {
    let mut chunks = Vec::new();
    let mut chunks_of = Vec::with_capacity(inputs.len());
    for (source, input) in inputs.iter().enumerate() {
        let first = chunks.len();
        chunks.extend(input.ranges().into_iter().map(|range| Chunk { source, range }));
        chunks_of.push(first..chunks.len());
    }
    let (sources, plans): (Vec<_>, Vec<_>) =
        inputs.into_iter().map(|input| (input.source, (input.path, input.plans))).unzip();
    let batch = Batch { sources: &sources, chunks: &chunks, algorithms, threads };
    let BatchDigests { digests, errors } = schedule::hash(batch, observer)?;

    let results = plans.into_iter().zip(&sources).zip(errors).zip(chunks_of);
    let results = results.map(|((((path, plans), source), error), own)| {
        error.map_or_else(|| source.check_unchanged(), Err).map_err(|error| in_part(error, &plans))?;
        let ranges = &chunks[own.clone()];
        let sums = plans.into_iter().map(|plan| {
            let place = |part| {
                let key = range(part);
                own.start + ranges.partition_point(|chunk| (chunk.range.start, chunk.range.end) < (key.start, key.end))
            };
            let places: Vec<usize> = plan.iter().map(place).collect();
            let column = |column: &Vec<Option<Digest>>| places.iter().filter_map(|place| column[*place]).collect();
            let columns = algorithms.iter().zip(&digests).map(|(algorithm, digests)| (*algorithm, column(digests)));
            ObjectChecksums::new(path.clone(), plan, columns.collect())
        });
        Ok(sums.collect())
    });
    Ok(results.collect())
}

/// Adds the number of the part that could not be read, if there is only one plan.
fn in_part(error: Error, plans: &[PartPlan]) -> Error {
    match (error, plans) {
        (Error::Io { path, offset: Some(offset), source, .. }, [plan]) if plan.multipart() => {
            let part = plan.iter().find(|part| range(*part).contains(&offset)).map(|part| part.number);
            Error::Io { path, offset: Some(offset), part, source }
        }
        (error, _) => error,
    }
}

fn threads(options: &Options) -> Result<usize> {
    match options.threads {
        Some(0) => Err(Error::argument("threads", "must be at least 1, not 0")),
        Some(threads) => Ok(threads),
        None => Ok(schedule::default_threads()),
    }
}

/// One message of one algorithm, in the manner of Python's hashlib.
///
/// ```
/// use partsum::{Algorithm, Hasher};
///
/// let mut hasher = Hasher::new(Algorithm::Crc32c);
/// hasher.update(b"1234");
/// hasher.update(b"56789");
/// assert_eq!(hasher.digest().to_hex(), "e3069283");
/// ```
#[derive(Clone, Debug)]
pub struct Hasher(Message);

impl Hasher {
    /// The empty message.
    pub fn new(algorithm: Algorithm) -> Self {
        Self(Message::new(algorithm))
    }

    /// The algorithm.
    pub const fn algorithm(&self) -> Algorithm {
        self.0.algorithm()
    }

    /// Appends to the message.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest so far; more may be appended.
    pub fn digest(&self) -> Digest {
        self.0.digest()
    }
}
