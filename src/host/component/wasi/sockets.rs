//! `wasi:sockets`: a guest has no network. Every way to a socket or an address is denied, so there is never a socket, and no
//! method of one is ever called.

use super::arguments::{Answer, own, rep};
use super::error::IoError;
use crate::host::component::function::{Fail, HostCall, Interface, Row};
use crate::host::component::table::Resource;
use crate::host::component::value::Value;

/// `wasi:sockets/network`.
pub const NETWORK: Interface = Interface {
    name: "wasi:sockets/network",
    types: "use wasi:io/error.{error};
        resource network;
        enum error-code {
            unknown, access-denied, not-supported, invalid-argument, out-of-memory, timeout, concurrency-conflict,
            not-in-progress, would-block, invalid-state, new-socket-limit, address-not-bindable, address-in-use,
            remote-unreachable, connection-refused, connection-reset, connection-aborted, datagram-too-large,
            name-unresolvable, temporary-resolver-failure, permanent-resolver-failure
        }
        enum ip-address-family { ipv4, ipv6 }
        type ipv4-address = tuple<u8, u8, u8, u8>;
        type ipv6-address = tuple<u16, u16, u16, u16, u16, u16, u16, u16>;
        variant ip-address { ipv4(ipv4-address), ipv6(ipv6-address) }
        record ipv4-socket-address { port: u16, address: ipv4-address }
        record ipv6-socket-address { port: u16, flow-info: u32, address: ipv6-address, scope-id: u32 }
        variant ip-socket-address { ipv4(ipv4-socket-address), ipv6(ipv6-socket-address) }",
    rows: &[Row {
        name: "network-error-code",
        ty: "(err: borrow<error>) -> option<error-code>",
        call: network_error_code,
    }],
};

/// `wasi:sockets/instance-network`.
pub const INSTANCE_NETWORK: Interface = Interface {
    name: "wasi:sockets/instance-network",
    types: "use wasi:sockets/network.{network};",
    rows: &[Row { name: "instance-network", ty: "() -> own<network>", call: instance_network }],
};

/// `wasi:sockets/ip-name-lookup`.
#[rustfmt::skip]
pub const IP_NAME_LOOKUP: Interface = Interface {
    name: "wasi:sockets/ip-name-lookup",
    types: "use wasi:io/poll.{pollable};
        use wasi:sockets/network.{network, error-code, ip-address};
        resource resolve-address-stream;",
    rows: &[
        Row { name: "resolve-addresses", ty: "(network: borrow<network>, name: string) -> result<own<resolve-address-stream>, error-code>", call: denied },
        Row { name: "[method]resolve-address-stream.resolve-next-address", ty: "(self: borrow<resolve-address-stream>) -> result<option<ip-address>, error-code>", call: never },
        Row { name: "[method]resolve-address-stream.subscribe", ty: "(self: borrow<resolve-address-stream>) -> own<pollable>", call: never },
    ],
};

