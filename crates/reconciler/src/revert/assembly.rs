//! The roster that wants the state before a run, of what the run changed, and nothing else.

use super::Bounds;
use super::effects::Effects;
use super::fence::Fence;
use super::groups::{Crowd, GroupReturn, Groups};
use super::handback::{MadeWay, hand_back};
use super::notes::{Notes, Topic};
use super::people::{People, Return, wanted_value};
use model::attribute::{Attribute, Value};
use model::change::{Action, Changeset, UserRef};
use model::directory::{Directory, User, UserIndex};
use model::names::{GroupId, UserId, UserName};
use model::place::{Located, Place, Sources};
use model::policy::{
    AttributeMode, AttributeModes, Policy, Unlisted, UnlistedGroups, UnlistedMembers, UnlistedUsers,
};
use model::roster::{EntryIndex, GroupEntry, Member, Members, Roster, Setting, UserEntry, Wish};
use std::collections::{BTreeMap, HashMap};

/// The roster, and what must be known besides to say what its plan leaves undone.
pub(super) struct Assembled {
    /// The roster, still without its sources.
    pub(super) roster: Roster,
    /// The groups that it deletes by not listing them, with the journal's lines on their creation.
    pub(super) deletions: HashMap<GroupId, Place>,
    /// What is wanted of accounts that are deactivated in the end.
    inactive: Vec<(UserId, Box<str>, Vec<Attribute>)>,
}

/// Writes the roster.
pub(super) fn assemble(
    bounds: Bounds<'_>,
    directory: &Directory,
    effects: &Effects,
    fence: &Fence<'_>,
    notes: &mut Notes,
) -> Assembled {
    let people = People::new(directory, effects, fence);
    let mut returns = people.returns(notes);
    let made_way = hand_back(directory, &mut returns, notes);
    let Groups { returns: groups, deleted } = Crowd { directory, effects, fence }.groups(notes);

    let mut listing = Listing { directory, users: Vec::new(), index: HashMap::new() };
    let mut inactive = Vec::new();
    for back in &returns {
        listing.list(back, &made_way);
        let Some(user) = directory.user(back.account) else { continue };
        if !back.is_created && !back.ends_active(user) {
            let rest =
                back.wants.keys().copied().filter(|attribute| *attribute != Attribute::Active).collect();
            inactive.push((user.id.clone(), back.name.clone(), rest));
        }
    }
    for back in &returns {
        listing.manager(back, &people);
    }
    let mut entries: Vec<GroupEntry> = groups.iter().map(|group| listing.group(group, &people)).collect();
    if !deleted.is_empty() {
        // Groups are deleted by not being listed, so every other one is, with nothing to be changed.
        let returning: Vec<usize> = groups.iter().filter_map(|group| group.live).collect();
        let mut listed: Vec<bool> = vec![false; directory.groups.len()];
        for at in returning.into_iter().chain(deleted.keys().copied()) {
            if let Some(listed) = listed.get_mut(at) {
                *listed = true;
            }
        }
        let others = directory.groups.iter().zip(listed).filter(|(_, listed)| !listed);
        entries.extend(others.map(|(group, _)| GroupEntry {
            display_name: here(group.display_name.clone()),
            id: Some(here(group.id.clone())),
            formerly: Vec::new(),
            members: None,
            place: Place::default(),
        }));
    }
    let deletions = deleted
        .iter()
        .filter_map(|(at, place)| Some((directory.groups.get(*at)?.id.clone(), *place)))
        .collect();
    let roster = Roster {
        workspace: bounds.roster().and_then(|roster| roster.workspace.clone()),
        policy: policy(bounds.policy(), fence, !deleted.is_empty()),
        users: listing.users,
        groups: (!entries.is_empty() || !deleted.is_empty()).then_some(entries),
        sources: Sources::default(),
    };
    Assembled { roster, deletions, inactive }
}

impl Assembled {
    /// Accounts that are deactivated in the end carry nothing but that, unless somebody needs their names: what the run
    /// did to the rest of them stays.
    pub(super) fn note_what_deactivation_leaves(
        &self,
        changeset: &Changeset,
        directory: &Directory,
        notes: &mut Notes,
    ) {
        let mut edited: BTreeMap<&UserId, Vec<Attribute>> = BTreeMap::new();
        for change in &changeset.changes {
            if let Action::UpdateUser { id: UserRef::Existing(id), edits, .. } = &change.action {
                edited.entry(id).or_default().extend(edits.iter().map(|edit| edit.attribute));
            }
        }
        for (id, name, wanted) in &self.inactive {
            let done = edited.get(id).map_or(&[][..], Vec::as_slice);
            let left: Vec<&str> =
                wanted.iter().filter(|attribute| !done.contains(attribute)).map(|a| a.key()).collect();
            if left.is_empty() {
                continue;
            }
            let is_active =
                directory.find(id).and_then(|index| directory.user(index)).is_some_and(|user| user.active);
            let verb = if is_active { "is deactivated again" } else { "is deactivated" };
            notes.line(
                Topic::StaysInactive,
                format!("{name}: {verb}, so these stay as the run left them: {}", left.join(", ")),
            );
        }
    }
}

