//! A PATCH, carried out by an engine that knows nothing of its encoder, does what the change says and nothing else.

use crate::engine::{self, parse_filter, parse_path};
use crate::slack_model;
use crate::worlds::{ENTERPRISE, change, decode, is_by_id, rfc_user, slack_user, wishes};
use model::attribute::Value;
use model::directory::User;
use model::{Action, Attribute, Change, Dialect, Edit, UserRef};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use scim_adapter::{encode, unmet};
use serde_json::Value as Json;

/// The seed is fixed so that a build does not depend on chance; another one finds as little in 20,000 cases.
fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 400,
        failure_persistence: None,
        max_global_rejects: 20_000,
        rng_seed: RngSeed::Fixed(7_644),
        ..ProptestConfig::default()
    }
}

fn edits(change: &Change) -> &[Edit] {
    match &change.action {
        Action::UpdateUser { edits, .. } => edits,
        _ => &[],
    }
}

fn body(change: &Change, dialect: Dialect) -> Json {
    serde_json::from_str(encode(change, dialect).request.body.unwrap().get()).unwrap()
}

/// Attributes outside the change keep their values.
fn assert_nothing_else(change: &Change, before: &User, after: &User) -> Result<(), TestCaseError> {
    for attribute in Attribute::all() {
        let is_edited = edits(change).iter().any(|edit| edit.attribute == attribute);
        // A full member has no expiry, whoever set it.
        let goes_along = attribute == Attribute::GuestExpires && before.guest && !after.guest;
        if !is_edited && !goes_along {
            prop_assert_eq!(before.get(attribute), after.get(attribute), "{:?}", attribute);
        }
    }
    let edited = |attribute| edits(change).iter().any(|edit| edit.attribute == attribute);
    prop_assert!(edited(Attribute::Active) || before.active == after.active);
    prop_assert!(edited(Attribute::Guest) || before.guest == after.guest);
    Ok(())
}

fn check_rfc(wire: &Json, wishes: &[(Attribute, Option<Value<UserRef>>)]) -> Result<(), TestCaseError> {
    let live = decode(wire, Dialect::Rfc);
    let Some(change) = change(&live, wishes, Dialect::Rfc) else {
        return Err(TestCaseError::reject("no change"));
    };
    let mut after = wire.clone();
    let body = body(&change, Dialect::Rfc);
    if let Err(error) = engine::apply(&mut after, &body) {
        return Err(TestCaseError::fail(format!("{error} in {body}")));
    }
    let now = decode(&after, Dialect::Rfc);

    let mut touched: Vec<(&str, Json)> = Vec::new();
    for edit in edits(&change) {
        let list = edit.attribute.row().path;
        let Some(selector) = &edit.selector else { continue };
        let filter = parse_filter(selector).map_err(TestCaseError::fail)?;
        let fitting: Vec<&Json> = wire[list].as_array().unwrap().iter().filter(|e| filter.fits(e)).collect();
        prop_assert_eq!(fitting.len(), 1, "{} fits {:?}", selector, fitting);
        touched.push((list, fitting[0].clone()));
    }
    // Another element moves up where a slot is cleared that more than one element could fill.
    let moved_up = |edit: &Edit| {
        let list = edit.attribute.row().path;
        let gone = |element: &Json| !after[list].as_array().is_some_and(|now| now.contains(element));
        let is_removed = touched.iter().any(|(other, element)| *other == list && gone(element));
        edit.after.is_none() && edit.selector.is_some() && is_removed
    };
    // Two elements without type or mark that change places are written anew, and a third one may move up.
    let written_anew = |edit: &Edit| {
        let start = format!("{}[", edit.attribute.row().path);
        let mut operations = body["Operations"].as_array().unwrap().iter();
        operations
            .any(|o| o["op"] == "remove" && o["path"].as_str().is_some_and(|path| path.starts_with(&start)))
            && wire[edit.attribute.row().path].as_array().is_some_and(|list| list.len() > 2)
    };
    let clears_slot = edits(&change)
        .iter()
        .any(|edit| (edit.after.is_none() && edit.selector.is_some()) || written_anew(edit));
    let missing = unmet(edits(&change), &now, Dialect::Rfc, is_by_id);
    for edit in edits(&change) {
        prop_assert!(
            !missing.contains(&edit.attribute) || moved_up(edit) || written_anew(edit),
            "{:?} of {} gave {}",
            edit.attribute,
            body,
            after
        );
    }
    for list in ["emails", "phoneNumbers", "addresses", "photos", "roles"] {
        for element in wire[list].as_array().unwrap() {
            let is_touched = touched.iter().any(|(other, e)| *other == list && e == element);
            let is_there = after[list].as_array().is_some_and(|now| now.contains(element));
            prop_assert!(is_touched || is_there, "{} is lost by {}", element, body);
        }
    }
    let (was, is) = (&wire[ENTERPRISE]["manager"], &after[ENTERPRISE]["manager"]);
    prop_assert!(was["value"] == is["value"] || is["displayName"].is_null(), "{} gave {}", body, after);
    prop_assert_eq!(&after["name"]["formatted"], "kept");
    prop_assert_eq!(&after["nickName"], "kept");
    if !clears_slot {
        assert_nothing_else(&change, &live, &now)?;
    }
    Ok(())
}

