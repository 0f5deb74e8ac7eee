//! Host functions of Extism: plain functions on the host's data for the plug-in (`runtime/src/pdk.rs` and
//! `kernel/src/lib.rs` of Extism define them).
//!
//! The host owns and frees blocks with keys, values and messages that a plug-in passes to it; a second free by
//! the plug-in does no harm. For memory, a wrong offset returns 0 or does nothing. Where a text is expected, it
//! ends the run, as in Extism.

use super::memory::{self, Blocks};
use crate::base::heap;
use crate::base::limits::{BLOCKS_MAX, BULK_BYTES_PER_FUEL, PAGE_BYTES, VARS_BYTES_MAX};
use crate::base::outcome::{Denied, Stop};
use crate::host::guest_log::TARGET;
use crate::host::store::Host;
use log::Level;

type Result<T> = std::result::Result<T, Stop>;

/// Blocks from this size on are checked before allocation, because the system may not have as much.
const LARGE_BYTES: usize = 64 * 1024;

/// `alloc(length) -> offset`: a block of zeroes; 0 for length 0, or if there is no room.
pub fn alloc(host: &mut Host, length: u64) -> Result<u64> {
    Ok(zeroed(host, length).map_or(0, |bytes| host.blocks.insert(bytes)))
}

/// `free(offset)`: frees a block.
pub fn free(host: &mut Host, offset: u64) -> Result<()> {
    let freed = host.blocks.free(offset);
    host.limiter.give_back(freed);
    Ok(())
}

/// `length(offset) -> length`: of the block that starts there; 0 if none does.
pub fn length(host: &mut Host, offset: u64) -> Result<u64> {
    Ok(host.blocks.length(offset))
}

/// `load_u8(offset) -> byte`, of any block.
pub fn load_u8(host: &mut Host, offset: u64) -> Result<i32> {
    let [byte] = host.blocks.load(offset);
    Ok(i32::from(byte))
}

/// `load_u64(offset) -> eight bytes`, of any block; zeroes beyond its end.
pub fn load_u64(host: &mut Host, offset: u64) -> Result<u64> {
    Ok(u64::from_le_bytes(host.blocks.load(offset)))
}

/// `store_u8(offset, byte)`.
pub fn store_u8(host: &mut Host, offset: u64, byte: u32) -> Result<()> {
    host.blocks.store(offset, &[byte as u8]);
    Ok(())
}

/// `store_u64(offset, eight bytes)`: as many as fit the block.
pub fn store_u64(host: &mut Host, offset: u64, word: u64) -> Result<()> {
    host.blocks.store(offset, &word.to_le_bytes());
    Ok(())
}

/// `input_length() -> length`.
pub fn input_length(host: &mut Host) -> Result<u64> {
    Ok(host.blocks.input_length())
}

/// `input_offset() -> offset`: of the block that holds the input; 0 if that is empty.
pub fn input_offset(host: &mut Host) -> Result<u64> {
    Ok(host.blocks.input())
}

/// `input_load_u8(index) -> byte`; 0 beyond the input.
pub fn input_load_u8(host: &mut Host, index: u64) -> Result<i32> {
    Ok(i32::from(host.blocks.input_byte(index)))
}

/// `input_load_u64(index) -> eight bytes`; 0 if the input does not have all of them.
pub fn input_load_u64(host: &mut Host, index: u64) -> Result<u64> {
    Ok(host.blocks.input_word(index))
}

/// `output_set(offset, length)`: makes a part of a block the output.
pub fn output_set(host: &mut Host, offset: u64, length: u64) -> Result<()> {
    let freed = host.blocks.set_output(offset, length);
    host.limiter.give_back(freed);
    Ok(())
}

/// `error_set(offset)`: makes the text there the error message; 0 for none.
pub fn error_set(host: &mut Host, offset: u64) -> Result<()> {
    host.blocks.set_error(offset);
    Ok(())
}

/// `error_get() -> offset`: of the message; 0 without one.
pub fn error_get(host: &mut Host) -> Result<u64> {
    Ok(host.blocks.error())
}

