//! The parsed command line, as plain data.

use crate::abi::Convention;
use crate::base::limits::{DoorLimits, Limits, WarmLimits};
use crate::base::units::DirArg;
use crate::cli::args::table::flag::Topic;
use crate::fleet::config::{Access, FleetConfig, Share};
use crate::gateway::http::client::Network;
use crate::host::outbound::allow_list::HttpAllowList;
use crate::plugins::code::Place;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// The default plug-in folder.
pub const DEFAULT_FOLDER: &str = "plugins";

/// A parsed command line.
#[derive(Debug, PartialEq)]
pub enum Command {
    /// Show the help of a command, or of all.
    Help(Topic),
    /// Show the manual page.
    Man,
    /// Show the completions of a shell.
    Completions(Shell),
    /// Show the version.
    Version,
    /// Run a program or a function of numbers.
    Run(Run),
    /// Call a function with bytes.
    Call(Call),
    /// Serve plug-ins over HTTP.
    Serve(Serve),
    /// Serve, with more flags in a file.
    Configured {
        /// The file.
        file: PathBuf,
        /// The flags of the command line.
        args: Vec<OsString>,
    },
    /// Check whether the plug-ins of a folder would serve.
    Check(Check),
    /// List plug-ins.
    List(List),
    /// Show the contents of a module.
    Inspect(Inspect),
    /// Put a module on gateways.
    Deploy(Deploy),
    /// Show what the nodes of a fleet run, or change it.
    Fleet(Fleet),
    /// Ask the gateway at this address whether it is alive.
    Health(SocketAddr),
}

/// The plug-ins to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The folder of `--plugins`; it must exist.
    Folder(PathBuf),
    /// The default folder or, if there is none, the built-in guests.
    Default,
}

/// The flags of a guest's environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GuestEnvArgs {
    /// Environment: `K=V`, or `K` to pass one on.
    pub env: Vec<OsString>,
    /// Directories.
    pub dirs: Vec<DirArg>,
    /// Configuration of an Extism plug-in.
    pub config: Vec<(String, String)>,
    /// URLs that the guest may call over HTTP.
    pub http: HttpAllowList,
    /// The seed of a reproducible run.
    pub seed: Option<u64>,
}

/// `--trace` and `--profile`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TraceArgs {
    /// Whether to show where the guest was stopped.
    pub trace: bool,
    /// Where fuel by function is written.
    pub profile: Option<PathBuf>,
}

/// `fuelbox run`.
#[derive(Debug, PartialEq)]
pub struct Run {
    /// A file, or a plug-in's name.
    pub target: OsString,
    /// A call: the function and its arguments.
    pub invoke: Option<String>,
    /// The words after the module: the arguments of a program; otherwise the function and its arguments.
    pub words: Vec<OsString>,
    /// Environment, directories and reproducibility.
    pub guest_env: GuestEnvArgs,
    /// Limits.
    pub limits: Limits,
    /// Plug-ins.
    pub source: Source,
    /// Whether to print what the run used.
    pub report: bool,
    /// What else the run tells.
    pub tracing: TraceArgs,
    /// Whether the process confines itself.
    pub confine: bool,
}

/// Where `fuelbox call` takes its input from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// Standard input, if it is no terminal.
    Piped,
    /// The flag's value.
    Text(OsString),
    /// A file.
    File(PathBuf),
    /// Standard input.
    Stdin,
}

/// `fuelbox call`.
#[derive(Debug, PartialEq)]
pub struct Call {
    /// A file, or a plug-in's name.
    pub target: OsString,
    /// The function; none is the only one.
    pub func: Option<String>,
    /// Arguments for a function of a component, in WAVE.
    pub args: Vec<String>,
    /// The input.
    pub data: Data,
    /// A forced convention.
    pub convention: Option<Convention>,
    /// Environment, directories and reproducibility.
    pub guest_env: GuestEnvArgs,
    /// Limits.
    pub limits: Limits,
    /// Plug-ins.
    pub source: Source,
    /// Whether to print what the run used.
    pub report: bool,
    /// What else the run tells.
    pub tracing: TraceArgs,
    /// Whether the process confines itself.
    pub confine: bool,
}

/// `fuelbox check`.
#[derive(Debug, PartialEq)]
pub struct Check {
    /// The folder.
    pub folder: PathBuf,
    /// The server's limits.
    pub limits: Limits,
    /// The server's keys and directories.
    pub site: SiteArgs,
}

/// `fuelbox list`.
#[derive(Debug, PartialEq)]
pub struct List {
    /// Limits.
    pub limits: Limits,
    /// Plug-ins.
    pub source: Source,
    /// What is printed.
    pub shown: Shown,
}

/// `fuelbox inspect`.
#[derive(Debug, PartialEq)]
pub struct Inspect {
    /// A file, or a plug-in's name.
    pub target: OsString,
    /// Limits.
    pub limits: Limits,
    /// Plug-ins.
    pub source: Source,
    /// What is printed.
    pub shown: Shown,
}

