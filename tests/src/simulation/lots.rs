//! Small companies drawn by lot: a workspace as it is, a roster as it is to be, and how the service behaves.

mod attributes;
mod groups;
mod text;

use super::others::Reach;
use fastrand::Rng;
use slack_sim::{
    Deactivated, DisplayName, Permission, Plan, Rank, RankRule, Seed, SeedUser, StartDateForm, Switches,
};
use std::collections::BTreeSet;
use text::{groups_text, users_text};

const NAMES: [&str; 26] = [
    "ada", "bea", "cy", "dan", "eve", "fay", "gus", "hal", "ida", "jo", "kay", "lee", "max", "ned", "ola",
    "pia", "quin", "ray", "sue", "tom", "una", "val", "wes", "xen", "yul", "zoe",
];

/// A company drawn by lot.
#[derive(Debug, Clone)]
pub struct Lot {
    /// The workspace as it is.
    pub seed: Seed,
    /// The roster, as text.
    pub roster: String,
    /// The roster after a further change, where there is one: more people leave, and more members.
    pub later: Option<String>,
    /// How the service behaves.
    pub switches: Switches,
    /// Ids of accounts and groups that must not change in any way: protected people and groups, bots, and what
    /// nobody manages.
    pub protected: BTreeSet<String>,
    /// Whether the roster asks for something that the service does not do under these switches, so that some changes
    /// are bound to be refused.
    pub asks_too_much: bool,
    /// What other people may touch.
    pub reach: Reach,
}

/// A person while the company is being drawn.
#[derive(Debug, Clone, Default)]
struct Person {
    live: Option<SeedUser>,
    entry: Option<Entry>,
    protected: bool,
    /// Whether nothing more is to be made of the names.
    settled: bool,
}

#[derive(Debug, Clone, Default)]
struct Entry {
    user_name: String,
    email: String,
    id: Option<String>,
    unmanaged: bool,
    inactive: bool,
    settings: Vec<(&'static str, String)>,
    manager: bool,
}

/// A group of the roster.
#[derive(Debug, Clone)]
struct ListedGroup {
    /// What it says besides its members.
    head: String,
    members: Option<Vec<String>>,
}

#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
/// What the service does under the switches that were drawn; `true` where it does all that the documents say.
struct Able {
    guests: bool,
    guests_in_groups: bool,
    inactive_names: bool,
    display_names: bool,
    start_dates: bool,
    admins: bool,
}

/// Draws a company.
pub fn draw(seed: u64) -> Lot {
    Draw::new(seed).company()
}

struct Draw {
    rng: Rng,
    switches: Switches,
    able: Able,
    /// Whether what the service cannot do is asked of it all the same.
    bold: bool,
    asks_too_much: bool,
    enforce_display_names: bool,
    people: Vec<Person>,
}

impl Draw {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut switches = Switches::random(&mut rng);
        // Small workspaces fit on one page; a service with small pages shows how lists shift while they are read.
        if rng.u8(..3) == 0 {
            switches.page_cap = rng.usize(2..9);
        }
        if rng.u8(..8) == 0 {
            switches.members_per_page = rng.usize(1..4);
        }
        let able = Able {
            guests: switches.plan == Plan::Enterprise,
            guests_in_groups: switches.guests_in_groups == Permission::Allowed,
            inactive_names: switches.patch_deactivated == Deactivated::Accepted,
            display_names: switches.display_name == DisplayName::Open,
            start_dates: switches.patch_start_date != StartDateForm::Refused,
            admins: switches.token_rank != Rank::Admin || switches.rank_rule == RankRule::SameOrLower,
        };
        let bold = rng.u8(..10) == 0;
        Self {
            rng,
            switches,
            able,
            bold,
            asks_too_much: false,
            enforce_display_names: false,
            people: Vec::new(),
        }
    }

    fn chance(&mut self, percent: u8) -> bool {
        self.rng.u8(..100) < percent
    }

    /// Whether something may be asked for that the service is able, or not able, to do.
    fn may(&mut self, able: bool) -> bool {
        if !able && self.bold {
            self.asks_too_much = true;
        }
        able || self.bold
    }

