//! Single values: text, flags, addresses, URLs, dates.

use super::codes;
use super::fields::wrong_type;
use super::findings::{Findings, Quoted, quote};
use super::node::{Node, Value};
use crate::attribute::{Clearing, Row, ValueKind};
use crate::diagnostic::Diagnostic;
use crate::place::{Located, Place};
use crate::{UserName, attribute, time};
use jiff::{Timestamp, civil::Date};
use smol_str::SmolStr;
use std::fmt;

/// A text with at least one character that is not blank, without the blanks around it: the service does not keep
/// those (sheet S5), and a roster that differs from the service in blanks alone would never be in sync.
pub(super) fn text<'n>(
    node: &'n Node<'_>,
    what: impl fmt::Display,
    findings: &mut Findings,
) -> Option<Located<&'n str>> {
    let Value::Text { text, .. } = node.value() else {
        wrong_type(node, what, "text", findings);
        return None;
    };
    let trimmed = text.trim_matches([' ', '\t']);
    if trimmed.is_empty() {
        findings.error(
            codes::EMPTY_VALUE,
            node.place,
            format!("{what} is empty"),
            "write a text, or leave the key out",
        );
        return None;
    }
    // The bytes that a control character begins with; a look at them spares most texts a closer one.
    let may_control = trimmed.bytes().fold(false, |any, b| any | matches!(b, 0..=0x1f | 0x7f | 0xc2));
    if may_control && let Some(c) = trimmed.chars().find(|c| c.is_control()) {
        let help =
            if c == '\n' { "write it on one line, without `|` or `>`" } else { "remove the character" };
        findings.error(
            codes::CONTROL_CHARACTER,
            node.place,
            format!("{what} contains the control character U+{:04X}", u32::from(c)),
            help,
        );
        return None;
    }
    Some(Located::new(trimmed, node.place))
}

/// `true` or `false` in any letter case of YAML's core schema, unquoted.
pub(super) fn flag(node: &Node<'_>, what: impl fmt::Display, findings: &mut Findings) -> Option<bool> {
    if let Value::Text { text, plain } = node.value() {
        match &**text {
            "true" | "True" | "TRUE" if *plain => return Some(true),
            "false" | "False" | "FALSE" if *plain => return Some(false),
            _ => {}
        }
        let help = match text.to_ascii_lowercase().as_str() {
            "yes" | "y" | "on" | "1" | "true" => "write `true`, without quotes",
            "no" | "n" | "off" | "0" | "false" => "write `false`, without quotes",
            _ => "write `true` or `false`",
        };
        let message = format!("{what} takes `true` or `false`, and this is {}", node.found());
        findings.error(codes::WRONG_TYPE, node.place, message, help);
        return None;
    }
    wrong_type(node, what, "`true` or `false`", findings);
    None
}

/// A value of one row of the table that is neither `null` nor a person.
pub(super) fn value(
    node: &Node<'_>,
    row: &Row,
    findings: &mut Findings,
) -> Option<attribute::Value<crate::roster::EntryIndex>> {
    use attribute::Value as Wanted;
    if row.kind == ValueKind::Flag {
        return flag(node, Quoted(row.key), findings).map(Wanted::Flag);
    }
    if let Value::Text { text, .. } = node.value()
        && text.trim().is_empty()
    {
        let help = match row.clearing {
            Clearing::Possible => "write `null` to clear it, or leave the key out",
            Clearing::Impossible(_) => "write a value, or leave the key out",
        };
        findings.error(codes::EMPTY_VALUE, node.place, format!("{} is empty", quote(row.key)), help);
        return None;
    }
    let text = text(node, Quoted(row.key), findings)?;
    if let Some(max) = row.max_chars {
        let length = text.value.chars().count();
        if length > max {
            findings.error(
                codes::TOO_LONG,
                text.place,
                format!("{} has {length} characters; Slack takes at most {max}", quote(row.key)),
                "shorten it",
            );
            return None;
        }
    }
    match row.kind {
        ValueKind::Email => email(text, findings).map(Wanted::Text),
        ValueKind::Url => url(text, row, findings).map(Wanted::Text),
        ValueKind::StartDate => match date(text, row.key, findings)? {
            Moment::Day(day) => Some(Wanted::Day(day)),
            Moment::Instant(instant) => Some(Wanted::Instant(instant)),
        },
        ValueKind::Expiry => match date(text, row.key, findings)? {
            Moment::Day(day) => time::end_of_day(day).map(Wanted::Instant),
            Moment::Instant(instant) => Some(Wanted::Instant(instant)),
        },
        ValueKind::Text | ValueKind::UserName | ValueKind::Person | ValueKind::Flag => {
            Some(Wanted::Text(text.value.into()))
        }
    }
}

