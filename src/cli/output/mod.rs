//! Standard output, standard error and the log.

pub(crate) mod logging;
pub(crate) mod messages;
pub(crate) mod stderr;
pub(crate) mod stdout;
