//! What is in the object store, and what of it one node is to have. Pure.

use super::names::{File, Name, OBJECTS_MAX};
use super::object::{Object, Said};
use super::origin::Files;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// What is said of each object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    objects: BTreeMap<Name, Said>,
}

/// What a node is to do about a file of a plug-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Want {
    /// The object store does not say.
    Keep,
    /// It goes.
    Remove,
    /// It becomes this object, which is a canary or not.
    Put(Object, bool),
    /// It cannot become what is there, for this reason.
    Unusable(String),
}

/// What a node is to do about a plug-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// About each of its files.
    pub files: BTreeMap<File, Want>,
}

impl Listing {
    /// Takes in what is said of an object.
    ///
    /// # Errors
    /// There are too many objects; it is left out.
    pub fn note(&mut self, name: Name, said: Said) -> Result<(), String> {
        if self.objects.len() >= OBJECTS_MAX && !self.objects.contains_key(&name) {
            // Without its name: what is wrong is told once, and not for each of them.
            return Err(format!("the bucket has more than {OBJECTS_MAX} objects; those beyond are left out"));
        }
        self.objects.insert(name, said);
        Ok(())
    }

    /// The plug-ins that something is said of.
    pub fn plugins(&self) -> BTreeSet<&str> {
        self.objects.keys().map(|name| name.plugin.as_str()).collect()
    }

    /// What is said of one object.
    pub fn said(&self, plugin: &str, file: File, is_canary: bool) -> Option<&Said> {
        self.objects.get(&Name { plugin: plugin.into(), file, is_canary })
    }

    /// Whether `node` is one of those that a canary of `plugin` is for.
    fn has_canary(&self, plugin: &str, node: &str) -> bool {
        let module = self.said(plugin, File::Module, true);
        matches!(module, Some(Said::There(object)) if object.nodes.iter().any(|named| named == node))
    }

    /// What `node` is to do about `plugin`, of which `came` came from the object store.
    pub fn wanted(&self, plugin: &str, node: &str, came: Option<&Files>) -> Wanted {
        let has_canary = self.has_canary(plugin, node);
        let of = |file: File| {
            let came = came.and_then(|files| files.get(&file));
            match (self.said(plugin, file, true), self.said(plugin, file, false)) {
                (Some(Said::There(object)), _) if has_canary => Want::Put(object.clone(), true),
                (Some(Said::Unusable(why)), _) if has_canary => Want::Unusable(why.clone()),
                (_, Some(Said::There(object))) => Want::Put(object.clone(), false),
                (_, Some(Said::Unusable(why))) => Want::Unusable(why.clone()),
                (_, Some(Said::Deleted)) if came.is_some() => Want::Remove,
                // A canary that is no longer for this node, of a plug-in that has no other.
                (Some(_), None) if came.is_some_and(|came| came.is_canary) => Want::Remove,
                _ => Want::Keep,
            }
        };
        Wanted { files: File::ALL.iter().map(|file| (*file, of(*file))).collect() }
    }
}

impl Wanted {
    /// What is wanted of `file`.
    pub fn of(&self, file: File) -> &Want {
        self.files.get(&file).unwrap_or(&Want::Keep)
    }

    /// The SHA-256 that `file` is to have.
    pub fn sha256(&self, file: File) -> Option<&str> {
        match self.of(file) {
            Want::Put(object, _) => Some(&object.sha256),
            _ => None,
        }
    }

    /// Whether both are about the same contents, of whatever objects.
    pub fn is_like(&self, other: &Wanted) -> bool {
        File::ALL.iter().all(|file| match (self.of(*file), other.of(*file)) {
            (Want::Put(one, _), Want::Put(another, _)) => one.sha256 == another.sha256,
            (one, another) => one == another,
        })
    }

