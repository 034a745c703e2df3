//! Objects of unknown size, cut into parts while the bytes come.

use std::{ops::Range, path::PathBuf, sync::Arc};

use super::{Options, threads};
use crate::{
    algorithm::Algorithm,
    digest::Digest,
    error::{Error, PartPlanError, Result},
    kernels::Message,
    limits::{MAX_PARTS, MIN_PART_SIZE},
    parts::{PartPlan, PartSize, SmallParts},
    s3::ObjectChecksums,
    schedule::{self, Batch, Observer},
    source::{Chunk, Source},
};

/// An object of unknown size, fed by repeated calls of [`update`](Self::update) and cut into parts on the way.
///
/// Bytes that hold several whole parts are hashed on all lanes and threads, the others as a stream. [`UpdateSizes`]
/// recommends how many bytes to pass at once.
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
    part_sizes: PartSizes,
    size: u64,
    /// Digests of the parts that are complete, for each algorithm.
    columns: Vec<Vec<Digest>>,
    /// The part that is being fed, and its bytes so far.
    messages: Vec<Message>,
    filled: u64,
}

#[derive(Clone, Debug)]
enum PartSizes {
    /// All parts but the last one have this size.
    Equal(u64),
    Listed(Arc<[u64]>),
    /// One PutObject without parts.
    Whole,
}

/// A stream is hashed in tiles that stay in L2 while one algorithm after the other reads them.
const TILE: usize = 256 << 10;
/// Bytes between two reports to the observer: milliseconds, whatever the algorithm.
const MAX_UNOBSERVED: u64 = 4 << 20;
/// Recommended size where a part is hashed as a stream: still in L3, and worth being handed to another thread.
const STREAM_UPDATE: u64 = 1 << 20;
/// Size that is worth starting threads for, however small the parts are.
const PARALLEL_UPDATE: u64 = 8 << 20;

/// Recommends how many bytes to pass to [`MultipartHasher::update`].
#[derive(Clone, Debug)]
pub struct UpdateSizes {
    part_sizes: PartSizes,
    /// How many parts to hash at once.
    parts: u64,
}

