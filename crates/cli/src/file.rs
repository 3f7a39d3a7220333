//! Reading and writing files that matter.

use crate::failure::Failure;
use anyhow::Context as _;
use std::fs::File;
use std::io::{BufWriter, Read as _, Write as _};
use std::path::Path;

/// Reads a file as text, if it has at most so many bytes.
pub(crate) fn read_text(path: &Path, limit: usize) -> Result<String, Failure> {
    let context = || format!("cannot read {}", path.display());
    let file = File::open(path).with_context(context)?;
    let mut bytes = Vec::new();
    // Reading stops just past the limit, so that a device or a growing file cannot fill the memory.
    file.take(limit as u64 + 1).read_to_end(&mut bytes).with_context(context)?;
    if bytes.len() > limit {
        return Err(anyhow::anyhow!("{} is larger than {} MiB", path.display(), limit >> 20).into());
    }
    String::from_utf8(bytes).map_err(|_| anyhow::anyhow!("{} is not UTF-8 text", path.display()).into())
}

/// Writes a file that is there whole or not at all, readable by its owner only: snapshots and
/// plans hold personal data.
pub(crate) fn write_whole(
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
