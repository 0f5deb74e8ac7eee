//! Tables of host functions, one for each module that guests import from, and wrappers that turn plain Rust
//! functions into host functions.
//!
//! A host function has one of two forms: on a [`Call`] for WASI ([`call1`]), or on the whole [`Host`] for
//! Extism ([`host1`]). Neither knows the interpreter, and both are tested without it. The wrapper makes the
//! call, charges it, and pauses if the sandbox must check the limits first. A panic in a host function stops
//! only that run.

use crate::base::outcome::Stop;
use crate::host::store::{Again, Answer, Halt, Host, Later, charge};
use crate::host::wasi::abi::{Errno, Fault};
use crate::host::wasi::ctx::Call;
use crate::host::wasi::time::Clock;
use crate::module::reader::{Signature, Ty};
use std::panic::{AssertUnwindSafe, catch_unwind};
use wasmi::{AsContextMut, Caller, Error, Func, Store, StoreContextMut, WasmRet, WasmTy};

/// One function of a table.
pub struct Row {
    /// Its name.
    pub name: &'static str,
    params: &'static str,
    results: &'static str,
    create: fn(&mut Store<Host>) -> Func,
}

impl Row {
    /// The function `name`. In `params` and `results`, `i` is an i32 and `I` an i64. `create` makes it in a
    /// store, usually with [`call1`], [`host1`] and the like.
    pub const fn new(
        name: &'static str,
        params: &'static str,
        results: &'static str,
        create: fn(&mut Store<Host>) -> Func,
    ) -> Row {
        Row { name, params, results, create }
    }

    /// The function, for the guests of `store`.
    pub fn create(&self, store: &mut Store<Host>) -> Func {
        (self.create)(store)
    }

    /// The type that a guest must import it with.
    pub fn signature(&self) -> Signature {
        let types = |text: &str| text.bytes().map(|c| if c == b'I' { Ty::I64 } else { Ty::I32 }).collect();
        Signature { params: types(self.params), results: types(self.results), wit: None }
    }
}

/// The functions of one module that guests import from.
pub struct Interface {
    /// The module's name.
    pub module: &'static str,
    /// Its functions.
    pub rows: &'static [Row],
}

impl Interface {
    /// The row with this name.
    pub fn find(&self, name: &str) -> Option<&'static Row> {
        self.rows.iter().find(|row| row.name == name)
    }
}

/// A number that wasm can pass.
pub trait Number: WasmTy + Copy + Send + Sync + 'static {}
impl<T: WasmTy + Copy + Send + Sync + 'static> Number for T {}

// Functions are passed by pointer, so that each type is compiled once, not each function. That made the binary
// 0.1 MB smaller.

/// Creates a function on a [`Call`] with this many numbers. Its result is an errno.
macro_rules! on_call {
    ($name:ident $($arg:ident: $ty:ident),*) => {
        #[allow(clippy::too_many_arguments)]
        pub fn $name<$($ty: Number),*>(
            store: &mut Store<Host>,
            function: fn(&mut Call<'_>, $($ty),*) -> Result<(), Fault>,
        ) -> Func {
            Func::wrap(store, move |caller: Caller<'_, Host>, $($arg: $ty),*| {
                enter_call(caller, move |call: &mut Call<'_>| function(call, $($arg),*))
            })
        }
    };
}

on_call!(call0);
on_call!(call1 a: A);
on_call!(call2 a: A, b: B);
on_call!(call3 a: A, b: B, c: C);
on_call!(call4 a: A, b: B, c: C, d: D);
on_call!(call5 a: A, b: B, c: C, d: D, e: E);
on_call!(call6 a: A, b: B, c: C, d: D, e: E, f: T6);
on_call!(call7 a: A, b: B, c: C, d: D, e: E, f: T6, g: G);
on_call!(call9 a: A, b: B, c: C, d: D, e: E, f: T6, g: G, h: H, i: I);

/// Creates a function on the [`Host`] with this many numbers.
macro_rules! on_host {
    ($name:ident $($arg:ident: $ty:ident),*) => {
        pub fn $name<R: Into<Answer> + 'static, $($ty: Number),*>(
            store: &mut Store<Host>,
            function: fn(&mut Host, $($ty),*) -> Result<R, Stop>,
        ) -> Func
        where
            Result<R, Error>: WasmRet,
        {
            Func::wrap(store, move |caller: Caller<'_, Host>, $($arg: $ty),*| {
                enter(caller, |store| function(store.data_mut(), $($arg),*).map_err(Halt::Stop))
            })
        }
    };
}

on_host!(host0);
on_host!(host1 a: A);
on_host!(host2 a: A, b: B);

/// Creates a function on the [`Host`] with two numbers that may wait for something outside.
pub fn later2<R: Into<Answer> + 'static, A: Number, B: Number>(
    store: &mut Store<Host>,
    function: fn(&mut Host, A, B) -> Result<R, Stop>,
) -> Func
where
    Result<R, Error>: WasmRet,
{
    Func::wrap(store, move |_: Caller<'_, Host>, a: A, b: B| -> Result<R, Error> {
        put_off(move |store| function(store.data_mut(), a, b).map(Into::into).map_err(Halt::Stop))
    })
}

