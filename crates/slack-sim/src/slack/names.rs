//! userNames, ids and URLs: what Slack makes of what it is given.

/// S6: "max **21** characters".
pub(crate) const LONGEST_USER_NAME: usize = 21;

/// Names that no account may have. S16 documents the code `username_not_allowed` and not the list; these address
/// everybody in a channel, or Slack's own bot.
pub(crate) const RESERVED: [&str; 6] = ["channel", "everyone", "group", "here", "me", "slackbot"];

/// The userName that Slack stores for what was sent: lower-case, everything but letters, digits and `. _ -` turned
/// into `_` (S6).
pub(crate) fn normalise_user_name(text: &str) -> String {
    text.trim()
        .chars()
        .flat_map(char::to_lowercase)
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '_' })
        .collect()
}

/// FNV-1a: spreads names over ids and fake hashes alike, the same on every machine.
fn fnv(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// An id that looks like Slack's, made of a name: `U0` and nine letters or digits.
pub(crate) fn make_id(prefix: char, name: &str, salt: u64) -> String {
    const DIGITS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    // The last bytes of a name barely reach the high bits of FNV, and all digits should differ: mix once more.
    let mut hash = fnv(&format!("{prefix}:{salt}:{name}"));
    hash = (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash ^= hash >> 29;
    let mut id = format!("{prefix}0");
    for _ in 0..9 {
        id.push(char::from(DIGITS[usize::try_from(hash % 36).unwrap_or_default()]));
        hash /= 36;
    }
    id
}

/// The picture of somebody without a photo (S6). The hash is not MD5: nobody fetches it.
pub(crate) fn gravatar(email: &str) -> String {
    let email = email.to_lowercase();
    format!(
        "https://secure.gravatar.com/avatar/{:016x}{:016x}.jpg?s=192&d=https%3A%2F%2Fa.slack-edge.com%2Fimg%2Favatars%2Fava_0001-192.png",
        fnv(&email),
        fnv(&format!("{email}#"))
    )
}

/// The URL under which Slack hosts a photo that it was given.
pub(crate) fn hosted_photo(source: &str) -> String {
    format!("https://avatars.slack-edge.com/{:016x}_512.jpg", fnv(source))
}

/// S16: emoji in a value is an error. The blocks in which pictographs live, and what joins and colours them.
pub(crate) fn has_emoji(text: &str) -> bool {
    text.chars().any(|c| matches!(u32::from(c), 0x1F000..=0x1FAFF | 0x2600..=0x27BF | 0xFE0F))
}

/// Whether a text has the shape of an e-mail address.
pub(crate) fn is_email(text: &str) -> bool {
    match text.split_once('@') {
        Some((local, domain)) => {
            !local.is_empty()
                && !domain.contains('@')
                && domain.split('.').all(|label| !label.is_empty())
                && domain.contains('.')
                && !text.contains(|c: char| c.is_whitespace() || c.is_control())
        }
        None => false,
    }
}

/// Whether a text has the shape of an Olson name: `UTC`, or an area and places in it.
pub(crate) fn looks_like_olson(text: &str) -> bool {
    const AREAS: [&str; 12] = [
        "Africa",
        "America",
        "Antarctica",
        "Arctic",
        "Asia",
        "Atlantic",
        "Australia",
        "Etc",
        "Europe",
        "Indian",
        "Pacific",
        "US",
    ];
    matches!(text, "UTC" | "GMT")
        || text.split_once('/').is_some_and(|(area, place)| {
            AREAS.contains(&area)
                && !place.is_empty()
                && place.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+' | '/'))
        })
}

/// Whether a text is a date or an instant of ISO 8601, in the forms that S6 shows.
pub(crate) fn is_date(text: &str) -> bool {
    text.parse::<jiff::civil::Date>().is_ok()
        || jiff::fmt::temporal::DateTimeParser::new().parse_timestamp(text).is_ok()
        || jiff::Timestamp::strptime("%Y-%m-%dT%H:%M:%S%z", text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_names_are_made_fit() {
        // S6: "`.` `_` `-` allowed, other specials become `_` … stored lower-case (`guestUser` → `guestuser`)".
        assert_eq!(normalise_user_name("guestUser"), "guestuser");
        assert_eq!(normalise_user_name("a+b c!d.e-f_g"), "a_b_c_d.e-f_g");
    }

    #[test]
    fn ids_are_stable_and_differ() {
        assert_eq!(make_id('U', "ada", 0), make_id('U', "ada", 0));
        assert_ne!(make_id('U', "ada", 0), make_id('U', "adb", 0));
        assert_ne!(make_id('U', "ada", 0), make_id('U', "ada", 1));
        assert_eq!(make_id('S', "x", 0).len(), 11);
    }

    #[test]
    fn shapes_are_told_apart() {
        assert!(
            is_email("a.b+c@d-e.example")
                && !is_email("a@b")
                && !is_email("a b@c.example")
                && !is_email("a@b@c.d")
        );
        assert!(looks_like_olson("America/Los_Angeles") && !looks_like_olson("America/New York"));
        // S6: both are examples of the sheet.
        assert!(
            is_date("2024-04-10T00:00:00+0000") && is_date("2024-11-30T23:59:59Z") && is_date("2026-01-05")
        );
        assert!(!is_date("soon"));
    }
}
