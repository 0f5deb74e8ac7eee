//! The resource `outgoing-body`: what the guest sends.

use super::call::{Waiting, may_block};
use super::codes::{
    REQUEST_BODY_SIZE, REQUEST_TRAILER_SECTION_SIZE, RESPONSE_BODY_SIZE, RESPONSE_TRAILER_SECTION_SIZE,
    body_size,
};
use super::fields::Fields;
use super::map::{Map, full, kept_max};
use crate::base::heap;
use crate::base::limits::HOST_CALL_BYTES_MAX;
use crate::base::lock::lock;
use crate::base::outcome::Stop;
use crate::host::component::account::{Account, Kept};
use crate::host::component::function::{Fail, HostCall};
use crate::host::component::table::Resource;
use crate::host::component::value::Value;
use crate::host::component::wasi::arguments::{Answer, own, rep, variant};
use crate::host::component::wasi::error::IoError;
use crate::host::component::wasi::stdio::Output;
use crate::host::component::wasi::stream::{Broken, Drain, OutputStream};
use crate::host::reply::Trailers;
use crate::host::wasi::abi::Fault;
use crate::host::wasi::ctx::WasiCtx;
use std::sync::{Arc, Mutex};

/// Bytes of a piece that several writes share.
const PIECE_BYTES_MAX: usize = 64 * 1024;

/// Where a body goes.
enum To {
    /// It waits until the head is sent: in pieces, as it is twice there while it is sent.
    Kept(Vec<Vec<u8>>, Kept),
    /// To standard output of this run, behind the head. An earlier one of a warm instance is over.
    Out(u32),
    /// It waits until it is finished, and the request is sent: in pieces, too.
    Request { pieces: Vec<Vec<u8>>, kept: Kept, most: usize },
    /// To nobody: no request is sent.
    Nowhere,
}

/// How the guest ended a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Not at all. It ends with the run then.
    None,
    /// It said that this is all.
    Finished,
    /// It said nothing, and dropped it; or what it said was wrong.
    Broken,
}

/// A body, which its message, the resource and the stream share.
pub struct Body {
    to: To,
    /// The length that the header fields say.
    length: Option<u64>,
    written: u64,
    end: End,
    /// Its cases of `error-code`: for a wrong size, and for too many trailers.
    errors: [u32; 2],
    trailers: Option<Arc<Map>>,
    /// The request that is sent when it is finished.
    waiting: Option<Waiting>,
}

/// A body that is shared.
pub type SharedBody = Arc<Mutex<Body>>;

impl Body {
    /// The body of a response.
    pub fn of_response(length: Option<u64>, account: &Account) -> Body {
        let to = To::Kept(Vec::new(), account.share());
        let errors = [RESPONSE_BODY_SIZE, RESPONSE_TRAILER_SECTION_SIZE];
        Body { to, length, written: 0, end: End::None, errors, trailers: None, waiting: None }
    }

    /// The body of a request, with room for `most` bytes; none if it is sent to nobody.
    pub fn of_request(length: Option<u64>, account: &Account, most: Option<usize>) -> Body {
        let errors = [REQUEST_BODY_SIZE, REQUEST_TRAILER_SECTION_SIZE];
        let to = match most {
            Some(most) => To::Request { pieces: Vec::new(), kept: account.share(), most },
            None => To::Nowhere,
        };
        Body { to, length, written: 0, end: End::None, errors, trailers: None, waiting: None }
    }

    /// Has the request that waits for this body be sent when it is finished.
    pub fn awaited_by(&mut self, waiting: Waiting) {
        self.waiting = Some(waiting);
    }

    /// Whether the guest has finished it; none if it ended it in no good way.
    pub fn is_finished(&self) -> Option<bool> {
        match self.end {
            End::None => Some(false),
            End::Finished => Some(true),
            End::Broken => None,
        }
    }

