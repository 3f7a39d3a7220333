//! The journal: which records may follow which, what a torn or altered file comes to, and what counts over time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "journal/altered.rs"]
mod altered;
#[path = "journal/file.rs"]
mod file;
#[path = "journal/runs.rs"]
mod runs;
#[path = "journal/window.rs"]
mod window;
