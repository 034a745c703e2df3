//! What a call tells the thread that made it, and how that thread stops it.

use std::{
    ops::ControlFlow,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
};

/// Watches a running call, on the thread that made it.
pub trait Observer {
    /// `bytes` more were hashed (0 if none were for a while). Called at least ten times a second. A break stops the
    /// work within milliseconds, and the call returns [`Error::Interrupted`](crate::Error::Interrupted).
    fn progress(&mut self, bytes: u64) -> ControlFlow<()>;
}

/// Watches nothing.
impl Observer for () {
    fn progress(&mut self, _: u64) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// Progress of a call.
#[derive(Debug)]
pub(super) struct Progress {
    /// Bytes of all chunks, and of all sources. Chunks may overlap or leave bytes out.
    chunks: u64,
    sources: u64,
    /// Bytes of chunks that are hashed.
    hashed: AtomicU64,
    /// Bytes of sources that the observer was told of.
    told: AtomicU64,
    stopped: AtomicBool,
}

impl Progress {
    pub(super) fn new(chunks: u64, sources: u64) -> Self {
        let (hashed, told) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { chunks: chunks.max(1), sources: sources.min(chunks), hashed, told, stopped: AtomicBool::new(false) }
    }

    pub(super) fn add(&self, hashed: u64) {
        self.hashed.fetch_add(hashed, Relaxed);
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Relaxed)
    }

    /// Tells the observer what was hashed since the last time. A byte of a source counts once, however many chunks
    /// hash it.
    pub(super) fn report(&self, observer: &mut dyn Observer) {
        let hashed = u128::from(self.hashed.load(Relaxed));
        let done = (hashed * u128::from(self.sources) / u128::from(self.chunks)) as u64;
        if observer.progress(done - self.told.swap(done, Relaxed)).is_break() {
            self.stopped.store(true, Relaxed);
        }
    }
}
