//! Puts what was fetched in place, in a thread of its own: compilers and disks are not to hold up what else comes by NATS.

use crate::base::error::Error;
use crate::plugins::catalog::Catalog;
use crate::plugins::deploy::Refused;
use crate::plugins::together::Part;
use std::io;
use std::sync::mpsc::{SyncSender, sync_channel};
use tokio::sync::oneshot;

type Task = Box<dyn FnOnce() + Send>;

/// The thread, which ends when this is dropped.
pub struct Hand(SyncSender<Task>);

impl Hand {
    /// Starts it.
    ///
    /// # Errors
    /// No thread.
    pub fn new() -> io::Result<Hand> {
        // One change at a time.
        let (sender, tasks) = sync_channel::<Task>(1);
        let thread = std::thread::Builder::new().name("nats-plugins".into());
        thread.spawn(move || tasks.into_iter().for_each(|task| task()))?;
        Ok(Hand(sender))
    }

    /// Has `job` done there; none if it cannot be done any more.
    pub async fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let (done, result) = oneshot::channel();
        let task = Box::new(move || drop(done.send(job())));
        self.0.try_send(task).ok()?;
        result.await.ok()
    }
}

/// What is to be done with a plug-in.
#[derive(Debug)]
pub enum Change {
    /// It goes.
    Remove {
        /// Whether its policy stays: one that never came from the object store.
        keeps_policy: bool,
    },
    /// These of its files change.
    Put {
        /// The module; without one, the one that is there stays.
        module: Option<Vec<u8>>,
        /// The policy.
        policy: Part,
        /// The signature.
        signature: Part,
    },
}

/// Why a plug-in is as it was.
#[derive(Debug, PartialEq, Eq)]
pub enum Unapplied {
    /// It would not serve.
    Refused(String),
    /// The system could not do it, or somebody else is writing it.
    Passing(String),
}

/// Changes the plug-in `name`, and keeps former versions of it as `keep` says.
///
/// # Errors
/// [`Unapplied`]; nothing has changed then.
pub fn apply(catalog: &Catalog, name: &str, change: &Change, keep: usize) -> Result<(), Unapplied> {
    let done = catalog.deploy(|deploy| {
        deploy.keep = Some(keep);
        match change {
            Change::Remove { keeps_policy } => match deploy.remove_but(name, &|_| true, *keeps_policy) {
                Err(Refused::Absent) => Ok(()),
                done => done,
            },
            Change::Put { module, policy, signature } => {
                deploy.put_together(name, module.as_deref(), policy, signature).map(drop)
            }
        }
    });
    done.ok_or_else(|| Unapplied::Refused("there is no plug-in folder (--plugins)".into()))?.map_err(why)
}

fn why(refused: Refused) -> Unapplied {
    match refused {
        Refused::Invalid(why) => Unapplied::Refused(why),
        Refused::Unsettled => Unapplied::Passing("its policy is being written by somebody else".into()),
        // Where the folder is concerns nobody else.
        Refused::System(Error::Io { source, .. }) => Unapplied::Passing(format!("the folder: {source}")),
        Refused::System(error) => Unapplied::Passing(error.to_string()),
        Refused::Absent | Refused::NoVersion | Refused::Condition => {
            Unapplied::Refused("there is no module of it".into())
        }
    }
}
