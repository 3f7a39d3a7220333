//! From a saved plan, the roster and the directory to what is left to do.

use super::assess::{self, Assessment, Sides};
use super::effects::Effects;
use super::live::Live;
use super::people::People;
use super::rest::{self, Rest};
use super::{About, Contents, SavedPlan, SavedPlanError};
use crate::digest::{self, Ground};
use crate::planner::{self, Context};
use differ::{Diff, Options};
use model::attribute::Dialect;
use model::change::{Action, Change, Changeset, UserRef};
use model::diagnostic::Diagnostic;
use model::directory::Directory;
use model::names::fold;
use model::plan::{Outcome, Plan, Request, Verdict};
use model::roster::Roster;
use model::stale::{Moved, Progress, Why};
use scim_adapter::{Ids, encode};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt::Write as _;
use std::io::{Read, Seek};

/// A saved plan as far as it is still to be done.
#[derive(Debug)]
pub struct Resumed {
    /// What is left, judged by today's policy. Its digest is the saved plan's, which covers more once something is done.
    pub plan: Plan,
    /// How far the saved plan has come.
    pub progress: Progress,
    /// Every change that was saved, where `plan` has others, since some are done; `None` where they are those of `plan`.
    pub whole: Option<Vec<Change>>,
}

/// Why a saved plan cannot be finished. Nothing has been written.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ResumeError {
    /// It was made for another service.
    #[error(
        "the plan is for {planned}, and this is {here}; apply it with `--target {planned}`, or plan again for this one"
    )]
    OtherTarget {
        /// The service it was made for.
        planned: String,
        /// The service at hand.
        here: String,
    },
    /// It was made for another workspace.
    #[error(
        "the plan is for the workspace {planned}, and this is {here}; use the token of {planned}, or plan again"
    )]
    OtherWorkspace {
        /// The workspace it was made for.
        planned: String,
        /// The workspace at hand.
        here: String,
    },
    /// Its requests are written in another dialect.
    #[error("the plan is written for --dialect {0}, and this is another; give --dialect {0}, or plan again")]
    OtherDialect(&'static str),
    /// What the plan is about has changed since it was made.
    #[error("the plan is stale: what it is about has changed since it was made")]
    Stale(Vec<Moved>),
    /// Its file is not what it was when it was first read.
    #[error("the plan's file has changed while it was in use: {0}")]
    File(SavedPlanError),
    /// Nothing can be planned for this roster, for reasons that the plan has nothing to do with.
    #[error("the roster contradicts the directory")]
    Conflicts(Vec<Diagnostic>),
}

impl<R: Read + Seek> SavedPlan<R> {
    /// What is left to do of this plan.
    ///
    /// # Errors
    /// When it is for another service, workspace or dialect; when anything that it was to change is no longer as the
    /// plan found it, nor as the plan would leave it, or is no longer asked for; when the roster contradicts the
    /// directory; when the plan's file has changed since it was read.
    pub fn resume(
        &mut self,
        roster: &Roster,
        directory: &Directory,
        context: &Context,
    ) -> Result<Resumed, ResumeError> {
        self.check_service(context.target.as_deref(), directory.dialect)?;
        self.check_workspace(roster, directory)?;
        let options = Options { now: context.now, only: &[] };
        let diff = differ::diff(roster, directory, &options);
        let (diff, progress, whole) = match diff {
            // Nothing is done and nothing has moved, which is how most plans are found.
            Ok(diff) if self.about.is_of(&diff.changeset, directory.dialect) => {
                let progress = Progress { changes: self.about.changes, done: 0, elsewhere: 0 };
                (diff, progress, None)
            }
            diff => {
                let contents = self.contents().map_err(ResumeError::File)?;
                let (diff, progress) = contents.left(roster, directory, diff)?;
                (diff, progress, Some(contents.changes))
            }
        };
        let Diff { changeset, verdicts, notes, matched } = diff;
        let verdicts = verdicts.into_iter().filter(|verdict| concerns(verdict, &changeset.changes)).collect();
        let diff = Diff { changeset, verdicts, notes, matched };
        let mut plan = planner::of_diff(roster, directory, context, diff, Ground::of(roster, directory));
        plan.digest.clone_from(&self.about.digest);
        Ok(Resumed { plan, progress, whole })
    }
}

