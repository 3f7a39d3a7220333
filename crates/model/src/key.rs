//! Names and ids as keys of large maps.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::{Arc, LazyLock};

/// The longest text that stands in the key itself. userNames have at most 21 characters, and Slack's ids about ten.
const SHORT: usize = 22;

/// A text as the key of a map. A short one stands in the map itself, so that a lookup touches one place in memory and not
/// two: a roster of 1,000,000 memberships is mostly lookups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Key {
    /// So many bytes of text, and then zeros.
    Short(u8, [u8; SHORT]),
    /// Any other text.
    Long(Arc<str>),
}

impl Key {
    /// The text.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Short(len, bytes) => bytes
                .get(..usize::from(*len))
                .and_then(|bytes| str::from_utf8(bytes).ok())
                .unwrap_or_default(),
            Self::Long(text) => text,
        }
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        let mut bytes = [0; SHORT];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(place), Ok(len)) => {
                place.copy_from_slice(text.as_bytes());
                Self::Short(len, bytes)
            }
            _ => Self::Long(text.into()),
        }
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            // The zeros at the end are the same for all texts of a length, and say as little as they cost.
            Self::Short(len, bytes) => state.write(bytes.get(..usize::from(*len)).unwrap_or_default()),
            Self::Long(text) => text.hash(state),
        }
    }
}

/// Texts by their positions in a list, and the positions by the texts. What is looked up a million times is made to lie
/// close together, and to be looked up many at a time: what takes longest is to wait for memory.
#[derive(Debug, Clone, Default)]
pub(crate) struct Keys {
    list: Vec<(u64, Key)>,
    positions: HashTable<u32>,
}

/// Keyed, so that no file and no service can choose texts that meet in one place; and the same for all lists of the process,
/// so that what was hashed for one list serves another.
static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);

impl Keys {
    /// The position of a text; of the first, should it stand at several.
    pub(crate) fn find(&self, text: &str) -> Option<u32> {
        let key = Key::from(text);
        self.find_hashed(HASHER.hash_one(&key), &key)
    }

    /// The position of each of these texts.
    pub(crate) fn find_each<'t>(
        &self,
        texts: impl IntoIterator<Item = &'t str>,
    ) -> impl Iterator<Item = (Key, Option<u32>)> {
        // Hashed before the first is looked up, so that the processor can wait for many places of memory at once.
        let keys: Vec<(u64, Key)> = texts.into_iter().map(hashed).collect();
        keys.into_iter().map(|(hash, key)| {
            let position = self.find_hashed(hash, &key);
            (key, position)
        })
    }

    fn find_hashed(&self, hash: u64, key: &Key) -> Option<u32> {
        self.positions.find(hash, |position| self.at(*position) == Some(key)).copied()
    }

    fn at(&self, position: u32) -> Option<&Key> {
        self.list.get(position as usize).map(|(_, key)| key)
    }

    /// The position of a text, which is added to the end if it is new.
    pub(crate) fn enter(&mut self, text: &str) -> u32 {
        let (hash, key) = hashed(text);
        self.enter_hashed(hash, key)
    }

    fn enter_hashed(&mut self, hash: u64, key: Key) -> u32 {
        let Self { list, positions } = self;
        match entry(positions, list, hash, &key) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(place) => {
                let position = u32::try_from(list.len()).unwrap_or(u32::MAX);
                place.insert(position);
                list.push((hash, key));
                position
            }
        }
    }

    /// Takes over another list; says of each of its positions which one it is here.
    pub(crate) fn absorb(&mut self, other: Self) -> Vec<u32> {
        other.list.into_iter().map(|(hash, key)| self.enter_hashed(hash, key)).collect()
    }

    /// How many texts there are.
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// The text at a position.
    pub(crate) fn get(&self, position: usize) -> Option<&str> {
        self.list.get(position).map(|(_, key)| key.as_str())
    }
}

