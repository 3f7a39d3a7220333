//! What a switch may hold, and how it is spelled on a command line.

use std::time::Duration;

/// A value of a switch: spelled, parsed and listed.
pub trait SwitchValue: Sized {
    /// What may be written, for help texts and error messages.
    fn allowed() -> Vec<&'static str>;

    /// Reads the spelling; `None` when it is not one of [`SwitchValue::allowed`].
    fn parse(text: &str) -> Option<Self>;

    /// The spelling that [`SwitchValue::parse`] reads back.
    fn spell(&self) -> String;
}

impl SwitchValue for bool {
    fn allowed() -> Vec<&'static str> {
        vec!["on", "off"]
    }

    fn parse(text: &str) -> Option<Self> {
        match text {
            "on" | "true" | "yes" => Some(true),
            "off" | "false" | "no" => Some(false),
            _ => None,
        }
    }

    fn spell(&self) -> String {
        if *self { "on" } else { "off" }.to_owned()
    }
}

impl SwitchValue for usize {
    fn allowed() -> Vec<&'static str> {
        vec!["a whole number"]
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn spell(&self) -> String {
        self.to_string()
    }
}

impl SwitchValue for i64 {
    fn allowed() -> Vec<&'static str> {
        vec!["a whole number, negative too"]
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn spell(&self) -> String {
        self.to_string()
    }
}

/// A duration is written in seconds, or in milliseconds with `ms` behind it. A year is the ceiling: an instant has no
/// room for every number a person can type.
impl SwitchValue for Duration {
    fn allowed() -> Vec<&'static str> {
        vec!["seconds (`2`)", "milliseconds (`250ms`)"]
    }

    fn parse(text: &str) -> Option<Self> {
        let parsed = match text.strip_suffix("ms") {
            Some(number) => Self::from_millis(number.trim().parse().ok()?),
            None => Self::from_secs(text.strip_suffix('s').unwrap_or(text).trim().parse().ok()?),
        };
        (parsed <= Self::from_hours(24 * 365)).then_some(parsed)
    }

    fn spell(&self) -> String {
        if self.subsec_nanos() == 0 { self.as_secs().to_string() } else { format!("{}ms", self.as_millis()) }
    }
}

/// Declares an enumeration whose variants are spelled as given.
macro_rules! choice {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $spelling:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$variant_meta])* $variant,)+ }

        impl $crate::switches::value::SwitchValue for $name {
            fn allowed() -> Vec<&'static str> {
                vec![$($spelling),+]
            }

            fn parse(text: &str) -> Option<Self> {
                match text {
                    $($spelling => Some(Self::$variant),)+
                    _ => None,
                }
            }

            fn spell(&self) -> String {
                match self {
                    $(Self::$variant => $spelling,)+
                }
                .to_owned()
            }
        }
    };
}
pub(crate) use choice;
