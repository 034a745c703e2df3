//! Objects of unknown size: parts are cut while the bytes come.

use std::{ops::Range, path::PathBuf, sync::Arc};

use super::{Options, threads};
use crate::{
    algorithm::Algorithm,
    digest::Digest,
    error::{Error, PartPlanError, Result},
    limits::{MAX_PARTS, MIN_PART_SIZE},
    multibuffer::Message,
    parts::{PartPlan, PartSize, SmallParts},
    s3::ObjectChecksums,
    schedule::{self, Observer, Work},
    source::{Source, Span},
};

/// An object of unknown size, fed piece by piece and cut into parts on the way.
///
/// A piece that holds several whole parts is hashed on all lanes and threads; the rest of it as a stream. [`Pieces`]
/// says how big it had best be.
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
    messages: Vec<Message>,
    filled: u64,
}

#[derive(Clone, Debug)]
enum Cut {
    Every(u64),
    Sizes(Arc<[u64]>),
    Never,
}

/// Streams are hashed algorithm by algorithm in tiles that stay in L2.
const TILE: usize = 256 << 10;
/// Between two looks at the observer: milliseconds, whatever the algorithm.
const MAX_UNOBSERVED: u64 = 4 << 20;
/// A piece of a part that is hashed as a stream: still in L3, and worth being handed to another thread.
const STREAM_PIECE: u64 = 1 << 20;
/// A piece that is worth starting threads for, however small its parts are.
const PARALLEL_PIECE: u64 = 8 << 20;

/// How a [`MultipartHasher`] is best fed.
#[derive(Clone, Debug)]
pub struct Pieces {
    cut: Cut,
    /// Parts that are hashed as fast as anybody reads.
    parts: u64,
}

