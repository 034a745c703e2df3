//! Spans of sources times algorithms, spread over threads. The only file that names rayon.
//!
//! Each thread works in *waves*: the next tile of as many of the spans it has in flight as fill the lanes, read once and
//! handed to every algorithm while it is in L2. Spans are taken from one queue, each thread its fair share of the bytes
//! that are left, so that all threads end together; and the last of a share are in flight together, so that all lanes do.
//! The calling thread hashes nothing while others do: it reports progress and can stop the work.

#![allow(clippy::disallowed_types)]

use std::{
    ops::{ControlFlow, Range},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
        mpsc,
    },
    time::Duration,
};

use rayon::{
    ThreadPoolBuilder,
    iter::{IndexedParallelIterator, IntoParallelRefMutIterator, ParallelIterator},
};

use crate::{
    algorithm::Algorithm,
    digest::Digest,
    error::{Error, Result},
    isa::Isa,
    multibuffer::{self, Messages, TILE_ALIGN, Tile},
    source::{Ahead, Reader, Source, Span, Step},
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

/// Bytes of a wave: small enough for L2 beside the lanes' own tables. Where there are more than 16 lanes it is more.
const WAVE: usize = 256 << 10;
/// Shorter tiles restart the hardware prefetcher too often.
const MIN_TILE: usize = 16 << 10;
/// By so much more each long span's first tile is shorter than its neighbour's: spans that are a power of two apart would
/// otherwise share the cache's sets, tile for tile. Of long spans alone, because lanes idle where tiles differ.
const SKEW: u64 = 3 * TILE_ALIGN as u64;
const SKEWS: u64 = 32;
const LONG_SPAN: u64 = 2 << 20;
/// Spans in flight on one thread, however short they are.
const MAX_SLOTS: usize = 256;
/// A thread that gets less than this costs more than it gives.
const MIN_THREAD_BYTES: u64 = 1 << 20;
/// The same for items that are a system call or two each.
const MIN_THREAD_ITEMS: usize = 32;
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
    let lanes = || algorithms.iter().map(|algorithm| multibuffer::lanes_from_memory(*algorithm, isa));
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
    let lanes = algorithms.iter().map(|algorithm| multibuffer::lanes_from_memory(*algorithm, isa));
    Ok(lanes.filter(|lanes| *lanes > 1).min().map_or(threads, |lanes| threads.min(ranges.div_ceil(lanes))))
}

/// What to hash.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work<'a> {
    pub(crate) sources: &'a [Source<'a>],
    pub(crate) spans: &'a [Span],
    pub(crate) algorithms: &'a [Algorithm],
    pub(crate) threads: usize,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// For each algorithm, the digest of each span; `None` where its source failed.
    pub(crate) digests: Vec<Vec<Option<Digest>>>,
    /// For each source, what reading met first. The others are hashed all the same.
    pub(crate) errors: Vec<Option<Error>>,
}

/// The digest of each span, for each algorithm.
///
/// # Errors
/// [`Error::Interrupted`] if the observer asks for it; a wrong `PARTSUM_ISA`.
pub(crate) fn hash(work: Work<'_>, observer: &mut dyn Observer) -> Result<Outcome> {
    if work.algorithms.iter().all(|algorithm| algorithm.is_crc()) {
        hash_pieces(work, observer)
    } else {
        hash_spans(work, observer)
    }
}

/// CRCs combine, so spans may be cut to keep every thread busy.
fn hash_pieces(work: Work<'_>, observer: &mut dyn Observer) -> Result<Outcome> {
    let piece = (total(work.spans) / (8 * work.threads as u64)).max(MIN_THREAD_BYTES);
    let mut pieces = Vec::new();
    let mut pieces_of = Vec::with_capacity(work.spans.len());
    for span in work.spans {
        let first = pieces.len();
        let mut start = span.range.start;
        while span.range.end - start > 2 * piece {
            pieces.push(Span { source: span.source, range: start..start + piece });
            start += piece;
        }
        pieces.push(Span { source: span.source, range: start..span.range.end });
        pieces_of.push(first..pieces.len());
    }
    let Outcome { digests, errors } = hash_spans(Work { spans: &pieces, ..work }, observer)?;
    let joined = work.algorithms.iter().zip(digests).map(|(algorithm, digests)| {
        let join = |indices: &Range<usize>| {
            let mut combiner = Combiner::new(*algorithm)?;
            for index in indices.clone() {
                combiner.append(&digests[index]?, pieces[index].len());
            }
            Some(combiner.digest())
        };
        pieces_of.iter().map(join).collect()
    });
    Ok(Outcome { digests: joined.collect(), errors })
}

