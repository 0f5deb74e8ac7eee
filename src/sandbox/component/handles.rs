//! The handles of a component instance (`CanonicalABI.md`, "Handle State").

use crate::base::limits::COMPONENT_HANDLES_MAX;
use crate::module::component::types::ResourceId;

/// Why an operation on a handle stops the guest.
pub type Trap = String;

/// What a handle is.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The type of the resource.
    pub resource: ResourceId,
    /// How whoever implements the type knows the resource.
    pub rep: u32,
    /// The call that it was lent for. None if it is owned.
    pub lent_to: Option<u32>,
    /// The calls that it is lent to.
    pub lends: u32,
}

/// Bytes of a place for a handle: lists grow by doubling, and one more has the free places.
const PLACE_BYTES: usize = 2 * (size_of::<Option<Entry>>() + size_of::<u32>());

/// Handles by their index. 0 is never one.
#[derive(Debug, Default)]
pub struct Handles {
    entries: Vec<Option<Entry>>,
    free: Vec<u32>,
}

impl Handles {
    /// Adds a handle, and gives its index.
    ///
    /// # Errors
    /// There are too many.
    pub fn add(&mut self, entry: Entry) -> Result<u32, Trap> {
        if let Some(index) = self.free.pop() {
            self.entries[index as usize] = Some(entry);
            return Ok(index);
        }
        if self.entries.is_empty() {
            self.entries.push(None);
        }
        if self.entries.len() > COMPONENT_HANDLES_MAX {
            return Err(format!("a component instance has more than {COMPONENT_HANDLES_MAX} handles"));
        }
        self.entries.push(Some(entry));
        Ok(self.entries.len() as u32 - 1)
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        self.entries.len() * PLACE_BYTES
    }

    /// Bytes that it takes more with one more handle: none, if there is a place for it.
    pub fn bytes_of_next(&self) -> usize {
        match (self.free.is_empty(), self.entries.is_empty()) {
            (false, _) => 0,
            (true, false) => PLACE_BYTES,
            // 0 has a place, too.
            (true, true) => 2 * PLACE_BYTES,
        }
    }

    /// The handle `index` of type `resource`.
    ///
    /// # Errors
    /// There is none, or it is of another type.
    pub fn get(&mut self, index: u32, resource: ResourceId) -> Result<&mut Entry, Trap> {
        let entry = self.entries.get_mut(index as usize).and_then(Option::as_mut);
        let entry = entry.ok_or_else(|| format!("unknown handle {index}"))?;
        if entry.resource != resource {
            return Err(format!("handle {index} is of another resource type"));
        }
        Ok(entry)
    }

    /// Takes the handle `index` of type `resource` away.
    ///
    /// # Errors
    /// As [`Handles::get`]; it is lent to a call.
    pub fn remove(&mut self, index: u32, resource: ResourceId) -> Result<Entry, Trap> {
        let entry = *self.get(index, resource)?;
        if entry.lends > 0 {
            return Err(format!("handle {index} is lent to a call"));
        }
        self.entries[index as usize] = None;
        self.free.push(index);
        Ok(entry)
    }

    /// A call that `index` was lent to has ended.
    pub fn returned(&mut self, index: u32) {
        if let Some(entry) = self.entries.get_mut(index as usize).and_then(Option::as_mut) {
            entry.lends = entry.lends.saturating_sub(1);
        }
    }
}