/// The limits and protections of the given policy, and of the rest what makes the roster mean what it says.
fn policy(given: &Policy, fence: &Fence<'_>, deletes_groups: bool) -> Policy {
    let mut attributes = AttributeModes::default();
    for attribute in Attribute::all() {
        attributes.set(attribute, AttributeMode::Enforce);
    }
    let groups = if deletes_groups { UnlistedGroups::Delete } else { UnlistedGroups::Keep };
    Policy {
        unlisted: Unlisted { users: UnlistedUsers::Keep, groups, members: UnlistedMembers::Remove },
        protect: fence.protect(),
        limits: given.limits,
        email_domains: given.email_domains.clone(),
        attributes,
    }
}

/// The people of the roster in the making.
struct Listing<'a> {
    directory: &'a Directory,
    users: Vec<UserEntry>,
    index: HashMap<UserIndex, EntryIndex>,
}

impl Listing<'_> {
    /// Lists an account that something is wanted of. Managers follow when everybody is listed.
    fn list(&mut self, back: &Return, made_way: &MadeWay) {
        let Some(user) = self.directory.user(back.account) else { return };
        let mut entry = entry(user, back.place);
        entry.managed = true;
        for (attribute, (wanted, place)) in &back.wants {
            let (attribute, place) = (*attribute, *place);
            match (attribute, wanted) {
                (Attribute::Active, _) => entry.active = Located::new(back.ends_active(user), place),
                (Attribute::UserName, Some(name)) => {
                    entry.user_name = Located::new(UserName::as_served(name), place);
                }
                (Attribute::Email, Some(address)) => entry.email = Located::new((&**address).into(), place),
                (Attribute::Manager, Some(_)) => {}
                (_, wanted) => {
                    let wish = match wanted {
                        Some(text) if attribute != Attribute::Guest => {
                            Wish::Set(wanted_value(attribute, text))
                        }
                        Some(text) if super::people::is_true(Some(text)) => Wish::Set(Value::Flag(true)),
                        _ => Wish::Clear,
                    };
                    entry.settings.push(Setting { attribute, wish, place });
                }
            }
        }
        for ((_, slot), value) in made_way
            .range((back.account, Attribute::Active)..)
            .take_while(|((account, _), _)| *account == back.account)
        {
            match (slot, value) {
                (Attribute::UserName, Some(name)) => entry.user_name.value = UserName::as_served(name),
                (Attribute::Email, Some(address)) => entry.email.value = (&**address).into(),
                _ => entry.settings.push(Setting { attribute: *slot, wish: Wish::Clear, place: back.place }),
            }
        }
        entry.settings.sort_by_key(|setting| setting.attribute);
        self.add(back.account, entry);
    }

    fn manager(&mut self, back: &Return, people: &People<'_>) {
        let Some((Some(manager), place)) = back.wants.get(&Attribute::Manager) else { return };
        let Some(account) = people.former_manager(manager) else { return };
        let Some(manager) = self.refer(account, *place) else { return };
        let own = self.index.get(&back.account).and_then(|own| self.users.get_mut(own.get()));
        if let Some(own) = own {
            let wish = Wish::Set(Value::Person(manager));
            own.settings.push(Setting { attribute: Attribute::Manager, wish, place: *place });
            own.settings.sort_by_key(|setting| setting.attribute);
        }
    }

    fn group(&mut self, group: &GroupReturn, people: &People<'_>) -> GroupEntry {
        let live = group.live.and_then(|at| self.directory.groups.get(at));
        let members = group.members.as_ref().map(|accounts| {
            // Bots cannot be listed; those that are in the group stay in it all the same.
            let mut listed: Vec<UserIndex> =
                accounts.iter().copied().filter(|account| !people.is_bot(*account)).collect();
            // The order in which a service lists its accounts means nothing.
            listed.sort_by_key(|account| {
                self.directory.user(*account).map(|user| (user.user_name().to_owned(), user.id.clone()))
            });
            let list = listed
                .into_iter()
                .filter_map(|account| self.refer(account, group.place))
                .map(|user| Member { user, line: group.place.line })
                .collect();
            Members { list, place: group.place }
        });
        GroupEntry {
            display_name: Located::new(group.display_name.clone(), group.place),
            id: live.map(|live| Located::new(live.id.clone(), group.place)),
            formerly: Vec::new(),
            members,
            place: group.place,
        }
    }

    /// The entry of an account, which is listed with `managed: false` if it is not yet.
    fn refer(&mut self, account: UserIndex, place: Place) -> Option<EntryIndex> {
        if let Some(index) = self.index.get(&account) {
            return Some(*index);
        }
        let user = self.directory.user(account)?;
        Some(self.add(account, entry(user, place)))
    }

    fn add(&mut self, account: UserIndex, entry: UserEntry) -> EntryIndex {
        let index = EntryIndex(u32::try_from(self.users.len()).unwrap_or(u32::MAX));
        self.users.push(entry);
        self.index.insert(account, index);
        index
    }
}

/// An entry that wants what is.
fn entry(user: &User, place: Place) -> UserEntry {
    UserEntry {
        user_name: Located::new(UserName::as_served(user.user_name()), place),
        email: Located::new(user.get(Attribute::Email).unwrap_or_default().into(), place),
        id: Some(Located::new(user.id.clone(), place)),
        managed: false,
        active: Located::new(user.active, place),
        settings: Vec::new(),
        place,
    }
}

fn here<T>(value: T) -> Located<T> {
    Located::new(value, Place::default())
}
