//! The binary as users run it: every way gives the same bytes, and what is wrong is said and coded.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use samescore_core::batch::{Batch, show_num};
use samescore_core::example;
use tempfile::TempDir;

const COLUMNS: [&str; 5] = ["age", "area", "grade", "rooms", "sex"];

/// A folder with the example artifact and some rows.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let artifact = example::artifact().expect("an artifact");
        let place = Place { folder };
        place.write("a.samescore", artifact.bytes());
        place.write("rows.csv", rows(9000).as_bytes());
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).expect("a file");
    }

    fn run(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_samescore-serve"))
            .args(args)
            .current_dir(self.folder.path())
            .output()
            .expect("the program runs")
    }

    /// Standard output of a run that succeeds.
    fn gives(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {errors}");
        assert_eq!(errors, "", "{args:?}");
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// Exit code and standard error of a run that fails and prints no result.
    fn refuses(&self, args: &[&str]) -> (i32, String) {
        let output = self.run(args);
        assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{args:?}");
        let errors = String::from_utf8(output.stderr).expect("UTF-8");
        (output.status.code().expect("an exit code"), errors)
    }

    /// The same for the rows `csv`.
    fn refuses_rows(&self, csv: &[u8]) -> (i32, String) {
        self.write("bad.csv", csv);
        self.refuses(&["score", "a.samescore", "bad.csv"])
    }
}

/// Rows of the example table as CSV, with a column that no artifact knows; some cannot be scored.
fn rows(n_rows: usize) -> String {
    let table: Batch = example::table(n_rows, 7);
    let mut text = String::from("unknown,sex,rooms,grade,area,age\n");
    let num = |name: &str, row| {
        let slot = table.schema().position(name).expect("a column");
        show_num(table.num(slot)[row])
    };
    let label = |name: &str, row| {
        let slot = table.schema().position(name).expect("a column");
        table.text(slot).get(row).unwrap_or_default()
    };
    for row in 0..n_rows {
        let age = match row % 97 {
            5 => "\"old, very\"".to_owned(),
            _ => num("age", row),
        };
        let grade = if row % 89 == 7 { "never seen" } else { label("grade", row) };
        let (sex, rooms, area) = (label("sex", row), num("rooms", row), num("area", row));
        text.push_str(&format!("{row},\"{sex}\",{rooms},{grade},{area},{age}\n"));
    }
    text
}

#[test]
fn every_way_gives_the_same_bytes() {
    let place = Place::new();
    let score = ["score", "a.samescore", "rows.csv"];
    let expected = place.gives(&[&score[..], &["--trace", "batch.json"]].concat());
    assert_eq!(expected.lines().count(), 9001);
    assert!(
        expected.contains(",SS0202,\"column `age`: expected number, found text \"\"old, very\"\"")
    );
    assert!(expected.contains(",SS0302,"), "an unseen label is missing for the model");
    let trace = std::fs::read(place.path("batch.json")).expect("a trace");
    for way in
        ["rows", "reversed", "shuffled", "chunks=1", "chunks=1000", "chunks=99999", "reloaded"]
    {
        for threads in ["1", "3"] {
            let more =
                ["--way", way, "--threads", threads, "--trace", "t.json", "--out", "out.csv"];
            assert_eq!(place.gives(&[&score[..], &more].concat()), "");
            let found = std::fs::read_to_string(place.path("out.csv")).expect("scores");
            assert!(found == expected, "way {way} with {threads} threads gives other bytes");
            let found = std::fs::read(place.path("t.json")).expect("a trace");
            assert!(found == trace, "way {way} with {threads} threads gives another trace");
        }
    }
}

