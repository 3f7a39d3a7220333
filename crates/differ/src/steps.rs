//! Steps: changes that know what they wait for, before they are put in order.

use crate::cycles::{Placement, Splits};
use crate::handover::Wait;
use crate::live::Live;
use crate::people::{Fate, Person};
use crate::temporary::Temporaries;
use model::attribute::{Attribute, Value};
use model::change::Need;
use model::directory::{User, UserIndex};
use model::roster::UserEntry;
use model::{Action, Edit, Place, Roster, UserRef};

/// A step, by position in [`Steps::list`].
pub(crate) type StepId = usize;

/// Whom or what a step changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Subject {
    /// A person of the roster.
    Entry(usize),
    /// An account that the roster does not list.
    Account(UserIndex),
    /// A group of the roster.
    Group(usize),
    /// A live group that the roster does not list.
    LiveGroup(usize),
}

/// When a step is shown, and done, among those that could be done as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    /// People leave groups.
    TakeAway,
    /// People leave.
    Deactivate,
    /// People join or come back.
    Join,
    /// People change.
    Update,
    /// Groups change.
    Group,
    /// Groups go.
    Delete,
}

/// A change in the making.
pub(crate) struct Step {
    /// What is done.
    pub(crate) action: Action,
    /// What people call the resource.
    pub(crate) name: Box<str>,
    /// The roster entry it comes from.
    pub(crate) origin: Option<Place>,
    /// Whom it changes.
    pub(crate) subject: Subject,
    /// When it is shown.
    pub(crate) class: Class,
    /// Its place within the class: the roster's order, then the rest by id.
    pub(crate) position: usize,
    /// What must be over before.
    pub(crate) waits: Vec<(StepId, Need)>,
}

/// All steps.
pub(crate) struct Steps {
    /// The steps, in no order that matters.
    pub(crate) list: Vec<Step>,
}

impl Steps {
    /// Adds a step and names it.
    pub(crate) fn push(&mut self, step: Step) -> StepId {
        self.list.push(step);
        self.list.len() - 1
    }

    /// Makes one step wait for another, unless they are the same.
    pub(crate) fn wait(&mut self, step: StepId, on: StepId, need: Need) {
        if step != on {
            self.list[step].waits.push((on, need));
        }
    }
}

/// The steps of one person.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Own {
    /// The request, or the first of two.
    first: Option<StepId>,
    /// The second, if the person is split.
    second: Option<StepId>,
    /// The deactivation, which carries nothing else.
    deactivation: Option<StepId>,
}

/// The steps of all people.
pub(crate) struct PeopleSteps {
    /// Per entry.
    pub(crate) own: Vec<Own>,
    /// Per entry, the step after which a group can take the person in, if it could not before.
    pub(crate) admits: Vec<Option<StepId>>,
    /// The deactivations, with the accounts they deactivate.
    pub(crate) deactivations: Vec<(UserIndex, StepId)>,
}

/// What the steps of people are made from.
pub(crate) struct Crowd<'a> {
    /// The desired state.
    pub(crate) roster: &'a Roster,
    /// The live state.
    pub(crate) live: &'a Live<'a>,
    /// Accounts to deactivate because nobody lists them, by id.
    pub(crate) unlisted: &'a [UserIndex],
    /// Who waits for whom.
    pub(crate) waits: &'a [Wait],
    /// Who is split.
    pub(crate) splits: &'a Splits,
}

