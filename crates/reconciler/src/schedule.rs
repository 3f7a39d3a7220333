//! Which change starts next: whatever may, as soon as the service's limits let it (design §6).
//!
//! What takes away goes first, with all it waits for. Otherwise people go in an order that completes one group after
//! the other, the group that lacks fewest first, so that groups, too, are spread over the run and do not all come at its
//! end; and a manager goes early enough for the chain of reports below.

use crate::sentinel;
use model::change::{Action, Change, ChangeId, ChangeKind};
use model::plan::Plan;
use scim_adapter::{Buckets, Budget, RequestKind};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::time::Duration;

/// How many changes of one kind are under way at once. With answers that take up to some seconds this keeps every limit of
/// sheet S15 busy; more would only wait in line, and be lost together if the process died.
const PER_KIND: usize = 8;

/// By how many places a change is moved ahead of one that waits for it: as many requests of a kind as Slack's limits let
/// through while an answer is on its way.
const LEAD: i64 = 2;

/// How long an answer is taken to be on its way when a run is estimated.
const ANSWER: Duration = Duration::from_millis(250);

/// The changes of a plan that have not started.
pub(crate) struct Schedule {
    kinds: Vec<RequestKind>,
    /// The place of each change in the line; whether it takes away stands first.
    places: Vec<Place>,
    /// How many dependencies of each change are not over.
    open: Vec<u32>,
    /// Who waits for each change.
    dependents: Vec<Vec<ChangeId>>,
    /// What each change is.
    changes: Vec<ChangeKind>,
    /// What may start now.
    ready: BTreeMap<(RequestKind, ChangeKind), BTreeSet<(Place, ChangeId)>>,
    /// How many of each kind are under way.
    under_way: BTreeMap<RequestKind, usize>,
    /// How many of each kind have not started.
    left: BTreeMap<RequestKind, usize>,
}

/// A place in the line: those that take away before all others (`false < true`), then by number.
type Place = (bool, i64);

impl Schedule {
    /// Of changes, each with the kind of its request.
    pub(crate) fn new(changes: &[Change], kinds: Vec<RequestKind>) -> Self {
        let mut dependents = vec![Vec::new(); changes.len()];
        for (id, change) in numbered(changes) {
            for dependency in &change.waits_for {
                if let Some(list) = dependents.get_mut(dependency.on.get()) {
                    list.push(id);
                }
            }
        }
        let mut left: BTreeMap<RequestKind, usize> = BTreeMap::new();
        for kind in &kinds {
            *left.entry(*kind).or_default() += 1;
        }
        let mut schedule = Self {
            places: places(changes, &dependents),
            open: changes
                .iter()
                .map(|change| u32::try_from(change.waits_for.len()).unwrap_or(u32::MAX))
                .collect(),
            kinds,
            changes: changes.iter().map(Change::kind).collect(),
            dependents,
            ready: BTreeMap::new(),
            under_way: BTreeMap::new(),
            left,
        };
        for (id, change) in numbered(changes) {
            if change.waits_for.is_empty() {
                schedule.release(id);
            }
        }
        schedule
    }

    /// Lets a change start whose dependencies are over.
    pub(crate) fn release(&mut self, id: ChangeId) {
        let at = id.get();
        if let (Some(kind), Some(change), Some(place)) =
            (self.kinds.get(at), self.changes.get(at), self.places.get(at))
        {
            self.ready.entry((*kind, *change)).or_default().insert((*place, id));
        }
    }

    /// Whether anything could start but for limits.
    pub(crate) fn has_ready(&self) -> bool {
        self.ready.values().any(|ready| !ready.is_empty())
    }

    /// Whether anything has not started.
    pub(crate) fn is_waiting(&self) -> bool {
        self.has_ready() || self.open.iter().any(|open| *open > 0)
    }

    /// Takes the change that is to start next, of those whose request and change `may_go`; `None` when none may. It counts
    /// as under way until it is over.
    pub(crate) fn next(
        &mut self,
        mut may_go: impl FnMut(RequestKind, ChangeKind) -> bool,
    ) -> Option<ChangeId> {
        let mut firsts: Vec<_> = self
            .ready
            .iter()
            .filter(|((kind, _), _)| self.under_way.get(kind).is_none_or(|count| *count < PER_KIND))
            .filter_map(|((kind, change), ready)| {
                let ((gives, place), _) = *ready.first()?;
                // Of two kinds the one with more to do: it will be the last to end.
                let left = self.left.get(kind).copied().unwrap_or_default();
                Some((gives, Reverse(left), place, *kind, *change))
            })
            .collect();
        firsts.sort_unstable();
        let (.., kind, change) = firsts.into_iter().find(|(.., kind, change)| may_go(*kind, *change))?;
        let (_, id) = self.ready.get_mut(&(kind, change))?.pop_first()?;
        *self.left.entry(kind).or_default() -= 1;
        *self.under_way.entry(kind).or_default() += 1;
        Some(id)
    }

