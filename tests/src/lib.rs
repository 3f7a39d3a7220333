//! What the end-to-end tests stand on: the crates put together over an in-process carrier, and a judge of what became
//! of the world that does not look through the client's eyes.
//!
//! Everything here runs on tokio's paused clock: a run against Slack's rate limits takes milliseconds, and the same
//! test gives the same requests.

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test harness fails by panicking"
)]

pub mod carrier;
pub mod census;
pub mod fuzzing;
pub mod generate;
pub mod manners;
pub mod proxy;
pub mod session;
pub mod simulation;
pub mod truth;
pub mod worlds;
