//! From names to people: managers and members.

use super::codes;
use super::findings::{Findings, closest, quote};
use super::groups;
use super::names::{NameId, Names};
use super::people;
use crate::attribute::{Attribute, Value};
use crate::diagnostic::Diagnostic;
use crate::names::{UserName, fold, folded};
use crate::place::{Located, Place};
use crate::roster::{EntryIndex, GroupEntry, Member, Members, Setting, UserEntry, Wish};
use std::collections::{BTreeSet, HashMap};

/// How many unknown names are compared with the whole roster to find what was meant. Each comparison takes time in
/// proportion to the roster, and who has misspelt more names than this has another problem.
const MAX_SUGGESTIONS: usize = 50;

/// How many of the places that name an unknown person are shown besides the first.
const MAX_RELATED: usize = 3;

/// How many people of a circle of managers a message names.
const MAX_CIRCLE_NAMES: usize = 8;

/// Whom every name means.
pub(super) struct Resolver<'g> {
    names: &'g Names,
    meanings: Vec<Meaning>,
    unknown: Unknown,
    lost_names: &'g BTreeSet<String>,
}

/// For each of the [`Names`], the person of whom it is the userName.
pub(super) struct ByName(Vec<Option<EntryIndex>>);

impl ByName {
    /// Of so many names, and nobody yet.
    pub(super) fn new(names: &Names) -> Self {
        Self(vec![None; names.ids().len()])
    }

    pub(super) fn get(&self, name: NameId) -> Option<EntryIndex> {
        self.0.get(name.get()).copied().flatten()
    }

    /// Gives the name to a person, unless somebody has it, who is returned.
    pub(super) fn claim(&mut self, name: NameId, person: EntryIndex) -> Option<EntryIndex> {
        let holder = self.0.get_mut(name.get())?;
        let before = *holder;
        holder.get_or_insert(person);
        before
    }
}

/// What a name means.
#[derive(Clone, Copy)]
enum Meaning {
    Person(EntryIndex),
    /// Nobody, because that person's entry could not be understood.
    Lost,
    /// Nobody; the place in the list of unknown names.
    Unknown(usize),
}

/// The names that mean nobody, each with the places that use it.
#[derive(Default)]
struct Unknown(Vec<(NameId, Place, Vec<Place>, usize)>);

impl Unknown {
    fn note(&mut self, at: usize, place: Place) {
        if let Some((_, first, others, count)) = self.0.get_mut(at) {
            *count += 1;
            if *count == 1 {
                *first = place;
            } else if others.len() < MAX_RELATED {
                others.push(place);
            }
        }
    }

    /// One finding for each of the names, however often it is used.
    fn report(
        self,
        names: &Names,
        lost_names: &BTreeSet<String>,
        users: &[UserEntry],
        findings: &mut Findings,
    ) {
        let mut by_email = None;
        let mut suggestions = 0;
        for (name, place, others, count) in self.0.into_iter().filter(|(.., count)| *count > 0) {
            let text = names.text(name);
            let help = if text.contains('@') {
                let by_email = by_email.get_or_insert_with(|| emails(users));
                match by_email.get(&fold(text)) {
                    Some(user_name) => {
                        format!("people are referred to by userName: write {}", quote(user_name))
                    }
                    None => "people are referred to by userName, and nobody in the roster has this address"
                        .to_owned(),
                }
            } else {
                suggestions += 1;
                let meant = if suggestions > MAX_SUGGESTIONS {
                    None
                } else {
                    closest(text, known_names(users, lost_names))
                };
                match meant {
                    Some(meant) => format!("did you mean {}?", quote(meant)),
                    None => {
                        "list the person under `users`, with `managed: false` if rosterctl is not to write it"
                            .to_owned()
                    }
                }
            };
            let mut finding = Diagnostic::error(
                codes::UNKNOWN_PERSON,
                place,
                format!("{} is not in the roster", quote(text)),
            )
            .help(help);
            let shown = others.len() + 1;
            for other in others {
                finding = finding.related(other, "and here");
            }
            if count > shown {
                finding = finding.label(format!("and in {} more places", count - 1));
            }
            findings.report(finding);
        }
    }
}

