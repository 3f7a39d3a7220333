//! From what a service answers to the model, slot by slot.

use super::selector::{self, Marks, pick};
use crate::wire::{Address, Element, Text, WireGroup, WireUser};
use model::directory::{AccountKind, RawGroup, User};
use model::names::fold;
use model::{Attribute, Dialect, GroupId, UserId};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

/// Why a resource could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The body is not JSON, or breaks off.
    #[error("it is not JSON: {0}")]
    NotJson(String),
    /// The resource has no usable `id`.
    #[error("it has no usable `id`")]
    NoId,
    /// The members are only a part of all members (sheet S8: a GAP).
    #[error("it holds {got} of {total} members")]
    PartOfMembers {
        /// How many members the answer holds.
        got: usize,
        /// How many it says there are.
        total: u64,
    },
}

/// Reads one user resource.
///
/// # Errors
/// When the body is not a JSON object with an `id`.
pub fn decode_user(body: &[u8], dialect: Dialect) -> Result<User, DecodeError> {
    let wire: WireUser = serde_json::from_slice(body).map_err(|e| DecodeError::NotJson(e.to_string()))?;
    user_from_wire(&wire, dialect)
}

/// Reads one group resource. A group without `members` has none.
///
/// # Errors
/// When the body is not a JSON object with an `id`, or does not hold all members.
pub fn decode_group(body: &[u8]) -> Result<RawGroup, DecodeError> {
    let wire: WireGroup = serde_json::from_slice(body).map_err(|e| DecodeError::NotJson(e.to_string()))?;
    group_from_wire(wire, &MemberIds::default())
}

/// An id that requests can name. One that begins like our placeholders would be mistaken for one, and one with a
/// control character is nothing that a service means.
fn usable_id(id: &Text) -> Result<&str, DecodeError> {
    id.as_deref()
        .filter(|id| !id.starts_with('@') && !id.chars().any(char::is_control))
        .ok_or(DecodeError::NoId)
}

/// The ids of members, each held once however many groups it is in: of a million memberships they would otherwise be what
/// reading takes most memory for.
#[derive(Debug, Default)]
pub(crate) struct MemberIds(Mutex<HashSet<Arc<str>>>);

impl MemberIds {
    fn share(&self, id: &str) -> Arc<str> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(id) {
            return Arc::clone(known);
        }
        let id: Arc<str> = id.into();
        known.insert(Arc::clone(&id));
        id
    }
}

pub(crate) fn group_from_wire(wire: WireGroup, ids: &MemberIds) -> Result<RawGroup, DecodeError> {
    let WireGroup { id, display_name, members: listed, total_results, start_index: _ } = wire;
    let listed = listed.0.unwrap_or_default();
    let mut members = Vec::with_capacity(listed.len());
    members.extend(listed.iter().filter_map(|member| member.value.as_deref()).map(|id| ids.share(id)));
    if let Some(total) = total_results.0
        && usize::try_from(total).is_ok_and(|total| total > members.len())
    {
        return Err(DecodeError::PartOfMembers { got: members.len(), total });
    }
    Ok(RawGroup {
        id: GroupId::new(usable_id(&id)?.to_owned()),
        display_name: display_name.0.unwrap_or_default(),
        members,
    })
}

