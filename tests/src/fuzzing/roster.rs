//! Rosters: whatever is accepted keeps Slack's rules, and Slack takes it.

use super::{parts, paused};
use crate::session::Session;
use model::attribute::{Attribute, Value};
use model::load::{CODES, Loaded, load};
use model::place::Source;
use model::roster::{EntryIndex, UserEntry, Wish};
use model::run::Ending;
use model::{Diagnostic, Place, Roster, Severity, Sources};
use slack_sim::{RateLimits, Switches};
use std::collections::HashSet;

/// The most people of a roster that is also applied, which takes a request each.
const APPLIED: usize = 12;

/// Loads a roster: its first two parts are files, a third is a policy file.
pub fn roster(data: &[u8]) {
    let texts: Option<Vec<&str>> =
        parts(data).into_iter().map(|part| std::str::from_utf8(part).ok()).collect();
    let Some(texts) = texts else { return };
    let source = |(at, text): (usize, &&str)| Source { path: format!("{at}.yaml"), text: (*text).to_owned() };
    let files = texts.iter().enumerate().take(2).map(source).collect();
    match load(files, texts.iter().enumerate().nth(2).map(source)) {
        Ok(Loaded { roster, warnings }) => {
            diagnostics(&warnings, &roster.sources);
            assert!(warnings.iter().all(|finding| finding.severity == Severity::Warning));
            accepted(&roster);
            if roster.users.len() <= APPLIED {
                applied(&roster);
            }
        }
        Err(rejected) => {
            diagnostics(&rejected.diagnostics, &rejected.sources);
            assert!(rejected.diagnostics.iter().any(|finding| finding.severity == Severity::Error));
        }
    }
}

/// Every finding has a documented code and a place in its file.
fn diagnostics(list: &[Diagnostic], sources: &Sources) {
    for finding in list {
        assert!(CODES.contains(&finding.code), "{}", finding.code);
        for label in std::iter::once(&finding.label).chain(&finding.related) {
            if let Some(Place { source, start, len, .. }) = label.place {
                let text = &sources.get(source).expect("a file of the roster").text;
                let place = start as usize..start as usize + len as usize;
                assert!(text.get(place).is_some(), "{finding:?}");
            }
        }
    }
}

/// What the sheet (S6) and design §3 say of every roster.
fn accepted(roster: &Roster) {
    assert!(!roster.users.is_empty());
    let mut names = HashSet::new();
    let mut addresses = HashSet::new();
    for entry in &roster.users {
        let name = entry.user_name.value.as_str();
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-_".contains(c);
        assert!((1..=21).contains(&name.len()) && name.chars().all(fits), "{name:?}");
        assert!(names.insert(name), "{name} twice");
        let secondary = text(entry, Attribute::SecondaryEmail);
        for address in std::iter::once(&*entry.email.value).chain(secondary) {
            assert_eq!(address.matches('@').count(), 1, "{address:?}");
            assert!(!address.contains(char::is_whitespace), "{address:?}");
            assert!(addresses.insert(address.to_lowercase()), "{address} twice");
        }
        assert!(entry.settings.is_sorted_by(|a, b| a.attribute < b.attribute), "{:?}", entry.settings);
        for setting in &entry.settings {
            match &setting.wish {
                Wish::Set(Value::Text(text)) => {
                    let most = setting.attribute.row().max_chars.unwrap_or(usize::MAX);
                    assert!(text.chars().count() <= most && !text.contains(char::is_control), "{setting:?}");
                }
                Wish::Set(Value::Person(person)) => {
                    let manager = roster.user(*person).expect("somebody of the roster");
                    assert_ne!(manager.user_name.value, entry.user_name.value, "their own manager");
                }
                _ => {}
            }
        }
        assert!(!text(entry, Attribute::DisplayName).is_some_and(|name| name.contains('@')));
    }
    let mut groups = HashSet::new();
    for group in roster.groups.iter().flatten() {
        let name = &*group.display_name.value;
        assert!(!name.trim().is_empty() && !name.contains(char::is_control), "{name:?}");
        assert!(groups.insert(name.trim().to_lowercase()), "{name} twice");
        let mut members: HashSet<EntryIndex> = HashSet::new();
        for member in group.members.iter().flat_map(|members| &members.list) {
            let person = roster.user(member.user).expect("somebody of the roster");
            assert!(person.active.value, "a deactivated member");
            assert!(members.insert(member.user), "a member twice");
        }
    }
}

fn text(entry: &UserEntry, attribute: Attribute) -> Option<&str> {
    match entry.setting(attribute).map(|setting| &setting.wish) {
        Some(Wish::Set(Value::Text(text))) => Some(text),
        _ => None,
    }
}

/// The words by which Slack refuses what a roster must not hold (sheet S16). What it alone can know, such as a reserved
/// name, a domain or a channel of the same name, is not among them.
const OUR_BUSINESS: &[&str] = &[
    "email_empty",
    "email_taken",
    "improper_enterprise_schema_format",
    "invalid_name_maxlength",
    "invalid_name_specials",
    "invalid_request_payload",
    "invalid_starts_with_at",
    "long_username",
    "missing_primary_email",
    "missing_schema_element",
    "name_already_exists",
    "truncation_error",
    "unknown_user",
    "username_empty",
    "username_invalid",
    "username_required",
    "username_too_long",
];

/// Applied to an empty workspace, nothing is refused that the roster's reader should have refused, and whatever is made
/// is in sync afterwards.
fn applied(roster: &Roster) {
    paused().block_on(async {
        let switches = Switches { rate_limits: RateLimits::Off, ..Switches::default() };
        let session = Session::start("{}", switches);
        // An id that nobody has, a manager without an account: no plan comes of it.
        let Ok(plan) = session.plan(roster).await else { return };
        let report = session.carry_out(roster, &plan).await;
        for outcome in &report.outcomes {
            if let Ending::Refused { why, .. } = &outcome.ending {
                assert!(!OUR_BUSINESS.iter().any(|word| why.contains(word)), "{why}");
            }
        }
        assert!(session.simulator.requests().iter().all(|request| request.status < 500), "{report:?}");
    });
}
