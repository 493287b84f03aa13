//! Fits beside those of peers, in turn, in one run.

use std::path::Path;
use std::process::Command;

use serde::Deserialize;

use super::{Options, right, table};
use crate::command;

/// The program that fits ours, an example of serve, which may read a clock.
const OURS: &str = "time_fit";
const PEERS: &str = include_str!("peers.py");
const TASKS: [&str; 8] = [
    "boosting",
    "forest",
    "ordinary",
    "ridge",
    "logistic",
    "network",
    "network_tanh",
    "network_logistic",
];
const THREADS: [&str; 2] = ["1", "2"];

/// One fit.
#[derive(Clone, Debug, Deserialize)]
struct Fit {
    by: String,
    seconds: f64,
    figure: f64,
}

/// Fits every task in every number of threads and prints the medians.
pub fn run(options: &Options) -> Result<bool, String> {
    let args = ["build", "--release", "--package", "samescore-serve", "--example", OURS];
    let program = command::built(&args, OURS)?;
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    let script = folder.path().join("peers.py");
    std::fs::write(&script, PEERS).map_err(|e| e.to_string())?;
    let file = folder.path().join("table.f64");
    let [rows, columns] = [options.rows, options.columns].map(|n| n.to_string());
    let width = (options.columns + 2).to_string();
    let shape = ["write", rows.as_str(), columns.as_str()];
    command::output(Command::new(&program).args(shape).arg(&file))?;
    let has_peers = has_peers(&options.python);
    if !has_peers {
        let python = &options.python;
        println!("peers not run: `{python}` has no numpy, lightgbm and scikit-learn");
    }
    let mut shown = table(&["fit", "threads", "ours", "peer", "ratio", "figure", "peer's", "by"]);
    for (task, threads) in TASKS.iter().flat_map(|task| THREADS.map(|threads| (task, threads))) {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..options.rounds.max(1) {
            let mut fit = Command::new(&program);
            ours.push(read(fit.args([task, rows.as_str(), columns.as_str(), threads]))?);
            if has_peers {
                let mut fit = Command::new(&options.python);
                fit.arg(&script).arg(task).arg(&file).args([&rows, &width]).arg(threads);
                theirs.push(read(&mut fit)?);
            }
        }
        shown.add_row(row(task, threads, &ours, &theirs));
    }
    right(&mut shown, 1..7);
    println!("{} rows x {} features, of which four fifths are fitted on", rows, columns);
    println!("{shown}");
    Ok(true)
}

fn has_peers(python: &str) -> bool {
    let import = ["-c", "import numpy, lightgbm, sklearn"];
    let found = Command::new(python).args(import).output();
    found.is_ok_and(|output| output.status.success())
}

fn read(program: &mut Command) -> Result<Fit, String> {
    let said = command::output(program)?;
    serde_json::from_slice(&said).map_err(|e| {
        let name = Path::new(program.get_program()).display().to_string();
        format!("`{name}`: expected seconds and figure, found {e}")
    })
}

fn row(task: &str, threads: &str, ours: &[Fit], theirs: &[Fit]) -> Vec<String> {
    let seconds = |fits: &[Fit]| {
        let mut all: Vec<f64> = fits.iter().map(|fit| fit.seconds).collect();
        // Durations are positive, so their bits are in the order of their sizes.
        all.sort_by_key(|seconds| seconds.to_bits());
        all.get(all.len() / 2).copied()
    };
    let shown =
        |x: Option<f64>, digits: usize| x.map_or("–".to_owned(), |x| format!("{x:.digits$}"));
    let (a, b) = (seconds(ours), seconds(theirs));
    let figure = |fits: &[Fit]| shown(fits.first().map(|fit| fit.figure), 4);
    vec![
        task.to_owned(),
        threads.to_owned(),
        shown(a, 2),
        shown(b, 2),
        shown(a.zip(b).map(|(a, b)| a / b), 2),
        figure(ours),
        figure(theirs),
        theirs.first().map_or("–".to_owned(), |fit| fit.by.clone()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_stand_side_by_side() {
        let fit = |seconds: f64| Fit { by: "peer 1".to_owned(), seconds, figure: 0.75 };
        let ours = [fit(3.0), fit(1.0), fit(2.0)];
        let shown = row("ridge", "2", &ours, &[fit(4.0)]);
        assert_eq!(shown, ["ridge", "2", "2.00", "4.00", "0.50", "0.7500", "0.7500", "peer 1"]);
        assert_eq!(row("ridge", "2", &ours, &[])[3], "–");
    }
}
