//! What boto3 returned for the parts of an upload, in any of its shapes.

use pyo3::prelude::*;

use super::{
    convert::wrong_type,
    response::{Mapping, parsed},
};
use crate::s3::{Members, Uploaded};

/// The `uploaded` argument: responses of UploadPart or UploadPartCopy in part order or with their PartNumber, a response of
/// ListParts or its pages, a mapping from part number to response, or JSON text of any of these.
pub(super) struct UploadedArgument(pub(super) Uploaded);

const NAME: &str = "uploaded";
const EXPECTED: &str = "the responses of upload_part or upload_part_copy (a list in part order, or a mapping from part number \
                        to response), the pages of list_parts, or JSON of these";

impl<'py> FromPyObject<'_, 'py> for UploadedArgument {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let object = parsed(NAME, &object)?;
        let expected = |object: &Bound<'_, PyAny>| wrong_type(NAME, EXPECTED, object);
        let mut uploaded = Uploaded::default();
        match Mapping::of(NAME, &object) {
            Some(response) if is_response(&response)? => uploaded.add(&response, None)?,
            Some(numbered) => {
                for (number, response) in numbered.items()? {
                    let response = Mapping::of(NAME, &response).ok_or_else(|| expected(&response))?;
                    // Keys of JSON are texts.
                    let number = number.str()?.to_str()?.trim().parse().map_err(|_| expected(&number))?;
                    uploaded.add(&response, Some(number))?;
                }
            }
            None => {
                for response in object.try_iter().map_err(|_| expected(&object))? {
                    let response = response?;
                    uploaded.add(&Mapping::of(NAME, &response).ok_or_else(|| expected(&response))?, None)?;
                }
            }
        }
        Ok(Self(uploaded))
    }
}

/// Whether a mapping is a response itself, and not one from part numbers to responses.
fn is_response(mapping: &Mapping<'_>) -> PyResult<bool> {
    for name in ["Parts", "IsTruncated", "ETag", "CopyPartResult", "Error", "ResponseMetadata"] {
        if mapping.member(name)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}
