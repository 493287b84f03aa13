//! Fits the probability of each class as the logistic function of weighted sums of the columns.
//!
//! # Method
//! The objective is that of scikit-learn 1.9.1 `LogisticRegression`: ½ Σ bⱼ² + `c` Σ loss, where a
//! row's loss is −ln(probability of its class); the intercept b₀ has no penalty. `penalty` = "l1"
//! puts Σ |bⱼ| in place of ½ Σ bⱼ², "elastic_net" `l1_ratio` Σ |bⱼ| + (1 − `l1_ratio`) / 2 · Σ bⱼ²,
//! and "none" leaves it out. `class_weight` = "balanced" multiplies the loss of a row by n / (k
//! n_class), with k classes; a table by label says what a row of each class counts. More than two
//! classes: one weighted sum per class, whose exponentials divided by their sum are the
//! probabilities (multinomial), with a penalty on the weights of every class.
//!
//! Newton's method with step halving from b = 0, on columns that are centred and scaled by powers
//! of two from 2^-500 to 2^500. Each pass adds the gradient exactly: a row's terms are rounded once
//! (with two classes and without absolute values to 2^-50 of their bound) and added without
//! rounding. The gradient norm is √(g' H⁻¹ g / n), with gradient g and second derivatives H of the
//! sum of losses and penalty and n rows (or the sum of weights): the root mean square by which one
//! more step would move the log-odds, weighted by p (1 − p). When it is at most `tolerance`, that
//! one step is taken and the fit ends. The steps converge quadratically, so the optimum is met to
//! rounding. From 65,536 rows on, two classes without absolute values start from the optimum of
//! about 16,384 rows, those with the smallest fitting keys, and keep the H of one point near the
//! optimum of all: a step then leaves at most an eighth of the gradient norm (about a hundredth as
//! a rule), else H is computed anew in each. Gradients are those of all rows, so that it is their
//! optimum. With absolute values each step minimises the model of second order with them, exactly
//! once the signs are known; n times the square of the gradient norm is then what that model says
//! the step gains at least.
//!
//! With `summary` the standard errors √(H⁻¹ⱼⱼ) are kept, with H at the optimum, and the
//! log-likelihood. From them follow z, its two-sided p-value by the normal distribution, and
//! intervals, as in statsmodels' `Logit`.
//!
//! # Shape
//! Numeric columns in. Binary: the score is the probability of class 1, from 0 to 1. Multiclass:
//! one probability per class; they sum to 1 up to rounding. At most 4096 coefficients, all classes
//! together.
//!
//! # Missing
//! Refused in the fit. At scoring a row with a missing value gets a reason instead of a score.
//!
//! # Ties and order
//! The log-odds start with b₀ and add bⱼ xⱼ in the order of the columns, each product rounded; the
//! score is 1 / (1 + e^−z) for z ≥ 0, else e^z / (1 + e^z). For several classes it is e^(z − m)
//! over their sum in the order of the classes, where m is the largest z. Without penalty a column
//! that depends on earlier ones has coefficient 0, by the rule of `linear_regression`; equal
//! columns under absolute values alone: the first has the weight. For several classes the
//! intercepts sum to 0 over the classes; so do the weights of each column without a penalty.
//!
//! # Errors
//! `c` not above 0, `tolerance` not above 0, `max_iter` of 0, `l1_ratio` outside 0 to 1, `summary`
//! with a penalty or several classes; a missing
//! or infinite value; a class without rows (or without weight); no optimum within `max_iter` steps,
//! as when a column separates the classes and there is no penalty. At scoring, an infinite value is
//! a row's reason.
//!
//! # Example
//! x = 0, 0, 0, 1, 1, 1 and y = 0, 0, 1, 0, 1, 1 with `penalty` = "none": the odds are 1/2 where x
//! = 0 and 2 where x = 1, so b₀ = −ln 2 and b₁ = 2 ln 2.

mod fit;
mod state;

use serde::{Deserialize, Serialize};

use super::ClassWeight;
use super::linear;
use super::minimise::Stop;
use super::summary::is_false;
use crate::aggregate::Rows;
use crate::config::Task;
use crate::error::{Code, Error, Result};
use crate::example::COMPLETE_COLUMNS;
use crate::step::{Example, FitContext, FitModel};

