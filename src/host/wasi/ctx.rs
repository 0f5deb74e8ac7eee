//! The WASI context of a run: arguments, environment, descriptors, clocks and randomness. All are passed in, so
//! that tests and deterministic runs can replace them.

use super::abi::{Errno, Wait, filetype};
use super::dir::{Filestat, Preopen};
use super::entropy::Entropy;
use super::files::Files;
use super::time::{Clock, CpuTime};
use crate::base::cancel::{Cancel, LOOK_EVERY};
use crate::base::limits::Limits;
use crate::host::outbound::allow_list::HttpAllowList;
use crate::host::outbound::way::{Remote, Way};
use crate::host::streams::{Sink, SinkTo, Stdin};
use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What a guest is given beside its input: environment, directories, clock and randomness.
///
/// ```
/// use fuelbox::{GuestEnv, Invocation, Preopen, Runner, RunnerConfig};
/// use std::path::Path;
///
/// let sources = Preopen::open("guests/wat".as_ref(), "/src", true)?;
/// let guest_env = GuestEnv { dirs: vec![sources], seed: Some(0), ..GuestEnv::default() };
/// let call = Invocation { args: ["treehash", "/src"].map(Into::into).to_vec(), guest_env, ..Invocation::default() };
/// let runner = Runner::new(RunnerConfig::default())?;
/// let report = runner.run(Path::new("guests/prebuilt/treehash.wasm"), call)?;
/// assert!(String::from_utf8_lossy(&report.result?).contains("/src/add.wat"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct GuestEnv {
    /// Environment variables.
    pub env: Vec<(Vec<u8>, Vec<u8>)>,
    /// Directories that it finds open.
    pub dirs: Vec<Preopen>,
    /// For a reproducible run, the seed of its randomness: clocks then follow the fuel, sleeping takes no
    /// time, and files have neither times nor the host's inode numbers.
    pub seed: Option<u64>,
    /// Configuration of an Extism plug-in: keys and values. Of a key that is there twice, the last counts.
    pub config: Vec<(String, String)>,
    /// URLs that it may call over HTTP: by Extism's `http_request`, `wasi:http` or `wasi_experimental_http`.
    pub http: HttpAllowList,
    /// Another process that makes these calls, by a list of its own.
    #[doc(hidden)]
    pub remote: Option<Arc<dyn Remote>>,
    /// Whether standard input, output and error are terminals; guests then say so to their users.
    pub terminals: [bool; 3],
    /// What functions of the embedding program are to know of the run ([`Guest::data`](crate::Guest::data)).
    pub data: Option<Arc<dyn Any + Send + Sync>>,
    /// What cancels the run.
    pub cancel: Option<Cancel>,
}

impl GuestEnv {
    /// This, with what `policy` gives beside: its variables in the place of those of the same name, which may
    /// have come from a stranger.
    #[doc(hidden)]
    #[must_use]
    pub fn with(mut self, policy: &GuestEnv) -> GuestEnv {
        self.env.retain(|(name, _)| !policy.env.iter().any(|(own, _)| own == name));
        self.env.extend_from_slice(&policy.env);
        self.dirs.extend_from_slice(&policy.dirs);
        self.config.extend_from_slice(&policy.config);
        self.http.extend(&policy.http);
        self.remote = self.remote.or_else(|| policy.remote.clone());
        self
    }
}

/// That a run answers a request by `wasi:http`. Its standard output is the response.
#[derive(Debug, Clone, Copy)]
pub struct HttpRun {
    /// Whether the method is HEAD.
    pub is_head: bool,
}

/// The context of one run.
pub struct WasiCtx {
    /// Arguments, the program's name first.
    pub args: Vec<Vec<u8>>,
    /// Environment entries, each `KEY=VALUE`.
    pub env: Vec<Vec<u8>>,
    /// Descriptors.
    pub files: Files,
    /// Time.
    pub clock: Clock,
    /// Randomness.
    pub entropy: Entropy,
    /// `filetype` of the standard streams.
    pub stream_types: [u8; 3],
    /// Configuration of an Extism plug-in.
    pub config: Vec<(String, String)>,
    /// Its calls over HTTP.
    pub way: Way,
    /// When a call over HTTP has to be over.
    pub until: Option<Instant>,
    /// Whether the sandbox has seen to all that must be done before the present call may wait for something outside.
    pub may_block: bool,
    /// Bytes of input that the run may have.
    pub input_bytes: usize,
    /// Whether the run answers a request by `wasi:http`.
    pub http: Option<HttpRun>,
    /// What functions of the embedding program are to know of the run.
    pub data: Option<Arc<dyn Any + Send + Sync>>,
    /// What cancels the run.
    pub cancel: Option<Cancel>,
    /// Bytes moved by the present call, which it pays for in fuel.
    pub moved_bytes: u64,
    /// Fuel that the present call costs beside.
    pub extra_fuel: u64,
    /// Whether the present call may have made the host wait, so that the deadline is looked at after it.
    pub may_have_waited: bool,
    /// Bytes that the present `random_get` has filled so far, if it was too much for one time.
    pub random_filled: usize,
    /// When the present `poll_oneoff` began, if it has waited already.
    pub polled_since: Option<u64>,
    /// The number of the run, among those of a warm instance. What an earlier one opened is closed.
    pub run: u32,
    /// Inode numbers of a reproducible run.
    inodes: Option<Inodes>,
}

