//! What the threads of a call share: the chunks that nobody has taken yet, and the digests.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use super::{Batch, BatchDigests, observer::Progress, threads::lock, total};
use crate::{
    digest::Digest,
    error::{Error, Result},
    source::Chunk,
};

#[derive(Debug)]
pub(super) struct Queue<'a> {
    pub(super) batch: Batch<'a>,
    pub(super) progress: Progress,
    /// Threads that hash.
    threads: u64,
    chunks: Mutex<Chunks>,
    /// Sources that cannot be read on: their chunks are given up.
    failed: Vec<AtomicBool>,
    results: Mutex<BatchDigests>,
}

#[derive(Debug)]
struct Chunks {
    /// The first one that nobody has taken.
    next: usize,
    /// Bytes of all chunks that are neither hashed nor given up yet, taken or not.
    left: u64,
}

impl<'a> Queue<'a> {
    pub(super) fn new(batch: Batch<'a>, threads: usize) -> Self {
        let left = total(batch.chunks);
        let sources = batch.sources.iter().map(|source| u128::from(source.size())).sum::<u128>();
        Self {
            batch,
            progress: Progress::new(left, u64::try_from(sources).unwrap_or(u64::MAX)),
            threads: threads as u64,
            chunks: Mutex::new(Chunks { next: 0, left }),
            failed: batch.sources.iter().map(|_| AtomicBool::new(false)).collect(),
            results: Mutex::new(BatchDigests {
                digests: vec![vec![None; batch.chunks.len()]; batch.algorithms.len()],
                errors: batch.sources.iter().map(|_| None).collect(),
            }),
        }
    }

    /// Hands out chunks while `wants` says so; it is given a thread's fair share of the bytes that are left and the next
    /// chunk. `take` gets the index of each.
    pub(super) fn take(&self, mut wants: impl FnMut(u64, &Chunk) -> bool, mut take: impl FnMut(usize, &Chunk)) {
        let mut chunks = lock(&self.chunks);
        let share = chunks.left.div_ceil(self.threads);
        while let Some(chunk) = self.batch.chunks.get(chunks.next) {
            if self.has_failed(chunk.source) {
                chunks.left -= chunk.len();
            } else if wants(share, chunk) {
                take(chunks.next, chunk);
            } else {
                return;
            }
            chunks.next += 1;
        }
    }

    /// So many bytes are hashed or given up.
    pub(super) fn finish(&self, bytes: u64) {
        lock(&self.chunks).left -= bytes;
    }

    /// Gives up a source; keeps its first error.
    pub(super) fn fail(&self, source: usize, error: Error) {
        self.failed[source].store(true, Relaxed);
        lock(&self.results).errors[source].get_or_insert(error);
    }

    pub(super) fn has_failed(&self, source: usize) -> bool {
        self.failed[source].load(Relaxed)
    }

    /// Stores digests: each with the index of its algorithm and of its chunk.
    pub(super) fn store(&self, digests: impl Iterator<Item = (usize, usize, Digest)>) {
        let mut results = lock(&self.results);
        for (algorithm, chunk, digest) in digests {
            results.digests[algorithm][chunk] = Some(digest);
        }
    }

    pub(super) fn into_results(self) -> Result<BatchDigests> {
        match self.progress.is_stopped() {
            true => Err(Error::Interrupted),
            false => Ok(self.results.into_inner().unwrap_or_else(PoisonError::into_inner)),
        }
    }
}
