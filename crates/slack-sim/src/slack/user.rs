//! What Slack keeps of a person.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// What an account is, which decides who may act on it (S13).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// A person without further rights; a guest is a member with a `guest` part.
    #[default]
    Member,
    /// A bot: listed among the users, never deactivated by SCIM (S5).
    Bot,
    /// A person forgotten under the GDPR: nothing may be changed any more.
    Gdpr,
    /// An admin.
    Admin,
    /// An owner.
    Owner,
    /// The primary owner, whom nobody can deactivate.
    PrimaryOwner,
}

impl Kind {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
    pub(crate) fn is_member(&self) -> bool {
        *self == Self::Member
    }
}

/// The one postal address that Slack keeps (S6).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Address {
    /// Street and house number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub street_address: Option<String>,
    /// City.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locality: Option<String>,
    /// State or region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Zip code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// Country.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

/// What makes an account a multi-channel guest (S6).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Guest {
    /// When the account expires, as it was written.
    #[serde(default, rename = "expires", skip_serializing_if = "Option::is_none")]
    pub expiration: Option<String>,
    /// The channels the guest is in: id and name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<Channel>,
}

/// A channel of a guest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Channel {
    /// The channel's id, `C…`.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// A person, guest or bot. An unset text is empty or `None` after the manner in which Slack shows it: `""` or `null` (S5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Slack's id, `U…` or `W…`.
    pub id: String,
    /// `meta.created`.
    pub created: Timestamp,
    /// What the account is.
    pub kind: Kind,
    /// `userName`, and `nickName` with it (S6: "changing either changes both").
    pub user_name: String,
    /// `name.givenName`.
    pub given_name: String,
    /// `name.familyName`.
    pub family_name: String,
    /// `name.honorificPrefix`.
    pub honorific_prefix: Option<String>,
    /// `displayName`.
    pub display_name: String,
    /// `profileUrl` if one was posted; else it is made of org and userName.
    pub profile_url: Option<String>,
    /// `title`.
    pub title: String,
    /// `timezone`.
    pub timezone: String,
    /// `active`.
    pub active: bool,
    /// The primary e-mail.
    pub email: String,
    /// The secondary e-mail.
    pub secondary_email: Option<String>,
    /// The photo's URL at Slack; `None` is the gravatar.
    pub photo: Option<String>,
    /// The one of `addresses`.
    pub address: Option<Address>,
    /// Slack's primaryPhone.
    pub phone: Option<String>,
    /// Slack's mobilePhone.
    pub mobile_phone: Option<String>,
    /// `userType`.
    pub user_type: Option<String>,
    /// The one of `roles`.
    pub role: Option<String>,
    /// `preferredLanguage`.
    pub preferred_language: Option<String>,
    /// `locale`.
    pub locale: Option<String>,
    /// Enterprise `employeeNumber`.
    pub employee_number: Option<String>,
    /// Enterprise `costCenter`.
    pub cost_center: Option<String>,
    /// Enterprise `organization`.
    pub organization: Option<String>,
    /// Enterprise `division`.
    pub division: Option<String>,
    /// Enterprise `department`.
    pub department: Option<String>,
    /// Enterprise `manager.managerId`: an id.
    pub manager: Option<String>,
    /// Profile `startDate`, as it was written.
    pub start_date: Option<String>,
    /// The guest part; `None` for a full member.
    pub guest: Option<Guest>,
    /// When a deactivation under way will show (S13).
    pub(crate) deactivates: Option<Instant>,
}

/// S6: "default `America/Los_Angeles`".
pub(crate) const DEFAULT_TIMEZONE: &str = "America/Los_Angeles";

impl User {
    /// An active member with nothing but id and name.
    pub(crate) fn blank(id: String, user_name: String, created: Timestamp) -> Self {
        Self {
            id,
            created,
            kind: Kind::Member,
            user_name,
            given_name: String::new(),
            family_name: String::new(),
            honorific_prefix: None,
            display_name: String::new(),
            profile_url: None,
            title: String::new(),
            timezone: DEFAULT_TIMEZONE.to_owned(),
            active: true,
            email: String::new(),
            secondary_email: None,
            photo: None,
            address: None,
            phone: None,
            mobile_phone: None,
            user_type: None,
            role: None,
            preferred_language: None,
            locale: None,
            employee_number: None,
            cost_center: None,
            organization: None,
            division: None,
            department: None,
            manager: None,
            start_date: None,
            guest: None,
            deactivates: None,
        }
    }

    /// Clears the custom profile fields (S6 lists them): what a creation with bad profile data loses, and what PUT
    /// begins with.
    pub(crate) fn clear_profile(&mut self) {
        self.honorific_prefix = None;
        self.title.clear();
        self.address = None;
        self.phone = None;
        self.mobile_phone = None;
        self.user_type = None;
        self.role = None;
        self.preferred_language = None;
        self.locale = None;
        self.employee_number = None;
        self.cost_center = None;
        self.organization = None;
        self.division = None;
        self.department = None;
        self.manager = None;
        self.start_date = None;
    }

    /// Whether a custom profile field holds anything, so that Slack must have created such fields.
    pub(crate) fn has_profile(&self) -> bool {
        self.address.is_some()
            || [
                &self.honorific_prefix,
                &self.phone,
                &self.mobile_phone,
                &self.user_type,
                &self.role,
                &self.preferred_language,
                &self.locale,
                &self.employee_number,
                &self.cost_center,
                &self.organization,
                &self.division,
                &self.department,
                &self.manager,
                &self.start_date,
            ]
            .iter()
            .any(|field| field.is_some())
    }

    /// The person's name as groups show it: the full name, else the display name, else the userName.
    pub fn full_name(&self) -> String {
        let name = format!("{} {}", self.given_name, self.family_name);
        match (name.trim(), self.display_name.as_str()) {
            ("", "") => self.user_name.clone(),
            ("", display) => display.to_owned(),
            (name, _) => name.to_owned(),
        }
    }
}
