//! Whatever is wrong with a source is refused with the reason; nothing panics or takes memory for
//! what a file only claims.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use samescore_core::batch::{COLUMNS_MAX, FIELD_BYTES_MAX};
use samescore_core::error::Code;

use super::*;

const NUM: [(&str, ColumnKind); 1] = [("a", ColumnKind::Num)];
const TEXT: [(&str, ColumnKind); 1] = [("a", ColumnKind::Text)];

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

#[test]
fn an_empty_file_is_no_table() {
    for (name, expected) in [
        ("t.csv", "`t.csv`: expected a header, found an empty file"),
        (
            "t.csv.gz",
            "`t.csv.gz`: expected bytes packed by gzip, found its end too early \
             (copy or write the file again)",
        ),
        (
            "t.parquet",
            "`t.parquet`: expected PAR1 at both ends, found something else \
             (check the path, or write the file again)",
        ),
        (
            "t.arrow",
            "`t.arrow`: expected ARROW1 at both ends, found something else \
             (check the path, or write the file again)",
        ),
        ("t.jsonl", "`t.jsonl`: expected JSON objects, found an empty file"),
    ] {
        let folder = folder();
        let path = put(folder.path(), name, b"");
        assert_eq!(refusal(folder.path(), &path, &NUM), expected);
        assert_eq!(uninferred(folder.path(), &path), expected);
    }
    let folder = folder();
    let path = put(folder.path(), "t.csv.gz", packed(b""));
    let expected = "`t.csv.gz`: expected a header, found an empty file";
    assert_eq!(refusal(folder.path(), &path, &NUM), expected);
}

#[test]
fn a_table_without_rows_is_read_and_has_no_schema_of_its_own() {
    let folder = folder();
    let empty = batch(vec![("a", Column::num([]))]);
    let mut sources: Vec<Source> = ["csv", "csv.gz", "parquet", "arrow"]
        .iter()
        .map(|ending| Source::from(&written(folder.path(), &format!("t.{ending}"), &empty, None)))
        .collect();
    sources.push(stored(folder.path(), "t.db", &empty));
    for source in &sources {
        assert_eq!(gather::read(source, &declared(&NUM), &[]).unwrap().n_rows(), 0, "{source}");
        let error = gather::infer(source, &[]).unwrap_err();
        assert_eq!(error.code(), Code::TooFewRows);
        let said = error.to_string();
        assert!(said.ends_with(": expected rows to infer a schema from, found none"), "{said}");
    }
}

#[test]
fn one_row_is_a_table() {
    let folder = folder();
    let one = batch(vec![("a", Column::num([1.5]))]);
    let mut sources: Vec<Source> = FILES
        .iter()
        .map(|ending| Source::from(&written(folder.path(), &format!("t.{ending}"), &one, None)))
        .collect();
    sources.push(stored(folder.path(), "t.db", &one));
    for source in &sources {
        let read = gather::read(source, &declared(&NUM), &[]).unwrap();
        assert_eq!(cells(&read, "a"), ["number 1.5"], "{source}");
        assert_eq!(gather::infer(source, &[]).unwrap(), declared(&NUM).columns);
    }
}

/// A batch of so many columns of one number.
fn wide(n_columns: usize) -> (Vec<String>, Vec<Column>) {
    let names = (0..n_columns).map(|i| format!("c{i:05}"));
    (names.collect(), (0..n_columns).map(|i| Column::num([i as f64])).collect())
}

#[test]
fn ten_thousand_columns_are_read_and_one_more_is_refused() {
    let (names, columns) = wide(COLUMNS_MAX);
    let table = batch(names.iter().map(String::as_str).zip(columns).collect());
    for ending in FILES {
        let folder = folder();
        let path = written(folder.path(), &format!("t.{ending}"), &table, None);
        let last = declared(&[("c09999", ColumnKind::Num)]);
        let read = gather::read(&path, &last, &[]).unwrap();
        assert_eq!(cells(&read, "c09999"), ["number 9999"], "{ending}");
        assert_eq!(gather::infer(&path, &[]).unwrap().len(), COLUMNS_MAX, "{ending}");
    }
    let folder = folder();
    let more: Vec<String> = (0..=COLUMNS_MAX).map(|i| format!("c{i}")).collect();
    let csv = put(folder.path(), "t.csv", more.join(",") + "\n");
    let json: Vec<String> = more.iter().map(|name| format!("\"{name}\":1")).collect();
    let json = put(folder.path(), "t.jsonl", format!("{{{}}}\n", json.join(",")));
    for (path, name) in [(csv, "t.csv"), (json, "t.jsonl")] {
        let expected = format!("`{name}`: expected at most 10000 columns, found 10001");
        assert_eq!(uninferred(folder.path(), &path), expected);
    }
    // SQLite itself knows no table of more than 2000.
    let (names, columns) = wide(2000);
    let table = batch(names.iter().map(String::as_str).zip(columns).collect());
    let source = stored(folder.path(), "t.db", &table);
    assert_eq!(gather::infer(&source, &[]).unwrap().len(), 2000);
}

