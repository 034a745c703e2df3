//! What S3's own refusal means for the local file.

use super::{answers::Meaning, object::ObjectChecksums};

/// The members of an error response that say what was wrong.
#[derive(Clone, Debug, Default)]
pub struct Refusal {
    /// `Code`.
    pub code: String,
    /// `Message`.
    pub message: String,
    /// `PartNumber`, where S3 or the caller knows it.
    pub part_number: Option<u32>,
}

/// The refusal in words: which part, which bytes, what to do. `None` if it does not concern checksums or parts.
pub fn explain(sums: &ObjectChecksums, refusal: &Refusal) -> Option<String> {
    let advice = match refusal.code.as_str() {
        code if Meaning::OtherBytes.has(code) => {
            "S3 received other bytes than were hashed: the file or the connection changed them; hash the file again and \
             send what differs"
        }
        "EntityTooSmall" => "every part but the last needs at least 5242880 bytes (5 MiB): use a larger part_size",
        "EntityTooLarge" => "a part and a PutObject have at most 5368709120 bytes (5 GiB): use more parts",
        "InvalidPart" => {
            "S3 has no such part, or its ETag or checksum is not the one in the request: send the part again and pass \
             uploaded=, so that S3's own answers are compared"
        }
        "InvalidPartOrder" => "parts must be in ascending order of their numbers, each once, from 1 without a gap",
        "NoSuchUpload" => {
            "the upload was completed, aborted or never created: look with head_object whether the object is already \
             there before starting over"
        }
        "InvalidRequest" if refusal.message.contains("hecksum") => {
            "create_multipart_upload, upload_part and complete_multipart_upload must name the same algorithm and type"
        }
        "InvalidRequest" if refusal.message.contains("x-amz-mp-object-size") => {
            "the parts that S3 has do not add up to the file's size: compare them with list_parts"
        }
        "MalformedXML" => "the list of parts was empty or not in the form of CompletedMultipartUpload",
        _ => return None,
    };
    let place = refusal.part_number.filter(|number| (1..=sums.plan().len()).contains(&(*number as usize)));
    let place = place.map(|number| {
        let part = sums.plan().part(number as usize - 1);
        format!("part {number} ({}): ", part.bytes_in_words())
    });
    Some(format!("{}: {}{advice}", refusal.code, place.unwrap_or_default()))
}
