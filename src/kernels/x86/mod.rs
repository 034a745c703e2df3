//! Kernels made of special instructions of x86-64.

pub(super) mod clmul;
pub(super) mod sha;
