//! One run from the first read to a second plan, and everything that holds of any run.

use end_to_end::manners;
use end_to_end::session::Session;
use end_to_end::truth::{Terms, departures};
use end_to_end::worlds::World;
use model::plan::Outcome;
use model::run::{Ending, ReadBack};
use slack_sim::{Dialect, Keep, RateLimits, Switches};
use std::time::Duration;

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Ran {
    /// What the report says of it all.
    pub(crate) success: bool,
    /// The changes that did not take: whose, and why.
    pub(crate) failures: Vec<(String, Ending)>,
    /// What a second plan would still do.
    pub(crate) left: Vec<String>,
    /// What is not as the roster says in the simulator's own state.
    pub(crate) departures: Vec<String>,
    /// What must not happen in any run.
    pub(crate) breaches: Vec<String>,
    /// The requests of the plan: method and path.
    pub(crate) planned: Vec<String>,
    /// The requests that wrote, in the order of [`Ran::planned`].
    pub(crate) written: Vec<String>,
}

impl Ran {
    /// Whether the workspace is as the roster says, and a second plan agrees.
    pub(crate) fn is_converged(&self) -> bool {
        self.left.is_empty() && self.departures.is_empty()
    }
}

/// The default switches but for these.
pub(crate) fn switched(set: &[(&str, &str)]) -> Switches {
    let mut switches = Switches::default();
    for (name, value) in set {
        switches.set(name, value).unwrap();
    }
    switches
}

/// Plans and carries out; an error when nothing can be planned.
pub(crate) async fn run(world: &World, switches: &Switches) -> Result<Ran, String> {
    let session = Session::start(&world.seed, switches.clone());
    let before = session.census();
    let plan = session.plan(&world.roster).await?;
    if plan.outcome() == Outcome::Block {
        return Err(format!("blocked: {:?}", plan.verdicts));
    }
    let mut breaches: Vec<String> = Vec::new();
    if !manners::writes(&session.simulator.requests()).is_empty() {
        breaches.push("planning wrote".to_owned());
    }

    let report = session.carry_out(&world.roster, &plan).await;
    let log = session.simulator.requests();
    breaches.extend(manners::breaches(&log));
    // A lock that outlasts the answer shows itself only by refusing; nothing else is a reason for a 429 to somebody who
    // is alone.
    let locked = switches.lock_time > Duration::ZERO;
    if switches.rate_limits != RateLimits::Off && !locked && manners::throttled(&log) > 0 {
        breaches.push(format!("{} requests were answered 429", manners::throttled(&log)));
    }
    if report.outcomes.len() != plan.changeset.changes.len() {
        breaches.push("the report leaves changes out".to_owned());
    }
    if report.is_success() != (report.read_back == ReadBack::InSync) && failures(&plan, &report).is_empty() {
        breaches.push("every change took, and the report calls it no success".to_owned());
    }

    let leavers_leave_groups =
        switches.dialect == Dialect::Slack && switches.deactivated_memberships == Keep::Drop;
    let terms = Terms { leavers_leave_groups, ..world.terms };
    let departures = departures(&world.roster, &before, &session.census(), &terms);
    session.simulator.clear_requests();
    let left = match session.plan(&world.roster).await {
        Ok(plan) => {
            let line = |change: &model::Change| {
                format!("{} {:?} -> {:?}", change.name, change.before(), change.after())
            };
            plan.changeset.changes.iter().map(line).collect()
        }
        Err(why) => vec![why],
    };
    let mut planned: Vec<String> = plan
        .changeset
        .changes
        .iter()
        .map(|change| plan.encode(change))
        .map(|encoded| format!("{} {}", encoded.request.method.as_str(), shape(&encoded.request.path)))
        .collect();
    let mut written: Vec<String> = manners::writes(&log)
        .into_iter()
        .map(|record| format!("{} {}", record.method, shape(record.target.trim_start_matches("/scim/v2"))))
        .collect();
    planned.sort_unstable();
    written.sort_unstable();
    Ok(Ran {
        success: report.is_success(),
        failures: failures(&plan, &report),
        left,
        departures,
        breaches,
        planned,
        written,
    })
}

/// A path without the id, which for new people is known only when it is sent.
fn shape(path: &str) -> &str {
    let end = path.match_indices('/').nth(1).map_or(path.len(), |(at, _)| at);
    &path[..end]
}

fn failures(plan: &model::Plan, report: &model::run::RunReport) -> Vec<(String, Ending)> {
    let failed = report
        .outcomes
        .iter()
        .filter(|outcome| !matches!(outcome.ending, Ending::Took { .. } | Ending::Pending { .. }));
    failed
        .map(|outcome| {
            (plan.changeset.changes[outcome.change.get()].name.to_string(), outcome.ending.clone())
        })
        .collect()
}
