//! `verify` and `solve_etag`.

use pyo3::prelude::*;

use super::{
    answers::{PyAnswers, compared, quirks},
    convert::{self, Arg, wrong_type},
    errors::invalid,
    observer::observed,
    options::{self, HashingArguments},
    plan::PyPartPlan,
    response::{Mapping, parsed},
};
use crate::{
    s3::{Answers, Quirk, Response},
    verify,
};

const NAME: &str = "response_or_responses";
const EXPECTED: &str =
    "responses of head_object, get_object_attributes or list_parts (dicts, or JSON of them), one or several";

/// One response or an iterable of them, also as JSON text.
fn answers(object: &Bound<'_, PyAny>, quirks: &[Quirk]) -> PyResult<Answers> {
    if let Ok(answers) = object.cast::<PyAnswers>() {
        return Ok(answers.borrow().answers().clone());
    }
    let object = parsed(NAME, object)?;
    let read = |object: &Bound<'_, PyAny>| {
        Response::read(&Mapping::of(NAME, object).ok_or_else(|| wrong_type(NAME, EXPECTED, object))?)
    };
    let responses = match Mapping::of(NAME, &object) {
        Some(response) => vec![Response::read(&response)?],
        None => convert::iterate(NAME, EXPECTED, &object)?.map(|one| read(&one?)).collect::<PyResult<_>>()?,
    };
    match responses.is_empty() {
        true => Err(invalid(NAME, "there is none: pass at least one")),
        false => Ok(Answers::with_quirks(&responses, quirks)),
    }
}

/// Compare local bytes with an S3 object by what S3 says of it. Nothing goes over the network.
///
/// The size is compared first. A full object CRC needs no part sizes. Composite checksums and ETags "...-N" are compared
/// under the object's own parts if the responses tell them, else under every usual part plan: a match under one is a match,
/// and no match is NOT_COMPARABLE.
///
/// Everything that S3 said and that is known here is compared, and one value that differs is a MISMATCH, whatever agrees.
/// An ETag that agrees is a proof anywhere. One that differs counts only where ETags are MD5s: not with SSE-KMS, SSE-C or in
/// directory buckets (responses of get_object_attributes and list_parts do not tell the encryption: add the one of
/// head_object). `Verdict.not_compared` has the values that could not be compared. Responses of several objects, versions or
/// uploads prove nothing; the parts of an unfinished upload are not the object.
///
/// Args:
///     path_or_checksums: File to compare (str or os.PathLike), of which only what the responses call for is computed, in
///         one read; or `ObjectChecksums`, of which everything is compared.
///     response_or_responses: What boto3 returned from head_object, get_object_attributes (all pages), list_parts (all
///         pages) or head_object(PartNumber=n): one or an iterable of any of them; also loaded from JSON, or as JSON text.
///     threads: Number of threads; None uses every CPU that the process may use.
///     io: How to read: "auto", "mmap", "read" or "direct".
///     progress: Callable that is given the number of bytes hashed since the last call (int), on the calling thread. An
///         exception that it raises stops the work and propagates.
///     thorough: Compute also what is slow beside the rest: the MD5 of more than 64 MiB as one message beside a CRC, and
///         every usual part plan for an ETag.
///     quirks: Names from `partsum.s3.QUIRKS`, for a store that is not Amazon's.
///
/// Returns:
///     Verdict: The outcome, and what it rests on.
///
/// Raises:
///     ValueError: A response is an error, a delete marker, or none of those.
///     TypeError: A response or one of its members has a wrong type.
///     OSError: The file cannot be read.
///     FileChangedError: The file changed while it was hashed.
///
/// Example:
///     >>> import partsum
///     >>> sums = partsum.hash_bytes(b"aaa", ["MD5", "CRC64NVME"], part_size="8MiB")
///     >>> head = {"ContentLength": 3, "ETag": '"e2c3da976e66ec9e7dc128fbc782fc91-1"',
///     ...         "ChecksumCRC64NVME": "Rnr2/5P7Gsk=", "ChecksumType": "FULL_OBJECT"}     # client.head_object(...)
///     >>> verdict = partsum.verify(sums, head)
///     >>> str(verdict.status), verdict.evidence, verdict.strength
///     ('MATCH', ('size', 'ChecksumCRC64NVME FULL_OBJECT', 'ETag'), 'collision-prone')
///     >>> partsum.verify(sums, {"ContentLength": 4}).reason
///     'the size is 4 bytes in S3, 3 here'
///
/// Source:
///     Amazon S3 User Guide, "Checking object integrity in Amazon S3"; answers recorded from Amazon S3.
#[pyfunction(name = "verify")]
#[pyo3(
    signature = (
        path_or_checksums, response_or_responses, *, threads=Arg::LEFT_OUT, io=Arg::LEFT_OUT, progress=Arg::LEFT_OUT, thorough=Arg::LEFT_OUT,
        quirks=Arg::LEFT_OUT
    ),
    text_signature = "(path_or_checksums, response_or_responses, *, threads=None, io='auto', progress=None, thorough=False, quirks=())"
)]
pub(super) fn verify_local<'py>(
    path_or_checksums: &Bound<'py, PyAny>,
    response_or_responses: &Bound<'py, PyAny>,
    threads: Arg<'py>,
    io: Arg<'py>,
    progress: Arg<'py>,
    thorough: Arg<'py>,
    quirks: Arg<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    let answers = answers(response_or_responses, &self::quirks(&quirks)?)?;
    let how = HashingArguments { threads, io, ..HashingArguments::default() };
    compared(path_or_checksums, &answers, &mut Vec::new(), &how, &progress, &thorough)
}

