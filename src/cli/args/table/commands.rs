//! The commands: their operands and help texts.

use crate::cli::args::table::flag::{Completes, Topic};

/// A command.
#[derive(Debug)]
pub struct CommandHelp {
    /// Which one.
    pub topic: Topic,
    /// Its name.
    pub name: &'static str,
    /// Its operands in their order.
    pub operands: &'static [Operand],
    /// Other forms of its usage, after the flags.
    pub other_usage: &'static [&'static str],
    /// What it does, in one line.
    pub summary: &'static str,
    /// What it does, in a paragraph.
    pub about: &'static str,
    /// Lines shown unchanged, indented.
    pub details: &'static [&'static str],
    /// Examples.
    pub examples: &'static [&'static str],
    /// Text after the examples.
    pub remark: &'static str,
    /// The exit codes, if they are not the usual ones.
    pub exit_codes: Option<&'static str>,
}

/// An operand: a word of the command line that is not a flag.
#[derive(Debug)]
pub struct Operand {
    /// Its placeholder.
    pub shown: &'static str,
    /// Whether it is optional.
    pub is_optional: bool,
    /// What completion offers.
    pub completes: Completes,
}

const fn operand(shown: &'static str, completes: Completes) -> Operand {
    Operand { shown, is_optional: false, completes }
}

const fn optional(shown: &'static str, completes: Completes) -> Operand {
    Operand { shown, is_optional: true, completes }
}

const TARGET: Operand = operand("FILE|PLUGIN", Completes::Target);

/// Default values of the table.
const EMPTY: CommandHelp = CommandHelp {
    topic: Topic::All,
    name: "",
    operands: &[],
    other_usage: &[],
    summary: "",
    about: "",
    details: &[],
    examples: &[],
    remark: "",
    exit_codes: None,
};

/// All commands.
pub const COMMANDS: &[CommandHelp] = &[RUN, CALL, SERVE, LIST, INSPECT, CHECK, DEPLOY, FLEET, HEALTH, HELP];

const RUN: CommandHelp = CommandHelp {
    topic: Topic::Run,
    name: "run",
    operands: &[TARGET, optional("FUNC", Completes::Function), optional("ARG...", Completes::Nothing)],
    other_usage: &["FILE|PLUGIN [ARG...]", "--invoke CALL FILE|PLUGIN [ARG...]"],
    summary: "run a program, or a function of numbers",
    about: "Runs a module. FILE is a module file, or `-` for stdin; PLUGIN is a name in the plug-in folder. Flags come before \
            it: all words after it belong to the module. They are the arguments of a program (a module with `_start`), which \
            sees stdin, and only the environment variables of --env and the directories of --dir. Of another module, or with \
            --invoke, a function is called. Its arguments are numbers of its parameter types (decimal, negative, 0x hex), and \
            each result is printed on a line. A component's functions take and give values in WAVE. \
            `fuelbox FILE` is short for `fuelbox run FILE`.",
    examples: &[
        "fuelbox run add.wasm add 10 20",
        "fuelbox run wordcount.wasm -w < README.md",
        "fuelbox run --dir photos::/in:ro --dir out treehash.wasm /in",
        "fuelbox run --invoke 'add(10, 20)' add.wasm",
        "CARGO_TARGET_WASM32_WASIP1_RUNNER='fuelbox run --' cargo test --target wasm32-wasip1",
    ],
    remark: "The time that a program sleeps or waits for input counts towards --timeout.",
    ..EMPTY
};

const CALL: CommandHelp = CommandHelp {
    topic: Topic::Call,
    name: "call",
    operands: &[TARGET, optional("FUNC", Completes::Function), optional("-|ARG...", Completes::Nothing)],
    summary: "call a function with bytes",
    about: "Calls a function with bytes and writes the bytes that it returns to stdout, with nothing added. FILE is a module \
            file, or `-` for stdin; PLUGIN is a name in the plug-in folder. A module's only function needs no name. The input \
            comes from --data, from --data-file, or from stdin if that is no terminal. With `-` after FUNC, it comes from \
            stdin in any case. For a function of a component, ARGs are its arguments in WAVE, and the \
            result is printed in WAVE.",
    examples: &[
        "fuelbox call greet greet --data World",
        "fuelbox call filter.wasm transform < in.json > out.json",
    ],
    ..EMPTY
};

const SERVE: CommandHelp = CommandHelp {
    topic: Topic::Serve,
    name: "serve",
    summary: "serve plug-ins over HTTP",
    about: "Serves plug-ins over HTTP. Changes in the plug-in folder take effect within 2 s. SIGTERM and Ctrl-C stop the \
            server after the running requests have ended; a second signal stops it at once. Under systemd, the server \
            listens on the socket that systemd passes (LISTEN_FDS) instead of --listen, and reports when it is ready \
            (NOTIFY_SOCKET).",
    details: &[
        "POST /execute/{plugin}?func=NAME   call a function: body in, body out",
        "ANY  /execute/{plugin}/PATH?QUERY  run a program as a CGI script",
        "GET /                              the console, for a browser",
        "GET /plugins                       the plug-ins, as JSON",
        "GET /failures                      the last failures of plug-ins",
        "GET /metrics                       metrics for Prometheus",
        "GET /openapi.json                  a description of this API",
        "GET /healthz, /readyz              whether the server is alive; whether it takes requests",
        "PUT, GET, DELETE /plugins/{name}   change plug-ins, with a token",
        "                                   (also .../policy, .../signature and .../versions)",
        "POST /plugins/{name}/rollback      put a former version back, with a token",
    ],
    ..EMPTY
};

