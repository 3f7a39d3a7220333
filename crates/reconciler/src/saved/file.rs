//! Reading the file: its shape, its digest, and whether every change does what it says.

use super::sides::{Side, Sides, member};
use super::{About, Contents, SavedPlan, strict};
use crate::digest::OfPlan;
use model::attribute::Dialect;
use model::change::{Action, Change, ChangeKind, GroupRef, UserRef};
use model::names::{GroupId, UserId};
use model::plan::{FORMAT, Method, Request};
use scim_adapter::encode;
use serde::Deserialize;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::{RawValue, to_raw_value};
use std::collections::HashSet;
use std::fmt;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::marker::PhantomData;
use std::ops::ControlFlow;

/// The largest plan file that is read, in bytes. The first import of 100,000 people with a million memberships, by far
/// the largest plan that rosterctl is made for, takes three quarters of it.
pub const MAX_BYTES: u64 = 512 << 20;

/// How much of the file is read at a time, in bytes.
const AT_A_TIME: usize = 64 << 10;

/// The most characters of the file that an error repeats.
const SHOWN: usize = 40;

/// Why a file is not taken for a plan that can be applied. Nothing has been read from the service yet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SavedPlanError {
    /// The file cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
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
struct Header {
    #[serde(default)]
    format_version: Option<Box<RawValue>>,
}

/// The whole file, but of the changes only what is needed to read them.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    #[serde(default)]
    format_version: Option<Box<RawValue>>,
    target: Option<String>,
    workspace: Option<String>,
    dialect: Dialect,
    changes: Outlines,
    digest: String,
}

/// What of the changes must be known before they can be read one by one.
struct Outlines {
    /// The targets that are created somewhere.
    created: HashSet<String>,
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

impl<'de> Deserialize<'de> for Outlines {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut created = HashSet::new();
        deserializer.deserialize_seq(Each::new(|Outline { target, request }| {
            if request.method == Method::Post {
                created.insert(target);
            }
            ControlFlow::Continue(())
        }))?;
        Ok(Self { created })
    }
}

#[derive(Deserialize)]
struct StoredChange {
    id: usize,
    kind: ChangeKind,
    target: Box<str>,
    name: Box<str>,
    request: StoredRequest,
    before: Side,
    after: Side,
}

#[derive(Deserialize)]
struct StoredRequest {
    method: Method,
    path: String,
    #[serde(default)]
    body: Option<Box<RawValue>>,
}

/// Hands on the elements of a list one by one, until one is not wanted any more.
struct Each<T, F> {
    take: F,
    element: PhantomData<T>,
}

impl<T, F: FnMut(T) -> ControlFlow<()>> Each<T, F> {
    fn new(take: F) -> Self {
        Self { take, element: PhantomData }
    }
}

impl<'de, T: Deserialize<'de>, F: FnMut(T) -> ControlFlow<()>> Visitor<'de> for Each<T, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of changes")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        while let Some(element) = list.next_element()? {
            if (self.take)(element).is_break() {
                return Err(A::Error::custom("the rest is not wanted"));
            }
        }
        Ok(())
    }
}

impl<'de, T: Deserialize<'de>, F: FnMut(T) -> ControlFlow<()>> DeserializeSeed<'de> for Each<T, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

/// The `changes` of a document; whatever stands beside them has been looked at before.
struct ChangesOf<F>(F);

