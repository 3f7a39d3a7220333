//! `rosterctl snapshot`.

use super::{Outcome, runtime};
use crate::arguments::SnapshotArguments;
use crate::failure::Exit;
use crate::file::write_whole;
use crate::target;
use crate::terminal::Terminal;
use anyhow::Context as _;
use reconciler::snapshot;
use report::harmless;
use std::io::{BufWriter, Write as _};

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
                write_whole(path, |out| {
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