/// `wasi:sockets/tcp`.
#[rustfmt::skip]
pub const TCP: Interface = Interface {
    name: "wasi:sockets/tcp",
    types: "use wasi:io/streams.{input-stream, output-stream};
        use wasi:io/poll.{pollable};
        use wasi:clocks/monotonic-clock.{duration};
        use wasi:sockets/network.{network, error-code, ip-socket-address, ip-address-family};
        enum shutdown-type { receive, send, both }
        resource tcp-socket;",
    rows: &[
        Row { name: "[method]tcp-socket.start-bind", ty: "(self: borrow<tcp-socket>, network: borrow<network>, local-address: ip-socket-address) -> result<_, error-code>", call: never },
        Row { name: "[method]tcp-socket.finish-bind", ty: "(self: borrow<tcp-socket>) -> result<_, error-code>", call: never },
        Row { name: "[method]tcp-socket.start-connect", ty: "(self: borrow<tcp-socket>, network: borrow<network>, remote-address: ip-socket-address) -> result<_, error-code>", call: never },
        Row { name: "[method]tcp-socket.finish-connect", ty: "(self: borrow<tcp-socket>) -> result<tuple<own<input-stream>, own<output-stream>>, error-code>", call: never },
        Row { name: "[method]tcp-socket.start-listen", ty: "(self: borrow<tcp-socket>) -> result<_, error-code>", call: never },
        Row { name: "[method]tcp-socket.finish-listen", ty: "(self: borrow<tcp-socket>) -> result<_, error-code>", call: never },
        Row { name: "[method]tcp-socket.accept", ty: "(self: borrow<tcp-socket>) -> result<tuple<own<tcp-socket>, own<input-stream>, own<output-stream>>, error-code>", call: never },
        Row { name: "[method]tcp-socket.local-address", ty: "(self: borrow<tcp-socket>) -> result<ip-socket-address, error-code>", call: never },
        Row { name: "[method]tcp-socket.remote-address", ty: "(self: borrow<tcp-socket>) -> result<ip-socket-address, error-code>", call: never },
        Row { name: "[method]tcp-socket.is-listening", ty: "(self: borrow<tcp-socket>) -> bool", call: never },
        Row { name: "[method]tcp-socket.address-family", ty: "(self: borrow<tcp-socket>) -> ip-address-family", call: never },
        Row { name: "[method]tcp-socket.set-listen-backlog-size", ty: "(self: borrow<tcp-socket>, value: u64) -> result<_, error-code>", call: never },
        Row { name: "[method]tcp-socket.keep-alive-enabled", ty: "(self: borrow<tcp-socket>) -> result<bool, error-code>", call: never },
        Row { name: "[method]tcp-socket.set-keep-alive-enabled", ty: "(self: borrow<tcp-socket>, value: bool) -> result<_, error-code>", call: never },
        Row { name: "[method]tcp-socket.keep-alive-idle-time", ty: "(self: borrow<tcp-socket>) -> result<duration, error-code>", call: never },
        Row { name: "[method]tcp-socket.set-keep-alive-idle-time", ty: "(self: borrow<tcp-socket>, value: duration) -> result<_, error-code>", call: never },
        Row { name: "[method]tcp-socket.keep-alive-interval", ty: "(self: borrow<tcp-socket>) -> result<duration, error-code>", call: never },
        Row { name: "[method]tcp-socket.set-keep-alive-interval", ty: "(self: borrow<tcp-socket>, value: duration) -> result<_, error-code>", call: never },
        Row { name: "[method]tcp-socket.keep-alive-count", ty: "(self: borrow<tcp-socket>) -> result<u32, error-code>", call: never },
        Row { name: "[method]tcp-socket.set-keep-alive-count", ty: "(self: borrow<tcp-socket>, value: u32) -> result<_, error-code>", call: never },
        Row { name: "[method]tcp-socket.hop-limit", ty: "(self: borrow<tcp-socket>) -> result<u8, error-code>", call: never },
        Row { name: "[method]tcp-socket.set-hop-limit", ty: "(self: borrow<tcp-socket>, value: u8) -> result<_, error-code>", call: never },
        Row { name: "[method]tcp-socket.receive-buffer-size", ty: "(self: borrow<tcp-socket>) -> result<u64, error-code>", call: never },
        Row { name: "[method]tcp-socket.set-receive-buffer-size", ty: "(self: borrow<tcp-socket>, value: u64) -> result<_, error-code>", call: never },
        Row { name: "[method]tcp-socket.send-buffer-size", ty: "(self: borrow<tcp-socket>) -> result<u64, error-code>", call: never },
        Row { name: "[method]tcp-socket.set-send-buffer-size", ty: "(self: borrow<tcp-socket>, value: u64) -> result<_, error-code>", call: never },
        Row { name: "[method]tcp-socket.subscribe", ty: "(self: borrow<tcp-socket>) -> own<pollable>", call: never },
        Row { name: "[method]tcp-socket.shutdown", ty: "(self: borrow<tcp-socket>, shutdown-type: shutdown-type) -> result<_, error-code>", call: never },
    ],
};

/// `wasi:sockets/tcp-create-socket`.
pub const TCP_CREATE_SOCKET: Interface = Interface {
    name: "wasi:sockets/tcp-create-socket",
    types: "use wasi:sockets/network.{network, error-code, ip-address-family};
        use wasi:sockets/tcp.{tcp-socket};",
    rows: &[Row {
        name: "create-tcp-socket",
        ty: "(address-family: ip-address-family) -> result<own<tcp-socket>, error-code>",
        call: denied,
    }],
};

