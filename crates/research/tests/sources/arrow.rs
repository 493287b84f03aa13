//! What Parquet and Arrow IPC store, type by type.

use std::io::Cursor;
use std::sync::Arc;

use polars::prelude::{
    CompatLevel, DataFrame, DataType, IntoColumn, IpcCompression, IpcWriter, NamedFrom,
    ParquetWriter, SerWriter, Series, TimeUnit,
};
use polars_arrow::array::{Array, BinaryViewArray, DictionaryArray, Int64Array, Utf8Array};
use polars_arrow::datatypes::{ArrowDataType, ArrowSchema, Field as ArrowField};
use polars_arrow::io::ipc::write::{FileWriter, WriteOptions};
use polars_arrow::record_batch::RecordBatchT;

use super::*;

pub(super) fn integers(name: &str, values: &[i64]) -> DataFrame {
    frame(vec![Series::new(name.into(), values)])
}

fn frame(series: Vec<Series>) -> DataFrame {
    let height = series.first().map_or(0, |first| first.len());
    DataFrame::new(height, series.into_iter().map(IntoColumn::into_column).collect()).unwrap()
}

pub(super) fn as_parquet(frame: &DataFrame) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    ParquetWriter::new(&mut file).finish(&mut frame.clone()).unwrap();
    file.into_inner()
}

pub(super) fn as_ipc(frame: &DataFrame) -> Vec<u8> {
    let mut file = Vec::new();
    IpcWriter::new(&mut file).finish(&mut frame.clone()).unwrap();
    file
}

/// An IPC file of these arrays, a batch each.
fn arrays(name: &str, stored: ArrowDataType, arrays: Vec<Box<dyn Array>>) -> Vec<u8> {
    let schema = Arc::new(ArrowSchema::from_iter([(
        name.into(),
        ArrowField::new(name.into(), stored, true),
    )]));
    let options = WriteOptions { compression: None };
    let mut writer = FileWriter::try_new(Vec::new(), schema.clone(), None, options).unwrap();
    for array in arrays {
        let batch = RecordBatchT::try_new(array.len(), schema.clone(), vec![array]).unwrap();
        writer.write(&batch, None).unwrap();
    }
    writer.finish().unwrap();
    writer.into_inner()
}

/// A column of every type, each with a value and none.
fn every_type() -> DataFrame {
    let day = Series::new("date".into(), [Some(1i32), None]).cast(&DataType::Date).unwrap();
    let time = |name: &str, unit: TimeUnit, ticks: i64| {
        let ticks = Series::new(name.into(), [Some(ticks), None]);
        ticks.cast(&DataType::Datetime(unit, None)).unwrap()
    };
    let decimal = Series::new("decimal".into(), [Some("-12.50"), None]);
    frame(vec![
        Series::new("bool".into(), [Some(true), None]),
        Series::new("i8".into(), [Some(-8i8), None]),
        Series::new("i16".into(), [Some(-16i16), None]),
        Series::new("i32".into(), [Some(-32i32), None]),
        Series::new("i64".into(), [Some(-64i64), None]),
        Series::new("u8".into(), [Some(8u8), None]),
        Series::new("u16".into(), [Some(16u16), None]),
        Series::new("u32".into(), [Some(32u32), None]),
        Series::new("u64".into(), [Some(64u64), None]),
        Series::new("f32".into(), [Some(0.1f32), Some(f32::NAN)]),
        Series::new("f64".into(), [Some(0.1f64), None]),
        Series::new("text".into(), [Some("é"), None]),
        Series::new("none".into(), [None::<i64>, None]),
        decimal.cast(&DataType::Decimal(10, 2)).unwrap(),
        day,
        time("ms", TimeUnit::Milliseconds, 1_500),
        time("us", TimeUnit::Microseconds, 1_500_000),
        time("ns", TimeUnit::Nanoseconds, 1_500_000_000),
    ])
}

