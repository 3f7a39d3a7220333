//! The peer: `serde_yaml` 0.9 alone, from the same bytes into plain structs.
//!
//! It does less than anybody who wants to use a roster: it checks nothing but the types, keeps no places for messages,
//! stops at the first mistake, and compares nothing.

use anyhow::{Context as _, Result};
use serde::Deserialize;
use std::fs;
use std::path::{Path, PathBuf};

/// A roster file.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct File {
    version: u32,
    workspace: Option<String>,
    policy: Option<serde_yaml::Value>,
    users: Vec<Person>,
    groups: Vec<Group>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Person {
    user_name: String,
    email: String,
    name: Option<Name>,
    title: Option<String>,
    phone: Option<String>,
    address: Option<Address>,
    timezone: Option<String>,
    employee_number: Option<String>,
    department: Option<String>,
    manager: Option<String>,
    start_date: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Name {
    given_name: Option<String>,
    family_name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Address {
    locality: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Group {
    display_name: String,
    members: Vec<String>,
}

/// Parses a roster, a file or a folder, and keeps what it says until the process ends.
///
/// # Errors
/// When a file cannot be read or is no roster.
pub(crate) fn run(roster: &Path) -> Result<()> {
    let mut paths = Vec::new();
    collect(roster, &mut paths)?;
    let read = |path: &PathBuf| {
        let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        serde_yaml::from_str::<File>(&text).with_context(|| path.display().to_string())
    };
    let files: Vec<File> = paths.iter().map(read).collect::<Result<_>>()?;
    // A process that ends need not take its memory apart, and what is measured is to be the parsing.
    std::mem::forget(std::hint::black_box(files));
    Ok(())
}

fn collect(path: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    if !path.is_dir() {
        paths.push(path.to_path_buf());
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        collect(&entry?.path(), paths)?;
    }
    Ok(())
}
