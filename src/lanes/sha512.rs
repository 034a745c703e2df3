//! SHA-512 (FIPS 180-4) of one message.
//!
//! Blocks depend on each other through the state alone, so vectors hold the schedules of as many blocks as they have lanes.
//! They run beside the rounds, on plain words, of as many blocks before those: the two use different units of the CPU.
//! The rounds are bound by their chains of dependent instructions: the compiler's order of them is a seventh slower than
//! this one, and the schedule has to be dealt out in pieces of a few instructions.

use core::{arch::asm, mem::MaybeUninit};

use super::{Kernel, Simd, Vector, enter};
use crate::isa::Isa;

const BLOCK: usize = 128;
const ROUNDS: usize = 80;
const MAX_LANES: usize = 8;

/// Folds whole blocks into the state, with the `constants` of the rounds.
///
/// # Panics
/// If `isa` is portable: the rounds need BMI1 and BMI2.
pub(crate) fn compress(isa: Isa, constants: &[u64; ROUNDS], state: &mut [u64; 8], blocks: &[[u8; BLOCK]]) {
    assert!(!isa.is_portable(), "the rounds need BMI1 and BMI2");
    if !blocks.is_empty() {
        enter(isa, Compress { constants, state, blocks });
    }
}

struct Compress<'a> {
    constants: &'a [u64; ROUNDS],
    state: &'a mut [u64; 8],
    blocks: &'a [[u8; BLOCK]],
}

/// The schedules of `LANES` blocks: their words, and the sums of those with the constants.
struct Schedules<W> {
    words: [W; ROUNDS],
    sums: [W; ROUNDS],
}

/// Where the next word of [`Schedules`] goes, and what it is made of. Rounds leave no registers for the pointers, so each
/// use reads them.
struct Step<W> {
    word: *mut W,
    sum: *mut W,
    constant: *const u64,
    x: W,
    y: W,
    sigma0: W,
    sigma1: W,
}

impl<W: Vector<Word = u64>> Step<W> {
    const PIECES: usize = 8;

    /// # Safety
    /// The CPU has `W`'s instructions.
    #[inline(always)]
    unsafe fn new() -> Self {
        // SAFETY: forwarded.
        let zero = unsafe { W::splat(0) };
        let (word, sum) = (std::ptr::null_mut(), std::ptr::null_mut());
        Self { word, sum, constant: std::ptr::null(), x: zero, y: zero, sigma0: zero, sigma1: zero }
    }

    /// Loads the first 16 words of blocks from the rows.
    ///
    /// # Safety
    /// The CPU has `W`'s instructions; the schedules are writable, the rows readable for a block.
    #[inline(always)]
    unsafe fn load(&mut self, schedules: *mut Schedules<W>, constants: &[u64; ROUNDS], rows: &[*const u8]) {
        // SAFETY: forwarded.
        unsafe {
            (self.word, self.sum) = ((&raw mut (*schedules).words).cast(), (&raw mut (*schedules).sums).cast());
            self.constant = constants.as_ptr();
            for offset in (0..BLOCK).step_by(32) {
                let fetched = [0, 1, 2, 3].map(|nth| W::fetch(nth, rows, offset));
                for word in W::transpose(fetched) {
                    self.put(word.swap_bytes());
                }
            }
        }
    }

    /// # Safety
    /// The CPU has `W`'s instructions; the pointers are within their arrays.
    #[inline(always)]
    unsafe fn put(&mut self, new: W) {
        // SAFETY: forwarded.
        unsafe {
            let [word, sum] = [&raw const self.word, &raw const self.sum].map(|pointer| pointer.read_volatile());
            let constant = (&raw const self.constant).read_volatile();
            word.write(new);
            sum.write(new.add(W::splat(constant.read())));
            (&raw mut self.word).write_volatile(word.add(1));
            (&raw mut self.sum).write_volatile(sum.add(1));
            (&raw mut self.constant).write_volatile(constant.add(1));
        }
    }

    /// One of the pieces, in order, that make a word.
    ///
    /// # Safety
    /// The CPU has `W`'s instructions; the 16 words before this one are made, and it is not the 81st.
    #[inline(always)]
    unsafe fn piece(&mut self, piece: usize) {
        // SAFETY: forwarded.
        unsafe {
            let word = || (&raw const self.word).read_volatile();
            match piece {
                0 => {
                    let word = word();
                    (self.x, self.y) = (word.sub(15).read(), word.sub(2).read());
                    self.sigma0 = self.x.rotate_left::<63>().pin();
                }
                1 => self.sigma0 = self.sigma0.parity(self.x.rotate_left::<56>(), self.x.shift_right::<7>()).pin(),
                2 => self.sigma1 = self.y.rotate_left::<45>().pin(),
                3 => self.sigma1 = self.sigma1.xor(self.y.rotate_left::<3>()).pin(),
                4 => self.sigma1 = self.sigma1.xor(self.y.shift_right::<6>()).pin(),
                5 => {
                    let word = word();
                    self.sigma0 = self.sigma0.add(word.sub(16).read()).add(word.sub(7).read()).pin();
                }
                6 => self.x = self.sigma0.add(self.sigma1).pin(),
                _ => self.put(self.x),
            }
        }
    }
}

impl Kernel for Compress<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        // SAFETY: forwarded; `compress` has seen that the CPU has BMI1 and BMI2.
        unsafe { run::<S::Words64>(self) }
    }
}

