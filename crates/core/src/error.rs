//! One error type for the whole house, with the place, the code and the remedy.
//!
//! An error prints outermost place first: step, column, row, what was expected and found, what to
//! do. Its [`Kind`] is the exit code of every program; its [`Code`] is stable and explained by
//! `samescore explain`. The same type is the named reason of a row that got no score.

mod code;

use std::fmt;
use std::ops::Range;

pub use code::Code;

/// The result of everything in core.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of thing was refused. The kind fixes the exit code of the programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The config or the usage is wrong: exit code 2.
    Config,
    /// The data do not have the declared columns: exit code 3.
    Schema,
    /// A value or a row is refused: exit code 3.
    Data,
    /// The artifact is refused: exit code 4.
    Artifact,
    /// Reading or writing failed: exit code 5.
    Io,
}

impl Kind {
    /// The exit code that every program gives for this kind.
    pub fn exit_code(self) -> u8 {
        match self {
            Kind::Config => 2,
            Kind::Schema | Kind::Data => 3,
            Kind::Artifact => 4,
            Kind::Io => 5,
        }
    }

    /// The kind in lower case, as JSON output names it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Config => "config",
            Kind::Schema => "schema",
            Kind::Data => "data",
            Kind::Artifact => "artifact",
            Kind::Io => "io",
        }
    }
}

/// An error with its place: step, column, row, and for a config the byte range in its text.
#[derive(Clone, PartialEq, Eq)]
pub struct Error(Box<Inner>);

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    code: Code,
    step: Option<String>,
    column: Option<String>,
    row: Option<u64>,
    message: String,
    remedy: Option<String>,
    span: Option<Range<usize>>,
}

impl Error {
    /// An error without a place. `message` is lower case, without a full stop.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Error(Box::new(Inner {
            code,
            step: None,
            column: None,
            row: None,
            message: message.into(),
            remedy: None,
            span: None,
        }))
    }

    /// The same with another code, where a caller knows more about the cause.
    #[must_use]
    pub(crate) fn coded(mut self, code: Code) -> Self {
        self.0.code = code;
        self
    }

    /// Names the step, unless an inner place has named one already.
    #[must_use]
    pub fn step(mut self, name: &str) -> Self {
        self.0.step.get_or_insert_with(|| name.to_owned());
        self
    }

    /// Names the column, unless one is named already.
    #[must_use]
    pub fn column(mut self, name: &str) -> Self {
        self.0.column.get_or_insert_with(|| name.to_owned());
        self
    }

    /// Names the row by its 0-based position in the source, unless one is named already.
    #[must_use]
    pub fn row(mut self, row_idx: u64) -> Self {
        self.0.row.get_or_insert(row_idx);
        self
    }

    /// Says what to do; printed in parentheses.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.0.remedy.get_or_insert(remedy.into());
        self
    }

    /// Says in which file or source it is, before the message, unless that says it already.
    #[must_use]
    pub fn within(mut self, place: &str) -> Self {
        if !self.0.message.contains(place) {
            self.0.message = format!("{place}: {}", self.0.message);
        }
        self
    }

    /// The byte range of the config text that is wrong.
    #[must_use]
    pub fn at(mut self, span: Range<usize>) -> Self {
        self.0.span.get_or_insert(span);
        self
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The kind, which fixes the exit code.
    pub fn kind(&self) -> Kind {
        self.0.code.kind()
    }

    /// The step that the error names.
    pub fn step_name(&self) -> Option<&str> {
        self.0.step.as_deref()
    }

    /// The column that the error names.
    pub fn column_name(&self) -> Option<&str> {
        self.0.column.as_deref()
    }

    /// The 0-based row that the error names.
    pub fn row_idx(&self) -> Option<u64> {
        self.0.row
    }

    /// What was expected and found, without place and remedy.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The line that every program prints on its standard error.
    pub fn line(&self) -> String {
        format!("error: {self} [{}]", self.code())
    }

    /// What to do, where it is known.
    pub fn remedy_text(&self) -> Option<&str> {
        self.0.remedy.as_deref()
    }

    /// The byte range in the config text.
    pub fn span(&self) -> Option<Range<usize>> {
        self.0.span.clone()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let e = &self.0;
        if let Some(step) = &e.step {
            write!(f, "step `{step}`: ")?;
        }
        if let Some(column) = &e.column {
            write!(f, "column `{column}`: ")?;
        }
        if let Some(row) = e.row {
            write!(f, "row {row}: ")?;
        }
        f.write_str(&e.message)?;
        if let Some(remedy) = &e.remedy {
            write!(f, " ({remedy})")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {self}", self.0.code)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn place_is_printed_outermost_first_and_the_inner_place_wins() {
        let e = Error::new(Code::WrongKind, "expected number, found text \"n/a\"")
            .row(17)
            .column("fare")
            .column("outer")
            .step("scale")
            .remedy("declare a missing marker in the schema");
        assert_eq!(
            e.to_string(),
            "step `scale`: column `fare`: row 17: expected number, found text \"n/a\" \
             (declare a missing marker in the schema)"
        );
    }

    #[test]
    fn what_holds_it_is_named_once() {
        let e =
            Error::new(Code::WrongKind, "expected num, found text").column("a").within("`b.csv`");
        assert_eq!(e.to_string(), "column `a`: `b.csv`: expected num, found text");
        assert_eq!(e.clone().within("`b.csv`"), e);
    }

    #[test]
    fn every_kind_has_its_exit_code() {
        let codes: Vec<u8> = [Kind::Config, Kind::Schema, Kind::Data, Kind::Artifact, Kind::Io]
            .map(Kind::exit_code)
            .to_vec();
        assert_eq!(codes, [2, 3, 3, 4, 5]);
    }
}
