//! Rows in the order of their creation, found by id in constant time and listed from any place at the cost of the page.

use std::collections::HashMap;

/// The handle of a row: smaller than an id, never used twice.
pub(crate) type Key = u32;

/// A table of rows.
#[derive(Debug)]
pub(crate) struct Table<R> {
    rows: Vec<Option<R>>,
    /// The keys of the living rows. Keys only grow, so the list is sorted and a place in it is found by bisection.
    order: Vec<Key>,
    by_id: HashMap<String, Key>,
}

impl<R> Default for Table<R> {
    fn default() -> Self {
        Self { rows: Vec::new(), order: Vec::new(), by_id: HashMap::new() }
    }
}

impl<R> Table<R> {
    /// Appends a row and returns its key. The id must be new.
    pub(crate) fn insert(&mut self, id: &str, row: R) -> Key {
        let key = self.next_key();
        self.rows.push(Some(row));
        self.order.push(key);
        self.by_id.insert(id.to_owned(), key);
        key
    }

    /// The key that the next row will have.
    pub(crate) fn next_key(&self) -> Key {
        Key::try_from(self.rows.len()).unwrap_or(Key::MAX)
    }

    /// Takes a row out.
    pub(crate) fn remove(&mut self, id: &str) -> Option<(Key, R)> {
        let key = self.by_id.remove(id)?;
        if let Ok(place) = self.order.binary_search(&key) {
            self.order.remove(place);
        }
        self.rows.get_mut(key as usize)?.take().map(|row| (key, row))
    }

    pub(crate) fn key(&self, id: &str) -> Option<Key> {
        self.by_id.get(id).copied()
    }

    pub(crate) fn get(&self, key: Key) -> Option<&R> {
        self.rows.get(key as usize)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut R> {
        self.rows.get_mut(key as usize)?.as_mut()
    }

    /// The living keys in the order of creation.
    pub(crate) fn keys(&self) -> &[Key] {
        &self.order
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, &R)> {
        self.order.iter().filter_map(|key| self.get(*key).map(|row| (*key, row)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_order_and_forgets_what_is_removed() {
        let mut table = Table::default();
        let a = table.insert("a", 1);
        let b = table.insert("b", 2);
        table.insert("c", 3);
        assert_eq!(table.remove("b"), Some((b, 2)));
        assert_eq!(table.remove("b"), None);
        assert_eq!((table.key("b"), table.get(b), table.get(a)), (None, None, Some(&1)));
        assert_eq!(table.iter().map(|(_, row)| *row).collect::<Vec<_>>(), [1, 3]);
        assert_eq!(table.keys().len(), 2);
    }
}
