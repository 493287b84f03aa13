//! The fits of a search: rung by rung, fold by fold, and within outer folds.

use std::cmp::Ordering;

use samescore_core::aggregate::MemoryRows;
use samescore_core::batch::Batch;
use samescore_core::config::Config;
use samescore_core::digest::Fingerprint;
use samescore_core::error::{Code, Error, Result};
use samescore_core::math::{self, Moments};
use samescore_core::par::{self, Threads};
use samescore_core::pipeline::Table;

use crate::folds::{self, FoldPlan, Folds, Purpose};
use crate::metrics::Metric;
use crate::subset::{self, Share};
use crate::workflow::{self, Counter, Hear, Part};

use super::{
    Journal, Judged, Merit, Method, N_TRIALS_MAX, Outer, Place, Report, Rung, Settings, Space,
    Trial, show,
};

/// By what successive halving divides the trials and multiplies the share.
const ETA: u64 = 3;
/// The fewest training rows of the first rung, if their number is ours to choose.
const N_ROWS_MIN: u64 = 30;

/// A search that is ready to run: every trial is a valid config.
pub struct Search<'a> {
    config: &'a Config,
    settings: &'a Settings,
    trials: Vec<Trial>,
    table: Table,
}

impl<'a> Search<'a> {
    /// Chooses the trials.
    ///
    /// # Errors
    /// If a trial is no valid config, or `batch` is no table for the config.
    pub fn new(
        config: &'a Config,
        space: &Space,
        settings: &'a Settings,
        batch: &Batch,
        threads: &Threads,
    ) -> Result<Self> {
        let trials = trials(config, space, settings)?;
        let table = threads.run(|| Table::new(config, batch))?;
        Ok(Search { config, settings, trials, table })
    }

    /// The identity of schema and rows.
    pub fn data_fingerprint(&self) -> Fingerprint {
        self.table.fingerprint()
    }

    /// Does what `journal` does not know, and gives the whole. Tells `hear` how many fits are done,
    /// and of how many.
    ///
    /// # Errors
    /// As the module says.
    pub fn run(&self, journal: &Journal, threads: &Threads, hear: Hear<'_>) -> Result<Report> {
        threads.run(|| self.report(journal, hear))
    }

    fn report(&self, journal: &Journal, hear: Hear<'_>) -> Result<Report> {
        let (rows, n_kept) = workflow::training_rows(self.config, &self.table)?;
        let rungs = self.rungs(rows.n_rows() as u64)?;
        let n_folds = self.settings.folds.n_folds;
        let per_search = rungs
            .iter()
            .fold(0u64, |n, rung| n.saturating_add(rung.n_trials.saturating_mul(n_folds)));
        let n_outer = self.settings.n_outer.unwrap_or(0);
        let n_fits = per_search.saturating_mul(n_outer.saturating_add(1)).saturating_add(n_outer);
        let counter = Counter::new("fits", n_fits, hear);
        let run = Run { search: self, rungs: &rungs, journal, counter };
        let ranked = run.ranked(&rows, 0, Purpose::Judge)?;
        let outer = match self.settings.n_outer {
            None => Vec::new(),
            Some(n_folds) => run.nested(&rows, n_folds)?,
        };
        let mut moments = Moments::new();
        outer.iter().for_each(|o| moments.observe(o.value));
        Ok(Report {
            trials: self.trials.clone(),
            ranked,
            n_rows: rows.n_rows() as u64,
            n_kept,
            honest: moments.mean().map(|mean| (mean, moments.std(1))),
            rungs,
            outer,
        })
    }

    fn rungs(&self, n_rows: u64) -> Result<Vec<Rung>> {
        let n_trials = self.trials.len() as u64;
        let n_rungs = match (self.settings.method, self.settings.n_rungs) {
            (Method::Grid | Method::Random, _) => 1,
            (Method::Halving, Some(n)) if (1..=30).contains(&n) => n,
            (Method::Halving, Some(n)) => {
                let message = format!("expected 1 to 30 rungs, found {n}");
                return Err(Error::new(Code::Usage, message));
            }
            (Method::Halving, None) => {
                let n_train = n_rows - n_rows / self.settings.folds.n_folds.max(2);
                (n_trials.max(1).ilog(ETA)).min((n_train / N_ROWS_MIN).max(1).ilog(ETA)) + 1
            }
        };
        let of = |rung: u32| ETA.pow(n_rungs - 1 - rung);
        let mut n_left = n_trials;
        let mut rungs = Vec::new();
        for rung in 0..n_rungs {
            rungs.push(Rung { share: Share { part: 1, of: of(rung) }, n_trials: n_left });
            n_left = n_left.div_ceil(ETA);
        }
        Ok(rungs)
    }
}

