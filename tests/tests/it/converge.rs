//! A roster that was applied is what the workspace is, whatever Slack's documents leave open.
//!
//! Every value of every switch is tried by itself, and many together. What a reading makes impossible stands in
//! [`IMPOSSIBLE`] with the reason; everything else must converge, and what is impossible must be said.

use crate::trial::{Ran, run, switched};
use end_to_end::worlds::{self, World};
use slack_sim::Switches;
use std::collections::BTreeSet;

/// Changes that a reading of the documents makes impossible.
struct Impossible {
    world: &'static str,
    /// Switches with their values, all of which it takes.
    reading: &'static [(&'static str, &'static str)],
    /// Whose changes fail.
    names: &'static [&'static str],
    why: &'static str,
}

const fn row(
    world: &'static str,
    reading: &'static [(&'static str, &'static str)],
    names: &'static [&'static str],
    why: &'static str,
) -> Impossible {
    Impossible { world, reading, names, why }
}

const IMPOSSIBLE: &[Impossible] = &[
    row("acme", &[("plan", "business-plus")], &["rosa", "kim", "design"], GUESTS),
    row("nasty", &[("plan", "business-plus")], &["guest2", "guest3", "guest6", "guest7"], GUESTS),
    row(
        "acme",
        &[("guests-in-groups", "refused")],
        &["design"],
        "rosa is a guest, whom no group takes (S14)",
    ),
    row("nasty", &[("patch-deactivated", "refused-400")], &["sam.elder", "sam"], GIVES_UP),
    row("nasty", &[("patch-deactivated", "refused-403")], &["sam.elder", "sam"], GIVES_UP),
    row("nasty", &[("patch-deactivated", "refused-404")], &["sam.elder", "sam"], GIVES_UP),
    row(
        "nasty",
        &[("display-name", "locked")],
        EVERYTHING,
        "the policy enforces names that the org locks (S6)",
    ),
    row(
        "nasty",
        &[("patch-start-date", "refused")],
        EVERYTHING,
        "no form of PATCH writes the start date (S11)",
    ),
    row(
        "nasty",
        &[("token-rank", "admin"), ("rank-rule", "lower")],
        &["admin"],
        "admins may not change admins (S13)",
    ),
];

const GUESTS: &str = "guests need the Enterprise plan (S6)";
const GIVES_UP: &str =
    "the deactivated account cannot give up the name and address that somebody else needs (S6)";
/// Those whose PATCH carries every attribute.
const EVERYTHING: &[&str] = &["clear", "blank", "others"];

/// Whose changes may fail under these switches.
fn impossible(world: &World, switches: &Switches) -> Vec<&'static str> {
    let values = switches.values();
    let is_set = |(name, value): &(&str, &str)| values.iter().any(|(n, v)| n == name && v == value);
    let rows = IMPOSSIBLE.iter().filter(|row| row.world == world.name && row.reading.iter().all(is_set));
    rows.flat_map(|row| row.names).copied().collect()
}

/// Runs and compares with what is possible; the complaint, if there is one.
async fn complaint(world: &World, switches: &Switches) -> Option<String> {
    let ran = match run(world, switches).await {
        Ok(ran) => ran,
        Err(why) => return Some(format!("no plan: {why}")),
    };
    let may_fail = impossible(world, switches);
    let unexpected: Vec<_> =
        ran.failures.iter().filter(|(name, _)| !may_fail.contains(&name.as_str())).collect();
    let problem = if !ran.breaches.is_empty() {
        "it misbehaved"
    } else if !unexpected.is_empty() {
        "changes failed that are possible"
    } else if may_fail.is_empty() && !ran.is_converged() {
        "it did not converge"
    } else if ran.success != ran.is_converged() {
        "the report does not tell what came of it"
    } else if ran.failures.is_empty() && !ran.is_converged() {
        "nothing failed, and yet the workspace is not as the roster says"
    } else {
        return None;
    };
    Some(format!("{problem}: {ran:#?}"))
}

