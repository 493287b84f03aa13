//! Groups rare labels under one label.
//!
//! # Method
//! As feature-engine 1.9.4 `RareLabelEncoder`. In a column of more than `n_categories` different
//! labels those whose share is at least `ratio_min` (feature-engine: `tol`) are kept; in other
//! columns all are. The share is rows with the label over rows with any label: as in
//! feature-engine, missing rows do not count here, but missing counts as one more label where
//! `n_categories` is compared.
//!
//! # Shape
//! Text columns in, the same columns out, in place.
//!
//! # Missing
//! Stays missing, as with feature-engine's `missing_values = "ignore"`. Impute first to make
//! missing a label that can be frequent or rare.
//!
//! # Ties and order
//! The share is one correctly rounded division, compared with `>=`. `max_n_categories` keeps the
//! labels with most rows, equally frequent ones in code-point order; feature-engine takes whichever
//! its sort brings up first.
//!
//! # Errors
//! None. A label that the fit did not see becomes `replace_with`, also in a column where nothing
//! was grouped.
//!
//! # Example
//! a, a, a, b with `ratio_min = 0.5`, `n_categories = 1` becomes a, a, a, Rare: shares 3/4 and 1/4.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::aggregate::{Counts, LevelCounts, Rows};
use crate::batch::{Batch, Column, ColumnKind, Schema};
use crate::error::{Code, Error, Result};
use crate::step::{Example, FitContext, FitTransform, Transform, check_width};

/// Which labels are frequent, and what the others become.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RareLabelEncoderParams {
    /// The smallest share of a frequent label, 0 to 1.
    pub ratio_min: f64,
    /// Columns with at most this many different labels are left as they are.
    pub n_categories: u32,
    /// At most this many labels are frequent, at least 1; no limit if left out.
    pub max_n_categories: Option<u32>,
    /// What rare and unseen labels become.
    pub replace_with: String,
}

impl Default for RareLabelEncoderParams {
    fn default() -> Self {
        RareLabelEncoderParams {
            ratio_min: 0.05,
            n_categories: 10,
            max_n_categories: None,
            replace_with: "Rare".to_owned(),
        }
    }
}

impl FitTransform for RareLabelEncoderParams {
    type Fitted = RareLabelEncoder;

    fn validate(&self) -> Result<()> {
        if !(0.0..=1.0).contains(&self.ratio_min) {
            return Err(Error::new(
                Code::BadParameter,
                format!("expected `ratio_min` from 0 to 1, found {}", self.ratio_min),
            ));
        }
        if self.max_n_categories == Some(0) {
            return Err(Error::new(
                Code::BadParameter,
                "expected `max_n_categories` of at least 1, found 0",
            ));
        }
        Ok(())
    }

    fn accepts(&self) -> &'static [ColumnKind] {
        &[ColumnKind::Text]
    }

    fn fit(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<RareLabelEncoder> {
        let counts = rows.aggregate(LevelCounts::new(ctx.slots))?.finish();
        Ok(RareLabelEncoder {
            frequent: counts.into_iter().map(|c| self.frequent(c)).collect(),
            replace_with: self.replace_with.clone(),
        })
    }

    fn made(&self, fitted: &RareLabelEncoder, _: &[String]) -> bool {
        fitted.replace_with == self.replace_with
    }

    fn examples() -> Vec<Example<Self>> {
        let capped = RareLabelEncoderParams {
            ratio_min: 0.01,
            n_categories: 1,
            max_n_categories: Some(2),
            replace_with: "other".to_owned(),
        };
        vec![
            Example::on(&["name", "sex"], RareLabelEncoderParams::default()),
            Example::on(&["deck", "grade"], capped),
        ]
    }
}

impl RareLabelEncoderParams {
    /// The labels of one column that are not grouped.
    fn frequent(&self, counts: Counts) -> BTreeSet<String> {
        let n_different = counts.levels.len() as u64 + u64::from(counts.n_missing > 0);
        if n_different <= u64::from(self.n_categories) {
            return counts.levels.into_keys().collect();
        }
        let n_labelled = counts.levels.values().sum::<u64>() as f64;
        let mut frequent: Vec<(String, u64)> = counts.levels.into_iter().collect();
        frequent.retain(|(_, n)| *n as f64 / n_labelled >= self.ratio_min);
        frequent.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        if let Some(n_max) = self.max_n_categories {
            frequent.truncate(n_max as usize);
        }
        frequent.into_iter().map(|(level, _)| level).collect()
    }
}

