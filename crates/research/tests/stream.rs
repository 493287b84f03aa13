//! Sources read block by block, at tiny blocks, against the same ones in memory: one artifact, one
//! listing, one refusal.

#[cfg(unix)]
#[path = "stream/full.rs"]
mod full;
#[cfg(unix)]
#[allow(dead_code)]
#[path = "postgres/server.rs"]
mod server;

#[cfg(unix)]
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

#[cfg(unix)]
use samescore_research::gather::Source;

fn samescore(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_samescore"));
    command.args(args).current_dir(folder).output().expect("the program starts")
}

fn yes(folder: &Path, args: &[&str]) -> Vec<u8> {
    let output = samescore(folder, args);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {told}");
    output.stdout
}

fn pipeline(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/pipelines").join(name);
    let path: PathBuf = path.canonicalize().expect("a pipeline of the workspace");
    path.to_str().expect("UTF-8").to_owned()
}

fn read(folder: &Path, name: &str) -> Vec<u8> {
    std::fs::read(folder.join(name)).expect("a file that was written")
}

/// Fits a pipeline in memory and streamed, and lists its table in both ways.
fn expect_same(name: &str, csv_rows: &[&str]) {
    let folder = tempfile::tempdir().expect("a folder");
    let (at, config) = (folder.path(), pipeline(name));
    yes(at, &["fit", &config, "--out", "plain.samescore"]);
    yes(at, &["convert", &config, "t.csv"]);
    yes(at, &["convert", &config, "t.parquet", "--row-group-rows", "37"]);
    let sources = csv_rows.iter().map(|rows| ("t.csv", *rows)).chain([("t.parquet", "19")]);
    for (place, (source, rows)) in sources.enumerate() {
        let threads = ["3", "1"][place % 2];
        let options = ["--block-rows", rows, "--threads", threads];
        let fit = ["fit", &config, "--data", source, "--stream", "--out", "streamed.samescore"];
        yes(at, &[&fit[..], &options].concat());
        assert!(read(at, "streamed.samescore") == read(at, "plain.samescore"), "{source} {rows}");

        // Beside a trace a table is scored in memory.
        let score = ["score", "plain.samescore", source, "--out"];
        yes(at, &[&score[..], &["whole.csv", "--trace", "t.trace"]].concat());
        yes(at, &[&score[..], &["blocks.csv"], &options].concat());
        assert!(read(at, "blocks.csv") == read(at, "whole.csv"), "{source} {rows}");
        let printed = yes(at, &[&score[..3], &options].concat());
        assert!(printed == read(at, "whole.csv"), "{source} {rows}: stdout");

        let transform = ["transform", "plain.samescore", source];
        let few = yes(at, &[&transform[..], &options].concat());
        assert!(few == yes(at, &transform), "{source} {rows}: transform");
    }
}

#[test]
fn a_table_with_text_and_a_split_gives_the_same_bytes_in_blocks() {
    expect_same("titanic.toml", &["3", "64"]);
}

#[test]
fn trees_hold_their_rows_and_give_the_same_bytes_in_blocks() {
    expect_same("titanic_boosting.toml", &["64"]);
}

#[test]
fn several_classes_give_the_same_bytes_in_blocks() {
    expect_same("titanic_class.toml", &["7"]);
}

#[test]
fn other_outputs_than_scores_are_listed_in_blocks() {
    let folder = tempfile::tempdir().expect("a folder");
    let (at, config) = (folder.path(), pipeline("titanic_boosting.toml"));
    yes(at, &["fit", &config, "--out", "plain.samescore"]);
    yes(at, &["convert", &config, "t.csv"]);
    for output in ["margin", "leaf", "contribution"] {
        let score = ["score", "plain.samescore", "t.csv", "--output", output];
        yes(at, &[&score[..], &["--out", "whole.csv", "--trace", "t.trace"]].concat());
        let blocks = yes(at, &[&score[..], &["--block-rows", "100"]].concat());
        assert!(blocks == read(at, "whole.csv"), "{output}");
    }
}

