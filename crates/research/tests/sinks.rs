//! Scores written back to files and tables: all of them or none, and the same when run again.

#[cfg(unix)]
#[path = "postgres/server.rs"]
#[expect(dead_code, reason = "readers of a server use the rest")]
mod server;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rusqlite::Connection;

const CONFIG: &str = "[data]\nkey = [\"id\"]\n[data.columns]\nid = \"text\"\nday = \"time\"\n\
    x = \"num\"\ny = \"num\"\n[target]\ncolumn = \"y\"\ntask = \"regression\"\n\
    [[step]]\nkind = \"drop_columns\"\nname = \"keep_x\"\ncolumns = [\"day\"]\n\
    [model]\nkind = \"linear_regression\"\n";

fn samescore(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_samescore")).args(args).output().expect("the program starts")
}

fn succeed(args: &[&str]) -> String {
    let output = samescore(args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn fail(args: &[&str]) -> String {
    let output = samescore(args);
    assert!(!output.status.success(), "{args:?}");
    String::from_utf8(output.stderr).expect("UTF-8")
}

/// A folder with an artifact, its rows, and rows one of which has no score.
struct Case {
    folder: tempfile::TempDir,
}

impl Case {
    fn new() -> Self {
        let case = Case { folder: tempfile::tempdir().expect("a folder") };
        let mut rows = String::from("id,day,x,y\n");
        (0..40)
            .for_each(|i| rows += &format!("k{i},2024-01-{:02},{},{}\n", i % 28 + 1, i, 3 * i + 1));
        std::fs::write(case.path("rows.csv"), &rows).expect("the rows");
        rows += "odd,,oops,0\n";
        std::fs::write(case.path("new.csv"), &rows).expect("the rows");
        std::fs::write(case.path("c.toml"), CONFIG).expect("the config");
        let (config, rows, artifact) =
            (case.of("c.toml"), case.of("rows.csv"), case.of("a.samescore"));
        succeed(&["fit", &config, "--data", &rows, "--out", &artifact]);
        case
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn of(&self, name: &str) -> String {
        self.path(name).to_str().expect("UTF-8").to_owned()
    }

    fn score(&self, out: &str) -> String {
        succeed(&["score", &self.of("a.samescore"), &self.of("new.csv"), "--out", out])
    }

    /// The scores as a CSV has them: id, row_key, bits, code.
    fn expected(&self) -> Vec<[String; 4]> {
        let listed = succeed(&["score", &self.of("a.samescore"), &self.of("new.csv")]);
        let row = |line: &str| {
            let cells: Vec<&str> = line.splitn(6, ',').collect();
            [cells[0], cells[1], cells[3], cells[4]].map(str::to_owned)
        };
        let mut rows: Vec<_> = listed.lines().skip(1).map(row).collect();
        rows.sort();
        rows
    }
}

fn of_sqlite(path: &Path) -> Vec<[String; 4]> {
    let connection = Connection::open(path).expect("the file opens");
    let text = "SELECT id, row_key, ifnull(bits, ''), ifnull(code, '') FROM s ORDER BY 1, 2";
    let mut statement = connection.prepare(text).expect("the table is there");
    let rows =
        statement.query_map([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]));
    rows.expect("rows").collect::<Result<_, _>>().expect("rows")
}

#[test]
fn a_table_of_sqlite_holds_the_scores_once() {
    let case = Case::new();
    let (path, out) = (case.path("s.db"), format!("sqlite://{}?table=s", case.of("s.db")));
    let said = case.score(&out);
    assert!(said.contains("41, of which 1 without a score"), "{said}");
    assert_eq!(of_sqlite(&path), case.expected());
    case.score(&out);
    assert_eq!(of_sqlite(&path), case.expected());
    let connection = Connection::open(&path).expect("the file opens");
    connection.execute("INSERT INTO s (id, artifact) VALUES ('x', 'another')", []).expect("a row");
    case.score(&out);
    let count =
        |text: &str| connection.query_row(text, [], |row| row.get::<_, i64>(0)).expect("one");
    assert_eq!(count("SELECT count(*) FROM s"), 42);
    assert_eq!(count("SELECT count(DISTINCT artifact) FROM s"), 2);
    assert_eq!(count("SELECT count(*) FROM s WHERE score IS NULL AND reason LIKE '%oops%'"), 1);
}

#[test]
fn rows_of_a_database_are_scored_into_another_table_of_it() {
    let case = Case::new();
    let (path, db) = (case.path("s.db"), format!("sqlite://{}", case.of("s.db")));
    let (artifact, rows) = (case.of("a.samescore"), case.of("rows.csv"));
    succeed(&["convert", &case.of("c.toml"), &format!("{db}?table=Rows"), "--data", &rows]);
    let said = fail(&["convert", &case.of("c.toml"), &format!("{db}?table=s"), "--data", &rows]);
    assert!(said.contains("expected a new file of SQLite to write, found"), "{said}");
    let query = format!("{db}?query=SELECT id, day, x FROM Rows");
    let expected = format!("{db}?table=s");
    succeed(&["score", &artifact, &rows, "--out", &case.of("e.jsonl")]);
    let scores = || {
        let mut rows = of_sqlite(&path);
        rows.sort();
        rows
    };
    for (source, journal) in [(format!("{db}?table=rows"), "wal"), (query, "delete")] {
        let connection = Connection::open(&path).expect("the file opens");
        connection.pragma_update(None, "journal_mode", journal).expect("a journal");
        drop(connection);
        succeed(&["score", &artifact, &source, "--out", &expected]);
        let first = scores();
        assert_eq!(first.len(), 40);
        let listed = std::fs::read_to_string(case.path("e.jsonl")).expect("the scores");
        assert!(first.iter().all(|row| listed.contains(&row[2])), "{first:?}");
        succeed(&["score", &artifact, &source, "--out", &expected, "--hold", "0"]);
        assert_eq!(scores(), first);
    }
    // The table that is read stays what it is, and so do the files that are read.
    let before = std::fs::read(&path).expect("the file");
    for (source, out) in [
        (format!("{db}?table=rows"), format!("{db}?table=ROWS")),
        (format!("{db}?table=main.rows"), format!("{db}?table=rows")),
        (format!("{db}?table=rows"), format!("sqlite://{artifact}?table=s")),
    ] {
        let said = fail(&["score", &artifact, &source, "--out", &out]);
        assert!(said.contains("SS0110") && said.contains("nothing was done"), "{said}");
    }
    assert!(std::fs::read(&path).expect("the file") == before);
}

#[test]
fn a_table_of_another_shape_is_left_as_it_was() {
    let case = Case::new();
    let (path, out) = (case.path("s.db"), format!("sqlite://{}?table=s", case.of("s.db")));
    let connection = Connection::open(&path).expect("the file opens");
    connection
        .execute_batch("CREATE TABLE s (id TEXT); INSERT INTO s VALUES ('mine')")
        .expect("it");
    drop(connection);
    let (artifact, rows) = (case.of("a.samescore"), case.of("new.csv"));
    let said = fail(&["score", &artifact, &rows, "--out", &out]);
    assert!(said.contains("SS0202") && said.contains("expected the columns"), "{said}");
    let connection = Connection::open(&path).expect("the file opens");
    let kept: String = connection.query_row("SELECT id FROM s", [], |row| row.get(0)).expect("one");
    assert_eq!(kept, "mine");
    // A file that is none, a folder that is not there, a query: nothing new appears.
    std::fs::write(case.path("text.db"), "no database, but long enough to be read as one")
        .expect("it");
    for out in
        ["sqlite://text.db?table=s", "sqlite://no/s.db?table=s", "sqlite://q.db?query=SELECT 1"]
    {
        let out = out.replace("sqlite://", &format!("sqlite://{}/", case.folder.path().display()));
        fail(&["score", &artifact, &rows, "--out", &out]);
    }
    assert!(!case.path("q.db").exists() && !case.path("no").exists());
}

#[test]
fn files_hold_the_same_scores() {
    let case = Case::new();
    let columns = "[data.columns]\nid = \"text\"\nrow_key = \"text\"\nbits = \"text\"\ncode = \
    \"text\"\n\
        score = \"num\"\nartifact = \"text\"\n[target]\ncolumn = \"score\"\ntask = \"regression\"\n\
        [model]\nkind = \"linear_regression\"\n";
    let config = samescore_core::config::Config::from_toml(columns).expect("a config");
    for name in ["s.parquet", "s.jsonl"] {
        case.score(&case.of(name));
        let first = std::fs::read(case.path(name)).expect("the file");
        case.score(&case.of(name));
        assert_eq!(std::fs::read(case.path(name)).expect("the file"), first, "{name}");
        let read = samescore_research::gather::read(&case.path(name), &config.data, &[]);
        let read = read.expect("it is read");
        let text = |name: &str, row: usize| {
            let slot = read.schema().position(name).expect("the column");
            let value = read.column(slot).value(row);
            match value {
                samescore_core::batch::Value::Text(text) => text.unwrap_or_default(),
                other => other.to_string(),
            }
        };
        let row = |row: usize| ["id", "row_key", "bits", "code"].map(|name| text(name, row));
        let mut rows: Vec<_> = (0..read.n_rows()).map(row).collect();
        rows.sort();
        assert_eq!(rows, case.expected(), "{name}");
        assert_eq!(text("artifact", 0).len(), 64);
    }
}

#[cfg(unix)]
#[test]
fn a_table_of_a_server_holds_the_scores_once() {
    use server::{PASSWORD, USER, shared};
    let Some(server) = shared() else { return };
    let case = Case::new();
    let address = server.address();
    let place = format!("postgres://{USER}@{}", address.host.replace('/', "%2F"));
    let out = format!("{place}:{}/postgres?table=Scores 1", address.port);
    let mut client = server.client();
    let mut rows = || -> Vec<[String; 4]> {
        let text = "SELECT id, row_key, coalesce(bits, ''), coalesce(code, '') FROM \"Scores 1\" \
            WHERE artifact <> 'another' ORDER BY id COLLATE \"C\", row_key COLLATE \"C\"";
        let rows = client.query(text, &[]).expect("the table is there");
        rows.iter().map(|row| [0, 1, 2, 3].map(|at| row.get(at))).collect()
    };
    case.score(&out);
    assert_eq!(rows(), case.expected());
    case.score(&out);
    assert_eq!(rows(), case.expected());
    // What another transaction sees meanwhile, and a failure in the middle, is the table before.
    let mut other = server.client();
    let text = "INSERT INTO \"Scores 1\" (id, artifact) VALUES ('x', 'another'); \
        ALTER TABLE \"Scores 1\" ADD CONSTRAINT small CHECK (id <> 'odd') NOT VALID";
    other.batch_execute(text).expect("a constraint");
    let (artifact, new) = (case.of("a.samescore"), case.of("new.csv"));
    let said = fail(&["score", &artifact, &new, "--out", &out]);
    assert!(said.contains("SS0505") && said.contains("violates check constraint"), "{said}");
    assert!(!said.contains(PASSWORD));
    assert_eq!(rows(), case.expected());
    other.batch_execute("CREATE TABLE mine (id text)").expect("a table");
    let said = fail(&["score", &artifact, &new, "--out", &out.replace("Scores 1", "mine")]);
    assert!(said.contains("SS0202") && said.contains("expected the columns"), "{said}");
    // Rows of the same database are scored into it.
    let text = "CREATE TABLE fresh AS SELECT id, null::timestamptz AS day, 2.5::float8 AS x \
        FROM \"Scores 1\" WHERE code IS NULL";
    other.batch_execute(text).expect("a table");
    let source = out.replace("Scores 1", "fresh");
    succeed(&["score", &artifact, &source, "--out", &out.replace("Scores 1", "of_fresh")]);
    let count = "SELECT count(*) FROM of_fresh WHERE score IS NOT NULL";
    assert_eq!(other.query_one(count, &[]).expect("one").get::<_, i64>(0), 41);
    // Scores, read back as a source.
    let rows = succeed(&[
        "score",
        &artifact,
        &format!(
            "{place}:{}/postgres?query=\
        select id, null::timestamptz as day, 1.5::float8 as x from \"Scores 1\" where code is null",
            address.port
        ),
    ]);
    assert_eq!(rows.lines().count(), 42, "{rows}");
}

#[test]
fn a_file_of_a_form_that_is_not_written_is_refused_by_its_name() {
    let case = Case::new();
    let (artifact, rows) = (case.of("a.samescore"), case.of("new.csv"));
    for name in ["s.csv.gz", "s.arrow", "s.feather", "s.json", "s.xlsx"] {
        let said = fail(&["score", &artifact, &rows, "--out", &case.of(name)]);
        assert!(said.contains("a file ending in .csv, .parquet or .jsonl"), "{said}");
        let said = fail(&["transform", &artifact, &rows, "--out", &case.of(name)]);
        assert!(said.contains("a file ending in .csv to write"), "{said}");
        assert!(!case.path(name).exists());
    }
    let said = fail(&["transform", &artifact, &rows, "--out", &case.of("s.parquet")]);
    assert!(said.contains("a file ending in .csv to write"), "{said}");
}
