//! The part of the fresh changes that a saved plan has: cut out, checked for what it needs, and put in the plan's order.

use super::assess::{Kept, KeptGroup};
use crate::progress::describe;
use model::attribute::{Attribute, TABLE, Value};
use model::change::{Action, Change, ChangeId, Dependency, Edit, GroupRef, Need, Rename, UserRef};
use model::names::{UserId, fold};
use model::stale::Why;
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap, HashSet};

/// What is left of a saved plan.
pub(super) struct Rest {
    /// The changes, each after those it waits for, otherwise in the order of the saved plan.
    pub(super) changes: Vec<Change>,
    /// How many of the fresh changes were left out, in whole or in part.
    pub(super) elsewhere: usize,
    /// What cannot be done because of something that was left out: the saved change, by position, and why.
    pub(super) unable: Vec<(usize, Why)>,
}

/// A fresh change, cut.
struct Cut {
    /// What is kept of it.
    change: Option<Change>,
    /// Its place: the first of the saved changes that have something of it.
    rank: usize,
    /// Whether all of it is kept.
    is_whole: bool,
    /// What was left out that others may need.
    lost: BTreeSet<Loss>,
}

/// Something that was left out and that others may need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Loss {
    /// A name or an address that it gives up or takes.
    Name,
    /// What makes somebody fit for groups: becoming active, or a full member.
    Admission,
    /// That the account is brought back.
    Activation,
}

/// Cuts the saved plan's part out of the fresh changes. `rank` gives the saved change that sets the same values
/// as a cut one, where there is one.
pub(super) fn cut_out(changes: &[Change], kept: &Kept, rank: impl Fn(&Change) -> Option<usize>) -> Rest {
    let left_out = LeftOut::of(changes, kept);
    let mut cuts: Vec<Cut> = changes.iter().map(|change| cut(change, kept, &left_out)).collect();
    for cut in &mut cuts {
        if let Some(at) = cut.change.as_ref().and_then(&rank) {
            cut.rank = at;
        }
    }
    let elsewhere = cuts.iter().filter(|cut| !cut.is_whole).count();
    let mut unable = Vec::new();
    for cut in cuts.iter().filter(|cut| cut.change.is_some() && cut.has_lost(Loss::Activation)) {
        unable.push((cut.rank, Why::Inactive));
    }
    for (change, cut) in changes.iter().zip(&cuts) {
        let Some(left) = &cut.change else { continue };
        for wait in &change.waits_for {
            let (Some(needed), Some(other)) = (changes.get(wait.on.get()), cuts.get(wait.on.get())) else {
                continue;
            };
            if is_missed(left, needed, other, wait.need) {
                unable.push((cut.rank, Why::Needs(describe(needed).into())));
            }
        }
    }
    unable.sort_by_key(|(change, _)| *change);
    unable.dedup();
    Rest { changes: ordered(changes, cuts), elsewhere, unable }
}

fn cut(change: &Change, kept: &Kept, left_out: &LeftOut<'_>) -> Cut {
    let mut cut = Cut { change: None, rank: usize::MAX, is_whole: false, lost: BTreeSet::new() };
    let nothing = KeptGroup::default();
    let of_group = |id: &GroupRef| kept.groups.get(id).unwrap_or(&nothing);
    let (action, size_before) = match &change.action {
        Action::CreateUser { user_name, edits } => {
            let edits_left = cut.edits(&UserRef::New(user_name.clone()), edits, kept);
            let is_account = edits_left.first().is_some_and(|edit| edit.attribute == Attribute::Active);
            if !is_account {
                cut.lost.insert(Loss::Admission);
            }
            let action = Action::CreateUser { user_name: user_name.clone(), edits: edits_left };
            (is_account.then_some(action), edits.len())
        }
        Action::UpdateUser { id, edits, siblings } => {
            let edits_left = cut.edits(id, edits, kept);
            let siblings = with_those_left_out(siblings, edits, &edits_left);
            let is_left = !edits_left.is_empty();
            let action = Action::UpdateUser { id: id.clone(), edits: edits_left, siblings };
            (is_left.then_some(action), edits.len())
        }
        Action::CreateGroup { display_name, members } => {
            let group = of_group(&GroupRef::New(display_name.clone()));
            cut.take(group.created);
            let members_left = cut.joins(members, group);
            let action = Action::CreateGroup { display_name: display_name.clone(), members: members_left };
            (group.created.is_some().then_some(action), members.len())
        }
        Action::UpdateGroup { id, rename, add, remove } => {
            let group = of_group(id);
            let add_left = cut.joins(add, group);
            let remove_left: Vec<UserId> =
                remove.iter().filter(|member| cut.take(group.leaves.get(member).copied())).cloned().collect();
            let rename_left = rename.as_ref().filter(|_| cut.take(group.name));
            if rename.is_some() && rename_left.is_none() {
                cut.lost.insert(Loss::Name);
            }
            let rename_left = rename_left.map(|rename| left_out.correct(id, rename));
            let is_left = rename_left.is_some() || !add_left.is_empty() || !remove_left.is_empty();
            let action = Action::UpdateGroup {
                id: id.clone(),
                rename: rename_left,
                add: add_left,
                remove: remove_left,
            };
            (is_left.then_some(action), add.len() + remove.len() + usize::from(rename.is_some()))
        }
        Action::DeleteGroup { id, members: _ } => {
            let group = of_group(&GroupRef::Existing(id.clone()));
            if !cut.take(group.deleted) {
                cut.lost.insert(Loss::Name);
            }
            (group.deleted.map(|_| change.action.clone()), 0)
        }
    };
    cut.is_whole = action.as_ref().is_some_and(|action| size(action) == size_before);
    cut.change = action.map(|action| Change { action, ..change.clone() });
    cut
}