#[test]
fn a_field_of_one_mebibyte_is_read_and_a_longer_one_is_a_fault() {
    let most = "x".repeat(FIELD_BYTES_MAX);
    let more = format!("{most}x");
    let table = batch(vec![("a", Column::text([Some("y"), Some(&most), Some(&more)]))]);
    let folder = folder();
    let mut sources: Vec<Source> = FILES
        .iter()
        .map(|ending| Source::from(&written(folder.path(), &format!("t.{ending}"), &table, None)))
        .collect();
    sources.push(stored(folder.path(), "t.db", &table));
    for source in &sources {
        let read = gather::read(source, &declared(&TEXT), &[]).unwrap();
        assert_eq!(read.text(0).get(1).map(str::len), Some(FIELD_BYTES_MAX), "{source}");
        let expected = "column `a`: row 2: expected at most 1048576 bytes, found 1048577";
        assert_eq!(faults(&read), [(2, expected.to_owned())], "{source}");
    }
}

#[test]
fn a_nul_byte_is_a_fault_in_every_format() {
    let table = batch(vec![("a", Column::text([Some("x"), Some("y\0z")]))]);
    let folder = folder();
    let mut sources: Vec<Source> = FILES
        .iter()
        .map(|ending| Source::from(&written(folder.path(), &format!("t.{ending}"), &table, None)))
        .collect();
    sources.push(stored(folder.path(), "t.db", &table));
    for source in &sources {
        let read = gather::read(source, &declared(&TEXT), &[]).unwrap();
        let expected = "column `a`: row 1: expected text, found a NUL byte";
        assert_eq!(faults(&read), [(1, expected.to_owned())], "{source}");
    }
}

#[test]
fn integers_that_a_number_cannot_hold_are_faults_in_every_format() {
    let folder = folder();
    let csv = put(folder.path(), "t.csv", "a\n1\n-9007199254740993\n");
    let json = put(folder.path(), "t.jsonl", "{\"a\":1}\n{\"a\":-9007199254740993}\n");
    let frame = arrow::integers("a", &[1, -9_007_199_254_740_993]);
    let parquet = put(folder.path(), "t.parquet", arrow::as_parquet(&frame));
    let ipc = put(folder.path(), "t.arrow", arrow::as_ipc(&frame));
    for path in [csv, json, parquet, ipc] {
        let read = gather::read(&path, &declared(&NUM), &[]).unwrap();
        let expected = "column `a`: row 1: expected integer up to 2^53, found \
             \"9007199254740993\" (declare the column as text if it is an identifier)";
        assert_eq!(faults(&read), [(1, expected.to_owned())], "{}", path.display());
        let read = gather::read(&path, &declared(&TEXT), &[]).unwrap();
        assert_eq!(cells(&read, "a")[1], "text \"-9007199254740993\"");
        assert_eq!(gather::infer(&path, &[]).unwrap(), declared(&TEXT).columns);
    }
}

#[test]
fn what_is_no_csv_is_refused_packed_or_not() {
    let kinds = [("a", ColumnKind::Num), ("b", ColumnKind::Num)];
    for (text, expected) in [
        (
            "a;b\n1;2\n",
            "column `a`: expected it in `t.csv`, found a;b (cells are separated by commas; write \
             the file with commas)",
        ),
        (
            "a,b,a\n1,2,3\n",
            "column `a`: expected unique names in `t.csv`, found it twice (rename one of them at \
             the source)",
        ),
        (
            "a,b\n1,2\n3\n",
            "row 1: `t.csv` line 3: expected 2 cells, found 1 (remove blank lines, and separate \
             cells by commas)",
        ),
        (
            "a,b\n1,2,3\n",
            "row 0: `t.csv` line 2: expected 2 cells, found 3 (put cells that contain a comma in \
             quotes)",
        ),
        (
            "a,c\n1,2\n3\n",
            "row 1: `t.csv` line 3: expected 2 cells, found 1 (remove blank lines, and separate \
             cells by commas)",
        ),
        (
            "a,b\n1,\"2\n",
            "column `b`: row 0: `t.csv` line 2: expected a closing quote, found the end of the \
             file (close the quote that opens on this line)",
        ),
        (
            "a\tb\n1\t2\n",
            "column `a`: expected it in `t.csv`, found a\tb (cells are separated by commas; write \
             the file with commas)",
        ),
    ] {
        let folder = folder();
        let plain = put(folder.path(), "t.csv", text);
        assert_eq!(refusal(folder.path(), &plain, &kinds), expected);
        let gz = put(folder.path(), "t.csv.gz", packed(text.as_bytes()));
        let said = refusal(folder.path(), &gz, &kinds).replace("t.csv.gz", "t.csv");
        assert_eq!(said, expected);
    }
    let folder = folder();
    for (name, text) in [("t.csv", "a\n1\n"), ("t.jsonl", "{\"a\":1}\n")] {
        let path = put(folder.path(), name, [b"\xef\xbb\xbf", text.as_bytes()].concat());
        let read = gather::read(&path, &declared(&NUM), &[]).unwrap();
        assert_eq!(cells(&read, "a"), ["number 1"], "{name}");
    }
}

