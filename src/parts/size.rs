//! Sizes in words: `8MiB`, `64 MB`, `5242880`.

use super::presets::Preset;
use crate::error::PartPlanError;

const UNITS: [(&str, u64); 10] = [
    ("", 1),
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
];

/// Reads a size such as `8MiB` or `64 MB` (MiB = 2^20, MB = 10^6; a bare number is bytes).
///
/// # Errors
/// [`PartPlanError`] if it is not a whole number with a unit, or 0, or past 2^63.
pub fn parse_size(text: &str) -> Result<u64, PartPlanError> {
    let unknown = || PartPlanError::UnknownPartSize { text: text.to_owned(), presets: Preset::names() };
    let trimmed = text.trim();
    let digits = trimmed.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = trimmed.split_at(digits);
    let unit = unit.trim_start();
    let (_, scale) = UNITS.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).ok_or_else(unknown)?;
    if number.is_empty() {
        return Err(unknown());
    }
    let impossible = || PartPlanError::ImpossiblePartSize { size: text.to_owned() };
    let bytes = number.parse::<u64>().ok().and_then(|number| number.checked_mul(scale)).ok_or_else(impossible)?;
    if bytes == 0 || bytes > i64::MAX as u64 { Err(impossible()) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::parse_size;

    #[test]
    fn units_are_what_they_say() {
        let cases = [
            ("8MiB", 8 << 20),
            ("64 MB", 64_000_000),
            ("5mib", 5 << 20),
            ("1 GiB", 1 << 30),
            ("100kb", 100_000),
            ("5242880", 5_242_880),
            (" 7 B ", 7),
        ];
        for (text, bytes) in cases {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in ["8XB", "", "MiB", "-1", "0", "0MiB", "1.5MiB", "8 M i B", "99999999999TiB", "8MiB8", "١MiB"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }
}
