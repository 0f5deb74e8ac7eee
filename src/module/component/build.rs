//! Makes the plan of a component: walks through its definitions as its instantiation would.

use super::decode::{Component, Definition};
use super::plan::{
    CoreExports, CoreFunc, CoreInstance, CoreItem, Encoding, Func, FuncCode, InstanceId, Lowered, Options,
    Plan, Resource, ResourceOp,
};
use super::problem::too_many;
use super::scope::{Closure, Item, Items, Named, Outer, Scope, Type};
use crate::base::error::LoadProblem;
use crate::base::limits::{COMPONENT_INSTANCES_MAX, COMPONENT_NESTING_MAX, COMPONENT_STEPS_MAX};
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;
use wasmparser::{
    CanonicalFunction, CanonicalOption, ComponentAlias, ComponentExternalKind, ComponentInstance,
    ComponentOuterAliasKind, ExternalKind, Instance,
};

/// The plan of `component`.
///
/// # Errors
/// It makes too much of something, or imports what only another component could provide.
pub fn build(component: &Component<'_>) -> Result<Plan, LoadProblem> {
    let mut builder = Builder::default();
    let closure = Closure { component, outer: Rc::new(Outer::default()) };
    let exports = builder.instantiate(&closure, None)?;
    builder.plan.exports = exports.exports();
    Ok(builder.plan)
}

/// What validation has excluded.
pub(super) fn missing(what: &str) -> LoadProblem {
    LoadProblem::Invalid(format!("the component refers to {what} that is not there"))
}

/// Makes a plan.
#[derive(Default)]
pub(super) struct Builder {
    /// The plan so far.
    pub plan: Plan,
    core_funcs: HashMap<CoreFunc, u32>,
    memories: HashMap<(u32, Arc<str>), u32>,
    others: HashMap<(u32, Arc<str>), u32>,
    modules: HashMap<usize, usize>,
    /// Resources of the host, by interface and name.
    pub host_resources: HashMap<(Arc<str>, Arc<str>), super::types::ResourceId>,
    steps: usize,
    depth: usize,
}

impl Builder {
    /// Counts steps.
    pub fn steps(&mut self, more: usize) -> Result<(), LoadProblem> {
        self.steps += more;
        if self.steps > COMPONENT_STEPS_MAX {
            return Err(too_many("steps to instantiate a component", COMPONENT_STEPS_MAX));
        }
        Ok(())
    }

