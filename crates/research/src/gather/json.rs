//! One line of JSON, value by value, RFC 8259 to the letter.

use std::borrow::Cow;
use std::path::Path;

use samescore_core::error::{Code, Error};

/// Lists and objects inside each other.
const DEPTH_MAX: usize = 128;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A string, or a number as it is written.
    Text(Cow<'a, str>),
    /// What cannot be a cell.
    Nested(&'static str),
}

/// What is wrong in a line.
#[derive(Debug, PartialEq)]
pub(super) struct Wrong {
    expected: &'static str,
    found: String,
    row: u64,
    column: Option<String>,
}

impl Wrong {
    pub(super) fn new(expected: &'static str, found: impl Into<String>) -> Self {
        Wrong { expected, found: found.into(), row: 0, column: None }
    }

    /// Says in which row, unless that is said.
    pub(super) fn row(mut self, row: u64) -> Self {
        self.row = row;
        self
    }

    pub(super) fn column(mut self, name: &str) -> Self {
        self.column.get_or_insert_with(|| name.to_owned());
        self
    }

    /// The error of a file, whose chunk begins behind `before` rows.
    pub(super) fn error(self, path: &Path, before: u64) -> Error {
        let row = before + self.row;
        let (shown, line) = (path.display(), row + 1);
        let message =
            format!("`{shown}` line {line}: expected {}, found {}", self.expected, self.found);
        let error = Error::new(Code::BadValue, message).row(row);
        match &self.column {
            Some(name) => error.column(name),
            None => error,
        }
    }
}

/// A line of which some has been read.
pub(super) struct Line<'a> {
    text: &'a str,
    at: usize,
    is_first: bool,
}

impl<'a> Line<'a> {
    /// A line that begins an object.
    pub(super) fn begin(text: &'a str) -> Result<Self, Wrong> {
        let mut line = Line { text, at: 0, is_first: true };
        line.skip_blanks();
        match line.peek() {
            Some(b'{') => line.at += 1,
            None => return Err(Wrong::new("a JSON object", "a blank line")),
            Some(_) => return Err(line.wrong("a JSON object")),
        }
        Ok(line)
    }

    /// The next name and its value; `None` at the end of the object, which must end the line.
    pub(super) fn next(&mut self) -> Result<Option<(Cow<'a, str>, Cell<'a>)>, Wrong> {
        self.skip_blanks();
        match (self.peek(), self.is_first) {
            (Some(b'}'), _) => {
                self.at += 1;
                self.skip_blanks();
                return match self.peek() {
                    None => Ok(None),
                    Some(_) => Err(self.wrong("the end of the line")),
                };
            }
            (Some(b','), false) => {
                self.at += 1;
                self.skip_blanks();
            }
            (_, true) => {}
            (_, false) => return Err(self.wrong("a comma or }")),
        }
        self.is_first = false;
        let name = self.string("a name in quotes")?;
        let in_column = |wrong: Wrong| wrong.column(&name);
        self.skip_blanks();
        self.expect(b':', "a colon").map_err(in_column)?;
        let cell = self.value(0).map_err(in_column)?;
        Ok(Some((name, cell)))
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8, what: &'static str) -> Result<(), Wrong> {
        if self.peek() == Some(byte) {
            self.at += 1;
            return Ok(());
        }
        Err(self.wrong(what))
    }

    fn wrong(&self, expected: &'static str) -> Wrong {
        const SHOWN: usize = 20;
        let rest: String =
            self.text.get(self.at..).unwrap_or_default().chars().take(SHOWN).collect();
        match rest.is_empty() {
            true => Wrong::new(expected, "the end of the line"),
            false => Wrong::new(expected, format!("{rest:?}")),
        }
    }

