//! Lane groups for the hashes that work block by block (Merkle-Damgård): padding, refill, and the choice of width.

#![allow(unsafe_code)]

use std::{fmt::Debug, marker::PhantomData};

use super::{Messages, Tile};
use crate::{
    digest::Digest,
    isa::Isa,
    lanes::{self, Interleaved, Kernel, Simd, Word, Words},
};

/// A hash that folds fixed blocks into a state of `N` words; written once for all vectors.
pub(super) trait Compression<const N: usize>: Clone + Debug + Sized {
    /// What states and blocks are made of.
    type Word: Word;
    /// Bytes in a block.
    const BLOCK: usize = 16 * Self::Word::BYTES;
    /// Byte order of the words, the length and the digest.
    const LITTLE_ENDIAN: bool;
    /// The state before the first block.
    const INITIAL: [Self::Word; N];
    /// Vectors that measure fastest when interleaved, with every lane busy, where the registers hold as many.
    const GROUPS: usize;
    /// With fewer registers than this, the words of the next block would be in the way of this one's rounds: blocks are
    /// loaded one at a time.
    const AHEAD_REGISTERS: usize;

    /// Fewer messages than this are faster one after the other. Measured: `cargo bench -p partsum-benches`.
    fn min_lanes(isa: Isa) -> usize;

    /// What a block of each lane costs in one, two, ... vectors, relative to each other; measured likewise.
    fn costs(_: Isa) -> [usize; MAX_GROUPS] {
        [1; MAX_GROUPS]
    }

    /// How else to hash several messages at once, where lanes do not pay.
    fn streams(_: Isa) -> Option<Streams<Self::Word, N>> {
        None
    }

    /// Folds whole blocks of one message.
    fn single(isa: Isa, state: &mut [Self::Word; N], blocks: &[u8]) {
        let (states, rows, bytes) = (std::slice::from_mut(state), &[blocks], blocks.len());
        lanes::enter_scalar(isa, Lockstep::<Self, N, 1> { states, rows, bytes });
    }

    /// The blocks that end a message of so many `bytes`, of which `rest` fill no block: with Merkle-Damgård's padding.
    fn end(rest: &[u8], bytes: u64) -> Vec<u8> {
        let bits = 8 * u128::from(bytes);
        let field = 2 * Self::Word::BYTES;
        let mut end = Vec::with_capacity(2 * Self::BLOCK);
        end.extend_from_slice(rest);
        end.push(0x80);
        end.resize((end.len() + field).next_multiple_of(Self::BLOCK) - field, 0);
        match Self::LITTLE_ENDIAN {
            true => end.extend_from_slice(&bits.to_le_bytes()[..field]),
            false => end.extend_from_slice(&bits.to_be_bytes()[16 - field..]),
        }
        end
    }

    /// The digest of the message: the state as it is.
    fn digest(state: &[Self::Word; N], _rest: &[u8], _bytes: u64) -> Digest {
        let mut digest = Vec::with_capacity(N * Self::Word::BYTES);
        for word in state {
            digest.extend_from_slice(word.to_bytes(Self::LITTLE_ENDIAN).as_ref());
        }
        Digest::new(&digest)
    }

    /// Folds a block of each lane into its state, and loads the next one.
    ///
    /// # Safety
    /// The CPU has `W`'s instructions; the rows of `next` are readable for a block past its offset.
    unsafe fn block<W: Words<Word = Self::Word>>(state: &mut [W; N], words: &mut [W; 16], next: Next<'_, W>);
}

/// What folds the whole blocks of two to `width` equally long rows into their states.
type CompressRows<W, const N: usize> = Box<dyn Fn(&mut [[W; N]], &[&[u8]]) + Send + Sync>;

/// Instructions that hash one message each, for several messages in turn.
pub(super) struct Streams<W, const N: usize> {
    pub(super) width: usize,
    pub(super) compress: CompressRows<W, N>,
}

impl<W, const N: usize> Debug for Streams<W, N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Streams({})", self.width)
    }
}

/// Pairs of messages on plain words: the chain of dependent steps of one leaves room for another.
pub(super) fn pairs<C: Compression<N>, const N: usize>(isa: Isa) -> Streams<C::Word, N> {
    let compress = move |states: &mut [[C::Word; N]], rows: &[&[u8]]| {
        lanes::enter_scalar(isa, Lockstep::<C, N, 2> { states, rows, bytes: rows[0].len() });
    };
    Streams { width: 2, compress: Box::new(compress) }
}

