//! The flags of a fleet.

use crate::cli::args::table::flag::{Completes, Flag, Group, Topic};

/// What the flags of `serve` have in common.
const SERVE: Flag = Flag { group: Group::Fleet, commands: &[Topic::Serve], in_file: true, ..Flag::EMPTY };

/// The flags.
pub const FLAGS: &[Flag] = &[
    Flag {
        name: "--nats",
        value: Some("URL"),
        help: "answer requests by NATS, too: fuelbox.execute.PLUGIN and fuelbox.execute.PLUGIN.FUNC, as one of the nodes \
               that do; URL is nats://HOST:PORT or tls://HOST:PORT",
        repeats: true,
        ..SERVE
    },
    Flag {
        name: "--nats-credentials",
        value: Some("FILE"),
        help: "credentials for NATS (.creds)",
        completes: Completes::File,
        ..SERVE
    },
    Flag {
        name: "--nats-nkey",
        value: Some("FILE"),
        help: "seed of an nkey for NATS",
        completes: Completes::File,
        ..SERVE
    },
    Flag {
        name: "--nats-ca",
        value: Some("FILE"),
        help: "certificates (PEM) that servers of NATS are checked by, instead of the system's",
        completes: Completes::File,
        ..SERVE
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
        help: "keep the plug-in folder as this object store of NATS is, and report what this node runs",
        ..SERVE
    },
    Flag {
        name: "--nats-jobs",
        value: Some("STREAM"),
        help: "take jobs from this work-queue stream of NATS",
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
