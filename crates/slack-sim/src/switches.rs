//! Every question that the sheet leaves open, as a switch with a documented default.
//!
//! A default follows the evidence in this order: what Slack documents, what was recorded, what third parties report,
//! and where nobody says anything, the reading that is hardest on a client.

mod choices;
mod value;

use std::sync::LazyLock;
use std::time::Duration;

pub use choices::{
    Answer, AuthError, BadProfile, BodyFamily, CountZero, Deactivated, Delayed, Dialect, DisplayName,
    DuplicateName, EmailFilter, EmptySecondary, ErrorShape, ExtensionPaths, Filters, Form, Heed, IdPrefix,
    ItemsPerPage, Keep, LongUserName, ManagerForm, MemberFilter, OmittedActive, Permission, Plan, PostStatus,
    Rank, RankRule, RateLimits, RefusalStatus, RemoveWithValue, Repeated, ReplaceEmails, SecondPrimary,
    StartDateForm, TimezoneCheck,
};
pub use value::SwitchValue;

/// What is known of one switch: a row of the table behind `rosterctl sim --help`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwitchInfo {
    /// The name, as `--set NAME=VALUE` takes it.
    pub name: &'static str,
    /// What may stand behind the `=`.
    pub allowed: Vec<&'static str>,
    /// The value without `--set`.
    pub default: String,
    /// What it decides, in one sentence or two.
    pub doc: &'static str,
    /// The section of the sheet that leaves the question open; empty where the switch is about other services.
    pub section: &'static str,
    /// The values that [`Switches::random`] draws from.
    pub draw: &'static [&'static str],
}

/// Why a switch could not be set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SwitchError {
    /// No switch has that name.
    #[error("there is no switch `{name}`{}", suggestion.map(|s| format!("; did you mean `{s}`?")).unwrap_or_default())]
    Unknown {
        /// The name as given.
        name: String,
        /// The nearest name there is, if one is near.
        suggestion: Option<&'static str>,
    },
    /// The switch does not take that value.
    #[error("switch `{name}` cannot be `{value}`; it takes {}", allowed.join(", "))]
    Value {
        /// The switch.
        name: &'static str,
        /// The value as given.
        value: String,
        /// What it takes.
        allowed: Vec<&'static str>,
    },
}