/// The place of a key among the positions of a list.
fn entry<'p>(positions: &'p mut HashTable<u32>, list: &[(u64, Key)], hash: u64, key: &Key) -> Entry<'p, u32> {
    let is_here = |position: &u32| list.get(*position as usize).is_some_and(|(_, own)| own == key);
    let hash_at = |position: &u32| list.get(*position as usize).map_or(0, |(hash, _)| *hash);
    positions.entry(hash, is_here, hash_at)
}

fn hashed(text: &str) -> (u64, Key) {
    let key = Key::from(text);
    (HASHER.hash_one(&key), key)
}

/// Each text has the position at which it comes, even if it came before.
impl<'t> FromIterator<&'t str> for Keys {
    fn from_iter<I: IntoIterator<Item = &'t str>>(texts: I) -> Self {
        let list: Vec<(u64, Key)> = texts.into_iter().map(hashed).collect();
        let mut positions = HashTable::with_capacity(list.len());
        for (position, (hash, key)) in (0..).zip(&list) {
            entry(&mut positions, &list, *hash, key).or_insert(position);
        }
        Self { list, positions }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn texts(keys: &Keys) -> Vec<&str> {
        (0..keys.len()).map(|position| keys.get(position).unwrap()).collect()
    }

    #[test]
    fn texts_of_every_length_are_told_apart_and_come_back() {
        let texts: Vec<String> = (0..40)
            .flat_map(|length| ["é".repeat(length), "a".repeat(length), "\0".repeat(length)])
            .collect();
        let map: HashMap<Key, &str> =
            texts.iter().map(|text| (Key::from(text.as_str()), text.as_str())).collect();
        assert_eq!(map.len(), 3 * 39 + 1);
        for text in &texts {
            assert_eq!(map.get(&Key::from(text.as_str())), Some(&text.as_str()));
            assert_eq!(Key::from(text.as_str()).as_str(), text);
        }
    }

    #[test]
    fn a_list_knows_each_text_by_its_position() {
        let names: Vec<String> = (0..1_000).map(|n| format!("name {n} {}", "x".repeat(n % 30))).collect();
        let mut entered = Keys::default();
        for _ in 0..2 {
            for (position, name) in (0..).zip(&names) {
                assert_eq!(entered.enter(name), position);
            }
        }
        let listed: Keys = names.iter().map(String::as_str).collect();
        for keys in [&entered, &listed] {
            assert_eq!(texts(keys), names);
            for (position, name) in names.iter().enumerate() {
                assert_eq!(
                    (keys.find(name), keys.get(position)),
                    (u32::try_from(position).ok(), Some(&**name))
                );
            }
            assert_eq!((keys.find("name"), keys.get(1_000)), (None, None));
            let found: Vec<(String, Option<u32>)> = keys
                .find_each(["name 0 ", "nobody", &*names[999]])
                .map(|(key, position)| (key.as_str().to_owned(), position))
                .collect();
            let of = |text: &str, position| (text.to_owned(), position);
            assert_eq!(found, [of("name 0 ", Some(0)), of("nobody", None), of(&names[999], Some(999))]);
        }
    }

    #[test]
    fn a_text_that_comes_twice_is_found_where_it_came_first_and_moves_none_of_those_behind_it() {
        let keys: Keys = ["a", "b", "a", "c"].into_iter().collect();
        assert_eq!(["a", "b", "c"].map(|text| keys.find(text)), [Some(0), Some(1), Some(3)]);
        assert_eq!(texts(&keys), ["a", "b", "a", "c"]);
    }

    #[test]
    fn a_list_that_is_taken_over_keeps_its_texts_under_the_positions_that_are_told() {
        let (mut keys, mut other) = (Keys::default(), Keys::default());
        for text in ["ada", "bob"] {
            keys.enter(text);
        }
        for text in ["eve", "bob", "kim"] {
            other.enter(text);
        }
        assert_eq!(keys.absorb(other), [2, 1, 3]);
        assert_eq!(texts(&keys), ["ada", "bob", "eve", "kim"]);
    }
}
