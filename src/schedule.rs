//! Ranges of a source times algorithms, spread over threads. The only file that names rayon.
//!
//! Each thread works in *waves*: the next tile of every range it has in flight, read once and handed to every
//! algorithm while it is in L2. Ranges are taken from one queue, each thread its fair share of the bytes that are left,
//! so that all threads end together. The calling thread hashes nothing while others do: it reports progress and can
//! stop the work.

#![allow(clippy::disallowed_types)]

use std::{
    ops::{ControlFlow, Range},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
        mpsc,
    },
    time::Duration,
};

use rayon::ThreadPoolBuilder;

use crate::{
    algorithm::Algorithm,
    digest::Digest,
    error::{Error, Result},
    isa::Isa,
    multibuffer::{self, Messages, TILE_ALIGN, Tile},
    source::{Reader, Source},
    stream::Combiner,
};

/// Watches a running call, on the thread that made it.
pub trait Observer {
    /// `bytes` more were hashed (0 if none were for a while). Called at least ten times a second; a break stops the
    /// work within milliseconds, and the call returns [`Error::Interrupted`].
    fn progress(&mut self, bytes: u64) -> ControlFlow<()>;
}

/// Watches nothing.
impl Observer for () {
    fn progress(&mut self, _: u64) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// Bytes of a wave: small enough for L2 beside the lanes' own tables.
const WAVE: usize = 256 << 10;
/// Shorter tiles restart the hardware prefetcher too often.
const MIN_TILE: usize = 16 << 10;
/// Ranges in flight on one thread, however short they are.
const MAX_SLOTS: usize = 256;
/// A thread that gets less than this costs more than it gives.
const MIN_THREAD_BYTES: u64 = 1 << 20;
/// Work that is over before anybody would look at its progress stays on the calling thread.
const MAX_INLINE_BYTES: u64 = 4 << 20;
/// How often the calling thread looks up from waiting.
const TICK: Duration = Duration::from_millis(10);

/// Threads that a call uses unless told otherwise: the CPUs that this process may use (affinity, cgroup quota).
pub fn default_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Ranges that outpace whoever fills them: one thread reads 2 to 3 GB/s, and eight ranges of MD5 are hashed at nearly 4 on
/// another one, half of its lanes idle. More would only cost fresh memory, which is slower than all of that.
const ENOUGH_RANGES: usize = 8;

/// Ranges of one size to hash at once, of a source that comes no faster than one thread reads: they fill the lanes of
/// every algorithm, on all threads, or are enough without that.
///
/// # Errors
/// [`Error::InvalidArgument`] for an instruction set that this CPU does not have.
pub(crate) fn parallel_ranges(algorithms: &[Algorithm], threads: usize) -> Result<usize> {
    let isa = Isa::selected()?;
    let lanes = || algorithms.iter().map(|algorithm| multibuffer::lanes(*algorithm, isa));
    let widest = lanes().max().unwrap_or(1);
    let narrowest = lanes().filter(|lanes| *lanes > 1).min().unwrap_or(1);
    Ok(narrowest.saturating_mul(threads).max(widest).clamp(2, ENOUGH_RANGES))
}

/// Threads that `ranges` of one size in memory keep busy: those that would find their lanes half empty only take
/// time from whoever fills the next ranges.
///
/// # Errors
/// [`Error::InvalidArgument`] for an instruction set that this CPU does not have.
pub(crate) fn useful_threads(algorithms: &[Algorithm], ranges: usize, threads: usize) -> Result<usize> {
    let isa = Isa::selected()?;
    let lanes = algorithms.iter().map(|algorithm| multibuffer::lanes(*algorithm, isa));
    Ok(lanes.filter(|lanes| *lanes > 1).min().map_or(threads, |lanes| threads.min(ranges.div_ceil(lanes))))
}

/// What to hash.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work<'a> {
    pub(crate) source: &'a Source<'a>,
    pub(crate) ranges: &'a [Range<u64>],
    pub(crate) algorithms: &'a [Algorithm],
    pub(crate) threads: usize,
}

/// The digest of each range, for each algorithm.
///
/// # Errors
/// Whatever reading meets first, or [`Error::Interrupted`].
pub(crate) fn hash(work: Work<'_>, observer: &mut dyn Observer) -> Result<Vec<Vec<Digest>>> {
    if work.algorithms.iter().all(|algorithm| algorithm.is_crc()) {
        hash_pieces(work, observer)
    } else {
        hash_ranges(work, observer)
    }
}

