//! The ranges of the parameters.

use super::{MlpParams, N_LAYERS_MAX};
use crate::error::{Code, Error, Result};

/// The most units of a hidden layer.
const N_UNITS_MAX: u32 = 65_536;
/// The most numbers of a label's vector.
const EMBEDDING_DIM_MAX: u32 = 1024;

impl MlpParams {
    pub(super) fn validate_layers(&self) -> Result<()> {
        let n_layers = self.hidden_layer_sizes.len();
        if n_layers > N_LAYERS_MAX {
            return refuse(&format!("at most {N_LAYERS_MAX} hidden layers"), n_layers as f64);
        }
        let sizes = self.hidden_layer_sizes.iter();
        if let Some(&size) = sizes.clone().find(|size| !(1..=N_UNITS_MAX).contains(size)) {
            let rule = format!("`hidden_layer_sizes` from 1 to {N_UNITS_MAX}");
            return refuse(&rule, f64::from(size));
        }
        if self.embedding_dim > EMBEDDING_DIM_MAX {
            let rule = format!("`embedding_dim` of at most {EMBEDDING_DIM_MAX}");
            return refuse(&rule, f64::from(self.embedding_dim));
        }
        Ok(())
    }

    pub(super) fn validate_rates(&self) -> Result<()> {
        for (name, count) in [("batch_size", self.batch_size), ("max_iter", self.max_iter)] {
            if count == 0 {
                return refuse(&format!("`{name}` of at least 1"), 0.0);
            }
        }
        for (name, x) in [("alpha", self.alpha), ("tol", self.tol)] {
            if !(x >= 0.0 && x.is_finite()) {
                return refuse(&format!("`{name}` of at least 0"), x);
            }
        }
        let above = [("learning_rate_init", self.learning_rate_init), ("epsilon", self.epsilon)];
        for (name, x) in above {
            if !(x > 0.0 && x.is_finite()) {
                return refuse(&format!("`{name}` above 0"), x);
            }
        }
        let shares = [
            ("momentum", self.momentum),
            ("beta_1", self.beta_1),
            ("beta_2", self.beta_2),
            ("dropout", self.dropout),
        ];
        for (name, x) in shares {
            if !(0.0..1.0).contains(&x) {
                return refuse(&format!("`{name}` of at least 0 and below 1"), x);
            }
        }
        if !(self.validation_fraction > 0.0 && self.validation_fraction < 1.0) {
            let rule = "`validation_fraction` above 0 and below 1";
            return refuse(rule, self.validation_fraction);
        }
        Ok(())
    }

    pub(super) fn validate_schedule(&self) -> Result<()> {
        if !(self.power_t >= 0.0 && self.power_t.is_finite()) {
            return refuse("`power_t` of at least 0", self.power_t);
        }
        if !(self.gamma > 0.0 && self.gamma <= 1.0) {
            return refuse("`gamma` above 0 and at most 1", self.gamma);
        }
        if self.step_size == 0 {
            return refuse("`step_size` of at least 1", 0.0);
        }
        if !(0.0..=self.learning_rate_init).contains(&self.eta_min) {
            return refuse("`eta_min` between 0 and `learning_rate_init`", self.eta_min);
        }
        if self.warmup_epochs >= self.max_iter {
            return refuse("`warmup_epochs` below `max_iter`", f64::from(self.warmup_epochs));
        }
        Ok(())
    }
}

fn refuse(rule: &str, found: f64) -> Result<()> {
    Err(Error::new(Code::BadParameter, format!("expected {rule}, found {found}")))
}
