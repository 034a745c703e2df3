//! Vectors whose lanes belong to different messages, and the instruction sets that carry them.
//!
//! [`Words`] is the smallest set of operations that the hashes of `multibuffer/` need. Each instruction set is one thin
//! file; [`enter`] runs a [`Kernel`], which is written once, inside the chosen one.

#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
mod avx2;
mod interleaved;
mod portable;
#[cfg(target_arch = "x86_64")]
pub(crate) mod sha;

pub(crate) use interleaved::Interleaved;

use std::fmt::Debug;

use crate::isa::{Isa, Kind};

/// One word of each of `LANES` messages.
///
/// The operations are `unsafe` only because of the instructions they use: that is every method's whole duty.
///
/// # Safety
/// Callers of any method run on a CPU that has the implementor's instruction set.
pub(crate) trait Words: Copy {
    type Word: Word;
    /// Messages side by side.
    const LANES: usize;

    unsafe fn splat(word: Self::Word) -> Self;
    unsafe fn add(self, other: Self) -> Self;
    unsafe fn xor(self, other: Self) -> Self;
    unsafe fn or(self, other: Self) -> Self;
    unsafe fn and(self, other: Self) -> Self;
    unsafe fn not(self) -> Self;
    /// `!self & other`.
    unsafe fn and_not(self, other: Self) -> Self;
    /// `(self & yes) | (!self & no)`.
    unsafe fn choose(self, yes: Self, no: Self) -> Self;
    /// The bits that at least two of the three have.
    unsafe fn majority(self, b: Self, c: Self) -> Self;
    unsafe fn rotate_left<const BITS: i32>(self) -> Self;
    unsafe fn shift_right<const BITS: i32>(self) -> Self;
    /// Reverses the bytes of each word.
    unsafe fn swap_bytes(self) -> Self;
    /// Transposing load: four little-endian words at `offset` bytes past each of the `LANES` rows.
    ///
    /// # Safety
    /// Each row is readable for four words past `offset`.
    unsafe fn load(rows: &[*const u8], offset: usize) -> [Self; 4];
    /// Lane `n` of the result is `lane(n)`.
    unsafe fn gather(lane: impl FnMut(usize) -> Self::Word) -> Self;
    /// Gives lane `n` to `lane(n, _)`.
    unsafe fn scatter(self, lane: impl FnMut(usize, Self::Word));
}

/// The vectors of one instruction set.
pub(crate) trait Simd {
    type Words32: Words<Word = u32>;
    type Words64: Words<Word = u64>;
    /// Whether [`Interleaved`] vectors are faster than single ones. Not where the compiler finds the vectors itself: it
    /// gives up on twice as many words.
    const INTERLEAVES: bool;
}

/// What a lane holds: `u32` or `u64`.
pub(crate) trait Word: Copy + Debug + 'static {
    /// The vectors of such words.
    type Vector<S: Simd>: Words<Word = Self>;
    const ZERO: Self;
    const BYTES: usize = size_of::<Self>();
    fn to_bytes(self, little_endian: bool) -> impl AsRef<[u8]>;
}

impl Word for u32 {
    type Vector<S: Simd> = S::Words32;
    const ZERO: Self = 0;
    fn to_bytes(self, little_endian: bool) -> impl AsRef<[u8]> {
        if little_endian { self.to_le_bytes() } else { self.to_be_bytes() }
    }
}

impl Word for u64 {
    type Vector<S: Simd> = S::Words64;
    const ZERO: Self = 0;
    fn to_bytes(self, little_endian: bool) -> impl AsRef<[u8]> {
        if little_endian { self.to_le_bytes() } else { self.to_be_bytes() }
    }
}

/// Work that is written once for all instruction sets.
pub(crate) trait Kernel {
    /// Implementations are `#[inline(always)]`, so that they are compiled with the features of the entry point.
    ///
    /// # Safety
    /// The CPU has `S`'s instruction set.
    unsafe fn run<S: Simd>(self);
}