/// CRCs combine, so ranges may be cut to keep every thread busy.
fn hash_pieces(work: Work<'_>, observer: &mut dyn Observer) -> Result<Vec<Vec<Digest>>> {
    let piece = (total(work.ranges) / (8 * work.threads as u64)).max(MIN_THREAD_BYTES);
    let mut pieces = Vec::new();
    let mut pieces_of = Vec::with_capacity(work.ranges.len());
    for range in work.ranges {
        let first = pieces.len();
        let mut start = range.start;
        while range.end - start > 2 * piece {
            pieces.push(start..start + piece);
            start += piece;
        }
        pieces.push(start..range.end);
        pieces_of.push(first..pieces.len());
    }
    let columns = hash_ranges(Work { ranges: &pieces, ..work }, observer)?;
    let joined = work.algorithms.iter().zip(columns).map(|(algorithm, digests)| {
        let join = |indices: &Range<usize>| {
            let mut combiner = Combiner::new(*algorithm)?;
            for index in indices.clone() {
                combiner.append(&digests[index], pieces[index].end - pieces[index].start);
            }
            Some(combiner.digest())
        };
        pieces_of.iter().filter_map(join).collect()
    });
    Ok(joined.collect())
}

fn hash_ranges(work: Work<'_>, observer: &mut dyn Observer) -> Result<Vec<Vec<Digest>>> {
    let isa = Isa::selected()?;
    let bytes = total(work.ranges);
    let useful = work.ranges.len().min((bytes / MIN_THREAD_BYTES) as usize).max(1);
    let threads = work.threads.min(useful);
    let shared = Shared::new(work, threads);
    if threads == 1 && bytes <= MAX_INLINE_BYTES {
        Worker::new(&shared, isa).run();
        shared.report(observer);
    } else {
        // A pool per call: none is left behind to be broken by a fork, and `threads=` is kept to.
        ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|index| format!("partsum-{index}"))
            .build_scoped(
                |thread| thread.run(),
                |pool| {
                    pool.in_place_scope(|scope| {
                        let (working, all_done) = mpsc::channel::<()>();
                        for _ in 0..threads {
                            let (shared, working) = (&shared, working.clone());
                            scope.spawn(move |_| {
                                Worker::new(shared, isa).run();
                                drop(working);
                            });
                        }
                        drop(working);
                        while let Err(mpsc::RecvTimeoutError::Timeout) = all_done.recv_timeout(TICK) {
                            shared.report(observer);
                        }
                    });
                },
            )
            .map_err(|error| Error::argument("threads", format!("{threads} threads cannot be started: {error}")))?;
        shared.report(observer);
    }
    shared.into_digests()
}

fn total(ranges: &[Range<u64>]) -> u64 {
    ranges.iter().map(|range| range.end - range.start).sum()
}

/// What the threads of a call share.
struct Shared<'a> {
    work: Work<'a>,
    threads: u64,
    queue: Mutex<Queue>,
    /// Bytes of all ranges that are hashed, and what the observer was told of the source's bytes.
    hashed: AtomicU64,
    told: AtomicU64,
    stop: AtomicBool,
    outcome: Mutex<Outcome>,
}

struct Queue {
    /// The next range that nobody has taken.
    next: usize,
    /// Bytes of all ranges that are not hashed yet, taken or not.
    left: u64,
}

struct Outcome {
    error: Option<Error>,
    digests: Vec<Vec<Option<Digest>>>,
}

/// No thread panics while it holds one of our locks, so a poisoned one is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a> Shared<'a> {
    fn new(work: Work<'a>, threads: usize) -> Self {
        Self {
            work,
            threads: threads as u64,
            queue: Mutex::new(Queue { next: 0, left: total(work.ranges) }),
            hashed: AtomicU64::new(0),
            told: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            outcome: Mutex::new(Outcome {
                error: None,
                digests: vec![vec![None; work.ranges.len()]; work.algorithms.len()],
            }),
        }
    }

    /// Tells the observer what was hashed since the last time. Where ranges overlap, a byte of the source counts once
    /// in all, however often it is hashed.
    fn report(&self, observer: &mut dyn Observer) {
        let ranges = u128::from(total(self.work.ranges).max(1));
        let source = u128::from(self.work.source.size()).min(ranges);
        let done = (u128::from(self.hashed.load(Relaxed)) * source / ranges) as u64;
        if observer.progress(done - self.told.swap(done, Relaxed)).is_break() {
            self.fail(Error::Interrupted);
        }
    }

    /// Keeps the first error and stops all threads.
    fn fail(&self, error: Error) {
        lock(&self.outcome).error.get_or_insert(error);
        self.stop.store(true, Relaxed);
    }

    fn into_digests(self) -> Result<Vec<Vec<Digest>>> {
        let outcome = self.outcome.into_inner().unwrap_or_else(PoisonError::into_inner);
        match outcome.error {
            Some(error) => Err(error),
            None => Ok(outcome.digests.into_iter().map(|column| column.into_iter().flatten().collect()).collect()),
        }
    }
}

