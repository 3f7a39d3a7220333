//! Hiding what a snapshot should not tell, and telling as much of it as a roster knows already.

use super::pseudonym::{Salt, domain, is_bot, is_pseudonym, parts};
use model::Texts;
use model::attribute::{Attribute, Dialect, Value, ValueKind, is_clear};
use model::directory::{AccountKind, Directory, RawGroup, User, workspace_of};
use model::names::{GroupId, UserId, fold};
use model::plan::Note;
use model::roster::{Roster, Setting, UserEntry, Wish};
use serde::Deserialize;
use serde_json::json;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// How pseudonyms are made, as the file names it.
const METHOD: &str = "hmac-sha256";
/// What stands in the place of a hidden value that a roster wants to be another one or none.
const HIDDEN: &str = "(hidden)";
/// The fewest digits that are taken for a phone number wherever they stand.
const PHONE_DIGITS: usize = 6;
/// The most digits of a phone number (ITU-T E.164 has 15, and people write more).
const PHONE_DIGITS_MOST: usize = 20;

/// What is hidden in a snapshot.
#[derive(Debug, Clone)]
pub struct Redaction {
    salt: Salt,
    /// The attributes that an account has and the snapshot does not tell.
    hidden: HashMap<UserId, Vec<Attribute>>,
}

/// What the file says of its redaction, beside what its accounts say.
#[derive(Debug, Deserialize)]
pub(super) struct Header {
    method: String,
    salt: String,
}

/// Attributes that are hidden whatever they hold. A hash of a phone would hide nothing, since there are few enough
/// numbers to try them all, and the URL of a default photo holds one of the address.
fn is_private(attribute: Attribute) -> bool {
    matches!(
        attribute,
        Attribute::Phone
            | Attribute::MobilePhone
            | Attribute::Photo
            | Attribute::StreetAddress
            | Attribute::Locality
            | Attribute::Region
            | Attribute::PostalCode
            | Attribute::Country
    )
}

impl Redaction {
    /// Redacts a directory.
    pub(super) fn of(directory: &Directory, salt: Salt) -> (Directory, Self) {
        let hiding = Hiding { salt, phones: Phones::of(directory), dialect: directory.dialect };
        let mut redaction = Self { salt, hidden: HashMap::new() };
        let mut users = Vec::with_capacity(directory.users.len());
        for user in &directory.users {
            let (user, hidden) = hiding.user(user);
            if !hidden.is_empty() {
                redaction.hidden.insert(user.id.clone(), hidden);
            }
            users.push(user);
        }
        let groups = raw_groups(directory, |text| hiding.name(text));
        (Directory::new(directory.dialect, users, groups), redaction)
    }

    /// What the file says of it.
    pub(super) fn header(&self) -> serde_json::Value {
        json!({ "method": METHOD, "salt": self.salt.to_hex() })
    }

    /// Puts together what the file and its accounts say; `None` for another method or a bad salt.
    pub(super) fn from_header(header: &Header, hidden: Vec<(UserId, Vec<Attribute>)>) -> Option<Self> {
        let salt = (header.method == METHOD).then(|| Salt::from_hex(&header.salt))??;
        Some(Self { salt, hidden: hidden.into_iter().collect() })
    }

    /// What is hidden of an account.
    pub(super) fn hidden_of(&self, id: &UserId) -> &[Attribute] {
        self.hidden.get(id).map(Vec::as_slice).unwrap_or_default()
    }

    /// Shows the addresses that `roster` or `names` name, and takes what is hidden to be as the roster wants it.
    pub(super) fn reveal(
        mut self,
        directory: Directory,
        roster: &Roster,
        names: &[String],
    ) -> (Directory, Note) {
        let known = Known::of(self.salt, roster, names);
        let groups = raw_groups(&directory, |text| known.name(text));
        let claims = Claims::of(roster);
        let dialect = directory.dialect;
        let mut unknown = 0;
        let mut users = directory.users;
        for user in &mut users {
            let hidden = self.hidden.remove(&user.id).unwrap_or_default();
            known.show(user);
            unknown += usize::from(user.get(Attribute::Email).is_some_and(is_pseudonym));
            let Some(entry) = (!hidden.is_empty()).then(|| claims.entry_of(user)).flatten() else { continue };
            for attribute in hidden {
                if let (Some(setting), None) = (entry.setting(attribute), user.get(attribute)) {
                    user.attributes.set(attribute, Some(assumed(setting)));
                }
            }
        }
        (Directory::new(dialect, users, groups), note(unknown))
    }
}

