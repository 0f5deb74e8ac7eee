//! `wasi_snapshot_preview1`: the registration table, in the order of the specification.
//!
//! A row gives a function's name, its parameters (`i` for i32, `I` for i64) and how it is bound. A row
//! that is `missing` answers `ENOSYS`. The functions themselves are plain: they take a [`Call`] and
//! numbers, know nothing of the interpreter, and are tested without it.

pub mod abi;
pub mod clock;
pub mod ctx;
pub mod fd;
pub mod files;
pub mod memory;
pub mod process;

use crate::binary::{Signature, Ty};
use crate::host::{Halt, Host, charge};
use crate::outcome::Stop;
use abi::{Errno, Fault, MODULE};
use ctx::WasiCtx;
use wasmi::{Caller, Error, FuncType, Linker, Val, ValType, WasmTy};

/// What a function of this module works on: the run's context and the guest's memory.
pub struct Call<'a> {
    /// The run's context.
    pub ctx: &'a mut WasiCtx,
    /// All of the guest's memory; empty if it exports none.
    pub memory: &'a mut [u8],
}

type Bound = Result<(), Error>;
type Answer = Result<(), Fault>;

/// One function of the interface.
pub struct Row {
    /// Its name.
    pub name: &'static str,
    params: &'static str,
    bind: Option<fn(&mut Linker<Host>, &str) -> Bound>,
}

const fn row(name: &'static str, params: &'static str, bind: fn(&mut Linker<Host>, &str) -> Bound) -> Row {
    Row { name, params, bind: Some(bind) }
}

const fn missing(name: &'static str, params: &'static str) -> Row {
    Row { name, params, bind: None }
}

/// Every function of preview1.
#[rustfmt::skip]
pub const TABLE: [Row; 46] = [
    row("args_get", "ii", |l, n| bind2(l, n, process::args_get)),
    row("args_sizes_get", "ii", |l, n| bind2(l, n, process::args_sizes_get)),
    row("environ_get", "ii", |l, n| bind2(l, n, process::environ_get)),
    row("environ_sizes_get", "ii", |l, n| bind2(l, n, process::environ_sizes_get)),
    row("clock_res_get", "ii", |l, n| bind2(l, n, clock::clock_res_get)),
    row("clock_time_get", "iIi", |l, n| bind3(l, n, clock::clock_time_get)),
    missing("fd_advise", "iIIi"),
    missing("fd_allocate", "iII"),
    row("fd_close", "i", |l, n| bind1(l, n, fd::fd_close)),
    missing("fd_datasync", "i"),
    row("fd_fdstat_get", "ii", |l, n| bind2(l, n, fd::fd_fdstat_get)),
    row("fd_fdstat_set_flags", "ii", |l, n| bind2(l, n, fd::fd_fdstat_set_flags)),
    missing("fd_fdstat_set_rights", "iII"),
    row("fd_filestat_get", "ii", |l, n| bind2(l, n, fd::fd_filestat_get)),
    missing("fd_filestat_set_size", "iI"),
    missing("fd_filestat_set_times", "iIIi"),
    row("fd_pread", "iiiIi", |l, n| bind5(l, n, fd::fd_pread)),
    row("fd_prestat_get", "ii", |l, n| bind2(l, n, fd::fd_prestat_get)),
    row("fd_prestat_dir_name", "iii", |l, n| bind3(l, n, fd::fd_prestat_dir_name)),
    row("fd_pwrite", "iiiIi", |l, n| bind5(l, n, fd::fd_pwrite)),
    row("fd_read", "iiii", |l, n| bind4(l, n, fd::fd_read)),
    missing("fd_readdir", "iiiIi"),
    missing("fd_renumber", "ii"),
    row("fd_seek", "iIii", |l, n| bind4(l, n, fd::fd_seek)),
    missing("fd_sync", "i"),
    row("fd_tell", "ii", |l, n| bind2(l, n, fd::fd_tell)),
    row("fd_write", "iiii", |l, n| bind4(l, n, fd::fd_write)),
    missing("path_create_directory", "iii"),
    missing("path_filestat_get", "iiiii"),
    missing("path_filestat_set_times", "iiiiIIi"),
    missing("path_link", "iiiiiii"),
    missing("path_open", "iiiiiIIii"),
    missing("path_readlink", "iiiiii"),
    missing("path_remove_directory", "iii"),
    missing("path_rename", "iiiiii"),
    missing("path_symlink", "iiiii"),
    missing("path_unlink_file", "iii"),
    missing("poll_oneoff", "iiii"),
    row("proc_exit", "i", bind_exit),
    missing("proc_raise", "i"),
    row("sched_yield", "", |l, n| bind0(l, n, process::sched_yield)),
    row("random_get", "ii", |l, n| bind2(l, n, process::random_get)),
    missing("sock_accept", "iii"),
    missing("sock_recv", "iiiiii"),
    missing("sock_send", "iiiii"),
    missing("sock_shutdown", "ii"),
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

    /// Whether it does something, rather than answer `ENOSYS`.
    pub fn is_present(&self) -> bool {
        self.bind.is_some()
    }

    /// Makes it known to `linker`.
    pub fn define(&self, linker: &mut Linker<Host>) -> Bound {
        match self.bind {
            Some(bind) => bind(linker, self.name),
            None => {
                let params = self.params.bytes().map(|c| if c == b'I' { ValType::I64 } else { ValType::I32 });
                let ty = FuncType::new(params.collect::<Vec<_>>(), [ValType::I32]);
                linker.func_new(MODULE, self.name, ty, |mut caller, _params, results| {
                    let paid = charge(&mut caller, 0);
                    results[0] = Val::I32(answered(Errno::Nosys, paid)?);
                    Ok(())
                })?;
                Ok(())
            }
        }
    }
}

