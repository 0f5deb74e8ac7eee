//! The plan of a component: what its instantiation does, in order, with all names and indices resolved.
//!
//! A component is a program for making instances, and what that program does depends on nothing outside. So it is run once,
//! when the component is loaded (`build.rs`), and what comes out is a list.

use crate::module::component::types::{FuncTy, ResourceId, Ty, Types};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

/// The number of a component instance. 0 is that of the component itself.
pub type InstanceId = u32;

/// What a component is made of.
#[derive(Default)]
pub struct Plan {
    /// Resolved types.
    pub types: Types,
    /// Where the bytes of core modules are, of those that are instantiated.
    pub modules: Vec<Range<usize>>,
    /// Core instances, in the order in which they are made.
    pub core_instances: Vec<CoreInstance>,
    /// Core functions that something refers to by number.
    pub core_funcs: Vec<CoreFunc>,
    /// Core memories that something refers to by number: the instance that exports it, and the name.
    pub memories: Vec<(u32, Arc<str>)>,
    /// Tables and globals that something refers to by number: the instance that exports it, and the name.
    pub others: Vec<(u32, Arc<str>)>,
    /// Functions of components.
    pub funcs: Vec<Func>,
    /// Functions that core modules import from components.
    pub lowered: Vec<Lowered>,
    /// Resource types.
    pub resources: Vec<Resource>,
    /// The number of component instances.
    pub instances: usize,
    /// What the component exports.
    pub exports: Vec<(Arc<str>, Export)>,
    /// The names of interfaces that it imports, with their versions, and of functions.
    pub imports: Vec<Arc<str>>,
}

/// An instance of a core module.
pub struct CoreInstance {
    /// The place of its module in [`Plan::modules`].
    pub module: usize,
    /// What it imports, by module.
    pub args: Vec<(Arc<str>, CoreExports)>,
}

/// What a core instance exports.
#[derive(Clone)]
pub enum CoreExports {
    /// What the instance with this place exports.
    Of(u32),
    /// These, by name.
    Named(Arc<HashMap<Arc<str>, CoreItem>>),
}

/// A core definition.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum CoreItem {
    /// A function: the place in [`Plan::core_funcs`].
    Func(u32),
    /// A memory: the place in [`Plan::memories`].
    Memory(u32),
    /// A table or a global: the place in [`Plan::others`].
    Other(u32),
}

/// A core function.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum CoreFunc {
    /// An export of a core instance.
    Export(u32, Arc<str>),
    /// A lowered function.
    Lowered(u32),
    /// `resource.new`, `resource.drop` or `resource.rep`, by a component instance.
    Resource(ResourceOp, ResourceId, InstanceId),
}

/// What is done to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum ResourceOp {
    New,
    Drop,
    Rep,
}

/// A function of a component.
pub struct Func {
    /// Its type.
    pub ty: Arc<FuncTy>,
    /// What it does.
    pub code: FuncCode,
}

/// What a function of a component does.
pub enum FuncCode {
    /// It calls a core function, the place in [`Plan::core_funcs`].
    Lifted(u32, Options),
    /// It calls the host: a function of an interface. The interface is empty for one that the component imports by itself.
    Host {
        /// The interface, with its version.
        interface: Arc<str>,
        /// The function.
        name: Arc<str>,
    },
}

/// A function that a core module imports from a component.
pub struct Lowered {
    /// The function, a place in [`Plan::funcs`].
    pub func: u32,
    /// How values are passed.
    pub options: Options,
}

/// How values are passed to and from a core module (`CanonicalABI.md`, "Canonical Options").
#[derive(Clone, Copy)]
pub struct Options {
    /// The component instance.
    pub instance: InstanceId,
    /// How strings are encoded.
    pub encoding: Encoding,
    /// The memory, a place in [`Plan::memories`].
    pub memory: Option<u32>,
    /// The function that provides memory, a place in [`Plan::core_funcs`].
    pub realloc: Option<u32>,
    /// The function that is called after a result was read.
    pub post_return: Option<u32>,
}

/// How strings are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Encoding {
    Utf8,
    Utf16,
    /// Latin-1 or UTF-16, as the highest bit of the length tells.
    Latin1OrUtf16,
}

/// A resource type.
pub enum Resource {
    /// Defined by a component instance, perhaps with a function that is called when one is dropped.
    Guest {
        /// The instance.
        instance: InstanceId,
        /// The function, a place in [`Plan::core_funcs`].
        destructor: Option<u32>,
    },
    /// Of the host: a resource of an interface.
    Host {
        /// The interface, without its version.
        interface: Arc<str>,
        /// The resource.
        name: Arc<str>,
    },
}

/// What a component exports.
#[derive(Clone)]
pub enum Export {
    /// A function: the place in [`Plan::funcs`].
    Func(u32),
    /// An instance, with its exports. Those within it are [`Export::Other`].
    Instance(Vec<(Arc<str>, Export)>),
    /// A type of values.
    Type(Ty),
    /// A resource type.
    Resource(ResourceId),
    /// Something that cannot be called.
    Other,
}
