//! Groups rows around centres, and scores a row by the number of its nearest one.
//!
//! # Method
//! Lloyd's algorithm as in scikit-learn 1.9.1 `KMeans`: the first centres are drawn by plain
//! k-means++ (a row with probability in proportion to its squared distance to the nearest centre so
//! far, times its weight); then each centre moves to the mean of the rows nearest to it, until none
//! moves: there is no tolerance. Sums over rows are exact, a mean is one rounded sum over another.
//! That is done `n_init` times, once where it is not said, with draws of its own each time, and the
//! centres with the lowest inertia are kept.
//!
//! # Shape
//! Numeric columns in; the score is the number of the nearest centre, from 0, in the order in which
//! the centres were drawn. The margin is the distance to it. The target is ignored, but as a part
//! of a row's fitting key it takes part in the draws. Regression only, because a score is a number;
//! leave the target's `transform` out, since it would be undone. Columns on larger scales weigh
//! more: put a scaler before. Weights of rows are honoured.
//!
//! # Missing
//! Refused in the fit. At scoring a row with a missing value gets a reason instead of a score.
//!
//! # Ties and order
//! Squared differences are added in the order of the columns. Of centres at one distance the lower
//! one is nearer. A centre without rows stays where it is. The draws belong to rows.
//!
//! # Errors
//! `n_clusters` outside 1 to 10,000, `n_init` outside 1 to 1,000; fewer distinct rows with a weight
//! than that; a missing or infinite value; distances that overflow. Centres that still move after
//! `max_iter` passes are a warning. At scoring, an infinite value or distance is a row's reason.
//!
//! # Example
//! Rows at 0, 1, 10 and 12 with two centres end at 0.5 and 11: the inertia is 0.5 + 2.

use serde::{Deserialize, Serialize};

use super::{linear, ranges};
use crate::aggregate::{CentreRace, ClusterSums, Rows, nearest};
use crate::batch::{Batch, Column, Schema};
use crate::config::Task;
use crate::error::{Code, Error, Result};
use crate::example::COMPLETE_COLUMNS;
use crate::math;
use crate::step::{Example, FitContext, FitModel, Output, Predict};

const N_CLUSTERS_MAX: u32 = 10_000;
const N_INIT_MAX: u32 = 1_000;

/// How many centres, and how long they move.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KMeansParams {
    /// How many centres, from 1 to 10,000.
    pub n_clusters: u32,
    /// The most passes, at least 1.
    pub max_iter: u32,
    /// How many starts, of which the best is kept, from 1 to 1,000. Left out of the stored form
    /// where it is 1.
    #[serde(skip_serializing_if = "is_one")]
    pub n_init: u32,
}

fn is_one(n: &u32) -> bool {
    *n == 1
}

impl Default for KMeansParams {
    fn default() -> Self {
        KMeansParams { n_clusters: 8, max_iter: 300, n_init: 1 }
    }
}

impl FitModel for KMeansParams {
    type Fitted = KMeans;

    const DRAWS: bool = true;

    fn validate(&self) -> Result<()> {
        ranges::between("n_clusters", self.n_clusters, 1, N_CLUSTERS_MAX)?;
        ranges::between("n_init", self.n_init, 1, N_INIT_MAX)?;
        ranges::between("max_iter", self.max_iter, 1, u32::MAX)
    }

    fn tasks(&self) -> &'static [Task] {
        &[Task::Regression]
    }

    fn weighs(&self) -> bool {
        true
    }

    fn fit(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<KMeans> {
        linear::ranges(rows, ctx)?;
        let mut best = self.run(rows, ctx, 0)?;
        for start in 1..self.n_init {
            let other = self.run(rows, ctx, start)?;
            if other.inertia < best.inertia {
                best = other;
            }
        }
        Ok(best)
    }

    fn examples() -> Vec<Example<Self>> {
        let few = KMeansParams { n_clusters: 3, ..Default::default() };
        let short = KMeansParams { n_clusters: 5, max_iter: 2, ..Default::default() };
        vec![Example::on(COMPLETE_COLUMNS, few), Example::on(&["area", "rooms"], short)]
    }
}

impl KMeansParams {
    /// From the centres of one start until none moves.
    fn run(&self, rows: &dyn Rows, ctx: &FitContext<'_>, start: u32) -> Result<KMeans> {
        let mut centres = self.first_centres(rows, ctx, start)?;
        let (mut n_iter, mut has_settled) = (0, false);
        let mut inertia = 0.0;
        while n_iter < self.max_iter && !has_settled {
            let (moved, total) = rows.aggregate(ClusterSums::new(ctx.slots, &centres))?.finish();
            if !total.is_finite() || !moved.iter().all(|x| x.is_finite()) {
                let message = "expected finite squared distances, found an overflow";
                return Err(Error::new(Code::NotFinite, message).remedy("scale the columns"));
            }
            has_settled = moved == centres;
            (centres, inertia) = (moved, total);
            n_iter += 1;
            let most = u64::from(self.max_iter);
            ctx.progress.at(u64::from(start) * most + u64::from(n_iter), self.n_passes_max());
        }
        if !has_settled {
            inertia = rows.aggregate(ClusterSums::new(ctx.slots, &centres))?.finish().1;
        }
        Ok(KMeans { centres, n_clusters: self.n_clusters, inertia, n_iter, has_settled })
    }

