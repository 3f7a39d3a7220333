//! Names and ids as keys of large maps.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

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
}
