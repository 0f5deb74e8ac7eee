//! A component while it runs: its instances, their handles and what the host keeps for them.

use super::handles::Handles;
use crate::base::limits::COMPONENT_CALLS_MAX;
use crate::base::outcome::Stop;
use crate::host::component::table::Table;
use crate::host::store::Halt;
use wasmi::{Func, Instance, Memory};

/// Bytes that a resource of the host takes, at a rough guess.
const TABLE_ENTRY_BYTES: usize = 256;

/// The state of a running component.
pub struct Live {
    /// Core instances so far, in the order of the plan.
    pub core_instances: Vec<Instance>,
    /// Core functions of the plan, as far as they were looked up.
    pub core_funcs: Vec<Option<Func>>,
    /// Memories of the plan, as far as they were looked up.
    pub memories: Vec<Option<Memory>>,
    /// Component instances.
    pub instances: Vec<State>,
    /// Calls into component instances that have not ended, the first one first.
    pub tasks: Vec<Task>,
    /// Resources of the host.
    pub table: Table,
    /// Values that were stored in a guest's memory since the last look at the clock.
    pub unchecked_stores: u32,
    /// Runs that have ended, of a warm instance.
    pub runs: u32,
    /// Whether a guest was stopped within it. Nothing is called any more then.
    pub is_poisoned: bool,
}

/// A component instance.
pub struct State {
    /// Its handles.
    pub handles: Handles,
    /// Whether it may be called. It may not while it is called already.
    pub may_enter: bool,
    /// Whether it may call. It may not while the host passes values to it.
    pub may_leave: bool,
}

/// A call into a component instance.
#[derive(Default)]
pub struct Task {
    /// Handles that were lent for it, and are not yet dropped.
    pub borrows: u32,
}

impl Live {
    /// A component without instances.
    pub fn new(core_funcs: usize, memories: usize, instances: usize) -> Live {
        let state = || State { handles: Handles::default(), may_enter: true, may_leave: true };
        Live {
            core_instances: Vec::new(),
            core_funcs: vec![None; core_funcs],
            memories: vec![None; memories],
            instances: (0..instances).map(|_| state()).collect(),
            tasks: Vec::new(),
            table: Table::default(),
            unchecked_stores: 0,
            runs: 0,
            is_poisoned: false,
        }
    }

    /// Whether it can be called once more: nothing was stopped within it.
    pub fn is_idle(&self) -> bool {
        !self.is_poisoned && self.tasks.is_empty()
    }

    /// Bytes that its handles take.
    pub fn handle_bytes(&self) -> usize {
        self.instances.iter().map(|state| state.handles.bytes()).sum()
    }

    /// Bytes that the host keeps for it, beside its memories.
    pub fn bytes(&self) -> usize {
        let Table { account, requests, .. } = &self.table;
        self.handle_bytes() + self.table.len() * TABLE_ENTRY_BYTES + account.bytes() + requests.bytes()
    }

    /// Begins a call, if there are not too many within each other.
    pub fn begin(&mut self) -> Result<(), Halt> {
        if self.is_poisoned {
            return Err(trap("the component was stopped before"));
        }
        if self.tasks.len() >= COMPONENT_CALLS_MAX {
            return Err(trap(format!(
                "more than {COMPONENT_CALLS_MAX} calls between components within each other"
            )));
        }
        self.tasks.push(Task::default());
        Ok(())
    }

    /// Ends it.
    pub fn end(&mut self) -> Result<(), Halt> {
        match self.tasks.pop() {
            Some(Task { borrows: 0 }) => Ok(()),
            _ => Err(trap("borrowed handles are left at the end of a call")),
        }
    }

    /// Whether `instance` may call something.
    pub fn check_leave(&self, instance: u32) -> Result<(), Halt> {
        if self.instances[instance as usize].may_leave {
            return Ok(());
        }
        Err(trap("a component instance calls out while values are passed to it"))
    }
}

/// The guest is stopped for this reason.
pub(super) fn trap(why: impl Into<String>) -> Halt {
    Halt::Stop(Stop::Trap(why.into()))
}
