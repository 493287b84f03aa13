//! Few bytes that say many rows: those that are there are read, and those that are only claimed
//! take no memory.

use super::*;

/// A Parquet file whose footer says another number of rows wherever it says it.
fn claiming(file: &[u8], rows: u64, claimed: u64) -> Vec<u8> {
    let (from, to) = (thrift_number(rows), thrift_number(claimed));
    with_footer(file, |footer| {
        let (mut changed, mut rest, mut n_claims) = (Vec::new(), footer, 0);
        while let Some((first, behind)) = rest.split_first() {
            match rest.strip_prefix(&from[..]) {
                Some(behind) => {
                    changed.extend(&to);
                    rest = behind;
                    n_claims += 1;
                }
                None => {
                    changed.push(*first);
                    rest = behind;
                }
            }
        }
        assert!(n_claims >= 3, "{n_claims}");
        changed
    })
}

#[test]
fn a_column_of_one_value_is_read_however_small_its_file_is() {
    const ROWS: usize = 3 << 20;
    let folder = folder();
    let table =
        batch(vec![("a", Column::num(vec![1.5; ROWS])), ("b", Column::num(vec![7.0; ROWS]))]);
    let path = written(folder.path(), "t.parquet", &table, Some(ROWS));
    let n_bytes = std::fs::metadata(&path).unwrap().len() as usize;
    assert!(n_bytes * 8 < ROWS, "{n_bytes}");
    let read = gather::read(&path, &declared(&[("b", ColumnKind::Num)]), &[]).unwrap();
    assert!(read.num(0).iter().all(|x| *x == 7.0) && read.n_rows() == ROWS);
    let inferred = gather::read_inferred(&path, &[]).unwrap();
    assert!(inferred.num(0).iter().all(|x| *x == 1.5) && inferred.n_rows() == ROWS);
    // Several row groups, of which some are slices, in their order.
    let numbers: Vec<f64> = (0..ROWS).map(|row| (row >> 19) as f64).collect();
    let table = batch(vec![("a", Column::num(numbers.iter().copied()))]);
    let path = written(folder.path(), "u.parquet", &table, Some(ROWS / 2));
    let read = gather::read(&path, &declared(&[("a", ColumnKind::Num)]), &[]).unwrap();
    assert!(read.num(0) == numbers);
}

/// Sixteen GiB would be set aside for what is claimed; two are allowed.
#[cfg(unix)]
#[test]
fn rows_that_a_small_file_claims_take_no_memory() {
    const CLAIMED: u64 = 1 << 31;
    let folder = folder();
    let table = batch(vec![("a", Column::num((0..777).map(|i| f64::from(i) + 0.5)))]);
    let parquet = std::fs::read(written(folder.path(), "t.parquet", &table, None)).unwrap();
    put(folder.path(), "t.parquet", claiming(&parquet, 777, CLAIMED));
    let script = "ulimit -v 2097152; exec \"$0\" \"$@\"";
    let program = env!("CARGO_BIN_EXE_samescore");
    let mut command = std::process::Command::new("sh");
    command.args(["-c", script, program, "gather", "t.parquet", "--threads", "2"]);
    let output = command.current_dir(folder.path()).env("NO_COLOR", "1").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("t.parquet"), "{said}");
}
