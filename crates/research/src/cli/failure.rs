//! Errors as people and machines read them: what, where, why it matters, what to do.

use std::fmt;
use std::ops::Range;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, Severity,
    SourceCode,
};
use samescore_core::error::Error;
use serde_json::{Value, json};

const WIDTH: usize = 100;

/// An error, with the text in which its place is.
pub(super) struct Failure {
    pub(super) error: Error,
    source: Option<NamedSource<String>>,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure { error, source: None }
    }
}

impl Failure {
    /// An error about a config: its byte range, or else that of the step or column which it names.
    pub(super) fn in_config(error: Error, path: &str, text: &str) -> Self {
        if error.kind() != samescore_core::error::Kind::Config {
            return error.into();
        }
        let error = match find(&error, text) {
            Some(span) => error.at(span),
            None => error,
        };
        Failure { error, source: Some(NamedSource::new(path, text.to_owned())) }
    }

    /// The error for people.
    pub(super) fn text(&self, has_colour: bool) -> String {
        let theme =
            if has_colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let handler = GraphicalReportHandler::new_themed(theme).with_width(WIDTH).with_links(false);
        let mut text = String::new();
        match handler.render_report(&mut text, self) {
            Ok(()) => text,
            Err(_) => format!("{}: {}\n", self.error.code(), self.error),
        }
    }

    /// The error for machines.
    pub(super) fn json(&self) -> Value {
        let e = &self.error;
        let place = self
            .place()
            .map(|(file, line, column)| json!({ "file": file, "line": line, "column": column }));
        json!({ "error": {
            "code": e.code().id(),
            "kind": e.kind().name(),
            "exit_code": e.kind().exit_code(),
            "step": e.step_name(),
            "column": e.column_name(),
            "row": e.row_idx(),
            "message": e.to_string(),
            "remedy": e.remedy_text(),
            "place": place,
        } })
    }

    /// File, line and column, counted from 1.
    fn place(&self) -> Option<(String, usize, usize)> {
        let source = self.source.as_ref()?;
        let before = source.inner().get(..self.error.span()?.start)?;
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Some((source.name().to_owned(), line, column))
    }
}

/// Where a config names the step or column of an error that has no place yet: the column in the
/// table of its step, else anywhere, else the step.
fn find(error: &Error, text: &str) -> Option<Range<usize>> {
    if error.span().is_some() {
        return error.span();
    }
    let of_step = error.step_name().and_then(|step| table_of(step, text));
    if let (Some(table), Some(column)) = (of_step, error.column_name()) {
        let found = quoted_in(&text[table.clone()], column);
        // Elsewhere the name is another matter than this step's.
        return Some(
            found.map_or(table.clone(), |at| table.start + at.start..table.start + at.end),
        );
    }
    let quoted = |name: &str| quoted_in(text, name);
    let bare = |name: &str| {
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            if line.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('=')) {
                return Some(at..at + name.len());
            }
            at += line.len();
        }
        None
    };
    let of = |name: &str| bare(name).or_else(|| quoted(name));
    error.column_name().and_then(of).or_else(|| error.step_name().and_then(quoted))
}

/// A name in quotes of either kind.
fn quoted_in(text: &str, name: &str) -> Option<Range<usize>> {
    ['"', '\''].iter().find_map(|quote| {
        let wanted = format!("{quote}{name}{quote}");
        text.find(&wanted).map(|at| at..at + wanted.len())
    })
}

/// The text of a step's table: from its header to the next one. A step without a name is called
/// like its kind.
fn table_of(step: &str, text: &str) -> Option<Range<usize>> {
    const HEADER: &str = "[[step]]";
    let starts = text.match_indices(HEADER).map(|(at, _)| at);
    let tables = starts.map(|start| {
        let inside = start + HEADER.len();
        let end = text[inside..].find("\n[").map_or(text.len(), |at| inside + at);
        start..end
    });
    let is_named = |table: &Range<usize>, key: &str| {
        text[table.clone()].lines().filter_map(|line| line.split_once('=')).any(|(found, value)| {
            found.trim() == key
                && quoted_in(value, step).is_some_and(|at| value[..at.start].trim().is_empty())
        })
    };
    let tables: Vec<Range<usize>> = tables.collect();
    let of = |key: &str| tables.iter().find(|table| is_named(table, key));
    of("name").or_else(|| of("kind")).cloned()
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = self.error.to_string();
        let tail = self.error.remedy_text().map(|remedy| format!(" ({remedy})"));
        let shown = tail.and_then(|tail| whole.strip_suffix(&tail).map(str::to_owned));
        f.write_str(&shown.unwrap_or(whole))
    }
}

impl std::error::Error for Failure {}

impl Diagnostic for Failure {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(format!("{}: {}", self.error.code(), self.error.code().title())))
    }

    fn severity(&self) -> Option<Severity> {
        Some(Severity::Error)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let explain = format!("`samescore explain {}` says why this matters", self.error.code());
        Some(Box::new(match self.error.remedy_text() {
            Some(remedy) => format!("{remedy}\n{explain}"),
            None => explain,
        }))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.error.span()?;
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.error.span()?;
        let label = LabeledSpan::new(Some("here".to_owned()), span.start, span.len().max(1));
        Some(Box::new(std::iter::once(label)))
    }
}
