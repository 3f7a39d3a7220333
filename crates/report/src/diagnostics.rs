//! Mistakes in a roster as a compiler would show them: severity, code, place, the offending text underlined, remedy.

use crate::harmless;
use crate::paint::{Style, Tone};
use crate::plan::{LIMIT, Page};
use crate::words::{count, number};
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use model::diagnostic::Label;
use model::{Diagnostic, Severity, SourceId, Sources};
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io;
use std::ops::Range;

/// How many diagnostics are shown with their source lines: more are not read, and JSON has them all.
const SHOWN: usize = 50;

/// The most characters of a source line that are shown.
const LINE_CHARS: usize = 200;

/// The most bytes of one diagnostic in Markdown: room for long sentences, and a comment still holds a dozen such.
const ENTRY: usize = 4_000;

/// How many related places of one diagnostic are listed in Markdown.
const RELATED: usize = 5;

/// How many characters before the underlined text stay when a long line is cut.
const LEAD_CHARS: usize = 60;

/// Wide enough for any line of ours: lines are cut here, where it is known how, and not by the renderer.
const RENDERED_COLUMNS: usize = 4_000;

/// Diagnostics as text, in the order given, with the place underlined, and a last line that counts them
/// (`3 errors, 1 warning in roster.yaml`). At most 50 are shown, errors before warnings when there are more.
///
/// Only the underlined lines are taken from the sources, so the cost does not grow with them. An empty list is an empty
/// text.
pub fn diagnostics(list: &[Diagnostic], sources: &Sources, style: Style) -> String {
    if list.is_empty() {
        return String::new();
    }
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Colour => Renderer::styled(),
    };
    let renderer = renderer.term_width(RENDERED_COLUMNS);
    let errors = list.iter().filter(|d| d.severity == Severity::Error).count();
    let mut room_for_warnings = SHOWN.saturating_sub(errors);
    let mut room_for_errors = SHOWN;
    let mut out = String::new();
    let mut left_out = (0, 0);
    for diagnostic in list {
        let (room, left_out) = match diagnostic.severity {
            Severity::Error => (&mut room_for_errors, &mut left_out.0),
            Severity::Warning => (&mut room_for_warnings, &mut left_out.1),
        };
        if *room == 0 {
            *left_out += 1;
            continue;
        }
        *room -= 1;
        out.push_str(&render(diagnostic, sources, &renderer));
        out.push_str("\n\n");
    }
    if left_out != (0, 0) {
        let parts = tally(left_out.0, left_out.1);
        let _ = write!(out, "... and {} more ({parts})\n\n", number(left_out.0 + left_out.1));
    }
    let warnings = list.len() - errors;
    let tone = if errors > 0 { Tone::Alarm } else { Tone::Caution };
    out.push_str(&style.paint(tone, &tally(errors, warnings)));
    out.push_str(&files(list, sources, harmless::terminal));
    out.push('\n');
    out
}

/// ` in roster.yaml`, ` in 3 files`, or nothing when no file is concerned.
fn files(list: &[Diagnostic], sources: &Sources, path: impl Fn(&str) -> String) -> String {
    let files: BTreeSet<SourceId> = list.iter().filter_map(|d| Some(d.label.place?.source)).collect();
    match (files.len(), files.first().and_then(|id| sources.get(*id))) {
        (1, Some(source)) => format!(" in {}", path(&source.path)),
        (0, _) | (1, None) => String::new(),
        (n, _) => format!(" in {} files", number(n)),
    }
}

/// Diagnostics as Markdown for a comment on a pull request: that nothing can be planned, if there is an error among
/// them, how many there are, then each with its place, its remedy and what else has to do with it, errors first.
///
/// Never longer than 65,536 characters, nor than as many bytes, however many there are; what does not fit is counted.
pub fn diagnostics_markdown(list: &[Diagnostic], sources: &Sources) -> String {
    let of = |severity| list.iter().filter(move |diagnostic| diagnostic.severity == severity);
    let (errors, warnings) = (of(Severity::Error).count(), of(Severity::Warning).count());
    let (heading, end) = match (errors, warnings) {
        (0, 0) => return "### No mistakes in the roster\n".to_owned(),
        (0, _) => ("No errors in the roster", "."),
        _ => ("Nothing can be planned", "; nothing was changed."),
    };
    let files = files(list, sources, harmless::markdown_code);
    let mut page = Page::new(LIMIT);
    page.push(&format!("### {heading}\n\n**{}**{files}{end}\n\n", tally(errors, warnings)));
    let rest = |errors: usize, warnings: usize| {
        format!("\n... and {} more, not shown ({}).\n", number(errors + warnings), tally(errors, warnings))
    };
    let reserve = rest(errors, warnings).len();
    let mut left_out = (errors, warnings);
    for diagnostic in of(Severity::Error).chain(of(Severity::Warning)) {
        let (whole, short) = markdown_entry(diagnostic, sources);
        let entry = if whole.len() <= ENTRY { whole } else { short };
        if page.room() < entry.len() + reserve {
            break;
        }
        page.push(&entry);
        match diagnostic.severity {
            Severity::Error => left_out.0 -= 1,
            Severity::Warning => left_out.1 -= 1,
        }
    }
    if left_out != (0, 0) {
        page.push(&rest(left_out.0, left_out.1));
    }
    page.out
}

