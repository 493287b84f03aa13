//! Files in folders called `name=value` are the one table that has the value in every row.

use super::*;

const KINDS: [(&str, ColumnKind); 4] = [
    ("city", ColumnKind::Text),
    ("month", ColumnKind::Num),
    ("n", ColumnKind::Num),
    ("year", ColumnKind::Num),
];

/// City, month, year and the numbers of the rows of a file.
const FILES_OF: [(&str, Option<&str>, &str, &[f64]); 4] = [
    ("a b/c", Some("01"), "2020", &[1.0, 2.5, 3.0]),
    ("a b/c", Some("2"), "2021", &[4.0]),
    ("\u{e9}", None, "2020", &[5.0, 6.0]),
    ("?", Some("3"), "2021", &[7.0]),
];

fn put_below(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    std::fs::create_dir_all(folder.join(name).parent().unwrap()).unwrap();
    put(folder, name, bytes);
}

/// Where the file of that number lies.
fn place(at: usize, ending: &str) -> String {
    let (city, month, year, _) = FILES_OF[at];
    let city = city.replace(' ', "%20").replace('/', "%2f").replace('?', "%3F");
    let month = month.unwrap_or("__HIVE_DEFAULT_PARTITION__");
    format!("part/city={city}/plain/year={year}/month={month}/{at}.{ending}")
}

/// A folder with the files, and the one CSV file that says the same.
fn parted(ending: &str) -> TempDir {
    let folder = folder();
    let mut whole = "n,year,month,city\n".to_owned();
    let mut order: Vec<usize> = (0..FILES_OF.len()).collect();
    order.sort_by_key(|at| place(*at, ending));
    for at in order {
        let (city, month, year, numbers) = FILES_OF[at];
        let name = place(at, ending);
        std::fs::create_dir_all(folder.path().join(&name).parent().unwrap()).unwrap();
        let rows = batch(vec![("n", Column::num(numbers.iter().copied()))]);
        written(folder.path(), &name, &rows, Some(1));
        for n in numbers {
            whole.push_str(&format!("{n},{year},{},{city}\n", month.unwrap_or_default()));
        }
    }
    put(folder.path(), "whole.csv", whole);
    folder
}

/// Every cell and fault.
fn shown_rows(batch: &Batch) -> (Vec<Vec<String>>, Vec<(u32, String)>) {
    let names: Vec<String> = batch.schema().names().map(str::to_owned).collect();
    (names.iter().map(|name| cells(batch, name)).collect(), faults(batch))
}

fn in_blocks(source: &Source, data: &DataConfig, block_rows: usize) -> Batch {
    let keep = Keep { bytes_max: 0, ..Keep::default() };
    gather::blocks(source, data, block_rows, &keep).unwrap().into_batch().unwrap()
}

#[test]
fn folders_of_values_are_columns_in_every_format_whole_and_in_blocks() {
    let missing = vec!["?".to_owned()];
    for ending in FILES {
        let folder = parted(ending);
        let whole = folder.path().join("whole.csv");
        let mut sources = vec!["part".to_owned()];
        sources.push(format!("part/**/*.{ending}"));
        sources.push(format!("part/city=*/plain/year=20??/*/*.{ending}"));
        for source in sources {
            let source = Source::from(&folder.path().join(source));
            for columns in [&KINDS[..], &KINDS[..2], &KINDS[1..2], &KINDS[2..3]] {
                let data = DataConfig { missing: missing.clone(), ..declared(columns) };
                let expected = shown_rows(&gather::read(&whole, &data, &[]).unwrap());
                let read = gather::read(&source, &data, &[]).unwrap();
                assert_eq!(shown_rows(&read), expected, "{source} {columns:?}");
                for block_rows in [1, 2, 64] {
                    let read = in_blocks(&source, &data, block_rows);
                    assert_eq!(shown_rows(&read), expected, "{source} {columns:?} {block_rows}");
                }
            }
            // A zero before another digit makes a column text, here as in a cell.
            let mut expected = declared(&KINDS).columns;
            expected.insert("month".to_owned(), ColumnKind::Text.into());
            assert_eq!(gather::infer(&whole, &missing).unwrap(), expected);
            assert_eq!(gather::infer(&source, &missing).unwrap(), expected, "{source}");
            let read = gather::read_inferred(&source, &missing).unwrap();
            let one = gather::read_inferred(&whole, &missing).unwrap();
            assert_eq!(read.schema(), one.schema());
            assert_eq!(shown_rows(&read), shown_rows(&one), "{source}");
        }
    }
}

