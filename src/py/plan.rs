//! `PartPlan` and `plan_parts`.

use pyo3::{prelude::*, types::PyTuple};

use super::convert::{PartSizeArgument, SizeArgument};
use crate::parts::{self, PartPlan, PartSize, SmallParts};

/// How an object is cut into parts, or sent by one PutObject. Made by `plan_parts`.
///
/// Immutable, picklable; plans with the same parts are equal. `len(plan)` is the number of parts (1 for a PutObject).
///
/// >>> import partsum
/// >>> plan = partsum.plan_parts(20 * 2**20, "8MiB")
/// >>> len(plan), plan.sizes, plan.offsets
/// (3, (8388608, 8388608, 4194304), (0, 8388608, 16777216))
/// >>> plan
/// PartPlan(20971520 bytes, 3 parts of 8388608)
#[pyclass(name = "PartPlan", module = "partsum", frozen, eq, hash)]
#[derive(PartialEq, Eq, Hash)]
pub(super) struct PyPartPlan(pub(super) PartPlan);

#[pymethods]
impl PyPartPlan {
    /// Bytes in the object (int).
    #[getter]
    fn size(&self) -> u64 {
        self.0.size()
    }

    /// Bytes in each part (tuple of int).
    #[getter]
    fn sizes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.iter().map(|part| part.size))
    }

    /// Where each part begins in the object, in bytes (tuple of int).
    #[getter]
    fn offsets<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.iter().map(|part| part.offset))
    }

    /// True for a multipart upload, even of one part; False for one PutObject (bool).
    #[getter]
    fn multipart(&self) -> bool {
        self.0.multipart()
    }

    /// The names of the `PRESETS` that would cut an object of this size just so (tuple of str).
    ///
    /// >>> import partsum
    /// >>> partsum.plan_parts(100 * 2**20, "16MiB").presets
    /// ('mc',)
    #[getter]
    fn presets<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.presets().collect::<Vec<_>>())
    }

    fn __len__(&self) -> usize {
        self.0.len()
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
/// size: bytes in the object (int). part_size: bytes in a part (int), a size such as "8MiB" or "64 MB" (MiB = 2**20,
/// MB = 10**6), the name of a tool in `PRESETS` (plans as that tool does by default), a list of the sizes of all parts,
/// a PartPlan, or None (one PutObject, no parts). An int or a size always means a multipart upload, even of one part.
/// allow_small_parts: let parts before the last be below 5 MiB, for S3-compatible stores and tests.
///
/// Raises PartPlanError (a ValueError) that names the part and the limit where S3 would refuse the plan: 1 to 10,000
/// parts of 5 MiB to 5 GiB (the last one may be smaller), 48.8 TiB in all, 5 GiB in one PutObject. TypeError for other
/// types, floats included.
///
/// Source of the limits: Amazon S3 User Guide, "Amazon S3 multipart upload limits".
///
/// >>> import partsum
/// >>> partsum.plan_parts(100 * 2**30).sizes[0]        # as boto3: 8 MiB doubled until 10,000 parts suffice
/// 16777216
/// >>> partsum.plan_parts(5, "boto3").multipart        # boto3 sends small files by one PutObject
/// False
/// >>> partsum.plan_parts(30 * 2**20, [10 * 2**20, 15 * 2**20, 5 * 2**20]).offsets
/// (0, 10485760, 26214400)
/// >>> partsum.plan_parts(10 * 2**20, "1MiB")
/// Traceback (most recent call last):
///     ...
/// partsum.errors.PartPlanError: part_size: part 1 has 1048576 bytes, but every part except the last needs at least 5242880 bytes (5 MiB; S3 answers EntityTooSmall); pass allow_small_parts=True for a store that accepts them
#[pyfunction]
#[pyo3(
    signature = (size, part_size=PartSizeArgument::default(), *, allow_small_parts=false),
    text_signature = "(size, part_size='boto3', *, allow_small_parts=False)"
)]
pub(super) fn plan_parts(
    size: SizeArgument,
    part_size: PartSizeArgument,
    allow_small_parts: bool,
) -> PyResult<PyPartPlan> {
    let small = if allow_small_parts { SmallParts::Allow } else { SmallParts::Refuse };
    Ok(PyPartPlan(PartPlan::new(size.0, &part_size.0, small)?))
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
