//! Vectors whose lanes belong to different messages, and the instruction sets that carry them.
//!
//! [`Words`] is the smallest set of operations that the hashes of `multibuffer/` need. Each instruction set is one thin
//! file; [`enter`] runs a [`Kernel`], which is written once, inside the chosen one.

#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
pub(crate) mod clmul;
mod interleaved;
mod portable;
#[cfg(target_arch = "x86_64")]
pub(crate) mod sha;
#[cfg(target_arch = "x86_64")]
pub(crate) mod sha512;

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
    /// What this is made of.
    type Vector: Vector<Word = Self::Word>;
    /// Messages side by side.
    const LANES: usize;
    /// Any function of three operands is one instruction.
    const TERNARY: bool;
    /// Vectors that the instructions can name; of plain words, 0.
    const REGISTERS: usize;

    unsafe fn splat(word: Self::Word) -> Self;
    unsafe fn add(self, other: Self) -> Self;
    unsafe fn sub(self, other: Self) -> Self;
    unsafe fn mul(self, other: Self) -> Self;
    unsafe fn xor(self, other: Self) -> Self;
    unsafe fn and(self, other: Self) -> Self;
    /// `!self & other`.
    unsafe fn and_not(self, other: Self) -> Self;
    /// `(self & yes) | (!self & no)`.
    unsafe fn choose(self, yes: Self, no: Self) -> Self;
    /// The bits that at least two of the three have.
    unsafe fn majority(self, b: Self, c: Self) -> Self;
    /// `(self ^ b) ^ c`.
    unsafe fn parity(self, b: Self, c: Self) -> Self;
    unsafe fn rotate_left<const BITS: i32>(self) -> Self;
    unsafe fn shift_right<const BITS: i32>(self) -> Self;
    /// Reverses the bytes of each word.
    unsafe fn swap_bytes(self) -> Self;
    /// The same value, which the compiler has to have at this point: it can neither move what the value is made of past it
    /// nor make it anew later. Where it ignores this, nothing but speed is lost.
    unsafe fn pin(self) -> Self;
    fn vectors(&mut self) -> &mut [Self::Vector];
    /// Lane `n` of the result is `lane(n)`.
    unsafe fn gather(lane: impl FnMut(usize) -> Self::Word) -> Self;
    /// Gives lane `n` to `lane(n, _)`.
    unsafe fn scatter(self, lane: impl FnMut(usize, Self::Word));
}

/// The words of one register, which know how to get there from memory.
pub(crate) trait Vector: Words {
    /// The `nth` of the four vectors that hold four little-endian words at `offset` bytes past each of the `LANES` rows, in
    /// the order that [`Vector::transpose`] takes.
    ///
    /// # Safety
    /// The CPU has the instructions; each row is readable for four words past `offset`.
    unsafe fn fetch(nth: usize, rows: &[*const u8], offset: usize) -> Self;
    /// Four fetched vectors as four words of each row.
    ///
    /// # Safety
    /// The CPU has the instructions.
    unsafe fn transpose(fetched: [Self; 4]) -> [Self; 4];
}

/// Bytes of a cache line.
const LINE: usize = 64;
/// How far ahead of a block memory is asked for: the CPU follows fewer rows than there are lanes, above all when two threads
/// share a core.
const AHEAD: usize = 512;