/// What each of them is as each kind that takes it.
const EXPECTED: [(&str, ColumnKind, &str); 23] = [
    ("bool", ColumnKind::Text, "text \"true\""),
    ("bool", ColumnKind::Num, "number 1"),
    ("i8", ColumnKind::Num, "number -8"),
    ("i16", ColumnKind::Num, "number -16"),
    ("i32", ColumnKind::Num, "number -32"),
    ("i64", ColumnKind::Num, "number -64"),
    ("i64", ColumnKind::Text, "text \"-64\""),
    ("u8", ColumnKind::Num, "number 8"),
    ("u16", ColumnKind::Num, "number 16"),
    ("u32", ColumnKind::Num, "number 32"),
    ("u64", ColumnKind::Num, "number 64"),
    ("f32", ColumnKind::Num, "number 0.10000000149011612"),
    ("f64", ColumnKind::Num, "number 0.1"),
    ("text", ColumnKind::Text, "text \"é\""),
    ("none", ColumnKind::Num, "missing number"),
    ("none", ColumnKind::Text, "missing text"),
    ("none", ColumnKind::Time, "missing time"),
    ("decimal", ColumnKind::Num, "number -12.5"),
    ("decimal", ColumnKind::Text, "text \"-12.50\""),
    ("date", ColumnKind::Time, "time 1970-01-02T00:00:00Z"),
    ("ms", ColumnKind::Time, "time 1970-01-01T00:00:01.500000Z"),
    ("us", ColumnKind::Time, "time 1970-01-01T00:00:01.500000Z"),
    ("ns", ColumnKind::Time, "time 1970-01-01T00:00:01.500000Z"),
];

#[test]
fn every_type_is_read_alike_from_both() {
    let whole = every_type();
    let folder = folder();
    let mut files = vec![put(folder.path(), "t.parquet", as_parquet(&whole))];
    files.push(put(folder.path(), "t.arrow", as_ipc(&whole)));
    for (name, packing) in [
        ("lz4.arrow", IpcCompression::LZ4),
        ("zstd.arrow", IpcCompression::ZSTD(Default::default())),
    ] {
        let mut file = Vec::new();
        let writer = IpcWriter::new(&mut file).with_compression(Some(packing));
        writer.with_compat_level(CompatLevel::oldest()).finish(&mut whole.clone()).unwrap();
        files.push(put(folder.path(), name, file));
    }
    for path in files {
        for (name, kind, cell) in EXPECTED {
            let read = gather::read(&path, &declared(&[(name, kind)]), &[]).unwrap();
            let missing = read.column(0).is_missing(1);
            let what = format!("{} {name}", path.display());
            assert_eq!((cells(&read, name)[0].as_str(), missing), (cell, true), "{what}");
            assert!(read.faults().is_empty(), "{what}");
        }
        let kinds = gather::infer(&path, &[]).unwrap();
        let of = |name: &str| kinds[name].kind;
        assert_eq!(of("bool"), ColumnKind::Text);
        assert!(["i8", "u64", "f32", "decimal", "none"].iter().all(|n| of(n) == ColumnKind::Num));
        assert!(["date", "ms", "us", "ns"].iter().all(|n| of(n) == ColumnKind::Time));
        let wrong = [
            ("i64", ColumnKind::Time, "expected time, found integer"),
            ("f64", ColumnKind::Text, "expected text, found float"),
            ("bool", ColumnKind::Time, "expected time, found bool"),
            ("us", ColumnKind::Num, "expected num, found date or timestamp"),
        ];
        for (name, kind, expected) in wrong {
            let said = refusal(folder.path(), &path, &[(name, kind)]);
            let remedy = "(declare the kind that the source has, and cast it in a step)";
            assert_eq!(said, format!("column `{name}`: {expected} {remedy}"));
        }
    }
}

#[test]
fn a_dictionary_is_its_text() {
    let values = Utf8Array::<i32>::from([Some("x"), Some("y"), None]);
    let keys = |keys: &[Option<i32>]| polars_arrow::array::PrimitiveArray::<i32>::from(keys);
    let stored = ArrowDataType::Dictionary(
        polars_arrow::datatypes::IntegerType::Int32,
        Box::new(ArrowDataType::Utf8),
        false,
    );
    let of = |k: &[Option<i32>]| -> Box<dyn Array> {
        DictionaryArray::try_new(stored.clone(), keys(k), values.clone().boxed()).unwrap().boxed()
    };
    let chunks = vec![of(&[Some(0), Some(1), None]), of(&[Some(2), Some(0)])];
    let bytes = arrays("a", chunks[0].dtype().clone(), chunks);
    let folder = folder();
    let path = put(folder.path(), "t.arrow", bytes);
    let kinds = [("a", ColumnKind::Text)];
    let read = gather::read(&path, &declared(&kinds), &[]).unwrap();
    assert_eq!(
        cells(&read, "a"),
        ["text \"x\"", "text \"y\"", "missing text", "missing text", "text \"x\""]
    );
    assert_eq!(gather::infer(&path, &[]).unwrap(), declared(&kinds).columns);
}

