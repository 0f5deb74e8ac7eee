//! The end of a gateway: every request that was sent before is answered, also on connections that wait, and new work is
//! refused in a way that says so.

use crate::handler::HandlerService;
use crate::support::{Client, Serve, TempDir};
use fuelbox::base::limits::DoorLimits;
use fuelbox::gateway::Response;
use fuelbox::gateway::connection::door::Door;
use fuelbox::gateway::connection::pending::Work;
use fuelbox::gateway::scheduling::scheduler::WorkerState;
use std::io::Write;
use std::net::TcpListener;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const REQUEST: &[u8] = b"POST /execute/greet HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\n\r\nx";

fn terminate(server: &Serve) {
    let id = server.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
}

#[test]
fn no_request_fails_when_it_ends_under_load() {
    let dir = TempDir::new();
    let mut server = Serve::start(&dir.0, &[]);
    let address = server.address;
    let answered = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let mut client = Client::connect(address);
                loop {
                    let reply = client.send("POST", "/execute/greet", b"World");
                    assert_eq!((reply.status, reply.text()), (200, "Hello, World".into()));
                    answered.fetch_add(1, Ordering::Relaxed);
                    // It says that this was the last, rather than just being gone.
                    if reply.header("connection") == Some("close") {
                        return;
                    }
                }
            });
        }
        while answered.load(Ordering::Relaxed) < 1_000 {
            std::thread::sleep(Duration::from_millis(5));
        }
        // Who is just coming, and has not been taken yet.
        let mut late: Vec<Client> = (0..100)
            .map(|_| {
                let mut client = Client::connect(address);
                client.0.write_all(REQUEST).unwrap();
                client
            })
            .collect();
        terminate(&server);
        for client in &mut late {
            let reply = client.reply(false).expect("it was sent before the end");
            assert_eq!(reply.text(), "Hello, x");
        }
    });
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_request_on_its_way_meets_no_closed_connection() {
    let dir = TempDir::new();
    let mut server = Serve::start(&dir.0, &[]);
    let mut idle: Vec<Client> = (0..3).map(|_| Client::connect(server.address)).collect();
    for client in &mut idle {
        assert_eq!(client.send("GET", "/healthz", b"").status, 200);
    }
    terminate(&server);
    std::thread::sleep(Duration::from_millis(100));
    let reply = idle[0].send("POST", "/execute/greet", b"x");
    assert_eq!((reply.text(), reply.header("connection")), ("Hello, x".into(), Some("close")));
    assert_eq!(idle[1].send("GET", "/readyz", b"").status, 503);
    // The third says nothing, and does not hold the end up.
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
}

/// The system has connected it, and nobody has accepted it when the stop finds no connection open.
#[test]
fn what_waits_to_be_accepted_at_the_end_is_taken() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let _client = Client::connect(listener.local_addr().unwrap());
    let service = HandlerService::of(|_, _| Response::new(200, "text/plain", ""));
    let door = Door::new(listener, (DoorLimits::default(), vec![]), 1, service).unwrap();
    door.stop();
    let mut worker = WorkerState::default();
    let Some(Work::Advance(conn)) = door.next(&mut worker) else { panic!("nothing to do") };
    // Then the end comes.
    door.close(&conn);
    assert!(door.next(&mut worker).is_none());
}

/// Balancers ask by new connections, and need time to go elsewhere.
#[test]
fn a_delay_lets_new_connections_in_while_readiness_says_no() {
    let dir = TempDir::new();
    let mut server = Serve::start(&dir.0, &["--shutdown-delay=60s"]);
    let mut open = Client::connect(server.address);
    assert_eq!(open.send("GET", "/readyz", b"").status, 200);
    terminate(&server);
    while Client::connect(server.address).send("GET", "/readyz", b"").status != 503 {
        std::thread::sleep(Duration::from_millis(5));
    }
    for client in [&mut open, &mut Client::connect(server.address)] {
        let reply = client.send("POST", "/execute/greet", b"x");
        assert_eq!((reply.text(), reply.header("connection")), ("Hello, x".into(), None));
        assert_eq!(client.send("GET", "/healthz", b"").status, 200);
    }
    // A second signal does not wait for it.
    terminate(&server);
    assert_eq!(server.child.wait().unwrap().code(), Some(128 + 15));
}

#[test]
fn what_came_during_the_delay_is_served() {
    let dir = TempDir::new();
    let mut server = Serve::start(&dir.0, &["--shutdown-delay=1s"]);
    terminate(&server);
    let mut answered = 0;
    // Each on a connection of its own, until there are none.
    while let Ok(stream) = std::net::TcpStream::connect(server.address) {
        let mut client = Client(stream);
        let sent = client.0.write_all(REQUEST).is_ok();
        let Some(reply) = client.reply(false).filter(|_| sent) else {
            // The system had connected it, as the gateway closed its door.
            break;
        };
        assert_eq!(reply.text(), "Hello, x");
        answered += 1;
    }
    assert!(answered > 0);
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
}

#[test]
fn requests_that_still_wait_when_it_ends_are_refused() {
    let dir = TempDir::new();
    let flags = ["--workers=1", "--timeout=700ms", "--queue-timeout=60s", "--client-share=100"];
    let mut server = Serve::start(&dir.0, &flags);
    let spin = b"POST /execute/infinite-loop HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n";
    let mut clients: Vec<Client> = (0..8)
        .map(|_| {
            let mut client = Client::connect(server.address);
            client.0.write_all(spin).unwrap();
            client
        })
        .collect();
    // All of them wait for the one worker.
    std::thread::sleep(Duration::from_millis(300));
    terminate(&server);
    let statuses: Vec<u16> = clients
        .iter_mut()
        .map(|client| {
            let reply = client.reply(false).expect("a response");
            assert_eq!(reply.header("connection"), Some("close"));
            reply.status
        })
        .collect();
    assert!(statuses.contains(&504) && statuses.contains(&503), "{statuses:?}");
    server.child.wait().unwrap();
}
