//! `Part`, `PartPlan` and `plan_parts`.

use pyo3::{
    exceptions::{PyIndexError, PyValueError},
    prelude::*,
    types::{PyIterator, PySlice, PyTuple},
};

use super::convert::{self, Arg};
use crate::parts::{self, Part, PartPlan, PartSize, SmallParts};

/// One part of a `PartPlan`.
///
/// Immutable, picklable, equal by value.
///
/// Args:
///     number: Part number, from 1.
///     offset: Where the part begins in the object, in bytes.
///     size: Number of bytes in the part.
///
/// Example:
///     >>> import partsum
///     >>> partsum.plan_parts(20 * 2**20, "8MiB")[-1]
///     Part(number=3, offset=16777216, size=4194304)
#[pyclass(name = "Part", module = "partsum", frozen, eq, hash)]
#[derive(PartialEq, Eq, Hash)]
pub(super) struct PyPart(Part);

#[pymethods]
impl PyPart {
    #[classattr]
    fn __match_args__() -> (&'static str, &'static str, &'static str) {
        ("number", "offset", "size")
    }

    #[new]
    fn new(number: u32, offset: u64, size: u64) -> Self {
        Self(Part { number, offset, size })
    }

    /// int: Part number, from 1.
    #[getter]
    fn number(&self) -> u32 {
        self.0.number
    }

    /// int: Where the part begins in the object, in bytes.
    #[getter]
    fn offset(&self) -> u64 {
        self.0.offset
    }

    /// int: Number of bytes in the part.
    #[getter]
    fn size(&self) -> u64 {
        self.0.size
    }

    fn __repr__(&self) -> String {
        let Part { number, offset, size } = self.0;
        format!("Part(number={number}, offset={offset}, size={size})")
    }

    fn __getnewargs__(&self) -> (u32, u64, u64) {
        (self.0.number, self.0.offset, self.0.size)
    }
}

/// How an object is cut into parts, or sent by one PutObject: a sequence of `Part`. Made by `plan_parts`.
///
/// A PutObject has one part. Immutable, picklable; plans with the same parts are equal. A slice is a tuple.
///
/// Example:
///     >>> import partsum
///     >>> plan = partsum.plan_parts(20 * 2**20, "8MiB")
///     >>> plan
///     PartPlan(20971520 bytes, 3 parts of 8388608)
///     >>> [part.size for part in plan]
///     [8388608, 8388608, 4194304]
///     >>> len(plan), plan[1].offset
///     (3, 8388608)
#[pyclass(name = "PartPlan", module = "partsum", frozen, eq, hash, sequence)]
#[derive(PartialEq, Eq, Hash)]
pub(super) struct PyPartPlan(pub(super) PartPlan);

impl PyPartPlan {
    /// Where a part stands, from 0.
    fn place(&self, part: &Bound<'_, PyAny>) -> Option<usize> {
        let part = part.cast::<PyPart>().ok()?.get().0;
        let index = (part.number as usize).checked_sub(1)?;
        (index < self.0.len() && self.0.part(index) == part).then_some(index)
    }

    fn tuple<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.iter().map(PyPart))
    }
}

#[pymethods]
impl PyPartPlan {
    /// int: Number of bytes in the object.
    #[getter]
    fn size(&self) -> u64 {
        self.0.size()
    }

