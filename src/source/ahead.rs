//! Reading ahead: while a thread hashes one window of a range, others read the next one.
//!
//! A [`Reader`](super::Reader) asks for a window when it begins with the one before, so that as many reads are under way
//! as it has ranges in flight; the threads in [`Ahead::serve`] do them. They are plain threads with positioned reads:
//! io_uring at the same depth measures no faster, takes the same CPU time, and is forbidden in most containers.

use std::{
    io, mem,
    ops::Range,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        mpsc::{self, Receiver, Sender},
    },
};

use super::{Chunk, NextTile, OpenFile, Source};
use crate::{error::Result, memory};

/// What O_DIRECT asks of addresses, offsets and lengths, at most.
const ALIGN: u64 = 4096;
/// What a disk fails or stops at.
const BLOCK: usize = 512;
/// Smaller buffers are not worth keeping.
const MIN_SPARE: u64 = 64 << 10;
/// Tiles in a window: a thread has at most twice so many for each chunk in flight in memory, 12 to 24 MiB.
const TILES: u64 = 16;
/// Reads under way for each thread that hashes: a disk needs several to be fast.
const READS: usize = 4;

/// Consecutive bytes of a file, within aligned memory for the aligned bytes around them.
#[derive(Debug)]
pub(super) struct Window {
    slot: usize,
    source: usize,
    range: Range<u64>,
    buffer: Vec<u8>,
}

impl Window {
    /// Not read yet. `buffer` is memory to use again, of any length.
    pub(super) const fn new(slot: usize, source: usize, range: Range<u64>, buffer: Vec<u8>) -> Self {
        Self { slot, source, range, buffer }
    }

    /// The file's byte at which the aligned memory begins, and where in the buffer that is.
    fn start(&self) -> (u64, usize) {
        (self.range.start / ALIGN * ALIGN, self.buffer.as_ptr().align_offset(ALIGN as usize))
    }

    /// Reads it, here and now. Memory that cannot be had is an error, not an abort.
    pub(super) fn fill(&mut self, file: &OpenFile) -> Result<()> {
        let length = self.range.end.next_multiple_of(ALIGN) - self.range.start / ALIGN * ALIGN + ALIGN;
        if (self.buffer.len() as u64) < length {
            self.buffer = memory::zeroed(length as usize)
                .ok_or_else(|| file.error(Some(self.range.start), io::ErrorKind::OutOfMemory.into()))?;
        }
        let (first, start) = self.start();
        let wanted = (self.range.end - first) as usize;
        let bytes = &mut self.buffer[start..][..wanted.next_multiple_of(ALIGN as usize)];
        let mut got = 0;
        while got < wanted {
            // Past the page cache, what follows a short read begins where a block does.
            let from = if file.is_direct() { got / BLOCK * BLOCK } else { got };
            let more = file.read_some(&mut bytes[from..], first + from as u64)?;
            if from + more <= got {
                return Err(file.ends_before(self.range.end));
            }
            got = from + more;
        }
        Ok(())
    }

    /// A range that is within the window's.
    pub(super) fn bytes(&self, range: &Range<u64>) -> &[u8] {
        let (first, start) = self.start();
        &self.buffer[start + (range.start - first) as usize..start + (range.end - first) as usize]
    }

    fn begins(&self, tile: &NextTile) -> bool {
        self.source == tile.chunk.source && self.range.start == tile.chunk.range.start
    }

    fn has(&self, tile: &NextTile) -> bool {
        let Chunk { source, range } = &tile.chunk;
        self.source == *source && self.range.start <= range.start && range.end <= self.range.end
    }
}

/// A window that a reader asked for.
#[derive(Debug)]
struct Job<'a> {
    file: &'a OpenFile,
    window: Window,
    done: Sender<Done>,
    /// Gone when the reader is.
    wanted: Weak<()>,
}

type Done = (Window, Result<()>);

impl Job<'_> {
    fn run(mut self) {
        if self.wanted.strong_count() > 0 {
            let outcome = self.window.fill(self.file);
            // A reader that left meanwhile wants no answer.
            let _ = self.done.send((self.window, outcome));
        }
    }
}