    /// A change that was started is over.
    pub(crate) fn end(&mut self, id: ChangeId) {
        if let Some(count) = self.kinds.get(id.get()).and_then(|kind| self.under_way.get_mut(kind)) {
            *count -= 1;
        }
    }

    /// The changes that waited for this one, which is over, and wait for nothing more. To be asked once for each change.
    pub(crate) fn freed_by(&mut self, id: ChangeId) -> Vec<ChangeId> {
        let mut freed = self.dependents.get_mut(id.get()).map(std::mem::take).unwrap_or_default();
        freed.retain(|dependent| {
            let Some(open) = self.open.get_mut(dependent.get()) else { return false };
            *open -= 1;
            *open == 0
        });
        freed
    }

    /// Gives up on everything that has not started, and says what that was.
    pub(crate) fn give_up(&mut self) -> Vec<ChangeId> {
        let ready = std::mem::take(&mut self.ready);
        let waiting = self.open.iter().enumerate().filter(|(_, open)| **open > 0);
        let mut all: Vec<ChangeId> =
            waiting.filter_map(|(at, _)| Some(ChangeId(u32::try_from(at).ok()?))).collect();
        all.extend(ready.into_values().flatten().map(|(_, id)| id));
        all.sort_unstable();
        all
    }

    /// When the changes end under `buckets` if nothing fails, in ascending order: what a run does, in a time that is only
    /// reckoned.
    fn rehearse(mut self, mut buckets: Buckets) -> Vec<Duration> {
        let mut ended = Vec::with_capacity(self.kinds.len());
        let mut now = Duration::ZERO;
        let mut vanguard = Vanguard::of(&self.changes);
        let mut ends: BinaryHeap<Reverse<(Duration, ChangeId)>> = BinaryHeap::new();
        loop {
            let mut again: Option<Duration> = None;
            while let Some(id) = self.next(|kind, change| {
                let at = buckets.ready_at(kind, now).max(vanguard.lets_start_at(change));
                if at > now {
                    again = Some(again.map_or(at, |again| again.min(at)));
                }
                at <= now
            }) {
                if let Some(kind) = self.kinds.get(id.get()) {
                    buckets.take(*kind, now);
                }
                vanguard.started(self.changes.get(id.get()).copied(), now);
                ends.push(Reverse((now + ANSWER, id)));
            }
            let end = ends.peek().map(|Reverse((at, _))| *at);
            match (end, again) {
                (Some(end), Some(again)) if again < end => now = again,
                (Some(end), _) => {
                    now = end;
                    while ends.peek().is_some_and(|Reverse((at, _))| *at <= now) {
                        let Some(Reverse((_, id))) = ends.pop() else { break };
                        self.end(id);
                        ended.push(now);
                        for freed in self.freed_by(id) {
                            self.release(freed);
                        }
                    }
                }
                (None, Some(again)) => now = again,
                (None, None) => return ended,
            }
        }
    }
}

/// The first updates of many, which the others wait for, in a time that is only reckoned.
struct Vanguard {
    /// How many have started; `None` where none waits.
    started: Option<usize>,
    /// From when on the others may start.
    confirmed_at: Duration,
}

impl Vanguard {
    fn of(changes: &[ChangeKind]) -> Self {
        let started = sentinel::is_bulk(changes.iter().copied()).then_some(0);
        Self { started, confirmed_at: Duration::ZERO }
    }

    fn lets_start_at(&self, change: ChangeKind) -> Duration {
        let waits = change == ChangeKind::UpdateUser && self.started.is_some_and(|n| n >= sentinel::FIRST);
        if waits { self.confirmed_at } else { Duration::ZERO }
    }

    fn started(&mut self, change: Option<ChangeKind>, now: Duration) {
        if let Some(started) = &mut self.started
            && change == Some(ChangeKind::UpdateUser)
            && *started < sentinel::FIRST
        {
            *started += 1;
            self.confirmed_at = now + ANSWER + sentinel::EARLY + ANSWER;
        }
    }
}

/// How a run will probably go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline(Vec<Duration>);

impl Timeline {
    /// Of a plan, under a share of Slack's published limits; nothing fails, and fallbacks are left aside.
    pub fn of(plan: &Plan, budget: Budget) -> Self {
        Self::new(&plan.changeset.changes, kinds(plan), budget)
    }

