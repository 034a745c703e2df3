//! Everything that S3 said of one object, merged from any number of responses, and what that tells of its parts.

use std::collections::BTreeMap;

use super::{
    etag::ETag,
    quirks::Quirk,
    response::{ContentRange, Encryption, Identity, PartPage, Response, SaidPart, Scope},
};
use crate::{
    algorithm::{Algorithm, ChecksumType},
    error::{Error, Result},
    limits::MAX_PARTS,
    parts::{PartPlan, PartSize, SmallParts, guesses},
    s3::object::digest_of_digests,
};

/// A checksum of the whole object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Value {
    pub(crate) algorithm: Algorithm,
    /// Base64, without the `-N` of a composite one.
    pub(crate) text: String,
    /// `None`: not said, as in answers from before ChecksumType. Both readings are possible.
    pub(crate) checksum_type: Option<ChecksumType>,
}

/// Values of a part whose place in the object is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlacedPart {
    pub(crate) number: u32,
    pub(crate) offset: u64,
    pub(crate) size: u64,
    pub(crate) etag: Option<ETag>,
    pub(crate) checksums: Vec<(Algorithm, String)>,
}

/// How the object is cut into parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Known exactly.
    Exact(PartPlan),
    /// In one of these ways, or in another.
    Guess(Vec<PartPlan>),
    /// It is no object yet, but an upload with other parts than the file's.
    Unfinished,
}

/// What HeadObject with a part number said.
#[derive(Clone, Debug)]
struct HeadPart {
    range: ContentRange,
    number: Option<u32>,
    checksums: Vec<(Algorithm, String)>,
}

/// The pages of a list of parts.
#[derive(Clone, Debug, Default)]
struct Pages {
    parts: BTreeMap<u32, SaidPart>,
    /// Of each page: the number after which it begins, if it says so; the one after which the next begins, if there is one.
    spans: Vec<(Option<u32>, Option<u32>)>,
}

impl Pages {
    fn add(&mut self, page: &PartPage) -> Option<String> {
        let mut problem = None;
        let mut last = page.marker.unwrap_or(0);
        for part in &page.parts {
            let Some(number) = u32::try_from(part.number).ok().filter(|number| (1..=MAX_PARTS as u32).contains(number))
            else {
                return Some(format!("there is a part {}, S3 has parts 1 to {MAX_PARTS}", part.number));
            };
            last = last.max(number);
            if let Some(before) = self.parts.insert(number, part.clone()).filter(|before| before != part) {
                problem = Some(format!("part {number} is there twice: {before:?} and {part:?}"));
            }
        }
        self.spans.push((page.marker, page.truncated.then(|| page.next.unwrap_or(last))));
        problem
    }

    /// Whether the pages are all of the list. The last page alone is not.
    fn are_all(&self) -> bool {
        if self.spans.iter().all(|(marker, _)| marker.is_none()) {
            let in_order = self.parts.keys().copied().eq(1..=self.parts.len() as u32);
            return in_order && self.spans.iter().any(|(_, next)| next.is_none());
        }
        let mut at = 0;
        for _ in &self.spans {
            match self.spans.iter().find(|(marker, _)| marker.unwrap_or(0) == at) {
                Some((_, None)) => return true,
                Some((_, Some(next))) if *next > at => at = *next,
                _ => return false,
            }
        }
        false
    }

    /// The sizes of all parts, if the pages told all.
    fn sizes(&self, count: Option<u32>) -> Option<Vec<u64>> {
        let all = match count {
            Some(count) => self.parts.len() == count as usize,
            None => self.are_all(),
        };
        (all && !self.parts.is_empty()).then(|| self.parts.values().map(|part| part.size).collect())?
    }
}

/// What is known of GetObjectAttributes' list of parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Listing {
    #[default]
    NotAsked,
    /// The next page begins after this part.
    More(u32),
    /// There is no more to ask for.
    Ended,
}

