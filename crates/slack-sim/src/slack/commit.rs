//! From a draft to a stored user: names, uniqueness, rank, activation (S6, S7, S13).

use tokio::time::Instant;

use super::assign::{Draft, Phase, PhotoChange};
use super::names::{LONGEST_USER_NAME, RESERVED, has_emoji, hosted_photo, normalise_user_name};
use super::user::{Kind, User};
use super::world::World;
use crate::clock::after;
use crate::errors::{Answered, Refusal, Version};
use crate::switches::{Deactivated, Delayed, Heed, LongUserName, OmittedActive, Rank, RankRule, Switches};
use crate::table::Key;

/// What becomes of `active`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Activation {
    Stay,
    Activate,
    Deactivate,
}

/// A user that may be stored.
#[derive(Debug)]
pub(crate) struct Finished {
    key: Option<Key>,
    user: User,
    activation: Activation,
    phase: Phase,
    photo: PhotoChange,
}

impl Draft<'_> {
    /// Checks what can only be checked when everything has been read.
    pub(crate) fn finish(mut self) -> Answered<Finished> {
        let old = self.key.and_then(|key| self.world.users.get(key));
        if let Some(old) = old {
            may_modify(old, self.switches)?;
        }
        self.user.user_name = self.decide_name(old)?;
        if self.phase == Phase::Create {
            self.complete_new_user();
        }
        if self.user.email.is_empty() {
            return Err(Refusal::code("missing_primary_email"));
        }
        self.check_emails(old)?;
        // S13: "admin/owner → guest: `cannot_make_user_guest`".
        if self.user.guest.is_some() && self.user.kind != Kind::Member {
            return Err(Refusal::forbidden("cannot_make_user_guest", self.switches));
        }
        let activation = self.decide_activation(old);
        if let Some(old) = old {
            if activation == Activation::Deactivate {
                may_deactivate(old, self.switches)?;
            }
            if self.phase == Phase::Update
                && !old.active
                && activation != Activation::Activate
                && self.user != *old
            {
                deactivated_status(self.switches.patch_deactivated)?;
            }
        }
        Ok(Finished { key: self.key, user: self.user, activation, phase: self.phase, photo: self.photo })
    }

    /// What a creation fills in (S6, S5 "Guest"), and what a bad profile costs (S17).
    fn complete_new_user(&mut self) {
        if self.profile_dropped {
            self.user.clear_profile();
        }
        // S6: "filled from displayName, else userName".
        if self.user.display_name.is_empty() {
            self.user.display_name.clone_from(&self.user.user_name);
        }
        if self.user.given_name.is_empty() && self.user.family_name.is_empty() {
            self.user.given_name.clone_from(&self.user.display_name);
        }
        if self.active == Some(false) && self.switches.post_inactive == Heed::Honoured {
            self.user.active = false;
        }
    }

    fn decide_name(&self, old: Option<&User>) -> Answered<String> {
        let is_old = |name: &str| old.is_some_and(|old| old.user_name == normalise_user_name(name));
        // S6: "same value as userName: changing either changes both". Where both are sent, the one that changes counts.
        let (name, too_long) = match (&self.user_name, &self.nick_name) {
            (Some(name), Some(nick)) if is_old(name) && !is_old(nick) => (nick, "long_nickname"),
            (Some(name), _) => (name, "username_too_long"),
            (None, Some(nick)) if self.phase == Phase::Update => (nick, "long_nickname"),
            (None, _) if self.phase == Phase::Update => return Ok(self.user.user_name.clone()),
            (None, _) => return Err(Refusal::code("username_required")),
        };
        if name.is_empty() {
            return Err(Refusal::code("username_empty"));
        }
        if is_old(name) {
            return Ok(self.user.user_name.clone());
        }
        if name.contains('@') {
            return self.fit_email_address(name);
        }
        let fit = normalise_user_name(name);
        if fit.chars().count() > LONGEST_USER_NAME {
            return Err(match (self.switches.long_user_name, too_long) {
                (LongUserName::Seen, "username_too_long") => {
                    Refusal::code("long_username").with(&format!("(user={name})"))
                }
                _ => Refusal::code(too_long),
            });
        }
        if RESERVED.contains(&fit.as_str()) {
            return Err(Refusal::code("username_not_allowed").with(&format!("(user={fit})")));
        }
        if has_emoji(name) || !fit.contains(|c: char| c.is_ascii_alphanumeric()) {
            return Err(Refusal::code("username_invalid"));
        }
        if self.world.name_is_taken(&fit, self.key) {
            return Err(Refusal::code("username_taken"));
        }
        Ok(fit)
    }

    /// S6: "an e-mail address here is turned into a Slack-fit username". It is shortened, and numbered while somebody
    /// has the name; `truncation_error` says that no number was free.
    fn fit_email_address(&self, email: &str) -> Answered<String> {
        let local = normalise_user_name(email.split('@').next().unwrap_or_default());
        if !local.contains(|c: char| c.is_ascii_alphanumeric()) {
            return Err(Refusal::code("username_invalid"));
        }
        let numbers = std::iter::once(String::new()).chain((1..100).map(|n: u32| n.to_string()));
        for number in numbers {
            let stem: String = local.chars().take(LONGEST_USER_NAME - number.len()).collect();
            let name = stem + &number;
            if !RESERVED.contains(&name.as_str()) && !self.world.name_is_taken(&name, self.key) {
                return Ok(name);
            }
        }
        Err(Refusal::code("truncation_error"))
    }

    /// S6: "Uniqueness covers **deactivated** users", and both slots of everybody.
    fn check_emails(&self, old: Option<&User>) -> Answered<()> {
        let known = |email: &str| {
            old.is_some_and(|old| {
                old.email.eq_ignore_ascii_case(email)
                    || old.secondary_email.as_ref().is_some_and(|second| second.eq_ignore_ascii_case(email))
            })
        };
        for email in [Some(&self.user.email), self.user.secondary_email.as_ref()].into_iter().flatten() {
            if known(email) {
                continue;
            }
            let domain = email.rsplit('@').next().unwrap_or_default().to_lowercase();
            if self.switches.domain_claim && !self.world.domains.contains(&domain) {
                return Err(Refusal::code("bad_email_address").with("(domain not claimed)"));
            }
            if let Some(holder) = self.world.email_holder(email, self.key) {
                // S7: on v1 "the same case appears as `bad_email_address…`".
                let refusal = match self.version {
                    Version::V1 => Refusal::code("bad_email_address"),
                    Version::V2 => Refusal::code("email_taken"),
                };
                let id = self.world.users.get(holder).map(|user| user.id.clone()).unwrap_or_default();
                return Err(if self.switches.email_taken_holder {
                    refusal.with(&format!("existing_user={id}"))
                } else {
                    refusal
                });
            }
        }
        Ok(())
    }

    fn decide_activation(&self, old: Option<&User>) -> Activation {
        let Some(old) = old else { return Activation::Stay };
        // A deactivation under way counts as done when somebody asks for the contrary.
        let runs = old.active && old.deactivates.is_none();
        let wanted = match (self.active, self.phase) {
            (Some(active), _) => active,
            (None, Phase::Replace) => match self.switches.put_omitted_active {
                OmittedActive::Keep => return Activation::Stay,
                OmittedActive::Deactivate => false,
            },
            // S11: "Making a guest of, or turning back, a **deactivated** user reactivates it".
            (None, _) if self.guest_written && self.user.guest.is_some() != old.guest.is_some() => true,
            (None, _) => return Activation::Stay,
        };
        match (wanted, runs) {
            (true, false) => Activation::Activate,
            (false, true) => Activation::Deactivate,
            _ => Activation::Stay,
        }
    }
}

