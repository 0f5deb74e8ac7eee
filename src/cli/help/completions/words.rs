//! Lists of words that the scripts hold.

use crate::cli::args::table::flag::{Completes, Flag};
use crate::cli::args::table::lookup::flags;

/// The names of the flags that take a value.
pub fn with_value() -> Vec<&'static str> {
    flags().filter(|flag| flag.value.is_some()).map(|flag| flag.name).collect()
}

/// The names of the flags whose value is completed by `completes`.
pub fn completed_by(completes: Completes) -> Vec<&'static str> {
    flags().filter(|flag| flag.value.is_some() && flag.completes == completes).map(|flag| flag.name).collect()
}

/// A flag's names, the short one as well.
pub fn names(flag: &Flag) -> impl Iterator<Item = &'static str> {
    flag.short.into_iter().chain([flag.name])
}

/// In single quotes, as bash and zsh read them.
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
