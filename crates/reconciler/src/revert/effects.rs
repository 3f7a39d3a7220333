//! What a run did to each resource, all its changes taken together: the state before the first and after each of them.

use model::attribute::Attribute;
use model::change::ChangeKind;
use model::directory::{Directory, User};
use model::names::{GroupId, UserId, fold};
use model::place::Place;
use serde_json::{Map, Value as Json};
use std::collections::{BTreeMap, HashMap};

/// One change of a run that may have happened.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deed<'a> {
    /// What kind of change it was.
    pub(super) kind: ChangeKind,
    /// The service's id of the resource; `@user:NAME` or `@group:NAME` for one that the run created.
    pub(super) target: &'a str,
    /// What people called the resource.
    pub(super) name: &'a str,
    /// What held before, by roster key.
    pub(super) before: &'a Map<String, Json>,
    /// What was to hold afterwards, by roster key.
    pub(super) after: &'a Map<String, Json>,
    /// The id of what a creation created, where the journal has it.
    pub(super) id: Option<&'a str>,
    /// Whether the service has shown that it is done.
    pub(super) is_seen: bool,
    /// The journal's line.
    pub(super) place: Place,
}

/// One thing that went from one value to another, perhaps through others.
#[derive(Debug, Clone)]
pub(super) struct Passage<T> {
    /// What held before the run.
    pub(super) before: T,
    /// What the run made of it, last of all last. A run that was cut short may have left any of them.
    pub(super) afters: Vec<T>,
    /// The journal's line that says so first.
    pub(super) place: Place,
}

impl<T> Passage<T> {
    fn extend(entry: &mut Option<Self>, before: T, after: T, place: Place) {
        match entry {
            Some(passage) => passage.afters.push(after),
            None => *entry = Some(Self { before, afters: vec![after], place }),
        }
    }
}

/// What a run did to an account that it did not create.
#[derive(Debug, Clone)]
pub(super) struct Touched {
    /// The account.
    pub(super) id: UserId,
    /// What people called it.
    pub(super) name: Box<str>,
    /// Per attribute: text as the service has it, `"true"` or `"false"` for flags, `None` for nothing.
    pub(super) attributes: BTreeMap<Attribute, Passage<Option<Box<str>>>>,
    /// Whether its deactivation was sent and has not been seen.
    pub(super) may_turn_inactive: bool,
    /// Keys of the journal that this version does not know.
    pub(super) unknown: Vec<Box<str>>,
    /// The journal's first line on it.
    pub(super) place: Place,
}

/// An account that a run created.
#[derive(Debug, Clone)]
pub(super) struct Created {
    /// The account; `None` where the journal does not say, and the directory does not show which one it is.
    pub(super) id: Option<UserId>,
    /// Its entry's userName.
    pub(super) name: Box<str>,
    /// The journal's line.
    pub(super) place: Place,
}

/// What a run did to a group that it did not create.
#[derive(Debug, Clone)]
pub(super) struct TouchedGroup {
    /// The group.
    pub(super) id: GroupId,
    /// What people called it.
    pub(super) name: Box<str>,
    /// Its name.
    pub(super) display_name: Option<Passage<Box<str>>>,
    /// Whether somebody is in it.
    pub(super) members: BTreeMap<UserId, Passage<bool>>,
    /// The journal's line on its deletion.
    pub(super) deleted: Option<Place>,
    /// The group that an earlier attempt to undo the run made in its place.
    pub(super) remade: Option<GroupId>,
    /// The journal's first line on it.
    pub(super) place: Place,
}

/// A group that a run created.
#[derive(Debug, Clone)]
pub(super) struct CreatedGroup {
    /// The group; `None` where the journal does not say, and the directory does not show which one it is.
    pub(super) id: Option<GroupId>,
    /// The name it was given.
    pub(super) name: Box<str>,
    /// Whom the run took in, as far as their accounts are known.
    pub(super) members: Vec<UserId>,
    /// The journal's line.
    pub(super) place: Place,
}

/// All that a run did. Everything is in the order in which the run came to it.
#[derive(Debug, Clone, Default)]
pub(super) struct Effects {
    pub(super) touched: Vec<Touched>,
    pub(super) created: Vec<Created>,
    pub(super) touched_groups: Vec<TouchedGroup>,
    pub(super) created_groups: Vec<CreatedGroup>,
}

impl Effects {
    /// Gathers the changes of a run, in its order, and what earlier attempts to undo it have made of the same things.
    pub(super) fn of(deeds: &[Deed<'_>], attempts: &[Deed<'_>], directory: &Directory) -> Self {
        let mut gathering = Gathering::default();
        gathering.creations(deeds, attempts, directory);
        for deed in deeds {
            gathering.take(deed);
        }
        for deed in attempts {
            gathering.take_attempt(deed);
        }
        gathering.find_created_groups(directory);
        gathering.effects
    }
}

