//! Cutting cycles: who is changed by two requests instead of one, and what waits in a temporary value meanwhile.
//!
//! People who wait for each other in a circle cannot all be changed by one request each. A person who is *split* first
//! gives up what others wait for and later takes what others give up; the edits that have to do both wait in a temporary
//! value in between. Whoever is not split is one request, so the unsplit people must not wait for each other in a
//! circle: the fewest extra requests are a smallest feedback vertex set of the graph of waits.
//!
//! A creation can be split, too, but gives up nothing by it: what it can do later is to name a manager and to take a
//! secondary address. It never begins under a temporary name or address, since an account is announced to its address.

use crate::feedback;
use crate::handover::Wait;
use model::attribute::Attribute;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Up to how many people who could be split, all choices are tried. 2⁶ choices of a few dozen steps each cost nothing;
/// circles of more people are cut by [`feedback::Graph::cut`], which is exact on simple circles.
const EXHAUSTIVE: usize = 6;

/// How much work goes into avoiding temporary values in one knot of people, in visited waits. A knot that exhausts it
/// is cut with as few requests, and more temporary values than it might need.
const EFFORT: usize = 4_000_000;

/// Which of a split person's two requests makes an edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placement {
    /// The first.
    First,
    /// The second.
    Second,
    /// The first sets a temporary value, the second the roster's.
    Temporary,
}

/// The people who are split, by entry, and where their edits go. An edit that is not named goes first.
#[derive(Debug, Default)]
pub(crate) struct Splits(BTreeMap<usize, BTreeMap<Attribute, Placement>>);

impl Splits {
    /// Whether an entry is split.
    pub(crate) fn contains(&self, entry: usize) -> bool {
        self.0.contains_key(&entry)
    }

    /// Where an edit goes.
    pub(crate) fn placement(&self, entry: usize, attribute: Attribute) -> Placement {
        self.0.get(&entry).and_then(|edits| edits.get(&attribute)).copied().unwrap_or(Placement::First)
    }

    fn temporaries(&self) -> usize {
        self.0
            .values()
            .flat_map(BTreeMap::values)
            .filter(|placement| **placement == Placement::Temporary)
            .count()
    }
}

/// Decides who is split, so that nobody waits in a circle. `creations` tells for each entry whether its account is made.
pub(crate) fn cut(waits: &[Wait], creations: &[bool]) -> Splits {
    let mut splits = Splits::default();
    for knot in knots(waits, creations) {
        splits.0.extend(knot.cut().0);
    }
    splits
}

/// People who all wait for each other, directly or through others.
struct Knot<'a> {
    waits: Vec<Wait>,
    /// Who can be split, in the order of the roster.
    candidates: Vec<usize>,
    creations: &'a [bool],
}

/// The strongly connected components of more than one person.
fn knots<'a>(waits: &[Wait], creations: &'a [bool]) -> Vec<Knot<'a>> {
    let mut entries: Vec<usize> = waits.iter().flat_map(|wait| [wait.entry, wait.on]).collect();
    entries.sort_unstable();
    entries.dedup();
    let position: HashMap<usize, usize> =
        entries.iter().enumerate().map(|(at, entry)| (*entry, at)).collect();
    let mut edges: Vec<Vec<usize>> = vec![Vec::new(); entries.len()];
    for wait in waits.iter().filter(|wait| wait.entry != wait.on) {
        edges[position[&wait.entry]].push(position[&wait.on]);
    }
    let components = feedback::components(&edges);
    let count = components.iter().max().map_or(0, |last| last + 1);
    let mut sizes = vec![0_usize; count];
    for component in &components {
        sizes[*component] += 1;
    }
    let mut inner: BTreeMap<usize, Vec<Wait>> = BTreeMap::new();
    for wait in waits {
        let component = components[position[&wait.entry]];
        if component == components[position[&wait.on]] && sizes[component] > 1 {
            inner.entry(component).or_default().push(*wait);
        }
    }
    inner.into_values().map(|waits| Knot::new(waits, creations)).collect()
}

