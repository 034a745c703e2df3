//! Large allocations that may fail: an error instead of the end of the process.

use std::sync::{Mutex, PoisonError};

use memmap2::MmapMut;

/// Address space that small allocations need, whose failure ends the process.
const HEADROOM: usize = 16 << 20;

/// So many zero bytes; `None` if memory is short.
pub(super) fn zeroed(bytes: usize) -> Option<Vec<u8>> {
    static ONE_BY_ONE: Mutex<()> = Mutex::new(());
    let mut memory = Vec::new();
    {
        let _guard = ONE_BY_ONE.lock().unwrap_or_else(PoisonError::into_inner);
        memory.try_reserve_exact(bytes).ok()?;
        if !has_room(0) {
            return None;
        }
    }
    memory.resize(bytes, 0);
    Some(memory)
}

/// Whether there is address space for so many bytes and for small allocations. Asked of the system, since what the allocator
/// keeps for one thread is of no use to another.
pub(crate) fn has_room(bytes: usize) -> bool {
    MmapMut::map_anon(bytes.saturating_add(HEADROOM)).is_ok()
}
