//! Text from people and services, made so that showing it does nothing.
//!
//! A name may carry an escape sequence that repaints a terminal, a bidi control that makes one name look like another, a
//! Markdown table that hides half a comment, an `@mention`, or a workflow command that a CI runner obeys. There is one
//! function per kind of output; each shows what it cannot print as an escape such as `\u{202e}`, so that the reader sees
//! that something is there.

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};
use std::fmt::Write as _;
use std::io;

/// The most characters of a name or value that are shown. Slack's longest name has 80 (sheet S6); what is longer is
/// somebody's mistake or trick, or a `data:` URL.
pub(crate) const NAME_CHARS: usize = 100;

/// The most characters of a sentence that are shown: room for a long list of names, and still less than a screen.
const SENTENCE_CHARS: usize = 1_000;

/// Accents may be written as combining marks, and Vietnamese stacks two; a pile of them climbs over the lines above.
const MARKS_IN_A_ROW: usize = 2;

/// A sentence with names in it, for a terminal or a log: one line, at most 1,000 characters of the text, nothing in it
/// acts. It cannot be taken for a workflow command of a CI runner, wherever in a line it stands.
pub fn terminal(text: &str) -> String {
    cut(text, SENTENCE_CHARS, Quoting::None)
}

/// A name for a terminal or a log: bare when it is one plain word, else in double quotes, so that where it begins and
/// ends cannot be forged. At most 100 of its characters are shown.
pub fn name(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '@' | '+' | '/');
    let short = text.chars().take(NAME_CHARS + 1).count() <= NAME_CHARS;
    if short && !text.is_empty() && text.chars().all(|c| plain(c) && is_visible(c)) {
        return text.to_owned();
    }
    quoted(text)
}

/// A value in double quotes, at most 100 of its characters.
pub(crate) fn quoted(text: &str) -> String {
    cut(text, NAME_CHARS, Quoting::Double)
}

/// A line of a roster, with the byte offset that each of its characters has in what is shown. The last entry is the
/// length of what is shown.
pub(crate) fn source_line(line: &str) -> (String, Vec<(usize, usize)>) {
    let mut shown = Shown::new(Quoting::None);
    let mut offsets = Vec::with_capacity(line.len() + 1);
    for (at, c) in line.char_indices() {
        offsets.push((at, shown.out.len()));
        if opens_runner_command(line.get(at..).unwrap_or_default()) {
            shown.escape(c);
        } else {
            shown.push(c);
        }
    }
    offsets.push((line.len(), shown.out.len()));
    (shown.out, offsets)
}

/// A sentence with names in it, for Markdown: at most 1,000 characters of the text, no formatting, no HTML, no mention,
/// no reference to an issue or commit, no link, no emoji, no formula.
pub fn markdown(text: &str) -> String {
    let text = terminal(text);
    let mut out = String::with_capacity(text.len() * 2);
    let mut word = 0;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        word = if c.is_ascii_alphanumeric() { word + 1 } else { 0 };
        let next = chars.peek().copied().unwrap_or(' ');
        // A forge looks for mentions, issues, emoji and links in the finished text, where a backslash is gone; a space of
        // no width between the two halves is still there. It stands only where it must, since people copy what they read.
        let opens = match c {
            '@' | '#' => true,
            ':' => next != ' ',
            // `www.` makes a link by itself, `GH-1` a reference to an issue.
            '.' => ends_with(&out, "www"),
            '-' => next.is_ascii_digit() && out.ends_with(|c: char| c.is_ascii_alphabetic()),
            _ => false,
        };
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // GitHub's own way to write a dollar sign that opens no formula.
            '$' => out.push_str("<span>$</span>"),
            c if c.is_ascii_punctuation() && !matches!(c, ',' | ';' | '"' | '\'' | '?' | '%' | '/') => {
                out.push('\\');
                out.push(c);
                if opens {
                    out.push_str(BREAK);
                }
            }
            c => {
                // Seven hexadecimal digits may be a commit.
                if word > 1 && word % 6 == 1 && is_hexadecimal_tail(&out) {
                    out.push_str(BREAK);
                }
                out.push(c);
            }
        }
    }
    out
}

/// Whether `text` ends with `end`, in any letter case.
fn ends_with(text: &str, end: &str) -> bool {
    text.len()
        .checked_sub(end.len())
        .and_then(|at| text.get(at..))
        .is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

/// A zero-width space as an entity: it separates what a forge would otherwise read as one word.
const BREAK: &str = "&#8203;";

fn is_hexadecimal_tail(out: &str) -> bool {
    out.chars().rev().take(6).all(|c| c.is_ascii_hexdigit())
}

/// A name or value for Markdown, as a code span, inside which a forge looks for nothing: at most 100 of its characters.
/// Backquotes, which would end the span, and bars, which would end the cell of a table, are shown as escapes.
pub fn markdown_code(text: &str) -> String {
    let shown = cut(text, NAME_CHARS, Quoting::CodeSpan);
    if shown.trim().is_empty() {
        return "` (blank) `".to_owned();
    }
    format!("`{shown}`")
}

/// Writes `value` as compact JSON. Beyond what JSON demands, control characters, bidi controls and whatever else has no
/// visible form are written as `\uXXXX`, and no text in it is a workflow command of a CI runner. The values are the same.
///
/// # Errors
/// When the writer fails.
pub fn write_json<T: Serialize + ?Sized>(writer: impl io::Write, value: &T) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(writer, HarmlessJson)).map_err(io::Error::from)
}

