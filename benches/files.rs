//! `hash_file` on a page-cached file of 256 MiB: by algorithm, threads and way of reading, and by the number of parts.
//!
//! `cargo bench -p partsum-benches --bench files`. The results are compared with one another before any is timed.

use std::{fs, hint::black_box, path::PathBuf, time::Duration};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use partsum::{Algorithm, Io, Options, PartSize, SmallParts, hash_file};

const BYTES: usize = 256 << 20;

/// The file's name; its bytes are written, so that they are in the page cache.
fn file() -> PathBuf {
    let path = std::env::temp_dir().join(format!("partsum-bench-{}", std::process::id()));
    fs::write(&path, (0..BYTES).map(|i| (i % 251) as u8).collect::<Vec<u8>>()).unwrap();
    path
}

fn files(criterion: &mut Criterion) {
    let path = file();
    let requests: [(&str, &[Algorithm]); 4] = [
        ("ETag", &[Algorithm::Md5]),
        ("ETag and CRC64NVME", &[Algorithm::Md5, Algorithm::Crc64Nvme]),
        ("SHA256 composite", &[Algorithm::Sha256]),
        ("MD5 SHA256 CRC64NVME CRC32C", &[Algorithm::Md5, Algorithm::Sha256, Algorithm::Crc64Nvme, Algorithm::Crc32c]),
    ];
    for (name, algorithms) in requests {
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Bytes(BYTES as u64));
        let hash = |io, threads| {
            let options =
                Options { part_size: PartSize::Bytes(8 << 20), threads: Some(threads), io, ..Options::default() };
            hash_file(&path, algorithms, &options, &mut ()).unwrap()
        };
        let expected = hash(Io::Read, 1);
        for (way, io) in [("read", Io::Read), ("mmap", Io::Mmap)] {
            for threads in [1, 2] {
                assert_eq!(hash(io, threads), expected);
                group.bench_function(BenchmarkId::new(way, threads), |bencher| {
                    bencher.iter(|| black_box(hash(io, threads)));
                });
            }
        }
        group.finish();
    }
    fs::remove_file(&path).unwrap();
}

/// One part, fewer and more than lanes, one more than two vectors have, and many.
fn parts(criterion: &mut Criterion) {
    let path = file();
    for algorithm in [Algorithm::Md5, Algorithm::Sha256] {
        let mut group = criterion.benchmark_group(format!("{} by parts", algorithm.name()));
        group.throughput(Throughput::Bytes(BYTES as u64));
        for parts in [1, 3, 17, 64, 640] {
            let part_size = PartSize::Bytes(BYTES.div_ceil(parts) as u64);
            let hash = |threads| {
                let small_parts = SmallParts::Allow;
                let options =
                    Options { part_size: part_size.clone(), threads: Some(threads), small_parts, ..Options::default() };
                hash_file(&path, &[algorithm], &options, &mut ()).unwrap()
            };
            assert_eq!(hash(1), hash(2));
            assert_eq!(hash(1).parts().len(), parts, "{parts} parts");
            for threads in [1, 2] {
                group.bench_function(BenchmarkId::new(parts.to_string(), threads), |bencher| {
                    bencher.iter(|| black_box(hash(threads)));
                });
            }
        }
        group.finish();
    }
    fs::remove_file(&path).unwrap();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3));
    targets = files, parts
}
criterion_main!(benches);
