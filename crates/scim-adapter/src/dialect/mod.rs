//! How a service speaks: from a change to the request that brings it about, and from an answer to the model.
//!
//! Encoding is a pure function with one fixed form for each operation, so that a plan made offline holds the very
//! bytes that are sent later. Forms that Slack documents and RFC 7644 allows come first; where the sheet leaves
//! open whether Slack takes a form, another one stands beside it as a fallback ([`question::Question`]).

mod answer;
mod compare;
mod group;
mod patch;
mod question;
mod rfc;
mod selector;
mod slack;
mod slots;
mod user;

pub use answer::{DecodeError, decode_group, decode_user};
pub(crate) use answer::{MemberIds, group_from_wire, user_from_wire};
pub use compare::unmet;
pub(crate) use compare::{remaining_group, remaining_user};
pub(crate) use group::with_members;

use model::plan::{Encoded, Method, Request};
use model::{Action, Change, Dialect};
use serde_json::Value as Json;
use serde_json::value::to_raw_value;

/// URN of the core user schema (RFC 7643 §4.1).
pub(crate) const CORE_USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// URN of the core group schema (RFC 7643 §4.2).
pub(crate) const CORE_GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// URN of a PATCH body (RFC 7644 §3.5.2).
pub(crate) const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// The request that carries out `change`, with the requests that may take its place. The same change gives the same
/// bytes, whenever and wherever it is encoded.
pub fn encode(change: &Change, dialect: Dialect) -> Encoded {
    match &change.action {
        Action::CreateUser { edits, .. } => {
            only(request(Method::Post, "/Users".to_owned(), Some(&user::resource(edits, dialect))))
        }
        Action::UpdateUser { id, edits, siblings } => user::patch(&user_target(id), edits, siblings, dialect),
        Action::CreateGroup { display_name, members } => {
            let body = group::resource(display_name, members);
            only(request(Method::Post, "/Groups".to_owned(), Some(&body)))
        }
        Action::UpdateGroup { id, rename, add, remove } => {
            group::patch(&group_path(id), rename.as_ref(), add, remove, dialect)
        }
        Action::DeleteGroup { id, .. } => {
            only(request(Method::Delete, format!("/Groups/{}", path_segment(id.as_str())), None))
        }
    }
}

fn only(request: Request) -> Encoded {
    Encoded { request, fallbacks: Vec::new() }
}

fn request(method: Method, path: String, body: Option<&Json>) -> Request {
    // A `Json` always serialises: its keys are strings and its numbers finite.
    Request { method, path, body: body.and_then(|body| to_raw_value(body).ok()) }
}

/// The path of a user, below the base URL.
pub(crate) fn user_path(id: &str) -> String {
    format!("/Users/{}", path_segment(id))
}

fn user_target(id: &model::UserRef) -> String {
    match id {
        model::UserRef::Existing(id) => user_path(id.as_str()),
        // A placeholder stays as it reads; `Ids::fill` puts the escaped id in its place.
        new @ model::UserRef::New(_) => format!("/Users/{new}"),
    }
}

fn group_path(id: &model::GroupRef) -> String {
    match id {
        model::GroupRef::Existing(id) => format!("/Groups/{}", path_segment(id.as_str())),
        new @ model::GroupRef::New(_) => format!("/Groups/{new}"),
    }
}

/// An id as one segment of a path: everything but RFC 3986's unreserved characters is escaped, so that an id that a
/// service made up cannot lead to another resource.
pub(crate) fn path_segment(id: &str) -> String {
    let mut out = String::with_capacity(id.len());
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'_' | b'~')
            || (byte == b'.' && !dots_only(id))
        {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for nibble in [byte >> 4, byte & 15] {
                out.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0').to_ascii_uppercase());
            }
        }
    }
    out
}

/// `.` and `..` mean something in a path even as they are.
fn dots_only(id: &str) -> bool {
    id.bytes().all(|byte| byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_stays_one_segment_of_the_path_whatever_it_holds() {
        assert_eq!(path_segment("U0EXAMPLE1"), "U0EXAMPLE1");
        assert_eq!(
            path_segment("2819c223-7f76-453a-919d-413861904646"),
            "2819c223-7f76-453a-919d-413861904646"
        );
        assert_eq!(path_segment("../Groups/S1?x#y"), "..%2FGroups%2FS1%3Fx%23y");
        assert_eq!(path_segment(".."), "%2E%2E");
        assert_eq!(path_segment("ü"), "%C3%BC");
    }
}