/// The userNames that may have been meant: those of the roster, then those of entries that have another mistake.
/// Of the latter, a name that is itself not allowed would be bad advice.
fn known_names<'n>(
    users: &'n [UserEntry],
    lost_names: &'n BTreeSet<String>,
) -> impl Iterator<Item = &'n str> {
    let lost = lost_names.iter().filter(|name| UserName::parse(name).is_ok());
    users.iter().map(|user| user.user_name.value.as_str()).chain(lost.map(String::as_str))
}

impl<'g> Resolver<'g> {
    /// Finds out whom the names mean.
    pub(super) fn new(names: &'g Names, by_name: &ByName, lost_names: &'g BTreeSet<String>) -> Self {
        let mut unknown = Unknown::default();
        let mut by_fold: HashMap<String, usize> = HashMap::new();
        let mut meaning = |name: NameId| {
            if let Some(person) = by_name.get(name) {
                return Meaning::Person(person);
            }
            let text = names.text(name);
            let folded = folded(text);
            let other = if *folded == *text { None } else { names.find(&folded) };
            match other.and_then(|other| by_name.get(other)) {
                Some(person) => Meaning::Person(person),
                None if lost_names.contains(&*folded) => Meaning::Lost,
                None => Meaning::Unknown(*by_fold.entry(folded.into_owned()).or_insert_with(|| {
                    unknown.0.push((name, Place::default(), Vec::new(), 0));
                    unknown.0.len() - 1
                })),
            }
        };
        let meanings = names.ids().map(&mut meaning).collect();
        Self { names, meanings, unknown, lost_names }
    }

    /// Puts people in the place of names. Names that mean nobody are reported, unless the roster `is_incomplete`.
    pub(super) fn resolve(
        self,
        mut users: Vec<people::Draft>,
        groups: Option<Vec<groups::Draft>>,
        is_incomplete: bool,
        findings: &mut Findings,
    ) -> (Vec<UserEntry>, Option<Vec<GroupEntry>>) {
        let Self { names, meanings, mut unknown, lost_names } = self;
        let meaning = |id: NameId| meanings.get(id.get()).copied().unwrap_or(Meaning::Lost);

        for (at, draft) in users.iter_mut().enumerate() {
            let Some(manager) = draft.manager else { continue };
            match meaning(manager.value) {
                Meaning::Person(person) if person.get() == at => {
                    self_manager(&draft.entry, manager, findings);
                }
                Meaning::Person(person) => set_manager(&mut draft.entry, person, manager.place),
                Meaning::Lost => {}
                Meaning::Unknown(name) => unknown.note(name, manager.place),
            }
        }
        let users: Vec<UserEntry> = users.into_iter().map(|draft| draft.entry).collect();
        circular_managers(&users, findings);

        let mut book = MemberBook {
            users: &users,
            meanings: &meanings,
            is_active: users.iter().map(|user| user.active.value).collect(),
            last_group: vec![u32::MAX; users.len()],
        };
        let groups = groups.map(|groups| {
            (0..)
                .zip(groups)
                .map(|(number, draft)| book.enter(number, draft, &mut unknown, findings))
                .collect()
        });
        if !is_incomplete {
            unknown.report(names, lost_names, &users, findings);
        }
        (users, groups)
    }
}

/// Who is in which group.
struct MemberBook<'g> {
    users: &'g [UserEntry],
    meanings: &'g [Meaning],
    /// For each person, whether they are active; beside the entries, which are too large to be visited in any order for
    /// each of a million memberships.
    is_active: Vec<bool>,
    /// For each person, the number of the last group in which they were seen.
    last_group: Vec<u32>,
}

impl MemberBook<'_> {
    /// The group with people in the place of names.
    fn enter(
        &mut self,
        number: u32,
        draft: groups::Draft,
        unknown: &mut Unknown,
        findings: &mut Findings,
    ) -> GroupEntry {
        let mut entry = draft.entry;
        let Some(named) = draft.members else { return entry };
        let mut list = Vec::with_capacity(named.value.len());
        for (name, place) in named.value {
            let person = match self.meanings.get(name.get()) {
                Some(Meaning::Person(person)) => *person,
                Some(Meaning::Unknown(name)) => {
                    unknown.note(*name, place);
                    continue;
                }
                Some(Meaning::Lost) | None => continue,
            };
            let at = person.get();
            let (Some(is_active), Some(group)) = (self.is_active.get(at), self.last_group.get_mut(at)) else {
                continue;
            };
            let is_twice = *group == number;
            *group = number;
            if let (true, Some(user)) = (is_twice || !is_active, self.users.get(at)) {
                if is_twice {
                    listed_twice(user, place, &entry, findings);
                    continue;
                }
                inactive_member(user, place, findings);
            }
            list.push(Member { user: person, line: place.line });
        }
        entry.members = Some(Members { list, place: named.place });
        entry
    }
}