#[derive(Default)]
struct Gathering {
    effects: Effects,
    /// The accounts that `@user:NAME` stands for in this run.
    new_users: HashMap<Box<str>, Option<UserId>>,
    touched: HashMap<Box<str>, usize>,
    touched_groups: HashMap<Box<str>, usize>,
    created_groups: HashMap<Box<str>, usize>,
}

impl Gathering {
    /// Creations first: other changes may name the new accounts.
    fn creations(&mut self, deeds: &[Deed<'_>], attempts: &[Deed<'_>], directory: &Directory) {
        let search = Search { deeds, attempts, directory };
        for deed in deeds.iter().filter(|deed| deed.kind == ChangeKind::CreateUser) {
            let id = match deed.id {
                Some(id) => Some(UserId::new(id)),
                None => search.created(deed),
            };
            let name: Box<str> = deed.target.strip_prefix("@user:").unwrap_or(deed.target).into();
            self.new_users.insert(name.clone(), id.clone());
            self.effects.created.push(Created { id, name, place: deed.place });
        }
    }

    fn take(&mut self, deed: &Deed<'_>) {
        match deed.kind {
            ChangeKind::CreateUser => {}
            ChangeKind::ReactivateUser | ChangeKind::UpdateUser | ChangeKind::DeactivateUser => {
                self.user(deed);
            }
            ChangeKind::CreateGroup => {
                let name = group_name(deed.target);
                let members = self.members(deed.after);
                self.created_groups.insert(name.clone(), self.effects.created_groups.len());
                let id = deed.id.map(GroupId::new);
                self.effects.created_groups.push(CreatedGroup { id, name, members, place: deed.place });
            }
            ChangeKind::UpdateGroup => match self.created_groups.get(&group_name(deed.target)) {
                Some(at) if deed.target.starts_with('@') => {
                    let members = self.members(deed.after);
                    if let Some(group) = self.effects.created_groups.get_mut(*at) {
                        group.members.extend(members);
                    }
                }
                _ => self.group(deed),
            },
            ChangeKind::DeleteGroup => self.group(deed),
        }
    }

    fn user(&mut self, deed: &Deed<'_>) {
        // What the run did to its own creations goes with them.
        if deed.target.starts_with('@') {
            return;
        }
        let at = *self.touched.entry(deed.target.into()).or_insert_with(|| {
            self.effects.touched.push(Touched {
                id: UserId::new(deed.target),
                name: deed.name.into(),
                attributes: BTreeMap::new(),
                may_turn_inactive: false,
                unknown: Vec::new(),
                place: deed.place,
            });
            self.effects.touched.len() - 1
        });
        if let Some(touched) = self.effects.touched.get_mut(at) {
            touched.may_turn_inactive |= deed.kind == ChangeKind::DeactivateUser && !deed.is_seen;
        }
        for (key, after) in deed.after {
            let Some(attribute) = Attribute::from_key(key) else {
                if let Some(touched) = self.effects.touched.get_mut(at) {
                    touched.unknown.push(key.as_str().into());
                }
                continue;
            };
            let before = deed.before.get(key).and_then(text);
            let after = text(after).map(|after| match self.person(&after) {
                Some(id) if attribute == Attribute::Manager => id.as_str().into(),
                _ => after,
            });
            let Some(touched) = self.effects.touched.get_mut(at) else { continue };
            let mut passage = touched.attributes.remove(&attribute);
            Passage::extend(&mut passage, before, after, deed.place);
            touched.attributes.extend(passage.map(|passage| (attribute, passage)));
        }
    }

    fn group(&mut self, deed: &Deed<'_>) {
        let (joined, left) = (self.members(deed.after), self.members(deed.before));
        let at = *self.touched_groups.entry(deed.target.into()).or_insert_with(|| {
            self.effects.touched_groups.push(TouchedGroup {
                id: GroupId::new(deed.target),
                name: deed.name.into(),
                display_name: None,
                members: BTreeMap::new(),
                deleted: None,
                remade: None,
                place: deed.place,
            });
            self.effects.touched_groups.len() - 1
        });
        let Some(group) = self.effects.touched_groups.get_mut(at) else { return };
        let name = |map: &Map<String, Json>| map.get("displayName").and_then(text);
        if deed.kind == ChangeKind::DeleteGroup {
            group.deleted = Some(deed.place);
            if let Some(before) = name(deed.before) {
                Passage::extend(&mut group.display_name, before.clone(), before, deed.place);
            }
        } else if let (Some(before), Some(after)) = (name(deed.before), name(deed.after)) {
            Passage::extend(&mut group.display_name, before, after, deed.place);
        }
        let moves = left.into_iter().map(|id| (id, false)).chain(joined.into_iter().map(|id| (id, true)));
        for (id, is_member) in moves {
            let mut passage = group.members.remove(&id);
            Passage::extend(&mut passage, !is_member, is_member, deed.place);
            group.members.extend(passage.map(|passage| (id, passage)));
        }
    }

