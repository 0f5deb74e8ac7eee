//! A plug-in for all nodes, or for a few first: it goes back if one of them cannot take it.

use super::names::{File, NODES_MAX, Name};
use super::overview::Overview;
use super::report::{Report, Sums};
use super::upload::Store;
use crate::base::digest::Digest;
use crate::fleet::config::Share;
use async_nats::Client;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How long nodes may take, if nothing else is said.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How long a command that failed waits for nodes to go back. The next one would take what they say still for its own.
const BACK_PATIENCE: Duration = Duration::from_secs(5);

/// Nodes that are named in a message.
const NAMED_MAX: usize = 10;

/// What is to be rolled out.
#[derive(Debug)]
pub struct Plan {
    /// The plug-in.
    pub plugin: String,
    /// Its module.
    pub module: Vec<u8>,
    /// Its policy; without one, that which is there stays.
    pub policy: Option<Vec<u8>>,
    /// Its signature; the same.
    pub signature: Option<Vec<u8>>,
    /// Which nodes try first.
    pub canary: Option<Share>,
    /// How long all nodes may take; none is not to wait for them.
    pub wait: Option<Duration>,
}

/// Rolls `plan` out, and says how that goes by `say`.
///
/// # Errors
/// A sentence: a node refused it, or is late. All is as it was before then.
pub async fn deploy(client: &Client, bucket: &str, plan: &Plan, say: impl Fn(String)) -> Result<(), String> {
    let store = Store::open(client, bucket).await?;
    let mut overview = match plan.canary.is_some() || plan.wait.is_some() {
        true => Some(Overview::open(client, bucket).await?),
        false => None,
    };
    if let (Some(share), Some(overview)) = (plan.canary, &mut overview) {
        let chosen = chosen(&plan.plugin, overview.alive(), share);
        if chosen.is_empty() {
            return Err("no node is there to try it (fuelbox fleet)".into());
        }
        say(format!("{} tries {}", listed(&chosen), plan.plugin));
        let tried = try_canary(&store, plan, &chosen, overview).await;
        if let Err(why) = tried {
            let back = withdraw(&store, &plan.plugin).await;
            went_back(overview, plan, &chosen).await;
            let back = back.map_or_else(|error| format!("; {error}"), |()| "; its nodes go back".into());
            return Err(format!("{why}{back}"));
        }
    }
    let alive = overview.as_ref().map(Overview::alive).unwrap_or_default();
    if plan.wait.is_some() && alive.is_empty() {
        return Err("no node is there to wait for (fuelbox fleet); nothing was put".into());
    }
    let former = match plan.wait {
        Some(_) => Some(former(&store, plan).await?),
        None => None,
    };
    let rolled_out = async {
        put(&store, plan, false, &[]).await?;
        if plan.canary.is_some() {
            withdraw(&store, &plan.plugin).await?;
        }
        match (plan.wait, &mut overview) {
            (Some(time), Some(overview)) => settled(overview, plan, &alive, time).await.map(Some),
            _ => Ok(None),
        }
    };
    match (rolled_out.await, former) {
        (Ok(Some(1)), _) => say(format!("1 node runs {}", plan.plugin)),
        (Ok(Some(count)), _) => say(format!("{count} nodes run {}", plan.plugin)),
        (Ok(None), _) => say(format!("{} is put; nodes take it now (--wait waits for them)", plan.plugin)),
        (Err(why), None) => return Err(why),
        (Err(why), Some(former)) => {
            let back = restore(&store, &former).await;
            if let Some(overview) = &mut overview {
                went_back(overview, plan, &alive).await;
            }
            let back =
                back.map_or_else(|error| format!("; {error}"), |()| "; what was there is put back".into());
            return Err(format!("{why}{back}"));
        }
    }
    Ok(())
}

/// Deletes all objects of a plug-in; whether there were any.
///
/// # Errors
/// A sentence.
pub async fn remove(client: &Client, bucket: &str, plugin: &str) -> Result<bool, String> {
    let store = Store::open(client, bucket).await?;
    let mut any = false;
    for is_canary in [true, false] {
        for file in File::ALL {
            any |= store.delete(&Name { plugin: plugin.into(), file, is_canary }).await?;
        }
    }
    Ok(any)
}

