//! The three ways of the fit: two classes without absolute values, with them, several classes.

use super::{LogisticRegression, LogisticRegressionParams, Penalty};
use crate::aggregate::{ClassTotals, LogisticPass, LogisticPoint, Loss, Rows};
use crate::config::Task;
use crate::error::{Code, Error, Result};
use crate::math;
use crate::models::linear::{self, Ranges};
use crate::models::loss_fit::{self, LossFit, Strength, placed};
use crate::models::minimise::Stop;
use crate::models::multinomial::Multinomial;
use crate::models::newton::{Ended, Newton};
use crate::models::separation;
use crate::models::summary::{self, StandardErrors};
use crate::step::FitContext;

/// Fits two classes or several.
pub(super) fn fit(
    params: &LogisticRegressionParams,
    rows: &dyn Rows,
    ctx: &FitContext<'_>,
) -> Result<LogisticRegression> {
    let ranges = linear::ranges(rows, ctx)?;
    let class_weights = params.class_weights(rows, ctx, &ranges)?;
    let absolute = params.strength().l1 > 0.0;
    if params.summary && ctx.task != Task::Binary {
        let message = "expected two classes for a `summary`, found a multiclass task";
        return Err(Error::new(Code::BadParameter, message));
    }
    match *class_weights.as_slice() {
        [a, b] if ctx.task == Task::Binary && !absolute => {
            params.smooth(rows, ctx, &ranges, [a, b])
        }
        [a, b] if ctx.task == Task::Binary => params.sparse(rows, ctx, &ranges, [a, b]),
        _ => params.several(rows, ctx, &ranges, class_weights),
    }
}

impl LogisticRegressionParams {
    fn stop(&self) -> Stop {
        Stop { max_iter: self.max_iter, tolerance: self.tolerance }
    }

    fn strength(&self) -> Strength {
        let whole = 1.0 / self.c;
        match self.penalty {
            Penalty::L2 => Strength { l2: whole, l1: 0.0 },
            Penalty::None => Strength { l2: 0.0, l1: 0.0 },
            Penalty::L1 => Strength { l2: 0.0, l1: whole },
            Penalty::ElasticNet => {
                Strength { l2: (1.0 - self.l1_ratio) * whole, l1: self.l1_ratio * whole }
            }
        }
    }

    /// What a row of each class counts: one, n / (k n_class), or as a table by label says.
    fn class_weights(
        &self,
        rows: &dyn Rows,
        ctx: &FitContext<'_>,
        ranges: &Ranges,
    ) -> Result<Vec<f64>> {
        let n_classes = if ctx.task == Task::Binary { 2 } else { ctx.n_classes.max(1) as usize };
        let totals = rows.aggregate(ClassTotals::new(n_classes))?.finish();
        if let Some(empty) = totals.iter().position(|total| *total <= 0.0) {
            let message = match ctx.task {
                Task::Binary => "expected rows of two classes, found one".to_owned(),
                _ => format!("expected rows of {n_classes} classes, found none of class {empty}"),
            };
            return Err(Error::new(Code::TooFewRows, message));
        }
        if ranges.target.max().is_none_or(|most| most >= n_classes as f64) {
            let message = format!("expected targets below {n_classes}, found another");
            return Err(Error::new(Code::BadTarget, message));
        }
        let factors = self.class_weight.factors(ranges.total_weight, &totals, ctx.labels)?;
        Ok(factors.unwrap_or_else(|| vec![1.0; n_classes]))
    }

