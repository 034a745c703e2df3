//! What S3 makes of the digests of an object's parts: ETag, composite, full object, and the arguments of requests.

mod arguments;
mod multipart_upload;
mod object;
mod refusal;

pub use arguments::{
    CompleteMultipartUpload, CompletedPart, CreateMultipartUpload, ObjectLevel, PutObject, UploadPart, Uploaded,
    UploadedPart,
};
pub use multipart_upload::{MultipartUpload, UploadAlgorithm};
pub(crate) use object::digest_of_digests;
pub use object::{ObjectChecksums, PartChecksums};
pub use refusal::{Refusal, explain};
