//! What a node says that it runs, as JSON. What others say is read with care.

use super::listing::Wanted;
use super::names::File;
use crate::base::escape::cut;
use crate::plugins::registry::Plugins;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

/// Time between two reports of a node.
pub const BEAT: Duration = Duration::from_secs(10);

/// A node that has said nothing for so long is away.
pub const AWAY: Duration = Duration::from_secs(30);

/// Bytes of a report, at most, if the server takes as many.
pub const BYTES_MAX: usize = 256 * 1024;

/// Bytes of an error in a report.
const ERROR_BYTES_MAX: usize = 512;

/// Plug-ins that are read from one report.
const PLUGINS_MAX: usize = 10_000;

/// Bytes of a text that is read from a report.
const TEXT_BYTES_MAX: usize = 1024;

/// What became of what the object store has of a plug-in, where it could not be put in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What was wanted.
    pub wanted: Wanted,
    /// Why it is not in place.
    pub why: String,
}

/// What failed, by plug-in.
pub type Failures = BTreeMap<String, Failure>;

/// The SHA-256 of the files of a plug-in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sums {
    /// Of the module.
    pub sha256: Option<String>,
    /// Of its policy.
    pub policy: Option<String>,
    /// Of its signature.
    pub signature: Option<String>,
}

/// What is said of a plug-in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// What runs.
    pub runs: Sums,
    /// Why it is not what is wanted.
    pub error: Option<String>,
    /// What is wanted, if that is not what runs.
    pub wanted: Option<Sums>,
}

/// What a node says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The version of this program.
    pub fuelbox: String,
    /// Since when it is there.
    pub since: String,
    /// Its plug-ins.
    pub plugins: Vec<Entry>,
    /// How many more it has.
    pub left_out: u64,
}

/// The plug-ins of a node, with what failed. Those that failed come first.
pub fn entries(plugins: &Plugins, failures: &Failures) -> Vec<Entry> {
    let sums = |wanted: &Wanted| {
        let of = |file| wanted.sha256(file).map(String::from);
        Sums { sha256: of(File::Module), policy: of(File::Policy), signature: of(File::Signature) }
    };
    let mut all: BTreeMap<String, Entry> = BTreeMap::new();
    for plugin in plugins.all() {
        let policy = plugin.policy.digest.map(|digest| digest.to_string());
        let runs = Sums { sha256: Some(plugin.digest.to_string()), policy, signature: None };
        all.insert(plugin.name.clone(), Entry { name: plugin.name.clone(), runs, ..Entry::default() });
    }
    for (name, failure) in failures {
        let entry = all.entry(name.clone()).or_default();
        entry.name.clone_from(name);
        (entry.error, entry.wanted) = (Some(cut(&failure.why, ERROR_BYTES_MAX)), Some(sums(&failure.wanted)));
    }
    let mut all: Vec<Entry> = all.into_values().collect();
    all.sort_by_key(|entry| entry.error.is_none());
    all
}

/// The report of `node`, in at most `most` bytes, if its head fits.
pub fn text(node: &str, since: SystemTime, entries: &[Entry], most: usize) -> String {
    let shown: Vec<Value> = entries.iter().map(Entry::json).collect();
    // A head has less than that, with the longest of names.
    let mut room = most.saturating_sub(1024);
    let fits = shown.iter().take_while(|entry| {
        let bytes = entry.to_string().len() + 1;
        let has_room = bytes <= room;
        room = room.saturating_sub(bytes);
        has_room
    });
    let count = fits.count();
    json!({
        "node": node,
        "fuelbox": env!("CARGO_PKG_VERSION"),
        "since": humantime::format_rfc3339_seconds(since).to_string(),
        "beat_s": BEAT.as_secs(),
        "plugins": &shown[..count],
        "left_out": entries.len() - count,
    })
    .to_string()
}

impl Sums {
    fn fields(&self) -> Map<String, Value> {
        let all = [("sha256", &self.sha256), ("policy", &self.policy), ("signature", &self.signature)];
        all.into_iter().filter_map(|(key, sum)| Some((key.into(), sum.clone()?.into()))).collect()
    }

    fn read(value: &Value) -> Sums {
        let sum = |key| text_of(value, key);
        Sums { sha256: sum("sha256"), policy: sum("policy"), signature: sum("signature") }
    }

    /// Whether they are what `asked` asks for, as far as it does.
    pub fn are(&self, asked: &Sums) -> bool {
        let is = |own: &Option<String>, asked: &Option<String>| asked.is_none() || own == asked;
        is(&self.sha256, &asked.sha256)
            && is(&self.policy, &asked.policy)
            && is(&self.signature, &asked.signature)
    }
}

