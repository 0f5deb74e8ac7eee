//! The checker sees what it has to see: small sources, and what is found in each.

use super::graph::{Graph, circles, upward};
use super::lengths::functions;
use super::uses::used_files;
use super::{ROOMS, listed_rooms};
use std::collections::BTreeSet;

/// What `source` uses as the file `own` of a small library.
fn used(own: &str, source: &str) -> Vec<String> {
    let names =
        ["lib", "base", "base/limits", "base/limits/door", "host", "host/wasi", "host/wasi/fd", "host/http"];
    let names: BTreeSet<String> = names.map(str::to_string).into();
    used_files(source, own, &names).into_iter().collect()
}

#[test]
fn it_sees_use_with_groups_at_any_depth() {
    assert_eq!(used("host", "use crate::base::limits::Limits;"), ["base/limits"]);
    assert_eq!(
        used("base", "use crate::{host, base::{limits::{self, door::Door}}};"),
        ["base/limits", "base/limits/door", "host"]
    );
    assert_eq!(used("base", "fn f() { use crate::host::wasi::*; }"), ["host/wasi"]);
    assert_eq!(
        used("base", "use crate::host::wasi as w; type T = w::fd::Fd;"),
        ["host/wasi", "host/wasi/fd"]
    );
}

#[test]
fn it_sees_super_and_self() {
    assert_eq!(used("host/wasi/fd", "use super::Call;"), ["host/wasi"]);
    assert_eq!(used("host/wasi/fd", "use super::super::http::refuse;"), ["host/http"]);
    assert_eq!(used("host/wasi/fd", "use super::super::super::Limits;"), ["lib"]);
    assert_eq!(
        used("host/wasi", "use self::fd::read; use self::super::http;"),
        ["host/http", "host/wasi/fd"]
    );
    // In a module that is written in the file, `super` is the file itself.
    assert_eq!(used("host/wasi/fd", "mod tests { use super::read; use super::super::Call; }"), ["host/wasi"]);
}

#[test]
fn it_sees_re_exports() {
    assert_eq!(used("host/wasi", "mod fd; pub use fd::read;"), ["host/wasi/fd"]);
    assert_eq!(used("base", "pub(crate) use crate::host::Host;"), ["host"]);
    assert_eq!(used("base", "pub use crate::Error;"), ["lib"]);
}

#[test]
fn it_sees_paths_in_expressions_types_and_patterns() {
    assert_eq!(used("base", "fn f() { crate::host::wasi::call(); }"), ["host/wasi"]);
    assert_eq!(
        used("base", "struct S { a: Vec<crate::host::Host>, b: super::base::limits::L }"),
        ["base/limits", "host"]
    );
    assert_eq!(used("base", "fn f(x: X) { if let crate::host::http::X::A = x {} }"), ["host/http"]);
    assert_eq!(used("base", "impl crate::host::Host for S {}"), ["host"]);
    assert_eq!(used("host/wasi", "mod fd; fn f() { fd::read(); }"), ["host/wasi/fd"]);
    assert_eq!(used("base", "use crate::host; fn f() { host::http::refuse(); }"), ["host", "host/http"]);
}

#[test]
fn it_sees_paths_among_the_tokens_of_macros() {
    assert_eq!(used("base", "fn f() { println!(\"{}\", crate::host::http::X); }"), ["host/http"]);
    assert_eq!(
        used("base", "macro_rules! m { () => { use $crate::host::{wasi::fd, http}; } }"),
        ["host", "host/http", "host/wasi/fd"]
    );
    assert_eq!(used("host/wasi/fd", "fn f() { assert!(a == super::Call::new(), \"b\"); }"), ["host/wasi"]);
    assert_eq!(used("host", "mod http; fn f() { vec![http::a(), 1] }"), ["host/http"]);
    assert_eq!(used("base", "#[cfg_attr(test, with(crate::host::Host))] struct S;"), ["host"]);
}

