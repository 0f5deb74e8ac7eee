//! The flags of `serve` that limit clients.

use crate::base::limits::{CLIENT_TIMEOUT_MAX, DoorLimits, HEAD_BYTES_MIN};
use crate::cli::args::table::flag::{Flag, Group, Range, Topic, Unit, size, time};

/// What they have in common.
const CLIENTS: Flag = Flag { group: Group::Clients, commands: &[Topic::Serve], in_file: true, ..Flag::EMPTY };

/// How long a client may take.
const TIMEOUT: Option<Range> = Some(Range::between(1, CLIENT_TIMEOUT_MAX.as_nanos() as u64, Unit::Time));

/// The flags.
pub const FLAGS: &[Flag] = &[
    Flag {
        name: "--max-connections",
        value: Some("N"),
        default: Some(|| DoorLimits::default().connections.to_string()),
        range: Some(Range::from(1, Unit::Count)),
        help: "open connections",
        ..CLIENTS
    },
    Flag {
        name: "--max-connections-per-client",
        value: Some("N"),
        default: Some(|| "half of --max-connections".into()),
        range: Some(Range::from(1, Unit::Count)),
        help: "open connections of one client, which is an IPv4 address or an IPv6 /64",
        ..CLIENTS
    },
    Flag {
        name: "--client-share",
        value: Some("PERCENT"),
        default: Some(|| DoorLimits::default().client_share.to_string()),
        range: Some(Range::between(1, 100, Unit::Percent)),
        help: "share of the workers that one client may use",
        ..CLIENTS
    },
    Flag {
        name: "--trust-forwarded",
        value: Some("ADDRESS[/BITS]"),
        default: Some(|| "none".into()),
        help: "proxy whose Forwarded and X-Forwarded-For headers are trusted to name the client",
        repeats: true,
        ..CLIENTS
    },
    Flag {
        name: "--max-head",
        value: Some("SIZE"),
        default: Some(|| size(DoorLimits::default().head_bytes as u64)),
        range: Some(Range::from(HEAD_BYTES_MIN as u64, Unit::Bytes)),
        help: "size of the request line and the headers",
        ..CLIENTS
    },
    Flag {
        name: "--max-body",
        value: Some("SIZE"),
        default: Some(|| size(DoorLimits::default().body_bytes as u64)),
        help: "size of the body of a request",
        ..CLIENTS
    },
    Flag {
        name: "--body-budget",
        value: Some("SIZE"),
        default: Some(|| size(DoorLimits::default().budget_bytes as u64)),
        help: "memory for all requests and unsent responses together",
        ..CLIENTS
    },
    Flag {
        name: "--head-timeout",
        value: Some("TIME"),
        default: Some(|| time(DoorLimits::default().head_timeout)),
        range: TIMEOUT,
        help: "time for the request line and the headers to arrive",
        ..CLIENTS
    },
    Flag {
        name: "--body-timeout",
        value: Some("TIME"),
        default: Some(|| time(DoorLimits::default().body_timeout)),
        range: TIMEOUT,
        help: "time for the body of a request to arrive",
        ..CLIENTS
    },
    Flag {
        name: "--idle-timeout",
        value: Some("TIME"),
        default: Some(|| time(DoorLimits::default().idle_timeout)),
        range: TIMEOUT,
        help: "time between two requests on a connection",
        ..CLIENTS
    },
    Flag {
        name: "--write-timeout",
        value: Some("TIME"),
        default: Some(|| time(DoorLimits::default().write_timeout)),
        range: TIMEOUT,
        help: "time for the client to take a response",
        ..CLIENTS
    },
    Flag {
        name: "--queue",
        value: Some("N"),
        default: Some(|| DoorLimits::default().queue.to_string()),
        range: Some(Range::from(0, Unit::Count)),
        help: "requests that may wait for a worker",
        ..CLIENTS
    },
    Flag {
        name: "--queue-timeout",
        value: Some("TIME"),
        default: Some(|| time(DoorLimits::default().queue_timeout)),
        help: "time that a request may wait for a worker",
        ..CLIENTS
    },
];
