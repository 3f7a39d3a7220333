//! The enumerations behind the switches: one per question that the sheet leaves open.

use super::value::choice;

choice! {
    /// Whose rules the service follows.
    Dialect {
        /// Slack's, as the sheet tells them.
        Slack = "slack",
        /// RFC 7643 and RFC 7644 to the letter.
        Rfc = "rfc",
    }
}

choice! {
    /// The plan that the organisation pays for (S1).
    Plan {
        /// No SCIM at all: `plus_teams_only`.
        Free = "free",
        /// One workspace: groups of 5,000 at most, no guests by SCIM.
        BusinessPlus = "business-plus",
        /// An organisation: groups of 15,000, guests.
        Enterprise = "enterprise",
    }
}

choice! {
    /// Which of the two families of user bodies is answered (S5).
    BodyFamily {
        /// Custom profile fields exist: every body has its explicit nulls.
        Full = "full",
        /// None exist until somebody writes one; until then bodies stop at `photos, groups`.
        Lean = "lean",
    }
}

choice! {
    /// Which requests deactivate with a delay (S13; the PUT example of S10 shows `active:false` at once).
    Delayed {
        /// DELETE alone.
        Delete = "delete",
        /// DELETE and PATCH.
        DeletePatch = "delete-patch",
        /// DELETE, PATCH and PUT.
        Any = "any",
    }
}

choice! {
    /// What stays and what goes.
    Keep {
        /// It stays.
        Keep = "keep",
        /// It goes.
        Drop = "drop",
    }
}

choice! {
    /// What an omitted `active` means on PUT (S10).
    OmittedActive {
        /// The account stays as it is.
        Keep = "keep",
        /// The account is deactivated, as in the documented answer.
        Deactivate = "deactivate",
    }
}

choice! {
    /// Whether something sent has any effect.
    Heed {
        /// It has.
        Honoured = "honoured",
        /// It is accepted and has none.
        Ignored = "ignored",
    }
}

choice! {
    /// Whether a form of request is taken.
    Form {
        /// It is.
        Accepted = "accepted",
        /// It is answered with an error.
        Refused = "refused",
    }
}

choice! {
    /// What a `remove` of `members` that carries a value takes away (S11).
    RemoveWithValue {
        /// Everybody, as RFC 7644 says of a bare path.
        Wipes = "wipes",
        /// Those listed.
        Listed = "listed",
    }
}

choice! {
    /// Whether members may change their display name, which locks it for SCIM (S6).
    DisplayName {
        /// SCIM may change it.
        Open = "open",
        /// A change is `invalid_display_name`.
        Locked = "locked",
    }
}

choice! {
    /// How a bad token is answered on v2 (S16).
    AuthError {
        /// 401 `invalid_authentication`, seen since spring 2026.
        New = "new",
        /// 400 `unsupported_version`, seen from 2023.
        Old = "old",
    }
}

choice! {
    /// The shape of an error's body (S16).
    ErrorShape {
        /// `detail` and `status`, save at the authentication layer.
        V2 = "v2",
        /// `Errors.description` and `Errors.code` everywhere.
        V1 = "v1",
    }
}

choice! {
    /// How the rates of S15 are enforced.
    RateLimits {
        /// Not at all.
        Off = "off",
        /// A bucket of `burst`, refilled at the rate.
        Bucket = "bucket",
        /// The bucket, and never more than the rate in any 60 seconds.
        Strict = "strict",
    }
}

choice! {
    /// Whether an answer has a body.
    Answer {
        /// The resource, or the error.
        Body = "body",
        /// Nothing.
        Empty = "empty",
    }
}

choice! {
    /// How the id in `members[value eq …]` may be written (S11).
    MemberFilter {
        /// With quotes or without.
        Both = "both",
        /// With quotes, as the RFC has it.
        Quoted = "quoted",
        /// Without, as Slack's documents have it.
        Unquoted = "unquoted",
    }
}

choice! {
    /// Through which forms of PATCH `startDate` can be written (S11).
    StartDateForm {
        /// Either of the two.
        Any = "any",
        /// The extension's URN as the path, an object as the value.
        Object = "object",
        /// The attribute's own path.
        Path = "path",
        /// None.
        Refused = "refused",
    }
}

choice! {
    /// What a write to a deactivated account meets (S11, S13).
    Deactivated {
        /// It is carried out.
        Accepted = "accepted",
        /// 400.
        Refused400 = "refused-400",
        /// 403.
        Refused403 = "refused-403",
        /// 404.
        Refused404 = "refused-404",
    }
}

