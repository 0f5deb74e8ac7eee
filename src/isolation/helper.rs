//! The process that makes the HTTP calls of `fuelbox run` and `fuelbox call`. It is set aside before they confine themselves: so
//! the process with the guest needs no network, no resolver and no certificates, and a guest that takes it over can call what
//! the list allows and nothing else.
//!
//! Both share one socket. First comes the list with the limits; then each call: the milliseconds that it may take in eight
//! bytes, the size of its message in four (little endian), and the message. The answer is a size and a message, too.

use super::call_wire::{answered, asked, told};
use super::child::close_all_but_standard;
use super::confine::{self, Rules};
use super::wire::{CALL_HEAD_BYTES_MAX, read_head};
use crate::base::heap;
use crate::base::limits::Limits;
use crate::base::lock::lock;
use crate::host::outbound::allow_list::HttpAllowList;
use crate::host::outbound::calls::Calls;
use crate::host::outbound::message::{Answered, OutRequest, Refusal, Why};
use crate::host::outbound::way::{Remote, client};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Signal, set_parent_process_death_signal};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The hidden command that makes a process one of these.
pub const COMMAND: &str = "__http-calls";

/// Where certificates are looked for, beside the system's places.
const CERTIFICATES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// Where resolvers and certificates are.
const READ: [&str; 6] = ["/etc", "/usr", "/lib", "/lib64", "/run", "/var/lib/ca-certificates"];

/// Descriptors of the process.
const DESCRIPTORS: u64 = 128;

/// What the process is for.
#[derive(Serialize, Deserialize)]
struct Task {
    patterns: Vec<String>,
    limits: Limits,
}

/// The process, from the side of the guest.
#[derive(Debug)]
pub struct Helper {
    stream: Mutex<UnixStream>,
    request_bytes: usize,
    response_bytes: usize,
}

impl Helper {
    /// Starts `program` as such a process.
    ///
    /// # Errors
    /// There is no process, or no socket.
    pub fn start(program: &Path, list: &HttpAllowList, limits: &Limits) -> io::Result<Helper> {
        let (mut stream, of_helper) = UnixStream::pair()?;
        let mut command = Command::new(program);
        command.arg0("fuelbox").arg(COMMAND).env_clear().current_dir("/");
        command.envs(CERTIFICATES.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        command.stdin(OwnedFd::from(of_helper)).stdout(Stdio::null()).stderr(Stdio::null());
        // It ends with this process, which need not wait for it.
        command.spawn()?;
        let task = Task { patterns: list.patterns().map(str::to_string).collect(), limits: limits.clone() };
        let task = postcard::to_allocvec(&task).map_err(io::Error::other)?;
        write(&mut stream, &task)?;
        Ok(Helper {
            stream: Mutex::new(stream),
            request_bytes: limits.output_bytes,
            response_bytes: limits.input_bytes,
        })
    }
}

impl Remote for Helper {
    fn call(&self, request: &OutRequest, body: &[u8], until: Option<Instant>) -> Result<Answered, Refusal> {
        let message = asked(request, body, self.request_bytes)?;
        let left = until.map(|until| until.saturating_duration_since(Instant::now()).as_millis());
        let left = left.map_or(u64::MAX, |left| left.try_into().unwrap_or(u64::MAX));
        let mut stream = lock(&self.stream);
        let most = CALL_HEAD_BYTES_MAX.saturating_add(self.response_bytes);
        let exchanged = stream
            .write_all(&left.to_le_bytes())
            .and_then(|()| write(&mut stream, &message))
            .and_then(|()| read(&mut stream, most));
        let message = exchanged.map_err(|error| {
            Refusal::new(Why::Host, format!("the process that makes HTTP calls does not answer: {error}"))
        })?;
        answered(message)
    }
}

fn write(stream: &mut UnixStream, message: &[u8]) -> io::Result<()> {
    let size = u32::try_from(message.len()).map_err(io::Error::other)?;
    stream.write_all(&size.to_le_bytes())?;
    stream.write_all(message)
}

fn read(stream: &mut UnixStream, most: usize) -> io::Result<Vec<u8>> {
    let mut size = [0; 4];
    stream.read_exact(&mut size)?;
    let size = u32::from_le_bytes(size) as usize;
    if size > most {
        return Err(io::ErrorKind::OutOfMemory.into());
    }
    let mut message = heap::zeroed(size).map_err(|_| io::ErrorKind::OutOfMemory)?;
    stream.read_exact(&mut message)?;
    Ok(message)
}

/// Makes calls until nobody asks any more; gives the exit code.
pub fn main() -> u8 {
    close_all_but_standard();
    u8::from(work().is_err())
}

fn work() -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    confined()?;
    let mut stream = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    end_with(stream.try_clone()?)?;
    let task: Task = postcard::from_bytes(&read(&mut stream, usize::MAX)?).map_err(io::Error::other)?;
    let list = HttpAllowList::new(&task.patterns).map_err(io::Error::other)?;
    // One more byte is told apart from one less.
    let most = CALL_HEAD_BYTES_MAX.saturating_add(task.limits.output_bytes).saturating_add(1);
    let mut calls = Calls::new(list, &task.limits, None);
    loop {
        let mut left = [0; 8];
        stream.read_exact(&mut left)?;
        let message = read(&mut stream, most)?;
        let broken = || io::Error::other("this is no call");
        let (request, end) = read_head::<OutRequest>(&message).ok_or_else(broken)?;
        let until = Instant::now().checked_add(Duration::from_millis(u64::from_le_bytes(left)));
        let answered = calls.make(client(), (request, &message[end..]), until);
        drop(message);
        let message = told(answered).ok_or(io::ErrorKind::OutOfMemory)?;
        write(&mut stream, &message)?;
    }
}

/// Ends this process when the other end of `stream` is closed, whatever call it is at. The signal for the death of the parent
/// does not arrive from a parent whom Landlock forbids to send any.
fn end_with(stream: UnixStream) -> io::Result<()> {
    let watch = move || {
        // Only that it is closed is waited for.
        while poll(&mut [PollFd::new(&stream, PollFlags::empty())], None) == Err(Errno::INTR) {}
        std::process::exit(1)
    };
    std::thread::Builder::new().name("end".into()).spawn(watch).map(drop)
}

/// Takes away what the calls do not need: it writes nothing, and reads where resolvers and certificates are.
fn confined() -> io::Result<()> {
    confine::privileges()?;
    let given = CERTIFICATES.iter().filter_map(std::env::var_os);
    let given = given.flat_map(|paths| std::env::split_paths(&paths).collect::<Vec<_>>());
    let folder = |path: PathBuf| if path.is_dir() { Some(path) } else { Some(path.parent()?.to_path_buf()) };
    let places = given.filter_map(folder).chain(READ.map(PathBuf::from));
    let opened: Vec<File> = places.filter_map(|place| File::open(place).ok()).collect();
    let rules = Rules {
        dirs: opened.iter().map(|dir| (dir.as_fd(), true)).collect(),
        descriptors: DESCRIPTORS,
        file_bytes: Some(0),
        makes_threads: true,
        receives: false,
        has_network: true,
    };
    confine::files(&rules).map(drop)
}
