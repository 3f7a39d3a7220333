//! The course of one seed: rounds under faults, some of which die; then calm, in which everything must come right.

use super::asked::{self, overrun, unasked};
use super::demand::Demand;
use super::disk::{Disk, Notebook, together};
use super::faults::{Fate, Faults, Kind};
use super::ledger::Entry;
use super::line::{DeathSpot, Line};
use super::lots::{self, Lot};
use super::others::Others;
use super::process::{Command, Done, End, Process, blocking};
use super::promises::{Claims, above_limits, bad_manners};
use super::sabotage::Sabotage;
use super::service::{Sent, Service};
use crate::census::Census;
use crate::session::NOW;
use crate::truth::{Terms, departures};
use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use model::place::Source;
use model::policy::{AttributeMode, UnlistedGroups, UnlistedUsers};
use model::run::Ending;
use model::{Attribute, Plan, Roster};
use slack_sim::{Keep, Simulator};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// What came of a seed.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// Broken promises, one line each.
    pub broken: Vec<String>,
    /// What happened, in a few lines.
    pub story: Vec<String>,
    /// Every request with what became of it.
    pub log: Vec<Sent>,
    /// How far it came.
    pub outcome: &'static str,
}

impl Verdict {
    /// The requests, one line each: what was sent, what became of it, what was heard.
    pub fn requests(&self) -> Vec<String> {
        let Some(start) = self.log.first().map(|sent| sent.at) else { return Vec::new() };
        let line = |sent: &Sent| {
            let body = String::from_utf8_lossy(&sent.body);
            let heard = sent.heard.map_or_else(|| "nothing".to_owned(), |status| status.to_string());
            let fate = if sent.fate == Fate::Pass { String::new() } else { format!(" [{:?}]", sent.fate) };
            let at = sent.at.duration_since(start).as_secs_f64();
            format!("{}|{at:.3} {} {} {body}{fate} -> {heard}", sent.round, sent.method, sent.target)
        };
        self.log.iter().map(line).collect()
    }
}

/// The command that replays a seed.
pub fn replay(seed: u64) -> String {
    format!("seed {seed}: cargo run --release -p end-to-end --bin simulate -- --seed {seed}")
}

/// The company of a seed and what is wrong with its service, for people.
pub fn company(seed: u64) -> String {
    let lot = lots::draw(seed);
    let faults = Faults::drawn(seed);
    let others = Others::drawn(seed, lot.reach.clone());
    let live = serde_json::to_string_pretty(&lot.seed).unwrap_or_default();
    format!(
        "switches: {:?}\nfaults: {:?}, {} of a thousand\nothers: {} of a thousand\nworkspace: {live}\n{}",
        lot.switches.changed(),
        faults.kinds(),
        faults.rate(),
        others.rate(),
        lot.roster
    ) + &lot.later.map(|later| format!("later:\n{later}")).unwrap_or_default()
}

/// Runs one seed on a clock and a thread of its own.
///
/// # Panics
/// When the seed's company is none that a roster or a simulator takes, which is a mistake of the harness.
pub fn run(seed: u64) -> Verdict {
    run_sabotaged(seed, None)
}

/// The same with a deliberate bug in the client.
///
/// # Panics
/// As [`run`].
pub fn run_sabotaged(seed: u64, sabotage: Option<Sabotage>) -> Verdict {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async { Course::new(seed, sabotage).run().await })
}

/// By when everything has come about that a run has set going: what is late, or slow, or to be hosted or deactivated.
const AFTERMATH: Duration = Duration::from_mins(5);

struct Course {
    lot: Lot,
    service: Service,
    roster: Arc<Roster>,
    rng: Rng,
    start: Instant,
    sabotage: Option<Sabotage>,
    /// The plan of the process before, which only a saboteur goes on with.
    memory: Mutex<Option<Plan>>,
    disk: Disk,
    /// Whether plans are saved and applied from their files.
    by_file: bool,
    /// Whether a person lets blocked plans pass.
    consents: bool,
    verdict: Verdict,
}

