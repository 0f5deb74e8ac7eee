//! A function as a service, for tests of the gateway without plug-ins.

use fuelbox::gateway::http::head::Head;
use fuelbox::gateway::http::problem::LANE;
use fuelbox::gateway::http::service::{Context, Service};
use fuelbox::gateway::http::tokens::Role;
use fuelbox::gateway::{Request, Response};
use std::time::Instant;

/// Answers a request. The second argument is to be called when the answer takes long, any number of times.
type Handler = dyn Fn(Request, &dyn Fn()) -> Response + Send + Sync;

/// A service that has a function answer every request.
pub struct HandlerService(Box<Handler>);

impl HandlerService {
    /// The service of `handler`.
    pub fn of(handler: impl Fn(Request, &dyn Fn()) -> Response + Send + Sync + 'static) -> Box<dyn Service> {
        Box::new(HandlerService(Box::new(handler)))
    }
}

impl Service for HandlerService {
    fn role(&self, _: &Head<'_>) -> Option<Role> {
        None
    }

    fn body_limit(&self, _: &Head<'_>, _: Option<Role>, usual: usize) -> usize {
        usual
    }

    fn plugin(&self, _: &Request) -> Option<String> {
        None
    }

    fn workers_of_plugin(&self, _: &Request) -> Option<(String, usize)> {
        None
    }

    fn handle(&self, request: &mut Request, context: &Context<'_>) -> Response {
        let body = std::mem::take(&mut request.body);
        (self.0)(Request { body, ..request.clone() }, &|| context.hooks.long())
    }

    fn lost(&self, _: &Request) -> Response {
        Response::problem(LANE, "the request was lost inside the gateway; try again")
    }

    fn answered(&self, request: &Request, _: &Response, _: Instant) {
        assert!(!request.target.contains("fault"), "as asked");
    }
}
