//! The list that registers the kinds of a room, and a kind as the catalogue shows it.

use super::Parameter;

/// One row of the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct KindInfo {
    /// The tag: what a config writes as `kind`, and what an artifact holds.
    pub tag: &'static str,
    /// `transform`, `selector` or `model`.
    pub family: &'static str,
    /// The source text of the kind's file, whose module docs are its manual.
    pub source: &'static str,
    /// Whether it draws random numbers.
    pub draws: bool,
    /// Its parameters with the docs of a source text.
    #[doc(hidden)]
    pub read_parameters: fn(&str) -> Vec<Parameter>,
}

impl KindInfo {
    /// The kind's manual: the module docs of its file.
    pub fn manual(&self) -> String {
        let docs = self.source.lines().take_while(|line| line.starts_with("//!"));
        docs.map(|line| line.trim_start_matches("//!").trim_start_matches(' '))
            .fold(String::new(), |text, line| text + line + "\n")
    }

    /// The parameters in the order of their fields.
    pub fn parameters(&self) -> Vec<Parameter> {
        (self.read_parameters)(self.source)
    }

    /// The first sentence of the manual, without its full stop.
    pub fn summary(&self) -> String {
        let manual = self.manual();
        let paragraph = manual.split("\n\n").next().unwrap_or_default().replace('\n', " ");
        let end = paragraph.find(". ").unwrap_or(paragraph.trim_end().len());
        paragraph[..end].trim_end_matches('.').to_owned()
    }
}

