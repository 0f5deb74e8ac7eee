//! What a build has only with a cargo feature: without it, the answer is as for what does not exist, or names the feature.

use crate::support::{Server, fuelbox};
use fuelbox::Limits;

#[test]
fn routes_of_features_are_there_with_them_and_named_only_then() {
    let server = Server::start(Limits::default());
    let routes = [("/", "console"), ("/openapi.json", "openapi")];
    let features = [cfg!(feature = "console"), cfg!(feature = "openapi")];
    let detail = server.send("GET", "/nowhere", b"").text();
    for ((path, feature), is_built) in routes.into_iter().zip(features) {
        assert_eq!(server.send("GET", path, b"").status, if is_built { 200 } else { 404 }, "{feature}");
        assert_eq!(detail.contains(&format!("{path},")), is_built, "{detail}");
    }
    assert!(detail.contains("/healthz"), "{detail}");
}

#[test]
fn the_manual_and_the_completions_are_there_with_their_feature() {
    for args in [&["help", "--man"] as &[&str], &["help", "--completions", "bash"]] {
        let ran = fuelbox(args);
        if cfg!(feature = "manual") {
            assert!(ran.expect(0).text().contains("fuelbox"));
        } else {
            assert!(ran.expect(2).stderr.contains("cargo feature `manual`"));
        }
    }
}
