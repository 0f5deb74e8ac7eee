//! Resources of the host that a component is called with.

use crate::base::outcome::Stop;
use crate::host::component::fail::Fail;
use crate::host::component::table::Resource;
use crate::host::component::value::{Handle, Value};
use crate::sandbox::instance::Sandbox;

impl Sandbox<'_> {
    /// Keeps `what` for the component, and gives what stands for it in a call.
    ///
    /// # Errors
    /// There are too many resources.
    pub fn give(&mut self, what: impl Resource) -> Result<Value, Stop> {
        match self.live().table.push(what) {
            Ok(rep) => Ok(Value::Own(Handle::of_host(rep))),
            Err(Fail::Stop(stop)) => Err(stop),
            Err(Fail::Trap(why)) => Err(Stop::Trap(why)),
            Err(_) => Err(Stop::Convention("a resource cannot be made".into())),
        }
    }
}