struct HarmlessJson;

impl Formatter for HarmlessJson {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        write_json_fragment(writer, fragment)
    }

    // Outside its texts, JSON consists of printable ASCII without a number sign and of blanks, which pass unchanged.
    fn write_raw_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        write_json_fragment(writer, fragment)
    }
}

fn write_json_fragment<W: ?Sized + io::Write>(writer: &mut W, fragment: &str) -> io::Result<()> {
    // Nearly all of a plan, and a large one has hundreds of megabytes.
    if fragment.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'#') {
        return writer.write_all(fragment.as_bytes());
    }
    let mut from = 0;
    for (at, c) in fragment.char_indices() {
        let rest = fragment.get(at..).unwrap_or_default();
        let blank = matches!(c, '\n' | '\r' | '\t');
        if (is_visible(c) || blank) && !opens_runner_command(rest) {
            continue;
        }
        CompactFormatter.write_string_fragment(writer, fragment.get(from..at).unwrap_or_default())?;
        for unit in c.encode_utf16(&mut [0; 2]) {
            write!(writer, "\\u{unit:04x}")?;
        }
        from = at + c.len_utf8();
    }
    CompactFormatter.write_string_fragment(writer, fragment.get(from..).unwrap_or_default())
}

/// How text is set off from what surrounds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quoting {
    None,
    Double,
    CodeSpan,
}

fn cut(text: &str, most: usize, quoting: Quoting) -> String {
    let mut shown = Shown::new(quoting);
    if quoting == Quoting::Double {
        shown.out.push('"');
    }
    let mut leading = true;
    for (taken, (at, c)) in text.char_indices().enumerate() {
        if taken == most {
            let _ = write!(shown.out, "... ({} characters)", crate::words::number(text.chars().count()));
            break;
        }
        let rest = text.get(at..).unwrap_or_default();
        if opens_runner_command(rest) || (leading && rest.starts_with("::")) {
            shown.escape(c);
        } else {
            shown.push(c);
        }
        leading &= c.is_whitespace();
    }
    if quoting == Quoting::Double {
        shown.out.push('"');
    }
    shown.out
}

/// Text as it is shown, built character by character.
struct Shown {
    out: String,
    quoting: Quoting,
    marks: usize,
}

impl Shown {
    fn new(quoting: Quoting) -> Self {
        // A mark at the very beginning would join whatever stands before it.
        Self { out: String::new(), quoting, marks: MARKS_IN_A_ROW }
    }

    fn push(&mut self, c: char) {
        if is_mark(c) {
            self.marks += 1;
        } else {
            self.marks = 0;
        }
        match (c, self.quoting) {
            ('\t', _) => self.out.push_str("\\t"),
            ('\n', _) => self.out.push_str("\\n"),
            ('\r', _) => self.out.push_str("\\r"),
            ('"' | '\\', Quoting::Double) => {
                self.out.push('\\');
                self.out.push(c);
            }
            ('`' | '|', Quoting::CodeSpan) => self.escape(c),
            _ if is_visible(c) && self.marks <= MARKS_IN_A_ROW => self.out.push(c),
            _ => self.escape(c),
        }
    }

    fn escape(&mut self, c: char) {
        let _ = write!(self.out, "{}", c.escape_unicode());
    }
}

/// Whether `text` begins with what a runner obeys anywhere in a line: `##[error]` of GitHub and Azure, `##vso[` and
/// `##teamcity[`. (`::error` counts at the beginning of a line only.)
fn opens_runner_command(text: &str) -> bool {
    text.strip_prefix("##")
        .is_some_and(|rest| rest.trim_start_matches(|c: char| c.is_ascii_alphabetic()).starts_with('['))
}

/// Whether showing `c` puts ink, or a plain blank, where a reader expects it.
fn is_visible(c: char) -> bool {
    if c.is_ascii() {
        return c == ' ' || c.is_ascii_graphic();
    }
    // The standard library's escape covers control, format (bidi, zero width, tags), private-use and unassigned
    // characters and every space but U+0020. The rest of these have no ink though they are letters, marks or symbols;
    // the ideographic space is as plain to a Japanese reader as U+0020 is to us.
    match c {
        '\u{3000}' => true,
        '\u{34f}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{2800}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{ffa0}'
        | '\u{e0100}'..='\u{e01ef}' => false,
        _ => is_printable(c),
    }
}

