//! A directory as a file: what `snapshot --out` writes and `plan --against` reads.
//!
//! The keys of a user are those of a roster, so that the file can be read by people, compared by `diff`, and used as
//! the seed of a simulator. A redacted snapshot is for where the whole one should not lie, such as beside a pull request:
//! it hides addresses and phones, and a roster can still be planned against it ([`Snapshot::reveal`]).

mod form;
mod pseudonym;
mod redaction;
mod stored;

pub use redaction::Redaction;

use form::{group_json, user_json};
use model::directory::Directory;
use model::plan::Note;
use model::roster::Roster;
use serde_json::{Value, json};
use std::io;
use stored::{Body, Header};

/// What the `format` key of a snapshot says.
pub const FORMAT: &str = "rosterctl-snapshot";
/// The version this code writes, and the only one it reads.
pub const VERSION: u32 = 1;

/// What a snapshot holds.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The live state at the time.
    pub directory: Directory,
    /// The service it was read from, as a URL; `None` for a simulator.
    pub target: Option<String>,
    /// What of the directory is hidden; `None` when nothing is.
    pub redaction: Option<Redaction>,
}

/// Why a snapshot could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// Not JSON, or not of the shape of a snapshot.
    #[error("not a snapshot: {0}")]
    Json(#[from] serde_json::Error),
    /// Another kind of file.
    #[error("not a snapshot: `format` must be \"{FORMAT}\"; make one with `rosterctl snapshot --out FILE`")]
    Format,
    /// Written by another version.
    #[error("this snapshot has version {0}; this rosterctl reads version {VERSION}: take it anew")]
    Version(u64),
    /// Two accounts or two groups with one id.
    #[error("the id {0} occurs twice")]
    Twice(String),
    /// Redacted by a method that this code does not know, or without the salt that its pseudonyms need.
    #[error("this snapshot is redacted in a way that this rosterctl does not know: take it anew")]
    Redaction,
}

impl Snapshot {
    /// A snapshot in which nothing is hidden.
    pub fn whole(directory: Directory, target: Option<String>) -> Self {
        Self { directory, target, redaction: None }
    }

    /// A snapshot that hides e-mail and postal addresses, phones and photos, and each text that holds one of them.
    pub fn redacted(directory: &Directory, target: Option<String>) -> Self {
        let (directory, redaction) = Redaction::of(directory, pseudonym::Salt::random());
        Self { directory, target, redaction: Some(redaction) }
    }

    /// The directory as far as `roster` tells what is hidden in it, for a plan, and the note that the plan must bear.
    /// `names` are the other names that the person who plans has given, for `--only`.
    ///
    /// An address is shown where the roster names it. Of an account's phones, postal address, photo and whatever else is
    /// hidden, it is known that they are set; they are taken to be what the roster says they should be.
    pub fn reveal(self, roster: &Roster, names: &[String]) -> (Directory, Option<Note>) {
        match self.redaction {
            None => (self.directory, None),
            Some(redaction) => {
                let (directory, note) = redaction.reveal(self.directory, roster, names);
                (directory, Some(note))
            }
        }
    }
}

