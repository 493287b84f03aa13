//! Tables and queries of SQLite.

use rusqlite::Connection;

use super::*;

/// A database made by these statements, and its path.
fn made(folder: &Path, statements: &str) -> PathBuf {
    let path = folder.join("t.db");
    Connection::open(&path).unwrap().execute_batch(statements).unwrap();
    path
}

fn address(path: &Path, relation: &str) -> Source {
    Source::parse(format!("sqlite://{}?{relation}", path.display()), Path::new("")).unwrap()
}

#[test]
fn each_cell_is_what_it_is_stored_as() {
    let folder = folder();
    let path = made(
        folder.path(),
        "CREATE TABLE \"a b\" (n, s);
         INSERT INTO \"a b\" VALUES (1, 'x'), (0.5, ''), (NULL, 7), ('2e1', NULL),
         (9007199254740993, x'00'), (1e999, CAST(x'ff' AS TEXT)), (x'01', 'a' || char(0)), (1, \
         0.5);",
    );
    let kinds = [("n", ColumnKind::Num), ("s", ColumnKind::Text)];
    let read = gather::read(address(&path, "table=a%20b"), &declared(&kinds), &[]).unwrap();
    assert_eq!(
        cells(&read, "n"),
        [
            "number 1",
            "number 0.5",
            "missing number",
            "number 20",
            "missing number",
            "number inf",
            "missing number",
            "number 1"
        ]
    );
    assert_eq!(
        cells(&read, "s")[..4],
        ["text \"x\"", "missing text", "text \"7\"", "missing text"]
    );
    let said = faults(&read);
    assert_eq!(
        said,
        [
            (
                4,
                "column `n`: row 4: expected integer up to 2^53, found \"9007199254740993\" \
            (declare the column as text if it is an identifier)"
            ),
            (5, "column `s`: row 5: expected UTF-8 text, found other bytes"),
            (
                6,
                "column `n`: row 6: expected a number or text, found a blob of 1 bytes (cast it \
            in the query)"
            ),
            (
                7,
                "column `s`: row 7: expected text, found float 0.5 (a float has no one text: cast \
            it in the query, or declare the column as num)"
            ),
        ]
        .map(|(row, said)| (row, said.to_owned()))
    );
    let only =
        gather::read(address(&path, "table=a b"), &declared(&[("s", ColumnKind::Text)]), &[]);
    let said = faults(&only.unwrap());
    assert_eq!(
        said[0],
        (
            4,
            "column `s`: row 4: expected a number or text, found a blob of 1 \
    bytes (cast it in the query)"
                .to_owned()
        )
    );
    assert_eq!(said[2], (6, "column `s`: row 6: expected text, found a NUL byte".to_owned()));
}

#[test]
fn a_float_among_labels_is_refused_and_cast_by_a_query() {
    let folder = folder();
    let path = made(
        folder.path(),
        "CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 'x'), (2, 3), (3, 1.5), (4, NULL);",
    );
    let table = address(&path, "table=t");
    let kinds = [("a", ColumnKind::Num), ("b", ColumnKind::Text)];
    assert_eq!(gather::infer(&table, &[]).unwrap(), declared(&kinds).columns);
    let rows = gather::read_inferred(&table, &[]).unwrap();
    let table = samescore_core::canonical::Canonical::new(rows, &[]);
    assert_eq!(
        table.unwrap_err().to_string(),
        "column `b`: row 2: expected text, found float 1.5 (a float has no one text: cast it in \
         the query, or declare the column as num)"
    );
    let cast = address(&path, "query=SELECT a, printf('%25.2f', b) AS b FROM t WHERE a = 3");
    let read = gather::read(cast, &declared(&kinds), &[]).unwrap();
    assert_eq!(cells(&read, "b"), ["text \"1.50\""]);
}

#[test]
fn a_query_gives_its_columns_and_nothing_is_written() {
    let folder = folder();
    let path = made(
        folder.path(),
        "CREATE TABLE t (a REAL, b TEXT); INSERT INTO t VALUES (1, 'x'), (2, 'y'), (3, 'x');
         CREATE VIEW v AS SELECT a * 2 AS c FROM t;",
    );
    let kinds = [("c", ColumnKind::Num)];
    let query = address(&path, "query=SELECT a%2B1 AS c FROM t WHERE b = 'x'");
    let read = gather::read(&query, &declared(&kinds), &[]).unwrap();
    assert_eq!(cells(&read, "c"), ["number 2", "number 4"]);
    let read = gather::read(address(&path, "table=v"), &declared(&kinds), &[]).unwrap();
    assert_eq!(read.n_rows(), 3);
    let before = std::fs::read(&path).unwrap();
    for statement in [
        "DELETE FROM t RETURNING a AS c",
        "DROP TABLE t",
        "INSERT INTO t VALUES (4, 'z') RETURNING a AS c",
    ] {
        let refused = refusal(folder.path(), address(&path, &format!("query={statement}")), &kinds);
        assert!(!refused.starts_with("no refusal"), "{statement}: {refused}");
    }
    assert!(std::fs::read(&path).unwrap() == before);
    // Whatever the journal, a database that others write to is read as it was at one moment.
    let writer = Connection::open(&path).unwrap();
    writer
        .execute_batch("PRAGMA journal_mode = wal; BEGIN; INSERT INTO t VALUES (9, 'x')")
        .unwrap();
    assert_eq!(gather::read(&query, &declared(&kinds), &[]).unwrap().n_rows(), 2);
    writer.execute_batch("COMMIT").unwrap();
    assert_eq!(gather::read(&query, &declared(&kinds), &[]).unwrap().n_rows(), 3);
}

