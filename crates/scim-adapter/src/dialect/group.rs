//! Requests that create and change groups.

use super::patch::{Operation, Piece, patch as patch_request};
use super::question::{Question, because};
use super::slots::value_filter;
use super::{CORE_GROUP, request};
use model::change::Rename;
use model::plan::{Encoded, Fallback, Method, Request};
use model::{Dialect, UserId, UserRef};
use serde_json::{Value as Json, json};

/// The most members that Slack takes in one call (sheet S14: `too_many_users`). A larger group is not renamed by
/// PUT.
const MAX_MEMBERS_PER_CALL: usize = 15_000;

/// The resource of a POST or PUT.
pub(super) fn resource(display_name: &str, members: &[UserRef]) -> Json {
    json!({ "schemas": [CORE_GROUP], "displayName": display_name, "members": elements(members) })
}

/// A PUT of a group with these members instead of those it was planned with. `None` where the request holds no group.
pub(crate) fn with_members(request: &Request, members: &[String]) -> Option<Request> {
    let mut body: Json = serde_json::from_str(request.body.as_ref()?.get()).ok()?;
    let elements = members.iter().map(|id| json!({ "value": id })).collect();
    body.as_object_mut()?.insert("members".to_owned(), elements);
    Some(super::request(request.method, request.path.clone(), Some(&body)))
}

fn elements(members: &[UserRef]) -> Vec<Json> {
    members.iter().map(|member| json!({ "value": member.to_string() })).collect()
}

/// The PATCH of a group. Members are added as a list and removed one by one through a filter: `remove members` with
/// a value empties the group at Slack (sheet S11), and `replace members` would undo what others did meanwhile.
///
/// Slack's documents leave the id in the filter unquoted; RFC 7644 §3.4.2.2 knows only quoted texts. The RFC's form
/// goes first.
pub(super) fn patch(
    path: &str,
    rename: Option<&Rename>,
    add: &[UserRef],
    remove: &[UserId],
    dialect: Dialect,
) -> Encoded {
    let mut members: Vec<Piece> = Vec::new();
    if !add.is_empty() {
        members.push(Operation::add("members", Json::Array(elements(add))).into());
    }
    for id in remove {
        let quoted = Operation::remove(format!("members[{}]", value_filter(id.as_str())));
        members.push(match dialect {
            // An id that is more than letters and digits could not be told from the filter around it.
            Dialect::Slack if id.as_str().bytes().all(|b| b.is_ascii_alphanumeric()) => {
                let unquoted = Operation::remove(format!("members[value eq {id}]"));
                Piece::or(quoted, Question::UnquotedId, unquoted)
            }
            Dialect::Slack | Dialect::Rfc => quoted.into(),
        });
    }
    let name = rename.map(|rename| Operation::replace("displayName", json!(rename.after)).into());
    let pieces: Vec<Piece> = name.into_iter().chain(members.iter().cloned()).collect();

    let mut fallbacks = Vec::new();
    let mut offer = |questions: &[Question], requests: Vec<Request>| {
        fallbacks.push(Fallback { because: because(questions), requests });
    };
    let unquoted = members.iter().flat_map(Piece::questions).any(|question| question == Question::UnquotedId);
    if unquoted {
        offer(&[Question::UnquotedId], vec![patch_request(path, &pieces, &[Question::UnquotedId])]);
    }
    if let Some(rename) = rename.filter(|rename| rename.members_after.len() <= MAX_MEMBERS_PER_CALL) {
        let put =
            || request(Method::Put, path.to_owned(), Some(&resource(&rename.after, &rename.members_after)));
        let by_put = |questions: &[Question]| {
            let before = (!members.is_empty()).then(|| patch_request(path, &members, questions));
            before.into_iter().chain([put()]).collect::<Vec<_>>()
        };
        offer(&[Question::GroupName], by_put(&[]));
        if unquoted {
            offer(&[Question::UnquotedId, Question::GroupName], by_put(&[Question::UnquotedId]));
        }
    }
    Encoded { request: patch_request(path, &pieces, &[]), fallbacks }
}