/// A diagnostic as an entry of a Markdown list, and a short form of it: code and place, for where its texts are too
/// long.
fn markdown_entry(diagnostic: &Diagnostic, sources: &Sources) -> (String, String) {
    let Diagnostic { severity, code, message, label, related, help } = diagnostic;
    let place = |label: &Label| {
        let place = label.place?;
        Some(harmless::markdown_code(&format!("{}:{}", sources.get(place.source)?.path, place.line)))
    };
    let word = match severity {
        Severity::Error => "**Error**",
        Severity::Warning => "Warning",
    };
    let at = place(label).map_or_else(String::new, |place| format!(" at {place}"));
    let head = format!("- {word} `{code}`{at}");
    let mut whole = format!("{head}: {}", harmless::markdown(message));
    if !label.text.is_empty() {
        let _ = write!(whole, " ({})", harmless::markdown(&label.text));
    }
    whole.push('\n');
    for label in related.iter().take(RELATED) {
        let text = harmless::markdown(&label.text);
        let also = match (place(label), text.is_empty()) {
            (Some(place), true) => place,
            (Some(place), false) => format!("{place} ({text})"),
            (None, _) => text,
        };
        let _ = writeln!(whole, "  - See also {also}");
    }
    if related.len() > RELATED {
        let _ = writeln!(whole, "  - See also {} more places", number(related.len() - RELATED));
    }
    if let Some(help) = help {
        let _ = writeln!(whole, "  - What to do: {}", harmless::markdown(help));
    }
    (whole, head + ": too long to be shown\n")
}

/// One line of bad or doubtful news that has no place in a roster: `error: ...`. Ends with a newline.
pub fn message(severity: Severity, text: &str, style: Style) -> String {
    let (tone, word) = match severity {
        Severity::Error => (Tone::Alarm, "error"),
        Severity::Warning => (Tone::Caution, "warning"),
    };
    format!("{}: {}\n", style.paint(tone, word), harmless::terminal(text))
}

/// All diagnostics as JSON: `{"errors": 1, "warnings": 0, "diagnostics": [{"severity", "code", "message", "place",
/// "label", "related", "help"}]}`, where a place is `{"file", "line", "column"}` or `null`.
///
/// # Errors
/// When the writer fails.
pub fn diagnostics_json(
    list: &[Diagnostic],
    sources: &Sources,
    mut writer: impl io::Write,
) -> io::Result<()> {
    let errors = list.iter().filter(|d| d.severity == Severity::Error).count();
    let document = Document {
        errors,
        warnings: list.len() - errors,
        diagnostics: list.iter().map(|diagnostic| DiagnosticJson::new(diagnostic, sources)).collect(),
    };
    harmless::write_json(&mut writer, &document)?;
    writer.write_all(b"\n")
}

#[derive(Serialize)]
struct Document<'a> {
    errors: usize,
    warnings: usize,
    diagnostics: Vec<DiagnosticJson<'a>>,
}

#[derive(Serialize)]
struct DiagnosticJson<'a> {
    severity: Severity,
    code: &'static str,
    message: &'a str,
    place: Option<crate::plan::PlaceJson<'a>>,
    label: &'a str,
    related: Vec<RelatedJson<'a>>,
    help: Option<&'a str>,
}

#[derive(Serialize)]
struct RelatedJson<'a> {
    place: Option<crate::plan::PlaceJson<'a>>,
    text: &'a str,
}

impl<'a> DiagnosticJson<'a> {
    fn new(diagnostic: &'a Diagnostic, sources: &'a Sources) -> Self {
        let Diagnostic { severity, code, message, label, related, help } = diagnostic;
        let place = |label: &Label| crate::plan::PlaceJson::new(label.place?, Some(sources));
        Self {
            severity: *severity,
            code,
            message,
            place: place(label),
            label: &label.text,
            related: related
                .iter()
                .map(|label| RelatedJson { place: place(label), text: &label.text })
                .collect(),
            help: help.as_deref(),
        }
    }
}

fn tally(errors: usize, warnings: usize) -> String {
    let mut parts = Vec::new();
    if errors > 0 {
        parts.push(count(errors, "error", "errors"));
    }
    if warnings > 0 {
        parts.push(count(warnings, "warning", "warnings"));
    }
    parts.join(", ")
}

