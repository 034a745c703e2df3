//! `verify` and `solve_etag`: boto3's responses for the core, and the core's verdict for `partsum.verdict`.

use pyo3::{
    exceptions::{PyTypeError, PyValueError},
    prelude::*,
    sync::PyOnceLock,
    types::{PyBytes, PyMapping, PyString, PyType},
};

use super::{
    checksums::PyObjectChecksums,
    convert::{self, Arg, How, type_name},
    observer::observed,
    plan::PyPartPlan,
    response::{checksums, member, typed},
};
use crate::{
    algorithm::Algorithm,
    verify::{self, Answers, ContentRange, Encryption, PartPage, Response, SaidPart, Verdict},
};

/// The `response_or_responses` argument: one response or an iterable of them, also as JSON text.
pub(super) struct ResponsesArgument(Vec<Response>);

impl<'py> FromPyObject<'_, 'py> for ResponsesArgument {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let mut object: Bound<'py, PyAny> = object.to_owned();
        if object.is_instance_of::<PyString>() || object.is_instance_of::<PyBytes>() {
            object = object.py().import("json")?.call_method1("loads", (object,))?;
        }
        if let Ok(mapping) = object.cast::<PyMapping>() {
            return Ok(Self(vec![response(mapping)?]));
        }
        if object.is_instance_of::<PyString>() {
            return Err(expected(&object));
        }
        let mut responses = Vec::new();
        for item in object.try_iter().map_err(|_| expected(&object))? {
            let item = item?;
            responses.push(response(item.cast().map_err(|_| expected(&item))?)?);
        }
        match responses.is_empty() {
            true => Err(PyValueError::new_err("no response given: pass at least one")),
            false => Ok(Self(responses)),
        }
    }
}

const KNOWN: &str = "the responses of head_object, get_object_attributes or list_parts (dicts, or JSON of them)";

fn expected(object: &Bound<'_, PyAny>) -> PyErr {
    let kind = type_name(object);
    PyTypeError::new_err(format!("response_or_responses takes {KNOWN}, one or several, not {kind}"))
}

/// Members that a response must have one of, to be one of those that we know.
const MEMBERS: [&str; 6] = ["ETag", "ContentLength", "ObjectSize", "Checksum", "ObjectParts", "Parts"];

/// A mapping in a response.
fn inner<'py>(mapping: &Bound<'py, PyMapping>, name: &str) -> PyResult<Option<Bound<'py, PyMapping>>> {
    member(mapping, name)?.map(|inner| inner.cast_into::<PyMapping>().map_err(PyErr::from)).transpose()
}

fn text(mapping: &Bound<'_, PyMapping>, name: &str) -> PyResult<Option<String>> {
    typed(mapping, name)
}

/// A count or a size; JSON may have it as text.
fn number<T: std::str::FromStr>(mapping: &Bound<'_, PyMapping>, name: &str) -> PyResult<Option<T>> {
    match member(mapping, name)? {
        Some(value) => match value.str()?.to_string().trim().parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(PyValueError::new_err(format!("{name} is {}, not a number", value.repr()?))),
        },
        None => Ok(None),
    }
}

fn page(listed: &Bound<'_, PyMapping>, upload: bool) -> PyResult<PartPage> {
    let mut parts = Vec::new();
    if let Some(items) = member(listed, "Parts")? {
        for item in items.try_iter()? {
            let item = item?;
            let part = item.cast::<PyMapping>().map_err(|_| expected(&item))?;
            let number = number(part, "PartNumber")?
                .ok_or_else(|| PyValueError::new_err("a part of the response has no PartNumber"))?;
            parts.push(SaidPart {
                number,
                size: self::number(part, "Size")?,
                etag: text(part, "ETag")?,
                checksums: checksums(part)?,
            });
        }
    }
    let truncated = member(listed, "IsTruncated")?.is_some_and(|truncated| truncated.is_truthy().unwrap_or(false));
    Ok(PartPage { upload, truncated, parts })
}

