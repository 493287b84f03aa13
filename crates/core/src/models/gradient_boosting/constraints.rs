//! From names of columns to positions.

use super::GradientBoostingParams;
use crate::batch::ColumnKind;
use crate::error::{Code, Error, Result};
use crate::models::trees::sample_count;
use crate::step::FitContext;

/// The direction per column, and the sets of columns that may meet; both empty if there is none.
pub(super) fn of(
    params: &GradientBoostingParams,
    ctx: &FitContext<'_>,
) -> Result<(Vec<i8>, Vec<Vec<u32>>)> {
    let mut monotone = Vec::new();
    if params.monotone_constraints.values().any(|&sign| sign != 0) {
        monotone = vec![0; ctx.slots.len()];
        for (name, &sign) in &params.monotone_constraints {
            let feature = position(name, ctx)?;
            let kind = ctx.schema.fields()[ctx.slots[feature]].kind;
            if kind != ColumnKind::Num {
                let message = format!("expected a num column to be monotone, found {kind}");
                return Err(Error::new(Code::BadParameter, message).column(name));
            }
            monotone[feature] = sign;
        }
    }
    let set = |names: &Vec<String>| {
        names.iter().map(|name| position(name, ctx).map(|feature| feature as u32)).collect()
    };
    let sets = params.interaction_constraints.iter().map(set).collect::<Result<_>>()?;
    Ok((monotone, sets))
}

/// How many columns a share `ratio` is, of the share `of` of all; `None` for all.
pub(super) fn count(ctx: &FitContext<'_>, of: f64, ratio: f64) -> Option<u32> {
    let n = sample_count(ctx.slots.len(), of);
    (ratio < 1.0).then(|| sample_count(n, ratio) as u32)
}

fn position(name: &str, ctx: &FitContext<'_>) -> Result<usize> {
    ctx.slots.iter().position(|&slot| ctx.name(slot) == name).ok_or_else(|| {
        let message = "expected a column of the model, found none of that name";
        Error::new(Code::UnknownColumn, message).column(name)
    })
}
