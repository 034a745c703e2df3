//! The rules, one by one, on bytes small enough to see.

use super::{Status, Strength, Verdict, solve_etag, verify, verify_file};
use crate::{
    algorithm::{Algorithm, ChecksumType},
    hash::{Options, hash_bytes},
    parts::{PartPlan, PartSize, SmallParts, guesses::plausible},
    s3::{Answers, ContentRange, ETag, Encryption, ObjectChecksums, PartPage, Quirk, Response, SaidPart},
};

const MIB: u64 = 1 << 20;

fn sums(bytes: &[u8], part_size: PartSize, algorithms: &[Algorithm]) -> ObjectChecksums {
    let options = Options { part_size, small_parts: SmallParts::Allow, ..Options::default() };
    hash_bytes(bytes, algorithms, &options, &mut ()).unwrap()
}

fn sizes(sizes: &[u64]) -> PartSize {
    PartSize::Sizes(sizes.to_vec())
}

/// HeadObject of these bytes, in plain text.
fn head(sums: &ObjectChecksums) -> Response {
    let etag = sums.etag().ok().map(ETag::from);
    Response { size: Some(sums.size()), etag, encryption: Encryption::Plain, ..Response::default() }
}

fn said(sums: &ObjectChecksums, algorithm: Algorithm, kind: ChecksumType) -> Response {
    let value = sums.checksum(algorithm, Some(kind)).unwrap();
    Response { checksums: vec![(algorithm, value)], checksum_type: Some(kind), ..head(sums) }
}

fn listed(sums: &ObjectChecksums, algorithm: Option<Algorithm>) -> Vec<SaidPart> {
    sums.parts()
        .map(|part| SaidPart {
            number: part.part().number.into(),
            size: Some(part.part().size),
            etag: part.etag().ok().filter(|_| algorithm.is_none()).map(ETag::from),
            checksums: algorithm.map(|alg| (alg, part.digest(alg).unwrap().to_base64())).into_iter().collect(),
            ..SaidPart::default()
        })
        .collect()
}

fn judged(sums: &ObjectChecksums, responses: &[Response]) -> Verdict {
    verify(sums, &Answers::new(responses))
}

#[test]
fn size_first() {
    let ours = sums(b"abc", PartSize::Whole, &[Algorithm::Md5]);
    let verdict = judged(&ours, &[Response { size: Some(4), ..head(&ours) }]);
    assert_eq!(verdict.status, Status::Mismatch);
    assert_eq!(verdict.reason, "the size is 4 bytes in S3, 3 here");
}

#[test]
fn full_object_crcs_need_no_part_sizes() {
    let theirs = sums(b"abcdefgh", sizes(&[5, 3]), &[Algorithm::Crc64Nvme, Algorithm::Md5]);
    let answer = said(&theirs, Algorithm::Crc64Nvme, ChecksumType::FullObject);
    for plan in [PartSize::Whole, sizes(&[1, 1, 6]), sizes(&[8])] {
        let ours = sums(b"abcdefgh", plan.clone(), &[Algorithm::Crc64Nvme]);
        assert_eq!(judged(&ours, std::slice::from_ref(&answer)).status, Status::Match);
        let ours = sums(b"abcdefgi", plan, &[Algorithm::Crc64Nvme]);
        assert_eq!(judged(&ours, std::slice::from_ref(&answer)).status, Status::Mismatch);
    }
}

#[test]
fn a_guessed_plan_can_only_agree() {
    let theirs = sums(b"abcdefgh", sizes(&[3, 1, 4]), &[Algorithm::Sha256, Algorithm::Md5]);
    let answer = said(&theirs, Algorithm::Sha256, ChecksumType::Composite);
    let verdict = judged(&theirs, std::slice::from_ref(&answer));
    assert_eq!((verdict.status, verdict.evidence.len()), (Status::Match, 3));
    for plan in [sizes(&[3, 2, 3]), PartSize::Whole] {
        let ours = sums(b"abcdefgh", plan, &[Algorithm::Sha256, Algorithm::Md5]);
        let verdict = judged(&ours, std::slice::from_ref(&answer));
        assert_eq!(verdict.status, Status::NotComparable);
        assert!(verdict.reason.contains("GetObjectAttributes"), "{}", verdict.reason);
    }
}

