//! Sending a plan's changes: those that may go side by side, round by round.
//!
//! A round takes note of what has ended, starts what may start, and has both written to the journal before anything of
//! it is sent: one flush for a round, however many changes end and start in it.

use crate::journal::Recorder;
use crate::progress::{Progress, at, is_idle};
use crate::run::{Event, Run};
use crate::sentinel::Sentinel;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use model::attribute::Value;
use model::change::{Action, Change, ChangeId, ChangeKind, GroupRef, UserRef};
use model::names::{GroupId, UserId, UserName};
use model::plan::{Encoded, Plan};
use model::run::{ChangeOutcome, Ending, Stopped};
use scim_adapter::{Effect, Ids, RequestKind, WriteError, Written};
use std::sync::Arc;
use tokio::time::{Instant, sleep_until};

/// After how many answers of success without effect a run stops (design §6): one may be an oddity of one account, but
/// several mean that the service is not doing what it says.
const WITHOUT_EFFECT_LIMIT: usize = 3;

/// How many changes that have ended are taken into one round.
const ROUND: usize = 256;

/// A change that is over: what it was, what was to be said of it, and what came of it.
type Ended = (ChangeId, Option<String>, Result<Written, WriteError>);

impl Run<'_> {
    /// Sends every change of `plan` that may be sent, and tells how each ended and what stopped the run, if anything
    /// did.
    pub(crate) async fn send_all(
        &self,
        plan: &Plan,
        recorder: &mut Recorder<'_>,
        on_event: &mut impl FnMut(Event<'_>),
    ) -> (Vec<ChangeOutcome>, Option<Stopped>) {
        let mut progress = Progress::new(plan);
        let mut sentinel = Sentinel::new(self.reader, plan);
        let mut ids = Ids { existing: Arc::clone(&plan.existing), ..Ids::default() };
        let mut under_way = FuturesUnordered::new();
        let mut without_effect = 0;
        let mut stopped: Option<Stopped> = None;
        loop {
            if stopped.is_none() && self.stop.is_cancelled() && progress.is_waiting() {
                stopped = Some(self.stop.why());
            }
            if let Some(stopped) = &stopped {
                let why = stopped.to_string();
                progress.skip_rest(&why, &mut |ended| tell(plan, ended, None, recorder, on_event));
            }
            let mut round = Vec::new();
            let mut again: Option<Instant> = None;
            while let Some(id) =
                progress.next(|kind, change| sentinel.lets_start(change) && self.reserve(kind, &mut again))
            {
                let Some(change) = at(plan, id) else { continue };
                let (change, remark) = progress.outcomes.without_failed(id, change, plan);
                let encoded = plan.encode(&change);
                if is_idle(&change) {
                    self.release(&encoded);
                    let why = remark.unwrap_or_default();
                    let ending = Ending::Skipped { why: format!("nothing is left of it {why}") };
                    progress.finish(id, ending, &mut |ended| tell(plan, ended, None, recorder, on_event));
                    continue;
                }
                recorder.intent(id.get() + 1, &change);
                sentinel.started(change.kind());
                let ids = ids_for(&change, &ids);
                round.push((id, change, encoded, remark, ids));
            }
            if !recorder.commit() && stopped.is_none() {
                let failed =
                    Stopped::JournalFailed { why: recorder.failure().unwrap_or_default().to_owned() };
                for (id, _, encoded, ..) in round {
                    self.release(&encoded);
                    let ending = Ending::Skipped { why: failed.to_string() };
                    progress.finish(id, ending, &mut |ended| tell(plan, ended, None, recorder, on_event));
                }
                stopped = Some(failed);
                continue;
            }
            for (id, change, encoded, remark, ids) in round {
                on_event(Event::Started(id));
                under_way.push(async move {
                    let result = self.writer.carry_out(&change, &encoded, &ids).await;
                    (id, remark, result)
                });
            }
            if under_way.is_empty() && !progress.has_ready() {
                break;
            }
            let mut ready = (&mut under_way).ready_chunks(ROUND);
            let ended: Vec<Ended> = tokio::select! {
                // An alarm comes before what it may bear on; both it and the signal are rare.
                biased;
                alarm = sentinel.looked() => {
                    if let Some(alarm) = alarm && stopped.is_none() {
                        stopped = Some(Stopped::TurnedInactive { name: alarm.name });
                    }
                    continue;
                }
                () = self.stop.cancelled(), if stopped.is_none() && !self.stop.is_cancelled() => continue,
                Some(ended) = ready.next() => ended,
                () = sleep_until(again.unwrap_or_else(Instant::now)), if again.is_some() => continue,
            };
            for (id, remark, result) in ended {
                let Some(change) = at(plan, id) else { continue };
                let created = result.as_ref().ok().map(|written| written.id.clone());
                if let Some(new) = &created {
                    learn(&mut ids, change, new);
                }
                let ending = if turned_inactive(plan, change, &result) {
                    // Sheet S10: in an incident of its own, Slack once deactivated whoever was updated.
                    stopped.get_or_insert_with(|| Stopped::TurnedInactive { name: change.name.clone() });
                    Ending::WithoutEffect {
                        what: "the account turned inactive, which nobody asked for".to_owned(),
                    }
                } else {
                    ending(change, result, remark)
                };
                sentinel.ended(change, matches!(ending, Ending::Took { .. } | Ending::Pending { .. }));
                without_effect += usize::from(matches!(ending, Ending::WithoutEffect { .. }));
                if without_effect >= WITHOUT_EFFECT_LIMIT {
                    stopped.get_or_insert(Stopped::WithoutEffect);
                }
                progress.finish(id, ending, &mut |ended| {
                    tell(plan, ended, created.as_deref(), recorder, on_event);
                });
            }
        }
        progress.skip_rest("what it waits for never came about", &mut |ended| {
            tell(plan, ended, None, recorder, on_event);
        });
        recorder.commit();
        (progress.outcomes.into_list(), stopped)
    }

    /// Gives back the room of a request that is not sent.
    fn release(&self, encoded: &Encoded) {
        let request = &encoded.request;
        self.writer.reader().pacer().release(RequestKind::of(request.method, &request.path));
    }

    /// Takes the room for a request of this kind, where the service's limits have it now; if not, notes when to ask again.
    /// A change is started only then, so that what waits for room is neither recorded as begun nor beyond being stopped.
    fn reserve(&self, kind: RequestKind, again: &mut Option<Instant>) -> bool {
        match self.writer.reader().pacer().reserve(kind) {
            Ok(()) => true,
            Err(at) => {
                *again = Some(again.map_or(at, |again| again.min(at)));
                false
            }
        }
    }
}

