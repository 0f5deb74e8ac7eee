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

/// Chunks of stdin that may be queued for the guest, and the size of one in bytes.
const STDIN_CHUNKS: usize = 4;
const STDIN_CHUNK_BYTES: usize = 64 * 1024;
const _: () = assert!(STDIN_CHUNK_BYTES <= HOST_CALL_BYTES_MAX);

/// A variable's name and value, as bytes.
type Variable = (Vec<u8>, Vec<u8>);

/// Builds the guest environment from `args`, and opens its directories.
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
    let (seed, config, http) = (args.seed, args.config.clone(), args.http.clone());
    Ok(GuestEnv { env, dirs, seed, config, http, terminals, ..GuestEnv::default() })
}

/// Beyond `ulimit -f`, the system sends a signal that ends the process, unless it is handled. Then the write
/// fails with EFBIG, as for every other file that is too large. The writer may be a guest, a deployment or the
/// log.
pub fn errors_for_large_files() -> Result<(), Failure> {
    let taken = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
    taken.map(drop).map_err(|error| Failure::new(exit::FAILURE, format!("signals: {error}")))
}

/// Has a process for guests go on when a terminal, or systemd, tells all processes of the server to end: the server decides
/// when it does. If that fails, it ends too early.
pub fn no_signal_ends_this() {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
    for signal in [SIGHUP, SIGINT, SIGTERM, SIGXFSZ] {
        let _ = signal_hook::flag::register(signal, Arc::default());
    }
}

/// `K=V`, or `K` for its value in this process; `None` if it has none.
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

/// stdin for a program: as it arrives, or, for a deterministic run, as a whole, because a guest sees in which
/// pieces it arrives. In both cases it is read when the guest asks for it, within the deadline.
pub fn stdin(args: &GuestEnvArgs, limit: usize) -> Stdin {
    match args.seed {
        None => Stdin::Lazy(Box::new(piped)),
        Some(_) => Stdin::Whole { begin: Box::new(piped), limit },
    }
}

/// stdin, read by its own thread: a guest that waits for it must still meet its deadline, and a blocking read
/// cannot be cancelled. The thread ends with the process.
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
        log::error!("no thread for stdin, so it is empty for the guest: {error}");
    }
    receive
}

/// All of stdin, but at most one byte more than `limit`.
pub fn whole_stdin(limit: usize) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take((limit as u64).saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|error| Failure::new(exit::FAILURE, format!("cannot read stdin: {error}")))?;
    Ok(bytes)
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
