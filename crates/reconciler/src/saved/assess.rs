//! What of a saved plan holds already, what is still to be done, and what has moved.

use super::Contents;
use super::effects::{Course, Effects, GroupEffects, UserCourse};
use super::live::{Live, is_initial, same, value};
use super::people::{People, Who};
use model::attribute::{Attribute, Value, Writable};
use model::change::{Action, Change, GroupRef, UserRef};
use model::directory::{Group, User};
use model::names::UserId;
use model::policy::AttributeMode;
use model::roster::Roster;
use model::stale::{Moved, Why};
use std::collections::{BTreeMap, BTreeSet};

/// What is still to be done of a saved plan, named as the fresh changes name it, with the saved change that has it.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) users: BTreeMap<(UserRef, Attribute), usize>,
    pub(super) groups: BTreeMap<GroupRef, KeptGroup>,
}

/// What is still to be done of a group.
#[derive(Debug, Default)]
pub(super) struct KeptGroup {
    pub(super) created: Option<usize>,
    pub(super) name: Option<usize>,
    pub(super) joins: BTreeMap<UserRef, usize>,
    pub(super) leaves: BTreeMap<UserId, usize>,
    pub(super) deleted: Option<usize>,
}

/// A saved plan, compared.
pub(super) struct Assessment {
    pub(super) kept: Kept,
    /// Per saved change, whether something of it is still to be done.
    pub(super) open: Vec<bool>,
    /// The accounts of which something is done, as the saved plan names them.
    pub(super) begun: BTreeSet<UserRef>,
    pub(super) moved: Vec<Moved>,
}

/// The sides that are compared.
pub(super) struct Sides<'a> {
    pub(super) saved: &'a Contents,
    pub(super) roster: &'a Roster,
    pub(super) live: &'a Live<'a>,
    pub(super) people: &'a People<'a>,
    /// The effects of the saved plan.
    pub(super) effects: &'a Effects<'a>,
    /// The effects of the fresh changes; none where nothing could be planned.
    pub(super) fresh: &'a Effects<'a>,
}

/// Compares every effect of a saved plan with what is there and with what the roster asks for now.
pub(super) fn assess(sides: &Sides<'_>) -> Assessment {
    let open = vec![false; sides.saved.changes.len()];
    let out = Assessment { kept: Kept::default(), open, begun: BTreeSet::new(), moved: Vec::new() };
    let mut assessor = Assessor { sides, out };
    for (user, attribute, course) in sides.effects.users.iter() {
        assessor.attribute(user, attribute, course);
    }
    for (group, effects) in &sides.effects.groups {
        assessor.group(group, effects);
    }
    assessor.out.moved.sort_by_key(|moved| moved.change);
    assessor.out
}

struct Assessor<'a> {
    sides: &'a Sides<'a>,
    out: Assessment,
}