#[test]
fn parts_of_a_long_file_are_the_whole_of_it() {
    let place = Place::new();
    let text = rows(9000);
    let (header, body) = text.split_once('\n').expect("a header");
    // More rows than are in memory at a time.
    let long = format!("{header}\n{}", body.repeat(8));
    place.write("long.csv", long.as_bytes());
    let score = ["score", "a.samescore", "long.csv"];
    let whole = place.gives(&[&score[..], &["--trace", "t.json"]].concat());
    assert_eq!(whole.lines().count(), 72_001);
    assert!(place.gives(&score) == whole, "other bytes in parts");
    place.gives(&[&score[..], &["--out", "out.csv"]].concat());
    let found = std::fs::read_to_string(place.path("out.csv")).expect("scores");
    assert!(found == whole, "other bytes in a file");
    let transformed = place.gives(&["transform", "a.samescore", "long.csv"]);
    assert_eq!(transformed.lines().count(), 72_001);
    // What is wrong at the end is told before anything is written.
    place.write("long.csv", format!("{long}1,2\n").as_bytes());
    let (code, said) = place.refuses(&[&score[..], &["--out", "bad.csv"]].concat());
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("row 72000") && said.contains("line 72002"), "{said}");
    assert!(!place.path("bad.csv").exists());
}

#[test]
fn a_cell_that_cannot_be_read_is_the_reason_of_its_row_alone() {
    let place = Place::new();
    let good = "age,area,grade,rooms,sex\n30,100,Gd,3,f\n31,100,Gd,3,f\n";
    place.write("good.csv", good.as_bytes());
    place.write("one.csv", good.replace("30,", "thirty,").as_bytes());
    let good = place.gives(&["score", "a.samescore", "good.csv"]);
    let one = place.gives(&["score", "a.samescore", "one.csv"]);
    let lines: Vec<&str> = one.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[1].contains(",,,SS0202,"), "{}", lines[1]);
    assert!(lines[1].contains("column `age`: expected number, found text"), "{}", lines[1]);
    assert_eq!(Some(lines[2]), good.lines().nth(2));
    let bits = lines[2].split(',').nth(2).expect("bits");
    assert_eq!(bits.len(), 16);
}

#[test]
fn rows_are_the_same_however_they_are_written() {
    let place = Place::new();
    place.write("a.csv", b"age,area,grade,rooms,sex\n,100,Gd,3,f\n");
    let expected = place.gives(&["score", "a.samescore", "a.csv"]);
    for text in [
        &b"\xef\xbb\xbfage,area,grade,rooms,sex\n,100,Gd,3,f\n"[..],
        b"age,area,grade,rooms,sex\r\n\"\",100,Gd,3,f\r\n",
        b"sex,rooms,\"grade\",area,x,age\nf,3,\"Gd\",1e2,?,",
        b"age,area,grade,rooms,sex\n\"\",100.0,Gd,3,\"f\"",
    ] {
        place.write("b.csv", text);
        assert_eq!(place.gives(&["score", "a.samescore", "b.csv"]), expected);
    }
}

#[test]
fn no_rows_give_a_header() {
    let place = Place::new();
    place.write("none.csv", (COLUMNS.join(",") + "\n").as_bytes());
    for way in ["batch", "rows", "reversed", "chunks=2", "reloaded"] {
        let scores = place.gives(&["score", "a.samescore", "none.csv", "--way", way]);
        assert_eq!(scores, "row_key,score,bits,code,reason\n");
    }
}

