//! The whole world as the simulator itself has it, in one form for both dialects.

use model::Attribute as A;
use serde_json::Value;
use slack_sim::{Dialect, Kind, Simulator, User};
use std::collections::{BTreeMap, BTreeSet};

/// Everybody and every group, by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Census {
    /// The accounts.
    pub accounts: BTreeMap<String, Account>,
    /// The groups.
    pub groups: BTreeMap<String, Group>,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Account {
    /// Whether it may sign in.
    pub active: bool,
    /// Whether it is a guest.
    pub guest: bool,
    /// Whether it is a bot's.
    pub bot: bool,
    /// Every other value that is set; `manager` is an id.
    pub values: BTreeMap<A, String>,
}

/// A group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// The ids of its members.
    pub members: BTreeSet<String>,
}

impl Census {
    /// The world of `simulator` as it stands.
    pub fn take(simulator: &Simulator) -> Self {
        match simulator.switches().dialect {
            Dialect::Slack => Self::of_slack(simulator),
            Dialect::Rfc => Self::of_documents(&simulator.users(), &simulator.groups()),
        }
    }

    fn of_slack(simulator: &Simulator) -> Self {
        simulator.look(|world| Self {
            accounts: world.users().map(|user| (user.id.clone(), account(user))).collect(),
            groups: world
                .groups()
                .map(|group| {
                    let names = world.member_names(&group.id);
                    let members = names
                        .into_iter()
                        .filter_map(|name| world.user(name))
                        .map(|user| user.id.clone())
                        .collect();
                    (group.id.clone(), Group { name: group.display_name.clone(), members })
                })
                .collect(),
        })
    }

    fn of_documents(users: &[Value], groups: &[Value]) -> Self {
        let id = |resource: &Value| resource["id"].as_str().unwrap_or_default().to_owned();
        let members = |group: &Value| {
            let list = group["members"].as_array().into_iter().flatten();
            list.filter_map(|member| member["value"].as_str()).map(str::to_owned).collect()
        };
        Self {
            accounts: users.iter().map(|user| (id(user), of_document(user))).collect(),
            groups: groups
                .iter()
                .map(|group| {
                    let name = group["displayName"].as_str().unwrap_or_default().to_owned();
                    (id(group), Group { name, members: members(group) })
                })
                .collect(),
        }
    }

    /// The id of the account with this userName.
    pub fn id_of(&self, user_name: &str) -> Option<&str> {
        let is = |account: &Account| account.values.get(&A::UserName).is_some_and(|name| name == user_name);
        self.accounts.iter().find(|(_, account)| is(account)).map(|(id, _)| id.as_str())
    }

    /// The group of this name.
    pub fn group(&self, name: &str) -> Option<&Group> {
        self.groups.values().find(|group| group.name == name)
    }
}

pub(crate) fn account(user: &User) -> Account {
    let address = user.address.clone().unwrap_or_default();
    let text = |text: &String| Some(text.clone());
    let values = [
        (A::UserName, text(&user.user_name)),
        (A::Email, text(&user.email)),
        (A::SecondaryEmail, user.secondary_email.clone()),
        (A::GivenName, text(&user.given_name)),
        (A::FamilyName, text(&user.family_name)),
        (A::HonorificPrefix, user.honorific_prefix.clone()),
        (A::DisplayName, text(&user.display_name)),
        (A::Title, text(&user.title)),
        (A::Phone, user.phone.clone()),
        (A::MobilePhone, user.mobile_phone.clone()),
        (A::Photo, user.photo.clone()),
        (A::StreetAddress, address.street_address),
        (A::Locality, address.locality),
        (A::Region, address.region),
        (A::PostalCode, address.postal_code),
        (A::Country, address.country),
        (A::Role, user.role.clone()),
        (A::UserType, user.user_type.clone()),
        (A::PreferredLanguage, user.preferred_language.clone()),
        (A::Locale, user.locale.clone()),
        (A::Timezone, text(&user.timezone)),
        (A::ProfileUrl, user.profile_url.clone()),
        (A::EmployeeNumber, user.employee_number.clone()),
        (A::CostCenter, user.cost_center.clone()),
        (A::Organization, user.organization.clone()),
        (A::Division, user.division.clone()),
        (A::Department, user.department.clone()),
        (A::Manager, user.manager.clone()),
        (A::StartDate, user.start_date.clone()),
        (A::GuestExpires, user.guest.as_ref().and_then(|guest| guest.expiration.clone())),
    ];
    Account {
        active: user.active,
        guest: user.guest.is_some(),
        bot: user.kind == Kind::Bot,
        values: set(values),
    }
}