#[test]
fn a_value_that_its_kind_cannot_take_is_a_fault_of_every_row() {
    let folder = folder();
    put_below(folder.path(), "p/k=x/a.csv", "n\n1\n2\n");
    let kinds = [("k", ColumnKind::Num), ("n", ColumnKind::Num)];
    let said = "column `k`: row 0: expected number, found text \"x\"";
    let source = Source::from(&folder.path().join("p"));
    let whole = faults(&gather::read(&source, &declared(&kinds), &[]).unwrap());
    assert!(whole.len() == 2 && whole[0].1.starts_with(said), "{whole:?}");
    assert_eq!(faults(&in_blocks(&source, &declared(&kinds), 1)), whole);
    put_below(folder.path(), "p/k=1/a.csv", "n\n1\n2\n");
    let whole = faults(&gather::read(&source, &declared(&kinds), &[]).unwrap());
    assert_eq!(whole[1].0, 3);
    assert!(whole[1].1.contains("`k=x/a.csv` row 1: ") || whole[1].1.contains("/k=x/a.csv` row 1"));
    assert_eq!(faults(&in_blocks(&source, &declared(&kinds), 1)), whole);
}

#[test]
fn files_that_say_it_otherwise_are_refused() {
    let folder = folder();
    put_below(folder.path(), "p/k=1/a.csv", "n\n1\n");
    put_below(folder.path(), "p/j=1/a.csv", "n\n1\n");
    let said = "expected the same folders above every file, found `j=` above `p/j=1/a.csv` and \
                `k=` above `p/k=1/a.csv` (name files of the same folders by a pattern)";
    let source = folder.path().join("p");
    assert_eq!(refusal(folder.path(), &source, &[("n", ColumnKind::Num)]), said);
    assert_eq!(unstreamed(folder.path(), &source, &[("n", ColumnKind::Num)]), said);
    assert_eq!(uninferred(folder.path(), &source), said);
    // A column that is neither in the file nor in the folders.
    let one = folder.path().join("p/k=*/*.csv");
    let said = "column `z`: expected it in `p/k=1/a.csv`, found n";
    let kinds = [("k", ColumnKind::Num), ("z", ColumnKind::Num)];
    let refused = refusal(folder.path(), &one, &kinds);
    assert!(refused.starts_with(said), "{refused}");
    assert_eq!(unstreamed(folder.path(), &one, &kinds), refused);
    put_below(folder.path(), "s/k=1/a.csv", "a;b\n1\n");
    let said = uninferred(folder.path(), &folder.path().join("s"));
    assert!(said.contains("expected cells separated by commas, found ';'"), "{said}");
}

/// What is read of a column of a source, whole and in blocks of two rows.
fn both(folder: &Path, source: &Path, kinds: &[(&str, ColumnKind)]) -> String {
    let whole = refusal(folder, source, kinds);
    let keep = Keep { bytes_max: 0, ..Keep::default() };
    let blocks = gather::blocks(&Source::from(source), &declared(kinds), 2, &keep);
    let blocks = blocks.and_then(|blocks| blocks.into_batch());
    assert_eq!(shown(folder, blocks.map(|rows| rows.n_rows())), whole);
    whole
}

