//! Blocks of every kind of source against the whole of it.

use samescore_core::batch::{Column, ColumnKind};

use super::*;
use crate::convert::{self, Form};
use crate::gather;

const KINDS: [(&str, ColumnKind); 3] =
    [("a", ColumnKind::Num), ("b", ColumnKind::Text), ("c", ColumnKind::Time)];

fn data() -> DataConfig {
    let mut data = DataConfig::default();
    let columns = KINDS.map(|(name, kind)| (name.to_owned(), kind.into()));
    data.columns = columns.into_iter().collect();
    data
}

/// Nothing stays in memory.
fn keep() -> Keep {
    Keep { bytes_max: 0, ..Keep::default() }
}

/// Every cell and fault with the row of the source.
fn cells(batch: &Batch) -> Vec<String> {
    let row = |row: usize| {
        let cells = batch.columns().iter().map(|c| c.value(row).to_string());
        let fault = batch.fault_of(row).map(ToString::to_string);
        let place = batch.source_row(row);
        format!("{place}: {:?} {fault:?}", cells.collect::<Vec<_>>())
    };
    (0..batch.n_rows()).map(row).collect()
}

fn outcome(source: &Source, block_rows: usize) -> Result<Vec<String>, String> {
    let open = blocks(source, &data(), block_rows, &keep()).map_err(|e| e.to_string())?;
    let mut all = Vec::new();
    for index in 0..open.n_blocks() {
        let block = open.read(index).map_err(|e| e.to_string())?;
        assert!(block.n_rows() <= block_rows);
        all.extend(cells(&block));
    }
    assert_eq!(open.n_rows(), all.len() as u64);
    Ok(all)
}

fn expect_same(source: &Path) {
    expect_source_same(&source.into());
}

fn expect_source_same(source: &Source) {
    let whole = gather::read(source, &data(), &[]);
    let whole = whole.map(|batch| cells(&batch)).map_err(|e| e.to_string());
    for block_rows in [1, 2, 3, 64, 100_000] {
        assert_eq!(outcome(source, block_rows), whole, "blocks of {block_rows}");
    }
}

#[test]
fn csv_blocks_are_the_whole_file_and_refuse_what_it_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    for text in [
        &b"a,b,c\n1,x,2020-01-01\n2,\"y,\n\"\"z\",\n,,2021-02-03T04:05Z\nn/a,u,never\n"[..],
        b"\xef\xbb\xbfx,c,b,a\r\n9,,\"multi\r\nline\",1\r\n9,,v,2\r\n9,,w,3",
        b"a,b,c\n",
        b"a,b,c",
        b"",
        b"a,b\n1,x\n",
        b"a,b,c\n1,x,\n2,y,\n3,z\n4,u,\n",
        b"a,b,\"c\"\n1,\"x\n\ny\",\n2,y,\n3,\"z\"z,\n4,u,\n",
        b"a,b,c\n1,x,\n2,y,\n3,z\"z,\n4,u,\n",
        b"a,b,c\n1,x,\n2,\"y,\n3,z,\n4,u,\n",
        b"a,b,c\n1,x,\n2,\xff,\n3,z,\n",
        b"a,b,c\n1,x,\n\n3,z,\n",
        b"a,b,c\n1,x,\r2,y,\n3,z,\n",
    ] {
        std::fs::write(&path, text).unwrap();
        expect_same(&path);
    }
    let absent =
        blocks(&Source::from(&folder.path().join("absent.csv")), &data(), 1, &keep()).map(|_| ());
    assert_eq!(absent.unwrap_err().code(), Code::Io);
    assert!(blocks(&folder.path().into(), &data(), 1, &keep()).is_err());
}

#[test]
fn several_files_and_files_that_cannot_be_cut_are_one_table() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("1.csv"), "a,b,c\n1,x,\n2,y,\nz,y,\n").unwrap();
    std::fs::write(at("2.csv"), "c,a,b\n").unwrap();
    std::fs::write(at("3.csv"), "c,b,a,\nnever,u,3,\n,v,4,").unwrap();
    expect_same(&at("*.csv"));
    std::fs::write(at("3.csv"), "c,b,a,d\nnever,u,3,\n,v,4,").unwrap();
    expect_same(&at("*.csv"));
    std::fs::write(at("t.jsonl"), "{\"a\":1,\"b\":\"x\",\"c\":null}\n").unwrap();
    expect_same(&at("t.jsonl"));
}

