//! The daemon's loop on tokio's paused clock: what it writes, what it says, and when.

use crate::trial::switched;
use end_to_end::carrier::InProcess;
use end_to_end::manners;
use end_to_end::session::{NOW, workspace};
use http::Method;
use jiff::Timestamp;
use model::Dialect;
use model::place::Source;
use model::roster::Roster;
use model::run::Stopped;
use reconciler::daemon::{
    Broken, Connection, Daemon, Ended, Environment, Event, NoTurn, RosterNews, RoundEnd, Trouble, Turn,
};
use reconciler::guard::Recent;
use reconciler::journal::Journaled;
use reconciler::run;
use reconciler::source::{Files, SourceError};
use scim_adapter::{Budget, Pacer, Reader, Writer};
use slack_sim::{Simulator, Switches};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

const SEED: &str = r#"{ "users": [
  { "userName": "ada", "email": "ada@acme.example", "title": "Engineer" },
  { "userName": "bob", "email": "bob@acme.example" } ] }"#;

const ROSTER: &str = "version: 1
users:
  - { userName: ada, email: ada@acme.example, title: Engineer }
  - { userName: bob, email: bob@acme.example }
";

const INTERVAL: Duration = Duration::from_mins(10);

/// A simulated world that a test can change while the daemon goes on.
#[derive(Clone)]
struct Stage {
    simulator: Simulator,
    reader: Reader,
    /// What the files hold: at each look the next, and the last one from then on.
    texts: Arc<Mutex<VecDeque<Result<String, String>>>>,
    may_write: bool,
    /// Who has the turn, if not the daemon.
    other_run: Arc<Mutex<Option<String>>>,
    /// Whether the daemon has the turn.
    in_turn: Arc<AtomicBool>,
    /// Why there is no connection, if there is none.
    no_connection: Arc<Mutex<Option<String>>>,
    /// While this is set, no answer comes back.
    is_down: Arc<AtomicBool>,
    stop: CancellationToken,
    wake: Arc<Notify>,
}

struct InTurn(Arc<AtomicBool>);

impl Drop for InTurn {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

impl Turn for InTurn {
    fn journaled(&mut self) -> Result<Option<Journaled<'_>>, NoTurn> {
        Ok(None)
    }
}

impl Environment for Stage {
    type Turn = InTurn;

    fn files(&mut self) -> Result<Files, SourceError> {
        let mut texts = self.texts.lock().unwrap();
        let text = if texts.len() > 1 { texts.pop_front() } else { texts.front().cloned() };
        match text.unwrap() {
            Ok(text) => Ok(Files { roster: vec![Source { path: "roster.yaml".into(), text }], policy: None }),
            Err(path) => Err(SourceError::NotText(path)),
        }
    }

    fn connect(&mut self) -> Result<Connection, Trouble> {
        if let Some(why) = self.no_connection.lock().unwrap().clone() {
            return Err(Trouble { why, hint: None });
        }
        let reader = self.reader.clone();
        let writer = self.may_write.then(|| Writer::new(reader.clone()));
        Ok(Connection { reader, writer, target: None })
    }

    fn take_turn(&mut self, _: &Roster) -> Result<InTurn, NoTurn> {
        if let Some(who) = self.other_run.lock().unwrap().clone() {
            return Err(NoTurn::Busy(who));
        }
        assert!(!self.in_turn.swap(true, Ordering::SeqCst), "two rounds at once");
        Ok(InTurn(Arc::clone(&self.in_turn)))
    }

    fn now(&self) -> Timestamp {
        NOW
    }

    fn recent(&mut self, _: Option<&str>, _: Option<&str>) -> Result<Recent, Trouble> {
        Ok(Recent::default())
    }
}

/// What a daemon did: a line for each event, and its rounds.
#[derive(Debug, Default)]
struct Seen {
    lines: Vec<String>,
    ends: Vec<RoundEnd>,
    /// When each round began, after the start.
    began: Vec<Duration>,
    pauses: Vec<Duration>,
}

impl Seen {
    fn count(&self, line: &str) -> usize {
        self.lines.iter().filter(|one| *one == line).count()
    }
}

