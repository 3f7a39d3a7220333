//! Reading the file: its shape, its digest, and whether every change does what it says.

use super::sides::{Side, Sides, member};
use super::{SavedPlan, strict};
use crate::digest::OfPlan;
use model::attribute::Dialect;
use model::change::{Action, Change, ChangeKind, GroupRef, UserRef};
use model::names::{GroupId, UserId};
use model::plan::{FORMAT, Method, Request};
use scim_adapter::encode;
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};
use std::collections::HashSet;

/// The largest plan file that is read, in bytes. The first import of 100,000 people with a million memberships, by far
/// the largest plan that rosterctl is made for, takes about half of it.
pub const MAX_BYTES: usize = 512 << 20;

/// The most characters of the file that an error repeats.
const SHOWN: usize = 40;

/// Why a file is not taken for a plan that can be applied. Nothing has been read from the service yet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SavedPlanError {
    /// No plan is that large.
    #[error("it is larger than {} MiB, more than rosterctl reads", MAX_BYTES >> 20)]
    TooLarge,
    /// Something else.
    #[error("it is not a plan ({0}); save one with `rosterctl plan --out FILE`")]
    NotAPlan(String),
    /// A plan of another format; the text is what its `formatVersion` says.
    #[error(
        "its format version is {0}, and this rosterctl reads version {FORMAT}; plan again with this rosterctl"
    )]
    Version(String),
    /// A plan that does not have the shape of `docs/plan-format.md`.
    #[error("it is damaged or was altered ({0}); plan again")]
    Broken(String),
    /// A change that contradicts itself, or whose request this rosterctl would not send for it.
    #[error(
        "its change #{change} was altered or was made by another version of rosterctl ({what}); plan again"
    )]
    Change {
        /// The change, from 1.
        change: usize,
        /// What is wrong with it.
        what: String,
    },
    /// The digest is not that of the changes.
    #[error(
        "it was altered: its digest says {stated}, and its changes have the digest {found}; plan again, or get the plan \
         that was reviewed"
    )]
    Digest {
        /// The digest that the file states.
        stated: String,
        /// The digest of what it holds.
        found: String,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header<'a> {
    #[serde(borrow, default)]
    format_version: Option<&'a RawValue>,
}

/// The whole file, its changes as they are written: a hundred thousand of them half read beside themselves as they are
/// meant would take as much room as the file.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    #[serde(borrow, default)]
    format_version: Option<&'a RawValue>,
    target: Option<String>,
    workspace: Option<String>,
    dialect: Dialect,
    #[serde(borrow)]
    changes: Vec<&'a RawValue>,
    digest: String,
}

/// What of a change the others need to be read.
#[derive(Deserialize)]
struct Outline {
    target: String,
    request: OutlineRequest,
}

#[derive(Deserialize)]
struct OutlineRequest {
    method: Method,
}

#[derive(Deserialize)]
struct StoredChange<'a> {
    id: usize,
    kind: ChangeKind,
    target: Box<str>,
    name: Box<str>,
    #[serde(borrow)]
    request: StoredRequest<'a>,
    before: Side,
    after: Side,
}

#[derive(Deserialize)]
struct StoredRequest<'a> {
    method: Method,
    path: String,
    #[serde(borrow, default)]
    body: Option<&'a RawValue>,
}

impl SavedPlan {
    /// Reads a plan as `rosterctl plan --out` wrote it.
    ///
    /// # Errors
    /// When it is anything else: another format version, which is looked at before anything else; a shape that is not
    /// a plan's; a digest that does not fit; a change whose request is not what this rosterctl sends for it.
    pub fn read(text: &str) -> Result<Self, SavedPlanError> {
        if text.len() > MAX_BYTES {
            return Err(SavedPlanError::TooLarge);
        }
        // What another version says of changes does not hide that it is another.
        let document: serde_json::Result<Document<'_>> = serde_json::from_str(text);
        let version = if let Ok(document) = &document {
            document.format_version
        } else {
            let header: Header<'_> =
                serde_json::from_str(text).map_err(|error| SavedPlanError::NotAPlan(error.to_string()))?;
            header.format_version
        };
        match version.map(RawValue::get) {
            None => return Err(SavedPlanError::NotAPlan("it has no `formatVersion`".to_owned())),
            Some(version) if version == FORMAT.to_string() => {}
            Some(other) => return Err(SavedPlanError::Version(shown(other))),
        }
        let broken = |error: serde_json::Error| SavedPlanError::Broken(error.to_string());
        let document = document.map_err(broken)?;
        let Document { format_version: _, target, workspace, dialect, changes: stored, digest: stated } =
            document;

        let mut created: HashSet<String> = HashSet::new();
        for stored in &stored {
            let Outline { target, request } = serde_json::from_str(stored.get()).map_err(broken)?;
            if request.method == Method::Post {
                created.insert(target);
            }
        }
        let mut changes = Vec::with_capacity(stored.len());
        let mut requests = Vec::with_capacity(stored.len());
        let mut made: HashSet<String> = HashSet::new();
        let mut digest = OfPlan::new(workspace.as_deref());
        let mut altered = None;
        for (at, stored) in stored.into_iter().enumerate() {
            let stored: StoredChange<'_> = serde_json::from_str(stored.get()).map_err(broken)?;
            let (change, request) = stored
                .read(at + 1, &created, &mut made)
                .map_err(|what| SavedPlanError::Change { change: at + 1, what })?;
            digest.add(&change, &request);
            if let (None, Err(what)) = (&altered, check_request(&change, &request, dialect)) {
                altered = Some(SavedPlanError::Change { change: at + 1, what: what.to_owned() });
            }
            let is_update = matches!(change.action, Action::UpdateUser { .. });
            requests.push(is_update.then_some(request));
            changes.push(change);
        }
        let found = digest.finish();
        if found != stated {
            return Err(SavedPlanError::Digest { stated: shown(&stated), found });
        }
        if let Some(altered) = altered {
            return Err(altered);
        }
        Ok(Self { target, workspace, dialect, digest: found, changes, requests })
    }
}

