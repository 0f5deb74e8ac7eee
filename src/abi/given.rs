//! A run's input as plain data, for a guest in another process.

use super::convention::Convention;
use crate::base::error::Error;
use crate::base::outcome::Value;
use crate::host::wasi::ctx::GuestEnv;
use serde::{Deserialize, Serialize};

/// A run's input. A call's bytes, or standard input, are beside it.
#[derive(Debug, Serialize, Deserialize)]
pub enum Given {
    /// Values for a function.
    Values {
        /// The function.
        func: String,
        /// Its parameters.
        values: Vec<Value>,
        /// What the caller gives beside.
        environment: Environment,
    },
    /// Bytes for a function.
    Bytes {
        /// The function.
        func: String,
        /// A convention that the caller sets.
        convention: Option<Convention>,
        /// What the caller gives beside.
        environment: Environment,
    },
    /// A program.
    Program {
        /// Arguments.
        args: Vec<Vec<u8>>,
        /// The function that is called, if it is not `_start`.
        entry: Option<String>,
        /// What the caller gives beside.
        environment: Environment,
        /// Whether standard input is there at all.
        has_stdin: bool,
        /// Whether a response may be passed on while the program runs.
        streams: bool,
    },
}

/// A `GuestEnv` without directories.
#[derive(Debug, Default, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Environment {
    pub env: Vec<(Vec<u8>, Vec<u8>)>,
    pub seed: Option<u64>,
    pub config: Vec<(String, String)>,
    pub hosts: Vec<String>,
    pub terminals: [bool; 3],
}

impl From<&GuestEnv> for Environment {
    fn from(env: &GuestEnv) -> Environment {
        let GuestEnv { env, dirs: _, seed, config, hosts, terminals, data: _, cancel: _ } = env.clone();
        Environment { env, seed, config, hosts, terminals }
    }
}

impl From<Environment> for GuestEnv {
    fn from(env: Environment) -> GuestEnv {
        let Environment { env, seed, config, hosts, terminals } = env;
        GuestEnv { env, seed, config, hosts, terminals, ..GuestEnv::default() }
    }
}

impl Environment {
    /// Of what a caller gives.
    ///
    /// # Errors
    /// Directories: the ones of a plug-in in another process come from its policy.
    pub fn given(env: &GuestEnv) -> Result<Environment, Error> {
        if env.dirs.is_empty() {
            return Ok(Environment::from(env));
        }
        Err(Error::Input("a guest in another process gets directories from its policy only".into()))
    }
}
