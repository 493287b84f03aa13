//! One table is one table, whatever it comes from.

use samescore_core::config::Config;
use samescore_core::models::LinearRegressionParams;
use samescore_core::par::Threads;
use samescore_core::rng::Seed;
use samescore_core::{example, pipeline};

use super::*;

/// The identity of the rows of a batch, whatever their order.
fn fingerprint(batch: Batch) -> String {
    let target = example::REGRESSION_TARGET;
    let mut config = Config::new(
        target,
        samescore_core::config::Task::Regression,
        LinearRegressionParams::default(),
    );
    let columns = example::COLUMNS.iter().map(|(n, kind)| ((*n).to_owned(), (*kind).into()));
    config.data.columns = columns.collect();
    pipeline::Table::new(&config, &batch).unwrap().fingerprint().to_string()
}

#[test]
fn a_table_has_one_identity_in_every_format_order_split_and_number_of_threads() {
    let data = declared(example::COLUMNS);
    let table = example::table(300, 5);
    let expected = fingerprint(table.clone());
    for (at, ending) in FILES.iter().enumerate() {
        let rows = convert::shuffled(&table, Seed(at as u64));
        for n_files in [1, 2, 7] {
            let folder = folder();
            for file in 0..n_files {
                let picked: Vec<usize> = (0..300).filter(|row| row % n_files == file).collect();
                let name = format!("part-{file}.{ending}");
                written(folder.path(), &name, &rows.select(&picked), Some(1 + 17 * file));
            }
            let sources = [folder.path().join(format!("*.{ending}")), folder.path().to_owned()];
            for (n_threads, source) in [1, 2, 3, 8].iter().zip(sources.iter().cycle()) {
                let threads = Threads::new(*n_threads).unwrap();
                let read = threads.run(|| gather::read(source, &data, &[])).unwrap();
                let what = format!("{ending}, {n_files} files, {n_threads} threads");
                assert_eq!(fingerprint(read), expected, "{what}");
                let inferred = threads.run(|| gather::infer(source, &[])).unwrap();
                assert_eq!(inferred, data.columns, "{what}");
            }
        }
    }
    let folder = folder();
    let source = stored(folder.path(), "t.db", &convert::shuffled(&table, Seed(9)));
    assert_eq!(fingerprint(gather::read(&source, &data, &[]).unwrap()), expected);
    assert_eq!(gather::infer(&source, &[]).unwrap(), data.columns);
}

#[test]
fn a_long_table_is_the_same_from_chunks_on_any_number_of_threads() {
    // Some megabytes, so that the file is cut; quotes and line ends in cells.
    let mut text = "id,n,s,t\n".to_owned();
    let mut lines = String::new();
    for row in 0..60_000 {
        let (day, n) = (1 + row % 28, f64::from(row) / 7.0);
        let s = if row % 3 == 0 {
            "x, \"\"y\"\"\nz".to_owned()
        } else {
            format!("label {}", row % 500)
        };
        text.push_str(&format!("{row},{n},\"{s}\",2020-01-{day:02}\n"));
        let s = s.replace("\"\"", "\\\"").replace('\n', "\\n");
        lines.push_str(&format!(
            "{{\"n\":{n},\"t\":\"2020-01-{day:02}\",\"s\":\"{s}\",\"id\":{row}}}\n"
        ));
    }
    let kinds = [
        ("id", ColumnKind::Num),
        ("n", ColumnKind::Num),
        ("s", ColumnKind::Text),
        ("t", ColumnKind::Time),
    ];
    let folder = folder();
    let data = declared(&kinds);
    let csv = put(folder.path(), "t.csv", &text);
    let json = put(folder.path(), "t.jsonl", &lines);
    let one = Threads::new(1).unwrap().run(|| gather::read(&csv, &data, &[])).unwrap();
    assert_eq!(one.n_rows(), 60_000);
    for n_threads in [1, 2, 3, 8] {
        let threads = Threads::new(n_threads).unwrap();
        for path in [&csv, &json] {
            let read = threads.run(|| gather::read(path, &data, &[])).unwrap();
            for name in ["id", "n", "s", "t"] {
                assert_eq!(cells(&read, name), cells(&one, name), "{name} {n_threads}");
            }
            assert_eq!(threads.run(|| gather::infer(path, &[])).unwrap(), data.columns);
        }
    }
    // What is wrong far down is wrong in that row.
    let bad = text.clone() + "60000,x,\"a\",2020-01-01\n60001,1,\"a\"\n";
    let bad = put(folder.path(), "bad.csv", bad);
    assert_eq!(
        refusal(folder.path(), &bad, &kinds),
        "row 60001: `bad.csv` line 80003: expected 4 cells, found 3 \
         (give every row a cell for every name in the header)"
    );
    let bad = put(folder.path(), "bad.csv", text + "60000,x,\"a\",2020-01-01\n");
    let read = gather::read(&bad, &data, &[]).unwrap();
    assert_eq!(
        faults(&read),
        [(
            60_000,
            "column `n`: row 60000: expected number, found text \"x\" \
             (declare it as text, or declare this text as a missing marker)"
                .to_owned()
        )]
    );
    let bad = put(folder.path(), "bad.jsonl", lines + "{\"n\":1}\n{\"n\":tru}\n");
    assert_eq!(
        refusal(folder.path(), &bad, &kinds),
        "column `n`: row 60001: `bad.jsonl` line 60002: expected a value, found \"tru}\""
    );
}

