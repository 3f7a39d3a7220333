//! Bodies as Slack writes them, key by key in its order (S5, Appendix A).

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::names::gravatar;
use super::user::{Address, Guest, Kind, User};
use super::world::{Group, World};
use crate::clock::pacific;
use crate::errors::Version;
use crate::switches::{BodyFamily, EmptySecondary, ManagerForm, Switches};
use crate::table::Key;

/// The URNs of one version (S4).
pub(crate) struct Urns {
    pub user: &'static str,
    pub group: &'static str,
    pub enterprise: &'static str,
    pub guest: &'static str,
    pub profile: &'static str,
}

const V1: Urns = Urns {
    user: "urn:scim:schemas:core:1.0",
    group: "urn:scim:schemas:core:1.0",
    enterprise: "urn:scim:schemas:extension:enterprise:1.0",
    guest: "urn:scim:schemas:extension:slack:guest:1.0",
    profile: "urn:scim:schemas:extension:slack:profile:1.0",
};

const V2: Urns = Urns {
    user: "urn:ietf:params:scim:schemas:core:2.0:User",
    group: "urn:ietf:params:scim:schemas:core:2.0:Group",
    enterprise: "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
    guest: "urn:ietf:params:scim:schemas:extension:slack:guest:2.0:User",
    profile: "urn:ietf:params:scim:schemas:extension:slack:profile:2.0:User",
};

impl Version {
    /// The URNs of this version.
    pub(crate) fn urns(self) -> &'static Urns {
        match self {
            Self::V1 => &V1,
            Self::V2 => &V2,
        }
    }

    /// The version in a path.
    pub(crate) fn segment(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        }
    }
}

/// What a rendering has to know beside the resource.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub world: &'a World,
    pub switches: &'a Switches,
    pub version: Version,
    pub base: &'a str,
    pub now: Instant,
}

impl View<'_> {
    /// `https://api.slack.com/scim/v2/Users/U…`
    pub(crate) fn location(&self, collection: &str, id: &str) -> String {
        format!("{}/scim/{}/{collection}/{id}", self.base, self.version.segment())
    }

    /// Whether this user's body has the custom profile fields: of bots and of guests without a profile it never has (S5).
    fn is_full(&self, user: &User) -> bool {
        let fields_exist = self.switches.body_family == BodyFamily::Full || self.world.profile_fields;
        fields_exist && user.kind != Kind::Bot && (user.guest.is_none() || user.has_profile())
    }
}

/// A user in a response.
pub(crate) struct UserBody<'a> {
    pub view: View<'a>,
    pub key: Key,
    pub user: &'a User,
}

impl Serialize for UserBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { view, key, user } = self;
        let urns = view.version.urns();
        let full = view.is_full(user);
        let mut schemas = vec![urns.user];
        if full {
            schemas.extend([urns.enterprise, urns.profile]);
        }
        if user.guest.is_some() {
            schemas.push(urns.guest);
        }
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schemas", &schemas)?;
        map.serialize_entry("id", &user.id)?;
        // S5: "`externalId` is always `""` in responses".
        map.serialize_entry("externalId", "")?;
        map.serialize_entry("meta", &Meta(pacific(user.created), view.location("Users", &user.id)))?;
        map.serialize_entry("userName", &user.user_name)?;
        map.serialize_entry("nickName", &user.user_name)?;
        map.serialize_entry("name", &Name(user, full))?;
        map.serialize_entry("displayName", &user.display_name)?;
        map.serialize_entry("profileUrl", &profile_url(view.world, user))?;
        map.serialize_entry("title", &user.title)?;
        map.serialize_entry("timezone", &user.timezone)?;
        map.serialize_entry("active", &user.active)?;
        map.serialize_entry("emails", &emails(view, user, full))?;
        let photo = user.photo.clone().unwrap_or_else(|| gravatar(&user.email));
        map.serialize_entry("photos", &[Element { kind: Some("photo"), ..Element::of(Some(&photo)) }])?;
        if full {
            map.serialize_entry("addresses", &[AddressBody(user.address.as_ref())])?;
            // S6: "`type:"mobile"` marks mobilePhone, `primary:true` marks primaryPhone".
            map.serialize_entry("phoneNumbers", &phone_elements(user))?;
            map.serialize_entry("userType", &user.user_type)?;
            let role = Element { primary: Some(true), ..Element::of(user.role.as_deref()) };
            map.serialize_entry("roles", &[role])?;
            map.serialize_entry("preferredLanguage", &user.preferred_language)?;
            map.serialize_entry("locale", &user.locale)?;
            map.serialize_entry(urns.enterprise, &Enterprise(*view, user))?;
            map.serialize_entry(urns.profile, &One("startDate", user.start_date.as_deref()))?;
        }
        let groups = view.world.groups_of(*key).iter().filter_map(|group| view.world.groups.get(*group));
        let groups: Vec<Reference> =
            groups.map(|group| Reference { value: &group.id, display: &group.display_name }).collect();
        map.serialize_entry("groups", &groups)?;
        if let Some(guest) = &user.guest {
            map.serialize_entry(urns.guest, &guest_body(guest))?;
        }
        map.end()
    }
}

