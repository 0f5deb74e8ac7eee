//! The body of a response to a call out.

use crate::host::component::account::Kept;
use crate::host::component::function::Fail;
use crate::host::component::wasi::stream::{Broken, Source};
use crate::host::wasi::abi::Wait;
use crate::host::wasi::ctx::WasiCtx;

/// The body of a response, which is there as a whole.
pub struct Received {
    bytes: Vec<u8>,
    read: usize,
    /// For the bytes.
    _kept: Kept,
}

impl Received {
    /// These bytes, which `kept` counts.
    pub fn new(bytes: Vec<u8>, kept: Kept) -> Received {
        Received { bytes, read: 0, _kept: kept }
    }
}

impl Source for Received {
    fn read(&mut self, ctx: &mut WasiCtx, len: usize) -> Result<Vec<u8>, Broken> {
        let rest = &self.bytes[self.read..];
        if rest.is_empty() {
            return Err(Broken::Closed);
        }
        let piece = rest[..rest.len().min(len)].to_vec();
        self.read += piece.len();
        ctx.moved_bytes += piece.len() as u64;
        Ok(piece)
    }

    fn awaits(&mut self, _: &mut WasiCtx) -> Result<Option<Wait>, Fail> {
        Ok(None)
    }
}
