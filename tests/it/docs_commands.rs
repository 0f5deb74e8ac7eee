//! The commands in the documents, run as they are typed: what follows `$ ` in a console block, and the shell blocks of
//! the first hour on a Raspberry Pi. The output has to be what the document shows, where `...` stands for anything.
//!
//! Addresses and folders of a machine become those of the test. Programs that a test must not run have a stand-in.

use crate::skip::skip;
use crate::support::{TempDir, fuelbox_program, prebuilt, wat};
use std::fmt::Write;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A command, and what the document shows of its output; none if it shows nothing at all.
struct Typed {
    line: usize,
    command: String,
    shown: Option<String>,
}

/// The commands of a page: those of its console blocks, and of its `sh` blocks if they count too.
fn typed(page: &str, with_shell: bool) -> Vec<Vec<Typed>> {
    let text = fs::read_to_string(root().join(page)).unwrap();
    let mut blocks = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((_, line)) = lines.next() {
        let is_console = line == "```console";
        let is_shell = with_shell && line == "```sh";
        if !is_console && !is_shell {
            continue;
        }
        let inner: Vec<_> = lines.by_ref().take_while(|(_, line)| *line != "```").collect();
        let mut block: Vec<Typed> = Vec::new();
        if !is_console {
            let command = inner.iter().map(|(_, line)| format!("{line}\n")).collect();
            block.push(Typed { line: inner[0].0 + 1, command, shown: None });
        }
        for (number, line) in inner.iter().filter(|_| is_console) {
            match (line.strip_prefix("$ "), block.last_mut()) {
                (Some(command), _) => block.push(Typed {
                    line: number + 1,
                    command: command.into(),
                    shown: Some(String::new()),
                }),
                (None, Some(Typed { shown: Some(shown), .. })) => *shown += &format!("{line}\n"),
                // A block without `$` is for cargo.
                _ => {}
            }
        }
        blocks.push(block);
    }
    blocks
}

/// What stands for a machine: folders, programs, an address.
struct Machine {
    dir: TempDir,
    port: u16,
}

