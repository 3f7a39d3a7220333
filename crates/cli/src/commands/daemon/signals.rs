//! What a running daemon is told by signals.

use super::log::say;
use crate::failure::{Exit, Failure};
use crate::terminal::Terminal;
use anyhow::Context as _;
use std::sync::Arc;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that the process catches from here on.
pub(super) struct Signals {
    #[cfg(unix)]
    interrupt: Signal,
    #[cfg(unix)]
    terminate: Signal,
    #[cfg(unix)]
    hang_up: Signal,
}

/// What is asked for.
enum Wish {
    End,
    Look,
}

impl Signals {
    #[cfg(unix)]
    pub(super) fn catch() -> Result<Self, Failure> {
        let catch = |kind| signal(kind).context("cannot catch signals");
        Ok(Self {
            interrupt: catch(SignalKind::interrupt())?,
            terminate: catch(SignalKind::terminate())?,
            hang_up: catch(SignalKind::hangup())?,
        })
    }

    #[cfg(not(unix))]
    pub(super) fn catch() -> Result<Self, Failure> {
        Ok(Self {})
    }

    #[cfg(unix)]
    async fn next(&mut self) -> Wish {
        tokio::select! {
            _ = self.interrupt.recv() => Wish::End,
            _ = self.terminate.recv() => Wish::End,
            _ = self.hang_up.recv() => Wish::Look,
        }
    }

    #[cfg(not(unix))]
    async fn next(&mut self) -> Wish {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Wish::End
    }

    /// The first SIGINT or SIGTERM lets what is under way end and starts nothing more; the second ends the process at
    /// once. SIGHUP begins a round now, as it makes other daemons look at their configuration.
    pub(super) async fn obey(mut self, terminal: Terminal, stop: CancellationToken, wake: Arc<Notify>) {
        loop {
            match self.next().await {
                Wish::Look => wake.notify_one(),
                Wish::End if !stop.is_cancelled() => {
                    let what = "Stopping: changes under way are finished, no more are started. A second signal aborts.";
                    drop(say(terminal, what));
                    stop.cancel();
                }
                Wish::End => {
                    let what = "Aborted. What was under way may or may not have reached the service.";
                    drop(say(terminal, what));
                    std::process::exit(Exit::Unconfirmed as i32);
                }
            }
        }
    }
}