impl Finished {
    /// Gives a new user an id that nobody has.
    pub(crate) fn give_id(&mut self, world: &World, prefix: char) {
        self.user.id = world.new_user_id(prefix, &self.user.user_name);
    }

    /// Stores the user and starts what takes time: deactivation and the hosting of a photo.
    pub(crate) fn store(self, world: &mut World, switches: &Switches, now: Instant) -> Key {
        let mut user = self.user;
        if self.activation == Activation::Activate {
            user.active = true;
            user.deactivates = None;
        }
        let key = match self.key {
            Some(key) => {
                world.replace_user(key, user);
                key
            }
            None => world.insert_user(user),
        };
        let ready = after(now, switches.photo_delay);
        match self.photo {
            PhotoChange::Keep => {}
            PhotoChange::Clear => world.schedule_photo(key, None, ready),
            PhotoChange::Host(source) => world.schedule_photo(key, Some(hosted_photo(&source)), ready),
        }
        if self.activation == Activation::Deactivate {
            let delayed = match self.phase {
                Phase::Create => false,
                Phase::Replace => switches.delayed_deactivation == Delayed::Any,
                Phase::Update => switches.delayed_deactivation != Delayed::Delete,
            };
            deactivate(world, key, delayed, switches, now);
        }
        world.settle(now, switches);
        key
    }
}

