//! Runs seeds of the deterministic simulation: `simulate --seeds 10000`, `--from A`, or one of them in all detail with
//! `--seed N`.

#![allow(clippy::print_stdout, reason = "a command's result goes to its standard output")]

use end_to_end::simulation::course::{self, Verdict};
use end_to_end::simulation::sweep::{Sweep, sweep};
use std::process::ExitCode;
use std::time::Instant;

const USAGE: &str = "usage: simulate [--seeds COUNT] [--from FIRST] [--threads COUNT] | --seed SEED";

fn main() -> ExitCode {
    match arguments() {
        Ok(Task::One(seed)) => one(seed),
        Ok(Task::Many { from, seeds, threads }) => many(from, seeds, threads),
        Err(why) => {
            println!("{why}\n{USAGE}");
            ExitCode::from(64)
        }
    }
}

enum Task {
    One(u64),
    Many { from: u64, seeds: u64, threads: usize },
}

fn arguments() -> Result<Task, String> {
    let mut given = std::env::args().skip(1);
    let (mut from, mut seeds, mut one) = (0, 1_000, None);
    let mut threads = std::thread::available_parallelism().map_or(1, usize::from);
    while let Some(name) = given.next() {
        let value = given.next().ok_or_else(|| format!("{name} lacks its value"))?;
        let number: u64 = value.parse().map_err(|_| format!("{name} takes a number, not {value}"))?;
        match name.as_str() {
            "--seed" => one = Some(number),
            "--seeds" => seeds = number,
            "--from" => from = number,
            "--threads" => threads = usize::try_from(number).unwrap_or(1).max(1),
            _ => return Err(format!("there is no argument {name}")),
        }
    }
    Ok(one.map_or(Task::Many { from, seeds, threads }, Task::One))
}

/// One seed with everything that happened.
fn one(seed: u64) -> ExitCode {
    let verdict = course::run(seed);
    println!("{}", course::company(seed));
    for line in verdict.requests() {
        println!("{line}");
    }
    print(&verdict);
    if verdict.broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn print(verdict: &Verdict) {
    for line in &verdict.story {
        println!("  {line}");
    }
    for line in &verdict.broken {
        println!("  BROKEN {line}");
    }
    println!("  {}", verdict.outcome);
}

fn many(from: u64, seeds: u64, threads: usize) -> ExitCode {
    let started = Instant::now();
    let Sweep { failures, outcomes, requests } =
        sweep(from..from.saturating_add(seeds), threads, &course::run);
    for (seed, verdict) in &failures {
        println!("{}", course::replay(*seed));
        print(verdict);
    }
    let seconds = started.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = seeds as f64 / seconds.max(0.001);
    println!(
        "{seeds} seeds from {from}, {requests} requests, {seconds:.1} s, {rate:.0} seeds/s: {outcomes:?}"
    );
    if failures.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("{} failed", failures.len());
    ExitCode::FAILURE
}
