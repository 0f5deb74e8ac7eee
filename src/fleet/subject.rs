//! Names in subjects. A subject is a list of tokens with dots between them, `*` and `>` are wildcards, and white space ends it
//! (NATS, "Subject-Based Messaging"): a name that has any of these is percent-encoded, so that no text of a client can be more
//! than the one token that it is for.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What requests begin with: `fuelbox.execute.PLUGIN` and `fuelbox.execute.PLUGIN.FUNC`.
pub const EXECUTE: &str = "fuelbox.execute";

/// What jobs begin with: `fuelbox.jobs.PLUGIN` and `fuelbox.jobs.PLUGIN.FUNC`.
pub const JOBS: &str = "fuelbox.jobs";

/// What the results of jobs begin with.
pub const RESULTS: &str = "fuelbox.results";

/// What the dead letters of jobs begin with.
pub const DEAD: &str = "fuelbox.dead";

/// Bytes of an encoded name, at most: names of plug-ins have 64 characters, and those of functions are cut here.
pub const TOKEN_BYTES_MAX: usize = 256;

/// What stays as it is: letters, digits, `-` and `_`.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// Whether `text` is a token as it is.
pub fn is_token(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    !text.is_empty() && text.len() <= TOKEN_BYTES_MAX && text.bytes().all(is_plain)
}

/// The token for `name`; none for an empty name, or one that is too long.
pub fn token(name: &str) -> Option<String> {
    let token = utf8_percent_encode(name, ENCODED).to_string();
    (!token.is_empty() && token.len() <= TOKEN_BYTES_MAX).then_some(token)
}

/// The name that a token is for; none if no name has this token.
pub fn name(token: &str) -> Option<String> {
    let name = percent_decode_str(token).decode_utf8().ok()?;
    // One name has one token: otherwise two subjects that permissions tell apart could be of one plug-in.
    (self::token(&name).as_deref() == Some(token)).then(|| name.into_owned())
}

/// What a request or a job is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The plug-in.
    pub plugin: String,
    /// The function, if the subject names one.
    pub function: Option<String>,
}

impl Target {
    /// What `subject` is for, behind `prefix` and a dot.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn of(subject: &str, prefix: &str) -> Result<Target, String> {
        let rest = subject.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('.'));
        let mut tokens = rest.unwrap_or_default().split('.');
        let decoded = |token: &str| {
            name(token).ok_or(
                "a token of the subject is not as it must be: percent-encoded but for letters, digits, `-` and `_`",
            )
        };
        let plugin = decoded(tokens.next().unwrap_or_default())?;
        let function = tokens.next().map(decoded).transpose()?;
        match tokens.next() {
            None => Ok(Target { plugin, function }),
            Some(_) => {
                Err(format!("the subject has too many tokens: {prefix}.PLUGIN or {prefix}.PLUGIN.FUNC"))
            }
        }
    }

    /// The subject behind `prefix`; none if a name has no token.
    pub fn subject(&self, prefix: &str) -> Option<String> {
        let plugin = token(&self.plugin)?;
        match &self.function {
            None => Some(format!("{prefix}.{plugin}")),
            Some(function) => Some(format!("{prefix}.{plugin}.{}", token(function)?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_is_one_token_and_comes_back() {
        for name in ["greet", "a.b", "*", ">", "a b", "a\r\nPUB x 1", "ä", "%", "%2E", "a>b", "$SRV", "\0"] {
            let token = token(name).unwrap();
            assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_%".contains(&b)), "{token}");
            assert_eq!(super::name(&token).as_deref(), Some(name));
            let target = Target { plugin: name.into(), function: Some(name.into()) };
            let subject = target.subject(EXECUTE).unwrap();
            assert_eq!(subject.split('.').count(), 4);
            assert_eq!(Target::of(&subject, EXECUTE), Ok(target));
        }
        assert_eq!((token(""), token(&"a".repeat(257))), (None, None));
        assert_eq!(token(&"a".repeat(256)).map(|token| token.len()), Some(256));
    }

    #[test]
    fn a_name_has_one_token_only() {
        for other in ["%67reet", "a%2eb", "%ZZ", "%", "gr\u{e9}et", "%FF", "a b", "*", ">", ""] {
            assert_eq!(name(other), None, "{other}");
        }
    }

    #[test]
    fn a_subject_has_one_or_two_names() {
        let target = |subject: &str| Target::of(subject, EXECUTE);
        assert_eq!(target("fuelbox.execute.a"), Ok(Target { plugin: "a".into(), function: None }));
        for wrong in [
            "",
            "fuelbox.execute",
            "fuelbox.execute.",
            "fuelbox.execute.a.",
            "fuelbox.execute.a.b.c",
            "fuelbox.executea",
            "other.execute.a",
            "fuelbox.execute.a.*",
            "fuelbox.execute..b",
        ] {
            assert!(target(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_node_is_called_by_a_plain_token() {
        assert!(is_token("gateway-7_b") && !is_token("") && !is_token("a.b") && !is_token("a%20b"));
        assert!(is_token(&"a".repeat(256)) && !is_token(&"a".repeat(257)));
    }
}
