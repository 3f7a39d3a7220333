//! Plans built by hand, through the model's types alone.

use model::attribute::{Attribute, Dialect, Value};
use model::change::{Dependency, Need, Rename};
use model::plan::{Encoded, Estimate, Fallback, Method, Note, Outcome, Plan, Request, Totals, Verdict};
use model::*;

pub(crate) const ROSTER: &str = "roster.yaml";

/// A plan in the making, with a roster of empty lines for its places.
pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) sources: Sources,
}

pub(crate) fn at(line: u32) -> Option<Place> {
    Some(Place { source: SourceId(0), line, column: 5, start: 0, len: 0 })
}

pub(crate) fn text(text: &str) -> Option<Value<UserRef>> {
    Some(Value::Text(text.into()))
}

pub(crate) fn flag(flag: bool) -> Option<Value<UserRef>> {
    Some(Value::Flag(flag))
}

pub(crate) fn day(text: &str) -> Option<Value<UserRef>> {
    let written = time::parse_instant(text).unwrap();
    Some(Value::Day(written.offset.to_datetime(written.timestamp).date()))
}

pub(crate) fn instant(text: &str) -> Option<Value<UserRef>> {
    Some(Value::Instant(time::parse_instant(text).unwrap().timestamp))
}

pub(crate) fn live(name: &str) -> UserRef {
    UserRef::Existing(UserId::new(id(name)))
}

pub(crate) fn id(name: &str) -> String {
    format!("U0{}", name.to_uppercase())
}

pub(crate) fn new(name: &str) -> UserRef {
    UserRef::New(UserName::parse(name).unwrap())
}

pub(crate) fn person(user: UserRef) -> Option<Value<UserRef>> {
    Some(Value::Person(user))
}

pub(crate) fn edit(attribute: Attribute, before: Option<&str>, after: Option<Value<UserRef>>) -> Edit {
    Edit { attribute, before: before.map(Into::into), after, selector: None, temporary: false, origin: None }
}

pub(crate) fn change(action: Action, name: &str, line: Option<u32>) -> Change {
    Change { action, name: name.into(), origin: line.and_then(at), waits_for: Vec::new() }
}

pub(crate) fn update(name: &str, line: u32, edits: Vec<Edit>) -> Change {
    change(
        Action::UpdateUser { id: UserRef::Existing(UserId::new(id(name))), edits, siblings: Vec::new() },
        name,
        Some(line),
    )
}

pub(crate) fn create(name: &str, line: u32, mut edits: Vec<Edit>) -> Change {
    edits.insert(0, edit(Attribute::Active, None, flag(true)));
    edits.insert(1, edit(Attribute::UserName, None, text(name)));
    change(Action::CreateUser { user_name: UserName::parse(name).unwrap(), edits }, name, Some(line))
}

pub(crate) fn group(
    name: &str,
    line: u32,
    rename: Option<Rename>,
    add: Vec<UserRef>,
    remove: &[&str],
) -> Change {
    let remove = remove.iter().map(|name| UserId::new(id(name))).collect();
    let id = GroupRef::Existing(GroupId::new(format!("S0{}", name.to_uppercase())));
    change(Action::UpdateGroup { id, rename, add, remove }, name, Some(line))
}

pub(crate) fn waits(mut change: Change, on: &[(u32, Need)]) -> Change {
    change.waits_for = on.iter().map(|(n, need)| Dependency { on: ChangeId(n - 1), need: *need }).collect();
    change
}

impl World {
    pub(crate) fn new(changes: Vec<Change>) -> Self {
        let mut sources = Sources::default();
        sources.push(Source { path: ROSTER.into(), text: "\n".repeat(200) });
        let estimate = Estimate { writes: changes.len(), seconds: Some(changes.len() as u64 / 3) };
        let plan = Plan {
            target: Some("https://api.slack.com/scim/v2".into()),
            workspace: Some("acme".into()),
            dialect: Dialect::Slack,
            roster_digest: "3b".repeat(32),
            directory_digest: "9f".repeat(32),
            changeset: Changeset { changes },
            encoder: encoded,
            verdicts: Vec::new(),
            notes: Vec::new(),
            totals: Totals {
                roster_users: 61,
                roster_groups: 12,
                directory_users: 66,
                active_people: 60,
                directory_groups: 12,
                memberships: 140,
            },
            estimate,
            stays_inactive: std::collections::BTreeSet::new(),
            successions: std::collections::BTreeSet::new(),
            existing: std::sync::Arc::default(),
            digest: "4c".repeat(32),
        };
        Self { plan, sources }
    }

