//! Worlds out of genes: a list of small numbers that proptest makes and shrinks, each of which decides one thing. Zeros
//! make the simplest world.

use crate::remote::{Remote, account};
use crate::world::{Entry, GroupLine, World, group, person};
use model::attribute::Attribute as A;
use model::policy::{AttributeMode, UnlistedGroups, UnlistedMembers, UnlistedUsers};

/// Decides one thing after the other.
pub(crate) struct Genes<'a> {
    rest: std::slice::Iter<'a, u8>,
}

impl<'a> Genes<'a> {
    pub(crate) fn new(genes: &'a [u8]) -> Self {
        Self { rest: genes.iter() }
    }

    /// A number below `below`.
    fn pick(&mut self, below: usize) -> usize {
        self.rest.next().map_or(0, |gene| usize::from(*gene) % below.max(1))
    }

    /// Yes, once in so many times.
    fn once_in(&mut self, times: usize) -> bool {
        self.pick(times) == times - 1
    }

    /// Takes an item out of a pool: the one at `at`, as a rule.
    fn draw(&mut self, pool: &mut Vec<String>, at: usize) -> String {
        let other = self.once_in(2);
        let at = if other { self.pick(pool.len()) } else { at.min(pool.len() - 1) };
        pool.remove(at)
    }
}

/// How much there may be in a world.
#[derive(Clone, Copy)]
pub(crate) struct Scale {
    pub(crate) people: usize,
    pub(crate) groups: usize,
    /// Whether there are bots, unlisted, unmanaged and protected people, and entries without an id, too.
    pub(crate) outsiders: bool,
}

/// A roster and a remote that have little or much to do with each other.
pub(crate) fn world(genes: &[u8], scale: Scale) -> (World, Remote) {
    let genes = &mut Genes::new(genes);
    let mut world = World::default();
    let mut remote = Remote::default();
    policy(genes, &mut world, scale);
    let people = 1 + genes.pick(scale.people);
    let mut names: Vec<String> = (0..=people).map(|at| format!("n{at}")).collect();
    let mut addresses: Vec<String> = (0..=people * 2).map(|at| format!("e{at}@acme.example")).collect();
    let second = |at: usize| format!("s{at}@acme.example");
    let mut seconds: Vec<String> = (0..people).map(second).collect();
    for at in 0..people {
        // What is born here first are the accounts; the pools still hold every name.
        let (exists, active) = [(true, true), (true, true), (true, false), (false, false)][genes.pick(4)];
        if exists {
            let mut born = account(&format!("n{at}"), &format!("e{at}@acme.example"));
            born.active = active;
            born.guest = genes.once_in(6);
            if genes.once_in(3) {
                born.set(A::SecondaryEmail, &second(at));
            }
            if genes.once_in(2) {
                born.set(A::Title, "t1");
            }
            if genes.once_in(3) {
                born.set(A::Manager, &format!("U{}", genes.pick(people)));
            }
            born.bot = scale.outsiders && genes.once_in(12);
            remote.add(&format!("U{at}"), born);
        }
    }
    for at in 0..people {
        let id = format!("U{at}");
        let live = remote.accounts.get(&id);
        let skipped = live.is_some_and(|live| live.bot) || (scale.outsiders && genes.once_in(6));
        if skipped && live.is_some() {
            continue;
        }
        let id = live.is_some().then_some(id);
        let entry = entry(genes, at, (people, scale), (&mut names, &mut addresses, &mut seconds), id);
        world.entries.push(entry);
    }
    let count = world.entries.len();
    for at in 0..count {
        if genes.once_in(2) && count > 1 {
            let manager = (at + 1 + genes.pick(count - 1)) % count;
            let manager = u32::try_from(manager).unwrap();
            let entry = world.entries[at].clone();
            world.entries[at] = entry.manager(manager);
        }
    }
    groups(genes, &mut world, &mut remote, scale);
    if scale.outsiders {
        if genes.once_in(4) {
            world = world.protect_user(&format!("U{}", genes.pick(people)));
        }
        if genes.once_in(6) {
            world = world.protect_group("S0");
        }
    }
    (world, remote)
}

