//! The registry of transforms. To add one: write its file, add its `mod` line and its row here.

mod arbitrary_number_imputer;
mod binariser;
mod cast;
mod categorical_imputer;
mod columns;
mod drop_columns;
mod extract_text;
mod keep_columns;
mod levels;
mod log_transformer;
mod map_values;
mod mean_median_imputer;
mod min_max_scaler;
mod missing_indicator;
mod number_or_label;
mod one_hot_encoder;
mod ordinal_encoder;
mod random_sample_imputer;
mod rare_label_encoder;
mod relative_features;
mod relative_func;
mod rename_columns;
mod sample;
mod standard_scaler;
mod state;

pub use arbitrary_number_imputer::ArbitraryNumberImputerParams;
pub use binariser::BinariserParams;
pub use cast::{CastErrors, CastParams, CastUnit};
pub use categorical_imputer::{CategoricalImputeMethod, CategoricalImputerParams};
pub use drop_columns::DropColumnsParams;
pub use extract_text::{ExtractMethod, ExtractTextParams};
pub use keep_columns::KeepColumnsParams;
pub use levels::{LevelMap, UnseenRule};
pub use log_transformer::{LogBase, LogTransformerParams};
pub use map_values::{MapValuesParams, UnmappedRule};
pub use mean_median_imputer::{ImputeMethod, MeanMedianImputerParams};
pub use min_max_scaler::MinMaxScalerParams;
pub use missing_indicator::MissingIndicatorParams;
pub use number_or_label::NumberOrLabel;
pub use one_hot_encoder::{OneHotDrop, OneHotEncoderParams};
pub use ordinal_encoder::{OrdinalEncoderParams, OrdinalMethod};
pub use random_sample_imputer::RandomSampleImputerParams;
pub use rare_label_encoder::RareLabelEncoderParams;
pub use relative_features::{RelativeFeaturesParams, RelativeFunc};
pub use rename_columns::RenameColumnsParams;
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
    "cast" => cast: CastParams => Cast,
    "categorical_imputer" => categorical_imputer: CategoricalImputerParams => CategoricalImputer,
    "drop_columns" => drop_columns: DropColumnsParams => DropColumns,
    "extract_text" => extract_text: ExtractTextParams => ExtractText,
    "keep_columns" => keep_columns: KeepColumnsParams => KeepColumns,
    "log_transformer" => log_transformer: LogTransformerParams => LogTransformer,
    "map_values" => map_values: MapValuesParams => MapValues,
    "mean_median_imputer" => mean_median_imputer: MeanMedianImputerParams => MeanMedianImputer,
    "min_max_scaler" => min_max_scaler: MinMaxScalerParams => MinMaxScaler,
    "missing_indicator" => missing_indicator: MissingIndicatorParams => MissingIndicator,
    "one_hot_encoder" => one_hot_encoder: OneHotEncoderParams => OneHotEncoder,
    "ordinal_encoder" => ordinal_encoder: OrdinalEncoderParams => OrdinalEncoder,
    "random_sample_imputer" => random_sample_imputer: RandomSampleImputerParams
        => RandomSampleImputer,
    "rare_label_encoder" => rare_label_encoder: RareLabelEncoderParams => RareLabelEncoder,
    "relative_features" => relative_features: RelativeFeaturesParams => RelativeFeatures,
    "rename_columns" => rename_columns: RenameColumnsParams => RenameColumns,
    "standard_scaler" => standard_scaler: StandardScalerParams => StandardScaler,
}
