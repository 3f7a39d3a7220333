//! A run from end to end: read the roster and the directory, plan, judge, apply, read back.
//!
//! Planning is a pure function of what was read ([`planner::plan`]) and gets only the type that cannot write
//! ([`scim_adapter::Reader`]); [`run::Run`] alone holds a writer.

#![forbid(unsafe_code)]

pub mod daemon;
pub mod digest;
pub mod guard;
pub mod journal;
pub mod planner;
mod progress;
pub mod revert;
pub mod run;
pub mod saved;
pub mod schedule;
mod sending;
mod sentinel;
pub mod snapshot;
pub mod source;
mod stop;
