//! Generated tables of any size, for benches, notebooks and whoever wants to try a model on many
//! rows: numbers of four distributions, labels of 3 to 1,000 levels, five in a hundred values of
//! every feature missing, a binary and a regression target that depend on most of them.

use std::sync::Arc;

use crate::batch::{Batch, Column, ColumnKind, Field, MISSING_CODE, Schema, TextColumn};
use crate::math;
use crate::rng::{Draw, Pcg, Seed, Stream, permutation};

/// The binary target of a generated table; about a third of the rows are 1.
pub const WIDE_BINARY_TARGET: &str = "y_bin";
/// The regression target of a generated table.
pub const WIDE_REGRESSION_TARGET: &str = "y_reg";

const STEP: &str = "wide table";
const MISSING_RATE: f64 = 0.05;
const LEVELS_MIN: f64 = 3.0;
const LEVELS_MAX: f64 = 1000.0;
/// Pairs of neighbouring numbers whose sides of the middle matter only together.
const N_PAIRS: usize = 4;

/// `n_rows` rows of `n_features` features and both targets. A quarter of the features are labels,
/// `c00`, `c01`, …; the others are numbers, `n00`, `n01`, …. Another seed gives other rows and
/// other effects; more rows leave the rows before them what they are.
pub fn wide_table(n_rows: usize, n_features: usize, seed: u64) -> Batch {
    let n_labels = n_features / 4;
    let n_numbers = n_features - n_labels;
    let world = World::new(n_numbers, n_labels, seed);
    let mut columns: Vec<Column> = (0..n_numbers).map(|_| Column::Num(Vec::new())).collect();
    columns.extend(world.labels.iter().map(|l| {
        let mut text = TextColumn::default();
        (0..l.effects.len()).for_each(|level| {
            text.intern(&format!("v{level:04}"));
        });
        Column::Text(text)
    }));
    columns.extend([Column::Num(Vec::new()), Column::Num(Vec::new())]);
    let mut draws = Stream::new(Seed(seed), STEP, "", "rows").pcg();
    for _ in 0..n_rows {
        world.push_row(&mut columns, &mut draws);
    }
    let numbers = (0..n_numbers).map(|j| Field::new(format!("n{j:02}"), ColumnKind::Num));
    let labels = (0..n_labels).map(|j| Field::new(format!("c{j:02}"), ColumnKind::Text));
    let targets = [WIDE_BINARY_TARGET, WIDE_REGRESSION_TARGET];
    let targets = targets.map(|name| Field::new(name, ColumnKind::Num));
    let schema = Schema::new(numbers.chain(labels).chain(targets)).unwrap_or_default();
    Batch::new(Arc::new(schema), columns).unwrap_or_default()
}

/// What the targets depend on.
struct World {
    /// The weight of each number.
    weights: Vec<f64>,
    labels: Vec<Labels>,
}

/// A column of labels: how likely each level is, summed up, and what it adds.
struct Labels {
    shares: Vec<f64>,
    effects: Vec<f64>,
}

impl World {
    fn new(n_numbers: usize, n_labels: usize, seed: u64) -> Self {
        let mut draws = Stream::new(Seed(seed), STEP, "", "world").pcg();
        let mut fade = 1.0;
        let mut weights = Vec::with_capacity(n_numbers);
        for _ in 0..n_numbers {
            weights.push(draws.normal() * fade);
            fade *= 0.9;
        }
        let ratio = if n_labels > 1 {
            math::pow(LEVELS_MAX / LEVELS_MIN, 1.0 / (n_labels - 1) as f64)
        } else {
            1.0
        };
        let labels = (0..n_labels).map(|j| {
            let n_levels = LEVELS_MIN * math::powi(ratio, j as i32) + 0.5;
            Labels::new(n_levels as usize, &mut draws)
        });
        let labels = labels.collect();
        World { weights, labels }
    }

