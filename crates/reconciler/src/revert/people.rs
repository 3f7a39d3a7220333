//! What each account that a run touched is to be again.

use super::effects::{Effects, Passage, Touched};
use super::fence::{Fence, Fenced};
use super::notes::{Notes, Topic};
use model::attribute::{self, Attribute, Clearing, Value, ValueKind, Writable};
use model::directory::{Directory, User, UserIndex};
use model::names::{UserId, fold};
use model::place::Place;
use model::roster::EntryIndex;
use model::{Dialect, time};
use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap, HashSet};

/// What attributes are to be: the text from before the run, `None` for nothing, `"true"` or `"false"` for flags; and the
/// journal's line that says so.
pub(super) type Wants = BTreeMap<Attribute, (Option<Box<str>>, Place)>;

/// What an account is to be again.
pub(super) struct Return {
    /// The account.
    pub(super) account: UserIndex,
    /// What people called it when the run changed it.
    pub(super) name: Box<str>,
    /// What its attributes are to be.
    pub(super) wants: Wants,
    /// Whether the run created it, so that it has no state to go back to and is only deactivated.
    pub(super) is_created: bool,
    /// The journal's first line on it.
    pub(super) place: Place,
}

impl Return {
    /// Whether the account is to be active in the end.
    pub(super) fn ends_active(&self, user: &User) -> bool {
        match self.wants.get(&Attribute::Active) {
            Some((wanted, _)) => is_true(wanted.as_deref()),
            None => user.active,
        }
    }
}

/// What the returns are found from.
pub(super) struct People<'a> {
    pub(super) directory: &'a Directory,
    pub(super) effects: &'a Effects,
    pub(super) fence: &'a Fence<'a>,
    names_now: OnceCell<HashMap<String, UserIndex>>,
    names_before: OnceCell<HashMap<String, UserIndex>>,
}

/// At which time an account is looked for by its name.
#[derive(Clone, Copy)]
enum Era {
    Before,
    Now,
}

impl<'a> People<'a> {
    pub(super) fn new(directory: &'a Directory, effects: &'a Effects, fence: &'a Fence<'a>) -> Self {
        Self { directory, effects, fence, names_now: OnceCell::new(), names_before: OnceCell::new() }
    }

    /// What every touched account is to be again, in the order of the journal: those that nothing is to be done to
    /// are not among them, but for created accounts, which may have to make way.
    pub(super) fn returns(&self, notes: &mut Notes) -> Vec<Return> {
        let mut seen = HashSet::new();
        let created = self.effects.created.iter().filter_map(|created| {
            let Some(id) = &created.id else {
                notes.name(Topic::UnknownOutcome, &*created.name);
                return None;
            };
            let (account, user) = self.reachable(id, &created.name, false, notes)?;
            seen.insert(account);
            let mut wants = BTreeMap::new();
            if user.active {
                notes.name(Topic::NotDeleted, &*created.name);
                wants.insert(Attribute::Active, (Some("false".into()), created.place));
            }
            Some(Return {
                account,
                name: created.name.clone(),
                wants,
                is_created: true,
                place: created.place,
            })
        });
        let mut returns: Vec<Return> = created.collect();
        for touched in &self.effects.touched {
            let Some((account, user)) = self.reachable(&touched.id, &touched.name, true, notes) else {
                continue;
            };
            if seen.contains(&account) {
                continue;
            }
            for key in &touched.unknown {
                let message =
                    format!("{}: {key} is unknown to this version, so it is left alone", touched.name);
                notes.line(Topic::CannotRestore, message);
            }
            let wants = self.wants(touched, user, notes);
            if wants.is_empty() {
                continue;
            }
            if wants.get(&Attribute::Active).is_some_and(|(wanted, _)| is_true(wanted.as_deref())) {
                notes.name(Topic::Channels, &*touched.name);
            }
            let (name, place) = (touched.name.clone(), touched.place);
            returns.push(Return { account, name, wants, is_created: false, place });
        }
        returns
    }

