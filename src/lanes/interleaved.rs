//! Several vectors as one wider vector. Their instructions alternate, so that one vector's hide the latency of another's.

use super::{Lanes, Vector, Word};

/// `N` vectors side by side. The lanes of the second one follow those of the first.
#[derive(Clone, Copy)]
pub(crate) struct Interleaved<V, const N: usize>([V; N]);

/// `$result[n] = $operation` for each vector. A plain loop, because a closure would not inherit the vector features.
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

impl<V: Vector, const N: usize> Lanes for Interleaved<V, N> {
    type Word = V::Word;
    type Vector = V;
    const COUNT: usize = V::COUNT * N;
    const TERNARY: bool = V::TERNARY;
    const SCALAR: bool = V::SCALAR;

    #[inline(always)]
    unsafe fn splat(word: V::Word) -> Self {
        // SAFETY: forwarded.
        Self([unsafe { V::splat(word) }; N])
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
    fn vectors(&mut self) -> &mut [V] {
        &mut self.0
    }

    #[inline(always)]
    unsafe fn gather(mut lane: impl FnMut(usize) -> V::Word) -> Self {
        // SAFETY: forwarded; every vector is overwritten below.
        let mut result = unsafe { Self::splat(V::Word::ZERO) };
        for n in 0..N {
            // SAFETY: forwarded.
            result.0[n] = unsafe { V::gather(|index| lane(n * V::COUNT + index)) };
        }
        result
    }

    #[inline(always)]
    unsafe fn scatter(self, mut lane: impl FnMut(usize, V::Word)) {
        for n in 0..N {
            // SAFETY: forwarded.
            unsafe { self.0[n].scatter(|index, word| lane(n * V::COUNT + index, word)) };
        }
    }
}
