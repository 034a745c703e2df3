//! What S3 said of an object, merged from any number of responses, and what that tells of its parts.
//!
//! Sources of the rules: answers recorded from Amazon S3 on 2026-02-21; Amazon S3 API Reference, "HeadObject",
//! "GetObjectAttributes", "ListParts" and "Object" (ETag).

use std::collections::BTreeMap;

use super::solve;
use crate::{
    algorithm::{Algorithm, ChecksumType},
    limits::{MAX_OBJECT_SIZE, MAX_PART_SIZE},
    parts::{PartPlan, PartSize, SmallParts},
};

/// Whether an ETag is made of MD5s of the bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Encryption {
    /// Nothing was said; GetObjectAttributes and ListParts never say it.
    #[default]
    Unknown,
    /// In plain text or with SSE-S3: it is.
    Plain,
    /// It is not, with this kind of encryption.
    NotMd5(String),
}

impl Encryption {
    /// From `ServerSideEncryption` and `SSECustomerAlgorithm`; `headers`: the response is one that would have them.
    pub fn told(server_side: Option<&str>, customer: Option<&str>, headers: bool) -> Self {
        match (server_side, customer) {
            (_, Some(_)) => Self::NotMd5("SSE-C".to_owned()),
            (Some("AES256"), None) => Self::Plain,
            (Some("aws:kms"), None) => Self::NotMd5("SSE-KMS".to_owned()),
            (Some("aws:kms:dsse"), None) => Self::NotMd5("DSSE-KMS".to_owned()),
            (Some(other), None) => Self::NotMd5(format!("encryption by {other}")),
            (None, None) if headers => Self::Plain,
            (None, None) => Self::Unknown,
        }
    }
}

/// `ContentRange`: `bytes 0-9/100`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentRange {
    /// Where it begins.
    pub offset: u64,
    /// Its bytes.
    pub size: u64,
    /// Bytes in the object.
    pub total: u64,
}

impl ContentRange {
    /// `None` if it is not of that form.
    pub fn parse(text: &str) -> Option<Self> {
        let (range, total) = text.trim().strip_prefix("bytes")?.trim_start().split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let (first, last, total) = (first.parse::<u64>().ok()?, last.parse::<u64>().ok()?, total.parse().ok()?);
        (first <= last && last < total && total <= MAX_OBJECT_SIZE).then(|| Self {
            offset: first,
            size: last - first + 1,
            total,
        })
    }
}

/// One part in a response of GetObjectAttributes or ListParts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SaidPart {
    /// `PartNumber`.
    pub number: u32,
    /// `Size`.
    pub size: Option<u64>,
    /// `ETag`; ListParts only.
    pub etag: Option<String>,
    /// `Checksum<ALG>`.
    pub checksums: Vec<(Algorithm, String)>,
}

/// A page of parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartPage {
    /// ListParts: the parts of an upload, which need not be complete.
    pub upload: bool,
    /// `IsTruncated`.
    pub truncated: bool,
    /// `Parts`.
    pub parts: Vec<SaidPart>,
}

/// One response; members that it does not have are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// `ContentLength` or `ObjectSize`.
    pub size: Option<u64>,
    /// `ContentRange`.
    pub range: Option<ContentRange>,
    /// `ETag`, as returned.
    pub etag: Option<String>,
    /// `Checksum<ALG>`.
    pub checksums: Vec<(Algorithm, String)>,
    /// `ChecksumType`.
    pub checksum_type: Option<ChecksumType>,
    /// It is GetObjectAttributes', where composite checksums have no `-N`.
    pub attributes: bool,
    /// `PartsCount` (only HeadObject and GetObject with a part number have it) or `TotalPartsCount`.
    pub parts_count: Option<u32>,
    /// The number that was asked for; no response has it, a caller may know it.
    pub part_number: Option<u32>,
    /// The HTTP status, where it is known.
    pub http_status: Option<u16>,
    /// What it says of encryption.
    pub encryption: Encryption,
    /// The object is in a directory bucket, whose ETags are no MD5s.
    pub directory_bucket: bool,
    /// The parts it lists.
    pub page: Option<PartPage>,
}

/// A checksum of the whole object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) algorithm: Algorithm,
    /// Base64, without the `-N` of a composite one.
    pub(super) text: String,
    /// `None`: clients from before ChecksumType do not say.
    pub(super) kind: Option<ChecksumType>,
}

