//! Words that a [`Stop`](super::outcome::Stop) holds, as another process gave them.

#[cfg(feature = "isolation")]
use serde::de::{Deserialize, Deserializer, Error};

/// One of a few words. (By this name, serde does not take it for something that it may borrow.)
pub type Word = &'static str;

/// All of them.
#[cfg(feature = "isolation")]
const WORDS: [&str; 21] = [
    "result",
    "stdout",
    "stderr",
    "the guest's stack or table",
    "an instance",
    "the result",
    "the input",
    "the output",
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
