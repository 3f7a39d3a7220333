//! What a revert does and says in the cases that people ask about.

use crate::world::{
    Account, Service, context, journal, lenient, lines, one_edit, past_run, plan, roster, try_undo, undo,
    undo_again,
};
use model::attribute::Attribute;
use model::change::ChangeKind;
use model::journal::{EndingKind, PastRun};
use model::place::{Located, Place, Source, Sources};
use model::plan::{Outcome, Plan};
use model::policy::{Pattern, Policy};
use reconciler::revert::{self, Bounds, RevertError, RevertGoal, Reverted};
use reconciler::run::Goal;
use serde_json::json;

/// Ada and Grace, in a group.
fn company() -> Service {
    Service::default()
        .user("U1", Account::named("ada").with(Attribute::Title, "Engineer"))
        .user("U2", Account::named("grace"))
        .group("S1", "eng", &["U1", "U2"])
}

/// What a roster made of a service, and the run that did it.
fn after(text: &str, service: &mut Service) -> PastRun {
    let plan = plan(&roster(text), service);
    service.run_all(&plan)
}

fn notes(plan: &Plan) -> Vec<String> {
    plan.notes.iter().map(|note| format!("[{}] {}", note.code, note.message)).collect()
}

fn said(reverted: &Reverted, code: &str) -> String {
    let found = reverted.plan.notes.iter().find(|note| note.code == code);
    found.unwrap_or_else(|| panic!("no note {code}: {:#?}", notes(&reverted.plan))).message.clone()
}

fn blocked_by(plan: &Plan) -> Vec<&str> {
    plan.verdicts.iter().filter(|v| v.outcome == Outcome::Block).map(|v| v.guard).collect()
}

fn protecting(users: &[&str]) -> Policy {
    let mut policy = lenient();
    policy.protect.users.extend(users.iter().map(|name| Located::new(Pattern::new(*name), Place::default())));
    policy
}

#[test]
fn two_people_who_swapped_their_names_swap_them_back() {
    let mut service = company();
    let run = after(
        "users:\n  - { id: U1, userName: grace, email: ada@acme.example }\n  - { id: U2, userName: ada, email: grace@acme.example }",
        &mut service,
    );
    assert_eq!(run.changes.len(), 3, "one of them goes through a temporary name");
    let undone = undo(&run, &lenient(), &service);
    assert_eq!(undone.not_undone, []);
    service.run_all(&undone.plan);
    assert_eq!(service, company());
}

#[test]
fn a_joiner_is_deactivated_and_gives_back_the_name_that_somebody_had_before() {
    let mut service = company();
    let run = after(
        "users:\n  - { id: U1, userName: ada2, email: ada@acme.example }\n  - { userName: ada, email: new@acme.example }",
        &mut service,
    );
    let undone = undo(&run, &lenient(), &service);
    assert!(said(&undone, "not-deleted").ends_with(": ada"));
    service.run_all(&undone.plan);
    assert_eq!(service.called("ada").unwrap().0, "U1");
    let joiner = &service.users["N1"];
    assert!(!joiner.active && joiner.values[&Attribute::UserName].starts_with("undone-"), "{joiner:?}");
    assert_eq!(joiner.values[&Attribute::Email], "new@acme.example", "which nobody else had");
}

#[test]
fn a_leaver_comes_back_into_the_groups_that_the_run_took_them_out_of_and_channels_are_said_to_be_lost() {
    let mut service = Service { drops_memberships: true, ..company() };
    let run = after(
        "users:\n  - { userName: ada, email: ada@acme.example, active: false }\n  - { userName: grace, email: grace@acme.example }\n\
         groups:\n  - { displayName: eng, members: [grace] }",
        &mut service,
    );
    assert!(service.groups["S1"].members.len() == 1 && !service.users["U1"].active);
    let undone = undo(&run, &lenient(), &service);
    assert!(said(&undone, "channels").ends_with(": ada"));
    service.run_all(&undone.plan);
    assert_eq!(service.users, company().users);
    assert_eq!(service.groups, company().groups);
}

