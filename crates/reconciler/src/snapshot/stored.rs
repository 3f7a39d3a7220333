//! A snapshot's accounts and groups as they are read: in one pass, without a tree of JSON values in between, and keeping
//! of each group only who is in it.

use super::redaction;
use model::attribute::{Attribute, Dialect, TABLE};
use model::directory::{AccountKind, Accounts, Directory, Group, RawGroup, User};
use model::names::{GroupId, UserId};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// What a snapshot says of itself.
#[derive(Deserialize)]
pub(super) struct Header {
    pub(super) format: Option<String>,
    #[serde(default)]
    pub(super) version: u64,
    pub(super) target: Option<String>,
    #[serde(default)]
    pub(super) redaction: Option<redaction::Header>,
}

/// A whole snapshot.
pub(super) struct Body {
    header: Header,
    dialect: Dialect,
    accounts: Accounts,
    groups: Vec<Group>,
    hidden: Vec<(UserId, Vec<Attribute>)>,
}

impl Body {
    /// An id that occurs twice, among accounts or among groups or in both.
    pub(super) fn twice(&self) -> Option<&str> {
        let mut seen = HashSet::new();
        let ids = self.accounts.iter().map(|user| user.id.as_str());
        ids.chain(self.groups.iter().map(|group| group.id.as_str())).find(|id| !seen.insert(*id))
    }

    pub(super) fn header(&self) -> &Header {
        &self.header
    }

    /// The header, the directory, and which attributes of which accounts the snapshot does not tell.
    pub(super) fn into_parts(self) -> (Header, Directory, Vec<(UserId, Vec<Attribute>)>) {
        (self.header, self.accounts.with_groups(self.dialect, self.groups), self.hidden)
    }
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(BodyVisitor)
    }
}

struct BodyVisitor;

impl<'de> Visitor<'de> for BodyVisitor {
    type Value = Body;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a snapshot")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Body, A::Error> {
        let (mut format, mut version, mut target, mut redaction) = (None, None, None, None);
        let mut dialect = None;
        let mut accounts: Option<(Accounts, Vec<_>)> = None;
        let mut groups = None;
        // Groups that stand before the accounts cannot be joined with them yet.
        let mut early: Option<Vec<RawGroup>> = None;
        while let Some(Text(key)) = map.next_key()? {
            match &*key {
                "format" => once(&mut format, "format", map.next_value()?)?,
                "version" => once(&mut version, "version", map.next_value()?)?,
                "target" => once(&mut target, "target", map.next_value()?)?,
                "redaction" => once(&mut redaction, "redaction", map.next_value()?)?,
                "dialect" => once(&mut dialect, "dialect", map.next_value()?)?,
                "users" => {
                    let mut list = Users::default();
                    map.next_value_seed(each(|stored| list.take(stored)))?;
                    once(&mut accounts, "users", (Accounts::new(list.users), list.hidden))?;
                }
                "groups" => {
                    if let Some((accounts, _)) = &accounts {
                        let mut list = Vec::new();
                        let join = |stored: StoredGroup<'_>| list.push(stored.joined(accounts));
                        map.next_value_seed(each(join))?;
                        once(&mut groups, "groups", list)?;
                    } else {
                        let mut list = Vec::new();
                        map.next_value_seed(each(|stored: StoredGroup<'_>| list.push(stored.into())))?;
                        once(&mut early, "groups", list)?;
                    }
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let dialect = dialect.ok_or_else(|| Error::missing_field("dialect"))?;
        let (accounts, hidden) = accounts.ok_or_else(|| Error::missing_field("users"))?;
        let groups = match (groups, early) {
            (Some(_), Some(_)) => return Err(Error::duplicate_field("groups")),
            (Some(groups), None) => groups,
            (None, Some(early)) => early.into_iter().map(|group| accounts.join(group)).collect(),
            (None, None) => return Err(Error::missing_field("groups")),
        };
        let header = Header {
            format: format.flatten(),
            version: version.unwrap_or_default(),
            target: target.flatten(),
            redaction: redaction.flatten(),
        };
        Ok(Body { header, dialect, accounts, groups, hidden })
    }
}

fn once<T, E: Error>(place: &mut Option<T>, key: &'static str, value: T) -> Result<(), E> {
    if place.is_some() {
        return Err(Error::duplicate_field(key));
    }
    *place = Some(value);
    Ok(())
}

#[derive(Default)]
struct Users {
    users: Vec<User>,
    hidden: Vec<(UserId, Vec<Attribute>)>,
}

impl Users {
    fn take(&mut self, stored: StoredUser) {
        let StoredUser { user, hidden } = stored;
        if !hidden.is_empty() {
            self.hidden.push((user.id.clone(), hidden));
        }
        self.users.push(user);
    }
}

/// Reads a list and hands on each of its elements at once: a hundred thousand accounts in their stored form would not
/// fit beside themselves.
struct Each<S, F>(F, PhantomData<S>);

fn each<S, F: FnMut(S)>(take: F) -> Each<S, F> {
    Each(take, PhantomData)
}

impl<'de, S: Deserialize<'de>, F: FnMut(S)> DeserializeSeed<'de> for Each<S, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, S: Deserialize<'de>, F: FnMut(S)> Visitor<'de> for Each<S, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        while let Some(stored) = list.next_element()? {
            (self.0)(stored);
        }
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredGroup<'a> {
    id: String,
    display_name: Box<str>,
    #[serde(borrow)]
    members: Vec<Text<'a>>,
}

impl StoredGroup<'_> {
    fn joined(self, accounts: &Accounts) -> Group {
        let Self { id, display_name, members } = self;
        accounts.group(GroupId::new(id), display_name, members.iter().map(|Text(member)| &**member))
    }
}

impl From<StoredGroup<'_>> for RawGroup {
    fn from(stored: StoredGroup<'_>) -> Self {
        let StoredGroup { id, display_name, members } = stored;
        let members = members.into_iter().map(|Text(member)| Arc::from(member)).collect();
        Self { id: GroupId::new(id), display_name, members }
    }
}