macro_rules! switches {
    ($( $(#[doc = $doc:literal])+ $name:literal $field:ident: $ty:ty = $default:expr, $section:literal, [$($draw:literal),*]; )*) => {
        /// The switches of a simulator; [`Switches::describe`] lists them with their meaning.
        #[derive(Debug, Clone, PartialEq)]
        pub struct Switches {
            $( $(#[doc = $doc])+ pub $field: $ty, )*
        }

        impl Default for Switches {
            fn default() -> Self {
                Self { $( $field: $default, )* }
            }
        }

        static TABLE: LazyLock<Vec<SwitchInfo>> = LazyLock::new(|| {
            let defaults = Switches::default();
            vec![ $( SwitchInfo {
                name: $name,
                allowed: <$ty as SwitchValue>::allowed(),
                default: defaults.$field.spell(),
                doc: concat!($($doc),+).trim_ascii(),
                section: $section,
                draw: &[$($draw),*],
            }, )* ]
        });

        impl Switches {
            /// Sets the switch `name` to `value`, both spelled as in [`Switches::describe`].
            ///
            /// # Errors
            ///
            /// [`SwitchError`] when there is no such switch, with the nearest name, or when it does not take the value.
            pub fn set(&mut self, name: &str, value: &str) -> Result<(), SwitchError> {
                match name {
                    $( $name => self.$field = read($name, value)?, )*
                    _ => return Err(SwitchError::Unknown { name: name.to_owned(), suggestion: nearest(name) }),
                }
                Ok(())
            }

            /// The value of each switch as [`Switches::set`] takes it, in the order of [`Switches::describe`].
            pub fn values(&self) -> Vec<(&'static str, String)> {
                vec![ $( ($name, self.$field.spell()), )* ]
            }
        }
    };
}

switches! {
    /// Whose rules the service follows: Slack's, or those of RFC 7643 and 7644. With `rfc` only the rate limits, the locks and the switches of misbehaving services apply.
    "dialect" dialect: Dialect = Dialect::Slack, "S2", ["slack"];
    /// The plan of the organisation: what SCIM may do, whether guests can be made, how large groups may be.
    "plan" plan: Plan = Plan::Enterprise, "S1 S6 S14", ["business-plus", "enterprise"];
    /// The rank of the account behind the token.
    "token-rank" token_rank: Rank = Rank::Owner, "S1", ["admin", "owner", "primary-owner"];
    /// Whom that rank may act on: Slack's pages disagree.
    "rank-rule" rank_rule: RankRule = RankRule::SameOrLower, "S13", ["same-or-lower", "lower"];
    /// The status of a refusal to act on owners, admins, bots and forgotten people.
    "refusal-status" refusal_status: RefusalStatus = RefusalStatus::Forbidden, "S13", ["403", "400"];

    /// Whether user bodies have the custom profile fields with their explicit nulls.
    "body-family" body_family: BodyFamily = BodyFamily::Full, "S5", ["full", "lean"];
    /// How an unset secondary e-mail is shown on v2 in a full body.
    "empty-secondary-email" empty_secondary_email: EmptySecondary = EmptySecondary::Absent, "S5", ["absent", "shown"];
    /// What `managerId` is answered as: a request may name the manager in each of these forms, and no page says which of them comes back.
    "manager-form" manager_form: ManagerForm = ManagerForm::Id, "S6", ["id", "userName", "email"];
    /// Whether slashes in v2 bodies are written `\/`, as they are on v1.
    "escaped-slashes" escaped_slashes: bool = false, "S2", ["on", "off"];
    /// Whether a creation is answered with a `Location` header.
    "location-header" location_header: bool = false, "S2", ["on", "off"];
    /// The letter in front of a new user's id.
    "id-prefix" id_prefix: IdPrefix = IdPrefix::U, "S2", ["U", "W"];
    /// The status of a creation.
    "post-status" post_status: PostStatus = PostStatus::Created, "S3", ["201", "200"];
    /// Whether POST, PUT and PATCH are answered with the resource (`empty`: 201 or 204 and nothing).
    "write-answer" write_answer: Answer = Answer::Body, "S3", ["body", "empty"];
    /// Whether PATCH of a group is answered with the group or with an empty 204, as on v1.
    "patch-group-answer" patch_group_answer: Answer = Answer::Body, "S3", ["body", "empty"];
    /// Whether `/Schemas` has the extensions flattened into the attributes of User, the misspelt `subattributes`, `active` as a string, it and `/ResourceTypes` lack `totalResults`, and the latter names an extension without a schema.
    "malformed-schemas" malformed_schemas: bool = false, "S4", ["on", "off"];
    /// Whether the singular `ServiceProviderConfig` is as the plural was recorded: no `schemas`, `specUrl` instead of `specUri`, and `xmlDataFormat` of SCIM 1.1.
    "malformed-config" malformed_config: bool = false, "S4", ["on", "off"];
    /// Whether `ServiceProviderConfig` on v2 says that filters are supported.
    "advertised-filter" advertised_filter: bool = false, "S4", ["on", "off"];

    /// How a bad or missing token is answered on v2.
    "auth-error" auth_error: AuthError = AuthError::New, "S16", ["new", "old"];
    /// The shape of an error's body on v2.
    "error-shape" error_shape: ErrorShape = ErrorShape::V2, "S16", ["v2", "v1"];
    /// The code for a userName of more than 21 characters.
    "long-user-name" long_user_name: LongUserName = LongUserName::Documented, "S6", ["username_too_long", "long_username"];
    /// Whether `email_taken` names the holder: `existing_user=U…`.
    "email-taken-holder" email_taken_holder: bool = true, "S7", ["on", "off"];

    /// How the rates of S15 are enforced.
    "rate-limits" rate_limits: RateLimits = RateLimits::Strict, "S15", ["off", "bucket", "strict"];
    /// Whether a 429 has the usual error as its body.
    "throttle-body" throttle_body: Answer = Answer::Body, "S15", ["body", "empty"];
    /// Whether a 429 says `Retry-After`.
    "retry-after" retry_after: bool = true, "S15", ["on", "off"];
    /// Whether a second write to a resource that is being updated is answered 429 `resource_locked`.
    "resource-lock" resource_lock: bool = true, "S15", ["on", "off"];
    /// How long a write takes before it is answered; the resource is locked meanwhile.
    "write-time" write_time: Duration = Duration::ZERO, "S15", ["0", "50ms", "300ms"];
    /// How long the resource stays locked after the answer.
    "lock-time" lock_time: Duration = Duration::ZERO, "S15", ["0", "100ms", "1"];

    /// How long a deactivated user is still shown as active.
    "deactivation-delay" deactivation_delay: Duration = Duration::from_secs(2), "S13", ["0", "2", "8"];
    /// Which requests deactivate with that delay.
    "delayed-deactivation" delayed_deactivation: Delayed = Delayed::DeletePatch, "S13", ["delete", "delete-patch", "any"];
    /// What becomes of a deactivated user's group memberships.
    "deactivated-memberships" deactivated_memberships: Keep = Keep::Drop, "S13", ["keep", "drop"];
    /// What an omitted `active` means on PUT.
    "put-omitted-active" put_omitted_active: OmittedActive = OmittedActive::Deactivate, "S10", ["keep", "deactivate"];
    /// Whether `active:false` on POST makes a deactivated user.
    "post-inactive" post_inactive: Heed = Heed::Ignored, "S7", ["honoured", "ignored"];
    /// What a PATCH to the other attributes of a deactivated user meets.
    "patch-deactivated" patch_deactivated: Deactivated = Deactivated::Accepted, "S11", ["accepted", "refused-400", "refused-403", "refused-404"];
    /// What DELETE of a deactivated user meets.
    "delete-deactivated" delete_deactivated: Deactivated = Deactivated::Accepted, "S13", ["accepted", "refused-400", "refused-404"];
    /// Whether `active` may be the string "true" or "False", as Entra sends it.
    "active-as-string" active_as_string: Form = Form::Accepted, "S6", ["accepted", "refused"];
    /// Whether every N-th POST of a user fails once with `invited_user_not_created` (0: never).
    "failing-create" failing_create: usize = 0, "S7", ["0", "7"];

    /// Whether SCIM may change display names.
    "display-name" display_name: DisplayName = DisplayName::Open, "S6", ["open", "locked"];
    /// What invalid profile data does to a creation.
    "bad-profile-on-create" bad_profile_on_create: BadProfile = BadProfile::Drops, "S6 S17", ["drops", "refused"];
    /// Whether the name of a time zone is looked at.
    "timezone-check" timezone_check: TimezoneCheck = TimezoneCheck::None, "S6", ["none", "olson"];
    /// How long a name, title or custom field may be (0: any length).
    "text-limit" text_limit: usize = 0, "S19", ["0", "255"];
    /// Whether an e-mail's domain has to be one of the seed's `domains`.
    "domain-claim" domain_claim: bool = false, "S1", ["off"];
    /// How long a new photo takes to be hosted.
    "photo-delay" photo_delay: Duration = Duration::from_secs(5), "S6", ["0", "5", "30"];
    /// Whether `remove` of `photos` clears the photo.
    "remove-photos" remove_photos: Heed = Heed::Ignored, "S6", ["honoured", "ignored"];
    /// What `replace` with path `emails` and an array does.
    "replace-emails" replace_emails: ReplaceEmails = ReplaceEmails::Merges, "S11", ["replaces", "merges", "refused"];
    /// What adding an e-mail with `primary:true` does to the present primary.
    "second-primary" second_primary: SecondPrimary = SecondPrimary::TakesOver, "S6", ["takes-over", "refused"];
    /// Whether `channels` sent in the guest extension are kept.
    "guest-channels" guest_channels: Heed = Heed::Ignored, "S6", ["honoured", "ignored"];

    /// Whether a PATCH operation may lack a path.
    "pathless-patch" pathless_patch: Form = Form::Accepted, "S11", ["accepted", "refused"];
    /// What stands between an extension's URN and its attribute in a PATCH path.
    "extension-paths" extension_paths: ExtensionPaths = ExtensionPaths::Both, "S11", ["both", "colon", "dot"];
    /// Through which forms of PATCH `startDate` can be written.
    "patch-start-date" patch_start_date: StartDateForm = StartDateForm::Any, "S11", ["any", "object", "path", "refused"];
    /// How the id in `members[value eq …]` may be written.
    "member-filter" member_filter: MemberFilter = MemberFilter::Both, "S11", ["both", "quoted", "unquoted"];
    /// What a `remove` of `members` that carries a value takes away.
    "remove-with-value" remove_with_value: RemoveWithValue = RemoveWithValue::Wipes, "S11", ["wipes", "listed"];
    /// Whether PATCH may rename a group on v2.
    "patch-group-name" patch_group_name: Form = Form::Accepted, "S11", ["accepted", "refused"];
    /// What adding somebody twice, or removing somebody absent, does.
    "repeated-member" repeated_member: Repeated = Repeated::NoOp, "S11", ["no-op", "error"];
    /// A second group of the same name.
    "duplicate-group-name" duplicate_group_name: DuplicateName = DuplicateName::Conflict, "S14", ["409", "400", "allowed"];
    /// How long a group's name may be (0: any length).
    "group-name-limit" group_name_limit: usize = 0, "S14", ["0", "100"];
    /// Whether a group may bear the name of a channel.
    "group-named-as-channel" group_named_as_channel: Permission = Permission::Allowed, "S14", ["allowed", "refused"];
    /// Whether guests may be members of groups.
    "guests-in-groups" guests_in_groups: Permission = Permission::Allowed, "S14", ["allowed", "refused"];
    /// How many members `GET /Groups/{id}` returns at once, with `totalResults` beside them (0: all).
    "members-per-page" members_per_page: usize = 0, "S8", ["0", "500"];
    /// For how long reads still show a group as it was before a PATCH.
    "group-read-delay" group_read_delay: Duration = Duration::ZERO, "S14", ["0", "3"];

    /// What becomes of `filter` on Users: Slack's v2 page says it is not applicable, production says it works.
    "filters" filters: Filters = Filters::Supported, "S9", ["supported", "ignored", "refused"];
    /// What becomes of `filter` on Groups.
    "group-filters" group_filters: Filters = Filters::Supported, "S9", ["supported", "ignored", "refused"];
    /// Whether a filter by e-mail finds deactivated people.
    "email-filter" email_filter: EmailFilter = EmailFilter::Complete, "S9", ["complete", "misses-deactivated"];
    /// What `count=0` asks for.
    "count-zero" count_zero: CountZero = CountZero::Empty, "S8", ["empty", "default"];
    /// Whether `attributes` and `excludedAttributes` are heeded.
    "excluded-attributes" excluded_attributes: Heed = Heed::Honoured, "S8", ["honoured", "ignored"];

    /// Other services: the largest page, whatever `count` says (0: Slack's 1,000).
    "page-cap" page_cap: usize = 0, "", ["0"];
    /// Other services: every page is the first, and says so.
    "ignore-start-index" ignore_start_index: bool = false, "", ["off"];
    /// Other services: past the end comes the first page again, under the number that was asked for.
    "wrap-past-end" wrap_past_end: bool = false, "", ["off"];
    /// Other services: what `itemsPerPage` says.
    "items-per-page" items_per_page: ItemsPerPage = ItemsPerPage::Returned, "S8", ["returned", "requested"];
    /// Other services: how far `totalResults` is off.
    "total-results-error" total_results_error: i64 = 0, "", ["0"];
}

impl Switches {
    /// Every switch with its meaning, in the order of the help text.
    pub fn describe() -> &'static [SwitchInfo] {
        &TABLE
    }

    /// A world drawn by lot: each switch takes one of the values that a real Slack may have ([`SwitchInfo::draw`]). The
    /// misbehaviour of other services is never drawn.
    pub fn random(rng: &mut fastrand::Rng) -> Self {
        let mut drawn = Self::default();
        for info in Self::describe() {
            if let Some(value) = rng.choice(info.draw) {
                // The table is ours and a test sets every value of it, so there is nobody to tell.
                drawn.set(info.name, value).ok();
            }
        }
        drawn
    }

    /// The switches of a plain RFC 7643/7644 service: what `--rfc` stands for.
    pub fn rfc() -> Self {
        Self { dialect: Dialect::Rfc, rate_limits: RateLimits::Off, ..Self::default() }
    }

    /// The switches that differ from their defaults, with their values.
    pub fn changed(&self) -> Vec<(&'static str, String)> {
        let defaults = Self::default().values();
        self.values()
            .into_iter()
            .zip(defaults)
            .filter(|(now, then)| now != then)
            .map(|(now, _)| now)
            .collect()
    }
}

fn read<T: SwitchValue>(name: &'static str, value: &str) -> Result<T, SwitchError> {
    T::parse(value).ok_or_else(|| SwitchError::Value { name, value: value.to_owned(), allowed: T::allowed() })
}

/// The switch whose name is nearest to `name`, if a third of its letters or fewer are wrong.
fn nearest(name: &str) -> Option<&'static str> {
    // The names are short; a word of any other length has no neighbour, and need not be compared letter by letter.
    if name.len() > 40 {
        return None;
    }
    let wanted = name.replace('_', "-").to_lowercase();
    let (distance, best) = TABLE.iter().map(|info| (distance(&wanted, info.name), info.name)).min()?;
    (distance * 3 <= best.len()).then_some(best)
}

/// Levenshtein's distance: the insertions, deletions and substitutions between two words.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(left != *right);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_in_the_table_can_be_set_and_is_spelled_back() {
        for info in Switches::describe() {
            assert!(!info.doc.is_empty() && !info.draw.is_empty(), "{}", info.name);
            for value in info.draw.iter().copied().chain([info.default.as_str()]) {
                let mut switches = Switches::default();
                switches.set(info.name, value).unwrap();
                assert!(switches.values().contains(&(info.name, value.to_owned())), "{}={value}", info.name);
            }
        }
    }

    #[test]
    fn a_misspelt_switch_names_its_neighbour() {
        let error = Switches::default().set("deactivation_dely", "3").unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no switch `deactivation_dely`; did you mean `deactivation-delay`?"
        );
        let error = Switches::default().set("plan", "gold").unwrap_err();
        assert_eq!(
            error.to_string(),
            "switch `plan` cannot be `gold`; it takes free, business-plus, enterprise"
        );
        assert_eq!(Switches::default().set("zzz", "1").unwrap_err().to_string(), "there is no switch `zzz`");
    }

    #[test]
    fn the_same_seed_draws_the_same_world() {
        let draw = |seed| Switches::random(&mut fastrand::Rng::with_seed(seed));
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        assert_eq!(draw(7).page_cap, 0, "other services' misbehaviour is never drawn");
    }
}
