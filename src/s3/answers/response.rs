//! The reader of S3's responses: UploadPart, UploadPartCopy, ListParts, HeadObject, GetObject, GetObjectAttributes,
//! CompleteMultipartUpload, PutObject, CopyObject, and the entries of ListObjectsV2 and of reports in their form.
//!
//! Sources of the rules: answers recorded from Amazon S3 on 2026-02-21; Amazon S3 API Reference, "HeadObject",
//! "GetObjectAttributes", "ListParts", "UploadPartCopy" and "Object" (ETag).

use std::{fmt, str::FromStr};

use super::etag::ETag;
use crate::{
    algorithm::{Algorithm, ChecksumType},
    error::Error,
    limits::{MAX_OBJECT_SIZE, MAX_PART_SIZE},
};

/// The value of a member; one that is null or an empty text is absent.
#[derive(Debug)]
pub enum Member<M> {
    /// A text.
    Text(String),
    /// A number, as text.
    Number(String),
    /// A truth value.
    Flag(bool),
    /// Members of its own.
    Mapping(M),
    /// A list of values that have members.
    List(Vec<M>),
    /// Anything else, with the name of its type.
    Other(String),
}

/// Access to the members of a response or of a part of one. The rules are the reader's.
pub trait Members: Sized {
    /// What goes wrong.
    type Error: From<Error>;

    /// A member, if it is there.
    fn member(&self, name: &str) -> Result<Option<Member<Self>>, Self::Error>;

    /// The argument that the response was given as.
    fn argument(&self) -> &'static str;

    /// A member has a type that it never has.
    fn wrong_type(&self, problem: String) -> Self::Error;
}

/// Whether an ETag is made of MD5s of the bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Encryption {
    /// Nothing was said; GetObjectAttributes and ListParts never say it.
    #[default]
    Unknown,
    /// Unencrypted or SSE-S3: it is.
    Plain,
    /// It is not, with this kind of encryption; only an object that was encrypted in place keeps one that is.
    NotMd5(String),
}

impl Encryption {
    /// From `ServerSideEncryption` and `SSECustomerAlgorithm`; `headers`: the response is one that would have them.
    ///
    /// Source: Amazon S3 API Reference, "Object" (ETag) and "UpdateObjectEncryption".
    pub fn told(server_side: Option<&str>, customer: Option<&str>, headers: bool) -> Self {
        match (server_side, customer) {
            (_, Some(_)) => Self::NotMd5("SSE-C".to_owned()),
            (Some("AES256"), None) => Self::Plain,
            (Some("aws:kms"), None) => Self::NotMd5("SSE-KMS".to_owned()),
            (Some("aws:kms:dsse"), None) => Self::NotMd5("DSSE-KMS".to_owned()),
            (Some(other), None) => Self::NotMd5(format!("encryption by {other}")),
            (None, None) if headers => Self::Plain,
            (None, None) => Self::Unknown,
        }
    }

    /// Takes in what another response says; of contradicting ones the one that makes no false alarm stays.
    pub(super) fn merge(&mut self, told: &Self) {
        match told {
            Self::Unknown => {}
            Self::Plain if *self != Self::Unknown => {}
            told => *self = told.clone(),
        }
    }
}

/// `ContentRange`: `bytes 0-9/100`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentRange {
    /// Where it begins.
    pub offset: u64,
    /// Its bytes.
    pub size: u64,
    /// Bytes in the object.
    pub total: u64,
}

impl ContentRange {
    /// `None` if it is not of that form.
    pub fn parse(text: &str) -> Option<Self> {
        let (range, total) = text.trim().strip_prefix("bytes")?.trim_start().split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let (first, last, total) = (first.parse::<u64>().ok()?, last.parse::<u64>().ok()?, total.parse().ok()?);
        (first <= last && last < total && total <= MAX_OBJECT_SIZE).then(|| Self {
            offset: first,
            size: last - first + 1,
            total,
        })
    }

    pub(super) const fn is_whole(&self) -> bool {
        self.size == self.total
    }
}