/// Has the sandbox make a call.
///
/// # Errors
/// Always: so it gets there.
pub(super) fn put_off<R>(
    call: impl Fn(&mut StoreContextMut<'_, Host>) -> Result<Answer, Halt> + Send + Sync + 'static,
) -> Result<R, Error> {
    Err(Error::host(Halt::Later(Box::new(call))))
}

/// Makes a call that was put off, and charges it.
pub(crate) fn later(mut store: StoreContextMut<'_, Host>, call: &Later) -> Result<Answer, Halt> {
    charged(&mut store, call).map(|(answer, _)| answer)
}

/// What a function works on that needs the host's data and the guest's memory.
pub(super) fn with_memory<R>(
    store: &mut StoreContextMut<'_, Host>,
    function: impl FnOnce(&mut Host, &mut [u8]) -> R,
) -> R {
    match store.data().memory {
        Some(handle) => {
            let (memory, host) = handle.data_and_store_mut(store);
            function(host, memory)
        }
        None => function(store.data_mut(), &mut []),
    }
}

/// A call from the guest.
pub(super) fn enter<R: Into<Answer>>(
    mut caller: Caller<'_, Host>,
    call: impl FnOnce(&mut StoreContextMut<'_, Host>) -> Result<R, Halt>,
) -> Result<R, Error> {
    let made = catch_unwind(AssertUnwindSafe(|| charged(&mut caller.as_context_mut(), call)));
    Err(Error::host(match made {
        Ok(Ok((answer, true))) => return Ok(answer),
        Ok(Ok((answer, false))) => Halt::Pause(answer.into()),
        Ok(Err(halt)) => halt,
        Err(_) => Halt::Panicked,
    }))
}

/// A WASI call from the guest. If it has to wait, it returns to the sandbox with what is needed to repeat it.
pub fn enter_call(
    caller: Caller<'_, Host>,
    function: impl Fn(&mut Call<'_>) -> Result<(), Fault> + Copy + Send + Sync + 'static,
) -> Result<i32, Error> {
    enter(caller, |store| match on_call(store, &function) {
        Err(Halt::Wait(wait, None)) => Err(Halt::Wait(wait, Some(Box::new(function)))),
        answer => answer,
    })
}

/// Repeats a call that has waited. Returns the errno, and whether the guest may continue before the sandbox
/// checks its limits.
pub(crate) fn again(mut store: StoreContextMut<'_, Host>, function: &Again) -> Result<(i32, bool), Halt> {
    charged(&mut store, |store| on_call(store, function))
}

/// Makes a call and charges it. Returns its result, and whether the guest may continue at once.
fn charged<R>(
    store: &mut StoreContextMut<'_, Host>,
    call: impl FnOnce(&mut StoreContextMut<'_, Host>) -> Result<R, Halt>,
) -> Result<(R, bool), Halt> {
    let answer = call(store);
    if matches!(answer, Err(Halt::Wait(..))) {
        // It is charged when it is repeated.
        return answer.map(|answer| (answer, false));
    }
    let is_paid = charge(store);
    let has_waited = std::mem::take(&mut store.data_mut().wasi.may_have_waited);
    answer.map(|answer| (answer, is_paid && !has_waited))
}

/// Gives the call its context and memory, and converts a fault into an errno or a halt.
fn on_call(
    store: &mut StoreContextMut<'_, Host>,
    function: &dyn Fn(&mut Call<'_>) -> Result<(), Fault>,
) -> Result<i32, Halt> {
    let fuel_used = store.data().fuel_used(store.get_fuel().unwrap_or(0));
    let host = store.data_mut();
    if let Clock::Fuel { used, .. } = &mut host.wasi.clock {
        *used = fuel_used;
    }
    let answer = match host.memory {
        Some(handle) => {
            let (memory, host) = handle.data_and_store_mut(store);
            function(&mut Call { ctx: &mut host.wasi, memory })
        }
        None => function(&mut Call { ctx: &mut host.wasi, memory: &mut [] }),
    };
    match answer {
        Ok(()) => Ok(Errno::Success as i32),
        Err(Fault::Errno(errno)) => Ok(errno as i32),
        Err(Fault::Exit(code)) => Err(Halt::Exit(code)),
        Err(Fault::OutputFull { stream, limit }) => Err(Halt::Stop(Stop::OutputFull { stream, limit })),
        Err(Fault::NoMemory) => Err(Halt::Stop(Stop::NoMemory { what: "the guest's input or output" })),
        Err(Fault::InputTooLarge { limit }) => Err(Halt::Stop(Stop::InputTooLarge { limit })),
        Err(Fault::Wait(wait)) => Err(Halt::Wait(wait, None)),
    }
}