/// Writes a snapshot, one account or group a line. `write_json` writes one JSON value: a snapshot may be shown on a
/// terminal, and what keeps hostile names from acting there is the business of whoever shows it.
///
/// # Errors
/// When `out` cannot be written.
pub fn write<W: io::Write + ?Sized>(
    snapshot: &Snapshot,
    out: &mut W,
    write_json: impl Fn(&mut W, &Value) -> io::Result<()>,
) -> io::Result<()> {
    let Snapshot { directory, target, redaction } = snapshot;
    write!(out, "{{\n\"format\":\"{FORMAT}\",\"version\":{VERSION},\n\"target\":")?;
    write_json(out, &json!(target))?;
    write!(out, ",\"dialect\":")?;
    write_json(out, &json!(directory.dialect))?;
    if let Some(redaction) = redaction {
        write!(out, ",\n\"redaction\":")?;
        write_json(out, &redaction.header())?;
    }
    write!(out, ",\n\"users\":[")?;
    for (i, user) in directory.users.iter().enumerate() {
        write!(out, "{}", if i > 0 { ",\n" } else { "\n" })?;
        let mut json = user_json(user);
        let hidden = redaction.as_ref().map(|redaction| redaction.hidden_of(&user.id)).unwrap_or_default();
        if let Value::Object(map) = &mut json
            && !hidden.is_empty()
        {
            let keys: Vec<&str> = hidden.iter().map(|attribute| attribute.key()).collect();
            map.insert("hidden".into(), json!(keys));
        }
        write_json(out, &json)?;
    }
    write!(out, "\n],\n\"groups\":[")?;
    for (i, group) in directory.groups.iter().enumerate() {
        write!(out, "{}", if i > 0 { ",\n" } else { "\n" })?;
        write_json(out, &group_json(directory, group))?;
    }
    writeln!(out, "\n]\n}}")
}

/// Reads a snapshot.
///
/// # Errors
/// When it is not one, is of another version, or names an id twice.
pub fn read(text: &str) -> Result<Snapshot, SnapshotError> {
    // A file of another kind or version is told by its header, whatever else may be wrong with it.
    let body: Body = match serde_json::from_str(text) {
        Ok(body) => body,
        Err(error) => {
            check(&serde_json::from_str(text)?)?;
            return Err(error.into());
        }
    };
    check(body.header())?;
    if let Some(twice) = body.twice() {
        return Err(SnapshotError::Twice(twice.to_owned()));
    }
    let (header, directory, hidden) = body.into_parts();
    let redaction = match header.redaction {
        None => None,
        Some(redaction) => {
            let redaction = Redaction::from_header(&redaction, hidden).ok_or(SnapshotError::Redaction)?;
            Some(redaction)
        }
    };
    Ok(Snapshot { directory, target: header.target, redaction })
}

