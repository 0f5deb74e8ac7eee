//! One client takes nothing from the others, whatever it does: turns, places, queue, connections and bytes are shared
//! by client. The attacker is 127.0.0.2; honest clients have other addresses.

use crate::support::{Client, Serve, Server, TempDir, connect_from, prebuilt, wat};
use fuelbox::base::limits::DoorLimits;
use fuelbox::gateway::{Gateway, GatewayConfig};
use fuelbox::{Limits, Runner, RunnerConfig};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

pub const EVIL: u8 = 2;
pub const HONEST: u8 = 3;
pub const OBSERVER: u8 = 7;

/// When an attack ends by itself. Who is served before that is served under the attack.
pub const ATTACK: Duration = Duration::from_secs(20);

pub fn runner(deadline: Duration) -> Runner {
    let limits = Limits { deadline: Some(deadline), ..Limits::default() };
    let runner = Runner::new(RunnerConfig { limits, ..crate::support::runner_config() }).unwrap();
    runner.load_built_in().unwrap();
    runner
}

pub fn server(door: DoorLimits) -> Server {
    Server::with_door(runner(Duration::from_millis(400)), door)
}

/// Something that goes on until it is told to stop, or ends by itself.
pub struct Attack {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Attack {
    /// `round` again and again, on this many threads.
    pub fn start(threads: usize, round: impl Fn(usize) + Send + Sync + 'static) -> Attack {
        let stop = Arc::new(AtomicBool::new(false));
        let round = Arc::new(round);
        let begin = Instant::now();
        let threads = (0..threads).map(|number| {
            let (stop, round) = (Arc::clone(&stop), Arc::clone(&round));
            spawn(move || {
                while !stop.load(SeqCst) && begin.elapsed() < ATTACK {
                    round(number);
                }
            })
        });
        Attack { threads: threads.collect(), stop }
    }

