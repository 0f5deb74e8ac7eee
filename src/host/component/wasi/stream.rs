//! Streams of bytes: what each kind of stream has to be able to do, and what the guest has handles of.
//!
//! Files, the standard streams and bodies of HTTP messages are a [`Source`] or a [`Drain`] each. The functions of
//! `wasi:io/streams` (`streams.rs`) know nothing else of them.

use super::error::IoError;
use crate::host::component::function::Fail;
use crate::host::component::table::Resource;
use crate::host::wasi::abi::{Errno, Fault, Wait};
use crate::host::wasi::ctx::WasiCtx;

/// Why a stream gives or takes nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Broken {
    /// It is at its end.
    Closed,
    /// It has failed; from now on it is closed.
    Failed(IoError),
    /// The call itself has to wait, or the guest is stopped.
    Fail(Fail),
}

impl From<Errno> for Broken {
    fn from(errno: Errno) -> Broken {
        Broken::Failed(IoError::of(errno))
    }
}

impl From<Fail> for Broken {
    fn from(fail: Fail) -> Broken {
        Broken::Fail(fail)
    }
}

impl From<Fault> for Broken {
    fn from(fault: Fault) -> Broken {
        match fault {
            Fault::Errno(errno) => errno.into(),
            other => Broken::Fail(other.into()),
        }
    }
}

/// Where the bytes of an input stream come from.
pub trait Source: Send {
    /// Takes up to `len` bytes that are there; none if they have yet to come. What is read is counted in
    /// `ctx.moved_bytes`. The caller asks for at most [`STREAM_READ_BYTES_MAX`](crate::base::limits::STREAM_READ_BYTES_MAX).
    ///
    /// # Errors
    /// It is at its end, or has failed.
    fn read(&mut self, ctx: &mut WasiCtx, len: usize) -> Result<Vec<u8>, Broken>;

    /// What has to be waited for before a read gives something; nothing if a read would give bytes, the end or an error.
    ///
    /// # Errors
    /// The guest is stopped.
    fn awaits(&mut self, ctx: &mut WasiCtx) -> Result<Option<Wait>, Fail>;

    /// The guest has dropped the stream.
    fn dropped(&mut self, _ctx: &mut WasiCtx) {}
}

/// Where the bytes of an output stream go.
pub trait Drain: Send {
    /// Bytes that it takes at once; none if it has to be waited for.
    ///
    /// # Errors
    /// It is closed, or has failed.
    fn room(&mut self, ctx: &mut WasiCtx) -> Result<u64, Broken>;

    /// Takes all of `bytes`, which are no more than [`Drain::room`] has said, and counts them in `ctx.moved_bytes`.
    ///
    /// # Errors
    /// It is closed, or has failed.
    fn write(&mut self, ctx: &mut WasiCtx, bytes: &[u8]) -> Result<(), Broken>;

    /// Has what was written reach its destination.
    ///
    /// # Errors
    /// It is closed, or has failed.
    fn flush(&mut self, _ctx: &mut WasiCtx) -> Result<(), Broken> {
        Ok(())
    }

    /// What has to be waited for before there is room; nothing if there is some, or an error to be told.
    ///
    /// # Errors
    /// The guest is stopped.
    fn awaits(&mut self, _ctx: &mut WasiCtx) -> Result<Option<Wait>, Fail> {
        Ok(None)
    }

    /// The guest has dropped the stream.
    fn dropped(&mut self, _ctx: &mut WasiCtx) {}
}

/// The resource `input-stream`.
pub struct InputStream {
    from: Box<dyn Source>,
    has_failed: bool,
}

impl InputStream {
    /// A stream from `from`.
    pub fn new(from: impl Source + 'static) -> InputStream {
        InputStream { from: Box::new(from), has_failed: false }
    }

