"""Answers HTTP requests, as a component for wasi:http. It does what http-hello does in Rust."""

from componentize_py_types import Err, Ok
from wit_world.imports import types
from wit_world.imports.streams import StreamError_Closed

PIECE = 4096


class IncomingHandler:
    def handle(self, request, response_out):
        method = name(request.method())
        status = {"GET": 200, "HEAD": 200, "POST": 201}.get(method, 405)
        headers = [("content-type", b"text/plain; charset=utf-8"), ("x-written-in", b"Python")]
        if status == 405:
            headers.append(("allow", b"GET, HEAD, POST"))
        response = types.OutgoingResponse(types.Fields.from_list(headers))
        response.set_status_code(status)
        out = response.body()
        # From here on, what is written is sent.
        types.ResponseOutparam.set(response_out, Ok(response))
        if method != "HEAD":
            with out.write() as stream:
                answer(request, method, stream)
        types.OutgoingBody.finish(out, None)


def name(method):
    if isinstance(method, types.Method_Other):
        return method.value
    return type(method).__name__.removeprefix("Method_").upper()


def answer(request, method, out):
    greeting = b"".join(request.headers().get("x-greeting")[:1])
    head = f"{method} {request.path_with_query() or ''}\ngreeting: "
    send(out, head.encode() + greeting + b"\n")
    sent = 0
    with request.consume() as body, body.stream() as stream:
        while piece := read(stream):
            send(out, piece)
            sent += len(piece)
    send(out, f"\n{sent} bytes\n".encode())


def read(stream):
    """The next piece, or nothing at the end."""
    try:
        return stream.blocking_read(PIECE)
    except Err as err:
        if isinstance(err.value, StreamError_Closed):
            return b""
        raise


def send(out, text):
    # One call takes no more.
    for begin in range(0, len(text), PIECE):
        out.blocking_write_and_flush(text[begin : begin + PIECE])
