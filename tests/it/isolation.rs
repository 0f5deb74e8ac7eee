//! Guests in processes of their own: what dies there is nobody else's matter.

use crate::guest::LONG;
use crate::skip::skip;
use crate::support::{
    Client, Reply, Server, TempDir, deadline_ms, fuelbox_program, is_isolated, prebuilt, reload, wat,
};
use fuelbox::{Call, Isolation, Limits, Runner, RunnerConfig, Stop};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Function names at which a process meets a fault, with what comes of it: `src/isolation/child/faults.rs` has them.
const FAULTS: &[(&str, u16, &str)] = &[
    ("fault-abort", 500, "abort (signal 6)"),
    ("fault-exit", 500, "exit"),
    ("fault-file", 500, "exit"),
    ("fault-stack", 500, "abort (signal 6)"),
    ("fault-memory", 500, "out of memory (signal 6)"),
    ("fault-call", 500, "bad system call (signal 31)"),
    ("fault-spin", 504, "deadline"),
    ("fault-garbage", 500, "protocol"),
    ("fault-unknown", 500, "protocol"),
    ("fault-ready", 500, "protocol"),
    ("fault-large", 500, "protocol"),
    ("fault-short", 504, "deadline"),
    ("fault-more", 500, "protocol"),
    ("fault-message", 500, "protocol"),
    ("fault-frame", 500, "protocol"),
    ("fault-words", 500, "protocol"),
    ("fault-flood", 504, "deadline"),
    ("fault-empty", 504, "deadline"),
    ("fault-trickle", 504, "deadline"),
    ("fault-twice", 200, ""),
    ("fault-ends", 200, ""),
];

