//! Names and addresses that go back to who had them before the run.

use super::notes::{Notes, Topic};
use super::people::Return;
use super::settle::{Claim, settle};
use crate::digest;
use model::attribute::Attribute;
use model::directory::{AccountKind, Directory, User, UserIndex};
use model::names::fold;
use std::collections::{BTreeMap, HashMap, HashSet};

/// What an account holds a name in.
type Slot = (UserIndex, Attribute);

/// A name or an address, folded: userNames and addresses never clash.
type Name = (bool, String);

type NameClaim = Claim<Slot, Name>;

const SLOTS: [Attribute; 3] = [Attribute::UserName, Attribute::Email, Attribute::SecondaryEmail];

/// The longest local part of an address (RFC 5321 §4.5.3.1.1).
const LOCAL_PART_MAX: usize = 64;

/// What accounts that the run created give up for those who had it before, and what they get for it; `None` where a
/// slot may stand empty.
pub(super) type MadeWay = BTreeMap<Slot, Option<Box<str>>>;

/// Takes back the wishes for names and addresses that somebody else holds and keeps, with a note for each, and finds what
/// created accounts must be called instead of the names that they were given.
pub(super) fn hand_back(directory: &Directory, returns: &mut [Return], notes: &mut Notes) -> MadeWay {
    let mut claims: Vec<NameClaim> = Vec::new();
    let mut owners: Vec<usize> = Vec::new();
    let mut yielding: HashSet<Slot> = HashSet::new();
    for (at, back) in returns.iter().enumerate() {
        let user = directory.user(back.account);
        for slot in SLOTS {
            match back.wants.get(&slot) {
                _ if back.is_created => drop(yielding.insert((back.account, slot))),
                None => {}
                Some((None, _)) => drop(yielding.insert((back.account, slot))),
                Some((Some(wanted), _)) => {
                    let gives = user.and_then(|user| user.get(slot)).map(|live| name(slot, live));
                    claims.push(Claim { slot: Some((back.account, slot)), takes: name(slot, wanted), gives });
                    owners.push(at);
                }
            }
        }
    }
    if claims.is_empty() {
        return MadeWay::new();
    }
    let held = holders(directory);
    let holders = |name: &Name| held.get(name).cloned().unwrap_or_default();
    let in_the_way = settle(&claims, holders, |_, holder| yielding.contains(&holder));

    for ((claim, owner), holder) in claims.iter().zip(&owners).zip(&in_the_way) {
        let (Some((_, slot)), Some(holder)) = (claim.slot, holder) else { continue };
        let Some(back) = returns.get_mut(*owner) else { continue };
        let wanted = back.wants.remove(&slot).and_then(|(wanted, _)| wanted).unwrap_or_default();
        if let Some(user) = directory.user(holder.0) {
            notes.line(
                Topic::NameTaken,
                format!(
                    "{}: {} cannot be {wanted} again, because the {} has it",
                    back.name,
                    slot.key(),
                    describe(user)
                ),
            );
        }
    }
    let needed = needed(directory, returns, (&claims, &owners, &in_the_way), &holders);
    let created: HashSet<UserIndex> =
        returns.iter().filter(|back| back.is_created).map(|back| back.account).collect();
    let mut taken: HashSet<Name> = claims.iter().map(|claim| claim.takes.clone()).collect();
    let mut made_way = MadeWay::new();
    for claim in needed {
        for (account, slot) in
            holders(&claim.takes).into_iter().filter(|(account, _)| created.contains(account))
        {
            let Some(user) = directory.user(account) else { continue };
            made_way
                .insert((account, slot), invented(user, slot, |name| held.contains_key(name), &mut taken));
        }
    }
    made_way
}

/// The claims that will be made good: those of people who are active in the end, and of deactivated accounts only where
/// what they hold is needed, and so on along the chain.
fn needed<'c>(
    directory: &Directory,
    returns: &[Return],
    (claims, owners, in_the_way): (&'c [NameClaim], &[usize], &[Option<Slot>]),
    holders: &impl Fn(&Name) -> Vec<Slot>,
) -> Vec<&'c NameClaim> {
    let mut waiting: HashMap<Slot, &NameClaim> = HashMap::new();
    let mut called: Vec<&NameClaim> = Vec::new();
    for ((claim, owner), _) in
        claims.iter().zip(owners).zip(in_the_way).filter(|(_, holder)| holder.is_none())
    {
        let Some(back) = returns.get(*owner) else { continue };
        if directory.user(back.account).is_some_and(|user| back.ends_active(user)) {
            called.push(claim);
        } else {
            waiting.extend(claim.slot.map(|slot| (slot, claim)));
        }
    }
    let mut needed = Vec::new();
    while let Some(claim) = called.pop() {
        called.extend(holders(&claim.takes).iter().filter_map(|holder| waiting.remove(holder)));
        needed.push(claim);
    }
    needed
}

fn holders(directory: &Directory) -> HashMap<Name, Vec<Slot>> {
    let mut held: HashMap<Name, Vec<Slot>> = HashMap::with_capacity(2 * directory.users.len());
    for (index, user) in directory.iter() {
        for slot in SLOTS {
            if let Some(live) = user.get(slot) {
                held.entry(name(slot, live)).or_default().push((index, slot));
            }
        }
    }
    held
}

fn name(slot: Attribute, text: &str) -> Name {
    (slot == Attribute::UserName, fold(text))
}

/// A name or address that nobody holds or is to have, always the same for the same account; `None` for a second address,
/// which may simply go.
fn invented(
    user: &User,
    slot: Attribute,
    is_held: impl Fn(&Name) -> bool,
    taken: &mut HashSet<Name>,
) -> Option<Box<str>> {
    if slot == Attribute::SecondaryEmail {
        return None;
    }
    let live = user.get(slot).unwrap_or_default();
    let (local, domain) = live.trim().rsplit_once('@').unwrap_or((live, "invalid"));
    let mut attempt = 0_usize;
    loop {
        let hash: String = digest::of_json(&(attempt, user.id.as_str())).chars().take(8).collect();
        attempt += 1;
        let value = if slot == Attribute::UserName {
            format!("undone-{hash}")
        } else {
            // A sub-address (RFC 5233) in the same domain, since others may be refused.
            let tag = format!("+undone-{hash}");
            let kept: String = local.chars().take(LOCAL_PART_MAX.saturating_sub(tag.len())).collect();
            format!("{kept}{tag}@{domain}")
        };
        let folded = name(slot, &value);
        if !is_held(&folded) && taken.insert(folded) {
            return Some(value.into());
        }
    }
}

/// An account as messages name it.
pub(super) fn describe(user: &User) -> String {
    let known_by: Vec<&str> =
        [Attribute::UserName, Attribute::Email].into_iter().filter_map(|slot| user.get(slot)).collect();
    let what = match (user.kind, user.active) {
        (AccountKind::Bot, _) => "bot",
        (AccountKind::Person, true) => "account",
        (AccountKind::Person, false) => "deactivated account",
    };
    format!("{what} {} ({})", user.id, known_by.join(", "))
}
