//! What boto3 returned for the parts of an upload, in any of its shapes.

use pyo3::{
    exceptions::{PyTypeError, PyValueError},
    prelude::*,
    types::{PyMapping, PyString},
};

use super::{
    convert::type_name,
    response::{checksums, typed},
};
use crate::{
    algorithm::{Algorithm, ChecksumType},
    s3::{Uploaded, UploadedPart},
};

/// The `uploaded=` argument: UploadPart responses in order or with their PartNumber, a ListParts response or its
/// pages, or a mapping from part number to response.
pub(super) struct UploadedArgument(pub(super) Uploaded);

impl<'py> FromPyObject<'_, 'py> for UploadedArgument {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let object: &Bound<'py, PyAny> = &object;
        let mut uploaded = Collected::default();
        match object.cast::<PyMapping>() {
            Ok(mapping) if is_page(mapping)? => uploaded.page(mapping)?,
            Ok(mapping) if mapping.contains("ETag")? => uploaded.part(mapping, None, false)?,
            Ok(mapping) => {
                for item in mapping.items()?.iter() {
                    let (number, response): (Bound<'py, PyAny>, Bound<'py, PyAny>) = item.extract()?;
                    let number = number.extract().map_err(|_| expected(&number))?;
                    uploaded.part(response.cast().map_err(|_| expected(&response))?, Some(number), false)?;
                }
            }
            Err(_) if object.is_instance_of::<PyString>() => return Err(expected(object)),
            Err(_) => {
                for response in object.try_iter().map_err(|_| expected(object))? {
                    let response = response?;
                    let mapping = response.cast::<PyMapping>().map_err(|_| expected(&response))?;
                    match is_page(mapping)? {
                        true => uploaded.page(mapping)?,
                        false => uploaded.part(mapping, None, false)?,
                    }
                }
            }
        }
        if uploaded.truncated {
            let problem = "uploaded= ends with a list_parts page that IsTruncated: pass all pages, such as \
                           client.get_paginator('list_parts').paginate(...)";
            return Err(PyValueError::new_err(problem));
        }
        Ok(Self(uploaded.uploaded))
    }
}

fn expected(object: &Bound<'_, PyAny>) -> PyErr {
    let kind = type_name(object);
    PyTypeError::new_err(format!(
        "uploaded= takes the responses of upload_part (a list in part order, or a mapping from part number to response) \
         or the pages of list_parts, not {kind}"
    ))
}

fn is_page(mapping: &Bound<'_, PyMapping>) -> PyResult<bool> {
    Ok(mapping.contains("Parts")? || mapping.contains("IsTruncated")?)
}

/// Whether the response says that ETags are no MD5s: SSE-KMS, DSSE-KMS or SSE-C.
///
/// Source: Amazon S3 API Reference, "Object", ETag.
fn encrypted(mapping: &Bound<'_, PyMapping>) -> PyResult<bool> {
    let kind: Option<String> = typed(mapping, "ServerSideEncryption")?;
    Ok(kind.is_some_and(|kind| kind != "AES256") || typed::<String>(mapping, "SSECustomerAlgorithm")?.is_some())
}

#[derive(Default)]
struct Collected {
    uploaded: Uploaded,
    truncated: bool,
}

impl Collected {
    fn page(&mut self, page: &Bound<'_, PyMapping>) -> PyResult<()> {
        self.truncated = typed(page, "IsTruncated")?.unwrap_or(false);
        self.uploaded.algorithm = typed::<Algorithm>(page, "ChecksumAlgorithm")?.or(self.uploaded.algorithm);
        self.uploaded.checksum_type = typed::<ChecksumType>(page, "ChecksumType")?.or(self.uploaded.checksum_type);
        let encrypted = encrypted(page)?;
        if page.contains("Parts")? {
            for part in page.get_item("Parts")?.try_iter()? {
                let part = part?;
                self.part(part.cast().map_err(|_| expected(&part))?, None, encrypted)?;
            }
        }
        Ok(())
    }

    fn part(&mut self, part: &Bound<'_, PyMapping>, number: Option<i64>, page_encrypted: bool) -> PyResult<()> {
        let in_order = self.uploaded.parts.len() as i64 + 1;
        self.uploaded.parts.push(UploadedPart {
            number: number.or(typed(part, "PartNumber")?).unwrap_or(in_order),
            etag: typed(part, "ETag")?,
            size: typed(part, "Size")?,
            checksums: checksums(part)?,
            encrypted: page_encrypted || encrypted(part)?,
        });
        Ok(())
    }
}
