//! The service a command talks to: a real one, or a simulator inside this process.

use crate::arguments::TargetArguments;
use crate::failure::Failure;
use crate::secret;
use crate::simulator;
use crate::terminal::Terminal;
use anyhow::Context as _;
use model::Dialect;
use model::directory::Directory;
use scim_adapter::{HttpOptions, HttpTransport, Pacer, Reader, Timeouts};
use secrecy::{ExposeSecret, SecretString};
use slack_sim::Switches;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::time::Instant;
use url::Url;

/// The variable that holds the token.
pub(crate) const TOKEN_VARIABLE: &str = "SLACK_SCIM_TOKEN";

/// A connection to a service.
pub(crate) struct Target {
    reader: Reader,
    url: String,
    simulated: bool,
    deadline: Option<Deadline>,
}

/// When to give up, and after how long that is.
struct Deadline {
    at: Instant,
    limit: humantime::Duration,
}

impl Deadline {
    /// `None` where it would be beyond all time.
    fn after(limit: humantime::Duration) -> Option<Self> {
        Some(Self { at: Instant::now().checked_add(*limit)?, limit })
    }

    /// Waits for a person, whose time is not the command's: the deadline is so much later afterwards.
    async fn aside<T>(&mut self, waiting: impl Future<Output = T>) -> T {
        let began = Instant::now();
        let answer = waiting.await;
        self.at = self.at.checked_add(began.elapsed()).unwrap_or(self.at);
        answer
    }
}

impl Target {
    /// The type that reads; a writer is made from it where one is called for.
    pub(crate) fn reader(&self) -> &Reader {
        &self.reader
    }

    /// The service's URL; none for a simulator, whose address means nothing to anybody.
    pub(crate) fn url(&self) -> Option<&str> {
        (!self.simulated).then_some(self.url.as_str())
    }

    /// Comes about when the time is up; never where there is no limit.
    pub(crate) fn timed_out(&self) -> impl Future<Output = ()> + Send + use<> {
        let deadline = self.deadline.as_ref().map(|deadline| deadline.at);
        async move {
            match deadline {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        }
    }

    /// Waits for a person, while the time that the command was given stands still.
    pub(crate) async fn aside<T>(&mut self, waiting: impl Future<Output = T>) -> T {
        match &mut self.deadline {
            Some(deadline) => deadline.aside(waiting).await,
            None => waiting.await,
        }
    }

    /// Reads the whole directory, showing that something is going on.
    pub(crate) async fn read(&self, terminal: Terminal) -> Result<Directory, Failure> {
        let spinner = terminal.spinner("reading the directory");
        let directory = tokio::select! {
            directory = self.reader.read_directory() => directory,
            () = self.timed_out() => {
                spinner.finish_and_clear();
                let limit = self.deadline.as_ref().map(|deadline| deadline.limit.to_string()).unwrap_or_default();
                return Err(anyhow::anyhow!("the directory could not be read within {limit}").into());
            }
        };
        spinner.finish_and_clear();
        directory.map_err(|error| {
            let hint = error.hint();
            Failure { hint, ..Failure::from(error) }
        })
    }
}

/// Connects to the service that the arguments name; no request is sent yet.
pub(crate) async fn connect(arguments: &TargetArguments) -> Result<Target, Failure> {
    Connector::new(arguments).await?.connect()
}

/// Makes connections to one service, any number one after the other. They keep one pace between them, and where the
/// service is a simulator, it is one and the same.
pub(crate) struct Connector<'a> {
    arguments: &'a TargetArguments,
    base: Url,
    pacer: Pacer,
}

impl<'a> Connector<'a> {
    /// Starts the simulator, if there is to be one.
    pub(crate) async fn new(arguments: &'a TargetArguments) -> Result<Self, Failure> {
        let dialect = Dialect::from(arguments.dialect);
        let base = match &arguments.simulate {
            Some(seed) => start_simulator(seed, dialect).await?,
            None => arguments.target.clone(),
        };
        let pacer = match dialect {
            Dialect::Slack => Pacer::slack(arguments.budget),
            Dialect::Rfc => Pacer::unlimited(),
        };
        Ok(Self { arguments, base, pacer })
    }

    /// A connection. Token and certificates are read anew for each, so that those that were exchanged are picked up.
    pub(crate) fn connect(&self) -> Result<Target, Failure> {
        let Self { arguments, base, pacer } = self;
        let simulated = arguments.simulate.is_some();
        let token = if simulated {
            // The embedded simulator takes any token, and this one is nobody's secret.
            SecretString::from("simulated")
        } else {
            read_token(arguments.token_file.as_deref())?
        };
        let ca_pem = arguments
            .ca_file
            .as_deref()
            .map(|path| std::fs::read(path).with_context(|| format!("cannot read {}", path.display())))
            .transpose()?;
        let options = HttpOptions { base: base.clone(), token, ca_pem, timeouts: Timeouts::default() };
        let transport = HttpTransport::new(&options).map_err(|error| Failure::usage(error.to_string()))?;
        let dialect = Dialect::from(arguments.dialect);
        let reader = Reader::new(Arc::new(transport), dialect, pacer.clone());
        let deadline = arguments.timeout.and_then(Deadline::after);
        Ok(Target { reader, url: base.to_string(), simulated, deadline })
    }
}

fn read_token(file: Option<&Path>) -> Result<SecretString, Failure> {
    let (token, from) = match file {
        Some(path) => {
            let text = secret::token_file(path).with_context(|| format!("cannot read {}", path.display()))?;
            (text, path.display().to_string())
        }
        None => match std::env::var(TOKEN_VARIABLE) {
            Ok(token) => (SecretString::from(token), TOKEN_VARIABLE.to_owned()),
            Err(std::env::VarError::NotPresent) => {
                return Err(Failure::usage("no token").hint(format!(
                    "set {TOKEN_VARIABLE} or give --token-file; the token is an OAuth user token with the scope `admin`"
                )));
            }
            Err(std::env::VarError::NotUnicode(_)) => {
                return Err(Failure::usage(format!("the token in {TOKEN_VARIABLE} is not text")));
            }
        },
    };
    let token = token.expose_secret().trim();
    if token.is_empty() {
        return Err(Failure::usage(format!("the token in {from} is empty")));
    }
    Ok(SecretString::from(token))
}

/// Serves a simulator on a loopback port of its own, over real HTTP, until the process ends.
async fn start_simulator(seed: &Path, dialect: Dialect) -> Result<Url, Failure> {
    let switches = if dialect == Dialect::Rfc { Switches::rfc() } else { Switches::default() };
    let simulator = simulator::new(Some(seed), switches)?;
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("cannot open a loopback port")?;
    let address = listener.local_addr().context("cannot tell the loopback port")?;
    tokio::spawn(async move {
        if let Err(error) = simulator.serve(listener, std::future::pending()).await {
            tracing::error!(%error, "the simulator stopped");
        }
    });
    Ok(Url::parse(&format!("http://{address}/scim/v2"))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn the_clock_stands_still_while_a_person_is_waited_for() {
        let mut deadline = Deadline::after(Duration::from_mins(1).into()).unwrap();
        let began = Instant::now();
        tokio::time::advance(Duration::from_secs(20)).await;
        deadline.aside(tokio::time::advance(Duration::from_hours(1))).await;
        assert_eq!(deadline.at, began + Duration::from_mins(1) + Duration::from_hours(1));
    }
}
