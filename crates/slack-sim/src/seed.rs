//! The seed: a readable JSON document of people and groups, which is also how a simulator keeps its state.

mod entries;

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use entries::{SeedGroup, SeedName, SeedUser};

use crate::slack::make_id;
use crate::slack::world::{Group, Members, World};
use crate::switches::{SwitchError, Switches};

/// What a simulator starts with.
///
/// ```json
/// { "org": "acme",
///   "users": [ { "userName": "ada", "email": "ada@acme.example", "name": { "givenName": "Ada" }, "manager": "grace" },
///              { "userName": "grace", "email": "grace@acme.example", "kind": "owner" } ],
///   "groups": [ { "displayName": "engineering", "members": ["ada", "grace"] } ],
///   "channels": ["general"],
///   "switches": { "plan": "business-plus" } }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Seed {
    /// The org in profile URLs; `workspace` is another name for it.
    #[serde(default, alias = "workspace", skip_serializing_if = "Option::is_none")]
    pub org: Option<String>,
    /// The people, guests and bots.
    #[serde(default)]
    pub users: Vec<SeedUser>,
    /// The groups.
    #[serde(default)]
    pub groups: Vec<SeedGroup>,
    /// Names of channels, which no userName may have (S6).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<String>,
    /// E-mail domains that the org has claimed; for the switch `domain-claim`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub domains: Vec<String>,
    /// Switches that differ from their defaults.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub switches: serde_json::Map<String, Value>,
    /// The resources of a plain RFC service, as they were left; users and groups are not read where they are given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
}

/// The documents that a plain RFC service keeps, each with its `id` and `meta`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resources {
    /// Those of `/Users`.
    #[serde(rename = "Users")]
    pub users: Vec<Value>,
    /// Those of `/Groups`.
    #[serde(rename = "Groups")]
    pub groups: Vec<Value>,
}

/// Why a seed cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// It is no JSON, or has a key that seeds do not have; the message has line and column.
    #[error("the seed cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// An entry lacks what it needs.
    #[error("{place}: `{key}` is missing")]
    Missing {
        /// The entry, such as `users[3]`.
        place: String,
        /// What it lacks.
        key: &'static str,
    },
    /// Two entries claim the same id, userName or e-mail, or a userName is a channel's.
    #[error("{place}: {what} `{value}` is taken")]
    Taken {
        /// The second entry.
        place: String,
        /// What both claim.
        what: &'static str,
        /// Its value.
        value: String,
    },
    /// A manager or member is not among the users.
    #[error("{place}: there is no user `{who}`")]
    Unknown {
        /// The entry that names them.
        place: String,
        /// The userName or id.
        who: String,
    },
    /// A userName is not in the form in which Slack stores it (S6).
    #[error("{place}: Slack would store the userName `{given}` as `{stored}`")]
    UserName {
        /// The entry.
        place: String,
        /// As given.
        given: String,
        /// As stored.
        stored: String,
    },
    /// `switches` has a switch or value that does not exist.
    #[error("switches: {0}")]
    Switch(#[from] SwitchError),
}

/// The date on which whatever has no `created` was made. Fixed, so that the same seed gives the same bytes.
pub(crate) const CREATED: Timestamp = Timestamp::constant(1_672_531_200, 0);

impl Seed {
    /// Reads a seed.
    ///
    /// # Errors
    ///
    /// [`SeedError::Json`] with line and column. What the entries say of each other is checked when the simulator is made.
    pub fn parse(text: &str) -> Result<Self, SeedError> {
        Ok(serde_json::from_str(text)?)
    }

    /// Sets the switches that the seed names.
    pub(crate) fn apply_switches(&self, switches: &mut Switches) -> Result<(), SeedError> {
        for (name, value) in &self.switches {
            let text = match value {
                Value::Bool(value) => if *value { "on" } else { "off" }.to_owned(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            switches.set(name, &text)?;
        }
        Ok(())
    }

    /// Makes the world that the seed describes.
    pub(crate) fn world(&self) -> Result<World, SeedError> {
        let mut world = World::default();
        world.org = self.org.clone().unwrap_or_else(|| "acme".to_owned());
        world.channels = self.channels.iter().map(|name| name.to_lowercase()).collect();
        world.domains = self.domains.iter().map(|name| name.to_lowercase()).collect();
        let ids = self.user_ids()?;
        for (at, seed) in self.users.iter().enumerate() {
            let place = format!("users[{at}]");
            let user = seed.user(&place, &ids)?;
            let taken =
                |what, value: &str| SeedError::Taken { place: place.clone(), what, value: value.to_owned() };
            if world.users.key(&user.id).is_some() {
                return Err(taken("id", &user.id));
            }
            if world.name_is_taken(&user.user_name, None) {
                return Err(taken("userName", &user.user_name));
            }
            for email in [Some(&user.email), user.secondary_email.as_ref()].into_iter().flatten() {
                if world.email_holder(email, None).is_some() {
                    return Err(taken("e-mail", email));
                }
            }
            world.insert_user(user);
        }
        for (at, seed) in self.groups.iter().enumerate() {
            let place = format!("groups[{at}]");
            if seed.display_name.trim().is_empty() {
                return Err(SeedError::Missing { place, key: "displayName" });
            }
            let id = seed.id.clone().unwrap_or_else(|| make_id('S', &seed.display_name, 0));
            if world.groups.key(&id).is_some() {
                return Err(SeedError::Taken { place, what: "id or name", value: seed.display_name.clone() });
            }
            let members = seed.members.iter().map(|who| {
                world
                    .user_key(who)
                    .ok_or_else(|| SeedError::Unknown { place: place.clone(), who: who.clone() })
            });
            let group = Group {
                id,
                created: seed.created.unwrap_or(CREATED),
                display_name: seed.display_name.clone(),
                auto_generated: seed.auto_generated,
                linked_to_channels: seed.linked_to_channels,
                members: members.collect::<Result<Members, _>>()?,
                stale: None,
            };
            world.insert_group(group);
        }
        Ok(world)
    }

    /// The id of everybody, by id, lower-cased userName and lower-cased e-mail: managers may be named before they come,
    /// and in each of the forms of S6.
    fn user_ids(&self) -> Result<HashMap<String, String>, SeedError> {
        let mut ids = HashMap::new();
        for (at, user) in self.users.iter().enumerate() {
            if user.user_name.is_empty() {
                return Err(SeedError::Missing { place: format!("users[{at}]"), key: "userName" });
            }
            let id = user.made_id();
            ids.insert(user.user_name.to_lowercase(), id.clone());
            ids.entry(user.email.to_lowercase()).or_insert_with(|| id.clone());
            ids.insert(id.clone(), id);
        }
        Ok(ids)
    }

    /// The seed that makes this world.
    pub(crate) fn of(world: &World, switches: &Switches) -> Self {
        let mut channels: Vec<String> = world.channels.iter().cloned().collect();
        channels.sort_unstable();
        let mut domains: Vec<String> = world.domains.iter().cloned().collect();
        domains.sort_unstable();
        Self {
            org: Some(world.org.clone()),
            users: world.users().map(SeedUser::of).collect(),
            groups: world.groups().map(|group| SeedGroup::of(group, world)).collect(),
            channels,
            domains,
            switches: switches
                .changed()
                .into_iter()
                .map(|(name, value)| (name.to_owned(), Value::String(value)))
                .collect(),
            resources: None,
        }
    }
}
