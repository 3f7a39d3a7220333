//! The names by which members and managers are referred to, each kept once: a roster of 1,000,000 memberships has a
//! tenth as many names.

use std::collections::HashMap;
use std::rc::Rc;

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
    list: Vec<Rc<str>>,
    ids: HashMap<Rc<str>, NameId>,
}

impl Names {
    pub(super) fn id(&mut self, text: &str) -> NameId {
        if let Some(id) = self.ids.get(text) {
            return *id;
        }
        let id = NameId::new(self.list.len());
        let text: Rc<str> = text.into();
        self.list.push(Rc::clone(&text));
        self.ids.insert(text, id);
        id
    }

    pub(super) fn text(&self, id: NameId) -> &str {
        self.list.get(id.get()).map_or("", |text| text)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|text| &**text)
    }
}
