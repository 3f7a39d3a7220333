//! Creations: the one kind of write that must not be sent twice.

use super::{Effect, RECHECKS, WriteError, WriteFailure, Writer, Written, effect, split};
use crate::dialect::{decode_group, decode_user};
use crate::error::RequestError;
use crate::exchange::Answer;
use crate::ids::Ids;
use crate::pace::RequestKind;
use crate::read::ReadError;
use crate::retry::MAX_TRIES;
use crate::wire::{Listed, WireUser};
use model::directory::{RawGroup, User};
use model::names::fold;
use model::plan::{Existing, Request};
use model::{Attribute, Edit, GroupId, UserId, UserName, UserRef};
use serde_json::json;
use std::collections::HashSet;
use std::time::Duration;

/// What came of a POST.
enum Posted<T> {
    /// An answer of success, which may say nothing.
    Answered(Answer),
    /// An earlier try had created it though its answer was lost.
    Adopted(T),
}

impl Writer {
    pub(super) async fn create_user(
        &self,
        request: &Request,
        user_name: &UserName,
        edits: &[Edit],
        ids: &Ids,
    ) -> Result<Written, WriteError> {
        let email = edits.iter().find(|edit| edit.attribute == Attribute::Email);
        let email =
            email.and_then(|edit| edit.after.as_ref()).map(|value| fold(&value.text())).unwrap_or_default();
        let find = async |detail: &str| self.find_user(user_name, &email, detail, &ids.existing).await;
        let live = match self.post(request, find).await? {
            Posted::Adopted(user) => Some(user),
            Posted::Answered(answer) => match decode_user(&answer.body, self.dialect()) {
                Ok(user) => Some(user),
                Err(_) => find("").await.map_err(WriteError::unknown)?,
            },
        };
        let Some(mut live) = live else {
            return Err(WriteError::new(WriteFailure::NotFound(format!("the user {user_name}")), true));
        };
        let missing = async |live: &User| {
            let unmet = self.unmet(edits, live, ids).await?;
            Ok::<_, WriteError>(split(unmet, live, self.dialect()))
        };
        let (mut pending, mut lacking) = missing(&live).await?;
        // Sheet S6: bad data for one profile field drops them all, and nothing but the answer tells.
        for pause in RECHECKS {
            if lacking.is_empty() {
                break;
            }
            tokio::time::sleep(pause).await;
            if let Some(now) = self.reader.read_user(&live.id).await.map_err(WriteError::unknown)? {
                live = now;
                (pending, lacking) = missing(&live).await?;
            }
        }
        Ok(Written {
            id: live.id.to_string(),
            effect: effect(&pending, &lacking),
            fallback_used: None,
            is_well: Some(live.is_well()),
        })
    }

    pub(super) async fn create_group(
        &self,
        request: &Request,
        display_name: &str,
        members: &[UserRef],
        ids: &Ids,
    ) -> Result<Written, WriteError> {
        let wanted: HashSet<UserId> = members.iter().filter_map(|member| ids.user(member)).collect();
        let find = async |_: &str| self.find_group(display_name, &wanted, &ids.existing).await;
        let live = match self.post(request, find).await? {
            Posted::Adopted(group) => Some(group),
            Posted::Answered(answer) => match decode_group(&answer.body) {
                Ok(group) => Some(group),
                Err(_) => find("").await.map_err(WriteError::unknown)?,
            },
        };
        let Some(mut live) = live else {
            return Err(WriteError::new(WriteFailure::NotFound(format!("the group {display_name}")), true));
        };
        let lacks = |group: &RawGroup| {
            let there: HashSet<&str> = group.members.iter().map(|member| &**member).collect();
            let name = (group.display_name.trim() != display_name.trim()).then(|| "displayName".to_owned());
            let members = wanted.iter().any(|id| !there.contains(id.as_str())).then(|| "members".to_owned());
            name.into_iter().chain(members).collect::<Vec<_>>()
        };
        let mut what = lacks(&live);
        for pause in RECHECKS {
            if what.is_empty() {
                break;
            }
            tokio::time::sleep(pause).await;
            if let Some(now) = self.reader.read_group(&live.id).await.map_err(WriteError::unknown)? {
                live = now;
                what = lacks(&live);
            }
        }
        let effect = if what.is_empty() { Effect::Took } else { Effect::Without { what } };
        Ok(Written { id: live.id.to_string(), effect, fallback_used: None, is_well: None })
    }

