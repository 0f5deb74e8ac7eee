//! Interfaces of the embedding program that components import.

use super::function::Interface;
use super::value::Value;
use crate::host::embedder::guest::Guest;
use crate::host::embedder::trap::Trap;
use std::sync::Arc;

/// An interface of the embedding program, for components that import it
/// ([`HostFunctions::add_interface`](crate::HostFunctions::add_interface)).
///
/// ```
/// use fuelbox::component::{HostInterface, Value};
/// use fuelbox::{Guest, HostFunctions, Trap};
///
/// let types = "record entry { key: string, hits: u32 }";
/// let store = HostInterface::new("demo:kv/store", types)
///     .function("get", "func(key: string) -> option<entry>", |_: &mut Guest<'_>, args: &[Value]| {
///         let [Value::String(key)] = args else { return Err(Trap::new("one string")) };
///         let entry = Value::Record(vec![Value::String(key.clone()), Value::U32(1)]);
///         Ok(Some(Value::some(entry)))
///     });
/// let mut host_functions = HostFunctions::default();
/// host_functions.add_interface(store);
/// ```
#[derive(Clone)]
pub struct HostInterface {
    pub(crate) interface: Interface,
    version: Option<&'static str>,
    functions: Vec<HostFunction>,
}

/// A function of it.
#[derive(Clone)]
pub struct HostFunction {
    name: &'static str,
    /// Its type in WIT, without `func`.
    pub ty: &'static str,
    /// What it does.
    pub call: Arc<HostBody>,
}

/// What a function does with arguments of its type. It gives a result of its type.
pub type HostBody = dyn Fn(&mut Guest<'_>, &[Value]) -> Result<Option<Value>, Trap> + Send + Sync;

impl std::fmt::Debug for HostInterface {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let functions = self.functions.iter().map(|function| (function.name, function.ty));
        write!(f, "{} ", self.interface.name)?;
        f.debug_map().entries(functions).finish()
    }
}

impl HostInterface {
    /// The interface `name`, such as `demo:kv/store`, with these types in WIT: what stands between its braces, without its
    /// functions. With a version (`demo:kv/store@1.0.0`), it is for components that import just that one; without, for all.
    /// Functions that a world imports by themselves are in the interface with no name.
    ///
    /// A type that is no WIT is found out when a component is loaded that asks for it.
    pub fn new(name: &'static str, types: &'static str) -> HostInterface {
        let (name, version) = versioned(name);
        HostInterface { interface: Interface { name, types, rows: &[] }, version, functions: Vec::new() }
    }

    /// Adds the function `name` with a type in WIT, such as `func(key: string) -> option<string>`. A component that imports it
    /// with another type does not load. Functions of a resource are named as in the canonical ABI: `[constructor]cursor`,
    /// `[method]cursor.next`, `[static]cursor.open`.
    ///
    /// `call` is given a value for each parameter. It has to give a value of the result's type, or none if there is none:
    /// another one stops the guest.
    #[must_use]
    pub fn function(
        mut self,
        name: &'static str,
        ty: &'static str,
        call: impl Fn(&mut Guest<'_>, &[Value]) -> Result<Option<Value>, Trap> + Send + Sync + 'static,
    ) -> HostInterface {
        let ty = ty.trim_start();
        let ty = ty.strip_prefix("func").unwrap_or(ty);
        self.functions.push(HostFunction { name, ty, call: Arc::new(call) });
        self
    }

    /// Whether it is the interface that a component imports as `name`.
    pub(crate) fn is(&self, name: &str) -> bool {
        let (name, version) = versioned(name);
        self.interface.name == name && (self.version.is_none() || self.version == version)
    }

    /// Whether it is for one version.
    pub(crate) fn has_version(&self) -> bool {
        self.version.is_some()
    }

    /// Whether `other` has the same name and version.
    pub(crate) fn is_same(&self, other: &HostInterface) -> bool {
        (self.interface.name, self.version) == (other.interface.name, other.version)
    }

    /// The function `name`.
    pub(crate) fn find(&self, name: &str) -> Option<&HostFunction> {
        self.functions.iter().rev().find(|function| function.name == name)
    }
}

/// The name of an interface without its version, and the version.
fn versioned(name: &str) -> (&str, Option<&str>) {
    name.split_once('@').map_or((name, None), |(name, version)| (name, Some(version)))
}
