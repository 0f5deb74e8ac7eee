//! `/metrics` of a node.

use super::plugins::{Site, init};
use super::queue::Queue;
use super::{Nats, block_on, until};
use crate::support::prebuilt;

#[test]
fn what_comes_by_nats_is_counted_where_there_is_nats() {
    let Some(nats) = Nats::start() else { return };
    init(&nats);
    let plain = Site::start(&nats, "n1", &[]);
    let node = Site::start(&nats, "n2", &["--nats-jobs", super::queue::STREAM]);
    block_on(async {
        let queue = Queue::new(&nats).await;
        put(&queue).await;
    });
    until("both serve", || [&plain, &node].iter().all(|site| site.call("greet") == "Hello,"));
    let client = nats.client();
    let ask = || client.wait(client.nats.request("fuelbox.execute.greet", "x".into())).is_ok();
    until("requests are taken", ask);
    let requests = "fuelbox_nats_requests_total{outcome=\"answered\"}";
    let answered = || plain.metric(requests).unwrap() + node.metric(requests).unwrap();
    let before = answered();
    assert!((0..3).all(|_| ask()));
    until("requests are counted", || answered() == before + 3);
    block_on(async {
        let queue = Queue::connect(&nats).await;
        queue.publish("fuelbox.jobs.greet", &[], "y").await;
        queue.publish("fuelbox.jobs.greet.a.b", &[], "y").await;
        queue.emptied().await;
    });
    let job = |outcome| node.metric(&format!("fuelbox_jobs_total{{outcome=\"{outcome}\"}}"));
    until("jobs are counted", || (job("done"), job("dead")) == (Some(1), Some(1)));
    assert_eq!(job("retried"), Some(0));
    assert_eq!(plain.metric("fuelbox_jobs_total{outcome=\"done\"}"), None, "it takes no jobs");
    let page = std::fs::read_to_string("docs/metrics.md").unwrap();
    assert!(page.contains("`fuelbox_nats_requests_total`") && page.contains("`fuelbox_jobs_total`"));
}

async fn put(queue: &Queue) {
    let store = queue.context.get_object_store(super::plugins::BUCKET).await.unwrap();
    let module = std::fs::read(prebuilt("greet.wasm")).unwrap();
    store.put("greet.wasm", &mut &module[..]).await.unwrap();
}
