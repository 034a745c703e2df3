//! The core's request arguments as boto3's dictionaries.

use pyo3::{
    prelude::*,
    types::{PyDict, PyList},
};

use crate::{
    algorithm::Algorithm,
    digest::Digest,
    s3::{CompleteMultipartUpload, CreateMultipartUpload, PutObject, UploadPart},
};

type Dict<'py> = PyResult<Bound<'py, PyDict>>;

pub(super) fn create_multipart_upload<'py>(py: Python<'py>, arguments: &CreateMultipartUpload) -> Dict<'py> {
    let dict = PyDict::new(py);
    if let Some((algorithm, checksum_type)) = arguments.checksum {
        dict.set_item("ChecksumAlgorithm", algorithm.name())?;
        dict.set_item("ChecksumType", checksum_type.name())?;
    }
    Ok(dict)
}

pub(super) fn upload_part<'py>(py: Python<'py>, arguments: &UploadPart, content_md5: bool) -> Dict<'py> {
    let dict = PyDict::new(py);
    dict.set_item("PartNumber", arguments.number)?;
    body(&dict, arguments.size, arguments.content_md5.filter(|_| content_md5), arguments.checksum)?;
    Ok(dict)
}

pub(super) fn put_object<'py>(py: Python<'py>, arguments: &PutObject, content_md5: bool) -> Dict<'py> {
    let dict = PyDict::new(py);
    body(&dict, arguments.size, arguments.content_md5.filter(|_| content_md5), arguments.checksum)?;
    Ok(dict)
}

fn body(
    dict: &Bound<'_, PyDict>,
    size: u64,
    content_md5: Option<Digest>,
    checksum: Option<(Algorithm, Digest)>,
) -> PyResult<()> {
    dict.set_item("ContentLength", size)?;
    if let Some(md5) = content_md5 {
        dict.set_item("ContentMD5", md5.to_base64())?;
    }
    if let Some((algorithm, digest)) = checksum {
        dict.set_item(algorithm.field(), digest.to_base64())?;
    }
    Ok(())
}

pub(super) fn complete_multipart_upload<'py>(py: Python<'py>, arguments: &CompleteMultipartUpload) -> Dict<'py> {
    let parts = PyList::empty(py);
    for part in &arguments.parts {
        let dict = PyDict::new(py);
        dict.set_item("ETag", &part.etag)?;
        dict.set_item("PartNumber", part.number)?;
        if let Some((algorithm, digest)) = &part.checksum {
            dict.set_item(algorithm.field(), digest.to_base64())?;
        }
        parts.append(dict)?;
    }
    let upload = PyDict::new(py);
    upload.set_item("Parts", parts)?;
    let dict = PyDict::new(py);
    dict.set_item("MultipartUpload", upload)?;
    if let Some(object) = &arguments.checksum {
        dict.set_item(object.algorithm.field(), &object.value)?;
        dict.set_item("ChecksumType", object.checksum_type.name())?;
    }
    dict.set_item("MpuObjectSize", arguments.size)?;
    Ok(dict)
}
