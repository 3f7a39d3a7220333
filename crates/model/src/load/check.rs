//! What can only be said when all files have been read: who is listed twice, and which domains are allowed.

use super::codes;
use super::file::Gathered;
use super::findings::{Findings, closest, did_you_mean, either, quote};
use super::groups;
use super::names::Names;
use super::people;
use super::references::{ByName, Resolver};
use crate::attribute::{Attribute, Value};
use crate::beside_for;
use crate::diagnostic::Diagnostic;
use crate::names::{fold, folded};
use crate::place::{Located, Place, Sources};
use crate::policy::AllowedDomains;
use crate::roster::{EntryIndex, GroupEntry, Roster, UserEntry, Wish};
use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Makes the roster of what was gathered. It is of no use when errors have been found, now or before.
pub(super) fn check(gathered: Gathered, findings: &mut Findings) -> Roster {
    let Gathered { workspace, policy, users, groups, names, lost_names, is_incomplete, users_key, .. } =
        gathered;
    let policy = policy.unwrap_or_default();
    if users.is_empty() && lost_names.is_empty() && !is_incomplete {
        empty_roster(users_key, findings);
    }
    let addresses = || {
        let mut own = Findings::default();
        unique_addresses(&users, &mut own);
        own
    };
    let others = || {
        let by_name = unique_people(&users, &names, findings);
        if let (Some(allowed), Some(domains)) = (policy.allowed_domains(), &policy.email_domains) {
            refused_domains(&users, &allowed, domains, findings);
        }
        if let Some(groups) = &groups {
            unique_groups(groups, findings);
        }
        Resolver::new(&names, &by_name, &lost_names)
    };
    let (own, references) = beside_for(users.len(), addresses, others);
    // Which of too many findings are kept may not depend on what was done beside what.
    if findings.can_absorb(&own) {
        findings.absorb(own);
    } else {
        unique_addresses(&users, findings);
    }
    let (users, groups) = references.resolve(users, groups, is_incomplete, findings);
    Roster { workspace, policy, users, groups, sources: Sources::default() }
}

fn empty_roster(users_key: Option<Place>, findings: &mut Findings) {
    let message = "this roster lists nobody";
    let help = "list the people under `users`; an empty roster is more often a mistake than a wish";
    let mut finding =
        Diagnostic::error(codes::EMPTY_ROSTER, users_key.unwrap_or_default(), message).help(help);
    finding.label.place = users_key;
    findings.report(finding);
}

/// Reports people and ids that are given twice, and returns the people by name.
fn unique_people(users: &[people::Draft], names: &Names, findings: &mut Findings) -> ByName {
    let mut by_name = ByName::new(names);
    let mut ids: HashMap<&str, Place> = HashMap::new();
    for (at, draft) in users.iter().enumerate() {
        let user = &draft.entry;
        let index = EntryIndex(u32::try_from(at).unwrap_or(u32::MAX));
        if let Some(first) = by_name.claim(draft.name, index).and_then(|first| users.get(first.get())) {
            findings.report(
                Diagnostic::error(
                    codes::DUPLICATE_PERSON,
                    user.user_name.place,
                    format!("{} is in the roster twice", quote(user.user_name.value.as_str())),
                )
                .related(first.entry.user_name.place, "first listed here")
                .help("keep one of the two entries; letter case does not distinguish people"),
            );
        }
        if let Some(id) = &user.id {
            duplicate_id(&mut ids, id.value.as_str(), id.place, findings);
        }
    }
    by_name
}

/// Reports addresses that are given twice.
fn unique_addresses(users: &[people::Draft], findings: &mut Findings) {
    let mut addresses: HashMap<Cow<'_, str>, (usize, Place)> = HashMap::with_capacity(users.len());
    for (at, draft) in users.iter().enumerate() {
        let user = &draft.entry;
        let is_copy_of =
            |other: usize| other != at && users.get(other).is_some_and(|other| other.name == draft.name);
        let own = [Some((&*user.email.value, user.email.place)), secondary_email(user)];
        for (address, place) in own.into_iter().flatten() {
            match addresses.entry(folded(address)) {
                // An entry that was copied whole is one mistake.
                Entry::Occupied(held) if is_copy_of(held.get().0) => {}
                Entry::Occupied(held) => findings.report(
                    Diagnostic::error(
                        codes::DUPLICATE_EMAIL,
                        place,
                        format!("the address {} is in the roster twice", quote(address)),
                    )
                    .related(held.get().1, "first given here")
                    .help("Slack lets one account have an address, primary or secondary; letter case does not matter"),
                ),
                Entry::Vacant(free) => drop(free.insert((at, place))),
            }
        }
    }
}

