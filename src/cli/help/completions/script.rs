//! The script for each shell.

use crate::cli::args::command::Shell;
use crate::cli::help::completions::{bash, fish, zsh};

/// The script for `shell`.
pub fn script(shell: Shell) -> String {
    match shell {
        Shell::Bash => bash::script(),
        Shell::Zsh => zsh::script(),
        Shell::Fish => fish::script(),
    }
}
