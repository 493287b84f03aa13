//! What a message names: the row and column of a cell, the file of several, the joined source.

use samescore_core::canonical::Canonical;
use samescore_core::config::Config;
use samescore_research::gathering::{Gathering, TABLES};

use super::*;

#[test]
fn utf_16_is_called_so_with_and_without_its_mark() {
    let encoded = |text: &str, is_little: bool| -> Vec<u8> {
        let bytes = |unit: u16| if is_little { unit.to_le_bytes() } else { unit.to_be_bytes() };
        text.encode_utf16().flat_map(bytes).collect()
    };
    let folder = folder();
    let kinds = [("a", ColumnKind::Num)];
    for (name, text) in [("t.csv", "a,b\n1,2\n"), ("t.jsonl", "{\"a\":1,\"b\":2}\n")] {
        for (mark, is_little) in [("\u{feff}", true), ("\u{feff}", false), ("", true), ("", false)]
        {
            let path = put(folder.path(), name, encoded(&format!("{mark}{text}"), is_little));
            let said =
                format!("`{name}`: expected UTF-8 text, found UTF-16 (save the file as UTF-8)");
            assert_eq!(refusal(folder.path(), &path, &kinds), said);
            assert_eq!(unstreamed(folder.path(), &path, &kinds), said);
            assert_eq!(uninferred(folder.path(), &path), said);
        }
    }
}

#[test]
fn a_nul_byte_is_told_with_row_and_column_also_where_columns_are_inferred() {
    let folder = folder();
    let said = "column `b`: row 1: expected text, found a NUL byte";
    for (name, text) in [
        ("t.csv", "a,b\n1,2\n3,4\0\n"),
        ("u.csv", "a,b\n1,x\n3,\0\n"),
        ("t.jsonl", "{\"a\":1,\"b\":\"x\"}\n{\"a\":2,\"b\":\"\\u0000y\"}\n"),
    ] {
        let path = put(folder.path(), name, text);
        let gathered = gather::read_inferred(&path, &[]).and_then(|rows| Canonical::new(rows, &[]));
        let found = shown(folder.path(), gathered.map(|table| table.batch().n_rows()));
        assert_eq!(found, said, "{name}");
    }
}

#[test]
fn a_column_of_another_type_in_one_of_several_files_names_the_file() {
    for ending in ["parquet", "arrow"] {
        let folder = folder();
        std::fs::create_dir(folder.path().join("p")).unwrap();
        let numbers = batch(vec![("x", Column::num([1.5, 2.0]))]);
        let times = batch(vec![("x", Column::Time(vec![0]))]);
        written(folder.path(), &format!("p/a.{ending}"), &numbers, None);
        written(folder.path(), &format!("p/b.{ending}"), &times, None);
        let source = folder.path().join("p");
        let said = format!(
            "column `x`: `p/b.{ending}`: expected num, found date or timestamp (declare the kind \
             that the source has, and cast it in a step)"
        );
        assert_eq!(refusal(folder.path(), &source, &NUM), said);
        let keep = Keep { bytes_max: 0, ..Keep::default() };
        let opened = gather::blocks(&Source::from(&source), &declared(&NUM), 7, &keep);
        let read = opened.and_then(|blocks| blocks.into_batch());
        assert_eq!(shown(folder.path(), read.map(|rows| rows.n_rows())), said);
        // Inferred they are text together, which the numbers are not.
        let said = format!("column `x`: `p/a.{ending}`: expected text, found float");
        let inferred = gather::read_inferred(&source, &[]).map(|rows| rows.n_rows());
        let inferred = shown(folder.path(), inferred);
        assert!(inferred.starts_with(&said), "{inferred}");
    }
}

const NUM: [(&str, ColumnKind); 1] = [("x", ColumnKind::Num)];

/// What the joins of a config are refused with.
fn unjoined(folder: &Path, joins: &str) -> String {
    let text = format!(
        "[source]\npath = \"a.csv\"\n[data.columns]\nid = \"num\"\ny = \"num\"\n\
         [target]\ncolumn = \"y\"\n[model]\nkind = \"linear_regression\"\n{joins}"
    );
    let config = Config::parse_beside(&text, &TABLES).unwrap();
    let gathering = Gathering::read(&text, &config, folder, None).unwrap();
    shown(folder, gathering.read_rows().map(|rows| rows.n_rows()))
}

#[test]
fn what_is_wrong_with_a_joined_table_names_its_source() {
    let folder = folder();
    put(folder.path(), "a.csv", "id,y\n1,2\n3,4\n");
    put(folder.path(), "b.csv", "id,x\n1,2\n3,n/a\n");
    put(folder.path(), "c.csv", "id,x\n1,2\n1,3\n");
    put(folder.path(), "d.csv", "id,x\n1,2\n");
    std::fs::create_dir(folder.path().join("p")).unwrap();
    put(folder.path(), "p/a.csv", "id,x\n1,2\n");
    put(folder.path(), "p/b.csv", "id,x\n3,?\n");
    let join = |file: &str, more: &str| {
        let join = format!("[[join]]\nsource = {{ path = \"{file}\" }}\non = [\"id\"]\n{more}");
        unjoined(folder.path(), &join)
    };
    let number = "columns = { id = \"num\", x = \"num\" }\n";
    let text = "(declare it as text, or declare this text as a missing marker)";
    assert_eq!(
        join("b.csv", number),
        format!("column `x`: row 1: `b.csv`: expected number, found text \"n/a\" {text}")
    );
    assert_eq!(
        join("p", number),
        format!(
            "column `x`: row 1: `p`: `p/b.csv` row 0: expected number, found text \"?\" {text}"
        )
    );
    let sum = "aggregate = { by = [\"id\"], columns = { n = { func = \"sum\", of = \"x\" } }, \
               read = { id = \"num\", x = \"num\" } }\n";
    let summed = join("b.csv", sum);
    assert!(summed.starts_with("column `x`: row 1: `b.csv`: expected number"), "{summed}");
    assert_eq!(
        join("c.csv", ""),
        "column `id`: row 1: joining `c.csv`: expected each key once, found some again in rows \
         [1], first number 1"
    );
    assert_eq!(
        join("d.csv", "unmatched = \"error\"\n"),
        "column `id`: row 1: joining `d.csv`: expected a match for every row, found none for rows \
         [1], first number 3"
    );
    assert_eq!(join("e.csv", ""), "cannot read `e.csv`: no such file or folder");
    assert_eq!(join("d.csv", "prefix = \"z_\"\n"), "no refusal: 2");
}
