//! The flags of all commands but `serve`, and those that several commands take. Limits are in `limits.rs`.

use crate::cli::args::table::flag::{Completes, Flag, Group, Range, Topic, Unit};
use crate::gateway::server::DEFAULT_LISTEN;

/// What the flags of a guest's environment have in common.
const GUEST: Flag = Flag { group: Group::Guest, commands: RUNS, ..Flag::EMPTY };

/// The commands that run a guest and end with it.
const RUNS: &[Topic] = &[Topic::Run, Topic::Call];

/// What those of `deploy` have in common.
const DEPLOY: Flag = Flag { commands: &[Topic::Deploy], ..Flag::EMPTY };

/// What those of `deploy` and `fleet deploy` have in common.
const DEPLOYS: Flag = Flag { commands: &[Topic::Deploy, Topic::Fleet], ..Flag::EMPTY };

/// Every command.
const EVERY: &[Topic] = &[
    Topic::Run,
    Topic::Call,
    Topic::Serve,
    Topic::List,
    Topic::Inspect,
    Topic::Check,
    Topic::Deploy,
    Topic::Fleet,
    Topic::Health,
    Topic::Help,
];

/// The flags.
pub const FLAGS: &[Flag] = &[
    Flag {
        name: "--data",
        value: Some("TEXT"),
        help: "use TEXT as the input",
        commands: &[Topic::Call],
        ..Flag::EMPTY
    },
    Flag {
        name: "--data-file",
        value: Some("FILE"),
        help: "read the input from FILE",
        commands: &[Topic::Call],
        completes: Completes::File,
        ..Flag::EMPTY
    },
    Flag {
        name: "--abi",
        value: Some("command|packed|numeric|extism|component"),
        help: "use this calling convention instead of the one that the function's type suggests",
        commands: &[Topic::Call],
        completes: Completes::Choice,
        ..Flag::EMPTY
    },
    Flag {
        name: "--invoke",
        value: Some("CALL"),
        help: "call a function: \"add(10, 20)\"; arguments and result of a component are in WAVE",
        commands: &[Topic::Run],
        ..Flag::EMPTY
    },
    Flag {
        name: "--dir",
        value: Some("HOST[::GUEST][:ro]"),
        help: "open a directory to the guest, under the name GUEST; `:ro` makes it read-only",
        completes: Completes::Directory,
        repeats: true,
        ..GUEST
    },
    Flag {
        name: "--env",
        value: Some("K[=V]"),
        help: "set an environment variable; K alone passes on the variable of your shell",
        repeats: true,
        ..GUEST
    },
    Flag {
        name: "--extism-config",
        value: Some("K=V"),
        help: "set a key of an Extism plug-in's configuration",
        repeats: true,
        ..GUEST
    },
    Flag {
        name: "--allow-http",
        value: Some("URL"),
        help: "let the guest send HTTP requests to these URLs: https://api.example.com/v1/*; `*` at the end stands for all paths \
               that begin so, `*.example.com` for all names that end so",
        repeats: true,
        ..GUEST
    },
    Flag {
        name: "--deterministic",
        help: "make the run reproducible: clocks follow the fuel, randomness is seeded, directories are sorted; \
               output and fuel are the same on every machine",
        ..GUEST
    },
    Flag {
        name: "--seed",
        value: Some("N"),
        default: Some(|| "0".into()),
        range: Some(Range::from(0, Unit::Count)),
        help: "seed of a --deterministic run",
        ..GUEST
    },
    Flag {
        name: "--trace",
        help: "if the guest is stopped, show in which functions and at which instruction; the run uses the same fuel and takes \
               longer",
        commands: RUNS,
        ..Flag::EMPTY
    },
    Flag {
        name: "--profile",
        value: Some("FILE"),
        help: "write the fuel by function to FILE, for speedscope and other readers of its format",
        commands: RUNS,
        completes: Completes::File,
        ..Flag::EMPTY
    },
    Flag {
        name: "--names",
        help: "print only names, one on each line: of the plug-ins (list), of the functions (inspect); names with control \
               characters are left out",
        commands: &[Topic::List, Topic::Inspect],
        ..Flag::EMPTY
    },
    Flag {
        name: "--json",
        help: "print a JSON document",
        commands: &[Topic::List, Topic::Inspect, Topic::Fleet],
        ..Flag::EMPTY
    },
    Flag {
        name: "--address",
        value: Some("ADDRESS:PORT"),
        default: Some(|| DEFAULT_LISTEN.to_string()),
        help: "address of the gateway",
        commands: &[Topic::Health],
        ..Flag::EMPTY
    },
    Flag {
        name: "--token",
        value: Some("FILE"),
        help: "file with the token that may deploy",
        completes: Completes::File,
        ..DEPLOY
    },
    Flag {
        name: "--policy",
        value: Some("FILE"),
        help: "the plug-in's policy",
        completes: Completes::File,
        ..DEPLOYS
    },
    Flag {
        name: "--signature",
        value: Some("FILE"),
        help: "the module's signature by minisign",
        completes: Completes::File,
        ..DEPLOYS
    },
    Flag {
        name: "--name",
        value: Some("NAME"),
        help: "the plug-in's name, if it is not the file's",
        ..DEPLOYS
    },
    Flag {
        name: "--rollback",
        value: Some("NAME"),
        help: "put the former version of the plug-in NAME back, instead of a module",
        ..DEPLOY
    },
    Flag {
        name: "--to",
        value: Some("VERSION"),
        help: "version of --rollback: its number, or the SHA-256 of its module",
        ..DEPLOY
    },
    Flag {
        name: "--all",
        value: Some("FILE"),
        help: "file with gateways, HOST[:PORT] on each line",
        completes: Completes::File,
        ..DEPLOY
    },
    Flag { name: "--man", help: "print the manual page", commands: &[Topic::Help], ..Flag::EMPTY },
    Flag {
        name: "--completions",
        value: Some("bash|zsh|fish"),
        help: "print the completions for a shell",
        commands: &[Topic::Help],
        completes: Completes::Choice,
        ..Flag::EMPTY
    },
    Flag {
        name: "--plugins",
        value: Some("DIR"),
        default: Some(|| "./plugins, or else the built-in examples".into()),
        help: "plug-in folder",
        commands: &[Topic::Run, Topic::Call, Topic::Serve, Topic::List, Topic::Inspect],
        completes: Completes::Directory,
        in_file: true,
        ..Flag::EMPTY
    },
    Flag {
        name: "--report",
        help: "print fuel, memory pages and times to stderr",
        commands: RUNS,
        ..Flag::EMPTY
    },
    Flag {
        name: "--confine",
        value: Some("on|off"),
        default: Some(|| "on".into()),
        help: "before the module is parsed, give up all files but those of --dir, the network and most system calls \
               (Landlock and seccomp, as far as the kernel has them)",
        commands: RUNS,
        completes: Completes::Choice,
        ..Flag::EMPTY
    },
    Flag {
        name: "--help",
        short: Some("-h"),
        help: "show the help of the command",
        group: Group::Every,
        commands: EVERY,
        ..Flag::EMPTY
    },
    Flag {
        name: "--version",
        short: Some("-V"),
        help: "show the version",
        group: Group::Every,
        commands: EVERY,
        ..Flag::EMPTY
    },
];
