//! What the guards let through and what they stop (design §3).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod adversarial;
mod approval;
mod cases;
mod company;
mod limits;
mod monotone;
mod over_time;
mod splitting;
mod world;
