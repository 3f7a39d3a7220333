//! Random workspaces, rosters and accidents.

use crate::world::{Account, Crew, Service, context, journal, lenient, lines, undo, undo_again};
use model::attribute::Attribute;
use model::change::Action;
use model::directory::{Directory, RawGroup};
use model::journal::PastRun;
use model::place::{Located, Place, Sources};
use model::plan::{Outcome, Plan, Verdict};
use model::policy::{Pattern, Policy};
use proptest::prelude::*;
use reconciler::planner;
use reconciler::revert::{self, Bounds};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Decisions drawn from bytes, so that fewer and smaller bytes make simpler worlds.
struct Choices {
    bytes: Vec<u8>,
    at: usize,
}

impl Choices {
    fn below(&mut self, n: usize) -> usize {
        self.at += 1;
        usize::from(self.bytes.get(self.at - 1).copied().unwrap_or_default()) % n.max(1)
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == n - 1
    }

    fn shuffled(&mut self, mut list: Vec<usize>) -> Vec<usize> {
        for i in (1..list.len()).rev() {
            let j = i - self.below(i + 1);
            list.swap(i, j);
        }
        list
    }
}

/// A workspace and the text of a roster for it.
fn world(choices: &mut Choices) -> (Service, String) {
    let people = 1 + choices.below(6);
    let mut service = Service { drops_memberships: choices.one_in(2), ..Service::default() };
    for n in 0..people {
        let mut account = Account::named(&format!("p{n}"));
        account.active = !choices.one_in(5);
        account.guest = choices.one_in(6);
        for (attribute, value) in
            [(Attribute::Title, "Old"), (Attribute::Phone, "+1 555 0100"), (Attribute::Country, "UK")]
        {
            if choices.one_in(2) {
                account = account.with(attribute, value);
            }
        }
        if choices.one_in(4) {
            account = account.with(Attribute::SecondaryEmail, &format!("second{n}@acme.example"));
        }
        if choices.one_in(3) {
            account = account.with(Attribute::Manager, &format!("U{}", (n + 1) % people));
        }
        if account.guest && choices.one_in(2) {
            account = account.with(Attribute::GuestExpires, "2031-01-31T23:59:59Z");
        }
        service = service.user(&format!("U{n}"), account);
    }
    let bot = Account { bot: true, ..Account::named("robot") };
    service = service.user("B0", bot);
    let active: Vec<String> =
        service.users.iter().filter(|(_, account)| account.active).map(|(id, _)| id.clone()).collect();
    for n in 0..choices.below(4) {
        let members: Vec<&str> = active.iter().filter(|_| choices.one_in(2)).map(String::as_str).collect();
        service = service.group(&format!("S{n}"), &format!("group{n}"), &members);
    }
    let text = roster_text(choices, &service, people);
    (service, text)
}

