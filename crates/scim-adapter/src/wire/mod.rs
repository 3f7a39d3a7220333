//! What services answer, read leniently: unknown attributes are skipped, letter case of names does not matter
//! (RFC 7643 §2.1), a value of the wrong type is what it plainly means or nothing.

mod error;
mod group;
mod lenient;
mod list;
mod user;

pub(crate) use error::{ErrorBody, looks_like_html};
pub(crate) use group::{GroupMember, WireGroup};
pub(crate) use lenient::{Count, List, Text};
pub(crate) use list::{Listed, Page};
pub(crate) use user::{Address, Element, WireUser};