/// Most vectors that are interleaved, and most lanes in flight.
const MAX_GROUPS: usize = 3;
const MAX_LANES: usize = 32;
/// Bytes of the largest block.
const MAX_BLOCK: usize = 128;

/// Lanes of one vector of `isa`, and lanes of as many as `C` interleaves.
fn widths<C: Compression<N>, const N: usize>(isa: Isa) -> (usize, usize) {
    struct Ask<'a, W>(&'a mut (usize, usize), PhantomData<W>);
    impl<W: Word> Kernel for Ask<'_, W> {
        #[inline(always)]
        unsafe fn run<S: Simd>(self) {
            *self.0 = (W::Vector::<S>::LANES, S::GROUPS);
        }
    }
    let mut answer = (0, 0);
    lanes::enter(isa, Ask::<C::Word>(&mut answer, PhantomData));
    let (vector, groups) = answer;
    (vector, vector * C::GROUPS.min(groups))
}

/// Messages side by side, in up to so many `vectors`, when there are enough of them; 1 if they are best hashed one after the
/// other.
pub(super) fn lanes<C: Compression<N>, const N: usize>(vectors: usize, isa: Isa) -> usize {
    let lanes = Lanes::<C, N>::new(0, isa);
    lanes.width().min(lanes.vector_lanes.saturating_mul(vectors))
}

/// The messages of one algorithm; those of a wave share the lanes.
#[derive(Debug)]
pub(super) struct Lanes<C: Compression<N>, const N: usize> {
    isa: Isa,
    vector_lanes: usize,
    lanes: usize,
    min_lanes: usize,
    streams: Option<Streams<C::Word, N>>,
    slots: Vec<Slot<C::Word, N>>,
}

#[derive(Clone, Copy, Debug)]
struct Slot<W, const N: usize> {
    state: [W; N],
    hashed: u64,
    digest: Digest,
}

impl<W: Word, const N: usize> Slot<W, N> {
    fn new<C: Compression<N, Word = W>>() -> Self {
        Self { state: C::INITIAL, hashed: 0, digest: Digest::new(&[]) }
    }
}

/// What a lane works on: the slot, whole blocks of the tile, then the padded end of the message.
struct Job<'a> {
    slot: usize,
    blocks: &'a [u8],
    end: &'a [u8],
}

impl<C: Compression<N>, const N: usize> Lanes<C, N> {
    pub(super) fn new(slots: usize, isa: Isa) -> Self {
        let (vector_lanes, lanes) = widths::<C, N>(isa);
        Self {
            isa,
            vector_lanes,
            lanes,
            min_lanes: C::min_lanes(isa),
            streams: C::streams(isa),
            slots: vec![Slot::new::<C>(); slots],
        }
    }

    /// Messages in flight.
    fn width(&self) -> usize {
        match &self.streams {
            _ if self.lanes >= self.min_lanes => self.lanes,
            Some(streams) => streams.width,
            None => 1,
        }
    }

