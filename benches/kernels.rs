//! One core, messages in L2: each algorithm on each instruction set and number of messages, beside its peers.
//!
//! `cargo bench --bench kernels`. Every figure is checked: a kernel whose digests are wrong does not get timed.

use std::{hint::black_box, time::Duration};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use partsum::{Algorithm, Digest, Isa, bench};

/// Bytes hashed at once: half of the smallest L2 around.
const BYTES: usize = 256 << 10;

/// What users would call without us, one message after the other.
fn peer(algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
    use md5::Digest as _;
    match algorithm {
        Algorithm::Md5 => md5::Md5::digest(message).to_vec(),
        Algorithm::Sha1 => sha1::Sha1::digest(message).to_vec(),
        Algorithm::Sha256 => sha2::Sha256::digest(message).to_vec(),
        Algorithm::Sha512 => sha2::Sha512::digest(message).to_vec(),
        Algorithm::Crc32 => crc32fast::hash(message).to_be_bytes().to_vec(),
        Algorithm::Crc32c => crc32c::crc32c(message).to_be_bytes().to_vec(),
        Algorithm::Crc64Nvme => crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, message).to_be_bytes().to_vec(),
        Algorithm::XxHash64 => twox_hash::XxHash64::oneshot(0, message).to_be_bytes().to_vec(),
        Algorithm::XxHash3 => twox_hash::XxHash3_64::oneshot(message).to_be_bytes().to_vec(),
        Algorithm::XxHash128 => twox_hash::XxHash3_128::oneshot(message).to_be_bytes().to_vec(),
    }
}

const fn peer_name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Md5 => "md-5",
        Algorithm::Sha1 => "sha1",
        Algorithm::Sha256 | Algorithm::Sha512 => "sha2",
        Algorithm::Crc32 => "crc32fast",
        Algorithm::Crc32c => "crc32c",
        Algorithm::Crc64Nvme => "crc-fast",
        Algorithm::XxHash64 | Algorithm::XxHash3 | Algorithm::XxHash128 => "twox-hash",
    }
}

fn kernels(criterion: &mut Criterion) {
    for algorithm in Algorithm::ALL {
        let mut group = criterion.benchmark_group(algorithm.name());
        group.throughput(Throughput::Bytes(BYTES as u64));
        let bytes: Vec<u8> = (0..BYTES).map(|i| (i % 251) as u8).collect();
        group.bench_function(BenchmarkId::new(peer_name(algorithm), 1), |bencher| {
            bencher.iter(|| peer(algorithm, black_box(&bytes)));
        });
        for isa in Isa::available() {
            let lanes = bench::lanes(algorithm, isa);
            if lanes == 1 && isa != Isa::PORTABLE {
                continue;
            }
            let mut counts = vec![1, 2, lanes / 2, lanes];
            counts.retain(|count| (1..=lanes).contains(count));
            counts.sort_unstable();
            counts.dedup();
            for count in counts {
                let messages: Vec<&[u8]> = bytes.chunks(BYTES / count).collect();
                let expected: Vec<_> = messages.iter().map(|message| peer(algorithm, message)).collect();
                let digests = bench::hash_many(algorithm, isa, &messages);
                assert_eq!(digests.iter().map(Digest::as_bytes).collect::<Vec<_>>(), expected);
                let name = if lanes == 1 { "partsum".to_owned() } else { format!("partsum {}", isa.name()) };
                group.bench_function(BenchmarkId::new(name, count), |bencher| {
                    bencher.iter(|| bench::hash_many(algorithm, isa, black_box(&messages)));
                });
            }
        }
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    targets = kernels
}
criterion_main!(benches);
