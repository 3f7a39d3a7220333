//! A roster as people write it.

use super::{ListedGroup, Person};
use std::fmt::Write as _;

/// The key `users`.
pub(super) fn users_text(people: &[Person]) -> String {
    let mut text = String::from("users:\n");
    for entry in people.iter().filter_map(|person| person.entry.as_ref()) {
        let mut line = format!("  - {{ userName: {}, email: {}", entry.user_name, entry.email);
        if let Some(id) = &entry.id {
            write!(line, ", id: {id}").unwrap();
        }
        if entry.unmanaged {
            line.push_str(", managed: false");
        } else {
            if entry.inactive {
                line.push_str(", active: false");
            }
            for (key, value) in &entry.settings {
                write!(line, ", {key}: {value}").unwrap();
            }
        }
        writeln!(text, "{line} }}").unwrap();
    }
    text
}

/// The key `groups`, where groups are managed.
pub(super) fn groups_text(groups: Option<&[ListedGroup]>) -> String {
    let Some(groups) = groups else { return String::new() };
    if groups.is_empty() {
        return "groups: []\n".to_owned();
    }
    let mut text = String::from("groups:\n");
    for ListedGroup { head, members } in groups {
        let members = members.as_ref().map(|members| format!(", members: [{}]", members.join(", ")));
        writeln!(text, "  - {{ {head}{} }}", members.unwrap_or_default()).unwrap();
    }
    text
}
