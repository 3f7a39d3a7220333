//! A whole list from its pages, or an error: never a part of it.

use crate::error::{Failure, RequestError};
use crate::exchange::{Exchange, fail};
use crate::pace::RequestKind;
use crate::read::ReadError;
use crate::transport::TransportErrorKind;
use crate::wire::{Listed, Page};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Page sizes: Slack gives at most 1,000 (sheet S8). The smaller ones are for pages that are too large to be taken.
const COUNTS: [usize; 3] = [1_000, 100, 10];

/// How many pages are read at the same time. Slack's read limit lets 1,000 requests go at once; eight keep the line
/// busy while one page is being parsed, and bound the memory.
const IN_FLIGHT: usize = 8;

/// How often a list, or a group's list of members, is read that changes while it is read.
pub(crate) const MAX_READS: u32 = 4;

/// The most resources in a list: forty times the size that is a normal day for us (issue 3).
pub(crate) const MAX_RESOURCES: u64 = 4_000_000;

/// The most requests for one list: enough for 400,000 resources at a service that gives 20 at a time.
pub(crate) const MAX_PAGES: usize = 20_000;

/// Why one reading of a list is of no use.
enum Flaw {
    /// Another reading would not do better.
    Final(ReadError),
    /// A page was too large.
    TooLarge(RequestError),
    /// It may have changed between two pages.
    Changed(String),
}

impl From<RequestError> for Flaw {
    fn from(error: RequestError) -> Self {
        match &*error.failure {
            Failure::Transport(e) if e.kind == TransportErrorKind::TooLarge => Self::TooLarge(error),
            _ => Self::Final(ReadError::Request(error)),
        }
    }
}

/// One reading of one list.
struct Reading<'a> {
    exchange: &'a Exchange,
    /// `/Users` or `/Groups`.
    path: &'static str,
    requests: AtomicUsize,
}

/// What is kept of a resource while the others are read.
struct Kept<R> {
    id: Option<Box<str>>,
    resource: R,
}

/// All resources below `path`, in the order in which the service gives them: what `keep` makes of each as its page arrives,
/// so that a large list is not held in two forms.
///
/// # Errors
/// Unless exactly `totalResults` resources with distinct ids came, on pages that all began where they were asked
/// to.
pub(crate) async fn read_all<T: Listed, R>(
    exchange: &Exchange,
    path: &'static str,
    keep: impl Fn(T) -> R,
) -> Result<Vec<R>, ReadError> {
    let mut reads = 0;
    let mut counts = COUNTS.iter();
    let mut count = counts.next().copied().unwrap_or(1);
    loop {
        let reading = Reading { exchange, path, requests: AtomicUsize::new(0) };
        match reading.whole(count, &keep).await {
            Ok(list) => return Ok(list.into_iter().map(|kept| kept.resource).collect()),
            Err(Flaw::Final(error)) => return Err(error),
            Err(Flaw::TooLarge(error)) => match counts.next() {
                Some(smaller) => count = *smaller,
                None => return Err(ReadError::Request(error)),
            },
            Err(Flaw::Changed(why)) => {
                reads += 1;
                if reads >= MAX_READS {
                    return Err(ReadError::Changing { path, reads, why });
                }
                tracing::debug!(path, why, "reading the list again");
                exchange.pause(reads + 1).await;
            }
        }
    }
}

