//! Every function of groups by hand, and what is refused.

use super::*;
use crate::aggregate::MemoryRows;
use crate::batch::{Column, MISSING_TIME};
use crate::math;
use crate::testing::{nums, table, texts};

fn batch() -> Batch {
    table(&[
        ("g", texts(&["b", "a", "b", "", "a", "b"])),
        ("x", nums(&[1e16, 2.0, 1.0, 5.0, f64::NAN, -1e16])),
        ("t", Column::Time(vec![7, MISSING_TIME, 7, 1, 3, 9])),
        ("s", texts(&["p", "q", "r", "", "u", ""])),
    ])
}

fn all() -> GroupBy {
    use GroupFunc::*;
    GroupBy::new(&["g"])
        .column("count", Count, None)
        .column("count_x", Count, Some("x"))
        .column("max", Max, Some("t"))
        .column("mean", Mean, Some("x"))
        .column("min", Min, Some("x"))
        .column("sum", Sum, Some("x"))
        .column("var", Var, Some("x"))
        .ordered("first", First, "s", "t")
        .ordered("last", Last, "s", "t")
        .quantile("median", "x", 0.5)
}

fn run(by: &GroupBy, batch: &Batch, block_rows: usize) -> Batch {
    let blocks = batch.clone().into_blocks(block_rows);
    let rows = MemoryRows::new(Arc::clone(batch.schema()), blocks);
    let made = by.run(&rows).unwrap();
    assert_eq!(**made.schema(), by.output(batch.schema()).unwrap());
    made
}

fn shown(batch: &Batch, name: &str) -> Vec<String> {
    let column = batch.column(batch.schema().slot(name).unwrap());
    (0..batch.n_rows()).map(|row| column.value(row).to_string()).collect()
}

#[test]
fn every_function_by_hand() {
    // a: x 2 and missing; b: x 1e16, 1, -1e16; the missing key: x 5.
    let made = run(&all(), &batch(), 100);
    assert_eq!(shown(&made, "g"), ["text \"a\"", "text \"b\"", "missing text"]);
    let num = |name: &str| made.num(made.schema().slot(name).unwrap()).to_vec();
    assert_eq!(num("count"), [2.0, 3.0, 1.0]);
    assert_eq!(num("count_x"), [1.0, 3.0, 1.0]);
    // In floats 1e16 + 1 - 1e16 is 0; exactly it is 1.
    assert_eq!(num("sum"), [2.0, 1.0, 5.0]);
    assert_eq!(num("mean"), [2.0, 1.0 / 3.0, 5.0]);
    assert_eq!(num("min"), [2.0, -1e16, 5.0]);
    assert_eq!(num("median"), [2.0, 1.0, 5.0]);
    let var = num("var");
    assert!(math::is_missing(var[0]) && math::is_missing(var[2]));
    // (2e32 + 1 - 1/3) / 2 = 1e32 + 1/3, which rounds to 1e32.
    assert_eq!(var[1], 1e32);
    assert_eq!(made.time(made.schema().slot("max").unwrap()), [3, 9, 1]);
    // a: the row without a time is skipped; b: both rows of time 7 have a value, the row of
    // time 9 has none.
    assert_eq!(shown(&made, "first"), ["text \"u\"", "text \"p\"", "missing text"]);
    assert_eq!(shown(&made, "last"), ["text \"u\"", "text \"r\"", "missing text"]);
}

#[test]
fn order_and_blocks_cannot_matter() {
    let wide = |n: usize| -> Batch {
        let g: Vec<f64> = (0..n).map(|i| (i * 7 % 13) as f64).collect();
        let x: Vec<f64> = (0..n).map(|i| ((i * 31 % 101) as f64) * 1e10 + 0.1).collect();
        let h: Vec<String> = (0..n).map(|i| format!("l{}", i * 5 % 4)).collect();
        let h: Vec<&str> = h.iter().map(String::as_str).collect();
        let t: Vec<i64> = (0..n as i64).map(|i| i * 17 % 50).collect();
        let columns = [("g", nums(&g)), ("x", nums(&x)), ("t", Column::Time(t)), ("s", texts(&h))];
        table(&columns)
    };
    let batch = wide(500);
    let by = GroupBy { by: vec!["s".to_owned(), "g".to_owned()], ..all() };
    let expected = run(&by, &batch, 500);
    assert_eq!(expected.n_rows(), 52);
    let reversed: Vec<usize> = (0..500).rev().collect();
    for block_rows in [1, 3, 64] {
        let made = run(&by, &batch.select(&reversed), block_rows);
        for name in expected.schema().names() {
            assert_eq!(shown(&made, name), shown(&expected, name), "{name}");
        }
    }
    let threads = crate::par::Threads::new(3).unwrap();
    let made = threads.run(|| run(&by, &batch, 10));
    assert_eq!(shown(&made, "sum"), shown(&expected, "sum"));
}