impl Stage {
    fn new(seed: &str, roster: &str) -> Self {
        Self::with(seed, roster, switched(&[]))
    }

    fn with(seed: &str, roster: &str, switches: Switches) -> Self {
        Self::over(workspace(seed, switches), roster, |carrier| carrier)
    }

    fn over(simulator: Simulator, roster: &str, change: impl FnOnce(InProcess) -> InProcess) -> Self {
        let is_down = Arc::new(AtomicBool::new(false));
        let down = Arc::clone(&is_down);
        let carrier = change(InProcess::new(simulator.router()))
            .with_lost_answers(move |_| down.load(Ordering::SeqCst));
        Self {
            reader: Reader::new(Arc::new(carrier), Dialect::Slack, Pacer::slack(Budget::WHOLE)).seeded(1),
            simulator,
            texts: Arc::new(Mutex::new([Ok(roster.to_owned())].into())),
            may_write: true,
            other_run: Arc::default(),
            in_turn: Arc::default(),
            no_connection: Arc::default(),
            is_down,
            stop: CancellationToken::new(),
            wake: Arc::default(),
        }
    }

    fn set_roster(&self, text: &str) {
        self.set_texts([Ok(text)]);
    }

    fn set_texts<'a>(&self, texts: impl IntoIterator<Item = Result<&'a str, &'a str>>) {
        let owned = |text: Result<&str, &str>| text.map(str::to_owned).map_err(str::to_owned);
        *self.texts.lock().unwrap() = texts.into_iter().map(owned).collect();
    }

    fn set_title(&self, who: &str, title: &str) {
        assert!(self.simulator.edit(|world| world.edit_user(who, |user| title.clone_into(&mut user.title))));
    }

    fn title(&self, who: &str) -> String {
        self.simulator.look(|world| world.user(who).unwrap().title.clone())
    }

    fn writes(&self) -> usize {
        manners::writes(&self.simulator.requests()).len()
    }

    /// Runs a daemon; `act` is called with the number of each round that has ended, and `during` with each event.
    async fn play_with(
        &mut self,
        timeout: Option<Duration>,
        mut act: impl FnMut(u64),
        mut during: impl FnMut(&Event<'_>),
    ) -> (Result<Ended, Broken>, Seen) {
        let (stop, wake) = (self.stop.clone(), Arc::clone(&self.wake));
        let daemon = Daemon { interval: INTERVAL, timeout, seed: 7, stop, wake };
        let start = Instant::now();
        let mut seen = Seen::default();
        let in_turn = Arc::clone(&self.in_turn);
        let ended = daemon.run(self, |event| {
            match &event {
                Event::RoundBegan { .. } => seen.began.push(start.elapsed()),
                Event::RoundEnded { end, pause, .. } => {
                    assert!(!in_turn.load(Ordering::SeqCst), "the turn is kept between rounds");
                    seen.ends.push((*end).clone());
                    seen.pauses.extend(*pause);
                }
                _ => {}
            }
            seen.lines.extend(line(&event));
            during(&event);
            if let Event::RoundEnded { number, .. } = event {
                act(number);
            }
        });
        let ended = tokio::time::timeout(Duration::from_hours(24 * 2), ended).await;
        (ended.expect("the test never asks it to stop"), seen)
    }

    async fn play(&mut self, act: impl FnMut(u64)) -> Seen {
        let (ended, seen) = self.play_with(None, act, |_| {}).await;
        assert_eq!(ended.unwrap(), Ended::Clean);
        assert_eq!(seen.began.len(), seen.ends.len());
        seen
    }
}