#[test]
fn a_composite_checksum_that_tells_no_number_of_parts_is_no_mismatch() {
    let theirs = sums(b"abcdefgh", sizes(&[3, 1, 4]), &[Algorithm::Sha256]);
    let text = theirs.composite(Algorithm::Sha256).unwrap();
    let answer = Response {
        size: Some(8),
        checksums: vec![(Algorithm::Sha256, text.split_once('-').unwrap().0.to_owned())],
        checksum_type: Some(ChecksumType::Composite),
        attributes: true,
        ..Response::default()
    };
    assert_eq!(judged(&theirs, std::slice::from_ref(&answer)).status, Status::Match);
    for plan in [sizes(&[3, 2, 3]), PartSize::Whole] {
        let ours = sums(b"abcdefgh", plan, &[Algorithm::Sha256]);
        let verdict = judged(&ours, std::slice::from_ref(&answer));
        assert_eq!(verdict.status, Status::NotComparable, "{}", verdict.reason);
    }
}

#[test]
fn parts_are_named_where_they_have_values() {
    let theirs = sums(b"abcdefgh", sizes(&[3, 1, 4]), &[Algorithm::Sha256]);
    let page = |parts: &[SaidPart], upload| PartPage { upload, parts: parts.to_vec(), ..PartPage::default() };
    let parts = listed(&theirs, Some(Algorithm::Sha256));
    let composite = theirs.composite(Algorithm::Sha256).unwrap();
    let attributes = Response {
        size: Some(8),
        checksums: vec![(Algorithm::Sha256, composite.trim_end_matches("-3").to_owned())],
        checksum_type: Some(ChecksumType::Composite),
        attributes: true,
        parts_count: Some(3),
        page: Some(page(&parts, false)),
        ..Response::default()
    };
    assert_eq!(judged(&theirs, std::slice::from_ref(&attributes)).status, Status::Match);
    let ours = sums(b"abcDefgh", sizes(&[3, 1, 4]), &[Algorithm::Sha256]);
    let verdict = judged(&ours, std::slice::from_ref(&attributes));
    assert_eq!(verdict.status, Status::Mismatch);
    let bad: Vec<_> = verdict.bad_parts.iter().map(|part| (part.number, part.offset, part.size)).collect();
    assert_eq!(bad, [(2, 3, 1)]);
    assert_eq!(verdict.evidence, ["size", "ChecksumSHA256 of part 1", "ChecksumSHA256 of part 3"]);
}

#[test]
fn etags_count_where_they_are_md5s() {
    let ours = sums(b"abc", PartSize::Whole, &[Algorithm::Md5]);
    let other = Response { etag: Some("0".repeat(32).into()), ..head(&ours) };
    assert_eq!(judged(&ours, std::slice::from_ref(&other)).status, Status::Mismatch);
    for encryption in [Encryption::Unknown, Encryption::NotMd5("SSE-KMS".into())] {
        let answer = Response { encryption, ..other.clone() };
        assert_eq!(judged(&ours, &[answer]).status, Status::NotComparable);
    }
    let answer = Response { directory_bucket: true, ..other };
    assert_eq!(judged(&ours, &[answer]).status, Status::NotComparable);
}

#[test]
fn encryption_in_s3s_words() {
    for (server_side, customer, headers, expected) in [
        (None, None, true, Encryption::Plain),
        (None, None, false, Encryption::Unknown),
        (Some("AES256"), None, false, Encryption::Plain),
        (Some("aws:kms"), None, true, Encryption::NotMd5("SSE-KMS".into())),
        (Some("aws:kms:dsse"), None, true, Encryption::NotMd5("DSSE-KMS".into())),
        (None, Some("AES256"), true, Encryption::NotMd5("SSE-C".into())),
    ] {
        assert_eq!(Encryption::told(server_side, customer, headers), expected);
    }
}