#[test]
fn files_of_one_table_have_the_same_columns_and_their_faults_name_the_file() {
    let folder = folder();
    put(folder.path(), "a.csv", "n,s\n1,x\n");
    put(folder.path(), "b.csv", "s,n\nx,2\ny,?\n");
    let kinds = [("n", ColumnKind::Num), ("s", ColumnKind::Text)];
    let both = folder.path().join("*.csv");
    let read = gather::read(&both, &declared(&kinds), &[]).unwrap();
    assert_eq!(cells(&read, "n"), ["number 1", "number 2", "missing number"]);
    assert_eq!(cells(&read, "s"), ["text \"x\"", "text \"x\"", "text \"y\""]);
    let fault = faults(&read).remove(0);
    let said = fault.1.replace(&format!("{}/", folder.path().display()), "");
    assert_eq!(
        (fault.0, said.as_str()),
        (
            2,
            "column `n`: row 2: `b.csv` row 1: expected number, found text \"?\" \
             (declare it as text, or declare this text as a missing marker)"
        )
    );
    assert_eq!(gather::infer(&both, &["?".to_owned()]).unwrap(), declared(&kinds).columns);
    put(folder.path(), "c.csv", "n\n1\n");
    assert_eq!(
        uninferred(folder.path(), &both),
        "column `s`: expected it in `c.csv`, found n \
         (files that are one table have the same columns)"
    );
    put(folder.path(), "c.csv", "n,s,z\n1,x,1\n");
    assert_eq!(
        uninferred(folder.path(), &both),
        "column `z`: expected it in `a.csv`, found n, s \
         (files that are one table have the same columns)"
    );
    // Declared columns are found by name; others do not matter.
    assert_eq!(gather::read(&both, &declared(&kinds), &[]).unwrap().n_rows(), 4);
}

#[test]
fn kinds_are_inferred_alike_wherever_values_are_stored() {
    let folder = folder();
    let csv = put(
        folder.path(),
        "t.csv",
        "b,big,d,i,n,none,s,t\ntrue,9007199254740993,1.50,1,0.5,,x,2020-01-02\nfalse,1,2.25,2,1,,\
         1,2020-01-02T03:04:05Z\n",
    );
    let json = put(
        folder.path(),
        "t.jsonl",
        "{\"b\":true,\"big\":9007199254740993,\"d\":1.50,\"i\":1,\"n\":0.5,\"none\":null,\
         \"s\":\"x\",\"t\":\"2020-01-02\"}\n\
         {\"b\":false,\"big\":1,\"d\":2.25,\"i\":2,\"n\":1,\"s\":\"1\",\
         \"t\":\"2020-01-02T03:04:05Z\"}\n",
    );
    let expected = gather::infer(&csv, &[]).unwrap();
    let kinds: Vec<String> = expected.values().map(|column| column.kind.to_string()).collect();
    assert_eq!(kinds, ["text", "text", "num", "num", "num", "num", "text", "time"]);
    assert_eq!(gather::infer(&json, &[]).unwrap(), expected);
    let path = folder.path().join("t.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    let create = "CREATE TABLE t (b, big, d, i, n, none, s, t);\
        INSERT INTO t VALUES ('true', 9007199254740993, 1.50, 1, 0.5, NULL, 'x', '2020-01-02'),\
        ('false', 1, 2.25, 2, 1, NULL, '1', '2020-01-02T03:04:05Z');";
    connection.execute_batch(create).unwrap();
    let address = format!("sqlite://{}?table=t", path.display());
    let source = Source::parse(address, Path::new("")).unwrap();
    assert_eq!(gather::infer(&source, &[]).unwrap(), expected);
}