fn hash_spans(work: Work<'_>, observer: &mut dyn Observer) -> Result<Outcome> {
    let isa = Isa::selected()?;
    let bytes = total(work.spans);
    let useful = work.spans.len().min((bytes / MIN_THREAD_BYTES) as usize).max(1);
    let threads = work.threads.min(useful);
    let inline = threads == 1 && bytes <= MAX_INLINE_BYTES;
    // Where there are fewer spans than threads, the others take algorithms of each wave off a worker's hands.
    let spare = if inline { 0 } else { (work.threads - threads).min(threads * (work.algorithms.len() - 1)) };
    let shared = Shared::new(work, threads, spare > 0);
    if inline {
        Worker::new(&shared, &Ahead::new(work.sources, 0, 0), isa).run();
    } else {
        let ahead = Ahead::new(work.sources, threads, work.spans.len());
        let work = |index| {
            if index < threads {
                Worker::new(&shared, &ahead, isa).run();
            } else if index < threads + ahead.threads() {
                ahead.serve();
            }
        };
        on_threads(threads + ahead.threads() + spare, work, || shared.report(observer))?;
    }
    shared.report(observer);
    shared.into_outcome()
}

/// Runs `work` on each of so many threads and `tick` on this one until all are done. A thread whose work is over helps
/// the others with what they split.
///
/// A pool per call: none is left behind to be broken by a fork, and `threads=` is kept to.
fn on_threads(threads: usize, work: impl Fn(usize) + Sync, mut tick: impl FnMut()) -> Result<()> {
    let run = |pool: &rayon::ThreadPool| {
        pool.in_place_scope(|scope| {
            let (working, all_done) = mpsc::channel::<()>();
            let work = &work;
            // One for each thread to keep: a worker that waits for helpers must not begin somebody else's.
            scope.spawn_broadcast(move |_, context| {
                let _until_all_are_done = &working;
                work(context.index());
            });
            while let Err(mpsc::RecvTimeoutError::Timeout) = all_done.recv_timeout(TICK) {
                tick();
            }
        });
    };
    ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|index| format!("partsum-{index}"))
        .build_scoped(|thread| thread.run(), run)
        .map_err(|error| Error::argument("threads", format!("{threads} threads cannot be started: {error}")))
}

/// `f` of each item, in order, on up to `threads` threads.
///
/// # Errors
/// If the threads cannot be started.
pub(crate) fn map<T: Sync, R: Send>(threads: usize, items: &[T], f: impl Fn(&T) -> R + Sync) -> Result<Vec<R>> {
    let threads = threads.min(items.len() / MIN_THREAD_ITEMS);
    if threads <= 1 {
        return Ok(items.iter().map(f).collect());
    }
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(items.len())));
    let work = |_| {
        loop {
            let index = next.fetch_add(1, Relaxed);
            let Some(item) = items.get(index) else { return };
            let result = f(item);
            lock(&done).push((index, result));
        }
    };
    on_threads(threads, work, || ())?;
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_unstable_by_key(|(index, _)| *index);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}

fn total(spans: &[Span]) -> u64 {
    spans.iter().map(Span::len).sum()
}

/// What the threads of a call share.
struct Shared<'a> {
    work: Work<'a>,
    threads: u64,
    /// There are more threads than workers.
    helped: bool,
    queue: Mutex<Queue>,
    /// Bytes of all spans that are hashed, and what the observer was told of the source's bytes.
    hashed: AtomicU64,
    told: AtomicU64,
    stop: AtomicBool,
    /// Sources that cannot be read on: their spans are given up.
    failed: Vec<AtomicBool>,
    outcome: Mutex<Outcome>,
}

