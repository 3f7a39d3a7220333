//! From a roster and a directory to the changeset between them.
//!
//! [`diff`] is a pure function: it matches the people and groups of both sides, finds what differs, and puts the
//! requests that are needed in an order in which each of them is legal.
//!
//! # Flow
//! 1. `matching` says who is who; `protect` who is out of bounds.
//! 2. `people` and `groups` find what is to become of each, `handover` who passes a name or address to whom.
//! 3. `cycles` splits requests that would wait for each other in a circle.
//! 4. `steps` and `group_steps` make the requests, `only` narrows them, `order` puts them in order.
//!
//! # Guarantees
//! * The same input gives the same output, in whatever order the service lists its accounts, groups and members.
//! * No shorter sequence of requests reaches the roster in an allowed order, except where more than six people who
//!   could each be split wait for each other in circles that are not simple.
//! * Time and memory grow in proportion to the input.

#![forbid(unsafe_code)]

mod brakes;
mod cycles;
mod feedback;
mod group_steps;
mod groups;
mod handover;
mod live;
mod matching;
mod notes;
mod only;
mod order;
mod people;
mod protect;
mod steps;
mod temporary;

use jiff::Timestamp;
use model::directory::UserIndex;
use model::plan::{Note, Verdict};
use model::{Changeset, Diagnostic, Directory, Roster};

/// What a diff depends on besides its two sides.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// The time at which it is decided whether a guest has expired.
    pub now: Timestamp,
    /// The people and groups to narrow the changeset to, by userName, e-mail, displayName or id; all when empty.
    pub only: &'a [String],
}

/// The changes between a roster and a directory, and what was noticed on the way.
#[derive(Debug, Clone)]
#[must_use]
pub struct Diff {
    /// The changes, in order.
    pub changeset: Changeset,
    /// What blocks the changeset that only the differ can see: the guards `identity`, `lookAlike` and `protect`.
    pub verdicts: Vec<Verdict>,
    /// What is left undone, and why; most important first.
    pub notes: Vec<Note>,
    /// Who was found to be who.
    pub matched: Matched,
}

/// Which live resources the entries of the roster are.
#[derive(Debug, Clone, Default)]
pub struct Matched {
    /// Per person of the roster, their account.
    pub users: Vec<Option<UserIndex>>,
    /// Per group of the roster, the live group by its position in the directory.
    pub groups: Vec<Option<usize>>,
}

/// Finds the changes that take a directory to a roster.
///
/// # Errors
/// Every identity that is in doubt, with everybody concerned: accounts and groups claimed twice, names and addresses
/// that their holders keep, references to people without an account, names in [`Options::only`] that nobody has.
/// Nothing is planned then.
pub fn diff(roster: &Roster, directory: &Directory, options: &Options) -> Result<Diff, Vec<Diagnostic>> {
    let live = live::Live::new(directory);
    let mut errors = Vec::new();
    let matched = matching::people(roster, &live, &mut errors);
    let matched_groups = matching::groups(roster, &live, &mut errors);
    // Whatever follows from a wrong identity would only be noise beside it.
    refuse(&mut errors)?;

    let mut verdicts = Vec::new();
    let mut notes = notes::none();
    let protection = protect::Protection::new(roster, &live, &matched, &matched_groups, &mut verdicts);
    let scene =
        people::Scene { roster, live: &live, matched: &matched, protection: &protection, now: options.now };
    let mut people = people::plan(&scene, &mut notes, &mut verdicts, &mut errors);
    let unlisted = people::unlisted_leavers(&scene, &mut notes);
    let mut waits = handover::handovers(roster, &live, &matched, &mut people, &mut errors);
    waits.extend(handover::new_managers(roster, &people));
    brakes::identity(&scene, &people, &mut verdicts);
    brakes::look_alikes(&scene, &people, &unlisted, &mut verdicts);
    let group_scene =
        groups::GroupScene { scene: &scene, people: &people, unlisted: &unlisted, matched: &matched_groups };
    let group_plan = groups::plan(&group_scene, &mut notes, &mut verdicts, &mut errors);
    refuse(&mut errors)?;

    let creations: Vec<bool> = people.iter().map(|person| person.fate == people::Fate::Create).collect();
    let splits = cycles::cut(&waits, &creations);
    // Nearly all there will be: a list that doubles would be the largest thing here.
    let changed = people.iter().filter(|person| !person.edits.is_empty()).count();
    let mut steps = steps::Steps { list: Vec::with_capacity(changed + group_plan.work.len()) };
    let mut temporaries = temporary::Temporaries::new(roster, &live);
    let crowd = steps::Crowd { roster, live: &live, unlisted: &unlisted, waits: &waits, splits: &splits };
    let people_steps = crowd.steps(people, &mut steps, &mut temporaries);
    group_steps::steps(&scene, group_plan, &people_steps, &mut steps, &mut temporaries);
    let steps = only::narrow(
        steps,
        options.only,
        (roster, &live),
        (&matched, &matched_groups),
        &mut notes,
        &mut errors,
    );
    refuse(&mut errors)?;
    let changeset = order::ordered(steps)?;

    let users = (0..roster.users.len()).map(|at| matched.account(at)).collect();
    Ok(Diff {
        changeset,
        verdicts,
        notes: notes.finish(),
        matched: Matched { users, groups: matched_groups.live },
    })
}

/// Ends with the errors there are, in the order of the roster.
fn refuse(errors: &mut Vec<Diagnostic>) -> Result<(), Vec<Diagnostic>> {
    if errors.is_empty() {
        return Ok(());
    }
    errors.sort_by_key(|error| error.label.place);
    Err(std::mem::take(errors))
}
