//! The example guests that are built into the binary, used when there is no plug-in folder.

/// Name and binary module of each; sources are in `guests/`.
pub const BUILT_IN: [(&str, &[u8]); 9] = [
    ("add", include_bytes!("../guests/prebuilt/add.wasm")),
    ("fibonacci", include_bytes!("../guests/prebuilt/fibonacci.wasm")),
    ("greet", include_bytes!("../guests/prebuilt/greet.wasm")),
    ("greet-rust", include_bytes!("../guests/prebuilt/greet-rust.wasm")),
    ("hello-c", include_bytes!("../guests/prebuilt/hello-c.wasm")),
    ("infinite-loop", include_bytes!("../guests/prebuilt/infinite-loop.wasm")),
    ("json-transform", include_bytes!("../guests/prebuilt/json-transform.wasm")),
    ("memory-hog", include_bytes!("../guests/prebuilt/memory-hog.wasm")),
    ("wordcount", include_bytes!("../guests/prebuilt/wordcount.wasm")),
];
