//! Sizes and times as people write them.

use fuelbox::base::units::{size, timeout};
use std::time::Duration;

#[test]
fn sizes_are_read_to_their_edges() {
    for (text, bytes) in [
        ("0", 0),
        ("1", 1),
        ("1_000", 1000),
        ("1KiB", 1024),
        ("1 KiB", 1024),
        ("16MiB", 16 << 20),
        ("2GiB", 2 << 30),
    ] {
        assert_eq!(size(text), Ok(bytes), "{text}");
    }
    assert_eq!(size(&usize::MAX.to_string()), Ok(usize::MAX));
    assert_eq!(size(&format!("{}KiB", usize::MAX / 1024)), Ok(usize::MAX / 1024 * 1024));
    assert!(size(&format!("{}KiB", usize::MAX / 1024 + 1)).unwrap_err().contains("this machine"));
    for text in ["", " ", "KiB", "-1", "1KB", "1kib", "1.5KiB", "1 000", "0x10", "1TiB", "KiB1", "_"] {
        assert!(size(text).is_err(), "{text}");
    }
}

#[test]
fn times_are_read_to_their_edges() {
    let ms = |n| Ok(Some(Duration::from_millis(n)));
    for (text, n) in [("1ms", 1), ("500ms", 500), ("5s", 5000), ("1m 30s", 90_000), ("2min", 120_000)] {
        assert_eq!(timeout(text), ms(n), "{text}");
    }
    assert_eq!(timeout("none"), Ok(None));
    for text in ["", "5", "s", "-1s", "1.5", "None", "99999999999999999999s"] {
        assert!(timeout(text).is_err(), "{text}");
    }
}
