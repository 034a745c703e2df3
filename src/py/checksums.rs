//! `ObjectChecksums`.

use std::sync::Arc;

use pyo3::{
    prelude::*,
    sync::PyOnceLock,
    types::{PyDict, PyTuple, PyType},
};

use super::{
    arguments,
    convert::{self, Arg},
    errors::invalid,
    multipart_upload::PyMultipartUpload,
    part_checksums::PyPartChecksums,
    plan::PyPartPlan,
    refusal::refusal,
    serial,
    uploaded::UploadedArgument,
};
use crate::{
    algorithm::Algorithm,
    s3::{self, ObjectChecksums, UploadAlgorithm},
};

/// Everything that S3 will say about an object: the checksums of its parts, and every value made of them.
///
/// Returned by `hash_file` and its kin; immutable, picklable, thread-safe. Two are equal if the same bytes were cut the
/// same way, as far as the same algorithms can tell: `path` does not count, nor does the order of the algorithms.
///
/// Checksums are strings: base64 exactly as S3 shows them, composite ones with their "-N". The `..._args` methods return new
/// dictionaries for the boto3 method of the same name, to be merged with your own arguments:
/// `client.upload_part(Bucket=b, Key=k, UploadId=u, Body=body, **sums.upload_part_args(1, "SHA256"))`.
///
/// The `algorithm` of these methods may be left out: it is then the only algorithm that was computed beside MD5, or none if
/// MD5 is the only one. `algorithm=None` is a request without an algorithm. `multipart_upload` names it once for a whole
/// upload.
///
/// Example:
///     >>> import partsum
///     >>> sums = partsum.hash_bytes(b"aaa", ["MD5", "CRC64NVME"], part_size="8MiB")
///     >>> sums.etag, sums.full_object("CRC64NVME")
///     ('e2c3da976e66ec9e7dc128fbc782fc91-1', 'Rnr2/5P7Gsk=')
///     >>> sums
///     ObjectChecksums(3 bytes, 1 part, MD5 CRC64NVME, ETag e2c3da976e66ec9e7dc128fbc782fc91-1)
#[pyclass(name = "ObjectChecksums", module = "partsum", frozen, eq, hash)]
pub(super) struct PyObjectChecksums {
    sums: Arc<ObjectChecksums>,
    parts: PyOnceLock<Py<PyTuple>>,
}

impl From<ObjectChecksums> for PyObjectChecksums {
    fn from(sums: ObjectChecksums) -> Self {
        Self { sums: Arc::new(sums), parts: PyOnceLock::new() }
    }
}

impl PyObjectChecksums {
    pub(super) fn sums(&self) -> &ObjectChecksums {
        &self.sums
    }
}

impl PartialEq for PyObjectChecksums {
    fn eq(&self, other: &Self) -> bool {
        self.sums == other.sums
    }
}

impl std::hash::Hash for PyObjectChecksums {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.sums.hash(state);
    }
}

#[pymethods]
impl PyObjectChecksums {
    /// str | None: The file that was hashed; None for bytes in memory.
    #[getter]
    fn path(&self) -> Option<std::ffi::OsString> {
        self.sums.path().map(|path| path.as_os_str().to_owned())
    }

    /// int: Number of bytes in the object.
    #[getter]
    fn size(&self) -> u64 {
        self.sums.size()
    }

    /// PartPlan: How the object is cut.
    #[getter]
    fn plan(&self) -> PyPartPlan {
        PyPartPlan(self.sums.plan().clone())
    }