    pub(crate) fn verdict(
        mut self,
        guard: &'static str,
        outcome: Outcome,
        counts: Option<(usize, usize)>,
        words: [&str; 2],
        who: &[&str],
    ) -> Self {
        self.plan.verdicts.push(Verdict {
            guard,
            outcome,
            measured: counts.map(|c| c.0),
            recent: None,
            limit: counts.map(|c| c.1),
            message: words[0].into(),
            resources: who.iter().map(|&s| s.into()).collect(),
            remedy: words[1].into(),
        });
        self
    }

    /// What guards say that have nothing against the plan.
    pub(crate) fn passes(mut self) -> Self {
        let pass = |world: Self, guard, counts, message| {
            world.verdict(guard, Outcome::Pass, counts, [message, ""], &[])
        };
        self = pass(
            self,
            "deactivateUsers",
            Some((3, 5)),
            "2 deactivations, after 1 in the last 24 hours, of 61 active people (24 hours ago); the limit is 5 \
             (2 %, at least 5)",
        );
        self.plan.verdicts.iter_mut().for_each(|verdict| verdict.recent = Some(1));
        self = pass(
            self,
            "createUsers",
            Some((3, 50)),
            "3 creations of 60 active people; the limit is 50 (20 %, at least 50)",
        );
        self = pass(self, "deleteGroups", Some((0, 0)), "0 deleted groups of 12 groups; the limit is 0");
        pass(self, "protect", None, "nothing of the roster contradicts what is protected")
    }

    pub(crate) fn note(mut self, code: &'static str, message: &str) -> Self {
        self.plan.notes.push(Note { code, message: message.into() });
        self
    }
}

/// A request of the right kind; the adapter's would have a body worth reading.
fn encoded(change: &Change, _: Dialect) -> Encoded {
    let (method, path) = match &change.action {
        Action::CreateUser { .. } => (Method::Post, "/Users".to_owned()),
        Action::UpdateUser { id, .. } => (Method::Patch, format!("/Users/{id}")),
        Action::CreateGroup { .. } => (Method::Post, "/Groups".to_owned()),
        Action::UpdateGroup { id, .. } => (Method::Patch, format!("/Groups/{id}")),
        Action::DeleteGroup { id, .. } => (Method::Delete, format!("/Groups/{id}")),
    };
    let body = (method != Method::Delete).then(|| serde_json::value::to_raw_value(&change.after()).unwrap());
    let fallbacks = match &change.action {
        Action::UpdateGroup { rename: Some(_), .. } => vec![Fallback {
            because: "Slack does not document the renaming of a group by PATCH".into(),
            requests: vec![Request { method: Method::Put, path: path.clone(), body: body.clone() }],
        }],
        _ => Vec::new(),
    };
    Encoded { request: Request { method, path, body }, fallbacks }
}

/// The people behind the ids of [`id`].
pub(crate) fn names(id: &str) -> Option<String> {
    id.strip_prefix("U0").map(str::to_lowercase)
}

/// One of everything.
pub(crate) fn acme() -> World {
    one_of_everything().passes()
}

