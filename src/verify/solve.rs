//! How an object was cut, told from its ETag: every plausible way is tried.

use std::{ops::ControlFlow, path::Path};

use super::{
    answers::{bare_etag, parse_etag},
    file_size, hash_sized,
};
use crate::{
    algorithm::Algorithm,
    error::{Error, Result},
    hash::Options,
    limits::{MAX_PART_SIZE, MAX_PARTS, MIN_PART_SIZE},
    parts::{PartPlan, PartSize, Preset, SmallParts},
    schedule::Observer,
};

const MIB: u64 = 1 << 20;
const MB: u64 = 1_000_000;

/// Multiples of a unit that are tried at most in each series; finer ones are left out first.
const MULTIPLES: u64 = 32;

/// The part plans under which a file has this ETag, all tried in one read; the PutObject for an ETag without `-N`.
///
/// Without `candidates` those are: what the tools in [`Preset::ALL`] do, and if it is none of these, in a second read,
/// powers of two MiB, whole MiB and MB, equal parts, and the usual roundings of a ten-thousandth of the file.
///
/// # Errors
/// As [`hash_plans`](crate::hash_plans); [`Error::InvalidArgument`] for what is no MD5 ETag.
pub fn solve_etag(
    path: impl AsRef<Path>,
    etag: &str,
    candidates: Option<&[PartSize]>,
    options: &Options,
    observer: &mut dyn Observer,
) -> Result<Vec<PartPlan>> {
    let bare = bare_etag(etag);
    let Some((_, parts)) = parse_etag(&bare) else {
        let problem = format!("{etag:?} is not made of MD5s: those are 32 hexadecimal digits, then -N if in parts");
        return Err(Error::argument("etag", problem));
    };
    let path = path.as_ref();
    let size = file_size(path, options.io)?;
    let planned = |part_size: &PartSize| PartPlan::new(size, part_size, SmallParts::Allow).ok();
    let mut plans: Vec<PartPlan> = match (candidates, parts) {
        (Some(candidates), _) => candidates.iter().filter_map(planned).collect(),
        (None, Some(parts)) => plausible(size, parts),
        (None, None) => planned(&PartSize::Whole).into_iter().collect(),
    };
    plans.retain(|plan| match parts {
        Some(parts) => plan.multipart() && plan.len() == parts as usize,
        None => !plan.multipart(),
    });
    distinct(&mut plans);
    let (first, second): (Vec<_>, _) = match candidates {
        Some(_) => (plans, Vec::new()),
        None => plans.into_iter().partition(|plan| plan.presets().next().is_some()),
    };
    let mut progress =
        Share { observer, size, plans: (first.len() + second.len()) as u64, tried: 0, bytes: 0, told: 0 };
    for plans in [first, second].into_iter().filter(|plans| !plans.is_empty()) {
        let tried: Vec<_> = plans.iter().cloned().map(PartSize::Plan).collect();
        progress.tried = plans.len() as u64;
        let sums = hash_sized(path, size, &tried, &[Algorithm::Md5], options, &mut progress)?;
        let mut found = Vec::new();
        for (plan, sums) in plans.into_iter().zip(sums) {
            if sums.etag()? == bare {
                found.push(plan);
            }
        }
        if !found.is_empty() {
            // The rest need not be tried: two plans with one ETag would be two messages with one MD5.
            progress.rest()?;
            return Ok(found);
        }
    }
    Ok(Vec::new())
}

/// Progress over a file that may be read twice: its bytes are told once, a read counts by the plans it tries.
struct Share<'a> {
    observer: &'a mut dyn Observer,
    size: u64,
    plans: u64,
    /// Plans of this read.
    tried: u64,
    /// Bytes read, times plans tried.
    bytes: u128,
    told: u64,
}

impl Share<'_> {
    fn rest(&mut self) -> Result<()> {
        match self.observer.progress(self.size - self.told) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::Interrupted),
        }
    }
}

