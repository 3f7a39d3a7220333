//! A journal in a file.

use crate::runs::{self, Came, Drawn, DrawnRun};
use model::ChangeKind;
use model::journal::{EndingKind, Record};
use reconciler::journal::{FileJournal, Journal, OpenError, ReadFileError, is_being_written, read_file};
use std::io::Write as _;
use std::path::Path;

fn write_record(out: &mut Vec<u8>, record: &Record) -> std::io::Result<()> {
    serde_json::to_writer(out, record).map_err(Into::into)
}

fn open(path: &Path) -> Result<FileJournal, OpenError> {
    FileJournal::open(path, write_record)
}

fn run(id: &str) -> Vec<Record> {
    let change = Drawn { kind: ChangeKind::DeactivateUser, who: 1, came: Came::To(EndingKind::Took) };
    let drawn = DrawnRun { changes: vec![change], ends: true, pause: 0, target: None, workspace: None };
    let mut records = runs::records(&[drawn], 0);
    for record in &mut records {
        record.run = id.into();
    }
    records
}

#[test]
fn runs_are_appended_one_after_another_and_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    assert_eq!(read_file(&path).unwrap(), None);
    for id in ["a", "b"] {
        let journal = open(&path).unwrap();
        for record in run(id) {
            journal.append(&[record]).unwrap();
        }
    }
    let history = read_file(&path).unwrap().unwrap();
    let ids: Vec<&str> = history.runs.iter().map(|run| &*run.id).collect();
    assert_eq!(ids, ["a", "b"]);
    assert!(history.runs.iter().all(|run| run.end.as_ref().is_some_and(|end| end.success)));
}

#[test]
fn a_line_that_is_cut_short_is_left_and_the_next_record_begins_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    open(&path).unwrap().append(&run("a")).unwrap();
    let mut torn = std::fs::read(&path).unwrap();
    torn.truncate(torn.len() - 20);
    std::fs::write(&path, &torn).unwrap();
    assert!(read_file(&path).unwrap().unwrap().torn);
    open(&path).unwrap().append(&run("b")).unwrap();
    let after = std::fs::read(&path).unwrap();
    assert!(after.starts_with(&torn), "something that stood in the file was changed");
    let history = read_file(&path).unwrap().unwrap();
    assert!(!history.torn);
    assert_eq!(history.runs.iter().map(|run| run.end.is_some()).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn one_process_at_a_time_appends_and_others_can_tell() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let first = open(&path).unwrap();
    assert!(matches!(open(&path), Err(OpenError::InUse)));
    assert!(is_being_written(&path));
    // Who only reads is not kept out.
    first.append(&run("a")).unwrap();
    assert_eq!(read_file(&path).unwrap().unwrap().runs.len(), 1);
    drop(first);
    assert!(!is_being_written(&path));
    open(&path).unwrap();
}

#[cfg(unix)]
#[test]
fn a_new_journal_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    drop(open(&path).unwrap());
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn what_is_no_journal_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    assert!(matches!(open(&path("no/such/journal")), Err(OpenError::NoFolder)));
    assert!(matches!(open(folder.path()), Err(OpenError::NotAFile)));
    assert!(matches!(read_file(folder.path()), Err(ReadFileError::Io(_))));
    for (name, content) in [
        ("roster.yaml", "version: 1\nusers: []\n"),
        ("newer", "{\"v\":2,\"at\":\"2026-11-23T14:00:00Z\"}\n"),
        ("other.json", "{\"format\":\"rosterctl-snapshot\"}"),
    ] {
        std::fs::write(path(name), content).unwrap();
        assert!(matches!(open(&path(name)), Err(OpenError::NotAJournal)), "{name}");
        assert!(matches!(read_file(&path(name)), Err(ReadFileError::Journal(_))), "{name}");
        assert_eq!(std::fs::read_to_string(path(name)).unwrap(), content);
    }
    // Too short to be anything else.
    std::fs::write(path("torn"), "{\"v").unwrap();
    open(&path("torn")).unwrap().append(&run("a")).unwrap();
    assert_eq!(read_file(&path("torn")).unwrap().unwrap().runs.len(), 1);
}

#[cfg(target_os = "linux")]
#[test]
fn a_device_is_no_journal() {
    assert!(matches!(open(Path::new("/dev/null")), Err(OpenError::NotAFile)));
    assert!(matches!(open(Path::new("/dev/full")), Err(OpenError::NotAFile)));
}

#[test]
fn a_record_that_cannot_be_written_as_one_line_is_not_written_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let broken = FileJournal::open(&path, |out, _| out.write_all(b"{\n}")).unwrap();
    assert!(broken.append(&run("a")).is_err());
    drop(broken);
    assert_eq!(std::fs::read(&path).unwrap(), b"");
}

#[test]
fn two_machines_that_die_in_a_row_while_they_write_a_beginning_leave_a_journal_that_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    open(&path).unwrap().append(&run("a")).unwrap();
    for _ in 0..2 {
        let whole = std::fs::read(&path).unwrap().len();
        open(&path).unwrap().append(&run("b")).unwrap();
        let mut cut = std::fs::read(&path).unwrap();
        cut.truncate(whole + 30);
        std::fs::write(&path, &cut).unwrap();
    }
    open(&path).unwrap().append(&run("c")).unwrap();
    let history = read_file(&path).unwrap().unwrap();
    assert_eq!(history.runs.iter().map(|run| &*run.id).collect::<Vec<_>>(), ["a", "c"]);
}
