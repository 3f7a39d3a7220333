//! From a request to Slack's answer (S3).

use http::Method;
use jiff::Timestamp;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::assign::{Draft, Phase};
use super::commit::delete_user;
use super::groups::{GroupDraft, delete_group, may_modify};
use super::list;
use super::patch::operations;
use super::render::{GroupBody, UserBody, View};
use super::user::User;
use super::world::{Group, Members, Stale, World};
use crate::clock::after;
use crate::discovery;
use crate::errors::{Answered, Refusal, Version};
use crate::reply::{Query, Reply};
use crate::scim::matching::member;
use crate::switches::{Answer, DisplayName, Heed, IdPrefix, PostStatus, Switches};
use crate::table::Key;

/// A request that has passed the gate.
pub(crate) struct Call<'a> {
    pub method: &'a Method,
    pub version: Version,
    pub collection: &'a str,
    /// What follows the collection in the path.
    pub id: Option<&'a str>,
    pub query: &'a Query,
    pub body: &'a [u8],
    pub if_match: Option<&'a str>,
    pub if_none_match: Option<&'a str>,
    pub base: &'a str,
    pub now: Instant,
    pub time: Timestamp,
}

/// Answers, and changes the world accordingly.
pub(crate) fn answer(world: &mut World, switches: &Switches, call: &Call) -> Answered<Reply> {
    match (call.collection, call.id) {
        ("Users", None) => match *call.method {
            Method::GET => list::users(view(world, switches, call), call.query)
                .map(|reply| select(reply, switches, call)),
            Method::POST => create_user(world, switches, call),
            _ => Err(Refusal::code("method_not_allowed")),
        },
        ("Users", Some(id)) => {
            let key = world.users.key(id).ok_or_else(|| Refusal::code("no_such_user"))?;
            match *call.method {
                Method::GET => user_reply(world, switches, call, key, 200),
                Method::PUT | Method::PATCH => update_user(world, switches, call, key),
                Method::DELETE => {
                    delete_user(world, key, switches, call.now)?;
                    // S3: v1 answers 200, v2 204, both with an empty body.
                    Ok(Reply::empty(if call.version == Version::V1 { 200 } else { 204 }))
                }
                _ => Err(Refusal::code("method_not_allowed")),
            }
        }
        ("Groups", None) => match *call.method {
            Method::GET => list::groups(view(world, switches, call), call.query)
                .map(|reply| select(reply, switches, call)),
            Method::POST => create_group(world, switches, call),
            _ => Err(Refusal::code("method_not_allowed")),
        },
        ("Groups", Some(id)) => {
            let key = world.groups.key(id).ok_or_else(|| Refusal::code("no_such_group"))?;
            match *call.method {
                Method::GET => group_reply(world, switches, call, key, 200),
                Method::PUT | Method::PATCH => update_group(world, switches, call, key),
                Method::DELETE => delete_group(world, id).map(|()| Reply::empty(204)),
                _ => Err(Refusal::code("method_not_allowed")),
            }
        }
        _ => discovery::slack(call, switches),
    }
}

fn view<'a>(world: &'a World, switches: &'a Switches, call: &Call<'a>) -> View<'a> {
    View { world, switches, version: call.version, base: call.base, now: call.now }
}

fn user_reply(world: &World, switches: &Switches, call: &Call, key: Key, status: u16) -> Answered<Reply> {
    let user = world.users.get(key).ok_or_else(|| Refusal::code("no_such_user"))?;
    let view = view(world, switches, call);
    Ok(select(Reply::json(status, &UserBody { view, key, user }), switches, call))
}

fn group_reply(world: &World, switches: &Switches, call: &Call, key: Key, status: u16) -> Answered<Reply> {
    let group = world.groups.get(key).ok_or_else(|| Refusal::code("no_such_group"))?;
    let size = switches.members_per_page;
    let page = (size > 0 && *call.method == Method::GET).then(|| {
        let number = |name| call.query.number(name).and_then(|number| usize::try_from(number).ok());
        (number("startIndex").unwrap_or(1).max(1) - 1, number("count").unwrap_or(size).min(size))
    });
    let view = view(world, switches, call);
    Ok(select(Reply::json(status, &GroupBody { view, group, page }), switches, call))
}

