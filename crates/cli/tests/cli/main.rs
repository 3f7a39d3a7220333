//! The binary itself, over real HTTP where it talks to anybody.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod bad_input;
mod commands;
mod documents;
mod env;
mod examples;
mod hostile;
mod readme;
mod sim;
