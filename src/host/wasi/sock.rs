//! Sockets. A guest has none, so an open descriptor is ENOTSOCK and any other is EBADF.

use super::abi::{Errno, Fault};
use super::ctx::Call;

type Result = std::result::Result<(), Fault>;

fn no_socket(call: &mut Call<'_>, fd: u32) -> Result {
    call.ctx.files.get(fd)?;
    Err(Errno::Notsock.into())
}

/// `sock_accept(fd, flags, fd_out)`. EBADF, ENOTSOCK.
pub fn sock_accept(call: &mut Call<'_>, fd: u32, _flags: u32, _out: u32) -> Result {
    no_socket(call, fd)
}

/// `sock_recv(fd, iovs, iovs_len, flags, nread_out, flags_out)`. EBADF, ENOTSOCK.
pub fn sock_recv(
    call: &mut Call<'_>,
    fd: u32,
    _list: u32,
    _count: u32,
    _flags: u32,
    _out: u32,
    _roflags: u32,
) -> Result {
    no_socket(call, fd)
}

/// `sock_send(fd, iovs, iovs_len, flags, nwritten_out)`. EBADF, ENOTSOCK.
pub fn sock_send(call: &mut Call<'_>, fd: u32, _list: u32, _count: u32, _flags: u32, _out: u32) -> Result {
    no_socket(call, fd)
}

/// `sock_shutdown(fd, how)`. EBADF, ENOTSOCK.
pub fn sock_shutdown(call: &mut Call<'_>, fd: u32, _how: u32) -> Result {
    no_socket(call, fd)
}
