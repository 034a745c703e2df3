//! `hash_files`: an iterator over the checksums of many files.

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use pyo3::{
    prelude::*,
    sync::MutexExt,
    types::{PyBytes, PyIterator, PyString},
};

use super::{
    checksums::PyObjectChecksums,
    convert::{self, Arg, How},
    errors::file_error,
    observer::observed,
};
use crate::hash::HashFiles;

/// What `hash_files` returns.
#[pyclass(name = "_Files", module = "partsum._core", frozen)]
pub(super) struct PyFiles {
    paths: Py<PyIterator>,
    progress: Option<Py<PyAny>>,
    state: Mutex<State>,
}

struct State {
    files: HashFiles,
    ready: VecDeque<Py<PyAny>>,
}

#[pymethods]
impl PyFiles {
    fn __iter__(files: PyRef<'_, Self>) -> PyRef<'_, Self> {
        files
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let mut state = self.state.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner);
        let state = &mut *state;
        while state.ready.is_empty() {
            if state.files.is_drained() {
                let paths = self.next_paths(py)?;
                if paths.is_empty() {
                    return Ok(None);
                }
                py.detach(|| state.files.open(paths))?;
            }
            let progress = self.progress.as_ref().map(|progress| progress.clone_ref(py));
            for (path, result) in observed(py, progress, |observer| state.files.hash_batch(observer))? {
                state.ready.push_back(match result {
                    Ok(sums) => Py::new(py, PyObjectChecksums::from(sums))?.into_any(),
                    Err(error) => file_error(py, &path, error)?,
                });
            }
        }
        Ok(state.ready.pop_front())
    }
}

impl PyFiles {
    fn next_paths(&self, py: Python<'_>) -> PyResult<Vec<PathBuf>> {
        self.paths.bind(py).clone().take(HashFiles::MAX_OPEN).map(|path| convert::path("paths", &path?)).collect()
    }
}

/// Compute every checksum that S3 will report for many files, whose parts share SIMD lanes and threads.
///
/// A file that cannot be hashed never stops the rest. Files are hashed in batches that end after 512 MiB or with a larger
/// file, so results come in bursts. At most 256 files are open at a time, and files up to 16 KiB are held in memory.
///
/// Args:
///     paths: Iterable of files to hash (str or os.PathLike); it is consumed as results are wanted.
///     algorithms: One algorithm name or an iterable of names, from `ALGORITHMS`; case, `-` and `_` are ignored.
///     part_size: Part size in bytes (int), a size such as "8MiB", a preset from `PRESETS`, a list of sizes, a `PartPlan`,
///         or None for one PutObject.
///     threads: Number of threads; None uses every CPU that the process may use.
///     io: How to read: "auto", "mmap", "read" or "direct".
///     progress: Callable that is given the number of bytes hashed since the last call (int), on the calling thread. An
///         exception that it raises stops the work and propagates out of the iterator.
///     allow_small_parts: Accept parts below 5 MiB, which Amazon S3 refuses and some stores accept.
///
/// Returns:
///     Iterator[ObjectChecksums | FileError]: One item for each path, in order. `FileError` has the `path` and the `error`
///     that `hash_file` would have raised, and may itself be raised. Threads may share the iterator.
///
/// Raises:
///     TypeError: `paths` is one path, or an argument has a wrong type. Raised at once, as is the next.
///     InvalidArgument: As `hash_file` (a ValueError).
///
/// Example:
///     >>> import pathlib, tempfile, partsum
///     >>> folder = pathlib.Path(tempfile.mkdtemp())
///     >>> _ = (folder / "a").write_bytes(b"aaa")
///     >>> for result in partsum.hash_files([folder / "a", folder / "b"], "MD5"):
///     ...     print(result.error.strerror if isinstance(result, partsum.FileError) else result.etag)
///     47bce5c74f589f4867dbd57e9ca9f808
///     No such file or directory
#[pyfunction]
#[pyo3(
    signature = (paths, algorithms=Arg::OUT, *, part_size=Arg::OUT, threads=Arg::OUT, io=Arg::OUT, progress=Arg::OUT, allow_small_parts=Arg::OUT),
    text_signature = "(paths, algorithms=('MD5', 'CRC64NVME'), *, part_size='boto3', threads=None, io='auto', progress=None, allow_small_parts=False)"
)]
pub(super) fn hash_files<'py>(
    paths: &Bound<'py, PyAny>,
    algorithms: Arg<'py>,
    part_size: Arg<'py>,
    threads: Arg<'py>,
    io: Arg<'py>,
    progress: Arg<'py>,
    allow_small_parts: Arg<'py>,
) -> PyResult<PyFiles> {
    const EXPECTED: &str = "an iterable of paths";
    if paths.is_instance_of::<PyString>() || paths.is_instance_of::<PyBytes>() {
        return Err(convert::wrong_type("paths", EXPECTED, paths));
    }
    let options = How { part_size, threads, io, allow_small_parts }.options()?;
    let files = HashFiles::new(&convert::algorithms(&algorithms)?, options)?;
    let paths = convert::iterate("paths", EXPECTED, paths)?.unbind();
    let state = Mutex::new(State { files, ready: VecDeque::new() });
    Ok(PyFiles { paths, progress: convert::progress(&progress)?, state })
}
