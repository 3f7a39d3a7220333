//! A plan: a changeset, what the guards say of it, and the requests that carry it out.

use crate::attribute::Dialect;
use crate::change::{Change, ChangeId, Changeset};
use crate::names::{GroupId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

/// The version of the plan's JSON form, `docs/plan-format.md`. A reader refuses any other.
pub const FORMAT: u32 = 1;

/// What will be done, judged and ready to send.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The service it is for, as a URL; `None` when planned from a snapshot.
    pub target: Option<String>,
    /// The workspace the live accounts name, if they name one.
    pub workspace: Option<String>,
    /// How the service speaks.
    pub dialect: Dialect,
    /// SHA-256 of the roster's files.
    pub roster_digest: String,
    /// SHA-256 of the directory.
    pub directory_digest: String,
    /// What changes.
    pub changeset: Changeset,
    /// How a change becomes requests. They are made when they are needed and not kept: nobody needs more than one change's
    /// at a time.
    pub encoder: Encoder,
    /// The accounts that are changed though they are deactivated and stay so: they give up a name or an address. Any
    /// other account that shows as deactivated after a change was not asked to be.
    pub stays_inactive: BTreeSet<UserId>,
    /// Changes of groups that take out everybody who is in, so that nobody is left but those who join by them.
    pub successions: BTreeSet<ChangeId>,
    /// What was there when the plan was made; empty where the plan creates nothing.
    pub existing: Arc<Existing>,
    /// What the guards say.
    pub verdicts: Vec<Verdict>,
    /// What is not done and why, and whatever else a reader should know. Most important first.
    pub notes: Vec<Note>,
    /// How much there is.
    pub totals: Totals,
    /// How long Slack's limits make it take.
    pub estimate: Estimate,
    /// SHA-256 over format version, workspace and changes, in hexadecimal (design §5).
    pub digest: String,
}

impl Plan {
    /// A change of this plan as requests.
    pub fn encode(&self, change: &Change) -> Encoded {
        (self.encoder)(change, self.dialect)
    }

    /// The worst of the verdicts.
    pub fn outcome(&self) -> Outcome {
        self.verdicts.iter().map(|verdict| verdict.outcome).max().unwrap_or(Outcome::Pass)
    }
}

/// Writes a change as requests in a dialect. The same change always gives the same bytes.
pub type Encoder = fn(&Change, Dialect) -> Encoded;

/// The accounts and groups that a directory holds. What a creation creates is none of them, whatever a service that shows
/// an old state says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Existing {
    /// The accounts.
    pub users: HashSet<UserId>,
    /// The groups.
    pub groups: HashSet<GroupId>,
}

/// One SCIM request, ready to send but for `@user:NAME` and `@group:NAME`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Request {
    /// `POST`, `PATCH`, `PUT` or `DELETE`.
    pub method: Method,
    /// Below the service's base URL: `/Users`, `/Users/U1`, `/Groups/@group:engineering`.
    pub path: String,
    /// The JSON body exactly as it is sent, in the form in which `serde_json` writes a value: two bodies that say the
    /// same are the same text. None for a DELETE.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Box<RawValue>>,
}

impl Request {
    /// The body as it is sent.
    pub fn body_text(&self) -> Option<&str> {
        self.body.as_deref().map(RawValue::get)
    }
}

/// The method of a request that writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "HTTP's own names")]
pub enum Method {
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    /// As it stands in a request line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// A change as requests: the one that is sent, and what may be sent in its place.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Encoded {
    /// The request.
    pub request: Request,
    /// Tried in order when the service refuses the form of the request, or takes it without effect.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fallbacks: Vec<Fallback>,
}

/// Another way to bring about the same change.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Fallback {
    /// What the sheet leaves open that makes this necessary, for people.
    pub because: String,
    /// Sent one after the other.
    pub requests: Vec<Request>,
}

/// What a guard says of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// Which guard: a limit's key in the policy (`deactivateUsers`) or a brake's name (`workspace`).
    pub guard: &'static str,
    /// Pass, warn or block.
    pub outcome: Outcome,
    /// What the plan does, of the kind the guard counts; with what the runs of the last 24 hours did, where a journal
    /// tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measured: Option<usize>,
    /// How much of `measured` the runs of the last 24 hours did; absent when they did nothing of the kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recent: Option<usize>,
    /// What is allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// What was found, for people: a sentence without a full stop.
    pub message: String,
    /// Who or what is concerned.
    pub resources: Vec<String>,
    /// What may be done about it; empty when nothing need be.
    pub remedy: String,
}

/// How severe a verdict is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Nothing to say.
    Pass,
    /// Look at it.
    Warn,
    /// The plan may not be applied.
    Block,
}

/// Something the plan's reader should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// A stable name such as `protected`, `bot`, `no-account`.
    pub code: &'static str,
    /// For people: a sentence without a full stop.
    pub message: String,
}

/// How much a plan looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// People in the roster.
    pub roster_users: usize,
    /// Groups in the roster.
    pub roster_groups: usize,
    /// Accounts in the directory.
    pub directory_users: usize,
    /// Active people among them.
    pub active_people: usize,
    /// Groups in the directory.
    pub directory_groups: usize,
    /// Memberships in the directory.
    pub memberships: usize,
}

/// How long a plan takes under the service's published limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Estimate {
    /// Requests that write.
    pub writes: usize,
    /// Whole seconds under the service's published limits, rounded up; `None` where it publishes none.
    pub seconds: Option<u64>,
}
