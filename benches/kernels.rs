//! One core: each algorithm on each instruction set and number of messages, beside its peers, from L2 and from RAM.
//!
//! `cargo bench -p partsum-benches --features aws-lc --bench kernels` measures, `benches/table.py` makes one table of the
//! results. Nothing is timed that computes another digest than the first peer. All take turns in rounds of a few seconds, and
//! ratios are computed within a round, because a machine that others use as well has slow minutes.

use std::{hint::black_box, time::Duration};

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use partsum::{Algorithm, Digest, Isa, bench};

const ROUNDS: usize = 6;
/// Half of the smallest L2 around.
const IN_L2: usize = 256 << 10;
/// More than an L3. For 16 lanes that is messages of 8 MiB, the part size of boto3.
const IN_RAM: usize = 128 << 20;
/// Messages lie a power of two apart, as the parts of a file do. That is the hard case, because all of them share a few sets
/// of the L1 cache. With gaps of three cache lines between them, they do not.
const GAP: usize = 192;
/// Room for the gaps of more messages than there are lanes.
const ROOM: usize = 64 * GAP;

type Peer = (&'static str, fn(&[u8]) -> Vec<u8>);

/// What users would call instead, one message after the other. The first one is the oracle.
fn peers(algorithm: Algorithm) -> Vec<Peer> {
    use md5::Digest as _;
    match algorithm {
        Algorithm::Md5 => vec![("md-5", |bytes| md5::Md5::digest(bytes).to_vec())],
        Algorithm::Sha1 => vec![
            ("sha1", |bytes| sha1::Sha1::digest(bytes).to_vec()),
            #[cfg(feature = "aws-lc")]
            ("aws-lc-rs", |bytes| aws_lc(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, bytes)),
        ],
        Algorithm::Sha256 => vec![
            ("sha2", |bytes| sha2::Sha256::digest(bytes).to_vec()),
            #[cfg(feature = "aws-lc")]
            ("aws-lc-rs", |bytes| aws_lc(&aws_lc_rs::digest::SHA256, bytes)),
        ],
        Algorithm::Sha512 => vec![
            ("sha2", |bytes| sha2::Sha512::digest(bytes).to_vec()),
            #[cfg(feature = "aws-lc")]
            ("aws-lc-rs", |bytes| aws_lc(&aws_lc_rs::digest::SHA512, bytes)),
        ],
        Algorithm::Crc32 => vec![
            ("crc32fast", |bytes| crc32fast::hash(bytes).to_be_bytes().to_vec()),
            ("crc-fast", |bytes| crc_fast(crc_fast::CrcAlgorithm::Crc32IsoHdlc, 4, bytes)),
        ],
        Algorithm::Crc32c => vec![
            ("crc32c", |bytes| crc32c::crc32c(bytes).to_be_bytes().to_vec()),
            ("crc-fast", |bytes| crc_fast(crc_fast::CrcAlgorithm::Crc32Iscsi, 4, bytes)),
        ],
        Algorithm::Crc64Nvme => vec![("crc-fast", |bytes| crc_fast(crc_fast::CrcAlgorithm::Crc64Nvme, 8, bytes))],
        Algorithm::XxHash64 => vec![
            ("twox-hash", |bytes| twox_hash::XxHash64::oneshot(0, bytes).to_be_bytes().to_vec()),
            ("xxhash-rust", |bytes| xxhash_rust::xxh64::xxh64(bytes, 0).to_be_bytes().to_vec()),
        ],
        Algorithm::XxHash3 => vec![
            ("twox-hash", |bytes| twox_hash::XxHash3_64::oneshot(bytes).to_be_bytes().to_vec()),
            ("xxhash-rust", |bytes| xxhash_rust::xxh3::xxh3_64(bytes).to_be_bytes().to_vec()),
        ],
        Algorithm::XxHash128 => vec![
            ("twox-hash", |bytes| twox_hash::XxHash3_128::oneshot(bytes).to_be_bytes().to_vec()),
            ("xxhash-rust", |bytes| xxhash_rust::xxh3::xxh3_128(bytes).to_be_bytes().to_vec()),
        ],
    }
}

fn crc_fast(algorithm: crc_fast::CrcAlgorithm, size: usize, bytes: &[u8]) -> Vec<u8> {
    crc_fast::checksum(algorithm, bytes).to_be_bytes()[8 - size..].to_vec()
}

#[cfg(feature = "aws-lc")]
fn aws_lc(algorithm: &'static aws_lc_rs::digest::Algorithm, bytes: &[u8]) -> Vec<u8> {
    aws_lc_rs::digest::digest(algorithm, bytes).as_ref().to_vec()
}

fn kernels(criterion: &mut Criterion) {
    for (place, size) in [("L2", IN_L2), ("RAM", IN_RAM)] {
        let bytes: Vec<u8> = (0..size + ROOM).map(|i| (i % 251) as u8).collect();
        for algorithm in Algorithm::ALL {
            let cases = cases(algorithm, &bytes, size);
            for round in 1..=ROUNDS {
                let mut group = criterion.benchmark_group(format!("{} {place} {round}", algorithm.name()));
                group.sampling_mode(if size == IN_RAM { SamplingMode::Flat } else { SamplingMode::Auto });
                for case in &cases {
                    group.throughput(Throughput::Bytes(case.bytes as u64));
                    group.bench_function(BenchmarkId::new(&case.who, &case.what), |bencher| bencher.iter(&case.run));
                }
                group.finish();
            }
        }
    }
}

/// One benchmark: who hashes what.
struct Case<'a> {
    who: String,
    what: String,
    bytes: usize,
    run: Box<dyn Fn() + 'a>,
}

