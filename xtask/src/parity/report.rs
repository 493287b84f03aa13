//! What parity found, as a table and as JSON.

use comfy_table::{Table, presets};
use serde::Serialize;

/// One pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Its name.
    pub pipeline: String,
    /// The number of rows scored.
    pub n_rows: u64,
    /// Input, steps and score.
    pub n_stages: u64,
    /// In how many ways it was fitted and scored.
    pub n_ways: u64,
    /// How many bits differ, in artifacts and scores, over all ways.
    pub differing_bits: u64,
    /// `equal` or `differs`.
    verdict: &'static str,
    /// The first difference of each way that has one.
    differences: Vec<Difference>,
}

/// The first difference of one way against the reference.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The way.
    pub way: String,
    /// The stage; empty if no stage is to blame.
    pub stage: String,
    /// The column.
    pub column: String,
    /// The key of the row.
    pub row_key: String,
    /// Both values; numbers by their bits.
    pub values: Option<[String; 2]>,
    /// Their distance, if both are numbers.
    pub ulps: Option<u64>,
    /// What differs, in words.
    pub what: String,
}

impl Difference {
    /// A program that failed; the house's messages name step and column.
    pub fn failure(message: &str) -> Self {
        let named = |what: &str| {
            let rest = message.split_once(&format!("{what} `"));
            let name = rest.and_then(|(_, rest)| rest.split_once('`'));
            name.map(|(name, _)| name.to_owned()).unwrap_or_default()
        };
        Difference {
            way: "run".to_owned(),
            stage: named("step"),
            column: named("column"),
            what: message.to_owned(),
            ..Difference::default()
        }
    }

    /// Something in the artifact itself.
    pub fn artifact(what: String) -> Self {
        Difference { way: "artifact".to_owned(), what, ..Difference::default() }
    }

    /// Every way agrees, but not with the snapshot.
    pub fn snapshot(pipeline: &str) -> Self {
        Difference {
            way: "snapshot".to_owned(),
            what: format!(
                "snapshots/parity/{pipeline}.snap records other digests (if that is meant: --bless)"
            ),
            ..Difference::default()
        }
    }

    /// One line: way, place, values, distance.
    fn line(&self, pipeline: &str) -> String {
        let mut line = format!("{pipeline}: {}", self.way);
        let places = [("stage", &self.stage), ("column", &self.column)];
        for (what, name) in places.iter().filter(|(_, name)| !name.is_empty()) {
            line += &format!(": {what} `{name}`");
        }
        if !self.row_key.is_empty() {
            line += &format!(": row {}", self.row_key);
        }
        match (&self.values, self.ulps) {
            (Some([a, b]), Some(1)) => line + &format!(": {a} against {b}, 1 ulp apart"),
            (Some([a, b]), Some(n)) => line + &format!(": {a} against {b}, {n} ulps apart"),
            (Some([a, b]), None) => line + &format!(": {a} against {b}"),
            (None, _) => line + ": " + &self.what,
        }
    }
}

impl Report {
    /// Nothing compared yet.
    pub fn new(pipeline: &str) -> Self {
        Report {
            pipeline: pipeline.to_owned(),
            n_rows: 0,
            n_stages: 0,
            n_ways: 0,
            differing_bits: 0,
            verdict: "equal",
            differences: Vec::new(),
        }
    }

    /// Notes a difference.
    pub fn found(&mut self, difference: Difference) {
        self.verdict = "differs";
        self.differences.push(difference);
    }

    /// Way and stage of the first difference.
    pub fn first_place(&self) -> Option<(&str, &str)> {
        let first = self.differences.first()?;
        Some((&first.way, &first.stage))
    }

    /// The first difference in a line.
    pub fn first_line(&self) -> Option<String> {
        self.differences.first().map(|first| first.line(&self.pipeline))
    }

    /// Whether the first difference names a cell: its column, row and both values.
    pub fn is_first_a_cell(&self) -> bool {
        let is_cell =
            |d: &Difference| !d.column.is_empty() && !d.row_key.is_empty() && d.values.is_some();
        self.differences.first().is_some_and(is_cell)
    }

    /// Whether nothing differs.
    pub fn is_equal(&self) -> bool {
        self.differences.is_empty()
    }
}

/// A table, then every difference in a line.
pub fn text(reports: &[Report]) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header(["pipeline", "rows", "stages", "ways", "differing bits", "verdict"]);
    for r in reports {
        let counts = [r.n_rows, r.n_stages, r.n_ways, r.differing_bits];
        let counts = counts.map(|n| n.to_string());
        let [rows, stages, ways, bits] = counts;
        table.add_row([r.pipeline.clone(), rows, stages, ways, bits, r.verdict.to_owned()]);
    }
    let right = comfy_table::CellAlignment::Right;
    (1..5).filter_map(|i| table.column_mut(i).map(|c| c.set_cell_alignment(right))).count();
    let lines = reports
        .iter()
        .flat_map(|r| r.differences.iter().map(|d| format!("\n{}", d.line(&r.pipeline))));
    table.to_string() + &lines.collect::<String>()
}

/// One JSON object.
pub fn json(reports: &[Report]) -> String {
    let equal = reports.iter().all(Report::is_equal);
    serde_json::json!({ "equal": equal, "pipelines": reports }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn differing() -> Report {
        let mut report = Report::new("titanic");
        report.differing_bits = 1;
        report.found(Difference {
            way: "serve debug rows".to_owned(),
            stage: "scale".to_owned(),
            column: "fare".to_owned(),
            row_key: "ab".to_owned(),
            values: Some(["0x1".to_owned(), "0x2".to_owned()]),
            ulps: Some(1),
            what: String::new(),
        });
        report
    }

    #[test]
    fn a_difference_is_one_line_with_its_place() {
        let report = differing();
        let line = report.differences[0].line("titanic");
        let place = "titanic: serve debug rows: stage `scale`: column `fare`: row ab: ";
        assert_eq!(line, format!("{place}0x1 against 0x2, 1 ulp apart"));
    }

    #[test]
    fn a_failure_names_step_and_column() {
        let message = "`serve score` gave exit status: 4: step `scale`: column `fare`: expected";
        let difference = Difference::failure(message);
        assert_eq!((&*difference.stage, &*difference.column), ("scale", "fare"));
        assert_eq!(Difference::failure("no such file").stage, "");
    }

    #[test]
    fn text_and_json_say_the_same() {
        let reports = [Report::new("loans"), differing()];
        let table = text(&reports);
        assert!(table.contains("loans") && table.contains("equal") && table.contains("differs"));
        let json: serde_json::Value = serde_json::from_str(&json(&reports)).unwrap();
        assert_eq!(json["equal"], false);
        assert_eq!(json["pipelines"][1]["differences"][0]["column"], "fare");
        assert_eq!(json["pipelines"][0]["verdict"], "equal");
    }
}
