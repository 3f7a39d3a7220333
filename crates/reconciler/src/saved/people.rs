//! Who the people of a saved plan are by now: those it creates may have been created since.

use super::effects::Effects;
use super::live::Live;
use model::attribute::{Attribute, Value};
use model::change::{Action, Change, UserRef};
use model::directory::{User, UserIndex};
use model::names::{UserId, UserName};
use model::roster::Roster;
use scim_adapter::Ids;
use std::collections::HashMap;

/// Who somebody of a saved plan is.
#[derive(Clone, Copy)]
pub(super) enum Who<'a> {
    /// This account.
    There(&'a User),
    /// Somebody who is created by a fresh change, too.
    Coming,
    /// There is no such account, and none is asked for.
    Nobody,
}

/// Whether an account is not about to give up its name or address in this very plan, so that it is another's.
fn keeps(effects: &Effects<'_>, user: &User, attribute: Attribute) -> bool {
    effects.users.get(&UserRef::Existing(user.id.clone()), attribute).is_none()
}

/// The people of a saved plan.
pub(super) struct People<'a> {
    live: &'a Live<'a>,
    created: HashMap<UserName, Who<'a>>,
}

impl<'a> People<'a> {
    /// Finds those whom a saved plan creates: among the fresh creations, by what the differ has `matched` to their
    /// entries, and last, where the roster no longer lists them, by their userName.
    pub(super) fn new(
        (saved, effects): (&[Change], &Effects<'_>),
        fresh: &[Change],
        roster: &Roster,
        matched: &[Option<UserIndex>],
        live: &'a Live<'a>,
    ) -> Self {
        let names = |changes: &[Change]| -> Vec<UserName> {
            let created = changes.iter().filter_map(|change| match &change.action {
                Action::CreateUser { user_name, .. } => Some(user_name.clone()),
                _ => None,
            });
            created.collect()
        };
        let mut created: HashMap<UserName, Who<'a>> = names(saved)
            .into_iter()
            .map(|name| {
                let bearer = live.bearer(&name).filter(|user| keeps(effects, user, Attribute::UserName));
                let who = bearer.map_or(Who::Nobody, Who::There);
                (name, who)
            })
            .collect();
        for (entry, account) in roster.users.iter().zip(matched) {
            let account = account.and_then(|index| live.directory.user(index));
            if let (Some(user), Some(who)) = (account, created.get_mut(&entry.user_name.value)) {
                *who = Who::There(user);
            }
        }
        for name in names(fresh) {
            if let Some(who) = created.get_mut(&name) {
                *who = Who::Coming;
            }
        }
        Self { live, created }
    }

    /// Those whom a saved plan creates, by what the directory alone tells, once they should be there.
    pub(super) fn by_names(saved: (&[Change], &Effects<'_>), roster: &Roster, live: &'a Live<'a>) -> Self {
        let mut people = Self::new(saved, &[], roster, &[], live);
        for entry in &roster.users {
            if let Some(who @ Who::Nobody) = people.created.get_mut(&entry.user_name.value)
                && let Some(user) = live.holder(Attribute::Email, &entry.email.value)
                && keeps(saved.1, user, Attribute::Email)
            {
                *who = Who::There(user);
            }
        }
        people
    }

    pub(super) fn who(&self, user: &UserRef) -> Who<'a> {
        match user {
            UserRef::Existing(id) => self.live.user(id).map_or(Who::Nobody, Who::There),
            UserRef::New(name) => self.created.get(name).copied().unwrap_or(Who::Nobody),
        }
    }

    /// The account that a reference of the saved plan means, if there is one.
    pub(super) fn account(&self, user: &UserRef) -> Option<&'a User> {
        match self.who(user) {
            Who::There(user) => Some(user),
            Who::Coming | Who::Nobody => None,
        }
    }

    /// A reference of the saved plan as the fresh changes write it.
    pub(super) fn referred_to(&self, user: &UserRef) -> UserRef {
        match (user, self.account(user)) {
            (UserRef::New(_), Some(account)) => UserRef::Existing(account.id.clone()),
            _ => user.clone(),
        }
    }

    /// A value of the saved plan as the fresh changes write it.
    pub(super) fn named_now(&self, value: &Value<UserRef>) -> Value<UserRef> {
        match value {
            Value::Person(person) => Value::Person(self.referred_to(person)),
            other => other.clone(),
        }
    }

    /// What stands for the placeholders in requests when two of them are compared.
    pub(super) fn ids(&self) -> Ids {
        let id = |(name, who): (&UserName, &Who<'_>)| {
            let id = match who {
                Who::There(user) => user.id.clone(),
                Who::Coming | Who::Nobody => UserId::new(format!("@user:{name}")),
            };
            (name.clone(), id)
        };
        Ids { users: self.created.iter().map(id).collect(), ..Ids::default() }
    }
}