    /// Why it cannot be done, if that is known already.
    pub fn problem(&self) -> Option<String> {
        self.files.iter().find_map(|(file, want)| match want {
            Want::Unusable(why) => Some(format!("{file:?} object: {why}")),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::object::{meta_of, read, token_of};
    use super::super::origin::Came;
    use super::*;

    fn put(listing: &mut Listing, object: &str, contents: &str, nodes: &str) {
        let more = format!(r#","headers":{{"Fuelbox-Nodes":["{nodes}"]}}"#);
        let meta = meta_of(object, contents.as_bytes(), &more);
        let (name, said) = read(&token_of(object), meta.as_bytes()).unwrap();
        listing.note(name, said).unwrap();
    }

    fn delete(listing: &mut Listing, object: &str) {
        listing.note(Name::parse(object).unwrap(), Said::Deleted).unwrap();
    }

    fn came(is_canary: bool) -> Files {
        [(File::Module, Came { sha256: "aa".into(), is_canary })].into()
    }

    fn module(listing: &Listing, node: &str, came: Option<&Files>) -> String {
        match listing.wanted("a", node, came).of(File::Module) {
            Want::Put(object, is_canary) => format!("{} {is_canary}", object.size),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn what_was_never_there_changes_nothing() {
        let listing = Listing::default();
        assert_eq!(module(&listing, "n", None), "Keep");
        assert_eq!(module(&listing, "n", Some(&came(false))), "Keep");
        assert_eq!(module(&listing, "n", Some(&came(true))), "Keep");
    }

    #[test]
    fn what_is_deleted_goes_if_it_came_from_there() {
        let mut listing = Listing::default();
        delete(&mut listing, "a.wasm");
        assert_eq!(module(&listing, "n", None), "Keep");
        assert_eq!(module(&listing, "n", Some(&came(false))), "Remove");
    }

    #[test]
    fn a_canary_is_for_its_nodes_and_they_go_back() {
        let mut listing = Listing::default();
        put(&mut listing, "a.wasm", "1", "");
        put(&mut listing, "canary/a.wasm", "22", "n1,n2");
        put(&mut listing, "canary/a.toml", "333", "");
        assert_eq!(
            (module(&listing, "n1", None), module(&listing, "n3", None)),
            ("2 true".into(), "1 false".into())
        );
        assert!(listing.wanted("a", "n1", None).sha256(File::Policy).is_some());
        assert!(listing.wanted("a", "n3", None).sha256(File::Policy).is_none());
        delete(&mut listing, "canary/a.wasm");
        assert_eq!(module(&listing, "n1", Some(&came(true))), "1 false");
        assert!(listing.wanted("a", "n1", None).sha256(File::Policy).is_none());
    }

    #[test]
    fn a_canary_of_a_new_plugin_goes_with_it() {
        let mut listing = Listing::default();
        put(&mut listing, "canary/a.wasm", "22", "n1");
        assert_eq!(module(&listing, "n1", None), "2 true");
        assert_eq!(module(&listing, "n2", None), "Keep");
        // It is no longer for this one.
        assert_eq!(module(&listing, "n2", Some(&came(true))), "Remove");
        delete(&mut listing, "canary/a.wasm");
        assert_eq!(module(&listing, "n1", Some(&came(true))), "Remove");
        assert_eq!(module(&listing, "n1", Some(&came(false))), "Keep");
    }

    #[test]
    fn sets_are_alike_by_their_contents() {
        let (mut one, mut other) = (Listing::default(), Listing::default());
        put(&mut one, "a.wasm", "1", "");
        put(&mut other, "canary/a.wasm", "1", "n");
        let wanted = |listing: &Listing| listing.wanted("a", "n", None);
        assert!(wanted(&one).is_like(&wanted(&other)));
        put(&mut other, "canary/a.toml", "1", "n");
        assert!(!wanted(&one).is_like(&wanted(&other)));
    }

    #[test]
    fn objects_are_bounded() {
        let mut listing = Listing::default();
        let name = |n: usize| Name::parse(&format!("a{n}.wasm")).unwrap();
        for n in 0..OBJECTS_MAX {
            listing.note(name(n), Said::Deleted).unwrap();
        }
        assert!(listing.note(name(OBJECTS_MAX), Said::Deleted).unwrap_err().contains("10000"));
        assert!(listing.note(name(0), Said::Unusable("x".into())).is_ok());
    }
}
