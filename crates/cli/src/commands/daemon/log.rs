//! What a daemon says: a line for each event, and in full what is new.
//!
//! All of it goes to one stream, because the order of two is lost on the way to a journal or a container's log.

use crate::arguments::DaemonArguments;
use crate::terminal::Terminal;
use humantime::format_duration;
use jiff::{Timestamp, TimestampRound, Unit};
use model::directory::Directory;
use model::names::UserId;
use model::plan::{Outcome, Plan};
use model::roster::Roster;
use reconciler::daemon::{Broken, Event, RosterNews, RoundEnd, Trouble};
use reconciler::run;
use report::harmless;
use std::io;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How many of a plan's digest's digits are shown where it is only to be recognised.
const DIGITS: usize = 12;

/// One line with the time. Whoever collects it may add a time of its own, but need not.
pub(super) fn say(terminal: Terminal, line: &str) -> io::Result<()> {
    let now = Timestamp::now();
    let now = now.round(TimestampRound::new().smallest(Unit::Second)).unwrap_or(now);
    terminal.result(&format!("{now} {}\n", harmless::terminal(line)))
}

/// What is said of a daemon's events.
pub(super) struct Log {
    terminal: Terminal,
    /// Cancelled when nobody can be told any more what happens.
    stop: CancellationToken,
    failed: Option<io::Error>,
    /// Whether a roster was told of.
    introduced: bool,
    /// The number of the round.
    number: u64,
    /// What this round only repeats, in few words.
    repeated: Option<String>,
}

impl Log {
    pub(super) fn new(terminal: Terminal, stop: CancellationToken) -> Self {
        Self { terminal, stop, failed: None, introduced: false, number: 0, repeated: None }
    }

    /// Introduces the daemon.
    pub(super) fn begin(&mut self, arguments: &DaemonArguments, target: Option<&str>) {
        let roster = arguments.roster.roster.display();
        let target = target.unwrap_or("a simulator");
        let what = if arguments.observe { "Comparing, and not making," } else { "Making" };
        let every = arguments.interval;
        let pid = std::process::id();
        self.say(&format!("{what} {target} match {roster} every {every}; process {pid}."));
    }

    /// Says the last word.
    ///
    /// # Errors
    /// When something could not be said.
    pub(super) fn end(mut self) -> io::Result<()> {
        if self.stop.is_cancelled() {
            self.say("Ended.");
        }
        self.failed.map_or(Ok(()), Err)
    }

    /// Says what there is to say of an event.
    pub(super) fn tell(&mut self, event: &Event<'_>) {
        match event {
            Event::RoundBegan { number } => (self.number, self.repeated) = (*number, None),
            Event::Roster(news) => self.roster(news),
            Event::Planned { plan, .. } if plan.changeset.is_empty() && plan.outcome() != Outcome::Block => {}
            Event::Planned { plan, repeated: true, .. } => self.repeated = Some(recognisable(plan)),
            Event::Planned { roster, directory, plan, will_run, .. } => {
                let what = if *will_run { "this is done now" } else { "this is needed and not done" };
                self.say(&format!("Round {}: {what}.", self.number));
                self.plan(plan, roster, directory);
            }
            Event::Conflicts { list, repeated: true, .. } => {
                self.repeated = Some(count(list.len(), "contradiction", "contradictions"));
            }
            Event::Conflicts { roster, list, .. } => {
                self.write(&report::diagnostics(list, &roster.sources, self.terminal.style()));
            }
            Event::Run { plan, event: run::Event::Finished(outcome) } => {
                self.write(&report::run::line(plan, outcome, self.terminal.style()));
            }
            Event::Run { .. } => {}
            Event::Reported { roster, plan, report } => {
                let sources = Some(&roster.sources);
                self.write(&report::run::text(plan, report, sources, self.terminal.style()));
            }
            Event::RoundEnded { number, end, pause } => {
                let end = self.account(end);
                let next = next(*pause);
                self.say(&format!("Round {number}: {end}{next}."));
            }
        }
    }