/// Runs `kernel` with the instructions of `isa`.
pub(crate) fn enter(isa: Isa, kernel: impl Kernel) {
    match isa.kind() {
        // SAFETY: portable code needs nothing of the CPU.
        Kind::Portable => unsafe { kernel.run::<portable::Portable>() },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: an `Isa` of this kind exists only where the CPU was found to have AVX2.
        Kind::Avx2 => unsafe { avx2::enter(kernel) },
    }
}

#[cfg(test)]
mod tests {
    use super::{Interleaved, Kernel, Simd, Words, enter};
    use crate::isa::Isa;

    /// Each operation of each instruction set, lane by lane, against scalar code.
    struct Check;

    impl Kernel for Check {
        #[inline(always)]
        unsafe fn run<S: Simd>(self) {
            check32::<S::Words32>();
            check32::<Interleaved<S::Words32, 2>>();
            check64::<S::Words64>();
            check64::<Interleaved<S::Words64, 2>>();
        }
    }

    macro_rules! check {
        ($name:ident, $word:ty) => {
            fn $name<W: Words<Word = $word>>() {
                let word = |lane: usize, salt: u32| {
                    (lane as $word + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15u64 as $word).rotate_left(salt)
                        ^ <$word>::from(salt)
                };
                let (a, b, c) = (|l| word(l, 3), |l| word(l, 11), |l| word(l, 29));
                const BYTES: usize = size_of::<$word>();
                // SAFETY: called inside `enter`; each row has 16 words and each load reads 4 of them.
                unsafe {
                    let (va, vb, vc) = (W::gather(a), W::gather(b), W::gather(c));
                    va.add(vb).scatter(|l, x| assert_eq!(x, a(l).wrapping_add(b(l))));
                    va.xor(vb).scatter(|l, x| assert_eq!(x, a(l) ^ b(l)));
                    va.or(vb).scatter(|l, x| assert_eq!(x, a(l) | b(l)));
                    va.and(vb).scatter(|l, x| assert_eq!(x, a(l) & b(l)));
                    va.and_not(vb).scatter(|l, x| assert_eq!(x, !a(l) & b(l)));
                    va.not().scatter(|l, x| assert_eq!(x, !a(l)));
                    va.choose(vb, vc).scatter(|l, x| assert_eq!(x, (a(l) & b(l)) | (!a(l) & c(l))));
                    va.majority(vb, vc).scatter(|l, x| assert_eq!(x, (a(l) & b(l)) | (a(l) & c(l)) | (b(l) & c(l))));
                    va.rotate_left::<7>().scatter(|l, x| assert_eq!(x, a(l).rotate_left(7)));
                    va.shift_right::<3>().scatter(|l, x| assert_eq!(x, a(l) >> 3));
                    va.swap_bytes().scatter(|l, x| assert_eq!(x, a(l).swap_bytes()));
                    W::splat(0x0123_4567).scatter(|_, x| assert_eq!(x, 0x0123_4567));

                    let bytes: Vec<[u8; 16 * BYTES]> =
                        (0..W::LANES).map(|lane| std::array::from_fn(|i| (lane * 67 + i * 5) as u8)).collect();
                    let rows: Vec<*const u8> = bytes.iter().map(|row| row.as_ptr()).collect();
                    for offset in (0..16 * BYTES).step_by(4 * BYTES) {
                        for (i, vector) in W::load(&rows, offset).into_iter().enumerate() {
                            let at = offset + BYTES * i;
                            vector.scatter(|lane, x| assert_eq!(x.to_le_bytes(), bytes[lane][at..at + BYTES]));
                        }
                    }
                }
            }
        };
    }
    check!(check32, u32);
    check!(check64, u64);

    #[test]
    fn operations_equal_scalar_code() {
        for isa in Isa::available() {
            enter(isa, Check);
        }
    }
}
