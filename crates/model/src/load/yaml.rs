//! From YAML text to trees.
//!
//! Text becomes parser events, and events become one [`Node`] tree for each entry of a list at a time, so that a
//! roster of 100,000 people is never a tree as a whole. Anchors keep what they name; an alias shares it.

use super::codes;
use super::findings::{Findings, quote};
use super::limits::{MAX_ANCHORED_NODES, MAX_DEPTH, MAX_ENTRY_NODES, MAX_NODES, MAX_TEXT_BYTES};
use super::lines::Lines;
use super::node::{Budget, Key, Node, Value, text_weight};
use super::watch::{Leash, Watched};
use crate::diagnostic::Diagnostic;
use crate::place::{Place, SourceId};
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, Tag};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// Reading a file cannot go on. Why has been reported.
pub(super) struct Stop;

/// Reads one file.
pub(super) struct Reader<'t, 'r> {
    parser: Parser<'t, Watched<'t>>,
    leash: Leash,
    lines: Lines<'t>,
    /// Where the last event began.
    last: Place,
    source: SourceId,
    anchors: HashMap<usize, Rc<Node<'t>>>,
    anchored_nodes: u64,
    pub(super) findings: &'r mut Findings,
    budget: &'r mut Budget,
    entry_nodes: u32,
    /// The room of the last entry's mapping and of its longest list, for the next one: room of this size is what
    /// allocators are slow to give and to take back.
    spare_entries: Vec<(Key<'t>, Node<'t>)>,
    spare_nodes: Vec<Node<'t>>,
}

impl<'t, 'r> Reader<'t, 'r> {
    pub(super) fn new(
        source: SourceId,
        text: &'t str,
        findings: &'r mut Findings,
        budget: &'r mut Budget,
    ) -> Self {
        let leash = Leash::new();
        Self {
            parser: Parser::new(Watched::new(text, leash.clone())),
            leash,
            lines: Lines::new(text),
            last: Place { source, line: 1, column: 1, ..Place::default() },
            source,
            anchors: HashMap::new(),
            anchored_nodes: 0,
            findings,
            budget,
            entry_nodes: 0,
            spare_entries: Vec::new(),
            spare_nodes: Vec::new(),
        }
    }

    /// The next event of the file.
    pub(super) fn event(&mut self) -> Result<(Event<'t>, Place), Stop> {
        self.leash.renew();
        let next = self.parser.next_event();
        if self.leash.is_at_end() {
            return self.stop(
                Diagnostic::error(codes::TOO_LARGE, self.last, "what follows here is too long to be read at once")
                    .help("write long lists without brackets, one entry a line, and shorten long texts; nothing after this place was read"),
            );
        }
        match next {
            Some(Ok((event, span))) => {
                self.last = self.place(span);
                Ok((event, self.last))
            }
            Some(Err(error)) => {
                let finding = self.syntax_error(&error);
                self.stop(finding)
            }
            None => Ok((Event::StreamEnd, self.place(Span::default()))),
        }
    }

    /// Reports why reading ends here.
    pub(super) fn stop<T>(&mut self, finding: Diagnostic) -> Result<T, Stop> {
        self.findings.report(finding);
        Err(Stop)
    }

