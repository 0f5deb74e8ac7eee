//! A component with a world of its own (`../../wit/text.wit`), made by `wit-bindgen`.

wit_bindgen::generate!({ world: "texts", path: "../../wit" });

use exports::demo::text::text::{Guest, Problem, Word};

const LINES_MAX: usize = 1000;

struct Texts;

impl Guest for Texts {
    fn greet(name: String) -> String {
        format!("Hello, {name}")
    }

    fn count(lines: Vec<String>, least: Option<u32>) -> Result<Vec<Word>, Problem> {
        if lines.len() > LINES_MAX {
            return Err(Problem::TooManyLines(lines.len() as u32));
        }
        let mut words: Vec<Word> = Vec::new();
        for (number, line) in (1..).zip(&lines) {
            for text in line.split(' ').filter(|text| !text.is_empty()) {
                let at = words.iter().position(|word| word.text == text).unwrap_or_else(|| {
                    words.push(Word { text: text.into(), times: 0, lines: Vec::new() });
                    words.len() - 1
                });
                words[at].times += 1;
                if words[at].lines.last() != Some(&number) {
                    words[at].lines.push(number);
                }
            }
        }
        if words.is_empty() {
            return Err(Problem::NoWords);
        }
        words.retain(|word| word.times >= least.unwrap_or(0));
        Ok(words)
    }
}

export!(Texts);
