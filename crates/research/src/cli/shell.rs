//! Where answers, notes and errors go.

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use samescore_core::error::{Code, Error};
use samescore_research::render;
use serde_json::{Value, json};

use super::SCHEMA_VERSION;
use super::failure::Failure;
pub(super) use super::progress::Progress;

/// How answers are written.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Text,
    /// One JSON value.
    Json,
}

/// When to colour.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Colour {
    /// On a terminal, unless the environment says otherwise.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What a command answers.
pub(super) struct Answer {
    text: String,
    code: u8,
}

impl Answer {
    /// A yes: exit code 0.
    pub(super) fn yes(text: String) -> Self {
        Answer { text, code: 0 }
    }

    /// A no: exit code 1.
    pub(super) fn no(text: String) -> Self {
        Answer { text, code: 1 }
    }

    /// An answer with an exit code of its own.
    pub(super) fn with_code(text: String, code: u8) -> Self {
        Answer { text, code }
    }
}

/// The three streams and what the user wants of them.
pub(super) struct Shell {
    format: Format,
    is_quiet: bool,
    has_colour: bool,
}

impl Shell {
    pub(super) fn new(format: Format, is_quiet: bool, colour: Colour) -> Self {
        let has_colour = match colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => {
                render::wants_colour(io::stderr().is_terminal(), |name| std::env::var(name).ok())
            }
        };
        Shell { format, is_quiet, has_colour }
    }

    pub(super) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// The text of an answer in the format that is asked for: `text()`, or the object `json` with
    /// its schema version.
    pub(super) fn body(
        &self,
        text: impl FnOnce() -> String,
        json: impl FnOnce() -> Value,
    ) -> String {
        if !self.is_json() {
            return text();
        }
        let mut value = json();
        if let Value::Object(object) = &mut value {
            object.insert("schema_version".to_owned(), json!(SCHEMA_VERSION));
        }
        format!("{value:#}\n")
    }

    /// Writes an answer to stdout. A reader that has gone away is no error: it has what it wanted.
    pub(super) fn write(&self, answer: Answer) -> Result<u8, Failure> {
        self.write_part(&answer.text)?;
        Ok(answer.code)
    }

    /// Writes a part of an answer to stdout. Says no if its reader has gone away.
    pub(super) fn write_part(&self, part: &str) -> Result<bool, Failure> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(part.as_bytes()).and_then(|()| stdout.flush()) {
            Ok(()) => Ok(true),
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(false),
            Err(e) => {
                let message = format!("cannot write to stdout: {}", e.to_string().to_lowercase());
                Err(Error::new(Code::Io, message).into())
            }
        }
    }

    /// A note for people on stderr.
    pub(super) fn note(&self, text: &str) {
        if !self.is_quiet {
            let _ = writeln!(io::stderr(), "{text}");
        }
    }

    /// An error on stderr.
    pub(super) fn complain(&self, failure: &Failure) {
        let text = if self.is_json() {
            self.body(String::new, || failure.json())
        } else {
            failure.text(self.has_colour)
        };
        let _ = io::stderr().write_all(text.as_bytes());
    }

    /// Shows on a terminal that long work goes on and how far it is, until the result is dropped.
    pub(super) fn progress(&self, message: &str) -> Progress {
        Progress::new(message, self.is_quiet || !io::stderr().is_terminal())
    }
}
