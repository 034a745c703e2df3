//! What S3's error response says, out of the exceptions that boto3 raises.

use pyo3::prelude::*;

use crate::s3::Refusal;

/// Exceptions that were raised from one another, at most.
const MAX_CAUSES: usize = 10;

/// The error response in a `ClientError`, in what was raised from it (`S3UploadFailedError`), or in the response itself.
/// `None` if there is none.
pub(super) fn refusal(error: &Bound<'_, PyAny>, part_number: Option<u32>) -> Option<Refusal> {
    let mut error = error.clone();
    for _ in 0..MAX_CAUSES {
        let response = error.getattr("response").unwrap_or_else(|_| error.clone());
        if let Ok(details) = response.get_item("Error") {
            let member = |name: &str| details.get_item(name).and_then(|value| value.str()).map(|text| text.to_string());
            return Some(Refusal {
                code: member("Code").ok()?,
                message: member("Message").unwrap_or_default(),
                part_number: member("PartNumber").ok().and_then(|number| number.parse().ok()).or(part_number),
            });
        }
        error = ["__cause__", "__context__"]
            .into_iter()
            .find_map(|name| error.getattr(name).ok().filter(|cause| !cause.is_none()))?;
    }
    None
}