/// S6: "echoed if `POSTed`, else `https://<org>.enterprise.slack.com/team/<userName>`".
fn profile_url(world: &World, user: &User) -> String {
    let derived = || format!("https://{}.enterprise.slack.com/team/{}", world.org, user.user_name);
    user.profile_url.clone().unwrap_or_else(derived)
}

/// An element of a list of which Slack shows `value` and one label.
#[derive(Serialize)]
struct Element<'a> {
    value: Option<&'a str>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    primary: Option<bool>,
}

impl<'a> Element<'a> {
    fn of(value: Option<&'a str>) -> Self {
        Self { value, kind: None, primary: None }
    }
}

/// An object with one key.
struct One<'a>(&'static str, Option<&'a str>);

impl Serialize for One<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(self.0, &self.1)?;
        map.end()
    }
}

#[derive(Serialize)]
struct Reference<'a> {
    value: &'a str,
    display: &'a str,
}

fn emails<'a>(view: &View, user: &'a User, full: bool) -> Vec<Element<'a>> {
    let element = |value, primary| Element { primary: Some(primary), ..Element::of(Some(value)) };
    let mut emails = vec![element(user.email.as_str(), true)];
    // S5: v1 was recorded with a second, empty element in full bodies; v2 was not.
    let shown_when_empty =
        full && (view.version == Version::V1 || view.switches.empty_secondary_email == EmptySecondary::Shown);
    match &user.secondary_email {
        Some(secondary) => emails.push(element(secondary, false)),
        None if shown_when_empty => emails.push(element("", false)),
        None => {}
    }
    emails
}

/// The two slots, in the order and with the labels of a response (S5).
fn phone_elements(user: &User) -> [Element<'_>; 2] {
    [
        Element { kind: Some("mobile"), ..Element::of(user.mobile_phone.as_deref()) },
        Element { primary: Some(true), ..Element::of(user.phone.as_deref()) },
    ]
}

/// The same as JSON, for the filters of PATCH paths.
pub(crate) fn phones(user: &User) -> [Value; 2] {
    phone_elements(user).map(|element| json!(element))
}

/// The one address; five nulls without one (S5).
struct AddressBody<'a>(Option<&'a Address>);

impl Serialize for AddressBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let part =
            |part: fn(&Address) -> &Option<String>| self.0.and_then(|address| part(address).as_deref());
        let mut map = serializer.serialize_map(Some(5))?;
        map.serialize_entry("streetAddress", &part(|address| &address.street_address))?;
        map.serialize_entry("locality", &part(|address| &address.locality))?;
        map.serialize_entry("region", &part(|address| &address.region))?;
        map.serialize_entry("postalCode", &part(|address| &address.postal_code))?;
        map.serialize_entry("country", &part(|address| &address.country))?;
        map.end()
    }
}

