//! The `groups` of a file.

use super::codes;
use super::fields::{Fields, list, wrong_type};
use super::findings::Findings;
use super::names::{NameId, Names};
use super::node::{Node, Value};
use super::scalars;
use crate::GroupId;
use crate::place::{Located, Place};
use crate::roster::GroupEntry;

/// The keys of a group.
pub(super) const GROUP_KEYS: &[&str] = &["displayName", "id", "formerly", "members"];

/// A group whose members are names still.
pub(super) struct Draft {
    /// The group without its members.
    pub(super) entry: GroupEntry,
    /// The member list and its place.
    pub(super) members: Option<Located<Vec<(NameId, Place)>>>,
}

/// One entry of `groups`; `None` when it has no name to go by, which is reported.
pub(super) fn group(node: &Node<'_>, names: &mut Names, findings: &mut Findings) -> Option<Draft> {
    let fields = Fields::read(node, "a group", GROUP_KEYS, findings)?;
    let display_name = fields
        .required("displayName", "a group", findings)
        .and_then(|node| scalars::text(node, "`displayName`", findings))
        .map(|text| text.map(Box::from));
    let id = fields.node("id").and_then(|node| scalars::id(node, findings)).map(|id| id.map(GroupId::new));
    let formerly = fields.node("formerly").map(|node| former_names(node, findings)).unwrap_or_default();
    let members = fields.node("members").and_then(|node| members(node, names, findings));
    let entry = GroupEntry { display_name: display_name?, id, formerly, members: None, place: fields.place };
    Some(Draft { entry, members })
}

/// A list of names, or a single one.
fn former_names(node: &Node<'_>, findings: &mut Findings) -> Vec<Located<Box<str>>> {
    let mut take =
        |node: &Node<'_>| scalars::text(node, "`formerly`", findings).map(|text| text.map(Box::from));
    match node.value() {
        Value::List(nodes) => nodes.iter().filter_map(take).collect(),
        Value::Text { .. } => take(node).into_iter().collect(),
        Value::Null | Value::Map(_) | Value::Shared(_) | Value::Broken => {
            wrong_type(node, "`formerly`", "a list of names such as `[eng]`", findings);
            Vec::new()
        }
    }
}

fn members(
    node: &Node<'_>,
    names: &mut Names,
    findings: &mut Findings,
) -> Option<Located<Vec<(NameId, Place)>>> {
    if node.is_null() {
        findings.error(
            codes::NOT_NULL,
            node.place,
            "`members` cannot be null",
            "write `[]` for a group without members, or leave the key out so that membership is not managed",
        );
        return None;
    }
    let nodes = list(node, "`members`", "a list of userNames such as `[ada, grace]`", findings)?;
    let mut members = Vec::with_capacity(nodes.len());
    for node in nodes {
        if let Some(text) = scalars::text(node, "a member", findings) {
            members.push((names.id(text.value), text.place));
        }
    }
    Some(Located::new(members, node.place))
}
