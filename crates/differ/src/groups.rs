//! What is to become of every group: its name and its members.

use crate::matching;
use crate::notes::{self, Notes, Topic};
use crate::people::{self, Fate, Person, Scene};
use crate::protect;
use model::directory::UserIndex;
use model::names::fold;
use model::plan::Verdict;
use model::policy::{UnlistedGroups, UnlistedMembers};
use model::roster::{EntryIndex, GroupEntry, Members};
use model::{Diagnostic, Place, Sources, UserRef};
use std::collections::HashSet;

/// A group of the roster that is to change.
pub(crate) struct GroupWork {
    /// The entry.
    pub(crate) entry: usize,
    /// The live group; none when it is made.
    pub(crate) live: Option<usize>,
    /// Whether its name is to be the entry's.
    pub(crate) renamed: bool,
    /// Who joins, in the order of the roster.
    pub(crate) add: Vec<(EntryIndex, UserRef)>,
    /// Who leaves, by userName.
    pub(crate) remove: Vec<UserIndex>,
}

/// All that is to become of groups.
#[derive(Default)]
pub(crate) struct Plan {
    /// Groups that are made or changed, in the order of the roster.
    pub(crate) work: Vec<GroupWork>,
    /// Live groups that are deleted, by id.
    pub(crate) deleted: Vec<usize>,
    /// For an index of `work`, the live groups whose name it takes.
    pub(crate) takes: Vec<(usize, usize)>,
}

/// What groups are planned from.
pub(crate) struct GroupScene<'a> {
    /// The people's scene.
    pub(crate) scene: &'a Scene<'a>,
    /// The people, planned.
    pub(crate) people: &'a [Person],
    /// The accounts that nobody lists and that are deactivated.
    pub(crate) unlisted: &'a [UserIndex],
    /// Which live group each entry is.
    pub(crate) matched: &'a matching::Groups,
}

/// What a member of the roster is to a group now.
enum Standing {
    /// May be taken in.
    Welcome(UserRef),
    /// Has an account that is deactivated and stays so.
    Inactive,
    /// Has no account.
    Missing,
}

/// Plans every group.
pub(crate) fn plan(
    scene: &GroupScene,
    notes: &mut Notes,
    verdicts: &mut Vec<Verdict>,
    errors: &mut Vec<Diagnostic>,
) -> Plan {
    let mut plan = Plan::default();
    // No `groups` key, no groups managed: not even those that nobody lists.
    let Some(entries) = &scene.scene.roster.groups else { return plan };
    let mut members = Membership::new(scene);
    for (at, entry) in entries.iter().enumerate() {
        let work = members.compare(at, entry, notes, errors);
        if scene.scene.protection.group_entries[at] {
            protected(scene, entry, &work, notes, verdicts);
        } else if work.live.is_none() || work.renamed || !work.add.is_empty() || !work.remove.is_empty() {
            plan.work.push(work);
        }
    }
    plan.deleted = deletions(scene, notes);
    plan.takes = takes(scene, entries, &plan, errors);
    plan
}

/// A protected group: its entry's own lines may not contradict what is live, and what they leave out changes nothing.
fn protected(
    scene: &GroupScene,
    entry: &GroupEntry,
    work: &GroupWork,
    notes: &mut Notes,
    verdicts: &mut Vec<Verdict>,
) {
    let name = &*entry.display_name.value;
    let mut what = Vec::new();
    if work.live.is_none() {
        what.push("create the group".to_owned());
    } else {
        if work.renamed {
            what.push("change its name".to_owned());
        }
        if !work.add.is_empty() {
            let name = |(entry, user): &(EntryIndex, UserRef)| match scene.scene.roster.user(*entry) {
                Some(listed) => listed.user_name.value.to_string(),
                None => user.to_string(),
            };
            let who: Vec<String> = work.add.iter().map(name).collect();
            what.push(format!("add {}", crate::notes::list(&who)));
        }
    }
    if !what.is_empty() {
        verdicts.push(protect::contradiction(name, &what.join(" and ")));
    } else if !work.remove.is_empty() {
        notes.name(Topic::Protected, name);
    }
}

