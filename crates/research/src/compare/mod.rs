//! The first difference of two results: artifacts, score files, feature files, or traces.
//!
//! # Method
//! Files are told apart by what is in them. Equal bytes are equal results. Else one difference is
//! given per place where there is one, in the order in which a row is processed: config, data, each
//! step, the model; column by column in a table. So the first one names where two runs parted.
//!
//! # Ties and order
//! Rows are matched by their row key, never by position; rows of one key are matched in the order
//! of their cells.

mod artifacts;
mod listings;

use samescore_core::digest::bits_hex;
use samescore_core::error::{Code, Error, Result};
use samescore_core::math;
use samescore_core::trace::{self, Trace};

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// An artifact.
    Artifact,
    /// The answer of `score`.
    Scores,
    /// The answer of `transform`.
    Features,
    /// The digests of a run.
    Trace,
}

impl Content {
    /// What the bytes of a file are.
    ///
    /// # Errors
    /// If they are nothing that can be compared.
    pub fn of(bytes: &[u8]) -> Result<Self> {
        if bytes.starts_with(b"SSCR") {
            return Ok(Content::Artifact);
        }
        if bytes.trim_ascii_start().starts_with(b"{") {
            return Ok(Content::Trace);
        }
        let header = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
        let header = header.strip_suffix(b"\r").unwrap_or(header);
        let header = String::from_utf8_lossy(header);
        let has_key = format!(",{header}").contains(",row_key,");
        if has_key && header.ends_with(",bits,code,reason") {
            return Ok(Content::Scores);
        }
        if header.starts_with("row_key,") {
            return Ok(Content::Features);
        }
        let message = "expected an artifact, a trace, or what `score` or `transform` wrote";
        Err(Error::new(Code::Usage, message))
    }

    /// The name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Content::Artifact => "artifact",
            Content::Scores => "score file",
            Content::Features => "feature file",
            Content::Trace => "trace",
        }
    }
}

/// A place where two results differ.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Difference {
    /// Where in a row's life: `config`, `data`, a step's name, `model`, `score`, ...
    pub stage: String,
    /// The column, where it is one column's.
    pub column: Option<String>,
    /// The row, where it is one row's.
    pub row_key: Option<String>,
    /// Where inside the stage, for what an artifact holds.
    pub path: Option<String>,
    /// What the first file has.
    pub a: String,
    /// What the second file has.
    pub b: String,
    /// Both bit patterns, and how many doubles lie between, where both are numbers.
    pub bits: Option<(String, String, u64)>,
    /// How many cells differ in this place.
    pub n_cells: u64,
}

impl Difference {
    /// A difference of two texts; if both are numbers, with their bits.
    pub(crate) fn of(stage: &str, a: &str, b: &str) -> Self {
        Difference {
            stage: stage.to_owned(),
            a: a.to_owned(),
            b: b.to_owned(),
            bits: bits_of(a, b),
            n_cells: 1,
            ..Difference::default()
        }
    }

    /// One line for people: the place, then both values.
    pub fn line(&self) -> String {
        let mut line = format!("stage `{}`", self.stage);
        let places = [("column", &self.column), ("row", &self.row_key), ("at", &self.path)];
        for (name, value) in places {
            if let Some(value) = value {
                line.push_str(&format!(", {name} `{value}`"));
            }
        }
        line.push_str(&format!(": {} against {}", self.a, self.b));
        if let Some((a, b, ulps)) = &self.bits {
            let unit = if *ulps == 1 { "ulp" } else { "ulps" };
            line.push_str(&format!(" (bits {a} against {b}, {ulps} {unit} apart)"));
        }
        if self.n_cells > 1 {
            line.push_str(&format!("; {} cells differ here", self.n_cells));
        }
        line
    }
}

fn bits_of(a: &str, b: &str) -> Option<(String, String, u64)> {
    let (x, y): (f64, f64) = (a.parse().ok()?, b.parse().ok()?);
    Some((bits_hex(x), bits_hex(y), math::ulps_between(x, y)))
}