/// The frequent labels of each column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RareLabelEncoder {
    frequent: Vec<BTreeSet<String>>,
    replace_with: String,
}

impl Transform for RareLabelEncoder {
    fn output(&self, input: &Schema, slots: &[usize]) -> Result<Schema> {
        check_width(self.frequent.len(), slots.len())?;
        Ok(input.clone())
    }

    fn apply(&self, batch: &mut Batch, slots: &[usize]) -> Result<()> {
        for (&slot, frequent) in slots.iter().zip(&self.frequent) {
            let mut output = batch.take_text();
            let text = batch.text(slot);
            text.relabel_into(&mut output, None, |level| {
                if frequent.contains(level) { Some(level) } else { Some(&self.replace_with) }
            });
            batch.replace(slot, Column::Text(output));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{apply, fit, table, texts};

    fn params(ratio_min: f64, n_categories: u32) -> RareLabelEncoderParams {
        RareLabelEncoderParams { ratio_min, n_categories, ..Default::default() }
    }

    fn frequent(params: &RareLabelEncoderParams, values: &[&str]) -> Vec<String> {
        let t = table(&[("x", texts(values))]);
        let mut fitted = fit(params, &t, &["x"]).unwrap();
        fitted.frequent.remove(0).into_iter().collect()
    }

    #[test]
    fn a_share_at_the_boundary_is_frequent() {
        // Shares a 3/5, b 1/5, c 1/5: 1/5 and 0.2 are the same double.
        let values = ["a", "b", "a", "c", "a"];
        assert_eq!(frequent(&params(0.2, 1), &values), ["a", "b", "c"]);
        assert_eq!(frequent(&params(0.21, 1), &values), ["a"]);
    }

    #[test]
    fn a_column_of_few_labels_is_left_and_unseen_labels_are_still_rare() {
        let values = ["a", "a", "a", "b"];
        assert_eq!(frequent(&params(0.5, 2), &values), ["a", "b"]);
        assert_eq!(frequent(&params(0.5, 1), &values), ["a"]);
        let train = table(&[("x", texts(&values))]);
        let other = table(&[("x", texts(&["b", "z", ""]))]);
        let batch = apply(&fit(&params(0.5, 2), &train, &["x"]).unwrap(), &other, &["x"]);
        let got: Vec<_> = (0..3).map(|row| batch.text(0).get(row)).collect();
        assert_eq!(got, [Some("b"), Some("Rare"), None]);
    }

    #[test]
    fn missing_is_no_row_of_the_share_but_one_of_the_labels() {
        // b has 1 of 4 labelled rows (0.25), 1 of 5 rows (0.2). a, b and missing: three labels.
        let values = ["a", "a", "a", "b", ""];
        assert_eq!(frequent(&params(0.25, 1), &values), ["a", "b"]);
        assert_eq!(frequent(&params(0.5, 2), &values), ["a"]);
        assert_eq!(frequent(&params(0.5, 3), &values), ["a", "b"]);
    }

    #[test]
    fn the_cap_keeps_the_most_frequent_and_ties_go_by_code_point() {
        // c three times, b and a once each: one place is left and a takes it.
        let capped = RareLabelEncoderParams { max_n_categories: Some(2), ..params(0.0, 1) };
        assert_eq!(frequent(&capped, &["c", "b", "c", "a", "c"]), ["a", "c"]);
    }

    #[test]
    fn a_column_without_labels_fits() {
        assert!(frequent(&params(0.5, 0), &["", ""]).is_empty());
    }

    #[test]
    fn parameters_out_of_range_are_refused() {
        for ratio_min in [-0.1, 1.5, f64::NAN] {
            assert!(params(ratio_min, 1).validate().is_err(), "{ratio_min}");
        }
        let none = RareLabelEncoderParams { max_n_categories: Some(0), ..Default::default() };
        assert!(none.validate().is_err());
    }
}
