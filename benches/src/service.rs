//! The simulator, as a process of its own, serving a snapshot over HTTP and counting what it is asked.

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use slack_sim::{Seed, Simulator, Switches};
use std::fs;
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// The requests of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Requests {
    pub(crate) reads: u32,
    pub(crate) writes: u32,
    /// How many of them were above a limit, 429.
    pub(crate) refused: u32,
}

/// A simulator that runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Service {
    process: Child,
    questions: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    url: String,
}

impl Service {
    /// Starts a simulator that holds what a snapshot does.
    pub(crate) fn start(snapshot: &Path) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("serve").arg(snapshot).arg("off").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn()?;
        let questions = process.stdin.take().context("no stdin")?;
        let mut answers = BufReader::new(process.stdout.take().context("no stdout")?).lines();
        let url = answers.next().context("the simulator did not start")??;
        Ok(Self { process, questions, answers, url })
    }

    /// Where it answers.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What it was asked since this was last called.
    pub(crate) fn requests(&mut self) -> Result<Requests> {
        writeln!(self.questions)?;
        let answer = self.answers.next().context("the simulator ended")??;
        let counts: Vec<u32> = answer.split(' ').map(str::parse).collect::<Result<_, _>>()?;
        let [reads, writes, refused] = counts[..] else { bail!("the simulator said {answer:?}") };
        Ok(Requests { reads, writes, refused })
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Serves a snapshot: prints the URL, and for each line of its input how many reads and writes there were since the last,
/// and how many of them were above a limit.
///
/// With Slack's rate limits `off`, runs may follow each other faster than those of a person would. The client keeps to
/// them all the same; the reads of one plan fit into their burst.
///
/// # Errors
/// When the snapshot is none, there are no such limits, or the operating system refuses.
pub(crate) fn serve(snapshot: &Path, limits: &str) -> Result<()> {
    let mut switches = Switches::default();
    switches.set("rate-limits", limits)?;
    let mut document: Value = serde_json::from_str(&fs::read_to_string(snapshot)?)?;
    // The rest of a snapshot is no seed.
    document.as_object_mut().context("no snapshot")?.retain(|key, _| key == "users" || key == "groups");
    let seed = Seed::parse(&document.to_string())?;
    drop(document);
    let runtime = Runtime::new()?;
    let _entered = runtime.enter();
    let simulator = Simulator::new(&seed, switches)?;
    drop(seed);
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    println!("http://{}/scim/v2", listener.local_addr()?);
    runtime.spawn(simulator.clone().serve(listener, std::future::pending()));
    for line in std::io::stdin().lock().lines() {
        line?;
        let requests = simulator.requests();
        simulator.clear_requests();
        let reads = requests.iter().filter(|request| request.method == "GET").count();
        let refused = requests.iter().filter(|request| request.status == 429).count();
        println!("{reads} {} {refused}", requests.len() - reads);
    }
    Ok(())
}
