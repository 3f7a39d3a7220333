//! A journal as people and programs read it.

use insta::assert_snapshot;
use model::ChangeKind;
use model::journal::{EndingKind, History, PastChange, PastEnd, PastRun, ReadBackKind};
use report::Style;
use report::history::{self, Shown};
use serde_json::{Map, Value as Json, json};

fn map(value: Json) -> Map<String, Json> {
    serde_json::from_value(value).unwrap()
}

pub(crate) fn change(
    number: usize,
    kind: ChangeKind,
    target: &str,
    name: &str,
    before: Json,
    after: Json,
    ending: Option<EndingKind>,
) -> PastChange {
    PastChange {
        number,
        kind,
        target: target.into(),
        name: name.into(),
        before: map(before),
        after: map(after),
        at: "2026-11-23T14:46:20.5Z".parse().unwrap(),
        ending,
        detail: None,
        created: None,
    }
}

pub(crate) fn run(id: &str, changes: Vec<PastChange>, end: Option<PastEnd>) -> PastRun {
    PastRun {
        id: id.into(),
        began: "2026-11-23T14:46:19.25Z".parse().unwrap(),
        rosterctl: "0.1.0".into(),
        target: Some("https://api.slack.com/scim/v2".into()),
        workspace: Some("acme".into()),
        digest: "28bb327f6441ce77fe956d91fddaab08ea89685229931465c2bacdc42ad7247f".into(),
        approved: false,
        undoes: None,
        planned: changes.len(),
        changes,
        end,
    }
}

fn end(success: bool, read_back: ReadBackKind, stopped: Option<&str>) -> Option<PastEnd> {
    let at = "2026-11-23T14:46:44Z".parse().unwrap();
    Some(PastEnd { at, success, read_back, stopped: stopped.map(Into::into) })
}

fn eventful() -> PastRun {
    let took = Some(EndingKind::Took);
    let mut eve = change(
        1,
        ChangeKind::CreateUser,
        "@user:eve",
        "eve",
        json!({}),
        json!({"userName": "eve", "email": "eve@acme.example", "active": true, "manager": "U0ADA"}),
        took,
    );
    eve.created = Some("U0EVE".into());
    let mut bob = change(
        2,
        ChangeKind::UpdateUser,
        "U0BOB",
        "bob",
        json!({"title": "Engineer", "phone": "+44 20 7946 0000", "guest": true, "department": null}),
        json!({"title": "Staff Engineer", "phone": null, "guest": false, "department": "Engines"}),
        took,
    );
    bob.detail = Some("the title was sent by its own PATCH".into());
    let mut ada = change(
        3,
        ChangeKind::UpdateUser,
        "U0ADA",
        "ada",
        json!({"email": "ada@old.example"}),
        json!({"email": "ada@acme.example"}),
        Some(EndingKind::Refused),
    );
    ada.detail = Some("400 email_taken: an account has this address".into());
    let mut renamed = change(
        4,
        ChangeKind::UpdateGroup,
        "S0ENG",
        "engineering",
        json!({"displayName": "eng", "members": ["U0KIM"]}),
        json!({"displayName": "engineering", "members": ["@user:eve", "U0ADA"]}),
        Some(EndingKind::WithoutEffect),
    );
    renamed.detail = Some("displayName".into());
    let kim = change(
        5,
        ChangeKind::DeactivateUser,
        "U0KIM",
        "kim",
        json!({"active": true}),
        json!({"active": false}),
        Some(EndingKind::Pending),
    );
    let gone = change(
        6,
        ChangeKind::DeleteGroup,
        "S0OLD",
        "old",
        json!({"displayName": "old", "members": ["U0ADA", "U0X"]}),
        json!({}),
        Some(EndingKind::Doubtful),
    );
    let mut skipped = change(
        7,
        ChangeKind::CreateGroup,
        "@group:new",
        "new",
        json!({}),
        json!({}),
        Some(EndingKind::Skipped),
    );
    skipped.detail = Some("it needs `create sam`, which did not happen".into());
    let mut run = run(
        "20261123T144619Z-7f3a",
        vec![eve, bob, ada, renamed, kim, gone, skipped],
        end(false, ReadBackKind::Differs, None),
    );
    run.approved = true;
    run.undoes = Some("20261122T080000Z-0001".into());
    run
}

