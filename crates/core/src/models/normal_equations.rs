//! The normal equations of a linear model, exact up to one rounding, and their solution.
//!
//! Variables are numbered as in the matrix: 0 is the intercept, then the features from 1.

use super::linear::{self, Ranges};
use super::summary::{self, StandardErrors};
use crate::aggregate::{Gram, Rows};
use crate::error::{Code, Error, Result};
use crate::math::{self, ExactSum, GramMatrix, GramSpec};
use crate::step::FitContext;

/// A column is dependent when what the columns before it leave of its sum of squares is at most
/// this many times 2^-52 of it: 2^-46 in all, about 1.4e-14.
const DEPENDENT_EPSILONS: f64 = 64.0;

/// Sums of products of ones, features and target, each column less a centre.
pub(super) struct NormalEquations {
    n_features: usize,
    fit_intercept: bool,
    centres: Vec<f64>,
    target_centre: f64,
    /// The sum of the rows' weights, and whether they differ from 1.
    total_weight: f64,
    is_weighted: bool,
    gram: GramMatrix,
}

/// Coefficients and intercept for columns as they are.
#[derive(Debug, PartialEq)]
pub(super) struct Solution {
    pub(super) coefficients: Vec<f64>,
    pub(super) intercept: f64,
}

impl NormalEquations {
    /// One pass for the ranges, one for the products.
    ///
    /// # Errors
    /// If a feature is not complete, or a sum of squares overflows.
    pub(super) fn new(rows: &dyn Rows, ctx: &FitContext<'_>, fit_intercept: bool) -> Result<Self> {
        NormalEquations::within(&linear::ranges(rows, ctx)?, rows, ctx, fit_intercept)
    }

    /// The same with ranges that are known.
    ///
    /// # Errors
    /// If a sum of squares overflows.
    pub(super) fn within(
        ranges: &Ranges,
        rows: &dyn Rows,
        ctx: &FitContext<'_>,
        fit_intercept: bool,
    ) -> Result<Self> {
        let spec = NormalEquations::spec(ranges, fit_intercept);
        let gram = rows.aggregate(Gram::new(ctx.slots, &spec))?.finish();
        let equations = NormalEquations::of(gram, &spec, fit_intercept, ranges);
        equations.check_range(ctx)?;
        Ok(equations)
    }

    /// What the products are made of.
    pub(super) fn spec(ranges: &Ranges, fit_intercept: bool) -> GramSpec {
        let root = math::sqrt(ranges.heaviest);
        let (mut centers, mut max_abs) = (vec![0.0], vec![root]);
        for m in ranges.features.iter().chain([&ranges.target]) {
            let centre = if fit_intercept { linear::centre(m) } else { 0.0 };
            centers.push(centre);
            max_abs.push(linear::reach(m, centre) * root);
        }
        GramSpec { n_rows: ranges.target.n(), centers, max_abs, slices: 3 }
    }

    /// Of products that are known: those of all rows, or of some.
    pub(super) fn of(
        gram: GramMatrix,
        spec: &GramSpec,
        fit_intercept: bool,
        ranges: &Ranges,
    ) -> Self {
        let n_features = ranges.features.len();
        let is_weighted = ranges.heaviest != 1.0 || ranges.total_weight != ranges.target.n() as f64;
        let is_whole = gram.n == ranges.target.n();
        NormalEquations {
            n_features,
            fit_intercept,
            centres: spec.centers[1..=n_features].to_vec(),
            target_centre: spec.centers[n_features + 1],
            total_weight: if is_whole { ranges.total_weight } else { gram.hi[0] },
            is_weighted,
            gram,
        }
    }

    /// The number of features.
    pub(super) fn n_features(&self) -> usize {
        self.n_features
    }

    /// The sum of the rows' weights; their number if there are none.
    pub(super) fn total_weight(&self) -> f64 {
        self.total_weight
    }

    /// The intercept if there is one, then the features for which `chosen` says so.
    pub(super) fn variables(&self, chosen: impl Fn(usize) -> bool) -> Vec<usize> {
        let first = usize::from(!self.fit_intercept);
        (first..=self.n_features).filter(|&v| v == 0 || chosen(v - 1)).collect()
    }

