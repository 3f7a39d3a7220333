//! One file, from its first event to its last, entry by entry.

use super::fields::{Fields, unknown_key, wrong_type};
use super::findings::{Findings, quote};
use super::groups;
use super::names::{NameId, Names};
use super::node::{Budget, Key, Node, Value};
use super::people::{self, Lost, Said};
use super::policy::{self, POLICY_KEYS};
use super::syntax::is_readable;
use super::yaml::{Reader, Stop};
use super::{codes, scalars};
use crate::diagnostic::Diagnostic;
use crate::place::{Located, Place, Source, SourceId};
use crate::policy::Policy;
use saphyr_parser::Event;
use std::collections::{BTreeSet, HashMap};

/// The keys at the top of a roster file.
pub(super) const ROSTER_KEYS: &[&str] = &["version", "workspace", "policy", "defaults", "users", "groups"];

/// What the files have said so far.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) workspace: Option<Located<Box<str>>>,
    pub(super) policy: Option<Policy>,
    /// Where `workspace` and `policy` were given, whether or not they could be understood.
    sections: HashMap<&'static str, Place>,
    pub(super) users: Vec<people::Draft>,
    /// `None` until a file has a `groups` key.
    pub(super) groups: Option<Vec<groups::Draft>>,
    pub(super) names: Names,
    /// userNames of entries that could not be understood. References to them are not mistakes of their own. In
    /// order, so that what is suggested does not depend on chance.
    pub(super) lost_names: BTreeSet<String>,
    /// Whether part of the people is unknown, so that any reference may be right.
    pub(super) is_incomplete: bool,
    /// The first `users` key, for saying that it lists nobody.
    pub(super) users_key: Option<Place>,
}

impl Gathered {
    /// Whether what another file says would be the same if it had been read after what is gathered here.
    pub(super) fn can_absorb(&self, other: &Self) -> bool {
        other.sections.keys().all(|section| !self.sections.contains_key(section))
    }

    /// Adds what another file says.
    pub(super) fn absorb(&mut self, other: Self) {
        let Self { workspace, policy, sections, users, groups, names, lost_names, is_incomplete, users_key } =
            other;
        self.workspace = self.workspace.take().or(workspace);
        self.policy = self.policy.take().or(policy);
        self.sections.extend(sections);
        let ids = self.names.absorb(names);
        let rename = |id: &mut NameId| *id = ids.get(id.get()).copied().unwrap_or(*id);
        self.users.reserve(users.len());
        for mut draft in users {
            rename(&mut draft.name);
            if let Some(manager) = &mut draft.manager {
                rename(&mut manager.value);
            }
            self.users.push(draft);
        }
        if let Some(groups) = groups {
            let all = self.groups.get_or_insert_default();
            for mut draft in groups {
                for (name, _) in draft.members.iter_mut().flat_map(|members| &mut members.value) {
                    rename(name);
                }
                all.push(draft);
            }
        }
        self.lost_names.extend(lost_names);
        self.is_incomplete |= is_incomplete;
        self.users_key = self.users_key.or(users_key);
    }
}

/// The beginning of a file, for what concerns the whole of it.
pub(super) fn beginning(source: SourceId) -> Place {
    Place { source, line: 1, column: 1, start: 0, len: 0 }
}

/// Reads one file of the roster into `gathered`.
pub(super) fn roster_file(
    id: SourceId,
    source: &Source,
    gathered: &mut Gathered,
    findings: &mut Findings,
    budget: &mut Budget,
) {
    let mark = findings.mark();
    let first_user = gathered.users.len();
    let mut file = RosterFile::default();
    if !is_readable(id, source, findings)
        || file.read(&mut Reader::new(id, &source.text, findings, budget), gathered).is_err()
    {
        gathered.is_incomplete = true;
    } else if !file.has_version && file.is_mapping {
        missing_version(id, findings);
    }
    if let Some(finding) = file.unsupported {
        findings.forget_since(mark);
        findings.report(finding);
        gathered.is_incomplete = true;
    }
    if let Some(defaults) = file.defaults {
        for draft in gathered.users.iter_mut().skip(first_user) {
            if !people::apply_defaults(draft, &defaults, &gathered.names, budget) {
                findings.error(
                    codes::TOO_LARGE,
                    beginning(id),
                    "with the `defaults` of this file the roster becomes too large",
                    "write fewer defaults, or list fewer people",
                );
                break;
            }
        }
    }
}

