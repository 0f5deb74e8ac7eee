//! The resources that the host keeps for a component: streams, pollables, descriptors. A guest has handles of them, and never
//! their numbers here.

use super::account::Account;
use super::fail::Fail;
use crate::base::limits::COMPONENT_HANDLES_MAX;
use crate::host::wasi::ctx::WasiCtx;
use std::any::Any;

/// Something that a handle stands for.
pub trait Resource: Any + Send {
    /// It is dropped by the guest.
    fn dropped(&mut self, _ctx: &mut WasiCtx) {}
}

struct Entry {
    what: Box<dyn Resource>,
    parent: Option<u32>,
    children: u32,
}

/// Resources by their number.
#[derive(Default)]
pub struct Table {
    entries: Vec<Option<Entry>>,
    free: Vec<u32>,
    /// What resources keep beside.
    pub account: Account,
    /// What requests keep that a warm instance was given.
    pub requests: Account,
    /// What bodies of responses to calls out keep.
    pub responses: Account,
}

impl Table {
    /// Keeps `what`, and gives its number.
    ///
    /// # Errors
    /// There are too many.
    pub fn push(&mut self, what: impl Resource) -> Result<u32, Fail> {
        self.insert(Entry { what: Box::new(what), parent: None, children: 0 })
    }

    /// Keeps `what`, which must be dropped before `parent` is.
    ///
    /// # Errors
    /// There are too many; there is no `parent`.
    pub fn push_child(&mut self, what: impl Resource, parent: u32) -> Result<u32, Fail> {
        self.entry(parent)?.children += 1;
        let pushed = self.insert(Entry { what: Box::new(what), parent: Some(parent), children: 0 });
        if pushed.is_err() {
            self.entry(parent)?.children -= 1;
        }
        pushed
    }

    fn insert(&mut self, entry: Entry) -> Result<u32, Fail> {
        if let Some(free) = self.free.pop() {
            self.entries[free as usize] = Some(entry);
            return Ok(free);
        }
        if self.entries.len() >= COMPONENT_HANDLES_MAX {
            return Err(Fail::Trap(format!(
                "more than {COMPONENT_HANDLES_MAX} resources of the host are in use"
            )));
        }
        self.entries.push(Some(entry));
        Ok(self.entries.len() as u32 - 1)
    }

    fn entry(&mut self, rep: u32) -> Result<&mut Entry, Fail> {
        let entry = self.entries.get_mut(rep as usize).and_then(Option::as_mut);
        entry.ok_or_else(|| Fail::trap("a resource of the host is gone"))
    }

    /// The resource `rep`.
    ///
    /// # Errors
    /// It is gone, or something else.
    pub fn get<T: Resource>(&mut self, rep: u32) -> Result<&mut T, Fail> {
        let what: &mut dyn Any = &mut *self.entry(rep)?.what;
        what.downcast_mut().ok_or_else(|| Fail::trap("a resource of the host is of another type"))
    }

    /// Takes the resource `rep` out.
    ///
    /// # Errors
    /// As [`Table::get`]; there are children of it.
    pub fn take<T: Resource>(&mut self, rep: u32) -> Result<T, Fail> {
        self.get::<T>(rep)?;
        let what: Box<dyn Any> = self.remove(rep)?;
        let what = what.downcast().map_err(|_| Fail::trap("a resource of the host is of another type"))?;
        Ok(*what)
    }

    /// Drops the resource `rep`, as the guest asked.
    ///
    /// # Errors
    /// It is gone; there are children of it.
    pub fn drop(&mut self, rep: u32, ctx: &mut WasiCtx) -> Result<(), Fail> {
        self.remove(rep)?.dropped(ctx);
        Ok(())
    }

    fn remove(&mut self, rep: u32) -> Result<Box<dyn Resource>, Fail> {
        if self.entry(rep)?.children > 0 {
            return Err(Fail::trap("a resource is dropped before what was made of it"));
        }
        let Some(entry) = self.entries[rep as usize].take() else {
            return Err(Fail::trap("a resource of the host is gone"));
        };
        self.free.push(rep);
        if let Some(parent) = entry.parent
            && let Ok(parent) = self.entry(parent)
        {
            parent.children -= 1;
        }
        Ok(entry.what)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
