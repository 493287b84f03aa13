//! The registry of models. To add one: write its file, add its `mod` line and its row here.

mod linear;
mod linear_regression;

pub use linear_regression::LinearRegressionParams;

crate::registry! {
    /// The params of every model, tagged by kind.
    params ModelParams;
    /// The fitted state of every model, tagged by kind.
    fitted AnyModel;
    family "model" as FitModel;
    "linear_regression" => linear_regression: LinearRegressionParams => LinearRegression,
}
