//! A component that is ready for instantiation: its plan, its core modules and the host's functions.

use super::exports::{self, Offered};
use super::hosts::{self, HostFunc};
use crate::base::error::LoadProblem;
use crate::host::embedder::functions::HostFunctions;
use crate::module::component::link::{Kind, Wanted};
use crate::module::component::plan::{CoreItem, FuncCode, Plan};
use crate::module::component::types::{FLAT_MAX, Flat, FuncTy, Types};
use wasmi::{ExternType, ImportType, Module};

/// A compiled component.
pub struct Component {
    /// What its instantiation does.
    pub plan: Plan,
    /// Its core modules, by their place in the plan.
    pub modules: Vec<CoreModule>,
    /// The functions that it offers.
    pub offered: Vec<Offered>,
    /// For each core instance, what it imports.
    pub imports: Vec<Vec<CoreItem>>,
    /// For each function of the plan, the host's function that it is.
    pub hosts: Vec<Option<HostFunc>>,
    /// For each function of the plan that a core function implements, how that is called.
    pub lifted: Vec<Option<Core>>,
    /// For each lowered function, how a core module calls it.
    pub lowered: Vec<Core>,
}

/// A compiled core module.
pub struct CoreModule {
    /// The module.
    pub module: Module,
    /// The name of its start function.
    pub start: Option<String>,
    /// Bytes of its memory at the start.
    pub memory_bytes: u64,
}

/// The core type of a component's function (`flatten_functype` in `CanonicalABI.md`).
pub struct Core {
    /// Parameters, with that for the place of the result.
    pub params: Vec<Flat>,
    /// The result.
    pub result: Option<Flat>,
    /// Whether the parameters lie in memory, and one parameter points to them.
    pub spills: bool,
    /// Whether the core function returns where its result lies.
    pub returns_place: bool,
}

impl Core {
    /// Of a function that a core module imports if `is_import`, or else that one exports.
    fn new(types: &Types, ty: &FuncTy, is_import: bool) -> Core {
        let shape = types.together(ty.params.iter().map(|(_, ty)| *ty));
        let spills = shape.flat > FLAT_MAX;
        let mut params = Vec::new();
        if spills {
            params.push(Flat::I32);
        } else {
            ty.params.iter().for_each(|(_, ty)| types.flatten(*ty, &mut params));
        }
        let mut core = Core { params, result: None, spills, returns_place: false };
        let Some(result) = ty.result else { return core };
        if types.shape(result).flat == 1 {
            let mut flat = Vec::new();
            types.flatten(result, &mut flat);
            core.result = flat.first().copied();
        } else if is_import {
            core.params.push(Flat::I32);
        } else {
            (core.result, core.returns_place) = (Some(Flat::I32), true);
        }
        core
    }
}

impl Component {
    /// The component of this plan and these modules, with these functions of the embedding program.
    ///
    /// # Errors
    /// An import that is not provided.
    pub fn new(
        mut plan: Plan,
        modules: Vec<CoreModule>,
        embedder: &HostFunctions,
    ) -> Result<Component, LoadProblem> {
        // In the order in which the interpreter wants them, which is not always the module's.
        let wanted: Vec<Vec<_>> =
            modules.iter().map(|module| module.module.imports().map(wanted).collect()).collect();
        let imports = plan.link(&wanted)?;
        let hosts = hosts::resolve(&mut plan, embedder)?;
        let types = &plan.types;
        let lifted = plan.funcs.iter().map(|func| match func.code {
            FuncCode::Lifted(..) => Some(Core::new(types, &func.ty, false)),
            FuncCode::Host { .. } => None,
        });
        let lifted = lifted.collect();
        let lowered =
            plan.lowered.iter().map(|lowered| Core::new(types, &plan.funcs[lowered.func as usize].ty, true));
        let lowered = lowered.collect();
        let offered = exports::offered(&plan);
        Ok(Component { plan, modules, offered, imports, hosts, lifted, lowered })
    }

    /// The place in the plan of the function that is offered as `name`, or that has it as its full name.
    pub fn find(&self, name: &str) -> Option<u32> {
        let is_it = |offered: &&Offered| offered.name == name || offered.full_name == name;
        self.offered.iter().find(is_it).map(|offered| offered.func)
    }
}

fn wanted(import: ImportType<'_>) -> Wanted<'_> {
    let kind = match import.ty() {
        ExternType::Func(_) => Kind::Func,
        ExternType::Memory(_) => Kind::Memory,
        ExternType::Table(_) | ExternType::Global(_) => Kind::TableOrGlobal,
    };
    Wanted { module: import.module(), name: import.name(), kind }
}
