//! Boosting: trees that each take a step against the gradient of the loss.
//!
//! A leaf's value is −T(G) / (H + λ) times the learning rate, with G and H sums over its rows of
//! terms rounded to 2^-50 of the largest; for losses with a leaf quantile it is that quantile of
//! target − score. Scores are the start plus the trees in order, as at scoring.

use super::binning::Binned;
use super::build::{self, LeafFacts};
use super::forest::Forest;
use super::grow::{GrowParams, Grown, GrownLeaf, Sample, grow};
use super::histogram::Packing;
use super::leaves::{self, Walk};
use super::look::Workspace;
use super::objective::{Objective, Seen, quantile_of};
use super::sample;
use super::table::Table;
use super::terms::{Terms, Tops};
use crate::error::{Code, Error, Result};
use crate::math::{self, ExactSum, FixedScale};
use crate::par;
use crate::rng::{Stream, below};
use crate::step::FitContext;

/// Rows that a thread takes at a time.
const CHUNK: usize = 4096;
/// Bits of a term of a leaf's sums.
const TERM_BITS: u32 = 50;

/// How to boost.
#[derive(Clone, Debug)]
pub(in crate::models) struct BoostParams {
    pub objective: Objective,
    pub n_rounds: u32,
    pub learning_rate: f64,
    pub grow: GrowParams,
    /// The share of rows of each round, or of large and other gradients.
    pub rows: RowSample,
    /// The share of columns of each tree.
    pub tree_features: f64,
    /// Rounds without a better validation loss after which to stop, and the share of rows for it.
    pub early_stopping: Option<(u32, f64)>,
}

/// The rows of a round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::models) enum RowSample {
    All,
    Share(f64),
    OneSided { top: f64, other: f64 },
}

/// What boosting gives.
pub(in crate::models) struct Boosted {
    pub forest: Forest,
    /// The mean loss of the validation rows after the last kept round.
    pub validation_loss: Option<f64>,
}

/// Fits trees to the rows.
///
/// # Errors
/// If the loss does not know a target, or scores leave the range of numbers.
pub(in crate::models) fn boost(
    table: &Table,
    data: &Binned,
    params: &BoostParams,
    ctx: &FitContext<'_>,
) -> Result<Boosted> {
    params.objective.check(table)?;
    let mut state = State::new(table, data, params, ctx)?;
    let mut forest = build::empty(data, state.base.clone(), 1, false);
    let (mut best_loss, mut best_rounds) = (None, 0);
    if params.early_stopping.is_some() {
        best_loss = Some(state.validation_loss());
    }
    for round in 0..params.n_rounds {
        ctx.progress.at(u64::from(round), u64::from(params.n_rounds));
        let grew = state.round(round, &mut forest)?;
        if let (Some((patience, _)), Some(best)) = (params.early_stopping, best_loss) {
            let loss = state.validation_loss();
            if loss < best {
                (best_loss, best_rounds) = (Some(loss), round + 1);
            } else if round + 1 - best_rounds >= patience {
                break;
            }
        }
        if !grew && params.rows == RowSample::All && params.tree_features >= 1.0 {
            break;
        }
    }
    if params.early_stopping.is_some() {
        build::truncate(&mut forest, best_rounds as usize * state.base.len());
    }
    ctx.progress.at(u64::from(params.n_rounds), u64::from(params.n_rounds));
    let n_valid = state.valid.len() as f64;
    Ok(Boosted { forest, validation_loss: best_loss.map(|loss| loss / n_valid) })
}

struct State<'a> {
    table: &'a Table,
    data: &'a Binned,
    params: &'a BoostParams,
    /// Whether every tree sees every row.
    is_all: bool,
    /// Empty if so.
    train: Vec<u32>,
    valid: Vec<u32>,
    base: Vec<f64>,
    /// By output, by row.
    scores: Vec<Vec<f64>>,
    /// What the gradients of sampled rows are multiplied by, by row; empty if by nothing.
    factors: Vec<f64>,
    /// Softmax only: probabilities by output, by row.
    shares: Vec<Vec<f64>>,
    row_stream: Stream,
    column_stream: Stream,
    space: Workspace,
}

impl<'a> State<'a> {
    fn new(
        table: &'a Table,
        data: &'a Binned,
        params: &'a BoostParams,
        ctx: &FitContext<'_>,
    ) -> Result<Self> {
        let n = table.n_rows();
        let (valid, train): (Vec<u32>, Vec<u32>) = match params.early_stopping {
            None => (Vec::new(), (0..n as u32).collect()),
            Some((_, share)) => {
                let stream = ctx.stream("", "validation");
                (0..n as u32).partition(|&row| below(&stream, table.keys[row as usize], share))
            }
        };
        if train.is_empty() || (params.early_stopping.is_some() && valid.is_empty()) {
            let message = format!(
                "expected rows to fit on and to validate with, found {} and {}",
                train.len(),
                valid.len()
            );
            return Err(
                Error::new(Code::TooFewRows, message).remedy("change `validation_fraction`")
            );
        }
        let base = params.objective.base(table, &train);
        let scores = base.iter().map(|&base| vec![base; n]).collect();
        let is_all = params.rows == RowSample::All && valid.is_empty();
        Ok(State {
            table,
            data,
            params,
            is_all,
            train: if is_all { Vec::new() } else { train },
            valid,
            scores,
            base,
            factors: Vec::new(),
            shares: Vec::new(),
            row_stream: ctx.stream("", "rows"),
            column_stream: ctx.stream("", "columns"),
            space: Workspace::default(),
        })
    }