/// Makes the closed enums of a room from one list. Each row is
/// `"tag" => module: Params => Fitted` and is all that a new kind adds outside its own file
/// (besides its `mod` line).
#[macro_export]
macro_rules! registry {
    (
        $(#[$params_doc:meta])* params $params:ident;
        $(#[$fitted_doc:meta])* fitted $fitted:ident;
        family $family:literal as $family_trait:ident;
        $($tag:literal => $module:ident: $P:ident => $F:ident,)+
    ) => {
        $(#[$params_doc])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        pub enum $params {
            $(#[doc = $tag] #[serde(rename = $tag)] $P($module::$P),)+
        }

        $(#[$fitted_doc])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        pub enum $fitted {
            $(#[doc = $tag] #[serde(rename = $tag)] $P($crate::registry!(@fitted $module $F)),)+
        }

        impl $params {
            /// Every kind of this room, in the order of the registry.
            pub const KINDS: &'static [$crate::step::KindInfo] = &[
                $($crate::step::KindInfo {
                    tag: $tag,
                    family: $family,
                    source: include_str!(concat!(stringify!($module), ".rs")),
                    draws: <$module::$P as $crate::step::$family_trait>::DRAWS,
                    read_parameters: $crate::step::parameters::<$module::$P>,
                },)+
            ];

            /// The tag.
            pub fn kind(&self) -> &'static str {
                match self { $($params::$P(_) => $tag,)+ }
            }

            /// Reads the params of kind `kind`; `None` if there is no such kind.
            pub fn read<'de, D: serde::Deserializer<'de>>(
                kind: &str,
                from: D,
            ) -> Option<std::result::Result<Self, D::Error>> {
                match kind {
                    $($tag => Some(
                        <$module::$P as serde::Deserialize>::deserialize(from).map($params::$P)
                    ),)+
                    _ => None,
                }
            }

            /// Checks ranges of parameters.
            ///
            /// # Errors
            /// If a parameter is out of its documented range.
            pub fn validate(&self) -> $crate::error::Result<()> {
                match self { $($params::$P(p) => $crate::step::$family_trait::validate(p),)+ }
            }

            /// Whether this kind draws random numbers.
            pub fn draws(&self) -> bool {
                match self {
                    $($params::$P(_) => <$module::$P as $crate::step::$family_trait>::DRAWS,)+
                }
            }

            /// The examples of every kind, in the order of the registry.
            pub fn examples() -> Vec<$crate::step::Example<Self>> {
                let mut all = Vec::new();
                $(all.extend(
                    <$module::$P as $crate::step::$family_trait>::examples().into_iter().map(|e| {
                        $crate::step::Example { columns: e.columns, params: $params::$P(e.params) }
                    }),
                );)+
                all
            }

            /// The default params of kind `kind`.
            pub fn default_of(kind: &str) -> Option<Self> {
                match kind {
                    $($tag => Some($params::$P(<$module::$P>::default())),)+
                    _ => None,
                }
            }
        }

        impl $fitted {
            /// The tag.
            pub fn kind(&self) -> &'static str {
                match self { $($fitted::$P(_) => $tag,)+ }
            }
        }

        $(impl From<$module::$P> for $params {
            fn from(params: $module::$P) -> Self {
                $params::$P(params)
            }
        })+

        $crate::registry!(@methods $family_trait $params $fitted [$($module $P)+]);
    };
    (@fitted $module:ident Selection) => { $crate::step::Selection };
    (@fitted $module:ident $F:ident) => { $module::$F };
    (@methods FitTransform $params:ident $fitted:ident [$($module:ident $P:ident)+]) => {
        impl $params {
            /// The kinds of column that it accepts.
            pub fn accepts(&self) -> &'static [$crate::batch::ColumnKind] {
                match self { $($params::$P(p) => $crate::step::FitTransform::accepts(p),)+ }
            }

            /// Columns that the params name besides the step's columns.
            pub fn references(&self) -> Vec<String> {
                match self { $($params::$P(p) => $crate::step::FitTransform::references(p),)+ }
            }

            /// Whether these params can have made a state on the named columns.
            pub fn made(&self, fitted: &$fitted, columns: &[String]) -> bool {
                match (self, fitted) {
                    $(($params::$P(p), $fitted::$P(f)) => {
                        $crate::step::FitTransform::made(p, f, columns)
                    })+
                    _ => false,
                }
            }

            /// Learns from the rows.
            ///
            /// # Errors
            /// As the kind documents.
            pub fn fit(
                &self,
                rows: &dyn $crate::aggregate::Rows,
                ctx: &$crate::step::FitContext<'_>,
            ) -> $crate::error::Result<$fitted> {
                match self {
                    $($params::$P(p) => {
                        $crate::step::FitTransform::fit(p, rows, ctx).map($fitted::$P)
                    })+
                }
            }
        }

        impl $fitted {
            /// The schema behind the step.
            ///
            /// # Errors
            /// As [`Transform::output`]($crate::step::Transform::output).
            pub fn output(
                &self,
                input: &$crate::batch::Schema,
                slots: &[usize],
            ) -> $crate::error::Result<$crate::batch::Schema> {
                use $crate::step::Transform;
                match self { $($fitted::$P(t) => Transform::output(t, input, slots),)+ }
            }

            /// Changes the columns of a block.
            ///
            /// # Errors
            /// As [`Transform::apply`]($crate::step::Transform::apply).
            pub fn apply(
                &self,
                batch: &mut $crate::batch::Batch,
                slots: &[usize],
            ) -> $crate::error::Result<()> {
                use $crate::step::Transform;
                match self { $($fitted::$P(t) => Transform::apply(t, batch, slots),)+ }
            }
        }
    };
    (@methods FitSelector $params:ident $fitted:ident [$($module:ident $P:ident)+]) => {
        impl $params {
            /// The kinds of column that it accepts.
            pub fn accepts(&self) -> &'static [$crate::batch::ColumnKind] {
                match self { $($params::$P(p) => $crate::step::FitSelector::accepts(p),)+ }
            }

            /// Judges the columns.
            ///
            /// # Errors
            /// As the kind documents.
            pub fn fit(
                &self,
                rows: &dyn $crate::aggregate::Rows,
                ctx: &$crate::step::FitContext<'_>,
            ) -> $crate::error::Result<$fitted> {
                match self {
                    $($params::$P(p) => {
                        $crate::step::FitSelector::select(p, rows, ctx).map($fitted::$P)
                    })+
                }
            }
        }

        impl $fitted {
            /// What was found.
            pub fn selection(&self) -> &$crate::step::Selection {
                match self { $($fitted::$P(s) => s,)+ }
            }
        }
    };
    (@methods FitModel $params:ident $fitted:ident [$($module:ident $P:ident)+]) => {
        impl $params {
            /// The tasks that the model can do.
            pub fn tasks(&self) -> &'static [$crate::config::Task] {
                match self { $($params::$P(p) => $crate::step::FitModel::tasks(p),)+ }
            }

            /// What of the params decides about the task, as a message goes on behind the kind.
            pub fn task_reason(&self) -> String {
                match self { $($params::$P(p) => $crate::step::FitModel::task_reason(p),)+ }
            }

            /// The kinds of column that it takes as features.
            pub fn accepts(&self) -> &'static [$crate::batch::ColumnKind] {
                match self { $($params::$P(p) => $crate::step::FitModel::accepts(p),)+ }
            }

            /// Whether the fit honours the weights of rows.
            pub fn weighs(&self) -> bool {
                match self { $($params::$P(p) => $crate::step::FitModel::weighs(p),)+ }
            }

            /// What a row of each class counts, for a kind that can weigh classes.
            pub fn class_weight(&self) -> Option<&$crate::models::ClassWeight> {
                match self { $($params::$P(p) => $crate::step::FitModel::class_weight(p),)+ }
            }

            /// What a model of a number minimises the mean of, if not an error.
            pub fn target_loss(&self) -> Option<$crate::step::TargetLoss> {
                match self { $($params::$P(p) => $crate::step::FitModel::target_loss(p),)+ }
            }

            /// How many levels of models these params hold.
            pub fn depth(&self) -> u32 {
                match self { $($params::$P(p) => $crate::step::FitModel::depth(p),)+ }
            }

            /// Learns from the rows.
            ///
            /// # Errors
            /// As the kind documents.
            pub fn fit(
                &self,
                rows: &dyn $crate::aggregate::Rows,
                ctx: &$crate::step::FitContext<'_>,
            ) -> $crate::error::Result<$fitted> {
                use $crate::step::FitModel;
                match self {
                    $($params::$P(p) => FitModel::fit(p, rows, ctx).map($fitted::$P),)+
                }
            }
        }

        impl $fitted {
            /// Checks that the state fits the columns.
            ///
            /// # Errors
            /// As [`Predict::check`]($crate::step::Predict::check).
            pub fn check(&self, features: &$crate::batch::Schema) -> $crate::error::Result<()> {
                match self { $($fitted::$P(m) => $crate::step::Predict::check(m, features),)+ }
            }

            /// How many scores a row gets.
            pub fn n_outputs(&self) -> usize {
                match self { $($fitted::$P(m) => $crate::step::Predict::n_outputs(m),)+ }
            }

            /// Whether it holds other models.
            pub fn holds_models(&self) -> bool {
                match self { $($fitted::$P(m) => $crate::step::Predict::holds_models(m),)+ }
            }

            /// The names of the columns of another output.
            pub fn outputs(
                &self,
                output: $crate::step::Output,
                features: &$crate::batch::Schema,
            ) -> Option<Vec<String>> {
                use $crate::step::Predict;
                match self { $($fitted::$P(m) => Predict::outputs(m, output, features),)+ }
            }

            /// Writes another output of every row.
            ///
            /// # Errors
            /// As [`Predict::output`]($crate::step::Predict::output).
            pub fn output(
                &self,
                output: $crate::step::Output,
                batch: &mut $crate::batch::Batch,
                slots: &[usize],
                values: &mut [f64],
            ) -> $crate::error::Result<()> {
                use $crate::step::Predict;
                match self {
                    $($fitted::$P(m) => Predict::output(m, output, batch, slots, values),)+
                }
            }

            /// How much each feature matters, by named measure.
            pub fn importances(&self) -> Vec<(&'static str, Vec<f64>)> {
                match self { $($fitted::$P(m) => $crate::step::Predict::importances(m),)+ }
            }

            /// What a user should know about how the fit ended.
            pub fn warnings(&self) -> Vec<String> {
                match self { $($fitted::$P(m) => $crate::step::Predict::warnings(m),)+ }
            }

            /// How well the coefficients are known.
            pub fn summary(&self, tail: f64) -> Option<Vec<$crate::step::CoefficientSummary>> {
                match self { $($fitted::$P(m) => $crate::step::Predict::summary(m, tail),)+ }
            }

            /// Writes the scores of every row.
            ///
            /// # Errors
            /// As [`Predict::predict`]($crate::step::Predict::predict).
            pub fn predict(
                &self,
                batch: &mut $crate::batch::Batch,
                slots: &[usize],
                scores: &mut [f64],
            ) -> $crate::error::Result<()> {
                match self {
                    $($fitted::$P(m) => $crate::step::Predict::predict(m, batch, slots, scores),)+
                }
            }

            /// One weight per column for linear models.
            pub fn coefficients(&self) -> Option<&[f64]> {
                match self { $($fitted::$P(m) => $crate::step::Predict::coefficients(m),)+ }
            }

            /// Facts of which every class has its own.
            pub fn class_facts(&self) -> Vec<(&'static str, Vec<f64>)> {
                match self { $($fitted::$P(m) => $crate::step::Predict::class_facts(m),)+ }
            }

            /// One weight per column for each class of a multiclass linear model.
            pub fn class_coefficients(&self) -> Vec<&[f64]> {
                match self { $($fitted::$P(m) => $crate::step::Predict::class_coefficients(m),)+ }
            }

            /// The centre of each group, for a model of groups.
            pub fn centres(&self) -> Vec<&[f64]> {
                match self { $($fitted::$P(m) => $crate::step::Predict::centres(m),)+ }
            }

            /// The score from which a row is of class 1, for a model that has chosen one.
            pub fn threshold(&self) -> Option<f64> {
                match self { $($fitted::$P(m) => $crate::step::Predict::threshold(m),)+ }
            }

            /// How good the model is on rows that a part of its fit has not seen.
            pub fn own_figures(&self) -> Vec<(String, f64)> {
                match self { $($fitted::$P(m) => $crate::step::Predict::own_figures(m),)+ }
            }

            /// Facts for `inspect`.
            pub fn facts(&self) -> Vec<(String, f64)> {
                match self { $($fitted::$P(m) => $crate::step::Predict::facts(m),)+ }
            }
        }
    };
}
