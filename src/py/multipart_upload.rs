//! `MultipartUpload`: the arguments of one upload, whose algorithm is named once.

use pyo3::{prelude::*, types::PyDict};

use super::{
    arguments,
    checksums::PyObjectChecksums,
    convert::{self, Arg},
    uploaded::UploadedArgument,
};
use crate::{
    algorithm::{Algorithm, ChecksumType},
    s3::MultipartUpload,
};

/// The arguments for boto3 of one multipart upload, whose algorithm is named once.
///
/// Made by `ObjectChecksums.multipart_upload`; immutable and picklable. Each of its values is a new dictionary, to be
/// merged with your own arguments.
///
/// Example:
///     >>> import partsum
///     >>> sums = partsum.hash_bytes(b"aaa", ["MD5", "CRC32C"], part_size="8MiB")
///     >>> upload = sums.multipart_upload("CRC32C")
///     >>> upload
///     MultipartUpload(CRC32C COMPOSITE, 1 part, 3 bytes)
///     >>> upload.create_args
///     {'ChecksumAlgorithm': 'CRC32C', 'ChecksumType': 'COMPOSITE'}
#[pyclass(name = "MultipartUpload", module = "partsum", frozen)]
pub(super) struct PyMultipartUpload {
    sums: Py<PyObjectChecksums>,
    checksum: Option<(Algorithm, ChecksumType)>,
}

impl PyMultipartUpload {
    pub(super) fn new(
        sums: &Bound<'_, PyObjectChecksums>,
        algorithm: &Arg<'_>,
        checksum_type: &Arg<'_>,
    ) -> PyResult<Self> {
        let (algorithm, checksum_type) =
            (convert::upload_algorithm(algorithm)?, convert::checksum_type(checksum_type)?);
        let checksum = sums.get().sums().multipart_upload(algorithm, checksum_type)?.checksum();
        Ok(Self { sums: sums.clone().unbind(), checksum })
    }

    fn upload(&self) -> MultipartUpload<'_> {
        MultipartUpload::again(self.sums.get().sums(), self.checksum)
    }
}

#[pymethods]
impl PyMultipartUpload {
    /// str | None: Name of the algorithm, or None for an upload without one.
    ///
    /// Example:
    ///     >>> import partsum
    ///     >>> partsum.hash_bytes(b"aaa", "SHA256", part_size="8MiB").multipart_upload().algorithm
    ///     'SHA256'
    #[getter]
    fn algorithm(&self) -> Option<&'static str> {
        self.upload().algorithm().map(Algorithm::name)
    }

    /// str | None: "COMPOSITE" or "FULL_OBJECT", or None for an upload without an algorithm.
    ///
    /// Example:
    ///     >>> import partsum
    ///     >>> partsum.hash_bytes(b"aaa", "SHA256", part_size="8MiB").multipart_upload().checksum_type
    ///     'COMPOSITE'
    #[getter]
    fn checksum_type(&self) -> Option<&'static str> {
        self.upload().checksum_type().map(ChecksumType::name)
    }

    /// dict[str, str]: Arguments for create_multipart_upload: ChecksumAlgorithm and ChecksumType, or nothing.
    ///
    /// Example:
    ///     >>> import partsum
    ///     >>> partsum.hash_bytes(b"aaa", "SHA256", part_size="8MiB").multipart_upload().create_args
    ///     {'ChecksumAlgorithm': 'SHA256', 'ChecksumType': 'COMPOSITE'}
    #[getter]
    fn create_args<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        arguments::create_multipart_upload(py, &self.upload().create())
    }

    /// Make the arguments for upload_part, without the Body.
    ///
    /// Args:
    ///     number: Part number, from 1.
    ///     content_md5: Send ContentMD5 too if MD5 was computed; see `ObjectChecksums.upload_part_args`.
    ///
    /// Returns:
    ///     dict[str, Any]: PartNumber, ContentLength, ContentMD5, Checksum<ALG>.
    ///
    /// Raises:
    ///     PartPlanError: The plan has no such part.
    ///
    /// Example:
    ///     >>> import partsum
    ///     >>> upload = partsum.hash_bytes(b"aaa", "CRC32C", part_size="8MiB").multipart_upload()
    ///     >>> upload.part_args(1)
    ///     {'PartNumber': 1, 'ContentLength': 3, 'ChecksumCRC32C': '45fn2Q=='}
    #[pyo3(
        signature = (number, *, content_md5=Arg::OUT),
        text_signature = "($self, number, *, content_md5=True)"
    )]
    fn part_args<'py>(
        &self,
        py: Python<'py>,
        number: &Bound<'py, PyAny>,
        content_md5: Arg<'py>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let part = self.upload().part(convert::integer("number", number)?)?;
        arguments::upload_part(py, &part, convert::flag("content_md5", &content_md5, true)?)
    }

    /// Make the arguments for complete_multipart_upload.
    ///
    /// Args:
    ///     uploaded: What S3 returned for the parts; see `ObjectChecksums.complete_multipart_upload_args`.
    ///     object_checksum: Send the object's own checksum too.
    ///
    /// Returns:
    ///     dict[str, Any]: MultipartUpload, Checksum<ALG>, ChecksumType, MpuObjectSize.
    ///
    /// Raises:
    ///     MissingChecksum: MD5 was not computed, and `uploaded` is None.
    ///     NotSupportedByS3: `uploaded` is of an upload with another algorithm or type.
    ///     PartMismatch: S3 lacks parts, or has parts twice or with other bytes; `parts` has their numbers.
    ///
    /// Example:
    ///     >>> import partsum
    ///     >>> upload = partsum.hash_bytes(b"aaa", ["MD5", "CRC32C"], part_size="8MiB").multipart_upload()
    ///     >>> upload.complete_args()["ChecksumCRC32C"]
    ///     'IUAC0A==-1'
    #[pyo3(
        signature = (uploaded=None, *, object_checksum=Arg::OUT),
        text_signature = "($self, uploaded=None, *, object_checksum=True)"
    )]
    fn complete_args<'py>(
        &self,
        py: Python<'py>,
        uploaded: Option<UploadedArgument>,
        object_checksum: Arg<'py>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let object_level = convert::flag("object_checksum", &object_checksum, true)?;
        let uploaded = uploaded.map(|uploaded| uploaded.0);
        arguments::complete_multipart_upload(py, &self.upload().complete(uploaded.as_ref(), object_level)?)
    }

    fn __repr__(&self) -> String {
        let (sums, upload) = (self.sums.get().sums(), self.upload());
        let parts = match sums.plan().len() {
            1 => "1 part".to_owned(),
            parts => format!("{parts} parts"),
        };
        let checksum = upload.checksum().map_or("no algorithm".to_owned(), |(name, kind)| format!("{name} {kind}"));
        format!("MultipartUpload({checksum}, {parts}, {} bytes)", sums.size())
    }

    fn __reduce__<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyAny>, (Option<&'static str>, Option<&'static str>))> {
        Ok((self.sums.bind(py).getattr("multipart_upload")?, (self.algorithm(), self.checksum_type())))
    }
}