impl Pieces {
    /// Bytes that the piece after the first `offset` bytes had best hold, 1 to `limit` (at least 1) of them.
    ///
    /// That is as many whole parts as are hashed as fast as one thread reads, or those that fit into `limit`. Where two do not fit, the part is hashed as a stream, and a short piece of it is as good as a
    /// long one.
    ///
    /// ```
    /// use partsum::{Algorithm, MultipartHasher, Options};
    ///
    /// let options = Options { part_size: "5MiB".parse()?, ..Options::default() };
    /// let pieces = MultipartHasher::new(&[Algorithm::Md5], options)?.pieces()?;
    /// assert_eq!(pieces.best(0, 11 << 20), 10 << 20);
    /// assert_eq!(pieces.best(0, 9 << 20), 1 << 20);
    /// # Ok::<(), partsum::Error>(())
    /// ```
    pub fn best(&self, offset: u64, limit: u64) -> u64 {
        let limit = limit.max(1);
        let stream = |rest_of_part: u64| limit.min(STREAM_PIECE).min(rest_of_part);
        match &self.cut {
            Cut::Never => stream(u64::MAX),
            Cut::Every(size) => {
                let wanted = self.parts.max(PARALLEL_PIECE.div_ceil(*size));
                match (limit / size).min(wanted) {
                    parts if parts > 1 && offset.is_multiple_of(*size) => parts * size,
                    _ => stream(size - offset % size),
                }
            }
            Cut::Sizes(sizes) => {
                let mut end = 0_u64;
                let rest = sizes.iter().map(|size| {
                    end = end.saturating_add(*size);
                    (end, *size)
                });
                let mut rest = rest.skip_while(|(end, _)| *end <= offset).peekable();
                // Past the end of the plan, any byte is one too many.
                let Some((end, size)) = rest.peek().copied() else {
                    return stream(u64::MAX);
                };
                if end - size < offset {
                    return stream(end - offset);
                }
                let fit = rest.enumerate().take_while(|(index, (end, _))| {
                    let few = (*index as u64) < self.parts || end - offset <= PARALLEL_PIECE;
                    few && end - offset <= limit
                });
                match fit.last() {
                    Some((index, (end, _))) if index > 0 => end - offset,
                    _ => stream(end - offset),
                }
            }
        }
    }
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
            PartSize::Sizes(sizes) => Cut::Sizes(sizes.as_slice().into()),
            PartSize::Plan(plan) if !plan.multipart() => Cut::Never,
            PartSize::Plan(plan) => Cut::Sizes(plan.iter().map(|part| part.size).collect()),
        };
        let messages = algorithms.iter().map(|algorithm| Message::new(*algorithm)).collect();
        let columns = vec![Vec::new(); algorithms.len()];
        Ok(Self { algorithms, options, cut, size: 0, columns, messages, filled: 0 })
    }

    /// The algorithms, each once.
    pub fn algorithms(&self) -> &[Algorithm] {
        &self.algorithms
    }

    /// Bytes fed so far.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// How to feed it.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for an instruction set that this CPU does not have.
    pub fn pieces(&self) -> Result<Pieces> {
        let parts = schedule::parallel_ranges(&self.algorithms, threads(&self.options)?)?;
        Ok(Pieces { cut: self.cut.clone(), parts: parts as u64 })
    }

    /// Appends to the object.
    ///
    /// # Errors
    /// [`Error::PartPlan`] as soon as S3 would refuse the plan whatever comes; [`Error::Interrupted`]. What was fed
    /// before is then of no use.
    pub fn update(&mut self, mut bytes: &[u8], observer: &mut dyn Observer) -> Result<()> {
        let mut unobserved = 0;
        while !bytes.is_empty() {
            let part_size = self.current_part_size(bytes.len())?;
            let parts = self.whole_parts(bytes.len() as u64);
            let taken = match &parts[..] {
                [_, .., last] => {
                    let bytes = &bytes[..last.end as usize];
                    self.hash_whole_parts(bytes, &parts, observer)?;
                    bytes.len()
                }
                _ => {
                    let taken = (bytes.len().min(TILE) as u64).min(part_size - self.filled) as usize;
                    for message in &mut self.messages {
                        message.update(&bytes[..taken]);
                    }
                    self.filled += taken as u64;
                    if self.filled == part_size {
                        self.end_part();
                    }
                    unobserved += taken as u64;
                    taken
                }
            };
            self.size += taken as u64;
            bytes = &bytes[taken..];
            let look = unobserved >= MAX_UNOBSERVED || (bytes.is_empty() && unobserved > 0);
            if look && observer.progress(std::mem::take(&mut unobserved)).is_break() {
                return Err(Error::Interrupted);
            }
        }
        Ok(())
    }

    /// Where the parts lie that the next `coming` bytes hold from their beginning to their end.
    fn whole_parts(&self, coming: u64) -> Vec<Range<u64>> {
        if self.filled > 0 {
            return Vec::new();
        }
        let mut end = 0_u64;
        let to_range = |size: u64| {
            let start = end;
            end = start.saturating_add(size);
            start..end
        };
        let fits = |range: &Range<u64>| range.end <= coming;
        match &self.cut {
            Cut::Never => Vec::new(),
            // The plan may allow fewer; the next round says so.
            Cut::Every(size) => {
                let parts = (coming / size).min(MAX_PARTS - self.complete()) as usize;
                std::iter::repeat_n(*size, parts).map(to_range).collect()
            }
            // An empty part may be the last one only, which is up to `finish`.
            Cut::Sizes(sizes) => {
                let rest = sizes[self.complete() as usize..].iter().copied().take_while(|size| *size > 0);
                rest.map(to_range).take_while(fits).collect()
            }
        }
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

    fn hash_whole_parts(&mut self, bytes: &[u8], parts: &[Range<u64>], observer: &mut dyn Observer) -> Result<()> {
        let spans: Vec<_> = parts.iter().map(|range| Span { source: 0, range: range.clone() }).collect();
        let threads = schedule::useful_threads(&self.algorithms, parts.len(), threads(&self.options)?)?;
        let sources = [Source::Bytes(bytes)];
        let work = Work { sources: &sources, spans: &spans, algorithms: &self.algorithms, threads };
        for (column, digests) in self.columns.iter_mut().zip(schedule::hash(work, observer)?.digests) {
            column.extend(digests.into_iter().flatten());
        }
        Ok(())
    }

    fn end_part(&mut self) {
        for (column, message) in self.columns.iter_mut().zip(&mut self.messages) {
            column.push(message.digest());
            message.reset();
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

#[cfg(test)]
mod tests {
    use super::MultipartHasher;
    use crate::{Algorithm, Options, PartSize, SmallParts, hash_bytes};

    const MIB: u64 = 1 << 20;

    fn options(part_size: PartSize) -> Options {
        Options { part_size, small_parts: SmallParts::Allow, threads: Some(2), ..Options::default() }
    }

    fn best(part_size: PartSize, offset: u64, limit: u64) -> u64 {
        MultipartHasher::new(&[Algorithm::Crc32], options(part_size)).unwrap().pieces().unwrap().best(offset, limit)
    }

    #[test]
    fn pieces_are_whole_parts_where_two_fit() {
        let every = || PartSize::Bytes(8 * MIB);
        assert_eq!(best(every(), 0, 100 * MIB), 16 * MIB);
        assert_eq!(best(every(), 24 * MIB, 100 * MIB), 16 * MIB);
        assert_eq!(best(every(), 0, 15 * MIB), MIB);
        assert_eq!(best(every(), 8 * MIB - 5, 100 * MIB), 5);
        assert_eq!(best(every(), 0, 0), 1);
        assert_eq!(best(PartSize::Bytes(3), 0, 100), 99);
        assert_eq!(best(PartSize::Whole, 7, 100 * MIB), MIB);

        let sizes = || PartSize::Sizes(vec![5 * MIB, 6 * MIB, 7 * MIB, 2, 0]);
        assert_eq!(best(sizes(), 0, 100 * MIB), 11 * MIB);
        assert_eq!(best(sizes(), 0, 10 * MIB), MIB);
        assert_eq!(best(sizes(), 5 * MIB, 100 * MIB), 13 * MIB);
        assert_eq!(best(sizes(), 11 * MIB, 100 * MIB), 7 * MIB + 2);
        assert_eq!(best(sizes(), 11 * MIB - 3, 100 * MIB), 3);
        assert_eq!(best(sizes(), 18 * MIB + 1, 100 * MIB), 1);
        assert_eq!(best(sizes(), 18 * MIB + 2, 100 * MIB), MIB);
    }

    #[test]
    fn any_pieces_give_what_the_whole_gives() {
        let bytes: Vec<u8> = (0..100_000_u32).map(|index| (index % 251) as u8).collect();
        let algorithms = [Algorithm::Md5, Algorithm::Sha256, Algorithm::Crc64Nvme];
        for part_size in [
            PartSize::Whole,
            PartSize::Bytes(999),
            PartSize::Sizes(vec![1, 40_000, 30_000, 20_000, 9_999]),
            PartSize::Sizes(vec![50_000, 50_000, 0]),
        ] {
            let expected = hash_bytes(&bytes, &algorithms, &options(part_size.clone()), &mut ()).unwrap();
            for limit in [700, 2_500, 60_000, 200_000] {
                let mut hasher = MultipartHasher::new(&algorithms, options(part_size.clone())).unwrap();
                let pieces = hasher.pieces().unwrap();
                let mut rest = &bytes[..];
                while !rest.is_empty() {
                    let best = pieces.best((bytes.len() - rest.len()) as u64, limit).min(rest.len() as u64);
                    let (piece, after) = rest.split_at(best as usize);
                    hasher.update(piece, &mut ()).unwrap();
                    rest = after;
                }
                assert_eq!(hasher.finish().unwrap(), expected, "{part_size:?} {limit}");
            }
        }
    }
}
