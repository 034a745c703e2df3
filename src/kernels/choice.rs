//! Which kernel hashes how many messages on which CPU: one table.
//!
//! A row is for one algorithm on the CPUs that have its instruction set and all the features that it `needs`; the first row
//! that fits a CPU serves it. Its columns:
//!
//! - `one`: the code for a single message.
//! - `in turn`: how many messages the code for several messages in turn takes at once; 1 if there is no such code.
//! - `from`: the number of messages from which lanes are faster than that.
//! - `load`: when lanes load a block: before its rounds, or ahead, during the rounds of the block before.
//! - `cycles`: what a block of every lane costs with one vector in flight, with two, and so on. Only their ratios matter. As
//!   many vectors as are listed may be in flight.
//! - `memory`: the most vectors in flight for messages that come from memory rather than from L2. The hardware prefetchers
//!   of a core follow the rows of about two vectors, fewer if two threads share the core.
//!
//! Each row says what its figures come from. `docs/kernels.md` explains them; `cargo bench -p partsum-benches` measures
//! them again.

use crate::{
    algorithm::Algorithm,
    isa::{Feature, Isa, IsaKind},
};

/// The code that hashes one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum One {
    /// The algorithm of `kernels/` on scalar words.
    Scalar,
    /// The crates sha1 and sha2. Both use the SHA extensions.
    RustCrypto,
    /// The crate twox-hash, which chooses its instructions at run time.
    TwoxHash,
    /// The crate crc-fast.
    CrcFast,
    /// The crate crc32fast.
    Crc32Fast,
    /// The crate crc32c.
    Crc32c,
    /// `kernels/x86/clmul.rs`.
    Fold256,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Load {
    Before,
    Ahead,
}

#[derive(Clone, Copy, Debug)]
struct Lanes {
    from: usize,
    load: Load,
    cycles: &'static [u32],
    memory: usize,
}

struct Row {
    algorithm: Algorithm,
    isas: &'static [IsaKind],
    needs: &'static [Feature],
    one: One,
    in_turn: usize,
    lanes: Option<Lanes>,
}

use Algorithm::{Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256, Sha512, XxHash3, XxHash64, XxHash128};
use Feature::{Carryless256, Carryless512, Sha};
use Load::{Ahead, Before};
use One::{Crc32Fast, CrcFast, Fold256, RustCrypto, Scalar, TwoxHash};

const PORTABLE: &[IsaKind] = &[IsaKind::Portable];
const AVX2: &[IsaKind] = &[IsaKind::Avx2];
const AVX512: &[IsaKind] = &[IsaKind::Avx512];
const VECTORS: &[IsaKind] = &[IsaKind::Avx2, IsaKind::Avx512];
const ANY: &[IsaKind] = &[IsaKind::Portable, IsaKind::Avx2, IsaKind::Avx512];

