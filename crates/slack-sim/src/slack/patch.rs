//! PATCH of a user on v2: operations and their paths (S11, RFC 7644 §3.5.2).

use serde_json::{Map, Value};

use super::assign::Draft;
use super::render::address as address_slot;
use super::slots::selected;
use super::user::Address;
use super::{emails, phones};
use crate::errors::{Answered, Refusal};
use crate::scim::lexer::Strictness;
use crate::scim::matching::member;
use crate::scim::path::PatchPath;
use crate::switches::{ExtensionPaths, Form, Heed, StartDateForm, Switches};

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    Add,
    Replace,
    Remove,
}

/// One entry of `Operations`.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub op: Op,
    pub path: Option<PatchPath>,
    pub value: Value,
}

/// What cannot be said in the list of attributes.
fn unsupported() -> Refusal {
    Refusal::code("invalid_request_payload")
}

/// Reads `Operations`. `op` is taken in any letter case: "capital `Replace` works in production" (S11).
pub(crate) fn operations(body: &Map<String, Value>, switches: &Switches) -> Answered<Vec<Operation>> {
    let Some(Value::Array(list)) = member(body, "Operations") else { return Err(unsupported()) };
    list.iter()
        .map(|entry| {
            let entry = entry.as_object().ok_or_else(unsupported)?;
            let op = match member(entry, "op").and_then(Value::as_str).map(str::to_ascii_lowercase).as_deref()
            {
                Some("add") => Op::Add,
                Some("replace") => Op::Replace,
                Some("remove") => Op::Remove,
                _ => return Err(unsupported()),
            };
            let path = match member(entry, "path") {
                None | Some(Value::Null) => None,
                Some(Value::String(text)) if text.is_empty() => None,
                Some(Value::String(text)) => {
                    Some(PatchPath::parse(text, Strictness::Slack).map_err(|_| unsupported())?)
                }
                Some(_) => return Err(unsupported()),
            };
            // RFC 7644 §3.5.2.2: `remove` has to say what.
            if path.is_none() && (op == Op::Remove || switches.pathless_patch == Form::Refused) {
                return Err(unsupported());
            }
            let value = member(entry, "value").cloned();
            if value.is_none() && op != Op::Remove {
                return Err(unsupported());
            }
            Ok(Operation { op, path, value: value.unwrap_or(Value::Null) })
        })
        .collect()
}