impl Course {
    fn new(seed: u64, sabotage: Option<Sabotage>) -> Self {
        let lot = lots::draw(seed);
        let simulator = Simulator::new(&lot.seed, lot.switches.clone())
            .unwrap_or_else(|error| panic!("seed {seed}: {error}"))
            .with_time(NOW);
        let others = Others::drawn(seed, lot.reach.clone());
        // A bug that only some courses can show gets such a course.
        let faults = match sabotage {
            Some(Sabotage::OverlooksIncident) => Faults::of(seed, &[Kind::Deactivates], 150),
            _ => Faults::drawn(seed),
        };
        let service = Service::new(simulator, faults, others);
        let roster = Arc::new(load(&lot.roster, &lot.roster));
        let mut rng = Rng::with_seed(seed ^ 0xC0_0125E);
        let needs_journal =
            matches!(sabotage, Some(Sabotage::OverlooksIncident | Sabotage::ForgetsYesterday));
        let has_journal = rng.u8(..10) < 6 || needs_journal;
        let journal = has_journal.then(|| Notebook::new(service.clone()));
        Self {
            lot,
            roster,
            disk: Disk { journal, plan: Mutex::new(None) },
            service,
            by_file: rng.u8(..4) == 0 || sabotage == Some(Sabotage::AppliesSavedPlanBlindly),
            consents: rng.u8(..10) == 0 || sabotage == Some(Sabotage::ConsentsToEverything),
            rng,
            start: Instant::now(),
            sabotage,
            memory: Mutex::new(None),
            verdict: Verdict::default(),
        }
    }

    async fn run(mut self) -> Verdict {
        let rounds = self.rng.usize(1..=4);
        let changes_at = self.rng.usize(1..=4);
        for number in 0..rounds {
            if number == changes_at {
                self.change_roster();
            }
            let death = self.death();
            let end = self.round(death, false).await;
            self.tell(&end);
            let pause = [0, 1, 5, 60, 3_600, 40_000][self.rng.usize(..6)];
            self.pass(Duration::from_secs(pause)).await;
        }
        if changes_at >= rounds {
            self.change_roster();
        }
        self.service.calm();
        // What is late, or slow, or still to be hosted or deactivated, has come about by then. Often so much has passed
        // that what was done today counts no more.
        let long = self.rng.u8(..3) > 0;
        self.pass(if long { Duration::from_hours(26) } else { Duration::from_mins(15) }).await;
        self.calm().await;
        let mut verdict = self.verdict;
        verdict.log.clone_from(&self.service.lock().log);
        verdict
    }

    /// Time passes. What is late comes about in its first minutes, and is taken down then.
    async fn pass(&self, span: Duration) {
        let first = span.min(AFTERMATH);
        sleep(first).await;
        self.service.settle();
        sleep(span.saturating_sub(first)).await;
        self.service.settle();
    }

    /// A reviewed change of the roster is merged. From now on the world as it stands is what it is applied to.
    fn change_roster(&mut self) {
        let Some(later) = self.lot.later.take() else { return };
        self.roster = Arc::new(load(&later, &self.lot.roster));
        self.verdict.story.push("the roster changes".to_owned());
        self.service.settle();
        let now = Census::take(&self.service.simulator);
        let mut inner = self.service.lock();
        inner.ledger.untouched = now;
        inner.ledger.settled = inner.ledger.round;
    }

    fn tell(&mut self, end: &End) {
        let number = self.service.lock().ledger.round;
        self.verdict.story.push(format!("round {number}: {}", end.told()));
    }

    fn complain(&mut self, found: impl IntoIterator<Item = String>) {
        let number = self.service.lock().ledger.round;
        self.verdict.broken.extend(found.into_iter().map(|line| format!("round {number}: {line}")));
    }

    fn death(&mut self) -> Death {
        match self.rng.u8(..10) {
            0..5 => Death::None,
            5..9 => Death::AtRequest(DeathSpot {
                request: {
                    let most = [6, 40][self.rng.usize(..2)];
                    self.rng.usize(..most)
                },
                after: self.rng.bool(),
                writes_only: self.rng.u8(..4) > 0,
            }),
            _ => Death::AtPoll(self.rng.usize(..400)),
        }
    }

    fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.start.elapsed()).unwrap_or_default();
        NOW.saturating_add(passed).unwrap_or(NOW)
    }

    /// One process, from its start to its end or death, and what is to be said of it.
    async fn round(&mut self, death: Death, last: bool) -> End {
        let tear = self.rng.bool();
        let full = !last && self.rng.u8(..20) == 0;
        let room = full.then(|| self.rng.usize(..25));
        if let Some(notebook) = &self.disk.journal {
            notebook.set_room(room);
        }
        let (from, since) = {
            let mut inner = self.service.lock();
            inner.ledger.round += 1;
            (inner.log.len(), Instant::now())
        };
        let entries_before = self.service.lock().ledger.entries.len();
        let spot = match death {
            Death::AtRequest(spot) => Some(spot),
            Death::None | Death::AtPoll(_) => None,
        };
        let polls = match death {
            Death::AtPoll(polls) => polls,
            Death::None | Death::AtRequest(_) => usize::MAX,
        };
        let line = Line::new(self.service.clone(), spot);
        let seed = self.rng.u64(..);
        let end = {
            let process = Process {
                service: &self.service,
                roster: &self.roster,
                disk: &self.disk,
                command: if self.by_file && !last { Command::ByFile } else { Command::Apply },
                consents: self.consents && !last,
                seed,
                start: (self.start, NOW),
                sabotage: self.sabotage,
                memory: &self.memory,
            };
            tokio::select! {
                biased;
                () = line.death() => End::Died,
                end = Mortal { inner: Box::pin(process.run(line.clone())), polls } => end.unwrap_or(End::Died),
            }
        };
        if matches!(end, End::Died)
            && tear
            && let Some(notebook) = &self.disk.journal
        {
            notebook.tear();
        }
        self.service.settle();
        self.judge(&end, from, since, entries_before);
        end
    }

    fn judge(&mut self, end: &End, from: usize, since: Instant, entries_before: usize) {
        let now = Census::take(&self.service.simulator);
        let records = self.service.records(from);
        let found = {
            let mut inner = self.service.lock();
            let round = inner.ledger.round;
            let scene = asked::Scene {
                roster: &self.roster,
                untouched: &inner.ledger.untouched,
                now: &now,
                protected: &self.lot.protected,
                log: &inner.log,
                deactivated: inner.ledger.deactivated(),
                others: inner.ledger.entries.iter().filter(|entry| !entry.cause.is_client()).collect(),
            };
            let new: Vec<Entry> = inner.ledger.entries.get(entries_before..).unwrap_or_default().to_vec();
            let new: Vec<Entry> =
                new.into_iter().filter(|entry| entry.round > inner.ledger.settled).collect();
            let mut found = unasked(&scene, &new);
            let overrun = overrun(&scene, &new);
            for (group, member, is_in) in overrun {
                match inner.ledger.untouched.groups.get_mut(&group) {
                    Some(group) if is_in => drop(group.members.insert(member)),
                    Some(group) => drop(group.members.remove(&member)),
                    None => {}
                }
            }
            let log = inner.log.get(from..).unwrap_or_default();
            let approved = matches!(end, End::Done(done) if done.approved)
                || (self.consents && matches!(end, End::Died));
            let daily = self.disk.journal.is_some();
            found.extend(above_limits(&inner, &self.roster, (round, since), approved, daily));
            found.extend(bad_manners(log, &records, &self.lot.protected));
            let first_write = log.iter().position(|sent| sent.method != http::Method::GET);
            let may_write = matches!(end, End::Done(_) | End::Died);
            if let Some(first) = first_write {
                let read = log[..first].iter().filter(|sent| sent.heard == Some(200)).count();
                if !may_write {
                    found.push("it wrote, and was not to".to_owned());
                }
                if read < 2 {
                    found.push("it wrote before it had read".to_owned());
                }
            }
            if let Some(notebook) = &self.disk.journal {
                found.extend(notebook.unintended(&inner.log, from, &now));
                found.extend(notebook.heedless(&inner.log, from));
            }
            let protected: Vec<&str> = self.lot.protected.iter().map(String::as_str).collect();
            let terms = terms(&self.roster, &self.lot, &protected);
            let claims =
                Claims { inner: &inner, now: &now, roster: &self.roster, terms: &terms, from, round };
            match end {
                End::Nothing => found.extend(claims.in_sync()),
                End::Done(done) => found.extend(claims.report(&done.plan, &done.report, done.scope)),
                End::BadJournal(why) => found.push(format!("the journal cannot be read: {why}")),
                End::Unread(_)
                | End::Conflicts(_)
                | End::Blocked(_)
                | End::Saved
                | End::Stale(_)
                | End::Died => {}
            }
            found
        };
        self.complain(found);
    }

    /// Undisturbed, the next run finishes the job, and a further one finds nothing to do.
    async fn calm(&mut self) {
        let before = Census::take(&self.service.simulator);
        let time = self.now();
        let end = self.round(Death::None, true).await;
        self.tell(&end);
        match &end {
            End::Unread(why) => self.complain([format!("undisturbed, it cannot read: {why}")]),
            End::Conflicts(why) => {
                self.complain([format!("undisturbed, it cannot plan: {}", why.join("; "))]);
            }
            End::BadJournal(_) | End::Died | End::Saved | End::Stale(_) => {
                self.complain(["undisturbed, it does not apply".to_owned()]);
            }
            End::Blocked(plan) => {
                self.verdict.outcome = "blocked";
                let found = self.unfounded(plan, &before, time);
                self.complain(found);
            }
            End::Nothing => self.verdict.outcome = "in sync",
            End::Done(done) => {
                if self.lot.asks_too_much {
                    self.verdict.outcome = "asked too much";
                    return;
                }
                self.verdict.outcome = "in sync";
                if !done.report.is_success() {
                    self.complain([format!("undisturbed, it fails: {}", told(done))]);
                    return;
                }
                let again = self.round(Death::None, true).await;
                self.tell(&again);
                if !matches!(again, End::Nothing) {
                    self.complain([format!("a further run is not idle: {}", again.told())]);
                }
            }
        }
        if self.verdict.outcome == "in sync" {
            let now = Census::take(&self.service.simulator);
            let protected: Vec<&str> = self.lot.protected.iter().map(String::as_str).collect();
            let untouched = self.service.lock().ledger.untouched.clone();
            let found =
                departures(&self.roster, &untouched, &now, &terms(&self.roster, &self.lot, &protected));
            self.complain(found.into_iter().map(|line| format!("at the end: {line}")));
        }
    }

    /// The blocks of a plan for which there is no reason.
    fn unfounded(&self, plan: &Plan, before: &Census, time: Timestamp) -> Option<String> {
        let demand = Demand::of(&self.roster, before, &self.lot.protected);
        let recently = self.disk.journal.as_ref().map(|notebook| notebook.recently(time)).unwrap_or_default();
        let day_ago = Instant::now().checked_sub(Duration::from_hours(25)).unwrap_or(self.start);
        let whole = self.service.lock().ledger.least_since(day_ago);
        let right = together(demand, &recently).blocks(&self.roster.policy.limits, &whole);
        let wrong: Vec<&str> = blocking(plan).into_iter().filter(|guard| !right.contains(guard)).collect();
        let said = plan.verdicts.iter().filter(|verdict| wrong.contains(&verdict.guard));
        let said: Vec<&str> = said.map(|verdict| verdict.message.as_str()).collect();
        (!wrong.is_empty()).then(|| format!("blocked by {wrong:?} without reason: {said:?}"))
    }
}

