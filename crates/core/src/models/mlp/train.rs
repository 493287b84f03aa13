//! Epochs of mini-batches, until the loss no longer falls.

use super::MlpParams;
use super::data::Data;
use super::head::Head;
use super::layers::{self, layers};
use super::optimiser::Optimiser;
use super::pass::{Net, Pass};
use super::schedule;
use super::shape::Shape;
use crate::error::{Code, Error, Result};
use crate::math::{self, ExactSum};
use crate::par;
use crate::rng::{Draw, Stream};
use crate::step::{FitContext, Progress};

/// Rows of validation that are worked through at a time.
const CHUNK_ROWS: usize = 256;

/// Where the epochs ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ended {
    pub(super) params: Vec<f64>,
    pub(super) n_epochs: u32,
    /// The last epoch's loss.
    pub(super) loss: f64,
    /// The lowest validation loss, if rows were kept for it.
    pub(super) validation_loss: Option<f64>,
    /// Whether the loss no longer fell.
    pub(super) is_settled: bool,
}

/// A fit after its data are in memory.
pub(super) struct Training<'a> {
    pub(super) config: &'a MlpParams,
    pub(super) data: &'a Data,
    pub(super) shape: &'a Shape,
    pub(super) head: Head,
    /// The weight of all training rows.
    total: f64,
    order_stream: Stream,
    dropout_stream: Stream,
    progress: Progress<'a>,
}

/// What goes from one mini-batch to the next.
struct Run {
    params: Vec<f64>,
    gradient: Vec<f64>,
    optimiser: Optimiser,
    pass: Pass,
    /// The training rows in the order of the epoch, each behind its draw.
    order: Vec<(u64, u32)>,
}

/// The lowest loss so far, and for how many epochs it has stayed.
struct Best {
    loss: f64,
    n_without_gain: u32,
    /// The parameters of that loss, kept only for validation losses.
    params: Vec<f64>,
}

impl<'a> Training<'a> {
    /// Nothing has run yet.
    pub(super) fn new(
        config: &'a MlpParams,
        data: &'a Data,
        shape: &'a Shape,
        head: Head,
        ctx: &FitContext<'a>,
    ) -> Self {
        Training {
            config,
            data,
            shape,
            head,
            total: data.total_weight(&data.training),
            order_stream: ctx.stream("", "order"),
            dropout_stream: ctx.stream("", "dropout"),
            progress: ctx.progress,
        }
    }

    /// Runs epochs from `params` on.
    ///
    /// # Errors
    /// If the loss or a parameter leaves the range of numbers.
    pub(super) fn run(&self, params: Vec<f64>) -> Result<Ended> {
        let mut run = Run {
            gradient: vec![0.0; params.len()],
            optimiser: Optimiser::new(self.config, params.len()),
            pass: Pass::new(self.shape),
            order: Vec::new(),
            params,
        };
        let mut best = Best { loss: f64::INFINITY, n_without_gain: 0, params: Vec::new() };
        let mut ended = Ended {
            params: Vec::new(),
            n_epochs: 0,
            loss: 0.0,
            validation_loss: None,
            is_settled: false,
        };
        while ended.n_epochs < self.config.max_iter && !ended.is_settled {
            let n_rows = self.data.training.len();
            run.optimiser.set_rate(schedule::rate(self.config, ended.n_epochs, n_rows));
            ended.loss = self.epoch(u64::from(ended.n_epochs), &mut run);
            ended.n_epochs += 1;
            self.progress.at(u64::from(ended.n_epochs), u64::from(self.config.max_iter));
            check_finite("loss", ended.loss, ended.n_epochs)?;
            let judged = if self.data.validation.is_empty() {
                ended.loss
            } else {
                self.validation_loss(&mut run.params)
            };
            check_finite("validation loss", judged, ended.n_epochs)?;
            self.compare(judged, &mut best, &run.params);
            ended.is_settled = best.n_without_gain > self.config.n_iter_no_change;
        }
        if self.data.validation.is_empty() {
            ended.params = run.params;
        } else {
            ended.params = best.params;
            ended.validation_loss = Some(best.loss);
        }
        self.data.texts.iter().for_each(|text| text.settle(&mut ended.params));
        if let Some(&found) = ended.params.iter().find(|x| !x.is_finite()) {
            check_finite("weight", found, ended.n_epochs)?;
        }
        Ok(ended)
    }

    fn compare(&self, loss: f64, best: &mut Best, params: &[f64]) {
        if loss > best.loss - self.config.tol {
            best.n_without_gain += 1;
        } else {
            best.n_without_gain = 0;
        }
        if loss < best.loss {
            best.loss = loss;
            if !self.data.validation.is_empty() {
                best.params.clear();
                best.params.extend_from_slice(params);
            }
        }
    }

