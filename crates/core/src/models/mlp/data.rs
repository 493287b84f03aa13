//! The rows of a fit, held in memory in canonical order, and which of them are kept for validation.

use super::MlpParams;
use super::embedding::TextInput;
use super::pass::Pass;
use crate::aggregate::Rows;
use crate::batch::{Batch, ColumnKind};
use crate::config::Task;
use crate::digest::RowKey;
use crate::error::{Code, Error, Result};
use crate::math::{self, ExactSum};
use crate::models::linear;
use crate::rng::Stream;
use crate::step::FitContext;

/// One column among the inputs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) slot: usize,
    /// Its first input, and how many it has.
    pub(super) first: usize,
    pub(super) width: usize,
    /// Which of the text columns it is.
    pub(super) text: Option<usize>,
}

/// The rows of a fit.
pub(super) struct Data {
    pub(super) places: Vec<Place>,
    pub(super) texts: Vec<TextInput>,
    pub(super) n_inputs: usize,
    pub(super) targets: Vec<f64>,
    pub(super) row_weights: Vec<f64>,
    pub(super) training: Vec<u32>,
    pub(super) validation: Vec<u32>,
    /// What was taken from the targets, and what they were divided by then.
    pub(super) centre: f64,
    pub(super) scale: f64,
    keys: Vec<RowKey>,
    /// The numbers of each row, one row behind the other.
    nums: Vec<f64>,
    n_nums: usize,
}

