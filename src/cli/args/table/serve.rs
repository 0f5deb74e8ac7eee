//! The flags of `serve`. Those of clients are in `clients.rs`.

use crate::base::limits::{WORKERS_MAX, WarmLimits};
use crate::cli::args::table::flag::{Completes, Flag, Group, Range, Topic, Unit, size, time};
use crate::gateway::server::{DEFAULT_LISTEN, KEEP_VERSIONS, KEEP_VERSIONS_MAX, SHUTDOWN_DELAY_MAX};

/// What the flags of `serve` have in common.
const SERVE: Flag = Flag { commands: &[Topic::Serve], in_file: true, ..Flag::EMPTY };

/// What those of warm instances have in common.
const WARM: Flag = Flag { group: Group::Warm, ..SERVE };

/// What those have in common that `check` looks at as well.
const ACCESS: Flag = Flag { group: Group::Access, commands: &[Topic::Serve, Topic::Check], ..SERVE };

/// The flags.
pub const FLAGS: &[Flag] = &[
    Flag {
        name: "--listen",
        value: Some("ADDRESS:PORT"),
        default: Some(|| DEFAULT_LISTEN.to_string()),
        help: "address to listen on",
        ..SERVE
    },
    Flag {
        name: "--workers",
        value: Some("N"),
        default: Some(|| "2 per core, at least 4".into()),
        range: Some(Range::between(1, WORKERS_MAX as u64, Unit::Count)),
        help: "number of workers; each runs one guest at a time",
        ..SERVE
    },
    Flag {
        name: "--isolation",
        value: Some("thread|process"),
        default: Some(|| "process where the kernel can confine it".into()),
        help: "where guests run: in confined processes, each for one plug-in, or in threads of the server",
        completes: Completes::Choice,
        ..SERVE
    },
    Flag { name: "--isolation-per-call", help: "have a process serve one call only", ..SERVE },
    Flag {
        name: "--isolation-weak",
        help: "have processes where the kernel has no filter of system calls, too",
        ..SERVE
    },
    Flag {
        name: "--config",
        value: Some("FILE"),
        help: "read flags from a TOML file: `fuel = 1000`, `listen = \"127.0.0.1:80\"`; the command line overrides them",
        completes: Completes::File,
        in_file: false,
        ..SERVE
    },
    Flag {
        name: "--wagi",
        value: Some("FILE"),
        help: "serve the modules of a modules.toml of deislabs/wagi, at their routes",
        completes: Completes::File,
        ..SERVE
    },
    Flag {
        name: "--warm",
        value: Some("N"),
        default: Some(|| WarmLimits::default().instances.to_string()),
        range: Some(Range::from(0, Unit::Count)),
        help: "instances of each plug-in kept between calls; a call sees what earlier calls left in its instance; \
               programs are never kept",
        ..WARM
    },
    Flag {
        name: "--warm-memory",
        value: Some("SIZE"),
        default: Some(|| size(WarmLimits::default().memory_bytes as u64)),
        help: "memory of all kept instances together",
        ..WARM
    },
    Flag {
        name: "--warm-uses",
        value: Some("N"),
        default: Some(|| WarmLimits::default().uses.to_string()),
        range: Some(Range::between(1, u32::MAX as u64, Unit::Count)),
        help: "calls after which a kept instance is replaced",
        ..WARM
    },
    Flag {
        name: "--warm-idle",
        value: Some("TIME"),
        default: Some(|| time(WarmLimits::default().idle)),
        help: "time without a call after which a kept instance is dropped",
        ..WARM
    },
    Flag {
        name: "--trusted-key",
        value: Some("KEY|FILE"),
        help: "load only modules that are signed with this minisign key",
        completes: Completes::File,
        repeats: true,
        ..ACCESS
    },
    Flag {
        name: "--policy-dirs",
        value: Some("DIR"),
        default: Some(|| "none".into()),
        help: "allow policies to open directories inside DIR",
        completes: Completes::Directory,
        repeats: true,
        ..ACCESS
    },
    Flag {
        name: "--policy-http",
        value: Some("PATTERN"),
        default: Some(|| "public addresses".into()),
        help: "allow policies to allow URLs within PATTERN (https://api.example.com/v1/*), and no others",
        repeats: true,
        ..ACCESS
    },
    Flag {
        name: "--token-file",
        value: Some("FILE"),
        help: "file of tokens, one on each line: `TOKEN` may change plug-ins (PUT, DELETE /plugins/{name}), `call TOKEN` \
               may only call plug-ins whose policy asks for a token; SIGHUP reads the file again",
        completes: Completes::File,
        ..ACCESS
    },
    Flag {
        name: "--keep-versions",
        value: Some("N"),
        default: Some(|| KEEP_VERSIONS.to_string()),
        range: Some(Range::between(0, KEEP_VERSIONS_MAX as u64, Unit::Count)),
        help: "former versions of each plug-in that are kept when it is deployed over HTTP, to roll back",
        group: Group::Access,
        ..SERVE
    },
    Flag {
        name: "--shutdown-delay",
        value: Some("TIME"),
        default: Some(|| "0s".into()),
        range: Some(Range::between(0, SHUTDOWN_DELAY_MAX.as_nanos() as u64, Unit::Time)),
        help: "time between SIGTERM and the end of accepting, for balancers: only /readyz tells of it",
        ..SERVE
    },
    Flag {
        name: "--log-format",
        value: Some("text|json"),
        default: Some(|| "text".into()),
        help: "write the log as lines for people, or as one JSON object on each line",
        group: Group::Log,
        completes: Completes::Choice,
        ..SERVE
    },
    Flag {
        name: "--access-log",
        value: Some("on|off"),
        default: Some(|| "off".into()),
        help: "log each request",
        group: Group::Log,
        completes: Completes::Choice,
        ..SERVE
    },
];
