//! Which record may follow which.
//!
//! A journal is runs one after another. A run begins; each of its changes is skipped, or is intended and then over; what
//! could not be seen at first may be seen in the end; the run ends when all of its changes are over. A run that is killed
//! has no end, and the next begins.

use model::change::ChangeKind;
use model::journal::{EndingKind, Event, FORMAT, ReadBackKind, Record};
use serde_json::{Map, Value as Json};
use std::collections::{HashMap, HashSet};

/// How far a journal has come, record by record.
#[derive(Debug, Clone, Default)]
pub struct Course {
    /// The runs that have begun.
    begun: HashSet<Box<str>>,
    /// The run that goes on.
    current: Option<Current>,
}

#[derive(Debug, Clone)]
struct Current {
    run: Box<str>,
    planned: usize,
    changes: HashMap<usize, Stage>,
    /// How many changes are intended and not over.
    under_way: usize,
    /// How many changes neither took nor are pending.
    failed: usize,
}

/// How far a change has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Intended {
        creates: bool,
    },
    /// Accepted, and not seen yet.
    Unseen {
        failed: bool,
    },
    Over,
}

/// Why a record may not stand where it does.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Illegal {
    /// It is in a form that this code does not know.
    #[error("its version is {0}, and this rosterctl knows version {FORMAT}")]
    Version(u32),
    /// A run of this name has begun before.
    #[error("the run {0:?} begins a second time")]
    SecondBegin(Box<str>),
    /// It belongs to a run that does not go on.
    #[error("the run {0:?} has not begun, or is over")]
    OtherRun(Box<str>),
    /// The plan has no such change.
    #[error("the plan has {planned} changes, and this is change {change}")]
    NoSuchChange {
        /// The change.
        change: usize,
        /// How many the plan has.
        planned: usize,
    },
    /// The change is intended or skipped a second time.
    #[error("change {0} begins a second time")]
    SecondIntent(usize),
    /// The change is over that was never begun, or is over a second time.
    #[error("change {0} is over, though it is not under way")]
    NotUnderWay(usize),
    /// The record contradicts itself or what was said of the change before.
    #[error("change {change}: {why}")]
    Contradiction {
        /// The change.
        change: usize,
        /// What does not fit.
        why: &'static str,
    },
    /// The run ends before its changes have.
    #[error("the run ends, and {0} of its changes are not accounted for")]
    EndsEarly(usize),
    /// The end does not say what the changes say.
    #[error("the run's end calls it a success or a failure, and the records before say otherwise")]
    WrongEnd,
}

impl Course {
    /// Takes one record. A record that is refused leaves everything as it was.
    ///
    /// # Errors
    /// When it may not stand here.
    pub fn step(&mut self, record: &Record) -> Result<(), Illegal> {
        let Record { v, at: _, run, event } = record;
        if *v != FORMAT {
            return Err(Illegal::Version(*v));
        }
        if let Event::Begin { changes, .. } = event {
            if !self.begun.insert(run.clone()) {
                return Err(Illegal::SecondBegin(run.clone()));
            }
            // A run without an end was killed; nothing of it can follow.
            self.current = Some(Current {
                run: run.clone(),
                planned: *changes,
                changes: HashMap::new(),
                under_way: 0,
                failed: 0,
            });
            return Ok(());
        }
        let Some(current) = self.current.as_mut().filter(|current| current.run == *run) else {
            return Err(Illegal::OtherRun(run.clone()));
        };
        if let Event::End { success, read_back, stopped } = event {
            let missing = current.planned.abs_diff(current.changes.len()) + current.under_way;
            if missing > 0 {
                return Err(Illegal::EndsEarly(missing));
            }
            let is_success = current.failed == 0 && *read_back == ReadBackKind::InSync && stopped.is_none();
            if *success != is_success {
                return Err(Illegal::WrongEnd);
            }
            self.current = None;
            return Ok(());
        }
        current.step(event)
    }
}

