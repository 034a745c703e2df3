//! From what Python callers write to the core's vocabulary. Every refusal names its argument.

use std::{convert::Infallible, path::PathBuf, str::FromStr};

use pyo3::{
    buffer::PyUntypedBuffer,
    exceptions::PyTypeError,
    prelude::*,
    types::{PyBool, PyDict, PyFrozenSet, PyInt, PyIterator, PySet, PyString},
};

use super::plan::PyPartPlan;
use crate::{
    algorithm::{Algorithm, AlgorithmError, ChecksumType},
    error::{Error, PartPlanError},
    hash::Options,
    parts::{PartSize, SmallParts},
    s3::UploadAlgorithm,
    source::Io,
};

/// An argument as the caller gave it, or nothing if it was left out.
///
/// PyO3 puts words of its own before the text of a `TypeError` of a converter, so functions take the object and convert
/// it in their bodies.
#[derive(Default)]
pub(super) struct Arg<'py>(Option<Bound<'py, PyAny>>);

impl<'py> FromPyObject<'_, 'py> for Arg<'py> {
    type Error = Infallible;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> Result<Self, Infallible> {
        Ok(Self(Some(object.to_owned())))
    }
}

impl<'py> Arg<'py> {
    pub(super) const OUT: Self = Self(None);

    /// The object, None included.
    pub(super) const fn object(&self) -> Option<&Bound<'py, PyAny>> {
        self.0.as_ref()
    }

    /// The object; nothing for None too.
    pub(super) fn given(&self) -> Option<&Bound<'py, PyAny>> {
        self.0.as_ref().filter(|object| !object.is_none())
    }
}

/// The name of an object's type, for messages.
pub(super) fn type_name(object: &Bound<'_, PyAny>) -> String {
    object.get_type().name().map_or_else(|_| "?".to_owned(), |name| name.to_string())
}

/// What an argument must be, and is not.
pub(super) fn wrong_type(argument: &str, expected: &str, object: &Bound<'_, PyAny>) -> PyErr {
    PyTypeError::new_err(format!("{argument}: must be {expected}, not {}", type_name(object)))
}

pub(super) fn path(argument: &str, object: &Bound<'_, PyAny>) -> PyResult<PathBuf> {
    object.extract().map_err(|error: PyErr| match error.is_instance_of::<PyTypeError>(object.py()) {
        true => wrong_type(argument, "a str or os.PathLike", object),
        false => error,
    })
}

pub(super) fn text<'a>(argument: &str, object: &'a Bound<'_, PyAny>) -> PyResult<&'a str> {
    match object.cast::<PyString>() {
        Ok(text) => text.to_str(),
        Err(_) => Err(wrong_type(argument, "a str", object)),
    }
}

pub(super) fn flag(argument: &str, object: &Arg<'_>, default: bool) -> PyResult<bool> {
    match &object.0 {
        None => Ok(default),
        Some(object) => object.extract().map_err(|_| wrong_type(argument, "a bool", object)),
    }
}

/// One of S3's names.
fn name<T: FromStr<Err = AlgorithmError>>(argument: &'static str, object: &Bound<'_, PyAny>) -> PyResult<T> {
    let known = text(argument, object)?.parse();
    known.map_err(|error: AlgorithmError| Error::argument(argument, error.to_string()).into())
}

pub(super) fn algorithm(object: &Bound<'_, PyAny>) -> PyResult<Algorithm> {
    name("algorithm", object)
}

impl<'py> FromPyObject<'_, 'py> for Algorithm {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        algorithm(&object)
    }
}

impl<'py> FromPyObject<'_, 'py> for ChecksumType {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        name("checksum_type", &object)
    }
}

/// The algorithm of a request: left out, None, or a name.
pub(super) fn upload_algorithm(object: &Arg<'_>) -> PyResult<UploadAlgorithm> {
    match (&object.0, object.given()) {
        (None, _) => Ok(UploadAlgorithm::Computed),
        (_, None) => Ok(UploadAlgorithm::None),
        (_, Some(name)) => algorithm(name).map(UploadAlgorithm::Named),
    }
}

/// One name or an iterable of names; MD5 and CRC64NVME if they are left out.
pub(super) fn algorithms(object: &Arg<'_>) -> PyResult<Vec<Algorithm>> {
    match &object.0 {
        None => Ok(vec![Algorithm::Md5, Algorithm::Crc64Nvme]),
        Some(one) if one.is_instance_of::<PyString>() => Ok(vec![name("algorithms", one)?]),
        Some(several) => {
            let names = iterate("algorithms", "a str or an iterable of str", several)?;
            names.map(|one| name("algorithms", &one?)).collect()
        }
    }
}

pub(super) fn checksum_type(object: &Arg<'_>) -> PyResult<Option<ChecksumType>> {
    object.given().map(|object| name("checksum_type", object)).transpose()
}

/// Everything that a part size may be; as boto3 plans if it is left out.
pub(super) fn part_size(object: &Arg<'_>) -> PyResult<PartSize> {
    object.0.as_ref().map_or_else(|| Ok(PartSize::default()), |object| one_part_size("part_size", object))
}

/// Several of them.
pub(super) fn part_sizes(argument: &str, object: &Bound<'_, PyAny>) -> PyResult<Vec<PartSize>> {
    if object.is_instance_of::<PyString>() {
        return Err(wrong_type(argument, "an iterable of part sizes", object));
    }
    let several = iterate(argument, "an iterable of part sizes", object)?;
    several.map(|one| one_part_size(argument, &one?)).collect()
}