fn note(unknown: usize) -> Note {
    let of = match unknown {
        0 => "the roster names the address of every account".to_owned(),
        1 => "1 account has an address that the roster does not name".to_owned(),
        many => format!("{many} accounts have an address that the roster does not name"),
    };
    Note {
        code: "redacted",
        message: format!(
            "the snapshot is redacted: phones, postal addresses and photos that an account has are taken to be as the roster \
             says, nobody is recognised by a phone number, and {of}; where one of those is changed, the digest is not that of \
             a plan made from the live state"
        ),
    }
}

/// The groups of a directory as they were read, every name and id put through `name`.
fn raw_groups(directory: &Directory, name: impl Fn(&str) -> Option<String>) -> Vec<RawGroup> {
    let name = |text: &str| name(text).map_or_else(|| Box::from(text), String::into_boxed_str);
    let members = |group: &model::directory::Group| {
        let ids =
            group.members.iter().filter_map(|&index| directory.user(index)).map(|user| user.id.as_str());
        ids.chain(group.foreign_members.iter().map(|value| &**value)).map(|id| name(id).into()).collect()
    };
    let raw = |group: &model::directory::Group| RawGroup {
        id: GroupId::new(name(group.id.as_str())),
        display_name: name(&group.display_name),
        members: members(group),
    };
    directory.groups.iter().map(raw).collect()
}

/// What is hidden, and how.
struct Hiding {
    salt: Salt,
    phones: Phones,
    dialect: Dialect,
}

