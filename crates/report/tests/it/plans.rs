use crate::world::*;
use insta::assert_snapshot;
use model::attribute::Attribute;
use model::*;
use report::Style;
use report::plan::{Options, diff, json, markdown, text};

fn options() -> Options<'static> {
    Options { names: &names, width: Some(100), ..Options::default() }
}

#[test]
fn a_plan_as_text() {
    let World { plan, sources } = acme();
    assert_snapshot!(text(&plan, Some(&sources), &options()));
}

#[test]
fn a_plan_as_text_with_requests() {
    let World { plan, sources } = acme();
    assert_snapshot!(text(&plan, Some(&sources), &Options { verbose: true, ..options() }));
}

#[test]
fn a_blocked_plan_says_so_first() {
    let World { plan, sources } = blocked();
    let text = text(&plan, Some(&sources), &options());
    assert_snapshot!(text.split("Changes\n").next().unwrap());
}

#[test]
fn a_plan_as_diffs() {
    let World { plan, sources } = acme();
    assert_snapshot!(diff(&plan, Some(&sources), &options()));
}

#[test]
fn a_plan_as_markdown() {
    let World { plan, sources } = blocked();
    assert_snapshot!(markdown(&plan, Some(&sources), &options()));
}

#[test]
fn a_plan_as_json() {
    let World { plan, sources } = blocked();
    let mut out = Vec::new();
    json(&plan, Some(&sources), &mut out).unwrap();
    assert_snapshot!(String::from_utf8(out).unwrap());
}

#[test]
fn in_sync_is_one_line() {
    let World { plan, sources } = World::new(Vec::new());
    let line = "In sync: 61 people and 12 groups match the roster; nothing to do.\n";
    assert_eq!(text(&plan, Some(&sources), &options()), line);
    assert_eq!(diff(&plan, Some(&sources), &options()), line);
}