fn check_slack(
    wire: &Json,
    wishes: &[(Attribute, Option<Value<UserRef>>)],
    apply: fn(&mut Json, &Json) -> Result<(), String>,
    apart_from: &[Attribute],
) -> Result<(), TestCaseError> {
    let live = decode(wire, Dialect::Slack);
    let wishes: Vec<_> =
        wishes.iter().filter(|(attribute, _)| !apart_from.contains(attribute)).cloned().collect();
    let Some(change) = change(&live, &wishes, Dialect::Slack) else {
        return Err(TestCaseError::reject("no change"));
    };
    let mut after = wire.clone();
    let body = body(&change, Dialect::Slack);
    if let Err(error) = apply(&mut after, &body) {
        return Err(TestCaseError::fail(format!("{error} in {body}")));
    }
    let now = decode(&after, Dialect::Slack);
    prop_assert_eq!(unmet(edits(&change), &now, Dialect::Slack, is_by_id), vec![], "{} gave {}", body, after);
    assert_nothing_else(&change, &live, &now)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn an_rfc_engine_does_what_the_change_says_and_nothing_else(wire in rfc_user(), wishes in wishes()) {
        check_rfc(&wire, &wishes)?;
    }

    #[test]
    fn slacks_slots_end_as_the_change_says(wire in slack_user(), wishes in wishes()) {
        check_slack(&wire, &wishes, slack_model::apply, &[])?;
    }

    /// The phone numbers' labels and the photo are Slack's own manner, which an engine cannot know.
    #[test]
    fn an_rfc_engine_agrees_about_the_rest_of_what_slack_is_sent(wire in slack_user(), wishes in wishes()) {
        check_slack(&wire, &wishes, engine::apply, &[Attribute::Phone, Attribute::MobilePhone, Attribute::Photo])?;
    }

    #[test]
    fn every_path_of_a_first_choice_keeps_to_the_grammar(wire in slack_user(), wishes in wishes()) {
        let live = decode(&wire, Dialect::Slack);
        let Some(change) = change(&live, &wishes, Dialect::Slack) else { return Err(TestCaseError::reject("no change")) };
        let body = body(&change, Dialect::Slack);
        for operation in body["Operations"].as_array().unwrap() {
            let path = operation["path"].as_str().unwrap();
            prop_assert!(parse_path(path).is_ok(), "{}", path);
            prop_assert!(["add", "replace", "remove"].contains(&operation["op"].as_str().unwrap()));
        }
        let again = encode(&change, Dialect::Slack).request.body.unwrap();
        prop_assert_eq!(again.get(), body.to_string());
    }
}

/// Two addresses that only what one of them lacks tells apart: the filter has to follow what its own operations change.
#[test]
fn a_filter_by_the_parts_of_an_address_follows_the_changes_of_these_parts() {
    let wire = serde_json::json!({ "id": "U1", "userName": "ada", "emails": [{ "value": "a@x" }], "addresses": [
        { "type": "work", "postalCode": "1" }, { "type": "work", "postalCode": "1", "region": "R" },
    ] });
    let live = decode(&wire, Dialect::Rfc);
    let text = |text: &str| Some(Value::Text(text.into()));
    let wishes =
        [(Attribute::Region, text("R")), (Attribute::PostalCode, text("2")), (Attribute::Country, text("C"))];
    let change = change(&live, &wishes, Dialect::Rfc).unwrap();
    let mut after = wire.clone();
    engine::apply(&mut after, &body(&change, Dialect::Rfc)).unwrap();
    assert_eq!(unmet(edits(&change), &decode(&after, Dialect::Rfc), Dialect::Rfc, is_by_id), []);
    assert_eq!(after["addresses"][1], wire["addresses"][1]);
}
