//! Where answers, notes and errors go.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use samescore_core::error::{Code, Error};
use samescore_research::render;
use serde_json::{Value, json};

use super::SCHEMA_VERSION;
use super::failure::Failure;

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
        let bar = ProgressBar::new_spinner();
        if self.is_quiet || !io::stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        } else {
            bar.enable_steady_tick(Duration::from_millis(100));
        }
        let (spinner, counter, rows) = (style(SPINNER), style(COUNTER), style(ROWS));
        let progress = Progress { bar, spinner, counter, rows };
        progress.say(message);
        progress
    }
}

const SPINNER: &str = "{spinner} {msg} {elapsed}";
const COUNTER: &str = "{spinner} {wide_msg} {bar:30} {percent:>3}% {elapsed}, {eta} left";
const ROWS: &str = "{spinner} {wide_msg} {bar:30} {human_pos} of {human_len} rows, {per_sec}, \
                    {elapsed}, {eta} left";

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// Work that goes on. Nothing is shown where there is no terminal.
pub(super) struct Progress {
    bar: ProgressBar,
    spinner: ProgressStyle,
    counter: ProgressStyle,
    rows: ProgressStyle,
}

impl Progress {
    /// What is done now; how long it takes is not known.
    pub(super) fn say(&self, message: &str) {
        if !self.bar.is_hidden() {
            self.bar.set_style(self.spinner.clone());
            self.bar.set_message(message.to_owned());
        }
    }

    /// What is done now, and so much of so much is done. May be called from any thread.
    pub(super) fn at(&self, message: &str, done: u64, total: u64) {
        self.count(message, done, total, &self.counter);
    }

    /// What is done now, and how many of so many rows it is done to: shows rows per second and the
    /// time left. May be called from any thread.
    pub(super) fn rows(&self, message: &str, done: u64, total: u64) {
        self.count(message, done, total, &self.rows);
    }

    fn count(&self, message: &str, done: u64, total: u64, style: &ProgressStyle) {
        if !self.bar.is_hidden() {
            self.bar.set_message(message.to_owned());
            self.bar.set_length(total);
            self.bar.set_position(done);
            self.bar.set_style(style.clone());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_progress_are_well_formed_and_a_quiet_one_shows_nothing() {
        for template in [SPINNER, COUNTER, ROWS] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
        let shell = Shell::new(Format::Text, true, Colour::Never);
        let progress = shell.progress("reading");
        progress.at("model", 3, 10);
        progress.rows("scoring", 3, 10);
        assert!(progress.bar.is_hidden() && progress.bar.message().is_empty());
    }
}