#[test]
fn sums_and_quantiles_are_those_of_the_rows_of_a_group() {
    let x: Vec<f64> = (0..200).map(|i| f64::from(i * i % 37) / 8.0).collect();
    let g: Vec<f64> = (0..200).map(|i| f64::from(i % 3)).collect();
    let batch = table(&[("g", nums(&g)), ("x", nums(&x))]);
    let by = GroupBy::new(&["g"]).quantile("q", "x", 0.3).column("v", GroupFunc::Var, Some("x"));
    let made = run(&by, &batch, 17);
    for group in 0..3 {
        let mut values: Vec<f64> = x.iter().copied().skip(group).step_by(3).collect();
        let mut moments = math::Moments::new();
        moments.observe_slice(&values);
        values.sort_by(|a, b| math::total_cmp(*a, *b));
        let q = math::quantile_sorted(&values, 0.3, math::QuantileType::Linear);
        assert_eq!(Some(made.num(1)[group]), q);
        assert_eq!(Some(made.num(2)[group]), moments.variance(1));
    }
}

#[test]
fn no_row_makes_no_group_and_infinities_are_said() {
    assert_eq!(run(&all(), &batch().select(&[]), 10).n_rows(), 0);
    let x = nums(&[f64::INFINITY, f64::NEG_INFINITY, f64::INFINITY, 1.0]);
    let batch = table(&[("g", nums(&[1.0, 1.0, 2.0, 2.0])), ("x", x)]);
    let made = run(&GroupBy::new(&["g"]).column("s", GroupFunc::Sum, Some("x")), &batch, 10);
    assert!(math::is_missing(made.num(1)[0]) && made.num(1)[1] == f64::INFINITY);
}

#[test]
fn what_cannot_be_computed_is_refused_by_name() {
    use GroupFunc::*;
    let refused = |by: GroupBy, expected: &str| {
        let error = by.output(batch().schema()).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    };
    let by = || GroupBy::new(&["g"]);
    refused(by(), "expected key columns in `by` and new ones in `columns`");
    refused(GroupBy { by: vec![], ..all() }, "expected key columns in `by`");
    refused(
        GroupBy { by: vec!["g".to_owned(), "g".to_owned()], ..all() },
        "column `g`: expected each column once in `by`",
    );
    refused(by().column("g", Count, None), "column `g`: expected another name than");
    refused(by().column("n", Sum, None), "column `n`: expected `of` with sum, found none");
    refused(by().column("n", Sum, Some("s")), "column `s`: expected sum of a num column, found");
    refused(by().column("n", Max, Some("s")), "column `s`: expected max of a num or time");
    refused(by().column("n", Sum, Some("z")), "column `z`: expected a column that exists");
    refused(by().column("n", First, Some("s")), "column `n`: expected `order` with first");
    refused(by().ordered("n", Sum, "x", "t"), "column `n`: expected no `order` with sum");
    refused(by().quantile("n", "x", 1.5), "column `n`: expected `q` from 0 to 1, found 1.5");
    refused(by().quantile("n", "x", f64::NAN), "column `n`: expected `q` from 0 to 1");
    refused(by().column("n", Quantile, Some("x")), "column `n`: expected `q` with quantile");
    refused(GroupBy::new(&["z"]).column("n", Count, None), "column `z`: expected a column");
}

#[test]
fn a_row_that_cannot_be_read_is_named() {
    let mut bad = batch();
    bad.fault(4, 1, Error::new(Code::WrongKind, "expected number"));
    bad.fault(2, 1, Error::new(Code::WrongKind, "expected number"));
    let mut rows = Vec::new();
    for range in [0..3, 3..6] {
        let slots: Vec<usize> = (0..4).collect();
        let mut block = Batch::default();
        block.fill(bad.schema(), &bad, &slots, range);
        rows.push(block);
    }
    let error = all().run(&MemoryRows::new(Arc::clone(bad.schema()), rows)).unwrap_err();
    assert_eq!(error.to_string(), "column `x`: row 2: expected number");
}

#[test]
fn a_table_of_toml_reads_and_writes() {
    let text = "by = [\"g\"]\n[columns]\nn = { func = \"count\" }\n\
                p = { func = \"quantile\", of = \"x\", q = 0.9 }\n";
    let by: GroupBy = toml::from_str(text).unwrap();
    let expected = GroupBy::new(&["g"]).column("n", GroupFunc::Count, None).quantile("p", "x", 0.9);
    assert_eq!(by, expected);
    assert_eq!(toml::from_str::<GroupBy>(&toml::to_string(&by).unwrap()).unwrap(), by);
    assert!(toml::from_str::<GroupBy>(&text.replace("of =", "off =")).is_err());
}
