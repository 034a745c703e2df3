//! The rules of S3: what it makes of the digests of an object's parts (ETag, composite, full object), the arguments of
//! requests, and the one reader of its answers.

mod answers;
mod arguments;
mod multipart_upload;
mod object;
mod refusal;
mod uploads;

pub use answers::{
    Answers, ContentRange, ETag, Encryption, Identity, Meaning, Member, Members, NextRequest, PartPage, Purpose, Quirk,
    QuirkRow, Response, SaidPart, Uploaded,
};
pub(crate) use answers::{Layout, PlacedPart};
pub use arguments::{
    CompleteMultipartUpload, CompletedPart, CreateMultipartUpload, ObjectLevel, PutObject, UploadPart,
};
pub use multipart_upload::{MultipartUpload, UploadAlgorithm};
pub(crate) use object::digest_of_digests;
pub use object::{ObjectChecksums, PartChecksums};
pub use refusal::{Refusal, explain};