/// Values of a part whose place in the object is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) number: u32,
    pub(super) offset: u64,
    pub(super) size: u64,
    pub(super) etag: Option<String>,
    pub(super) checksums: Vec<(Algorithm, String)>,
}

/// How the object is cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// So.
    Exact(PartPlan),
    /// In one of these ways, or in another.
    Guess(Vec<PartPlan>),
    /// It is no object yet, but an upload with other parts than the file's.
    Unfinished,
}

#[derive(Clone, Debug)]
struct HeadPart {
    range: ContentRange,
    number: Option<u32>,
    checksums: Vec<(Algorithm, String)>,
}

#[derive(Clone, Debug, Default)]
struct Numbered {
    parts: BTreeMap<u32, SaidPart>,
    /// A last page was among the pages.
    ended: bool,
}

/// Everything that S3 said.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    pub(super) size: Option<u64>,
    pub(super) etag: Option<String>,
    pub(super) encryption: Encryption,
    pub(super) directory_bucket: bool,
    pub(super) values: Vec<Value>,
    /// How the responses contradict each other.
    pub(super) contradiction: Option<String>,
    /// Parts of the object.
    count: Option<u32>,
    /// Whether there is an object: more than the parts of an upload.
    pub(super) object: bool,
    attributes: Numbered,
    upload: Numbered,
    /// HeadObject(PartNumber=n): where the part is, and its checksums.
    heads: Vec<HeadPart>,
    /// The same without ContentRange: sizes in the order given.
    unplaced: Vec<u64>,
}

impl Answers {
    /// Merges responses, in any order.
    pub fn new(responses: &[Response]) -> Self {
        let mut answers = Self::default();
        for response in responses {
            answers.add(response);
        }
        answers
    }

    fn add(&mut self, response: &Response) {
        match &response.encryption {
            Encryption::Unknown => {}
            // Of contradicting answers the one that makes no false alarm.
            Encryption::Plain if self.encryption != Encryption::Unknown => {}
            told => self.encryption = told.clone(),
        }
        self.directory_bucket |= response.directory_bucket;
        if let Some(page) = &response.page {
            let pages = if page.upload { &mut self.upload } else { &mut self.attributes };
            pages.ended |= !page.truncated;
            for part in &page.parts {
                // What is past S3's limits is no size: sums of these do not overflow.
                let part = SaidPart { size: part.size.filter(|size| *size <= MAX_PART_SIZE), ..part.clone() };
                if let Some(before) = pages.parts.insert(part.number, part.clone()).filter(|before| *before != part) {
                    let problem = format!("part {} is there twice: {before:?} and {part:?}", part.number);
                    self.contradiction.get_or_insert(problem);
                }
            }
            if page.upload {
                return;
            }
        }
        self.object = true;
        let etag = response.etag.as_deref().map(bare_etag);
        if let Some((_, Some(parts))) = etag.as_deref().and_then(parse_etag) {
            self.merge_count(parts);
        }
        self.merge("ETag", |answers| &mut answers.etag, etag);
        if let Some(count) = response.parts_count {
            self.merge_count(count);
        }
        let whole_range = response.range.is_some_and(|range| range.size == range.total);
        // Some stores have PartsCount on every HeadObject: those answer 200, and without a range.
        let part = response.parts_count.is_some()
            && !response.attributes
            && (response.range.is_some() || response.http_status != Some(200));
        match response.range {
            Some(range) => self.merge("size", |answers| &mut answers.size, Some(range.total)),
            None if !part || response.parts_count == Some(1) => {
                self.merge("size", |answers| &mut answers.size, response.size);
            }
            None => {}
        }
        if part && response.checksum_type != Some(ChecksumType::FullObject) {
            let range = response.range.or(match (response.parts_count, response.size) {
                (Some(1), Some(size)) => Some(ContentRange { offset: 0, size, total: size }),
                _ => None,
            });
            let (composite, own): (Vec<_>, Vec<_>) =
                response.checksums.iter().cloned().partition(|(_, text)| text.contains('-'));
            self.add_values(response, &composite);
            self.add_head(range, response, own);
        } else if part {
            self.add_values(response, &response.checksums);
            self.add_head(response.range, response, Vec::new());
        } else if response.range.is_none() || whole_range {
            self.add_values(response, &response.checksums);
        }
    }