fn response(mapping: &Bound<'_, PyMapping>) -> PyResult<Response> {
    if let Some(error) = inner(mapping, "Error")? {
        let code = text(&error, "Code")?.unwrap_or_default();
        return Err(PyValueError::new_err(format!("the response is an error ({code}): pass {KNOWN}")));
    }
    let known = MEMBERS
        .iter()
        .chain(Algorithm::ALL.map(Algorithm::field).iter())
        .try_fold(false, |known, name| Ok::<_, PyErr>(known || mapping.contains(*name)?))?;
    // The list of an upload without parts has no more.
    let listing = mapping.contains("Parts")? || (mapping.contains("IsTruncated")? && mapping.contains("UploadId")?);
    if !known && !listing {
        return Err(PyValueError::new_err(format!("none of a response's members is there: pass {KNOWN}")));
    }
    let metadata = inner(mapping, "ResponseMetadata")?;
    let customer = text(mapping, "SSECustomerAlgorithm")?;
    let encryption = |headers| -> PyResult<Encryption> {
        Ok(Encryption::told(text(mapping, "ServerSideEncryption")?.as_deref(), customer.as_deref(), headers))
    };
    if listing {
        // boto3's list_parts has no members for encryption; who knows it may add them.
        return Ok(Response {
            encryption: encryption(false)?,
            page: Some(page(mapping, true)?),
            ..Response::default()
        });
    }
    let headers = match &metadata {
        Some(metadata) => inner(metadata, "HTTPHeaders")?,
        None => None,
    };
    let range = match (text(mapping, "ContentRange")?, &headers) {
        (Some(range), _) => Some(range),
        // Clients before 2025 have no member for it.
        (None, Some(headers)) => text(headers, "content-range")?,
        (None, None) => None,
    };
    let status = match &metadata {
        Some(metadata) => number(metadata, "HTTPStatusCode")?,
        None => number(mapping, "HTTPStatusCode")?,
    };
    let (checksum, object_parts) = (inner(mapping, "Checksum")?, inner(mapping, "ObjectParts")?);
    let attributes = checksum.is_some() || object_parts.is_some() || mapping.contains("ObjectSize")?;
    // `Size`: an entry of list_objects_v2.
    let mut size = None;
    for name in ["ContentLength", "ObjectSize", "Size"] {
        size = size.or(number(mapping, name)?);
    }
    let values = checksum.as_ref().unwrap_or(mapping);
    let count = match &object_parts {
        Some(object_parts) => number(object_parts, "TotalPartsCount")?,
        None => number(mapping, "PartsCount")?,
    };
    Ok(Response {
        size,
        range: range.as_deref().and_then(ContentRange::parse),
        etag: text(mapping, "ETag")?,
        checksums: checksums(values)?,
        checksum_type: member(values, "ChecksumType")?.map(|kind| kind.extract()).transpose()?,
        attributes,
        // Some stores say 0 of objects that were not uploaded in parts.
        parts_count: count.filter(|count| *count > 0),
        part_number: number(mapping, "PartNumber")?,
        http_status: status,
        encryption: encryption(mapping.contains("ContentLength")?)?,
        directory_bucket: text(mapping, "StorageClass")?.is_some_and(|class| class == "EXPRESS_ONEZONE"),
        page: object_parts.map(|parts| page(&parts, false)).transpose()?,
    })
}

fn to_python<'py>(py: Python<'py>, verdict: &Verdict) -> PyResult<Bound<'py, PyAny>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let class = CLASS.import(py, "partsum.verdict", "Verdict")?;
    let bad_parts: Vec<_> = verdict.bad_parts.iter().map(|part| (part.number, part.offset, part.size)).collect();
    class.call_method1("_of", (verdict.status.name(), &verdict.reason, &verdict.evidence, bad_parts))
}

