//! Members of boto3's responses.

use pyo3::{prelude::*, types::PyMapping};

use crate::algorithm::Algorithm;

/// A member of a response; `None` also if it is None, as in JSON.
pub(super) fn member<'py>(mapping: &Bound<'py, PyMapping>, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
    match mapping.contains(name)? {
        true => Ok(Some(mapping.get_item(name)?).filter(|value| !value.is_none())),
        false => Ok(None),
    }
}

/// A member of a type.
pub(super) fn typed<'py, T>(mapping: &Bound<'py, PyMapping>, name: &str) -> PyResult<Option<T>>
where
    T: for<'a> FromPyObject<'a, 'py, Error = PyErr>,
{
    member(mapping, name)?.map(|value| value.extract()).transpose()
}

/// The `Checksum<ALG>` members.
pub(super) fn checksums(mapping: &Bound<'_, PyMapping>) -> PyResult<Vec<(Algorithm, String)>> {
    let mut found = Vec::new();
    for algorithm in Algorithm::ALL {
        if let Some(value) = typed(mapping, algorithm.field())? {
            found.push((algorithm, value));
        }
    }
    Ok(found)
}