impl Crowd<'_> {
    /// Makes the steps of all people and ties them together.
    pub(crate) fn steps(
        &self,
        people: Vec<Person>,
        steps: &mut Steps,
        temporaries: &mut Temporaries,
    ) -> PeopleSteps {
        let count = people.len();
        let mut all = PeopleSteps {
            own: vec![Own::default(); count],
            admits: vec![None; count],
            deactivations: Vec::new(),
        };
        for (at, person) in people.into_iter().enumerate() {
            self.person(at, person, steps, temporaries, &mut all);
        }
        for (rank, account) in self.unlisted.iter().enumerate() {
            let user = self.live.user(*account);
            let step = Step {
                action: deactivation(user, None),
                name: user.user_name().into(),
                origin: None,
                subject: Subject::Account(*account),
                class: Class::Deactivate,
                position: count + rank,
                waits: Vec::new(),
            };
            all.deactivations.push((*account, steps.push(step)));
        }
        for wait in self.waits {
            let later = self.splits.placement(wait.entry, wait.via) != Placement::First;
            let given_later =
                wait.gives.is_some_and(|gives| self.splits.placement(wait.on, gives) == Placement::Second);
            let (taker, giver) = (&all.own[wait.entry], &all.own[wait.on]);
            let taker = if later { taker.second } else { taker.first };
            let giver = if given_later { giver.second } else { giver.first };
            if let (Some(taker), Some(giver)) = (taker, giver) {
                steps.wait(taker, giver, Need::Success);
            }
        }
        all
    }

    fn person(
        &self,
        at: usize,
        person: Person,
        steps: &mut Steps,
        temporaries: &mut Temporaries,
        all: &mut PeopleSteps,
    ) {
        let Person { account, fate, edits, reserve: _ } = person;
        let entry = &self.roster.users[at];
        let admits = edits.iter().any(|edit| match edit.attribute {
            Attribute::Active => edit.after == Some(Value::Flag(true)),
            // Sheet S14 is at odds with itself on whether guests can be in groups.
            Attribute::Guest => edit.after == Some(Value::Flag(false)),
            _ => false,
        });
        let class = match fate {
            Fate::Create | Fate::Reactivate => Class::Join,
            _ => Class::Update,
        };
        let step = |action, class| Step {
            action,
            name: entry.user_name.value.as_str().into(),
            origin: Some(entry.place),
            subject: Subject::Entry(at),
            class,
            position: at,
            waits: Vec::new(),
        };
        let own = &mut all.own[at];
        if !edits.is_empty() {
            let account = account.map(|account| self.live.user(account));
            let is_split = self.splits.contains(at);
            let (first, second) =
                if is_split { self.divide(at, edits, account, temporaries) } else { (edits, Vec::new()) };
            own.first = Some(steps.push(step(request(entry, account, first, &[]), class)));
            if is_split {
                let before = request_edits(own.first.map(|id| &steps.list[id].action));
                let action = request(entry, account, second, &before);
                own.second = Some(steps.push(step(action, Class::Update)));
            }
        }
        if let (Fate::Leave, Some(account)) = (fate, account) {
            let action = deactivation(self.live.user(account), Some(entry.active.place));
            let id = steps.push(step(action, Class::Deactivate));
            own.deactivation = Some(id);
            all.deactivations.push((account, id));
        }
        if let (Some(first), Some(second)) = (own.first, own.second) {
            steps.wait(second, first, Need::Success);
        }
        // The name is given up before the account is deactivated: whether Slack lets a deactivated account be changed
        // is not known (sheet S11). If that fails, the person leaves all the same.
        for names in [own.first, own.second].into_iter().flatten() {
            if let Some(deactivation) = own.deactivation {
                steps.wait(deactivation, names, Need::End);
            }
        }
        if admits {
            all.admits[at] = own.first;
        }
    }

    /// The edits of the first and the second request of a person who is split.
    fn divide(
        &self,
        at: usize,
        edits: Vec<Edit>,
        account: Option<&User>,
        temporaries: &mut Temporaries,
    ) -> (Vec<Edit>, Vec<Edit>) {
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for edit in edits {
            match (self.splits.placement(at, edit.attribute), account) {
                (Placement::First, _) => first.push(edit),
                (Placement::Temporary, Some(user)) => {
                    let before = edit.before.as_deref().unwrap_or_default();
                    let value = match edit.attribute {
                        Attribute::UserName => Some(temporaries.user_name(user.id.as_str())),
                        Attribute::Email => Some(temporaries.address(user.id.as_str(), before)),
                        // A second address may simply be missing for a while.
                        _ => None,
                    };
                    let after = value.as_deref().map(|value| Value::Text(value.into()));
                    first.push(Edit { after, temporary: true, ..edit.clone() });
                    second.push(Edit { before: value, ..edit });
                }
                (Placement::Second | Placement::Temporary, _) => second.push(edit),
            }
        }
        (first, second)
    }
}

fn request_edits(action: Option<&Action>) -> Vec<Edit> {
    match action {
        Some(Action::CreateUser { edits, .. } | Action::UpdateUser { edits, .. }) => edits.clone(),
        _ => Vec::new(),
    }
}

/// A POST when there is no account and nothing was done `before`, else a PATCH.
fn request(entry: &UserEntry, account: Option<&User>, edits: Vec<Edit>, before: &[Edit]) -> Action {
    match account {
        None if before.is_empty() => Action::CreateUser { user_name: entry.user_name.value.clone(), edits },
        None => {
            let value = |attribute| done(before, attribute).and_then(text_after);
            let siblings = siblings(&value, &edits);
            Action::UpdateUser { id: UserRef::New(entry.user_name.value.clone()), edits, siblings }
        }
        Some(user) => {
            let value = |attribute| match done(before, attribute) {
                Some(edit) => text_after(edit),
                None => user.get(attribute).map(Into::into),
            };
            let siblings = siblings(&value, &edits);
            Action::UpdateUser { id: UserRef::Existing(user.id.clone()), edits, siblings }
        }
    }
}

/// What an earlier request of the same person made of an attribute.
fn done(before: &[Edit], attribute: Attribute) -> Option<&Edit> {
    before.iter().find(|edit| edit.attribute == attribute)
}

fn text_after(edit: &Edit) -> Option<Box<str>> {
    edit.after.as_ref().map(|value| value.text().into())
}

/// The attributes that one SCIM attribute holds together.
const FAMILIES: [&[Attribute]; 3] = [
    &[Attribute::Email, Attribute::SecondaryEmail],
    &[Attribute::Phone, Attribute::MobilePhone],
    &[
        Attribute::StreetAddress,
        Attribute::Locality,
        Attribute::Region,
        Attribute::PostalCode,
        Attribute::Country,
    ],
];

/// The values that stay beside the edited ones in the same SCIM attribute. An address that moves into the other slot is
/// not repeated in the one it leaves.
fn siblings(value: &dyn Fn(Attribute) -> Option<Box<str>>, edits: &[Edit]) -> Vec<(Attribute, Box<str>)> {
    let edited = |attribute: &Attribute| edits.iter().any(|edit| edit.attribute == *attribute);
    let mut found = Vec::new();
    for family in FAMILIES.into_iter().filter(|family| family.iter().any(edited)) {
        for attribute in family.iter().filter(|attribute| !edited(attribute)) {
            let Some(text) = value(*attribute) else { continue };
            let moved = family[0] == Attribute::Email
                && edits.iter().filter_map(crate::handover::taken).any(|(space, name)| {
                    space == crate::live::Space::Addresses && name == model::names::fold(&text)
                });
            if !moved {
                found.push((*attribute, text));
            }
        }
    }
    found
}

fn deactivation(user: &User, origin: Option<Place>) -> Action {
    let edit = Edit {
        attribute: Attribute::Active,
        before: Some(user.active.to_string().into()),
        after: Some(Value::Flag(false)),
        selector: user.selector(Attribute::Active).map(Into::into),
        temporary: false,
        origin,
    };
    Action::UpdateUser { id: UserRef::Existing(user.id.clone()), edits: vec![edit], siblings: Vec::new() }
}