    /// One tree per output; whether one of them has a split.
    fn round(&mut self, round: u32, forest: &mut Forest) -> Result<bool> {
        let mut grew = false;
        if let Objective::Softmax { .. } = self.params.objective {
            self.find_shares();
        }
        for output in 0..self.base.len() {
            let n_features = self.data.n_features();
            let tree = u64::from(round) * self.base.len() as u64 + output as u64;
            let columns = self.column_stream.substream("tree", tree);
            let wanted = sample::count_of(n_features, self.params.tree_features);
            let features = sample::columns(n_features, wanted, &columns);
            let (sample, tops) = self.sample(round, output)?;
            let space = &mut self.space;
            let grown = grow(self.data, &self.params.grow, &features, sample, &columns, space);
            let leaves = self.leaf_facts(&grown, output, tops)?;
            self.step(&grown, &leaves, output);
            build::push(forest, self.data, &grown, &leaves);
            grew |= !grown.splits.is_empty();
            self.space.rows = grown.rows;
        }
        Ok(grew)
    }

    fn find_shares(&mut self) {
        let n = self.table.n_rows();
        let k = self.base.len();
        self.shares.resize(k, vec![0.0; n]);
        let starts: Vec<usize> = (0..n).step_by(CHUNK).collect();
        let parts = par::map(&starts, |&start| {
            let rows = start..(start + CHUNK).min(n);
            let mut shares = Vec::with_capacity(rows.len() * k);
            for row in rows {
                let at = shares.len();
                shares.extend(self.scores.iter().map(|scores| scores[row]));
                math::softmax(&mut shares[at..]);
            }
            shares
        });
        for (start, part) in starts.into_iter().zip(parts) {
            for (row, shares) in part.chunks_exact(k).enumerate() {
                self.shares.iter_mut().zip(shares).for_each(|(out, &p)| out[start + row] = p);
            }
        }
    }