/// The edits that a creation can leave to a second request.
const fn deferrable(attribute: Attribute) -> bool {
    matches!(attribute, Attribute::SecondaryEmail | Attribute::Manager)
}

impl<'a> Knot<'a> {
    fn new(waits: Vec<Wait>, creations: &'a [bool]) -> Self {
        let candidates: BTreeSet<usize> = waits
            .iter()
            .filter(|wait| !creations[wait.entry] || deferrable(wait.via))
            .map(|wait| wait.entry)
            .collect();
        Self { waits, candidates: candidates.into_iter().collect(), creations }
    }

    fn cut(&self) -> Splits {
        if self.candidates.len() > EXHAUSTIVE {
            let mut effort = EFFORT;
            return self.relaxed(&self.large_cut(&mut effort), &mut effort);
        }
        let mut best: Option<Splits> = None;
        let mut subsets: Vec<u32> = (1..1_u32 << self.candidates.len()).collect();
        subsets.sort_by_key(|subset| subset.count_ones());
        let mut size = u32::MAX;
        for subset in subsets {
            if subset.count_ones() > size {
                break;
            }
            let chosen: Vec<usize> = (0..self.candidates.len())
                .filter(|bit| subset & (1 << bit) != 0)
                .map(|bit| self.candidates[bit])
                .collect();
            let free = self.freest(&chosen);
            if !self.is_acyclic(&free) {
                continue;
            }
            size = subset.count_ones();
            let mut effort = EFFORT;
            let splits = self.relaxed(&free, &mut effort);
            if best.as_ref().is_none_or(|best| splits.temporaries() < best.temporaries()) {
                best = Some(splits);
            }
        }
        best.unwrap_or_default()
    }

    /// The chosen people split with the greatest freedom: everything that is waited for is given up first, and
    /// everything that waits is taken last.
    fn freest(&self, chosen: &[usize]) -> Splits {
        let mut splits = Splits(chosen.iter().map(|entry| (*entry, BTreeMap::new())).collect());
        for wait in &self.waits {
            if let (Some(edits), Some(gives)) = (splits.0.get_mut(&wait.on), wait.gives) {
                edits.entry(gives).or_insert(Placement::First);
            }
        }
        for wait in &self.waits {
            let Some(edits) = splits.0.get_mut(&wait.entry) else { continue };
            if self.creations[wait.entry] {
                if deferrable(wait.via) {
                    edits.insert(wait.via, Placement::Second);
                }
                continue;
            }
            let both = edits.get(&wait.via).is_some_and(|placement| *placement != Placement::Second);
            edits.insert(wait.via, if both { Placement::Temporary } else { Placement::Second });
        }
        splits
    }

    /// The same people split with fewer temporary values: each edit is made at once where that leaves no circle.
    fn relaxed(&self, free: &Splits, effort: &mut usize) -> Splits {
        let mut splits = Splits(free.0.clone());
        for (entry, edits) in &free.0 {
            for (attribute, placement) in edits {
                if *placement == Placement::First {
                    continue;
                }
                for tried in [Placement::First, Placement::Second] {
                    if *effort < self.waits.len() || tried == *placement {
                        break;
                    }
                    *effort -= self.waits.len();
                    let mut attempt = Splits(splits.0.clone());
                    attempt.0.entry(*entry).or_default().insert(*attribute, tried);
                    if self.is_acyclic(&attempt) {
                        splits = attempt;
                        break;
                    }
                }
            }
        }
        splits
    }