    fn value(&mut self, depth: usize) -> Result<Cell<'a>, Wrong> {
        self.skip_blanks();
        match self.peek() {
            Some(b'"') => Ok(Cell::Text(self.string("a string")?)),
            Some(b'n') => self.word("null").map(|()| Cell::Null),
            Some(b't') => self.word("true").map(|()| Cell::Bool(true)),
            Some(b'f') => self.word("false").map(|()| Cell::Bool(false)),
            Some(b'-' | b'0'..=b'9') => self.number().map(|text| Cell::Text(Cow::Borrowed(text))),
            Some(b'[' | b'{') if depth == DEPTH_MAX => {
                Err(Wrong::new("at most 128 levels", "more"))
            }
            Some(b'[') => self.list(depth).map(|()| Cell::Nested("a list")),
            Some(b'{') => self.object(depth).map(|()| Cell::Nested("an object")),
            _ => Err(self.wrong("a value")),
        }
    }

    fn word(&mut self, word: &'static str) -> Result<(), Wrong> {
        if self.text[self.at..].starts_with(word) {
            self.at += word.len();
            return Ok(());
        }
        Err(self.wrong("a value"))
    }

    /// A number, as it is written.
    fn number(&mut self) -> Result<&'a str, Wrong> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        match self.peek() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        Ok(&self.text[start..self.at])
    }

    fn digits(&mut self) -> Result<(), Wrong> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        match self.at > start {
            true => Ok(()),
            false => Err(self.wrong("a digit")),
        }
    }

    fn list(&mut self, depth: usize) -> Result<(), Wrong> {
        self.at += 1;
        self.skip_blanks();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value(depth + 1)?;
            self.skip_blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                _ => return self.expect(b']', "a comma or ]"),
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<(), Wrong> {
        self.at += 1;
        self.skip_blanks();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.skip_blanks();
            self.string("a name in quotes")?;
            self.skip_blanks();
            self.expect(b':', "a colon")?;
            self.value(depth + 1)?;
            self.skip_blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                _ => return self.expect(b'}', "a comma or }"),
            }
        }
    }

    fn string(&mut self, what: &'static str) -> Result<Cow<'a, str>, Wrong> {
        self.expect(b'"', what)?;
        let text = self.text;
        let start = self.at;
        let mut written = String::new();
        let mut from = start;
        loop {
            match self.peek() {
                Some(b'"') => {
                    let rest = &text[from..self.at];
                    self.at += 1;
                    if from == start {
                        return Ok(Cow::Borrowed(rest));
                    }
                    written.push_str(rest);
                    return Ok(Cow::Owned(written));
                }
                Some(b'\\') => {
                    written.push_str(&text[from..self.at]);
                    self.at += 1;
                    written.push(self.escaped()?);
                    from = self.at;
                }
                Some(0..=0x1f) => return Err(self.wrong("control characters as \\u0000")),
                Some(_) => self.at += 1,
                None => return Err(self.wrong("a closing quote")),
            }
        }
    }

    /// The character behind a backslash.
    fn escaped(&mut self) -> Result<char, Wrong> {
        let letter = self.peek();
        let c = match letter {
            Some(c @ (b'"' | b'\\' | b'/')) => char::from(c),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.code_point();
            }
            _ => return Err(self.wrong("an escape of JSON behind \\")),
        };
        self.at += 1;
        Ok(c)
    }

    fn code_point(&mut self) -> Result<char, Wrong> {
        let half = |unit: u32| Wrong::new("pairs of surrogates", format!("\\u{unit:04x} alone"));
        let unit = self.unit()?;
        if (0xd800..0xdc00).contains(&unit) {
            if !self.text[self.at..].starts_with("\\u") {
                return Err(half(unit));
            }
            self.at += 2;
            let low = self.unit()?;
            if !(0xdc00..0xe000).contains(&low) {
                return Err(half(unit));
            }
            let code = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
            return char::from_u32(code).ok_or_else(|| half(unit));
        }
        char::from_u32(unit).ok_or_else(|| half(unit))
    }

    fn unit(&mut self) -> Result<u32, Wrong> {
        let digits = self.text.as_bytes().get(self.at..self.at + 4);
        let value = digits.and_then(|digits| {
            digits.iter().try_fold(0, |value, d| Some(value * 16 + char::from(*d).to_digit(16)?))
        });
        let Some(value) = value else {
            return Err(self.wrong("four hexadecimal digits"));
        };
        self.at += 4;
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &str) -> Result<Vec<(String, Cell<'_>)>, Wrong> {
        let mut line = Line::begin(text)?;
        let mut cells = Vec::new();
        while let Some((name, cell)) = line.next()? {
            cells.push((name.into_owned(), cell));
        }
        Ok(cells)
    }

    #[test]
    fn values_are_told_apart_and_numbers_are_their_text() {
        let text = r#" { "a":-0 ,"b": 1e3,"c":12345678901234567890.50,"d":null,"e":true,"f":false,
            "g":"x\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00é","h":[1,[],{"a":{}}],"i":{"a":[null]} } "#;
        let text = text.replace('\n', " ");
        let cells = cells(&text).unwrap();
        let of = |text: &'static str| Cell::Text(Cow::Borrowed(text));
        let expected = [
            ("a", of("-0")),
            ("b", of("1e3")),
            ("c", of("12345678901234567890.50")),
            ("d", Cell::Null),
            ("e", Cell::Bool(true)),
            ("f", Cell::Bool(false)),
            ("g", of("x\"\\/\u{8}\u{c}\n\r\té😀é")),
            ("h", Cell::Nested("a list")),
            ("i", Cell::Nested("an object")),
        ];
        assert_eq!(cells, expected.map(|(name, cell)| (name.to_owned(), cell)));
        assert_eq!(Line::begin("{}").unwrap().next().unwrap(), None);
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for (text, expected, found) in [
            ("", "a JSON object", "a blank line"),
            ("[1]", "a JSON object", "\"[1]\""),
            ("{\"a\":1", "a comma or }", "the end of the line"),
            ("{\"a\":1} x", "the end of the line", "\"x\""),
            ("{\"a\":1,}", "a name in quotes", "\"}\""),
            ("{,}", "a name in quotes", "\",}\""),
            ("{a:1}", "a name in quotes", "\"a:1}\""),
            ("{\"a\" 1}", "a colon", "\"1}\""),
            ("{\"a\":01}", "a comma or }", "\"1}\""),
            ("{\"a\":+1}", "a value", "\"+1}\""),
            ("{\"a\":.5}", "a value", "\".5}\""),
            ("{\"a\":1.}", "a digit", "\"}\""),
            ("{\"a\":1e}", "a digit", "\"}\""),
            ("{\"a\":NaN}", "a value", "\"NaN}\""),
            ("{\"a\":nul}", "a value", "\"nul}\""),
            ("{\"a\":\"x}", "a closing quote", "the end of the line"),
            ("{\"a\":\"x\ty\"}", "control characters as \\u0000", "\"\\ty\\\"}\""),
            ("{\"a\":\"\\x\"}", "an escape of JSON behind \\", "\"x\\\"}\""),
            ("{\"a\":\"\\u12g4\"}", "four hexadecimal digits", "\"12g4\\\"}\""),
            ("{\"a\":\"\\ud800\"}", "pairs of surrogates", "\\ud800 alone"),
            ("{\"a\":\"\\ud800\\u0041\"}", "pairs of surrogates", "\\ud800 alone"),
            ("{\"a\":\"\\udc00\"}", "pairs of surrogates", "\\udc00 alone"),
            ("{\"a\":[1,]}", "a value", "\"]}\""),
            ("{\"a\":{\"b\":1,}}", "a name in quotes", "\"}}\""),
        ] {
            let wrong = cells(text).unwrap_err();
            assert_eq!((wrong.expected, wrong.found.as_str()), (expected, found), "{text}");
        }
        let deep = format!("{{\"a\":{}", "[".repeat(1000));
        assert_eq!(cells(&deep).unwrap_err().expected, "at most 128 levels");
    }
}