pub use state::LogisticRegression;

/// The penalty, and when to stop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogisticRegressionParams {
    /// The weight of the losses against the penalty, above 0; without effect if there is no
    /// penalty.
    pub c: f64,
    /// What large coefficients cost.
    pub penalty: Penalty,
    /// The share of absolute values in the penalty "elastic_net", 0 to 1; without effect for the
    /// others. Left out of the stored form where it is 0.5.
    #[serde(skip_serializing_if = "is_half")]
    pub l1_ratio: f64,
    /// Whether b₀ is fitted; otherwise it is 0.
    pub fit_intercept: bool,
    /// What a row of each class counts: one, n / (k n_class), or as a table by label says.
    pub class_weight: ClassWeight,
    /// The most Newton steps, at least 1.
    pub max_iter: u32,
    /// The gradient norm at which the last step is taken, above 0.
    pub tolerance: f64,
    /// Whether standard errors are kept; for two classes without a penalty only. Left out of the
    /// stored form where it is false.
    #[serde(skip_serializing_if = "is_false")]
    pub summary: bool,
}

fn is_half(ratio: &f64) -> bool {
    *ratio == 0.5
}

/// What large coefficients cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Penalty {
    /// Half the sum of their squares.
    #[default]
    L2,
    /// Nothing.
    None,
    /// The sum of their sizes.
    L1,
    /// A share of both.
    ElasticNet,
}

impl Default for LogisticRegressionParams {
    fn default() -> Self {
        LogisticRegressionParams {
            c: 1.0,
            penalty: Penalty::L2,
            l1_ratio: 0.5,
            fit_intercept: true,
            class_weight: ClassWeight::None,
            max_iter: 100,
            tolerance: 1e-10,
            summary: false,
        }
    }
}

impl FitModel for LogisticRegressionParams {
    type Fitted = LogisticRegression;

    fn validate(&self) -> Result<()> {
        linear::check_positive("c", self.c)?;
        linear::check_stop(Stop { max_iter: self.max_iter, tolerance: self.tolerance })?;
        self.class_weight.validate()?;
        if self.summary && self.penalty != Penalty::None {
            let message = "expected `penalty` = \"none\" for a `summary`, found another";
            return Err(Error::new(Code::BadParameter, message));
        }
        if (0.0..=1.0).contains(&self.l1_ratio) {
            return Ok(());
        }
        let message = format!("expected `l1_ratio` between 0 and 1, found {}", self.l1_ratio);
        Err(Error::new(Code::BadParameter, message))
    }

    fn tasks(&self) -> &'static [Task] {
        &[Task::Binary, Task::Multiclass]
    }

    fn weighs(&self) -> bool {
        true
    }

    fn class_weight(&self) -> Option<&ClassWeight> {
        Some(&self.class_weight)
    }

    fn fit(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<LogisticRegression> {
        fit::fit(self, rows, ctx)
    }

    fn examples() -> Vec<Example<Self>> {
        let weak = LogisticRegressionParams {
            c: 0.05,
            class_weight: ClassWeight::Balanced,
            ..Default::default()
        };
        let free = LogisticRegressionParams { penalty: Penalty::None, ..Default::default() };
        let net = LogisticRegressionParams {
            penalty: Penalty::ElasticNet,
            l1_ratio: 0.75,
            c: 0.1,
            ..Default::default()
        };
        let lasso = LogisticRegressionParams { penalty: Penalty::L1, ..Default::default() };
        let known = LogisticRegressionParams { summary: true, ..free.clone() };
        vec![
            Example::on(COMPLETE_COLUMNS, LogisticRegressionParams::default()),
            Example::on(COMPLETE_COLUMNS, weak),
            Example::on(&["constant", "count", "sold", "year"], free),
            Example::on(COMPLETE_COLUMNS, net),
            Example::on(&["area", "constant", "count", "sold", "year"], lasso),
            Example::on(&["constant", "count", "sold", "year"], known),
        ]
    }
}

#[cfg(test)]
mod tests;
