//! The table of times, memory and requests.

use crate::case::{Case, saving};
use crate::cost::Cost;
use crate::options::Options;
use crate::service::{Requests, Service};
use crate::world::{Form, World};
use anyhow::{Context as _, Result, ensure};
use std::collections::BTreeMap;
use std::time::Duration;

/// Simulators by the snapshots that they serve.
type Services = BTreeMap<&'static str, Service>;

/// Runs the cases and prints a table for each size.
///
/// The runs of a case do not follow each other: all cases are run once, then all once more, so that a minute in which the
/// machine has something else to do disturbs one run of each.
///
/// # Errors
/// When a case fails.
pub(crate) fn print(options: &Options) -> Result<()> {
    for &people in &options.users {
        let world = options.world(people)?;
        let mut services = Services::new();
        for snapshot in options.cases().filter_map(Case::served) {
            if !services.contains_key(snapshot) {
                services.insert(snapshot, Service::start(&world.snapshot(snapshot))?);
            }
        }
        for snapshot in options.cases().filter_map(Case::saved) {
            saving(snapshot).context("no case saves this plan")?.run(&world, &options.program, None)?;
        }
        let mut measured: Vec<Measured> = options.cases().map(Measured::new).collect();
        for run in 1..=options.runs {
            eprintln!("{people} people, run {run} of {}", options.runs);
            for one in &mut measured {
                one.run_once(options, &world, &mut services)?;
            }
        }
        print_size(&measured, people, &world)?;
    }
    Ok(())
}

/// A case and what its runs cost.
struct Measured {
    case: &'static Case,
    costs: Vec<Cost>,
    requests: Option<Requests>,
}

impl Measured {
    fn new(case: &'static Case) -> Self {
        Self { case, costs: Vec::new(), requests: None }
    }

    fn run_once(&mut self, options: &Options, world: &World, services: &mut Services) -> Result<()> {
        let mut service = self.case.served().and_then(|snapshot| services.get_mut(snapshot));
        let cost = self.case.run(world, &options.program, service.as_deref())?;
        if let Some(service) = &mut service {
            let Requests { reads, writes, refused } = service.requests()?;
            let each = Requests { reads: reads / cost.rounds, writes: writes / cost.rounds, refused };
            ensure!(self.requests.is_none_or(|before| before == each), "{} asks differently", self.case.name);
            self.requests = Some(each);
        }
        self.costs.push(cost);
        Ok(())
    }

    /// Wall times, the shortest first.
    fn walls(&self) -> Vec<Duration> {
        let mut walls: Vec<Duration> = self.costs.iter().filter_map(|cost| cost.wall).collect();
        walls.sort_unstable();
        walls
    }

    fn wall(&self) -> Option<Duration> {
        self.walls().first().copied()
    }

    fn median(&self) -> Option<Duration> {
        let walls = self.walls();
        walls.get(walls.len() / 2).copied()
    }

    fn cpu(&self) -> Duration {
        self.costs.iter().map(|cost| cost.cpu).min().unwrap_or_default()
    }

    fn peak(&self) -> u64 {
        self.costs.iter().map(|cost| cost.peak).max().unwrap_or_default()
    }
}

#[allow(clippy::cast_precision_loss, reason = "figures of three digits")]
fn print_size(measured: &[Measured], people: usize, world: &World) -> Result<()> {
    let megabytes = |form| Ok::<f64, anyhow::Error>(world.size(form)? as f64 / 1e6);
    println!(
        "\n{people} people; a roster of {:.1} MB; the shortest of {} runs\n",
        megabytes(Form::File)?,
        measured.first().map_or(0, |one| one.costs.len()),
    );
    println!(
        "{:<38} {:>7} {:>7} {:>7} {:>7} {:>8} {:>6} {:>6} {:>7} {:>7}",
        "case", "s", "median", "CPU s", "MB/s", "peak MB", "reads", "writes", "× peer", "× CPU"
    );
    let mut peer = None;
    for one in measured {
        if one.case.is_peer() {
            peer = Some(one);
        }
        let seconds = |time: Option<Duration>| show(time.map(|time| time.as_secs_f64()), 3);
        let size = megabytes(one.case.form)?;
        let ratio =
            |mine: Option<Duration>, its: Option<Duration>| Some(mine?.as_secs_f64() / its?.as_secs_f64());
        println!(
            "{:<38} {:>7} {:>7} {:>7.3} {:>7} {:>8.1} {:>6} {:>6} {:>7} {:>7}",
            one.case.name,
            seconds(one.wall()),
            seconds(one.median()),
            one.cpu().as_secs_f64(),
            show(one.wall().map(|wall| size / wall.as_secs_f64()), 1),
            one.peak() as f64 / 1e6,
            one.requests.map_or_else(|| "-".to_owned(), |requests| requests.reads.to_string()),
            one.requests.map_or_else(|| "-".to_owned(), |requests| requests.writes.to_string()),
            show(ratio(one.wall(), peer.and_then(Measured::wall)), 2),
            show(ratio(Some(one.cpu()), peer.map(Measured::cpu)), 2),
        );
    }
    for one in measured.iter().filter(|one| one.costs.iter().any(|cost| cost.rounds > 1)) {
        let each = one.cpu().as_secs_f64() * 10_000.0 / people as f64;
        println!("\n{}: {each:.3} s of CPU for 10,000 people", one.case.name);
    }
    Ok(())
}

fn show(figure: Option<f64>, digits: usize) -> String {
    figure.map_or_else(|| "-".to_owned(), |figure| format!("{figure:.digits$}"))
}
