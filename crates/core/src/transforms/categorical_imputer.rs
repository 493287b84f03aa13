//! Fills missing labels with a given label or with the most frequent one of their column.
//!
//! # Method
//! As feature-engine 1.9.4 `CategoricalImputer`.
//!
//! # Shape
//! Text columns in, the same columns out, in place.
//!
//! # Missing
//! Filled. An empty label is a label and stays.
//!
//! # Ties and order
//! `frequent`: of equally frequent labels the first in code-point order. feature-engine refuses
//! such a column; a rule that looks at the labels alone is as reproducible and does not stop a fit.
//!
//! # Errors
//! `frequent` cannot be fitted on a column without a label. `missing` learns nothing and always
//! fits.
//!
//! # Example
//! `method = "frequent"` on b, a, b and a missing one fills b; `method = "missing"` fills
//! `Missing`.

use serde::{Deserialize, Serialize};

use crate::aggregate::{Counts, LevelCounts, Rows};
use crate::batch::{Batch, Column, ColumnKind, MISSING_CODE, Schema};
use crate::error::{Code, Error, Result};
use crate::step::{Example, FitContext, FitTransform, Transform, check_width};

/// What to fill with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CategoricalImputerParams {
    /// Where the label comes from.
    pub method: CategoricalImputeMethod,
    /// The label that `missing` fills.
    pub fill_value: String,
}

/// Where the label comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CategoricalImputeMethod {
    /// `fill_value`, which makes missing a label of its own.
    #[default]
    Missing,
    /// The most frequent training label.
    Frequent,
}

impl Default for CategoricalImputerParams {
    fn default() -> Self {
        CategoricalImputerParams {
            method: CategoricalImputeMethod::Missing,
            fill_value: "Missing".to_owned(),
        }
    }
}

impl FitTransform for CategoricalImputerParams {
    type Fitted = CategoricalImputer;

    fn accepts(&self) -> &'static [ColumnKind] {
        &[ColumnKind::Text]
    }

    fn fit(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<CategoricalImputer> {
        let fill = match self.method {
            CategoricalImputeMethod::Missing => vec![self.fill_value.clone(); ctx.slots.len()],
            CategoricalImputeMethod::Frequent => {
                let counts = rows.aggregate(LevelCounts::new(ctx.slots))?.finish();
                let columns = ctx.slots.iter().zip(&counts);
                columns
                    .map(|(&slot, c)| most_frequent(c).map_err(|e| e.column(ctx.name(slot))))
                    .collect::<Result<_>>()?
            }
        };
        Ok(CategoricalImputer { fill })
    }

    fn made(&self, fitted: &CategoricalImputer, _: &[String]) -> bool {
        let is_given = self.method == CategoricalImputeMethod::Missing;
        !is_given || fitted.fill.iter().all(|fill| *fill == self.fill_value)
    }

    fn examples() -> Vec<Example<Self>> {
        let frequent = CategoricalImputerParams {
            method: CategoricalImputeMethod::Frequent,
            ..Default::default()
        };
        vec![
            Example::on(&["deck", "sex"], CategoricalImputerParams::default()),
            Example::on(&["deck", "grade"], frequent),
        ]
    }
}

/// The label with most rows, the first in code-point order among equals.
fn most_frequent(counts: &Counts) -> Result<String> {
    let mut best: Option<(&String, u64)> = None;
    for (level, &n) in &counts.levels {
        if best.is_none_or(|(_, n_best)| n > n_best) {
            best = Some((level, n));
        }
    }
    match best {
        Some((level, _)) => Ok(level.clone()),
        None => Err(Error::new(Code::TooFewRows, "expected a label to learn from, found none")
            .remedy("drop the column, or fill it with `method = \"missing\"`")),
    }
}

/// The fill label of each column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategoricalImputer {
    fill: Vec<String>,
}

impl Transform for CategoricalImputer {
    fn output(&self, input: &Schema, slots: &[usize]) -> Result<Schema> {
        check_width(self.fill.len(), slots.len())?;
        Ok(input.clone())
    }

    fn apply(&self, batch: &mut Batch, slots: &[usize]) -> Result<()> {
        for (&slot, fill) in slots.iter().zip(&self.fill) {
            if !batch.text(slot).codes().contains(&MISSING_CODE) {
                continue;
            }
            let mut output = batch.take_text();
            let text = batch.text(slot);
            text.relabel_into(&mut output, Some(fill), Some);
            batch.replace(slot, Column::Text(output));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{apply, fit, table, texts};

    fn frequent() -> CategoricalImputerParams {
        CategoricalImputerParams { method: CategoricalImputeMethod::Frequent, ..Default::default() }
    }

    fn filled(params: &CategoricalImputerParams, values: &[&str]) -> Vec<String> {
        let t = table(&[("x", texts(values))]);
        let fitted = fit(params, &t, &["x"]).unwrap();
        let batch = apply(&fitted, &t, &["x"]);
        (0..batch.n_rows())
            .map(|row| batch.text(0).get(row).unwrap_or_default().to_owned())
            .collect()
    }

    #[test]
    fn the_given_label_becomes_a_label_of_its_own() {
        let params = CategoricalImputerParams::default();
        assert_eq!(filled(&params, &["b", "", "a"]), ["b", "Missing", "a"]);
    }

    #[test]
    fn the_most_frequent_label_fills() {
        // b twice, a once.
        assert_eq!(filled(&frequent(), &["b", "a", "b", ""])[3], "b");
    }

    #[test]
    fn equally_frequent_labels_go_by_code_point() {
        // Two of each; "Z" (U+005A) comes before "a" (U+0061), whatever the order of the rows.
        assert_eq!(filled(&frequent(), &["a", "Z", "a", "Z", ""])[4], "Z");
        assert_eq!(filled(&frequent(), &["Z", "a", "Z", "a", ""])[4], "Z");
    }

    #[test]
    fn a_column_without_labels_is_named() {
        let t = table(&[("x", texts(&["", ""]))]);
        assert_eq!(
            fit(&frequent(), &t, &["x"]).unwrap_err().to_string(),
            "column `x`: expected a label to learn from, found none \
             (drop the column, or fill it with `method = \"missing\"`)"
        );
        let fixed = fit(&CategoricalImputerParams::default(), &t, &["x"]).unwrap();
        assert_eq!(apply(&fixed, &t, &["x"]).text(0).get(1), Some("Missing"));
    }
}
