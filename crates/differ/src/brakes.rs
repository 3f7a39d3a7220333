//! Findings that block a plan because an account may be another person's.

use crate::live::Live;
use crate::matching::Rung;
use crate::people::{Fate, Person, Scene};
use model::attribute::{Attribute, Value};
use model::directory::UserIndex;
use model::names::fold;
use model::plan::{Outcome, Verdict};
use model::roster::{UserEntry, Wish};
use std::collections::HashMap;

/// The fewest digits by which a phone number is taken for somebody's own, not for an extension.
const PHONE_DIGITS: usize = 6;

/// A deactivated account may be written only when e-mail and userName agree or the roster names it by id: userNames are
/// given to new people, and the old account has the old person's messages.
pub(crate) fn identity(scene: &Scene, people: &[Person], verdicts: &mut Vec<Verdict>) {
    for (at, person) in people.iter().enumerate() {
        let Some((account, rung)) = scene.matched.accounts[at] else { continue };
        let user = scene.live.user(account);
        let entry = &scene.roster.users[at];
        if user.active || person.edits.is_empty() {
            continue;
        }
        let by = match rung {
            Rung::UserName => "its userName alone, its e-mail being another",
            Rung::Email if fold(user.user_name()) != entry.user_name.value.as_str() => {
                "its e-mail alone, its userName being another"
            }
            Rung::Id | Rung::Email => continue,
        };
        verdicts.push(block(
            "identity",
            format!(
                "{} would take over the {}, found by {by}",
                entry.user_name.value,
                scene.live.describe(account)
            ),
            vec![entry.user_name.value.to_string(), user.id.to_string()],
            format!(
                "if it is the same person's, add `id: {}` to the entry of {}",
                user.id, entry.user_name.value
            ),
        ));
    }
}

/// Somebody who is created while an account with the same name or phone is deactivated for not being listed is likely
/// that account's owner, under a new address.
pub(crate) fn look_alikes(
    scene: &Scene,
    people: &[Person],
    unlisted: &[UserIndex],
    verdicts: &mut Vec<Verdict>,
) {
    if unlisted.is_empty() {
        return;
    }
    let traits = Traits::new(scene.live, unlisted);
    for (at, _) in people.iter().enumerate().filter(|(_, person)| person.fate == Fate::Create) {
        let entry = &scene.roster.users[at];
        for (account, what) in traits.of(entry) {
            let (name, id) = (&entry.user_name.value, &scene.live.user(account).id);
            verdicts.push(block(
                "lookAlike",
                format!(
                    "{name} would be created while the {}, with the same {what}, is deactivated for not being listed",
                    scene.live.describe(account)
                ),
                vec![name.to_string(), id.to_string()],
                format!("if it is the same person's, add `id: {id}` to the entry of {name}; else list or deactivate that account first"),
            ));
        }
    }
}

fn block(guard: &'static str, message: String, resources: Vec<String>, remedy: String) -> Verdict {
    Verdict {
        guard,
        outcome: Outcome::Block,
        measured: None,
        recent: None,
        limit: None,
        message,
        resources,
        remedy,
    }
}

/// Accounts by what people are recognised by.
struct Traits {
    full_names: HashMap<(String, String), Vec<UserIndex>>,
    phones: HashMap<String, Vec<UserIndex>>,
}

impl Traits {
    fn new(live: &Live, accounts: &[UserIndex]) -> Self {
        let (mut full_names, mut phones) = (HashMap::new(), HashMap::new());
        for account in accounts {
            let user = live.user(*account);
            if let Some(name) = full_name(user.get(Attribute::GivenName), user.get(Attribute::FamilyName)) {
                full_names.entry(name).or_insert_with(Vec::new).push(*account);
            }
            for phone in [Attribute::Phone, Attribute::MobilePhone] {
                if let Some(digits) = user.get(phone).and_then(digits) {
                    phones.entry(digits).or_insert_with(Vec::new).push(*account);
                }
            }
        }
        Self { full_names, phones }
    }

    /// The accounts that an entry resembles, each once, with what they share.
    fn of(&self, entry: &UserEntry) -> Vec<(UserIndex, &'static str)> {
        let text = |attribute| match entry.setting(attribute).map(|setting| &setting.wish) {
            Some(Wish::Set(Value::Text(text))) => Some(&**text),
            _ => None,
        };
        let name = full_name(text(Attribute::GivenName), text(Attribute::FamilyName));
        let mut found: Vec<(UserIndex, &'static str)> = Vec::new();
        let same_name = name.and_then(|name| self.full_names.get(&name));
        found.extend(same_name.into_iter().flatten().map(|account| (*account, "full name")));
        for phone in [Attribute::Phone, Attribute::MobilePhone] {
            let same_phone = text(phone).and_then(digits).and_then(|digits| self.phones.get(&digits));
            for account in same_phone.into_iter().flatten() {
                if found.iter().all(|(other, _)| other != account) {
                    found.push((*account, "phone number"));
                }
            }
        }
        found
    }
}

fn full_name(given: Option<&str>, family: Option<&str>) -> Option<(String, String)> {
    let (given, family) = (fold(given?), fold(family?));
    (!given.is_empty() && !family.is_empty()).then_some((given, family))
}

fn digits(phone: &str) -> Option<String> {
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    (digits.len() >= PHONE_DIGITS).then_some(digits)
}
