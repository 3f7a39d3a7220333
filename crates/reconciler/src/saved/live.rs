//! What is there now, looked up by the names that a saved plan uses, and compared with what it wants.

use model::attribute::{self, Attribute, Dialect, Value, ValueKind};
use model::change::UserRef;
use model::directory::{Directory, Group, User};
use model::names::{GroupId, UserId, UserName, fold};
use model::time;
use std::collections::HashMap;

/// A directory with the indices that a saved plan needs.
pub(super) struct Live<'a> {
    pub(super) directory: &'a Directory,
    user_names: HashMap<String, &'a User>,
    /// Accounts by every address they hold.
    addresses: HashMap<String, &'a User>,
    groups: HashMap<&'a GroupId, &'a Group>,
    group_names: HashMap<String, &'a Group>,
}

impl<'a> Live<'a> {
    pub(super) fn new(directory: &'a Directory) -> Self {
        let mut user_names = HashMap::with_capacity(directory.users.len());
        let mut addresses = HashMap::with_capacity(directory.users.len());
        for user in &directory.users {
            user_names.insert(fold(user.user_name()), user);
            for slot in [Attribute::SecondaryEmail, Attribute::Email] {
                if let Some(address) = user.get(slot) {
                    addresses.insert(fold(address), user);
                }
            }
        }
        let groups = directory.groups.iter().map(|group| (&group.id, group)).collect();
        let group_names = directory.groups.iter().map(|group| (fold(&group.display_name), group)).collect();
        Self { directory, user_names, addresses, groups, group_names }
    }

    pub(super) fn user(&self, id: &UserId) -> Option<&'a User> {
        self.directory.user(self.directory.find(id)?)
    }

    /// Who bears this userName.
    pub(super) fn bearer(&self, name: &UserName) -> Option<&'a User> {
        self.user_names.get(name.as_str()).copied()
    }

    /// Who holds a userName or an address, whichever the attribute is about.
    pub(super) fn holder(&self, attribute: Attribute, value: &str) -> Option<&'a User> {
        match attribute {
            Attribute::UserName => self.user_names.get(&fold(value)).copied(),
            Attribute::Email | Attribute::SecondaryEmail => self.addresses.get(&fold(value)).copied(),
            _ => None,
        }
    }

    pub(super) fn group(&self, id: &GroupId) -> Option<&'a Group> {
        self.groups.get(id).copied()
    }

    pub(super) fn group_named(&self, name: &str) -> Option<&'a Group> {
        self.group_names.get(&fold(name)).copied()
    }

    /// Whether an account is a member of a group.
    pub(super) fn is_member(&self, group: &Group, user: &UserId) -> bool {
        self.directory.find(user).is_some_and(|index| group.members.binary_search(&index).is_ok())
    }

    /// Whether an account has what a plan wants it to have. `refer` finds the account that a reference means.
    pub(super) fn has(
        &self,
        user: &User,
        attribute: Attribute,
        wanted: Option<&Value<UserRef>>,
        refer: impl Fn(&UserRef) -> Option<&'a User>,
    ) -> bool {
        let dialect = self.directory.dialect;
        let live = user.get(attribute);
        match wanted {
            Some(Value::Flag(flag)) if attribute == Attribute::Active => user.active == *flag,
            Some(Value::Flag(flag)) => user.guest == *flag,
            Some(Value::Person(person)) => {
                refer(person).zip(live).is_some_and(|(manager, live)| manager.is_meant_by(live))
            }
            Some(Value::Text(text)) => has_text(attribute, text, live, dialect),
            Some(value) => attribute::same(attribute, value, live, dialect),
            None => {
                // Slack fills an unset displayName with the userName (sheet S6), so that is as clear as it gets.
                let filled = dialect == Dialect::Slack
                    && attribute == Attribute::DisplayName
                    && live.is_some_and(|live| fold(live) == fold(user.user_name()));
                filled || attribute::is_clear(attribute, live, dialect)
            }
        }
    }
}

/// Dates stand in a plan as the text that is sent. One that is a midnight in UTC may have been meant as a day.
fn has_text(attribute: Attribute, text: &str, live: Option<&str>, dialect: Dialect) -> bool {
    let kind = attribute.row().kind;
    if !matches!(kind, ValueKind::StartDate | ValueKind::Expiry) {
        return attribute::same(attribute, &Value::<UserRef>::Text(text.into()), live, dialect);
    }
    let (Some(wanted), Some(live)) = (time::parse_instant(text), live.and_then(time::parse_instant)) else {
        return live.is_some_and(|live| live.trim() == text.trim());
    };
    let utc = jiff::tz::Offset::UTC.to_datetime(wanted.timestamp);
    let is_day = kind == ValueKind::StartDate && utc.time() == jiff::civil::Time::midnight();
    wanted.timestamp == live.timestamp || (is_day && live.is_day(utc.date()))
}

/// What an account has now, in the words of a plan's `before`.
pub(super) fn value(user: &User, attribute: Attribute) -> Option<Box<str>> {
    match attribute {
        Attribute::Active => Some(user.active.to_string().into()),
        Attribute::Guest => Some(user.guest.to_string().into()),
        _ => user.get(attribute).map(Into::into),
    }
}

/// Whether two values as a plan states them are one: blank is nothing, letter case does not matter in names and
/// addresses, nor the zone in points of time.
pub(super) fn same(attribute: Attribute, a: Option<&str>, b: Option<&str>) -> bool {
    let (a, b) = (a.map(str::trim).unwrap_or_default(), b.map(str::trim).unwrap_or_default());
    match attribute.row().kind {
        ValueKind::UserName | ValueKind::Email => fold(a) == fold(b),
        ValueKind::StartDate | ValueKind::Expiry => {
            let instant = |text| time::parse_instant(text).map(|written| written.timestamp);
            a == b || instant(a).is_some_and(|at| instant(b) == Some(at))
        }
        ValueKind::Text | ValueKind::Url | ValueKind::Person | ValueKind::Flag => a == b,
    }
}

/// Whether a value is what a service may give a new account by itself: nothing, no guest, or the default of an
/// attribute that Slack fills in (sheet S6, S10).
pub(super) fn is_initial(attribute: Attribute, live: Option<&str>) -> bool {
    let live = live.map(str::trim).unwrap_or_default();
    let filled_in = matches!(
        attribute,
        Attribute::DisplayName
            | Attribute::Photo
            | Attribute::PreferredLanguage
            | Attribute::Locale
            | Attribute::Timezone
    );
    filled_in || live.is_empty() || (attribute == Attribute::Guest && live == "false")
}
