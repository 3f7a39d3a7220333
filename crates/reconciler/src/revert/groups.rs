//! What each group that a run touched is to be again.

use super::effects::{CreatedGroup, Effects, TouchedGroup};
use super::fence::{Fence, Fenced};
use super::notes::{Notes, Topic};
use super::settle::{Claim, settle};
use model::directory::{Directory, Group, UserIndex};
use model::names::{GroupId, UserId, fold};
use model::place::Place;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// What a group is to be again.
pub(super) struct GroupReturn {
    /// The live group, by its position in the directory; `None` for one that the run deleted.
    pub(super) live: Option<usize>,
    /// The name it is to have.
    pub(super) display_name: Box<str>,
    /// Its members in the end, ascending; `None` where they are left alone. Bots that are in it are not named.
    pub(super) members: Option<Vec<UserIndex>>,
    /// The journal's first line on it.
    pub(super) place: Place,
}

/// What becomes of groups.
#[derive(Default)]
pub(super) struct Groups {
    /// Groups that are changed or made anew.
    pub(super) returns: Vec<GroupReturn>,
    /// Live groups that the run created and that are deleted, with the journal's lines.
    pub(super) deleted: BTreeMap<usize, Place>,
}

/// What groups are found from.
pub(super) struct Crowd<'a> {
    pub(super) directory: &'a Directory,
    pub(super) effects: &'a Effects,
    pub(super) fence: &'a Fence<'a>,
}