/// What an event tells that a test may want to count.
fn line(event: &Event<'_>) -> Option<String> {
    Some(match event {
        Event::Roster(RosterNews::InForce { roster, .. }) => format!("roster of {}", roster.users.len()),
        Event::Roster(RosterNews::Broken(broken)) => match broken {
            Broken::Mistaken(rejected) => format!("broken: {}", rejected.diagnostics[0].code),
            Broken::Unreadable(error) => format!("broken: {error}"),
            Broken::Restless => "broken: restless".to_owned(),
        },
        Event::Roster(RosterNews::GoodAgain) => "good again".to_owned(),
        Event::Planned { plan, repeated, will_run, .. } => {
            let changes = plan.changeset.changes.len();
            let repeated = if *repeated { ", as before" } else { "" };
            format!("plan of {changes}{}{repeated}", if *will_run { "" } else { ", not done" })
        }
        Event::Conflicts { list, repeated, .. } => format!("{} conflicts, repeated: {repeated}", list.len()),
        Event::RoundBegan { .. } | Event::Run { .. } | Event::Reported { .. } | Event::RoundEnded { .. } => {
            return None;
        }
    })
}

/// Asserts that the first pauses are the interval, doubled so many times, and at most a tenth off.
#[track_caller]
fn assert_doubled(pauses: &[Duration], doublings: &[u32]) {
    for (pause, times) in pauses.iter().zip(doublings) {
        let whole = INTERVAL * 2_u32.pow(*times);
        assert!(
            (whole.mul_f64(0.9)..=whole.mul_f64(1.1)).contains(pause),
            "{pause:?}, not {whole:?}: {pauses:?}"
        );
    }
    assert!(pauses.len() >= doublings.len(), "{pauses:?}");
}

#[tokio::test(start_paused = true)]
async fn repairs_what_others_change_and_writes_nothing_while_in_sync() {
    let mut stage = Stage::new(SEED, ROSTER);
    stage.set_title("ada", "Queen");
    let world = stage.clone();
    let mut writes = Vec::new();
    let seen = stage
        .play(|round| {
            writes.push(world.writes());
            match round {
                3 => world.set_title("ada", "Empress"),
                5 => world.stop.cancel(),
                _ => {}
            }
        })
        .await;
    assert_eq!(seen.began[0], Duration::ZERO, "the first round begins at once");
    assert_eq!(writes, [1, 1, 1, 2, 2]);
    assert_eq!(world.title("ada"), "Engineer");
    let (done, none) = (RoundEnd::Applied { changes: 1 }, RoundEnd::InSync);
    assert_eq!(seen.ends, [done.clone(), none.clone(), none.clone(), done, none]);
    assert!(seen.pauses.iter().all(|pause| (540..=660).contains(&pause.as_secs())), "{:?}", seen.pauses);
    let first = seen.pauses[0];
    assert!(seen.pauses.iter().any(|pause| *pause != first), "there is chance in the pauses");
}

#[tokio::test(start_paused = true)]
async fn a_broken_roster_leaves_the_last_good_one_in_force_and_is_told_once() {
    let mut stage = Stage::new(SEED, ROSTER);
    let world = stage.clone();
    let seen = stage
        .play(|round| match round {
            1 => world.set_roster("version: 1\nusers:\n  - { userName: ada }\n"),
            // The last good roster is still enforced.
            2 => world.set_title("ada", "Queen"),
            4 => world.set_texts([Err("roster.yaml")]),
            5 => world.set_roster(""),
            6 => world.set_roster(ROSTER),
            7 => world.set_roster(&ROSTER.replace("Engineer", "Staff Engineer")),
            8 => world.stop.cancel(),
            _ => {}
        })
        .await;
    assert_eq!(
        seen.lines,
        [
            "roster of 2",
            "plan of 0, not done",
            "broken: missing-key",
            "plan of 0, not done, as before",
            "plan of 1",
            "plan of 0, not done",
            "broken: roster.yaml is not UTF-8 text",
            "plan of 0, not done, as before",
            "broken: missing-key",
            "plan of 0, not done, as before",
            "good again",
            "plan of 0, not done, as before",
            "roster of 2",
            "plan of 1",
        ]
    );
    assert_eq!(world.title("ada"), "Staff Engineer");
}

#[tokio::test(start_paused = true)]
async fn a_roster_that_cannot_be_used_at_the_start_ends_it_before_anything_is_asked() {
    for text in [Ok("version: 1\nusers: nobody\n"), Ok(""), Err("roster.yaml")] {
        let mut stage = Stage::new(SEED, ROSTER);
        stage.set_texts([text]);
        let (ended, seen) = stage.play_with(None, |_| {}, |_| {}).await;
        assert!(ended.is_err() && seen.began.is_empty(), "{text:?}: {seen:?}");
        assert_eq!(stage.simulator.requests().len(), 0);
    }
}

