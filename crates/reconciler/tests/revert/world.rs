//! A service that carries out changes and refuses illegal ones, and a journal of what it was sent.

use jiff::Timestamp;
use model::Texts;
use model::attribute::{Attribute, Dialect, Value};
use model::change::{Action, Change, ChangeKind, Edit, GroupRef, UserRef};
use model::directory::{AccountKind, Directory, RawGroup, User};
use model::journal::{EndingKind, PastChange, PastRun};
use model::load::load;
use model::names::{GroupId, UserId};
use model::place::{Source, Sources};
use model::plan::Plan;
use model::policy::{Limit, Limits, Policy};
use model::roster::Roster;
use reconciler::planner::{self, Context};
use reconciler::revert::{self, Bounds, RevertError, Reverted};
use std::collections::{BTreeMap, BTreeSet};

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) active: bool,
    pub(crate) guest: bool,
    pub(crate) bot: bool,
    pub(crate) values: BTreeMap<Attribute, String>,
}

impl Account {
    pub(crate) fn named(name: &str) -> Self {
        let values =
            [(Attribute::UserName, name.to_owned()), (Attribute::Email, format!("{name}@acme.example"))];
        Self { active: true, guest: false, bot: false, values: values.into() }
    }

    pub(crate) fn with(mut self, attribute: Attribute, value: &str) -> Self {
        self.values.insert(attribute, value.to_owned());
        self
    }
}

/// A group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Crew {
    pub(crate) name: String,
    pub(crate) members: BTreeSet<String>,
}

/// The service.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Service {
    pub(crate) users: BTreeMap<String, Account>,
    pub(crate) groups: BTreeMap<String, Crew>,
    /// Whether who is deactivated leaves all groups (sheet S13: a GAP).
    pub(crate) drops_memberships: bool,
    pub(crate) made: usize,
}

impl Service {
    pub(crate) fn user(mut self, id: &str, account: Account) -> Self {
        self.users.insert(id.to_owned(), account);
        self
    }

    pub(crate) fn group(mut self, id: &str, name: &str, members: &[&str]) -> Self {
        let members = members.iter().map(|&id| id.to_owned()).collect();
        self.groups.insert(id.to_owned(), Crew { name: name.to_owned(), members });
        self
    }

    pub(crate) fn directory(&self) -> Directory {
        let users = self.users.iter().map(|(id, account)| User {
            id: UserId::new(id.as_str()),
            kind: if account.bot { AccountKind::Bot } else { AccountKind::Person },
            active: account.active,
            guest: account.guest,
            attributes: account.values.iter().map(|(a, v)| (*a, v)).collect(),
            selectors: Texts::default(),
        });
        let groups = self.groups.iter().map(|(id, crew)| RawGroup {
            id: GroupId::new(id.as_str()),
            display_name: crew.name.as_str().into(),
            members: crew.members.iter().map(|id| id.as_str().into()).collect(),
        });
        Directory::new(Dialect::Slack, users.collect(), groups.collect())
    }

    /// The account with a userName.
    pub(crate) fn called(&self, name: &str) -> Option<(&String, &Account)> {
        self.users
            .iter()
            .find(|(_, account)| account.values.get(&Attribute::UserName).is_some_and(|n| n == name))
    }

    fn edit(&mut self, id: &str, edits: &[Edit], new: &BTreeMap<String, String>) {
        for edit in edits {
            let text = edit.after.as_ref().map(|value| match value {
                Value::Person(UserRef::New(name)) => new[&name.to_string()].clone(),
                Value::Person(UserRef::Existing(id)) => {
                    assert!(self.users.contains_key(id.as_str()), "the manager {id} exists");
                    id.to_string()
                }
                other => other.text(),
            });
            let account = self.users.get_mut(id).unwrap();
            match (edit.attribute, text) {
                (Attribute::Active, text) => account.active = text.as_deref() == Some("true"),
                (Attribute::Guest, text) => account.guest = text.as_deref() == Some("true"),
                (attribute, Some(text)) => drop(account.values.insert(attribute, text)),
                (attribute, None) => drop(account.values.remove(&attribute)),
            }
        }
        if !self.users[id].guest {
            self.users.get_mut(id).unwrap().values.remove(&Attribute::GuestExpires);
        }
        if !self.users[id].active && self.drops_memberships {
            for group in self.groups.values_mut() {
                group.members.remove(id);
            }
        }
        self.is_legal();
    }

