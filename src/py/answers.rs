//! What S3 said of one object so far, and what to ask it next: for `partsum.s3`, which makes the requests.

use pyo3::{
    prelude::*,
    sync::PyOnceLock,
    types::{PyDict, PyString, PyTuple, PyType},
};

use super::{
    checksums::PyObjectChecksums,
    convert::{self, Arg, wrong_type},
    errors::python_hint,
    observer::observed,
    options::HashingArguments,
    plan::PyPartPlan,
    response::Mapping,
    uploaded::UploadedArgument,
};
use crate::{
    algorithm::{Algorithm, ChecksumType},
    parts::guesses,
    s3::{Answers, Meaning, NextRequest, ObjectChecksums, Purpose, Quirk, Response},
    verify::{self, Verdict},
};

/// The names of quirks: one, or an iterable of them.
pub(super) fn quirks(object: &Arg<'_>) -> PyResult<Vec<Quirk>> {
    let one = |name: &Bound<'_, PyAny>| -> PyResult<Quirk> { Ok(convert::text("quirks", name)?.parse()?) };
    match object.given() {
        None => Ok(Vec::new()),
        Some(name) if name.is_instance_of::<PyString>() => Ok(vec![one(name)?]),
        Some(names) => {
            convert::iterate("quirks", "a str or an iterable of str", names)?.map(|name| one(&name?)).collect()
        }
    }
}

/// A request that `_Answers.next_request` calls for.
#[pyclass(name = "_NextRequest", module = "partsum._core", frozen)]
pub(super) struct PyNextRequest(NextRequest);

#[pymethods]
impl PyNextRequest {
    /// Name of the client's method.
    #[getter]
    const fn operation(&self) -> &'static str {
        match self.0 {
            NextRequest::Object | NextRequest::Part(_) => "head_object",
            NextRequest::Attributes(_) => "get_object_attributes",
        }
    }

    /// Arguments beside those that name the object.
    #[getter]
    fn arguments<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let arguments = PyDict::new(py);
        match self.0 {
            NextRequest::Object => arguments.set_item("ChecksumMode", "ENABLED")?,
            NextRequest::Part(number) => {
                arguments.set_item("ChecksumMode", "ENABLED")?;
                arguments.set_item("PartNumber", number)?;
            }
            NextRequest::Attributes(marker) => {
                arguments.set_item("ObjectAttributes", ["ETag", "Checksum", "ObjectParts", "ObjectSize"])?;
                if let Some(marker) = marker {
                    arguments.set_item("PartNumberMarker", marker)?;
                }
            }
        }
        Ok(arguments)
    }
}

/// What S3 said of one object so far.
#[pyclass(name = "_Answers", module = "partsum._core")]
pub(super) struct PyAnswers {
    answers: Answers,
    /// Local checksums that were computed for earlier answers.
    known: Vec<ObjectChecksums>,
}

impl PyAnswers {
    pub(super) const fn answers(&self) -> &Answers {
        &self.answers
    }
}

fn mapping<'py>(response: &Bound<'py, PyAny>) -> PyResult<Mapping<'py>> {
    const NAME: &str = "response";
    Mapping::of(NAME, response).ok_or_else(|| wrong_type(NAME, "a mapping", response))
}

#[pymethods]
impl PyAnswers {
    #[new]
    #[pyo3(signature = (quirks=Arg::LEFT_OUT), text_signature = "(quirks=())")]
    fn new(quirks: Arg<'_>) -> PyResult<Self> {
        Ok(Self { answers: Answers::with_quirks(&[], &self::quirks(&quirks)?), known: Vec::new() })
    }

    /// Take in the answer to a request.
    fn answered(&mut self, request: &PyNextRequest, response: &Bound<'_, PyAny>) -> PyResult<()> {
        self.answers.answered(request.0, Response::answer(&mapping(response)?)?);
        Ok(())
    }

