//! `wasi_snapshot_preview1`: the table of its functions, in the order of the specification. Each call is in the
//! file named after it.

pub mod abi;
pub mod args;
pub mod clock;
pub mod ctx;
pub mod dir;
pub mod entropy;
pub mod fd;
pub(crate) mod files;
pub(crate) mod listing;
pub(crate) mod memory;
pub mod path;
pub mod poll;
pub mod prestat;
pub mod proc;
pub mod random;
pub mod readdir;
pub mod sched;
pub mod sock;
pub mod stat;
pub mod time;

pub use ctx::Call;

use crate::host::functions::{
    Defined, Interface, Row, call0, call1, call2, call3, call4, call5, call6, call7, call9, enter_call,
};
use crate::host::store::Host;
use abi::MODULE;
use wasmi::{Caller, Error, Linker};

/// Every function of preview1.
#[rustfmt::skip]
pub const TABLE: [Row; 46] = [
    Row::new("args_get", "ii", "i", |l, m, n| call2(l, m, n, args::args_get)),
    Row::new("args_sizes_get", "ii", "i", |l, m, n| call2(l, m, n, args::args_sizes_get)),
    Row::new("environ_get", "ii", "i", |l, m, n| call2(l, m, n, args::environ_get)),
    Row::new("environ_sizes_get", "ii", "i", |l, m, n| call2(l, m, n, args::environ_sizes_get)),
    Row::new("clock_res_get", "ii", "i", |l, m, n| call2(l, m, n, clock::clock_res_get)),
    Row::new("clock_time_get", "iIi", "i", |l, m, n| call3(l, m, n, clock::clock_time_get)),
    Row::new("fd_advise", "iIIi", "i", |l, m, n| call4(l, m, n, fd::fd_advise)),
    Row::new("fd_allocate", "iII", "i", |l, m, n| call3(l, m, n, fd::fd_allocate)),
    Row::new("fd_close", "i", "i", |l, m, n| call1(l, m, n, fd::fd_close)),
    Row::new("fd_datasync", "i", "i", |l, m, n| call1(l, m, n, fd::fd_datasync)),
    Row::new("fd_fdstat_get", "ii", "i", |l, m, n| call2(l, m, n, stat::fd_fdstat_get)),
    Row::new("fd_fdstat_set_flags", "ii", "i", |l, m, n| call2(l, m, n, fd::fd_fdstat_set_flags)),
    Row::new("fd_fdstat_set_rights", "iII", "i", |l, m, n| call3(l, m, n, stat::fd_fdstat_set_rights)),
    Row::new("fd_filestat_get", "ii", "i", |l, m, n| call2(l, m, n, stat::fd_filestat_get)),
    Row::new("fd_filestat_set_size", "iI", "i", |l, m, n| call2(l, m, n, stat::fd_filestat_set_size)),
    Row::new("fd_filestat_set_times", "iIIi", "i", |l, m, n| call4(l, m, n, stat::fd_filestat_set_times)),
    Row::new("fd_pread", "iiiIi", "i", |l, m, n| call5(l, m, n, fd::fd_pread)),
    Row::new("fd_prestat_get", "ii", "i", |l, m, n| call2(l, m, n, prestat::fd_prestat_get)),
    Row::new("fd_prestat_dir_name", "iii", "i", |l, m, n| call3(l, m, n, prestat::fd_prestat_dir_name)),
    Row::new("fd_pwrite", "iiiIi", "i", |l, m, n| call5(l, m, n, fd::fd_pwrite)),
    Row::new("fd_read", "iiii", "i", |l, m, n| call4(l, m, n, fd::fd_read)),
    Row::new("fd_readdir", "iiiIi", "i", |l, m, n| call5(l, m, n, readdir::fd_readdir)),
    Row::new("fd_renumber", "ii", "i", |l, m, n| call2(l, m, n, fd::fd_renumber)),
    Row::new("fd_seek", "iIii", "i", |l, m, n| call4(l, m, n, fd::fd_seek)),
    Row::new("fd_sync", "i", "i", |l, m, n| call1(l, m, n, fd::fd_sync)),
    Row::new("fd_tell", "ii", "i", |l, m, n| call2(l, m, n, fd::fd_tell)),
    Row::new("fd_write", "iiii", "i", |l, m, n| call4(l, m, n, fd::fd_write)),
    Row::new("path_create_directory", "iii", "i", |l, m, n| call3(l, m, n, path::path_create_directory)),
    Row::new("path_filestat_get", "iiiii", "i", |l, m, n| call5(l, m, n, path::path_filestat_get)),
    Row::new("path_filestat_set_times", "iiiiIIi", "i", |l, m, n| call7(l, m, n, path::path_filestat_set_times)),
    Row::new("path_link", "iiiiiii", "i", |l, m, n| call7(l, m, n, path::path_link)),
    Row::new("path_open", "iiiiiIIii", "i", |l, m, n| call9(l, m, n, path::path_open)),
    Row::new("path_readlink", "iiiiii", "i", |l, m, n| call6(l, m, n, path::path_readlink)),
    Row::new("path_remove_directory", "iii", "i", |l, m, n| call3(l, m, n, path::path_remove_directory)),
    Row::new("path_rename", "iiiiii", "i", |l, m, n| call6(l, m, n, path::path_rename)),
    Row::new("path_symlink", "iiiii", "i", |l, m, n| call5(l, m, n, path::path_symlink)),
    Row::new("path_unlink_file", "iii", "i", |l, m, n| call3(l, m, n, path::path_unlink_file)),
    Row::new("poll_oneoff", "iiii", "i", |l, m, n| call4(l, m, n, poll::poll_oneoff)),
    Row::new("proc_exit", "i", "", define_exit),
    Row::new("proc_raise", "i", "i", |l, m, n| call1(l, m, n, proc::proc_raise)),
    Row::new("sched_yield", "", "i", |l, m, n| call0(l, m, n, sched::sched_yield)),
    Row::new("random_get", "ii", "i", |l, m, n| call2(l, m, n, random::random_get)),
    Row::new("sock_accept", "iii", "i", |l, m, n| call3(l, m, n, sock::sock_accept)),
    Row::new("sock_recv", "iiiiii", "i", |l, m, n| call6(l, m, n, sock::sock_recv)),
    Row::new("sock_send", "iiiii", "i", |l, m, n| call5(l, m, n, sock::sock_send)),
    Row::new("sock_shutdown", "ii", "i", |l, m, n| call2(l, m, n, sock::sock_shutdown)),
];

/// The module and its functions.
pub const INTERFACE: Interface = Interface { module: MODULE, rows: &TABLE };

/// The row called `name`.
pub fn find(name: &str) -> Option<&'static Row> {
    INTERFACE.find(name)
}

/// `proc_exit` alone has no result.
fn define_exit(linker: &mut Linker<Host>, module: &str, name: &str) -> Defined {
    linker.func_wrap(module, name, |caller: Caller<'_, Host>, code: u32| -> Result<(), Error> {
        enter_call(caller, move |call: &mut Call<'_>| proc::proc_exit(call, code)).map(drop)
    })?;
    Ok(())
}
