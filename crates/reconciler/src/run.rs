//! Carrying out a plan: changes side by side where nothing orders them, past failures, and a read-back at the end.

use crate::planner::Context;
use crate::progress::{Progress, at, describe, is_idle};
use differ::Options;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use model::attribute::Value;
use model::change::{Action, Change, ChangeId, ChangeKind, GroupRef, UserRef};
use model::directory::Directory;
use model::names::{GroupId, UserId, UserName};
use model::plan::Plan;
use model::roster::Roster;
use model::run::{ChangeOutcome, Ending, ReadBack, RunReport};
use scim_adapter::{Effect, Ids, Reader, WriteError, Writer, Written};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How many changes of one kind are under way at once. Slack's fastest bucket for one kind allows 3 a second (sheet
/// S15), so with answers that take up to a second or two this keeps every bucket busy; more would only wait in line,
/// and be lost together if the process died.
const PER_KIND: usize = 8;

/// After how many answers of success without effect a run stops (design §6): one may be an oddity of one account, but
/// several mean that the service is not doing what it says.
const WITHOUT_EFFECT_LIMIT: usize = 3;

/// How long reading back waits, all in all, for the directory to show what was written. Slack deactivates with a
/// delay (sheet S13: tests there poll for 10 seconds) and shows a group's change some seconds late (sheet S14).
const READ_BACK_DEADLINE: Duration = Duration::from_mins(1);

/// The first pause between two reads of a read-back; each further one is twice as long.
const READ_BACK_PAUSE: Duration = Duration::from_secs(1);

/// What a run tells while it goes on.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// A change is about to be sent.
    Started(ChangeId),
    /// A change is over.
    Finished(&'a ChangeOutcome),
    /// All changes are over; the directory is being read.
    ReadingBack,
    /// The directory does not show everything yet; it is read again.
    Waiting {
        /// How many changes it does not show.
        missing: usize,
    },
}

/// One execution of a plan.
pub struct Run<'a> {
    /// Reads back.
    pub reader: &'a Reader,
    /// Writes.
    pub writer: &'a Writer,
    /// What the plan was made from.
    pub roster: &'a Roster,
    /// What the plan was made with.
    pub context: &'a Context,
    /// When this is cancelled, no further change is started; those under way are waited for.
    pub stop: CancellationToken,
}

