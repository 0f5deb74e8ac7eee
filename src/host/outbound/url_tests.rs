//! URLs and what is none.

use super::*;

fn form(text: &str) -> Result<String, String> {
    Url::parse(text).map(|url| url.to_string())
}

#[test]
fn a_url_has_one_form() {
    for (given, form_of_it) in [
        ("https://API.Example.COM", "https://api.example.com/"),
        ("HTTPS://api.example.com:443/a?b#c", "https://api.example.com/a?b"),
        ("http://api.example.com.:80/", "http://api.example.com/"),
        ("http://api.example.com:8080", "http://api.example.com:8080/"),
        ("https://a.example?x=/../y", "https://a.example/?x=/../y"),
        ("https://a.example#/../y", "https://a.example/"),
        ("https://a.example/v1/../admin", "https://a.example/admin"),
        ("https://a.example/v1/%2e%2E/admin", "https://a.example/admin"),
        ("https://a.example/v1/./x/..", "https://a.example/v1/"),
        ("https://a.example/../../x", "https://a.example/x"),
        ("https://a.example//v1//x", "https://a.example//v1//x"),
        ("https://a.example/%7Eme/%61%2fb%3a", "https://a.example/~me/a%2Fb%3A"),
        ("https://a.example/group%2Fproject", "https://a.example/group%2Fproject"),
        ("http://127.0.0.1:8080/x", "http://127.0.0.1:8080/x"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x"),
        ("http://[0:0:0:0:0:FFFF:7f00:1]/", "http://[::ffff:127.0.0.1]/"),
        ("https://xn--bcher-kva.example/", "https://xn--bcher-kva.example/"),
        ("https://a_b.example/...", "https://a_b.example/..."),
    ] {
        assert_eq!(form(given).as_deref(), Ok(form_of_it), "{given}");
        assert_eq!(form(form_of_it).as_deref(), Ok(form_of_it), "{given}: once more");
    }
}

/// URLs that could be read in two ways, or not at all.
#[rustfmt::skip]
const UNCLEAR: &[&str] = &[
    "",
    "https://",
    "https:///x",
    "ftp://a.example/",
    "file:///etc/passwd",
    "a.example/x",
    "//a.example/",
    "javascript:alert(1)",
    "https:a.example",
    "https:/a.example",
    "https://?x",
    "https://api.example.com@evil.example/",
    "https://user:secret@a.example/",
    "https://@a.example/",
    "https://a.example\\@evil.example/",
    "https://a.example\\x",
    "https://a.example /",
    "https://a.example/ x",
    "https://a.example/\r\nHost: evil",
    "https://a.example/\0",
    "https://a.example/x y",
    "https://bücher.example/",
    "https://a。example/",
    "https://a%2eexample/",
    "https://a..example/",
    "https://.example/",
    "https://a.example../",
    "https://-a.example/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.1/",
    "http://127.1/",
    "http://0177.0.0.1/",
    "http://127.0.0.1./",
    "http://0x/",
    "http://1.2.3.4.5/",
    "http://a.0x1/",
    "http://256.1.1.1/",
    "http://a.1/",
    "http://[::1/",
    "http://[::1]x/",
    "http://[fe80::1%25eth0]/",
    "http://[127.0.0.1]/",
    "http://::1/",
    "http://[]/",
    "http://a.example:/",
    "http://a.example:0/",
    "http://a.example:65536/",
    "http://a.example:+80/",
    "http://a.example:80:80/",
    "http://a.example:8 0/",
    "https://a.example/v1/%252e%252e/admin",
    "https://a.example/v1/..%2fadmin",
    "https://a.example/v1/..%5cadmin",
    "https://a.example/v1/%2e%2e%2fadmin",
    "https://a.example/v1/..;/admin",
    "https://a.example/v1/..;x=1/admin",
    "https://a.example/v1/a%2f..%2f..%2fadmin",
    "https://a.example/v1/%25252e%25252e/x",
    "https://a.example/a%00b",
    "https://a.example/a%2",
    "https://a.example/a%zz",
    "https://a.example/{x}",
    "https://a.example/ü",
    "https://a.example/?a\"b",
    "https://a.example/?ü",
    "https://a.example/?a b",
];

#[test]
fn what_has_no_clear_reading_is_refused() {
    for text in UNCLEAR {
        assert!(Url::parse(text).is_err(), "{text:?} is {:?}", form(text));
    }
}

#[test]
fn lengths_are_limited() {
    let of = |bytes: usize| format!("https://a.example/{}", "a".repeat(bytes - "https://a.example/".len()));
    assert!(Url::parse(&of(URL_BYTES_MAX)).is_ok() && Url::parse(&of(URL_BYTES_MAX + 1)).is_err());
    let label = |bytes: usize| Url::parse(&format!("https://{}.example/", "a".repeat(bytes)));
    assert!(label(63).is_ok() && label(64).is_err());
    let name = |bytes: usize| Url::parse(&format!("https://{}/", &"a.".repeat(bytes)[..bytes]));
    assert!(name(253).is_ok() && name(255).is_err());
}

#[test]
fn a_redirect_goes_where_its_reference_says() {
    let base = Url::parse("https://a.example:8443/v1/list?x=1").unwrap();
    for (reference, to) in [
        ("https://b.example/", "https://b.example/"),
        ("HTTP://b.example", "http://b.example/"),
        ("//b.example/x", "https://b.example/x"),
        ("/x", "https://a.example:8443/x"),
        ("?y", "https://a.example:8443/v1/list?y"),
        ("more", "https://a.example:8443/v1/more"),
        ("../up", "https://a.example:8443/up"),
        ("", "https://a.example:8443/v1/"),
        ("#part", "https://a.example:8443/v1/"),
    ] {
        assert_eq!(base.join(reference).map(|url| url.to_string()).as_deref(), Ok(to), "{reference}");
    }
    for reference in
        ["file:///etc/passwd", "gopher://b.example/", "//b.example@c.example/", "\\\\b.example\\", "///x"]
    {
        assert!(base.join(reference).is_err(), "{reference}");
    }
}
