//! What the last 24 hours' runs did, and how much there was before them.

use model::directory::{AccountKind, Directory, Group, User};
use model::names::{GroupId, UserId, fold};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// What the runs of the last 24 hours did to one service, as far as their journal tells. What may have been done counts
/// as done; each account, group and membership counts once however often it was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recent {
    /// Accounts deactivated.
    pub deactivated: BTreeSet<UserId>,
    /// Accounts reactivated. No limit counts them; they were not among the active people when the 24 hours began.
    pub reactivated: BTreeSet<UserId>,
    /// userNames of the entries that accounts were created for, folded, with the accounts' ids where they are known.
    pub created: BTreeMap<Box<str>, Option<UserId>>,
    /// Accounts whose primary address changed.
    pub emails: BTreeSet<UserId>,
    /// Accounts whose userName changed.
    pub user_names: BTreeSet<UserId>,
    /// Accounts made guests, or members.
    pub guests: BTreeSet<UserId>,
    /// Memberships that ended, those of deleted groups among them.
    pub removed: BTreeSet<(GroupId, UserId)>,
    /// Memberships that began, where group and account have known ids. No limit counts them; they did not hold when the
    /// 24 hours began.
    pub added: BTreeSet<(GroupId, UserId)>,
    /// Groups deleted.
    pub deleted: BTreeSet<GroupId>,
    /// Groups created, where their ids are known. No limit counts them; they were not there when the 24 hours began.
    pub created_groups: BTreeSet<GroupId>,
}

/// How much there is of something, and how much there was when the 24 hours began: what a percentage is of. Were it of
/// what is left, a plan that was interrupted might not be finished, and what it created or took in would make room for
/// taking away more.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Whole {
    pub(super) now: usize,
    pub(super) then: usize,
}

impl Whole {
    /// `gone` was there and is no more, `new` is there and was not.
    fn new(now: usize, gone: usize, new: usize) -> Self {
        Self { now, then: (now + gone).saturating_sub(new) }
    }
}

/// The wholes that limits are a share of.
pub(super) struct Wholes {
    /// Active people.
    pub(super) active: Whole,
    /// Memberships, all groups together.
    pub(super) memberships: Whole,
    /// Groups.
    pub(super) groups: Whole,
}

/// A directory with what was recently done to it.
pub(super) struct Past<'a> {
    directory: &'a Directory,
    recent: &'a Recent,
    groups: HashMap<&'a GroupId, &'a Group>,
    /// Per group, the memberships that ended.
    removed: HashMap<&'a GroupId, Vec<&'a UserId>>,
    /// Per group, the memberships that began.
    added: HashMap<&'a GroupId, Vec<&'a UserId>>,
}

impl<'a> Past<'a> {
    pub(super) fn new(directory: &'a Directory, recent: &'a Recent) -> Self {
        let by_group = |pairs: &'a BTreeSet<(GroupId, UserId)>| {
            let mut found: HashMap<&GroupId, Vec<&UserId>> = HashMap::new();
            for (group, user) in pairs {
                found.entry(group).or_default().push(user);
            }
            found
        };
        Self {
            directory,
            recent,
            groups: directory.groups.iter().map(|group| (&group.id, group)).collect(),
            removed: by_group(&recent.removed),
            added: by_group(&recent.added),
        }
    }

    /// A group that is there.
    pub(super) fn group(&self, id: &GroupId) -> Option<&'a Group> {
        self.groups.get(id).copied()
    }

    /// Who left a group of late.
    pub(super) fn left(&self, group: &GroupId) -> &[&'a UserId] {
        self.removed.get(group).map_or(&[], Vec::as_slice)
    }

    pub(super) fn wholes(&self) -> Wholes {
        let changed: BTreeSet<&GroupId> = self.removed.keys().chain(self.added.keys()).copied().collect();
        let (mut gone, mut new) = (0, 0);
        for id in changed {
            let (left, joined) = self.turnover(id);
            gone += left;
            new += joined;
        }
        let Recent { deleted, created_groups, .. } = self.recent;
        let deleted = deleted
            .iter()
            .filter(|id| !self.groups.contains_key(*id) && !created_groups.contains(*id))
            .count();
        let created = created_groups.iter().filter(|id| self.groups.contains_key(id)).count();
        Wholes {
            active: self.active(),
            memberships: Whole::new(self.directory.memberships(), gone, new),
            groups: Whole::new(self.directory.groups.len(), deleted, created),
        }
    }

    /// The members of one group.
    pub(super) fn members(&self, group: &Group) -> Whole {
        let (left, joined) = self.turnover(&group.id);
        Whole::new(group.members.len(), left, joined)
    }

    /// How many members a group had and has no more, and how many it has and had not, as far as is known. Of somebody who
    /// was both removed and added, whatever makes the whole smaller is taken to be so.
    fn turnover(&self, id: &GroupId) -> (usize, usize) {
        let (left, joined) = (self.left(id), self.added.get(id).map_or(&[][..], Vec::as_slice));
        let group = self.groups.get(id);
        let is_member = |user: &UserId| {
            let index = self.directory.find(user);
            group.zip(index).is_some_and(|(group, index)| group.members.binary_search(&index).is_ok())
        };
        // Both lists are in the order of the ids.
        let gone = left.iter().filter(|id| joined.binary_search(id).is_err() && !is_member(id)).count();
        (gone, joined.iter().filter(|id| is_member(id)).count())
    }

    fn active(&self) -> Whole {
        let Recent { deactivated, reactivated, created, .. } = self.recent;
        let is_active = |user: &User| user.active && user.kind == AccountKind::Person;
        let live = |id: &UserId| self.directory.find(id).and_then(|index| self.directory.user(index));
        let named: HashMap<String, &User> = if created.values().any(Option::is_none) {
            self.directory.users.iter().map(|user| (fold(user.user_name()), user)).collect()
        } else {
            HashMap::new()
        };
        // An account that is new was not there, whatever was done to it since.
        let new: HashSet<&UserId> = created
            .iter()
            .filter_map(|(name, id)| match id {
                Some(id) => Some(id),
                None => named.get(&**name).map(|user| &user.id),
            })
            .collect();
        let gone = deactivated
            .iter()
            .filter(|id| !new.contains(id) && !reactivated.contains(*id) && !live(id).is_some_and(is_active))
            .count();
        let back = reactivated.iter().filter(|id| !new.contains(id));
        let joined = new.iter().copied().chain(back).filter(|id| live(id).is_some_and(is_active)).count();
        Whole::new(self.directory.active_people(), gone, joined)
    }
}
