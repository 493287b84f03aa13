//! Where the parameters of a step or model stand in the text.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::{Code, Error};

/// The keys of a table and of all that is in it, outer ones first, with the places of their values.
pub(super) struct Places(Vec<(String, Range<usize>)>);

impl Places {
    pub(super) fn of(table: &DeTable<'_>) -> Self {
        let mut places = Places(Vec::new());
        places.take(table);
        places
    }

    fn take(&mut self, table: &DeTable<'_>) {
        for (key, value) in table {
            self.0.push((key.get_ref().to_string(), value.span()));
            self.take_value(value);
        }
    }

    fn take_value(&mut self, value: &Spanned<DeValue<'_>>) {
        match value.get_ref() {
            DeValue::Table(inner) => self.take(inner),
            DeValue::Array(items) => items.iter().for_each(|item| self.take_value(item)),
            _ => {}
        }
    }

    /// The error at the innermost parameter that its message names, if one does and is written.
    pub(super) fn point(&self, error: Error) -> Error {
        if error.code() != Code::BadParameter || error.span().is_some() {
            return error;
        }
        let message = error.message();
        let tail = message.rfind("expected").map_or(message, |at| &message[at..]);
        let quoted = tail.split('`').skip(1).step_by(2);
        let bare = tail.split(|c: char| !c.is_alphanumeric() && c != '_');
        let place = quoted.chain(bare).find_map(|word| {
            self.0.iter().rev().find(|(key, _)| key == word).map(|(_, place)| place.clone())
        });
        match place {
            Some(place) => error.at(place),
            None => error,
        }
    }
}
