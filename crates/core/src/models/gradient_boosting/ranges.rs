//! Ranges of parameters that depend on each other.

use super::{GradientBoostingParams, Loss};
use crate::error::{Code, Error, Result};

impl GradientBoostingParams {
    /// The loss as a config writes it.
    pub(super) fn loss_named(&self) -> String {
        match toml::Value::try_from(self.loss) {
            Ok(loss) => format!(" with `loss` = {loss}"),
            Err(_) => String::new(),
        }
    }

    pub(super) fn validate_combinations(&self) -> Result<()> {
        let refuse = |expected: &str| Err(Error::new(Code::BadParameter, expected.to_owned()));
        if self.learning_rate <= 0.0 {
            return refuse("expected `learning_rate` above 0, found 0");
        }
        if self.n_estimators > 1_000_000 || self.num_leaves > 1 << 24 {
            let (trees, leaves) = (self.n_estimators, self.num_leaves);
            return refuse(&format!(
                "expected at most 1000000 `n_estimators` of 2^24 `num_leaves`, found {trees} of \
                 {leaves}"
            ));
        }
        let is_level = self.alpha > 0.0 && self.alpha < 1.0;
        if !(self.alpha > 0.0 && self.alpha.is_finite())
            || (self.loss == Loss::Quantile && !is_level)
        {
            let found = self.alpha;
            return refuse(&format!(
                "expected `alpha` above 0, for a quantile also below 1, found {found}"
            ));
        }
        if !(self.tweedie_variance_power > 1.0 && self.tweedie_variance_power < 2.0) {
            let found = self.tweedie_variance_power;
            return refuse(&format!(
                "expected `tweedie_variance_power` above 1 and below 2, found {found}"
            ));
        }
        if self.top_rate > 0.0 || self.other_rate > 0.0 {
            let (top, other) = (self.top_rate, self.other_rate);
            if !(top > 0.0 && other > 0.0 && top + other <= 1.0) || self.subsample < 1.0 {
                let message = format!(
                    "expected `top_rate` and `other_rate` above 0 and of at most 1 together, \
                     without `subsample`, found {top} and {other}"
                );
                return refuse(&message);
            }
        }
        if self.early_stopping_rounds > 0 && self.validation_fraction >= 1.0 {
            return refuse("expected `validation_fraction` below 1, found 1");
        }
        let mut signs = self.monotone_constraints.iter();
        if let Some((name, sign)) = signs.find(|(_, sign)| ![-1, 0, 1].contains(*sign)) {
            return refuse(&format!(
                "expected `monotone_constraints` of -1, 0 or 1, found {sign} for `{name}`"
            ));
        }
        let is_quantile = matches!(self.loss, Loss::AbsoluteError | Loss::Quantile);
        if is_quantile && !self.monotone_constraints.is_empty() {
            let found = self.monotone_constraints.len();
            return refuse(&format!(
                "expected no `monotone_constraints` for a loss of quantiles, found {found}"
            ));
        }
        Ok(())
    }
}
