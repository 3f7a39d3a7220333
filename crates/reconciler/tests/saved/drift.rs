//! What may have become of the world, case by case.

use crate::remote::{Remote, account};
use crate::trial::{Trial, context};
use crate::world::{World, group, person};
use model::attribute::{Attribute as A, Value};
use model::change::Change;
use model::plan::Outcome;
use model::policy::{AttributeMode, Limit, UnlistedGroups, UnlistedMembers, UnlistedUsers};
use model::roster::Wish;
use model::stale::{Moved, Why};
use reconciler::saved::{ResumeError, Resumed};

/// A plan for a world that was as `before` makes it of the world in sync.
fn saved(world: World, before: impl Fn(&mut Remote)) -> Trial {
    let mut remote = world.photograph();
    before(&mut remote);
    Trial::new(world, remote, Vec::new()).unwrap()
}

/// What comes of the plan when the world has gone on by `drift`.
fn after(trial: &Trial, drift: impl Fn(&mut Remote)) -> Result<Resumed, ResumeError> {
    let mut remote = trial.remote.clone();
    drift(&mut remote);
    trial.resume(&remote)
}

fn left(resumed: &Resumed) -> Vec<String> {
    resumed.plan.changeset.changes.iter().map(brief).collect()
}

fn brief(change: &Change) -> String {
    let text = |map| serde_json::Value::Object(map).to_string();
    format!("{} {} -> {}", change.target(), text(change.before()), text(change.after()))
}

#[track_caller]
fn stale(result: Result<Resumed, ResumeError>) -> Vec<Moved> {
    match result {
        Err(ResumeError::Stale(moved)) => moved,
        other => panic!("not stale: {other:?}"),
    }
}

/// The one thing that has moved: of whom, what, and why.
#[track_caller]
fn only_moved(result: Result<Resumed, ResumeError>) -> (String, String, Why) {
    match stale(result).as_slice() {
        [one] => (one.target.to_string(), one.key.to_string(), one.why.clone()),
        several => panic!("{several:#?}"),
    }
}

fn moved(target: &str, key: &str, why: Why) -> (String, String, Why) {
    (target.to_owned(), key.to_owned(), why)
}

fn title(value: &str) -> Wish {
    Wish::Set(Value::Text(value.into()))
}

/// Ada is to become a staff engineer.
fn promotion() -> Trial {
    let world = World::of([person("ada").text(A::Title, "Staff"), person("bob").text(A::Title, "Clerk")]);
    saved(world, |remote| remote.account("U-ada").set(A::Title, "Engineer"))
}