impl Observer for Share<'_> {
    fn progress(&mut self, bytes: u64) -> ControlFlow<()> {
        self.bytes += u128::from(bytes) * u128::from(self.tried);
        let done = (self.bytes / u128::from(self.plans)) as u64;
        let more = done - self.told;
        self.told = done;
        self.observer.progress(more)
    }
}

/// The ways in which somebody may have cut `size` bytes into so many parts, the tools' own first.
pub(super) fn plausible(size: u64, parts: u32) -> Vec<PartPlan> {
    let count = u64::from(parts);
    if count == 0 || count > MAX_PARTS {
        return Vec::new();
    }
    let mut part_sizes = Vec::new();
    // Equal parts: `ceil(size / part) = count`.
    let low = size.div_ceil(count).max(1);
    let high = match count {
        1 => MAX_PART_SIZE,
        _ => size.div_ceil(count - 1).saturating_sub(1).min(MAX_PART_SIZE),
    };
    if count == 1 {
        part_sizes.push(low);
    } else {
        for preset in Preset::ALL {
            part_sizes.extend(preset.part_size(size));
            // The thresholds are settings too.
            part_sizes.push(preset.part_size);
        }
        // The smallest that S3 takes, and by those who stay clear of the limit.
        part_sizes.extend([MIN_PART_SIZE, MIN_PART_SIZE + 1]);
        part_sizes.extend((0..13).map(|power| MIB << power));
        let least = size.div_ceil(MAX_PARTS);
        part_sizes.extend([least, size / MAX_PARTS + 1, least.next_multiple_of(MIB), low]);
        for unit in [MIB, MB] {
            part_sizes.extend(multiples(low, high, unit));
        }
    }
    let planned = |part_size: PartSize| PartPlan::new(size, &part_size, SmallParts::Allow).ok();
    let even = part_sizes.into_iter().filter(|bytes| (low..=high).contains(bytes)).map(PartSize::Bytes);
    let mut plans: Vec<_> = even.filter_map(planned).filter(|plan| plan.len() == parts as usize).collect();
    // Writers that do not know they are at the end complete with an empty part.
    if count > 1 && size > 0 && size.is_multiple_of(count - 1) {
        let full = size / (count - 1);
        if full.is_multiple_of(MIB) || full.is_multiple_of(MB) {
            let mut sizes = vec![full; parts as usize - 1];
            sizes.push(0);
            plans.extend(planned(PartSize::Sizes(sizes)));
        }
    }
    distinct(&mut plans);
    plans
}

/// What the tools make of `size` bytes, where that is parts.
pub(super) fn of_tools(size: u64) -> Vec<PartPlan> {
    let planned = |preset: &'static Preset| PartPlan::new(size, &PartSize::Preset(preset), SmallParts::Allow).ok();
    let mut plans: Vec<_> = Preset::ALL.iter().filter_map(planned).filter(PartPlan::multipart).collect();
    distinct(&mut plans);
    plans
}

/// Multiples of a unit between two bounds: all, or else the round ones, both in the binary and in the decimal sense.
fn multiples(low: u64, high: u64, unit: u64) -> Vec<u64> {
    let within = |step: u64| low.div_ceil(step)..high / step + 1;
    let binary = (0..).map(|power| unit << power);
    let decimal = (0..).flat_map(|power| [1, 5].map(|lead| lead * unit * 10u64.pow(power)));
    let mut found = Vec::new();
    for step in [first_sparse(binary, within), first_sparse(decimal, within)] {
        found.extend(within(step).map(|factor| factor * step));
    }
    found
}

fn first_sparse(mut steps: impl Iterator<Item = u64>, within: impl Fn(u64) -> std::ops::Range<u64>) -> u64 {
    let sparse = |step: &u64| {
        let range = within(*step);
        range.end.saturating_sub(range.start) <= MULTIPLES
    };
    steps.find(sparse).unwrap_or(MAX_PART_SIZE)
}

fn distinct(plans: &mut Vec<PartPlan>) {
    let mut seen = std::collections::HashSet::new();
    plans.retain(|plan| seen.insert(plan.clone()));
}
