//! Lane groups for the hashes that work block by block (Merkle-Damgård): padding, refill, and the choice of width.

#![allow(unsafe_code)]

use std::{fmt::Debug, marker::PhantomData};

use super::{Messages, Tile};
use crate::{
    digest::Digest,
    isa::Isa,
    lanes::{self, Interleaved, Kernel, Simd, Words},
};

/// A hash that folds fixed blocks into a state of `N` words; written once for all vectors.
pub(super) trait Compression<const N: usize>: Debug {
    /// Bytes in a block.
    const BLOCK: usize;
    /// The state before the first block.
    const INITIAL: [u32; N];
    /// Vectors that measure fastest when interleaved, with every lane busy.
    const GROUPS: usize;
    /// Fewer messages than this are faster one after the other.
    const MIN_LANES: usize;

    /// Folds whole blocks of one message.
    fn single(state: &mut [u32; N], blocks: &[u8]);

    /// Folds the block at `offset` past each row into the state of its lane.
    ///
    /// # Safety
    /// The CPU has `W`'s instructions; each row is readable for a block past `offset`.
    unsafe fn block<W: Words<Word = u32>>(state: &mut [W; N], rows: &[*const u8], offset: usize);

    /// The digest that a state stands for.
    fn digest(state: &[u32; N]) -> Digest;

    /// The length field that closes a message of `bits`.
    fn length(bits: u64) -> [u8; 8];
}

/// Most vectors that are interleaved, and most lanes in flight.
const MAX_GROUPS: usize = 2;
const MAX_LANES: usize = MAX_GROUPS * 8;

/// Lanes of one vector of `isa`, and lanes of as many as `C` interleaves.
fn widths<C: Compression<N>, const N: usize>(isa: Isa) -> (usize, usize) {
    struct Ask<'a>(&'a mut (usize, bool));
    impl Kernel for Ask<'_> {
        #[inline(always)]
        unsafe fn run<S: Simd>(self) {
            *self.0 = (S::Words32::LANES, S::INTERLEAVES);
        }
    }
    let mut answer = (0, false);
    lanes::enter(isa, Ask(&mut answer));
    let (vector, interleaves) = answer;
    (vector, if interleaves { vector * C::GROUPS } else { vector })
}

/// Messages side by side when all lanes are busy.
pub(super) fn lanes<C: Compression<N>, const N: usize>(isa: Isa) -> usize {
    widths::<C, N>(isa).1
}

/// The messages of one algorithm; those of a wave share the lanes.
#[derive(Debug)]
pub(super) struct Lanes<C: Compression<N>, const N: usize> {
    isa: Isa,
    vector_lanes: usize,
    lanes: usize,
    slots: Vec<Slot<N>>,
    algorithm: PhantomData<C>,
}

#[derive(Clone, Copy, Debug)]
struct Slot<const N: usize> {
    state: [u32; N],
    hashed: u64,
}

/// What a lane works on: the slot, whole blocks of the tile, then the padded end of the message.
struct Job<'a> {
    slot: usize,
    blocks: &'a [u8],
    end: &'a [u8],
}

impl<C: Compression<N>, const N: usize> Lanes<C, N> {
    pub(super) fn new(slots: usize, isa: Isa) -> Self {
        let slot = Slot { state: C::INITIAL, hashed: 0 };
        let (vector_lanes, lanes) = widths::<C, N>(isa);
        Self { isa, vector_lanes, lanes, slots: vec![slot; slots], algorithm: PhantomData }
    }

    /// The last bytes of a message with its padding: one block or two.
    fn padded(rest: &[u8], bytes: u64) -> Vec<u8> {
        let length = C::length(bytes.wrapping_mul(8));
        let mut end = Vec::with_capacity(2 * C::BLOCK);
        end.extend_from_slice(rest);
        end.push(0x80);
        end.resize((end.len() + length.len()).next_multiple_of(C::BLOCK) - length.len(), 0);
        end.extend_from_slice(&length);
        end
    }

