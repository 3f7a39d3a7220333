//! Updates: the first form, then the others, until the resource is as it was to be.

use super::{Effect, RECHECKS, WriteError, WriteFailure, Writer, Written, effect, keys, split};
use crate::dialect::{
    MemberIds, decode_user, encode, group_from_wire, remaining_group, remaining_user, with_members,
};
use crate::error::{Refusal, RequestError};
use crate::exchange::{Answer, body_of};
use crate::ids::Ids;
use crate::retry::MAX_TRIES;
use crate::wire::WireGroup;
use bytes::Bytes;
use model::directory::{RawGroup, User};
use model::plan::{Encoded, Method, Request};
use model::{Action, Change, Edit, GroupId, GroupRef, UserId, UserRef};
use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::PoisonError;

/// How far a change has come.
#[derive(Debug)]
struct Progress {
    /// The part that is still to be done; `None` when all that can be seen at once is there.
    left: Option<Action>,
    /// Roster keys of that part.
    lacking: Vec<String>,
    /// How many single things are not to be seen yet, what the service does in its own time among them.
    unseen: usize,
    /// How the change would end now.
    effect: Effect,
    /// [`Written::is_well`].
    is_well: Option<bool>,
}

/// Why a request has no answer of success.
enum Unsent {
    /// It was sent.
    Failed {
        error: RequestError,
        /// Whether an earlier try of it may have been carried out all the same.
        is_uncertain: bool,
    },
    /// It could not be put together.
    Unready(WriteError),
}

/// A form of a change: the first, or the fallback with this reason.
type Form<'a> = Option<&'a str>;

impl Writer {
    pub(super) async fn update(
        &self,
        change: &Change,
        encoded: &Encoded,
        ids: &Ids,
    ) -> Result<Written, WriteError> {
        let id = resource_id(change, ids)?;
        // Borrowed until a part has been done: a group's PATCH may hold thousands of operations.
        let mut work = Cow::Borrowed(change);
        let mut encoded = Cow::Borrowed(encoded);
        let mut tried: HashSet<Option<String>> = HashSet::new();
        let mut refused: Option<RequestError> = None;
        let mut accepted: Option<Written> = None;
        let mut is_uncertain = false;
        while let Some((form, requests)) = self.next_form(&encoded, &tried) {
            tried.insert(form.map(str::to_owned));
            let sent = self.send_in_turn(&work, requests, ids).await;
            let progress = match sent {
                Ok(answer) => self.settled(&work, answer, ids).await?,
                Err(Unsent::Unready(error)) => return Err(error),
                Err(Unsent::Failed { error, is_uncertain: unclear })
                    if may_take_another_form(&error, &work)
                        || (refused.is_some() && error.refusal().is_some_and(Refusal::is_about_request)) =>
                {
                    is_uncertain |= unclear;
                    tracing::debug!(resource = id, %error, "the form was refused");
                    refused.get_or_insert(error);
                    let progress = self.observe(&work, None, ids).await?;
                    // Nothing done, as a refusal should be: the next form, of the whole.
                    if progress.unseen >= size(Some(&work.action)) {
                        continue;
                    }
                    progress
                }
                Err(Unsent::Failed { error, is_uncertain: unclear }) => {
                    let may_have_written =
                        accepted.is_some() || requests.len() > 1 || is_uncertain || unclear;
                    return Err(WriteError::request(error, may_have_written));
                }
            };
            let Progress { left, lacking, effect, is_well, .. } = progress;
            let Some(left) = left else {
                if let Some(reason) = form {
                    tracing::info!(resource = id, reason, "a fallback was needed");
                    self.proven.lock().unwrap_or_else(PoisonError::into_inner).insert(reason.to_owned());
                }
                return Ok(Written { id, effect, fallback_used: form.map(str::to_owned), is_well });
            };
            accepted = Some(Written {
                id: id.clone(),
                effect: Effect::Without { what: lacking },
                fallback_used: None,
                is_well,
            });
            // What is done already must not be sent again: a filter by the old value would find nothing.
            let rest = Change {
                action: left,
                name: change.name.clone(),
                origin: change.origin,
                waits_for: change.waits_for.clone(),
            };
            encoded = Cow::Owned(encode(&rest, self.dialect()));
            work = Cow::Owned(rest);
        }
        match (accepted, refused) {
            (Some(written), _) => Ok(written),
            (None, Some(error)) => Err(WriteError::request(error, is_uncertain)),
            (None, None) => Err(WriteError::new(WriteFailure::Gone(id), false)),
        }
    }