impl Hiding {
    fn user(&self, user: &User) -> (User, Vec<Attribute>) {
        let User { id, kind, active, guest, attributes, selectors } = user;
        let own: Vec<&str> = [Attribute::Phone, Attribute::MobilePhone]
            .into_iter()
            .filter_map(|attribute| user.get(attribute))
            .map(str::trim)
            .filter(|phone| phone.len() >= PHONE_DIGITS)
            .collect();
        let tells = |text: &str| {
            holds_address(text) || self.phones.stand_in(text) || own.iter().any(|phone| text.contains(phone))
        };
        let mut shown: Vec<(Attribute, Cow<'_, str>)> = Vec::with_capacity(attributes.len());
        let mut hidden = Vec::new();
        for (attribute, value) in attributes.iter() {
            match attribute {
                Attribute::Email | Attribute::SecondaryEmail => {
                    let bot = *kind == AccountKind::Bot && is_bot(value);
                    let pseudonym = if bot { self.salt.of_bot(value) } else { self.salt.pseudonym(value) };
                    shown.push((attribute, pseudonym.into()));
                }
                // People refer to each other by these; they are compared as addresses are, without letter case.
                Attribute::UserName | Attribute::Manager => {
                    let value = self.address(value).map_or(Cow::Borrowed(value), Cow::Owned);
                    shown.push((attribute, value));
                }
                // Nothing but the workspace is read from it.
                Attribute::ProfileUrl => {
                    shown.extend(workspace_url(value).map(|url| (attribute, url.into())));
                }
                _ if is_private(attribute) => {
                    // Slack's default picture is none.
                    if !is_clear(attribute, Some(value), self.dialect) {
                        hidden.push(attribute);
                    }
                }
                _ if attribute.row().kind == ValueKind::Text && tells(value) => hidden.push(attribute),
                _ if holds_address(value) => hidden.push(attribute),
                _ => shown.push((attribute, value.into())),
            }
        }
        let shown: Texts = shown.into_iter().collect();
        let selectors = selectors
            .iter()
            .filter(|(attribute, _)| !is_private(*attribute) && !hidden.contains(attribute))
            .filter_map(|(attribute, filter)| {
                let (old, new) = (user.get(attribute), shown.get(attribute));
                let others = replaced(filter, old, Some(""));
                (!tells(&others)).then(|| (attribute, replaced(filter, old, new)))
            })
            .collect();
        let id = self.address(id.as_str()).map_or_else(|| id.clone(), UserId::new);
        (User { id, kind: *kind, active: *active, guest: *guest, attributes: shown, selectors }, hidden)
    }

    /// The pseudonym of a name that holds an address.
    fn address(&self, text: &str) -> Option<String> {
        holds_address(text).then(|| self.salt.pseudonym(text))
    }

    /// The pseudonym of a group's name, or of an id, that holds an address or a phone.
    fn name(&self, text: &str) -> Option<String> {
        (holds_address(text) || self.phones.stand_in(text)).then(|| self.salt.pseudonym(text))
    }
}

/// A filter with one value in the place of another.
fn replaced(filter: &str, old: Option<&str>, new: Option<&str>) -> String {
    match old.zip(new) {
        Some((old, new)) => filter.replace(&json!(old).to_string(), &json!(new).to_string()),
        None => filter.to_owned(),
    }
}

/// What is left of a profile URL: the workspace of one of Slack's.
fn workspace_url(url: &str) -> Option<String> {
    let name = workspace_of(url)?;
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let host = url.strip_prefix("https://")?.split('/').next()?;
    plain.then(|| format!("https://{host}/"))
}

/// Whether an address stands anywhere in a text: an at sign, perhaps percent-encoded or of another width, with something
/// on either side.
fn holds_address(text: &str) -> bool {
    let mut before = None;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let sign = ["@", "%40", "\u{ff20}", "\u{fe6b}"].into_iter().find(|sign| rest.starts_with(sign));
        if let Some(sign) = sign
            && before.is_some_and(|c: char| !c.is_whitespace())
            && rest.get(sign.len()..).and_then(|rest| rest.chars().next()).is_some_and(char::is_alphanumeric)
        {
            return true;
        }
        before = Some(c);
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
    false
}

/// The digits of every phone number of a directory.
struct Phones(HashSet<String>);

impl Phones {
    fn of(directory: &Directory) -> Self {
        let numbers = directory.users.iter().flat_map(|user| {
            [Attribute::Phone, Attribute::MobilePhone].into_iter().filter_map(|attribute| user.get(attribute))
        });
        let digits = numbers.map(|number| number.chars().filter(char::is_ascii_digit).collect::<String>());
        Self(digits.filter(|digits| digits.len() >= PHONE_DIGITS).collect())
    }

    /// Whether one of them stands anywhere in a text, however its digits are set apart.
    fn stand_in(&self, text: &str) -> bool {
        if self.0.is_empty() || text.bytes().filter(u8::is_ascii_digit).count() < PHONE_DIGITS {
            return false;
        }
        let is_apart = |c: char| !c.is_ascii_digit() && !is_separator(c);
        text.split(is_apart).any(|run| {
            let blocks: Vec<&str> = run.split(is_separator).filter(|block| !block.is_empty()).collect();
            (0..blocks.len()).any(|first| {
                let mut digits = String::new();
                blocks.iter().skip(first).any(|block| {
                    digits.push_str(block);
                    digits.len() <= PHONE_DIGITS_MOST && self.0.contains(&digits)
                })
            })
        })
    }
}

/// What people write between the digits of a phone number.
fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '.' | '/' | '(' | ')' | '+' | '\u{2010}'..='\u{2015}')
}

/// What a roster tells of hidden addresses.
struct Known<'a> {
    /// Texts by their pseudonyms.
    texts: HashMap<String, &'a str>,
    /// Domains by what stands in their place.
    domains: HashMap<String, String>,
}

