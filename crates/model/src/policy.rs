//! What a roster allows a plan to do (design §3, `policy`).

use crate::attribute::{Attribute, TABLE};
use crate::names::{fold, folded};
use crate::place::Located;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// The rules under which a plan is made and judged. [`Policy::default`] is the policy of a roster that has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// What happens to what the roster does not list.
    pub unlisted: Unlisted,
    /// Who and what is never changed.
    pub protect: Protect,
    /// How much one plan may do.
    pub limits: Limits,
    /// The e-mail domains that accounts may have, in lower case; `None` allows any.
    pub email_domains: Option<Vec<Located<Box<str>>>>,
    /// For each attribute, when it is written.
    pub attributes: AttributeModes,
}

impl Policy {
    /// The domains that addresses may have; `None` where the policy allows any.
    pub fn allowed_domains(&self) -> Option<AllowedDomains<'_>> {
        let domains = self.email_domains.as_ref()?;
        Some(AllowedDomains(domains.iter().map(|domain| &*domain.value).collect()))
    }
}

/// The e-mail domains that a policy allows. A subdomain is another domain.
#[derive(Debug, Clone)]
pub struct AllowedDomains<'a>(HashSet<&'a str>);

impl AllowedDomains<'_> {
    /// Whether an address is at one of the domains. Letter case and blanks around it do not matter.
    ///
    /// # Errors
    /// The domain of the address, folded, when it is none of them.
    pub fn check(&self, address: &str) -> Result<(), String> {
        let domain = folded(address.rsplit('@').next().unwrap_or_default());
        if self.0.contains(&*domain) { Ok(()) } else { Err(domain.into_owned()) }
    }
}

/// What happens to accounts, groups and members that the roster does not list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unlisted {
    /// Accounts that match no entry.
    pub users: UnlistedUsers,
    /// Groups that match no entry.
    pub groups: UnlistedGroups,
    /// Members of a listed group who are not in its list.
    pub members: UnlistedMembers,
}

/// What happens to unlisted accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnlistedUsers {
    /// They are left alone.
    Keep,
    /// They are deactivated.
    Deactivate,
}

/// What happens to unlisted groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnlistedGroups {
    /// They are left alone.
    Keep,
    /// They are deleted.
    Delete,
}

/// What happens to unlisted members of a listed group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnlistedMembers {
    /// They stay.
    Keep,
    /// They are removed.
    Remove,
}

/// What is protected, by patterns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Protect {
    /// Accounts by userName, e-mail or id.
    pub users: Vec<Located<Pattern>>,
    /// Groups by displayName or id.
    pub groups: Vec<Located<Pattern>>,
}

/// A name in which `*` stands for any run of characters. Letter case does not matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: Box<str>,
    folded: Box<str>,
}

impl Pattern {
    /// Takes the pattern as written.
    pub fn new(text: impl Into<Box<str>>) -> Self {
        let text = text.into();
        let folded = fold(&text).into();
        Self { text, folded }
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether `name`, in any letter case, fits.
    pub fn matches(&self, name: &str) -> bool {
        let name = folded(name);
        let mut parts = self.folded.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = name.strip_prefix(first) else { return false };
        let mut parts = parts.peekable();
        if parts.peek().is_none() {
            return rest.is_empty();
        }
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                return rest.ends_with(part);
            }
            match rest.find(part) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
        true
    }
}

/// The most of one kind of thing that a plan may do: a number, a share of what there is, or the larger of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Limit {
    /// Always allowed, however small the whole is.
    pub at_least: u32,
    /// Allowed share of the whole in hundredths, rounded down.
    pub percent: u32,
}

impl Limit {
    /// How many of `whole` are allowed.
    pub fn of(self, whole: usize) -> usize {
        let share = (whole as u128 * u128::from(self.percent) / 100).try_into().unwrap_or(usize::MAX);
        share.max(self.at_least as usize)
    }
}

