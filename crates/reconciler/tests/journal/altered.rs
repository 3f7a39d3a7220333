//! What is legal is read, and what was altered is refused or makes no difference.

use crate::runs::{self, Came, text};
use model::journal::{EndingKind, Event, History, PastRun, Record};
use proptest::prelude::*;
use reconciler::journal::{Course, Illegal, JournalError, read};
use std::collections::BTreeMap;

/// What of each run may have reached the service.
fn effects(history: &History) -> BTreeMap<(Box<str>, usize), (Box<str>, bool)> {
    let of_run = |run: &PastRun| {
        let of = |change: &model::journal::PastChange| {
            ((run.id.clone(), change.number), (change.target.clone(), change.may_have_happened()))
        };
        run.changes.iter().map(of).collect::<Vec<_>>()
    };
    history.runs.iter().flat_map(of_run).collect()
}

/// Whether something that may have happened is not known any more, or something is made up.
fn lies(altered: &History, true_one: &History) -> bool {
    let (altered, known) = (effects(altered), effects(true_one));
    let lost = known.iter().any(|(key, known)| known.1 && altered.get(key) != Some(known));
    let made_up =
        altered.iter().any(|(key, (target, _))| known.get(key).is_none_or(|(known, _)| known != target));
    lost || made_up
}