struct Queue {
    /// The next span that nobody has taken.
    next: usize,
    /// Bytes of all spans that are neither hashed nor given up yet, taken or not.
    left: u64,
}

/// No thread panics while it holds one of our locks, so a poisoned one is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a> Shared<'a> {
    fn new(work: Work<'a>, threads: usize, helped: bool) -> Self {
        Self {
            work,
            threads: threads as u64,
            helped,
            queue: Mutex::new(Queue { next: 0, left: total(work.spans) }),
            hashed: AtomicU64::new(0),
            told: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            failed: work.sources.iter().map(|_| AtomicBool::new(false)).collect(),
            outcome: Mutex::new(Outcome {
                digests: vec![vec![None; work.spans.len()]; work.algorithms.len()],
                errors: work.sources.iter().map(|_| None).collect(),
            }),
        }
    }

    /// Tells the observer what was hashed since the last time. Where spans overlap, a byte of the source counts once
    /// in all, however often it is hashed.
    fn report(&self, observer: &mut dyn Observer) {
        let spans = u128::from(total(self.work.spans).max(1));
        let sources = self.work.sources.iter().map(|source| u128::from(source.size())).sum::<u128>().min(spans);
        let done = (u128::from(self.hashed.load(Relaxed)) * sources / spans) as u64;
        if observer.progress(done - self.told.swap(done, Relaxed)).is_break() {
            self.stop.store(true, Relaxed);
        }
    }

    /// Gives up a source; keeps its first error.
    fn fail(&self, source: usize, error: Error) {
        self.failed[source].store(true, Relaxed);
        lock(&self.outcome).errors[source].get_or_insert(error);
    }

    fn into_outcome(self) -> Result<Outcome> {
        match self.stop.into_inner() {
            true => Err(Error::Interrupted),
            false => Ok(self.outcome.into_inner().unwrap_or_else(PoisonError::into_inner)),
        }
    }
}

/// One thread's part of the work.
struct Worker<'a> {
    shared: &'a Shared<'a>,
    reader: Reader<'a>,
    algorithms: Vec<Box<dyn Messages>>,
    lanes: usize,
    tile: u64,
    flights: Vec<Flight>,
    free_slots: Vec<usize>,
}

/// A span that is being hashed.
struct Flight {
    slot: usize,
    span: usize,
    first: bool,
    rest: Span,
}

impl<'a> Worker<'a> {
    fn new(shared: &'a Shared<'a>, ahead: &Ahead<'a>, isa: Isa) -> Self {
        let Work { sources, spans, algorithms, .. } = shared.work;
        let lanes = match algorithms {
            [alone] if !sources.iter().any(Source::is_copied) => multibuffer::lanes_from_memory(*alone, isa),
            _ => algorithms.iter().map(|algorithm| multibuffer::lanes(*algorithm, isa)).max().unwrap_or(1),
        };
        let slots = spans.len().min(MAX_SLOTS);
        let tile = (WAVE / lanes).max(MIN_TILE).next_multiple_of(TILE_ALIGN);
        Self {
            shared,
            reader: Reader::new(sources, ahead),
            algorithms: algorithms.iter().map(|algorithm| multibuffer::messages(*algorithm, slots, isa)).collect(),
            lanes,
            tile: tile as u64,
            flights: Vec::new(),
            free_slots: (0..slots).rev().collect(),
        }
    }

    fn run(&mut self) {
        while !self.shared.stop.load(Relaxed) {
            self.take_spans();
            if self.flights.is_empty() {
                return;
            }
            self.wave();
        }
    }

    /// Bytes of a wave that fills the lanes.
    fn full_wave(&self) -> u64 {
        self.tile * self.lanes as u64
    }