#[test]
fn somebody_who_was_brought_back_is_deactivated_again_and_keeps_what_else_the_run_wrote() {
    let mut service = company();
    service.users.get_mut("U2").unwrap().active = false;
    service.groups.get_mut("S1").unwrap().members.remove("U2");
    let run = after("users: [{ userName: grace, email: grace@acme.example, title: Admiral }]", &mut service);
    let undone = undo(&run, &lenient(), &service);
    assert_eq!(lines(&undone.plan), ["U2: active true -> false"]);
    assert_eq!(
        said(&undone, "stays-inactive"),
        "grace: is deactivated again, so these stay as the run left them: title"
    );
}

#[test]
fn a_new_group_is_deleted_only_where_the_policy_allows_it() {
    let mut service = company();
    let text = "users: [{ userName: ada, email: ada@acme.example }]\ngroups: [{ displayName: crew, members: [ada] }]";
    let run = after(text, &mut service);
    let strict = undo(&run, &Policy::default(), &service).plan;
    assert_eq!(blocked_by(&strict), ["deleteGroups"]);
    assert_eq!(strict.changeset.changes.len(), 1, "no other group is deleted");

    let undone = undo(&run, &lenient(), &service).plan;
    assert!(blocked_by(&undone).is_empty());
    service.run_all(&undone);
    assert_eq!(service.groups, company().groups);
}

#[test]
fn a_new_group_that_others_have_come_to_use_is_kept() {
    let mut service = company();
    let text = "users: [{ userName: ada, email: ada@acme.example }]\ngroups: [{ displayName: crew, members: [ada] }]";
    let run = after(text, &mut service);
    service.groups.get_mut("G1").unwrap().members.insert("U2".into());
    let undone = undo(&run, &lenient(), &service);
    assert!(undone.plan.changeset.is_empty(), "{:#?}", lines(&undone.plan));
    assert!(said(&undone, "changed-since").contains("members whom the run did not take in (1)"));
}

#[test]
fn a_deleted_group_is_made_anew_with_who_was_in_it_unless_its_name_is_taken() {
    let mut service = company();
    let run = after(
        "policy: { unlisted: { groups: delete } }\nusers: [{ userName: ada, email: ada@acme.example }]\ngroups: []",
        &mut service,
    );
    assert!(service.groups.is_empty());
    let taken = service.clone().group("S9", "Eng", &["U2"]);

    let undone = undo(&run, &lenient(), &service);
    assert!(said(&undone, "new-group").ends_with(": eng"));
    service.run_all(&undone.plan);
    let group = service.groups.values().next().unwrap();
    assert_eq!((&*group.name, group.members.len()), ("eng", 2));

    let undone = undo(&run, &lenient(), &taken);
    assert!(
        undone.plan.changeset.is_empty(),
        "somebody else's group is not touched: {:#?}",
        lines(&undone.plan)
    );
    assert!(said(&undone, "name-taken").contains("group S9 has its name"));
}