    /// Instantiates `closure` with `args`. Without `args`, it is the component itself, whose imports are the
    /// host's.
    fn instantiate<'a>(
        &mut self,
        closure: &Closure<'a>,
        args: Option<&Named<'a>>,
    ) -> Result<Items<'a>, LoadProblem> {
        if self.plan.instances >= COMPONENT_INSTANCES_MAX {
            return Err(too_many("instances of components", COMPONENT_INSTANCES_MAX));
        }
        self.depth += 1;
        if self.depth > COMPONENT_NESTING_MAX {
            return Err(too_many("components within each other", COMPONENT_NESTING_MAX));
        }
        let instance = self.plan.instances as InstanceId;
        self.plan.instances += 1;
        let mut scope = Scope::new(instance, Some(Rc::clone(&closure.outer)));
        for definition in closure.component.iter() {
            self.steps(1)?;
            self.define(definition, &mut scope, args)?;
        }
        self.depth -= 1;
        Ok(Rc::new(scope.exports))
    }

    fn define<'a>(
        &mut self,
        definition: &'a Definition<'a>,
        scope: &mut Scope<'a>,
        args: Option<&Named<'a>>,
    ) -> Result<(), LoadProblem> {
        match definition {
            Definition::Module(range) => scope.push(Item::Module(range.clone())),
            Definition::Component(component) => {
                let outer = Rc::clone(&scope.shared);
                scope.push(Item::Component(Closure { component, outer }));
            }
            Definition::CoreInstance(instance) => self.core_instance(instance, scope)?,
            Definition::Instance(instance) => {
                let items = self.instance(instance, scope)?;
                scope.push(Item::Instance(items));
            }
            Definition::Alias(alias) => self.alias(alias, scope)?,
            Definition::Type(ty) => {
                let owner = scope.instance;
                let ty = self.ty(ty, &scope.shared, Some((owner, &scope.core_funcs)))?;
                scope.push(Item::Type(ty));
            }
            Definition::Canonical(function) => self.canonical(function, scope)?,
            Definition::Import(import) => {
                let name = import.name.0;
                let item = match args {
                    Some(args) => args.get(name).cloned().ok_or_else(|| missing("an argument"))?,
                    None => self.import(name, import.ty, &scope.shared)?,
                };
                scope.push(item);
            }
            Definition::Export(export) => {
                let item = item(scope, export.kind, export.index)?;
                scope.exports.push(export.name.0, item.clone());
                scope.push(item);
            }
        }
        Ok(())
    }

    fn core_instance<'a>(
        &mut self,
        instance: &Instance<'a>,
        scope: &mut Scope<'a>,
    ) -> Result<(), LoadProblem> {
        let exports = match instance {
            Instance::FromExports(exports) => {
                let mut items = HashMap::with_capacity(exports.len());
                for export in exports.iter() {
                    self.steps(1)?;
                    let index = export.index as usize;
                    let func = |place: &u32| CoreItem::Func(*place);
                    let memory = |place: &u32| CoreItem::Memory(*place);
                    let item = match export.kind {
                        ExternalKind::Func => scope.core_funcs.get(index).map(func),
                        ExternalKind::Memory => scope.memories.get(index).map(memory),
                        ExternalKind::Table => scope.tables.get(index).copied(),
                        ExternalKind::Global => scope.globals.get(index).copied(),
                        ExternalKind::Tag => None,
                    };
                    items.insert(export.name.into(), item.ok_or_else(|| missing("a core item"))?);
                }
                CoreExports::Named(Arc::new(items))
            }
            Instance::Instantiate { module_index, args } => {
                if self.plan.core_instances.len() >= COMPONENT_INSTANCES_MAX {
                    return Err(too_many("core instances in a component", COMPONENT_INSTANCES_MAX));
                }
                let range = scope.shared.modules.borrow().get(*module_index as usize).cloned();
                let module = self.module(range.ok_or_else(|| missing("a core module"))?);
                let mut given = Vec::with_capacity(args.len());
                for arg in args.iter() {
                    self.steps(1)?;
                    let exports = scope.core_instances.get(arg.index as usize).cloned();
                    given.push((arg.name.into(), exports.ok_or_else(|| missing("a core instance"))?));
                }
                self.plan.core_instances.push(CoreInstance { module, args: given });
                CoreExports::Of(self.plan.core_instances.len() as u32 - 1)
            }
        };
        scope.core_instances.push(exports);
        Ok(())
    }

    fn module(&mut self, range: Range<usize>) -> usize {
        let modules = &mut self.plan.modules;
        *self.modules.entry(range.start).or_insert_with(|| {
            modules.push(range);
            modules.len() - 1
        })
    }

    fn instance<'a>(
        &mut self,
        instance: &ComponentInstance<'a>,
        scope: &mut Scope<'a>,
    ) -> Result<Items<'a>, LoadProblem> {
        let mut named = Named::default();
        match instance {
            ComponentInstance::FromExports(exports) => {
                for export in exports.iter() {
                    self.steps(1)?;
                    named.push(export.name.0, item(scope, export.kind, export.index)?);
                }
                Ok(Rc::new(named))
            }
            ComponentInstance::Instantiate { component_index, args } => {
                for arg in args.iter() {
                    self.steps(1)?;
                    named.push(arg.name, item(scope, arg.kind, arg.index)?);
                }
                let closure = scope.shared.components.borrow().get(*component_index as usize).cloned();
                let closure = closure.ok_or_else(|| missing("a component"))?;
                self.instantiate(&closure, Some(&named))
            }
        }
    }

    fn alias<'a>(&mut self, alias: &ComponentAlias<'a>, scope: &mut Scope<'a>) -> Result<(), LoadProblem> {
        match alias {
            ComponentAlias::InstanceExport { instance_index, name, .. } => {
                let items = scope.instances.get(*instance_index as usize);
                let item = items.and_then(|items| items.get(name)).cloned();
                scope.push(item.ok_or_else(|| missing("an export"))?);
            }
            ComponentAlias::CoreInstanceExport { kind, instance_index, name } => {
                let exports = scope.core_instances.get(*instance_index as usize).cloned();
                let exports = exports.ok_or_else(|| missing("a core instance"))?;
                let item = self.core_item(&exports, *kind, name)?;
                match (kind, item) {
                    (ExternalKind::Table, item) => scope.tables.push(item),
                    (ExternalKind::Global, item) => scope.globals.push(item),
                    (_, CoreItem::Func(func)) => scope.core_funcs.push(func),
                    (_, CoreItem::Memory(memory)) => scope.memories.push(memory),
                    _ => return Err(missing("a core item")),
                }
            }
            ComponentAlias::Outer { kind, count, index } => {
                let outer = scope.shared.further(*count).ok_or_else(|| missing("an outer component"))?;
                let index = *index as usize;
                let item = match kind {
                    ComponentOuterAliasKind::CoreModule => {
                        outer.modules.borrow().get(index).cloned().map(Item::Module)
                    }
                    ComponentOuterAliasKind::Type => outer.types.borrow().get(index).cloned().map(Item::Type),
                    ComponentOuterAliasKind::Component => {
                        outer.components.borrow().get(index).cloned().map(Item::Component)
                    }
                    // Types of core items are not needed after validation, and have no indices here.
                    ComponentOuterAliasKind::CoreType => return Ok(()),
                };
                scope.push(item.ok_or_else(|| missing("an outer item"))?);
            }
        }
        Ok(())
    }

    /// The export `name` of a core instance.
    pub(super) fn core_item(
        &mut self,
        exports: &CoreExports,
        kind: ExternalKind,
        name: &str,
    ) -> Result<CoreItem, LoadProblem> {
        let instance = match exports {
            CoreExports::Named(items) => {
                return items.get(name).copied().ok_or_else(|| missing("a core export"));
            }
            CoreExports::Of(instance) => *instance,
        };
        let name: Arc<str> = name.into();
        Ok(match kind {
            ExternalKind::Func => CoreItem::Func(self.core_func(CoreFunc::Export(instance, name))),
            ExternalKind::Memory => {
                CoreItem::Memory(place(&mut self.memories, &mut self.plan.memories, (instance, name)))
            }
            _ => CoreItem::Other(place(&mut self.others, &mut self.plan.others, (instance, name))),
        })
    }

    fn core_func(&mut self, func: CoreFunc) -> u32 {
        place(&mut self.core_funcs, &mut self.plan.core_funcs, func)
    }

    fn canonical<'a>(
        &mut self,
        function: &CanonicalFunction,
        scope: &mut Scope<'a>,
    ) -> Result<(), LoadProblem> {
        let core = match function {
            CanonicalFunction::Lift { core_func_index, type_index, options } => {
                let core = scope.core_funcs.get(*core_func_index as usize).copied();
                let core = core.ok_or_else(|| missing("a core function"))?;
                let Some(Type::Func(ty)) = scope.shared.ty(*type_index) else {
                    return Err(missing("a function type"));
                };
                let code = FuncCode::Lifted(core, options_of(options, scope)?);
                scope.funcs.push(self.func(Func { ty, code }));
                return Ok(());
            }
            CanonicalFunction::Lower { func_index, options } => {
                let func = scope.funcs.get(*func_index as usize).copied();
                let func = func.ok_or_else(|| missing("a function"))?;
                self.plan.lowered.push(Lowered { func, options: options_of(options, scope)? });
                CoreFunc::Lowered(self.plan.lowered.len() as u32 - 1)
            }
            CanonicalFunction::ResourceNew { resource } => of_resource(ResourceOp::New, *resource, scope)?,
            CanonicalFunction::ResourceDrop { resource } => of_resource(ResourceOp::Drop, *resource, scope)?,
            CanonicalFunction::ResourceRep { resource } => of_resource(ResourceOp::Rep, *resource, scope)?,
            _ => {
                return Err(LoadProblem::Invalid(
                    "asynchronous components (WASI 0.3) are not supported, only WASI 0.2".into(),
                ));
            }
        };
        let core = self.core_func(core);
        scope.core_funcs.push(core);
        Ok(())
    }

    /// Adds a function.
    pub fn func(&mut self, func: Func) -> u32 {
        self.plan.funcs.push(func);
        self.plan.funcs.len() as u32 - 1
    }

    /// Adds a resource type.
    pub fn resource(&mut self, resource: Resource) -> super::types::ResourceId {
        self.plan.resources.push(resource);
        super::types::ResourceId(self.plan.resources.len() as u32 - 1)
    }
}

