//! Which of the names and addresses that are to be given back can be: one that somebody else holds cannot, unless the
//! holder gives it up in the same go.

use std::collections::HashMap;
use std::hash::Hash;

/// Somebody who is to have a name again.
pub(super) struct Claim<K, N> {
    /// The slot that is to have it; `None` for what does not exist yet and so holds nothing.
    pub(super) slot: Option<K>,
    /// The name.
    pub(super) takes: N,
    /// The name that the slot gives up.
    pub(super) gives: Option<N>,
}

/// For each claim, the slot that stands in its way; `None` for those that can be carried out together.
///
/// `holders` are the slots that hold a name now. A holder makes way if it has a claim of its own that can be carried out,
/// or if `yields` says so of the claim and the holder. Time is in proportion to the claims and the holders of their names.
pub(super) fn settle<K, N>(
    claims: &[Claim<K, N>],
    holders: impl Fn(&N) -> Vec<K>,
    yields: impl Fn(Option<K>, K) -> bool,
) -> Vec<Option<K>>
where
    K: Copy + Eq + Hash,
    N: Eq + Hash,
{
    let mut giving: HashMap<K, usize> = HashMap::new();
    let mut takers: HashMap<&N, Vec<usize>> = HashMap::new();
    for (at, claim) in claims.iter().enumerate() {
        giving.extend(claim.slot.map(|slot| (slot, at)));
        takers.entry(&claim.takes).or_default().push(at);
    }
    let mut in_the_way: Vec<Option<K>> = vec![None; claims.len()];
    let mut doubtful: Vec<usize> = (0..claims.len()).rev().collect();
    while let Some(at) = doubtful.pop() {
        let (Some(claim), Some(None)) = (claims.get(at), in_the_way.get(at)) else { continue };
        let makes_way = |holder: K| {
            let gives = giving.get(&holder).and_then(|other| in_the_way.get(*other));
            claim.slot == Some(holder) || gives == Some(&None) || yields(claim.slot, holder)
        };
        let Some(holder) = holders(&claim.takes).into_iter().find(|holder| !makes_way(*holder)) else {
            continue;
        };
        if let Some(slot) = in_the_way.get_mut(at) {
            *slot = Some(holder);
        }
        // What is kept now cannot be given to whoever waits for it.
        doubtful.extend(claim.gives.as_ref().and_then(|name| takers.get(name)).into_iter().flatten());
    }
    in_the_way
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(slot: u32, takes: &'static str, gives: &'static str) -> Claim<u32, &'static str> {
        Claim { slot: Some(slot), takes, gives: Some(gives) }
    }

    fn held(holdings: &[(u32, &'static str)]) -> impl Fn(&&'static str) -> Vec<u32> {
        move |name| holdings.iter().filter(|(_, held)| held == name).map(|(slot, _)| *slot).collect()
    }

    #[test]
    fn a_swap_is_given_back_and_a_chain_ends_where_a_name_is_kept() {
        let swap = [claim(1, "ada", "grace"), claim(2, "grace", "ada")];
        let holders = held(&[(1, "grace"), (2, "ada")]);
        assert_eq!(settle(&swap, &holders, |_, _| false), [None, None]);

        // 3 holds what 2 wants and keeps it, so 2 keeps what 1 wants.
        let chain = [claim(1, "a", "b"), claim(2, "c", "a")];
        let holders = held(&[(1, "b"), (2, "a"), (3, "c")]);
        assert_eq!(settle(&chain, &holders, |_, _| false), [Some(2), Some(3)]);
        assert_eq!(settle(&chain, &holders, |_, holder| holder == 3), [None, None]);
    }
}
