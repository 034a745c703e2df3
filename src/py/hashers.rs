//! `new`, `Hasher` and `MultipartHasher`: bytes pushed piece by piece.

use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use pyo3::{exceptions::PyValueError, prelude::*, types::PyBytes};

use super::{
    buffer::Buffer,
    checksums::PyObjectChecksums,
    convert::{self, Arg, How},
    observer::observed,
};
use crate::{
    algorithm::Algorithm,
    digest::Digest,
    error::Error,
    hash::{Hasher, MultipartHasher, Pieces},
};

/// Below this many bytes, releasing the GIL costs more than hashing; CPython's hashlib has the same limit.
const GIL_MINSIZE: usize = 2048;

/// Bytes between two looks for Ctrl-C: a tenth of a second for the slowest algorithm.
const MAX_UNINTERRUPTED: usize = 32 << 20;

/// A lock, even after a panic: a half-fed hasher is still a hasher.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Hash one message with one algorithm, in hashlib's shape. Made by `new`.
///
/// Threads may share it: updates take turns, and big ones (2048 bytes and more) release the GIL.
///
/// Example:
///     >>> import partsum
///     >>> hasher = partsum.new("CRC64NVME")
///     >>> hasher.update(b"123456789")
///     >>> hasher.hexdigest(), hasher.b64digest()
///     ('ae8b14860a799888', 'rosUhgp5mIg=')
///     >>> hasher
///     <partsum.Hasher CRC64NVME ae8b14860a799888>
#[pyclass(name = "Hasher", module = "partsum", frozen)]
pub(super) struct PyHasher {
    algorithm: Algorithm,
    hasher: Mutex<Hasher>,
}

