//! The log on stderr: as text for people, or as one JSON object on each line for programs.
//!
//! Guests and clients choose parts of it. These cannot end a line, control a terminal, or make a field.

use crate::base::escape::{cut, json_line, printable};
use crate::base::limits::LOG_LINE_BYTES_MAX;
use crate::cli::args::command::{Command, LogFormat};
use crate::cli::output::messages;
use crate::cli::output::stderr::{Line, STDERR};
use crate::host::guest_log::Bucket;
use log::kv::{Error, Key, Value as Given, VisitSource};
use log::{Level, Record};
use serde_json::{Map, Value};
use std::io::{self, Write};
use std::time::{Instant, SystemTime};

/// Starts the log. A gateway logs its work; other commands log only problems.
pub fn start(command: &Command) {
    // tiny_http reports the end of its accept loop, which lanes cause on purpose.
    let level = match command {
        // Guests decide what these meet, and how often.
        Command::Serve(serve) if serve.access_log => "info,tiny_http=off,rustls=off,ureq=off,ureq_proto=off",
        Command::Serve(_) => "info,fuelbox::access=warn,tiny_http=off,rustls=off,ureq=off,ureq_proto=off",
        _ => "warn,fuelbox::guest=info,rustls=off,ureq=off,ureq_proto=off",
    };
    let format = of(command);
    let env = env_logger::Env::default().default_filter_or(level);
    STDERR.set_format(match format {
        LogFormat::Text => |lines| dropped(LogFormat::Text, lines),
        LogFormat::Json => |lines| dropped(LogFormat::Json, lines),
    });
    // The default hook would write to stderr and wait.
    let bucket = Bucket::default();
    std::panic::set_hook(Box::new(move |panic| of_panic(format, &bucket, &panic.to_string())));
    env_logger::Builder::from_env(env)
        .target(env_logger::Target::Pipe(Box::new(Line)))
        .format(move |out, record| match format {
            LogFormat::Text => text(out, record),
            LogFormat::Json => json(out, record),
        })
        .init();
}

/// The format that a command's log has.
pub fn of(command: &Command) -> LogFormat {
    match command {
        Command::Serve(serve) => serve.log_format,
        _ => LogFormat::Text,
    }
}

/// Reports a message that RUST_LOG cannot silence, in the format of the log.
pub fn say(format: LogFormat, level: Level, message: &str) {
    match format {
        LogFormat::Text => STDERR.say(&messages::line(message)),
        LogFormat::Json => STDERR.say(&line(format, level, message)),
    }
}

/// Reports a panic. If a guest can cause one, its messages must not fill a disk.
fn of_panic(format: LogFormat, bucket: &Bucket, what: &str) {
    let (now, what) = (Instant::now(), cut(what, LOG_LINE_BYTES_MAX));
    if bucket.take(what.len(), now) {
        say(format, Level::Error, &what);
    } else {
        bucket.drop_lines(1, now);
    }
    if let Some(lines) = bucket.to_say(now) {
        say(format, Level::Error, &format!("{lines} more panics"));
    }
}

/// A line of the log.
fn line(format: LogFormat, level: Level, message: &str) -> Vec<u8> {
    let mut line = Vec::new();
    let args = format_args!("{message}");
    let record = Record::builder().level(level).target("fuelbox").args(args).build();
    // Writing to a Vec does not fail.
    let _ = match format {
        LogFormat::Text => text(&mut line, &record),
        LogFormat::Json => json(&mut line, &record),
    };
    line
}

/// Reports dropped lines.
fn dropped(format: LogFormat, lines: u64) -> Vec<u8> {
    line(
        format,
        Level::Warn,
        &format!("{lines} lines of the log were dropped: nobody read it, or the disk was full"),
    )
}

fn now() -> humantime::Rfc3339Timestamp {
    humantime::format_rfc3339_millis(SystemTime::now())
}

fn text(out: &mut impl Write, record: &Record<'_>) -> io::Result<()> {
    let message = printable(&record.args().to_string());
    writeln!(out, "{} {:5} {}: {message}", now(), record.level(), record.target())
}

fn json(out: &mut impl Write, record: &Record<'_>) -> io::Result<()> {
    let mut object = Map::new();
    object.insert("time".into(), now().to_string().into());
    object.insert("level".into(), record.level().as_str().to_ascii_lowercase().into());
    object.insert("target".into(), record.target().into());
    object.insert("message".into(), record.args().to_string().into());
    // Their names are fuelbox's own. One called `message` is the message without what the other fields say.
    let _ = record.key_values().visit(&mut Fields(&mut object));
    // In one piece, so that no line of another thread comes between.
    out.write_all((json_line(&Value::Object(object).to_string()) + "\n").as_bytes())
}

struct Fields<'a>(&'a mut Map<String, Value>);

impl<'kvs> VisitSource<'kvs> for Fields<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Given<'kvs>) -> Result<(), Error> {
        // A string stays a string, even if it is a number.
        let value = match (value.to_borrowed_str(), value.to_u64()) {
            (Some(text), _) => text.into(),
            (None, Some(number)) => number.into(),
            (None, None) => value.to_f64().map_or_else(|| value.to_string().into(), Value::from),
        };
        self.0.insert(key.as_str().into(), value);
        Ok(())
    }
}