fn is_last_of_its_run(records: &[Record], at: usize) -> bool {
    records.get(at + 1).is_none_or(|next| matches!(next.event, Event::Begin { .. }))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_legal_journal_is_read_as_it_was(drawn in prop::collection::vec(runs::run(), 0..5), mix: u64) {
        let records = runs::records(&drawn, mix);
        let history = read(text(&records)).unwrap();
        prop_assert!(!history.torn);
        prop_assert_eq!(history.runs.len(), drawn.len());
        for (run, drawn) in history.runs.iter().zip(&drawn) {
            prop_assert_eq!(run.end.is_some(), drawn.ends);
            prop_assert_eq!(run.planned, drawn.changes.len());
            for (number, change) in drawn.changes.iter().enumerate() {
                let past = run.changes.iter().find(|past| past.number == number + 1);
                let ending = match change.came {
                    Came::Nowhere => { prop_assert!(past.is_none()); continue }
                    Came::Intended => None,
                    Came::Skipped => Some(EndingKind::Skipped),
                    Came::To(ending) => Some(ending),
                    Came::Seen(_) => Some(EndingKind::Took),
                };
                let past = past.unwrap();
                prop_assert_eq!(past.ending, ending);
                prop_assert_eq!(&*past.target, change.target());
                let (before, after) = change.states();
                if ending != Some(EndingKind::Skipped) {
                    prop_assert_eq!((&past.before, &past.after), (&before, &after));
                }
            }
        }
    }

    /// A machine that dies while it writes leaves a beginning of what was to be written.
    #[test]
    fn any_beginning_of_a_journal_is_read_and_can_be_followed(
        drawn in prop::collection::vec(runs::run(), 1..4), mix: u64, cut: prop::sample::Index, filled in 0..3_usize,
    ) {
        let whole = text(&runs::records(&drawn, mix));
        let mut start = whole.as_bytes()[..cut.index(whole.len() + 1)].to_vec();
        let is_cut = !start.is_empty() && !start.ends_with(b"\n");
        // The very record, without its line break, is whole.
        let is_whole = is_cut && serde_json::from_slice::<Record>(start.rsplit(|b| *b == b'\n').next().unwrap()).is_ok();
        if is_cut && !is_whole {
            start.extend(vec![0; filled]);
        }
        let history = read(&start).unwrap();
        prop_assert_eq!(history.torn, is_cut && !is_whole);
        prop_assert!(!lies(&history, &history));

        // The next run begins on a line of its own.
        if is_cut {
            start.push(b'\n');
        }
        let mut next = runs::records(&drawn[..1], mix);
        for record in &mut next {
            record.run = "next".into();
        }
        start.extend(text(&next).as_bytes());
        let followed = read(&start).unwrap();
        prop_assert_eq!(followed.runs.len(), history.runs.len() + 1);
        prop_assert!(!followed.torn);
    }

    #[test]
    fn a_record_lost_doubled_or_moved_is_noticed_or_makes_no_difference(
        drawn in prop::collection::vec(runs::run(), 1..4), mix: u64, at: prop::sample::Index, how in 0..3,
    ) {
        let records = runs::records(&drawn, mix);
        let true_one = read(text(&records)).unwrap();
        let at = at.index(records.len());
        let mut altered = records.clone();
        match how {
            // The tail of a run may be missing: whoever cuts it off has killed the run earlier.
            0 if is_last_of_its_run(&records, at) => return Ok(()),
            0 => drop(altered.remove(at)),
            1 => altered.insert(at, records[at].clone()),
            _ if at + 1 < records.len() => altered.swap(at, at + 1),
            _ => return Ok(()),
        }
        if let Ok(altered) = read(text(&altered)) {
            // An intent that was lost is noticed by its outcome; a change that never had one was last or is unknown.
            let intended_only = |record: &Record| match &record.event {
                Event::Intent { change, .. } => !records.iter().any(|other| {
                    other.run == record.run && matches!(&other.event, Event::Outcome { change: c, .. } if c == change)
                }),
                _ => false,
            };
            prop_assert!(!lies(&altered, &true_one) || (how == 0 && intended_only(&records[at])));
        }
    }

    #[test]
    fn a_number_a_name_or_an_ending_that_was_altered_is_noticed_or_makes_no_difference(
        drawn in prop::collection::vec(runs::run(), 1..4), mix: u64, at: prop::sample::Index, to in 0..9_usize, how in 0..4,
    ) {
        let mut records = runs::records(&drawn, mix);
        let true_one = read(text(&records)).unwrap();
        let at = at.index(records.len());
        let record = &mut records[at];
        // An outcome that is given to another change of which none is known is a journal like any other.
        let run = true_one.runs.iter().find(|run| run.id == record.run);
        let is_open = run.is_some_and(|run| run.changes.iter().any(|c| c.number == to && c.ending.is_none()));
        if how == 2 && is_open && matches!(record.event, Event::Outcome { .. }) {
            return Ok(());
        }
        let strays = how == 0 && *record.run != *format!("r{to}") && !matches!(record.event, Event::Begin { .. });
        match (&mut record.event, how) {
            (_, 0) => record.run = format!("r{to}").into(),
            (_, 1) => record.v += 1,
            (Event::Outcome { change, .. } | Event::Skipped { change, .. }, 2) => *change = to,
            (Event::Outcome { ending, .. }, 3) => *ending = EndingKind::Skipped,
            (Event::End { success, .. }, 3) => *success = !*success,
            _ => return Ok(()),
        }
        if let Ok(altered) = read(text(&records)) {
            prop_assert!(!strays, "a record of another run was taken");
            // Another number fits where the plan has such a change that came nowhere: what may have happened is a cut-off
            // change more, never one less.
            let lost = effects(&true_one).into_iter().any(|(key, (_, happened))| {
                happened && !effects(&altered).get(&key).is_some_and(|(_, still)| *still)
            });
            let renamed_begin = how == 0 && matches!(records[at].event, Event::Begin { .. });
            prop_assert!(renamed_begin || !lost, "{:?}", records[at]);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        drop(read(&bytes));
        let mut after_one = text(&runs::records(&[], 0)).into_bytes();
        after_one.extend(bytes);
        drop(read(after_one));
    }

    #[test]
    fn no_altered_byte_makes_it_panic(
        drawn in prop::collection::vec(runs::run(), 1..3), mix: u64, at: prop::sample::Index, byte: u8,
    ) {
        let mut bytes = text(&runs::records(&drawn, mix)).into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        drop(read(bytes));
    }
}

fn one_run() -> Vec<Record> {
    let change = |came| runs::Drawn { kind: model::ChangeKind::UpdateUser, who: 1, came };
    let drawn = runs::DrawnRun {
        changes: vec![change(Came::To(EndingKind::Took)), change(Came::To(EndingKind::Refused))],
        ends: true,
        pause: 0,
        target: None,
        workspace: None,
    };
    // Intents first, then outcomes, then the end.
    let mut records = runs::records(&[drawn], 1);
    records.sort_by_key(|record| match record.event {
        Event::Begin { .. } => 0,
        Event::Intent { .. } | Event::Skipped { .. } => 1,
        Event::Outcome { .. } => 2,
        Event::End { .. } => 3,
    });
    records
}

#[test]
fn the_error_names_the_line_and_what_is_wrong_with_it() {
    let records = one_run();
    let without = |at: usize| {
        let mut records = records.clone();
        records.remove(at);
        read(text(&records)).unwrap_err().to_string()
    };
    assert_eq!(without(0), "line 1: the run \"r0\" has not begun, or is over");
    assert!(without(1).ends_with("is over, though it is not under way"), "{}", without(1));
    assert_eq!(without(3), "line 5: the run ends, and 1 of its changes are not accounted for");
    let twice = text(&records) + &text(&records);
    assert_eq!(read(&twice).unwrap_err().to_string(), "line 7: the run \"r0\" begins a second time");
    let newer = text(&records).replacen("\"v\":1", "\"v\":2", 2).replacen("\"v\":2", "\"v\":1", 1);
    assert_eq!(read(newer).unwrap_err(), JournalError::Version { line: 2, version: 2 });
    let other = "version: 1\nusers: []\n";
    assert!(read(other).unwrap_err().to_string().starts_with("not a journal of rosterctl"), "{other}");
    let edited = text(&records).replace("\"ending\":\"refused\"", "\"ending\":\"took\"");
    assert_eq!(read(edited).unwrap_err(), JournalError::Illegal { line: 6, why: Illegal::WrongEnd });
    let cut = text(&records).replacen('\n', "\n{\"v\":1,\"at\n", 2);
    assert!(read(cut).unwrap_err().to_string().starts_with("line 2: not a record"));
}

#[test]
fn what_is_over_is_not_over_once_more_in_another_way() {
    let mut records = one_run();
    records.truncate(4);
    let Event::Outcome { change, .. } = records[3].event else { panic!("{records:?}") };
    for other in [EndingKind::Took, EndingKind::Pending, EndingKind::Refused, EndingKind::Doubtful] {
        let event = Event::Outcome { change, ending: other, detail: None, id: None };
        let again = Record { event, ..records[3].clone() };
        let text = text(&records) + &text(&[again]);
        let error = JournalError::Illegal { line: 5, why: Illegal::NotUnderWay(change) };
        assert_eq!(read(text).unwrap_err(), error, "{other:?}");
    }
}

#[test]
fn keys_of_later_versions_of_rosterctl_are_passed_over() {
    let text = text(&one_run()).replace("\"event\":", "\"later\":{\"x\":[1]},\"event\":");
    assert_eq!(read(text).unwrap(), read(self::text(&one_run())).unwrap());
}

#[test]
fn a_record_that_is_refused_leaves_the_course_as_it_was() {
    let records = one_run();
    let mut course = Course::default();
    for (at, record) in records.iter().enumerate() {
        for other in &records {
            let mut tried = course.clone();
            if tried.step(other).is_err() {
                // What follows is as legal as before.
                assert!(
                    records[at..].iter().all(|next| tried.step(next).is_ok()),
                    "{other:?} before {record:?}"
                );
            }
        }
        course.step(record).unwrap();
    }
}