/// `config_get(key) -> value`: a new block with the value; 0 if there is none, or an empty one.
pub fn config_get(host: &mut Host, key: u64) -> Result<u64> {
    let name = text(&host.blocks, key, "config_get")?;
    let value = host.wasi.config.iter().rev().find(|(known, _)| known == name);
    let value = value.map(|(_, value)| heap::copy(value.as_bytes())).transpose();
    let value = value.map_err(|_| Stop::NoMemory { what: "a configuration" })?;
    free(host, key)?;
    answer(host, value, "config_get")
}

/// `var_get(key) -> value`: as `config_get`, for variables.
pub fn var_get(host: &mut Host, key: u64) -> Result<u64> {
    let name = text(&host.blocks, key, "var_get")?;
    let value = host.vars.get(name).map(heap::copy).transpose();
    let value = value.map_err(|_| Stop::NoMemory { what: "a variable" })?;
    free(host, key)?;
    answer(host, value, "var_get")
}

/// `var_set(key, value)`: without a value, removes the variable.
pub fn var_set(host: &mut Host, key: u64, value: u64) -> Result<()> {
    let name = text(&host.blocks, key, "var_set")?;
    let bytes = bytes(&host.blocks, value, "var_set")?;
    host.wasi.moved_bytes += (name.len() + bytes.len()) as u64;
    let before = host.vars.bytes();
    if value == 0 {
        host.vars.remove(name);
    } else {
        let after = host.vars.bytes_with(name, bytes).map_err(|bytes| {
            let why = format!("more than the {VARS_BYTES_MAX} allowed");
            Stop::Trap(format!("var_set: the variables would take {bytes} bytes, {why}"))
        })?;
        let more = after.saturating_sub(before);
        if heap::check(more).is_err() || !host.limiter.take_outside(more) {
            return Err(no_room(host, "var_set"));
        }
        host.vars.set(name, bytes);
    }
    host.limiter.give_back(before.saturating_sub(host.vars.bytes()));
    free(host, key)?;
    free(host, value)
}

/// `log_trace(message)`.
pub fn log_trace(host: &mut Host, message: u64) -> Result<()> {
    log(host, Level::Trace, message)
}

/// `log_debug(message)`.
pub fn log_debug(host: &mut Host, message: u64) -> Result<()> {
    log(host, Level::Debug, message)
}

/// `log_info(message)`.
pub fn log_info(host: &mut Host, message: u64) -> Result<()> {
    log(host, Level::Info, message)
}

/// `log_warn(message)`.
pub fn log_warn(host: &mut Host, message: u64) -> Result<()> {
    log(host, Level::Warn, message)
}

/// `log_error(message)`.
pub fn log_error(host: &mut Host, message: u64) -> Result<()> {
    log(host, Level::Error, message)
}

/// Logs a message. Messages below the log level are not read.
fn log(host: &mut Host, level: Level, message: u64) -> Result<()> {
    if number(level) >= level_shown(host) {
        let text = bytes(&host.blocks, message, "log")?;
        host.wasi.moved_bytes += text.len() as u64;
        host.wasi.files.stderr.message(level, text);
    }
    free(host, message)
}

/// `get_log_level() -> level`: messages below it are not logged; 0 for trace to 4 for error.
pub fn get_log_level(host: &mut Host) -> Result<i32> {
    Ok(level_shown(host))
}

/// A log level as plug-ins number it.
fn number(level: Level) -> i32 {
    Level::Trace as i32 - level as i32
}

/// Info, as in Extism's own host, unless the log is configured for more. The level must not depend on anything
/// else: a guest takes other paths, and uses other fuel, depending on it.
fn level_shown(host: &Host) -> i32 {
    let is_shown = |level| !host.wasi.is_reproducible() && log::log_enabled!(target: TARGET, level);
    number([Level::Trace, Level::Debug].into_iter().find(|level| is_shown(*level)).unwrap_or(Level::Info))
}

