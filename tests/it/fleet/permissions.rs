//! `deploy/nats/accounts.conf`: what a fleet needs is allowed, and no more.

use super::{Nats, block_on, until};
use crate::support::{Ran, Serve, TempDir, fuelbox_in, prebuilt};
use async_nats::jetstream;
use async_nats::{Client, ConnectOptions};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::Duration;

/// A user: its name, the variable of its public key, its seed and the key. They are made of the numbers 1 to 5.
type User = (&'static str, &'static str, &'static str, &'static str);

const N1: User = (
    "n1",
    "NODE_N1",
    "SUAACAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAN7EY",
    "UCFIRY65OQE7DFP5KLNS2PF2LVZMUZYJX4OZIEQ36N2IQANUB5XVZ45L",
);
const N2: User = (
    "n2",
    "NODE_N2",
    "SUAAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAT6EE",
    "UCATS5YOVB6ROX2WUNKGNQ2MP3GMXDMKSG2O4N5CLX3A6W4PZGZZJPJO",
);
const SENDER: User = (
    "sender",
    "SENDER",
    "SUAAGAYDAMBQGAYDAMBQGAYDAMBQGAYDAMBQGAYDAMBQGAYDAMBQGA6BEM",
    "UDWUSKGGFDI4FRXK5EBTRECZSVQSSWJHHJOGH6JWG3AUMFFMQ435C2U4",
);
const SUBMITTER: User = (
    "submitter",
    "SUBMITTER",
    "SUAAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBH4FY",
    "UDFJHLAXAUMHA4OWPOB4P7YO72AQR2HMIUYFOXLXE2DZGM633K7HYREV",
);
const OPERATOR: User = (
    "operator",
    "OPERATOR",
    "SUAAKBIFAUCQKBIFAUCQKBIFAUCQKBIFAUCQKBIFAUCQKBIFAUCQKBKDFQ",
    "UBXHUHG5FGYLPD6RHL2MKWMP572O6KUXCZXDZJXS4T57ZTMAKBN7CEDX",
);

/// A server with the users of the file, and a folder with their seeds and the server's log.
struct Fleet {
    nats: Nats,
    dir: TempDir,
}

