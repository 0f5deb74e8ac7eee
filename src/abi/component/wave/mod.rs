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
