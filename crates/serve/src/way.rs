//! The ways in which rows can be handed to a scorer. All must give the same bytes; parity compares
//! them.

use std::str::FromStr;

use samescore_core::error::{Code, Error, Result};
use samescore_core::rng::{Seed, Stream, permutation};
use samescore_deploy::{Batch, Scorer, Scores, Trace};

use crate::source::Source;

/// How rows are handed to the scorer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// All at once.
    Batch,
    /// One by one, as typed rows of text cells.
    Rows,
    /// All at once, the last one first.
    Reversed,
    /// All at once, in an arbitrary fixed order.
    Shuffled,
    /// So many at a time.
    Chunks(usize),
    /// Every other row by a scorer that was loaded from the bytes of the first one.
    Reloaded,
}

impl FromStr for Way {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let n = text.strip_prefix("chunks=").map(str::parse);
        match (text, n) {
            ("batch", _) => Ok(Way::Batch),
            ("rows", _) => Ok(Way::Rows),
            ("reversed", _) => Ok(Way::Reversed),
            ("shuffled", _) => Ok(Way::Shuffled),
            ("reloaded", _) => Ok(Way::Reloaded),
            (_, Some(Ok(n))) if n > 0 => Ok(Way::Chunks(n)),
            _ => Err("expected batch, rows, reversed, shuffled, chunks=N or reloaded".to_owned()),
        }
    }
}

impl Way {
    /// The scores of all rows, in the order of the source.
    ///
    /// # Errors
    /// Never on values.
    pub fn score(self, scorer: &Scorer, source: &Source<'_>) -> Result<Scores> {
        let all: Vec<usize> = (0..source.n_rows()).collect();
        match self {
            Way::Batch => scorer.score_batch(&source.batch),
            Way::Rows => Ok(by_row(scorer, source)),
            Way::Reversed | Way::Shuffled => by_parts(source, &[(scorer, self.order(source))]),
            Way::Chunks(n) => {
                let parts: Vec<_> = all.chunks(n).map(|rows| (scorer, rows.to_vec())).collect();
                by_parts(source, &parts)
            }
            Way::Reloaded => {
                let again = Scorer::from_bytes(scorer.artifact().bytes())?;
                let (even, odd) = all.iter().partition(|&&row| row % 2 == 0);
                by_parts(source, &[(scorer, even), (&again, odd)])
            }
        }
    }

    /// The trace of all rows, handed over as [`Way::score`] does: a trace is of the whole table,
    /// whatever the batches that its rows come in.
    ///
    /// # Errors
    /// Never on values.
    pub fn trace(self, scorer: &Scorer, source: &Source<'_>) -> Result<Trace> {
        let (_, trace) = match self {
            Way::Batch => scorer.trace(&source.batch)?,
            Way::Rows => {
                let mut rows = Vec::with_capacity(source.n_rows());
                source.for_each_row(|row| rows.push(scorer.batch([row])));
                let rows: Vec<Batch> = rows.into_iter().collect::<Result<_>>()?;
                scorer.trace_parts(rows)?
            }
            Way::Reversed | Way::Shuffled => scorer.trace(&source.pick(&self.order(source)))?,
            Way::Chunks(n) => {
                let all: Vec<usize> = (0..source.n_rows()).collect();
                scorer.trace_parts(all.chunks(n).map(|rows| source.pick(rows)))?
            }
            Way::Reloaded => Scorer::from_bytes(scorer.artifact().bytes())?.trace(&source.batch)?,
        };
        Ok(trace)
    }

    fn order(self, source: &Source<'_>) -> Vec<usize> {
        let n_rows = source.n_rows();
        match self {
            Way::Reversed => (0..n_rows).rev().collect(),
            Way::Shuffled => {
                let mut draws = Stream::new(Seed(0), "serve", "", "shuffled").pcg();
                let order = permutation(n_rows as u64, &mut draws);
                order.into_iter().map(|row| row as usize).collect()
            }
            _ => (0..n_rows).collect(),
        }
    }
}

fn by_row(scorer: &Scorer, source: &Source<'_>) -> Scores {
    let mut scratch = scorer.scratch();
    let mut scores = Scores::of_width(scorer.n_outputs());
    source.for_each_row(|row| {
        let result = scorer.score_row(&row, &mut scratch);
        scores.push(scratch.key().unwrap_or_default(), result.map(|_| scratch.values()));
    });
    scores
}

/// Scores each part by its scorer and puts the results where their rows stand in the source.
fn by_parts(source: &Source<'_>, parts: &[(&Scorer, Vec<usize>)]) -> Result<Scores> {
    let mut places: Vec<(usize, usize, usize)> = Vec::with_capacity(source.n_rows());
    let mut done = Vec::with_capacity(parts.len());
    for (part, (scorer, rows)) in parts.iter().enumerate() {
        let scores = scorer.score_batch(&source.pick(rows))?;
        if scores.len() != rows.len() {
            let message = format!("expected {} results, found {}", rows.len(), scores.len());
            return Err(Error::new(Code::SelfTest, message));
        }
        places.extend(rows.iter().enumerate().map(|(at, &row)| (row, part, at)));
        done.push(scores);
    }
    places.sort();
    let mut scores = Scores::of_width(parts.first().map_or(1, |(scorer, _)| scorer.n_outputs()));
    for (_, part, at) in places {
        let part: &Scores = &done[part];
        scores.push(part.keys()[at], part.values(at).map_err(Clone::clone));
    }
    Ok(scores)
}
