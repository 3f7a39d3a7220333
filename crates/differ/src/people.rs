//! What is to become of every person of the roster, and which of their attributes differ.

use crate::live::{Live, Space};
use crate::matching;
use crate::notes::{self, Notes, Topic};
use crate::protect::{self, Protection};
use jiff::Timestamp;
use model::attribute::{self, Attribute, Value, Writable};
use model::directory::{AccountKind, User, UserIndex};
use model::in_parts;
use model::names::same_folded;
use model::plan::Verdict;
use model::policy::{AttributeMode, UnlistedUsers};
use model::roster::{EntryIndex, Setting, UserEntry, Wish};
use model::{Diagnostic, Dialect, Edit, Place, Roster, UserRef, time};
use std::collections::BTreeSet;
use std::ops::Range;

/// What is to become of a person of the roster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// An account is made.
    Create,
    /// The account is active and stays so.
    Update,
    /// The account is brought back.
    Reactivate,
    /// The account is deactivated.
    Leave,
    /// The account is deactivated and stays so.
    Inactive,
    /// The account is never written: unmanaged or protected.
    Fixed,
    /// There is no account, and none is made.
    Absent,
}

/// A person of the roster, planned.
pub(crate) struct Person {
    /// Their account.
    pub(crate) account: Option<UserIndex>,
    /// What becomes of it.
    pub(crate) fate: Fate,
    /// What changes. Of a [`Fate::Leave`] or [`Fate::Inactive`], the names and addresses that somebody else needs.
    pub(crate) edits: Vec<Edit>,
    /// Names and addresses that are only given up when somebody else needs them.
    pub(crate) reserve: Vec<Edit>,
}

/// Everything that people are planned from.
pub(crate) struct Scene<'a> {
    /// The desired state.
    pub(crate) roster: &'a Roster,
    /// The live state.
    pub(crate) live: &'a Live<'a>,
    /// Who is who.
    pub(crate) matched: &'a matching::People,
    /// Who is protected.
    pub(crate) protection: &'a Protection,
    /// The time at which guests count as expired.
    pub(crate) now: Timestamp,
}

/// The roster keys that somebody uses and the service does not know.
fn unknown_attributes(scene: &Scene) -> BTreeSet<&'static str> {
    let dialect = scene.live.directory.dialect;
    // At Slack that is none of them, and a million settings need not be asked.
    if Attribute::all().all(|attribute| attribute.exists_in(dialect)) {
        return BTreeSet::new();
    }
    let settings = scene.roster.users.iter().flat_map(|entry| &entry.settings);
    settings.map(|setting| setting.attribute).filter(|a| !a.exists_in(dialect)).map(Attribute::key).collect()
}

/// Plans every person of the roster.
pub(crate) fn plan(
    scene: &Scene,
    notes: &mut Notes,
    verdicts: &mut Vec<Verdict>,
    errors: &mut Vec<Diagnostic>,
) -> Vec<Person> {
    let mut people: Vec<Person> = (0..scene.roster.users.len())
        .map(|at| {
            let account = scene.matched.account(at);
            Person { account, fate: scene.fate(at, notes), edits: Vec::new(), reserve: Vec::new() }
        })
        .collect();
    for key in unknown_attributes(scene) {
        notes.name(Topic::NotInDialect, key);
    }
    let parts = in_parts(people.len(), |range| Part::plan(scene, &people, range));
    let mut planned = people.iter_mut();
    for Part { edits, notes: noted, verdicts: judged, errors: wrong } in parts {
        // The edits first: of the other order, the iterator that goes on would lose a person at the end of each part.
        for (edits, person) in edits.into_iter().zip(planned.by_ref()) {
            (person.edits, person.reserve) = edits;
        }
        notes.absorb(noted);
        verdicts.extend(judged);
        errors.extend(wrong);
    }
    people
}

/// Some people after one another in the roster, and what was noticed on the way.
struct Part {
    /// [`Person::edits`] and [`Person::reserve`] of each.
    edits: Vec<(Vec<Edit>, Vec<Edit>)>,
    notes: Notes,
    verdicts: Vec<Verdict>,
    errors: Vec<Diagnostic>,
}

impl Part {
    fn plan(scene: &Scene, people: &[Person], range: Range<usize>) -> Self {
        let mut part = Self {
            edits: Vec::with_capacity(range.len()),
            notes: notes::none(),
            verdicts: Vec::new(),
            errors: Vec::new(),
        };
        for at in range {
            let edits = part.edits(scene, people, at);
            part.edits.push(edits);
        }
        part
    }