    /// The tree that begins with `event`: one entry of a list, or one value at the top of the file.
    pub(super) fn entry(&mut self, event: Event<'t>, place: Place) -> Result<Node<'t>, Stop> {
        if self.findings.is_hopeless() {
            return Err(Stop);
        }
        self.entry_nodes = 0;
        self.node(event, place, 0)
    }

    /// Takes back the room of an entry that has been understood.
    pub(super) fn reuse(&mut self, entry: Node<'t>) {
        let Value::Map(mut entries) = entry.value else { return };
        for (_, node) in entries.drain(..) {
            if let Value::List(mut nodes) = node.value
                && nodes.capacity() > self.spare_nodes.capacity()
            {
                nodes.clear();
                self.spare_nodes = nodes;
            }
        }
        self.spare_entries = entries;
    }

    fn node(&mut self, event: Event<'t>, place: Place, depth: u16) -> Result<Node<'t>, Stop> {
        self.entry_nodes += 1;
        if self.entry_nodes > MAX_ENTRY_NODES {
            return self.stop(
                Diagnostic::error(
                    codes::TOO_LARGE,
                    place,
                    format!("this value has more than {MAX_ENTRY_NODES} parts"),
                )
                .help("split it; nothing after this place was read"),
            );
        }
        if depth > MAX_DEPTH {
            return self.stop(too_deep(place));
        }
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let value = self.scalar(text, style, tag.as_deref(), place);
                self.finish(value, anchor, place)
            }
            Event::SequenceStart(anchor, tag) => {
                self.check_tag(tag.as_deref(), place);
                let mut nodes = std::mem::take(&mut self.spare_nodes);
                loop {
                    match self.event()? {
                        (Event::SequenceEnd, _) => break,
                        (event, place) => nodes.push(self.node(event, place, depth + 1)?),
                    }
                }
                if anchor != 0 {
                    nodes.shrink_to_fit();
                }
                self.finish(Value::List(nodes), anchor, place)
            }
            Event::MappingStart(anchor, tag) => {
                self.check_tag(tag.as_deref(), place);
                let mut entries = self.mapping(depth)?;
                // What is anchored stays, and its room must not be that of the largest before it.
                if anchor != 0 {
                    entries.shrink_to_fit();
                }
                // A block mapping begins at its first key, a flow mapping at its brace; the key says more.
                let place = entries
                    .first()
                    .map_or(place, |(key, _)| if key.place >= place { key.place } else { place });
                self.finish(Value::Map(entries), anchor, place)
            }
            Event::Alias(anchor) => self.alias(anchor, place, depth),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::SequenceEnd
            | Event::MappingEnd => {
                self.stop(Diagnostic::error(codes::SYNTAX, place, "a value is missing here"))
            }
        }
    }

    /// Charges for a node and keeps it if it is anchored.
    fn finish(&mut self, value: Value<'t>, anchor: usize, place: Place) -> Result<Node<'t>, Stop> {
        let own = match &value {
            Value::Text { text, .. } => 1 + text_weight(text),
            _ => 1,
        };
        self.charge(own, place)?;
        let node = Node::new(place, value);
        if anchor == 0 {
            return Ok(node);
        }
        self.anchored_nodes = self.anchored_nodes.saturating_add(node.weight);
        if self.anchored_nodes > MAX_ANCHORED_NODES {
            return self.stop(
                Diagnostic::error(
                    codes::TOO_LARGE,
                    place,
                    format!("here the anchored values exceed {MAX_ANCHORED_NODES} parts"),
                )
                .help("anchor only what is used again; nothing after this place was read"),
            );
        }
        let shared = Rc::new(node);
        self.anchors.insert(anchor, Rc::clone(&shared));
        Ok(Node::new(place, Value::Shared(shared)))
    }

    fn charge(&mut self, weight: u64, place: Place) -> Result<(), Stop> {
        if self.budget.take(weight) {
            return Ok(());
        }
        self.stop(
            Diagnostic::error(codes::TOO_LARGE, place, format!("here the roster exceeds {MAX_NODES} parts"))
                .help(
                    "what an alias stands for counts each time it is used; nothing after this place was read",
                ),
        )
    }

    fn alias(&mut self, anchor: usize, place: Place, depth: u16) -> Result<Node<'t>, Stop> {
        let Some(shared) = self.anchors.get(&anchor).map(Rc::clone) else {
            self.findings.error(
                codes::RECURSIVE_ALIAS,
                place,
                "this alias stands inside the value that it refers to",
                "write the value out",
            );
            return Ok(Node::new(place, Value::Broken));
        };
        if depth.saturating_add(shared.height) > MAX_DEPTH {
            return self.stop(too_deep(place));
        }
        self.charge(shared.weight, place)?;
        Ok(Node::new(place, Value::Shared(shared)))
    }