impl<'de, F: FnMut(StoredChange) -> ControlFlow<()>> Visitor<'de> for ChangesOf<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a plan")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        while let Some(key) = members.next_key::<String>()? {
            if key == "changes" {
                members.next_value_seed(Each::new(&mut self.0))?;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

impl<R: Read + Seek> SavedPlan<R> {
    /// Reads a plan as `rosterctl plan --out` wrote it, from the beginning of `file`, more than once.
    ///
    /// # Errors
    /// When it is anything else: another format version, which is looked at before anything else; a shape that is not
    /// a plan's; a digest that does not fit; a change whose request is not what this rosterctl sends for it.
    pub fn read(mut file: R) -> Result<Self, SavedPlanError> {
        let about = read(&mut file, |_, _| {})?;
        Ok(Self { file, about })
    }

    /// Its changes.
    ///
    /// # Errors
    /// When the file can no longer be read, or has become another plan.
    pub(super) fn contents(&mut self) -> Result<Contents, SavedPlanError> {
        let mut contents = Contents::default();
        let about = read(&mut self.file, |change, request| {
            let is_update = matches!(change.action, Action::UpdateUser { .. });
            contents.requests.push(is_update.then_some(request));
            contents.changes.push(change);
        })?;
        if about != self.about {
            return Err(SavedPlanError::Digest { stated: self.about.digest.clone(), found: about.digest });
        }
        Ok(contents)
    }
}

/// Reads a plan and hands on its changes, which are those that were saved only if this ends well.
fn read(
    file: &mut (impl Read + Seek),
    mut keep: impl FnMut(Change, Request),
) -> Result<About, SavedPlanError> {
    let Document { format_version: _, target, workspace, dialect, changes: outlines, digest: stated } =
        document(file)?;
    let mut made: HashSet<String> = HashSet::new();
    let mut digest = OfPlan::new(workspace.as_deref());
    let mut altered = None;
    let mut failed = None;
    let mut number = 0;
    rewind(file)?;
    let each = ChangesOf(|stored: StoredChange| {
        number += 1;
        let (change, request) = match stored.read(number, &outlines.created, &mut made) {
            Ok(read) => read,
            Err(what) => {
                failed = Some(SavedPlanError::Change { change: number, what });
                return ControlFlow::Break(());
            }
        };
        digest.add(&change, &request);
        if let (None, Err(what)) = (&altered, check_request(&change, &request, dialect)) {
            altered = Some(SavedPlanError::Change { change: number, what: what.to_owned() });
        }
        keep(change, request);
        ControlFlow::Continue(())
    });
    let read = serde_json::Deserializer::from_reader(BufReader::with_capacity(AT_A_TIME, file))
        .deserialize_map(each);
    if let Some(failed) = failed {
        return Err(failed);
    }
    read.map_err(|error| refused(&error, SavedPlanError::Broken))?;
    let found = digest.finish();
    if found != stated {
        return Err(SavedPlanError::Digest { stated: shown(&stated), found });
    }
    match altered {
        Some(altered) => Err(altered),
        None => Ok(About { target, workspace, dialect, digest: found, changes: number }),
    }
}

/// Everything but the changes.
fn document(file: &mut (impl Read + Seek)) -> Result<Document, SavedPlanError> {
    let size = file.seek(SeekFrom::End(0)).map_err(|error| unreadable(&error))?;
    if size > MAX_BYTES {
        return Err(SavedPlanError::TooLarge);
    }
    // What another version says of changes does not hide that it is another.
    let document = parse::<Document>(file)?;
    let version = if let Ok(document) = &document {
        document.format_version.clone()
    } else {
        let header = parse::<Header>(file)?;
        header.map_err(|error| refused(&error, SavedPlanError::NotAPlan))?.format_version
    };
    match version.as_deref().map(RawValue::get) {
        None => return Err(SavedPlanError::NotAPlan("it has no `formatVersion`".to_owned())),
        Some(version) if version == FORMAT.to_string() => {}
        Some(other) => return Err(SavedPlanError::Version(shown(other))),
    }
    document.map_err(|error| refused(&error, SavedPlanError::Broken))
}

fn parse<T: DeserializeOwned>(
    file: &mut (impl Read + Seek),
) -> Result<serde_json::Result<T>, SavedPlanError> {
    rewind(file)?;
    Ok(serde_json::from_reader(BufReader::with_capacity(AT_A_TIME, file)))
}

fn rewind(file: &mut impl Seek) -> Result<(), SavedPlanError> {
    file.rewind().map_err(|error| unreadable(&error))
}

fn refused(error: &serde_json::Error, what: fn(String) -> SavedPlanError) -> SavedPlanError {
    if error.is_io() { SavedPlanError::Unreadable(error.to_string()) } else { what(error.to_string()) }
}

fn unreadable(error: &io::Error) -> SavedPlanError {
    SavedPlanError::Unreadable(error.to_string())
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

impl StoredChange {
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
