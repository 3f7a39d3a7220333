use crate::world::*;
use insta::assert_snapshot;
use model::ChangeId;
use model::run::{ChangeOutcome, Ending, ReadBack, RunReport, Stopped};
use report::{Style, run};

fn ended(endings: Vec<Ending>, read_back: ReadBack) -> RunReport {
    let outcomes = endings.into_iter().enumerate();
    let outcomes = outcomes.map(|(i, ending)| ChangeOutcome { change: ChangeId(i as u32), ending }).collect();
    RunReport { outcomes, read_back, stopped: None, seconds: 4 }
}

fn took() -> Ending {
    Ending::Took { remark: None }
}

fn mixed() -> RunReport {
    let mut endings = vec![took(); 14];
    endings[1] = Ending::Pending { what: "Slack has not shown active: false yet".into() };
    endings[4] = Ending::Refused {
        why: "400 email_taken: the address belongs to U0OLD; free it or give the entry that id".into(),
        may_have_written: false,
    };
    endings[5] = Ending::Skipped { why: "it needs #5, which was refused".into() };
    endings[6] = Ending::Refused { why: "the connection broke".into(), may_have_written: true };
    endings[7] = Ending::WithoutEffect { what: "title is still \"Engineer\"".into() };
    endings[11] =
        Ending::Took { remark: Some("without eve and sam, who could not be created; renamed by PUT".into()) };
    let left =
        ["user eve is missing", "user bob: title \"Engineer\" -> \"Senior Engineer\""].map(String::from);
    ended(endings, ReadBack::Differs(left.into()))
}

#[test]
fn a_line_for_each_change_that_ends() {
    let World { plan, .. } = acme();
    let lines: String =
        mixed().outcomes.iter().map(|outcome| run::line(&plan, outcome, Style::Plain)).collect();
    assert_snapshot!(lines);
}

#[test]
fn a_run_with_failures() {
    let World { plan, sources } = acme();
    assert_snapshot!(run::text(&plan, &mixed(), Some(&sources), Style::Plain));
}

#[test]
fn a_run_with_failures_as_markdown() {
    let World { plan, sources } = acme();
    assert_snapshot!(run::markdown(&plan, &mixed(), Some(&sources)));
}

#[test]
fn a_run_as_json() {
    let World { plan, sources } = acme();
    let mut out = Vec::new();
    run::json(&plan, &mixed(), Some(&sources), &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    serde_json::from_str::<serde_json::Value>(&text).unwrap();
    assert_snapshot!(text);
}

#[test]
fn a_run_in_which_all_is_well_is_short() {
    let World { plan, sources } = acme();
    let report = ended(vec![took(); 14], ReadBack::InSync);
    assert_snapshot!(run::text(&plan, &report, Some(&sources), Style::Plain), @r"
    All of 14 changes took, in 4 s.

    Read back: in sync
    ");
}

#[test]
fn what_only_waits_is_no_failure() {
    let World { plan, sources } = acme();
    let mut endings = vec![took(); 14];
    endings[1] = Ending::Pending { what: "Slack has not shown active: false yet".into() };
    let report = ended(endings, ReadBack::Differs(vec!["user kim is still active".into()]));
    assert_snapshot!(run::text(&plan, &report, Some(&sources), Style::Plain));
}

#[test]
fn a_run_that_was_stopped_says_why_and_what_to_do() {
    let World { plan, sources } = acme();
    let stopped_by = |stopped: Stopped| {
        let mut endings = vec![took(); 3];
        endings.resize(14, Ending::Skipped { why: stopped.to_string() });
        let left = vec!["reactivate bob (active)".to_owned()];
        RunReport { stopped: Some(stopped), ..ended(endings, ReadBack::Differs(left)) }
    };
    let harmed = stopped_by(Stopped::TurnedInactive { name: "bob".into() });
    assert_snapshot!("a_stopped_run", run::text(&plan, &harmed, Some(&sources), Style::Plain));
    for (stopped, key, advice) in [
        (Stopped::OnRequest, "onRequest", "apply again when you like"),
        (Stopped::TimedOut, "timedOut", "apply again, with more time"),
        (Stopped::TurnedInactive { name: "bob".into() }, "turnedInactive", "look at Slack"),
        (Stopped::WithoutEffect, "withoutEffect", "look at Slack"),
        (Stopped::JournalFailed { why: "no space".into() }, "journalFailed", "the journal can be written"),
    ] {
        let report = stopped_by(stopped);
        assert!(!report.is_success());
        let text = run::text(&plan, &report, Some(&sources), Style::Plain);
        assert!(text.contains(advice), "{text}");
        assert!(run::markdown(&plan, &report, Some(&sources)).contains("**The run was stopped"));
        let mut out = Vec::new();
        run::json(&plan, &report, Some(&sources), &mut out).unwrap();
        let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(value["run"]["stopped"]["reason"], key);
    }
}

#[test]
fn a_directory_that_cannot_be_read_back_is_not_called_in_sync() {
    let World { plan, sources } = acme();
    let report =
        ended(vec![took(); 14], ReadBack::Unknown("the service answered 503 for two minutes".into()));
    let text = run::text(&plan, &report, Some(&sources), Style::Plain);
    assert!(!text.contains("in sync"), "{text}");
    assert!(text.contains("What to do now: plan again"), "{text}");
}

#[test]
fn the_markdown_of_a_run_that_failed_throughout_stays_within_the_bound() {
    let World { plan, sources } = crowd(20_000);
    let refused = Ending::Refused { why: "400 ".to_owned() + &"@a#1 ".repeat(200), may_have_written: false };
    let report = ended(vec![refused; 20_000], ReadBack::Differs(vec!["x".repeat(2_000); 20_000]));
    let page = run::markdown(&plan, &report, Some(&sources));
    assert!(page.len() <= 65_536, "{}", page.len());
    assert_eq!(page.matches("<details").count(), page.matches("</details>").count());
    assert!(page.contains("What to do now"));
}