/// How many things a change does, as far as some of them can be left out.
fn size(action: &Action) -> usize {
    match action {
        Action::CreateUser { edits, .. } | Action::UpdateUser { edits, .. } => edits.len(),
        Action::CreateGroup { members, .. } => members.len(),
        Action::UpdateGroup { rename, add, remove, .. } => {
            add.len() + remove.len() + usize::from(rename.is_some())
        }
        Action::DeleteGroup { .. } => 0,
    }
}

/// Who was to join or leave each group and is left out.
struct LeftOut<'a>(HashMap<&'a GroupRef, (HashSet<&'a UserRef>, Vec<&'a UserId>)>);

impl<'a> LeftOut<'a> {
    fn of(changes: &'a [Change], kept: &Kept) -> Self {
        let mut all: HashMap<&GroupRef, (HashSet<&UserRef>, Vec<&UserId>)> = HashMap::new();
        for change in changes {
            let Action::UpdateGroup { id, add, remove, .. } = &change.action else { continue };
            let kept = kept.groups.get(id);
            let (joins, leaves) = all.entry(id).or_default();
            joins.extend(add.iter().filter(|one| kept.is_none_or(|kept| !kept.joins.contains_key(one))));
            leaves.extend(remove.iter().filter(|one| kept.is_none_or(|kept| !kept.leaves.contains_key(one))));
        }
        Self(all)
    }

    /// A renaming with the members that there will be, all of whom it must name where a service renames by PUT alone.
    fn correct(&self, group: &GroupRef, rename: &Rename) -> Rename {
        let mut rename = rename.clone();
        let Some((joins, leaves)) = self.0.get(group) else { return rename };
        rename.members_after.retain(|member| !joins.contains(member));
        let known: HashSet<UserRef> = rename.members_after.iter().cloned().collect();
        let staying = leaves.iter().map(|id| UserRef::Existing((*id).clone()));
        rename.members_after.extend(staying.filter(|member| !known.contains(member)));
        rename
    }
}

impl Cut {
    fn has_lost(&self, what: Loss) -> bool {
        self.lost.contains(&what)
    }

    /// Keeps what a saved change has.
    fn take(&mut self, saved: Option<usize>) -> bool {
        self.rank = self.rank.min(saved.unwrap_or(usize::MAX));
        saved.is_some()
    }

    fn edits(&mut self, user: &UserRef, edits: &[Edit], kept: &Kept) -> Vec<Edit> {
        let mut left = Vec::with_capacity(edits.len());
        for edit in edits {
            if self.take(kept.users.get(&(user.clone(), edit.attribute)).copied()) {
                left.push(edit.clone());
                continue;
            }
            match edit.attribute {
                Attribute::UserName | Attribute::Email | Attribute::SecondaryEmail => {
                    self.lost.insert(Loss::Name);
                }
                Attribute::Guest => {
                    self.lost.insert(Loss::Admission);
                }
                Attribute::Active => {
                    self.lost.insert(Loss::Admission);
                    if edit.after == Some(Value::Flag(true)) {
                        self.lost.insert(Loss::Activation);
                    }
                }
                _ => {}
            }
        }
        left
    }

    fn joins(&mut self, members: &[UserRef], group: &KeptGroup) -> Vec<UserRef> {
        members.iter().filter(|member| self.take(group.joins.get(member).copied())).cloned().collect()
    }
}

/// What shares a SCIM attribute with an edit that is kept stays as it is when its own edit is left out, and may have to
/// be sent again. An address that moves into the other slot is not repeated in the one it leaves.
fn with_those_left_out(
    siblings: &[(Attribute, Box<str>)],
    edits: &[Edit],
    left: &[Edit],
) -> Vec<(Attribute, Box<str>)> {
    let mut all = siblings.to_vec();
    all.retain(|(attribute, _)| left.iter().any(|edit| shares_place(edit.attribute, *attribute)));
    for edit in edits.iter().filter(|edit| left.iter().all(|kept| kept.attribute != edit.attribute)) {
        let Some(value) = &edit.before else { continue };
        let moves = |kept: &Edit| matches!(&kept.after, Some(Value::Text(text)) if fold(text) == fold(value));
        let mut beside = left.iter().filter(|kept| shares_place(kept.attribute, edit.attribute)).peekable();
        if beside.peek().is_some() && !beside.any(moves) {
            all.push((edit.attribute, value.clone()));
        }
    }
    all.sort_by_key(|(attribute, _)| *attribute);
    all
}

