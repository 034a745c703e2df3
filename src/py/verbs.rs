//! `hash_file`, `hash_bytes`, `hash_plans`, and the tables that `__init__.py` makes its constants of.

use pyo3::{
    prelude::*,
    types::{PyBytes, PyDict},
};

use super::{
    buffer::Buffer,
    checksums::PyObjectChecksums,
    convert::{self, Arg, How},
    errors::invalid,
    observer::observed,
};
use crate::{
    algorithm::Algorithm,
    digest::Digest,
    hash,
    isa::{self, Isa},
    multibuffer,
    parts::Preset,
    schedule,
    stream::Combiner,
};

/// Compute every checksum that S3 will report for a file, in one read.
///
/// All algorithms are computed over the same tiles of the file while these are in the CPU's cache, and parts are hashed
/// side by side in SIMD lanes on all threads. Memory stays below 18 MiB per thread whatever the file's size (below 1 MiB
/// where nothing is read ahead), and holes of sparse files are not read. The GIL is released; Ctrl-C works.
///
/// Args:
///     path: File to hash (str or os.PathLike): a regular file or a block device.
///     algorithms: One algorithm name or an iterable of names, from `ALGORITHMS`; case, `-` and `_` are ignored.
///     part_size: Part size in bytes (int), a size such as "8MiB", a preset from `PRESETS`, a list of sizes, a `PartPlan`,
///         or None for one PutObject. "boto3" plans as boto3's upload_file does by default.
///     threads: Number of threads; None uses every CPU that the process may use.
///     io: How to read: "auto", "mmap", "read" or "direct". "auto" maps a file that is in the page cache and reads any
///         other ahead of hashing. "direct" reads past the page cache (O_DIRECT), so that other files stay in it.
///     progress: Callable that is given the number of bytes hashed since the last call (int), on the calling thread. An
///         exception that it raises stops the work and propagates.
///     allow_small_parts: Accept parts below 5 MiB, which Amazon S3 refuses and some stores accept.
///
/// Returns:
///     ObjectChecksums: The checksums of the parts and everything that S3 makes of them.
///
/// Raises:
///     OSError: The file cannot be read; has errno and filename (FileNotFoundError, PermissionError, ...). EINVAL if it
///         is a pipe, or if `io` is "direct" and the file system cannot do that.
///     FileChangedError: The file was written to, truncated or replaced while it was hashed (an OSError).
///     PartPlanError: S3 would refuse the parts (a ValueError).
///     InvalidArgument: An algorithm is unknown or none is given, `threads` is below 1, or `io` is unknown (a ValueError).
///
/// Example:
///     >>> import pathlib, tempfile, partsum
///     >>> path = pathlib.Path(tempfile.mkdtemp()) / "file"
///     >>> _ = path.write_bytes(b"aaa")
///     >>> sums = partsum.hash_file(path, ["MD5", "CRC64NVME"], part_size="8MiB")
///     >>> sums.etag, sums.checksum("CRC64NVME")
///     ('e2c3da976e66ec9e7dc128fbc782fc91-1', 'Rnr2/5P7Gsk=')
#[pyfunction]
#[pyo3(
    signature = (path, algorithms=Arg::OUT, *, part_size=Arg::OUT, threads=Arg::OUT, io=Arg::OUT, progress=Arg::OUT, allow_small_parts=Arg::OUT),
    text_signature = "(path, algorithms=('MD5', 'CRC64NVME'), *, part_size='boto3', threads=None, io='auto', progress=None, allow_small_parts=False)"
)]
#[allow(clippy::too_many_arguments)]
pub(super) fn hash_file<'py>(
    py: Python<'py>,
    path: &Bound<'py, PyAny>,
    algorithms: Arg<'py>,
    part_size: Arg<'py>,
    threads: Arg<'py>,
    io: Arg<'py>,
    progress: Arg<'py>,
    allow_small_parts: Arg<'py>,
) -> PyResult<PyObjectChecksums> {
    let options = How { part_size, threads, io, allow_small_parts }.options()?;
    let (algorithms, progress) = (convert::algorithms(&algorithms)?, convert::progress(&progress)?);
    let path = convert::path("path", path)?;
    let sums = observed(py, progress, |observer| hash::hash_file(path, &algorithms, &options, observer))?;
    Ok(sums.into())
}