    /// Those of `variables` that do not depend on the ones before them in the list.
    pub(super) fn independent(&self, variables: &[usize]) -> Vec<usize> {
        let tolerance = math::max(DEPENDENT_EPSILONS, variables.len() as f64) * f64::EPSILON;
        let mut kept: Vec<usize> = Vec::new();
        let mut factor: Vec<Vec<f64>> = Vec::new();
        for &v in variables {
            let mut row: Vec<f64> = Vec::with_capacity(kept.len() + 1);
            for (k, &u) in kept.iter().enumerate() {
                let rest = self.product(v, u).0 - math::dot(&row, &factor[k]);
                row.push(rest / factor[k][k]);
            }
            let whole = self.product(v, v).0;
            let rest = whole - math::dot(&row, &row);
            if rest > tolerance * whole {
                row.push(math::sqrt(rest));
                factor.push(row);
                kept.push(v);
            }
        }
        kept
    }

    /// The minimum of ½|y − Xb|² + ½ `l2` |b|² + Σ `slope(feature)` · b over `variables`, the
    /// others being 0; the intercept has neither penalty nor slope. `None` if the system is too
    /// near to a singular one.
    pub(super) fn solve(
        &self,
        variables: &[usize],
        l2: f64,
        slope: impl Fn(usize) -> f64,
    ) -> Option<Vec<f64>> {
        let n = variables.len();
        let (hi, lo) = self.matrix(variables, l2);
        let (mut rhs_hi, mut rhs_lo) = (Vec::with_capacity(n), Vec::with_capacity(n));
        for &v in variables {
            let push = if v > 0 { slope(v - 1) } else { 0.0 };
            let (h, l) = self.product(v, self.n_features + 1);
            let (h, l) = pair(&[h, l, -push]);
            rhs_hi.push(h);
            rhs_lo.push(l);
        }
        let found = math::solve_spd_refined(&hi, &lo, n, &rhs_hi, &rhs_lo)?;
        let mut all = vec![0.0; self.n_features + 1];
        for (&v, &x) in variables.iter().zip(&found) {
            all[v] = math::canonical(x);
        }
        Some(all)
    }

    /// The products of some variables as a pair, with `l2` on the diagonal but for the intercept.
    fn matrix(&self, variables: &[usize], l2: f64) -> (Vec<f64>, Vec<f64>) {
        let n = variables.len();
        let (mut hi, mut lo) = (Vec::with_capacity(n * n), Vec::with_capacity(n * n));
        for &v in variables {
            for &u in variables {
                let penalty = if v == u && v > 0 { l2 } else { 0.0 };
                let (h, l) = self.product(v, u);
                let (h, l) = pair(&[h, l, penalty]);
                hi.push(h);
                lo.push(l);
            }
        }
        (hi, lo)
    }

    /// Standard errors of least squares over `variables`, for a solution for centred columns.
    ///
    /// # Errors
    /// If there are no more rows than variables, or the columns cannot be told apart.
    pub(super) fn standard_errors(
        &self,
        variables: &[usize],
        solution: &[f64],
    ) -> Result<StandardErrors> {
        let (n, k) = (self.gram.n, variables.len() as u64);
        if n <= k {
            let message = format!("expected more rows than coefficients for a summary, found {n}");
            return Err(Error::new(Code::TooFewRows, message).remedy("drop columns or `summary`"));
        }
        let squares = self.squared_error(solution);
        let variance = squares / (n - k) as f64;
        let (hi, lo) = self.matrix(variables, 0.0);
        let mut errors = vec![None; self.n_features + 1];
        for (at, &v) in variables.iter().enumerate() {
            let direction: Vec<f64> = (variables.iter())
                .map(|&u| match (v, u) {
                    (0, u) if u > 0 => -self.centres[u - 1],
                    (v, u) => f64::from(u8::from(v == u)),
                })
                .collect();
            debug_assert_eq!(direction[at], 1.0, "its own part");
            let error = summary::standard_error([&hi, &lo], &direction, variance);
            errors[v] = Some(error.ok_or_else(summary::no_summary)?);
        }
        let target = self.n_features;
        let whole = self.covariance(target, target);
        let n_slopes = (k - u64::from(self.fit_intercept)) as f64;
        let share = 1.0 - squares / whole;
        let mut facts = vec![
            ("degrees of freedom".to_owned(), (n - k) as f64),
            ("residual standard deviation".to_owned(), math::sqrt(variance)),
        ];
        if whole > 0.0 {
            facts.push(("R squared".to_owned(), share));
        }
        if variance > 0.0 && n_slopes > 0.0 {
            facts.push(("F statistic".to_owned(), (whole - squares) / n_slopes / variance));
        }
        facts.retain(|(_, x)| x.is_finite());
        facts.iter_mut().for_each(|(_, x)| *x = math::canonical(*x));
        Ok(StandardErrors { errors, degrees_of_freedom: n - k, facts })
    }