/// An account, and which of its attributes the snapshot does not tell.
struct StoredUser {
    user: User,
    hidden: Vec<Attribute>,
}

impl<'de> Deserialize<'de> for StoredUser {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(UserVisitor)
    }
}

struct UserVisitor;

impl<'de> Visitor<'de> for UserVisitor {
    type Value = StoredUser;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an account")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<StoredUser, A::Error> {
        let (mut id, mut active) = (None, None);
        let (mut kind, mut guest, mut selectors, mut hidden) = (None, None, None, None);
        let mut attributes = Vec::with_capacity(TABLE.len());
        while let Some(Text(key)) = map.next_key()? {
            match &*key {
                "id" => once(&mut id, "id", map.next_value::<Box<str>>()?)?,
                "active" => once(&mut active, "active", map.next_value::<bool>()?)?,
                "kind" => once(&mut kind, "kind", map.next_value::<Option<Text>>()?)?,
                "guest" => once(&mut guest, "guest", map.next_value::<Option<Mapping<'_>>>()?)?,
                "selectors" => once(&mut selectors, "selectors", map.next_value::<Mapping<'_>>()?)?,
                "hidden" => once(&mut hidden, "hidden", map.next_value::<Vec<Text>>()?)?,
                key => map.next_value_seed(Said { key, found: &mut attributes })?,
            }
        }
        let guest = guest.flatten();
        attributes.extend(
            guest
                .iter()
                .flat_map(|Mapping(all)| all)
                .filter(|(Text(key), _)| key == "expires")
                .map(|(_, at)| (Attribute::GuestExpires, at.clone())),
        );
        let selectors = selectors.map(|Mapping(all)| all).unwrap_or_default();
        let user = User {
            id: UserId::new(id.ok_or_else(|| Error::missing_field("id"))?),
            kind: match kind.flatten() {
                Some(Text(kind)) if kind == "bot" => AccountKind::Bot,
                _ => AccountKind::Person,
            },
            active: active.ok_or_else(|| Error::missing_field("active"))?,
            guest: guest.is_some(),
            attributes: attributes.into_iter().collect(),
            selectors: selectors
                .into_iter()
                .filter_map(|(Text(key), filter)| Some((Attribute::from_key(&key)?, filter)))
                .collect(),
        };
        let hidden = hidden.unwrap_or_default();
        Ok(StoredUser {
            user,
            hidden: hidden.iter().filter_map(|Text(key)| Attribute::from_key(key)).collect(),
        })
    }
}

/// A text, borrowed where it has no escapes.
struct Text<'de>(Cow<'de, str>);

impl<'a, 'de: 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

/// The texts of a mapping that are not blank; values of other kinds are passed over.
struct Mapping<'de>(Vec<(Text<'de>, Cow<'de, str>)>);

impl<'de> Deserialize<'de> for Mapping<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MappingVisitor;
        impl<'de> Visitor<'de> for MappingVisitor {
            type Value = Mapping<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Mapping<'de>, A::Error> {
                let mut all = Vec::new();
                while let Some(key) = map.next_key()? {
                    map.next_value_seed(Value(|text| all.push((key, text))))?;
                }
                Ok(Mapping(all))
            }
        }
        deserializer.deserialize_map(MappingVisitor)
    }
}

/// The values that say nothing of an account.
macro_rules! pass_over_the_rest {
    ($($visit:ident($kind:ty)),*) => {
        $(fn $visit<E: Error>(self, _: $kind) -> Result<(), E> {
            Ok(())
        })*

        fn visit_unit<E: Error>(self) -> Result<(), E> {
            Ok(())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<(), A::Error> {
            IgnoredAny.visit_seq(list).map(drop)
        }
    };
}

/// What stands under a key that is no other: an attribute's text, or a mapping of several.
struct Said<'a, 'de> {
    key: &'a str,
    found: &'a mut Vec<(Attribute, Cow<'de, str>)>,
}

impl Said<'_, '_> {
    fn told(&self, text: &str) -> Option<Attribute> {
        Attribute::from_key(self.key).filter(|_| !text.trim().is_empty())
    }
}

impl<'de> DeserializeSeed<'de> for Said<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Said<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<(), E> {
        self.found.extend(self.told(text).map(|attribute| (attribute, Cow::Borrowed(text))));
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.found.extend(self.told(text).map(|attribute| (attribute, Cow::Owned(text.to_owned()))));
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Text(inner)) = map.next_key()? {
            let last = |key: &'static str| key.strip_prefix(self.key)?.strip_prefix('.');
            let row = TABLE.iter().find(|row| last(row.key) == Some(&*inner));
            match row {
                Some(row) => {
                    let found = &mut *self.found;
                    map.next_value_seed(Value(|text| found.push((row.attribute, text))))?;
                }
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }

    pass_over_the_rest!(visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_f64(f64));
}

/// One value: a text that is not blank is handed on, and anything else passed over.
struct Value<F>(F);

impl<'de, F: FnOnce(Cow<'de, str>)> DeserializeSeed<'de> for Value<F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, F: FnOnce(Cow<'de, str>)> Visitor<'de> for Value<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<(), E> {
        if !text.trim().is_empty() {
            (self.0)(Cow::Borrowed(text));
        }
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        if !text.trim().is_empty() {
            (self.0)(Cow::Owned(text.to_owned()));
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        IgnoredAny.visit_map(map).map(drop)
    }

    pass_over_the_rest!(visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_f64(f64));
}