async fn under_every_reading(world: World) {
    let mut complaints = Vec::new();
    let mut tried = 0;
    for switch in Switches::describe() {
        // The draw has what a real Slack may be; beyond it there are other services, and plans without SCIM.
        let all = if switch.draw.len() > 1 { switch.draw.to_vec() } else { switch.allowed.clone() };
        for value in all {
            let mut switches = Switches::default();
            let is_reading = value != switch.default && !matches!(switch.name, "dialect");
            if !is_reading || switches.set(switch.name, value).is_err() {
                continue;
            }
            tried += 1;
            if let Some(complaint) = complaint(&world, &switches).await {
                complaints.push(format!("{}={value}: {complaint}", switch.name));
            }
        }
    }
    assert!(tried > 60, "only {tried} values were tried");
    assert!(
        complaints.is_empty(),
        "{} of {tried} on {}:\n{}",
        complaints.len(),
        world.name,
        complaints.join("\n")
    );
}

#[tokio::test(start_paused = true)]
async fn the_example_company_converges_under_every_reading() {
    under_every_reading(worlds::acme()).await;
}

#[tokio::test(start_paused = true)]
async fn swaps_circles_and_clears_converge_under_every_reading() {
    under_every_reading(worlds::nasty()).await;
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_removes_what_is_not_listed_converges_under_every_reading() {
    under_every_reading(worlds::strict()).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_held_to_be_impossible_is_and_is_said() {
    for row in IMPOSSIBLE {
        let world = if row.world == "acme" { worlds::acme() } else { worlds::nasty() };
        let ran = run(&world, &switched(row.reading)).await.unwrap();
        let failed: BTreeSet<&str> = ran.failures.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(failed, row.names.iter().copied().collect(), "{:?} ({}): {ran:#?}", row.reading, row.why);
        assert!(!ran.success && !ran.is_converged(), "{:?}: {ran:#?}", row.reading);
    }
}

async fn under_readings_drawn_by_lot(world: World, seeds: std::ops::Range<u64>) {
    let mut complaints = Vec::new();
    for seed in seeds {
        let switches = Switches::random(&mut fastrand::Rng::with_seed(seed));
        if let Some(complaint) = complaint(&world, &switches).await {
            complaints.push(format!("seed {seed}, {:?}: {complaint}", switches.changed()));
        }
    }
    assert!(complaints.is_empty(), "{} on {}:\n{}", complaints.len(), world.name, complaints.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn swaps_circles_and_clears_converge_under_readings_drawn_by_lot() {
    under_readings_drawn_by_lot(worlds::nasty(), 0..35).await;
}

#[tokio::test(start_paused = true)]
async fn swaps_circles_and_clears_converge_under_more_readings_drawn_by_lot() {
    under_readings_drawn_by_lot(worlds::nasty(), 35..70).await;
}

#[tokio::test(start_paused = true)]
async fn the_example_company_converges_under_readings_drawn_by_lot() {
    under_readings_drawn_by_lot(worlds::acme(), 70..90).await;
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_removes_what_is_not_listed_converges_under_readings_drawn_by_lot() {
    under_readings_drawn_by_lot(worlds::strict(), 90..150).await;
}

#[tokio::test(start_paused = true)]
async fn more_members_than_one_request_may_carry_converge() {
    let switches = switched(&[("group-read-delay", "3"), ("patch-group-answer", "empty")]);
    assert_eq!(complaint(&worlds::crowded(), &switches).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_plain_scim_service_converges() {
    for world in [worlds::acme(), worlds::nasty(), worlds::strict()] {
        let world = world.without_slacks_extensions();
        assert_eq!(complaint(&world, &Switches::rfc()).await, None, "{}", world.name);
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_without_scim_is_refused_with_the_reason() {
    let why = run(&worlds::acme(), &switched(&[("plan", "free")])).await.unwrap_err();
    assert!(why.contains("plus_teams_only"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn without_surprises_a_run_sends_the_requests_of_its_plan_and_no_others() {
    for world in [worlds::acme(), worlds::nasty(), worlds::strict()] {
        let Ran { planned, written, .. } = run(&world, &Switches::default()).await.unwrap();
        assert_eq!(planned, written, "{}", world.name);
    }
}
