//! Policies that are gone for an instant, as an editor that saves leaves it: a plug-in is not open meanwhile. And such
//! as change without a sign of it.

use crate::support::{TempDir, look, prebuilt, reload};
use fuelbox::Runner;
use fuelbox::plugins::policy::Access;

#[test]
fn a_policy_is_gone_when_two_looks_in_a_row_do_not_find_it() {
    let dir = TempDir::new();
    std::fs::copy(prebuilt("greet.wasm"), dir.0.join("greet.wasm")).unwrap();
    let policy = dir.write("greet.toml", "access = \"token\"");
    let runner = Runner::new(crate::support::runner_config()).unwrap();
    runner.load_plugins(&dir.0).unwrap();
    let access = || {
        look(&runner);
        runner.plugins().get("greet").unwrap().policy.access
    };
    for _ in 0..3 {
        std::fs::remove_file(&policy).unwrap();
        assert_eq!(access(), Access::Token);
        dir.write("greet.toml", "access = \"token\" # saved");
        assert_eq!(access(), Access::Token);
        assert_eq!(access(), Access::Token);
    }
    std::fs::remove_file(&policy).unwrap();
    assert_eq!((access(), access(), access()), (Access::Token, Access::Open, Access::Open));
}

/// A page that has been written to by one that maps it is written to again without a change of the file's times.
#[test]
#[allow(unsafe_code)]
fn a_policy_that_changes_by_a_mapping_is_found_by_its_content() {
    use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
    let padded = |text: &str| format!("{text:<100}");
    let dir = TempDir::new();
    std::fs::copy(prebuilt("greet.wasm"), dir.0.join("greet.wasm")).unwrap();
    let path = dir.write("greet.toml", padded("access = \"token\""));
    let runner = Runner::new(crate::support::runner_config()).unwrap();
    runner.load_plugins(&dir.0).unwrap();
    let access = || runner.plugins().get("greet").unwrap().policy.access;
    let file = std::fs::File::options().read(true).write(true).open(&path).unwrap();
    // SAFETY: it is mapped anew, for as long as it is used, and nobody cuts the file off.
    let mapped = unsafe {
        mmap(std::ptr::null_mut(), 100, ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED, &file, 0)
            .unwrap()
    };
    let put = |text: &str| {
        let text = padded(text);
        // SAFETY: so many bytes are mapped.
        unsafe { std::ptr::copy_nonoverlapping(text.as_ptr(), mapped.cast(), 100) };
    };
    put("access = \"open\"");
    reload(&runner);
    assert_eq!(access(), Access::Open);
    put("access = \"token\"");
    runner.catalog().compare_contents(false);
    reload(&runner);
    assert_eq!(access(), Access::Token);
    // All is well: nothing is loaded again.
    runner.catalog().compare_contents(true);
    assert!(reload(&runner).is_empty());
    // SAFETY: this is the mapping, which nobody uses any more.
    unsafe { munmap(mapped, 100).unwrap() };
}
