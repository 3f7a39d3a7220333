//! The manual in `docs/` agrees with the code.

use crate::load_one;
use model::attribute::{Clearing, Row, TABLE, ValueKind};
use model::load::{CODES, MAX_FILE_BYTES, MAX_TOTAL_BYTES};
use model::policy::{Limit, Limits};

const DIAGNOSTICS: &str = include_str!("../../../../docs/diagnostics.md");
const ROSTER: &str = include_str!("../../../../docs/roster.md");

#[test]
fn every_code_stands_in_the_manual_and_the_manual_has_no_other() {
    // What can be wrong only beside a directory is not the loader's, and stands further below.
    let loader = DIAGNOSTICS.split("\n## ").next().unwrap();
    let rows = loader.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    assert_eq!(rows.map(|(code, _)| code).collect::<Vec<_>>(), CODES);
}

/// What the manual's table says of an attribute.
fn manual_row(row: &Row) -> String {
    let takes = match row.kind {
        ValueKind::Text => "text",
        ValueKind::UserName => "userName",
        ValueKind::Email => "e-mail address",
        ValueKind::Url => "URL",
        ValueKind::StartDate | ValueKind::Expiry => "date",
        ValueKind::Person => "userName of the roster",
        ValueKind::Flag if row.key == "guest" => "mapping",
        ValueKind::Flag => "`true` or `false`",
    };
    let null = match row.clearing {
        Clearing::Possible => "clears it".to_owned(),
        Clearing::Impossible(why) => format!("error: {why}"),
    };
    format!("| `{}` | {takes} | {null} | {} |", row.key, row.doc)
}

#[test]
fn the_manuals_table_of_attributes_is_the_table() {
    let expected: Vec<String> = TABLE.iter().map(manual_row).collect();
    let found: Vec<&str> = ROSTER
        .lines()
        .skip_while(|line| !line.starts_with("| key | takes | `null` |"))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .collect();
    assert_eq!(found, expected, "the table should read\n{}", expected.join("\n"));
}

#[test]
fn the_manuals_limits_are_the_defaults() {
    let Limits {
        deactivate_users,
        create_users,
        change_emails,
        change_user_names,
        convert_guests,
        remove_members,
        remove_members_per_group,
        empty_groups,
        delete_groups,
    } = Limits::default();
    for (key, Limit { at_least, percent }) in [
        ("deactivateUsers", deactivate_users),
        ("createUsers", create_users),
        ("changeEmails", change_emails),
        ("changeUserNames", change_user_names),
        ("convertGuests", convert_guests),
        ("removeMembers", remove_members),
        ("removeMembersPerGroup", remove_members_per_group),
        ("emptyGroups", empty_groups),
        ("deleteGroups", delete_groups),
    ] {
        let row = format!("| `{key}` | {at_least} | {percent}% |");
        assert!(ROSTER.contains(&row), "{row} is missing");
    }
}

#[test]
fn the_manuals_sizes_are_the_limits() {
    for (bytes, what) in [(MAX_FILE_BYTES, "a file"), (MAX_TOTAL_BYTES, "all files together")] {
        let sentence = format!("{} MiB for {what}", bytes >> 20);
        assert!(ROSTER.contains(&sentence), "{sentence}");
    }
}

#[test]
fn every_example_of_the_manual_is_a_roster_without_mistakes() {
    let examples: Vec<&str> =
        ROSTER.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default()).collect();
    assert!(examples.len() >= 5);
    for example in examples {
        let loaded = load_one(example).unwrap_or_else(|e| panic!("{example}\n{:#?}", e.diagnostics));
        assert!(loaded.warnings.is_empty(), "{example}\n{:#?}", loaded.warnings);
    }
}
