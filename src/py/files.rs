//! `hash_files`: an iterator over the checksums of many files.

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use pyo3::{
    exceptions::PyTypeError,
    prelude::*,
    sync::MutexExt,
    types::{PyBytes, PyIterator, PyString},
};

use super::{
    checksums::PyObjectChecksums,
    convert::{Algorithms, Number, PartSizeArgument, options},
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
        self.paths.bind(py).clone().take(HashFiles::MAX_OPEN).map(|path| path?.extract()).collect()
    }
}

/// Every checksum that S3 will report for many files; their parts share the SIMD lanes and threads.
///
/// paths: an iterable of str or os.PathLike, taken from as results are wanted. The rest is as in `hash_file`. Returns an
/// iterator over an ObjectChecksums or a FileError for each path, in order: a file that cannot be hashed never stops the
/// rest. FileError has .path (str) and .error (what hash_file would have raised), and may itself be raised.
///
/// Files are hashed in batches that end after 512 MiB or with a larger file, so results come in bursts; at most 256 files
/// are open at a time, and files up to 16 KiB are held in memory. Raises ValueError and TypeError for arguments at once;
/// what the iterable or progress raises comes out of the iterator. Threads may share it.
///
/// >>> import pathlib, tempfile, partsum
/// >>> folder = pathlib.Path(tempfile.mkdtemp())
/// >>> _ = (folder / "a").write_bytes(b"aaa")
/// >>> for result in partsum.hash_files([folder / "a", folder / "b"], "MD5"):
/// ...     print(result.error.strerror if isinstance(result, partsum.FileError) else result.etag)
/// 47bce5c74f589f4867dbd57e9ca9f808
/// No such file or directory
#[pyfunction]
#[pyo3(
    signature = (paths, algorithms=Algorithms::default(), *, part_size=PartSizeArgument::default(), threads=None, io="auto", progress=None, allow_small_parts=false),
    text_signature = "(paths, algorithms=('MD5', 'CRC64NVME'), *, part_size='boto3', threads=None, io='auto', progress=None, allow_small_parts=False)"
)]
pub(super) fn hash_files(
    paths: &Bound<'_, PyAny>,
    algorithms: Algorithms,
    part_size: PartSizeArgument,
    threads: Option<Number>,
    io: &str,
    progress: Option<Py<PyAny>>,
    allow_small_parts: bool,
) -> PyResult<PyFiles> {
    if paths.is_instance_of::<PyString>() || paths.is_instance_of::<PyBytes>() {
        return Err(PyTypeError::new_err("paths must be an iterable of paths, not one path: use hash_file, or a list"));
    }
    let options = options(part_size, threads, io, allow_small_parts)?;
    let files = HashFiles::new(&algorithms.0, options)?;
    let state = Mutex::new(State { files, ready: VecDeque::new() });
    Ok(PyFiles { paths: paths.try_iter()?.unbind(), progress, state })
}
