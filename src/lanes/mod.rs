//! Vectors whose lanes belong to different messages, for each instruction set.
//!
//! [`Lanes`] is the smallest set of operations that the hashes of `kernels/` need. Each instruction set is one thin file that
//! implements it. A [`Kernel`] is written once; [`enter`] runs it with the vectors of the chosen instruction set.

#![allow(unsafe_code)]

/// Defines methods of [`Lanes`] that take lanes and return lanes, each with the same attributes.
macro_rules! operations {
    ([$($attribute:meta),+]) => {};
    ([$($attribute:meta),+] $name:ident $(<$bits:ident>)? ($self:ident $(, $operand:ident)*) $body:block $($rest:tt)*) => {
        $(#[$attribute])+
        unsafe fn $name $(<const $bits: i32>)? ($self $(, $operand: Self)*) -> Self $body
        operations! { [$($attribute),+] $($rest)* }
    };
}

/// Defines what is alike in [`Lanes`] of all registers of x86-64.
#[cfg(target_arch = "x86_64")]
macro_rules! register {
    ($word:ident, $count:literal, $register:ident in $class:ident, $features:literal) => {
        type Word = $word;
        type Vector = Self;
        const COUNT: usize = $count;
        const SCALAR: bool = false;

        #[inline]
        #[target_feature(enable = $features)]
        unsafe fn pin(mut self) -> Self {
            // SAFETY: no instruction.
            unsafe { asm!("/* {0} */", inout($class) self.0, options(nomem, nostack, preserves_flags)) };
            self
        }

        fn vectors(&mut self) -> &mut [Self] {
            std::slice::from_mut(self)
        }

        #[inline]
        #[target_feature(enable = $features)]
        unsafe fn gather(mut lane: impl FnMut(usize) -> $word) -> Self {
            let mut words = [0; $count];
            for (index, word) in words.iter_mut().enumerate() {
                *word = lane(index);
            }
            // SAFETY: the array has the size of the register, and any bits are a value of it.
            Self(unsafe { std::mem::transmute::<[$word; $count], $register>(words) })
        }

        #[inline]
        #[target_feature(enable = $features)]
        unsafe fn scatter(self, mut lane: impl FnMut(usize, $word)) {
            // SAFETY: as in `gather`.
            let words = unsafe { std::mem::transmute::<$register, [$word; $count]>(self.0) };
            for (index, word) in words.into_iter().enumerate() {
                lane(index, word);
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod interleaved;
mod portable;

pub(crate) use interleaved::Interleaved;

use std::fmt::Debug;

use crate::isa::{Isa, IsaKind};

/// One word of each of `COUNT` messages.
///
/// # Safety
/// The methods are `unsafe` for one reason: callers must run on a CPU that has the implementor's instruction set.
pub(crate) trait Lanes: Copy {
    type Word: Word;
    /// The vectors that this consists of.
    type Vector: Vector<Word = Self::Word>;
    /// Number of messages.
    const COUNT: usize;
    /// Whether any function of three operands is one instruction.
    const TERNARY: bool;
    /// Whether the words are in general registers, not in vectors.
    const SCALAR: bool;

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
    /// The bits that are set in at least two of the three.
    unsafe fn majority(self, b: Self, c: Self) -> Self;
    /// `(self ^ b) ^ c`.
    unsafe fn parity(self, b: Self, c: Self) -> Self;
    unsafe fn rotate_left<const BITS: i32>(self) -> Self;
    unsafe fn shift_right<const BITS: i32>(self) -> Self;
    /// Reverses the bytes of each word.
    unsafe fn swap_bytes(self) -> Self;
    /// Optimisation barrier: the value must exist here. The compiler can neither move its computation past this point nor
    /// repeat it later. Results do not depend on it, only speed does.
    unsafe fn pin(self) -> Self;
    fn vectors(&mut self) -> &mut [Self::Vector];
    /// Makes lane `n` of `lane(n)`.
    unsafe fn gather(lane: impl FnMut(usize) -> Self::Word) -> Self;
    /// Calls `lane(n, word)` for each lane `n`.
    unsafe fn scatter(self, lane: impl FnMut(usize, Self::Word));
}

/// One register of lanes, which can be loaded from memory.
pub(crate) trait Vector: Lanes {
    /// The `nth` of the four vectors that hold four little-endian words of each row, `offset` bytes past its start, in
    /// the order that [`Vector::transpose`] takes.
    ///
    /// # Safety
    /// The CPU has the instructions; each row is readable for four words past `offset`.
    unsafe fn fetch(nth: usize, rows: &[*const u8], offset: usize) -> Self;
    /// Transposes four fetched vectors: the result is word 0, 1, 2 and 3 of each row.
    ///
    /// # Safety
    /// The CPU has the instructions.
    unsafe fn transpose(fetched: [Self; 4]) -> [Self; 4];
}

/// Bytes of a cache line.
const LINE: usize = 64;
/// How far ahead of a block memory is prefetched. The CPU's own prefetcher follows fewer rows than there are lanes.
const PREFETCH_DISTANCE: usize = 512;

/// Prefetches `bytes` from an address on, line by line.
#[inline(always)]
pub(crate) fn prefetch(address: *const u8, bytes: usize) {
    for line in (0..bytes).step_by(LINE) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: a hint, which does nothing where there is no memory. Later versions of Rust have it as safe.
        #[allow(unused_unsafe)]
        unsafe {
            use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            _mm_prefetch::<_MM_HINT_T0>(address.wrapping_add(line).cast());
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = (address, line);
    }
}
/// Number of steps in which [`load_step`] loads a block.
pub(crate) const fn load_steps<L: Lanes>() -> usize {
    8 * (L::COUNT / L::Vector::COUNT)
}

/// One of the steps, in order, that load the 16 words of a block. It either fetches some rows from end to end or transposes
/// words that were fetched. Whole rows, because rows that are a power of two apart share cache sets: no line is needed
/// again after its row was fetched.
///
/// # Safety
/// The CPU has the instructions of `L`; there is a row for each lane, readable for 16 words past `offset`.
#[inline(always)]
pub(crate) unsafe fn load_step<L: Lanes>(step: usize, rows: &[*const u8], offset: usize, words: &mut [L; 16]) {
    let (n, step) = (step / 8, step % 8);
    let rows = &rows[n * L::Vector::COUNT..][..L::Vector::COUNT];
    let quarters = words.as_chunks_mut::<4>().0;
    // SAFETY: forwarded.
    unsafe {
        if step < 4 {
            for row in rows.iter().skip(step).step_by(4) {
                prefetch(row.wrapping_add(offset + PREFETCH_DISTANCE), 16 * L::Word::BYTES);
            }
            for (nth, quarter) in quarters.iter_mut().enumerate() {
                let fetched = L::Vector::fetch(step, rows, offset + 4 * nth * L::Word::BYTES);
                quarter[step].vectors()[n] = fetched.pin();
            }
        } else {
            let quarter = &mut quarters[step - 4];
            let [a, b, c, d] = quarter;
            let [a, b, c, d] = [a.vectors()[n], b.vectors()[n], c.vectors()[n], d.vectors()[n]];
            for (words, word) in quarter.iter_mut().zip(L::Vector::transpose([a, b, c, d])) {
                words.vectors()[n] = word;
            }
        }
    }
}

/// The vectors of one instruction set.
pub(crate) trait Simd {
    type Lanes32: Vector<Word = u32>;
    type Lanes64: Vector<Word = u64>;
    /// Which one it is; `None` for scalar words.
    const ISA: Option<IsaKind>;
}

/// The content of a lane: `u32` or `u64`.
pub(crate) trait Word: Copy + Debug + Send + Sync + 'static {
    /// The vectors of these words.
    type Vector<S: Simd>: Vector<Word = Self>;
    const ZERO: Self;
    const BYTES: usize = size_of::<Self>();
    fn to_bytes(self, little_endian: bool) -> impl AsRef<[u8]>;
}

impl Word for u32 {
    type Vector<S: Simd> = S::Lanes32;
    const ZERO: Self = 0;
    fn to_bytes(self, little_endian: bool) -> impl AsRef<[u8]> {
        if little_endian { self.to_le_bytes() } else { self.to_be_bytes() }
    }
}

impl Word for u64 {
    type Vector<S: Simd> = S::Lanes64;
    const ZERO: Self = 0;
    fn to_bytes(self, little_endian: bool) -> impl AsRef<[u8]> {
        if little_endian { self.to_le_bytes() } else { self.to_be_bytes() }
    }
}

/// Code that is written once for all instruction sets.
pub(crate) trait Kernel {
    /// Implementations are `#[inline(always)]`, so that they are compiled with the features of the entry point.
    ///
    /// # Safety
    /// The CPU has `S`'s instruction set.
    unsafe fn run<S: Simd>(self);
}

/// Runs `kernel` with the vectors of `isa`.
pub(crate) fn enter(isa: Isa, kernel: impl Kernel) {
    match isa.kind() {
        // SAFETY: portable code runs on any CPU.
        IsaKind::Portable => unsafe { kernel.run::<portable::Portable>() },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: an `Isa` of this kind proves that the CPU has AVX2.
        IsaKind::Avx2 => unsafe { avx2::enter(kernel) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: an `Isa` of this kind proves that the CPU has AVX-512F, BW, DQ and VL.
        IsaKind::Avx512 => unsafe { avx512::enter(kernel) },
        #[cfg(not(target_arch = "x86_64"))]
        IsaKind::Avx2 | IsaKind::Avx512 => unreachable!("`Isa::available` has none of x86-64 here"),
    }
}

/// Runs `kernel` with scalar words instead of vectors, for one message or two.
pub(crate) fn enter_scalar(isa: Isa, kernel: impl Kernel) {
    /// # Safety
    /// The CPU has BMI1 and BMI2.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "bmi1,bmi2")]
    unsafe fn with_bit_manipulation(kernel: impl Kernel) {
        // SAFETY: scalar words run on any CPU.
        unsafe { kernel.run::<portable::Scalar>() }
    }
    #[cfg(target_arch = "x86_64")]
    if isa != Isa::PORTABLE {
        // SAFETY: any other `Isa` proves that the CPU has BMI1 and BMI2, too.
        return unsafe { with_bit_manipulation(kernel) };
    }
    let _ = isa;
    // SAFETY: scalar words run on any CPU.
    unsafe { kernel.run::<portable::Scalar>() }
}

#[cfg(test)]
mod tests {
    use super::{Interleaved, Kernel, Lanes, Simd, enter, load_step, load_steps};
    use crate::isa::Isa;

    /// Each operation of each instruction set, lane by lane, against scalar code.
    struct Check;

    impl Kernel for Check {
        #[inline(always)]
        unsafe fn run<S: Simd>(self) {
            check32::<S::Lanes32>();
            check32::<Interleaved<S::Lanes32, 2>>();
            check64::<S::Lanes64>();
            check64::<Interleaved<S::Lanes64, 2>>();
        }
    }

    /// Not inlined: dozens of unrolled copies would take the compiler minutes.
    #[inline(never)]
    fn lanes_of<L: Lanes>(vector: L) -> Vec<L::Word> {
        let mut lanes = Vec::new();
        // SAFETY: called inside `enter`.
        unsafe { vector.scatter(|_, word| lanes.push(word)) };
        lanes
    }

    fn same<L: Lanes<Word: PartialEq>>(vector: L, expected: impl Fn(usize) -> L::Word) {
        assert_eq!(lanes_of(vector), (0..L::COUNT).map(expected).collect::<Vec<_>>());
    }

    macro_rules! check {
        ($name:ident, $word:ty) => {
            fn $name<L: Lanes<Word = $word>>() {
                let word = |lane: usize, salt: u32| {
                    (lane as $word + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15u64 as $word).rotate_left(salt)
                        ^ <$word>::from(salt)
                };
                let (a, b, c) = (|l| word(l, 3), |l| word(l, 11), |l| word(l, 29));
                const BYTES: usize = size_of::<$word>();
                // SAFETY: called inside `enter`; each row has 16 words.
                unsafe {
                    let (va, vb, vc) = (L::gather(a), L::gather(b), L::gather(c));
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
                    same(L::splat(0x0123_4567), |_| 0x0123_4567);

                    let bytes: Vec<[u8; 16 * BYTES]> =
                        (0..L::COUNT).map(|lane| std::array::from_fn(|i| (lane * 67 + i * 5) as u8)).collect();
                    let rows: Vec<*const u8> = bytes.iter().map(|row| row.as_ptr()).collect();
                    let word = |lane: usize, i: usize| {
                        <$word>::from_le_bytes(*bytes[lane].as_chunks().0[i..].first().unwrap())
                    };
                    let mut words = [L::splat(0); 16];
                    for step in 0..load_steps::<L>() {
                        load_step(step, &rows, 0, &mut words);
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