/// Leaves out what `attributes` and `excludedAttributes` do, where the service heeds them (a GAP, S8).
fn select(mut reply: Reply, switches: &Switches, call: &Call) -> Reply {
    let (only, without) = (call.query.names("attributes"), call.query.names("excludedAttributes"));
    if switches.excluded_attributes == Heed::Ignored || (only.is_none() && without.is_none()) {
        return reply;
    }
    let Some(mut body) = reply.body.as_deref().and_then(|body| serde_json::from_slice::<Value>(body).ok())
    else {
        return reply;
    };
    let strip = |resource: &mut Value| {
        if let Some(resource) = resource.as_object_mut() {
            let named = |list: &Option<Vec<&str>>, key: &str| {
                list.as_ref().map(|list| list.iter().any(|name| name.eq_ignore_ascii_case(key)))
            };
            resource.retain(|key, _| {
                matches!(key.as_str(), "schemas" | "id")
                    // S4: of groups displayName is returned "always".
                    || (call.collection == "Groups" && key == "displayName")
                    || (named(&only, key).unwrap_or(true) && !named(&without, key).unwrap_or(false))
            });
        }
    };
    match body.get_mut("Resources").and_then(Value::as_array_mut) {
        Some(resources) => resources.iter_mut().for_each(strip),
        None => strip(&mut body),
    }
    reply.body = serde_json::to_vec(&body).ok();
    reply
}

/// The body of a request: an object.
fn read_body(call: &Call) -> Answered<Map<String, Value>> {
    match serde_json::from_slice(call.body) {
        Ok(Value::Object(body)) => Ok(body),
        _ => Err(Refusal::code("invalid_request_payload")),
    }
}

/// S7: "Missing `schemas` → `missing_schema_element` 400".
fn require_schemas(body: &Map<String, Value>) -> Answered<Vec<&str>> {
    // Slack's own SDK for v1 sends back what it read as a list in a list, and is understood (S3, live tests).
    let schemas = member(body, "schemas").and_then(Value::as_array).into_iter().flatten();
    let schemas: Vec<&str> = schemas
        .flat_map(|entry| entry.as_array().map_or(std::slice::from_ref(entry), Vec::as_slice))
        .filter_map(Value::as_str)
        .collect();
    if schemas.is_empty() { Err(Refusal::code("missing_schema_element")) } else { Ok(schemas) }
}

/// S6: of startDate "the extension URI must be in `schemas`".
fn require_profile_schema(body: &Map<String, Value>, call: &Call) -> Answered<()> {
    let profile = call.version.urns().profile;
    let listed = require_schemas(body)?.iter().any(|urn| urn.eq_ignore_ascii_case(profile));
    if member(body, profile).is_some() && !listed {
        Err(Refusal::code("missing_schema_element"))
    } else {
        Ok(())
    }
}

fn create_user(world: &mut World, switches: &Switches, call: &Call) -> Answered<Reply> {
    let body = read_body(call)?;
    require_profile_schema(&body, call)?;
    world.creations += 1;
    // S7: "Transient: `invited_user_not_created` on POST".
    if switches.failing_create > 0 && world.creations.is_multiple_of(switches.failing_create) {
        return Err(Refusal::code("invited_user_not_created"));
    }
    let blank = User::blank(String::new(), String::new(), call.time);
    let mut draft = Draft::new(world, switches, call.version, Phase::Create, None, blank);
    draft.set_all(&body)?;
    let mut finished = draft.finish()?;
    let prefix = if switches.id_prefix == IdPrefix::W { 'W' } else { 'U' };
    finished.give_id(world, prefix);
    let key = finished.store(world, switches, call.now);
    let id = world.users.get(key).map(|user| user.id.clone()).unwrap_or_default();
    let reply = user_reply(world, switches, call, key, post_status(switches))?;
    Ok(created(reply, "Users", &id, world, switches, call))
}