#[test]
fn two_people_who_swap_names_are_helped_out_of_their_temporary_values() {
    let world = World::of([person("ada").id("U1"), person("bob").id("U2")]);
    let trial = saved(world, |remote| {
        remote.account("U1").set(A::UserName, "bob");
        remote.account("U2").set(A::UserName, "ada");
    });
    assert_eq!(trial.changes().len(), 3);
    let mut remote = trial.remote.clone();
    trial.apply(&mut remote, &trial.changes()[..1]).unwrap();
    let resumed = trial.resume(&remote).unwrap();
    assert_eq!(left(&resumed)[0], r#"U2 {"userName":"ada"} -> {"userName":"bob"}"#);
    assert_eq!((left(&resumed).len(), resumed.progress.done), (2, 1));
    // By hand, one of them has got a name that is neither.
    let other = after(&trial, |remote| remote.account("U1").set(A::UserName, "tmp-by-hand"));
    assert_eq!(only_moved(other), moved("U1", "userName", Why::OtherValue));
}

#[test]
fn a_value_that_is_neither_the_old_nor_the_new_one_is_told_with_all_three() {
    let trial = promotion();
    let found = stale(after(&trial, |remote| remote.account("U-ada").set(A::Title, "CTO")));
    let [one] = found.as_slice() else { panic!("{found:?}") };
    let values = [&one.before, &one.after, &one.found].map(|value| value.as_deref().unwrap_or_default());
    assert_eq!((one.change, &*one.name, values), (1, "ada", ["Engineer", "Staff", "CTO"]));
    // Somebody has done it by hand.
    let done = after(&trial, |remote| remote.account("U-ada").set(A::Title, "Staff")).unwrap();
    assert_eq!((left(&done).len(), done.progress.done), (0, 1));
}

#[test]
fn somebody_who_was_deactivated_or_removed_meanwhile_is_not_edited() {
    let trial = promotion();
    let gone = after(&trial, |remote| remote.account("U-ada").active = false);
    assert_eq!(only_moved(gone), moved("U-ada", "", Why::Inactive));
    let removed = after(&trial, |remote| drop(remote.accounts.remove("U-ada")));
    assert_eq!(only_moved(removed), moved("U-ada", "", Why::Gone));
}

#[test]
fn what_the_roster_no_longer_asks_for_is_not_done_and_what_it_asks_for_since_is_left_alone() {
    let mut trial = promotion();
    trial.world.entry("bob").settings.insert(A::Title, title("Boss"));
    let resumed = after(&trial, |_| {}).unwrap();
    assert_eq!(left(&resumed), [r#"U-ada {"title":"Engineer"} -> {"title":"Staff"}"#]);
    assert_eq!(resumed.progress.elsewhere, 1);

    trial.world.entry("ada").settings.insert(A::Department, title("Engines"));
    let resumed = after(&trial, |_| {}).unwrap();
    assert_eq!(left(&resumed), [r#"U-ada {"title":"Engineer"} -> {"title":"Staff"}"#]);

    trial.world.entry("ada").settings.insert(A::Title, title("Fellow"));
    assert_eq!(
        only_moved(after(&trial, |_| {})),
        moved("U-ada", "title", Why::AskedOtherwise("Fellow".into()))
    );
    trial.world.entry("ada").settings.remove(&A::Title);
    assert_eq!(only_moved(after(&trial, |_| {})), moved("U-ada", "title", Why::NotAsked));
    trial.world.entries.retain(|entry| entry.name != "ada");
    assert_eq!(only_moved(after(&trial, |_| {})), moved("U-ada", "title", Why::NotAsked));
}

#[test]
fn a_policy_that_has_changed_has_its_way() {
    let mut trial = promotion();
    trial.world.policy.attributes.set(A::Title, AttributeMode::OnCreate);
    assert_eq!(only_moved(after(&trial, |_| {})), moved("U-ada", "title", Why::NotAsked));
    let mut trial = promotion();
    trial.world = trial.world.protect_user("ada");
    assert_eq!(only_moved(after(&trial, |_| {})), moved("U-ada", "title", Why::Protected));

    // A limit that the plan was below and what is left of it is above.
    let world = World::of([person("ada").inactive(), person("bob").inactive(), person("cy")]);
    let mut trial = saved(world, |remote| {
        remote.account("U-ada").active = true;
        remote.account("U-bob").active = true;
    });
    assert_ne!(trial.plan.outcome(), Outcome::Block);
    trial.world.policy.limits.deactivate_users = Limit { at_least: 0, percent: 0 };
    let resumed = after(&trial, |remote| remote.account("U-ada").active = false).unwrap();
    let blocked: Vec<_> = resumed.plan.verdicts.iter().filter(|v| v.outcome == Outcome::Block).collect();
    assert_eq!((blocked.len(), blocked[0].guard, blocked[0].measured), (1, "deactivateUsers", Some(1)));
}

/// Dee joins with a title, under Ada, and goes into a group.
fn joiner() -> Trial {
    let world = World::of([
        person("ada"),
        person("dee").text(A::Title, "Head").text(A::Timezone, "Europe/London").manager(0),
        person("eve").manager(1),
    ])
    .groups([group("eng", &["ada", "dee"])]);
    saved(world, |remote| {
        remote.accounts.remove("U-dee");
        remote.account("U-eve").values.remove(&A::Manager);
        remote.group("S-eng").members.remove("U-dee");
    })
}

/// Dee's account as Slack makes one when it drops the profile.
fn bare(remote: &mut Remote) {
    let mut dee = account("dee", "dee@acme.example");
    dee.set(A::Timezone, "America/Los_Angeles");
    dee.set(A::DisplayName, "dee");
    remote.add("U9", dee);
}

#[test]
fn a_creation_whose_profile_was_dropped_is_finished_by_an_update() {
    let trial = joiner();
    let resumed = after(&trial, bare).unwrap();
    let all = left(&resumed);
    assert_eq!(
        all[0],
        r#"U9 {"title":null,"timezone":"America/Los_Angeles","manager":null} -> {"title":"Head","timezone":"Europe/London","manager":"U-ada"}"#
    );
    // Whoever refers to the account calls it by its id by now.
    assert_eq!(all[1], r#"U-eve {"manager":null} -> {"manager":"U9"}"#);
    assert_eq!(all[2], r#"S-eng {} -> {"members":["U9"]}"#);
}

#[test]
fn an_account_made_by_hand_is_taken_for_the_planned_one_only_if_it_fits() {
    let trial = joiner();
    let with = |attribute: A, value: &'static str| {
        after(&trial, move |remote| {
            bare(remote);
            remote.account("U9").set(attribute, value);
        })
    };
    assert_eq!(only_moved(with(A::Title, "Intern")), moved("@user:dee", "title", Why::OtherValue));
    assert_eq!(only_moved(with(A::UserName, "deedee")), moved("@user:dee", "userName", Why::OtherValue));
    assert_eq!(only_moved(with(A::Email, "d@acme.example")), moved("@user:dee", "email", Why::OtherValue));
    let inactive = after(&trial, |remote| {
        bare(remote);
        remote.account("U9").active = false;
    });
    assert!(stale(inactive).iter().any(|one| &*one.key == "active" && one.why == Why::OtherValue));
}

#[test]
fn somebody_who_was_to_be_created_and_is_no_longer_listed_is_not() {
    let mut trial = joiner();
    trial.world.entries.retain(|entry| entry.name != "dee");
    trial.world.entry("eve").settings.clear();
    trial.world.groups = Some(vec![group("eng", &["ada"])]);
    let found = stale(after(&trial, |_| {}));
    assert!(found.iter().any(|one| &*one.target == "@user:dee" && one.why == Why::NotAsked), "{found:?}");
}

#[test]
fn a_name_that_somebody_else_has_taken_is_told_as_drift() {
    let world = World::of([person("ada").id("U1")]);
    let trial = saved(world, |remote| remote.account("U1").set(A::UserName, "lovelace"));
    let taken = after(&trial, |remote| remote.add("X", account("ada", "x@acme.example")));
    assert_eq!(only_moved(taken), moved("U1", "userName", Why::TakenBy("ada (X)".into())));
    // A contradiction elsewhere is one of the roster's.
    let mut trial = promotion();
    trial.world.entries.push(person("zoe").id("U-nobody"));
    assert!(matches!(after(&trial, |_| {}), Err(ResumeError::Conflicts(conflicts)) if conflicts.len() == 1));
}

#[test]
fn a_group_that_was_renamed_emptied_or_deleted_by_hand_is_told() {
    let world = World::of([person("ada"), person("bob")]).groups([group("eng", &["ada"]).id("S1")]);
    let trial = saved(world, |remote| {
        remote.group("S1").name = "old".to_owned();
        remote.group("S1").members = ["U-bob".to_owned()].into();
    });
    let half = after(&trial, |remote| {
        remote.group("S1").name = "eng".to_owned();
        remote.group("S1").members.insert("U-ada".to_owned());
    })
    .unwrap();
    assert_eq!(left(&half), [r#"S1 {"members":["U-bob"]} -> {}"#]);
    let renamed = after(&trial, |remote| remote.group("S1").name = "other".to_owned());
    assert_eq!(only_moved(renamed), moved("S1", "displayName", Why::OtherValue));
    let emptied = after(&trial, |remote| remote.group("S1").members.clear()).unwrap();
    assert_eq!(left(&emptied), [r#"S1 {"displayName":"old"} -> {"displayName":"eng","members":["U-ada"]}"#]);
    let mut trial = trial;
    trial.world.groups = Some(vec![group("eng", &["ada"])]);
    let deleted = after(&trial, |remote| drop(remote.groups.remove("S1")));
    assert_eq!(only_moved(deleted), moved("S1", "", Why::Gone));
}

#[test]
fn somebody_who_joins_a_group_and_was_deactivated_or_became_a_guest_is_told() {
    let world =
        World::of([person("ada"), person("bob").full_member()]).groups([group("eng", &["ada", "bob"])]);
    let trial = saved(world, |remote| remote.group("S-eng").members.retain(|member| member != "U-bob"));
    let inactive = after(&trial, |remote| remote.account("U-bob").active = false);
    assert_eq!(only_moved(inactive).2, Why::Needs("reactivate bob (active)".into()));
    let guest = after(&trial, |remote| remote.account("U-bob").guest = true);
    assert_eq!(only_moved(guest).2, Why::Needs("update bob (guest)".into()));
    let mut trial = trial;
    trial.world.entry("bob").active = false;
    trial.world.groups = Some(vec![group("eng", &["ada"])]);
    let left_for_good = after(&trial, |remote| remote.account("U-bob").active = false);
    assert_eq!(only_moved(left_for_good), moved("S-eng", "members", Why::Inactive));
}

#[test]
fn a_group_is_not_deleted_when_somebody_has_joined_it_or_it_is_called_something_else() {
    let mut world = World::of([person("ada"), person("bob")]).groups([]);
    world.policy.unlisted.groups = UnlistedGroups::Delete;
    let mut trial = saved(world, |remote| remote.add_group("S1", "old", &["U-ada"]));
    let joined = after(&trial, |remote| remote.group("S1").members.extend(["U-bob".to_owned()]));
    assert_eq!(only_moved(joined), moved("S1", "members", Why::OtherValue));
    let renamed = after(&trial, |remote| remote.group("S1").name = "precious".to_owned());
    assert_eq!(only_moved(renamed), moved("S1", "displayName", Why::OtherValue));
    let emptier = after(&trial, |remote| remote.group("S1").members.clear()).unwrap();
    assert_eq!(left(&emptier).len(), 1);
    let gone = after(&trial, |remote| drop(remote.groups.remove("S1"))).unwrap();
    assert_eq!((left(&gone).len(), gone.progress.done), (0, 1));
    trial.world.policy.unlisted.groups = UnlistedGroups::Keep;
    assert_eq!(only_moved(after(&trial, |_| {})), moved("S1", "", Why::NotAsked));
}

#[test]
fn a_leaver_whom_nobody_listed_and_who_is_listed_by_now_stays() {
    let mut world = World::of([person("ada")]);
    world.policy.unlisted.users = UnlistedUsers::Deactivate;
    let mut trial = saved(world, |remote| remote.add("U7", account("gus", "gus@acme.example")));
    assert_eq!(left(&after(&trial, |_| {}).unwrap()), [r#"U7 {"active":true} -> {"active":false}"#]);
    let gone = after(&trial, |remote| remote.account("U7").active = false).unwrap();
    assert_eq!((left(&gone).len(), gone.progress.done), (0, 1));
    trial.world.entries.push(person("gus"));
    assert_eq!(only_moved(after(&trial, |_| {})), moved("U7", "active", Why::NotAsked));
}

#[test]
fn a_request_that_repeats_a_value_which_has_changed_is_not_sent() {
    let world = World::of([person("ada").text(A::Locality, "Leeds")]);
    let trial = saved(world, |remote| {
        remote.account("U-ada").set(A::Locality, "York");
        remote.account("U-ada").set(A::Region, "Yorkshire");
    });
    assert_eq!(left(&after(&trial, |_| {}).unwrap()).len(), 1);
    let changed = after(&trial, |remote| remote.account("U-ada").set(A::Region, "North"));
    assert_eq!(only_moved(changed), moved("U-ada", "", Why::OtherRequest));
    // What the roster has come to want of the rest is left for another plan, and the old value repeated.
    let mut trial = trial;
    trial.world.entry("ada").settings.insert(A::Region, title("West"));
    let resumed = after(&trial, |_| {}).unwrap();
    assert_eq!(left(&resumed), [r#"U-ada {"address.locality":"York"} -> {"address.locality":"Leeds"}"#]);
    let request = resumed.plan.encode(&resumed.plan.changeset.changes[0]).request;
    assert!(request.body_text().unwrap().contains("Yorkshire"));
}

#[test]
fn a_day_is_done_in_whatever_zone_it_comes_back() {
    let mut ada = person("ada");
    ada.settings.insert(A::StartDate, Wish::Set(Value::Day("2026-01-05".parse().unwrap())));
    let trial =
        saved(World::of([ada]), |remote| remote.account("U-ada").set(A::StartDate, "2026-01-01T00:00:00Z"));
    let zoned =
        |text: &'static str| after(&trial, move |remote| remote.account("U-ada").set(A::StartDate, text));
    assert_eq!(zoned("2026-01-05T00:00:00-0800").unwrap().progress.done, 1);
    assert_eq!(zoned("2026-01-01T00:00:00+0000").unwrap().progress.done, 0);
    assert_eq!(only_moved(zoned("2026-01-06T00:00:00Z")), moved("U-ada", "startDate", Why::OtherValue));
}

#[test]
fn a_doubt_about_somebody_whom_the_plan_leaves_alone_does_not_block_it() {
    let mut trial = promotion();
    trial.world.entries.push(person("kim").email("kim2@acme.example"));
    let mut kim = account("kim", "kim@acme.example");
    kim.active = false;
    let resumed = after(&trial, |remote| remote.add("U8", kim.clone())).unwrap();
    assert_ne!(resumed.plan.outcome(), Outcome::Block, "{:?}", resumed.plan.verdicts);
    // Planned anew, it would.
    let mut remote = trial.remote.clone();
    remote.add("U8", kim);
    let fresh = reconciler::planner::plan(&trial.world.roster(), &remote.directory(), &context()).unwrap();
    assert_eq!(fresh.outcome(), Outcome::Block);
}

#[test]
fn somebody_who_has_left_may_still_stand_in_a_group_that_would_not_let_them_go() {
    let mut world = World::of([person("ada"), person("bob").inactive()]).groups([group("eng", &["ada"])]);
    world.policy.unlisted.members = UnlistedMembers::Keep;
    let trial = saved(world, |remote| {
        remote.account("U-bob").active = true;
        remote.group("S-eng").members.insert("U-bob".to_owned());
    });
    assert_eq!(trial.changes().len(), 2);
    let resumed = after(&trial, |remote| remote.account("U-bob").active = false).unwrap();
    assert_eq!((left(&resumed).len(), resumed.progress.done), (0, 2));
    // While Bob is active, the membership is still to end.
    let resumed = after(&trial, |_| {}).unwrap();
    assert_eq!(left(&resumed).len(), 2);
}

#[test]
fn a_narrowed_plan_is_resumed_in_its_own_order() {
    let world = World::of([person("bob").inactive(), person("cy").text(A::Title, "new"), person("dee")])
        .groups([group("eng", &["dee"])]);
    let mut remote = world.photograph();
    remote.account("U-bob").active = true;
    remote.account("U-cy").set(A::Title, "old");
    remote.accounts.remove("U-dee");
    remote.group("S-eng").members = ["U-bob".to_owned()].into();
    let only = ["bob", "cy"].map(str::to_owned).into();
    let trial = Trial::new(world, remote, only).unwrap();
    let planned: Vec<String> = trial.changes().iter().map(brief).collect();
    assert!(planned.len() == 2 && planned[0].starts_with("U-bob"), "{planned:?}");
    let resumed = after(&trial, |_| {}).unwrap();
    assert_eq!(left(&resumed), planned);
    assert_eq!(resumed.progress.elsewhere, 2);
}
