//! What S3 says: the one reader of its responses, ETags, encryption and error codes.

mod codes;
mod etag;
mod merged;
mod next;
mod quirks;
mod reports;
mod response;

pub use codes::Meaning;
pub use etag::ETag;
pub use merged::Answers;
pub(crate) use merged::{Layout, PlacedPart};
pub use next::{NextRequest, Purpose};
pub use quirks::{Quirk, QuirkRow};
pub use response::{ContentRange, Encryption, Identity, Member, Members, PartPage, Response, SaidPart, Uploaded};
