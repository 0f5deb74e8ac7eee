//! Calls with numbers by chance: no panic, nothing outside of the directory, and no more than the quota and
//! the caps allow.

use crate::support::{Chance, TempDir};
use crate::wasi_dirs::{bounded, tree, world_with};
use crate::wasi_pointers::invoke;
use crate::wasi_world::{MEMORY_BYTES, World};
use fuelbox::Limits;
use fuelbox::host::wasi::TABLE;
use fuelbox::host::wasi::abi::Fault;
use fuelbox::host::wasi::time::Clock;
use std::path::Path;

const WORDS: [&str; 14] = [
    "a",
    "b",
    "d",
    "d/a",
    "d/e/a",
    ".",
    "..",
    "../canary",
    "/",
    "d/..",
    "d/",
    "out",
    "out/canary",
    "no/such",
];

/// Where path `n` is; the paths lie 16 bytes apart.
const PATHS_AT: usize = 256;

/// A number that means something somewhere: a descriptor, a path, a length, a flag, or an end of a range.
fn number(chance: &mut Chance) -> u64 {
    match chance.below(10) {
        0..4 => chance.below(9),
        4 | 5 => (PATHS_AT as u64) + 16 * chance.below(WORDS.len() as u64),
        6 => chance.below(20),
        7 => chance.below(MEMORY_BYTES as u64 + 10),
        8 => 1 << chance.below(64),
        _ => chance.one_of(&[
            u64::MAX,
            u64::MAX >> 1,
            u64::MAX >> 32,
            i64::MAX as u64 - 1,
            4096,
            65_535,
            1 << 32,
        ]),
    }
}

/// Fills memory with what calls read: lists of buffers, subscriptions, paths.
fn fill(world: &mut World, chance: &mut Chance) {
    for at in (0..MEMORY_BYTES).step_by(4) {
        let small = chance.below(40) as u32;
        world.put(at, &[if chance.below(50) == 0 { chance.next() as u32 } else { small }]);
    }
    for (i, word) in WORDS.iter().enumerate() {
        world.memory[PATHS_AT + 16 * i..][..word.len()].copy_from_slice(word.as_bytes());
    }
}

/// The numbers of a call; where a path is likely, its length fits.
fn numbers(chance: &mut Chance, params: usize) -> Vec<u64> {
    let mut all: Vec<u64> = (0..params).map(|_| number(chance)).collect();
    for at in 1..params {
        let before = all[at - 1] as usize;
        let is_path =
            before >= PATHS_AT && before < PATHS_AT + 16 * WORDS.len() && before.trailing_zeros() >= 4;
        if is_path && chance.below(8) > 0 {
            all[at] = WORDS[(before - PATHS_AT) / 16].len() as u64;
        }
    }
    all
}

fn bytes_below(dir: &Path) -> u64 {
    let files = tree(dir).into_keys().filter_map(|path| std::fs::symlink_metadata(path).ok());
    files.filter(std::fs::Metadata::is_file).map(|meta| meta.len()).sum()
}

fn play(seed: u64, calls: usize) -> usize {
    let nest = TempDir::new();
    nest.write("canary", "sings");
    for dir in ["rw/d/e", "ro/d"] {
        std::fs::create_dir_all(nest.0.join(dir)).unwrap();
    }
    for file in ["rw/a", "rw/d/a", "ro/a", "ro/d/a"] {
        nest.write(file, "content");
    }
    std::os::unix::fs::symlink("..", nest.0.join("rw/out")).unwrap();
    let quota = 100_000;
    let limits = Limits { dir_quota: quota, descriptors: 12, ..Limits::default() };
    let mut world = world_with(&limits, &[(&nest.0.join("rw"), false), (&nest.0.join("ro"), true)]);
    world.ctx.clock = Clock::Fuel { used: 1, slept: 0 };
    let kept = (tree(&nest.0.join("ro")), std::fs::read(nest.0.join("canary")).unwrap());
    let mut chance = Chance(seed);
    let mut succeeded = 0;
    for i in 0..calls {
        if i % 50 == 0 {
            fill(&mut world, &mut chance);
        }
        let row = chance.one_of(&std::array::from_fn::<usize, { TABLE.len() }, _>(|i| i));
        // The first directories and streams stay, so that there is something left to do.
        let (name, params) = (TABLE[row].name, TABLE[row].signature().params.len());
        let n = numbers(&mut chance, params);
        if matches!(name, "fd_close" | "fd_renumber" | "fd_fdstat_set_rights")
            && n.iter().any(|n| *n as u32 <= 4)
        {
            continue;
        }
        match world.call(|c| invoke(c, name, &n)) {
            Ok(()) => succeeded += 1,
            Err(Fault::Errno(_) | Fault::Exit(_) | Fault::Wait(_)) => {}
            Err(Fault::OutputFull { .. } | Fault::InputTooLarge { .. } | Fault::NoMemory) => break,
        }
        world.ctx.polled_since = None;
        assert!((0..40).filter(|fd| world.ctx.files.get(*fd).is_ok()).count() <= 12);
    }
    assert!(tree(&nest.0.join("ro")) == kept.0, "seed {seed}: the read-only directory changed");
    assert_eq!(std::fs::read(nest.0.join("canary")).unwrap(), kept.1, "seed {seed}");
    assert_eq!(std::fs::read_dir(&nest.0).unwrap().count(), 3, "seed {seed}: something is new outside");
    let bytes = bytes_below(&nest.0.join("rw"));
    assert!(bytes <= 14 + quota - world.ctx.files.quota, "seed {seed}: {bytes} bytes");
    succeeded
}

#[test]
fn calls_by_chance_do_no_harm() {
    let succeeded =
        bounded("a call by chance", || (1..=60).map(|seed| play(seed * 0x9e37_79b9, 1_000)).sum::<usize>());
    assert!(succeeded > 5_000, "{succeeded} calls succeeded");
}
