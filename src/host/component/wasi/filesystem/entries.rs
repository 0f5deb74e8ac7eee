//! The resource `directory-entry-stream`: the entries of a directory, one after the other.

use super::super::arguments::{Answer, own, rep};
use super::codes::{answer, descriptor_type};
use super::descriptor::{Held, number};
use crate::base::limits::ENTRY_FUEL;
use crate::host::component::function::HostCall;
use crate::host::component::table::Resource;
use crate::host::component::value::Value;
use crate::host::wasi::abi::{Errno, Fault, Wait, rights};
use crate::host::wasi::at::directory;
use crate::host::wasi::ctx::WasiCtx;
use crate::host::wasi::files::{Descriptor, Entry, OpenDir};
use crate::host::wasi::listing::{DirEntry, Found};
use crate::host::wasi::readdir;
use std::sync::Arc;
use std::time::Instant;

/// The first entry after `.` and `..`, which are left out here.
const FIRST: u64 = 2;

/// The resource. It has a descriptor of its own, which counts as the directory's listing does in preview1, so that several
/// may read the same directory.
struct Entries {
    dir: Held,
    next: u64,
}

impl Resource for Entries {
    fn dropped(&mut self, ctx: &mut WasiCtx) {
        self.dir.dropped(ctx);
    }
}

/// `read-directory(self)`.
pub fn read_directory(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let fd = number(call, args, 0)?;
    match begun(call.ctx, fd) {
        Ok(fd) => {
            let dir = Held::new(fd, call.ctx);
            let entries = call.table.push(Entries { dir, next: FIRST })?;
            answer(Ok(Some(own(entries))))
        }
        Err(errno) => answer(Err(errno.into())),
    }
}

/// Begins to read the directory `fd`, and gives the number of what does.
fn begun(ctx: &mut WasiCtx, fd: u32) -> Result<u32, Errno> {
    let dir = directory(ctx, fd, rights::FD_READDIR)?;
    let own = OpenDir { dir: Arc::clone(&dir), preopened_as: None, listing: None };
    let own = ctx.files.insert(Entry::new(Descriptor::Dir(own), rights::FD_READDIR, 0, true))?;
    let listing = readdir::begin(ctx, &dir);
    match listing {
        Ok(listing) => ctx.files.get(own)?.dir(rights::FD_READDIR)?.listing = Some(listing),
        Err(errno) => {
            ctx.files.close(own)?;
            return Err(errno);
        }
    }
    Ok(own)
}

/// `read-directory-entry(self)`: none at the end.
pub fn read_directory_entry(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let entries = call.table.get::<Entries>(rep(args, 0)?)?;
    let entry = match entry(call.ctx, entries.dir.fd(call.ctx), entries.next) {
        Ok(Some(entry)) => entry,
        Ok(None) => return answer(Ok(Some(Value::NONE))),
        Err(fault) => return answer(Err(fault)),
    };
    entries.next += 1;
    call.ctx.moved_bytes += entry.name.len() as u64;
    // A name that is no string is told as an error, and the next call goes on after it.
    let name = String::from_utf8(entry.name).map_err(|_| Fault::Errno(Errno::Ilseq));
    let kind = descriptor_type(entry.filetype);
    answer(name.map(|name| Some(Value::some(Value::Record(vec![kind, Value::String(name)])))))
}

/// The entry numbered `number`.
fn entry(ctx: &mut WasiCtx, fd: u32, number: u64) -> Result<Option<DirEntry>, Fault> {
    ctx.may_have_waited = true;
    let dir = ctx.files.get(fd)?.dir(rights::FD_READDIR)?;
    let handle = Arc::clone(&dir.dir);
    let listing = dir.listing.as_mut().ok_or(Errno::Badf)?;
    let (found, read) = listing.entry(&handle, number)?;
    let found = match found {
        Found::Entry(entry) => Ok(Some(entry.clone())),
        Found::End => Ok(None),
        // Back here at once, when the sandbox has looked at the deadline.
        Found::Further => Err(Fault::Wait(Wait { until: Some(Instant::now()), stdin: false })),
    };
    ctx.extra_fuel += read * ENTRY_FUEL;
    found
}
