//! Chunks of sources times algorithms, spread over threads.
//!
//! Each thread works in *waves*: the next tile of as many of its chunks in flight as fill the lanes, read once and handed
//! to every algorithm while it is in L2. Chunks come from one queue. Each thread takes its fair share of the bytes that are
//! left, so that all threads end together, and the last chunks of a share are in flight together, so that all lanes do.
//! While other threads hash, the calling thread reports progress and can stop the work.

mod observer;
mod queue;
mod threads;
mod worker;

use std::ops::Range;

pub(crate) use self::threads::map;
pub use self::{observer::Observer, threads::default_threads};
use self::{queue::Queue, worker::Worker};
use crate::{
    algorithm::Algorithm,
    digest::Digest,
    error::{Error, Result},
    isa::Isa,
    kernels::{Combiner, Kernels},
    source::{Ahead, Chunk, Source},
};

/// A thread that hashes fewer bytes than this costs more than it saves.
const MIN_THREAD_BYTES: u64 = 1 << 20;
/// Up to this size, a call of one thread runs on the calling thread: it is over before anybody looks at its progress.
const MAX_INLINE_BYTES: u64 = 4 << 20;
/// Enough chunks to hash faster than one thread can read. That is 2 to 3 GB/s, and eight chunks of MD5 are hashed at
/// nearly 4 on another thread, half of its lanes idle. More would only cost fresh memory, which is slower than that.
const ENOUGH_CHUNKS: usize = 8;

/// How many chunks of one size to hash at once, if they come no faster than one thread reads: as many as fill the lanes of
/// every algorithm on all threads, or [`ENOUGH_CHUNKS`].
///
/// # Errors
/// [`Error::InvalidArgument`] if `PARTSUM_ISA` names an instruction set that this CPU does not have.
pub(crate) fn parallel_chunks(algorithms: &[Algorithm], threads: usize) -> Result<usize> {
    let isa = Isa::selected()?;
    let lanes = || algorithms.iter().map(|algorithm| Kernels::of(*algorithm, isa).messages_from_memory());
    let widest = lanes().max().unwrap_or(1);
    let narrowest = lanes().filter(|lanes| *lanes > 1).min().unwrap_or(1);
    Ok(narrowest.saturating_mul(threads).max(widest).clamp(2, ENOUGH_CHUNKS))
}

/// How many threads so many `chunks` of one size in memory keep busy. Threads whose lanes would be half empty only take
/// time from the thread that reads the next chunks.
///
/// # Errors
/// As [`parallel_chunks`].
pub(crate) fn useful_threads(algorithms: &[Algorithm], chunks: usize, threads: usize) -> Result<usize> {
    let isa = Isa::selected()?;
    let lanes = algorithms.iter().map(|algorithm| Kernels::of(*algorithm, isa).messages_from_memory());
    Ok(lanes.filter(|lanes| *lanes > 1).min().map_or(threads, |lanes| threads.min(chunks.div_ceil(lanes))))
}

/// What to hash in one call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Batch<'a> {
    pub(crate) sources: &'a [Source<'a>],
    pub(crate) chunks: &'a [Chunk],
    pub(crate) algorithms: &'a [Algorithm],
    pub(crate) threads: usize,
}

/// The results of a [`Batch`].
#[derive(Debug)]
pub(crate) struct BatchDigests {
    /// For each algorithm, the digest of each chunk; `None` where its source failed.
    pub(crate) digests: Vec<Vec<Option<Digest>>>,
    /// For each source, the first error of reading it. The other sources are hashed all the same.
    pub(crate) errors: Vec<Option<Error>>,
}

/// The digest of each chunk, for each algorithm.
///
/// # Errors
/// [`Error::Interrupted`] if the observer asks for it; a wrong `PARTSUM_ISA`.
pub(crate) fn hash(batch: Batch<'_>, observer: &mut dyn Observer) -> Result<BatchDigests> {
    hash_with(Isa::selected()?, batch, observer)
}

fn hash_with(isa: Isa, batch: Batch<'_>, observer: &mut dyn Observer) -> Result<BatchDigests> {
    if batch.algorithms.iter().all(|algorithm| algorithm.is_crc()) {
        hash_cut(isa, batch, observer)
    } else {
        hash_chunks(isa, batch, observer)
    }
}

/// CRCs combine, so their chunks may be cut to keep every thread busy.
fn hash_cut(isa: Isa, batch: Batch<'_>, observer: &mut dyn Observer) -> Result<BatchDigests> {
    let size = (total(batch.chunks) / (8 * batch.threads as u64)).max(MIN_THREAD_BYTES);
    let mut cut = Vec::new();
    let mut cut_of = Vec::with_capacity(batch.chunks.len());
    for chunk in batch.chunks {
        let first = cut.len();
        let Range { mut start, end } = chunk.range;
        while end - start > 2 * size {
            cut.push(Chunk { source: chunk.source, range: start..start + size });
            start += size;
        }
        cut.push(Chunk { source: chunk.source, range: start..end });
        cut_of.push(first..cut.len());
    }
    let BatchDigests { digests, errors } = hash_chunks(isa, Batch { chunks: &cut, ..batch }, observer)?;
    let joined = batch.algorithms.iter().zip(digests).map(|(algorithm, digests)| {
        let join = |indices: &Range<usize>| {
            let mut combiner = Combiner::new(*algorithm)?;
            for index in indices.clone() {
                combiner.append(&digests[index]?, cut[index].len());
            }
            Some(combiner.digest())
        };
        cut_of.iter().map(join).collect()
    });
    Ok(BatchDigests { digests: joined.collect(), errors })
}

