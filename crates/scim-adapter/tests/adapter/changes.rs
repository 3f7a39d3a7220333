//! Changes to carry out, and what carrying one out comes to.

use crate::engine;
use crate::service::{Call, Reply, Service, error, ok};
use crate::worlds::{decode, edit, text, user_change};
use model::attribute::Value;
use model::change::Rename;
use model::{Action, Attribute, Change, Dialect, Edit, GroupId, GroupRef, UserId, UserName, UserRef};
use scim_adapter::{Effect, Ids, WriteError, Writer, Written, encode};
use serde_json::Value as Json;
use std::sync::Arc;

pub(crate) async fn carry_out(writer: &Writer, change: &Change) -> Result<Written, WriteError> {
    let encoded = encode(change, writer.reader().dialect());
    writer.carry_out(change, &encoded, &Ids::default()).await
}

pub(crate) fn took(id: &str) -> Written {
    Written {
        id: id.to_owned(),
        effect: Effect::Took,
        fallback_used: None,
        is_well: id.starts_with('U').then_some(true),
    }
}

pub(crate) fn keys(list: &[&str]) -> Vec<String> {
    list.iter().map(|key| (*key).to_owned()).collect()
}

/// The change of `user(1)` that these texts make.
pub(crate) fn update(live: &Json, edits: &[(Attribute, Option<&str>)], dialect: Dialect) -> Change {
    let live = decode(live, dialect);
    let edits = edits.iter().map(|(attribute, value)| text(*attribute, *value, &live)).collect();
    user_change(Action::UpdateUser { id: UserRef::Existing(live.id.clone()), edits, siblings: Vec::new() })
}

pub(crate) fn active(live: &Json, wanted: bool) -> Edit {
    edit(Attribute::Active, Some(Value::Flag(wanted)), &decode(live, Dialect::Slack))
}

pub(crate) fn deactivation(live: &Json) -> Change {
    user_change(Action::UpdateUser {
        id: UserRef::Existing(UserId::new("U1")),
        edits: vec![active(live, false)],
        siblings: Vec::new(),
    })
}

pub(crate) fn creation(edits: &[(Attribute, &str)]) -> Change {
    let mut all = vec![(Attribute::UserName, "u1"), (Attribute::Email, "u1@acme.example")];
    all.extend(edits);
    let edits = all.into_iter().map(|(attribute, value)| Edit {
        attribute,
        before: None,
        after: Some(Value::Text(value.into())),
        selector: None,
        temporary: false,
        origin: None,
    });
    user_change(Action::CreateUser { user_name: UserName::parse("u1").unwrap(), edits: edits.collect() })
}

pub(crate) fn group_change(id: &str, rename: Option<&str>, add: &[&str], remove: &[&str]) -> Change {
    let rename = rename.map(|after| Rename {
        before: "eng".into(),
        after: after.into(),
        temporary: false,
        members_after: vec![UserRef::Existing(UserId::new("U3"))],
    });
    let mut change = user_change(Action::UpdateGroup {
        id: GroupRef::Existing(GroupId::new(id)),
        rename,
        add: add.iter().map(|id| UserRef::Existing(UserId::new(*id))).collect(),
        remove: remove.iter().map(|id| UserId::new(*id)).collect(),
    });
    change.name = "eng".into();
    change
}

/// A service of one resource, at any path, that carries out PATCH and PUT as the RFC has it; `before` may answer first.
pub(crate) fn one(
    live: Json,
    mut before: impl FnMut(&Call, &mut Json) -> Option<Reply> + Send + 'static,
) -> Arc<Service> {
    let mut live = live;
    Service::new(move |call| {
        if let Some(reply) = before(call, &mut live) {
            return reply;
        }
        match call.method.as_str() {
            "PATCH" => {
                let mut after = live.clone();
                match engine::apply(&mut after, &call.body) {
                    Ok(()) => live = after,
                    Err(why) => return error(400, &format!("invalid_request_payload {why}")),
                }
            }
            "PUT" => {
                for (key, value) in call.body.as_object().unwrap() {
                    live[key] = value.clone();
                }
            }
            _ => {}
        }
        ok(live.clone())
    })
}
