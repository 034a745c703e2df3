//! Part sizes, and the other arguments that say how to hash.

use pyo3::{
    buffer::PyUntypedBuffer,
    prelude::*,
    types::{PyDict, PyFrozenSet, PySet, PyString},
};

use super::{
    convert::{self, Arg},
    plan::PyPartPlan,
};
use crate::{
    error::{Error, PartPlanError},
    hash::Options,
    parts::{PartSize, SmallParts},
    source::Io,
};

/// Everything that a part size may be; as boto3 plans if it is left out.
pub(super) fn part_size(object: &Arg<'_>) -> PyResult<PartSize> {
    object.object().map_or_else(|| Ok(PartSize::default()), |object| one_part_size("part_size", object))
}

/// Several of them.
pub(super) fn part_sizes(argument: &str, object: &Bound<'_, PyAny>) -> PyResult<Vec<PartSize>> {
    if object.is_instance_of::<PyString>() {
        return Err(convert::wrong_type(argument, "an iterable of part sizes", object));
    }
    let several = convert::iterate(argument, "an iterable of part sizes", object)?;
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
    if convert::is_whole_number(object) {
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
        return Err(convert::wrong_type(argument, EXPECTED, object));
    }
    let sizes = convert::iterate(argument, EXPECTED, object)?;
    sizes.map(|size| part_bytes(argument, &size?)).collect::<PyResult<_>>().map(PartSize::Sizes)
}

fn part_bytes(argument: &str, object: &Bound<'_, PyAny>) -> PyResult<u64> {
    convert::bytes(argument, object, |size| PartPlanError::ImpossiblePartSize { size })
}

pub(super) fn small_parts(allow_small_parts: &Arg<'_>) -> PyResult<SmallParts> {
    match convert::flag("allow_small_parts", allow_small_parts, false)? {
        true => Ok(SmallParts::Allow),
        false => Ok(SmallParts::Refuse),
    }
}

/// The arguments of the verbs that say how to hash; a verb that lacks one leaves it out.
#[derive(Default)]
pub(super) struct HashingArguments<'py> {
    pub(super) part_size: Arg<'py>,
    pub(super) threads: Arg<'py>,
    pub(super) io: Arg<'py>,
    pub(super) allow_small_parts: Arg<'py>,
}

impl HashingArguments<'_> {
    pub(super) fn options(&self) -> PyResult<Options> {
        let threads = self.threads.given().map(|threads| convert::integer("threads", threads)).transpose()?;
        let threads = threads.map(|threads| {
            let several = usize::try_from(threads).ok().filter(|threads| *threads > 0);
            several.ok_or_else(|| Error::argument("threads", format!("must be at least 1, not {threads}")))
        });
        Ok(Options {
            part_size: part_size(&self.part_size)?,
            small_parts: small_parts(&self.allow_small_parts)?,
            threads: threads.transpose()?,
            io: self
                .io
                .object()
                .map_or_else(|| Ok(Io::default()), |io| Ok::<_, PyErr>(convert::text("io", io)?.parse()?))?,
        })
    }
}
