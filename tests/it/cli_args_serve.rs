//! The flags of `serve`, as the parser reads them.

use crate::cli_args::{ok, refused};
use fuelbox::cli::args::Command;
use fuelbox::cli::args::values::listen_address;

#[test]
fn serve_has_defaults_and_refuses_nonsense() {
    let Command::Serve(serve) = ok(&["serve"]) else { panic!() };
    assert_eq!(serve.listen.to_string(), "127.0.0.1:8080");
    assert!(serve.workers >= 4);
    let Command::Serve(serve) = ok(&["serve", "--listen", ":0", "--workers", "3"]) else { panic!() };
    assert_eq!((serve.listen.to_string().as_str(), serve.workers), ("127.0.0.1:0", 3));
    refused(&["serve", "--workers", "0"], "--workers");
    refused(&["serve", "--listen", "nowhere"], "--listen `nowhere`: not an address");
}

#[test]
fn addresses_are_loopback_unless_they_say_otherwise() {
    for (text, shown) in [
        (":80", "127.0.0.1:80"),
        ("localhost:0", "127.0.0.1:0"),
        ("0.0.0.0:8080", "0.0.0.0:8080"),
        ("[::1]:65535", "[::1]:65535"),
    ] {
        assert_eq!(listen_address(text).unwrap().to_string(), shown);
    }
    for text in ["", "8080", ":", ":65536", "localhost", "example.org:80", "127.0.0.1", "::1:80x"] {
        assert!(listen_address(text).is_err(), "{text}");
    }
}

#[test]
fn what_clients_are_allowed_is_set_by_flags_and_checked() {
    let serve = |flags: &[&str]| {
        let args = ["serve"].iter().chain(flags).map(std::ffi::OsString::from).collect();
        match fuelbox::cli::args::parse(args) {
            Ok(fuelbox::cli::args::Command::Serve(serve)) => Ok(serve.door),
            Ok(other) => panic!("{other:?}"),
            Err(message) => Err(message),
        }
    };
    let door = serve(&[
        "--max-connections=7",
        "--max-head=8KiB",
        "--max-body=2000",
        "--body-budget=3000",
        "--head-timeout=1s",
        "--body-timeout=2s",
        "--idle-timeout=3s",
        "--write-timeout=4s",
        "--queue=5",
        "--queue-timeout=0ms",
    ])
    .unwrap();
    assert_eq!(
        (door.connections, door.head_bytes, door.body_bytes, door.budget_bytes),
        (7, 8192, 2000, 3000)
    );
    let seconds = [door.head_timeout, door.body_timeout, door.idle_timeout, door.write_timeout];
    assert_eq!(seconds.map(|time| time.as_secs()), [1, 2, 3, 4]);
    assert_eq!((door.queue, door.queue_timeout.as_millis()), (5, 0));
    for (flags, says) in [
        (&["--max-body=2MiB"][..], ["--max-body is 2097152", "--max-input, which is 1048576"]),
        (&["--body-budget=1000"], ["--max-body is 1048576", "--body-budget, which is 1000"]),
        (&["--max-head=255"], ["--max-head 255: less than 256", ""]),
        (&["--max-connections=0"], ["--max-connections 0: less than 1", ""]),
        (&["--idle-timeout=0s"], ["--idle-timeout 0s: not in 1ns to 1day", ""]),
    ] {
        let message = serve(flags).unwrap_err();
        assert!(says.iter().all(|say| message.contains(say)), "{message}");
    }
    assert!(serve(&["--max-body=2MiB", "--max-input=2MiB"]).is_ok());
}
