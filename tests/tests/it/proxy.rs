//! The faults of the simulation as events on a socket: the real HTTP stack meets them, in real time.

use end_to_end::census::Census;
use end_to_end::proxy::Proxy;
use end_to_end::session::{NOW, roster};
use end_to_end::simulation::faults::{Fate, Faults, Kind};
use end_to_end::simulation::lots::{self, Lot};
use end_to_end::simulation::others::Others;
use end_to_end::simulation::promises::bad_manners;
use end_to_end::simulation::service::Service;
use end_to_end::truth::{Terms, departures};
use model::policy::{AttributeMode, UnlistedGroups, UnlistedUsers};
use model::{Attribute, Dialect, Roster};
use reconciler::planner::{self, Context};
use reconciler::run::{RosterGoal, Run, Stop};
use scim_adapter::{HttpOptions, HttpTransport, Pacer, Reader, Timeouts, Writer};
use secrecy::SecretString;
use slack_sim::{Keep, RateLimits, Simulator, Switches};
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// Everything that can be met without waiting for long.
const KINDS: [Kind; 7] = [
    Kind::TroubleBefore,
    Kind::TroubleAfter,
    Kind::NoConnection,
    Kind::ResetBefore,
    Kind::ResetAfter,
    Kind::Cut,
    Kind::Slow,
];

/// How long a slow answer takes at most on each way, and two clients: one for whom that is too long, and one who waits
/// even for a machine that has other things to do.
const SLOW: Duration = Duration::from_millis(700);
const IMPATIENT: Duration = Duration::from_millis(500);
const PATIENT: Duration = Duration::from_secs(30);

/// A company whose service answers at once, in which nothing is asked for that it does not do.
fn company(seed: u64) -> Lot {
    let mut lot = lots::draw(seed);
    lot.switches = Switches {
        rate_limits: RateLimits::Off,
        deactivation_delay: Duration::ZERO,
        photo_delay: Duration::ZERO,
        page_cap: 7,
        ..Switches::default()
    };
    lot
}

/// Plans and carries out over HTTP; whether everything is as it is to be, and how many changes there were.
async fn apply(base: &Url, roster: &Roster, answer: Duration) -> Result<usize, String> {
    let timeouts = Timeouts { connect: Duration::from_secs(10), answer };
    let options =
        HttpOptions { base: base.clone(), token: SecretString::from("xoxp-test"), ca_pem: None, timeouts };
    let transport = HttpTransport::new(&options).unwrap();
    let reader = Reader::new(Arc::new(transport), Dialect::Slack, Pacer::unlimited()).seeded(1);
    let context = Context { now: NOW, ..Context::default() };
    let directory = reader.read_directory().await.map_err(|error| error.to_string())?;
    let plan = planner::plan(roster, &directory, &context)
        .map_err(|conflicts| conflicts.into_iter().map(|c| c.message).collect::<Vec<_>>().join("; "))?;
    let writer = Writer::new(reader.clone());
    let goal = RosterGoal { roster, context: &context };
    let run = Run { reader: &reader, writer: &writer, goal: &goal, journal: None, stop: Stop::default() };
    let report = run.carry_out(&plan, |_| {}).await;
    if report.is_success() { Ok(plan.changeset.changes.len()) } else { Err(format!("{report:?}")) }
}

/// How many requests of a seed met a fault, once it has come right.
async fn converges(seed: u64) -> usize {
    let lot = company(seed);
    let roster = roster(&lot.roster);
    let simulator = Simulator::new(&lot.seed, lot.switches.clone()).unwrap().with_time(NOW);
    let service = Service::new(simulator, Faults::of(seed, &KINDS, 90), Others::none());
    let proxy = Proxy::open(service.clone(), SLOW).await.unwrap();
    let base = Url::parse(&format!("http://{}/scim/v2", proxy.address().unwrap())).unwrap();
    let serving = tokio::spawn(proxy.serve());

    let before = Census::take(&service.simulator);
    // Whatever comes of it: a broken line may break a run, too.
    apply(&base, &roster, IMPATIENT).await.ok();
    let disturbed = service.lock().log.len();
    service.calm();
    // What was slow is over.
    tokio::time::sleep(SLOW * 3).await;
    service.settle();
    apply(&base, &roster, PATIENT)
        .await
        .unwrap_or_else(|why| panic!("seed {seed}: undisturbed, it fails: {why}"));
    assert_eq!(apply(&base, &roster, PATIENT).await, Ok(0), "seed {seed}: a further run is not idle");
    serving.abort();

    let records = service.records(0);
    let breaches = bad_manners(&service.lock().log[..disturbed], &records[..disturbed], &lot.protected);
    assert_eq!(breaches, Vec::<String>::new(), "seed {seed}");
    let protected: Vec<&str> = lot.protected.iter().map(String::as_str).collect();
    let policy = &roster.policy;
    let enforced = policy.attributes.get(Attribute::DisplayName) == AttributeMode::Enforce;
    let terms = Terms {
        protected: &protected,
        on_create: if enforced { &[] } else { &[Attribute::DisplayName] },
        leavers_leave_groups: lot.switches.deactivated_memberships == Keep::Drop,
        unlisted_leave: policy.unlisted.users == UnlistedUsers::Deactivate,
        unlisted_groups_go: policy.unlisted.groups == UnlistedGroups::Delete && roster.groups.is_some(),
    };
    let found = departures(&roster, &before, &Census::take(&service.simulator), &terms);
    assert_eq!(found, Vec::<String>::new(), "seed {seed}");
    service.lock().log.iter().filter(|sent| sent.fate != Fate::Pass).count()
}

#[tokio::test]
async fn broken_connections_cut_bodies_and_slow_answers_are_survived_over_real_http() {
    let met =
        tokio::join!(converges(3), converges(4), converges(5), converges(6), converges(7), converges(8));
    let met = [met.0, met.1, met.2, met.3, met.4, met.5];
    assert!(met.iter().sum::<usize>() >= 10, "{met:?}");
}