/// A pull or an editor writes piece by piece, and a piece may be a roster.
#[tokio::test(start_paused = true)]
async fn files_are_taken_only_when_they_have_stayed_the_same_for_a_moment() {
    let strict = format!("{ROSTER}policy: {{ unlisted: {{ users: deactivate }} }}\n");
    let without_bob = strict.replace("  - { userName: bob, email: bob@acme.example }\n", "");
    let whole = strict.replace("Engineer", "Staff Engineer");
    let mut stage = Stage::new(SEED, &strict);
    let world = stage.clone();
    let seen = stage
        .play(|round| match round {
            1 => world.set_texts([Ok(&without_bob[..]), Err("roster.yaml"), Ok(&without_bob), Ok(&whole)]),
            2 => world.stop.cancel(),
            _ => {}
        })
        .await;
    assert_eq!(seen.count("roster of 1"), 0, "{seen:?}");
    assert_eq!(seen.count("roster of 2"), 2, "{seen:?}");
    assert_eq!(seen.lines.iter().filter(|line| line.starts_with("broken")).count(), 0, "{seen:?}");
    assert!(world.simulator.look(|world| world.user("bob").unwrap().active));
    assert_eq!(world.title("ada"), "Staff Engineer");
}

#[tokio::test(start_paused = true)]
async fn files_that_never_come_to_rest_are_reported_once_and_taken_when_they_do() {
    let mut stage = Stage::new(SEED, ROSTER);
    let world = stage.clone();
    let texts: Vec<String> = (0..100).map(|n| ROSTER.replace("Engineer", &format!("Title {n}"))).collect();
    let seen = stage
        .play(|round| match round {
            1 => world.set_texts(texts.iter().map(|text| Ok(&text[..]))),
            4 => world.set_roster(&texts[7]),
            5 => world.stop.cancel(),
            _ => {}
        })
        .await;
    assert_eq!(seen.count("broken: restless"), 1, "{seen:?}");
    assert_eq!(seen.count("roster of 2"), 2, "{seen:?}");
    assert_eq!((world.title("ada").as_str(), world.writes()), ("Title 7", 1));
}

#[tokio::test(start_paused = true)]
async fn a_blocked_plan_is_tried_again_later_and_later_never_done_and_told_in_full_once() {
    let newcomer = format!("{ROSTER}  - {{ userName: eve, email: eve@acme.example }}\n");
    let blocked =
        format!("{newcomer}policy: {{ limits: {{ createUsers: 0, deactivateUsers: {{ percent: 50 }} }} }}\n");
    let mut stage = Stage::new(SEED, &blocked);
    let world = stage.clone();
    let mut allowed_after = Duration::ZERO;
    let start = Instant::now();
    let seen = stage
        .play(|round| match round {
            // Who joins elsewhere changes what a limit is a share of, and not the plan.
            3 => {
                for name in ["zoe", "joe"] {
                    let email = format!("{name}@acme.example");
                    assert!(world.simulator.edit(|world| world.add_user(name, &email).is_some()));
                }
            }
            6 => {
                allowed_after = start.elapsed();
                world.set_roster(&newcomer);
            }
            7 => world.stop.cancel(),
            _ => {}
        })
        .await;
    // 10 minutes doubled, and never more than an hour.
    assert_doubled(&seen.pauses, &[1, 2]);
    assert!(seen.pauses[2..6].iter().all(|pause| (3_240..=3_960).contains(&pause.as_secs())), "{seen:?}");
    assert_eq!(seen.ends[..6], vec![RoundEnd::Blocked { changes: 1 }; 6]);
    assert_eq!((seen.count("plan of 1, not done"), seen.count("plan of 1, not done, as before")), (1, 5));
    // What a person corrects during the longest pause is seen at the next interval.
    assert_eq!(seen.began[6], allowed_after + INTERVAL, "{seen:?}");
    assert_eq!(seen.ends[6], RoundEnd::Applied { changes: 1 });
    assert_eq!(world.writes(), 1);
}

