//! Attribute paths: those inside filters, and those of PATCH operations (RFC 7644 §3.5.2).

use super::filter::Filter;
use super::lexer::Strictness;

/// `[URN:]attribute[.subAttribute]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AttributePath {
    /// The schema in front, without the separator.
    pub urn: Option<String>,
    /// The attribute; empty where the path names a whole schema.
    pub name: String,
    /// The sub-attribute.
    pub sub: Option<String>,
    /// What stood between schema and attribute.
    pub separator: Option<char>,
}

/// The target of a PATCH operation: an attribute path with, possibly, a filter in brackets.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PatchPath {
    pub attribute: AttributePath,
    /// The condition on the elements of the attribute.
    pub filter: Option<Filter>,
    /// The text as it came, for messages.
    pub text: String,
}

/// The text is no path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the path cannot be read")]
pub(crate) struct PathError;

/// A path longer than this is refused unread: a filter in brackets can hold a long name, not a book.
const LONGEST: usize = 10_000;

impl AttributePath {
    /// Reads an attribute path.
    ///
    /// A URN has dots (`…:2.0:User`) and colons of its own, so where it ends is found from the known names of schemas'
    /// last parts: `User`, `Group`, or a version such as `1.0` (S4, v1).
    pub(crate) fn parse(text: &str) -> Result<Self, PathError> {
        let (urn, rest, separator) = match split_urn(text) {
            Some((urn, rest, separator)) => (Some(urn.to_owned()), rest, separator),
            None => (None, text, None),
        };
        let (name, sub) = match rest.split_once('.') {
            Some((name, sub)) => (name, Some(sub)),
            None => (rest, None),
        };
        let whole_schema = urn.is_some() && rest.is_empty() && separator.is_none();
        if !(whole_schema || is_name(name)) || sub.is_some_and(|sub| !is_name(sub)) {
            return Err(PathError);
        }
        Ok(Self { urn, name: name.to_owned(), sub: sub.map(ToOwned::to_owned), separator })
    }

    /// Whether the path is `name` or `name.sub` outside any extension, in any letter case.
    pub(crate) fn is(&self, name: &str, sub: Option<&str>) -> bool {
        let same_sub = match (&self.sub, sub) {
            (None, None) => true,
            (Some(have), Some(want)) => have.eq_ignore_ascii_case(want),
            _ => false,
        };
        same_sub && self.name.eq_ignore_ascii_case(name)
    }
}

impl PatchPath {
    /// Reads the path of a PATCH operation.
    pub(crate) fn parse(text: &str, strictness: Strictness) -> Result<Self, PathError> {
        if text.len() > LONGEST {
            return Err(PathError);
        }
        let (head, filter, tail) = match text.split_once('[') {
            None => (text, None, ""),
            Some((head, rest)) => {
                // The last bracket closes: a string inside the filter may hold brackets of its own.
                let (inside, tail) = rest.rsplit_once(']').ok_or(PathError)?;
                let filter = Filter::parse(inside, strictness).map_err(|_| PathError)?;
                (head, Some(filter), tail)
            }
        };
        let mut attribute = AttributePath::parse(head)?;
        if filter.is_some() && attribute.name.is_empty() {
            return Err(PathError);
        }
        if !tail.is_empty() {
            let sub = tail.strip_prefix('.').filter(|sub| is_name(sub)).ok_or(PathError)?;
            if attribute.sub.is_some() {
                return Err(PathError);
            }
            attribute.sub = Some(sub.to_owned());
        }
        Ok(Self { attribute, filter, text: text.to_owned() })
    }
}

/// Splits a URN from what follows it: the URN, the rest, and what stood between.
fn split_urn(text: &str) -> Option<(&str, &str, Option<char>)> {
    if !text.get(..4)?.eq_ignore_ascii_case("urn:") {
        return None;
    }
    let mut start = 0;
    for part in text.split(':') {
        let end = start + part.len();
        let word = part.split_once('.').map_or(part, |(word, _)| word);
        if ["user", "group"].iter().any(|kind| word.eq_ignore_ascii_case(kind)) {
            let at = start + word.len();
            return Some((&text[..at], text.get(at + 1..).unwrap_or_default(), text[at..].chars().next()));
        }
        if part == "1.0" || part.starts_with("1.0.") {
            let at = start + "1.0".len();
            return Some((&text[..at], text.get(at + 1..).unwrap_or_default(), text[at..].chars().next()));
        }
        start = end + 1;
    }
    // A schema that nobody knows: the last colon is as good a guess as any.
    let (urn, rest) = text.rsplit_once(':')?;
    Some((urn, rest, Some(':')))
}

/// RFC 7643 §2.1: a letter, then letters, digits, `-` and `_`; and `$ref`.
fn is_name(text: &str) -> bool {
    let body = text.strip_prefix('$').unwrap_or(text);
    body.chars().next().is_some_and(|first| first.is_ascii_alphabetic())
        && body.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

    fn path(text: &str) -> PatchPath {
        PatchPath::parse(text, Strictness::Slack).unwrap_or_else(|_| panic!("{text}"))
    }

    #[test]
    fn every_form_of_s11_is_read() {
        let colon = path(&format!("{ENTERPRISE}:employeeNumber")).attribute;
        assert_eq!(
            (colon.urn.as_deref(), colon.name.as_str(), colon.separator),
            (Some(ENTERPRISE), "employeeNumber", Some(':'))
        );
        let dot = path(&format!("{ENTERPRISE}.manager.managerId")).attribute;
        assert_eq!(
            (dot.name.as_str(), dot.sub.as_deref(), dot.separator),
            ("manager", Some("managerId"), Some('.'))
        );
        let whole = path(ENTERPRISE).attribute;
        assert_eq!(
            (whole.urn.as_deref(), whole.name.as_str(), whole.separator),
            (Some(ENTERPRISE), "", None)
        );
        let v1 = path("urn:scim:schemas:extension:enterprise:1.0.department").attribute;
        assert_eq!(
            (v1.urn.as_deref(), v1.name.as_str()),
            (Some("urn:scim:schemas:extension:enterprise:1.0"), "department")
        );
        assert!(path("name.givenName").attribute.is("name", Some("givenname")));
        let value = path("emails[primary eq true].value");
        assert!(value.filter.is_some() && value.attribute.is("emails", Some("value")));
        assert!(path("members[value eq U123ABC456]").filter.is_some());
        assert!(path("members[value eq \"a]b\"]").filter.is_some());
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in [
            "",
            ".",
            "a.",
            "a..b",
            "a.b.c",
            "emails[",
            "emails]",
            "emails[]",
            "[a pr]",
            "emails[a pr]x",
            "a b",
            "1a",
            "urn:",
            "urn:x:User:",
        ] {
            assert_eq!(PatchPath::parse(text, Strictness::Rfc), Err(PathError), "{text}");
        }
        assert!(PatchPath::parse(&"a".repeat(20_000), Strictness::Rfc).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(urn:)?[a-zU:.\\[\\]\" é]{0,40}", any in "\\PC{0,60}") {
            PatchPath::parse(&text, Strictness::Slack).ok();
            PatchPath::parse(&any, Strictness::Rfc).ok();
        }
    }
}