/// Where the readers of a call ask, and other threads read.
#[derive(Debug)]
pub(crate) struct Ahead<'a> {
    jobs: Mutex<Receiver<Job<'a>>>,
    /// One for each reader to come. When the last one is gone, so is the work.
    readers: Mutex<Vec<Sender<Job<'a>>>>,
    threads: usize,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a> Ahead<'a> {
    /// For so many readers of so many ranges; if there are none, or no source gains by it, readers read for themselves.
    pub(crate) fn new(sources: &[Source<'_>], readers: usize, ranges: usize) -> Self {
        let readers = if sources.iter().any(Source::is_read_ahead) { readers } else { 0 };
        let (sender, jobs) = mpsc::channel();
        let threads = ranges.min(readers * READS);
        Self { jobs: Mutex::new(jobs), readers: Mutex::new(vec![sender; readers]), threads }
    }

    /// Threads that have to be in [`serve`](Self::serve) while the readers are at work.
    pub(crate) const fn threads(&self) -> usize {
        self.threads
    }

    /// Reads what is asked for until all readers are gone.
    pub(crate) fn serve(&self) {
        let next = || lock(&self.jobs).recv();
        while let Ok(job) = next() {
            job.run();
        }
    }
}

/// The windows of one reader.
#[derive(Debug)]
pub(super) struct Windows<'a> {
    sources: &'a [Source<'a>],
    jobs: Option<Sender<Job<'a>>>,
    done: (Sender<Done>, Receiver<Done>),
    here: Arc<()>,
    slots: Vec<Slot>,
    spare: Vec<Vec<u8>>,
}

/// The windows of one range.
#[derive(Debug, Default)]
struct Slot {
    current: Option<Window>,
    next: Next,
}

#[derive(Debug, Default)]
enum Next {
    #[default]
    Nothing,
    UnderWay {
        source: usize,
        start: u64,
    },
    Here(Done),
}

impl<'a> Windows<'a> {
    pub(super) fn new(sources: &'a [Source<'a>], ahead: &Ahead<'a>) -> Self {
        let jobs = lock(&ahead.readers).pop();
        Self { sources, jobs, done: mpsc::channel(), here: Arc::default(), slots: Vec::new(), spare: Vec::new() }
    }

    /// Asks for the window that a tile begins with, if it is neither here nor under way.
    pub(super) fn want(&mut self, tile: &NextTile) {
        if self.slots.len() <= tile.slot {
            self.slots.resize_with(tile.slot + 1, Slot::default);
        }
        let slot = &mut self.slots[tile.slot];
        if slot.current.as_ref().is_some_and(|window| window.has(tile)) {
            return;
        }
        let passed = slot.current.take();
        let coming = match &slot.next {
            Next::Nothing => false,
            Next::UnderWay { source, start } => (*source, *start) == (tile.chunk.source, tile.chunk.range.start),
            Next::Here((window, _)) => window.begins(tile),
        };
        passed.into_iter().for_each(|window| self.keep(window));
        if !coming {
            self.ask(tile, tile.chunk.range.start);
        }
    }

    /// Waits for it, and asks for the one after it.
    pub(super) fn wait(&mut self, tile: &NextTile) -> Result<()> {
        while self.slots[tile.slot].current.is_none() {
            match mem::take(&mut self.slots[tile.slot].next) {
                Next::Here((window, Ok(()))) => {
                    let end = window.range.end;
                    self.slots[tile.slot].current = Some(window);
                    if end < tile.end {
                        self.ask(tile, end);
                    }
                }
                Next::Here((window, Err(error))) => {
                    self.keep(window);
                    return Err(error);
                }
                other => {
                    self.slots[tile.slot].next = other;
                    self.receive();
                }
            }
        }
        Ok(())
    }

    pub(super) fn bytes(&self, tile: &NextTile) -> &[u8] {
        self.slots[tile.slot].current.as_ref().map_or(&[], |window| window.bytes(&tile.chunk.range))
    }

    fn ask(&mut self, tile: &NextTile, start: u64) {
        let Source::File(file) = &self.sources[tile.chunk.source] else { return };
        let range = start..tile.end.min(start + TILES * tile.chunk.len());
        let spare = if range.end - range.start < MIN_SPARE { None } else { self.spare.pop() };
        let window = Window::new(tile.slot, tile.chunk.source, range, spare.unwrap_or_default());
        self.slots[tile.slot].next = Next::UnderWay { source: tile.chunk.source, start };
        let job = Job { file, window, done: self.done.0.clone(), wanted: Arc::downgrade(&self.here) };
        match &self.jobs {
            // The receiver outlives the readers.
            Some(jobs) => drop(jobs.send(job)),
            None => job.run(),
        }
    }

    /// Keeps the memory for another window.
    fn keep(&mut self, window: Window) {
        if window.buffer.len() as u64 > MIN_SPARE {
            self.spare.push(window.buffer);
        }
    }

    fn receive(&mut self) {
        if let Ok((window, outcome)) = self.done.1.recv() {
            let slot = &mut self.slots[window.slot];
            match &slot.next {
                Next::UnderWay { source, start } if (*source, *start) == (window.source, window.range.start) => {
                    slot.next = Next::Here((window, outcome));
                }
                // Its range was given up.
                _ => self.keep(window),
            }
        }
    }
}
