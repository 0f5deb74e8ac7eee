//! A component that calls another one, written in whatever language (`../../wit/text.wit`). `wac` puts the two together.

wit_bindgen::generate!({ world: "summary", path: "../../wit" });

use demo::text::text::{self, Problem};

struct Summary;

impl Guest for Summary {
    fn summarize(text: String) -> Result<String, String> {
        let lines: Vec<String> = text.lines().map(String::from).collect();
        let words = text::count(&lines, None).map_err(|problem| match problem {
            Problem::NoWords => text::greet("whoever has nothing to say"),
            Problem::TooManyLines(lines) => format!("{lines} lines are too many"),
        })?;
        // Of several words that are there equally often, `max_by_key` would take the last.
        let most = words.iter().rev().max_by_key(|word| word.times).ok_or("no words")?;
        Ok(format!("{} words; {} is there {} times, in lines {:?}", words.len(), most.text, most.times, most.lines))
    }
}

export!(Summary);