const CONFIG: &str = "[data]\nsource = \"t.csv\"\nkey = [\"id\"]\n\
    [data.columns]\nid = \"num\"\na = \"num\"\ny = \"num\"\n\
    [target]\ncolumn = \"y\"\n[model]\nkind = \"linear_regression\"\n";

#[test]
fn what_is_wrong_with_a_table_is_told_in_the_same_words() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    std::fs::write(at.join("t.toml"), CONFIG).expect("a config");
    for (rows, said) in [
        ("1,1,1\n2,2,3\n3,x,4\n", "row 2"),
        ("1,1,1\n2,2,\n3,5,4\n", "row 1"),
        ("1,1,1\n2,2,3\n3,3,4\n2,4,5\n1,5,6\n", "repeated in rows [3, 4]"),
        ("1,1,1\n2,2,3\n3,3\n", "line 4"),
        ("", "found none"),
    ] {
        std::fs::write(at.join("t.csv"), format!("id,a,y\n{rows}")).expect("a table");
        let plain = samescore(at, &["fit", "t.toml"]);
        let told = String::from_utf8_lossy(&plain.stderr).into_owned();
        assert!(!plain.status.success() && told.contains(said), "{told}");
        for block_rows in ["1", "2", "64"] {
            let args = ["fit", "t.toml", "--stream", "--block-rows", block_rows];
            let streamed = samescore(at, &args);
            assert_eq!(streamed.status.code(), plain.status.code());
            assert_eq!(String::from_utf8_lossy(&streamed.stderr), told);
        }
        assert!(!at.join("t.samescore").exists());
    }
}

/// A fit of a table in memory, and what of it has to be in blocks as well.
struct Plain {
    folder: tempfile::TempDir,
    config: String,
    evaluated: Vec<u8>,
}

impl Plain {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (at, config) = (folder.path(), pipeline("titanic.toml"));
        yes(at, &["convert", &config, "t.csv"]);
        let fit = ["fit", &config, "--data", "t.csv", "--out", "plain.samescore"];
        yes(at, &[&fit[..], &["--trace", "f.trace"]].concat());
        let evaluated = yes(at, &["evaluate", &config, "--data", "t.csv"]);
        Plain { folder, config, evaluated }
    }

    /// Every command over `source`, nothing of which stays in memory, says what it says over
    /// `same` in memory: the same rows in the order in which `source` gives them.
    fn expect_in_blocks(&self, source: &str, same: &str, threads: &str) {
        let at = self.folder.path();
        let options = ["--block-rows", "19", "--hold", "0", "--threads", threads];
        let streamed = [&options[..], &["--stream"]].concat();
        let fit = ["fit", &self.config, "--data", source, "--out", "a.samescore"];
        yes(at, &[&fit[..], &["--trace", "a.trace"], &streamed].concat());
        assert!(read(at, "a.samescore") == read(at, "plain.samescore"), "{source}");
        assert!(read(at, "a.trace") == read(at, "f.trace"), "{source}: trace of a fit");
        let score = |source: &str, out: &str, options: &[&str]| {
            let (table, trace) = (format!("{out}.csv"), format!("{out}.trace"));
            let args = ["score", "plain.samescore", source, "--out", &table, "--trace", &trace];
            yes(at, &[&args[..], options].concat());
            (read(at, &table), read(at, &trace))
        };
        let (scores, trace) = score(source, "a", &options);
        let (whole_scores, whole_trace) = score(same, "s", &[]);
        assert!(scores == whole_scores, "{source}: scores");
        assert!(trace == whole_trace, "{source}: trace");
        assert!(answers(at, source, &options) == answers(at, same, &[]), "{source}: answers");
        let evaluate = ["evaluate", &self.config, "--data", source];
        let evaluated = yes(at, &[&evaluate[..], &streamed].concat());
        assert!(evaluated == self.evaluated, "{source}: evaluate");
    }
}

