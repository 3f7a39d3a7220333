//! Rosters as people write them.

use super::{Company, Person, Team};
use fastrand::Rng;
use std::fmt::Write as _;
use std::ops::Range;

/// How many people stand in one file of a folder.
const PEOPLE_PER_FILE: usize = 1_000;
/// How many groups stand in one file of a folder.
const GROUPS_PER_FILE: usize = 100;
/// How wide a list in brackets may become before it goes on in the next line.
const WIDTH: usize = 100;
/// What all of a company's plans may do: a measurement is not to be stopped by a guard.
const POLICY: &str = "workspace: acme
policy:
  limits:
    createUsers: 1000000
    removeMembers: 100%
    removeMembersPerGroup: 100%
  emailDomains: [acme.example, agency.example]
";

/// One file with the people and groups of these positions.
pub(super) fn file(
    company: &Company,
    people: Range<usize>,
    teams: Range<usize>,
    with_policy: bool,
    seed: u64,
) -> String {
    let mut rng = Rng::with_seed(seed ^ (people.start as u64) << 32 ^ teams.start as u64);
    let mut text = String::from("# Made by `generate`; not a real company.\nversion: 1\n");
    if with_policy {
        text.push_str(POLICY);
    }
    if !people.is_empty() {
        text.push_str("\nusers:\n");
    }
    for person in &company.people[people] {
        write_person(&mut text, company, person, &mut rng);
    }
    if !teams.is_empty() {
        text.push_str("\ngroups:\n");
    }
    for team in &company.teams[teams] {
        write_team(&mut text, company, team, &mut rng);
    }
    text
}

/// The files of a folder; one in sixteen has the line breaks of Windows.
pub(super) fn folder(company: &Company, seed: u64) -> Vec<(String, String)> {
    let cut = |count: usize, size: usize| (0..count).step_by(size).map(move |at| at..(at + size).min(count));
    let mut files = vec![("00-policy.yaml".to_owned(), file(company, 0..0, 0..0, true, seed))];
    for (at, people) in cut(company.people.len(), PEOPLE_PER_FILE).enumerate() {
        files.push((format!("people/{at:03}.yaml"), file(company, people, 0..0, false, seed)));
    }
    for (at, teams) in cut(company.teams.len(), GROUPS_PER_FILE).enumerate() {
        files.push((format!("groups/{at:03}.yaml"), file(company, 0..0, teams, false, seed)));
    }
    files.sort();
    for (_, text) in files.iter_mut().skip(1).step_by(16) {
        *text = text.replace('\n', "\r\n");
    }
    files
}

fn write_person(text: &mut String, company: &Company, person: &Person, rng: &mut Rng) {
    if rng.usize(..50) == 0 {
        let _ = writeln!(text, "  # joined as {}", person.employee_number);
    }
    let (given, family) = (scalar(person.given, rng), scalar(person.family, rng));
    let _ = writeln!(text, "  - userName: {}", scalar(&person.user_name, rng));
    let _ = writeln!(text, "    email: {}", scalar(&person.email, rng));
    if rng.usize(..4) > 0 {
        let _ = writeln!(text, "    name: {{ givenName: {given}, familyName: {family} }}");
    } else {
        let _ = writeln!(text, "    name:\n      givenName: {given}\n      familyName: {family}");
    }
    let _ = writeln!(text, "    title: {}", folded(&person.title, rng));
    let _ = writeln!(text, "    phone: {}", scalar(&person.phone, rng));
    let _ = writeln!(text, "    address: {{ locality: {} }}", scalar(person.city, rng));
    let _ = writeln!(text, "    timezone: {}", scalar(person.timezone, rng));
    let _ = writeln!(text, "    employeeNumber: {}", scalar(&person.employee_number, rng));
    let _ = writeln!(text, "    department: {}", scalar(person.department, rng));
    if let Some(manager) = person.manager {
        let comment = if rng.usize(..100) == 0 { "  # for now" } else { "" };
        let _ = writeln!(text, "    manager: {}{comment}", scalar(&company.people[manager].user_name, rng));
    }
    let _ = writeln!(text, "    startDate: {}", scalar(&person.start_date, rng));
    if rng.usize(..10) == 0 {
        text.push('\n');
    }
}

fn write_team(text: &mut String, company: &Company, team: &Team, rng: &mut Rng) {
    let _ = writeln!(text, "  - displayName: {}", scalar(&team.name, rng));
    let names = team.members.iter().map(|member| company.people[*member].user_name.as_str());
    match rng.usize(..4) {
        0 | 1 => {
            text.push_str("    members:\n");
            for name in names {
                let _ = writeln!(text, "      - {}", scalar(name, rng));
            }
        }
        2 => {
            text.push_str("    members: [");
            let mut width = 0;
            for (at, name) in names.enumerate() {
                let lead = match width > WIDTH {
                    true => ",\n      ",
                    false if at > 0 => ", ",
                    false => "",
                };
                width = if width > WIDTH { 0 } else { width + name.len() + 2 };
                let _ = write!(text, "{lead}{name}");
            }
            text.push_str("]\n");
        }
        _ => {
            let all: Vec<&str> = names.collect();
            let _ = writeln!(text, "    members: [{}]", all.join(", "));
        }
    }
}

/// A value, plain where YAML allows it and the author did not feel like quoting.
fn scalar(value: &str, rng: &mut Rng) -> String {
    let plain = !value.contains(": ")
        && !value.contains(" #")
        && !value.contains([',', '&', '\'', '"', '[', ']', '{', '}']);
    match (plain, rng.usize(..12)) {
        (true, 2..) => value.to_owned(),
        (_, 0 | 2 | 3) => format!("'{}'", value.replace('\'', "''")),
        _ => format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

/// A value, a long one on two lines.
fn folded(value: &str, rng: &mut Rng) -> String {
    match value.char_indices().filter(|(at, c)| *c == ' ' && *at > 40).map(|(at, _)| at).next() {
        Some(at) if rng.bool() => format!(">-\n      {}\n      {}", &value[..at], &value[at + 1..]),
        _ => scalar(value, rng),
    }
}
