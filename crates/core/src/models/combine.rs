//! What models made of other models share: which children they may have, how a child is fitted
//! under its own name, and scores of rows that a child has not seen.

use super::{AnyModel, ModelParams};
use crate::aggregate::{Rows, Subset};
use crate::batch::{Batch, Column, ColumnKind, Schema};
use crate::config::{N_CLASSES_MAX, OnMaxIter, Task};
use crate::digest::RowKey;
use crate::error::{Code, Error, Result};
use crate::par;
use crate::rng::{self, Stream};
use crate::step::{FitContext, Progress};

/// How deep models of models may nest: a voting of baggings, but no deeper.
const DEPTH_MAX: u32 = 2;
/// More children than this are refused.
pub(super) const N_CHILDREN_MAX: u32 = 10_000;
/// More folds than this are refused.
const N_FOLDS_MAX: u32 = 100;

/// How many levels of models the params of a kind hold that holds these.
pub(super) fn depth(estimators: &[&ModelParams]) -> u32 {
    estimators.iter().fold(0, |deepest, e| Ord::max(deepest, 1 + e.depth()))
}

/// Checks the params of children: their own ranges, and how deep they nest.
///
/// # Errors
/// If there is none, one is out of range, or nests too deep.
pub(super) fn validate(estimators: &[&ModelParams]) -> Result<()> {
    if estimators.is_empty() || estimators.len() > N_CHILDREN_MAX as usize {
        let found = estimators.len();
        let message = format!("expected 1 to {N_CHILDREN_MAX} estimators, found {found}");
        return Err(Error::new(Code::BadParameter, message));
    }
    let found = depth(estimators);
    if found > DEPTH_MAX {
        let message =
            format!("expected models of models at most {DEPTH_MAX} deep, found {found} levels");
        return Err(Error::new(Code::BadParameter, message).remedy("combine fewer levels"));
    }
    estimators.iter().try_for_each(|estimator| {
        estimator.validate().map_err(|e| named(&e, "estimator", estimator.kind()))
    })
}

/// Checks the number of folds.
///
/// # Errors
/// If it is out of range.
pub(super) fn validate_folds(n_folds: u32) -> Result<()> {
    super::ranges::between("n_folds", n_folds, 2, N_FOLDS_MAX)
}

/// The tasks that all of them can do.
pub(super) fn tasks(estimators: &[&ModelParams]) -> &'static [Task] {
    const REGRESSION: Task = Task::Regression;
    const BINARY: Task = Task::Binary;
    const MULTICLASS: Task = Task::Multiclass;
    let can = |task: Task| estimators.iter().all(|e| e.tasks().contains(&task));
    match (can(REGRESSION), can(BINARY), can(MULTICLASS)) {
        (true, true, true) => &[REGRESSION, BINARY, MULTICLASS],
        (true, true, false) => &[REGRESSION, BINARY],
        (true, false, true) => &[REGRESSION, MULTICLASS],
        (true, false, false) => &[REGRESSION],
        (false, true, true) => &[BINARY, MULTICLASS],
        (false, true, false) => &[BINARY],
        (false, false, true) => &[MULTICLASS],
        (false, false, false) => &[],
    }
}

/// The kinds of column that all of them take: numbers, unless they agree on more.
pub(super) fn accepts(estimators: &[&ModelParams]) -> &'static [ColumnKind] {
    let mut all = estimators.iter().map(|e| e.accepts());
    let first = all.next().unwrap_or(&[ColumnKind::Num]);
    if all.all(|kinds| kinds == first) { first } else { &[ColumnKind::Num] }
}

/// The error of a child, which it names.
pub(super) fn named(error: &Error, name: &str, kind: &str) -> Error {
    let message = format!("in {name}, `{kind}`: {}", error.message());
    let mut found = Error::new(error.code(), message);
    if let Some(column) = error.column_name() {
        found = found.column(column);
    }
    if let Some(remedy) = error.remedy_text() {
        found = found.remedy(remedy);
    }
    found
}

/// Fits a child under the step name `step/name`, so that its draws are its own.
///
/// # Errors
/// What the child refuses, with its name.
pub(super) fn fit_child(
    params: &ModelParams,
    rows: &dyn Rows,
    ctx: &FitContext<'_>,
    name: &str,
) -> Result<AnyModel> {
    let step = format!("{}/{name}", ctx.step);
    let ctx = FitContext { step: &step, progress: Progress::default(), ..*ctx };
    let fitted = params.fit(rows, &ctx).and_then(|model| {
        OnMaxIter::judge(ctx.on_max_iter, &model)?;
        Ok(model)
    });
    fitted.map_err(|e| named(&e, name, params.kind()))
}

