//! The numeric convention: text to numbers at the edges of each type, numbers to text, and what is refused.

use crate::guest::numbers;
use crate::support::{job, program};
use fuelbox::abi::{Convention, call_bytes, numeric};
use fuelbox::{Error, Limits, Program, Value};

fn identity(ty: &str) -> Program {
    let source = format!(r#"(module (func (export "f") (param {ty}) (result {ty}) (local.get 0)))"#);
    program(&source, &Limits::default())
}

/// What the identity function of `ty` makes of `text`.
fn through(ty: &str, text: &str) -> Result<String, String> {
    let (program, limits) = (identity(ty), Limits::default());
    let params = numeric::parse(program.info(), "f", &[text]).map_err(|error| error.to_string())?;
    let values = numeric::run(job(&program, &limits), "f", &params).unwrap().result.unwrap();
    Ok(String::from_utf8(numeric::lines(&values)).unwrap().trim_end().to_string())
}

#[track_caller]
fn accepts(ty: &str, cases: &[(&str, &str)]) {
    for (text, shown) in cases {
        assert_eq!(through(ty, text).as_deref(), Ok(*shown), "{text} as {ty}");
    }
}

#[track_caller]
fn refuses(ty: &str, cases: &[&str]) {
    for text in cases {
        let error = through(ty, text).expect_err(text);
        assert!(error.contains("argument 1 of `f`") && error.contains(ty), "{text} as {ty}: {error}");
    }
}

#[test]
fn i32_takes_signed_unsigned_and_hex_to_its_width() {
    accepts(
        "i32",
        &[
            ("0", "0"),
            ("-0", "0"),
            ("+7", "7"),
            ("007", "7"),
            ("2147483647", "2147483647"),
            ("2147483648", "-2147483648"),
            ("-2147483648", "-2147483648"),
            ("4294967295", "-1"),
            ("0x0", "0"),
            ("0X7fffffff", "2147483647"),
            ("0xFFFFFFFF", "-1"),
            ("0x00000000000000000001", "1"),
        ],
    );
    refuses("i32", &["4294967296", "-2147483649", "0x100000000", "99999999999999999999999"]);
}

#[test]
fn i64_takes_signed_unsigned_and_hex_to_its_width() {
    accepts(
        "i64",
        &[
            ("9223372036854775807", "9223372036854775807"),
            ("9223372036854775808", "-9223372036854775808"),
            ("-9223372036854775808", "-9223372036854775808"),
            ("18446744073709551615", "-1"),
            ("0xffffffffffffffff", "-1"),
            ("0x8000000000000000", "-9223372036854775808"),
        ],
    );
    refuses("i64", &["18446744073709551616", "-9223372036854775809", "0x10000000000000000"]);
}

#[test]
fn integers_take_nothing_else() {
    let rubbish = ["", " ", "-", "+", "--1", "+-1", "0x", "0x-1", "0x+1", "-0x1", "0xg", "1 ", " 1", "1.0"];
    refuses("i32", &rubbish);
    refuses("i64", &rubbish);
    refuses("i32", &["1e3", "1_000", "ten", "NaN", "1\0", "٣", "\u{1f600}", "0b1", "0o7", "1,"]);
}

#[test]
fn floats_take_what_is_a_number_and_its_specials() {
    accepts("f32", &[("1.5", "1.5"), ("-0", "-0"), ("1e3", "1000"), ("inf", "inf"), ("-inf", "-inf")]);
    accepts("f32", &[("3.4028235e38", "340282350000000000000000000000000000000"), ("1e39", "inf")]);
    accepts(
        "f64",
        &[("0.1", "0.1"), ("-1e-7", "-0.0000001"), ("infinity", "inf"), (".5", "0.5"), ("5.", "5")],
    );
    accepts("f64", &[("NaN", "NaN"), ("nan", "NaN"), ("9007199254740993", "9007199254740992")]);
    refuses("f32", &["", "x", "1,5", "0x1", "1e", "--1", "1.2.3"]);
    refuses("f64", &["", ".", "0x1p3", "1f", "in"]);
}

#[test]
fn a_long_argument_is_shown_cut_and_escaped() {
    let error = through("i32", &format!("\x1b[31m\n{}", "9".repeat(500))).unwrap_err();
    assert!(error.len() < 200 && !error.contains('\x1b') && !error.contains('\n'), "{error:?}");
}

/// Calls the three-parameter guest with `input` as a body.
fn body(input: &[u8]) -> Result<String, String> {
    let limits = Limits::default();
    let program = program(
        r#"(module (func (export "f") (param i32 i64 f64) (result f64 i64 i32)
             (local.get 2) (local.get 1) (local.get 0)))"#,
        &limits,
    );
    let report = call_bytes(job(&program, &limits), "f", input, None).map_err(|error| error.to_string())?;
    Ok(String::from_utf8(report.result.unwrap()).unwrap())
}

#[test]
fn a_body_holds_arguments_between_white_space_or_as_a_json_array() {
    let expected = Ok("0.5\n-2\n1\n".to_string());
    let bodies = [
        "1 -2 0.5",
        "  1\t-2\r\n0.5\n",
        "1\n-2\n0.5",
        "[1, -2, 0.5]",
        " [1,-2,0.5] \n",
        r#"["1", "-2", "0.5"]"#,
        r#"["0x1", 18446744073709551614, 5e-1]"#,
    ];
    for text in bodies {
        assert_eq!(body(text.as_bytes()), expected, "{text}");
    }
}

