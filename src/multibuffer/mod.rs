//! Many messages of one algorithm at once, or one.
//!
//! A caller holds messages in *slots* and feeds them wave by wave: each wave has a [`Tile`] of some of the slots. The
//! tiles of MD5 and SHA go through SIMD lanes, one message a lane ([`block`]); the algorithms that have no lanes go one
//! message after the other ([`Streams`]).

mod block;
mod md5;
mod message;
mod sha1;
mod sha2;
#[cfg(test)]
mod tests;
mod xxh64;

use std::fmt::Debug;

pub(crate) use self::message::Message;
use crate::{
    algorithm::Algorithm,
    digest::Digest,
    isa::Isa,
    stream::{self, Stream},
};

/// Every tile but a message's last one is a multiple of this many bytes, a whole number of blocks of any algorithm.
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
    /// Hashes a wave; no slot is in it twice.
    fn update(&mut self, wave: &[Tile<'_>]);
    /// How many of `count` messages to go on with, where the others can wait their turn: a few of them in one more vector
    /// would cost more time than they gain.
    fn fill(&self, count: usize) -> usize {
        count
    }
    /// The digest of the message that last ended in the slot.
    fn digest(&self, slot: usize) -> Digest;
}

/// Room for `slots` messages of `algorithm`.
pub(crate) fn messages(algorithm: Algorithm, slots: usize, isa: Isa) -> Box<dyn Messages> {
    match algorithm {
        Algorithm::Md5 => Box::new(block::Lanes::<md5::Md5, 4>::new(slots, isa)),
        Algorithm::Sha1 => Box::new(block::Lanes::<sha1::Sha1, 5>::new(slots, isa)),
        Algorithm::Sha256 => Box::new(block::Lanes::<sha2::Sha256, 8>::new(slots, isa)),
        Algorithm::Sha512 => Box::new(block::Lanes::<sha2::Sha512, 8>::new(slots, isa)),
        Algorithm::XxHash64 if lanes(algorithm, isa) > 1 => {
            Box::new(block::Lanes::<xxh64::XxHash64, 4>::new(slots, isa))
        }
        _ => Box::new(Streams { algorithm, slots: vec![(None, Digest::new(&[])); slots] }),
    }
}

/// How many messages of `algorithm` are hashed side by side with `isa`; 1 if it has no lanes.
pub(crate) fn lanes(algorithm: Algorithm, isa: Isa) -> usize {
    up_to(usize::MAX, algorithm, isa)
}

/// The same for messages that come from memory: the CPU follows no more of them than two vectors have, above all when two
/// threads share a core. From L2, where a third vector pays, they come if they were copied, or if another algorithm has
/// just read them.
pub(crate) fn lanes_from_memory(algorithm: Algorithm, isa: Isa) -> usize {
    up_to(2, algorithm, isa)
}

fn up_to(vectors: usize, algorithm: Algorithm, isa: Isa) -> usize {
    match algorithm {
        Algorithm::Md5 => block::lanes::<md5::Md5, 4>(vectors, isa),
        Algorithm::Sha1 => block::lanes::<sha1::Sha1, 5>(vectors, isa),
        Algorithm::Sha256 => block::lanes::<sha2::Sha256, 8>(vectors, isa),
        Algorithm::Sha512 => block::lanes::<sha2::Sha512, 8>(vectors, isa),
        Algorithm::XxHash64 => block::lanes::<xxh64::XxHash64, 4>(vectors, isa),
        _ => 1,
    }
}

/// The digest of each whole message: the door for tests and benchmarks.
pub(crate) fn hash_many(algorithm: Algorithm, isa: Isa, whole: &[&[u8]]) -> Vec<Digest> {
    let mut slots = messages(algorithm, whole.len(), isa);
    let tiles = whole.iter().enumerate().map(|(slot, bytes)| Tile { slot, bytes, first: true, last: true });
    slots.update(&tiles.collect::<Vec<_>>());
    (0..whole.len()).map(|slot| slots.digest(slot)).collect()
}

/// One message after the other: in each slot the one that goes on, and the digest of the one that ended.
#[derive(Debug)]
struct Streams {
    algorithm: Algorithm,
    slots: Vec<(Option<Stream>, Digest)>,
}

impl Messages for Streams {
    fn update(&mut self, wave: &[Tile<'_>]) {
        for tile in wave {
            let (stream, digest) = &mut self.slots[tile.slot];
            if tile.first && tile.last {
                *digest = stream::digest(self.algorithm, tile.bytes);
                continue;
            }
            if tile.first {
                *stream = None;
            }
            let going = stream.get_or_insert_with(|| Stream::new(self.algorithm));
            going.update(tile.bytes);
            if tile.last {
                *digest = going.digest();
                *stream = None;
            }
        }
    }

    fn digest(&self, slot: usize) -> Digest {
        self.slots[slot].1
    }
}
