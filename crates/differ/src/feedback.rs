//! Directed graphs: strongly connected components, and a small set of vertices whose removal leaves no circle.
//!
//! Nothing here recurses: a chain of a hundred thousand people must not exhaust the stack.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

/// The strongly connected component of each vertex (Tarjan's algorithm with an explicit stack).
pub(crate) fn components(edges: &[Vec<usize>]) -> Vec<usize> {
    const UNSEEN: usize = usize::MAX;
    let count = edges.len();
    let (mut order, mut low) = (vec![UNSEEN; count], vec![0; count]);
    let (mut component, mut on_stack) = (vec![UNSEEN; count], vec![false; count]);
    let (mut stack, mut seen, mut found) = (Vec::new(), 0, 0);
    for root in 0..count {
        if order[root] != UNSEEN {
            continue;
        }
        // Each frame is a vertex and how many of its edges have been followed.
        let mut frames = vec![(root, 0)];
        while let Some((vertex, next)) = frames.pop() {
            if next == 0 {
                order[vertex] = seen;
                low[vertex] = seen;
                seen += 1;
                stack.push(vertex);
                on_stack[vertex] = true;
            }
            if let Some(&to) = edges[vertex].get(next) {
                frames.push((vertex, next + 1));
                if order[to] == UNSEEN {
                    frames.push((to, 0));
                } else if on_stack[to] {
                    low[vertex] = low[vertex].min(order[to]);
                }
                continue;
            }
            if low[vertex] == order[vertex] {
                while let Some(member) = stack.pop() {
                    on_stack[member] = false;
                    component[member] = found;
                    if member == vertex {
                        break;
                    }
                }
                found += 1;
            }
            if let Some(&(parent, _)) = frames.last() {
                low[parent] = low[parent].min(low[vertex]);
            }
        }
    }
    component
}

/// Whether a graph has no circle.
pub(crate) fn is_acyclic(edges: &[Vec<usize>]) -> bool {
    let mut incoming = vec![0_usize; edges.len()];
    for to in edges.iter().flatten() {
        incoming[*to] += 1;
    }
    let mut free: Vec<usize> = (0..edges.len()).filter(|vertex| incoming[*vertex] == 0).collect();
    let mut done = 0;
    while let Some(vertex) = free.pop() {
        done += 1;
        for to in &edges[vertex] {
            incoming[*to] -= 1;
            if incoming[*to] == 0 {
                free.push(*to);
            }
        }
    }
    done == edges.len()
}

/// A graph from which vertices are to be cut until no circle is left.
pub(crate) struct Graph {
    out: Vec<BTreeSet<usize>>,
    into: Vec<BTreeSet<usize>>,
    cuttable: Vec<bool>,
    preferred: Vec<bool>,
}

impl Graph {
    /// A graph of so many vertices, without edges.
    pub(crate) fn new(count: usize) -> Self {
        Self {
            out: vec![BTreeSet::new(); count],
            into: vec![BTreeSet::new(); count],
            cuttable: vec![true; count],
            preferred: vec![false; count],
        }
    }

    /// Adds an edge.
    pub(crate) fn edge(&mut self, from: usize, to: usize) {
        self.out[from].insert(to);
        self.into[to].insert(from);
    }

    /// Says that a vertex cannot be cut. Every circle must have one that can.
    pub(crate) fn uncuttable(&mut self, vertex: usize) {
        self.cuttable[vertex] = false;
    }

    /// Says that a vertex is better cut than its equals.
    pub(crate) fn prefer(&mut self, vertex: usize) {
        self.preferred[vertex] = true;
    }

    /// Chooses the vertices to cut, ascending.
    ///
    /// Vertices on no circle go; a vertex with one way in or out is bypassed, for whatever it would cut, its neighbour
    /// cuts as well; a vertex with an edge to itself is cut. These three steps (Levy and Low, 1988) lose nothing and
    /// solve simple circles exactly. Where none applies, the busiest vertex is cut.
    pub(crate) fn cut(mut self) -> Vec<usize> {
        let mut chosen = Vec::new();
        let mut work: BTreeSet<(bool, usize)> = (0..self.out.len()).map(|v| (self.preferred[v], v)).collect();
        let mut busiest: BinaryHeap<(usize, Reverse<usize>)> =
            (0..self.out.len()).map(|v| (self.busy(v), Reverse(v))).collect();
        let mut gone = vec![false; self.out.len()];
        loop {
            let (vertex, forced) = if let Some((_, vertex)) = work.pop_first() {
                (vertex, false)
            } else if let Some((score, Reverse(vertex))) = busiest.pop() {
                if gone[vertex] || score != self.busy(vertex) {
                    continue;
                }
                (vertex, true)
            } else {
                break;
            };
            if gone[vertex] {
                continue;
            }
            let circle = self.out[vertex].contains(&vertex);
            let through = self.out[vertex].len().min(self.into[vertex].len());
            let bypass = !circle && (through <= 1 || !self.cuttable[vertex]);
            if !(circle || bypass || forced) {
                continue;
            }
            if !bypass {
                chosen.push(vertex);
            }
            gone[vertex] = true;
            for touched in self.take_out(vertex, bypass) {
                work.insert((self.preferred[touched], touched));
                busiest.push((self.busy(touched), Reverse(touched)));
            }
        }
        chosen.sort_unstable();
        chosen
    }

    fn busy(&self, vertex: usize) -> usize {
        self.out[vertex].len().saturating_mul(self.into[vertex].len())
    }

    /// Removes a vertex, joining its neighbours on both sides if it is bypassed; returns the neighbours.
    fn take_out(&mut self, vertex: usize, bypass: bool) -> BTreeSet<usize> {
        let mut out = std::mem::take(&mut self.out[vertex]);
        let mut into = std::mem::take(&mut self.into[vertex]);
        out.remove(&vertex);
        into.remove(&vertex);
        for to in &out {
            self.into[*to].remove(&vertex);
        }
        for from in &into {
            self.out[*from].remove(&vertex);
            if bypass {
                for to in &out {
                    self.edge(*from, *to);
                }
            }
        }
        out.extend(into);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn circle(count: usize) -> Vec<Vec<usize>> {
        (0..count).map(|at| vec![(at + 1) % count]).collect()
    }

    #[test]
    fn a_long_circle_is_one_component_and_needs_one_cut() {
        let edges = circle(100_000);
        assert!(components(&edges).iter().all(|component| *component == 0));
        assert!(!is_acyclic(&edges));
        let mut graph = Graph::new(edges.len());
        edges.iter().enumerate().for_each(|(from, to)| graph.edge(from, to[0]));
        graph.prefer(77);
        assert_eq!(graph.cut(), [77]);
    }

    #[test]
    fn components_come_after_those_they_lead_to() {
        let edges = vec![vec![1], vec![0, 2], vec![3], vec![2], vec![0]];
        assert_eq!(components(&edges), [1, 1, 0, 0, 2]);
    }

    #[test]
    fn the_vertex_that_two_circles_share_is_cut() {
        let mut graph = Graph::new(5);
        for (from, to) in [(0, 1), (1, 2), (2, 0), (2, 3), (3, 4), (4, 2)] {
            graph.edge(from, to);
        }
        assert_eq!(graph.cut(), [2]);
    }

    #[test]
    fn a_vertex_that_cannot_be_cut_is_not() {
        let mut graph = Graph::new(3);
        for (from, to) in [(0, 1), (1, 2), (2, 0), (0, 2), (1, 0), (2, 1)] {
            graph.edge(from, to);
        }
        graph.uncuttable(0);
        assert_eq!(graph.cut(), [1, 2]);
    }
}
