//! Reading: the whole directory, or one resource of it.

use crate::dialect::{DecodeError, MemberIds, group_from_wire, user_from_wire, user_path};
use crate::error::{Failure, RequestError};
use crate::exchange::{Exchange, fail};
use crate::members;
use crate::pace::{Pacer, RequestKind};
use crate::page::read_all;
use crate::transport::Transport;
use crate::wire::{Count, WireGroup, WireUser};
use futures_util::future::try_join;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use model::directory::{RawGroup, User};
use model::{Dialect, Directory, GroupId, UserId};
use std::sync::Arc;

/// How many groups are looked at one by one at the same time; see [`Reader::read_directory`].
const IN_FLIGHT: usize = 8;

/// Reads from a service. It has no method that writes; clones share pace and carrier.
#[derive(Clone)]
pub struct Reader {
    exchange: Arc<Exchange>,
}

/// Why the directory, or a resource of it, could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// A request failed.
    #[error("{0}")]
    Request(RequestError),
    /// The service does not page its lists as RFC 7644 §3.4.2.4 has it, so that nobody can know whether they are
    /// whole.
    #[error("{path} cannot be read whole: {why}")]
    Paging {
        /// `/Users` or `/Groups`.
        path: &'static str,
        /// What it did.
        why: String,
    },
    /// The list changed each time while it was read.
    #[error("{path} changed while it was read, {reads} times in a row; the last time {why}")]
    Changing {
        /// `/Users` or `/Groups`.
        path: &'static str,
        /// How often it was read.
        reads: u32,
        /// What showed it.
        why: String,
    },
    /// A resource cannot be used.
    #[error("{path}: a resource cannot be used: {why}")]
    Resource {
        /// Where it stands.
        path: String,
        /// The reason.
        why: DecodeError,
    },
}

impl ReadError {
    /// What to do about it, as one sentence without a full stop.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Request(error) => error.hint(None),
            Self::Changing { .. } => {
                Some("wait until whatever changes it has ended, then try again".to_owned())
            }
            Self::Paging { .. } | Self::Resource { .. } => None,
        }
    }
}

impl From<RequestError> for ReadError {
    fn from(error: RequestError) -> Self {
        Self::Request(error)
    }
}

impl Reader {
    /// A reader of the service behind `transport`.
    pub fn new(transport: Arc<dyn Transport>, dialect: Dialect, pacer: Pacer) -> Self {
        Self { exchange: Arc::new(Exchange::new(transport, dialect, pacer, fastrand::u64(..))) }
    }

    /// The same reader with the chance in its pauses made repeatable.
    #[must_use]
    pub fn seeded(self, seed: u64) -> Self {
        Self { exchange: Arc::new(self.exchange.seeded(seed)) }
    }

    /// How the service speaks.
    pub fn dialect(&self) -> Dialect {
        self.exchange.dialect
    }

    /// The pace of everything that talks to the service through this reader.
    pub fn pacer(&self) -> &Pacer {
        self.exchange.pacer()
    }

    pub(crate) fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    /// Reads every user and every group.
    ///
    /// Members come from groups. Where a list leaves them out or gives a part of them, the group is read by itself.
    ///
    /// # Errors
    /// When a request fails for good, and whenever it is not certain that the directory is whole: a changeset made
    /// from a part of it would create people anew and take others out of their groups.
    pub async fn read_directory(&self) -> Result<Directory, ReadError> {
        // Where both fail, the same one is told each time.
        let (users, groups) = try_join(self.users(), async { Ok(self.groups().await) }).await?;
        Ok(Directory::new(self.dialect(), users, groups?))
    }

    /// Every user.
    pub(crate) async fn users(&self) -> Result<Vec<User>, ReadError> {
        let dialect = self.dialect();
        let users =
            read_all(&self.exchange, "/Users", |user: WireUser| user_from_wire(&user, dialect)).await?;
        users
            .into_iter()
            .collect::<Result<_, _>>()
            .map_err(|why| ReadError::Resource { path: "/Users".to_owned(), why })
    }

    /// Every group with its members.
    async fn groups(&self) -> Result<Vec<RawGroup>, ReadError> {
        // Where the list does not give all members, the group's id, by which it is read by itself.
        let ids = MemberIds::default();
        let whole = |wire: WireGroup| {
            let id = wire.id.as_deref().unwrap_or_default().to_owned();
            if wire.members.0.is_some() { group_from_wire(wire, &ids).map_err(|_| id) } else { Err(id) }
        };
        let groups = read_all(&self.exchange, "/Groups", whole).await?;
        stream::iter(groups.into_iter().map(|group| self.whole_group(group)))
            .buffered(IN_FLIGHT)
            .try_collect()
            .await
    }

    /// Every group, its members as far as the list gives them.
    pub(crate) async fn group_names(&self) -> Result<Vec<RawGroup>, ReadError> {
        let ids = MemberIds::default();
        let known = |group| group_from_wire(WireGroup { total_results: Count::default(), ..group }, &ids);
        let groups = read_all(&self.exchange, "/Groups", known).await?;
        groups
            .into_iter()
            .collect::<Result<_, _>>()
            .map_err(|why| ReadError::Resource { path: "/Groups".to_owned(), why })
    }

    async fn whole_group(&self, listed: Result<RawGroup, String>) -> Result<RawGroup, ReadError> {
        let id = match listed {
            Ok(group) => return Ok(group),
            Err(id) => id,
        };
        let group = self.read_group(&GroupId::new(id.clone())).await?;
        group.ok_or_else(|| ReadError::Changing {
            path: "/Groups",
            reads: 1,
            why: format!("the group {id:?} was listed and is gone"),
        })
    }

    /// Reads one account; `None` when there is none with this id.
    ///
    /// # Errors
    /// When the request fails for good or the answer is not this account.
    pub async fn read_user(&self, id: &UserId) -> Result<Option<User>, ReadError> {
        let path = user_path(id.as_str());
        let dialect = self.dialect();
        let parse =
            |body: &[u8]| crate::dialect::decode_user(body, dialect).map_err(|error| error.to_string());
        let user = found(self.exchange.get(RequestKind::GetUser, &path, parse).await)?;
        match user {
            Some(user) if user.id != *id => Err(other(&path, user.id.as_str())),
            user => Ok(user),
        }
    }

    /// Reads one group; `None` when there is none with this id.
    ///
    /// # Errors
    /// When a request fails for good, the answer is not this group, or it is not certain that all members came, page
    /// by page where the service gives them so.
    pub async fn read_group(&self, id: &GroupId) -> Result<Option<RawGroup>, ReadError> {
        members::read_group(&self.exchange, id).await
    }
}

/// An answer, or that there is no such resource.
pub(crate) fn found<T>(answer: Result<T, RequestError>) -> Result<Option<T>, ReadError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.refusal().is_some_and(crate::error::Refusal::is_missing) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Another resource came than the one that was asked for.
pub(crate) fn other(path: &str, id: &str) -> ReadError {
    let why = format!("it answers with the resource {id:?}");
    fail("GET", path, Failure::Malformed { status: 200, why }).into()
}
