//! The rules of the verdict.
//!
//! - Another size is a mismatch, whatever else agrees.
//! - A checksum that S3 keeps with the object was checked when the bytes came in: one that differs is a mismatch.
//! - An ETag is the weakest: it counts only where S3 makes it of MD5s, and a SHA that agrees outweighs one that differs.
//! - Agreement under a guessed plan is agreement (nobody meets a digest by accident); disagreement under one says nothing.
//! - A match needs a value that covers all bytes.

use super::{
    Status, Verdict,
    answers::{Answers, Encryption, Layout, Piece, bare_etag, parse_etag},
    local::Local,
};
use crate::{
    algorithm::{Algorithm, ChecksumType},
    digest::Digest,
    parts::{Part, PartPlan, PartSize, SmallParts},
    s3::ObjectChecksums,
};

/// How one value compares.
enum Outcome {
    Agrees,
    /// What it is here.
    Differs(String),
    /// Why it does not tell, and what would.
    Unsettled(String),
}

/// Whether a value that agrees is worth more than an ETag that does not.
const fn outweighs_md5(algorithm: Algorithm) -> bool {
    matches!(algorithm, Algorithm::Sha1 | Algorithm::Sha256 | Algorithm::Sha512)
}

/// Everything that was found out so far.
struct Findings<'a> {
    answers: &'a Answers,
    layout: Layout,
    local: Local<'a>,
    /// Whether a file was hashed for these answers: nobody can be told to compute more.
    file: bool,
    evidence: Vec<String>,
    /// Whether something that agrees covers all bytes; whether a SHA does.
    covered: bool,
    outweighed: bool,
    differing: Vec<String>,
    bad_parts: Vec<Part>,
    unsettled: Vec<String>,
    /// An ETag that differs where a SHA agrees.
    odd_etag: Option<String>,
}

/// The verdict on local bytes of which some checksums are known.
pub(super) fn judge(answers: &Answers, size: u64, sums: &[ObjectChecksums], file: bool) -> Verdict {
    let verdict = |status, reason: String| Verdict { status, reason, evidence: Vec::new(), bad_parts: Vec::new() };
    if let Some(contradiction) = &answers.contradiction {
        let reason = format!("the responses are not of one object: {contradiction}");
        return verdict(Status::NotComparable, reason);
    }
    let theirs = answers.object_size();
    if let Some(theirs) = theirs.filter(|theirs| *theirs != size) {
        return verdict(Status::Mismatch, format!("the size is {theirs} bytes in S3, {size} here"));
    }
    if !answers.object && answers.uploaded() > size {
        let reason = format!("the upload has {} bytes already, the file {size}", answers.uploaded());
        return verdict(Status::Mismatch, reason);
    }
    let mut findings = Findings {
        answers,
        layout: answers.layout(size),
        local: Local { size, sums },
        file,
        evidence: Vec::new(),
        covered: false,
        outweighed: false,
        differing: Vec::new(),
        bad_parts: Vec::new(),
        unsettled: Vec::new(),
        odd_etag: None,
    };
    if theirs.is_some() || (!answers.object && matches!(findings.layout, Layout::Exact(_))) {
        findings.evidence.push("size".to_owned());
        // All empty objects are equal.
        findings.covered = size == 0 && answers.object;
    }
    findings.values();
    let mut plain = answers.encryption == Encryption::Plain;
    let bad_etags = findings.pieces(&mut plain);
    findings.etag(plain, bad_etags);
    findings.conclude()
}

