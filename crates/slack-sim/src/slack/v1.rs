//! PATCH on v1: a partial resource instead of operations (S12).

use serde_json::{Map, Value};

use super::assign::Draft;
use super::groups::GroupDraft;
use super::patch::{Op, Operation};
use super::render::address as address_slot;
use crate::errors::{Answered, Refusal};
use crate::scim::lexer::Strictness;
use crate::scim::matching::member;
use crate::scim::path::PatchPath;

/// The attributes that `meta.attributes` asks to clear.
fn cleared(body: &Map<String, Value>) -> Answered<Vec<PatchPath>> {
    let names = member(body, "meta").and_then(Value::as_object).and_then(|meta| member(meta, "attributes"));
    let Some(names) = names else { return Ok(Vec::new()) };
    let names = names.as_array().ok_or_else(|| Refusal::code("invalid_request_payload"))?;
    names
        .iter()
        .map(|name| name.as_str().and_then(|name| PatchPath::parse(name, Strictness::Slack).ok()))
        .map(|path| path.ok_or_else(|| Refusal::code("invalid_request_payload")))
        .collect()
}

fn is_deleted(element: &Value) -> bool {
    let operation = element.as_object().and_then(|element| member(element, "operation"));
    operation.and_then(Value::as_str).is_some_and(|operation| operation.eq_ignore_ascii_case("delete"))
}

impl Draft<'_> {
    /// Merges a partial user: what is named in `meta.attributes` goes first, then what is given comes.
    pub(crate) fn merge(&mut self, body: &Map<String, Value>) -> Answered<()> {
        for path in cleared(body)? {
            self.apply(&Operation { op: Op::Remove, path: Some(path), value: Value::Null })?;
        }
        for (name, value) in body {
            match (name.to_ascii_lowercase().as_str(), value) {
                ("meta" | "schemas", _) => {}
                ("emails" | "phonenumbers" | "addresses" | "roles" | "photos", Value::Array(elements)) => {
                    self.merge_elements(name, elements)?;
                }
                _ => self.set(name, value)?,
            }
        }
        Ok(())
    }

    fn merge_elements(&mut self, name: &str, elements: &[Value]) -> Answered<()> {
        let (gone, given): (Vec<&Value>, Vec<&Value>) =
            elements.iter().partition(|element| is_deleted(element));
        for element in gone {
            let value = element.get("value").cloned().unwrap_or(Value::Null);
            match name.to_ascii_lowercase().as_str() {
                // S12: "Address delete needs all five sub-attributes to match".
                "addresses" => {
                    let slot = address_slot(self.user.address.as_ref());
                    let same = slot
                        .as_object()
                        .is_some_and(|slot| slot.iter().all(|(part, held)| element.get(part) == Some(held)));
                    if same {
                        self.user.address = None;
                    }
                }
                "roles" if self.user.role.as_deref() == value.as_str() => self.user.role = None,
                "photos" => self.set_photo(&Value::Array(Vec::new()))?,
                "phonenumbers" | "emails" => {
                    let quoted = Value::String(value.as_str().unwrap_or_default().to_owned());
                    let path = PatchPath::parse(&format!("{name}[value eq {quoted}]"), Strictness::Slack)
                        .map_err(|_| Refusal::code("invalid_request_payload"))?;
                    self.apply(&Operation { op: Op::Remove, path: Some(path), value: Value::Null })?;
                }
                _ => {}
            }
        }
        if given.is_empty() {
            return Ok(());
        }
        let given = Value::Array(given.into_iter().cloned().collect());
        match name.to_ascii_lowercase().as_str() {
            "emails" | "phonenumbers" => {
                let path = PatchPath::parse(name, Strictness::Slack)
                    .map_err(|_| Refusal::code("invalid_request_payload"))?;
                self.apply(&Operation { op: Op::Add, path: Some(path), value: given })
            }
            _ => self.set(name, &given),
        }
    }
}

impl GroupDraft<'_> {
    /// Merges a partial group: "Group PATCH adds members by default, `"operation":"delete"` removes" (S12).
    pub(crate) fn merge(&mut self, body: &Map<String, Value>) -> Answered<()> {
        for path in cleared(body)? {
            if path.attribute.is("members", None) {
                self.replace_members(&Value::Null)?;
            }
        }
        if let Some(name) = member(body, "displayName") {
            self.set_name(name)?;
        }
        if let Some(Value::Array(members)) = member(body, "members") {
            let (gone, given): (Vec<Value>, Vec<Value>) = members.iter().cloned().partition(is_deleted);
            self.remove_members(&Value::Array(gone))?;
            self.add_members(&Value::Array(given))?;
        }
        Ok(())
    }
}