    /// Fills the wave from the queue, but takes no more than a fair share of what is left.
    fn take_spans(&mut self) {
        let spans = self.shared.work.spans;
        let mut wave: u64 = self.flights.iter().map(|flight| flight.rest.len().min(self.tile)).sum();
        if wave >= self.full_wave() || self.free_slots.is_empty() {
            return;
        }
        let mut mine: u64 = self.flights.iter().map(|flight| flight.rest.len()).sum();
        let mut queue = lock(&self.shared.queue);
        let share = queue.left.div_ceil(self.shared.threads);
        while mine < share || self.flights.is_empty() {
            let Some(rest) = spans.get(queue.next) else { return };
            // What would not fill the lanes once more comes along now.
            let last = share.saturating_sub(mine) < rest.len().saturating_mul(self.lanes as u64);
            if wave >= self.full_wave() && !last {
                return;
            }
            if self.shared.failed[rest.source].load(Relaxed) {
                queue.left -= rest.len();
                queue.next += 1;
                continue;
            }
            let Some(slot) = self.free_slots.pop() else { return };
            wave += rest.len().min(self.tile);
            mine += rest.len();
            self.flights.push(Flight { slot, span: queue.next, first: true, rest: rest.clone() });
            queue.next += 1;
        }
    }

    /// The flights that go on in the next wave, at the front: those with the most before them, as many as fill it.
    fn choose(&mut self) -> usize {
        self.flights.sort_by_key(|flight| std::cmp::Reverse(flight.rest.len()));
        let mut wave = 0;
        let fill = self.flights.iter().take_while(|flight| {
            let full = wave >= self.full_wave();
            wave += flight.rest.len().min(self.tile);
            !full
        });
        let count = fill.count();
        self.algorithms.iter().map(|messages| messages.fill(count)).min().unwrap_or(count)
    }

    /// Reads and hashes the next tile of the spans in flight.
    fn wave(&mut self) {
        let count = self.choose();
        // Fewer spans than lanes have longer tiles.
        let tile = self.tile.max((WAVE / count.next_power_of_two()) as u64);
        let step = |flight: &Flight| {
            let Range { start, end } = flight.rest.range;
            let skewed = flight.first && count > 1 && flight.rest.len() >= LONG_SPAN;
            let tile = if skewed { tile - SKEW * (flight.slot as u64 % SKEWS) } else { tile };
            let span = Span { source: flight.rest.source, range: start..end.min(start + tile) };
            Step { slot: flight.slot, span, end }
        };
        let steps: Vec<Step> = self.flights[..count].iter().map(step).collect();
        let mut wave = Vec::with_capacity(steps.len());
        let mut hashed = 0;
        for ((flight, step), read) in self.flights.iter().zip(&steps).zip(self.reader.read(&steps)) {
            match read {
                Ok(bytes) => {
                    let last = step.span.range.end == step.end;
                    wave.push(Tile { slot: flight.slot, bytes, first: flight.first, last });
                    hashed += step.span.len();
                }
                Err(error) => self.shared.fail(step.span.source, error),
            }
        }
        if self.shared.helped {
            self.algorithms.par_iter_mut().with_max_len(1).for_each(|messages| messages.update(&wave));
        } else {
            self.algorithms.iter_mut().for_each(|messages| messages.update(&wave));
        }
        let mut done = 0;
        for (flight, step) in self.flights.iter_mut().zip(&steps) {
            flight.first = false;
            flight.rest.range.start = step.span.range.end;
            done += step.span.len();
        }
        self.shared.hashed.fetch_add(hashed, Relaxed);
        self.land(done);
    }

    /// Hands over the digests of spans that ended, and lets go of those whose source failed.
    fn land(&mut self, done: u64) {
        let (mut ended, mut given_up) = (Vec::new(), 0);
        self.flights.retain(|flight| {
            if self.shared.failed[flight.rest.source].load(Relaxed) {
                given_up += flight.rest.len();
            } else if flight.rest.len() == 0 && !flight.first {
                // An empty span, too, ends only after a wave that had it.
                ended.push((flight.span, flight.slot));
            } else {
                return true;
            }
            self.free_slots.push(flight.slot);
            false
        });
        if !ended.is_empty() {
            let mut outcome = lock(&self.shared.outcome);
            for (messages, digests) in self.algorithms.iter().zip(&mut outcome.digests) {
                for (span, slot) in &ended {
                    digests[*span] = Some(messages.digest(*slot));
                }
            }
        }
        lock(&self.shared.queue).left -= done + given_up;
    }
}