impl Findings<'_> {
    /// Checksums of the whole object.
    fn values(&mut self) {
        for value in &self.answers.values {
            let (algorithm, field) = (value.algorithm, value.algorithm.field());
            let Some(said) = Digest::from_base64(&value.text, algorithm.digest_size()) else {
                self.unsettled.push(format!("{field} {:?} is not the base64 of a digest", value.text));
                continue;
            };
            let kinds = match (value.kind, &self.layout) {
                (Some(kind), _) => vec![kind],
                (None, Layout::Exact(plan)) if !plan.multipart() => vec![ChecksumType::FullObject],
                (None, _) => algorithm.checksum_types().to_vec(),
            };
            let mut outcomes = Vec::new();
            for kind in kinds {
                let outcome = match kind {
                    ChecksumType::Composite => self.composite(algorithm, &said, false),
                    ChecksumType::FullObject => self.full(algorithm, &said, false),
                };
                let name = format!("{field} {kind}");
                match outcome {
                    Outcome::Agrees => {
                        self.agrees(name, Some(algorithm));
                        outcomes.clear();
                        break;
                    }
                    outcome => outcomes.push((name, outcome)),
                }
            }
            // Of a type that S3 did not say, a difference counts only if it differs as every type.
            let open = outcomes.iter().any(|(_, outcome)| matches!(outcome, Outcome::Unsettled(_)));
            for (name, outcome) in outcomes {
                match outcome {
                    Outcome::Unsettled(reason) => self.unsettled.push(format!("{name}: {reason}")),
                    Outcome::Differs(ours) if !open => {
                        let parts = ours.rsplit_once('-').map(|(_, parts)| format!("-{parts}")).unwrap_or_default();
                        self.differing.push(format!("{name} is {}{parts} in S3, {ours} here", value.text));
                    }
                    _ => {}
                }
            }
        }
    }

    fn agrees(&mut self, name: String, algorithm: Option<Algorithm>) {
        self.evidence.push(name);
        self.covered = true;
        self.outweighed |= algorithm.is_some_and(outweighs_md5);
    }

    /// The digest of all bytes.
    fn full(&self, algorithm: Algorithm, said: &Digest, etag: bool) -> Outcome {
        match self.local.digest(algorithm, 0, self.local.size) {
            Some(ours) if ours == *said => Outcome::Agrees,
            Some(ours) => Outcome::Differs(spelt(&ours, etag)),
            None if self.local.computed(algorithm) => Outcome::Unsettled(format!(
                "the parts' {algorithm}s do not tell that of all bytes: hash with part_size=None"
            )),
            None if algorithm.is_crc() => Outcome::Unsettled(not_computed(algorithm)),
            None => Outcome::Unsettled(format!("{} and part_size=None", not_computed(algorithm))),
        }
    }

    /// The digest of the parts' digests.
    fn composite(&self, algorithm: Algorithm, said: &Digest, etag: bool) -> Outcome {
        if !self.local.computed(algorithm) {
            return Outcome::Unsettled(match &self.layout {
                Layout::Guess(plans) if plans.is_empty() => self.no_plan(),
                _ => not_computed(algorithm),
            });
        }
        match &self.layout {
            Layout::Exact(plan) => match self.local.of_parts(algorithm, plan) {
                Some(ours) if ours == *said => Outcome::Agrees,
                Some(ours) => Outcome::Differs(format!("{}-{}", spelt(&ours, etag), plan.len())),
                None => Outcome::Unsettled(format!("the object has other parts: hash with part_size={}", cut(plan))),
            },
            Layout::Guess(plans) => {
                let count = self.answers.count();
                let own = self.local.sums.iter().map(ObjectChecksums::plan);
                let fits = |plan: &&PartPlan| count.is_none_or(|count| count as usize == plan.len());
                let own = own.filter(fits).filter(|plan| !plans.contains(plan));
                let mut tried = 0;
                for plan in plans.iter().chain(own) {
                    match self.local.of_parts(algorithm, plan) {
                        Some(ours) if ours == *said => return Outcome::Agrees,
                        Some(_) => tried += 1,
                        None => {}
                    }
                }
                Outcome::Unsettled(match tried {
                    0 => format!(
                        "the object has {} parts, which were not hashed: {}",
                        count.map_or("an unknown number of".to_owned(), |count| count.to_string()),
                        self.answers.parts_wanted()
                    ),
                    _ => format!(
                        "it is that of none of the {tried} ways of cutting the bytes that were tried: they are other \
                         bytes, or the parts are uneven; {}",
                        self.answers.parts_wanted()
                    ),
                })
            }
            Layout::Unfinished => Outcome::Unsettled("the upload is not complete".to_owned()),
        }
    }

    fn no_plan(&self) -> String {
        format!("no usual way of cutting gives so many parts; {}", self.answers.parts_wanted())
    }

    /// The parts' own values. Returns the parts whose ETags differ: whether that counts is not known yet.
    fn pieces(&mut self, plain: &mut bool) -> Vec<(Piece, Digest)> {
        let mut agreed: Vec<(String, Vec<u32>)> = Vec::new();
        let mut agrees = |name: &str, number: u32| match agreed.iter_mut().find(|(other, _)| other == name) {
            Some((_, numbers)) => numbers.push(number),
            None => agreed.push((name.to_owned(), vec![number])),
        };
        let (mut bad_etags, mut missing) = (Vec::new(), Vec::new());
        let mut good: Vec<(u64, u64)> = Vec::new();
        let pieces = self.answers.pieces(&self.layout);
        // An upload has one encryption: one MD5 among its ETags tells that all are.
        let usable = !matches!(self.answers.encryption, Encryption::NotMd5(_)) && !self.answers.directory_bucket;
        for piece in &pieces {
            let place = Part { number: piece.number, offset: piece.offset, size: piece.size };
            for (algorithm, text) in &piece.checksums {
                let said = Digest::from_base64(text, algorithm.digest_size());
                match self.local.digest(*algorithm, piece.offset, piece.size) {
                    Some(ours) if Some(ours) == said => {
                        agrees(algorithm.field(), piece.number);
                        good.push((piece.offset, piece.size));
                    }
                    Some(ours) => {
                        let field = algorithm.field();
                        let (at, ours) = (place.bytes_in_words(), ours.to_base64());
                        self.differing
                            .push(format!("part {} ({at}): {field} is {text} in S3, {ours} here", piece.number));
                        if !self.bad_parts.contains(&place) {
                            self.bad_parts.push(place);
                        }
                    }
                    None => missing.push(*algorithm),
                }
            }
            let etag = piece.etag.as_deref().filter(|_| usable).map(bare_etag);
            let Some((said, None)) = etag.as_deref().and_then(parse_etag) else { continue };
            match self.local.digest(Algorithm::Md5, piece.offset, piece.size) {
                Some(ours) if ours.to_hex() == said => {
                    *plain = true;
                    agrees("ETag", piece.number);
                    good.push((piece.offset, piece.size));
                }
                Some(ours) => bad_etags.push((piece.clone(), ours)),
                None if piece.checksums.is_empty() => missing.push(Algorithm::Md5),
                None => {}
            }
        }
        for (name, numbers) in agreed {
            self.evidence.extend(runs(&numbers).iter().map(|run| match run.contains('-') {
                true => format!("{name} of parts {run}"),
                false => format!("{name} of part {run}"),
            }));
        }
        good.sort_unstable();
        good.dedup();
        if let Layout::Exact(plan) = &self.layout {
            self.covered |= plan.iter().all(|part| good.binary_search(&(part.offset, part.size)).is_ok());
        }
        if let Some(algorithm) = missing.first() {
            let reason = match self.local.computed(*algorithm) {
                true => match &self.layout {
                    Layout::Exact(plan) => format!("the parts are others: hash with part_size={}", cut(plan)),
                    _ => "the parts are others: hash with those of the object".to_owned(),
                },
                false => not_computed(*algorithm),
            };
            self.unsettled.push(format!("values of {} parts: {reason}", missing.len()));
        }
        bad_etags
    }

    /// The object's ETag and those of parts.
    fn etag(&mut self, plain: bool, bad_etags: Vec<(Piece, Digest)>) {
        let mut differing = Vec::new();
        match self.answers.md5_etag() {
            Ok(None) => {}
            Err(reason) => self.unsettled.push(match self.answers.values.is_empty() {
                true => format!(
                    "{reason}; HeadObject with ChecksumMode='ENABLED' has the object's checksum, if there is one"
                ),
                false => reason,
            }),
            Ok(Some((hex, parts))) => {
                let said = Digest::from_hex(hex, Algorithm::Md5.digest_size());
                let outcome = match (said, parts) {
                    (None, _) => Outcome::Unsettled("it is no MD5".to_owned()),
                    (Some(said), None) => self.full(Algorithm::Md5, &said, true),
                    (Some(said), Some(_)) => self.composite(Algorithm::Md5, &said, true),
                };
                match outcome {
                    Outcome::Agrees => self.agrees("ETag".to_owned(), None),
                    Outcome::Differs(ours) => {
                        let said = self.answers.etag.as_deref().unwrap_or_default();
                        differing.push(format!("the ETag is {said} in S3, {ours} here"));
                    }
                    // Of a file it was not computed on purpose.
                    Outcome::Unsettled(_) if self.file && !self.unsettled.is_empty() => {}
                    Outcome::Unsettled(reason) => self.unsettled.push(format!("ETag: {reason}")),
                }
            }
        }
        let mut places = Vec::new();
        for (piece, ours) in bad_etags {
            let place = Part { number: piece.number, offset: piece.offset, size: piece.size };
            let etag = piece.etag.unwrap_or_default();
            differing.push(format!(
                "part {} ({}): ETag is {etag} in S3, {} here",
                piece.number,
                place.bytes_in_words(),
                ours.to_hex()
            ));
            places.push(place);
        }
        if differing.is_empty() {
            return;
        }
        if !plain {
            self.unsettled.push(format!(
                "{}: they are other bytes, or they are stored with SSE-KMS or SSE-C, where ETags are not MD5s; a HeadObject \
                 response would tell that",
                differing[0]
            ));
        } else if self.outweighed && self.differing.is_empty() {
            // A store that makes its ETags in another way.
            self.odd_etag = Some(differing.swap_remove(0));
        } else {
            self.differing.extend(differing);
            for place in places {
                if !self.bad_parts.contains(&place) {
                    self.bad_parts.push(place);
                }
            }
        }
    }

    fn conclude(mut self) -> Verdict {
        self.bad_parts.sort_by_key(|part| part.offset);
        let (status, reason) = if !self.differing.is_empty() {
            // Parts say more than the object.
            self.differing.sort_by_key(|words| !words.starts_with("part "));
            let parts = match self.bad_parts.len() {
                0 | 1 => String::new(),
                _ => format!("parts {} differ: ", enumerated(&self.bad_parts)),
            };
            let mut words: Vec<_> = self.differing.iter().take(3).map(String::as_str).collect();
            if self.differing.len() > 3 {
                words.push("...");
            }
            (Status::Mismatch, format!("{parts}{}", words.join("; ")))
        } else if self.covered {
            let agreed = self.evidence.join(", ");
            let verb = if self.evidence.len() == 1 { "agrees" } else { "agree" };
            let odd = self.odd_etag.map(|etag| format!("; {etag}: this store's ETags are not made of MD5s"));
            (Status::Match, format!("{agreed} {verb}{}", odd.unwrap_or_default()))
        } else {
            let mut reason = if self.unsettled.is_empty() { self.nothing_said() } else { self.unsettled.join("; ") };
            if !self.answers.object && self.answers.uploaded() < self.local.size {
                reason = format!(
                    "the upload has {} of the file's {} bytes; {reason}",
                    self.answers.uploaded(),
                    self.local.size
                );
            }
            (Status::NotComparable, reason)
        };
        Verdict { status, reason, evidence: self.evidence, bad_parts: self.bad_parts }
    }

    fn nothing_said(&self) -> String {
        match self.answers.object {
            true => {
                "the responses have no value that covers all bytes: ask HeadObject with ChecksumMode='ENABLED', or \
                     GetObjectAttributes for Checksum and ObjectParts"
                    .to_owned()
            }
            false => "what is there agrees as far as it goes".to_owned(),
        }
    }
}

