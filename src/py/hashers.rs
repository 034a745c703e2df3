//! `new`, `Hasher` and `MultipartHasher`: bytes pushed piece by piece.

use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use pyo3::{exceptions::PyValueError, prelude::*, types::PyBytes};

use super::{
    buffer::Buffer,
    checksums::PyObjectChecksums,
    convert::{Algorithms, Number, PartSizeArgument, options},
    observer::observed,
};
use crate::{
    algorithm::Algorithm,
    digest::Digest,
    error::Error,
    hash::{Hasher, MultipartHasher, UpdateSizes},
};

/// Below this many bytes, releasing the GIL costs more than hashing; CPython's hashlib has the same limit.
const GIL_MINSIZE: usize = 2048;

/// Bytes between two looks for Ctrl-C: a tenth of a second for the slowest algorithm.
const MAX_UNINTERRUPTED: usize = 32 << 20;

/// The `data=` of `new`; None is not "no data".
#[derive(Default)]
pub(super) struct FirstData(Option<Buffer>);

impl<'py> FromPyObject<'_, 'py> for FirstData {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        object.extract().map(|buffer| Self(Some(buffer)))
    }
}

/// A lock, even after a panic: a half-fed hasher is still a hasher.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One message and one algorithm, in hashlib's shape. Made by `new`.
///
/// Threads may share it: updates take turns, and big ones (2048 bytes and more) release the GIL.
///
/// >>> import partsum
/// >>> hasher = partsum.new("CRC64NVME")
/// >>> hasher.update(b"123456789")
/// >>> hasher.hexdigest(), hasher.b64digest()
/// ('ae8b14860a799888', 'rosUhgp5mIg=')
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
    /// S3's name of the algorithm (str).
    #[getter]
    fn name(&self) -> &'static str {
        self.algorithm.name()
    }

    /// Bytes in the digest (int).
    #[getter]
    fn digest_size(&self) -> usize {
        self.algorithm.digest_size()
    }

    /// Bytes that the algorithm takes at once (int).
    #[getter]
    fn block_size(&self) -> usize {
        self.algorithm.block_size()
    }

    /// Append a bytes-like object to the message.
    ///
    /// Raises TypeError for str, BufferError for a buffer that is not C-contiguous.
    ///
    /// >>> import partsum
    /// >>> hasher = partsum.new("CRC32")
    /// >>> hasher.update(b"123456789"); hasher.hexdigest()
    /// 'cbf43926'
    #[pyo3(signature = (data, /))]
    fn update(&self, py: Python<'_>, data: Buffer) -> PyResult<()> {
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

    /// The digest so far (bytes), big-endian for CRCs and XXH. More may be appended after.
    ///
    /// >>> import partsum
    /// >>> partsum.new("CRC32", b"123456789").digest()
    /// b'\xcb\xf49&'
    fn digest<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.current(py).as_bytes())
    }

    /// The digest so far in hexadecimal (str).
    ///
    /// >>> import partsum
    /// >>> partsum.new("XXHASH3", b"hello world").hexdigest()
    /// 'd447b1ea40e6988b'
    fn hexdigest(&self, py: Python<'_>) -> String {
        self.current(py).to_hex()
    }

    /// The digest so far in base64, as S3 shows it (str).
    ///
    /// >>> import partsum
    /// >>> partsum.new("XXHASH3", b"hello world").b64digest()
    /// '1Eex6kDmmIs='
    fn b64digest(&self, py: Python<'_>) -> String {
        self.current(py).to_base64()
    }

    /// An independent hasher with the same message so far.
    ///
    /// >>> import partsum
    /// >>> first = partsum.new("SHA1", b"a"); second = first.copy(); second.update(b"b")
    /// >>> first.digest() == partsum.new("SHA1", b"a").digest(), second.digest() == partsum.new("SHA1", b"ab").digest()
    /// (True, True)
    fn copy(&self, py: Python<'_>) -> Self {
        Self { algorithm: self.algorithm, hasher: Mutex::new(self.with(py, 0, |hasher| hasher.clone())) }
    }

    fn __repr__(&self) -> String {
        format!("<partsum.Hasher {}>", self.algorithm)
    }
}

