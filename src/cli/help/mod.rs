//! The help texts.

pub mod completions;
pub mod manual;

use super::args::Topic;
use crate::cli::help::manual::{Flag, flags};

/// The commands: what their help is about, their names, and what they do.
pub const COMMANDS: &[(Topic, &str, &str)] = &[
    (Topic::Run, "run", "Run a program, or a function of numbers"),
    (Topic::Call, "call", "Call a function with bytes"),
    (Topic::Serve, "serve", "Serve plug-ins over HTTP"),
    (Topic::List, "list", "List plug-ins"),
    (Topic::Inspect, "inspect", "Show what a module holds"),
    (Topic::Check, "check", "Check the plug-ins of a folder"),
    (Topic::Health, "health", "Ask a gateway whether it is alive"),
    (Topic::Help, "help", "Show help, the manual page or shell completions"),
];

/// The exit codes and what they mean.
pub const EXIT_CODES: &[(&str, &str)] = &[
    ("0", "done"),
    ("1", "a plug-in reported an error; health: the gateway is not alive"),
    ("2", "usage: an unknown flag, a value out of range, input that does not fit the function"),
    ("120", "cannot load: a file, plug-in or function is missing, or the module is refused"),
    ("121", "the guest trapped or broke its calling convention"),
    ("122", "out of fuel"),
    ("123", "the guest was denied memory and trapped"),
    ("124", "the deadline passed"),
    ("125", "fuelbox failed: port taken, output cannot be written"),
    ("126", "the guest wrote more than --max-output"),
    ("other", "the program's own exit code (above 255: 255)"),
];

const ALL: &str = "\
fuelbox runs untrusted WebAssembly under hard fuel, time, memory and output limits.

Usage: fuelbox COMMAND [FLAG...] ...

Commands:
  run FILE [FUNC] [ARG...]   run a program (_start), or a function of numbers
  call FILE|PLUGIN FUNC      call a function with bytes, get bytes
  serve                      serve plug-ins over HTTP
  list                       list plug-ins
  inspect FILE               show what a module holds and whether it would load
  check DIR                  check whether the plug-ins of a folder would serve
  health                     ask a gateway whether it is alive
  help [COMMAND]             show this, or the help of a command; a manual page, completions

Flags of every command:
  -h, --help                 show the command's help
  -V, --version              show the version
";

const LIMITS: &str = "
Limits (sizes take KiB, MiB, GiB; times take ms, s, m):
  --fuel N                   fuel units per run                       [1000000000000]
  --timeout TIME|none        wall-clock time per run                  [5s]
  --memory-pages N           pages of 64 KiB                          [320, 20 MiB]
  --max-input SIZE           input of a run                           [1MiB]
  --max-output SIZE          result, stdout and stderr, each          [1MiB]
  --max-module SIZE          size of a module                         [16MiB]
  --max-recursion N          nested calls                             [10000]
  --max-stack SIZE           the interpreter's value stack            [1MiB]
  --max-table-elements N     elements of all tables                   [100000]
  --dir-quota SIZE           bytes written to files                   [64MiB]
  --max-descriptors N        open files, streams and directories      [100]
";

const PLUGINS: &str =
    "  --plugins DIR              the plug-in folder  [./plugins, or else the built-in examples]
";

const EXIT: &str = "
Exit codes: 0 done, 1 a plug-in reported an error, 2 usage, 120 cannot load, 121 guest
trapped, 122 out of fuel, 123 memory denied, 124 deadline, 125 fuelbox failed, 126 output
full; a program's own code is passed through.

RUST_LOG sets what is logged to stderr, for example RUST_LOG=debug.
";

const RUN: &str = "\
Runs a module. Without FUNC it is a program: `_start` with the arguments after `--`, with
stdin, and with only the environment of --env and the directories of --dir. With FUNC, the arguments are numbers
typed by the function's signature (decimal, negative, 0x hex), and each result is printed
on a line.

Usage: fuelbox run [FLAG...] FILE [FUNC] [ARG...]
       fuelbox run [FLAG...] FILE -- [ARG...]

Examples:
  fuelbox run add.wasm add 10 20
  fuelbox run wordcount.wasm -- -w < README.md
  fuelbox run --dir photos::/in:ro --dir out treehash.wasm -- /in

Time that a program waits for input, or sleeps, counts towards --timeout.

Flags:
  --dir HOST[::GUEST][:ro]   open a directory to it, as GUEST; `ro`: read only (repeatable)
  --env K=V, --env K         set a variable, or pass on one of yours (repeatable)
  --extism-config K=V        set a key of an Extism plug-in's configuration (repeatable)
  --deterministic            clocks that follow the fuel, seeded randomness, sorted directories:
                             the same output and fuel on every machine
  --seed N                   the seed for it                          [0]
  --report                   print fuel, pages and times to stderr
";

const CALL: &str = "\
Calls a function with bytes and writes the bytes it answers to stdout, nothing added.
FILE is a module; PLUGIN is a name in the plug-in folder.

Usage: fuelbox call [FLAG...] FILE|PLUGIN FUNC [--data TEXT | --data-file FILE | -]

Examples:
  fuelbox call greet greet --data GuestEnv
  fuelbox call filter.wasm transform - < in.json > out.json

Flags:
  --data TEXT                the input
  --data-file FILE           the input, from a file
  -                          the input, from stdin
  --abi NAME                 force a convention: numeric, packed, command or extism
  --extism-config K=V        set a key of an Extism plug-in's configuration (repeatable)
  --dir, --env, --deterministic, --seed
                             as for `fuelbox run`
  --report                   print fuel, pages and times to stderr
