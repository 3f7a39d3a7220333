//! Made-up companies of any size: a roster and the workspace it is for, the same for the same size and seed.
//!
//! For measuring and for tests at scale. Each person has twelve attributes and a name in one of ten scripts; there is a
//! group for every 20 people, of 200 members on average. The rosters are written the way people write them: some values
//! quoted, some lists in brackets and some a line a member, a comment here and there.

mod names;
mod text;

use fastrand::Rng;
use model::Texts;
use model::attribute::{Attribute, Dialect};
use model::directory::{AccountKind, Directory, RawGroup, User};
use model::names::{GroupId, UserId};
use names::PEOPLE_OF;
use reconciler::snapshot::{self, Snapshot};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

/// How many people there are to a group.
const PEOPLE_PER_GROUP: usize = 20;

/// The sizes of groups in hundredths of the average; their mean is 100. Few groups are large and most are small.
const SIZES: [usize; 8] = [10, 20, 40, 60, 100, 120, 160, 290];

/// How many members a group has on average.
const AVERAGE_MEMBERS: usize = 200;

/// How many people report to one manager.
const REPORTS: usize = 9;

/// One deactivated account for so many people: leavers whom the roster no longer lists.
const PEOPLE_PER_LEAVER: usize = 25;

/// A person of the company, as the roster has them.
#[derive(Debug, Clone)]
struct Person {
    user_name: String,
    email: String,
    given: &'static str,
    family: &'static str,
    title: String,
    phone: String,
    city: &'static str,
    timezone: &'static str,
    employee_number: String,
    department: &'static str,
    /// The position of the manager, which is lower than the person's own; nobody for the first.
    manager: Option<usize>,
    start_date: String,
}

/// A group of the company: its name and the positions of its members, ascending.
#[derive(Debug, Clone)]
struct Team {
    name: String,
    members: Vec<usize>,
}

/// How the workspace differs from the roster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// Not at all.
    InSync,
    /// Two people and two groups of a hundred differ: titles, departments, managers and members.
    Changed,
    /// There is nobody and no group.
    FirstImport,
    /// Every group lacks one of its members and has one too many.
    EveryGroup,
}

impl Variant {
    /// All variants, with the names of their files.
    pub const ALL: [(&'static str, Self); 4] = [
        ("in-sync", Self::InSync),
        ("changed", Self::Changed),
        ("first-import", Self::FirstImport),
        ("every-group", Self::EveryGroup),
    ];
}

/// A company.
#[derive(Debug, Clone)]
pub struct Company {
    people: Vec<Person>,
    teams: Vec<Team>,
    seed: u64,
}

impl Company {
    /// A company of so many people.
    pub fn new(people: usize, seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let people: Vec<Person> = (0..people).map(|at| person(at, &mut rng)).collect();
        let teams =
            (0..people.len().div_ceil(PEOPLE_PER_GROUP)).map(|at| team(at, people.len(), &mut rng)).collect();
        Self { people, teams, seed }
    }

    /// The roster as one file.
    pub fn roster(&self) -> String {
        text::file(self, 0..self.people.len(), 0..self.teams.len(), true, self.seed)
    }

    /// The roster as a folder: paths and texts of files of a thousand people, and of a hundred groups.
    pub fn roster_folder(&self) -> Vec<(String, String)> {
        text::folder(self, self.seed)
    }

    /// The workspace as a snapshot would hold it.
    pub fn directory(&self, variant: Variant) -> Directory {
        if variant == Variant::FirstImport {
            return Directory::new(Dialect::Slack, Vec::new(), Vec::new());
        }
        let mut rng = Rng::with_seed(self.seed);
        let leavers = self.people.len() / PEOPLE_PER_LEAVER;
        let users = self.people.iter().enumerate().map(|(at, person)| account(at, person, variant));
        let users: Vec<User> = users.chain((0..leavers).map(leaver)).chain([bot()]).collect();
        let groups =
            self.teams.iter().enumerate().map(|(at, team)| self.group(at, team, variant, &mut rng)).collect();
        Directory::new(Dialect::Slack, users, groups)
    }

