//! Policies that are gone for an instant, as an editor that saves leaves it: a plug-in is not open meanwhile.

use crate::support::{TempDir, look, prebuilt};
use fuelbox::policy::Access;
use fuelbox::{Runner, RunnerConfig};

#[test]
fn a_policy_is_gone_when_two_looks_in_a_row_do_not_find_it() {
    let dir = TempDir::new();
    std::fs::copy(prebuilt("greet.wasm"), dir.0.join("greet.wasm")).unwrap();
    let policy = dir.write("greet.toml", "access = \"token\"");
    let runner = Runner::new(RunnerConfig::default()).unwrap();
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