    fn company(mut self) -> Lot {
        let size = self.rng.usize(5..=25);
        if self.chance(20) {
            let able = self.able.display_names;
            self.enforce_display_names = self.may(able);
        }
        for at in 0..size {
            let person = self.person(at);
            self.people.push(person);
        }
        self.hand_names_on();
        self.managers();
        let bots = self.rng.usize(..3);
        for at in 0..bots {
            let bot = SeedUser {
                id: Some(format!("U0BOT{at}")),
                user_name: format!("bot{at}"),
                email: format!("botuser-T0-A{at}@slack-bots.com"),
                kind: slack_sim::Kind::Bot,
                ..SeedUser::default()
            };
            self.people.push(Person { live: Some(bot), protected: true, ..Person::default() });
        }
        if !self.people.iter().any(|person| person.entry.as_ref().is_some_and(|entry| !entry.inactive)) {
            let live = self.account(25);
            let entry = Entry { user_name: "zoe".into(), email: "zoe@w.example".into(), ..Entry::default() };
            self.people.push(Person {
                live: Some(live),
                entry: Some(entry),
                protected: false,
                settled: true,
            });
        }
        self.write()
    }

    fn person(&mut self, at: usize) -> Person {
        let name = NAMES[at].to_owned();
        let email = format!("{name}@w.example");
        let mut live = self.account(at);
        let mut entry = Entry { user_name: name.clone(), email: email.clone(), ..Entry::default() };
        let id = live.id.clone();
        let mut person = Person { settled: true, ..Person::default() };
        match self.rng.u32(..100) {
            // As they are, or with other attributes.
            0..45 => {
                entry.settings = self.settings(Some(&live), at);
                person.settled = false;
            }
            45..53 => {
                entry.user_name = format!("{name}.new");
                entry.settings = self.settings(Some(&live), at);
            }
            53..58 => {
                entry.email = format!("{name}.new@w.example");
                entry.settings = self.settings(Some(&live), at);
            }
            58..66 => {
                entry.inactive = true;
            }
            66..69 => {
                entry.inactive = true;
                live.active = Some(false);
            }
            // Who comes back.
            69..75 => {
                live.active = Some(false);
                entry.settings = self.settings(Some(&live), at);
                if self.chance(30) {
                    entry.id = id;
                    entry.user_name = format!("{name}.back");
                }
            }
            75..83 => {
                entry.settings = self.settings(None, at);
                return Person { live: None, entry: Some(entry), ..person };
            }
            83..85 => {
                entry.inactive = true;
                return Person { live: None, entry: Some(entry), ..person };
            }
            // Whom nobody lists.
            85..91 => {
                if self.chance(25) {
                    live.active = Some(false);
                }
                return Person { live: Some(live), entry: None, ..person };
            }
            91..94 => {
                entry.unmanaged = true;
                if self.chance(30) {
                    entry.id = id;
                }
            }
            // Who is protected, listed as they are or not at all.
            94..97 => {
                live.kind = [slack_sim::Kind::Member, slack_sim::Kind::PrimaryOwner][usize::from(at == 0)];
                person.protected = true;
                if self.chance(50) {
                    return Person { live: Some(live), entry: None, ..person };
                }
            }
            97..99 => {
                let able = self.able.admins;
                if self.may(able) {
                    live.kind = slack_sim::Kind::Admin;
                    live.guest = None;
                    entry.settings = self.settings(Some(&live), at);
                    entry.settings.retain(|(key, _)| *key != "guest");
                }
            }
            _ => {
                live.kind = slack_sim::Kind::Gdpr;
                live.active = Some(false);
                person.protected = true;
                return Person { live: Some(live), entry: None, ..person };
            }
        }
        Person { live: Some(live), entry: Some(entry), ..person }
    }

    /// Swaps and circles of userNames and addresses, and names that pass from one person to another.
    fn hand_names_on(&mut self) {
        let plain: Vec<usize> = (0..self.people.len()).filter(|at| !self.people[*at].settled).collect();
        let mut free = plain.into_iter();
        if self.chance(35) {
            let length = self.rng.usize(2..=3);
            let circle: Vec<usize> = free.by_ref().take(length).collect();
            if circle.len() == length {
                let emails = self.chance(40);
                let values: Vec<String> = circle.iter().map(|at| NAMES[*at].to_owned()).collect();
                // Sometimes the circle is open: the last one takes a name that nobody has.
                let open = self.chance(30);
                for (position, at) in circle.iter().enumerate() {
                    let next = values[(position + 1) % length].clone();
                    let last = open && position + 1 == length;
                    let next = if last { format!("{next}.free") } else { next };
                    if let Some(entry) = &mut self.people[*at].entry {
                        if emails {
                            entry.id = Some(format!("U0{}", NAMES[*at].to_uppercase()));
                            entry.email = format!("{next}@w.example");
                        } else {
                            entry.user_name = next;
                        }
                    }
                }
            }
        }
        // Somebody new takes the name or the address of a colleague who is renamed or has left.
        if self.chance(30) && self.people.len() < NAMES.len() {
            let Some(holder) = free.next() else { return };
            let able = self.able.inactive_names;
            let gone = self.chance(50) && self.may(able);
            let name = NAMES[holder];
            let person = &mut self.people[holder];
            let (Some(live), Some(entry)) = (&mut person.live, &mut person.entry) else { return };
            entry.id.clone_from(&live.id);
            entry.user_name = format!("old.{name}");
            entry.email = format!("old.{name}@w.example");
            if gone {
                live.active = Some(false);
                entry.inactive = true;
                entry.settings.clear();
            }
            let joiner = Entry {
                user_name: name.to_owned(),
                email: format!("{name}@w.example"),
                settings: vec![("title", "Successor".to_owned())],
                ..Entry::default()
            };
            self.people.push(Person { entry: Some(joiner), settled: true, ..Person::default() });
        }
    }