fn roster_text(choices: &mut Choices, service: &Service, people: usize) -> String {
    let listed: Vec<usize> = (0..people).filter(|_| !choices.one_in(4)).collect();
    let names = choices.shuffled(listed.clone());
    let addresses = choices.shuffled(listed.clone());
    let mut freed = (Vec::new(), Vec::new());
    let mut active = Vec::new();
    let mut text = format!(
        "policy: {{ unlisted: {{ users: {}, groups: {} }} }}\nusers:\n",
        if choices.one_in(3) { "deactivate" } else { "keep" },
        if choices.one_in(2) { "delete" } else { "keep" },
    );
    for (at, n) in listed.iter().enumerate() {
        let mut name = format!("p{}", names[at]);
        if choices.one_in(5) {
            freed.0.push(std::mem::replace(&mut name, format!("r{n}")));
        }
        let mut address = format!("p{}@acme.example", addresses[at]);
        if choices.one_in(5) {
            freed.1.push(std::mem::replace(&mut address, format!("r{n}@acme.example")));
        }
        let mut entry = format!("{{ id: U{n}, userName: {name}, email: {address}");
        if choices.one_in(4) {
            entry.push_str(", active: false");
        } else {
            active.push(name.clone());
        }
        for (key, values) in [
            ("title", ["null", "New", "Old"]),
            ("phone", ["null", "\"+1 555 0199\"", "\"+1 555 0100\""]),
            ("address", ["{ country: null }", "{ locality: Paris }", "{ country: FR, locality: Lyon }"]),
            ("guest", ["null", "{}", "{ expires: 2030-01-31 }"]),
            ("startDate", ["null", "2026-01-05", "2026-02-05"]),
        ] {
            if choices.one_in(3) {
                let _ = write!(entry, ", {key}: {}", values[choices.below(3)]);
            }
        }
        match choices.below(6) {
            4 => entry.push_str(", secondaryEmail: null"),
            5 => {
                let _ = write!(entry, ", secondaryEmail: other{n}@acme.example");
            }
            _ => {}
        }
        if choices.one_in(3) {
            let manager = choices.below(listed.len());
            if choices.one_in(3) {
                entry.push_str(", manager: null");
            } else if manager != at {
                let _ = write!(entry, ", manager: @{manager}");
            }
        }
        let _ = writeln!(text, "  - {entry} }}");
    }
    for n in 0..choices.below(3) {
        let pick =
            |list: &mut Vec<String>, other: String, take: bool| list.pop().filter(|_| take).unwrap_or(other);
        let name = pick(&mut freed.0, format!("j{n}"), choices.one_in(2));
        let address = pick(&mut freed.1, format!("j{n}@acme.example"), choices.one_in(2));
        let _ = writeln!(text, "  - {{ userName: {name}, email: {address}, title: Joiner }}");
        active.push(name);
    }
    // Managers by whatever they are called in the end.
    for at in 0..listed.len() {
        let entry = text.lines().filter(|line| line.contains("id: U")).nth(at).unwrap_or_default().to_owned();
        let name =
            entry.split("userName: ").nth(1).and_then(|rest| rest.split(',').next()).unwrap_or_default();
        text = text.replace(&format!("manager: @{at} "), &format!("manager: {name} "));
    }
    if choices.one_in(8) {
        return text;
    }
    text.push_str("groups:\n");
    let live: Vec<usize> = (0..service.groups.len()).filter(|_| !choices.one_in(4)).collect();
    let names = choices.shuffled(live.clone());
    let members = |choices: &mut Choices, active: &[String]| {
        active.iter().filter(|_| choices.one_in(2)).cloned().collect::<Vec<_>>().join(", ")
    };
    for (at, n) in live.iter().enumerate() {
        let name = if choices.one_in(5) { format!("fresh{n}") } else { format!("group{}", names[at]) };
        let _ = write!(text, "  - {{ id: S{n}, displayName: {name}");
        if !choices.one_in(4) {
            let _ = write!(text, ", members: [{}]", members(choices, &active));
        }
        text.push_str(" }\n");
    }
    for n in 0..choices.below(2) {
        let _ = writeln!(text, "  - {{ displayName: made{n}, members: [{}] }}", members(choices, &active));
    }
    text
}

/// The bytes that a story is drawn from, shown as the story.
#[derive(Clone)]
struct Drawn(Vec<u8>);

impl std::fmt::Debug for Drawn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (service, text) = world(&mut Choices { bytes: self.0.clone(), at: 0 });
        writeln!(f, "{text}")?;
        for (id, account) in &service.users {
            writeln!(f, "{id}: active {}, guest {}, {:?}", account.active, account.guest, account.values)?;
        }
        writeln!(f, "{:?}, drops memberships: {}", service.groups, service.drops_memberships)?;
        let Some(story) = self.story() else { return Ok(()) };
        for change in &story.run.changes {
            writeln!(
                f,
                "{:?} {} {:?}: {:?} -> {:?}",
                change.kind, change.target, change.created, change.before, change.after
            )?;
        }
        let undone = undo(&story.run, &lenient(), &story.service);
        writeln!(f, "undone: {:#?}\n{:#?}", lines(&undone.plan), undone.plan.notes)
    }
}

impl Drawn {
    fn story(&self) -> Option<Story> {
        story(&mut Choices { bytes: self.0.clone(), at: 0 })
    }
}

/// A world, the plan of its roster, and the run that carried some of it out; none where the roster is refused.
struct Story {
    before: Service,
    service: Service,
    run: PastRun,
    plan: Plan,
}

