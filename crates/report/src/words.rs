//! Numbers, counted nouns, durations and lists in plain English.

use std::fmt::Write as _;

/// A number with a comma between thousands.
pub(crate) fn number(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `one` or `many`, whichever goes with `n`.
pub(crate) const fn pick<'a>(n: usize, one: &'a str, many: &'a str) -> &'a str {
    if n == 1 { one } else { many }
}

/// `1 person`, `1,204 people`.
pub(crate) fn count(n: usize, one: &str, many: &str) -> String {
    format!("{} {}", number(n), pick(n, one, many))
}

/// Parts of a sentence joined by commas, the last by `and`.
pub(crate) fn series(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// The first `most` of `items`, and how many more there are.
pub(crate) fn folded(items: impl ExactSizeIterator<Item = String>, most: usize) -> String {
    let more = items.len().saturating_sub(most);
    let mut out = items.take(most).collect::<Vec<_>>().join(", ");
    if more > 0 {
        let _ = write!(out, "{}and {} more", if out.is_empty() { "" } else { " " }, number(more));
    }
    out
}

/// A duration in the one or two units that matter.
pub(crate) fn duration(seconds: u64) -> String {
    let (hours, minutes, rest) = (seconds / 3_600, seconds % 3_600 / 60, seconds % 60);
    match (hours, minutes, rest) {
        (0, 0, s) => format!("{s} s"),
        (0, m, 0) => format!("{m} min"),
        (0, m, s) if m < 10 => format!("{m} min {s} s"),
        (0, m, _) => format!("{m} min"),
        (h, 0, _) => format!("{h} h"),
        (h, m, _) => format!("{h} h {m} min"),
    }
}

/// Change numbers, ascending, with runs drawn together: `#1, #3-#7`. Says, too, how many numbers are left out after so
/// many runs.
pub(crate) fn change_numbers(numbers: &[usize], most: usize) -> (String, usize) {
    let mut out = String::new();
    let mut at = 0;
    let mut runs = 0;
    while let Some(&first) = numbers.get(at).filter(|_| runs < most) {
        let mut last = first;
        at += 1;
        runs += 1;
        while numbers.get(at) == Some(&(last + 1)) {
            last += 1;
            at += 1;
        }
        let comma = if out.is_empty() { "" } else { ", " };
        let _ = match last - first {
            0 => write!(out, "{comma}#{first}"),
            1 => write!(out, "{comma}#{first}, #{last}"),
            _ => write!(out, "{comma}#{first}-#{last}"),
        };
    }
    (out, numbers.len() - at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_durations_read_well() {
        assert_eq!(number(999), "999");
        assert_eq!(number(1_204_000), "1,204,000");
        assert_eq!(count(1, "person", "people"), "1 person");
        assert_eq!(duration(0), "0 s");
        assert_eq!(duration(95), "1 min 35 s");
        assert_eq!(duration(33_360), "9 h 16 min");
    }

    #[test]
    fn runs_of_change_numbers_are_drawn_together() {
        let numbers = [1, 2, 4, 5, 6, 9, 10];
        assert_eq!(change_numbers(&numbers, 3), ("#1, #2, #4-#6, #9, #10".to_owned(), 0));
        assert_eq!(change_numbers(&numbers, 2), ("#1, #2, #4-#6".to_owned(), 2));
    }

    #[test]
    fn a_folded_list_says_how_many_it_leaves_out() {
        let names = || ["a", "b", "c"].map(String::from).into_iter();
        assert_eq!(folded(names(), 2), "a, b and 1 more");
        assert_eq!(folded(names(), 3), "a, b, c");
    }
}
