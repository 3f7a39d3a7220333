//! Deliberate bugs, put in at the seams of the client, to see whether the judge notices.
//!
//! Each stands for a mistake that a client of this kind has made somewhere, or could make after one careless change of
//! ours. The product's code is not touched: a saboteur sits between the client and its line, or alters what the planner
//! is given, the plan, or the report.

use super::disk::Notebook;
use super::line::Line;
use super::service::{Service, answer, id_in};
use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{Method, Request, Response};
use model::journal::{Event, Record};
use model::policy::{AttributeMode, Limit, Limits, Protect, UnlistedUsers};
use model::run::{Ending, ReadBack, RunReport};
use model::{Attribute, ChangeKind, Directory, Plan, Roster};
use reconciler::journal::Journal;
use reconciler::run::{Goal, Missing};
use scim_adapter::{BoxFuture, Transport, TransportError};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, PoisonError};

/// A deliberate bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sabotage {
    /// A creation whose answer was lost is sent again at once.
    RepeatsLostCreations,
    /// A page that is shorter than the list is taken for the whole list.
    TrustsShortPages,
    /// What was asked for is taken for what the service answered.
    TakesRequestForAnswer,
    /// A write that was never answered is taken for done.
    TakesSilenceForSuccess,
    /// Members are removed by a bare path with a value, as Entra does, which empties the group (sheet S11).
    RemovesMembersByValue,
    /// Users are written by PUT, without `active` (sheet S10).
    PutsUsers,
    /// Two accounts are mistaken for each other.
    MixesUpAccounts,
    /// `Retry-After` is not heeded.
    IgnoresRetryAfter,
    /// Each change is sent twice at once, for the quicker answer.
    SendsTwiceAtOnce,
    /// Lists are kept from the first time they were read.
    CachesLists,
    /// An account that shows as deactivated though nobody asked is overlooked.
    OverlooksIncident,
    /// No guard has anything to say.
    DropsVerdicts,
    /// A guard allows one more than the policy.
    MiscountsByOne,
    /// Percentages are taken of all accounts rather than as the policy has it: far too much is allowed.
    DoublesLimits,
    /// Nobody is protected.
    ForgetsProtection,
    /// People with `managed: false` are written like any other.
    ManagesEverybody,
    /// Whoever is not listed is deactivated, though the policy keeps them.
    DeactivatesUnlisted,
    /// Attributes that are written at creation only are enforced.
    EnforcesOnCreate,
    /// Members whom a roster does not list are removed though the policy keeps them.
    RemovesKeptMembers,
    /// Changes do not wait for each other.
    DropsOrder,
    /// The last change of each plan is lost.
    LosesChange,
    /// A change of each plan is in it twice.
    DoublesChange,
    /// A failed change is reported as done.
    ReportsSuccess,
    /// What was read back is not compared.
    SkipsComparison,
    /// After a restart the old plan goes on, and nothing is read anew.
    ResumesFromMemory,
    /// A saved plan is sent again as it was saved, whatever has become of the workspace.
    AppliesSavedPlanBlindly,
    /// What earlier runs of the day did counts for nothing.
    ForgetsYesterday,
    /// Consent passes every guard, even those that no consent passes.
    ConsentsToEverything,
    /// The journal has outcomes and no intents.
    RecordsNoIntent,
}

/// A deliberate bug with what is expected of the judge.
#[derive(Debug, Clone, Copy)]
pub struct Tooth {
    /// The bug.
    pub sabotage: Sabotage,
    /// What the complaint of the judge says, in part.
    pub complaint: &'static str,
    /// Within how many seeds it must be caught.
    pub seeds: u64,
}