/// Reads a policy that stands in a file of its own.
pub(super) fn policy_file(
    id: SourceId,
    source: &Source,
    gathered: &mut Gathered,
    findings: &mut Findings,
    budget: &mut Budget,
) {
    if !is_readable(id, source, findings) {
        return;
    }
    let place = beginning(id);
    let mut reader = Reader::new(id, &source.text, findings, budget);
    let Ok(root) = whole(&mut reader) else { return };
    if let Some(first) = gathered.sections.get("policy") {
        findings.report(
            Diagnostic::error(
                codes::SECTION_TWICE,
                place,
                "a policy file is given, and the roster has a `policy` as well",
            )
            .related(*first, "the roster's own policy")
            .help("remove one of the two"),
        );
    }
    let Some(root) = root.filter(|node| !node.is_null()) else {
        findings.error(
            codes::MISSING_KEY,
            place,
            "this policy file says nothing",
            "write at least one of the keys of `policy`",
        );
        return;
    };
    let keys: Vec<&'static str> = ["version"].into_iter().chain(POLICY_KEYS.iter().copied()).collect();
    let Some(fields) = Fields::read(&root, "a policy", &keys, findings) else { return };
    if let Some(finding) = fields.node("version").and_then(unsupported_version) {
        return findings.report(finding);
    }
    gathered.policy = Some(policy::policy(&fields, findings));
}

/// The single value of a file; `None` when it has none.
fn whole<'t>(reader: &mut Reader<'t, '_>) -> Result<Option<Node<'t>>, Stop> {
    let Some((event, place)) = first_event(reader)? else { return Ok(None) };
    let node = reader.entry(event, place)?;
    end(reader)?;
    Ok(Some(node))
}

/// The event with which the first document's value begins.
fn first_event<'t>(reader: &mut Reader<'t, '_>) -> Result<Option<(Event<'t>, Place)>, Stop> {
    loop {
        match reader.event()? {
            (Event::StreamStart | Event::DocumentStart(_), _) => {}
            (Event::StreamEnd, _) => return Ok(None),
            other => return Ok(Some(other)),
        }
    }
}

/// Makes sure that nothing follows the first document.
fn end(reader: &mut Reader<'_, '_>) -> Result<(), Stop> {
    loop {
        match reader.event()? {
            (Event::StreamEnd, _) => return Ok(()),
            (Event::DocumentStart(_), place) => {
                return reader.stop(
                    Diagnostic::error(codes::MULTIPLE_DOCUMENTS, place, "a second document begins here")
                        .help("put it in a file of its own; nothing after this place was read"),
                );
            }
            _ => {}
        }
    }
}

fn missing_version(id: SourceId, findings: &mut Findings) {
    findings.error(
        codes::MISSING_KEY,
        beginning(id),
        "a roster file needs `version`",
        "begin the file with `version: 1`",
    );
}

/// A finding unless `node` says 1.
fn unsupported_version(node: &Node<'_>) -> Option<Diagnostic> {
    match node.value() {
        Value::Text { text, .. } if text == "1" => None,
        Value::Broken => None,
        _ => Some(
            Diagnostic::error(
                codes::UNSUPPORTED_VERSION,
                node.place,
                format!("this rosterctl reads version 1 of the roster, and this is {}", node.found()),
            )
            .help("write `version: 1`, or use a rosterctl that knows the version; the file was not checked further"),
        ),
    }
}

#[derive(Default)]
struct RosterFile {
    is_mapping: bool,
    has_version: bool,
    unsupported: Option<Diagnostic>,
    defaults: Option<Said>,
    seen: HashMap<&'static str, Place>,
}

impl RosterFile {
    fn read(&mut self, reader: &mut Reader<'_, '_>, gathered: &mut Gathered) -> Result<(), Stop> {
        let Some((event, place)) = first_event(reader)? else {
            self.is_mapping = true;
            return Ok(());
        };
        match event {
            Event::MappingStart(..) => {
                self.is_mapping = true;
                while let (event, place) = reader.event()?
                    && event != Event::MappingEnd
                {
                    let key = reader.key(event, place, 0)?;
                    let (event, place) = reader.event()?;
                    self.section(key.as_ref(), event, place, reader, gathered)?;
                }
            }
            event => {
                let node = reader.entry(event, place)?;
                self.is_mapping = node.is_null();
                if !node.is_null() {
                    wrong_type(
                        &node,
                        "a roster file",
                        "a mapping that begins with `version: 1`",
                        reader.findings,
                    );
                    gathered.is_incomplete = true;
                }
            }
        }
        end(reader)
    }

