//! Only one interpreter of a process may use the module.
//!
//! The module's classes and exceptions belong to the interpreter that imported it first. CPython 3.12 and later refuse it
//! in other interpreters by themselves; earlier versions do not.

#![allow(unsafe_code)]

use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

use pyo3::{exceptions::PyImportError, ffi, prelude::*};

const NOBODY: i64 = -1;
static OWNER: AtomicI64 = AtomicI64::new(NOBODY);

/// # Errors
/// `ImportError` in any interpreter but the first.
pub(super) fn claim(_: Python<'_>) -> PyResult<()> {
    // SAFETY: this thread is attached to an interpreter, which stays while we ask for its number.
    let this = unsafe { ffi::PyInterpreterState_GetID(ffi::PyInterpreterState_Get()) };
    match OWNER.compare_exchange(NOBODY, this, SeqCst, SeqCst) {
        Err(owner) if owner != this => Err(PyImportError::new_err(
            "partsum does not support loading in subinterpreters: another interpreter of this process has it; use \
             threads, which hash in parallel, or processes",
        )),
        _ => Ok(()),
    }
}
