//! What the processes for guests use together. A process is in the census from its start until it is given up.

use super::cpu_clock;
use crate::base::lock::lock;
use crate::base::memory::Memory;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What processes use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ProcessUsage {
    /// How many there are.
    pub processes: usize,
    /// The memory that they have for themselves, in bytes; none if the system does not tell.
    pub bytes: Option<u64>,
    /// The processor time that they and their predecessors have used. It never decreases.
    pub cpu: Duration,
}

/// All processes, with the processor time that each had used when that was last looked at.
#[derive(Debug, Default)]
pub struct Census(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    members: HashMap<u32, Duration>,
    /// Of those that are gone.
    gone: Duration,
}

/// A process in the census; it leaves when this is dropped, which is to be before somebody waits for its end.
#[derive(Debug)]
pub struct Member {
    census: Arc<Census>,
    id: u32,
}

impl Census {
    /// Adds the process `id`.
    pub fn join(self: &Arc<Self>, id: u32) -> Member {
        lock(&self.0).members.insert(id, Duration::ZERO);
        Member { census: Arc::clone(self), id }
    }

    /// What they use now.
    pub fn usage(&self) -> ProcessUsage {
        let mut counted = lock(&self.0);
        let mut bytes = None;
        for (id, used) in &mut counted.members {
            *used = cpu_clock::of(*id).unwrap_or_default().max(*used);
            if let Some(memory) = Memory::of(*id) {
                *bytes.get_or_insert(0) += memory.resident.saturating_sub(memory.of_files);
            }
        }
        let cpu = counted.gone + counted.members.values().sum::<Duration>();
        ProcessUsage { processes: counted.members.len(), bytes, cpu }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let mut counted = lock(&self.census.0);
        let seen = counted.members.remove(&self.id).unwrap_or_default();
        counted.gone += cpu_clock::of(self.id).unwrap_or_default().max(seen);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_those_that_are_gone_stays() {
        let census = Arc::new(Census::default());
        assert_eq!(census.usage(), ProcessUsage::default());
        // This process is as good as any.
        let member = census.join(std::process::id());
        let during = census.usage();
        assert_eq!(during.processes, 1);
        assert!(during.cpu > Duration::ZERO);
        assert!(during.bytes.is_none_or(|bytes| bytes > 100_000), "{during:?}");
        drop(member);
        let after = census.usage();
        assert_eq!((after.processes, after.bytes), (0, None));
        assert!(after.cpu >= during.cpu);
        // One that has ended already.
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let gone = census.join(child.id());
        let _ = child.wait();
        assert_eq!(census.usage(), ProcessUsage { processes: 1, bytes: None, cpu: after.cpu });
        drop(gone);
    }
}
