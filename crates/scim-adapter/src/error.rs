//! What went wrong with a request, and what to do about it.

use crate::transport::{Reached, TransportError, TransportErrorKind};
use serde_json::json;
use std::fmt;
use std::time::Duration;

/// What a request was about, for remedies that are a line of the roster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject<'a> {
    /// The user whom the roster, or the directory, calls so.
    User(&'a str),
    /// The group of that name.
    Group(&'a str),
}

/// A request that did not end in success.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{method} {path}: {failure}")]
pub struct RequestError {
    /// `GET`, `POST`, `PATCH`, `PUT` or `DELETE`.
    pub method: &'static str,
    /// Path and query below the base URL.
    pub path: String,
    /// What happened.
    pub failure: Box<Failure>,
}

/// How a request ended, when not in success.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The service answered with an error.
    #[error("{0}")]
    Refused(Refusal),
    /// No whole answer came back.
    #[error("{0}")]
    Transport(TransportError),
    /// The answer is not of a SCIM service.
    #[error("the target is not a SCIM service: it answered {status} with {what}")]
    NotScim {
        /// The HTTP status.
        status: u16,
        /// What came instead.
        what: &'static str,
    },
    /// The service sent us elsewhere. Redirects are not followed, since the token would go along.
    #[error("the service answered {status} and pointed to {to}; redirects are not followed")]
    Redirected {
        /// The HTTP status.
        status: u16,
        /// Where to, without user information, query and fragment.
        to: String,
    },
    /// The service answered with success, and the body cannot be used.
    #[error("the answer, {status}, cannot be used: {why}")]
    Malformed {
        /// The HTTP status.
        status: u16,
        /// The reason.
        why: String,
    },
}

/// An error that a service answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The code word: the first word of Slack's text (sheet S16), or the RFC's `scimType`.
    pub code: Option<String>,
    /// The service's own words, at most 500 characters, as they came: nothing in them has been made harmless.
    pub detail: String,
    /// How long the service asked to wait.
    pub retry_after: Option<Duration>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the service answered {}", self.status)?;
        match (&self.code, self.detail.as_str()) {
            (None, "") => Ok(()),
            (Some(code), "") => write!(f, " {code}"),
            (Some(code), detail) if !detail.starts_with(code.as_str()) => write!(f, " {code}: {detail}"),
            (_, detail) => write!(f, ": {detail}"),
        }
    }
}

impl Refusal {
    /// The code word, or an empty text.
    pub(crate) fn word(&self) -> &str {
        self.code.as_deref().unwrap_or_default()
    }

    /// Whether the service will not say more today: a fault of its own, or too much asked of it.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self.status, 408 | 425 | 500 | 502 | 503 | 504 | 520..=599)
    }

    /// Whether the resource is not there. Slack answers 404 for an unknown path, too (`bad_endpoint`, sheet S2).
    pub(crate) fn is_missing(&self) -> bool {
        let named = matches!(self.word(), "no_such_user" | "unknown_user" | "no_such_group");
        named || (self.status == 404 && self.word() != "bad_endpoint")
    }

    /// Whether somebody else holds the name or address (sheet S7; RFC 7644 §3.12).
    pub(crate) fn is_conflict(&self) -> bool {
        let word = self.word();
        self.status == 409
            || word.ends_with("_taken")
            || matches!(word, "uniqueness" | "name_already_exists" | "user_creation_failed")
    }

    /// Whether it is the form of the request that was refused, so that another form may be taken. What the service
    /// says of the value, of the account or of our rights would be said of any form.
    pub(crate) fn is_about_form(&self) -> bool {
        let word = self.word();
        let about_substance = self.is_conflict()
            || [
                "cannot_",
                "username_",
                "long_",
                "invalid_name_",
                "unable_",
                "email_",
                "missing_authentication",
            ]
            .iter()
            .any(|start| word.starts_with(start))
            || matches!(
                word,
                "permission_denied"
                    | "plus_teams_only"
                    | "non_org_teams_only"
                    | "invalid_authentication"
                    | "unsupported_version"
                    | "truncation_error"
                    | "invalid_display_name"
                    | "invalid_starts_with_at"
                    | "invalid_emoji_not_allowed"
                    | "invalid_reserved_word"
                    | "bad_email_address"
                    | "group_member_max_exceeded"
                    | "too_many_users"
                    | "idp_group_linked_to_channels"
                    | "primary_owner_check_failure"
                    | "password_change_not_allowed"
                    | "too_many_requests"
                    | "resource_locked"
                    | "mutability"
                    | "sensitive"
                    | "tooMany"
            );
        match self.status {
            400 | 405 | 422 | 501 => !about_substance && !self.is_missing(),
            404 => word == "bad_endpoint",
            _ => false,
        }
    }

    /// Whether it is this request that was refused, for its form or for what it says, so that another request for the same
    /// end may be taken. To be asked where a form was refused already: then a service that finds fault with a fallback may
    /// still find fault with the fallback alone.
    pub(crate) fn is_about_request(&self) -> bool {
        matches!(self.status, 400 | 405 | 409 | 422 | 501) && !self.is_missing() && !self.is_about_rank()
    }

    /// Whether the token may not do this to this account or at all (sheet S1, S13).
    pub(crate) fn is_about_rank(&self) -> bool {
        matches!(
            self.word(),
            "permission_denied"
                | "cannot_modify_owner"
                | "cannot_disable_primary_owner"
                | "primary_owner_check_failure"
        ) || (self.status == 403 && !matches!(self.word(), "plus_teams_only" | "non_org_teams_only"))
    }
}