fn story(choices: &mut Choices) -> Option<Story> {
    let (before, text) = world(choices);
    let file = model::Source { path: "roster.yaml".into(), text: format!("version: 1\n{text}") };
    let roster = model::load::load(vec![file], None).ok()?.roster;
    let plan = planner::plan(&roster, &before.directory(), &context()).ok()?;
    let mut service = before.clone();
    let all = plan.changeset.changes.len();
    let count = if choices.one_in(2) { choices.below(all + 1) } else { all };
    let is_killed = choices.one_in(3);
    let run = service.run(&plan, count, is_killed);
    Some(Story { before, service, run, plan })
}

/// What is asked of every account and group that was there before; what a service cannot restore is left out, and is
/// found here without the journal's help.
fn assert_restored(before: &Service, after_run: &Service, now: &Service) {
    for (id, account) in &before.users {
        let (run, now) = (&after_run.users[id], &now.users[id]);
        assert_eq!(account.active, now.active, "{id} is active as before");
        if !account.active {
            // Whatever the run did to an account that goes back to sleep may stay, and so may the temporary name under
            // which an attempt left it.
            let is_temporary = |value: &str| value.starts_with("tmp-") || value.contains("+rosterctl-");
            for (attribute, value) in &now.values {
                assert!(
                    is_temporary(value)
                        || [&account.values, &run.values]
                            .iter()
                            .any(|values| values.get(attribute) == Some(value)),
                    "{id}: {attribute:?} is neither what it was nor what the run made it"
                );
            }
            continue;
        }
        assert_eq!(account.guest, now.guest, "{id} is a guest as before");
        let (mut values, mut restored) = (account.values.clone(), now.values.clone());
        if account.guest && !run.guest {
            // Nobody wrote down the expiry that the conversion took away.
            values.remove(&Attribute::GuestExpires);
            restored.remove(&Attribute::GuestExpires);
        }
        assert_eq!(values, restored, "{id} is as before");
    }
    for (id, account) in &now.users {
        assert!(before.users.contains_key(id) || !account.active, "{id} was created and is deactivated");
    }
    let dropped =
        |id: &String| before.drops_memberships && before.users[id].active && !after_run.users[id].active;
    let crew = |group: &Crew| -> BTreeSet<String> {
        group.members.iter().filter(|id| !dropped(id)).cloned().collect()
    };
    for (id, group) in &before.groups {
        let found = now.groups.get(id).or_else(|| now.groups.values().find(|other| other.name == group.name));
        let found = found.unwrap_or_else(|| panic!("{id} is there again: {now:#?}"));
        assert_eq!(group.name, found.name);
        let mut expected = crew(group);
        if !now.groups.contains_key(id) {
            // Bots are never put anywhere.
            expected.remove("B0");
        }
        assert!(expected.is_subset(&found.members), "{id} lacks members: {expected:?}, {:?}", found.members);
        assert!(
            found.members.is_subset(&group.members),
            "{id} has others: {:?}, {:?}",
            group.members,
            found.members
        );
    }
    assert_eq!(before.groups.len(), now.groups.len(), "no group that the run made is left");
}

/// The accounts' values and groups' names and members that a plan writes.
fn written(plan: &Plan) -> BTreeSet<(String, String)> {
    let mut written = BTreeSet::new();
    for change in &plan.changeset.changes {
        let target = change.target();
        for key in change.after().keys().chain(change.before().keys()) {
            if key != "members" {
                written.insert((target.clone(), key.clone()));
            }
        }
        if let Action::UpdateGroup { add, remove, .. } = &change.action {
            let add = add.iter().map(ToString::to_string);
            written.extend(add.chain(remove.iter().map(ToString::to_string)).map(|id| (target.clone(), id)));
        }
    }
    written
}

