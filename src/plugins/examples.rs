//! The built-in example guests, used if there is no plug-in folder.

/// Those from WAT are a few bytes each; the others, 160 KB together, come with the feature `examples`.
const COUNT: usize = if cfg!(feature = "examples") { 9 } else { 5 };

/// Name and binary module of each; sources are in `guests/`.
pub const BUILT_IN: [(&str, &[u8]); COUNT] = [
    ("add", include_bytes!("../../guests/prebuilt/add.wasm")),
    ("fibonacci", include_bytes!("../../guests/prebuilt/fibonacci.wasm")),
    ("greet", include_bytes!("../../guests/prebuilt/greet.wasm")),
    #[cfg(feature = "examples")]
    ("greet-rust", include_bytes!("../../guests/prebuilt/greet-rust.wasm")),
    #[cfg(feature = "examples")]
    ("hello-c", include_bytes!("../../guests/prebuilt/hello-c.wasm")),
    ("infinite-loop", include_bytes!("../../guests/prebuilt/infinite-loop.wasm")),
    #[cfg(feature = "examples")]
    ("json-transform", include_bytes!("../../guests/prebuilt/json-transform.wasm")),
    ("memory-hog", include_bytes!("../../guests/prebuilt/memory-hog.wasm")),
    #[cfg(feature = "examples")]
    ("wordcount", include_bytes!("../../guests/prebuilt/wordcount.wasm")),
];
