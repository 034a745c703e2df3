//! From the core's errors to Python's exceptions, which `partsum.errors` defines and words.

use std::{io, path::Path};

use pyo3::{
    exceptions::{PyKeyboardInterrupt, PyMemoryError, PyOSError},
    prelude::*,
    sync::PyOnceLock,
    types::PyType,
};

use crate::{
    algorithm::AlgorithmError,
    error::{Error, Hint, PartPlanError, place},
};

/// A class of `partsum.errors`, imported once.
macro_rules! class {
    ($py:expr, $name:literal) => {{
        static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        CLASS.import($py, "partsum.errors", $name)
    }};
}

impl From<Error> for PyErr {
    fn from(error: Error) -> Self {
        Python::attach(|py| exception(py, error)).unwrap_or_else(|failed| failed)
    }
}

impl From<AlgorithmError> for PyErr {
    fn from(error: AlgorithmError) -> Self {
        Error::from(error).into()
    }
}

impl From<PartPlanError> for PyErr {
    fn from(error: PartPlanError) -> Self {
        Error::from(error).into()
    }
}

/// The wrong value of an argument.
pub(super) fn invalid(argument: &'static str, problem: impl Into<String>) -> PyErr {
    Error::argument(argument, problem).into()
}

fn exception(py: Python<'_>, error: Error) -> PyResult<PyErr> {
    let (problem, argument) = (error.problem(), error.wrong_argument());
    let hint = error.hint().map(|hint| python_hint(py, &hint)).transpose()?;
    let class = match error {
        Error::Algorithm(_) | Error::InvalidArgument { .. } => class!(py, "InvalidArgument")?,
        Error::PartPlan(_) => class!(py, "PartPlanError")?,
        Error::NotSupportedByS3 { .. } => class!(py, "NotSupportedByS3")?,
        Error::MissingChecksum { .. } => class!(py, "MissingChecksum")?,
        Error::PartMismatch { parts, .. } => {
            return Ok(PyErr::from_type(
                class!(py, "PartMismatch")?.clone(),
                (problem, parts, hint.map(Bound::unbind)),
            ));
        }
        Error::StoreFault { .. } => class!(py, "PartsumError")?,
        Error::Io { path, offset, part, source } => return os_error(py, &path, &place(offset, part), &source),
        Error::UnsuitableFile { path, hint: advice, .. } => {
            let hint = python_hint(py, &advice)?;
            let arguments = (libc::EINVAL, format!("{problem}; {}", hint.str()?), path.into_os_string());
            let error = py.get_type::<PyOSError>().call1(arguments)?;
            error.setattr("problem", problem)?;
            error.setattr("hint", hint)?;
            return Ok(PyErr::from_value(error));
        }
        Error::FileChanged { path, .. } => {
            let arguments = (libc::EBUSY, problem, path.into_os_string());
            return Ok(PyErr::from_type(class!(py, "FileChangedError")?.clone(), arguments));
        }
        Error::Interrupted => return Ok(PyKeyboardInterrupt::new_err(())),
    };
    Ok(PyErr::from_type(class.clone(), (problem, argument, hint.map(Bound::unbind))))
}

pub(super) fn python_hint<'py>(py: Python<'py>, hint: &Hint) -> PyResult<Bound<'py, PyAny>> {
    class!(py, "Hint")?.call1((hint.name(), hint.value()))
}

/// A `FileError` value for a file whose result is an error.
pub(super) fn file_error(py: Python<'_>, path: &Path, error: Error) -> PyResult<Py<PyAny>> {
    let error = PyErr::from(error).into_value(py);
    Ok(class!(py, "FileError")?.call1((path.as_os_str(), error))?.unbind())
}

/// `OSError(errno, strerror, filename)`: Python itself picks FileNotFoundError and the like from errno.
fn os_error(py: Python<'_>, path: &Path, place: &str, source: &io::Error) -> PyResult<PyErr> {
    let text: String = match source.raw_os_error() {
        Some(errno) => py.import("os")?.call_method1("strerror", (errno,))?.extract()?,
        None => source.to_string(),
    };
    // Memory for a buffer, not what a system call said.
    if source.raw_os_error().is_none() && source.kind() == io::ErrorKind::OutOfMemory {
        return Ok(PyMemoryError::new_err(format!("no memory to read {}{place}", path.display())));
    }
    let errno = source.raw_os_error().unwrap_or(libc::EINVAL);
    Ok(PyOSError::new_err((errno, text + place, path.as_os_str().to_owned())))
}
