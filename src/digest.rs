//! A digest: up to 64 bytes, with the two spellings that S3 uses.

use std::fmt;

use base64ct::{Base64, Encoding};

const MAX_SIZE: usize = 64;

/// The digest of one message, in S3's byte order (big-endian for CRCs and XXH).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest {
    // Bytes past `size` are zero, so that derived equality holds.
    bytes: [u8; MAX_SIZE],
    size: u8,
}

impl Digest {
    /// # Panics
    /// If there are more than 64 bytes.
    pub(crate) fn new(digest: &[u8]) -> Self {
        let mut bytes = [0; MAX_SIZE];
        bytes[..digest.len()].copy_from_slice(digest);
        Self { bytes, size: digest.len() as u8 }
    }

    /// The raw bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.size)]
    }

    /// Lower-case hexadecimal, as in ETags.
    pub fn to_hex(&self) -> String {
        base16ct::lower::encode_string(self.as_bytes())
    }

    /// Base64 with padding, as in S3's checksum headers.
    pub fn to_base64(&self) -> String {
        Base64::encode_string(self.as_bytes())
    }

    /// Reads hexadecimal of any case; `None` if it is not that of `size` bytes.
    pub(crate) fn from_hex(text: &str, size: usize) -> Option<Self> {
        let mut buffer = [0; MAX_SIZE];
        let bytes = base16ct::mixed::decode(text, &mut buffer).ok()?;
        (bytes.len() == size).then(|| Self::new(bytes))
    }

    /// Reads what [`to_base64`](Self::to_base64) writes; `None` if it is not the base64 of `size` bytes.
    pub(crate) fn from_base64(text: &str, size: usize) -> Option<Self> {
        let mut buffer = [0; MAX_SIZE];
        let bytes = Base64::decode(text, &mut buffer).ok()?;
        (bytes.len() == size).then(|| Self::new(bytes))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({})", self.to_hex())
    }
}
