//! The tests of this folder.

use super::{Named, Names};
use crate::host::component::function::Interface;
use crate::module::component::types::{Def, FuncTy, ResourceId, Ty, Types};
use std::collections::BTreeMap;

const ERROR: Interface = Interface { name: "t:io/error", types: "resource error;", rows: &[] };

const STREAMS: Interface = Interface {
    name: "t:io/streams",
    types: "
        use t:io/error.{error};
        resource input-stream;
        // A comment with ; and } in it.
        record unused { x: no-such-type, }
        /// Documentation.
        variant stream-error { last-operation-failed(error), closed }
        type stream = input-stream;
    ",
    rows: &[],
};

const FILES: Interface = Interface {
    name: "t:fs/files",
    types: "
        use t:io/streams.{input-stream as input, stream-error, stream};
        type size = u64;
        type sizes = list<size>;
        flags open { read, %flags, exec }
        enum kind { file, dir, }
        record stat { kind: kind, size: size, more: option<tuple<sizes, open>> }
        type %list = char;
    ",
    rows: &[],
};

const WRONG: Interface = Interface {
    name: "t:wrong/wrong",
    types: "use t:wrong/wrong.{c, d as f}; use t:none/none.{n}; type a = b; type b = list<a>; type s = string; what x {} enum e { a b }",
    rows: &[],
};

static ALL: [&Interface; 4] = [&ERROR, &STREAMS, &FILES, &WRONG];

fn find(name: &str) -> Option<&'static Interface> {
    ALL.into_iter().find(|interface| interface.name == name)
}

/// Resources by their names, and how often each was asked for.
#[derive(Default)]
struct Resources(BTreeMap<String, u32>);

impl Resources {
    fn id(&mut self, interface: &str, name: &str) -> ResourceId {
        let next = self.0.len() as u32;
        let old = self.0.insert(format!("{interface}.{name}"), next);
        assert_eq!(old, None, "{name} was asked for twice");
        ResourceId(next)
    }
}

fn function(types: &mut Types, interface: &Interface, ty: &'static str) -> Result<FuncTy, String> {
    let mut resources = Resources::default();
    let mut resource = |interface: &str, name: &str| resources.id(interface, name);
    Names::new(types, &find, &mut resource).function(interface, "f", ty)
}

fn def(types: &Types, ty: Ty) -> &Def {
    match ty {
        Ty::Def(id) => types.def(id),
        _ => panic!("{ty:?} is no compound type"),
    }
}

#[test]
fn types_of_wit_itself() {
    let mut types = Types::default();
    let ty = "( a : bool,b:s8, c: u8, d: s16, e: u16, f: s32, g: u32, h: s64, i: u64, j: f32, k: f64, l: char, m: string, )";
    let func = function(&mut types, &ERROR, ty).unwrap();
    let found: Vec<Ty> = func.params.iter().map(|(_, ty)| *ty).collect();
    let expected = [
        Ty::Bool,
        Ty::S8,
        Ty::U8,
        Ty::S16,
        Ty::U16,
        Ty::S32,
        Ty::U32,
        Ty::S64,
        Ty::U64,
        Ty::F32,
        Ty::F64,
        Ty::Char,
        Ty::String,
    ];
    assert_eq!((found, func.result), (expected.to_vec(), None));
    assert_eq!(&*func.params[12].0, "m");

    let mut result = |ty: &'static str| {
        let ty = function(&mut types, &ERROR, ty).unwrap().result.unwrap();
        def(&types, ty).clone()
    };
    assert_eq!(result("() -> list<u8>"), Def::List(Ty::U8));
    assert_eq!(result("() -> option< char >"), Def::Option(Ty::Char));
    assert_eq!(result("()->tuple<u8, string,>"), Def::Tuple([Ty::U8, Ty::String].into()));
    assert_eq!(result("() -> result"), Def::Result { ok: None, err: None });
    assert_eq!(result("() -> result<u8>"), Def::Result { ok: Some(Ty::U8), err: None });
    assert_eq!(result("() -> result<_, u8>"), Def::Result { ok: None, err: Some(Ty::U8) });
    assert_eq!(result("() -> result<u8, u16>"), Def::Result { ok: Some(Ty::U8), err: Some(Ty::U16) });
    assert_eq!(result("() -> own<error>"), Def::Own(ResourceId(0)));
    assert_eq!(result("() -> borrow<error>"), Def::Borrow(ResourceId(0)));
    assert_eq!(result("() -> error"), Def::Own(ResourceId(0)));
}

