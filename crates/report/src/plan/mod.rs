//! A plan as text, as a diff, as Markdown and as JSON.

mod counts;
mod diff;
mod json;
mod markdown;
mod text;
mod verdicts;
mod wording;

pub use diff::diff;
pub use json::json;
pub use markdown::markdown;
pub use text::text;

pub(crate) use counts::Counts;
pub(crate) use json::PlaceJson;
pub(crate) use markdown::{LIMIT, Page};
pub(crate) use text::title;
pub(crate) use wording::{Medium, View, mark, noun};

use crate::Style;

/// How a plan is shown to people.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// Whether text carries colours. Markdown and JSON never do.
    pub style: Style,
    /// Columns at which lists of names are wrapped; `None` leaves that to the terminal.
    pub width: Option<usize>,
    /// Whether every change and every member is shown, however many there are. Markdown stays within its bound.
    pub full: bool,
    /// Whether requests, fallbacks, the roster line of every attribute and every guard that passes are shown, too.
    pub verbose: bool,
    /// The userName of the account with an id; an account without an answer is shown by its id.
    pub names: &'a dyn Fn(&str) -> Option<String>,
}

impl Default for Options<'static> {
    /// Plain, unwrapped, folded, not verbose, accounts by their ids.
    fn default() -> Self {
        Self { style: Style::Plain, width: None, full: false, verbose: false, names: &|_| None }
    }
}
