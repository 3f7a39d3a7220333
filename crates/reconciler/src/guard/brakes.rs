//! Guards that have no number to raise.

use super::Guard;
use model::attribute::{Attribute, Value};
use model::change::{Action, Changeset, UserRef};
use model::directory::{Directory, workspace_of};
use model::names::UserId;
use model::plan::{Outcome, Verdict};
use model::policy::UnlistedUsers;
use model::roster::Roster;
use std::collections::BTreeSet;

/// Where unlisted people are deactivated, a roster that names fewer than this share of the active people (in
/// hundredths) is taken for a broken source: half a company does not leave overnight, but a truncated export or a
/// filter gone wrong looks just like it.
const BROKEN_SOURCE_PERCENT: usize = 50;

/// The wrong-workspace brake: live accounts must belong to the workspace that the roster names. Accounts of another one
/// beside those of the right one are only told of, as long as the plan leaves them alone.
pub(super) fn workspace(roster: &Roster, directory: &Directory, changeset: &Changeset) -> Verdict {
    let Some(wanted) = &roster.workspace else {
        return Guard::Workspace.passes("the roster names no workspace to compare with");
    };
    let live = directory.workspaces();
    let others: Vec<String> =
        live.iter().filter(|name| !name.eq_ignore_ascii_case(&wanted.value)).map(|&s| s.to_owned()).collect();
    if live.is_empty() {
        return Guard::Workspace.passes("no account names a workspace to compare with");
    }
    if others.is_empty() {
        return Guard::Workspace.passes(format!("the accounts belong to {}", wanted.value));
    }
    let strangers = if others.len() == live.len() {
        Vec::new()
    } else {
        touched(directory, changeset)
            .into_iter()
            .filter(|id| {
                let user = directory.find(id).and_then(|index| directory.user(index));
                user.and_then(|user| user.get(Attribute::ProfileUrl))
                    .and_then(workspace_of)
                    .is_some_and(|name| !name.eq_ignore_ascii_case(&wanted.value))
            })
            .collect()
    };
    let (outcome, message, resources) = if others.len() == live.len() {
        let message = format!("the roster is for workspace {}, the accounts belong to another", wanted.value);
        (Outcome::Block, message, others)
    } else if strangers.is_empty() {
        let message = format!(
            "some accounts, which this plan leaves alone, name a workspace other than {}",
            wanted.value
        );
        (Outcome::Warn, message, others)
    } else {
        let message = format!("the plan touches accounts that name a workspace other than {}", wanted.value);
        (Outcome::Block, message, strangers.iter().map(ToString::to_string).collect())
    };
    let place = roster.sources.display(wanted.place);
    Verdict {
        outcome,
        resources,
        remedy: format!("check the token and the target; if they are right, correct `workspace` at {place}"),
        ..Guard::Workspace.passes(message)
    }
}

/// The accounts that exist and that a changeset writes, takes into groups or takes out of groups.
fn touched<'a>(directory: &Directory, changeset: &'a Changeset) -> BTreeSet<&'a UserId> {
    let existing = |user: &'a UserRef| match user {
        UserRef::Existing(id) => Some(id),
        UserRef::New(_) => None,
    };
    let mut ids = BTreeSet::new();
    for change in &changeset.changes {
        match &change.action {
            Action::UpdateUser { id, .. } => ids.extend(existing(id)),
            Action::CreateGroup { members, .. } => ids.extend(members.iter().filter_map(existing)),
            Action::UpdateGroup { add, remove, .. } => {
                ids.extend(add.iter().filter_map(existing));
                ids.extend(remove);
            }
            Action::CreateUser { .. } | Action::DeleteGroup { .. } => {}
        }
    }
    ids.retain(|id| directory.find(id).is_some());
    ids
}

/// A roster that lists far fewer people than were active, where the unlisted are deactivated.
pub(super) fn broken_source(roster: &Roster, active: usize) -> Verdict {
    if roster.policy.unlisted.users != UnlistedUsers::Deactivate {
        return Guard::BrokenSource.passes("whoever is not listed is kept");
    }
    let listed = roster.users.iter().filter(|entry| entry.active.value).count();
    let least = (active * BROKEN_SOURCE_PERCENT).div_ceil(100);
    let people = if listed == 1 { "person" } else { "people" };
    let numbers = format!("the roster lists {listed} active {people} of {active}");
    let verdict = if listed < least {
        Verdict {
            outcome: Outcome::Block,
            remedy: "make sure that the roster is complete, or set `unlisted: { users: keep }` in the policy".into(),
            ..Guard::BrokenSource.passes(format!(
                "{numbers}; unlisted people would be deactivated, and a roster this short is most likely a broken source"
            ))
        }
    } else {
        Guard::BrokenSource.passes(format!("{numbers}; at least {least} are needed"))
    };
    Verdict { measured: Some(listed), limit: Some(least), ..verdict }
}

/// Addresses at domains that the policy does not allow. The loader refuses them in a roster, but what undoes a run
/// gives back whatever address there was.
pub(super) fn email_domains(roster: &Roster, changeset: &Changeset) -> Option<Verdict> {
    let allowed = roster.policy.allowed_domains()?;
    let mut refused = 0;
    let (mut domains, mut people) = (BTreeSet::new(), Vec::new());
    for change in &changeset.changes {
        let (Action::CreateUser { edits, .. } | Action::UpdateUser { edits, .. }) = &change.action else {
            continue;
        };
        for edit in
            edits.iter().filter(|e| matches!(e.attribute, Attribute::Email | Attribute::SecondaryEmail))
        {
            let Some(Value::Text(address)) = &edit.after else { continue };
            if let Err(domain) = allowed.check(address) {
                refused += 1;
                domains.insert(domain);
                if people.last() != Some(&change.name) {
                    people.push(change.name.clone());
                }
            }
        }
    }
    let numbers =
        Verdict { measured: Some(refused), limit: Some(0), ..Guard::EmailDomains.passes(String::new()) };
    Some(if refused == 0 {
        Verdict { message: "all addresses are at domains of the policy's `emailDomains`".into(), ..numbers }
    } else {
        let domains: Vec<String> = domains.into_iter().collect();
        Verdict {
            outcome: Outcome::Block,
            message: format!(
                "addresses are set at {}, which the policy's `emailDomains` does not list",
                domains.join(", ")
            ),
            resources: people.into_iter().map(Into::into).collect(),
            remedy: "use an address at a listed domain, or have the domain added to `policy.emailDomains`"
                .into(),
            ..numbers
        }
    })
}
