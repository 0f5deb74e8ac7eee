//! One file for each command.

pub(crate) mod call;
pub(crate) mod check;
pub(crate) mod deploy;
pub(crate) mod fleet;
pub(crate) mod health;
pub(crate) mod inspect;
pub(crate) mod list;
pub(crate) mod run;
pub(crate) mod serve;
