//! `rosterctl daemon`.

mod log;
mod signals;

use super::{Outcome, mistaken, read_files, runtime};
use crate::arguments::{DaemonArguments, Format};
use crate::failure::{Exit, Failure};
use crate::journal::{self, Length, Overtaken, Recording};
use crate::lock::{Lock, LockError};
use crate::target::Connector;
use crate::terminal::Terminal;
use jiff::Timestamp;
use log::Log;
use model::roster::Roster;
use reconciler::daemon::{
    Broken, Connection, Daemon, Ended, Environment, MIN_INTERVAL, NoTurn, Trouble, Turn,
};
use reconciler::guard::Recent;
use reconciler::journal::{Journaled, OpenError};
use reconciler::source::{Files, SourceError};
use scim_adapter::Writer;
use signals::Signals;
use std::hash::{BuildHasher as _, RandomState};
use std::path::Path;
use std::sync::Arc;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

pub(super) fn run(terminal: Terminal, arguments: &DaemonArguments) -> Outcome {
    if *arguments.interval < MIN_INTERVAL {
        let least = humantime::format_duration(MIN_INTERVAL);
        return Err(Failure::usage(format!("--interval {} is too short", arguments.interval))
            .hint(format!("the shortest is {least}; 10m is a good one")));
    }
    runtime()?.block_on(keep(terminal, arguments))
}

async fn keep(terminal: Terminal, arguments: &DaemonArguments) -> Outcome {
    // Before anything else: the first process of a container has nobody who would end it otherwise.
    let signals = Signals::catch()?;
    let connector = Connector::new(&arguments.target).await?;
    // A command line that can never work is an error now; what may pass is one of the round that meets it.
    let target = connector.connect()?;
    drop(arguments.journal.journal.as_deref().map(journal::read).transpose()?);
    let daemon = Daemon {
        interval: *arguments.interval,
        timeout: arguments.target.timeout.map(|limit| *limit),
        seed: chance(),
        stop: CancellationToken::new(),
        wake: Arc::new(Notify::new()),
    };
    let mut log = Log::new(terminal, daemon.stop.clone());
    log.begin(arguments, target.url());
    drop(target);
    tokio::spawn(signals.obey(terminal, daemon.stop.clone(), Arc::clone(&daemon.wake)));
    let mut here = Here { arguments, connector };
    let ended = daemon.run(&mut here, |event| log.tell(&event)).await;
    let heard = log.end();
    let exit = match ended {
        Ok(Ended::Clean) => Exit::Done,
        Ok(Ended::Unconfirmed) => Exit::Unconfirmed,
        Err(Broken::Mistaken(rejected)) => return Err(mistaken(terminal, Format::Text, *rejected)?),
        Err(broken @ (Broken::Unreadable(_) | Broken::Restless)) => return Err(broken.into()),
    };
    heard.map(|()| exit).map_err(|error| {
        let error = anyhow::Error::from(error).context("what the daemon says could not be written");
        let hint = "it has ended, because it changes nothing that nobody can read of";
        Failure { exit: exit.or_error(), error, hint: None }.hint(hint)
    })
}

/// A number that the operating system's source of chance has a part in.
fn chance() -> u64 {
    RandomState::new().hash_one(0)
}

/// This machine, and the service that the command line names.
struct Here<'a> {
    arguments: &'a DaemonArguments,
    connector: Connector<'a>,
}

impl<'a> Environment for Here<'a> {
    type Turn = LiveTurn<'a>;

    fn files(&mut self) -> Result<Files, SourceError> {
        read_files(&self.arguments.roster)
    }

    fn connect(&mut self) -> Result<Connection, Trouble> {
        let target = self.connector.connect().map_err(trouble)?;
        let reader = target.reader().clone();
        // This is the only place of the daemon that makes a writer.
        let writer = (!self.arguments.observe).then(|| Writer::new(reader.clone()));
        Ok(Connection { reader, writer, target: target.url().map(str::to_owned) })
    }

    fn take_turn(&mut self, roster: &Roster) -> Result<LiveTurn<'a>, NoTurn> {
        // Nobody else knows the simulator inside this process.
        let lock = match &self.arguments.target.simulate {
            Some(_) => None,
            None => Some(take_lock(self.arguments, roster)?),
        };
        let seen = self.journal().map(Length::of).unwrap_or_default();
        Ok(LiveTurn { _lock: lock, journal: self.journal(), seen, recording: None })
    }

    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn recent(&mut self, target: Option<&str>, workspace: Option<&str>) -> Result<Recent, Trouble> {
        journal::recent(self.journal(), target, workspace, self.now()).map_err(trouble)
    }
}

impl<'a> Here<'a> {
    fn journal(&self) -> Option<&'a Path> {
        self.arguments.journal.journal.as_deref()
    }
}

/// The lock of this machine, and the journal of the run.
struct LiveTurn<'a> {
    _lock: Option<Lock>,
    journal: Option<&'a Path>,
    /// How long it was when the round began.
    seen: Length,
    /// Nobody else can append to a journal as long as this is kept, so it is opened only for a run.
    recording: Option<Recording>,
}

impl Turn for LiveTurn<'_> {
    fn journaled(&mut self) -> Result<Option<Journaled<'_>>, NoTurn> {
        let Some(path) = self.journal else { return Ok(None) };
        let recording = Recording::open(path, self.seen).map_err(|failure| {
            let is_in_use = matches!(failure.error.downcast_ref(), Some(OpenError::InUse));
            if is_in_use || failure.error.is::<Overtaken>() {
                NoTurn::Busy(failure.sentence())
            } else {
                NoTurn::Failed(trouble(failure))
            }
        })?;
        // A daemon has nobody who could approve anything.
        Ok(Some(self.recording.insert(recording).journaled(false, None)))
    }
}

fn take_lock(arguments: &DaemonArguments, roster: &Roster) -> Result<Lock, NoTurn> {
    let workspace = roster.workspace.as_ref().map(|name| &*name.value);
    Lock::take(arguments.target.target.as_str(), workspace, "daemon").map_err(|error| match error {
        LockError::Held { .. } => NoTurn::Busy(error.to_string()),
        LockError::Io { .. } | LockError::NotAFile(_) => {
            let hint = error.hint();
            NoTurn::Failed(trouble(Failure::from(error).hint(hint)))
        }
    })
}

fn trouble(failure: Failure) -> Trouble {
    Trouble { why: failure.sentence(), hint: failure.hint }
}
