//! The flags that limit a run.

use crate::base::limits::{
    DESCRIPTORS_MAX, DESCRIPTORS_MIN, HTTP_CALLS_MAX, Limits, MEMORY_PAGES_MAX, MODULE_BYTES_DEFAULT,
    MODULE_BYTES_DEFAULT_MAX, PAGE_BYTES, STACK_BYTES_MIN,
};
use crate::cli::args::table::flag::{Flag, Group, Range, Topic, Unit, size, time};

/// What they have in common.
const LIMIT: Flag = Flag {
    group: Group::Limits,
    commands: &[Topic::Run, Topic::Call, Topic::Serve, Topic::List, Topic::Inspect, Topic::Check],
    in_file: true,
    ..Flag::EMPTY
};

/// The flags that limit a run.
pub const FLAGS: &[Flag] = &[
    Flag {
        name: "--fuel",
        value: Some("N"),
        default: Some(|| Limits::default().fuel.to_string()),
        range: Some(Range::from(1, Unit::Count)),
        help: "fuel units",
        ..LIMIT
    },
    Flag {
        name: "--timeout",
        value: Some("TIME|none"),
        default: Some(|| Limits::default().deadline.map_or("none".into(), time)),
        range: Some(Range::from(1, Unit::Time)),
        help: "wall-clock time; `none` sets no deadline",
        ..LIMIT
    },
    Flag {
        name: "--memory-pages",
        value: Some("N"),
        default: Some(|| {
            let pages = Limits::default().memory_pages;
            format!("{pages}, {}", size(u64::from(pages) * PAGE_BYTES as u64))
        }),
        range: Some(Range::between(0, MEMORY_PAGES_MAX as u64, Unit::Count)),
        help: "memory in pages of 64 KiB",
        ..LIMIT
    },
    Flag {
        name: "--max-input",
        value: Some("SIZE"),
        default: Some(|| size(Limits::default().input_bytes as u64)),
        help: "size of the input",
        ..LIMIT
    },
    Flag {
        name: "--max-output",
        value: Some("SIZE"),
        default: Some(|| size(Limits::default().output_bytes as u64)),
        help: "size of the result, of stdout and of stderr, each",
        ..LIMIT
    },
    Flag {
        name: "--max-module",
        value: Some("SIZE"),
        default: Some(|| {
            let (least, most) = (MODULE_BYTES_DEFAULT as u64, MODULE_BYTES_DEFAULT_MAX as u64);
            format!("{} to {}, by the system's memory", size(least), size(most))
        }),
        help: "size of a module",
        ..LIMIT
    },
    Flag {
        name: "--max-recursion",
        value: Some("N"),
        default: Some(|| Limits::default().recursion.to_string()),
        range: Some(Range::from(1, Unit::Count)),
        help: "depth of nested calls",
        ..LIMIT
    },
    Flag {
        name: "--max-stack",
        value: Some("SIZE"),
        default: Some(|| size(Limits::default().stack_bytes as u64)),
        range: Some(Range::from(STACK_BYTES_MIN as u64, Unit::Bytes)),
        help: "size of the interpreter's value stack",
        ..LIMIT
    },
    Flag {
        name: "--max-table-elements",
        value: Some("N"),
        default: Some(|| Limits::default().table_elements.to_string()),
        range: Some(Range::between(0, u32::MAX as u64, Unit::Count)),
        help: "elements of all tables together",
        ..LIMIT
    },
    Flag {
        name: "--dir-quota",
        value: Some("SIZE"),
        default: Some(|| size(Limits::default().dir_quota)),
        help: "bytes written to files",
        ..LIMIT
    },
    Flag {
        name: "--max-descriptors",
        value: Some("N"),
        default: Some(|| Limits::default().descriptors.to_string()),
        range: Some(Range::between(DESCRIPTORS_MIN as u64, DESCRIPTORS_MAX as u64, Unit::Count)),
        help: "open files, streams and directories",
        ..LIMIT
    },
    Flag {
        name: "--http-calls",
        value: Some("N"),
        default: Some(|| Limits::default().http_calls.to_string()),
        range: Some(Range::between(0, HTTP_CALLS_MAX as u64, Unit::Count)),
        help: "HTTP calls of a guest that may make some, redirects counted",
        ..LIMIT
    },
];
