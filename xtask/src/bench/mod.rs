//! `bench`: what things cost here, in one table; beside peers where a Python with them is at hand.
//!
//! Runs the criterion benches of the light packages and lists their medians; research, built as for
//! tests, writes the rows of the loans pipeline for them. With `--research`, gathering stands
//! beside polars, or beside a binary COPY, with the memory of both. Then fits models on a
//! generated table in programs of their own, ours and the peer's in turn, and lists the median of
//! the rounds side by side: a machine that is busy slows both.

mod estimates;
mod gather;
mod peers;
mod rows;

use clap::Args;
use comfy_table::{CellAlignment, Table, presets};

use crate::command;

/// The packages with benches that need no polars.
const PACKAGES: [&str; 2] = ["samescore-core", "samescore-deploy"];

/// What to measure.
#[derive(Args)]
pub struct Options {
    /// Only benches whose name holds this text.
    #[arg(value_name = "TEXT")]
    filter: Option<String>,
    /// Fewer samples: minutes instead of an hour, and rougher figures.
    #[arg(long)]
    quick: bool,
    /// Also the benches of the research package, which builds polars for release.
    #[arg(long)]
    research: bool,
    /// Only the fits beside peers.
    #[arg(long)]
    peers_only: bool,
    /// The Python that has the peers (`numpy`, `lightgbm`, `scikit-learn`).
    #[arg(long, default_value = "python3")]
    python: String,
    /// Rows of the generated table.
    #[arg(long, default_value_t = 200_000)]
    rows: u64,
    /// Features of the generated table.
    #[arg(long, default_value_t = 50)]
    columns: u64,
    /// Rounds in which ours and the peer take turns.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// Measures and prints; true if everything ran.
///
/// # Errors
/// If a program cannot be built or its figures cannot be read.
pub fn run(options: &Options) -> Result<bool, String> {
    let mut passed = true;
    if !options.peers_only {
        passed &= benches(options)?;
        let found = estimates::collect(&command::target().join("criterion"))?;
        let wanted = |name: &str| options.filter.as_ref().is_none_or(|text| name.contains(text));
        let shown: Vec<estimates::Estimate> =
            found.into_iter().filter(|e| wanted(&e.name)).collect();
        println!("{}", medians(shown.iter()));
        if let Some(beside) = gather::beside(&shown, &gather::spent(&command::target())?) {
            println!("{beside}");
        }
    }
    if options.filter.is_none() || options.peers_only {
        passed &= peers::run(options)?;
    }
    Ok(passed)
}

fn benches(options: &Options) -> Result<bool, String> {
    let research = options.research.then_some("samescore-research");
    rows::put()?;
    let mut passed = true;
    for package in PACKAGES.into_iter().chain(research) {
        let mut args = vec!["bench", "--package", package];
        // Its programs and tests know nothing of what the benches are asked.
        match Some(package) == research {
            true => args.extend(["--bench", "gather", "--"]),
            false => args.extend(["--benches", "--"]),
        }
        args.extend(options.quick.then_some("--quick"));
        args.extend(options.filter.as_deref());
        passed &= command::passes(&mut command::cargo(&args))?;
    }
    Ok(passed)
}

fn medians<'e>(estimates: impl Iterator<Item = &'e estimates::Estimate>) -> String {
    let mut table = table(&["bench", "median", "per element"]);
    for e in estimates {
        let each = e.elements.map(|n| time(e.nanoseconds / n as f64)).unwrap_or_default();
        table.add_row([e.name.clone(), time(e.nanoseconds), each]);
    }
    right(&mut table, 1..3);
    table.to_string()
}

/// A duration with a fitting unit, three digits.
fn time(nanoseconds: f64) -> String {
    let units = [(1e9, "s"), (1e6, "ms"), (1e3, "us")];
    let unit = units.into_iter().find(|(size, _)| nanoseconds >= *size);
    let (size, name) = unit.unwrap_or((1.0, "ns"));
    let n = nanoseconds / size;
    let digits = if n >= 100.0 { 0 } else { 1 + usize::from(n < 10.0) };
    format!("{n:.digits$} {name}")
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header(header);
    table
}

fn right(table: &mut Table, columns: std::ops::Range<usize>) {
    for column in columns {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_three_digits_and_a_unit() {
        let shown = [0.25, 12.34, 999.6, 1234.5, 2.5e6, 4.26e9].map(time);
        assert_eq!(shown, ["0.25 ns", "12.3 ns", "1000 ns", "1.23 us", "2.50 ms", "4.26 s"]);
    }
}
