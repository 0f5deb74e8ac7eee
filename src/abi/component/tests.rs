//! What is true of every value in both texts, and what no text can do.

use super::random::Random;
use super::{json, wave};
use crate::abi::component::out::NotPrinted;
use crate::base::limits::COMPONENT_TYPE_DEPTH_MAX;
use crate::host::component::value::{Handle, Value};
use crate::module::component::types::{Def, FuncTy, ResourceId, Ty, Types};

type Print = fn(&Types, Ty, &Value, usize) -> Result<String, NotPrinted>;
type Parse = fn(&Types, Ty, &str) -> Result<Value, String>;

const TEXTS: [(Print, Parse); 2] = [(wave::print, wave::parse), (json::print, json::parse)];

/// Calls `check` with many random types and values of them.
fn for_random(check: &mut dyn FnMut(&mut Random, &Types, Ty, &Value)) {
    for seed in 1..=1500 {
        let mut random = Random(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed));
        let mut types = Types::default();
        let ty = random.ty(&mut types, 1 + seed as usize % 6);
        for _ in 0..4 {
            let value = random.value(&types, ty);
            check(&mut random, &types, ty, &value);
        }
    }
}

/// Equal, and each NaN equal to each.
fn are_same(a: &Value, b: &Value) -> bool {
    format!("{a:?}") == format!("{b:?}")
}

#[test]
fn what_is_printed_is_read_as_the_same() {
    for_random(&mut |_, types, ty, value| {
        for (print, parse) in TEXTS {
            let text = print(types, ty, value, usize::MAX).unwrap();
            let again = parse(types, ty, &text).unwrap_or_else(|why| panic!("{why}: {text}"));
            assert!(are_same(value, &again), "{text}\n{value:?}\n{again:?}");
            assert!(!text.contains(['\n', '\x1b']), "{text:?}");
            // The limit is exact.
            assert_eq!(print(types, ty, value, text.len()).as_deref(), Ok(&*text));
            assert_eq!(print(types, ty, value, text.len() - 1), Err(NotPrinted::TooLong));
        }
    });
}

#[test]
fn json_is_json() {
    for_random(&mut |_, types, ty, value| {
        let text = json::print(types, ty, value, usize::MAX).unwrap();
        serde_json::from_str::<serde_json::Value>(&text).unwrap_or_else(|why| panic!("{why}: {text}"));
    });
}

/// What is read is of its type, and is printed and read again as the same. What `serde_json` refuses is refused.
#[test]
fn no_text_makes_them_panic() {
    let (mut read, mut refused) = (0, 0);
    for_random(&mut |random, types, ty, value| {
        for (place, (print, parse)) in TEXTS.into_iter().enumerate() {
            let text = random.broken(&print(types, ty, value, usize::MAX).unwrap());
            match parse(types, ty, &text) {
                Ok(value) => {
                    let again = parse(types, ty, &print(types, ty, &value, usize::MAX).unwrap()).unwrap();
                    assert!(are_same(&value, &again), "{text}");
                    let is_json = serde_json::from_str::<serde_json::Value>(&text).is_ok();
                    assert!(place == 0 || is_json, "{text:?}");
                    read += 1;
                }
                Err(why) => {
                    assert!(why.contains("column") && why.len() < 4000, "{why}");
                    refused += 1;
                }
            }
            let params = [("a".into(), ty), ("b".into(), Ty::Bool)].into();
            let func = FuncTy { params, result: None };
            let _ = json::args(types, &func, &text);
            let _ = wave::Call::parse(&format!("f({text}")).map(|call| call.args(types, &func));
            let _ = wave::Call::parse(&text).map(|call| call.args(types, &func));
        }
    });
    assert!(read > 500 && refused > 5000, "{read} {refused}");
}

#[test]
fn the_deepest_types() {
    for kind in 0..5 {
        let mut types = Types::default();
        let (mut ty, mut value) = (Ty::Bool, Value::Bool(true));
        while types.shape(ty).depth < COMPONENT_TYPE_DEPTH_MAX {
            let (def, outer) = match kind {
                0 => (Def::Option(ty), Value::some(value)),
                1 => (Def::List(ty), Value::List(vec![value])),
                2 => (
                    Def::Variant([("some".into(), Some(ty))].into()),
                    Value::Variant(0, Some(Box::new(value))),
                ),
                3 => (Def::Result { ok: Some(ty), err: Some(ty) }, Value::err(value)),
                _ => (Def::Record([("a".into(), ty)].into()), Value::Record(vec![value])),
            };
            let Ok(added) = types.add(def) else {
                return assert_eq!(kind, 3, "a result of two has too many nodes");
            };
            (ty, value) = (added, outer);
        }
        for (print, parse) in TEXTS {
            let text = print(&types, ty, &value, usize::MAX).unwrap();
            assert_eq!(parse(&types, ty, &text).unwrap(), value);
            let _ = parse(&types, ty, &text[..text.len() / 2]).unwrap_err();
        }
        // Others read it too.
        let text = json::print(&types, ty, &value, usize::MAX).unwrap();
        serde_json::from_str::<serde_json::Value>(&text).unwrap();
        json::schema(&types, ty).to_string();
    }
}

#[test]
fn resources_have_no_text() {
    let mut types = Types::default();
    let own = types.add(Def::Own(ResourceId(0))).unwrap();
    let borrow = types.add(Def::Borrow(ResourceId(0))).unwrap();
    let list = types.add(Def::List(own)).unwrap();
    let handle = Handle { resource: ResourceId(0), rep: 1 };
    for (print, parse) in TEXTS {
        assert_eq!(print(&types, own, &Value::Own(handle), 100), Err(NotPrinted::Handle));
        assert_eq!(print(&types, borrow, &Value::Borrow(handle), 100), Err(NotPrinted::Handle));
        let why = parse(&types, list, "[1]").unwrap_err();
        assert!(why.contains("column 2") && why.ends_with(&NotPrinted::Handle.to_string()), "{why}");
    }
}

#[test]
fn a_value_of_another_type_is_not_printed() {
    for_random(&mut |random, types, ty, _| {
        let mut others = Types::default();
        let other = random.ty(&mut others, 3);
        let value = random.value(&others, other);
        for (print, parse) in TEXTS {
            if let Ok(text) = print(types, ty, &value, usize::MAX) {
                assert!(are_same(&parse(types, ty, &text).unwrap(), &value), "{text}");
            }
        }
    });
}

/// A record of a thousand options is a text of two bytes, and takes much memory.
#[test]
fn texts_leave_out_a_limited_number_of_values() {
    let mut types = Types::default();
    let option = types.add(Def::Option(Ty::U8)).unwrap();
    let names = (0..1000).map(|at| (format!("n{at}").into(), option));
    let record = types.add(Def::Record(names.collect())).unwrap();
    let list = types.add(Def::List(record)).unwrap();
    for ((_, parse), one) in TEXTS.into_iter().zip(["{:}", "{}"]) {
        let text = |count| format!("[{}]", vec![one; count].join(","));
        assert!(parse(&types, list, &text(10)).is_ok());
        let why = parse(&types, list, &text(1000)).unwrap_err();
        assert!(why.ends_with("it leaves out too many values"), "{why}");
    }
}
