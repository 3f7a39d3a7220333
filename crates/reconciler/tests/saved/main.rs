//! What saved plans promise.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod altered;
mod drift;
mod properties;
// The differ's own worlds and its model of the service: they share no code with what is tested here.
#[allow(dead_code, reason = "not every tool of the differ's tests is needed")]
#[path = "../../../differ/tests/differ/remote.rs"]
mod remote;
mod trial;
#[allow(dead_code, reason = "not every tool of the differ's tests is needed")]
#[path = "../../../differ/tests/differ/world.rs"]
mod world;
#[allow(dead_code, reason = "not every tool of the differ's tests is needed")]
#[path = "../../../differ/tests/differ/worlds.rs"]
mod worlds;