    fn scalar(
        &mut self,
        text: Cow<'t, str>,
        style: ScalarStyle,
        tag: Option<&Tag>,
        place: Place,
    ) -> Value<'t> {
        if text.len() > MAX_TEXT_BYTES {
            self.findings.error(
                codes::TOO_LARGE,
                place,
                format!("this text has {} bytes; at most {MAX_TEXT_BYTES} are allowed", text.len()),
                "shorten it; a photo can be given by an https URL",
            );
            return Value::Broken;
        }
        if !self.check_tag(tag, place) {
            return Value::Broken;
        }
        let plain = style == ScalarStyle::Plain && tag.is_none();
        if plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL") {
            return Value::Null;
        }
        Value::Text { text, plain }
    }

    /// Only `!!str` and `!`, which both say "this is text", mean anything in a roster.
    fn check_tag(&mut self, tag: Option<&Tag>, place: Place) -> bool {
        let Some(tag) = tag else { return true };
        let says_text =
            tag.is_yaml_core_schema() && tag.suffix == "str" || tag.handle.is_empty() && tag.suffix == "!";
        let fits_collection = tag.is_yaml_core_schema() && matches!(&*tag.suffix, "seq" | "map");
        if says_text || fits_collection {
            return true;
        }
        self.findings.error(
            codes::UNSUPPORTED_TAG,
            place,
            format!("the tag {} means nothing in a roster", quote(&tag.to_string())),
            "remove it; texts are taken as they are written",
        );
        false
    }

    fn mapping(&mut self, depth: u16) -> Result<Vec<(Key<'t>, Node<'t>)>, Stop> {
        let mut entries = if depth == 0 { std::mem::take(&mut self.spare_entries) } else { Vec::new() };
        let mut merged = Vec::new();
        let mut seen = Seen::default();
        loop {
            let (event, place) = self.event()?;
            if event == Event::MappingEnd {
                break;
            }
            let is_merge = matches!(&event, Event::Scalar(text, ScalarStyle::Plain, _, None) if text == "<<");
            let key = self.key(event, place, depth)?;
            let (event, place) = self.event()?;
            let mut value = self.node(event, place, depth + 1)?;
            // An absent value has no text to underline, so that its key stands for it.
            if let (true, Value::Null, Some(key)) = (value.place.len == 0, &value.value, &key) {
                value.place = key.place;
            }
            let Some(key) = key else { continue };
            if let Some(first) = seen.insert(&key, &entries) {
                self.duplicate_key(&key, first);
            } else if is_merge {
                merged.push(value);
                seen.note_merge(key.place);
            } else {
                entries.push((key, value));
            }
        }
        if !merged.is_empty() {
            let mut present = entries.iter().map(|(key, _)| key.value.clone()).collect();
            for value in &merged {
                self.merge(value, &mut entries, &mut present)?;
            }
        }
        Ok(entries)
    }

    pub(super) fn duplicate_key(&mut self, key: &Key<'t>, first: Place) {
        self.findings.report(
            Diagnostic::error(
                codes::DUPLICATE_KEY,
                key.place,
                format!("{} is given twice", quote(&key.value)),
            )
            .related(first, "first given here")
            .help("keep one of the two"),
        );
    }

    /// The text of a key, or `None` once it is reported that it is none.
    pub(super) fn key(
        &mut self,
        event: Event<'t>,
        place: Place,
        depth: u16,
    ) -> Result<Option<Key<'t>>, Stop> {
        let node = self.node(event, place, depth + 1)?;
        if let Value::Text { text, .. } = node.value {
            return Ok(Some(Key::new(text, node.place)));
        }
        match node.value() {
            Value::Text { text, .. } => return Ok(Some(Key::new(text.clone(), node.place))),
            Value::Null => return Ok(Some(Key::new(Cow::Borrowed("null"), node.place))),
            Value::Broken => {}
            Value::List(_) | Value::Map(_) | Value::Shared(_) => self.findings.error(
                codes::WRONG_TYPE,
                node.place,
                format!("a key must be text, and this is {}", node.found()),
                "text that begins with a brace or bracket needs quotes",
            ),
        }
        Ok(None)
    }

    /// Carries out a merge key: what the mapping does not say itself is taken over, from the first source that says it.
    fn merge(
        &mut self,
        from: &Node<'t>,
        into: &mut Vec<(Key<'t>, Node<'t>)>,
        present: &mut HashSet<Cow<'t, str>>,
    ) -> Result<(), Stop> {
        match from.value() {
            Value::Map(entries) => {
                for (key, value) in entries {
                    if present.insert(key.value.clone()) {
                        self.charge(value.weight, from.place)?;
                        into.push((key.clone(), value.clone()));
                    }
                }
            }
            Value::List(sources) => {
                for source in sources {
                    if matches!(source.value(), Value::List(_)) {
                        self.not_mergeable(source);
                    } else {
                        self.merge(source, into, present)?;
                    }
                }
            }
            Value::Broken => {}
            Value::Null | Value::Text { .. } | Value::Shared(_) => self.not_mergeable(from),
        }
        Ok(())
    }

    fn not_mergeable(&mut self, node: &Node<'t>) {
        self.findings.error(
            codes::WRONG_TYPE,
            node.place,
            format!("`<<` takes a mapping or a list of mappings, and this is {}", node.found()),
            "write an alias such as `<<: *engineers`",
        );
    }

    fn place(&mut self, span: Span) -> Place {
        self.lines.place(self.source, span.start, span.end)
    }

    fn syntax_error(&mut self, error: &ScanError) -> Diagnostic {
        let place = self.lines.place(self.source, *error.marker(), *error.marker());
        let rest = self.lines.text_from(place);
        let len = rest.chars().next().filter(|c| !c.is_control()).map_or(0, char::len_utf8);
        let place = Place { len: u32::try_from(len).unwrap_or_default(), ..place };
        // The parser's own limit, on brackets inside brackets, may strike first because it reads ahead.
        if error.info().contains("recursion limit") {
            return too_deep(place);
        }
        let (message, help) = super::syntax::explain(error.info(), rest);
        Diagnostic::error(codes::SYNTAX, place, message)
            .help(format!("{help}; nothing after this place was read"))
    }
}