/// Checks a stored child: its own state, the kinds of its columns, the number of its scores.
///
/// # Errors
/// If they do not fit: the artifact is damaged.
pub(super) fn check_child(child: &AnyModel, features: &Schema, n_outputs: usize) -> Result<()> {
    let found = child.n_outputs();
    if found != n_outputs || !(1..=N_CLASSES_MAX).contains(&found) {
        let message = format!("expected {n_outputs} scores of a child, found {found}");
        return Err(Error::new(Code::Malformed, message));
    }
    // What holds others asks them itself.
    if !child.holds_models() {
        let params = ModelParams::default_of(child.kind());
        let accepted = params.map_or(&[][..], |params| params.accepts());
        if let Some(field) = features.fields().iter().find(|f| !accepted.contains(&f.kind)) {
            let message = format!("`{}` cannot take {} columns", child.kind(), field.kind);
            return Err(Error::new(Code::Malformed, message).column(&field.name));
        }
    }
    child.check(features)
}

/// Adds `weight` times the scores of a child to `scores`.
///
/// # Errors
/// Never on values.
pub(super) fn add_scores(
    child: &AnyModel,
    batch: &mut Batch,
    slots: &[usize],
    weight: f64,
    scores: &mut [f64],
) -> Result<()> {
    let mut own = batch.take_num();
    own.resize(scores.len(), 0.0);
    child.predict(batch, slots, &mut own)?;
    scores.iter_mut().zip(&own).for_each(|(score, own)| *score += weight * own);
    batch.give(Column::Num(own));
    Ok(())
}

/// Which fold a row belongs to, by its fitting key.
pub(super) struct Folds {
    stream: Stream,
    n_folds: u32,
}

/// The scores of rows by a child that has not seen them, block by block, row by row.
pub(super) struct Unseen {
    pub(super) n_outputs: usize,
    pub(super) blocks: Vec<Vec<f64>>,
}

/// Scores of unseen rows beside their targets and weights.
pub(super) struct Judged {
    n_outputs: usize,
    scores: Vec<f64>,
    targets: Vec<f64>,
    pub(super) weights: Vec<f64>,
}

impl Judged {
    /// In the order of the blocks, which whoever takes them must not let matter.
    ///
    /// # Errors
    /// If a block cannot be read.
    pub(super) fn new(unseen: &Unseen, rows: &dyn Rows) -> Result<Self> {
        let n_outputs = unseen.n_outputs;
        let scores = unseen.blocks.concat();
        let mut judged = Judged { n_outputs, scores, targets: Vec::new(), weights: Vec::new() };
        for index in 0..rows.n_blocks() {
            let mut see = |block: &Batch| {
                judged.targets.extend_from_slice(block.target());
                judged.weights.extend((0..block.n_rows()).map(|row| block.weight(row)));
            };
            rows.with_block(index, &mut see)?;
        }
        Ok(judged)
    }

    /// One score of every row, and whether the row is of that class: 1 or 0.
    pub(super) fn of(&self, output: usize, class: usize) -> (Vec<f64>, Vec<f64>) {
        let scores = self.scores.iter().skip(output).step_by(self.n_outputs.max(1)).copied();
        let is_class = |y: &f64| f64::from(u8::from(*y == class as f64));
        (scores.collect(), self.targets.iter().map(is_class).collect())
    }
}

impl Folds {
    /// `n_folds` folds of the step.
    pub(super) fn new(ctx: &FitContext<'_>, n_folds: u32) -> Self {
        Folds { stream: ctx.stream("", "folds"), n_folds }
    }

    fn of(&self, key: RowKey) -> u32 {
        rng::fold(&self.stream, key, u64::from(self.n_folds)) as u32
    }

    /// Scores every row by the child that is fitted on the other folds.
    ///
    /// # Errors
    /// What the child refuses, or a row that it cannot score.
    pub(super) fn unseen(
        &self,
        params: &ModelParams,
        rows: &dyn Rows,
        ctx: &FitContext<'_>,
        name: &str,
    ) -> Result<Unseen> {
        let folds: Vec<u32> = (0..self.n_folds).collect();
        let parts = par::map(&folds, |&fold| self.unseen_in(fold, params, rows, ctx, name));
        let mut unseen = Unseen { n_outputs: 1, blocks: Vec::new() };
        for part in parts {
            let Some(part) = part? else { continue };
            if unseen.blocks.is_empty() {
                unseen = part;
                continue;
            }
            for (block, other) in unseen.blocks.iter_mut().zip(&part.blocks) {
                // Of each row one fold has a number.
                block.iter_mut().zip(other).for_each(|(a, b)| *a = crate::math::max(*a, *b));
            }
        }
        Ok(unseen)
    }

