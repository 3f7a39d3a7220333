//! What whole runs promise, tried on the simulator under every reading of Slack's documents.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod converge;
mod interruption;
mod paging;
mod trial;
