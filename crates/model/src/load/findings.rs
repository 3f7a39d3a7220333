//! Where mistakes are gathered, and how they speak of the roster's text.

use super::codes;
use super::limits::{MAX_COUNTED, MAX_FINDINGS};
use crate::diagnostic::{Diagnostic, Label, Severity};
use crate::names::fold;
use crate::place::Place;
use std::collections::HashSet;
use std::fmt::{self, Write as _};

/// The mistakes found so far: each once, and no more than [`MAX_FINDINGS`] of a severity.
#[derive(Default)]
pub(super) struct Findings {
    kept: Vec<Diagnostic>,
    /// What is in `kept`. An anchored value is understood at each use, and its mistake is still one mistake.
    seen: HashSet<(&'static str, Option<Place>, String)>,
    errors: usize,
    warnings: usize,
    beyond: usize,
    /// The most errors or warnings there ever were, those forgotten since among them.
    most: usize,
}

impl Findings {
    pub(super) fn report(&mut self, finding: Diagnostic) {
        let count = match finding.severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        if *count >= MAX_FINDINGS {
            self.beyond += 1;
        } else if self.seen.insert(identity(&finding)) {
            *count += 1;
            self.most = self.most.max(*count);
            self.kept.push(finding);
        }
    }

    pub(super) fn error(
        &mut self,
        code: &'static str,
        place: Place,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.report(Diagnostic::error(code, place, message).help(help));
    }

    /// Whether what was found elsewhere would have been found just so here, no limit coming in between.
    pub(super) fn can_absorb(&self, other: &Self) -> bool {
        let below = |count: usize| count.saturating_add(other.most) < MAX_FINDINGS;
        self.beyond == 0 && other.beyond == 0 && below(self.errors) && below(self.warnings)
    }

    /// Adds what was found elsewhere.
    pub(super) fn absorb(&mut self, other: Self) {
        other.kept.into_iter().for_each(|finding| self.report(finding));
    }

    /// How many there are, as a place to come back to with [`Findings::forget_since`].
    pub(super) fn mark(&self) -> usize {
        self.kept.len()
    }

    /// Drops what was reported since `mark`, because one thing explains it all.
    pub(super) fn forget_since(&mut self, mark: usize) {
        for finding in self.kept.drain(mark.min(self.kept.len())..) {
            self.seen.remove(&identity(&finding));
            match finding.severity {
                Severity::Error => self.errors -= 1,
                Severity::Warning => self.warnings -= 1,
            }
        }
    }

    pub(super) fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// Whether further errors would only be counted, so that no effort should go into their wording.
    pub(super) fn is_full(&self) -> bool {
        self.errors >= MAX_FINDINGS
    }

    /// Whether there are so many that nothing more should be read.
    pub(super) fn is_hopeless(&self) -> bool {
        self.beyond >= MAX_COUNTED
    }

    /// All of them in the order of the files; what concerns no place comes last.
    pub(super) fn into_sorted(mut self) -> Vec<Diagnostic> {
        self.kept.sort_by_key(|finding| (finding.label.place.is_none(), finding.label.place));
        if self.beyond > 0 {
            self.kept.push(Diagnostic {
                severity: if self.errors > 0 { Severity::Error } else { Severity::Warning },
                code: codes::MORE_MISTAKES,
                message: if self.is_hopeless() {
                    format!("more than {MAX_COUNTED} more findings are not shown, and the rest was not read")
                } else {
                    format!("{} more findings are not shown", self.beyond)
                },
                label: Label { place: None, text: String::new() },
                related: Vec::new(),
                help: Some("correct the ones above and check again".to_owned()),
            });
        }
        self.kept
    }
}

fn identity(finding: &Diagnostic) -> (&'static str, Option<Place>, String) {
    (finding.code, finding.label.place, finding.message.clone())
}

/// The most characters of the roster's text that a message repeats.
const QUOTED_CHARS: usize = 48;

/// A text of the roster as it stands in a message: between backquotes, cut where it is long, control characters
/// escaped so that a message stays one line.
pub(super) fn quote(text: &str) -> String {
    Quoted(text).to_string()
}

/// What [`quote`] makes of a text, made only if it is shown: most values are right, and name their key in no message.
#[derive(Clone, Copy)]
pub(super) struct Quoted<'t>(pub(super) &'t str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('`')?;
        for (i, c) in self.0.chars().enumerate() {
            if i == QUOTED_CHARS {
                f.write_char('…')?;
                break;
            }
            if c.is_control() {
                write!(f, "{}", c.escape_default())?;
            } else {
                f.write_char(c)?;
            }
        }
        f.write_char('`')
    }
}

/// The candidate that `text` is likely to be a misspelling of, if one is close enough: a third of its characters may
/// be wrong, letter case aside, and of a short text one.
pub(super) fn closest<'c>(text: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    let text = fold(text);
    let length = text.chars().count();
    // The distance takes time in proportion to both lengths, and what is longer is no misspelt name.
    if length > 64 {
        return None;
    }
    let allowed = (length / 3).max(1);
    candidates
        .filter(|candidate| candidate.len().abs_diff(text.len()) <= allowed * 4 && candidate.len() <= 256)
        .map(|candidate| (strsim::osa_distance(&text, &fold(candidate)), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// "did you mean `x`?", or else what may be written.
pub(super) fn did_you_mean(suggestion: Option<&str>, otherwise: impl FnOnce() -> String) -> String {
    suggestion.map_or_else(otherwise, |s| format!("did you mean {}?", quote(s)))
}

/// A choice of words for a message: "`a`, `b` or `c`".
pub(super) fn either(words: &[&str]) -> String {
    enumerate(words, "or")
}

/// A list of words for a message: "`a`, `b` and `c`".
pub(super) fn all_of(words: &[&str]) -> String {
    enumerate(words, "and")
}

fn enumerate(words: &[&str], conjunction: &str) -> String {
    match words {
        [] => String::new(),
        [one] => quote(one),
        [most @ .., last] => {
            let most: Vec<_> = most.iter().map(|word| quote(word)).collect();
            format!("{} {conjunction} {}", most.join(", "), quote(last))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_close_is_suggested() {
        let keys = ["title", "timezone", "userName", "id"];
        assert_eq!(closest("titel", keys.into_iter()), Some("title"));
        assert_eq!(closest("username", keys.into_iter()), Some("userName"));
        assert_eq!(closest("shoeSize", keys.into_iter()), None);
        assert_eq!(closest("xy", keys.into_iter()), None);
    }

    #[test]
    fn a_quotation_is_one_short_line() {
        assert_eq!(quote("a\nb\u{1b}"), "`a\\nb\\u{1b}`");
        assert_eq!(quote(&"x".repeat(500)).chars().count(), QUOTED_CHARS + 3);
    }

    #[test]
    fn what_one_mistake_explains_can_be_forgotten_and_found_again() {
        let mut findings = Findings::default();
        findings.error("a", Place::default(), "one", "");
        let mark = findings.mark();
        findings.error("b", Place::default(), "two", "");
        findings.forget_since(mark);
        assert_eq!(findings.mark(), mark);
        findings.error("b", Place::default(), "two", "");
        findings.error("b", Place::default(), "two", "");
        assert_eq!(findings.into_sorted().len(), 2);
    }
}
