//! Taking the token out of what a service answers.

/// What stands in the place of the token in an answer.
const SHOWN: &[u8] = b"[token]";

/// The most backslashes that are read as one escape: JSON that stands in JSON that stands in JSON has four.
const MOST_BACKSLASHES: usize = 4;

/// The most digits that are read of a numeric character reference, which may have zeros in front.
const MOST_DIGITS: usize = 7;

/// The bytes with the token taken out of them; `None` where it does not occur.
///
/// A page that repeats what it was sent spells it as its language demands or its library likes. So each character counts
/// as itself, as JSON (RFC 8259 §7: `\u002d`, `\/`), a URL (RFC 3986 §2.1: `%2D`) and HTML (`&#45;`, `&#x2d;`) have it.
pub(crate) fn without(token: &[u8], bytes: &[u8]) -> Option<Vec<u8>> {
    let first = *token.first()?;
    let mut out = Vec::new();
    let mut kept = 0;
    let mut from = 0;
    let begins = |byte: &u8| *byte == first || matches!(byte, b'\\' | b'%' | b'&');
    while let Some(at) = bytes.get(from..)?.iter().position(begins).map(|at| from + at) {
        from = at + 1;
        if let Some(length) = spelled(token, bytes.get(at..)?) {
            out.extend_from_slice(bytes.get(kept..at)?);
            out.extend_from_slice(SHOWN);
            from = at + length;
            kept = from;
        }
    }
    (kept > 0).then(|| [out.as_slice(), bytes.get(kept..).unwrap_or_default()].concat())
}

/// How many bytes at the beginning of `bytes` spell the token, if they do.
fn spelled(token: &[u8], bytes: &[u8]) -> Option<usize> {
    token.iter().try_fold(0, |at, wanted| Some(at + character(*wanted, bytes.get(at..)?)?))
}

/// How many bytes at the beginning of `bytes` spell one character of a token, which is ASCII.
fn character(wanted: u8, bytes: &[u8]) -> Option<usize> {
    let number = |digits: &[u8], radix| {
        let digits = std::str::from_utf8(digits).ok()?;
        (u32::from_str_radix(digits, radix).ok()? == u32::from(wanted)).then_some(digits.len())
    };
    match bytes {
        [byte, ..] if *byte == wanted => Some(1),
        [b'%', rest @ ..] => Some(1 + number(rest.get(..2)?, 16)?),
        [b'\\', ..] => {
            let slashes = bytes.iter().take(MOST_BACKSLASHES).take_while(|byte| **byte == b'\\').count();
            match bytes.get(slashes..)? {
                [byte, ..] if *byte == wanted => Some(slashes + 1),
                [b'u', rest @ ..] => Some(slashes + 1 + number(rest.get(..4)?, 16)?),
                _ => None,
            }
        }
        [b'&', b'#', rest @ ..] => {
            let (radix, before, rest) = match rest {
                [b'x' | b'X', rest @ ..] => (16, 3, rest),
                rest => (10, 2, rest),
            };
            let end = rest.iter().take(MOST_DIGITS + 1).position(|byte| *byte == b';')?;
            Some(before + number(rest.get(..end)?, radix)? + 1)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TOKEN: &str = "xoxp-1/a+b=";

    fn hidden(token: &str, text: &str) -> Option<String> {
        without(token.as_bytes(), text.as_bytes()).map(|out| String::from_utf8_lossy(&out).into_owned())
    }

    #[test]
    fn a_token_is_taken_out_wherever_it_stands() {
        let hidden = |text| hidden("xoxp-1", text);
        assert_eq!(hidden("xoxp-1").as_deref(), Some("[token]"));
        assert_eq!(
            hidden("a xoxp-1xoxp-1 xxoxp-1, xoxp-12").as_deref(),
            Some("a [token][token] x[token], [token]2")
        );
        for other in [
            "",
            "x",
            "xoxp-",
            "xoxp-2",
            "XOXP-1",
            "xoxp\\",
            "xoxp\\u002",
            "xoxp&#4",
            "xoxp%2",
            "&&&&",
            "\\\\",
        ] {
            assert_eq!(hidden(other), None, "{other}");
        }
    }

    #[test]
    fn it_is_known_in_the_languages_of_answers() {
        for text in [
            r"xoxp-1\/a+b=",
            r"xoxp\u002d1/a\u002Bb\u003d",
            r"xoxp-1\\\/a\\u002bb=",
            "xoxp-1%2Fa%2Bb%3D",
            "xoxp-1&#x2F;a&#43;b&#x3d;",
            "&#120;oxp&#0045;1/a&#X2b;b=",
        ] {
            let page = format!("{{\"detail\":\"not {text}.\"}}");
            assert_eq!(hidden(TOKEN, &page).as_deref(), Some(r#"{"detail":"not [token]."}"#), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn however_its_characters_are_spelled(ways in prop::collection::vec(0..6_usize, TOKEN.len()), before in "[ -~]{0,9}", after in "[ -~]{0,9}") {
            let spelled: String = TOKEN.chars().zip(ways).map(|(c, way)| {
                let code = u32::from(c);
                match way {
                    0 => c.to_string(),
                    1 => format!("\\u{code:04x}"),
                    2 => format!("%{code:02X}"),
                    3 => format!("&#{code};"),
                    4 => format!("&#x{code:x};"),
                    // Letters and digits have an escape of this kind that means something else, or none.
                    _ if c.is_ascii_alphanumeric() => c.to_string(),
                    _ => format!("\\{c}"),
                }
            }).collect();
            // A backslash in front belongs to what follows.
            let before = before.replace('\\', "/");
            prop_assert_eq!(hidden(TOKEN, &format!("{before}{spelled}{after}")), Some(format!("{before}[token]{after}")));
        }

        #[test]
        fn pieces_of_spellings_are_left_alone(text in "[\\\\u0-9a-f%&#;x/-]{0,60}") {
            prop_assert_eq!(hidden(TOKEN, &text), None);
        }
    }
}