#[test]
fn who_came_to_a_group_or_left_it_since_is_left_alone() {
    let mut service = company().user("U3", Account::named("joan")).user("U4", Account::named("mary"));
    service.groups.get_mut("S1").unwrap().members.insert("U4".into());
    let run = after(
        "users:\n  - { userName: ada, email: ada@acme.example }\n  - { userName: joan, email: joan@acme.example }\n  - { userName: mary, email: mary@acme.example }\n\
         groups: [{ displayName: eng, members: [ada, joan, mary] }]",
        &mut service,
    );
    let group = service.groups.get_mut("S1").unwrap();
    assert!(group.members.contains("U3") && !group.members.contains("U2"));
    // Since then Mary has left, and Rosa, who was never in it, has come.
    group.members.remove("U4");
    group.members.insert("U5".into());
    let service = service.user("U5", Account::named("rosa"));
    let undone = undo(&run, &lenient(), &service);
    assert_eq!(
        lines(&undone.plan),
        [r#"UpdateGroup S1: {"members": Array [String("U3")]} -> {"members": Array [String("U2")]}"#]
    );
}

#[test]
fn what_somebody_has_changed_since_is_theirs() {
    let mut service = company();
    let run =
        after("users: [{ userName: ada, email: ada@acme.example, title: Boss, phone: '+1' }]", &mut service);
    service.users.get_mut("U1").unwrap().values.insert(Attribute::Title, "Queen".into());
    let undone = undo(&run, &lenient(), &service);
    assert_eq!(lines(&undone.plan), [r#"U1: phone "+1" -> null"#]);
    assert_eq!(
        said(&undone, "changed-since"),
        r#"ada: title was made "Boss" by the run and is "Queen" now, so somebody has changed it since; left alone"#
    );
}

#[test]
fn a_value_that_the_service_writes_in_its_own_way_is_still_the_runs() {
    let mut service = company();
    let run =
        after("users: [{ userName: ada, email: ada@acme.example, startDate: 2026-01-05 }]", &mut service);
    let values = &mut service.users.get_mut("U1").unwrap().values;
    values.insert(Attribute::StartDate, "2026-01-04T16:00:00-08:00".into());
    assert_eq!(
        lines(&undo(&run, &lenient(), &service).plan),
        [r#"U1: startDate "2026-01-04T16:00:00-08:00" -> null"#]
    );
}

#[test]
fn a_name_that_somebody_else_has_now_stays_theirs_and_the_rest_is_undone() {
    let mut service = company();
    let run = after("users: [{ id: U1, userName: ada2, email: a2@acme.example }]", &mut service);
    let service = service.user("U7", Account { active: false, ..Account::named("ada") });
    let undone = undo(&run, &lenient(), &service);
    assert!(undone.plan.changeset.is_empty());
    let all = notes(&undone.plan).join("\n");
    assert!(all.contains("ada2: userName cannot be ada again, because the deactivated account U7 (ada, ada@acme.example) has it"), "{all}");
    assert!(all.contains("ada2: email cannot be ada@acme.example again"), "{all}");
}

#[test]
fn what_the_service_cannot_be_given_is_said() {
    let service = company();
    for (before, after, live, said_so) in [
        (
            json!(null),
            json!("Europe/London"),
            "Europe/London",
            "ada: timezone was not set before the run and stays as it is, because Slack always keeps a time zone",
        ),
        (
            json!("https://acme.example/a"),
            json!(null),
            "",
            "u1: photo from before the run is not restored: Slack keeps no copy of a picture that was replaced or removed",
        ),
        (json!("UGONE"), json!("U2"), "U2", "u1: manager was UGONE, whom this directory does not have"),
    ] {
        let (attribute, key) = match live {
            "Europe/London" => (Attribute::Timezone, "timezone"),
            "" => (Attribute::Photo, "photo"),
            _ => (Attribute::Manager, "manager"),
        };
        let mut service = service.clone();
        if !live.is_empty() {
            service.users.get_mut("U1").unwrap().values.insert(attribute, live.into());
        }
        let undone =
            undo(&one_edit("U1", json!({ key: before }), json!({ key: after })), &lenient(), &service);
        assert!(undone.plan.changeset.is_empty());
        assert_eq!(said(&undone, "cannot-restore"), said_so.replace("ada:", "u1:"));
    }
}

#[test]
fn a_guest_again_has_no_expiry_that_nobody_wrote_down() {
    let service = company();
    let run = one_edit("U1", json!({ "guest": true }), json!({ "guest": false }));
    let undone = undo(&run, &lenient(), &service);
    assert_eq!(lines(&undone.plan), ["U1: guest false -> true"]);
    assert!(said(&undone, "cannot-restore").contains("without an expiry"));

    let mut service = company();
    let guest = service.users.get_mut("U1").unwrap();
    guest.guest = true;
    guest.values.insert(Attribute::GuestExpires, "2030-01-31T23:59:59Z".into());
    let run = one_edit(
        "U1",
        json!({ "guest.expires": "2029-01-31T23:59:59Z" }),
        json!({ "guest.expires": "2030-01-31T23:59:59Z" }),
    );
    let undone = undo(&run, &lenient(), &service).plan;
    assert_eq!(lines(&undone), [r#"U1: guest.expires "2030-01-31T23:59:59Z" -> "2029-01-31T23:59:59Z""#]);
}

#[test]
fn a_manager_is_found_by_the_name_they_had_before_the_run() {
    let mut service = company();
    let values = &mut service.users.get_mut("U1").unwrap().values;
    values.insert(Attribute::Manager, "grace".into());
    let run = after(
        "users:\n  - { userName: ada, email: ada@acme.example, manager: null }\n  - { id: U2, userName: hopper, email: grace@acme.example }",
        &mut service,
    );
    let undone = undo(&run, &lenient(), &service);
    assert_eq!(undone.not_undone, []);
    service.run_all(&undone.plan);
    assert_eq!(service.users["U1"].values[&Attribute::Manager], "U2");
    assert_eq!(service.called("grace").unwrap().0, "U2");
}

#[test]
fn what_was_refused_or_skipped_is_not_undone_and_what_is_in_doubt_is() {
    let mut service = company();
    let mut run = after("users: [{ userName: ada, email: ada@acme.example, title: Boss }]", &mut service);
    for (ending, is_undone) in [
        (None, true),
        (Some(EndingKind::Took), true),
        (Some(EndingKind::Pending), true),
        (Some(EndingKind::WithoutEffect), true),
        (Some(EndingKind::Doubtful), true),
        (Some(EndingKind::Refused), false),
        (Some(EndingKind::Skipped), false),
    ] {
        run.changes[0].ending = ending;
        assert_eq!(undo(&run, &lenient(), &service).plan.changeset.is_empty(), !is_undone, "{ending:?}");
    }
    assert!(undo(&past_run(), &lenient(), &service).plan.changeset.is_empty());
    assert!(
        undo(&run, &lenient(), &company()).plan.changeset.is_empty(),
        "what never took is undone already"
    );
}

#[test]
fn whoever_may_be_unmanaged_is_left_alone_by_whatever_name() {
    let mut service = company();
    let run =
        after("users: [{ id: U1, userName: boss, email: boss@acme.example, title: CEO }]", &mut service);
    // The roster knows her by the name that she had, by the one that she has, or by id.
    for entry in [
        "userName: ada, email: other@acme.example",
        "userName: x, email: Boss@acme.example",
        "id: U1, userName: y, email: y@acme.example",
    ] {
        let roster = roster(&format!("users: [{{ {entry}, managed: false }}]"));
        let Ok(undone) = try_undo(&run, &[], Bounds::Roster(&roster), &service) else { panic!("{entry}") };
        assert!(undone.plan.changeset.is_empty(), "{entry}: {:?}", lines(&undone.plan));
        assert!(said(&undone, "unmanaged").ends_with(": boss"));
    }
    let everybody_else = roster("users: [{ userName: grace, email: grace@acme.example, managed: false }]");
    let Ok(undone) = try_undo(&run, &[], Bounds::Roster(&everybody_else), &service) else { panic!() };
    assert_eq!(lines(&undone.plan).len(), 3);
}

#[test]
fn protection_covers_former_names_and_a_protected_member_stays_in_a_group() {
    let mut service = company().user("U3", Account::named("joan"));
    let run = after(
        "users:\n  - { id: U1, userName: boss, email: ada@acme.example }\n  - { userName: joan, email: joan@acme.example }\n\
         groups: [{ displayName: eng, members: [boss, joan] }]",
        &mut service,
    );
    let undone = undo(&run, &protecting(&["ada", "joan"]), &service);
    assert_eq!(lines(&undone.plan), [r#"UpdateGroup S1: {} -> {"members": Array [String("U2")]}"#]);
    assert!(said(&undone, "protected").ends_with(": boss, joan in eng"), "{}", said(&undone, "protected"));

    let typo = undo(&run, &protecting(&["nobody"]), &service).plan;
    assert_eq!(blocked_by(&typo), ["protect"], "a typo must not unprotect");
}

#[test]
fn limits_hold_for_a_revert_as_for_any_plan() {
    let mut service = company();
    let joiners = (0..8)
        .map(|n| format!("  - {{ userName: j{n}, email: j{n}@acme.example }}"))
        .collect::<Vec<_>>()
        .join("\n");
    let run = after(&format!("users:\n{joiners}"), &mut service);
    let undone = undo(&run, &Policy::default(), &service).plan;
    assert_eq!(undone.changeset.changes.len(), 8);
    assert_eq!(blocked_by(&undone), ["deactivateUsers"]);
}

#[test]
fn a_run_of_another_service_or_workspace_is_refused() {
    let url = "https://acme.enterprise.slack.com/team/ada";
    let mut service = company();
    service.users.get_mut("U1").unwrap().values.insert(Attribute::ProfileUrl, url.into());
    let (policy, sources) = (lenient(), Sources::default());
    let at = |run: &PastRun, target: Option<&str>| {
        let context = reconciler::planner::Context { target: target.map(str::to_owned), ..context() };
        let bounds = Bounds::Policy(&policy, &sources);
        revert::plan(run, &[], &journal(), bounds, &service.directory(), &context).map(|_| ())
    };
    let mut run = past_run();
    run.target = Some("https://api.slack.com/scim/v2/".into());
    run.workspace = Some("Acme".into());
    assert!(at(&run, Some("https://api.slack.com/scim/v2")).is_ok(), "a slash is no other service");
    assert!(at(&run, None).is_ok(), "any run may be rehearsed on a simulator");
    assert!(matches!(at(&run, Some("https://scim.acme.example")), Err(RevertError::OtherTarget { .. })));
    run.target = None;
    assert!(matches!(at(&run, Some("https://scim.acme.example")), Err(RevertError::OtherTarget { .. })));
    run.workspace = Some("umbrella".into());
    let Err(error @ RevertError::OtherWorkspace { .. }) = at(&run, None) else { panic!("refused") };
    assert_eq!(
        error.to_string(),
        "the run wrote to the workspace umbrella, and the accounts here belong to acme"
    );
}

#[test]
fn every_change_comes_from_a_line_of_the_journal() {
    let mut service = company();
    let text = "users: [{ userName: ada, email: ada@acme.example, title: Boss }]\ngroups: [{ displayName: crew, members: [ada] }]";
    let run = after(text, &mut service);
    let line = |event: &str, change: usize| {
        format!(
            "{{\"v\":1,\"at\":\"1970-01-01T00:00:00Z\",\"run\":\"r1\",\"event\":\"{event}\",\"change\":{change}}}\n"
        )
    };
    let journal = Source {
        path: "journal.jsonl".into(),
        text: format!(
            "{{\"run\":\"r0\",\"change\":1}}\n{}{}{}",
            line("intent", 1),
            line("outcome", 1),
            line("intent", 2)
        ),
    };
    let (policy, sources) = (lenient(), Sources::default());
    let Ok(undone) = revert::plan(
        &run,
        &[],
        &journal,
        Bounds::Policy(&policy, &sources),
        &service.directory(),
        &context(),
    ) else {
        panic!()
    };
    let places: Vec<(ChangeKind, u32)> = undone
        .plan
        .changeset
        .changes
        .iter()
        .map(|change| (change.kind(), change.origin.expect("an origin").line))
        .collect();
    assert_eq!(places, [(ChangeKind::UpdateUser, 2), (ChangeKind::DeleteGroup, 4)]);
    let place = undone.plan.changeset.changes[0].origin.unwrap();
    assert_eq!(undone.roster.sources.display(place), "journal.jsonl:2:1");
}

#[test]
fn what_others_do_meanwhile_does_not_make_it_a_failure() {
    let mut service = company();
    let text = "users:\n  - { userName: ada, email: ada@acme.example, title: Boss }\n  - { userName: grace, email: grace@acme.example }\n\
                groups:\n  - { displayName: eng, members: [ada] }\n  - { displayName: crew, members: [ada] }";
    let run = after(text, &mut service);
    let undone = undo(&run, &lenient(), &service);
    let context = context();
    let goal = RevertGoal::new(&undone, &context);
    assert_eq!(goal.missing(&service.directory()).unwrap().len(), 3);

    service.run_all(&undone.plan);
    service = service.user("U3", Account::named("joan")).group("S8", "others", &["U3"]);
    service.groups.get_mut("S1").unwrap().members.insert("U3".into());
    assert_eq!(goal.missing(&service.directory()).unwrap(), []);

    service.groups.get_mut("S1").unwrap().members.remove("U1");
    assert_eq!(
        goal.missing(&service.directory()).unwrap(),
        [],
        "who was not ours to put back may be taken out"
    );

    service.users.get_mut("U1").unwrap().values.insert(Attribute::Title, "Boss".into());
    assert_eq!(
        goal.missing(&service.directory()).unwrap().len(),
        1,
        "what was ours to undo is still looked at"
    );
}

#[test]
fn an_account_that_was_there_before_is_never_taken_for_one_that_the_run_created() {
    let mut service = company();
    let plan = plan(
        &roster(
            "users:\n  - { id: U1, userName: ada2, email: ada2@acme.example }\n  - { userName: ada, email: ada@acme.example }",
        ),
        &service,
    );
    let run = service.run(&plan, 2, true);
    assert!(run.changes[1].kind == ChangeKind::CreateUser && run.changes[1].created.is_none());
    let found = undo(&run, &lenient(), &service);
    assert!(said(&found, "not-deleted").ends_with(": ada"), "found by its name and address");
    // Somebody has undone it by hand: what bears the creation's name and address now is Ada's old account.
    let undone = undo(&run, &lenient(), &company());
    assert!(undone.plan.changeset.is_empty(), "{:#?}", lines(&undone.plan));
    assert!(said(&undone, "unknown-outcome").ends_with(": ada"));
}

#[test]
fn what_a_policy_let_the_run_write_is_undone_without_it() {
    let mut service = company();
    service.users.get_mut("U1").unwrap().values.insert(Attribute::DisplayName, "Ada L".into());
    let run = after(
        "policy: { attributes: { displayName: enforce } }\nusers: [{ userName: ada, email: ada@acme.example, displayName: Countess }]",
        &mut service,
    );
    assert_eq!(lines(&undo(&run, &lenient(), &service).plan), [r#"U1: displayName "Countess" -> "Ada L""#]);
}

#[test]
fn a_group_that_an_earlier_attempt_has_made_anew_is_completed() {
    let mut service = company();
    let run = after(
        "policy: { unlisted: { groups: delete } }\nusers: [{ userName: ada, email: ada@acme.example }]\ngroups: []",
        &mut service,
    );
    let first = undo(&run, &lenient(), &service).plan;
    let attempt = service.run_all(&first);
    service.groups.get_mut("G1").unwrap().members.remove("U2");
    let second = undo_again(&run, &[&attempt], &lenient(), &service);
    assert_eq!(lines(&second.plan), [r#"UpdateGroup G1: {} -> {"members": Array [String("U2")]}"#]);
}

#[test]
fn attempts_are_the_runs_on_the_same_service_that_were_to_undo_it_or_each_other() {
    let named = |id: &str, undoes: Option<&str>, target: Option<&str>| PastRun {
        id: id.into(),
        undoes: undoes.map(Into::into),
        target: target.map(Into::into),
        ..past_run()
    };
    let history = [
        named("a", None, None),
        named("b", Some("a"), None),
        named("c", Some("other"), None),
        named("d", Some("b"), None),
        named("e", Some("a"), Some("https://scim.acme.example")),
    ];
    let found: Vec<&str> = revert::attempts(&history, &history[0]).iter().map(|run| &*run.id).collect();
    assert_eq!(found, ["b", "d"]);
}