    /// Take in what another source said of the object: "list", an entry of list_objects_v2; "task", the result of one in a
    /// completion report; "inventory", a row by the names of its columns.
    fn include(&mut self, source: &str, said: &Bound<'_, PyAny>) -> PyResult<()> {
        let said = mapping(said)?;
        self.answers.include(&match source {
            "task" => Response::of_completed_task(&said)?,
            "inventory" => Response::of_inventory(&said)?,
            _ => Response::answer(&said)?,
        });
        Ok(())
    }

    /// Take in that a request was refused with an error code; False if the error has to come out.
    fn refused(&mut self, request: &PyNextRequest, code: &str) -> bool {
        self.answers.refused(request.0, code)
    }

    /// The request to make next, or None: for the part plan, or with `size` for a verdict on so many bytes.
    #[pyo3(signature = (size=None, *, md5=true, undecided=false))]
    fn next_request(&self, size: Option<u64>, md5: bool, undecided: bool) -> PyResult<Option<PyNextRequest>> {
        let purpose = size.map_or(Purpose::Plan, |size| Purpose::Verdict { size, md5, undecided });
        Ok(self.answers.next_request(purpose)?.map(PyNextRequest))
    }

    /// The part plan if the answers tell it, else None.
    fn plan(&self) -> PyResult<Option<PyPartPlan>> {
        Ok(self.answers.plan()?.map(PyPartPlan))
    }

    /// Bytes in the object, or None.
    #[getter]
    fn size(&self) -> Option<u64> {
        self.answers.object_size()
    }

    /// Whether the object was uploaded in parts, by its ETag or checksum.
    #[getter]
    const fn multipart(&self) -> bool {
        self.answers.parts_count().is_some()
    }

    /// Whether the ETag can be compared with MD5s, as far as the answers tell.
    #[getter]
    fn has_md5_etag(&self) -> bool {
        self.answers.has_md5_etag()
    }

    /// The algorithm whose digest of all bytes is enough to compare, or None.
    #[getter]
    fn whole_algorithm(&self) -> Option<&'static str> {
        self.answers.whole_algorithm().map(Algorithm::name)
    }

    /// The multipart plan of the first known tool that cuts the object into so many parts, or None.
    fn likely_plan(&self) -> Option<PyPartPlan> {
        let (size, count) = (self.answers.object_size()?, self.answers.parts_count()? as usize);
        let likely = |plan: &_| crate::parts::PartPlan::len(plan) == count;
        match count {
            1 => guesses::plausible(size, 1),
            _ => guesses::of_tools(size),
        }
        .into_iter()
        .find(likely)
        .map(PyPartPlan)
    }

    /// Take in local checksums that are known already.
    fn know(&mut self, sums: &PyObjectChecksums) {
        self.known.push(sums.sums().clone());
    }

    /// Compare a file, hashing what is not known yet, or `ObjectChecksums`.
    #[pyo3(
        signature = (
            path_or_checksums, *, threads=Arg::LEFT_OUT, io=Arg::LEFT_OUT, progress=Arg::LEFT_OUT, thorough=Arg::LEFT_OUT
        ),
        text_signature = "($self, path_or_checksums, *, threads=None, io='auto', progress=None, thorough=False)"
    )]
    fn verify<'py>(
        slf: &Bound<'py, Self>,
        path_or_checksums: &Bound<'py, PyAny>,
        threads: Arg<'py>,
        io: Arg<'py>,
        progress: Arg<'py>,
        thorough: Arg<'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (answers, mut known) = {
            let this = slf.borrow();
            (this.answers.clone(), this.known.clone())
        };
        let how = HashingArguments { threads, io, ..HashingArguments::default() };
        let verdict = compared(path_or_checksums, &answers, &mut known, &how, &progress, &thorough)?;
        slf.borrow_mut().known = known;
        Ok(verdict)
    }
}