#[test]
fn a_file_that_ends_too_early_is_refused_wherever_it_ends() {
    let numbers: Vec<f64> = (0..40).map(f64::from).collect();
    let labels: Vec<Option<&str>> = ["x", "some longer label"].map(Some).repeat(20);
    let table = batch(vec![("a", Column::num(numbers)), ("b", Column::text(labels))]);
    for ending in ["csv.gz", "parquet", "arrow"] {
        let folder = folder();
        let name = format!("t.{ending}");
        let whole = std::fs::read(written(folder.path(), &name, &table, Some(16))).unwrap();
        for end in (0..whole.len()).step_by(whole.len() / 50 + 1) {
            let path = put(folder.path(), &name, &whole[..end]);
            let said = refusal(folder.path(), &path, &NUM);
            assert!(said.starts_with(&format!("`{name}`")), "{end}: {said}");
        }
    }
}

#[test]
fn whatever_byte_of_an_arrow_file_is_wrong_it_is_read_or_refused() {
    let labels: Vec<Option<&str>> = [Some("x"), None, Some("a label of many bytes")].repeat(5);
    let table = batch(vec![
        ("a", Column::num((0..15).map(f64::from))),
        ("b", Column::text(labels)),
        ("c", Column::Time(vec![0; 15])),
    ]);
    let kinds = [("a", ColumnKind::Num), ("b", ColumnKind::Text), ("c", ColumnKind::Time)];
    let folder = folder();
    let whole = std::fs::read(written(folder.path(), "t.arrow", &table, Some(4))).unwrap();
    let mut n_refused = 0;
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= [0x01, 0x80, 0xff][at % 3];
        let path = put(folder.path(), "t.arrow", bytes);
        if let Err(error) = gather::read(&path, &declared(&kinds), &[]) {
            n_refused += 1;
            assert!(!error.to_string().is_empty());
        }
    }
    assert!(n_refused > 50, "{n_refused}");
}

#[test]
fn rows_that_a_footer_only_claims_take_no_memory() {
    const CLAIMED: i64 = 10_000_000_000;
    let folder = folder();
    // A number of rows that occurs nowhere else in the file.
    let table = batch(vec![("a", Column::num((0..777).map(|i| f64::from(i) + 0.5)))]);
    let arrow = std::fs::read(written(folder.path(), "t.arrow", &table, None)).unwrap();
    let mut claimed = arrow.clone();
    let mut n_claims = 0;
    for at in 0..arrow.len() - 8 {
        if arrow[at..at + 8] == 777i64.to_le_bytes() {
            claimed[at..at + 8].copy_from_slice(&CLAIMED.to_le_bytes());
            n_claims += 1;
        }
    }
    assert!(n_claims >= 2, "{n_claims}");
    let path = put(folder.path(), "t.arrow", claimed);
    let n = arrow.len();
    let said = refusal(folder.path(), &path, &NUM);
    assert!(said.starts_with("`t.arrow`: expected rows within its "), "{n}: {said}");
    assert!(said.ends_with(" bytes, found 10000000000 claimed"), "{said}");
    assert_eq!(unstreamed(folder.path(), &path, &NUM), said);

    let parquet = std::fs::read(written(folder.path(), "t.parquet", &table, None)).unwrap();
    let path = put(folder.path(), "t.parquet", claiming(&parquet, 777, CLAIMED as u64));
    assert_eq!(
        refusal(folder.path(), &path, &NUM),
        "`t.parquet`: expected at most 2147483648 rows, found 10000000000"
    );
    assert_eq!(
        unstreamed(folder.path(), &path, &NUM),
        "`t.parquet`: expected at most 2147483648 rows, found 10000000000"
    );
    let path = put(folder.path(), "t.parquet", claiming(&parquet, 777, 2_000_000_000));
    assert_eq!(
        refusal(folder.path(), &path, &NUM),
        "`t.parquet`: expected 2000000000 rows, found 777 in its row groups"
    );
}