    /// The features that take part: without penalty, those that do not depend on earlier ones.
    fn chosen(&self, ranges: &Ranges, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<Vec<usize>> {
        if self.penalty != Penalty::None {
            return Ok((0..ranges.features.len()).collect());
        }
        loss_fit::independent(ranges, rows, ctx, self.fit_intercept)
    }

    /// Two classes without absolute values.
    fn smooth(
        &self,
        rows: &dyn Rows,
        ctx: &FitContext<'_>,
        ranges: &Ranges,
        class_weights: [f64; 2],
    ) -> Result<LogisticRegression> {
        let chosen = self.chosen(ranges, rows, ctx)?;
        let slots: Vec<usize> = chosen.iter().map(|&j| ctx.slots[j]).collect();
        let places = chosen.iter().map(|&j| placed(&ranges.features[j], self.fit_intercept));
        let (centres, scales): (Vec<f64>, Vec<f64>) = places.unzip();
        let strength = self.strength().l2;
        let newton = Newton {
            rows,
            slots: &slots,
            total_weight: ranges.total_weight,
            fit_intercept: self.fit_intercept,
            ridge: scales.iter().map(|s| strength * (s * s)).collect(),
        };
        let start = LogisticPoint {
            centres,
            scales,
            intercept: 0.0,
            weights: vec![0.0; chosen.len()],
            class_weights,
            heaviest: ranges.heaviest,
        };
        let ended = newton.run(start, ranges.target.n(), self.max_iter, self.tolerance)?;
        let is_separated = self.is_separated(rows, &ended, &slots)?;
        let is_unsettled = !ended.is_optimal || is_separated;
        if is_unsettled && !ctx.keeps(ended.gradient_norm) {
            return Err(match is_separated {
                true => separated(&separation::carriers(&slots, &ended.point.weights), ctx),
                false => self.no_optimum(&ended, &slots, ctx),
            });
        }
        let summary = if self.summary && !is_unsettled {
            Some(self.standard_errors(rows, &slots, &chosen, &ended.point, ctx)?)
        } else {
            None
        };
        Ok(LogisticRegression { summary, is_unsettled, ..finish(ended, &chosen, ctx)? })
    }

    /// From the second derivatives at the optimum.
    fn standard_errors(
        &self,
        rows: &dyn Rows,
        slots: &[usize],
        chosen: &[usize],
        point: &LogisticPoint,
        ctx: &FitContext<'_>,
    ) -> Result<StandardErrors> {
        let sums = rows.aggregate(LogisticPass::new(slots, point.clone(), 3))?.finish();
        let first = usize::from(!self.fit_intercept);
        let Some(hessian) = sums.hessian else { return Err(summary::no_summary()) };
        let p = hessian.p;
        let pairs = (first..p).flat_map(|v| (first..p).map(move |u| v * p + u));
        let (hi, lo): (Vec<f64>, Vec<f64>) =
            pairs.map(|at| (hessian.hi[at], hessian.lo[at])).unzip();
        let mut errors = vec![None; ctx.slots.len() + 1];
        for v in first..p {
            // The weight of a column as it is, and the intercept of columns that are not centred.
            let direction: Vec<f64> = (first..p)
                .map(|u| match (v, u) {
                    (0, 0) => 1.0,
                    (0, u) => -point.scales[u - 1] * point.centres[u - 1],
                    (v, u) if v == u => point.scales[u - 1],
                    _ => 0.0,
                })
                .collect();
            let error = summary::standard_error([&hi, &lo], &direction, 1.0);
            let at = if v == 0 { 0 } else { chosen[v - 1] + 1 };
            errors[at] = Some(error.ok_or_else(summary::no_summary)?);
        }
        let facts = vec![("log-likelihood".to_owned(), -sums.loss)];
        Ok(StandardErrors { errors, degrees_of_freedom: 0, facts })
    }

    /// Two classes with absolute values.
    fn sparse(
        &self,
        rows: &dyn Rows,
        ctx: &FitContext<'_>,
        ranges: &Ranges,
        class_weights: [f64; 2],
    ) -> Result<LogisticRegression> {
        let loss = Loss::Logistic(class_weights);
        let fit = LossFit::new(rows, ctx, ranges, self.fit_intercept, true, loss)?
            .with_penalty(self.strength());
        let found = fit.run(self.stop())?;
        let is_unsettled = fit.settle(&found, self.max_iter, self.remedy())?;
        let solution = fit.finish(&found.x)?;
        Ok(LogisticRegression {
            coefficients: solution.coefficients,
            intercept: solution.intercept,
            n_iterations: found.n_iterations,
            gradient_norm: found.gradient_norm,
            classes: Vec::new(),
            summary: None,
            is_unsettled,
        })
    }

    /// Several classes.
    fn several(
        &self,
        rows: &dyn Rows,
        ctx: &FitContext<'_>,
        ranges: &Ranges,
        class_weights: Vec<f64>,
    ) -> Result<LogisticRegression> {
        let chosen = self.chosen(ranges, rows, ctx)?;
        let strength = self.strength();
        let fit = Multinomial::new(
            rows,
            ctx,
            ranges,
            chosen,
            class_weights,
            self.fit_intercept,
            strength,
        )?;
        let found = fit.run(self.stop())?;
        let is_unsettled = !found.is_optimal;
        if is_unsettled && !ctx.keeps(found.gradient_norm) {
            let is_free = self.penalty == Penalty::None;
            let lines = if is_free { fit.finish(&found.x)? } else { Vec::new() };
            let furthest = fit.furthest(&found.x);
            if is_free && separation::tells_apart(rows, ctx.slots, &lines)? {
                return Err(separated(furthest.as_slice(), ctx));
            }
            let message = format!(
                "expected an optimum within {} steps, found a gradient norm of {:e} after {}",
                self.max_iter, found.gradient_norm, found.n_iterations
            );
            let error = Error::new(Code::NotConverged, message).remedy(self.remedy());
            return Err(match furthest {
                Some(slot) => error.column(ctx.name(slot)),
                None => error,
            });
        }
        Ok(LogisticRegression {
            coefficients: Vec::new(),
            intercept: 0.0,
            n_iterations: found.n_iterations,
            gradient_norm: found.gradient_norm,
            classes: fit.finish(&found.x)?,
            summary: None,
            is_unsettled,
        })
    }

    fn remedy(&self) -> &'static str {
        match self.penalty {
            Penalty::None => {
                "the column may separate the classes, then no finite weight is best: \
                 add a penalty or drop it"
            }
            _ => "scale the columns, lower `c`, or raise `max_iter`",
        }
    }

