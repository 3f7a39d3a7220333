//! Colours by meaning. Every line is clear without them.

use anstyle::AnsiColor;

/// Whether text carries ANSI colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Style {
    /// No escape sequence at all.
    #[default]
    Plain,
    /// Colours through ANSI escape sequences.
    Colour,
}

/// What a stretch of text stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Something comes to be.
    Gain,
    /// Something goes.
    Loss,
    /// Something becomes different.
    Change,
    /// Look at this first.
    Alarm,
    /// Look at this.
    Caution,
    /// Well done.
    Good,
    /// A heading or a name.
    Strong,
    /// May be skipped.
    Faint,
}

impl Style {
    /// `text` in the colour of `tone`.
    pub(crate) fn paint(self, tone: Tone, text: &str) -> String {
        if self == Self::Plain || text.is_empty() {
            return text.to_owned();
        }
        let style = match tone {
            Tone::Gain | Tone::Good => AnsiColor::Green.on_default(),
            Tone::Loss => AnsiColor::Red.on_default(),
            Tone::Change => AnsiColor::Yellow.on_default(),
            Tone::Alarm => AnsiColor::Red.on_default().bold(),
            Tone::Caution => AnsiColor::Yellow.on_default().bold(),
            Tone::Strong => anstyle::Style::new().bold(),
            Tone::Faint => anstyle::Style::new().dimmed(),
        };
        format!("{style}{text}{style:#}")
    }
}
