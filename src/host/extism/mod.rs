//! `extism:host/env`: the functions that Extism's development kits import. The table is in the order of their
//! bindings.

pub(crate) mod calls;
pub(crate) mod http;
pub(crate) mod memory;
pub(crate) mod vars;

use crate::host::functions::{Interface, Row, host0, host1, host2, later2};
use crate::module::reader::ModuleInfo;

/// The module that plug-ins import these from.
pub const MODULE: &str = "extism:host/env";

/// The module with functions of the embedding host, which fuelbox does not provide.
pub const USER_MODULE: &str = "extism:host/user";

/// All functions.
#[rustfmt::skip]
pub const TABLE: [Row; 27] = [
    Row::new("input_length", "", "I", |s| host0(s, calls::input_length)),
    Row::new("input_offset", "", "I", |s| host0(s, calls::input_offset)),
    Row::new("input_load_u8", "I", "i", |s| host1(s, calls::input_load_u8)),
    Row::new("input_load_u64", "I", "I", |s| host1(s, calls::input_load_u64)),
    Row::new("length", "I", "I", |s| host1(s, calls::length)),
    Row::new("length_unsafe", "I", "I", |s| host1(s, calls::length)),
    Row::new("alloc", "I", "I", |s| host1(s, calls::alloc)),
    Row::new("free", "I", "", |s| host1(s, calls::free)),
    Row::new("output_set", "II", "", |s| host2(s, calls::output_set)),
    Row::new("error_set", "I", "", |s| host1(s, calls::error_set)),
    Row::new("error_get", "", "I", |s| host0(s, calls::error_get)),
    Row::new("load_u8", "I", "i", |s| host1(s, calls::load_u8)),
    Row::new("load_u64", "I", "I", |s| host1(s, calls::load_u64)),
    Row::new("store_u8", "Ii", "", |s| host2(s, calls::store_u8)),
    Row::new("store_u64", "II", "", |s| host2(s, calls::store_u64)),
    Row::new("config_get", "I", "I", |s| host1(s, calls::config_get)),
    Row::new("var_get", "I", "I", |s| host1(s, calls::var_get)),
    Row::new("var_set", "II", "", |s| host2(s, calls::var_set)),
    Row::new("http_request", "II", "I", |s| later2(s, http::http_request)),
    Row::new("http_status_code", "", "i", |s| host0(s, http::http_status_code)),
    Row::new("http_headers", "", "I", |s| host0(s, http::http_headers)),
    Row::new("log_trace", "I", "", |s| host1(s, calls::log_trace)),
    Row::new("log_debug", "I", "", |s| host1(s, calls::log_debug)),
    Row::new("log_info", "I", "", |s| host1(s, calls::log_info)),
    Row::new("log_warn", "I", "", |s| host1(s, calls::log_warn)),
    Row::new("log_error", "I", "", |s| host1(s, calls::log_error)),
    Row::new("get_log_level", "", "i", |s| host0(s, calls::get_log_level)),
];

/// The module and its functions.
pub const INTERFACE: Interface = Interface { module: MODULE, rows: &TABLE };

/// Whether a module imports something of Extism's.
pub fn is_imported(info: &ModuleInfo) -> bool {
    info.import_modules.contains(MODULE)
}
