//! Writing: a change is carried out, looked up where its answer was lost, and compared with what was to be true
//! after it.

mod create;
mod delete;
mod update;

use crate::dialect::unmet;
use crate::error::{RequestError, Subject};
use crate::ids::{Ids, Unfilled};
use crate::locks::Locks;
use crate::read::{ReadError, Reader};
use model::attribute::Value;
use model::directory::User;
use model::plan::{self, Encoded};
use model::{Action, Attribute, Change, Dialect, Edit, UserRef};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// When a resource is read again that does not yet show what was written. An SDK's tests wait three seconds between
/// a group's PATCH and reading it back (sheet S14); together these are four.
const RECHECKS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];

/// Carries out changes. Clones share their knowledge of the service; any number of changes may be under way at
/// once.
#[derive(Clone)]
pub struct Writer {
    reader: Reader,
    locks: Arc<Locks>,
    /// The reasons of the fallbacks that the service has been found to need; they are tried first from then on.
    /// There are no more of them than kinds of fallback.
    proven: Arc<Mutex<BTreeSet<String>>>,
}

/// A change that the service accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The resource's id.
    pub id: String,
    /// What came of it.
    pub effect: Effect,
    /// The reason of the fallback that brought it about, where the first form did not.
    pub fallback_used: Option<String>,
    /// [`model::directory::User::is_well`] of the account in the state that `effect` was judged by: the answer, or the
    /// resource as it was read again. An account that says nothing of it counts as active, as in a directory. `None` for
    /// a group.
    pub is_well: Option<bool>,
}

/// What an accepted change has brought about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The service shows everything as it was to be.
    Took,
    /// What the service does in its own time is not to be seen yet: a deactivation (sheet S13) or a photo (S6).
    Pending {
        /// Roster keys.
        what: Vec<String>,
    },
    /// The service answered with success, and some of it is not as it was to be.
    Without {
        /// Roster keys.
        what: Vec<String>,
    },
}

/// A change that did not come about, as far as is known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct WriteError {
    /// Why.
    pub reason: WriteFailure,
    /// Whether any of it may have been written.
    pub may_have_written: bool,
}

/// Why a change did not come about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteFailure {
    /// The service refused it, or no answer could be had.
    #[error("{0}")]
    Request(RequestError),
    /// It names somebody or something that has not been created.
    #[error("{0}")]
    Unfilled(Unfilled),
    /// The answer was lost, and what came of the request could not be looked up.
    #[error("whether it was carried out is not known: {0}")]
    Unknown(ReadError),
    /// The service answered with success, and the new resource is not to be found.
    #[error("the service answered with success, and {0} is not to be found")]
    NotFound(String),
    /// The resource that was to be changed does not exist.
    #[error("{0} does not exist any more")]
    Gone(String),
}

impl WriteError {
    fn new(reason: WriteFailure, may_have_written: bool) -> Self {
        Self { reason, may_have_written }
    }

    fn request(error: RequestError, may_have_written: bool) -> Self {
        let acted = error.may_have_acted();
        Self::new(WriteFailure::Request(error), may_have_written || acted)
    }

    fn unknown(error: ReadError) -> Self {
        Self::new(WriteFailure::Unknown(error), true)
    }

    /// The HTTP status that the service refused it with.
    pub fn status(&self) -> Option<u16> {
        self.refused().map(|refusal| refusal.status)
    }

    /// The service's code word (sheet S16).
    pub fn code(&self) -> Option<&str> {
        self.refused().and_then(|refusal| refusal.code.as_deref())
    }

    fn refused(&self) -> Option<&crate::error::Refusal> {
        match &self.reason {
            WriteFailure::Request(error) => error.refusal(),
            _ => None,
        }
    }

    /// What to do about it, as one sentence without a full stop.
    pub fn hint(&self, change: &Change) -> Option<String> {
        let subject = match &change.action {
            Action::CreateUser { .. } | Action::UpdateUser { .. } => Subject::User(&change.name),
            Action::CreateGroup { .. } | Action::UpdateGroup { .. } | Action::DeleteGroup { .. } => {
                Subject::Group(&change.name)
            }
        };
        match &self.reason {
            WriteFailure::Request(error) => error.hint(Some(subject)),
            WriteFailure::Unknown(error) => error.hint(),
            WriteFailure::Unfilled(_) | WriteFailure::NotFound(_) | WriteFailure::Gone(_) => None,
        }
    }
}

