//! Workspaces and rosters that ask for everything at once.

use crate::session::{roster, roster_of};
use crate::truth::Terms;
use model::Roster;
use model::attribute::Attribute;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// A workspace, the roster that it is to be taken to, and what must not happen on the way.
pub struct World {
    /// What it is called in messages.
    pub name: &'static str,
    /// The workspace as it is, for [`slack_sim::Seed::parse`].
    pub seed: String,
    /// As it is to be.
    pub roster: Roster,
    /// What the judge has to know.
    pub terms: Terms<'static>,
}

impl World {
    /// The same without the attributes that only Slack has: guests and start dates.
    #[must_use]
    pub fn without_slacks_extensions(mut self) -> Self {
        for user in &mut self.roster.users {
            let is_slacks =
                |a| matches!(a, Attribute::Guest | Attribute::GuestExpires | Attribute::StartDate);
            user.settings.retain(|setting| !is_slacks(setting.attribute));
        }
        self
    }
}

/// The root of the repository.
pub fn repository() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().map(Path::to_path_buf).unwrap_or_default()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The seed of an organisation that has claimed the domains of its people, for the switch `domain-claim`.
fn claiming(seed: &str, domains: &[&str]) -> String {
    let mut seed: Value = serde_json::from_str(seed).unwrap();
    seed["domains"] = json!(domains);
    seed.to_string()
}

/// The example company.
pub fn acme() -> World {
    let folder = repository().join("examples/acme");
    let files = reconciler::source::read_roster(&folder).unwrap();
    World {
        name: "acme",
        seed: claiming(&read(&folder.join("slack.json")), &["acme.example", "agency.example"]),
        roster: roster_of(files),
        terms: Terms { on_create: &[Attribute::DisplayName], ..Terms::default() },
    }
}

/// Swaps, circles, chains, returners, guests, clears, twins of phone numbers: all that gets in each other's way.
pub fn nasty() -> World {
    World {
        name: "nasty",
        seed: claiming(include_str!("../worlds/nasty.json"), &["n.example", "a.example"]),
        roster: roster(include_str!("../worlds/nasty.yaml")),
        terms: Terms { protected: &["U0PROT", "U0BOSS", "U0BOT", "U0GDPR", "S0AUTO"], ..Terms::default() },
    }
}

/// A policy without mercy: who and what is not listed goes.
pub fn strict() -> World {
    let people = ["stays", "goes1", "goes2", "kept", "owner", "s1", "s2", "s3", "s4", "s5", "s6"];
    let mut users: Vec<Value> = people
        .iter()
        .map(|name| json!({ "id": format!("U0{name}"), "userName": name, "email": format!("{name}@s.example") }))
        .collect();
    users[4]["kind"] = json!("primaryOwner");
    users.push(json!({ "id": "U0gone", "userName": "gone", "email": "gone@s.example", "active": false }));
    users.push(
        json!({ "id": "U0bot", "userName": "bot", "email": "botuser-T0-A0@slack-bots.com", "kind": "bot" }),
    );
    let groups = json!([
        { "id": "S0listed", "displayName": "listed", "members": ["stays", "goes1", "goes2", "kept", "bot"] },
        { "id": "S0takes", "displayName": "loose", "members": ["goes1"] },
        { "id": "S0dropped", "displayName": "dropped", "members": ["goes2", "stays"] },
        { "id": "S0kept", "displayName": "kept", "members": ["goes1", "stays"] },
    ]);
    let text = "
version: 1
policy:
  unlisted: { users: deactivate, groups: delete }
  protect: { users: [kept, owner], groups: [kept] }
  limits: { deactivateUsers: 90%, removeMembers: 90%, removeMembersPerGroup: 90%, deleteGroups: 5, emptyGroups: 5 }
users:
  - { userName: stays, email: stays@s.example, title: Last one }
  - { userName: s1, email: s1@s.example }
  - { userName: s2, email: s2@s.example }
  - { userName: s3, email: s3@s.example }
  - { userName: s4, email: s4@s.example }
  - { userName: s5, email: s5@s.example }
  - { userName: s6, email: s6@s.example }
groups:
  - { displayName: listed, members: [stays] }
  - { displayName: newly, members: [stays] }
";
    World {
        name: "strict",
        seed: json!({ "workspace": "strict", "users": users, "groups": groups }).to_string(),
        roster: roster(text),
        terms: Terms {
            protected: &["U0kept", "U0owner", "U0bot", "S0kept"],
            unlisted_leave: true,
            unlisted_groups_go: true,
            ..Terms::default()
        },
    }
}

/// A group that gains more members than one request may carry, and a new one that begins with as many.
pub fn crowded() -> World {
    let mut users = Vec::new();
    let mut text =
        "version: 1\npolicy: { limits: { removeMembers: 100%, removeMembersPerGroup: 100% } }\nusers:\n"
            .to_owned();
    let mut members = String::new();
    let mut live = Vec::new();
    for n in 0..5_150 {
        users.push(
            json!({ "id": format!("U{n}"), "userName": format!("p{n}"), "email": format!("p{n}@c.example") }),
        );
        writeln!(text, "  - {{ userName: p{n}, email: p{n}@c.example }}").unwrap();
        if n < 60 {
            live.push(format!("p{n}"));
        }
        if n >= 30 {
            write!(members, "p{n},").unwrap();
        }
    }
    writeln!(text, "groups:\n  - {{ displayName: everybody, members: [{members}] }}").unwrap();
    writeln!(text, "  - {{ displayName: all-anew, members: [{members}] }}").unwrap();
    let groups = json!([{ "id": "S0", "displayName": "everybody", "members": live }]);
    World {
        name: "crowded",
        seed: json!({ "users": users, "groups": groups }).to_string(),
        roster: roster(&text),
        terms: Terms::default(),
    }
}
