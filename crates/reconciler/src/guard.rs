//! Guards: what a plan may do (design §3, `limits` and the brakes).
//!
//! Every guard says of every plan what it measured, what is allowed, whom it concerns and what may be done: [`judge`]
//! returns at least one verdict for each. A plan that takes away, renames or creates more never gets a milder one.

mod approval;
mod brakes;
mod groups;
mod limits;
mod recent;

pub use approval::{WrongDigest, approve};
pub use recent::Recent;

use model::change::Changeset;
use model::directory::Directory;
use model::plan::{Outcome, Verdict};
use model::roster::Roster;

/// The table of guards. Whether a person may let one plan pass a guard is said here and nowhere else.
macro_rules! guards {
    ($($(#[$doc:meta])* $guard:ident = $name:literal, $consent:ident;)*) => {
        /// A guard.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Guard {
            $($(#[$doc])* $guard,)*
        }

        impl Guard {
            /// Every guard there is.
            pub const ALL: &[Self] = &[$(Self::$guard),*];

            /// As verdicts and the policy name it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$guard => $name,)*
                }
            }

            /// Whether `--approve` lets one plan pass it.
            pub const fn consent(self) -> Consent {
                match self {
                    $(Self::$guard => Consent::$consent,)*
                }
            }
        }
    };
}

/// What a person's approval of one plan does to a guard that blocks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// The guard only warns.
    Passes,
    /// Nothing: the roster or its policy must change.
    Never,
}

guards! {
    /// How many people are deactivated.
    DeactivateUsers = "deactivateUsers", Passes;
    /// How many people are created.
    CreateUsers = "createUsers", Passes;
    /// How many primary addresses change.
    ChangeEmails = "changeEmails", Passes;
    /// How many userNames change.
    ChangeUserNames = "changeUserNames", Passes;
    /// How many members become guests, and guests members.
    ConvertGuests = "convertGuests", Passes;
    /// How many memberships end.
    RemoveMembers = "removeMembers", Passes;
    /// How many memberships end in any one group.
    RemoveMembersPerGroup = "removeMembersPerGroup", Passes;
    /// How many groups lose their last member.
    EmptyGroups = "emptyGroups", Passes;
    /// How many groups are deleted, which is for good.
    DeleteGroups = "deleteGroups", Never;
    /// Whether the accounts are those of the roster's workspace.
    Workspace = "workspace", Never;
    /// Whether the roster lists so few people that it is most likely not whole.
    BrokenSource = "brokenSource", Never;
    /// Whether addresses are at domains that the policy allows; only where it names some.
    EmailDomains = "emailDomains", Never;
    /// Whether the roster contradicts `protect`, or a line of that names nobody. Judged by the differ.
    Protect = "protect", Never;
    /// Whether a deactivated account may be another person's. Judged by the differ.
    Identity = "identity", Never;
    /// Whether somebody is created who looks like somebody who is deactivated. Judged by the differ.
    LookAlike = "lookAlike", Never;
}

impl Guard {
    /// The guard that a verdict is of.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|guard| guard.name() == name)
    }

    /// A verdict without numbers that nobody need do anything about.
    fn passes(self, message: impl Into<String>) -> Verdict {
        Verdict {
            guard: self.name(),
            outcome: Outcome::Pass,
            measured: None,
            recent: None,
            limit: None,
            message: message.into(),
            resources: Vec::new(),
            remedy: String::new(),
        }
    }
}

/// What every guard says of a changeset: blocks first, then warnings. `found` is what the differ has found, and `recent`
/// what other runs have done of late, which counts towards the limits.
///
/// # Guarantees
/// * At least one verdict for each guard, [`Guard::EmailDomains`] excepted where the policy names no domains.
/// * Time and memory grow in proportion to roster, directory, changeset and `recent`.
pub fn judge(
    roster: &Roster,
    directory: &Directory,
    changeset: &Changeset,
    recent: &Recent,
    found: Vec<Verdict>,
) -> Vec<Verdict> {
    let mut verdicts = found;
    for (guard, nothing) in [
        (Guard::Protect, "nothing of the roster contradicts what is protected"),
        (Guard::Identity, "no deactivated account is taken over in doubt"),
        (
            Guard::LookAlike,
            "nobody is created who looks like somebody who is deactivated for not being listed",
        ),
    ] {
        if verdicts.iter().all(|verdict| verdict.guard != guard.name()) {
            verdicts.push(guard.passes(nothing));
        }
    }
    let scene = limits::Scene::new(roster, directory, changeset, recent);
    verdicts.push(brakes::workspace(roster, directory, changeset));
    verdicts.push(brakes::broken_source(roster, scene.wholes.active.then));
    verdicts.extend(brakes::email_domains(roster, changeset));
    verdicts.extend(limits::people(&scene));
    verdicts.extend(groups::limits(&scene));
    in_order(&mut verdicts);
    verdicts
}

/// Puts blocks first, then warnings, and leaves the order as it is otherwise.
fn in_order(verdicts: &mut [Verdict]) {
    verdicts.sort_by_key(|verdict| std::cmp::Reverse(verdict.outcome));
}
