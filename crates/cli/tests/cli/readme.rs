//! The transcripts of the README are what the binary prints.

use crate::env::{Env, mask_ports, repository};

/// A command of the README and what is printed below it.
struct Transcript {
    line: usize,
    arguments: Vec<String>,
    output: Vec<String>,
}

/// The `$ rosterctl …` commands of all fenced `console` blocks.
fn transcripts(markdown: &str) -> Vec<Transcript> {
    let mut found: Vec<Transcript> = Vec::new();
    let mut inside = false;
    for (at, line) in markdown.lines().enumerate() {
        if line.starts_with("```") {
            inside = !inside && line.trim() == "```console";
            continue;
        }
        if !inside {
            continue;
        }
        if let Some(command) = line.strip_prefix("$ ") {
            let mut words = command.split_whitespace().map(str::to_owned);
            let program = words.next();
            assert_eq!(
                program.as_deref(),
                Some("rosterctl"),
                "README.md:{}: only rosterctl can be tried",
                at + 1
            );
            found.push(Transcript { line: at + 1, arguments: words.collect(), output: Vec::new() });
        } else if let Some(transcript) = found.last_mut() {
            transcript.output.push(line.trim_end().to_owned());
        }
    }
    found
}

/// Whether `printed` is `shown`, a line `...` standing for any number of lines.
fn fits(shown: &[String], printed: &[String]) -> bool {
    match shown.split_first() {
        None => printed.is_empty(),
        Some((line, rest)) if line.trim() == "..." => {
            (0..=printed.len()).any(|skip| fits(rest, &printed[skip..]))
        }
        Some((line, rest)) => {
            printed.split_first().is_some_and(|(first, others)| first == line && fits(rest, others))
        }
    }
}

#[test]
fn every_transcript_of_the_readme_is_what_is_printed() {
    let root = repository();
    let readme = std::fs::read_to_string(root.join("README.md")).expect("there is a README.md");
    let transcripts = transcripts(&readme);
    assert!(
        !transcripts.is_empty(),
        "README.md has no ```console block with a `$ rosterctl …` command to try"
    );
    let env = Env::new().without_token();
    for Transcript { line, arguments, output } in transcripts {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let ran = env.run_in(&root, &arguments);
        // A reader of a terminal sees both streams; results come after what is told on the way.
        let printed = mask_ports(&(ran.stderr + &ran.stdout));
        let mut printed: Vec<String> = printed.lines().map(|line| line.trim_end().to_owned()).collect();
        while printed.last().is_some_and(String::is_empty) {
            printed.pop();
        }
        let stdout: Vec<String> =
            ran.stdout.trim_end().lines().map(|line| line.trim_end().to_owned()).collect();
        assert!(
            fits(&output, &printed) || fits(&output, &stdout),
            "README.md:{line}: `rosterctl {}` prints something else:\n{}",
            arguments.join(" "),
            printed.join("\n")
        );
    }
}

#[test]
fn a_line_of_dots_stands_for_any_number_of_lines_and_nothing_else_does() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let printed = lines("a\nb\nc");
    for shown in ["a\nb\nc", "a\n...", "...\nc", "a\n...\nc", "...", "a\nb\nc\n..."] {
        assert!(fits(&lines(shown), &printed), "{shown}");
    }
    for shown in ["a\nb", "a\nc", "...\nb", "b\n..."] {
        assert!(!fits(&lines(shown), &printed), "{shown}");
    }
}
