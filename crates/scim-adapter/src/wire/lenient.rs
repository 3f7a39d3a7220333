//! Values that take what they can from any JSON.

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// A text: of a number or a boolean what it reads as; nothing of anything else, and nothing where only blanks are
/// (sheet S5: null, `""` and `" "` are all the same).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Text(pub(crate) Option<Box<str>>);

impl Text {
    pub(crate) fn as_deref(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

/// Yes or no: a boolean, `"True"`, `"1"`, 1 and their opposites.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Flag(pub(crate) Option<bool>);

/// A count: a number or a text of digits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count(pub(crate) Option<u64>);

/// Elements: an array, or one object in place of an array of one. `None` where the attribute is missing.
#[derive(Debug, Clone)]
pub(crate) struct List<T>(pub(crate) Option<Vec<T>>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> List<T> {
    pub(crate) fn as_slice(&self) -> &[T] {
        self.0.as_deref().unwrap_or_default()
    }
}

/// What a scalar may be.
enum Scalar<'a> {
    Text(&'a str),
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Nothing,
}

struct ScalarVisitor<T>(PhantomData<T>, fn(Scalar<'_>) -> T);

impl<'de, T> Visitor<'de> for ScalarVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_str<E>(self, text: &str) -> Result<T, E> {
        Ok((self.1)(Scalar::Text(text)))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<T, E> {
        Ok((self.1)(Scalar::Bool(flag)))
    }

    fn visit_u64<E>(self, number: u64) -> Result<T, E> {
        Ok((self.1)(Scalar::Unsigned(number)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<T, E> {
        Ok((self.1)(Scalar::Signed(number)))
    }

    fn visit_f64<E>(self, number: f64) -> Result<T, E> {
        Ok((self.1)(Scalar::Float(number)))
    }

    fn visit_unit<E>(self) -> Result<T, E> {
        Ok((self.1)(Scalar::Nothing))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<T, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok((self.1)(Scalar::Nothing))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok((self.1)(Scalar::Nothing))
    }
}

fn scalar<'de, D: Deserializer<'de>, T>(deserializer: D, take: fn(Scalar<'_>) -> T) -> Result<T, D::Error> {
    deserializer.deserialize_any(ScalarVisitor(PhantomData, take))
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        scalar(deserializer, |scalar| {
            Self(match scalar {
                Scalar::Text(text) if text.trim().is_empty() => None,
                Scalar::Text(text) => Some(text.into()),
                Scalar::Bool(flag) => Some(flag.to_string().into()),
                Scalar::Unsigned(number) => Some(number.to_string().into()),
                Scalar::Signed(number) => Some(number.to_string().into()),
                Scalar::Float(number) => Some(number.to_string().into()),
                Scalar::Nothing => None,
            })
        })
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        scalar(deserializer, |scalar| {
            Self(match scalar {
                Scalar::Bool(flag) => Some(flag),
                Scalar::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
                    "true" | "1" => Some(true),
                    "false" | "0" => Some(false),
                    _ => None,
                },
                Scalar::Unsigned(0) => Some(false),
                Scalar::Unsigned(1) => Some(true),
                _ => None,
            })
        })
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        scalar(deserializer, |scalar| {
            Self(match scalar {
                Scalar::Unsigned(number) => Some(number),
                Scalar::Text(text) => text.trim().parse().ok(),
                _ => None,
            })
        })
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
    type Value = List<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<List<T>, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = seq.next_element()? {
            list.push(element);
        }
        Ok(List(Some(list)))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<List<T>, A::Error> {
        let element = T::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
        Ok(List(Some(vec![element])))
    }

    fn visit_str<E>(self, _: &str) -> Result<List<T>, E> {
        Ok(List(Some(Vec::new())))
    }

    fn visit_bool<E>(self, _: bool) -> Result<List<T>, E> {
        Ok(List(Some(Vec::new())))
    }

    fn visit_u64<E>(self, _: u64) -> Result<List<T>, E> {
        Ok(List(Some(Vec::new())))
    }

    fn visit_i64<E>(self, _: i64) -> Result<List<T>, E> {
        Ok(List(Some(Vec::new())))
    }

    fn visit_f64<E>(self, _: f64) -> Result<List<T>, E> {
        Ok(List(Some(Vec::new())))
    }

    fn visit_unit<E>(self) -> Result<List<T>, E> {
        Ok(List(Some(Vec::new())))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListVisitor(PhantomData))
    }
}

/// Which of these names a key is, by position; compared without regard to letter case.
pub(super) struct KeyOf(pub(super) &'static [&'static str]);

impl<'de> DeserializeSeed<'de> for KeyOf {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeyOf {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|name| name.eq_ignore_ascii_case(key)))
    }
}

/// A struct that is read from an object's known keys, and is empty where something else than an object stands. A
/// bare text counts as the field named after `text`, where one is: Slack takes roles in that form (sheet S6).
macro_rules! lenient_object {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty = $key:expr,)* } $(text $text:ident)?) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default)]
        #[allow(clippy::struct_field_names, reason = "the names are SCIM's")]
        pub(crate) struct $name { $(pub(crate) $field: $type,)* }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct ObjectVisitor;

                impl<'de> serde::de::Visitor<'de> for ObjectVisitor {
                    type Value = $name;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("any JSON value")
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<$name, A::Error> {
                        let mut object = $name::default();
                        while let Some(key) = map.next_key_seed(crate::wire::lenient::KeyOf(&[$($key),*]))? {
                            let mut known = key;
                            $(
                                if known == Some(0) {
                                    object.$field = map.next_value()?;
                                    continue;
                                }
                                known = known.and_then(|position| position.checked_sub(1));
                            )*
                            if known.is_none() {
                                map.next_value::<serde::de::IgnoredAny>()?;
                            }
                        }
                        Ok(object)
                    }

                    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<$name, A::Error> {
                        while seq.next_element::<serde::de::IgnoredAny>()?.is_some() {}
                        Ok($name::default())
                    }

                    $(fn visit_str<E>(self, text: &str) -> Result<$name, E> {
                        let value = (!text.trim().is_empty()).then(|| text.into());
                        let mut object = $name::default();
                        object.$text = crate::wire::Text(value);
                        Ok(object)
                    })?

                    lenient_object!(@nothing $name $($text)?);
                }

                deserializer.deserialize_any(ObjectVisitor)
            }
        }
    };
    (@nothing $name:ident $text:ident) => { lenient_object!(@scalars $name); };
    (@nothing $name:ident) => {
        fn visit_str<E>(self, _: &str) -> Result<$name, E> {
            Ok($name::default())
        }
        lenient_object!(@scalars $name);
    };
    (@scalars $name:ident) => {
        fn visit_bool<E>(self, _: bool) -> Result<$name, E> {
            Ok($name::default())
        }
        fn visit_u64<E>(self, _: u64) -> Result<$name, E> {
            Ok($name::default())
        }
        fn visit_i64<E>(self, _: i64) -> Result<$name, E> {
            Ok($name::default())
        }
        fn visit_f64<E>(self, _: f64) -> Result<$name, E> {
            Ok($name::default())
        }
        fn visit_unit<E>(self) -> Result<$name, E> {
            Ok($name::default())
        }
    };
}
pub(super) use lenient_object;