/// Compute every checksum that S3 will report for bytes in memory.
///
/// Args:
///     buffer: Any C-contiguous buffer (bytes, bytearray, memoryview, mmap, numpy array, ...). It is not copied and must not
///         be written to meanwhile.
///     algorithms: One algorithm name or an iterable of names, from `ALGORITHMS`; case, `-` and `_` are ignored.
///     part_size: Part size in bytes (int), a size such as "8MiB", a preset from `PRESETS`, a list of sizes, a `PartPlan`,
///         or None for one PutObject.
///     threads: Number of threads; None uses every CPU that the process may use.
///     progress: Callable that is given the number of bytes hashed since the last call (int), on the calling thread. An
///         exception that it raises stops the work and propagates.
///     allow_small_parts: Accept parts below 5 MiB, which Amazon S3 refuses and some stores accept.
///
/// Returns:
///     ObjectChecksums: The checksums of the parts and everything that S3 makes of them; its `path` is None.
///
/// Raises:
///     TypeError: `buffer` is a str or has no buffer.
///     BufferError: `buffer` is not C-contiguous.
///     PartPlanError: S3 would refuse the parts (a ValueError).
///     InvalidArgument: An algorithm is unknown or none is given, or `threads` is below 1 (a ValueError).
///
/// Example:
///     >>> import partsum
///     >>> partsum.hash_bytes(b"hello world", "sha-256").checksum("SHA256")
///     'uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek='
#[pyfunction]
#[pyo3(
    signature = (buffer, algorithms=Arg::OUT, *, part_size=Arg::OUT, threads=Arg::OUT, progress=Arg::OUT, allow_small_parts=Arg::OUT),
    text_signature = "(buffer, algorithms=('MD5', 'CRC64NVME'), *, part_size='boto3', threads=None, progress=None, allow_small_parts=False)"
)]
pub(super) fn hash_bytes<'py>(
    py: Python<'py>,
    buffer: &Bound<'py, PyAny>,
    algorithms: Arg<'py>,
    part_size: Arg<'py>,
    threads: Arg<'py>,
    progress: Arg<'py>,
    allow_small_parts: Arg<'py>,
) -> PyResult<PyObjectChecksums> {
    let options = How { part_size, threads, allow_small_parts, io: Arg::OUT }.options()?;
    let (algorithms, progress) = (convert::algorithms(&algorithms)?, convert::progress(&progress)?);
    let buffer = Buffer::of("buffer", buffer)?;
    let bytes = buffer.as_bytes();
    let sums = observed(py, progress, |observer| hash::hash_bytes(bytes, &algorithms, &options, observer))?;
    Ok(sums.into())
}