/// The files of a plan, the module last, so that it comes under its policy.
fn files(plan: &Plan) -> Vec<(File, &[u8])> {
    let of = |file, bytes: &Option<Vec<u8>>| bytes.as_ref().map(|_| file);
    let files = [of(File::Signature, &plan.signature), of(File::Policy, &plan.policy), Some(File::Module)];
    let bytes = |file| match file {
        File::Module => plan.module.as_slice(),
        File::Policy => plan.policy.as_deref().unwrap_or_default(),
        File::Signature => plan.signature.as_deref().unwrap_or_default(),
    };
    files.into_iter().flatten().map(|file| (file, bytes(file))).collect()
}

async fn put(store: &Store, plan: &Plan, is_canary: bool, nodes: &[String]) -> Result<(), String> {
    for (file, bytes) in files(plan) {
        let name = Name { plugin: plan.plugin.clone(), file, is_canary };
        store.put(&name, bytes, nodes).await?;
    }
    Ok(())
}

async fn try_canary(
    store: &Store,
    plan: &Plan,
    nodes: &[String],
    overview: &mut Overview,
) -> Result<(), String> {
    // What is left of another canary would be tried with this one.
    withdraw(store, &plan.plugin).await?;
    put(store, plan, true, nodes).await?;
    settled(overview, plan, nodes, plan.wait.unwrap_or(PATIENCE)).await.map(drop)
}

/// Deletes a canary: the module first, which says that there is one.
async fn withdraw(store: &Store, plugin: &str) -> Result<(), String> {
    for file in File::ALL {
        store.delete(&Name { plugin: plugin.into(), file, is_canary: true }).await?;
    }
    Ok(())
}

type Former = Vec<(Name, Option<Vec<u8>>)>;

/// What is there in the places of the files of `plan`.
async fn former(store: &Store, plan: &Plan) -> Result<Former, String> {
    let mut former = Vec::new();
    for (file, _) in files(plan) {
        let name = Name { plugin: plan.plugin.clone(), file, is_canary: false };
        let bytes = store.get(&name).await?;
        former.push((name, bytes));
    }
    Ok(former)
}

async fn restore(store: &Store, former: &Former) -> Result<(), String> {
    for (name, bytes) in former {
        match bytes {
            Some(bytes) => store.put(name, bytes, &[]).await?,
            None => drop(store.delete(name).await?),
        }
    }
    Ok(())
}

/// Waits a while, until none of `nodes` speaks of `plan` any more.
async fn went_back(overview: &mut Overview, plan: &Plan, nodes: &[String]) {
    let (end, asked) = (Instant::now() + BACK_PATIENCE, asked(plan));
    let refuses = |overview: &Overview, node: &String| {
        let report = overview.report(node).flatten();
        report.is_some_and(|report| matches!(state(report, &plan.plugin, &asked), State::Refuses(_)))
    };
    while nodes.iter().any(|node| refuses(overview, node)) {
        // What is wrong already is what is told.
        let Ok(Ok(())) = timeout_at(end, overview.next()).await else { return };
    }
}

/// What nodes say that run what `plan` has.
fn asked(plan: &Plan) -> Sums {
    let sum = |bytes: &[u8]| Some(Digest::of(bytes).to_string());
    Sums {
        sha256: sum(&plan.module),
        policy: plan.policy.as_deref().and_then(sum),
        signature: plan.signature.as_deref().and_then(sum),
    }
}

