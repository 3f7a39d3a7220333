//! The parser's input, watched: how far it may read ahead of what it has answered.
//!
//! A bracket may turn out to be the beginning of a key, so the parser keeps all that follows it until it is closed,
//! about a hundred bytes for each character in the worst case. A file of `{a,a,a,…` would take gigabytes.

use super::limits::MAX_LOOKAHEAD;
use saphyr_parser::input::SkipTabs;
use saphyr_parser::{Input, StrInput};
use std::cell::Cell;
use std::rc::Rc;

/// How much reading the parser may do before its next answer. Shared between the input and its reader.
#[derive(Clone)]
pub(super) struct Leash(Rc<Cell<u32>>);

impl Leash {
    pub(super) fn new() -> Self {
        Self(Rc::new(Cell::new(MAX_LOOKAHEAD)))
    }

    /// Allows the full length again.
    pub(super) fn renew(&self) {
        self.0.set(MAX_LOOKAHEAD);
    }

    /// Whether the parser was made to stop, so that what it says now means nothing.
    pub(super) fn is_at_end(&self) -> bool {
        self.0.get() == 0
    }
}

/// A text that ends early when its leash does.
pub(super) struct Watched<'t> {
    text: StrInput<'t>,
    leash: Leash,
}

impl<'t> Watched<'t> {
    pub(super) fn new(text: &'t str, leash: Leash) -> Self {
        Self { text: StrInput::new(text), leash }
    }
}

/// Everything goes to the text, and without the detour of a call, for there are several for each character; except that the parser's announcements of what it wants to see, of which it makes at
/// least one for each token, are counted.
impl Input for Watched<'_> {
    #[inline]
    fn lookahead(&mut self, count: usize) {
        self.leash.0.set(self.leash.0.get().saturating_sub(1));
        self.text.lookahead(count);
    }

    /// The only place where the text may end early: the parser makes up its mind by what is returned here, while after
    /// [`Input::lookahead`] it may rely on what it has seen already.
    #[inline]
    fn look_ch(&mut self) -> char {
        self.lookahead(1);
        if self.leash.is_at_end() {
            let seen = self.text.buflen();
            self.text = StrInput::new("");
            self.text.lookahead(seen);
        }
        self.text.peek()
    }

    #[inline]
    fn buflen(&self) -> usize {
        self.text.buflen()
    }

    /// The parser makes room for so many bytes more in each text that it reads, which begins with room for 32: with
    /// this number most texts fit without growing. [`StrInput`]'s own is four times as large.
    #[inline]
    fn bufmaxlen(&self) -> usize {
        31
    }

    #[inline]
    fn raw_read_ch(&mut self) -> char {
        self.text.raw_read_ch()
    }

    #[inline]
    fn raw_read_non_breakz_ch(&mut self) -> Option<char> {
        self.text.raw_read_non_breakz_ch()
    }

    #[inline]
    fn skip(&mut self) {
        self.text.skip();
    }

    #[inline]
    fn skip_n(&mut self, count: usize) {
        self.text.skip_n(count);
    }

    #[inline]
    fn peek(&self) -> char {
        self.text.peek()
    }

    #[inline]
    fn peek_nth(&self, n: usize) -> char {
        self.text.peek_nth(n)
    }

    #[inline]
    fn peek_opt(&self) -> Option<char> {
        self.text.peek_opt()
    }

    // The rest have slower defaults in the trait.

    #[inline]
    fn next_is_document_indicator(&self) -> bool {
        self.text.next_is_document_indicator()
    }

    #[inline]
    fn skip_ws_to_eol(&mut self, skip_tabs: SkipTabs) -> (usize, Result<SkipTabs, &'static str>) {
        self.text.skip_ws_to_eol(skip_tabs)
    }

    /// Asked for every character of every text without quotes; only after a colon does the next one matter.
    #[inline]
    fn next_can_be_plain_scalar(&self, in_flow: bool) -> bool {
        match self.text.peek() {
            ':' => self.text.next_can_be_plain_scalar(in_flow),
            ',' | '[' | ']' | '{' | '}' => !in_flow,
            '\u{feff}' => false,
            _ => true,
        }
    }

    #[inline]
    fn next_is_blank_or_breakz(&self) -> bool {
        self.text.next_is_blank_or_breakz()
    }

    #[inline]
    fn skip_while_non_breakz(&mut self) -> usize {
        self.text.skip_while_non_breakz()
    }

    #[inline]
    fn skip_while_blank(&mut self) -> usize {
        self.text.skip_while_blank()
    }

    #[inline]
    fn fetch_while_is_alpha(&mut self, out: &mut String) -> usize {
        self.text.fetch_while_is_alpha(out)
    }

    #[inline]
    fn fetch_while_is_yaml_non_space(&mut self, out: &mut String) -> usize {
        self.text.fetch_while_is_yaml_non_space(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use saphyr_parser::Parser;

    fn events(text: &str, length: u32) -> usize {
        let leash = Leash::new();
        leash.0.set(length);
        Parser::new(Watched::new(text, leash)).take_while(Result::is_ok).take(10_000).count()
    }

    #[test]
    fn on_a_long_leash_the_parser_sees_the_whole_text() {
        let text = include_str!("../../tests/load/design.yaml");
        assert_eq!(events(text, u32::MAX), Parser::new_from_str(text).count());
        assert!(events(text, 100) < events(text, u32::MAX));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn wherever_the_text_ends_early_the_parser_comes_to_an_end(
            text in "([a-c]|: |, |\\[|\\]|\\{|\\}|\n|- |  |'|\"|\\||>|#|&a |\\*a|\\? |é|---|!){0,40}",
            length in 0..60_u32,
        ) {
            prop_assert!(events(&text, length) < 10_000);
        }
    }
}