/// All bugs, each with the complaint by which it is known to be caught.
pub const TEETH: &[Tooth] = &[
    tooth(Sabotage::RepeatsLostCreations, "without a look"),
    tooth(Sabotage::TrustsShortPages, "without reason"),
    tooth(Sabotage::TakesRequestForAnswer, "is said to have taken"),
    tooth(Sabotage::TakesSilenceForSuccess, "is said to have taken"),
    tooth(Sabotage::RemovesMembersByValue, "empties the group"),
    tooth(Sabotage::PutsUsers, "a PUT of a user"),
    tooth(Sabotage::MixesUpAccounts, "must not be"),
    tooth(Sabotage::IgnoresRetryAfter, "after Retry-After"),
    tooth(Sabotage::SendsTwiceAtOnce, "another write to it was under way"),
    tooth(Sabotage::CachesLists, "undisturbed, it fails"),
    tooth(Sabotage::OverlooksIncident, "turned inactive"),
    tooth(Sabotage::DropsVerdicts, "are allowed"),
    tooth(Sabotage::MiscountsByOne, "are allowed"),
    tooth(Sabotage::DoublesLimits, "are allowed"),
    tooth(Sabotage::ForgetsProtection, "must not be"),
    tooth(Sabotage::ManagesEverybody, "must not be"),
    tooth(Sabotage::DeactivatesUnlisted, "is not listed"),
    tooth(Sabotage::EnforcesOnCreate, "displayName went from"),
    tooth(Sabotage::RemovesKeptMembers, "nobody asked for it"),
    tooth(Sabotage::DropsOrder, "undisturbed, it fails"),
    tooth(Sabotage::LosesChange, "undisturbed, it fails"),
    tooth(Sabotage::DoublesChange, "undisturbed, it fails"),
    tooth(Sabotage::ReportsSuccess, "it claims to be in sync"),
    tooth(Sabotage::SkipsComparison, "it claims to be in sync"),
    tooth(Sabotage::ResumesFromMemory, "it wrote before it had read"),
    tooth(Sabotage::AppliesSavedPlanBlindly, "which does not list them"),
    tooth(Sabotage::ForgetsYesterday, "in 24 hours"),
    tooth(Sabotage::ConsentsToEverything, "deleteGroups: "),
    tooth(Sabotage::RecordsNoIntent, "without intent"),
];

const fn tooth(sabotage: Sabotage, complaint: &'static str) -> Tooth {
    Tooth { sabotage, complaint, seeds: 300 }
}

impl Sabotage {
    /// What the planner is given in place of the roster.
    pub fn roster(self, roster: &Roster) -> Roster {
        let mut roster = roster.clone();
        let policy = &mut roster.policy;
        match self {
            Self::MiscountsByOne => {
                policy.limits = limits(policy.limits, |l| Limit { at_least: l.at_least + 1, ..l });
            }
            Self::DoublesLimits => {
                policy.limits =
                    limits(policy.limits, |l| Limit { at_least: l.at_least * 2 + 5, percent: l.percent * 2 });
            }
            Self::ForgetsProtection => policy.protect = Protect::default(),
            Self::DeactivatesUnlisted => policy.unlisted.users = UnlistedUsers::Deactivate,
            Self::EnforcesOnCreate => policy.attributes.set(Attribute::DisplayName, AttributeMode::Enforce),
            Self::RemovesKeptMembers => policy.unlisted.members = model::policy::UnlistedMembers::Remove,
            Self::ManagesEverybody => {
                for user in &mut roster.users {
                    if !user.managed {
                        user.managed = true;
                        user.active.value = false;
                    }
                }
                // Nobody who is to leave may be a member.
                for group in roster.groups.iter_mut().flatten() {
                    if let Some(members) = &mut group.members {
                        let users = &roster.users;
                        members.list.retain(|member| users[member.user.get()].active.value);
                    }
                }
            }
            _ => {}
        }
        roster
    }

