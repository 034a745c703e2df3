//! From the core's errors to Python's exceptions, which `partsum/errors.py` defines.

use std::{io, path::Path};

use pyo3::{
    exceptions::{PyKeyboardInterrupt, PyMemoryError, PyOSError, PyValueError},
    prelude::*,
    sync::PyOnceLock,
    types::PyType,
};

use crate::error::{Error, PartPlanError, place};

/// A class of `partsum.errors`, imported once.
macro_rules! exception {
    ($py:expr, $name:literal, $arguments:expr) => {{
        static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        match CLASS.import($py, "partsum.errors", $name) {
            Ok(class) => PyErr::from_type(class.clone(), $arguments),
            Err(error) => error,
        }
    }};
}

impl From<Error> for PyErr {
    fn from(error: Error) -> Self {
        Python::attach(|py| {
            let message = error.to_string();
            match error {
                Error::UnknownAlgorithm { .. }
                | Error::NoAlgorithms
                | Error::UnknownChecksumType { .. }
                | Error::InvalidArgument { .. }
                | Error::Malformed(_) => PyValueError::new_err(message),
                Error::PartPlan(_) => exception!(py, "PartPlanError", (message,)),
                Error::NotSupportedByS3 { .. } => exception!(py, "NotSupportedByS3", (message,)),
                Error::MissingChecksum { .. } => exception!(py, "MissingChecksum", (message,)),
                Error::PartMismatch { parts, .. } => {
                    exception!(py, "PartMismatch", (message, parts))
                }
                Error::Io { path, offset, part, source } => os_error(py, &path, &place(offset, part), &source),
                Error::FileChanged { path, change } => {
                    let problem = format!("the file changed while it was hashed: {change}");
                    let path = path.into_os_string();
                    exception!(py, "FileChangedError", (libc::EBUSY, problem, path))
                }
                Error::Interrupted => PyKeyboardInterrupt::new_err(()),
            }
        })
    }
}

impl From<PartPlanError> for PyErr {
    fn from(error: PartPlanError) -> Self {
        Error::from(error).into()
    }
}

/// A `FileError` value for a file whose result is an error.
pub(super) fn file_error(py: Python<'_>, path: &Path, error: Error) -> PyResult<Py<PyAny>> {
    let error = PyErr::from(error).into_value(py);
    let class = py.import("partsum.errors")?.getattr("FileError")?;
    Ok(class.call1((path.as_os_str(), error))?.unbind())
}

/// `OSError(errno, strerror, filename)`: Python itself picks FileNotFoundError and the like from errno.
fn os_error(py: Python<'_>, path: &Path, place: &str, source: &io::Error) -> PyErr {
    let problem = || -> PyResult<String> {
        let text = match source.raw_os_error() {
            Some(errno) => py.import("os")?.call_method1("strerror", (errno,))?.extract()?,
            None => source.to_string(),
        };
        Ok(text + place)
    };
    match problem() {
        // Memory for a buffer, not what a system call said.
        Ok(_) if source.raw_os_error().is_none() && source.kind() == io::ErrorKind::OutOfMemory => {
            PyMemoryError::new_err(format!("no memory to read {}{place}", path.display()))
        }
        Ok(problem) => {
            let errno = source.raw_os_error().unwrap_or(libc::EINVAL);
            PyOSError::new_err((errno, problem, path.as_os_str().to_owned()))
        }
        Err(error) => error,
    }
}