pub(crate) fn user_from_wire(wire: &WireUser, dialect: Dialect) -> Result<User, DecodeError> {
    let WireUser {
        id,
        user_name,
        name,
        display_name,
        profile_url,
        title,
        timezone,
        active,
        emails,
        photos,
        addresses,
        phone_numbers,
        user_type,
        roles,
        preferred_language,
        locale,
        enterprise,
        profile,
        guest,
    } = wire;
    let id = UserId::new(usable_id(id)?.to_owned());
    let (emails, photos, roles) = (emails.as_slice(), photos.as_slice(), roles.as_slice());
    let phones = phone_numbers.as_slice();
    let is_bot = emails.iter().filter_map(|e| e.value.as_deref()).any(is_bot_address);

    let mut found = Found::default();
    match dialect {
        Dialect::Slack => {
            let primary = first_primary(emails).or_else(|| first(emails, |_| true));
            found.element(Attribute::Email, emails, primary, None);
            let second = first_index(emails, |index, _| Some(index) != primary);
            found.element(Attribute::SecondaryEmail, emails, second, None);
            let (phone, mobile) = slack_phones(phones);
            found.element(Attribute::Phone, phones, phone, None);
            found.element(Attribute::MobilePhone, phones, mobile, None);
            found.element(Attribute::Photo, photos, first(photos, |_| true), None);
            found.element(Attribute::Role, roles, first(roles, |_| true), None);
            found.address(addresses.as_slice(), addresses.as_slice().iter().position(has_content), false);
        }
        Dialect::Rfc => {
            let primary = first_primary(emails).or_else(|| first(emails, |_| true));
            let order = Some(["primary", "type", "value"]);
            found.element(Attribute::Email, emails, primary, order);
            let second = first_index(emails, |index, e| Some(index) != primary && e.primary.0 != Some(true));
            let order = Some(["type", "primary", "value"]);
            found.element(Attribute::SecondaryEmail, emails, second, order);
            let voice = |e: &Element| !["mobile", "fax", "pager"].iter().any(|kind| is_kind(e, kind));
            let phone = first(phones, |e| voice(e) && e.primary.0 == Some(true))
                .or_else(|| first(phones, |e| is_kind(e, "work")))
                .or_else(|| first(phones, voice));
            found.element(Attribute::Phone, phones, phone, order);
            let mobiles = |e: &Element| is_kind(e, "mobile");
            let mobile =
                first(phones, |e| mobiles(e) && e.primary.0 == Some(true)).or_else(|| first(phones, mobiles));
            found.element(Attribute::MobilePhone, phones, mobile, order);
            for (attribute, list) in [(Attribute::Photo, photos), (Attribute::Role, roles)] {
                let index = first_primary(list)
                    .or_else(|| first(list, |e| is_kind(e, "work")))
                    .or_else(|| first(list, |_| true));
                found.element(attribute, list, index, order);
            }
            let list = addresses.as_slice();
            let is_work = |a: &Address| a.kind.as_deref().is_some_and(|kind| fold(kind) == "work");
            let index = list
                .iter()
                .position(|a| has_content(a) && a.primary.0 == Some(true))
                .or_else(|| list.iter().position(|a| has_content(a) && is_work(a)))
                .or_else(|| list.iter().position(has_content));
            found.address(list, index, true);
        }
    }
    let manager = &enterprise.manager;
    let manager = match dialect {
        Dialect::Slack => manager.manager_id.as_deref().or(manager.value.as_deref()),
        Dialect::Rfc => manager.value.as_deref().or(manager.manager_id.as_deref()),
    };
    for (attribute, value) in [
        (Attribute::UserName, user_name.as_deref()),
        (Attribute::GivenName, name.given_name.as_deref()),
        (Attribute::FamilyName, name.family_name.as_deref()),
        (Attribute::HonorificPrefix, name.honorific_prefix.as_deref()),
        (Attribute::DisplayName, display_name.as_deref()),
        (Attribute::Title, title.as_deref()),
        (Attribute::UserType, user_type.as_deref()),
        (Attribute::PreferredLanguage, preferred_language.as_deref()),
        (Attribute::Locale, locale.as_deref()),
        (Attribute::Timezone, timezone.as_deref()),
        (Attribute::ProfileUrl, profile_url.as_deref()),
        (Attribute::EmployeeNumber, enterprise.employee_number.as_deref()),
        (Attribute::CostCenter, enterprise.cost_center.as_deref()),
        (Attribute::Organization, enterprise.organization.as_deref()),
        (Attribute::Division, enterprise.division.as_deref()),
        (Attribute::Department, enterprise.department.as_deref()),
        (Attribute::Manager, manager),
        (Attribute::StartDate, profile.start_date.as_deref()),
        (Attribute::GuestExpires, guest.as_ref().and_then(|guest| guest.expiration.as_deref())),
    ] {
        found.text(attribute, value);
    }
    Ok(User {
        id,
        kind: if is_bot { AccountKind::Bot } else { AccountKind::Person },
        // An account whose answer does not say is one that was never deactivated (RFC 7643 §4.1.1 leaves it open).
        active: active.0.unwrap_or(true),
        guest: guest.is_some(),
        attributes: found.attributes.into_iter().collect(),
        selectors: found.selectors.into_iter().collect(),
    })
}

/// Sheet S5: `botuser-T…-A…@slack-bots.com`.
fn is_bot_address(address: &str) -> bool {
    let address = fold(address);
    address.starts_with("botuser-") && address.ends_with("@slack-bots.com")
}