/// Inode numbers in the order in which the guest met them.
#[derive(Default)]
struct Inodes {
    /// What it got to see for a device and a number of the host.
    known: HashMap<(u64, u64), u64>,
    last: u64,
}

/// What a function of the interface works on: the run's context and the guest's memory.
pub struct Call<'a> {
    /// The run's context.
    pub ctx: &'a mut WasiCtx,
    /// All of the guest's memory; empty if it exports none.
    pub memory: &'a mut [u8],
}

impl WasiCtx {
    /// A context with no arguments, `guest_env`, and both outputs into `stdout` and `stderr`.
    ///
    /// # Errors
    /// EMFILE if there are more directories than descriptors.
    pub fn new(
        limits: &Limits,
        guest_env: GuestEnv,
        stdin: Stdin,
        stdout: SinkTo,
        stderr: SinkTo,
    ) -> Result<WasiCtx, Errno> {
        let mut files = Files::new(
            stdin,
            Sink::new("stdout", limits.output_bytes, stdout),
            Sink::new("stderr", limits.output_bytes, stderr),
            limits.descriptors,
            limits.dir_quota,
        );
        for dir in guest_env.dirs {
            files.preopen(dir)?;
        }
        let seed = guest_env.seed;
        let stream = |terminal| if terminal { filetype::CHARACTER_DEVICE } else { filetype::UNKNOWN };
        Ok(WasiCtx {
            args: Vec::new(),
            env: guest_env.env.into_iter().map(|(key, value)| [key, value].join(&b'=')).collect(),
            files,
            clock: if seed.is_some() { Clock::fuel() } else { Clock::system() },
            entropy: seed.map_or(Entropy::System, Entropy::seeded),
            stream_types: guest_env.terminals.map(stream),
            config: guest_env.config,
            way: Way::new(guest_env.http, limits, (guest_env.remote, guest_env.cancel.clone())),
            until: None,
            may_block: false,
            input_bytes: limits.input_bytes,
            http: None,
            data: guest_env.data,
            cancel: guest_env.cancel,
            moved_bytes: 0,
            extra_fuel: 0,
            may_have_waited: false,
            random_filled: 0,
            polled_since: None,
            run: 0,
            inodes: seed.map(|_| Inodes::default()),
        })
    }

    /// The context of no run: without anything open.
    pub fn closed() -> WasiCtx {
        WasiCtx {
            args: Vec::new(),
            env: Vec::new(),
            files: Files::closed(),
            clock: Clock::system(),
            entropy: Entropy::System,
            stream_types: [filetype::UNKNOWN; 3],
            config: Vec::new(),
            way: Way::none(),
            until: None,
            may_block: false,
            input_bytes: 0,
            http: None,
            data: None,
            cancel: None,
            moved_bytes: 0,
            extra_fuel: 0,
            may_have_waited: false,
            random_filled: 0,
            polled_since: None,
            run: 0,
            inodes: None,
        }
    }

    /// Starts the clock of the run; the CPU clocks only if it will ask for them.
    pub fn start(&mut self, started: Instant, reads_clocks: bool) {
        if let Clock::System { started: at, cpu } = &mut self.clock {
            *at = started;
            *cpu = reads_clocks.then(CpuTime::now);
        }
    }

    /// Whether this is a reproducible run.
    pub fn is_reproducible(&self) -> bool {
        self.inodes.is_some()
    }

    /// Waits as `wait` asks, but no longer than `deadline`, and if it can be cancelled, than a moment.
    pub fn wait(&mut self, wait: Wait, deadline: Option<Instant>) {
        let look = self.cancel.as_ref().map(|_| Instant::now() + LOOK_EVERY);
        let until = [wait.until, deadline, look].into_iter().flatten().min();
        if wait.stdin {
            return self.files.stdin.wait(until);
        }
        // Without an end there is nothing that could come: it is the deadline that ends it, or a signal.
        let longest = Duration::from_secs(3600);
        std::thread::sleep(
            until.map_or(longest, |until| until.saturating_duration_since(Instant::now()).min(longest)),
        );
    }

    /// `stat` as the guest gets to see it.
    pub fn shown(&mut self, mut stat: Filestat) -> Filestat {
        if self.inodes.is_none() {
            return stat;
        }
        stat.ino = self.shown_inode(stat.dev, stat.ino);
        (stat.dev, stat.atim, stat.mtim, stat.ctim) = (1, 0, 0, 0);
        if stat.filetype == filetype::DIRECTORY {
            // Each file system counts these in its own way.
            (stat.size, stat.nlink) = (0, 1);
        }
        stat
    }

    /// An inode number as the guest gets to see it.
    pub fn shown_inode(&mut self, dev: u64, ino: u64) -> u64 {
        let Some(Inodes { known, last }) = &mut self.inodes else { return ino };
        *known.entry((dev, ino)).or_insert_with(|| {
            *last += 1;
            *last
        })
    }

    /// Takes note of what the guest has just made: that it has the inode of something gone is chance.
    pub fn made(&mut self, stat: impl FnOnce() -> Result<Filestat, Errno>) {
        let Some(Inodes { known, .. }) = &mut self.inodes else { return };
        if let Ok(stat) = stat() {
            known.remove(&(stat.dev, stat.ino));
        }
    }
}