    fn n_passes_max(&self) -> u64 {
        u64::from(self.max_iter) * u64::from(self.n_init)
    }

    fn first_centres(&self, rows: &dyn Rows, ctx: &FitContext<'_>, start: u32) -> Result<Vec<f64>> {
        let stream = match start {
            0 => ctx.stream("", "centres"),
            start => ctx.stream("", "centres").substream("start", u64::from(start)),
        };
        let mut centres = Vec::new();
        for index in 0..self.n_clusters {
            let own = stream.substream("centre", u64::from(index));
            let race = rows.aggregate(CentreRace::new(ctx.slots, &centres, own))?;
            let Some(point) = race.finish() else {
                let message = format!(
                    "expected at least {} distinct rows with a weight, found {index}",
                    self.n_clusters
                );
                return Err(Error::new(Code::TooFewRows, message).remedy("lower `n_clusters`"));
            };
            centres.extend(point);
        }
        Ok(centres)
    }
}

/// The centres one after the other, and how the fit ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KMeans {
    centres: Vec<f64>,
    n_clusters: u32,
    inertia: f64,
    n_iter: u32,
    has_settled: bool,
}

impl KMeans {
    /// Writes of every row what `value` makes of its nearest centre and the distance.
    fn write(
        &self,
        batch: &mut Batch,
        slots: &[usize],
        values: &mut [f64],
        value: impl Fn(usize, f64) -> f64,
    ) {
        let mut point = batch.take_num();
        for (row, place) in values.iter_mut().enumerate() {
            point.clear();
            point.extend(slots.iter().map(|&slot| batch.num(slot)[row]));
            let (index, square) = nearest(&self.centres, &point);
            *place = value(index, math::sqrt(square));
            if !square.is_finite() {
                linear::fault(batch, slots, row);
            }
        }
        batch.give(Column::Num(point));
    }
}

impl Predict for KMeans {
    fn check(&self, features: &Schema) -> Result<()> {
        let n_clusters = self.n_clusters as usize;
        let is_sound = n_clusters > 0
            && Some(self.centres.len()) == n_clusters.checked_mul(features.len())
            && self.centres.iter().chain([&self.inertia]).all(|x| x.is_finite());
        if is_sound {
            return Ok(());
        }
        let message = "expected a finite centre per cluster, found another state";
        Err(Error::new(Code::Malformed, message))
    }

    fn predict(&self, batch: &mut Batch, slots: &[usize], scores: &mut [f64]) -> Result<()> {
        self.write(batch, slots, scores, |index, _| index as f64);
        Ok(())
    }

    fn outputs(&self, output: Output, _: &Schema) -> Option<Vec<String>> {
        (output == Output::Margin).then(|| vec!["distance".to_owned()])
    }

    fn output(
        &self,
        output: Output,
        batch: &mut Batch,
        slots: &[usize],
        values: &mut [f64],
    ) -> Result<()> {
        if output != Output::Margin {
            let message = format!("expected the margin, found {output:?}");
            return Err(Error::new(Code::Usage, message));
        }
        self.write(batch, slots, values, |_, distance| distance);
        Ok(())
    }

    fn facts(&self) -> Vec<(String, f64)> {
        vec![("inertia".to_owned(), self.inertia), ("passes".to_owned(), f64::from(self.n_iter))]
    }

    fn centres(&self) -> Vec<&[f64]> {
        // A sound state has at least one cluster.
        let n_columns = self.centres.len() / Ord::max(self.n_clusters as usize, 1);
        if n_columns == 0 { Vec::new() } else { self.centres.chunks(n_columns).collect() }
    }