/// The same of what a run did.
fn touched(run: &PastRun) -> BTreeSet<(String, String)> {
    let mut touched = BTreeSet::new();
    for change in &run.changes {
        for (key, value) in change.before.iter().chain(&change.after) {
            let members = value.as_array().into_iter().flatten().filter_map(|id| id.as_str());
            touched.extend(members.map(|id| (change.target.to_string(), id.to_owned())));
            touched.insert((change.target.to_string(), key.clone()));
        }
    }
    touched
}

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 100,
        failure_persistence: None,
        max_global_rejects: 20_000,
        ..ProptestConfig::default()
    }
}

fn drawn() -> impl Strategy<Value = Drawn> {
    prop::collection::vec(any::<u8>(), 0..220).prop_map(Drawn)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn takes_back_any_part_of_any_run_and_then_has_nothing_left_to_do(drawn in drawn()) {
        let Some(Story { before, service: after_run, run, .. }) = drawn.story() else {
            return Err(TestCaseError::reject("refused"));
        };
        let mut service = after_run.clone();
        let reverted = undo(&run, &lenient(), &service);
        let blocks: Vec<&Verdict> =
            reverted.plan.verdicts.iter().filter(|verdict| verdict.outcome == Outcome::Block).collect();
        prop_assert!(blocks.is_empty(), "{blocks:#?}");
        let undoing = service.run_all(&reverted.plan);
        assert_restored(&before, &after_run, &service);

        let again = undo_again(&run, &[&undoing], &lenient(), &service);
        prop_assert!(again.plan.changeset.is_empty(), "{:#?}", lines(&again.plan));
    }

    #[test]
    fn a_revert_that_was_cut_short_is_finished_by_the_next(drawn in drawn(), cut in any::<prop::sample::Index>(), is_killed: bool) {
        let Some(Story { before, service: after_run, run, .. }) = drawn.story() else {
            return Err(TestCaseError::reject("refused"));
        };
        let mut service = after_run.clone();
        let first = undo(&run, &lenient(), &service).plan;
        let attempt = service.run(&first, cut.index(first.changeset.changes.len() + 1), is_killed);
        let second = undo_again(&run, &[&attempt], &lenient(), &service).plan;
        service.run_all(&second);
        assert_restored(&before, &after_run, &service);
    }

    #[test]
    fn a_revert_is_undone_like_any_run(drawn in drawn()) {
        let Some(Story { service: after_run, run, .. }) = drawn.story() else {
            return Err(TestCaseError::reject("refused"));
        };
        let mut service = after_run.clone();
        let reverted = undo(&run, &lenient(), &service).plan;
        let undoing = service.run_all(&reverted);
        let undone = service.clone();
        let back = undo(&undoing, &lenient(), &service).plan;
        service.run_all(&back);
        let made: BTreeSet<&String> = after_run.groups.keys().filter(|id| !undone.groups.contains_key(*id)).collect();
        for (id, account) in after_run.users.iter().filter(|(_, account)| account.active) {
            let (mut expected, mut found) = (account.clone(), service.users[id].clone());
            if account.guest && !undone.users[id].guest {
                expected.values.remove(&Attribute::GuestExpires);
                found.values.remove(&Attribute::GuestExpires);
            }
            prop_assert_eq!(expected, found, "{} is as after the run", id);
        }
        for group in made {
            let name = &after_run.groups[group].name;
            prop_assert!(service.groups.values().any(|other| other.name == *name), "{} is back", name);
        }
    }

    #[test]
    fn leaves_alone_what_somebody_has_changed_since_and_what_the_run_did_not_change(
        drawn in drawn(),
        drift in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..6), 1..6),
    ) {
        let Some(Story { mut service, run, .. }) = drawn.story() else {
            return Err(TestCaseError::reject("refused"));
        };
        let mut drifted = BTreeSet::new();
        for (n, (who, what)) in drift.iter().enumerate() {
            let id = who.get(&service.users.keys().cloned().collect::<Vec<_>>()).clone();
            let account = service.users.get_mut(&id).unwrap();
            let (attribute, value) = match what {
                0 => (Attribute::UserName, format!("drift{n}")),
                1 => (Attribute::Email, format!("drift{n}@acme.example")),
                2 => (Attribute::Title, format!("Drift {n}")),
                3 => (Attribute::Country, format!("D{n}")),
                4 if !service.groups.is_empty() => {
                    let group = who.index(service.groups.len());
                    let (id, group) = service.groups.iter_mut().nth(group).unwrap();
                    group.name = format!("drift{n}");
                    drifted.insert((id.clone(), "displayName".to_owned()));
                    continue;
                }
                _ => (Attribute::Phone, format!("+44 {n}")),
            };
            account.values.insert(attribute, value);
            drifted.insert((id, attribute.key().to_owned()));
        }
        let undone = undo(&run, &lenient(), &service);
        let touched = touched(&run);
        for (target, key) in written(&undone.plan) {
            // What the run made has no state to go back to: it only goes, and makes way, whatever it is called now.
            if target.starts_with(['N', 'G', '@']) || key.starts_with('N') {
                continue;
            }
            prop_assert!(!drifted.contains(&(target.clone(), key.clone())), "{target}: {key} is somebody else's");
            prop_assert!(touched.contains(&(target.clone(), key.clone())), "{target}: {key} was not the run's");
        }
        service.run_all(&undone.plan);
    }

    #[test]
    fn never_touches_what_is_protected_or_a_bot(drawn in drawn(), who in any::<prop::sample::Index>()) {
        let Some(Story { service, run, .. }) = drawn.story() else {
            return Err(TestCaseError::reject("refused"));
        };
        let (id, account) = service.users.iter().nth(who.index(service.users.len())).unwrap();
        let pattern = match who.index(3) {
            0 => id.clone(),
            1 => account.values[&Attribute::UserName].clone(),
            _ => account.values[&Attribute::Email].clone(),
        };
        let located = |text: &str| Located::new(Pattern::new(text), Place::default());
        let mut policy = Policy { ..lenient() };
        policy.protect.users.push(located(&pattern));
        let group = service.groups.keys().next();
        policy.protect.groups.extend(group.map(|id| located(id)));
        let undone = undo(&run, &policy, &service).plan;
        for change in &undone.changeset.changes {
            let target = change.target();
            prop_assert!(target != *id && target != "B0" && Some(&target) != group, "{:#?}", lines(&undone));
            if let Action::UpdateGroup { remove, .. } = &change.action {
                prop_assert!(remove.iter().all(|left| left.as_str() != id && left.as_str() != "B0"));
            }
        }
        let mut service = service.clone();
        service.run_all(&undone);
    }

    #[test]
    fn a_revert_is_the_same_however_the_service_lists_things(drawn in drawn()) {
        let Some(Story { service, run, .. }) = drawn.story() else {
            return Err(TestCaseError::reject("refused"));
        };
        let first = undo(&run, &lenient(), &service).plan;
        let mut reversed = service.directory();
        let groups = reversed.groups.iter().rev().map(|group| RawGroup {
            id: group.id.clone(),
            display_name: group.display_name.clone(),
            members: group.members.iter().rev().map(|m| reversed.user(*m).unwrap().id.as_str().into()).collect(),
        });
        let groups = groups.collect();
        let users = std::mem::take(&mut reversed.users).into_iter().rev().collect();
        let reversed = Directory::new(reversed.dialect, users, groups);
        let (policy, sources) = (lenient(), Sources::default());
        let second = revert::plan(&run, &[], &journal(), Bounds::Policy(&policy, &sources), &reversed, &context());
        let second = second.unwrap().plan;
        prop_assert_eq!(lines(&first), lines(&second));
        prop_assert_eq!(first.digest, second.digest);
        prop_assert_eq!(first.notes, second.notes);
    }
}

/// The generator is worth its name: most worlds are planned, and every kind of change comes up.
#[test]
fn the_worlds_hold_every_kind_of_change() {
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    let mut planned = 0;
    for seed in 0..400_u64 {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let bytes = (0..220)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                u8::try_from(state >> 56).unwrap()
            })
            .collect();
        let Some(Story { plan, .. }) = Drawn(bytes).story() else { continue };
        planned += 1;
        for change in &plan.changeset.changes {
            *kinds.entry(format!("{:?}", change.kind())).or_default() += 1;
        }
    }
    assert!(planned > 250, "{planned}");
    assert!(kinds.len() == 7 && kinds.values().all(|count| *count > 10), "{kinds:?}");
}