impl Draft<'_> {
    /// Carries out one operation on the draft.
    pub(crate) fn apply(&mut self, operation: &Operation) -> Answered<()> {
        if let Some(path) = &operation.path {
            return self.apply_at(operation.op, path, &operation.value);
        }
        // RFC 7644 §3.5.2.1: without a path the value is a set of attributes. Okta sends `{"active": false}` this way,
        // Entra names such as `name.givenName` and `urn:…:User:department`.
        let attributes = operation.value.as_object().ok_or_else(unsupported)?;
        for (name, value) in attributes {
            let path = PatchPath::parse(name, Strictness::Slack).map_err(|_| unsupported())?;
            self.apply_at(operation.op, &path, value)?;
        }
        Ok(())
    }

    fn apply_at(&mut self, op: Op, path: &PatchPath, value: &Value) -> Answered<()> {
        let urns = self.version.urns();
        match path.attribute.urn.as_deref() {
            None => self.apply_core(op, path, value),
            Some(urn) if urn.eq_ignore_ascii_case(urns.user) => self.apply_core(op, path, value),
            Some(urn) => {
                // S11: "Simulator: accept both `:` and `.` after an extension URN".
                match (path.attribute.separator, self.switches.extension_paths) {
                    (Some('.'), ExtensionPaths::Colon) | (Some(':'), ExtensionPaths::Dot) => {
                        return Err(unsupported());
                    }
                    _ => {}
                }
                if urn.eq_ignore_ascii_case(urns.enterprise) {
                    self.apply_enterprise(op, path, value)
                } else if urn.eq_ignore_ascii_case(urns.guest) {
                    self.apply_guest(op, path, value)
                } else if urn.eq_ignore_ascii_case(urns.profile) {
                    self.apply_profile(op, path, value)
                } else {
                    Err(unsupported())
                }
            }
        }
    }

    fn apply_core(&mut self, op: Op, path: &PatchPath, value: &Value) -> Answered<()> {
        let removal = Value::Null;
        let value = if op == Op::Remove { &removal } else { value };
        let attribute = &path.attribute;
        let name = attribute.name.to_ascii_lowercase();
        match name.as_str() {
            "emails" => emails::patch(&mut self.user, op, path, value, self.switches),
            "phonenumbers" => phones::patch(&mut self.user, op, path, value),
            "addresses" | "address" => self.apply_address(op, path, value),
            "roles" => self.apply_role(op, path, value),
            "photos" => self.apply_photo(op, path, value),
            "name" => self.apply_name(op, attribute.sub.as_deref(), value),
            _ if path.filter.is_some() || attribute.sub.is_some() => Err(unsupported()),
            "username" | "nickname" if op == Op::Remove => Err(Refusal::code("username_empty")),
            "active" if op == Op::Remove => Err(Refusal::code("invalid_attribute_format")),
            "schemas" | "id" | "meta" | "groups" | "externalid" | "username" | "nickname" | "displayname"
            | "title" | "timezone" | "usertype" | "preferredlanguage" | "locale" | "profileurl"
            | "password" | "active" => self.set(&name, value),
            // S16: "`invalid_request_payload` (unsupported attributes)".
            _ => Err(unsupported()),
        }
    }

    fn apply_name(&mut self, op: Op, sub: Option<&str>, value: &Value) -> Answered<()> {
        match (sub, op) {
            (Some(sub), _)
                if ["givenname", "familyname", "honorificprefix"]
                    .contains(&sub.to_ascii_lowercase().as_str()) =>
            {
                self.set_name(&Map::from_iter([(sub.to_owned(), value.clone())]))
            }
            // `formatted` and the rest of the RFC's name are not in the schema (S4); connectors send them all the same.
            (Some(_), _) => Err(unsupported()),
            (None, Op::Remove) => Err(Refusal::code("invalid_name_required")),
            (None, _) => {
                let name = value.as_object().ok_or_else(|| Refusal::code("invalid_attribute_format"))?;
                self.set_name(name)
            }
        }
    }

    fn apply_enterprise(&mut self, op: Op, path: &PatchPath, value: &Value) -> Answered<()> {
        let removal = Value::Null;
        let value = if op == Op::Remove { &removal } else { value };
        let (name, sub) = (path.attribute.name.as_str(), path.attribute.sub.as_deref());
        if path.filter.is_some() {
            return Err(unsupported());
        }
        match (name, sub) {
            // S11: "add / replace = merge of the given sub-attributes; remove = all".
            ("", _) if op == Op::Remove => ENTERPRISE.iter().try_for_each(|name| {
                self.set_enterprise(&Map::from_iter([((*name).to_owned(), Value::Null)]))
            }),
            ("", _) => {
                let extension = value.as_object().ok_or_else(|| Refusal::code("invalid_attribute_format"))?;
                self.set_enterprise(extension)
            }
            (name, Some(sub))
                if name.eq_ignore_ascii_case("manager") && sub.eq_ignore_ascii_case("managerId") =>
            {
                self.set_manager(&Value::Object(Map::from_iter([("managerId".to_owned(), value.clone())])))
            }
            (name, Some(_)) if name.eq_ignore_ascii_case("manager") => {
                Err(Refusal::code("improper_enterprise_schema_format"))
            }
            (name, None) if ENTERPRISE.iter().any(|known| known.eq_ignore_ascii_case(name)) => {
                self.set_enterprise(&Map::from_iter([(name.to_owned(), value.clone())]))
            }
            _ => Err(unsupported()),
        }
    }

    fn apply_guest(&mut self, op: Op, path: &PatchPath, value: &Value) -> Answered<()> {
        let name = path.attribute.name.as_str();
        match op {
            Op::Remove if name.is_empty() => self.clear_guest(),
            Op::Remove if name.eq_ignore_ascii_case("expiration") => {
                if let Some(guest) = &mut self.user.guest {
                    guest.expiration = None;
                }
            }
            Op::Remove => return Err(unsupported()),
            _ if name.is_empty() => self.set_guest(value)?,
            _ => self.set_guest(&Value::Object(Map::from_iter([(name.to_owned(), value.clone())])))?,
        }
        Ok(())
    }

    /// A GAP: Slack shows only a body that is no `PatchOp`, so each form is behind a switch.
    fn apply_profile(&mut self, op: Op, path: &PatchPath, value: &Value) -> Answered<()> {
        let by_path = !path.attribute.name.is_empty();
        match (self.switches.patch_start_date, by_path) {
            (StartDateForm::Refused, _) | (StartDateForm::Object, true) | (StartDateForm::Path, false) => {
                Err(unsupported())
            }
            _ if op == Op::Remove => self.set_start_date(&Value::Null),
            (_, false) => {
                let profile = value.as_object().ok_or_else(|| Refusal::code("invalid_attribute_format"))?;
                member(profile, "startDate").map_or(Ok(()), |date| self.set_start_date(date))
            }
            (_, true) if path.attribute.is("startDate", None) => self.set_start_date(value),
            _ => Err(unsupported()),
        }
    }

    fn apply_address(&mut self, op: Op, path: &PatchPath, value: &Value) -> Answered<()> {
        let mut slot = address_slot(self.user.address.as_ref());
        if path.filter.is_none() && path.attribute.sub.is_none() {
            return self.set_address(value);
        }
        slot["primary"] = true.into();
        let filled = self.user.address.is_some() || path.filter.is_none();
        if !filled || selected(&[slot.clone()], path.filter.as_ref()).is_empty() {
            return if op == Op::Remove { Ok(()) } else { Err(Refusal::code("addresses_invalid")) };
        }
        match &path.attribute.sub {
            None if op == Op::Remove => self.user.address = None,
            None => return self.set_address(value),
            Some(sub) => {
                let part = self.custom(value)?;
                let address = self.user.address.get_or_insert_default();
                *address_part(address, sub).ok_or_else(unsupported)? = part;
                if *address == Address::default() {
                    self.user.address = None;
                }
            }
        }
        Ok(())
    }

    fn apply_role(&mut self, op: Op, path: &PatchPath, value: &Value) -> Answered<()> {
        let slot = serde_json::json!({ "value": self.user.role, "primary": true });
        if path.filter.is_some()
            && (self.user.role.is_none() || selected(&[slot], path.filter.as_ref()).is_empty())
        {
            return if op == Op::Remove { Ok(()) } else { Err(Refusal::code("roles_invalid")) };
        }
        match path.attribute.sub.as_deref() {
            None => self.set_role(value),
            Some(sub) if sub.eq_ignore_ascii_case("value") => {
                self.user.role = self.custom(value)?;
                Ok(())
            }
            Some(_) => Ok(()),
        }
    }

    fn apply_photo(&mut self, op: Op, path: &PatchPath, value: &Value) -> Answered<()> {
        match op {
            // S6: "So `remove photos` probably doesn't do it".
            Op::Remove if self.switches.remove_photos == Heed::Ignored => Ok(()),
            Op::Remove => self.set_photo(&Value::Array(Vec::new())),
            _ if path.attribute.sub.as_deref().is_some_and(|sub| !sub.eq_ignore_ascii_case("value")) => {
                Ok(())
            }
            _ => self.set_photo(value),
        }
    }
}

/// The attributes of the enterprise extension (S6).
const ENTERPRISE: [&str; 6] =
    ["employeeNumber", "costCenter", "organization", "division", "department", "manager"];

/// The part of an address that a sub-attribute names.
fn address_part<'a>(address: &'a mut Address, sub: &str) -> Option<&'a mut Option<String>> {
    Some(match sub.to_ascii_lowercase().as_str() {
        "streetaddress" => &mut address.street_address,
        "locality" => &mut address.locality,
        "region" => &mut address.region,
        "postalcode" => &mut address.postal_code,
        "country" => &mut address.country,
        _ => return None,
    })
}
