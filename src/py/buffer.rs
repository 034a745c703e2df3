//! Bytes that Python lends.

#![allow(unsafe_code)]

use pyo3::{
    buffer::PyUntypedBuffer,
    exceptions::{PyBufferError, PyTypeError},
    prelude::*,
};

use super::convert::wrong_type;

/// Any C-contiguous buffer, whatever its items are.
pub(super) struct Buffer(PyUntypedBuffer);

impl Buffer {
    /// # Errors
    /// `TypeError` for what has no buffer, `BufferError` for one with gaps; both name the argument.
    pub(super) fn of(argument: &str, object: &Bound<'_, PyAny>) -> PyResult<Self> {
        let buffer =
            PyUntypedBuffer::get(object).map_err(|error| match error.is_instance_of::<PyTypeError>(object.py()) {
                true => wrong_type(argument, "bytes-like", object),
                false => error,
            })?;
        match buffer.is_c_contiguous() {
            true => Ok(Self(buffer)),
            false => Err(PyBufferError::new_err(format!(
                "{argument}: must be C-contiguous; pass a contiguous copy, bytes({argument})"
            ))),
        }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        if self.0.len_bytes() == 0 {
            return &[];
        }
        // SAFETY: the exporter keeps these bytes in place while the buffer is held. Another thread may write to a
        // bytearray meanwhile: as with hashlib, the digest is then that of some mixture, which is what the caller asked
        // for; every byte is read as a plain integer and nothing is derived from its value.
        unsafe { std::slice::from_raw_parts(self.0.buf_ptr().cast(), self.0.len_bytes()) }
    }
}