    fn push_row(&self, columns: &mut [Column], draws: &mut Pcg) {
        let mut latent = 0.0;
        let mut before = false;
        for (j, &weight) in self.weights.iter().enumerate() {
            let (x, z) = number(j % 4, draws);
            latent += weight
                * match j % 3 {
                    0 => z,
                    1 => z.abs() - 0.8,
                    _ => math::sin(1.7 * z),
                };
            let side = z > 0.0;
            if j % 2 == 1 && j / 2 < N_PAIRS {
                latent += if side == before { -0.3 } else { 0.3 };
            }
            before = side;
            let is_missing = draws.bernoulli(MISSING_RATE);
            if let Column::Num(values) = &mut columns[j] {
                values.push(if is_missing { math::MISSING } else { math::canonical(x) });
            }
        }
        for (labels, column) in self.labels.iter().zip(&mut columns[self.weights.len()..]) {
            let level = labels.draw(draws);
            latent += 0.45 * labels.effects[level];
            let is_missing = draws.bernoulli(MISSING_RATE);
            if let Column::Text(text) = column {
                text.push_code(if is_missing { MISSING_CODE } else { level as u32 });
            }
        }
        // The latent sum has a standard deviation of about 2.
        let z = latent * 0.5;
        let y_bin = draws.bernoulli(math::sigmoid(2.0 * z - 1.0));
        let y_reg = ((10.0 + 5.0 * z + 2.0 * draws.normal()) * 1e4).round() / 1e4;
        let targets = columns.iter_mut().rev();
        for (column, y) in targets.zip([y_reg, f64::from(u8::from(y_bin))]) {
            if let Column::Num(values) = column {
                values.push(math::canonical(y));
            }
        }
    }
}

/// A number of one of four distributions, and the same on a common scale.
fn number(kind: usize, draws: &mut Pcg) -> (f64, f64) {
    let round = |x: f64, unit: f64| (x * unit).round() / unit;
    match kind {
        0 => {
            let z = draws.normal();
            (z, z)
        }
        1 => {
            let z = draws.normal();
            (round(math::exp(1.0 + 0.8 * z), 1000.0), z)
        }
        2 => {
            let n = draws.bounded(100) as f64;
            (n, (n - 49.5) / 28.9)
        }
        _ => {
            let x = round(draws.uniform() * 10.0 - 5.0, 100.0);
            (x, x / 2.9)
        }
    }
}

impl Labels {
    fn new(n_levels: usize, draws: &mut Pcg) -> Self {
        let ranks = permutation(n_levels as u64, draws);
        let mut total = 0.0;
        let mut shares = Vec::with_capacity(n_levels);
        for rank in ranks {
            total += 1.0 / math::pow((rank + 1) as f64, 0.7);
            shares.push(total);
        }
        shares.iter_mut().for_each(|share| *share /= total);
        let effects = (0..n_levels).map(|_| draws.normal()).collect();
        Labels { shares, effects }
    }

    fn draw(&self, draws: &mut Pcg) -> usize {
        let u = draws.uniform();
        self.shares.partition_point(|share| *share <= u).min(self.shares.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_rows_leave_the_first_ones_what_they_are() {
        let (few, more) = (wide_table(50, 12, 3), wide_table(80, 12, 3));
        assert_eq!((more.n_rows(), more.schema().len()), (80, 14));
        for slot in 0..few.schema().len() {
            for row in 0..50 {
                let shown = |table: &Batch| table.column(slot).value(row).to_string();
                assert_eq!(shown(&few), shown(&more));
            }
        }
        let other = wide_table(50, 12, 4);
        assert_ne!(few.column(0).value(0), other.column(0).value(0));
    }

    #[test]
    fn both_classes_and_every_kind_of_trouble_are_there() {
        let table = wide_table(2000, 8, 1);
        let y = table.num(table.schema().slot(WIDE_BINARY_TARGET).unwrap());
        let n_positive = y.iter().filter(|y| **y == 1.0).count();
        assert!((400..1000).contains(&n_positive), "{n_positive}");
        for slot in 0..8 {
            let n_missing = (0..2000).filter(|&row| table.column(slot).is_missing(row)).count();
            assert!((50..160).contains(&n_missing), "{slot}: {n_missing}");
        }
    }
}
