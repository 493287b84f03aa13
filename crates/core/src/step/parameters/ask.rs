//! Asks a `Deserialize` what it reads, by giving it nothing.
//!
//! Each question reads the params once from a deserializer that notes what it is asked for and then
//! ends the reading with an error.

use std::fmt;

use serde::de::{self, DeserializeSeed, Visitor};
use serde::{Deserialize, Deserializer, forward_to_deserialize_any};

use super::Form;

/// The name and the fields of a struct; none if it is something else.
pub(super) fn fields<P: for<'de> Deserialize<'de>>() -> (&'static str, &'static [&'static str]) {
    let mut found = ("", &[][..]);
    let _ended = P::deserialize(Fields(&mut found));
    found
}

/// What stands behind `field` of a struct.
pub(super) fn form<P: for<'de> Deserialize<'de>>(field: &'static str) -> Form {
    let mut note = Note::default();
    let _ended = P::deserialize(Field { field, note: &mut note });
    let mut form = note.form;
    if let Some(Form::Choice(words)) = form.as_mut().map(innermost) {
        for (word, value) in words {
            let mut note = Note { word: Some(word), form: None };
            let _ended = P::deserialize(Field { field, note: &mut note });
            *value = note.form;
        }
    }
    form.unwrap_or_else(value)
}

/// What a list or table is of.
fn innermost(form: &mut Form) -> &mut Form {
    match form {
        Form::List(of) | Form::Table(of) => innermost(of),
        other => other,
    }
}

/// A form of which nothing is known.
fn value() -> Form {
    Form::Own("value".to_owned())
}

/// What a visitor expects, in its own words.
struct Said<'v, V>(&'v V);

impl<'de, V: Visitor<'de>> fmt::Display for Said<'_, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }
}

/// Ends a reading.
#[derive(Debug)]
struct Ended;

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the question is answered")
    }
}

impl std::error::Error for Ended {}

impl de::Error for Ended {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Ended
    }
}

/// Notes the name and fields of a struct.
struct Fields<'n>(&'n mut (&'static str, &'static [&'static str]));

impl<'de> Deserializer<'de> for Fields<'_> {
    type Error = Ended;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Ended> {
        Err(Ended)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Ended> {
        *self.0 = (name, fields);
        Err(Ended)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// What was asked for, and the word that an enum is to be.
#[derive(Default)]
struct Note {
    word: Option<&'static str>,
    form: Option<Form>,
}

/// A struct with one field.
struct Field<'n> {
    field: &'static str,
    note: &'n mut Note,
}

impl<'de> Deserializer<'de> for Field<'_> {
    type Error = Ended;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Ended> {
        visitor.visit_map(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> de::MapAccess<'de> for Field<'_> {
    type Error = Ended;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Ended> {
        seed.deserialize(de::value::StrDeserializer::new(self.field)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Ended> {
        seed.deserialize(Value(self.note))
    }
}

/// Notes the form that it is asked for.
struct Value<'n>(&'n mut Note);

impl Value<'_> {
    fn is<T>(self, form: Form) -> Result<T, Ended> {
        self.0.form = Some(form);
        Err(Ended)
    }

    /// Notes the form that `ask` finds, inside of another.
    fn holds<T>(
        self,
        outside: impl Fn(Box<Form>) -> Form,
        ask: impl FnOnce(Value<'_>) -> Result<T, Ended>,
    ) -> Result<T, Ended> {
        // A word's value is noted as it is: it is asked for after the whole.
        let is_whole = self.0.word.is_none();
        let read = ask(Value(self.0));
        if is_whole {
            self.0.form = Some(outside(Box::new(self.0.form.take().unwrap_or_else(value))));
        }
        read
    }
}

macro_rules! noted {
    ($($form:ident: $($method:ident)+;)+) => {
        $($(fn $method<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Ended> {
            self.is(Form::$form)
        })+)+
    };
}

impl<'de> Deserializer<'de> for Value<'_> {
    type Error = Ended;

    noted! {
        Flag: deserialize_bool;
        Whole: deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
            deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64;
        Number: deserialize_f32 deserialize_f64;
        Text: deserialize_char deserialize_str deserialize_string deserialize_identifier;
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Ended> {
        self.is(Form::Own(Said(&visitor).to_string()))
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Ended> {
        self.is(value())
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Ended> {
        self.is(value())
    }

    fn deserialize_unit<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Ended> {
        self.is(value())
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Ended> {
        self.is(value())
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Ended> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Ended> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: V,
    ) -> Result<V::Value, Ended> {
        self.is(value())
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Ended> {
        self.holds(Form::List, |value| visitor.visit_seq(Items(value.0)))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Ended> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Ended> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Ended> {
        self.holds(Form::Table, |value| visitor.visit_map(Field { field: "", note: value.0 }))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Ended> {
        self.is(Form::Table(Box::new(value())))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        words: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Ended> {
        match self.0.word {
            Some(word) => visitor.visit_enum(Word { word, note: self.0 }),
            None => self.is(Form::Choice(words.iter().map(|&word| (word, None)).collect())),
        }
    }
}

/// The items of a list, of which the first ends the reading.
struct Items<'n>(&'n mut Note);

impl<'de> de::SeqAccess<'de> for Items<'_> {
    type Error = Ended;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Ended> {
        seed.deserialize(Value(self.0)).map(Some)
    }
}

/// One word of an enum, and what it holds.
struct Word<'n> {
    word: &'static str,
    note: &'n mut Note,
}

impl<'de, 'n> de::EnumAccess<'de> for Word<'n> {
    type Error = Ended;
    type Variant = Held<'n>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Held<'n>), Ended> {
        let word = seed.deserialize(de::value::StrDeserializer::new(self.word))?;
        Ok((word, Held(self.note)))
    }
}

/// What a word of an enum holds.
struct Held<'n>(&'n mut Note);

impl<'de> de::VariantAccess<'de> for Held<'_> {
    type Error = Ended;

    fn unit_variant(self) -> Result<(), Ended> {
        Err(Ended)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Ended> {
        self.0.word = None;
        seed.deserialize(Value(self.0))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Ended> {
        self.0.word = None;
        Value(self.0).deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Ended> {
        Value(self.0).is(Form::Table(Box::new(value())))
    }
}
