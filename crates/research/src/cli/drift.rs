//! `drift`: how new rows differ from those that an artifact was fitted on.

use std::path::PathBuf;

use samescore_core::artifact::{Artifact, ColumnDrift, Drift, DriftBreak};
use samescore_core::batch::ColumnKind;
use samescore_core::par::Threads;
use samescore_research::stream::BoundRows;
use samescore_research::{render, workflow};
use serde_json::{Value, json};

use super::failure::Failure;
use super::load::{self, RowArgs};
use super::reading::ReadArgs;
use super::shell::{Answer, Shell};

/// Compare new rows with the training rows of an artifact: PSI, missing values, new labels, ranges.
///
/// Exit code 1 if a limit of the artifact's config does not hold. A score is the same whatever
/// drifts.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  samescore drift titanic.samescore passengers.csv")]
pub(super) struct Args {
    /// The artifact.
    artifact: PathBuf,
    #[command(flatten)]
    rows: RowArgs,
    /// The number of threads; 0 means one per core. It cannot change a bit.
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
    #[command(flatten)]
    reading: ReadArgs,
}

pub(super) fn run(args: &Args, shell: &Shell) -> Result<Answer, Failure> {
    let mut gathering = args.rows.gathering()?;
    let progress = shell.progress("loading the artifact");
    let artifact = load::artifact(&args.artifact)?;
    let threads = Threads::new(args.threads)?;
    progress.say(&format!("reading {}", gathering.source));
    gathering.data = workflow::scoring_data(&artifact.payload().config);
    let blocks = args.reading.blocks(&args.rows, &gathering, &threads)?;
    let hear = |done, total| progress.at("comparing", done, total);
    let rows = BoundRows::new(artifact.plan(), &blocks, &hear);
    let drift = threads.run(|| Drift::of(artifact.payload(), &rows))?;
    drop(progress);
    let body = shell.body(|| text(&artifact, &drift), || answer(&artifact, &drift));
    Ok(if drift.holds() { Answer::yes(body) } else { Answer::no(body) })
}

/// What the rows are, apart from how they drift.
fn answer(artifact: &Artifact, drift: &Drift) -> Value {
    let payload = artifact.payload();
    json!({
        "command": "drift",
        "artifact": artifact.digest().to_string(),
        "config_fingerprint": payload.config_fingerprint.to_string(),
        "data_fingerprint": payload.data_fingerprint.to_string(),
        "n_trained": payload.n_rows,
        "is_within_limits": drift.holds(),
        "drift": drift,
    })
}

fn text(artifact: &Artifact, drift: &Drift) -> String {
    let payload = artifact.payload();
    let mut about = vec![
        ("artifact", artifact.digest().to_string()),
        ("config", payload.config_fingerprint.to_string()),
        ("trained on", format!("{} rows of data {}", payload.n_rows, payload.data_fingerprint)),
        ("compared", format!("{} rows", drift.n_rows)),
    ];
    if let Some(n_outside) = drift.n_outside {
        about.push(("outside", format!("{n_outside} rows outside the population, not compared")));
    }
    if drift.n_unreadable > 0 {
        about.push(("unreadable", format!("{} rows have a cell not read", drift.n_unreadable)));
    }
    let limits = &drift.limits;
    about.push((
        "limits",
        format!(
            "PSI {}, change of the missing rate {}, new labels {}, out of range {}",
            render::short(limits.psi_max),
            render::short(limits.missing_rate_change_max),
            render::short(limits.new_level_rate_max),
            render::short(limits.out_of_range_rate_max)
        ),
    ));
    if !limits.unjudged.is_empty() {
        about.push(("not judged", limits.unjudged.join(", ")));
    }
    let n_broken = drift.columns.iter().filter(|column| !column.breaks.is_empty()).count();
    about.push((
        "verdict",
        match n_broken {
            _ if drift.n_rows == 0 => "BEYOND THE LIMITS: 0 rows inside the population".to_owned(),
            0 => "within the limits".to_owned(),
            n => format!("BEYOND THE LIMITS in {n} of {} columns", drift.columns.len()),
        },
    ));
    let header =
        ["column", "kind", "PSI", "missing then", "now", "new labels", "out of range", "beyond"];
    let rows: Vec<Vec<String>> = drift.columns.iter().map(row).collect();
    let mut text = render::pairs(&about);
    if !rows.is_empty() {
        text += &render::table(&header, &rows);
    }
    for column in &drift.columns {
        if let Some([listed, all]) = column.n_levels.filter(|[listed, all]| listed < all) {
            text.push_str(&format!(
                "{}: PSI of the {listed} most frequent of {all} labels and of all others together; \
                 which labels are new cannot be told\n",
                column.column
            ));
        }
    }
    for column in drift.columns.iter().filter(|column| !column.new_levels.is_empty()) {
        let shown = column.new_levels.iter().map(|(level, n)| format!("{level:?} ({n})"));
        let shown = shown.collect::<Vec<_>>().join(", ");
        text.push_str(&format!("new in {}: {shown}\n", column.column));
    }
    text
}

fn row(column: &ColumnDrift) -> Vec<String> {
    let rate = |rate: Option<f64>| rate.map_or_else(|| "-".to_owned(), render::short);
    let [then, now] = column.missing_rate.map(render::short);
    let range = match (column.kind, column.out_of_range_rate) {
        (ColumnKind::Text, _) | (_, None) => "-".to_owned(),
        (_, Some(found)) => {
            let (below, above) = (column.n_below, column.n_above);
            format!("{} ({below} below, {above} above)", render::short(found))
        }
    };
    let breaks: Vec<&str> = column.breaks.iter().map(|what| name(*what)).collect();
    vec![
        column.column.clone(),
        column.kind.to_string(),
        rate(column.psi),
        then,
        now,
        rate(column.new_level_rate),
        range,
        breaks.join(", "),
    ]
}

fn name(what: DriftBreak) -> &'static str {
    match what {
        DriftBreak::Psi => "PSI",
        DriftBreak::MissingRate => "missing",
        DriftBreak::NewLevels => "new labels",
        DriftBreak::OutOfRange => "range",
    }
}
