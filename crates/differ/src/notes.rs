//! What a reader of the plan should know beside the changes: gathered while planning, told in a few lines.

/// How many names one note spells out before it says how many more there are.
const NAMES_SHOWN: usize = 5;

/// What a note is about. The order is the order of importance, most important first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Topic {
    /// Somebody is left out of a group, and why.
    LeftOut,
    /// A guest whose time is over stays deactivated.
    ExpiredGuest,
    /// A manager who has no account is not set.
    NoManager,
    /// What is protected stays as it is.
    Protected,
    /// What `--only` leaves for another time.
    Only,
    /// Attributes that the service does not know.
    NotInDialect,
    /// Leavers who never had an account.
    NoAccount,
    /// Bots and protected people stay in groups.
    KeptMembers,
    /// Members that are no accounts stay in groups.
    ForeignMembers,
    /// People who are listed and never written.
    Unmanaged,
    /// Accounts and groups that the roster does not list.
    Unlisted,
}

impl model::notes::Topic for Topic {
    fn code(self) -> &'static str {
        match self {
            Self::LeftOut => "left-out",
            Self::ExpiredGuest => "expired-guest",
            Self::NoManager => "no-manager",
            Self::Protected => "protected",
            Self::Only => "only",
            Self::NotInDialect => "not-in-dialect",
            Self::NoAccount => "no-account",
            Self::KeptMembers => "kept-members",
            Self::ForeignMembers => "foreign-members",
            Self::Unmanaged => "unmanaged",
            Self::Unlisted => "unlisted",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::LeftOut => "left out of groups",
            Self::ExpiredGuest => "guests whose expiry has passed are not brought back",
            Self::NoManager => "managers not set, because they have no account",
            Self::Protected => {
                "protected, so left as they are where the roster does not speak of them by name"
            }
            Self::Only => "left out of this narrowed plan",
            Self::NotInDialect => {
                "Slack's own attributes, which a service of the rfc dialect does not know, so left alone"
            }
            Self::NoAccount => "to be inactive and without an account, so nothing is done",
            Self::KeptMembers => "members kept though the roster does not list them",
            Self::ForeignMembers => "members that are no accounts of this directory, never touched",
            Self::Unmanaged => "listed with `managed: false`, so never written",
            Self::Unlisted => "not in the roster, left alone",
        }
    }
}

/// The notes so far.
pub(crate) type Notes = model::notes::Notes<Topic>;

/// No notes so far.
pub(crate) fn none() -> Notes {
    Notes::new(NAMES_SHOWN)
}

/// A note of its own about some people, if there are any: `subject: words: names`.
pub(crate) fn about(notes: &mut Notes, topic: Topic, subject: &str, words: &str, names: &[String]) {
    if !names.is_empty() {
        notes.line(topic, format!("{subject}: {words}: {}", list(names)));
    }
}

/// The first few names, and how many more there are.
pub(crate) fn list(names: &[String]) -> String {
    model::notes::list(names, NAMES_SHOWN)
}
