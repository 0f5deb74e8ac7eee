//! `extism:host/env`: what the plug-in development kits of Extism import, by hand. The registration table, in
//! the order of their bindings.
//!
//! A row gives a function's name, its type (`i` for i32, `I` for i64) and how it is bound. The functions are
//! plain: they work on a [`Host`] and know nothing of the interpreter.

pub mod calls;
pub mod http;
pub mod memory;
pub mod vars;

use crate::base::outcome::Stop;
use crate::host::store::{Answer, Halt, Host, charge};
use crate::module::reader::{ModuleInfo, Signature, Ty};
use log::Level;
use std::panic::{AssertUnwindSafe, catch_unwind};
use wasmi::{AsContextMut, Caller, Error, Linker, WasmRet, WasmTy};

/// The module that plug-ins import these from.
pub const MODULE: &str = "extism:host/env";

/// The module of functions that whoever embeds Extism adds; there are none here.
pub const USER_MODULE: &str = "extism:host/user";

type Bound = Result<(), Error>;

/// One function of the interface.
pub struct Row {
    /// Its name.
    pub name: &'static str,
    params: &'static str,
    results: &'static str,
    bind: fn(&mut Linker<Host>, &str) -> Bound,
}

const fn row(
    name: &'static str,
    params: &'static str,
    results: &'static str,
    bind: fn(&mut Linker<Host>, &str) -> Bound,
) -> Row {
    Row { name, params, results, bind }
}

/// Every function there is.
#[rustfmt::skip]
pub const TABLE: [Row; 27] = [
    row("input_length", "", "I", |l, n| bind0(l, n, calls::input_length)),
    row("input_offset", "", "I", |l, n| bind0(l, n, calls::input_offset)),
    row("input_load_u8", "I", "i", |l, n| bind1(l, n, calls::input_load_u8)),
    row("input_load_u64", "I", "I", |l, n| bind1(l, n, calls::input_load_u64)),
    row("length", "I", "I", |l, n| bind1(l, n, calls::length)),
    row("length_unsafe", "I", "I", |l, n| bind1(l, n, calls::length)),
    row("alloc", "I", "I", |l, n| bind1(l, n, calls::alloc)),
    row("free", "I", "", |l, n| bind1(l, n, calls::free)),
    row("output_set", "II", "", |l, n| bind2(l, n, calls::output_set)),
    row("error_set", "I", "", |l, n| bind1(l, n, calls::error_set)),
    row("error_get", "", "I", |l, n| bind0(l, n, calls::error_get)),
    row("load_u8", "I", "i", |l, n| bind1(l, n, calls::load_u8)),
    row("load_u64", "I", "I", |l, n| bind1(l, n, calls::load_u64)),
    row("store_u8", "Ii", "", |l, n| bind2(l, n, calls::store_u8)),
    row("store_u64", "II", "", |l, n| bind2(l, n, calls::store_u64)),
    row("config_get", "I", "I", |l, n| bind1(l, n, calls::config_get)),
    row("var_get", "I", "I", |l, n| bind1(l, n, calls::var_get)),
    row("var_set", "II", "", |l, n| bind2(l, n, calls::var_set)),
    row("http_request", "II", "I", |l, n| bind2(l, n, calls::http_request)),
    row("http_status_code", "", "i", |l, n| bind0(l, n, calls::http_status_code)),
    row("http_headers", "", "I", |l, n| bind0(l, n, calls::http_headers)),
    row("log_trace", "I", "", |l, n| bind1(l, n, |host, m| calls::log(host, Level::Trace, m))),
    row("log_debug", "I", "", |l, n| bind1(l, n, |host, m| calls::log(host, Level::Debug, m))),
    row("log_info", "I", "", |l, n| bind1(l, n, |host, m| calls::log(host, Level::Info, m))),
    row("log_warn", "I", "", |l, n| bind1(l, n, |host, m| calls::log(host, Level::Warn, m))),
    row("log_error", "I", "", |l, n| bind1(l, n, |host, m| calls::log(host, Level::Error, m))),
    row("get_log_level", "", "i", |l, n| bind0(l, n, calls::get_log_level)),
];

/// The row called `name`.
pub fn find(name: &str) -> Option<&'static Row> {
    static ROWS: [Row; 27] = TABLE;
    ROWS.iter().find(|row| row.name == name)
}

/// Whether a module imports something of Extism's.
pub fn is_imported(info: &ModuleInfo) -> bool {
    info.import_modules.contains(MODULE)
}

impl Row {
    /// The type that a guest must import it with.
    pub fn signature(&self) -> Signature {
        let types =
            |text: &str| text.bytes().map(|c| if c == b'I' { Ty::I64 } else { Ty::I32 }).collect::<Vec<_>>();
        Signature { params: types(self.params), results: types(self.results) }
    }

    /// Makes it known to `linker`.
    pub fn define(&self, linker: &mut Linker<Host>) -> Bound {
        (self.bind)(linker, self.name)
    }
}

/// A call from the guest: made, charged, and held up if the sandbox has to look at the limits first.
fn enter<R: Into<Answer>>(
    mut caller: Caller<'_, Host>,
    f: impl FnOnce(&mut Host) -> Result<R, Stop>,
) -> Result<R, Error> {
    let attempted = catch_unwind(AssertUnwindSafe(|| {
        let answer = f(caller.data_mut());
        (answer, charge(&mut caller.as_context_mut()))
    }));
    Err(Error::host(match attempted {
        Ok((Ok(answer), true)) => return Ok(answer),
        Ok((Ok(answer), false)) => Halt::Pause(answer.into()),
        Ok((Err(stop), _)) => Halt::Stop(stop),
        Err(_) => Halt::Panicked,
    }))
}

macro_rules! bind {
    ($name:ident $($arg:ident: $ty:ident),*) => {
        fn $name<R: Into<Answer> + 'static, $($ty: WasmTy + 'static),*>(
            linker: &mut Linker<Host>,
            name: &str,
            f: fn(&mut Host, $($ty),*) -> Result<R, Stop>,
        ) -> Bound
        where
            Result<R, Error>: WasmRet,
        {
            linker.func_wrap(MODULE, name, move |caller: Caller<'_, Host>, $($arg: $ty),*| {
                enter(caller, move |host: &mut Host| f(host, $($arg),*))
            })?;
            Ok(())
        }
    };
}

bind!(bind0);
bind!(bind1 a: A);
bind!(bind2 a: A, b: B);
