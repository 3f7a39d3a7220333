//! Small trees with places: what YAML text means before anybody asks what a roster is.

use super::findings::quote;
use super::limits::MAX_NODES;
use crate::place::{Located, Place};
use std::borrow::Cow;
use std::rc::Rc;

/// A piece of a roster file.
#[derive(Debug, Clone)]
pub(super) struct Node<'t> {
    /// Where it stands; of an alias, where the alias stands.
    pub(super) place: Place,
    pub(super) value: Value<'t>,
    /// How many levels there are below, aliases followed.
    pub(super) height: u16,
    /// What it counts towards [`MAX_NODES`], aliases followed.
    pub(super) weight: u64,
}

/// What a [`Node`] is.
#[derive(Debug, Clone)]
pub(super) enum Value<'t> {
    /// `null`, `~` or nothing.
    Null,
    /// Any other scalar, as written: `no`, `0042` and `1.0` are texts.
    Text {
        /// The text.
        text: Cow<'t, str>,
        /// Whether it was written without quotes, so that `true` may be a flag.
        plain: bool,
    },
    /// A list.
    List(Vec<Node<'t>>),
    /// A mapping; each key once, merge keys carried out.
    Map(Vec<(Key<'t>, Node<'t>)>),
    /// The same as another place in the file.
    Shared(Rc<Node<'t>>),
    /// Something that has been reported already, of which nothing more is to be said.
    Broken,
}

/// The key of a mapping.
pub(super) type Key<'t> = Located<Cow<'t, str>>;

impl<'t> Node<'t> {
    pub(super) fn new(place: Place, value: Value<'t>) -> Self {
        let (height, below) = match &value {
            Value::Null | Value::Broken => (0, 0),
            Value::Text { text, .. } => (0, text_weight(text)),
            Value::List(nodes) => extent(nodes.iter()),
            Value::Map(entries) => extent(entries.iter().map(|(_, node)| node)),
            Value::Shared(node) => (node.height, node.weight),
        };
        Self { place, value, height, weight: below.saturating_add(1) }
    }

    /// What it is, aliases followed.
    pub(super) fn value(&self) -> &Value<'t> {
        match &self.value {
            Value::Shared(node) => node.value(),
            other => other,
        }
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self.value(), Value::Null)
    }

    /// What was found, for a message.
    pub(super) fn found(&self) -> String {
        match self.value() {
            Value::Null => "nothing (null)".to_owned(),
            Value::Text { text, .. } => format!("the text {}", quote(text)),
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "a mapping".to_owned(),
            Value::Shared(_) | Value::Broken => "something else".to_owned(),
        }
    }
}

fn extent<'n, 't: 'n>(nodes: impl Iterator<Item = &'n Node<'t>>) -> (u16, u64) {
    nodes.fold((0, 0), |(height, weight), node| {
        (height.max(node.height.saturating_add(1)), u64::saturating_add(weight, node.weight))
    })
}

/// What the length of a text counts towards [`MAX_NODES`], besides its being there.
pub(super) fn text_weight(text: &str) -> u64 {
    text.len() as u64 / 16
}

/// What is left of [`MAX_NODES`].
pub(super) struct Budget(u64);

impl Default for Budget {
    fn default() -> Self {
        Self(MAX_NODES)
    }
}

impl Budget {
    /// Takes `weight`, or says `false` when the roster has become too large.
    pub(super) fn take(&mut self, weight: u64) -> bool {
        let enough = self.0 >= weight;
        self.0 = self.0.saturating_sub(weight);
        enough
    }
}
