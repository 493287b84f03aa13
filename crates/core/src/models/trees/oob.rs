//! How good a forest of samples is on rows that its trees have not seen.
//!
//! A row that a tree's sample holds no time is out of its bag; the mean of those trees' leaves is
//! compared with the row's target, as the model sees it. Rows count their weights, without those of
//! classes. A row that is in every bag is left out.

use serde::{Deserialize, Serialize};

use super::forest::{Forest, Tree};
use super::table::Table;
use crate::aggregate::Rows;
use crate::batch::Batch;
use crate::digest::RowKey;
use crate::error::{Code, Error, Result};
use crate::math::{self, ExactSum};
use crate::par;
use crate::rng::{Stream, poisson_bootstrap};
use crate::step::FitContext;

/// Leaves that are looked up at a time.
const LEAVES: usize = 1 << 20;

/// How the rows that are out of bags are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Measure {
    /// The share of rows whose class is the most probable one; of two, 1 from 0.5 on.
    Accuracy,
    /// 1 − Σ(y−p)² / Σ(y−ȳ)².
    R2,
}

/// The score of the rows that are out of bags.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::models) struct OutOfBag {
    measure: Measure,
    /// Absent where it is not defined: no row is out of a bag, or their targets are all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
    n_rows: u64,
}

impl OutOfBag {
    /// Facts for `inspect`.
    pub fn facts(&self) -> Vec<(String, f64)> {
        let name = match self.measure {
            Measure::Accuracy => "out-of-bag accuracy",
            Measure::R2 => "out-of-bag R2",
        };
        let mut facts = vec![("rows out of a bag".to_owned(), self.n_rows as f64)];
        facts.extend(self.score.map(|score| (name.to_owned(), score)));
        facts
    }

    /// # Errors
    /// If no fit has such a score.
    pub fn check(&self) -> Result<()> {
        let is_sound = self.score.is_none_or(|score| score.is_finite() && score <= 1.0);
        if is_sound && (self.n_rows > 0 || self.score.is_none()) {
            return Ok(());
        }
        Err(Error::new(Code::Malformed, "expected a score of rows out of bags, found another"))
    }
}

/// A row out of a bag.
struct Judged {
    weight: f64,
    target: f64,
    /// The prediction; of classes 1 if the row's own is said, else 0.
    score: f64,
}

/// Judges a forest whose trees have the samples of `stream`, one per tree.
///
/// # Errors
/// If a block cannot be read.
pub(super) fn judge(
    forest: &Forest,
    table: &Table,
    rows: &dyn Rows,
    ctx: &FitContext<'_>,
    samples: &[Stream],
) -> Result<OutOfBag> {
    // A sample of nothing is the sample of everything.
    let holds_some =
        |stream: &&Stream| table.keys.iter().any(|k| poisson_bootstrap(stream, *k) > 0);
    let samples: Vec<Option<&Stream>> =
        samples.iter().map(|stream| Some(stream).filter(holds_some)).collect();
    let trees: Vec<Tree<'_>> = forest.trees().collect();
    let bags = Bags { forest, samples, trees, ctx };
    let blocks: Vec<usize> = (0..rows.n_blocks()).collect();
    let parts = par::map(&blocks, |&index| {
        let mut judged = Vec::new();
        rows.with_block(index, &mut |block| {
            let kept: Vec<usize> = (0..block.n_rows()).filter(|&r| block.weight(r) > 0.0).collect();
            for some in kept.chunks((LEAVES / bags.trees.len().max(1)).max(1)) {
                bags.judge(&mut block.select(some), &mut judged);
            }
        })?;
        Ok(judged)
    });
    let parts: Vec<Vec<Judged>> = parts.into_iter().collect::<Result<_>>()?;
    let judged: Vec<Judged> = parts.into_iter().flatten().collect();
    let (measure, score) = match ctx.n_classes {
        0 => (Measure::R2, r2(&judged)),
        _ => (Measure::Accuracy, mean(&judged, |row| row.score)),
    };
    let score = score.filter(|score| score.is_finite());
    Ok(OutOfBag { measure, score, n_rows: judged.len() as u64 })
}

struct Bags<'a> {
    forest: &'a Forest,
    /// None for a tree that has all rows.
    samples: Vec<Option<&'a Stream>>,
    trees: Vec<Tree<'a>>,
    ctx: &'a FitContext<'a>,
}

impl Bags<'_> {
    fn judge(&self, batch: &mut Batch, judged: &mut Vec<Judged>) {
        let (n_trees, n_rows) = (self.trees.len(), batch.n_rows());
        let mut leaves = vec![0.0; n_rows * n_trees];
        self.forest.leaves(batch, self.ctx.slots, &mut leaves);
        for (row, leaves) in leaves.chunks_exact(n_trees).enumerate() {
            let target = batch.target()[row];
            if let Some(means) = self.means(batch.fit_keys()[row], leaves) {
                let score = match (self.ctx.n_classes, &*means) {
                    (0, [mean]) => *mean,
                    (_, [p]) => f64::from(u8::from((*p >= 0.5) == (target == 1.0))),
                    (_, several) => f64::from(u8::from(highest(several) as f64 == target)),
                };
                judged.push(Judged { weight: batch.weight(row), target, score });
            }
        }
    }

    /// The means over the trees that have not seen a row; `None` if all have.
    fn means(&self, key: RowKey, leaves: &[f64]) -> Option<Vec<f64>> {
        let width = self.forest.leaf_width as usize;
        let (mut sums, mut n) = (vec![0.0; width], 0u32);
        for ((sample, tree), leaf) in self.samples.iter().zip(&self.trees).zip(leaves) {
            if sample.is_some_and(|stream| poisson_bootstrap(stream, key) == 0) {
                let values = &tree.value[*leaf as usize * width..][..width];
                sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
                n += 1;
            }
        }
        sums.iter_mut().for_each(|sum| *sum /= f64::from(n));
        (n > 0).then_some(sums)
    }
}

fn highest(values: &[f64]) -> usize {
    (1..values.len()).fold(0, |best, at| if values[at] > values[best] { at } else { best })
}

/// The weighted mean of a term of each row; `None` without rows.
fn mean(judged: &[Judged], term: impl Fn(&Judged) -> f64) -> Option<f64> {
    let (mut sum, mut weight) = (ExactSum::new(), ExactSum::new());
    for row in judged {
        sum.add_product(row.weight, term(row));
        weight.add(row.weight);
    }
    (!judged.is_empty()).then(|| sum.round() / weight.round())
}

/// `None` if the targets are all the same.
fn r2(judged: &[Judged]) -> Option<f64> {
    let centre = mean(judged, |row| row.target)?;
    let total = mean(judged, |row| square(row.target - centre))?;
    let left = mean(judged, |row| square(row.target - row.score))?;
    let is_varied = judged.windows(2).any(|pair| pair[0].target != pair[1].target);
    (is_varied && total > 0.0).then(|| math::canonical(1.0 - left / total))
}

fn square(x: f64) -> f64 {
    x * x
}