/// A module with a function for each fault, and `fine`.
fn faulty() -> Vec<u8> {
    let functions: String = FAULTS
        .iter()
        .map(|(name, ..)| format!(r#"(func (export "{name}") (result i32) (i32.const 7))"#))
        .collect();
    wat(&format!(r#"(module {functions} (func (export "fine") (result i32) (i32.const 1)))"#))
}

fn isolation() -> Isolation {
    Isolation { has_faults: true, ..Isolation::with_program(fuelbox_program()) }
}

fn runner(isolation: Isolation, limits: Limits) -> Runner {
    Runner::new(RunnerConfig { limits, isolation: Some(isolation), ..RunnerConfig::default() }).unwrap()
}

/// A gateway with `modules`, whose guests run in processes that meet faults.
fn served(modules: &[(&str, Vec<u8>)], isolation: Isolation, limits: Limits) -> (TempDir, Server) {
    let dir = TempDir::new();
    for (name, bytes) in modules {
        dir.write(&format!("{name}.wasm"), bytes);
    }
    let runner = runner(isolation, limits);
    let changes = runner.load_plugins(&dir.0).unwrap();
    assert!(changes.failed.is_empty(), "{:?}", changes.failed);
    (dir, Server::for_one_client(runner))
}

fn call(server: &Server, plugin: &str, func: &str) -> Reply {
    server.send("POST", &format!("/execute/{plugin}?func={func}"), b"")
}

#[test]
fn each_fault_costs_one_response_and_nothing_else() {
    let greet = std::fs::read(prebuilt("greet.wasm")).unwrap();
    let (_dir, server) = served(&[("f", faulty()), ("greet", greet)], isolation(), deadline_ms(500));
    for (fault, status, what) in FAULTS {
        let begin = Instant::now();
        let reply = call(&server, "f", fault);
        println!("{fault}: {} {:?}: {}", reply.status, begin.elapsed(), reply.text().trim());
        assert_eq!(reply.status, *status, "{fault}: {}", reply.text());
        assert!(reply.text().contains(what), "{fault}: {}", reply.text());
        if *status == 500 {
            assert_eq!(reply.problem(), "guest-died", "{fault}");
        }
        if ["fault-twice", "fault-ends"].contains(fault) {
            // What comes late is not taken for an answer, and an end is noticed.
            std::thread::sleep(Duration::from_millis(400));
        }
        assert_eq!(call(&server, "f", "fine").text(), "1\n", "after {fault}");
        let greeted = server.send("POST", "/execute/greet?func=greet", b"World");
        assert_eq!(greeted.text(), "Hello, World", "after {fault}");
    }
    let metrics = server.send("GET", "/metrics", b"").text();
    let of = |reason: &str| {
        FAULTS.iter().filter(|(_, status, what)| *status == 500 && what.starts_with(reason)).count()
    };
    for reason in ["abort", "bad system call", "exit", "out of memory", "protocol"] {
        let line = format!(r#"fuelbox_guest_deaths_total{{plugin="f",reason="{reason}"}} {}"#, of(reason));
        assert!(metrics.contains(&line), "{line}: {metrics}");
    }
}

#[test]
fn a_process_that_goes_on_after_its_response_is_ended() {
    let module = wat(r#"(module (func (export "fault-goes-on") (result i32) (i32.const 7)))"#);
    let (_dir, server) = served(&[("g", module)], isolation(), Limits::default());
    assert_eq!(call(&server, "g", "fault-goes-on").status, 200);
    // Another test may have processes, too; the one that spins takes a whole processor.
    let begin = Instant::now();
    let spins = || {
        let first = own_children();
        std::thread::sleep(Duration::from_millis(300));
        let second = own_children();
        first.iter().any(|(id, (_, ticks))| second.get(id).is_some_and(|(_, now)| *now > ticks + 20))
    };
    while spins() {
        assert!(begin.elapsed() < LONG, "it goes on");
    }
}

/// What /proc says of the children of this process: their states, and the clock ticks that they have used
/// (proc_pid_stat(5), from field 3 on).
fn own_children() -> HashMap<String, (String, u64)> {
    let own = std::process::id().to_string();
    let stats = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let path = entry.ok()?.path();
        let stat = std::fs::read_to_string(path.join("stat")).ok()?;
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks = fields[11].parse::<u64>().ok()? + fields[12].parse::<u64>().ok()?;
        (fields[1] == own).then(|| (path.display().to_string(), (fields[0].into(), ticks)))
    });
    stats.collect()
}

#[test]
fn others_get_their_responses_while_processes_die() {
    let greet = std::fs::read(prebuilt("greet.wasm")).unwrap();
    let (_dir, server) = served(&[("f", faulty()), ("greet", greet)], isolation(), deadline_ms(300));
    let until = Instant::now() + LONG / 8;
    std::thread::scope(|scope| {
        for fault in ["fault-abort", "fault-memory", "fault-spin"] {
            let address = server.address;
            scope.spawn(move || {
                while Instant::now() < until {
                    let reply =
                        Client::connect(address).send("POST", &format!("/execute/f?func={fault}"), b"");
                    assert_ne!(reply.status, 200, "{fault}");
                }
            });
        }
        let mut client = Client::connect(server.address);
        let (mut count, mut longest) = (0, Duration::ZERO);
        while Instant::now() < until {
            let begin = Instant::now();
            let reply = client.send("POST", "/execute/greet?func=greet", b"World");
            assert_eq!(reply.text(), "Hello, World");
            (count, longest) = (count + 1, longest.max(begin.elapsed()));
        }
        println!("{count} responses, the slowest after {longest:?}");
    });
}

#[test]
fn many_deaths_leave_nothing_behind() {
    if is_isolated() {
        // Then most other tests have processes here, too.
        return skip("the tests run a first time without processes, and then this can be told");
    }
    let (_dir, server) = served(&[("f", faulty())], isolation(), Limits::default());
    let deaths = std::env::var("FUELBOX_TEST_DEATHS").map_or(200, |count| count.parse().unwrap());
    let descriptors = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    assert_eq!(call(&server, "f", "fine").text(), "1\n");
    assert_eq!(call(&server, "f", "fault-abort").status, 500);
    let before = descriptors();
    for _ in 0..deaths {
        assert_eq!(call(&server, "f", "fault-abort").status, 500);
    }
    drop(server);
    let begin = Instant::now();
    // Other tests of this process come and go.
    while descriptors() > before + 64 || zombies() > 0 {
        assert!(
            begin.elapsed() < LONG,
            "{before} descriptors became {}, {} zombies",
            descriptors(),
            zombies()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Children of this process that have ended and are not waited for.
fn zombies() -> usize {
    own_children().values().filter(|(state, _)| state == "Z").count()
}

#[test]
fn a_process_that_dies_while_it_loads_is_tried_three_times() {
    let name = "dies-while-loading";
    let (dir, server) = served(&[(name, faulty())], isolation(), Limits::default());
    for _ in 0..3 {
        let reply = call(&server, name, "fine");
        assert_eq!((reply.status, reply.problem()), (500, "guest-died".into()));
        assert!(reply.text().contains("abort (signal 6)"), "{}", reply.text());
    }
    for _ in 0..3 {
        let reply = call(&server, name, "fine");
        assert_eq!((reply.status, reply.problem()), (500, "guest-died".into()));
        assert!(reply.text().contains("not tried again before the module changes"), "{}", reply.text());
    }
    // A changed module is tried.
    dir.write(&format!("{name}.wasm"), [faulty(), b"\0\x01\0".to_vec()].concat());
    assert_eq!(reload(&server.runner).replaced, [name]);
    assert!(call(&server, name, "fine").text().contains("abort (signal 6)"));
}

#[test]
fn a_changed_module_is_served_by_a_process_of_its_own() {
    let giving = |n: u32| wat(&format!(r#"(module (func (export "f") (result i32) (i32.const {n})))"#));
    let (dir, server) = served(&[("f", giving(1))], isolation(), Limits::default());
    assert_eq!(call(&server, "f", "f").text(), "1\n");
    dir.write("f.wasm", giving(1000));
    assert_eq!(reload(&server.runner).replaced, ["f"]);
    assert_eq!(call(&server, "f", "f").text(), "1000\n");
}

#[test]
fn a_process_for_each_call() {
    let per_call = Isolation { per_call: true, ..isolation() };
    let greet = std::fs::read(prebuilt("greet.wasm")).unwrap();
    let (_dir, server) = served(&[("greet", greet)], per_call, Limits::default());
    for _ in 0..20 {
        assert_eq!(server.send("POST", "/execute/greet?func=greet", b"World").text(), "Hello, World");
    }
}

#[test]
fn a_policy_asks_for_a_process_and_cannot_ask_for_less() {
    let dir = TempDir::new();
    dir.write("f.wasm", faulty());
    dir.write("f.toml", "isolation = \"process\"\n");
    let some = || Isolation { all: false, ..isolation() };
    let reason = |runner: &Runner| {
        let changes = runner.load_plugins(&dir.0).unwrap();
        changes.failed.first().map(ToString::to_string).unwrap_or_default()
    };
    let isolated = runner(some(), Limits::default());
    assert_eq!(reason(&isolated), "");
    let died = isolated.run("f", Call::bytes("fault-abort", "")).unwrap().result;
    assert_eq!(died, Err(Stop::Died { how: "abort", signal: Some(6) }));
    let without = Runner::new(RunnerConfig::default()).unwrap();
    assert!(
        reason(&without).ends_with("f.toml:1:13: this server has no processes for guests"),
        "{}",
        reason(&without)
    );
    dir.write("f.toml", "isolation = \"thread\"\n");
    let all = runner(isolation(), Limits::default());
    assert!(
        reason(&all).contains("less than the server's --isolation, which is process"),
        "{}",
        reason(&all)
    );
    dir.write("f.toml", "isolation = \"cell\"\n");
    assert!(reason(&all).contains("no isolation `cell`; use thread or process"), "{}", reason(&all));
}

#[test]
fn no_process_is_an_error_and_not_a_wait() {
    let begin = Instant::now();
    let isolation = Isolation::with_program("/nonexistent/fuelbox");
    let runner = runner(isolation, Limits::default());
    let error = runner.load_built_in().unwrap_err();
    assert!(error.to_string().contains("no memory for a process"), "{error}");
    assert!(begin.elapsed() < LONG / 4);
    // One that ends at once, and one that says nothing of ours.
    for program in ["/bin/true", "/bin/echo"] {
        let runner = self::runner(Isolation::with_program(program), Limits::default());
        let error = runner.load_built_in().unwrap_err().to_string();
        assert!(error.contains("no memory for a process"), "{program}: {error}");
    }
}

/// A guest that makes the interpreter of the version in use call what a number points to, where nothing keeps it from that
/// (`docs/upstream.md`).
const WILD: &str = r#"(module
  (type $none (func))
  (table 4 funcref)
  ;; Leaves numbers in cells of the value stack.
  (func $litter (param $n i64) (local i64 i64 i64 i64 i64 i64 i64 i64 i64 i64)
    (local.set 1 (local.get $n)) (local.set 3 (local.get $n)) (local.set 5 (local.get $n)) (local.set 7 (local.get $n))
    (local.set 2 (local.get $n)) (local.set 4 (local.get $n)) (local.set 6 (local.get $n)) (local.set 8 (local.get $n))
    (local.set 9 (local.get $n)) (local.set 10 (local.get $n)))
  ;; The reference below the parameter of the block is kept in one arm only. In the other it is what a cell holds.
  (func $call_any (param $arm i32) (param $target funcref)
    i32.const 2
    local.get $target
    i32.const 9
    local.get $arm
    if (param i32)
      drop
      ref.null func
      local.set $target
    else
      drop
    end
    table.set 0
    (call_indirect (type $none) (i32.const 2)))
  (func (export "wild")
    (call $litter (i64.const 100))
    (call $call_any (i32.const 0) (ref.null func))))"#;

#[test]
fn a_fault_of_the_interpreter_is_its_process_s_own() {
    let greet = std::fs::read(prebuilt("greet.wasm")).unwrap();
    let (_dir, server) = served(&[("w", wat(WILD)), ("greet", greet)], isolation(), Limits::default());
    for _ in 0..20 {
        let reply = call(&server, "w", "wild");
        assert_eq!((reply.status, reply.problem()), (500, "guest-died".into()), "{}", reply.text());
        let died = ["abort (signal 6)", "signal (signal 11)"].iter().any(|how| reply.text().contains(how));
        assert!(died, "{}", reply.text());
        assert_eq!(server.send("POST", "/execute/greet?func=greet", b"World").text(), "Hello, World");
    }
}
