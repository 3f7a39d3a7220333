//! The body of a PATCH, put together from pieces of which some have other forms.

use super::question::{Question, because};
use super::{PATCH_OP, request};
use model::plan::{Encoded, Fallback, Method, Request};
use serde_json::{Value as Json, json};
use std::collections::HashSet;

/// One operation (RFC 7644 §3.5.2). Always with a path, and in lower case: Slack shows no other form (sheet S11).
#[derive(Debug, Clone)]
pub(super) struct Operation {
    op: &'static str,
    path: String,
    value: Option<Json>,
}

impl Operation {
    pub(super) fn add(path: impl Into<String>, value: Json) -> Self {
        Self { op: "add", path: path.into(), value: Some(value) }
    }

    pub(super) fn replace(path: impl Into<String>, value: Json) -> Self {
        Self { op: "replace", path: path.into(), value: Some(value) }
    }

    pub(super) fn remove(path: impl Into<String>) -> Self {
        Self { op: "remove", path: path.into(), value: None }
    }

    fn json(&self) -> Json {
        match &self.value {
            Some(value) => json!({ "op": self.op, "path": self.path, "value": value }),
            None => json!({ "op": self.op, "path": self.path }),
        }
    }
}

/// Operations that belong together, and their other forms where the first is in question.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    operations: Vec<Operation>,
    others: Vec<Other>,
}

/// Another form of a piece, and the question that it answers.
#[derive(Debug, Clone)]
struct Other {
    question: Question,
    operations: Vec<Operation>,
    /// Whether this piece is a reason to ask the question. If not, the form is taken when another piece asks.
    asks: bool,
}

impl Piece {
    /// Operations whose form is certain.
    pub(super) fn certain(operations: Vec<Operation>) -> Self {
        Self { operations, others: Vec::new() }
    }

    /// An operation with its second form.
    pub(super) fn or(first: Operation, question: Question, second: Operation) -> Self {
        Self::from(first).and_or(question, second)
    }

    /// The same with one more form, which gives way to the earlier ones where several questions are asked.
    pub(super) fn and_or(mut self, question: Question, form: Operation) -> Self {
        self.others.push(Other { question, operations: vec![form], asks: true });
        self
    }

    /// The same with one more form, for requests that another piece's question has changed already: what the answer
    /// would tell of this piece, too, should not wait for a request of its own.
    pub(super) fn along_with(mut self, question: Question, form: Operation) -> Self {
        self.others.push(Other { question, operations: vec![form], asks: false });
        self
    }

    /// What this piece asks.
    pub(super) fn questions(&self) -> impl Iterator<Item = Question> {
        self.others.iter().filter(|other| other.asks).map(|other| other.question)
    }

    /// The operations, in the first of their other forms that `questions` asks for.
    fn form(&self, questions: &[Question]) -> &[Operation] {
        let other = self.others.iter().find(|other| questions.contains(&other.question));
        other.map_or(&self.operations, |other| &other.operations)
    }
}

impl From<Operation> for Piece {
    fn from(operation: Operation) -> Self {
        Self::certain(vec![operation])
    }
}

/// One PATCH of all pieces, in the forms that `questions` asks for.
pub(super) fn patch(path: &str, pieces: &[Piece], questions: &[Question]) -> Request {
    let operations: Vec<Json> =
        pieces.iter().flat_map(|piece| piece.form(questions)).map(Operation::json).collect();
    request(Method::Patch, path.to_owned(), Some(&json!({ "schemas": [PATCH_OP], "Operations": operations })))
}

/// The PATCH of all pieces, with a fallback for each question and, where there are several, one that changes all
/// the forms in question; where there are more than two, also one that changes all but one of them, since a service may
/// refuse the second form of the one. Which form it objects to is seldom told, so the single ones come first. What several
/// questions lead to alike stands there once.
pub(super) fn encoded(path: &str, pieces: &[Piece]) -> Encoded {
    let mut questions: Vec<Question> = Vec::new();
    for question in pieces.iter().flat_map(Piece::questions) {
        if !questions.contains(&question) {
            questions.push(question);
        }
    }
    let mut sets: Vec<Vec<Question>> = questions.iter().map(|question| vec![*question]).collect();
    questions.retain(|question| question.may_be_refused());
    if questions.len() > 1 {
        sets.push(questions.clone());
    }
    if questions.len() > 2 {
        let but = |kept: &Question| questions.iter().filter(|question| *question != kept).copied().collect();
        sets.extend(questions.iter().map(but));
    }
    let mut seen = HashSet::new();
    let mut fallbacks = Vec::with_capacity(sets.len());
    for set in sets {
        let request = patch(path, pieces, &set);
        if seen.insert(request.body.as_ref().map(|body| body.get().to_owned())) {
            fallbacks.push(Fallback { because: because(&set), requests: vec![request] });
        }
    }
    Encoded { request: patch(path, pieces, &[]), fallbacks }
}