impl Data {
    /// # Errors
    /// If a number is missing or infinite, there are too few rows, or none that counts.
    pub(super) fn new(params: &MlpParams, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<Self> {
        let is_num = |slot: &usize| ctx.schema.fields()[*slot].kind == ColumnKind::Num;
        let nums: Vec<usize> = ctx.slots.iter().copied().filter(is_num).collect();
        linear::ranges(rows, &FitContext { slots: &nums, ..*ctx })?;
        let batch = rows.collect()?;
        let (training, validation) = split(params, batch.fit_keys(), ctx)?;
        let mut data = Data {
            places: Vec::new(),
            texts: Vec::new(),
            n_inputs: 0,
            targets: batch.target().to_vec(),
            row_weights: weights(&batch),
            training,
            validation,
            centre: 0.0,
            scale: 1.0,
            keys: batch.fit_keys().to_vec(),
            nums: interleaved(&batch, &nums),
            n_nums: nums.len(),
        };
        for &slot in ctx.slots {
            let mut place = Place { slot, first: data.n_inputs, width: 1, text: None };
            if !is_num(&slot) {
                let text = TextInput::new(&batch, slot, &data.training, params, place.first);
                place.width = text.dim();
                place.text = Some(data.texts.len());
                data.texts.push(text);
            }
            data.n_inputs += place.width;
            data.places.push(place);
        }
        let counts = |rows: &[u32]| data.total_weight(rows) > 0.0;
        if !counts(&data.training) || !(data.validation.is_empty() || counts(&data.validation)) {
            let message = "expected rows with a weight above 0, found none";
            return Err(Error::new(Code::TooFewRows, message));
        }
        if ctx.task == Task::Regression {
            data.standardise_targets()?;
        } else {
            check_classes(&data.targets, ctx)?;
        }
        Ok(data)
    }

    /// Takes the weighted mean of the training targets from all, and divides by their weighted
    /// standard deviation if it is above 0: two exact sums, each rounded once.
    fn standardise_targets(&mut self) -> Result<()> {
        let total = self.total_weight(&self.training);
        let mut sum = ExactSum::new();
        for (y, weight) in self.training_targets() {
            sum.add_product(weight, y);
        }
        let centre = sum.round() / total;
        let mut squares = ExactSum::new();
        for (y, weight) in self.training_targets() {
            squares.add_product(weight, (y - centre) * (y - centre));
        }
        let deviation = math::sqrt(squares.round() / total);
        if !centre.is_finite() || !deviation.is_finite() {
            let message = "expected a target with a finite deviation, found one that overflows";
            return Err(Error::new(Code::NotFinite, message).remedy("scale the target"));
        }
        self.centre = centre;
        self.scale = if deviation > 0.0 { deviation } else { 1.0 };
        for y in &mut self.targets {
            *y = (*y - self.centre) / self.scale;
        }
        Ok(())
    }

    fn training_targets(&self) -> impl Iterator<Item = (f64, f64)> {
        let rows = self.training.iter().map(|&row| row as usize);
        rows.map(|row| (self.targets[row], self.row_weights[row]))
    }

    /// The sum of the weights of some rows, exact, rounded once.
    pub(super) fn total_weight(&self, rows: &[u32]) -> f64 {
        let mut total = ExactSum::new();
        rows.iter().for_each(|&row| total.add(self.row_weights[row as usize]));
        total.round()
    }

    /// The training rows in the order of their draws in `stream`, of two equal ones the first in
    /// canonical order.
    pub(super) fn write_order(&self, stream: &Stream, order: &mut Vec<(u64, u32)>) {
        order.clear();
        let draw = |&row: &u32| (stream.hash(self.keys[row as usize]), row);
        order.extend(self.training.iter().map(draw));
        order.sort();
    }

    /// Puts rows into the buffers of a pass, which are of that size.
    pub(super) fn fill(&self, rows: impl Iterator<Item = u32>, params: &[f64], pass: &mut Pass) {
        let inputs = pass.inputs.chunks_exact_mut(self.n_inputs);
        let rest = pass.targets.iter_mut().zip(&mut pass.row_weights);
        for ((row, into), (y, weight)) in rows.zip(inputs).zip(rest) {
            let row = row as usize;
            self.write_row(row, params, into);
            *y = self.targets[row];
            *weight = self.row_weights[row];
        }
    }

    /// Writes the inputs of a row.
    pub(super) fn write_row(&self, row: usize, params: &[f64], into: &mut [f64]) {
        let nums = &self.nums[row * self.n_nums..(row + 1) * self.n_nums];
        if self.texts.is_empty() {
            into.copy_from_slice(nums);
            return;
        }
        let mut nums = nums.iter();
        for place in &self.places {
            let into = &mut into[place.first..place.first + place.width];
            match place.text {
                Some(text) => into.copy_from_slice(&params[self.texts[text].vector(row)]),
                None => into.iter_mut().zip(&mut nums).for_each(|(x, num)| *x = *num),
            }
        }
    }
}

/// The numbers of the columns at `slots`, one row behind the other.
fn interleaved(batch: &Batch, slots: &[usize]) -> Vec<f64> {
    let mut all = vec![0.0; batch.n_rows() * slots.len()];
    for (j, &slot) in slots.iter().enumerate() {
        let rows = all.chunks_exact_mut(slots.len());
        rows.zip(batch.num(slot)).for_each(|(row, &x)| row[j] = x);
    }
    all
}

/// Training and validation rows, both in canonical order. The validation rows are those with the
/// smallest draws.
fn split(
    params: &MlpParams,
    keys: &[RowKey],
    ctx: &FitContext<'_>,
) -> Result<(Vec<u32>, Vec<u32>)> {
    let n_rows = keys.len();
    let mut n_kept = 0;
    if params.early_stopping {
        n_kept = (n_rows as f64 * params.validation_fraction) as usize;
        n_kept = n_kept.max(1);
    }
    if n_kept >= n_rows {
        let least = if params.early_stopping { 2 } else { 1 };
        let message = format!("expected at least {least} rows to fit on, found {n_rows}");
        return Err(Error::new(Code::TooFewRows, message));
    }
    let stream = ctx.stream("", "validation");
    let order = math::argsort_by(n_rows, |a, b| {
        let draw = |row: u32| stream.hash(keys[row as usize]);
        draw(a).cmp(&draw(b))
    });
    let (mut validation, mut training) = (order[..n_kept].to_vec(), order[n_kept..].to_vec());
    validation.sort();
    training.sort();
    Ok((training, validation))
}

/// What each row counts: one where nothing else is said.
fn weights(batch: &Batch) -> Vec<f64> {
    if batch.weights().is_empty() {
        return vec![1.0; batch.n_rows()];
    }
    batch.weights().to_vec()
}

/// # Errors
/// If a target is none of the classes.
fn check_classes(targets: &[f64], ctx: &FitContext<'_>) -> Result<()> {
    let n_classes = f64::from(ctx.n_classes.max(2));
    let is_class = |y: f64| (0.0..n_classes).contains(&y) && f64::from(y as u32) == y;
    match targets.iter().find(|&&y| !is_class(y)) {
        None => Ok(()),
        Some(y) => {
            let message = format!("expected a class below {n_classes}, found {y}");
            Err(Error::new(Code::BadTarget, message))
        }
    }
}