/// Tells whoever looks on, and the journal, that a change is over. `id` is that of the resource it wrote to.
fn tell(
    plan: &Plan,
    ended: &ChangeOutcome,
    id: Option<&str>,
    recorder: &mut Recorder<'_>,
    on_event: &mut impl FnMut(Event<'_>),
) {
    if let Some(change) = at(plan, ended.change) {
        let creates = matches!(change.action, Action::CreateUser { .. } | Action::CreateGroup { .. });
        recorder.outcome(ended.change.get() + 1, change, &ended.ending, id.filter(|_| creates));
    }
    on_event(Event::Finished(ended));
}

/// Whether an account shows as deactivated after a change that was not to deactivate it, nor to leave it so.
fn turned_inactive(plan: &Plan, change: &Change, result: &Result<Written, WriteError>) -> bool {
    let Ok(Written { is_well: Some(false), .. }) = result else { return false };
    match &change.action {
        Action::UpdateUser { id, .. } if change.kind() == ChangeKind::UpdateUser => {
            !matches!(id, UserRef::Existing(id) if plan.stays_inactive.contains(id))
        }
        _ => false,
    }
}

/// What a run has learnt: the id of what a change created.
fn learn(ids: &mut Ids, change: &Change, id: &str) {
    match &change.action {
        Action::CreateUser { user_name, .. } => {
            drop(ids.users.insert(user_name.clone(), UserId::new(id)));
        }
        Action::CreateGroup { display_name, .. } => {
            drop(ids.groups.insert(display_name.clone(), GroupId::new(id)));
        }
        Action::UpdateUser { .. } | Action::UpdateGroup { .. } | Action::DeleteGroup { .. } => {}
    }
}

/// The ids that one change refers to. Each change gets only these, because a run may create a hundred thousand.
fn ids_for(change: &Change, all: &Ids) -> Ids {
    let mut ids = Ids { existing: Arc::clone(&all.existing), ..Ids::default() };
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
