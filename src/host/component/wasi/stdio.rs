//! The standard streams as streams of WASI 0.2. They are those of preview1: the same input, the same limits.

use super::stream::{Broken, Drain, Source};
use crate::base::heap;
use crate::base::limits::HOST_CALL_BYTES_MAX;
use crate::host::component::function::Fail;
use crate::host::streams::{Ready, Sink};
use crate::host::wasi::abi::{Fault, Wait};
use crate::host::wasi::ctx::WasiCtx;
use crate::host::wasi::files::Files;

/// Standard input.
pub struct Stdin;

const INPUT: Wait = Wait { until: None, stdin: true };

impl Source for Stdin {
    fn read(&mut self, ctx: &mut WasiCtx, len: usize) -> Result<Vec<u8>, Broken> {
        let stdin = &mut ctx.files.stdin;
        let ready = stdin.ready();
        if stdin.is_awaited() {
            return Err(Fail::Wait(INPUT).into());
        }
        stdin.check()?;
        let there = match ready {
            Ready::Bytes(there) => there,
            Ready::End => return Err(Broken::Closed),
            Ready::NotYet => 0,
        };
        let mut bytes = Vec::new();
        let n = there.min(len);
        heap::reserve(&mut bytes, n).map_err(|_| Fault::NoMemory)?;
        bytes.resize(n, 0);
        stdin.take(&mut bytes);
        ctx.moved_bytes += n as u64;
        Ok(bytes)
    }

    fn awaits(&mut self, ctx: &mut WasiCtx) -> Result<Option<Wait>, Fail> {
        let stdin = &mut ctx.files.stdin;
        if stdin.ready() == Ready::NotYet {
            return Ok(Some(INPUT));
        }
        stdin.check()?;
        Ok(None)
    }
}

/// Input without anything in it.
pub struct Nothing;

impl Source for Nothing {
    fn read(&mut self, _ctx: &mut WasiCtx, _len: usize) -> Result<Vec<u8>, Broken> {
        Err(Broken::Closed)
    }

    fn awaits(&mut self, _ctx: &mut WasiCtx) -> Result<Option<Wait>, Fail> {
        Ok(None)
    }
}

/// Standard output or standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Output {
    /// This output, and the other one.
    fn of(self, files: &mut Files) -> (&mut Sink, &mut Sink) {
        match self {
            Output::Stdout => (&mut files.stdout, &mut files.stderr),
            Output::Stderr => (&mut files.stderr, &mut files.stdout),
        }
    }
}

/// What is written reaches its reader at the end of a slice of the run and before each wait, so there is nothing to flush.
impl Drain for Output {
    /// However full it is: the write that is too much stops the guest, and says why.
    fn room(&mut self, ctx: &mut WasiCtx) -> Result<u64, Broken> {
        let (own, _) = self.of(&mut ctx.files);
        Ok(u64::from(own.at_once()).min(HOST_CALL_BYTES_MAX as u64))
    }

    fn write(&mut self, ctx: &mut WasiCtx, bytes: &[u8]) -> Result<(), Broken> {
        let (own, other) = self.of(&mut ctx.files);
        // What was written first comes first, where both go to the same place.
        other.let_through();
        own.write(bytes)?;
        ctx.moved_bytes += bytes.len() as u64;
        Ok(())
    }
}