/// Whether `str`'s debug form leaves `c` as it is when it follows another character.
fn is_printable(c: char) -> bool {
    let mut buffer = [b'a'; 5];
    let Some((_, tail)) = buffer.split_first_mut() else { return false };
    let length = c.encode_utf8(tail).len();
    let pair = buffer.get(..=length).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default();
    pair.escape_debug().eq(pair.chars())
}

/// Whether `c` is drawn onto the character before it: `char`'s debug form escapes these and `str`'s does not.
fn is_mark(c: char) -> bool {
    !c.is_ascii() && c.escape_debug().len() > 1 && is_printable(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_of_many_scripts_are_shown_as_they_are() {
        for text in ["ada", "Zoë", "Nguye\u{302}\u{303}n", "山田　太郎", "Ωμέγα", "שרה", "प्रिया", "O'Brien"]
        {
            assert_eq!(terminal(text), text);
        }
        assert_eq!(name("ada.l-1"), "ada.l-1");
        assert_eq!(name("Team Admins"), "\"Team Admins\"");
        assert_eq!(name("a\", bob"), r#""a\", bob""#);
        assert_eq!(name(""), "\"\"");
    }

    #[test]
    fn what_has_no_form_is_shown_as_an_escape() {
        for (text, shown) in [
            ("a\u{1b}[31mb", r"a\u{1b}[31mb"),
            ("a\u{9b}b", r"a\u{9b}b"),
            ("a\r\nb\tc", r"a\r\nb\tc"),
            ("a\u{202e}b\u{2066}\u{200f}\u{61c}", r"a\u{202e}b\u{2066}\u{200f}\u{61c}"),
            ("a\u{200b}\u{200d}\u{feff}\u{ad}b", r"a\u{200b}\u{200d}\u{feff}\u{ad}b"),
            ("a\u{2028}\u{a0}b", r"a\u{2028}\u{a0}b"),
            ("a\u{e000}\u{e0041}\u{378}\u{3164}", r"a\u{e000}\u{e0041}\u{378}\u{3164}"),
            ("a\u{301}\u{301}\u{301}\u{301}", "a\u{301}\u{301}\\u{301}\\u{301}"),
        ] {
            assert_eq!(terminal(text), shown);
        }
    }

    #[test]
    fn no_text_is_a_workflow_command() {
        assert_eq!(terminal("::error::x"), r"\u{3a}:error::x");
        assert_eq!(terminal("  ::error::x"), r"  \u{3a}:error::x");
        assert_eq!(terminal("team::eng"), "team::eng");
        assert_eq!(terminal("x ##[error]y"), r"x \u{23}#[error]y");
        assert_eq!(terminal("x ##vso[task]y"), r"x \u{23}#vso[task]y");
        assert_eq!(terminal("## People"), "## People");
    }

    #[test]
    fn long_names_are_cut_and_say_so() {
        let long = "x".repeat(1_204);
        assert_eq!(name(&long), format!("\"{}... (1,204 characters)\"", "x".repeat(100)));
    }

    #[test]
    fn a_code_span_cannot_be_left() {
        assert_eq!(markdown_code("a`b|c"), r"`a\u{60}b\u{7c}c`");
        assert_eq!(markdown_code(" "), "` (blank) `");
    }

    #[test]
    fn nothing_in_a_markdown_sentence_is_a_link_a_mention_or_a_reference() {
        assert_eq!(markdown("see @octocat #12"), r"see \@&#8203;octocat \#&#8203;12");
        assert_eq!(markdown("<img src=x>"), r"&lt;img src\=x&gt;");
        assert_eq!(markdown("www.x"), r"www\.&#8203;x");
        assert_eq!(markdown("a 1234567890abc"), "a 123456&#8203;7890ab&#8203;c");
        assert_eq!(markdown("WWW.x GH-1"), r"WWW\.&#8203;x GH\-&#8203;1");
        assert_eq!(markdown("limits.deleteGroups: 2027-01-05"), r"limits\.deleteGroups\: 2027\-01\-05");
        assert_eq!(markdown(":tada:"), r"\:&#8203;tada\:");
        assert_eq!(markdown("http://x"), r"http\:&#8203;//x");
        assert_eq!(markdown("**b** [l](u) | x"), r"\*\*b\*\* \[l\]\(u\) \| x");
    }

    #[test]
    fn json_keeps_its_values_and_hides_nothing() {
        let value = serde_json::json!({"a\u{202e}": "b\u{9b}c\u{7f}\n##[error]x\u{e0041}", "n": [1, null]});
        let mut out = Vec::new();
        write_json(&mut out, &value).unwrap();
        let text = String::from_utf8(out).unwrap();
        let shown = r#"{"a\u202e":"b\u009bc\u007f\n\u0023#[error]x\udb40\udc41","n":[1,null]}"#;
        assert_eq!(text, shown);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }
}