    /// No name or address is held twice, whatever slot and whoever holds it.
    fn is_legal(&self) {
        let mut names = BTreeSet::new();
        for account in self.users.values() {
            let get = |attribute| account.values.get(&attribute).map(|value: &String| value.to_lowercase());
            assert!(
                names.insert((0, get(Attribute::UserName).unwrap())),
                "a userName is held twice: {self:#?}"
            );
            for slot in [Attribute::Email, Attribute::SecondaryEmail] {
                if let Some(address) = get(slot) {
                    assert!(names.insert((1, address)), "an address is held twice: {self:#?}");
                }
            }
        }
        for group in self.groups.values() {
            assert!(names.insert((2, group.name.to_lowercase())), "a group name is held twice: {self:#?}");
        }
    }

    /// Carries out a change; returns the id of what it created.
    fn carry_out(
        &mut self,
        change: &Change,
        new: &mut BTreeMap<String, String>,
        new_groups: &mut BTreeMap<String, String>,
    ) -> Option<String> {
        let ids = |list: &[UserRef], new: &BTreeMap<String, String>| -> Vec<String> {
            list.iter()
                .map(|user| match user {
                    UserRef::Existing(id) => id.to_string(),
                    UserRef::New(name) => new[&name.to_string()].clone(),
                })
                .collect()
        };
        match &change.action {
            Action::CreateUser { user_name, edits } => {
                self.made += 1;
                let id = format!("N{}", self.made);
                let account = Account { active: true, guest: false, bot: false, values: BTreeMap::new() };
                self.users.insert(id.clone(), account);
                self.edit(&id, edits, new);
                new.insert(user_name.to_string(), id.clone());
                Some(id)
            }
            Action::UpdateUser { id, edits, .. } => {
                let id = ids(std::slice::from_ref(id), new).remove(0);
                self.edit(&id, edits, new);
                None
            }
            Action::CreateGroup { display_name, members } => {
                self.made += 1;
                let id = format!("G{}", self.made);
                let members = ids(members, new);
                self.groups
                    .insert(id.clone(), Crew { name: display_name.to_string(), members: BTreeSet::new() });
                new_groups.insert(display_name.to_string(), id.clone());
                self.join(&id, members);
                Some(id)
            }
            Action::UpdateGroup { id, rename, add, remove } => {
                let id = match id {
                    GroupRef::Existing(id) => id.to_string(),
                    GroupRef::New(name) => new_groups[&name.to_string()].clone(),
                };
                let group = self.groups.get_mut(&id).unwrap();
                if let Some(rename) = rename {
                    group.name = rename.after.to_string();
                }
                for leaver in remove {
                    group.members.remove(leaver.as_str());
                }
                let members = ids(add, new);
                self.join(&id, members);
                None
            }
            Action::DeleteGroup { id, .. } => {
                self.groups.remove(id.as_str()).unwrap();
                None
            }
        }
    }

    fn join(&mut self, group: &str, members: Vec<String>) {
        for id in &members {
            assert!(self.users[id].active, "{id} is active when taken into {group}");
        }
        self.groups.get_mut(group).unwrap().members.extend(members);
        self.is_legal();
    }

    /// Carries out the first `count` changes of a plan and returns the journal's account of them. Of the last one it has
    /// the intent alone where `is_killed`.
    pub(crate) fn run(&mut self, plan: &Plan, count: usize, is_killed: bool) -> PastRun {
        let mut run = past_run();
        run.digest = plan.digest.as_str().into();
        let (mut new, mut new_groups) = (BTreeMap::new(), BTreeMap::new());
        for (at, change) in plan.changeset.changes.iter().take(count).enumerate() {
            let created = self.carry_out(change, &mut new, &mut new_groups);
            let is_known = !(is_killed && at + 1 == count);
            run.changes.push(PastChange {
                number: at + 1,
                kind: change.kind(),
                target: change.target().into(),
                name: change.name.clone(),
                before: change.before(),
                after: change.after(),
                at: Timestamp::UNIX_EPOCH,
                ending: is_known.then_some(EndingKind::Took),
                detail: None,
                created: created.filter(|_| is_known).map(Into::into),
            });
        }
        run
    }