/// `wasi:sockets/udp`.
#[rustfmt::skip]
pub const UDP: Interface = Interface {
    name: "wasi:sockets/udp",
    types: "use wasi:io/poll.{pollable};
        use wasi:sockets/network.{network, error-code, ip-socket-address, ip-address-family};
        record incoming-datagram { data: list<u8>, remote-address: ip-socket-address }
        record outgoing-datagram { data: list<u8>, remote-address: option<ip-socket-address> }
        resource udp-socket;
        resource incoming-datagram-stream;
        resource outgoing-datagram-stream;",
    rows: &[
        Row { name: "[method]udp-socket.start-bind", ty: "(self: borrow<udp-socket>, network: borrow<network>, local-address: ip-socket-address) -> result<_, error-code>", call: never },
        Row { name: "[method]udp-socket.finish-bind", ty: "(self: borrow<udp-socket>) -> result<_, error-code>", call: never },
        Row { name: "[method]udp-socket.stream", ty: "(self: borrow<udp-socket>, remote-address: option<ip-socket-address>) -> result<tuple<own<incoming-datagram-stream>, own<outgoing-datagram-stream>>, error-code>", call: never },
        Row { name: "[method]udp-socket.local-address", ty: "(self: borrow<udp-socket>) -> result<ip-socket-address, error-code>", call: never },
        Row { name: "[method]udp-socket.remote-address", ty: "(self: borrow<udp-socket>) -> result<ip-socket-address, error-code>", call: never },
        Row { name: "[method]udp-socket.address-family", ty: "(self: borrow<udp-socket>) -> ip-address-family", call: never },
        Row { name: "[method]udp-socket.unicast-hop-limit", ty: "(self: borrow<udp-socket>) -> result<u8, error-code>", call: never },
        Row { name: "[method]udp-socket.set-unicast-hop-limit", ty: "(self: borrow<udp-socket>, value: u8) -> result<_, error-code>", call: never },
        Row { name: "[method]udp-socket.receive-buffer-size", ty: "(self: borrow<udp-socket>) -> result<u64, error-code>", call: never },
        Row { name: "[method]udp-socket.set-receive-buffer-size", ty: "(self: borrow<udp-socket>, value: u64) -> result<_, error-code>", call: never },
        Row { name: "[method]udp-socket.send-buffer-size", ty: "(self: borrow<udp-socket>) -> result<u64, error-code>", call: never },
        Row { name: "[method]udp-socket.set-send-buffer-size", ty: "(self: borrow<udp-socket>, value: u64) -> result<_, error-code>", call: never },
        Row { name: "[method]udp-socket.subscribe", ty: "(self: borrow<udp-socket>) -> own<pollable>", call: never },
        Row { name: "[method]incoming-datagram-stream.receive", ty: "(self: borrow<incoming-datagram-stream>, max-results: u64) -> result<list<incoming-datagram>, error-code>", call: never },
        Row { name: "[method]incoming-datagram-stream.subscribe", ty: "(self: borrow<incoming-datagram-stream>) -> own<pollable>", call: never },
        Row { name: "[method]outgoing-datagram-stream.check-send", ty: "(self: borrow<outgoing-datagram-stream>) -> result<u64, error-code>", call: never },
        Row { name: "[method]outgoing-datagram-stream.send", ty: "(self: borrow<outgoing-datagram-stream>, datagrams: list<outgoing-datagram>) -> result<u64, error-code>", call: never },
        Row { name: "[method]outgoing-datagram-stream.subscribe", ty: "(self: borrow<outgoing-datagram-stream>) -> own<pollable>", call: never },
    ],
};

/// `wasi:sockets/udp-create-socket`.
pub const UDP_CREATE_SOCKET: Interface = Interface {
    name: "wasi:sockets/udp-create-socket",
    types: "use wasi:sockets/network.{network, error-code, ip-address-family};
        use wasi:sockets/udp.{udp-socket};",
    rows: &[Row {
        name: "create-udp-socket",
        ty: "(address-family: ip-address-family) -> result<own<udp-socket>, error-code>",
        call: denied,
    }],
};

/// The network that a guest names when it asks for something, and does not get it.
struct Network;
impl Resource for Network {}

fn instance_network(call: &mut HostCall<'_>, _args: &[Value]) -> Answer {
    Ok(Some(own(call.table.push(Network)?)))
}

/// `access-denied`.
fn denied(_call: &mut HostCall<'_>, _args: &[Value]) -> Answer {
    Ok(Some(Value::err(Value::case(1))))
}

/// A method of what a guest cannot have.
fn never(_call: &mut HostCall<'_>, _args: &[Value]) -> Answer {
    Err(Fail::trap("there are no sockets"))
}

/// No stream is of a socket, so no error is.
fn network_error_code(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    call.table.get::<IoError>(rep(args, 0)?)?;
    Ok(Some(Value::NONE))
}
