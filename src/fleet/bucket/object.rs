//! What a meta message says of an object. It is as hostile as whoever may write to the bucket.

use super::names::{NODES_HEADER, NODES_MAX, Name};
use crate::base::base64;
use crate::fleet::subject::is_token;
use serde_json::Value;

/// An object that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// What the subject of its chunks ends with.
    pub nuid: String,
    /// Bytes of it.
    pub size: u64,
    /// Its SHA-256, as 64 hexadecimal digits.
    pub sha256: String,
    /// The nodes that it is for, if it is a canary.
    pub nodes: Vec<String>,
}

/// What is said of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// It was deleted.
    Deleted,
    /// It is there.
    There(Object),
    /// It is there and cannot be used, for this reason.
    Unusable(String),
}

impl Said {
    /// Forgets the nodes of a canary but for `node`: thousands of objects can name a thousand each.
    pub fn keep_node(&mut self, node: &str) {
        if let Said::There(object) = self {
            object.nodes.retain(|named| named == node);
            object.nodes.truncate(1);
            object.nodes.shrink_to_fit();
        }
    }
}

/// What the meta message `payload` says, whose subject ends with `token`; none if it is about no plug-in.
pub fn read(token: &str, payload: &[u8]) -> Option<(Name, Said)> {
    let name_of = |token: &str| {
        let standard = token.replace('-', "+").replace('_', "/");
        Name::parse(&String::from_utf8(base64::decode(&standard)?).ok()?)
    };
    // The subject counts: permissions are about subjects.
    let name = name_of(token)?;
    let said = serde_json::from_slice::<Value>(payload).map_err(|_| "its meta message is not JSON".into());
    let said = said.and_then(|meta| of(&name, &meta)).unwrap_or_else(Said::Unusable);
    Some((name, said))
}

fn of(name: &Name, meta: &Value) -> Result<Said, String> {
    let text = |key: &str| meta.get(key).and_then(Value::as_str);
    if text("name") != Some(&name.object()) {
        return Err("its meta message is about another object".into());
    }
    if meta.get("deleted").and_then(Value::as_bool) == Some(true) {
        return Ok(Said::Deleted);
    }
    if meta.pointer("/options/link").is_some_and(|link| !link.is_null()) {
        return Err("it is a link".into());
    }
    let nuid = text("nuid").filter(|nuid| is_token(nuid)).ok_or("its meta message has no nuid")?;
    let size = meta.get("size").and_then(Value::as_u64).unwrap_or_default();
    let digest = text("digest").and_then(|digest| digest.strip_prefix("SHA-256=")).and_then(hexadecimal);
    let sha256 = digest.ok_or("its meta message has no SHA-256")?;
    let nodes = meta.get("headers").map_or(Ok(Vec::new()), nodes)?;
    Ok(Said::There(Object { nuid: nuid.into(), size, sha256, nodes }))
}

/// The same digest in the form of the rest of this program.
fn hexadecimal(text: &str) -> Option<String> {
    let standard = text.trim_end_matches('=').replace('-', "+").replace('_', "/") + "=";
    let bytes = base64::decode(&standard).filter(|bytes| bytes.len() == 32)?;
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The nodes that the headers of an object name: texts, or lists of texts, as clients write them.
fn nodes(headers: &Value) -> Result<Vec<String>, String> {
    let headers = headers.as_object().into_iter().flatten();
    let of_nodes = headers.filter(|(name, _)| name.eq_ignore_ascii_case(NODES_HEADER));
    let values = of_nodes.flat_map(|(_, value)| match value {
        Value::Array(values) => values.iter().filter_map(Value::as_str).collect(),
        other => other.as_str().into_iter().collect::<Vec<_>>(),
    });
    let named: Vec<String> = values
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|node| is_token(node))
        .take(NODES_MAX + 1)
        .map(String::from)
        .collect();
    if named.len() > NODES_MAX {
        return Err(format!("{NODES_HEADER} names more than {NODES_MAX} nodes"));
    }
    Ok(named)
}

/// The last token of the subject of an object's meta message.
pub fn token_of(name: &str) -> String {
    base64::encode(name.as_bytes()).replace('+', "-").replace('/', "_")
}