    fn roster(&mut self, news: &RosterNews<'_>) {
        match news {
            RosterNews::InForce { roster, warnings } => {
                let people = count(roster.users.len(), "person", "people");
                let groups = match &roster.groups {
                    Some(groups) => count(groups.len(), "group", "groups"),
                    None => "groups not managed".to_owned(),
                };
                let what = if self.introduced { "The roster has changed" } else { "The roster" };
                self.introduced = true;
                self.say(&format!("{what}: {people}, {groups}."));
                self.write(&report::diagnostics(warnings, &roster.sources, self.terminal.style()));
            }
            RosterNews::Broken(broken) => {
                const KEPT: &str = "The roster cannot be used; the last good one stays in force";
                match broken {
                    Broken::Mistaken(rejected) => {
                        self.say(&format!("{KEPT}."));
                        let (list, sources) = (&rejected.diagnostics, &rejected.sources);
                        self.write(&report::diagnostics(list, sources, self.terminal.style()));
                    }
                    Broken::Unreadable(_) | Broken::Restless => self.say(&format!("{KEPT}: {broken}.")),
                }
            }
            RosterNews::GoodAgain => self.say("The roster can be used again; it is the one in force."),
        }
    }

    fn plan(&mut self, plan: &Plan, roster: &Roster, directory: &Directory) {
        let names = |id: &str| {
            let user = directory.user(directory.find(&UserId::new(id))?)?;
            Some(user.user_name().to_owned()).filter(|name| !name.is_empty())
        };
        let options = report::plan::Options {
            style: self.terminal.style(),
            width: None,
            full: false,
            verbose: self.terminal.verbose,
            names: &names,
        };
        self.write(&report::plan::text(plan, Some(&roster.sources), &options));
    }

    /// What came of a round, without a full stop.
    fn account(&self, end: &RoundEnd) -> String {
        let again = |what: &str| match &self.repeated {
            Some(repeated) => format!("{what}, as before ({repeated})"),
            None => what.to_owned(),
        };
        match end {
            RoundEnd::InSync => "in sync".to_owned(),
            RoundEnd::Drift { changes, blocked } => {
                let stopped = if *blocked { ", which a guard would stop" } else { "" };
                again(&format!("drift: {} needed{stopped}", count(*changes, "change", "changes")))
            }
            RoundEnd::Applied { changes } => {
                format!("{} done, in sync", count(*changes, "change", "changes"))
            }
            RoundEnd::Blocked { changes } => {
                again(&format!("blocked: none of {} made", count(*changes, "change", "changes")))
            }
            RoundEnd::Conflicts => again("nothing can be planned"),
            RoundEnd::Incomplete { timed_out: Some(limit), .. } => {
                format!("not in sync, the time of {} was up", format_duration(*limit))
            }
            RoundEnd::Incomplete { stopped: Some(why), .. } => format!("not in sync, {why}"),
            RoundEnd::Incomplete { .. } => again("not in sync"),
            RoundEnd::Failed(Trouble { why, hint: Some(hint) }) => format!("failed: {why}; {hint}"),
            RoundEnd::Failed(Trouble { why, hint: None }) => format!("failed: {why}"),
            RoundEnd::Busy(who) => format!("waiting: {who}"),
            RoundEnd::Stopped => "stopped, nothing was written".to_owned(),
        }
    }

    fn say(&mut self, line: &str) {
        let said = say(self.terminal, line);
        self.note(said);
    }

    fn write(&mut self, text: &str) {
        let written = self.terminal.result(text);
        self.note(written);
    }

    /// A daemon that nobody hears does not go on changing a company.
    fn note(&mut self, result: io::Result<()>) {
        if let Err(error) = result {
            self.stop.cancel();
            self.failed.get_or_insert(error);
        }
    }
}

fn next(pause: Option<Duration>) -> String {
    let Some(pause) = pause else { return String::new() };
    let seconds = Duration::from_secs(pause.saturating_add(Duration::from_millis(500)).as_secs());
    format!("; next round in {}", format_duration(seconds))
}

/// A plan that was told of before, in few words.
fn recognisable(plan: &Plan) -> String {
    let blocks = plan.verdicts.iter().filter(|verdict| verdict.outcome == Outcome::Block);
    let guards: Vec<&str> = blocks.map(|verdict| verdict.guard).collect();
    let digest = plan.digest.get(..DIGITS).unwrap_or(&plan.digest);
    match &guards[..] {
        [] => format!("plan {digest}"),
        guards => format!("plan {digest}, {}", guards.join(", ")),
    }
}

fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}
