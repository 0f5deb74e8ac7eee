//! Error codes of `wasi:filesystem`, and file types.

use super::super::arguments::{Answer, rep};
use super::super::error::IoError;
use crate::host::component::function::HostCall;
use crate::host::component::value::Value;
use crate::host::wasi::abi::{Errno, Fault, filetype};

/// What a function has done as `result<_, error-code>` with whatever is in it.
pub fn answer(done: Result<Option<Value>, Fault>) -> Answer {
    Ok(Some(match done {
        Ok(value) => Value::ok(value),
        Err(Fault::Errno(errno)) => Value::err(Value::case(error_code(errno))),
        Err(other) => return Err(other.into()),
    }))
}

/// The case of `error-code`. What has none becomes the one that tells a program the same to do.
pub fn error_code(errno: Errno) -> u32 {
    match errno {
        Errno::Acces => 0,
        Errno::Again => 1,
        Errno::Badf => 3,
        Errno::Busy => 4,
        Errno::Deadlk => 5,
        Errno::Dquot => 6,
        Errno::Exist => 7,
        Errno::Fbig => 8,
        Errno::Ilseq => 9,
        Errno::Intr => 11,
        Errno::Inval | Errno::TooBig | Errno::Fault | Errno::Notsock => 12,
        // Input and output that failed for reasons of the host.
        Errno::Success | Errno::Io | Errno::Stale | Errno::Timedout => 13,
        Errno::Isdir => 14,
        Errno::Loop => 15,
        Errno::Mlink => 16,
        Errno::Nametoolong => 18,
        Errno::Nodev => 19,
        Errno::Noent => 20,
        Errno::Nolck => 21,
        // No more descriptors: something has to be given back first.
        Errno::Nomem | Errno::Mfile | Errno::Nfile => 22,
        Errno::Nospc => 23,
        Errno::Notdir => 24,
        Errno::Notempty => 25,
        Errno::Nosys | Errno::Notsup => 27,
        Errno::Notty => 28,
        Errno::Nxio => 29,
        Errno::Overflow | Errno::Range => 30,
        Errno::Perm | Errno::Notcapable => 31,
        Errno::Pipe => 32,
        Errno::Rofs => 33,
        Errno::Spipe => 34,
        Errno::Txtbsy => 35,
        Errno::Xdev => 36,
    }
}

/// `filesystem-error-code(err)`: what a file or a standard stream has said.
pub fn filesystem_error_code(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let errno = call.table.get::<IoError>(rep(args, 0)?)?.errno;
    Ok(Some(errno.map_or(Value::NONE, |errno| Value::some(Value::case(error_code(errno))))))
}

/// The case of `descriptor-type`. A named pipe is unknown, as in preview1.
pub fn descriptor_type(kind: u8) -> Value {
    Value::case(match kind {
        filetype::BLOCK_DEVICE => 1,
        filetype::CHARACTER_DEVICE => 2,
        filetype::DIRECTORY => 3,
        filetype::SYMBOLIC_LINK => 5,
        filetype::REGULAR_FILE => 6,
        filetype::SOCKET_STREAM => 7,
        _ => 0,
    })
}
