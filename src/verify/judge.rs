//! The rules of the verdict.
//!
//! - Another size is a mismatch, whatever else agrees.
//! - Everything that S3 said and that was computed is compared. One value that differs is a mismatch, whatever agrees.
//! - An ETag that differs counts only where S3 makes it of MD5s; one that agrees is a proof anywhere.
//! - Agreement under a guessed plan is agreement (nobody meets a digest by accident); disagreement under one says nothing.
//! - A match needs a value that covers all bytes.
//! - What could not be compared is said, with the reason.

use super::{Status, Strength, Verdict, local::Local};
use crate::{
    algorithm::{Algorithm, ChecksumType},
    digest::Digest,
    error::Hint,
    parts::{Part, PartPlan, PartSize, SmallParts},
    s3::{Answers, ETag, Layout, ObjectChecksums, PlacedPart},
};

/// How one value compares.
enum Comparison {
    Agrees,
    /// What it is here.
    Differs(String),
    /// Why it does not tell, and what would.
    Open(String, Option<Hint>),
}

/// Everything that was found out so far.
struct Findings<'a> {
    answers: &'a Answers,
    layout: Layout,
    local: Local<'a>,
    /// Whether a file was hashed for these answers: nobody can be told to compute more.
    file: bool,
    evidence: Vec<String>,
    /// Whether something that agrees covers all bytes, and the strongest that does.
    covered: bool,
    strength: Option<Strength>,
    differing: Vec<String>,
    /// Whether a checksum differs, rather than an ETag alone.
    checksum_differs: bool,
    bad_parts: Vec<Part>,
    /// Values that were not compared, why, and what would help.
    open: Vec<(String, String, Option<Hint>)>,
}

/// The verdict on local bytes of which some checksums are known.
pub(super) fn judge(answers: &Answers, size: u64, sums: &[ObjectChecksums], file: bool) -> Verdict {
    if let Some(contradiction) = answers.contradiction() {
        return Verdict::without_values(Status::NotComparable, contradiction);
    }
    let theirs = answers.object_size();
    if let Some(theirs) = theirs.filter(|theirs| *theirs != size) {
        return Verdict::without_values(Status::Mismatch, format!("the size is {theirs} bytes in S3, {size} here"));
    }
    if !answers.object && answers.uploaded() > size {
        let reason = format!("the upload has {} bytes already, the file {size}", answers.uploaded());
        return Verdict::without_values(Status::Mismatch, reason);
    }
    let mut findings = Findings {
        answers,
        layout: answers.layout(size),
        local: Local { size, sums },
        file,
        evidence: Vec::new(),
        covered: false,
        strength: None,
        differing: Vec::new(),
        checksum_differs: false,
        bad_parts: Vec::new(),
        open: Vec::new(),
    };
    if theirs.is_some() || (!answers.object && matches!(findings.layout, Layout::Exact(_))) {
        findings.evidence.push("size".to_owned());
        // All empty objects are equal.
        if size == 0 && answers.object {
            findings.covered(Strength::Cryptographic);
        }
    }
    findings.values();
    let mut plain = answers.is_plain();
    let bad_etags = findings.parts(&mut plain);
    findings.etag(plain, bad_etags);
    findings.conclude()
}