    /// A small, not always smallest, set of people to split.
    fn large_cut(&self, effort: &mut usize) -> Splits {
        let mut entries: Vec<usize> = self.waits.iter().map(|wait| wait.entry).collect();
        entries.sort_unstable();
        entries.dedup();
        let count = entries.len();
        let position: HashMap<usize, usize> = entries.iter().enumerate().map(|(at, e)| (*e, at)).collect();
        // A creation is two vertices: what it must do at once, which cannot be cut, and what it may do later, which can.
        let mut graph = feedback::Graph::new(count * 2);
        let in_between = self.in_between();
        for (at, entry) in entries.iter().enumerate() {
            if self.creations[*entry] {
                graph.uncuttable(at);
                graph.edge(at, at + count);
                graph.prefer(at + count);
            } else if !in_between.contains(entry) {
                graph.prefer(at);
            }
        }
        for wait in self.waits.iter().filter(|wait| wait.entry != wait.on) {
            let (Some(from), Some(to)) = (position.get(&wait.entry), position.get(&wait.on)) else {
                continue;
            };
            let later = self.creations[wait.entry] && deferrable(wait.via);
            graph.edge(if later { from + count } else { *from }, *to);
        }
        let mut chosen: Vec<usize> = graph.cut().into_iter().map(|at| entries[at % count]).collect();
        for at in (0..chosen.len()).rev() {
            if *effort < self.waits.len() {
                break;
            }
            *effort -= self.waits.len();
            let mut fewer = chosen.clone();
            fewer.remove(at);
            if self.is_acyclic(&self.freest(&fewer)) {
                chosen = fewer;
            }
        }
        self.freest(&chosen)
    }

    /// Everybody who has an edit that both gives up and takes within the knot, and so may need a temporary value.
    fn in_between(&self) -> HashSet<usize> {
        let given: HashSet<(usize, Attribute)> =
            self.waits.iter().filter_map(|wait| Some((wait.on, wait.gives?))).collect();
        let taking = self.waits.iter().filter(|wait| given.contains(&(wait.entry, wait.via)));
        taking.map(|wait| wait.entry).collect()
    }

    /// Whether requests split like this wait for each other in no circle.
    fn is_acyclic(&self, splits: &Splits) -> bool {
        let mut nodes: HashMap<(usize, bool), usize> = HashMap::new();
        let mut edges: Vec<Vec<usize>> = Vec::new();
        let mut node = |key: (usize, bool), edges: &mut Vec<Vec<usize>>| {
            *nodes.entry(key).or_insert_with(|| {
                edges.push(Vec::new());
                edges.len() - 1
            })
        };
        for entry in splits.0.keys() {
            let (second, first) = (node((*entry, true), &mut edges), node((*entry, false), &mut edges));
            edges[second].push(first);
        }
        for wait in &self.waits {
            let takes_later = splits.placement(wait.entry, wait.via) != Placement::First;
            let gives_later =
                wait.gives.is_some_and(|gives| splits.placement(wait.on, gives) == Placement::Second);
            let (from, to) = ((wait.entry, takes_later), (wait.on, gives_later));
            if from != to {
                let (from, to) = (node(from, &mut edges), node(to, &mut edges));
                edges[from].push(to);
            }
        }
        feedback::is_acyclic(&edges)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(entry: usize, on: usize, attribute: Attribute) -> Wait {
        Wait { entry, via: attribute, on, gives: Some(attribute) }
    }

    #[test]
    fn of_three_who_swap_pairwise_two_are_split_and_their_own_swap_needs_one_temporary_value() {
        let swaps =
            [(0, 1, Attribute::UserName), (1, 2, Attribute::Email), (0, 2, Attribute::SecondaryEmail)];
        let waits: Vec<Wait> =
            swaps.into_iter().flat_map(|(a, b, what)| [wait(a, b, what), wait(b, a, what)]).collect();
        let splits = cut(&waits, &[false; 3]);
        assert_eq!((splits.0.len(), splits.temporaries()), (2, 3));
    }

    #[test]
    fn a_knot_of_many_is_cut_where_no_temporary_value_is_needed() {
        // A rotation of userNames, in which the tenth person gives up a userName for an address.
        let waits: Vec<Wait> = (0..20)
            .map(|at| match at {
                9 => Wait { entry: 9, via: Attribute::Email, on: 10, gives: Some(Attribute::UserName) },
                _ => wait(at, (at + 1) % 20, Attribute::UserName),
            })
            .collect();
        let splits = cut(&waits, &[false; 20]);
        assert!(splits.contains(9) && splits.0.len() == 1 && splits.temporaries() == 0);
    }
}
