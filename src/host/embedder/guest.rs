//! What a function of the embedding program sees of the guest that called it.

use super::trap::Trap;
use crate::base::outcome::Stop;
#[cfg(feature = "component")]
use crate::host::component::{
    fail::Fail,
    table::{Resource, Table},
    value::{Handle, Value},
};
use crate::host::extism::calls;
use crate::host::store::Host;
use std::any::Any;
use std::cell::Cell;

/// The guest that called a function of the embedding program: its memory, and its account of fuel. Offsets and lengths are
/// bytes. Every access is checked, and paid for by the guest.
///
/// ```
/// use fuelbox::{Guest, Trap};
///
/// /// Writes the time of day into the guest's memory, if there is room. Gives its length.
/// fn time_of_day(guest: &mut Guest<'_>, at: u32, room: u32) -> Result<u32, Trap> {
///     let text = "12:34";
///     guest.charge(100);
///     if text.len() <= room as usize {
///         guest.write(at, text.as_bytes())?;
///     }
///     Ok(text.len() as u32)
/// }
/// # fuelbox::HostFunctions::default().add("env", "time_of_day", time_of_day);
/// ```
pub struct Guest<'a> {
    memory: &'a mut [u8],
    host: &'a mut Host,
    /// The resources that are kept for a component.
    #[cfg(feature = "component")]
    table: Option<&'a mut Table>,
    /// Bytes read so far.
    read_bytes: Cell<u64>,
}

/// A value that a resource of a component stands for.
#[cfg(feature = "component")]
struct Kept<T>(T);

#[cfg(feature = "component")]
impl<T: Any + Send> Resource for Kept<T> {}

impl std::fmt::Debug for Guest<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guest").field("memory_bytes", &self.memory.len()).finish_non_exhaustive()
    }
}

