//! What Slack's rules and the RFC's have in common on paper: filters and PATCH paths as text.

pub(crate) mod filter;
pub(crate) mod lexer;
pub(crate) mod matching;
pub(crate) mod path;
