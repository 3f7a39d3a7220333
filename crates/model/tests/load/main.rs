//! What reading a roster promises, tested through the public interface.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::format_collect,
    clippy::format_push_string,
    clippy::assigning_clones,
    reason = "a test stops where its world is not as it should be, and need not be quick in building it"
)]

mod hostile;
mod manual;
mod mistakes;
mod rosters;
mod schema;

use model::diagnostic::{Diagnostic, Label};
use model::load::{Loaded, Rejected, load};
use model::{Source, Sources};

/// A roster of the given files, named `1.yaml`, `2.yaml` and so on.
fn load_all(texts: &[&str]) -> Result<Loaded, Box<Rejected>> {
    load(sources(texts), None)
}

/// A roster of one file.
fn load_one(text: &str) -> Result<Loaded, Box<Rejected>> {
    load_all(&[text])
}

fn sources(texts: &[&str]) -> Vec<Source> {
    let name = |i: usize| format!("{}.yaml", i + 1);
    texts.iter().enumerate().map(|(i, text)| Source { path: name(i), text: (*text).to_owned() }).collect()
}

/// What is wrong with a roster of the given files.
#[track_caller]
fn mistakes(texts: &[&str]) -> Rejected {
    *load_all(texts).expect_err("the roster should have been rejected")
}

/// The codes of what is wrong, in the order of the report.
#[track_caller]
fn codes(texts: &[&str]) -> Vec<&'static str> {
    mistakes(texts).diagnostics.iter().map(|d| d.code).collect()
}

/// The text that a place covers.
fn underlined<'s>(label: &Label, sources: &'s Sources) -> &'s str {
    let Some(place) = label.place else { return "" };
    let (start, len) = (place.start as usize, place.len as usize);
    sources
        .get(place.source)
        .and_then(|source| source.text.get(start..start + len))
        .expect("a place within its file")
}

/// A diagnostic on a few lines, as the snapshots show it.
fn show(finding: &Diagnostic, sources: &Sources) -> String {
    let at = |label: &Label| label.place.map_or_else(|| "-".to_owned(), |place| sources.display(place));
    let mut text = format!(
        "{} {:?} at {} «{}»\n    {}\n",
        finding.code,
        finding.severity,
        at(&finding.label),
        underlined(&finding.label, sources),
        finding.message
    );
    if !finding.label.text.is_empty() {
        text += &format!("    here: {}\n", finding.label.text);
    }
    for related in &finding.related {
        text += &format!("    {}: {} «{}»\n", related.text, at(related), underlined(related, sources));
    }
    if let Some(help) = &finding.help {
        text += &format!("    help: {help}\n");
    }
    text
}
