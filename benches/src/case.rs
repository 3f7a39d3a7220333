//! What is measured.

use crate::cost::{Cost, measure, measure_daemon};
use crate::service::Service;
use crate::world::{Form, World};
use anyhow::{Context as _, Result};
use std::path::Path;
use std::process::Command;

/// Guards stopped it: the exit code of rosterctl.
const BLOCKED: i32 = 3;

/// How many rounds of the daemon are measured together.
const ROUNDS: u32 = 4;

/// A case: what is done, and with which form of the roster.
#[derive(Debug)]
pub(crate) struct Case {
    /// What it is called in the table.
    pub(crate) name: &'static str,
    pub(crate) form: Form,
    work: Work,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    /// The peer parses the roster.
    Peer,
    Validate,
    /// Plans against this snapshot and prints the plan.
    Plan(&'static str),
    /// The same, and saves the plan.
    Save(&'static str),
    /// Reads the saved plan of this snapshot, and the directory over HTTP, and is stopped by a guard.
    Judge(&'static str),
    /// Plans over HTTP, against a workspace that is in sync.
    PlanOverHttp,
    /// Rounds of the daemon over HTTP, against a workspace that is in sync.
    Daemon,
}

const fn case(form: Form, name: &'static str, work: Work) -> Case {
    Case { name, form, work }
}

/// All cases, in the order of the table. A peer stands before those that are compared with it.
pub(crate) const CASES: &[Case] = &[
    case(Form::File, "serde_yaml 0.9, one file", Work::Peer),
    case(Form::File, "validate, one file", Work::Validate),
    case(Form::File, "plan --against, one file, in sync", Work::Plan("in-sync")),
    case(Form::File, "plan --against, one file, 2 % changed", Work::Plan("changed")),
    case(Form::File, "plan over HTTP, one file, in sync", Work::PlanOverHttp),
    case(Form::File, "a daemon's round, one file, in sync", Work::Daemon),
    case(Form::File, "first import: plan --against", Work::Plan("first-import")),
    case(Form::File, "first import: plan --against --out", Work::Save("first-import")),
    case(Form::Guarded, "first import: apply --plan, blocked", Work::Judge("first-import")),
    case(Form::File, "every group: plan --against", Work::Plan("every-group")),
    case(Form::File, "every group: plan --against --out", Work::Save("every-group")),
    case(Form::Guarded, "every group: apply --plan, blocked", Work::Judge("every-group")),
    case(Form::Folder, "serde_yaml 0.9, a folder", Work::Peer),
    case(Form::Folder, "validate, a folder", Work::Validate),
    case(Form::Folder, "plan --against, a folder, in sync", Work::Plan("in-sync")),
    case(Form::Folder, "plan --against, a folder, 2 % changed", Work::Plan("changed")),
    case(Form::Folder, "plan over HTTP, a folder, in sync", Work::PlanOverHttp),
];

impl Case {
    /// Whether it is what others are compared with.
    pub(crate) fn is_peer(&self) -> bool {
        self.work == Work::Peer
    }

    /// The snapshot that a simulator must serve for it.
    pub(crate) fn served(&self) -> Option<&'static str> {
        match self.work {
            Work::PlanOverHttp | Work::Daemon => Some("in-sync"),
            Work::Judge(snapshot) => Some(snapshot),
            Work::Peer | Work::Validate | Work::Plan(_) | Work::Save(_) => None,
        }
    }

    /// The snapshot whose plan must have been saved before.
    pub(crate) fn saved(&self) -> Option<&'static str> {
        match self.work {
            Work::Judge(snapshot) => Some(snapshot),
            _ => None,
        }
    }

    /// Runs it once.
    pub(crate) fn run(&self, world: &World, program: &Path, service: Option<&Service>) -> Result<Cost> {
        let mut command = self.command(world, program, service)?;
        match self.work {
            Work::Daemon => measure_daemon(&mut command, ROUNDS),
            Work::Judge(_) => measure(&mut command, BLOCKED),
            _ => measure(&mut command, 0),
        }
    }

    /// The command that it is.
    ///
    /// # Errors
    /// When it needs a service and none is given.
    pub(crate) fn command(
        &self,
        world: &World,
        program: &Path,
        service: Option<&Service>,
    ) -> Result<Command> {
        let roster = world.roster(self.form);
        let url = || service.map(Service::url).context("no simulator");
        if self.work == Work::Peer {
            let mut command = Command::new(std::env::current_exe()?);
            command.arg("peer").arg(roster);
            return Ok(command);
        }
        let mut command = Command::new(program);
        // The lock of `apply` and of the daemon lies in the folder for temporary files.
        command.env("SLACK_SCIM_TOKEN", "xoxp-bench").env("TMPDIR", &world.folder);
        match self.work {
            Work::Peer => {}
            Work::Validate => {
                command.arg("validate");
            }
            Work::Plan(snapshot) => {
                command.args(["plan", "--against"]).arg(world.snapshot(snapshot));
            }
            Work::Save(snapshot) => {
                command.args(["plan", "--against"]).arg(world.snapshot(snapshot));
                command.arg("--out").arg(world.plan(snapshot));
            }
            Work::Judge(snapshot) => {
                command.args(["apply", "--target", url()?, "--plan"]).arg(world.plan(snapshot));
            }
            Work::PlanOverHttp => {
                command.args(["plan", "--target", url()?]);
            }
            Work::Daemon => {
                command.args(["daemon", "--interval", "1s", "--target", url()?]);
            }
        }
        command.arg(roster);
        Ok(command)
    }
}

/// The case that saves the plan against this snapshot.
pub(crate) fn saving(snapshot: &str) -> Option<&'static Case> {
    CASES.iter().find(|case| matches!(case.work, Work::Save(other) if other == snapshot))
}