impl<'a> Guest<'a> {
    pub(crate) fn new(memory: &'a mut [u8], host: &'a mut Host) -> Guest<'a> {
        Guest {
            memory,
            host,
            #[cfg(feature = "component")]
            table: None,
            read_bytes: Cell::new(0),
        }
    }

    /// A component, with its resources. Its memories are not to be seen.
    #[cfg(feature = "component")]
    pub(crate) fn of_component(host: &'a mut Host, table: &'a mut Table) -> Guest<'a> {
        Guest { memory: &mut [], host, table: Some(table), read_bytes: Cell::new(0) }
    }

    /// Keeps `what` for a component, and gives the value that stands for it: a resource of an interface of the embedding
    /// program. It is dropped when the guest drops its handle, or at the end of the instance.
    ///
    /// # Errors
    /// There are 10,000 resources already; the guest is no component.
    #[cfg(feature = "component")]
    pub fn new_resource<T: Any + Send>(&mut self, what: T) -> Result<Value, Trap> {
        let rep = self.table()?.push(Kept(what)).map_err(trap)?;
        Ok(Value::Own(Handle::of_host(rep)))
    }

    /// What the resource in an argument stands for.
    ///
    /// # Errors
    /// It is no resource, or one of another type.
    #[cfg(feature = "component")]
    pub fn resource<T: Any + Send>(&mut self, argument: &Value) -> Result<&mut T, Trap> {
        let rep = rep(argument)?;
        Ok(&mut self.table()?.get::<Kept<T>>(rep).map_err(trap)?.0)
    }

    /// What the resource in an argument stood for: for a parameter of type `own`, which the guest has given away. It is dropped
    /// with the instance otherwise.
    ///
    /// # Errors
    /// As [`Guest::resource`].
    #[cfg(feature = "component")]
    pub fn take_resource<T: Any + Send>(&mut self, argument: &Value) -> Result<T, Trap> {
        let rep = rep(argument)?;
        Ok(self.table()?.take::<Kept<T>>(rep).map_err(trap)?.0)
    }

    #[cfg(feature = "component")]
    fn table(&mut self) -> Result<&mut Table, Trap> {
        self.table.as_deref_mut().ok_or_else(|| Trap::new("only components have resources"))
    }

    /// The `len` bytes at `offset`.
    ///
    /// # Errors
    /// They are not all in the guest's memory.
    pub fn read(&self, offset: u32, len: u32) -> Result<&[u8], Trap> {
        let begin = offset as usize;
        let end = begin.checked_add(len as usize);
        let bytes =
            end.and_then(|end| self.memory.get(begin..end)).ok_or_else(|| self.outside(offset, len))?;
        self.read_bytes.set(self.read_bytes.get() + u64::from(len));
        Ok(bytes)
    }

    /// The `len` bytes at `offset`, which have to be UTF-8.
    ///
    /// # Errors
    /// They are not, or not all in the guest's memory.
    pub fn read_str(&self, offset: u32, len: u32) -> Result<&str, Trap> {
        std::str::from_utf8(self.read(offset, len)?)
            .map_err(|error| Trap::new(format_args!("the text at {offset} is not UTF-8: {error}")))
    }

    /// Writes `bytes` at `offset`.
    ///
    /// # Errors
    /// They do not all fit into the guest's memory. None is written then.
    pub fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Trap> {
        let begin = offset as usize;
        let place = begin.checked_add(bytes.len()).and_then(|end| self.memory.get_mut(begin..end));
        let Some(place) = place else {
            return Err(self.outside(offset, bytes.len() as u64));
        };
        place.copy_from_slice(bytes);
        self.host.wasi.moved_bytes = self.host.wasi.moved_bytes.saturating_add(bytes.len() as u64);
        Ok(())
    }

    fn outside(&self, offset: u32, len: impl Into<u64>) -> Trap {
        let (len, size) = (len.into(), self.memory.len());
        Trap::new(format_args!("{len} bytes at {offset} are not in the guest's memory of {size} bytes"))
    }

    /// The block of Extism's memory that begins at `offset`: how functions of `extism:host/user` are passed bytes. Empty for
    /// 0.
    ///
    /// # Errors
    /// There is none.
    pub fn block(&self, offset: u64) -> Result<&[u8], Trap> {
        if offset == 0 {
            return Ok(&[]);
        }
        let block = self.host.blocks.get(offset);
        let block =
            block.ok_or_else(|| Trap::new(format_args!("there is no block of memory at {offset}")))?;
        self.read_bytes.set(self.read_bytes.get() + block.len() as u64);
        Ok(block)
    }

    /// Makes a block of Extism's memory and gives its offset, 0 for no bytes. The plug-in frees it, or the end of the call.
    ///
    /// # Errors
    /// The guest's memory limit does not allow it.
    pub fn new_block(&mut self, bytes: &[u8]) -> Result<u64, Trap> {
        calls::block_of(self.host, bytes, "a new block").map_err(|stop| match stop {
            Stop::Trap(why) => Trap::new(why),
            stop => Trap::new(stop),
        })
    }

    /// Takes `fuel` from the guest for what the function does. It is paid when the function returns: a guest that cannot is
    /// stopped then.
    pub fn charge(&mut self, fuel: u64) {
        self.host.wasi.extra_fuel = self.host.wasi.extra_fuel.saturating_add(fuel);
    }

    /// What the run was given as [`GuestEnv::data`](crate::GuestEnv::data), if it is a `T`.
    pub fn data<T: Any>(&self) -> Option<&T> {
        self.host.wasi.data.as_deref()?.downcast_ref()
    }
}

impl Drop for Guest<'_> {
    fn drop(&mut self) {
        self.host.wasi.moved_bytes = self.host.wasi.moved_bytes.saturating_add(self.read_bytes.get());
    }
}

#[cfg(feature = "component")]
fn rep(argument: &Value) -> Result<u32, Trap> {
    match argument {
        Value::Own(handle) | Value::Borrow(handle) => Ok(handle.rep),
        _ => Err(Trap::new("the argument is no resource")),
    }
}

#[cfg(feature = "component")]
fn trap(fail: Fail) -> Trap {
    match fail {
        Fail::Trap(why) => Trap::new(why),
        // The table gives no other.
        Fail::Stop(stop) => Trap::new(stop),
        Fail::Exit(_) | Fail::Wait(_) => Trap::new("a resource cannot be had"),
    }
}