impl RequestError {
    /// What the service answered, when it did.
    pub fn refusal(&self) -> Option<&Refusal> {
        match &*self.failure {
            Failure::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// Whether the service may have carried the request out though it did not say so.
    pub fn may_have_acted(&self) -> bool {
        match &*self.failure {
            Failure::Transport(error) => error.reached == Reached::Perhaps,
            Failure::Refused(refusal) => refusal.is_passing(),
            // A success that cannot be read is a success.
            Failure::Malformed { .. } => true,
            Failure::NotScim { status, .. } => *status < 300,
            Failure::Redirected { .. } => false,
        }
    }

    /// Whether the service may yet carry the request out: somebody tired of waiting, the service itself has not said a
    /// word.
    pub(crate) fn may_still_act(&self) -> bool {
        match &*self.failure {
            Failure::Transport(error) => error.kind == TransportErrorKind::Timeout,
            Failure::Refused(refusal) => matches!(refusal.status, 504 | 524),
            Failure::Malformed { .. } | Failure::NotScim { .. } | Failure::Redirected { .. } => false,
        }
    }

    /// Whether another try may do better.
    pub(crate) fn is_passing(&self) -> bool {
        match &*self.failure {
            Failure::Transport(error) => error.is_passing(),
            Failure::Refused(refusal) => refusal.is_passing(),
            Failure::Malformed { .. } => true,
            Failure::NotScim { .. } | Failure::Redirected { .. } => false,
        }
    }

    /// What to do about it, as one sentence without a full stop. Names in it are JSON texts, otherwise as they
    /// came.
    pub fn hint(&self, subject: Option<Subject<'_>>) -> Option<String> {
        match &*self.failure {
            Failure::Refused(refusal) => hint(refusal, subject),
            Failure::Transport(error) => match error.kind {
                TransportErrorKind::NotTls => Some(
                    "the service does not speak TLS there: is it http://, or another port?".to_owned(),
                ),
                TransportErrorKind::Tls { own_authorities } => {
                    tls_hint(&error.message, own_authorities).map(str::to_owned)
                }
                TransportErrorKind::Connect => Some("check --target, the network and the proxy variables".to_owned()),
                _ => None,
            },
            Failure::NotScim { .. } | Failure::Redirected { .. } => Some(
                "check --target: it is the address below which /Users and /Groups lie, such as https://api.slack.com/scim/v2"
                    .to_owned(),
            ),
            Failure::Malformed { .. } => None,
        }
    }
}

/// The remedy where TLS failed, by how rustls words what it objects to.
fn tls_hint(message: &str, own_authorities: bool) -> Option<&'static str> {
    let says = |word| message.contains(word);
    if says("CaUsedAsEndEntity") {
        Some(
            "the service shows an authority's certificate as its own, as a self-signed one often is: let the authority \
             issue one for the service, and name the authority's with --ca-file",
        )
    } else if says("certificate not valid for name") || says("certificate expired") {
        Some(
            "it is the service's certificate that does not fit: check --target and the clock of this machine",
        )
    } else if !own_authorities {
        Some("if the service's certificate comes from an authority of your own, name it with --ca-file")
    } else if says("certificate") {
        Some(
            "the file of --ca-file does not vouch for the service: it must hold the certificate of the authority that \
             issued the service's",
        )
    } else {
        None
    }
}

/// The remedy where an address is known to be taken.
const ADDRESS_TAKEN: &str =
    "an account, active or not, has this address; name that account with `id`, or change its address";

/// Whether a service's words mean that somebody else has the address (sheet S7: `existing_user=U…`).
fn says_taken(detail: &str) -> bool {
    let detail = detail.to_lowercase();
    ["existing_user", "taken", "already in use", "already exists"].iter().any(|words| detail.contains(words))
}

fn hint(refusal: &Refusal, subject: Option<Subject<'_>>) -> Option<String> {
    let hint = match refusal.word() {
        // Sheet S16: Slack answered a wrong token with `unsupported_version` until 2026.
        "invalid_authentication" | "missing_authentication" | "unsupported_version" => {
            "the token is wrong or lacks the scope `admin`: SCIM wants a user token (xoxp-…) of an owner or admin, not a bot token"
        }
        "plus_teams_only" => "SCIM needs the plan Business+ or Enterprise",
        "non_org_teams_only" => {
            "on Enterprise, an org owner must install the app on the organisation, not on a workspace"
        }
        "cannot_disable_bot_user_with_scim" => {
            "a bot cannot be deactivated over SCIM; remove its app instead"
        }
        "cannot_modify_gdpr" => {
            "the person has been forgotten under the GDPR; take the entry out of the roster"
        }
        "cannot_make_user_guest" => "admins and owners cannot be guests, and guests need the plan Enterprise",
        "username_taken" | "nickname_taken" => {
            "another account, active or not, or a channel has this name (they share one namespace); choose another userName"
        }
        "email_taken" => ADDRESS_TAKEN,
        // Sheet S7: on v1 a taken address is a bad one, and so is one that is malformed or of a strange domain. Where
        // the service gives its reason, another one beside it would mislead.
        "bad_email_address" if says_taken(&refusal.detail) => ADDRESS_TAKEN,
        "bad_email_address" if refusal.detail.split_whitespace().nth(1).is_none() => {
            "the address may be malformed, of a domain that is not allowed, or that of another account, active or not"
        }
        "user_creation_failed" => {
            "an account, active or not, may have this userName or this address; name that account with `id` if it is the same person"
        }
        "username_not_allowed" => "Slack reserves this userName; choose another one",
        "username_too_long" | "long_username" | "long_nickname" => "a userName has at most 21 characters",
        "invalid_display_name" => {
            "the organisation does not let display names be changed; leave `attributes: { displayName: onCreate }` in the policy"
        }
        "unable_to_create_team_profile_fields" => {
            "the workspace has its 50 custom profile fields already; remove one"
        }
        "unable_to_add_deleted_or_guest_to_group" => {
            "a member of the group is a guest or deactivated; take them out of the group"
        }
        "group_member_max_exceeded" | "too_many_users" => "the group is too large for this plan of Slack's",
        "idp_group_linked_to_channels" => "the group is linked to channels; unlink it at Slack first",
        "group_creation_failed" | "name_already_exists" => {
            "another group may have this name; Slack's own groups count"
        }
        "too_many_requests" | "resource_locked" => "other apps use the same rate limits; try again later",
        "bad_endpoint" => "check --target: it should end with /scim/v2",
        _ if refusal.is_about_rank() => return Some(rank_hint(subject)),
        _ if refusal.status == 401 => "the token is wrong or has been revoked",
        _ if refusal.is_passing() => "the service has trouble of its own; try again later",
        _ => return None,
    };
    Some(hint.to_owned())
}

fn rank_hint(subject: Option<Subject<'_>>) -> String {
    match subject {
        None => "the account behind the token must be an owner or admin of higher rank".to_owned(),
        Some(Subject::User(name)) => {
            let name = json!(name);
            format!(
                "the token's account ranks too low for {name}: use an owner's token, or leave this person alone with \
                 `managed: false` in the entry or `protect: {{ users: [{name}] }}` in the policy"
            )
        }
        Some(Subject::Group(name)) => {
            let name = json!(name);
            format!(
                "the token's account may not change the group {name}, which Slack may have made by itself: leave it alone \
                 with `protect: {{ groups: [{name}] }}` in the policy"
            )
        }
    }
}
