//! Lists: pages and filters (S8, S9).

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value, json};

use super::render::{GroupBody, UserBody, View};
use super::user::User;
use crate::errors::{Answered, Refusal, Version};
use crate::reply::{Page, Query, Reply};
use crate::scim::filter::{Comparison, Filter, Literal};
use crate::scim::lexer::{FilterError, Strictness};
use crate::switches::{CountZero, EmailFilter, Filters, ItemsPerPage, Switches};
use crate::table::Key;

/// S8: "Default page 10. Max `count` 1000; more is treated as 1000".
const DEFAULT_COUNT: usize = 10;
const MOST: usize = 1000;

/// Works out the page that a query asks for, and how far the service is from giving it.
pub(crate) fn page(query: &Query, total: usize, switches: &Switches) -> (Page, usize) {
    let requested = match query.number("count") {
        None => DEFAULT_COUNT,
        // S8: "negative counts aren't rejected first"; RFC 7644 §3.4.2.4 reads them as 0.
        Some(count) if count <= 0 => match switches.count_zero {
            CountZero::Empty => 0,
            CountZero::Default => DEFAULT_COUNT,
        },
        Some(count) => usize::try_from(count).unwrap_or(MOST).min(MOST),
    };
    let take = if switches.page_cap > 0 { requested.min(switches.page_cap) } else { requested };
    let asked = usize::try_from(query.number("startIndex").unwrap_or(1)).unwrap_or(1).max(1);
    let start_index = if switches.ignore_start_index { 1 } else { asked };
    let skip = if switches.wrap_past_end && start_index > total { 0 } else { start_index - 1 };
    (Page { skip, take, start_index }, requested)
}

/// A `ListResponse`, with its keys in the order of the version (S5, "v1 differences").
struct ListBody<R> {
    version: Version,
    resources: Vec<R>,
    total: i64,
    items_per_page: usize,
    start_index: usize,
}

impl<R: Serialize> Serialize for ListBody<R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(5))?;
        if self.version == Version::V2 {
            map.serialize_entry("schemas", &["urn:ietf:params:scim:api:messages:2.0:ListResponse"])?;
            map.serialize_entry("Resources", &self.resources)?;
        }
        map.serialize_entry("totalResults", &self.total)?;
        map.serialize_entry("itemsPerPage", &self.items_per_page)?;
        map.serialize_entry("startIndex", &self.start_index)?;
        if self.version == Version::V1 {
            map.serialize_entry("schemas", &["urn:scim:schemas:core:1.0"])?;
            map.serialize_entry("Resources", &self.resources)?;
        }
        map.end()
    }
}

fn list<R: Serialize>(view: View, query: &Query, keys: &[Key], body: impl Fn(Key) -> Option<R>) -> Reply {
    let (page, requested) = page(query, keys.len(), view.switches);
    let resources: Vec<R> =
        keys.iter().skip(page.skip).take(page.take).filter_map(|key| body(*key)).collect();
    let items_per_page = match view.switches.items_per_page {
        ItemsPerPage::Returned => resources.len(),
        ItemsPerPage::Requested => requested,
    };
    let total = i64::try_from(keys.len())
        .unwrap_or(i64::MAX)
        .saturating_add(view.switches.total_results_error)
        .max(0);
    Reply::json(
        200,
        &ListBody { version: view.version, resources, total, items_per_page, start_index: page.start_index },
    )
}

/// `GET /Users`.
pub(crate) fn users(view: View, query: &Query) -> Answered<Reply> {
    let keys = match read_filter(query, view.version, view.switches.filters)? {
        None => None,
        Some(filter) => Some(find_users(view, &filter)?),
    };
    let keys = keys.as_deref().unwrap_or(view.world.users.keys());
    Ok(list(view, query, keys, |key| view.world.users.get(key).map(|user| UserBody { view, key, user })))
}

/// `GET /Groups`.
pub(crate) fn groups(view: View, query: &Query) -> Answered<Reply> {
    let keys = match read_filter(query, view.version, view.switches.group_filters)? {
        None => None,
        Some(filter) => {
            check_names(&filter, &["id", "displayname"])?;
            let meets =
                |name: &str, id: &str| filter.matches(&json!({ "id": id, "displayName": name }), &|_| false);
            let found = view.world.groups.iter().filter(|(_, group)| meets(&group.display_name, &group.id));
            Some(found.map(|(key, _)| key).collect::<Vec<_>>())
        }
    };
    let keys = keys.as_deref().unwrap_or(view.world.groups.keys());
    Ok(list(view, query, keys, |key| {
        view.world.groups.get(key).map(|group| GroupBody { view, group, page: None })
    }))
}

