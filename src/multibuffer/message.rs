//! One message at a time.

use super::{
    block::Single,
    md5::Md5,
    sha1::Sha1,
    sha2::{Sha256, Sha512},
};
use crate::{algorithm::Algorithm, digest::Digest, isa::Isa, stream::Stream};

/// A message whose bytes come in pieces.
#[derive(Clone, Debug)]
pub(crate) struct Message(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Md5(Single<Md5, 4>),
    Sha1(Single<Sha1, 5>),
    Sha256(Single<Sha256, 8>),
    Sha512(Single<Sha512, 8>),
    Stream(Stream),
}

impl Message {
    /// The empty message.
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        // What asks for an unknown instruction set fails elsewhere, with an error.
        Self::with(algorithm, Isa::selected().unwrap_or(Isa::PORTABLE))
    }

    pub(super) fn with(algorithm: Algorithm, isa: Isa) -> Self {
        Self(match algorithm {
            Algorithm::Md5 => Kind::Md5(Single::new(isa)),
            Algorithm::Sha1 => Kind::Sha1(Single::new(isa)),
            Algorithm::Sha256 => Kind::Sha256(Single::new(isa)),
            Algorithm::Sha512 => Kind::Sha512(Single::new(isa)),
            _ => Kind::Stream(Stream::new(algorithm)),
        })
    }

    pub(crate) const fn algorithm(&self) -> Algorithm {
        match &self.0 {
            Kind::Md5(_) => Algorithm::Md5,
            Kind::Sha1(_) => Algorithm::Sha1,
            Kind::Sha256(_) => Algorithm::Sha256,
            Kind::Sha512(_) => Algorithm::Sha512,
            Kind::Stream(stream) => stream.algorithm(),
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            Kind::Md5(message) => message.update(bytes),
            Kind::Sha1(message) => message.update(bytes),
            Kind::Sha256(message) => message.update(bytes),
            Kind::Sha512(message) => message.update(bytes),
            Kind::Stream(stream) => stream.update(bytes),
        }
    }

    /// The digest of what has been fed so far; feeding may go on.
    pub(crate) fn digest(&self) -> Digest {
        match &self.0 {
            Kind::Md5(message) => message.digest(),
            Kind::Sha1(message) => message.digest(),
            Kind::Sha256(message) => message.digest(),
            Kind::Sha512(message) => message.digest(),
            Kind::Stream(stream) => stream.digest(),
        }
    }

    /// Back to the empty message.
    pub(crate) fn reset(&mut self) {
        *self = Self::new(self.algorithm());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::tests::oracle, Algorithm, Isa, Message};

    fn pieces(pieces: &[&[u8]]) {
        for isa in Isa::available() {
            for algorithm in Algorithm::ALL {
                let mut message = Message::with(algorithm, isa);
                assert_eq!(message.algorithm(), algorithm);
                let mut fed = Vec::new();
                for piece in pieces {
                    message.update(piece);
                    fed.extend_from_slice(piece);
                    assert_eq!(message.digest(), oracle(algorithm, &fed), "{algorithm} {}", isa.name());
                }
            }
        }
    }

    #[test]
    fn lengths_0_to_300() {
        let bytes: Vec<u8> = (0..300).map(|i| (i % 251) as u8).collect();
        for length in 0..=300 {
            pieces(&[&bytes[..length]]);
        }
    }

    /// SHA-512's kernel takes blocks four or eight at a time, from 16 on.
    #[test]
    fn any_number_of_blocks_at_any_address() {
        let bytes: Vec<u8> = (0..128 * 41).map(|i| (i % 251) as u8).collect();
        for count in 0..40 {
            for offset in [0, 1, 31] {
                pieces(&[&bytes[offset..][..128 * count]]);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_pieces(lengths in proptest::collection::vec(0..3000usize, 0..20)) {
            let bytes: Vec<u8> = (0..3000).map(|i| (i % 251) as u8).collect();
            pieces(&lengths.iter().map(|length| &bytes[3000 - length..]).collect::<Vec<_>>());
        }
    }
}