    /// Whether the steps followed weights that separate the classes. Where they found an optimum,
    /// it may be one that is flat because the losses vanished, which takes many steps.
    fn is_separated(&self, rows: &dyn Rows, ended: &Ended, slots: &[usize]) -> Result<bool> {
        let may_be = !ended.is_optimal || ended.n_iterations > FEW_STEPS;
        if self.penalty != Penalty::None || !may_be {
            return Ok(false);
        }
        separation::separates(rows, slots, &ended.point, &ended.last_change)
    }

    /// Names the column with the largest weight on the common scale: it is the one that runs away.
    fn no_optimum(&self, ended: &Ended, slots: &[usize], ctx: &FitContext<'_>) -> Error {
        let message = format!(
            "expected an optimum within {} steps, found a gradient norm of {:e} after {}",
            self.max_iter, ended.gradient_norm, ended.n_iterations
        );
        let error = Error::new(Code::NotConverged, message).remedy(self.remedy());
        let mut furthest: Option<(f64, usize)> = None;
        for (weight, &slot) in ended.point.weights.iter().zip(slots) {
            if furthest.is_none_or(|(size, _)| weight.abs() > size) {
                furthest = Some((weight.abs(), slot));
            }
        }
        match furthest {
            Some((_, slot)) => error.column(ctx.name(slot)),
            None => error,
        }
    }
}

/// In so many steps, each of which moves log-odds by about 1, no loss vanishes.
const FEW_STEPS: u32 = 20;
/// More columns than this are not named.
const N_NAMED_MAX: usize = 5;

/// Classes between which the columns at `slots`, perhaps with others, leave no doubt.
fn separated(slots: &[usize], ctx: &FitContext<'_>) -> Error {
    let named = slots.iter().take(N_NAMED_MAX).map(|&slot| format!("`{}`", ctx.name(slot)));
    let named = named.collect::<Vec<_>>().join(", ");
    let by = match slots.len().saturating_sub(N_NAMED_MAX) {
        0 => named,
        n => format!("{named} and {n} more"),
    };
    let message = format!(
        "expected classes that overlap, found them separated by a weighted sum of {by}: the larger \
         its weights, the better, so that no finite ones are best"
    );
    let remedy = "set `penalty` to \"l2\", and `c`, to bound the weights, or leave a column out";
    let error = Error::new(Code::NotConverged, message).remedy(remedy);
    match slots {
        [one] => error.column(ctx.name(*one)),
        _ => error,
    }
}

fn finish(ended: Ended, chosen: &[usize], ctx: &FitContext<'_>) -> Result<LogisticRegression> {
    let point = ended.point;
    let weights: Vec<f64> = point
        .weights
        .iter()
        .zip(&point.scales)
        .map(|(weight, scale)| math::canonical(weight * scale))
        .collect();
    let intercept = linear::uncentred(point.intercept, 0.0, &weights, &point.centres);
    let mut coefficients = vec![0.0; ctx.slots.len()];
    for (&j, &weight) in chosen.iter().zip(&weights) {
        coefficients[j] = weight;
    }
    linear::check_fitted(&coefficients, intercept, ctx)?;
    Ok(LogisticRegression {
        coefficients,
        intercept,
        n_iterations: ended.n_iterations,
        gradient_norm: ended.gradient_norm,
        classes: Vec::new(),
        summary: None,
        is_unsettled: false,
    })
}