fn policy(genes: &mut Genes, world: &mut World, scale: Scale) {
    if genes.once_in(3) {
        world.policy.unlisted.users = UnlistedUsers::Deactivate;
    }
    if genes.once_in(2) {
        world.policy.unlisted.groups = UnlistedGroups::Delete;
    }
    if genes.once_in(4) {
        world.policy.unlisted.members = UnlistedMembers::Keep;
    }
    if scale.outsiders && genes.once_in(6) {
        world.policy.attributes.set(A::Title, AttributeMode::OnCreate);
    }
}

fn entry(
    genes: &mut Genes,
    at: usize,
    (people, scale): (usize, Scale),
    (names, addresses, seconds): (&mut Vec<String>, &mut Vec<String>, &mut Vec<String>),
    id: Option<String>,
) -> Entry {
    // The pools shrink as names are given away; this keeps most people close to their own.
    let close = |pool: &Vec<String>, full: usize| at.saturating_sub(full - pool.len());
    let name_at = close(names, people + 1);
    let address_at = close(addresses, people * 2 + 1);
    let mut entry = person(&genes.draw(names, name_at));
    entry.email = if genes.once_in(10) && !seconds.is_empty() {
        genes.draw(seconds, 0)
    } else {
        genes.draw(addresses, address_at)
    };
    entry.id = id.filter(|_| !scale.outsiders || !genes.once_in(4));
    match genes.pick(6) {
        0..=2 => {}
        3 => entry = entry.cleared(A::SecondaryEmail),
        4 if !seconds.is_empty() => entry = entry.text(A::SecondaryEmail, &seconds.remove(0)),
        _ if addresses.len() > 1 => entry = entry.text(A::SecondaryEmail, &addresses.remove(0)),
        _ => {}
    }
    entry.active = !genes.once_in(4);
    entry.managed = !(scale.outsiders && genes.once_in(10));
    entry = match genes.pick(5) {
        0 | 1 => entry,
        2 => entry.cleared(A::Title),
        3 => entry.text(A::Title, "t1"),
        _ => entry.text(A::Title, "t2"),
    };
    if scale.outsiders && genes.once_in(4) {
        entry = entry.default_text(A::Timezone, "Europe/London");
    }
    match genes.pick(8) {
        0..=5 => entry,
        6 => entry.guest(),
        _ => entry.full_member(),
    }
}

fn groups(genes: &mut Genes, world: &mut World, remote: &mut Remote, scale: Scale) {
    let count = genes.pick(scale.groups + 1);
    let mut names: Vec<String> = (0..=count).map(|at| format!("g{at}")).collect();
    let accounts: Vec<String> = remote.accounts.keys().cloned().collect();
    let active: Vec<String> =
        world.entries.iter().filter(|entry| entry.active).map(|entry| entry.name.clone()).collect();
    let mut lines: Vec<GroupLine> = Vec::new();
    for at in 0..count {
        let exists = !genes.once_in(4);
        if exists {
            let members: Vec<&str> =
                accounts.iter().filter(|_| genes.once_in(2)).map(String::as_str).collect();
            remote.add_group(&format!("S{at}"), &format!("g{at}"), &members);
            if scale.outsiders && genes.once_in(4) {
                remote.group(&format!("S{at}")).members.insert("foreign-1".to_owned());
            }
        }
        if exists && genes.once_in(4) {
            continue;
        }
        let close = at.saturating_sub(count + 1 - names.len());
        let mut line = group(&genes.draw(&mut names, close), &[]);
        line.members =
            (!genes.once_in(6)).then(|| active.iter().filter(|_| genes.once_in(2)).cloned().collect());
        line.id = exists.then(|| format!("S{at}"));
        lines.push(line);
    }
    world.groups = (count > 0 || genes.once_in(2)).then_some(lines);
}
