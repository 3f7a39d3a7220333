//! Texts, at most one for each attribute.

use crate::attribute::Attribute;
use std::fmt;
use std::iter;

/// The texts of an account, by attribute and in the order of [`Attribute`], each attribute once. They stand one behind the
/// other in one place: a directory holds more than a million of them, each a dozen bytes long. There is room for 4 GiB,
/// and an answer of a service has at most 64 MiB; what would stand beyond that is not kept.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Texts {
    /// Each attribute, with the position where its text ends.
    ends: Box<[(Attribute, u32)]>,
    joined: Box<str>,
}

impl Texts {
    /// The text of an attribute, when there is one.
    pub fn get(&self, attribute: Attribute) -> Option<&str> {
        let at = self.ends.binary_search_by_key(&attribute, |(a, _)| *a).ok()?;
        let start = at.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |(_, end)| *end);
        self.joined.get(start as usize..self.ends.get(at)?.1 as usize)
    }

    /// Each attribute with its text, in the order of [`Attribute`].
    pub fn iter(&self) -> impl Iterator<Item = (Attribute, &str)> {
        let starts = iter::once(0).chain(self.ends.iter().map(|(_, end)| *end));
        let spans = starts.zip(&self.ends);
        spans.map(|(start, (attribute, end))| {
            (*attribute, self.joined.get(start as usize..*end as usize).unwrap_or_default())
        })
    }

    /// Gives an attribute another text, or none.
    pub fn set(&mut self, attribute: Attribute, text: Option<&str>) {
        let others = self.iter().filter(|(own, _)| *own != attribute);
        *self = others.chain(text.map(|text| (attribute, text))).collect();
    }

    /// How many attributes have a text.
    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether no attribute has a text.
    pub const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

/// Takes texts in any order; of an attribute that is said twice, what is said last.
impl<T: AsRef<str>> FromIterator<(Attribute, T)> for Texts {
    fn from_iter<I: IntoIterator<Item = (Attribute, T)>>(said: I) -> Self {
        let mut said: Vec<(Attribute, T)> = said.into_iter().collect();
        if !said.is_sorted_by(|(a, _), (b, _)| a < b) {
            said.reverse();
            said.sort_by_key(|(attribute, _)| *attribute);
            said.dedup_by_key(|(attribute, _)| *attribute);
        }
        let mut joined = String::with_capacity(said.iter().map(|(_, text)| text.as_ref().len()).sum());
        let mut take = |text: &str| {
            joined.push_str(text);
            u32::try_from(joined.len()).ok()
        };
        let ends =
            said.iter().filter_map(|(attribute, text)| Some((*attribute, take(text.as_ref())?))).collect();
        Self { ends, joined: joined.into() }
    }
}

impl<T: AsRef<str>, const N: usize> From<[(Attribute, T); N]> for Texts {
    fn from(said: [(Attribute, T); N]) -> Self {
        said.into_iter().collect()
    }
}

impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Attribute::{Department, DisplayName, Locality, Title};

    fn said(texts: &Texts) -> Vec<(Attribute, &str)> {
        texts.iter().collect()
    }

    #[test]
    fn each_attribute_has_its_own_text_whatever_the_order_they_come_in() {
        let texts =
            Texts::from([(Locality, "Zürich"), (Title, "博士"), (Department, ""), (DisplayName, "a")]);
        assert_eq!(
            said(&texts),
            [(DisplayName, "a"), (Title, "博士"), (Locality, "Zürich"), (Department, "")]
        );
        assert_eq!(
            [Title, DisplayName, Department, Locality].map(|a| texts.get(a)),
            [Some("博士"), Some("a"), Some(""), Some("Zürich")]
        );
        assert_eq!((texts.get(Attribute::UserName), texts.len(), texts.is_empty()), (None, 4, false));
        assert_eq!((Texts::default().get(Title), Texts::default().is_empty()), (None, true));
    }

    #[test]
    fn of_two_texts_for_one_attribute_the_last_holds() {
        let texts = Texts::from([
            (Title, "CEO"),
            (Locality, "Rome"),
            (Title, "CTO"),
            (Locality, "Oslo"),
            (Title, "CFO"),
        ]);
        assert_eq!(said(&texts), [(Title, "CFO"), (Locality, "Oslo")]);
    }

    #[test]
    fn a_text_is_added_replaced_and_taken_away() {
        let mut texts = Texts::from([(Title, "CEO"), (Department, "Engines")]);
        texts.set(Locality, Some("Rome"));
        texts.set(Title, Some("Chief"));
        assert_eq!(said(&texts), [(Title, "Chief"), (Locality, "Rome"), (Department, "Engines")]);
        texts.set(Title, None);
        texts.set(DisplayName, None);
        assert_eq!(said(&texts), [(Locality, "Rome"), (Department, "Engines")]);
    }
}