    /// The form to try next: one that this service has been found to need, else the first, else the fallbacks in
    /// turn.
    fn next_form<'a>(
        &self,
        encoded: &'a Encoded,
        tried: &HashSet<Option<String>>,
    ) -> Option<(Form<'a>, &'a [Request])> {
        let proven = self.proven.lock().unwrap_or_else(PoisonError::into_inner);
        let fallbacks =
            || encoded.fallbacks.iter().map(|f| (Some(f.because.as_str()), f.requests.as_slice()));
        let known = fallbacks().find(|(form, _)| form.is_some_and(|reason| proven.contains(reason)));
        let first = (None, std::slice::from_ref(&encoded.request));
        let is_new = |form: Form<'_>| !tried.iter().any(|known| known.as_deref() == form);
        known.into_iter().chain([first]).chain(fallbacks()).find(|(form, _)| is_new(*form))
    }

    /// The body of a request. One that states all members of a group has those that it has now: who has joined it since
    /// the plan was made is not for this change to take out.
    async fn present_body(
        &self,
        work: &Change,
        request: &Request,
        ids: &Ids,
    ) -> Result<Option<Bytes>, WriteError> {
        let as_planned = || request.body.as_deref().map(body_of);
        let Action::UpdateGroup { id, add, remove, .. } = &work.action else { return Ok(as_planned()) };
        if request.method != Method::Put {
            return Ok(as_planned());
        }
        // Nothing of this try has been sent; of an earlier one, something may have been.
        let gone = || WriteError::new(WriteFailure::Gone(work.target()), true);
        let known = group_id(id, ids).ok_or_else(gone)?;
        let group = self.reader.read_group(&known).await.map_err(WriteError::unknown)?.ok_or_else(gone)?;
        let leaves: HashSet<&str> = remove.iter().map(UserId::as_str).collect();
        let mut members: Vec<String> = group.members.iter().map(|id| (**id).to_owned()).collect();
        // What was added a moment ago may not be shown yet (sheet S14).
        members.extend(add.iter().filter_map(|member| ids.user(member)).map(|id| id.to_string()));
        let mut seen = HashSet::new();
        members.retain(|member| !leaves.contains(member.as_str()) && seen.insert(member.clone()));
        let request = with_members(request, &members);
        Ok(request.map_or_else(as_planned, |request| request.body.as_deref().map(body_of)))
    }

    /// Sends requests one after the other; the answer is the last one's. `None` when a lost request turned out to
    /// have been carried out.
    async fn send_in_turn(
        &self,
        work: &Change,
        requests: &[Request],
        ids: &Ids,
    ) -> Result<Option<Answer>, Unsent> {
        let mut last = None;
        for request in requests {
            last = self.send_surely(work, request, ids).await?;
        }
        Ok(last)
    }

    /// Sends a request until it is answered. One whose answer was lost is sent again only after a look at the
    /// resource, and one that is refused after that is looked for once more: what was carried out may be shown late
    /// (sheet S14), and then there is nothing left to remove or to replace.
    async fn send_surely(
        &self,
        work: &Change,
        request: &Request,
        ids: &Ids,
    ) -> Result<Option<Answer>, Unsent> {
        // `carry_out` has filled the same names before.
        let request = ids.fill(request).unwrap_or(Cow::Borrowed(request));
        let mut tries = 0;
        let mut is_uncertain = false;
        loop {
            let body = || self.present_body(work, &request, ids);
            let answer = self.reader.exchange().write_as_made(&request, body).await;
            let error = match answer.map_err(Unsent::Unready)? {
                Ok(answer) => return Ok(Some(answer)),
                Err(error) => error,
            };
            tries += 1;
            if !error.is_passing() {
                if is_uncertain && self.has_begun(work, ids).await {
                    return Ok(None);
                }
                return Err(Unsent::Failed { error, is_uncertain });
            }
            tracing::debug!(path = request.path, tries, %error, "a change has no answer");
            self.pause(tries).await;
            if error.may_have_acted() {
                is_uncertain = true;
                // Where looking fails, too, the request's own failure is the news.
                let Ok(progress) = self.observe(work, None, ids).await else {
                    return Err(Unsent::Failed { error, is_uncertain });
                };
                if progress.unseen < size(Some(&work.action)) {
                    return Ok(None);
                }
            }
            if tries >= MAX_TRIES {
                return Err(Unsent::Failed { error, is_uncertain });
            }
        }
    }

    /// Whether something of a change shows, given a moment.
    async fn has_begun(&self, work: &Change, ids: &Ids) -> bool {
        for pause in RECHECKS {
            tokio::time::sleep(pause).await;
            let progress = self.observe(work, None, ids).await;
            if progress.is_ok_and(|progress| progress.unseen < size(Some(&work.action))) {
                return true;
            }
        }
        false
    }

    /// How far the change has come once the service has had a moment to show it.
    async fn settled(
        &self,
        work: &Change,
        answer: Option<Answer>,
        ids: &Ids,
    ) -> Result<Progress, WriteError> {
        let mut progress = self.observe(work, answer, ids).await?;
        for pause in RECHECKS {
            if progress.left.is_none() {
                break;
            }
            tokio::time::sleep(pause).await;
            progress = self.observe(work, None, ids).await?;
        }
        Ok(progress)
    }

    /// Compares the resource, from the answer where it holds one, with what the change was to make of it.
    async fn observe(
        &self,
        work: &Change,
        answer: Option<Answer>,
        ids: &Ids,
    ) -> Result<Progress, WriteError> {
        let gone = || WriteError::new(WriteFailure::Gone(work.target()), true);
        match &work.action {
            Action::UpdateUser { id, edits, .. } => {
                let known = ids.user(id).ok_or_else(gone)?;
                let user = match answer.and_then(|answer| self.user_in(&answer, &known)) {
                    Some(user) => user,
                    None => {
                        self.reader.read_user(&known).await.map_err(WriteError::unknown)?.ok_or_else(gone)?
                    }
                };
                self.user_progress(id, edits, &user, ids).await
            }
            Action::UpdateGroup { id, rename, add, remove } => {
                let known = group_id(id, ids).ok_or_else(gone)?;
                let group = match answer.and_then(|answer| group_in(&answer, &known)) {
                    Some(group) => group,
                    None => {
                        self.reader.read_group(&known).await.map_err(WriteError::unknown)?.ok_or_else(gone)?
                    }
                };
                Ok(group_progress(remaining_group(id, rename.as_ref(), add, remove, &group, ids)))
            }
            // `carry_out` sends these elsewhere.
            Action::CreateUser { .. } | Action::CreateGroup { .. } | Action::DeleteGroup { .. } => {
                Err(gone())
            }
        }
    }

    /// The account in an answer; `None` where the answer is empty or about something else.
    fn user_in(&self, answer: &Answer, id: &UserId) -> Option<User> {
        decode_user(&answer.body, self.dialect()).ok().filter(|user| user.id == *id)
    }

    async fn user_progress(
        &self,
        id: &UserRef,
        edits: &[Edit],
        user: &User,
        ids: &Ids,
    ) -> Result<Progress, WriteError> {
        let (pending, lacking) = split(self.unmet(edits, user, ids).await?, user, self.dialect());
        Ok(Progress {
            left: (!lacking.is_empty()).then(|| remaining_user(id, edits, user, &lacking)),
            effect: effect(&pending, &lacking),
            unseen: pending.len() + lacking.len(),
            lacking: keys(&lacking),
            is_well: Some(user.is_well()),
        })
    }
}