#[test]
fn names_are_followed_across_interfaces() {
    let mut types = Types::default();
    let ty = "(self: borrow<input>, again: borrow<stream>, %type: stat) -> result<%list, stream-error>";
    let func = function(&mut types, &FILES, ty).unwrap();
    let [(_, input), (_, again), (name, stat)] = &func.params[..] else { panic!("{func:?}") };
    assert_eq!((def(&types, *input), input), (&Def::Borrow(ResourceId(0)), again));
    assert_eq!(&**name, "type");
    let Def::Record(fields) = def(&types, *stat) else { panic!() };
    let names: Vec<&str> = fields.iter().map(|(name, _)| &**name).collect();
    assert_eq!((names, fields[1].1), (vec!["kind", "size", "more"], Ty::U64));
    assert_eq!(def(&types, fields[0].1), &Def::Enum(["file".into(), "dir".into()].into()));
    let Def::Option(more) = def(&types, fields[2].1) else { panic!() };
    let Def::Tuple(more) = def(&types, *more) else { panic!() };
    assert_eq!(def(&types, more[0]), &Def::List(Ty::U64));
    assert_eq!(def(&types, more[1]), &Def::Flags(["read".into(), "flags".into(), "exec".into()].into()));
    let Def::Result { ok: Some(Ty::Char), err: Some(err) } = def(&types, func.result.unwrap()) else {
        panic!()
    };
    let Def::Variant(cases) = def(&types, *err) else { panic!() };
    let Some(failed) = cases[0].1 else { panic!() };
    assert_eq!((def(&types, failed), &cases[1]), (&Def::Own(ResourceId(1)), &("closed".into(), None)));
}

#[test]
fn a_name_is_resolved_once() {
    let (mut types, mut resources) = (Types::default(), Resources::default());
    let mut resource = |interface: &str, name: &str| resources.id(interface, name);
    let mut names = Names::new(&mut types, &find, &mut resource);
    for _ in 0..2 {
        assert_eq!(names.named(&FILES, "stream"), Ok(Named::Resource(ResourceId(0))));
        assert_eq!(names.named(&STREAMS, "input-stream"), Ok(Named::Resource(ResourceId(0))));
        assert_eq!(names.named(&FILES, "size"), Ok(Named::Type(Ty::U64)));
        assert_eq!(names.named(&ERROR, "error"), Ok(Named::Resource(ResourceId(1))));
    }
    assert_eq!(resources.0.keys().collect::<Vec<_>>(), ["t:io/error.error", "t:io/streams.input-stream"]);
}

#[test]
fn what_is_wrong_is_an_error() {
    for (ty, why) in [
        ("", "expected `(`, found ``"),
        ("(a u8)", "expected `:`, found `u8)`"),
        ("(a: u8 b: u8)", "expected `,` or `)`, found `b: u8)`"),
        ("(a: u8", "expected `,` or `)`, found ``"),
        ("() -> ", "expected a name, found ``"),
        ("() -> list", "expected `<`, found ``"),
        ("() -> list<u8", "expected `>`, found ``"),
        ("() -> u8 u8", "expected the end, found `u8`"),
        ("() -> 1", "expected a name, found `1`"),
        ("() -> s16x", "there is no `s16x` in `t:wrong/wrong`"),
        ("() -> own<s>", "`s` is no resource"),
        ("() -> n", "there is no interface `t:none/none`"),
        ("() -> a", "more than 32 types are nested in each other"),
        ("() -> c", "more than 32 types are nested in each other"),
        ("() -> f", "there is no `d` in `t:wrong/wrong`"),
        ("() -> x", "`what` declares no type"),
        ("() -> e", "expected `,` or `}`, found `b }`"),
    ] {
        let found = function(&mut Types::default(), &WRONG, ty).unwrap_err();
        let found = found.strip_prefix("t:wrong/wrong: f: ").unwrap();
        assert_eq!(found, why, "{ty}");
    }
}

#[test]
fn no_text_makes_it_panic() {
    let whole = FILES.types;
    for end in (0..=whole.len()).filter(|end| whole.is_char_boundary(*end)) {
        let cut: &'static str = &whole[..end];
        let interface = Interface { name: "t:fs/files", types: cut, rows: &[] };
        let _ = function(&mut Types::default(), &interface, "() -> stat");
        let begin = Interface { types: &whole[end..], ..interface };
        let _ = function(&mut Types::default(), &begin, "() -> %list");
    }
}
