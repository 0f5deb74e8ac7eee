//! `fuelbox serve`.

pub(crate) mod budget;
pub(crate) mod lifecycle;
pub(crate) mod service;
