//! The types of the table of flags. The table is in the other files of this folder.

use std::fmt;
use std::time::Duration;

/// The subject of a help text: a command, or all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Topic {
    All,
    Run,
    Call,
    Serve,
    List,
    Inspect,
    Check,
    Deploy,
    Fleet,
    Health,
    Help,
}

/// A flag.
#[derive(Debug, Clone, Copy)]
pub struct Flag {
    /// With its dashes: `--fuel`.
    pub name: &'static str,
    /// A second, short name: `-h`.
    pub short: Option<&'static str>,
    /// The placeholder of its value; none for a switch. Choices are separated by `|`.
    pub value: Option<&'static str>,
    /// Its default value, as text.
    pub default: Option<fn() -> String>,
    /// The allowed values, if they are limited.
    pub range: Option<Range>,
    /// Its group in help texts.
    pub group: Group,
    /// What it does.
    pub help: &'static str,
    /// The commands that take it.
    pub commands: &'static [Topic],
    /// What completes its value.
    pub completes: Completes,
    /// Whether it is repeatable.
    pub repeats: bool,
    /// Whether the configuration file of `serve` can set it.
    pub in_file: bool,
}

impl Flag {
    /// Default values of the table: a switch that no command takes.
    pub const EMPTY: Flag = Flag {
        name: "",
        short: None,
        value: None,
        default: None,
        range: None,
        group: Group::Own,
        help: "",
        commands: &[],
        completes: Completes::Nothing,
        repeats: false,
        in_file: false,
    };

    /// The flag with its placeholder: `--dir HOST[::GUEST][:ro]`.
    pub fn synopsis(&self) -> String {
        let short = self.short.map(|short| format!("{short}, ")).unwrap_or_default();
        let value = self.value.map(|value| format!(" {value}")).unwrap_or_default();
        format!("{short}{}{value}", self.name)
    }

    /// The choices, if its values are a few words.
    pub fn choices(&self) -> Vec<&'static str> {
        match (self.completes, self.value) {
            (Completes::Choice, Some(value)) => value.split('|').collect(),
            _ => Vec::new(),
        }
    }

    /// The help with the range, whether the flag is repeatable, and the default.
    pub fn description(&self) -> String {
        let mut text = self.help.to_string();
        if let Some(range) = self.range.filter(Range::is_notable) {
            text += &format!("; {range}");
        }
        if self.repeats {
            text += " (repeatable)";
        }
        if let Some(default) = self.default {
            text += &format!(" [{}]", default());
        }
        text
    }
}

/// The group of a flag in help texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Group {
    Own,
    Guest,
    Clients,
    Warm,
    Access,
    Fleet,
    Log,
    Limits,
    Every,
}

impl Group {
    /// All groups, in the order of the help.
    pub const ALL: [Group; 9] = [
        Group::Own,
        Group::Guest,
        Group::Clients,
        Group::Warm,
        Group::Access,
        Group::Fleet,
        Group::Log,
        Group::Limits,
        Group::Every,
    ];

    /// The heading of the list.
    pub fn heading(self) -> &'static str {
        match self {
            Group::Own => "Flags",
            Group::Guest => "What the guest is given",
            Group::Clients => "Limits of clients",
            Group::Warm => "Warm instances",
            Group::Access => "Signatures, policies and tokens",
            Group::Fleet => "A fleet, by NATS (cargo feature `nats`)",
            Group::Log => "Log",
            Group::Limits => {
                "Limits of a run (sizes take KiB, MiB, GiB; times take ms, s, m; defaults are in brackets)"
            }
            Group::Every => "Flags of every command",
        }
    }
}

/// What completion offers for a value or an operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completes {
    /// Nothing: a number or a text.
    Nothing,
    /// A file.
    File,
    /// A directory.
    Directory,
    /// One of the words of the placeholder.
    Choice,
    /// A plug-in or a module file.
    Target,
    /// A function of the target.
    Function,
    /// A command of fuelbox.
    Command,
}

/// The unit of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A plain number.
    Count,
    /// Percent.
    Percent,
    /// Bytes.
    Bytes,
    /// Nanoseconds.
    Time,
}

/// The allowed values of a flag, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The smallest.
    pub least: u64,
    /// The largest, if there is one.
    pub most: Option<u64>,
    /// The unit.
    pub unit: Unit,
}

impl Range {
    /// Numbers from `least` on.
    pub const fn from(least: u64, unit: Unit) -> Range {
        Range { least, most: None, unit }
    }

    /// Numbers from `least` to `most`.
    pub const fn between(least: u64, most: u64, unit: Unit) -> Range {
        Range { least, most: Some(most), unit }
    }

    /// Whether `value` is allowed.
    pub fn contains(&self, value: u64) -> bool {
        value >= self.least && self.most.is_none_or(|most| value <= most)
    }

    /// Whether the unit is a plain number, written without a unit.
    pub fn is_of_numbers(&self) -> bool {
        matches!(self.unit, Unit::Count | Unit::Percent)
    }

    /// The error for a value outside.
    pub fn refusal(&self) -> String {
        match self.most {
            Some(_) => format!("not in {self}"),
            None => format!("less than {}", self.shown(self.least)),
        }
    }

    fn shown(&self, value: u64) -> String {
        match self.unit {
            Unit::Count => value.to_string(),
            Unit::Percent => format!("{value}%"),
            Unit::Bytes => size(value),
            Unit::Time => time(Duration::from_nanos(value)),
        }
    }

    /// Whether help mentions it. A range that only excludes 0, or values beyond any machine, is not mentioned.
    fn is_notable(&self) -> bool {
        let is_wide = self.most.is_none_or(|most| most >= u64::from(u32::MAX));
        self.unit != Unit::Time && !(self.least <= 1 && is_wide)
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.most {
            Some(most) => write!(f, "{} to {}", self.shown(self.least), self.shown(most)),
            None => write!(f, "{} or more", self.shown(self.least)),
        }
    }
}

/// A size as flags take it: `16MiB`.
pub fn size(bytes: u64) -> String {
    let units = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match units.iter().find(|(_, unit)| bytes >= *unit && bytes.is_multiple_of(*unit)) {
        Some((name, unit)) => format!("{}{name}", bytes / unit),
        None => bytes.to_string(),
    }
}

/// A time as flags take it: `5s`.
pub fn time(time: Duration) -> String {
    humantime::format_duration(time).to_string()
}