    /// Walks the jobs in lockstep; a lane whose job ends takes the next one.
    fn run<'a>(&mut self, jobs: Vec<Job<'a>>) {
        let width = if self.lanes >= self.min_lanes { self.lanes } else { evenly(jobs.len(), self.width()) };
        let mut jobs = jobs.into_iter();
        let mut active: Vec<Job<'a>> = Vec::with_capacity(width);
        loop {
            active.extend(jobs.by_ref().take(width - active.len()));
            let Some(shortest) = active.iter().map(|job| job.blocks.len()).min() else {
                return;
            };
            if active.len() >= self.min_lanes {
                self.lockstep(&active, shortest);
            } else {
                self.in_turn(&active, shortest);
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

    /// Folds the first `bytes` of each active job without lanes.
    fn in_turn(&mut self, active: &[Job<'_>], bytes: usize) {
        let width = self.streams.as_ref().map_or(1, |streams| streams.width);
        for jobs in active.chunks(evenly(active.len(), width)) {
            match (&self.streams, jobs) {
                (Some(streams), [_, _, ..]) => {
                    let mut states: Vec<_> = jobs.iter().map(|job| self.slots[job.slot].state).collect();
                    let rows: Vec<_> = jobs.iter().map(|job| &job.blocks[..bytes]).collect();
                    (streams.compress)(&mut states, &rows);
                    for (job, state) in jobs.iter().zip(states) {
                        self.slots[job.slot].state = state;
                    }
                }
                _ => {
                    for job in jobs {
                        C::single(self.isa, &mut self.slots[job.slot].state, &job.blocks[..bytes]);
                    }
                }
            }
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
        let (states_of, rows) = (&mut states[..], &rows[..]);
        // The constant first: of what does not interleave, the wider code is not compiled at all.
        match active.len().div_ceil(self.vector_lanes) {
            3 if C::GROUPS > 2 => lanes::enter(self.isa, Lockstep::<C, N, 3> { states: states_of, rows, bytes }),
            2 if C::GROUPS > 1 => lanes::enter(self.isa, Lockstep::<C, N, 2> { states: states_of, rows, bytes }),
            _ => lanes::enter(self.isa, Lockstep::<C, N, 1> { states: states_of, rows, bytes }),
        }
        for (job, state) in active.iter().zip(states) {
            self.slots[job.slot].state = state;
        }
    }
}

impl<C: Compression<N>, const N: usize> Messages for Lanes<C, N> {
    fn update(&mut self, wave: &[Tile<'_>]) {
        let mut jobs = Vec::with_capacity(wave.len());
        for tile in wave {
            let slot = &mut self.slots[tile.slot];
            if tile.first {
                *slot = Slot::new::<C>();
            }
            slot.hashed += tile.bytes.len() as u64;
            let whole = tile.bytes.len() - tile.bytes.len() % C::BLOCK;
            let (blocks, rest) = tile.bytes.split_at(whole);
            debug_assert!(tile.last || rest.is_empty(), "a tile that is not the last one has whole blocks");
            let end = if tile.last { C::end(rest, slot.hashed) } else { Vec::new() };
            jobs.push((tile, blocks, end, rest));
        }
        // A job starts with bytes: a message shorter than a block has only its end.
        let with_bytes = jobs.iter().filter_map(|(tile, blocks, end, _)| match (blocks.is_empty(), end.is_empty()) {
            (true, true) => None,
            (true, false) => Some(Job { slot: tile.slot, blocks: end, end: &[] }),
            (false, _) => Some(Job { slot: tile.slot, blocks, end }),
        });
        self.run(with_bytes.collect());
        for (tile, _, _, rest) in jobs.into_iter().filter(|(tile, ..)| tile.last) {
            let slot = &mut self.slots[tile.slot];
            slot.digest = C::digest(&slot.state, rest, slot.hashed);
        }
    }

    fn fill(&self, count: usize) -> usize {
        if count > self.lanes || count < self.min_lanes {
            return count;
        }
        // Messages for each unit of cost: with as many vectors as hold all of them, or fewer, full.
        let vectors = count.div_ceil(self.vector_lanes);
        let costs = C::costs(self.isa);
        let rate = |vectors: usize| count.min(vectors * self.vector_lanes) as f64 / costs[vectors - 1] as f64;
        let best = (1..=vectors).max_by(|a, b| rate(*a).total_cmp(&rate(*b))).unwrap_or(vectors);
        count.min(best * self.vector_lanes)
    }

    fn digest(&self, slot: usize) -> Digest {
        self.slots[slot].digest
    }
}

/// One message whose bytes come in pieces.
#[derive(Clone, Debug)]
pub(super) struct Single<C: Compression<N>, const N: usize> {
    isa: Isa,
    state: [C::Word; N],
    hashed: u64,
    /// Begins with the last `hashed % C::BLOCK` bytes, which fill no block yet.
    rest: [u8; MAX_BLOCK],
}

impl<C: Compression<N>, const N: usize> Single<C, N> {
    pub(super) fn new(isa: Isa) -> Self {
        Self { isa, state: C::INITIAL, hashed: 0, rest: [0; MAX_BLOCK] }
    }

    pub(super) fn update(&mut self, mut bytes: &[u8]) {
        let filled = self.filled();
        self.hashed += bytes.len() as u64;
        if filled > 0 {
            let (head, tail) = bytes.split_at(bytes.len().min(C::BLOCK - filled));
            self.rest[filled..][..head.len()].copy_from_slice(head);
            if filled + head.len() < C::BLOCK {
                return;
            }
            C::single(self.isa, &mut self.state, &self.rest[..C::BLOCK]);
            bytes = tail;
        }
        let (blocks, rest) = bytes.split_at(bytes.len() - bytes.len() % C::BLOCK);
        C::single(self.isa, &mut self.state, blocks);
        self.rest[..rest.len()].copy_from_slice(rest);
    }

    /// The digest of what has been fed so far; feeding may go on.
    pub(super) fn digest(&self) -> Digest {
        let rest = &self.rest[..self.filled()];
        let mut state = self.state;
        C::single(self.isa, &mut state, &C::end(rest, self.hashed));
        C::digest(&state, rest, self.hashed)
    }

    fn filled(&self) -> usize {
        (self.hashed % C::BLOCK as u64) as usize
    }
}

/// The size of the fewest equal groups of at most `width` that hold `count`: six in fives are slower than six in threes.
fn evenly(count: usize, width: usize) -> usize {
    count.div_ceil(count.div_ceil(width).max(1)).max(1)
}

/// `GROUPS` vectors walk `bytes` of their rows together.
struct Lockstep<'a, C: Compression<N>, const N: usize, const GROUPS: usize> {
    states: &'a mut [[C::Word; N]],
    rows: &'a [&'a [u8]],
    bytes: usize,
}

impl<C: Compression<N>, const N: usize, const GROUPS: usize> Kernel for Lockstep<'_, C, N, GROUPS> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        const { assert!(GROUPS <= MAX_GROUPS) };
        if GROUPS > S::GROUPS {
            unreachable!("more vectors than the registers hold");
        }
        let lanes = Interleaved::<<C::Word as Word>::Vector<S>, GROUPS>::LANES;
        let mut rows = [std::ptr::null(); MAX_LANES];
        for (pointer, row) in rows.iter_mut().zip(&self.rows[..lanes]) {
            assert!(row.len() >= self.bytes);
            *pointer = row.as_ptr();
        }
        // SAFETY: the caller vouches for the CPU; every row was just seen to have `bytes`, a whole number of blocks.
        unsafe {
            let mut state = [Interleaved::<<C::Word as Word>::Vector<S>, GROUPS>::splat(C::Word::ZERO); N];
            for (index, word) in state.iter_mut().enumerate() {
                *word = Interleaved::gather(|lane| self.states[lane][index]);
            }
            walk::<C, N, _>(&mut state, &rows[..lanes], self.bytes);
            for (index, word) in state.into_iter().enumerate() {
                word.scatter(|lane, word| self.states[lane][index] = word);
            }
        }
    }
}

/// Folds `bytes` of each row into the state of its lane.
///
/// # Safety
/// The CPU has `W`'s instructions; each row is readable for `bytes`, a whole number of blocks.
#[inline(always)]
unsafe fn walk<C: Compression<N, Word = W::Word>, const N: usize, W: Words>(
    state: &mut [W; N],
    rows: &[*const u8],
    bytes: usize,
) {
    if bytes == 0 {
        return;
    }
    // SAFETY: forwarded; the last block is followed by itself, which nobody looks at.
    unsafe {
        let (now, next) = (&mut [W::splat(C::Word::ZERO); 16], &mut [W::splat(C::Word::ZERO); 16]);
        let (mut now, mut next) = (now, next);
        if W::REGISTERS < C::AHEAD_REGISTERS {
            for offset in (0..bytes).step_by(C::BLOCK) {
                let mut load = Next { rows, offset, words: now };
                // Written out: as a loop, it would keep the words in memory.
                macro_rules! after {
                    ($($step:literal)*) => { $(load.after($step, 8);)* };
                }
                after!(0 1 2 3 4 5 6 7);
                C::block(state, now, Next { rows: &[], offset, words: next });
            }
            return;
        }
        Next { rows, offset: 0, words: now }.after(0, 1);
        for offset in (C::BLOCK..=bytes).step_by(C::BLOCK) {
            let offset = offset.min(bytes - C::BLOCK);
            C::block(state, now, Next { rows, offset, words: next });
            std::mem::swap(&mut now, &mut next);
        }
    }
}

/// The next block of every lane, to be loaded between the steps of the one before it, which leave room for that.
pub(super) struct Next<'a, W> {
    rows: &'a [*const u8],
    offset: usize,
    words: &'a mut [W; 16],
}

impl<W: Words> Next<'_, W> {
    /// Loads what is due after `step` of so many `steps`.
    ///
    /// # Safety
    /// The CPU has `W`'s instructions; each row is readable for a block past the offset.
    #[inline(always)]
    pub(super) unsafe fn after(&mut self, step: usize, steps: usize) {
        let pieces = if self.rows.is_empty() { 0 } else { lanes::pieces::<W>() };
        for piece in step * pieces / steps..(step + 1) * pieces / steps {
            // SAFETY: forwarded.
            unsafe { lanes::load_piece(piece, self.rows, self.offset, self.words) };
        }
    }
}
