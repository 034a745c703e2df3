//! `ObjectChecksums` and `PartChecksums`.

use std::path::PathBuf;

use pyo3::{
    exceptions::PyValueError,
    prelude::*,
    sync::PyOnceLock,
    types::{PyBytes, PyDict, PyString, PyTuple, PyType},
};

use super::{arguments, convert::Number, errors::invalid, plan::PyPartPlan, uploaded::UploadedArgument};
use crate::{
    algorithm::{Algorithm, ChecksumType},
    parts::{Part, PartPlan, PartSize, SmallParts},
    s3::{self, ObjectChecksums, PartChecksums, Refusal},
};

/// The `format` of `to_dict`.
const FORMAT: &str = "partsum.ObjectChecksums/1";

/// Everything that S3 will say about an object: the checksums of its parts, and every value made of them.
///
/// Returned by `hash_file` and its kin; immutable, picklable, thread-safe. Two are equal if the same bytes were cut the
/// same way, as far as the same algorithms can tell: `path` does not count, nor does the order of the algorithms.
///
/// Algorithm names are S3's, in any case. Checksums are strings: base64 exactly as S3 shows them, composite ones with
/// their "-N". The `..._args` methods return new dictionaries for the boto3 method of the same name, to be merged with
/// your own: `client.upload_part(Bucket=b, Key=k, UploadId=u, Body=body, **sums.upload_part_args(1, "SHA256"))`.
///
/// >>> import partsum
/// >>> sums = partsum.hash_bytes(b"aaa", ["MD5", "CRC64NVME"], part_size="8MiB")
/// >>> sums.etag, sums.full_object("CRC64NVME")
/// ('e2c3da976e66ec9e7dc128fbc782fc91-1', 'Rnr2/5P7Gsk=')
/// >>> sums
/// ObjectChecksums(3 bytes, 1 part, MD5 CRC64NVME)
#[pyclass(name = "ObjectChecksums", module = "partsum", frozen, eq, hash)]
pub(super) struct PyObjectChecksums {
    sums: ObjectChecksums,
    parts: PyOnceLock<Py<PyTuple>>,
}

impl From<ObjectChecksums> for PyObjectChecksums {
    fn from(sums: ObjectChecksums) -> Self {
        Self { sums, parts: PyOnceLock::new() }
    }
}