#[cfg(test)]
pub(super) fn meta_of(name: &str, contents: &[u8], more: &str) -> String {
    let digest = base64::encode(crate::base::digest::Digest::of(contents).bytes());
    let digest = digest.replace('+', "-").replace('/', "_");
    let size = contents.len();
    format!(
        r#"{{"name":"{name}","bucket":"b","nuid":"N{size}","size":{size},"chunks":1,"digest":"SHA-256={digest}"{more}}}"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::digest::Digest;

    fn read_of(name: &str, meta: &str) -> Option<(Name, Said)> {
        read(&token_of(name), meta.as_bytes())
    }

    #[test]
    fn a_meta_message_says_what_is_there() {
        let meta =
            meta_of("canary/a.wasm", b"abc", r#","headers":{"fuelbox-nodes":["n1, n2","*"],"Other":"x"}"#);
        let Some((name, Said::There(object))) = read_of("canary/a.wasm", &meta) else { panic!("{meta}") };
        assert_eq!(name.object(), "canary/a.wasm");
        assert_eq!(object.sha256, Digest::of(b"abc").to_string());
        assert_eq!((object.size, object.nodes), (3, vec!["n1".into(), "n2".into()]));
        let of_text = meta_of("a.wasm", b"abc", r#","headers":{"Fuelbox-Nodes":"n1"}"#);
        let Some((_, Said::There(object))) = read_of("a.wasm", &of_text) else { panic!("{of_text}") };
        assert_eq!(object.nodes, ["n1"]);
        assert_eq!(
            read_of("a.wasm", r#"{"name":"a.wasm","deleted":true}"#).map(|(_, said)| said),
            Some(Said::Deleted)
        );
    }

    #[test]
    fn a_meta_message_cannot_speak_of_another_object() {
        let meta = meta_of("b.wasm", b"abc", "");
        assert!(matches!(read_of("a.wasm", &meta), Some((_, Said::Unusable(_)))));
        assert!(matches!(
            read_of("a.wasm", r#"{"name":"b.wasm","deleted":true}"#),
            Some((_, Said::Unusable(_)))
        ));
    }

    #[test]
    fn rubbish_is_unusable_and_no_more() {
        let good = meta_of("a.wasm", b"abc", "");
        for meta in [
            String::new(),
            "null".into(),
            "[]".into(),
            "{}".into(),
            "[".repeat(10_000),
            good.replace("SHA-256=", "SHA-1="),
            good.replace("SHA-256=", "SHA-256=A"),
            good.replace("\"N3\"", "\"N3.>\""),
            good.replace("\"N3\"", "\"a b\""),
            good.replace("\"N3\"", "\"\""),
            meta_of("a.wasm", b"abc", r#","options":{"link":{"bucket":"other"}}"#),
        ] {
            assert!(matches!(read_of("a.wasm", &meta), Some((_, Said::Unusable(_)))), "{meta:.100}");
        }
        for token in ["", "!", "YQ", "Li4vYS53YXNt", ">", "*"] {
            assert_eq!(read(token, good.as_bytes()), None, "{token}");
        }
    }

    #[test]
    fn a_canary_has_a_bounded_number_of_nodes() {
        let of = |count: usize| {
            let nodes: Vec<String> = (0..count).map(|n| format!("n{n}")).collect();
            let more = format!(r#","headers":{{"Fuelbox-Nodes":["{}"]}}"#, nodes.join(","));
            read_of("a.wasm", &meta_of("a.wasm", b"abc", &more)).unwrap().1
        };
        for count in [0, 1, NODES_MAX - 1, NODES_MAX] {
            assert!(matches!(of(count), Said::There(object) if object.nodes.len() == count), "{count}");
        }
        assert!(matches!(of(NODES_MAX + 1), Said::Unusable(_)));
        for (node, count) in [("n7", 1), ("n", 0)] {
            let mut said = of(NODES_MAX);
            said.keep_node(node);
            let Said::There(object) = said else { panic!("{said:?}") };
            assert_eq!((object.nodes.len(), object.nodes.capacity()), (count, count), "{node}");
        }
    }
}