fn answers(at: &Path, source: &str, options: &[&str]) -> Vec<Vec<u8>> {
    let json = ["--format", "json"];
    [
        &["score", "plain.samescore", source][..],
        &["score", "plain.samescore", source, json[0], json[1]],
        &["transform", "plain.samescore", source],
        &["transform", "plain.samescore", source, json[0], json[1]],
        &["drift", "plain.samescore", source, json[0], json[1]],
    ]
    .map(|args| samescore(at, &[args, options].concat()).stdout)
    .to_vec()
}

#[test]
fn what_cannot_be_cut_gives_the_same_bytes_in_blocks() {
    let plain = Plain::new();
    let at = plain.folder.path();
    for (place, out) in
        ["t.csv.gz", "t.jsonl", "t.arrow", "sqlite://t.db?table=t"].into_iter().enumerate()
    {
        let rows = [&["--row-group-rows", "50"][..], &[]][usize::from(out != "t.arrow")];
        yes(at, &[&["convert", &plain.config, out][..], rows].concat());
        plain.expect_in_blocks(out, "t.csv", ["3", "1"][place % 2]);
    }
}

#[cfg(unix)]
#[test]
fn a_server_gives_the_same_bytes_in_blocks() {
    let Some(server) = server::shared() else { return };
    let plain = Plain::new();
    let csv = read(plain.folder.path(), "t.csv");
    let header = csv.split(|byte| *byte == b'\n').next().expect("a header");
    let header = std::str::from_utf8(header).expect("UTF-8");
    let fields: Vec<String> = header.split(',').map(|name| format!("\"{name}\" text")).collect();
    let mut client = server.client();
    let create = format!("CREATE TABLE passengers ({})", fields.join(", "));
    client.batch_execute(&create).expect("the table is made");
    let mut copy =
        client.copy_in("COPY passengers FROM STDIN (FORMAT csv, HEADER)").expect("it takes rows");
    copy.write_all(&csv).expect("it takes rows");
    copy.finish().expect("it takes rows");
    for (relation, threads) in
        [(server::table("passengers"), "3"), (server::query("select * from passengers"), "1")]
    {
        let source = Source::Postgres(server.address(), relation).to_string();
        // A server has an order of its own, which stays while nobody writes.
        plain.expect_in_blocks(&source, &source, threads);
    }
}

#[test]
fn a_population_and_a_join_give_the_same_bytes_in_blocks() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let mut rows = String::from("id,a,y\n");
    (0..90).for_each(|i| rows += &format!("k{},{},{}\n", i % 30, i % 11, (i * 7) % 13));
    std::fs::write(at.join("t.csv"), &rows).expect("a table");
    let mut other = String::from("id,income\n");
    (0..29).for_each(|i| other += &format!("k{i},{}\n", i * i % 17));
    std::fs::write(at.join("o.csv"), other).expect("a table");
    let body = "[data.columns]\na = \"num\"\ny = \"num\"\nincome = \"num\"\n\
        [target]\ncolumn = \"y\"\n[split]\ntest_ratio = 0.3\n\
        [[step]]\nkind = \"mean_median_imputer\"\ncolumns = [\"income\"]\n\
        [model]\nkind = \"linear_regression\"\n[source]\npath = \"t.csv\"\n\
        [[join]]\nsource = { path = \"o.csv\" }\non = [\"id\"]\n";
    let population = "[[population]]\ncolumn = \"a\"\nmin = 2\n";
    let plain = body.split("[[join]]").next().unwrap_or_default().replace("income = \"num\"\n", "");
    let plain = plain.replace("columns = [\"income\"]", "columns = [\"a\"]");
    for text in [format!("{plain}{population}"), body.to_owned(), format!("{body}{population}")] {
        std::fs::write(at.join("c.toml"), &text).expect("a config");
        yes(at, &["fit", "c.toml", "--out", "plain.samescore"]);
        let evaluated = yes(at, &["evaluate", "c.toml"]);
        for rows in ["1", "7", "64"] {
            let options = ["--stream", "--block-rows", rows, "--hold", "0"];
            yes(at, &[&["fit", "c.toml", "--out", "a.samescore"][..], &options].concat());
            assert!(read(at, "a.samescore") == read(at, "plain.samescore"), "{rows}: {text}");
            let streamed = yes(at, &[&["evaluate", "c.toml"][..], &options].concat());
            assert!(streamed == evaluated, "{rows}: {text}");
        }
    }
    // The rows as they are joined, in blocks or not.
    yes(at, &["convert", "c.toml", "joined.csv"]);
    let score = ["score", "plain.samescore", "joined.csv", "--mark"];
    let whole = yes(at, &score);
    for rows in ["1", "7"] {
        assert!(yes(at, &[&score[..], &["--block-rows", rows]].concat()) == whole, "{rows}");
    }
}

