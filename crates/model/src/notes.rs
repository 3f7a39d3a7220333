//! Notes as they gather while something is planned, told in a few lines in the end.

use crate::plan::Note;
use std::collections::BTreeMap;

/// What notes are about. The order is the order of importance, most important first.
pub trait Topic: Copy + Ord {
    /// The notes' stable name.
    fn code(self) -> &'static str;

    /// What is said of those who are named after it; empty where each note is a line of its own.
    fn words(self) -> &'static str;
}

/// The notes so far.
#[derive(Debug)]
pub struct Notes<T> {
    /// How many names one note spells out.
    shown: usize,
    names: BTreeMap<T, Vec<String>>,
    lines: Vec<(T, String)>,
}

impl<T: Topic> Notes<T> {
    /// None so far; each is to spell out `shown` names before it says how many more there are.
    pub fn new(shown: usize) -> Self {
        Self { shown, names: BTreeMap::new(), lines: Vec::new() }
    }

    /// Adds a name to the one note of a topic.
    pub fn name(&mut self, topic: T, name: impl Into<String>) {
        self.names.entry(topic).or_default().push(name.into());
    }

    /// Adds a note of its own.
    pub fn line(&mut self, topic: T, message: String) {
        self.lines.push((topic, message));
    }

    /// Adds what was noted elsewhere, after what is here.
    pub fn absorb(&mut self, other: Self) {
        for (topic, names) in other.names {
            self.names.entry(topic).or_default().extend(names);
        }
        self.lines.extend(other.lines);
    }

    /// The notes, most important first.
    pub fn finish(self) -> Vec<Note> {
        let gathered = self
            .names
            .into_iter()
            .map(|(topic, names)| (topic, format!("{}: {}", topic.words(), list(&names, self.shown))));
        let mut all: Vec<(T, String)> = gathered.chain(self.lines).collect();
        all.sort_by_key(|(topic, _)| *topic);
        all.into_iter().map(|(topic, message)| Note { code: topic.code(), message }).collect()
    }
}

/// The first names, and how many more there are.
pub fn list(names: &[String], shown: usize) -> String {
    let first = names.iter().take(shown).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(shown) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}
