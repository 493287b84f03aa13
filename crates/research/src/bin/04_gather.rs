//! The same rows, whatever they come from: one table from three sources, one fingerprint; and a
//! query that no database can answer twice in the same way.
//! Run it: `cargo run -p samescore-research --bin 04_gather`.

use std::collections::BTreeMap;
use std::path::Path;

use samescore_core::aggregate::{GroupBy, GroupFunc, MemoryRows};
use samescore_core::batch::Batch;
use samescore_core::canonical::Canonical;
use samescore_core::config::{ColumnConfig, DataConfig};
use samescore_core::error::{Code, Error, Result};
use samescore_core::rng::Seed;
use samescore_research::convert::{self, Form};
use samescore_research::gather::{self, Format, Relation, Source};
use samescore_research::gathering::Gathering;
use samescore_research::{notebook, output_file, render, snapshot};

/// Float sums in a database depend on the plan that it chose; this query is never sent.
const QUERY: &str = "SELECT pclass, avg(fare) FROM titanic GROUP BY pclass";

fn main() -> Result<()> {
    let folder = tempfile::tempdir()
        .map_err(|e| Error::new(Code::Io, format!("no temporary folder: {e}")))?;

    let csv = notebook::table("titanic.csv");
    let columns = gather::infer(Source::from(&*csv), &[])?;
    let data = DataConfig { columns, ..DataConfig::default() };
    let passengers = gather::read(Source::from(&*csv), &data, &[])?;
    let text = format!(
        "{} passengers, {} columns, kinds inferred from all rows:",
        passengers.n_rows(),
        data.columns.len()
    );
    print!("{}", notebook::heading("The table", &text));
    let kinds: Vec<Vec<String>> =
        data.columns.iter().map(|(name, c)| vec![name.clone(), c.kind.to_string()]).collect();
    print!("{}", render::table(&["column", "kind"], &kinds));

    let parquet = folder.path().join("titanic.parquet");
    three_sources(&passengers, &data.columns, &csv, &parquet)?;
    keep(&folder.path().join("snapshots"), [Source::from(&csv), Source::from(&parquet)])?;

    let text = "An average over floats is added up in the order of the day:";
    print!("{}", notebook::heading("A query that is refused", text));
    let query = format!("sqlite://{}?query={QUERY}", parquet.with_extension("db").display());
    match Source::parse(query, Path::new("")).and_then(|query| gather::infer(query, &[])) {
        Ok(_) => println!("it was accepted"),
        Err(error) => println!("{error}"),
    }
    let text = "Sums of groups are taken here, exactly, whatever the order of the rows:";
    print!("{}", notebook::heading("What to do instead", text));
    let fares = GroupBy::new(&["pclass"]).column("n", GroupFunc::Count, None).column(
        "mean_fare",
        GroupFunc::Mean,
        Some("fare"),
    );
    let means = fares.run(&MemoryRows::from_batch(passengers))?;
    let names: Vec<&str> = means.schema().names().collect();
    let shown = |row: usize| means.columns().iter().map(move |c| c.value(row).to_string());
    let rows: Vec<Vec<String>> = (0..means.n_rows()).map(|row| shown(row).collect()).collect();
    print!("{}", render::table(&names, &rows));
    Ok(())
}

/// Writes the passengers in two other forms, and gathers all three.
fn three_sources(
    passengers: &Batch,
    columns: &BTreeMap<String, ColumnConfig>,
    csv: &Path,
    parquet: &Path,
) -> Result<()> {
    let text = "The rows shuffled into Parquet, shuffled again into SQLite, and as they are.";
    print!("{}", notebook::heading("Three sources", text));
    let sqlite = parquet.with_extension("db");
    let form = Form::File { format: Format::Parquet, group_rows: Some(500) };
    let one = convert::write(&convert::shuffled(passengers, Seed(1)), columns, &form)?;
    output_file::replace(parquet, &one)?;
    let form = Form::Sqlite("titanic".to_owned());
    let other = convert::write(&convert::shuffled(passengers, Seed(2)), columns, &form)?;
    output_file::replace(&sqlite, &other)?;
    let table = Source::Sqlite(sqlite, Relation::Table("titanic".to_owned()));
    let mut rows = Vec::new();
    for (name, source) in
        [("CSV", Source::from(csv)), ("Parquet", Source::from(parquet)), ("SQLite", table)]
    {
        let gathering = Gathering::of(source);
        let table = Canonical::new(gathering.read_rows()?, &[])?;
        rows.push(vec![
            name.to_owned(),
            table.batch().n_rows().to_string(),
            table.fingerprint().to_string(),
        ]);
    }
    print!("{}", render::table(&["source", "rows", "fingerprint"], &rows));
    Ok(())
}

/// Stores what sources give under its fingerprint.
fn keep(folder: &Path, sources: [Source; 2]) -> Result<()> {
    let text = "A snapshot has its fingerprint for a name: the same rows are found, not written.";
    print!("{}", notebook::heading("Keep it", text));
    for source in sources {
        let gathering = Gathering::of(source);
        let table = Canonical::new(gathering.read_rows()?, &[])?;
        let stored = snapshot::store(folder, &table, &gathering.about())?;
        let how = if stored.is_new { "written" } else { "found" };
        println!("{how}: {}", stored.manifest.fingerprint);
    }
    Ok(())
}
