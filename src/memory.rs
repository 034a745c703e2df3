//! Large allocations that may fail: an error instead of the end of the process.

use std::sync::{Mutex, PoisonError};

/// Address space that small allocations need, whose failure ends the process.
const HEADROOM: usize = 16 << 20;

/// So many zero bytes; `None` if memory is short.
pub(crate) fn zeroed(bytes: usize) -> Option<Vec<u8>> {
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

/// Whether so many bytes can be allocated and enough for small allocations is left.
pub(crate) fn has_room(bytes: usize) -> bool {
    let mut room = Vec::<u8>::new();
    let has_room = room.try_reserve_exact(bytes.saturating_add(HEADROOM)).is_ok();
    // The compiler leaves out an allocation that nobody uses.
    std::hint::black_box(&room);
    has_room
}