    fn edits(&mut self, scene: &Scene, people: &[Person], at: usize) -> (Vec<Edit>, Vec<Edit>) {
        let Self { notes, verdicts, errors, edits: _ } = self;
        let entry = &scene.roster.users[at];
        let mut differ = Differ { scene, people, entry, notes, errors };
        let account = people[at].account.map(|account| scene.live.user(account));
        match (people[at].fate, account) {
            (Fate::Create, _) => (differ.creation(), Vec::new()),
            (Fate::Update, Some(user)) => (differ.differences(user), Vec::new()),
            (Fate::Reactivate, Some(user)) => {
                let mut edits = vec![differ.activity(user)];
                edits.extend(differ.differences(user));
                (edits, Vec::new())
            }
            (Fate::Leave | Fate::Inactive, Some(user)) => {
                let mut names = differ.differences(user);
                names.retain(|edit| Space::of(edit.attribute).is_some());
                (Vec::new(), names)
            }
            (Fate::Fixed | Fate::Absent, _) | (_, None) => {
                if entry.managed && scene.protection.entries[at] {
                    differ.contradictions(account, verdicts);
                }
                (Vec::new(), Vec::new())
            }
        }
    }
}

/// The accounts that are deactivated because the roster does not list them, by userName.
pub(crate) fn unlisted_leavers(scene: &Scene, notes: &mut Notes) -> Vec<UserIndex> {
    let live = scene.live;
    let deactivate = scene.roster.policy.unlisted.users == UnlistedUsers::Deactivate;
    let mut leavers = Vec::new();
    let mut kept = 0_usize;
    let mut protected = Vec::new();
    for (index, user) in live.directory.iter() {
        if scene.matched.claimants[index.get()].is_some() || !user.active || user.kind == AccountKind::Bot {
            continue;
        }
        match (deactivate, scene.protection.accounts[index.get()]) {
            (false, _) => kept += 1,
            (true, true) => protected.push(index),
            (true, false) => leavers.push(index),
        }
    }
    live.sort_by_name(&mut leavers);
    live.sort_by_name(&mut protected);
    for index in protected {
        notes.name(Topic::Protected, live.user(index).user_name());
    }
    if kept > 0 {
        let accounts =
            if kept == 1 { "1 active account".to_owned() } else { format!("{kept} active accounts") };
        notes.name(Topic::Unlisted, accounts);
    }
    leavers
}

impl Scene<'_> {
    fn fate(&self, at: usize, notes: &mut Notes) -> Fate {
        let entry = &self.roster.users[at];
        let account = self.matched.account(at).map(|account| self.live.user(account));
        let name = entry.user_name.value.as_str();
        if !entry.managed {
            notes.name(Topic::Unmanaged, name);
        }
        if !entry.managed || self.protection.entries[at] {
            return if account.is_some() { Fate::Fixed } else { Fate::Absent };
        }
        let enforced = self.roster.policy.attributes.get(Attribute::Active) == AttributeMode::Enforce;
        let wanted = entry.active.value;
        let expired = wanted && !account.is_some_and(|user| user.active) && self.has_expired(entry, account);
        if expired {
            notes.name(Topic::ExpiredGuest, name);
        }
        match account {
            None if !wanted => {
                notes.name(Topic::NoAccount, name);
                Fate::Absent
            }
            None if expired => Fate::Absent,
            None => Fate::Create,
            Some(user) if user.active && (wanted || !enforced) => Fate::Update,
            Some(user) if user.active => Fate::Leave,
            Some(_) if wanted && enforced && !expired => Fate::Reactivate,
            Some(_) => Fate::Inactive,
        }
    }

    /// Whether the person would be a guest whose time is over: Slack would only deactivate the account again.
    fn has_expired(&self, entry: &UserEntry, account: Option<&User>) -> bool {
        let modes = &self.roster.policy.attributes;
        let written = |attribute| match modes.get(attribute) {
            AttributeMode::Enforce => entry.setting(attribute),
            AttributeMode::OnCreate if account.is_none() => entry.setting(attribute),
            _ => None,
        };
        let guest = written(Attribute::Guest)
            .map_or_else(|| account.is_some_and(|user| user.guest), |setting| wants_guest(&setting.wish));
        let expires = match written(Attribute::GuestExpires).map(|setting| &setting.wish) {
            Some(Wish::Set(Value::Instant(at))) => Some(*at),
            Some(_) => None,
            None => account
                .and_then(|user| user.get(Attribute::GuestExpires))
                .and_then(time::parse_instant)
                .map(|written| written.timestamp),
        };
        guest && expires.is_some_and(|at| at < self.now)
    }
}

