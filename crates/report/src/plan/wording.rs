//! The words for a change, its values and its people, the same in every format for people.

use super::Options;
use crate::harmless::{self, NAME_CHARS};
use crate::paint::Tone;
use crate::words::{change_numbers, count, number, pick, series};
use model::attribute::Value;
use model::change::Need;
use model::plan::Plan;
use model::{Action, Attribute, Change, ChangeKind, Edit, GroupRef, Place, Sources, UserRef, time};
use std::collections::HashMap;

/// Where text is shown, which decides how a name is made harmless.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Medium {
    /// A terminal or a log.
    Terminal,
    /// A unified diff, where a value is quoted only if it must be, as in a roster.
    Diff,
    /// A comment on a forge.
    Markdown,
}

impl Medium {
    /// A name.
    pub(crate) fn name(self, text: &str) -> String {
        match self {
            Self::Terminal | Self::Diff => harmless::name(text),
            Self::Markdown => harmless::markdown_code(text),
        }
    }

    /// A value of an attribute.
    pub(crate) fn value(self, text: &str) -> String {
        match self {
            Self::Terminal => harmless::quoted(text),
            Self::Diff => harmless::name(text),
            Self::Markdown => harmless::markdown_code(text),
        }
    }

    /// A sentence that may have names in it.
    pub(crate) fn sentence(self, text: &str) -> String {
        match self {
            Self::Terminal | Self::Diff => harmless::terminal(text),
            Self::Markdown => harmless::markdown(text),
        }
    }

    /// Numbers of changes. Outside a code span a forge would link them to its issues.
    pub(crate) fn numbers(self, numbers: &[usize]) -> String {
        self.folded_numbers(numbers, usize::MAX)
    }

    /// [`Medium::numbers`], at most so many runs of them.
    fn folded_numbers(self, numbers: &[usize], most: usize) -> String {
        let (shown, left_out) = change_numbers(numbers, most);
        let more = if left_out > 0 { format!(" and {} more", number(left_out)) } else { String::new() };
        match self {
            Self::Terminal | Self::Diff => shown + &more,
            Self::Markdown => format!("`{shown}`{more}"),
        }
    }
}

/// How many runs of numbers are shown of the changes that one waits for: a new group of hundreds waits for each of them
/// who joins the workspace, too.
const WAITS_SHOWN: usize = 20;

/// A plan as one reader sees it: its names resolved, its places found.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) sources: Option<&'a Sources>,
    pub(crate) names: &'a dyn Fn(&str) -> Option<String>,
    pub(crate) medium: Medium,
}

impl<'a> View<'a> {
    pub(crate) fn new(
        plan: &'a Plan,
        sources: Option<&'a Sources>,
        options: &Options<'a>,
        medium: Medium,
    ) -> Self {
        Self { plan, sources, names: options.names, medium }
    }

    /// `roster.yaml:18`.
    pub(crate) fn place(&self, place: Place) -> Option<String> {
        let source = self.sources?.get(place.source)?;
        let text = format!("{}:{}", source.path, place.line);
        Some(match self.medium {
            Medium::Terminal | Medium::Diff => harmless::terminal(&text),
            Medium::Markdown => harmless::markdown_code(&text),
        })
    }

    /// An account that exists.
    pub(crate) fn account(&self, id: &str) -> String {
        self.medium.name((self.names)(id).as_deref().unwrap_or(id))
    }

    /// Any account.
    pub(crate) fn person(&self, user: &UserRef) -> String {
        match user {
            UserRef::Existing(id) => self.account(id.as_str()),
            UserRef::New(name) => self.medium.name(name.as_str()),
        }
    }

    /// The value that an edit finds and the one it leaves.
    pub(crate) fn values(&self, edit: &Edit) -> (String, String) {
        let before = edit.before.as_deref().map(str::trim).filter(|text| !text.is_empty());
        if let (Some(before), Some(Value::Text(after))) = (before, &edit.after) {
            let (before, after) = self.telling_apart(before, after);
            return (before, after);
        }
        let before = before.map_or_else(|| "not set".to_owned(), |text| self.live_value(edit, text));
        (before, self.wanted_value(edit))
    }

