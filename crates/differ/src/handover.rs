//! Names and addresses that pass from one account to another: who must give up what before whom, and who will not.

use crate::live::{Holder, Live, Space};
use crate::matching;
use crate::people::{Fate, Person};
use model::attribute::{Attribute, Value};
use model::directory::AccountKind;
use model::names::fold;
use model::{Diagnostic, Edit, Roster};
use std::collections::HashMap;

/// One person's edit that must come after something done for another (or, between two slots of one account, for the
/// same) person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wait {
    /// The entry that waits.
    pub(crate) entry: usize,
    /// Its edit that waits.
    pub(crate) via: Attribute,
    /// The entry that it waits for.
    pub(crate) on: usize,
    /// The edit that gives up what is waited for; `None` when the account's creation is.
    pub(crate) gives: Option<Attribute>,
}

/// The folded name or address that an edit takes.
pub(crate) fn taken(edit: &Edit) -> Option<(Space, String)> {
    let space = Space::of(edit.attribute)?;
    match &edit.after {
        Some(Value::Text(text)) => Some((space, fold(text))),
        _ => None,
    }
}

/// Finds who takes what from whom, and makes accounts that stay inactive give up what is needed of them.
///
/// # Errors
/// Pushed: a name or address that its holder keeps, or that two people are to have.
pub(crate) fn handovers(
    roster: &Roster,
    live: &Live,
    matched: &matching::People,
    people: &mut [Person],
    errors: &mut Vec<Diagnostic>,
) -> Vec<Wait> {
    call_reserves(live, matched, people);
    let mut waits = Vec::new();
    let mut takers: HashMap<(Space, String), usize> = HashMap::new();
    for at in 0..people.len() {
        for edit in &people[at].edits {
            let Some((space, name)) = taken(edit) else { continue };
            for holder in live.holders(space, &name) {
                let own = people[at].account == Some(holder.0);
                let claimant = matched.claimants[holder.0.get()];
                let giver = claimant.filter(|giver| {
                    let edits = &people[*giver].edits;
                    edits.iter().any(|e| e.attribute == holder.1)
                });
                match giver {
                    Some(on) => {
                        waits.push(Wait { entry: at, via: edit.attribute, on, gives: Some(holder.1) });
                    }
                    None if own => {}
                    None => errors.push(held(roster, live, at, edit, *holder, claimant)),
                }
            }
            if let Some(other) = takers.insert((space, name), at).filter(|other| *other != at) {
                errors.push(wanted_twice(roster, at, other, edit));
            }
        }
    }
    waits
}

/// Accounts that stay inactive give up what somebody else is to have, and so on along the chain.
fn call_reserves(live: &Live, matched: &matching::People, people: &mut [Person]) {
    let mut wanted: Vec<(Space, String)> =
        people.iter().flat_map(|person| &person.edits).filter_map(taken).collect();
    while let Some((space, name)) = wanted.pop() {
        for (account, slot) in live.holders(space, &name) {
            let Some(giver) = matched.claimants[account.get()] else { continue };
            let person = &mut people[giver];
            let Some(at) = person.reserve.iter().position(|edit| edit.attribute == *slot) else { continue };
            let edit = person.reserve.remove(at);
            wanted.extend(taken(&edit));
            person.edits.push(edit);
            person.edits.sort_by_key(|edit| edit.attribute);
        }
    }
}

fn held(
    roster: &Roster,
    live: &Live,
    at: usize,
    edit: &Edit,
    (account, slot): Holder,
    claimant: Option<usize>,
) -> Diagnostic {
    let entry = &roster.users[at];
    let value = edit.after.as_ref().map(Value::text).unwrap_or_default();
    let (code, what) = match edit.attribute {
        Attribute::UserName => ("name-held", "userName"),
        _ => ("address-held", "address"),
    };
    let where_held = if slot == Attribute::SecondaryEmail { " as its secondary address" } else { "" };
    let owner = claimant.and_then(|other| roster.users.get(other));
    let whose = owner.map(|other| format!(" of {}", other.user_name.value)).unwrap_or_default();
    let message = format!(
        "{} is to have the {what} {value}, but the {}{whose} holds it{where_held} and does not give it up",
        entry.user_name.value,
        live.describe(account)
    );
    let user = live.user(account);
    let help = match (owner, user.kind) {
        (_, AccountKind::Bot) => format!("bots are never managed: choose another {what}"),
        (Some(_), _) => format!("give the holder's entry another {what}, or choose another one here"),
        (None, _) => format!(
            "if this is the same person's account, write `id: {}` in this entry; else choose another {what}, or list the \
             holder by its id with another {what}",
            user.id
        ),
    };
    let place = edit.origin.unwrap_or(entry.place);
    let found = Diagnostic::error(code, place, message).help(help);
    match owner {
        Some(other) => found.related(other.place, "the holder's entry"),
        None => found,
    }
}

fn wanted_twice(roster: &Roster, at: usize, other: usize, edit: &Edit) -> Diagnostic {
    let value = edit.after.as_ref().map(Value::text).unwrap_or_default();
    let (entry, other) = (&roster.users[at], &roster.users[other]);
    let message = format!("{} and {} are both to have {value}", entry.user_name.value, other.user_name.value);
    Diagnostic::error("wanted-twice", edit.origin.unwrap_or(entry.place), message)
        .related(other.place, "the other entry")
        .help("a name or address can be one account's only, secondary addresses included")
}

/// Who waits for a manager's account to be made.
pub(crate) fn new_managers(roster: &Roster, people: &[Person]) -> Vec<Wait> {
    let mut waits = Vec::new();
    for (at, person) in people.iter().enumerate() {
        if !person.edits.iter().any(|edit| edit.attribute == Attribute::Manager) {
            continue;
        }
        let setting = roster.users[at].setting(Attribute::Manager);
        let Some(model::roster::Wish::Set(Value::Person(manager))) = setting.map(|setting| &setting.wish)
        else {
            continue;
        };
        if people.get(manager.get()).is_some_and(|manager| manager.fate == Fate::Create) {
            waits.push(Wait { entry: at, via: Attribute::Manager, on: manager.get(), gives: None });
        }
    }
    waits
}