/// The filter of a query, if it has one and filters work.
fn read_filter(query: &Query, version: Version, mode: Filters) -> Answered<Option<Filter>> {
    if query
        .get("sortOrder")
        .is_some_and(|order| !["ascending", "descending"].contains(&order.to_lowercase().as_str()))
    {
        return Err(Refusal::code("invalid_sort_order"));
    }
    let Some(text) = query.get("filter") else { return Ok(None) };
    match (version, mode) {
        (Version::V2, Filters::Ignored) => return Ok(None),
        (Version::V2, Filters::Refused) => return Err(Refusal::code("invalid_query")),
        _ => {}
    }
    Filter::parse(text, Strictness::Slack).map(Some).map_err(|error| match error {
        // S9: "bad text without operator → 400 `no_filters (is_aggregate_call=1)`".
        FilterError::NoOperator => Refusal::code("no_filters").with("(is_aggregate_call=1)"),
        FilterError::Incomplete => Refusal::code("incomplete_filter"),
        FilterError::Group => Refusal::code("invalid_filter_group"),
        FilterError::TooLarge => Refusal::code("query_building_failed"),
        FilterError::Syntax => Refusal::code("invalid_query"),
    })
}

/// What a filter on users may name: the four attributes of Slack's page, and those that production uses (S9).
const USER_ATTRIBUTES: [&str; 9] = [
    "id",
    "username",
    "nickname",
    "email",
    "emails",
    "displayname",
    "active",
    "restricted",
    "ultra_restricted",
];

fn check_names(filter: &Filter, known: &[&str]) -> Answered<()> {
    let mut unknown = false;
    filter.attributes(&mut |path| unknown |= !known.contains(&path.name.to_ascii_lowercase().as_str()));
    if unknown { Err(Refusal::code("invalid_query")) } else { Ok(()) }
}

fn find_users(view: View, filter: &Filter) -> Answered<Vec<Key>> {
    check_names(filter, &USER_ATTRIBUTES)?;
    let overlooked = |key: &Key| {
        let mut by_email = false;
        filter.attributes(&mut |path| by_email |= path.name.to_ascii_lowercase().starts_with("email"));
        by_email
            && view.switches.email_filter == EmailFilter::MissesDeactivated
            && view.world.users.get(*key).is_some_and(|user| !user.active)
    };
    let found = by_index(view, filter).unwrap_or_else(|| {
        let meets = |user: &User| filter.matches(&filterable(user), &|_| false);
        view.world.users.iter().filter(|(_, user)| meets(user)).map(|(key, _)| key).collect()
    });
    Ok(found.into_iter().filter(|key| !overlooked(key)).collect())
}

/// The one user whom `userName eq` or `emails eq` can mean, without a look at the others.
fn by_index(view: View, filter: &Filter) -> Option<Vec<Key>> {
    let Filter::Compare(path, Comparison::Equal, Literal::Text(wanted)) = filter else { return None };
    if path.is("userName", None) || path.is("nickName", None) {
        return Some(view.world.by_user_name(wanted).into_iter().collect());
    }
    let by_email = path.is("email", None) || path.is("emails", None) || path.is("emails", Some("value"));
    by_email.then(|| view.world.email_holder(wanted, None).into_iter().collect())
}

fn filterable(user: &User) -> Value {
    let emails: Vec<&String> =
        [Some(&user.email), user.secondary_email.as_ref()].into_iter().flatten().collect();
    let emails: Vec<Value> = emails
        .iter()
        .enumerate()
        .map(|(place, value)| json!({ "value": value, "primary": place == 0 }))
        .collect();
    // S9: `restricted eq 1` and `restricted eq '1'` are both in use, and 1 of them is a string.
    let restricted = if user.guest.is_some() { json!([1, "1", true]) } else { json!([0, "0", false]) };
    json!({
        "id": user.id,
        "userName": user.user_name,
        "nickName": user.user_name,
        "displayName": user.display_name,
        "active": user.active,
        "email": emails,
        "emails": emails,
        "restricted": restricted,
        "ultra_restricted": [0, "0", false],
    })
}
