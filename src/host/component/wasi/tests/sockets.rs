//! Sockets, of which there are none.

use super::{World, borrow, rep, traps};
use crate::host::component::value::Value;
use crate::host::component::wasi::error::IoError;
use crate::host::streams::Stdin;
use crate::host::wasi::abi::Errno;

fn access_denied() -> Value {
    Value::err(Value::case(1))
}

#[test]
fn every_way_to_a_socket_is_denied() {
    let mut world = World::new(Stdin::Empty);
    for family in [0, 1] {
        let family = [Value::case(family)];
        assert_eq!(
            world.get("wasi:sockets/tcp-create-socket", "create-tcp-socket", &family),
            access_denied()
        );
        assert_eq!(
            world.get("wasi:sockets/udp-create-socket", "create-udp-socket", &family),
            access_denied()
        );
    }
    let network = world.get("wasi:sockets/instance-network", "instance-network", &[]);
    let lookup = [borrow(rep(&network)), Value::String("example.com".into())];
    assert_eq!(world.get("wasi:sockets/ip-name-lookup", "resolve-addresses", &lookup), access_denied());
    assert_eq!(world.table.len(), 1);
}

#[test]
fn methods_of_sockets_stop_the_guest() {
    let mut world = World::new(Stdin::Empty);
    let udp = "[method]udp-socket.finish-bind";
    traps(world.call("wasi:sockets/tcp", "[method]tcp-socket.subscribe", &[borrow(0)]), "no sockets");
    traps(world.call("wasi:sockets/udp", udp, &[borrow(0)]), "no sockets");
}

#[test]
fn no_error_is_of_a_socket() {
    let mut world = World::new(Stdin::Empty);
    let error = borrow(world.table.push(IoError::of(Errno::Io)).unwrap());
    assert_eq!(world.get("wasi:sockets/network", "network-error-code", &[error]), Value::NONE);
    traps(world.call("wasi:sockets/network", "network-error-code", &[borrow(9)]), "gone");
}
