//! How far new data may be from the training data before `drift` answers no.

use serde::{Deserialize, Serialize};

use super::DataConfig;
use crate::error::{Code, Error, Result};
use crate::math;

/// The `[drift]` table: each limit is the largest value that passes. An artifact without the table
/// is judged by the defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DriftLimits {
    /// The population stability index of a column. By the usual reading above 0.1 is a
    /// shift and above 0.25 a large one.
    pub psi_max: f64,
    /// The difference between the shares of rows without a value, whichever is larger.
    pub missing_rate_change_max: f64,
    /// The share of values that are labels which training never saw.
    pub new_level_rate_max: f64,
    /// The share of numbers or times below the smallest or above the largest of training.
    pub out_of_range_rate_max: f64,
    /// Columns that are shown and not judged, such as a time that moves on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unjudged: Vec<String>,
}

impl Default for DriftLimits {
    fn default() -> Self {
        DriftLimits {
            psi_max: 0.25,
            missing_rate_change_max: 0.05,
            new_level_rate_max: 0.01,
            out_of_range_rate_max: 0.01,
            unjudged: Vec::new(),
        }
    }
}

impl DriftLimits {
    /// Refuses columns that are not declared.
    pub(super) fn check_columns(&self, data: &DataConfig) -> Result<()> {
        match self.unjudged.iter().find(|name| !data.columns.contains_key(*name)) {
            None => Ok(()),
            Some(name) => {
                let message = "expected declared columns in `unjudged` of [drift], found another";
                Err(Error::new(Code::UnknownColumn, message).column(name))
            }
        }
    }

    pub(super) fn validate(&self) -> Result<()> {
        for (name, limit) in [
            ("psi_max", self.psi_max),
            ("missing_rate_change_max", self.missing_rate_change_max),
            ("new_level_rate_max", self.new_level_rate_max),
            ("out_of_range_rate_max", self.out_of_range_rate_max),
        ] {
            let is_limit = limit.is_finite() && limit >= 0.0;
            if !is_limit || limit.to_bits() != math::canonical(limit).to_bits() {
                let message =
                    format!("expected a limit of at least 0 in `{name}`, found {limit:?}");
                return Err(Error::new(Code::BadParameter, message));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    const TEXT: &str = "[data.columns]\na = \"num\"\ny = \"num\"\n[target]\ncolumn = \"y\"\n\
                        [model]\nkind = \"linear_regression\"\n";

    #[test]
    fn limits_are_spelt_out_and_survive_toml() {
        let config = Config::from_toml(&format!("{TEXT}[drift]\npsi_max = 0.1\n")).unwrap();
        let limits = DriftLimits { psi_max: 0.1, ..DriftLimits::default() };
        assert_eq!(config.drift, Some(limits));
        let written = config.to_toml().unwrap();
        assert!(written.contains("new_level_rate_max = 0.01"), "{written}");
        assert_eq!(Config::from_toml(&written).unwrap(), config);
        assert!(!Config::from_toml(TEXT).unwrap().to_toml().unwrap().contains("drift"));
    }

    #[test]
    fn columns_that_are_not_judged_are_declared_ones() {
        let of =
            |name: &str| Config::from_toml(&format!("{TEXT}[drift]\nunjudged = [\"{name}\"]\n"));
        let config = of("a").unwrap();
        assert!(config.to_toml().unwrap().contains("unjudged = [\"a\"]"));
        assert_eq!(Config::from_toml(&config.to_toml().unwrap()).unwrap(), config);
        let refused = of("b").unwrap_err().to_string();
        assert!(refused.starts_with("column `b`: expected declared columns in `unjudged`"));
    }

    #[test]
    fn a_limit_is_a_number_from_0_on() {
        for bad in ["psi_max = -0.1", "new_level_rate_max = nan", "psi_max = -0.0", "psi = 1.0"] {
            assert!(Config::from_toml(&format!("{TEXT}[drift]\n{bad}\n")).is_err(), "{bad}");
        }
        let error = Config::from_toml(&format!("{TEXT}[drift]\npsi_max = inf\n")).unwrap_err();
        let expected = "expected a limit of at least 0 in `psi_max`, found inf";
        assert_eq!(error.to_string(), expected);
        assert!(error.span().is_some());
    }
}
