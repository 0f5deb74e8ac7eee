//! Keeps the plug-in folder as the object store is.

use super::apply::{Change, Hand, Unapplied, apply};
use super::beat::report;
use super::fetch::{Unfetched, fetch};
use super::listing::{Listing, Want, Wanted};
use super::names::{self, File};
use super::object;
use super::origin::{Came, Origins};
use super::report::{Failure, Failures};
use super::tail::{self, Failed, Tail};
use crate::base::escape::printable;
use crate::fleet::node::Node;
use crate::plugins::files::module_path;
use crate::plugins::policy::POLICY_BYTES_MAX;
use crate::plugins::signature::SIGNATURE_BYTES_MAX;
use crate::plugins::together::Part;
use async_nats::jetstream::stream::Stream;
use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

/// Time without a change, after which what has changed is taken. The files of one plug-in come one after the other.
pub const QUIET: Duration = Duration::from_millis(200);

/// The longest wait for that.
const QUIET_MAX: Duration = Duration::from_secs(3);

/// Time after which all is looked at again, even if nothing was said of a change; up to half as long again, so that not all
/// nodes of a fleet look at once.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// Time after which an object store that is not there, or cannot be read, is looked for again.
const PAUSE: Duration = Duration::from_secs(2);

/// Time after which a failure that may pass is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(60);

/// The same, if it was the network's.
const FETCH_AGAIN: Duration = Duration::from_secs(5);

/// Follows `bucket` and reports, until the node leaves.
pub async fn run(node: Node, bucket: String) {
    let (sender, failures) = watch::channel(Failures::new());
    let following = async {
        match Follower::new(&node, &bucket, sender).await {
            Ok(mut follower) => follower.follow().await,
            Err(error) => log::error!("--nats-plugins {bucket}: {error}"),
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = following => {}
        () = report(&node, &bucket, failures) => {}
    }
}

/// Why a plug-in is not as it is wanted, and when it is to be tried again.
struct Tried {
    wanted: Wanted,
    again: Option<Instant>,
}

struct Follower<'a> {
    node: &'a Node,
    bucket: &'a str,
    folder: PathBuf,
    hand: Hand,
    origins: Origins,
    is_saved: bool,
    tried: HashMap<String, Tried>,
    failures: watch::Sender<Failures>,
    /// What was last said to be wrong with the object store, which is not said again.
    told: String,
}

