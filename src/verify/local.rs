//! What is there to compare: digests of any range that the computed ones tell, and what to compute of a file.

use crate::{
    algorithm::{Algorithm, ChecksumType},
    digest::Digest,
    kernels::Combiner,
    limits::MAX_PART_SIZE,
    parts::{PartPlan, PartSize, Preset, SmallParts},
    s3::{Answers, ETag, Layout, ObjectChecksums, PlacedPart, digest_of_digests},
};

/// The MD5 of so many bytes is computed as one message beside a faster checksum; of more, only on request.
pub(super) const CHEAP_MESSAGE: u64 = 64 << 20;
/// Plans that are tried for the ETag alone, beside a checksum that needs no plan.
const CHEAP_PLANS: usize = 2;

/// What was computed here.
pub(super) struct Local<'a> {
    pub(super) size: u64,
    pub(super) sums: &'a [ObjectChecksums],
}

impl Local<'_> {
    /// The digest of a range: of a part that is just that, or combined from parts that make it up.
    pub(super) fn digest(&self, algorithm: Algorithm, offset: u64, size: u64) -> Option<Digest> {
        self.sums.iter().find_map(|sums| {
            let (plan, digests) = (sums.plan(), sums.computed(algorithm)?);
            let mut index = plan.index_at(offset)?;
            if plan.part(index).size == size {
                return Some(digests[index]);
            }
            let mut combiner = Combiner::new(algorithm)?;
            let mut end = offset;
            while end < offset + size {
                let part = (index < plan.len()).then(|| plan.part(index))?;
                combiner.append(&digests[index], part.size);
                end += part.size;
                index += 1;
            }
            (end == offset + size).then(|| combiner.digest())
        })
    }

    pub(super) fn computed(&self, algorithm: Algorithm) -> bool {
        self.sums.iter().any(|sums| sums.computed(algorithm).is_some())
    }

    pub(super) fn of_parts(&self, algorithm: Algorithm, plan: &PartPlan) -> Option<Digest> {
        let digests: Option<Vec<_>> = plan.iter().map(|part| self.digest(algorithm, part.offset, part.size)).collect();
        Some(digest_of_digests(algorithm, &digests?))
    }
}

/// What to hash of a file.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) plans: Vec<PartSize>,
    /// None: there is nothing to hash.
    pub(super) algorithms: Vec<Algorithm>,
}

impl Wanted {
    fn algorithm(&mut self, algorithm: Algorithm) {
        if !self.algorithms.contains(&algorithm) {
            self.algorithms.push(algorithm);
        }
    }

    fn plan(&mut self, plan: PartSize) {
        if !self.plans.contains(&plan) {
            self.plans.push(plan);
        }
    }

    fn layout(&mut self, layout: &Layout) {
        match layout {
            Layout::Exact(plan) => self.plan(PartSize::Plan(plan.clone())),
            Layout::Guess(plans) => plans.iter().for_each(|plan| self.plan(PartSize::Plan(plan.clone()))),
            Layout::Unfinished => {}
        }
    }

    /// What the object's ETag can be compared with, where that is cheap beside the rest or asked for.
    fn etag(&mut self, answers: &Answers, layout: &Layout, size: u64, thorough: bool) {
        let Some((_, parts)) = answers.etag.as_ref().and_then(ETag::md5) else { return };
        let alone = self.algorithms.is_empty();
        let distrusted = answers.distrust_of_etag().is_some();
        if answers.has_odd_etags(parts.is_some()) || (distrusted && !alone) {
            return;
        }
        match layout {
            _ if parts.is_none() => {
                // One message of MD5, beside a checksum that may be much faster.
                if size <= MAX_PART_SIZE && (alone || thorough || size <= CHEAP_MESSAGE) {
                    self.algorithm(Algorithm::Md5);
                    self.plan(PartSize::Whole);
                }
            }
            Layout::Guess(plans) if !self.plans.iter().any(|plan| is_one_of(plan, plans)) && !thorough => {
                let known = plans.iter().filter(|plan| plan.presets().next().is_some());
                let cheap: Vec<_> = match (alone, distrusted) {
                    (true, false) => plans.iter().collect(),
                    (true, true) => known.collect(),
                    (false, _) => known.take(CHEAP_PLANS).collect(),
                };
                if !cheap.is_empty() {
                    self.algorithm(Algorithm::Md5);
                    cheap.into_iter().for_each(|plan| self.plan(PartSize::Plan(plan.clone())));
                }
            }
            layout => {
                self.algorithm(Algorithm::Md5);
                self.layout(layout);
            }
        }
    }
}

fn is_one_of(part_size: &PartSize, plans: &[PartPlan]) -> bool {
    matches!(part_size, PartSize::Plan(plan) if plans.contains(plan))
}

/// What of a file of `size` bytes the answers can be compared with.
pub(super) fn wanted(answers: &Answers, size: u64, thorough: bool) -> Wanted {
    let mut wanted = Wanted::default();
    if answers.contradiction().is_some() || answers.object_size().is_some_and(|theirs| theirs != size) {
        return wanted;
    }
    let layout = answers.layout(size);
    let parts: Vec<_> =
        answers.placed_parts(&layout).into_iter().filter(|part| part.offset + part.size <= size).collect();
    let mut any_plan = false;
    for value in &answers.values {
        wanted.algorithm(value.algorithm);
        any_plan |= value.algorithm.is_crc() && value.checksum_type != Some(ChecksumType::Composite);
        match value.checksum_type {
            Some(ChecksumType::FullObject) if value.algorithm.is_crc() => {}
            Some(ChecksumType::FullObject) => wanted.plan(PartSize::Whole),
            Some(ChecksumType::Composite) | None => wanted.layout(&layout),
        }
    }
    for part in &parts {
        part.checksums.iter().for_each(|(algorithm, _)| wanted.algorithm(*algorithm));
        if part.etag.is_some() && !answers.has_odd_etags(false) {
            wanted.algorithm(Algorithm::Md5);
        }
    }
    if parts.iter().any(|part| !part.checksums.is_empty() || part.etag.is_some()) {
        match &layout {
            Layout::Exact(_) => wanted.layout(&layout),
            _ => wanted.plan(PartSize::Sizes(around(&parts, size))),
        }
    }
    wanted.etag(answers, &layout, size, thorough);
    if wanted.plans.is_empty() {
        match PartPlan::new(size, &PartSize::Preset(Preset::BOTO3), SmallParts::Allow) {
            Ok(plan) if any_plan => wanted.plan(PartSize::Plan(plan)),
            // There is no plan to try.
            _ => wanted.algorithms.clear(),
        }
    }
    wanted
}

/// Parts that have these parts among them.
fn around(parts: &[PlacedPart], size: u64) -> Vec<u64> {
    let mut bounds: Vec<_> = parts.iter().flat_map(|part| [part.offset, part.offset + part.size]).collect();
    bounds.extend([0, size]);
    bounds.sort_unstable();
    bounds.dedup();
    match bounds.len() {
        1 => vec![0],
        _ => bounds.windows(2).map(|pair| pair[1] - pair[0]).collect(),
    }
}