    fn warnings(&self) -> Vec<String> {
        if self.has_settled {
            return Vec::new();
        }
        let n = self.n_iter;
        vec![format!("the centres still moved after {n} passes (raise `max_iter`)")]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::tests::{bytes, features, fit_model, refused, regression};

    fn params(n_clusters: u32) -> KMeansParams {
        KMeansParams { n_clusters, ..Default::default() }
    }

    #[test]
    fn two_groups_by_hand() {
        let t = regression(&[&[0.0, 1.0, 10.0, 12.0]], &[0.0; 4]);
        let model = fit_model(&params(2), &t).unwrap();
        let mut sorted = model.centres.clone();
        sorted.sort_by(|a, b| math::total_cmp(*a, *b));
        assert_eq!((sorted, model.inertia), (vec![0.5, 11.0], 2.5));
        assert!(model.has_settled && model.warnings().is_empty());
        let (mut ids, mut distances) = ([0.0; 4], [0.0; 4]);
        model.predict(&mut t.clone(), &[0], &mut ids).unwrap();
        assert_eq!((ids[0], ids[2]), (ids[1], ids[3]));
        assert_eq!(model.centres[ids[2] as usize], 11.0);
        model.output(Output::Margin, &mut t.clone(), &[0], &mut distances).unwrap();
        assert_eq!(distances, [0.5, 0.5, 1.0, 1.0]);
    }

    #[test]
    fn the_example_of_the_scikit_learn_manual() {
        let (x, z) = ([1.0, 1.0, 1.0, 10.0, 10.0, 10.0], [2.0, 4.0, 0.0, 2.0, 4.0, 0.0]);
        let model = fit_model(&params(2), &regression(&[&x, &z], &[0.0; 6])).unwrap();
        let mut centres: Vec<&[f64]> = model.centres.chunks(2).collect();
        centres.sort_by(|a, b| math::total_cmp(a[0], b[0]));
        assert_eq!(centres, [[1.0, 2.0], [10.0, 2.0]]);
        assert_eq!(model.inertia, 16.0);
    }

    #[test]
    fn the_best_of_several_starts_is_kept() {
        // Rows on an even line have many partitions that no centre wants to leave.
        let x: Vec<f64> = (0..41).map(f64::from).collect();
        let t = regression(&[&x], &x);
        let starts = |n_init| KMeansParams { n_clusters: 5, n_init, ..Default::default() };
        let each: Vec<f64> = (0..20)
            .map(|start| {
                let schema = std::sync::Arc::clone(t.schema());
                let rows = crate::aggregate::MemoryRows::from_batch(t.clone());
                let ctx =
                    FitContext::new("model", crate::rng::Seed(7), Task::Regression, &schema, &[0]);
                starts(20).run(&rows, &ctx, start).unwrap().inertia
            })
            .collect();
        let lowest = each.iter().copied().fold(f64::INFINITY, math::min);
        assert!(each.iter().any(|inertia| *inertia > lowest), "{each:?}");
        for n in [1, 2, 5, 20] {
            let best = each[..n].iter().copied().fold(f64::INFINITY, math::min);
            assert_eq!(fit_model(&starts(n as u32), &t).unwrap().inertia, best, "{n}");
        }
        let best = fit_model(&starts(20), &t).unwrap();
        assert_eq!((best.inertia, best.centres().len()), (lowest, 5));
        // The first of equals: as if later starts had not been.
        let first = each.iter().position(|inertia| *inertia == lowest).unwrap() as u32;
        assert_eq!(fit_model(&starts(first + 1), &t).unwrap(), best);
        let none = KMeansParams { n_init: 0, ..Default::default() };
        assert!(none.validate().is_err());
    }

    #[test]
    fn one_start_is_stored_as_ever() {
        let holds = |params: &KMeansParams| bytes(params).windows(6).any(|part| part == b"n_init");
        let several = KMeansParams { n_init: 2, ..Default::default() };
        assert!(!holds(&KMeansParams::default()) && holds(&several));
    }

    #[test]
    fn weights_move_centres() {
        let mut t = regression(&[&[0.0, 1.0, 10.0, 12.0]], &[0.0; 4]);
        t.set_weights(vec![1.0, 3.0, 1.0, 0.0]);
        let mut centres = fit_model(&params(2), &t).unwrap().centres;
        centres.sort_by(|a, b| math::total_cmp(*a, *b));
        assert_eq!(centres, [0.75, 10.0]);
    }

    #[test]
    fn a_cap_is_a_warning_and_too_few_rows_an_error() {
        let t = regression(&[&[0.0, 1.0, 10.0, 12.0, 5.0, 7.0]], &[0.0; 6]);
        let short = KMeansParams { n_clusters: 2, max_iter: 1, ..Default::default() };
        assert_eq!(
            fit_model(&short, &t).unwrap().warnings(),
            ["the centres still moved after 1 passes (raise `max_iter`)"]
        );
        let same = regression(&[&[1.0, 1.0, 2.0]], &[0.0; 3]);
        assert_eq!(
            refused(&params(3), &same),
            "expected at least 3 distinct rows with a weight, found 2 (lower `n_clusters`)"
        );
    }

    #[test]
    fn a_damaged_state_is_refused() {
        let t = regression(&[&[0.0, 1.0, 10.0, 12.0]], &[0.0; 4]);
        let model = fit_model(&params(2), &t).unwrap();
        assert!(model.check(&features(1)).is_ok() && model.check(&features(2)).is_err());
        let none = KMeans { n_clusters: 0, centres: Vec::new(), ..model.clone() };
        let odd = KMeans { centres: vec![f64::NAN, 0.0], ..model };
        assert!(none.check(&features(1)).is_err() && odd.check(&features(1)).is_err());
    }
}
