//! A process that runs the guests of one plug-in. `fuelbox` runs itself with [`COMMAND`] for it.
//!
//! It inherits one socket, as standard input, which is connected to the door. It has one thread.

mod callout;
mod descriptors;
#[cfg(debug_assertions)]
mod faults;
mod guest;
mod outlet;
mod pieces;
mod rehearsal;
mod requests;
mod serve;

use crate::abi::given::Environment;
use crate::base::lock::lock;
use crate::host::guest_log::TARGET;
use crate::host::wasi::ctx::GuestEnv;
use crate::host::wasi::dir::Preopen;
use crate::isolation::confine::{self, Rules};
use crate::isolation::wire::{Binding, Frame};
use cap_std::fs::Dir;
use log::{Level, LevelFilter, Log, Metadata, Record};
use outlet::Frames;
use rustix::process::{Signal, set_parent_process_death_signal};
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};

pub use descriptors::close_all_but_standard;
pub use requests::DESCRIPTORS_MAX;

/// The hidden command that makes a process one of these.
pub const COMMAND: &str = "__guest-process";

/// Address space of a process before it is bound, in bytes: bounded, so that allocations expect to be refused.
const ADDRESS_BYTES_MAX: u64 = if cfg!(target_pointer_width = "64") { 1 << 44 } else { 3 << 30 };

/// Descriptors that a process has beside those of its guest.
const DESCRIPTORS: u64 = 32;

/// The argument of a process that is for a plug-in with directories.
pub const WITH_FILES: &str = "with-files";

/// What a process can be bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Plug-ins without directories. It is confined before it is bound.
    Closed,
    /// Plug-ins with directories, which it has to know to confine itself.
    WithFiles,
}

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
///
/// `args` may hold [`WITH_FILES`].
pub fn main(args: &[OsString]) -> u8 {
    close_all_but_standard();
    let kind = if args.iter().any(|arg| arg == WITH_FILES) { Kind::WithFiles } else { Kind::Closed };
    match work(kind) {
        Ok(()) => 0,
        Err(error) => {
            // To the door, if it still listens.
            eprintln!("{error}");
            1
        }
    }
}

fn work(kind: Kind) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // The door lowers the address space to what the plug-in may have.
    confine::early(ADDRESS_BYTES_MAX)?;
    let stream = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    // What the standard library says before it ends the process goes to the door.
    rustix::stdio::dup2_stdout(&stream)?;
    rustix::stdio::dup2_stderr(&stream)?;
    let frames = Arc::new(Mutex::new(Frames::new(stream.try_clone()?)));
    rehearsal::rehearse(&frames).map_err(io::Error::other)?;
    let known = match kind {
        Kind::Closed => None,
        // Landlock has to know the directories.
        Kind::WithFiles => match requests::receive_binding(&stream)? {
            None => return Ok(()),
            received => received,
        },
    };
    let dirs = known.iter().flat_map(|(binding, descriptors)| descriptors.iter().skip(1).zip(&binding.dirs));
    let mut rules = Rules {
        dirs: dirs.map(|(dir, (_, read_only))| (dir.as_fd(), *read_only)).collect(),
        descriptors: DESCRIPTORS + known.as_ref().map_or(0, |(binding, _)| binding.descriptors()),
        file_bytes: None,
        makes_threads: false,
        receives: kind == Kind::Closed,
        has_network: false,
    };
    // In directories that can be written, files may be there that are larger than a run may write.
    rules.file_bytes = (!rules.writes()).then_some(0);
    confine::files(&rules)?;
    let filtered = confine::calls(&rules);
    drop(rules);
    let known = match known {
        None => requests::receive_binding(&stream)?,
        known => known,
    };
    let Some((binding, descriptors)) = known else { return Ok(()) };
    if !binding.is_weak {
        filtered?;
    }
    serve(stream, &frames, binding, descriptors)
}

/// Serves the plug-in that `binding` tells of. From here on there are bytes of the guest's.
fn serve(
    stream: UnixStream,
    frames: &Arc<Mutex<Frames>>,
    binding: Binding,
    descriptors: Vec<OwnedFd>,
) -> io::Result<()> {
    let _ = log::set_logger(&GuestLevel);
    let levels = LevelFilter::iter().nth(binding.log_level);
    log::set_max_level(levels.unwrap_or(LevelFilter::Info));
    let mut descriptors = descriptors.into_iter();
    let missing = || io::Error::other("a descriptor is missing");
    let module = File::from(descriptors.next().ok_or_else(missing)?);
    if descriptors.len() != binding.dirs.len() {
        return Err(missing());
    }
    lock(frames).ready()?;
    tell_of_panics(frames);
    let (binding, guest_env) = environment(binding, descriptors.collect());
    let load = || guest::Guest::load(binding, &module, guest_env, frames);
    serve::serve(requests::Requests::new(stream), frames, load)
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
fn environment(mut binding: Binding, dirs: Vec<OwnedFd>) -> (Binding, GuestEnv) {
    let opened = dirs.into_iter().zip(std::mem::take(&mut binding.dirs));
    let open = |(dir, (guest, read_only))| {
        let dir = Arc::new(Dir::from_std_file(File::from(dir)));
        Preopen { dir, guest, read_only }
    };
    let dirs = opened.map(open).collect();
    let environment: Environment = std::mem::take(&mut binding.environment);
    binding.environment.has_http = environment.has_http;
    (binding, GuestEnv { dirs, ..GuestEnv::from(environment) })
}
