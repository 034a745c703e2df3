//! `hash_file`, `hash_bytes`, `hash_plans`, and the tables that `__init__.py` makes its constants of.

use std::path::PathBuf;

use pyo3::{exceptions::PyValueError, prelude::*, types::PyBytes, types::PyDict};

use super::{
    buffer::Buffer,
    checksums::PyObjectChecksums,
    convert::{Algorithms, Number, PartSizeArgument, options},
    observer::observed,
};
use crate::{
    algorithm::Algorithm,
    digest::Digest,
    hash,
    isa::{self, Isa},
    kernels::{self, Combiner},
    parts::{PartSize, Preset},
    schedule,
};

/// Every checksum that S3 will report for a file, in one read.
///
/// path: a regular file or a block device (str or os.PathLike). algorithms: names of S3's checksum algorithms, in any
/// case (one str or an iterable of str). part_size: where the parts are cut; see `plan_parts`. "boto3" plans as boto3's
/// upload_file does by default. threads: hashing threads; None uses all CPUs that this process may use (affinity and
/// cgroup quota). io: "auto" maps a file that is in the page cache and reads any other ahead of hashing; "mmap"; "read";
/// "direct" reads past the page cache (O_DIRECT), so that a scan pushes nothing else out of memory. progress: called with
/// the bytes hashed since the last call (int), as boto3's Callback, on the calling thread; what it raises stops the work
/// and comes out. allow_small_parts: see `plan_parts`.
///
/// Returns ObjectChecksums. All algorithms are computed over the same tiles in cache; the parts go through SIMD lanes
/// on all threads. Memory stays below 18 MiB a thread, whatever the file's size (below 1 MiB where nothing is read
/// ahead); holes of sparse files are not read. The GIL is released; Ctrl-C works.
///
/// Raises OSError with errno and filename (FileNotFoundError, PermissionError, IsADirectoryError, ...), and where
/// reading failed in its message; FileChangedError (an OSError) if the file was written to, truncated or replaced
/// meanwhile; OSError (EINVAL) for "direct" where the file system has no such way; PartPlanError (a ValueError) where
/// S3 would refuse the parts; ValueError for unknown algorithms, no algorithms, threads below 1 or an unknown io.
///
/// >>> import pathlib, tempfile, partsum
/// >>> path = pathlib.Path(tempfile.mkdtemp()) / "file"
/// >>> _ = path.write_bytes(b"aaa")
/// >>> sums = partsum.hash_file(path, ["MD5", "CRC64NVME"], part_size="8MiB")
/// >>> sums.etag, sums.checksum("CRC64NVME")
/// ('e2c3da976e66ec9e7dc128fbc782fc91-1', 'Rnr2/5P7Gsk=')
#[pyfunction]
#[pyo3(
    signature = (path, algorithms=Algorithms::default(), *, part_size=PartSizeArgument::default(), threads=None, io="auto", progress=None, allow_small_parts=false),
    text_signature = "(path, algorithms=('MD5', 'CRC64NVME'), *, part_size='boto3', threads=None, io='auto', progress=None, allow_small_parts=False)"
)]
#[allow(clippy::too_many_arguments)]
pub(super) fn hash_file(
    py: Python<'_>,
    path: PathBuf,
    algorithms: Algorithms,
    part_size: PartSizeArgument,
    threads: Option<Number>,
    io: &str,
    progress: Option<Py<PyAny>>,
    allow_small_parts: bool,
) -> PyResult<PyObjectChecksums> {
    let options = options(part_size, threads, io, allow_small_parts)?;
    let sums = observed(py, progress, |observer| hash::hash_file(path, &algorithms.0, &options, observer))?;
    Ok(sums.into())
}

/// Every checksum that S3 will report for bytes in memory.
///
/// buffer: any C-contiguous buffer (bytes, bytearray, memoryview, mmap, numpy array, ...); it is not copied and must not
/// be written to meanwhile. The rest is as in `hash_file`. Raises BufferError for a buffer that is not contiguous,
/// TypeError for str and objects without a buffer.
///
/// >>> import partsum
/// >>> partsum.hash_bytes(b"hello world", "sha256").checksum("SHA256")
/// 'uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek='
#[pyfunction]
#[pyo3(
    signature = (buffer, algorithms=Algorithms::default(), *, part_size=PartSizeArgument::default(), threads=None, progress=None, allow_small_parts=false),
    text_signature = "(buffer, algorithms=('MD5', 'CRC64NVME'), *, part_size='boto3', threads=None, progress=None, allow_small_parts=False)"
)]
pub(super) fn hash_bytes(
    py: Python<'_>,
    buffer: Buffer,
    algorithms: Algorithms,
    part_size: PartSizeArgument,
    threads: Option<Number>,
    progress: Option<Py<PyAny>>,
    allow_small_parts: bool,
) -> PyResult<PyObjectChecksums> {
    let options = options(part_size, threads, "auto", allow_small_parts)?;
    let bytes = buffer.as_bytes();
    let sums = observed(py, progress, |observer| hash::hash_bytes(bytes, &algorithms.0, &options, observer))?;
    Ok(sums.into())
}