impl Assessor<'_> {
    fn attribute(&mut self, saved: &UserRef, attribute: Attribute, course: &UserCourse<'_>) {
        let Sides { live, people, fresh, .. } = *self.sides;
        let (key, account) = match people.who(saved) {
            Who::Coming => (saved.clone(), None),
            Who::There(user) => (UserRef::Existing(user.id.clone()), Some(user)),
            Who::Nobody => {
                // Said once, for the account, and not for each of its attributes.
                let known = self.out.moved.last().is_some_and(|last| *last.target == *saved.to_string());
                if !known {
                    let why = if matches!(saved, UserRef::New(_)) { Why::NotAsked } else { Why::Gone };
                    let moved = self.moved(course.end(), "", why);
                    self.out.moved.push(moved);
                }
                return;
            }
        };
        let found = account.and_then(|user| value(user, attribute));
        let wanted = course.last.map(|value| people.named_now(value));
        let asked = fresh.users.get(&key, attribute);
        let asks_the_same =
            asked.is_some_and(|asked| asked.last.map(Value::text) == wanted.as_ref().map(Value::text));
        if !asks_the_same {
            let holds = account.is_some_and(|user| {
                live.has(user, attribute, course.last, |person| people.account(person))
                    || self.sides.effects.has_left(saved, user)
                    || (matches!(saved, UserRef::New(_)) && !self.is_enforced(attribute))
            });
            if holds {
                self.out.begun.insert(saved.clone());
                return;
            }
        }
        let is_new_account = matches!(saved, UserRef::New(_)) && account.is_some();
        let at = position(course, |planned| {
            let initial = is_new_account && planned.is_none() && is_initial(attribute, found.as_deref());
            initial || same(attribute, planned, found.as_deref())
        });
        let why = match (at, asked) {
            (Some(at), _) if asks_the_same => {
                for step in course.steps.iter().skip(at) {
                    self.open(step.change);
                }
                if at > 0 || is_new_account {
                    self.out.begun.insert(saved.clone());
                }
                self.out.kept.users.insert((key, attribute), course.end());
                return;
            }
            (Some(_), None)
                if account.is_some_and(|user| self.sides.effects.is_spare(saved, user, attribute)) =>
            {
                self.out.begun.insert(saved.clone());
                return;
            }
            _ if account.is_some_and(|user| self.protects_user(user)) => Why::Protected,
            _ if attribute != Attribute::Active && account.is_some_and(|user| !user.active) => Why::Inactive,
            (None, _) => Why::OtherValue,
            (_, Some(other)) => {
                let text = other.last.map_or_else(|| "nothing".to_owned(), Value::text);
                Why::AskedOtherwise(text.into())
            }
            _ => Why::NotAsked,
        };
        let moved = Moved {
            before: course.first(),
            after: wanted.map(|value| value.text().into()),
            found,
            ..self.moved(course.end(), attribute.key(), why)
        };
        self.out.moved.push(moved);
    }

    /// Whether an account that exists would be given this attribute; one that is written at creation alone cannot be
    /// made up for.
    fn is_enforced(&self, attribute: Attribute) -> bool {
        attribute.row().writable == Writable::Always
            && self.sides.roster.policy.attributes.get(attribute) == AttributeMode::Enforce
    }

    fn protects_user(&self, user: &User) -> bool {
        let names = [Attribute::UserName, Attribute::Email, Attribute::SecondaryEmail];
        let names = names.into_iter().filter_map(|attribute| user.get(attribute));
        let patterns = &self.sides.roster.policy.protect.users;
        names.chain([user.id.as_str()]).any(|name| patterns.iter().any(|p| p.value.matches(name)))
    }

    fn protects_group(&self, group: &Group) -> bool {
        let patterns = &self.sides.roster.policy.protect.groups;
        [&*group.display_name, group.id.as_str()]
            .iter()
            .any(|name| patterns.iter().any(|p| p.value.matches(name)))
    }

    fn group(&mut self, saved: &GroupRef, effects: &GroupEffects<'_>) {
        let Sides { live, people, fresh, .. } = *self.sides;
        let (key, group) = match saved {
            GroupRef::Existing(id) => (saved.clone(), live.group(id)),
            GroupRef::New(name) => match (fresh.groups.get(saved), live.group_named(name)) {
                (Some(asked), _) if asked.created.is_some() => (saved.clone(), None),
                (_, Some(group)) if self.sides.effects.keeps_name(&group.id) => {
                    (GroupRef::Existing(group.id.clone()), Some(group))
                }
                _ => {
                    let moved = self.moved(effects.created.unwrap_or_default(), "", Why::NotAsked);
                    self.out.moved.push(moved);
                    return;
                }
            },
        };
        let nothing = GroupEffects::default();
        let asked = fresh.groups.get(&key).unwrap_or(&nothing);
        if let Some((change, name, members)) = effects.deleted {
            self.deletion(&key, change, name, members, asked);
        }
        let is_new = matches!(saved, GroupRef::New(_));
        if group.is_none() && !is_new {
            let others = [effects.joins.values().next(), effects.leaves.values().next()];
            let first =
                effects.name.as_ref().map(Course::end).or(others.into_iter().flatten().min().copied());
            if let Some(change) = first {
                let moved = self.moved(change, "", Why::Gone);
                self.out.moved.push(moved);
            }
            return;
        }
        if let (Some(change), None) = (effects.created, group) {
            self.open(change);
            self.kept(&key).created = Some(change);
        }
        if let (Some(course), Some(group)) = (&effects.name, group) {
            self.name(&key, course, group, asked);
        }
        for (member, change) in &effects.joins {
            let now = people.referred_to(member);
            let is_member =
                |group| people.account(member).is_some_and(|user| live.is_member(group, &user.id));
            if asked.joins.contains_key(&now) {
                self.open(*change);
                self.kept(&key).joins.insert(now, *change);
            } else if !group.is_some_and(is_member) {
                let inactive = people.account(member).is_some_and(|user| !user.active);
                let why = match group {
                    Some(group) if self.protects_group(group) => Why::Protected,
                    _ if inactive => Why::Inactive,
                    _ => Why::NotAsked,
                };
                let after = Some(self.called(member));
                let moved = Moved { after, ..self.moved(*change, "members", why) };
                self.out.moved.push(moved);
            }
        }
        for (member, change) in &effects.leaves {
            let user = UserRef::Existing((*member).clone());
            if asked.leaves.contains_key(*member) {
                self.open(*change);
                self.kept(&key).leaves.insert((*member).clone(), *change);
            } else if group.is_some_and(|group| live.is_member(group, member))
                && !live.user(member).is_some_and(|account| self.sides.effects.has_left(&user, account))
            {
                let why = match group {
                    Some(group) if self.protects_group(group) => Why::Protected,
                    _ if live.user(member).is_some_and(|user| self.protects_user(user)) => Why::Protected,
                    _ => Why::NotAsked,
                };
                let before = Some(self.called(&user));
                let moved =
                    Moved { before: before.clone(), found: before, ..self.moved(*change, "members", why) };
                self.out.moved.push(moved);
            }
        }
    }

    fn name(&mut self, key: &GroupRef, course: &Course<&str>, group: &Group, asked: &GroupEffects<'_>) {
        let found = group.display_name.trim();
        let asked = asked.name.as_ref().map(|name| name.last.trim());
        let asks_the_same = asked == Some(course.last.trim());
        if !asks_the_same && found == course.last.trim() {
            return;
        }
        let at = position(course, |planned| planned.is_some_and(|planned| planned.trim() == found));
        let why = match (at, asked) {
            (Some(at), _) if asks_the_same => {
                for step in course.steps.iter().skip(at) {
                    self.open(step.change);
                }
                self.kept(key).name = Some(course.end());
                return;
            }
            _ if self.protects_group(group) => Why::Protected,
            (None, _) => Why::OtherValue,
            (_, Some(other)) => Why::AskedOtherwise(other.into()),
            _ => Why::NotAsked,
        };
        let moved = Moved {
            before: course.first(),
            after: Some(course.last.into()),
            found: Some(found.into()),
            ..self.moved(course.end(), "displayName", why)
        };
        self.out.moved.push(moved);
    }

    /// A deletion cannot be undone, so nobody may have joined the group since; who has left it, perhaps by this very
    /// plan, does not matter.
    fn deletion(
        &mut self,
        key: &GroupRef,
        change: usize,
        name: &str,
        members: &[UserId],
        asked: &GroupEffects<'_>,
    ) {
        let GroupRef::Existing(id) = key else { return };
        let Some(group) = self.sides.live.group(id) else { return };
        let known: BTreeSet<&UserId> = members.iter().collect();
        let directory = self.sides.live.directory;
        let stranger = group
            .members
            .iter()
            .filter_map(|index| directory.user(*index))
            .find(|user| !known.contains(&user.id));
        let why = if asked.deleted.is_none() {
            if self.protects_group(group) { Why::Protected } else { Why::NotAsked }
        } else if group.display_name.trim() != name.trim() {
            let moved = Moved {
                before: Some(name.into()),
                found: Some(group.display_name.clone()),
                ..self.moved(change, "displayName", Why::OtherValue)
            };
            self.out.moved.push(moved);
            return;
        } else if let Some(stranger) = stranger {
            let found = Some(self.called(&UserRef::Existing(stranger.id.clone())));
            let moved = Moved { found, ..self.moved(change, "members", Why::OtherValue) };
            self.out.moved.push(moved);
            return;
        } else {
            self.open(change);
            self.kept(key).deleted = Some(change);
            return;
        };
        let moved = self.moved(change, "", why);
        self.out.moved.push(moved);
    }

    fn kept(&mut self, group: &GroupRef) -> &mut KeptGroup {
        self.out.kept.groups.entry(group.clone()).or_default()
    }

    fn open(&mut self, change: usize) {
        if let Some(open) = self.out.open.get_mut(change) {
            *open = true;
        }
    }

    /// A person as people know them, with the id where that tells more.
    fn called(&self, user: &UserRef) -> Box<str> {
        match self.sides.people.account(user) {
            Some(account) if !account.user_name().is_empty() => account.user_name().into(),
            _ => user.to_string().into(),
        }
    }

    fn moved(&self, change: usize, key: &str, why: Why) -> Moved {
        moved(self.sides.saved.changes.get(change), change, key, why)
    }
}