    fn add_head(&mut self, range: Option<ContentRange>, response: &Response, own: Vec<(Algorithm, String)>) {
        match (range, response.size) {
            (Some(range), _) => {
                self.heads.push(HeadPart { range, number: response.part_number, checksums: own });
            }
            (None, Some(size)) => self.unplaced.push(size),
            (None, None) => {}
        }
    }

    fn add_values(&mut self, response: &Response, checksums: &[(Algorithm, String)]) {
        for (algorithm, said) in checksums {
            let (text, kind) = match said.rsplit_once('-') {
                Some((text, parts)) => {
                    if let Ok(parts) = parts.parse() {
                        self.merge_count(parts);
                    }
                    (text, Some(ChecksumType::Composite))
                }
                // Outside GetObjectAttributes a composite one would have its `-N`.
                None => {
                    let unsaid = (!response.attributes).then_some(ChecksumType::FullObject);
                    (said.as_str(), response.checksum_type.or(unsaid))
                }
            };
            let value = Value { algorithm: *algorithm, text: text.to_owned(), kind };
            match self.values.iter_mut().find(|other| other.algorithm == *algorithm) {
                Some(other) if other.text != value.text => {
                    let problem = format!("{} is {} and {}", algorithm.field(), other.text, value.text);
                    self.contradiction.get_or_insert(problem);
                }
                Some(other) => other.kind = other.kind.or(value.kind),
                None => self.values.push(value),
            }
        }
    }

    fn merge_count(&mut self, count: u32) {
        self.merge("number of parts", |answers| &mut answers.count, Some(count));
    }

    fn merge<T: Clone + PartialEq + std::fmt::Display>(
        &mut self,
        name: &str,
        member: impl Fn(&mut Self) -> &mut Option<T>,
        said: Option<T>,
    ) {
        let Some(said) = said else { return };
        match member(self).replace(said.clone()) {
            Some(before) if before != said => {
                self.contradiction.get_or_insert(format!("the {name} is {before} and {said}"));
            }
            _ => {}
        }
    }

    /// Bytes in the object, also where only its parts tell it.
    pub(super) fn object_size(&self) -> Option<u64> {
        self.size.or_else(|| Some(self.sizes(&self.attributes)?.iter().sum()))
    }

    /// Parts of the object, where that is known.
    pub(super) const fn count(&self) -> Option<u32> {
        self.count
    }

    /// Bytes that an upload has so far.
    pub(super) fn uploaded(&self) -> u64 {
        self.upload.parts.values().filter_map(|part| part.size).sum()
    }

    /// The object's ETag where it is made of MD5s; why not, where it is not.
    pub(super) fn md5_etag(&self) -> Result<Option<(&str, Option<u32>)>, String> {
        let Some(etag) = &self.etag else { return Ok(None) };
        if self.directory_bucket {
            return Err("in a directory bucket the ETag is not an MD5".to_owned());
        }
        if let Encryption::NotMd5(kind) = &self.encryption {
            return Err(format!("with {kind} the ETag is not an MD5"));
        }
        parse_etag(etag).map(Some).ok_or_else(|| format!("the ETag {etag} has not the form of an MD5"))
    }

    /// How the object of `size` bytes is cut, as far as the answers tell.
    pub(super) fn layout(&self, size: u64) -> Layout {
        let exact = |sizes: Vec<u64>| PartPlan::new(size, &PartSize::Sizes(sizes), SmallParts::Allow).ok();
        let told = [self.sizes(&self.attributes), self.sizes(&self.upload), self.head_sizes(size)];
        if let Some(plan) = told.into_iter().flatten().find_map(exact) {
            return Layout::Exact(plan);
        }
        if !self.object {
            return Layout::Unfinished;
        }
        match self.count {
            // GetObjectAttributes alone may have a composite checksum and nothing that tells of how many parts.
            None if self.etag.is_none()
                && self.values.iter().any(|value| value.kind == Some(ChecksumType::Composite)) =>
            {
                Layout::Guess(solve::of_tools(size))
            }
            None => match PartPlan::new(size, &PartSize::Whole, SmallParts::Allow) {
                Ok(plan) => Layout::Exact(plan),
                Err(_) => Layout::Guess(Vec::new()),
            },
            Some(1) => exact(vec![size]).map_or(Layout::Guess(Vec::new()), Layout::Exact),
            Some(count) => match self.guess(size, count) {
                Some(plans) => Layout::Guess(plans),
                None => Layout::Guess(solve::plausible(size, count)),
            },
        }
    }

