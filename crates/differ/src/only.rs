//! Narrowing a plan to some people and groups (`--only`).

use crate::live::Live;
use crate::matching;
use crate::notes::{self, Notes, Topic};
use crate::steps::{StepId, Steps, Subject};
use model::attribute::Attribute;
use model::change::Need;
use model::diagnostic::Label;
use model::names::fold;
use model::{Action, Diagnostic, Roster, Severity, UserRef};
use std::collections::{HashMap, HashSet};

/// Keeps the steps of those who are named, and all that these need. An empty list keeps everything.
///
/// # Errors
/// Pushed: a name that nobody and no group has.
pub(crate) fn narrow(
    steps: Steps,
    names: &[String],
    (roster, live): (&Roster, &Live),
    (people, groups): (&matching::People, &matching::Groups),
    notes: &mut Notes,
    errors: &mut Vec<Diagnostic>,
) -> Steps {
    if names.is_empty() {
        return steps;
    }
    let chosen = choose(names, (roster, live), (people, groups), errors);
    let kept = closure(&steps, &chosen);
    without(steps, &kept, notes)
}

/// Everybody and every group that is named on either side.
fn choose(
    names: &[String],
    (roster, live): (&Roster, &Live),
    (people, groups): (&matching::People, &matching::Groups),
    errors: &mut Vec<Diagnostic>,
) -> HashSet<Subject> {
    let wanted: HashMap<String, usize> =
        names.iter().enumerate().map(|(at, name)| (fold(name), at)).collect();
    let mut hit = vec![false; names.len()];
    let mut chosen = HashSet::new();
    let mut offer = |subject: Subject, called: &[Option<&str>]| {
        for name in called.iter().flatten() {
            if let Some(at) = wanted.get(&fold(name)) {
                hit[*at] = true;
                chosen.insert(subject);
            }
        }
    };
    for (at, entry) in roster.users.iter().enumerate() {
        let id = entry.id.as_ref().map(|id| id.value.as_str());
        offer(Subject::Entry(at), &[Some(entry.user_name.value.as_str()), Some(&entry.email.value), id]);
    }
    for (index, user) in live.directory.iter() {
        let (name, email) = (user.get(Attribute::UserName), user.get(Attribute::Email));
        let subject = people.claimants[index.get()].map_or(Subject::Account(index), Subject::Entry);
        offer(subject, &[Some(user.id.as_str()), name, email]);
    }
    for (at, entry) in roster.groups.as_deref().unwrap_or_default().iter().enumerate() {
        let id = entry.id.as_ref().map(|id| id.value.as_str());
        offer(Subject::Group(at), &[Some(&entry.display_name.value), id]);
    }
    for (at, group) in live.directory.groups.iter().enumerate() {
        let subject = groups.claimants[at].map_or(Subject::LiveGroup(at), Subject::Group);
        offer(subject, &[Some(group.id.as_str()), Some(&group.display_name)]);
    }
    for name in names {
        if wanted.get(&fold(name)).is_some_and(|at| !hit[*at]) {
            errors.push(unknown(name));
        }
    }
    chosen
}

fn unknown(name: &str) -> Diagnostic {
    Diagnostic {
        severity: Severity::Error,
        code: "unknown-only",
        message: format!("`--only {name}` names nobody and no group of the roster or the directory"),
        label: Label { place: None, text: String::new() },
        related: Vec::new(),
        help: Some("use a userName, an e-mail, a group's displayName, or an id".to_owned()),
    }
}

/// The steps of the chosen, what they cannot do without, and whatever ends what these begin.
fn closure(steps: &Steps, chosen: &HashSet<Subject>) -> Vec<bool> {
    // A temporary value must not be left behind: with the step that sets it comes the one that replaces it.
    let mut endings: HashMap<Subject, Vec<StepId>> = HashMap::new();
    for (id, step) in steps.list.iter().enumerate() {
        endings.entry(step.subject).or_default().push(id);
    }
    let mut kept = vec![false; steps.list.len()];
    let mut open: Vec<StepId> =
        (0..steps.list.len()).filter(|id| chosen.contains(&steps.list[*id].subject)).collect();
    while let Some(id) = open.pop() {
        if std::mem::replace(&mut kept[id], true) {
            continue;
        }
        let step = &steps.list[id];
        open.extend(step.waits.iter().filter(|(_, need)| *need == Need::Success).map(|(on, _)| *on));
        if is_temporary(&step.action) {
            open.extend(endings.get(&step.subject).into_iter().flatten().copied());
        }
    }
    kept
}

fn is_temporary(action: &Action) -> bool {
    match action {
        Action::UpdateUser { edits, .. } => edits.iter().any(|edit| edit.temporary),
        Action::UpdateGroup { rename, .. } => rename.as_ref().is_some_and(|rename| rename.temporary),
        Action::CreateUser { .. } | Action::CreateGroup { .. } | Action::DeleteGroup { .. } => false,
    }
}

/// The kept steps. A group goes without the members that a dropped step would have made ready for it.
fn without(mut steps: Steps, kept: &[bool], notes: &mut Notes) -> Steps {
    let refs: Vec<Option<UserRef>> = steps.list.iter().map(|step| person(&step.action)).collect();
    let mut keep = kept.to_vec();
    for (id, step) in steps.list.iter_mut().enumerate() {
        if !keep[id] {
            continue;
        }
        let unready: HashSet<UserRef> =
            step.waits.iter().filter(|(on, _)| !kept[*on]).filter_map(|(on, _)| refs[*on].clone()).collect();
        let name = step.name.clone();
        let mut left_out = Vec::new();
        let mut ready = |list: &mut Vec<UserRef>| {
            list.retain(|user| {
                let out = unready.contains(user);
                if out {
                    left_out.push(user.to_string());
                }
                !out
            });
        };
        match &mut step.action {
            Action::CreateGroup { members, .. } => ready(members),
            Action::UpdateGroup { rename, add, remove, .. } => {
                ready(add);
                if let Some(rename) = rename {
                    rename.members_after.retain(|user| !unready.contains(user));
                }
                keep[id] = rename.is_some() || !add.is_empty() || !remove.is_empty();
            }
            _ => {}
        }
        notes::about(notes, Topic::Only, &name, "members left for a plan that is not narrowed", &left_out);
    }
    let mut moved: Vec<Option<StepId>> = vec![None; keep.len()];
    let mut next = 0;
    for (id, keep) in keep.iter().enumerate() {
        if *keep {
            moved[id] = Some(next);
            next += 1;
        }
    }
    let mut list = Vec::with_capacity(next);
    for (id, mut step) in steps.list.into_iter().enumerate() {
        if keep[id] {
            step.waits = step.waits.into_iter().filter_map(|(on, need)| Some((moved[on]?, need))).collect();
            list.push(step);
        }
    }
    Steps { list }
}

fn person(action: &Action) -> Option<UserRef> {
    match action {
        Action::CreateUser { user_name, .. } => Some(UserRef::New(user_name.clone())),
        Action::UpdateUser { id, .. } => Some(id.clone()),
        _ => None,
    }
}