impl UpdateSizes {
    /// Recommended size of the next `update` after `offset` bytes: 1 to `limit` bytes (at least 1).
    ///
    /// It is as many whole parts as are hashed as fast as one thread reads, or as fit into `limit`. Where two parts do not
    /// fit, the part is hashed as a stream, for which short updates are as good as long ones.
    ///
    /// ```
    /// use partsum::{Algorithm, MultipartHasher, Options};
    ///
    /// let options = Options { part_size: "5MiB".parse()?, ..Options::default() };
    /// let sizes = MultipartHasher::new(&[Algorithm::Md5], options)?.update_sizes()?;
    /// assert_eq!(sizes.recommended(0, 11 << 20), 10 << 20);
    /// assert_eq!(sizes.recommended(0, 9 << 20), 1 << 20);
    /// # Ok::<(), partsum::Error>(())
    /// ```
    pub fn recommended(&self, offset: u64, limit: u64) -> u64 {
        let limit = limit.max(1);
        let stream = |rest_of_part: u64| limit.min(STREAM_UPDATE).min(rest_of_part);
        match &self.part_sizes {
            PartSizes::Whole => stream(u64::MAX),
            PartSizes::Equal(size) => {
                let wanted = self.parts.max(PARALLEL_UPDATE.div_ceil(*size));
                match (limit / size).min(wanted) {
                    parts if parts > 1 && offset.is_multiple_of(*size) => parts * size,
                    _ => stream(size - offset % size),
                }
            }
            PartSizes::Listed(sizes) => {
                let mut end = 0_u64;
                let rest = sizes.iter().map(|size| {
                    end = end.saturating_add(*size);
                    (end, *size)
                });
                let mut rest = rest.skip_while(|(end, _)| *end <= offset).peekable();
                // Past the end of the plan, `update` refuses any byte.
                let Some((end, size)) = rest.peek().copied() else {
                    return stream(u64::MAX);
                };
                if end - size < offset {
                    return stream(end - offset);
                }
                let fit = rest.enumerate().take_while(|(index, (end, _))| {
                    let few = (*index as u64) < self.parts || end - offset <= PARALLEL_UPDATE;
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
        let part_sizes = match &options.part_size {
            PartSize::Whole => PartSizes::Whole,
            PartSize::Bytes(0) => {
                return Err(PartPlanError::ImpossiblePartSize { size: "0".to_owned() }.into());
            }
            PartSize::Bytes(bytes) => PartSizes::Equal(*bytes),
            PartSize::Preset(preset) => PartSizes::Equal(
                preset.part_size_of_stream().ok_or(PartPlanError::SizeUnknown { preset: preset.name })?,
            ),
            PartSize::Sizes(sizes) => PartSizes::Listed(sizes.as_slice().into()),
            PartSize::Plan(plan) if !plan.multipart() => PartSizes::Whole,
            PartSize::Plan(plan) => PartSizes::Listed(plan.iter().map(|part| part.size).collect()),
        };
        let messages = algorithms.iter().map(|algorithm| Message::new(*algorithm)).collect();
        let columns = vec![Vec::new(); algorithms.len()];
        Ok(Self { algorithms, options, part_sizes, size: 0, columns, messages, filled: 0 })
    }

    /// The algorithms, each once.
    pub fn algorithms(&self) -> &[Algorithm] {
        &self.algorithms
    }

    /// Bytes fed so far.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// How many bytes to pass at once.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for an instruction set that this CPU does not have.
    pub fn update_sizes(&self) -> Result<UpdateSizes> {
        let parts = schedule::parallel_chunks(&self.algorithms, threads(&self.options)?)?;
        Ok(UpdateSizes { part_sizes: self.part_sizes.clone(), parts: parts as u64 })
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

    /// Offsets of the whole parts in the next `coming` bytes.
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
        match &self.part_sizes {
            PartSizes::Whole => Vec::new(),
            // S3 may allow fewer parts than that; `current_part_size` refuses the first one too many.
            PartSizes::Equal(size) => {
                let parts = (coming / size).min(MAX_PARTS - self.complete()) as usize;
                std::iter::repeat_n(*size, parts).map(to_range).collect()
            }
            // Only the last part may be empty, and `finish` ends that one.
            PartSizes::Listed(sizes) => {
                let rest = sizes[self.complete() as usize..].iter().copied().take_while(|size| *size > 0);
                rest.map(to_range).take_while(fits).collect()
            }
        }
    }

    fn complete(&self) -> u64 {
        self.columns[0].len() as u64
    }

    /// Size of the part that the next byte belongs to.
    fn current_part_size(&mut self, coming: usize) -> Result<u64> {
        let complete = self.complete();
        match &self.part_sizes {
            PartSizes::Whole => Ok(u64::MAX),
            PartSizes::Equal(_) if complete == MAX_PARTS => {
                let minimum = (self.size + coming as u64).div_ceil(MAX_PARTS);
                Err(PartPlanError::TooManyParts { parts: MAX_PARTS + 1, minimum }.into())
            }
            PartSizes::Equal(size)
                if complete > 0 && *size < MIN_PART_SIZE && self.options.small_parts == SmallParts::Refuse =>
            {
                Err(PartPlanError::PartTooSmall { number: complete, size: *size }.into())
            }
            PartSizes::Equal(size) => Ok(*size),
            PartSizes::Listed(sizes) => {
                // An empty part gets no byte, so only `finish` can end it.
                let Some(size) = sizes.get(complete as usize).filter(|size| **size > 0) else {
                    let sum = sizes.iter().map(|size| u128::from(*size)).sum();
                    return Err(PartPlanError::WrongTotal { sum, size: self.size + coming as u64 }.into());
                };
                Ok(*size)
            }
        }
    }

    fn hash_whole_parts(&mut self, bytes: &[u8], parts: &[Range<u64>], observer: &mut dyn Observer) -> Result<()> {
        let chunks: Vec<_> = parts.iter().map(|range| Chunk { source: 0, range: range.clone() }).collect();
        let threads = schedule::useful_threads(&self.algorithms, parts.len(), threads(&self.options)?)?;
        let sources = [Source::Bytes(bytes)];
        let batch = Batch { sources: &sources, chunks: &chunks, algorithms: &self.algorithms, threads };
        for (column, digests) in self.columns.iter_mut().zip(schedule::hash(batch, observer)?.digests) {
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

    fn recommended(part_size: PartSize, offset: u64, limit: u64) -> u64 {
        MultipartHasher::new(&[Algorithm::Crc32], options(part_size))
            .unwrap()
            .update_sizes()
            .unwrap()
            .recommended(offset, limit)
    }

    #[test]
    fn updates_are_whole_parts_where_two_fit() {
        let every = || PartSize::Bytes(8 * MIB);
        assert_eq!(recommended(every(), 0, 100 * MIB), 16 * MIB);
        assert_eq!(recommended(every(), 24 * MIB, 100 * MIB), 16 * MIB);
        assert_eq!(recommended(every(), 0, 15 * MIB), MIB);
        assert_eq!(recommended(every(), 8 * MIB - 5, 100 * MIB), 5);
        assert_eq!(recommended(every(), 0, 0), 1);
        assert_eq!(recommended(PartSize::Bytes(3), 0, 100), 99);
        assert_eq!(recommended(PartSize::Whole, 7, 100 * MIB), MIB);

        let sizes = || PartSize::Sizes(vec![5 * MIB, 6 * MIB, 7 * MIB, 2, 0]);
        assert_eq!(recommended(sizes(), 0, 100 * MIB), 11 * MIB);
        assert_eq!(recommended(sizes(), 0, 10 * MIB), MIB);
        assert_eq!(recommended(sizes(), 5 * MIB, 100 * MIB), 13 * MIB);
        assert_eq!(recommended(sizes(), 11 * MIB, 100 * MIB), 7 * MIB + 2);
        assert_eq!(recommended(sizes(), 11 * MIB - 3, 100 * MIB), 3);
        assert_eq!(recommended(sizes(), 18 * MIB + 1, 100 * MIB), 1);
        assert_eq!(recommended(sizes(), 18 * MIB + 2, 100 * MIB), MIB);
    }

    #[test]
    fn any_updates_give_what_the_whole_gives() {
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
                let sizes = hasher.update_sizes().unwrap();
                let mut rest = &bytes[..];
                while !rest.is_empty() {
                    let size = sizes.recommended((bytes.len() - rest.len()) as u64, limit).min(rest.len() as u64);
                    let (update, after) = rest.split_at(size as usize);
                    hasher.update(update, &mut ()).unwrap();
                    rest = after;
                }
                assert_eq!(hasher.finish().unwrap(), expected, "{part_size:?} {limit}");
            }
        }
    }
}
