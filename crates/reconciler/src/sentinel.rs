//! A look back at accounts that were updated a moment ago.
//!
//! In April 2024 Slack, in an incident of its own, deactivated whoever was updated over SCIM (sheet S10). Slack
//! deactivates with a delay (sheet S13), so the answer to such an update may still show the account active. Whoever
//! would update thousands must look again before it is too late for the rest.

use crate::progress::at;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use model::attribute::{Attribute, Dialect};
use model::change::{Action, Change, ChangeKind, UserRef};
use model::directory::{Directory, User};
use model::names::UserId;
use model::plan::Plan;
use model::run::ChangeOutcome;
use scim_adapter::{ReadError, Reader};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// How long after an update an account is looked at. An SDK's tests give Slack ten seconds to show a deactivation
/// (sheet S13).
const DELAY: Duration = Duration::from_secs(10);

/// How long the bulk waits: until the first ones have been looked at, who are looked at again after [`DELAY`]. The whole delay
/// would make a run of ten minutes longer by more than a hundredth; this way, a fault that takes its time hits those, too,
/// who are updated meanwhile, some thirty under Slack's limits (sheet S15).
pub(crate) const EARLY: Duration = Duration::from_secs(5);

/// How many updated accounts are always looked at, and how many go ahead of the bulk. Each is a person who may be locked
/// out; fewer might all be of a kind that the fault spares.
pub(crate) const FIRST: usize = 5;

/// Of how many updated accounts one is looked at after the first ones: a twentieth more reads, of a kind of which Slack
/// allows more than of writes (sheet S15), and at three updates a second some sixty people hit before the run stops.
const EVERY: usize = 20;

/// With how many updates a run is a bulk. Fewer take less than [`DELAY`] in all, so that holding most of them back would
/// cost more than it can save; and reading back shows what became of them.
const BULK: usize = 50;

/// Whether among changes of these kinds the first updates go ahead and the others wait for them.
pub(crate) fn is_bulk(kinds: impl Iterator<Item = ChangeKind>) -> bool {
    kinds.filter(|kind| *kind == ChangeKind::UpdateUser).count() > BULK
}

/// Looks at accounts that a run has updated.
pub(crate) struct Sentinel<'r> {
    reader: &'r Reader,
    spared: BTreeSet<UserId>,
    is_on: bool,
    /// Whether most updates wait until the first ones have been looked at.
    is_bulk: bool,
    /// Updates that are sent and not over.
    under_way: usize,
    took: usize,
    /// Who is to be looked at, and when.
    due: BTreeMap<(Instant, UserId), Due>,
    looks: FuturesUnordered<BoxFuture<'r, Look>>,
    /// How many of those are still to be looked at for whom the bulk waits.
    awaited: usize,
    /// How many of them were found as they should be.
    confirmed: usize,
}

/// An account that is to be looked at.
#[derive(Debug, Clone)]
struct Due {
    /// The userName, as the plan has it.
    name: Box<str>,
    /// Whether the bulk waits for it, and when it is to be looked at again.
    bulk_waits: Option<Instant>,
}

/// What a look at an account has shown.
type Look = (UserId, Due, Result<Option<User>, ReadError>);

/// An account that is not active any more, though nobody asked for that.
#[derive(Debug)]
pub(crate) struct Alarm {
    /// The userName, as the plan has it.
    pub(crate) name: Box<str>,
}

/// Accounts that may show inactive without any fault: a plan changes whether they are active, or leaves them inactive. A
/// read that lags behind could show any of them as it was before.
fn spared(plan: &Plan) -> BTreeSet<UserId> {
    let mut spared = plan.stays_inactive.clone();
    for change in &plan.changeset.changes {
        if let Action::UpdateUser { id: UserRef::Existing(id), edits, .. } = &change.action
            && edits.iter().any(|edit| edit.attribute == Attribute::Active)
        {
            spared.insert(id.clone());
        }
    }
    spared
}

