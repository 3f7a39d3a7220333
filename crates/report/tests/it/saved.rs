//! Saved plans that are applied: how far they have come, and what has moved.

use crate::hostile::{assert_inert, assert_plain_markdown, hostile};
use insta::assert_snapshot;
use model::stale::{Moved, Progress, Why};
use proptest::prelude::*;
use report::{Style, saved};
use serde_json::{Value, json};

fn moved(change: usize, key: &str, why: Why) -> Moved {
    Moved {
        change,
        is_group: false,
        target: "U0ADA".into(),
        name: "ada".into(),
        key: key.into(),
        before: None,
        after: None,
        found: None,
        why,
    }
}

fn all_kinds() -> Vec<Moved> {
    let value = |text: &str| Some(Box::from(text));
    let title = |why| Moved {
        before: value("Engineer"),
        after: value("Staff"),
        found: value("CTO"),
        ..moved(3, "title", why)
    };
    let group = |change, key, why| Moved {
        is_group: true,
        target: "S0ENG".into(),
        name: "engineering".into(),
        ..moved(change, key, why)
    };
    vec![
        title(Why::OtherValue),
        Moved { found: None, ..title(Why::OtherValue) },
        Moved { before: None, found: None, ..title(Why::AskedOtherwise("Fellow".into())) },
        Moved { found: value("Engineer"), ..title(Why::NotAsked) },
        title(Why::Protected),
        moved(4, "", Why::Gone),
        moved(5, "", Why::Inactive),
        Moved {
            before: value("lovelace"),
            after: value("ada"),
            ..moved(6, "userName", Why::TakenBy("ada (U0X)".into()))
        },
        moved(7, "", Why::OtherRequest),
        Moved { target: "@user:dee".into(), name: "dee".into(), ..moved(8, "", Why::NotAsked) },
        group(9, "", Why::Needs("reactivate bob (active)".into())),
        Moved { after: value("bob"), ..group(9, "members", Why::Inactive) },
        Moved { before: value("kim"), found: value("kim"), ..group(9, "members", Why::NotAsked) },
        Moved { found: value("eve"), ..group(10, "members", Why::OtherValue) },
    ]
}

