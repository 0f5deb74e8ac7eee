//! Metrics as text: OpenMetrics 1.0, or Prometheus' classic text format 0.0.4, which older scrapers want.
//!
//! The two differ, of what is used here, in the name of a counter's family (without `_total` in OpenMetrics), in units and
//! in how the text ends.

use std::fmt::{Display, Write};

/// The format of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// The classic text format 0.0.4.
    Classic,
}

/// The type of a metric family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Goes up only.
    Counter,
    /// Goes up and down.
    Gauge,
    /// How often values fell into buckets.
    Histogram,
}

/// A text in the making.
pub struct Exposition {
    format: Format,
    text: String,
}

// Writing to a String does not fail, so the results of `write!` are dropped in here.
impl Exposition {
    /// Nothing yet.
    pub fn new(format: Format) -> Exposition {
        Exposition { format, text: String::new() }
    }

    /// Begins a family; its samples follow. Where the name ends in `_seconds`, that is its unit.
    pub fn family(&mut self, name: &str, ty: Type, help: &str) {
        let is_open = self.format == Format::OpenMetrics;
        let suffix = if ty == Type::Counter && !is_open { "_total" } else { "" };
        let word = match ty {
            Type::Counter => "counter",
            Type::Gauge => "gauge",
            Type::Histogram => "histogram",
        };
        let _ = writeln!(self.text, "# HELP {name}{suffix} {help}\n# TYPE {name}{suffix} {word}");
        if is_open && name.ends_with("_seconds") {
            let _ = writeln!(self.text, "# UNIT {name} seconds");
        }
    }

    /// A sample of the family `name`, with the suffix that its type has. The values of labels are escaped here.
    pub fn sample(&mut self, name: &str, suffix: &str, labels: &[(&str, &str)], value: impl Display) {
        self.text.push_str(name);
        self.text.push_str(suffix);
        for (at, (label, text)) in labels.iter().enumerate() {
            self.text.push_str(if at == 0 { "{" } else { "," });
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(self.text, "{label}=\"{text}\"");
        }
        self.text.push_str(if labels.is_empty() { "" } else { "}" });
        let _ = writeln!(self.text, " {value}");
    }

    /// A counter and its only sample.
    pub fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.family(name, Type::Counter, help);
        self.sample(name, "_total", &[], value);
    }

    /// A gauge and its only sample.
    pub fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.family(name, Type::Gauge, help);
        self.sample(name, "", &[], value);
    }

    /// The text, whole.
    pub fn finish(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }
}
