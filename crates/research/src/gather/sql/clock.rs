//! Texts that a database reads as the clock.
//!
//! # Method
//! PostgreSQL reads `now`, `today`, `tomorrow` and `yesterday` in a text that becomes a date or a
//! time. What a text in quotes becomes, the server knows: it is asked ([`is_worded`]). A text that
//! is made first and cast then is looked at here. SQLite's functions of dates read `now`; they are
//! accepted over columns, numbers and texts that cannot come out as that word.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, DataType, Expr, Function, ObjectName, SelectItem, SetExpr, Value,
    visit_expressions,
};

use super::names::{CLOCK_WORDS, SQLITE_CLOCK_WORDS, is_postgres_time, is_sqlite_time};
use super::order::folded;
use super::{Dialect, exact};

/// A text in quotes.
pub(super) fn text(value: &Value) -> Option<&str> {
    match value {
        Value::SingleQuotedString(text)
        | Value::EscapedStringLiteral(text)
        | Value::UnicodeStringLiteral(text)
        | Value::NationalStringLiteral(text) => Some(text),
        Value::DollarQuotedString(text) => Some(&text.value),
        _ => None,
    }
}

/// Whether PostgreSQL may find a word of the clock in a text.
pub(super) fn is_worded(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphabetic())
        .any(|found| CLOCK_WORDS.iter().any(|word| found.eq_ignore_ascii_case(word)))
}

/// Whether an expression is one of those words in quotes.
pub(super) fn is_word(expr: &Expr, words: &[&str]) -> bool {
    let found = match expr {
        Expr::Value(value) => text(&value.value),
        // SQLite takes a name in double quotes that is no column for a text.
        Expr::Identifier(ident) if ident.quote_style == Some('"') => Some(ident.value.as_str()),
        Expr::Nested(inner) => return is_word(inner, words),
        _ => None,
    };
    found.is_some_and(|found| words.iter().any(|word| found.trim().eq_ignore_ascii_case(word)))
}

pub(super) fn is_time_type(data_type: &DataType) -> bool {
    match data_type {
        DataType::Date
        | DataType::Time(..)
        | DataType::Timestamp(..)
        | DataType::TimestampNtz(..)
        | DataType::Datetime(_) => true,
        DataType::Custom(name, _) => type_name(name).is_some_and(|name| is_postgres_time(&name)),
        _ => false,
    }
}

/// Whether a type of the user's, a list or a range may have a time in it.
pub(super) fn may_hold_time(data_type: &DataType) -> bool {
    let known = ["text", "bpchar", "name", "json", "jsonb", "xml", "citext", "oid", "regclass"];
    match data_type {
        DataType::Custom(name, _) => {
            type_name(name).is_none_or(|name| !known.contains(&name.as_str()))
        }
        DataType::Array(_) => true,
        _ => is_time_type(data_type),
    }
}

fn type_name(name: &ObjectName) -> Option<String> {
    Some(folded(Dialect::Postgres, name.0.last()?.as_ident()?))
}

/// Whether PostgreSQL makes a time of a text that is made of the clock's word, or of pieces.
pub(super) fn is_cast_clock(inner: &Expr, data_type: &DataType) -> bool {
    let inner = bare(inner);
    let is_literal = matches!(inner, Expr::Value(_));
    if is_time_type(data_type) && is_literal && is_word_of_clock(inner) {
        return true;
    }
    // Any other text in quotes that is cast at once is the server's to judge.
    !is_literal && may_hold_time(data_type) && (has_word(inner) || is_composed(inner))
}

fn is_word_of_clock(expr: &Expr) -> bool {
    matches!(expr, Expr::Value(value) if text(&value.value).is_some_and(is_worded))
}

fn bare(expr: &Expr) -> &Expr {
    match expr {
        Expr::Nested(inner) => bare(inner),
        other => other,
    }
}

/// Whether a word of the clock stands anywhere in an expression.
pub(super) fn has_word(expr: &Expr) -> bool {
    any(expr, is_word_of_clock)
}

fn any(expr: &Expr, mut is_meant: impl FnMut(&Expr) -> bool) -> bool {
    let found = visit_expressions(expr, |part| match is_meant(part) {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    });
    found.is_break()
}

/// Whether a text is put together from texts in quotes alone.
fn is_composed(expr: &Expr) -> bool {
    let is_column = |part: &Expr| matches!(part, Expr::Identifier(_) | Expr::CompoundIdentifier(_));
    makes_text(expr)
        && any(expr, |part| matches!(part, Expr::Value(value) if text(&value.value).is_some()))
        && !any(expr, is_column)
}

fn makes_text(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) => makes_text(inner),
        Expr::Cast { expr, .. } => makes_text(expr),
        Expr::BinaryOp { op, .. } => *op == BinaryOperator::StringConcat,
        Expr::Substring { .. } | Expr::Trim { .. } | Expr::Overlay { .. } | Expr::Subquery(_) => {
            true
        }
        Expr::Case { conditions, else_result, .. } => {
            conditions.iter().any(|when| makes_text(&when.result))
                || else_result.as_ref().is_some_and(|result| makes_text(result))
        }
        Expr::Function(function) => {
            let name = function.name.0.last().and_then(|part| part.as_ident());
            let name = name.map(|ident| folded(Dialect::Postgres, ident)).unwrap_or_default();
            !name.starts_with("to_") && !name.starts_with("make_") && !name.starts_with("date_")
        }
        _ => false,
    }
}

