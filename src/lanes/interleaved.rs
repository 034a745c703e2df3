//! Several vectors as one wider one: their instructions alternate, so that one hides the other's latency.

use super::{Lanes, Vector, Word};

/// `N` vectors side by side; lanes are numbered through.
#[derive(Clone, Copy)]
pub(crate) struct Interleaved<W, const N: usize>([W; N]);

/// `$result[n] = $operation` for every group; a plain loop, because a closure would not inherit the vector features.
macro_rules! each {
    ($from:ident, $n:ident => $operation:expr) => {{
        let mut result = $from;
        for $n in 0..N {
            // SAFETY: forwarded, under the same duty as the method this is in.
            result.0[$n] = unsafe { $operation };
        }
        result
    }};
}

impl<W: Vector, const N: usize> Lanes for Interleaved<W, N> {
    type Word = W::Word;
    type Vector = W;
    const COUNT: usize = W::COUNT * N;
    const TERNARY: bool = W::TERNARY;
    const SCALAR: bool = W::SCALAR;

    #[inline(always)]
    unsafe fn splat(word: W::Word) -> Self {
        // SAFETY: forwarded.
        Self([unsafe { W::splat(word) }; N])
    }

    operations! {
        [inline(always)]
        add(self, other) { each!(self, n => self.0[n].add(other.0[n])) }
        sub(self, other) { each!(self, n => self.0[n].sub(other.0[n])) }
        mul(self, other) { each!(self, n => self.0[n].mul(other.0[n])) }
        xor(self, other) { each!(self, n => self.0[n].xor(other.0[n])) }
        and(self, other) { each!(self, n => self.0[n].and(other.0[n])) }
        and_not(self, other) { each!(self, n => self.0[n].and_not(other.0[n])) }
        choose(self, yes, no) { each!(self, n => self.0[n].choose(yes.0[n], no.0[n])) }
        majority(self, b, c) { each!(self, n => self.0[n].majority(b.0[n], c.0[n])) }
        parity(self, b, c) { each!(self, n => self.0[n].parity(b.0[n], c.0[n])) }
        rotate_left<BITS>(self) { each!(self, n => self.0[n].rotate_left::<BITS>()) }
        shift_right<BITS>(self) { each!(self, n => self.0[n].shift_right::<BITS>()) }
        swap_bytes(self) { each!(self, n => self.0[n].swap_bytes()) }
        pin(self) { each!(self, n => self.0[n].pin()) }
    }

    #[inline(always)]
    fn vectors(&mut self) -> &mut [W] {
        &mut self.0
    }

    #[inline(always)]
    unsafe fn gather(mut lane: impl FnMut(usize) -> W::Word) -> Self {
        // SAFETY: forwarded; a value that every group below overwrites.
        let mut result = unsafe { Self::splat(W::Word::ZERO) };
        for n in 0..N {
            // SAFETY: forwarded.
            result.0[n] = unsafe { W::gather(|index| lane(n * W::COUNT + index)) };
        }
        result
    }

    #[inline(always)]
    unsafe fn scatter(self, mut lane: impl FnMut(usize, W::Word)) {
        for n in 0..N {
            // SAFETY: forwarded.
            unsafe { self.0[n].scatter(|index, word| lane(n * W::COUNT + index, word)) };
        }
    }
}