/// The verdict on a file or on checksums.
pub(super) fn compared<'py>(
    path_or_checksums: &Bound<'py, PyAny>,
    answers: &Answers,
    known: &mut Vec<ObjectChecksums>,
    how: &HashingArguments<'py>,
    progress: &Arg<'py>,
    thorough: &Arg<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = path_or_checksums.py();
    let (options, progress) = (how.options()?, convert::progress(progress)?);
    let thorough = convert::flag("thorough", thorough, false)?;
    let verdict = match path_or_checksums.cast::<PyObjectChecksums>() {
        Ok(sums) => verify::verify(sums.get().sums(), answers),
        Err(_) => {
            let path = convert::path("path_or_checksums", path_or_checksums)?;
            observed(py, progress, |observer| verify::verify_more(path, answers, known, thorough, &options, observer))?
        }
    };
    to_python(py, &verdict)
}

/// A public class of `partsum.verdict`, imported once.
macro_rules! class {
    ($py:expr, $name:literal) => {{
        static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        CLASS.import($py, "partsum.verdict", $name)
    }};
}

fn to_python<'py>(py: Python<'py>, verdict: &Verdict) -> PyResult<Bound<'py, PyAny>> {
    let status = class!(py, "Status")?.call1((verdict.status.name(),))?;
    let part = class!(py, "BadPart")?;
    let bad_parts = verdict.bad_parts.iter().map(|bad| part.call1((bad.number, bad.offset, bad.size)));
    let hint = verdict.hint.as_ref().map(|hint| python_hint(py, hint)).transpose()?;
    let reason = match &hint {
        Some(hint) => format!("{}; {}", verdict.reason, hint.str()?),
        None => verdict.reason.clone(),
    };
    class!(py, "Verdict")?.call1((
        status,
        reason,
        PyTuple::new(py, &verdict.evidence)?,
        PyTuple::new(py, bad_parts.collect::<PyResult<Vec<_>>>()?)?,
        verdict.strength.map(verify::Strength::name),
        PyTuple::new(py, &verdict.not_compared)?,
        hint,
    ))
}

/// Rows of the table of quirks: name, effect, stores, source.
#[pyfunction(name = "_quirk_table")]
pub(super) fn quirk_table() -> Vec<(&'static str, &'static str, &'static str, &'static str)> {
    Quirk::TABLE.iter().map(|row| (row.name, row.effect, row.stores, row.source)).collect()
}

/// What an error code of S3 means to partsum: names of meanings.
#[pyfunction(name = "_meanings")]
pub(super) fn meanings(code: &str) -> Vec<&'static str> {
    Meaning::all(code).map(Meaning::name).collect()
}

/// What pages of ListParts say: the upload's algorithm and type, if they tell, and number and size of each part.
#[pyfunction(name = "_listed_parts")]
pub(super) fn listed_parts(uploaded: UploadedArgument) -> ListedParts {
    let UploadedArgument(uploaded) = uploaded;
    let parts = uploaded.parts.iter().map(|part| (part.number, part.size)).collect();
    (uploaded.algorithm.map(Algorithm::name), uploaded.checksum_type.map(ChecksumType::name), parts)
}

/// Algorithm, type, and number and size of each part.
type ListedParts = (Option<&'static str>, Option<&'static str>, Vec<(i64, Option<u64>)>);

/// The numbers of the uploaded parts that need not be sent again, and whether their ETags are no MD5s.
#[pyfunction(name = "_right_parts")]
pub(super) fn right_parts(
    sums: &PyObjectChecksums,
    uploaded: UploadedArgument,
    algorithm: Option<Algorithm>,
) -> (Vec<u32>, bool) {
    sums.sums().right_parts(&uploaded.0, algorithm)
}

/// An ETag without quotes and `W/`, as `UploadResult.etag` has it.
#[pyfunction(name = "_bare_etag")]
pub(super) fn bare_etag(etag: &str) -> String {
    crate::s3::ETag::from(etag).bare().to_owned()
}