impl Entry {
    /// As JSON.
    pub fn json(&self) -> Value {
        let mut fields = Map::from_iter([("name".to_string(), Value::from(self.name.as_str()))]);
        fields.append(&mut self.runs.fields());
        if let Some(error) = &self.error {
            fields.insert("error".into(), error.as_str().into());
        }
        if let Some(wanted) = &self.wanted {
            fields.insert("wanted".into(), wanted.fields().into());
        }
        fields.into()
    }

    fn read(value: &Value) -> Option<Entry> {
        Some(Entry {
            name: text_of(value, "name")?,
            runs: Sums::read(value),
            error: text_of(value, "error"),
            wanted: value.get("wanted").filter(|wanted| wanted.is_object()).map(Sums::read),
        })
    }
}

impl Report {
    /// The report in `payload`; none if it is no such thing.
    pub fn read(payload: &[u8]) -> Option<Report> {
        let whole: Value = serde_json::from_slice(payload).ok()?;
        let plugins = whole.get("plugins")?.as_array()?;
        let read: Vec<Entry> = plugins.iter().take(PLUGINS_MAX).filter_map(Entry::read).collect();
        let beyond = (plugins.len() - read.len()) as u64;
        Some(Report {
            fuelbox: text_of(&whole, "fuelbox").unwrap_or_default(),
            since: text_of(&whole, "since").unwrap_or_default(),
            plugins: read,
            left_out: whole
                .get("left_out")
                .and_then(Value::as_u64)
                .unwrap_or_default()
                .saturating_add(beyond),
        })
    }
}

fn text_of(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(Value::as_str).map(|text| cut(text, TEXT_BYTES_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, error: Option<&str>) -> Entry {
        let runs = Sums { sha256: Some("ab".repeat(32)), policy: Some("cd".repeat(32)), signature: None };
        let wanted = error.map(|_| Sums { signature: Some("ef".repeat(32)), ..Sums::default() });
        Entry { name: name.into(), runs, error: error.map(String::from), wanted }
    }

    #[test]
    fn a_report_comes_back() {
        let entries = [entry("a", Some("no")), entry("b", None)];
        let text = text("n", SystemTime::UNIX_EPOCH, &entries, BYTES_MAX);
        let read = Report::read(text.as_bytes()).unwrap();
        assert_eq!((read.plugins.as_slice(), read.left_out), (&entries[..], 0));
        assert_eq!((&*read.since, &*read.fuelbox), ("1970-01-01T00:00:00Z", env!("CARGO_PKG_VERSION")));
    }

    #[test]
    fn a_report_is_bounded_and_says_what_is_left_out() {
        let entries: Vec<Entry> = (0..1000).map(|n| entry(&format!("plugin-{n}"), None)).collect();
        let node = "n".repeat(256);
        for most in [0, 2_000, 64 * 1024] {
            let text = text(&node, SystemTime::now(), &entries, most);
            assert!(text.len() <= most.max(1024), "{} of {most}", text.len());
            let read = Report::read(text.as_bytes()).unwrap();
            assert_eq!(read.plugins.len() as u64 + read.left_out, 1000);
            assert!(read.left_out > 0);
        }
    }

    #[test]
    fn rubbish_is_no_report() {
        for rubbish in [&b""[..], b"\xff", b"null", b"{}", b"[]", br#"{"plugins":{}}"#, &[b'['; 100_000]] {
            assert_eq!(Report::read(rubbish), None);
        }
        let odd = br#"{"plugins":[1,{},{"name":7},{"name":"a","sha256":[],"wanted":3}],"left_out":-1,"fuelbox":{}}"#;
        let read = Report::read(odd).unwrap();
        assert_eq!((read.plugins.len(), read.left_out), (1, 3));
        let long = json!({ "plugins": [{ "name": "x".repeat(5000) }] }).to_string();
        assert!(Report::read(long.as_bytes()).unwrap().plugins[0].name.len() < 1100);
    }

    #[test]
    fn sums_are_compared_as_far_as_they_are_asked_for() {
        let sums = |sha256: &str| Sums { sha256: Some(sha256.into()), ..Sums::default() };
        assert!(sums("a").are(&Sums::default()) && sums("a").are(&sums("a")));
        assert!(!sums("a").are(&sums("b")) && !Sums::default().are(&sums("b")));
    }
}