/// As ETags or as checksums spell it.
fn spelt(digest: &Digest, etag: bool) -> String {
    if etag { digest.to_hex() } else { digest.to_base64() }
}

fn not_computed(algorithm: Algorithm) -> String {
    format!("{algorithm} was not computed: hash with algorithms=[\"{algorithm}\"]")
}

/// A plan as `part_size=` takes it.
fn cut(plan: &PartPlan) -> String {
    let first = plan.part(0).size;
    match PartPlan::new(plan.size(), &PartSize::Bytes(first.max(1)), SmallParts::Allow) {
        _ if !plan.multipart() => "None".to_owned(),
        Ok(even) if even == *plan => first.max(1).to_string(),
        _ => format!("[{first}, ...], the {} sizes of the object's parts", plan.len()),
    }
}

/// Runs of numbers: `2`, `4-9`.
fn runs(numbers: &[u32]) -> Vec<String> {
    let mut numbers = numbers.to_vec();
    numbers.sort_unstable();
    numbers.dedup();
    let run = |run: &[u32]| match run {
        [only] => only.to_string(),
        run => format!("{}-{}", run[0], run[run.len() - 1]),
    };
    numbers.chunk_by(|a, b| a + 1 == *b).map(run).collect()
}

/// The numbers of bad parts, in words that fit into a line.
fn enumerated(parts: &[Part]) -> String {
    const SHOWN: usize = 10;
    let mut runs = runs(&parts.iter().map(|part| part.number).collect::<Vec<_>>());
    if runs.len() > SHOWN {
        runs.truncate(SHOWN);
        runs.push(format!("... ({} in all)", parts.len()));
    }
    runs.join(", ")
}
