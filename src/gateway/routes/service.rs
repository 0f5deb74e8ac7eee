//! The routes as a service: which handler a request goes to, and what is counted and logged of it.

use super::counters::Counters;
use super::deployment::Deployment;
use super::document::Document;
use super::execute_target::ExecuteTarget;
use super::failures::Failures;
use super::{access_log, console, execute, listing, metrics, openapi, status};
use crate::gateway::http::head::Head;
use crate::gateway::http::message::{Mount, Request, Response, TEXT};
use crate::gateway::http::problem::{BAD_REQUEST, NO_ROUTE};
use crate::gateway::http::route::Route;
use crate::gateway::http::service::{Context, Service};
use crate::gateway::http::tokens::Role;
use crate::plugins::registry::Plugin;
use crate::runner::Runner;
use std::sync::Arc;
use std::time::Instant;

/// What serves the plug-ins of a runner, and tells of the gateway.
pub struct Routes {
    runner: Arc<Runner>,
    /// Counters of requests.
    counters: Counters,
    /// Where plug-ins are changed, if they can be.
    deployment: Option<Deployment>,
    failures: Failures,
    listing: Document,
    openapi: Document,
}

impl Routes {
    /// The routes to the plug-ins of `runner`.
    pub fn new(runner: Arc<Runner>, counters: Counters, deployment: Option<Deployment>) -> Routes {
        Routes {
            runner,
            counters,
            deployment,
            failures: Failures::default(),
            listing: Document::default(),
            openapi: Document::default(),
        }
    }

    fn plugin_of(&self, request: &Request) -> Option<Arc<Plugin>> {
        if request.route != Route::Execute {
            return None;
        }
        self.runner.plugins().find(&ExecuteTarget::of(request).name?)
    }

    /// The response of a route that is only read.
    fn read(&self, request: &Request, context: &Context<'_>) -> Response {
        let (runner, has_deployment) = (&self.runner, self.deployment.is_some());
        match request.route {
            // What this build does not have is type-checked, but is no part of it.
            Route::Console if cfg!(feature = "console") => console::page(request),
            Route::Plugins => self.listing.answer(runner, request, || listing::text(runner.plugins())),
            Route::OpenApi if cfg!(feature = "openapi") => {
                self.openapi.answer(runner, request, || openapi::written(runner, has_deployment))
            }
            Route::Failures => self.failures.answer(request),
            Route::Metrics => metrics::answer(request, &(context.status)(), runner, &self.counters),
            Route::Health => Response::new(200, TEXT, "ok\n"),
            Route::Ready => status::readiness(&(context.status)(), runner),
            // OPTIONS alone comes with it (RFC 9110, section 9.3.7).
            Route::Server => {
                Response::new(200, TEXT, "").with("Allow", "GET, HEAD, POST, PUT, DELETE, OPTIONS")
            }
            _ => no_route(request),
        }
    }
}

impl Service for Routes {
    fn role(&self, head: &Head<'_>) -> Option<Role> {
        self.deployment.as_ref()?.role(head)
    }

    fn body_limit(&self, head: &Head<'_>, role: Option<Role>, usual: usize) -> usize {
        self.deployment.as_ref().map_or(usual, |deployment| deployment.body_limit(head, role, usual))
    }

    fn mount(&self, target: &str) -> Option<Mount> {
        let path = target.split('?').next().unwrap_or_default();
        let (plugin, route, script) = self.runner.plugins().mounted(path)?;
        Some(Mount { plugin, route: route.text(), function: route.function, script })
    }

    fn plugin(&self, request: &Request) -> Option<String> {
        self.plugin_of(request).map(|plugin| plugin.name.clone())
    }

    /// One that will be refused for want of a token has no part in its plug-in's workers: strangers must not use up what
    /// those wait for who have one.
    fn workers_of_plugin(&self, request: &Request) -> Option<(String, usize)> {
        let plugin = if self.runner.plugins().has_shares() { self.plugin_of(request)? } else { return None };
        let most = plugin.policy.workers.filter(|_| execute::may_call(&plugin, request.role))?;
        Some((plugin.name.clone(), most))
    }

    fn uses_lane(&self, request: &Request) -> bool {
        !self.runner.plugins().has_processes()
            || self.plugin_of(request).is_none_or(|plugin| plugin.code.is_here())
    }

    fn handle(&self, request: &mut Request, context: &Context<'_>) -> Response {
        match (request.route, &self.deployment) {
            (Route::Execute, _) => execute::answer(&self.runner, request, context),
            (Route::Deployment, Some(deployment)) => deployment.answer(&self.runner, request, context.hooks),
            (Route::Deployment, None) => Response::problem(
                NO_ROUTE,
                "plug-ins can neither be read nor changed here: this gateway has no tokens (`fuelbox serve --token-file FILE`)",
            ),
            (route, _) => match route.methods() {
                Some(allow) => Response::only(request, allow, |request| self.read(request, context)),
                None => self.read(request, context),
            },
        }
    }

    fn lost(&self, request: &Request) -> Response {
        status::lost(request.route)
    }

    fn answered(&self, request: &Request, response: &Response, begin: Instant) {
        // Refusals of the front door do not know it.
        let plugin = response.plugin.clone().or_else(|| self.plugin_of(request));
        self.counters.count(plugin.as_deref(), response.kind);
        self.failures.note(request, response);
        access_log::log(request, response, plugin.as_deref(), begin);
    }
}

fn no_route(request: &Request) -> Response {
    if request.target.split('?').next() == Some(Route::Execute.path().trim_end_matches('/')) {
        return Response::problem(BAD_REQUEST, execute::NO_NAME);
    }
    let read: Vec<&str> = Route::read().map(Route::path).collect();
    Response::problem(NO_ROUTE, &format!("there is /execute/{{plugin}}, and GET {}", read.join(", ")))
}