impl Reading<'_> {
    async fn whole<T: Listed, R>(&self, count: usize, keep: &impl Fn(T) -> R) -> Result<Vec<Kept<R>>, Flaw> {
        let first: Page<T> = self.page(1, count).await?;
        let Some(total) = first.total else {
            let failure = Failure::NotScim { status: 200, what: "JSON that is not a SCIM list" };
            return Err(fail("GET", self.path, failure).into());
        };
        if total > MAX_RESOURCES {
            return Err(
                self.paging(format!("it says that there are {total} resources, more than can be taken"))
            );
        }
        let total = usize::try_from(total).unwrap_or(usize::MAX);
        self.check_start(&first, 1)?;
        let mut list = kept(first.resources, keep);
        let step = list.len();
        if step > total {
            return Err(Flaw::Changed(format!("the first page holds {step} of {total} resources")));
        }
        if step < total {
            if step == 0 {
                return Err(self.paging(format!("it says that there are {total} resources and gives none")));
            }
            // A service that gives fewer than it was asked for has a cap of its own, and the first page shows it.
            let first_id = list.first().and_then(|first| first.id.clone());
            let ranges = (step..total).step_by(step).map(|at| (at + 1, step.min(total - at)));
            let rest: Vec<Vec<Kept<R>>> = stream::iter(ranges)
                .map(|(start, len)| self.range(start, len, (step, total, first_id.as_deref()), keep))
                .buffered(IN_FLIGHT)
                .try_collect()
                .await?;
            list.extend(rest.into_iter().flatten());
        }
        self.check_whole(&list, total)?;
        Ok(list)
    }

    /// `len` resources from `start` on; in several pages where the service stops short.
    async fn range<T: Listed, R>(
        &self,
        start: usize,
        len: usize,
        (step, total, first_id): (usize, usize, Option<&str>),
        keep: &impl Fn(T) -> R,
    ) -> Result<Vec<Kept<R>>, Flaw> {
        let mut list: Vec<Kept<R>> = Vec::with_capacity(len);
        while list.len() < len {
            let left = len - list.len();
            let at = start + list.len();
            let page: Page<T> = self.page(at, if list.is_empty() { step } else { left }).await?;
            self.check_start(&page, at)?;
            match page.total {
                Some(now) if now == total as u64 => {}
                Some(now) => return Err(Flaw::Changed(format!("totalResults went from {total} to {now}"))),
                None => return Err(self.paging(format!("the page from {at} on has no totalResults"))),
            }
            let resources = page.resources.unwrap_or_default();
            if resources.is_empty() {
                return Err(Flaw::Changed(format!(
                    "the page from {at} on is empty, though there are {total}"
                )));
            }
            if resources.first().and_then(T::id) == first_id {
                return Err(
                    self.paging(format!("asked for the page from {at} on, it answered with the first page"))
                );
            }
            if resources.len() > left {
                return Err(Flaw::Changed(format!(
                    "the page from {at} on holds {} of {left}",
                    resources.len()
                )));
            }
            list.extend(kept(Some(resources), keep));
        }
        Ok(list)
    }

    async fn page<T: Listed>(&self, start: usize, count: usize) -> Result<Page<T>, Flaw> {
        if self.requests.fetch_add(1, Ordering::Relaxed) >= MAX_PAGES {
            return Err(self.paging(format!(
                "it gives so few resources at a time that {MAX_PAGES} pages do not suffice"
            )));
        }
        let path = format!("{}?startIndex={start}&count={count}", self.path);
        let parse = |body: &[u8]| T::page(body).map_err(|error| error.to_string());
        let page = self.exchange.get(RequestKind::List, &path, parse).await;
        page.map_err(|error| not_scim(error).into())
    }

    fn check_start<T>(&self, page: &Page<T>, asked: usize) -> Result<(), Flaw> {
        let is_empty = page.resources.as_ref().is_none_or(Vec::is_empty);
        match page.start {
            // An empty page begins nowhere, and services say so in various ways.
            Some(start) if !is_empty && start != asked as u64 => Err(self.paging(format!(
                "asked for the page from {asked} on, it answered with the page from {start} on"
            ))),
            _ => Ok(()),
        }
    }

    fn check_whole<R>(&self, list: &[Kept<R>], total: usize) -> Result<(), Flaw> {
        let mut ids = HashSet::with_capacity(list.len());
        for resource in list {
            let Some(id) = &resource.id else {
                return Err(self.paging("a resource has no `id`".to_owned()));
            };
            if !ids.insert(id) {
                return Err(Flaw::Changed(format!("the id {id:?} came twice")));
            }
        }
        if ids.len() != total {
            return Err(Flaw::Changed(format!("{} of {total} resources came", ids.len())));
        }
        Ok(())
    }

    fn paging(&self, why: String) -> Flaw {
        Flaw::Final(ReadError::Paging { path: self.path, why })
    }
}

fn kept<T: Listed, R>(resources: Option<Vec<T>>, keep: &impl Fn(T) -> R) -> Vec<Kept<R>> {
    let kept = |resource: T| Kept { id: resource.id().map(Into::into), resource: keep(resource) };
    resources.unwrap_or_default().into_iter().map(kept).collect()
}

/// A list that is not there, said in no SCIM words: the target is something else.
fn not_scim(mut error: RequestError) -> RequestError {
    if let Some(refusal) = error.refusal()
        && refusal.code.is_none()
        && matches!(refusal.status, 404 | 405 | 410)
    {
        *error.failure = Failure::NotScim { status: refusal.status, what: "no list there" };
    }
    error
}
