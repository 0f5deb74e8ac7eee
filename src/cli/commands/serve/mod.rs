//! `fuelbox serve`.

pub(crate) mod budget;
mod isolation;
pub(crate) mod lifecycle;
pub(crate) mod node;
pub(crate) mod service;
