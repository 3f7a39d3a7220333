//! Putting the steps in order.

use crate::steps::{Class, Steps};
use model::change::{ChangeId, Dependency, Need};
use model::{Change, Changeset, Diagnostic};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Puts every step after those it waits for and otherwise in the order in which people read them: what is taken away,
/// people, groups, deletions; the roster's order within each.
///
/// # Errors
/// When steps wait for each other in a circle that should have been cut. Nothing is planned then.
pub(crate) fn ordered(steps: Steps) -> Result<Changeset, Vec<Diagnostic>> {
    let count = steps.list.len();
    let mut waited_by: Vec<Vec<usize>> = vec![Vec::new(); count];
    let mut open: Vec<usize> = vec![0; count];
    for (id, step) in steps.list.iter().enumerate() {
        for (on, _) in &step.waits {
            waited_by[*on].push(id);
            open[id] += 1;
        }
    }
    let key = |id: usize| (steps.list[id].class, steps.list[id].position, id);
    let mut ready: BinaryHeap<Reverse<(Class, usize, usize)>> =
        (0..count).filter(|id| open[*id] == 0).map(|id| Reverse(key(id))).collect();
    let mut order = Vec::with_capacity(count);
    let mut rank = vec![0_u32; count];
    while let Some(Reverse((.., id))) = ready.pop() {
        rank[id] = u32::try_from(order.len()).unwrap_or(u32::MAX);
        order.push(id);
        for next in &waited_by[id] {
            open[*next] -= 1;
            if open[*next] == 0 {
                ready.push(Reverse(key(*next)));
            }
        }
    }
    if order.len() < count {
        let stuck: Vec<String> =
            (0..count).filter(|id| open[*id] > 0).map(|id| steps.list[id].name.to_string()).collect();
        return Err(vec![circle(&stuck)]);
    }
    // With steps and changes beside each other this is where a plan takes the most memory.
    drop(waited_by);
    let mut list: Vec<Option<crate::steps::Step>> = steps.list.into_iter().map(Some).collect();
    let mut changes = Vec::with_capacity(count);
    for step in order.into_iter().filter_map(|id| list[id].take()) {
        let mut waits_for: Vec<Dependency> =
            step.waits.into_iter().map(|(on, need)| Dependency { on: ChangeId(rank[on]), need }).collect();
        // Of two reasons to wait for the same change, the stricter one counts.
        waits_for.sort_by_key(|wait| (wait.on, wait.need != Need::Success));
        waits_for.dedup_by_key(|wait| wait.on);
        waits_for.shrink_to_fit();
        changes.push(Change { action: step.action, name: step.name, origin: step.origin, waits_for });
    }
    Ok(Changeset { changes })
}

fn circle(names: &[String]) -> Diagnostic {
    Diagnostic {
        severity: model::Severity::Error,
        code: "no-order",
        message: format!("no order of requests was found for {}", crate::notes::list(names)),
        label: model::diagnostic::Label { place: None, text: String::new() },
        related: Vec::new(),
        help: Some("this is a fault of rosterctl's; make these changes in two steps".to_owned()),
    }
}