/// Whether a refusal leaves hope for another form. Whether a deactivated account takes other changes with its
/// reactivation is not known, nor with which status it would refuse them (sheet S11: 400, 403 or 404).
fn may_take_another_form(error: &RequestError, work: &Change) -> bool {
    let Some(refusal) = error.refusal() else { return false };
    let reactivates = work.kind() == model::ChangeKind::ReactivateUser && size(Some(&work.action)) > 1;
    refusal.is_about_form() || (reactivates && matches!(refusal.status, 403 | 404) && !is_certain(refusal))
}

/// The group in an answer; `None` where the answer is empty, about something else, or leaves the members out.
fn group_in(answer: &Answer, id: &GroupId) -> Option<RawGroup> {
    let wire: WireGroup = serde_json::from_slice(&answer.body).ok()?;
    wire.members.0.as_ref()?;
    group_from_wire(wire, &MemberIds::default()).ok().filter(|group| group.id == *id)
}

fn group_progress(left: Option<Action>) -> Progress {
    let mut lacking = Vec::new();
    if let Some(Action::UpdateGroup { rename, add, remove, .. }) = &left {
        lacking.extend(rename.is_some().then(|| "displayName".to_owned()));
        lacking.extend((!add.is_empty() || !remove.is_empty()).then(|| "members".to_owned()));
    }
    let effect = if left.is_none() { Effect::Took } else { Effect::Without { what: lacking.clone() } };
    Progress { unseen: size(left.as_ref()), left, lacking, effect, is_well: None }
}

/// Whether a refusal names a reason that holds for any request to this account.
fn is_certain(refusal: &Refusal) -> bool {
    refusal.is_conflict()
        || ["permission_", "cannot_", "no_such_", "unknown_", "plus_", "non_org_"]
            .iter()
            .any(|s| refusal.word().starts_with(s))
}

/// How many single things a change does; less of it is left after a part has been done.
fn size(action: Option<&Action>) -> usize {
    match action {
        None => 0,
        Some(Action::CreateUser { edits, .. } | Action::UpdateUser { edits, .. }) => edits.len(),
        Some(Action::CreateGroup { members, .. }) => 1 + members.len(),
        Some(Action::UpdateGroup { rename, add, remove, .. }) => {
            usize::from(rename.is_some()) + add.len() + remove.len()
        }
        Some(Action::DeleteGroup { .. }) => 1,
    }
}

fn group_id(id: &GroupRef, ids: &Ids) -> Option<GroupId> {
    match id {
        GroupRef::Existing(id) => Some(id.clone()),
        GroupRef::New(name) => ids.groups.get(name).cloned(),
    }
}

fn resource_id(change: &Change, ids: &Ids) -> Result<String, WriteError> {
    match &change.action {
        Action::UpdateUser { id, .. } => {
            ids.user(id).map(|id| id.to_string()).ok_or_else(|| crate::ids::Unfilled(id.to_string()).into())
        }
        Action::UpdateGroup { id, .. } => group_id(id, ids)
            .map(|id| id.to_string())
            .ok_or_else(|| crate::ids::Unfilled(id.to_string()).into()),
        Action::CreateUser { .. } | Action::CreateGroup { .. } | Action::DeleteGroup { .. } => {
            Ok(change.target())
        }
    }
}
