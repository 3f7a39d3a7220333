//! The names by which members and managers are referred to, each kept once: a roster of 1,000,000 memberships has a
//! tenth as many names.

use crate::key::Key;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// A name, by position in [`Names`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct NameId(u32);

impl NameId {
    pub(super) fn new(position: usize) -> Self {
        Self(u32::try_from(position).unwrap_or(u32::MAX))
    }

    pub(super) const fn get(self) -> usize {
        self.0 as usize
    }
}

/// All names that were referred to, as written.
#[derive(Default)]
pub(super) struct Names {
    list: Vec<Key>,
    ids: HashMap<Key, NameId>,
}

impl Names {
    pub(super) fn id(&mut self, text: &str) -> NameId {
        self.enter(text.into())
    }

    fn enter(&mut self, name: Key) -> NameId {
        match self.ids.entry(name) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(place) => {
                let id = NameId::new(self.list.len());
                self.list.push(place.key().clone());
                *place.insert(id)
            }
        }
    }

    /// Takes over the names of another list; says, by their positions there, what they are called here.
    pub(super) fn absorb(&mut self, other: Self) -> Vec<NameId> {
        other.list.into_iter().map(|name| self.enter(name)).collect()
    }

    pub(super) fn text(&self, id: NameId) -> &str {
        self.list.get(id.get()).map_or("", Key::as_str)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(Key::as_str)
    }
}