fn hash_chunks(isa: Isa, batch: Batch<'_>, observer: &mut dyn Observer) -> Result<BatchDigests> {
    let mut threads = batch.threads;
    loop {
        // Where the system has fewer threads, they have more to do.
        match hash_on(threads, isa, batch, observer) {
            Some(results) => return results,
            None => threads /= 2,
        }
    }
}

/// The results of so many threads, of this one if they are 0; `None` if they cannot be started.
fn hash_on(threads: usize, isa: Isa, batch: Batch<'_>, observer: &mut dyn Observer) -> Option<Result<BatchDigests>> {
    let bytes = total(batch.chunks);
    let useful = batch.chunks.len().min((bytes / MIN_THREAD_BYTES) as usize).max(1);
    let workers = threads.clamp(1, useful);
    let queue = Queue::new(batch, workers);
    if threads == 0 || (workers == 1 && bytes <= MAX_INLINE_BYTES) {
        Worker::new(&queue, &Ahead::new(batch.sources, 0, 0), isa, false).run();
    } else {
        // Where there are fewer chunks than threads, the other threads take algorithms of each wave.
        let helpers = (threads - workers).min(workers * (batch.algorithms.len() - 1));
        let ahead = Ahead::new(batch.sources, workers, batch.chunks.len());
        let work = |index| {
            if index < workers {
                Worker::new(&queue, &ahead, isa, helpers > 0).run();
            } else if index < workers + ahead.threads() {
                ahead.serve();
            }
        };
        if !threads::run(workers + ahead.threads() + helpers, work, || queue.progress.report(observer)) {
            return None;
        }
    }
    queue.progress.report(observer);
    Some(queue.into_results())
}

fn total(chunks: &[Chunk]) -> u64 {
    chunks.iter().map(Chunk::len).sum()
}

#[cfg(test)]
mod tests {
    use super::{Algorithm, Batch, Chunk, Digest, Isa, Source, hash_with};
    use crate::{kernels::tests::oracle, source::Io};

    /// Every algorithm with every instruction set of this CPU, against other crates: the digests of `chunks`.
    fn check(sources: &[Source<'_>], bytes: &[u8], chunks: &[Chunk], counts: &[usize], threads: usize) {
        let digests = |algorithm: &Algorithm| -> Vec<_> {
            let digest =
                |chunk: &Chunk| oracle(*algorithm, &bytes[chunk.range.start as usize..chunk.range.end as usize]);
            chunks.iter().map(digest).map(Some).collect()
        };
        let expected: Vec<Vec<Option<Digest>>> = Algorithm::ALL.iter().map(digests).collect();
        for isa in Isa::available() {
            for count in counts {
                let chunks = &chunks[..*count];
                let mut groups = vec![&Algorithm::ALL[..]];
                groups.extend(Algorithm::ALL.chunks(1));
                for algorithms in groups {
                    let results = hash_with(isa, Batch { sources, chunks, algorithms, threads }, &mut ()).unwrap();
                    for (algorithm, digests) in algorithms.iter().zip(results.digests) {
                        let index = Algorithm::ALL.iter().position(|other| other == algorithm).unwrap();
                        assert_eq!(digests, expected[index][..*count], "{algorithm} {} {count} chunks", isa.name());
                    }
                }
            }
        }
    }

    fn bytes(count: u32) -> Vec<u8> {
        (0..count).map(|i| (i % 251) as u8).collect()
    }

    /// Odd sizes and addresses: empty chunks, chunks shorter than a block, of several tiles, and overlapping ones.
    #[test]
    fn any_number_of_chunks() {
        let bytes = bytes(400_000);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &bytes).unwrap();
        let sources = [
            Source::Bytes(&bytes),
            Source::Memory(bytes.clone()),
            Source::open(file.path(), Io::Auto).unwrap(),
            Source::open(file.path(), Io::Mmap).unwrap(),
        ];
        let chunk = |index: usize| {
            let (start, size) = (41 * index as u64, [0, 1, 63, 129, 300_001, 20_011, 5_000][index % 7]);
            Chunk { source: index % sources.len(), range: start..start + size }
        };
        let chunks: Vec<_> = (0..70).map(chunk).collect();
        check(
            &sources,
            &bytes,
            &chunks,
            &(0..=70).step_by(3).chain([1, 2, 4, 5, 8, 16, 17, 70]).collect::<Vec<_>>(),
            1,
        );
        check(&sources[..1], &bytes, &[Chunk { source: 0, range: 7..399_999 }], &[1], 3);
    }

    /// Long chunks, which are staggered, on several threads, which may be more than there are chunks.
    #[test]
    fn several_threads() {
        let bytes = bytes(9_000_000);
        let chunk = |start: u64| Chunk { source: 0, range: start..start + 2_200_001 };
        let chunks: Vec<_> = [0, 2_200_001, 4_400_002, 6_600_003].map(chunk).into();
        check(&[Source::Bytes(&bytes)], &bytes, &chunks, &[2, 4], 3);
        check(&[Source::Bytes(&bytes)], &bytes, &[Chunk { source: 0, range: 0..5_000_000 }], &[1], 3);
    }
}