/// Whether a function of dates takes the clock or the machine's time zone.
pub(super) fn reads_clock(dialect: Dialect, name: &str, function: &Function) -> bool {
    let arguments: Vec<&Expr> = exact::arguments(function).into_iter().flatten().collect();
    match dialect {
        Dialect::Postgres if is_postgres_time(name) => {
            arguments.iter().any(|expr| is_cast_clock(expr, &DataType::Date))
        }
        Dialect::Sqlite if is_sqlite_time(name) => {
            let n_formats = usize::from(name == "strftime");
            let is_time = |expr: &&&Expr| !is_word(expr, &["subsec", "subsecond"]);
            arguments.iter().filter(is_time).count() <= n_formats
                || !arguments.iter().all(|expr| is_steady(expr))
        }
        _ => false,
    }
}

/// Functions of SQLite that give no text.
const NUMERIC: [&str; 12] = [
    "abs",
    "ceil",
    "count",
    "floor",
    "instr",
    "julianday",
    "length",
    "round",
    "sum",
    "total",
    "unicode",
    "unixepoch",
];
/// Functions of SQLite that give one of their arguments.
const CHOOSING: [&str; 7] = ["coalesce", "ifnull", "iif", "if", "max", "min", "nullif"];
/// Functions of SQLite that give parts of their arguments.
const CHANGING: [&str; 9] =
    ["lower", "ltrim", "printf", "format", "replace", "rtrim", "substr", "substring", "trim"];

/// Whether an argument of SQLite's functions of dates comes from the rows: not the clock's word,
/// nor a text that may come out as it.
fn is_steady(expr: &Expr) -> bool {
    match expr {
        Expr::Value(_) => !is_word(expr, &SQLITE_CLOCK_WORDS),
        Expr::Identifier(_) => !is_word(expr, &SQLITE_CLOCK_WORDS),
        Expr::CompoundIdentifier(_) | Expr::UnaryOp { .. } => true,
        Expr::Nested(inner) | Expr::Collate { expr: inner, .. } => is_steady(inner),
        Expr::Cast { expr, data_type, .. } => is_number(data_type) || is_steady(expr),
        Expr::BinaryOp { left, op, right } => match op {
            BinaryOperator::StringConcat => is_distinct(expr),
            BinaryOperator::Arrow | BinaryOperator::LongArrow => {
                is_steady(left) && is_steady(right)
            }
            _ => true,
        },
        Expr::Case { conditions, else_result, .. } => {
            conditions.iter().all(|when| is_steady(&when.result))
                && else_result.as_ref().is_none_or(|result| is_steady(result))
        }
        Expr::Substring { expr: inner, .. } | Expr::Trim { expr: inner, trim_what: None, .. } => {
            is_taken(inner)
        }
        Expr::Subquery(query) => match &*query.body {
            SetExpr::Select(select) => select.projection.iter().all(|item| match item {
                SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
                    is_steady(expr)
                }
                _ => false,
            }),
            _ => false,
        },
        Expr::Function(function) => {
            let name = function.name.to_string().to_ascii_lowercase();
            let arguments = exact::arguments(function);
            let all = |is_fit: &dyn Fn(&Expr) -> bool| {
                arguments.iter().all(|argument| argument.is_some_and(is_fit))
            };
            let name = name.as_str();
            is_sqlite_time(name)
                || NUMERIC.contains(&name)
                || CHOOSING.contains(&name) && all(&is_steady)
                || CHANGING.contains(&name) && all(&is_taken)
        }
        _ => false,
    }
}

fn is_number(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Int(_) | DataType::Integer(_) | DataType::BigInt(_) | DataType::Real
    )
}

/// What is taken from the rows: columns, numbers, and texts without letters.
fn is_taken(expr: &Expr) -> bool {
    match expr {
        Expr::Value(value) => text(&value.value)
            .is_none_or(|text| !text.chars().any(|c| c.is_ascii_alphabetic()) || is_format(text)),
        _ => is_steady(expr),
    }
}

/// A form of printf that leaves a sign in its text, or none but digits.
fn is_format(text: &str) -> bool {
    text.contains('%') && (text.contains(['-', ':', '+']) || !text.contains(['s', 'c', 'q', 'w']))
}

/// Whether a text put together has a piece that is no part of any word of the clock.
fn is_distinct(expr: &Expr) -> bool {
    match expr {
        Expr::BinaryOp { left, op: BinaryOperator::StringConcat, right } => {
            is_distinct(left) || is_distinct(right)
        }
        Expr::Nested(inner) => is_distinct(inner),
        Expr::Value(value) => text(&value.value).is_some_and(|text| {
            let text = text.to_ascii_lowercase();
            !text.is_empty() && !SQLITE_CLOCK_WORDS.iter().any(|word| word.contains(&text))
        }),
        _ => false,
    }
}
