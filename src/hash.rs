//! The verbs: from bytes to [`ObjectChecksums`].

use std::{
    collections::VecDeque,
    ops::Range,
    path::{Path, PathBuf},
};

use crate::{
    algorithm::Algorithm,
    digest::Digest,
    error::{Error, PartPlanError, Result},
    limits::{MAX_PARTS, MIN_PART_SIZE},
    parts::{Part, PartPlan, PartSize, SmallParts},
    s3::ObjectChecksums,
    schedule::{self, Observer, Outcome, Work},
    source::{Io, Source, Span},
    stream::Stream,
};

/// How to hash, beyond what.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where the parts are cut.
    pub part_size: PartSize,
    /// Whether parts below 5 MiB pass.
    pub small_parts: SmallParts,
    /// Threads; `None` for as many as this process has CPUs.
    pub threads: Option<usize>,
    /// How a file is read.
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

/// All checksums of a file under several part plans, in one read; ranges that plans share are hashed once.
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
        return Err(Error::argument("plans", "no part plan given: name at least one"));
    }
    // Parts of different plans want the same bytes at different times: mapped, they are read once all the same.
    let io = if plans.len() > 1 && options.io == Io::Auto { Io::Mmap } else { options.io };
    let input = Input::open(path.as_ref(), plans, &Options { io, ..options.clone() })?;
    hash_one(input, algorithms, options, observer)
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

/// All checksums of many files, whose parts share the lanes and threads; a file that cannot be hashed never stops the
/// rest. Results come in the order of the paths, batch by batch: at most 256 files are open, and a batch is over after
/// 512 MiB or its first larger file.
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
    /// Opened, but not in a batch yet.
    opened: VecDeque<(PathBuf, Result<Input<'static>>)>,
}

/// Bytes after which a batch is full.
const BATCH_BYTES: u64 = 512 << 20;
/// Files up to this size are read as they are opened.
const SMALL_FILE: u64 = 16 << 10;

impl HashFiles {
    /// Paths to give to [`open`](Self::open) at once: as many files may be open.
    pub const MAX_OPEN: usize = 256;

    /// # Errors
    /// [`Error::NoAlgorithms`]; [`Error::InvalidArgument`] for no threads.
    pub fn new(algorithms: &[Algorithm], options: Options) -> Result<Self> {
        let threads = threads(&options)?;
        Ok(Self { algorithms: Algorithm::distinct(algorithms)?, options, threads, opened: VecDeque::new() })
    }

    /// Whether everything that was opened has had its batch.
    pub fn is_drained(&self) -> bool {
        self.opened.is_empty()
    }

    /// Opens the next files.
    ///
    /// # Errors
    /// None for a file: what goes wrong with it is in its result.
    pub fn open(&mut self, paths: Vec<PathBuf>) -> Result<()> {
        let inputs = schedule::map(self.threads, &paths, |path| self.open_one(path))?;
        self.opened.extend(paths.into_iter().zip(inputs));
        Ok(())
    }

    /// Hashes a batch of the files that are open; their results, in order.
    ///
    /// # Errors
    /// [`Error::Interrupted`]; what goes wrong with a file is in its result.
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

fn only(mut sums: Vec<ObjectChecksums>) -> ObjectChecksums {
    sums.swap_remove(0)
}

/// Something to hash, and where its parts are cut.
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

