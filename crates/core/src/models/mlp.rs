//! Fits a multilayer perceptron: weighted sums, bent by an activation, layer behind layer.
//!
//! # Method
//! A unit takes Σ value · weight + intercept of the layer before it. Hidden units bend that sum z
//! by `activation`: "relu" gives z above 0, else 0; "tanh" the hyperbolic tangent; "gelu" z Φ(z)
//! with Φ(z) = ½ (1 + erf(z / √2)); "logistic" 1 / (1 + e^−z). Output units do not. The loss of a
//! row is ½ (output − target)² for regression, else −ln(probability of its class); the probability
//! is logistic in the output for two classes, and e^output over the sum of all for more.
//! Definitions and defaults are those of scikit-learn 1.9.1 `MLPClassifier` and `MLPRegressor`, but
//! for three things: the target of a regression is centred and divided by its weighted mean and
//! standard deviation inside, so that `tol` is a share of its variance; validation is judged by
//! loss; draws are keyed.
//!
//! Each epoch goes through the training rows in mini-batches of `batch_size`. A step follows the
//! gradient g of (Σ row weight · loss + ½ `alpha` Σ weight²) / Σ row weight of its mini-batch;
//! intercepts and the vectors of labels have no penalty. `solver` "sgd": v = `momentum` v −
//! `learning_rate_init` g is added to the parameters, or with `nesterovs_momentum` the same formula
//! of the new v. "adam": m and s keep the shares `beta_1` and `beta_2` of themselves and take (1 −
//! `beta_1`) g and (1 − `beta_2`) g²; in step t `learning_rate_init` √(1 − `beta_2`^t) / (1 −
//! `beta_1`^t) · m / (√s + `epsilon`) is subtracted. `dropout` sets each value of a hidden layer to
//! 0 with that probability and divides the others by its complement, in the fit only.
//!
//! `learning_rate` changes `learning_rate_init` = r from epoch to epoch. "invscaling": r / (1 +
//! rows seen in the epochs before)^`power_t`, as in scikit-learn's `MLPClassifier`; "step": r ·
//! `gamma`^k with k the whole number of `step_size` epochs gone, "cosine": `eta_min` + (r −
//! `eta_min`) (1 + cos(π e / `max_iter`)) / 2 in epoch e from 0, as PyTorch's `StepLR` and
//! `CosineAnnealingLR`. Both solvers follow it. In the first w = `warmup_epochs` epochs the length
//! is r (e + 1) / (w + 1) instead; the schedule counts the epochs behind them, as does its
//! `max_iter`. Initial weights and intercepts are uniform in a range that `initial` names.
//!
//! The fit has settled when for more than `n_iter_no_change` epochs in a row the loss stayed above
//! its lowest less `tol`. That is the mean loss of an epoch, each row's before the step of its own
//! mini-batch, with the penalty; or with `early_stopping` the mean loss of the validation rows,
//! whose best parameters are kept. The validation rows are the share `validation_fraction`, rounded
//! down and at least one, with the smallest draws. A fit that has not settled after `max_iter`
//! epochs is a warning, not an error. Nothing asks a clock.
//!
//! # Shape
//! Numeric and text columns in. Numbers enter as they are: put a scaler before the model. A text
//! column enters as a vector of `embedding_dim` numbers for each label, learned with the weights
//! from uniform draws of variance 1 / `embedding_dim`; 0 means half the number of labels, rounded
//! up, at most 50. The score is the prediction, the probability of class 1, or one probability for
//! each class. All rows are held in memory.
//!
//! # Missing
//! A missing number is refused in the fit; at scoring the row gets a reason instead of a score. A
//! missing label has a vector of its own. A label that no training row has gets the mean of the
//! labels' vectors by training rows; so do missing labels if no training row has one. If none has
//! a label, others are as missing ones.
//!
//! # Ties and order
//! Draws are keyed: the weights of a column by its name, a label's vector by column and label, the
//! place of a row in an epoch and its being kept for validation by its fitting key, in
//! ascending order of the draws; dropout follows the rows of the epoch. Sums over units run in
//! their order from 0, the intercept last; a gradient adds the rows of its mini-batch in their
//! order; the losses of an epoch, the target's moments and a validation loss are exact sums. So
//! neither the order of rows nor threads can move a bit.
//!
//! # Errors
//! A parameter out of its range; more than 2^24 weights; a missing or infinite number; too few
//! rows, or none that counts; a loss or weight that overflows, as columns that are not scaled can
//! make it. At scoring, an infinite value and an overflow are a row's reason.
//!
//! # Example
//! With weights 2 and −1 to two relu units, intercepts 0 and 1, and from those 1 and 3 to the
//! output with intercept −1, x = 0.5 gives 1 · 1 + 3 · 0.5 − 1 = 1.5.