/// What a response says of one part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SaidPart {
    /// `PartNumber`.
    pub number: i64,
    /// `Size`.
    pub size: Option<u64>,
    /// `ETag`; not in GetObjectAttributes.
    pub etag: Option<ETag>,
    /// `Checksum<ALG>`.
    pub checksums: Vec<(Algorithm, String)>,
    /// What is said of its encryption.
    pub encryption: Encryption,
}

/// A page of parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartPage {
    /// ListParts: the parts of an upload, which need not be complete.
    pub upload: bool,
    /// `PartNumberMarker`: the number after which the page begins.
    pub marker: Option<u32>,
    /// `NextPartNumberMarker`: the number after which the next page begins.
    pub next: Option<u32>,
    /// `IsTruncated`: whether there is a next page.
    pub truncated: bool,
    /// `Parts`.
    pub parts: Vec<SaidPart>,
}

/// Which object, version or upload a response is about, as far as it says so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// `Bucket`, `Key`, `VersionId` and `UploadId`.
    pub(super) members: [Option<String>; 4],
}

impl Identity {
    pub(super) const NAMES: [&'static str; 4] = ["Bucket", "Key", "VersionId", "UploadId"];
}

/// One response; members that it does not have are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// `ContentLength`, `ObjectSize` or `Size`.
    pub size: Option<u64>,
    /// `ContentRange`.
    pub range: Option<ContentRange>,
    /// `ETag`.
    pub etag: Option<ETag>,
    /// `Checksum<ALG>`.
    pub checksums: Vec<(Algorithm, String)>,
    /// `ChecksumType`.
    pub checksum_type: Option<ChecksumType>,
    /// It is GetObjectAttributes', where composite checksums have no `-N`.
    pub attributes: bool,
    /// `PartsCount` (only HeadObject and GetObject with a part number have it) or `TotalPartsCount`.
    pub parts_count: Option<u32>,
    /// The number that was asked for; no response has it, a caller may know it.
    pub part_number: Option<u32>,
    /// The HTTP status, where it is known.
    pub http_status: Option<u16>,
    /// What it says of encryption.
    pub encryption: Encryption,
    /// The object is in a directory bucket, whose ETags are no MD5s.
    pub directory_bucket: bool,
    /// The parts it lists.
    pub page: Option<PartPage>,
    /// Which object it is about.
    pub identity: Identity,
}

/// Which bytes of the object a response is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// All.
    Whole,
    /// Those of one part.
    Part,
    /// Some range, which need not be a part.
    Range,
    /// All or a part: only the object's size tells.
    WholeOrPart,
}

impl Response {
    /// Classified by all its members: some stores put PartsCount into every HeadObject, or ignore part numbers.
    pub(super) fn scope(&self) -> Scope {
        let composite = self.checksums.iter().any(|(_, text)| text.contains('-'));
        let full = !self.checksums.is_empty() && self.checksum_type == Some(ChecksumType::FullObject);
        match (self.range, self.parts_count, self.part_number) {
            _ if self.attributes => Scope::Whole,
            (Some(_), Some(_), _) => Scope::Part,
            (Some(range), None, _) if range.is_whole() => Scope::Whole,
            (Some(_), None, Some(_)) => Scope::Part,
            (Some(_), None, None) => Scope::Range,
            (None, Some(1), _) => Scope::Part,
            (None, _, Some(_)) if self.http_status == Some(206) => Scope::Part,
            (None, _, Some(_)) => Scope::WholeOrPart,
            (None, None, None) => Scope::Whole,
            (None, Some(_), None) if self.http_status == Some(206) => Scope::Part,
            (None, Some(_), None) if self.http_status == Some(200) || composite || full => Scope::Whole,
            (None, Some(_), None) => Scope::WholeOrPart,
        }
    }
}

/// What S3 said of the parts of an upload: the responses of UploadPart, UploadPartCopy or ListParts.
#[derive(Clone, Debug, Default)]
pub struct Uploaded {
    /// The upload's algorithm, where a page of ListParts tells it.
    pub algorithm: Option<Algorithm>,
    /// The upload's type, where a page of ListParts tells it.
    pub checksum_type: Option<ChecksumType>,
    /// The parts, in any order.
    pub parts: Vec<SaidPart>,
    /// Whether pages were given, and the last one was not among them.
    truncated: bool,
    ended: bool,
}

