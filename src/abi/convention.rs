//! Which calling convention a function has.

use super::reserved::{is_reserved, offered};
use super::{command, extism, numeric, packed};
use crate::module::reader::ModuleInfo;
use crate::sandbox::program::Program;

/// How a function takes its input and gives its output.
///
/// ```
/// use fuelbox::{Convention, Runner, RunnerConfig};
///
/// let runner = Runner::new(RunnerConfig::default())?;
/// let program = runner.compile("greet", &std::fs::read("guests/prebuilt/greet.wasm").unwrap())?;
/// assert_eq!(program.functions().collect::<Vec<_>>(), [("greet", Some(Convention::Packed))]);
/// # Ok::<(), fuelbox::Error>(())
/// ```
#[cfg_attr(feature = "isolation", derive(serde::Serialize, serde::Deserialize))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Convention {
    /// Numbers in, numbers out.
    Numeric,
    /// Bytes through memory: `allocate(len) -> ptr`, `f(ptr, len) -> ptr << 32 | len`.
    Packed,
    /// A WASI program: `_start`, standard input and standard output.
    Command,
    /// A plug-in made with Extism's development kits.
    Extism,
    /// A function of a component: bytes or strings as they are, and JSON for other types.
    Component,
}

impl Convention {
    /// Every convention.
    pub const ALL: [Convention; 5] = [
        Convention::Command,
        Convention::Packed,
        Convention::Numeric,
        Convention::Extism,
        Convention::Component,
    ];

    /// Its name in flags, listings and documentation.
    pub fn name(self) -> &'static str {
        match self {
            Convention::Numeric => "numeric",
            Convention::Packed => "packed",
            Convention::Command => "command",
            Convention::Extism => "extism",
            Convention::Component => "component",
        }
    }

    /// The convention called `name`.
    pub fn parse(name: &str) -> Option<Convention> {
        Convention::ALL.into_iter().find(|c| c.name() == name)
    }

    /// Their names, for messages.
    #[doc(hidden)]
    pub fn names() -> String {
        let [command, packed, numeric, extism, component] = Convention::ALL.map(Convention::name);
        format!("{numeric}, {packed}, {command}, {extism} or {component}")
    }

    /// Whether the exported function `func` is offered, and can be called by it.
    #[doc(hidden)]
    pub fn fits(self, info: &ModuleInfo, func: &str) -> bool {
        info.function(func).is_some_and(|signature| match self {
            Convention::Command => command::can_start(info, func),
            Convention::Component => signature.wit.is_some(),
            _ if signature.wit.is_some() || is_reserved(info, func) => false,
            Convention::Numeric => numeric::fits(signature),
            Convention::Packed => packed::fits(info, func),
            // Forced, for a module without a use for its host.
            Convention::Extism => extism::is_callable(signature),
        })
    }

    /// The convention of the exported function `func`, by its signature and the exports around it; none also if it
    /// is never offered ([`is_reserved`]).
    #[doc(hidden)]
    pub fn of(info: &ModuleInfo, func: &str) -> Option<Convention> {
        let signature = info.function(func)?;
        if func == command::START && command::fits(info) {
            Some(Convention::Command)
        } else if signature.wit.is_some() {
            Some(Convention::Component)
        } else if is_reserved(info, func) {
            None
        } else if extism::fits(info, func) {
            Some(Convention::Extism)
        } else if packed::fits(info, func) {
            Some(Convention::Packed)
        } else if numeric::fits(signature) {
            Some(Convention::Numeric)
        } else {
            None
        }
    }
}

impl Program {
    /// The functions that it offers, each with the convention by which it is called, if one fits. Those that belong to a
    /// convention or to a language's runtime are left out.
    pub fn functions(&self) -> impl Iterator<Item = (&str, Option<Convention>)> {
        offered(self.info()).map(|(name, _)| (name, Convention::of(self.info(), name)))
    }
}
