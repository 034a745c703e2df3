//! Part plans: how an object of some size is cut into the parts of a multipart upload, or sent by one PutObject.

pub(crate) mod guesses;
mod presets;
mod size;

use std::{fmt, str::FromStr, sync::Arc};

pub use presets::Preset;
pub use size::parse_size;

use crate::{
    error::{PartPlanError, Result},
    limits::{MAX_OBJECT_SIZE, MAX_PART_SIZE, MAX_PARTS, MIN_PART_SIZE},
};

/// What a caller says about part sizes. With an object's size it makes a [`PartPlan`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartSize {
    /// One PutObject, no parts.
    Whole,
    /// Parts of this many bytes, the last one shorter: always a multipart upload, even of one part.
    Bytes(u64),
    /// As a tool plans.
    Preset(&'static Preset),
    /// These parts.
    Sizes(Vec<u64>),
    /// A plan made before.
    Plan(PartPlan),
}

impl Default for PartSize {
    /// As boto3 plans.
    fn default() -> Self {
        Self::Preset(Preset::BOTO3)
    }
}

impl FromStr for PartSize {
    type Err = PartPlanError;

    /// A preset's name, or a size such as `8MiB`.
    fn from_str(text: &str) -> Result<Self, PartPlanError> {
        match Preset::named(text) {
            Some(preset) => Ok(Self::Preset(preset)),
            None => parse_size(text).map(Self::Bytes),
        }
    }
}

/// Whether parts below 5 MiB pass: Amazon S3 refuses them, some S3-compatible stores do not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SmallParts {
    /// As Amazon S3.
    #[default]
    Refuse,
    /// For S3-compatible stores and tests.
    Allow,
}

/// One part of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Part {
    /// 1 to 10,000.
    pub number: u32,
    /// Where it begins in the object, in bytes.
    pub offset: u64,
    /// Its bytes.
    pub size: u64,
}

impl Part {
    /// The byte range that it holds, for messages; both ends are included.
    pub(crate) fn bytes_in_words(&self) -> String {
        match self.size {
            0 => "empty".to_owned(),
            size => format!("bytes {}-{}", self.offset, self.offset + size - 1),
        }
    }
}

/// How an object is cut. The parts are in order and cover the object; there is at least one.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PartPlan {
    size: u64,
    boundaries: Boundaries,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Boundaries {
    /// One PutObject.
    None,
    /// Every part except the last has this many bytes: at most the size of the object, at least 1.
    Every(u64),
    /// Where each part ends, for plans with parts of different sizes.
    At(Arc<[u64]>),
}

impl PartPlan {
    /// Plans an object of `size` bytes. Only plans that S3 accepts can be made.
    ///
    /// # Errors
    /// [`PartPlanError`] names the part and the limit.
    pub fn new(size: u64, part_size: &PartSize, small: SmallParts) -> Result<Self, PartPlanError> {
        let plan = match part_size {
            PartSize::Whole => Self { size, boundaries: Boundaries::None },
            PartSize::Bytes(bytes) => Self::every(size, *bytes)?,
            PartSize::Preset(preset) => match preset.part_size(size) {
                Some(bytes) => Self::every(size, bytes)?,
                None => Self { size, boundaries: Boundaries::None },
            },
            PartSize::Sizes(sizes) => Self::explicit(size, sizes)?,
            PartSize::Plan(plan) => {
                return match plan.size == size {
                    true => Ok(plan.clone()),
                    false => Err(PartPlanError::WrongTotal { sum: plan.size.into(), size }),
                };
            }
        };
        plan.within_limits(small)?;
        Ok(plan)
    }

    fn every(size: u64, part_size: u64) -> Result<Self, PartPlanError> {
        match part_size {
            0 => Err(PartPlanError::ImpossiblePartSize { size: "0".to_owned() }),
            _ => Ok(Self { size, boundaries: Boundaries::Every(part_size.min(size).max(1)) }),
        }
    }

    fn explicit(size: u64, sizes: &[u64]) -> Result<Self, PartPlanError> {
        let (first, last) = match sizes {
            [] => return Err(PartPlanError::NoParts),
            [first, .., last] => (*first, *last),
            [only] => (*only, *only),
        };
        let sum: u128 = sizes.iter().map(|size| u128::from(*size)).sum();
        if sum != u128::from(size) {
            return Err(PartPlanError::WrongTotal { sum, size });
        }
        // Plans with the same parts compare equal, however they were given.
        let even = sizes[..sizes.len() - 1].iter().all(|size| *size == first) && last <= first;
        if even && (sizes.len() == 1 || last > 0) {
            return Self::every(size, first.max(1));
        }
        let mut end = 0;
        let ends = sizes.iter().map(|size| {
            end += size;
            end
        });
        Ok(Self { size, boundaries: Boundaries::At(ends.collect()) })
    }

