//! Many messages of a hash that works block by block (Merkle-Damgård): each has a lane, and a lane whose message ends takes
//! the next one.

#![allow(unsafe_code)]

use std::fmt::Debug;

use super::{
    Messages, Tile,
    choice::{self, Kernels, MAX_LANES, One},
};
use crate::{
    algorithm::Algorithm,
    digest::Digest,
    isa::Isa,
    lanes::{self, Interleaved, Kernel, Lanes, Simd, Word},
};

/// A hash that folds blocks of 16 words into a state of `N` words; written once for all vectors.
pub(super) trait Compression<const N: usize>: Clone + Debug + Sized + 'static {
    const ALGORITHM: Algorithm;
    /// The words of states and blocks.
    type Word: Word;
    /// Bytes in a block.
    const BLOCK: usize = 16 * Self::Word::BYTES;
    /// Byte order of the words, the length and the digest.
    const LITTLE_ENDIAN: bool;
    /// The state before the first block.
    const INITIAL: [Self::Word; N];
    /// The number of vectors for which code is compiled.
    const MOST_VECTORS: usize = choice::most_vectors(Self::ALGORITHM);

    /// Folds whole blocks of one message with RustCrypto's crate for this algorithm.
    fn rust_crypto(_state: &mut [Self::Word; N], _blocks: &[u8]) {
        unreachable!("the table of kernels asks for it")
    }

    /// Folds whole blocks of several messages in turn, at most as many as the table of kernels says. All rows are equally
    /// long.
    fn in_turn(_isa: Isa, _states: &mut [[Self::Word; N]], _rows: &[&[u8]]) {
        unreachable!("the table of kernels asks for it")
    }

    /// The last blocks of a message of so many `bytes`: `rest`, which fills no block, and Merkle-Damgård's padding.
    fn padded(rest: &[u8], bytes: u64) -> Vec<u8> {
        let bits = 8 * u128::from(bytes);
        let field = 2 * Self::Word::BYTES;
        let mut padded = Vec::with_capacity(2 * Self::BLOCK);
        padded.extend_from_slice(rest);
        padded.push(0x80);
        padded.resize((padded.len() + field).next_multiple_of(Self::BLOCK) - field, 0);
        match Self::LITTLE_ENDIAN {
            true => padded.extend_from_slice(&bits.to_le_bytes()[..field]),
            false => padded.extend_from_slice(&bits.to_be_bytes()[16 - field..]),
        }
        padded
    }

    /// The digest of a message: its state.
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
    /// The CPU has the instructions of `L`; the rows of `next` are readable for a block past its offset.
    unsafe fn block<L: Lanes<Word = Self::Word>>(state: &mut [L; N], words: &mut [L; 16], next: NextBlock<'_, L>);
}

/// Folds whole blocks of one message.
pub(super) fn one<C: Compression<N>, const N: usize>(kernels: &Kernels, state: &mut [C::Word; N], blocks: &[u8]) {
    match kernels.one {
        One::RustCrypto => C::rust_crypto(state, blocks),
        _ => in_scalar_words::<C, N, 1>(kernels.isa, std::slice::from_mut(state), &[blocks]),
    }
}

/// Folds whole blocks of `COUNT` messages in turn on scalar words: the dependent steps of one leave room for another.
pub(super) fn in_scalar_words<C: Compression<N>, const N: usize, const COUNT: usize>(
    isa: Isa,
    states: &mut [[C::Word; N]],
    rows: &[&[u8]],
) {
    lanes::enter_scalar(isa, Lockstep::<C, N, COUNT> { states, rows, bytes: rows[0].len() });
}

/// The messages of one algorithm.
#[derive(Debug)]
pub(super) struct LaneGroup<C: Compression<N>, const N: usize> {
    kernels: Kernels,
    slots: Vec<SlotState<C::Word, N>>,
}

/// The message in a slot.
#[derive(Clone, Copy, Debug)]
struct SlotState<W, const N: usize> {
    state: [W; N],
    hashed: u64,
    digest: Digest,
}

/// Bytes of a slot that wait for a lane: whole blocks of the tile, then the padded end of the message.
struct Pending<'a> {
    slot: usize,
    blocks: &'a [u8],
    padded: &'a [u8],
}

impl<C: Compression<N>, const N: usize> LaneGroup<C, N> {
    pub(super) fn new(kernels: Kernels, slots: usize) -> Self {
        Self { kernels, slots: vec![Self::empty(); slots] }
    }

    fn empty() -> SlotState<C::Word, N> {
        SlotState { state: C::INITIAL, hashed: 0, digest: Digest::new(&[]) }
    }

