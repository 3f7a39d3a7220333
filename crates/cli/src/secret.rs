//! The token as what must not be read by mistake: a roster is quoted where it is wrong, and one that leads to the token,
//! by a link to its file or to the environment of the process, would have it quoted.

use crate::arguments::{Command, TargetArguments};
use crate::target::TOKEN_VARIABLE;
use model::load::MAX_FILE_BYTES;
use model::place::Source;
use reconciler::source::{self, Files, SourceError};
use secrecy::{ExposeSecret, SecretString};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::OnceLock;

/// What is shorter than this is nobody's token, and may well stand in a roster.
const SHORTEST: usize = 8;

static TOKENS: OnceLock<Vec<SecretString>> = OnceLock::new();

/// What came out of a token file that is a pipe, and that nobody can read again: `--token-file <(vault read …)`.
static PIPED: OnceLock<SecretString> = OnceLock::new();

/// Takes note of the tokens that this process has been given, before any file of the person's is read.
pub(crate) fn remember(command: &Command) {
    let given = std::env::var(TOKEN_VARIABLE).ok();
    let file = target_of(command).and_then(|target| target.token_file.as_deref());
    let kept = file.and_then(|path| read(path).ok());
    if let (Some(text), Some(false)) = (&kept, file.map(Path::is_file)) {
        // Only the first call counts, and there is but one.
        drop(PIPED.set(SecretString::from(text.as_str())));
    }
    let tokens = [given, kept].into_iter().flatten().map(|token| token.trim().to_owned());
    let tokens = tokens.filter(|token| token.len() >= SHORTEST).map(SecretString::from).collect();
    // Only the first call counts, and there is but one.
    drop(TOKENS.set(tokens));
}

/// The text of the token file: as it is now, so that one that was exchanged is picked up, unless it is a pipe.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn token_file(path: &Path) -> io::Result<SecretString> {
    PIPED.get().cloned().map_or_else(|| Ok(SecretString::from(read(path)?)), Ok)
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MAX_FILE_BYTES as u64).read_to_string(&mut text)?;
    Ok(text)
}

fn target_of(command: &Command) -> Option<&TargetArguments> {
    match command {
        Command::Plan(arguments) => Some(&arguments.target),
        Command::Apply(arguments) => Some(&arguments.target),
        Command::Daemon(arguments) => Some(&arguments.target),
        Command::Revert(arguments) => Some(&arguments.target),
        Command::Snapshot(arguments) => Some(&arguments.target),
        Command::Validate(_)
        | Command::History(_)
        | Command::Sim(_)
        | Command::Schema
        | Command::Completions { .. }
        | Command::Man => None,
    }
}

/// Reads the files of a roster.
///
/// # Errors
/// As [`Files::read`], and where the token stands in one of them.
pub(crate) fn read_files(roster: &Path, policy: Option<&Path>) -> Result<Files, SourceError> {
    let files = Files::read(roster, policy)?;
    files.roster.iter().chain(&files.policy).try_for_each(refuse)?;
    Ok(files)
}

/// Reads one file that may be quoted.
///
/// # Errors
/// As [`source::read_file`], and where the token stands in it.
pub(crate) fn read_file(path: &Path) -> Result<Source, SourceError> {
    let file = source::read_file(path)?;
    refuse(&file)?;
    Ok(file)
}

fn refuse(file: &Source) -> Result<(), SourceError> {
    let tokens = TOKENS.get().map(Vec::as_slice).unwrap_or_default();
    if tokens.iter().any(|token| file.text.contains(token.expose_secret())) {
        let error = io::Error::other("the token stands in it, and what a roster holds may be shown");
        return Err(SourceError::Io { path: file.path.clone(), error });
    }
    Ok(())
}