    /// The account, if it is there and may be changed; a note otherwise, which for a creation is worth none if it is
    /// not there.
    fn reachable(
        &self,
        id: &UserId,
        name: &str,
        is_missed: bool,
        notes: &mut Notes,
    ) -> Option<(UserIndex, &'a User)> {
        let found = self.directory.find(id).and_then(|index| Some((index, self.directory.user(index)?)));
        if found.is_none() && is_missed {
            notes.name(Topic::Gone, format!("{name} ({id})"));
        }
        let (index, user) = found?;
        match self.fence.user(id) {
            None => Some((index, user)),
            Some(why) => {
                notes.name(why.topic(), name);
                None
            }
        }
    }

    fn wants(&self, touched: &Touched, user: &User, notes: &mut Notes) -> Wants {
        let mut wants = BTreeMap::new();
        for (attribute, passage) in &touched.attributes {
            let attribute = *attribute;
            let before = passage.before.as_deref();
            if self.holds(attribute, before, user, Era::Before) {
                if attribute == Attribute::Active && user.active && touched.may_turn_inactive {
                    notes.name(Topic::MayTurnInactive, &*touched.name);
                }
                continue;
            }
            if !passage.afters.iter().any(|after| self.holds(attribute, after.as_deref(), user, Era::Now)) {
                notes.line(Topic::ChangedSince, changed_since(&touched.name, attribute, passage, user));
                continue;
            }
            if let Err(why) = self.restorable(attribute, touched) {
                notes.line(Topic::CannotRestore, format!("{}: {} {why}", touched.name, attribute.key()));
                continue;
            }
            wants.insert(attribute, (passage.before.clone(), passage.place));
        }
        if self.directory.dialect == Dialect::Slack && would_be_nameless(&wants, user) {
            // Sheet S6: `invalid_name_required`, and with it would go everything else that the request carries.
            for name in [Attribute::GivenName, Attribute::FamilyName] {
                wants.remove(&name);
            }
            let message = format!(
                "{}: had no name before the run, and keeps it, because Slack refuses to clear it",
                touched.name
            );
            notes.line(Topic::CannotRestore, message);
        }
        if wants.get(&Attribute::Guest).is_some_and(|(wanted, _)| is_true(wanted.as_deref()))
            && !touched.attributes.contains_key(&Attribute::GuestExpires)
        {
            let message = format!(
                "{}: made a guest again without an expiry and without channels, which the journal does not hold",
                touched.name
            );
            notes.line(Topic::CannotRestore, message);
        }
        wants
    }