    /// Ends it; it must not have ended by itself.
    pub fn end(self) {
        assert!(self.threads.iter().all(|thread| !thread.is_finished()), "it was over before the test");
        self.stop.store(true, SeqCst);
        self.threads.into_iter().for_each(|thread| thread.join().unwrap());
    }
}

pub fn request(method: &str, target: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("{method} {target} HTTP/1.1\r\nHost: t\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

pub fn metric(address: SocketAddr, name: &str) -> usize {
    let text = Client::from(OBSERVER, address).send("GET", "/metrics", b"").text();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name}: {text}")).parse().unwrap()
}

pub fn greets(host: u8, address: SocketAddr) {
    let reply = Client::from(host, address).send("POST", "/execute/greet", b"x");
    assert_eq!((reply.status, &*reply.text()), (200, "Hello, x"));
}

/// Pipelines `one` on 64 connections, reads what comes, and has always more to say.
pub fn pipeline(address: SocketAddr, one: &[u8]) -> Attack {
    let many = one.repeat(2000);
    Attack::start(4, move |_| {
        let streams: Vec<TcpStream> = (0..16).filter_map(|_| connect_from(EVIL, address).ok()).collect();
        streams.iter().for_each(|stream| stream.set_nonblocking(true).unwrap());
        let (mut sent, mut seen) = (vec![0; streams.len()], vec![0; 65536]);
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(2) {
            for (mut stream, sent) in streams.iter().zip(&mut sent) {
                if let Ok(n) = stream.write(&many[*sent..]) {
                    *sent = (*sent + n) % many.len();
                }
                while matches!(stream.read(&mut seen), Ok(n) if n > 0) {}
            }
            sleep(Duration::from_millis(1));
        }
    })
}

#[test]
fn clients_that_always_have_a_request_more_leave_others_their_turn() {
    // All workers may be at work for one client.
    let head_timeout = Duration::from_millis(300);
    let server = server(DoorLimits { head_timeout, client_share: 100, ..DoorLimits::default() });
    for one in [request("GET", "/healthz", b""), request("POST", "/execute/greet", b"x")] {
        let mut kept = Client::from(HONEST, server.address);
        let attack = pipeline(server.address, &one);
        sleep(Duration::from_millis(200));
        let mut slow = Client::from(HONEST, server.address);
        slow.0.write_all(b"GET /healthz HT").unwrap();
        for _ in 0..30 {
            greets(HONEST, server.address);
            assert_eq!(kept.send("GET", "/healthz", b"").status, 200);
        }
        // A timeout comes when it is due, whatever there is to do.
        let late = slow.reply(false).unwrap();
        assert_eq!((late.status, late.problem()), (408, "slow-client".into()));
        assert!(server.heartbeat().beats(Duration::from_secs(5)));
        attack.end();
    }
}

#[test]
fn a_client_whose_guests_spin_has_half_of_the_places() {
    let server = server(DoorLimits::default());
    let address = server.address;
    let attack = Attack::start(30, move |_| {
        let status = Client::from(EVIL, address).send("POST", "/execute/infinite-loop", b"").status;
        assert!(matches!(status, 504 | 503), "{status}");
    });
    sleep(Duration::from_millis(200));
    assert_eq!(metric(address, "fuelbox_workers_busy"), 2);
    assert_eq!(metric(address, "fuelbox_client_workers_limit"), 2);
    for round in 0..60 {
        greets(HONEST + round % 4, address);
    }
    attack.end();
}

#[test]
fn a_full_queue_makes_room_for_who_has_less_of_it() {
    // One place, so that everybody waits.
    let limits = Limits { deadline: Some(Duration::from_millis(300)), ..Limits::default() };
    let runner = Runner::new(RunnerConfig { limits, ..crate::support::runner_config() }).unwrap();
    runner.load_built_in().unwrap();
    let door = DoorLimits { queue: 4, queue_timeout: Duration::from_secs(20), ..DoorLimits::default() };
    let listen = "127.0.0.1:0".parse().unwrap();
    let config = GatewayConfig { listen, workers: 1, door, ..GatewayConfig::default() };
    let gateway = Gateway::start(&config, Arc::new(runner)).unwrap();
    let address = gateway.address();
    let ask = |host, target: &str| {
        let mut client = Client::from(host, address);
        client.0.write_all(&request("POST", target, b"x")).unwrap();
        client
    };
    let mut spinning: Vec<Client> = (0..5).map(|_| ask(EVIL, "/execute/infinite-loop")).collect();
    let begin = Instant::now();
    while metric(address, "fuelbox_queue_length") < 4 {
        assert!(begin.elapsed() < ATTACK);
    }
    // One more of the same is refused, and told by which limits.
    let refused = ask(EVIL, "/execute/infinite-loop").reply(false).unwrap();
    assert_eq!((refused.status, refused.problem()), (503, "busy".into()));
    for what in ["1 run at once (--workers)", "--client-share", "4 requests wait (--queue)", "20s"] {
        assert!(refused.text().contains(what), "{}", refused.text());
    }
    let mut honest = ask(HONEST, "/execute/greet");
    assert_eq!(honest.reply(false).unwrap().text(), "Hello, x");
    // It was the next, and the newest of the others made room for it.
    let statuses: Vec<u16> = spinning.iter_mut().map(|client| client.reply(false).unwrap().status).collect();
    assert_eq!(statuses, [504, 504, 504, 504, 503]);
    gateway.stop();
}

#[test]
fn two_plugins_of_one_client_do_not_use_up_the_queue_of_a_third() {
    let dir = TempDir::new();
    for name in ["a", "b"] {
        std::fs::copy(prebuilt("infinite-loop.wasm"), dir.0.join(format!("{name}.wasm"))).unwrap();
        dir.write(&format!("{name}.toml"), "workers = 1");
    }
    std::fs::copy(prebuilt("greet.wasm"), dir.0.join("greet.wasm")).unwrap();
    let limits = Limits { deadline: Some(Duration::from_millis(300)), ..Limits::default() };
    let runner = Runner::new(RunnerConfig { limits, ..crate::support::runner_config() }).unwrap();
    runner.load_plugins(&dir.0).unwrap();
    let door = DoorLimits { queue: 8, client_share: 75, ..DoorLimits::default() };
    let server = Server::with_door(runner, door);
    let address = server.address;
    let attack = Attack::start(30, move |number| {
        let plugin = ["a", "b"][number % 2];
        Client::from(HONEST, address).send("POST", &format!("/execute/{plugin}?func=spin"), b"");
    });
    sleep(Duration::from_millis(200));
    (0..60).for_each(|_| greets(HONEST, address));
    attack.end();
}

#[test]
fn who_comes_in_numbers_closes_its_own_connections() {
    // Once it has as many as it may, and once as many as there may be.
    for connections_per_client in [None, Some(64)] {
        let server = server(DoorLimits { connections: 64, connections_per_client, ..DoorLimits::default() });
        let address = server.address;
        // Eight that take their time before each part of a request.
        let mut slow: Vec<Client> = (0..8).map(|_| Client::from(HONEST, address)).collect();
        let attack = Attack::start(4, move |_| {
            let held: Vec<_> = (0..50).filter_map(|_| connect_from(EVIL, address).ok()).collect();
            held.iter().for_each(|mut stream| drop(stream.write_all(b"POST /exe")));
        });
        for part in
            [&b"POST /execute/greet HT"[..], b"TP/1.1\r\nHost: t\r\nContent-Length: 1\r\n", b"\r\n", b"x"]
        {
            sleep(Duration::from_millis(200));
            for client in &mut slow {
                client.0.write_all(part).unwrap();
            }
        }
        for client in &mut slow {
            assert_eq!(client.reply(false).expect("nobody closed it").text(), "Hello, x");
        }
        attack.end();
    }
}

#[test]
fn one_connection_more_than_a_client_may_have_closes_its_oldest() {
    let server =
        server(DoorLimits { connections: 16, connections_per_client: Some(4), ..DoorLimits::default() });
    let mut other = Client::from(HONEST, server.address);
    let mut own: Vec<Client> = Vec::new();
    for count in 1..=6 {
        own.push(Client::from(EVIL, server.address));
        assert_eq!(own.last_mut().unwrap().send("GET", "/healthz", b"").status, 200, "{count}");
        // Long enough that what came before may be closed.
        sleep(Duration::from_millis(20));
        assert_eq!(server.connections(), 1 + count.min(4));
    }
    let is_open = |client: &mut Client| {
        let _ = client.0.write_all(&request("GET", "/healthz", b""));
        client.0.read(&mut [0; 999]).is_ok_and(|n| n > 0)
    };
    assert_eq!(own.iter_mut().map(is_open).collect::<Vec<_>>(), [false, false, true, true, true, true]);
    assert_eq!(other.send("GET", "/healthz", b"").status, 200);
    let evicted = "fuelbox_connections_evicted_total{reason=\"client\"}";
    assert_eq!(metric(server.address, evicted), 2);
}

/// Half-closed, with answers that nobody reads: each is a descriptor all the same.
#[test]
fn connections_whose_client_has_ended_count_until_they_are_closed() {
    let dir = TempDir::new();
    dir.write("one.wasm", wat("(module)"));
    let flags = ["--plugins=.", "--workers=4", "--max-connections=16", "--max-connections-per-client=16"];
    let serve = Serve::start(&dir.0, &flags);
    is_served(serve.address);
    let before = serve.vitals().descriptors;
    let ask = request("GET", "/healthz", b"").repeat(600);
    let mut held = Vec::new();
    for _ in 0..120 {
        let mut stream = connect_from(EVIL, serve.address).unwrap();
        rustix::net::sockopt::set_socket_recv_buffer_size(&stream, 2048).unwrap();
        let _ = stream.write_all(&ask).and_then(|()| stream.shutdown(Shutdown::Write));
        held.push(stream);
        let now = serve.vitals().descriptors;
        // One more for as long as it takes to close another one for it.
        assert!(now <= before + 16 + 1, "{now} descriptors, {before} before");
    }
    sleep(Duration::from_millis(100));
    assert!(serve.vitals().descriptors <= before + 16, "{:?}", serve.vitals());
    is_served(serve.address);
}

/// An honest client is answered.
fn is_served(address: SocketAddr) {
    assert_eq!(Client::from(HONEST, address).send("GET", "/healthz", b"").status, 200);
}

/// Work that never gets into a lane, refusals here, must not keep what is in it from being answered.
#[test]
fn requests_that_are_refused_leave_others_their_turn() {
    let server = server(DoorLimits { queue: 0, ..DoorLimits::default() });
    let attack = pipeline(server.address, &request("POST", "/execute/infinite-loop", b""));
    sleep(Duration::from_millis(200));
    let mut kept = Client::from(HONEST, server.address);
    for _ in 0..30 {
        greets(HONEST, server.address);
        assert_eq!(kept.send("GET", "/healthz", b"").status, 200);
    }
    attack.end();
    let metrics = kept.send("GET", "/metrics", b"").text();
    let refused = r#"fuelbox_requests_total{plugin="infinite-loop",outcome="busy"}"#;
    assert!(metrics.contains(refused), "{metrics}");
}

#[test]
fn a_guest_that_ends_lets_all_begin_who_waited_for_that() {
    let dir = TempDir::new();
    for (name, policy) in
        [("p", "workers = 1\n[limits]\ntimeout = \"600ms\""), ("q", "[limits]\ntimeout = \"2s\"")]
    {
        std::fs::copy(prebuilt("infinite-loop.wasm"), dir.0.join(format!("{name}.wasm"))).unwrap();
        dir.write(&format!("{name}.toml"), policy);
    }
    let runner = Runner::new(crate::support::runner_config()).unwrap();
    assert!(runner.load_plugins(&dir.0).unwrap().failed.is_empty());
    let door = DoorLimits { queue_timeout: ATTACK, ..DoorLimits::default() };
    let listen = "127.0.0.1:0".parse().unwrap();
    let config = GatewayConfig { listen, workers: 2, door, ..GatewayConfig::default() };
    let gateway = Gateway::start(&config, Arc::new(runner)).unwrap();
    let address = gateway.address();
    let begin = Instant::now();
    let until = |running, queued| {
        let now = || (metric(address, "fuelbox_workers_busy"), metric(address, "fuelbox_queue_length"));
        while now() != (running, queued) {
            assert!(begin.elapsed() < ATTACK, "{:?}", now());
        }
    };
    let ask = |host, plugin: &str| {
        let mut client = Client::from(host, address);
        client.0.write_all(&request("POST", &format!("/execute/{plugin}?func=spin"), b"")).unwrap();
        client
    };
    let mut clients = vec![ask(EVIL, "p")];
    until(1, 0);
    // One place is free, but this client has its share, and this plug-in its one.
    clients.push(ask(EVIL, "q"));
    until(1, 1);
    clients.push(ask(HONEST, "p"));
    until(1, 2);
    until(2, 0);
    assert!(clients.iter_mut().all(|client| client.reply(false).unwrap().status == 504));
    gateway.stop();
}

#[test]
fn a_client_has_its_part_of_the_places_of_a_plugin_too() {
    let dir = TempDir::new();
    std::fs::copy(prebuilt("infinite-loop.wasm"), dir.0.join("p.wasm")).unwrap();
    dir.write("p.toml", "workers = 2");
    let limits = Limits { deadline: Some(Duration::from_millis(800)), ..Limits::default() };
    let runner = Runner::new(RunnerConfig { limits, ..crate::support::runner_config() }).unwrap();
    runner.load_plugins(&dir.0).unwrap();
    let server = Server::with_door(runner, DoorLimits { queue_timeout: ATTACK, ..DoorLimits::default() });
    let ask = |host| {
        let mut client = Client::from(host, server.address);
        client.0.write_all(&request("POST", "/execute/p?func=spin", b"")).unwrap();
        client
    };
    let begin = Instant::now();
    let until = |running, queued| {
        let now = || {
            let of = |name| metric(server.address, name);
            (of("fuelbox_workers_busy"), of("fuelbox_queue_length"))
        };
        while now() != (running, queued) {
            assert!(begin.elapsed() < ATTACK, "{:?}", now());
        }
    };
    let mut clients: Vec<Client> = (0..4).map(|_| ask(EVIL)).collect();
    until(1, 3);
    clients.push(ask(HONEST));
    until(2, 3);
    assert!(clients.iter_mut().all(|client| client.reply(false).unwrap().status == 504));
}