    /// One step for each mini-batch. Gives the mean loss, each row's before the step of its own
    /// mini-batch, with the penalty of the weights behind the last one.
    fn epoch(&self, epoch: u64, run: &mut Run) -> f64 {
        self.data.write_order(&self.order_stream.substream("epoch", epoch), &mut run.order);
        let mut dropout = self.dropout_stream.substream("epoch", epoch).pcg();
        let order = std::mem::take(&mut run.order);
        let mut losses = ExactSum::new();
        let mut n_steps = 0.0;
        for batch in order.chunks(self.config.batch_size as usize) {
            let rows = || batch.iter().map(|&(_, row)| row);
            let net = self.net(&run.params);
            run.pass.resize(net, batch.len());
            self.data.fill(rows(), &run.params, &mut run.pass);
            self.drop_out(&mut run.pass, &mut dropout);
            let n_net = self.shape.n_params();
            run.pass.run(net, &mut run.gradient[..n_net]);
            losses.add_slice(&run.pass.losses);
            let weight = math::sum_in_order(run.pass.row_weights.iter().copied());
            if weight > 0.0 {
                run.gradient[n_net..].fill(0.0);
                for text in &self.data.texts {
                    let slopes = &run.pass.input_slopes;
                    text.add_slopes(rows(), slopes, self.data.n_inputs, &mut run.gradient);
                }
                self.penalise(&run.params, weight, &mut run.gradient);
                run.optimiser.step(&mut run.params, &run.gradient);
                n_steps += 1.0;
            }
        }
        run.order = order;
        (losses.round() + 0.5 * self.config.alpha * self.squares(&run.params) * n_steps)
            / self.total
    }

    fn net<'b>(&'b self, params: &'b [f64]) -> Net<'b> {
        Net {
            shape: self.shape,
            params,
            activation: self.config.activation,
            head: self.head,
            wants_input_slopes: !self.data.texts.is_empty(),
        }
    }

    /// Draws for each row and hidden unit, in the order of layers, rows and units.
    fn drop_out(&self, pass: &mut Pass, draws: &mut impl Draw) {
        let rate = self.config.dropout;
        if rate > 0.0 {
            let kept = 1.0 / (1.0 - rate);
            for factor in pass.factors.iter_mut().flatten() {
                *factor = if draws.bernoulli(rate) { 0.0 } else { kept };
            }
        }
    }

    /// From the slopes of the sum of losses to those of their mean with the penalty.
    fn penalise(&self, params: &[f64], weight: f64, gradient: &mut [f64]) {
        let alpha = self.config.alpha;
        for l in 0..self.shape.n_layers() {
            let range = self.shape.weights(l);
            let weights = &params[range.clone()];
            gradient[range].iter_mut().zip(weights).for_each(|(g, w)| *g += alpha * w);
        }
        gradient.iter_mut().for_each(|g| *g /= weight);
    }

    fn squares(&self, params: &[f64]) -> f64 {
        let of_layer = |l: usize| {
            let weights = &params[self.shape.weights(l)];
            math::dot(weights, weights)
        };
        math::sum_in_order((0..self.shape.n_layers()).map(of_layer))
    }

    /// The mean loss of the validation rows, without penalty: an exact sum, rounded once.
    fn validation_loss(&self, params: &mut [f64]) -> f64 {
        self.data.texts.iter().for_each(|text| text.settle(params));
        let params = &*params;
        let layers = layers(self.shape, params);
        let chunks: Vec<&[u32]> = self.data.validation.chunks(CHUNK_ROWS).collect();
        let parts = par::map(&chunks, |rows| {
            let (n_rows, n_inputs) = (rows.len(), self.data.n_inputs);
            let mut inputs = vec![0.0; n_rows * n_inputs];
            let mut room = vec![0.0; 2 * n_rows * layers::widest(&layers)];
            for (into, &row) in inputs.chunks_exact_mut(n_inputs).zip(*rows) {
                self.data.write_row(row as usize, params, into);
            }
            let activation = self.config.activation;
            let outputs = layers::outputs(&layers, activation, &inputs, n_rows, &mut room);
            let mut losses = ExactSum::new();
            for (outputs, &row) in outputs.chunks_exact_mut(self.shape.n_outputs()).zip(*rows) {
                let row = row as usize;
                let loss = self.head.loss_and_slopes(outputs, self.data.targets[row]);
                losses.add(self.data.row_weights[row] * loss);
            }
            losses
        });
        let mut losses = ExactSum::new();
        parts.iter().for_each(|part| losses.merge(part));
        losses.round() / self.data.total_weight(&self.data.validation)
    }
}

fn check_finite(what: &str, found: f64, n_epochs: u32) -> Result<()> {
    if found.is_finite() {
        return Ok(());
    }
    let message = format!("expected a finite {what}, found {found} after epoch {n_epochs}");
    Err(Error::new(Code::NotFinite, message)
        .remedy("scale the columns, or lower `learning_rate_init`"))
}
