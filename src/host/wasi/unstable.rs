//! `wasi_unstable`, which came before preview1: the functions that differ. Old programs import it, such as those of 2019.
//!
//! Source: WASI repository, `legacy/preview0/witx`. All other functions are those of preview1, but for `sock_accept`, which it
//! does not have.

use super::abi::{Errno, FILESTAT_BYTES, Fault, whence};
use super::ctx::Call;
use super::dir::Filestat;
use super::memory::{slice, write};
use super::{fd, path, poll, stat};
use crate::host::functions::{Row, call2, call4, call5};

type Result = std::result::Result<(), Fault>;

/// The module that old programs import from.
pub const MODULE: &str = "wasi_unstable";

/// Bytes of `filestat`: the number of links has 32 bits.
const OLD_FILESTAT_BYTES: usize = 56;

/// The functions that differ.
const TABLE: [Row; 4] = [
    Row::new("fd_filestat_get", "ii", "i", |s| call2(s, fd_filestat_get)),
    Row::new("fd_seek", "iIii", "i", |s| call4(s, fd_seek)),
    Row::new("path_filestat_get", "iiiii", "i", |s| call5(s, path_filestat_get)),
    Row::new("poll_oneoff", "iiii", "i", |s| call4(s, poll_oneoff)),
];

/// The row called `name`.
pub fn find(name: &str) -> Option<&'static Row> {
    let own = TABLE.iter().find(|row| row.name == name);
    own.or_else(|| super::find(name).filter(|_| name != "sock_accept"))
}

/// `fd_seek`, with other numbers for where the offset counts from.
fn fd_seek(call: &mut Call<'_>, fd: u32, offset: u64, from: u32, out: u32) -> Result {
    let from = match from {
        0 => whence::CUR,
        1 => whence::END,
        2 => whence::SET,
        _ => return Err(Errno::Inval.into()),
    };
    fd::fd_seek(call, fd, offset, from, out)
}

/// `fd_filestat_get`, with the 56 bytes of the old `filestat`.
fn fd_filestat_get(call: &mut Call<'_>, fd: u32, out: u32) -> Result {
    slice(call.memory, out, OLD_FILESTAT_BYTES as u32)?;
    let stat = stat::allowed_filestat(call.ctx, fd)?;
    Ok(write(call.memory, out, &bytes(stat))?)
}

/// `path_filestat_get`, with the 56 bytes of the old `filestat`.
fn path_filestat_get(call: &mut Call<'_>, fd: u32, flags: u32, at: u32, len: u32, out: u32) -> Result {
    slice(call.memory, out, OLD_FILESTAT_BYTES as u32)?;
    let stat = path::filestat(call, fd, flags, (at, len))?;
    Ok(write(call.memory, out, &bytes(stat))?)
}

fn bytes(stat: Filestat) -> [u8; OLD_FILESTAT_BYTES] {
    let new: [u8; FILESTAT_BYTES] = stat.to_bytes();
    let mut old = [0; OLD_FILESTAT_BYTES];
    old[..20].copy_from_slice(&new[..20]);
    let links = u32::try_from(stat.nlink).unwrap_or(u32::MAX);
    old[20..24].copy_from_slice(&links.to_le_bytes());
    old[24..].copy_from_slice(&new[32..]);
    old
}

/// `poll_oneoff`, with a further number in the subscriptions of clocks.
fn poll_oneoff(call: &mut Call<'_>, subscriptions: u32, events: u32, count: u32, events_out: u32) -> Result {
    poll::poll(call, subscriptions, events, (count, events_out), poll::Layout::Preview0)
}
