//! Arguments and results of a component's function as WAVE, for a command line.

use super::call::function;
use super::wave;
use crate::base::error::Error;
use crate::host::component::value::Value;
use crate::sandbox::program::Program;

/// The arguments of `func`, each a text in WAVE.
///
/// # Errors
/// No such function; too many or too few texts; one is no value of its parameter's type.
pub fn parse(program: &Program, func: &str, texts: &[impl AsRef<str>]) -> Result<Vec<Value>, Error> {
    let (component, _, ty) = function(program, func)?;
    if texts.len() != ty.params.len() {
        let (given, wanted) = (texts.len(), ty.params.len());
        return Err(Error::Input(format!("`{func}` takes {wanted} arguments, but was called with {given}")));
    }
    let value = |((name, ty), text): (&(Box<str>, _), &_)| {
        let text: &str = AsRef::<str>::as_ref(text);
        wave::parse(&component.plan.types, *ty, text)
            .map_err(|why| Error::Input(format!("`{func}`, {name}: {why}")))
    };
    ty.params.iter().zip(texts).map(value).collect()
}

/// The function and its arguments of a call in WAVE: `add(1, 2)`, `calc/add(1, 2)`, `docs:adder/calc@0.1.0#add(1, 2)`.
///
/// # Errors
/// It is no call; no such function; the arguments are not of its types.
pub fn invocation(program: &Program, text: &str) -> Result<(String, Vec<Value>), Error> {
    let wrong = |why: String| Error::Input(format!("--invoke: {why}"));
    let call = wave::Call::parse(text).map_err(wrong)?;
    let name = match call.interface {
        Some(interface) => format!("{interface}#{}", call.function),
        None => call.function.to_string(),
    };
    let (component, _, ty) = function(program, &name)?;
    Ok((name, call.args(&component.plan.types, ty).map_err(wrong)?))
}

/// A result of `func`, in WAVE, at most so many bytes. Nothing if it has none.
///
/// # Errors
/// It is too long.
pub fn print(
    program: &Program,
    func: &str,
    value: Option<&Value>,
    most: usize,
) -> Result<Option<String>, Error> {
    let (component, _, ty) = function(program, func)?;
    let (Some(ty), Some(value)) = (ty.result, value) else { return Ok(None) };
    let text = wave::print(&component.plan.types, ty, value, most);
    text.map(Some).map_err(|why| Error::Input(format!("the result of `{func}`: {why}")))
}
