//! What a process does once before it is bound: it loads a module of ours, and runs it.
//!
//! So it is seen to work, and what this took, memory and pages of the program, is there when a request waits: the first
//! call of a process that was bound took 0.4 ms more without.

use super::guest::Guest;
use super::outlet::Frames;
use super::serve;
use crate::abi::Convention;
use crate::abi::given::{Environment, Given};
use crate::base::error::Error;
use crate::host::wasi::ctx::GuestEnv;
use crate::isolation::wire::{Binding, Failure, write_head};
use crate::sandbox::tail_calls;
use std::sync::{Arc, Mutex};

/// Its source is beside it. It gives back what it gets.
const MODULE: &[u8] = include_bytes!("rehearsal.wasm");

/// What it gets.
const INPUT: &[u8] = b"rehearsal";

/// Loads a module of ours and runs it.
///
/// # Errors
/// This process could not run any guest.
pub fn rehearse(frames: &Arc<Mutex<Frames>>) -> Result<(), Error> {
    tail_calls::check()?;
    let broken = |_| Error::Internal("a message is not what it was".into());
    let bound = postcard::to_allocvec(&Binding::default()).map_err(broken)?;
    let binding = postcard::from_bytes(&bound).map_err(broken)?;
    let guest = Guest::compile(binding, MODULE.into(), GuestEnv::default(), frames)?;
    let (func, convention) = ("run".into(), Some(Convention::Packed));
    let given = Given::Bytes { func, convention, environment: Environment::default() };
    let mut message = Vec::new();
    write_head(&mut message, &given).map_err(broken)?;
    message.extend_from_slice(INPUT);
    let (ran, output) = serve::run(&guest, message, frames)?;
    let is_right = ran.result.is_ok() && output == INPUT;
    write_head(&mut Vec::new(), &Ok::<_, Failure>(ran)).map_err(broken)?;
    if is_right { Ok(()) } else { Err(Error::Internal("a guest of fuelbox's own does not run".into())) }
}