    /// Walks the jobs in lockstep; a lane whose job ends takes the next one.
    fn run<'a>(&mut self, mut jobs: impl Iterator<Item = Job<'a>>) {
        let mut active: Vec<Job<'a>> = Vec::with_capacity(self.lanes);
        loop {
            active.extend(jobs.by_ref().take(self.lanes - active.len()));
            let Some(shortest) = active.iter().map(|job| job.blocks.len()).min() else {
                return;
            };
            if active.len() < C::MIN_LANES {
                for job in &active {
                    C::single(&mut self.slots[job.slot].state, &job.blocks[..shortest]);
                }
            } else {
                self.lockstep(&active, shortest);
            }
            active.retain_mut(|job| {
                job.blocks = &job.blocks[shortest..];
                if job.blocks.is_empty() {
                    job.blocks = std::mem::take(&mut job.end);
                }
                !job.blocks.is_empty()
            });
        }
    }

    /// Folds the first `bytes` of each active job, with the fewest vectors that hold them.
    fn lockstep(&mut self, active: &[Job<'_>], bytes: usize) {
        // Idle lanes walk the first job's bytes once more; nobody looks at their states.
        let mut states = [C::INITIAL; MAX_LANES];
        let mut rows = [active[0].blocks; MAX_LANES];
        for (lane, job) in active.iter().enumerate() {
            states[lane] = self.slots[job.slot].state;
            rows[lane] = job.blocks;
        }
        let (states_in, rows) = (&mut states, &rows);
        match active.len().div_ceil(self.vector_lanes) {
            1 => lanes::enter(self.isa, Lockstep::<C, N, 1>::new(states_in, rows, bytes)),
            _ => lanes::enter(self.isa, Lockstep::<C, N, 2>::new(states_in, rows, bytes)),
        }
        for (job, state) in active.iter().zip(states) {
            self.slots[job.slot].state = state;
        }
    }
}

impl<C: Compression<N>, const N: usize> Messages for Lanes<C, N> {
    fn update(&mut self, wave: &[Tile<'_>]) {
        let mut ends = Vec::with_capacity(wave.len());
        for tile in wave {
            let slot = &mut self.slots[tile.slot];
            if tile.first {
                *slot = Slot { state: C::INITIAL, hashed: 0 };
            }
            slot.hashed += tile.bytes.len() as u64;
            let whole = tile.bytes.len() - tile.bytes.len() % C::BLOCK;
            let (blocks, rest) = tile.bytes.split_at(whole);
            debug_assert!(tile.last || rest.is_empty(), "a tile that is not the last one has whole blocks");
            let end = if tile.last { Self::padded(rest, slot.hashed) } else { Vec::new() };
            ends.push((tile.slot, blocks, end));
        }
        // A job starts with bytes: a message shorter than a block has only its end.
        self.run(ends.iter().filter_map(|(slot, blocks, end)| match (blocks.is_empty(), end.is_empty()) {
            (true, true) => None,
            (true, false) => Some(Job { slot: *slot, blocks: end, end: &[] }),
            (false, _) => Some(Job { slot: *slot, blocks, end }),
        }));
    }

    fn digest(&self, slot: usize) -> Digest {
        C::digest(&self.slots[slot].state)
    }
}

/// `GROUPS` vectors walk `bytes` of their rows together.
struct Lockstep<'a, C, const N: usize, const GROUPS: usize> {
    states: &'a mut [[u32; N]; MAX_LANES],
    rows: &'a [&'a [u8]; MAX_LANES],
    bytes: usize,
    algorithm: PhantomData<C>,
}

impl<'a, C, const N: usize, const GROUPS: usize> Lockstep<'a, C, N, GROUPS> {
    fn new(states: &'a mut [[u32; N]; MAX_LANES], rows: &'a [&'a [u8]; MAX_LANES], bytes: usize) -> Self {
        Self { states, rows, bytes, algorithm: PhantomData }
    }
}

impl<C: Compression<N>, const N: usize, const GROUPS: usize> Kernel for Lockstep<'_, C, N, GROUPS> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        const { assert!(GROUPS <= MAX_GROUPS && S::Words32::LANES * GROUPS <= MAX_LANES) };
        assert!(self.rows.iter().all(|row| row.len() >= self.bytes));
        let rows = self.rows.map(<[u8]>::as_ptr);
        // SAFETY: the caller vouches for the CPU; every row was just seen to have `bytes`, a whole number of blocks.
        unsafe {
            let mut state = [Interleaved::<S::Words32, GROUPS>::splat(0); N];
            for (index, word) in state.iter_mut().enumerate() {
                *word = Interleaved::gather(|lane| self.states[lane][index]);
            }
            for offset in (0..self.bytes).step_by(C::BLOCK) {
                C::block(&mut state, &rows, offset);
            }
            for (index, word) in state.into_iter().enumerate() {
                word.scatter(|lane, word| self.states[lane][index] = word);
            }
        }
    }
}