    /// x'(y − Xb) of one feature, rounded once, and the sum of the sizes of its terms.
    pub(super) fn gradient(&self, feature: usize, solution: &[f64]) -> (f64, f64) {
        let (mut total, mut size) = (ExactSum::new(), ExactSum::new());
        let mut add = |(h, l): (f64, f64), factor: f64| {
            total.add_product(h, factor);
            total.add_product(l, factor);
            size.add((h * factor).abs());
        };
        add(self.product(feature + 1, self.n_features + 1), 1.0);
        for (u, &x) in solution.iter().enumerate() {
            add(self.product(feature + 1, u), -x);
        }
        (total.round(), size.round())
    }

    /// Sum of products of features `i` and `j` about their means (about 0 without intercept);
    /// `n_features` stands for the target.
    pub(super) fn covariance(&self, i: usize, j: usize) -> f64 {
        let (hi, lo) = self.product(i + 1, j + 1);
        if !self.fit_intercept {
            return hi;
        }
        let n = self.product(0, 0).0;
        let (a, b) = (self.product(0, i + 1), self.product(0, j + 1));
        let mut total = ExactSum::new();
        total.add_product(n, hi);
        total.add_product(n, lo);
        for x in [a.0, a.1] {
            for y in [b.0, b.1] {
                total.add_product(-x, y);
            }
        }
        total.round() / n
    }

    /// The intercept for centred columns that belongs to given weights: (Σ y − Σ weight · Σ x) / n.
    pub(super) fn intercept_of(&self, weights: &[f64]) -> f64 {
        if !self.fit_intercept {
            return 0.0;
        }
        let mut total = ExactSum::new();
        let (hi, lo) = self.product(0, self.n_features + 1);
        total.add(hi);
        total.add(lo);
        for (j, &weight) in weights.iter().enumerate() {
            let (hi, lo) = self.product(0, j + 1);
            total.add_product(-weight, hi);
            total.add_product(-weight, lo);
        }
        if self.is_weighted {
            return total.round() / self.product(0, 0).0;
        }
        math::mean(&total, self.gram.n)
    }

    /// Σ (y − z)² of a solution for centred columns, intercept first: a form in the products, of
    /// which nothing but the last sum is rounded (while squares of coefficients stay in range).
    pub(super) fn squared_error(&self, solution: &[f64]) -> f64 {
        let mut factors: Vec<f64> = solution.iter().map(|x| -x).collect();
        factors.push(1.0);
        let mut total = ExactSum::new();
        for (v, &a) in factors.iter().enumerate() {
            for (u, &b) in factors.iter().enumerate() {
                let (hi, lo) = self.product(v, u);
                let (product, rest) = exact_product(a, b);
                total.add_product(product, hi);
                total.add_product(product, lo);
                total.add_product(rest, hi);
            }
        }
        math::max(total.round(), 0.0)
    }

    /// A solution in terms of the columns as they are.
    pub(super) fn finish(&self, solution: Vec<f64>) -> Solution {
        let coefficients = solution[1..].to_vec();
        let intercept =
            linear::uncentred(solution[0], self.target_centre, &coefficients, &self.centres);
        Solution { coefficients, intercept }
    }

    fn product(&self, v: usize, u: usize) -> (f64, f64) {
        let at = v * self.gram.p + u;
        (self.gram.hi[at], self.gram.lo[at])
    }

    /// Refuses squares that overflow.
    ///
    /// # Errors
    /// If one does; its column is named.
    pub(super) fn check_range(&self, ctx: &FitContext<'_>) -> Result<()> {
        for v in 0..self.gram.p {
            if self.product(v, v).0.is_finite() {
                continue;
            }
            let message = "expected a finite sum of squares, found one that overflows";
            let error = Error::new(Code::NotFinite, message).remedy("scale the column");
            let slot = v.checked_sub(1).and_then(|feature| ctx.slots.get(feature));
            return Err(match slot {
                Some(&slot) => error.column(ctx.name(slot)),
                None => error,
            });
        }
        Ok(())
    }
}

/// The exact sum as a pair: rounded, and what the rounding left.
fn pair(terms: &[f64]) -> (f64, f64) {
    let mut total = ExactSum::new();
    total.add_slice(terms);
    total.round_pair()
}

/// a · b rounded, and what the rounding left (Dekker 1971); nothing is left where the halves leave
/// the range of numbers.
fn exact_product(a: f64, b: f64) -> (f64, f64) {
    const SPLIT: f64 = 134_217_729.0;
    let halves = |x: f64| {
        let high = SPLIT * x - (SPLIT * x - x);
        (high, x - high)
    };
    let product = a * b;
    let ((a1, a2), (b1, b2)) = (halves(a), halves(b));
    let rest = ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2;
    (product, if rest.is_finite() { rest } else { 0.0 })
}
