//! The `policy`: of a roster, or of a file of its own.

use super::codes;
use super::fields::{Fields, list, unknown_key, wrong_type};
use super::findings::{Findings, closest, did_you_mean, either, quote};
use super::node::{Node, Value};
use super::scalars;
use crate::attribute::{Attribute, TABLE};
use crate::place::Located;
use crate::policy::{
    AttributeMode, Limit, Limits, Pattern, Policy, Protect, Unlisted, UnlistedGroups, UnlistedMembers,
    UnlistedUsers,
};

/// The keys of a policy.
pub(super) const POLICY_KEYS: &[&str] = &["unlisted", "protect", "limits", "emailDomains", "attributes"];
/// Keys that stand for all attributes below them.
pub(crate) const ATTRIBUTE_GROUPS: &[&str] = &["name", "address", "guest"];

/// Reads a policy from its fields; what is not said keeps its default.
pub(super) fn policy(fields: &Fields<'_, '_>, findings: &mut Findings) -> Policy {
    let mut policy = Policy::default();
    // A section whose lines are all commented out is null, and says nothing.
    let section = |name: &str| fields.node(name).filter(|node| !node.is_null());
    if let Some(node) = section("unlisted") {
        unlisted(node, &mut policy.unlisted, findings);
    }
    if let Some(node) = section("protect") {
        protect(node, &mut policy.protect, findings);
    }
    if let Some(node) = section("limits")
        && let Some(fields) = Fields::read(node, "`limits`", Limits::KEYS, findings)
    {
        for (name, _, node) in fields.iter() {
            if let (Some(limit), Some(slot)) = (limit(node, name, findings), slot(&mut policy.limits, name)) {
                *slot = limit;
            }
        }
    }
    if let Some(node) = fields.node("emailDomains") {
        policy.email_domains = email_domains(node, findings);
    }
    if let Some(node) = section("attributes") {
        attributes(node, &mut policy, findings);
    }
    policy
}

fn unlisted(node: &Node<'_>, unlisted: &mut Unlisted, findings: &mut Findings) {
    let Some(fields) = Fields::read(node, "`unlisted`", &["users", "groups", "members"], findings) else {
        return;
    };
    let mut take = |name: &str, choices: &[&'static str]| choice(fields.node(name)?, name, choices, findings);
    match take("users", &["keep", "deactivate"]) {
        Some("keep") => unlisted.users = UnlistedUsers::Keep,
        Some(_) => unlisted.users = UnlistedUsers::Deactivate,
        None => {}
    }
    match take("groups", &["keep", "delete"]) {
        Some("keep") => unlisted.groups = UnlistedGroups::Keep,
        Some(_) => unlisted.groups = UnlistedGroups::Delete,
        None => {}
    }
    match take("members", &["remove", "keep"]) {
        Some("keep") => unlisted.members = UnlistedMembers::Keep,
        Some(_) => unlisted.members = UnlistedMembers::Remove,
        None => {}
    }
}

fn choice(
    node: &Node<'_>,
    what: &str,
    choices: &[&'static str],
    findings: &mut Findings,
) -> Option<&'static str> {
    let Value::Text { text, .. } = node.value() else {
        wrong_type(node, quote(what), &either(choices), findings);
        return None;
    };
    let found = choices.iter().copied().find(|choice| choice == text);
    if found.is_none() {
        findings.error(
            codes::UNKNOWN_VALUE,
            node.place,
            format!("{} takes {}, and this is {}", quote(what), either(choices), quote(text)),
            did_you_mean(closest(text, choices.iter().copied()), || format!("write {}", either(choices))),
        );
    }
    found
}

fn protect(node: &Node<'_>, protect: &mut Protect, findings: &mut Findings) {
    let Some(fields) = Fields::read(node, "`protect`", &["users", "groups"], findings) else { return };
    let mut patterns = |name: &str| -> Vec<Located<Pattern>> {
        let Some(node) = fields.node(name) else { return Vec::new() };
        let nodes = list(node, &quote(name), "a list of names", findings).unwrap_or_default();
        nodes
            .iter()
            .filter_map(|node| scalars::text(node, "an entry of `protect`", findings))
            .map(|text| text.map(Pattern::new))
            .collect()
    };
    protect.users = patterns("users");
    protect.groups = patterns("groups");
}

fn slot<'l>(limits: &'l mut Limits, name: &str) -> Option<&'l mut Limit> {
    Some(match name {
        "deactivateUsers" => &mut limits.deactivate_users,
        "createUsers" => &mut limits.create_users,
        "changeEmails" => &mut limits.change_emails,
        "changeUserNames" => &mut limits.change_user_names,
        "convertGuests" => &mut limits.convert_guests,
        "removeMembers" => &mut limits.remove_members,
        "removeMembersPerGroup" => &mut limits.remove_members_per_group,
        "emptyGroups" => &mut limits.empty_groups,
        "deleteGroups" => &mut limits.delete_groups,
        _ => return None,
    })
}