choice! {
    /// The status of a creation (S3).
    PostStatus {
        /// 201 Created.
        Created = "201",
        /// 200 OK.
        Ok = "200",
    }
}

choice! {
    /// What adding somebody twice, or removing somebody absent, does (S11).
    Repeated {
        /// Nothing.
        NoOp = "no-op",
        /// An error.
        Error = "error",
    }
}

choice! {
    /// What `count=0` asks for (S8).
    CountZero {
        /// No resources, just the total, as the RFC has it.
        Empty = "empty",
        /// The page of ten.
        Default = "default",
    }
}

choice! {
    /// What becomes of `filter` (S9).
    Filters {
        /// It selects.
        Supported = "supported",
        /// It is ignored, everything is listed.
        Ignored = "ignored",
        /// It is `invalid_query`.
        Refused = "refused",
    }
}

choice! {
    /// A second group of the same name (S14).
    DuplicateName {
        /// 409.
        Conflict = "409",
        /// 400.
        BadRequest = "400",
        /// Both may live.
        Allowed = "allowed",
    }
}

choice! {
    /// What invalid profile data does to a creation (S6, S17).
    BadProfile {
        /// The user is made and has no profile fields at all.
        Drops = "drops",
        /// Nothing is made.
        Refused = "refused",
    }
}

choice! {
    /// Whether a time zone's name is looked at (S6).
    TimezoneCheck {
        /// Any string is taken.
        None = "none",
        /// It has to look like an Olson name.
        Olson = "olson",
    }
}

choice! {
    /// The letter in front of a new user's id (S2).
    IdPrefix {
        /// `U…`, recorded since 2025-10.
        U = "U",
        /// `W…`, recorded before.
        W = "W",
    }
}

choice! {
    /// What `replace` with path `emails` and an array does (S11).
    ReplaceEmails {
        /// The array is the new list.
        Replaces = "replaces",
        /// It is added to what is there.
        Merges = "merges",
        /// An error.
        Refused = "refused",
    }
}

choice! {
    /// What adding an e-mail that says `primary:true` does to the present primary (S6).
    SecondPrimary {
        /// The new one becomes the primary.
        TakesOver = "takes-over",
        /// A conflict: more than one primary.
        Refused = "refused",
    }
}

choice! {
    /// What stands between an extension's URN and its attribute in a PATCH path (S11).
    ExtensionPaths {
        /// A colon or a dot.
        Both = "both",
        /// A colon, as the RFC has it.
        Colon = "colon",
        /// A dot, as in one of Slack's examples.
        Dot = "dot",
    }
}

choice! {
    /// How an unset secondary e-mail is shown on v2 (S5).
    EmptySecondary {
        /// Not at all.
        Absent = "absent",
        /// As an element with an empty value.
        Shown = "shown",
    }
}

choice! {
    /// What a manager is answered as (S6).
    ManagerForm {
        /// The Slack id.
        Id = "id",
        /// The userName.
        UserName = "userName",
        /// The primary e-mail.
        Email = "email",
    }
}

choice! {
    /// The code for a userName of more than 21 characters (S6).
    LongUserName {
        /// `username_too_long`, the documented one.
        Documented = "username_too_long",
        /// `long_username (user=…)`, the one that was seen.
        Seen = "long_username",
    }
}

choice! {
    /// Whether a filter by e-mail finds everybody (S9).
    EmailFilter {
        /// It does, deactivated people included.
        Complete = "complete",
        /// It overlooks deactivated people, whom POST then calls taken.
        MissesDeactivated = "misses-deactivated",
    }
}

choice! {
    /// The status of a refusal to act on owners, admins, bots and forgotten people (S13).
    RefusalStatus {
        /// 403.
        Forbidden = "403",
        /// 400.
        BadRequest = "400",
    }
}

choice! {
    /// The rank of the account behind the token (S1).
    Rank {
        /// An admin.
        Admin = "admin",
        /// An owner.
        Owner = "owner",
        /// The primary owner.
        PrimaryOwner = "primary-owner",
    }
}

choice! {
    /// Whom a rank may act on (S13).
    RankRule {
        /// Accounts of the same rank and below.
        SameOrLower = "same-or-lower",
        /// Accounts below; everybody may act on members.
        Lower = "lower",
    }
}

choice! {
    /// Whether guests may be members of groups (S14).
    Permission {
        /// They may.
        Allowed = "allowed",
        /// They may not.
        Refused = "refused",
    }
}

choice! {
    /// What a service says of the page it returned.
    ItemsPerPage {
        /// The number of resources on it, as Slack does (S8).
        Returned = "returned",
        /// The number that was asked for.
        Requested = "requested",
    }
}
