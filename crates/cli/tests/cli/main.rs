//! The binary itself, over real HTTP where it talks to anybody.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod any_name;
mod bad_input;
mod canary;
mod commands;
mod daemon;
mod documents;
mod env;
mod examples;
mod hostile;
mod journal;
mod killed;
mod lock;
mod readme;
mod redacted;
mod revert;
mod running;
mod saved;
mod sim;
mod unread;
mod workflow;