/// The place of `item` in `list`, to which it is added if it is not there.
fn place<T: Clone + Eq + std::hash::Hash>(places: &mut HashMap<T, u32>, list: &mut Vec<T>, item: T) -> u32 {
    *places.entry(item).or_insert_with_key(|item| {
        list.push(item.clone());
        list.len() as u32 - 1
    })
}

fn of_resource(op: ResourceOp, index: u32, scope: &Scope<'_>) -> Result<CoreFunc, LoadProblem> {
    match scope.shared.ty(index) {
        Some(Type::Resource(id)) => Ok(CoreFunc::Resource(op, id, scope.instance)),
        _ => Err(missing("a resource")),
    }
}

fn options_of(options: &[CanonicalOption], scope: &Scope<'_>) -> Result<Options, LoadProblem> {
    let mut out = Options {
        instance: scope.instance,
        encoding: Encoding::Utf8,
        memory: None,
        realloc: None,
        post_return: None,
    };
    let func = |index: u32| {
        let func = scope.core_funcs.get(index as usize).copied();
        func.map(Some).ok_or_else(|| missing("a core function"))
    };
    for option in options {
        match *option {
            CanonicalOption::UTF8 => out.encoding = Encoding::Utf8,
            CanonicalOption::UTF16 => out.encoding = Encoding::Utf16,
            CanonicalOption::CompactUTF16 => out.encoding = Encoding::Latin1OrUtf16,
            CanonicalOption::Memory(index) => {
                let memory = scope.memories.get(index as usize).copied();
                out.memory = Some(memory.ok_or_else(|| missing("a memory"))?);
            }
            CanonicalOption::Realloc(index) => out.realloc = func(index)?,
            CanonicalOption::PostReturn(index) => out.post_return = func(index)?,
            CanonicalOption::Async | CanonicalOption::Callback(_) => {
                return Err(LoadProblem::Invalid(
                    "asynchronous functions (WASI 0.3) are not supported".into(),
                ));
            }
        }
    }
    Ok(out)
}

/// The item of this kind with this index.
fn item<'a>(scope: &Scope<'a>, kind: ComponentExternalKind, index: u32) -> Result<Item<'a>, LoadProblem> {
    let index = index as usize;
    let shared = &scope.shared;
    let item = match kind {
        ComponentExternalKind::Func => scope.funcs.get(index).copied().map(Item::Func),
        ComponentExternalKind::Instance => scope.instances.get(index).cloned().map(Item::Instance),
        ComponentExternalKind::Type => shared.types.borrow().get(index).cloned().map(Item::Type),
        ComponentExternalKind::Component => {
            shared.components.borrow().get(index).cloned().map(Item::Component)
        }
        ComponentExternalKind::Module => shared.modules.borrow().get(index).cloned().map(Item::Module),
        ComponentExternalKind::Value => None,
    };
    item.ok_or_else(|| missing("an item"))
}