/// The limits of design §3; [`Limits::default`] has its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Deactivations, of the active users.
    pub deactivate_users: Limit,
    /// Creations, of the active users.
    pub create_users: Limit,
    /// Primary addresses that change, of the active users.
    pub change_emails: Limit,
    /// userNames that change, of the active users.
    pub change_user_names: Limit,
    /// Members made guests and guests made members, of the active users.
    pub convert_guests: Limit,
    /// Memberships that end, of all memberships.
    pub remove_members: Limit,
    /// Memberships that end in any one group, of that group's members.
    pub remove_members_per_group: Limit,
    /// Groups that lose their last member though the roster does not say `members: []`, of all groups.
    pub empty_groups: Limit,
    /// Groups deleted, of all groups.
    pub delete_groups: Limit,
}

impl Limits {
    /// The keys of a policy's `limits`.
    pub const KEYS: &'static [&'static str] = &[
        "deactivateUsers",
        "createUsers",
        "changeEmails",
        "changeUserNames",
        "convertGuests",
        "removeMembers",
        "removeMembersPerGroup",
        "emptyGroups",
        "deleteGroups",
    ];
}

impl Default for Limits {
    fn default() -> Self {
        const fn limit(at_least: u32, percent: u32) -> Limit {
            Limit { at_least, percent }
        }
        Self {
            deactivate_users: limit(5, 2),
            create_users: limit(50, 20),
            change_emails: limit(5, 5),
            change_user_names: limit(5, 5),
            convert_guests: limit(5, 2),
            remove_members: limit(10, 10),
            remove_members_per_group: limit(3, 30),
            empty_groups: limit(0, 0),
            delete_groups: limit(0, 0),
        }
    }
}

/// When an attribute is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum AttributeMode {
    /// At creation and whenever it differs.
    Enforce,
    /// At creation only.
    OnCreate,
    /// Never.
    Ignore,
}

/// The mode of every attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeModes(Vec<AttributeMode>);

impl Default for AttributeModes {
    /// All are enforced but `displayName`, which many organisations lock (sheet S6): it is written at creation.
    fn default() -> Self {
        let mut modes = Self(vec![AttributeMode::Enforce; TABLE.len()]);
        modes.set(Attribute::DisplayName, AttributeMode::OnCreate);
        modes
    }
}

impl AttributeModes {
    /// The mode of one attribute.
    pub fn get(&self, attribute: Attribute) -> AttributeMode {
        self.0.get(attribute as usize).copied().unwrap_or(AttributeMode::Enforce)
    }

    /// Changes the mode of one attribute.
    pub fn set(&mut self, attribute: Attribute, mode: AttributeMode) {
        if let Some(slot) = self.0.get_mut(attribute as usize) {
            *slot = mode;
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            unlisted: Unlisted {
                users: UnlistedUsers::Keep,
                groups: UnlistedGroups::Keep,
                members: UnlistedMembers::Remove,
            },
            protect: Protect::default(),
            limits: Limits::default(),
            email_domains: None,
            attributes: AttributeModes::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_run_of_characters() {
        let fits = |pattern: &str, name: &str| Pattern::new(pattern).matches(name);
        assert!(fits("Founder", "founder"));
        assert!(!fits("founder", "cofounder"));
        assert!(fits("*@acme.example", "ada@ACME.example"));
        assert!(fits("svc-*-prod", "svc-db-prod"));
        assert!(!fits("svc-*-prod", "svc-prod"));
        assert!(fits("*", ""));
        assert!(fits("a*b*c", "a-b-b-c"));
        assert!(!fits("a*bc*c", "abc"));
    }

    #[test]
    fn a_limit_is_the_larger_of_number_and_share_rounded_down() {
        let limit = Limit { at_least: 5, percent: 2 };
        assert_eq!(limit.of(100), 5);
        assert_eq!(limit.of(299), 5);
        assert_eq!(limit.of(300), 6);
        assert_eq!(limit.of(349), 6);
    }
}
