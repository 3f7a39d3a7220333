//! The table of instruction counts, which do not depend on what else the machine does.

use crate::case::Case;
use crate::options::Options;
use crate::world::World;
use anyhow::{Context as _, Result, bail, ensure};
use std::io::ErrorKind;
use std::process::{Command, Stdio};

const MISSING: &str = "`valgrind` is missing; it is a package of that name in Debian, Ubuntu, Fedora, Arch and Alpine \
                       (there is none for macOS on Apple's processors: use a container)";

/// Counts the instructions of each case that talks to nobody, and prints a table for each size.
///
/// Counts of the same program differ by less than a thousandth from run to run (hash tables begin with a number drawn by
/// chance), so each case is run once.
///
/// # Errors
/// When valgrind is missing or a case fails.
pub(crate) fn print(options: &Options) -> Result<()> {
    for &people in &options.users {
        let world = options.world(people)?;
        println!(
            "\n{people} people\n\n{:<38} {:>12} {:>12} {:>7}",
            "case", "million", "per person", "× peer"
        );
        let mut peer = None;
        for case in options.cases().filter(|case| case.served().is_none()) {
            let count = count(options, &world, case)?;
            if case.is_peer() {
                peer = Some(count);
            }
            #[allow(clippy::cast_precision_loss, reason = "figures of three digits")]
            let ratio = count as f64 / peer.unwrap_or(count) as f64;
            println!(
                "{:<38} {:>12} {:>12} {ratio:>7.2}",
                case.name,
                count / 1_000_000,
                count / people as u64,
            );
        }
    }
    Ok(())
}

fn count(options: &Options, world: &World, case: &Case) -> Result<u64> {
    let command = case.command(world, &options.program, None)?;
    let slug: String = case.name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let out = world.folder.join(format!("{slug}.callgrind"));
    let mut valgrind = Command::new("valgrind");
    valgrind.arg("--tool=callgrind").arg(format!("--callgrind-out-file={}", out.display()));
    valgrind.arg(command.get_program()).args(command.get_args());
    valgrind.stdin(Stdio::null()).stdout(Stdio::null());
    let output = match valgrind.stderr(Stdio::piped()).output() {
        Err(error) if error.kind() == ErrorKind::NotFound => bail!(MISSING),
        output => output?,
    };
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{valgrind:?}: {said}");
    // "==123== Collected : 456"
    let line =
        said.lines().find_map(|line| line.split_once("Collected :")).context("callgrind gave no count")?;
    line.1.trim().parse().with_context(|| format!("callgrind said {:?}", line.1))
}