/// Everything that S3 said of one object.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    pub(crate) size: Option<u64>,
    pub(crate) etag: Option<ETag>,
    pub(crate) encryption: Encryption,
    pub(crate) directory_bucket: bool,
    pub(crate) values: Vec<Value>,
    /// How the responses contradict each other or S3's limits.
    pub(crate) contradiction: Option<String>,
    /// Whether there is an object: more than the parts of an upload.
    pub(crate) object: bool,
    /// Parts of the object.
    pub(super) count: Option<u32>,
    pub(super) quirks: Vec<Quirk>,
    /// How the store breaks its own protocol.
    pub(super) fault: Option<String>,
    pub(super) listing: Listing,
    /// The highest part number that was asked for; whether some number had no part; whether the store ignores them.
    pub(super) asked: u32,
    pub(super) gaps: bool,
    pub(super) ignores_part_numbers: bool,
    identity: Identity,
    attributes: Pages,
    upload: Pages,
    heads: Vec<HeadPart>,
    /// HeadObject(PartNumber=n) without ContentRange, in the order given.
    unplaced: Vec<(Option<u32>, u64)>,
    /// Responses about all of the object or about a part: only the object's size tells.
    undecided: Vec<Response>,
}

impl Answers {
    /// Merges responses, in any order.
    pub fn new(responses: &[Response]) -> Self {
        Self::with_quirks(responses, &[])
    }

    /// Merges responses of a store that differs from Amazon's.
    pub fn with_quirks(responses: &[Response], quirks: &[Quirk]) -> Self {
        let mut answers = Self { quirks: quirks.to_vec(), ..Self::default() };
        if quirks.contains(&Quirk::NoObjectAttributes) {
            answers.listing = Listing::Ended;
        }
        for response in responses {
            answers.add(response);
        }
        answers.decide();
        answers
    }

    /// Takes in one more response.
    pub fn include(&mut self, response: &Response) {
        self.add(response);
        self.decide();
    }

    fn add(&mut self, response: &Response) {
        for (index, said) in response.identity.members.iter().enumerate() {
            self.merge(Identity::NAMES[index], |answers| &mut answers.identity.members[index], said.clone());
        }
        self.encryption.merge(&response.encryption);
        self.directory_bucket |= response.directory_bucket;
        if let Some(page) = &response.page {
            let pages = if page.upload { &mut self.upload } else { &mut self.attributes };
            if let Some(problem) = pages.add(page) {
                self.contradiction.get_or_insert(problem);
            }
            if page.upload {
                return;
            }
        }
        self.object = true;
        if let Some(parts) = response.etag.as_ref().and_then(ETag::parts) {
            self.merge_count(parts);
        }
        self.merge("ETag", |answers| &mut answers.etag, response.etag.clone());
        match response.scope() {
            Scope::WholeOrPart => self.undecided.push(response.clone()),
            scope => self.add_scoped(response, scope),
        }
    }

    /// Decides what the responses are about that could be of all of the object or of a part.
    fn decide(&mut self) {
        let undecided = std::mem::take(&mut self.undecided);
        let numbered = undecided.iter().any(|response| response.part_number.is_some());
        for response in &undecided {
            let whole = match (self.size, response.part_number) {
                (Some(size), _) => response.size == Some(size),
                (None, Some(_)) => false,
                // The answer of a store that puts PartsCount into every HeadObject; several are of parts.
                (None, None) => !numbered && undecided.iter().all(|other| other.size == response.size),
            };
            self.ignores_part_numbers |= whole && response.part_number.is_some() && self.count.is_some_and(|n| n > 1);
            self.add_scoped(response, if whole { Scope::Whole } else { Scope::Part });
        }
    }

