//! `rosterctl snapshot`.

use super::{Outcome, runtime};
use crate::arguments::SnapshotArguments;
use crate::failure::Exit;
use crate::target;
use crate::terminal::Terminal;
use anyhow::Context as _;
use reconciler::snapshot;
use report::harmless;
use std::io::{BufWriter, Write as _};
use std::path::Path;

pub(super) fn run(terminal: Terminal, arguments: &SnapshotArguments) -> Outcome {
    runtime()?.block_on(async {
        let target = target::connect(&arguments.target).await?;
        let directory = target.read(terminal).await?;
        match &arguments.out {
            None => {
                let mut out = BufWriter::new(std::io::stdout().lock());
                snapshot::write(&directory, target.url(), &mut out, |out, value| {
                    harmless::write_json(out, value)
                })?;
                out.flush()?;
            }
            Some(path) => {
                write_file(path, |out| {
                    snapshot::write(&directory, target.url(), out, |out, value| {
                        harmless::write_json(out, value)
                    })
                })
                .with_context(|| format!("cannot write {}", path.display()))?;
                terminal.status(&format!(
                    "Wrote {} users and {} groups to {}.\n",
                    directory.users.len(),
                    directory.groups.len(),
                    path.display()
                ));
            }
        }
        Ok(Exit::Done)
    })
}

/// Writes a file that is there whole or not at all, readable by its owner only: a snapshot holds personal data.
pub(super) fn write_file(
    path: &Path,
    content: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let file = tempfile::NamedTempFile::new_in(folder)?;
    let mut out = BufWriter::new(&file);
    content(&mut out)?;
    out.flush()?;
    drop(out);
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