    /// One key at the top of the file, with its value, which begins with `event`.
    fn section<'t>(
        &mut self,
        key: Option<&Key<'t>>,
        event: Event<'t>,
        place: Place,
        reader: &mut Reader<'t, '_>,
        gathered: &mut Gathered,
    ) -> Result<(), Stop> {
        let known = key.and_then(|key| {
            let exact = ROSTER_KEYS.iter().copied().find(|name| *name == key.value);
            let is_free = |name: &str| !self.seen.contains_key(name);
            let name =
                exact.or_else(|| unknown_key(key, "a roster file", ROSTER_KEYS, is_free, reader.findings))?;
            Some((name, exact.is_some(), key))
        });
        let Some((name, is_exact, key)) = known else {
            return reader.entry(event, place).map(|_| ());
        };
        if let Some(first) = self.seen.get(name).copied() {
            reader.duplicate_key(key, first);
        } else if is_exact {
            self.seen.insert(name, key.place);
        }
        match (name, event) {
            ("users", Event::SequenceStart(0, None)) => {
                gathered.users_key.get_or_insert(key.place);
                while let Some(node) = next_entry(reader)? {
                    user(&node, gathered, reader.findings);
                    reader.reuse(node);
                }
            }
            ("groups", Event::SequenceStart(0, None)) => {
                gathered.groups.get_or_insert_default();
                while let Some(node) = next_entry(reader)? {
                    group(&node, gathered, reader.findings);
                    reader.reuse(node);
                }
            }
            (_, event) => {
                let mut node = reader.entry(event, place)?;
                if node.place.len == 0 && node.is_null() {
                    node.place = key.place;
                }
                self.value(name, key.place, &node, gathered, reader.findings);
            }
        }
        Ok(())
    }

    fn value(
        &mut self,
        name: &'static str,
        key: Place,
        node: &Node<'_>,
        gathered: &mut Gathered,
        findings: &mut Findings,
    ) {
        match name {
            "version" => {
                self.has_version = true;
                self.unsupported = unsupported_version(node);
            }
            "workspace" => {
                once(name, key, gathered, findings);
                if let Some(workspace) = workspace(node, findings) {
                    gathered.workspace.get_or_insert(workspace);
                }
            }
            "policy" if !node.is_null() => {
                once(name, key, gathered, findings);
                if let Some(fields) = Fields::read(node, "a policy", POLICY_KEYS, findings) {
                    let policy = policy::policy(&fields, findings);
                    gathered.policy.get_or_insert(policy);
                }
            }
            "defaults" if !node.is_null() => {
                self.defaults = Some(people::defaults(node, &mut gathered.names, findings));
            }
            "users" => {
                gathered.users_key.get_or_insert(key);
                match node.value() {
                    Value::List(nodes) => nodes.iter().for_each(|node| user(node, gathered, findings)),
                    Value::Null => {}
                    _ => {
                        gathered.is_incomplete = true;
                        wrong_type(node, "`users`", "a list of people", findings);
                    }
                }
            }
            "groups" => {
                gathered.groups.get_or_insert_default();
                match node.value() {
                    Value::List(nodes) => nodes.iter().for_each(|node| group(node, gathered, findings)),
                    Value::Null => {}
                    _ => wrong_type(node, "`groups`", "a list of groups", findings),
                }
            }
            _ => {}
        }
    }
}

fn next_entry<'t>(reader: &mut Reader<'t, '_>) -> Result<Option<Node<'t>>, Stop> {
    match reader.event()? {
        (Event::SequenceEnd, _) => Ok(None),
        (event, place) => reader.entry(event, place).map(Some),
    }
}

fn user(node: &Node<'_>, gathered: &mut Gathered, findings: &mut Findings) {
    match people::user(node, &mut gathered.names, findings) {
        Ok(draft) => gathered.users.push(draft),
        Err(Lost::Anybody) => gathered.is_incomplete = true,
        Err(Lost::Named(name)) => {
            gathered.lost_names.insert(name);
        }
    }
}

fn group(node: &Node<'_>, gathered: &mut Gathered, findings: &mut Findings) {
    if let Some(draft) = groups::group(node, &mut gathered.names, findings) {
        gathered.groups.get_or_insert_default().push(draft);
    }
}

/// Reports a section that another file has already.
fn once(name: &'static str, key: Place, gathered: &mut Gathered, findings: &mut Findings) {
    match gathered.sections.get(name) {
        None => {
            gathered.sections.insert(name, key);
        }
        // Twice in one file is a duplicate key and has been reported as one.
        Some(first) if first.source == key.source => {}
        Some(first) => findings.report(
            Diagnostic::error(codes::SECTION_TWICE, key, format!("{} is given in two files", quote(name)))
                .related(*first, "first given here")
                .help("keep one of the two: it applies to the whole roster"),
        ),
    }
}

/// The workspace's name as it stands in the addresses of its profiles.
fn workspace(node: &Node<'_>, findings: &mut Findings) -> Option<Located<Box<str>>> {
    let text = scalars::text(node, "`workspace`", findings)?;
    let bare = text.value.trim_start_matches("https://").split('/').next().unwrap_or_default();
    let bare = bare.trim_end_matches(".slack.com").trim_end_matches(".enterprise");
    if bare != text.value
        || bare.is_empty()
        || bare.contains(|c: char| c.is_whitespace() || matches!(c, ':' | '@'))
    {
        findings.error(
            codes::INVALID_WORKSPACE,
            text.place,
            format!("{} is not the name of a workspace", quote(text.value)),
            if bare.is_empty() {
                "write `acme` for acme.slack.com".to_owned()
            } else {
                format!("write {}", quote(bare))
            },
        );
        return None;
    }
    Some(text.map(Box::from))
}