    fn add_scoped(&mut self, response: &Response, scope: Scope) {
        if let Some(count) = response.parts_count {
            self.merge_count(count.into());
        }
        let only = response.parts_count == Some(1);
        match response.range {
            Some(range) => self.merge("size", |answers| &mut answers.size, Some(range.total)),
            None if scope == Scope::Whole || only => {
                self.merge("size", |answers| &mut answers.size, response.size);
            }
            None => {}
        }
        match scope {
            Scope::Part if response.checksum_type == Some(ChecksumType::FullObject) => {
                self.add_values(response, &response.checksums);
                self.add_head(response.range, response, Vec::new());
            }
            Scope::Part => {
                let all = |size| ContentRange { offset: 0, size, total: size };
                let range = response.range.or(response.size.filter(|_| only).map(all));
                let (composite, own): (Vec<_>, Vec<_>) =
                    response.checksums.iter().cloned().partition(|(_, text)| text.contains('-'));
                self.add_values(response, &composite);
                self.add_head(range, response, own);
            }
            Scope::Whole | Scope::WholeOrPart => self.add_values(response, &response.checksums),
            Scope::Range => {}
        }
    }

    fn add_head(&mut self, range: Option<ContentRange>, response: &Response, own: Vec<(Algorithm, String)>) {
        match (range, response.size) {
            (Some(range), _) => {
                self.heads.push(HeadPart { range, number: response.part_number, checksums: own });
            }
            (None, Some(size)) => self.unplaced.push((response.part_number, size)),
            (None, None) => {}
        }
    }

    fn add_values(&mut self, response: &Response, checksums: &[(Algorithm, String)]) {
        for (algorithm, said) in checksums {
            let (text, checksum_type) = match said.rsplit_once('-') {
                Some((text, parts)) => {
                    if let Ok(parts) = parts.parse() {
                        self.merge_count(parts);
                    }
                    (text, Some(ChecksumType::Composite))
                }
                None => (said.as_str(), response.checksum_type),
            };
            let value = Value { algorithm: *algorithm, text: text.to_owned(), checksum_type };
            match self.values.iter_mut().find(|other| other.algorithm == *algorithm) {
                Some(other) if other.text != value.text => {
                    let problem = format!("{} is {} and {}", algorithm.field(), other.text, value.text);
                    self.contradiction.get_or_insert(problem);
                }
                Some(other) => other.checksum_type = other.checksum_type.or(value.checksum_type),
                None => self.values.push(value),
            }
        }
    }

