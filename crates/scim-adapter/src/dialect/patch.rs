//! The body of a PATCH, put together from pieces of which some have a second form.

use super::question::{Question, because};
use super::{PATCH_OP, request};
use model::plan::{Encoded, Fallback, Method, Request};
use serde_json::{Value as Json, json};

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

/// Operations that belong together, and their second form where the first is in question.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    operations: Vec<Operation>,
    otherwise: Option<(Question, Vec<Operation>)>,
}

impl Piece {
    /// Operations whose form is certain.
    pub(super) fn certain(operations: Vec<Operation>) -> Self {
        Self { operations, otherwise: None }
    }

    /// An operation with its second form.
    pub(super) fn or(first: Operation, question: Question, second: Operation) -> Self {
        Self { operations: vec![first], otherwise: Some((question, vec![second])) }
    }

    pub(super) fn question(&self) -> Option<Question> {
        self.otherwise.as_ref().map(|(question, _)| *question)
    }

    /// The operations, in their second form where `questions` says so.
    fn form(&self, questions: &[Question]) -> &[Operation] {
        match &self.otherwise {
            Some((question, second)) if questions.contains(question) => second,
            _ => &self.operations,
        }
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
/// the forms in question. Which form a service objects to is seldom told, so the single ones come first.
pub(super) fn encoded(path: &str, pieces: &[Piece]) -> Encoded {
    let mut questions: Vec<Question> = Vec::new();
    for question in pieces.iter().filter_map(Piece::question) {
        if !questions.contains(&question) {
            questions.push(question);
        }
    }
    let mut sets: Vec<Vec<Question>> = questions.iter().map(|question| vec![*question]).collect();
    if questions.len() > 1 {
        sets.push(questions);
    }
    let fallbacks = sets
        .into_iter()
        .map(|set| Fallback { because: because(&set), requests: vec![patch(path, pieces, &set)] })
        .collect();
    Encoded { request: patch(path, pieces, &[]), fallbacks }
}