    fn managers(&mut self) {
        let live: Vec<String> =
            self.people.iter().filter_map(|person| Some(person.live.as_ref()?.user_name.clone())).collect();
        let listed: Vec<String> = self
            .people
            .iter()
            .filter_map(|person| person.entry.as_ref())
            .filter(|entry| !entry.inactive)
            .map(|entry| entry.user_name.clone())
            .collect();
        for at in 0..self.people.len() {
            if self.chance(25)
                && let Some(manager) = self.rng.choice(&live).cloned()
                && let Some(user) = &mut self.people[at].live
            {
                user.manager = Some(manager);
            }
            let manager = self.rng.choice(&listed).cloned();
            let says = self.rng.u8(..100);
            let protected = self.people[at].protected;
            let Some(entry) = &mut self.people[at].entry else { continue };
            if entry.unmanaged || entry.inactive || protected {
                continue;
            }
            if says < 20
                && let Some(manager) = manager.filter(|manager| *manager != entry.user_name)
            {
                entry.settings.push(("manager", manager));
                entry.manager = true;
            } else if says < 24 {
                entry.settings.push(("manager", "null".to_owned()));
            }
        }
    }

    fn write(mut self) -> Lot {
        let mut seed = Seed { org: Some("w".to_owned()), ..Seed::default() };
        let mut protected: BTreeSet<String> = BTreeSet::new();
        let mut patterns = Vec::new();
        let mut text = String::from("version: 1\n");
        if self.chance(50) {
            text.push_str("workspace: w\n");
        }
        for person in &self.people {
            let Some(live) = &person.live else { continue };
            seed.users.push(live.clone());
            let id = live.id.clone().unwrap_or_default();
            let unmanaged = person.entry.as_ref().is_some_and(|entry| entry.unmanaged);
            if person.protected || unmanaged {
                protected.insert(id.clone());
            }
            if person.protected && live.kind != slack_sim::Kind::Bot {
                patterns.push(match patterns.len() % 3 {
                    0 => live.user_name.clone(),
                    1 => live.email.clone(),
                    _ => id,
                });
            }
        }
        let mut reach = Reach::default();
        for person in &self.people {
            let id = person.live.as_ref().and_then(|live| live.id.clone());
            let is_bot = person.live.as_ref().is_some_and(|live| live.kind == slack_sim::Kind::Bot);
            if let Some(id) = id.filter(|_| !is_bot) {
                reach.members.push(id.clone());
                if !(person.protected && person.entry.is_some()) {
                    reach.people.push(id);
                }
            } else if let Some(entry) = person.entry.as_ref().filter(|entry| !entry.inactive) {
                // Whom somebody else has made cannot be given later what can only be given at creation.
                let in_time =
                    self.able.start_dates || entry.settings.iter().all(|(key, _)| *key != "startDate");
                if !in_time {
                    continue;
                }
                reach.joiners.push((entry.user_name.clone(), entry.email.clone()));
            }
        }
        let (groups, protected_groups) = self.groups(&mut seed, &mut protected, &mut reach);
        let policy = self.policy(&patterns, &protected_groups);
        text.push_str(&policy);
        let roster = format!("{text}{}{}", users_text(&self.people), groups_text(groups.as_deref()));
        let later = self.chance(35).then(|| {
            let (people, groups) = self.later(groups);
            format!("{text}{}{}", users_text(&people), groups_text(groups.as_deref()))
        });
        Lot {
            seed,
            roster,
            later,
            switches: self.switches,
            protected,
            asks_too_much: self.asks_too_much,
            reach,
        }
    }
}
