//! A process that runs the guests of one plug-in. `fuelbox` runs itself with [`COMMAND`] for it.
//!
//! It inherits one socket, as standard input, on which two connections wait. The first, the control connection, brings
//! what the process is for, and takes what guests say and the last words of the process. The second is the lane: a
//! tiny_http server of its own takes requests from it.

mod control;
mod descriptors;
#[cfg(debug_assertions)]
mod faults;
mod guest;
mod outlet;
mod serve;

use crate::abi::given::Environment;
use crate::base::limits::{Limits, TRANSLATED_PER_BYTE};
use crate::host::guest_log::TARGET;
use crate::host::wasi::ctx::GuestEnv;
use crate::host::wasi::dir::Preopen;
use crate::isolation::confine::{self, Rules};
use crate::isolation::wire::{Binding, Frame};
use cap_std::fs::Dir;
use log::{Level, LevelFilter, Log, Metadata, Record};
use outlet::Frames;
use rustix::process::{Signal, set_parent_process_death_signal};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::sync::{Arc, Mutex};

pub use control::DESCRIPTORS_MAX;

/// The hidden command that makes a process one of these.
pub const COMMAND: &str = "__guest-process";

/// Address space of a process without any guest: the program, stacks of its threads, and what allocators reserve.
const ADDRESS_BYTES: u64 = if cfg!(target_pointer_width = "64") { 1 << 30 } else { 192 << 20 };

/// Descriptors that a process has beside those of its guest.
const DESCRIPTORS: u64 = 32;

/// What guests say is passed on; the rest of this process has nothing to say.
struct GuestLevel;

impl Log for GuestLevel {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == TARGET && metadata.level() <= log::max_level()
    }

    fn log(&self, _: &Record<'_>) {}

    fn flush(&self) {}
}

/// Runs as such a process until the door has no more use for it; gives the exit code.
pub fn main() -> u8 {
    descriptors::close_all_but_standard();
    match work() {
        Ok(()) => 0,
        Err(error) => {
            // To the door, if it still listens.
            eprintln!("{error}");
            1
        }
    }
}

fn work() -> io::Result<()> {
    // A thread of the lane that panics, for want of another thread, would leave the door waiting.
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        usual(info);
        std::process::exit(1);
    }));
    set_parent_process_death_signal(Some(Signal::KILL))?;
    confine::early()?;
    let listener = UnixListener::from(io::stdin().as_fd().try_clone_to_owned()?);
    let (mut control, _) = listener.accept()?;
    // What the standard library says before it ends the process goes to the door.
    rustix::stdio::dup2_stdout(&control)?;
    rustix::stdio::dup2_stderr(&control)?;
    let Some((binding, descriptors)) = control::receive(&mut control)? else { return Ok(()) };
    let _ = log::set_logger(&GuestLevel);
    let levels = LevelFilter::iter().nth(binding.log_level);
    log::set_max_level(levels.unwrap_or(LevelFilter::Info));

    let mut descriptors = descriptors.into_iter();
    let missing = || io::Error::other("a descriptor is missing");
    let module = File::from(descriptors.next().ok_or_else(missing)?);
    let dirs: Vec<OwnedFd> = descriptors.collect();
    if dirs.len() != binding.dirs.len() {
        return Err(missing());
    }
    let rules = Rules {
        dirs: dirs.iter().zip(&binding.dirs).map(|(dir, (_, read_only))| (dir.as_fd(), *read_only)).collect(),
        address_bytes: Some(address_bytes(&binding)),
        descriptors: DESCRIPTORS + dirs.len() as u64 + binding.limits.descriptors as u64,
        makes_threads: false,
    };
    confine::files(&rules)?;
    let lane = serve::Lane::open(listener)?;
    let filtered = confine::calls(&rules);
    if !binding.is_weak {
        filtered?;
    }
    drop(rules);
    // From here on there are bytes of the guest's.
    let frames = Arc::new(Mutex::new(Frames::new(control)));
    tell_of_panics(&frames);
    let (binding, guest_env) = environment(binding, dirs)?;
    lane.serve(&frames, || guest::Guest::load(binding, &module, guest_env, &frames))
}

/// Panics of a run are caught, and told as messages of the guest: text on standard error would end the connection.
fn tell_of_panics(frames: &Arc<Mutex<Frames>>) {
    let frames = Arc::clone(frames);
    std::panic::set_hook(Box::new(move |info| {
        let text = info.to_string();
        if let (Ok(mut frames), Ok(size)) = (frames.try_lock(), u32::try_from(text.len())) {
            frames.send(Frame::Message, &[&[Level::Error as u8], &size.to_le_bytes(), text.as_bytes()]);
        }
    }));
}

/// What the policy gives to the guest, its directories among it.
fn environment(mut binding: Binding, dirs: Vec<OwnedFd>) -> io::Result<(Binding, GuestEnv)> {
    let opened = dirs.into_iter().zip(std::mem::take(&mut binding.dirs));
    let open = |(dir, (guest, read_only))| {
        let dir = Arc::new(Dir::from_std_file(File::from(dir)));
        Preopen { dir, guest, read_only }
    };
    let dirs = opened.map(open).collect();
    let environment: Environment = std::mem::take(&mut binding.environment);
    Ok((binding, GuestEnv { dirs, ..GuestEnv::from(environment) }))
}

/// Address space for the process of a plug-in, in bytes: what its limits allow it, twice where the host copies.
fn address_bytes(binding: &Binding) -> u64 {
    let Limits { input_bytes, output_bytes, stack_bytes, table_elements, .. } = binding.limits;
    let module = (binding.module_bytes as u64).saturating_mul(8 + 3 * TRANSLATED_PER_BYTE);
    let warm = binding.warm.as_ref().map_or(0, |warm| warm.memory_bytes);
    let twice = [
        binding.limits.memory_bytes(),
        2 * input_bytes.min(1 << 30),
        4 * output_bytes.min(1 << 30),
        stack_bytes,
    ];
    let twice = twice.into_iter().fold(0, |sum: u64, bytes| sum.saturating_add(2 * bytes as u64));
    ADDRESS_BYTES
        .saturating_add(module)
        .saturating_add(twice)
        .saturating_add(warm as u64)
        .saturating_add(64 * u64::from(table_elements))
}