/// What failed of a plan, and what reading back showed.
fn told(done: &Done) -> String {
    let changes = &done.plan.changeset.changes;
    let failed: Vec<String> = done
        .report
        .outcomes
        .iter()
        .filter(|outcome| !matches!(outcome.ending, Ending::Took { .. } | Ending::Pending { .. }))
        .map(|outcome| {
            let name = changes.get(outcome.change.get()).map(|change| change.name.to_string());
            format!("{}: {:?}", name.unwrap_or_default(), outcome.ending)
        })
        .collect();
    format!("{failed:?}, {:?}, {:?}", done.report.read_back, done.report.stopped)
}

/// What the judge of the end has to know.
fn terms<'a>(roster: &Roster, lot: &Lot, protected: &'a [&'a str]) -> Terms<'a> {
    let enforced = roster.policy.attributes.get(Attribute::DisplayName) == AttributeMode::Enforce;
    Terms {
        protected,
        on_create: if enforced { &[] } else { &[Attribute::DisplayName] },
        leavers_leave_groups: lot.switches.deactivated_memberships == Keep::Drop,
        unlisted_leave: roster.policy.unlisted.users == UnlistedUsers::Deactivate,
        unlisted_groups_go: roster.policy.unlisted.groups == UnlistedGroups::Delete
            && roster.groups.is_some(),
    }
}

fn load(text: &str, first: &str) -> Roster {
    let files = vec![Source { path: "roster.yaml".to_owned(), text: text.to_owned() }];
    match model::load::load(files, None) {
        Ok(loaded) => loaded.roster,
        Err(rejected) => {
            let all: Vec<&str> = rejected.diagnostics.iter().map(|d| d.message.as_str()).collect();
            panic!("the roster has mistakes: {}\n{text}\nat first: {first}", all.join("; "))
        }
    }
}

/// When a process dies.
#[derive(Debug, Clone, Copy)]
enum Death {
    /// Not at all.
    None,
    /// At a request.
    AtRequest(DeathSpot),
    /// When it has been polled so often, whatever it is waiting for.
    AtPoll(usize),
}

/// A future that may be polled so often and no more.
struct Mortal<F> {
    inner: Pin<Box<F>>,
    polls: usize,
}

impl<F: Future> Future for Mortal<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut TaskContext<'_>) -> Poll<Self::Output> {
        if self.polls == 0 {
            return Poll::Ready(None);
        }
        self.polls -= 1;
        self.inner.as_mut().poll(context).map(Some)
    }
}