    /// As [`Source::read`].
    ///
    /// # Errors
    /// As [`Source::read`]; it has failed before.
    pub fn read(&mut self, ctx: &mut WasiCtx, len: usize) -> Result<Vec<u8>, Broken> {
        if self.has_failed {
            return Err(Broken::Closed);
        }
        let read = self.from.read(ctx, len);
        self.has_failed = matches!(read, Err(Broken::Failed(_)));
        read
    }

    /// As [`Source::awaits`].
    ///
    /// # Errors
    /// As [`Source::awaits`].
    pub fn awaits(&mut self, ctx: &mut WasiCtx) -> Result<Option<Wait>, Fail> {
        if self.has_failed { Ok(None) } else { self.from.awaits(ctx) }
    }
}

impl Resource for InputStream {
    fn dropped(&mut self, ctx: &mut WasiCtx) {
        self.from.dropped(ctx);
    }
}

/// The resource `output-stream`.
pub struct OutputStream {
    to: Box<dyn Drain>,
    /// Bytes that `check-write` has allowed, less what was written since.
    permit: u64,
    is_closed: bool,
}

impl OutputStream {
    /// A stream to `to`.
    pub fn new(to: impl Drain + 'static) -> OutputStream {
        OutputStream { to: Box::new(to), permit: 0, is_closed: false }
    }

    /// Bytes that may be written now. From then on, they are allowed.
    ///
    /// # Errors
    /// As [`Drain::room`]; it is closed.
    pub fn check(&mut self, ctx: &mut WasiCtx) -> Result<u64, Broken> {
        self.permit = 0;
        self.permit = self.on_drain(|to| to.room(ctx))?;
        Ok(self.permit)
    }

    /// Writes what [`OutputStream::check`] has allowed.
    ///
    /// # Errors
    /// As [`Drain::write`]; more than is allowed stops the guest.
    pub fn write(&mut self, ctx: &mut WasiCtx, bytes: &[u8]) -> Result<(), Broken> {
        self.spend(bytes.len() as u64)?;
        self.on_drain(|to| to.write(ctx, bytes))
    }

    /// Writes so many zeros, as [`OutputStream::write`] does.
    ///
    /// # Errors
    /// As [`OutputStream::write`].
    pub fn write_zeroes(&mut self, ctx: &mut WasiCtx, len: u64) -> Result<(), Broken> {
        const ZEROES: [u8; 4096] = [0; 4096];
        self.spend(len)?;
        let mut left = len;
        while left > 0 {
            let n = left.min(ZEROES.len() as u64);
            self.on_drain(|to| to.write(ctx, &ZEROES[..n as usize]))?;
            left -= n;
        }
        Ok(())
    }

    /// As [`Drain::flush`].
    ///
    /// # Errors
    /// As [`Drain::flush`]; it is closed.
    pub fn flush(&mut self, ctx: &mut WasiCtx) -> Result<(), Broken> {
        self.on_drain(|to| to.flush(ctx))
    }

    /// As [`Drain::awaits`].
    ///
    /// # Errors
    /// As [`Drain::awaits`].
    pub fn awaits(&mut self, ctx: &mut WasiCtx) -> Result<Option<Wait>, Fail> {
        if self.is_closed { Ok(None) } else { self.to.awaits(ctx) }
    }

    fn spend(&mut self, bytes: u64) -> Result<(), Broken> {
        self.permit = self.permit.checked_sub(bytes).ok_or_else(|| {
            let permit = self.permit;
            Fail::trap(format!(
                "{bytes} bytes are written to a stream of which `check-write` allowed {permit}"
            ))
        })?;
        Ok(())
    }

    /// After an error, a stream is closed.
    fn on_drain<T>(&mut self, step: impl FnOnce(&mut dyn Drain) -> Result<T, Broken>) -> Result<T, Broken> {
        if self.is_closed {
            return Err(Broken::Closed);
        }
        let done = step(&mut *self.to);
        self.is_closed = matches!(done, Err(Broken::Failed(_) | Broken::Closed));
        done
    }
}

impl Resource for OutputStream {
    fn dropped(&mut self, ctx: &mut WasiCtx) {
        self.to.dropped(ctx);
    }
}
