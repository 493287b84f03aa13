//! One way to write a number: what a config resolves to holds no -0.0 and no NaN.
//!
//! Both compare as if they were another number or none, and have bits of their own, so that two
//! configs that mean the same would have two fingerprints.

use serde::Serialize;
use toml::Value;

use crate::error::{Code, Error, Result};
use crate::math;

/// Refuses params that hold a number in another form than its canonical one.
///
/// # Errors
/// If one does; the parameter is named.
pub(super) fn check<T: Serialize>(params: &T) -> Result<()> {
    let value = Value::try_from(params).map_err(|e| {
        Error::new(Code::BadParameter, format!("the params cannot be written as TOML: {e}"))
    })?;
    walk("params", &value)
}

/// Looks at a value; `name` is that of the nearest parameter.
fn walk(name: &str, value: &Value) -> Result<()> {
    match value {
        Value::Float(x) if x.is_nan() || x.to_bits() != math::canonical(*x).to_bits() => {
            let expected = if x.is_nan() { "a number" } else { "0" };
            let message = format!("expected {expected} in `{name}`, found {x:?}");
            Err(Error::new(Code::BadParameter, message))
        }
        Value::Array(values) => values.iter().try_for_each(|value| walk(name, value)),
        Value::Table(table) => table.iter().try_for_each(|(name, value)| walk(name, value)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transforms::{ArbitraryNumberImputerParams, MinMaxScalerParams};

    #[test]
    fn a_number_in_another_form_is_refused_by_name() {
        let params = ArbitraryNumberImputerParams { number: -0.0, ..Default::default() };
        let error = check(&params).unwrap_err().to_string();
        assert_eq!(error, "expected 0 in `number`, found -0.0");
        let params = MinMaxScalerParams { feature_range: [-0.0, 1.0], clip: false };
        assert!(check(&params).is_err() && check(&MinMaxScalerParams::default()).is_ok());
    }
}
