//! Carrying out a plan: changes side by side where nothing orders them, past failures, and a read-back at the end.

use crate::planner::{self, Context};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use model::attribute::Value;
use model::change::{Action, Change, ChangeId, ChangeKind, GroupRef, Need, UserRef};
use model::directory::Directory;
use model::names::{GroupId, UserId, UserName};
use model::plan::{Encoded, Plan};
use model::roster::Roster;
use model::run::{ChangeOutcome, Ending, ReadBack, RunReport};
use scim_adapter::{Effect, Ids, Reader, WriteError, Writer, Written, encode};
use std::borrow::Cow;
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
    /// 1. Every change whose dependencies are over is sent, up to [`PER_KIND`] of a kind at once.
    /// 2. A change that failed takes with it only those that need its success; a group's change goes without the
    ///    members who could not be created or reactivated.
    /// 3. When nothing is left, the directory is read and planned on again, several times if need be, until it is in
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
        let read_back = self.read_back(plan, &outcomes, &mut on_event).await;
        if read_back == ReadBack::InSync {
            confirm_pending(&mut outcomes);
        }
        RunReport { outcomes, read_back, seconds: started.elapsed().as_secs() }
    }

    async fn send_all(&self, plan: &Plan, on_event: &mut impl FnMut(Event<'_>)) -> Vec<ChangeOutcome> {
        let mut progress = Progress::new(plan);
        let mut ids = Ids::default();
        let mut under_way = FuturesUnordered::new();
        let mut busy: BTreeMap<ChangeKind, usize> = BTreeMap::new();
        let mut without_effect = 0;
        loop {
            let halted = if self.stop.is_cancelled() {
                Some("the run was stopped")
            } else if without_effect >= WITHOUT_EFFECT_LIMIT {
                Some("the run was stopped because the service accepts changes without carrying them out")
            } else {
                None
            };
            if let Some(why) = halted {
                progress.skip_rest(why, on_event);
            }
            while let Some((id, kind)) =
                progress.next_ready(|kind| busy.get(&kind).is_none_or(|n| *n < PER_KIND))
            {
                let Some((change, encoded)) = at(plan, id) else { continue };
                let (change, encoded, remark) = progress.outcomes.without_failed(change, encoded, plan);
                if is_idle(&change) {
                    let why = remark.unwrap_or_default();
                    progress.finish(
                        id,
                        Ending::Skipped { why: format!("nothing is left of it {why}") },
                        on_event,
                    );
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
            let ending = ending(change, result, remark);
            without_effect += usize::from(matches!(ending, Ending::WithoutEffect { .. }));
            progress.finish(id, ending, on_event);
        }
        progress.skip_rest("what it waits for never came about", on_event);
        progress.outcomes.into_list()
    }

    /// Reads the directory until it is in sync, until what is missing cannot come about by waiting, or the deadline.
    async fn read_back(
        &self,
        plan: &Plan,
        outcomes: &[ChangeOutcome],
        on_event: &mut impl FnMut(Event<'_>),
    ) -> ReadBack {
        let hopeless: BTreeSet<String> = outcomes
            .iter()
            .filter(|o| !matches!(o.ending, Ending::Took { .. } | Ending::Pending { .. }))
            .filter_map(|o| at(plan, o.change))
            .map(|(change, _)| change.name.to_string())
            .collect();
        let deadline = Instant::now() + READ_BACK_DEADLINE;
        let mut pause = READ_BACK_PAUSE;
        loop {
            let directory = match self.reader.read_directory().await {
                Ok(directory) => directory,
                Err(error) => return ReadBack::Unknown(error.to_string()),
            };
            let missing = match self.still_missing(&directory) {
                Ok(missing) => missing,
                Err(why) => return ReadBack::Unknown(why),
            };
            if missing.is_empty() {
                return ReadBack::InSync;
            }
            let worth_waiting = missing.iter().any(|(name, _)| !hopeless.contains(name));
            if !worth_waiting || Instant::now() + pause > deadline || self.stop.is_cancelled() {
                return ReadBack::Differs(missing.into_iter().map(|(_, line)| line).collect());
            }
            on_event(Event::Waiting { missing: missing.len() });
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.stop.cancelled() => {}
            }
            pause *= 2;
        }
    }

    /// The changes that a fresh plan would still make: the name of each, and a line for people.
    fn still_missing(&self, directory: &Directory) -> Result<Vec<(String, String)>, String> {
        match planner::plan(self.roster, directory, self.context) {
            Ok(planned) => Ok(planned
                .plan
                .changeset
                .changes
                .iter()
                .map(|change| (change.name.to_string(), describe(change)))
                .collect()),
            Err(conflicts) => {
                Err(conflicts.into_iter().map(|conflict| conflict.message).collect::<Vec<_>>().join("; "))
            }
        }
    }
}

/// What was pending has come about, once the directory is in sync.
fn confirm_pending(outcomes: &mut [ChangeOutcome]) {
    for outcome in outcomes {
        if let Ending::Pending { .. } = outcome.ending {
            outcome.ending = Ending::Took { remark: Some("seen when reading back".to_owned()) };
        }
    }
}

/// Whether nothing is left to send of a change, all those who were to join a group having failed.
fn is_idle(change: &Change) -> bool {
    matches!(&change.action, Action::UpdateGroup { rename: None, add, remove, .. } if add.is_empty() && remove.is_empty())
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

fn at(plan: &Plan, id: ChangeId) -> Option<(&Change, &Encoded)> {
    plan.changeset.changes.get(id.get()).zip(plan.requests.get(id.get()))
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

/// One change in a few words: `update ada (title, manager)`.
fn describe(change: &Change) -> String {
    let what: Vec<String> = change.before().into_iter().chain(change.after()).map(|(key, _)| key).fold(
        Vec::new(),
        |mut keys, key| {
            if !keys.contains(&key) {
                keys.push(key);
            }
            keys
        },
    );
    let verb = match change.kind() {
        ChangeKind::CreateUser | ChangeKind::CreateGroup => return format!("create {}", change.name),
        ChangeKind::DeactivateUser => return format!("deactivate {}", change.name),
        ChangeKind::DeleteGroup => return format!("delete {}", change.name),
        ChangeKind::ReactivateUser => "reactivate",
        ChangeKind::UpdateUser | ChangeKind::UpdateGroup => "update",
    };
    format!("{verb} {} ({})", change.name, what.join(", "))
}

/// Which changes wait, which may start, and how the others ended.
struct Progress<'p> {
    plan: &'p Plan,
    /// How many dependencies of each change are not over.
    open: Vec<usize>,
    /// Who waits for each change.
    dependents: Vec<Vec<ChangeId>>,
    /// What may start now, by kind.
    ready: BTreeMap<ChangeKind, BTreeSet<ChangeId>>,
    outcomes: Outcomes,
}

/// How the changes ended so far.
struct Outcomes(Vec<Option<Ending>>);

impl<'p> Progress<'p> {
    fn new(plan: &'p Plan) -> Self {
        let changes = &plan.changeset.changes;
        let mut dependents = vec![Vec::new(); changes.len()];
        let mut ready: BTreeMap<ChangeKind, BTreeSet<ChangeId>> = BTreeMap::new();
        for (id, change) in plan.changeset.iter() {
            for dependency in &change.waits_for {
                if let Some(list) = dependents.get_mut(dependency.on.get()) {
                    list.push(id);
                }
            }
            if change.waits_for.is_empty() {
                ready.entry(change.kind()).or_default().insert(id);
            }
        }
        let open = changes.iter().map(|change| change.waits_for.len()).collect();
        Self { plan, open, dependents, ready, outcomes: Outcomes(vec![None; changes.len()]) }
    }

    /// Takes the earliest change that may start, of a kind that has room. Earliest in the changeset is best: what
    /// takes away stands there before what gives.
    fn next_ready(&mut self, has_room: impl Fn(ChangeKind) -> bool) -> Option<(ChangeId, ChangeKind)> {
        let (kind, id) = self
            .ready
            .iter()
            .filter(|(kind, _)| has_room(**kind))
            .filter_map(|(kind, ready)| Some((*kind, *ready.first()?)))
            .min_by_key(|(_, id)| *id)?;
        self.ready.get_mut(&kind)?.remove(&id);
        Some((id, kind))
    }

    /// Records how a change ended, and what follows from it for those that waited.
    fn finish(&mut self, id: ChangeId, ending: Ending, on_event: &mut impl FnMut(Event<'_>)) {
        let mut over = vec![(id, ending)];
        while let Some((id, ending)) = over.pop() {
            if !self.outcomes.set(id, ending, on_event) {
                continue;
            }
            for dependent in self.dependents.get(id.get()).cloned().unwrap_or_default() {
                let Some(open) = self.open.get_mut(dependent.get()) else { continue };
                *open -= 1;
                if *open > 0 {
                    continue;
                }
                let Some((change, _)) = at(self.plan, dependent) else { continue };
                match self.outcomes.missing_need(change, self.plan) {
                    Some(why) => over.push((dependent, Ending::Skipped { why })),
                    None => drop(self.ready.entry(change.kind()).or_default().insert(dependent)),
                }
            }
        }
    }

    /// Gives up on everything that has not started.
    fn skip_rest(&mut self, why: &str, on_event: &mut impl FnMut(Event<'_>)) {
        let waiting: Vec<ChangeId> = self
            .plan
            .changeset
            .iter()
            .map(|(id, _)| id)
            .filter(|id| {
                let is_ready = self.ready.values().any(|ready| ready.contains(id));
                is_ready || self.open.get(id.get()).is_some_and(|open| *open > 0)
            })
            .collect();
        self.ready.clear();
        for id in waiting {
            self.outcomes.set(id, Ending::Skipped { why: why.to_owned() }, on_event);
        }
    }
}

impl Outcomes {
    /// Records an ending; `false` when there was one already.
    fn set(&mut self, id: ChangeId, ending: Ending, on_event: &mut impl FnMut(Event<'_>)) -> bool {
        match self.0.get_mut(id.get()) {
            Some(slot @ None) => {
                let outcome = ChangeOutcome { change: id, ending };
                on_event(Event::Finished(&outcome));
                *slot = Some(outcome.ending);
                true
            }
            _ => false,
        }
    }

    /// Whether a change brought about what others need of it. A creation whose profile was dropped has still created.
    fn succeeded(&self, id: ChangeId, change: &Change) -> bool {
        let creates = matches!(change.action, Action::CreateUser { .. } | Action::CreateGroup { .. });
        match self.0.get(id.get()).and_then(Option::as_ref) {
            Some(Ending::Took { .. } | Ending::Pending { .. }) => true,
            Some(Ending::WithoutEffect { .. }) => creates,
            Some(Ending::Refused { .. } | Ending::Skipped { .. }) | None => false,
        }
    }

    /// Why a change whose dependencies are all over cannot be done.
    fn missing_need(&self, change: &Change, plan: &Plan) -> Option<String> {
        change.waits_for.iter().filter(|dependency| dependency.need == Need::Success).find_map(|dependency| {
            let (needed, _) = at(plan, dependency.on)?;
            (!self.succeeded(dependency.on, needed))
                .then(|| format!("it needs `{}`, which did not happen", describe(needed)))
        })
    }

    /// A group's change without the members who could not be made ready, encoded anew; anything else as it is.
    fn without_failed<'c>(
        &self,
        change: &'c Change,
        encoded: &'c Encoded,
        plan: &Plan,
    ) -> (Cow<'c, Change>, Cow<'c, Encoded>, Option<String>) {
        let mut gone: BTreeSet<UserRef> = BTreeSet::new();
        let mut names: Vec<&str> = Vec::new();
        for dependency in change.waits_for.iter().filter(|dependency| dependency.need == Need::End) {
            let Some((needed, _)) = at(plan, dependency.on) else { continue };
            if self.succeeded(dependency.on, needed) {
                continue;
            }
            match &needed.action {
                Action::CreateUser { user_name, .. } => drop(gone.insert(UserRef::New(user_name.clone()))),
                Action::UpdateUser { id, .. } => drop(gone.insert(id.clone())),
                Action::CreateGroup { .. } | Action::UpdateGroup { .. } | Action::DeleteGroup { .. } => {
                    continue;
                }
            }
            names.push(&needed.name);
        }
        let mut reduced = change.clone();
        let dropped = match &mut reduced.action {
            Action::CreateGroup { members: list, .. } | Action::UpdateGroup { add: list, .. } => {
                let before = list.len();
                list.retain(|member| !gone.contains(member));
                before - list.len()
            }
            _ => 0,
        };
        if dropped == 0 {
            return (Cow::Borrowed(change), Cow::Borrowed(encoded), None);
        }
        if let Action::UpdateGroup { rename: Some(rename), .. } = &mut reduced.action {
            rename.members_after.retain(|member| !gone.contains(member));
        }
        let encoded = encode(&reduced, plan.dialect);
        (Cow::Owned(reduced), Cow::Owned(encoded), Some(format!("without {}", names.join(", "))))
    }

    fn into_list(self) -> Vec<ChangeOutcome> {
        self.0
            .into_iter()
            .enumerate()
            .filter_map(|(i, ending)| {
                Some(ChangeOutcome { change: ChangeId(u32::try_from(i).ok()?), ending: ending? })
            })
            .collect()
    }
}