fn cases(algorithm: Algorithm, bytes: &[u8], size: usize) -> Vec<Case<'_>> {
    let peers = peers(algorithm);
    let (_, believed) = peers[0];
    let whole = &bytes[..size];
    let mut cases = Vec::new();
    for (name, peer) in peers {
        assert_eq!(peer(whole), believed(whole), "{name} computes another {}", algorithm.name());
        let run = Box::new(move || drop(black_box(peer(black_box(whole)))));
        cases.push(Case { who: name.to_owned(), what: "1".to_owned(), bytes: size, run });
    }
    let available = Isa::available();
    for isa in &available {
        let (isa, lanes) = (*isa, bench::lanes(algorithm, *isa));
        // Messages one after the other are timed once, with all that the CPU has.
        if lanes == 1 && Some(&isa) != available.last() {
            continue;
        }
        let who = if lanes == 1 { "partsum".to_owned() } else { format!("partsum {}", isa.name()) };
        for (count, gap) in shapes(lanes, size) {
            let length = 1 << (size / count).ilog2();
            let messages: Vec<&[u8]> = (0..count).map(|i| &bytes[i * (length + gap)..][..length]).collect();
            let expected: Vec<_> = messages.iter().map(|message| believed(message)).collect();
            let digests = bench::hash_many(algorithm, isa, &messages);
            assert_eq!(digests.iter().map(Digest::as_bytes).collect::<Vec<_>>(), expected);
            let what = if gap == 0 { count.to_string() } else { format!("{count} with gaps") };
            let run = Box::new(move || drop(black_box(bench::hash_many(algorithm, isa, black_box(&messages)))));
            cases.push(Case { who: who.clone(), what, bytes: count * length, run });
        }
    }
    cases
}

/// How many messages and the gap between them: full lanes, and from L2 also fewer, one more, and full ones with gaps.
fn shapes(lanes: usize, size: usize) -> Vec<(usize, usize)> {
    if lanes == 1 || size == IN_RAM {
        return vec![(lanes, 0)];
    }
    let mut counts = vec![1, 2, 3, lanes / 2, lanes, lanes + 1];
    counts.sort_unstable();
    counts.dedup();
    counts.into_iter().map(|count| (count, 0)).chain([(lanes, GAP)]).collect()
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .without_plots()
        .sample_size(10)
        .nresamples(1000)
        .warm_up_time(Duration::from_millis(50))
        .measurement_time(Duration::from_millis(200));
    targets = kernels
}
criterion_main!(benches);
