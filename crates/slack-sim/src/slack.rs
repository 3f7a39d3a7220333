//! Slack's own rules (S2–S14).

mod assign;
mod commit;
mod emails;
mod groups;
mod list;
mod names;
mod patch;
mod patch_group;
mod phones;
pub(crate) mod render;
mod routes;
mod slots;
pub(crate) mod user;
mod v1;
pub(crate) mod world;

pub(crate) use names::{make_id, normalise_user_name};
pub(crate) use routes::{Call, answer};
