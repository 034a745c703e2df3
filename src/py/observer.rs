//! Running the core without the GIL, with progress and Ctrl-C.

use std::ops::ControlFlow;

use pyo3::prelude::*;

use crate::{
    error::{Error, Result},
    schedule::Observer,
};

/// Calls `progress` and looks for signals, on the thread that made the call.
struct PyObserver {
    progress: Option<Py<PyAny>>,
    raised: Option<PyErr>,
}

impl Observer for PyObserver {
    fn progress(&mut self, bytes: u64) -> ControlFlow<()> {
        if self.raised.is_some() {
            return ControlFlow::Break(());
        }
        let told = Python::attach(|py| {
            py.check_signals()?;
            match &self.progress {
                Some(progress) if bytes > 0 => progress.call1(py, (bytes,)).map(drop),
                _ => Ok(()),
            }
        });
        match told {
            Ok(()) => ControlFlow::Continue(()),
            Err(raised) => {
                self.raised = Some(raised);
                ControlFlow::Break(())
            }
        }
    }
}

/// Does the work with the GIL released; what `progress` or a signal handler raises stops it and comes out.
pub(super) fn observed<T: Send>(
    py: Python<'_>,
    progress: Option<Py<PyAny>>,
    work: impl FnOnce(&mut dyn Observer) -> Result<T> + Send,
) -> PyResult<T> {
    let mut observer = PyObserver { progress, raised: None };
    let result = py.detach(|| work(&mut observer));
    match (result, observer.raised) {
        (Err(Error::Interrupted), Some(raised)) => Err(raised),
        (result, _) => Ok(result?),
    }
}