    /// The sizes of all parts, if the pages told all.
    fn sizes(&self, pages: &Numbered) -> Option<Vec<u64>> {
        let all = match self.count {
            Some(count) => pages.parts.len() == count as usize,
            None => pages.ended,
        };
        (all && !pages.parts.is_empty()).then(|| pages.parts.values().map(|part| part.size).collect())?
    }

    /// The same from HeadObject(PartNumber=n), if all were asked for.
    fn head_sizes(&self, size: u64) -> Option<Vec<u64>> {
        let mut ranges: Vec<_> = self.heads.iter().map(|head| (head.range.offset, head.range.size)).collect();
        ranges.sort_unstable();
        ranges.dedup();
        let mut end = 0;
        for (offset, bytes) in &ranges {
            (*offset == end).then(|| end += bytes)?;
        }
        let all = end == size && !ranges.is_empty() && self.count.is_none_or(|count| count as usize == ranges.len());
        all.then(|| ranges.into_iter().map(|(_, bytes)| bytes).collect())
    }

    /// Plans from the sizes of some parts, taking the others for equal.
    fn guess(&self, size: u64, count: u32) -> Option<Vec<PartPlan>> {
        let first = (self.attributes.parts.get(&1).and_then(|part| part.size))
            .or_else(|| self.heads.iter().find(|head| head.range.offset == 0).map(|head| head.range.size))
            // Of one part alone, that is the first: nobody asks for another.
            .or_else(|| self.unplaced.first().copied())?;
        let part_size = match self.unplaced.len() == count as usize {
            true => PartSize::Sizes(self.unplaced.clone()),
            false => PartSize::Bytes(first),
        };
        let plan = PartPlan::new(size, &part_size, SmallParts::Allow).ok();
        Some(plan.into_iter().filter(|plan| plan.len() == count as usize).collect())
    }

    /// The values of parts, each at its place.
    pub(super) fn pieces(&self, layout: &Layout) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for (pages, upload) in [(&self.attributes, false), (&self.upload, true)] {
            let piece = |part: &SaidPart, number: u32, offset: u64, size: u64| Piece {
                number,
                offset,
                size,
                etag: part.etag.clone(),
                checksums: part.checksums.clone(),
            };
            match layout {
                Layout::Exact(plan) if plan.len() == pages.parts.len() => {
                    for (said, part) in pages.parts.values().zip(plan.iter()) {
                        if said.size.is_none_or(|size| size == part.size) {
                            pieces.push(piece(said, said.number, part.offset, part.size));
                        }
                    }
                }
                // The object was completed from some of these parts: which is not known.
                _ if upload && self.object => {}
                _ => {
                    let mut offset = 0;
                    for (said, number) in pages.parts.values().zip(1..) {
                        let Some(size) = said.size.filter(|_| said.number == number) else { break };
                        pieces.push(piece(said, number, offset, size));
                        offset += size;
                    }
                }
            }
        }
        for HeadPart { range: ContentRange { offset, size, .. }, number, checksums } in &self.heads {
            let planned = match layout {
                Layout::Exact(plan) => plan.index_at(*offset).map(|index| plan.part(index).number),
                _ => None,
            };
            // Without a number from anywhere: that of equal parts.
            let number = planned.or(*number).unwrap_or_else(|| (offset.div_ceil(*size) + 1) as u32);
            pieces.push(Piece { number, offset: *offset, size: *size, etag: None, checksums: checksums.clone() });
        }
        pieces
    }

    /// What would tell how the object is cut.
    pub(super) const fn parts_wanted(&self) -> &'static str {
        "the sizes of all parts would settle it: those of GetObjectAttributes (ObjectParts, all pages), or of \
         HeadObject(PartNumber=n) for every n"
    }
}

/// The ETag without quotes and `W/`, in lower case.
pub(super) fn bare_etag(etag: &str) -> String {
    let etag = etag.trim();
    etag.strip_prefix("W/").unwrap_or(etag).trim_matches('"').to_ascii_lowercase()
}

/// The hexadecimal MD5 and the number of parts, of what has the form of such an ETag.
pub(super) fn parse_etag(bare: &str) -> Option<(&str, Option<u32>)> {
    let (hex, parts) = match bare.split_once('-') {
        Some((hex, parts)) => (hex, Some(parts.parse::<u32>().ok().filter(|parts| *parts > 0)?)),
        None => (bare, None),
    };
    (hex.len() == 32 && hex.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some((hex, parts))
}
