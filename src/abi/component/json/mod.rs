//! Values as JSON, and their types as JSON Schema. `docs/components.md`, "Values as JSON", has the table.

mod print;
mod read;
mod reader;
mod schema;

pub use print::print;
pub use read::args;
#[cfg(test)]
pub use read::parse;
pub use schema::{args_schema, schema};