fn too_deep(place: Place) -> Diagnostic {
    Diagnostic::error(codes::TOO_DEEP, place, format!("this is nested more than {MAX_DEPTH} levels deep"))
        .help("a roster needs six levels; nothing after this place was read")
}

/// The keys of a mapping so far, for finding duplicates in time proportional to their number.
#[derive(Default)]
struct Seen {
    merge: Option<Place>,
    /// A bit for each key so far ([`trace`]).
    traces: u64,
    places: HashMap<String, Place>,
}

/// Up to this many keys it is quicker to look through them.
const FEW_KEYS: usize = 16;

/// One of 64 bits, the same for the same key: most of a dozen keys have one for themselves and need no comparing.
fn trace(key: &str) -> u64 {
    let first = key.bytes().next().unwrap_or_default();
    1 << (usize::from(first).wrapping_add(key.len() * 7) % 64)
}

impl Seen {
    /// Where `key` was given before, if it was.
    fn insert(&mut self, key: &Key<'_>, entries: &[(Key<'_>, Node<'_>)]) -> Option<Place> {
        if key.value == "<<" && self.merge.is_some() {
            return self.merge;
        }
        let trace = trace(&key.value);
        let may_be_here = self.traces & trace != 0;
        self.traces |= trace;
        if entries.len() < FEW_KEYS {
            if !may_be_here {
                return None;
            }
            return entries.iter().find(|(k, _)| k.value == key.value).map(|(k, _)| k.place);
        }
        if self.places.is_empty() {
            self.places = entries.iter().map(|(k, _)| (k.value.to_string(), k.place)).collect();
        }
        let first = self.places.get(&*key.value).copied();
        self.places.entry(key.value.to_string()).or_insert(key.place);
        first
    }

    fn note_merge(&mut self, place: Place) {
        self.merge = Some(place);
    }
}
