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
    /// Whether it may call any URL. Which ones, only the server knows.
    pub has_http: bool,
    pub terminals: [bool; 3],
}

impl From<&GuestEnv> for Environment {
    fn from(env: &GuestEnv) -> Environment {
        let GuestEnv { env, dirs: _, seed, config, http, remote: _, terminals, data: _, cancel: _ } =
            env.clone();
        Environment { env, seed, config, has_http: !http.is_empty(), terminals }
    }
}

impl From<Environment> for GuestEnv {
    fn from(env: Environment) -> GuestEnv {
        let Environment { env, seed, config, has_http: _, terminals } = env;
        GuestEnv { env, seed, config, terminals, ..GuestEnv::default() }
    }
}

impl Environment {
    /// Of what a caller gives.
    ///
    /// # Errors
    /// Directories, or URLs to call: the ones of a plug-in in another process come from its policy.
    pub fn given(env: &GuestEnv) -> Result<Environment, Error> {
        let only = |what: &str| {
            Err(Error::Input(format!("a guest in another process gets {what} from its policy only")))
        };
        match (env.dirs.is_empty(), env.http.is_empty()) {
            (true, true) => Ok(Environment::from(env)),
            (false, _) => only("directories"),
            (true, false) => only("URLs that it may call"),
        }
    }
}