";

const SERVE: &str = "\
Serves plug-ins over HTTP. Changes in the folder take effect within 2 s. SIGTERM and Ctrl-C
let running requests end, then stop. Started by systemd, it takes the socket that it is
passed (LISTEN_FDS, instead of --listen) and tells it when it serves (NOTIFY_SOCKET).

Usage: fuelbox serve [FLAG...]

  POST /execute/{plugin}?func=NAME   call a function: body in, body out (func defaults to greet)
  ANY  /execute/{plugin}/PATH?QUERY  run a program as a CGI script
  GET /                              the console, for a browser
  GET /plugins                       what there is, as JSON
  GET /metrics                       what was done, for Prometheus
  GET /openapi.json                  all of these, for programs
  GET /healthz, /readyz              whether it is alive; whether to send it work
  PUT, GET, DELETE /plugins/{name}   change plug-ins, with a token (also .../policy and
                                     .../signature)

Flags:
  --listen ADDRESS:PORT      where to listen                          [127.0.0.1:8080]
  --workers N                guests at work at once, at most 512      [2 per core, at least 4]
  --max-connections N        client connections                       [256]
  --max-connections-per-client N
                             of one IPv4 address or IPv6 /64          [half of --max-connections]
  --client-share PERCENT     of --workers that may be one client's    [50]
  --trust-forwarded ADDRESS[/BITS]
                             proxies that say in Forwarded or X-Forwarded-For who their client is
                             (repeatable)                             [none]
  --max-head SIZE            request line and headers                 [16KiB]
  --max-body SIZE            body of a request                        [1MiB]
  --body-budget SIZE         requests and unsent answers together     [16MiB]
  --head-timeout TIME        for a head to arrive                     [10s]
  --body-timeout TIME        for a body to arrive                     [30s]
  --idle-timeout TIME        between requests                         [60s]
  --write-timeout TIME       for an answer to be taken                [30s]
  --queue N                  requests that wait for a guest to end    [64]
  --queue-timeout TIME       how long they wait                       [1s]
  --warm N                   instances kept for each plug-in, which then sees what earlier
                             calls left in it; programs never are      [0]
  --warm-memory SIZE         memory of kept instances, all together   [64MiB]
  --warm-uses N              calls until one is replaced              [1000]
  --warm-idle TIME           time without a call until it is let go   [60s]
  --log-format text|json     lines for people, or a JSON object on each [text]
  --access-log on|off        a line in the log for each request       [off]
  --token-file FILE          tokens, one a line: `TOKEN` or `call TOKEN`; who has one may change
                             plug-ins (PUT, DELETE /plugins/{name}), or only call those whose
                             policy asks for a token; SIGHUP reads it again
  --trusted-key KEY|FILE     load only modules that this minisign key has signed (repeatable)
  --policy-dirs DIR          policies may open directories in DIR (repeatable)  [none]
  --config FILE              more flags, as TOML: `fuel = 1000`, `listen = \"127.0.0.1:80\"`
";

const CHECK: &str = "\
Checks the plug-ins of a folder with their policies and signatures, as a server with the same
flags would load them. Nothing is run.

Usage: fuelbox check [FLAG...] DIR

Flags:
  --trusted-key KEY|FILE     as for `fuelbox serve`
  --policy-dirs DIR          as for `fuelbox serve`
  --token-file FILE          check this file of tokens, too
";

const LIST: &str = "\
Lists plug-ins with their functions.

Usage: fuelbox list [FLAG...]

Flags:
";

const INSPECT: &str = "\
Shows a module's imports, exports with their types and conventions, and memory, and whether
it would load under the given limits.

Usage: fuelbox inspect [FLAG...] FILE

Flags:
";

const HEALTH: &str = "\
Asks a gateway whether it is alive: GET /healthz must say ok within 2 s. For container and
service managers, which need no curl then.

Usage: fuelbox health [FLAG...]

Flags:
  --address ADDRESS:PORT     where the gateway listens                [127.0.0.1:8080]

Exit codes: 0 it is alive, 1 it is not or does not answer, 2 usage.
";

const HELP: &str = "\
Shows the help of a command, or of all. What it writes for other programs:

  fuelbox help --man > /usr/local/share/man/man1/fuelbox.1
  fuelbox help --completions bash > /etc/bash_completion.d/fuelbox
  fuelbox help --completions zsh > /usr/local/share/zsh/site-functions/_fuelbox
  fuelbox help --completions fish > ~/.config/fish/completions/fuelbox.fish

Usage: fuelbox help [COMMAND]
       fuelbox help [FLAG]

Flags:
  --man                      a manual page
  --completions SHELL        completions for bash, zsh or fish
";

/// The flags of every command that loads modules.
pub fn shared() -> Vec<Flag> {
    flags(LIMITS)
}

/// The help about `topic`.
pub fn text(topic: Topic) -> String {
    let own = match topic {
        Topic::All => return format!("{ALL}{EXIT}"),
        Topic::Run => RUN,
        Topic::Call => CALL,
        Topic::Serve => SERVE,
        Topic::List => LIST,
        Topic::Inspect => INSPECT,
        Topic::Health => return HEALTH.into(),
        Topic::Help => return HELP.into(),
        Topic::Check => return format!("{CHECK}{LIMITS}{EXIT}"),
    };
    format!("{own}{PLUGINS}{LIMITS}{EXIT}")
}