fn of_document(user: &Value) -> Account {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let list = |key: &str| user[key].as_array().cloned().unwrap_or_default();
    let emails = list("emails");
    let primary = emails.iter().position(|email| email["primary"] == true).unwrap_or(0);
    let second = emails.iter().enumerate().find(|(at, _)| *at != primary).map(|(_, email)| email);
    let phones = list("phoneNumbers");
    let phone = |mobile: bool| {
        let found = phones.iter().find(|phone| (phone["type"] == "mobile") == mobile)?;
        text(&found["value"])
    };
    let address = list("addresses").first().cloned().unwrap_or_default();
    let first = |key: &str| list(key).first().and_then(|element| text(&element["value"]));
    let enterprise = &user[model::attribute::ENTERPRISE];
    let guest = &user[model::attribute::SLACK_GUEST];
    let values = [
        (A::UserName, text(&user["userName"])),
        (A::Email, emails.get(primary).and_then(|email| text(&email["value"]))),
        (A::SecondaryEmail, second.and_then(|email| text(&email["value"]))),
        (A::GivenName, text(&user["name"]["givenName"])),
        (A::FamilyName, text(&user["name"]["familyName"])),
        (A::HonorificPrefix, text(&user["name"]["honorificPrefix"])),
        (A::DisplayName, text(&user["displayName"])),
        (A::Title, text(&user["title"])),
        (A::Phone, phone(false)),
        (A::MobilePhone, phone(true)),
        (A::Photo, first("photos")),
        (A::StreetAddress, text(&address["streetAddress"])),
        (A::Locality, text(&address["locality"])),
        (A::Region, text(&address["region"])),
        (A::PostalCode, text(&address["postalCode"])),
        (A::Country, text(&address["country"])),
        (A::Role, first("roles")),
        (A::UserType, text(&user["userType"])),
        (A::PreferredLanguage, text(&user["preferredLanguage"])),
        (A::Locale, text(&user["locale"])),
        (A::Timezone, text(&user["timezone"])),
        (A::ProfileUrl, text(&user["profileUrl"])),
        (A::EmployeeNumber, text(&enterprise["employeeNumber"])),
        (A::CostCenter, text(&enterprise["costCenter"])),
        (A::Organization, text(&enterprise["organization"])),
        (A::Division, text(&enterprise["division"])),
        (A::Department, text(&enterprise["department"])),
        (A::Manager, text(&enterprise["manager"]["value"])),
        (A::StartDate, text(&user[model::attribute::SLACK_PROFILE]["startDate"])),
        (A::GuestExpires, text(&guest["expiration"])),
    ];
    let values = set(values);
    // A plain service has no other mark of a bot than Slack's own domain for them (sheet S5).
    let bot = values.get(&A::Email).is_some_and(|email| email.ends_with("@slack-bots.com"));
    Account { active: user["active"] != false, guest: guest.is_object(), bot, values }
}

fn set(values: impl IntoIterator<Item = (A, Option<String>)>) -> BTreeMap<A, String> {
    let filled = values.into_iter().filter_map(|(attribute, value)| Some((attribute, value?)));
    filled.filter(|(_, value)| !value.trim().is_empty()).collect()
}