#[test]
fn a_file_may_have_the_column_of_its_folder_if_it_says_the_same() {
    let kinds = [("k", ColumnKind::Num), ("n", ColumnKind::Num)];
    for ending in FILES {
        let folder = folder();
        let rows = |k: &[f64]| {
            let numbers = (0..k.len()).map(|row| row as f64);
            batch(vec![("k", Column::num(k.iter().copied())), ("n", Column::num(numbers))])
        };
        for year in ["k=2020", "k=2021.0"] {
            std::fs::create_dir_all(folder.path().join("p").join(year)).unwrap();
        }
        let at = |year: &str| format!("p/{year}/a.{ending}");
        written(folder.path(), &at("k=2020"), &rows(&[2020.0; 5]), Some(3));
        let second = written(folder.path(), &at("k=2021.0"), &rows(&[2021.0; 2]), None);
        let source = folder.path().join("p");
        let read = gather::read(&source, &declared(&kinds), &[]).unwrap();
        assert_eq!(read.num(0), [2020.0, 2020.0, 2020.0, 2020.0, 2020.0, 2021.0, 2021.0]);
        assert_eq!(both(folder.path(), &source, &kinds), "no refusal: 7", "{ending}");
        assert_eq!(gather::infer(&source, &[]).unwrap(), declared(&kinds).columns);
        let inferred = gather::read_inferred(&source, &[]).unwrap();
        assert_eq!(shown_rows(&inferred), shown_rows(&read), "{ending}");
        written(folder.path(), &at("k=2020"), &rows(&[2020.0, 2020.0, 2020.0, 1999.0]), Some(3));
        let said = format!(
            "column `k`: `p/k=2020/a.{ending}` row 3: expected number 2020, as the folder `k=2020` \
             says, found number 1999 (move the row, write the file without the column, or name the \
             folder without `=`)"
        );
        assert_eq!(both(folder.path(), &source, &kinds), said);
        let inferred = gather::read_inferred(&source, &[]).map(|rows| rows.n_rows());
        assert_eq!(shown(folder.path(), inferred), said);
        // Nobody compares what nobody asks for.
        assert_eq!(both(folder.path(), &source, &kinds[1..]), "no refusal: 6");
        // The file itself, named, is not below a pattern.
        assert_eq!(gather::infer(&second, &[]).unwrap().len(), 2);
    }
}

#[test]
fn what_folder_and_file_say_is_compared_as_the_kind_of_the_column() {
    let folder = folder();
    let source = folder.path().join("p");
    let of = |name: &str, text: &str, kind: ColumnKind| {
        let _gone = std::fs::remove_dir_all(&source);
        put_below(folder.path(), &format!("p/{name}/a.csv"), text);
        both(folder.path(), &source, &[("k", kind)])
    };
    let (num, text, time) = (ColumnKind::Num, ColumnKind::Text, ColumnKind::Time);
    let same = "no refusal: 2";
    assert_eq!(of("k=01", "k,n\n1,1\n1.0,2\n", num), same);
    assert!(
        of("k=01", "k,n\n01,1\n1,2\n", text)
            .contains("row 1: expected text \"01\", as the folder `k=01` says, found text \"1\"")
    );
    assert_eq!(of("k=2020-01-01", "k,n\n2020-01-01,1\n2020-01-01T00:00Z,2\n", time), same);
    let missing = "k=__HIVE_DEFAULT_PARTITION__";
    assert_eq!(of(missing, "k,n\n,1\n,2\n", text), same);
    assert!(of(missing, "k,n\n,1\n7,2\n", num).contains("row 1: expected missing number, as"));
    assert!(of("k=7", "k,n\n7,1\n,2\n", num).contains("row 1: expected number 7, as"));
    // A cell that is none of the kind is a fault of its row, as elsewhere.
    assert_eq!(of("k=7", "k,n\n7,1\nx,2\n", num), same);
    let read = gather::read(&source, &declared(&[("k", num)]), &[]).unwrap();
    assert_eq!(faults(&read).len(), 1);
}
