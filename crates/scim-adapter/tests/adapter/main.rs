//! What scim-adapter promises, tried on engines and services that share no code with it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod carrier;
mod changes;
mod creations;
mod encoding;
mod engine;
mod fallbacks;
mod forms;
mod reading;
mod service;
mod slack_model;
mod token;
mod worlds;
mod writing;
