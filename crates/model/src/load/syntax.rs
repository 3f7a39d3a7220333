//! Files that are not YAML, in words for the author of a roster.

use super::codes;
use super::file::beginning;
use super::findings::{Findings, quote};
use super::limits::MAX_FILE_BYTES;
use crate::place::{Place, Source, SourceId};

/// Whether the parser may be let loose on a file; if not, why is reported.
pub(super) fn is_readable(id: SourceId, source: &Source, findings: &mut Findings) -> bool {
    if source.text.len() > MAX_FILE_BYTES {
        let message =
            format!("this file has {} bytes; at most {MAX_FILE_BYTES} are allowed", source.text.len());
        findings.error(codes::TOO_LARGE, beginning(id), message, "split it into several files of one folder");
        return false;
    }
    let Some((start, c)) = refused_character(&source.text) else { return true };
    let before = source.text.get(..start).unwrap_or_default();
    // As the parser counts: a carriage return alone ends a line, and a byte order mark is no column.
    let mut lines = before.trim_start_matches('\u{feff}').split(['\n', '\r']);
    let breaks = lines.clone().count() - before.matches("\r\n").count();
    let place = Place {
        source: id,
        line: narrow(breaks),
        column: narrow(lines.next_back().unwrap_or_default().chars().count() + 1),
        start: narrow(start),
        len: narrow(c.len_utf8()),
    };
    findings.error(
        codes::CONTROL_CHARACTER,
        place,
        format!("this file contains the character U+{:04X}, which YAML does not allow", u32::from(c)),
        "remove it; the file was not read any further",
    );
    false
}

/// The first character that YAML does not allow in a file, with its place.
fn refused_character(text: &str) -> Option<(usize, char)> {
    // YAML allows no control characters in a file (YAML 1.2.2 §5.1), and a parser may take one for the end of it.
    // A byte order mark belongs at the beginning alone.
    let is_refused = |at: usize, c: char| {
        c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}') || c == '\u{feff}' && at > 0
    };
    // Bytes with which such a character begins, and few others do. They are looked for in stretches, which takes a
    // tenth of the time of a walk over the characters.
    let may_begin_one = |byte: u8| matches!(byte, 0..=0x08 | 0x0b | 0x0c | 0x0e..=0x1f | 0x7f | 0xc2 | 0xef);
    let stretches = text.as_bytes().chunks(STRETCH).enumerate();
    stretches
        .filter(|(_, stretch)| stretch.iter().fold(false, |any, byte| any | may_begin_one(*byte)))
        .flat_map(|(number, stretch)| (number * STRETCH..).zip(stretch))
        .filter(|(_, byte)| may_begin_one(**byte))
        .find_map(|(at, _)| Some((at, text.get(at..)?.chars().next()?)).filter(|(at, c)| is_refused(*at, *c)))
}

/// How many bytes are looked at together.
const STRETCH: usize = 256;

fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// What is wrong and what to do, from the parser's message and the text at the place it points to.
pub(super) fn explain(info: &str, rest: &str) -> (String, &'static str) {
    let first = rest.chars().next();
    if first == Some('\t') || info.contains("tab") {
        return ("a tab cannot be used to indent".to_owned(), "indent with spaces");
    }
    if info.contains("unknown anchor") {
        let name = rest.split([' ', '\n', '\r', ',', ']', '}']).next().unwrap_or_default();
        return (
            format!("{} refers to an anchor that is not defined above", quote(name)),
            "text that begins with `*` needs quotes",
        );
    }
    if info.contains("mapping values are not allowed") || info.contains("illegal placement of ':'") {
        return (
            "a `:` is not allowed here".to_owned(),
            "text that contains `: ` needs quotes, and the keys of one mapping need the same indentation",
        );
    }
    if info.contains("unexpected end of stream") {
        return ("this quoted text is never closed".to_owned(), "add the closing quote");
    }
    if info.starts_with("unexpected character") {
        return (
            format!("text cannot begin with {}", quote(&rest.chars().take(1).collect::<String>())),
            "put the text in quotes",
        );
    }
    if info.contains("flow sequence") || info.contains("flow mapping") || info.contains("bracket") {
        return (
            "a list or mapping in brackets does not go on as it should here".to_owned(),
            "look for a missing `,` or closing bracket",
        );
    }
    if info.contains("simple key expect") {
        return (
            "this line is neither `key: value` nor `- entry`".to_owned(),
            "look for a missing `:` above or here",
        );
    }
    if info.contains("did not find expected key") || info.contains("'-' indicator") || info.contains("indent")
    {
        return (
            "the indentation does not fit the lines above".to_owned(),
            "the keys of one mapping, and the `-` of one list, begin in the same column",
        );
    }
    if info.contains("escape") {
        return (
            "this double-quoted text has an escape that YAML does not know".to_owned(),
            "write a backslash as `\\\\`, or use single quotes",
        );
    }
    (format!("this is not YAML: {info}"), "compare the line with the ones around it")
}