    pub(crate) fn run_all(&mut self, plan: &Plan) -> PastRun {
        self.run(plan, usize::MAX, false)
    }
}

/// A run that did nothing.
pub(crate) fn past_run() -> PastRun {
    PastRun {
        id: "r1".into(),
        began: Timestamp::UNIX_EPOCH,
        rosterctl: "0.1.0".into(),
        target: None,
        workspace: None,
        digest: "".into(),
        approved: false,
        undoes: None,
        planned: 0,
        changes: Vec::new(),
        end: None,
    }
}

/// A run of one change of an account.
pub(crate) fn one_edit(id: &str, before: serde_json::Value, after: serde_json::Value) -> PastRun {
    let map = |value: serde_json::Value| value.as_object().unwrap().clone();
    let mut run = past_run();
    run.changes.push(PastChange {
        number: 1,
        kind: ChangeKind::UpdateUser,
        target: id.into(),
        name: id.to_lowercase().into(),
        before: map(before),
        after: map(after),
        at: Timestamp::UNIX_EPOCH,
        ending: Some(EndingKind::Took),
        detail: None,
        created: None,
    });
    run
}

/// A policy whose limits let everything through.
pub(crate) fn lenient() -> Policy {
    let all = Limit { at_least: 1_000, percent: 100 };
    let limits = Limits {
        deactivate_users: all,
        create_users: all,
        change_emails: all,
        change_user_names: all,
        convert_guests: all,
        remove_members: all,
        remove_members_per_group: all,
        empty_groups: all,
        delete_groups: all,
    };
    Policy { limits, ..Policy::default() }
}

pub(crate) fn context() -> Context {
    Context { now: Timestamp::UNIX_EPOCH, ..Context::default() }
}

pub(crate) fn roster(text: &str) -> Roster {
    let source = Source { path: "roster.yaml".into(), text: format!("version: 1\n{text}") };
    match load(vec![source], None) {
        Ok(loaded) => loaded.roster,
        Err(rejected) => panic!("{:#?}", rejected.diagnostics),
    }
}

pub(crate) fn plan(roster: &Roster, service: &Service) -> Plan {
    planner::plan(roster, &service.directory(), &context()).unwrap()
}

pub(crate) fn journal() -> Source {
    Source { path: "journal.jsonl".into(), text: String::new() }
}

pub(crate) fn undo(run: &PastRun, policy: &Policy, service: &Service) -> Reverted {
    undo_again(run, &[], policy, service)
}

pub(crate) fn undo_again(
    run: &PastRun,
    attempts: &[&PastRun],
    policy: &Policy,
    service: &Service,
) -> Reverted {
    match try_undo(run, attempts, Bounds::Policy(policy, &Sources::default()), service) {
        Ok(reverted) => reverted,
        Err(RevertError::Conflicts { conflicts, .. }) => panic!("{conflicts:#?}"),
        Err(error) => panic!("{error}"),
    }
}

pub(crate) fn try_undo(
    run: &PastRun,
    attempts: &[&PastRun],
    bounds: Bounds<'_>,
    service: &Service,
) -> Result<Reverted, RevertError> {
    revert::plan(run, attempts, &journal(), bounds, &service.directory(), &context())
}

/// One line for each thing that a plan does: `ada: userName grace -> ada`, `eng: + U1 - U2`.
pub(crate) fn lines(plan: &Plan) -> Vec<String> {
    let mut all = Vec::new();
    for change in &plan.changeset.changes {
        let (before, after) = (change.before(), change.after());
        match &change.action {
            Action::UpdateUser { id, .. } => {
                for (key, value) in &after {
                    all.push(format!("{id}: {key} {} -> {value}", before[key]));
                }
            }
            Action::CreateUser { .. } => panic!("a revert creates nobody"),
            _ => all.push(format!("{:?} {}: {before:?} -> {after:?}", change.kind(), change.target())),
        }
    }
    all
}
