//! How an object was cut, told from its ETag: every plausible way is tried.

use std::{ops::ControlFlow, path::Path};

use crate::{
    algorithm::Algorithm,
    error::{Error, Result},
    hash::{self, Options},
    limits::MAX_PARTS,
    parts::{PartPlan, PartSize, SmallParts, guesses},
    s3::ETag,
    schedule::Observer,
    source::Source,
};

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
    let wanted = ETag::from(etag);
    let Some((_, parts)) = wanted.md5() else {
        let problem = format!(
            "{etag:?} is not made of MD5s: those are 32 hexadecimal digits, then -N (1 to {MAX_PARTS}) if in parts"
        );
        return Err(Error::argument("etag", problem));
    };
    let path = path.as_ref();
    let source = Source::open(path, options.io)?;
    let size = source.size();
    let mut opened = Some(source);
    let planned = |part_size: &PartSize| PartPlan::new(size, part_size, SmallParts::Allow).ok();
    let mut plans: Vec<PartPlan> = match (candidates, parts) {
        (Some(candidates), _) => candidates.iter().filter_map(planned).collect(),
        (None, Some(parts)) => guesses::plausible(size, parts),
        (None, None) => planned(&PartSize::Whole).into_iter().collect(),
    };
    plans.retain(|plan| match parts {
        Some(parts) => plan.multipart() && plan.len() == parts as usize,
        None => !plan.multipart(),
    });
    guesses::distinct(&mut plans);
    let (first, second): (Vec<_>, _) = match candidates {
        Some(_) => (plans, Vec::new()),
        None => plans.into_iter().partition(|plan| plan.presets().next().is_some()),
    };
    let mut progress =
        Share { observer, size, plans: (first.len() + second.len()) as u64, tried: 0, bytes: 0, told: 0 };
    for plans in [first, second].into_iter().filter(|plans| !plans.is_empty()) {
        let tried: Vec<_> = plans.iter().cloned().map(PartSize::Plan).collect();
        progress.tried = plans.len() as u64;
        let source = opened.take().map_or_else(|| Source::open(path, options.io), Ok)?;
        if source.size() != size {
            let change = format!("{size} bytes became {}", source.size());
            return Err(Error::FileChanged { path: path.to_owned(), change });
        }
        let sums = hash::hash_opened(path, source, &tried, &[Algorithm::Md5], options, &mut progress)?;
        let mut found = Vec::new();
        for (plan, sums) in plans.into_iter().zip(sums) {
            if ETag::from(sums.etag()?) == wanted {
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
