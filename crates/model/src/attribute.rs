//! The table of attributes: one row for each thing that a roster may say of a user.
//!
//! A row is the only place that knows an attribute's roster key, its SCIM path, what kind of value it takes, how two
//! values compare after the service has had its way with one of them, whether it can be cleared, how long it may be,
//! and when it can be written.

use crate::names::same_folded;
use crate::time;
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// URN of the enterprise user extension (RFC 7643 §4.3).
pub const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// URN of Slack's guest extension (sheet S4).
pub const SLACK_GUEST: &str = "urn:ietf:params:scim:schemas:extension:slack:guest:2.0:User";
/// URN of Slack's profile extension (sheet S4).
pub const SLACK_PROFILE: &str = "urn:ietf:params:scim:schemas:extension:slack:profile:2.0:User";

/// How a service departs from RFC 7643 and 7644.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// Slack, as the fact sheet describes it.
    #[default]
    Slack,
    /// Any service that keeps to the RFCs.
    Rfc,
}

/// What kind of value an attribute takes in a roster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// One line of text.
    Text,
    /// A userName ([`crate::UserName`]).
    UserName,
    /// An e-mail address.
    Email,
    /// An `http`, `https` or `data` URL.
    Url,
    /// A calendar day or an RFC 3339 instant.
    StartDate,
    /// The end of a day in UTC, or an RFC 3339 instant.
    Expiry,
    /// The userName of somebody in the roster.
    Person,
    /// Yes or no.
    Flag,
}

/// Whether `null` in a roster can be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clearing {
    /// The service can be told to forget the value.
    Possible,
    /// It cannot; the text says why, for the diagnostic.
    Impossible(&'static str),
}

/// When an attribute can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writable {
    /// In the POST that creates and in any PATCH.
    Always,
    /// In the POST alone (sheet S11: `profileUrl` is not updatable by PATCH).
    OnCreation,
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The attribute.
    pub attribute: Attribute,
    /// Its key in a roster; a dot leads into a mapping (`name.givenName`).
    pub key: &'static str,
    /// Its SCIM path in RFC 7644 §3.5.2 notation. For the slots of a multi-valued attribute this is the attribute
    /// itself; which element is meant is the dialect's business.
    pub path: &'static str,
    /// What it takes.
    pub kind: ValueKind,
    /// Whether `null` is allowed.
    pub clearing: Clearing,
    /// When it can be written.
    pub writable: Writable,
    /// The most characters it may have, where Slack documents a limit.
    pub max_chars: Option<usize>,
    /// One sentence for the JSON Schema and the documentation.
    pub doc: &'static str,
}

macro_rules! attributes {
    ($($variant:ident $key:literal $path:expr, $kind:ident, $clearing:expr, $writable:ident, $max:expr, $doc:literal;)*) => {
        /// A thing that a roster may say of a user. The order is the order in which plans and requests list them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Attribute { $(#[doc = $doc] $variant,)* }

        /// All rows, in the order of [`Attribute`].
        pub const TABLE: &[Row] = &[$(Row {
            attribute: Attribute::$variant, key: $key, path: $path, kind: ValueKind::$kind, clearing: $clearing,
            writable: Writable::$writable, max_chars: $max, doc: $doc,
        },)*];
    };
}

const YES: Clearing = Clearing::Possible;
const fn no(why: &'static str) -> Clearing {
    Clearing::Impossible(why)
}

