//! `ObjectChecksums` as a dictionary that JSON can hold, and back.

use std::path::PathBuf;

use pyo3::{prelude::*, types::PyDict};

use super::{convert, errors::invalid};
use crate::{
    parts::{PartPlan, PartSize, SmallParts},
    s3::ObjectChecksums,
};

/// The `format` of the dictionary.
const FORMAT: &str = "partsum.ObjectChecksums/1";

pub(super) fn to_dict<'py>(py: Python<'py>, sums: &ObjectChecksums) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("format", FORMAT)?;
    dict.set_item("path", sums.path().map(|path| path.as_os_str().to_owned()))?;
    dict.set_item("size", sums.size())?;
    dict.set_item("multipart", sums.plan().multipart())?;
    dict.set_item("part_sizes", sums.plan().iter().map(|part| part.size).collect::<Vec<_>>())?;
    let checksums = PyDict::new(py);
    for (algorithm, values) in sums.part_values() {
        checksums.set_item(algorithm.name(), values)?;
    }
    dict.set_item("checksums", checksums)?;
    Ok(dict)
}

/// # Errors
/// `InvalidArgument` if anything is missing or contradicts the rest.
pub(super) fn from_dict(data: &Bound<'_, PyAny>) -> PyResult<ObjectChecksums> {
    let format: String = member(data, "format", "a string")?;
    if format != FORMAT {
        return Err(malformed(format!("format {format:?} is not {FORMAT:?}")));
    }
    let path: Option<PathBuf> = member(data, "path", "a string or None")?;
    let size: u64 = member(data, "size", "a number of bytes")?;
    let multipart: bool = member(data, "multipart", "a bool")?;
    let sizes: Vec<u64> = member(data, "part_sizes", "a list of numbers of bytes")?;
    if !multipart && sizes != [size] {
        return Err(malformed("a PutObject has one part of the object's size"));
    }
    let part_size = if multipart { PartSize::Sizes(sizes) } else { PartSize::Whole };
    let plan = PartPlan::new(size, &part_size, SmallParts::Allow)?;
    let checksums: Bound<'_, PyDict> = member(data, "checksums", "a dict")?;
    let mut values = Vec::with_capacity(checksums.len());
    for (name, column) in checksums.iter() {
        let algorithm = convert::algorithm(&name)?;
        values.push((algorithm, typed(&column, algorithm.name(), "a list of strings")?));
    }
    Ok(ObjectChecksums::from_part_values(path, plan, &values)?)
}

fn malformed(problem: impl std::fmt::Display) -> PyErr {
    invalid("data", format!("not an ObjectChecksums: {problem}"))
}

fn member<'py, T>(data: &Bound<'py, PyAny>, name: &str, expected: &str) -> PyResult<T>
where
    T: for<'a> FromPyObject<'a, 'py>,
{
    typed(&data.get_item(name).map_err(|_| malformed(format!("{name:?} is missing")))?, name, expected)
}

fn typed<'py, T>(value: &Bound<'py, PyAny>, name: &str, expected: &str) -> PyResult<T>
where
    T: for<'a> FromPyObject<'a, 'py>,
{
    value.extract().map_err(|_| malformed(format!("{name:?} is not {expected}")))
}
