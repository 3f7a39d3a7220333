//! Measures `rosterctl` on made-up companies, beside a peer, and prints tables.
//!
//! Every case is a process of its own that starts, reads its files and ends, as it would for a person; the table is made
//! from what the operating system says that the process took. `docs/performance.md` shows one and says what it means.

#![forbid(unsafe_code)]

mod case;
mod cost;
mod instructions;
mod options;
mod peer;
mod service;
mod table;
mod world;

use anyhow::Result;
use options::Options;
use std::path::Path;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        // What this program and `peers/compare.py` ask of it, in processes of their own.
        ["world", folder, people] => world::make(Path::new(folder), people.parse()?),
        ["peer", roster] => peer::run(Path::new(roster)),
        ["serve", snapshot, limits] => service::serve(Path::new(snapshot), limits),
        _ => {
            let options = Options::parse(&words)?;
            if options.instructions { instructions::print(&options) } else { table::print(&options) }
        }
    }
}
