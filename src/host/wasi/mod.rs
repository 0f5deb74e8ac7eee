//! `wasi_snapshot_preview1`: the registration table, in the order of the specification.
//!
//! A row gives a function's name, its parameters (`i` for i32, `I` for i64) and how it is bound. The functions
//! themselves are plain: they take a [`Call`] and numbers, know nothing of the interpreter, and are tested
//! without it.

pub mod abi;
pub mod clock;
pub mod ctx;
pub mod dir;
pub mod entropy;
pub mod fd;
pub mod files;
pub mod listing;
pub mod memory;
pub mod path;
pub mod poll;
pub mod preopen;
pub mod process;
pub mod sock;
pub mod stat;

pub use ctx::Call;

use crate::base::outcome::Stop;
use crate::host::store::{Halt, Host, charge};
use crate::module::reader::{Signature, Ty};
use abi::{Errno, Fault, MODULE};
use clock::Clock;
use std::panic::{AssertUnwindSafe, catch_unwind};
use wasmi::{AsContextMut, Caller, Error, Linker, StoreContextMut, WasmTy};

type Bound = Result<(), Error>;
type Answer = Result<(), Fault>;

/// One function of the interface.
pub struct Row {
    /// Its name.
    pub name: &'static str,
    params: &'static str,
    bind: fn(&mut Linker<Host>, &str) -> Bound,
}

const fn row(name: &'static str, params: &'static str, bind: fn(&mut Linker<Host>, &str) -> Bound) -> Row {
    Row { name, params, bind }
}

/// Every function of preview1.
#[rustfmt::skip]
pub const TABLE: [Row; 46] = [
    row("args_get", "ii", |l, n| bind2(l, n, process::args_get)),
    row("args_sizes_get", "ii", |l, n| bind2(l, n, process::args_sizes_get)),
    row("environ_get", "ii", |l, n| bind2(l, n, process::environ_get)),
    row("environ_sizes_get", "ii", |l, n| bind2(l, n, process::environ_sizes_get)),
    row("clock_res_get", "ii", |l, n| bind2(l, n, process::clock_res_get)),
    row("clock_time_get", "iIi", |l, n| bind3(l, n, process::clock_time_get)),
    row("fd_advise", "iIIi", |l, n| bind4(l, n, fd::fd_advise)),
    row("fd_allocate", "iII", |l, n| bind3(l, n, fd::fd_allocate)),
    row("fd_close", "i", |l, n| bind1(l, n, fd::fd_close)),
    row("fd_datasync", "i", |l, n| bind1(l, n, fd::fd_datasync)),
    row("fd_fdstat_get", "ii", |l, n| bind2(l, n, stat::fd_fdstat_get)),
    row("fd_fdstat_set_flags", "ii", |l, n| bind2(l, n, fd::fd_fdstat_set_flags)),
    row("fd_fdstat_set_rights", "iII", |l, n| bind3(l, n, stat::fd_fdstat_set_rights)),
    row("fd_filestat_get", "ii", |l, n| bind2(l, n, stat::fd_filestat_get)),
    row("fd_filestat_set_size", "iI", |l, n| bind2(l, n, stat::fd_filestat_set_size)),
    row("fd_filestat_set_times", "iIIi", |l, n| bind4(l, n, stat::fd_filestat_set_times)),
    row("fd_pread", "iiiIi", |l, n| bind5(l, n, fd::fd_pread)),
    row("fd_prestat_get", "ii", |l, n| bind2(l, n, preopen::fd_prestat_get)),
    row("fd_prestat_dir_name", "iii", |l, n| bind3(l, n, preopen::fd_prestat_dir_name)),
    row("fd_pwrite", "iiiIi", |l, n| bind5(l, n, fd::fd_pwrite)),
    row("fd_read", "iiii", |l, n| bind4(l, n, fd::fd_read)),
    row("fd_readdir", "iiiIi", |l, n| bind5(l, n, preopen::fd_readdir)),
    row("fd_renumber", "ii", |l, n| bind2(l, n, fd::fd_renumber)),
    row("fd_seek", "iIii", |l, n| bind4(l, n, fd::fd_seek)),
    row("fd_sync", "i", |l, n| bind1(l, n, fd::fd_sync)),
    row("fd_tell", "ii", |l, n| bind2(l, n, fd::fd_tell)),
    row("fd_write", "iiii", |l, n| bind4(l, n, fd::fd_write)),
    row("path_create_directory", "iii", |l, n| bind3(l, n, path::path_create_directory)),
    row("path_filestat_get", "iiiii", |l, n| bind5(l, n, path::path_filestat_get)),
    row("path_filestat_set_times", "iiiiIIi", |l, n| bind7(l, n, path::path_filestat_set_times)),
    row("path_link", "iiiiiii", |l, n| bind7(l, n, path::path_link)),
    row("path_open", "iiiiiIIii", |l, n| bind9(l, n, path::path_open)),
    row("path_readlink", "iiiiii", |l, n| bind6(l, n, path::path_readlink)),
    row("path_remove_directory", "iii", |l, n| bind3(l, n, path::path_remove_directory)),
    row("path_rename", "iiiiii", |l, n| bind6(l, n, path::path_rename)),
    row("path_symlink", "iiiii", |l, n| bind5(l, n, path::path_symlink)),
    row("path_unlink_file", "iii", |l, n| bind3(l, n, path::path_unlink_file)),
    row("poll_oneoff", "iiii", |l, n| bind4(l, n, poll::poll_oneoff)),
    row("proc_exit", "i", bind_exit),
    row("proc_raise", "i", |l, n| bind1(l, n, process::proc_raise)),
    row("sched_yield", "", |l, n| bind0(l, n, process::sched_yield)),
    row("random_get", "ii", |l, n| bind2(l, n, process::random_get)),
    row("sock_accept", "iii", |l, n| bind3(l, n, sock::sock_accept)),
    row("sock_recv", "iiiiii", |l, n| bind6(l, n, sock::sock_recv)),
    row("sock_send", "iiiii", |l, n| bind5(l, n, sock::sock_send)),
    row("sock_shutdown", "ii", |l, n| bind2(l, n, sock::sock_shutdown)),
];