/// Every checksum of a file under several part plans, in one read.
///
/// plans: an iterable of whatever part_size= takes. The rest is as in `hash_file`; ranges that plans share are hashed
/// once, and progress counts a byte of the file once in all. The plans walk the file side by side and share the page
/// cache; io="direct" reads a byte from the disk once for each plan. Returns a list of ObjectChecksums, one for each
/// plan, in order. Raises as `hash_file`, and ValueError without plans.
///
/// >>> import pathlib, tempfile, partsum
/// >>> path = pathlib.Path(tempfile.mkdtemp()) / "file"
/// >>> _ = path.write_bytes(b"aaa")
/// >>> [sums.etag for sums in partsum.hash_plans(path, [None, "8MiB"], "MD5")]
/// ['47bce5c74f589f4867dbd57e9ca9f808', 'e2c3da976e66ec9e7dc128fbc782fc91-1']
#[pyfunction]
#[pyo3(
    signature = (path, plans, algorithms=Algorithms::default(), *, threads=None, io="auto", progress=None, allow_small_parts=false),
    text_signature = "(path, plans, algorithms=('MD5', 'CRC64NVME'), *, threads=None, io='auto', progress=None, allow_small_parts=False)"
)]
#[allow(clippy::too_many_arguments)]
pub(super) fn hash_plans(
    py: Python<'_>,
    path: PathBuf,
    plans: &Bound<'_, PyAny>,
    algorithms: Algorithms,
    threads: Option<Number>,
    io: &str,
    progress: Option<Py<PyAny>>,
    allow_small_parts: bool,
) -> PyResult<Vec<PyObjectChecksums>> {
    let options = options(PartSizeArgument::default(), threads, io, allow_small_parts)?;
    let plans: Vec<PartSize> =
        plans.try_iter()?.map(|plan| Ok(plan?.extract::<PartSizeArgument>()?.0)).collect::<PyResult<_>>()?;
    let sums = observed(py, progress, |observer| hash::hash_plans(path, &plans, &algorithms.0, &options, observer))?;
    Ok(sums.into_iter().map(PyObjectChecksums::from).collect())
}

/// The CRC of two ranges, the second of `second_size` bytes, from the digest of each.
#[pyfunction]
pub(super) fn combine_crc<'py>(
    py: Python<'py>,
    algorithm: Algorithm,
    first: &[u8],
    second: &[u8],
    second_size: u64,
) -> PyResult<Bound<'py, PyBytes>> {
    let size = algorithm.digest_size();
    match Combiner::new(algorithm) {
        Some(mut combiner) if first.len() == size && second.len() == size => {
            combiner.append(&Digest::new(first), 0);
            combiner.append(&Digest::new(second), second_size);
            Ok(PyBytes::new(py, combiner.digest().as_bytes()))
        }
        _ => Err(PyValueError::new_err(format!("{algorithm}: not two digests of a CRC"))),
    }
}

/// Rows of `ALGORITHMS`: name, digest size, checksum types of multipart uploads, field.
#[pyfunction(name = "_algorithm_table")]
pub(super) fn algorithm_table() -> Vec<(&'static str, usize, Vec<&'static str>, &'static str)> {
    let types = |algorithm: Algorithm| algorithm.checksum_types().iter().map(|kind| kind.name()).collect();
    let row = |algorithm: Algorithm| (algorithm.name(), algorithm.digest_size(), types(algorithm), algorithm.field());
    Algorithm::ALL.into_iter().map(row).collect()
}

/// Rows of `PRESETS`: name, tool, threshold, part size, source.
#[pyfunction(name = "_preset_table")]
pub(super) fn preset_table() -> Vec<(&'static str, &'static str, u64, u64, &'static str)> {
    let row = |preset: &Preset| (preset.name, preset.tool, preset.threshold, preset.part_size, preset.source);
    Preset::ALL.iter().map(row).collect()
}

/// What this build and this CPU do, for reports.
#[pyfunction]
pub(super) fn runtime_info(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let selected = Isa::selected()?;
    let info = PyDict::new(py);
    info.set_item("version", env!("CARGO_PKG_VERSION"))?;
    info.set_item("isa", selected.name())?;
    info.set_item("isas_available", Isa::available().into_iter().map(Isa::name).collect::<Vec<_>>())?;
    info.set_item("isa_override", std::env::var(isa::OVERRIDE).ok())?;
    info.set_item("cpu_features", isa::cpu_features())?;
    let lanes = PyDict::new(py);
    for algorithm in Algorithm::ALL {
        lanes.set_item(algorithm.name(), kernels::Kernels::of(algorithm, selected).messages())?;
    }
    info.set_item("lanes", lanes)?;
    info.set_item("threads", schedule::default_threads())?;
    info.set_item("debug_build", cfg!(debug_assertions))?;
    Ok(info)
}
