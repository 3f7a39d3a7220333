//! Errors in every shape in which they come (sheet S16).

use super::lenient::{List, Text, lenient_object};

lenient_object! {
    /// The RFC's error (RFC 7644 §3.12) and Slack's older one, which may stand in one body.
    Body {
        detail: Text = "detail",
        scim_type: Text = "scimType",
        errors: List<Entry> = "Errors",
    }
}

lenient_object! {
    /// An entry of the older shape: an object at Slack, an array of objects in SCIM 1.1.
    Entry {
        description: Text = "description",
    }
    text description
}

/// What an error answer says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ErrorBody {
    /// The service's words, bounded.
    pub(crate) detail: String,
    /// The RFC's `scimType`.
    pub(crate) scim_type: Option<String>,
}

/// The most characters of a service's words that are kept.
const MAX_DETAIL_CHARS: usize = 500;

impl ErrorBody {
    /// Reads what an error's body says: `detail`, else `Errors.description`, else the text itself.
    pub(crate) fn read(body: &[u8]) -> Self {
        let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
        if first == Some(&b'{')
            && let Ok(Body { detail, scim_type, errors }) = serde_json::from_slice(body)
        {
            let older = || errors.as_slice().iter().find_map(|entry| entry.description.0.clone());
            let detail = bounded(detail.0.or_else(older).as_deref().unwrap_or_default());
            return Self { detail, scim_type: scim_type.0.map(Into::into) };
        }
        let detail =
            if looks_like_html(body) { String::new() } else { bounded(&String::from_utf8_lossy(head(body))) };
        Self { detail, ..Self::default() }
    }

    /// The code word: Slack's is the first word of its text (sheet S16), the RFC's is `scimType`.
    pub(crate) fn code(&self) -> Option<String> {
        let first = self.detail.split_whitespace().next().unwrap_or_default();
        let word = first.trim_end_matches([':', '.', ',']);
        let is_code = word.contains('_') && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if is_code { Some(word.to_owned()) } else { self.scim_type.clone() }
    }
}

fn head(body: &[u8]) -> &[u8] {
    body.get(..body.len().min(4 * MAX_DETAIL_CHARS)).unwrap_or_default()
}

fn bounded(text: &str) -> String {
    let text = text.trim();
    match text.char_indices().nth(MAX_DETAIL_CHARS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Whether a body is a web page.
pub(crate) fn looks_like_html(body: &[u8]) -> bool {
    let start =
        String::from_utf8_lossy(body.get(..body.len().min(256)).unwrap_or_default()).to_ascii_lowercase();
    let start = start.trim_start_matches('\u{feff}').trim_start();
    start.starts_with("<!doctype html") || start.starts_with("<html") || start.starts_with("<head")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> ErrorBody {
        ErrorBody::read(body.as_bytes())
    }

    #[test]
    fn the_code_word_is_found_in_every_shape() {
        let code = |body| read(body).code();
        let word = |w: &str| Some(w.to_owned());
        assert_eq!(
            code(r#"{"schemas":["x"],"detail":"missing_schema_element","status":400}"#),
            word("missing_schema_element")
        );
        assert_eq!(
            code(r#"{"Errors":{"description":"username_not_allowed (user=ada)","code":400}}"#),
            word("username_not_allowed")
        );
        assert_eq!(
            code(r#"{"Errors":[{"description":"email_taken existing_user=U1","code":"409"}]}"#),
            word("email_taken")
        );
        assert_eq!(
            code(r#"{"detail":"The filter is wrong","scimType":"invalidFilter","status":"400"}"#),
            word("invalidFilter")
        );
        assert_eq!(code("too_many_requests"), word("too_many_requests"));
        assert_eq!(code("<html>no_such_thing</html>"), None);
        assert_eq!(code("{"), None);
        assert_eq!(code(""), None);
    }

    #[test]
    fn long_words_are_cut() {
        assert_eq!(read(&"ü".repeat(5_000)).detail.chars().count(), 501);
    }
}