#[test]
fn what_cannot_be_a_column_is_refused_by_name_where_it_is_asked_for() {
    let folder = folder();
    let remedy = "(cast it where the file is written)";
    let binary = BinaryViewArray::from_slice([Some(b"x")]).boxed();
    let path = put(folder.path(), "t.arrow", arrays("a", ArrowDataType::BinaryView, vec![binary]));
    let expected = "column `a`: expected a bool, number, text, date or timestamp, found";
    let of = |path: &PathBuf| refusal(folder.path(), path, &[("a", ColumnKind::Text)]);
    assert_eq!(of(&path), format!("{expected} binary {remedy}"));
    assert_eq!(uninferred(folder.path(), &path), format!("{expected} binary {remedy}"));
    let list = frame(vec![
        Series::new("a".into(), [Series::new("".into(), [1i64, 2])]),
        Series::new("b".into(), [3i64]),
        Series::new("c".into(), ["z"]),
    ]);
    for (name, bytes) in [("l.arrow", as_ipc(&list)), ("l.parquet", as_parquet(&list))] {
        let path = put(folder.path(), name, bytes);
        assert_eq!(of(&path), format!("{expected} nested {remedy}"));
        // Columns behind it are found all the same.
        let data = declared(&[("b", ColumnKind::Num), ("c", ColumnKind::Text)]);
        let read = gather::read(&path, &data, &[]).unwrap();
        assert_eq!(
            (cells(&read, "b"), cells(&read, "c")),
            (vec!["number 3".into()], vec!["text \"z\"".into()])
        );
    }
    let clock = Int64Array::from_slice([1])
        .to(ArrowDataType::Time64(polars_arrow::datatypes::TimeUnit::Nanosecond));
    let stored = clock.dtype().clone();
    let path = put(folder.path(), "c.arrow", arrays("a", stored, vec![clock.boxed()]));
    assert_eq!(of(&path), format!("{expected} time of day {remedy}"));
}

#[test]
fn a_duration_is_refused_alike_in_both_formats() {
    use polars::io::parquet::write::get_encodings;
    use polars::prelude::StatisticsOptions;
    use polars_arrow::datatypes::TimeUnit;
    use polars_parquet::write as pq;
    let stored = ArrowDataType::Duration(TimeUnit::Microsecond);
    let lengths = || Int64Array::from_slice([1, 2]).to(stored.clone()).boxed();
    let folder = folder();
    let ipc = put(folder.path(), "t.arrow", arrays("a", stored.clone(), vec![lengths()]));
    let fields = |stored: &ArrowDataType| -> ArrowSchema {
        let field = |name: &str, stored| ArrowField::new(name.into(), stored, true);
        let fields = [field("a", stored.clone()), field("b", ArrowDataType::Int64)];
        fields.into_iter().map(|field| (field.name.clone(), field)).collect()
    };
    let schema = fields(&stored);
    let options = pq::WriteOptions {
        statistics: StatisticsOptions::empty(),
        version: pq::Version::V1,
        compression: pq::CompressionOptions::Uncompressed,
        data_page_size: None,
    };
    let rows = vec![lengths(), Int64Array::from_slice([3, 4]).boxed()];
    let rows = RecordBatchT::new(2, Arc::new(schema.clone()), rows);
    let encodings = get_encodings(&schema);
    let rows = std::iter::once(Ok(rows));
    let groups = pq::RowGroupIterator::try_new(rows, &schema, options, encodings).unwrap();
    let mut writer = pq::FileWriter::try_new(Vec::new(), schema, options).unwrap();
    groups.for_each(|group| writer.write(2, group.unwrap()).unwrap());
    writer.end(None).unwrap();
    let parquet = put(folder.path(), "t.parquet", writer.into_inner());
    let said = "column `a`: expected a bool, number, text, date or timestamp, found duration \
                (cast it where the file is written)";
    for path in [&ipc, &parquet] {
        assert_eq!(refusal(folder.path(), path, &[("a", ColumnKind::Num)]), said);
        assert_eq!(unstreamed(folder.path(), path, &[("a", ColumnKind::Num)]), said);
        assert_eq!(uninferred(folder.path(), path), said);
    }
    let read = gather::read(&parquet, &declared(&[("b", ColumnKind::Num)]), &[]).unwrap();
    assert_eq!(read.num(0), [3.0, 4.0]);
}