#[test]
fn one_md5_among_the_etags_of_parts_is_enough() {
    let theirs = sums(b"abcdefgh", sizes(&[3, 1, 4]), &[Algorithm::Md5]);
    let page = PartPage { upload: true, parts: listed(&theirs, None), ..PartPage::default() };
    let answer = Response { page: Some(page), ..Response::default() };
    let verdict = judged(&theirs, std::slice::from_ref(&answer));
    assert_eq!((verdict.status, verdict.evidence), (Status::Match, vec!["size".into(), "ETag of parts 1-3".into()]));
    let ours = sums(b"Abcdefgh", sizes(&[3, 1, 4]), &[Algorithm::Md5]);
    assert_eq!(judged(&ours, std::slice::from_ref(&answer)).status, Status::Mismatch);
    let ours = sums(b"ABCDEFGH", sizes(&[3, 1, 4]), &[Algorithm::Md5]);
    assert_eq!(judged(&ours, std::slice::from_ref(&answer)).status, Status::NotComparable);
}

#[test]
fn a_differing_etag_is_never_outvoted() {
    let ours = sums(b"abc", PartSize::Whole, &[Algorithm::Md5, Algorithm::Crc32, Algorithm::Sha256]);
    for algorithm in [Algorithm::Crc32, Algorithm::Sha256] {
        let answer = said(&ours, algorithm, ChecksumType::FullObject);
        let other = Response { etag: Some("0".repeat(32).into()), ..answer };
        assert_eq!(judged(&ours, std::slice::from_ref(&other)).status, Status::Mismatch);
        let verdict = verify(&ours, &Answers::with_quirks(&[other], &[Quirk::ETagNotMd5]));
        assert_eq!((verdict.status, verdict.not_compared.len()), (Status::Match, 1), "{}", verdict.reason);
    }
    let wrong = said(&sums(b"abd", PartSize::Whole, &[Algorithm::Crc32]), Algorithm::Crc32, ChecksumType::FullObject);
    let verdict = judged(&ours, &[Response { etag: ours.etag().ok().map(ETag::from), ..wrong }]);
    assert_eq!(verdict.status, Status::Mismatch);
}

#[test]
fn a_match_is_as_strong_as_its_strongest_value() {
    for (algorithm, expected) in [
        (Algorithm::Crc64Nvme, Strength::Accidental),
        (Algorithm::Sha1, Strength::CollisionProne),
        (Algorithm::Sha512, Strength::Cryptographic),
    ] {
        let ours = sums(b"abc", PartSize::Whole, &[algorithm]);
        let verdict = judged(&ours, &[said(&ours, algorithm, ChecksumType::FullObject)]);
        assert_eq!(verdict.strength, Some(expected));
    }
}

#[test]
fn answers_of_two_objects_are_no_answer() {
    let ours = sums(b"abc", PartSize::Whole, &[Algorithm::Md5]);
    let other = sums(b"abd", PartSize::Whole, &[Algorithm::Md5]);
    let verdict = judged(&ours, &[head(&ours), head(&other)]);
    assert_eq!(verdict.status, Status::NotComparable);
    assert!(verdict.reason.contains("not of one object"));
}

#[test]
fn content_ranges() {
    assert_eq!(ContentRange::parse("bytes 3-9/20"), Some(ContentRange { offset: 3, size: 7, total: 20 }));
    for text in ["", "bytes", "bytes 3-9", "bytes */20", "bytes 9-3/20", "bytes 3-20/20", "3-9/20", "bytes 3-9/*"] {
        assert_eq!(ContentRange::parse(text), None, "{text}");
    }
}

