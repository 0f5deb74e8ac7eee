//! The system's memory, as far as this process may use it. System files are parsed from arguments; only [`have`] and
//! [`taken`] read them.

use crate::base::limits::{MODULE_BYTES_DEFAULT, MODULE_BYTES_DEFAULT_MAX, MODULE_MEMORY_PART};
use rustix::process::{Resource, getrlimit};
use std::path::{Path, PathBuf};

/// The system's memory: the name of the limit, and its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Have {
    pub what: String,
    /// That limit.
    pub bytes: u64,
    /// Whether it limits the address space, which includes untouched stacks.
    pub is_space: bool,
}

/// The lowest of the limits of this process.
pub fn have() -> Option<Have> {
    let read = |path: &Path| std::fs::read_to_string(path).ok();
    let meminfo = read(Path::new("/proc/meminfo")).and_then(|text| field_kib(&text, "MemTotal:"));
    let system = meminfo.map(|bytes| Have { what: "the system".into(), bytes, is_space: false });
    let cgroups = read(Path::new("/proc/self/cgroup")).unwrap_or_default();
    let limits = limit_files(&cgroups).into_iter().filter_map(|path| {
        let bytes = cgroup_limit(&read(&path)?)?;
        Some(Have { what: format!("the control group ({})", path.display()), bytes, is_space: false })
    });
    let space = getrlimit(Resource::As).current;
    let space =
        space.map(|bytes| Have { what: "the address space (ulimit -v)".into(), bytes, is_space: true });
    limits.chain(system).chain(space).min_by_key(|have| have.bytes)
}

/// Memory of this process now, in bytes.
pub fn taken() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    field_kib(&status, "VmRSS:").unwrap_or(0)
}

/// The value of a field in KiB, in bytes: `/proc/meminfo` and `/proc/PID/status` (proc(5)).
fn field_kib(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    kib.checked_mul(1024)
}

/// The files that may limit the memory of a process in these groups (`/proc/self/cgroup`, cgroups(7)): those of its
/// own group and of all above, in version 2 and 1. In a container, the path may be one that only its host knows; the
/// files at the top are the container's then.
fn limit_files(cgroups: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for line in cgroups.lines() {
        let mut fields = line.splitn(3, ':');
        let (Some(number), Some(controllers), Some(path)) = (fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        let (top, file) = match controllers {
            "" if number == "0" => ("/sys/fs/cgroup", "memory.max"),
            _ if controllers.split(',').any(|name| name == "memory") => {
                ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
            }
            _ => continue,
        };
        if path.split('/').any(|name| name == "..") {
            continue;
        }
        let own = Path::new(path.trim_start_matches('/'));
        files.extend(own.ancestors().map(|group| Path::new(top).join(group).join(file)));
    }
    files
}

/// The limit in such a file; `None` if there is none, which version 1 expresses as the largest multiple of a
/// page.
fn cgroup_limit(text: &str) -> Option<u64> {
    const NONE_FROM: u64 = 1 << 62;
    text.trim().parse().ok().filter(|limit| *limit < NONE_FROM)
}

/// The default of `--max-module`: a part of the memory there is, between two bounds.
pub fn module_bytes() -> usize {
    part_for_module(have().map(|have| have.bytes))
}

fn part_for_module(have: Option<u64>) -> usize {
    let part = usize::try_from(have.unwrap_or(0) / MODULE_MEMORY_PART).unwrap_or(usize::MAX);
    // Whole MiB, as sizes are shown.
    (part >> 20 << 20).clamp(MODULE_BYTES_DEFAULT, MODULE_BYTES_DEFAULT_MAX)
}

#[cfg(test)]
mod tests {
    use crate::cli::system_memory::*;

    #[test]
    fn fields_are_read_and_rubbish_is_none() {
        let meminfo = "MemTotal:       24684124 kB\nMemFree:        22000000 kB\nMemAvailable:   1 kB\n";
        assert_eq!(field_kib(meminfo, "MemTotal:"), Some(24_684_124 * 1024));
        assert_eq!(field_kib(meminfo, "MemAvailable:"), Some(1024));
        let rubbish = [
            "",
            "MemTotal:",
            "MemTotal: kB",
            "MemTotal: -1 kB",
            "MemTotal: 12",
            "MemTotal: 1e3 kB",
            "\0\u{feff}",
        ];
        for text in rubbish
            .into_iter()
            .chain(["MemTotal: 99999999999999999999 kB", "MemTotal: 18446744073709551615 kB"])
        {
            assert_eq!(field_kib(text, "MemTotal:"), None, "{text:?}");
        }
    }

    #[test]
    fn limits_of_control_groups_are_read_and_rubbish_is_none() {
        let limits = [
            ("67108864\n", Some(67_108_864)),
            ("0\n", Some(0)),
            ("max\n", None),
            ("9223372036854771712\n", None),
        ];
        let rubbish = ["", "\n", "-1", "64M", "18446744073709551616", "\u{fffd}"].map(|text| (text, None));
        for (text, expected) in limits.into_iter().chain(rubbish) {
            assert_eq!(cgroup_limit(text), expected, "{text:?}");
        }
    }

    #[test]
    fn the_files_of_a_group_and_of_those_above_are_found() {
        let paths =
            |text: &str| limit_files(text).iter().map(|p| p.display().to_string()).collect::<Vec<_>>();
        assert_eq!(
            paths("0::/system.slice/fuelbox.service\n"),
            [
                "/sys/fs/cgroup/system.slice/fuelbox.service/memory.max",
                "/sys/fs/cgroup/system.slice/memory.max",
                "/sys/fs/cgroup/memory.max",
            ]
        );
        assert_eq!(paths("0::/\n"), ["/sys/fs/cgroup/memory.max"]);
        assert_eq!(
            paths("5:cpu,memory:/box\n4:cpu:/box\n1:name=systemd:/\n"),
            [
                "/sys/fs/cgroup/memory/box/memory.limit_in_bytes",
                "/sys/fs/cgroup/memory/memory.limit_in_bytes",
            ]
        );
        for rubbish in ["", "\n", "0:", "0::", "memory", "x:y", "0::/../../etc", "7:memory:/a/../b", "::"] {
            let found = paths(rubbish);
            assert!(
                found.iter().all(|path| path.starts_with("/sys/fs/cgroup/") && !path.contains("..")),
                "{found:?}"
            );
        }
    }

    #[test]
    fn the_default_for_modules_follows_the_memory_between_its_bounds() {
        let mib = |mib: u64| Some(mib << 20);
        let defaults = [
            (None, 16),
            (mib(0), 16),
            (mib(64), 16),
            (mib(17 * 64 - 1), 16),
            (mib(17 * 64), 17),
            (mib(64 * 64 - 1), 63),
            (mib(64 * 64), 64),
            (mib(24 * 1024), 64),
            (Some(u64::MAX), 64),
        ];
        for (have, expected) in defaults {
            assert_eq!(part_for_module(have), expected << 20, "{have:?}");
        }
    }
}
