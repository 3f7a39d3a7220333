//! Mistakes in a roster, each with a stable code, its place, and what to do.

use crate::place::Place;
use serde::Serialize;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The roster can be used.
    Warning,
    /// It cannot.
    Error,
}

/// One finding about a roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// A stable name such as `unknown-key`; `docs/diagnostics.md` lists them all.
    pub code: &'static str,
    /// What is wrong, as one sentence without a full stop.
    pub message: String,
    /// What is underlined, with a few words beside it.
    pub label: Label,
    /// Other places that have to do with it ("first given here").
    pub related: Vec<Label>,
    /// What to do now ("did you mean `title`?"); may be empty.
    pub help: Option<String>,
}

/// A place and what to say beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The place; `None` when the finding concerns a whole file or none.
    pub place: Option<Place>,
    /// The words; may be empty.
    pub text: String,
}

impl Diagnostic {
    /// An error at a place.
    pub fn error(code: &'static str, place: Place, message: impl Into<String>) -> Self {
        let label = Label { place: Some(place), text: String::new() };
        Self {
            severity: Severity::Error,
            code,
            message: message.into(),
            label,
            related: Vec::new(),
            help: None,
        }
    }

    /// A warning at a place.
    pub fn warning(code: &'static str, place: Place, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, place, message) }
    }

    /// The same with words beside the underlined text.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.label.text = text.into();
        self
    }

    /// The same with another place.
    #[must_use]
    pub fn related(mut self, place: Place, text: impl Into<String>) -> Self {
        self.related.push(Label { place: Some(place), text: text.into() });
        self
    }

    /// The same with a remedy.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }
}
