//! What is there to compare: digests of any range that the computed ones tell, and what to compute of a file.

use super::answers::{Answers, Layout, Piece};
use crate::{
    algorithm::{Algorithm, ChecksumType},
    digest::Digest,
    kernels::Combiner,
    parts::{PartPlan, PartSize, Preset, SmallParts},
    s3::{ObjectChecksums, digest_of_digests},
};

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
pub(super) struct Work {
    pub(super) plans: Vec<PartSize>,
    /// None: there is nothing to hash.
    pub(super) algorithms: Vec<Algorithm>,
}

impl Work {
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
}

/// What of a file of `size` bytes the answers can be compared with: no ETag where there are checksums.
pub(super) fn work(answers: &Answers, size: u64) -> Work {
    let mut work = Work::default();
    if answers.contradiction.is_some() || answers.object_size().is_some_and(|theirs| theirs != size) {
        return work;
    }
    let layout = answers.layout(size);
    let pieces: Vec<_> =
        answers.pieces(&layout).into_iter().filter(|piece| piece.offset + piece.size <= size).collect();
    let mut parts_do_not_matter = false;
    for value in &answers.values {
        work.algorithm(value.algorithm);
        parts_do_not_matter |= value.algorithm.is_crc() && value.kind != Some(ChecksumType::Composite);
        match value.kind {
            Some(ChecksumType::FullObject) if value.algorithm.is_crc() => {}
            Some(ChecksumType::FullObject) => work.plan(PartSize::Whole),
            Some(ChecksumType::Composite) | None => work.layout(&layout),
        }
    }
    let checksums_of_all = !answers.values.is_empty();
    for piece in &pieces {
        piece.checksums.iter().for_each(|(algorithm, _)| work.algorithm(*algorithm));
        if piece.checksums.is_empty() && piece.etag.is_some() && !checksums_of_all {
            work.algorithm(Algorithm::Md5);
        }
    }
    if pieces.iter().any(|piece| !piece.checksums.is_empty() || (piece.etag.is_some() && !checksums_of_all)) {
        match &layout {
            Layout::Exact(_) => work.layout(&layout),
            _ => work.plan(PartSize::Sizes(around(&pieces, size))),
        }
    }
    if work.algorithms.is_empty() && matches!(answers.md5_etag(), Ok(Some(_))) {
        work.algorithm(Algorithm::Md5);
        work.layout(&layout);
    }
    if work.plans.is_empty() {
        match PartPlan::new(size, &PartSize::Preset(Preset::BOTO3), SmallParts::Allow) {
            Ok(plan) if parts_do_not_matter => work.plan(PartSize::Plan(plan)),
            // There is no plan to try.
            _ => work.algorithms.clear(),
        }
    }
    work
}

/// Parts that have these pieces among them.
fn around(pieces: &[Piece], size: u64) -> Vec<u64> {
    let mut bounds: Vec<_> = pieces.iter().flat_map(|piece| [piece.offset, piece.offset + piece.size]).collect();
    bounds.extend([0, size]);
    bounds.sort_unstable();
    bounds.dedup();
    match bounds.len() {
        1 => vec![0],
        _ => bounds.windows(2).map(|pair| pair[1] - pair[0]).collect(),
    }
}
