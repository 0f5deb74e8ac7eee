//! The most memory that a gateway can take by its flags, compared with the system's memory.
//!
//! The sum is an upper bound, rarely reached. If it fits, guests and clients cannot exhaust the system's
//! memory.

use crate::base::limits::{
    ALWAYS_BYTES, LOG_BUFFER_BYTES, PAGE_BYTES, SPARE_BYTES_MAX, TRANSLATED_KEPT_BYTES_ALL,
};
use crate::cli::args::command::Serve;
use crate::cli::system_memory::Have;

/// Stacks of a worker and of its lane's thread, in bytes of address space, mostly untouched.
const STACK_BYTES: u64 = (512 + 2 * 1024) * 1024;

/// The touched part of them, as measured.
const STACK_TOUCHED_BYTES: u64 = 64 * 1024;

/// Freed memory that glibc keeps for its threads, in bytes: the highest value measured beyond the other parts,
/// under floods of bodies of 1 MiB. The allocator of static builds gives back what is free at the end of an arena beyond 2 MiB,
/// and has four arenas.
const ALLOCATOR_KEEPS_BYTES: u64 = if cfg!(target_env = "gnu") { 32 << 20 } else { 8 << 20 };

/// Requests that a worker holds, times the copies of each head: a buffer of up to twice the size, and what is
/// passed on. Other heads count to the budget.
const HEAD_COPIES: u64 = 8 * 4;

/// A part of the sum: what it is for, its bytes, and the flags that make it smaller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    what: &'static str,
    bytes: u64,
    flags: &'static str,
}

/// The parts of the sum, where there are so many processes for guests, if there are any, that take so many bytes each.
pub fn parts(serve: &Serve, processes: Option<(usize, u64)>) -> Vec<Part> {
    let (limits, door) = (&serve.limits, &serve.door);
    let workers = serve.workers as u64;
    let each = |bytes: u64| workers.saturating_mul(bytes);
    let part = |what, bytes, flags| Part { what, bytes, flags };
    let memory = (limits.memory_pages as u64).saturating_mul(PAGE_BYTES as u64);
    let (input, output) = (door.body_bytes as u64, limits.output_bytes as u64);
    // Another process has both again.
    let copies = if processes.is_some() { 4 } else { 2 };
    let between_calls = match processes {
        None => SPARE_BYTES_MAX + TRANSLATED_KEPT_BYTES_ALL,
        Some(_) => 0,
    };
    let processes = processes.map_or(0, |(count, bytes)| bytes.saturating_mul(count as u64));
    let stack = (limits.stack_bytes as u64).saturating_add(u64::from(limits.table_elements) * 8);
    let heads = each((door.head_bytes as u64).saturating_mul(HEAD_COPIES));
    let warm = if serve.warm.instances > 0 { serve.warm.memory_bytes as u64 } else { 0 };
    let mut parts = vec![
        part("guests' memory", each(memory), "--workers, --memory-pages"),
        part("guests' stacks and tables", each(stack), "--workers, --max-stack, --max-table-elements"),
        // In the lane and in the guest's memory or buffers, beyond what the budget counts.
        part(
            "inputs and outputs of runs",
            each((input + output).saturating_mul(copies)),
            "--max-body, --max-output",
        ),
        part(
            "requests and responses in progress",
            (door.budget_bytes as u64).saturating_add(door.connections as u64 * ALWAYS_BYTES as u64),
            "--body-budget, --max-connections",
        ),
        part("request heads in progress", heads, "--workers, --max-head"),
        part("processes for guests", processes, "--workers, --isolation"),
        part("warm instances", warm, "--warm-memory"),
        part("memory and translated code between calls", between_calls as u64, "--isolation"),
        // No flag lowers it directly, but fewer workers leave less of it.
        part("freed memory that the allocator keeps", ALLOCATOR_KEEPS_BYTES, "--workers"),
        part(
            "threads and the log",
            (workers + 2) * 2 * STACK_TOUCHED_BYTES + 2 * LOG_BUFFER_BYTES as u64,
            "--workers",
        ),
    ];
    parts.retain(|part| part.bytes > 0);
    parts
}

/// Address space that is reserved but not touched.
fn untouched(serve: &Serve) -> u64 {
    (serve.workers as u64 + 2) * STACK_BYTES
}

