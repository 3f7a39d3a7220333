//! What is read from outside, and what must hold of it whatever was read: one function a kind of input.
//!
//! Each takes any bytes, returns when all is well and panics when not. The fuzz targets in `fuzz/` call them with bytes
//! that a fuzzer makes, `tests/it/fuzzing.rs` with bytes that proptest makes, so that what one finds the other keeps.
//!
//! Where an input has parts, they are separated by lines of three percent signs.

mod files;
mod roster;
mod service;
mod simulator;

pub use files::{journal, plan, snapshot};
pub use roster::roster;
pub use service::service;
pub use simulator::{filter, patch};

use tokio::runtime::{Builder, Runtime};

/// What a target does with its input.
pub type Check = fn(&[u8]);

/// The targets by their names in `fuzz/`, where the folders of their seeds are called so as well.
pub const TARGETS: &[(&str, Check)] = &[
    ("roster", roster),
    ("service", service),
    ("filter", filter),
    ("patch", patch),
    ("plan", plan),
    ("journal", journal),
    ("snapshot", snapshot),
];

/// The parts of an input.
fn parts(data: &[u8]) -> Vec<&[u8]> {
    const BETWEEN: &[u8] = b"\n%%%\n";
    let mut parts = Vec::new();
    let mut rest = data;
    while let Some(at) = rest.windows(BETWEEN.len()).position(|window| window == BETWEEN) {
        parts.push(&rest[..at]);
        rest = &rest[at + BETWEEN.len()..];
    }
    parts.push(rest);
    parts
}

/// Time that passes only when everybody waits: no input can make a target slow by having it wait.
fn paused() -> Runtime {
    Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}