/// `fuelbox deploy`.
#[derive(Debug, PartialEq)]
pub struct Deploy {
    /// The gateway; none with `all`.
    pub host: Option<String>,
    /// The file that names gateways.
    pub all: Option<PathBuf>,
    /// The file with the token.
    pub token: Option<PathBuf>,
    /// What is done there.
    pub change: Change,
}

/// What `fuelbox deploy` does on a gateway.
#[derive(Debug, PartialEq)]
pub enum Change {
    /// Put a module there.
    Put {
        /// The module's file.
        module: PathBuf,
        /// The plug-in's name; none is the file's.
        name: Option<String>,
        /// The file with the policy.
        policy: Option<PathBuf>,
        /// The file with the signature.
        signature: Option<PathBuf>,
    },
    /// Put a former version back.
    RollBack {
        /// The plug-in's name.
        name: String,
        /// The version: its number, or the SHA-256 of its module. None is the newest.
        to: Option<String>,
    },
}

/// `fuelbox fleet`.
#[derive(Debug, PartialEq)]
pub struct Fleet {
    /// How to get into NATS.
    pub access: Access,
    /// The object store; empty where `init` makes streams for jobs only.
    pub bucket: String,
    /// What is done.
    pub action: FleetAction,
}

/// What `fuelbox fleet` does.
#[derive(Debug, PartialEq)]
pub enum FleetAction {
    /// Show what the nodes run.
    Show {
        /// As JSON.
        json: bool,
    },
    /// Make the object store and the bucket of the reports, the streams of jobs, or both.
    Init {
        /// The stream of jobs.
        jobs: Option<String>,
        /// Servers that keep them.
        replicas: usize,
    },
    /// Put a plug-in.
    Deploy {
        /// The module's file.
        module: PathBuf,
        /// The plug-in's name; none is the file's.
        name: Option<String>,
        /// The file with the policy.
        policy: Option<PathBuf>,
        /// The file with the signature.
        signature: Option<PathBuf>,
        /// Which nodes try it first.
        canary: Option<Share>,
        /// How long all nodes may take; none is not to wait for them.
        wait: Option<Duration>,
    },
    /// Delete a plug-in.
    Remove {
        /// Its name.
        name: String,
    },
}

/// The form of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Text for people.
    Text,
    /// Names, one on each line.
    Names,
    /// A JSON document.
    Json,
}

/// A shell that completions are written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Shell {
    /// The shell called `name`.
    pub fn parse(name: &str) -> Option<Shell> {
        match name {
            "bash" => Some(Shell::Bash),
            "zsh" => Some(Shell::Zsh),
            "fish" => Some(Shell::Fish),
            _ => None,
        }
    }
}

/// Format of the log of `fuelbox serve`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// A line for people.
    #[default]
    Text,
    /// A JSON object on each line.
    Json,
}

/// Where the guests of `fuelbox serve` run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IsolationArgs {
    /// In threads or processes, if policies do not say. None is processes where the kernel can confine them.
    pub place: Option<Place>,
    /// Whether a process serves one call only.
    pub per_call: bool,
    /// Whether to do without a filter of system calls.
    pub weak: bool,
}

/// `fuelbox serve`.
#[derive(Debug, PartialEq)]
pub struct Serve {
    /// Where guests run.
    pub isolation: IsolationArgs,
    /// The address.
    pub listen: SocketAddr,
    /// How many workers there are.
    pub workers: usize,
    /// Limits of clients.
    pub door: DoorLimits,
    /// Proxies that are trusted to name their client.
    pub proxies: Vec<Network>,
    /// Instances kept between calls.
    pub warm: WarmLimits,
    /// Signatures, policy directories and tokens.
    pub site: SiteArgs,
    /// The node of a fleet that it is, if it is one.
    pub fleet: Option<Box<FleetConfig>>,
    /// Former versions that are kept of each plug-in.
    pub keep_versions: usize,
    /// Time between the signal to stop and the end of accepting.
    pub shutdown_delay: Duration,
    /// Format of the log.
    pub log_format: LogFormat,
    /// Whether each request has a line in the log.
    pub access_log: bool,
    /// Limits.
    pub limits: Limits,
    /// Plug-ins.
    pub source: Source,
    /// A `modules.toml` of deislabs/wagi, instead.
    pub wagi: Option<PathBuf>,
}

/// A server's keys, policy directories and token file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SiteArgs {
    /// Directories inside which policies can open directories.
    pub policy_dirs: Vec<PathBuf>,
    /// URLs that policies can allow.
    pub policy_http: HttpAllowList,
    /// Keys of minisign, or their files.
    pub trusted_keys: Vec<OsString>,
    /// The file of the tokens.
    pub token_file: Option<PathBuf>,
}