    /// What becomes of a plan before it is judged and carried out.
    pub fn plan(self, plan: &mut Plan) {
        match self {
            Self::DropsVerdicts => plan.verdicts.clear(),
            Self::DropsOrder => {
                for change in &mut plan.changeset.changes {
                    change.waits_for.clear();
                }
            }
            Self::LosesChange => {
                plan.changeset.changes.pop();
            }
            Self::DoublesChange => {
                let changes = &plan.changeset.changes;
                let creation = |kind| matches!(kind, ChangeKind::CreateUser | ChangeKind::CreateGroup);
                let at = changes.iter().position(|change| creation(change.kind())).unwrap_or(0);
                if let Some(change) = changes.get(at).cloned() {
                    plan.changeset.changes.push(change);
                }
            }
            _ => {}
        }
    }

    /// What becomes of a report.
    pub fn report(self, report: &mut RunReport) {
        if self == Self::ReportsSuccess {
            for outcome in &mut report.outcomes {
                outcome.ending = Ending::Took { remark: None };
            }
            report.read_back = ReadBack::InSync;
        }
    }
}

fn limits(limits: Limits, with: impl Fn(Limit) -> Limit) -> Limits {
    Limits {
        deactivate_users: with(limits.deactivate_users),
        create_users: with(limits.create_users),
        change_emails: with(limits.change_emails),
        change_user_names: with(limits.change_user_names),
        convert_guests: with(limits.convert_guests),
        remove_members: with(limits.remove_members),
        remove_members_per_group: with(limits.remove_members_per_group),
        empty_groups: with(limits.empty_groups),
        delete_groups: with(limits.delete_groups),
    }
}

/// A goal that is always reached.
pub struct Anything;

impl Goal for Anything {
    fn missing(&self, _: &Directory) -> Result<Vec<Missing>, String> {
        Ok(Vec::new())
    }
}

/// A journal that forgets what was intended.
pub struct Forgetful<'a>(pub &'a Notebook);

impl Journal for Forgetful<'_> {
    fn append(&self, records: &[Record]) -> io::Result<()> {
        let rest: Vec<Record> =
            records.iter().filter(|record| matches!(record.event, Event::Begin { .. })).cloned().collect();
        self.0.append(&rest)
    }
}

/// A line with a saboteur on it.
pub struct Saboteur {
    line: Line,
    service: Service,
    sabotage: Sabotage,
    cache: Mutex<BTreeMap<String, Bytes>>,
}

impl Saboteur {
    /// Puts a saboteur on a line.
    pub fn new(line: Line, service: Service, sabotage: Sabotage) -> Self {
        Self { line, service, sabotage, cache: Mutex::default() }
    }

    async fn carry(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let again = copy(&request);
        let (method, target) = (request.method().clone(), request.uri().to_string());
        let is_list = method == Method::GET && id_in(&target).is_none();
        let is_patch = method == Method::PATCH;
        match self.sabotage {
            Sabotage::RepeatsLostCreations if method == Method::POST => match self.line.send(request).await {
                Err(_) => self.line.send(again).await,
                answer => answer,
            },
            Sabotage::TrustsShortPages if is_list => {
                let mut page = self.line.send(request).await?;
                edit(&mut page, |body| {
                    let came = body["Resources"].as_array().map(Vec::len);
                    if let Some(came) = came {
                        body["totalResults"] = json!(came);
                    }
                });
                Ok(page)
            }
            Sabotage::TakesRequestForAnswer if is_patch => {
                let answer = self.line.send(request).await?;
                Ok(if answer.status().is_success() { self.as_asked(&again) } else { answer })
            }
            Sabotage::TakesSilenceForSuccess if is_patch => match self.line.send(request).await {
                Err(_) => Ok(self.as_asked(&again)),
                answer => answer,
            },
            Sabotage::RemovesMembersByValue if is_patch => self.line.send(by_value(&request)).await,
            Sabotage::PutsUsers if is_patch && target.starts_with("/Users/") => {
                let mut body: Value =
                    serde_json::from_slice(self.as_asked(&again).body()).unwrap_or_default();
                if let Some(body) = body.as_object_mut() {
                    body.remove("active");
                }
                let put = Request::put(&target).body(Bytes::from(body.to_string())).unwrap_or_default();
                self.line.send(put).await
            }
            Sabotage::MixesUpAccounts if is_patch && target.starts_with("/Users/") => {
                let users = self.service.simulator.users();
                let id = |user: &Value| user["id"].as_str().map(str::to_owned);
                let at = users.iter().position(|user| id(user).as_deref() == id_in(&target));
                let other = at.and_then(|at| id(users.get(at ^ 1)?));
                let mut request = request;
                if let Some(uri) = other.and_then(|other| format!("/Users/{other}").parse().ok()) {
                    *request.uri_mut() = uri;
                }
                self.line.send(request).await
            }
            Sabotage::IgnoresRetryAfter => {
                let mut answer = self.line.send(request).await?;
                answer.headers_mut().remove(RETRY_AFTER);
                Ok(answer)
            }
            Sabotage::SendsTwiceAtOnce if is_patch => {
                let (first, _) = tokio::join!(self.line.send(request), self.line.send(again));
                first
            }
            Sabotage::CachesLists if is_list => {
                let known = self.cache.lock().unwrap_or_else(PoisonError::into_inner).get(&target).cloned();
                if let Some(body) = known {
                    return Ok(answer(200, body));
                }
                let page = self.line.send(request).await?;
                if page.status().is_success() {
                    let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
                    cache.insert(target, page.body().clone());
                }
                Ok(page)
            }
            Sabotage::OverlooksIncident if is_patch => {
                let mut answer = self.line.send(request).await?;
                edit(&mut answer, |body| {
                    if body["active"] == false {
                        body["active"] = json!(true);
                    }
                });
                Ok(answer)
            }
            _ => self.line.send(request).await,
        }
    }

