//! Thread pools. The only file that names rayon.

#![allow(clippy::disallowed_types)]

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
        mpsc,
    },
    time::Duration,
};

use rayon::{
    ThreadPoolBuilder,
    iter::{IndexedParallelIterator, IntoParallelRefMutIterator, ParallelIterator},
};

use crate::source::memory;

/// How often the calling thread looks up from waiting.
const TICK: Duration = Duration::from_millis(10);
/// Bytes of a thread's stack.
const STACK: usize = 2 << 20;
/// Fewer items than this, of a system call or two each, are not worth another thread.
const MIN_ITEMS: usize = 32;

/// Threads that a call uses by default: the CPUs that this process may use (affinity, cgroup quota).
pub fn default_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// No thread panics while it holds one of our locks, so a poisoned one is as good as any.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs `work` on each of so many threads, and `tick` on this one until all are done. A thread whose work is over helps
/// the others in [`each`].
///
/// The pool belongs to the call: no thread is left behind for a fork to break, and the number of threads is exact.
///
/// False if so many threads cannot be started; then nothing was done.
pub(super) fn run(threads: usize, work: impl Fn(usize) + Sync, mut tick: impl FnMut()) -> bool {
    if !memory::has_room(threads * STACK) {
        return false;
    }
    let in_pool = |pool: &rayon::ThreadPool| {
        pool.in_place_scope(|scope| {
            let (working, all_done) = mpsc::channel::<()>();
            let work = &work;
            // Each thread gets its own: a worker that waits for helpers must not begin the work of another one.
            scope.spawn_broadcast(move |_, context| {
                let _until_all_are_done = &working;
                work(context.index());
            });
            while let Err(mpsc::RecvTimeoutError::Timeout) = all_done.recv_timeout(TICK) {
                tick();
            }
        });
    };
    ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|index| format!("partsum-{index}"))
        .stack_size(STACK)
        .build_scoped(|thread| thread.run(), in_pool)
        .is_ok()
}

/// `f` of each item, in order, on up to `threads` threads.
pub(crate) fn map<T: Sync, R: Send>(threads: usize, items: &[T], f: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = threads.min(items.len() / MIN_ITEMS);
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(items.len())));
    let work = |_| {
        loop {
            let index = next.fetch_add(1, Relaxed);
            let Some(item) = items.get(index) else { return };
            let result = f(item);
            lock(&done).push((index, result));
        }
    };
    if threads <= 1 || !run(threads, work, || ()) {
        return items.iter().map(f).collect();
    }
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_unstable_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Calls `f` with each item, on this thread and on those of its pool that have nothing else to do.
pub(super) fn each<T: Send>(items: &mut [T], f: impl Fn(&mut T) + Send + Sync) {
    items.par_iter_mut().with_max_len(1).for_each(f);
}