    /// Takes the bytes of a request.
    ///
    /// # Errors
    /// The guest is stopped.
    pub fn take_bytes(&mut self) -> Result<Vec<u8>, Fail> {
        let To::Request { pieces, .. } = &mut self.to else { return Ok(Vec::new()) };
        let mut bytes = Vec::new();
        for piece in std::mem::take(pieces) {
            heap::extend(&mut bytes, &piece).map_err(|_| Fail::from(Fault::NoMemory))?;
        }
        self.to = To::Nowhere;
        Ok(bytes)
    }

    /// The head is sent: so is what waits, and what is written from now on.
    ///
    /// # Errors
    /// The guest is stopped.
    pub fn open(&mut self, ctx: &mut WasiCtx) -> Result<(), Broken> {
        match std::mem::replace(&mut self.to, To::Out(ctx.run)) {
            // They were counted when they were written.
            To::Kept(pieces, _) => {
                pieces.into_iter().try_for_each(|piece| Ok(ctx.files.stdout.write(&piece)?))
            }
            To::Out(_) | To::Request { .. } | To::Nowhere => Ok(()),
        }
    }

    /// The trailers that follow it.
    pub fn trailers(&self) -> Trailers {
        self.trailers.as_ref().map_or_else(Vec::new, |map| map.entries().to_vec())
    }

    /// What is wrong with it at the end of a run.
    pub fn problem(&self) -> Option<String> {
        let written = self.written;
        match (self.end, self.length) {
            (End::Finished, _) => None,
            (_, Some(length)) if length != written => {
                Some(format!("the response's body has {written} bytes, but its content-length is {length}"))
            }
            (End::None, _) => None,
            (End::Broken, _) => {
                Some("the response's body was dropped before it was finished (`outgoing-body.finish`)".into())
            }
        }
    }

    fn write(&mut self, ctx: &mut WasiCtx, bytes: &[u8]) -> Result<(), Broken> {
        let written = self.written.saturating_add(bytes.len() as u64);
        if let Some(length) = self.length
            && written > length
        {
            let text = format!("{written} bytes are written, but the content-length is {length}");
            return Err(Broken::Failed(IoError { text, errno: None, http: Some((self.errors[0], written)) }));
        }
        let limit = kept_max(ctx);
        let errors = self.errors;
        match &mut self.to {
            To::Out(run) if *run != ctx.run => return Err(Broken::Closed),
            To::Out(_) => Output::Stdout.write(ctx, bytes)?,
            To::Kept(pieces, kept) => {
                if written > ctx.files.stdout.room() as u64 {
                    let limit = ctx.files.stdout.limit();
                    return Err(Fail::Stop(Stop::OutputFull { stream: "stdout", limit }).into());
                }
                if !kept.grow(bytes.len(), limit) {
                    return Err(full(limit).into());
                }
                gather(pieces, bytes)?;
                ctx.moved_bytes += bytes.len() as u64;
            }
            To::Request { pieces, kept, most } => {
                if written > *most as u64 {
                    let text =
                        format!("a request's body has more bytes than --max-output allows, which is {most}");
                    return Err(Broken::Failed(IoError {
                        text,
                        errno: None,
                        http: Some((errors[0], written)),
                    }));
                }
                if !kept.grow(bytes.len(), limit.saturating_add(*most)) {
                    return Err(full(limit).into());
                }
                gather(pieces, bytes)?;
                ctx.moved_bytes += bytes.len() as u64;
            }
            To::Nowhere => ctx.moved_bytes += bytes.len() as u64,
        }
        self.written = written;
        Ok(())
    }

    /// Whether all of it was written. The answer to HEAD has the header fields that GET would have, and no body.
    fn is_whole(&self, ctx: &WasiCtx) -> bool {
        let is_of_head = self.written == 0 && ctx.http.is_some_and(|http| http.is_head);
        self.length.is_none_or(|length| length == self.written || is_of_head)
    }
}

