//! A context and a guest's memory for tests of the WASI functions, without wasm.

use crate::support::TempDir;
use fuelbox::host::streams::SinkTo;
use fuelbox::host::wasi::Call;
use fuelbox::host::wasi::abi::{Errno, Fault};
use fuelbox::host::wasi::ctx::WasiCtx;
use fuelbox::host::wasi::entropy::Entropy;
use fuelbox::host::wasi::time::Clock;
use fuelbox::{Limits, Preopen, Stdin};

pub type Answer = Result<(), Fault>;

pub const MEMORY_BYTES: usize = 65_536;

/// A context and a memory full of `?`.
pub struct World {
    pub ctx: WasiCtx,
    pub memory: Vec<u8>,
}

impl World {
    pub fn new(stdin: Stdin) -> World {
        World::with(stdin, &Limits::default(), fuelbox::GuestEnv::default())
    }

    pub fn with(stdin: Stdin, limits: &Limits, given: fuelbox::GuestEnv) -> World {
        let keep = || SinkTo::Buffer(Vec::new());
        let mut ctx = WasiCtx::new(limits, given, stdin, keep(), keep()).unwrap();
        ctx.clock = Clock::Fixed(0x0102_0304_0506_0708);
        ctx.entropy = Entropy::Fixed(b'r');
        ctx.args = [&b"prog"[..], b"", b"two"].map(<[u8]>::to_vec).to_vec();
        ctx.env = vec![b"K=V".to_vec()];
        World { ctx, memory: vec![b'?'; MEMORY_BYTES] }
    }

    pub fn call(&mut self, f: impl FnOnce(&mut Call<'_>) -> Answer) -> Answer {
        f(&mut Call { ctx: &mut self.ctx, memory: &mut self.memory })
    }

    pub fn put(&mut self, at: usize, words: &[u32]) {
        for (i, word) in words.iter().enumerate() {
            self.memory[at + 4 * i..at + 4 * i + 4].copy_from_slice(&word.to_le_bytes());
        }
    }
}

/// Calls `f` and asserts that it succeeds, writes `expected` pieces, and changes nothing else.
#[track_caller]
pub fn writes(world: &mut World, expected: &[(usize, &[u8])], f: impl FnOnce(&mut Call<'_>) -> Answer) {
    let mut wanted = world.memory.clone();
    for (at, bytes) in expected {
        wanted[*at..*at + bytes.len()].copy_from_slice(bytes);
    }
    assert_eq!(world.call(f), Ok(()));
    let differs = wanted.iter().zip(&world.memory).position(|(a, b)| a != b);
    assert_eq!(differs, None, "first wrong byte");
}

/// Calls `f` and asserts that it gives `errno` and changes nothing.
#[track_caller]
pub fn fails(world: &mut World, errno: Errno, f: impl FnOnce(&mut Call<'_>) -> Answer) {
    let before = world.memory.clone();
    assert_eq!(world.call(f), Err(Fault::Errno(errno)));
    assert!(world.memory == before, "memory changed");
}

/// Pointers at which `bytes` bytes do not fit.
pub fn bad_pointers(bytes: u32) -> [u32; 5] {
    let end = MEMORY_BYTES as u32;
    [end - bytes + 1, end, end + 1, u32::MAX - bytes + 1, u32::MAX]
}

/// A world whose runs are reproducible, with `dir` as 3.
pub fn reproducible(dir: &TempDir) -> World {
    let dirs = vec![Preopen::open(&dir.0, "/", false).unwrap()];
    World::with(
        Stdin::Empty,
        &Limits::default(),
        fuelbox::GuestEnv { dirs, seed: Some(1), ..Default::default() },
    )
}
