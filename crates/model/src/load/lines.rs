//! From the parser's line and column to bytes of the text.

use crate::place::{Place, SourceId};
use saphyr_parser::Marker;

/// The lines of a text. A line ends with a line feed, a carriage return, or both (YAML 1.2.2 §5.4).
///
/// The parser also counts characters from the start of the text, but miscounts them in directives; its lines and
/// columns are right from the next line on.
pub(super) struct Lines<'t> {
    text: &'t str,
    /// Where each line begins, in bytes.
    starts: Vec<u32>,
    /// The line of the last place that was asked for, its line break not included.
    line: Line,
    /// That place. Places on one line are asked for from left to right, with few steps back, so that a long line is
    /// walked about once.
    last: Cursor,
}

#[derive(Clone, Copy)]
struct Line {
    number: usize,
    start: usize,
    end: usize,
}

#[derive(Clone, Copy)]
struct Cursor {
    column: usize,
    byte: usize,
}

impl<'t> Lines<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let first = if text.starts_with('\u{feff}') { 3 } else { 0 };
        let mut starts = vec![narrow(first)];
        if text.contains('\r') {
            let bytes = text.as_bytes();
            let is_end =
                |at: usize, byte: u8| byte == b'\n' || byte == b'\r' && bytes.get(at + 1) != Some(&b'\n');
            let ends = bytes.iter().enumerate().filter(|(at, byte)| is_end(*at, **byte));
            starts.extend(ends.map(|(at, _)| narrow(at + 1)));
        } else {
            starts.extend(text.match_indices('\n').map(|(at, _)| narrow(at + 1)));
        }
        let mut lines = Self {
            text,
            starts,
            line: Line { number: 0, start: first, end: first },
            last: Cursor { column: 0, byte: first },
        };
        lines.line.end = lines.line_end(0);
        lines
    }

    /// The stretch between two of the parser's marks, or the part of it that is on the first mark's line, because only
    /// that can be underlined.
    pub(super) fn place(&mut self, source: SourceId, start: Marker, end: Marker) -> Place {
        let from = self.find(start);
        let line = self.line;
        let to = if end.line() != start.line() {
            line.end
        } else if end.col() != start.col() {
            self.find(end).byte
        } else {
            from.byte
        };
        let text = self.text.get(from.byte..to.max(from.byte)).unwrap_or_default();
        Place {
            source,
            line: narrow(line.number + 1),
            column: narrow(from.column + 1),
            start: narrow(from.byte),
            len: narrow(text.trim_end().len()),
        }
    }

    /// The text from the beginning of a place to the end of its line.
    pub(super) fn text_from(&self, place: Place) -> &'t str {
        let line = (place.line as usize).saturating_sub(1);
        self.text.get(place.start as usize..self.line_end(line)).unwrap_or_default()
    }

    /// Where the characters of a line end, its line break not included.
    fn line_end(&self, line: usize) -> usize {
        let Some(next) = self.starts.get(line + 1) else { return self.text.len() };
        let start = self.starts.get(line).map_or(0, |start| *start as usize);
        self.text
            .get(start..*next as usize)
            .map_or(start, |text| start + text.trim_end_matches(['\n', '\r']).len())
    }

    /// The mark in bytes. A mark beyond the end of its line or of the text means that end.
    fn find(&mut self, mark: Marker) -> Cursor {
        let asked = mark.line().saturating_sub(1);
        let (number, column) =
            if asked < self.starts.len() { (asked, mark.col()) } else { (self.starts.len() - 1, usize::MAX) };
        if self.line.number != number {
            let start = self.starts.get(number).map_or(0, |start| *start as usize);
            self.line = Line { number, start, end: self.line_end(number) };
            self.last = Cursor { column: 0, byte: start };
        }
        self.last = if column >= self.last.column { self.forward(column) } else { self.back(column) };
        self.last
    }

    /// From the last place to a column after it. A stretch of ASCII, which most are, is not walked.
    fn forward(&self, column: usize) -> Cursor {
        let mut at = self.last;
        let goal = at.byte.saturating_add(column - at.column).min(self.line.end);
        if self.text.as_bytes().get(at.byte..goal).is_some_and(<[u8]>::is_ascii) {
            return Cursor { column: at.column + (goal - at.byte), byte: goal };
        }
        let rest = self.text.get(at.byte..self.line.end).unwrap_or_default();
        for c in rest.chars().take(column - at.column) {
            at.column += 1;
            at.byte += c.len_utf8();
        }
        at
    }

    /// From the last place to a column before it.
    fn back(&self, column: usize) -> Cursor {
        let mut at = self.last;
        let goal = at.byte.saturating_sub(at.column - column).max(self.line.start);
        if self.text.as_bytes().get(goal..at.byte).is_some_and(<[u8]>::is_ascii) {
            return Cursor { column: at.column - (at.byte - goal), byte: goal };
        }
        let before = self.text.get(self.line.start..at.byte).unwrap_or_default();
        for c in before.chars().rev().take(at.column - column) {
            at.column -= 1;
            at.byte -= c.len_utf8();
        }
        at
    }
}

/// A file is below 4 GiB ([`super::MAX_FILE_BYTES`]), and so is every number about it.
fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_become_bytes_whatever_ends_the_lines() {
        let text = "\u{feff}é: x\r\nb: 🎩y\rc\n";
        let mut lines = Lines::new(text);
        let mut place = |line, from, to| {
            let mark = |column| Marker::new(0, line, column);
            let place = lines.place(SourceId(0), mark(from), mark(to));
            &text[place.start as usize..(place.start + place.len) as usize]
        };
        assert_eq!(place(1, 0, 1), "é");
        assert_eq!(place(2, 4, 5), "y");
        assert_eq!(place(2, 3, 4), "🎩");
        assert_eq!(place(3, 0, 9), "c");
        assert_eq!(place(9, 0, 0), "");
    }
}