fn gather(pieces: &mut Vec<Vec<u8>>, bytes: &[u8]) -> Result<(), Broken> {
    match pieces.last_mut().filter(|last| last.len() + bytes.len() <= PIECE_BYTES_MAX) {
        Some(last) => heap::extend(last, bytes).map_err(|_| Fault::NoMemory)?,
        None => pieces.push(heap::copy(bytes).map_err(|_| Fault::NoMemory)?),
    }
    Ok(())
}

/// A stream into a body.
struct Stream(SharedBody);

impl Drain for Stream {
    fn room(&mut self, ctx: &mut WasiCtx) -> Result<u64, Broken> {
        match lock(&self.0).to {
            To::Out(_) => Output::Stdout.room(ctx),
            To::Kept(..) | To::Request { .. } | To::Nowhere => Ok(HOST_CALL_BYTES_MAX as u64),
        }
    }

    fn write(&mut self, ctx: &mut WasiCtx, bytes: &[u8]) -> Result<(), Broken> {
        lock(&self.0).write(ctx, bytes)
    }
}

/// The resource `outgoing-body`.
pub struct OutgoingBody {
    body: SharedBody,
    is_written: bool,
}

impl Resource for OutgoingBody {
    fn dropped(&mut self, _ctx: &mut WasiCtx) {
        let mut body = lock(&self.body);
        body.end = End::Broken;
        if let Some(waiting) = body.waiting.take() {
            waiting.give_up();
        }
    }
}

/// `result<own<outgoing-body>>`: the body that its message has made.
///
/// # Errors
/// There are too many resources.
pub fn give(call: &mut HostCall<'_>, body: &SharedBody) -> Answer {
    let body = OutgoingBody { body: Arc::clone(body), is_written: false };
    Ok(Some(Value::ok(own(call.table.push(body)?))))
}

/// `[method]outgoing-body.write`.
pub fn write(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let parent = rep(args, 0)?;
    let body = call.table.get::<OutgoingBody>(parent)?;
    if std::mem::replace(&mut body.is_written, true) {
        return Ok(Some(Value::err(None)));
    }
    let stream = OutputStream::new(Stream(Arc::clone(&body.body)));
    Ok(Some(Value::ok(own(call.table.push_child(stream, parent)?))))
}

/// `[static]outgoing-body.finish`. Trailers of a response are sent behind it; of a request, they go where it goes.
pub fn finish(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let (_, trailers) = variant(args, 1)?;
    let body = Arc::clone(&call.table.get::<OutgoingBody>(rep(args, 0)?)?.body);
    if lock(&body).waiting.is_some() {
        may_block(call)?;
    }
    let trailers = match trailers {
        Some(trailers) => Some(call.table.take::<Fields>(rep(std::slice::from_ref(trailers), 0)?)?.map),
        None => None,
    };
    call.table.take::<OutgoingBody>(rep(args, 0)?)?;
    let mut body = lock(&body);
    let waiting = body.waiting.take();
    let [size_error, trailers_error] = body.errors;
    if !body.is_whole(call.ctx) {
        body.end = End::Broken;
        waiting.iter().for_each(Waiting::give_up);
        return Ok(Some(Value::err(body_size(size_error, body.written))));
    }
    body.end = End::Finished;
    if let Some(trailers) = trailers {
        if !trailers.fits() {
            body.end = End::Broken;
            waiting.iter().for_each(Waiting::give_up);
            return Ok(Some(Value::err(Value::Variant(trailers_error, Some(Box::new(Value::NONE))))));
        }
        body.trailers = Some(trailers);
    }
    if let Some(waiting) = waiting {
        let bytes = body.take_bytes()?;
        waiting.send(call, &bytes)?;
    }
    Ok(Some(Value::ok(None)))
}

/// `http-error-code`. Of the errors of streams, those of bodies are of HTTP.
pub fn error_code(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let error = call.table.get::<IoError>(rep(args, 0)?)?;
    Ok(Some(error.http.map_or(Value::NONE, |(case, bytes)| Value::some(body_size(case, bytes)))))
}