/// How far a value has come: the last of the values before the last one that is there.
fn position<T>(course: &Course<T>, is_there: impl Fn(Option<&str>) -> bool) -> Option<usize> {
    course.steps.iter().rposition(|step| is_there(step.before.as_deref()))
}

/// Something that has moved, of which no values are to be told.
pub(super) fn moved(saved: Option<&Change>, change: usize, key: &str, why: Why) -> Moved {
    Moved {
        change: change + 1,
        is_group: saved.is_some_and(is_group),
        target: saved.map(Change::target).unwrap_or_default().into(),
        name: saved.map(|change| change.name.clone()).unwrap_or_default(),
        key: key.into(),
        before: None,
        after: None,
        found: None,
        why,
    }
}

/// Whether a change is of a group.
pub(super) fn is_group(change: &Change) -> bool {
    matches!(
        change.action,
        Action::CreateGroup { .. } | Action::UpdateGroup { .. } | Action::DeleteGroup { .. }
    )
}

/// Names and addresses that a saved plan was to give to somebody and that somebody else holds by now who does not give
/// them up in the plan.
pub(super) fn taken(sides: &Sides<'_>) -> Vec<Moved> {
    let effects = sides.effects;
    let mut found = Vec::new();
    for (user, attribute, course) in effects.users.iter() {
        let Some(Value::Text(text)) = course.last else { continue };
        let Some(holder) = sides.live.holder(attribute, text) else { continue };
        let own = sides.people.account(user).is_some_and(|account| account.id == holder.id);
        let slots = [Attribute::UserName, Attribute::Email, Attribute::SecondaryEmail];
        let gives_up = slots.iter().any(|slot| {
            let held =
                holder.get(*slot).is_some_and(|value| model::names::fold(value) == model::names::fold(text));
            held && effects.users.get(&UserRef::Existing(holder.id.clone()), *slot).is_some()
        });
        if own || gives_up {
            continue;
        }
        let who = format!("{} ({})", holder.user_name(), holder.id);
        let saved = sides.saved.changes.get(course.end());
        found.push(Moved {
            before: course.first(),
            after: Some(text.as_str().into()),
            ..moved(saved, course.end(), attribute.key(), Why::TakenBy(who.into()))
        });
    }
    found
}
