//! The way of a run's calls: from this process, or by another one that was asked for them.

use super::allow_list::HttpAllowList;
use super::calls::{Calls, Client};
use super::message::{Answered, OutRequest, Refusal};
use crate::base::cancel::Cancel;
use crate::base::limits::Limits;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

/// Another process that makes calls. It keeps the list and the limits.
pub trait Remote: Send + Sync + fmt::Debug {
    /// Has a call made.
    ///
    /// # Errors
    /// There is no response.
    fn call(&self, request: &OutRequest, body: &[u8], until: Option<Instant>) -> Result<Answered, Refusal>;
}

/// The calls of one run, and who makes them.
#[derive(Debug)]
pub enum Way {
    /// This process.
    Here(Calls),
    /// Another one.
    Apart(Arc<dyn Remote>),
}

impl Way {
    /// For a run under `limits` that `list` allows its calls.
    pub fn new(
        list: HttpAllowList,
        limits: &Limits,
        (remote, cancel): (Option<Arc<dyn Remote>>, Option<Cancel>),
    ) -> Way {
        match remote {
            Some(remote) => Way::Apart(remote),
            None => Way::Here(Calls::new(list, limits, cancel)),
        }
    }

    /// For a run without any right.
    pub fn none() -> Way {
        Way::Here(Calls::new(HttpAllowList::default(), &Limits::default(), None))
    }

    /// Whether any call can be made.
    pub fn may_call(&self) -> bool {
        match self {
            Way::Here(calls) => calls.are_allowed(),
            Way::Apart(_) => true,
        }
    }

    /// Makes a call, which waits for its response.
    ///
    /// # Errors
    /// There is no response.
    pub fn call(
        &mut self,
        request: OutRequest,
        body: &[u8],
        until: Option<Instant>,
    ) -> Result<Answered, Refusal> {
        match self {
            Way::Here(calls) => calls.make(client(), (request, body), until),
            Way::Apart(remote) => remote.call(&request, body, until),
        }
    }
}

/// The client of this build.
pub fn client() -> &'static dyn Client {
    #[cfg(feature = "http")]
    return &super::client::Network;
    #[cfg(not(feature = "http"))]
    return &Nobody;
}

/// Where there is no client, no list allows anything either.
#[cfg(not(feature = "http"))]
struct Nobody;

#[cfg(not(feature = "http"))]
impl Client for Nobody {
    fn exchange(&self, exchange: &super::calls::Exchange<'_>) -> Result<Answered, Refusal> {
        Err(super::calls::denied(&HttpAllowList::default(), &exchange.url.to_string()))
    }
}