impl Crowd<'_> {
    /// What every touched group is to be again.
    pub(super) fn groups(&self, notes: &mut Notes) -> Groups {
        let by_id: HashMap<&GroupId, usize> =
            self.directory.groups.iter().enumerate().map(|(at, group)| (&group.id, at)).collect();
        let mut found = Groups::default();
        for created in &self.effects.created_groups {
            let live = created.id.as_ref().and_then(|id| by_id.get(id)).copied();
            if created.id.is_none() {
                notes.name(Topic::UnknownOutcome, &*created.name);
            }
            let Some((at, group)) = live.and_then(|at| Some((at, self.directory.groups.get(at)?))) else {
                continue;
            };
            if self.may_delete(created, group, notes) {
                found.deleted.insert(at, created.place);
            }
        }
        for touched in &self.effects.touched_groups {
            let live = by_id.get(&touched.id).or_else(|| by_id.get(touched.remade.as_ref()?));
            match live.and_then(|at| Some((*at, self.directory.groups.get(*at)?))) {
                Some((_, group)) if self.fence.protects_group(&group.id) => {
                    notes.name(Topic::Protected, &*touched.name);
                }
                Some((at, group)) => found.returns.extend(self.change(at, group, touched, notes)),
                None if touched.deleted.is_some() => found.returns.push(self.anew(touched, notes)),
                None => notes.name(Topic::Gone, format!("group {} ({})", touched.name, touched.id)),
            }
        }
        self.settle_names(&mut found, notes);
        for group in found.returns.iter().filter(|group| group.live.is_none()) {
            notes.name(Topic::NewGroup, &*group.display_name);
        }
        found
    }

    /// Whether a created group is still what the run made of it: whoever named it otherwise or took somebody in counts on
    /// it, and a deletion is for ever.
    fn may_delete(&self, created: &CreatedGroup, group: &Group, notes: &mut Notes) -> bool {
        if self.fence.protects_group(&group.id) {
            notes.name(Topic::Protected, &*created.name);
            return false;
        }
        let ours: HashSet<&UserId> = created.members.iter().collect();
        let members = group.members.iter().filter_map(|index| self.directory.user(*index));
        let others = members.filter(|user| !ours.contains(&user.id)).count() + group.foreign_members.len();
        let renamed = group.display_name.trim() != created.name.trim();
        if others == 0 && !renamed {
            return true;
        }
        let what = match (renamed, others) {
            (true, 0) => format!("it is called {} now", group.display_name),
            (true, _) => format!("it is called {} now and has other members ({others})", group.display_name),
            (false, _) => format!("it has members whom the run did not take in ({others})"),
        };
        notes.line(
            Topic::ChangedSince,
            format!(
                "group {}: created by the run, but {what}, so somebody has changed it since; not deleted",
                created.name
            ),
        );
        false
    }

    /// What is to be undone of a live group; `None` when nothing is.
    fn change(
        &self,
        at: usize,
        group: &Group,
        touched: &TouchedGroup,
        notes: &mut Notes,
    ) -> Option<GroupReturn> {
        let same = |a: &str, b: &str| a.trim() == b.trim();
        let mut display_name = group.display_name.clone();
        if let Some(passage) = &touched.display_name
            && !same(&passage.before, &display_name)
        {
            if passage.afters.iter().any(|after| same(after, &display_name)) {
                display_name = passage.before.clone();
            } else {
                let run = passage.afters.last().unwrap_or(&passage.before);
                notes.line(
                    Topic::ChangedSince,
                    format!(
                        "group {}: its name was made {run:?} by the run and is {display_name:?} now, so somebody has \
                         changed it since; left alone",
                        touched.name
                    ),
                );
            }
        }
        let members = self.members(touched, &group.members, notes);
        if members.is_none() && same(&display_name, &group.display_name) {
            return None;
        }
        Some(GroupReturn { live: Some(at), display_name, members, place: touched.place })
    }

    /// A group that the run deleted, as it was before.
    fn anew(&self, touched: &TouchedGroup, notes: &mut Notes) -> GroupReturn {
        let before = touched.display_name.as_ref().map(|passage| passage.before.clone());
        GroupReturn {
            live: None,
            display_name: before.unwrap_or_else(|| touched.name.clone()),
            members: Some(self.members(touched, &[], notes).unwrap_or_default()),
            place: touched.deleted.unwrap_or(touched.place),
        }
    }

    /// The members in the end: those there are, without those whom the run took in, with those whom it took out. `None`
    /// when that is those there are.
    fn members(
        &self,
        touched: &TouchedGroup,
        live: &[UserIndex],
        notes: &mut Notes,
    ) -> Option<Vec<UserIndex>> {
        let mut members: BTreeSet<UserIndex> = live.iter().copied().collect();
        let mut changed = false;
        let mut gone = Vec::new();
        for (id, passage) in &touched.members {
            let Some(account) = self.directory.find(id) else {
                if passage.before {
                    gone.push(id.as_str());
                }
                continue;
            };
            let is_member = members.contains(&account);
            if is_member == passage.before || !passage.afters.contains(&is_member) {
                continue;
            }
            let who = self.directory.user(account).map_or("", |user| user.user_name());
            match self.fence.user(id) {
                Some(Fenced::Bot) => {
                    notes.name(Topic::Bot, format!("{who} in {}", touched.name));
                    continue;
                }
                // Nobody who is protected is ever taken out of a group.
                Some(Fenced::Protected) if is_member => {
                    notes.name(Topic::Protected, format!("{who} in {}", touched.name));
                    continue;
                }
                _ => {}
            }
            changed = true;
            if passage.before {
                members.insert(account);
            } else {
                members.remove(&account);
            }
        }
        if !gone.is_empty() {
            notes.name(Topic::Gone, format!("members of {}: {}", touched.name, gone.join(", ")));
        }
        changed.then(|| members.into_iter().collect())
    }

    /// Gives up the names that another group has now and keeps.
    fn settle_names(&self, found: &mut Groups, notes: &mut Notes) {
        let groups = &self.directory.groups;
        let live_name = |at: usize| groups.get(at).map(|group| fold(&group.display_name));
        let mut owners = Vec::new();
        let mut claims: Vec<Claim<usize, String>> = Vec::new();
        for (at, back) in found.returns.iter().enumerate() {
            let takes = fold(&back.display_name);
            let gives = back.live.and_then(live_name);
            if gives.as_ref() != Some(&takes) {
                owners.push(at);
                claims.push(Claim { slot: back.live, takes, gives });
            }
        }
        if claims.is_empty() {
            return;
        }
        let mut named: HashMap<String, Vec<usize>> = HashMap::with_capacity(groups.len());
        for (at, group) in groups.iter().enumerate() {
            named.entry(fold(&group.display_name)).or_default().push(at);
        }
        let holders = |name: &String| named.get(name).cloned().unwrap_or_default();
        let in_the_way = settle(&claims, holders, |_, holder| found.deleted.contains_key(&holder));
        let mut dropped = BTreeSet::new();
        for (owner, holder) in owners.iter().zip(in_the_way) {
            let Some(holder) = holder.and_then(|holder| groups.get(holder)) else { continue };
            let Some(back) = found.returns.get_mut(*owner) else { continue };
            let name = std::mem::take(&mut back.display_name);
            let message = match back.live.and_then(|live| groups.get(live)) {
                Some(group) => {
                    back.display_name.clone_from(&group.display_name);
                    format!(
                        "group {}: cannot be called {name} again, because group {} is",
                        group.display_name, holder.id
                    )
                }
                None => format!(
                    "group {name}: deleted by the run and not made anew, because group {} has its name",
                    holder.id
                ),
            };
            notes.line(Topic::NameTaken, message);
            if back.live.is_none() || back.members.is_none() {
                dropped.insert(*owner);
            }
        }
        let mut at = 0;
        found.returns.retain(|_| {
            at += 1;
            !dropped.contains(&(at - 1))
        });
    }
}