impl Uploaded {
    /// Takes in a response to a part, or a page of ListParts. `number`: the part's number, where the caller knows it; else
    /// it is the response's own, or that of the parts in the order they are given.
    pub fn add<M: Members>(&mut self, response: &M, number: Option<i64>) -> Result<(), M::Error> {
        if !is_page(response)? {
            return self.add_part(response, number, &Encryption::Unknown);
        }
        refuse_errors(response)?;
        match flag(response, "IsTruncated")? {
            true => self.truncated = true,
            false => self.ended = true,
        }
        self.algorithm = word(response, "ChecksumAlgorithm")?.or(self.algorithm);
        self.checksum_type = word(response, "ChecksumType")?.or(self.checksum_type);
        let encryption = encryption(response, false)?;
        for part in list(response, "Parts")? {
            self.add_part(&part, None, &encryption)?;
        }
        Ok(())
    }

    fn add_part<M: Members>(&mut self, part: &M, number: Option<i64>, page: &Encryption) -> Result<(), M::Error> {
        refuse_errors(part)?;
        let in_order = self.parts.len() as i64 + 1;
        let mut said = said_part(part, number.or(self::number(part, "PartNumber")?).unwrap_or(in_order))?;
        said.encryption.merge(page);
        self.parts.push(said);
        Ok(())
    }

    /// Whether pages are missing at the end.
    pub(crate) const fn is_truncated(&self) -> bool {
        self.truncated && !self.ended
    }

    /// The algorithm that the upload was created with, as far as the answers tell: the one that the pages name, or the
    /// only one whose checksum all parts have. CRC32 tells nothing there: boto3 adds it to the parts of every upload, also
    /// of one that was created without an algorithm, which S3 completes only without checksums.
    pub fn told_algorithm(&self) -> Option<Algorithm> {
        self.algorithm.or_else(|| {
            let of_all = |algorithm: &Algorithm| {
                self.parts.iter().all(|part| part.checksums.iter().any(|(other, _)| other == algorithm))
            };
            let mut common = Algorithm::ALL.into_iter().filter(of_all);
            let only = common.next().filter(|_| !self.parts.is_empty())?;
            (common.next().is_none() && only != Algorithm::Crc32).then_some(only)
        })
    }
}

const KNOWN: &str = "a response of HeadObject, GetObjectAttributes or ListParts";

/// Members that a response must have one of, to be one of those that we know.
const MEMBERS: [&str; 6] = ["ETag", "ContentLength", "ObjectSize", "Checksum", "ObjectParts", "Parts"];

impl Response {
    /// Reads a response that somebody gives.
    ///
    /// # Errors
    /// For an error that S3 answered, a delete marker, and what is no response that we know.
    pub fn read<M: Members>(response: &M) -> Result<Self, M::Error> {
        let copied = mapping(response, "CopyPartResult")?.or(mapping(response, "CopyObjectResult")?);
        let object = copied.as_ref().unwrap_or(response);
        let mut known = is_listing(object)?;
        for name in MEMBERS.iter().chain(&Algorithm::ALL.map(Algorithm::field)) {
            known |= object.member(name)?.is_some();
        }
        if !known {
            refuse_errors(response)?;
            let problem = format!("none of a response's members is there: pass {KNOWN}");
            return Err(Error::argument(response.argument(), problem).into());
        }
        Self::answer(response)
    }