fn shown(text: &str) -> String {
    let mut short: String = text.chars().take(SHOWN).collect();
    if short.len() < text.len() {
        short.push_str("...");
    }
    short
}

/// Whether the request is the one that this change is sent as. Of an account's update only the path can be judged
/// here: its body may repeat values that only the directory knows, and is compared when the plan is resumed.
fn check_request(change: &Change, saved: &Request, dialect: Dialect) -> Result<(), &'static str> {
    let ours = encode(change, dialect).request;
    if ours.method != saved.method || ours.path != saved.path {
        return Err("its request goes to something else than its target");
    }
    let is_update = matches!(change.action, Action::UpdateUser { .. });
    if !is_update && ours.body_text() != saved.body_text() {
        return Err("its request does not do what its `before` and `after` say");
    }
    Ok(())
}

impl StoredChange<'_> {
    /// The change in the words of the model. `created` are the targets that the plan creates somewhere, `made` those
    /// that it has created so far.
    fn read(
        self,
        number: usize,
        created: &HashSet<String>,
        made: &mut HashSet<String>,
    ) -> Result<(Change, Request), String> {
        let Self { id, kind, target, name, request, before, after } = self;
        let StoredRequest { method, path, body } = request;
        let sides = Sides { before: &before, after: &after, created };
        let (action, name) = match (method, path.split('/').nth(1)) {
            (Method::Post, Some("Users")) => (sides.create_user()?, name),
            (Method::Patch, Some("Users")) => (sides.update_user(user(&target, created, &path))?, name),
            (Method::Post, Some("Groups")) => (sides.create_group()?, name),
            (Method::Patch, Some("Groups")) => (sides.update_group(group(&target, &path))?, name),
            // The name that a deletion's `before` states is the change's own.
            (Method::Delete, Some("Groups")) => sides.delete_group(GroupId::new(target.clone()))?,
            _ => return Err("no change is such a request".to_owned()),
        };
        let change = Change { action, name, origin: None, waits_for: Vec::new() };
        let is_post = method == Method::Post;
        let is_new = is_post || (target.starts_with('@') && path.ends_with(&format!("/{target}")));
        for (wrong, what) in [
            (id != number, "its `id` is not its position"),
            (change.kind() != kind, "its `kind` is another"),
            (change.target() != *target, "its `target` is another"),
            (is_post && !made.insert(target.to_string()), "it creates what an earlier change creates"),
            (is_new && !made.contains(&*target), "it changes what no earlier change creates"),
        ] {
            if wrong {
                return Err(what.to_owned());
            }
        }
        let body = match body {
            None => None,
            Some(body) => {
                let value = strict::parse(body.get()).map_err(|error| error.to_string())?;
                Some(to_raw_value(&value).map_err(|error| error.to_string())?)
            }
        };
        Ok((change, Request { method, path, body }))
    }
}

/// An account as a change's path names it. A service may have given out an id that reads like a placeholder; in a path
/// such an id is escaped.
fn user(target: &str, created: &HashSet<String>, path: &str) -> UserRef {
    match member(target, created) {
        new @ UserRef::New(_) if path == format!("/Users/{target}") => new,
        _ => UserRef::Existing(UserId::new(target)),
    }
}

fn group(target: &str, path: &str) -> GroupRef {
    match target.strip_prefix("@group:") {
        Some(name) if path == format!("/Groups/{target}") => GroupRef::New(name.into()),
        _ => GroupRef::Existing(GroupId::new(target)),
    }
}