#[test]
fn a_body_that_is_no_list_of_numbers_is_refused() {
    let cases: [(&[u8], &str); 10] = [
        (b"", "it takes 3 arguments, 0 given"),
        (b"1 2", "it takes 3 arguments, 2 given"),
        (b"1 2 3 4", "4 given"),
        (b"[1, 2]", "2 given"),
        (b"[1, 2, 3", "not a JSON array"),
        (b"[1, 2, 3] x", "not a JSON array"),
        (b"[1, null, 3]", "number 2 in the array is neither"),
        (b"[1, [2], 3]", "number 2 in the array is neither"),
        (b"1, 2, 3", "argument 1"),
        (b"1 2 \xff", "not UTF-8"),
    ];
    for (input, expected) in cases {
        let error = body(input).unwrap_err();
        assert!(error.contains(expected), "{:?}: {error}", String::from_utf8_lossy(input));
    }
    let deep = [b"[".repeat(100_000), b"]".repeat(100_000)].concat();
    assert!(body(&deep).unwrap_err().contains("number 1 in the array is neither"));
    let many = [&b"[0"[..], &b",0".repeat(400_000), b"]"].concat();
    assert!(body(&many).unwrap_err().contains("400001 given"));
    let long = format!("[\"{}1\", 2, 3]", "0".repeat(1_100));
    assert!(body(long.as_bytes()).unwrap_err().contains("number 1 in the array is neither"));
}

#[test]
fn results_are_printed_one_a_line() {
    assert_eq!(numeric::lines(&[]), b"");
    let values = [Value::I32(-1), Value::I64(i64::MIN), Value::F32(0.5), Value::F64(f64::NAN)];
    assert_eq!(numeric::lines(&values), b"-1\n-9223372036854775808\n0.5\nNaN\n");
}

#[test]
fn functions_without_parameters_or_results_work() {
    let source = r#"(module (func (export "f")) (func (export "g") (result i32) (i32.const 5)))"#;
    assert_eq!(numbers(source, &Limits::default(), "f", &[]).result, Ok(vec![]));
    assert_eq!(numbers(source, &Limits::default(), "g", &[]).result, Ok(vec![5.into()]));
}

#[test]
fn many_values_in_and_out_keep_their_order() {
    let (types, gets) = ("i32 ".repeat(30), (0..30).map(|i| format!("(local.get {i}) ")).collect::<String>());
    let source = format!(r#"(module (func (export "f") (param {types}) (result {types}) {gets}))"#);
    let values: Vec<Value> = (0..30).map(Value::from).collect();
    assert_eq!(numbers(&source, &Limits::default(), "f", &values).result, Ok(values));
}

#[test]
fn parameters_of_another_type_or_number_are_refused() {
    let (program, limits) = (identity("i32"), Limits::default());
    for params in [&[][..], &[Value::I64(1)], &[Value::F32(1.0)], &[Value::I32(1), Value::I32(2)]] {
        let error = numeric::run(job(&program, &limits), "f", params).unwrap_err();
        assert!(matches!(error, Error::Input(_)), "{error:?}");
        assert!(error.to_string().contains("`f` is (i32) -> i32, but was called with ("), "{error}");
    }
}

#[test]
fn an_unknown_function_is_refused_with_the_names_there_are() {
    let (program, limits) = (identity("i32"), Limits::default());
    for error in [
        numeric::parse(program.info(), "g", &["1"]).unwrap_err(),
        numeric::run(job(&program, &limits), "g", &[]).unwrap_err(),
        call_bytes(job(&program, &limits), "g", b"", None).unwrap_err(),
    ] {
        assert_eq!(error.to_string(), "no exported function `g`; there is: f");
    }
}

#[test]
fn vectors_and_references_are_refused() {
    let limits = Limits::default();
    let types: &[&str] = if cfg!(feature = "simd") { &["v128"] } else { &[] };
    for ty in types.iter().chain(&["funcref", "externref"]) {
        let program = identity(ty);
        assert_eq!(Convention::of(program.info(), "f"), None);
        let error = numeric::parse(program.info(), "f", &["1"]).unwrap_err();
        assert!(error.to_string().contains("only numbers can be passed"), "{error}");
        let error = call_bytes(job(&program, &limits), "f", b"1", None).unwrap_err();
        assert!(error.to_string().contains("fits no calling convention"), "{error}");
        assert!(matches!(error, Error::Input(_)));
    }
}

#[test]
fn float_bits_go_through_the_library_unchanged() {
    let limits = Limits::default();
    for bits in [0, 0x8000_0000_0000_0000, 0x7ff0_0000_0000_0000, 1, u64::MAX, 0x7ff8_0000_dead_beef] {
        let report =
            numeric::run(job(&identity("f64"), &limits), "f", &[f64::from_bits(bits).into()]).unwrap();
        let [Value::F64(out)] = report.result.unwrap()[..] else { panic!() };
        assert_eq!(out.to_bits(), bits, "{bits:x}");
    }
}
