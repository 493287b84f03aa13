//! `gather`: rows from anywhere to a snapshot under the name of their fingerprint.

use std::path::PathBuf;

use samescore_core::batch::{Field, found};
use samescore_core::canonical::Canonical;
use samescore_core::digest::Digest;
use samescore_core::error::{Code, Error};
use samescore_core::par::Threads;
use samescore_research::gathering::Gathering;
use samescore_research::render;
use samescore_research::snapshot::{self, Snapshot};
use serde_json::{Value, json};

use super::failure::Failure;
use super::load;
use super::shell::{Answer, Shell};

/// Gather rows into a snapshot and print their fingerprint.
///
/// The same rows give the same fingerprint, whatever file, format, server or order they come from.
/// Without a config, columns are inferred from all rows.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  samescore gather loans.parquet --out snapshots\n  \
                  samescore gather 'sqlite://loans.db?table=loans' --out snapshots --key id\n  \
                  samescore gather --config loans.toml --out snapshots")]
pub(super) struct Args {
    /// Where the rows come from: a file, a pattern or folder of files, sqlite://, postgres://; with
    /// --config instead of its source, and joined and grouped as it says.
    source: Option<PathBuf>,
    /// The folder of snapshots; without it, only the fingerprint is printed.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// A config that declares columns and key, and perhaps the source and joins.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Columns that are unique together and without gaps; instead of the config's.
    #[arg(long, value_name = "COLUMN,COLUMN", value_delimiter = ',')]
    key: Vec<String>,
    /// The number of threads; 0 means one per core. It cannot change a bit.
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
}

pub(super) fn run(args: &Args, shell: &Shell) -> Result<Answer, Failure> {
    let progress = shell.progress("looking at the source");
    let mut gathering = match (&args.config, &args.source) {
        (Some(config), source) => load::gathering(config, source.as_deref())?,
        (None, Some(source)) => Gathering::of(load::source(source)?),
        (None, None) => {
            let error = Error::new(Code::Usage, "expected a source or a config, found neither");
            return Err(error.remedy("name a file, or give --config").into());
        }
    };
    if !args.key.is_empty() {
        gathering.data.key = args.key.clone();
    }
    let threads = Threads::new(args.threads)?;
    progress.say(&format!("reading {}", gathering.source));
    let batch = threads.run(|| gathering.read_rows())?;
    let names: Vec<String> = batch.schema().names().map(str::to_owned).collect();
    let source = gathering.source.to_string();
    let is_absent = |name: &&String| !names.contains(name);
    if let Some(name) = gathering.data.key.iter().find(is_absent) {
        return Err(found::absent(&source, name, &names).into());
    }
    progress.say(&format!("ordering {} rows", batch.n_rows()));
    let table = threads.run(|| Canonical::new(batch, &gathering.data.key))?;
    let stored = match &args.out {
        None => None,
        Some(folder) => {
            progress.say("writing the snapshot");
            Some(threads.run(|| snapshot::store(folder, &table, &gathering.about()))?)
        }
    };
    drop(progress);
    Ok(Answer::yes(shell.body(
        || text(&table, &gathering, stored.as_ref()),
        || answer(&table, &gathering, stored.as_ref()),
    )))
}

fn text(table: &Canonical, gathering: &Gathering, stored: Option<&Snapshot>) -> String {
    let key = match gathering.data.key.as_slice() {
        [] => "the content of each row".to_owned(),
        names => names.join(", "),
    };
    let mut pairs = vec![
        ("fingerprint", table.fingerprint().to_string()),
        ("source", gathering.source.to_string()),
        ("rows", table.batch().n_rows().to_string()),
        ("key", key),
    ];
    if let Some(stored) = stored {
        let how = if stored.is_new { "written to" } else { "found at" };
        pairs.push((how, stored.path.display().to_string()));
        if stored.manifest.key != gathering.data.key {
            let known = match stored.manifest.key.as_slice() {
                [] => "no key".to_owned(),
                names => names.join(", "),
            };
            pairs.push(("manifest", format!("of the first gathering, with {known}")));
        }
    }
    let fields = table.batch().schema().fields().iter().zip(table.columns());
    let rows: Vec<Vec<String>> = fields
        .map(|(field, digest)| vec![field.name.clone(), field.kind.to_string(), digest.short()])
        .collect();
    render::pairs(&pairs) + &render::table(&["column", "kind", "digest"], &rows)
}

fn answer(table: &Canonical, gathering: &Gathering, stored: Option<&Snapshot>) -> Value {
    let fields = table.batch().schema().fields().iter().zip(table.columns());
    let column = |(field, digest): (&Field, &Digest)| {
        let digest = digest.to_string();
        json!({ "name": field.name, "kind": field.kind, "digest": digest })
    };
    json!({
        "command": "gather",
        "fingerprint": table.fingerprint().to_string(),
        "source": gathering.source.to_string(),
        "n_rows": table.batch().n_rows(),
        "columns": fields.map(column).collect::<Vec<Value>>(),
        "key": gathering.data.key,
        "manifest_key": stored.map(|stored| &stored.manifest.key),
        "path": stored.map(|stored| stored.path.display().to_string()),
        "is_new": stored.map(|stored| stored.is_new),
    })
}
