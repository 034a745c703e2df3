//! Answers recorded from Amazon S3, and values of other people's code; Python's tests read the same files.

use partsum::{
    Algorithm, ChecksumType, Hasher, ObjectChecksums, Options, PartSize, Preset, SmallParts, hash_bytes, plan_parts,
};
use serde_json::Value;

fn vectors(name: &str) -> Value {
    let path = format!("{}/tests/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(&path).expect(&path)).expect(&path)
}

fn algorithm(name: &str) -> Algorithm {
    name.parse().unwrap()
}

fn hash(bytes: &[u8], part_size: PartSize) -> ObjectChecksums {
    let options = Options { part_size, small_parts: SmallParts::Allow, ..Options::default() };
    hash_bytes(bytes, &Algorithm::ALL, &options, &mut ()).unwrap()
}

#[test]
fn multipart_upload_recorded_from_s3() {
    let vectors = vectors("aws_multipart");
    let sizes: Vec<u64> =
        vectors["input"]["parts"].as_array().unwrap().iter().map(|part| part["count"].as_u64().unwrap()).collect();
    let bytes = vec![b'a'; sizes.iter().sum::<u64>() as usize];
    let sums = hash(&bytes, PartSize::Sizes(sizes));
    assert_eq!(sums.etag().unwrap(), vectors["etag"].as_str().unwrap());
    assert!(sums.matches_etag(&format!("W/\"{}\"", vectors["etag"].as_str().unwrap())).unwrap());
    let etags: Vec<_> = sums.parts().map(|part| part.etag().unwrap()).collect();
    assert_eq!(Value::from(etags), vectors["part_etags"]);
    assert_eq!(hash(&bytes, PartSize::Whole).etag().unwrap(), vectors["single_put_etag"].as_str().unwrap());

    let rows = vectors["checksums"].as_object().unwrap();
    assert_eq!(rows.len(), Algorithm::ALL.len());
    for (name, row) in rows {
        let algorithm = algorithm(name);
        let parts: Vec<_> = sums.parts().map(|part| part.digest(algorithm).unwrap().to_base64()).collect();
        assert_eq!(Value::from(parts), row["parts"], "{name}");
        // null: S3 has no such value, and neither have we.
        assert_eq!(Value::from(sums.composite(algorithm).ok()), row["composite"], "{name}");
        assert_eq!(Value::from(sums.full_object(algorithm).ok()), row["full_object"], "{name}");
    }
}

#[test]
fn one_part_uploads_recorded_from_s3() {
    let vectors = vectors("small");
    for case in vectors["one_part"].as_array().unwrap() {
        let text = case["input"]["text"].as_str().unwrap();
        let sums = hash(text.as_bytes(), PartSize::Bytes(8 << 20));
        for (key, value) in case["one_part_upload"].as_object().unwrap() {
            let ours = match key.split_once('_') {
                None => sums.etag(),
                Some((name, "full_object")) => sums.checksum(algorithm(name), Some(ChecksumType::FullObject)),
                Some((name, "composite")) => sums.checksum(algorithm(name), Some(ChecksumType::Composite)),
                Some((name, "part")) => Ok(sums.parts().next().unwrap().digest(algorithm(name)).unwrap().to_base64()),
                Some(_) => panic!("{key}"),
            };
            assert_eq!(ours.unwrap(), value.as_str().unwrap(), "{text:?} {key}");
        }
    }
}

#[test]
fn whole_messages_of_other_code() {
    let vectors = vectors("small");
    for case in vectors["single"].as_array().unwrap() {
        let text = case["input"]["text"].as_str().unwrap();
        let sums = hash(text.as_bytes(), PartSize::Whole);
        for (name, value) in case["checksums"].as_object().unwrap() {
            assert_eq!(sums.full_object(algorithm(name)).unwrap(), value.as_str().unwrap(), "{text:?} {name}");
        }
    }
}

#[test]
fn byte_cycle_of_any_length() {
    let vectors = vectors("byte_cycle");
    for case in vectors["cases"].as_array().unwrap() {
        let length = case["length"].as_u64().unwrap() as usize;
        let bytes: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
        for (name, digest) in case["digests"].as_object().unwrap() {
            let mut hasher = Hasher::new(algorithm(name));
            bytes.chunks(97).for_each(|chunk| hasher.update(chunk));
            assert_eq!(hasher.digest().to_hex(), digest.as_str().unwrap(), "{name} of {length} bytes");
        }
    }
}

#[test]
fn part_plans_of_the_tools() {
    let vectors = vectors("part_plans");
    for (tool, row) in vectors["tools"].as_object().unwrap() {
        let preset = Preset::named(tool).unwrap_or_else(|| panic!("no preset {tool}"));
        for case in row["cases"].as_array().unwrap() {
            let size = case["size"].as_u64().unwrap();
            let plan = plan_parts(size, &PartSize::Preset(preset));
            if case["error"].as_bool() == Some(true) {
                assert!(plan.is_err(), "{tool} {size}");
                continue;
            }
            let plan = plan.unwrap_or_else(|error| panic!("{tool} {size}: {error}"));
            assert_eq!(plan.multipart(), case["multipart"].as_bool().unwrap(), "{tool} {size}");
            if let Some(part_size) = case["part_size"].as_u64() {
                assert_eq!(plan.part(0).size, part_size, "{tool} {size}");
                assert_eq!(plan.len() as u64, case["parts"].as_u64().unwrap(), "{tool} {size}");
            }
        }
    }
}
