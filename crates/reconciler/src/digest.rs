//! SHA-256 digests of what a plan was made from and of the plan itself (design §5).

use model::attribute::Dialect;
use model::change::{After, Before, Change, Changeset};
use model::directory::{AccountKind, Directory, Group, User, UserIndex};
use model::place::Sources;
use model::plan::{FORMAT, Request};
use model::roster::Roster;
use scim_adapter::encode;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::io::{self, BufWriter, Write as _};

/// The digests of what a plan is made from.
pub(crate) struct Ground {
    /// [`of_roster`].
    pub(crate) roster: String,
    /// [`of_directory`].
    pub(crate) directory: String,
}

impl Ground {
    pub(crate) fn of(roster: &Roster, directory: &Directory) -> Self {
        Self { roster: of_roster(&roster.sources), directory: of_directory(directory) }
    }
}

/// The digest of a roster's files: their texts in order. How the files are called does not matter.
pub fn of_roster(sources: &Sources) -> String {
    let mut hasher = Sha256::new();
    for (_, source) in sources.iter() {
        // The length keeps two files apart from one that holds both.
        hasher.update((source.text.len() as u64).to_be_bytes());
        hasher.update(source.text.as_bytes());
    }
    hex(&hasher.finalize())
}

/// The digest of a directory: every account and every group by ascending id, so that the order in which a service happens
/// to list them does not matter.
pub fn of_directory(directory: &Directory) -> String {
    let Directory { dialect: _, users, groups, .. } = directory;
    let mut parts = Parts::default();
    let mut by_id: Vec<(UserIndex, &User)> = directory.iter().collect();
    by_id.sort_unstable_by(|(_, a), (_, b)| a.id.cmp(&b.id));
    parts.count(users.len());
    let mut ranks = vec![0_u32; users.len()];
    for (rank, (index, user)) in (0..).zip(&by_id) {
        if let Some(place) = ranks.get_mut(index.get()) {
            *place = rank;
        }
        let User { id, kind, active, guest, attributes, selectors } = user;
        parts.text(id.as_str());
        parts.flags([*kind == AccountKind::Bot, *active, *guest]);
        for list in [attributes, selectors] {
            parts.count(list.len());
            for (attribute, value) in list.iter() {
                parts.text(attribute.key());
                parts.text(value);
            }
        }
    }
    let mut groups: Vec<&Group> = groups.iter().collect();
    groups.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    let mut list: Vec<u32> = Vec::new();
    for Group { id, display_name, members, foreign_members } in groups {
        parts.text(id.as_str());
        parts.text(display_name);
        list.clear();
        list.extend(members.iter().filter_map(|member| ranks.get(member.get())));
        list.sort_unstable();
        // Whose ids these places are is digested already.
        parts.count(list.len());
        for rank in &list {
            parts.bytes(&rank.to_be_bytes());
        }
        let mut foreign: Vec<&str> = foreign_members.iter().map(|value| &**value).collect();
        foreign.sort_unstable();
        parts.count(foreign.len());
        for value in foreign {
            parts.text(value);
        }
    }
    parts.finish()
}

/// What is digested, each part so that it cannot be taken for another or for two.
#[derive(Default)]
struct Parts {
    hasher: Sha256,
    /// Parts are small, and hashing takes blocks.
    waiting: Vec<u8>,
}

impl Parts {
    fn count(&mut self, number: usize) {
        self.bytes(&(number as u64).to_be_bytes());
    }

    fn flags(&mut self, flags: [bool; 3]) {
        self.bytes(&flags.map(u8::from));
    }

    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.bytes(text.as_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= 16 << 10 {
            self.hasher.update(&self.waiting);
            self.waiting.clear();
        }
    }

    fn finish(mut self) -> String {
        self.hasher.update(&self.waiting);
        hex(&self.hasher.finalize())
    }
}

/// The digest of anything by its JSON form.
pub fn of_json(value: &impl Serialize) -> String {
    let mut hasher = Sha256::new();
    // JSON comes in scraps, and hashing takes blocks.
    let mut sink = BufWriter::with_capacity(16 << 10, HashWriter(&mut hasher));
    // Hashing cannot fail, and none of our types fails to serialise; a failure would only shorten what is hashed.
    if let Err(error) =
        serde_json::to_writer(&mut sink, value).map_err(io::Error::from).and_then(|()| sink.flush())
    {
        tracing::error!(%error, "a digest is incomplete");
    }
    drop(sink);
    hex(&hasher.finalize())
}

/// The digest of a plan with these changes, sent as `dialect` has it.
pub(crate) fn of_plan(workspace: Option<&str>, changeset: &Changeset, dialect: Dialect) -> String {
    let mut digest = OfPlan::new(workspace);
    for change in &changeset.changes {
        digest.add(change, &encode(change, dialect).request);
    }
    digest.finish()
}