fn wants_guest(wish: &Wish) -> bool {
    matches!(wish, Wish::Set(Value::Flag(true)))
}

/// Whether two texts are the same name: letter case and surrounding blanks apart.
fn same_name(a: &str, b: Option<&str>) -> bool {
    b.is_some_and(|b| same_folded(a, b))
}

/// Finds what differs between one entry and its account.
struct Differ<'a, 'n> {
    scene: &'a Scene<'a>,
    people: &'a [Person],
    entry: &'a UserEntry,
    notes: &'n mut Notes,
    errors: &'n mut Vec<Diagnostic>,
}

impl Differ<'_, '_> {
    fn mode(&self, attribute: Attribute) -> AttributeMode {
        if attribute.exists_in(self.scene.live.directory.dialect) {
            self.scene.roster.policy.attributes.get(attribute)
        } else {
            AttributeMode::Ignore
        }
    }

    /// Everything a new account is to have.
    fn creation(&mut self) -> Vec<Edit> {
        let entry = self.entry;
        let edit = |attribute, after, origin| Edit {
            attribute,
            before: None,
            after: Some(after),
            selector: None,
            temporary: false,
            origin: Some(origin),
        };
        let mut edits = Vec::with_capacity(3 + entry.settings.len());
        // A service cannot make an account without these two, whatever the policy says of changing them.
        edits.extend([
            edit(Attribute::Active, Value::Flag(true), entry.active.place),
            edit(
                Attribute::UserName,
                Value::Text(entry.user_name.value.as_str().into()),
                entry.user_name.place,
            ),
            edit(Attribute::Email, Value::Text(entry.email.value.clone()), entry.email.place),
        ]);
        let mut guest = false;
        for setting in &entry.settings {
            let attribute = setting.attribute;
            let Wish::Set(value) = &setting.wish else { continue };
            let blank = match value {
                Value::Text(text) => text.trim().is_empty(),
                Value::Flag(flag) => !flag,
                _ => false,
            };
            let without_guest = attribute == Attribute::GuestExpires && !guest;
            if blank || without_guest || self.mode(attribute) == AttributeMode::Ignore {
                continue;
            }
            guest |= attribute == Attribute::Guest;
            if let Some(value) = self.reference(setting, value) {
                edits.push(edit(attribute, value, setting.place));
            }
        }
        edits
    }

    /// The change of `active` that the entry asks for.
    fn activity(&self, user: &User) -> Edit {
        edit(user, Attribute::Active, Some(Value::Flag(self.entry.active.value)), self.entry.active.place)
    }

    /// What is to change of an account besides `active`, in the order of [`Attribute`].
    fn differences(&mut self, user: &User) -> Vec<Edit> {
        let entry = self.entry;
        let mut edits = Vec::new();
        for (attribute, text, place) in [
            (Attribute::UserName, entry.user_name.value.as_str(), entry.user_name.place),
            (Attribute::Email, &*entry.email.value, entry.email.place),
        ] {
            let live = user.get(attribute).unwrap_or_default();
            let same = attribute::same_text(attribute, text, live, self.scene.live.directory.dialect);
            if self.mode(attribute) == AttributeMode::Enforce && !same {
                edits.push(edit(user, attribute, Some(Value::Text(text.into())), place));
            }
        }
        let mut guest = user.guest;
        for setting in &entry.settings {
            let attribute = setting.attribute;
            if self.mode(attribute) != AttributeMode::Enforce
                || attribute.row().writable == Writable::OnCreation
            {
                continue;
            }
            if attribute == Attribute::Guest {
                guest = wants_guest(&setting.wish);
                if guest != user.guest {
                    edits.push(edit(user, attribute, Some(Value::Flag(guest)), setting.place));
                }
                continue;
            }
            // An expiry makes a guest of whoever it is given to (sheet S11), so a full member must not get one.
            if attribute == Attribute::GuestExpires && !guest {
                continue;
            }
            edits.extend(self.difference(user, setting));
        }
        edits
    }