    /// The ranges that the plans ask for, each once.
    fn ranges(&self) -> Vec<Range<u64>> {
        let mut ranges: Vec<_> = self.plans.iter().flat_map(|plan| plan.iter().map(range)).collect();
        if self.plans.len() > 1 {
            // Plans walk the file side by side, so that a byte is still in the cache for the next plan.
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
    let mut spans = Vec::new();
    let mut spans_of = Vec::with_capacity(inputs.len());
    for (source, input) in inputs.iter().enumerate() {
        let first = spans.len();
        spans.extend(input.ranges().into_iter().map(|range| Span { source, range }));
        spans_of.push(first..spans.len());
    }
    let (sources, plans): (Vec<_>, Vec<_>) =
        inputs.into_iter().map(|input| (input.source, (input.path, input.plans))).unzip();
    let work = Work { sources: &sources, spans: &spans, algorithms, threads };
    let Outcome { digests, errors } = schedule::hash(work, observer)?;

    let results = plans.into_iter().zip(&sources).zip(errors).zip(spans_of);
    let results = results.map(|((((path, plans), source), error), own)| {
        if let Some(error) = error {
            return Err(error);
        }
        source.check_unchanged()?;
        let ranges = &spans[own.clone()];
        let sums = plans.into_iter().map(|plan| {
            let place = |part| {
                let key = range(part);
                own.start + ranges.partition_point(|span| (span.range.start, span.range.end) < (key.start, key.end))
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

fn threads(options: &Options) -> Result<usize> {
    match options.threads {
        Some(0) => Err(Error::argument("threads", "0 threads hash nothing: give 1 or more, or None for all CPUs")),
        Some(threads) => Ok(threads),
        None => Ok(schedule::default_threads()),
    }
}

/// One message, one algorithm, fed piece by piece: hashlib's shape.
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
pub struct Hasher(Stream);

impl Hasher {
    /// The empty message.
    pub fn new(algorithm: Algorithm) -> Self {
        Self(Stream::new(algorithm))
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

/// An object of unknown size, fed piece by piece and cut into parts on the way.
///
/// A piece that holds several whole parts is hashed on all lanes and threads; the rest of it as a stream.
///
/// ```
/// use partsum::{Algorithm, MultipartHasher, Options};
///
/// let options = Options { part_size: "5MiB".parse()?, ..Options::default() };
/// let mut hasher = MultipartHasher::new(&[Algorithm::Md5], options)?;
/// hasher.update(b"aa", &mut ())?;
/// hasher.update(b"a", &mut ())?;
/// assert_eq!(hasher.finish()?.etag()?, "e2c3da976e66ec9e7dc128fbc782fc91-1");
/// # Ok::<(), partsum::Error>(())
/// ```
#[derive(Debug)]
pub struct MultipartHasher {
    algorithms: Vec<Algorithm>,
    options: Options,
    cut: Cut,
    size: u64,
    /// Digests of the parts that are complete, for each algorithm.
    columns: Vec<Vec<Digest>>,
    /// The part that is being fed, and its bytes so far.
    streams: Vec<Stream>,
    filled: u64,
}

#[derive(Debug)]
enum Cut {
    Every(u64),
    Sizes(Vec<u64>),
    Never,
}

impl MultipartHasher {
    /// Nothing fed yet.
    ///
    /// # Errors
    /// [`Error::NoAlgorithms`]; [`PartPlanError::SizeUnknown`] for a preset that plans from the object's size.
    pub fn new(algorithms: &[Algorithm], options: Options) -> Result<Self> {
        let algorithms = Algorithm::distinct(algorithms)?;
        threads(&options)?;
        let cut = match &options.part_size {
            PartSize::Whole => Cut::Never,
            PartSize::Bytes(0) => {
                return Err(PartPlanError::ImpossiblePartSize { size: "0".to_owned() }.into());
            }
            PartSize::Bytes(bytes) => Cut::Every(*bytes),
            PartSize::Preset(preset) => {
                Cut::Every(preset.part_size_of_stream().ok_or(PartPlanError::SizeUnknown { preset: preset.name })?)
            }
            PartSize::Sizes(sizes) => Cut::Sizes(sizes.clone()),
            PartSize::Plan(plan) if !plan.multipart() => Cut::Never,
            PartSize::Plan(plan) => Cut::Sizes(plan.iter().map(|part| part.size).collect()),
        };
        let streams = algorithms.iter().map(|algorithm| Stream::new(*algorithm)).collect();
        let columns = vec![Vec::new(); algorithms.len()];
        Ok(Self { algorithms, options, cut, size: 0, columns, streams, filled: 0 })
    }

    /// Bytes fed so far.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Appends to the object.
    ///
    /// # Errors
    /// [`Error::PartPlan`] as soon as S3 would refuse the plan whatever comes; [`Error::Interrupted`]. What was fed
    /// before is then of no use.
    pub fn update(&mut self, mut bytes: &[u8], observer: &mut dyn Observer) -> Result<()> {
        while !bytes.is_empty() {
            let part_size = self.current_part_size(bytes.len())?;
            let whole_parts = match self.cut {
                Cut::Every(part_size) if self.filled == 0 => bytes.len() as u64 / part_size,
                _ => 0,
            };
            let taken = if whole_parts > 1 {
                // The plan may allow fewer; the next round says so.
                let parts = whole_parts.min(MAX_PARTS - self.complete());
                self.hash_whole_parts(&bytes[..(parts * part_size) as usize], part_size, observer)?
            } else {
                let taken = (bytes.len() as u64).min(part_size - self.filled) as usize;
                for stream in &mut self.streams {
                    stream.update(&bytes[..taken]);
                }
                self.filled += taken as u64;
                if self.filled == part_size {
                    self.end_part();
                }
                taken
            };
            self.size += taken as u64;
            bytes = &bytes[taken..];
        }
        Ok(())
    }

    fn complete(&self) -> u64 {
        self.columns[0].len() as u64
    }

    /// Bytes of the part that the next byte belongs to.
    fn current_part_size(&mut self, coming: usize) -> Result<u64> {
        let complete = self.complete();
        match &self.cut {
            Cut::Never => Ok(u64::MAX),
            Cut::Every(_) if complete == MAX_PARTS => {
                let minimum = (self.size + coming as u64).div_ceil(MAX_PARTS);
                Err(PartPlanError::TooManyParts { parts: MAX_PARTS + 1, minimum }.into())
            }
            Cut::Every(size)
                if complete > 0 && *size < MIN_PART_SIZE && self.options.small_parts == SmallParts::Refuse =>
            {
                Err(PartPlanError::PartTooSmall { number: complete, size: *size }.into())
            }
            Cut::Every(size) => Ok(*size),
            Cut::Sizes(sizes) => {
                // An empty part is complete before it has a byte; only `finish` may meet the last one.
                let Some(size) = sizes.get(complete as usize).filter(|size| **size > 0) else {
                    let sum = sizes.iter().map(|size| u128::from(*size)).sum();
                    return Err(PartPlanError::WrongTotal { sum, size: self.size + coming as u64 }.into());
                };
                Ok(*size)
            }
        }
    }

    fn hash_whole_parts(&mut self, bytes: &[u8], part_size: u64, observer: &mut dyn Observer) -> Result<usize> {
        let part = |index| Span { source: 0, range: index * part_size..(index + 1) * part_size };
        let spans: Vec<_> = (0..bytes.len() as u64 / part_size).map(part).collect();
        let work = Work {
            sources: &[Source::Bytes(bytes)],
            spans: &spans,
            algorithms: &self.algorithms,
            threads: threads(&self.options)?,
        };
        for (column, digests) in self.columns.iter_mut().zip(schedule::hash(work, observer)?.digests) {
            column.extend(digests.into_iter().flatten());
        }
        Ok(bytes.len())
    }

    fn end_part(&mut self) {
        for (column, stream) in self.columns.iter_mut().zip(&mut self.streams) {
            column.push(stream.digest());
            stream.reset();
        }
        self.filled = 0;
    }

    /// The checksums of all that was fed.
    ///
    /// # Errors
    /// [`Error::PartPlan`] if the bytes are not those of an explicit plan, or S3 would refuse the plan.
    pub fn finish(mut self) -> Result<ObjectChecksums> {
        let plan = PartPlan::new(self.size, &self.options.part_size, self.options.small_parts)?;
        if self.complete() < plan.len() as u64 {
            self.end_part();
        }
        let columns = self.algorithms.into_iter().zip(self.columns).collect();
        Ok(ObjectChecksums::new(None::<PathBuf>, plan, columns))
    }
}