/// `N`, `P%`, or both as `{ atLeast: N, percent: P }`.
fn limit(node: &Node<'_>, name: &str, findings: &mut Findings) -> Option<Limit> {
    match node.value() {
        Value::Text { text, .. } => {
            let percent = text.trim().strip_suffix('%');
            let number = whole_number(percent.unwrap_or(text.trim()));
            match (percent, number) {
                (None, Some(at_least)) => Some(Limit { at_least, percent: 0 }),
                (Some(_), Some(percent)) if percent <= 100 => Some(Limit { at_least: 0, percent }),
                _ => invalid_limit(node, name, findings),
            }
        }
        Value::Map(_) => {
            let fields = Fields::read(node, &quote(name), &["atLeast", "percent"], findings)?;
            let mut take = |key: &str, max: u32| match fields.node(key) {
                None => Some(0),
                Some(node) => match node.value() {
                    Value::Text { text, .. } => whole_number(text).filter(|n| *n <= max),
                    _ => None,
                }
                .or_else(|| invalid_limit(node, key, findings)),
            };
            let (at_least, percent) = (take("atLeast", u32::MAX), take("percent", 100));
            Some(Limit { at_least: at_least?, percent: percent? })
        }
        Value::Null | Value::List(_) | Value::Shared(_) => invalid_limit(node, name, findings),
        Value::Broken => None,
    }
}

fn whole_number(text: &str) -> Option<u32> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn invalid_limit<T>(node: &Node<'_>, name: &str, findings: &mut Findings) -> Option<T> {
    findings.error(
        codes::INVALID_LIMIT,
        node.place,
        format!("{} takes a limit, and this is {}", quote(name), node.found()),
        "write a whole number, a percentage from `0%` to `100%`, or `{ atLeast: 5, percent: 2 }`",
    );
    None
}

fn email_domains(node: &Node<'_>, findings: &mut Findings) -> Option<Vec<Located<Box<str>>>> {
    let nodes = list(node, "`emailDomains`", "a list of domains such as `[acme.example]`", findings)?;
    if nodes.is_empty() {
        findings.error(
            codes::EMPTY_VALUE,
            node.place,
            "`emailDomains` is empty, so that no address would be allowed",
            "name the domains, or leave the key out to allow any",
        );
        return None;
    }
    // Each domain is looked at, so that all mistakes are reported; one mistake makes the list unfit to judge by.
    let domains: Vec<_> = nodes.iter().map(|node| domain(node, findings)).collect();
    domains.into_iter().collect()
}

fn domain(node: &Node<'_>, findings: &mut Findings) -> Option<Located<Box<str>>> {
    let text = scalars::text(node, "a domain", findings)?;
    let refused = |c: char| c.is_whitespace() || matches!(c, '@' | '*' | '/' | ':' | ',');
    if text.value.split('.').any(str::is_empty) || text.value.contains(refused) {
        let bare = text.value.trim_start_matches(['@', '*', '.']);
        findings.error(
            codes::INVALID_DOMAIN,
            text.place,
            format!("{} is not a domain", quote(text.value)),
            format!(
                "write the part after the `@` of an address, such as {}; subdomains are listed one by one",
                quote(if bare.is_empty() || bare.contains(refused) { "acme.example" } else { bare })
            ),
        );
        return None;
    }
    Some(Located::new(text.value.to_lowercase().into(), text.place))
}

fn attributes(node: &Node<'_>, policy: &mut Policy, findings: &mut Findings) {
    let known: Vec<&'static str> = ATTRIBUTE_GROUPS
        .iter()
        .copied()
        .chain(TABLE.iter().map(|row| row.key).filter(|key| !ATTRIBUTE_GROUPS.contains(key)))
        .collect();
    let Value::Map(entries) = node.value() else {
        return wrong_type(node, "`attributes`", "a mapping such as `{ title: enforce }`", findings);
    };
    let mut modes = Vec::new();
    for (key, node) in entries {
        let name = known.iter().copied().find(|name| *name == key.value);
        let name = name.or_else(|| unknown_key(key, "`attributes`", &known, |_| true, findings));
        let mode = choice(node, &key.value, &["enforce", "onCreate", "ignore"], findings);
        let (Some(name), Some(mode)) = (name, mode) else { continue };
        let mode = match mode {
            "onCreate" => AttributeMode::OnCreate,
            "ignore" => AttributeMode::Ignore,
            _ => AttributeMode::Enforce,
        };
        modes.push((name, mode));
    }
    // What is said of one attribute counts more than what is said of all in its mapping, whichever comes first.
    modes.sort_by_key(|(name, _)| !ATTRIBUTE_GROUPS.contains(name));
    for (name, mode) in modes {
        let below =
            |key: &str| key.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        for attribute in Attribute::all().filter(|attribute| below(attribute.key())) {
            policy.attributes.set(attribute, mode);
        }
    }
}