    /// The value that an edit leaves.
    pub(crate) fn wanted_value(&self, edit: &Edit) -> String {
        match &edit.after {
            None => "cleared".to_owned(),
            Some(Value::Text(text)) => self.medium.value(text),
            Some(Value::Person(person)) => self.person(person),
            Some(Value::Day(day)) => day.to_string(),
            Some(Value::Flag(flag)) => self.flag(edit.attribute, *flag).to_owned(),
            Some(value @ Value::Instant(_)) => value.text(),
        }
    }

    fn live_value(&self, edit: &Edit, text: &str) -> String {
        match edit.attribute {
            Attribute::Manager => self.account(text),
            Attribute::Active | Attribute::Guest => self.flag(edit.attribute, text == "true").to_owned(),
            Attribute::StartDate => time::parse_instant(text)
                .map(|at| at.offset.to_datetime(at.timestamp).date())
                .filter(|day| matches!(&edit.after, Some(Value::Day(wanted)) if wanted != day))
                .map_or_else(|| self.medium.value(text), |day| day.to_string()),
            Attribute::GuestExpires => time::parse_instant(text)
                .map_or_else(|| self.medium.value(text), |at| time::instant_text(at.timestamp)),
            _ => self.medium.value(text),
        }
    }

    fn flag(&self, attribute: Attribute, flag: bool) -> &'static str {
        match (attribute, flag, self.medium) {
            (Attribute::Guest, true, Medium::Diff) => "{}",
            (Attribute::Guest, false, Medium::Diff) => "null",
            (Attribute::Guest, true, _) => "guest",
            (Attribute::Guest, false, _) => "full member",
            (_, true, _) => "true",
            (_, false, _) => "false",
        }
    }

    /// Two texts. Long ones begin shortly before the first character in which they differ, since both would be cut.
    fn telling_apart(&self, before: &str, after: &str) -> (String, String) {
        let long = |text: &str| text.chars().nth(NAME_CHARS).is_some();
        let same = before.chars().zip(after.chars()).take_while(|(a, b)| a == b).count();
        if !(long(before) || long(after)) || same < NAME_CHARS / 2 {
            return (self.medium.value(before), self.medium.value(after));
        }
        let tail = |text: &str| {
            let from = text.char_indices().nth(same - NAME_CHARS / 5).map_or(0, |(at, _)| at);
            format!("...{}", self.medium.value(text.get(from..).unwrap_or_default()))
        };
        (tail(before), tail(after))
    }

    /// What a change waits for, and what becomes of it if that fails; `None` when it waits for nothing.
    pub(crate) fn waits(&self, change: &Change, full: bool) -> Option<String> {
        let most = if full { usize::MAX } else { WAITS_SHOWN };
        let shown = |numbers: &[usize]| self.medium.folded_numbers(numbers, most);
        if change.waits_for.is_empty() {
            return None;
        }
        let numbers = |only: Option<Need>| {
            let mut list: Vec<usize> = change
                .waits_for
                .iter()
                .filter(|d| only.is_none_or(|need| d.need == need))
                .map(|d| d.on.get() + 1)
                .collect();
            list.sort_unstable();
            list.dedup();
            list
        };
        let (all, needed) = (numbers(None), numbers(Some(Need::Success)));
        let failure = match (needed.len(), needed.len() == all.len()) {
            (0, _) => String::new(),
            (1, true) => " and is skipped if that fails".to_owned(),
            (_, true) => " and is skipped if one of them fails".to_owned(),
            (n, false) => {
                let one = if n == 1 { "" } else { "one of " };
                format!(" and is skipped if {one}{} fails", shown(&needed))
            }
        };
        Some(format!("waits for {}{failure}", shown(&all)))
    }
}

/// Whether an edit makes the account a guest.
pub(crate) fn makes_guest(edit: &Edit) -> bool {
    edit.attribute == Attribute::Guest && matches!(edit.after, Some(Value::Flag(true)))
}