    /// tuple[int, ...]: Number of bytes in each part.
    #[getter]
    fn sizes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.iter().map(|part| part.size))
    }

    /// tuple[int, ...]: Where each part begins in the object, in bytes.
    #[getter]
    fn offsets<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.iter().map(|part| part.offset))
    }

    /// bool: True for a multipart upload, even of one part; False for one PutObject.
    #[getter]
    fn multipart(&self) -> bool {
        self.0.multipart()
    }

    /// tuple[str, ...]: Names of the `PRESETS` that cut an object of this size in this way.
    ///
    /// Example:
    ///     >>> import partsum
    ///     >>> partsum.plan_parts(100 * 2**20, "16MiB").presets
    ///     ('mc',)
    #[getter]
    fn presets<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.presets().collect::<Vec<_>>())
    }

    /// Return the position of a part, from 0.
    ///
    /// Args:
    ///     part: `Part` to look for.
    ///     start: First position to look at.
    ///     stop: Position to stop before; None is the end.
    ///
    /// Returns:
    ///     int: The position, which is the part's number less 1.
    ///
    /// Raises:
    ///     ValueError: The plan has no such part there.
    ///
    /// Example:
    ///     >>> import partsum
    ///     >>> plan = partsum.plan_parts(20 * 2**20, "8MiB")
    ///     >>> plan.index(partsum.Part(2, 8388608, 8388608))
    ///     1
    #[pyo3(signature = (part, start=0, stop=None))]
    fn index(&self, py: Python<'_>, part: &Bound<'_, PyAny>, start: isize, stop: Option<isize>) -> PyResult<usize> {
        let bounds = PySlice::new(py, start, stop.unwrap_or(isize::MAX), 1).indices(self.0.len() as isize)?;
        let within = |place: &usize| (bounds.start..bounds.stop).contains(&(*place as isize));
        self.place(part).filter(within).ok_or_else(|| PyValueError::new_err("part: the plan has no such part there"))
    }

    /// Count how often a part is in the plan.
    ///
    /// Args:
    ///     part: `Part` to look for.
    ///
    /// Returns:
    ///     int: 1 or 0.
    ///
    /// Example:
    ///     >>> import partsum
    ///     >>> partsum.plan_parts(5, None).count(partsum.Part(1, 0, 5))
    ///     1
    fn count(&self, part: &Bound<'_, PyAny>) -> usize {
        self.place(part).map_or(0, |_| 1)
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn __contains__(&self, part: &Bound<'_, PyAny>) -> bool {
        self.place(part).is_some()
    }

    fn __getitem__<'py>(&self, py: Python<'py>, index: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        if index.is_instance_of::<PySlice>() {
            return self.tuple(py)?.into_any().get_item(index);
        }
        let (index, parts) = (convert::integer("index", index)?, self.0.len());
        let from_start = if index < 0 { index.saturating_add(parts as i64) } else { index };
        match usize::try_from(from_start) {
            Ok(place) if place < parts => Ok(Bound::new(py, PyPart(self.0.part(place)))?.into_any()),
            _ => Err(PyIndexError::new_err(format!("index: {index} is out of range, the plan has {parts} parts"))),
        }
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        self.tuple(py)?.try_iter()
    }

    fn __repr__(&self) -> String {
        format!("{:?}", self.0)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let sizes: Option<Vec<u64>> = self.0.multipart().then(|| self.0.iter().map(|part| part.size).collect());
        Ok((py.import("partsum._core")?.getattr("_rebuild_plan")?, (self.0.size(), sizes).into_pyobject(py)?))
    }
}

/// Plan the parts of an object.
///
/// S3 allows 1 to 10,000 parts of 5 MiB to 5 GiB (the last one may be smaller), 48.8 TiB in all, and 5 GiB in one
/// PutObject.
///
/// Args:
///     size: Number of bytes in the object.
///     part_size: Part size in bytes (int), a size such as "8MiB", a preset from `PRESETS`, a list of sizes, a `PartPlan`,
///         or None for one PutObject. An int or a size is always a multipart upload, even of one part. A preset plans as
///         that tool does by default. MiB is 2**20 bytes, MB is 10**6.
///     allow_small_parts: Accept parts below 5 MiB, which Amazon S3 refuses and some stores accept.
///
/// Returns:
///     PartPlan: The parts, in order.
///
/// Raises:
///     PartPlanError: S3 would refuse the plan; the message names the part and the limit (a ValueError).
///     TypeError: An argument has a wrong type; floats are one.
///
/// Example:
///     >>> import partsum
///     >>> partsum.plan_parts(100 * 2**30)[0].size     # as boto3: 8 MiB doubled until 10,000 parts suffice
///     16777216
///     >>> partsum.plan_parts(5, "boto3").multipart    # boto3 sends small files by one PutObject
///     False
///     >>> partsum.plan_parts(30 * 2**20, [10 * 2**20, 15 * 2**20, 5 * 2**20]).offsets
///     (0, 10485760, 26214400)
///     >>> partsum.plan_parts(10 * 2**20, "1MiB")
///     Traceback (most recent call last):
///         ...
///     partsum.PartPlanError: part_size: part 1 has 1048576 bytes, but every part except the last needs at least 5242880 bytes (5 MiB; S3 answers EntityTooSmall); pass allow_small_parts=True for a store that accepts them
///
/// Source:
///     Amazon S3 User Guide, "Amazon S3 multipart upload limits".
#[pyfunction]
#[pyo3(
    signature = (size, part_size=Arg::OUT, *, allow_small_parts=Arg::OUT),
    text_signature = "(size, part_size='boto3', *, allow_small_parts=False)"
)]
pub(super) fn plan_parts<'py>(
    size: &Bound<'py, PyAny>,
    part_size: Arg<'py>,
    allow_small_parts: Arg<'py>,
) -> PyResult<PyPartPlan> {
    let (part_size, small) = (convert::part_size(&part_size)?, convert::small_parts(&allow_small_parts)?);
    Ok(PyPartPlan(PartPlan::new(convert::object_size(size)?, &part_size, small)?))
}

/// Bytes in a size such as "8MiB".
#[pyfunction(name = "_parse_size")]
pub(super) fn parse_size(text: &str) -> PyResult<u64> {
    Ok(parts::parse_size(text)?)
}

/// Unpickles a PartPlan.
#[pyfunction(name = "_rebuild_plan")]
pub(super) fn rebuild_plan(size: u64, sizes: Option<Vec<u64>>) -> PyResult<PyPartPlan> {
    let part_size = sizes.map_or(PartSize::Whole, PartSize::Sizes);
    Ok(PyPartPlan(PartPlan::new(size, &part_size, SmallParts::Allow)?))
}