fn render(diagnostic: &Diagnostic, sources: &Sources, renderer: &Renderer) -> String {
    let Diagnostic { severity, code, message, label, related, help } = diagnostic;
    let level = match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.clone().primary_title(harmless::terminal(message)).id(*code);
    let mut groups = Vec::new();
    let excerpt = label.place.and_then(|place| Excerpt::new(place, sources));
    let text = harmless::terminal(&label.text);
    let mut main = match excerpt {
        Some(excerpt) => excerpt.attach(Group::with_title(title), &level, &text, &mut groups),
        None if text.is_empty() => Group::with_title(title),
        None => Group::with_title(title).element(Level::NOTE.message(text)),
    };
    if let Some(help) = help {
        main = main.element(Level::HELP.message(harmless::terminal(help)));
    }
    groups.push(main);
    for label in related {
        let text = harmless::terminal(&label.text);
        let text = if text.is_empty() { "this has to do with it".to_owned() } else { text };
        let mut note = Group::with_title(Level::NOTE.secondary_title(text));
        if let Some(excerpt) = label.place.and_then(|place| Excerpt::new(place, sources)) {
            note = excerpt.attach(note, &Level::NOTE, "", &mut groups);
        }
        groups.push(note);
    }
    renderer.render(&groups)
}

/// One line of a source, fit to be shown, and the bytes of it that are underlined.
struct Excerpt {
    path: String,
    line: usize,
    column: usize,
    text: String,
    span: Range<usize>,
}

impl Excerpt {
    /// The first line of a place. A place that reaches further (a whole entry) is underlined to the end of that line:
    /// where it begins says what is meant.
    fn new(place: model::Place, sources: &Sources) -> Option<Self> {
        let source = sources.get(place.source)?;
        let text = source.text.as_str();
        let start = text.floor_char_boundary(place.start as usize);
        let end =
            text.floor_char_boundary((place.start as usize).saturating_add(place.len as usize)).max(start);
        // YAML 1.2.2 §5.4 breaks lines at a lone carriage return, too, and a byte order mark is part of no line.
        let breaks = ['\n', '\r'];
        let first = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let line_start = text.get(..start)?.rfind(breaks).map_or(first, |at| at + 1);
        let start = start.max(line_start);
        let line_end = text.get(start..)?.find(breaks).map_or(text.len(), |at| start + at);
        let line = text.get(line_start..line_end)?;
        let span = start - line_start..(end.max(start) - line_start).min(line.len());
        let (text, span) = windowed(line, span)?;
        Some(Self {
            path: harmless::terminal(&source.path),
            line: place.line as usize,
            column: place.column as usize,
            text,
            span,
        })
    }
}

impl Excerpt {
    /// Adds the excerpt to `group` and returns the group to which more may be added.
    ///
    /// The renderer takes the column it prints from the text it is given. Where a line was cut or has escapes in front
    /// of the span, that is not the column in the file; the place then makes a group of its own, before the excerpt.
    fn attach<'a>(
        self,
        group: Group<'a>,
        level: &Level<'a>,
        label: &str,
        groups: &mut Vec<Group<'a>>,
    ) -> Group<'a> {
        let Self { path, line, column, text, span } = self;
        let shown_column = text.get(..span.start).map_or(0, |head| head.chars().count() + 1);
        let mut annotation = AnnotationKind::Primary.span(span);
        if !label.is_empty() {
            annotation = annotation.label(label.to_owned());
        }
        let snippet = Snippet::source(text).line_start(line).annotation(annotation);
        if shown_column == column {
            return group.element(snippet.path(path));
        }
        groups.push(group.element(Origin::path(path).line(line).char_column(column)));
        Group::with_level(level.clone()).element(snippet)
    }
}

/// At most [`LINE_CHARS`] characters of a line around a span of it, made harmless, and where the span is in them.
fn windowed(line: &str, span: Range<usize>) -> Option<(String, Range<usize>)> {
    let back = |from: usize, chars: usize| {
        line.get(..from)
            .and_then(|head| head.char_indices().rev().nth(chars.checked_sub(1)?))
            .map_or(0, |(at, _)| at)
    };
    let forth = |from: usize, chars: usize| {
        line.get(from..)
            .and_then(|tail| tail.char_indices().nth(chars))
            .map_or(line.len(), |(at, _)| from + at)
    };
    let fits = forth(0, LINE_CHARS) == line.len();
    let from = if fits { 0 } else { back(span.start, LEAD_CHARS) };
    let to = forth(from, LINE_CHARS);
    let (shown, offsets) = harmless::source_line(line.get(from..to)?);
    let offset = |at: usize| {
        let at = at.clamp(from, to) - from;
        offsets
            .binary_search_by_key(&at, |(source, _)| *source)
            .ok()
            .and_then(|i| offsets.get(i))
            .map(|(_, shown)| *shown)
    };
    let span = offset(span.start)?..offset(span.end)?;
    let head = if from > 0 { "..." } else { "" };
    let tail = if to < line.len() { "..." } else { "" };
    Some((format!("{head}{shown}{tail}"), span.start + head.len()..span.end + head.len()))
}