#[test]
fn it_takes_nothing_for_a_use_that_is_none() {
    let none: [String; 0] = [];
    assert_eq!(used("host/wasi", "mod fd; pub(in crate::host) mod clock;"), none);
    assert_eq!(used("host/wasi/fd", "pub(super) fn f() {}"), none);
    assert_eq!(
        used("base", "// crate::host::Host\n/// [`crate::host::Host`]\nconst A: &str = \"crate::host\";"),
        none
    );
    assert_eq!(used("host/wasi", "use ::http::Request; use std::io; fn f() { io::stdin(); }"), none);
    assert_eq!(used("host/wasi/fd", "fn f() { self::g(); Self::h(); crate::host::wasi::fd::g() }"), none);
}

fn graph(arrows: &[(&str, &[&str])]) -> Graph {
    arrows
        .iter()
        .map(|(file, used)| (file.to_string(), used.iter().map(|u| u.to_string()).collect()))
        .collect()
}

#[test]
fn it_finds_arrows_upward_and_to_lib_rs() {
    let down = graph(&[
        ("cli/args", &["gateway", "base"]),
        ("base", &[]),
        ("gateway", &[]),
        ("lib", &["base", "cli/args"]),
    ]);
    assert_eq!(upward(&down, &ROOMS), [""; 0]);
    let up =
        graph(&[("base/limits", &["module"]), ("plugins/watch", &["runner", "base"]), ("cli", &["lib"])]);
    assert_eq!(upward(&up, &ROOMS), ["base/limits uses module", "cli uses lib", "plugins/watch uses runner"]);
}

#[test]
fn it_finds_circles_of_two_and_of_more() {
    let found = |arrows: &[(&str, &[&str])]| {
        circles(&graph(arrows)).iter().map(|circle| circle.files().join(" ")).collect::<Vec<_>>()
    };
    assert_eq!(found(&[("a", &["b", "c"]), ("b", &["c"]), ("c", &[])]), [""; 0]);
    assert_eq!(found(&[("a", &["a/b"]), ("a/b", &["a"])]), ["a a/b"]);
    assert_eq!(
        found(&[("a", &["b"]), ("b", &["c", "d"]), ("c", &["a"]), ("d", &["e"]), ("e", &["d"])]),
        ["a b c", "d e"]
    );
}

#[test]
fn it_measures_functions_of_every_kind() {
    let body = "{\n    g();\n}";
    for head in [
        "fn f()",
        "pub fn f()",
        "pub(crate) fn f()",
        "pub(super) const fn f()",
        "pub(in crate::host) unsafe extern \"C\" fn f()",
        "async fn f<T: Fn()>(t: T)",
        "#[inline]\nfn f()",
        "/// Words.\nfn f()",
    ] {
        let lines: Vec<usize> = functions(&format!("{head} {body}")).iter().map(|f| f.lines).collect();
        assert_eq!(lines, [3], "{head}");
    }
    let lines = |source: &str| functions(source).iter().map(|f| (f.line, f.lines)).collect::<Vec<_>>();
    assert_eq!(
        lines("impl S {\n    pub(super) fn f(&self)\n    where\n        S: T,\n    {\n    }\n}"),
        [(2, 5)]
    );
    assert_eq!(lines("trait T {\n    fn a();\n    fn b() {\n    }\n}"), [(3, 2)]);
    assert_eq!(lines("fn a() {\n    fn b() {\n    }\n}"), [(1, 4), (2, 2)]);
    assert_eq!(lines("mod m {\n    mod n {\n        fn f() {\n        }\n    }\n}"), [(3, 2)]);
    assert_eq!(lines("m! {\n    pub fn $name(a: fn(u8)) -> u8 {\n        1\n    }\n}"), [(2, 3)]);
    assert_eq!(lines("fn text() {\n    g(\"}\n}\n\");\n}"), [(1, 5)]);
}

#[test]
fn it_reads_the_list_of_rooms() {
    let lib = "//! Words of a/b.\n//! cli/      commands\n//! base/     limits\n//! both/of them\n//! none/\nmod x;";
    assert_eq!(listed_rooms(lib), ["cli", "base"]);
}