/// The row called `name`.
pub fn find(name: &str) -> Option<&'static Row> {
    static ROWS: [Row; 46] = TABLE;
    ROWS.iter().find(|row| row.name == name)
}

impl Row {
    /// The type that a guest must import it with.
    pub fn signature(&self) -> Signature {
        let params = self.params.bytes().map(|c| if c == b'I' { Ty::I64 } else { Ty::I32 }).collect();
        let results = if self.name == "proc_exit" { vec![] } else { vec![Ty::I32] };
        Signature { params, results }
    }

    /// Makes it known to `linker`.
    pub fn define(&self, linker: &mut Linker<Host>) -> Bound {
        (self.bind)(linker, self.name)
    }
}

/// Makes one call: hands out context and memory, charges it, and turns a fault into an errno or a halt.
/// Gives the errno, and whether the guest may go on at once, before the sandbox has looked at its limits.
pub(crate) fn attempt(
    mut store: StoreContextMut<'_, Host>,
    f: &dyn Fn(&mut Call<'_>) -> Answer,
) -> Result<(Errno, bool), Halt> {
    let fuel_used = store.data().fuel_used(store.get_fuel().unwrap_or(0));
    let host = store.data_mut();
    if let Clock::Fuel { used, .. } = &mut host.wasi.clock {
        *used = fuel_used;
    }
    let answer = match host.memory {
        Some(handle) => {
            let (memory, host) = handle.data_and_store_mut(&mut store);
            f(&mut Call { ctx: &mut host.wasi, memory })
        }
        None => f(&mut Call { ctx: &mut host.wasi, memory: &mut [] }),
    };
    let answered = match answer {
        Ok(()) => Ok(Errno::Success),
        Err(Fault::Errno(errno)) => Ok(errno),
        Err(Fault::Exit(code)) => Err(Halt::Exit(code)),
        Err(Fault::OutputFull { stream, limit }) => Err(Halt::Stop(Stop::OutputFull { stream, limit })),
        Err(Fault::NoMemory) => {
            return Err(Halt::Stop(Stop::NoMemory { what: "the guest's input or output" }));
        }
        Err(Fault::InputTooLarge { limit }) => return Err(Halt::Stop(Stop::InputTooLarge { limit })),
        // It is paid for when it is made again.
        Err(Fault::Wait(wait)) => return Err(Halt::Wait(wait, None)),
    };
    let paid = charge(&mut store);
    let waited = std::mem::take(&mut store.data_mut().wasi.may_have_waited);
    answered.map(|errno| (errno, paid && !waited))
}

/// A call from the guest. One that has to wait, or to be looked at, goes back to the sandbox.
fn enter(
    mut caller: Caller<'_, Host>,
    f: impl Fn(&mut Call<'_>) -> Answer + Send + Sync + 'static,
) -> Result<i32, Error> {
    let attempted = catch_unwind(AssertUnwindSafe(|| attempt(caller.as_context_mut(), &f)));
    Err(Error::host(match attempted {
        Ok(Ok((errno, true))) => return Ok(errno as i32),
        Ok(Ok((errno, false))) => Halt::Pause((errno as i32).into()),
        Ok(Err(Halt::Wait(wait, _))) => Halt::Wait(wait, Some(Box::new(f))),
        Ok(Err(halt)) => halt,
        Err(_) => Halt::Panicked,
    }))
}

/// A number that wasm passes.
trait Arg: WasmTy + Copy + Send + Sync + 'static {}
impl<T: WasmTy + Copy + Send + Sync + 'static> Arg for T {}

macro_rules! bind {
    ($name:ident $($arg:ident: $ty:ident),*) => {
        #[allow(clippy::too_many_arguments)]
        fn $name<$($ty: Arg),*>(
            linker: &mut Linker<Host>,
            name: &str,
            f: fn(&mut Call<'_>, $($ty),*) -> Answer,
        ) -> Bound {
            linker.func_wrap(MODULE, name, move |caller: Caller<'_, Host>, $($arg: $ty),*| {
                enter(caller, move |call: &mut Call<'_>| f(call, $($arg),*))
            })?;
            Ok(())
        }
    };
}

bind!(bind0);
bind!(bind1 a: A);
bind!(bind2 a: A, b: B);
bind!(bind3 a: A, b: B, c: C);
bind!(bind4 a: A, b: B, c: C, d: D);
bind!(bind5 a: A, b: B, c: C, d: D, e: E);
bind!(bind6 a: A, b: B, c: C, d: D, e: E, f1: F);
bind!(bind7 a: A, b: B, c: C, d: D, e: E, f1: F, g: G);
bind!(bind9 a: A, b: B, c: C, d: D, e: E, f1: F, g: G, h: H, i: I);

/// `proc_exit` alone has no result.
fn bind_exit(l: &mut Linker<Host>, name: &str) -> Bound {
    l.func_wrap(MODULE, name, |caller: Caller<'_, Host>, code: u32| -> Result<(), Error> {
        enter(caller, move |call: &mut Call<'_>| process::proc_exit(call, code)).map(|_| ())
    })?;
    Ok(())
}
