//! `PartChecksums`.

use pyo3::{
    prelude::*,
    types::{PyBytes, PyTuple},
};

use super::{convert, errors::invalid};
use crate::{digest::Digest, parts::Part, s3::PartChecksums};

/// The checksums of one part.
///
/// Immutable, picklable, equal by value.
///
/// Example:
///     >>> import partsum
///     >>> partsum.hash_bytes(b"aaa", "CRC32C", part_size="8MiB").parts[0]
///     PartChecksums(number=1, offset=0, size=3, CRC32C='45fn2Q==')
#[pyclass(name = "PartChecksums", module = "partsum", frozen, eq, hash)]
#[derive(PartialEq, Eq, Hash)]
pub(super) struct PyPartChecksums(pub(super) PartChecksums);

#[pymethods]
impl PyPartChecksums {
    /// int: Part number, from 1.
    #[getter]
    fn number(&self) -> u32 {
        self.0.part().number
    }

    /// int: Where the part begins in the object, in bytes.
    #[getter]
    fn offset(&self) -> u64 {
        self.0.part().offset
    }

    /// int: Number of bytes in the part.
    #[getter]
    fn size(&self) -> u64 {
        self.0.part().size
    }

    /// str: The ETag that UploadPart returns for the part, unquoted: its MD5 in hexadecimal.
    ///
    /// With SSE-KMS and SSE-C, S3 makes another.
    ///
    /// Raises:
    ///     MissingChecksum: MD5 was not computed.
    ///
    /// Example:
    ///     >>> import partsum
    ///     >>> partsum.hash_bytes(b"aaa", "MD5", part_size="8MiB").parts[0].etag
    ///     '47bce5c74f589f4867dbd57e9ca9f808'
    #[getter]
    fn etag(&self) -> PyResult<String> {
        Ok(self.0.etag()?)
    }

    /// Return the part's checksum as S3 shows it.
    ///
    /// Args:
    ///     algorithm: Algorithm name from `ALGORITHMS`; case, `-` and `_` are ignored.
    ///
    /// Returns:
    ///     str: Base64 of the digest.
    ///
    /// Raises:
    ///     MissingChecksum: The algorithm was not computed.
    ///
    /// Example:
    ///     >>> import partsum
    ///     >>> partsum.hash_bytes(b"hello world", "SHA1").parts[0].checksum("SHA1")
    ///     'Kq5sNclPz7QV2+lfQIuc6R7oRu0='
    fn checksum(&self, algorithm: &Bound<'_, PyAny>) -> PyResult<String> {
        Ok(self.0.digest(convert::algorithm(algorithm)?)?.to_base64())
    }

    /// Return the part's digest.
    ///
    /// Args:
    ///     algorithm: Algorithm name from `ALGORITHMS`; case, `-` and `_` are ignored.
    ///
    /// Returns:
    ///     bytes: The digest, big-endian for CRCs and XXH.
    ///
    /// Raises:
    ///     MissingChecksum: The algorithm was not computed.
    ///
    /// Example:
    ///     >>> import partsum
    ///     >>> partsum.hash_bytes(b"123456789", "CRC32C").parts[0].digest("CRC32C").hex()
    ///     'e3069283'
    fn digest<'py>(&self, py: Python<'py>, algorithm: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, self.0.digest(convert::algorithm(algorithm)?)?.as_bytes()))
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
    digests: Vec<(Bound<'_, PyAny>, String)>,
) -> PyResult<PyPartChecksums> {
    let digest = |(name, value): &(Bound<'_, PyAny>, String)| {
        let algorithm = convert::algorithm(name)?;
        let digest = Digest::from_base64(value, algorithm.digest_size());
        let digest = digest.ok_or_else(|| invalid("digests", format!("{value:?} is not a {algorithm} digest")))?;
        Ok((algorithm, digest))
    };
    let digests = digests.iter().map(digest).collect::<PyResult<_>>()?;
    Ok(PyPartChecksums(PartChecksums::new(Part { number, offset, size }, digests)))
}
