//! Makes a component's core instances, in the order of its plan.

use super::compile::{Component, Core};
use super::live::{Live, trap};
use crate::base::limits::FRESH_BYTES_PER_MS;
use crate::host::store::{Halt, Host};
use crate::module::component::plan::{CoreFunc, CoreItem, Plan, ResourceOp};
use crate::module::component::types::Flat;
use crate::sandbox::instance::Sandbox;
use wasmi::{AsContextMut, Caller, Error, Extern, Func, FuncType, Instance, Val, ValType};

impl<'a> Sandbox<'a> {
    /// Makes the core instances, and runs their start functions.
    pub(in crate::sandbox) fn instantiate_component(&mut self, component: &'a Component) -> Result<(), Halt> {
        let plan = &component.plan;
        let live = Live::new(plan.core_funcs.len(), plan.memories.len(), plan.instances);
        self.live = Some(Box::new(live));
        self.host().limiter.allow_memories(plan.core_instances.len());
        for (number, instance) in plan.core_instances.iter().enumerate() {
            let module = &component.modules[instance.module];
            self.check_bulk(module.memory_bytes, FRESH_BYTES_PER_MS).map_err(Halt::Stop)?;
            let mut externs = Vec::with_capacity(component.imports[number].len());
            for item in &component.imports[number] {
                externs.push(self.item(plan, *item)?);
            }
            self.host().limiter.sealed = false;
            let made = Instance::new(self.slot.as_context_mut(), &module.module, &externs);
            self.host().limiter.sealed = true;
            let made = made.map_err(|error| Halt::Stop(self.stopped_by(error)))?;
            self.live().core_instances.push(made);
            if let Some(start) = module.start.as_deref().and_then(|name| made.get_func(&*self.slot, name)) {
                self.call_core(start, &[], &mut [])?;
            }
        }
        Ok(())
    }

    fn item(&mut self, plan: &'a Plan, item: CoreItem) -> Result<Extern, Halt> {
        Ok(match item {
            CoreItem::Func(place) => Extern::Func(self.core_func(plan, place)?),
            CoreItem::Memory(place) => Extern::Memory(self.core_memory(plan, place)?),
            CoreItem::Other(place) => {
                let (instance, name) = &plan.others[place as usize];
                let instance = self.live().core_instances.get(*instance as usize).copied();
                let found = instance.and_then(|instance| instance.get_export(&*self.slot, name));
                found.ok_or_else(|| trap("a table or global is not there yet"))?
            }
        })
    }

    /// A core function that pauses its caller, for the sandbox to do what it is for.
    pub(super) fn imported(&mut self, place: u32) -> Result<Func, Halt> {
        let component = self.component()?;
        let ty = func_type(component, &component.plan.core_funcs[place as usize]);
        let func = Func::new(
            self.slot.as_context_mut(),
            ty,
            move |mut caller: Caller<'_, Host>, params: &[Val], _results: &mut [Val]| {
                caller.data_mut().component_args = params.iter().map(super::call::bits).collect();
                Err(Error::host(Halt::Component(place)))
            },
        );
        self.live().core_funcs[place as usize] = Some(func);
        Ok(func)
    }
}

fn func_type(component: &Component, func: &CoreFunc) -> FuncType {
    match func {
        CoreFunc::Lowered(lowered) => {
            let Core { params, result, .. } = &component.lowered[*lowered as usize];
            FuncType::new(params.iter().map(val_type), result.iter().map(val_type))
        }
        CoreFunc::Resource(ResourceOp::Drop, ..) => FuncType::new([ValType::I32], []),
        CoreFunc::Resource(..) => FuncType::new([ValType::I32], [ValType::I32]),
        CoreFunc::Export(..) => FuncType::new([], []),
    }
}

fn val_type(flat: &Flat) -> ValType {
    match flat {
        Flat::I32 => ValType::I32,
        Flat::I64 => ValType::I64,
        Flat::F32 => ValType::F32,
        Flat::F64 => ValType::F64,
    }
}
