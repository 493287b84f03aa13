//! The registry of selectors. To add one: write its file, add its `mod` line and its row here.

mod select_by_coefficient;

pub use select_by_coefficient::{SelectByCoefficientParams, ThresholdRule};

crate::registry! {
    /// The params of every selector, tagged by kind.
    params SelectorParams;
    /// The finding of every selector, tagged by kind.
    fitted AnySelector;
    family "selector" as FitSelector;
    "select_by_coefficient" => select_by_coefficient: SelectByCoefficientParams => Selection,
}