fn one_of_everything() -> World {
    use Attribute::*;
    let temporary = |mut edit: Edit| {
        edit.temporary = true;
        edit
    };
    let from_defaults = |mut edit: Edit| {
        edit.origin = at(9);
        edit
    };
    let rename = Rename {
        before: "eng".into(),
        after: "engineering".into(),
        temporary: false,
        members_after: Vec::new(),
    };
    World::new(vec![
        group("design", 150, None, Vec::new(), &["kim"]),
        waits(update("kim", 60, vec![edit(Active, Some("true"), flag(false))]), &[(1, Need::End)]),
        change(
            Action::UpdateUser {
                id: UserRef::Existing(UserId::new("U0TOM")),
                edits: vec![edit(Active, Some("true"), flag(false))],
                siblings: Vec::new(),
            },
            "tom",
            None,
        ),
        update(
            "rosa",
            64,
            vec![
                edit(Active, Some("false"), flag(true)),
                edit(Title, Some("Engineer"), text("Staff Engineer")),
            ],
        ),
        create(
            "eve",
            70,
            vec![
                edit(Email, None, text("eve@acme.example")),
                edit(GivenName, None, text("Eve")),
                edit(FamilyName, None, text("Moreau")),
                from_defaults(edit(Timezone, None, text("Europe/London"))),
                edit(StartDate, None, day("2027-01-05")),
            ],
        ),
        waits(
            create(
                "sam",
                76,
                vec![edit(Email, None, text("sam@acme.example")), edit(Manager, None, person(new("eve")))],
            ),
            &[(5, Need::Success)],
        ),
        create(
            "gus",
            81,
            vec![
                edit(Email, None, text("gus@agency.example")),
                edit(Guest, None, flag(true)),
                edit(GuestExpires, None, instant("2027-01-31T23:59:59Z")),
            ],
        ),
        update(
            "bob",
            18,
            vec![
                edit(Title, Some("Engineer"), text("Senior Engineer")),
                edit(Phone, Some("+44 20 7946 0000"), None),
                edit(Manager, Some("U0GRACE"), person(live("ada"))),
                edit(StartDate, Some("2024-04-10T00:00:00+0000"), day("2024-04-11")),
            ],
        ),
        update("mia", 22, vec![temporary(edit(UserName, Some("mia"), text("mia-1")))]),
        waits(update("lee", 26, vec![edit(UserName, Some("lee"), text("mia"))]), &[(9, Need::Success)]),
        waits(update("mia", 22, vec![edit(UserName, Some("mia-1"), text("lee"))]), &[(10, Need::Success)]),
        waits(
            group(
                "engineering",
                120,
                Some(rename),
                vec![live("ada"), new("eve"), new("sam"), live("rosa")],
                &["kim"],
            ),
            &[(4, Need::End), (5, Need::End), (6, Need::End)],
        ),
        waits(
            change(
                Action::CreateGroup {
                    display_name: "Team Paris".into(),
                    members: vec![new("eve"), live("grace")],
                },
                "Team Paris",
                Some(140),
            ),
            &[(5, Need::End)],
        ),
        change(
            Action::DeleteGroup {
                id: GroupId::new("S0OLD"),
                members: vec![UserId::new("U0ADA"), UserId::new("U0KIM")],
            },
            "old-project",
            None,
        ),
    ])
    .note("protected", "founder is protected and not in the roster; the account is left alone")
    .note("bot", "the bot deploybot is a member of engineering and stays")
}

/// The same, blocked for three reasons and doubtful for another.
pub(crate) fn blocked() -> World {
    one_of_everything()
        .verdict(
            "deactivateUsers",
            Outcome::Block,
            Some((9, 5)),
            [
                "9 of 60 active people would be deactivated",
                "see that the roster is complete; if it is, raise limits.deactivateUsers in the policy",
            ],
            &["kim", "tom", "amy", "ben", "cal", "dan", "eli", "fay", "gil"],
        )
        .verdict(
            "deleteGroups",
            Outcome::Block,
            Some((1, 0)),
            [
                "1 group would be deleted, which cannot be undone",
                "raise limits.deleteGroups in the policy, or set unlisted.groups to keep",
            ],
            &["old-project"],
        )
        .verdict(
            "lookAlike",
            Outcome::Warn,
            None,
            [
                "the new account sam has the full name of the unlisted account samuel",
                "give the entry that account's id if they are one person",
            ],
            &["sam"],
        )
        .verdict(
            "brokenSource",
            Outcome::Block,
            Some((29, 30)),
            ["the roster lists 29 active people of 60", "make sure that the roster is complete"],
            &[],
        )
        .verdict(
            "createUsers",
            Outcome::Pass,
            Some((3, 50)),
            ["3 creations of 60 active people; the limit is 50 (20 %, at least 50)", ""],
            &["eve", "sam", "gus"],
        )
}

/// `n` joiners.
pub(crate) fn crowd(n: usize) -> World {
    let one = |i: usize| {
        create(
            &format!("user{i}"),
            10,
            vec![edit(Attribute::Email, None, text(&format!("user{i}@acme.example")))],
        )
    };
    World::new((0..n).map(one).collect())
}