/// Asks for the cache line of an address.
#[inline(always)]
fn prefetch(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint, which does nothing where there is no memory. Later versions of Rust have it as safe.
    #[allow(unused_unsafe)]
    unsafe {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(address.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

/// How many steps of [`load_piece`] load a block.
pub(crate) const fn pieces<W: Words>() -> usize {
    8 * (W::LANES / W::Vector::LANES)
}

/// One of the steps, in order, that load the 16 words of a block: it fetches rows from end to end, or transposes what was
/// fetched. Rows that are a power of two apart share a cache set, and none is needed there twice.
///
/// # Safety
/// The CPU has `W`'s instructions; there is a row for each lane, readable for 16 words past `offset`.
#[inline(always)]
pub(crate) unsafe fn load_piece<W: Words>(piece: usize, rows: &[*const u8], offset: usize, words: &mut [W; 16]) {
    let (n, piece) = (piece / 8, piece % 8);
    let rows = &rows[n * W::Vector::LANES..][..W::Vector::LANES];
    let quarters = words.as_chunks_mut::<4>().0;
    // SAFETY: forwarded.
    unsafe {
        if piece < 4 {
            for row in rows.iter().skip(piece).step_by(4) {
                for line in (0..16 * W::Word::BYTES).step_by(LINE) {
                    prefetch(row.wrapping_add(offset + AHEAD + line));
                }
            }
            for (nth, quarter) in quarters.iter_mut().enumerate() {
                let fetched = W::Vector::fetch(piece, rows, offset + 4 * nth * W::Word::BYTES);
                quarter[piece].vectors()[n] = fetched.pin();
            }
        } else {
            let quarter = &mut quarters[piece - 4];
            let [a, b, c, d] = quarter;
            let [a, b, c, d] = [a.vectors()[n], b.vectors()[n], c.vectors()[n], d.vectors()[n]];
            for (words, word) in quarter.iter_mut().zip(W::Vector::transpose([a, b, c, d])) {
                words.vectors()[n] = word;
            }
        }
    }
}

/// The vectors of one instruction set.
pub(crate) trait Simd {
    type Words32: Vector<Word = u32>;
    type Words64: Vector<Word = u64>;
    /// Vectors of MD5's state and temporaries that the registers hold, so that [`Interleaved`] ones pay.
    const GROUPS: usize;
}

/// What a lane holds: `u32` or `u64`.
pub(crate) trait Word: Copy + Debug + Send + 'static {
    /// The vectors of such words.
    type Vector<S: Simd>: Vector<Word = Self>;
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
        #[cfg(target_arch = "x86_64")]
        // SAFETY: an `Isa` of this kind exists only where the CPU was found to have AVX-512F, BW, DQ and VL.
        Kind::Avx512 => unsafe { avx512::enter(kernel) },
    }
}

/// Runs `kernel` with words instead of vectors, for one message or two.
pub(crate) fn enter_scalar(isa: Isa, kernel: impl Kernel) {
    /// # Safety
    /// The CPU has BMI1 and BMI2.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "bmi1,bmi2")]
    unsafe fn with_bit_manipulation(kernel: impl Kernel) {
        // SAFETY: plain words need nothing of the CPU.
        unsafe { kernel.run::<portable::Scalar>() }
    }
    match isa.kind() {
        // SAFETY: plain words need nothing of the CPU.
        Kind::Portable => unsafe { kernel.run::<portable::Scalar>() },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: an `Isa` of these kinds exists only where the CPU was found to have BMI1 and BMI2, too.
        Kind::Avx2 | Kind::Avx512 => unsafe { with_bit_manipulation(kernel) },
    }
}

#[cfg(test)]
mod tests {
    use super::{Interleaved, Kernel, Simd, Words, enter, load_piece, pieces};
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

    /// Not inlined: dozens of unrolled copies would take the compiler minutes.
    #[inline(never)]
    fn lanes_of<W: Words>(vector: W) -> Vec<W::Word> {
        let mut lanes = Vec::new();
        // SAFETY: called inside `enter`.
        unsafe { vector.scatter(|_, word| lanes.push(word)) };
        lanes
    }

    fn same<W: Words<Word: PartialEq>>(vector: W, expected: impl Fn(usize) -> W::Word) {
        assert_eq!(lanes_of(vector), (0..W::LANES).map(expected).collect::<Vec<_>>());
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
                // SAFETY: called inside `enter`; each row has 16 words.
                unsafe {
                    let (va, vb, vc) = (W::gather(a), W::gather(b), W::gather(c));
                    same(va.add(vb), |l| a(l).wrapping_add(b(l)));
                    same(va.sub(vb), |l| a(l).wrapping_sub(b(l)));
                    same(va.mul(vb), |l| a(l).wrapping_mul(b(l)));
                    same(va.xor(vb), |l| a(l) ^ b(l));
                    same(va.and(vb), |l| a(l) & b(l));
                    same(va.and_not(vb), |l| !a(l) & b(l));
                    same(va.choose(vb, vc), |l| (a(l) & b(l)) | (!a(l) & c(l)));
                    same(va.majority(vb, vc), |l| (a(l) & b(l)) | (a(l) & c(l)) | (b(l) & c(l)));
                    same(va.parity(vb, vc), |l| a(l) ^ b(l) ^ c(l));
                    same(va.rotate_left::<7>(), |l| a(l).rotate_left(7));
                    same(va.shift_right::<3>(), |l| a(l) >> 3);
                    same(va.swap_bytes(), |l| a(l).swap_bytes());
                    same(W::splat(0x0123_4567), |_| 0x0123_4567);

                    let bytes: Vec<[u8; 16 * BYTES]> =
                        (0..W::LANES).map(|lane| std::array::from_fn(|i| (lane * 67 + i * 5) as u8)).collect();
                    let rows: Vec<*const u8> = bytes.iter().map(|row| row.as_ptr()).collect();
                    let word = |lane: usize, i: usize| {
                        <$word>::from_le_bytes(*bytes[lane].as_chunks().0[i..].first().unwrap())
                    };
                    let mut words = [W::splat(0); 16];
                    for piece in 0..pieces::<W>() {
                        load_piece(piece, &rows, 0, &mut words);
                    }
                    for (i, vector) in words.into_iter().enumerate() {
                        same(vector, |lane| word(lane, i));
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