#[test]
fn what_is_wrong_with_the_rows_is_said_with_its_place() {
    let place = Place::new();
    let cases: [(&[u8], &str); 9] = [
        (
            b"area,grade,rooms,sex\n1,Gd,3,f\n",
            "error: column `age`: expected it in `bad.csv`, found area, grade, rooms, sex \
             [SS0201]\n",
        ),
        (
            b"age,area,grade,rooms,sex,age\n1,1,Gd,3,f,1\n",
            "error: column `age`: expected unique names in `bad.csv`, found it twice \
             (rename one of them at the source) [SS0203]\n",
        ),
        (
            b"age,area,grade,rooms,sex\n1,1,Gd,3,f\n1,1,Gd,3\n",
            "error: row 1: `bad.csv` line 3: expected 5 cells, found 4 \
             (give every row a cell for every name in the header) [SS0301]\n",
        ),
        (
            b"age,area,grade,rooms,sex\n1,1,Gd,3,f\n\n",
            "error: row 1: `bad.csv` line 3: expected 5 cells, found 1 \
             (remove blank lines, and separate cells by commas) [SS0301]\n",
        ),
        (
            b"age,area,grade,rooms,sex\n1,1,G\xff,3,f\n",
            "error: column `grade`: row 0: `bad.csv` line 2: expected UTF-8 text, found other \
             bytes (save the file as UTF-8) [SS0301]\n",
        ),
        (
            b"age,area,grade,rooms,sex\n1,1,G\"d,3,f\n",
            "error: column `grade`: row 0: `bad.csv` line 2: expected a quote only around a whole \
             cell, found one inside (put the cell in quotes and double the quotes in it) \
             [SS0301]\n",
        ),
        (b"", "error: `bad.csv`: expected a header, found an empty file [SS0301]\n"),
        (
            b"\xff\xfea\0",
            "error: `bad.csv`: expected UTF-8 text, found UTF-16 (save the file as UTF-8) \
             [SS0301]\n",
        ),
        (
            b"age,area,,rooms,sex\n",
            "error: `bad.csv`: expected a name in the header, found an empty cell \
             (name column 3) [SS0201]\n",
        ),
    ];
    for (csv, expected) in cases {
        assert_eq!(place.refuses_rows(csv), (3, expected.to_owned()));
    }
}

#[test]
fn an_ending_is_known_in_capitals_too() {
    let place = Place::new();
    place.write("rows.PARQUET", b"PAR1");
    let (code, errors) = place.refuses(&["score", "a.samescore", "rows.PARQUET"]);
    let expected = "error: expected a CSV file, found `rows.PARQUET` (convert it to CSV) [SS0502]";
    assert_eq!((code, errors.trim_end()), (5, expected));
}

#[test]
fn what_is_wrong_with_the_files_is_said_with_its_kind() {
    let place = Place::new();
    let artifact = std::fs::read(place.path("a.samescore")).expect("the artifact");
    let mut damaged = artifact.clone();
    damaged[200] ^= 1;
    place.write("damaged.samescore", &damaged);
    place.write("rows.parquet", b"PAR1");
    place.write("short.samescore", &artifact[..artifact.len() - 1]);
    let cases: [(&[&str], i32, &str); 9] = [
        (
            &["score", "absent", "rows.csv"],
            5,
            "error: cannot read `absent`: no such file or folder [SS0501]\n",
        ),
        (
            &["score", "a.samescore", "absent.csv"],
            5,
            "error: cannot read `absent.csv`: no such file or folder [SS0501]\n",
        ),
        (
            &["score", "a.samescore", "."],
            5,
            "error: expected a file, found the folder `.` [SS0501]\n",
        ),
        (
            &["score", "a.samescore", "rows.csv", "--out", "absent/out.csv"],
            5,
            "error: cannot write `absent/out.csv`: no such file or folder [SS0501]\n",
        ),
        (
            &["score", "a.samescore", "rows.parquet"],
            5,
            "error: expected a CSV file, found `rows.parquet` (convert it to CSV) [SS0502]\n",
        ),
        (
            &["verify", "rows.csv"],
            4,
            "error: expected an artifact, which begins with 53534352, found 756e6b6e [SS0401]\n",
        ),
        (
            &["verify", "damaged.samescore"],
            4,
            "error: expected content of the recorded SHA-256, found another [SS0403]\n",
        ),
        (
            &["transform", "a.samescore", "rows.csv", "--until", "polish"],
            2,
            "error: expected a step, found `polish`; there are input, impute, encode, scale \
             [SS0110]\n",
        ),
        (&["transform", "short.samescore", "rows.csv"], 4, "error: expected"),
    ];
    for (args, code, expected) in cases {
        let (found, text) = place.refuses(args);
        assert_eq!(found, code, "{args:?}: {text}");
        assert!(text.starts_with(expected), "{args:?}: {text}");
    }
    let (code, text) = place.refuses(&["score", "a.samescore", "rows.csv", "--way", "chunks=0"]);
    assert_eq!(code, 2);
    assert!(text.contains("expected batch, rows, reversed"), "{text}");
}