#[test]
fn what_has_moved_as_text() {
    assert_snapshot!(saved::stale(&all_kinds(), Style::Plain), @r##"
    STALE: this plan cannot be applied any more. What it is about has changed since it was made:
      #3 ada (U0ADA), title: "Engineer" was to become "Staff", but it is "CTO" now
      #3 ada (U0ADA), title: "Engineer" was to become "Staff", but it is not set now
      #3 ada (U0ADA), title: "Staff" was to be set, but the roster asks for "Fellow" now
      #3 ada (U0ADA), title: "Engineer" was to become "Staff", but the roster and its policy no longer ask for that
      #3 ada (U0ADA), title: "Engineer" was to become "Staff", but the policy protects it now
      #4 ada (U0ADA): it is no longer there
      #5 ada (U0ADA): the account is deactivated now
      #6 ada (U0ADA), userName: "lovelace" was to become "ada", but ada (U0X) holds that now
      #7 ada (U0ADA): its request would be another one now: a value that it has to repeat has changed, or the plan was altered or made by another version of rosterctl
      #8 dee ("@user:dee"): the roster and its policy no longer ask for that
      #9 group engineering (S0ENG): this needs another change, which the plan does not have: reactivate bob (active)
      #9 group engineering (S0ENG), members: bob was to join, but the account is deactivated now
      #9 group engineering (S0ENG), members: kim was to leave, but the roster and its policy no longer ask for that
      #10 group engineering (S0ENG), members: eve has joined it since, and it was to be deleted

    Plan again, and have the new plan looked at; nothing was written.
    "##);
}

#[test]
fn what_has_moved_as_markdown() {
    assert_snapshot!(saved::stale_markdown(&all_kinds()[..2]), @r##"
    ### Stale plan

    **This plan cannot be applied any more: what it is about has changed since it was made.**

    <details open>
    <summary>2 things have moved</summary>

    - `#3` `ada` (`U0ADA`), title: `Engineer` was to become `Staff`, but it is `CTO` now
    - `#3` `ada` (`U0ADA`), title: `Engineer` was to become `Staff`, but it is not set now

    </details>

    Plan again, and have the new plan looked at; nothing was written.
    "##);
}

#[test]
fn what_has_moved_as_json() {
    let mut out = Vec::new();
    saved::stale_json("d1", &all_kinds()[..1], &mut out).unwrap();
    assert_snapshot!(String::from_utf8(out).unwrap(), @r##"
    {
    "stale":{"digest":"d1"},
    "moved":[
    {"change":3,"target":"U0ADA","name":"ada","key":"title","before":"Engineer","after":"Staff","found":"CTO","why":"otherValue","detail":"\"Engineer\" was to become \"Staff\", but it is \"CTO\" now"}]
    }
    "##);
}

#[test]
fn how_far_a_plan_has_come() {
    let sentence = |changes, done, elsewhere| saved::progress(&Progress { changes, done, elsewhere });
    let all = [(28, 0, 0), (28, 12, 0), (28, 27, 1), (28, 28, 3), (1, 1, 0), (1, 0, 0), (0, 0, 0)];
    let text: String = all.into_iter().map(|(changes, done, other)| sentence(changes, done, other)).collect();
    assert_snapshot!(text, @r##"
    Nothing of the saved plan is done yet: 28 changes are left.
    12 of 28 changes of the saved plan are done already, 16 are left.
    27 of 28 changes of the saved plan are done already, 1 is left. Besides, the roster asks for 1 change that is not in this plan and is left alone.
    All 28 changes of the saved plan are done already. Besides, the roster asks for 3 changes that are not in this plan and are left alone.
    The one change of the saved plan is done already.
    Nothing of the saved plan is done yet: 1 change is left.
    The saved plan has no changes.
    "##);
}

#[test]
fn a_document_says_how_far_its_plan_has_come_whatever_pieces_it_is_written_in() {
    let progress = Progress { changes: 3, done: 1, elsewhere: 2 };
    for size in [1, 2, 3, 100] {
        let mut out = Vec::new();
        saved::json_with_progress(&progress, &mut out, |writer| {
            b"{\n\"run\":{\"a\":1}\n}\n".chunks(size).try_for_each(|piece| writer.write_all(piece))
        })
        .unwrap();
        let expected = json!({ "saved": { "changes": 3, "done": 1, "elsewhere": 2 }, "run": { "a": 1 } });
        assert_eq!(serde_json::from_slice::<Value>(&out).unwrap(), expected);
    }
}

#[test]
fn a_long_list_is_cut_and_says_so() {
    let many = vec![moved(1, "title", Why::OtherValue); 5_000];
    let text = saved::stale(&many, Style::Plain);
    assert!(text.lines().count() < 210 && text.contains("4,800 more"), "{text}");
    let page = saved::stale_markdown(&many);
    assert!(
        page.len() <= 65_536 && page.contains("more not shown") && page.ends_with("written.\n"),
        "{page}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_name_acts_in_a_stale_plan(name in hostile()) {
        let text: Box<str> = name.as_str().into();
        let list: Vec<Moved> = all_kinds()
            .into_iter()
            .map(|one| Moved {
                target: text.clone(),
                name: text.clone(),
                before: one.before.map(|_| text.clone()),
                after: one.after.map(|_| text.clone()),
                found: one.found.map(|_| text.clone()),
                why: match one.why {
                    Why::AskedOtherwise(_) => Why::AskedOtherwise(text.clone()),
                    Why::TakenBy(_) => Why::TakenBy(text.clone()),
                    Why::Needs(_) => Why::Needs(text.clone()),
                    other => other,
                },
                ..one
            })
            .collect();
        assert_inert(&saved::stale(&list, Style::Plain));
        let page = saved::stale_markdown(&list);
        prop_assert!(page.len() <= 65_536);
        assert_plain_markdown(&page);
        let mut out = Vec::new();
        saved::stale_json(&name, &list, &mut out).unwrap();
        let document = String::from_utf8(out).unwrap();
        assert_inert(&document);
        let value: Value = serde_json::from_str(&document).unwrap();
        prop_assert_eq!(&value["moved"][0]["name"], &json!(name));
    }
}
