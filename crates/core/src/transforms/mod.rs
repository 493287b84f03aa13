//! The registry of transforms. To add one: write its file, add its `mod` line and its row here.

mod cast;
mod categorical_imputer;
mod columns;
mod drop_columns;
mod extract_text;
mod keep_columns;
mod levels;
mod map_values;
mod mean_median_imputer;
mod number_or_label;
mod one_hot_encoder;
mod ordinal_encoder;
mod rare_label_encoder;
mod rename_columns;
mod standard_scaler;

pub use cast::{CastErrors, CastParams, CastUnit};
pub use categorical_imputer::{CategoricalImputeMethod, CategoricalImputerParams};
pub use drop_columns::DropColumnsParams;
pub use extract_text::{ExtractMethod, ExtractTextParams};
pub use keep_columns::KeepColumnsParams;
pub use levels::{LevelMap, UnseenRule};
pub use map_values::{MapValuesParams, UnmappedRule};
pub use mean_median_imputer::{ImputeMethod, MeanMedianImputerParams};
pub use number_or_label::NumberOrLabel;
pub use one_hot_encoder::{OneHotDrop, OneHotEncoderParams};
pub use ordinal_encoder::{OrdinalEncoderParams, OrdinalMethod};
pub use rare_label_encoder::RareLabelEncoderParams;
pub use rename_columns::RenameColumnsParams;
pub use standard_scaler::StandardScalerParams;

crate::registry! {
    /// The params of every transform, tagged by kind.
    params TransformParams;
    /// The fitted state of every transform, tagged by kind.
    fitted AnyTransform;
    family "transform" as FitTransform;
    "cast" => cast: CastParams => Cast,
    "categorical_imputer" => categorical_imputer: CategoricalImputerParams => CategoricalImputer,
    "drop_columns" => drop_columns: DropColumnsParams => DropColumns,
    "extract_text" => extract_text: ExtractTextParams => ExtractText,
    "keep_columns" => keep_columns: KeepColumnsParams => KeepColumns,
    "map_values" => map_values: MapValuesParams => MapValues,
    "mean_median_imputer" => mean_median_imputer: MeanMedianImputerParams => MeanMedianImputer,
    "one_hot_encoder" => one_hot_encoder: OneHotEncoderParams => OneHotEncoder,
    "ordinal_encoder" => ordinal_encoder: OrdinalEncoderParams => OrdinalEncoder,
    "rare_label_encoder" => rare_label_encoder: RareLabelEncoderParams => RareLabelEncoder,
    "rename_columns" => rename_columns: RenameColumnsParams => RenameColumns,
    "standard_scaler" => standard_scaler: StandardScalerParams => StandardScaler,
}