#[test]
fn forms_of_etags() {
    let hex = "d41d8cd98f00b204e9800998ecf8427e";
    let parts = |etag: &str| ETag::from(etag).md5().map(|(_, parts)| parts);
    assert_eq!(parts(hex), Some(None));
    assert_eq!(parts(&format!("{hex}-3")), Some(Some(3)));
    for etag in ["", "1-", "d41d", "zzzd8cd98f00b204e9800998ecf8427e"] {
        assert_eq!(parts(etag), None, "{etag}");
    }
    for suffix in ["-", "-0", "-x", "--1", "-1-1", "-10001", "-4000000000"] {
        assert_eq!(parts(&format!("{hex}{suffix}")), None, "{suffix}");
    }
    assert_eq!(ETag::from(format!("{hex}-4000000000")).parts(), Some(4_000_000_000));
    let upper = hex.to_uppercase();
    for shown in [format!("\"{hex}\""), format!("W/\"{upper}\""), format!("  \"{hex}\" "), upper.clone()] {
        assert_eq!(ETag::from(shown.as_str()), ETag::from(hex), "{shown}");
    }
    assert_eq!(ETag::from("W/\"AbC\" ").bare(), "AbC");
    assert_eq!(ETag::from(" W/\"AbC\" ").shown(), "W/\"AbC\"");
    assert!(["", "\"\"", "W/", "W/\"\"", "\""].iter().all(|empty| ETag::from(*empty).is_empty()));
}

#[test]
fn every_plausible_plan_has_the_parts_it_is_asked_for() {
    for (size, parts) in [
        (0, 1),
        (1, 1),
        (1, 2),
        (20 * MIB, 2),
        (20 * MIB, 3),
        (100 * MIB + 1, 7),
        (10 << 30, 2),
        (10 << 30, 3),
        (1 << 40, 10_000),
        (5 << 40, 10_000),
        (1 << 40, 10_001),
        (1 << 40, 0),
    ] {
        let plans = plausible(size, parts);
        assert!(plans.len() < 200, "{size} {parts}: {}", plans.len());
        assert!(plans.iter().all(|plan| plan.len() == parts as usize && plan.multipart() && plan.size() == size));
        let mut distinct = plans.clone();
        distinct.dedup();
        assert_eq!(distinct.len(), plans.len());
    }
}

#[test]
fn plausible_plans_are_those_that_people_use() {
    let cases: &[(u64, u64)] = &[
        (20 * MIB, 8 * MIB),
        (1 << 30, 16 * MIB),
        (1 << 30, 100_000_000),
        (1 << 30, 17_179_870),
        (100 << 30, 16 * MIB),
        (52_428_800_001, 5_242_881),
        (700 * MIB, 70 * MIB),
        (3_000_000_000, 1_000_000_000),
        (10 << 30, 4 << 30),
        (11 << 20, 5_242_881),
        (123_456_789, 12_345_679),
    ];
    for (size, part_size) in cases {
        let plan = PartPlan::new(*size, &PartSize::Bytes(*part_size), SmallParts::Allow).unwrap();
        assert!(plausible(*size, plan.len() as u32).contains(&plan), "{size} in parts of {part_size}");
    }
    let with_empty_end = PartPlan::new(16 * MIB, &sizes(&[8 * MIB, 8 * MIB, 0]), SmallParts::Allow).unwrap();
    assert!(plausible(16 * MIB, 3).contains(&with_empty_end));
}

#[test]
fn files_are_solved_and_verified() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let bytes = vec![7; 3 * MIB as usize];
    std::fs::write(&path, &bytes).unwrap();
    let options = Options::default();
    let theirs = sums(&bytes, PartSize::Bytes(MIB), &[Algorithm::Md5]);
    let found = solve_etag(&path, &theirs.etag().unwrap(), None, &options, &mut ()).unwrap();
    assert_eq!(found, [theirs.plan().clone()]);
    let verdict = verify_file(&path, &Answers::new(&[head(&theirs)]), false, &options, &mut ()).unwrap();
    assert_eq!((verdict.status, verdict.evidence), (Status::Match, vec!["size".into(), "ETag".into()]));
    assert!(solve_etag(&path, "no ETag", None, &options, &mut ()).is_err());
}