impl<'a> Known<'a> {
    fn of(salt: Salt, roster: &'a Roster, names: &'a [String]) -> Self {
        let mut known = Self { texts: HashMap::new(), domains: HashMap::new() };
        let mut domains: HashSet<String> = HashSet::new();
        let text_of = |setting: &'a Setting| match &setting.wish {
            Wish::Set(Value::Text(text)) => Some(&**text),
            _ => None,
        };
        let people = roster.users.iter().flat_map(|entry| {
            let secondary = entry.setting(Attribute::SecondaryEmail).and_then(text_of);
            let id = entry.id.as_ref().map(|id| id.value.as_str());
            [Some(&*entry.email.value), secondary, id].into_iter().flatten()
        });
        let groups = roster.groups.iter().flatten().flat_map(|group| {
            let id = group.id.as_ref().map(|id| id.value.as_str());
            let formerly = group.formerly.iter().map(|name| &*name.value);
            [Some(&*group.display_name.value), id].into_iter().flatten().chain(formerly)
        });
        let protect = &roster.policy.protect;
        let protected = protect.users.iter().chain(&protect.groups).map(|pattern| pattern.value.as_str());
        for text in people.chain(groups).chain(protected).chain(names.iter().map(String::as_str)) {
            let folded = fold(text);
            if let Some(domain) = domain(&folded).filter(|domain| !domain.contains('*')) {
                domains.insert(domain.to_owned());
            }
            known.texts.entry(salt.pseudonym(text)).or_insert(text);
        }
        let allowed = roster.policy.email_domains.iter().flatten().map(|domain| fold(&domain.value));
        domains.extend(allowed);
        known.domains = domains.into_iter().map(|domain| (salt.domain(&domain), domain)).collect();
        known
    }

    /// What a pseudonym stands for, or the same with its domain, as far as either is known.
    fn name(&self, text: &str) -> Option<String> {
        if let Some(known) = self.texts.get(text) {
            return Some((*known).to_owned());
        }
        let (local, domain) = parts(text)?;
        self.domains.get(domain).map(|domain| format!("{local}@{domain}"))
    }

    fn show(&self, user: &mut User) {
        if let Some(id) = self.name(user.id.as_str()) {
            user.id = UserId::new(id);
        }
        for name in [Attribute::Email, Attribute::SecondaryEmail, Attribute::UserName, Attribute::Manager] {
            let Some(value) = user.get(name) else { continue };
            let Some(known) = self.name(value) else { continue };
            let filter = user.selector(name).map(|filter| replaced(filter, Some(value), Some(&known)));
            if filter.is_some() {
                user.selectors.set(name, filter.as_deref());
            }
            user.attributes.set(name, Some(&known));
        }
    }
}

/// Which entry of the roster an account belongs to, by the ladder of design §3. Where the roster is at odds with itself,
/// no plan comes of it.
struct Claims<'a> {
    ids: HashMap<&'a str, &'a UserEntry>,
    emails: HashMap<String, &'a UserEntry>,
    user_names: HashMap<&'a str, &'a UserEntry>,
}

impl<'a> Claims<'a> {
    fn of(roster: &'a Roster) -> Self {
        let by_id = roster.users.iter().filter_map(|entry| Some((entry.id.as_ref()?.value.as_str(), entry)));
        let others = || roster.users.iter().filter(|entry| entry.id.is_none());
        Self {
            ids: by_id.collect(),
            emails: others().map(|entry| (fold(&entry.email.value), entry)).collect(),
            user_names: others().map(|entry| (entry.user_name.value.as_str(), entry)).collect(),
        }
    }

    fn entry_of(&self, user: &User) -> Option<&'a UserEntry> {
        let email = || self.emails.get(&fold(user.get(Attribute::Email).unwrap_or_default()));
        let user_name = || self.user_names.get(&*fold(user.user_name()));
        self.ids.get(user.id.as_str()).or_else(email).or_else(user_name).copied()
    }
}

/// The value that a hidden attribute is taken to have: the one that the roster wants, for want of a better guess. That it
/// is to be cleared, though, is a difference for certain, since it is set.
fn assumed(setting: &Setting) -> &str {
    match &setting.wish {
        Wish::Set(Value::Text(text)) if !text.trim().is_empty() => text,
        _ => HIDDEN,
    }
}