use serde::{Deserialize, Serialize};

use crate::aggregate::Rows;
use crate::batch::ColumnKind;
use crate::config::Task;
use crate::error::{Code, Error, Result};
use crate::example::COMPLETE_COLUMNS;
use crate::step::{Example, FitContext, FitModel};

mod activation;
mod data;
mod embedding;
#[cfg(test)]
mod gradients;
mod head;
mod initial;
mod layers;
mod optimiser;
mod pass;
mod ranges;
mod schedule;
mod shape;
mod state;
mod stored;
#[cfg(test)]
mod tests;
mod train;

pub use activation::Activation;
pub use initial::Initial;
pub use optimiser::Solver;
pub use schedule::LearningRate;
pub use state::Mlp;

use data::Data;
use head::Head;
use shape::Shape;
use state::{Input, Outcome};
use train::Training;

/// The most hidden layers.
const N_LAYERS_MAX: usize = 64;
/// The most weights, intercepts and numbers of vectors together.
const N_PARAMS_MAX: u64 = 1 << 24;

/// The layers, and how they are fitted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MlpParams {
    /// The units of each hidden layer, none of them 0; at most 64 layers of 65536.
    pub hidden_layer_sizes: Vec<u32>,
    /// What a hidden unit makes of its sum.
    pub activation: Activation,
    /// How a gradient moves the parameters.
    pub solver: Solver,
    /// The weight of the penalty, at least 0.
    pub alpha: f64,
    /// The rows of a mini-batch, at least 1; fewer rows are one mini-batch.
    pub batch_size: u32,
    /// The length of a step, above 0.
    pub learning_rate_init: f64,
    /// The most epochs, at least 1.
    pub max_iter: u32,
    /// By how much the loss must fall, at least 0.
    pub tol: f64,
    /// For how many epochs it may fail to.
    pub n_iter_no_change: u32,
    /// Whether rows are kept to judge the loss.
    pub early_stopping: bool,
    /// The share of rows that are kept, above 0 and below 1.
    pub validation_fraction: f64,
    /// What an "sgd" step keeps of the one before, at least 0 and below 1.
    pub momentum: f64,
    /// Whether an "sgd" step looks ahead.
    pub nesterovs_momentum: bool,
    /// What "adam" keeps of its mean gradient, at least 0 and below 1.
    pub beta_1: f64,
    /// What "adam" keeps of its mean squared gradient, at least 0 and below 1.
    pub beta_2: f64,
    /// What "adam" adds to a root, above 0.
    pub epsilon: f64,
    /// The probability that a hidden value is left out in a step, at least 0 and below 1.
    pub dropout: f64,
    /// The range of initial weights.
    pub initial: Initial,
    /// The numbers of a label's vector, at most 1024; 0 means half the number of labels, rounded
    /// up, at most 50.
    pub embedding_dim: u32,
    /// How the length of a step changes; "constant" by default. This and what belongs to it are
    /// left out of the stored form where they are what they are by default.
    #[serde(skip_serializing_if = "stored::is_constant")]
    pub learning_rate: LearningRate,
    /// For "invscaling": the exponent, at least 0; 0.5 by default.
    #[serde(skip_serializing_if = "stored::is_half")]
    pub power_t: f64,
    /// For "step": the epochs between two cuts, at least 1; 10 by default.
    #[serde(skip_serializing_if = "stored::is_ten")]
    pub step_size: u32,
    /// For "step": what a cut leaves, above 0 and at most 1; 0.1 by default.
    #[serde(skip_serializing_if = "stored::is_tenth")]
    pub gamma: f64,
    /// For "cosine": the length at the end, at least 0 and at most the one at the start; 0 by
    /// default.
    #[serde(skip_serializing_if = "stored::is_zero")]
    pub eta_min: f64,
    /// The epochs in which the length grows to the one at the start, below `max_iter`; 0 by
    /// default.
    #[serde(skip_serializing_if = "stored::is_none")]
    pub warmup_epochs: u32,
}