    /// Of changes, each with the kind of its request.
    pub(crate) fn new(changes: &[Change], kinds: Vec<RequestKind>, budget: Budget) -> Self {
        Self(Schedule::new(changes, kinds).rehearse(Buckets::slack(budget)))
    }

    /// How long it takes until the last change is over.
    pub fn whole(&self) -> Duration {
        self.0.last().copied().unwrap_or_default()
    }

    /// How long it still takes when so many changes are over.
    pub fn left_after(&self, over: usize) -> Duration {
        let now = over.checked_sub(1).and_then(|last| self.0.get(last)).copied().unwrap_or_default();
        self.whole().saturating_sub(now)
    }
}

/// The kinds of a plan's requests, in the order of its changes.
pub(crate) fn kinds(plan: &Plan) -> Vec<RequestKind> {
    let requests = plan.changeset.changes.iter().map(|change| plan.encode(change).request);
    requests.map(|request| RequestKind::of(request.method, &request.path)).collect()
}

fn numbered(changes: &[Change]) -> impl DoubleEndedIterator<Item = (ChangeId, &Change)> + ExactSizeIterator {
    changes.iter().enumerate().map(|(at, change)| (ChangeId(u32::try_from(at).unwrap_or(u32::MAX)), change))
}

/// The place of each change in the line.
fn places(changes: &[Change], dependents: &[Vec<ChangeId>]) -> Vec<Place> {
    let mut places: Vec<i64> = by_groups(changes, dependents);
    let mut takes_away: Vec<bool> = changes.iter().map(takes_away).collect();
    // A change stands after everything it waits for, so that backwards all that waits for it is known.
    for (id, change) in numbered(changes).rev() {
        let (Some(place), Some(takes)) = (places.get(id.get()).copied(), takes_away.get(id.get()).copied())
        else {
            continue;
        };
        for dependency in &change.waits_for {
            let at = dependency.on.get();
            if is_group(change) {
                // Groups have limits of their own; whom they wait for has been placed by them already.
            } else if let Some(earlier) = places.get_mut(at) {
                *earlier = (*earlier).min(place - LEAD);
            }
            if takes && let Some(earlier) = takes_away.get_mut(at) {
                *earlier = true;
            }
        }
    }
    takes_away.into_iter().map(|takes| !takes).zip(places).collect()
}

/// Places that complete one group after the other: always the one that lacks fewest of those who have no place yet.
/// Whoever no group waits for comes last, in the order of the plan.
fn by_groups(changes: &[Change], dependents: &[Vec<ChangeId>]) -> Vec<i64> {
    let mut places: Vec<Option<i64>> = vec![None; changes.len()];
    let mut next = 0;
    let mut lacking: Vec<usize> =
        changes.iter().map(|change| if is_group(change) { change.waits_for.len() } else { 0 }).collect();
    // Groups by how many they lack. A group stands under every number that it has had; only the present one counts.
    let mut by_number: Vec<Vec<usize>> = Vec::new();
    for (at, number) in lacking.iter().enumerate().filter(|(_, number)| **number > 0) {
        if by_number.len() <= *number {
            by_number.resize(*number + 1, Vec::new());
        }
        if let Some(list) = by_number.get_mut(*number) {
            list.push(at);
        }
    }
    let mut fewest = 1;
    while fewest < by_number.len() {
        let Some(group) = by_number.get_mut(fewest).and_then(Vec::pop) else {
            fewest += 1;
            continue;
        };
        if lacking.get(group) != Some(&fewest) {
            continue;
        }
        for dependency in changes.get(group).into_iter().flat_map(|change| &change.waits_for) {
            let Some(place @ None) = places.get_mut(dependency.on.get()) else { continue };
            *place = Some(next);
            next += 1;
            for other in dependents.get(dependency.on.get()).into_iter().flatten() {
                let Some(number @ 1..) = lacking.get_mut(other.get()) else { continue };
                *number -= 1;
                if let Some(list) = by_number.get_mut(*number) {
                    list.push(other.get());
                }
                fewest = fewest.min((*number).max(1));
            }
        }
    }
    let mut after_all = || {
        next += 1;
        next - 1
    };
    places.into_iter().map(|place| place.unwrap_or_else(&mut after_all)).collect()
}

fn is_group(change: &Change) -> bool {
    matches!(change.kind(), ChangeKind::CreateGroup | ChangeKind::UpdateGroup | ChangeKind::DeleteGroup)
}

fn takes_away(change: &Change) -> bool {
    match &change.action {
        Action::UpdateGroup { remove, .. } => !remove.is_empty(),
        Action::DeleteGroup { .. } => true,
        Action::UpdateUser { .. } => change.kind() == ChangeKind::DeactivateUser,
        Action::CreateUser { .. } | Action::CreateGroup { .. } => false,
    }
}
