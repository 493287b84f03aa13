//! From "something differs" to the stage, the column, the row and the distance.

use std::fs;
use std::path::{Path, PathBuf};

use super::Bench;
use super::cells::first_cell;
use super::compare::{Place, SCORE_STAGE, ScoreRow, first_place, first_row, ulps};
use super::programs::Program;
use super::report::Difference;
use super::score::{Base, Found, Way};

impl Difference {
    /// A difference in a way.
    pub fn of(self, way: &str) -> Self {
        let way = way.to_owned();
        Difference { way, ..self }
    }

    /// A difference at a stage and column.
    pub fn at(place: Place) -> Self {
        Difference {
            stage: place.stage,
            column: place.column,
            what: place.what,
            ..Difference::default()
        }
    }
}

/// Who scores with which artifact.
pub type Side<'a> = (&'a Way, &'a Path);

/// The first difference of what the second side found from the base, which is of the first side: by
/// the traces, then by the features after the stage that they name.
pub fn first(bench: &Bench<'_>, base: &Base, sides: [Side<'_>; 2], found: &Found) -> Difference {
    let place = found.trace().and_then(|trace| first_place(&base.trace, &trace));
    match place {
        Some(place) if place.stage != SCORE_STAGE => {
            let stage = place.stage.clone();
            let difference = Difference::at(place);
            with_cell(bench, sides, &stage, difference)
        }
        Some(place) => with_row(Difference::at(place), &base.scores, &found.scores),
        None => with_row(in_scores(base, found), &base.scores, &found.scores),
    }
}

/// No trace names a stage: the score files themselves differ.
fn in_scores(base: &Base, found: &Found) -> Difference {
    let what = if base.scores == found.scores {
        "the score files or traces differ in form"
    } else if first_row(&base.scores, &found.scores).is_none() {
        "the rows are in another order"
    } else {
        "the scores differ"
    };
    Difference::at(Place {
        stage: SCORE_STAGE.to_owned(),
        column: SCORE_STAGE.to_owned(),
        what: what.to_owned(),
    })
}

/// Adds the first row whose score differs.
fn with_row(difference: Difference, a: &[ScoreRow], b: &[ScoreRow]) -> Difference {
    let Some((x, y)) = first_row(a, b) else {
        return difference;
    };
    let shown = |row: Option<&ScoreRow>| match row {
        None => "no such row".to_owned(),
        Some(row) if row.bits.is_empty() => format!("{} {}", row.reason.0, row.reason.1),
        Some(row) => {
            let one = |bits: &u64| format!("0x{bits:016x} ({})", f64::from_bits(*bits));
            row.bits.iter().map(one).collect::<Vec<_>>().join(" : ")
        }
    };
    let row_key = x.or(y).map(|row| row.row_key.clone());
    let mut pairs = x.zip(y).into_iter().flat_map(|(x, y)| x.bits.iter().zip(&y.bits));
    let bits = pairs.find(|(x, y)| x != y);
    Difference {
        row_key: row_key.unwrap_or_default(),
        values: Some([shown(x), shown(y)]),
        ulps: bits.and_then(|(x, y)| ulps(*x, *y)),
        ..difference
    }
}

/// Adds the first cell that differs after the stage. Without it the place stands alone: a program
/// that cannot show its features has said where it differs all the same.
fn with_cell(
    bench: &Bench<'_>,
    sides: [Side<'_>; 2],
    stage: &str,
    difference: Difference,
) -> Difference {
    let features = |(way, artifact): Side<'_>, name: &str| -> Result<Vec<u8>, String> {
        let out: PathBuf = bench.file(name);
        // The embedded example has no features to show; the release build scores as it does.
        let mut run = way.run(bench, artifact);
        if run.program == Program::Embed {
            run.program = Program::Release;
        }
        bench.programs.transform(&run, stage, &out)?;
        fs::read(&out).map_err(|e| e.to_string())
    };
    let cell = features(sides[0], "base.features.csv").and_then(|a| {
        let b = features(sides[1], "way.features.csv")?;
        first_cell(&a, &b, &difference.column)
    });
    match cell {
        Ok(Some(cell)) => Difference {
            column: cell.column,
            row_key: cell.row_key,
            values: Some(cell.values),
            ulps: cell.ulps,
            ..difference
        },
        Ok(None) => difference,
        Err(message) => Difference {
            what: format!("{} (the cell could not be shown: {message})", difference.what),
            ..difference
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(key: &str, bits: Option<u64>) -> ScoreRow {
        let bits = bits.into_iter().collect();
        ScoreRow { row_key: key.to_owned(), bits, reason: (String::new(), String::new()) }
    }

    #[test]
    fn the_first_row_is_shown_with_its_distance() {
        let one = 1f64.to_bits();
        let a = [row("aa", Some(one)), row("bb", Some(one))];
        let b = [row("bb", Some(one + 3)), row("aa", Some(one))];
        let difference = with_row(Difference::default(), &a, &b);
        assert_eq!(difference.row_key, "bb");
        assert_eq!(difference.ulps, Some(3));
        assert_eq!(difference.values.unwrap()[0], "0x3ff0000000000000 (1)");
    }

    #[test]
    fn a_dropped_row_is_named() {
        let a = [row("aa", Some(0)), row("bb", Some(0))];
        let difference = with_row(Difference::default(), &a, &a[1..]);
        assert_eq!(difference.row_key, "aa");
        assert_eq!(difference.values.unwrap()[1], "no such row");
    }
}
