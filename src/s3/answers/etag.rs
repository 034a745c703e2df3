//! The one rule for ETags.

use std::fmt;

use crate::{algorithm::Algorithm, digest::Digest, limits::MAX_PARTS};

/// An ETag as S3 or an HTTP header shows it.
///
/// Quotes, `W/`, blanks around it and the case of letters do not count in comparisons. What was shown is kept, for
/// messages and for requests that repeat it.
///
/// ```
/// use partsum::s3::ETag;
///
/// assert_eq!(ETag::from("W/\"D41D8CD98F00B204E9800998ECF8427E\""), ETag::from(" d41d8cd98f00b204e9800998ecf8427e"));
/// ```
#[derive(Clone, Debug)]
pub struct ETag {
    shown: String,
    /// The bytes of `shown` without blanks, `W/` and quotes.
    bare: (usize, usize),
}

impl ETag {
    /// As it was shown, without the blanks around it.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Without quotes and `W/`, in the case it was shown in.
    pub fn bare(&self) -> &str {
        &self.shown[self.bare.0..self.bare.1]
    }

    /// The MD5 and the number of parts (`None` without `-N`), if the ETag has the form of one made of MD5s.
    pub fn md5(&self) -> Option<(Digest, Option<u32>)> {
        let (hex, parts) = match self.bare().split_once('-') {
            Some((hex, _)) => (hex, Some(u32::try_from(self.parts().filter(|parts| *parts <= MAX_PARTS)?).ok()?)),
            None => (self.bare(), None),
        };
        Some((Digest::from_hex(hex, Algorithm::Md5.digest_size())?, parts))
    }

    /// N of an ETag that ends in `-N`, even if no object has so many parts.
    pub fn parts(&self) -> Option<u64> {
        let (hex, parts) = self.bare().split_once('-')?;
        Digest::from_hex(hex, Algorithm::Md5.digest_size())?;
        let digits = !parts.is_empty() && parts.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| parts.parse().unwrap_or(u64::MAX)).filter(|parts| *parts > 0)
    }

    /// Whether nothing is left without quotes and `W/`.
    pub fn is_empty(&self) -> bool {
        self.bare().is_empty()
    }
}

impl From<&str> for ETag {
    fn from(text: &str) -> Self {
        let shown = text.trim();
        let strong = shown.strip_prefix("W/").or(shown.strip_prefix("w/")).unwrap_or(shown);
        let around = |c: char| c == '"' || c.is_whitespace();
        let start = shown.len() - strong.trim_start_matches(around).len();
        let end = shown.trim_end_matches(around).len().max(start);
        Self { shown: shown.to_owned(), bare: (start, end) }
    }
}

impl From<String> for ETag {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl PartialEq for ETag {
    fn eq(&self, other: &Self) -> bool {
        self.bare().eq_ignore_ascii_case(other.bare())
    }
}

impl Eq for ETag {}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.bare())
    }
}
