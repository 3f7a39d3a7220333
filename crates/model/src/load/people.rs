//! The `users` of a file, and the `defaults` that fill them up.

use super::codes;
use super::fields::Fields;
use super::findings::{Findings, Quoted, quote};
use super::names::{NameId, Names};
use super::node::{Budget, Node, text_weight};
use super::scalars;
use crate::attribute::{Attribute, Clearing, Row, TABLE, Value, ValueKind};
use crate::place::{Located, Place};
use crate::roster::{Setting, UserEntry, Wish};
use crate::{UserId, UserName};
use std::sync::LazyLock;

/// The keys of a user: the first step of every row's key, and what is no attribute.
pub(super) const USER_KEYS: &[&str] = &[
    "userName",
    "email",
    "secondaryEmail",
    "id",
    "managed",
    "active",
    "name",
    "displayName",
    "title",
    "phone",
    "mobilePhone",
    "photo",
    "address",
    "role",
    "userType",
    "preferredLanguage",
    "locale",
    "timezone",
    "profileUrl",
    "employeeNumber",
    "costCenter",
    "organization",
    "division",
    "department",
    "manager",
    "startDate",
    "guest",
];

/// What `defaults` may not say, because it is one person's own.
pub(crate) const PERSONAL_KEYS: &[&str] = &[
    "userName",
    "email",
    "secondaryEmail",
    "id",
    "managed",
    "name",
    "displayName",
    "phone",
    "mobilePhone",
    "photo",
    "profileUrl",
    "employeeNumber",
];

/// All that an unmanaged entry can say.
pub(super) const UNMANAGED_KEYS: &[&str] = &["userName", "email", "id", "managed"];

/// A person whose manager is a name still.
pub(super) struct Draft {
    pub(super) entry: UserEntry,
    /// The userName, among the names that members and managers are referred to by.
    pub(super) name: NameId,
    pub(super) manager: Option<Located<NameId>>,
    says_active: bool,
    says_guest: bool,
}

/// A person who could not be understood far enough to be referred to.
pub(super) enum Lost {
    /// The entry names nobody, so that any reference may have meant it.
    Anybody,
    /// The entry's userName is not allowed; references to it are not reported as well.
    Named(String),
}

/// What a mapping of attributes says.
#[derive(Default)]
pub(super) struct Said {
    settings: Vec<Setting>,
    manager: Option<Located<NameId>>,
    active: Option<Located<bool>>,
    guest: bool,
}

/// One entry of `users`.
pub(super) fn user(node: &Node<'_>, names: &mut Names, findings: &mut Findings) -> Result<Draft, Lost> {
    let fields = Fields::read(node, "a user", USER_KEYS, findings).ok_or(Lost::Anybody)?;
    let managed = match fields.node("managed") {
        Some(node) => scalars::flag(node, "`managed`", findings).unwrap_or(true),
        None => true,
    };
    let user_name = match fields.required("userName", "a user", findings) {
        Some(node) => {
            identity_text(node, "userName", findings).map(|text| scalars::user_name(text, findings))
        }
        None => None,
    };
    let email = fields
        .required("email", "a user", findings)
        .and_then(|node| identity_text(node, "email", findings))
        .and_then(|text| scalars::email(text, findings).map(|email| Located::new(email, text.place)));
    let id = fields.node("id").and_then(|node| scalars::id(node, findings)).map(|id| id.map(UserId::new));
    let said = if managed {
        attributes(&fields, names, findings)
    } else {
        refuse_unwritten(&fields, findings);
        Said::default()
    };
    let user_name: Located<UserName> = match user_name {
        None => return Err(Lost::Anybody),
        Some(Err(text)) => return Err(Lost::Named(crate::names::fold(text))),
        Some(Ok(name)) => name,
    };
    let Some(email) = email else { return Err(Lost::Named(user_name.value.as_str().to_owned())) };
    Ok(Draft {
        name: names.id(user_name.value.as_str()),
        entry: UserEntry {
            user_name,
            email,
            id,
            managed,
            active: said.active.unwrap_or(Located::new(true, fields.place)),
            settings: said.settings,
            place: fields.place,
        },
        manager: said.manager,
        says_active: said.active.is_some(),
        says_guest: said.guest,
    })
}

