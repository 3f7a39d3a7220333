//! A group with all its members, from its pages where a service gives them page by page, or an error: never a part
//! of them.
//!
//! Slack gives all members at once as far as anybody has seen; a client of it is ready for `totalResults` on the
//! group, with `startIndex` and `count` (sheet S8: a GAP).

use crate::dialect::{DecodeError, MemberIds, group_from_wire, path_segment};
use crate::exchange::Exchange;
use crate::pace::RequestKind;
use crate::page::{MAX_PAGES, MAX_READS, MAX_RESOURCES};
use crate::read::{ReadError, found, other};
use crate::wire::{GroupMember, List, WireGroup};
use model::GroupId;
use model::directory::RawGroup;
use std::collections::HashSet;
use std::sync::Arc;

/// How many members are asked for at once, after the first page has shown that there are pages: the most that Slack
/// gives of anything (sheet S8).
const COUNT: usize = 1_000;

/// Why one reading of a group is of no use.
enum Flaw {
    /// Another reading would not do better.
    Final(ReadError),
    /// It may have changed between two pages.
    Changed(String),
}

impl From<ReadError> for Flaw {
    fn from(error: ReadError) -> Self {
        Self::Final(error)
    }
}

/// One reading of one group.
struct Reading<'a> {
    exchange: &'a Exchange,
    id: &'a GroupId,
    path: String,
}

/// The group of this id; `None` when there is none.
///
/// # Errors
/// When the request fails for good or the answer is not this group. Where it says that it has more members than it
/// holds: unless exactly `totalResults` distinct members came, on pages that all began where they were asked to, and
/// came so twice. Of a group that loses one and gains one between two pages, the number tells nothing, and who was
/// overlooked would be put out of it by whoever states all its members.
pub(crate) async fn read_group(exchange: &Exchange, id: &GroupId) -> Result<Option<RawGroup>, ReadError> {
    let reading = Reading { exchange, id, path: format!("/Groups/{}", path_segment(id.as_str())) };
    let mut reads = 0;
    let mut last: Option<HashSet<Arc<str>>> = None;
    loop {
        let flaw = match reading.whole().await {
            Ok(Some((group, true))) => {
                let members: HashSet<Arc<str>> = group.members.iter().cloned().collect();
                match last.replace(members) {
                    None => continue,
                    before if before == last => return Ok(Some(group)),
                    Some(_) => Flaw::Changed("two readings gave different members".to_owned()),
                }
            }
            Ok(group) => return Ok(group.map(|(group, _)| group)),
            Err(flaw) => flaw,
        };
        match flaw {
            Flaw::Final(error) => return Err(error),
            Flaw::Changed(why) => {
                reads += 1;
                if reads >= MAX_READS {
                    let why = format!("of the group {:?}, {why}", id.as_str());
                    return Err(ReadError::Changing { path: "/Groups", reads, why });
                }
                tracing::debug!(path = reading.path, why, "reading the group again");
                exchange.pause(reads + 1).await;
            }
        }
    }
}

impl Reading<'_> {
    /// The group, and whether its members came in pages.
    async fn whole(&self) -> Result<Option<(RawGroup, bool)>, Flaw> {
        let Some(mut group) = self.page("").await? else { return Ok(None) };
        let mut members = group.members.0.take().unwrap_or_default();
        let more = group.total_results.0.filter(|total| *total > members.len() as u64);
        if let Some(total) = more {
            self.complete(&mut members, total).await?;
        }
        let group = WireGroup { members: List(Some(members)), ..group };
        let group = group_from_wire(group, &MemberIds::default()).map_err(|why| self.unusable(why))?;
        Ok(Some((group, more.is_some())))
    }

    /// Adds to the members of the first page those of the others.
    async fn complete(&self, members: &mut Vec<GroupMember>, total: u64) -> Result<(), Flaw> {
        let held = members.len();
        let part = || Flaw::Final(self.unusable(DecodeError::PartOfMembers { got: held, total }));
        if total > MAX_RESOURCES {
            return Err(part());
        }
        let first: Option<Box<str>> = members.first().and_then(|member| member.value.0.clone());
        let mut pages = 1;
        while (members.len() as u64) < total {
            let at = members.len() + 1;
            pages += 1;
            let page = self.page(&format!("?startIndex={at}&count={COUNT}")).await?;
            let page = page.ok_or_else(|| Flaw::Changed("it was gone after a page".to_owned()))?;
            let more = page.members.0.unwrap_or_default();
            let is_first_page = first.is_some() && more.first().is_some_and(|member| member.value.0 == first);
            // A page that says that it begins elsewhere, or is the first one again: the service does not page here.
            if pages > MAX_PAGES
                || page.start_index.0.is_some_and(|start| start != at as u64 && !more.is_empty())
                || page.total_results.0.is_none()
                || is_first_page
            {
                return Err(part());
            }
            if page.total_results.0 != Some(total) {
                return Err(Flaw::Changed(format!("totalResults was {total} and did not stay so")));
            }
            let left = total - members.len() as u64;
            if more.is_empty() || more.len() as u64 > left {
                let got = more.len();
                return Err(Flaw::Changed(format!("the page from member {at} on holds {got} of {left}")));
            }
            members.extend(more);
        }
        let distinct: HashSet<&str> = members.iter().filter_map(|member| member.value.as_deref()).collect();
        if distinct.len() as u64 != total {
            return Err(Flaw::Changed(format!("{} different ones of {total} members came", distinct.len())));
        }
        Ok(())
    }

    /// The group as one answer has it.
    async fn page(&self, query: &str) -> Result<Option<WireGroup>, ReadError> {
        let parse =
            |body: &[u8]| serde_json::from_slice::<WireGroup>(body).map_err(|error| error.to_string());
        let path = format!("{}{query}", self.path);
        let Some(group) = found(self.exchange.get(RequestKind::GetGroup, &path, parse).await)? else {
            return Ok(None);
        };
        match group.id.as_deref() {
            Some(id) if id != self.id.as_str() => Err(other(&path, id)),
            Some(_) => Ok(Some(group)),
            None => Err(self.unusable(DecodeError::NoId)),
        }
    }

    fn unusable(&self, why: DecodeError) -> ReadError {
        ReadError::Resource { path: self.path.clone(), why }
    }
}