/// Makes `input` the input of a call.
///
/// # Errors
/// No room for it.
pub fn set_input(host: &mut Host, input: &[u8]) -> Result<()> {
    let offset = block_of(host, input, "its input")?;
    host.blocks.set_input(offset);
    // No call of the guest pays for it, so it is owed.
    host.fuel_owed += std::mem::take(&mut host.wasi.moved_bytes) / u64::from(BULK_BYTES_PER_FUEL);
    Ok(())
}

/// A block with `value`; 0 without a value.
fn answer(host: &mut Host, value: Option<Vec<u8>>, what: &str) -> Result<u64> {
    let value = value.unwrap_or_default();
    host.wasi.moved_bytes += value.len() as u64;
    block_of(host, &value, what)
}

/// A block with `bytes`; 0 for no bytes.
pub fn block_of(host: &mut Host, bytes: &[u8], what: &str) -> Result<u64> {
    if bytes.is_empty() {
        return Ok(0);
    }
    let mut block = zeroed(host, bytes.len() as u64).ok_or_else(|| no_room(host, what))?;
    block.copy_from_slice(bytes);
    Ok(host.blocks.insert(block))
}

/// A block that is `bytes`, which are not copied; 0 for no bytes.
pub(super) fn block_from(host: &mut Host, bytes: Vec<u8>, what: &str) -> Result<u64> {
    if bytes.is_empty() {
        return Ok(0);
    }
    if !counted(host, bytes.len()) {
        return Err(no_room(host, what));
    }
    Ok(host.blocks.insert(bytes.into_boxed_slice()))
}

/// Whether one more block of `length` bytes is allowed. It counts then.
fn counted(host: &mut Host, length: usize) -> bool {
    if host.blocks.len() >= BLOCKS_MAX {
        host.limiter.denied = Some(Denied::Blocks { limit: BLOCKS_MAX });
        return false;
    }
    host.limiter.take_outside(memory::cost(length))
}

/// Reserves room for a block against the limit; none if the limit or the system does not allow it.
fn zeroed(host: &mut Host, length: u64) -> Option<Box<[u8]>> {
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length == 0 || !counted(host, length) {
        return None;
    }
    // Zeroed memory from the system costs nothing until it is touched. But running out of it ends the process,
    // so it is requested first in a way that can fail.
    let block = if length < LARGE_BYTES { small(length) } else { large(length) };
    if block.is_none() {
        host.limiter.give_back(memory::cost(length));
        host.limiter.denied = Some(Denied::System { wanted: length.div_ceil(PAGE_BYTES) as u64 });
        return None;
    }
    host.wasi.moved_bytes += length as u64;
    block
}

fn small(length: usize) -> Option<Box<[u8]>> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(length).ok()?;
    bytes.resize(length, 0);
    heap::check(0).ok()?;
    Some(bytes.into_boxed_slice())
}

fn large(length: usize) -> Option<Box<[u8]>> {
    heap::check(length).ok()?;
    system_has(length).then(|| vec![0; length].into_boxed_slice())
}

/// Whether the system has `length` bytes, even if nothing else is left then.
fn system_has(length: usize) -> bool {
    let mut probe = Vec::<u8>::new();
    let has = probe.try_reserve_exact(length).is_ok();
    // Without this, the compiler may remove the unused allocation and assume that it succeeded.
    std::hint::black_box(probe.as_ptr());
    has
}

fn no_room(host: &Host, what: &str) -> Stop {
    let trap = format!("there is no room for {what}");
    match host.limiter.denied {
        Some(denied) => Stop::MemoryDenied { denied, trap },
        None => Stop::Trap(trap),
    }
}

/// The block at `offset`; none for 0.
pub(super) fn bytes<'a>(blocks: &'a Blocks, offset: u64, call: &str) -> Result<&'a [u8]> {
    match blocks.get(offset) {
        Some(bytes) => Ok(bytes),
        None if offset == 0 => Ok(&[]),
        None => Err(Stop::Convention(format!("`{call}` got offset {offset}, where no block begins"))),
    }
}

fn text<'a>(blocks: &'a Blocks, offset: u64, call: &str) -> Result<&'a str> {
    std::str::from_utf8(bytes(blocks, offset, call)?)
        .map_err(|_| Stop::Convention(format!("`{call}` got a key that is not UTF-8")))
}
