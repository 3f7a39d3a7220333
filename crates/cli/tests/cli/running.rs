//! Commands that go on while a test does something, and a service that answers when the test lets it.

use crate::env::{CANARY, Env, Served, Workspace, serve};
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use http::Method;
use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How long anything may take that is waited for. Far longer than it takes, since machines that test are busy.
const PATIENCE: Duration = Duration::from_mins(1);

/// Waits until `condition` holds.
#[track_caller]
pub(crate) fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "never came about: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A running command with what it has written so far; it is killed when dropped.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Running {
    pub(crate) fn start(env: &Env, arguments: &[&str]) -> Self {
        Self::spawn(&mut env.command(arguments))
    }

    pub(crate) fn spawn(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = mpsc::channel();
        let seen = Arc::default();
        collect(child.stdout.take().unwrap(), sender.clone(), Arc::clone(&seen));
        collect(child.stderr.take().unwrap(), sender, Arc::clone(&seen));
        Self { child, lines, seen }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line that has all of `parts` in it, passing over those before it.
    #[track_caller]
    pub(crate) fn expect_line(&self, parts: &[&str]) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) if parts.iter().all(|part| line.contains(part)) => return line,
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("no line with {parts:?} came:\n{}", self.output())
                }
            }
        }
    }

    /// Everything it has written so far.
    pub(crate) fn output(&self) -> String {
        self.seen.lock().unwrap().join("\n")
    }

    #[cfg(unix)]
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for its end, which must have this code, and returns all that it has written.
    #[track_caller]
    pub(crate) fn expect_end(self, code: i32) -> String {
        self.expect_end_or_signal(Some(code))
    }

    /// The same for a process that the system may have ended, which gives no code.
    #[track_caller]
    pub(crate) fn expect_end_or_signal(mut self, code: Option<i32>) -> String {
        let mut status = None;
        until("the end of the process", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        while self.lines.recv_timeout(PATIENCE).is_ok() {}
        let output = self.output();
        assert_eq!(status.unwrap().code(), code, "{output}");
        assert!(!output.contains(CANARY), "the token was shown: {output}");
        output
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn collect(stream: impl Read + Send + 'static, sender: mpsc::Sender<String>, seen: Arc<Mutex<Vec<String>>>) {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            seen.lock().unwrap().push(line.clone());
            drop(sender.send(line));
        }
    });
}

/// A door before a simulated workspace at which requests wait while it is shut.
pub(crate) struct Gate {
    /// What `--target` takes.
    pub(crate) target: String,
    shut_for: watch::Sender<Option<Method>>,
    waiting: Arc<watch::Sender<usize>>,
    _served: Served,
}

impl Gate {
    pub(crate) fn before(workspace: &Workspace) -> Self {
        let (shut_for, _) = watch::channel(None);
        let waiting = Arc::new(watch::Sender::new(0));
        let (shut, counter) = (shut_for.clone(), Arc::clone(&waiting));
        let pass = move |request: Request, next: Next| {
            let (mut shut, counter) = (shut.subscribe(), Arc::clone(&counter));
            async move {
                let method = request.method().clone();
                if shut.borrow().as_ref() == Some(&method) {
                    counter.send_modify(|n| *n += 1);
                    drop(shut.wait_for(|shut| shut.as_ref() != Some(&method)).await.map(drop));
                    counter.send_modify(|n| *n -= 1);
                }
                next.run(request).await
            }
        };
        let served = serve(workspace.simulator.router().layer(from_fn(pass)));
        Self { target: format!("{}/scim/v2", served.origin), shut_for, waiting, _served: served }
    }

    /// Lets no request of this method through from here on.
    pub(crate) fn shut(&self, method: Method) {
        self.shut_for.send_replace(Some(method));
    }

    pub(crate) fn open(&self) {
        self.shut_for.send_replace(None);
    }

    /// Waits until somebody waits.
    #[track_caller]
    pub(crate) fn expect_visitor(&self) {
        until("a request at the gate", || *self.waiting.borrow() > 0);
    }
}
