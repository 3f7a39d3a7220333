//! Values that an account or a group bears only while a circle is being cut.

use crate::live::{Live, Space};
use model::Roster;
use model::attribute::{Attribute, Value};
use model::names::fold;
use std::collections::HashSet;

/// The longest local part of an address (RFC 5321 §4.5.3.1.1).
const LOCAL_PART_MAX: usize = 64;

/// Makes temporary values: always the same ones for the same input, and none that anybody holds or is to have.
pub(crate) struct Temporaries<'a> {
    roster: &'a Roster,
    live: &'a Live<'a>,
    /// What the roster wants and what was made here; gathered when the first is made, for few plans need any.
    taken: Option<Taken>,
}

struct Taken {
    names: HashSet<(Space, String)>,
    groups: HashSet<String>,
}

impl<'a> Temporaries<'a> {
    /// Temporary values that neither side has.
    pub(crate) fn new(roster: &'a Roster, live: &'a Live<'a>) -> Self {
        Self { roster, live, taken: None }
    }

    /// A userName that obeys Slack's rules (sheet S6: at most 21 characters), for the account with this id.
    pub(crate) fn user_name(&mut self, id: &str) -> Box<str> {
        self.free(Space::UserNames, id, |hash| format!("tmp-{hash}"))
    }

    /// An address at which the holder of `address` can be reached where the mail server knows sub-addresses
    /// (RFC 5233), in the same domain, since others may be refused.
    pub(crate) fn address(&mut self, id: &str, address: &str) -> Box<str> {
        let (local, domain) = address.trim().rsplit_once('@').unwrap_or((address, "invalid"));
        self.free(Space::Addresses, id, |hash| {
            let tag = format!("+rosterctl-{hash}");
            let kept: String = local.chars().take(LOCAL_PART_MAX.saturating_sub(tag.len())).collect();
            format!("{kept}{tag}@{domain}")
        })
    }

    /// A group name.
    pub(crate) fn group_name(&mut self, id: &str) -> Box<str> {
        let mut attempt = 0;
        loop {
            let name = format!("rosterctl-tmp-{}", hash(id, attempt));
            attempt += 1;
            let taken = self.taken.get_or_insert_with(|| Taken::by(self.roster));
            if self.live.groups_named(&name).is_empty() && taken.groups.insert(name.clone()) {
                return name.into();
            }
        }
    }

    fn free(&mut self, space: Space, id: &str, form: impl Fn(&str) -> String) -> Box<str> {
        let mut attempt = 0;
        loop {
            let value = form(&hash(id, attempt));
            attempt += 1;
            let folded = fold(&value);
            let taken = self.taken.get_or_insert_with(|| Taken::by(self.roster));
            if self.live.holders(space, &folded).is_empty() && taken.names.insert((space, folded)) {
                return value.into();
            }
        }
    }
}

impl Taken {
    /// The names and addresses that a roster wants.
    fn by(roster: &Roster) -> Self {
        let mut names = HashSet::new();
        for entry in &roster.users {
            names.insert((Space::UserNames, fold(entry.user_name.value.as_str())));
            names.insert((Space::Addresses, fold(&entry.email.value)));
            if let Some(model::roster::Wish::Set(Value::Text(text))) =
                entry.setting(Attribute::SecondaryEmail).map(|setting| &setting.wish)
            {
                names.insert((Space::Addresses, fold(text)));
            }
        }
        let entries = roster.groups.as_deref().unwrap_or_default();
        let groups = entries.iter().map(|entry| fold(&entry.display_name.value)).collect();
        Self { names, groups }
    }
}

/// Eight hexadecimal digits: FNV-1a, which is the same on every machine and in every version of Rust.
fn hash(id: &str, attempt: u32) -> String {
    let bytes = id.bytes().chain(attempt.to_le_bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("{:08x}", (hash >> 32) ^ (hash & 0xffff_ffff))
}
