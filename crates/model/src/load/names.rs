//! The names of people and those by which members and managers are referred to, each kept once: a roster of 1,000,000
//! memberships has a tenth as many names.

use crate::key::Keys;

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

/// All userNames, folded, and all names that were referred to, as written.
#[derive(Default)]
pub(super) struct Names(Keys);

impl Names {
    pub(super) fn id(&mut self, text: &str) -> NameId {
        NameId(self.0.enter(text))
    }

    /// Takes over the names of another list; says, by their positions there, what they are called here.
    pub(super) fn absorb(&mut self, other: Self) -> Vec<NameId> {
        self.0.absorb(other.0).into_iter().map(NameId).collect()
    }

    /// The name with exactly this text.
    pub(super) fn find(&self, text: &str) -> Option<NameId> {
        self.0.find(text).map(NameId)
    }

    pub(super) fn text(&self, id: NameId) -> &str {
        self.0.get(id.get()).unwrap_or_default()
    }

    /// All of them.
    pub(super) fn ids(&self) -> impl ExactSizeIterator<Item = NameId> + use<> {
        (0..self.0.len()).map(NameId::new)
    }
}
