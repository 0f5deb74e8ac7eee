//! Names of objects, and of what NATS keeps them in.

use crate::plugins::deploy::is_name;

/// Objects of a bucket, at most; those beyond are no plug-ins.
pub const OBJECTS_MAX: usize = 10_000;

/// Nodes that a canary is for, at most.
pub const NODES_MAX: usize = 1_000;

/// The header of an object that names the nodes of a canary.
pub const NODES_HEADER: &str = "Fuelbox-Nodes";

/// What names of canaries begin with.
const CANARY: &str = "canary/";

/// A file of a plug-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum File {
    /// `NAME.wasm`.
    Module,
    /// `NAME.toml`.
    Policy,
    /// `NAME.wasm.minisig`.
    Signature,
}

impl File {
    /// All of them.
    pub const ALL: [File; 3] = [File::Module, File::Policy, File::Signature];

    fn ending(self) -> &'static str {
        match self {
            File::Module => ".wasm",
            File::Policy => ".toml",
            File::Signature => ".wasm.minisig",
        }
    }
}

/// The name of an object that is for a plug-in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// The plug-in.
    pub plugin: String,
    /// Which of its files.
    pub file: File,
    /// Whether it is for some nodes only.
    pub is_canary: bool,
}

impl Name {
    /// What `text` names; none if it is for no plug-in.
    pub fn parse(text: &str) -> Option<Name> {
        let (plain, is_canary) = text.strip_prefix(CANARY).map_or((text, false), |plain| (plain, true));
        // No name ends in `.wasm`, so that only one of the endings leaves one.
        File::ALL.iter().find_map(|file| {
            let plugin = plain.strip_suffix(file.ending()).filter(|plugin| is_name(plugin))?;
            Some(Name { plugin: plugin.into(), file: *file, is_canary })
        })
    }

    /// The name of this object.
    pub fn object(&self) -> String {
        let canary = if self.is_canary { CANARY } else { "" };
        format!("{canary}{}{}", self.plugin, self.file.ending())
    }
}

/// The stream behind the object store `bucket`.
pub fn stream(bucket: &str) -> String {
    format!("OBJ_{bucket}")
}

/// What the subjects of its objects' meta messages begin with.
pub fn metas(bucket: &str) -> String {
    format!("$O.{bucket}.M.")
}

/// The subject of the chunks of one object.
pub fn chunks(bucket: &str, nuid: &str) -> String {
    format!("$O.{bucket}.C.{nuid}")
}

/// The key-value bucket of the reports of those that follow `bucket`.
pub fn nodes(bucket: &str) -> String {
    format!("{bucket}-nodes")
}

/// The stream behind it.
pub fn nodes_stream(bucket: &str) -> String {
    format!("KV_{bucket}-nodes")
}

/// What the subjects of its keys begin with.
pub fn nodes_subjects(bucket: &str) -> String {
    format!("$KV.{bucket}-nodes.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_called_as_its_file() {
        for (text, plugin, file, is_canary) in [
            ("greet.wasm", "greet", File::Module, false),
            ("greet.toml", "greet", File::Policy, false),
            ("greet.wasm.minisig", "greet", File::Signature, false),
            ("canary/greet.wasm", "greet", File::Module, true),
            ("canary/a.b-c_d.toml", "a.b-c_d", File::Policy, true),
            ("canary/1.wasm.minisig", "1", File::Signature, true),
            ("a.toml.wasm", "a.toml", File::Module, false),
        ] {
            let name = Name { plugin: plugin.into(), file, is_canary };
            assert_eq!(Name::parse(text).as_ref(), Some(&name), "{text}");
            assert_eq!(name.object(), text);
        }
        let longest = "a".repeat(64) + ".wasm";
        assert!(Name::parse(&longest).is_some() && Name::parse(&format!("a{longest}")).is_none());
    }

    #[test]
    fn what_is_no_file_of_a_plugin_is_nothing() {
        for text in [
            "",
            ".wasm",
            "greet",
            "greet.wat",
            "greet.wasm.wasm",
            "greet.wasm.toml",
            "greet.minisig",
            "../greet.wasm",
            "..",
            "a/b.wasm",
            "/greet.wasm",
            "canary/",
            "canary/.wasm",
            "canary/canary/greet.wasm",
            "canary/../greet.wasm",
            ".greet.wasm",
            "gr\0eet.wasm",
            "gr eet.wasm",
            "gr\u{e9}et.wasm",
            "greet.wasm\n",
        ] {
            assert_eq!(Name::parse(text), None, "{text:?}");
        }
    }
}
