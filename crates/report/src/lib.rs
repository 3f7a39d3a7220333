//! Plans, runs, journals and diagnostics as people and programs read them: text, Markdown and JSON.
//!
//! This crate renders and decides nothing: what is shown, counted or blocked was decided when the plan was made. Names,
//! messages and values come from people and from a service, so all of them pass through [`harmless`] on their way out.

#![forbid(unsafe_code)]

mod diagnostics;
pub mod harmless;
pub mod history;
mod paint;
pub mod plan;
pub mod run;
pub mod saved;
mod words;

pub use diagnostics::{diagnostics, diagnostics_json, diagnostics_markdown, message};
pub use paint::Style;