    /// Whether the service can be given the value from before; else why not, after the name of the attribute.
    fn restorable(&self, attribute: Attribute, touched: &Touched) -> Result<(), String> {
        let before = touched.attributes.get(&attribute).and_then(|passage| passage.before.as_deref());
        let row = attribute.row();
        match (before, row.clearing) {
            (None, Clearing::Impossible(why)) => {
                return Err(format!("was not set before the run and stays as it is, because {why}"));
            }
            _ if row.writable == Writable::OnCreation => {
                return Err("can only be written when an account is created, so it stays as it is".to_owned());
            }
            (Some(_), _) if attribute == Attribute::Photo && self.directory.dialect == Dialect::Slack => {
                return Err("from before the run is not restored: Slack keeps no copy of a picture that was replaced or \
                            removed"
                    .to_owned());
            }
            (Some(manager), _) if attribute == Attribute::Manager => {
                match self.account(manager, Era::Before) {
                    None => return Err(format!("was {manager}, whom this directory does not have")),
                    Some(account) if self.is_bot(account) => {
                        return Err(format!("was {manager}, a bot, which cannot be set"));
                    }
                    Some(_) => {}
                }
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) fn is_bot(&self, account: UserIndex) -> bool {
        let user = self.directory.user(account);
        user.is_some_and(|user| self.fence.user(&user.id) == Some(Fenced::Bot))
    }

    /// The manager that an attribute named before the run.
    pub(super) fn former_manager(&self, text: &str) -> Option<UserIndex> {
        self.account(text, Era::Before)
    }

    /// Whether an account has a value of the journal.
    fn holds(&self, attribute: Attribute, value: Option<&str>, user: &User, era: Era) -> bool {
        let dialect = self.directory.dialect;
        let live = user.get(attribute);
        match attribute {
            Attribute::Active => return is_true(value) == user.active,
            Attribute::Guest => return is_true(value) == user.guest,
            Attribute::Manager => {
                let (Some(value), Some(live)) = (value, live) else {
                    return value.is_none() && live.is_none();
                };
                return match (self.account(value, era), self.account(live, Era::Now)) {
                    (Some(value), Some(live)) => value == live,
                    (None, None) => fold(value) == fold(live),
                    _ => false,
                };
            }
            _ => {}
        }
        // Slack shows a default picture for none, and fills an unset displayName with the userName (sheet S6).
        if let Some(value) = value.filter(|value| !attribute::is_clear(attribute, Some(value), dialect)) {
            return attribute::same(attribute, &wanted_value(attribute, value), live, dialect);
        }
        let is_filled = dialect == Dialect::Slack
            && attribute == Attribute::DisplayName
            && live.is_some_and(|live| fold(live) == fold(user.user_name()));
        is_filled || attribute::is_clear(attribute, live, dialect)
    }

    /// The account that an id, a userName or a primary address names (sheet S6: Slack takes a manager in all three forms).
    fn account(&self, text: &str, era: Era) -> Option<UserIndex> {
        let by_id = self.directory.find(&UserId::new(text.trim()));
        by_id.or_else(|| {
            let names = match era {
                Era::Now => self.names_now.get_or_init(|| self.names(&HashMap::new())),
                Era::Before => self.names_before.get_or_init(|| {
                    let touched = self.effects.touched.iter();
                    self.names(&touched.map(|touched| (&touched.id, touched)).collect())
                }),
            };
            names.get(&fold(text)).copied()
        })
    }

    fn names(&self, former: &HashMap<&UserId, &Touched>) -> HashMap<String, UserIndex> {
        let mut names = HashMap::with_capacity(2 * self.directory.users.len());
        for (index, user) in self.directory.iter() {
            for attribute in [Attribute::UserName, Attribute::Email] {
                let before = former.get(&user.id).and_then(|touched| touched.attributes.get(&attribute));
                let name = match before {
                    Some(passage) => passage.before.as_deref(),
                    None => user.get(attribute),
                };
                names.extend(name.map(|name| (fold(name), index)));
            }
        }
        names
    }
}

/// Whether nothing would be left of a name that the account has.
fn would_be_nameless(wants: &Wants, user: &User) -> bool {
    const NAMES: [Attribute; 2] = [Attribute::GivenName, Attribute::FamilyName];
    let is_left = |name: &Attribute| match wants.get(name) {
        Some((wanted, _)) => wanted.is_some(),
        None => user.get(*name).is_some(),
    };
    NAMES.iter().any(|name| wants.contains_key(name)) && !NAMES.iter().any(is_left)
}

impl Fenced {
    const fn topic(self) -> Topic {
        match self {
            Self::Protected => Topic::Protected,
            Self::Unmanaged => Topic::Unmanaged,
            Self::Bot => Topic::Bot,
        }
    }
}

fn changed_since(
    name: &str,
    attribute: Attribute,
    passage: &Passage<Option<Box<str>>>,
    user: &User,
) -> String {
    let shown =
        |value: Option<&str>| value.map_or_else(|| "nothing".to_owned(), |value| format!("{value:?}"));
    let run = passage.afters.last().and_then(|after| after.as_deref());
    format!(
        "{name}: {} was made {} by the run and is {} now, so somebody has changed it since; left alone",
        attribute.key(),
        shown(run),
        shown(user.get(attribute))
    )
}

pub(super) fn is_true(text: Option<&str>) -> bool {
    text == Some("true")
}

/// A text of the service as a roster would want it; never a person.
pub(super) fn wanted_value(attribute: Attribute, text: &str) -> Value<EntryIndex> {
    let as_text = || Value::Text(text.into());
    match attribute.row().kind {
        ValueKind::Flag => Value::Flag(is_true(Some(text))),
        // A midnight of the writer's own zone is a calendar day: sent as such, it comes back as the same day whatever
        // zone the service answers in.
        ValueKind::StartDate => time::parse_instant(text).map_or_else(as_text, |written| {
            let local = written.offset.to_datetime(written.timestamp);
            if local.time() == jiff::civil::Time::midnight() {
                Value::Day(local.date())
            } else {
                Value::Instant(written.timestamp)
            }
        }),
        ValueKind::Expiry => {
            time::parse_instant(text).map_or_else(as_text, |written| Value::Instant(written.timestamp))
        }
        _ => as_text(),
    }
}