/// Whether this code can read what has such a header.
fn check(header: &Header) -> Result<(), SnapshotError> {
    if header.format.as_deref() != Some(FORMAT) {
        return Err(SnapshotError::Format);
    }
    if header.version != u64::from(VERSION) {
        return Err(SnapshotError::Version(header.version));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Texts;
    use model::attribute::{Attribute, Dialect};
    use model::directory::{AccountKind, RawGroup, User};
    use model::names::{GroupId, UserId};
    use std::io::Write as _;

    fn directory() -> Directory {
        let user = |id: &str, active, guest, attributes: &[(Attribute, &str)]| User {
            id: UserId::new(id),
            kind: AccountKind::Person,
            active,
            guest,
            attributes: attributes.iter().copied().collect(),
            selectors: Texts::default(),
        };
        let mut bot = user("U3", true, false, &[(Attribute::UserName, "bot")]);
        bot.kind = AccountKind::Bot;
        let mut ada = user(
            "U1",
            true,
            false,
            &[
                (Attribute::UserName, "ada"),
                (Attribute::GivenName, "Ada"),
                (Attribute::Department, "Engines"),
                (Attribute::Locality, "London"),
            ],
        );
        ada.selectors = Texts::from([(Attribute::Locality, "type eq \"work\"")]);
        let kim = user(
            "U2",
            false,
            true,
            &[(Attribute::UserName, "kim"), (Attribute::GuestExpires, "2027-01-31T23:59:59Z")],
        );
        let group = RawGroup {
            id: GroupId::new("S1"),
            display_name: "eng".into(),
            members: vec!["U2".into(), "U1".into(), "S9".into()],
        };
        Directory::new(Dialect::Slack, vec![ada, kim, bot], vec![group])
    }

    #[test]
    fn what_is_written_is_read_back_whole() {
        let mut bytes = Vec::new();
        let target = Some("https://api.slack.com/scim/v2".to_owned());
        write(&Snapshot::whole(directory(), target.clone()), &mut bytes, |out, value| write!(out, "{value}"))
            .unwrap();
        let read = read(std::str::from_utf8(&bytes).unwrap()).unwrap();
        assert_eq!(read.directory.users, directory().users);
        assert_eq!(read.directory.groups, directory().groups);
        assert_eq!(read.target, target);
        assert!(read.redaction.is_none());
    }

    #[test]
    fn other_files_versions_and_double_ids_are_refused() {
        assert!(matches!(read("{}"), Err(SnapshotError::Format)));
        assert!(matches!(read("[]"), Err(SnapshotError::Json(_))));
        let newer = r#"{"format":"rosterctl-snapshot","version":2}"#;
        assert!(matches!(read(newer), Err(SnapshotError::Version(2))));
        let twice = r#"{"format":"rosterctl-snapshot","version":1,"dialect":"slack","groups":[],
            "users":[{"id":"U1","active":true},{"id":"U1","active":true}]}"#;
        assert!(matches!(read(twice), Err(SnapshotError::Twice(_))));
        for redaction in [r#"{"method":"none","salt":""}"#, r#"{"method":"hmac-sha256","salt":"00"}"#] {
            let other = format!(
                r#"{{"format":"rosterctl-snapshot","version":1,"dialect":"slack","groups":[],"users":[],"redaction":{redaction}}}"#
            );
            assert!(matches!(read(&other), Err(SnapshotError::Redaction)));
        }
    }
    #[test]
    fn what_another_version_says_of_users_does_not_hide_that_it_is_another() {
        let newer = r#"{"users":7,"format":"rosterctl-snapshot","version":2}"#;
        assert!(matches!(read(newer), Err(SnapshotError::Version(2))));
        let broken = r#"{"users":7,"format":"rosterctl-snapshot","version":1}"#;
        assert!(matches!(read(broken), Err(SnapshotError::Json(_))));
    }

    #[test]
    fn the_order_of_the_keys_and_keys_that_say_nothing_do_not_matter() {
        let users = r#"[{"note":[{"a":null}],"active":true,"address":{"locality":"Paris","x":{},"country":" "},
            "title":7,"guest":{"expires":"2027-01-31T23:59:59Z","since":1},"userName":"ad\u0061","id":"U1"}]"#;
        let groups = r#"[{"members":["U1","S9","U1"],"displayName":"eng","id":"S1"}]"#;
        let header = r#""version":1,"dialect":"slack","more":{"a":[1.5,true]},"format":"rosterctl-snapshot""#;
        for text in [
            format!(r#"{{"groups":{groups},"users":{users},{header}}}"#),
            format!(r#"{{{header},"users":{users},"groups":{groups}}}"#),
        ] {
            let directory = read(&text).unwrap().directory;
            let [ada] = directory.users.as_slice() else { panic!("{directory:?}") };
            assert!(ada.guest);
            let told: Vec<(Attribute, &str)> = ada.attributes.iter().collect();
            let expires = (Attribute::GuestExpires, "2027-01-31T23:59:59Z");
            assert_eq!(told, [(Attribute::UserName, "ada"), (Attribute::Locality, "Paris"), expires]);
            let [eng] = directory.groups.as_slice() else { panic!("{directory:?}") };
            assert_eq!((eng.members.len(), &*eng.foreign_members[0]), (1, "S9"));
        }
    }

    #[test]
    fn accounts_and_groups_are_written_under_the_keys_of_a_roster_members_by_id() {
        let eng = r#"{"id":"S1","displayName":"eng","members":["S9","U1","U2"]}"#;
        assert_eq!(group_json(&directory(), &directory().groups[0]).to_string(), eng);
        let kim = r#"{"id":"U2","active":false,"userName":"kim","guest":{"expires":"2027-01-31T23:59:59Z"}}"#;
        assert_eq!(user_json(&directory().users[1]).to_string(), kim);
        let ada = r#"{"id":"U1","active":true,"userName":"ada","name":{"givenName":"Ada"},"address":{"locality":"London"},"department":"Engines","selectors":{"address.locality":"type eq \"work\""}}"#;
        assert_eq!(user_json(&directory().users[0]).to_string(), ada);
    }
}