/// Short for a row with lanes.
const fn row(
    (algorithm, isas, needs): (Algorithm, &'static [IsaKind], &'static [Feature]),
    (one, in_turn): (One, usize),
    (from, load, cycles, memory): (usize, Load, &'static [u32], usize),
) -> Row {
    Row { algorithm, isas, needs, one, in_turn, lanes: Some(Lanes { from, load, cycles, memory }) }
}

/// Short for a row without lanes.
const fn no_lanes(
    (algorithm, isas, needs): (Algorithm, &'static [IsaKind], &'static [Feature]),
    (one, in_turn): (One, usize),
) -> Row {
    Row { algorithm, isas, needs, one, in_turn, lanes: None }
}

// "Zen 3" is measured there. "mca" is what `llvm-mca -mcpu=znver4` computes from the assembly.
#[rustfmt::skip]
const TABLE: &[Row] = &[
    //    algorithm, instruction set, needs       one, in turn        from, load, cycles, memory

    // Two messages in turn on scalar words are faster than a vector with most lanes idle, three are not (Zen 3).
    // mca: 510 cycles with two vectors loaded ahead, 557 if loaded before, 762 with three.
    row((Md5, AVX512, &[]),                       (Scalar, 2),        (3, Ahead, &[323, 510], 2)),
    // Zen 3: loading ahead gains an eighth, a third where rows share cache sets. A fourth vector has no registers.
    row((Md5, AVX2, &[]),                         (Scalar, 2),        (3, Ahead, &[420, 470, 620], 2)),
    // The compiler makes 128-bit vectors of the lanes. It has no registers for a second one.
    row((Md5, PORTABLE, &[]),                     (Scalar, 2),        (3, Ahead, &[1], 2)),

    // Zen 3: 1 to 5 messages in turn take 126, 68, 53, 45, 42 cycles for a block, so ten messages take 420 and eleven 519.
    // 16 lanes take 430 to 490. mca: 428 loaded ahead, 437 before, and 1,024 with two vectors.
    row((Sha1, AVX512, &[Sha]),                   (RustCrypto, 5),    (11, Ahead, &[428], 2)),
    row((Sha1, AVX512, &[]),                      (RustCrypto, 1),    (2, Ahead, &[428], 2)),
    // Zen 3: five messages in turn beat 8 lanes.
    no_lanes((Sha1, AVX2, &[Sha]),                (RustCrypto, 5)),
    // Zen 3: loading ahead costs a tenth. It takes two stores for each word, and registers that are not there.
    row((Sha1, AVX2, &[]),                        (RustCrypto, 1),    (2, Before, &[1], 2)),
    // Without rotations and wide registers, lanes lose even to one message of scalar words. So do those of SHA-2.
    no_lanes((Sha1, PORTABLE, &[]),               (RustCrypto, 1)),

    // Zen 3: 1 to 4 messages in turn take 128, 64, 57, 54 cycles for a block, less than lanes; a fifth has no registers.
    // Zen 4: four in turn 4.85 GB/s, 16 lanes 3.7.
    no_lanes((Sha256, VECTORS, &[Sha]),           (RustCrypto, 4)),
    row((Sha256, AVX512, &[]),                    (RustCrypto, 1),    (2, Ahead, &[1], 2)),
    row((Sha256, AVX2, &[]),                      (RustCrypto, 1),    (2, Before, &[1], 2)),
    no_lanes((Sha256, PORTABLE, &[]),             (RustCrypto, 1)),

    // mca: 1,121 cycles loaded ahead, 1,161 before, 2,248 with two vectors.
    row((Sha512, AVX512, &[]),                    (RustCrypto, 1),    (3, Ahead, &[1121], 2)),
    // Zen 3: three messages in 4 lanes are 1.5 times as fast as one after the other, two are slower.
    row((Sha512, AVX2, &[]),                      (RustCrypto, 1),    (3, Before, &[1], 2)),
    no_lanes((Sha512, PORTABLE, &[]),             (RustCrypto, 1)),

    // A word is used once, so there are no rounds to load the next block in.
    row((XxHash64, AVX512, &[]),                  (Scalar, 1),        (2, Before, &[1], 2)),
    // AVX2 has no product of 64-bit words and needs three multiplications for one: 4 lanes are 1.3 times as fast as one
    // message after the other (Zen 3), three of them slower.
    row((XxHash64, AVX2, &[]),                    (Scalar, 1),        (4, Before, &[1], 2)),
    no_lanes((XxHash64, PORTABLE, &[]),           (Scalar, 1)),

    // One message runs at the speed of memory already.
    no_lanes((XxHash3, ANY, &[]),                 (TwoxHash, 1)),
    no_lanes((XxHash128, ANY, &[]),               (TwoxHash, 1)),

    // Zen 4: crc-fast reaches the limit of 16 bytes a cycle with vectors of 512 bits. Zen 3: it has none of 256 bits, and
    // ours are twice as fast as its own of 128. Without either, the other two crates are half as fast again as crc-fast.
    no_lanes((Crc32, ANY, &[Carryless512]),       (CrcFast, 1)),
    no_lanes((Crc32, VECTORS, &[Carryless256]),   (Fold256, 1)),
    no_lanes((Crc32, ANY, &[]),                   (Crc32Fast, 1)),
    no_lanes((Crc32c, ANY, &[Carryless512]),      (CrcFast, 1)),
    no_lanes((Crc32c, VECTORS, &[Carryless256]),  (Fold256, 1)),
    no_lanes((Crc32c, ANY, &[]),                  (One::Crc32c, 1)),
    no_lanes((Crc64Nvme, ANY, &[Carryless512]),   (CrcFast, 1)),
    no_lanes((Crc64Nvme, VECTORS, &[Carryless256]), (Fold256, 1)),
    no_lanes((Crc64Nvme, ANY, &[]),               (CrcFast, 1)),
];

/// Most lanes in flight of any row.
pub(super) const MAX_LANES: usize = {
    let (mut most, mut i) = (0, 0);
    while i < TABLE.len() {
        if let Some(lanes) = TABLE[i].lanes {
            let mut isa = 0;
            while isa < TABLE[i].isas.len() {
                let count = lanes.cycles.len() * lanes_of_vector(TABLE[i].algorithm, TABLE[i].isas[isa]);
                most = if count > most { count } else { most };
                isa += 1;
            }
        }
        i += 1;
    }
    most
};

/// The lanes of an algorithm's first row for an instruction set: what is compiled does not depend on the CPU.
const fn compiled(algorithm: Algorithm, isa: IsaKind) -> Option<Lanes> {
    let mut i = 0;
    while i < TABLE.len() {
        let mut n = 0;
        while n < TABLE[i].isas.len() {
            let fits = TABLE[i].algorithm as u8 == algorithm as u8 && TABLE[i].isas[n] as u8 == isa as u8;
            if fits && TABLE[i].lanes.is_some() {
                return TABLE[i].lanes;
            }
            n += 1;
        }
        i += 1;
    }
    None
}

/// Most vectors in flight with an instruction set. Scalar words have no limit: `in turn` is theirs.
pub(super) const fn vectors(algorithm: Algorithm, isa: Option<IsaKind>) -> usize {
    match isa {
        Some(isa) => match compiled(algorithm, isa) {
            Some(lanes) => lanes.cycles.len(),
            None => 0,
        },
        None => usize::MAX,
    }
}

/// Most vectors in flight with any instruction set.
pub(super) const fn most_vectors(algorithm: Algorithm) -> usize {
    let (mut most, mut i) = (0, 0);
    while i < ANY.len() {
        let count = vectors(algorithm, Some(ANY[i]));
        most = if count > most { count } else { most };
        i += 1;
    }
    most
}

/// Whether lanes load the next block during the rounds of this one. Scalar words have no registers for that.
pub(super) const fn loads_ahead(algorithm: Algorithm, isa: Option<IsaKind>) -> bool {
    match isa {
        Some(isa) => matches!(compiled(algorithm, isa), Some(Lanes { load: Ahead, .. })),
        None => false,
    }
}

const fn lanes_of_vector(algorithm: Algorithm, isa: IsaKind) -> usize {
    let word = match algorithm {
        Sha512 | XxHash64 => size_of::<u64>(),
        _ => size_of::<u32>(),
    };
    isa.vector_bytes() / word
}

/// The kernels of one algorithm on this CPU.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kernels {
    pub(super) algorithm: Algorithm,
    pub(super) isa: Isa,
    pub(super) one: One,
    pub(super) in_turn: usize,
    lanes: Option<Lanes>,
    pub(super) lanes_of_vector: usize,
}