#[test]
fn columns_behind_each_step_are_shown() {
    let place = Place::new();
    place.write("a.csv", b"age,area,grade,rooms,sex\n,100,Gd,3,f\nx,100,Gd,3,f\n");
    let show = |until: &str| {
        let shown = place.gives(&["transform", "a.samescore", "a.csv", "--until", until]);
        let lines: Vec<String> = shown
            .lines()
            .map(|line| line.split_once(',').map_or("", |(_, rest)| rest).to_owned())
            .collect();
        lines
    };
    let reason = ",,,,,SS0202,\"column `age`: expected number, found text \"\"x\"\" (declare it as \
                  text, or declare this text as a missing marker)\"";
    let expected = ["age,area,grade,rooms,sex,code,reason", ",100,Gd,3,f,,", reason];
    assert_eq!(show("input"), expected);
    let encoded = show("encode");
    let cells: Vec<&str> = encoded[1].split(',').collect();
    assert!(cells[0].parse::<f64>().is_ok() && cells[2].parse::<f64>().is_ok(), "{encoded:?}");
    let whole = place.gives(&["transform", "a.samescore", "a.csv"]);
    assert_eq!(whole, place.gives(&["transform", "a.samescore", "a.csv", "--until", "scale"]));
}

#[test]
fn an_artifact_is_verified_in_text_and_json() {
    let place = Place::new();
    let digest = example::artifact().expect("an artifact").digest().to_string();
    let text = place.gives(&["verify", "a.samescore"]);
    assert_eq!(text, format!("{digest}: 16 golden rows score as recorded\n"));
    let json = place.gives(&["verify", "a.samescore", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let expected = serde_json::json!({"verified": true, "digest": digest, "golden_rows": 16});
    assert_eq!(json, expected);
    let output = place.run(&["verify", "rows.csv", "--format", "json"]);
    assert_eq!(output.status.code(), Some(4));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&json["verified"], &json["code"]), (&false.into(), &"SS0401".into()));
}

#[test]
fn a_trace_is_json_of_every_stage() {
    let place = Place::new();
    place.gives(&["score", "a.samescore", "rows.csv", "--out", "o.csv", "--trace", "t.json"]);
    let text = std::fs::read_to_string(place.path("t.json")).expect("a trace");
    let trace: samescore_deploy::Trace = serde_json::from_str(&text).expect("a trace");
    let names: Vec<&str> = trace.stages.iter().map(|stage| stage.name.as_str()).collect();
    assert_eq!(names, ["input", "impute", "encode", "scale"]);
    assert_eq!(trace.n_rows, 9000);
    assert_eq!(text, serde_json::to_string_pretty(&trace).expect("JSON") + "\n");
}

#[cfg(debug_assertions)]
#[test]
fn injected_faults_change_what_the_ways_give() {
    let place = Place::new();
    let score = ["score", "a.samescore", "rows.csv"];
    let right = place.gives(&score);
    let fused = place.run(&[&score[..], &["--inject-fault", "fused-multiply-add"]].concat());
    assert_eq!(fused.status.code(), Some(4), "the self-test sees the fused product");
    let inject = ["--inject-fault", "dropped-row"];
    for way in ["batch", "rows", "reversed", "chunks=1000", "reloaded"] {
        let output = place.run(&[&score[..], &inject, &["--way", way]].concat());
        assert_ne!(String::from_utf8_lossy(&output.stdout), right, "{way}");
    }
}

