//! Access to the members of boto3's responses; what they mean is read by `s3::answers`.

use pyo3::{
    exceptions::{PyRecursionError, PyTypeError},
    prelude::*,
    types::{PyBool, PyBytes, PyFloat, PyInt, PyMapping, PyString},
};

use super::{
    convert::{type_name, wrong_type},
    errors::invalid,
};
use crate::s3::{Member, Members};

/// A mapping in an argument.
pub(super) struct Mapping<'py> {
    mapping: Bound<'py, PyMapping>,
    argument: &'static str,
}

impl<'py> Mapping<'py> {
    /// `None` for what is no mapping.
    pub(super) fn of(argument: &'static str, object: &Bound<'py, PyAny>) -> Option<Self> {
        object.cast::<PyMapping>().ok().map(|mapping| Self { mapping: mapping.clone(), argument })
    }

    /// Keys and values.
    pub(super) fn items(&self) -> PyResult<Vec<(Bound<'py, PyAny>, Bound<'py, PyAny>)>> {
        self.mapping.items()?.iter().map(|item| item.extract()).collect()
    }
}

impl Members for Mapping<'_> {
    type Error = PyErr;

    fn member(&self, name: &str) -> PyResult<Option<Member<Self>>> {
        if !self.mapping.contains(name)? {
            return Ok(None);
        }
        let value = self.mapping.get_item(name)?;
        if value.is_none() {
            return Ok(None);
        }
        if let Ok(text) = value.cast::<PyString>() {
            let text = text.to_str()?;
            return Ok(Some(Member::Text(text.to_owned())).filter(|_| !text.trim().is_empty()));
        }
        if let Ok(flag) = value.cast::<PyBool>() {
            return Ok(Some(Member::Flag(flag.is_true())));
        }
        if value.is_instance_of::<PyInt>() {
            return Ok(Some(Member::Number(value.str()?.to_string())));
        }
        if let Some(whole) =
            value.cast::<PyFloat>().ok().map(|float| float.value()).filter(|float| float.fract() == 0.0)
        {
            return Ok(Some(Member::Number(format!("{whole:.0}"))));
        }
        if let Some(mapping) = Self::of(self.argument, &value) {
            return Ok(Some(Member::Mapping(mapping)));
        }
        let other = || Ok(Some(Member::Other(type_name(&value))));
        let Ok(items) = value.try_iter() else { return other() };
        let mut list = Vec::new();
        for item in items {
            match Self::of(self.argument, &item?) {
                Some(mapping) => list.push(mapping),
                None => return other(),
            }
        }
        Ok(Some(Member::List(list)))
    }

    fn argument(&self) -> &'static str {
        self.argument
    }

    fn wrong_type(&self, problem: String) -> PyErr {
        PyTypeError::new_err(format!("{}: {problem}", self.argument))
    }
}

/// What JSON text stands for; anything else as it is.
pub(super) fn parsed<'py>(argument: &'static str, object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    if !object.is_instance_of::<PyString>() && !object.is_instance_of::<PyBytes>() {
        return Ok(object.clone());
    }
    let value = object.py().import("json")?.call_method1("loads", (object,)).map_err(|error| match error
        .is_instance_of::<PyRecursionError>(
        object.py(),
    ) {
        true => invalid(argument, "the JSON is nested too deeply"),
        false => error,
    })?;
    match value.is_instance_of::<PyString>() {
        true => Err(wrong_type(argument, "a mapping or a list, or JSON of one", &value)),
        false => Ok(value),
    }
}