impl PyObjectChecksums {
    pub(super) const fn sums(&self) -> &ObjectChecksums {
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
    /// The file that was hashed (str), or None for bytes in memory.
    #[getter]
    fn path(&self) -> Option<std::ffi::OsString> {
        self.sums.path().map(|path| path.as_os_str().to_owned())
    }

    /// Bytes in the object (int).
    #[getter]
    fn size(&self) -> u64 {
        self.sums.size()
    }

    /// How it was cut (PartPlan).
    #[getter]
    fn plan(&self) -> PyPartPlan {
        PyPartPlan(self.sums.plan().clone())
    }

    /// The names of what was computed, in the order they were asked for (tuple of str).
    #[getter]
    fn algorithms<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.sums.algorithms().map(Algorithm::name))
    }

    /// The parts in order (tuple of PartChecksums); one for a PutObject.
    #[getter]
    fn parts<'py>(&self, py: Python<'py>) -> PyResult<&Bound<'py, PyTuple>> {
        let parts = self
            .parts
            .get_or_try_init(py, || PyTuple::new(py, self.sums.parts().map(PyPartChecksums)).map(Bound::unbind))?;
        Ok(parts.bind(py))
    }

    /// The ETag, unquoted (str): the MD5 of a PutObject; for a multipart upload the MD5 of the parts' MD5s, then "-N".
    ///
    /// Objects in general purpose buckets that are stored in plain text or with SSE-S3 get this ETag; with SSE-KMS or
    /// SSE-C, and in directory buckets, S3 makes another. Raises MissingChecksum if MD5 was not computed.
    ///
    /// Source: Amazon S3 API Reference, "Object", ETag; User Guide, "Checking object integrity in Amazon S3".
    ///
    /// >>> import partsum
    /// >>> partsum.hash_bytes(b"aaa", "MD5").etag, partsum.hash_bytes(b"aaa", "MD5", part_size="8MiB").etag
    /// ('47bce5c74f589f4867dbd57e9ca9f808', 'e2c3da976e66ec9e7dc128fbc782fc91-1')
    #[getter]
    fn etag(&self) -> PyResult<String> {
        Ok(self.sums.etag()?)
    }

    /// Whether an ETag is that of these bytes, as S3 or an HTTP header writes it: quotes, W/ and case are ignored.
    ///
    /// Raises MissingChecksum if MD5 was not computed.
    ///
    /// >>> import partsum
    /// >>> partsum.hash_bytes(b"aaa", "MD5").matches_etag('"47bce5c74f589f4867dbd57e9ca9f808"')
    /// True
    fn matches_etag(&self, etag: &str) -> PyResult<bool> {
        Ok(self.sums.matches_etag(etag)?)
    }

    /// The composite checksum, "base64-N" (str): the algorithm over the digests of the parts.
    ///
    /// Raises NotSupportedByS3 for CRC64NVME, which has none, and for a PutObject; MissingChecksum.
    ///
    /// Source: Amazon S3 User Guide, "Checking object integrity in Amazon S3", composite checksums.
    ///
    /// >>> import partsum
    /// >>> partsum.hash_bytes(b"test content 123", "CRC32C", part_size="8MiB").composite("CRC32C")
    /// 'sZB91Q==-1'
    fn composite(&self, alg: Algorithm) -> PyResult<String> {
        Ok(self.sums.composite(alg)?)
    }

    /// The checksum of the whole object (str, base64): for CRCs by combining those of the parts.
    ///
    /// Raises NotSupportedByS3 for the other algorithms on a multipart upload, even of one part: S3 keeps only their
    /// composite checksums; hash with part_size=None. Raises MissingChecksum.
    ///
    /// Source: Amazon S3 User Guide, "Checking object integrity in Amazon S3", full object checksums.
    ///
    /// >>> import partsum
    /// >>> partsum.hash_bytes(b"test content 123", "CRC64NVME", part_size="8MiB").full_object("CRC64NVME")
    /// 'BsLNlKumA5I='
    fn full_object(&self, alg: Algorithm) -> PyResult<String> {
        Ok(self.sums.full_object(alg)?)
    }

    /// The object's checksum (str): of the type "COMPOSITE" or "FULL_OBJECT", or else of S3's default for the algorithm.
    ///
    /// S3's default for multipart uploads is FULL_OBJECT for CRC64NVME and COMPOSITE for all others; a PutObject is
    /// always FULL_OBJECT. Raises as composite() and full_object().
    ///
    /// >>> import partsum
    /// >>> sums = partsum.hash_bytes(b"test content 123", ["CRC32C", "CRC64NVME"], part_size="8MiB")
    /// >>> sums.checksum("CRC32C"), sums.checksum("CRC32C", "FULL_OBJECT"), sums.checksum("CRC64NVME")
    /// ('sZB91Q==-1', 'fwuu0Q==', 'BsLNlKumA5I=')
    #[pyo3(signature = (alg, r#type=None))]
    fn checksum(&self, alg: Algorithm, r#type: Option<ChecksumType>) -> PyResult<String> {
        Ok(self.sums.checksum(alg, r#type)?)
    }

    /// Arguments for create_multipart_upload: ChecksumAlgorithm and ChecksumType (dict).
    ///
    /// alg=None opens an upload without an algorithm ({}): S3 then computes CRC64NVME by itself and refuses checksums of
    /// parts when the upload completes. Raises NotSupportedByS3 for a pair that S3 refuses (InvalidRequest),
    /// MissingChecksum if alg was not computed, PartPlanError if the plan is a PutObject.
    ///
    /// Source: Amazon S3 API Reference, "CreateMultipartUpload".
    ///
    /// >>> import partsum
    /// >>> sums = partsum.hash_bytes(b"aaa", ["MD5", "SHA256"], part_size="8MiB")
    /// >>> sums.create_multipart_upload_args("SHA256")
    /// {'ChecksumAlgorithm': 'SHA256', 'ChecksumType': 'COMPOSITE'}
    #[pyo3(signature = (alg=None, checksum_type=None))]
    fn create_multipart_upload_args<'py>(
        &self,
        py: Python<'py>,
        alg: Option<Algorithm>,
        checksum_type: Option<ChecksumType>,
    ) -> PyResult<Bound<'py, PyDict>> {
        arguments::create_multipart_upload(py, &self.sums.create_multipart_upload(alg, checksum_type)?)
    }

    /// Arguments for upload_part, without the Body: PartNumber, ContentLength, ContentMD5, Checksum<ALG> (dict).
    ///
    /// number: from 1 (int). alg: the algorithm that the upload was created with, since S3 refuses any other; None if it
    /// was created without. content_md5: send ContentMD5 too if MD5 was computed. With it botocore takes the body as it
    /// is; without it botocore hashes a body that has a precomputed checksum once more, by SHA-256, to sign it. False is
    /// for stores that refuse the pair.
    ///
    /// Raises PartPlanError for a number outside the plan (S3: InvalidArgument) or a PutObject, MissingChecksum.
    ///
    /// Source: Amazon S3 API Reference, "UploadPart"; botocore's S3SigV4Auth.
    ///
    /// >>> import partsum
    /// >>> sums = partsum.hash_bytes(b"aaa", ["MD5", "CRC32C"], part_size="8MiB")
    /// >>> sums.upload_part_args(1, "CRC32C")
    /// {'PartNumber': 1, 'ContentLength': 3, 'ContentMD5': 'R7zlx09Yn0hn29V+nKn4CA==', 'ChecksumCRC32C': '45fn2Q=='}
    #[pyo3(signature = (number, alg=None, *, content_md5=true))]
    fn upload_part_args<'py>(
        &self,
        py: Python<'py>,
        number: Number,
        alg: Option<Algorithm>,
        content_md5: bool,
    ) -> PyResult<Bound<'py, PyDict>> {
        arguments::upload_part(py, &self.sums.upload_part(number.0, alg)?, content_md5)
    }

    /// Arguments for complete_multipart_upload, and for the resource's MultipartUpload.complete (dict):
    /// MultipartUpload={'Parts': [...]}, Checksum<ALG> with ChecksumType, and MpuObjectSize.
    ///
    /// alg, checksum_type: what the upload was created with (None: without an algorithm; then no part carries a
    /// checksum, because S3 would answer InvalidPart). uploaded: what S3 returned for the parts; its ETags are used,
    /// which must be so with SSE-KMS and SSE-C, and everything it says is compared with the local parts. It may be the
    /// upload_part responses in part order, a mapping from part number to response, or the pages of list_parts. Without
    /// it the ETags are the MD5s of the parts. object_checksum=False leaves out the object's own checksum.
    ///
    /// Raises NotSupportedByS3 for a pair of algorithm and type that S3 refuses or that the upload does not have,
    /// MissingChecksum, PartPlanError if the plan is a PutObject, and PartMismatch (its .parts are the numbers) for
    /// parts that S3 does not have, has twice, or has with other bytes.
    ///
    /// Source: answers recorded from Amazon S3; Amazon S3 API Reference, "CompleteMultipartUpload".
    ///
    /// >>> import partsum
    /// >>> sums = partsum.hash_bytes(b"aaa", ["MD5", "CRC32C"], part_size="8MiB")
    /// >>> sums.complete_multipart_upload_args("CRC32C") == {
    /// ...     "MultipartUpload": {"Parts": [
    /// ...         {"ETag": '"47bce5c74f589f4867dbd57e9ca9f808"', "PartNumber": 1, "ChecksumCRC32C": "45fn2Q=="}]},
    /// ...     "ChecksumCRC32C": "IUAC0A==-1", "ChecksumType": "COMPOSITE", "MpuObjectSize": 3}
    /// True
    #[pyo3(signature = (alg=None, checksum_type=None, uploaded=None, *, object_checksum=true))]
    fn complete_multipart_upload_args<'py>(
        &self,
        py: Python<'py>,
        alg: Option<Algorithm>,
        checksum_type: Option<ChecksumType>,
        uploaded: Option<UploadedArgument>,
        object_checksum: bool,
    ) -> PyResult<Bound<'py, PyDict>> {
        let uploaded = uploaded.map(|uploaded| uploaded.0);
        let arguments = self.sums.complete_multipart_upload(alg, checksum_type, uploaded.as_ref(), object_checksum)?;
        arguments::complete_multipart_upload(py, &arguments)
    }

    /// Arguments for put_object, without the Body: ContentLength, ContentMD5, Checksum<ALG> (dict).
    ///
    /// content_md5: as in upload_part_args(). Raises NotSupportedByS3 if the digests of several parts do not tell that
    /// of the whole object (hash with part_size=None), MissingChecksum, PartPlanError above 5 GiB.
    ///
    /// Source: Amazon S3 API Reference, "PutObject".
    ///
    /// >>> import partsum
    /// >>> partsum.hash_bytes(b"", ["MD5", "SHA1"], part_size=None).put_object_args("SHA1")
    /// {'ContentLength': 0, 'ContentMD5': '1B2M2Y8AsgTpgAmY7PhCfg==', 'ChecksumSHA1': '2jmj7l5rSw0yVb/vlWAYkK/YBwk='}
    #[pyo3(signature = (alg=None, *, content_md5=true))]
    fn put_object_args<'py>(
        &self,
        py: Python<'py>,
        alg: Option<Algorithm>,
        content_md5: bool,
    ) -> PyResult<Bound<'py, PyDict>> {
        arguments::put_object(py, &self.sums.put_object(alg)?, content_md5)
    }

    /// ExtraArgs for upload_file and upload_fileobj: the full object's Checksum<ALG> (dict).
    ///
    /// boto3 declares a value given to it as FULL_OBJECT. So only CRCs pass for what it sends as a multipart upload (8 MiB
    /// and more by default, or if the plan here is one): NotSupportedByS3 for the others. Raises MissingChecksum.
    /// boto3 then computes the parts' checksums itself, for which CRC32C and CRC64NVME take awscrt (`boto3[crt]`) or
    /// `partsum.s3.enable_checksums()`.
    ///
    /// Source: s3transfer's set_default_checksum_algorithm and UploadSubmissionTask.
    ///
    /// >>> import partsum
    /// >>> partsum.hash_bytes(b"aaaa", "CRC64NVME").upload_file_args("CRC64NVME")
    /// {'ChecksumCRC64NVME': 'GC2rW8VclPA='}
    fn upload_file_args<'py>(&self, py: Python<'py>, alg: Algorithm) -> PyResult<Bound<'py, PyDict>> {
        let (algorithm, value) = self.sums.upload_file(alg)?;
        let dict = PyDict::new(py);
        dict.set_item(algorithm.field(), value)?;
        Ok(dict)
    }

    /// What S3's refusal means for these bytes (str): which part, which bytes, what to do.
    ///
    /// error: the botocore ClientError, or its .response (dict). number: the part that was being sent, where S3 does not
    /// say it. Returns None for errors that have nothing to do with parts or checksums.
    ///
    /// >>> import partsum
    /// >>> sums = partsum.hash_bytes(bytes(12 * 2**20), "MD5", part_size="6MiB")
    /// >>> sums.explain({"Error": {"Code": "InvalidPart", "PartNumber": "2"}})[:46]
    /// 'InvalidPart: part 2 (bytes 6291456-12582911): '
    #[pyo3(signature = (error, number=None))]
    fn explain(&self, error: &Bound<'_, PyAny>, number: Option<u32>) -> PyResult<Option<String>> {
        let response = match error.hasattr("response")? {
            true => error.getattr("response")?,
            false => error.clone(),
        };
        let details = response.get_item("Error")?;
        let member = |name: &str| -> PyResult<String> {
            match details.contains(name)? {
                true => Ok(details.get_item(name)?.str()?.to_string()),
                false => Ok(String::new()),
            }
        };
        let refusal = Refusal {
            code: member("Code")?,
            message: member("Message")?,
            part_number: member("PartNumber")?.parse().ok().or(number),
        };
        Ok(s3::explain(&self.sums, &refusal))
    }

    /// All of it as a dictionary that JSON can hold (dict): format, path, size, multipart, part_sizes (list of int) and
    /// checksums ({algorithm: [base64 of each part]}).
    ///
    /// >>> import partsum
    /// >>> partsum.hash_bytes(b"aaa", "CRC32C").to_dict()["checksums"]
    /// {'CRC32C': ['45fn2Q==']}
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("format", FORMAT)?;
        dict.set_item("path", self.path())?;
        dict.set_item("size", self.sums.size())?;
        dict.set_item("multipart", self.sums.plan().multipart())?;
        dict.set_item("part_sizes", self.sums.plan().iter().map(|part| part.size).collect::<Vec<_>>())?;
        let checksums = PyDict::new(py);
        for (algorithm, values) in self.sums.part_values() {
            checksums.set_item(algorithm.name(), values)?;
        }
        dict.set_item("checksums", checksums)?;
        Ok(dict)
    }

    /// The opposite of to_dict(). Raises ValueError if anything in it is missing or contradicts the rest.
    ///
    /// >>> import partsum
    /// >>> sums = partsum.hash_bytes(b"aaa", "CRC32C")
    /// >>> partsum.ObjectChecksums.from_dict(sums.to_dict()) == sums
    /// True
    #[classmethod]
    fn from_dict(_class: &Bound<'_, PyType>, data: &Bound<'_, PyAny>) -> PyResult<Self> {
        let malformed = |problem: String| invalid("data", problem);
        let member = |name: &str| data.get_item(name).map_err(|_| malformed(format!("{name:?} is missing")));
        fn typed<'py, T>(member: PyResult<Bound<'py, PyAny>>, name: &str, expected: &str) -> PyResult<T>
        where
            T: for<'a> FromPyObject<'a, 'py>,
        {
            member?.extract().map_err(|_| invalid("data", format!("{name:?} is not {expected}")))
        }
        let format: String = typed(member("format"), "format", "a string")?;
        if format != FORMAT {
            return Err(malformed(format!("format {format:?} is not {FORMAT:?}")));
        }
        let path: Option<PathBuf> = typed(member("path"), "path", "a string or None")?;
        let size: u64 = typed(member("size"), "size", "a number of bytes")?;
        let multipart: bool = typed(member("multipart"), "multipart", "a bool")?;
        let sizes: Vec<u64> = typed(member("part_sizes"), "part_sizes", "a list of numbers of bytes")?;
        if !multipart && sizes != [size] {
            return Err(malformed("a PutObject has one part of the object's size".to_owned()));
        }
        let part_size = if multipart { PartSize::Sizes(sizes) } else { PartSize::Whole };
        let plan = PartPlan::new(size, &part_size, SmallParts::Allow)?;
        let checksums = member("checksums")?;
        let checksums = checksums.cast::<PyDict>().map_err(|_| malformed("\"checksums\" is not a dict".to_owned()))?;
        let mut values = Vec::with_capacity(checksums.len());
        for (name, column) in checksums.iter() {
            let algorithm: Algorithm = name.extract()?;
            values.push((algorithm, typed(Ok(column), algorithm.name(), "a list of strings")?));
        }
        Ok(ObjectChecksums::from_part_values(path, plan, &values)?.into())
    }

    /// to_dict() as a JSON document (str).
    ///
    /// >>> import partsum
    /// >>> partsum.hash_bytes(b"aaa", "CRC32C", part_size=None).to_json()[:58]
    /// '{"format": "partsum.ObjectChecksums/1", "path": null, "siz'
    fn to_json<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.import("json")?.call_method1("dumps", (self.to_dict(py)?,))
    }

    /// The opposite of to_json(). Raises ValueError as from_dict(), and if it is not JSON.
    ///
    /// >>> import partsum
    /// >>> sums = partsum.hash_bytes(b"aaa", "CRC32C")
    /// >>> partsum.ObjectChecksums.from_json(sums.to_json()) == sums
    /// True
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
        format!("ObjectChecksums({path}{} bytes, {parts}, {})", self.sums.size(), algorithms.join(" "))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyDict>,))> {
        Ok((py.get_type::<Self>().getattr("from_dict")?, (self.to_dict(py)?,)))
    }
}

