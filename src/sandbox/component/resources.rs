//! What a component does to resources: it makes them, drops them, and has handles of them.

use super::handles::Entry;
use super::live::trap;
use crate::host::component::function::Fail;
use crate::host::store::Halt;
use crate::module::component::plan::{Plan, Resource, ResourceOp};
use crate::module::component::types::ResourceId;
use crate::sandbox::instance::Sandbox;
use wasmi::Val;

impl<'a> Sandbox<'a> {
    /// `resource.new`, `resource.drop` and `resource.rep`.
    pub(super) fn resource(
        &mut self,
        plan: &'a Plan,
        op: ResourceOp,
        resource: ResourceId,
        instance: u32,
        arg: u32,
    ) -> Result<Option<Val>, Halt> {
        let live = self.live();
        let state = &mut live.instances[instance as usize];
        match op {
            ResourceOp::Rep => {
                let rep = state.handles.get(arg, resource).map_err(trap)?.rep;
                Ok(Some(Val::I32(rep as i32)))
            }
            ResourceOp::New => {
                live.check_leave(instance)?;
                let index =
                    self.add_handle(instance, Entry { resource, rep: arg, lent_to: None, lends: 0 })?;
                Ok(Some(Val::I32(index as i32)))
            }
            ResourceOp::Drop => {
                live.check_leave(instance)?;
                let entry = live.instances[instance as usize].handles.remove(arg, resource).map_err(trap)?;
                match entry.lent_to {
                    Some(task) => {
                        if let Some(task) = live.tasks.get_mut(task as usize) {
                            task.borrows = task.borrows.saturating_sub(1);
                        }
                    }
                    None => self.destroy(plan, resource, instance, entry.rep)?,
                }
                Ok(None)
            }
        }
    }

    /// Gives an instance a handle, whose place is counted as memory of the guest.
    pub(super) fn add_handle(&mut self, instance: u32, entry: Entry) -> Result<u32, Halt> {
        let live = self.live.as_mut().ok_or_else(|| trap("no component"))?;
        let handles = &mut live.instances[instance as usize].handles;
        let more = handles.bytes_of_next();
        if !self.slot.data_mut().limiter.take_outside(more) {
            return Err(trap("a handle is more than the memory limit leaves (--memory-pages)"));
        }
        handles.add(entry).map_err(trap)
    }

    /// Ends a resource that nobody owns any more.
    fn destroy(&mut self, plan: &'a Plan, resource: ResourceId, by: u32, rep: u32) -> Result<(), Halt> {
        match &plan.resources[resource.0 as usize] {
            Resource::Host { .. } => {
                let live = self.live.as_mut().ok_or_else(|| trap("no component"))?;
                let wasi = &mut self.slot.data_mut().wasi;
                live.table.drop(rep, wasi).map_err(|fail| match fail {
                    Fail::Stop(stop) => Halt::Stop(stop),
                    Fail::Trap(why) => trap(why),
                    _ => trap("a resource cannot be dropped"),
                })
            }
            Resource::Guest { instance, destructor: None } => {
                let may_enter = self.live().instances[*instance as usize].may_enter;
                match *instance == by || may_enter {
                    true => Ok(()),
                    false => {
                        Err(trap("a resource is dropped while the component that implements it is called"))
                    }
                }
            }
            Resource::Guest { instance, destructor: Some(func) } => {
                let function = self.core_func(plan, *func)?;
                let params = [Val::I32(rep as i32)];
                if *instance == by {
                    // It may drop others, whose destructor drops others.
                    self.live().begin()?;
                    self.call_core(function, &params, &mut [])?;
                    return self.live().end();
                }
                self.enter(*instance)?;
                self.call_core(function, &params, &mut [])?;
                self.leave(*instance)
            }
        }
    }
}
