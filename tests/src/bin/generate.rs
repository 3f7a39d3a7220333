//! Writes the rosters and workspaces of a made-up company.
//!
//! `generate --users N [--seed S] --out DIR` writes `roster.yaml`, the folder `roster`, and a snapshot for each variant.

#![forbid(unsafe_code)]

use end_to_end::generate::{self, Company};
use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let mut users = 1_000;
    let mut seed = 1;
    let mut out = None;
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{name} takes a value"))?;
        match &*name {
            "--users" => users = value.parse()?,
            "--seed" => seed = value.parse()?,
            "--out" => out = Some(PathBuf::from(value)),
            _ => return Err(format!("{name} is not known: --users N --seed S --out DIR").into()),
        }
    }
    Ok(generate::write(&Company::new(users, seed), &out.ok_or("--out DIR is missing")?)?)
}