/// The checksums of one part: its number (from 1), offset and size in bytes, and the digest of each algorithm.
///
/// Immutable, picklable, equal by value.
///
/// >>> import partsum
/// >>> partsum.hash_bytes(b"aaa", "CRC32C", part_size="8MiB").parts[0]
/// PartChecksums(number=1, offset=0, size=3, CRC32C='45fn2Q==')
#[pyclass(name = "PartChecksums", module = "partsum", frozen, eq, hash)]
#[derive(PartialEq, Eq, Hash)]
pub(super) struct PyPartChecksums(PartChecksums);

#[pymethods]
impl PyPartChecksums {
    /// The part's number, from 1 (int).
    #[getter]
    fn number(&self) -> u32 {
        self.0.part().number
    }

    /// Where the part begins in the object, in bytes (int).
    #[getter]
    fn offset(&self) -> u64 {
        self.0.part().offset
    }

    /// Bytes in the part (int).
    #[getter]
    fn size(&self) -> u64 {
        self.0.part().size
    }

    /// The ETag that UploadPart returns for it, unquoted (str): its MD5 in hexadecimal.
    ///
    /// Not so with SSE-KMS and SSE-C. Raises MissingChecksum if MD5 was not computed.
    ///
    /// >>> import partsum
    /// >>> partsum.hash_bytes(b"aaa", "MD5", part_size="8MiB").parts[0].etag
    /// '47bce5c74f589f4867dbd57e9ca9f808'
    #[getter]
    fn etag(&self) -> PyResult<String> {
        Ok(self.0.etag()?)
    }