/// The trials of a search, without repetition.
fn trials(config: &Config, space: &Space, settings: &Settings) -> Result<Vec<Trial>> {
    let values = match settings.method {
        Method::Grid => space.grid()?,
        Method::Random | Method::Halving => {
            if !(1..=N_TRIALS_MAX).contains(&settings.n_trials) {
                let found = settings.n_trials;
                let message = format!("expected 1 to {N_TRIALS_MAX} trials, found {found}");
                return Err(Error::new(Code::Usage, message));
            }
            (1..=settings.n_trials).map(|number| space.draw(config.seed, number)).collect()
        }
    };
    let base: toml::Table = toml::from_str(&config.to_toml()?).map_err(|e| {
        Error::new(Code::ConfigSyntax, format!("the config cannot be read back: {e}"))
    })?;
    let mut seen = std::collections::BTreeSet::new();
    let mut trials = Vec::new();
    for (number, values) in (1..).zip(values) {
        let shown: Vec<String> = values.iter().map(show).collect();
        if seen.insert(shown) {
            let config = space.config(&base, &values)?;
            trials.push(Trial { number, values, config });
        }
    }
    Ok(trials)
}

/// A search under way.
struct Run<'a> {
    search: &'a Search<'a>,
    rungs: &'a [Rung],
    journal: &'a Journal,
    counter: Counter<'a>,
}