    /// Sends a POST until it is known what came of it. `find` looks for what it was to create, given the service's
    /// words.
    async fn post<T>(
        &self,
        request: &Request,
        find: impl AsyncFn(&str) -> Result<Option<T>, ReadError>,
    ) -> Result<Posted<T>, WriteError> {
        let mut tries = 0;
        // Whether an earlier try may have created it.
        let mut uncertain = false;
        loop {
            let error = match self.send(request).await {
                Ok(answer) => return Ok(Posted::Answered(answer)),
                Err(error) => error,
            };
            tries += 1;
            let refusal = error.refusal();
            if uncertain && let Some(conflict) = refusal.filter(|refusal| refusal.is_conflict()) {
                let detail = conflict.detail.clone();
                // What the earlier try made may be shown late.
                for pause in [Duration::ZERO].into_iter().chain(RECHECKS) {
                    tokio::time::sleep(pause).await;
                    if let Some(found) = find(&detail).await.map_err(WriteError::unknown)? {
                        return Ok(Posted::Adopted(found));
                    }
                }
                return Err(WriteError::request(error, true));
            }
            // Sheet S7: a passing fault of Slack's; a client in production tries once more after a second.
            let is_invitation = refusal.is_some_and(|refusal| refusal.word() == "invited_user_not_created");
            if is_invitation && tries == 1 {
                uncertain = true;
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            }
            if !error.is_passing() && !error.may_have_acted() {
                return Err(WriteError::request(error, uncertain));
            }
            tracing::debug!(path = request.path, tries, %error, "a creation has no answer");
            self.pause(tries).await;
            if error.may_have_acted() {
                uncertain = true;
                if let Some(found) = find("").await.map_err(WriteError::unknown)? {
                    return Ok(Posted::Adopted(found));
                }
            }
            // Two people of one name cannot be, and the second POST is refused. Two groups of one name may be (sheet S14,
            // a GAP), so a POST that may still be in somebody's queue is not followed by another.
            let may_make_two = request.path.starts_with("/Groups") && error.may_still_act();
            if tries >= MAX_TRIES || !error.is_passing() || may_make_two {
                return Err(WriteError::request(error, uncertain));
            }
        }
    }

    /// The account of this name and address: the one that the service names in its words, else by a filter, else
    /// among all. Slack says that it has no filters and has them (sheet S9), and a search may miss whom a POST then
    /// calls taken. Who was there before is passed over: a service that shows an old state may still show a colleague by
    /// the name and address that have just been given up for the newcomer.
    async fn find_user(
        &self,
        name: &UserName,
        email: &str,
        detail: &str,
        existing: &Existing,
    ) -> Result<Option<User>, ReadError> {
        let is_ours = |user: &User| {
            !existing.users.contains(&user.id)
                && fold(user.user_name()) == name.as_str()
                && user.get(Attribute::Email).is_some_and(|e| fold(e) == email)
        };
        if let Some(id) = existing_user(detail)
            && let Some(user) = self.reader.read_user(&id).await?.filter(is_ours)
        {
            return Ok(Some(user));
        }
        let filter = format!("userName eq {}", json!(name.as_str()));
        let filter: String = url::form_urlencoded::byte_serialize(filter.as_bytes()).collect();
        // A `+` is a blank in forms only; in a query at large it may be itself.
        let path = format!("/Users?filter={}&startIndex=1&count=2", filter.replace('+', "%20"));
        let parse = |body: &[u8]| WireUser::page(body).map_err(|error| error.to_string());
        match self.reader.exchange().get(RequestKind::List, &path, parse).await {
            Ok(page) => {
                let dialect = self.dialect();
                let users = page.resources.unwrap_or_default().into_iter();
                let mut users = users.filter_map(|user| crate::dialect::user_from_wire(&user, dialect).ok());
                if let Some(user) = users.find(is_ours) {
                    return Ok(Some(user));
                }
            }
            Err(error) if is_refused_filter(&error) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(self.reader.users().await?.into_iter().find(is_ours))
    }

    /// The group of this name, provided that it holds nobody whom the request did not name: another one may have
    /// made a group of the same name meanwhile. Groups that were there before are passed over, as in
    /// [`Writer::find_user`].
    async fn find_group(
        &self,
        name: &str,
        wanted: &HashSet<UserId>,
        existing: &Existing,
    ) -> Result<Option<RawGroup>, ReadError> {
        let mut named = self.reader.group_names().await?;
        named
            .retain(|group| group.display_name.trim() == name.trim() && !existing.groups.contains(&group.id));
        for group in named {
            let Some(group) = self.reader.read_group(&GroupId::new(group.id.as_str())).await? else {
                continue;
            };
            if group.members.iter().all(|member| wanted.contains(&UserId::new(member.clone()))) {
                return Ok(Some(group));
            }
        }
        Ok(None)
    }
}

fn is_refused_filter(error: &RequestError) -> bool {
    error.refusal().is_some_and(|refusal| matches!(refusal.status, 400 | 403 | 404 | 405 | 501))
}

/// The holder of a taken address (sheet S7: `email_taken … existing_user=U…`).
fn existing_user(detail: &str) -> Option<UserId> {
    let (_, after) = detail.split_once("existing_user=")?;
    let id: String = after.chars().take_while(char::is_ascii_alphanumeric).collect();
    (!id.is_empty()).then(|| UserId::new(id))
}