/// DELETE of a user: a deactivation, late to show (S13).
pub(crate) fn delete_user(world: &mut World, key: Key, switches: &Switches, now: Instant) -> Answered<()> {
    let Some(user) = world.users.get(key) else { return Err(Refusal::code("no_such_user")) };
    may_modify(user, switches)?;
    if !user.active {
        // S13: "Calling it again (three times in a row) succeeds each time".
        return deactivated_status(switches.delete_deactivated);
    }
    may_deactivate(user, switches)?;
    if user.deactivates.is_none() {
        deactivate(world, key, true, switches, now);
        world.settle(now, switches);
    }
    Ok(())
}

fn deactivate(world: &mut World, key: Key, delayed: bool, switches: &Switches, now: Instant) {
    let delayed = delayed && !switches.deactivation_delay.is_zero();
    let when = delayed.then(|| after(now, switches.deactivation_delay));
    world.deactivate(key, when, switches);
}

/// Whether the token may act on this account at all (S1, S13).
fn may_modify(user: &User, switches: &Switches) -> Answered<()> {
    if user.kind == Kind::Gdpr {
        return Err(Refusal::forbidden("cannot_modify_gdpr", switches));
    }
    let token = match switches.token_rank {
        Rank::Admin => Kind::Admin,
        Rank::Owner => Kind::Owner,
        Rank::PrimaryOwner => Kind::PrimaryOwner,
    };
    let enough = match (user.kind, switches.rank_rule) {
        (Kind::Member | Kind::Bot | Kind::Gdpr, _) => true,
        // S13: nobody ranks above the primary owner, who may still write their own profile.
        (Kind::PrimaryOwner, RankRule::Lower) => token == Kind::PrimaryOwner,
        (kind, RankRule::Lower) => kind < token,
        (kind, RankRule::SameOrLower) => kind <= token,
    };
    if enough {
        return Ok(());
    }
    Err(Refusal::forbidden(
        if user.kind == Kind::Admin { "permission_denied" } else { "cannot_modify_owner" },
        switches,
    ))
}

fn may_deactivate(user: &User, switches: &Switches) -> Answered<()> {
    match user.kind {
        Kind::PrimaryOwner => Err(Refusal::forbidden("cannot_disable_primary_owner", switches)),
        Kind::Bot => Err(Refusal::forbidden("cannot_disable_bot_user_with_scim", switches)),
        _ => Ok(()),
    }
}

fn deactivated_status(mode: Deactivated) -> Answered<()> {
    let status = match mode {
        Deactivated::Accepted => return Ok(()),
        Deactivated::Refused400 => 400,
        Deactivated::Refused403 => 403,
        Deactivated::Refused404 => 404,
    };
    Err(Refusal::code(if status == 403 { "permission_denied" } else { "unknown_user" }).status(status))
}
