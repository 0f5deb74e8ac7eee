//! Plug-ins from an object store of NATS (`serve --nats-plugins BUCKET`), and what each node says that it runs.
//!
//! # Objects
//!
//! An object is called as the file of the plug-in folder that it is for: `NAME.wasm` (the module, required),
//! `NAME.toml` (the policy) and `NAME.wasm.minisig` (the signature). Anything that can put an object can deploy:
//! `nats object put BUCKET greet.wasm`. Objects of other names, and links, are no plug-ins.
//!
//! - An object that is there takes the place of the file. Those of one plug-in that change within [`follow::QUIET`] of each
//!   other are tried, and put in place, together.
//! - An object that was deleted (its meta message says `"deleted":true`) has the file removed that came from it: with the
//!   module, the plug-in.
//! - Of an object that never was, nothing follows. So files that never came from the object store stay, and so does all if
//!   the object store itself is deleted and made again.
//!
//! Which files came from the object store is in `.fuelbox-bucket.json` in the plug-in folder ([`origin`]).
//!
//! `canary/NAME.wasm`, with the header `Fuelbox-Nodes: NODE,NODE` (of the object, not of a message; at most
//! [`names::NODES_MAX`] nodes), is a module for these nodes, in the place of `NAME.wasm`. So are `canary/NAME.toml` and
//! `canary/NAME.wasm.minisig`, for the same nodes; of what there is no canary, the plain object holds. When `canary/NAME.wasm`
//! is deleted, its nodes go back to the plain objects.
//!
//! # Reports
//!
//! A node says what it runs in the key-value bucket `BUCKET-nodes`, under its name, when something has changed and every
//! [`report::BEAT`]. When it stops, it deletes the key. The value is JSON:
//!
//! ```json
//! {
//!   "node": "gateway-8080", "fuelbox": "0.1.0", "since": "2026-01-31T12:00:00Z", "beat_s": 10,
//!   "plugins": [
//!     { "name": "greet", "sha256": "(64 hexadecimal digits: the module that runs)", "policy": "(the same of its policy)" },
//!     { "name": "other", "sha256": "(the module that runs still, if one does)", "error": "why not that which is wanted",
//!       "wanted": { "sha256": "(module)", "policy": "(policy)", "signature": "(signature)" } }
//!   ],
//!   "left_out": 0
//! }
//! ```
//!
//! `policy` is left out where there is none; `wanted` is there with `error` only, and leaves out what the object store does
//! not say. Plug-ins that did not come from the object store are in it as well. Where the list would be too long, the rest
//! is counted in `left_out`; those with an error come first.

pub(crate) mod apply;
pub(crate) mod beat;
pub(crate) mod fetch;
pub(crate) mod follow;
pub(crate) mod listing;
pub(crate) mod names;
pub(crate) mod object;
pub(crate) mod origin;
pub(crate) mod overview;
pub(crate) mod report;
pub(crate) mod rollout;
pub(crate) mod tail;
pub(crate) mod upload;