/// # Safety
/// The CPU has `W`'s instructions, BMI1 and BMI2.
#[inline(always)]
unsafe fn run<W: Vector<Word = u64>>(Compress { constants, state, blocks }: Compress<'_>) {
    let mut schedules = [const { MaybeUninit::<Schedules<W>>::uninit() }; 2];
    let [now, next] = &mut schedules;
    let (mut now, mut next) = (now.as_mut_ptr(), next.as_mut_ptr());
    // Lanes that have no block any more take the last one; nobody looks at their words.
    let rows = |first: usize| -> [*const u8; MAX_LANES] {
        std::array::from_fn(|lane| blocks[(first + lane).min(blocks.len() - 1)].as_ptr())
    };
    // SAFETY: the caller vouches for the CPU; schedules are made before they are read, with 64 steps for the last 64
    // words, of as many blocks as there are lanes; if there are fewer, none follows that would need them.
    unsafe {
        let mut step = Step::<W>::new();
        step.load(next, constants, &rows(0)[..W::LANES]);
        for _ in 16..ROUNDS {
            for piece in 0..Step::<W>::PIECES {
                step.piece(piece);
            }
        }
        for first in (0..blocks.len()).step_by(W::LANES) {
            std::mem::swap(&mut now, &mut next);
            step.load(next, constants, &rows(first + W::LANES)[..W::LANES]);
            for lane in 0..W::LANES.min(blocks.len() - first) {
                let mut sums = (&raw const (*now).sums).cast::<u64>().add(lane);
                let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
                // `b ^ c` is the `a ^ b` of the round before.
                let mut bc = b ^ c;
                macro_rules! round {
                    ($t:literal, $a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident, $then:ident) => {
                        let (ab, sigma, rotated): (u64, u64, u64);
                        asm!(
                            "add {h}, qword ptr [{sums} + {offset}]",
                            "mov {t}, {f}",
                            "rorx {sigma}, {e}, 41",
                            "and {t}, {e}",
                            "rorx {rotated}, {e}, 18",
                            "add {h}, {t}",
                            "xor {sigma}, {rotated}",
                            "rorx {rotated}, {e}, 14",
                            h = inout(reg) $h, e = in(reg) $e, f = in(reg) $f, sums = in(reg) sums,
                            t = out(reg) _, sigma = out(reg) sigma, rotated = out(reg) rotated,
                            offset = const 8 * $t * W::LANES, options(nostack, readonly),
                        );
                        $then!(2 * $t);
                        asm!(
                            "andn {t}, {e}, {g}",
                            "xor {sigma}, {rotated}",
                            "add {h}, {t}",
                            "mov {t}, {a}",
                            "rorx {rotated}, {a}, 39",
                            "xor {t}, {b}",
                            "add {h}, {sigma}",
                            "and {bc}, {t}",
                            "rorx {sigma}, {a}, 34",
                            "add {d}, {h}",
                            "xor {rotated}, {sigma}",
                            "xor {bc}, {b}",
                            "rorx {sigma}, {a}, 28",
                            "add {h}, {bc}",
                            "xor {rotated}, {sigma}",
                            "add {h}, {rotated}",
                            h = inout(reg) $h, e = in(reg) $e, g = in(reg) $g, a = in(reg) $a, b = in(reg) $b,
                            d = inout(reg) $d, bc = inout(reg) bc => _, t = out(reg) ab,
                            sigma = inout(reg) sigma => _, rotated = inout(reg) rotated => _,
                            options(nostack, nomem),
                        );
                        bc = ab;
                        $then!(2 * $t + 1);
                    };
                }
                macro_rules! rounds {
                    ($then:ident) => {
                        round!(0, a b c d e f g h, $then);
                        round!(1, h a b c d e f g, $then);
                        round!(2, g h a b c d e f, $then);
                        round!(3, f g h a b c d e, $then);
                        round!(4, e f g h a b c d, $then);
                        round!(5, d e f g h a b c, $then);
                        round!(6, c d e f g h a b, $then);
                        round!(7, b c d e f g h a, $then);
                        round!(8, a b c d e f g h, $then);
                        round!(9, h a b c d e f g, $then);
                        round!(10, g h a b c d e f, $then);
                        round!(11, f g h a b c d e, $then);
                        round!(12, e f g h a b c d, $then);
                        round!(13, d e f g h a b c, $then);
                        round!(14, c d e f g h a b, $then);
                        round!(15, b c d e f g h a, $then);
                        sums = sums.add(16 * W::LANES);
                        // One pointer, and no index beside it.
                        asm!("/* {0} */", inout(reg) sums, options(readonly, nostack, preserves_flags));
                    };
                }
                macro_rules! nothing {
                    ($half:expr) => {};
                }
                // A step is as long as there are lanes, in rounds.
                macro_rules! schedule {
                    ($half:expr) => {
                        let half = $half % (2 * W::LANES);
                        for piece in
                            half * Step::<W>::PIECES / (2 * W::LANES)..(half + 1) * Step::<W>::PIECES / (2 * W::LANES)
                        {
                            step.piece(piece);
                        }
                    };
                }
                rounds!(nothing);
                for _ in 1..ROUNDS / 16 {
                    rounds!(schedule);
                }
                for (word, new) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
                    *word = word.wrapping_add(new);
                }
            }
        }
    }
}
