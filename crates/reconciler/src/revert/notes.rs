//! What a revert leaves undone, and why.

/// How many names one note spells out before it says how many more there are: as many as a person still reads.
const NAMES_SHOWN: usize = 20;

/// What a note is about. The order is the order of importance, most important first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Topic {
    /// Somebody has changed it since the run.
    ChangedSince,
    /// Somebody else holds the name or address now.
    NameTaken,
    /// The resource does not exist any more.
    Gone,
    /// The policy protects it.
    Protected,
    /// The roster says `managed: false`.
    Unmanaged,
    /// It is an app's account.
    Bot,
    /// The account may still turn inactive.
    MayTurnInactive,
    /// Whether the run created it is not known.
    UnknownOutcome,
    /// The service cannot be given the value from before.
    CannotRestore,
    /// The account is deactivated, so the rest of it is left alone.
    StaysInactive,
    /// Created people are deactivated, since they cannot be deleted.
    NotDeleted,
    /// People come back without what deactivation took.
    Channels,
    /// Groups that were deleted are made anew.
    NewGroup,
}

#[cfg(test)]
impl Topic {
    const ALL: [Self; 13] = [
        Self::ChangedSince,
        Self::NameTaken,
        Self::Gone,
        Self::Protected,
        Self::Unmanaged,
        Self::Bot,
        Self::MayTurnInactive,
        Self::UnknownOutcome,
        Self::CannotRestore,
        Self::StaysInactive,
        Self::NotDeleted,
        Self::Channels,
        Self::NewGroup,
    ];
}

impl model::notes::Topic for Topic {
    fn code(self) -> &'static str {
        match self {
            Self::ChangedSince => "changed-since",
            Self::NameTaken => "name-taken",
            Self::Gone => "gone",
            Self::Protected => "protected",
            Self::Unmanaged => "unmanaged",
            Self::Bot => "bot",
            Self::MayTurnInactive => "may-turn-inactive",
            Self::UnknownOutcome => "unknown-outcome",
            Self::CannotRestore => "cannot-restore",
            Self::StaysInactive => "stays-inactive",
            Self::NotDeleted => "not-deleted",
            Self::Channels => "channels",
            Self::NewGroup => "new-group",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Gone => "no longer there, so there is nothing to undo",
            Self::Protected => "protected by the policy, so left as the run left them",
            Self::Unmanaged => "listed with `managed: false`, so left as the run left them",
            Self::Bot => "bots, which are never changed",
            Self::MayTurnInactive => {
                "active now, but the run asked for their deactivation, which Slack carries out with a delay; look again in a \
                 minute"
            }
            Self::UnknownOutcome => {
                "the run may have created these, its journal does not say, and none of this name and address is there"
            }
            Self::NotDeleted => "created by the run; an account cannot be deleted, so it is deactivated",
            Self::Channels => {
                "reactivated; Slack does not give back their channels and workspaces, nor what they lost in groups that \
                 the run did not change"
            }
            Self::NewGroup => {
                "deleted by the run, so made anew with another id; links to workspaces and channels are lost"
            }
            Self::ChangedSince | Self::NameTaken | Self::CannotRestore | Self::StaysInactive => "",
        }
    }
}

/// The notes so far.
pub(super) type Notes = model::notes::Notes<Topic>;

/// No notes so far.
pub(super) fn none() -> Notes {
    Notes::new(NAMES_SHOWN)
}

#[cfg(test)]
mod tests {
    use super::Topic;
    use model::notes::Topic as _;

    #[test]
    fn every_note_is_in_the_manual() {
        let manual = include_str!("../../../../docs/revert.md");
        for topic in Topic::ALL {
            assert!(manual.contains(&format!("`{}`", topic.code())), "{}", topic.code());
        }
    }
}
