//! The registry of transforms. To add one: write its file, add its `mod` line and its row here.

mod arbitrary_number_imputer;
mod binariser;
mod levels;
mod log_transformer;
mod mean_median_imputer;
mod min_max_scaler;
mod missing_indicator;
mod ordinal_encoder;
mod random_sample_imputer;
mod relative_features;
mod sample;
mod standard_scaler;
mod state;

pub use arbitrary_number_imputer::ArbitraryNumberImputerParams;
pub use binariser::BinariserParams;
pub use levels::{LevelMap, UnseenRule};
pub use log_transformer::{LogBase, LogTransformerParams};
pub use mean_median_imputer::{ImputeMethod, MeanMedianImputerParams};
pub use min_max_scaler::MinMaxScalerParams;
pub use missing_indicator::MissingIndicatorParams;
pub use ordinal_encoder::{OrdinalEncoderParams, OrdinalMethod};
pub use random_sample_imputer::RandomSampleImputerParams;
pub use relative_features::{RelativeFeaturesParams, RelativeFunc};
pub use standard_scaler::StandardScalerParams;

crate::registry! {
    /// The params of every transform, tagged by kind.
    params TransformParams;
    /// The fitted state of every transform, tagged by kind.
    fitted AnyTransform;
    family "transform" as FitTransform;
    "arbitrary_number_imputer" => arbitrary_number_imputer: ArbitraryNumberImputerParams
        => ArbitraryNumberImputer,
    "binariser" => binariser: BinariserParams => Binariser,
    "log_transformer" => log_transformer: LogTransformerParams => LogTransformer,
    "mean_median_imputer" => mean_median_imputer: MeanMedianImputerParams => MeanMedianImputer,
    "min_max_scaler" => min_max_scaler: MinMaxScalerParams => MinMaxScaler,
    "missing_indicator" => missing_indicator: MissingIndicatorParams => MissingIndicator,
    "ordinal_encoder" => ordinal_encoder: OrdinalEncoderParams => OrdinalEncoder,
    "random_sample_imputer" => random_sample_imputer: RandomSampleImputerParams
        => RandomSampleImputer,
    "relative_features" => relative_features: RelativeFeaturesParams => RelativeFeatures,
    "standard_scaler" => standard_scaler: StandardScalerParams => StandardScaler,
}
