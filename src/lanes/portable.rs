//! Plain arrays. The compiler turns these loops into whatever vectors the target's baseline has.

use super::{Simd, Words};

pub(super) struct Portable;

impl Simd for Portable {
    type Words32 = U32x4;
    const INTERLEAVES: bool = false;
}

#[derive(Clone, Copy)]
pub(super) struct U32x4([u32; 4]);

impl U32x4 {
    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(u32, u32) -> u32) -> Self {
        Self(std::array::from_fn(|lane| f(self.0[lane], other.0[lane])))
    }
}

impl Words for U32x4 {
    type Word = u32;
    const LANES: usize = 4;
    const ZERO: u32 = 0;

    #[inline(always)]
    unsafe fn splat(word: u32) -> Self {
        Self([word; 4])
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        self.zip(other, u32::wrapping_add)
    }

    #[inline(always)]
    unsafe fn xor(self, other: Self) -> Self {
        self.zip(other, |a, b| a ^ b)
    }

    #[inline(always)]
    unsafe fn or(self, other: Self) -> Self {
        self.zip(other, |a, b| a | b)
    }

    #[inline(always)]
    unsafe fn and(self, other: Self) -> Self {
        self.zip(other, |a, b| a & b)
    }

    #[inline(always)]
    unsafe fn not(self) -> Self {
        Self(self.0.map(|word| !word))
    }

    #[inline(always)]
    unsafe fn and_not(self, other: Self) -> Self {
        self.zip(other, |a, b| !a & b)
    }

    #[inline(always)]
    unsafe fn choose(self, yes: Self, no: Self) -> Self {
        Self(std::array::from_fn(|lane| no.0[lane] ^ (self.0[lane] & (yes.0[lane] ^ no.0[lane]))))
    }

    #[inline(always)]
    unsafe fn rotate_left<const BITS: i32>(self) -> Self {
        Self(self.0.map(|word| word.rotate_left(BITS as u32)))
    }

    #[inline(always)]
    unsafe fn load(rows: &[*const u8], offset: usize) -> [Self; 4] {
        let mut words = [Self([0; 4]); 4];
        for (lane, row) in rows.iter().enumerate() {
            // SAFETY: the caller vouches for four words at `offset` past each row; byte arrays need no alignment.
            let row = unsafe { row.add(offset).cast::<[[u8; 4]; 4]>().read() };
            for (vector, word) in words.iter_mut().zip(row) {
                vector.0[lane] = u32::from_le_bytes(word);
            }
        }
        words
    }

    #[inline(always)]
    unsafe fn gather(lane: impl FnMut(usize) -> u32) -> Self {
        Self(std::array::from_fn(lane))
    }

    #[inline(always)]
    unsafe fn scatter(self, mut lane: impl FnMut(usize, u32)) {
        for (index, word) in self.0.into_iter().enumerate() {
            lane(index, word);
        }
    }
}