    fn within_limits(&self, small: SmallParts) -> Result<(), PartPlanError> {
        if self.size > MAX_OBJECT_SIZE {
            return Err(PartPlanError::ObjectTooLarge { size: self.size.into() });
        }
        if !self.multipart() {
            return match self.size > MAX_PART_SIZE {
                true => Err(PartPlanError::PutObjectTooLarge { size: self.size }),
                false => Ok(()),
            };
        }
        let parts = self.count();
        if parts > MAX_PARTS {
            return Err(PartPlanError::TooManyParts { parts, minimum: self.size.div_ceil(MAX_PARTS) });
        }
        for part in self.iter() {
            let (number, size) = (u64::from(part.number), part.size);
            if size > MAX_PART_SIZE {
                return Err(PartPlanError::PartTooLarge { number, size });
            }
            if number < parts && size == 0 {
                return Err(PartPlanError::EmptyPart { number });
            }
            if number < parts && size < MIN_PART_SIZE && small == SmallParts::Refuse {
                return Err(PartPlanError::PartTooSmall { number, size });
            }
        }
        Ok(())
    }

    /// Bytes in the object.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// `false` for one PutObject.
    pub const fn multipart(&self) -> bool {
        !matches!(self.boundaries, Boundaries::None)
    }

    /// Parts; 1 for a PutObject.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.count() as usize
    }

    fn count(&self) -> u64 {
        match &self.boundaries {
            Boundaries::None => 1,
            Boundaries::Every(part_size) => self.size.div_ceil(*part_size).max(1),
            Boundaries::At(ends) => ends.len() as u64,
        }
    }

    /// The part at an index from 0.
    ///
    /// # Panics
    /// If there are not so many parts.
    pub fn part(&self, index: usize) -> Part {
        assert!(index < self.len(), "part index {index} of {}", self.len());
        let (offset, end) = match &self.boundaries {
            Boundaries::None => (0, self.size),
            Boundaries::Every(part_size) => {
                let offset = index as u64 * part_size;
                (offset, self.size.min(offset + part_size))
            }
            Boundaries::At(ends) => (if index == 0 { 0 } else { ends[index - 1] }, ends[index]),
        };
        Part { number: index as u32 + 1, offset, size: end - offset }
    }

    /// The index of the first part that begins at an offset.
    pub(crate) fn index_at(&self, offset: u64) -> Option<usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.part(middle).offset < offset { low = middle + 1 } else { high = middle }
        }
        (low < self.len() && self.part(low).offset == offset).then_some(low)
    }

    /// The part with a number from 1.
    ///
    /// # Errors
    /// [`PartPlanError::NotMultipart`] for a PutObject, [`PartPlanError::NoSuchPart`] outside the plan.
    pub fn numbered(&self, number: i64) -> Result<Part, PartPlanError> {
        self.require_multipart("upload_part")?;
        match usize::try_from(number) {
            Ok(number) if (1..=self.len()).contains(&number) => Ok(self.part(number - 1)),
            _ => Err(PartPlanError::NoSuchPart { number, parts: self.len() as u32 }),
        }
    }

    pub(crate) fn require_multipart(&self, purpose: &'static str) -> Result<(), PartPlanError> {
        match self.multipart() {
            true => Ok(()),
            false => Err(PartPlanError::NotMultipart { size: self.size, purpose }),
        }
    }

    /// The names of the [`Preset`]s that cut an object of this size in this way.
    pub fn presets(&self) -> impl Iterator<Item = &'static str> + '_ {
        let same = |preset: &&'static Preset| {
            Self::new(self.size, &PartSize::Preset(preset), SmallParts::Allow).is_ok_and(|plan| plan == *self)
        };
        Preset::ALL.iter().filter(same).map(|preset| preset.name)
    }

    /// All parts, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Part> + '_ {
        // A plan within the limits has fewer parts than a `u32` counts.
        (0..u32::try_from(self.count()).unwrap_or(u32::MAX)).map(|index| self.part(index as usize))
    }
}

/// Part sizes that are shown of a plan with different ones.
const MAX_SHOWN: usize = 4;

impl fmt::Debug for PartPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.boundaries {
            Boundaries::None => write!(f, "PartPlan({} bytes, one PutObject)", self.size),
            Boundaries::Every(part_size) if self.len() > 1 => {
                write!(f, "PartPlan({} bytes, {} parts of {part_size})", self.size, self.len())
            }
            Boundaries::Every(_) => write!(f, "PartPlan({} bytes, 1 part)", self.size),
            Boundaries::At(ends) => {
                let sizes: Vec<_> = self.iter().take(MAX_SHOWN).map(|part| part.size.to_string()).collect();
                let more = if ends.len() > MAX_SHOWN { ", ..." } else { "" };
                write!(f, "PartPlan({} bytes, {} parts of {}{more})", self.size, ends.len(), sizes.join(", "))
            }
        }
    }
}

/// Plans the parts of an object of `size` bytes.
///
/// # Errors
/// [`Error::PartPlan`](crate::Error::PartPlan) where S3 would refuse the plan.
///
/// ```
/// use partsum::{PartSize, plan_parts};
///
/// let plan = plan_parts(20 << 20, &"8MiB".parse()?)?;
/// assert_eq!(plan.iter().map(|part| part.size).collect::<Vec<_>>(), [8 << 20, 8 << 20, 4 << 20]);
/// assert!(!plan_parts(5, &PartSize::default())?.multipart());
/// # Ok::<(), partsum::Error>(())
/// ```
pub fn plan_parts(size: u64, part_size: &PartSize) -> Result<PartPlan> {
    Ok(PartPlan::new(size, part_size, SmallParts::Refuse)?)
}
