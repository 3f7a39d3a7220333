//! Simulators of Slack from files, for `rosterctl sim` and for `--simulate`.

use crate::failure::Failure;
use anyhow::Context as _;
use jiff::Timestamp;
use reconciler::{snapshot, source};
use serde_json::Value;
use slack_sim::{Seed, Simulator, Switches};
use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::Path;

/// A simulator seeded from a file, a seed or a snapshot; an empty one without. Must be called within a runtime.
pub(crate) fn new(seed: Option<&Path>, switches: Switches) -> Result<Simulator, Failure> {
    let simulator = match seed {
        None => Simulator::new(&Seed::default(), switches)?,
        Some(path) => {
            let text = source::read_file(path)?.text;
            let seed = Seed::parse(&as_seed(text)).with_context(|| path.display().to_string())?;
            Simulator::new(&seed, switches).with_context(|| path.display().to_string())?
        }
    };
    Ok(simulator.with_time(Timestamp::now()))
}

/// A snapshot as a seed: the keys of its accounts and groups are a seed's already, and what is left over goes. So do
/// managers and members who are no accounts of it, such as nested groups: the simulator would not know them.
fn as_seed(text: String) -> String {
    let Ok(Value::Object(mut document)) = serde_json::from_str::<Value>(&text) else { return text };
    if document.get("format").and_then(Value::as_str) != Some(snapshot::FORMAT) {
        return text;
    }
    document.retain(|key, _| key == "users" || key == "groups");
    let users = document.get("users").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let names = users.iter().flat_map(|user| ["id", "userName"].map(|key| user.get(key)));
    let known: HashSet<String> = names.flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    let is_known = |name: &Value| name.as_str().is_some_and(|name| known.contains(name));
    for user in document.get_mut("users").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Value::Object(user) = user {
            user.retain(|key, value| match key.as_str() {
                "selectors" | "hidden" => false,
                "manager" => is_known(value),
                _ => true,
            });
        }
    }
    for group in document.get_mut("groups").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(members) = group.get_mut("members").and_then(Value::as_array_mut) {
            members.retain(is_known);
        }
    }
    Value::Object(document).to_string()
}

/// The switches with their values, defaults and sources, for `rosterctl sim --help`.
pub(crate) fn switches_help() -> String {
    let mut text =
        String::from("Switches (for --set NAME=VALUE; \"S11\" is a section of Slack's fact sheet):\n");
    for switch in Switches::describe() {
        let section =
            if switch.section.is_empty() { String::new() } else { format!(" [{}]", switch.section) };
        let allowed = switch.allowed.join(" | ");
        let written = write!(
            text,
            "\n  {} = {allowed}\n      {}{section}\n      Default: {}\n",
            switch.name, switch.doc, switch.default
        );
        debug_assert!(written.is_ok(), "writing to a String cannot fail");
    }
    text
}