impl Kernels {
    /// Looks them up in the table.
    pub(crate) fn of(algorithm: Algorithm, isa: Isa) -> Self {
        let fits = |row: &&Row| {
            let has = |feature: &Feature| feature.is_present();
            row.algorithm == algorithm && row.isas.contains(&isa.kind()) && row.needs.iter().all(has)
        };
        let row = TABLE.iter().find(fits).expect("the last row of each algorithm and instruction set needs nothing");
        let lanes_of_vector = lanes_of_vector(algorithm, isa.kind());
        Self { algorithm, isa, one: row.one, in_turn: row.in_turn, lanes: row.lanes, lanes_of_vector }
    }

    /// Most lanes in flight; `None` where the algorithm has no lanes on this CPU.
    pub(super) fn lanes(&self) -> Option<usize> {
        self.lanes.map(|lanes| lanes.cycles.len() * self.lanes_of_vector)
    }

    /// Whether so many messages are hashed in lanes.
    pub(super) fn fill_lanes(&self, messages: usize) -> bool {
        self.lanes.is_some_and(|lanes| messages >= lanes.from)
    }

    /// How many messages are hashed side by side.
    pub(crate) fn messages(&self) -> usize {
        self.lanes().unwrap_or(self.in_turn)
    }

    /// How many messages that come from memory are hashed side by side.
    pub(crate) fn messages_from_memory(&self) -> usize {
        self.lanes.map_or(self.in_turn, |lanes| lanes.memory.min(lanes.cycles.len()) * self.lanes_of_vector)
    }