const LIST: CommandHelp = CommandHelp {
    topic: Topic::List,
    name: "list",
    summary: "list plug-ins",
    about: "Lists the plug-ins with their functions. With --json, the document is that of GET /plugins.",
    ..EMPTY
};

const INSPECT: CommandHelp = CommandHelp {
    topic: Topic::Inspect,
    name: "inspect",
    operands: &[TARGET],
    summary: "show what a module contains and whether it loads",
    about: "Shows the imports, the exports with their types and calling conventions, and the memory of a module, and whether \
            the module loads under the given limits.",
    ..EMPTY
};

const CHECK: CommandHelp = CommandHelp {
    topic: Topic::Check,
    name: "check",
    operands: &[operand("DIR", Completes::Directory)],
    summary: "check whether the plug-ins of a folder load",
    about: "Checks the plug-ins of a folder with their policies and signatures, as a server with the same flags loads them. \
            Nothing is run.",
    ..EMPTY
};

const DEPLOY: CommandHelp = CommandHelp {
    topic: Topic::Deploy,
    name: "deploy",
    operands: &[operand("HOST[:PORT]", Completes::Nothing), operand("FILE", Completes::Target)],
    other_usage: &["--all HOSTS FILE", "--rollback NAME HOST[:PORT]"],
    summary: "put a module on gateways",
    about: "Puts a module on a gateway that has a file of tokens, with its policy and signature if they are given. The \
            gateway compiles it and tries it before it replaces anything. With --all, it goes to each gateway of a file. The \
            connection is not encrypted: over a network that you do not trust, go through ssh or a proxy. With --rollback, a \
            former version that the gateway has kept is put back, with its policy and signature.",
    examples: &[
        "fuelbox deploy --token token raspberrypi.local greet.wasm",
        "fuelbox deploy --token token --policy greet.toml --all hosts.txt greet.wasm",
        "fuelbox deploy --token token --rollback greet raspberrypi.local",
    ],
    exit_codes: Some("0 all have it, 1 one refused or is away, 2 usage error, 120 no such file."),
    ..EMPTY
};

const FLEET: CommandHelp = CommandHelp {
    topic: Topic::Fleet,
    name: "fleet",
    operands: &[optional("init|deploy|remove", Completes::Nothing), optional("FILE|NAME", Completes::Target)],
    summary: "plug-ins of a fleet, by NATS",
    about: "Shows what each node that follows an object store of NATS runs (serve --nats-plugins BUCKET), and why not what \
            the object store has. `init` makes the object store and the key-value bucket of the reports, BUCKET-nodes. \
            `deploy` puts a module there, with its policy and signature if they are given; the nodes fetch it, compile it \
            and try it before it replaces anything. With --canary, some nodes do that first, and all go back if one of them \
            cannot take it. With --wait, the former objects are put back if a node cannot. `remove` deletes a plug-in.",
    examples: &[
        "fuelbox fleet init --nats nats://nats.lan --nats-plugins edge",
        "fuelbox fleet --nats nats://nats.lan --nats-plugins edge",
        "fuelbox fleet deploy --nats nats://nats.lan --nats-plugins edge --canary 10% greet.wasm",
        "fuelbox fleet remove --nats nats://nats.lan --nats-plugins edge greet",
    ],
    remark: "Needs a build with the cargo feature `nats`.",
    exit_codes: Some("0 done, 1 a node refused or was late, or NATS did, 2 usage error, 120 no such file."),
    ..EMPTY
};

const HEALTH: CommandHelp = CommandHelp {
    topic: Topic::Health,
    name: "health",
    summary: "ask a gateway whether it is alive",
    about: "Asks a gateway whether it is alive: GET /healthz must answer `ok` within 2 s. Container and service managers \
            can use it instead of curl.",
    exit_codes: Some("0 the gateway is alive, 1 it is not alive or does not answer, 2 usage error."),
    ..EMPTY
};

const HELP: CommandHelp = CommandHelp {
    topic: Topic::Help,
    name: "help",
    operands: &[optional("COMMAND", Completes::Command)],
    other_usage: &["--man", "--completions bash|zsh|fish"],
    summary: "show help; print the manual page or shell completions",
    about: "Shows the help of a command, or of fuelbox. It also prints the manual page, and completions for shells. They \
            complete commands, flags, plug-ins, module files and functions.",
    examples: &[
        "fuelbox help --man > /usr/local/share/man/man1/fuelbox.1",
        "fuelbox help --completions bash > /etc/bash_completion.d/fuelbox",
        "fuelbox help --completions zsh > /usr/local/share/zsh/site-functions/_fuelbox",
        "fuelbox help --completions fish > ~/.config/fish/completions/fuelbox.fish",
    ],
    exit_codes: Some("0 done, 2 usage error."),
    ..EMPTY
};
