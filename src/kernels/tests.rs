//! Every algorithm on every instruction set of this CPU, against other crates.

use crc_fast::CrcAlgorithm;
use proptest::prelude::*;
use twox_hash::{XxHash3_64, XxHash3_128, XxHash64};

use super::{TILE_ALIGN, Tile, hash_many, messages};
use crate::{algorithm::Algorithm, digest::Digest, isa::Isa};

/// 251 is the largest prime below 256: blocks and lanes never see the same bytes twice in step.
fn bytes(length: usize, salt: usize) -> Vec<u8> {
    (0..length).map(|i| ((i + salt * 31) % 251) as u8).collect()
}

fn expected(algorithm: Algorithm, whole: &[&[u8]]) -> Vec<Digest> {
    whole.iter().map(|message| oracle(algorithm, message)).collect()
}

pub(crate) fn oracle(algorithm: Algorithm, message: &[u8]) -> Digest {
    oracle_of_chunks(algorithm, &[message])
}

fn oracle_of_chunks(algorithm: Algorithm, chunks: &[&[u8]]) -> Digest {
    fn crypto<D: sha2::Digest>(chunks: &[&[u8]]) -> Digest {
        Digest::new(&chunks.iter().fold(D::new(), |hash, chunk| hash.chain_update(chunk)).finalize())
    }
    let whole = || chunks.concat();
    let crc = |peer| Digest::new(&crc_fast::checksum(peer, &whole()).to_be_bytes()[8 - algorithm.digest_size()..]);
    match algorithm {
        Algorithm::Md5 => crypto::<md5::Md5>(chunks),
        Algorithm::Sha1 => crypto::<sha1::Sha1>(chunks),
        Algorithm::Sha256 => crypto::<sha2::Sha256>(chunks),
        Algorithm::Sha512 => crypto::<sha2::Sha512>(chunks),
        Algorithm::Crc32 => crc(CrcAlgorithm::Crc32IsoHdlc),
        Algorithm::Crc32c => crc(CrcAlgorithm::Crc32Iscsi),
        Algorithm::Crc64Nvme => crc(CrcAlgorithm::Crc64Nvme),
        Algorithm::XxHash64 => Digest::new(&XxHash64::oneshot(0, &whole()).to_be_bytes()),
        Algorithm::XxHash3 => Digest::new(&XxHash3_64::oneshot(&whole()).to_be_bytes()),
        Algorithm::XxHash128 => Digest::new(&XxHash3_128::oneshot(&whole()).to_be_bytes()),
    }
}

fn check(whole: &[&[u8]]) {
    for isa in Isa::available() {
        for algorithm in Algorithm::ALL {
            let digests = hash_many(algorithm, isa, whole);
            assert_eq!(digests, expected(algorithm, whole), "{algorithm} {}", isa.name());
        }
    }
}

/// All lengths over two blocks and their padding, all in the lanes at once.
#[test]
fn lengths_0_to_300_together() {
    let whole: Vec<_> = (0..=300).map(|length| bytes(length, length)).collect();
    check(&whole.iter().map(Vec::as_slice).collect::<Vec<_>>());
}

/// Each of those lengths in every lane, with neighbours of other lengths.
#[test]
fn each_length_in_full_lanes() {
    for length in (0..=300).step_by(7).chain([55, 56, 63, 64, 65, 111, 112, 119, 120, 127, 128, 129]) {
        let whole: Vec<_> = (0..33).map(|lane| bytes(length + lane % 3, lane)).collect();
        check(&whole.iter().map(Vec::as_slice).collect::<Vec<_>>());
    }
}

/// 1 to 70 messages: fewer than the lanes, as many, one more, and several fillings.
#[test]
fn any_number_of_messages() {
    for count in 1..=70 {
        let whole: Vec<_> = (0..count).map(|lane| bytes(1000 + 64 * (lane % 5), lane)).collect();
        check(&whole.iter().map(Vec::as_slice).collect::<Vec<_>>());
    }
}

#[test]
fn no_message_at_all() {
    check(&[]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Uneven messages at odd addresses.
    #[test]
    fn uneven_lengths_and_offsets(shapes in proptest::collection::vec((0..5000usize, 0..64usize), 1..70)) {
        let padded: Vec<_> = shapes.iter().map(|(length, offset)| bytes(length + offset, *length)).collect();
        let whole: Vec<&[u8]> = padded.iter().zip(&shapes).map(|(bytes, (_, offset))| &bytes[*offset..]).collect();
        check(&whole);
    }

    /// The same messages in any tiles: slots join and leave, and take up the next message.
    #[test]
    fn any_tiles_give_the_same_digests(
        lengths in proptest::collection::vec(0..2000usize, 1..40),
        slots in 1..20usize,
        tile in 1..5usize,
    ) {
        let whole: Vec<_> = lengths.iter().enumerate().map(|(salt, length)| bytes(*length, salt)).collect();
        let tile = tile * TILE_ALIGN;
        for isa in Isa::available() {
            for algorithm in Algorithm::ALL {
                let mut set = messages(algorithm, slots, isa);
                let mut digests = vec![None; whole.len()];
                let mut next = 0;
                let mut flying: Vec<Option<(usize, usize)>> = vec![None; slots];
                loop {
                    for flight in &mut flying {
                        if flight.is_none() && next < whole.len() {
                            *flight = Some((next, 0));
                            next += 1;
                        }
                    }
                    let wave: Vec<_> = flying.iter().enumerate().filter_map(|(slot, flight)| {
                        let (message, start) = (*flight)?;
                        let end = (start + tile).min(whole[message].len());
                        let bytes = &whole[message][start..end];
                        Some(Tile { slot, bytes, first: start == 0, last: end == whole[message].len() })
                    }).collect();
                    if wave.is_empty() {
                        break;
                    }
                    set.update(&wave);
                    for tile in &wave {
                        let (message, start) = flying[tile.slot].unwrap();
                        flying[tile.slot] = (!tile.last).then_some((message, start + tile.bytes.len()));
                        if tile.last {
                            digests[message] = Some(set.digest(tile.slot));
                        }
                    }
                }
                for (digest, message) in digests.iter().zip(&whole) {
                    prop_assert_eq!(digest.unwrap(), oracle(algorithm, message), "{}", algorithm);
                }
            }
        }
    }
}

/// A message longer than 2^32 bits, whose length field needs its upper half, in either byte order: fed as one slot's tiles.
#[test]
fn more_than_2_32_bits() {
    let tile = bytes(1 << 20, 1);
    for algorithm in [Algorithm::Md5, Algorithm::Sha256] {
        let expected = oracle_of_chunks(algorithm, &[&tile[..]; 513]);
        for isa in Isa::available() {
            let mut set = messages(algorithm, 1, isa);
            for index in 0..513 {
                set.update(&[Tile { slot: 0, bytes: &tile, first: index == 0, last: index == 512 }]);
            }
            assert_eq!(set.digest(0), expected, "{algorithm} {}", isa.name());
        }
    }
}