impl Current {
    fn step(&mut self, event: &Event) -> Result<(), Illegal> {
        match event {
            Event::Intent { change, kind, target, name: _, before, after } => {
                self.first_of(*change)?;
                let creates = matches!(kind, ChangeKind::CreateUser | ChangeKind::CreateGroup);
                let what = consistent(*kind, target).and_then(|()| {
                    if creates && !before.is_empty() {
                        return Err("it creates something that was there before");
                    }
                    if *kind == ChangeKind::DeleteGroup && !after.is_empty() {
                        return Err("it deletes something that is there afterwards");
                    }
                    values(before)?;
                    values(after)
                });
                what.map_err(|why| Illegal::Contradiction { change: *change, why })?;
                self.changes.insert(*change, Stage::Intended { creates });
                self.under_way += 1;
            }
            Event::Skipped { change, kind, target, name: _, why: _ } => {
                self.first_of(*change)?;
                consistent(*kind, target).map_err(|why| Illegal::Contradiction { change: *change, why })?;
                self.changes.insert(*change, Stage::Over);
                self.failed += 1;
            }
            Event::Outcome { change, ending, detail: _, id } => {
                let stage = self.changes.get_mut(change).ok_or(Illegal::NotUnderWay(*change))?;
                let contradiction = |why| Err(Illegal::Contradiction { change: *change, why });
                match (*stage, ending) {
                    (Stage::Over, _) => return Err(Illegal::NotUnderWay(*change)),
                    (_, EndingKind::Skipped) => return contradiction("it was sent, and is called skipped"),
                    (Stage::Intended { creates: false }, _) if id.is_some() => {
                        return contradiction("it creates nothing, and has the id of something new");
                    }
                    (Stage::Intended { .. }, _) if id.as_deref().is_some_and(|id| !is_id(id)) => {
                        return contradiction("the id of what it creates is none");
                    }
                    (Stage::Unseen { failed }, EndingKind::Took) if id.is_none() => {
                        *stage = Stage::Over;
                        self.failed -= usize::from(failed);
                    }
                    (Stage::Unseen { .. }, _) => {
                        return contradiction("all that can be told of it now is that it took");
                    }
                    (Stage::Intended { .. }, ending) => {
                        let failed = !matches!(ending, EndingKind::Took | EndingKind::Pending);
                        let unseen = matches!(ending, EndingKind::Pending | EndingKind::WithoutEffect);
                        *stage = if unseen { Stage::Unseen { failed } } else { Stage::Over };
                        self.under_way -= 1;
                        self.failed += usize::from(failed);
                    }
                }
            }
            // Taken before.
            Event::Begin { .. } | Event::End { .. } => {}
        }
        Ok(())
    }

    fn first_of(&self, change: usize) -> Result<(), Illegal> {
        if change == 0 || change > self.planned {
            return Err(Illegal::NoSuchChange { change, planned: self.planned });
        }
        if self.changes.contains_key(&change) {
            return Err(Illegal::SecondIntent(change));
        }
        Ok(())
    }
}

/// Whether a kind of change can have this target.
fn consistent(kind: ChangeKind, target: &str) -> Result<(), &'static str> {
    let names = |start: &str| target.strip_prefix(start).is_some_and(|name| !name.is_empty());
    let fits = match kind {
        ChangeKind::CreateUser => names("@user:"),
        ChangeKind::CreateGroup => names("@group:"),
        ChangeKind::UpdateUser | ChangeKind::ReactivateUser | ChangeKind::DeactivateUser => {
            names("@user:") || is_id(target)
        }
        ChangeKind::UpdateGroup => names("@group:") || is_id(target),
        ChangeKind::DeleteGroup => is_id(target),
    };
    if fits { Ok(()) } else { Err("its target is not one of its kind") }
}

/// Whether a text can be an id of the service's. One that begins like our placeholders is none.
fn is_id(text: &str) -> bool {
    !text.is_empty() && !text.starts_with('@')
}

/// Whether a state holds nothing but what a plan's can: texts, flags, what is not set, and lists of members.
fn values(state: &Map<String, Json>) -> Result<(), &'static str> {
    let is_value = |value: &Json| match value {
        Json::Null | Json::Bool(_) | Json::String(_) => true,
        Json::Array(list) => list.iter().all(Json::is_string),
        Json::Number(_) | Json::Object(_) => false,
    };
    if state.values().all(is_value) { Ok(()) } else { Err("a value before or after is not one of a plan's") }
}
