//! What a run tells its journal, a round at a time.

use super::{Course, Journaled};
use jiff::Timestamp;
use model::change::Change;
use model::journal::{EndingKind, Event, FORMAT, ReadBackKind, Record};
use model::plan::Plan;
use model::run::{Ending, ReadBack, RunReport};

/// Gathers the records of a round and has them written together. Without a journal it does nothing.
pub(crate) struct Recorder<'a> {
    /// `None` without a journal, and once it has failed.
    journaled: Option<Journaled<'a>>,
    course: Course,
    gathered: Vec<Record>,
    failure: Option<String>,
}

impl<'a> Recorder<'a> {
    /// A recorder that has gathered the beginning of the run. A plan without changes is not recorded.
    pub(crate) fn new(journaled: Option<Journaled<'a>>, plan: &Plan) -> Self {
        let journaled = journaled.filter(|_| !plan.changeset.is_empty());
        let (approved, undoes) =
            journaled.as_ref().map(|j| (j.approved, j.undoes.clone())).unwrap_or_default();
        let mut recorder = Self { journaled, course: Course::default(), gathered: Vec::new(), failure: None };
        recorder.gather(|| Event::Begin {
            rosterctl: env!("CARGO_PKG_VERSION").into(),
            target: plan.target.as_deref().map(Into::into),
            workspace: plan.workspace.as_deref().map(Into::into),
            digest: plan.digest.as_str().into(),
            approved,
            undoes,
            changes: plan.changeset.changes.len(),
        });
        recorder
    }

    /// A change is about to be sent, in just this form.
    pub(crate) fn intent(&mut self, number: usize, change: &Change) {
        self.gather(|| Event::Intent {
            change: number,
            kind: change.kind(),
            target: change.target().into(),
            name: change.name.clone(),
            before: change.before(),
            after: change.after(),
        });
    }

    /// A change is over. `created` is the id of what it has created.
    pub(crate) fn outcome(&mut self, number: usize, change: &Change, ending: &Ending, created: Option<&str>) {
        self.gather(|| {
            let text = |text: &str| Some(text.into());
            let (ending, detail) = match ending {
                Ending::Took { remark } => (EndingKind::Took, remark.as_deref().and_then(text)),
                Ending::Pending { what } => (EndingKind::Pending, text(what)),
                Ending::WithoutEffect { what } => (EndingKind::WithoutEffect, text(what)),
                Ending::Refused { why, may_have_written: true } => (EndingKind::Doubtful, text(why)),
                Ending::Refused { why, may_have_written: false } => (EndingKind::Refused, text(why)),
                Ending::Skipped { why } => {
                    return Event::Skipped {
                        change: number,
                        kind: change.kind(),
                        target: change.target().into(),
                        name: change.name.clone(),
                        why: why.as_str().into(),
                    };
                }
            };
            Event::Outcome { change: number, ending, detail, id: created.map(Into::into) }
        });
    }

    /// The run is over, as `report` has it.
    pub(crate) fn end(&mut self, report: &RunReport) {
        self.gather(|| Event::End {
            success: report.is_success(),
            read_back: match report.read_back {
                ReadBack::InSync => ReadBackKind::InSync,
                ReadBack::Differs(_) => ReadBackKind::Differs,
                ReadBack::Unknown(_) => ReadBackKind::Unknown,
            },
            stopped: report.stopped.as_ref().map(|stopped| stopped.to_string().into()),
        });
    }

    fn gather(&mut self, event: impl FnOnce() -> Event) {
        let Some(journaled) = &self.journaled else { return };
        let now = (journaled.clock)();
        // Finer than a millisecond, a time is only harder to read.
        let at = Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now);
        let record = Record { v: FORMAT, at, run: journaled.run.clone(), event: event() };
        // A record that no reader would take must not be written: it would spoil what stands before it.
        match self.course.step(&record) {
            Ok(()) => self.gathered.push(record),
            Err(why) => self.fail(why.to_string()),
        }
    }

    /// Has everything written that was gathered. `false` when the journal has failed, now or before.
    pub(crate) fn commit(&mut self) -> bool {
        if let Some(journaled) = &self.journaled
            && !self.gathered.is_empty()
        {
            match journaled.journal.append(&self.gathered) {
                Ok(()) => self.gathered.clear(),
                Err(error) => self.fail(error.to_string()),
            }
        }
        self.failure.is_none()
    }

    fn fail(&mut self, why: String) {
        self.journaled = None;
        self.gathered.clear();
        self.failure.get_or_insert(why);
    }

    /// Why the journal has failed, if it has.
    pub(crate) fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }
}