/// Waits until all of `nodes` run what `plan` has; how many do.
async fn settled(
    overview: &mut Overview,
    plan: &Plan,
    nodes: &[String],
    time: Duration,
) -> Result<usize, String> {
    let asked = asked(plan);
    let end = Instant::now() + time;
    loop {
        let mut late = Vec::new();
        let mut count = 0;
        for node in nodes {
            // One that has stopped in order need not be waited for.
            let Some(report) = overview.report(node) else { continue };
            match report.map_or(State::Other, |report| state(report, &plan.plugin, &asked)) {
                State::Runs => count += 1,
                State::Refuses(why) => return Err(format!("{node} does not take it: {why}")),
                State::Other => late.push(node.clone()),
            }
        }
        if late.is_empty() {
            return match count {
                0 => Err("all nodes have stopped".into()),
                count => Ok(count),
            };
        }
        match timeout_at(end, overview.next()).await {
            Ok(next) => next?,
            Err(_) => {
                let time = humantime::format_duration(time);
                let do_not = if late.len() == 1 { "does not" } else { "do not" };
                return Err(format!("after {time}, {} {do_not} run it", listed(&late)));
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Runs,
    Refuses(String),
    Other,
}

/// What a node that says `report` makes of `plugin` as it is `asked` for.
fn state(report: &Report, plugin: &str, asked: &Sums) -> State {
    let Some(entry) = report.plugins.iter().find(|entry| entry.name == plugin) else { return State::Other };
    match (&entry.error, &entry.wanted) {
        // An error about something else is of before.
        (Some(why), Some(wanted)) if wanted.are(asked) => State::Refuses(why.clone()),
        (Some(_), _) => State::Other,
        (None, _) if entry.runs.are(&Sums { signature: None, ..asked.clone() }) => State::Runs,
        (None, _) => State::Other,
    }
}

/// The nodes of `alive` that try `plugin` first: others for another plug-in, and the same for its next version.
fn chosen(plugin: &str, alive: Vec<String>, share: Share) -> Vec<String> {
    let count = match share {
        Share::Percent(percent) => (alive.len() * percent as usize).div_ceil(100),
        Share::Nodes(count) => count,
    };
    let mut ranked: Vec<_> = alive
        .into_iter()
        .map(|node| (*Digest::of(format!("{plugin}\n{node}").as_bytes()).bytes(), node))
        .collect();
    ranked.sort();
    let mut chosen: Vec<String> =
        ranked.into_iter().take(count.clamp(1, NODES_MAX)).map(|(_, node)| node).collect();
    chosen.sort();
    chosen
}

fn listed(nodes: &[String]) -> String {
    let named = nodes.iter().take(NAMED_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
    match nodes.len().saturating_sub(NAMED_MAX) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::Entry;
    use super::*;

    #[test]
    fn canaries_are_the_same_each_time_and_at_least_one() {
        let alive = |count: usize| (0..count).map(|n| format!("n{n}")).collect::<Vec<_>>();
        for (count, share, expected) in [
            (50, Share::Percent(10), 5),
            (51, Share::Percent(10), 6),
            (1, Share::Percent(1), 1),
            (3, Share::Percent(100), 3),
            (3, Share::Nodes(2), 2),
            (3, Share::Nodes(9), 3),
            (3, Share::Nodes(0), 1),
            (0, Share::Percent(10), 0),
            (1500, Share::Percent(100), NODES_MAX),
        ] {
            let some = chosen("a", alive(count), share);
            assert_eq!(some.len(), expected, "{count} {share:?}");
            let mut other_order = alive(count);
            other_order.reverse();
            assert_eq!(some, chosen("a", other_order, share));
        }
        assert_ne!(chosen("a", alive(50), Share::Nodes(5)), chosen("b", alive(50), Share::Nodes(5)));
    }

    #[test]
    fn a_node_is_judged_by_what_it_says_of_this_version() {
        let sums = |sha256: &str| Sums { sha256: Some(sha256.into()), ..Sums::default() };
        let said = |runs: &str, error: Option<&str>| {
            let wanted = error.map(sums);
            let entry =
                Entry { name: "a".into(), runs: sums(runs), error: error.map(|_| "no".into()), wanted };
            let report = Report { plugins: vec![entry], ..Report::default() };
            state(&report, "a", &sums("new"))
        };
        assert_eq!(said("new", None), State::Runs);
        assert_eq!(said("old", None), State::Other);
        assert_eq!(said("old", Some("new")), State::Refuses("no".into()));
        assert_eq!(said("old", Some("older")), State::Other);
        assert_eq!(state(&Report::default(), "a", &sums("new")), State::Other);
    }
}
