//! Writing an attribute into a draft of a user: what POST, PUT and both kinds of PATCH have in common (S6).

use serde_json::{Map, Value};

use super::names::{gravatar, has_emoji, is_date, looks_like_olson};
use super::slots::{elements, primary_place, text_of};
use super::user::{Address, Channel, Guest, User};
use super::world::World;
use super::{emails, phones};
use crate::errors::{Answered, Refusal, Version};
use crate::scim::matching::member;
use crate::switches::{BadProfile, DisplayName, Form, Heed, Plan, Switches, TimezoneCheck};
use crate::table::Key;

/// The request that writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// POST.
    Create,
    /// PUT.
    Replace,
    /// PATCH.
    Update,
}

/// What is to become of the photo, some time after the answer (S6: "asynchronous").
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PhotoChange {
    /// Nothing.
    Keep,
    /// The gravatar comes back.
    Clear,
    /// The picture behind this URL is fetched and hosted.
    Host(String),
}

/// A user being written, not yet stored.
pub(crate) struct Draft<'a> {
    pub world: &'a World,
    pub switches: &'a Switches,
    pub version: Version,
    pub phase: Phase,
    /// The user that is being changed; `None` for a new one.
    pub key: Option<Key>,
    pub user: User,
    /// What was asked of `active`, `userName` and `nickName`: decided when the whole request has been read.
    pub active: Option<bool>,
    pub user_name: Option<String>,
    pub nick_name: Option<String>,
    pub photo: PhotoChange,
    /// The guest part was written: of a deactivated user that is a reactivation (S11).
    pub guest_written: bool,
    /// The profile was invalid, and all of it will be dropped (S17).
    pub profile_dropped: bool,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(
        world: &'a World,
        switches: &'a Switches,
        version: Version,
        phase: Phase,
        key: Option<Key>,
        user: User,
    ) -> Self {
        Self {
            world,
            switches,
            version,
            phase,
            key,
            user,
            active: None,
            user_name: None,
            nick_name: None,
            photo: PhotoChange::Keep,
            guest_written: false,
            profile_dropped: false,
        }
    }

    /// Writes every attribute of a resource.
    pub(crate) fn set_all(&mut self, body: &Map<String, Value>) -> Answered<()> {
        body.iter().try_for_each(|(name, value)| self.set(name, value))
    }

    /// Writes one attribute, named as in a resource.
    pub(crate) fn set(&mut self, name: &str, value: &Value) -> Answered<()> {
        let urns = self.version.urns();
        let is = |urn: &str| name.eq_ignore_ascii_case(urn);
        if is(urns.enterprise) {
            return self.set_enterprise(object(value)?);
        }
        if is(urns.profile) {
            let start_date = object(value)?;
            return member(start_date, "startDate").map_or(Ok(()), |date| self.set_start_date(date));
        }
        if is(urns.guest) {
            return self.set_guest(value);
        }
        match name.to_ascii_lowercase().as_str() {
            // S6: externalId "not stored", groups read only; id in a PUT "is fine" (S10).
            "schemas" | "id" | "meta" | "groups" | "externalid" => {}
            "username" => self.user_name = Some(plain(value)?),
            "nickname" => self.nick_name = Some(plain(value)?),
            "displayname" => self.set_display_name(value)?,
            "title" => self.user.title = self.custom(value)?.unwrap_or_default(),
            "timezone" => self.set_timezone(value)?,
            "usertype" => self.user.user_type = self.custom(value)?,
            "preferredlanguage" => self.user.preferred_language = self.custom(value)?,
            "locale" => self.user.locale = self.custom(value)?,
            // S6: "echoed if POSTed"; PATCH "cannot change it"; on PUT it follows the userName.
            "profileurl" if self.phase == Phase::Create => {
                self.user.profile_url = Some(plain(value)?).filter(|url| !url.is_empty());
            }
            // S6: "only to set the first password … later change → `password_change_not_allowed`".
            "password" if self.phase == Phase::Update => {
                return Err(Refusal::code("password_change_not_allowed"));
            }
            "active" => self.active = Some(self.boolean(value)?),
            "name" => self.set_name(object(value)?)?,
            "emails" => emails::set(&mut self.user, value)?,
            "phonenumbers" => phones::set(&mut self.user, value)?,
            "photos" => self.set_photo(value)?,
            "addresses" | "address" => self.set_address(value)?,
            "roles" => self.set_role(value)?,
            // The schema in front of everything it defines: another way to write the same.
            _ if is(urns.user) => self.set_all(&object(value)?.clone())?,
            // Other attributes of the RFC are not in Slack's schema (S4); an unknown name in a path is another matter.
            _ => {}
        }
        Ok(())
    }

    /// A text that is `None` when empty, in a custom profile field: what is wrong with it may cost a new user the whole
    /// profile.
    pub(crate) fn custom(&mut self, value: &Value) -> Answered<Option<String>> {
        let limit = self.switches.text_limit;
        let checked = plain(value).and_then(|text| {
            if limit > 0 && text.chars().count() > limit {
                Err(Refusal::code("invalid_name_maxlength"))
            } else {
                Ok(text)
            }
        });
        match checked {
            Ok(text) => Ok(Some(text).filter(|text| !text.is_empty())),
            Err(refusal) => self.profile_fault(refusal).map(|()| None),
        }
    }

    /// S17: "bad custom-profile data on create drops all profile fields".
    fn profile_fault(&mut self, refusal: Refusal) -> Answered<()> {
        if self.phase == Phase::Create && self.switches.bad_profile_on_create == BadProfile::Drops {
            self.profile_dropped = true;
            return Ok(());
        }
        Err(refusal)
    }

    /// A boolean; Entra sends the strings "True" and "False".
    fn boolean(&self, value: &Value) -> Answered<bool> {
        match value {
            Value::Bool(value) => Ok(*value),
            Value::String(text) if self.switches.active_as_string == Form::Accepted => {
                match text.to_ascii_lowercase().as_str() {
                    "true" => Ok(true),
                    "false" => Ok(false),
                    _ => Err(Refusal::code("invalid_attribute_format")),
                }
            }
            _ => Err(Refusal::code("invalid_attribute_format")),
        }
    }

    fn set_display_name(&mut self, value: &Value) -> Answered<()> {
        let name = plain(value)?;
        if self.phase != Phase::Create
            && self.switches.display_name == DisplayName::Locked
            && name != self.user.display_name
        {
            return Err(Refusal::code("invalid_display_name"));
        }
        if name.starts_with('@') {
            return Err(Refusal::code("invalid_starts_with_at"));
        }
        if name.contains('@') {
            return Err(Refusal::code("invalid_name_specials"));
        }
        // S6: "max 80 (`invalid_name_maxlength`)".
        if name.chars().count() > 80 {
            return Err(Refusal::code("invalid_name_maxlength"));
        }
        self.user.display_name = name;
        Ok(())
    }

    fn set_timezone(&mut self, value: &Value) -> Answered<()> {
        let zone = plain(value)?;
        if self.switches.timezone_check == TimezoneCheck::Olson
            && !zone.is_empty()
            && !looks_like_olson(&zone)
        {
            return Err(Refusal::code("invalid_attribute_format"));
        }
        self.user.timezone = if zone.is_empty() { super::user::DEFAULT_TIMEZONE.to_owned() } else { zone };
        Ok(())
    }

    /// Writes the given parts of the name; the others stay.
    pub(crate) fn set_name(&mut self, name: &Map<String, Value>) -> Answered<()> {
        let limit = self.switches.text_limit;
        let part = |given: Option<&Value>| {
            let text = given.map(plain).transpose()?;
            match text {
                Some(text) if limit > 0 && text.chars().count() > limit => {
                    Err(Refusal::code("invalid_name_maxlength"))
                }
                text => Ok(text),
            }
        };
        let given = part(member(name, "givenName"))?;
        let family = part(member(name, "familyName"))?;
        if let Some(prefix) = member(name, "honorificPrefix") {
            self.user.honorific_prefix = self.custom(prefix)?;
        }
        let written = given.is_some() || family.is_some();
        self.user.given_name = given.unwrap_or_else(|| self.user.given_name.clone());
        self.user.family_name = family.unwrap_or_else(|| self.user.family_name.clone());
        // S6: "Both blank-only → `invalid_name_required`".
        if written && self.user.given_name.is_empty() && self.user.family_name.is_empty() {
            return Err(Refusal::code("invalid_name_required"));
        }
        Ok(())
    }

    /// Writes the given parts of the enterprise extension; the others stay (S11: "merge of the given sub-attributes").
    pub(crate) fn set_enterprise(&mut self, extension: &Map<String, Value>) -> Answered<()> {
        for (name, value) in extension {
            match name.to_ascii_lowercase().as_str() {
                "employeenumber" => self.user.employee_number = self.custom(value)?,
                "costcenter" => self.user.cost_center = self.custom(value)?,
                "organization" => self.user.organization = self.custom(value)?,
                "division" => self.user.division = self.custom(value)?,
                "department" => self.user.department = self.custom(value)?,
                "manager" => self.set_manager(value)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// S6: "Accepts a Slack id, a primary e-mail or a userName, mixed freely; if `manager` is present managerId must be".
    pub(crate) fn set_manager(&mut self, value: &Value) -> Answered<()> {
        let given = match value {
            Value::Null => None,
            Value::Object(manager) => Some(
                member(manager, "managerId")
                    .ok_or_else(|| Refusal::code("improper_enterprise_schema_format"))?,
            ),
            _ => return Err(Refusal::code("improper_enterprise_schema_format")),
        };
        let named = given.map(plain).transpose()?.filter(|text| !text.is_empty());
        self.user.manager = match named {
            None => None,
            Some(named) => {
                if let Some(id) = self.find_manager(&named) {
                    Some(id)
                } else {
                    self.profile_fault(Refusal::code("unknown_user").with("(manager)"))?;
                    None
                }
            }
        };
        Ok(())
    }

    fn find_manager(&self, named: &str) -> Option<String> {
        let by_email = || {
            let holder = self.world.email_holder(named, None)?;
            self.world.users.get(holder).filter(|user| user.email.eq_ignore_ascii_case(named)).map(|_| holder)
        };
        let key = self.world.users.key(named).or_else(by_email).or_else(|| self.world.by_user_name(named))?;
        self.world.users.get(key).map(|user| user.id.clone())
    }

    pub(crate) fn set_start_date(&mut self, value: &Value) -> Answered<()> {
        match self.custom(value)? {
            Some(date) if !is_date(&date) => self.profile_fault(Refusal::code("invalid_attribute_format")),
            date => {
                self.user.start_date = date;
                Ok(())
            }
        }
    }

    /// Makes the user a guest, or changes what kind of guest (S6, S11).
    pub(crate) fn set_guest(&mut self, value: &Value) -> Answered<()> {
        let guest = object(value)?;
        if self.switches.plan != Plan::Enterprise {
            return Err(Refusal::forbidden("cannot_make_user_guest", self.switches));
        }
        // S6: "`type` mandatory and only `"multi"`". Of somebody who is a guest already it is known.
        match member(guest, "type").map(plain).transpose()?.as_deref() {
            Some("multi") => {}
            None if self.user.guest.is_some() && self.phase == Phase::Update => {}
            _ => return Err(Refusal::code("invalid_attribute_format")),
        }
        let mut new = self.user.guest.take().unwrap_or_default();
        if let Some(expiration) = member(guest, "expiration") {
            new.expiration = Some(plain(expiration)?).filter(|text| !text.is_empty());
            if new.expiration.as_ref().is_some_and(|text| !is_date(text)) {
                return Err(Refusal::code("invalid_attribute_format"));
            }
        }
        if let (Heed::Honoured, Some(channels)) = (self.switches.guest_channels, member(guest, "channels")) {
            new.channels = channels_of(channels)?;
        }
        self.user.guest = Some(new);
        self.guest_written = true;
        Ok(())
    }

    /// Turns a guest into a full member (S11).
    pub(crate) fn clear_guest(&mut self) {
        self.user.guest = None;
        self.guest_written = true;
    }

    /// S6: "one kept; http(s) URL or `data:` URL; asynchronous".
    pub(crate) fn set_photo(&mut self, value: &Value) -> Answered<()> {
        let found = elements(value, true, "photos_invalid")?;
        let url = match found.get(primary_place(&found)) {
            Some(element) => text_of(element, "value", "photos_invalid")?,
            None => None,
        };
        if url
            .as_ref()
            .is_some_and(|url| !["http://", "https://", "data:"].iter().any(|scheme| url.starts_with(scheme)))
        {
            return Err(Refusal::code("photos_invalid"));
        }
        // Sending back what was read changes nothing: it is hosted already.
        let old = self.key.and_then(|key| self.world.users.get(key)).unwrap_or(&self.user);
        let hosted = old.photo.clone();
        let shown = hosted.clone().unwrap_or_else(|| gravatar(&old.email));
        self.photo = match url {
            Some(url) if url == shown => {
                self.user.photo = hosted;
                PhotoChange::Keep
            }
            Some(url) => PhotoChange::Host(url),
            None => PhotoChange::Clear,
        };
        Ok(())
    }

    /// S6: "one kept: `primary:true`, else decided by `type`, else the first; five sub-attributes".
    pub(crate) fn set_address(&mut self, value: &Value) -> Answered<()> {
        let found = elements(value, false, "addresses_invalid")?;
        let Some(element) = found.get(primary_place(&found)) else {
            self.user.address = None;
            return Ok(());
        };
        let mut part = |name: &str| match member(element, name) {
            Some(Value::Object(_) | Value::Array(_)) => Err(Refusal::code("addresses_invalid")),
            Some(value) => self.custom(value),
            None => Ok(None),
        };
        let address = Address {
            street_address: part("streetAddress")?,
            locality: part("locality")?,
            region: part("region")?,
            postal_code: part("postalCode")?,
            country: part("country")?,
        };
        self.user.address = Some(address).filter(|address| *address != Address::default());
        Ok(())
    }

    /// S6: "one kept; objects or bare strings accepted".
    pub(crate) fn set_role(&mut self, value: &Value) -> Answered<()> {
        let found = elements(value, true, "roles_invalid")?;
        self.user.role = match found.get(primary_place(&found)).and_then(|element| member(element, "value")) {
            Some(value) => self.custom(value)?,
            None => None,
        };
        Ok(())
    }
}

/// A text that may be empty.
fn plain(value: &Value) -> Answered<String> {
    let text = match value {
        Value::Null => String::new(),
        // A value of `" "` clears the field (S12).
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return Err(Refusal::code("invalid_attribute_format")),
    };
    if has_emoji(&text) { Err(Refusal::code("invalid_emoji_not_allowed")) } else { Ok(text) }
}

fn channels_of(value: &Value) -> Answered<Vec<Channel>> {
    let mut channels = Vec::new();
    for element in elements(value, true, "invalid_attribute_format")? {
        let id = text_of(&element, "value", "invalid_attribute_format")?;
        channels.extend(id.map(|id| Channel { name: id.to_lowercase(), id }));
    }
    Ok(channels)
}

/// S16: `invalid_attribute_format` is about single and multiple values.
fn object(value: &Value) -> Answered<&Map<String, Value>> {
    value.as_object().ok_or_else(|| Refusal::code("invalid_attribute_format"))
}

impl Guest {
    /// A guest from the seed or an edit.
    pub fn until(expiration: Option<String>) -> Self {
        Self { expiration, channels: Vec::new() }
    }
}