/// The `defaults` of a file.
pub(super) fn defaults(node: &Node<'_>, names: &mut Names, findings: &mut Findings) -> Said {
    let Some(fields) = Fields::read(node, "`defaults`", USER_KEYS, findings) else { return Said::default() };
    for (name, key, _) in fields.iter().filter(|(name, ..)| PERSONAL_KEYS.contains(name)) {
        findings.error(
            codes::NOT_A_DEFAULT,
            key.place,
            format!("{} differs from person to person and cannot be a default", quote(name)),
            "write it in the entries of `users`",
        );
    }
    attributes(&fields, names, findings)
}

/// Fills `draft` up with what its file's `defaults` say and it does not. `false` when the roster becomes too large.
pub(super) fn apply_defaults(draft: &mut Draft, defaults: &Said, names: &Names, budget: &mut Budget) -> bool {
    if !draft.entry.managed {
        return true;
    }
    if let (false, Some(active)) = (draft.says_active, defaults.active) {
        draft.entry.active = active;
    }
    let declared = draft.entry.settings.len();
    for setting in &defaults.settings {
        let is_guest = matches!(setting.attribute, Attribute::Guest | Attribute::GuestExpires);
        let is_said = draft.entry.settings[..declared].iter().any(|own| own.attribute == setting.attribute)
            || is_guest && draft.says_guest
            || setting.attribute == Attribute::Manager && draft.manager.is_some();
        if !is_said {
            let text = if let Wish::Set(Value::Text(text)) = &setting.wish { text_weight(text) } else { 0 };
            if !budget.take(1 + text) {
                return false;
            }
            draft.entry.settings.push(setting.clone());
        }
    }
    draft.entry.settings.sort_by_key(|setting| setting.attribute);
    if let Some(manager) = defaults.manager
        && draft.manager.is_none()
        && draft.entry.setting(Attribute::Manager).is_none()
        // The head of a team stands in the team's file, too.
        && crate::names::fold(names.text(manager.value)) != draft.entry.user_name.value.as_str()
    {
        draft.manager = Some(manager);
    }
    true
}

/// The text of a key by which the person is known.
fn identity_text<'n>(node: &'n Node<'_>, key: &str, findings: &mut Findings) -> Option<Located<&'n str>> {
    if node.is_null() {
        not_null(node.place, Attribute::from_key(key), findings);
        return None;
    }
    scalars::text(node, Quoted(key), findings)
}

fn not_null(place: Place, attribute: Option<Attribute>, findings: &mut Findings) {
    let Some(row) = attribute.map(Attribute::row) else { return };
    if let Clearing::Impossible(why) = row.clearing {
        let message = format!("{} cannot be null: {why}", quote(row.key));
        findings.error(codes::NOT_NULL, place, message, "write a value, or leave the key out");
    }
}

fn refuse_unwritten(fields: &Fields<'_, '_>, findings: &mut Findings) {
    for (name, key, _) in fields.iter().filter(|(name, ..)| !UNMANAGED_KEYS.contains(name)) {
        findings.error(
            codes::NEVER_WRITTEN,
            key.place,
            format!("{} is never written, because this entry says `managed: false`", quote(name)),
            "remove the key, or remove `managed: false`",
        );
    }
}

fn attributes(fields: &Fields<'_, '_>, names: &mut Names, findings: &mut Findings) -> Said {
    let mut said = Said { settings: Vec::with_capacity(fields.len() + 2), ..Said::default() };
    for (name, _, node) in fields.iter() {
        match name {
            "userName" | "email" | "id" | "managed" => {}
            "active" if node.is_null() => not_null(node.place, Some(Attribute::Active), findings),
            "active" => {
                said.active =
                    scalars::flag(node, "`active`", findings).map(|flag| Located::new(flag, node.place));
            }
            "manager" if !node.is_null() => {
                said.manager =
                    scalars::text(node, "`manager`", findings).map(|text| text.map(|t| names.id(t)));
            }
            "guest" => guest(node, &mut said, findings),
            "name" => {
                group(node, &NAME, &mut said.settings, findings);
                require_a_name(node.place, &said.settings, findings);
            }
            "address" => group(node, &ADDRESS, &mut said.settings, findings),
            _ => {
                if let Some(attribute) = Attribute::from_key(name) {
                    said.settings.extend(setting(node, attribute.row(), findings));
                }
            }
        }
    }
    said.settings.sort_by_key(|setting| setting.attribute);
    // The manager joins the settings once it is known who that is; nothing else does, and rosters are large.
    said.settings.shrink_to(said.settings.len() + usize::from(said.manager.is_some()));
    said
}