    /// The part's checksum (str, base64). Raises MissingChecksum if it was not computed.
    ///
    /// >>> import partsum
    /// >>> partsum.hash_bytes(b"hello world", "SHA1").parts[0].checksum("SHA1")
    /// 'Kq5sNclPz7QV2+lfQIuc6R7oRu0='
    fn checksum(&self, alg: Algorithm) -> PyResult<String> {
        Ok(self.0.digest(alg)?.to_base64())
    }

    /// The part's digest (bytes), big-endian for CRCs and XXH. Raises MissingChecksum if it was not computed.
    ///
    /// >>> import partsum
    /// >>> partsum.hash_bytes(b"123456789", "CRC32C").parts[0].digest("CRC32C").hex()
    /// 'e3069283'
    fn digest<'py>(&self, py: Python<'py>, alg: Algorithm) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, self.0.digest(alg)?.as_bytes()))
    }

    fn __repr__(&self) -> String {
        let Part { number, offset, size } = self.0.part();
        let digests = self.0.digests().iter();
        let digests: Vec<_> =
            digests.map(|(algorithm, digest)| format!("{algorithm}='{}'", digest.to_base64())).collect();
        format!("PartChecksums(number={number}, offset={offset}, size={size}, {})", digests.join(", "))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let Part { number, offset, size } = self.0.part();
        let digests = self.0.digests().iter().map(|(algorithm, digest)| (algorithm.name(), digest.to_base64()));
        let arguments = (number, offset, size, digests.collect::<Vec<_>>()).into_pyobject(py)?;
        Ok((py.import("partsum._core")?.getattr("_rebuild_part")?, arguments))
    }
}

/// Unpickles a PartChecksums.
#[pyfunction(name = "_rebuild_part")]
pub(super) fn rebuild_part(
    number: u32,
    offset: u64,
    size: u64,
    digests: Vec<(Bound<'_, PyString>, String)>,
) -> PyResult<PyPartChecksums> {
    let digests = digests.iter().map(|(name, value)| {
        let algorithm: Algorithm = name.extract()?;
        let digest = crate::digest::Digest::from_base64(value, algorithm.digest_size());
        Ok((algorithm, digest.ok_or_else(|| PyValueError::new_err(format!("{value:?} is not a {algorithm} digest")))?))
    });
    let digests = digests.collect::<PyResult<_>>()?;
    Ok(PyPartChecksums(PartChecksums::new(Part { number, offset, size }, digests)))
}