/// The digest of a plan, change by change: format version, workspace, and of every change method, path, body, before and
/// after.
pub(crate) struct OfPlan {
    hasher: Sha256,
    part: Vec<u8>,
}

impl OfPlan {
    pub(crate) fn new(workspace: Option<&str>) -> Self {
        let mut digest = Self { hasher: Sha256::new(), part: Vec::new() };
        digest.json(&(FORMAT, workspace));
        digest
    }

    pub(crate) fn add(&mut self, change: &Change, request: &Request) {
        self.text(request.method.as_str());
        self.text(&request.path);
        self.text(request.body_text().unwrap_or_default());
        self.json(&Before(change));
        self.json(&After(change));
    }

    pub(crate) fn finish(self) -> String {
        hex(&self.hasher.finalize())
    }

    fn json(&mut self, value: &impl Serialize) {
        let mut part = std::mem::take(&mut self.part);
        part.clear();
        if let Err(error) = serde_json::to_writer(&mut part, value) {
            tracing::error!(%error, "a digest is incomplete");
        }
        self.bytes(&part);
        self.part = part;
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// The length keeps two parts apart from others that read the same when joined.
    fn bytes(&mut self, bytes: &[u8]) {
        self.hasher.update((bytes.len() as u64).to_be_bytes());
        self.hasher.update(bytes);
    }
}

struct HashWriter<'h>(&'h mut Sha256);

impl io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let written = write!(text, "{byte:02x}");
        debug_assert!(written.is_ok(), "writing to a String cannot fail");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Texts;
    use model::attribute::{Attribute, Dialect};
    use model::directory::RawGroup;
    use model::names::{GroupId, UserId};
    use model::place::Source;

    #[test]
    fn a_directory_has_another_digest_where_anything_differs_but_the_order_in_which_it_is_listed() {
        let user = |id: &str| User {
            id: UserId::new(id),
            kind: AccountKind::Person,
            active: true,
            guest: false,
            attributes: Texts::from([(Attribute::Title, "CEO"), (Attribute::Locality, "Paris")]),
            selectors: Texts::from([(Attribute::Locality, "type eq \"work\"")]),
        };
        let group = |id: &str, members: &[&str]| RawGroup {
            id: GroupId::new(id),
            display_name: "eng".into(),
            members: members.iter().map(|member| (*member).into()).collect(),
        };
        let users = || vec![user("U1"), user("U2"), user("U3")];
        let groups = || vec![group("S1", &["U1", "U2", "X8", "X9"]), group("S2", &[])];
        let of = |users, groups| of_directory(&Directory::new(Dialect::Slack, users, groups));
        let digest = of(users(), groups());
        for rotated in 1..3 {
            let (mut users, mut groups) = (users(), groups());
            users.rotate_left(rotated);
            groups.reverse();
            groups[1].members.rotate_left(rotated);
            assert_eq!(of(users, groups), digest);
        }
        let other_user = |change: fn(&mut User)| {
            let mut users = users();
            change(&mut users[1]);
            of(users, groups())
        };
        let other_group = |change: fn(&mut RawGroup)| {
            let mut groups = groups();
            change(&mut groups[0]);
            of(users(), groups)
        };
        let mut all = vec![
            digest,
            other_user(|user| user.id = UserId::new("U22")),
            other_user(|user| user.kind = AccountKind::Bot),
            other_user(|user| user.active = false),
            other_user(|user| user.guest = true),
            other_user(|user| {
                user.attributes =
                    Texts::from([(Attribute::Department, "CEO"), (Attribute::Locality, "Paris")]);
            }),
            other_user(|user| user.attributes.set(Attribute::Title, Some("CTO"))),
            other_user(|user| user.attributes.set(Attribute::Locality, None)),
            other_user(|user| user.selectors.set(Attribute::Locality, Some("primary eq true"))),
            other_user(|user| {
                user.attributes.set(Attribute::Locality, None);
                user.selectors.set(Attribute::Locality, Some("Paris"));
            }),
            other_group(|group| group.id = GroupId::new("S3")),
            other_group(|group| group.display_name = "ops".into()),
            other_group(|group| group.members[0] = "U3".into()),
            other_group(|group| group.members[3] = "X7".into()),
            other_group(|group| drop(group.members.pop())),
            other_group(|group| group.members.clear()),
        ];
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn a_roster_cut_differently_into_files_has_another_digest_and_a_renamed_file_has_the_same() {
        let sources = |files: &[(&str, &str)]| {
            let mut all = Sources::default();
            for (path, text) in files {
                all.push(Source { path: (*path).into(), text: (*text).into() });
            }
            of_roster(&all)
        };
        assert_eq!(sources(&[("a", "xy")]), sources(&[("b", "xy")]));
        assert_ne!(sources(&[("a", "xy")]), sources(&[("a", "x"), ("b", "y")]));
    }
}
