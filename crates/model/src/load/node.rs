//! Small trees with places: what YAML text means before anybody asks what a roster is.

use super::findings::quote;
use super::limits::MAX_NODES;
use crate::place::{Located, Place};
use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

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
pub(super) struct Budget {
    left: u64,
    taken: u64,
    is_overdrawn: bool,
    /// Where more comes from, for a file that is read beside others.
    pool: Option<Arc<AtomicU64>>,
}

impl Default for Budget {
    fn default() -> Self {
        Self { left: MAX_NODES, taken: 0, is_overdrawn: false, pool: None }
    }
}

/// How much is drawn from a pool at once, so that those who share it seldom meet there.
const DRAUGHT: u64 = 4096;

impl Budget {
    /// A budget out of a pool that others draw from.
    pub(super) fn of(pool: Arc<AtomicU64>) -> Self {
        Self { left: 0, taken: 0, is_overdrawn: false, pool: Some(pool) }
    }

    /// Takes `weight`, or says `false` when the roster has become too large.
    pub(super) fn take(&mut self, weight: u64) -> bool {
        if self.left < weight {
            self.draw((weight - self.left).max(DRAUGHT));
        }
        let enough = self.left >= weight;
        self.left = self.left.saturating_sub(weight);
        self.taken = self.taken.saturating_add(weight);
        self.is_overdrawn |= !enough;
        enough
    }

    /// How much there is to take, but for what a pool has.
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    /// How much was taken, where everything was there that was asked for.
    pub(super) fn taken(&self) -> Option<u64> {
        (!self.is_overdrawn).then_some(self.taken)
    }

    fn draw(&mut self, draught: u64) {
        let Some(pool) = &self.pool else { return };
        let drawn = pool.fetch_update(Relaxed, Relaxed, |left| Some(left.saturating_sub(draught)));
        self.left += drawn.unwrap_or_default().min(draught);
    }
}
