//! The routes of the gateway, and what is known of each before its handler runs.

use super::tokens::Role;

/// A route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Route {
    /// The console, a page for people.
    Console,
    /// A plug-in, to be run.
    Execute,
    /// The list of plug-ins.
    Plugins,
    /// A plug-in, to be read or changed.
    Deployment,
    /// The description of the routes.
    OpenApi,
    /// The last failures.
    Failures,
    /// Metrics.
    Metrics,
    /// Whether the gateway is alive.
    Health,
    /// Whether it is to be given work.
    Ready,
    /// The server as a whole (RFC 9110, section 7.1).
    Server,
    /// There is none.
    #[default]
    Unknown,
}

/// Requests that are admitted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// They run guests.
    Guest,
    /// They change plug-ins. They are not among the guests: when these use all workers, the operator must still get in.
    Deployment,
}

/// What the OpenAPI document says of a route that is only read.
#[derive(Debug, Clone, Copy)]
pub struct Documentation {
    /// Its name there.
    pub id: &'static str,
    /// What it is.
    pub summary: &'static str,
    /// Whether the response has a version, so that a request may have conditions.
    pub is_versioned: bool,
}

impl Route {
    /// Those that are only read.
    const READ: [Route; 7] = [
        Route::Console,
        Route::Plugins,
        Route::OpenApi,
        Route::Failures,
        Route::Metrics,
        Route::Health,
        Route::Ready,
    ];

    /// Those that are only read, in this build.
    pub fn read() -> impl Iterator<Item = Route> {
        Route::READ.into_iter().filter(|route| route.is_built())
    }

    /// Whether this build has it.
    const fn is_built(self) -> bool {
        (cfg!(feature = "console") || !matches!(self, Route::Console))
            && (cfg!(feature = "openapi") || !matches!(self, Route::OpenApi))
    }

    /// The route of a target in origin form, or of `*`.
    pub fn of(target: &str) -> Route {
        let path = target.split('?').next().unwrap_or_default();
        match Route::read().find(|route| route.path() == path) {
            Some(route) => route,
            None if path.starts_with(Route::Execute.path()) => Route::Execute,
            None if path.starts_with(Route::Deployment.path()) => Route::Deployment,
            None if path == Route::Server.path() => Route::Server,
            None => Route::Unknown,
        }
    }

    /// Its path; of plug-ins, what is before their names.
    pub const fn path(self) -> &'static str {
        match self {
            Route::Console => "/",
            Route::Execute => "/execute/",
            Route::Plugins => "/plugins",
            Route::Deployment => "/plugins/",
            Route::OpenApi => "/openapi.json",
            Route::Failures => "/failures",
            Route::Metrics => "/metrics",
            Route::Health => "/healthz",
            Route::Ready => "/readyz",
            Route::Server => "*",
            Route::Unknown => "",
        }
    }

    /// Its documentation; none where that depends on plug-ins.
    pub const fn documentation(self) -> Option<Documentation> {
        let (id, summary, is_versioned) = match self {
            Route::Console => ("console", "The console, a page for people", true),
            Route::Plugins => ("plugins", "The plug-ins, and the files that do not load", true),
            Route::OpenApi => ("openapi", "This document", true),
            Route::Failures => ("failures", "The last failures (5xx) of plug-ins", false),
            Route::Metrics => ("metrics", "Metrics, in OpenMetrics if `Accept` asks for it", false),
            Route::Health => ("alive", "Whether the gateway is alive", false),
            Route::Ready => ("ready", "Whether it is to be given work", false),
            Route::Execute | Route::Deployment | Route::Server | Route::Unknown => return None,
        };
        Some(Documentation { id, summary, is_versioned })
    }

    /// The methods that it takes, where that does not depend on a plug-in.
    pub fn methods(self) -> Option<&'static str> {
        self.documentation().map(|_| "GET, HEAD")
    }

    /// Whether a plug-in's policy may take it.
    pub fn may_be_mounted(self) -> bool {
        matches!(self, Route::Console | Route::Unknown)
    }

    /// Whether its handler needs the raw head.
    pub fn needs_head(self) -> bool {
        !matches!(self, Route::Health | Route::Ready | Route::Server | Route::Unknown)
    }

    /// The admission class of a request with `role`, if it needs admission.
    pub fn class(self, role: Option<Role>) -> Option<Class> {
        match self {
            Route::Execute => Some(Class::Guest),
            Route::Deployment => (role == Some(Role::Deploy)).then_some(Class::Deployment),
            _ => None,
        }
    }
}
