//! Values as JSON, and their types as JSON Schema. `docs/components.md`, "Values as JSON", has the table.

mod base64;
mod print;
mod read;
mod reader;
mod schema;

pub use print::print;
pub use read::{args, parse};
pub use schema::{args_schema, schema};

/// Floats that are no numbers of JSON: a NaN and the infinities.
const NOT_FINITE: [&str; 3] = ["NaN", "Infinity", "-Infinity"];