impl Default for MlpParams {
    fn default() -> Self {
        MlpParams {
            hidden_layer_sizes: vec![100],
            activation: Activation::Relu,
            solver: Solver::Adam,
            alpha: 1e-4,
            batch_size: 200,
            learning_rate_init: 1e-3,
            max_iter: 200,
            tol: 1e-4,
            n_iter_no_change: 10,
            early_stopping: false,
            validation_fraction: 0.1,
            momentum: 0.9,
            nesterovs_momentum: true,
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-8,
            dropout: 0.0,
            initial: Initial::Glorot,
            embedding_dim: 0,
            learning_rate: LearningRate::Constant,
            power_t: 0.5,
            step_size: 10,
            gamma: 0.1,
            eta_min: 0.0,
            warmup_epochs: 0,
        }
    }
}

impl FitModel for MlpParams {
    type Fitted = Mlp;

    const DRAWS: bool = true;

    fn validate(&self) -> Result<()> {
        self.validate_layers()?;
        self.validate_rates()?;
        self.validate_schedule()
    }

    fn tasks(&self) -> &'static [Task] {
        &[Task::Regression, Task::Binary, Task::Multiclass]
    }

    fn accepts(&self) -> &'static [ColumnKind] {
        &[ColumnKind::Num, ColumnKind::Text]
    }

    fn weighs(&self) -> bool {
        true
    }

    fn fit(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<Mlp> {
        let mut data = Data::new(self, rows, ctx)?;
        let (head, n_outputs) = match ctx.task {
            Task::Regression => (Head::Squared, 1),
            Task::Binary => (Head::Logistic, 1),
            Task::Multiclass => (Head::Softmax, ctx.n_classes.max(2) as usize),
        };
        let shape = self.shape(&mut data, n_outputs)?;
        let start = initial::initial(self, &shape, &data, ctx);
        let ended = Training::new(self, &data, &shape, head, ctx).run(start)?;
        let input = |place: &data::Place| match place.text {
            Some(text) => Input::Text(data.texts[text].finish(&ended.params)),
            None => Input::Num,
        };
        Ok(Mlp {
            activation: self.activation,
            inputs: data.places.iter().map(input).collect(),
            layers: layers::layers(&shape, &ended.params),
            outcome: match head {
                Head::Squared => Outcome::Number { centre: data.centre, scale: data.scale },
                Head::Logistic => Outcome::Probability,
                Head::Softmax => Outcome::Classes,
            },
            n_iterations: ended.n_epochs,
            loss: ended.loss,
            validation_loss: ended.validation_loss,
            is_settled: ended.is_settled,
        })
    }

    fn examples() -> Vec<Example<Self>> {
        let small = MlpParams {
            hidden_layer_sizes: vec![3],
            batch_size: 16,
            max_iter: 3,
            ..Default::default()
        };
        let deep = MlpParams {
            hidden_layer_sizes: vec![4, 2],
            activation: Activation::Tanh,
            solver: Solver::Sgd,
            early_stopping: true,
            validation_fraction: 0.25,
            dropout: 0.25,
            initial: Initial::He,
            ..small.clone()
        };
        let labels = MlpParams { activation: Activation::Gelu, embedding_dim: 2, ..small.clone() };
        let wave = MlpParams {
            learning_rate: LearningRate::Cosine,
            warmup_epochs: 1,
            max_iter: 4,
            ..small.clone()
        };
        vec![
            Example::on(COMPLETE_COLUMNS, small),
            Example::on(&["count", "rooms"], deep),
            Example::on(&["deck", "rooms", "sex"], labels),
            Example::on(&["count", "rooms"], wave),
        ]
    }
}

impl MlpParams {
    /// The sizes of all layers; gives the vectors of labels their places behind the weights.
    fn shape(&self, data: &mut Data, n_outputs: usize) -> Result<Shape> {
        let mut sizes = vec![data.n_inputs];
        sizes.extend(self.hidden_layer_sizes.iter().map(|&size| size as usize));
        sizes.push(n_outputs);
        let of_layer = |pair: &[usize]| (pair[0] as u64 + 1) * pair[1] as u64;
        let n_params = sizes.windows(2).map(of_layer).sum::<u64>();
        let of_text = |text: &embedding::TextInput| text.n_params() as u64;
        let n_params = n_params + data.texts.iter().map(of_text).sum::<u64>();
        if n_params > N_PARAMS_MAX {
            let message = format!("expected at most {N_PARAMS_MAX} weights, found {n_params}");
            return Err(Error::new(Code::BadParameter, message)
                .remedy("smaller layers, fewer columns, or a smaller `embedding_dim`"));
        }
        let shape = Shape::new(sizes);
        let mut start = shape.n_params();
        for text in &mut data.texts {
            text.set_start(start);
            start += text.n_params();
        }
        Ok(shape)
    }
}