impl<R> SavedPlan<R> {
    /// Whether the plan is for the service at `target`, spoken to in `dialect`. Nothing need be asked of it for that; a plan
    /// without a target fits any.
    ///
    /// # Errors
    /// When it is for another service or dialect.
    pub fn check_service(&self, target: Option<&str>, dialect: Dialect) -> Result<(), ResumeError> {
        if let (Some(planned), Some(here)) = (self.about.target.as_deref(), target)
            && planned.trim_end_matches('/') != here.trim_end_matches('/')
        {
            return Err(ResumeError::OtherTarget { planned: planned.to_owned(), here: here.to_owned() });
        }
        if self.about.dialect != dialect {
            return Err(ResumeError::OtherDialect(match self.about.dialect {
                Dialect::Slack => "slack",
                Dialect::Rfc => "rfc",
            }));
        }
        Ok(())
    }

    fn check_workspace(&self, roster: &Roster, directory: &Directory) -> Result<(), ResumeError> {
        let Some(planned) = &self.about.workspace else { return Ok(()) };
        let live = directory.workspaces();
        let said = roster.workspace.as_ref().map(|said| &*said.value);
        let is_other = |here: &&str| fold(here) != fold(planned);
        let elsewhere = said.filter(is_other).or_else(|| {
            let all_others = live.iter().all(is_other);
            live.first().copied().filter(|_| all_others)
        });
        match elsewhere {
            Some(here) => {
                Err(ResumeError::OtherWorkspace { planned: planned.clone(), here: here.to_owned() })
            }
            None => Ok(()),
        }
    }
}

impl About {
    /// Whether these are the very changes that were saved.
    fn is_of(&self, changeset: &Changeset, dialect: Dialect) -> bool {
        changeset.changes.len() == self.changes
            && digest::of_plan(self.workspace.as_deref(), changeset, dialect) == self.digest
    }
}

impl Contents {
    /// What is left to do: of today's `diff` what was saved, and how far the plan has come.
    fn left(
        &self,
        roster: &Roster,
        directory: &Directory,
        diff: Result<Diff, Vec<Diagnostic>>,
    ) -> Result<(Diff, Progress), ResumeError> {
        let live = Live::new(directory);
        let effects = Effects::of(&self.changes);
        let diff = match diff {
            Ok(diff) => diff,
            Err(conflicts) => {
                // A conflict about what the plan is to change is drift like any other, and is told as such.
                let people = People::by_names((&self.changes, &effects), roster, &live);
                let fresh = Effects::default();
                let sides = Sides {
                    saved: self,
                    roster,
                    live: &live,
                    people: &people,
                    effects: &effects,
                    fresh: &fresh,
                };
                let mut moved = assess::assess(&sides).moved;
                moved.retain(|one| matches!(one.why, Why::OtherValue | Why::Gone));
                moved.extend(assess::taken(&sides));
                return Err(match moved.as_slice() {
                    [] => ResumeError::Conflicts(conflicts),
                    _ => ResumeError::Stale(moved),
                });
            }
        };
        let Diff { changeset, verdicts, notes, matched } = diff;
        let people =
            People::new((&self.changes, &effects), &changeset.changes, roster, &matched.users, &live);
        let fresh = Effects::of(&changeset.changes);
        let sides =
            Sides { saved: self, roster, live: &live, people: &people, effects: &effects, fresh: &fresh };
        let Assessment { kept, open, begun, moved } = assess::assess(&sides);
        // Of a first import, each of these is as large as the plan, and so is what is made next.
        drop((effects, fresh));
        if !moved.is_empty() {
            return Err(ResumeError::Stale(moved));
        }
        let equals = Equals::new(self, &people);
        let Rest { changes, elsewhere, unable } =
            rest::cut_out(&changeset.changes, &kept, |change| equals.find(change));
        let mut moved: Vec<Moved> = unable.into_iter().map(|(change, why)| self.moved(change, why)).collect();
        moved.extend(self.other_requests(&changes, &begun, &equals, directory.dialect));
        if !moved.is_empty() {
            moved.sort_by_key(|one| one.change);
            return Err(ResumeError::Stale(moved));
        }
        let done = open.iter().filter(|open| !**open).count();
        let progress = Progress { changes: self.changes.len(), done, elsewhere };
        Ok((Diff { changeset: Changeset { changes }, verdicts, notes, matched }, progress))
    }