/// Whether two attributes are parts of one SCIM attribute.
fn shares_place(a: Attribute, b: Attribute) -> bool {
    a.row().path == b.row().path && TABLE.iter().filter(|row| row.path == a.row().path).count() > 1
}

/// Whether a change that is left cannot do without what was left out of another one.
fn is_missed(left: &Change, needed: &Change, cut: &Cut, need: Need) -> bool {
    if cut.is_whole {
        return false;
    }
    match (&left.action, &needed.action, need) {
        // Who joins a group must have become fit for it; who leaves one need not.
        (
            Action::CreateGroup { members: joins, .. } | Action::UpdateGroup { add: joins, .. },
            Action::CreateUser { .. } | Action::UpdateUser { .. },
            _,
        ) => cut.has_lost(Loss::Admission) && person(needed).is_some_and(|person| joins.contains(&person)),
        (Action::CreateUser { edits, .. } | Action::UpdateUser { edits, .. }, _, Need::Success) => {
            let takes = edits.iter().any(|edit| {
                matches!(edit.attribute, Attribute::UserName | Attribute::Email | Attribute::SecondaryEmail)
            });
            let reports_to = edits.iter().any(|edit| match &edit.after {
                Some(Value::Person(manager)) => Some(manager) == person(needed).as_ref(),
                _ => false,
            });
            let is_same = person(left) == person(needed);
            (takes && cut.has_lost(Loss::Name)) || ((reports_to || is_same) && cut.change.is_none())
        }
        (Action::CreateGroup { .. }, _, Need::Success) => cut.has_lost(Loss::Name),
        (Action::UpdateGroup { rename, .. }, _, Need::Success) => {
            cut.change.is_none() || (rename.is_some() && cut.has_lost(Loss::Name))
        }
        (Action::DeleteGroup { .. }, _, _) | (_, _, Need::End) => false,
    }
}

fn person(change: &Change) -> Option<UserRef> {
    match &change.action {
        Action::CreateUser { user_name, .. } => Some(UserRef::New(user_name.clone())),
        Action::UpdateUser { id, .. } => Some(id.clone()),
        Action::CreateGroup { .. } | Action::UpdateGroup { .. } | Action::DeleteGroup { .. } => None,
    }
}

/// What is left in the order of the saved plan, as far as what waits for what allows it.
fn ordered(changes: &[Change], cuts: Vec<Cut>) -> Vec<Change> {
    let is_left: Vec<bool> = cuts.iter().map(|cut| cut.change.is_some()).collect();
    let left = |at: usize| is_left.get(at).copied().unwrap_or_default();
    let mut open = vec![0_usize; cuts.len()];
    let mut waited_by: Vec<Vec<usize>> = vec![Vec::new(); cuts.len()];
    for (at, change) in changes.iter().enumerate().filter(|(at, _)| left(*at)) {
        for on in change.waits_for.iter().map(|wait| wait.on.get()).filter(|on| left(*on)) {
            if let (Some(open), Some(list)) = (open.get_mut(at), waited_by.get_mut(on)) {
                *open += 1;
                list.push(at);
            }
        }
    }
    let ranks: Vec<usize> = cuts.iter().map(|cut| cut.rank).collect();
    let key = |at: usize| Reverse((ranks.get(at).copied().unwrap_or(usize::MAX), at));
    let mut ready: BinaryHeap<Reverse<(usize, usize)>> =
        (0..cuts.len()).filter(|at| left(*at) && open.get(*at) == Some(&0)).map(key).collect();
    let mut cuts: Vec<Option<Change>> = cuts.into_iter().map(|cut| cut.change).collect();
    let mut place: Vec<Option<u32>> = vec![None; cuts.len()];
    let mut list: Vec<Change> = Vec::new();
    while let Some(Reverse((_, at))) = ready.pop() {
        let Some(mut change) = cuts.get_mut(at).and_then(Option::take) else { continue };
        if let Some(place) = place.get_mut(at) {
            *place = u32::try_from(list.len()).ok();
        }
        change.waits_for = change
            .waits_for
            .iter()
            .filter_map(|wait| {
                let on = place.get(wait.on.get()).copied().flatten()?;
                Some(Dependency { on: ChangeId(on), need: wait.need })
            })
            .collect();
        change.waits_for.sort_by_key(|wait| wait.on);
        list.push(change);
        for next in waited_by.get(at).into_iter().flatten() {
            if let Some(open) = open.get_mut(*next) {
                *open -= 1;
                if *open == 0 {
                    ready.push(key(*next));
                }
            }
        }
    }
    list
}