    /// The scores of one fold's rows, the others missing; `None` if it has no row.
    fn unseen_in(
        &self,
        fold: u32,
        params: &ModelParams,
        rows: &dyn Rows,
        ctx: &FitContext<'_>,
        name: &str,
    ) -> Result<Option<Unseen>> {
        let mut places = Vec::new();
        for index in 0..rows.n_blocks() {
            let mut see = |block: &Batch| {
                let keys = block.fit_keys().iter().enumerate();
                let ours = keys.filter(|(_, key)| self.of(**key) == fold).map(|(row, _)| row);
                places.push(ours.collect::<Vec<usize>>());
            };
            rows.with_block(index, &mut see)?;
        }
        if places.iter().all(Vec::is_empty) {
            return Ok(None);
        }
        let others = Subset::kept(rows, |key| self.of(key) != fold);
        let model = fit_child(params, &others, ctx, &format!("{name}/fold {fold}"))?;
        let n_outputs = model.n_outputs();
        let mut unseen = Unseen { n_outputs, blocks: Vec::new() };
        let mut worst: Option<(RowKey, Error)> = None;
        for (index, places) in places.iter().enumerate() {
            let mut found = Ok(Vec::new());
            let mut see = |block: &Batch| {
                found = scattered(&model, block, ctx.slots, places, &mut worst);
            };
            rows.with_block(index, &mut see)?;
            unseen.blocks.push(found?);
        }
        match worst {
            None => Ok(Some(unseen)),
            Some((_, error)) => Err(named(&error, name, params.kind())),
        }
    }
}

/// The scores of the rows at `places`, the others missing. The fault of the smallest fitting key
/// goes to `worst`.
fn scattered(
    model: &AnyModel,
    block: &Batch,
    slots: &[usize],
    places: &[usize],
    worst: &mut Option<(RowKey, Error)>,
) -> Result<Vec<f64>> {
    let width = model.n_outputs();
    let mut ours = block.select(places);
    let mut scores = vec![0.0; places.len() * width];
    model.predict(&mut ours, slots, &mut scores)?;
    let mut all = vec![crate::math::MISSING; block.n_rows() * width];
    for ((&place, scores), row) in places.iter().zip(scores.chunks(width)).zip(0..) {
        if !ours.has_fault(row) && !scores.iter().all(|x| x.is_finite()) {
            let message = "expected a finite score, found another value";
            ours.fault_row(row, Error::new(Code::NotFinite, message));
        }
        all[place * width..][..width].copy_from_slice(scores);
    }
    for (&row, error) in ours.faults() {
        let key = ours.fit_keys()[row as usize];
        if worst.as_ref().is_none_or(|(other, _)| key < *other) {
            *worst = Some((key, error.clone()));
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec;
    use crate::models::{LogisticRegressionParams, OneVsRestParams, VotingParams};
    use crate::step::FitModel;

    /// The bytes of `n` models of models around nothing.
    fn nested(n: usize, opening: &[&[u8]]) -> Vec<u8> {
        let mut bytes = opening.concat().repeat(n);
        bytes.push(0xc0);
        bytes
    }

    #[test]
    fn models_of_models_nest_two_deep() {
        let one =
            OneVsRestParams { estimator: Box::new(LogisticRegressionParams::default().into()) };
        let two = VotingParams { estimators: vec![one.clone().into()], ..Default::default() };
        assert!(two.validate().is_ok());
        let three = VotingParams { estimators: vec![two.into()], ..Default::default() };
        assert_eq!(
            three.validate().unwrap_err().to_string(),
            "expected models of models at most 2 deep, found 3 levels (combine fewer levels)"
        );
        assert_eq!(tasks(&[&one.into()]), [Task::Multiclass]);
    }

    #[test]
    fn deep_nesting_is_refused_before_the_stack_ends() {
        let params: [&[u8]; 4] = [b"\x81\xab", b"one_vs_rest", b"\x81\xa9", b"estimator"];
        let models: [&[u8]; 5] = [b"\x81\xa6", b"voting", b"\x81\xa6", b"models", b"\x91"];
        for n in [15, 20, 30, 1000] {
            assert!(codec::decode::<ModelParams>(&nested(n, &params)).is_err());
            assert!(codec::decode::<AnyModel>(&nested(n, &models)).is_err());
        }
    }
}