/// Sheet S6: in an answer, `type: "mobile"` marks the mobile number and `primary: true` the primary one. An element
/// with neither mark goes where there is room.
fn slack_phones(phones: &[Element]) -> (Option<usize>, Option<usize>) {
    let mut mobile = first(phones, |e| is_kind(e, "mobile"));
    let unmarked =
        |taken: [Option<usize>; 2]| first_index(phones, move |index, _| !taken.contains(&Some(index)));
    let primary = first(phones, |e| e.primary.0 == Some(true) && !is_kind(e, "mobile"));
    let phone = primary.or_else(|| unmarked([mobile, None]));
    mobile = mobile.or_else(|| unmarked([phone, None]));
    (phone, mobile)
}

fn is_kind(element: &Element, kind: &str) -> bool {
    element.kind.as_deref().is_some_and(|own| own.trim().eq_ignore_ascii_case(kind))
}

fn has_content(address: &Address) -> bool {
    address_parts(address).iter().any(|(_, part)| part.as_deref().is_some())
}

fn address_parts(address: &Address) -> [(Attribute, &Text); 5] {
    [
        (Attribute::StreetAddress, &address.street_address),
        (Attribute::Locality, &address.locality),
        (Attribute::Region, &address.region),
        (Attribute::PostalCode, &address.postal_code),
        (Attribute::Country, &address.country),
    ]
}

/// The first element that has a value and fits.
fn first(list: &[Element], fits: impl Fn(&Element) -> bool) -> Option<usize> {
    list.iter().position(|element| element.value.as_deref().is_some() && fits(element))
}

fn first_index(list: &[Element], fits: impl Fn(usize, &Element) -> bool) -> Option<usize> {
    let mut all = list.iter().enumerate();
    all.find(|(index, element)| element.value.as_deref().is_some() && fits(*index, element))
        .map(|(index, _)| index)
}

fn first_primary(list: &[Element]) -> Option<usize> {
    first(list, |element| element.primary.0 == Some(true))
}

#[derive(Default)]
struct Found<'a> {
    attributes: Vec<(Attribute, &'a str)>,
    selectors: Vec<(Attribute, Box<str>)>,
}

impl<'a> Found<'a> {
    fn text(&mut self, attribute: Attribute, value: Option<&'a str>) {
        self.attributes.extend(value.map(|value| (attribute, value)));
    }

    /// Takes the element at `index`, with the filter that picks it where `order` names the marks to pick it by.
    fn element(
        &mut self,
        attribute: Attribute,
        list: &'a [Element],
        index: Option<usize>,
        order: Option<[&'static str; 3]>,
    ) {
        let Some((index, element)) = index.and_then(|index| Some((index, list.get(index)?))) else { return };
        self.text(attribute, element.value.as_deref());
        if let Some(order) = order {
            let marks: Vec<Marks> = list.iter().map(|element| marks(element, order)).collect();
            self.selectors.extend(pick(&marks, index).map(|filter| (attribute, filter)));
        }
    }

    fn address(&mut self, list: &'a [Address], index: Option<usize>, with_selector: bool) {
        let Some((index, address)) = index.and_then(|index| Some((index, list.get(index)?))) else { return };
        let filter = with_selector.then(|| {
            let marks: Vec<Marks> = list.iter().map(address_marks).collect();
            pick(&marks, index)
        });
        let filter = filter.flatten();
        for (attribute, part) in address_parts(address) {
            self.text(attribute, part.as_deref());
            // A part that is not set has the filter too: the element to set it in is there.
            self.selectors.extend(filter.clone().map(|filter| (attribute, filter)));
        }
    }
}

fn marks(element: &Element, order: [&'static str; 3]) -> Marks {
    let mark = |name| match name {
        "primary" => selector::primary(element.primary.0),
        "type" => selector::text(element.kind.as_deref()),
        _ => selector::text(element.value.as_deref()),
    };
    order.into_iter().map(|name| (name, mark(name))).collect()
}

fn address_marks(address: &Address) -> Marks {
    vec![
        ("type", selector::text(address.kind.as_deref())),
        ("primary", selector::primary(address.primary.0)),
        ("formatted", selector::text(address.formatted.as_deref())),
        ("streetAddress", selector::text(address.street_address.as_deref())),
        ("postalCode", selector::text(address.postal_code.as_deref())),
        ("locality", selector::text(address.locality.as_deref())),
        ("region", selector::text(address.region.as_deref())),
        ("country", selector::text(address.country.as_deref())),
    ]
}