fn deletions(scene: &GroupScene, notes: &mut Notes) -> Vec<usize> {
    let directory = scene.scene.live.directory;
    let delete = scene.scene.roster.policy.unlisted.groups == UnlistedGroups::Delete;
    let mut unlisted: Vec<usize> =
        (0..directory.groups.len()).filter(|group| scene.matched.claimants[*group].is_none()).collect();
    unlisted.sort_by(|a, b| directory.groups[*a].id.cmp(&directory.groups[*b].id));
    if !delete && !unlisted.is_empty() {
        let s = if unlisted.len() == 1 { "" } else { "s" };
        notes.name(Topic::Unlisted, format!("{} group{s}", unlisted.len()));
    }
    unlisted.retain(|group| {
        let protected = scene.scene.protection.groups[*group];
        if delete && protected {
            notes.name(Topic::Protected, &*directory.groups[*group].display_name);
        }
        delete && !protected
    });
    unlisted
}

/// Who takes which group's name; an error where that group keeps it.
fn takes(
    scene: &GroupScene,
    entries: &[GroupEntry],
    plan: &Plan,
    errors: &mut Vec<Diagnostic>,
) -> Vec<(usize, usize)> {
    let live = scene.scene.live;
    let given: HashSet<usize> = plan
        .work
        .iter()
        .filter(|work| work.renamed)
        .filter_map(|work| work.live)
        .chain(plan.deleted.iter().copied())
        .collect();
    let mut takes = Vec::new();
    for (at, work) in plan.work.iter().enumerate().filter(|(_, work)| work.renamed || work.live.is_none()) {
        let entry = &entries[work.entry];
        for holder in live.groups_named(&fold(&entry.display_name.value)) {
            if work.live == Some(*holder) {
                continue;
            }
            if given.contains(holder) {
                takes.push((at, *holder));
            } else {
                errors.push(name_held(scene, entries, entry, *holder));
            }
        }
    }
    takes
}

fn name_held(scene: &GroupScene, entries: &[GroupEntry], entry: &GroupEntry, holder: usize) -> Diagnostic {
    let group = &scene.scene.live.directory.groups[holder];
    let owner = scene.matched.claimants[holder].and_then(|other| entries.get(other));
    let name = &entry.display_name.value;
    let message =
        format!("a group is to have the name {name}, but the live group {} bears it and keeps it", group.id);
    let found = Diagnostic::error("group-name-held", entry.display_name.place, message);
    match owner {
        Some(other) => found
            .related(other.place, "the holder's entry")
            .help("give the holder's entry another name and the `id` of its group"),
        None => found.help(format!(
            "if this entry is that group, write `id: {}` in it; else choose another name",
            group.id
        )),
    }
}

/// Compares member lists. The marks are per account, so that a comparison costs what the two lists are long.
struct Membership<'a> {
    scene: &'a GroupScene<'a>,
    leaving: HashSet<UserIndex>,
    /// Per account, the number of the last group that wants it.
    wanted_by: Vec<u32>,
    /// Per account, the number of the last group that has it.
    member_of: Vec<u32>,
    round: u32,
    /// People already reported as referred to and without an account.
    reported: HashSet<EntryIndex>,
}

impl<'a> Membership<'a> {
    fn new(scene: &'a GroupScene<'a>) -> Self {
        let accounts = scene.scene.live.directory.users.len();
        let leavers = scene.people.iter().filter(|person| person.fate == Fate::Leave);
        let leaving =
            leavers.filter_map(|person| person.account).chain(scene.unlisted.iter().copied()).collect();
        let (wanted_by, member_of) = (vec![0; accounts], vec![0; accounts]);
        Self { scene, leaving, wanted_by, member_of, round: 0, reported: HashSet::new() }
    }

    fn compare(
        &mut self,
        at: usize,
        entry: &GroupEntry,
        notes: &mut Notes,
        errors: &mut Vec<Diagnostic>,
    ) -> GroupWork {
        let live = self.scene.matched.live[at];
        let directory = self.scene.scene.live.directory;
        let renamed = live.is_some_and(|group| {
            directory.groups[group].display_name.trim() != entry.display_name.value.trim()
        });
        let mut work = GroupWork { entry: at, live, renamed, add: Vec::new(), remove: Vec::new() };
        if let Some(members) = &entry.members {
            self.round += 1;
            self.joins(entry, members, &mut work, notes, errors);
            if let Some(group) = live {
                self.leaves(entry, group, &mut work, notes);
            }
        }
        work
    }

