//! Clients behind a trusted proxy, 127.0.0.4: shares are counted for whom it names, and a client cannot name itself.

use crate::cgi;
use crate::clients::{ATTACK, EVIL, metric, runner};
use crate::support::{Client, TempDir, wat};
use fuelbox::base::limits::DoorLimits;
use fuelbox::gateway::http::client::Network;
use fuelbox::gateway::{Gateway, GatewayConfig};
use std::io::Write;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

#[test]
fn behind_a_trusted_proxy_clients_are_those_it_names() {
    let dir = TempDir::new();
    dir.write("env.wasm", wat(cgi::ENV));
    let runner = runner(Duration::from_millis(400));
    runner.load_plugins(&dir.0).unwrap();
    let config = GatewayConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        workers: 4,
        trusted_proxies: vec![Network::parse("127.0.0.4/31").unwrap()],
        door: DoorLimits { connections: 16, connections_per_client: Some(4), ..DoorLimits::default() },
        ..GatewayConfig::default()
    };
    let gateway = Gateway::start(&config, Arc::new(runner)).unwrap();
    let address = gateway.address();
    let remote = |host, field: &str| {
        let mut client = Client::from(host, address);
        let head = format!("GET /execute/env HTTP/1.1\r\nHost: t\r\n{field}\r\n\r\n");
        client.0.write_all(head.as_bytes()).unwrap();
        let text = client.reply(false).unwrap().text();
        text.split('\0').find_map(|entry| Some(entry.strip_prefix("REMOTE_ADDR=")?.to_string())).unwrap()
    };
    assert_eq!(remote(4, "X-Forwarded-For: 198.51.100.1, 192.0.2.1"), "192.0.2.1");
    assert_eq!(remote(5, "Forwarded: for=\"[2001:db8::1]:99\""), "2001:db8::1");
    assert_eq!(remote(4, "X-Forwarded-For: 192.0.2.1\r\nForwarded: for=198.51.100.1"), "127.0.0.4");
    assert_eq!(remote(6, "X-Forwarded-For: 192.0.2.1"), "127.0.0.6", "not a trusted peer");

    // The proxy has more connections than a client may, and one client behind it spins with all it can get.
    let spin = b"POST /execute/infinite-loop HTTP/1.1\r\nHost: t\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n";
    let mut spinning: Vec<Client> = (0..10).map(|_| Client::from(4, address)).collect();
    spinning.iter_mut().for_each(|client| client.0.write_all(spin).unwrap());
    let begin = Instant::now();
    while metric(address, "fuelbox_workers_busy") < 2 {
        assert!(begin.elapsed() < ATTACK);
    }
    let mut other = Client::from(4, address);
    for _ in 0..20 {
        let greet = b"POST /execute/greet HTTP/1.1\r\nHost: t\r\nX-Forwarded-For: 192.0.2.2\r\nContent-Length: 1\r\n\r\nx";
        other.0.write_all(greet).unwrap();
        assert_eq!(other.reply(false).unwrap().text(), "Hello, x");
        assert_eq!(metric(address, "fuelbox_workers_busy"), 2);
    }
    drop(spinning);
    gateway.stop();
}

fn proxied(door: DoorLimits) -> Gateway {
    let config = GatewayConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        workers: 4,
        trusted_proxies: vec![Network::parse("127.0.0.4").unwrap()],
        door,
        ..GatewayConfig::default()
    };
    Gateway::start(&config, Arc::new(runner(Duration::from_millis(400)))).unwrap()
}

fn request_of(client: &str, target: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("POST {target} HTTP/1.1\r\nHost: t\r\n{client}\r\nContent-Length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

#[test]
fn a_field_that_nobody_believes_is_no_way_to_more_than_a_share() {
    let gateway = proxied(DoorLimits::default());
    let address = gateway.address();
    let ask = |client: &str, target: &str| {
        let mut connection = Client::from(4, address);
        connection.0.write_all(&request_of(client, target, b"x")).unwrap();
        connection
    };
    let begin = Instant::now();
    for field in ["X-Forwarded-For: 192.0.2.1\r\nForwarded: x", "X-Forwarded-For: x", "X-Other: 1"] {
        let spinning: Vec<Client> = (0..8).map(|_| ask(field, "/execute/infinite-loop")).collect();
        while metric(address, "fuelbox_workers_busy") < 2 {
            assert!(begin.elapsed() < ATTACK);
        }
        for _ in 0..10 {
            let reply = ask("X-Forwarded-For: 192.0.2.2", "/execute/greet").reply(false).unwrap();
            assert_eq!((reply.status, metric(address, "fuelbox_workers_busy")), (200, 2));
        }
        drop(spinning);
        while metric(address, "fuelbox_workers_busy") > 0 {
            assert!(begin.elapsed() < ATTACK);
        }
    }
    gateway.stop();
}

/// One that comes through the proxy and, for a moment, by itself.
#[test]
fn the_bytes_of_a_client_are_counted_together_by_whichever_way_it_comes() {
    let gateway = proxied(DoorLimits { body_bytes: 100_000, budget_bytes: 400_000, ..DoorLimits::default() });
    let address = gateway.address();
    let evil = "X-Forwarded-For: 127.0.0.2";
    let mut connections = Vec::new();
    for _ in 0..12 {
        let direct = Client::from(EVIL, address);
        let mut connection = Client::from(4, address);
        connection.0.write_all(&request_of(evil, "/execute/greet", b"x")).unwrap();
        assert_eq!(connection.reply(false).unwrap().status, 200);
        drop(direct);
        connections.push(connection);
        sleep(Duration::from_millis(20));
    }
    let upload = request_of("X-Forwarded-For: 127.0.0.3", "/execute/greet", &[b'y'; 90_000]);
    let mut honest = Client::from(4, address);
    honest.0.write_all(&upload[..80_000]).unwrap();
    sleep(Duration::from_millis(50));
    let unfinished = request_of(evil, "/execute/greet", &[b'x'; 60_000]);
    for connection in &mut connections {
        let _ = connection.0.write_all(&unfinished[..50_000]);
        sleep(Duration::from_millis(20));
    }
    assert!(metric(address, "fuelbox_connections_evicted_total{reason=\"budget\"}") > 0);
    honest.0.write_all(&upload[80_000..]).unwrap();
    assert_eq!(honest.reply(false).expect("it was not closed to make room").status, 200);
    drop(connections);
    gateway.stop();
}
