//! Parameters as a type: one struct says what an endpoint takes, reads it,
//! and documents it in OpenAPI.
//!
//! Reads as Mastodon's clients write (docs: "Parameters"): numbers and
//! booleans may be text, a blank value is one that was not given, a list may
//! be a map with numbers as keys, a scalar where a list belongs is no list.

use std::fmt;
use std::ops::Deref;

use axum::extract::{FromRequest, Request};
use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use serde::{Deserialize, forward_to_deserialize_any};
use serde_json::Value;

use super::tree::{numbered, scalar, truth};
use super::{Params, Tree};
use crate::base::{Id, Problem};

/// What an endpoint takes, read and typed; [`Input::params`] is all that was
/// sent, which pagination reads.
#[derive(Debug, Clone)]
pub(crate) struct Input<T> {
    given: T,
    /// Everything that was sent.
    pub(crate) params: Params,
}

impl<T> Input<T> {
    /// The typed parameters.
    pub(crate) fn into_inner(self) -> T {
        self.given
    }
}

impl<T> Input<T> {
    /// The same parameters as another type: what endpoints have in common is
    /// one type, what they have besides another.
    ///
    /// # Errors
    /// 422 that names the parameter and what is wrong with it.
    pub(crate) fn also<U: DeserializeOwned>(&self) -> Result<U, Problem> {
        read(&self.params)
    }
}

impl<T> Deref for Input<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.given
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Input<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Input<T>, Problem> {
        let params = Params::from_request(request, state).await?;
        Ok(Input { given: read(&params)?, params })
    }
}

/// Reads a type from parameters.
///
/// # Errors
/// 422 that names the parameter and what is wrong with it.
pub(crate) fn read<T: DeserializeOwned>(tree: &Tree) -> Result<T, Problem> {
    let value = Value::Object(tree.0.clone());
    T::deserialize(Lenient(&value)).map_err(|wrong| Problem::invalid(format!("Validation failed: {wrong}")))
}

/// An id that a client sent. What cannot be one of ours is [`Id::ZERO`],
/// which nothing has, so that it is not found rather than malformed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, utoipa::ToSchema)]
#[schema(value_type = String, example = "109372843234")]
pub(crate) struct GivenId(pub(crate) Id);

impl<'de> Deserialize<'de> for GivenId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<GivenId, D::Error> {
        let text = String::deserialize(from)?;
        Ok(GivenId(text.trim().parse().unwrap_or(Id::ZERO)))
    }
}

/// For text that a blank value clears: `Some("")` where it was sent blank.
/// Use with `#[serde(default, deserialize_with = "clearable")]`.
pub(crate) fn clearable<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    String::deserialize(from).map(Some)
}

/// For lists in whose place a single value is a list of one. Use with
/// `#[serde(default, deserialize_with = "one_or_more")]`.
pub(crate) fn one_or_more<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
) -> Result<Vec<T>, D::Error> {
    from.deserialize_newtype_struct(ONE_OR_MORE, Listed(std::marker::PhantomData))
}

/// Marks a list that may be written as one value.
const ONE_OR_MORE: &str = "\0one_or_more";

struct Listed<T>(std::marker::PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Listed<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = seq.next_element()? {
            all.push(item);
        }
        Ok(all)
    }
}

/// What was wrong, and with which parameter.
#[derive(Debug, PartialEq, Eq)]
struct Wrong {
    path: Vec<String>,
    why: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            return f.write_str(&self.why);
        }
        let path: Vec<&str> = self.path.iter().rev().map(String::as_str).collect();
        write!(f, "`{}`: {}", path.join("."), self.why)
    }
}

impl std::error::Error for Wrong {}

impl serde::de::Error for Wrong {
    fn custom<T: fmt::Display>(why: T) -> Wrong {
        Wrong { path: Vec::new(), why: why.to_string() }
    }

    fn missing_field(field: &'static str) -> Wrong {
        Wrong { path: vec![field.to_owned()], why: "can't be blank".into() }
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Wrong {
        Wrong::custom(format!("is not included in the list ({})", expected.join(", ")))
    }
}

impl Wrong {
    fn at(mut self, key: &str) -> Wrong {
        self.path.push(key.to_owned());
        self
    }
}

/// Reads one value.
#[derive(Clone, Copy)]
struct Lenient<'a>(&'a Value);

impl Lenient<'_> {
    fn text(self) -> Result<String, Wrong> {
        scalar(self.0).ok_or_else(|| Wrong::custom("is not text"))
    }

    fn number<T: std::str::FromStr>(self) -> Result<T, Wrong> {
        self.text()?.trim().parse().map_err(|_| Wrong::custom("is not a number that fits here"))
    }

    /// Whether it was sent without saying anything.
    fn is_blank(self) -> bool {
        match self.0 {
            Value::Null => true,
            Value::String(text) => text.trim().is_empty(),
            _ => false,
        }
    }
}

/// The methods for numbers, each with its visitor's.
macro_rules! numbers {
    ($($method:ident $visit:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
            visitor.$visit(self.number()?)
        })*
    };
}

