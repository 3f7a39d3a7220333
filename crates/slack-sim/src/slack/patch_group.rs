//! PATCH of a group on v2 (S11, "Groups, v2").

use serde_json::{Value, json};

use super::groups::GroupDraft;
use super::patch::{Op, Operation};
use crate::errors::{Answered, Refusal};
use crate::scim::filter::{Filter, Literal};
use crate::scim::lexer::Strictness;
use crate::scim::path::PatchPath;
use crate::switches::{Form, MemberFilter, RemoveWithValue};
use crate::table::Key;

impl GroupDraft<'_> {
    /// Carries out one operation on the draft.
    pub(crate) fn apply(&mut self, operation: &Operation) -> Answered<()> {
        if let Some(path) = &operation.path {
            return self.apply_at(operation.op, path, &operation.value);
        }
        let attributes =
            operation.value.as_object().ok_or_else(|| Refusal::code("invalid_request_payload"))?;
        for (name, value) in attributes {
            let path = PatchPath::parse(name, Strictness::Slack)
                .map_err(|_| Refusal::code("invalid_request_payload"))?;
            self.apply_at(operation.op, &path, value)?;
        }
        Ok(())
    }

    fn apply_at(&mut self, op: Op, path: &PatchPath, value: &Value) -> Answered<()> {
        match (path.attribute.name.to_ascii_lowercase().as_str(), &path.filter) {
            ("displayname", None) if op != Op::Remove => {
                // A GAP: PUT is the documented way to rename.
                if self.switches.patch_group_name == Form::Refused {
                    return Err(Refusal::code("invalid_request_payload"));
                }
                self.set_name(value)
            }
            ("members", None) => match op {
                Op::Add => self.add_members(value),
                Op::Replace => self.replace_members(value),
                // S11: "removed **all** members on v2": with a bare path RFC 7644 has the value ignored.
                Op::Remove
                    if value.is_null() || self.switches.remove_with_value == RemoveWithValue::Wipes =>
                {
                    self.replace_members(&Value::Null)
                }
                Op::Remove => self.remove_members(value),
            },
            ("members", Some(filter)) if op == Op::Remove => self.remove_selected(filter),
            // Not stored, or read only (S14); Okta and Entra send them all the same.
            ("id" | "externalid" | "schemas" | "meta", None) => Ok(()),
            _ => Err(Refusal::code("invalid_request_payload")),
        }
    }

    fn remove_selected(&mut self, filter: &Filter) -> Answered<()> {
        if !literals_allowed(filter, self.switches.member_filter) {
            return Err(Refusal::code("invalid_request_payload"));
        }
        // The usual filter names one id; any other has to be held against every member.
        if let Filter::Compare(
            path,
            crate::scim::filter::Comparison::Equal,
            Literal::Text(id) | Literal::Bare(id),
        ) = filter
            && path.is("value", None)
        {
            return self.remove_members(&json!([{ "value": id }]));
        }
        let gone: std::collections::HashSet<Key> = self
            .group
            .members
            .as_slice()
            .iter()
            .copied()
            .filter(|key| {
                self.world.users.get(*key).is_some_and(|user| {
                    filter.matches(&json!({ "value": user.id, "display": user.full_name() }), &|_| false)
                })
            })
            .collect();
        self.group.members.remove_all(&gone);
        Ok(())
    }
}

/// S11: Slack's documents leave the id unquoted, the RFC quotes it.
fn literals_allowed(filter: &Filter, allowed: MemberFilter) -> bool {
    match filter {
        Filter::And(left, right) | Filter::Or(left, right) => {
            literals_allowed(left, allowed) && literals_allowed(right, allowed)
        }
        Filter::Not(inner) | Filter::Within(_, inner) => literals_allowed(inner, allowed),
        Filter::Compare(_, _, Literal::Text(_)) => allowed != MemberFilter::Unquoted,
        Filter::Compare(_, _, Literal::Bare(_)) => allowed != MemberFilter::Quoted,
        Filter::Compare(..) | Filter::Present(_) => true,
    }
}
