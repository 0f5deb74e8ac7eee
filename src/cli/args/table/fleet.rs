//! The flags of a fleet.

use crate::cli::args::table::flag::{Completes, Flag, Group, Range, Topic, Unit};
use crate::fleet::config::REPLICAS_MAX;

/// What the flags of `serve` have in common.
const SERVE: Flag = Flag { group: Group::Fleet, commands: &[Topic::Serve], in_file: true, ..Flag::EMPTY };

/// What those of `serve` and `fleet` have in common.
const BOTH: Flag = Flag { commands: &[Topic::Serve, Topic::Fleet], ..SERVE };

/// What those of `fleet` have in common.
const FLEET: Flag = Flag { commands: &[Topic::Fleet], ..Flag::EMPTY };

/// The flags.
pub const FLAGS: &[Flag] = &[
    Flag {
        name: "--nats",
        value: Some("URL"),
        help: "server of NATS, nats://HOST:PORT or tls://HOST:PORT; `serve` answers requests by NATS, too: \
               fuelbox.execute.PLUGIN and fuelbox.execute.PLUGIN.FUNC, as one of the nodes that do",
        repeats: true,
        ..BOTH
    },
    Flag {
        name: "--nats-credentials",
        value: Some("FILE"),
        help: "credentials for NATS (.creds)",
        completes: Completes::File,
        ..BOTH
    },
    Flag {
        name: "--nats-nkey",
        value: Some("FILE"),
        help: "seed of an nkey for NATS",
        completes: Completes::File,
        ..BOTH
    },
    Flag {
        name: "--nats-ca",
        value: Some("FILE"),
        help: "certificates (PEM) that servers of NATS are checked by, instead of the system's",
        completes: Completes::File,
        ..BOTH
    },
    Flag {
        name: "--nats-node",
        value: Some("NAME"),
        default: Some(|| "the host's name and the port".into()),
        help: "name of this node, which no other has",
        ..SERVE
    },
    Flag {
        name: "--nats-plugins",
        value: Some("BUCKET"),
        help: "object store of NATS; `serve` keeps the folder of --plugins as it is (files that never came from there \
               stay), and reports what this node runs to the key-value bucket BUCKET-nodes",
        ..BOTH
    },
    Flag {
        name: "--replicas",
        value: Some("N"),
        default: Some(|| "1".into()),
        range: Some(Range::between(1, REPLICAS_MAX, Unit::Count)),
        help: "init: servers that keep what is made",
        ..FLEET
    },
    Flag {
        name: "--canary",
        value: Some("PERCENT|N"),
        help: "deploy: have so many of the nodes, such as 10% or 3, try it first",
        ..FLEET
    },
    Flag {
        name: "--wait",
        value: Some("TIME"),
        range: Some(Range::from(1, Unit::Time)),
        help: "deploy: wait so long for all nodes, and go back if one cannot take it; also the time for --canary, which has \
               30s otherwise",
        ..FLEET
    },
    Flag {
        name: "--nats-jobs",
        value: Some("STREAM"),
        help: "take jobs from this work-queue stream of NATS; fleet init: make it, and those of results and dead letters",
        commands: &[Topic::Serve, Topic::Fleet],
        ..SERVE
    },
    Flag {
        name: "--spill",
        value: Some("nats"),
        help: "pass requests over HTTP that find no free worker on to other nodes",
        completes: Completes::Choice,
        ..SERVE
    },
];
