//! What the simulator promises, each promise with the sentence of the sheet or of the RFC that it comes from.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a helper of a test that cannot go on has nobody to tell"
)]

mod client;

mod discovery;
mod errors;
mod groups;
mod hostile;
mod limits;
mod lists;
mod patch;
mod rfc;
mod rfc_patch;
mod state;
mod users;
mod v1;
