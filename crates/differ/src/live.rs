//! The directory, indexed by the names and addresses that its accounts and groups hold.

use model::attribute::Attribute;
use model::beside_for;
use model::directory::{AccountKind, Directory, User, UserIndex};
use model::names::{fold, folded};
use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// A set of names in which each may be held by one account only, whatever slot holds it and whether or not the account
/// is active (sheet S6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Space {
    /// userNames.
    UserNames,
    /// Addresses, primary and secondary.
    Addresses,
}

impl Space {
    /// The space that an attribute's values live in.
    pub(crate) fn of(attribute: Attribute) -> Option<Self> {
        match attribute {
            Attribute::UserName => Some(Self::UserNames),
            Attribute::Email | Attribute::SecondaryEmail => Some(Self::Addresses),
            _ => None,
        }
    }
}

/// An account that holds a name, and the slot that holds it.
pub(crate) type Holder = (UserIndex, Attribute);

/// A directory and its indices. The indices are asked, never walked, so that no hash order can leak.
pub(crate) struct Live<'a> {
    /// The directory.
    pub(crate) directory: &'a Directory,
    user_names: Index<'a, Holder>,
    addresses: Index<'a, Holder>,
    groups: Index<'a, usize>,
}

/// Who holds a folded name.
type Index<'a, T> = HashMap<Cow<'a, str>, Several<T>>;

/// One or more; one, nearly always, and then without a list of its own.
enum Several<T> {
    One([T; 1]),
    More(Vec<T>),
}

impl<T: Copy> Several<T> {
    fn as_slice(&self) -> &[T] {
        match self {
            Self::One(one) => one,
            Self::More(all) => all,
        }
    }

    fn push(&mut self, another: T) {
        match self {
            Self::One([one]) => *self = Self::More(vec![*one, another]),
            Self::More(all) => all.push(another),
        }
    }

    fn sort_by(&mut self, order: impl FnMut(&T, &T) -> std::cmp::Ordering) {
        if let Self::More(all) = self {
            all.sort_by(order);
        }
    }
}

fn enter<'a, T: Copy>(index: &mut Index<'a, T>, name: &'a str, holder: T) {
    match index.entry(folded(name)) {
        Entry::Occupied(mut holders) => holders.get_mut().push(holder),
        Entry::Vacant(place) => drop(place.insert(Several::One([holder]))),
    }
}

/// Who holds the names or addresses in these slots.
fn holders_of<'a>(directory: &'a Directory, slots: &[Attribute]) -> Index<'a, Holder> {
    let mut index: Index<'a, Holder> = HashMap::with_capacity(directory.users.len());
    for (account, user) in directory.iter() {
        for slot in slots {
            if let Some(value) = user.get(*slot) {
                enter(&mut index, value, (account, *slot));
            }
        }
    }
    // The service may list its accounts in any order; what is said of them may not depend on it.
    for holders in index.values_mut() {
        holders.sort_by(|a, b| directory.users[a.0.get()].id.cmp(&directory.users[b.0.get()].id));
    }
    index
}

impl<'a> Live<'a> {
    /// Indexes a directory.
    pub(crate) fn new(directory: &'a Directory) -> Self {
        let names = || holders_of(directory, &[Attribute::UserName]);
        let addresses = || holders_of(directory, &[Attribute::Email, Attribute::SecondaryEmail]);
        let (addresses, user_names) = beside_for(directory.users.len(), addresses, names);
        let mut groups: Index<'a, usize> = HashMap::with_capacity(directory.groups.len());
        for (at, group) in directory.groups.iter().enumerate() {
            enter(&mut groups, &group.display_name, at);
        }
        for holders in groups.values_mut() {
            holders.sort_by(|a, b| directory.groups[*a].id.cmp(&directory.groups[*b].id));
        }
        Self { directory, user_names, addresses, groups }
    }

    /// Every account that holds a folded name, bots and deactivated accounts included, by id.
    pub(crate) fn holders(&self, space: Space, folded: &str) -> &[Holder] {
        let map = match space {
            Space::UserNames => &self.user_names,
            Space::Addresses => &self.addresses,
        };
        map.get(folded).map_or(&[], Several::as_slice)
    }

    /// Every group that bears a folded name, by id.
    pub(crate) fn groups_named(&self, folded: &str) -> &[usize] {
        self.groups.get(folded).map_or(&[], Several::as_slice)
    }

    /// The account at an index of this directory.
    pub(crate) fn user(&self, index: UserIndex) -> &'a User {
        &self.directory.users[index.get()]
    }

    /// Sorts accounts by userName, as people look for them, and by id where that is the same: the order in which a
    /// service lists them means nothing.
    pub(crate) fn sort_by_name(&self, accounts: &mut [UserIndex]) {
        accounts.sort_by_cached_key(|account| {
            let user = self.user(*account);
            (fold(user.user_name()), user.id.clone())
        });
    }

    /// Whether the account is an app's.
    pub(crate) fn is_bot(&self, index: UserIndex) -> bool {
        self.user(index).kind == AccountKind::Bot
    }

    /// An account as messages name it: its id and what a person would know it by.
    pub(crate) fn describe(&self, index: UserIndex) -> String {
        let user = self.user(index);
        let known_by: Vec<&str> =
            [Attribute::UserName, Attribute::Email].into_iter().filter_map(|a| user.get(a)).collect();
        let what = match (user.kind, user.active) {
            (AccountKind::Bot, _) => "bot",
            (AccountKind::Person, true) => "account",
            (AccountKind::Person, false) => "deactivated account",
        };
        format!("{what} {} ({})", user.id, known_by.join(", "))
    }
}
