//! JSON lines, to the letter.

use super::*;

fn read(text: &str, columns: &[(&str, ColumnKind)]) -> Batch {
    let folder = folder();
    let path = put(folder.path(), "t.jsonl", text);
    gather::read(&path, &declared(columns), &[]).unwrap()
}

#[test]
fn a_number_is_read_as_the_same_csv_cell_is() {
    let numbers = ["1e3", "-0", "0.1", "12345678901234567890", "1.0E-2", "9007199254740992"];
    let lines: String = numbers.iter().map(|n| format!("{{\"x\":{n}}}\n")).collect();
    let csv = format!("x\n{}\n", numbers.join("\n"));
    for kind in [ColumnKind::Num, ColumnKind::Text] {
        let folder = folder();
        let of = |name: &str, text: &str| {
            let path = put(folder.path(), name, text);
            let read = gather::read(&path, &declared(&[("x", kind)]), &[]).unwrap();
            (cells(&read, "x"), faults(&read))
        };
        assert_eq!(of("t.jsonl", &lines), of("t.csv", &csv));
    }
    let text = read(&lines, &[("x", ColumnKind::Text)]);
    assert_eq!(cells(&text, "x")[..2], ["text \"1e3\"", "text \"-0\""]);
    let num = read(&lines, &[("x", ColumnKind::Num)]);
    assert_eq!(num.num(0)[1].to_bits(), 0);
    assert_eq!(
        faults(&num),
        [(
            3,
            "column `x`: row 3: expected integer up to 2^53, found \"12345678901234567890\" \
             (declare the column as text if it is an identifier)"
                .to_owned()
        )]
    );
}

#[test]
fn columns_are_the_names_of_all_lines_and_a_missing_name_is_a_missing_cell() {
    let text = "{\"b\":\"x\"}\r\n{\"a\":1,\"b\":null}\n{}\n{\"c\":true,\"a\":\"\"}";
    let kinds = [("a", ColumnKind::Num), ("b", ColumnKind::Text), ("c", ColumnKind::Text)];
    let read = read(text, &kinds);
    assert_eq!(
        cells(&read, "a"),
        ["missing number", "number 1", "missing number", "missing number"]
    );
    assert_eq!(cells(&read, "b"), ["text \"x\"", "missing text", "missing text", "missing text"]);
    assert_eq!(cells(&read, "c")[3], "text \"true\"");
    let folder = folder();
    let path = put(folder.path(), "t.jsonl", text);
    assert_eq!(gather::infer(&path, &[]).unwrap(), declared(&kinds).columns);
    assert_eq!(
        refusal(folder.path(), &path, &[("d", ColumnKind::Num)]),
        "column `d`: expected it in `t.jsonl`, found a, b, c"
    );
}

#[test]
fn what_is_no_line_of_a_table_is_refused_where_it_stands() {
    let folder = folder();
    let kinds = [("a", ColumnKind::Text)];
    for (text, expected) in [
        (
            "{\"a\":1}\n\n{\"a\":2}\n",
            "row 1: `t.jsonl` line 2: expected a JSON object, found a blank line",
        ),
        ("{\"a\":1}\n\n", "row 1: `t.jsonl` line 2: expected a JSON object, found a blank line"),
        ("[1]\n", "row 0: `t.jsonl` line 1: expected a JSON object, found \"[1]\""),
        (
            "{\"a\":1}\n{\"a\":1,\"a\":2}\n",
            "column `a`: row 1: `t.jsonl` line 2: expected each name once, found it twice",
        ),
        (
            "{\"a\":\"x\\ud800\"}\n",
            "column `a`: row 0: `t.jsonl` line 1: expected pairs of surrogates, found \\ud800 \
             alone",
        ),
        (
            "{\"a\":1}\n{\"a\":[1,{}]}\n",
            "column `a`: row 1: `t.jsonl` line 2: expected a number, text or bool, found a list",
        ),
        (
            "{\"a\":{\"b\":1}}\n",
            "column `a`: row 0: `t.jsonl` line 1: expected a number, text or bool, found an object",
        ),
        (
            "{\"a\":1}\n{\"a\":1",
            "row 1: `t.jsonl` line 2: expected a comma or }, found the end of the line",
        ),
        ("{\"\":1}\n", "row 0: `t.jsonl` line 1: expected a name, found an empty one"),
        (
            "{\"a\":1} {\"a\":2}\n",
            "row 0: `t.jsonl` line 1: expected the end of the line, found \"{\\\"a\\\":2}\"",
        ),
        ("{\"a\":NaN}\n", "column `a`: row 0: `t.jsonl` line 1: expected a value, found \"NaN}\""),
        ("", "`t.jsonl`: expected JSON objects, found an empty file"),
        ("\n", "`t.jsonl`: expected JSON objects, found an empty file"),
    ] {
        let path = put(folder.path(), "t.jsonl", text);
        assert_eq!(refusal(folder.path(), &path, &kinds), expected, "{text}");
    }
    let path = put(folder.path(), "t.jsonl", b"{\"a\":1}\n{\"a\":\"\xff\"}\n");
    assert_eq!(
        refusal(folder.path(), &path, &kinds),
        "row 1: `t.jsonl` line 2: expected UTF-8 text, found other bytes"
    );
    // A value that nobody asks for may be anything.
    let path = put(folder.path(), "t.jsonl", "{\"a\":1,\"b\":[{\"c\":null}]}\n");
    assert_eq!(gather::read(&path, &declared(&kinds), &[]).unwrap().n_rows(), 1);
}