fn emails(users: &[UserEntry]) -> HashMap<String, &str> {
    users.iter().map(|user| (fold(&user.email.value), user.user_name.value.as_str())).collect()
}

fn set_manager(user: &mut UserEntry, manager: EntryIndex, place: Place) {
    let at = user.settings.partition_point(|setting| setting.attribute < Attribute::Manager);
    let wish = Wish::Set(Value::Person(manager));
    user.settings.insert(at, Setting { attribute: Attribute::Manager, wish, place });
}

fn self_manager(user: &UserEntry, manager: Located<NameId>, findings: &mut Findings) {
    findings.error(
        codes::SELF_MANAGER,
        manager.place,
        format!("{} cannot be the manager of themselves", quote(user.user_name.value.as_str())),
        "write `manager: null` for somebody without a manager",
    );
}

fn listed_twice(user: &UserEntry, place: Place, group: &GroupEntry, findings: &mut Findings) {
    let name = quote(user.user_name.value.as_str());
    findings.error(
        codes::LISTED_TWICE,
        place,
        format!("{name} is listed twice in {}", quote(&group.display_name.value)),
        "keep one of the two lines",
    );
}

fn inactive_member(user: &UserEntry, place: Place, findings: &mut Findings) {
    let name = quote(user.user_name.value.as_str());
    findings.report(
        Diagnostic::error(
            codes::INACTIVE_MEMBER,
            place,
            format!("{name} is deactivated and cannot be a member"),
        )
        .related(user.active.place, "deactivated here")
        .help("remove the person from the group; Slack refuses deactivated members"),
    );
}

/// Warns of managers who, through others, manage each other; once per circle, at its first person in the roster.
fn circular_managers(users: &[UserEntry], findings: &mut Findings) {
    let manager = |at: usize| match users.get(at)?.setting(Attribute::Manager) {
        Some(Setting { wish: Wish::Set(Value::Person(person)), .. }) => Some(person.get()),
        _ => None,
    };
    // The walk in which a person was first met; everybody is met once.
    let mut walk = vec![usize::MAX; users.len()];
    for start in 0..users.len() {
        let mut at = Some(start);
        while let Some(here) = at {
            match walk.get_mut(here) {
                Some(met) if *met == usize::MAX => *met = start,
                Some(met) if *met == start => {
                    report_circle(users, here, manager, findings);
                    break;
                }
                _ => break,
            }
            at = manager(here);
        }
    }
}

fn report_circle(
    users: &[UserEntry],
    on_it: usize,
    manager: impl Fn(usize) -> Option<usize>,
    findings: &mut Findings,
) {
    let mut circle = vec![on_it];
    let mut at = on_it;
    while let Some(next) = manager(at).filter(|next| *next != on_it) {
        circle.push(next);
        at = next;
    }
    // It reads the same wherever the walk came upon it.
    let first = circle.iter().enumerate().min_by_key(|(_, user)| **user).map_or(0, |(at, _)| at);
    circle.rotate_left(first);
    let name =
        |at: &usize| users.get(*at).map_or_else(String::new, |user| quote(user.user_name.value.as_str()));
    let mut names: Vec<String> = circle.iter().take(MAX_CIRCLE_NAMES).map(name).collect();
    if circle.len() > names.len() {
        names.push(format!("{} others", circle.len() - names.len()));
    }
    names.extend(circle.first().map(name));
    let place = circle.first().and_then(|at| users.get(*at)?.setting(Attribute::Manager)).map(|s| s.place);
    findings.report(
        Diagnostic::warning(
            codes::CIRCULAR_MANAGERS,
            place.unwrap_or_default(),
            format!("these people manage each other: {}", names.join(" → ")),
        )
        .help("Slack allows it; if it is not meant, correct one `manager`"),
    );
}