attributes! {
    Active "active" "active", Flag, no("an account is active or it is not"), Always, None,
        "Whether the account may sign in. A listed user is active unless this is `false`.";
    UserName "userName" "userName", UserName, no("every account has a userName"), Always, Some(21),
        "How the roster and Slack refer to the person: lower case, `a-z 0-9 . _ -`, at most 21 characters.";
    Email "email" "emails", Email, no("Slack refuses to remove the primary address"), Always, None,
        "The primary e-mail address.";
    SecondaryEmail "secondaryEmail" "emails", Email, YES, Always, None, "The second e-mail address.";
    GivenName "name.givenName" "name.givenName", Text, YES, Always, None, "Given name.";
    FamilyName "name.familyName" "name.familyName", Text, YES, Always, None, "Family name.";
    HonorificPrefix "name.honorificPrefix" "name.honorificPrefix", Text, YES, Always, None, "Title of address, such as Dr.";
    DisplayName "displayName" "displayName", Text, YES, Always, Some(80),
        "Display name, at most 80 characters. Many organisations lock it, so it is written at creation only unless the policy says `enforce`.";
    Title "title" "title", Text, YES, Always, None, "Job title.";
    Phone "phone" "phoneNumbers", Text, YES, Always, None, "Primary phone number.";
    MobilePhone "mobilePhone" "phoneNumbers", Text, YES, Always, None, "Mobile phone number.";
    Photo "photo" "photos", Url, YES, Always, None,
        "URL of the profile photo. Slack fetches and re-hosts it, so only its absence can be seen afterwards, not which one it is.";
    StreetAddress "address.streetAddress" "addresses", Text, YES, Always, None, "Street and house number.";
    Locality "address.locality" "addresses", Text, YES, Always, None, "City.";
    Region "address.region" "addresses", Text, YES, Always, None, "State or region.";
    PostalCode "address.postalCode" "addresses", Text, YES, Always, None, "Postal code.";
    Country "address.country" "addresses", Text, YES, Always, None, "Country.";
    Role "role" "roles", Text, YES, Always, None, "Role (a custom profile field at Slack).";
    UserType "userType" "userType", Text, YES, Always, None, "Kind of employment, such as Employee.";
    PreferredLanguage "preferredLanguage" "preferredLanguage", Text, YES, Always, None, "Preferred language, such as `en_US`.";
    Locale "locale" "locale", Text, YES, Always, None, "Locale, such as `en_US`.";
    Timezone "timezone" "timezone", Text, no("Slack always keeps a time zone"), Always, None,
        "Time zone by its IANA name, such as Europe/London.";
    ProfileUrl "profileUrl" "profileUrl", Url, no("Slack sets the profile URL at creation and never changes it"), OnCreation, None,
        "Profile URL; written when the account is created, never compared afterwards.";
    EmployeeNumber "employeeNumber" "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber", Text, YES, Always, None, "Employee number.";
    CostCenter "costCenter" "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:costCenter", Text, YES, Always, None, "Cost centre.";
    Organization "organization" "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:organization", Text, YES, Always, None, "Organisation.";
    Division "division" "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:division", Text, YES, Always, None, "Division.";
    Department "department" "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", Text, YES, Always, None, "Department.";
    Manager "manager" "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager", Person, YES, Always, None,
        "The manager, by a userName of this roster.";
    StartDate "startDate" "urn:ietf:params:scim:schemas:extension:slack:profile:2.0:User:startDate", StartDate, YES, Always, None,
        "First day of work: a calendar day, or an RFC 3339 instant.";
    Guest "guest" "urn:ietf:params:scim:schemas:extension:slack:guest:2.0:User", Flag, YES, Always, None,
        "A multi-channel guest (`{}` or `{ expires: … }`) or, with `null`, a full member.";
    GuestExpires "guest.expires" "urn:ietf:params:scim:schemas:extension:slack:guest:2.0:User:expiration", Expiry, YES, Always, None,
        "When the guest account ends: a bare day means its end in UTC; an RFC 3339 instant is taken as it is.";
}

impl Attribute {
    /// This attribute's row.
    pub const fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }

    /// Its roster key.
    pub const fn key(self) -> &'static str {
        self.row().key
    }

    /// The attribute with this roster key.
    pub fn from_key(key: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.key == key).map(|row| row.attribute)
    }

    /// Whether a service of this dialect knows the attribute: those of Slack's own extensions (sheet S4) exist at Slack
    /// alone.
    pub fn exists_in(self, dialect: Dialect) -> bool {
        let path = self.row().path;
        dialect == Dialect::Slack || !(path.starts_with(SLACK_GUEST) || path.starts_with(SLACK_PROFILE))
    }

    /// All attributes, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.attribute)
    }
}

/// A value that a roster wants an attribute to have. People are named by `P`: an index while the roster is read, a
/// reference to an account once it has been matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<P> {
    /// Text of any kind; a userName is already folded.
    Text(SmolStr),
    /// A calendar day.
    Day(Date),
    /// A point in time.
    Instant(Timestamp),
    /// Yes or no.
    Flag(bool),
    /// A person.
    Person(P),
}