/// Compute every checksum of a file under several part plans, in one read.
///
/// Ranges that plans share are hashed once. The plans walk the file side by side and share the page cache; "direct" reads
/// a byte from the disk once for each plan.
///
/// Args:
///     path: File to hash (str or os.PathLike): a regular file or a block device.
///     plans: Iterable of part sizes, each in any form that `part_size` of `hash_file` has.
///     algorithms: One algorithm name or an iterable of names, from `ALGORITHMS`; case, `-` and `_` are ignored.
///     threads: Number of threads; None uses every CPU that the process may use.
///     io: How to read: "auto", "mmap", "read" or "direct".
///     progress: Callable that is given the number of bytes hashed since the last call (int), on the calling thread. An
///         exception that it raises stops the work and propagates. A byte of the file counts once for all plans.
///     allow_small_parts: Accept parts below 5 MiB, which Amazon S3 refuses and some stores accept.
///
/// Returns:
///     list[ObjectChecksums]: One result for each plan, in order.
///
/// Raises:
///     InvalidArgument: There are no plans, and as `hash_file`.
///     OSError: As `hash_file`.
///     PartPlanError: As `hash_file`.
///
/// Example:
///     >>> import pathlib, tempfile, partsum
///     >>> path = pathlib.Path(tempfile.mkdtemp()) / "file"
///     >>> _ = path.write_bytes(b"aaa")
///     >>> [sums.etag for sums in partsum.hash_plans(path, [None, "8MiB"], "MD5")]
///     ['47bce5c74f589f4867dbd57e9ca9f808', 'e2c3da976e66ec9e7dc128fbc782fc91-1']
#[pyfunction]
#[pyo3(
    signature = (path, plans, algorithms=Arg::OUT, *, threads=Arg::OUT, io=Arg::OUT, progress=Arg::OUT, allow_small_parts=Arg::OUT),
    text_signature = "(path, plans, algorithms=('MD5', 'CRC64NVME'), *, threads=None, io='auto', progress=None, allow_small_parts=False)"
)]
#[allow(clippy::too_many_arguments)]
pub(super) fn hash_plans<'py>(
    py: Python<'py>,
    path: &Bound<'py, PyAny>,
    plans: &Bound<'py, PyAny>,
    algorithms: Arg<'py>,
    threads: Arg<'py>,
    io: Arg<'py>,
    progress: Arg<'py>,
    allow_small_parts: Arg<'py>,
) -> PyResult<Vec<PyObjectChecksums>> {
    let options = How { threads, io, allow_small_parts, part_size: Arg::OUT }.options()?;
    let (algorithms, progress) = (convert::algorithms(&algorithms)?, convert::progress(&progress)?);
    let (path, plans) = (convert::path("path", path)?, convert::part_sizes("plans", plans)?);
    let sums = observed(py, progress, |observer| hash::hash_plans(path, &plans, &algorithms, &options, observer))?;
    Ok(sums.into_iter().map(PyObjectChecksums::from).collect())
}

/// Combine the CRCs of two adjoining ranges into the CRC of both.
///
/// Args:
///     algorithm: Name of a CRC from `ALGORITHMS`; case, `-` and `_` are ignored.
///     first: Digest of the first range (bytes).
///     second: Digest of the second range (bytes).
///     second_size: Number of bytes in the second range.
///
/// Returns:
///     bytes: Digest of both ranges.
#[pyfunction]
pub(super) fn combine_crc<'py>(
    py: Python<'py>,
    algorithm: &Bound<'py, PyAny>,
    first: &[u8],
    second: &[u8],
    second_size: u64,
) -> PyResult<Bound<'py, PyBytes>> {
    let algorithm = convert::algorithm(algorithm)?;
    let size = algorithm.digest_size();
    match Combiner::new(algorithm) {
        Some(mut combiner) if first.len() == size && second.len() == size => {
            combiner.append(&Digest::new(first), 0);
            combiner.append(&Digest::new(second), second_size);
            Ok(PyBytes::new(py, combiner.digest().as_bytes()))
        }
        Some(_) => Err(invalid("first", format!("must be a {algorithm} digest of {size} bytes, as must second"))),
        None => Err(invalid("algorithm", format!("{algorithm} is not a CRC"))),
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

/// Tell what this build and this CPU do, for reports.
///
/// Returns:
///     dict[str, Any]: Version, instruction sets, CPU features, lanes of each algorithm, threads.
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
        lanes.set_item(algorithm.name(), multibuffer::lanes(algorithm, selected))?;
    }
    info.set_item("lanes", lanes)?;
    info.set_item("threads", schedule::default_threads())?;
    info.set_item("debug_build", cfg!(debug_assertions))?;
    Ok(info)
}
