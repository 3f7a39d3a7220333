//! The deterministic simulation: one seed is a company, a service with its faults, other people, a process that dies, and
//! a judge of what the client did.
//!
//! Everything is drawn from the seed and runs on a paused clock in one thread, so a seed that fails once fails always.
//! What is judged is the simulator's own state and the requests it was sent; the judge has nothing of the client but the
//! roster it reads.

pub mod asked;
pub mod course;
pub mod demand;
pub mod disk;
pub mod faults;
pub mod ledger;
pub mod line;
pub mod lots;
pub mod others;
pub mod process;
pub mod promises;
pub mod sabotage;
pub mod service;
pub mod sweep;
