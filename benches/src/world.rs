//! The rosters and snapshots that are measured on.

use anyhow::{Result, ensure};
use end_to_end::generate::{self, Company};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The seed of every company here.
const SEED: u64 = 1;

/// Limits of the roster's policy, and what stands in their place in the roster that a guard stops.
const LIMITS: [(&str, &str); 2] =
    [("createUsers: 1000000", "createUsers: 0"), ("removeMembers: 100%", "removeMembers: 0")];

/// The files of a company.
#[derive(Debug)]
pub(crate) struct World {
    /// Where they are.
    pub(crate) folder: PathBuf,
}

/// Which form of the roster is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// One file.
    File,
    /// A folder with a file for every thousand people and every hundred groups.
    Folder,
    /// One file whose policy allows no creation and no removal, to bring a run to the point where guards have judged it.
    Guarded,
}

impl World {
    /// The roster.
    pub(crate) fn roster(&self, form: Form) -> PathBuf {
        self.folder.join(match form {
            Form::File => "roster.yaml",
            Form::Folder => "roster",
            Form::Guarded => "guarded.yaml",
        })
    }

    /// A snapshot.
    pub(crate) fn snapshot(&self, variant: &str) -> PathBuf {
        self.folder.join(variant).with_extension("json")
    }

    /// The plan against a snapshot, where it is saved.
    pub(crate) fn plan(&self, variant: &str) -> PathBuf {
        self.folder.join(format!("{variant}.plan.json"))
    }

    /// The bytes of a roster, all files together.
    pub(crate) fn size(&self, form: Form) -> Result<u64> {
        size(&self.roster(form))
    }
}

/// Writes a company of so many people into a folder, in place of what is there.
pub(crate) fn make(folder: &Path, people: usize) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    generate::write(&Company::new(people, SEED), folder)?;
    let world = World { folder: folder.to_path_buf() };
    let mut roster = fs::read_to_string(world.roster(Form::File))?;
    for (generous, strict) in LIMITS {
        ensure!(roster.contains(generous), "the generator's policy no longer says {generous:?}");
        roster = roster.replacen(generous, strict, 1);
    }
    Ok(fs::write(world.roster(Form::Guarded), roster)?)
}

fn size(path: &Path) -> Result<u64> {
    if !path.is_dir() {
        return Ok(fs::metadata(path)?.len());
    }
    fs::read_dir(path)?.map(|entry| size(&entry?.path())).sum()
}
