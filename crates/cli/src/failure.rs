//! How commands end: exit codes (design §7), and errors as people see them.

use std::process::ExitCode;

/// The exit codes of design §7.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done = 0,
    /// An error, or the person said no.
    Error = 1,
    /// Changes are pending; only with `plan --detailed-exitcode`.
    Pending = 2,
    /// A guard blocks the plan.
    Blocked = 3,
    /// Something was written, and not all of it is confirmed.
    Unconfirmed = 4,
    /// The saved plan no longer fits what is there; nothing was written.
    Stale = 5,
    /// The command line is wrong.
    Usage = 64,
}

impl Exit {
    /// The same, or an error where there was none: for what went wrong after all was done.
    pub(crate) fn or_error(self) -> Self {
        if self == Self::Done { Self::Error } else { self }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// An error that ends a command.
#[derive(Debug)]
pub(crate) struct Failure {
    /// How the process ends.
    pub(crate) exit: Exit,
    /// What happened; its causes are shown below it.
    pub(crate) error: anyhow::Error,
    /// What to do now.
    pub(crate) hint: Option<String>,
}

impl Failure {
    /// A mistake on the command line.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, error: anyhow::anyhow!(message.into()), hint: None }
    }

    /// What happened with its causes, as one sentence without a full stop.
    pub(crate) fn sentence(&self) -> String {
        let mut text = self.error.to_string();
        for cause in self.error.chain().skip(1) {
            let cause = cause.to_string();
            if !text.contains(&cause) {
                text = format!("{text}: {cause}");
            }
        }
        text
    }

    /// The same with a remedy.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { exit: Exit::Error, error: error.into(), hint: None }
    }
}