    fn joins(
        &mut self,
        entry: &GroupEntry,
        members: &Members,
        work: &mut GroupWork,
        notes: &mut Notes,
        errors: &mut Vec<Diagnostic>,
    ) {
        let live = self.scene.scene.live;
        for member in work.live.iter().flat_map(|group| &live.directory.groups[*group].members) {
            self.member_of[member.get()] = self.round;
        }
        let mut left_out = Vec::new();
        for member in &members.list {
            let Some(person) = self.scene.people.get(member.user.get()) else { continue };
            if let Some(account) = person.account {
                self.wanted_by[account.get()] = self.round;
                if self.member_of[account.get()] == self.round {
                    continue;
                }
            }
            let Some(listed) = self.scene.scene.roster.user(member.user) else { continue };
            let name = listed.user_name.value.as_str();
            match self.standing(member.user, person) {
                Standing::Welcome(user) => work.add.push((member.user, user)),
                Standing::Inactive => left_out.push(format!("{name} (deactivated)")),
                Standing::Missing if listed.managed => left_out.push(format!("{name} (no account)")),
                Standing::Missing => {
                    if self.reported.insert(member.user) {
                        let place = line_of(&self.scene.scene.roster.sources, members.place, member.line);
                        let text = format!("a member of {}", entry.display_name.value);
                        errors.push(people::no_account(listed).related(place, text));
                    }
                }
            }
        }
        work.add.shrink_to_fit();
        notes::about(notes, Topic::LeftOut, &entry.display_name.value, "members left out", &left_out);
    }

    fn standing(&self, entry: EntryIndex, person: &Person) -> Standing {
        let Some(user) = people::refer(self.scene.scene, self.scene.people, entry) else {
            return Standing::Missing;
        };
        let active = person.account.is_none_or(|account| self.scene.scene.live.user(account).active);
        match person.fate {
            Fate::Create | Fate::Reactivate => Standing::Welcome(user),
            Fate::Update | Fate::Fixed if active => Standing::Welcome(user),
            _ => Standing::Inactive,
        }
    }

    fn leaves(&mut self, entry: &GroupEntry, group: usize, work: &mut GroupWork, notes: &mut Notes) {
        let live = self.scene.scene.live;
        let group = &live.directory.groups[group];
        let remove_all = self.scene.scene.roster.policy.unlisted.members == UnlistedMembers::Remove;
        let mut kept = Vec::new();
        let surplus = group.members.iter().filter(|member| self.wanted_by[member.get()] != self.round);
        for member in surplus.copied() {
            if live.is_bot(member) || self.scene.scene.protection.accounts[member.get()] {
                kept.push(member);
            } else if remove_all || self.leaving.contains(&member) {
                work.remove.push(member);
            }
        }
        live.sort_by_name(&mut work.remove);
        live.sort_by_name(&mut kept);
        let kept: Vec<String> = kept
            .into_iter()
            .map(|member| {
                let why = if live.is_bot(member) { "bot" } else { "protected" };
                let user = live.user(member);
                let name = if user.user_name().is_empty() { user.id.as_str() } else { user.user_name() };
                format!("{name} ({why})")
            })
            .collect();
        let name = &entry.display_name.value;
        notes::about(notes, Topic::KeptMembers, name, "kept though the roster does not list them", &kept);
        let mut foreign: Vec<String> = group.foreign_members.iter().map(ToString::to_string).collect();
        foreign.sort_unstable();
        let words = "members that are no accounts of this directory are left alone";
        notes::about(notes, Topic::ForeignMembers, name, words, &foreign);
    }
}

/// The text on a line of the file of `list`, below the place where the list begins: a member is known by its line only.
fn line_of(sources: &Sources, list: Place, line: u32) -> Place {
    let Some(source) = sources.get(list.source).filter(|_| line > list.line) else { return list };
    let skipped = (line - list.line) as usize;
    let rest = source.text.get(list.start as usize..).unwrap_or_default();
    let Some(text) = rest.split_inclusive('\n').nth(skipped) else { return list };
    let before: usize = rest.split_inclusive('\n').take(skipped).map(str::len).sum();
    let indent = text.len() - text.trim_start().len();
    let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Place {
        line,
        column: small(indent + 1),
        start: small(list.start as usize + before + indent),
        len: small(text.trim().len()),
        ..list
    }
}