/// Every place where two files differ, the first one first; empty if they are the same result.
///
/// # Errors
/// If a file is nothing that can be compared, or the two are not of one kind.
pub fn files(a: &[u8], b: &[u8]) -> Result<(Content, Vec<Difference>)> {
    let (content, other) = (Content::of(a)?, Content::of(b)?);
    if content != other {
        let message = format!(
            "expected two files of one kind, found {} and {}",
            content.name(),
            other.name()
        );
        return Err(Error::new(Code::Usage, message));
    }
    if a == b {
        return Ok((content, Vec::new()));
    }
    let differences = match content {
        Content::Artifact => artifacts::compare(a, b)?,
        Content::Scores => listings::compare("score", a, b)?,
        Content::Features => listings::compare("features", a, b)?,
        Content::Trace => traces(a, b)?,
    };
    Ok((content, differences))
}

fn traces(a: &[u8], b: &[u8]) -> Result<Vec<Difference>> {
    let read = |bytes: &[u8]| -> Result<Trace> {
        serde_json::from_slice(bytes)
            .map_err(|e| Error::new(Code::Usage, format!("expected a trace, found {e}")))
    };
    let found = trace::first_difference(&read(a)?, &read(b)?);
    Ok(found
        .map(|d| {
            let (left, right) =
                d.what.split_once(" against ").unwrap_or((d.what.as_str(), "another"));
            Difference {
                column: (!d.column.is_empty()).then(|| d.column.clone()),
                bits: None,
                ..Difference::of(&d.stage, left, right)
            }
        })
        .into_iter()
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCORES: &[u8] = b"row_key,score,bits,code,reason\n\
        02,0.5,3fe0000000000000,,\n01,1.5,3ff8000000000000,,\n03,,,SS0301,bad\n";

    #[test]
    fn rows_are_matched_by_key_and_not_by_position() {
        let moved = b"row_key,score,bits,code,reason\n\
            01,1.5,3ff8000000000000,,\n03,,,SS0301,bad\n02,0.5,3fe0000000000000,,\n";
        assert_eq!(files(SCORES, moved).unwrap(), (Content::Scores, Vec::new()));
    }

    #[test]
    fn a_flipped_bit_is_named_with_its_row_and_distance() {
        let text = String::from_utf8_lossy(SCORES);
        let flipped = text.replace("1.5,3ff8000000000000", "1.5000000000000002,3ff8000000000001");
        let (_, differences) = files(SCORES, flipped.as_bytes()).unwrap();
        assert_eq!(
            differences[0].line(),
            "stage `score`, column `score`, row `01`: 1.5 against 1.5000000000000002 \
             (bits 0x3ff8000000000000 against 0x3ff8000000000001, 1 ulp apart)"
        );
        assert_eq!(differences.len(), 1);
    }

    #[test]
    fn rows_and_columns_of_one_side_only_are_named() {
        let a = b"row_key,x,y\n01,1,2\n02,1,2\n";
        let (_, rows) = files(a, b"row_key,x,y\n01,1,2\n03,1,2\n").unwrap();
        assert_eq!(rows[0].line(), "stage `features`, row `02`: a row against no such row");
        assert_eq!(rows[1].line(), "stage `features`, row `03`: no such row against a row");
        let (_, columns) = files(a, b"row_key,x,z\n01,1,2\n02,1,2\n").unwrap();
        assert_eq!(
            columns[0].line(),
            "stage `features`, column `y`: a column against no such column"
        );
    }

    #[test]
    fn a_listing_is_known_by_its_header() {
        for (header, content) in [
            ("row_key,score,bits,code,reason", Some(Content::Scores)),
            ("id,row_key,class,score_a,score_b,bits,code,reason", Some(Content::Scores)),
            ("row_key,x,code,reason", Some(Content::Features)),
            ("row_key,code,reason", Some(Content::Features)),
            ("a,b", None),
            ("my_row_key,x,bits,code,reason", None),
        ] {
            assert_eq!(Content::of(header.as_bytes()).ok(), content, "{header}");
        }
    }

    #[test]
    fn an_empty_label_is_not_a_missing_value() {
        let (_, found) = files(b"row_key,x\n01,\n", b"row_key,x\n01,\"\"\n").unwrap();
        assert_eq!(
            found[0].line(),
            "stage `features`, column `x`, row `01`: nothing against an empty label"
        );
    }

    #[test]
    fn files_of_two_kinds_are_refused() {
        assert!(files(SCORES, b"row_key,x\n").is_err());
        assert!(files(b"a,b\n", b"a,b\n").is_err());
        assert!(files(b"{\"a\":1}", b"{\"a\":2}").is_err());
    }
}