    fn terms(&self, output: usize) -> Terms<'_> {
        let is_softmax = matches!(self.params.objective, Objective::Softmax { .. });
        Terms {
            objective: self.params.objective,
            table: self.table,
            scores: if is_softmax { &self.shares[output] } else { &self.scores[output] },
            output,
            n_outputs: self.base.len(),
            factors: &self.factors,
        }
    }

    /// The rows of a tree and their terms, and the largest of these.
    fn sample(&mut self, round: u32, output: usize) -> Result<(Sample, Tops)> {
        let n = self.table.n_rows();
        let mut rows = std::mem::take(&mut self.space.rows);
        let mut powers = std::mem::take(&mut self.space.powers);
        let mut words = std::mem::take(&mut self.space.packed);
        self.factors.clear();
        if self.is_all {
            rows.resize(n, 0);
            words.resize(n, 0);
            let terms = self.terms(output);
            let tops = finite(terms.powers(&mut words))?;
            let packing = self.packing(n, tops);
            let totals = vec![terms.pack_all(&packing, &mut rows, &mut words)];
            return Ok((Sample { packed: vec![words], rows, packing, totals }, tops));
        }
        powers.resize(n, 0);
        self.terms(output).powers(&mut powers);
        let stream = self.row_stream.substream("round", u64::from(round));
        let rows = self.drawn(&stream, output, &powers, rows);
        let terms = self.terms(output);
        let tops = finite(terms.tops(&rows, &powers))?;
        let packing = self.packing(rows.len(), tops);
        words.resize(rows.len(), 0);
        let totals = vec![terms.pack(&packing, &rows, &powers, &mut words)];
        self.space.powers = powers;
        Ok((Sample { packed: vec![words], rows, packing, totals }, tops))
    }

    /// The rows of a tree that does not see all.
    fn drawn(
        &mut self,
        stream: &Stream,
        output: usize,
        powers: &[i64],
        mut rows: Vec<u32>,
    ) -> Vec<u32> {
        let keys = &self.table.keys;
        match self.params.rows {
            RowSample::All => {
                rows.clear();
                rows.extend_from_slice(&self.train);
                rows
            }
            RowSample::Share(ratio) => sample::share(&self.train, keys, stream, ratio),
            RowSample::OneSided { top, other } => {
                let terms = self.terms(output);
                let size = |row: usize| {
                    let (g, h) = terms.of(row as u32, powers);
                    (g * h).abs()
                };
                let (rows, factors) =
                    sample::one_sided(&self.train, keys, size, stream, (top, other));
                self.factors.resize(self.table.n_rows(), 1.0);
                for (&row, factor) in rows.iter().zip(factors) {
                    self.factors[row as usize] = factor;
                }
                rows
            }
        }
    }

    fn packing(&self, n_rows: usize, (g_top, h_top): Tops) -> Packing {
        let is_whole = self.params.objective.is_unit()
            && !matches!(self.params.rows, RowSample::OneSided { .. })
            && self.table.weight.iter().all(|w| w.floor() == *w);
        Packing::new(n_rows, g_top, h_top, is_whole)
    }

    fn leaf_facts(
        &self,
        grown: &Grown,
        output: usize,
        (g_top, h_top): Tops,
    ) -> Result<Vec<LeafFacts>> {
        let scales = (FixedScale::for_max(g_top, TERM_BITS), FixedScale::for_max(h_top, TERM_BITS));
        let level = self.params.objective.leaf_quantile();
        let sums = if level.is_none() {
            leaves::sums(&self.terms(output), grown, scales)
        } else {
            Vec::new()
        };
        let places: Vec<usize> = (0..grown.leaves.len()).collect();
        let facts = par::map(&places, |&index| {
            let leaf = &grown.leaves[index];
            let rows = &grown.rows[leaf.rows.clone()];
            let value = match level {
                Some(level) => quantile_of(self.table, rows, level, |row| {
                    self.table.target.at(row) - self.scores[output][row]
                }),
                None => self.newton_step(sums[index], scales, leaf.is_of_set),
            };
            let value = within(value, leaf) * self.params.learning_rate;
            let weight = (!self.table.weight.is_empty()).then(|| {
                let mut sum = ExactSum::new();
                rows.iter().for_each(|&row| sum.add(self.table.weight_of(row as usize)));
                sum.round()
            });
            LeafFacts { values: vec![value], weight }
        });
        if facts.iter().all(|leaf| leaf.values[0].is_finite()) {
            return Ok(facts);
        }
        let message = "expected finite leaf values, found an overflow";
        Err(Error::new(Code::NotFinite, message)
            .remedy("scale the target or lower `learning_rate`"))
    }

    /// −T(G) / (H + λ), with more L2 strength beside a set of labels.
    fn newton_step(
        &self,
        [g, h]: [i128; 2],
        scales: (FixedScale, FixedScale),
        is_of_set: bool,
    ) -> f64 {
        let (g, h) = (scales.0.value(g), scales.1.value(h));
        let l1 = self.params.grow.l1;
        let shrunk = if g > l1 {
            g - l1
        } else if g < -l1 {
            g + l1
        } else {
            0.0
        };
        let more = if is_of_set { self.params.grow.cat_l2 } else { 0.0 };
        let h = h + (self.params.grow.l2 + more);
        if h > 0.0 { math::canonical(-shrunk / h) } else { 0.0 }
    }

    /// Adds the tree to the scores of all rows.
    fn step(&mut self, grown: &Grown, leaves: &[LeafFacts], output: usize) {
        let scores = &mut self.scores[output];
        if self.is_all {
            return leaves::add(scores, grown, leaves);
        }
        let walk = Walk::new(self.data, grown);
        let mut chunks: Vec<(usize, &mut [f64])> = scores
            .chunks_mut(CHUNK)
            .enumerate()
            .map(|(index, scores)| (index * CHUNK, scores))
            .collect();
        par::map_mut(&mut chunks, |(first, scores)| {
            for (offset, score) in scores.iter_mut().enumerate() {
                *score += leaves[walk.leaf((*first + offset) as u32)].values[0];
            }
        });
    }

    /// The loss over the validation rows, rounded once.
    fn validation_loss(&self) -> f64 {
        let objective = self.params.objective;
        let parts: Vec<&[u32]> = self.valid.chunks(CHUNK).collect();
        let sums = par::map(&parts, |rows| {
            let mut sum = ExactSum::new();
            for &row in *rows {
                let row = row as usize;
                let target = self.table.target.at(row);
                let loss = match objective {
                    Objective::Softmax { .. } => {
                        let mut shares: Vec<f64> = self.scores.iter().map(|s| s[row]).collect();
                        math::softmax(&mut shares);
                        let share = shares.get(target as usize).copied().unwrap_or(0.0);
                        -math::ln(math::max(share, 1e-300))
                    }
                    _ => objective.loss(Seen { score: self.scores[0][row], target }),
                };
                sum.add_product(self.table.weight_of(row), loss);
            }
            sum
        });
        let mut total = ExactSum::new();
        sums.iter().for_each(|sum| total.merge(sum));
        total.round()
    }
}

/// The largest terms, if they are numbers.
fn finite((g, h): Tops) -> Result<Tops> {
    if g.is_finite() && h.is_finite() {
        return Ok((g, h));
    }
    let message = "expected finite gradients, found scores beyond the range of the loss";
    Err(Error::new(Code::NotFinite, message).remedy("scale the target or lower `learning_rate`"))
}

fn within(value: f64, leaf: &GrownLeaf) -> f64 {
    leaf.bounds.map_or(value, |(low, high)| math::clamp(value, low, high))
}
