//! The ids of accounts and groups that a run has created, put in the place of their placeholders.

use crate::dialect::path_segment;
use model::attribute::ENTERPRISE;
use model::plan::{Existing, Request};
use model::{GroupId, UserId, UserName, UserRef};
use serde_json::Value as Json;
use serde_json::value::to_raw_value;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

const USER: &str = "@user:";
const GROUP: &str = "@group:";

/// Ids by the names that a plan uses for what does not exist yet.
#[derive(Debug, Clone, Default)]
pub struct Ids {
    /// `@user:NAME`.
    pub users: HashMap<UserName, UserId>,
    /// `@group:NAME`.
    pub groups: HashMap<Box<str>, GroupId>,
    /// What was there when the plan was made, which no creation of the plan has created.
    pub existing: Arc<Existing>,
}

/// A request names somebody or something that has not been created.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} has not been created")]
pub struct Unfilled(pub String);

impl Ids {
    /// The account's id, when it is known.
    pub fn user(&self, user: &UserRef) -> Option<UserId> {
        match user {
            UserRef::Existing(id) => Some(id.clone()),
            UserRef::New(name) => self.users.get(name).cloned(),
        }
    }

    /// The request with ids in place of placeholders. Only where a reference belongs is one replaced (a member's
    /// `value`, the manager, the path): a person whose displayName is `@user:ada` keeps it.
    ///
    /// A request that holds no placeholder is borrowed: it may be of a megabyte.
    ///
    /// # Errors
    /// When a name has no id yet.
    pub fn fill<'a>(&self, request: &'a Request) -> Result<Cow<'a, Request>, Unfilled> {
        let path = self.fill_path(&request.path)?;
        let body = match &request.body {
            Some(body) if body.get().contains(USER) => {
                let mut json: Json = serde_json::from_str(body.get()).unwrap_or(Json::Null);
                self.fill_body(&mut json)?;
                Some(to_raw_value(&json).ok())
            }
            _ => None,
        };
        Ok(match (path, body) {
            (None, None) => Cow::Borrowed(request),
            (path, body) => Cow::Owned(Request {
                method: request.method,
                path: path.unwrap_or_else(|| request.path.clone()),
                body: body.unwrap_or_else(|| request.body.clone()),
            }),
        })
    }

    /// The path with an id in it; `None` where it holds no placeholder.
    fn fill_path(&self, path: &str) -> Result<Option<String>, Unfilled> {
        if let Some(name) = path.strip_prefix("/Users/").and_then(|name| name.strip_prefix(USER)) {
            let known = UserName::parse(name).ok().and_then(|name| self.users.get(&name));
            let id = known.ok_or_else(|| Unfilled(format!("{USER}{name}")))?;
            return Ok(Some(format!("/Users/{}", path_segment(id.as_str()))));
        }
        if let Some(name) = path.strip_prefix("/Groups/").and_then(|name| name.strip_prefix(GROUP)) {
            let id = self.groups.get(name).ok_or_else(|| Unfilled(format!("{GROUP}{name}")))?;
            return Ok(Some(format!("/Groups/{}", path_segment(id.as_str()))));
        }
        Ok(None)
    }

    fn fill_body(&self, body: &mut Json) -> Result<(), Unfilled> {
        self.fill_all(body.pointer_mut("/members"), Self::fill_member)?;
        if let Some(manager) = body.get_mut(ENTERPRISE).and_then(|e| e.get_mut("manager")) {
            self.fill_manager(manager)?;
        }
        self.fill_all(body.pointer_mut("/Operations"), Self::fill_operation)
    }

    fn fill_all(
        &self,
        list: Option<&mut Json>,
        fill: fn(&Self, &mut Json) -> Result<(), Unfilled>,
    ) -> Result<(), Unfilled> {
        let elements = list.and_then(Json::as_array_mut).into_iter().flatten();
        elements.into_iter().try_for_each(|element| fill(self, element))
    }

    fn fill_operation(&self, operation: &mut Json) -> Result<(), Unfilled> {
        let path = operation.get("path").and_then(Json::as_str).unwrap_or_default().to_owned();
        let Some(value) = operation.get_mut("value") else { return Ok(()) };
        if path == "members" {
            return self.fill_all(Some(value), Self::fill_member);
        }
        let manager = match path.strip_prefix(ENTERPRISE) {
            Some(":manager") => Some(value),
            Some("") => value.get_mut("manager"),
            _ => None,
        };
        manager.map_or(Ok(()), |manager| self.fill_manager(manager))
    }

    fn fill_member(&self, member: &mut Json) -> Result<(), Unfilled> {
        member.get_mut("value").map_or(Ok(()), |value| self.fill_reference(value))
    }

    fn fill_manager(&self, manager: &mut Json) -> Result<(), Unfilled> {
        let Json::Object(manager) = manager else { return Ok(()) };
        manager.values_mut().try_for_each(|value| self.fill_reference(value))
    }

    fn fill_reference(&self, reference: &mut Json) -> Result<(), Unfilled> {
        let Json::String(text) = reference else { return Ok(()) };
        let Some(name) = text.strip_prefix(USER) else { return Ok(()) };
        let known = UserName::parse(name).ok().and_then(|name| self.users.get(&name));
        let id = known;
        *text = id.ok_or_else(|| Unfilled(text.clone()))?.to_string();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::plan::Method;
    use serde_json::json;

    fn ids() -> Ids {
        let mut ids = Ids::default();
        ids.users.insert(UserName::parse("ada").unwrap(), UserId::new("U1"));
        ids.groups.insert("a/b".into(), GroupId::new("S/1"));
        ids
    }

    fn fill(path: &str, body: &Json) -> Result<(String, Json), Unfilled> {
        let body = to_raw_value(body).unwrap();
        let request = Request { method: Method::Patch, path: path.to_owned(), body: Some(body) };
        let filled = ids().fill(&request)?.into_owned();
        Ok((filled.path, serde_json::from_str(filled.body.unwrap().get()).unwrap()))
    }

    #[test]
    fn does_not_copy_a_request_that_refers_to_nobody_new() {
        for (body, copied) in [(json!({ "value": "U1" }), false), (json!({ "value": "@user:ada" }), true)] {
            let body = Some(to_raw_value(&json!({ "members": [body] })).unwrap());
            let request = Request { method: Method::Patch, path: "/Groups/S1".to_owned(), body };
            assert_eq!(matches!(ids().fill(&request), Ok(Cow::Owned(_))), copied);
        }
    }

    #[test]
    fn the_second_half_of_a_creation_goes_to_the_account_that_the_first_half_made() {
        assert_eq!(fill("/Users/@user:ada", &json!({})).unwrap().0, "/Users/U1");
        assert_eq!(fill("/Users/@user:bob", &json!({})).unwrap_err().0, "@user:bob");
    }

    #[test]
    fn replaces_references_and_leaves_hostile_names_alone() {
        let hostile = json!({ "displayName": "@user:ada", "title": "\"@user:ada\"", "members": [{ "value": "@user:ada" }],
            ENTERPRISE: { "department": "@user:ada", "manager": { "managerId": "@user:ada" } } });
        let (_, body) = fill("/Users", &hostile).unwrap();
        let want = json!({ "displayName": "@user:ada", "title": "\"@user:ada\"", "members": [{ "value": "U1" }],
            ENTERPRISE: { "department": "@user:ada", "manager": { "managerId": "U1" } } });
        assert_eq!(body.to_string(), want.to_string());
    }

    #[test]
    fn replaces_references_in_the_operations_of_a_patch() {
        let manager = format!("{ENTERPRISE}:manager");
        let body = json!({ "Operations": [
            { "op": "add", "path": "members", "value": [{ "value": "U9" }, { "value": "@user:ada" }] },
            { "op": "add", "path": manager, "value": { "managerId": "@user:ada" } },
            { "op": "add", "path": ENTERPRISE, "value": { "manager": { "managerId": "@user:ada" } } },
            { "op": "replace", "path": "title", "value": "@user:ada" },
        ] });
        let (path, filled) = fill("/Groups/@group:a/b", &body).unwrap();
        assert_eq!(path, "/Groups/S%2F1");
        assert_eq!(filled["Operations"][0]["value"], json!([{ "value": "U9" }, { "value": "U1" }]));
        assert_eq!(filled["Operations"][1]["value"]["managerId"], "U1");
        assert_eq!(filled["Operations"][2]["value"]["manager"]["managerId"], "U1");
        assert_eq!(filled["Operations"][3]["value"], "@user:ada");
    }

    #[test]
    fn says_who_has_not_been_created() {
        let error = fill("/Groups/S1", &json!({ "members": [{ "value": "@user:bob" }] })).unwrap_err();
        assert_eq!(error, Unfilled("@user:bob".to_owned()));
        assert_eq!(fill("/Groups/@group:c", &json!({})).unwrap_err(), Unfilled("@group:c".to_owned()));
    }
}
