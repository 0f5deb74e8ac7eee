//! Words that a [`Stop`](super::outcome::Stop) holds, as another process gave them.

#[cfg(feature = "isolation")]
use serde::de::{Deserialize, Deserializer, Error};

/// One of a few words. (By this name, serde does not take it for something that it may borrow.)
pub type Word = &'static str;

/// All of them.
#[cfg(feature = "isolation")]
const WORDS: [&str; 22] = [
    "result",
    "stdout",
    "stderr",
    "the guest's stack or table",
    "an instance",
    "the result",
    "the input",
    "the output",
    "a response",
    "a run",
    "a configuration",
    "a variable",
    "the guest's input or output",
    "a process",
    "abort",
    "out of memory",
    "bad system call",
    "killed",
    "signal",
    "exit",
    "protocol",
    "loading",
];

/// One of these words.
#[cfg(feature = "isolation")]
pub fn known<'de, D: Deserializer<'de>>(from: D) -> Result<Word, D::Error> {
    let given = String::deserialize(from)?;
    WORDS.into_iter().find(|word| *word == given).ok_or_else(|| D::Error::custom("an unknown word"))
}

#[cfg(all(test, feature = "isolation"))]
mod tests {
    use super::WORDS;
    use std::path::Path;

    /// The texts behind `begin` in the sources of `dir`.
    fn texts(dir: &Path, begin: &str, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                texts(&path, begin, found);
                continue;
            }
            let source = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
            let after = source.split(begin).skip(1);
            found.extend(after.filter_map(|rest| Some(rest.split_once('"')?.0.to_string())));
        }
    }

    #[test]
    fn every_word_that_a_stop_is_made_with_is_known() {
        let mut found = Vec::new();
        for begin in ["NoMemory { what: \"", "OutputFull { stream: \"", "Died { how: \"", "Sink::new(\""] {
            texts(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), begin, &mut found);
        }
        assert!(found.len() > 10, "{found:?}");
        found.retain(|word| !WORDS.contains(&word.as_str()) && !word.contains('\\'));
        assert!(found.is_empty(), "{found:?}");
    }
}