fn update_user(world: &mut World, switches: &Switches, call: &Call, key: Key) -> Answered<Reply> {
    let body = read_body(call)?;
    let old = world.users.get(key).cloned().ok_or_else(|| Refusal::code("no_such_user"))?;
    let finished = if *call.method == Method::PUT {
        require_profile_schema(&body, call)?;
        // S10: "what is absent becomes blank"; the name is kept, and so is what only Slack writes.
        let mut blank = old;
        blank.clear_profile();
        if switches.display_name == DisplayName::Open {
            blank.display_name.clear();
        }
        super::user::DEFAULT_TIMEZONE.clone_into(&mut blank.timezone);
        blank.photo = None;
        blank.profile_url = None;
        blank.secondary_email = None;
        blank.guest = None;
        if member(&body, "emails").is_none() {
            return Err(Refusal::code("missing_primary_email"));
        }
        let mut draft = Draft::new(world, switches, call.version, Phase::Replace, Some(key), blank);
        draft.set_all(&body)?;
        draft.finish()?
    } else {
        let mut draft = Draft::new(world, switches, call.version, Phase::Update, Some(key), old);
        match call.version {
            Version::V1 => draft.merge(&body)?,
            Version::V2 => {
                require_schemas(&body)?;
                operations(&body, switches)?.iter().try_for_each(|operation| draft.apply(operation))?;
            }
        }
        draft.finish()?
    };
    finished.store(world, switches, call.now);
    if switches.write_answer == Answer::Empty {
        return Ok(Reply::empty(204));
    }
    user_reply(world, switches, call, key, 200)
}

fn create_group(world: &mut World, switches: &Switches, call: &Call) -> Answered<Reply> {
    let body = read_body(call)?;
    require_schemas(&body)?;
    let blank = Group {
        id: String::new(),
        created: call.time,
        display_name: String::new(),
        auto_generated: false,
        linked_to_channels: false,
        members: Members::default(),
        stale: None,
    };
    let mut draft = GroupDraft::new(world, switches, None, blank);
    draft.set_all(&body)?;
    let (_, mut group) = draft.finish()?;
    group.id = world.new_group_id(&group.display_name);
    let id = group.id.clone();
    let key = world.insert_group(group);
    let reply = group_reply(world, switches, call, key, post_status(switches))?;
    Ok(created(reply, "Groups", &id, world, switches, call))
}

fn update_group(world: &mut World, switches: &Switches, call: &Call, key: Key) -> Answered<Reply> {
    let body = read_body(call)?;
    let old = world.groups.get(key).cloned().ok_or_else(|| Refusal::code("no_such_group"))?;
    may_modify(&old)?;
    let before = (old.display_name.clone(), old.members.as_slice().to_vec());
    let patch = *call.method == Method::PATCH;
    let mut draft = GroupDraft::new(world, switches, Some(key), old);
    match (patch, call.version) {
        (false, _) => {
            require_schemas(&body)?;
            draft.set_all(&body)?;
        }
        (true, Version::V1) => draft.merge(&body)?,
        (true, Version::V2) => {
            require_schemas(&body)?;
            operations(&body, switches)?.iter().try_for_each(|operation| draft.apply(operation))?;
        }
    }
    let (_, mut group) = draft.finish()?;
    // The answer shows the new state, later reads the old one for a while (S14, "Consistency").
    group.stale = None;
    world.replace_group(key, group);
    // S3: "PATCH Groups | **204**, no body" on v1, the whole group on v2.
    let empty = patch && (call.version == Version::V1 || switches.patch_group_answer == Answer::Empty);
    let reply = if empty || switches.write_answer == Answer::Empty {
        Ok(Reply::empty(204))
    } else {
        group_reply(world, switches, call, key, 200)
    };
    if patch
        && !switches.group_read_delay.is_zero()
        && let Some(group) = world.groups.get_mut(key)
    {
        let until = after(call.now, switches.group_read_delay);
        group.stale = Some(Stale { until, display_name: before.0, members: before.1 });
    }
    reply
}

fn post_status(switches: &Switches) -> u16 {
    match switches.post_status {
        PostStatus::Created => 201,
        PostStatus::Ok => 200,
    }
}

fn created(
    mut reply: Reply,
    collection: &str,
    id: &str,
    world: &World,
    switches: &Switches,
    call: &Call,
) -> Reply {
    if switches.write_answer == Answer::Empty {
        reply.body = None;
    }
    let location = switches.location_header.then(|| view(world, switches, call).location(collection, id));
    reply.at(location)
}
