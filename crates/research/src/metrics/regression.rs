//! Figures of a number.

use samescore_core::math::{self, ExactSum, Moments};

use super::cases::Cases;
use super::unit::Unit;

/// The mean of (y − p)².
pub fn mean_squared_error(cases: &Cases<'_>) -> f64 {
    let unit = unit(cases);
    unit.grow(unit.grow(cases.mean(&squares(cases, unit))))
}

/// The mean of |y − p|.
pub fn mean_absolute_error(cases: &Cases<'_>) -> f64 {
    let mut sum = ExactSum::new();
    for (w, y, p) in cases.rows() {
        let (high, low) = if y >= p { (y, p) } else { (p, y) };
        sum.add_product(w, high);
        sum.add_product(-w, low);
    }
    cases.mean(&sum)
}

/// 1 − Σ(y−p)² / Σ(y−ȳ)²; `None` if the target is constant.
pub fn r2(cases: &Cases<'_>) -> Option<f64> {
    let unit = unit(cases);
    let total = if cases.is_plain() {
        let mut moments = Moments::new();
        cases.truth.iter().for_each(|&y| moments.observe(unit.shrink(y)));
        moments.variance(0)? * cases.total()
    } else {
        spread(cases, unit)
    };
    (total > 0.0).then(|| 1.0 - squares(cases, unit).round() / total)
}

/// The mean of q (y − p) where y is above p, else of (1 − q) (p − y).
pub(super) fn pinball(cases: &Cases<'_>, quantile: f64) -> f64 {
    let (mut above, mut below) = (ExactSum::new(), ExactSum::new());
    for (w, y, p) in cases.rows() {
        let (sum, high, low) = if y >= p { (&mut above, y, p) } else { (&mut below, p, y) };
        sum.add_product(w, high);
        sum.add_product(-w, low);
    }
    let mut sum = ExactSum::new();
    sum.add_product(quantile, above.round());
    sum.add_product(1.0 - quantile, below.round());
    cases.mean(&sum)
}

/// The mean of |y − p| / |y|; `None` if a row that counts has target 0.
pub(super) fn mean_absolute_percentage_error(cases: &Cases<'_>) -> Option<f64> {
    let mut sum = ExactSum::new();
    for (w, y, p) in cases.rows().filter(|(w, _, _)| *w > 0.0) {
        if y == 0.0 {
            return None;
        }
        sum.add_product(w, ((y - p) / y).abs());
    }
    Some(cases.mean(&sum))
}

/// The mean of 2 (y ln(y / p) − y + p); `None` unless each y is at least 0 and each p above.
pub(super) fn poisson_deviance(cases: &Cases<'_>) -> Option<f64> {
    let mut sum = ExactSum::new();
    for (w, y, p) in cases.rows().filter(|(w, _, _)| *w > 0.0) {
        if y < 0.0 || p <= 0.0 {
            return None;
        }
        if y > 0.0 {
            sum.add_product(w, y * math::ln(y / p));
        }
        sum.add_product(-w, y);
        sum.add_product(w, p);
    }
    Some(2.0 * cases.mean(&sum))
}

/// The mean of 2 (ln(p / y) + y / p − 1); `None` unless each y and p is above 0.
pub(super) fn gamma_deviance(cases: &Cases<'_>) -> Option<f64> {
    let mut sum = ExactSum::new();
    for (w, y, p) in cases.rows().filter(|(w, _, _)| *w > 0.0) {
        if y <= 0.0 || p <= 0.0 {
            return None;
        }
        sum.add_product(w, math::ln(p / y));
        sum.add_product(w, y / p);
        sum.add(-w);
    }
    Some(2.0 * cases.mean(&sum))
}

/// For a power r between 1 and 2 the mean of 2 (y^(2−r) / ((1−r) (2−r)) − y p^(1−r) / (1−r) +
/// p^(2−r) / (2−r)), for 1 and 2 the Poisson and gamma deviance; `None` as there.
pub(super) fn tweedie_deviance(cases: &Cases<'_>, power: f64) -> Option<f64> {
    if power == 1.0 {
        return poisson_deviance(cases);
    }
    if power == 2.0 {
        return gamma_deviance(cases);
    }
    let (a, b) = (1.0 - power, 2.0 - power);
    let mut sum = ExactSum::new();
    for (w, y, p) in cases.rows().filter(|(w, _, _)| *w > 0.0) {
        if y < 0.0 || p <= 0.0 {
            return None;
        }
        if y > 0.0 {
            sum.add_product(w, math::pow(y, b) / (a * b));
        }
        sum.add_product(-w, y * math::pow(p, a) / a);
        sum.add_product(w, math::pow(p, b) / b);
    }
    Some(2.0 * cases.mean(&sum))
}

fn unit(cases: &Cases<'_>) -> Unit {
    Unit::of(cases.truth.iter().chain(cases.scores).copied())
}

/// Σ(y−p)² of values that were brought near 1.
fn squares(cases: &Cases<'_>, unit: Unit) -> ExactSum {
    let mut sum = ExactSum::new();
    for (w, y, p) in cases.rows() {
        add_square(&mut sum, w, (unit.shrink(y), unit.shrink(p)));
    }
    sum
}

/// Adds w (y − p)² without rounding.
fn add_square(sum: &mut ExactSum, w: f64, (y, p): (f64, f64)) {
    for (a, b) in [(y, y), (-2.0 * y, p), (p, p)] {
        if w == 1.0 {
            sum.add_product(a, b);
        } else {
            let (high, low) = math::two_product(a, b);
            sum.add_product(w, high);
            sum.add_product(w, low);
        }
    }
}

/// Σ w (y−ȳ)² of weighted values that were brought near 1, where ȳ is their weighted mean: taken
/// about the rounded mean, less what its rounding adds.
fn spread(cases: &Cases<'_>, unit: Unit) -> f64 {
    let mut sum = ExactSum::new();
    cases.rows().for_each(|(w, y, _)| sum.add_product(w, unit.shrink(y)));
    let mean = cases.mean(&sum);
    let (mut squares, mut off) = (ExactSum::new(), ExactSum::new());
    for (w, y, _) in cases.rows() {
        let y = unit.shrink(y);
        add_square(&mut squares, w, (y, mean));
        off.add_product(w, y);
        off.add_product(-w, mean);
    }
    let off = off.round();
    squares.add(-(off * off / cases.total()));
    squares.round()
}