fn one_part_size(argument: &str, object: &Bound<'_, PyAny>) -> PyResult<PartSize> {
    const EXPECTED: &str =
        "an int, a size such as \"8MiB\", a preset such as \"boto3\", a list of sizes, a PartPlan or None";
    if object.is_none() {
        return Ok(PartSize::Whole);
    }
    if let Ok(plan) = object.cast::<PyPartPlan>() {
        return Ok(PartSize::Plan(plan.get().0.clone()));
    }
    if let Ok(text) = object.cast::<PyString>() {
        return Ok(text.to_str()?.parse()?);
    }
    if is_whole_number(object) {
        return match part_bytes(argument, object)? {
            0 => Err(PartPlanError::ImpossiblePartSize { size: "0".to_owned() }.into()),
            bytes => Ok(PartSize::Bytes(bytes)),
        };
    }
    // What is iterable but no list of sizes: the bytes of bytes are ints, and a set has no order.
    let buffer = PyUntypedBuffer::get(object).is_ok_and(|buffer| buffer.item_size() == 1);
    if buffer
        || object.is_instance_of::<PySet>()
        || object.is_instance_of::<PyFrozenSet>()
        || object.is_instance_of::<PyDict>()
    {
        return Err(wrong_type(argument, EXPECTED, object));
    }
    let sizes = iterate(argument, EXPECTED, object)?;
    sizes.map(|size| part_bytes(argument, &size?)).collect::<PyResult<_>>().map(PartSize::Sizes)
}

/// The items of an iterable; what iterating itself raises comes out.
pub(super) fn iterate<'py>(
    argument: &str,
    expected: &str,
    object: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyIterator>> {
    object.try_iter().map_err(|error| match error.is_instance_of::<PyTypeError>(object.py()) {
        true => wrong_type(argument, expected, object),
        false => error,
    })
}

/// An int or what converts to one without loss (numpy's integers), but no bool.
fn is_whole_number(object: &Bound<'_, PyAny>) -> bool {
    !object.is_instance_of::<PyBool>()
        && (object.is_instance_of::<PyInt>() || object.hasattr("__index__").unwrap_or(false))
}

/// An int of any size, as near to it as `i64` comes: what is past that is refused like its nearest neighbour.
pub(super) fn integer(argument: &str, object: &Bound<'_, PyAny>) -> PyResult<i64> {
    let index = whole_number(argument, object)?;
    match index.extract::<i64>() {
        Ok(number) => Ok(number),
        Err(_) => Ok(if index.lt(0)? { i64::MIN } else { i64::MAX }),
    }
}

fn whole_number<'py>(argument: &str, object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    match is_whole_number(object) {
        true => object.call_method0("__index__"),
        false => Err(wrong_type(argument, "an int", object)),
    }
}

/// A number of bytes, 0 or more.
fn bytes(argument: &str, object: &Bound<'_, PyAny>, otherwise: fn(String) -> PartPlanError) -> PyResult<u64> {
    let index = whole_number(argument, object)?;
    match index.extract::<i64>() {
        Ok(bytes) if bytes >= 0 => Ok(bytes as u64),
        _ => Err(otherwise(index.to_string()).into()),
    }
}

fn part_bytes(argument: &str, object: &Bound<'_, PyAny>) -> PyResult<u64> {
    bytes(argument, object, |size| PartPlanError::ImpossiblePartSize { size })
}

/// The size of an object.
pub(super) fn object_size(object: &Bound<'_, PyAny>) -> PyResult<u64> {
    bytes("size", object, |size| PartPlanError::ImpossibleSize { size })
}

pub(super) fn small_parts(allow_small_parts: &Arg<'_>) -> PyResult<SmallParts> {
    match flag("allow_small_parts", allow_small_parts, false)? {
        true => Ok(SmallParts::Allow),
        false => Ok(SmallParts::Refuse),
    }
}

/// The arguments of the verbs that say how to hash; a verb that lacks one leaves it out.
#[derive(Default)]
pub(super) struct How<'py> {
    pub(super) part_size: Arg<'py>,
    pub(super) threads: Arg<'py>,
    pub(super) io: Arg<'py>,
    pub(super) allow_small_parts: Arg<'py>,
}

impl How<'_> {
    pub(super) fn options(&self) -> PyResult<Options> {
        let threads = self.threads.given().map(|threads| integer("threads", threads)).transpose()?;
        let threads = threads.map(|threads| {
            let several = usize::try_from(threads).ok().filter(|threads| *threads > 0);
            several.ok_or_else(|| Error::argument("threads", format!("must be at least 1, not {threads}")))
        });
        Ok(Options {
            part_size: part_size(&self.part_size)?,
            small_parts: small_parts(&self.allow_small_parts)?,
            threads: threads.transpose()?,
            io: self.io.0.as_ref().map_or_else(|| Ok(Io::default()), |io| Ok::<_, PyErr>(text("io", io)?.parse()?))?,
        })
    }
}

/// The callable that is told how far the work is.
pub(super) fn progress(object: &Arg<'_>) -> PyResult<Option<Py<PyAny>>> {
    match object.given() {
        Some(object) if !object.is_callable() => Err(wrong_type("progress", "callable or None", object)),
        object => Ok(object.map(|object| object.clone().unbind())),
    }
}
