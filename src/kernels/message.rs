//! One message whose bytes come in chunks, and several such messages one after the other.

use std::fmt::Debug;

use super::{
    Messages, Tile,
    choice::Kernels,
    lane_group::{Compression, one},
};
use crate::{algorithm::Algorithm, digest::Digest, isa::Isa};

/// The state of one message.
pub(super) trait OneMessage: Debug + Send + Sync {
    /// The empty message.
    fn new(kernels: &Kernels) -> Self
    where
        Self: Sized;
    /// Appends to the message.
    fn update(&mut self, bytes: &[u8]);
    /// The digest so far; more may be appended.
    fn digest(&self) -> Digest;
    fn boxed_clone(&self) -> Box<dyn OneMessage>;
    /// The digest of a message that is there as a whole.
    fn whole(kernels: &Kernels, bytes: &[u8]) -> Digest
    where
        Self: Sized,
    {
        let mut message = Self::new(kernels);
        message.update(bytes);
        message.digest()
    }
}

/// One message of any algorithm.
#[derive(Debug)]
pub(crate) struct Message {
    kernels: Kernels,
    state: Box<dyn OneMessage>,
}

impl Message {
    /// The empty message.
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        // Verbs report a wrong `PARTSUM_ISA`; this one has no way to.
        Self::with(algorithm, Isa::selected().unwrap_or(Isa::PORTABLE))
    }

    pub(super) fn with(algorithm: Algorithm, isa: Isa) -> Self {
        Self::of(Kernels::of(algorithm, isa))
    }

    fn of(kernels: Kernels) -> Self {
        Self { kernels, state: (super::implementation(kernels.algorithm).message)(&kernels) }
    }

    pub(crate) const fn algorithm(&self) -> Algorithm {
        self.kernels.algorithm
    }

    /// Appends to the message.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.state.update(bytes);
    }

    /// The digest so far; more may be appended.
    pub(crate) fn digest(&self) -> Digest {
        self.state.digest()
    }

    /// Goes back to the empty message.
    pub(crate) fn reset(&mut self) {
        *self = Self::of(self.kernels);
    }
}

impl Clone for Message {
    fn clone(&self) -> Self {
        Self { state: self.state.boxed_clone(), kernels: self.kernels }
    }
}

/// Bytes of the largest block.
const MAX_BLOCK: usize = 128;

/// One message of a hash that works block by block.
#[derive(Clone, Debug)]
pub(super) struct BlockMessage<C: Compression<N>, const N: usize> {
    kernels: Kernels,
    state: [C::Word; N],
    hashed: u64,
    /// Begins with the last `hashed % C::BLOCK` bytes, which fill no block yet.
    rest: [u8; MAX_BLOCK],
}

impl<C: Compression<N>, const N: usize> BlockMessage<C, N> {
    fn filled(&self) -> usize {
        (self.hashed % C::BLOCK as u64) as usize
    }
}

impl<C: Compression<N>, const N: usize> OneMessage for BlockMessage<C, N> {
    fn new(kernels: &Kernels) -> Self {
        Self { kernels: *kernels, state: C::INITIAL, hashed: 0, rest: [0; MAX_BLOCK] }
    }

    fn update(&mut self, mut bytes: &[u8]) {
        let filled = self.filled();
        self.hashed += bytes.len() as u64;
        if filled > 0 {
            let (head, tail) = bytes.split_at(bytes.len().min(C::BLOCK - filled));
            self.rest[filled..][..head.len()].copy_from_slice(head);
            if filled + head.len() < C::BLOCK {
                return;
            }
            one::<C, N>(&self.kernels, &mut self.state, &self.rest[..C::BLOCK]);
            bytes = tail;
        }
        let (blocks, rest) = bytes.split_at(bytes.len() - bytes.len() % C::BLOCK);
        one::<C, N>(&self.kernels, &mut self.state, blocks);
        self.rest[..rest.len()].copy_from_slice(rest);
    }

    fn digest(&self) -> Digest {
        let rest = &self.rest[..self.filled()];
        let mut state = self.state;
        one::<C, N>(&self.kernels, &mut state, &C::padded(rest, self.hashed));
        C::digest(&state, rest, self.hashed)
    }

    fn boxed_clone(&self) -> Box<dyn OneMessage> {
        Box::new(self.clone())
    }
}

/// Messages one after the other: in each slot, the message that goes on and the digest of the one that ended last.
#[derive(Debug)]
pub(super) struct OneByOne<M> {
    kernels: Kernels,
    slots: Vec<(Option<M>, Digest)>,
}

impl<M: OneMessage + Clone> OneByOne<M> {
    pub(super) fn new(kernels: Kernels, slots: usize) -> Self {
        Self { kernels, slots: vec![(None, Digest::new(&[])); slots] }
    }
}

impl<M: OneMessage> Messages for OneByOne<M> {
    fn update(&mut self, wave: &[Tile<'_>]) {
        for tile in wave {
            let (message, digest) = &mut self.slots[tile.slot];
            if tile.first && tile.last {
                *digest = M::whole(&self.kernels, tile.bytes);
                continue;
            }
            if tile.first {
                *message = None;
            }
            let message_so_far = message.get_or_insert_with(|| M::new(&self.kernels));
            message_so_far.update(tile.bytes);
            if tile.last {
                *digest = message_so_far.digest();
                *message = None;
            }
        }
    }

    fn wave(&self, messages: usize) -> usize {
        messages
    }

    fn digest(&self, slot: usize) -> Digest {
        self.slots[slot].1
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::tests::oracle, Algorithm, Isa, Message};

    fn check(chunks: &[&[u8]]) {
        for isa in Isa::available() {
            for algorithm in Algorithm::ALL {
                let mut message = Message::with(algorithm, isa);
                assert_eq!(message.algorithm(), algorithm);
                let mut fed = Vec::new();
                for chunk in chunks {
                    message.update(chunk);
                    fed.extend_from_slice(chunk);
                    assert_eq!(message.digest(), oracle(algorithm, &fed), "{algorithm} {}", isa.name());
                }
            }
        }
    }

    #[test]
    fn lengths_0_to_300() {
        let bytes: Vec<u8> = (0..300).map(|i| (i % 251) as u8).collect();
        for length in 0..=300 {
            check(&[&bytes[..length]]);
        }
    }

    #[test]
    fn any_number_of_blocks_at_any_address() {
        let bytes: Vec<u8> = (0..128 * 41).map(|i| (i % 251) as u8).collect();
        for count in 0..40 {
            for offset in [0, 1, 31] {
                check(&[&bytes[offset..][..128 * count]]);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_chunks(lengths in proptest::collection::vec(0..3000usize, 0..20)) {
            let bytes: Vec<u8> = (0..3000).map(|i| (i % 251) as u8).collect();
            check(&lengths.iter().map(|length| &bytes[3000 - length..]).collect::<Vec<_>>());
        }
    }
}
