//! The limits of the policy on what is done to groups and their members.

use super::Guard;
use super::limits::{Count, GroupChange, Measure, Scene};
use super::recent::Whole;
use model::directory::{Group, UserIndex};
use model::names::{GroupId, fold};
use model::plan::{Outcome, Verdict};
use model::roster::{GroupEntry, Roster};
use std::cmp::Reverse;
use std::collections::HashSet;

/// The limits on what is done to groups.
pub(super) fn limits(scene: &Scene) -> Vec<Verdict> {
    let mut verdicts = vec![removals(scene)];
    verdicts.extend(removals_per_group(scene));
    verdicts.extend(emptied(scene));
    verdicts.push(deletions(scene));
    verdicts
}

fn removals(scene: &Scene) -> Verdict {
    let mut losing: Vec<&GroupChange> =
        scene.done.groups().map(|(_, group)| group).filter(|group| group.ended() > 0).collect();
    let plan = losing.iter().map(|group| group.ended()).sum();
    let again = |group, user| scene.done.groups.get(group).is_some_and(|change| change.ends(user));
    let only_recent = scene.recent.removed.iter().filter(|(group, user)| !again(group, user)).count();
    losing.sort_by_key(|group| Reverse(group.ended()));
    Measure {
        guard: Guard::RemoveMembers,
        limit: scene.roster.policy.limits.remove_members,
        count: Count { plan, only_recent },
        whole: scene.wholes.memberships,
        what: ["ended membership", "ended memberships"],
        of: ["membership", "memberships"],
    }
    .verdict(losing.iter().map(|group| group.name.to_owned()).collect())
}

/// A block for each group that loses too many; else one verdict, on the group that comes closest.
fn removals_per_group(scene: &Scene) -> Vec<Verdict> {
    let measure = Measure {
        guard: Guard::RemoveMembersPerGroup,
        limit: scene.roster.policy.limits.remove_members_per_group,
        count: Count::default(),
        whole: Whole::default(),
        what: ["removal", "removals"],
        of: ["member", "members"],
    };
    let mut blocks = Vec::new();
    let mut closest: Option<(usize, usize, Verdict)> = None;
    for (id, change) in scene.done.groups() {
        let Some(group) = scene.past.group(id) else { continue };
        if change.removed.is_empty() {
            continue;
        }
        let left = scene.past.left(id);
        let only_recent = left.iter().filter(|user| !change.removed.contains(*user)).count();
        let measure = Measure {
            count: Count { plan: change.removed.len(), only_recent },
            whole: scene.past.members(group),
            of: [&format!("member of {}", change.name), &format!("members of {}", change.name)],
            ..measure
        };
        let verdict = measure.verdict(vec![change.name.to_owned()]);
        let (all, allowed) = (measure.count.all(), measure.allowed());
        if verdict.outcome == Outcome::Block {
            blocks.push(verdict);
        } else if closest.as_ref().is_none_or(|(most, of, _)| all * of > most * allowed) {
            closest = Some((all, allowed, verdict));
        }
    }
    if !blocks.is_empty() {
        return blocks;
    }
    let nothing = || {
        let message = format!("no group loses a member; the limit in each is {}", measure.explain());
        Verdict { message, ..measure.verdict(Vec::new()) }
    };
    vec![closest.map_or_else(nothing, |(_, _, verdict)| verdict)]
}