    /// How many of `messages` to hash in this wave, if the others can wait for the next one. A nearly empty extra vector
    /// costs more than it saves.
    pub(super) fn wave(&self, messages: usize) -> usize {
        let Some(lanes) = self.lanes.filter(|lanes| messages >= lanes.from) else {
            return messages;
        };
        let most = messages.div_ceil(self.lanes_of_vector);
        if most > lanes.cycles.len() {
            return messages;
        }
        let hashed = |vectors: usize| messages.min(vectors * self.lanes_of_vector);
        let rate = |vectors: &usize| hashed(*vectors) as f64 / f64::from(lanes.cycles[*vectors - 1]);
        (1..=most).max_by(|a, b| rate(a).total_cmp(&rate(b))).map_or(messages, hashed)
    }
}

#[cfg(test)]
mod tests {
    use super::{ANY, Algorithm, Isa, IsaKind, Kernels, TABLE, vectors};

    #[test]
    fn each_algorithm_has_a_row_that_needs_nothing() {
        for algorithm in Algorithm::ALL {
            for isa in ANY {
                let fits = |row: &&super::Row| row.algorithm == algorithm && row.isas.contains(isa);
                assert!(TABLE.iter().rfind(fits).is_some_and(|row| row.needs.is_empty()), "{algorithm} {isa:?}");
            }
        }
    }

    /// Features choose between rows, but code is compiled for an instruction set.
    #[test]
    fn rows_of_one_instruction_set_agree_on_what_is_compiled() {
        for row in TABLE {
            for isa in row.isas {
                if let (Some(lanes), Some(compiled)) = (row.lanes, super::compiled(row.algorithm, *isa)) {
                    assert_eq!((lanes.load, lanes.cycles.len()), (compiled.load, compiled.cycles.len()));
                }
            }
        }
    }

    #[test]
    fn a_nearly_empty_vector_waits() {
        let Some(avx2) = Isa::available().into_iter().find(|isa| isa.kind() == IsaKind::Avx2) else { return };
        let kernels = Kernels::of(Algorithm::Md5, avx2);
        assert_eq!(vectors(Algorithm::Md5, Some(IsaKind::Avx2)), 3);
        let waves = [1, 2, 3, 8, 9, 16, 17, 21, 22, 24, 25].map(|messages| kernels.wave(messages));
        assert_eq!(waves, [1, 2, 3, 8, 9, 16, 16, 16, 22, 24, 25]);
    }
}