impl Machine {
    fn new() -> Machine {
        let dir = TempDir::new();
        for folder in ["bin", "etc/systemd/system", "var/lib", "work", "pi"] {
            fs::create_dir_all(dir.0.join(folder)).unwrap();
        }
        for name in ["guests", "LICENSE"] {
            symlink(root().join(name), dir.0.join("work").join(name)).unwrap();
        }
        // Someone else may take it, but nobody does so soon.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let machine = Machine { dir, port };
        let program = fuelbox_program();
        machine.program(
            "fuelbox",
            &format!(
                r#"case $1 in
                serve) case "$*" in *--config*) ;; *) set -- "$@" --listen 127.0.0.1:{port} ;; esac ;;
                health) set -- "$@" --address 127.0.0.1:{port} ;;
                esac
                exec '{}' "$@""#,
                program.display()
            ),
        );
        machine.program("sudo", "exec \"$@\"");
        machine.program("systemctl", "true");
        machine.program("journalctl", "true");
        machine
    }

    fn program(&self, name: &str, body: &str) {
        let path = self.dir.write(&format!("bin/{name}"), format!("#!/bin/bash\n{body}\n"));
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// What is typed on this machine.
    fn here(&self, command: &str) -> String {
        let (root, port) = (self.dir.0.display(), self.port);
        let mut command = command.to_string();
        for name in ["/var/lib/", "/etc/fuelbox", "/etc/systemd/"] {
            command = command.replace(name, &format!("{root}{name}"));
        }
        for address in ["127.0.0.1:8080", "raspberrypi.local:8080", "0.0.0.0:8080"] {
            command = command.replace(address, &format!("127.0.0.1:{port}"));
        }
        command.replace("/usr/local/bin/", &format!("{root}/bin/"))
    }

    /// What is printed, as the document has it.
    fn there(&self, output: &str) -> String {
        let output = output.replace(&self.dir.0.display().to_string(), "").replace('\r', "");
        output.replace(&format!("127.0.0.1:{}", self.port), "127.0.0.1:8080")
    }

    /// Runs the script in `folder`, and gives all that it prints.
    fn run(&self, folder: &str, script: &str) -> String {
        self.dir.write(".curlrc", "silent\nshow-error\n");
        let path = std::env::var("PATH").unwrap();
        let output = Command::new("timeout")
            .args(["60", "bash", "-c", &format!("set -m; exec 2>&1; trap '{END}' EXIT TERM\n{script}")])
            .current_dir(self.dir.0.join(folder))
            .env("PATH", format!("{}:{path}", self.dir.0.join("bin").display()))
            .env_remove("CARGO_TARGET_DIR")
            .env("CURL_HOME", &self.dir.0)
            .env("RUST_LOG", "error,tiny_http=off")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

/// Ends what was begun in the background.
const END: &str = "kill $(jobs -p) 2>/dev/null; wait";

/// Waits until the gateway answers.
const READY: &str = "for i in $(seq 100); do fuelbox health >/dev/null 2>&1 && break; sleep 0.05; done";

fn mark(at: usize) -> String {
    format!("\n@@@ {at}\n")
}

/// One script of all commands, with a mark before each.
fn script(machine: &Machine, commands: &[&Typed], also: &[(&str, &str)]) -> String {
    let mut script = String::new();
    for (at, typed) in commands.iter().enumerate() {
        for (_, more) in also.iter().filter(|(begin, _)| typed.command.starts_with(begin)) {
            writeln!(script, "printf '\n@@@ before\n'\n{}", machine.here(more)).unwrap();
            if more.ends_with('&') {
                writeln!(script, "{READY}").unwrap();
            }
        }
        writeln!(script, "printf '%s' '{}'", mark(at)).unwrap();
        writeln!(script, "{}", machine.here(&typed.command)).unwrap();
        if typed.command.trim_end().ends_with('&') {
            writeln!(script, "{READY}").unwrap();
        }
    }
    writeln!(script, "printf '%s' '{}'", mark(commands.len())).unwrap();
    script
}

/// Headers that documents leave out.
const LEFT_OUT: [&str; 7] = [
    "Date:",
    "Server:",
    "X-Content-Type-Options:",
    "X-Request-Id:",
    "Content-Length:",
    "Fuel-Used:",
    "Server-Timing:",
];

/// Times are not the same twice.
fn without_times(line: &str) -> String {
    if !line.contains(" ms") {
        return line.into();
    }
    line.split(|c: char| c.is_ascii_digit() || c == '.')
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("#")
}

/// Whether `found` is what is shown, with `...` for anything.
fn is_like(found: &str, shown: &str) -> bool {
    // Of headers, those that a document leaves out are known.
    let has_head = found.contains("HTTP/1.1 ");
    let is_kept =
        |line: &&str| !has_head || *line != "..." && !LEFT_OUT.iter().any(|name| line.starts_with(name));
    let lines = |text: &str| {
        text.trim_end().lines().filter(is_kept).map(without_times).collect::<Vec<_>>().join("\n")
    };
    let (found, shown) = (lines(found), lines(shown));
    let parts: Vec<&str> = shown.split("...").collect();
    let [first, middle @ .., last] = &parts[..] else { return found == shown };
    let Some(mut rest) = found.strip_prefix(first) else { return false };
    for part in middle {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

/// Runs the commands of a page in `folder`, with `also` before those that begin so, and compares what they print.
fn check(machine: &Machine, page: &str, folder: &str, commands: &[&Typed], also: &[(&str, &str)]) {
    let output = machine.run(folder, &script(machine, commands, also));
    let output = machine.there(&output);
    let mut rest = output.as_str();
    for (at, typed) in commands.iter().enumerate() {
        let (_, after) =
            rest.split_once(&mark(at)).unwrap_or_else(|| panic!("{page}:{}: {output}", typed.line));
        let found = after.split("\n@@@ ").next().unwrap_or_default();
        rest = after;
        if let Some(shown) = &typed.shown {
            let Typed { line, command, .. } = typed;
            assert!(
                is_like(found, shown),
                "{page}:{line}: {command}\nprints\n{found}\nand not\n{shown}\n{output}"
            );
        }
    }
}

fn can_run() -> bool {
    let is_there = |name: &str| {
        let found = Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        found.is_ok_and(|status| status.success())
    };
    let all = ["bash", "curl", "timeout"].into_iter().all(is_there);
    if !all || !root().join("docs").exists() {
        skip("bash, curl, timeout and the documents are needed");
    }
    all && root().join("docs").exists()
}

#[test]
fn documents_show_what_their_commands_print() {
    if !can_run() {
        return;
    }
    const SERVE: &str = "fuelbox serve --plugins guests/prebuilt > /dev/null 2>&1 &";
    let mut count = 0;
    for (page, also) in [
        (
            "README.md",
            &[("curl -d World http://127.0.0.1:8080/execute/greet", "fuelbox serve > /dev/null 2>&1 &")][..],
        ),
        ("docs/calling-conventions.md", &[]),
        ("docs/command-line.md", &[]),
        ("docs/components.md", &[("curl -d '[[", SERVE), ("fuelbox serve", "kill %1; wait")]),
        ("docs/http.md", &[("curl -d World", SERVE)]),
    ] {
        let machine = Machine::new();
        let blocks = typed(page, false);
        // `scripts/published.sh` runs what others have published.
        let is_here = |typed: &&Typed| {
            !typed.command.contains("yowasp")
                && !typed.command.contains("bin/")
                && !typed.command.contains("resvg")
        };
        let commands: Vec<&Typed> = blocks.iter().flatten().filter(is_here).collect();
        assert!(!commands.is_empty(), "{page}");
        count += commands.len();
        check(&machine, page, "work", &commands, also);
    }
    assert!(count > 25, "{count}");
}

#[test]
fn plugins_are_checked_and_deployed_as_the_document_says() {
    if !can_run() {
        return;
    }
    let machine = Machine::new();
    let folder = machine.dir.0.join("var/lib/fuelbox/plugins");
    fs::create_dir_all(&folder).unwrap();
    for name in ["add", "greet"] {
        fs::copy(prebuilt(&format!("{name}.wasm")), folder.join(format!("{name}.wasm"))).unwrap();
    }
    fs::write(folder.join("greet.toml"), "workers = 1\n\nacess = \"token\"\n").unwrap();
    let square =
        r#"(module (func (export "square") (param i32) (result i32) (i32.mul (local.get 0) (local.get 0))))"#;
    machine.dir.write("work/square.wasm", wat(square));
    fs::copy(prebuilt("add.wasm"), machine.dir.0.join("work/add.wasm")).unwrap();
    machine.dir.write("work/half.wasm", &fs::read(prebuilt("greet.wasm")).unwrap()[..100]);
    let page = "docs/operating.md";
    let blocks = typed(page, false);
    let commands: Vec<&Typed> = blocks.iter().flatten().collect();
    assert_eq!(commands.len(), 9);
    let serve = "rm /var/lib/fuelbox/plugins/greet.toml
        fuelbox serve --plugins /var/lib/fuelbox/plugins --token-file /etc/fuelbox.tokens > /dev/null 2>&1 &";
    check(&machine, page, "work", &commands, &[("TOKEN=", serve)]);
}

/// On the Pi, or on the computer beside it.
const PLACES: [&str; 7] = ["work", "pi", "work", "pi", "work", "pi", "pi"];

#[test]
fn the_first_hour_goes_as_it_is_written() {
    let has_target = Command::new("rustup").args(["target", "add", "wasm32-unknown-unknown"]).output();
    if !can_run() || !has_target.is_ok_and(|output| output.status.success()) {
        return skip("rustup cannot add wasm32-unknown-unknown");
    }
    let page = "docs/raspberry-pi.md";
    let machine = Machine::new();
    // A clone with a script that puts a binary where the real one does.
    let real = fs::read_to_string(root().join("scripts/cross.sh")).unwrap();
    assert!(real.contains("into target/cross/TARGET/fuelbox,"));
    machine.program(
        "git",
        &format!(
            r#"[[ "$*" == "clone REPOSITORY fuelbox" ]] || exit 1
            mkdir -p fuelbox/guests && cp -r '{0}/scripts' fuelbox/ && cp -r '{0}/guests/rust' fuelbox/guests/
            printf '#!/bin/bash\nmkdir -p target/cross/$1 && cp "$(command -v fuelbox)" target/cross/$1/\n' > fuelbox/scripts/cross.sh"#,
            root().display()
        ),
    );
    machine.program(
        "scp",
        r#"for last; do :; done; [[ $last == pi@raspberrypi.local: ]] || exit 1; cp "${@:1:$#-1}" ../../pi/"#,
    );
    let blocks = typed(page, true);
    assert_eq!(blocks.len(), PLACES.len());
    let commands: Vec<&Typed> = blocks.iter().flatten().collect();
    let places: Vec<&str> =
        blocks.iter().zip(PLACES).flat_map(|(block, place)| block.iter().map(move |_| place)).collect();
    let mut whole = String::from("set -e\n");
    let folder = |name: &str| machine.dir.0.join(name).display().to_string();
    writeln!(whole, "work={} pi={}", folder("work"), folder("pi")).unwrap();
    for (at, (typed, place)) in commands.iter().zip(places).enumerate() {
        // Each machine has a shell of its own, which stays where it was.
        writeln!(whole, "cd \"${place}\"\nprintf '%s' '{}'", mark(at)).unwrap();
        let command = machine.here(&typed.command);
        // The server is ended by Ctrl-C, after the next steps.
        let command = command.replace(
            "sudo fuelbox serve --config",
            "TOKEN=$(cat \"$pi/../etc/fuelbox.tokens\"); sudo fuelbox serve --config",
        );
        let command = match command.contains("sudo fuelbox serve --config") {
            true => format!("{} &", command.trim_end()),
            false => command,
        };
        writeln!(whole, "{command}").unwrap();
        if command.trim_end().ends_with('&') {
            writeln!(whole, "{READY}").unwrap();
        }
        writeln!(whole, "{place}=$PWD").unwrap();
    }
    let output = machine.there(&machine.run("work", &whole));
    let mut rest = output.as_str();
    for (at, typed) in commands.iter().enumerate() {
        let Some((_, after)) = rest.split_once(&mark(at)) else { panic!("{page}:{}: {output}", typed.line) };
        let found = after.split("\n@@@ ").next().unwrap_or_default();
        rest = after;
        let is_right = typed.shown.as_ref().is_none_or(|shown| is_like(found, shown));
        assert!(is_right, "{page}:{}: {}\nprints\n{found}", typed.line, typed.command);
    }
    let end = rest.trim_end();
    assert!(end.contains("ok"), "`fuelbox health` is the last to print: {end}");
    let etc = machine.dir.0.join("etc");
    let configuration = fs::read_to_string(etc.join("fuelbox.toml")).unwrap();
    assert!(!configuration.contains("listen") && configuration.contains("plugins"), "{configuration}");
    for unit in ["fuelbox.service", "fuelbox.service.d/configuration.conf", "fuelbox.socket.d/address.conf"] {
        assert!(etc.join("systemd/system").join(unit).exists(), "{unit}");
    }
}