/// Runs one call: hands out context and memory, charges it, and turns a fault into an errno or a halt.
fn enter(mut caller: Caller<'_, Host>, f: impl FnOnce(&mut Call<'_>) -> Answer) -> Result<i32, Error> {
    let answer = match caller.data().memory {
        Some(handle) => {
            let (memory, host) = handle.data_and_store_mut(&mut caller);
            f(&mut Call { ctx: &mut host.wasi, memory })
        }
        None => f(&mut Call { ctx: &mut caller.data_mut().wasi, memory: &mut [] }),
    };
    let moved = std::mem::take(&mut caller.data_mut().wasi.moved_bytes);
    let paid = charge(&mut caller, moved);
    match answer {
        Ok(()) => answered(Errno::Success, paid),
        Err(Fault::Errno(errno)) => answered(errno, paid),
        Err(Fault::Exit(code)) => Err(Error::host(Halt::Exit(code))),
        Err(Fault::Deadline) => Err(Error::host(Halt::Deadline)),
        Err(Fault::OutputFull { stream, limit }) => {
            Err(Error::host(Halt::Stop(Stop::OutputFull { stream, limit })))
        }
    }
}

/// A number that wasm passes.
trait Arg: WasmTy + 'static {}
impl<T: WasmTy + 'static> Arg for T {}

/// The answer to a guest; by way of a pause if the call is not paid for.
fn answered(errno: Errno, paid: bool) -> Result<i32, Error> {
    if paid { Ok(errno as i32) } else { Err(Error::host(Halt::Pause(errno as i32))) }
}

fn bind0(l: &mut Linker<Host>, name: &str, f: fn(&mut Call<'_>) -> Answer) -> Bound {
    l.func_wrap(MODULE, name, move |caller: Caller<'_, Host>| enter(caller, f))?;
    Ok(())
}

fn bind1<A: Arg>(l: &mut Linker<Host>, name: &str, f: fn(&mut Call<'_>, A) -> Answer) -> Bound {
    l.func_wrap(MODULE, name, move |caller: Caller<'_, Host>, a: A| enter(caller, |call| f(call, a)))?;
    Ok(())
}

fn bind2<A: Arg, B: Arg>(l: &mut Linker<Host>, name: &str, f: fn(&mut Call<'_>, A, B) -> Answer) -> Bound {
    l.func_wrap(MODULE, name, move |caller: Caller<'_, Host>, a: A, b: B| {
        enter(caller, |call| f(call, a, b))
    })?;
    Ok(())
}

fn bind3<A: Arg, B: Arg, C: Arg>(
    l: &mut Linker<Host>,
    name: &str,
    f: fn(&mut Call<'_>, A, B, C) -> Answer,
) -> Bound {
    l.func_wrap(MODULE, name, move |caller: Caller<'_, Host>, a: A, b: B, c: C| {
        enter(caller, |call| f(call, a, b, c))
    })?;
    Ok(())
}

fn bind4<A: Arg, B: Arg, C: Arg, D: Arg>(
    l: &mut Linker<Host>,
    name: &str,
    f: fn(&mut Call<'_>, A, B, C, D) -> Answer,
) -> Bound {
    l.func_wrap(MODULE, name, move |caller: Caller<'_, Host>, a: A, b: B, c: C, d: D| {
        enter(caller, |call| f(call, a, b, c, d))
    })?;
    Ok(())
}

fn bind5<A: Arg, B: Arg, C: Arg, D: Arg, E: Arg>(
    l: &mut Linker<Host>,
    name: &str,
    f: fn(&mut Call<'_>, A, B, C, D, E) -> Answer,
) -> Bound {
    l.func_wrap(MODULE, name, move |caller: Caller<'_, Host>, a: A, b: B, c: C, d: D, e: E| {
        enter(caller, |call| f(call, a, b, c, d, e))
    })?;
    Ok(())
}

/// `proc_exit` alone has no result.
fn bind_exit(l: &mut Linker<Host>, name: &str) -> Bound {
    l.func_wrap(MODULE, name, |caller: Caller<'_, Host>, code: u32| -> Result<(), Error> {
        enter(caller, |call| process::proc_exit(call, code)).map(|_| ())
    })?;
    Ok(())
}
