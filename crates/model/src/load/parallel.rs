//! Several files of a roster at a time.
//!
//! Each file is read as if it were the only one, and the results are put together in the order of the files. Whatever
//! might depend on the files before it (more findings than are kept, more nodes than a roster may have, a section that
//! another file has) is read once more in its turn, so that the outcome is the same as that of reading one by one.

use super::file::{Gathered, roster_file};
use super::findings::Findings;
use super::limits::MAX_NODES;
use super::node::Budget;
use crate::place::{Source, SourceId};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::thread;

/// The most files that are read at a time. What a hostile file makes the parser keep
/// ([`MAX_LOOKAHEAD`](super::limits::MAX_LOOKAHEAD)) is multiplied by it.
const MAX_THREADS: usize = 4;

/// Below so many bytes a roster is read before a second thread has begun.
const WORTH_A_THREAD: usize = 256 << 10;

/// What one file says, read alone.
struct Part {
    gathered: Gathered,
    findings: Findings,
    budget: Budget,
}

/// How many files of a roster it is best to read at a time.
pub(super) fn threads(files: &[Source]) -> usize {
    let size: usize = files.iter().map(|source| source.text.len()).sum();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    if size < WORTH_A_THREAD { 1 } else { cores.min(MAX_THREADS).min(files.len()) }
}

/// Reads the files of a roster into `gathered`, so many at a time.
pub(super) fn roster_files(
    files: &[(SourceId, &Source)],
    threads: usize,
    gathered: &mut Gathered,
    findings: &mut Findings,
    budget: &mut Budget,
) {
    if threads < 2 {
        for (id, source) in files {
            roster_file(*id, source, gathered, findings, budget);
        }
        return;
    }
    // The pool is one for all, so that files read beside each other take no more memory than one after another.
    let pool = Arc::new(AtomicU64::new(MAX_NODES));
    let next = AtomicUsize::new(0);
    let (sender, parts) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..threads {
            let (sender, pool, next) = (sender.clone(), &pool, &next);
            let reading = move || {
                while let at = next.fetch_add(1, Relaxed)
                    && let Some((id, source)) = files.get(at)
                    && sender.send((at, Part::read(*id, source, pool))).is_ok()
                {}
            };
            // Where there is no thread to be had, the file is read below like those that cannot be read alone.
            drop(thread::Builder::new().spawn_scoped(scope, reading));
        }
        drop(sender);
        in_order(parts, files.len(), |at, part| {
            let Some((id, source)) = files.get(at) else { return };
            if !part.is_some_and(|part| part.join(gathered, findings, budget)) {
                roster_file(*id, source, gathered, findings, budget);
            }
        });
    });
}

/// Hands on what comes in any order in the order of its numbers; `None` for what never came.
fn in_order(parts: mpsc::Receiver<(usize, Part)>, count: usize, mut take: impl FnMut(usize, Option<Part>)) {
    let mut early: Vec<Option<Part>> = (0..count).map(|_| None).collect();
    let mut due = 0;
    for (at, part) in parts {
        if let Some(place) = early.get_mut(at) {
            *place = Some(part);
        }
        while let Some(part) = early.get_mut(due).and_then(Option::take) {
            take(due, Some(part));
            due += 1;
        }
    }
    for at in due..count {
        take(at, early.get_mut(at).and_then(Option::take));
    }
}

impl Part {
    fn read(id: SourceId, source: &Source, pool: &Arc<AtomicU64>) -> Self {
        let mut part = Self {
            gathered: Gathered::default(),
            findings: Findings::default(),
            budget: Budget::of(Arc::clone(pool)),
        };
        roster_file(id, source, &mut part.gathered, &mut part.findings, &mut part.budget);
        part
    }

    /// Adds the part to what the files before it say; `false`, and nothing is added, when it may depend on them.
    fn join(self, gathered: &mut Gathered, findings: &mut Findings, budget: &mut Budget) -> bool {
        let Self { gathered: said, findings: found, budget: own } = self;
        let Some(taken) = own.taken().filter(|taken| *taken <= budget.left()) else { return false };
        if !gathered.can_absorb(&said) || !findings.can_absorb(&found) {
            return false;
        }
        gathered.absorb(said);
        findings.absorb(found);
        budget.take(taken)
    }
}
