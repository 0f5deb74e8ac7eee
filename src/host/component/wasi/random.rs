//! `wasi:random`: random bytes. All come from the run's one source, also those that need not be secure.

use super::arguments::{Answer, u64};
use crate::base::heap;
use crate::base::limits::HOST_CALL_BYTES_MAX;
use crate::host::component::function::{Fail, HostCall, Interface, Row};
use crate::host::component::value::Value;
use crate::host::wasi::abi::Fault;

/// `wasi:random/random`.
pub const RANDOM: Interface = Interface {
    name: "wasi:random/random",
    types: "",
    rows: &[
        Row { name: "get-random-bytes", ty: "(len: u64) -> list<u8>", call: random_bytes },
        Row { name: "get-random-u64", ty: "() -> u64", call: random_u64 },
    ],
};

/// `wasi:random/insecure`.
pub const INSECURE: Interface = Interface {
    name: "wasi:random/insecure",
    types: "",
    rows: &[
        Row { name: "get-insecure-random-bytes", ty: "(len: u64) -> list<u8>", call: random_bytes },
        Row { name: "get-insecure-random-u64", ty: "() -> u64", call: random_u64 },
    ],
};

/// `wasi:random/insecure-seed`.
pub const INSECURE_SEED: Interface = Interface {
    name: "wasi:random/insecure-seed",
    types: "",
    rows: &[Row { name: "insecure-seed", ty: "() -> tuple<u64, u64>", call: insecure_seed }],
};

/// `out`, filled.
fn fill<const N: usize>(call: &mut HostCall<'_>) -> Result<[u8; N], Fail> {
    let mut out = [0; N];
    filled(call, &mut out)?;
    Ok(out)
}

fn filled(call: &mut HostCall<'_>, out: &mut [u8]) -> Result<(), Fail> {
    call.ctx.entropy.fill(out).map_err(Fault::from)?;
    // A generator's byte costs about as much as sixteen copied ones.
    call.ctx.moved_bytes += out.len() as u64 * 16;
    Ok(())
}

/// Gives as many as are asked for, or stops the guest: there is no way to give fewer.
fn random_bytes(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let len = u64(args, 0)?;
    if len > HOST_CALL_BYTES_MAX as u64 {
        return Err(Fail::trap(format!(
            "{len} random bytes at once, more than the {HOST_CALL_BYTES_MAX} that are supported"
        )));
    }
    let mut bytes = heap::zeroed(len as usize).map_err(|_| Fault::NoMemory)?;
    filled(call, &mut bytes)?;
    Ok(Some(Value::Bytes(bytes)))
}

fn random_u64(call: &mut HostCall<'_>, _args: &[Value]) -> Answer {
    Ok(Some(Value::U64(u64::from_le_bytes(fill(call)?))))
}

fn insecure_seed(call: &mut HostCall<'_>, _args: &[Value]) -> Answer {
    let seed = [fill(call)?, fill(call)?].map(|bytes| Value::U64(u64::from_le_bytes(bytes)));
    Ok(Some(Value::Record(seed.into())))
}