#[test]
fn the_classes_of_a_joined_target_need_no_list() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let (mut rows, mut other) = (String::from("id,a\n"), String::from("id,class\n"));
    for i in 0..60 {
        rows += &format!("k{i},{}\n", (i * 7) % 13);
        other += &format!("k{i},{}\n", ["low", "mid", "top"][(i * 7) % 13 % 3]);
    }
    std::fs::write(at.join("t.csv"), rows).expect("a table");
    std::fs::write(at.join("o.csv"), other).expect("a table");
    let text = |columns: &str| {
        format!(
            "{columns}[target]\ncolumn = \"class\"\ntask = \"multiclass\"\n\
            [[step]]\nkind = \"drop_columns\"\ncolumns = [\"id\"]\n\
            [model]\nkind = \"logistic_regression\"\n[source]\npath = \"t.csv\"\n\
            [[join]]\nsource = {{ path = \"o.csv\" }}\non = [\"id\"]\n"
        )
    };
    let declared = "[data.columns]\na = \"num\"\nclass = \"text\"\nid = \"text\"\n";
    std::fs::write(at.join("declared.toml"), text(declared)).expect("a config");
    std::fs::write(at.join("inferred.toml"), text("[data]\n")).expect("a config");
    let listed = text(declared).replace(
        "multiclass\"\n",
        "multiclass\"\nclasses = [\"low\", \
        \"mid\", \"top\"]\n",
    );
    std::fs::write(at.join("listed.toml"), listed).expect("a config");
    for name in ["declared", "inferred", "listed"] {
        yes(at, &["fit", &format!("{name}.toml")]);
        let found = read(at, &format!("{name}.samescore"));
        assert!(found == read(at, "declared.samescore"), "{name}");
    }
}

#[test]
fn a_listing_that_fails_in_the_middle_leaves_no_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    std::fs::write(at.join("t.toml"), CONFIG).expect("a config");
    std::fs::write(at.join("t.csv"), "id,a,y\n1,1,1\n2,2,3\n3,3,4\n4,4,6\n").expect("a table");
    yes(at, &["fit", "t.toml"]);
    yes(at, &["convert", "t.toml", "t.parquet", "--row-group-rows", "2"]);
    let mut bytes = read(at, "t.parquet");
    // The pages of the last row group end at the footer, whose length stands before the magic.
    let tail = bytes.len() - 8;
    let footer = u32::from_le_bytes(bytes[tail..tail + 4].try_into().expect("4 bytes")) as usize;
    let pages = tail - footer;
    bytes[pages / 2 + 8..pages].fill(0xff);
    std::fs::write(at.join("bad.parquet"), bytes).expect("a damaged table");
    let score = ["score", "t.samescore", "bad.parquet", "--out", "s.csv", "--threads", "1"];
    let output = samescore(at, &score);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{told}");
    let names =
        std::fs::read_dir(at).expect("a folder").map(|entry| entry.expect("one").file_name());
    let left: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
    assert!(left.iter().all(|name| name != "s.csv" && !name.starts_with('.')), "{left:?}");
}