/// A userName, folded. The text is returned with the error so that references to it are not reported as well.
pub(super) fn user_name<'n>(
    text: Located<&'n str>,
    findings: &mut Findings,
) -> Result<Located<UserName>, &'n str> {
    UserName::parse(text.value).map(|name| Located::new(name, text.place)).map_err(|error| {
        let help = if error.suggestion.is_empty() {
            "write the name with these characters".to_owned()
        } else {
            format!("write {}", quote(&error.suggestion))
        };
        findings.error(
            codes::INVALID_USER_NAME,
            text.place,
            format!(
                "{} is not a userName: Slack allows a-z 0-9 . _ - and at most {} characters",
                quote(text.value),
                crate::names::USER_NAME_MAX
            ),
            help,
        );
        text.value
    })
}

/// An e-mail address: one `@`, something on both sides, nothing that only occurs in an address with a name or in a
/// list of addresses. Whether it exists is the service's business.
pub(super) fn email(text: Located<&str>, findings: &mut Findings) -> Option<SmolStr> {
    let refused = |c: char| c.is_whitespace() || matches!(c, '<' | '>' | ',' | ';' | '"' | '(' | ')' | '\\');
    let problem = match text.value.split_once('@') {
        None => "it has no `@`",
        Some((_, domain)) if domain.contains('@') => "it has more than one `@`",
        _ if text.value.contains(refused) => "it contains a blank or a character that is not allowed",
        Some(("", _)) => "nothing stands before the `@`",
        Some((_, domain)) if domain.is_empty() || domain.split('.').any(str::is_empty) => {
            "its domain is not complete"
        }
        Some(_) => return Some(text.value.into()),
    };
    findings.error(
        codes::INVALID_EMAIL,
        text.place,
        format!("{} is not an e-mail address: {problem}", quote(text.value)),
        "write it as `ada@acme.example`",
    );
    None
}

/// An id of the service: opaque, but it becomes part of a URL's path.
pub(super) fn id<'n>(node: &'n Node<'_>, findings: &mut Findings) -> Option<Located<&'n str>> {
    if node.is_null() {
        findings.error(codes::NOT_NULL, node.place, "`id` cannot be null", "leave the key out");
        return None;
    }
    let text = text(node, "`id`", findings)?;
    if text.value.contains(|c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '%' | '\\')) {
        findings.error(
            codes::INVALID_ID,
            text.place,
            format!("{} is not an id: it contains a blank or one of / ? # % \\", quote(text.value)),
            "copy the id from Slack, such as `U0EXAMPLE1` or `S0EXAMPLE1`",
        );
        return None;
    }
    Some(text)
}

fn url(text: Located<&str>, row: &Row, findings: &mut Findings) -> Option<SmolStr> {
    let may_be_data = row.attribute == crate::Attribute::Photo;
    let lower: String = text.value.chars().take(8).flat_map(char::to_lowercase).collect();
    let host = ["https://", "http://"].iter().find(|scheme| lower.starts_with(**scheme)).map(|scheme| {
        text.value.get(scheme.len()..).unwrap_or_default().split(['/', '?', '#']).next().unwrap_or_default()
    });
    let is_url = host.is_some_and(|host| !host.is_empty()) || may_be_data && lower.starts_with("data:");
    if is_url && !text.value.contains(char::is_whitespace) {
        return Some(text.value.into());
    }
    let wanted = if may_be_data { "`https://`, `http://` or `data:`" } else { "`https://` or `http://`" };
    findings.error(
        codes::INVALID_URL,
        text.place,
        format!("{} is not a URL", quote(text.value)),
        format!("a URL begins with {wanted} and has no blanks"),
    );
    None
}

