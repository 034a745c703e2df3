//! All hash algorithms, one file each, and the doors to them: [`messages`] hashes many messages at once, [`Message`] one.
//!
//! A caller holds messages in *slots* and feeds them in waves: each wave has a [`Tile`] of some of the slots. Algorithms with
//! lanes hash the tiles side by side ([`lane_group`]), the others one after the other ([`message`]). [`choice`] says which
//! kernel hashes how many messages on which CPU.

mod choice;
mod crc;
mod lane_group;
mod md5;
mod message;
mod sha1;
mod sha2;
#[cfg(test)]
pub(crate) mod tests;
#[cfg(target_arch = "x86_64")]
mod x86;
mod xxhash;

use std::fmt::Debug;

pub(crate) use self::{choice::Kernels, crc::Combiner, message::Message};
use self::{
    lane_group::{Compression, LaneGroup},
    message::{BlockMessage, OneByOne, OneMessage},
};
use crate::{algorithm::Algorithm, digest::Digest, isa::Isa};

/// Every tile but a message's last one is a multiple of this many bytes: whole blocks of any algorithm.
pub(crate) const TILE_ALIGN: usize = 128;

/// The next bytes of the message in a slot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tile<'a> {
    pub(crate) slot: usize,
    pub(crate) bytes: &'a [u8],
    /// A new message begins in the slot.
    pub(crate) first: bool,
    /// The message ends here: [`Messages::digest`] has its digest until the slot's next message begins.
    pub(crate) last: bool,
}

/// Messages of one algorithm, in slots.
pub(crate) trait Messages: Debug + Send {
    /// Hashes a wave. It has at most one tile of each slot.
    fn update(&mut self, wave: &[Tile<'_>]);
    /// How many of `messages` to hash in this wave, if the others can wait for the next one.
    fn wave(&self, messages: usize) -> usize;
    /// The digest of the message that ended last in the slot.
    fn digest(&self, slot: usize) -> Digest;
}

/// How an algorithm is called.
struct Implementation {
    messages: fn(Kernels, usize) -> Box<dyn Messages>,
    message: fn(&Kernels) -> Box<dyn OneMessage>,
}

/// With lanes.
const fn in_blocks<C: Compression<N>, const N: usize>() -> Implementation {
    Implementation {
        messages: |kernels, slots| Box::new(LaneGroup::<C, N>::new(kernels, slots)),
        message: |kernels| Box::new(BlockMessage::<C, N>::new(kernels)),
    }
}

/// Without lanes.
const fn one_by_one<M: OneMessage + Clone + 'static>() -> Implementation {
    Implementation {
        messages: |kernels, slots| Box::new(OneByOne::<M>::new(kernels, slots)),
        message: |kernels| Box::new(M::new(kernels)),
    }
}

const fn implementation(algorithm: Algorithm) -> Implementation {
    match algorithm {
        Algorithm::Md5 => in_blocks::<md5::Md5, 4>(),
        Algorithm::Sha1 => in_blocks::<sha1::Sha1, 5>(),
        Algorithm::Sha256 => in_blocks::<sha2::Sha256, 8>(),
        Algorithm::Sha512 => in_blocks::<sha2::Sha512, 8>(),
        Algorithm::XxHash64 => in_blocks::<xxhash::XxHash64, 4>(),
        Algorithm::XxHash3 | Algorithm::XxHash128 => one_by_one::<xxhash::Xxh3>(),
        Algorithm::Crc32 | Algorithm::Crc32c | Algorithm::Crc64Nvme => one_by_one::<crc::Crc>(),
    }
}

/// Room for `slots` messages of `algorithm`.
pub(crate) fn messages(algorithm: Algorithm, slots: usize, isa: Isa) -> Box<dyn Messages> {
    (implementation(algorithm).messages)(Kernels::of(algorithm, isa), slots)
}

/// The digest of each whole message: the door for tests and benchmarks.
pub(crate) fn hash_many(algorithm: Algorithm, isa: Isa, whole: &[&[u8]]) -> Vec<Digest> {
    let mut slots = messages(algorithm, whole.len(), isa);
    let tiles = whole.iter().enumerate().map(|(slot, bytes)| Tile { slot, bytes, first: true, last: true });
    slots.update(&tiles.collect::<Vec<_>>());
    (0..whole.len()).map(|slot| slots.digest(slot)).collect()
}
