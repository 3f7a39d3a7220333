//! Filters of RFC 7644 §3.4.2.2, read into a tree.

use super::lexer::{FilterError, Strictness, Token, tokens};
use super::path::AttributePath;

/// A condition on a resource or on an element of a list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Filter {
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Not(Box<Self>),
    /// `attribute pr`
    Present(AttributePath),
    /// `attribute op literal`
    Compare(AttributePath, Comparison, Literal),
    /// `attribute[condition]`
    Within(AttributePath, Box<Self>),
}

/// An operator of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Contains,
    StartsWith,
    EndsWith,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// What an attribute is compared with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Literal {
    /// A quoted string.
    Text(String),
    /// An unquoted string, which only Slack's documents have (S11).
    Bare(String),
    Number(f64),
    Boolean(bool),
    Null,
}

/// Deeper nesting than this is refused: each level is a stack frame.
const DEEPEST: usize = 50;

impl Filter {
    /// Reads a filter.
    pub(crate) fn parse(text: &str, strictness: Strictness) -> Result<Self, FilterError> {
        let tokens = tokens(text, strictness)?;
        let mut parser = Parser { tokens: &tokens, at: 0, depth: 0, strictness };
        let filter = parser.either()?;
        match parser.peek() {
            None => Ok(filter),
            Some(Token::Close | Token::CloseBracket) => Err(FilterError::Group),
            Some(_) => Err(FilterError::Syntax),
        }
    }

    /// Calls `visit` with every attribute that the filter names.
    pub(crate) fn attributes<'a>(&'a self, visit: &mut dyn FnMut(&'a AttributePath)) {
        match self {
            Self::And(left, right) | Self::Or(left, right) => {
                left.attributes(visit);
                right.attributes(visit);
            }
            Self::Not(inner) => inner.attributes(visit),
            Self::Present(path) | Self::Compare(path, ..) | Self::Within(path, _) => visit(path),
        }
    }
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    depth: usize,
    strictness: Strictness,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<&Token> {
        let token = self.tokens.get(self.at);
        self.at += 1;
        token
    }

    /// Steps over the word `word`, in any letter case.
    fn take(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(next)) if next.eq_ignore_ascii_case(word));
        self.at += usize::from(found);
        found
    }

    fn either(&mut self) -> Result<Filter, FilterError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(FilterError::TooLarge);
        }
        // A chain of `or` leans to the left in the grammar; it is built to the right as a list, so that a long chain
        // is bounded by the same limit as a deep one.
        let mut terms = vec![self.both()?];
        while self.take("or") {
            terms.push(self.both()?);
        }
        self.depth -= 1;
        fold(terms, Filter::Or)
    }

    fn both(&mut self) -> Result<Filter, FilterError> {
        let mut terms = vec![self.term()?];
        while self.take("and") {
            terms.push(self.term()?);
        }
        fold(terms, Filter::And)
    }

    fn term(&mut self) -> Result<Filter, FilterError> {
        if self.take("not") {
            return match self.peek() {
                Some(Token::Open) => Ok(Filter::Not(Box::new(self.term()?))),
                Some(_) => Err(FilterError::Syntax),
                None => Err(FilterError::Incomplete),
            };
        }
        match self.next() {
            None => Err(FilterError::Incomplete),
            Some(Token::Open) => {
                let inner = self.either()?;
                self.close(&Token::Close)?;
                Ok(inner)
            }
            Some(Token::Close | Token::CloseBracket) => Err(FilterError::Group),
            Some(Token::OpenBracket) => Err(FilterError::Syntax),
            Some(Token::Text(_)) => Err(FilterError::NoOperator),
            Some(Token::Word(word)) => {
                let path = AttributePath::parse(word).map_err(|_| FilterError::Syntax)?;
                self.condition(path)
            }
        }
    }

    fn condition(&mut self, path: AttributePath) -> Result<Filter, FilterError> {
        if self.peek() == Some(&Token::OpenBracket) {
            self.at += 1;
            let inner = self.either()?;
            self.close(&Token::CloseBracket)?;
            return Ok(Filter::Within(path, Box::new(inner)));
        }
        if self.take("pr") {
            return Ok(Filter::Present(path));
        }
        let comparison = match self.next() {
            Some(Token::Word(word)) => Comparison::parse(word).ok_or(FilterError::NoOperator)?,
            _ => return Err(FilterError::NoOperator),
        };
        let strictness = self.strictness;
        let literal = match self.next() {
            Some(Token::Text(text)) => Literal::Text(text.clone()),
            Some(Token::Word(word)) => Literal::parse(word, strictness).ok_or(FilterError::Syntax)?,
            _ => return Err(FilterError::Incomplete),
        };
        Ok(Filter::Compare(path, comparison, literal))
    }

    fn close(&mut self, with: &Token) -> Result<(), FilterError> {
        if self.next() == Some(with) { Ok(()) } else { Err(FilterError::Group) }
    }
}

