//! Whether an expression is an exact number whatever its columns are: an integer or a decimal.

use sqlparser::ast::{
    BinaryOperator, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
    UnaryOperator, Value,
};

use super::Dialect;

/// Whether sums of it are exact. A column is not: its type is not in the text.
pub(super) fn is_exact(dialect: Dialect, expr: &Expr) -> bool {
    let all = |parts: &[&Expr]| parts.iter().all(|part| is_exact(dialect, part));
    match expr {
        Expr::Nested(inner) => is_exact(dialect, inner),
        Expr::UnaryOp { op: UnaryOperator::Minus | UnaryOperator::Plus, expr } => {
            is_exact(dialect, expr)
        }
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) => is_exact_number(dialect, digits),
            Value::Null => true,
            Value::Boolean(_) => dialect == Dialect::Sqlite,
            _ => false,
        },
        Expr::Cast { data_type, .. } => is_exact_type(dialect, data_type),
        Expr::BinaryOp { left, op, right } => match op {
            BinaryOperator::Plus
            | BinaryOperator::Minus
            | BinaryOperator::Multiply
            | BinaryOperator::Divide
            | BinaryOperator::Modulo => all(&[&**left, &**right]),
            // SQLite has no booleans: a comparison is 0 or 1.
            _ => dialect == Dialect::Sqlite && is_comparison(op),
        },
        Expr::Case { conditions, else_result, .. } => {
            conditions.iter().all(|when| is_exact(dialect, &when.result))
                && else_result.as_ref().is_none_or(|result| is_exact(dialect, result))
        }
        Expr::Function(function) => is_exact_call(dialect, function),
        Expr::IsNull(_)
        | Expr::IsNotNull(_)
        | Expr::InList { .. }
        | Expr::Between { .. }
        | Expr::Like { .. } => dialect == Dialect::Sqlite,
        _ => false,
    }
}

fn is_exact_number(dialect: Dialect, digits: &str) -> bool {
    let is_integer = digits.bytes().all(|byte| byte.is_ascii_digit());
    // Beyond 64 bits SQLite makes it a float; PostgreSQL reads all of them as numeric.
    dialect == Dialect::Postgres || is_integer && digits.len() < 19
}

fn is_exact_type(dialect: Dialect, data_type: &DataType) -> bool {
    let is_integer = matches!(
        data_type,
        DataType::SmallInt(_)
            | DataType::Int(_)
            | DataType::Integer(_)
            | DataType::BigInt(_)
            | DataType::Int2(_)
            | DataType::Int4(_)
            | DataType::Int8(_)
    );
    let is_decimal =
        matches!(data_type, DataType::Numeric(_) | DataType::Decimal(_) | DataType::Dec(_));
    // SQLite's NUMERIC holds floats as well.
    is_integer || is_decimal && dialect == Dialect::Postgres
}

fn is_comparison(op: &BinaryOperator) -> bool {
    matches!(
        op,
        BinaryOperator::Eq
            | BinaryOperator::NotEq
            | BinaryOperator::Lt
            | BinaryOperator::LtEq
            | BinaryOperator::Gt
            | BinaryOperator::GtEq
            | BinaryOperator::And
            | BinaryOperator::Or
    )
}

fn is_exact_call(dialect: Dialect, function: &Function) -> bool {
    let name = function.name.to_string().to_ascii_lowercase();
    match name.as_str() {
        "count" | "length" | "char_length" | "row_number" | "rank" | "dense_rank" => true,
        "coalesce" | "nullif" | "greatest" | "least" | "abs" | "sum" | "min" | "max" => {
            let arguments = arguments(function);
            let is_fit =
                |argument: &Option<&Expr>| argument.is_some_and(|expr| is_exact(dialect, expr));
            !arguments.is_empty() && arguments.iter().all(is_fit)
        }
        _ => false,
    }
}

/// The arguments of a call; `None` for what is no expression, such as `*`.
pub(super) fn arguments(function: &Function) -> Vec<Option<&Expr>> {
    let FunctionArguments::List(list) = &function.args else {
        return Vec::new();
    };
    let expr = |argument| match argument {
        &FunctionArg::Named { ref arg, .. }
        | &FunctionArg::ExprNamed { ref arg, .. }
        | &FunctionArg::Unnamed(ref arg) => match arg {
            FunctionArgExpr::Expr(expr) => Some(expr),
            _ => None,
        },
    };
    list.args.iter().map(expr).collect()
}
