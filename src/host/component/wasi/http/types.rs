//! `wasi:http/types`: its types and functions.

use super::{body, fields, future, incoming, outgoing, response};
use crate::host::component::function::{Interface, Row};

/// `wasi:http/types`.
#[rustfmt::skip]
pub const TYPES: Interface = Interface {
    name: "wasi:http/types",
    types: "use wasi:clocks/monotonic-clock.{duration};
        use wasi:io/streams.{input-stream, output-stream};
        use wasi:io/error.{error as io-error};
        use wasi:io/poll.{pollable};
        variant method { get, head, post, put, delete, connect, options, trace, patch, other(string) }
        variant scheme { HTTP, HTTPS, other(string) }
        record DNS-error-payload { rcode: option<string>, info-code: option<u16> }
        record TLS-alert-received-payload { alert-id: option<u8>, alert-message: option<string> }
        record field-size-payload { field-name: option<string>, field-size: option<u32> }
        variant error-code {
            DNS-timeout, DNS-error(DNS-error-payload), destination-not-found, destination-unavailable,
            destination-IP-prohibited, destination-IP-unroutable, connection-refused, connection-terminated,
            connection-timeout, connection-read-timeout, connection-write-timeout, connection-limit-reached,
            TLS-protocol-error, TLS-certificate-error, TLS-alert-received(TLS-alert-received-payload),
            HTTP-request-denied, HTTP-request-length-required, HTTP-request-body-size(option<u64>),
            HTTP-request-method-invalid, HTTP-request-URI-invalid, HTTP-request-URI-too-long,
            HTTP-request-header-section-size(option<u32>), HTTP-request-header-size(option<field-size-payload>),
            HTTP-request-trailer-section-size(option<u32>), HTTP-request-trailer-size(field-size-payload),
            HTTP-response-incomplete, HTTP-response-header-section-size(option<u32>),
            HTTP-response-header-size(field-size-payload), HTTP-response-body-size(option<u64>),
            HTTP-response-trailer-section-size(option<u32>), HTTP-response-trailer-size(field-size-payload),
            HTTP-response-transfer-coding(option<string>), HTTP-response-content-coding(option<string>),
            HTTP-response-timeout, HTTP-upgrade-failed, HTTP-protocol-error, loop-detected, configuration-error,
            internal-error(option<string>)
        }
        variant header-error { invalid-syntax, forbidden, immutable }
        type field-key = string;
        type field-name = field-key;
        type field-value = list<u8>;
        resource fields;
        type headers = fields;
        type trailers = fields;
        resource incoming-request;
        resource outgoing-request;
        resource request-options;
        resource response-outparam;
        type status-code = u16;
        resource incoming-response;
        resource incoming-body;
        resource future-trailers;
        resource outgoing-response;
        resource outgoing-body;
        resource future-incoming-response;",
    rows: &[
        Row { name: "[constructor]fields", ty: "() -> own<fields>", call: fields::new },
        Row { name: "[static]fields.from-list", ty: "(entries: list<tuple<field-name, field-value>>) -> result<own<fields>, header-error>", call: fields::from_list },
        Row { name: "[method]fields.get", ty: "(self: borrow<fields>, name: field-name) -> list<field-value>", call: fields::get },
        Row { name: "[method]fields.has", ty: "(self: borrow<fields>, name: field-name) -> bool", call: fields::has },
        Row { name: "[method]fields.set", ty: "(self: borrow<fields>, name: field-name, value: list<field-value>) -> result<_, header-error>", call: fields::set },
        Row { name: "[method]fields.delete", ty: "(self: borrow<fields>, name: field-name) -> result<_, header-error>", call: fields::delete },
        Row { name: "[method]fields.append", ty: "(self: borrow<fields>, name: field-name, value: field-value) -> result<_, header-error>", call: fields::append },
        Row { name: "[method]fields.entries", ty: "(self: borrow<fields>) -> list<tuple<field-name, field-value>>", call: fields::entries },
        Row { name: "[method]fields.clone", ty: "(self: borrow<fields>) -> own<fields>", call: fields::clone },
        Row { name: "[method]incoming-request.method", ty: "(self: borrow<incoming-request>) -> method", call: incoming::method },
        Row { name: "[method]incoming-request.path-with-query", ty: "(self: borrow<incoming-request>) -> option<string>", call: incoming::path_with_query },
        Row { name: "[method]incoming-request.scheme", ty: "(self: borrow<incoming-request>) -> option<scheme>", call: incoming::scheme },
        Row { name: "[method]incoming-request.authority", ty: "(self: borrow<incoming-request>) -> option<string>", call: incoming::authority },
        Row { name: "[method]incoming-request.headers", ty: "(self: borrow<incoming-request>) -> own<headers>", call: incoming::headers },
        Row { name: "[method]incoming-request.consume", ty: "(self: borrow<incoming-request>) -> result<own<incoming-body>>", call: incoming::consume },
        Row { name: "[constructor]outgoing-request", ty: "(headers: own<headers>) -> own<outgoing-request>", call: outgoing::new },
        Row { name: "[method]outgoing-request.body", ty: "(self: borrow<outgoing-request>) -> result<own<outgoing-body>>", call: outgoing::body },
        Row { name: "[method]outgoing-request.method", ty: "(self: borrow<outgoing-request>) -> method", call: outgoing::method },
        Row { name: "[method]outgoing-request.set-method", ty: "(self: borrow<outgoing-request>, method: method) -> result", call: outgoing::set_method },
        Row { name: "[method]outgoing-request.path-with-query", ty: "(self: borrow<outgoing-request>) -> option<string>", call: outgoing::path_with_query },
        Row { name: "[method]outgoing-request.set-path-with-query", ty: "(self: borrow<outgoing-request>, path-with-query: option<string>) -> result", call: outgoing::set_path_with_query },
        Row { name: "[method]outgoing-request.scheme", ty: "(self: borrow<outgoing-request>) -> option<scheme>", call: outgoing::scheme },
        Row { name: "[method]outgoing-request.set-scheme", ty: "(self: borrow<outgoing-request>, scheme: option<scheme>) -> result", call: outgoing::set_scheme },
        Row { name: "[method]outgoing-request.authority", ty: "(self: borrow<outgoing-request>) -> option<string>", call: outgoing::authority },
        Row { name: "[method]outgoing-request.set-authority", ty: "(self: borrow<outgoing-request>, authority: option<string>) -> result", call: outgoing::set_authority },
        Row { name: "[method]outgoing-request.headers", ty: "(self: borrow<outgoing-request>) -> own<headers>", call: outgoing::headers },
        Row { name: "[constructor]request-options", ty: "() -> own<request-options>", call: outgoing::new_options },
        Row { name: "[method]request-options.connect-timeout", ty: "(self: borrow<request-options>) -> option<duration>", call: outgoing::timeout::<0> },
        Row { name: "[method]request-options.set-connect-timeout", ty: "(self: borrow<request-options>, duration: option<duration>) -> result", call: outgoing::set_timeout::<0> },
        Row { name: "[method]request-options.first-byte-timeout", ty: "(self: borrow<request-options>) -> option<duration>", call: outgoing::timeout::<1> },
        Row { name: "[method]request-options.set-first-byte-timeout", ty: "(self: borrow<request-options>, duration: option<duration>) -> result", call: outgoing::set_timeout::<1> },
        Row { name: "[method]request-options.between-bytes-timeout", ty: "(self: borrow<request-options>) -> option<duration>", call: outgoing::timeout::<2> },
        Row { name: "[method]request-options.set-between-bytes-timeout", ty: "(self: borrow<request-options>, duration: option<duration>) -> result", call: outgoing::set_timeout::<2> },
        Row { name: "[method]response-outparam.send-informational", ty: "(self: borrow<response-outparam>, status: u16, headers: own<headers>) -> result<_, error-code>", call: response::send_informational },
        Row { name: "[static]response-outparam.set", ty: "(param: own<response-outparam>, response: result<own<outgoing-response>, error-code>)", call: response::set },
        Row { name: "[method]incoming-response.status", ty: "(self: borrow<incoming-response>) -> status-code", call: future::status },
        Row { name: "[method]incoming-response.headers", ty: "(self: borrow<incoming-response>) -> own<headers>", call: future::headers },
        Row { name: "[method]incoming-response.consume", ty: "(self: borrow<incoming-response>) -> result<own<incoming-body>>", call: future::consume },
        Row { name: "[method]incoming-body.stream", ty: "(self: borrow<incoming-body>) -> result<own<input-stream>>", call: incoming::stream },
        Row { name: "[static]incoming-body.finish", ty: "(this: own<incoming-body>) -> own<future-trailers>", call: incoming::finish },
        Row { name: "[method]future-trailers.subscribe", ty: "(self: borrow<future-trailers>) -> own<pollable>", call: incoming::trailers_subscribe },
        Row { name: "[method]future-trailers.get", ty: "(self: borrow<future-trailers>) -> option<result<result<option<own<trailers>>, error-code>>>", call: incoming::trailers_get },
        Row { name: "[constructor]outgoing-response", ty: "(headers: own<headers>) -> own<outgoing-response>", call: response::new },
        Row { name: "[method]outgoing-response.status-code", ty: "(self: borrow<outgoing-response>) -> status-code", call: response::status_code },
        Row { name: "[method]outgoing-response.set-status-code", ty: "(self: borrow<outgoing-response>, status-code: status-code) -> result", call: response::set_status_code },
        Row { name: "[method]outgoing-response.headers", ty: "(self: borrow<outgoing-response>) -> own<headers>", call: response::headers },
        Row { name: "[method]outgoing-response.body", ty: "(self: borrow<outgoing-response>) -> result<own<outgoing-body>>", call: response::body },
        Row { name: "[method]outgoing-body.write", ty: "(self: borrow<outgoing-body>) -> result<own<output-stream>>", call: body::write },
        Row { name: "[static]outgoing-body.finish", ty: "(this: own<outgoing-body>, trailers: option<own<trailers>>) -> result<_, error-code>", call: body::finish },
        Row { name: "[method]future-incoming-response.subscribe", ty: "(self: borrow<future-incoming-response>) -> own<pollable>", call: future::subscribe },
        Row { name: "[method]future-incoming-response.get", ty: "(self: borrow<future-incoming-response>) -> option<result<result<own<incoming-response>, error-code>>>", call: future::get },
        Row { name: "http-error-code", ty: "(err: borrow<io-error>) -> option<error-code>", call: body::error_code },
    ],
};
