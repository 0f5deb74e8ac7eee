//! The library's face: what `lib.rs` re-exports for its users, and that each of these has an example.

use super::{read, root, rust_files};
use std::collections::BTreeMap;
use syn::{Attribute, Expr, ExprLit, Item, Lit, Meta, UseTree};

/// Types and traits that a page can hold. One more is a decision.
const NAMES_MAX: usize = 36;

#[test]
fn everything_public_has_an_example() {
    let lib = syn::parse_file(&read(&root().join("src/lib.rs"))).unwrap();
    let names = exported(&lib);
    assert!(names.contains(&"Runner".to_string()) && names.len() > 20, "{names:?}");
    assert!(names.len() <= NAMES_MAX, "{} names: {names:?}", names.len());
    let mut documents: BTreeMap<String, String> = BTreeMap::new();
    for path in rust_files(&root().join("src")) {
        let file = syn::parse_file(&read(&path)).unwrap();
        for (name, text) in file.items.iter().filter_map(documented) {
            // Names of the command line's own may be the same.
            documents.entry(name).or_default().push_str(&text);
        }
    }
    let without: Vec<_> =
        names.iter().filter(|name| !documents.get(*name).is_some_and(|text| text.contains("```"))).collect();
    assert!(without.is_empty(), "without an example: {without:?}");
}

#[test]
fn rooms_are_hidden_or_private() {
    let lib = syn::parse_file(&read(&root().join("src/lib.rs"))).unwrap();
    let shown = lib.items.iter().filter_map(|item| match item {
        Item::Mod(module) if is_public(&module.vis) && !is_hidden(&module.attrs) => {
            Some(module.ident.to_string())
        }
        _ => None,
    });
    // A value of a component is another thing than a core value, and both are called that.
    assert_eq!(shown.collect::<Vec<_>>(), ["component"], "users find all names at the top");
}

/// The names that the file re-exports for everybody.
fn exported(file: &syn::File) -> Vec<String> {
    let mut names = Vec::new();
    for item in &file.items {
        if let Item::Use(item) = item
            && is_public(&item.vis)
            && !is_hidden(&item.attrs)
        {
            leaves(&item.tree, &mut names);
        }
    }
    names
}

fn leaves(tree: &UseTree, names: &mut Vec<String>) {
    match tree {
        UseTree::Path(path) => leaves(&path.tree, names),
        UseTree::Name(name) => names.push(name.ident.to_string()),
        UseTree::Rename(rename) => names.push(rename.rename.to_string()),
        UseTree::Glob(_) => panic!("a glob exports what nobody has decided on"),
        UseTree::Group(group) => group.items.iter().for_each(|item| leaves(item, names)),
    }
}

/// A public type or trait, and its documentation.
fn documented(item: &Item) -> Option<(String, String)> {
    let (vis, ident, attrs) = match item {
        Item::Struct(item) => (&item.vis, &item.ident, &item.attrs),
        Item::Enum(item) => (&item.vis, &item.ident, &item.attrs),
        Item::Trait(item) => (&item.vis, &item.ident, &item.attrs),
        _ => return None,
    };
    is_public(vis).then(|| (ident.to_string(), documentation(attrs)))
}

fn is_public(vis: &syn::Visibility) -> bool {
    matches!(vis, syn::Visibility::Public(_))
}

fn is_hidden(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| match &attr.meta {
        Meta::List(list) => list.path.is_ident("doc") && list.tokens.to_string().contains("hidden"),
        _ => false,
    })
}

fn documentation(attrs: &[Attribute]) -> String {
    let lines = attrs.iter().filter_map(|attr| match &attr.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn it_sees_what_is_exported_and_what_is_documented() {
    let file = |source: &str| syn::parse_file(source).unwrap();
    let lib = "pub use a::{B, c::D as E}; #[doc(hidden)] pub use f::G; pub(crate) use h::I; use j::K;";
    assert_eq!(exported(&file(lib)), ["B", "E"]);
    let item = |source: &str| documented(&file(source).items[0]);
    let example = "/// Words.\n///\n/// ```\n/// f();\n/// ```\n#[derive(Debug)]\npub struct A;";
    let (name, text) = item(example).unwrap();
    assert!(name == "A" && text.contains("```"), "{text}");
    assert_eq!(item("/// Words.\npub enum A {}"), Some(("A".into(), " Words.".into())));
    assert_eq!((item("pub(crate) struct A;"), item("pub fn a() {}")), (None, None));
}