fn fold(terms: Vec<Filter>, join: fn(Box<Filter>, Box<Filter>) -> Filter) -> Result<Filter, FilterError> {
    if terms.len() > DEEPEST * 4 {
        return Err(FilterError::TooLarge);
    }
    terms
        .into_iter()
        .rev()
        .reduce(|right, left| join(Box::new(left), Box::new(right)))
        .ok_or(FilterError::Incomplete)
}

impl Comparison {
    /// Operators are case-insensitive: RFC 7644 §3.4.2.2, and S9 (`userName Eq "Carly"`).
    fn parse(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_str() {
            "eq" => Self::Equal,
            "ne" => Self::NotEqual,
            "co" => Self::Contains,
            "sw" => Self::StartsWith,
            "ew" => Self::EndsWith,
            "gt" => Self::Greater,
            "ge" => Self::GreaterOrEqual,
            "lt" => Self::Less,
            "le" => Self::LessOrEqual,
            _ => return None,
        })
    }
}

impl Literal {
    fn parse(word: &str, strictness: Strictness) -> Option<Self> {
        match serde_json::from_str(word) {
            Ok(serde_json::Value::Bool(value)) => Some(Self::Boolean(value)),
            Ok(serde_json::Value::Null) => Some(Self::Null),
            Ok(serde_json::Value::Number(number)) => number.as_f64().map(Self::Number),
            _ if strictness == Strictness::Rfc => None,
            _ => Some(match word {
                _ if word.eq_ignore_ascii_case("true") => Self::Boolean(true),
                _ if word.eq_ignore_ascii_case("false") => Self::Boolean(false),
                _ => Self::Bare(word.to_owned()),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rfc(text: &str) -> Result<Filter, FilterError> {
        Filter::parse(text, Strictness::Rfc)
    }

    #[test]
    fn and_binds_tighter_than_or_and_not_wants_parentheses() {
        // RFC 7644 §3.4.2.2: precedence is grouping, `not`, `and`, `or`.
        let Filter::Or(_, right) = rfc("a eq 1 or b eq 2 and c pr").unwrap() else {
            panic!("an `or` on top")
        };
        assert!(matches!(*right, Filter::And(..)));
        assert!(matches!(rfc("not (a pr)").unwrap(), Filter::Not(_)));
        assert_eq!(rfc("not a pr"), Err(FilterError::Syntax));
    }

    #[test]
    fn the_examples_of_the_rfc_are_read() {
        for text in [
            "userName eq \"bjensen\"",
            "name.familyName co \"O'Malley\"",
            "urn:ietf:params:scim:schemas:core:2.0:User:userName sw \"J\"",
            "title pr and userType eq \"Employee\"",
            "meta.lastModified gt \"2011-05-13T04:42:34Z\"",
            "userType ne \"Employee\" and not (emails co \"example.com\" or emails.value co \"example.org\")",
            "emails[type eq \"work\" and value co \"@example.com\"] or ims[type eq \"xmpp\" and value co \"@foo.com\"]",
        ] {
            rfc(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        }
    }

    #[test]
    fn what_is_wrong_is_told_apart() {
        assert_eq!(rfc("carly"), Err(FilterError::NoOperator));
        assert_eq!(rfc("userName eq"), Err(FilterError::Incomplete));
        assert_eq!(rfc("(userName eq \"a\""), Err(FilterError::Group));
        assert_eq!(rfc("userName eq \"a\")"), Err(FilterError::Group));
        assert_eq!(rfc("userName eq \"a"), Err(FilterError::Incomplete));
        assert_eq!(rfc("userName eq bare"), Err(FilterError::Syntax));
        assert_eq!(rfc(&"(".repeat(9_000)), Err(FilterError::TooLarge));
        assert_eq!(rfc(&"not (".repeat(1_500)), Err(FilterError::TooLarge));
        assert_eq!(rfc(&"a".repeat(20_000)), Err(FilterError::TooLarge));
    }

    #[test]
    fn slack_reads_single_quotes_and_bare_words() {
        let parse = |text| Filter::parse(text, Strictness::Slack).unwrap();
        assert!(
            matches!(parse("restricted eq '1'"), Filter::Compare(_, _, Literal::Text(text)) if text == "1")
        );
        assert!(
            matches!(parse("value eq U123ABC456"), Filter::Compare(_, _, Literal::Bare(id)) if id == "U123ABC456")
        );
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[a-z.:()\\[\\]'\"\\\\ éеq]{0,60}", any in "\\PC{0,80}") {
            for strictness in [Strictness::Rfc, Strictness::Slack] {
                Filter::parse(&text, strictness).ok();
                Filter::parse(&any, strictness).ok();
            }
        }
    }
}
