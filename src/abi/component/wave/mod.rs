//! WAVE, the text of values that component tools share: `{a: 1, b: some("x")}`.
//!
//! Source: `wasm-wave` of the Bytecode Alliance, `README.md` and `wave_ebnf.md`.

mod call;
mod letters;
mod print;
mod read;

pub use call::Call;
pub use print::print;
pub use read::parse;

/// Words that stand for themselves. A case of that name has a `%` before it.
const KEYWORDS: [&str; 8] = ["true", "false", "inf", "nan", "some", "none", "ok", "err"];