/// The same as JSON, for the filters of PATCH paths.
pub(crate) fn address(address: Option<&Address>) -> Value {
    json!(AddressBody(address))
}

fn guest_body(guest: &Guest) -> Value {
    let mut body = json!({ "type": "multi" });
    if let Some(expiration) = &guest.expiration {
        body["expiration"] = expiration.clone().into();
    }
    if !guest.channels.is_empty() {
        body["channels"] = guest
            .channels
            .iter()
            .map(|channel| json!({ "value": channel.id, "display": channel.name }))
            .collect();
    }
    body
}

struct Meta(String, String);

impl Serialize for Meta {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("created", &self.0)?;
        map.serialize_entry("location", &self.1)?;
        map.end()
    }
}

struct Name<'a>(&'a User, bool);

impl Serialize for Name<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("givenName", &self.0.given_name)?;
        map.serialize_entry("familyName", &self.0.family_name)?;
        if self.1 {
            map.serialize_entry("honorificPrefix", &self.0.honorific_prefix)?;
        }
        map.end()
    }
}

struct Enterprise<'a>(View<'a>, &'a User);

impl Serialize for Enterprise<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(view, user) = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("employeeNumber", &user.employee_number)?;
        map.serialize_entry("costCenter", &user.cost_center)?;
        map.serialize_entry("organization", &user.organization)?;
        map.serialize_entry("division", &user.division)?;
        map.serialize_entry("department", &user.department)?;
        map.serialize_entry("manager", &One("managerId", manager(view, user)))?;
        map.end()
    }
}

/// S6: "Accepts a Slack id, a primary e-mail or a userName"; in which of the forms it answers is a GAP.
fn manager<'a>(view: &View<'a>, user: &'a User) -> Option<&'a str> {
    let id = user.manager.as_deref()?;
    let account = || view.world.users.key(id).and_then(|key| view.world.users.get(key));
    match view.switches.manager_form {
        ManagerForm::Id => Some(id),
        ManagerForm::UserName => account().map(|manager| manager.user_name.as_str()),
        ManagerForm::Email => account().map(|manager| manager.email.as_str()),
    }
}

/// A group in a response. `page` cuts the members, which are then counted in `totalResults` (S8, a GAP).
pub(crate) struct GroupBody<'a> {
    pub view: View<'a>,
    pub group: &'a Group,
    pub page: Option<(usize, usize)>,
}

struct MemberBodies<'a>(&'a World, &'a [Key]);

impl Serialize for MemberBodies<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let users = self.1.iter().filter_map(|key| self.0.users.get(*key));
        serializer.collect_seq(users.map(MemberBody))
    }
}

struct MemberBody<'a>(&'a User);

impl Serialize for MemberBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("value", &self.0.id)?;
        map.serialize_entry("display", &self.0.full_name())?;
        map.end()
    }
}

impl Serialize for GroupBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { view, group, page } = self;
        let (name, all) = match &group.stale {
            Some(stale) if stale.until > view.now => (&stale.display_name, stale.members.as_slice()),
            _ => (&group.display_name, group.members.as_slice()),
        };
        let shown = match page {
            Some((skip, take)) => &all[(*skip).min(all.len())..skip.saturating_add(*take).min(all.len())],
            None => all,
        };
        let meta = Meta(pacific(group.created), view.location("Groups", &group.id));
        let members = MemberBodies(view.world, shown);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schemas", &[view.version.urns().group])?;
        map.serialize_entry("id", &group.id)?;
        // S5: "Group key order v1 `schemas,id,displayName,members,meta`; v2 `schemas,id,meta,displayName,members`".
        if view.version == Version::V2 {
            map.serialize_entry("meta", &meta)?;
        }
        map.serialize_entry("displayName", name)?;
        map.serialize_entry("members", &members)?;
        if view.version == Version::V1 {
            map.serialize_entry("meta", &meta)?;
        }
        if page.is_some() {
            map.serialize_entry("totalResults", &all.len())?;
        }
        map.end()
    }
}
