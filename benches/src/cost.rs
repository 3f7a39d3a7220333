//! What a process costs.

use anyhow::{Context as _, Result, bail, ensure};
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use wait4::{ResourceUsage, Wait4 as _};

/// What one run cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    /// From the start of the process to its end; nothing for a daemon, which pauses.
    pub(crate) wall: Option<Duration>,
    /// Processor time of all threads, in the program and on its behalf.
    pub(crate) cpu: Duration,
    /// The most memory that the process ever had, in bytes.
    pub(crate) peak: u64,
    /// How often it did what the case is about. Wall time and processor time are of one such time.
    pub(crate) rounds: u32,
}

/// Runs a command to its end; what it prints is thrown away, what it complains of is not.
///
/// # Errors
/// When it cannot be run or ends with another code than `code`.
pub(crate) fn measure(command: &mut Command, code: i32) -> Result<Cost> {
    let start = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let mut complaints = String::new();
    child.stderr.take().context("no stderr")?.read_to_string(&mut complaints)?;
    let end = child.wait4()?;
    let wall = start.elapsed();
    ensure!(end.status.code() == Some(code), "{command:?}: {}: {complaints}", end.status);
    let ResourceUsage { utime, stime, maxrss } = end.rusage;
    Ok(Cost { wall: Some(wall), cpu: utime + stime, peak: maxrss, rounds: 1 })
}

/// Runs a daemon until it has been in sync for so many rounds, and ends it in order. The cost of its start is shared out
/// among the rounds.
///
/// # Errors
/// When a round ends in another way.
pub(crate) fn measure_daemon(command: &mut Command, rounds: u32) -> Result<Cost> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn()?;
    let mut lines = BufReader::new(child.stdout.take().context("no stdout")?).lines();
    let mut ended = 0;
    while ended < rounds {
        let line = lines.next().context("the daemon ended")??;
        if line.contains("Round ") {
            if !line.contains(": in sync") {
                child.kill()?;
                bail!("the daemon said {line:?}");
            }
            ended += 1;
        }
    }
    ensure!(Command::new("kill").arg(child.id().to_string()).status()?.success(), "no `kill`");
    for line in lines {
        line?;
    }
    let end = child.wait4()?;
    ensure!(end.status.success(), "the daemon: {}", end.status);
    let ResourceUsage { utime, stime, maxrss } = end.rusage;
    Ok(Cost { wall: None, cpu: (utime + stime) / rounds, peak: maxrss, rounds })
}