#[test]
fn two_columns_of_one_name_are_refused_in_every_format() {
    let folder = folder();
    let numbers = || Column::num((0..40).map(f64::from));
    let table = batch(vec![("first", numbers()), ("other", numbers())]);
    for ending in ["csv", "csv.gz", "parquet", "arrow"] {
        let name = format!("t.{ending}");
        let path = written(folder.path(), &name, &table, None);
        let bytes = std::fs::read(&path).unwrap();
        let same = match ending {
            "csv.gz" => packed(b"first,first\n1,2\n"),
            _ => renamed(&bytes, b"other", b"first"),
        };
        std::fs::write(&path, same).unwrap();
        let said = "column `first`: expected unique names in `";
        let columns = [("first", ColumnKind::Num)];
        let whole = refusal(folder.path(), &path, &columns);
        assert!(whole.starts_with(said), "{name}: {whole}");
        assert_eq!(uninferred(folder.path(), &path), whole, "{name}");
        assert_eq!(unstreamed(folder.path(), &path, &columns), whole, "{name}");
    }
}

/// The same bytes with one name in the place of another of its length.
fn renamed(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut renamed = bytes.to_vec();
    for at in 0..bytes.len() - from.len() {
        if bytes[at..].starts_with(from) {
            renamed[at..at + to.len()].copy_from_slice(to);
        }
    }
    renamed
}

/// A Parquet file whose footer says another number of rows: its third field, before a list.
fn claiming(file: &[u8], rows: u64, claimed: u64) -> Vec<u8> {
    let before_list = |rows: u64| [thrift_number(rows), vec![0x19]].concat();
    let (from, to) = (before_list(rows), before_list(claimed));
    with_footer(file, |footer| {
        let at = footer.windows(from.len()).position(|window| window == from).unwrap();
        [&footer[..at], &to, &footer[at + from.len()..]].concat()
    })
}

#[test]
fn what_is_no_file_is_refused() {
    let folder = folder();
    for ending in FILES {
        let name = format!("absent.{ending}");
        let said = refusal(folder.path(), &folder.path().join(&name), &NUM);
        assert_eq!(said, format!("cannot read `{name}`: no such file or folder"));
    }
    let here = refusal(Path::new("none"), folder.path(), &NUM);
    assert!(here.starts_with("expected files in the folder `"), "{here}");
    std::fs::create_dir(folder.path().join("t.csv")).unwrap();
    let inside = refusal(folder.path(), &folder.path().join("t.csv"), &NUM);
    assert_eq!(inside, "expected files in the folder `t.csv`, found none");
    let path = put(folder.path(), "t.txt", "a\n1\n");
    assert_eq!(
        refusal(folder.path(), &path, &NUM),
        "expected a file ending in .csv, .csv.gz, .parquet, .arrow, .ipc, .feather, .jsonl or \
         .ndjson, found `t.txt`"
    );
    let path = put(folder.path(), "t.feather", [&b"FEA1"[..], &[0; 40], b"FEA1"].concat());
    assert_eq!(
        refusal(folder.path(), &path, &NUM),
        "`t.feather`: expected Arrow IPC, found Feather of version 1 (write it again as version 2)"
    );
}

/// Whoever may read everything runs the command as one who may not.
#[cfg(unix)]
#[test]
fn a_file_without_permission_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    use std::process::Command;
    let folder = folder();
    let mode = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(folder.path(), 0o755);
    let path = put(folder.path(), "t.csv", "a\n1\n");
    mode(&path, 0o000);
    if std::fs::read(&path).is_err() {
        let said = refusal(folder.path(), &path, &NUM);
        assert_eq!(said, "cannot read `t.csv`: permission denied");
        assert_eq!(unstreamed(folder.path(), &path, &NUM), said);
        return;
    }
    let program = env!("CARGO_BIN_EXE_samescore");
    let as_nobody = |args: &[&str]| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", program]).args(args);
        command.current_dir(folder.path()).output()
    };
    if !as_nobody(&["--version"]).is_ok_and(|output| output.status.success()) {
        println!("skipped: the command cannot be run as a user who may not read every file");
        return;
    }
    for source in ["t.csv", "t.jsonl", "t.arrow", "t.parquet", "sqlite://t.db?table=t"] {
        let file = source.trim_start_matches("sqlite://").trim_end_matches("?table=t");
        mode(&put(folder.path(), file, "a\n1\n"), 0o000);
        let output = as_nobody(&["gather", source]).unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(5), "{source}: {said}");
        assert!(said.contains(&format!("cannot read `{file}`: permission denied")), "{said}");
    }
}
