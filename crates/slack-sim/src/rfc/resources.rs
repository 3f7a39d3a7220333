//! Resources of a plain service: what is stored, what is shown, and what a seed becomes.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::schemas::{GROUPS, Kind, USERS};
use super::store::Store;
use crate::slack::user::User;

/// A stored resource. A group's members are apart: a million of them as JSON objects would fill the memory.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    pub id: String,
    pub created: Timestamp,
    pub modified: Timestamp,
    pub version: u64,
    /// The attributes as the client gave them, with the schemas' names.
    pub attributes: Map<String, Value>,
    /// The ids of a group's members.
    pub members: Vec<String>,
}

impl Document {
    /// The entity tag (RFC 7644 §3.14).
    pub(crate) fn etag(&self) -> String {
        format!("W/\"{}\"", self.version)
    }

    /// The text of an attribute; empty where it is unset.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.attributes.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// The attributes with the members among them, as PATCH sees the resource.
    pub(crate) fn open(&self, store: &Store) -> Map<String, Value> {
        let mut attributes = self.attributes.clone();
        if !self.members.is_empty() {
            let members = self.members.iter().map(|id| store.member(id, None));
            attributes.insert("members".to_owned(), members.collect());
        }
        attributes
    }

    /// The resource in a response.
    pub(crate) fn body(&self, kind: &Kind, store: &Store, base: &str) -> Value {
        let extensions = kind.extensions.iter().filter(|schema| self.attributes.contains_key(schema.id));
        let schemas: Vec<&str> =
            std::iter::once(kind.schema.id).chain(extensions.map(|schema| schema.id)).collect();
        let mut body =
            Map::from_iter([("schemas".to_owned(), json!(schemas)), ("id".to_owned(), json!(self.id))]);
        body.extend(self.attributes.get("externalId").map(|value| ("externalId".to_owned(), value.clone())));
        for attribute in kind.schema.attributes.iter().filter(|attribute| attribute.returned != "never") {
            body.extend(
                self.attributes.get(attribute.name).map(|value| (attribute.name.to_owned(), value.clone())),
            );
        }
        if !self.members.is_empty() {
            let members = self.members.iter().map(|id| store.member(id, Some(base)));
            body.insert("members".to_owned(), members.collect());
        }
        for extension in kind.extensions {
            body.extend(self.attributes.get(extension.id).map(|value| {
                let mut value = value.clone();
                store.show_manager(&mut value, base);
                (extension.id.to_owned(), value)
            }));
        }
        let groups = store.groups_of(&self.id, base);
        if kind.name == USERS.name && !groups.is_empty() {
            body.insert("groups".to_owned(), Value::Array(groups));
        }
        body.insert(
            "meta".to_owned(),
            json!({
                "resourceType": kind.name,
                "created": self.created,
                "lastModified": self.modified,
                "location": format!("{base}/scim/v2/{}/{}", kind.endpoint, self.id),
                "version": self.etag(),
            }),
        );
        Value::Object(body)
    }

    /// The resource in a state file.
    pub(crate) fn raw(&self) -> Value {
        let mut raw = self.attributes.clone();
        raw.insert("id".to_owned(), self.id.clone().into());
        if !self.members.is_empty() {
            raw.insert("members".to_owned(), json!(self.members));
        }
        raw.insert(
            "meta".to_owned(),
            json!({ "created": self.created, "lastModified": self.modified, "version": self.version }),
        );
        Value::Object(raw)
    }

    /// A resource from a state file; `None` where it is not one.
    pub(crate) fn from_raw(raw: &Value) -> Option<Self> {
        let mut attributes = raw.as_object()?.clone();
        let meta = attributes.remove("meta")?;
        let time = |name: &str| meta[name].as_str()?.parse().ok();
        let members = match attributes.remove("members") {
            Some(Value::Array(members)) => {
                members.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect()
            }
            _ => Vec::new(),
        };
        Some(Self {
            id: attributes.remove("id")?.as_str()?.to_owned(),
            created: time("created")?,
            modified: time("lastModified")?,
            version: meta["version"].as_u64()?,
            attributes,
            members,
        })
    }

