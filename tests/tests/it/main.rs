//! What whole runs promise, tried on the simulator under every reading of Slack's documents.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod breakers;
mod converge;
mod daemon;
mod fuzzing;
mod interruption;
mod journal;
mod pace;
mod paging;
mod proxy;
mod revert;
mod simulation;
mod teeth;
mod trial;