impl Run<'_> {
    /// All trials, the best first.
    fn ranked(&self, rows: &MemoryRows, outer: u32, purpose: Purpose) -> Result<Vec<Judged>> {
        let Search { config, settings, trials, .. } = self.search;
        let folds = Folds::new(config, rows, &settings.folds, purpose)?;
        folds.check(rows, config.target.task, Some(&settings.metric))?;
        let mut alive: Vec<usize> = (0..trials.len()).collect();
        let mut ranked: Vec<Judged> = Vec::new();
        for (rung, step) in (0u32..).zip(self.rungs) {
            self.check_share(&folds, rows, rung, step.share)?;
            alive.truncate(step.n_trials as usize);
            let mut judged = self.judge(&folds, rows, outer, rung, &alive)?;
            judged.sort_by(|a, b| self.order(a, b));
            alive = judged.iter().map(|j| j.index).collect();
            // Those of this rung stand before those that were left behind.
            ranked.retain(|j| !alive.contains(&j.index));
            judged.append(&mut ranked);
            ranked = judged;
        }
        match ranked.first() {
            Some(Judged { outcome: Err(e), .. }) => Err(e.clone()),
            _ => Ok(ranked),
        }
    }

    /// The figure that ranks, as the config that is searched from has it.
    fn also(&self) -> &[Metric] {
        std::slice::from_ref(&self.search.settings.metric)
    }

    fn check_share(&self, folds: &Folds, rows: &MemoryRows, rung: u32, share: Share) -> Result<()> {
        if share.of == 1 {
            return Ok(());
        }
        let config = self.search.config;
        for fold in 0..folds.n_folds() {
            let train = subset::nested(config, &folds.train(rows, fold), share);
            let blocks = train.blocks().iter();
            let targets: Vec<f64> = blocks.flat_map(|b| b.target().iter().copied()).collect();
            let name = format!("{}, rung {}", folds.name(fold), rung + 1);
            folds::check_train(&name, &targets, config.target.task)?;
        }
        Ok(())
    }

    /// The trials of a rung, in the order of `alive`.
    fn judge(
        &self,
        folds: &Folds,
        rows: &MemoryRows,
        outer: u32,
        rung: u32,
        alive: &[usize],
    ) -> Result<Vec<Judged>> {
        let n_folds = folds.n_folds();
        let tasks: Vec<(usize, u32)> =
            alive.iter().flat_map(|&index| (0..n_folds).map(move |fold| (index, fold))).collect();
        let share = self.rungs[rung as usize].share;
        let parts = par::map(&tasks, |&(index, fold)| {
            let trial = &self.search.trials[index];
            let place = Place { outer, rung, trial: trial.number, fold };
            let part = self.journal.once(place, || {
                let train = subset::nested(&trial.config, &folds.train(rows, fold), share);
                let test = folds.test(rows, fold);
                Ok(workflow::fit_and_score(&trial.config, train, &test, self.also())?.1)
            });
            self.counter.one();
            part
        });
        let by_trial = alive.iter().zip(parts.chunks(n_folds as usize));
        by_trial
            .map(|(&index, parts)| {
                if let Some(e) = parts.iter().filter_map(|p| p.as_ref().err()).find(|e| is_io(e)) {
                    return Err(e.clone());
                }
                let parts: Result<Vec<&Part>> =
                    parts.iter().map(|part| part.as_ref().map_err(Error::clone)).collect();
                let outcome = parts.and_then(|parts| self.merit(folds, &parts));
                Ok(Judged { index, rung, outcome })
            })
            .collect()
    }

    fn merit(&self, folds: &Folds, parts: &[&Part]) -> Result<Merit> {
        let metric = &self.search.settings.metric;
        let of = |(fold, part): (u32, &&Part)| value(part, metric, &folds.name(fold));
        let by_fold: Vec<f64> = (0..).zip(parts).map(of).collect::<Result<_>>()?;
        let mut moments = Moments::new();
        moments.observe_slice(&by_fold);
        let mean = moments.mean().unwrap_or(math::MISSING);
        let n_unscored = parts.iter().map(|part| part.n_unscored).sum::<u64>();
        Ok(Merit { mean, sd: moments.std(1), by_fold, n_unscored })
    }

    fn order(&self, a: &Judged, b: &Judged) -> Ordering {
        let by_merit = match (&a.outcome, &b.outcome) {
            (Ok(x), Ok(y)) => {
                let up = math::total_cmp(x.mean, y.mean);
                let better =
                    if self.search.settings.metric.is_higher_better { up.reverse() } else { up };
                x.n_unscored.cmp(&y.n_unscored).then(better)
            }
            (Ok(_), Err(_)) => Ordering::Less,
            (Err(_), Ok(_)) => Ordering::Greater,
            (Err(_), Err(_)) => Ordering::Equal,
        };
        by_merit.then(a.index.cmp(&b.index))
    }

    /// The search done again within each outer fold.
    fn nested(&self, rows: &MemoryRows, n_folds: u64) -> Result<Vec<Outer>> {
        let Search { config, settings, trials, .. } = self.search;
        let plan = FoldPlan { n_folds, ..settings.folds.clone() };
        let folds = Folds::new(config, rows, &plan, Purpose::Outer)?;
        folds.check(rows, config.target.task, Some(&settings.metric))?;
        let mut found = Vec::new();
        for fold in 0..folds.n_folds() {
            let within = |e: Error| rephrased(&e, &format!("outer {}", folds.name(fold)));
            let (train, test) = (folds.train(rows, fold), folds.test(rows, fold));
            let ranked = self.ranked(&train, fold + 1, Purpose::Inner).map_err(within)?;
            let index = ranked[0].index;
            let inner = ranked[0].outcome.as_ref().map_or(math::MISSING, |merit| merit.mean);
            let trial = &trials[index];
            let rung = self.rungs.len() as u32;
            let place = Place { outer: fold + 1, rung, trial: trial.number, fold: 0 };
            let fit = || Ok(workflow::fit_and_score(&trial.config, train, &test, self.also())?.1);
            let part = self.journal.once(place, fit).map_err(within)?;
            self.counter.one();
            let value = value(&part, &settings.metric, &format!("outer {}", folds.name(fold)))?;
            found.push(Outer { index, inner, part, value });
        }
        Ok(found)
    }
}

fn is_io(e: &Error) -> bool {
    e.kind() == samescore_core::error::Kind::Io
}

/// The metric of a part.
fn value(part: &Part, metric: &Metric, fold: &str) -> Result<f64> {
    part.metrics.get(metric.name).copied().ok_or_else(|| {
        let message = format!("{fold}: expected `{}` of its rows, found none defined", metric.name);
        Error::new(Code::TooFewRows, message).remedy("ask for fewer folds, or another metric")
    })
}

/// The same error, with the place before its message.
fn rephrased(e: &Error, place: &str) -> Error {
    let mut error = Error::new(e.code(), format!("{place}: {}", e.message()));
    if let Some(step) = e.step_name() {
        error = error.step(step);
    }
    if let Some(column) = e.column_name() {
        error = error.column(column);
    }
    if let Some(row) = e.row_idx() {
        error = error.row(row);
    }
    match e.remedy_text() {
        Some(remedy) => error.remedy(remedy),
        None => error,
    }
}