/// One thread's part of the work.
struct Worker<'a> {
    shared: &'a Shared<'a>,
    reader: Reader<'a>,
    algorithms: Vec<Box<dyn Messages>>,
    tile: u64,
    flights: Vec<Flight>,
    free_slots: Vec<usize>,
}

/// A range that is being hashed.
struct Flight {
    slot: usize,
    range: usize,
    first: bool,
    rest: Range<u64>,
}

impl<'a> Worker<'a> {
    fn new(shared: &'a Shared<'a>, isa: Isa) -> Self {
        let Work { source, ranges, algorithms, .. } = shared.work;
        let lanes = algorithms.iter().map(|algorithm| multibuffer::lanes(*algorithm, isa)).max().unwrap_or(1);
        let slots = ranges.len().min(MAX_SLOTS);
        Self {
            shared,
            reader: source.reader(),
            algorithms: algorithms.iter().map(|algorithm| multibuffer::messages(*algorithm, slots, isa)).collect(),
            tile: (WAVE / lanes).max(MIN_TILE).next_multiple_of(TILE_ALIGN) as u64,
            flights: Vec::new(),
            free_slots: (0..slots).rev().collect(),
        }
    }

    fn run(&mut self) {
        while !self.shared.stop.load(Relaxed) {
            self.take_ranges();
            if self.flights.is_empty() {
                return;
            }
            if let Err(error) = self.wave() {
                return self.shared.fail(error);
            }
        }
    }

    /// Fills the wave from the queue, but takes no more than a fair share of what is left.
    fn take_ranges(&mut self) {
        let ranges = self.shared.work.ranges;
        let size = |range: &Range<u64>| range.end - range.start;
        let mut wave: u64 = self.flights.iter().map(|flight| size(&flight.rest).min(self.tile)).sum();
        if wave >= WAVE as u64 || self.free_slots.is_empty() {
            return;
        }
        let mut mine: u64 = self.flights.iter().map(|flight| size(&flight.rest)).sum();
        let mut queue = lock(&self.shared.queue);
        let share = queue.left.div_ceil(self.shared.threads);
        while wave < WAVE as u64 && queue.next < ranges.len() && (mine < share || self.flights.is_empty()) {
            let Some(slot) = self.free_slots.pop() else {
                return;
            };
            let rest = ranges[queue.next].clone();
            wave += size(&rest).min(self.tile);
            mine += size(&rest);
            self.flights.push(Flight { slot, range: queue.next, first: true, rest });
            queue.next += 1;
        }
    }

    /// Reads and hashes the next tile of every range in flight.
    fn wave(&mut self) -> Result<()> {
        let tiles: Vec<Range<u64>> = self
            .flights
            .iter()
            .map(|flight| flight.rest.start..flight.rest.end.min(flight.rest.start + self.tile))
            .collect();
        let bytes = self.reader.read(&tiles)?;
        let wave: Vec<Tile<'_>> = self
            .flights
            .iter()
            .zip(bytes)
            .zip(&tiles)
            .map(|((flight, bytes), tile)| Tile {
                slot: flight.slot,
                bytes,
                first: flight.first,
                last: tile.end == flight.rest.end,
            })
            .collect();
        for messages in &mut self.algorithms {
            messages.update(&wave);
        }

        for (flight, tile) in self.flights.iter_mut().zip(&tiles) {
            flight.first = false;
            flight.rest.start = tile.end;
        }
        let hashed = total(&tiles);
        self.shared.hashed.fetch_add(hashed, Relaxed);
        lock(&self.shared.queue).left -= hashed;
        self.land();
        Ok(())
    }

    /// Hands over the digests of ranges that ended.
    fn land(&mut self) {
        if self.flights.iter().all(|flight| !flight.rest.is_empty()) {
            return;
        }
        let mut outcome = lock(&self.shared.outcome);
        self.flights.retain(|flight| {
            let flying = !flight.rest.is_empty();
            if !flying {
                for (messages, digests) in self.algorithms.iter().zip(&mut outcome.digests) {
                    digests[flight.range] = Some(messages.digest(flight.slot));
                }
                self.free_slots.push(flight.slot);
            }
            flying
        });
    }
}
