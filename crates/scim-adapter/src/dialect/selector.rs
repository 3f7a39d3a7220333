//! Filters that pick one element of a multi-valued attribute.

use serde_json::{Value as Json, json};

/// The sub-attributes of an element by which a filter may pick it, in order of preference.
pub(super) type Marks = Vec<(&'static str, Option<Json>)>;

/// A filter that exactly one element matches: the one at `index`. Tried are each mark alone, then `type` or
/// `primary` together with another, at last all marks and what is not marked. Only elements that are the same in
/// all of them stay together.
///
/// Texts are compared without regard to letter case, as a service does for attributes that are not `caseExact`
/// (RFC 7643 §2.2), so that a filter is unique under either reading.
pub(super) fn pick(elements: &[Marks], index: usize) -> Option<Box<str>> {
    let target = elements.get(index)?;
    let marks: Vec<(&str, &Json)> =
        target.iter().filter_map(|(name, value)| Some((*name, value.as_ref()?))).collect();
    let unique = |filter: &[(&str, &Json)]| {
        elements.iter().filter(|element| filter.iter().all(|(name, value)| has(element, name, value))).count()
            == 1
    };
    let singles = marks.iter().map(|mark| vec![*mark]);
    let pairs =
        marks.iter().enumerate().flat_map(|(i, a)| marks.iter().skip(i + 1).map(move |b| vec![*a, *b]));
    let found = singles.chain(pairs).find(|filter| unique(filter));
    let positive = found.as_ref().unwrap_or(&marks);
    let mut terms: Vec<String> = positive.iter().map(|(name, value)| term(name, Some(value))).collect();
    if found.is_none() {
        let absent = target.iter().filter(|(_, value)| value.is_none());
        terms.extend(absent.map(|(name, _)| term(name, None)));
    }
    (!terms.is_empty()).then(|| terms.join(" and ").into())
}

fn has(element: &Marks, name: &str, value: &Json) -> bool {
    element.iter().any(|(mark, other)| {
        *mark == name
            && match (other, value) {
                (Some(Json::String(a)), Json::String(b)) => a.to_lowercase() == b.to_lowercase(),
                (Some(a), b) => a == b,
                (None, _) => false,
            }
    })
}

/// What a filter says of one mark.
pub(super) fn term(name: &str, value: Option<&Json>) -> String {
    match (name, value) {
        (name, Some(value)) => format!("{name} eq {value}"),
        ("primary", None) => "not (primary eq true)".to_owned(),
        (name, None) => format!("not ({name} pr)"),
    }
}

/// A text as a mark.
pub(super) fn text(value: Option<&str>) -> Option<Json> {
    value.map(|value| json!(value))
}

/// `primary` as a mark: only where it is true, since a missing `primary` need not match `primary eq false`.
pub(super) fn primary(value: Option<bool>) -> Option<Json> {
    value.filter(|primary| *primary).map(|primary| json!(primary))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email(value: &str, kind: Option<&str>, is_primary: bool) -> Marks {
        vec![("primary", primary(Some(is_primary))), ("type", text(kind)), ("value", text(Some(value)))]
    }

    #[test]
    fn a_filter_fits_one_element_and_no_other() {
        let list = [
            email("a@x", Some("work"), true),
            email("b@x", Some("WORK"), false),
            email("c@x", Some("home"), false),
            email("A@x", Some("other"), false),
            email("A@x", None, false),
        ];
        let picked: Vec<_> = (0..5).map(|i| pick(&list, i).unwrap().to_string()).collect();
        assert_eq!(
            picked,
            [
                "primary eq true",
                r#"value eq "b@x""#,
                r#"type eq "home""#,
                r#"type eq "other""#,
                r#"value eq "A@x" and not (primary eq true) and not (type pr)"#,
            ]
        );
    }

    #[test]
    fn a_value_with_quotation_marks_is_a_json_text() {
        assert_eq!(pick(&[email(r#"a"b\"#, None, false)], 0).unwrap().as_ref(), r#"value eq "a\"b\\""#);
    }
}