impl PyHasher {
    fn with<T: Send>(&self, py: Python<'_>, bytes: usize, work: impl FnOnce(&mut Hasher) -> T + Send) -> T {
        if bytes < GIL_MINSIZE {
            match self.hasher.try_lock() {
                Ok(mut hasher) => return work(&mut hasher),
                Err(TryLockError::Poisoned(poisoned)) => return work(&mut poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        // Waiting for another thread with the GIL held could wait for ever.
        py.detach(|| work(&mut locked(&self.hasher)))
    }

    fn current(&self, py: Python<'_>) -> Digest {
        self.with(py, 0, |hasher| hasher.digest())
    }
}

#[pymethods]
impl PyHasher {
    /// str: S3's name of the algorithm.
    #[getter]
    fn name(&self) -> &'static str {
        self.algorithm.name()
    }

    /// int: Number of bytes in the digest.
    #[getter]
    fn digest_size(&self) -> usize {
        self.algorithm.digest_size()
    }

    /// int: Number of bytes that the algorithm takes at once; 1 for CRCs.
    #[getter]
    fn block_size(&self) -> usize {
        self.algorithm.block_size()
    }

    /// Append to the message.
    ///
    /// Args:
    ///     data: Any C-contiguous buffer, such as bytes.
    ///
    /// Raises:
    ///     TypeError: `data` has no buffer, as str.
    ///     BufferError: `data` is not C-contiguous.
    ///
    /// Example:
    ///     >>> import partsum
    ///     >>> hasher = partsum.new("CRC32")
    ///     >>> hasher.update(b"123456789"); hasher.hexdigest()
    ///     'cbf43926'
    #[pyo3(signature = (data, /))]
    fn update(&self, py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<()> {
        let data = Buffer::of("data", data)?;
        let bytes = data.as_bytes();
        if bytes.len() <= MAX_UNINTERRUPTED {
            self.with(py, bytes.len(), |hasher| hasher.update(bytes));
            return Ok(());
        }
        observed(py, None, |observer| {
            let mut hasher = locked(&self.hasher);
            for piece in bytes.chunks(MAX_UNINTERRUPTED) {
                hasher.update(piece);
                if observer.progress(0).is_break() {
                    return Err(Error::Interrupted);
                }
            }
            Ok(())
        })
    }

    /// Return the digest so far; more may be appended after.
    ///
    /// Returns:
    ///     bytes: The digest, big-endian for CRCs and XXH.
    ///
    /// Example:
    ///     >>> import partsum
    ///     >>> partsum.new("CRC32", b"123456789").digest()
    ///     b'\xcb\xf49&'
    fn digest<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.current(py).as_bytes())
    }

    /// Return the digest so far in hexadecimal.
    ///
    /// Returns:
    ///     str: The digest, in lower case.
    ///
    /// Example:
    ///     >>> import partsum
    ///     >>> partsum.new("XXHASH3", b"hello world").hexdigest()
    ///     'd447b1ea40e6988b'
    fn hexdigest(&self, py: Python<'_>) -> String {
        self.current(py).to_hex()
    }

    /// Return the digest so far in base64, as S3 shows it.
    ///
    /// Returns:
    ///     str: The digest.
    ///
    /// Example:
    ///     >>> import partsum
    ///     >>> partsum.new("XXHASH3", b"hello world").b64digest()
    ///     '1Eex6kDmmIs='
    fn b64digest(&self, py: Python<'_>) -> String {
        self.current(py).to_base64()
    }

    /// Copy the hasher.
    ///
    /// Returns:
    ///     Hasher: An independent hasher with the same message so far.
    ///
    /// Example:
    ///     >>> import partsum
    ///     >>> first = partsum.new("CRC32", b"1234"); second = first.copy(); second.update(b"56789")
    ///     >>> second.hexdigest()
    ///     'cbf43926'
    fn copy(&self, py: Python<'_>) -> Self {
        Self { algorithm: self.algorithm, hasher: Mutex::new(self.with(py, 0, |hasher| hasher.clone())) }
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        format!("<partsum.Hasher {} {}>", self.algorithm, self.current(py).to_hex())
    }
}

/// Start to hash one message with one algorithm, in hashlib's shape.
///
/// For files and parts use `hash_file`: it uses all SIMD lanes and all cores, which one message cannot.
///
/// Args:
///     algorithm: Algorithm name from `ALGORITHMS`; case, `-` and `_` are ignored.
///     data: First bytes of the message: any C-contiguous buffer.
///
/// Returns:
///     Hasher: The hasher, to be fed with more.
///
/// Raises:
///     InvalidArgument: The algorithm is unknown (a ValueError).
///
/// Example:
///     >>> import partsum
///     >>> partsum.new("sha256", b"hello world").b64digest()
///     'uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek='
#[pyfunction]
#[pyo3(signature = (algorithm, data=Arg::OUT), text_signature = "(algorithm, data=b'')")]
pub(super) fn new(py: Python<'_>, algorithm: &Bound<'_, PyAny>, data: Arg<'_>) -> PyResult<PyHasher> {
    let algorithm = convert::algorithm(algorithm)?;
    let hasher = PyHasher { algorithm, hasher: Mutex::new(Hasher::new(algorithm)) };
    if let Some(data) = data.object() {
        hasher.update(py, data)?;
    }
    Ok(hasher)
}

/// Hash an object of unknown size that comes in chunks, and cut it into parts on the way.
///
/// Chunks that hold several whole parts are hashed on all SIMD lanes and cores: feed big ones. The GIL is released while
/// hashing; threads that share a hasher take turns.
///
/// After `finish`, or after it or `update` raised, the hasher is closed, and both raise ValueError.
///
/// Args:
///     algorithms: One algorithm name or an iterable of names, from `ALGORITHMS`; case, `-` and `_` are ignored.
///     part_size: Part size in bytes (int), a size such as "8MiB", a preset from `PRESETS`, a list of sizes, a `PartPlan`,
///         or None for one PutObject. "boto3" plans parts of 8 MiB, and one PutObject if less than that came.
///     threads: Number of threads; None uses every CPU that the process may use.
///     allow_small_parts: Accept parts below 5 MiB, which Amazon S3 refuses and some stores accept.
///
/// Raises:
///     PartPlanError: `part_size` is a preset that plans from the object's size, such as "rclone" (a ValueError).
///     InvalidArgument: An algorithm is unknown or none is given, or `threads` is below 1 (a ValueError).
///
/// Example:
///     >>> import partsum
///     >>> hasher = partsum.MultipartHasher(["MD5", "CRC32C"], "5MiB")
///     >>> for chunk in (b"a", b"a", b"a"):
///     ...     hasher.update(chunk)
///     >>> hasher
///     <partsum.MultipartHasher MD5 CRC32C, 3 bytes so far>
///     >>> hasher.finish().etag
///     'e2c3da976e66ec9e7dc128fbc782fc91-1'
#[pyclass(name = "MultipartHasher", module = "partsum", frozen)]
pub(super) struct PyMultipartHasher {
    hasher: Mutex<Option<MultipartHasher>>,
    /// Outside the lock: who feeds it asks while it is hashing.
    pieces: Pieces,
}

fn closed() -> PyErr {
    PyValueError::new_err(
        "this MultipartHasher is closed, since finish() was called or update() failed: make a new one",
    )
}

#[pymethods]
impl PyMultipartHasher {
    #[new]
    #[pyo3(
        signature = (algorithms, part_size=Arg::OUT, *, threads=Arg::OUT, allow_small_parts=Arg::OUT),
        text_signature = "(algorithms, part_size='boto3', *, threads=None, allow_small_parts=False)"
    )]
    fn new<'py>(
        algorithms: Arg<'py>,
        part_size: Arg<'py>,
        threads: Arg<'py>,
        allow_small_parts: Arg<'py>,
    ) -> PyResult<Self> {
        let options = How { part_size, threads, allow_small_parts, io: Arg::OUT }.options()?;
        let hasher = MultipartHasher::new(&convert::algorithms(&algorithms)?, options)?;
        let pieces = hasher.pieces()?;
        Ok(Self { hasher: Mutex::new(Some(hasher)), pieces })
    }

    /// Append to the object.
    ///
    /// Args:
    ///     data: Any C-contiguous buffer, such as bytes.
    ///     progress: Callable that is given the number of bytes hashed since the last call (int), on the calling thread. An
    ///         exception that it raises stops the work, propagates and closes the hasher.
    ///
    /// Raises:
    ///     PartPlanError: S3 would refuse the plan whatever comes (a ValueError).
    ///     ValueError: The hasher is closed.
    ///
    /// Example:
    ///     >>> import partsum
    ///     >>> hasher = partsum.MultipartHasher("CRC32C", None)
    ///     >>> hasher.update(b"1234"); hasher.update(b"56789")
    ///     >>> hasher.finish().parts[0].digest("CRC32C").hex()
    ///     'e3069283'
    #[pyo3(signature = (data, /, *, progress=Arg::OUT), text_signature = "($self, data, /, *, progress=None)")]
    fn update(&self, py: Python<'_>, data: &Bound<'_, PyAny>, progress: Arg<'_>) -> PyResult<()> {
        let (data, progress) = (Buffer::of("data", data)?, convert::progress(&progress)?);
        let bytes = data.as_bytes();
        // The lock is taken with the GIL released and kept meanwhile: other threads wait for their turn without the GIL.
        let fed = observed(py, progress, |observer| {
            let mut hasher = locked(&self.hasher);
            let fed = hasher.as_mut().map(|hasher| hasher.update(bytes, observer)).transpose();
            if fed.is_err() {
                *hasher = None;
            }
            fed
        })?;
        fed.ok_or_else(closed)
    }

    /// Recommended size of the next `update` after `offset` bytes, at most `limit`.
    #[pyo3(name = "_best_piece")]
    fn best_piece(&self, offset: u64, limit: u64) -> u64 {
        self.pieces.best(offset, limit)
    }

    /// Return the checksums of everything that was fed, and close the hasher.
    ///
    /// Returns:
    ///     ObjectChecksums: The checksums; their `path` is None.
    ///
    /// Raises:
    ///     PartPlanError: The bytes are not those of an explicit plan, or S3 would refuse the plan (a ValueError).
    ///     ValueError: The hasher is closed.
    ///
    /// Example:
    ///     >>> import partsum
    ///     >>> partsum.MultipartHasher(["MD5"], "8MiB").finish().etag      # one empty part
    ///     '59adb24ef3cdbe0297f05b395827453f-1'
    fn finish(&self, py: Python<'_>) -> PyResult<PyObjectChecksums> {
        let hasher = py.detach(|| locked(&self.hasher).take()).ok_or_else(closed)?;
        Ok(hasher.finish()?.into())
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let fed = |hasher: &MultipartHasher| {
            let names: Vec<_> = hasher.algorithms().iter().map(|algorithm| algorithm.name()).collect();
            format!("<partsum.MultipartHasher {}, {} bytes so far>", names.join(" "), hasher.size())
        };
        let fed = py.detach(|| locked(&self.hasher).as_ref().map(fed));
        fed.unwrap_or_else(|| "<partsum.MultipartHasher closed>".to_owned())
    }
}
