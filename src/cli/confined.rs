//! `fuelbox __confined`: confines itself like a process that runs guests, makes one system call and prints what came of
//! it. The tests of the confinement (`tests/it/confine.rs`) are its only user.
//!
//! `fuelbox __confined [threads] [dir=PATH] [ro=PATH] NUMBER [ARGUMENT...]`. With `threads`, the process may make more
//! threads. An argument is a number, `@TEXT` for a pointer to a text, `%HEX` for a pointer to bytes, or `dir` for the
//! descriptor of the first directory. Arguments that are missing are 0.
#![allow(unsafe_code)]

use crate::isolation::confine::{Rules, calls, early, files};
use rustix::fs::{Mode, OFlags};
use std::ffi::OsString;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

/// The first argument.
pub const NAME: &str = "__confined";

/// What ends the process if the call did not come back. It has to be more than a slow machine needs for one call.
const PATIENCE: Duration = Duration::from_secs(3);

/// The exit code for a call that waits.
const WAITS: u8 = 3;
/// The exit code for a command line that is wrong, or if the process cannot be confined.
const NOT_DONE: u8 = 2;

/// What the command line asks for.
#[derive(Default)]
struct Asked {
    makes_threads: bool,
    receives: bool,
    dirs: Vec<(OwnedFd, bool)>,
    /// The system call and its arguments.
    words: Vec<String>,
}

/// Makes the call that `args` name.
pub fn main(args: &[OsString]) -> u8 {
    let said = asked(args).ok_or_else(|| "see src/cli/confined.rs".to_string()).and_then(|asked| {
        confine(&asked).map_err(|error| error.to_string())?;
        call(&asked).ok_or_else(|| "a number, @TEXT, %HEX or dir".into())
    });
    match said {
        Ok(result) => {
            println!("{result}");
            0
        }
        Err(what) => {
            eprintln!("fuelbox {NAME}: {what}");
            NOT_DONE
        }
    }
}

fn asked(args: &[OsString]) -> Option<Asked> {
    let mut asked = Asked::default();
    for arg in args {
        let word = arg.to_str()?;
        let dir = word.strip_prefix("dir=").map(|path| (path, false));
        if !asked.words.is_empty() {
            asked.words.push(word.into());
        } else if let Some((path, is_read_only)) = dir.or(word.strip_prefix("ro=").map(|path| (path, true))) {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            asked.dirs.push((rustix::fs::open(path, flags, Mode::empty()).ok()?, is_read_only));
        } else if word == "threads" {
            asked.makes_threads = true;
        } else if word == "receives" {
            asked.receives = true;
        } else {
            asked.words.push(word.into());
        }
    }
    (!asked.words.is_empty()).then_some(asked)
}

/// As a process that runs guests: first its start, then files, then threads, then system calls.
fn confine(asked: &Asked) -> std::io::Result<()> {
    let rules = Rules {
        dirs: asked.dirs.iter().map(|(dir, is_read_only)| (dir.as_fd(), *is_read_only)).collect(),
        descriptors: 64,
        file_bytes: None,
        has_network: false,
        makes_threads: asked.makes_threads,
        receives: asked.receives,
    };
    early(1 << 30)?;
    files(&rules)?;
    for _ in 0..2 {
        std::thread::Builder::new().spawn(|| {
            std::thread::sleep(PATIENCE);
            std::process::exit(WAITS.into());
        })?;
    }
    calls(&rules)?;
    if asked.makes_threads {
        std::thread::Builder::new()
            .spawn(|| ())?
            .join()
            .map_err(|_| std::io::Error::other("a thread panicked"))?;
    }
    Ok(())
}

/// Makes the call. `None` if a word is none of an argument.
fn call(asked: &Asked) -> Option<String> {
    let mut memory = Vec::new();
    let mut values = [0; 7];
    for (value, word) in values.iter_mut().zip(&asked.words) {
        *value = match (word.strip_prefix('@'), word.strip_prefix('%')) {
            (Some(text), _) => pointer(&mut memory, [text.as_bytes(), b"\0"].concat()),
            (_, Some(hex)) => pointer(&mut memory, bytes(hex)?),
            _ if word == "dir" => asked.dirs.first()?.0.as_raw_fd().into(),
            _ => word.parse().ok()?,
        };
    }
    let [number, a, b, c, d, e, f] = values;
    // SAFETY: nothing makes any call sound. This one is the last thing that the process does, on behalf of whoever gave
    // it the command line and could do as much without it. What pointers lead to lives until the end.
    let result = unsafe { libc::syscall(number, a, b, c, d, e, f) };
    Some(match result {
        -1 => format!("errno {}", std::io::Error::last_os_error().raw_os_error().unwrap_or(0)),
        result => format!("result {result}"),
    })
}

/// Keeps `bytes` and gives their address.
fn pointer(memory: &mut Vec<Vec<u8>>, bytes: Vec<u8>) -> libc::c_long {
    let address = bytes.as_ptr().addr() as libc::c_long;
    memory.push(bytes);
    address
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let pairs = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok());
    pairs.collect()
}
