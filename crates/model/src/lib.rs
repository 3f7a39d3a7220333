//! The words of rosterctl's domain.
//!
//! The desired state is a [`Roster`], the live state a [`Directory`]; the differ's answer to both is a
//! [`Changeset`], and a changeset with its verdicts is a [`Plan`]. What an attribute is (its roster key, its SCIM
//! path, how two of its values compare, whether Slack can clear it) is one table, [`attribute`].
//!
//! This crate does no I/O, knows no clock and runs no async code.

#![forbid(unsafe_code)]

pub mod attribute;
mod beside;
pub mod change;
pub mod diagnostic;
pub mod directory;
pub mod journal;
mod key;
pub mod load;
pub mod names;
pub mod notes;
pub mod place;
pub mod plan;
pub mod policy;
pub mod roster;
pub mod run;
pub mod schema;
pub mod stale;
pub mod texts;
pub mod time;

pub use attribute::{Attribute, Dialect};
pub use beside::{beside, beside_for, in_parts};
pub use change::{Action, Change, ChangeId, ChangeKind, Changeset, Edit, GroupRef, UserRef};
pub use diagnostic::{Diagnostic, Severity};
pub use directory::Directory;
pub use names::{GroupId, UserId, UserName};
pub use place::{Located, Place, Source, SourceId, Sources};
pub use plan::Plan;
pub use policy::Policy;
pub use roster::Roster;
pub use texts::Texts;
