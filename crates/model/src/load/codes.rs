//! The stable names of everything that can be wrong with a roster; `docs/diagnostics.md` says what to do about each.

macro_rules! codes {
    ($($constant:ident $code:literal;)*) => {
        $(pub(super) const $constant: &str = $code;)*

        /// Every code that [`load`](super::load) can give a diagnostic, in the order of `docs/diagnostics.md`.
        pub const CODES: &[&str] = &[$($code,)*];
    };
}

codes! {
    SYNTAX "syntax";
    MULTIPLE_DOCUMENTS "multiple-documents";
    CONTROL_CHARACTER "control-character";
    UNSUPPORTED_TAG "unsupported-tag";
    RECURSIVE_ALIAS "recursive-alias";
    TOO_DEEP "too-deep";
    TOO_LARGE "too-large";
    MORE_MISTAKES "more-mistakes";
    UNSUPPORTED_VERSION "unsupported-version";
    SECTION_TWICE "section-twice";
    EMPTY_ROSTER "empty-roster";
    INVALID_WORKSPACE "invalid-workspace";
    UNKNOWN_KEY "unknown-key";
    MISSING_KEY "missing-key";
    DUPLICATE_KEY "duplicate-key";
    WRONG_TYPE "wrong-type";
    NOT_NULL "not-null";
    EMPTY_VALUE "empty-value";
    UNKNOWN_VALUE "unknown-value";
    INVALID_USER_NAME "invalid-user-name";
    INVALID_EMAIL "invalid-email";
    EMAIL_DOMAIN "email-domain";
    INVALID_ID "invalid-id";
    INVALID_URL "invalid-url";
    INVALID_TIMEZONE "invalid-timezone";
    INVALID_DATE "invalid-date";
    INVALID_DISPLAY_NAME "invalid-display-name";
    NAME_REQUIRED "name-required";
    EMOJI "emoji";
    TOO_LONG "too-long";
    NOT_A_DEFAULT "not-a-default";
    NEVER_WRITTEN "never-written";
    DUPLICATE_PERSON "duplicate-person";
    DUPLICATE_EMAIL "duplicate-email";
    DUPLICATE_ID "duplicate-id";
    DUPLICATE_GROUP "duplicate-group";
    FORMERLY_CLASH "formerly-clash";
    UNKNOWN_PERSON "unknown-person";
    SELF_MANAGER "self-manager";
    CIRCULAR_MANAGERS "circular-managers";
    INACTIVE_MEMBER "inactive-member";
    LISTED_TWICE "listed-twice";
    INVALID_LIMIT "invalid-limit";
    INVALID_DOMAIN "invalid-domain";
}
