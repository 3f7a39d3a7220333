//! Words of a filter.

/// How lenient the reading of a filter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strictness {
    /// RFC 7644 §3.4.2.2: a literal is a JSON literal.
    Rfc,
    /// S9, S11: `restricted eq '1'` and `members[value eq U123ABC456]` are read as well.
    Slack,
}

/// One word.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    Open,
    Close,
    OpenBracket,
    CloseBracket,
    /// A quoted string, unescaped.
    Text(String),
    /// Anything else: a name, an operator, a number, a bare literal.
    Word(String),
}

/// Why a text is no filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FilterError {
    /// There is no operator in it at all.
    #[error("the filter has no operator")]
    NoOperator,
    /// It stops where something has to follow.
    #[error("the filter is incomplete")]
    Incomplete,
    /// A parenthesis or bracket has no partner.
    #[error("a group in the filter is not closed or not opened")]
    Group,
    /// Something stands where it may not.
    #[error("the filter cannot be read")]
    Syntax,
    /// It is longer or deeper than anybody needs.
    #[error("the filter is too long or too deep")]
    TooLarge,
}

/// A filter longer than this is refused unread: no client needs one, and a person cannot check one.
const LONGEST: usize = 10_000;

pub(crate) fn tokens(text: &str, strictness: Strictness) -> Result<Vec<Token>, FilterError> {
    if text.len() > LONGEST {
        return Err(FilterError::TooLarge);
    }
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            ' ' | '\t' => (None, 1),
            '(' => (Some(Token::Open), 1),
            ')' => (Some(Token::Close), 1),
            '[' => (Some(Token::OpenBracket), 1),
            ']' => (Some(Token::CloseBracket), 1),
            '"' => {
                let (text, length) = json_string(rest)?;
                (Some(Token::Text(text)), length)
            }
            '\'' if strictness == Strictness::Slack => {
                let end = rest[1..].find('\'').ok_or(FilterError::Incomplete)?;
                (Some(Token::Text(rest[1..=end].to_owned())), end + 2)
            }
            _ => {
                let end = rest.find([' ', '\t', '(', ')', '[', ']', '"']).unwrap_or(rest.len());
                (Some(Token::Word(rest[..end].to_owned())), end)
            }
        };
        found.extend(token);
        rest = &rest[length..];
    }
    Ok(found)
}

/// Reads the JSON string at the start of `text`; returns it and the length of its source.
fn json_string(text: &str) -> Result<(String, usize), FilterError> {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => {
                let source = &text[..=at];
                let value = serde_json::from_str(source).map_err(|_| FilterError::Syntax)?;
                return Ok((value, source.len()));
            }
            _ => {}
        }
    }
    Err(FilterError::Incomplete)
}
