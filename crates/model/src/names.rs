//! The names by which people, groups and accounts are known.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

// A name has its text in common with its copies: the first import of a large company names each person once as an
// account and ten times as a member.
macro_rules! text_newtype {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps the text as it is.
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_newtype! {
    /// The service's own name for a user account (`U…` or `W…` at Slack, sheet S2). Opaque, compared to the letter.
    UserId
}
text_newtype! {
    /// The service's own name for a group (`S…` at Slack, sheet S2). Opaque, compared to the letter.
    GroupId
}

/// The longest userName that Slack takes, in characters (sheet S6: `username_too_long`).
pub const USER_NAME_MAX: usize = 21;

/// A userName in the form in which Slack stores it: lower case, `a-z 0-9 . _ -`, at most [`USER_NAME_MAX`]
/// characters (design §3, sheet S6).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct UserName(Arc<str>);

/// Why a text is not a userName, with the nearest spelling that would be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a userName: only a-z 0-9 . _ - are allowed, at most {USER_NAME_MAX} characters")]
pub struct UserNameError {
    /// What was given.
    pub text: String,
    /// The nearest allowed spelling; empty when nothing of the text can be kept.
    pub suggestion: String,
}

impl UserName {
    /// Folds `text` to lower case and checks it.
    ///
    /// # Errors
    /// When a character outside `a-z 0-9 . _ -` remains, when nothing is left, or when it is too long.
    pub fn parse(text: &str) -> Result<Self, UserNameError> {
        let folded = text.to_lowercase();
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
        if !folded.is_empty() && folded.len() <= USER_NAME_MAX && folded.chars().all(fits) {
            return Ok(Self(folded.into()));
        }
        let local = folded.split('@').next().unwrap_or_default();
        let spelled: String =
            local.trim().chars().map(|c| if fits(c) { c } else { '_' }).take(USER_NAME_MAX).collect();
        let suggestion = if spelled.chars().all(|c| c == '_') { String::new() } else { spelled };
        Err(UserNameError { text: text.to_owned(), suggestion })
    }

    /// The userName that a service already has for an account, which need not obey Slack's rules: a service of the
    /// `rfc` dialect may allow addresses. Only folded, so that it compares as others do; empty when there is none.
    pub fn as_served(text: &str) -> Self {
        Self(fold(text).into())
    }

    /// The text, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The form in which two e-mail addresses, userNames or group names are compared: letter case and surrounding
/// blanks do not matter (design §3, "Identity").
pub fn fold(text: &str) -> String {
    text.trim().to_lowercase()
}

/// [`fold`], without a copy of what is in that form already, as most names and addresses are.
pub fn folded(text: &str) -> Cow<'_, str> {
    let trimmed = text.trim();
    if trimmed.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        Cow::Borrowed(trimmed)
    } else {
        Cow::Owned(trimmed.to_lowercase())
    }
}

/// Whether two texts are one in the form that [`fold`] gives them, which is not made where it is not needed: nearly all
/// that are compared are the same to the letter, or ASCII.
pub fn same_folded(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    let (a, b) = (a.trim(), b.trim());
    a == b
        || if a.is_ascii() && b.is_ascii() {
            a.eq_ignore_ascii_case(b)
        } else {
            a.to_lowercase() == b.to_lowercase()
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_the_same_exactly_if_their_folded_forms_are() {
        let texts = ["ada", " ADA ", "ÅSA", "åsa", "Å", "\u{212a}", "k", "K", "ὈΔΥΣΣΕΎΣ", "ὀδυσσεύς", ""];
        for a in texts {
            assert_eq!(folded(a), fold(a));
            for b in texts {
                assert_eq!(same_folded(a, b), fold(a) == fold(b), "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn a_user_name_is_folded_and_otherwise_refused_with_a_spelling() {
        assert_eq!(UserName::parse("Ada.L-1_").unwrap().as_str(), "ada.l-1_");
        assert_eq!(UserName::parse("ada lovelace").unwrap_err().suggestion, "ada_lovelace");
        assert_eq!(UserName::parse("ada@acme.example").unwrap_err().suggestion, "ada");
        assert_eq!(UserName::parse(&"x".repeat(22)).unwrap_err().suggestion, "x".repeat(21));
        assert_eq!(UserName::parse("李").unwrap_err().suggestion, "");
        assert!(UserName::parse("").is_err());
    }
}
