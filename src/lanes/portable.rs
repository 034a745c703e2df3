//! Plain arrays. The compiler turns these into whatever 128-bit vectors the target's baseline has.

use super::{Simd, Words};

pub(super) struct Portable;

impl Simd for Portable {
    type Words32 = Array<u32, 4>;
    type Words64 = Array<u64, 2>;
    const INTERLEAVES: bool = false;
}

/// One message: words as they are.
pub(super) struct Scalar;

impl Simd for Scalar {
    type Words32 = Array<u32, 1>;
    type Words64 = Array<u64, 1>;
    const INTERLEAVES: bool = true;
}

#[derive(Clone, Copy)]
pub(super) struct Array<T, const LANES: usize>([T; LANES]);

impl<T: Copy, const LANES: usize> Array<T, LANES> {
    #[inline(always)]
    fn map(self, f: impl Fn(T) -> T) -> Self {
        Self(self.0.map(f))
    }

    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(T, T) -> T) -> Self {
        Self(std::array::from_fn(|lane| f(self.0[lane], other.0[lane])))
    }

    #[inline(always)]
    fn zip3(self, b: Self, c: Self, f: impl Fn(T, T, T) -> T) -> Self {
        Self(std::array::from_fn(|lane| f(self.0[lane], b.0[lane], c.0[lane])))
    }
}

macro_rules! words {
    ($word:ty, $lanes:literal) => {
        impl Words for Array<$word, $lanes> {
            type Word = $word;
            const LANES: usize = $lanes;
            const TERNARY: bool = false;

            #[inline(always)]
            unsafe fn splat(word: $word) -> Self {
                Self([word; $lanes])
            }

            #[inline(always)]
            unsafe fn add(self, other: Self) -> Self {
                self.zip(other, <$word>::wrapping_add)
            }

            #[inline(always)]
            unsafe fn mul(self, other: Self) -> Self {
                self.zip(other, <$word>::wrapping_mul)
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
                self.map(|word| !word)
            }

            #[inline(always)]
            unsafe fn and_not(self, other: Self) -> Self {
                self.zip(other, |a, b| !a & b)
            }

            #[inline(always)]
            unsafe fn choose(self, yes: Self, no: Self) -> Self {
                self.zip3(yes, no, |mask, yes, no| no ^ (mask & (yes ^ no)))
            }

            #[inline(always)]
            unsafe fn majority(self, b: Self, c: Self) -> Self {
                self.zip3(b, c, |a, b, c| b ^ ((a ^ b) & (b ^ c)))
            }

            #[inline(always)]
            unsafe fn parity(self, b: Self, c: Self) -> Self {
                self.zip3(b, c, |a, b, c| a ^ b ^ c)
            }

            #[inline(always)]
            unsafe fn rotate_left<const BITS: i32>(self) -> Self {
                self.map(|word| word.rotate_left(BITS as u32))
            }

            #[inline(always)]
            unsafe fn shift_right<const BITS: i32>(self) -> Self {
                self.map(|word| word >> BITS)
            }

            #[inline(always)]
            unsafe fn swap_bytes(self) -> Self {
                self.map(<$word>::swap_bytes)
            }

            #[inline(always)]
            unsafe fn load(rows: &[*const u8], offset: usize) -> [Self; 4] {
                let mut words = [Self([0; $lanes]); 4];
                for (lane, row) in rows.iter().enumerate() {
                    // SAFETY: the caller vouches for four words at `offset` past each row; bytes need no alignment.
                    let row = unsafe { row.add(offset).cast::<[[u8; size_of::<$word>()]; 4]>().read() };
                    for (vector, word) in words.iter_mut().zip(row) {
                        vector.0[lane] = <$word>::from_le_bytes(word);
                    }
                }
                words
            }

            #[inline(always)]
            unsafe fn gather(lane: impl FnMut(usize) -> $word) -> Self {
                Self(std::array::from_fn(lane))
            }

            #[inline(always)]
            unsafe fn scatter(self, mut lane: impl FnMut(usize, $word)) {
                for (index, word) in self.0.into_iter().enumerate() {
                    lane(index, word);
                }
            }
        }
    };
}

words!(u32, 1);
words!(u64, 1);
words!(u32, 4);
words!(u64, 2);
