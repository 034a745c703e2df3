//! One thread's share of the work.

use super::{queue::Queue, threads};
use crate::{
    isa::Isa,
    kernels::{self, Kernels, Messages, TILE_ALIGN, Tile},
    source::{Ahead, Chunk, NextTile, Reader, Source},
};

/// Bytes of a wave: small enough for L2 beside the lanes' own tables. Where there are more than 16 lanes it is more.
const WAVE: usize = 256 << 10;
/// Shorter tiles restart the hardware prefetcher too often.
const MIN_TILE: usize = 16 << 10;
/// Staggers the first tiles of long chunks by so many bytes, so that chunks a power of two apart do not map to the same
/// cache sets. Short chunks are not staggered, because lanes idle where tiles differ in length.
const STAGGER: u64 = 3 * TILE_ALIGN as u64;
const STAGGERS: u64 = 32;
const LONG_CHUNK: u64 = 2 << 20;
/// Chunks in flight on one thread, however short they are.
const MAX_SLOTS: usize = 256;

pub(super) struct Worker<'a> {
    queue: &'a Queue<'a>,
    /// Idle threads take algorithms of each wave.
    helped: bool,
    reader: Reader<'a>,
    algorithms: Vec<Box<dyn Messages>>,
    lanes: usize,
    tile: u64,
    in_flight: Vec<InFlight>,
    free_slots: Vec<usize>,
}

/// A chunk that is being hashed.
struct InFlight {
    slot: usize,
    /// Index of the chunk.
    chunk: usize,
    first: bool,
    rest: Chunk,
}

impl<'a> Worker<'a> {
    pub(super) fn new(queue: &'a Queue<'a>, ahead: &Ahead<'a>, isa: Isa, helped: bool) -> Self {
        let (sources, algorithms) = (queue.batch.sources, queue.batch.algorithms);
        let lanes = match algorithms {
            // Bytes that were copied, or that another algorithm has just read, are in L2.
            [alone] if !sources.iter().any(Source::is_copied) => Kernels::of(*alone, isa).messages_from_memory(),
            _ => algorithms.iter().map(|algorithm| Kernels::of(*algorithm, isa).messages()).max().unwrap_or(1),
        };
        let slots = queue.batch.chunks.len().min(MAX_SLOTS);
        let tile = (WAVE / lanes).max(MIN_TILE).next_multiple_of(TILE_ALIGN);
        Self {
            queue,
            helped,
            reader: Reader::new(sources, ahead),
            algorithms: algorithms.iter().map(|algorithm| kernels::messages(*algorithm, slots, isa)).collect(),
            lanes,
            tile: tile as u64,
            in_flight: Vec::new(),
            free_slots: (0..slots).rev().collect(),
        }
    }

    pub(super) fn run(&mut self) {
        while !self.queue.progress.is_stopped() {
            self.take_chunks();
            if self.in_flight.is_empty() {
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
    fn take_chunks(&mut self) {
        let (full_wave, lanes, tile) = (self.full_wave(), self.lanes as u64, self.tile);
        let mut wave: u64 = self.in_flight.iter().map(|chunk| chunk.rest.len().min(tile)).sum();
        let mut mine: u64 = self.in_flight.iter().map(|chunk| chunk.rest.len()).sum();
        if wave >= full_wave || self.free_slots.is_empty() {
            return;
        }
        let mut any = !self.in_flight.is_empty();
        let mut slots = self.free_slots.len();
        let wants = |share: u64, chunk: &Chunk| {
            // Chunks that would not fill the lanes once more are taken now.
            let last = share.saturating_sub(mine) < chunk.len().saturating_mul(lanes);
            let wanted = (mine < share || !any) && (wave < full_wave || last) && slots > 0;
            if wanted {
                wave += chunk.len().min(tile);
                mine += chunk.len();
                slots -= 1;
                any = true;
            }
            wanted
        };
        let take = |chunk: usize, rest: &Chunk| {
            let slot = self.free_slots.pop().expect("`wants` counts the free slots");
            self.in_flight.push(InFlight { slot, chunk, first: true, rest: rest.clone() });
        };
        self.queue.take(wants, take);
    }

    /// Moves the chunks that go on in the next wave to the front: those with the most bytes left, as many as fill it.
    /// Returns how many they are.
    fn choose(&mut self) -> usize {
        self.in_flight.sort_by_key(|chunk| std::cmp::Reverse(chunk.rest.len()));
        let mut wave = 0;
        let fill = self.in_flight.iter().take_while(|chunk| {
            let full = wave >= self.full_wave();
            wave += chunk.rest.len().min(self.tile);
            !full
        });
        let count = fill.count();
        self.algorithms.iter().map(|messages| messages.wave(count)).min().unwrap_or(count)
    }

    /// Reads and hashes the next tile of some of the chunks in flight.
    fn wave(&mut self) {
        let count = self.choose();
        // Fewer chunks than lanes have longer tiles.
        let tile = self.tile.max((WAVE / count.next_power_of_two()) as u64);
        let next = |InFlight { slot, first, rest, .. }: &InFlight| {
            let staggered = *first && count > 1 && rest.len() >= LONG_CHUNK;
            let tile = if staggered { tile - STAGGER * (*slot as u64 % STAGGERS) } else { tile };
            let (start, end) = (rest.range.start, rest.range.end);
            NextTile { slot: *slot, chunk: Chunk { source: rest.source, range: start..end.min(start + tile) }, end }
        };
        let tiles: Vec<NextTile> = self.in_flight[..count].iter().map(next).collect();
        let mut wave = Vec::with_capacity(tiles.len());
        let mut hashed = 0;
        for ((chunk, tile), read) in self.in_flight.iter().zip(&tiles).zip(self.reader.read(&tiles)) {
            match read {
                Ok(bytes) => {
                    let last = tile.chunk.range.end == tile.end;
                    wave.push(Tile { slot: tile.slot, bytes, first: chunk.first, last });
                    hashed += tile.chunk.len();
                }
                Err(error) => self.queue.fail(tile.chunk.source, error),
            }
        }
        if self.helped {
            threads::each(&mut self.algorithms, |messages| messages.update(&wave));
        } else {
            self.algorithms.iter_mut().for_each(|messages| messages.update(&wave));
        }
        let mut done = 0;
        for (chunk, tile) in self.in_flight.iter_mut().zip(&tiles) {
            chunk.first = false;
            chunk.rest.range.start = tile.chunk.range.end;
            done += tile.chunk.len();
        }
        self.queue.progress.add(hashed);
        self.land(done);
    }

    /// Stores the digests of chunks that ended, and drops those whose source failed.
    fn land(&mut self, mut done: u64) {
        let mut ended = Vec::new();
        self.in_flight.retain(|chunk| {
            if self.queue.has_failed(chunk.rest.source) {
                done += chunk.rest.len();
            } else if chunk.rest.len() == 0 && !chunk.first {
                // An empty chunk, too, ends only after a wave that had it.
                ended.push((chunk.chunk, chunk.slot));
            } else {
                return true;
            }
            self.free_slots.push(chunk.slot);
            false
        });
        if !ended.is_empty() {
            let algorithms = self.algorithms.iter().enumerate();
            self.queue.store(algorithms.flat_map(|(index, messages)| {
                ended.iter().map(move |(chunk, slot)| (index, *chunk, messages.digest(*slot)))
            }));
        }
        self.queue.finish(done);
    }
}