#[test]
fn notes_and_verdicts_of_a_plan_without_changes_are_shown() {
    use model::plan::Outcome::Block;
    let world = World::new(Vec::new()).note("bot", "the bot deploybot stays");
    assert_snapshot!(text(&world.plan, None, &options()), @r"
    In sync: 61 people and 12 groups match the roster; nothing to do.

    Notes
      the bot deploybot stays [bot]
    ");
    let words = ["protect.users has founderr, which matches nobody", "correct the spelling"];
    let world = World::new(Vec::new()).verdict("protect", Block, None, words, &["founderr"]);
    assert_snapshot!(text(&world.plan, None, &options()), @r"
    There is nothing to change, but the roster cannot be applied as it is.

    BLOCKED: this plan cannot be applied, for 1 reason:
      protect: protect.users has founderr, which matches nobody
          who: founderr
          what to do: correct the spelling
    ");
}

#[test]
fn guards_that_pass_take_a_line_each_only_where_they_counted_something() {
    let World { plan, sources } = acme();
    let guards = |options: Options<'_>| {
        let text = text(&plan, Some(&sources), &options);
        let part = text.split("Guards: ").nth(1).and_then(|rest| rest.split("\n\n").next()).unwrap();
        part.lines().map(|line| line.split_whitespace().next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(guards(options()), ["all", "deactivateUsers", "createUsers"]);
    let verbose = Options { verbose: true, ..options() };
    assert_eq!(guards(verbose), ["all", "deactivateUsers", "createUsers", "deleteGroups", "protect"]);
}

#[test]
fn a_guard_that_also_warns_does_not_count_as_one_that_passes() {
    use model::plan::Outcome::{Pass, Warn};
    let world = acme().verdict("emptyGroups", Pass, Some((1, 1)), ["1 group", ""], &["ops"]);
    let world = world.verdict("emptyGroups", Warn, None, ["doubtful", ""], &["eng"]);
    let text = text(&world.plan, None, &options());
    assert!(text.contains("Guards: 4 of 5 pass\n") && !text.contains("1 group\n"), "{text}");
}

#[test]
fn a_limit_that_blocks_for_thousands_of_groups_is_folded_and_counted() {
    use model::plan::Outcome::Block;
    let mut world = acme();
    for i in 0..3_000 {
        let group = format!("group{i}");
        world = world.verdict("removeMembersPerGroup", Block, Some((9, 3)), ["too many", "less"], &[&group]);
    }
    let shown = text(&world.plan, None, &options());
    assert!(shown.contains("\n  removeMembersPerGroup: 2,980 more like these\n"), "{shown}");
    assert!(shown.lines().count() < 300);
    let full = text(&world.plan, None, &Options { full: true, ..options() });
    assert!(full.contains("group2999"));
    assert!(markdown(&world.plan, None, &options()).len() <= 65_536);
}

#[test]
fn whoever_takes_several_requests_is_counted_once() {
    let active = |before, after| vec![edit(Attribute::Active, Some(before), flag(after))];
    let freed =
        |name: &str| update(name, 3, vec![edit(Attribute::Email, Some("a@b"), crate::world::text("c@d"))]);
    let World { plan, .. } = World::new(vec![
        freed("ada"),
        update("ada", 3, active("true", false)),
        freed("bob"),
        freed("bob"),
        freed("cal"),
        update("cal", 3, active("false", true)),
        group("ops", 9, None, vec![live("ada")], &[]),
        group("ops", 9, None, vec![live("bob"), live("cal")], &["dan"]),
    ]);
    assert_snapshot!(text(&plan, None, &options()).split("\n\n").next().unwrap(), @r"
    Plan for acme:
    1 person comes back, 1 leaves and 1 changes (1 email).
    1 group changes.
    Groups: ops gains 3 and loses 1.
    ");
}

#[test]
fn a_crowd_is_folded_and_counted() {
    let World { plan, sources } = crowd(100_000);
    let shown = text(&plan, Some(&sources), &options());
    assert!(shown.starts_with("Plan for acme:\n100,000 people join.\n"));
    assert!(
        shown
            .contains("\n  + ... 99,800 more people join (not shown here; --format json has every change)\n")
    );
    assert!(shown.lines().count() < 1_000);
    let full = text(&crowd(300).plan, None, &Options { full: true, ..options() });
    assert!(full.contains("user299@acme.example") && !full.contains("more people"));
}

#[test]
fn the_first_import_of_a_large_company_can_be_read() {
    use model::change::{ChangeId, Dependency, Need};
    let World { plan, .. } = crowd(10_000);
    let mut changes = plan.changeset.changes;
    // Everybody is in one group of 580, and no two of a group follow each other.
    changes.extend((0..500_u32).map(|at| {
        let members: Vec<u32> = (0..580).map(|n| (at + n * 17) % 10_000).collect();
        let mut group = Change {
            action: Action::CreateGroup {
                display_name: format!("team {at}").into(),
                members: members.iter().map(|n| new(&format!("user{n}"))).collect(),
            },
            name: format!("team {at}").into(),
            origin: None,
            waits_for: Vec::new(),
        };
        let waits = members.iter().map(|n| Dependency { on: ChangeId(*n), need: Need::End });
        group.waits_for.extend(waits);
        group
    }));
    let World { plan, sources } = World::new(changes);
    let shown = text(&plan, Some(&sources), &options());
    assert!(shown.lines().all(|line| line.chars().count() < 400), "{shown}");
    let lines: Vec<&str> = shown.lines().collect();
    let of_team = lines.iter().position(|line| line.contains("#10001 group"));
    let (head, rest) = (&lines[..9], &lines[of_team.unwrap()..]);
    assert_snapshot!([head, &["[...]"], &rest[..6], &["[...]"], &rest[rest.len() - 6..]].concat().join("\n"));
    let full = text(&plan, None, &Options { full: true, ..options() });
    assert!(full.lines().any(|line| line.contains("waits for #1, #18, #35") && line.len() > 3_000));
}

#[test]
fn long_lists_of_members_are_folded_and_wrapped_between_names() {
    let members: Vec<_> = (0..432).map(|i| new(&format!("user{i}"))).collect();
    let World { plan, .. } = World::new(vec![group("everybody", 3, None, members, &["ada"])]);
    assert_snapshot!(text(&plan, None, &Options { width: Some(60), ..options() }));
}

#[test]
fn two_long_values_are_shown_where_they_differ() {
    let url = |end: &str| format!("https://photos.acme.example/{}/{end}", "x".repeat(300));
    let edits = vec![edit(Attribute::Photo, Some(&url("old.png")), crate::world::text(&url("new.png")))];
    let World { plan, .. } = World::new(vec![update("ada", 3, edits)]);
    let shown = text(&plan, None, &options());
    assert!(shown.contains(r#"old.png" -> ..."#) && shown.contains(r#"new.png""#), "{shown}");
}

#[test]
fn colour_adds_escapes_and_nothing_else() {
    let World { plan, sources } = blocked();
    for render in [text, diff] {
        let colour = render(&plan, Some(&sources), &Options { style: Style::Colour, ..options() });
        assert!(colour.contains('\u{1b}'));
        let mut stripped = String::new();
        for (i, part) in colour.split('\u{1b}').enumerate() {
            stripped.push_str(if i == 0 { part } else { part.split_once('m').unwrap().1 });
        }
        assert_eq!(stripped, render(&plan, Some(&sources), &options()));
    }
}

#[test]
fn markdown_of_a_great_plan_stays_within_the_bound_and_counts_what_it_leaves_out() {
    let World { mut plan, sources } = crowd(30_000);
    let leavers = (0..3_000).map(|i| {
        let name = format!("leaver{i}");
        update(&name, 4, vec![edit(Attribute::Active, Some("true"), flag(false))])
    });
    let mut changes: Vec<Change> = leavers.collect();
    changes.append(&mut plan.changeset.changes);
    changes.push(group("small", 5, None, vec![live("ada")], &[]));
    let World { plan, .. } = World::new(changes);
    let page = markdown(&plan, Some(&sources), &options());
    assert!(page.len() <= 65_536 && page.len() > 60_000, "{}", page.len());
    assert_eq!(page.matches("<details").count(), 3);
    assert_eq!(page.matches("<details").count(), page.matches("</details>").count());
    let joiners = page.split("<summary>30,000 people join</summary>").nth(1).unwrap();
    let listed = joiners.matches("\n- ").count();
    let left_out = joiners.split("\n... ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
    let left_out: usize = left_out.replace(',', "").parse().unwrap();
    assert_eq!(listed + left_out, 30_000);
    assert!(page.contains("`small` changes"));
    assert!(page.trim_end().ends_with(&format!("`{}`", plan.digest)));
}
