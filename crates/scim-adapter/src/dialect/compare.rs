//! Whether a live resource is what a change was to make of it, and what is left to do where it is not.

use crate::ids::Ids;
use model::attribute::{Value, is_clear, same};
use model::change::Rename;
use model::directory::{RawGroup, User};
use model::{Action, Attribute, Dialect, Edit, GroupRef, UserId, UserRef};

/// The attributes that are not what the edits ask for, in the order of [`Attribute`]; empty when the change holds.
/// `is_manager` tells whether a manager that the service answered is the one whom an edit asks for.
///
/// `profileUrl` is written at creation and never compared (sheet S6: it follows the userName).
pub fn unmet(
    edits: &[Edit],
    live: &User,
    dialect: Dialect,
    is_manager: impl Fn(&UserRef, &str) -> bool,
) -> Vec<Attribute> {
    let holds = |edit: &Edit| holds(edit, live, dialect, &is_manager);
    edits.iter().filter(|edit| !holds(edit)).map(|edit| edit.attribute).collect()
}

fn holds(edit: &Edit, live: &User, dialect: Dialect, is_manager: impl Fn(&UserRef, &str) -> bool) -> bool {
    let value = live.get(edit.attribute);
    match (edit.attribute, &edit.after) {
        (Attribute::Active, after) => live.active == matches!(after, Some(Value::Flag(true))),
        (Attribute::Guest, after) => live.guest == matches!(after, Some(Value::Flag(true))),
        (Attribute::ProfileUrl, _) => true,
        (_, None) => is_clear(edit.attribute, value, dialect),
        (_, Some(Value::Person(person))) => value.is_some_and(|value| is_manager(person, value)),
        (attribute, Some(want)) => same(attribute, want, value, dialect),
    }
}

/// The part of a user's change that is still to be done, on the account as it is now.
pub(crate) fn remaining_user(id: &UserRef, edits: &[Edit], live: &User, missing: &[Attribute]) -> Action {
    let left = edits.iter().filter(|edit| missing.contains(&edit.attribute)).map(|edit| Edit {
        before: match edit.attribute {
            Attribute::Active => Some(live.active.to_string().into()),
            Attribute::Guest => Some(live.guest.to_string().into()),
            attribute => live.get(attribute).map(Into::into),
        },
        selector: live.selector(edit.attribute).map(Into::into),
        ..edit.clone()
    });
    let siblings = live.attributes.iter().filter(|(attribute, _)| !missing.contains(attribute));
    Action::UpdateUser {
        id: id.clone(),
        edits: left.collect(),
        siblings: siblings.map(|(attribute, text)| (attribute, text.into())).collect(),
    }
}

/// The part of a group's change that is still to be done, on the group as it is now; `None` when nothing is.
pub(crate) fn remaining_group(
    id: &GroupRef,
    rename: Option<&Rename>,
    add: &[UserRef],
    remove: &[UserId],
    live: &RawGroup,
    ids: &Ids,
) -> Option<Action> {
    let members: std::collections::HashSet<&str> = live.members.iter().map(|member| &**member).collect();
    let is_in = |user: &UserRef| ids.user(user).is_some_and(|id| members.contains(id.as_str()));
    let rename = rename.filter(|rename| rename.after.trim() != live.display_name.trim()).cloned();
    let add: Vec<UserRef> = add.iter().filter(|user| !is_in(user)).cloned().collect();
    let remove: Vec<UserId> = remove.iter().filter(|id| members.contains(id.as_str())).cloned().collect();
    let is_done = rename.is_none() && add.is_empty() && remove.is_empty();
    (!is_done).then(|| Action::UpdateGroup { id: id.clone(), rename, add, remove })
}
