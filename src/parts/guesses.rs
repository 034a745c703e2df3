//! Part plans that somebody may have used: what is tried where S3 tells no part sizes.

use std::collections::HashSet;

use super::{PartPlan, PartSize, Preset, SmallParts};
use crate::limits::{MAX_PART_SIZE, MAX_PARTS, MIN_PART_SIZE};

const MIB: u64 = 1 << 20;
const MB: u64 = 1_000_000;

/// Multiples of a unit that are tried at most in each series; finer ones are left out first.
const MULTIPLES: u64 = 32;

/// Plans of `parts` parts for an object of `size` bytes, those of known tools first.
pub(crate) fn plausible(size: u64, parts: u32) -> Vec<PartPlan> {
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

/// The multipart plans that known tools use for an object of `size` bytes.
pub(crate) fn of_tools(size: u64) -> Vec<PartPlan> {
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

/// Removes repeated plans; the first of each stays in its place.
pub(crate) fn distinct(plans: &mut Vec<PartPlan>) {
    let mut seen = HashSet::new();
    plans.retain(|plan| seen.insert(plan.clone()));
}