    /// A number of parts, bounded by S3's limits: nobody asks for more.
    fn merge_count(&mut self, count: u64) {
        match u32::try_from(count).ok().filter(|count| u64::from(*count) <= MAX_PARTS) {
            Some(count) => self.merge("number of parts", |answers| &mut answers.count, Some(count)),
            None => {
                let problem = format!("the object has {count} parts, S3 allows {MAX_PARTS}");
                self.contradiction.get_or_insert(problem);
            }
        }
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

    /// Why the answers prove nothing, if they do not fit together.
    pub fn contradiction(&self) -> Option<String> {
        if let Some(contradiction) = &self.contradiction {
            return Some(format!("the responses are not of one object: {contradiction}"));
        }
        let (count, size) = (u64::from(self.count?), self.object_size()?);
        // The last part may be empty.
        (count > size + 1).then(|| format!("the responses make no sense: {count} parts of {size} bytes"))
    }

    /// Bytes in the object, also where only its parts tell it.
    pub fn object_size(&self) -> Option<u64> {
        self.size.or_else(|| Some(self.attributes.sizes(self.count)?.iter().sum()))
    }

    /// Parts of the object; `None` also of an object that was not uploaded in parts.
    pub const fn parts_count(&self) -> Option<u32> {
        self.count
    }

    /// Bytes that an upload has so far.
    pub(crate) fn uploaded(&self) -> u64 {
        self.upload.parts.values().filter_map(|part| part.size).sum()
    }

    /// Why the object's ETag is not made of MD5s for sure; an equal one is a proof all the same, but of a quirk's.
    pub(crate) fn distrust_of_etag(&self) -> Option<String> {
        match &self.encryption {
            _ if self.directory_bucket => Some("in a directory bucket the ETag is not an MD5".to_owned()),
            Encryption::NotMd5(kind) if !self.quirks.contains(&Quirk::Ceph) => {
                Some(format!("with {kind} the ETag is not an MD5"))
            }
            _ => None,
        }
    }

    /// Whether the store's ETags of that form are known not to be made of MD5s.
    pub(crate) fn has_odd_etags(&self, multipart: bool) -> bool {
        self.quirks.contains(&Quirk::ETagNotMd5) || (multipart && self.quirks.contains(&Quirk::MultipartETagNotMd5))
    }

    /// Whether ETags of such an answer are made of MD5s.
    pub(crate) fn is_plain(&self) -> bool {
        self.encryption == Encryption::Plain || self.quirks.contains(&Quirk::Ceph)
    }

    /// How the object of `size` bytes is cut, as far as the answers tell.
    pub(crate) fn layout(&self, size: u64) -> Layout {
        let exact = |sizes: Vec<u64>| PartPlan::new(size, &PartSize::Sizes(sizes), SmallParts::Allow).ok();
        let told = [self.attributes.sizes(self.count), self.head_sizes(size), self.numbered_sizes(size)];
        if let Some(plan) = told.into_iter().flatten().find_map(exact) {
            return Layout::Exact(plan);
        }
        let listed = self.upload.sizes(None).and_then(exact);
        match (self.object, listed) {
            (true, Some(plan)) if self.is_made_of_upload() => return Layout::Exact(plan),
            (false, Some(plan)) => return Layout::Exact(plan),
            (false, None) => return Layout::Unfinished,
            // The upload need not be the one that made the object, which only the object's own values tell.
            (true, Some(plan)) if self.count.is_some_and(|count| count as usize == plan.len()) => {
                return Layout::Guess(vec![plan]);
            }
            _ => {}
        }
        match self.count {
            // A composite checksum, and nothing that tells of how many parts.
            None if self.may_have_parts() => Layout::Guess(guesses::of_tools(size)),
            None => match PartPlan::new(size, &PartSize::Whole, SmallParts::Allow) {
                Ok(plan) => Layout::Exact(plan),
                Err(_) => Layout::Guess(Vec::new()),
            },
            Some(1) => exact(vec![size]).map_or(Layout::Guess(Vec::new()), Layout::Exact),
            Some(count) => match self.guess(size, count) {
                Some(plans) => Layout::Guess(plans),
                None => Layout::Guess(guesses::plausible(size, count)),
            },
        }
    }

    /// Whether the object was made of the upload's parts: their ETags make its ETag.
    ///
    /// Source: answers recorded from Amazon S3, with SSE-KMS and SSE-C too.
    fn is_made_of_upload(&self) -> bool {
        let md5 = |part: &SaidPart| part.etag.as_ref()?.md5().and_then(|(md5, parts)| parts.is_none().then_some(md5));
        let parts: Option<Vec<_>> = self.upload.parts.values().map(md5).collect();
        match (self.etag.as_ref().and_then(ETag::md5), parts) {
            (Some((object, Some(count))), Some(parts)) => {
                count as usize == parts.len() && digest_of_digests(Algorithm::Md5, &parts) == object
            }
            _ => false,
        }
    }

    /// Whether there is a checksum that may be composite, and no ETag that says that there are no parts.
    fn may_have_parts(&self) -> bool {
        let undivided = self.etag.as_ref().and_then(ETag::md5).is_some_and(|(_, parts)| parts.is_none());
        !undivided && self.values.iter().any(|value| value.checksum_type != Some(ChecksumType::FullObject))
    }

    /// The sizes of all parts from HeadObject(PartNumber=n): that of one at the end follows from the others.
    fn head_sizes(&self, size: u64) -> Option<Vec<u64>> {
        let mut ranges: Vec<_> = self.heads.iter().map(|head| (head.range.offset, head.range.size)).collect();
        ranges.sort_unstable();
        ranges.dedup();
        let mut end = 0;
        for (offset, bytes) in &ranges {
            (*offset == end).then(|| end += bytes)?;
        }
        if self.count.is_some_and(|count| count as usize == ranges.len() + 1) && end < size {
            ranges.push((end, size - end));
            end = size;
        }
        let all = end == size && !ranges.is_empty() && self.count.is_none_or(|count| count as usize == ranges.len());
        all.then(|| ranges.into_iter().map(|(_, bytes)| bytes).collect())
    }

    /// The same from answers that do not say where the parts are, if all have their numbers.
    fn numbered_sizes(&self, size: u64) -> Option<Vec<u64>> {
        let mut sizes: BTreeMap<u32, u64> = BTreeMap::new();
        for (number, size) in &self.unplaced {
            sizes.insert((*number)?, *size);
        }
        let (found, sum) = (sizes.len() as u32, sizes.values().sum::<u64>());
        let mut sizes: Vec<u64> = sizes.into_values().collect();
        if self.count == Some(found + 1) && self.gaps && sum < size {
            sizes.push(size - sum);
        }
        (self.count == Some(sizes.len() as u32)).then_some(sizes)
    }

    /// Plans from the sizes of some parts, taking the others for equal.
    fn guess(&self, size: u64, count: u32) -> Option<Vec<PartPlan>> {
        let first = (self.attributes.parts.get(&1).and_then(|part| part.size))
            .or_else(|| self.heads.iter().find(|head| head.range.offset == 0).map(|head| head.range.size))
            // Of one part alone, that is the first: nobody asks for another.
            .or_else(|| self.unplaced.first().map(|(_, size)| *size))?;
        let part_size = match self.unplaced.len() == count as usize {
            true => PartSize::Sizes(self.unplaced.iter().map(|(_, size)| *size).collect()),
            false => PartSize::Bytes(first),
        };
        let plan = PartPlan::new(size, &part_size, SmallParts::Allow).ok();
        Some(plan.into_iter().filter(|plan| plan.len() == count as usize).collect())
    }

    /// Answers to HeadObject with a part number.
    pub(super) fn heads(&self) -> usize {
        self.heads.len() + self.unplaced.len()
    }

    /// The part plan, where the answers tell it exactly; `None` if they do not tell it.
    ///
    /// # Errors
    /// [`Error::StoreFault`] for answers that do not fit together.
    pub fn plan(&self) -> Result<Option<PartPlan>> {
        if let Some(problem) = self.contradiction() {
            return Err(Error::StoreFault { problem });
        }
        let Some(size) = self.object_size() else { return Ok(None) };
        match self.layout(size) {
            Layout::Exact(plan) => Ok(Some(plan)),
            // One PutObject has no such size: say so.
            Layout::Guess(_) if self.count.is_none() && !self.may_have_parts() => {
                PartPlan::new(size, &PartSize::Whole, SmallParts::Allow).map(Some).map_err(Error::from)
            }
            _ => Ok(None),
        }
    }

    /// The values of parts, each at its place.
    pub(crate) fn placed_parts(&self, layout: &Layout) -> Vec<PlacedPart> {
        let mut placed = Vec::new();
        let place = |said: &SaidPart, number: u32, offset: u64, size: u64| PlacedPart {
            number,
            offset,
            size,
            etag: said.etag.clone(),
            checksums: said.checksums.clone(),
        };
        for (pages, upload) in [(&self.attributes, false), (&self.upload, true)] {
            match layout {
                // An upload that is under way is not the object, which was made of another.
                _ if upload && self.object && !self.is_made_of_upload() => {}
                Layout::Exact(plan) if plan.len() == pages.parts.len() => {
                    for ((number, said), part) in pages.parts.iter().zip(plan.iter()) {
                        if said.size.is_none_or(|size| size == part.size) {
                            placed.push(place(said, *number, part.offset, part.size));
                        }
                    }
                }
                _ => {
                    let mut offset = 0;
                    for ((number, said), expected) in pages.parts.iter().zip(1..) {
                        let Some(size) = said.size.filter(|_| *number == expected) else { break };
                        placed.push(place(said, *number, offset, size));
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
            placed.push(PlacedPart { number, offset: *offset, size: *size, etag: None, checksums: checksums.clone() });
        }
        placed
    }
}
