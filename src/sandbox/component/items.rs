//! Core functions and memories of a running component, by their place in the plan.

use super::live::trap;
use crate::host::store::Halt;
use crate::module::component::plan::{CoreFunc, Plan};
use crate::sandbox::instance::Sandbox;
use wasmi::{Extern, Func};

impl Sandbox<'_> {
    /// The core function with this place in the plan.
    pub(super) fn core_func(&mut self, plan: &Plan, place: u32) -> Result<Func, Halt> {
        if let Some(func) = self.live().core_funcs[place as usize] {
            return Ok(func);
        }
        let CoreFunc::Export(instance, name) = &plan.core_funcs[place as usize] else {
            return self.imported(place);
        };
        let instance = self.live().core_instances.get(*instance as usize).copied();
        let found = instance.and_then(|instance| instance.get_func(&*self.slot, name));
        let func = found.ok_or_else(|| trap("a core function is not there yet"))?;
        self.live().core_funcs[place as usize] = Some(func);
        Ok(func)
    }

    pub(super) fn core_memory(&mut self, plan: &Plan, place: u32) -> Result<wasmi::Memory, Halt> {
        if let Some(memory) = self.live().memories[place as usize] {
            return Ok(memory);
        }
        let (instance, name) = &plan.memories[place as usize];
        let instance = self.live().core_instances.get(*instance as usize).copied();
        let found = instance.and_then(|instance| instance.get_export(&*self.slot, name));
        let memory = found.and_then(Extern::into_memory).ok_or_else(|| trap("a memory is not there yet"))?;
        self.live().memories[place as usize] = Some(memory);
        Ok(memory)
    }

    /// The bytes of the memory with this place in the plan.
    pub(super) fn core_memory_mut(&mut self, plan: &Plan, place: u32) -> Result<&mut [u8], Halt> {
        Ok(self.core_memory(plan, place)?.data_mut(&mut *self.slot))
    }
}