    /// A seed's user, as somebody would have written them to a plain service.
    pub(crate) fn of_user(user: &User) -> Self {
        let text = |value: &str| Some(value).filter(|value| !value.is_empty()).map(|value| json!(value));
        let maybe = |value: &Option<String>| value.as_deref().and_then(text);
        let mut attributes = Map::new();
        let mut put =
            |name: &str, value: Option<Value>| attributes.extend(value.map(|value| (name.to_owned(), value)));
        put("userName", text(&user.user_name));
        put(
            "name",
            object([
                ("familyName", text(&user.family_name)),
                ("givenName", text(&user.given_name)),
                ("honorificPrefix", maybe(&user.honorific_prefix)),
            ]),
        );
        put("displayName", text(&user.display_name));
        put("profileUrl", maybe(&user.profile_url));
        put("title", text(&user.title));
        put("userType", maybe(&user.user_type));
        put("preferredLanguage", maybe(&user.preferred_language));
        put("locale", maybe(&user.locale));
        put("timezone", text(&user.timezone));
        put("active", Some(json!(user.active)));
        let mut emails = vec![json!({ "value": user.email, "type": "work", "primary": true })];
        emails.extend(user.secondary_email.as_ref().map(|value| json!({ "value": value, "type": "home" })));
        put("emails", Some(emails.into()));
        let mut phones = Vec::new();
        phones.extend(
            user.phone.as_ref().map(|value| json!({ "value": value, "type": "work", "primary": true })),
        );
        phones.extend(user.mobile_phone.as_ref().map(|value| json!({ "value": value, "type": "mobile" })));
        put("phoneNumbers", Some(phones.into()).filter(|phones: &Value| phones != &json!([])));
        put("photos", user.photo.as_ref().map(|value| json!([{ "value": value, "type": "photo" }])));
        put(
            "addresses",
            user.address.as_ref().and_then(|address| {
                let address = object([
                    ("streetAddress", maybe(&address.street_address)),
                    ("locality", maybe(&address.locality)),
                    ("region", maybe(&address.region)),
                    ("postalCode", maybe(&address.postal_code)),
                    ("country", maybe(&address.country)),
                    ("type", Some(json!("work"))),
                    ("primary", Some(json!(true))),
                ]);
                address.map(|address| json!([address]))
            }),
        );
        put("roles", user.role.as_ref().map(|value| json!([{ "value": value, "primary": true }])));
        put(
            USERS.extensions[0].id,
            object([
                ("employeeNumber", maybe(&user.employee_number)),
                ("costCenter", maybe(&user.cost_center)),
                ("organization", maybe(&user.organization)),
                ("division", maybe(&user.division)),
                ("department", maybe(&user.department)),
                ("manager", user.manager.as_ref().map(|id| json!({ "value": id }))),
            ]),
        );
        Self {
            id: user.id.clone(),
            created: user.created,
            modified: user.created,
            version: 1,
            attributes,
            members: Vec::new(),
        }
    }

    /// A seed's group.
    pub(crate) fn of_group(id: &str, name: &str, created: Timestamp, members: Vec<String>) -> Self {
        let attributes = Map::from_iter([("displayName".to_owned(), json!(name))]);
        Self { id: id.to_owned(), created, modified: created, version: 1, attributes, members }
    }
}

/// The object of what is there; `None` where nothing is.
fn object<const N: usize>(parts: [(&str, Option<Value>); N]) -> Option<Value> {
    let parts: Map<String, Value> =
        parts.into_iter().filter_map(|(name, value)| value.map(|value| (name.to_owned(), value))).collect();
    Some(parts).filter(|parts| !parts.is_empty()).map(Value::Object)
}

/// The kind of resource behind an endpoint.
pub(crate) fn kind_of(collection: &str) -> Option<&'static Kind> {
    [&USERS, &GROUPS].into_iter().find(|kind| kind.endpoint == collection)
}
