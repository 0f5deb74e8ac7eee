//! What one plug-in is allowed and given.

use crate::abi::{Convention, FromPolicy};
use crate::base::digest::Digest;
use crate::base::error::Error;
use crate::base::limits::Limits;
use crate::host::wasi::ctx::GuestEnv;
use crate::plugins::policy::routes::PluginRoute;

/// Who can call a plug-in over HTTP.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Access {
    /// Every client.
    #[default]
    Open,
    /// Clients with one of the server's tokens.
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
    /// The limits of its runs, at most the server's.
    pub limits: Limits,
    /// The convention of its functions; overrides what the exports suggest.
    pub convention: Option<Convention>,
    /// The only functions that can be called; `None` for all.
    pub functions: Option<Vec<String>>,
    /// Who can call it over HTTP.
    pub access: Access,
    /// The most workers that it can use at once; `None` for all.
    pub workers: Option<usize>,
    /// The number of warm instances; `None` for the server's number.
    pub warm: Option<usize>,
    /// The `Content-Type` of its responses, if a program sets none itself.
    pub content_type: Option<String>,
    /// Arguments of a program, after its own name.
    pub args: Vec<String>,
    /// Paths of the gateway at which it answers, beside `/execute/NAME`.
    pub routes: Vec<PluginRoute>,
    /// Whether a program gets arguments and variables as deislabs/wagi gives them.
    pub wagi: bool,
    /// Whether failures tell the chain of calls. Its runs are slower.
    pub trace: bool,
    /// Environment and directories.
    pub guest_env: GuestEnv,
    /// The digest of the policy's file, if there is one.
    pub digest: Option<Digest>,
}

impl Policy {
    /// The policy of a plug-in without a policy file: the server's limits.
    pub fn of_server(limits: &Limits) -> Policy {
        Policy { limits: limits.clone(), ..Policy::default() }
    }

    /// What it gives to runs.
    pub fn given(&self) -> FromPolicy<'_> {
        let Policy { convention, guest_env, args, trace, .. } = self;
        FromPolicy { convention: *convention, guest_env, args, is_traced: *trace }
    }

    /// Checks that `func` can be called.
    ///
    /// # Errors
    /// [`Error::NoFunction`] with the functions that can be called.
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

    /// The default function of requests, if the policy allows only one.
    pub fn only_function(&self) -> Option<&str> {
        match self.functions.as_deref() {
            Some([only]) => Some(only),
            _ => None,
        }
    }
}
