//! What one plug-in is allowed and given.

use crate::abi::Convention;
use crate::base::digest::Digest;
use crate::base::error::Error;
use crate::base::limits::Limits;
use crate::host::wasi::ctx::GuestEnv;

/// Who may call a plug-in over HTTP.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// Whoever reaches the gateway.
    #[default]
    Open,
    /// Whoever has one of the server's tokens.
    Token,
}

impl Access {
    /// Its name in policies and listings.
    pub fn name(self) -> &'static str {
        match self {
            Access::Open => "open",
            Access::Token => "token",
        }
    }
}

/// What one plug-in is allowed and given.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// The limits of its runs, none above the server's.
    pub limits: Limits,
    /// The convention of its functions, whatever they look like.
    pub convention: Option<Convention>,
    /// The only functions that may be called; none: all of them.
    pub functions: Option<Vec<String>>,
    /// Who may call it over HTTP.
    pub access: Access,
    /// How many of its runs the gateway has at once; none: as many as there are workers.
    pub workers: Option<usize>,
    /// How many instances are kept warm; none: as the server keeps.
    pub warm: Option<usize>,
    /// The `Content-Type` of its answers, where a program sets none itself.
    pub content_type: Option<String>,
    /// Arguments of a program, after its own name.
    pub args: Vec<String>,
    /// Environment and directories.
    pub guest_env: GuestEnv,
    /// The digest of the policy's file, if it comes from one.
    pub digest: Option<Digest>,
}

impl Policy {
    /// The policy of a plug-in that has no file for it: what the server allows.
    pub fn of_server(limits: &Limits) -> Policy {
        Policy { limits: limits.clone(), ..Policy::default() }
    }

    /// Checks that `func` may be called.
    ///
    /// # Errors
    /// [`Error::NoFunction`], which names those that may be.
    pub fn check_function(&self, func: &str) -> Result<(), Error> {
        match &self.functions {
            Some(allowed) if !allowed.iter().any(|name| name == func) => Err(Error::NoFunction {
                name: func.into(),
                known: allowed.iter().map(String::as_str).collect(),
                command: false,
            }),
            _ => Ok(()),
        }
    }

    /// The function to be called where a request names none, if the policy leaves just one.
    pub fn only_function(&self) -> Option<&str> {
        match self.functions.as_deref() {
            Some([only]) => Some(only),
            _ => None,
        }
    }
}
