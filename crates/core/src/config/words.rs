//! What the reader of TOML says, in the words of whoever writes TOML.

/// A message of the reader: what was expected, then what was found.
pub(super) fn said(message: &str) -> String {
    let message = message.trim_end_matches('.');
    if let Some(field) = message.strip_prefix("missing field ") {
        return format!("expected {field}, found none");
    }
    let Some((what, rest)) = message.split_once(": ") else {
        return match message.strip_prefix("unknown variant ").and_then(|m| m.split_once(", ")) {
            Some((found, expected)) => format!("{}, found {found}", one_of(expected)),
            None => message.to_owned(),
        };
    };
    match (what, rest.split_once(", expected ")) {
        ("invalid type" | "invalid value" | "invalid length", Some((found, expected))) => {
            let is_negative = found.contains("`-");
            format!("expected {}, found {}", form(expected, is_negative), value(found))
        }
        _ => message.to_owned(),
    }
}

fn one_of(expected: &str) -> String {
    if expected.starts_with("expected") {
        return expected.to_owned();
    }
    "expected another word".to_owned()
}

/// A form that was expected.
fn form(expected: &str, is_negative: bool) -> String {
    let whole = match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" if is_negative => "a whole number of at least 0",
        "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        "a string" | "a borrowed string" | "string or map" => "a text in quotes",
        "a sequence" => "a list, as [1, 2]",
        "a map" => "a table, as { a = 1 }",
        "unit" | "unit variant" => "a word in quotes",
        "newtype variant" | "tuple variant" | "struct variant" => {
            "a table of one key, as { word = value }"
        }
        other if other.starts_with("struct ") => "a table, as { a = 1 }",
        other if other.starts_with("enum ") => "a word in quotes",
        other if other.starts_with("tuple ") => "a list, as [1, 2]",
        other => other,
    };
    whole.to_owned()
}

/// A value that was found.
fn value(found: &str) -> String {
    for (theirs, ours) in [
        ("integer ", ""),
        ("floating point ", ""),
        ("boolean ", ""),
        ("string ", ""),
        ("unit variant", "a word alone"),
        ("newtype variant", "a table"),
        ("sequence", "a list"),
        ("map", "a table"),
        ("datetime", "a date"),
    ] {
        if let Some(rest) = found.strip_prefix(theirs) {
            return format!("{ours}{rest}");
        }
    }
    found.to_owned()
}

#[cfg(test)]
mod tests {
    use super::said;

    #[test]
    fn the_readers_words_are_those_of_toml() {
        for (theirs, ours) in [
            ("invalid type: string \"a\", expected f64", "expected a number, found \"a\""),
            (
                "invalid type: floating point `1.5`, expected i8",
                "expected a whole number, found `1.5`",
            ),
            (
                "invalid value: integer `-1`, expected u32",
                "expected a whole number of at least 0, found `-1`",
            ),
            ("invalid type: map, expected a sequence", "expected a list, as [1, 2], found a table"),
            (
                "invalid type: unit variant, expected newtype variant",
                "expected a table of one key, as { word = value }, found a word alone",
            ),
            ("missing field `column`", "expected `column`, found none"),
            (
                "unknown variant `x`, expected one of `a`, `b`",
                "expected one of `a`, `b`, found `x`",
            ),
            ("unknown field `x`, expected `y`", "unknown field `x`, expected `y`"),
        ] {
            assert_eq!(said(theirs), ours);
        }
    }
}
