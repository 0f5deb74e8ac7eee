//! Resources of the host that a component is called with.

use crate::base::outcome::Stop;
use crate::host::component::fail::Fail;
use crate::host::component::table::{Resource, Table};
use crate::host::component::value::{Handle, Value};
use crate::sandbox::instance::Sandbox;

impl Sandbox<'_> {
    /// Keeps what `make` makes for the component, and gives what stands for it in a call.
    ///
    /// # Errors
    /// There are too many resources.
    pub fn give<R: Resource>(&mut self, make: impl FnOnce(&Table) -> R) -> Result<Value, Stop> {
        let table = &mut self.live().table;
        let what = make(table);
        match table.push(what) {
            Ok(rep) => Ok(Value::Own(Handle::of_host(rep))),
            Err(Fail::Stop(stop)) => Err(stop),
            Err(Fail::Trap(why)) => Err(Stop::Trap(why)),
            Err(_) => Err(Stop::Convention("a resource cannot be made".into())),
        }
    }
}