#[test]
fn what_is_no_table_of_sqlite_is_refused() {
    let folder = folder();
    let path = made(folder.path(), "CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 2);");
    let kinds = [("a", ColumnKind::Num)];
    let refused = |relation: &str| refusal(folder.path(), address(&path, relation), &kinds);
    assert_eq!(refused("table=u"), "`t.db`: SQLite says: no such table: u");
    assert_eq!(
        refused("query=SELEC 1"),
        "expected a query that reads rows, found another statement (gather with SELECT, WITH, \
         VALUES or TABLE; this cannot be allowed)"
    );
    assert_eq!(
        refused("query=SELECT 1 AS a, 2 AS a"),
        "column `a`: expected unique names in `t.db`, found it twice (rename one of them at the \
         source)"
    );
    assert_eq!(refused("query=SELECT b FROM t"), "column `a`: expected it in `t.db`, found b");
    assert_eq!(
        refusal(folder.path(), address(&folder.path().join("no.db"), "table=t"), &kinds),
        "cannot read `no.db`: no such file or folder"
    );
    let here = refusal(Path::new("."), address(folder.path(), "table=t"), &kinds);
    assert!(here.starts_with("expected an SQLite file, found the folder"), "{here}");
    let other = put(folder.path(), "t.csv", "a,b\n1,2\n".repeat(200));
    assert_eq!(
        refusal(folder.path(), address(&other, "table=t"), &kinds),
        "`t.csv`: SQLite says: file is not a database"
    );
    let cut = std::fs::read(&path).unwrap();
    let cut = put(folder.path(), "cut.db", &cut[..cut.len() / 2]);
    let refused = refusal(folder.path(), address(&cut, "table=t"), &kinds);
    assert!(refused.starts_with("`cut.db`: SQLite says: "), "{refused}");
}

#[test]
fn what_the_file_says_of_a_query_counts() {
    let folder = folder();
    let path = made(
        folder.path(),
        "CREATE TABLE t (id TEXT COLLATE NOCASE, n, rowid);
         INSERT INTO t VALUES ('a', 1, 7), ('A', 2, 8), ('b', 3, 9);
         CREATE TABLE d (id, n); INSERT INTO d VALUES (1, 1), (1, 2), (2, 3);
         CREATE VIEW v AS SELECT id, random() AS n FROM d;
         CREATE VIEW w AS SELECT * FROM v; CREATE VIEW fine AS SELECT id, n FROM d;",
    );
    let columns = DataConfig {
        key: vec!["id".to_owned()],
        ..declared(&[("id", ColumnKind::Text), ("n", ColumnKind::Num)])
    };
    let read = |relation: &str| {
        gather::read(address(&path, relation), &columns, &[]).map(|batch| batch.n_rows())
    };
    for (relation, found) in [
        ("query=SELECT id, n FROM t ORDER BY id LIMIT 1", "a LIMIT by \"id\""),
        ("query=SELECT id, n FROM t ORDER BY id COLLATE NOCASE LIMIT 1", "\"id\" COLLATE NOCASE"),
        ("query=SELECT id, row_number() OVER (ORDER BY id) AS n FROM t", "a window by \"id\""),
        ("query=SELECT id, n FROM d ORDER BY id LIMIT 1", "a LIMIT by \"id\""),
        ("query=SELECT id, count(*) AS n FROM t GROUP BY id", "GROUP BY of `id`"),
        ("query=SELECT id, n, count(*) FROM d GROUP BY id", "`n` of any row of a group"),
        ("query=SELECT * FROM w", "view `v`, line 1, column "),
        ("table=w", "view `v`, line 1, column "),
        ("table=v", "view `v`, line 1, column "),
        ("query=SELECT d.id, d.rowid AS n FROM d", "the system column `rowid`"),
    ] {
        let error = read(relation).expect_err(relation);
        assert!(error.message().contains(found), "{relation}: {error}");
    }
    for (relation, n_rows) in [
        ("query=SELECT id, n FROM t ORDER BY id COLLATE BINARY LIMIT 2", 2),
        ("query=SELECT id, rowid AS n FROM t", 3),
        ("query=SELECT upper(id) AS id, count(*) AS n FROM t GROUP BY upper(id)", 2),
        ("table=fine", 3),
    ] {
        match read(relation) {
            Ok(found) => assert_eq!(found, n_rows, "{relation}"),
            Err(error) => panic!("{relation}: {error}"),
        }
    }
}
