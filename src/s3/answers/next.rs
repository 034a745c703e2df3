//! What to ask S3 next: the request whose answer would settle the question at hand.

use super::{
    codes::Meaning,
    etag::ETag,
    merged::{Answers, Layout, Listing},
    response::Response,
};
use crate::{
    algorithm::{Algorithm, ChecksumType},
    error::{Error, Result},
    limits::MAX_PARTS,
};

/// A request about the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextRequest {
    /// HeadObject with ChecksumMode.
    Object,
    /// HeadObject with ChecksumMode and this PartNumber.
    Part(u32),
    /// GetObjectAttributes, its parts after this PartNumberMarker.
    Attributes(Option<u32>),
}

/// What the answers are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The object's part plan.
    Plan,
    /// A verdict on local bytes.
    Verdict {
        /// How many they are.
        size: u64,
        /// Whether their MD5 is known or may be computed.
        md5: bool,
        /// Whether what was asked so far left it open.
        undecided: bool,
    },
}

impl Answers {
    /// The request to make next; `None` if no more would help.
    ///
    /// There are never more than S3's limits allow: one for each part, and for each page that goes on after the last.
    ///
    /// # Errors
    /// [`Error::StoreFault`] for a store whose pages lead nowhere.
    pub fn next_request(&self, purpose: Purpose) -> Result<Option<NextRequest>> {
        if let Some(problem) = &self.fault {
            return Err(Error::StoreFault { problem: problem.clone() });
        }
        if !self.object {
            return Ok(Some(NextRequest::Object));
        }
        let Some(size) = self.size.filter(|_| self.contradiction().is_none()) else { return Ok(None) };
        let Some(count) = self.parts_count().filter(|count| *count > 1) else { return Ok(None) };
        let (all, attributes) = match purpose {
            Purpose::Plan => (true, true),
            Purpose::Verdict { size: ours, .. } if ours != size => return Ok(None),
            Purpose::Verdict { .. } if self.may_be_composite() => (true, true),
            Purpose::Verdict { md5, undecided, .. } if md5 && self.values.is_empty() && self.has_md5_etag() => {
                (undecided, false)
            }
            Purpose::Verdict { .. } => return Ok(None),
        };
        // The layout is worked out only then, not for each of the parts that are still asked for.
        let complete = self.gaps || self.heads() == 0 || self.heads() == count as usize;
        if complete && matches!(self.layout(size), Layout::Exact(_)) {
            return Ok(None);
        }
        Ok(match self.listing {
            Listing::NotAsked if attributes => Some(NextRequest::Attributes(None)),
            Listing::More(marker) if attributes => Some(NextRequest::Attributes(Some(marker))),
            _ if self.ignores_part_numbers || self.heads() >= count as usize => None,
            _ if !all && self.asked > 0 => None,
            _ => Some(self.asked + 1).filter(|number| u64::from(*number) <= MAX_PARTS).map(NextRequest::Part),
        })
    }

    fn may_be_composite(&self) -> bool {
        self.values.iter().any(|value| match value.checksum_type {
            Some(checksum_type) => checksum_type == ChecksumType::Composite,
            None => value.algorithm.checksum_types().contains(&ChecksumType::Composite),
        })
    }

    /// Whether the ETag is one that can be compared, as far as the answers tell.
    pub fn has_md5_etag(&self) -> bool {
        let multipart = self.etag.as_ref().and_then(ETag::md5).map(|(_, parts)| parts.is_some());
        multipart.is_some_and(|multipart| !self.has_odd_etags(multipart)) && self.distrust_of_etag().is_none()
    }

    /// Takes in the answer to a request.
    pub fn answered(&mut self, request: NextRequest, mut response: Response) {
        match request {
            NextRequest::Object => {
                // The request had no part number: whatever it counts, the answer is about all of the object.
                response.http_status = response.http_status.or(Some(200));
            }
            NextRequest::Part(number) => {
                response.part_number = Some(number);
                self.asked = self.asked.max(number);
            }
            NextRequest::Attributes(marker) => {
                response.attributes = true;
                self.listing = match &response.page {
                    Some(page) if page.truncated && !page.parts.is_empty() => {
                        let last = page.parts.iter().filter_map(|part| u32::try_from(part.number).ok()).max();
                        match page.next.or(last) {
                            Some(next) if next > marker.unwrap_or(0) => Listing::More(next),
                            next => {
                                let problem =
                                    "GetObjectAttributes of the store is at fault: a truncated page after part";
                                let (marker, next) = (marker.unwrap_or(0), next.unwrap_or(0));
                                self.fault = Some(format!("{problem} {marker} goes on after part {next}"));
                                Listing::Ended
                            }
                        }
                    }
                    _ => Listing::Ended,
                };
            }
        }
        let heads = self.heads();
        self.include(&response);
        self.ignores_part_numbers |= matches!(request, NextRequest::Part(_)) && self.heads() == heads;
    }

    /// Takes in that a request was refused with this code; `false` if that leaves nothing to go on with.
    pub fn refused(&mut self, request: NextRequest, code: &str) -> bool {
        match request {
            NextRequest::Object => false,
            NextRequest::Attributes(_) => {
                self.listing = Listing::Ended;
                Meaning::NoAttributes.has(code)
            }
            NextRequest::Part(number) if Meaning::NoSuchPart.has(code) => {
                (self.asked, self.gaps) = (number, true);
                true
            }
            NextRequest::Part(number) => {
                (self.asked, self.ignores_part_numbers) = (number, true);
                Meaning::NoPartNumbers.has(code)
            }
        }
    }

    /// The algorithm whose digest of all bytes, as one message, is enough to compare; `None` if that is not enough.
    pub fn whole_algorithm(&self) -> Option<Algorithm> {
        match self.values.first() {
            Some(value) => (value.checksum_type == Some(ChecksumType::FullObject)).then_some(value.algorithm),
            None => (self.has_md5_etag() && self.parts_count().is_none()).then_some(Algorithm::Md5),
        }
    }
}