    /// tuple[str, ...]: Names of the algorithms that were computed, in the order they were asked for.
    #[getter]
    fn algorithms<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.sums.algorithms().map(Algorithm::name))
    }

    /// tuple[PartChecksums, ...]: The parts in order; one for a PutObject.
    #[getter]
    fn parts<'py>(&self, py: Python<'py>) -> PyResult<&Bound<'py, PyTuple>> {
        let parts = self
            .parts
            .get_or_try_init(py, || PyTuple::new(py, self.sums.parts().map(PyPartChecksums)).map(Bound::unbind))?;
        Ok(parts.bind(py))
    }

    /// str: The ETag, unquoted: the MD5 of a PutObject; for a multipart upload the MD5 of the parts' MD5s, then "-N".
    ///
    /// Objects in general purpose buckets that are stored in plain text or with SSE-S3 get this ETag. With SSE-KMS or
    /// SSE-C, and in directory buckets, S3 makes another.
    ///
    /// Raises:
    ///     MissingChecksum: MD5 was not computed.
    ///
    /// Example:
    ///     >>> import partsum
    ///     >>> partsum.hash_bytes(b"aaa", "MD5").etag, partsum.hash_bytes(b"aaa", "MD5", part_size="8MiB").etag
    ///     ('47bce5c74f589f4867dbd57e9ca9f808', 'e2c3da976e66ec9e7dc128fbc782fc91-1')
    ///
    /// Source:
    ///     Amazon S3 API Reference, "Object", ETag; User Guide, "Checking object integrity in Amazon S3".
    #[getter]
    fn etag(&self) -> PyResult<String> {
        Ok(self.sums.etag()?)
    }

    /// Tell whether an ETag is that of these bytes.
    ///
    /// Args:
    ///     etag: ETag as S3 or an HTTP header writes it; quotes, `W/` and case are ignored.
    ///
    /// Returns:
    ///     bool: True if it is the same as `etag` of these checksums.
    ///
    /// Raises:
    ///     MissingChecksum: MD5 was not computed.
    ///
    /// Example:
    ///     >>> import partsum
    ///     >>> partsum.hash_bytes(b"aaa", "MD5").matches_etag('"47bce5c74f589f4867dbd57e9ca9f808"')
    ///     True
    fn matches_etag(&self, etag: &Bound<'_, PyAny>) -> PyResult<bool> {
        Ok(self.sums.matches_etag(convert::text("etag", etag)?)?)
    }

    /// Return the composite checksum: the algorithm over the digests of the parts.
    ///
    /// Args:
    ///     algorithm: Algorithm name from `ALGORITHMS`; case, `-` and `_` are ignored.
    ///
    /// Returns:
    ///     str: Base64, then "-N" for N parts.
    ///
    /// Raises:
    ///     NotSupportedByS3: The algorithm is CRC64NVME, which has none, or the plan is a PutObject.
    ///     MissingChecksum: The algorithm was not computed.
    ///
    /// Example:
    ///     >>> import partsum
    ///     >>> partsum.hash_bytes(b"test content 123", "CRC32C", part_size="8MiB").composite("CRC32C")
    ///     'sZB91Q==-1'
    ///
    /// Source:
    ///     Amazon S3 User Guide, "Checking object integrity in Amazon S3", composite checksums.
    fn composite(&self, algorithm: &Bound<'_, PyAny>) -> PyResult<String> {
        Ok(self.sums.composite(convert::algorithm(algorithm)?)?)
    }

    /// Return the checksum of the whole object, for CRCs by combining those of the parts.
    ///
    /// Args:
    ///     algorithm: Algorithm name from `ALGORITHMS`; case, `-` and `_` are ignored.
    ///
    /// Returns:
    ///     str: Base64.
    ///
    /// Raises:
    ///     NotSupportedByS3: The algorithm is no CRC and the plan is a multipart upload, even of one part: S3 keeps only the
    ///         composite checksum then. Hash with `part_size=None`.
    ///     MissingChecksum: The algorithm was not computed.
    ///
    /// Example:
    ///     >>> import partsum
    ///     >>> partsum.hash_bytes(b"test content 123", "CRC64NVME", part_size="8MiB").full_object("CRC64NVME")
    ///     'BsLNlKumA5I='
    ///
    /// Source:
    ///     Amazon S3 User Guide, "Checking object integrity in Amazon S3", full object checksums.
    fn full_object(&self, algorithm: &Bound<'_, PyAny>) -> PyResult<String> {
        Ok(self.sums.full_object(convert::algorithm(algorithm)?)?)
    }

    /// Return the object's checksum of a type.
    ///
    /// Args:
    ///     algorithm: Algorithm name from `ALGORITHMS`; case, `-` and `_` are ignored.
    ///     checksum_type: "COMPOSITE" or "FULL_OBJECT"; None is S3's default for the algorithm: FULL_OBJECT for CRC64NVME and
    ///         for a PutObject, COMPOSITE for all others.
    ///
    /// Returns:
    ///     str: Base64; composite checksums with "-N".
    ///
    /// Raises:
    ///     NotSupportedByS3: S3 has no such checksum; see `composite` and `full_object`.
    ///     MissingChecksum: The algorithm was not computed.
    ///
    /// Example:
    ///     >>> import partsum
    ///     >>> sums = partsum.hash_bytes(b"test content 123", ["CRC32C", "CRC64NVME"], part_size="8MiB")
    ///     >>> sums.checksum("CRC32C"), sums.checksum("CRC32C", "FULL_OBJECT"), sums.checksum("CRC64NVME")
    ///     ('sZB91Q==-1', 'fwuu0Q==', 'BsLNlKumA5I=')
    #[pyo3(signature = (algorithm, checksum_type=None))]
    fn checksum(&self, algorithm: &Bound<'_, PyAny>, checksum_type: Option<&Bound<'_, PyAny>>) -> PyResult<String> {
        Ok(self.sums.checksum(convert::algorithm(algorithm)?, convert::checksum_type(checksum_type)?)?)
    }

    /// Name the algorithm of one multipart upload for all its requests.
    ///
    /// Args:
    ///     algorithm: Algorithm name from `ALGORITHMS`; case, `-` and `_` are ignored. Left out, it is the only algorithm
    ///         that was computed beside MD5, or none if MD5 is the only one. None is an upload without an algorithm: S3
    ///         then computes CRC64NVME by itself.
    ///     checksum_type: "COMPOSITE" or "FULL_OBJECT"; None is S3's default for the algorithm.
    ///
    /// Returns:
    ///     MultipartUpload: The arguments for create_multipart_upload, upload_part and complete_multipart_upload.
    ///
    /// Raises:
    ///     InvalidArgument: `algorithm` is left out, and several were computed beside MD5.
    ///     NotSupportedByS3: S3 refuses the pair of algorithm and type.
    ///     MissingChecksum: The algorithm was not computed.
    ///     PartPlanError: The plan is a PutObject.
    ///
    /// Example:
    ///     >>> import partsum
    ///     >>> sums = partsum.hash_bytes(b"aaa", ["MD5", "SHA256"], part_size="8MiB")
    ///     >>> upload = sums.multipart_upload("SHA256")
    ///     >>> upload.create_args
    ///     {'ChecksumAlgorithm': 'SHA256', 'ChecksumType': 'COMPOSITE'}
    ///     >>> sorted(upload.part_args(1))
    ///     ['ChecksumSHA256', 'ContentLength', 'ContentMD5', 'PartNumber']
    #[pyo3(signature = (algorithm=Arg::LEFT_OUT, checksum_type=None))]
    fn multipart_upload<'py>(
        sums: &Bound<'py, Self>,
        algorithm: Arg<'py>,
        checksum_type: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<PyMultipartUpload> {
        PyMultipartUpload::new(sums.get().sums.clone(), sums.clone().into_any().unbind(), &algorithm, checksum_type)
    }

    /// Make the arguments for create_multipart_upload.
    ///
    /// Args:
    ///     algorithm: Algorithm name from `ALGORITHMS`; case, `-` and `_` are ignored. Left out, it is the only algorithm
    ///         that was computed beside MD5, or none if MD5 is the only one. None opens an upload without an algorithm: S3
    ///         then computes CRC64NVME by itself and refuses checksums of parts when the upload completes.
    ///     checksum_type: "COMPOSITE" or "FULL_OBJECT"; None is S3's default for the algorithm.
    ///
    /// Returns:
    ///     dict[str, str]: ChecksumAlgorithm and ChecksumType, or nothing.
    ///
    /// Raises:
    ///     InvalidArgument: `algorithm` is left out, and several were computed beside MD5.
    ///     NotSupportedByS3: S3 refuses the pair of algorithm and type (InvalidRequest).
    ///     MissingChecksum: The algorithm was not computed.
    ///     PartPlanError: The plan is a PutObject.
    ///
    /// Example:
    ///     >>> import partsum
    ///     >>> sums = partsum.hash_bytes(b"aaa", ["MD5", "SHA256"], part_size="8MiB")
    ///     >>> sums.create_multipart_upload_args("SHA256")
    ///     {'ChecksumAlgorithm': 'SHA256', 'ChecksumType': 'COMPOSITE'}
    ///
    /// Source:
    ///     Amazon S3 API Reference, "CreateMultipartUpload".
    #[pyo3(signature = (algorithm=Arg::LEFT_OUT, checksum_type=None))]
    fn create_multipart_upload_args<'py>(
        &self,
        py: Python<'py>,
        algorithm: Arg<'py>,
        checksum_type: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let (algorithm, kind) = (convert::upload_algorithm(&algorithm)?, convert::checksum_type(checksum_type)?);
        arguments::create_multipart_upload(py, &self.sums.multipart_upload(algorithm, kind)?.create())
    }

    /// Make the arguments for upload_part, without the Body.
    ///
    /// Args:
    ///     number: Part number, from 1.
    ///     algorithm: Algorithm that the upload was created with (S3 refuses any other): a name from `ALGORITHMS`; case, `-`
    ///         and `_` are ignored. Left out, it is the only algorithm that was computed beside MD5, or none if MD5 is the
    ///         only one. None is an upload without an algorithm.
    ///     content_md5: Send ContentMD5 too if MD5 was computed. botocore then sends the body as it is; otherwise it hashes
    ///         the body once more, by SHA-256, to sign it. False is for stores that refuse ContentMD5 beside a checksum.
    ///
    /// Returns:
    ///     dict[str, Any]: PartNumber, ContentLength, ContentMD5, Checksum<ALG>.
    ///
    /// Raises:
    ///     InvalidArgument: `algorithm` is left out, and several were computed beside MD5.
    ///     MissingChecksum: The algorithm was not computed.
    ///     PartPlanError: The plan has no such part (S3 answers InvalidArgument), or is a PutObject.
    ///
    /// Example:
    ///     >>> import partsum
    ///     >>> sums = partsum.hash_bytes(b"aaa", ["MD5", "CRC32C"], part_size="8MiB")
    ///     >>> sums.upload_part_args(1, "CRC32C")
    ///     {'PartNumber': 1, 'ContentLength': 3, 'ContentMD5': 'R7zlx09Yn0hn29V+nKn4CA==', 'ChecksumCRC32C': '45fn2Q=='}
    ///
    /// Source:
    ///     Amazon S3 API Reference, "UploadPart"; botocore's S3SigV4Auth.
    #[pyo3(
        signature = (number, algorithm=Arg::LEFT_OUT, *, content_md5=Arg::LEFT_OUT),
        text_signature = "($self, number, algorithm=..., *, content_md5=True)"
    )]
    fn upload_part_args<'py>(
        &self,
        py: Python<'py>,
        number: &Bound<'py, PyAny>,
        algorithm: Arg<'py>,
        content_md5: Arg<'py>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let upload = self.sums.multipart_upload(convert::upload_algorithm(&algorithm)?, None)?;
        let part = upload.part(convert::integer("number", number)?)?;
        arguments::upload_part(py, &part, convert::flag("content_md5", &content_md5, true)?)
    }

    /// Make the arguments for complete_multipart_upload, and for the resource's MultipartUpload.complete.
    ///
    /// Args:
    ///     algorithm: Algorithm that the upload was created with: a name from `ALGORITHMS`; case, `-` and `_` are ignored.
    ///         Left out, it is the one that `uploaded` tells, else the only algorithm that was computed beside MD5, or none
    ///         if MD5 is the only one. None is an upload without an algorithm: no part carries a checksum then, because S3
    ///         would answer InvalidPart.
    ///     checksum_type: "COMPOSITE" or "FULL_OBJECT", as the upload was created; None is S3's default for the algorithm.
    ///     uploaded: What S3 returned for the parts: upload_part responses in part order, a mapping from part number to
    ///         response, or the pages of list_parts. Everything it says is compared with the local parts, and its ETags are
    ///         used (necessary with SSE-KMS and SSE-C). None uses the MD5s of the parts as ETags.
    ///     object_checksum: Send the object's own checksum too.
    ///
    /// Returns:
    ///     dict[str, Any]: MultipartUpload={'Parts': [...]}, Checksum<ALG> with ChecksumType, and MpuObjectSize.
    ///
    /// Raises:
    ///     InvalidArgument: `algorithm` is left out, and several were computed beside MD5.
    ///     NotSupportedByS3: S3 refuses the pair of algorithm and type, or `uploaded` is of an upload with another one.
    ///     MissingChecksum: The algorithm was not computed; or MD5 was not, and `uploaded` is None.
    ///     PartPlanError: The plan is a PutObject.
    ///     PartMismatch: S3 lacks parts, or has parts twice or with other bytes; `parts` has their numbers.
    ///
    /// Example:
    ///     >>> import partsum
    ///     >>> sums = partsum.hash_bytes(b"aaa", ["MD5", "CRC32C"], part_size="8MiB")
    ///     >>> sums.complete_multipart_upload_args("CRC32C") == {
    ///     ...     "MultipartUpload": {"Parts": [
    ///     ...         {"ETag": '"47bce5c74f589f4867dbd57e9ca9f808"', "PartNumber": 1, "ChecksumCRC32C": "45fn2Q=="}]},
    ///     ...     "ChecksumCRC32C": "IUAC0A==-1", "ChecksumType": "COMPOSITE", "MpuObjectSize": 3}
    ///     True
    ///
    /// Source:
    ///     Answers recorded from Amazon S3; Amazon S3 API Reference, "CompleteMultipartUpload".
    #[pyo3(
        signature = (algorithm=Arg::LEFT_OUT, checksum_type=None, uploaded=None, *, object_checksum=Arg::LEFT_OUT),
        text_signature = "($self, algorithm=..., checksum_type=None, uploaded=None, *, object_checksum=True)"
    )]
    fn complete_multipart_upload_args<'py>(
        &self,
        py: Python<'py>,
        algorithm: Arg<'py>,
        checksum_type: Option<&Bound<'py, PyAny>>,
        uploaded: Option<UploadedArgument>,
        object_checksum: Arg<'py>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let (algorithm, kind) = (convert::upload_algorithm(&algorithm)?, convert::checksum_type(checksum_type)?);
        let uploaded = uploaded.map(|uploaded| uploaded.0);
        let told = uploaded.as_ref().and_then(|uploaded| Some((uploaded.told_algorithm()?, uploaded.checksum_type)));
        let (algorithm, kind) = match (algorithm, told) {
            (UploadAlgorithm::Computed, Some((told, told_kind))) => (UploadAlgorithm::Named(told), kind.or(told_kind)),
            (algorithm, _) => (algorithm, kind),
        };
        let object_level = convert::flag("object_checksum", &object_checksum, true)?;
        let upload = self.sums.multipart_upload(algorithm, kind)?;
        arguments::complete_multipart_upload(py, &upload.complete(uploaded.as_ref(), object_level)?)
    }

    /// Make the arguments for put_object, without the Body.
    ///
    /// Args:
    ///     algorithm: Algorithm name from `ALGORITHMS`; case, `-` and `_` are ignored. Left out, it is the only algorithm
    ///         that was computed beside MD5, or none if MD5 is the only one. None sends no checksum.
    ///     content_md5: Send ContentMD5 too if MD5 was computed. botocore then sends the body as it is; otherwise it hashes
    ///         the body once more, by SHA-256, to sign it. False is for stores that refuse ContentMD5 beside a checksum.
    ///
    /// Returns:
    ///     dict[str, Any]: ContentLength, ContentMD5, Checksum<ALG>.
    ///
    /// Raises:
    ///     InvalidArgument: `algorithm` is left out, and several were computed beside MD5.
    ///     NotSupportedByS3: The digests of several parts do not tell that of the whole object. Hash with `part_size=None`.
    ///     MissingChecksum: The algorithm was not computed.
    ///     PartPlanError: The object has more than 5 GiB.
    ///
    /// Example:
    ///     >>> import partsum
    ///     >>> partsum.hash_bytes(b"", ["MD5", "SHA1"], part_size=None).put_object_args("SHA1")
    ///     {'ContentLength': 0, 'ContentMD5': '1B2M2Y8AsgTpgAmY7PhCfg==', 'ChecksumSHA1': '2jmj7l5rSw0yVb/vlWAYkK/YBwk='}
    ///
    /// Source:
    ///     Amazon S3 API Reference, "PutObject".
    #[pyo3(
        signature = (algorithm=Arg::LEFT_OUT, *, content_md5=Arg::LEFT_OUT),
        text_signature = "($self, algorithm=..., *, content_md5=True)"
    )]
    fn put_object_args<'py>(
        &self,
        py: Python<'py>,
        algorithm: Arg<'py>,
        content_md5: Arg<'py>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let algorithm = self.sums.upload_algorithm(convert::upload_algorithm(&algorithm)?)?;
        let arguments = self.sums.put_object(algorithm)?;
        arguments::put_object(py, &arguments, convert::flag("content_md5", &content_md5, true)?)
    }

    /// Make the ExtraArgs for upload_file and upload_fileobj: the checksum of the full object.
    ///
    /// boto3 declares a value that it is given as FULL_OBJECT. So only CRCs are possible where it sends a multipart upload: 8
    /// MiB and more by default. boto3 then computes the parts' checksums itself, for which CRC32C and CRC64NVME need awscrt
    /// (`boto3[crt]`) or `partsum.s3.enable_checksums()`.
    ///
    /// Args:
    ///     algorithm: Algorithm name from `ALGORITHMS`; case, `-` and `_` are ignored. Left out, it is the only algorithm
    ///         that was computed beside MD5.
    ///
    /// Returns:
    ///     dict[str, str]: Checksum<ALG>.
    ///
    /// Raises:
    ///     InvalidArgument: `algorithm` is left out, and none or several were computed beside MD5.
    ///     NotSupportedByS3: The algorithm is no CRC, and boto3 sends a multipart upload.
    ///     MissingChecksum: The algorithm was not computed.
    ///
    /// Example:
    ///     >>> import partsum
    ///     >>> partsum.hash_bytes(b"aaaa", "CRC64NVME").upload_file_args()
    ///     {'ChecksumCRC64NVME': 'GC2rW8VclPA='}
    ///
    /// Source:
    ///     s3transfer's set_default_checksum_algorithm and UploadSubmissionTask.
    #[pyo3(signature = (algorithm=Arg::LEFT_OUT))]
    fn upload_file_args<'py>(&self, py: Python<'py>, algorithm: Arg<'py>) -> PyResult<Bound<'py, PyDict>> {
        let named = match convert::upload_algorithm(&algorithm)? {
            UploadAlgorithm::None => return Err(convert::wrong_type("algorithm", "a str", &py.None().into_bound(py))),
            algorithm => self.sums.upload_algorithm(algorithm)?,
        };
        let named = named.ok_or_else(|| invalid("algorithm", "it is left out, and only MD5 was computed"))?;
        let (algorithm, value) = self.sums.upload_file(named)?;
        let dict = PyDict::new(py);
        dict.set_item(algorithm.field(), value)?;
        Ok(dict)
    }

    /// Explain what S3's refusal means for these bytes: which part, which bytes, what to do. Never raises.
    ///
    /// Args:
    ///     error: The botocore ClientError, its `response` (dict), or what was raised from it, such as boto3's
    ///         S3UploadFailedError.
    ///     number: Number of the part that was being sent, where S3 does not tell it.
    ///
    /// Returns:
    ///     str | None: The explanation; None if the refusal has nothing to do with parts or checksums. Anything that is not
    ///     an error of S3 is explained as such.
    ///
    /// Example:
    ///     >>> import partsum
    ///     >>> sums = partsum.hash_bytes(bytes(12 * 2**20), "MD5", part_size="6MiB")
    ///     >>> sums.explain({"Error": {"Code": "InvalidPart", "PartNumber": "2"}})[:46]
    ///     'InvalidPart: part 2 (bytes 6291456-12582911): '
    ///     >>> sums.explain(ValueError("no"))
    ///     'ValueError is not an error that S3 answered; pass the botocore ClientError or its response'
    #[pyo3(signature = (error, number=None))]
    fn explain(&self, error: &Bound<'_, PyAny>, number: Option<&Bound<'_, PyAny>>) -> Option<String> {
        let number = number.and_then(|number| number.extract().ok());
        match refusal(error, number) {
            Some(refusal) => s3::explain(&self.sums, &refusal),
            None => Some(format!(
                "{} is not an error that S3 answered; pass the botocore ClientError or its response",
                convert::type_name(error)
            )),
        }
    }

    /// Return all of it as a dictionary that JSON can hold.
    ///
    /// Returns:
    ///     dict[str, Any]: format, path, size, multipart, part_sizes (list of int), and checksums (a dict from algorithm to
    ///     the base64 values of the parts).
    ///
    /// Example:
    ///     >>> import partsum
    ///     >>> partsum.hash_bytes(b"aaa", "CRC32C").to_dict()["checksums"]
    ///     {'CRC32C': ['45fn2Q==']}
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        serial::to_dict(py, &self.sums)
    }

    /// Make the object again from what `to_dict` returned.
    ///
    /// Args:
    ///     data: The dictionary.
    ///
    /// Returns:
    ///     ObjectChecksums: An equal object.
    ///
    /// Raises:
    ///     InvalidArgument: Anything is missing or contradicts the rest (a ValueError).
    ///
    /// Example:
    ///     >>> import partsum
    ///     >>> sums = partsum.hash_bytes(b"aaa", "CRC32C")
    ///     >>> partsum.ObjectChecksums.from_dict(sums.to_dict()) == sums
    ///     True
    #[classmethod]
    fn from_dict(_class: &Bound<'_, PyType>, data: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(serial::from_dict(data)?.into())
    }

    /// Return `to_dict()` as a JSON document.
    ///
    /// Returns:
    ///     str: The document.
    ///
    /// Example:
    ///     >>> import partsum
    ///     >>> partsum.hash_bytes(b"aaa", "CRC32C", part_size=None).to_json()[:58]
    ///     '{"format": "partsum.ObjectChecksums/1", "path": null, "siz'
    fn to_json<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.import("json")?.call_method1("dumps", (self.to_dict(py)?,))
    }

    /// Make the object again from what `to_json` returned.
    ///
    /// Args:
    ///     text: The document (str, bytes or bytearray).
    ///
    /// Returns:
    ///     ObjectChecksums: An equal object.
    ///
    /// Raises:
    ///     ValueError: It is not JSON, or as `from_dict`.
    ///
    /// Example:
    ///     >>> import partsum
    ///     >>> sums = partsum.hash_bytes(b"aaa", "CRC32C")
    ///     >>> partsum.ObjectChecksums.from_json(sums.to_json()) == sums
    ///     True
    #[classmethod]
    fn from_json(class: &Bound<'_, PyType>, text: &Bound<'_, PyAny>) -> PyResult<Self> {
        Self::from_dict(class, &class.py().import("json")?.call_method1("loads", (text,))?)
    }

    fn __repr__(&self) -> String {
        let plan = self.sums.plan();
        let parts = match (plan.multipart(), plan.len()) {
            (false, _) => "one PutObject".to_owned(),
            (true, 1) => "1 part".to_owned(),
            (true, parts) => format!("{parts} parts"),
        };
        let algorithms: Vec<_> = self.sums.algorithms().map(Algorithm::name).collect();
        let path = self.sums.path().map(|path| format!("{:?}, ", path.display())).unwrap_or_default();
        let etag = self.sums.etag().map(|etag| format!(", ETag {etag}")).unwrap_or_default();
        format!("ObjectChecksums({path}{} bytes, {parts}, {}{etag})", self.sums.size(), algorithms.join(" "))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyDict>,))> {
        Ok((py.get_type::<Self>().getattr("from_dict")?, (self.to_dict(py)?,)))
    }
}
