//! The entries of a seed: people and groups under friendly keys.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{CREATED, SeedError};
use crate::slack::user::{Address, DEFAULT_TIMEZONE, Guest, Kind, User};
use crate::slack::world::{Group, World};
use crate::slack::{make_id, normalise_user_name};

/// A person, guest or bot of the seed; what is left out is unset.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SeedUser {
    /// Slack's id; made from the userName if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The userName; the only key that must be there.
    pub user_name: String,
    /// The primary e-mail.
    pub email: String,
    /// The secondary e-mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secondary_email: Option<String>,
    /// The parts of the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<SeedName>,
    /// The display name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Slack's primaryPhone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Slack's mobilePhone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mobile_phone: Option<String>,
    /// The photo's URL at Slack.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub photo: Option<String>,
    /// The postal address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// The role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The type of user, such as "Employee".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_type: Option<String>,
    /// The preferred language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_language: Option<String>,
    /// The locale.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// The time zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// A profile URL of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile_url: Option<String>,
    /// The employee number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub employee_number: Option<String>,
    /// The cost center.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_center: Option<String>,
    /// The organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// The division.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub division: Option<String>,
    /// The department.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// The manager, by userName, e-mail or id, before or after this user in the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manager: Option<String>,
    /// The start date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_date: Option<String>,
    /// The guest part: `{}` or `{"expires": …}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guest: Option<Guest>,
    /// `false` for a deactivated account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// What the account is.
    #[serde(skip_serializing_if = "Kind::is_member")]
    pub kind: Kind,
    /// When the account was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
}

/// The parts of a name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SeedName {
    /// First name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// Last name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    /// What goes before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub honorific_prefix: Option<String>,
}

/// A group of the seed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SeedGroup {
    /// Slack's id; made from the name if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The name; the only key that must be there.
    pub display_name: String,
    /// The members, by userName or id.
    pub members: Vec<String>,
    /// Made by Slack, so that SCIM cannot change it (S14).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub auto_generated: bool,
    /// Linked to channels, so that it cannot be deleted (S14).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub linked_to_channels: bool,
    /// When the group was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
}

impl SeedUser {
    pub(super) fn made_id(&self) -> String {
        self.id.clone().unwrap_or_else(|| make_id('U', &self.user_name, 0))
    }

    pub(super) fn user(&self, place: &str, ids: &HashMap<String, String>) -> Result<User, SeedError> {
        let stored = normalise_user_name(&self.user_name);
        if stored != self.user_name {
            return Err(SeedError::UserName {
                place: place.to_owned(),
                given: self.user_name.clone(),
                stored,
            });
        }
        if self.email.is_empty() {
            return Err(SeedError::Missing { place: place.to_owned(), key: "email" });
        }
        let manager = match &self.manager {
            None => None,
            Some(who) => {
                let found = ids.get(who).or_else(|| ids.get(&who.to_lowercase()));
                Some(
                    found
                        .cloned()
                        .ok_or_else(|| SeedError::Unknown { place: place.to_owned(), who: who.clone() })?,
                )
            }
        };
        let name = self.name.clone().unwrap_or_default();
        Ok(User {
            kind: self.kind,
            given_name: name.given_name.unwrap_or_default(),
            family_name: name.family_name.unwrap_or_default(),
            honorific_prefix: name.honorific_prefix,
            display_name: self.display_name.clone().unwrap_or_default(),
            profile_url: self.profile_url.clone(),
            title: self.title.clone().unwrap_or_default(),
            timezone: self.timezone.clone().unwrap_or_else(|| DEFAULT_TIMEZONE.to_owned()),
            active: self.active.unwrap_or(true),
            email: self.email.clone(),
            secondary_email: self.secondary_email.clone(),
            photo: self.photo.clone(),
            address: self.address.clone(),
            phone: self.phone.clone(),
            mobile_phone: self.mobile_phone.clone(),
            user_type: self.user_type.clone(),
            role: self.role.clone(),
            preferred_language: self.preferred_language.clone(),
            locale: self.locale.clone(),
            employee_number: self.employee_number.clone(),
            cost_center: self.cost_center.clone(),
            organization: self.organization.clone(),
            division: self.division.clone(),
            department: self.department.clone(),
            manager,
            start_date: self.start_date.clone(),
            guest: self.guest.clone(),
            ..User::blank(self.made_id(), self.user_name.clone(), self.created.unwrap_or(CREATED))
        })
    }

    pub(super) fn of(user: &User) -> Self {
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let name = SeedName {
            given_name: text(&user.given_name),
            family_name: text(&user.family_name),
            honorific_prefix: user.honorific_prefix.clone(),
        };
        Self {
            id: Some(user.id.clone()),
            user_name: user.user_name.clone(),
            email: user.email.clone(),
            secondary_email: user.secondary_email.clone(),
            name: Some(name).filter(|name| *name != SeedName::default()),
            display_name: text(&user.display_name),
            title: text(&user.title),
            phone: user.phone.clone(),
            mobile_phone: user.mobile_phone.clone(),
            photo: user.photo.clone(),
            address: user.address.clone(),
            role: user.role.clone(),
            user_type: user.user_type.clone(),
            preferred_language: user.preferred_language.clone(),
            locale: user.locale.clone(),
            timezone: text(&user.timezone).filter(|zone| zone != DEFAULT_TIMEZONE),
            profile_url: user.profile_url.clone(),
            employee_number: user.employee_number.clone(),
            cost_center: user.cost_center.clone(),
            organization: user.organization.clone(),
            division: user.division.clone(),
            department: user.department.clone(),
            manager: user.manager.clone(),
            start_date: user.start_date.clone(),
            guest: user.guest.clone(),
            // A deactivation under way is kept as done: the clock that it waits for stops with the process.
            active: (!user.active || user.deactivates.is_some()).then_some(false),
            kind: user.kind,
            created: Some(user.created),
        }
    }
}

impl SeedGroup {
    pub(super) fn of(group: &Group, world: &World) -> Self {
        let members = group.members.as_slice().iter().filter_map(|key| world.users.get(*key));
        Self {
            id: Some(group.id.clone()),
            display_name: group.display_name.clone(),
            members: members.map(|user| user.id.clone()).collect(),
            auto_generated: group.auto_generated,
            linked_to_channels: group.linked_to_channels,
            created: Some(group.created),
        }
    }
}