/// The message about `parts`, the `now` bytes that this process takes already, and the system's memory; and
/// whether it is a warning.
pub fn sentence(
    serve: &Serve,
    (now, processes): (u64, Option<(usize, u64)>),
    have: Option<&Have>,
) -> (bool, String) {
    let mut parts = parts(serve, processes);
    parts.sort_by_key(|part| std::cmp::Reverse(part.bytes));
    let beside = have.filter(|have| have.is_space).map_or(0, |_| untouched(serve));
    let most = parts.iter().fold(now.saturating_add(beside), |sum, part| sum.saturating_add(part.bytes));
    let listed: Vec<String> = parts.iter().map(|part| format!("{} {}", part.what, mib(part.bytes))).collect();
    let text = format!("memory: at most {}: {} now, {}", mib(most), mib(now), listed.join(", "));
    match have {
        None => (false, format!("{text}; the available memory is unknown")),
        Some(have) if most <= have.bytes => (false, format!("{text}; {} has {}", have.what, mib(have.bytes))),
        Some(have) => {
            // The flags with the largest effect.
            let flags: Vec<&str> = parts.iter().take(2).map(|part| part.flags).collect();
            let (what, has, flags) = (&have.what, mib(have.bytes), flags.join("; "));
            (true, format!("{text}; {what} has only {has}: lower {flags}"))
        }
    }
}

fn mib(bytes: u64) -> String {
    format!("{} MiB", bytes.div_ceil(1024 * 1024))
}

#[cfg(test)]
mod tests {
    use crate::cli::args::command::Command;
    use crate::cli::args::parse::parse;
    use crate::cli::commands::serve::budget::*;

    fn serve(flags: &[&str]) -> Serve {
        let words = ["serve"].iter().chain(flags).map(|word| (*word).into()).collect();
        let Ok(Command::Serve(serve)) = parse(words) else { panic!("{flags:?}") };
        serve
    }

    fn have(mib: u64, is_space: bool) -> Have {
        Have { what: "the board".into(), bytes: mib << 20, is_space }
    }

    #[test]
    fn it_warns_from_the_byte_on_that_is_missing() {
        let serve = serve(&["--workers", "4", "--max-connections", "64"]);
        let most = parts(&serve, Some((7, 1 << 20))).iter().map(|part| part.bytes).sum::<u64>();
        assert!(most > 4 * (20 << 20), "{most}");
        let now = 5 << 20;
        for (bytes, warns) in [(most + now - 1, true), (most + now, false), (most + now + 1, false)] {
            let have = Have { bytes, ..have(0, false) };
            let (is_warning, text) = sentence(&serve, (now, Some((7, 1 << 20))), Some(&have));
            assert_eq!(is_warning, warns, "{text}");
            assert!(text.starts_with("memory: at most ") && text.contains("guests' memory 80 MiB"), "{text}");
            assert_eq!(text.contains("lower --workers, --memory-pages"), warns, "{text}");
        }
        assert!(!sentence(&serve, (now, None), None).0);
    }

    #[test]
    fn processes_are_counted() {
        let serve = serve(&["--workers", "3"]);
        let bytes = |processes| {
            let parts = parts(&serve, processes);
            parts.into_iter().find(|part| part.what == "processes for guests").map(|part| part.bytes)
        };
        assert_eq!(bytes(None), None);
        assert_eq!(bytes(Some((7, 1 << 20))), Some(7 << 20));
    }

    #[test]
    fn stacks_that_nothing_touches_count_against_an_address_space_only() {
        let serve = serve(&["--workers", "8"]);
        let most = parts(&serve, None).iter().map(|part| part.bytes).sum::<u64>();
        let enough =
            |is_space| !sentence(&serve, (0, None), Some(&Have { bytes: most, ..have(0, is_space) })).0;
        assert_eq!((enough(false), enough(true)), (true, false));
    }

    #[test]
    fn the_largest_flags_there_are_do_not_overflow() {
        let large = ["--max-output", "16777216GiB", "--workers", "512", "--body-budget", "16777216GiB"];
        let (_, text) = sentence(&serve(&large), (u64::MAX, Some((7, u64::MAX))), Some(&have(1, true)));
        assert!(text.contains("lower"), "{text}");
    }
}