impl<'a> Follower<'a> {
    async fn new(
        node: &'a Node,
        bucket: &'a str,
        failures: watch::Sender<Failures>,
    ) -> Result<Follower<'a>, String> {
        let hand = Hand::new().map_err(|error| error.to_string())?;
        let (catalog, of_bucket) = (Arc::clone(node.runner.catalog()), bucket.to_string());
        let read = move || {
            let folder = catalog.deploy(|deploy| deploy.folder.path().to_path_buf())?;
            let origins = Origins::read(&folder, &of_bucket);
            Some((folder, origins))
        };
        let (folder, origins) =
            hand.run(read).await.flatten().ok_or("there is no plug-in folder (--plugins)")?;
        let (tried, told) = Default::default();
        Ok(Follower { node, bucket, folder, hand, origins, is_saved: true, tried, failures, told })
    }

    async fn follow(&mut self) {
        while !self.node.is_leaving() {
            if let Err(failed) = self.session().await {
                self.tell(match failed {
                    Failed::Absent => "there is no such object store (fuelbox fleet init)".into(),
                    Failed::Other(what) => what,
                });
                sleep(PAUSE).await;
            }
        }
    }

    fn tell(&mut self, what: String) {
        if what != self.told {
            log::warn!("--nats-plugins {}: {}; trying again", self.bucket, printable(&what));
            self.told = what;
        }
    }

    /// Lists the object store and follows it for a while.
    async fn session(&mut self) -> Result<(), Failed> {
        let context = async_nats::jetstream::new(self.node.client.clone());
        let stream = names::stream(self.bucket);
        let mut tail = Tail::open(&context, &stream, &names::metas(self.bucket)).await?;
        let stream = tail::stream(&tail::patient(&self.node.client), &stream).await?;
        self.told.clear();
        let mut listing = Listing::default();
        let end = Instant::now() + spread(LOOK_AGAIN);
        // All that is there counts as changed, the first time.
        let mut changed = Some((Instant::now(), Instant::now()));
        loop {
            let due = match changed {
                Some((first, last)) if tail.is_complete() => (last + QUIET).min(first + QUIET_MAX),
                Some(_) => end,
                None => self.next_try().unwrap_or(end).min(end),
            };
            tokio::select! {
                item = tail.next() => {
                    let item = item.map_err(Failed::Other)?;
                    self.note(&mut listing, &item.token, &item.payload);
                    let now = Instant::now();
                    changed = Some((changed.map_or(now, |(first, _)| first), now));
                }
                () = sleep_until(due) => {
                    if tail.is_complete() {
                        changed = None;
                        self.pass(&stream, &listing).await;
                    }
                    if Instant::now() >= end || self.node.is_leaving() {
                        return Ok(());
                    }
                }
            }
        }
    }

    fn note(&mut self, listing: &mut Listing, token: &str, payload: &[u8]) {
        match object::read(token, payload) {
            Some((name, mut said)) => {
                said.keep_node(&self.node.config.node);
                if let Err(what) = listing.note(name, said) {
                    self.tell(what);
                }
            }
            None => log::debug!("--nats-plugins {}: an object is for no plug-in", self.bucket),
        }
    }

    /// When the first of the failures that may pass is to be tried again.
    fn next_try(&self) -> Option<Instant> {
        self.tried.values().filter_map(|tried| tried.again).min()
    }

    /// Has each plug-in as `listing` has it.
    async fn pass(&mut self, stream: &Stream, listing: &Listing) {
        let known = self.origins.plugins.keys().map(String::as_str);
        let names: BTreeSet<String> = listing.plugins().into_iter().chain(known).map(String::from).collect();
        let was_tried = self.tried.len();
        self.tried.retain(|name, _| names.contains(name));
        let mut is_other = was_tried != self.tried.len();
        for name in &names {
            if self.node.is_leaving() {
                break;
            }
            let wanted = listing.wanted(name, &self.node.config.node, self.origins.plugins.get(name));
            let tried = self.tried.get(name).filter(|tried| tried.wanted.is_like(&wanted));
            if tried.is_some_and(|tried| tried.again.is_none_or(|again| again > Instant::now())) {
                continue;
            }
            let done = self.plugin(stream, name, &wanted).await;
            is_other |= done != Ok(false);
            self.remember(name, wanted, done);
        }
        self.save().await;
        if is_other {
            self.failures.send_modify(|failures| failures.retain(|name, _| self.tried.contains_key(name)));
        }
    }

    /// Keeps what came of a plug-in, and reports it.
    fn remember(&mut self, name: &str, wanted: Wanted, done: Result<bool, Problem>) {
        let (why, again) = match done {
            Ok(is_changed) => {
                if self.tried.remove(name).is_some() || is_changed {
                    self.failures.send_modify(|failures| drop(failures.remove(name)));
                }
                if is_changed {
                    log::info!("plug-in {name} is as {} has it", self.bucket);
                }
                return;
            }
            Err(Problem { why, again }) => (why, again),
        };
        // What is tried again and again is said once.
        let is_known = self.failures.borrow().get(name).is_some_and(|failure| failure.why == why);
        let level = if is_known { log::Level::Debug } else { log::Level::Warn };
        log::log!(level, "plug-in {name} is not as {} has it: {}", self.bucket, printable(&why));
        let again = again.map(|time| Instant::now() + time);
        self.tried.insert(name.into(), Tried { wanted: wanted.clone(), again });
        let failure = Failure { wanted, why };
        self.failures.send_modify(|failures| drop(failures.insert(name.into(), failure)));
    }

    /// Has one plug-in as it is wanted; whether something was changed.
    async fn plugin(&mut self, stream: &Stream, name: &str, wanted: &Wanted) -> Result<bool, Problem> {
        if let Some(why) = wanted.problem() {
            return Err(Problem { why, again: None });
        }
        let change = match wanted.of(File::Module) {
            Want::Remove => {
                let came = self.origins.plugins.get(name);
                // Whoever may put modules is not to rid a node of its own policy by that.
                let keeps_policy = !came.is_some_and(|files| files.contains_key(&File::Policy));
                Some(Change::Remove { keeps_policy })
            }
            _ => self.change(stream, name, wanted).await?,
        };
        let is_changed = change.is_some();
        if let Some(change) = change {
            let (catalog, keep) = (Arc::clone(self.node.runner.catalog()), self.node.config.keep_versions);
            let of = name.to_string();
            let done = self.hand.run(move || apply(&catalog, &of, &change, keep)).await;
            done.unwrap_or_else(|| Err(Unapplied::Passing("it cannot be tried".into())))?;
        }
        self.note_origin(name, wanted);
        Ok(is_changed)
    }

    /// What of the plug-in is to change, with what was fetched for it; none if it is as it is wanted.
    async fn change(&self, stream: &Stream, name: &str, wanted: &Wanted) -> Result<Option<Change>, Problem> {
        let now = self.node.runner.plugins().find(name);
        let refusal = self.node.runner.plugins().refusal(name);
        // What is in the folder, and what runs, are not the same then.
        let is_refused = refusal.is_some_and(|(path, _)| path == module_path(&self.folder, name));
        if now.is_none() && !is_refused && !matches!(wanted.of(File::Module), Want::Put(..)) {
            // A policy, or a signature, of no module.
            return Ok(None);
        }
        let is_now = |file: File, sha256: &str| {
            let came = self.origins.plugins.get(name).and_then(|files| files.get(&file));
            let runs = now.as_ref().filter(|_| !is_refused);
            runs.is_some_and(|plugin| match file {
                File::Module => plugin.digest.to_string() == sha256,
                File::Policy => plugin.policy.digest.is_some_and(|digest| digest.to_string() == sha256),
                File::Signature => came.is_some_and(|came| came.sha256 == sha256),
            })
        };
        let limits = [
            (self.node.runner.limits().module_bytes, "--max-module"),
            (POLICY_BYTES_MAX, "the limit of policies"),
            (SIGNATURE_BYTES_MAX, "the limit of signatures"),
        ];
        let mut parts = [Part::Keep, Part::Keep, Part::Keep];
        // The small ones first: if they are gone already, the large one need not come.
        for at in [2, 1, 0] {
            let (file, limit) = (File::ALL[at], limits[at]);
            parts[at] = match wanted.of(file) {
                Want::Put(object, _) if is_now(file, &object.sha256) => Part::Keep,
                Want::Put(object, _) => Part::Put(fetch(stream, self.bucket, object, limit).await?),
                Want::Remove => Part::Remove,
                Want::Keep | Want::Unusable(_) => Part::Keep,
            };
        }
        let [module, policy, signature] = parts;
        if [&module, &policy, &signature].iter().all(|part| **part == Part::Keep) {
            return Ok(None);
        }
        let module = match module {
            Part::Put(bytes) => Some(bytes),
            _ => None,
        };
        Ok(Some(Change::Put { module, policy, signature }))
    }

    fn note_origin(&mut self, name: &str, wanted: &Wanted) {
        let mut files = self.origins.plugins.get(name).cloned().unwrap_or_default();
        if *wanted.of(File::Module) == Want::Remove {
            files.clear();
        }
        let has_module = files.contains_key(&File::Module)
            || matches!(wanted.of(File::Module), Want::Put(..))
            || self.node.runner.plugins().find(name).is_some();
        for (file, want) in &wanted.files {
            match want {
                Want::Put(object, is_canary) if has_module => {
                    let came = Came { sha256: object.sha256.clone(), is_canary: *is_canary };
                    files.insert(*file, came);
                }
                Want::Remove => drop(files.remove(file)),
                _ => {}
            }
        }
        if self.origins.plugins.get(name) == Some(&files)
            || files.is_empty() && !self.origins.plugins.contains_key(name)
        {
            return;
        }
        self.is_saved = false;
        match files.is_empty() {
            true => drop(self.origins.plugins.remove(name)),
            false => drop(self.origins.plugins.insert(name.into(), files)),
        }
    }

    async fn save(&mut self) {
        if self.is_saved {
            return;
        }
        let (origins, folder, bucket) = (self.origins.clone(), self.folder.clone(), self.bucket.to_string());
        match self.hand.run(move || origins.write(&folder, &bucket)).await {
            Some(Ok(())) => self.is_saved = true,
            Some(Err(error)) => log::error!("--nats-plugins {}: what came from there: {error}", self.bucket),
            None => {}
        }
    }
}

/// Why a plug-in is as it was, and after what time it is worth another try.
#[derive(Debug, PartialEq, Eq)]
struct Problem {
    why: String,
    again: Option<Duration>,
}

impl From<Unfetched> for Problem {
    fn from(unfetched: Unfetched) -> Problem {
        match unfetched {
            Unfetched::Refused(why) => Problem { why, again: None },
            Unfetched::Passing(why) => Problem { why, again: Some(FETCH_AGAIN) },
        }
    }
}

impl From<Unapplied> for Problem {
    fn from(unapplied: Unapplied) -> Problem {
        match unapplied {
            Unapplied::Refused(why) => Problem { why, again: None },
            Unapplied::Passing(why) => Problem { why, again: Some(TRY_AGAIN) },
        }
    }
}

/// `time`, and up to half of it more.
fn spread(time: Duration) -> Duration {
    let mut random = [0; 1];
    let _ = getrandom::fill(&mut random);
    time + time * u32::from(random[0]) / 512
}
