//! What the sheet leaves open about the forms of a PATCH, each with what may be sent instead.

/// A form that a service may refuse or take without effect though it is the first choice. The text of a question is
/// what a plan's reader sees beside the fallback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Question {
    /// Sheet S6: the filtered form is known from a client's live tests; S11 documents `add emails`.
    PrimaryEmail,
    /// Sheet S11: two documented forms for the second address.
    SecondEmail,
    /// Sheet S11: `replace` with an empty text is known for `title` only.
    ClearedText,
    /// Sheet S11: Slack shows a colon before the attribute of an extension, and a dot, and no path but the
    /// extension's own. A value is set through the extension's object, which fits all of that; only a dot is left
    /// for taking one away.
    ExtensionPath,
    /// Sheet S11: `remove` of one scalar of an extension is the RFC's, not shown by Slack.
    ClearedExtension,
    /// Sheet S11: Slack shows the extension's object for setting the manager, and a dot for taking it away, and no
    /// path that the RFC has; other attributes may have theirs all the same.
    Manager,
    /// Sheet S11: a GAP.
    StartDate,
    /// Sheet S11: Slack documents the dot path.
    GuestExpiry,
    /// Sheet S6: one of two forms deletes a photo.
    ClearedPhoto,
    /// Sheet S11: Slack's documents leave the id unquoted, which RFC 7644 does not allow.
    UnquotedId,
    /// Sheet S11: a GAP; PUT is documented.
    GroupName,
    /// Sheet S11: whether a deactivated account takes other changes in the PATCH that reactivates it.
    Reactivation,
}

impl Question {
    /// Whether a service may refuse a request for the first form's sake. Where it would take the form and do nothing,
    /// the other form is no cure for a refusal and stays out of the request that changes everything in question.
    pub(super) const fn may_be_refused(self) -> bool {
        !matches!(self, Self::ClearedPhoto)
    }

    pub(super) const fn because(self) -> &'static str {
        match self {
            Self::PrimaryEmail => "Slack may not take a filter in the path of the primary address",
            Self::SecondEmail => "Slack may not take `primary eq false` in the path of the second address",
            Self::ClearedText => "Slack may not clear an attribute by an empty text",
            Self::ExtensionPath => "Slack may not take a colon between an extension and its attribute",
            Self::ClearedExtension => "Slack may not remove a single attribute of an extension",
            Self::Manager => "Slack may not take the RFC's path of the manager",
            Self::StartDate => "Slack may not take a path to the start date",
            Self::GuestExpiry => "Slack may want a dot before the expiry of a guest",
            Self::ClearedPhoto => "Slack may not clear a photo by an empty list",
            Self::UnquotedId => "Slack may want member ids without quotation marks",
            Self::GroupName => "the service may not rename a group by PATCH",
            Self::Reactivation => "the service may not change an account in the request that reactivates it",
        }
    }
}

/// The words beside a fallback that answers several questions at once.
pub(super) fn because(questions: &[Question]) -> String {
    questions.iter().map(|question| question.because()).collect::<Vec<_>>().join("; ")
}
