//! Which files of the library a source file uses.
//!
//! Every path counts, wherever it stands: in `use` and `pub use`, in expressions, types and attributes, and among the
//! tokens of macros. A path leads to the file that it names, also where that file only re-exports what is meant: the
//! file that re-exports uses the other. `mod x;` and `pub(super)` use nothing.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};
use syn::visit::{self, Visit};

/// Imports of imports that are followed.
const IMPORT_DEPTH: usize = 8;

/// The files among `names` that `source`, the file of the module `own`, uses.
pub fn used_files(source: &str, own: &str, names: &BTreeSet<String>) -> BTreeSet<String> {
    let tree = syn::parse_file(source).unwrap_or_else(|error| panic!("{own}: {error}"));
    let own_words: Vec<String> = match own {
        "lib" => Vec::new(),
        _ => own.split('/').map(str::to_string).collect(),
    };
    let mut paths = Paths { module: own_words, found: Vec::new(), imports: BTreeMap::new() };
    paths.visit_file(&tree);
    let resolver = Resolver { imports: &paths.imports, names };
    let mut used: BTreeSet<String> = paths
        .found
        .iter()
        .flat_map(|path| resolver.absolute(path, IMPORT_DEPTH))
        .map(|words| resolver.file_of(&words))
        .collect();
    used.remove(own);
    used
}

/// A path, and the module in which it stands.
#[derive(Clone)]
struct Found {
    module: Vec<String>,
    words: Vec<String>,
}

/// Collects the paths of a file.
struct Paths {
    /// The present module: the file's, or one written in the file.
    module: Vec<String>,
    found: Vec<Found>,
    /// What `use` has named.
    imports: BTreeMap<String, Vec<Found>>,
}

impl Paths {
    fn add(&mut self, words: Vec<String>) {
        if !words.is_empty() {
            self.found.push(Found { module: self.module.clone(), words });
        }
    }

    fn import(&mut self, name: String, words: Vec<String>) {
        let found = Found { module: self.module.clone(), words: words.clone() };
        self.imports.entry(name).or_default().push(found);
        self.add(words);
    }

    fn use_tree(&mut self, tree: &syn::UseTree, prefix: &[String]) {
        let with = |word: &syn::Ident| {
            let mut words = prefix.to_vec();
            // `use a::{self}` is `use a`.
            if words.is_empty() || word != "self" {
                words.push(word.to_string());
            }
            words
        };
        match tree {
            syn::UseTree::Path(path) => self.use_tree(&path.tree, &with(&path.ident)),
            syn::UseTree::Name(name) => {
                let words = with(&name.ident);
                let last = words.last().cloned().unwrap_or_default();
                self.import(last, words);
            }
            syn::UseTree::Rename(rename) => self.import(rename.rename.to_string(), with(&rename.ident)),
            syn::UseTree::Glob(_) => self.add(prefix.to_vec()),
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.use_tree(item, prefix)),
        }
    }

    /// The paths among the tokens of a macro. After `a::`, what stands in braces continues the path.
    fn tokens(&mut self, tokens: TokenStream, prefix: &[String]) {
        let mut words: Vec<String> = Vec::new();
        // How many colons there were since the last word.
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.add(std::mem::take(&mut words));
                        words = prefix.to_vec();
                    }
                    words.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' && !words.is_empty() => colons += 1,
                TokenTree::Group(group) => {
                    let continues = colons == 2 && group.delimiter() == Delimiter::Brace;
                    let inner = if continues { words.clone() } else { Vec::new() };
                    self.tokens(group.stream(), &inner);
                    self.add(std::mem::take(&mut words));
                    colons = 0;
                }
                _ => {
                    self.add(std::mem::take(&mut words));
                    colons = 0;
                }
            }
        }
        self.add(words);
    }
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        self.module.push(module.ident.to_string());
        visit::visit_item_mod(self, module);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if item.leading_colon.is_none() {
            self.use_tree(&item.tree, &[]);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            self.add(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        self.tokens(mac.tokens.clone(), &[]);
        visit::visit_macro(self, mac);
    }

    fn visit_meta_list(&mut self, list: &'ast syn::MetaList) {
        self.tokens(list.tokens.clone(), &[]);
        visit::visit_meta_list(self, list);
    }

    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}
}

/// Turns paths into names of files.
struct Resolver<'a> {
    imports: &'a BTreeMap<String, Vec<Found>>,
    names: &'a BTreeSet<String>,
}

impl Resolver<'_> {
    /// What a path means, from the crate's root; nothing for one of another crate.
    fn absolute(&self, path: &Found, depth: usize) -> Vec<Vec<String>> {
        let (mut base, mut rest) = (path.module.clone(), &path.words[..]);
        match path.words[0].as_str() {
            "crate" => (base, rest) = (Vec::new(), &rest[1..]),
            "self" | "super" => {
                while let Some((first, more)) =
                    rest.split_first().filter(|(w, _)| *w == "self" || *w == "super")
                {
                    if first == "super" {
                        base.pop();
                    }
                    rest = more;
                }
            }
            first => match self.imports.get(first).filter(|_| depth > 0) {
                // `use http::x` in the parent of the file `http` names a child, not itself.
                Some(imports) => {
                    let others = imports.iter().filter(|import| import.words[0] != first);
                    let expanded = others.flat_map(|import| self.absolute(import, depth - 1));
                    let mut all: Vec<_> =
                        expanded.map(|words| [&words[..], &path.words[1..]].concat()).collect();
                    all.extend(self.child(path));
                    return all;
                }
                None => return self.child(path).into_iter().collect(),
            },
        }
        vec![[&base[..], rest].concat()]
    }

    /// A path that begins with a child of its module.
    fn child(&self, path: &Found) -> Option<Vec<String>> {
        let name = [&path.module[..], &path.words[..1]].concat().join("/");
        self.names.contains(&name).then(|| [&path.module[..], &path.words[..]].concat())
    }

    /// The file that holds what `words` name: the longest beginning that is a file.
    fn file_of(&self, words: &[String]) -> String {
        let prefixes = (1..=words.len()).rev().map(|n| words[..n].join("/"));
        prefixes.into_iter().find(|name| self.names.contains(name)).unwrap_or_else(|| "lib".into())
    }
}