impl Fleet {
    fn start() -> Option<Fleet> {
        let Some(program) = std::env::var_os("FUELBOX_NATS_SERVER") else {
            eprintln!("left out: FUELBOX_NATS_SERVER names no NATS server");
            return None;
        };
        let (dir, store) = (TempDir::new(), TempDir::new());
        let text = std::fs::read_to_string("deploy/nats/accounts.conf").unwrap();
        assert!(text.contains("\"/var/lib/nats\""));
        let conf = dir.write("accounts.conf", text.replace("/var/lib/nats", &store.0.display().to_string()));
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new(&program);
        command.args(["-a", "127.0.0.1", "-p", &port.to_string(), "-c"]).arg(conf);
        command.arg("-l").arg(dir.0.join("log")).stdin(Stdio::null());
        for (name, variable, seed, key) in [N1, N2, SENDER, SUBMITTER, OPERATOR] {
            command.env(variable, key);
            dir.write(&format!("{name}.nk"), seed);
        }
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let nats = Nats { program: program.into(), store, port, child: Some(child) };
        until("the NATS server listens", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        Some(Fleet { nats, dir })
    }

    fn node(&self, (name, ..): User) -> Serve {
        let (url, seed, folder) = (self.nats.url(), format!("{name}.nk"), format!("of-{name}"));
        std::fs::create_dir(self.dir.0.join(&folder)).unwrap();
        let fixed = ["--plugins", &folder, "--nats", &url, "--nats-nkey", &seed, "--nats-node", name];
        Serve::start(&self.dir.0, &[&fixed[..], &["--nats-plugins", "edge", "--nats-jobs", "jobs"]].concat())
    }

    /// `fuelbox fleet`, as the operator.
    fn fleet(&self, words: &[&str]) -> Ran {
        let url = self.nats.url();
        let flags = ["--nats", &url, "--nats-nkey", "operator.nk", "--nats-plugins", "edge"];
        let (verb, rest) = words.split_at(words.len().min(1));
        fuelbox_in(&self.dir.0, &[&["fleet"], verb, &flags, rest].concat(), b"")
    }

    async fn client(&self, (name, _, seed, _): User) -> Client {
        let options = ConnectOptions::with_nkey(seed.into()).custom_inbox_prefix(format!("_INBOX_{name}"));
        options.connect(self.nats.url()).await.unwrap()
    }

    /// What the server refused, by user.
    fn refused(&self, (.., key): User) -> Vec<String> {
        let log = std::fs::read_to_string(self.dir.0.join("log")).unwrap();
        log.lines()
            .filter(|line| line.contains("Violation") && line.contains(key))
            .map(String::from)
            .collect()
    }
}

/// What the operator sees of a stream.
async fn messages(operator: &Client, stream: &str) -> u64 {
    let context = jetstream::new(operator.clone());
    context.get_stream(stream).await.unwrap().cached_info().state.messages
}

/// Whether there is an answer to a request.
async fn is_answered(client: &Client, subject: &'static str, body: &'static str) -> bool {
    let asked = tokio::time::timeout(Duration::from_millis(500), client.request(subject, body.into()));
    matches!(asked.await, Ok(Ok(_)))
}

#[test]
fn a_fleet_has_all_that_it_needs() {
    let Some(fleet) = Fleet::start() else { return };
    let made = fleet.fleet(&["init", "--nats-jobs", "jobs"]).expect(0);
    assert_eq!(made.text().lines().count(), 6, "{made:?}");
    let _nodes = [fleet.node(N1), fleet.node(N2)];
    until("both report", || {
        let shown = fleet.fleet(&[]).expect(0).text();
        shown.contains("n1 ") && shown.contains("n2 ")
    });
    std::fs::copy(prebuilt("greet.wasm"), fleet.dir.0.join("greet.wasm")).unwrap();
    for _ in 0..2 {
        // The second one reads what is there, to put it back if need be.
        let done = fleet.fleet(&["deploy", "--canary", "1", "--wait", "30s", "greet.wasm"]).expect(0);
        assert!(done.text().ends_with("2 nodes run greet\n"), "{done:?}");
    }
    block_on(async {
        let sender = fleet.client(SENDER).await;
        let answer = sender.request("fuelbox.execute.greet", "World".into()).await.unwrap();
        assert_eq!(&*answer.payload, b"Hello, World");
        let submitter = jetstream::new(fleet.client(SUBMITTER).await);
        submitter.publish("fuelbox.jobs.greet", "you".into()).await.unwrap().await.unwrap();
        submitter.publish("fuelbox.jobs.greet.a.b", "".into()).await.unwrap().await.unwrap();
        let operator = fleet.client(OPERATOR).await;
        while messages(&operator, "jobs").await > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let stored = (messages(&operator, "jobs-results").await, messages(&operator, "jobs-dead").await);
        assert_eq!(stored, (1, 1));
        let answer = operator.request("$SRV.STATS.fuelbox.n1", "".into()).await.unwrap();
        assert!(String::from_utf8_lossy(&answer.payload).contains("num_requests"));
    });
    fleet.fleet(&["remove", "greet"]).expect(0);
    fleet.fleet(&["init", "--nats-jobs", "jobs"]).expect(0);
    drop(_nodes);
    for user in [N1, N2, SENDER, SUBMITTER, OPERATOR] {
        assert_eq!(fleet.refused(user), [""; 0], "{}", user.0);
    }
}

#[test]
fn a_user_has_no_more_than_it_needs() {
    let Some(fleet) = Fleet::start() else { return };
    fleet.fleet(&["init", "--nats-jobs", "jobs"]).expect(0);
    block_on(async {
        let operator = fleet.client(OPERATOR).await;
        assert!(is_answered(&operator, "$JS.API.STREAM.INFO.OBJ_edge", "").await, "it is there");
        let (sender, node) = (fleet.client(SENDER).await, fleet.client(N1).await);
        let submitter = fleet.client(SUBMITTER).await;
        let to_bucket = ["$O.edge.C.x", "$O.edge.M.Z3JlZXQud2FzbQ==", "$JS.API.STREAM.PURGE.OBJ_edge"];
        let of_sender = ["fuelbox.jobs.greet", "fuelbox.results.greet", "$KV.edge-nodes.n1"];
        let of_api = ["$JS.API.STREAM.INFO.OBJ_edge", "$JS.API.STREAM.DELETE.jobs", "$JS.API.INFO"];
        let of_node = ["fuelbox.jobs.greet", "$KV.edge-nodes.n2", "$JS.API.STREAM.DELETE.OBJ_edge"];
        for subject in to_bucket.into_iter().chain(of_sender).chain(of_api) {
            assert!(!is_answered(&sender, subject, "{}").await, "sender: {subject}");
        }
        for subject in to_bucket.into_iter().chain(of_api).chain(["fuelbox.execute.greet"]) {
            assert!(!is_answered(&submitter, subject, "{}").await, "submitter: {subject}");
        }
        for subject in to_bucket.into_iter().chain(of_node) {
            assert!(!is_answered(&node, subject, "{}").await, "node: {subject}");
        }
        for (client, subject) in [
            (&sender, "_INBOX.>"),
            (&sender, "_INBOX_n1.>"),
            (&sender, "fuelbox.execute.>"),
            (&sender, "fuelbox.results.>"),
            (&node, "_INBOX_n2.>"),
            (&node, "fuelbox.execute.greet"),
            (&node, "fuelbox.results.>"),
            (&operator, "fuelbox.execute.>"),
        ] {
            let _subscriber = client.subscribe(subject).await.unwrap();
            client.flush().await.unwrap();
        }
        for stream in ["OBJ_edge", "KV_edge-nodes", "jobs", "jobs-results"] {
            assert_eq!(messages(&operator, stream).await, 0, "{stream}");
        }
    });
    let counts = [SENDER, SUBMITTER, N1, OPERATOR].map(|user| fleet.refused(user).len());
    assert_eq!(counts, [9 + 4, 7, 6 + 3, 1], "each was refused by the server");
}
