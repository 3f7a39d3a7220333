//! What the crate promises: snapshots to be read as a person would read them, and properties over hostile input.

#![allow(
    clippy::unwrap_used,
    clippy::unnecessary_wraps,
    clippy::cast_possible_truncation,
    reason = "test worlds are small and built by hand, and a wrong one should end the test"
)]

mod diagnostics;
mod history;
mod hostile;
mod hostile_in_colour;
mod plans;
mod runs;
mod saved;
mod world;
