//! `wasi:http`: fields, the request, the response and bodies.

mod bodies;
mod calls;
mod headers;
mod outgoing;
mod requests;

use super::{FOR_INPUT, World, borrow, ok, rep, traps};
use crate::base::lock::lock;
use crate::base::outcome::Stop;
use crate::host::component::table::Resource;
use crate::host::component::value::{Handle, Value};
use crate::host::component::wasi::http::head::Head;
use crate::host::component::wasi::http::incoming::IncomingRequest;
use crate::host::component::wasi::http::response::{Outcome, ResponseOutparam};
use crate::host::wasi::ctx::HttpRun;
use std::sync::{Arc, Mutex};

impl World {
    /// Calls a function of `wasi:http/types` that gives something.
    #[track_caller]
    fn http(&mut self, name: &str, args: &[Value]) -> Value {
        self.get("wasi:http/types", name, args)
    }

    /// Keeps a resource.
    fn keep(&mut self, what: impl Resource) -> u32 {
        self.table.push(what).unwrap()
    }

    /// A request with these variables.
    fn request(&mut self, variables: &[(&str, &str)]) -> u32 {
        let pair = |(name, value): &(&str, &str)| (name.as_bytes().to_vec(), value.as_bytes().to_vec());
        let mut variables = variables.iter().map(pair).collect();
        let head = Head::take(&mut variables);
        let request = IncomingRequest::new(&Arc::new(head), &self.table.requests);
        self.keep(request)
    }

    /// New fields with these in them.
    #[track_caller]
    fn fields(&mut self, fields: &[(&str, &str)]) -> u32 {
        let new = rep(&self.http("[constructor]fields", &[]));
        for (name, value) in fields {
            let args = [borrow(new), text(name), bytes(value)];
            assert_eq!(self.http("[method]fields.append", &args), Value::ok(None), "{name}: {value}");
        }
        new
    }

    /// A response with these fields.
    #[track_caller]
    fn response(&mut self, fields: &[(&str, &str)]) -> u32 {
        let fields = self.fields(fields);
        rep(&self.http("[constructor]outgoing-response", &[own(fields)]))
    }

    /// The body of a response, and a stream into it.
    #[track_caller]
    fn body(&mut self, response: u32) -> (u32, u32) {
        let body = rep(&ok(self.http("[method]outgoing-response.body", &[borrow(response)])));
        (body, rep(&ok(self.http("[method]outgoing-body.write", &[borrow(body)]))))
    }

    /// Writes to a stream, and gives what was said.
    #[track_caller]
    fn write(&mut self, stream: u32, bytes: &[u8]) -> Value {
        let write = "output-stream.blocking-write-and-flush";
        self.of_stream(write, &[borrow(stream), Value::Bytes(bytes.into())])
    }

    /// Drops a stream, and finishes the body that it is of.
    #[track_caller]
    fn finish(&mut self, (body, stream): (u32, u32)) -> Value {
        self.table.drop(stream, &mut self.ctx).unwrap();
        self.http("[static]outgoing-body.finish", &[own(body), Value::NONE])
    }

    /// Answers with this, and gives how that went.
    fn set(&mut self, response: Value) -> Arc<Mutex<Outcome>> {
        let out = ResponseOutparam::default();
        let outcome = Arc::clone(&out.0);
        let out = self.keep(out);
        let answer = self.call("wasi:http/types", "[static]response-outparam.set", &[own(out), response]);
        assert_eq!(answer, Ok(None));
        outcome
    }

    /// Answers with this response.
    fn send(&mut self, response: u32) -> Arc<Mutex<Outcome>> {
        self.set(Value::ok(own(response)))
    }
}

/// A world in which a request is answered.
fn world() -> World {
    let mut world = World::new(crate::host::streams::Stdin::Empty);
    world.ctx.http = Some(HttpRun { is_head: false });
    world
}

/// How the run would end.
fn check(outcome: &Mutex<Outcome>) -> Result<(), Stop> {
    lock(outcome).check()
}

fn own(rep: u32) -> Value {
    Value::Own(Handle::of_host(rep))
}

fn text(text: &str) -> Value {
    Value::String(text.into())
}

fn bytes(text: &str) -> Value {
    Value::Bytes(text.as_bytes().into())
}

fn list(values: &[&str]) -> Value {
    Value::List(values.iter().map(|value| bytes(value)).collect())
}

/// Fields as a list of pairs.
fn pairs(fields: &[(&str, &str)]) -> Value {
    Value::List(fields.iter().map(|(name, value)| Value::Record(vec![text(name), bytes(value)])).collect())
}

const INVALID_SYNTAX: u32 = 0;
const FORBIDDEN: u32 = 1;
const IMMUTABLE: u32 = 2;

/// `err` of a case without anything in it.
fn error(case: u32) -> Value {
    Value::err(Value::case(case))
}
