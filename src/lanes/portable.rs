//! Plain arrays. The compiler turns these into whatever 128-bit vectors the target's baseline has.

use super::{Lanes, Simd, Vector};
use crate::isa::IsaKind;

pub(super) struct Portable;

impl Simd for Portable {
    type Lanes32 = Array<u32, 4>;
    type Lanes64 = Array<u64, 2>;
    const ISA: Option<IsaKind> = Some(IsaKind::Portable);
}

/// Lanes as they are, of one message or two in turn.
pub(super) struct Scalar;

impl Simd for Scalar {
    type Lanes32 = Array<u32, 1>;
    type Lanes64 = Array<u64, 1>;
    const ISA: Option<IsaKind> = None;
}

#[derive(Clone, Copy)]
pub(super) struct Array<T, const COUNT: usize>([T; COUNT]);

impl<T: Copy, const COUNT: usize> Array<T, COUNT> {
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

macro_rules! lanes {
    ($word:ty, $lanes:literal) => {
        impl Lanes for Array<$word, $lanes> {
            type Word = $word;
            type Vector = Self;
            const COUNT: usize = $lanes;
            const TERNARY: bool = false;
            const SCALAR: bool = $lanes == 1;

            #[inline(always)]
            unsafe fn splat(word: $word) -> Self {
                Self([word; $lanes])
            }

            operations! {
                [inline(always)]
                add(self, other) { self.zip(other, <$word>::wrapping_add) }
                sub(self, other) { self.zip(other, <$word>::wrapping_sub) }
                mul(self, other) { self.zip(other, <$word>::wrapping_mul) }
                xor(self, other) { self.zip(other, |a, b| a ^ b) }
                and(self, other) { self.zip(other, |a, b| a & b) }
                and_not(self, other) { self.zip(other, |a, b| !a & b) }
                choose(self, yes, no) { self.zip3(yes, no, |mask, yes, no| no ^ (mask & (yes ^ no))) }
                majority(self, b, c) { self.zip3(b, c, |a, b, c| b ^ ((a ^ b) & (b ^ c))) }
                parity(self, b, c) { self.zip3(b, c, |a, b, c| a ^ b ^ c) }
                rotate_left<BITS>(self) { self.map(|word| word.rotate_left(BITS as u32)) }
                shift_right<BITS>(self) { self.map(|word| word >> BITS) }
                swap_bytes(self) { self.map(<$word>::swap_bytes) }
            }

            #[inline(always)]
            unsafe fn pin(self) -> Self {
                // Of arrays that become vectors, the compiler had better choose the order: it knows the target's registers.
                #[cfg(target_arch = "x86_64")]
                if $lanes == 1 {
                    return self.map(|mut word| {
                        // SAFETY: no instruction.
                        unsafe {
                            core::arch::asm!("/* {0:r} */", inout(reg) word, options(nomem, nostack, preserves_flags));
                        }
                        word
                    });
                }
                self
            }

            fn vectors(&mut self) -> &mut [Self] {
                std::slice::from_mut(self)
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

        impl Vector for Array<$word, $lanes> {
            /// Rows after each other, four words each.
            #[inline(always)]
            unsafe fn fetch(nth: usize, rows: &[*const u8], offset: usize) -> Self {
                Self(std::array::from_fn(|lane| {
                    let (row, word) = ((nth * Self::COUNT + lane) / 4, (nth * Self::COUNT + lane) % 4);
                    let word = offset + word * size_of::<$word>();
                    // SAFETY: the caller vouches for four words at `offset` past each row; bytes need no alignment.
                    <$word>::from_le_bytes(unsafe { rows[row].add(word).cast::<[u8; size_of::<$word>()]>().read() })
                }))
            }

            #[inline(always)]
            unsafe fn transpose(fetched: [Self; 4]) -> [Self; 4] {
                let words = fetched.map(|vector| vector.0);
                std::array::from_fn(|word| Self(std::array::from_fn(|lane| words.as_flattened()[4 * lane + word])))
            }
        }
    };
}

lanes!(u32, 1);
lanes!(u64, 1);
lanes!(u32, 4);
lanes!(u64, 2);