impl<'de> Deserializer<'de> for Lenient<'de> {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(truth) => visitor.visit_bool(*truth),
            Value::Array(_) => self.deserialize_seq(visitor),
            Value::Object(_) => self.deserialize_map(visitor),
            Value::String(_) | Value::Number(_) => self.deserialize_string(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let text = self.text()?;
        visitor.visit_bool(truth(text.trim()).ok_or_else(|| Wrong::custom("can't be blank"))?)
    }

    numbers! {
        deserialize_i8 visit_i8 deserialize_i16 visit_i16 deserialize_i32 visit_i32 deserialize_i64 visit_i64
        deserialize_u8 visit_u8 deserialize_u16 visit_u16 deserialize_u32 visit_u32 deserialize_u64 visit_u64
        deserialize_f32 visit_f32 deserialize_f64 visit_f64
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_string(self.text()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_string(self.text()?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        if self.is_blank() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_seq(Items(numbered(self.0).unwrap_or_default().into_iter()))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let Value::Object(map) = self.0 else { return Err(Wrong::custom("has no parts")) };
        visitor.visit_map(Fields { rest: map.iter(), next: None })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.deserialize_map(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        if name != ONE_OR_MORE {
            return visitor.visit_newtype_struct(self);
        }
        let one = || if self.is_blank() { Vec::new() } else { vec![self.0] };
        visitor.visit_seq(Items(numbered(self.0).unwrap_or_else(one).into_iter()))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_enum(Word(self.text()?.trim().to_owned()))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! { i128 u128 char bytes byte_buf unit unit_struct tuple tuple_struct identifier }
}

struct Items<'a>(std::vec::IntoIter<&'a Value>);

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Wrong;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Wrong> {
        self.0.next().map(|value| seed.deserialize(Lenient(value))).transpose()
    }
}

struct Fields<'a> {
    rest: serde_json::map::Iter<'a>,
    next: Option<(&'a String, &'a Value)>,
}

impl<'de> MapAccess<'de> for Fields<'de> {
    type Error = Wrong;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Wrong> {
        // Libraries write `null` for what their user did not say.
        self.next = self.rest.by_ref().find(|(_, value)| !value.is_null());
        let Some((key, _)) = self.next else { return Ok(None) };
        seed.deserialize(StrDeserializer::new(key)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Wrong> {
        let (key, value) = self.next.take().ok_or_else(|| Wrong::custom("a value without a name"))?;
        seed.deserialize(Lenient(value)).map_err(|wrong| wrong.at(key))
    }
}

/// A word out of a fixed list.
struct Word(String);

impl<'de> EnumAccess<'de> for Word {
    type Error = Wrong;
    type Variant = NoContent;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, NoContent), Wrong> {
        Ok((seed.deserialize(StrDeserializer::new(&self.0))?, NoContent))
    }
}

struct NoContent;

impl<'de> VariantAccess<'de> for NoContent {
    type Error = Wrong;

    fn unit_variant(self) -> Result<(), Wrong> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, Wrong> {
        Err(Wrong::custom("is one word"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Wrong> {
        Err(Wrong::custom("is one word"))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, Wrong> {
        Err(Wrong::custom("is one word"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Policy {
        Followed,
        None,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Part {
        keyword: String,
        whole_word: Option<bool>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Asked {
        title: String,
        count: Option<u32>,
        exclusive: Option<bool>,
        policy: Option<Policy>,
        #[serde(default, deserialize_with = "clearable")]
        note: Option<String>,
        #[serde(default)]
        ids: Vec<GivenId>,
        #[serde(default, deserialize_with = "one_or_more")]
        types: Vec<String>,
        #[serde(default)]
        parts: Vec<Part>,
    }

    fn asked(query: &str) -> Result<Asked, String> {
        read(&Params::from_query(query).unwrap()).map_err(|problem: Problem| problem.detail.to_string())
    }

    #[test]
    fn what_clients_write_as_text_becomes_a_type() {
        let query = "title=a&count=7&exclusive=on&policy=none&note=&ids[]=5&ids[]=x&types=a\
            &parts[0][keyword]=k&parts[0][whole_word]=false&parts[1][keyword]=l&unknown=1";
        let part = |keyword: &str, whole_word| Part { keyword: keyword.into(), whole_word };
        let expected = Asked {
            title: "a".into(),
            count: Some(7),
            exclusive: Some(true),
            policy: Some(Policy::None),
            note: Some(String::new()),
            ids: vec![GivenId(Id(5)), GivenId(Id::ZERO)],
            types: vec!["a".into()],
            parts: vec![part("k", Some(false)), part("l", None)],
        };
        assert_eq!(asked(query), Ok(expected));
    }

    #[test]
    fn blank_is_not_given_and_a_scalar_is_no_list() {
        let asked = asked("title=a&count=&exclusive=&policy=&ids=undefined&types=&parts=x").unwrap();
        assert_eq!((asked.count, asked.exclusive, asked.policy, asked.note), (None, None, None, None));
        assert!(asked.ids.is_empty() && asked.types.is_empty() && asked.parts.is_empty());
    }

    #[test]
    fn null_is_not_given_anywhere() {
        let sent = serde_json::json!({"title": "a", "note": null, "ids": null, "count": null});
        let Value::Object(sent) = sent else { unreachable!() };
        let asked: Asked = read(&Tree::from(sent)).unwrap();
        assert_eq!((asked.note, asked.count, asked.ids), (None, None, Vec::new()));
        let Value::Object(sent) = serde_json::json!({"mention": true, "poll": null}) else { unreachable!() };
        let alerts: std::collections::BTreeMap<String, bool> = read(&Tree::from(sent)).unwrap();
        assert_eq!(alerts.into_iter().collect::<Vec<_>>(), [("mention".to_owned(), true)]);
    }

    #[test]
    fn a_refusal_names_the_parameter() {
        let cases = [
            ("", "Validation failed: `title`: can't be blank"),
            ("title=a&count=x", "Validation failed: `count`: is not a number that fits here"),
            ("title=a&policy=x", "Validation failed: `policy`: is not included in the list (followed, none)"),
            ("title=a&parts[0][whole_word]=1", "Validation failed: `parts.keyword`: can't be blank"),
        ];
        for (query, expected) in cases {
            assert_eq!(asked(query), Err(expected.to_owned()), "{query}");
        }
    }
}
