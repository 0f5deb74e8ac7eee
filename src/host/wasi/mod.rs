//! `wasi_snapshot_preview1`: the table of its functions, in the order of the specification. Each call is in the
//! file named after it.

pub mod abi;
pub mod args;
pub(crate) mod at;
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
pub(crate) mod unstable;

pub use ctx::Call;

use crate::host::functions::{
    Interface, Row, call0, call1, call2, call3, call4, call5, call6, call7, call9, enter_call,
};
use crate::host::store::Host;
use abi::MODULE;
use wasmi::{Caller, Error, Func, Store};

/// Every function of preview1.
#[rustfmt::skip]
pub const TABLE: [Row; 46] = [
    Row::new("args_get", "ii", "i", |s| call2(s, args::args_get)),
    Row::new("args_sizes_get", "ii", "i", |s| call2(s, args::args_sizes_get)),
    Row::new("environ_get", "ii", "i", |s| call2(s, args::environ_get)),
    Row::new("environ_sizes_get", "ii", "i", |s| call2(s, args::environ_sizes_get)),
    Row::new("clock_res_get", "ii", "i", |s| call2(s, clock::clock_res_get)),
    Row::new("clock_time_get", "iIi", "i", |s| call3(s, clock::clock_time_get)),
    Row::new("fd_advise", "iIIi", "i", |s| call4(s, fd::fd_advise)),
    Row::new("fd_allocate", "iII", "i", |s| call3(s, fd::fd_allocate)),
    Row::new("fd_close", "i", "i", |s| call1(s, fd::fd_close)),
    Row::new("fd_datasync", "i", "i", |s| call1(s, fd::fd_datasync)),
    Row::new("fd_fdstat_get", "ii", "i", |s| call2(s, stat::fd_fdstat_get)),
    Row::new("fd_fdstat_set_flags", "ii", "i", |s| call2(s, fd::fd_fdstat_set_flags)),
    Row::new("fd_fdstat_set_rights", "iII", "i", |s| call3(s, stat::fd_fdstat_set_rights)),
    Row::new("fd_filestat_get", "ii", "i", |s| call2(s, stat::fd_filestat_get)),
    Row::new("fd_filestat_set_size", "iI", "i", |s| call2(s, stat::fd_filestat_set_size)),
    Row::new("fd_filestat_set_times", "iIIi", "i", |s| call4(s, stat::fd_filestat_set_times)),
    Row::new("fd_pread", "iiiIi", "i", |s| call5(s, fd::fd_pread)),
    Row::new("fd_prestat_get", "ii", "i", |s| call2(s, prestat::fd_prestat_get)),
    Row::new("fd_prestat_dir_name", "iii", "i", |s| call3(s, prestat::fd_prestat_dir_name)),
    Row::new("fd_pwrite", "iiiIi", "i", |s| call5(s, fd::fd_pwrite)),
    Row::new("fd_read", "iiii", "i", |s| call4(s, fd::fd_read)),
    Row::new("fd_readdir", "iiiIi", "i", |s| call5(s, readdir::fd_readdir)),
    Row::new("fd_renumber", "ii", "i", |s| call2(s, fd::fd_renumber)),
    Row::new("fd_seek", "iIii", "i", |s| call4(s, fd::fd_seek)),
    Row::new("fd_sync", "i", "i", |s| call1(s, fd::fd_sync)),
    Row::new("fd_tell", "ii", "i", |s| call2(s, fd::fd_tell)),
    Row::new("fd_write", "iiii", "i", |s| call4(s, fd::fd_write)),
    Row::new("path_create_directory", "iii", "i", |s| call3(s, path::path_create_directory)),
    Row::new("path_filestat_get", "iiiii", "i", |s| call5(s, path::path_filestat_get)),
    Row::new("path_filestat_set_times", "iiiiIIi", "i", |s| call7(s, path::path_filestat_set_times)),
    Row::new("path_link", "iiiiiii", "i", |s| call7(s, path::path_link)),
    Row::new("path_open", "iiiiiIIii", "i", |s| call9(s, path::path_open)),
    Row::new("path_readlink", "iiiiii", "i", |s| call6(s, path::path_readlink)),
    Row::new("path_remove_directory", "iii", "i", |s| call3(s, path::path_remove_directory)),
    Row::new("path_rename", "iiiiii", "i", |s| call6(s, path::path_rename)),
    Row::new("path_symlink", "iiiii", "i", |s| call5(s, path::path_symlink)),
    Row::new("path_unlink_file", "iii", "i", |s| call3(s, path::path_unlink_file)),
    Row::new("poll_oneoff", "iiii", "i", |s| call4(s, poll::poll_oneoff)),
    Row::new("proc_exit", "i", "", exit),
    Row::new("proc_raise", "i", "i", |s| call1(s, proc::proc_raise)),
    Row::new("sched_yield", "", "i", |s| call0(s, sched::sched_yield)),
    Row::new("random_get", "ii", "i", |s| call2(s, random::random_get)),
    Row::new("sock_accept", "iii", "i", |s| call3(s, sock::sock_accept)),
    Row::new("sock_recv", "iiiiii", "i", |s| call6(s, sock::sock_recv)),
    Row::new("sock_send", "iiiii", "i", |s| call5(s, sock::sock_send)),
    Row::new("sock_shutdown", "ii", "i", |s| call2(s, sock::sock_shutdown)),
];

/// The module and its functions.
pub const INTERFACE: Interface = Interface { module: MODULE, rows: &TABLE };

/// The row called `name`.
pub fn find(name: &str) -> Option<&'static Row> {
    INTERFACE.find(name)
}

/// `proc_exit` alone has no result.
fn exit(store: &mut Store<Host>) -> Func {
    Func::wrap(store, |caller: Caller<'_, Host>, code: u32| -> Result<(), Error> {
        enter_call(caller, move |call: &mut Call<'_>| proc::proc_exit(call, code)).map(drop)
    })
}