impl Findings<'_> {
    fn covered(&mut self, strength: Strength) {
        self.covered = true;
        self.strength = self.strength.max(Some(strength));
    }

    fn open(&mut self, value: impl Into<String>, reason: impl Into<String>, hint: Option<Hint>) {
        self.open.push((value.into(), reason.into(), hint));
    }

    /// Checksums of the whole object.
    fn values(&mut self) {
        for value in &self.answers.values {
            let (algorithm, field) = (value.algorithm, value.algorithm.field());
            let Some(said) = Digest::from_base64(&value.text, algorithm.digest_size()) else {
                self.open(field, format!("{:?} is not the base64 of a digest", value.text), None);
                continue;
            };
            let types = match (value.checksum_type, &self.layout) {
                (Some(checksum_type), _) => vec![checksum_type],
                (None, Layout::Exact(plan)) if !plan.multipart() => vec![ChecksumType::FullObject],
                (None, _) if self.answers.parts_count().is_some() => algorithm.checksum_types().to_vec(),
                (None, _) => vec![ChecksumType::FullObject, ChecksumType::Composite],
            };
            let mut comparisons = Vec::new();
            for checksum_type in types {
                let comparison = match checksum_type {
                    ChecksumType::Composite => self.composite(algorithm, &said, false),
                    ChecksumType::FullObject => self.full(algorithm, &said, false),
                };
                let name = format!("{field} {checksum_type}");
                if let Comparison::Agrees = comparison {
                    self.evidence.push(name);
                    self.covered(Strength::of(algorithm));
                    comparisons.clear();
                    break;
                }
                comparisons.push((name, comparison));
            }
            // Of a type that S3 did not say, a difference counts only if it differs as every type.
            let open = comparisons.iter().any(|(_, comparison)| matches!(comparison, Comparison::Open(..)));
            for (name, comparison) in comparisons {
                match comparison {
                    Comparison::Open(reason, hint) => self.open(name, reason, hint),
                    Comparison::Differs(ours) if !open => {
                        let parts = ours.rsplit_once('-').map(|(_, parts)| format!("-{parts}")).unwrap_or_default();
                        self.differing.push(format!("{name} is {}{parts} in S3, {ours} here", value.text));
                        self.checksum_differs = true;
                    }
                    _ => {}
                }
            }
        }
    }

    /// The digest of all bytes.
    fn full(&self, algorithm: Algorithm, said: &Digest, etag: bool) -> Comparison {
        match self.local.digest(algorithm, 0, self.local.size) {
            Some(ours) if ours == *said => Comparison::Agrees,
            Some(ours) => Comparison::Differs(spelt(&ours, etag)),
            None if self.local.computed(algorithm) => Comparison::Open(
                format!("the parts' {algorithm}s do not tell that of all bytes"),
                Some(Hint::HashAsPutObject),
            ),
            None if self.file && algorithm == Algorithm::Md5 => Comparison::Open(
                "the MD5 of so many bytes is one long message, and was not computed".to_owned(),
                Some(Hint::BeThorough),
            ),
            None => not_computed(algorithm),
        }
    }

    /// The digest of the parts' digests.
    fn composite(&self, algorithm: Algorithm, said: &Digest, etag: bool) -> Comparison {
        if !self.local.computed(algorithm) {
            return match &self.layout {
                Layout::Guess(plans) if plans.is_empty() => {
                    Comparison::Open(format!("no usual part size gives so many parts; {}", parts_wanted()), None)
                }
                Layout::Guess(_) if self.file => Comparison::Open(
                    format!("the sizes of the parts are not known; {}", parts_wanted()),
                    Some(Hint::BeThorough),
                ),
                _ => not_computed(algorithm),
            };
        }
        match &self.layout {
            Layout::Exact(plan) => match self.local.of_parts(algorithm, plan) {
                Some(ours) if ours == *said => Comparison::Agrees,
                Some(ours) => Comparison::Differs(format!("{}-{}", spelt(&ours, etag), plan.len())),
                None => Comparison::Open("the object has other parts".to_owned(), Some(hash_with(plan))),
            },
            Layout::Guess(plans) => {
                let count = self.answers.parts_count();
                let own = self.local.sums.iter().map(ObjectChecksums::plan);
                let fits = |plan: &&PartPlan| count.is_none_or(|count| count as usize == plan.len());
                let own = own.filter(fits).filter(|plan| !plans.contains(plan));
                let mut tried = 0;
                for plan in plans.iter().chain(own) {
                    match self.local.of_parts(algorithm, plan) {
                        Some(ours) if ours == *said => return Comparison::Agrees,
                        Some(_) => tried += 1,
                        None => {}
                    }
                }
                let reason = match tried {
                    0 => format!(
                        "the object has {} parts, which were not hashed",
                        count.map_or("an unknown number of".to_owned(), |count| count.to_string())
                    ),
                    _ => format!(
                        "no part size that was tried ({tried}) gives this value: the bytes differ, or the parts are \
                         uneven"
                    ),
                };
                Comparison::Open(format!("{reason}; {}", parts_wanted()), None)
            }
            Layout::Unfinished => Comparison::Open("the upload is not complete".to_owned(), None),
        }
    }

    /// The parts' own values. Returns the parts whose ETags differ: whether that counts is not known yet.
    fn parts(&mut self, plain: &mut bool) -> Vec<(PlacedPart, Digest)> {
        let mut agreed: Vec<(String, Algorithm, Vec<PlacedPart>)> = Vec::new();
        let mut agrees = |name: &str, algorithm: Algorithm, part: &PlacedPart| match agreed
            .iter_mut()
            .find(|(other, ..)| other == name)
        {
            Some((.., parts)) => parts.push(part.clone()),
            None => agreed.push((name.to_owned(), algorithm, vec![part.clone()])),
        };
        let (mut bad_etags, mut missing) = (Vec::new(), Vec::new());
        let odd = self.answers.has_odd_etags(false);
        for part in &self.answers.placed_parts(&self.layout) {
            let place = Part { number: part.number, offset: part.offset, size: part.size };
            for (algorithm, text) in &part.checksums {
                let said = Digest::from_base64(text, algorithm.digest_size());
                match self.local.digest(*algorithm, part.offset, part.size) {
                    Some(ours) if Some(ours) == said => agrees(algorithm.field(), *algorithm, part),
                    Some(ours) => {
                        let field = algorithm.field();
                        let (at, ours) = (place.bytes_in_words(), ours.to_base64());
                        self.differing
                            .push(format!("part {} ({at}): {field} is {text} in S3, {ours} here", part.number));
                        self.checksum_differs = true;
                        if !self.bad_parts.contains(&place) {
                            self.bad_parts.push(place);
                        }
                    }
                    None => missing.push(*algorithm),
                }
            }
            let etag = part.etag.as_ref().filter(|_| !odd).and_then(ETag::md5);
            let Some((said, None)) = etag else { continue };
            match self.local.digest(Algorithm::Md5, part.offset, part.size) {
                Some(ours) if ours == said => {
                    // An upload has one encryption: one MD5 among its ETags tells that all are.
                    *plain = true;
                    agrees("ETag", Algorithm::Md5, part);
                }
                Some(ours) => bad_etags.push((part.clone(), ours)),
                None if part.checksums.is_empty() => missing.push(Algorithm::Md5),
                None => {}
            }
        }
        self.evidence.extend(agreed.iter().flat_map(|(name, _, parts)| {
            let numbers: Vec<_> = parts.iter().map(|part| part.number).collect();
            runs(&numbers).into_iter().map(move |run| match run.contains('-') {
                true => format!("{name} of parts {run}"),
                false => format!("{name} of part {run}"),
            })
        }));
        if let Layout::Exact(plan) = &self.layout {
            let covers = |found: &[&PlacedPart]| {
                plan.iter().all(|part| found.iter().any(|good| (good.offset, good.size) == (part.offset, part.size)))
            };
            let strengths: Vec<_> = agreed
                .iter()
                .filter(|(.., parts)| parts.len() >= plan.len() && covers(&parts.iter().collect::<Vec<_>>()))
                .map(|(_, algorithm, _)| Strength::of(*algorithm))
                .collect();
            strengths.into_iter().for_each(|strength| self.covered(strength));
        }
        if let Some(algorithm) = missing.first() {
            let (reason, hint) = match (self.local.computed(*algorithm), &self.layout) {
                (true, Layout::Exact(plan)) => ("the parts are others".to_owned(), Some(hash_with(plan))),
                (true, _) => ("the parts are others".to_owned(), None),
                (false, _) => (format!("{algorithm} was not computed"), Some(Hint::AddAlgorithm(*algorithm))),
            };
            self.open(format!("values of {} parts", missing.len()), reason, hint);
        }
        bad_etags
    }

    /// The object's ETag and those of parts.
    fn etag(&mut self, plain: bool, bad_etags: Vec<(PlacedPart, Digest)>) {
        let mut differing = Vec::new();
        if let Some(etag) = &self.answers.etag {
            let distrust = self.answers.distrust_of_etag();
            match etag.md5() {
                None => {
                    let form = format!("the ETag {} has not the form of an MD5", etag.bare());
                    self.no_etag(distrust.unwrap_or(form));
                }
                Some((_, parts)) if self.answers.has_odd_etags(parts.is_some()) => {
                    self.no_etag("the ETags of this store are not MD5s".to_owned());
                }
                Some((said, parts)) => {
                    let comparison = match parts {
                        None => self.full(Algorithm::Md5, &said, true),
                        Some(_) => self.composite(Algorithm::Md5, &said, true),
                    };
                    match (comparison, distrust) {
                        (Comparison::Agrees, _) => {
                            self.evidence.push("ETag".to_owned());
                            self.covered(Strength::CollisionProne);
                        }
                        (_, Some(distrust)) => self.no_etag(distrust),
                        (Comparison::Differs(ours), None) => {
                            differing.push(format!("the ETag is {} in S3, {ours} here", etag.bare()));
                        }
                        (Comparison::Open(reason, hint), None) => self.open("ETag", reason, hint),
                    }
                }
            }
        }
        if !matches!(self.answers.encryption, crate::s3::Encryption::NotMd5(_)) || plain {
            let mut places = Vec::new();
            for (part, ours) in bad_etags {
                let place = Part { number: part.number, offset: part.offset, size: part.size };
                let etag = part.etag.as_ref().map(ETag::bare).unwrap_or_default();
                let (number, at) = (part.number, place.bytes_in_words());
                differing.push(format!("part {number} ({at}): ETag is {etag} in S3, {} here", ours.to_hex()));
                places.push(place);
            }
            if plain {
                places.retain(|place| !self.bad_parts.contains(place));
                self.bad_parts.extend(places);
            }
        }
        if plain {
            self.differing.extend(differing);
        } else if let Some(first) = differing.first() {
            let reason = format!(
                "{first}: the bytes differ, or they are stored with SSE-KMS or SSE-C, where ETags are not MD5s; a response \
                 of HeadObject tells the encryption"
            );
            self.open("ETag", reason, None);
        }
    }

    fn no_etag(&mut self, reason: String) {
        let reason = match self.answers.values.is_empty() {
            true => {
                format!("{reason}; HeadObject with ChecksumMode=ENABLED has the object's checksum, if there is one")
            }
            false => reason,
        };
        self.open("ETag", reason, None);
    }

    fn conclude(mut self) -> Verdict {
        self.bad_parts.sort_by_key(|part| part.offset);
        let mut hint = None;
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
            if self.covered && !self.checksum_differs {
                hint = Some(Hint::NameQuirk("etag-not-md5"));
            }
            (Status::Mismatch, format!("{parts}{}", words.join("; ")))
        } else if self.covered {
            let verb = if self.evidence.len() == 1 { "agrees" } else { "agree" };
            (Status::Match, format!("{} {verb}", self.evidence.join(", ")))
        } else {
            let mut reason = match self.open.is_empty() {
                true => self.nothing_said(),
                false => {
                    let words = self.open.iter().map(|(value, reason, _)| format!("{value}: {reason}"));
                    words.collect::<Vec<_>>().join("; ")
                }
            };
            hint = self.open.iter().find_map(|(.., hint)| hint.clone());
            if !self.answers.object && self.answers.uploaded() < self.local.size {
                reason = format!(
                    "the upload has {} of the file's {} bytes; {reason}",
                    self.answers.uploaded(),
                    self.local.size
                );
            }
            (Status::NotComparable, reason)
        };
        Verdict {
            status,
            reason,
            evidence: self.evidence,
            bad_parts: self.bad_parts,
            strength: self.strength.filter(|_| status == Status::Match),
            not_compared: self.open.into_iter().map(|(value, reason, _)| (value, reason)).collect(),
            hint,
        }
    }

    fn nothing_said(&self) -> String {
        match self.answers.object {
            true => {
                "the responses have no value that covers all bytes: ask HeadObject with ChecksumMode=ENABLED, or \
                 GetObjectAttributes for Checksum and ObjectParts"
            }
            false => "the parts that are there agree",
        }
        .to_owned()
    }
}

/// What would tell how the object is cut.
const fn parts_wanted() -> &'static str {
    "the sizes of all parts would decide it: those of GetObjectAttributes (ObjectParts, all pages), or of \
     HeadObject(PartNumber=n) for every n"
}

/// As ETags or as checksums spell it.
fn spelt(digest: &Digest, etag: bool) -> String {
    if etag { digest.to_hex() } else { digest.to_base64() }
}

fn not_computed(algorithm: Algorithm) -> Comparison {
    Comparison::Open(format!("{algorithm} was not computed"), Some(Hint::AddAlgorithm(algorithm)))
}

/// The hint to hash with the parts of a plan.
fn hash_with(plan: &PartPlan) -> Hint {
    let first = plan.part(0).size.max(1);
    match PartPlan::new(plan.size(), &PartSize::Bytes(first), SmallParts::Allow) {
        _ if !plan.multipart() => Hint::HashAsPutObject,
        Ok(even) if even == *plan => Hint::GivePartSize(Some(first)),
        _ => Hint::HashWithObjectParts(plan.len()),
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