enum Moment {
    Day(Date),
    Instant(Timestamp),
}

/// A day as `2026-01-31`, or an RFC 3339 instant with its offset.
fn date(text: Located<&str>, key: &str, findings: &mut Findings) -> Option<Moment> {
    let is_day = text.value.len() == 10 && has_shape(text.value, "dddd-dd-dd");
    let is_instant = text.value.get(..10).is_some_and(|day| has_shape(day, "dddd-dd-dd"))
        && text.value.bytes().skip(10).all(|b| b.is_ascii_digit() || b":.+-TtZz".contains(&b));
    let parsed = if is_day {
        text.value.parse().ok().map(Moment::Day)
    } else if is_instant {
        text.value.parse().ok().map(Moment::Instant)
    } else {
        None
    };
    if parsed.is_none() {
        let (problem, help) = if is_day {
            ("there is no such day", "look at the month and the day")
        } else if is_instant {
            (
                "it is not a complete RFC 3339 time",
                "write it as `2026-01-31T17:00:00Z`, with `Z` or an offset",
            )
        } else {
            ("it is neither a day nor an RFC 3339 time", "write it as `2026-01-31` or `2026-01-31T17:00:00Z`")
        };
        findings.error(
            codes::INVALID_DATE,
            text.place,
            format!("{} is not a date for {}: {problem}", quote(text.value), quote(key)),
            help,
        );
    }
    parsed
}

fn has_shape(text: &str, shape: &str) -> bool {
    text.len() == shape.len()
        && text.bytes().zip(shape.bytes()).all(|(b, s)| if s == b'd' { b.is_ascii_digit() } else { b == s })
}

/// A time zone that looks like an IANA name: `Area/City` or one of the few names without an area. There is no
/// database here, because its releases would decide whether a roster is right.
pub(super) fn timezone(value: &str, place: Place, findings: &mut Findings) -> bool {
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic())
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+-".contains(&b))
    };
    let single = ["UTC", "GMT", "Zulu", "Universal"].contains(&value);
    if single || value.contains('/') && value.split('/').all(part) {
        return true;
    }
    let spelled = value.replace('\\', "/").replace(' ', "_");
    let help = if spelled.contains('/') && spelled.split('/').all(part) {
        format!("did you mean {}?", quote(&spelled))
    } else {
        "write an IANA name such as `Europe/London`, or `UTC`".to_owned()
    };
    findings.error(
        codes::INVALID_TIMEZONE,
        place,
        format!("{} is not the name of a time zone", quote(value)),
        help,
    );
    false
}

/// Slack refuses emoji in values (sheet S6: `invalid_emoji_not_allowed`) without saying in which, so this warns.
pub(super) fn warn_of_emoji(value: &str, place: Place, key: &str, findings: &mut Findings) {
    let is_emoji = |c: char| matches!(c, '\u{1F300}'..='\u{1FAFF}' | '\u{1F1E6}'..='\u{1F1FF}' | '\u{FE0F}' | '\u{2600}'..='\u{27BF}');
    if !value.is_ascii() && value.contains(is_emoji) {
        findings.report(
            Diagnostic::warning(
                codes::EMOJI,
                place,
                format!("{} contains an emoji, which Slack may refuse", quote(key)),
            )
            .help("remove it if Slack answers `invalid_emoji_not_allowed`"),
        );
    }
}

/// Slack's rules for display names beyond their length (sheet S6: `invalid_starts_with_at`, `invalid_name_specials`).
pub(super) fn display_name(value: &str, place: Place, findings: &mut Findings) -> bool {
    if !value.contains('@') {
        return true;
    }
    let without: String = value.chars().filter(|c| *c != '@').collect();
    findings.error(
        codes::INVALID_DISPLAY_NAME,
        place,
        format!("Slack allows no `@` in a display name, and {} has one", quote(value)),
        format!("write {}", quote(without.trim())),
    );
    false
}
