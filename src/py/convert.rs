//! From what Python callers write to the core's vocabulary.

use pyo3::{
    buffer::PyUntypedBuffer,
    exceptions::PyTypeError,
    prelude::*,
    types::{PyBool, PyDict, PyFrozenSet, PyInt, PySet, PyString},
};

use super::{errors::invalid, plan::PyPartPlan};
use crate::{
    algorithm::{Algorithm, ChecksumType},
    error::PartPlanError,
    hash::Options,
    parts::{PartSize, SmallParts},
    source::Io,
};

/// The name of an object's type, for messages.
pub(super) fn type_name(object: &Bound<'_, PyAny>) -> String {
    object.get_type().name().map_or_else(|_| "?".to_owned(), |name| name.to_string())
}

/// Tells a caller what was expected of an argument.
fn type_error(argument: &str, expected: &str, object: &Bound<'_, PyAny>) -> PyErr {
    let kind = type_name(object);
    PyTypeError::new_err(format!("{argument} must be {expected}, not {kind}"))
}

impl<'py> FromPyObject<'_, 'py> for Algorithm {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        match object.extract::<&str>() {
            Ok(name) => Ok(name.parse::<Self>()?),
            Err(_) => Err(type_error("an algorithm", "a name such as 'SHA256'", &object)),
        }
    }
}

impl<'py> FromPyObject<'_, 'py> for ChecksumType {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        match object.extract::<&str>() {
            Ok(name) => Ok(name.parse::<Self>()?),
            Err(_) => Err(type_error("a checksum type", "'COMPOSITE' or 'FULL_OBJECT'", &object)),
        }
    }
}

/// One name or an iterable of names.
pub(super) struct Algorithms(pub(super) Vec<Algorithm>);

impl Default for Algorithms {
    fn default() -> Self {
        Self(vec![Algorithm::Md5, Algorithm::Crc64Nvme])
    }
}

impl<'py> FromPyObject<'_, 'py> for Algorithms {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if object.is_instance_of::<PyString>() {
            return Ok(Self(vec![object.extract()?]));
        }
        let names =
            object.try_iter().map_err(|_| type_error("algorithms", "a name or an iterable of names", &object))?;
        names.map(|name| name?.extract()).collect::<PyResult<_>>().map(Self)
    }
}

/// Everything that `part_size=` takes.
#[derive(Default)]
pub(super) struct PartSizeArgument(pub(super) PartSize);

impl<'py> FromPyObject<'_, 'py> for PartSizeArgument {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        const EXPECTED: &str =
            "bytes as an int, a size such as '8MiB', a preset such as 'boto3', a list of sizes, a PartPlan, or None";
        if object.is_none() {
            return Ok(Self(PartSize::Whole));
        }
        if let Ok(plan) = object.cast::<PyPartPlan>() {
            return Ok(Self(PartSize::Plan(plan.get().0.clone())));
        }
        if let Ok(text) = object.extract::<&str>() {
            return Ok(Self(text.parse()?));
        }
        if is_whole_number(&object) {
            return match part_bytes("part_size", &object)? {
                0 => Err(PartPlanError::ImpossiblePartSize { size: "0".to_owned() }.into()),
                bytes => Ok(Self(PartSize::Bytes(bytes))),
            };
        }
        // What is iterable but no list of sizes: the bytes of bytes are ints, and a set has no order.
        let buffer = PyUntypedBuffer::get(&object).is_ok_and(|buffer| buffer.item_size() == 1);
        if buffer
            || object.is_instance_of::<PySet>()
            || object.is_instance_of::<PyFrozenSet>()
            || object.is_instance_of::<PyDict>()
        {
            return Err(type_error("part_size", EXPECTED, &object));
        }
        let sizes = object.try_iter().map_err(|_| type_error("part_size", EXPECTED, &object))?;
        let sizes = sizes.map(|size| part_bytes("each part size", &size?)).collect::<PyResult<_>>()?;
        Ok(Self(PartSize::Sizes(sizes)))
    }
}

/// An int or what converts to one without loss (numpy's integers), but no bool.
fn is_whole_number(object: &Bound<'_, PyAny>) -> bool {
    !object.is_instance_of::<PyBool>()
        && (object.is_instance_of::<PyInt>() || object.hasattr("__index__").unwrap_or(false))
}

/// A number of bytes, 0 or more.
fn bytes(argument: &str, object: &Bound<'_, PyAny>, otherwise: fn(String) -> PartPlanError) -> PyResult<u64> {
    if !is_whole_number(object) {
        return Err(type_error(argument, "a whole number of bytes", object));
    }
    let index = object.call_method0("__index__")?;
    match index.extract::<i64>() {
        Ok(bytes) if bytes >= 0 => Ok(bytes as u64),
        _ => Err(otherwise(index.to_string()).into()),
    }
}

fn part_bytes(argument: &str, object: &Bound<'_, PyAny>) -> PyResult<u64> {
    bytes(argument, object, |size| PartPlanError::ImpossiblePartSize { size })
}

/// The size of an object.
pub(super) struct SizeArgument(pub(super) u64);

impl<'py> FromPyObject<'_, 'py> for SizeArgument {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        bytes("size", &object, |size| PartPlanError::ImpossibleSize { size }).map(Self)
    }
}

/// An int of any size, as near to it as `i64` comes: what is past that is refused like its nearest neighbour.
pub(super) struct Number(pub(super) i64);

impl<'py> FromPyObject<'_, 'py> for Number {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if !is_whole_number(&object) {
            return Err(type_error("it", "an int", &object));
        }
        let index = object.call_method0("__index__")?;
        match index.extract::<i64>() {
            Ok(number) => Ok(Self(number)),
            Err(_) => Ok(Self(if index.lt(0)? { i64::MIN } else { i64::MAX })),
        }
    }
}

/// The keyword arguments that the verbs share.
pub(super) fn options(
    part_size: PartSizeArgument,
    threads: Option<Number>,
    io: &str,
    allow_small_parts: bool,
) -> PyResult<Options> {
    let threads = threads
        .map(|Number(threads)| {
            usize::try_from(threads)
                .ok()
                .filter(|threads| *threads > 0)
                .ok_or_else(|| invalid("threads", format!("must be at least 1, not {threads}")))
        })
        .transpose()?;
    let small_parts = if allow_small_parts { SmallParts::Allow } else { SmallParts::Refuse };
    Ok(Options { part_size: part_size.0, small_parts, threads, io: io.parse::<Io>()? })
}