/// What one row's key says.
fn setting(node: &Node<'_>, row: &'static Row, findings: &mut Findings) -> Option<Setting> {
    let attribute = row.attribute;
    if node.is_null() {
        if row.clearing != Clearing::Possible {
            not_null(node.place, Some(attribute), findings);
            return None;
        }
        return Some(Setting { attribute, wish: Wish::Clear, place: node.place });
    }
    let value = scalars::value(node, row, findings)?;
    if let (Value::Text(text), ValueKind::Text) = (&value, row.kind) {
        let is_right = match attribute {
            Attribute::Timezone => scalars::timezone(text, node.place, findings),
            Attribute::DisplayName => scalars::display_name(text, node.place, findings),
            _ => true,
        };
        if !is_right {
            return None;
        }
        scalars::warn_of_emoji(text, node.place, row.key, findings);
    }
    Some(Setting { attribute, wish: Wish::Set(value), place: node.place })
}

/// A key that takes a mapping, and the rows below it.
struct Group {
    key: &'static str,
    /// The last step of each row's key.
    names: Vec<&'static str>,
    rows: Vec<&'static Row>,
}

impl Group {
    fn new(key: &'static str) -> Self {
        let below = TABLE.iter().filter_map(|row| Some((row.key.strip_prefix(key)?.strip_prefix('.')?, row)));
        let (names, rows) = below.unzip();
        Self { key, names, rows }
    }
}

static NAME: LazyLock<Group> = LazyLock::new(|| Group::new("name"));
static ADDRESS: LazyLock<Group> = LazyLock::new(|| Group::new("address"));

/// What the rows of a group say.
fn group(node: &Node<'_>, group: &Group, settings: &mut Vec<Setting>, findings: &mut Findings) {
    if node.is_null() {
        settings.extend(group.rows.iter().map(|row| Setting {
            attribute: row.attribute,
            wish: Wish::Clear,
            place: node.place,
        }));
        return;
    }
    let Some(fields) = Fields::read(node, Quoted(group.key), &group.names, findings) else { return };
    for (name, row) in group.names.iter().zip(&group.rows) {
        if let Some(node) = fields.node(name) {
            settings.extend(setting(node, row, findings));
        }
    }
}

/// Slack needs a full name (sheet S6: `invalid_name_required`), so that the two parts cannot both be cleared.
fn require_a_name(place: Place, settings: &[Setting], findings: &mut Findings) {
    let is_cleared = |attribute| settings.iter().any(|s| s.attribute == attribute && s.wish == Wish::Clear);
    if is_cleared(Attribute::GivenName) && is_cleared(Attribute::FamilyName) {
        findings.error(
            codes::NAME_REQUIRED,
            place,
            "the given and the family name cannot both be cleared: Slack needs a name",
            "write one of the two, or leave them out",
        );
    }
}

fn guest(node: &Node<'_>, said: &mut Said, findings: &mut Findings) {
    said.guest = true;
    if node.is_null() {
        said.settings.push(Setting { attribute: Attribute::Guest, wish: Wish::Clear, place: node.place });
        return;
    }
    let Some(fields) = Fields::read(node, "`guest`", &["expires"], findings) else { return };
    let wish = Wish::Set(Value::Flag(true));
    said.settings.push(Setting { attribute: Attribute::Guest, wish, place: node.place });
    if let Some(node) = fields.node("expires") {
        said.settings.extend(setting(node, Attribute::GuestExpires.row(), findings));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_table_can_be_written_by_its_key() {
        for row in TABLE {
            let first = row.key.split('.').next().unwrap();
            assert!(USER_KEYS.contains(&first), "{}", row.key);
        }
        for key in USER_KEYS {
            let is_row = TABLE.iter().any(|row| row.key.split('.').next() == Some(key));
            assert!(is_row || ["id", "managed"].contains(key), "{key}");
        }
    }
}
