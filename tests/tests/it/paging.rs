//! Services that page their lists in ways of their own, and lists that change while they are read: either the
//! directory is exactly right, or there is none.

use crate::trial::switched;
use end_to_end::carrier::InProcess;
use end_to_end::manners;
use end_to_end::session::{NOW, Session};
use serde_json::json;
use slack_sim::{Seed, Simulator, Switches};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

/// 2,045 people and 1,010 groups: three pages of one and two of the other.
fn workspace(switches: Switches) -> Simulator {
    let users: Vec<_> = (0..2_045)
        .map(|n| json!({ "userName": format!("p{n}"), "email": format!("p{n}@w.example") }))
        .collect();
    let groups: Vec<_> = (0..1_010)
        .map(|n| json!({ "displayName": format!("g{n}"), "members": [format!("p{n}"), "p2044"] }))
        .collect();
    let seed = Seed::parse(&json!({ "users": users, "groups": groups }).to_string()).unwrap();
    Simulator::new(&seed, switches).unwrap().with_time(NOW)
}

/// Reads; a directory that comes out must be the whole workspace as it is now.
async fn read(session: &Session) -> Result<(), String> {
    let directory = session.read().await.map_err(|error| error.to_string())?;
    let census = session.census();
    let read: BTreeSet<&str> = directory.users.iter().map(|user| user.id.as_str()).collect();
    assert_eq!(read, census.accounts.keys().map(String::as_str).collect());
    assert_eq!(directory.users.len(), read.len(), "somebody came twice");
    assert_eq!(directory.groups.len(), census.groups.len());
    for group in &directory.groups {
        let members: BTreeSet<String> =
            group.members.iter().map(|index| directory.user(*index).unwrap().id.to_string()).collect();
        assert_eq!(members, census.groups[group.id.as_str()].members, "{}", group.display_name);
        assert!(group.foreign_members.is_empty());
    }
    assert!(manners::writes(&session.simulator.requests()).is_empty());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn smaller_pages_than_asked_for_and_false_page_sizes_are_read_whole() {
    for set in [
        &[][..],
        &[("page-cap", "20")],
        &[("page-cap", "100")],
        &[("page-cap", "7")],
        &[("page-cap", "999")],
        &[("items-per-page", "requested")],
        &[("items-per-page", "requested"), ("page-cap", "100")],
        &[("wrap-past-end", "on"), ("page-cap", "100")],
        &[("members-per-page", "1")],
    ] {
        let session = Session::new(workspace(switched(set)));
        assert_eq!(read(&session).await, Ok(()), "{set:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn lists_that_cannot_be_known_to_be_whole_are_refused_with_the_reason() {
    for (set, reason) in [
        (&[("ignore-start-index", "on")][..], "it answered with the page from 1 on"),
        (&[("total-results-error", "1")], "2046"),
        (&[("total-results-error", "-1")], "44"),
        (&[("total-results-error", "1000"), ("wrap-past-end", "on")], ""),
        (&[("total-results-error", "-2000")], ""),
    ] {
        let session = Session::new(workspace(switched(set)));
        let why = read(&session).await.unwrap_err();
        assert!(why.starts_with("/Users") && why.contains(reason), "{set:?}: {why}");
    }
}

/// A workspace in which something happens before every request, as long as `busy` says so.
fn busy(change: impl Fn(&Simulator, usize) + Send + Sync + 'static) -> Session {
    let simulator = workspace(switched(&[("rate-limits", "off")]));
    let (inside, count) = (simulator.clone(), AtomicUsize::new(0));
    let carrier = InProcess::new(simulator.router())
        .with_hook(move |_, _| change(&inside, count.fetch_add(1, Ordering::Relaxed)));
    Session::over(simulator, carrier)
}

#[tokio::test(start_paused = true)]
async fn a_list_that_changes_once_is_read_again() {
    let session = busy(|simulator, request| {
        if request == 2 {
            simulator.edit(|world| drop(world.add_user("late", "late@w.example").cloned()));
        }
    });
    assert_eq!(read(&session).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_list_that_never_rests_is_refused() {
    let session = busy(|simulator, request| {
        simulator.edit(|world| {
            drop(world.add_user(&format!("n{request}"), &format!("n{request}@w.example")).cloned());
        });
    });
    let why = read(&session).await.unwrap_err();
    assert!(why.contains("/Users changed while it was read"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn a_group_that_goes_while_groups_are_read_is_no_group() {
    let session = busy(|simulator, request| {
        if request == 4 {
            simulator.edit(|world| world.delete_group("g1005"));
        }
    });
    assert_eq!(read(&session).await, Ok(()));
}
