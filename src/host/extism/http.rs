//! HTTP requests of Extism plug-ins: JSON with `url`, `method` and `headers`, and a body, go out as the run's calls do
//! (`host/outbound`). A response of any status is one; what gives none ends the run, as in Extism's own host.

use super::calls::{block_from, block_of, bytes};
use crate::base::limits::HTTP_REQUEST_BYTES_MAX;
use crate::base::outcome::Stop;
use crate::host::outbound::message::{OutRequest, OutResponse};
use crate::host::responses::Last;
use crate::host::store::Host;
use serde_json::{Map, Value};

type Result<T> = std::result::Result<T, Stop>;

/// `http_request(request, body) -> response`: a new block with the response's body; 0 for an empty one. Waits for it.
pub fn http_request(host: &mut Host, request: u64, body: u64) -> Result<u64> {
    host.http = Last::default();
    let description = bytes(&host.blocks, request, "http_request")?;
    let body = bytes(&host.blocks, body, "http_request")?;
    host.wasi.moved_bytes += (description.len() + body.len()) as u64;
    let request = parsed(description).map_err(|what| Stop::Trap(format!("http_request: {what}")))?;
    let answered = host.wasi.way.call(request, body, host.wasi.until);
    let (response, received) = answered.map_err(|refusal| Stop::Trap(refusal.to_string()))?;
    host.wasi.moved_bytes += received.len() as u64;
    host.http = Last { status: response.status, headers: json(&response) };
    block_from(host, received, "an HTTP response")
}

/// `http_status_code() -> status` of the last response; 0 without one.
pub fn http_status_code(host: &mut Host) -> Result<i32> {
    Ok(host.http.status.into())
}

/// `http_headers() -> headers` of the last response: a new block with a JSON object; 0 without a response.
pub fn http_headers(host: &mut Host) -> Result<u64> {
    let headers = std::mem::take(&mut host.http.headers);
    host.wasi.moved_bytes += headers.len() as u64;
    let block = block_of(host, &headers, "http_headers");
    host.http.headers = headers;
    block
}

fn parsed(description: &[u8]) -> std::result::Result<OutRequest, String> {
    if description.len() > HTTP_REQUEST_BYTES_MAX {
        let size = description.len();
        return Err(format!(
            "the request's description has {size} bytes, more than {HTTP_REQUEST_BYTES_MAX}"
        ));
    }
    let description: Value =
        serde_json::from_slice(description).map_err(|error| format!("the request is no JSON: {error}"))?;
    let text = |key: &str| match description.get(key) {
        Some(Value::String(text)) => Ok(Some(text.clone())),
        None | Some(Value::Null) => Ok(None),
        Some(_) => Err(format!("`{key}` of the request is no string")),
    };
    let url = text("url")?.ok_or("the request has no `url`")?;
    let method = text("method")?.filter(|method| !method.is_empty()).unwrap_or_else(|| "GET".into());
    let headers = match description.get("headers") {
        Some(Value::Object(headers)) => headers
            .iter()
            .map(|(name, value)| Some((name.clone(), value.as_str()?.into())))
            .collect::<Option<_>>()
            .ok_or("a value in `headers` of the request is no string")?,
        None | Some(Value::Null) => Vec::new(),
        Some(_) => return Err("`headers` of the request is no object".into()),
    };
    Ok(OutRequest { method, url, headers, follows: true, ..OutRequest::default() })
}

/// Header fields as an object. Values of the same name are joined (RFC 9110, section 5.3).
fn json(response: &OutResponse) -> Vec<u8> {
    let mut fields = Map::new();
    for (name, value) in &response.headers {
        let value = String::from_utf8_lossy(value);
        match fields.get_mut(name) {
            Some(Value::String(joined)) => {
                joined.push_str(", ");
                joined.push_str(&value);
            }
            _ => drop(fields.insert(name.clone(), value.into())),
        }
    }
    serde_json::to_vec(&fields).unwrap_or_default()
}
