//! The index spaces of a component while its plan is made.

use super::decode::Component;
use super::plan::{CoreExports, CoreItem, Export, InstanceId};
use super::types::{FuncTy, ResourceId, Ty};
use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;
use wasmparser::InstanceTypeDeclaration;

/// A type, by its index.
#[derive(Clone)]
pub enum Type<'a> {
    /// Of values.
    Value(Ty),
    /// Of functions.
    Func(Arc<FuncTy>),
    /// A resource.
    Resource(ResourceId),
    /// Of instances, as it is declared, with where its indices count.
    Instance(&'a [InstanceTypeDeclaration<'a>], Rc<Outer<'a>>),
    /// Of components. Nothing of it is needed.
    Component,
}

/// What components within this one may refer to.
#[derive(Default)]
pub struct Outer<'a> {
    /// Types.
    pub types: RefCell<Vec<Type<'a>>>,
    /// Core modules.
    pub modules: RefCell<Vec<Range<usize>>>,
    /// Components.
    pub components: RefCell<Vec<Closure<'a>>>,
    /// The one around it.
    pub outer: Option<Rc<Outer<'a>>>,
}

/// A component, and what is around it.
#[derive(Clone)]
pub struct Closure<'a> {
    /// Its definitions.
    pub component: &'a Component<'a>,
    /// What is around it.
    pub outer: Rc<Outer<'a>>,
}

/// An item that has a name: an export, an import, an argument.
#[derive(Clone)]
pub enum Item<'a> {
    /// A function: a place in the plan.
    Func(u32),
    /// An instance.
    Instance(Items<'a>),
    /// A type.
    Type(Type<'a>),
    /// A component.
    Component(Closure<'a>),
    /// A core module.
    Module(Range<usize>),
}

/// Items by name, in their order.
pub type Items<'a> = Rc<Named<'a>>;

/// See [`Items`].
#[derive(Default)]
pub struct Named<'a> {
    list: Vec<(Arc<str>, Item<'a>)>,
    places: HashMap<Arc<str>, usize>,
}

impl<'a> Named<'a> {
    /// Adds an item. The first of a name counts; validation has refused a second.
    pub fn push(&mut self, name: &str, item: Item<'a>) {
        let name: Arc<str> = name.into();
        self.places.entry(Arc::clone(&name)).or_insert(self.list.len());
        self.list.push((name, item));
    }

    /// The item called `name`.
    pub fn get(&self, name: &str) -> Option<&Item<'a>> {
        self.places.get(name).map(|place| &self.list[*place].1)
    }

    /// As a plan has it: with instances, but not with those within them, which can be many times what the component has.
    pub fn exports(&self) -> Vec<(Arc<str>, Export)> {
        let export = |item: &Item<'_>| match item {
            Item::Instance(items) => Export::Instance(
                items.list.iter().map(|(name, item)| (Arc::clone(name), item.export())).collect(),
            ),
            item => item.export(),
        };
        self.list.iter().map(|(name, item)| (Arc::clone(name), export(item))).collect()
    }
}

impl Item<'_> {
    fn export(&self) -> Export {
        match self {
            Item::Func(func) => Export::Func(*func),
            Item::Type(Type::Value(ty)) => Export::Type(*ty),
            Item::Type(Type::Resource(id)) => Export::Resource(*id),
            _ => Export::Other,
        }
    }
}

/// The index spaces of a component that is being instantiated.
pub struct Scope<'a> {
    /// The number of the instance.
    pub instance: InstanceId,
    /// Types, modules and components.
    pub shared: Rc<Outer<'a>>,
    /// Functions: places in the plan.
    pub funcs: Vec<u32>,
    /// Instances.
    pub instances: Vec<Items<'a>>,
    /// Core functions: places in the plan.
    pub core_funcs: Vec<u32>,
    /// Core memories: places in the plan.
    pub memories: Vec<u32>,
    /// Core tables.
    pub tables: Vec<CoreItem>,
    /// Core globals.
    pub globals: Vec<CoreItem>,
    /// Core instances.
    pub core_instances: Vec<CoreExports>,
    /// What it exports so far.
    pub exports: Named<'a>,
}

impl<'a> Scope<'a> {
    /// The empty index spaces of an instance within `outer`.
    pub fn new(instance: InstanceId, outer: Option<Rc<Outer<'a>>>) -> Scope<'a> {
        Scope {
            instance,
            shared: Rc::new(Outer { outer, ..Outer::default() }),
            funcs: Vec::new(),
            instances: Vec::new(),
            core_funcs: Vec::new(),
            memories: Vec::new(),
            tables: Vec::new(),
            globals: Vec::new(),
            core_instances: Vec::new(),
            exports: Named::default(),
        }
    }

    /// Gives an item the next index of its kind.
    pub fn push(&mut self, item: Item<'a>) {
        match item {
            Item::Func(func) => self.funcs.push(func),
            Item::Instance(items) => self.instances.push(items),
            Item::Type(ty) => self.shared.types.borrow_mut().push(ty),
            Item::Component(closure) => self.shared.components.borrow_mut().push(closure),
            Item::Module(range) => self.shared.modules.borrow_mut().push(range),
        }
    }
}

impl<'a> Outer<'a> {
    /// What is `count` components further out.
    pub fn further(self: &Rc<Self>, count: u32) -> Option<Rc<Outer<'a>>> {
        let mut at = Rc::clone(self);
        for _ in 0..count {
            let outer = Rc::clone(at.outer.as_ref()?);
            at = outer;
        }
        Some(at)
    }

    /// The type with this index.
    pub fn ty(&self, index: u32) -> Option<Type<'a>> {
        self.types.borrow().get(index as usize).cloned()
    }
}