    fn difference(&mut self, user: &User, setting: &Setting) -> Option<Edit> {
        let attribute = setting.attribute;
        let live = user.get(attribute);
        let dialect = self.scene.live.directory.dialect;
        // Slack fills an unset displayName with the userName (sheet S6), so that is as clear as it gets.
        let filled = || {
            dialect == Dialect::Slack
                && attribute == Attribute::DisplayName
                && live.is_some_and(|live| same_name(live, user.get(Attribute::UserName)))
        };
        let is_clear = || filled() || attribute::is_clear(attribute, live, dialect);
        let after = match &setting.wish {
            Wish::Clear if is_clear() => return None,
            Wish::Clear => None,
            Wish::Set(Value::Text(text)) if text.trim().is_empty() && is_clear() => return None,
            Wish::Set(Value::Text(text)) if text.trim().is_empty() => None,
            Wish::Set(Value::Person(manager)) if self.is_manager(*manager, live) => return None,
            Wish::Set(value) if attribute::same(attribute, value, live, dialect) => return None,
            Wish::Set(value) => Some(self.reference(setting, value)?),
        };
        Some(edit(user, attribute, after, setting.place))
    }

    /// Whether the live value names this manager.
    fn is_manager(&self, manager: EntryIndex, live: Option<&str>) -> bool {
        let account = self.people.get(manager.get()).and_then(|person| person.account);
        let (Some(live), Some(account)) = (live, account) else { return false };
        self.scene.live.user(account).is_meant_by(live)
    }

    /// A wanted value with people named as requests name them; `None` when the person has no account to be named by.
    fn reference(&mut self, setting: &Setting, value: &Value<EntryIndex>) -> Option<Value<UserRef>> {
        Some(match value {
            Value::Text(text) => Value::Text(text.clone()),
            Value::Day(day) => Value::Day(*day),
            Value::Instant(instant) => Value::Instant(*instant),
            Value::Flag(flag) => Value::Flag(*flag),
            Value::Person(manager) => {
                let named = refer(self.scene, self.people, *manager);
                if named.is_none() {
                    self.without_account(*manager, setting);
                }
                Value::Person(named?)
            }
        })
    }

    fn without_account(&mut self, manager: EntryIndex, setting: &Setting) {
        let Some(entry) = self.scene.roster.user(manager) else { return };
        if entry.managed {
            let pair = format!("{} of {}", entry.user_name.value, self.entry.user_name.value);
            self.notes.name(Topic::NoManager, pair);
        } else {
            self.errors.push(no_account(entry).related(setting.place, "named as manager here"));
        }
    }

    /// Blocks when the entry itself contradicts what is live of a protected person; what comes from `defaults` does
    /// not count.
    fn contradictions(&mut self, account: Option<&User>, verdicts: &mut Vec<Verdict>) {
        let entry = self.entry;
        let name = entry.user_name.value.as_str();
        let wanted = match account {
            None if entry.active.value => {
                verdicts.push(protect::contradiction(name, "create the account"));
                return;
            }
            None => return,
            Some(user) if user.active == entry.active.value => self.differences(user),
            Some(user) => vec![self.activity(user)],
        };
        let protection = self.scene.protection;
        let is_own = |edit: &Edit| edit.origin.is_some_and(|place| protection.is_own(entry, place));
        let own: Vec<&str> =
            wanted.iter().filter(|edit| is_own(edit)).map(|edit| edit.attribute.key()).collect();
        if !own.is_empty() {
            verdicts.push(protect::contradiction(name, &format!("change {}", own.join(", "))));
        } else if !wanted.is_empty() {
            self.notes.name(Topic::Protected, name);
        }
    }
}

/// A change of a live account's attribute.
fn edit(user: &User, attribute: Attribute, after: Option<Value<UserRef>>, place: Place) -> Edit {
    let before = match attribute {
        Attribute::Active => Some(user.active.to_string().into()),
        Attribute::Guest => Some(user.guest.to_string().into()),
        _ => user.get(attribute).map(Into::into),
    };
    let selector = user.selector(attribute).map(Into::into);
    Edit { attribute, before, after, selector, temporary: false, origin: Some(place) }
}

/// How requests name a person of the roster; `None` when there is no account and none is made.
pub(crate) fn refer(scene: &Scene, people: &[Person], entry: EntryIndex) -> Option<UserRef> {
    let person = people.get(entry.get())?;
    match person.account {
        Some(account) => Some(UserRef::Existing(scene.live.user(account).id.clone())),
        None if person.fate == Fate::Create => {
            scene.roster.user(entry).map(|entry| UserRef::New(entry.user_name.value.clone()))
        }
        None => None,
    }
}

/// The error that a person who is never written is referred to and has no account.
pub(crate) fn no_account(entry: &UserEntry) -> Diagnostic {
    let message =
        format!("{} is `managed: false`, is referred to, and has no account", entry.user_name.value);
    Diagnostic::error("no-account", entry.place, message)
        .help("give the entry the `id` of the account, correct its e-mail, or let rosterctl create it")
}