impl From<Unfilled> for WriteError {
    fn from(error: Unfilled) -> Self {
        Self::new(WriteFailure::Unfilled(error), false)
    }
}

impl Writer {
    /// A writer to the service that `reader` reads.
    pub fn new(reader: Reader) -> Self {
        Self { reader, locks: Arc::default(), proven: Arc::default() }
    }

    /// The reader below.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Carries out one change: sends its request, or one of its fallbacks where the service refuses the form of the
    /// request or takes it without effect, and compares the resource with what was to be true.
    ///
    /// # Guarantees
    /// Nothing is sent that is not in `encoded`, save that what a first request has already brought about is left
    /// out of a fallback. A request whose answer was lost is looked up before it is sent again; what it created is
    /// adopted. While the change is under way no other change of the same writer touches the resource.
    ///
    /// # Caveats
    /// Dropped half-way, it may have been carried out or not; so may a part of a fallback of several requests.
    ///
    /// # Errors
    /// When the service refuses it or cannot be reached, or when what came of it cannot be learned.
    pub async fn carry_out(
        &self,
        change: &Change,
        encoded: &Encoded,
        ids: &Ids,
    ) -> Result<Written, WriteError> {
        let first = ids.fill(&encoded.request)?;
        let resource = match &change.action {
            Action::CreateUser { .. } | Action::CreateGroup { .. } => change.target(),
            Action::UpdateUser { .. } | Action::UpdateGroup { .. } | Action::DeleteGroup { .. } => {
                first.path.clone()
            }
        };
        let _turn = self.locks.turn(&resource).await;
        match &change.action {
            Action::CreateUser { user_name, edits } => self.create_user(&first, user_name, edits, ids).await,
            Action::CreateGroup { display_name, members } => {
                self.create_group(&first, display_name, members, ids).await
            }
            Action::DeleteGroup { id, .. } => self.delete_group(&first, id).await,
            Action::UpdateUser { .. } | Action::UpdateGroup { .. } => self.update(change, encoded, ids).await,
        }
    }

    /// What of the edits an account does not show. A manager who is not answered by the id is looked at: the name or address
    /// in the answer is whose it is now, which in a run that hands names on nobody could tell from its plan.
    async fn unmet(&self, edits: &[Edit], live: &User, ids: &Ids) -> Result<Vec<Attribute>, WriteError> {
        let by_id = |person: &UserRef, manager: &str| {
            ids.user(person).is_some_and(|id| id.as_str() == manager.trim())
        };
        let mut missing = unmet(edits, live, self.dialect(), by_id);
        if !missing.contains(&Attribute::Manager) {
            return Ok(missing);
        }
        let wanted = edits.iter().find(|edit| edit.attribute == Attribute::Manager);
        let wanted = wanted.and_then(|edit| match &edit.after {
            Some(Value::Person(person)) => ids.user(person),
            _ => None,
        });
        if let (Some(wanted), Some(answered)) = (wanted, live.get(Attribute::Manager)) {
            let manager = self.reader.read_user(&wanted).await.map_err(WriteError::unknown)?;
            if manager.is_some_and(|manager| manager.is_meant_by(answered)) {
                missing.retain(|attribute| *attribute != Attribute::Manager);
            }
        }
        Ok(missing)
    }

    fn dialect(&self) -> Dialect {
        self.reader.dialect()
    }

    async fn send(&self, request: &plan::Request) -> Result<crate::exchange::Answer, RequestError> {
        self.reader.exchange().write(request).await
    }

    async fn pause(&self, tries: u32) {
        self.reader.exchange().pause(tries).await;
    }
}

/// What is not as it was to be: first what the service does in its own time, then what it should show at once.
fn split(missing: Vec<Attribute>, live: &User, dialect: Dialect) -> (Vec<Attribute>, Vec<Attribute>) {
    missing.into_iter().partition(|attribute| {
        dialect == Dialect::Slack
            && match attribute {
                Attribute::Active => live.active,
                Attribute::Photo => true,
                _ => false,
            }
    })
}

fn keys(attributes: &[Attribute]) -> Vec<String> {
    attributes.iter().map(|attribute| attribute.key().to_owned()).collect()
}

fn effect(pending: &[Attribute], lacking: &[Attribute]) -> Effect {
    if !lacking.is_empty() {
        Effect::Without { what: keys(lacking) }
    } else if !pending.is_empty() {
        Effect::Pending { what: keys(pending) }
    } else {
        Effect::Took
    }
}
