//! A snapshot whose manifest says something else than its table is refused, whoever reads it.

use samescore_core::canonical::Canonical;
use samescore_core::error::Code;
use samescore_research::snapshot::{self, About, MANIFEST, TABLE};
use serde_json::{Value, json};

use super::*;

const KINDS: [(&str, ColumnKind); 3] =
    [("a", ColumnKind::Num), ("b", ColumnKind::Text), ("c", ColumnKind::Time)];

fn rows(number: f64) -> Batch {
    batch(vec![
        ("a", Column::num([number, f64::NAN, 2.0])),
        ("b", Column::text([Some("x"), None, Some("y")])),
        ("c", Column::Time(vec![0, 1_000_000, 86_400_000_000])),
    ])
}

/// Stores rows, and gives the folder of the snapshot.
fn kept(folder: &Path, rows: Batch) -> PathBuf {
    let table = Canonical::new(rows, &[]).unwrap();
    snapshot::store(folder, &table, &About::default()).unwrap().path
}

fn edited(folder: &Path, edit: impl FnOnce(&mut Value)) {
    let path = folder.join(MANIFEST);
    let mut manifest = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    edit(&mut manifest);
    std::fs::write(path, manifest.to_string()).unwrap();
}

/// What reading a snapshot in every way is refused with; whoever does not read all rows of a column
/// at once cannot know its digest.
fn refused(folder: &Path, is_of_shape: bool) -> String {
    let same = |error: Error| {
        assert_eq!(error.code(), Code::BadSnapshot, "{error}");
        error.to_string()
    };
    let said = same(gather::read(folder, &declared(&KINDS), &[]).unwrap_err());
    assert_eq!(same(gather::read_inferred(folder, &[]).unwrap_err()), said);
    let keep = Keep { bytes_max: 0, ..Keep::default() };
    let blocks = gather::blocks(&Source::from(folder), &declared(&KINDS), 2, &keep);
    match is_of_shape {
        true => assert_eq!(same(blocks.err().unwrap()), said),
        false => assert!(blocks.is_ok()),
    }
    said.replace(&format!("{}/", folder.display()), "")
}

type Edit<'a> = Box<dyn Fn(&mut Value) + 'a>;

const REMEDY: &str = "(remove the snapshot's folder and gather the rows again)";

#[test]
fn what_a_manifest_says_of_its_table_is_checked_and_named() {
    let no_digest = "00".repeat(32);
    let edits: [(Edit<'_>, &str); 6] = [
        (
            Box::new(|m| m["n_rows"] = json!(4)),
            "`manifest.json`: expected `n_rows` 3 as its table has it, found 4",
        ),
        (
            Box::new(|m| m["columns"][1]["name"] = json!("bb")),
            "`manifest.json`: expected columns `a`, `b`, `c` as its table has it, found `a`, `bb`, \
             `c`",
        ),
        (
            Box::new(|m| drop(m["columns"].as_array_mut().unwrap().pop())),
            "`manifest.json`: expected columns `a`, `b`, `c` as its table has it, found `a`, `b`",
        ),
        (
            Box::new(|m| m["columns"][0]["kind"] = json!("text")),
            "column `a`: `manifest.json`: expected `kind` num as its table has it, found text",
        ),
        (
            Box::new(|m| m["columns"][2]["digest"] = json!(no_digest)),
            "column `c`: `manifest.json`: expected `digest` ",
        ),
        (
            Box::new(|m| m["fingerprint"] = json!(no_digest)),
            "`manifest.json`: expected `fingerprint` ",
        ),
    ];
    for (edit, expected) in edits {
        let folder = folder();
        let path = kept(folder.path(), rows(1.5));
        assert_eq!(gather::read(&path, &declared(&KINDS), &[]).unwrap().n_rows(), 3);
        edited(&path, edit);
        let said = refused(&path, true);
        assert!(said.starts_with(expected) && said.ends_with(REMEDY), "{said}");
        // Gathering the same rows again does not find it.
        let table = Canonical::new(rows(1.5), &[]).unwrap();
        let found = snapshot::store(folder.path(), &table, &About::default()).unwrap_err();
        assert_eq!(found.code(), Code::BadSnapshot);
    }
}

#[test]
fn another_table_under_its_own_sha_256_is_found_out_by_the_digests() {
    let folder = folder();
    let path = kept(folder.path(), rows(1.5));
    let other = kept(folder.path(), rows(7.5));
    std::fs::copy(other.join(TABLE), path.join(TABLE)).unwrap();
    let manifest: Value =
        serde_json::from_slice(&std::fs::read(other.join(MANIFEST)).unwrap()).unwrap();
    edited(&path, |m| m["table_sha256"] = manifest["table_sha256"].clone());
    let said = refused(&path, false);
    assert!(said.starts_with("column `a`: `manifest.json`: expected `digest` "), "{said}");
    // Read as another kind, or with markers, the cells are others than those stored.
    let otherwise = declared(&[("b", ColumnKind::Num)]);
    assert_eq!(gather::read(&path, &otherwise, &[]).unwrap().faults().len(), 2);
    let marked = DataConfig { missing: vec!["2".to_owned()], ..declared(&KINDS) };
    assert!(gather::read(&path, &marked, &[]).is_ok());
}
