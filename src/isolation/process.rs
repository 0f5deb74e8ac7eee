//! One process for guests, from the side of the door.

use super::census::{Census, Member};
use super::channel::{Ask, Channel, Lost, Told};
use super::child::{COMMAND, Kind, WITH_FILES};
use super::cpu_clock;
use super::wire::{Binding, FACTS_BYTES_MAX, Facts, Failure, Frame, Request, read_head};
use crate::abi::Hooks;
use crate::base::memory::Memory;
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the end of a process is waited for that has closed its connections, at most.
pub const END: Duration = Duration::from_millis(200);

/// How often it is looked for meanwhile.
const END_LOOK: Duration = Duration::from_micros(100);

/// A process; killed on drop.
#[derive(Debug)]
pub struct Process {
    /// None once somebody else waits for its end.
    child: Option<std::process::Child>,
    /// The connection to it.
    pub channel: Channel,
    /// Its place in the census.
    member: Option<Member>,
    /// Whether it counts as one that runs a guest.
    pub is_counted: bool,
    /// The time that its requests took.
    pub busy: Duration,
    /// The processor time that it had used when that was last looked at, and the time that its requests had taken.
    looked: Option<(Duration, Duration)>,
}

/// How a process died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Death {
    /// As `Stop::Died` has it.
    pub how: &'static str,
    /// The signal that ended it.
    pub signal: Option<i32>,
}

impl Process {
    /// Starts `program` as a process for guests. It runs nothing before it is bound.
    ///
    /// # Errors
    /// No process or no descriptor.
    pub fn start(program: &Path, kind: Kind) -> io::Result<Process> {
        let (stream, of_process) = UnixStream::pair()?;
        let mut command = Command::new(program);
        command.arg0("fuelbox").arg(COMMAND).env_clear().current_dir("/");
        // Signals of a terminal are for the server.
        command.process_group(0);
        if kind == Kind::WithFiles {
            command.arg(WITH_FILES);
        }
        command.stdin(OwnedFd::from(of_process)).stdout(Stdio::null()).stderr(Stdio::null());
        let channel = Channel::new(stream)?;
        let (child, busy) = (Some(command.spawn()?), Duration::ZERO);
        Ok(Process { child, channel, member: None, is_counted: false, busy, looked: None })
    }

    /// Binds it to a plug-in, before it has a byte of the module.
    ///
    /// # Errors
    /// [`Lost`]: it died as a spare, or cannot be confined.
    pub fn bind(
        &mut self,
        binding: &Binding,
        descriptors: &[BorrowedFd<'_>],
        (until, hooks): (Instant, Hooks<'_>),
    ) -> Result<(), Lost> {
        let bytes = postcard::to_allocvec(binding).map_err(|_| Lost::Broken)?;
        self.limit(binding.address_bytes()).map_err(|_| Lost::Gone)?;
        self.channel.bind(&bytes, descriptors, (until, hooks))
    }

    /// Has it load the module.
    ///
    /// # Errors
    /// [`Lost`]; or, as the inner error, why the module does not load.
    pub fn load(&mut self, until: Instant, hooks: Hooks<'_>) -> Result<Result<Option<Facts>, Failure>, Lost> {
        let ask = Ask {
            request: Request::Load,
            message: [&[]; 2],
            most: FACTS_BYTES_MAX,
            most_of_call: 0,
            until: Some(until),
            cancel: None,
            hooks,
        };
        let answer = self.channel.ask(&ask, &mut silent)?;
        let (facts, _) = read_head(&answer).ok_or(Lost::Broken)?;
        Ok(facts)
    }

    /// Processor time that it used since the last call of this, beyond what its requests took: 0 at the first, or if the
    /// system does not tell.
    pub fn looked_idle(&mut self) -> Duration {
        let Some(used) = self.child.as_ref().and_then(|child| cpu_clock::of(child.id())) else {
            return Duration::ZERO;
        };
        let before = self.looked.replace((used, self.busy));
        before.map_or(Duration::ZERO, |(used_before, busy_before)| {
            (used.saturating_sub(used_before)).saturating_sub(self.busy - busy_before)
        })
    }

    /// Memory that it has for itself, in bytes, if the system tells.
    pub fn own_bytes(&self) -> Option<u64> {
        let memory = Memory::of(self.child.as_ref()?.id())?;
        Some(memory.resident.saturating_sub(memory.of_files))
    }

    /// Bounds its address space, in bytes.
    fn limit(&self, address_bytes: u64) -> io::Result<()> {
        let id = self.child.as_ref().and_then(|child| Pid::from_raw(child.id().try_into().ok()?));
        // It has this process's own limit, which cannot be raised.
        let own = getrlimit(Resource::As).maximum;
        let most = Some(own.map_or(address_bytes, |own| own.min(address_bytes)));
        let limit = Rlimit { current: most, maximum: most };
        prlimit(Some(id.ok_or(io::ErrorKind::NotFound)?), Resource::As, limit)?;
        Ok(())
    }

    /// How it died, if it did so lately by itself; it is killed if not.
    pub fn death(&mut self, patience: Duration) -> Death {
        self.member = None;
        let begin = Instant::now();
        let status = loop {
            match self.child.as_mut().map(std::process::Child::try_wait) {
                Some(Ok(Some(status))) => break Some(status),
                Some(Ok(None)) if begin.elapsed() < patience.min(END) => std::thread::sleep(END_LOOK),
                _ => break None,
            }
        };
        let words = self.channel.last_words();
        match status {
            Some(status) => {
                self.child = None;
                of_status(status, &words)
            }
            None => Death { how: "protocol", signal: None },
        }
    }

    /// Has it counted in `census`.
    pub fn join(&mut self, census: &Arc<Census>) {
        if let (None, Some(child)) = (&self.member, &self.child) {
            self.member = Some(census.join(child.id()));
        }
    }

    /// Kills it, and gives what has to be waited for.
    pub fn kill(mut self) -> Option<std::process::Child> {
        self.member = None;
        let mut child = self.child.take()?;
        // It may have ended already.
        let _ = child.kill();
        Some(child)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.member = None;
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn silent(_: Frame, _: &[u8]) -> Result<Option<Told>, Lost> {
    Ok(None)
}

/// What an exit status tells, with the last words of the process.
fn of_status(status: ExitStatus, words: &str) -> Death {
    let signal = status.signal();
    let how = match signal {
        Some(libc::SIGABRT) if words.contains("memory allocation of") => "out of memory",
        Some(libc::SIGABRT) => "abort",
        Some(libc::SIGSYS) => "bad system call",
        // By the system, which has too little memory, or an operator.
        Some(libc::SIGKILL) => "killed",
        Some(_) => "signal",
        None => "exit",
    };
    Death { how, signal }
}