#[test]
fn every_kind_of_source_in_blocks_is_the_whole_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let columns = vec![
        Column::num((0..200).map(|i| if i % 7 == 0 { f64::NAN } else { f64::from(i) / 3.0 })),
        Column::text((0..200).map(|i| [Some("x"), None, Some("é,\""), Some("")][i % 4])),
        Column::Time((0..200).map(|i| i * 86_400_000_000).collect()),
    ];
    let fields = KINDS.map(|(name, kind)| Field::new(name, kind));
    let table = Batch::new(Arc::new(Schema::new(fields).unwrap()), columns).unwrap();
    for name in ["t.csv.gz", "t.jsonl", "t.arrow", "t.parquet"] {
        let form = Form::File { format: Format::of(&at(name)).unwrap(), group_rows: Some(37) };
        let bytes = convert::write(&table, &data().columns, &form).unwrap();
        std::fs::write(at(name), bytes).unwrap();
        expect_same(&at(name));
    }
    let form = Form::Sqlite("t".to_owned());
    let bytes = convert::write(&table, &data().columns, &form).unwrap();
    std::fs::write(at("t.db"), bytes).unwrap();
    let address = format!("sqlite://{}?table=t", at("t.db").display());
    expect_source_same(&Source::parse(address, Path::new("")).unwrap());
    // Files of several formats are one table, in the order of their names.
    std::fs::remove_file(at("t.db")).unwrap();
    expect_same(&at("t.*"));
}

#[test]
fn what_is_wrong_with_a_source_read_once_is_told_in_the_same_words() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.jsonl");
    let line = "{\"a\":1,\"b\":\"x\",\"c\":null}\n";
    for text in [
        String::new(),
        "\n\n  \n\n\n\n".to_owned(),
        "\u{feff}".to_owned(),
        format!("\u{feff}{line}"),
        format!("\n{line}"),
        format!("{line}\n{line}"),
        format!("{line}{{\"a\":\"n\"}}\n{line}"),
        format!("{line}{{\"a\":[1]}}\n{line}{line}"),
        format!("{line}{{\"a\":[1]}}\n{line}x\n"),
        "{\"a\":1}\n".repeat(9),
        format!("{}{{\"b\":1,\"b\":2}}\n", line.repeat(9)),
    ] {
        std::fs::write(&path, text).unwrap();
        expect_same(&path);
    }
    let path = folder.path().join("t.csv.gz");
    let pack = |text: &str| {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), Default::default());
        std::io::Write::write_all(&mut packer, text.as_bytes()).unwrap();
        packer.finish().unwrap()
    };
    let whole = pack("a,b,c\n1,x,\n2,y,2020-01-01\nz,,\n");
    for bytes in [
        whole.clone(),
        whole[..whole.len() - 3].to_vec(),
        pack("a,b,c\n1,x,\n2,y\n3,z,\n"),
        pack("a,b\n1,x\n2,y\n"),
        pack("a,b,b\n1,x,y\n"),
        pack(""),
        b"plain".to_vec(),
    ] {
        std::fs::write(&path, bytes).unwrap();
        expect_same(&path);
    }
}

#[test]
fn a_file_that_changes_while_it_is_read_once_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let column = || Column::num((0..50).map(f64::from));
    let fields = [Field::new("a", ColumnKind::Num)];
    let table = Batch::new(Arc::new(Schema::new(fields).unwrap()), vec![column()]).unwrap();
    for name in ["t.csv", "t.csv.gz", "t.jsonl", "t.arrow", "t.parquet"] {
        let path = folder.path().join(name);
        let form = Form::File { format: Format::of(&path).unwrap(), group_rows: Some(20) };
        let bytes = convert::write(&table, &BTreeMap::new(), &form).unwrap();
        let read = |meanwhile: &mut dyn FnMut()| {
            std::fs::write(&path, &bytes).unwrap();
            let make = |_: &str| Filling::new(&ColumnKind::Num.into(), &[]);
            parts(&Filed::named(path.clone()), (&["a"], 20), &make, |_: Vec<Filling>, _| {
                meanwhile();
                Ok(())
            })
        };
        assert_eq!(read(&mut || ()), Ok(()), "{name}");
        let longer = [&bytes[..], b"more"].concat();
        let changed = read(&mut || std::fs::write(&path, &longer).unwrap()).unwrap_err();
        assert_eq!(changed.code(), Code::SourceChanged, "{name}");
        let gone = read(&mut || drop(std::fs::remove_file(&path))).unwrap_err();
        assert_eq!(gone.code(), Code::SourceChanged, "{name}");
    }
}

#[test]
fn records_longer_than_what_is_read_at_a_time_stay_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    let long = "x,\n".repeat(csv::READ_BYTES / 2);
    let text = format!("a,b,c\n1,\"{long}\",\n2,y,\n3,\"{long}\",\n4,z,\n");
    std::fs::write(&path, text).unwrap();
    expect_same(&path);
}

#[test]
fn a_file_that_changes_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    std::fs::write(&path, "a,b,c\n1,x,\n2,y,\n").unwrap();
    let open = blocks(&Source::from(&path), &data(), 1, &keep()).unwrap();
    open.read(1).unwrap();
    std::fs::write(&path, "a,b,c\n1,x,\n2,y,\n3,z,\n").unwrap();
    assert_eq!(open.read(1).unwrap_err().code(), Code::SourceChanged);
}
