//! A mapped file that may be truncated by others without killing the process.
//!
//! Touching a mapped page past a file's new end raises SIGBUS. The handler here answers it for addresses inside a
//! [`Map`] only: it puts zero pages in the place of the missing ones and notes the loss, the hash runs on to a result
//! that nobody gets, and the caller raises `FileChanged`. Any other SIGBUS goes to whoever handled it before.

#![allow(unsafe_code, clippy::disallowed_types)]

use std::{
    fs::File,
    io, mem, ptr,
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering::SeqCst},
    },
};

use memmap2::{Mmap, MmapOptions};

/// A whole file, mapped for reading.
#[derive(Debug)]
pub(super) struct Map {
    mmap: Mmap,
    region: &'static Region,
}

impl Map {
    /// The first `size` bytes; `None` if as many maps are alive as the handler can watch: read the file instead.
    pub(super) fn new(file: &File, size: u64) -> io::Result<Option<Self>> {
        install_handler()?;
        // SAFETY: others may write to the file while it is mapped; the bytes are only ever hashed, never trusted, and
        // `Source::check_unchanged` discards the result. Truncation is what this module is about.
        let mmap = unsafe { MmapOptions::new().len(size as usize).map(file)? };
        let start = mmap.as_ptr() as usize;
        let Some(region) = REGIONS.iter().find(|region| !region.taken.swap(true, SeqCst)) else {
            return Ok(None);
        };
        region.lost.store(NOTHING, SeqCst);
        region.end.store(start + mmap.len().next_multiple_of(page_size()), SeqCst);
        region.start.store(start, SeqCst);
        Ok(Some(Self { mmap, region }))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.mmap
    }

    /// The first byte that was found missing when it was read.
    pub(super) fn lost(&self) -> Option<u64> {
        let address = self.region.lost.load(SeqCst);
        (address != NOTHING).then(|| (address - self.mmap.as_ptr() as usize) as u64)
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        self.region.start.store(0, SeqCst);
        self.region.taken.store(false, SeqCst);
    }
}

/// A map that the handler answers for; `start` is 0 while it is free.
#[derive(Debug)]
struct Region {
    taken: AtomicBool,
    start: AtomicUsize,
    end: AtomicUsize,
    /// The lowest address of a page that was missing.
    lost: AtomicUsize,
}

const NOTHING: usize = usize::MAX;

static REGIONS: [Region; 64] = [const {
    Region {
        taken: AtomicBool::new(false),
        start: AtomicUsize::new(0),
        end: AtomicUsize::new(0),
        lost: AtomicUsize::new(NOTHING),
    }
}; 64];

/// Whom to pass the signal on to: the address of an action that lives for ever.
static PREVIOUS: AtomicPtr<libc::sigaction> = AtomicPtr::new(ptr::null_mut());
static PAGE_SIZE: OnceLock<usize> = OnceLock::new();

fn page_size() -> usize {
    // SAFETY: sysconf has no preconditions.
    *PAGE_SIZE.get_or_init(|| unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize)
}

/// Makes the handler the first to be asked.
fn install_handler() -> io::Result<()> {
    static INSTALLING: Mutex<()> = Mutex::new(());
    let ours = on_sigbus as *const () as usize;
    let _guard = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    page_size();
    // SAFETY: all-zero is a valid `sigaction`, and `sigaction` reads and writes those that it is given.
    unsafe {
        let mut old: libc::sigaction = mem::zeroed();
        if libc::sigaction(libc::SIGBUS, ptr::null(), &mut old) != 0 {
            return Err(io::Error::last_os_error());
        }
        if old.sa_sigaction == ours {
            return Ok(());
        }
        // Stored before the handler can need it; leaked, for a handler on another thread may be reading the last one.
        PREVIOUS.store(Box::leak(Box::new(old)), SeqCst);
        let mut new: libc::sigaction = mem::zeroed();
        new.sa_sigaction = ours;
        new.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
        match libc::sigaction(libc::SIGBUS, &new, ptr::null_mut()) {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

/// Async-signal-safe: atomics, `mmap`, `signal` and `raise` only.
extern "C" fn on_sigbus(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel passes valid pointers to an SA_SIGINFO handler; the pages replaced lie in a live `Map`, which
    // nobody writes to, and hold nothing any more.
    unsafe {
        // Positive codes come from the kernel; only those carry an address.
        if (*info).si_code > 0 {
            let address = (*info).si_addr() as usize;
            for region in &REGIONS {
                let (start, end) = (region.start.load(SeqCst), region.end.load(SeqCst));
                if start == 0 || !(start..end).contains(&address) {
                    continue;
                }
                let page = address - address % PAGE_SIZE.get().copied().unwrap_or(4096);
                let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
                if libc::mmap(page as *mut _, end - page, libc::PROT_READ, flags, -1, 0) != libc::MAP_FAILED {
                    region.lost.fetch_min(page, SeqCst);
                    return;
                }
            }
        }
        let previous = PREVIOUS.load(SeqCst);
        // One that was there before us and came again after us passes the signal back: it has had its turn.
        if previous.is_null() || PASSING.swap(true, SeqCst) {
            end(signal);
            return;
        }
        let previous = &*previous;
        match previous.sa_sigaction {
            libc::SIG_IGN if (*info).si_code <= 0 => {}
            libc::SIG_DFL | libc::SIG_IGN => end(signal),
            handler if previous.sa_flags & libc::SA_SIGINFO != 0 => {
                mem::transmute::<usize, extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void)>(handler)(
                    signal, info, context,
                );
            }
            handler => mem::transmute::<usize, extern "C" fn(libc::c_int)>(handler)(signal),
        }
        PASSING.store(false, SeqCst);
    }
}

/// Ends the process by the signal, as if nobody handled it.
fn end(signal: libc::c_int) {
    // SAFETY: async-signal-safe calls with plain integers.
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
        libc::raise(signal);
    }
}

/// A foreign SIGBUS is being passed on.
static PASSING: AtomicBool = AtomicBool::new(false);