fn secondary_email(user: &UserEntry) -> Option<(&str, Place)> {
    let setting = user.setting(Attribute::SecondaryEmail)?;
    match &setting.wish {
        Wish::Set(Value::Text(address)) => Some((&**address, setting.place)),
        _ => None,
    }
}

fn duplicate_id<'i>(ids: &mut HashMap<&'i str, Place>, id: &'i str, place: Place, findings: &mut Findings) {
    if let Some(first) = ids.get(id) {
        findings.report(
            Diagnostic::error(
                codes::DUPLICATE_ID,
                place,
                format!("the id {} is given to two entries", quote(id)),
            )
            .related(*first, "first given here")
            .help("look up which of the two it belongs to, and remove the other"),
        );
    } else {
        ids.insert(id, place);
    }
}

/// Reports addresses outside the allowed domains, of everybody who may be written.
fn refused_domains(
    users: &[people::Draft],
    allowed: &AllowedDomains<'_>,
    domains: &[Located<Box<str>>],
    findings: &mut Findings,
) {
    for user in users.iter().map(|draft| &draft.entry).filter(|user| user.managed) {
        let own = [Some((&*user.email.value, user.email.place)), secondary_email(user)];
        for (address, place) in own.into_iter().flatten() {
            let Err(domain) = allowed.check(address) else { continue };
            let some: Vec<&str> = domains.iter().take(5).map(|domain| &*domain.value).collect();
            let meant =
                if findings.is_full() { None } else { closest(&domain, domains.iter().map(|d| &*d.value)) };
            findings.error(
                codes::EMAIL_DOMAIN,
                place,
                format!("{} is not in one of the policy's `emailDomains`", quote(address)),
                did_you_mean(meant, || {
                    format!("use an address at {}, or have the domain added", either(&some))
                }),
            );
        }
    }
}

/// Reports group names, former names and ids that are given twice.
fn unique_groups(groups: &[groups::Draft], findings: &mut Findings) {
    let mut current: HashMap<String, Place> = HashMap::with_capacity(groups.len());
    let mut ids: HashMap<&str, Place> = HashMap::new();
    for GroupEntry { display_name, id, .. } in groups.iter().map(|draft| &draft.entry) {
        if let Some(first) = current.get(&fold(&display_name.value)) {
            findings.report(
                Diagnostic::error(
                    codes::DUPLICATE_GROUP,
                    display_name.place,
                    format!("the group {} is in the roster twice", quote(&display_name.value)),
                )
                .related(*first, "first listed here")
                .help("keep one of the two; letter case does not distinguish groups"),
            );
        } else {
            current.insert(fold(&display_name.value), display_name.place);
        }
        if let Some(id) = id {
            duplicate_id(&mut ids, id.value.as_str(), id.place, findings);
        }
    }
    let mut former: HashMap<String, Place> = HashMap::new();
    for group in groups.iter().map(|draft| &draft.entry) {
        for name in &group.formerly {
            let folded = fold(&name.value);
            let clash = if folded == fold(&group.display_name.value) {
                Some((group.display_name.place, "is the group's own name", "remove it from `formerly`"))
            } else if let Some(place) = current.get(&folded) {
                Some((
                    *place,
                    "is the name of another group",
                    "give the groups their `id` instead of `formerly`",
                ))
            } else {
                former.get(&folded).map(|place| {
                    (
                        *place,
                        "is given twice as a former name",
                        "keep it once, with the group that bears it now",
                    )
                })
            };
            if let Some((place, problem, help)) = clash {
                findings.report(
                    Diagnostic::error(
                        codes::FORMERLY_CLASH,
                        name.place,
                        format!("{} {problem}", quote(&name.value)),
                    )
                    .related(place, "given here")
                    .help(help),
                );
            } else {
                former.insert(folded, name.place);
            }
        }
    }
}