#[tokio::test(start_paused = true)]
async fn contradictions_are_told_once_and_tried_again_later_and_later() {
    let unknown = format!("{ROSTER}  - {{ userName: eve, email: eve@acme.example, id: U0NOBODY }}\n");
    let mut stage = Stage::new(SEED, &unknown);
    let world = stage.clone();
    let seen = stage
        .play(|round| {
            if round == 3 {
                world.stop.cancel();
            }
        })
        .await;
    assert_eq!(seen.ends[..2], [RoundEnd::Conflicts, RoundEnd::Conflicts]);
    assert_eq!(
        (seen.count("1 conflicts, repeated: false"), seen.count("1 conflicts, repeated: true")),
        (1, 2)
    );
    assert_doubled(&seen.pauses, &[1, 2]);
    assert_eq!(world.writes(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_away_is_asked_again_later_and_later_and_then_as_usual() {
    let mut stage = Stage::new(SEED, ROSTER);
    let world = stage.clone();
    world.is_down.store(true, Ordering::SeqCst);
    let seen = stage
        .play(|round| match round {
            2 => *world.no_connection.lock().unwrap() = Some("the token in token.txt is empty".to_owned()),
            3 => {
                world.is_down.store(false, Ordering::SeqCst);
                *world.no_connection.lock().unwrap() = None;
            }
            5 => world.stop.cancel(),
            _ => {}
        })
        .await;
    assert!(matches!(&seen.ends[0], RoundEnd::Failed(trouble) if trouble.why.contains("broke")), "{seen:?}");
    assert!(
        matches!(&seen.ends[2], RoundEnd::Failed(trouble) if trouble.why.contains("token.txt")),
        "{seen:?}"
    );
    assert_eq!(seen.ends[3..], [RoundEnd::InSync, RoundEnd::InSync]);
    assert_doubled(&seen.pauses, &[1, 2]);
    assert!((3_240..=3_960).contains(&seen.pauses[2].as_secs()), "{:?}", seen.pauses);
    assert_doubled(&seen.pauses[3..], &[0]);
}

#[tokio::test(start_paused = true)]
async fn without_a_writer_it_asks_and_never_writes() {
    let mut stage = Stage { may_write: false, ..Stage::new(SEED, &ROSTER.replace("Engineer", "Queen")) };
    let world = stage.clone();
    // Who only observes needs no turn.
    *world.other_run.lock().unwrap() = Some("another run".to_owned());
    let blocked = format!(
        "{ROSTER}  - {{ userName: eve, email: e@acme.example }}\npolicy: {{ limits: {{ createUsers: 0 }} }}\n"
    );
    let seen = stage
        .play(|round| match round {
            2 => world.set_roster(&blocked),
            3 => world.set_roster(ROSTER),
            4 => world.stop.cancel(),
            _ => {}
        })
        .await;
    let drift = |blocked| RoundEnd::Drift { changes: 1, blocked };
    assert_eq!(seen.ends, [drift(false), drift(false), drift(true), RoundEnd::InSync]);
    assert_eq!((seen.count("plan of 1, not done"), seen.count("plan of 1, not done, as before")), (2, 1));
    // Drift is watched as often as ever.
    assert_doubled(&seen.pauses, &[0; 3]);
    let requests = world.simulator.requests();
    assert!(requests.len() >= 8 && requests.iter().all(|request| request.method == Method::GET));
}

#[tokio::test(start_paused = true)]
async fn waits_for_its_turn_without_asking_the_service_anything() {
    let mut stage = Stage::new(SEED, &ROSTER.replace("Engineer", "Queen"));
    let world = stage.clone();
    *world.other_run.lock().unwrap() = Some("another run (pid 7)".to_owned());
    let mut asked = Vec::new();
    let seen = stage
        .play(|round| {
            asked.push(world.simulator.requests().len());
            match round {
                3 => *world.other_run.lock().unwrap() = None,
                4 => world.stop.cancel(),
                _ => {}
            }
        })
        .await;
    assert_eq!(seen.ends[..3], vec![RoundEnd::Busy("another run (pid 7)".to_owned()); 3]);
    assert_eq!(seen.ends[3], RoundEnd::Applied { changes: 1 });
    assert_doubled(&seen.pauses, &[0; 3]);
    assert_eq!(asked[..3], [0; 3]);
}

/// `count` people whose titles are to change.
fn many(count: usize) -> (String, String) {
    let people: Vec<String> = (0..count)
        .map(|n| format!(r#"{{ "userName": "p{n}", "email": "p{n}@acme.example", "title": "old" }}"#))
        .collect();
    let seed = format!(r#"{{ "users": [{}] }}"#, people.join(", "));
    (seed, format!("version: 1\nusers: [{}]\n", people.join(", ").replace("\"old\"", "\"new\"")))
}

#[tokio::test(start_paused = true)]
async fn a_stop_in_the_middle_of_a_run_starts_nothing_more_and_says_that_not_all_is_done() {
    let (people, roster) = many(60);
    let mut stage = Stage::new(&people, &roster);
    let world = stage.clone();
    let (mut started, mut finished) = (0, 0);
    let (ended, seen) = stage
        .play_with(
            None,
            |_| {},
            |event| {
                if let Event::Run { event, .. } = event {
                    started += usize::from(matches!(event, run::Event::Started(_)));
                    finished += usize::from(matches!(event, run::Event::Finished(_)));
                    if finished == 1 {
                        world.stop.cancel();
                    }
                }
            },
        )
        .await;
    assert_eq!(ended.unwrap(), Ended::Unconfirmed);
    assert!((1..=9).contains(&started), "{started} were started");
    assert_eq!(world.writes(), started, "what was under way has ended, and nothing else was sent");
    assert!(matches!(seen.ends[..], [RoundEnd::Incomplete { wrote: true, .. }]), "{:?}", seen.ends);
    assert_eq!(seen.pauses, []);
}

#[tokio::test(start_paused = true)]
async fn what_was_written_and_is_in_doubt_stays_so_until_a_round_finds_it_in_sync() {
    // The service goes away as soon as something is written, and comes back after so many rounds.
    for (back_after, stop_after, expected) in
        [(9, 1, Ended::Unconfirmed), (9, 2, Ended::Unconfirmed), (1, 2, Ended::Clean)]
    {
        let mut stage = Stage::new(SEED, &ROSTER.replace("Engineer", "Queen"));
        let world = stage.clone();
        let act = |round| {
            if round == back_after {
                world.is_down.store(false, Ordering::SeqCst);
            }
            if round == stop_after {
                // In the pause, not in the round.
                let stop = world.stop.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_mins(1)).await;
                    stop.cancel();
                });
            }
        };
        let during = |event: &Event<'_>| {
            if matches!(event, Event::Run { event: run::Event::Started(_), .. }) {
                world.is_down.store(true, Ordering::SeqCst);
            }
        };
        let (ended, seen) = stage.play_with(None, act, during).await;
        assert!(matches!(seen.ends[0], RoundEnd::Incomplete { wrote: true, .. }), "{:?}", seen.ends);
        assert_eq!((seen.ends.len(), ended.unwrap()), (usize::try_from(stop_after).unwrap(), expected));
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_while_reading_or_between_rounds_is_clean() {
    // While reading: at the first request that is answered.
    let simulator = workspace(SEED, switched(&[]));
    let stop = CancellationToken::new();
    let at_once = stop.clone();
    let mut stage = Stage::over(simulator, &ROSTER.replace("Engineer", "Queen"), |carrier| {
        carrier.with_hook(move |_, _| at_once.cancel())
    });
    stage.stop = stop;
    let seen = stage.play(|_| {}).await;
    assert_eq!((seen.ends, stage.writes()), (vec![RoundEnd::Stopped], 0));

    // While a service is asked again and again that does not answer.
    let mut stage = Stage::new(SEED, ROSTER);
    stage.is_down.store(true, Ordering::SeqCst);
    let stop = stage.stop.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(100)).await;
        stop.cancel();
    });
    let start = Instant::now();
    let seen = stage.play(|_| {}).await;
    assert_eq!((seen.ends, start.elapsed()), (vec![RoundEnd::Stopped], Duration::from_millis(100)));

    // In the middle of a pause.
    let mut stage = Stage::new(SEED, ROSTER);
    let world = stage.clone();
    let start = Instant::now();
    let seen = stage
        .play(|_| {
            let stop = world.stop.clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_mins(1)).await;
                stop.cancel();
            });
        })
        .await;
    assert_eq!(seen.ends, [RoundEnd::InSync]);
    assert!(start.elapsed() < Duration::from_secs(70), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_time_limit_bounds_each_round_and_later_rounds_finish_the_job() {
    let (people, roster) = many(300);
    let mut stage = Stage::new(&people, &roster);
    let world = stage.clone();
    let limit = Duration::from_secs(15);
    let start = Instant::now();
    let (mut round_began, mut longest) = (start, Duration::ZERO);
    let mut in_sync = false;
    let (ended, seen) = stage
        .play_with(
            Some(limit),
            |_| {},
            |event| match event {
                Event::RoundBegan { .. } => round_began = Instant::now(),
                Event::RoundEnded { end, .. } => {
                    longest = longest.max(round_began.elapsed());
                    in_sync = matches!(end, RoundEnd::Applied { .. } | RoundEnd::InSync);
                    if in_sync {
                        world.stop.cancel();
                    }
                }
                _ => {}
            },
        )
        .await;
    assert_eq!(ended.unwrap(), Ended::Clean);
    let timed_out =
        |end: &&RoundEnd| matches!(end, RoundEnd::Incomplete { timed_out: Some(time), .. } if *time == limit);
    assert!(seen.ends.iter().filter(timed_out).count() >= 1, "{:?}", seen.ends);
    assert!(longest < limit + Duration::from_secs(15), "{longest:?}");
    assert!(in_sync && world.writes() == 300, "{} writes", world.writes());

    // A read that takes too long is given up.
    let mut stage = Stage::new(SEED, ROSTER);
    let world = stage.clone();
    world.is_down.store(true, Ordering::SeqCst);
    let (_, seen) = stage.play_with(Some(Duration::from_millis(10)), |_| world.stop.cancel(), |_| {}).await;
    assert!(matches!(&seen.ends[0], RoundEnd::Failed(trouble) if trouble.why.contains("within")), "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn being_woken_begins_the_next_round_at_once() {
    let mut stage = Stage::new(SEED, ROSTER);
    let world = stage.clone();
    let seen = stage
        .play(|round| match round {
            1 => world.wake.notify_one(),
            2 => world.stop.cancel(),
            _ => {}
        })
        .await;
    assert!(seen.began[1] < Duration::from_secs(30), "{:?}", seen.began);
}

/// Sheet S10: Slack once deactivated whoever was updated. Every try costs accounts.
#[tokio::test(start_paused = true)]
async fn a_service_that_deactivates_people_unasked_is_left_alone_for_as_long_as_it_gets() {
    let (people, roster) = many(40);
    let simulator = workspace(&people, switched(&[]));
    let incident = simulator.clone();
    let mut stage = Stage::over(simulator, &roster, |carrier| {
        carrier.with_hook(move |method, target| {
            if method == Method::PATCH
                && let Some(id) = target.rsplit('/').next()
            {
                incident.edit(|world| world.edit_user(id, |user| user.active = false));
            }
        })
    });
    let world = stage.clone();
    let (_, seen) = stage
        .play_with(
            None,
            |round| {
                if round == 2 {
                    world.stop.cancel();
                }
            },
            |_| {},
        )
        .await;
    let RoundEnd::Incomplete { stopped: Some(Stopped::TurnedInactive { .. }), .. } = &seen.ends[0] else {
        panic!("{:?}", seen.ends)
    };
    assert!((3_240..=3_960).contains(&seen.pauses[0].as_secs()), "{:?}", seen.pauses);
}
