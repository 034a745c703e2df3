//! Reading ahead: while a thread hashes one window of a chunk, other threads read the next one.
//!
//! A [`Reader`](super::Reader) requests a window when it begins with the one before, so that as many reads are under way
//! as it has chunks in flight. The threads in [`Ahead::serve`] read them with positioned reads. io_uring at the same depth
//! is no faster, takes the same CPU time, and is forbidden in most containers.

use std::{
    io, mem,
    ops::Range,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        mpsc::{self, Receiver, Sender},
    },
};

use super::{Chunk, NextTile, OpenFile, Source, memory};
use crate::error::Result;

/// The largest alignment that O_DIRECT needs for addresses, offsets and lengths.
const ALIGN: u64 = 4096;
/// The smallest unit that a disk reads.
const BLOCK: usize = 512;
/// Smaller buffers are not worth keeping.
const MIN_SPARE: u64 = 64 << 10;
/// Tiles in a window. A thread has at most two windows in memory for each chunk in flight.
const TILES: u64 = 16;
/// Reads under way for each thread that hashes: a disk needs several to be fast.
const READS: usize = 4;

/// Consecutive bytes of a file, in aligned memory that also has room for the aligned bytes around them.
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

    /// The bytes of a range within the window.
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

/// A window that a reader requested.
#[derive(Debug)]
struct WindowRequest<'a> {
    file: &'a OpenFile,
    window: Window,
    done: Sender<Done>,
    /// Dropped with the reader.
    wanted: Weak<()>,
}

type Done = (Window, Result<()>);

impl WindowRequest<'_> {
    fn run(mut self) {
        if self.wanted.strong_count() > 0 {
            let outcome = self.window.fill(self.file);
            // If the reader is gone, nobody receives this.
            let _ = self.done.send((self.window, outcome));
        }
    }
}

/// The requests of all readers of a call, and the threads that serve them.
#[derive(Debug)]
pub(crate) struct Ahead<'a> {
    requests: Mutex<Receiver<WindowRequest<'a>>>,
    /// One for each reader to come. When all are dropped, no request can follow.
    readers: Mutex<Vec<Sender<WindowRequest<'a>>>>,
    threads: usize,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a> Ahead<'a> {
    /// For so many readers of so many chunks. If there are no readers, or no source is read ahead, readers read for themselves.
    pub(crate) fn new(sources: &[Source<'_>], readers: usize, chunks: usize) -> Self {
        let readers = if sources.iter().any(Source::is_read_ahead) { readers } else { 0 };
        let (sender, requests) = mpsc::channel();
        let threads = chunks.min(readers * READS);
        Self { requests: Mutex::new(requests), readers: Mutex::new(vec![sender; readers]), threads }
    }

    /// How many threads must be in [`serve`](Self::serve) while the readers work.
    pub(crate) const fn threads(&self) -> usize {
        self.threads
    }

    /// Serves requests until all readers are dropped.
    pub(crate) fn serve(&self) {
        let next = || lock(&self.requests).recv();
        while let Ok(request) = next() {
            request.run();
        }
    }
}

/// The windows of one reader.
#[derive(Debug)]
pub(super) struct Windows<'a> {
    sources: &'a [Source<'a>],
    requests: Option<Sender<WindowRequest<'a>>>,
    done: (Sender<Done>, Receiver<Done>),
    here: Arc<()>,
    slots: Vec<SlotWindows>,
    spare: Vec<Vec<u8>>,
}

/// The windows of the chunk in one slot.
#[derive(Debug, Default)]
struct SlotWindows {
    current: Option<Window>,
    next: NextWindow,
}

#[derive(Debug, Default)]
enum NextWindow {
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
        let requests = lock(&ahead.readers).pop();
        Self { sources, requests, done: mpsc::channel(), here: Arc::default(), slots: Vec::new(), spare: Vec::new() }
    }

    /// Requests the window that a tile begins in, unless it is here or under way.
    pub(super) fn request(&mut self, tile: &NextTile) {
        if self.slots.len() <= tile.slot {
            self.slots.resize_with(tile.slot + 1, SlotWindows::default);
        }
        let slot = &mut self.slots[tile.slot];
        if slot.current.as_ref().is_some_and(|window| window.has(tile)) {
            return;
        }
        let passed = slot.current.take();
        let coming = match &slot.next {
            NextWindow::Nothing => false,
            NextWindow::UnderWay { source, start } => (*source, *start) == (tile.chunk.source, tile.chunk.range.start),
            NextWindow::Here((window, _)) => window.begins(tile),
        };
        passed.into_iter().for_each(|window| self.keep(window));
        if !coming {
            self.send_request(tile, tile.chunk.range.start);
        }
    }

    /// Waits for that window, and requests the one after it.
    pub(super) fn wait(&mut self, tile: &NextTile) -> Result<()> {
        while self.slots[tile.slot].current.is_none() {
            match mem::take(&mut self.slots[tile.slot].next) {
                NextWindow::Here((window, Ok(()))) => {
                    let end = window.range.end;
                    self.slots[tile.slot].current = Some(window);
                    if end < tile.end {
                        self.send_request(tile, end);
                    }
                }
                NextWindow::Here((window, Err(error))) => {
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

    fn send_request(&mut self, tile: &NextTile, start: u64) {
        let Source::File(file) = &self.sources[tile.chunk.source] else { return };
        let range = start..tile.end.min(start + TILES * tile.chunk.len());
        let spare = if range.end - range.start < MIN_SPARE { None } else { self.spare.pop() };
        let window = Window::new(tile.slot, tile.chunk.source, range, spare.unwrap_or_default());
        self.slots[tile.slot].next = NextWindow::UnderWay { source: tile.chunk.source, start };
        let request = WindowRequest { file, window, done: self.done.0.clone(), wanted: Arc::downgrade(&self.here) };
        match &self.requests {
            // The receiver outlives the readers.
            Some(requests) => drop(requests.send(request)),
            None => request.run(),
        }
    }

    /// Keeps the memory of a window for another one.
    fn keep(&mut self, window: Window) {
        if window.buffer.len() as u64 > MIN_SPARE {
            self.spare.push(window.buffer);
        }
    }

    fn receive(&mut self) {
        if let Ok((window, outcome)) = self.done.1.recv() {
            let slot = &mut self.slots[window.slot];
            match &slot.next {
                NextWindow::UnderWay { source, start } if (*source, *start) == (window.source, window.range.start) => {
                    slot.next = NextWindow::Here((window, outcome));
                }
                // Its chunk was given up.
                _ => self.keep(window),
            }
        }
    }
}