/// Groups that lose their last member though the roster does not say that they are to have none.
///
/// A block or a pass by number; beside it, or instead of the pass, a warning for groups whose members may all be gone
/// in the end though the plan does not take the last of them out.
fn emptied(scene: &Scene) -> Vec<Verdict> {
    let said_empty = SaidEmpty::of(scene.roster);
    let leavers: HashSet<UserIndex> =
        scene.done.deactivated.ids.iter().filter_map(|id| scene.directory.find(id)).collect();
    let mut found = Emptied::default();
    for group in &scene.directory.groups {
        let change = scene.done.groups.get(&group.id);
        let name = change.map_or(&*group.display_name, |change| change.name);
        if !said_empty.contains(group, name) {
            found.look_at(scene, group, name, change, &leavers);
        }
    }
    // The order in which the service lists its groups says nothing.
    for groups in [&mut found.by_removal, &mut found.by_deactivation] {
        groups.sort_unstable();
    }
    let measure = Measure {
        guard: Guard::EmptyGroups,
        limit: scene.roster.policy.limits.empty_groups,
        count: Count { plan: found.by_removal.len(), only_recent: found.of_late },
        whole: scene.wholes.groups,
        what: ["emptied group", "emptied groups"],
        of: ["group", "groups"],
    };
    let counted = measure.verdict(found.by_removal);
    if found.by_deactivation.is_empty() {
        return vec![counted];
    }
    let doubt = Verdict {
        outcome: Outcome::Warn,
        resources: found.by_deactivation,
        message: "the last members of groups are deactivated: Slack most likely takes deactivated people out of groups"
            .to_owned(),
        remedy: "give these groups other members first, if they are to keep any".to_owned(),
        ..Guard::EmptyGroups.passes(String::new())
    };
    if counted.outcome == Outcome::Block {
        return vec![counted, doubt];
    }
    let Verdict { measured, recent, limit, .. } = counted;
    vec![Verdict { measured, recent, limit, ..doubt }]
}

/// The groups that the roster wants to have no members.
struct SaidEmpty<'a> {
    names: HashSet<String>,
    ids: HashSet<&'a GroupId>,
}

impl<'a> SaidEmpty<'a> {
    fn of(roster: &'a Roster) -> Self {
        let said =
            |entry: &&GroupEntry| entry.members.as_ref().is_some_and(|members| members.list.is_empty());
        let entries = || roster.groups.iter().flatten().filter(said);
        Self {
            names: entries().map(|entry| fold(&entry.display_name.value)).collect(),
            ids: entries().filter_map(|entry| Some(&entry.id.as_ref()?.value)).collect(),
        }
    }

    fn contains(&self, group: &Group, name: &str) -> bool {
        self.ids.contains(&group.id) || self.names.contains(&fold(name))
    }
}

/// Groups without members, by how they come to that.
#[derive(Default)]
struct Emptied {
    /// The plan takes the last ones out.
    by_removal: Vec<String>,
    /// The plan deactivates the last ones who are active.
    by_deactivation: Vec<String>,
    /// How many groups recent runs have emptied.
    of_late: usize,
}

impl Emptied {
    fn look_at(
        &mut self,
        scene: &Scene,
        group: &Group,
        name: &str,
        change: Option<&GroupChange>,
        leavers: &HashSet<UserIndex>,
    ) {
        let no_change = GroupChange::default();
        let change = change.unwrap_or(&no_change);
        let foreign = group.foreign_members.len();
        if group.members.is_empty() {
            let is_left_empty = foreign == 0 && change.added.is_empty();
            self.of_late += usize::from(is_left_empty && !scene.past.left(&group.id).is_empty());
            return;
        }
        let user = |index: &UserIndex| scene.directory.user(*index);
        let stays = |index: &&UserIndex| user(index).is_some_and(|user| !change.removed.contains(&user.id));
        let added = change.added.len();
        if !change.removed.is_empty() {
            let rest = group.members.iter().filter(stays).count() + foreign;
            if rest + added == 0 {
                self.by_removal.push(name.to_owned());
            }
        }
        if leavers.is_empty() || !group.members.iter().any(|member| leavers.contains(member)) {
            return;
        }
        let active =
            |index: &&UserIndex| user(index).is_some_and(|user| user.active) && !leavers.contains(index);
        if group.members.iter().filter(stays).filter(active).count() + foreign + added == 0 {
            self.by_deactivation.push(name.to_owned());
        }
    }
}

fn deletions(scene: &Scene) -> Verdict {
    let deleted: Vec<_> = scene.done.groups().filter(|(_, group)| group.deleted.is_some()).collect();
    let again: HashSet<_> = deleted.iter().map(|(id, _)| *id).collect();
    let only_recent = scene.recent.deleted.iter().filter(|id| !again.contains(id)).count();
    Measure {
        guard: Guard::DeleteGroups,
        limit: scene.roster.policy.limits.delete_groups,
        count: Count { plan: deleted.len(), only_recent },
        whole: scene.wholes.groups,
        what: ["deleted group", "deleted groups"],
        of: ["group", "groups"],
    }
    .verdict(deleted.iter().map(|(_, group)| group.name.to_owned()).collect())
}