/// A hasher of one message with one algorithm, in hashlib's shape.
///
/// algorithm: one of the ten names, in any case (str); data: the first bytes of the message. Raises ValueError for an
/// unknown name. For files and parts use `hash_file`: it uses all SIMD lanes and all cores, a single message cannot.
///
/// >>> import partsum
/// >>> partsum.new("sha256", b"hello world").b64digest()
/// 'uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek='
#[pyfunction]
#[pyo3(signature = (algorithm, data=FirstData::default()), text_signature = "(algorithm, data=b'')")]
pub(super) fn new(py: Python<'_>, algorithm: Algorithm, data: FirstData) -> PyResult<PyHasher> {
    let hasher = PyHasher { algorithm, hasher: Mutex::new(Hasher::new(algorithm)) };
    if let Some(data) = data.0 {
        hasher.update(py, data)?;
    }
    Ok(hasher)
}

/// The checksums of an object of unknown size, fed piece by piece in any grouping and cut into parts on the way.
///
/// algorithms, part_size, threads, allow_small_parts: as in `hash_file`; but presets that decide from the object's size
/// (such as "rclone") raise PartPlanError. "boto3" plans parts of 8 MiB, and one PutObject if less than that came.
/// Pieces that hold several whole parts are hashed on all SIMD lanes and cores: feed big ones.
///
/// update() raises PartPlanError as soon as S3 would refuse the plan whatever comes, finish() if the bytes are not those
/// of an explicit plan. After either raised, or after finish(), the hasher is closed: ValueError. The GIL is released
/// while hashing; threads that share a hasher take turns.
///
/// >>> import partsum
/// >>> hasher = partsum.MultipartHasher(["MD5", "CRC32C"], "5MiB")
/// >>> for piece in (b"a", b"a", b"a"):
/// ...     hasher.update(piece)
/// >>> hasher.finish().etag
/// 'e2c3da976e66ec9e7dc128fbc782fc91-1'
#[pyclass(name = "MultipartHasher", module = "partsum", frozen)]
pub(super) struct PyMultipartHasher {
    hasher: Mutex<Option<MultipartHasher>>,
    /// Outside the lock: who feeds it asks while it is hashing.
    update_sizes: UpdateSizes,
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
        signature = (algorithms, part_size=PartSizeArgument::default(), *, threads=None, allow_small_parts=false),
        text_signature = "(algorithms, part_size='boto3', *, threads=None, allow_small_parts=False)"
    )]
    fn new(
        algorithms: Algorithms,
        part_size: PartSizeArgument,
        threads: Option<Number>,
        allow_small_parts: bool,
    ) -> PyResult<Self> {
        let options = options(part_size, threads, "auto", allow_small_parts)?;
        let hasher = MultipartHasher::new(&algorithms.0, options)?;
        let update_sizes = hasher.update_sizes()?;
        Ok(Self { hasher: Mutex::new(Some(hasher)), update_sizes })
    }

    /// Append a bytes-like object to the object.
    ///
    /// progress: as in `hash_file`; what it raises stops the work, comes out and closes the hasher.
    ///
    /// >>> import partsum
    /// >>> hasher = partsum.MultipartHasher("CRC32C", None)
    /// >>> hasher.update(b"1234"); hasher.update(b"56789")
    /// >>> hasher.finish().parts[0].digest("CRC32C").hex()
    /// 'e3069283'
    #[pyo3(signature = (data, /, *, progress=None))]
    fn update(&self, py: Python<'_>, data: Buffer, progress: Option<Py<PyAny>>) -> PyResult<()> {
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

    /// How many bytes the update after the first `offset` ones had best hold, at most `limit`.
    #[pyo3(name = "_best_piece")]
    fn best_piece(&self, offset: u64, limit: u64) -> u64 {
        self.update_sizes.recommended(offset, limit)
    }

    /// The checksums of everything that was fed (ObjectChecksums), and the end of this hasher.
    ///
    /// >>> import partsum
    /// >>> partsum.MultipartHasher(["MD5"], "8MiB").finish().etag      # one empty part
    /// '59adb24ef3cdbe0297f05b395827453f-1'
    fn finish(&self, py: Python<'_>) -> PyResult<PyObjectChecksums> {
        let hasher = py.detach(|| locked(&self.hasher).take()).ok_or_else(closed)?;
        Ok(hasher.finish()?.into())
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        match py.detach(|| locked(&self.hasher).as_ref().map(MultipartHasher::size)) {
            Some(size) => format!("<partsum.MultipartHasher {size} bytes so far>"),
            None => "<partsum.MultipartHasher closed>".to_owned(),
        }
    }
}
