//! Which files of the plug-in folder came from the object store: a small file in the folder, so that what is deleted while
//! this node is off goes, and what never came from there stays.

use super::names::File;
use crate::plugins::{beneath, deploy::is_name, write};
use crate::sandbox::file::read_at_most;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The file.
const FILE: &str = ".fuelbox-bucket.json";

/// Bytes of it, at most: 10,000 plug-ins of three files take 3 MiB.
const BYTES_MAX: usize = 8 * 1024 * 1024;

/// Where a file came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Came {
    /// Its SHA-256.
    pub sha256: String,
    /// Whether from a canary.
    pub is_canary: bool,
}

/// The files of a plug-in that came from the object store.
pub type Files = BTreeMap<File, Came>;

/// All of them, by plug-in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins {
    /// By the name of the plug-in.
    pub plugins: BTreeMap<String, Files>,
}

impl Origins {
    /// What is known in `folder` of `bucket`. What cannot be read is not known.
    pub fn read(folder: &Path, bucket: &str) -> Origins {
        let path = path(folder);
        match read_at_most(&path, beneath::open(&path), BYTES_MAX) {
            Ok((bytes, _)) if bytes.len() <= BYTES_MAX => Origins::parse(&bytes, bucket),
            Ok(_) => Origins::default(),
            Err(error) => {
                if path.symlink_metadata().is_ok() {
                    log::warn!("{}: {error}", path.display());
                }
                Origins::default()
            }
        }
    }

    /// Writes them into `folder`.
    ///
    /// # Errors
    /// As the system says.
    pub fn write(&self, folder: &Path, bucket: &str) -> Result<(), crate::base::error::Error> {
        write::write(&path(folder), self.text(bucket).as_bytes())
    }

    fn text(&self, bucket: &str) -> String {
        let of_file = |came: &Came| json!({ "sha256": came.sha256, "canary": came.is_canary });
        let of_plugin = |files: &Files| -> Map<String, Value> {
            files.iter().map(|(file, came)| (key(*file).to_string(), of_file(came))).collect()
        };
        let plugins: Map<String, Value> =
            self.plugins.iter().map(|(name, files)| (name.clone(), of_plugin(files).into())).collect();
        json!({ "bucket": bucket, "plugins": plugins }).to_string() + "\n"
    }

    fn parse(bytes: &[u8], bucket: &str) -> Origins {
        let whole: Value = serde_json::from_slice(bytes).unwrap_or_default();
        if whole.get("bucket").and_then(Value::as_str) != Some(bucket) {
            return Origins::default();
        }
        let of_file = |value: &Value| {
            let sha256 = value.get("sha256")?.as_str()?.to_string();
            Some(Came { sha256, is_canary: value.get("canary").and_then(Value::as_bool).unwrap_or_default() })
        };
        let of_plugin = |(name, value): (&String, &Value)| {
            let files: Files =
                File::ALL.iter().filter_map(|file| Some((*file, of_file(value.get(key(*file))?)?))).collect();
            (is_name(name) && !files.is_empty()).then(|| (name.clone(), files))
        };
        let plugins = whole.get("plugins").and_then(Value::as_object).into_iter().flatten();
        Origins { plugins: plugins.filter_map(of_plugin).collect() }
    }
}

fn path(folder: &Path) -> PathBuf {
    folder.join(FILE)
}

fn key(file: File) -> &'static str {
    match file {
        File::Module => "module",
        File::Policy => "policy",
        File::Signature => "signature",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Origins {
        let came = |sha256: &str, is_canary| Came { sha256: sha256.into(), is_canary };
        let files = [(File::Module, came("aa", false)), (File::Policy, came("bb", true))].into();
        Origins { plugins: [("greet".to_string(), files)].into() }
    }

    #[test]
    fn they_come_back_for_the_same_bucket_only() {
        let text = some().text("b");
        assert_eq!(Origins::parse(text.as_bytes(), "b"), some());
        assert_eq!(Origins::parse(text.as_bytes(), "c"), Origins::default());
    }

    #[test]
    fn rubbish_is_as_if_nothing_were_known() {
        for text in ["", "{", "[]", r#"{"bucket":"b"}"#, r#"{"bucket":"b","plugins":[]}"#] {
            assert_eq!(Origins::parse(text.as_bytes(), "b"), Origins::default(), "{text}");
        }
        let odd = r#"{"bucket":"b","plugins":{"../x":{"module":{"sha256":"a"}},"y":{"module":1},"z":7}}"#;
        assert_eq!(Origins::parse(odd.as_bytes(), "b"), Origins::default());
    }
}