    fn group(&self, at: usize, team: &Team, variant: Variant, rng: &mut Rng) -> RawGroup {
        let differs = match variant {
            Variant::InSync | Variant::FirstImport => false,
            Variant::Changed => at % 50 == 7,
            Variant::EveryGroup => true,
        };
        let mut members = team.members.clone();
        if differs && !members.is_empty() {
            members.remove(rng.usize(..members.len()));
            let stranger = (0..self.people.len()).find(|person| team.members.binary_search(person).is_err());
            members.extend(stranger);
        }
        RawGroup {
            id: GroupId::new(format!("S0{at:08}")),
            display_name: team.name.as_str().into(),
            members: members.into_iter().map(|member| user_id(member).into()).collect(),
        }
    }
}

/// The live account of a person.
fn account(at: usize, person: &Person, variant: Variant) -> User {
    let differs = variant == Variant::Changed && at % 50 == 7;
    let manager = match person.manager {
        Some(_) if differs && at.is_multiple_of(3) => Some(user_id(0)),
        manager => manager.map(user_id),
    };
    let title = if differs && at % 3 == 1 { "Trainee" } else { &person.title };
    let department = if differs && at % 3 == 2 { "Archive" } else { person.department };
    let url = format!("https://acme.enterprise.slack.com/team/{}", person.user_name);
    let photo = format!("https://secure.gravatar.com/avatar/{at:032x}.jpg?s=192");
    let attributes = [
        (Attribute::UserName, &*person.user_name),
        (Attribute::Email, &person.email),
        (Attribute::GivenName, person.given),
        (Attribute::FamilyName, person.family),
        (Attribute::DisplayName, &person.user_name),
        (Attribute::Title, title),
        (Attribute::Phone, &person.phone),
        (Attribute::Photo, &photo),
        (Attribute::Locality, person.city),
        (Attribute::Locale, "en_US"),
        (Attribute::Timezone, person.timezone),
        (Attribute::ProfileUrl, &url),
        (Attribute::EmployeeNumber, &person.employee_number),
        (Attribute::Department, department),
        (Attribute::StartDate, &format!("{}T00:00:00Z", person.start_date)),
    ];
    let manager = manager.as_deref().map(|id| (Attribute::Manager, id));
    User { attributes: attributes.into_iter().chain(manager).collect(), ..user(user_id(at), true) }
}

fn person(at: usize, rng: &mut Rng) -> Person {
    let script = &PEOPLE_OF[rng.usize(..PEOPLE_OF.len())];
    let (given, spelled) = script.given[rng.usize(..script.given.len())];
    let family = script.family[rng.usize(..script.family.len())];
    let (city, timezone) = script.cities[rng.usize(..script.cities.len())];
    let user_name = format!("{spelled}.{at}");
    let grade = ["", "Senior ", "Staff ", "Principal "][rng.usize(..4)];
    let trade =
        ["Engineer", "Designer", "Analyst", "Counsel", "Editor", "Researcher", "Buyer"][rng.usize(..7)];
    // The blank and the ampersand, the colon and the hash are what makes people quote their titles.
    let tail = match rng.usize(..20) {
        0 => " & Mentor",
        1 => ": Special Projects",
        2 => " #2",
        3 => ", Infrastructure, Reliability and Everything Else That Must Not Stop",
        _ => "",
    };
    Person {
        email: format!("{user_name}@{}.example", if rng.usize(..10) == 0 { "agency" } else { "acme" }),
        user_name,
        given,
        family,
        title: format!("{grade}{trade}{tail}"),
        phone: format!("+{} {} {:07}", 30 + rng.usize(..60), 10 + rng.usize(..90), rng.usize(..10_000_000)),
        city,
        timezone,
        employee_number: format!("{:06}", 100_000 + at),
        department: ["Engines", "Sales", "Ops", "Design", "Law", "People", "Маркетинг", "研究"]
            [rng.usize(..8)],
        manager: at.checked_sub(1).map(|above| above / REPORTS),
        start_date: format!(
            "{}-{:02}-{:02}",
            2005 + rng.usize(..21),
            1 + rng.usize(..12),
            1 + rng.usize(..28)
        ),
    }
}

fn team(at: usize, people: usize, rng: &mut Rng) -> Team {
    let size = (AVERAGE_MEMBERS * SIZES[at % SIZES.len()] / 100).min(people);
    // Half of the groups are departments, whose people joined about the same time; half are drawn from everybody.
    let pool = if at.is_multiple_of(2) { people } else { (size * 4).min(people) };
    let first = rng.usize(..=people - pool);
    let mut chosen = vec![false; pool];
    let mut left = size;
    while left > 0 {
        let seat = &mut chosen[rng.usize(..pool)];
        left -= usize::from(!*seat);
        *seat = true;
    }
    let kind = ["team", "crew", "guild", "circle", "班", "команда", "groupe", "équipe"][rng.usize(..8)];
    let members =
        (first..).zip(chosen).filter_map(|(person, is_chosen)| is_chosen.then_some(person)).collect();
    Team { name: format!("{kind} {at}"), members }
}

fn user_id(at: usize) -> String {
    format!("U0{at:08}")
}

fn user(id: String, active: bool) -> User {
    User {
        id: UserId::new(id),
        kind: AccountKind::Person,
        active,
        guest: false,
        attributes: Texts::default(),
        selectors: Texts::default(),
    }
}

fn leaver(at: usize) -> User {
    let attributes = Texts::from([
        (Attribute::UserName, format!("former.{at}")),
        (Attribute::Email, format!("former.{at}@acme.example")),
        (Attribute::GivenName, "Former".to_owned()),
        (Attribute::FamilyName, format!("Colleague {at}")),
    ]);
    User { attributes, ..user(format!("U1{at:08}"), false) }
}

fn bot() -> User {
    // With an address, for the simulator takes no account without.
    let attributes =
        Texts::from([(Attribute::UserName, "deploy-bot"), (Attribute::Email, "deploy-bot@acme.example")]);
    User { kind: AccountKind::Bot, attributes, ..user("U2".to_owned(), true) }
}

/// Writes `roster.yaml`, the folder `roster`, and a snapshot for each variant (`in-sync.json` and so on).
///
/// # Errors
/// When the operating system refuses.
pub fn write(company: &Company, out: &Path) -> io::Result<()> {
    fs::create_dir_all(out)?;
    fs::write(out.join("roster.yaml"), company.roster())?;
    for (path, text) in company.roster_folder() {
        let path = out.join("roster").join(path);
        fs::create_dir_all(path.parent().unwrap_or(out))?;
        fs::write(path, text)?;
    }
    for (name, variant) in Variant::ALL {
        let mut file = BufWriter::new(File::create(out.join(name).with_extension("json"))?);
        let snapshot = Snapshot::whole(company.directory(variant), None);
        snapshot::write(&snapshot, &mut file, |file, value| write!(file, "{value}"))?;
        file.flush()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::NOW;
    use model::load;
    use model::place::Source;
    use model::{ChangeKind, Roster};
    use reconciler::planner::{self, Context};

    fn loaded(files: Vec<(String, String)>) -> Roster {
        let files = files.into_iter().map(|(path, text)| Source { path, text }).collect();
        let loaded = load::load(files, None).unwrap_or_else(|rejected| panic!("{:?}", rejected.diagnostics));
        assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
        loaded.roster
    }

    fn changes(company: &Company, roster: &Roster, variant: Variant) -> Vec<ChangeKind> {
        let context = Context { now: NOW, ..Context::default() };
        let plan = planner::plan(roster, &company.directory(variant), &context).unwrap();
        plan.changeset.changes.iter().map(model::Change::kind).collect()
    }

    #[test]
    fn a_seed_makes_the_same_company_each_time_and_another_seed_another() {
        assert_eq!(Company::new(300, 1).roster(), Company::new(300, 1).roster());
        assert_eq!(Company::new(300, 1).roster_folder(), Company::new(300, 1).roster_folder());
        assert_ne!(Company::new(300, 1).roster(), Company::new(300, 2).roster());
    }

    #[test]
    fn one_file_and_a_folder_say_the_same_and_the_workspace_is_in_sync_with_both() {
        let company = Company::new(1_000, 1);
        for files in [vec![("roster.yaml".to_owned(), company.roster())], company.roster_folder()] {
            let roster = loaded(files);
            let groups = roster.groups.as_ref().unwrap();
            assert_eq!((roster.users.len(), groups.len()), (1_000, 50));
            let said = |user: &model::roster::UserEntry| user.settings.len();
            assert!(roster.users.iter().skip(1).all(|user| said(user) == 10), "besides userName and email");
            let members: usize = groups.iter().flat_map(|group| &group.members).map(|m| m.list.len()).sum();
            assert!((9_000..=11_000).contains(&members), "{members}");
            assert_eq!(changes(&company, &roster, Variant::InSync), []);
        }
    }

    #[test]
    fn each_variant_differs_as_it_says() {
        let company = Company::new(1_000, 1);
        let roster = loaded(vec![("roster.yaml".to_owned(), company.roster())]);
        let count = |variant, kind| {
            changes(&company, &roster, variant).into_iter().filter(|changed| *changed == kind).count()
        };
        assert_eq!(count(Variant::Changed, ChangeKind::UpdateUser), 20);
        assert_eq!(count(Variant::Changed, ChangeKind::UpdateGroup), 1);
        assert_eq!(count(Variant::FirstImport, ChangeKind::CreateUser), 1_000);
        assert_eq!(count(Variant::FirstImport, ChangeKind::CreateGroup), 50);
        assert_eq!(changes(&company, &roster, Variant::EveryGroup), [ChangeKind::UpdateGroup; 50]);
    }
}
