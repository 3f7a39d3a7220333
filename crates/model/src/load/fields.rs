//! The keys of a mapping: which are known, which are misspelt, which are missing.

use super::codes;
use super::findings::{Findings, all_of, closest, did_you_mean, quote};
use super::node::{Key, Node, Value};
use crate::place::Place;
use std::fmt;

/// A mapping whose keys have been compared with those that may be there.
pub(super) struct Fields<'n, 't> {
    /// Where the mapping begins.
    pub(super) place: Place,
    entries: Vec<(&'static str, &'n Key<'t>, &'n Node<'t>)>,
}

impl<'n, 't> Fields<'n, 't> {
    /// The keys of `node`, which is `what` ("a user"), each of them in `known`. `None` when it is no mapping; that is
    /// reported, and so is every unknown key. A key that is close to a known one counts as that one afterwards, so
    /// that a misspelling is not also a missing key, and the mistakes of its value are found in the same go.
    pub(super) fn read(
        node: &'n Node<'t>,
        what: impl fmt::Display + Copy,
        known: &[&'static str],
        findings: &mut Findings,
    ) -> Option<Self> {
        let Value::Map(map) = node.value() else {
            if !matches!(node.value(), Value::Broken) {
                findings.error(
                    codes::WRONG_TYPE,
                    node.place,
                    format!("{what} takes a mapping, and this is {}", node.found()),
                    format!("its keys are {}", all_of(known)),
                );
            }
            return None;
        };
        let mut entries: Vec<(&'static str, &Key<'t>, &Node<'t>)> =
            Vec::with_capacity(map.len().min(known.len()));
        let mut unknown = Vec::new();
        for (key, value) in map {
            match known.iter().find(|name| **name == key.value) {
                Some(name) => entries.push((name, key, value)),
                None => unknown.push((key, value)),
            }
        }
        for (key, value) in unknown {
            let meant =
                unknown_key(key, what, known, |name| entries.iter().all(|(n, ..)| *n != name), findings);
            if let Some(name) = meant {
                entries.push((name, key, value));
            }
        }
        Some(Self { place: node.place, entries })
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn get(&self, name: &str) -> Option<(&'n Key<'t>, &'n Node<'t>)> {
        self.entries.iter().find(|(n, ..)| *n == name).map(|(_, key, node)| (*key, *node))
    }

    pub(super) fn node(&self, name: &str) -> Option<&'n Node<'t>> {
        self.get(name).map(|(_, node)| node)
    }

    /// The value of a key that must be there.
    pub(super) fn required(&self, name: &str, what: &str, findings: &mut Findings) -> Option<&'n Node<'t>> {
        let found = self.node(name);
        if found.is_none() {
            findings.error(
                codes::MISSING_KEY,
                self.place,
                format!("{what} needs {}", quote(name)),
                format!("add `{name}: …`"),
            );
        }
        found
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&'static str, &'n Key<'t>, &'n Node<'t>)> {
        self.entries.iter().copied()
    }
}

/// Reports an unknown key and returns the key that was meant, if one that is `free` is close.
pub(super) fn unknown_key(
    key: &Key<'_>,
    what: impl fmt::Display,
    known: &[&'static str],
    free: impl Fn(&str) -> bool,
    findings: &mut Findings,
) -> Option<&'static str> {
    // Looking for what was meant is not worth its time where the finding is only counted.
    if findings.is_full() {
        findings.error(codes::UNKNOWN_KEY, key.place, "", "");
        return None;
    }
    let meant = closest(&key.value, known.iter().copied());
    findings.error(
        codes::UNKNOWN_KEY,
        key.place,
        format!("{} is not a key of {what}", quote(&key.value)),
        did_you_mean(meant, || format!("the keys are {}", all_of(known))),
    );
    known.iter().copied().find(|name| Some(*name) == meant).filter(|name| free(name))
}

/// Reports that `node`, the value of `what`, is of another type than `wanted`.
pub(super) fn wrong_type(node: &Node<'_>, what: impl fmt::Display, wanted: &str, findings: &mut Findings) {
    if matches!(node.value(), Value::Broken) {
        return;
    }
    let message = format!("{what} takes {wanted}, and this is {}", node.found());
    findings.error(codes::WRONG_TYPE, node.place, message, format!("write {wanted}"));
}

/// The entries of a list; reports anything else.
pub(super) fn list<'n, 't>(
    node: &'n Node<'t>,
    what: &str,
    wanted: &str,
    findings: &mut Findings,
) -> Option<&'n [Node<'t>]> {
    if let Value::List(nodes) = node.value() {
        return Some(nodes);
    }
    wrong_type(node, what, wanted, findings);
    None
}