/// Find the part plans under which a file has an ETag.
///
/// By default these are tried: what the tools in `PRESETS` do, and if it is none of these, in a second read, powers of two
/// MiB, whole MiB and MB, equal parts, and the usual roundings of a ten-thousandth of the file; of those, the ones that give
/// N parts.
///
/// Args:
///     path: File to hash (str or os.PathLike).
///     etag: ETag as S3 shows it ("...-N"; quotes, `W/` and case are ignored); without "-N" it is that of one PutObject.
///     candidates: Part sizes to try instead (an iterable of what part_size takes), or None.
///     threads: Number of threads; None uses every CPU that the process may use.
///     io: How to read: "auto", "mmap", "read" or "direct".
///     progress: Callable that is given the number of bytes hashed since the last call (int), on the calling thread. An
///         exception that it raises stops the work and propagates.
///
/// Returns:
///     list[PartPlan]: The plans that give the ETag, those of tools first; usually one. Empty if the bytes differ, the parts
///     are uneven, or the ETag is no MD5 (SSE-KMS, SSE-C). `PartPlan.presets` names the tools that plan so.
///
/// Raises:
///     ValueError: The ETag has not the form of one made of MD5s.
///     OSError: The file cannot be read.
///     FileChangedError: The file changed while it was hashed.
///
/// Example:
///     >>> import pathlib, tempfile, partsum
///     >>> path = pathlib.Path(tempfile.mkdtemp()) / "file"
///     >>> _ = path.write_bytes(bytes(20 * 2**20))
///     >>> etag = partsum.hash_file(path, "MD5", part_size="8MiB").etag
///     >>> [plan] = partsum.solve_etag(path, etag)
///     >>> plan, plan.presets[:2]
///     (PartPlan(20971520 bytes, 3 parts of 8388608), ('boto3', 'awscli'))
#[pyfunction]
#[pyo3(
    signature = (path, etag, *, candidates=Arg::LEFT_OUT, threads=Arg::LEFT_OUT, io=Arg::LEFT_OUT, progress=Arg::LEFT_OUT),
    text_signature = "(path, etag, *, candidates=None, threads=None, io='auto', progress=None)"
)]
pub(super) fn solve_etag<'py>(
    py: Python<'py>,
    path: &Bound<'py, PyAny>,
    etag: &Bound<'py, PyAny>,
    candidates: Arg<'py>,
    threads: Arg<'py>,
    io: Arg<'py>,
    progress: Arg<'py>,
) -> PyResult<Vec<PyPartPlan>> {
    let options = HashingArguments { threads, io, ..HashingArguments::default() }.options()?;
    let progress = convert::progress(&progress)?;
    let path = convert::path("path", path)?;
    let candidates = candidates.given().map(|candidates| options::part_sizes("candidates", candidates)).transpose()?;
    let etag = convert::text("etag", etag)?;
    let plans =
        observed(py, progress, |observer| verify::solve_etag(path, etag, candidates.as_deref(), &options, observer))?;
    Ok(plans.into_iter().map(PyPartPlan).collect())
}