    /// The resource as it would be if a PATCH had been carried out, as far as its simple attributes and members go.
    fn as_asked(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let mut answer = self.service.pretend(request);
        let asked: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        edit(&mut answer, |body| {
            for operation in asked["Operations"].as_array().into_iter().flatten() {
                let (Some(path), value) = (operation["path"].as_str(), &operation["value"]) else { continue };
                let extension = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
                if let Some(name) =
                    path.strip_prefix(extension).map(|name| name.trim_start_matches([':', '.']))
                {
                    body[extension][name] = value.clone();
                } else if path == "members" && operation["op"] == "add" {
                    let added = value.as_array().cloned().unwrap_or_default();
                    if let Some(members) = body["members"].as_array_mut() {
                        members.extend(added);
                    }
                } else if let Some(gone) = member_in(path) {
                    if let Some(members) = body["members"].as_array_mut() {
                        members.retain(|member| member["value"] != gone);
                    }
                } else if !path.contains(['[', '.', ':']) && operation["op"] == "replace" {
                    body[path] = value.clone();
                }
            }
        });
        answer
    }
}

impl Transport for Saboteur {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(self.carry(request))
    }
}

fn copy(request: &Request<Bytes>) -> Request<Bytes> {
    let mut copy = Request::new(request.body().clone());
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    copy
}

fn edit(answer: &mut Response<Bytes>, with: impl FnOnce(&mut Value)) {
    if let Ok(mut body) = serde_json::from_slice::<Value>(answer.body()) {
        with(&mut body);
        *answer.body_mut() = Bytes::from(body.to_string());
    }
}

/// The id in `members[value eq "ID"]`.
fn member_in(path: &str) -> Option<&str> {
    let id = path.strip_prefix("members[value eq ")?.strip_suffix(']')?;
    Some(id.trim_matches('"'))
}

/// The same PATCH with its members removed by a bare path and a value.
fn by_value(request: &Request<Bytes>) -> Request<Bytes> {
    let mut changed = copy(request);
    let mut body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
    for operation in body["Operations"].as_array_mut().into_iter().flatten() {
        let gone = operation["path"].as_str().and_then(member_in).map(str::to_owned);
        if let Some(gone) = gone {
            *operation = json!({ "op": "remove", "path": "members", "value": [{ "value": gone }] });
        }
    }
    *changed.body_mut() = Bytes::from(body.to_string());
    changed
}