/// Whether the service, holding `live`, already has what `want` asks for, once what the service does to a value on
/// its way in is allowed for. `live` is `None`, empty or blank when nothing is set (sheet S5: all three are the same).
///
/// [`Value::Person`] and [`Value::Flag`] cannot be judged from text; they are the differ's business and are `false` here.
pub fn same<P>(attribute: Attribute, want: &Value<P>, live: Option<&str>, dialect: Dialect) -> bool {
    let live = live.map(str::trim).unwrap_or_default();
    match want {
        Value::Text(want) => same_text(attribute, want, live, dialect),
        Value::Day(day) => time::parse_instant(live).is_some_and(|at| at.is_day(*day)),
        Value::Instant(instant) => time::parse_instant(live).is_some_and(|at| at.timestamp == *instant),
        Value::Flag(_) | Value::Person(_) => false,
    }
}

/// [`same`] for a text; nothing set is the empty text.
pub fn same_text(attribute: Attribute, want: &str, live: &str, dialect: Dialect) -> bool {
    if want == live && attribute != Attribute::Photo {
        return true;
    }
    let (want, live) = (want.trim(), live.trim());
    match attribute {
        Attribute::UserName | Attribute::Email | Attribute::SecondaryEmail | Attribute::Timezone => {
            same_folded(want, live)
        }
        // Sheet S6: Slack answers with the URL of its own copy, so any picture but the default one may be ours.
        Attribute::Photo if dialect == Dialect::Slack => {
            if want.is_empty() {
                !has_photo(live)
            } else {
                has_photo(live)
            }
        }
        _ => want == live,
    }
}

/// Whether `live` is cleared already. Slack shows a gravatar for no photo (sheet S6).
pub fn is_clear(attribute: Attribute, live: Option<&str>, dialect: Dialect) -> bool {
    let live = live.map(str::trim).unwrap_or_default();
    match attribute {
        Attribute::Photo if dialect == Dialect::Slack => !has_photo(live),
        _ => live.is_empty(),
    }
}

/// Whether a photo URL that Slack returned is somebody's picture rather than the default one (sheet S6).
fn has_photo(live: &str) -> bool {
    !live.is_empty() && !live.contains("gravatar.com/avatar/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(s: &str) -> Value<()> {
        Value::Text(s.into())
    }

    #[test]
    fn the_table_is_in_the_order_of_the_enum_and_keys_are_unique() {
        for (i, row) in TABLE.iter().enumerate() {
            assert_eq!(row.attribute as usize, i);
            assert_eq!(Attribute::from_key(row.key), Some(row.attribute));
        }
    }

    #[test]
    fn empty_blank_and_missing_are_one() {
        for live in [None, Some(""), Some(" ")] {
            assert!(is_clear(Attribute::Title, live, Dialect::Slack));
            assert!(same(Attribute::Title, &text(" "), live, Dialect::Slack));
        }
    }

    #[test]
    fn letter_case_does_not_matter_in_names_and_addresses_but_in_titles() {
        assert!(same(Attribute::Email, &text("Ada@Acme.example"), Some("ada@acme.example"), Dialect::Slack));
        assert!(same(Attribute::UserName, &text("ada"), Some("Ada"), Dialect::Rfc));
        assert!(!same(Attribute::Title, &text("cto"), Some("CTO"), Dialect::Slack));
    }

    #[test]
    fn a_day_is_the_day_whatever_zone_it_comes_back_in() {
        let day = Value::<()>::Day(jiff::civil::date(2024, 4, 10));
        for live in [
            "2024-04-10T00:00:00+0000",
            "2024-04-10T00:00:00Z",
            "2024-04-09T17:00:00-07:00",
            "2024-04-10T00:00:00-07:00",
        ] {
            assert!(same(Attribute::StartDate, &day, Some(live), Dialect::Slack), "{live}");
        }
        assert!(!same(Attribute::StartDate, &day, Some("2024-04-11T00:00:00Z"), Dialect::Slack));
        assert!(!same(Attribute::StartDate, &day, None, Dialect::Slack));
    }

    #[test]
    fn slacks_copy_of_a_photo_counts_as_the_photo_and_a_gravatar_as_none() {
        let want = text("https://acme.example/ada.png");
        let gravatar = Some("https://secure.gravatar.com/avatar/00.jpg?s=192");
        assert!(!same(Attribute::Photo, &want, gravatar, Dialect::Slack));
        assert!(is_clear(Attribute::Photo, gravatar, Dialect::Slack));
        assert!(same(Attribute::Photo, &want, Some("https://avatars.example/1.png"), Dialect::Slack));
        assert!(!same(Attribute::Photo, &want, Some("https://avatars.example/1.png"), Dialect::Rfc));
    }
}