#[test]
fn an_output_that_is_an_input_is_refused_before_work() {
    let place = Place::new();
    let before = std::fs::read(place.path("rows.csv")).expect("the rows");
    let cases: [(&[&str], &str); 3] = [
        (
            &["score", "a.samescore", "rows.csv", "--out", "./rows.csv"],
            "error: expected --out and the rows to be two files, found `./rows.csv` (write to \
             another file; nothing was done) [SS0110]\n",
        ),
        (
            &["score", "a.samescore", "rows.csv", "--out", "o", "--trace", "o"],
            "error: expected --trace and --out to be two files, found `o` (write to another \
             file; nothing was done) [SS0110]\n",
        ),
        (
            &["transform", "a.samescore", "rows.csv", "--out", "a.samescore"],
            "error: expected --out and the artifact to be two files, found `a.samescore` (write \
             to another file; nothing was done) [SS0110]\n",
        ),
    ];
    for (args, expected) in cases {
        assert_eq!(place.refuses(args), (2, expected.to_owned()));
    }
    assert!(std::fs::read(place.path("rows.csv")).is_ok_and(|rows| rows == before));
}

#[test]
fn a_reader_that_stops_early_is_no_failure() {
    let place = Place::new();
    let mut program = Command::new(env!("CARGO_BIN_EXE_samescore-serve"))
        .args(["score", "a.samescore", "rows.csv"])
        .current_dir(place.folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    drop(program.stdout.take());
    let output = program.wait_with_output().expect("it ends");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(output.status.success());
}

/// The example with a population.
fn marked_artifact() -> samescore_core::artifact::Artifact {
    use samescore_core::artifact::Artifact;
    use samescore_core::config::{Bound, RowFilter};
    use samescore_core::pipeline::{Table, fit};
    let mut config = example::artifact().expect("an artifact").payload().config.clone();
    config.population = vec![
        RowFilter { min: Some(Bound::Num(30.0)), ..RowFilter::present("age") },
        RowFilter { is: vec!["f".to_owned()], ..RowFilter::present("sex") },
    ];
    let table = Table::new(&config, &example::table(200, 1)).expect("a table");
    let (data, population) = (table.fingerprint(), table.population().cloned());
    let mut fitted = fit(&config, table.into_rows()).expect("a fit");
    fitted.population = population;
    Artifact::seal(&config, data, fitted, Default::default()).expect("an artifact")
}

#[test]
fn a_mark_says_of_each_row_whether_it_belongs() {
    let place = Place::new();
    place.write("m.samescore", marked_artifact().bytes());
    let csv = "age,area,grade,rooms,sex\n40,100,Gd,3,f\n20,100,Gd,3,f\n40,100,Gd,3,m\n,1,Gd,3,f\n";
    place.write("four.csv", csv.as_bytes());
    let listed = place.gives(&["score", "m.samescore", "four.csv", "--mark"]);
    let marks: Vec<&str> = listed.lines().filter_map(|line| line.rsplit(',').next()).collect();
    assert_eq!(marks, ["population", "in", "age", "sex", "age"]);
    let plain = place.gives(&["score", "m.samescore", "four.csv"]);
    let cut: Vec<&str> = listed.lines().filter_map(|l| Some(l.rsplit_once(',')?.0)).collect();
    assert_eq!(plain.lines().collect::<Vec<_>>(), cut);
    for way in ["rows", "reversed", "chunks=2"] {
        let same = place.gives(&["score", "m.samescore", "four.csv", "--mark", "--way", way]);
        assert_eq!(same, listed, "{way}");
    }
    let (code, said) = place.refuses(&["score", "a.samescore", "four.csv", "--mark"]);
    assert!(code == 2 && said.contains("states its population"), "{said}");
}