    fn moved(&self, change: usize, why: Why) -> Moved {
        assess::moved(self.changes.get(change), change, "", why)
    }

    /// Saved changes of accounts that are still to be done in full, and whose request would be another one now. What a
    /// group's change or a creation sends was compared when the file was read.
    fn other_requests(
        &self,
        left: &[Change],
        begun: &BTreeSet<UserRef>,
        equals: &Equals<'_>,
        dialect: Dialect,
    ) -> Vec<Moved> {
        let mut met = HashSet::new();
        let mut moved = Vec::new();
        for change in left.iter().filter(|change| !assess::is_group(change)) {
            let Some(at) = equals.find(change) else { continue };
            met.insert(at);
            let saved = match self.requests.get(at) {
                Some(Some(saved)) => Some(Cow::Borrowed(saved)),
                Some(None) => self.changes.get(at).map(|saved| Cow::Owned(encode(saved, dialect).request)),
                None => None,
            };
            if saved.is_none_or(|saved| !equals.is_same(&saved, &encode(change, dialect).request)) {
                moved.push(self.moved(at, Why::OtherRequest));
            }
        }
        for (at, change) in self.changes.iter().enumerate() {
            let person = match &change.action {
                Action::CreateUser { user_name, .. } => UserRef::New(user_name.clone()),
                Action::UpdateUser { id, .. } => id.clone(),
                _ => continue,
            };
            if !begun.contains(&person) && !met.contains(&at) {
                moved.push(self.moved(at, Why::OtherRequest));
            }
        }
        moved
    }
}

/// The changes of a saved plan that set values, found by what they set.
struct Equals<'a> {
    by_work: HashMap<(String, String), usize>,
    ids: Ids,
    people: &'a People<'a>,
}

impl<'a> Equals<'a> {
    fn new(saved: &Contents, people: &'a People<'a>) -> Self {
        let mut equals = Self { by_work: HashMap::new(), ids: people.ids(), people };
        for (at, change) in saved.changes.iter().enumerate() {
            if let Some(work) = equals.work(change) {
                equals.by_work.insert(work, at);
            }
        }
        equals
    }

    /// The saved change that does the same as this one, if any does.
    fn find(&self, change: &Change) -> Option<usize> {
        self.by_work.get(&self.work(change)?).copied()
    }

    /// Whom a change concerns and which values it gives them, those who have been created since by their ids.
    fn work(&self, change: &Change) -> Option<(String, String)> {
        let (target, edits) = match &change.action {
            Action::CreateUser { edits, .. } => (change.target(), edits),
            Action::UpdateUser { id, edits, .. } => (self.people.referred_to(id).to_string(), edits),
            Action::UpdateGroup { rename: Some(rename), .. } => {
                return Some((format!("group {}", change.target()), rename.after.to_string()));
            }
            _ => return None,
        };
        let mut work = String::new();
        for edit in edits {
            work.push_str(edit.attribute.key());
            // The length keeps a value from being taken for two.
            let _ = match edit.after.as_ref().map(|value| self.people.named_now(value).text()) {
                Some(after) => write!(work, "={}:{after} ", after.len()),
                None => write!(work, "- "),
            };
        }
        Some((target, work))
    }

    /// Whether two requests are the same once placeholders are filled in.
    fn is_same(&self, saved: &Request, now: &Request) -> bool {
        let text = Request::body_text;
        if (saved.method, &saved.path, text(saved)) == (now.method, &now.path, text(now)) {
            return true;
        }
        let filled = |request: &Request| {
            let request = self.ids.fill(request).ok()?;
            let body = text(&request).map(str::to_owned);
            Some((request.method, request.path.clone(), body))
        };
        filled(saved).is_some_and(|saved| filled(now) == Some(saved))
    }
}

/// Whether a finding of the differ is about what is left. Doubts about who somebody is, where the plan leaves that
/// person alone, are not its business; what the policy protects always is.
fn concerns(verdict: &Verdict, changes: &[Change]) -> bool {
    if verdict.outcome == Outcome::Pass || !matches!(verdict.guard, "identity" | "lookAlike") {
        return true;
    }
    changes.iter().any(|change| {
        let target = change.target();
        verdict.resources.iter().any(|resource| **resource == *change.name || *resource == target)
    })
}
