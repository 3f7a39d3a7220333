//! What goes wrong with a request, decided from one seed: the same decisions for the carrier inside the process and for
//! the proxy on a socket.

use fastrand::Rng;
use http::Method;
use std::collections::BTreeSet;
use std::time::Duration;

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// 429 with a `Retry-After` that can be followed.
    Throttle,
    /// 429 without one, or with one that makes no sense.
    SillyThrottle,
    /// 429 that says another write to the resource is under way.
    Lock,
    /// A 5xx of a service that did nothing.
    TroubleBefore,
    /// A 5xx of a service that did what it was asked.
    TroubleAfter,
    /// No connection.
    NoConnection,
    /// The connection breaks before the request is carried out.
    ResetBefore,
    /// The connection breaks after the request was carried out.
    ResetAfter,
    /// The answer is cut short, in an otherwise whole HTTP message.
    Cut,
    /// The request or its answer is slow, beyond every deadline perhaps.
    Slow,
    /// The request arrives when its sender has long given up.
    Late,
    /// A read is answered from a state of some seconds ago.
    Stale,
    /// A write is answered with success and not carried out.
    NoOp,
    /// Whoever is updated is deactivated, at once or a little later (sheet S10: April 2024).
    Deactivates,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 14] = [
        Self::Throttle,
        Self::SillyThrottle,
        Self::Lock,
        Self::TroubleBefore,
        Self::TroubleAfter,
        Self::NoConnection,
        Self::ResetBefore,
        Self::ResetAfter,
        Self::Cut,
        Self::Slow,
        Self::Late,
        Self::Stale,
        Self::NoOp,
        Self::Deactivates,
    ];

    fn can_hit(self, method: &Method, target: &str) -> bool {
        let reads = *method == Method::GET;
        let one = target.trim_start_matches('/').contains('/');
        match self {
            Self::Stale => reads,
            Self::Lock => !reads && one,
            Self::NoOp | Self::Late => !reads,
            Self::Deactivates => *method == Method::PATCH && target.starts_with("/Users/"),
            _ => true,
        }
    }
}

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Fate {
    /// Nothing special.
    Pass,
    /// It is answered 429 and not looked at.
    Throttle {
        /// The header, if there is one.
        retry_after: Option<String>,
        /// The code word in the body; none: no body.
        code: Option<&'static str>,
    },
    /// It is answered with a 5xx.
    Trouble {
        /// Which.
        status: u16,
        /// Whether it was carried out.
        acted: bool,
        /// Whether a gateway's web page comes in place of a SCIM error.
        is_page: bool,
    },
    /// There is no connection.
    NoConnection,
    /// The connection breaks.
    Reset {
        /// Whether it was carried out.
        acted: bool,
    },
    /// The body of the answer ends early.
    Cut {
        /// How much of it comes, in thousandths.
        keep: usize,
    },
    /// It takes its time.
    Slow {
        /// On the way there.
        there: Duration,
        /// On the way back.
        back: Duration,
    },
    /// It is carried out so much later, and nobody hears of it.
    Late {
        /// How much.
        by: Duration,
    },
    /// It is answered from a state so old.
    Stale {
        /// How old.
        age: Duration,
    },
    /// It is answered with success and not carried out.
    NoOp,
    /// It is carried out, and its account is deactivated besides.
    Deactivates {
        /// When.
        after: Duration,
    },
}

/// The decisions of one seed.
#[derive(Debug, Clone)]
pub struct Faults {
    rng: Rng,
    kinds: Vec<Kind>,
    /// How many of a thousand requests are hit.
    rate: u32,
}

impl Faults {
    /// Draws which kinds of fault there are, and how many.
    pub fn drawn(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed ^ 0xFA17);
        let mut kinds: Vec<Kind> = Vec::new();
        if rng.u32(..100) >= 12 {
            let share = [15, 30, 60, 100][rng.usize(..4)];
            kinds.extend(Kind::ALL.iter().filter(|_| rng.u32(..100) < share));
        }
        let rate = [10, 30, 80, 150, 300][rng.usize(..5)];
        Self { rng, kinds, rate }
    }

    /// Exactly these kinds, at a rate in thousandths.
    pub fn of(seed: u64, kinds: &[Kind], rate: u32) -> Self {
        Self { rng: Rng::with_seed(seed), kinds: kinds.to_vec(), rate }
    }

    /// No faults.
    pub fn none() -> Self {
        Self::of(0, &[], 0)
    }

    /// Whether there are faults of this kind.
    pub fn has(&self, kind: Kind) -> bool {
        self.kinds.contains(&kind)
    }

    /// The kinds that there are.
    pub fn kinds(&self) -> BTreeSet<Kind> {
        self.kinds.iter().copied().collect()
    }

    /// How many of a thousand requests are hit.
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// What becomes of a request: its method, and its target below the base URL.
    pub fn decide(&mut self, method: &Method, target: &str) -> Fate {
        if self.kinds.is_empty() || self.rng.u32(..1000) >= self.rate {
            return Fate::Pass;
        }
        let possible: Vec<Kind> =
            self.kinds.iter().copied().filter(|kind| kind.can_hit(method, target)).collect();
        match self.rng.choice(&possible) {
            Some(kind) => self.fate(*kind),
            None => Fate::Pass,
        }
    }

    fn fate(&mut self, kind: Kind) -> Fate {
        let rng = &mut self.rng;
        let mut text = |choices: &[&str]| rng.choice(choices).map(|text| (*text).to_owned());
        match kind {
            Kind::Throttle => {
                let retry_after = text(&["1", "2", "7", "30", "60"]);
                Fate::Throttle { retry_after, code: [Some("too_many_requests"), None][rng.usize(..2)] }
            }
            Kind::SillyThrottle => {
                // "@SECONDS" stands for a date so far from the answer's own.
                let silly = text(&["0", "-5", "soon", "", "99999", "0.25", "1e400", "NaN", "@3", "@-300"]);
                let retry_after = if rng.bool() { silly } else { None };
                Fate::Throttle { retry_after, code: [Some("too_many_requests"), None][rng.usize(..2)] }
            }
            Kind::Lock => {
                let retry_after = text(&["1", "2", "5"]);
                Fate::Throttle { retry_after, code: Some("resource_locked") }
            }
            Kind::TroubleBefore | Kind::TroubleAfter => Fate::Trouble {
                status: [500, 502, 503, 504][rng.usize(..4)],
                acted: kind == Kind::TroubleAfter,
                is_page: rng.bool(),
            },
            Kind::NoConnection => Fate::NoConnection,
            Kind::ResetBefore => Fate::Reset { acted: false },
            Kind::ResetAfter => Fate::Reset { acted: true },
            Kind::Cut => Fate::Cut { keep: [0, 100, 500, 990][rng.usize(..4)] },
            Kind::Slow => {
                let mut span = || Duration::from_millis([0, 40, 700, 5_000, 45_000, 130_000][rng.usize(..6)]);
                Fate::Slow { there: span(), back: span() }
            }
            Kind::Late => Fate::Late { by: Duration::from_secs(rng.u64(121..170)) },
            Kind::Stale => Fate::Stale { age: Duration::from_millis(rng.u64(100..4_000)) },
            Kind::NoOp => Fate::NoOp,
            Kind::Deactivates => {
                Fate::Deactivates { after: Duration::from_millis([0, 0, 300, 4_000, 20_000][rng.usize(..5)]) }
            }
        }
    }
}
