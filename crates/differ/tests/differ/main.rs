//! What the differ promises.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod groups;
mod identity;
mod minimality;
mod order;
mod people;
mod properties;
mod protection;
mod remote;
mod world;
mod worlds;