    /// An attempt that was cut short may have left temporary values, and groups that are not complete.
    fn take_attempt(&mut self, deed: &Deed<'_>) {
        match deed.kind {
            ChangeKind::CreateGroup => {
                let (name, id) = (group_name(deed.target), deed.id.map(GroupId::new));
                let deleted = self.effects.touched_groups.iter_mut().filter(|group| group.deleted.is_some());
                for group in
                    deleted.filter(|group| group.display_name.as_ref().is_some_and(|p| p.before == name))
                {
                    group.remade = id.clone().or(group.remade.take());
                }
            }
            ChangeKind::UpdateGroup => {
                let group = self.touched_groups.get(deed.target);
                let group = group.and_then(|at| self.effects.touched_groups.get_mut(*at));
                let passage = group.and_then(|group| group.display_name.as_mut());
                if let (Some(passage), Some(name)) = (passage, deed.after.get("displayName").and_then(text)) {
                    passage.afters.insert(0, name);
                }
            }
            _ => {
                let touched = self.touched.get(deed.target);
                let Some(touched) = touched.and_then(|at| self.effects.touched.get_mut(*at)) else { return };
                for (key, after) in deed.after {
                    let attribute = Attribute::from_key(key);
                    if let Some(passage) = attribute.and_then(|a| touched.attributes.get_mut(&a)) {
                        passage.afters.insert(0, text(after));
                    }
                }
            }
        }
    }

    /// The accounts under `members`; those that were to be created and are not known are left out.
    fn members(&self, map: &Map<String, Json>) -> Vec<UserId> {
        let list = map.get("members").and_then(Json::as_array).into_iter().flatten();
        list.filter_map(Json::as_str).filter_map(|member| self.person(member)).collect()
    }

    /// Whom a reference names: an id, or `@user:NAME`.
    fn person(&self, reference: &str) -> Option<UserId> {
        match reference.strip_prefix("@user:") {
            Some(name) => self.new_users.get(name).cloned().flatten(),
            None => Some(UserId::new(reference)),
        }
    }

    /// Created groups whose ids the journal does not have: the one group of that name, if nobody is in it whom the run
    /// did not take in.
    fn find_created_groups(&mut self, directory: &Directory) {
        for created in self.effects.created_groups.iter_mut().filter(|group| group.id.is_none()) {
            let mut named =
                directory.groups.iter().filter(|group| fold(&group.display_name) == fold(&created.name));
            let (Some(only), None) = (named.next(), named.next()) else { continue };
            let mut members = only.members.iter().filter_map(|index| directory.user(*index));
            if only.foreign_members.is_empty() && members.all(|user| created.members.contains(&user.id)) {
                created.id = Some(only.id.clone());
            }
        }
    }
}

/// Looks for accounts whose creation the journal does not finish telling. A run has few of them: those that were under
/// way when it was killed.
struct Search<'a> {
    deeds: &'a [Deed<'a>],
    attempts: &'a [Deed<'a>],
    directory: &'a Directory,
}

impl Search<'_> {
    /// The account that an earlier attempt took for the created one, or the only one that has both the name and the address
    /// that it was to have. Accounts that the run changed were there before, whatever they are called now.
    fn created(&self, creation: &Deed<'_>) -> Option<UserId> {
        let wanted =
            |slot: Attribute| creation.after.get(slot.key()).and_then(text).map(|value| fold(&value));
        let (name, address) = (wanted(Attribute::UserName)?, wanted(Attribute::Email)?);
        let was_there = |id: &str| self.deeds.iter().any(|deed| deed.target == id);
        let gave_up = |deed: &Deed<'_>, slot: Attribute, wanted: &str| {
            deed.before.get(slot.key()).and_then(text).is_some_and(|before| fold(&before) == wanted)
        };
        let mut attempted = self.attempts.iter().filter(|deed| {
            gave_up(deed, Attribute::UserName, &name) || gave_up(deed, Attribute::Email, &address)
        });
        if let Some(deed) = attempted.find(|deed| !was_there(deed.target)) {
            return Some(UserId::new(deed.target));
        }
        let has = |user: &User, slot, wanted: &str| user.get(slot).is_some_and(|live| fold(live) == wanted);
        let mut found = self.directory.users.iter().filter(|user| {
            has(user, Attribute::UserName, &name)
                && has(user, Attribute::Email, &address)
                && !was_there(user.id.as_str())
        });
        match (found.next(), found.next()) {
            (Some(user), None) => Some(user.id.clone()),
            _ => None,
        }
    }
}

fn group_name(target: &str) -> Box<str> {
    target.strip_prefix("@group:").unwrap_or(target).into()
}

/// A value of the journal as text; `None` where nothing is set.
fn text(value: &Json) -> Option<Box<str>> {
    match value {
        Json::Null => None,
        Json::String(text) => (!text.trim().is_empty()).then(|| text.as_str().into()),
        other => Some(other.to_string().into()),
    }
}
