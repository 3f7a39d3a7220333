//! What was asked for on the command line.

use crate::case::{CASES, Case};
use crate::world::World;
use anyhow::{Context as _, Result, bail};
use std::path::PathBuf;
use std::process::Command;

const USAGE: &str =
    "usage: benches [--users N,N,…] [--runs N] [--only TEXT] [--program FILE] [--instructions]
  --users N,N,…    sizes of the companies (1000,10000,100000)
  --runs N         how often each case is run (3)
  --only TEXT      only the cases whose names contain TEXT, and the peer
  --program FILE   the rosterctl to measure (the one beside this program)
  --instructions   count instructions under callgrind instead; each case is run once";

/// The options.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) users: Vec<usize>,
    pub(crate) runs: usize,
    only: String,
    pub(crate) program: PathBuf,
    pub(crate) instructions: bool,
    /// Where the companies are written: in cargo's target folder.
    worlds: PathBuf,
}

impl Options {
    pub(crate) fn parse(words: &[&str]) -> Result<Self> {
        let here = std::env::current_exe()?;
        let release = here.parent().context("this program lies nowhere")?;
        let mut options = Self {
            users: vec![1_000, 10_000, 100_000],
            runs: 3,
            only: String::new(),
            program: release.join("rosterctl"),
            instructions: false,
            worlds: release.with_file_name("bench"),
        };
        let mut words = words.iter();
        while let Some(&word) = words.next() {
            let mut value = || words.next().copied().context(USAGE);
            match word {
                "--users" => {
                    let list = value()?;
                    options.users =
                        list.split(',').map(str::parse).collect::<Result<_, _>>().context(USAGE)?;
                }
                "--runs" => options.runs = value()?.parse::<usize>().context(USAGE)?.max(1),
                "--only" => value()?.clone_into(&mut options.only),
                "--program" => options.program = value()?.into(),
                "--instructions" => options.instructions = true,
                _ => bail!("{word:?} is not known\n{USAGE}"),
            }
        }
        if !options.program.exists() {
            bail!("{} is missing; `just bench` builds it", options.program.display());
        }
        Ok(options)
    }

    /// The cases that are wanted: a peer stands before what is compared with it, and is always among them.
    pub(crate) fn cases(&self) -> impl Iterator<Item = &'static Case> {
        CASES.iter().filter(|case| case.is_peer() || case.name.contains(self.only.as_str()))
    }

    /// A company of so many people, made anew.
    pub(crate) fn world(&self, people: usize) -> Result<World> {
        let folder = self.worlds.join(people.to_string());
        // In a child, for a process that was once large makes all its children look large.
        let mut make = Command::new(std::env::current_exe()?);
        let status = make.arg("world").arg(&folder).arg(people.to_string()).status()?;
        if !status.success() {
            bail!("the company of {people} people could not be made");
        }
        Ok(World { folder })
    }
}