/// The mark in front of a change, and its tone.
pub(crate) const fn mark(kind: ChangeKind) -> (&'static str, Tone) {
    match kind {
        ChangeKind::CreateUser | ChangeKind::CreateGroup => ("+", Tone::Gain),
        ChangeKind::ReactivateUser => ("^", Tone::Gain),
        ChangeKind::UpdateUser | ChangeKind::UpdateGroup => ("~", Tone::Change),
        ChangeKind::DeactivateUser | ChangeKind::DeleteGroup => ("-", Tone::Loss),
    }
}

/// `user` or `group`.
pub(crate) const fn noun(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::CreateUser
        | ChangeKind::ReactivateUser
        | ChangeKind::UpdateUser
        | ChangeKind::DeactivateUser => "user",
        ChangeKind::CreateGroup | ChangeKind::UpdateGroup | ChangeKind::DeleteGroup => "group",
    }
}

/// What the person or group does, as the rest of a sentence.
pub(crate) fn verb(change: &Change) -> &'static str {
    match (change.kind(), &change.action) {
        (ChangeKind::CreateUser, Action::CreateUser { edits, .. }) if edits.iter().any(makes_guest) => {
            "joins as a guest"
        }
        (ChangeKind::CreateUser, _) => "joins",
        (ChangeKind::ReactivateUser, _) => "comes back",
        (ChangeKind::UpdateUser | ChangeKind::UpdateGroup, _) => "changes",
        (ChangeKind::DeactivateUser, _) => "leaves",
        (ChangeKind::CreateGroup, _) => "is new",
        (ChangeKind::DeleteGroup, _) => "is deleted for good",
    }
}

/// What is left out of a long list of one kind: `1,204 more people join`.
pub(crate) fn more(kind: ChangeKind, n: usize) -> String {
    let (one, many, verb_one, verb_many) = match kind {
        ChangeKind::CreateUser => ("person", "people", "joins", "join"),
        ChangeKind::ReactivateUser => ("person", "people", "comes back", "come back"),
        ChangeKind::UpdateUser => ("change of people", "changes of people", "follows", "follow"),
        ChangeKind::DeactivateUser => ("person", "people", "leaves", "leave"),
        ChangeKind::CreateGroup => ("new group", "new groups", "follows", "follow"),
        ChangeKind::UpdateGroup => ("change of groups", "changes of groups", "follows", "follow"),
        ChangeKind::DeleteGroup => ("group", "groups", "is deleted", "are deleted"),
    };
    format!("{} more {} {}", number(n), pick(n, one, many), pick(n, verb_one, verb_many))
}

/// The id of the account or group, where it exists.
pub(crate) fn existing_id(change: &Change) -> Option<&str> {
    match &change.action {
        Action::UpdateUser { id: UserRef::Existing(id), .. } => Some(id.as_str()),
        Action::UpdateGroup { id: GroupRef::Existing(id), .. } | Action::DeleteGroup { id, .. } => {
            Some(id.as_str())
        }
        Action::CreateUser { .. }
        | Action::UpdateUser { id: UserRef::New(_), .. }
        | Action::CreateGroup { .. }
        | Action::UpdateGroup { id: GroupRef::New(_), .. } => None,
    }
}

/// Whether an edit goes without saying, because the verb says it.
pub(crate) fn is_implied(change: &Change, edit: &Edit) -> bool {
    match change.kind() {
        ChangeKind::CreateUser => match (edit.attribute, &edit.after) {
            (Attribute::Active | Attribute::Guest, Some(Value::Flag(true))) => true,
            (Attribute::UserName, Some(Value::Text(text))) => **text == *change.name,
            _ => false,
        },
        ChangeKind::ReactivateUser | ChangeKind::DeactivateUser => edit.attribute == Attribute::Active,
        _ => false,
    }
}

/// What a temporary value is for: who takes the name it frees, and when the roster's value follows.
pub(crate) struct Temporaries<'a> {
    takers: HashMap<(&'static str, &'a str), usize>,
    last: HashMap<(&'static str, &'a str), usize>,
}

/// How a group's name is called among the attributes of people.
const GROUP_NAME: &str = "name";

