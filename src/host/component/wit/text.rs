//! WIT as words and marks.

/// What is still to be read.
#[derive(Clone, Copy)]
pub struct Text(pub &'static str);

impl Text {
    /// Goes to the next token.
    fn trim(&mut self) {
        self.0 = self.0.trim_start();
        while let Some(comment) = self.0.strip_prefix("//") {
            self.0 = comment.split_once('\n').map_or("", |(_, rest)| rest).trim_start();
        }
    }

    /// Whether nothing is left.
    pub fn is_done(&mut self) -> bool {
        self.trim();
        self.0.is_empty()
    }

    /// The first character of the next token.
    pub fn peek(&mut self) -> Option<char> {
        self.trim();
        self.0.chars().next()
    }

    /// Takes `mark`, if it is next.
    pub fn eat(&mut self, mark: &str) -> bool {
        self.trim();
        let rest = self.0.strip_prefix(mark);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    /// Takes `mark`, which must be next.
    pub fn expect(&mut self, mark: &str) -> Result<(), String> {
        match self.eat(mark) {
            true => Ok(()),
            false => Err(self.unexpected(&format!("`{mark}`"))),
        }
    }

    /// A comma, unless the list ends here.
    pub fn comma(&mut self, end: &str) -> Result<(), String> {
        match self.eat(",") || self.clone().eat(end) {
            true => Ok(()),
            false => Err(self.unexpected(&format!("`,` or `{end}`"))),
        }
    }

    /// A name or a keyword, without its `%`.
    pub fn word(&mut self) -> Result<&'static str, String> {
        self.eat("%");
        let is_end = |c: char| !c.is_ascii_alphanumeric() && c != '-';
        let (word, rest) = self.0.split_at(self.0.find(is_end).unwrap_or(self.0.len()));
        if !word.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Err(self.unexpected("a name"));
        }
        self.0 = rest;
        Ok(word)
    }

    /// What is behind `use`, to its end: if it is about `name`, that name, the interface, and the name there.
    pub fn used(&mut self, name: &str) -> Result<Option<(&'static str, &'static str, &'static str)>, String> {
        self.trim();
        let begin = self.0;
        let Some((path, names)) = begin.split_once(".{") else {
            return Err(self.unexpected("an interface and `.{`"));
        };
        let mut found = None;
        self.0 = names;
        while !self.eat("}") {
            let original = self.word()?;
            // Behind a word that is no alias comes a comma or the end.
            let alias = if self.eat("as ") { self.word()? } else { original };
            if alias == name {
                found = Some((alias, path, original));
            }
            self.comma("}")?;
        }
        self.expect(";")?;
        Ok(found)
    }

    /// Goes behind the next `end`.
    pub fn skip(&mut self, end: &str) -> Result<(), String> {
        while !self.eat(end) {
            let mut chars = self.0.chars();
            if chars.next().is_none() {
                return Err(self.unexpected(&format!("`{end}`")));
            }
            self.0 = chars.as_str();
        }
        Ok(())
    }

    /// What is wrong here.
    pub fn unexpected(&self, expected: &str) -> String {
        let found: String = self.0.chars().take(20).collect();
        format!("expected {expected}, found `{found}`")
    }
}
