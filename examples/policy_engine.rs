//! A policy engine: a guest decides what a user may do. It asks the host for facts of the request, which each run is given,
//! and cannot decide later than the request allows, nor differently for the same facts.
//!
//! ```text
//! cargo run --release --example policy_engine
//! ```

use fuelbox::{Call, Cancel, Guest, GuestEnv, HostFunctions, Limits, Runner, RunnerConfig, Trap};
use std::collections::HashMap;
use std::sync::Arc;

/// Admins may do everything, others may only read.
const POLICY: &str = r#"(module
    (import "request" "fact" (func $fact (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "role") (data (i32.const 16) "action")
    (func $is (param $name i32) (param $len i32) (param $word i64) (result i32)
        (i64.store (i32.const 64) (i64.const 0))
        (drop (call $fact (local.get $name) (local.get $len) (i32.const 64) (i32.const 8)))
        (i64.eq (i64.load (i32.const 64)) (local.get $word)))
    (func (export "allow") (result i32)
        (i32.or
            (call $is (i32.const 0) (i32.const 4) (i64.const 0x6e696d6461))
            (call $is (i32.const 16) (i32.const 6) (i64.const 0x64616572)))))"#;

type Facts = HashMap<&'static str, &'static str>;

/// `fact(name, len, to, room) -> len`: writes the fact with this name to `to`, as far as there is room.
fn fact(guest: &mut Guest<'_>, name: u32, len: u32, to: u32, room: u32) -> Result<u32, Trap> {
    let facts = guest.data::<Facts>().ok_or_else(|| Trap::new("there is no request"))?;
    let fact = facts.get(guest.read_str(name, len)?).copied().unwrap_or_default();
    guest.write(to, &fact.as_bytes()[..fact.len().min(room as usize)])?;
    Ok(fact.len() as u32)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut host_functions = HostFunctions::default();
    host_functions.add("request", "fact", fact);
    let limits = Limits { fuel: 100_000, memory_pages: 1, ..Limits::default() };
    let runner = Runner::new(RunnerConfig { limits, host_functions, ..RunnerConfig::default() })?;
    let policy = runner.compile("policy", POLICY.as_bytes())?;
    // Whoever serves the request cancels it if the client leaves.
    let cancel = Cancel::default();
    for (role, action) in [("admin", "write"), ("guest", "read"), ("guest", "write")] {
        let facts = Facts::from([("role", role), ("action", action)]);
        let guest_env = GuestEnv {
            data: Some(Arc::new(facts)),
            cancel: Some(cancel.clone()),
            seed: Some(0),
            ..GuestEnv::default()
        };
        let report = runner.run(&policy, Call::values("allow", &[]).guest_env(guest_env))?;
        let is_allowed = report.result.is_ok_and(|values| values == [1.into()]);
        println!("{role} may {action}: {is_allowed} ({} fuel)", report.usage.fuel);
    }
    Ok(())
}
