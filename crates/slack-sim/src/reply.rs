//! An answer before it becomes HTTP.

use serde::Serialize;

use crate::errors::Refusal;

/// Status, the headers that matter, and a body.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reply {
    pub status: u16,
    pub body: Option<Vec<u8>>,
    pub location: Option<String>,
    pub etag: Option<String>,
    pub retry_after: Option<u64>,
}

impl Reply {
    /// A body of JSON.
    pub(crate) fn json(status: u16, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(body) => Self { status, body: Some(body), ..Self::default() },
            // Our own types have no map with keys other than strings, which is all that could go wrong.
            Err(error) => {
                tracing::error!(%error, "a body could not be written");
                Self::empty(500)
            }
        }
    }

    /// No body.
    pub(crate) fn empty(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// A refusal with its body.
    pub(crate) fn refusal(refusal: &Refusal, status: u16, body: &impl Serialize) -> Self {
        Self { retry_after: refusal.retry_after, ..Self::json(status, body) }
    }

    /// The same with a `Location`.
    pub(crate) fn at(mut self, location: Option<String>) -> Self {
        self.location = location;
        self
    }
}

/// The parameters of a query, looked up in any letter case: S8 has an example that spells `startindex`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query(pub Vec<(String, String)>);

impl Query {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// A whole number; anything else counts as absent.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        self.get(name)?.trim().parse().ok()
    }

    /// The names in a list separated by commas.
    pub(crate) fn names(&self, name: &str) -> Option<Vec<&str>> {
        Some(self.get(name)?.split(',').map(str::trim).filter(|part| !part.is_empty()).collect())
    }
}

/// Which part of a list to return, and what to say of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Page {
    /// How many resources come before it.
    pub skip: usize,
    /// How many it may hold.
    pub take: usize,
    /// What `startIndex` says.
    pub start_index: usize,
}