    /// Reads the answer to a request, which may say nothing.
    ///
    /// # Errors
    /// For an error that S3 answered, and a delete marker.
    pub fn answer<M: Members>(response: &M) -> Result<Self, M::Error> {
        refuse_errors(response)?;
        let copied = mapping(response, "CopyPartResult")?.or(mapping(response, "CopyObjectResult")?);
        let object = copied.as_ref().unwrap_or(response);
        let mut identity = Identity::default();
        for (member, name) in identity.members.iter_mut().zip(Identity::NAMES) {
            *member = text(response, name)?;
        }
        if is_listing(object)? {
            // boto3's list_parts has no members for encryption; who knows it may add them.
            return Ok(Self {
                encryption: encryption(response, false)?,
                page: Some(page(object, true)?),
                identity,
                ..Self::default()
            });
        }
        let metadata = mapping(response, "ResponseMetadata")?;
        let headers = metadata.as_ref().map(|metadata| mapping(metadata, "HTTPHeaders")).transpose()?.flatten();
        let mut range = text(response, "ContentRange")?;
        if let (None, Some(headers)) = (&range, &headers) {
            // Clients before 2025 have no member for it.
            range = text(headers, "content-range")?;
        }
        let (checksum, object_parts) = (mapping(object, "Checksum")?, mapping(object, "ObjectParts")?);
        let mut size = None;
        // `Size`: an entry of list_objects_v2.
        for name in ["ContentLength", "ObjectSize", "Size"] {
            size = size.or(number(object, name)?);
        }
        let values = checksum.as_ref().unwrap_or(object);
        let count: Option<u32> = match &object_parts {
            Some(object_parts) => number(object_parts, "TotalPartsCount")?,
            None => number(object, "PartsCount")?,
        };
        let placed = range.as_deref().map(ContentRange::parse);
        if placed == Some(None) {
            // The length is that of nobody knows which bytes.
            size = None;
        }
        Ok(Self {
            size,
            range: placed.flatten(),
            etag: etag(object, "ETag")?,
            checksums: checksums(values)?,
            checksum_type: word(values, "ChecksumType")?,
            attributes: checksum.is_some() || object_parts.is_some() || object.member("ObjectSize")?.is_some(),
            // Some stores say 0 of objects that were not uploaded in parts.
            parts_count: count.filter(|count| *count > 0),
            part_number: number(object, "PartNumber")?,
            http_status: http_status(response)?,
            encryption: encryption(response, object.member("ContentLength")?.is_some())?,
            directory_bucket: is_in_directory_bucket(object)?,
            page: object_parts.map(|parts| page(&parts, false)).transpose()?,
            identity,
        })
    }
}

/// Whether it is ListParts' response; the one of an upload without parts has no Parts.
fn is_listing<M: Members>(response: &M) -> Result<bool, M::Error> {
    Ok(response.member("Parts")?.is_some()
        || (response.member("IsTruncated")?.is_some() && response.member("UploadId")?.is_some()))
}

fn is_page<M: Members>(response: &M) -> Result<bool, M::Error> {
    Ok(response.member("Parts")?.is_some() || response.member("IsTruncated")?.is_some())
}

/// An answer that says that there is no such object, or nothing new of it, proves nothing.
fn refuse_errors<M: Members>(response: &M) -> Result<(), M::Error> {
    let refused = |problem: String| Err(Error::argument(response.argument(), problem).into());
    if let Some(error) = mapping(response, "Error")? {
        let code = text(&error, "Code")?.unwrap_or_default();
        return refused(format!("the response is an error ({code}): pass {KNOWN}"));
    }
    if flag(response, "DeleteMarker")? {
        return refused("the response is of a delete marker: there is no object under that version".to_owned());
    }
    match http_status(response)? {
        Some(status) if !(200..300).contains(&status) => {
            refused(format!("the response has the HTTP status {status} and says nothing of the object"))
        }
        _ => Ok(()),
    }
}

fn http_status<M: Members>(response: &M) -> Result<Option<u16>, M::Error> {
    match mapping(response, "ResponseMetadata")? {
        Some(metadata) => number(&metadata, "HTTPStatusCode"),
        None => number(response, "HTTPStatusCode"),
    }
}

fn page<M: Members>(listed: &M, upload: bool) -> Result<PartPage, M::Error> {
    let mut parts = Vec::new();
    for part in list(listed, "Parts")? {
        let number = number(&part, "PartNumber")?
            .ok_or_else(|| Error::argument(listed.argument(), "a part of the response has no PartNumber"))?;
        parts.push(said_part(&part, number)?);
    }
    let truncated = flag(listed, "IsTruncated")?;
    let (marker, next) = (number(listed, "PartNumberMarker")?, number(listed, "NextPartNumberMarker")?);
    Ok(PartPage { upload, marker, next, truncated, parts })
}

fn said_part<M: Members>(part: &M, number: i64) -> Result<SaidPart, M::Error> {
    let copied = mapping(part, "CopyPartResult")?;
    let values = copied.as_ref().unwrap_or(part);
    Ok(SaidPart {
        number,
        // What is past S3's limits is no size: sums of these do not overflow.
        size: self::number(values, "Size")?.filter(|size| *size <= MAX_PART_SIZE),
        etag: etag(values, "ETag")?,
        checksums: checksums(values)?,
        encryption: encryption(part, false)?,
    })
}

