//! The Python bindings: all of PyO3 is here.
//!
//! Docstrings are those of the public Python names; `python/partsum/_core.pyi` has their types.

mod answers;
mod arguments;
mod buffer;
mod checksums;
mod convert;
mod errors;
mod files;
mod hashers;
mod interpreter;
mod multipart_upload;
mod observer;
mod options;
mod part_checksums;
mod plan;
mod refusal;
mod response;
mod serial;
mod uploaded;
mod verbs;
mod verify;

use pyo3::prelude::*;

/// The compiled half of partsum. Import the public names from `partsum`.
#[pymodule]
mod _core {
    use pyo3::prelude::*;

    #[pymodule_export]
    use super::{
        answers::{PyAnswers, PyNextRequest, bare_etag, listed_parts, meanings, quirk_table, right_parts},
        checksums::PyObjectChecksums,
        files::{PyFiles, hash_files},
        hashers::{PyHasher, PyMultipartHasher, new},
        multipart_upload::PyMultipartUpload,
        part_checksums::{PyPartChecksums, rebuild_part},
        plan::{PyPart, PyPartPlan, parse_size, rebuild_plan},
        verbs::{
            algorithm_table, combine_crc, hash_bytes, hash_file, hash_plans, plan_parts, preset_table, runtime_info,
        },
        verify::{solve_etag, verify_local},
    };

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        super::interpreter::claim(module.py())
    }

    #[pymodule_export]
    #[allow(non_upper_case_globals)]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
