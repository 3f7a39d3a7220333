//! `rosterctl snapshot`.

use super::{Outcome, runtime};
use crate::arguments::SnapshotArguments;
use crate::failure::Exit;
use crate::file::write_whole;
use crate::target;
use crate::terminal::{Terminal, unless_unread};
use anyhow::Context as _;
use reconciler::snapshot::{self, Snapshot};
use report::harmless;
use std::io::{self, BufWriter, Write};

pub(super) fn run(terminal: Terminal, arguments: &SnapshotArguments) -> Outcome {
    runtime()?.block_on(async {
        let target = target::connect(&arguments.target).await?;
        let directory = target.read(terminal).await?;
        let url = target.url().map(str::to_owned);
        let snapshot = if arguments.redact {
            Snapshot::redacted(&directory, url)
        } else {
            Snapshot::whole(directory, url)
        };
        let write = |out: &mut dyn Write| -> io::Result<()> {
            snapshot::write(&snapshot, out, |out, value| harmless::write_json(out, value))
        };
        match &arguments.out {
            None => {
                let mut out = BufWriter::new(io::stdout().lock());
                unless_unread(write(&mut out).and_then(|()| out.flush()))?;
            }
            Some(path) => {
                write_whole(path, write).with_context(|| format!("cannot write {}", path.display()))?;
                terminal.status(&format!(
                    "Wrote {} users and {} groups to {}.\n",
                    snapshot.directory.users.len(),
                    snapshot.directory.groups.len(),
                    harmless::terminal(&path.display().to_string())
                ));
            }
        }
        Ok(Exit::Done)
    })
}