fn encryption<M: Members>(response: &M, headers: bool) -> Result<Encryption, M::Error> {
    let (server_side, customer) = (text(response, "ServerSideEncryption")?, text(response, "SSECustomerAlgorithm")?);
    Ok(Encryption::told(server_side.as_deref(), customer.as_deref(), headers))
}

/// An ETag, which is `ETag` everywhere but in completion reports.
pub(super) fn etag<M: Members>(response: &M, name: &str) -> Result<Option<ETag>, M::Error> {
    Ok(text(response, name)?.map(ETag::from).filter(|etag| !etag.is_empty()))
}

pub(super) fn is_in_directory_bucket<M: Members>(object: &M) -> Result<bool, M::Error> {
    Ok(text(object, "StorageClass")?.is_some_and(|class| class == "EXPRESS_ONEZONE"))
}

fn checksums<M: Members>(response: &M) -> Result<Vec<(Algorithm, String)>, M::Error> {
    let mut found = Vec::new();
    for algorithm in Algorithm::ALL {
        if let Some(value) = text(response, algorithm.field())? {
            found.push((algorithm, value.trim().to_owned()));
        }
    }
    Ok(found)
}

pub(super) fn text<M: Members>(response: &M, name: &str) -> Result<Option<String>, M::Error> {
    match response.member(name)? {
        None => Ok(None),
        Some(Member::Text(text)) => Ok(Some(text)),
        Some(other) => Err(wrong(response, name, "a text", &other)),
    }
}

/// A count or a size; JSON may have it as text.
pub(super) fn number<M: Members, T: FromStr>(response: &M, name: &str) -> Result<Option<T>, M::Error> {
    match response.member(name)? {
        None => Ok(None),
        Some(Member::Text(text) | Member::Number(text)) => match text.trim().parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => {
                let problem = format!("{name} is {text:?}, not a number that S3 may answer");
                Err(Error::argument(response.argument(), problem).into())
            }
        },
        Some(other) => Err(wrong(response, name, "a number", &other)),
    }
}

fn flag<M: Members>(response: &M, name: &str) -> Result<bool, M::Error> {
    match response.member(name)? {
        None => Ok(false),
        Some(Member::Flag(flag)) => Ok(flag),
        Some(Member::Text(text)) => Ok(text.trim().eq_ignore_ascii_case("true")),
        Some(other) => Err(wrong(response, name, "true or false", &other)),
    }
}

/// A word of S3's vocabulary.
fn word<M: Members, T: FromStr<Err: Into<Error>>>(response: &M, name: &str) -> Result<Option<T>, M::Error> {
    let Some(text) = text(response, name)? else { return Ok(None) };
    text.parse().map(Some).map_err(|error: T::Err| {
        let problem = format!("{name} is {:?}: {}", text, error.into().problem());
        Error::argument(response.argument(), problem).into()
    })
}

fn mapping<M: Members>(response: &M, name: &str) -> Result<Option<M>, M::Error> {
    match response.member(name)? {
        None => Ok(None),
        Some(Member::Mapping(mapping)) => Ok(Some(mapping)),
        Some(other) => Err(wrong(response, name, "a mapping", &other)),
    }
}

fn list<M: Members>(response: &M, name: &str) -> Result<Vec<M>, M::Error> {
    match response.member(name)? {
        None => Ok(Vec::new()),
        Some(Member::List(list)) => Ok(list),
        Some(other) => Err(wrong(response, name, "a list of mappings", &other)),
    }
}

fn wrong<M: Members>(response: &M, name: &str, expected: &str, member: &Member<M>) -> M::Error {
    let kind: &dyn fmt::Display = match member {
        Member::Text(_) => &"a text",
        Member::Number(_) => &"a number",
        Member::Flag(_) => &"true or false",
        Member::Mapping(_) => &"a mapping",
        Member::List(_) => &"a list",
        Member::Other(kind) => kind,
    };
    response.wrong_type(format!("{name} must be {expected}, not {kind}"))
}
