//! A plain SCIM 2.0 service, RFC 7643 and RFC 7644 to the letter: what `--rfc` serves.

mod clean;
mod patch;
mod resources;
mod routes;
mod schemas;
mod search;
mod store;

pub(crate) use routes::answer;
pub(crate) use store::Store;