    /// Walks the slots in lockstep; a lane whose slot has no more bytes takes the next one.
    fn run<'a>(&mut self, pending: Vec<Pending<'a>>) {
        let width = self.kernels.lanes().unwrap_or_else(|| evenly(pending.len(), self.kernels.in_turn));
        let mut pending = pending.into_iter();
        let mut active: Vec<Pending<'a>> = Vec::with_capacity(width);
        loop {
            active.extend(pending.by_ref().take(width - active.len()));
            let Some(shortest) = active.iter().map(|slot| slot.blocks.len()).min() else {
                return;
            };
            if self.kernels.fill_lanes(active.len()) {
                self.lockstep(&active, shortest);
            } else {
                self.in_turn(&active, shortest);
            }
            active.retain_mut(|slot| {
                slot.blocks = &slot.blocks[shortest..];
                if slot.blocks.is_empty() {
                    slot.blocks = std::mem::take(&mut slot.padded);
                }
                !slot.blocks.is_empty()
            });
        }
    }

    /// Folds the first `bytes` of each active slot without lanes.
    fn in_turn(&mut self, active: &[Pending<'_>], bytes: usize) {
        for group in active.chunks(evenly(active.len(), self.kernels.in_turn)) {
            if let [alone] = group {
                let state = &mut self.slots[alone.slot].state;
                one::<C, N>(&self.kernels, state, &alone.blocks[..bytes]);
                continue;
            }
            let mut states: Vec<_> = group.iter().map(|slot| self.slots[slot.slot].state).collect();
            let rows: Vec<_> = group.iter().map(|slot| &slot.blocks[..bytes]).collect();
            C::in_turn(self.kernels.isa, &mut states, &rows);
            for (slot, state) in group.iter().zip(states) {
                self.slots[slot.slot].state = state;
            }
        }
    }

    /// Folds the first `bytes` of each active slot, with the fewest vectors that hold them.
    fn lockstep(&mut self, active: &[Pending<'_>], bytes: usize) {
        // Idle lanes walk the bytes of the first slot once more; their states are dropped.
        let mut states = [C::INITIAL; MAX_LANES];
        let mut rows = [active[0].blocks; MAX_LANES];
        for (lane, slot) in active.iter().enumerate() {
            states[lane] = self.slots[slot.slot].state;
            rows[lane] = slot.blocks;
        }
        let (isa, states_of, rows) = (self.kernels.isa, &mut states[..], &rows[..]);
        // The constants spare the compiler the code of numbers of vectors that no row of the table has.
        match active.len().div_ceil(self.kernels.lanes_of_vector) {
            4 if C::MOST_VECTORS > 3 => lanes::enter(isa, Lockstep::<C, N, 4> { states: states_of, rows, bytes }),
            3 if C::MOST_VECTORS > 2 => lanes::enter(isa, Lockstep::<C, N, 3> { states: states_of, rows, bytes }),
            2 if C::MOST_VECTORS > 1 => lanes::enter(isa, Lockstep::<C, N, 2> { states: states_of, rows, bytes }),
            _ => lanes::enter(isa, Lockstep::<C, N, 1> { states: states_of, rows, bytes }),
        }
        for (slot, state) in active.iter().zip(states) {
            self.slots[slot.slot].state = state;
        }
    }
}

impl<C: Compression<N>, const N: usize> Messages for LaneGroup<C, N> {
    fn update(&mut self, wave: &[Tile<'_>]) {
        let mut parsed = Vec::with_capacity(wave.len());
        for tile in wave {
            let slot = &mut self.slots[tile.slot];
            if tile.first {
                *slot = Self::empty();
            }
            slot.hashed += tile.bytes.len() as u64;
            let whole = tile.bytes.len() - tile.bytes.len() % C::BLOCK;
            let (blocks, rest) = tile.bytes.split_at(whole);
            debug_assert!(tile.last || rest.is_empty(), "a tile that is not the last one has whole blocks");
            let padded = if tile.last { C::padded(rest, slot.hashed) } else { Vec::new() };
            parsed.push((tile, blocks, padded, rest));
        }
        // A message shorter than a block has only its padded end.
        let with_bytes = parsed.iter().filter_map(|(tile, blocks, padded, _)| match (blocks.is_empty(), &padded[..]) {
            (true, []) => None,
            (true, padded) => Some(Pending { slot: tile.slot, blocks: padded, padded: &[] }),
            (false, padded) => Some(Pending { slot: tile.slot, blocks, padded }),
        });
        self.run(with_bytes.collect());
        for (tile, _, _, rest) in parsed.into_iter().filter(|(tile, ..)| tile.last) {
            let slot = &mut self.slots[tile.slot];
            slot.digest = C::digest(&slot.state, rest, slot.hashed);
        }
    }

    fn wave(&self, messages: usize) -> usize {
        self.kernels.wave(messages)
    }

    fn digest(&self, slot: usize) -> Digest {
        self.slots[slot].digest
    }
}

/// The size of the fewest equal groups of at most `width` that hold `count`: six in fives are slower than six in threes.
fn evenly(count: usize, width: usize) -> usize {
    count.div_ceil(count.div_ceil(width).max(1)).max(1)
}

/// `VECTORS` vectors, or as many scalar words, walk `bytes` of their rows together.
struct Lockstep<'a, C: Compression<N>, const N: usize, const VECTORS: usize> {
    states: &'a mut [[C::Word; N]],
    rows: &'a [&'a [u8]],
    bytes: usize,
}

