//! A hermetic place to run the binary in: no variables of the machine, a folder of its own, a fixed width, and services
//! on loopback ports.

use axum::Router;
use slack_sim::{Seed, Simulator, Switches};
use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// A token that must never be seen anywhere.
pub(crate) const CANARY: &str = "xoxp-canary-7f3e91";

/// A place to run in.
pub(crate) struct Env {
    folder: tempfile::TempDir,
    token: Option<&'static str>,
}

/// What a run of the binary left behind.
#[derive(Debug)]
#[must_use]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Env {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), token: Some(CANARY) }
    }

    /// The same without a token.
    pub(crate) fn without_token(self) -> Self {
        Self { token: None, ..self }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file below the folder in which the binary runs.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// The command, not started.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rosterctl"));
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        command.env_clear().env("NO_COLOR", "1").env("COLUMNS", "110").env("HOME", self.folder.path());
        command.env("TMPDIR", self.folder.path());
        if let Some(token) = self.token {
            command.env("SLACK_SCIM_TOKEN", token);
        }
        command
    }

    /// Runs the binary to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Self::finish(&mut self.command(arguments))
    }

    /// Runs the binary to its end in another folder.
    pub(crate) fn run_in(&self, folder: &Path, arguments: &[&str]) -> Ran {
        Self::finish(self.command(arguments).current_dir(folder))
    }

    /// Runs another program to its end, with these variables besides.
    pub(crate) fn run_script(&self, command: &[&str], variables: &[(&str, &str)]) -> Ran {
        let mut program = Command::new(command[0]);
        program.args(&command[1..]).current_dir(self.folder.path()).stdin(Stdio::null());
        let own = self.command(&[]);
        program.env_clear().envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))));
        Self::finish(program.envs(variables.iter().copied()))
    }

    /// Runs the binary to its end with a standard output that nobody reads any more.
    pub(crate) fn run_unread(&self, arguments: &[&str]) -> Ran {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let child = self.command(arguments).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
        Self::ran(child.wait_with_output().unwrap())
    }

    fn finish(command: &mut Command) -> Ran {
        Self::ran(command.output().unwrap())
    }

    fn ran(output: Output) -> Ran {
        let ran = Ran {
            code: output.status.code().expect("killed by a signal"),
            stdout: String::from_utf8(output.stdout).expect("stdout is text"),
            stderr: String::from_utf8(output.stderr).expect("stderr is text"),
        };
        assert!(!ran.stdout.contains(CANARY) && !ran.stderr.contains(CANARY), "the token was shown: {ran:?}");
        ran
    }

    /// The command lines with what they print and how they end, as a person would see them; ports and folders masked.
    pub(crate) fn transcript(&self, commands: &[&[&str]]) -> String {
        let mut text = String::new();
        for arguments in commands {
            let Ran { code, stdout, stderr } = self.run(arguments);
            writeln!(text, "$ rosterctl {}", arguments.join(" ")).unwrap();
            write!(text, "{stdout}").unwrap();
            for line in stderr.lines() {
                writeln!(text, "{}", format!("! {line}").trim_end()).unwrap();
            }
            writeln!(text, "[exit {code}]\n").unwrap();
        }
        // Systems number their errors differently.
        let text = text.replace("(os error 111)", "(os error N)").replace("(os error 61)", "(os error N)");
        mask_ports(&text.replace(&*self.folder.path().to_string_lossy(), "[FOLDER]"))
    }
}

impl Ran {
    /// Asserts how it ended.
    #[track_caller]
    pub(crate) fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }
}

/// `127.0.0.1:PORT` in the place of every loopback address with its port.
pub(crate) fn mask_ports(text: &str) -> String {
    let mut masked = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("127.0.0.1:") {
        let (before, found) = rest.split_at(at);
        let digits = found["127.0.0.1:".len()..].chars().take_while(char::is_ascii_digit).count();
        masked.push_str(before);
        masked.push_str("127.0.0.1:PORT");
        rest = &found["127.0.0.1:".len() + digits..];
    }
    masked + rest
}

/// A service on a loopback port, as long as it is kept.
pub(crate) struct Served {
    /// The port's `http://…`, without a path.
    pub(crate) origin: String,
    _runtime: Runtime,
}

/// Serves any router.
pub(crate) fn serve(router: Router) -> Served {
    let runtime = runtime();
    let address = runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    });
    Served { origin: format!("http://{address}"), _runtime: runtime }
}

/// A simulated workspace on a loopback port.
pub(crate) struct Workspace {
    /// What `--target` takes.
    pub(crate) target: String,
    pub(crate) simulator: Simulator,
    _runtime: Runtime,
}

/// Serves a simulator that takes no other token than [`CANARY`].
pub(crate) fn workspace(seed: &str, set: &[(&str, &str)]) -> Workspace {
    let mut switches = Switches::default();
    for (name, value) in set {
        switches.set(name, value).unwrap();
    }
    let seed = Seed::parse(seed).unwrap();
    let runtime = runtime();
    let (simulator, address) = runtime.block_on(async {
        let simulator = Simulator::new(&seed, switches).unwrap().with_token(CANARY);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        tokio::spawn(simulator.clone().serve(listener, std::future::pending()));
        (simulator, address)
    });
    Workspace { target: format!("http://{address}/scim/v2"), simulator, _runtime: runtime }
}

impl Workspace {
    /// Asserts that nobody has tried to write.
    #[track_caller]
    pub(crate) fn expect_untouched(&self) {
        let writes: Vec<_> = self
            .simulator
            .requests()
            .into_iter()
            .filter(|request| request.method != http::Method::GET)
            .collect();
        assert!(writes.is_empty(), "something was written: {writes:?}");
    }

    /// Asserts that nobody has asked for anything.
    #[track_caller]
    pub(crate) fn expect_unasked(&self) {
        assert!(self.simulator.requests().is_empty(), "{:?}", self.simulator.requests());
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// The root of the repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_path_buf()
}
