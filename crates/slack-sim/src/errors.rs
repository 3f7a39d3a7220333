//! Refusals: the documented error codes, their statuses, and the two shapes of their bodies (S16).

use serde_json::{Value, json};

use crate::switches::{AuthError, ErrorShape, RefusalStatus, Switches};

/// The SCIM version that a request is addressed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Version {
    /// `/scim/v1`: SCIM 1.1.
    V1,
    /// `/scim/v2`: SCIM 2.0.
    V2,
}

/// An answer that says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail} ({status})")]
pub(crate) struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// Slack: the code word, with a suffix at times. RFC: a sentence.
    pub detail: String,
    /// RFC 7644 §3.12: the keyword; Slack never has one.
    pub scim_type: Option<&'static str>,
    /// Seconds for `Retry-After`.
    pub retry_after: Option<u64>,
}

/// The result of whatever a client asked for.
pub(crate) type Answered<T> = Result<T, Refusal>;

impl Refusal {
    /// A refusal with one of Slack's codes, under the status that S16 knows or suggests for it.
    pub(crate) fn code(code: &str) -> Self {
        Self { status: status_of(code), detail: code.to_owned(), scim_type: None, retry_after: None }
    }

    /// The same with a suffix, such as `(user=ada)`: "match the code as the first word" (S16).
    pub(crate) fn with(mut self, suffix: &str) -> Self {
        self.detail = format!("{} {suffix}", self.detail);
        self
    }

    /// The same under another status.
    pub(crate) fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// A refusal to act on somebody of rank (S13): 403, or 400 by the switch.
    pub(crate) fn forbidden(code: &str, switches: &Switches) -> Self {
        Self::code(code).status(match switches.refusal_status {
            RefusalStatus::Forbidden => 403,
            RefusalStatus::BadRequest => 400,
        })
    }

    /// A refusal in the words of RFC 7644 §3.12.
    pub(crate) fn rfc(status: u16, scim_type: Option<&'static str>, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), scim_type, retry_after: None }
    }

    /// A 429.
    pub(crate) fn throttled(code: &str, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..Self::code(code) }
    }

    /// A wrong or missing token (S16): v2 spoke of the version until spring 2026.
    pub(crate) fn unauthenticated(code: &str, version: Version, switches: &Switches) -> Self {
        match (version, switches.auth_error) {
            (Version::V2, AuthError::Old) => Self::code("unsupported_version"),
            _ => Self::code(code),
        }
    }

    /// The body in Slack's shapes: `{"detail","status"}` on v2, `{"Errors":{…}}` on v1 and for what concerns the token.
    pub(crate) fn slack_body(&self, version: Version, switches: &Switches) -> Value {
        let status = self.slack_status(version);
        let about_the_token = matches!(
            self.detail.as_str(),
            "missing_authentication" | "invalid_authentication" | "unsupported_version"
        );
        if version == Version::V1 || about_the_token || switches.error_shape == ErrorShape::V1 {
            return json!({ "Errors": { "description": self.detail, "code": status } });
        }
        json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
            "detail": self.detail,
            "status": status,
        })
    }

    /// The status; on v1 conflicts are under 400 (S7).
    pub(crate) fn slack_status(&self, version: Version) -> u16 {
        if version == Version::V1 && self.status == 409 { 400 } else { self.status }
    }

    /// The body of RFC 7644 §3.12, where `status` is a string.
    pub(crate) fn rfc_body(&self) -> Value {
        let mut body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
            "status": self.status.to_string(),
        });
        if let Some(scim_type) = self.scim_type {
            body["scimType"] = scim_type.into();
        }
        body["detail"] = self.detail.clone().into();
        body
    }
}

/// S16: the statuses known or suggested for the codes; all else is 400.
fn status_of(code: &str) -> u16 {
    match code {
        "username_taken" | "email_taken" | "user_creation_failed" | "name_already_exists" => 409,
        "no_such_user" | "no_such_group" | "no_such_group_members" | "unknown_user" | "bad_endpoint" => 404,
        "permission_denied"
        | "plus_teams_only"
        | "non_org_teams_only"
        | "cannot_modify_owner"
        | "cannot_modify_gdpr"
        | "cannot_make_user_guest"
        | "cannot_disable_primary_owner"
        | "cannot_disable_bot_user_with_scim" => 403,
        "missing_authentication" | "invalid_authentication" => 401,
        "method_not_allowed" => 405,
        "too_many_requests" | "resource_locked" => 429,
        "database_query_failure" | "group_members_create_failed" => 500,
        _ => 400,
    }
}