/// Every way in which a run may end, the eventful one before the last.
fn all() -> History {
    let joins = |ending| {
        vec![change(
            1,
            ChangeKind::ReactivateUser,
            "U0SAM",
            "sam",
            json!({"active": false}),
            json!({"active": true}),
            ending,
        )]
    };
    let took = Some(EndingKind::Took);
    let mut simulated = run("20261121T080000Z-0000", joins(took), end(true, ReadBackKind::InSync, None));
    (simulated.target, simulated.workspace) = (None, None);
    let mut unnamed = run("20261121T080000Z-0001", joins(took), end(false, ReadBackKind::Unknown, None));
    unnamed.workspace = None;
    let runs = vec![
        simulated,
        unnamed,
        run(
            "20261121T080000Z-0002",
            joins(Some(EndingKind::Refused)),
            end(false, ReadBackKind::InSync, None),
        ),
        run(
            "20261121T080000Z-0003",
            joins(Some(EndingKind::WithoutEffect)),
            end(
                false,
                ReadBackKind::Differs,
                Some("the run was stopped because \"sam\" turned inactive though nobody asked for it"),
            ),
        ),
        PastRun { planned: 4, ..run("20261121T080000Z-0004", joins(None), None) },
        eventful(),
        run("20261123T150000Z-0005", joins(None), None),
    ];
    History { runs, torn: true }
}

fn json_of(shown: &Shown<'_>) -> String {
    let mut out = Vec::new();
    history::json(shown, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn runs_are_listed_and_one_is_shown_change_by_change() {
    let history = all();
    let shown = Shown { history: &history, run: history.runs.get(5), is_going_on: true };
    assert_snapshot!("history_as_text", history::text(&shown, Style::Plain));
    assert_snapshot!("history_as_markdown", history::markdown(&shown));
    let json = json_of(&shown);
    serde_json::from_str::<Json>(&json).unwrap();
    assert_snapshot!("history_as_json", json);
}

#[test]
fn a_run_without_an_end_was_killed_unless_it_goes_on() {
    let history = all();
    let ended = |is_going_on| {
        let shown = Shown { history: &history, run: history.runs.last(), is_going_on };
        let value: Json = serde_json::from_str(&json_of(&shown)).unwrap();
        (
            value["runs"][4]["outcome"].clone(),
            value["runs"][6]["outcome"].clone(),
            history::text(&shown, Style::Plain),
        )
    };
    let (killed, last, text) = ended(true);
    assert_eq!((killed, last), (json!("killed"), json!("goingOn")));
    assert!(text.contains("        under way\n"), "{text}");
    let (killed, last, text) = ended(false);
    assert_eq!((killed, last), (json!("killed"), json!("killed")));
    assert!(text.contains("        cut off, and may have been done\n"), "{text}");
}

#[test]
fn an_empty_journal_says_so() {
    let history = History::default();
    let shown = Shown { history: &history, run: None, is_going_on: false };
    assert_eq!(history::text(&shown, Style::Plain), "The journal holds no runs.\n");
    assert!(history::markdown(&shown).contains("The journal holds no runs."));
    let value: Json = serde_json::from_str(&json_of(&shown)).unwrap();
    assert_eq!(value, json!({"runs": [], "torn": false, "run": null, "changes": []}));
}

#[test]
fn a_long_history_is_cut_and_says_by_how_much() {
    let many = (1..=500).map(|n| {
        let after = json!({"title": "@a#1 ".repeat(300)});
        change(
            n,
            ChangeKind::UpdateUser,
            &format!("U{n}"),
            &"x#".repeat(200),
            json!({"title": null}),
            after,
            Some(EndingKind::Took),
        )
    });
    let long = run("20261123T144619Z-7f3a", many.collect(), None);
    let runs =
        (0..5_000).map(|n| PastRun { id: format!("r{n}").into(), ..run("", Vec::new(), None) }).chain([long]);
    let history = History { runs: runs.collect(), torn: false };
    let shown = Shown { history: &history, run: history.runs.last(), is_going_on: false };
    let text = history::text(&shown, Style::Plain);
    assert!(text.starts_with("... 4,901 runs before these\n"), "{text}");
    assert!(text.contains("... and 300 more"), "{text}");
    let page = history::markdown(&shown);
    assert!(page.len() <= 65_536, "{}", page.len());
    assert_eq!(page.matches("<details").count(), page.matches("</details>").count());
    assert!(page.contains("20261123T144619Z\\-7f3a") || page.contains("`20261123T144619Z-7f3a`"), "{page}");
}
