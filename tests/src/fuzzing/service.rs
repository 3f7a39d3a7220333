//! A service that answers anything at all: its answers are read whole or refused, and what was read can be used.

use super::{parts, paused};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use model::directory::User;
use model::{Dialect, Directory};
use reconciler::planner::{self, Context};
use reconciler::snapshot::{self, Snapshot};
use scim_adapter::{BoxFuture, Pacer, Reader, Transport, TransportError, decode_group, decode_user};
use std::collections::HashSet;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The most requests that reading may take of answers that fit in a fuzzer's input: pages are read four times over at
/// most, and each request is tried five times.
const MOST_REQUESTS: usize = 20_000;

/// Answers each request with the next part of the input, over and over: a status of three digits, a header line if there
/// is one, a line break, and the body.
struct Answers {
    parts: Vec<Bytes>,
    asked: AtomicUsize,
}

impl Transport for Answers {
    fn send(&self, _: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        assert!(asked < MOST_REQUESTS, "it never stops asking");
        let part = &self.parts[asked % self.parts.len()];
        let (status, rest) = part.split_at(part.len().min(3));
        let status = std::str::from_utf8(status).ok().and_then(|text| text.parse().ok());
        let status = status.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or_default();
        let line = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        let (header, body) = rest.split_at(line);
        let mut response = Response::builder().status(status);
        if let Some((name, value)) =
            std::str::from_utf8(header).ok().and_then(|header| header.trim().split_once(':'))
        {
            let name = http::HeaderName::try_from(name);
            let value = http::HeaderValue::try_from(value.trim());
            if let (Ok(name), Ok(value)) = (name, value) {
                response = response.header(name, value);
            }
        }
        let body = part.slice_ref(body.get(1..).unwrap_or_default());
        Box::pin(async move { Ok(response.body(body).unwrap()) })
    }
}

/// Reads a directory from a service that answers with the parts of the input.
pub fn service(data: &[u8]) {
    let parts: Vec<Bytes> = parts(data).into_iter().map(Bytes::copy_from_slice).collect();
    for dialect in [Dialect::Slack, Dialect::Rfc] {
        for part in &parts {
            resource(part, dialect);
        }
        let answers = Arc::new(Answers { parts: parts.clone(), asked: AtomicUsize::new(0) });
        let reader = Reader::new(answers, dialect, Pacer::unlimited()).seeded(1);
        match paused().block_on(reader.read_directory()) {
            Ok(directory) => usable(&directory),
            Err(error) => drop((error.to_string(), error.hint())),
        }
    }
}

/// Reads one resource, from a part without its status line and from the whole of it.
fn resource(part: &[u8], dialect: Dialect) {
    let line = part.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    for body in [part, &part[line..]] {
        if let Ok(user) = decode_user(body, dialect) {
            account(&user);
        }
        if let Ok(group) = decode_group(body) {
            id(group.id.as_str());
        }
    }
}

fn id(id: &str) {
    assert!(!id.trim().is_empty() && !id.starts_with('@') && !id.contains(char::is_control), "{id:?}");
}

fn account(user: &User) {
    id(user.id.as_str());
    assert!(user.attributes.iter().is_sorted_by(|a, b| a.0 < b.0), "{user:?}");
    assert!(user.attributes.iter().all(|(_, value)| !value.trim().is_empty()), "{user:?}");
    assert!(user.selectors.iter().is_sorted_by(|a, b| a.0 < b.0), "{user:?}");
}

/// What must hold of any directory that is planned on.
pub(super) fn usable(directory: &Directory) {
    let mut ids = HashSet::new();
    for user in &directory.users {
        account(user);
        assert!(ids.insert(user.id.as_str()), "{} twice", user.id);
    }
    for group in &directory.groups {
        id(group.id.as_str());
        assert!(
            group.members.is_sorted_by(|a, b| a < b)
                && group.members.iter().all(|at| at.get() < directory.users.len())
        );
    }
    let text = written(&Snapshot::whole(directory.clone(), None));
    // A service may give a user and a group one id; a snapshot is not written of such a thing by any that we know.
    if let Ok(again) = snapshot::read(&text) {
        same(&again.directory, directory);
    }
    planned(directory);
}

/// Two directories hold the same; in which order the members stand that are no accounts means nothing.
pub(super) fn same(one: &Directory, other: &Directory) {
    assert_eq!(one.users, other.users);
    let groups = |directory: &Directory| {
        let mut groups = directory.groups.clone();
        for group in &mut groups {
            group.foreign_members.sort_unstable();
        }
        groups
    };
    assert_eq!(groups(one), groups(other));
}

/// A snapshot as its file.
pub(super) fn written(snapshot: &Snapshot) -> String {
    let mut bytes = Vec::new();
    snapshot::write(snapshot, &mut bytes, |out, value| write!(out, "{value}")).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// Whatever the names in it are, planning on a directory ends, the same each time.
pub(super) fn planned(directory: &Directory) {
    let roster = super::files::roster();
    let plan = || planner::plan(&roster, directory, &Context::default());
    match (plan(), plan()) {
        (Ok(first), Ok(second)) => assert_eq!(first.digest, second.digest),
        (Err(first), Err(second)) => assert_eq!(first, second),
        _ => panic!("the same plan is possible and is not"),
    }
}