impl Run<'_> {
    /// Carries out `plan` and reads back.
    ///
    /// # Flow
    /// 1. Every change whose dependencies are over is sent, up to `PER_KIND` of a kind at once.
    /// 2. A change that failed takes with it only those that need its success; a group's change goes without the
    ///    members who could not be created or reactivated.
    /// 3. When nothing is left, the directory is read and compared with the roster again, several times if need be, until it is in
    ///    sync or the deadline has passed.
    ///
    /// # Guarantees
    /// No change outside the plan is sent; no change is sent before what it waits for is over. A refusal never stops
    /// changes that do not need what was refused.
    ///
    /// # Caveats
    /// Does not look at the plan's verdicts: whoever calls it has.
    pub async fn carry_out(&self, plan: &Plan, mut on_event: impl FnMut(Event<'_>)) -> RunReport {
        let started = Instant::now();
        let mut outcomes = self.send_all(plan, &mut on_event).await;
        on_event(Event::ReadingBack);
        let (read_back, missing) = self.read_back(plan, &outcomes, &mut on_event).await;
        if let Some(missing) = missing {
            confirm_pending(plan, &mut outcomes, &missing);
        }
        RunReport { outcomes, read_back, seconds: started.elapsed().as_secs() }
    }

    async fn send_all(&self, plan: &Plan, on_event: &mut impl FnMut(Event<'_>)) -> Vec<ChangeOutcome> {
        let mut progress = Progress::new(plan);
        let mut ids = Ids::default();
        let mut under_way = FuturesUnordered::new();
        let mut busy: BTreeMap<ChangeKind, usize> = BTreeMap::new();
        let mut without_effect = 0;
        let mut unasked = false;
        loop {
            let halted = if self.stop.is_cancelled() {
                Some("the run was stopped")
            } else if unasked {
                Some("the run was stopped because an account turned inactive though nobody asked for it")
            } else if without_effect >= WITHOUT_EFFECT_LIMIT {
                Some("the run was stopped because the service accepts changes without carrying them out")
            } else {
                None
            };
            if let Some(why) = halted {
                progress.skip_rest(why, &mut |ended| on_event(Event::Finished(ended)));
            }
            while let Some((id, kind)) =
                progress.next_ready(|kind| busy.get(&kind).is_none_or(|n| *n < PER_KIND))
            {
                let Some((change, encoded)) = at(plan, id) else { continue };
                let (change, encoded, remark) = progress.outcomes.without_failed(change, encoded, plan);
                if is_idle(&change) {
                    let why = remark.unwrap_or_default();
                    let ending = Ending::Skipped { why: format!("nothing is left of it {why}") };
                    progress.finish(id, ending, &mut |ended| on_event(Event::Finished(ended)));
                    continue;
                }
                on_event(Event::Started(id));
                *busy.entry(kind).or_default() += 1;
                let (writer, ids) = (self.writer, ids_for(&change, &ids));
                under_way.push(async move {
                    let result = writer.carry_out(&change, &encoded, &ids).await;
                    (id, kind, remark, result)
                });
            }
            let Some((id, kind, remark, result)) = under_way.next().await else { break };
            if let Some(busy) = busy.get_mut(&kind) {
                *busy -= 1;
            }
            if let Ok(written) = &result {
                learn(&mut ids, plan, id, &written.id);
            }
            let Some((change, _)) = at(plan, id) else { continue };
            let ending = if turned_inactive(plan, change, &result) {
                // Sheet S10: in an incident of its own, Slack once deactivated whoever was updated.
                unasked = true;
                Ending::WithoutEffect {
                    what: "the account turned inactive, which nobody asked for".to_owned(),
                }
            } else {
                ending(change, result, remark)
            };
            without_effect += usize::from(matches!(ending, Ending::WithoutEffect { .. }));
            progress.finish(id, ending, &mut |ended| on_event(Event::Finished(ended)));
        }
        progress
            .skip_rest("what it waits for never came about", &mut |ended| on_event(Event::Finished(ended)));
        progress.outcomes.into_list()
    }

    /// Reads the directory until it is in sync, until what is missing cannot come about by waiting, or the deadline.
    /// Also returns what is missing, where the directory could be read.
    async fn read_back(
        &self,
        plan: &Plan,
        outcomes: &[ChangeOutcome],
        on_event: &mut impl FnMut(Event<'_>),
    ) -> (ReadBack, Option<BTreeSet<Resource>>) {
        let hopeless: BTreeSet<Resource> = outcomes
            .iter()
            .filter(|o| !matches!(o.ending, Ending::Took { .. } | Ending::Pending { .. }))
            .filter_map(|o| at(plan, o.change))
            .map(|(change, _)| resource(change))
            .collect();
        let deadline = Instant::now() + READ_BACK_DEADLINE;
        let mut pause = READ_BACK_PAUSE;
        loop {
            let directory = match self.reader.read_directory().await {
                Ok(directory) => directory,
                Err(error) => return (ReadBack::Unknown(error.to_string()), None),
            };
            let missing = match self.still_missing(&directory) {
                Ok(missing) => missing,
                Err(why) => return (ReadBack::Unknown(why), None),
            };
            if missing.is_empty() {
                return (ReadBack::InSync, Some(BTreeSet::new()));
            }
            let worth_waiting = missing.iter().any(|(resource, _)| !hopeless.contains(resource));
            if !worth_waiting || Instant::now() + pause > deadline || self.stop.is_cancelled() {
                let (resources, lines): (BTreeSet<_>, Vec<_>) = missing.into_iter().unzip();
                return (ReadBack::Differs(lines), Some(resources));
            }
            on_event(Event::Waiting { missing: missing.len() });
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.stop.cancelled() => {}
            }
            pause *= 2;
        }
    }

    /// The changes that a fresh plan would still make: what each is of, and a line for people.
    fn still_missing(&self, directory: &Directory) -> Result<Vec<(Resource, String)>, String> {
        let options = Options { now: self.context.now, only: &self.context.only };
        match differ::diff(self.roster, directory, &options) {
            Ok(diff) => {
                Ok(diff.changeset.changes.iter().map(|change| (resource(change), describe(change))).collect())
            }
            Err(conflicts) => {
                Err(conflicts.into_iter().map(|conflict| conflict.message).collect::<Vec<_>>().join("; "))
            }
        }
    }
}

/// A user or a group by the name that the roster has for it. Ids would not do: what a run has created has none in its
/// plan.
type Resource = (bool, Box<str>);

fn resource(change: &Change) -> Resource {
    let is_group = matches!(
        change.action,
        Action::CreateGroup { .. } | Action::UpdateGroup { .. } | Action::DeleteGroup { .. }
    );
    (is_group, change.name.clone())
}

/// Whether an account shows as deactivated after a change that was not to deactivate it, nor to leave it so.
fn turned_inactive(plan: &Plan, change: &Change, result: &Result<Written, WriteError>) -> bool {
    let Ok(Written { active: Some(false), .. }) = result else { return false };
    match &change.action {
        Action::UpdateUser { id, .. } if change.kind() == ChangeKind::UpdateUser => {
            !matches!(id, UserRef::Existing(id) if plan.stays_inactive.contains(id))
        }
        _ => false,
    }
}

/// What was pending has come about where the directory no longer lacks it.
fn confirm_pending(plan: &Plan, outcomes: &mut [ChangeOutcome], missing: &BTreeSet<Resource>) {
    for outcome in outcomes {
        let Some((change, _)) = at(plan, outcome.change) else { continue };
        if matches!(outcome.ending, Ending::Pending { .. }) && !missing.contains(&resource(change)) {
            outcome.ending = Ending::Took { remark: Some("seen when reading back".to_owned()) };
        }
    }
}

/// What a run has learnt: the id of what a change created.
fn learn(ids: &mut Ids, plan: &Plan, change: ChangeId, id: &str) {
    match at(plan, change).map(|(change, _)| &change.action) {
        Some(Action::CreateUser { user_name, .. }) => {
            drop(ids.users.insert(user_name.clone(), UserId::new(id)));
        }
        Some(Action::CreateGroup { display_name, .. }) => {
            drop(ids.groups.insert(display_name.clone(), GroupId::new(id)));
        }
        _ => {}
    }
}

/// The ids that one change refers to. Each change gets only these, because a run may create a hundred thousand.
fn ids_for(change: &Change, all: &Ids) -> Ids {
    let mut ids = Ids::default();
    let mut user = |name: &UserName| {
        if let Some(id) = all.users.get(name) {
            ids.users.insert(name.clone(), id.clone());
        }
    };
    if let Action::UpdateUser { id: UserRef::New(name), .. } = &change.action {
        user(name);
    }
    match &change.action {
        Action::CreateUser { edits, .. } | Action::UpdateUser { edits, .. } => {
            for edit in edits {
                if let Some(Value::Person(UserRef::New(name))) = &edit.after {
                    user(name);
                }
            }
        }
        Action::CreateGroup { members: add, .. } | Action::UpdateGroup { add, .. } => {
            let kept = match &change.action {
                Action::UpdateGroup { rename: Some(rename), .. } => rename.members_after.as_slice(),
                _ => &[],
            };
            for member in add.iter().chain(kept) {
                if let UserRef::New(name) = member {
                    user(name);
                }
            }
        }
        Action::DeleteGroup { .. } => {}
    }
    if let Action::UpdateGroup { id: GroupRef::New(name), .. } = &change.action
        && let Some(id) = all.groups.get(name)
    {
        ids.groups.insert(name.clone(), id.clone());
    }
    ids
}

fn ending(change: &Change, result: Result<Written, WriteError>, remark: Option<String>) -> Ending {
    match result {
        Ok(Written { effect, fallback_used, .. }) => match effect {
            Effect::Took => {
                let remarks: Vec<String> = remark.into_iter().chain(fallback_used).collect();
                Ending::Took { remark: (!remarks.is_empty()).then(|| remarks.join("; ")) }
            }
            Effect::Pending { what } => Ending::Pending { what: what.join(", ") },
            Effect::Without { what } => Ending::WithoutEffect { what: what.join(", ") },
        },
        Err(error) => {
            let hint = error.hint(change).map(|hint| format!("; {hint}")).unwrap_or_default();
            Ending::Refused { why: format!("{error}{hint}"), may_have_written: error.may_have_written }
        }
    }
}