/// The changes of a run whose accounts the directory, read back, shows as deactivated though nobody asked for that.
pub(crate) fn harmed<'p>(
    plan: &'p Plan,
    outcomes: &[ChangeOutcome],
    directory: &Directory,
) -> Vec<&'p Change> {
    let spared = spared(plan);
    let sent = outcomes.iter().filter(|outcome| outcome.ending.may_have_written());
    let is_harmed = |change: &Change| {
        let Action::UpdateUser { id: UserRef::Existing(id), .. } = &change.action else { return false };
        let user = || directory.user(directory.find(id)?);
        !spared.contains(id) && user().is_some_and(|user| !user.is_well())
    };
    sent.filter_map(|outcome| at(plan, outcome.change)).filter(|change| is_harmed(change)).collect()
}

impl<'r> Sentinel<'r> {
    pub(crate) fn new(reader: &'r Reader, plan: &Plan) -> Self {
        Self {
            reader,
            spared: spared(plan),
            // Both the fault and the delay are Slack's.
            is_on: plan.dialect == Dialect::Slack,
            is_bulk: is_bulk(plan.changeset.changes.iter().map(Change::kind)),
            under_way: 0,
            took: 0,
            due: BTreeMap::new(),
            looks: FuturesUnordered::new(),
            awaited: 0,
            confirmed: 0,
        }
    }

    /// Whether a change of this kind may start.
    pub(crate) fn lets_start(&self, kind: ChangeKind) -> bool {
        let ahead = self.confirmed + self.under_way + self.awaited;
        !(self.is_on && self.is_bulk && kind == ChangeKind::UpdateUser)
            || self.confirmed >= FIRST
            || ahead < FIRST
    }

    pub(crate) fn started(&mut self, kind: ChangeKind) {
        self.under_way += usize::from(kind == ChangeKind::UpdateUser);
    }

    /// Takes note that a change is over, and whether it took.
    pub(crate) fn ended(&mut self, change: &Change, took: bool) {
        if change.kind() != ChangeKind::UpdateUser {
            return;
        }
        self.under_way = self.under_way.saturating_sub(1);
        let Action::UpdateUser { id: UserRef::Existing(id), .. } = &change.action else { return };
        if !self.is_on || !took || self.spared.contains(id) {
            return;
        }
        let ahead = self.confirmed + self.awaited;
        let now = Instant::now();
        if ahead < FIRST {
            let due = Due { name: change.name.clone(), bulk_waits: Some(now + DELAY) };
            self.due.insert((now + EARLY, id.clone()), due);
            self.awaited += 1;
        } else if self.took.is_multiple_of(EVERY) {
            let due = Due { name: change.name.clone(), bulk_waits: None };
            self.due.insert((now + DELAY, id.clone()), due);
        }
        self.took += 1;
    }

    /// Comes about when an account was looked at; never while there is none to look at. May be dropped at any time and
    /// called again.
    pub(crate) async fn looked(&mut self) -> Option<Alarm> {
        loop {
            let due = self.due.first_key_value().map(|((at, _), _)| *at);
            tokio::select! {
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    if let Some(((_, id), due)) = self.due.pop_first() {
                        let reader = self.reader;
                        self.looks.push(Box::pin(async move {
                            let found = reader.read_user(&id).await;
                            (id, due, found)
                        }));
                    }
                }
                Some((id, due, found)) = self.looks.next(), if !self.looks.is_empty() => {
                    return self.judge(id, due, found);
                }
                else => std::future::pending().await,
            }
        }
    }

    fn judge(&mut self, id: UserId, due: Due, found: Result<Option<User>, ReadError>) -> Option<Alarm> {
        let Due { name, bulk_waits } = due;
        self.awaited -= usize::from(bulk_waits.is_some());
        match found {
            Ok(Some(user)) if user.is_well() => {
                if let Some(again) = bulk_waits {
                    self.confirmed += 1;
                    self.due.insert((again, id), Due { name, bulk_waits: None });
                }
                None
            }
            Ok(_) => Some(Alarm { name }),
            // Not known is not confirmed: another one goes ahead in its place, and the bulk goes on waiting.
            Err(error) => {
                tracing::warn!(name = &*name, %error, "an updated account could not be looked at");
                None
            }
        }
    }
}