impl<C: Compression<N>, const N: usize, const VECTORS: usize> Kernel for Lockstep<'_, C, N, VECTORS> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        if const { VECTORS > choice::vectors(C::ALGORITHM, S::ISA) } {
            unreachable!("more vectors than the table of kernels has");
        }
        let lanes = Interleaved::<<C::Word as Word>::Vector<S>, VECTORS>::COUNT;
        let mut rows = [std::ptr::null(); MAX_LANES];
        for (pointer, row) in rows.iter_mut().zip(&self.rows[..lanes]) {
            assert!(row.len() >= self.bytes);
            *pointer = row.as_ptr();
        }
        // SAFETY: the caller vouches for the CPU; every row was just seen to have `bytes`, a whole number of blocks.
        unsafe {
            let mut state = [Interleaved::<<C::Word as Word>::Vector<S>, VECTORS>::splat(C::Word::ZERO); N];
            for (index, word) in state.iter_mut().enumerate() {
                *word = Interleaved::gather(|lane| self.states[lane][index]);
            }
            if const { choice::loads_ahead(C::ALGORITHM, S::ISA) } {
                walk_loading_ahead::<C, N, _>(&mut state, &rows[..lanes], self.bytes);
            } else {
                walk::<C, N, _>(&mut state, &rows[..lanes], self.bytes);
            }
            for (index, word) in state.into_iter().enumerate() {
                word.scatter(|lane, word| self.states[lane][index] = word);
            }
        }
    }
}

/// Folds `bytes` of each row into the state of its lane; loads each block before its rounds.
///
/// # Safety
/// The CPU has the instructions of `L`; each row is readable for `bytes`, a whole number of blocks.
#[inline(always)]
unsafe fn walk<C: Compression<N, Word = L::Word>, const N: usize, L: Lanes>(
    state: &mut [L; N],
    rows: &[*const u8],
    bytes: usize,
) {
    // SAFETY: forwarded; no rows are read for `unused`.
    unsafe {
        let (words, unused) = (&mut [L::splat(C::Word::ZERO); 16], &mut [L::splat(C::Word::ZERO); 16]);
        for offset in (0..bytes).step_by(C::BLOCK) {
            let mut block = NextBlock { rows, offset, words };
            // Written out: a loop would keep the words in memory.
            macro_rules! after {
                ($($step:literal)*) => { $(block.after($step, 8);)* };
            }
            after!(0 1 2 3 4 5 6 7);
            C::block(state, words, NextBlock { rows: &[], offset, words: unused });
        }
    }
}

/// The same, but loads each block during the rounds of the one before.
///
/// # Safety
/// As [`walk`].
#[inline(always)]
unsafe fn walk_loading_ahead<C: Compression<N, Word = L::Word>, const N: usize, L: Lanes>(
    state: &mut [L; N],
    rows: &[*const u8],
    bytes: usize,
) {
    if bytes == 0 {
        return;
    }
    // SAFETY: forwarded; after the last block, it is loaded once more and dropped.
    unsafe {
        let (now, next) = (&mut [L::splat(C::Word::ZERO); 16], &mut [L::splat(C::Word::ZERO); 16]);
        let (mut now, mut next) = (now, next);
        NextBlock { rows, offset: 0, words: now }.after(0, 1);
        for offset in (C::BLOCK..=bytes).step_by(C::BLOCK) {
            let offset = offset.min(bytes - C::BLOCK);
            C::block(state, now, NextBlock { rows, offset, words: next });
            std::mem::swap(&mut now, &mut next);
        }
    }
}

/// The next block of every lane, to be loaded between the rounds of the block before, where the CPU has idle units.
pub(super) struct NextBlock<'a, L> {
    rows: &'a [*const u8],
    offset: usize,
    words: &'a mut [L; 16],
}

impl<L: Lanes> NextBlock<'_, L> {
    /// Loads the share that is due after `round` of so many `rounds`.
    ///
    /// # Safety
    /// The CPU has the instructions of `L`; each row is readable for a block past the offset.
    #[inline(always)]
    pub(super) unsafe fn after(&mut self, round: usize, rounds: usize) {
        let steps = if self.rows.is_empty() { 0 } else { lanes::load_steps::<L>() };
        for step in round * steps / rounds..(round + 1) * steps / rounds {
            // SAFETY: forwarded.
            unsafe { lanes::load_step(step, self.rows, self.offset, self.words) };
        }
    }
}
