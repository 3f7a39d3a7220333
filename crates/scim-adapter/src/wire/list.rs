//! A page of a list (RFC 7644 §3.4.2).

use super::group::WireGroup;
use super::lenient::{Count, List, lenient_object};
use super::user::WireUser;

/// One page of a list of `T`. `itemsPerPage` is left out because services misstate it (sheet S8).
#[derive(Debug)]
pub(crate) struct Page<T> {
    /// How many resources there are in all.
    pub(crate) total: Option<u64>,
    /// Where this page says it begins, 1-based.
    pub(crate) start: Option<u64>,
    /// What it holds; `None` when the answer has no such key.
    pub(crate) resources: Option<Vec<T>>,
}

lenient_object! {
    UserPage {
        total: Count = "totalResults",
        start: Count = "startIndex",
        resources: List<WireUser> = "Resources",
    }
}

lenient_object! {
    GroupPage {
        total: Count = "totalResults",
        start: Count = "startIndex",
        resources: List<WireGroup> = "Resources",
    }
}

/// A resource that is read page by page.
pub(crate) trait Listed: Sized {
    /// Reads a page of them.
    fn page(body: &[u8]) -> serde_json::Result<Page<Self>>;

    /// The resource's id.
    fn id(&self) -> Option<&str>;
}

impl Listed for WireUser {
    fn page(body: &[u8]) -> serde_json::Result<Page<Self>> {
        let UserPage { total, start, resources } = serde_json::from_slice(body)?;
        Ok(Page { total: total.0, start: start.0, resources: resources.0 })
    }

    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }
}

impl Listed for WireGroup {
    fn page(body: &[u8]) -> serde_json::Result<Page<Self>> {
        let GroupPage { total, start, resources } = serde_json::from_slice(body)?;
        Ok(Page { total: total.0, start: start.0, resources: resources.0 })
    }

    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }
}