/// Whether local bytes are an S3 object's, by what S3 says of it. Nothing goes over the network.
///
/// path_or_checksums: a file (str or os.PathLike), of which only what the responses call for is computed, in one read;
/// or ObjectChecksums, of which what is there is compared. response_or_responses: what boto3 returned from head_object,
/// get_object_attributes (all pages), list_parts (all pages) or head_object(PartNumber=n), one or a list of any of them;
/// also loaded from JSON, or as JSON text. threads, io, progress: as in `hash_file`.
///
/// Returns a Verdict. The size is compared first. A full object CRC needs no part sizes. Composite checksums and ETags
/// "...-N" are compared under the object's own parts, where the responses tell them; else under every usual way of
/// cutting, and then a match is one, but no match is NOT_COMPARABLE. An ETag is compared only if there is no checksum to
/// compare, or it is there in the ObjectChecksums; and not with SSE-KMS, SSE-C or in directory buckets, where it is no
/// MD5 (get_object_attributes and list_parts do not say so: add the head_object response). Any checksum that differs is
/// a MISMATCH, whatever else agrees; the parts' own values tell which bytes.
///
/// Raises ValueError and TypeError for what is no such response, and as `hash_file` for the file.
///
/// Source: Amazon S3 User Guide, "Checking object integrity in Amazon S3"; answers recorded from Amazon S3.
///
/// >>> import partsum
/// >>> sums = partsum.hash_bytes(b"aaa", ["MD5", "CRC64NVME"], part_size="8MiB")
/// >>> head = {"ContentLength": 3, "ETag": '"e2c3da976e66ec9e7dc128fbc782fc91-1"',
/// ...         "ChecksumCRC64NVME": "Rnr2/5P7Gsk=", "ChecksumType": "FULL_OBJECT"}     # client.head_object(...)
/// >>> verdict = partsum.verify(sums, head)
/// >>> str(verdict.status), verdict.evidence
/// ('MATCH', ('size', 'ChecksumCRC64NVME FULL_OBJECT', 'ETag'))
/// >>> partsum.verify(sums, {"ContentLength": 4}).reason
/// 'the size is 4 bytes in S3, 3 here'
#[pyfunction(name = "verify")]
#[pyo3(
    signature = (path_or_checksums, response_or_responses, *, threads=Arg::OUT, io=Arg::OUT, progress=Arg::OUT),
    text_signature = "(path_or_checksums, response_or_responses, *, threads=None, io='auto', progress=None)"
)]
pub(super) fn verify_local<'py>(
    py: Python<'py>,
    path_or_checksums: &Bound<'py, PyAny>,
    response_or_responses: ResponsesArgument,
    threads: Arg<'py>,
    io: Arg<'py>,
    progress: Arg<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    let options = How { threads, io, ..How::default() }.options()?;
    let progress = convert::progress(&progress)?;
    let answers = Answers::new(&response_or_responses.0);
    let verdict = match path_or_checksums.cast::<PyObjectChecksums>() {
        Ok(sums) => verify::verify(sums.get().sums(), &answers),
        Err(_) => {
            let path = convert::path("path_or_checksums", path_or_checksums)?;
            observed(py, progress, |observer| verify::verify_file(path, &answers, &options, observer))?
        }
    };
    to_python(py, &verdict)
}

/// The part plans under which a file has an ETag, every plausible one tried.
///
/// path: a file. etag: as S3 shows it ("...-N", quotes ignored); without "-N" it is that of one PutObject. candidates: an
/// iterable of whatever part_size= takes, to try those and no others. By default: what the tools in `PRESETS` do, and if it
/// is none of these, in a second read, powers of two MiB, whole MiB and MB, equal parts, and the usual roundings of a
/// ten-thousandth of the file; of those, the ones that give N parts. threads, io, progress: as in `hash_file`.
///
/// Returns a list of PartPlan, the tools' own plans first; usually of one, or empty: other bytes, uneven parts, or an ETag
/// that is no MD5 (SSE-KMS, SSE-C). `plan.presets` tells which tools cut so.
///
/// Raises ValueError for what has not the form of an ETag made of MD5s, and as `hash_file` for the file.
///
/// >>> import pathlib, tempfile, partsum
/// >>> path = pathlib.Path(tempfile.mkdtemp()) / "file"
/// >>> _ = path.write_bytes(bytes(20 * 2**20))
/// >>> etag = partsum.hash_file(path, "MD5", part_size="8MiB").etag
/// >>> [plan] = partsum.solve_etag(path, etag)
/// >>> plan, plan.presets[:2]
/// (PartPlan(20971520 bytes, 3 parts of 8388608), ('boto3', 'awscli'))
#[pyfunction]
#[pyo3(
    signature = (path, etag, *, candidates=Arg::OUT, threads=Arg::OUT, io=Arg::OUT, progress=Arg::OUT),
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
    let options = How { threads, io, ..How::default() }.options()?;
    let progress = convert::progress(&progress)?;
    let path = convert::path("path", path)?;
    let candidates = candidates.given().map(|candidates| convert::part_sizes("candidates", candidates)).transpose()?;
    let etag = convert::text("etag", etag)?;
    let plans =
        observed(py, progress, |observer| verify::solve_etag(path, etag, candidates.as_deref(), &options, observer))?;
    Ok(plans.into_iter().map(PyPartPlan).collect())
}