impl<'a> Temporaries<'a> {
    /// Looks through a plan; costs nothing to speak of when it has no temporary value.
    pub(crate) fn of(plan: &'a Plan) -> Self {
        let mut found = Self { takers: HashMap::new(), last: HashMap::new() };
        let changes = &plan.changeset.changes;
        let is_temporary = |change: &Change| match &change.action {
            Action::UpdateUser { edits, .. } => edits.iter().any(|edit| edit.temporary),
            Action::UpdateGroup { rename, .. } => rename.as_ref().is_some_and(|rename| rename.temporary),
            _ => false,
        };
        if !changes.iter().any(is_temporary) {
            return found;
        }
        for (index, change) in changes.iter().enumerate() {
            match &change.action {
                Action::CreateUser { edits, .. } | Action::UpdateUser { edits, .. } => {
                    for edit in edits.iter().filter(|edit| !edit.temporary) {
                        if let Some(Value::Text(text)) = &edit.after {
                            found.takers.insert((edit.attribute.key(), text), index + 1);
                        }
                        if let Action::UpdateUser { id: UserRef::Existing(id), .. } = &change.action {
                            found.last.insert((edit.attribute.key(), id.as_str()), index + 1);
                        }
                    }
                }
                Action::CreateGroup { display_name, .. } => {
                    found.takers.insert((GROUP_NAME, display_name), index + 1);
                }
                Action::UpdateGroup { id, rename: Some(rename), .. } if !rename.temporary => {
                    found.takers.insert((GROUP_NAME, &rename.after), index + 1);
                    if let GroupRef::Existing(id) = id {
                        found.last.insert((GROUP_NAME, id.as_str()), index + 1);
                    }
                }
                Action::UpdateGroup { .. } | Action::DeleteGroup { .. } => {}
            }
        }
        found
    }

    /// Why an account's edit is only for a while.
    pub(crate) fn of_edit(&self, change: &Change, edit: &Edit, medium: Medium) -> Option<String> {
        edit.temporary.then(|| self.reason(change, edit.attribute.key(), edit.before.as_deref(), medium))
    }

    /// Why a group's name is only for a while.
    pub(crate) fn of_rename(&self, change: &Change, before: &str, medium: Medium) -> String {
        self.reason(change, GROUP_NAME, Some(before), medium)
    }

    /// `temporary: frees "mia" for #10; the roster's userName follows in #11`.
    fn reason(&self, change: &Change, what: &'static str, before: Option<&str>, medium: Medium) -> String {
        let taker = before.and_then(|text| self.takers.get(&(what, text)));
        let freed = before.map_or_else(|| "the old one".to_owned(), |text| medium.value(text));
        let for_whom = taker.map_or_else(String::new, |n| format!(" for {}", medium.numbers(&[*n])));
        let last = existing_id(change).and_then(|id| self.last.get(&(what, id)));
        let then = last.map_or_else(String::new, |n| {
            format!("; the roster's {what} follows in {}", medium.numbers(&[*n]))
        });
        format!("temporary: frees {freed}{for_whom}{then}")
    }
}

/// How long a plan takes: `12 requests, about 4 s under Slack's limits`.
pub(crate) fn estimate(plan: &Plan) -> String {
    let requests = count(plan.estimate.writes, "request", "requests");
    match plan.estimate.seconds {
        None => requests,
        Some(0 | 1) => format!("{requests}, about a second under Slack's limits"),
        Some(seconds) => {
            format!("{requests}, about {} under Slack's limits", crate::words::duration(seconds))
        }
    }
}

/// `In sync: 61 people and 12 groups match the roster; nothing to do.`
pub(crate) fn in_sync(plan: &Plan) -> String {
    let totals = &plan.totals;
    let mut parts = vec![count(totals.roster_users, "person", "people")];
    if totals.roster_groups > 0 {
        parts.push(count(totals.roster_groups, "group", "groups"));
    }
    let one = parts.len() == 1 && totals.roster_users == 1;
    format!(
        "In sync: {} {} the roster; nothing to do.",
        series(&parts),
        if one { "matches" } else { "match" }
    )
}
