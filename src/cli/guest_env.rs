//! A guest's environment, directories and standard input, from flags.

use crate::base::limits::HOST_CALL_BYTES_MAX;
use crate::cli::args::command::GuestEnvArgs;
use crate::cli::exit;
use crate::cli::failure::Failure;
use crate::host::streams::{Chunks, Stdin};
use crate::host::wasi::ctx::GuestEnv;
use crate::host::wasi::dir::Preopen;
use std::ffi::OsString;
use std::io::{IsTerminal, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

/// Chunks of standard input that may wait for the guest, and the size of one in bytes.
const STDIN_CHUNKS: usize = 4;
const STDIN_CHUNK_BYTES: usize = 64 * 1024;
const _: () = assert!(STDIN_CHUNK_BYTES <= HOST_CALL_BYTES_MAX);

/// A variable's name and value, as bytes.
type Variable = (Vec<u8>, Vec<u8>);

/// The guest environment of `args`; opens its directories.
pub fn build(args: &GuestEnvArgs) -> Result<GuestEnv, Failure> {
    let env = args.env.iter().map(variable).collect::<Result<Vec<_>, _>>()?;
    let mut dirs = Vec::with_capacity(args.dirs.len());
    for dir in &args.dirs {
        let opened = Preopen::open(Path::new(&dir.host), &dir.guest, dir.read_only);
        dirs.push(opened.map_err(|error| {
            Failure::new(exit::LOAD, format!("--dir {}: {error}", dir.host.to_string_lossy()))
        })?);
    }
    let terminals = match args.seed {
        // Guests behave differently on a terminal.
        Some(_) => [false; 3],
        None => {
            [std::io::stdin().is_terminal(), std::io::stdout().is_terminal(), std::io::stderr().is_terminal()]
        }
    };
    let env = env.into_iter().flatten().collect();
    Ok(GuestEnv { env, dirs, seed: args.seed, config: args.config.clone(), hosts: Vec::new(), terminals })
}

/// Beyond `ulimit -f` the system sends a signal that ends the process, unless it is taken note of: then, the write fails
/// with EFBIG, as for every other file that is too large. Whoever writes may be a guest, a deployment or the log.
pub fn errors_for_large_files() -> Result<(), Failure> {
    let taken = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
    taken.map(drop).map_err(|error| Failure::new(exit::FAILURE, format!("signals: {error}")))
}

/// `K=V`, or `K` for the value it has here; none if it has none.
fn variable(text: &OsString) -> Result<Option<Variable>, Failure> {
    let whole = bytes(text.clone());
    if let Some(at) = whole.iter().position(|byte| *byte == b'=') {
        return Ok(Some((whole[..at].to_vec(), whole[at + 1..].to_vec())));
    }
    if whole.is_empty() {
        return Err(Failure::new(exit::USAGE, "--env needs K=V or K"));
    }
    Ok(std::env::var_os(text).map(|value| (whole, bytes(value))))
}

/// Standard input for a program: as it comes or, for a reproducible run, as a whole, as a guest sees in which pieces it
/// comes. Either way it is read when the guest asks for it, and its deadline holds meanwhile.
pub fn stdin(args: &GuestEnvArgs, limit: usize) -> Stdin {
    match args.seed {
        None => Stdin::Lazy(Box::new(piped)),
        Some(_) => Stdin::Whole { begin: Box::new(piped), limit },
    }
}

/// Standard input, read by a thread of its own: a guest that waits for it must still meet its deadline,
/// and a blocking read cannot be called off. The thread ends with the process.
fn piped() -> Chunks {
    let (send, receive) = sync_channel(STDIN_CHUNKS);
    let spawned = std::thread::Builder::new().name("stdin".into()).spawn(move || {
        let mut stdin = std::io::stdin().lock();
        let mut buffer = vec![0; STDIN_CHUNK_BYTES];
        loop {
            match stdin.read(&mut buffer) {
                Ok(0) => return,
                Ok(n) if send.send(buffer[..n].to_vec()).is_ok() => {}
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                _ => return,
            }
        }
    });
    if let Err(error) = spawned {
        log::error!("no thread for standard input, which is empty for the guest: {error}");
    }
    receive
}

/// An argument as bytes.
#[cfg(unix)]
pub fn bytes(text: OsString) -> Vec<u8> {
    std::os::unix::ffi::OsStringExt::into_vec(text)
}

/// An argument as bytes.
#[cfg(not(unix))]
pub fn bytes(text: OsString) -> Vec<u8> {
    text.to_string_lossy().into_owned().into_bytes()
}
