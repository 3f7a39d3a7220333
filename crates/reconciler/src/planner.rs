//! From a roster and a directory to a plan. Pure: it reads nothing and can write nothing.

use crate::digest::{Ground, OfPlan};
use crate::guard::{self, Recent};
use crate::schedule::Timeline;
use differ::{Diff, Options};
use jiff::Timestamp;
use model::attribute::Dialect;
use model::beside_for;
use model::change::{Action, Change, ChangeId, ChangeKind, Changeset, GroupRef, UserRef};
use model::diagnostic::Diagnostic;
use model::directory::{Directory, Group};
use model::names::{GroupId, UserId};
use model::plan::{Encoded, Estimate, Existing, Plan, Totals};
use model::roster::Roster;
use scim_adapter::{Budget, RequestKind, encode};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// What a plan is made with besides the roster and the directory.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// The service, as a URL; `None` when planning from a snapshot.
    pub target: Option<String>,
    /// The present, by which a guest's expiry is judged.
    pub now: Timestamp,
    /// Names of the users and groups to which the plan is narrowed; empty for all.
    pub only: Vec<String>,
    /// What the runs of the last 24 hours did; empty where no journal is at hand.
    pub recent: Recent,
    /// The share of the service's limits that a run may use.
    pub budget: Budget,
}

/// Makes a plan.
///
/// # Errors
/// Conflicts of identity, each naming everybody concerned. Nothing can be planned until the roster is corrected.
pub fn plan(roster: &Roster, directory: &Directory, context: &Context) -> Result<Plan, Vec<Diagnostic>> {
    let options = Options { now: context.now, only: &context.only };
    let ground = || Ground::of(roster, directory);
    let diff = || differ::diff(roster, directory, &options);
    // For a large directory the digests take as long as the diff.
    let (ground, diff) = beside_for(directory.users.len(), ground, diff);
    Ok(of_diff(roster, directory, context, diff?, ground))
}

/// The plan of a diff, or of the part of one that is to be done: judged, and with its digest.
pub(crate) fn of_diff(
    roster: &Roster,
    directory: &Directory,
    context: &Context,
    diff: Diff,
    ground: Ground,
) -> Plan {
    let Diff { changeset, verdicts, notes, matched: _ } = diff;
    let verdicts = guard::judge(roster, directory, &changeset, &context.recent, verdicts);
    let workspace = workspace(roster, directory);
    let mut digest = OfPlan::new(workspace.as_deref());
    let mut kinds = Vec::with_capacity(changeset.changes.len());
    for change in &changeset.changes {
        let Encoded { request, .. } = encode(change, directory.dialect);
        digest.add(change, &request);
        kinds.push(RequestKind::of(request.method, &request.path));
    }
    Plan {
        target: context.target.clone(),
        workspace,
        dialect: directory.dialect,
        roster_digest: ground.roster,
        directory_digest: ground.directory,
        verdicts,
        notes,
        totals: Totals {
            roster_users: roster.users.len(),
            roster_groups: roster.groups.as_ref().map_or(0, Vec::len),
            directory_users: directory.users.len(),
            active_people: directory.active_people(),
            directory_groups: directory.groups.len(),
            memberships: directory.memberships(),
        },
        stays_inactive: stays_inactive(&changeset, directory),
        successions: successions(&changeset, directory),
        existing: Arc::new(existing(&changeset, directory)),
        estimate: estimate(&changeset, kinds, directory.dialect, context.budget),
        encoder: encode,
        changeset,
        digest: digest.finish(),
    }
}

/// The workspace that a plan is for: the one that the roster names, else the one that all live accounts name.
pub fn workspace(roster: &Roster, directory: &Directory) -> Option<String> {
    if let Some(said) = &roster.workspace {
        return Some(said.value.to_string());
    }
    match directory.workspaces().as_slice() {
        [one] => Some((*one).to_owned()),
        _ => None,
    }
}

/// What is there already, where a changeset creates something.
fn existing(changeset: &Changeset, directory: &Directory) -> Existing {
    let kinds = || changeset.changes.iter().map(Change::kind);
    Existing {
        users: if kinds().any(|kind| kind == ChangeKind::CreateUser) {
            directory.users.iter().map(|user| user.id.clone()).collect()
        } else {
            HashSet::new()
        },
        groups: if kinds().any(|kind| kind == ChangeKind::CreateGroup) {
            directory.groups.iter().map(|group| group.id.clone()).collect()
        } else {
            HashSet::new()
        },
    }
}

/// The accounts that a changeset touches and leaves deactivated.
fn stays_inactive(changeset: &Changeset, directory: &Directory) -> BTreeSet<UserId> {
    let updated = changeset.changes.iter().filter(|change| change.kind() == ChangeKind::UpdateUser);
    updated
        .filter_map(|change| match &change.action {
            Action::UpdateUser { id: UserRef::Existing(id), .. } => Some(id),
            _ => None,
        })
        .filter(|id| {
            directory.find(id).and_then(|index| directory.user(index)).is_some_and(|user| !user.active)
        })
        .cloned()
        .collect()
}

/// The changes of groups that take out everybody who is in and let somebody else in.
fn successions(changeset: &Changeset, directory: &Directory) -> BTreeSet<ChangeId> {
    let groups: HashMap<&GroupId, &Group> = directory.groups.iter().map(|group| (&group.id, group)).collect();
    let replaces_everybody = |change: &Change| {
        let Action::UpdateGroup { id: GroupRef::Existing(id), add, remove, .. } = &change.action else {
            return false;
        };
        let leaves: HashSet<_> = remove.iter().filter_map(|user| directory.find(user)).collect();
        !add.is_empty()
            && !remove.is_empty()
            && groups.get(id).is_some_and(|group| {
                group.foreign_members.is_empty() && group.members.iter().all(|member| leaves.contains(member))
            })
    };
    changeset.iter().filter(|(_, change)| replaces_everybody(change)).map(|(id, _)| id).collect()
}

/// How long the changes take under Slack's published limits, nothing failing and fallbacks left aside.
fn estimate(changeset: &Changeset, kinds: Vec<RequestKind>, dialect: Dialect, budget: Budget) -> Estimate {
    let writes = kinds.len();
    let seconds = match dialect {
        Dialect::Rfc => None,
        Dialect::Slack => {
            let duration = Timeline::new(&changeset.changes, kinds, budget).whole();
            Some(duration.as_secs() + u64::from(duration.subsec_nanos() > 0))
        }
    };
    Estimate { writes, seconds }
}
