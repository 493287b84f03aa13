//! Orders by the declared key: which terms of an order are the key columns of the outermost query.
//!
//! # Method
//! A name in ORDER BY is a column that comes out in PostgreSQL and, if it is an alias, in SQLite;
//! anywhere else, and with a table's name before it, it is a column that goes in. So each key
//! column is followed to the column that it is taken from. Whether the key is unique in the rows
//! that are ordered, no text shows: the database counts it, under its own rules of equality.

use sqlparser::ast::{
    Expr, Ident, ObjectName, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr,
    TableFactor,
};

use super::order::folded;
use super::{Dialect, identifier};

/// A column as its qualifier and name, folded.
type Path = (Option<String>, String);

/// The column that an expression is.
pub(super) fn path(dialect: Dialect, expr: &Expr) -> Option<Path> {
    match expr {
        Expr::Identifier(ident) => Some((None, folded(dialect, ident))),
        Expr::CompoundIdentifier(parts) => {
            let (last, before) = parts.split_last()?;
            Some((before.last().map(|ident| folded(dialect, ident)), folded(dialect, last)))
        }
        Expr::Nested(inner) => path(dialect, inner),
        _ => None,
    }
}

/// The terms of SQL that stand for the key columns in the rows of the query, if an order by `by`
/// has all of them.
pub(super) fn ordered(
    dialect: Dialect,
    body: &SetExpr,
    key: &[String],
    by: &[&Expr],
) -> Option<Vec<String>> {
    let term = |name: &String| by.iter().find_map(|expr| term(dialect, body, name, expr));
    if key.is_empty() { None } else { key.iter().map(term).collect() }
}

fn term(dialect: Dialect, body: &SetExpr, name: &str, expr: &Expr) -> Option<String> {
    let select = match body {
        SetExpr::Select(select) => Some(&**select),
        _ => None,
    };
    let is_source =
        |expr: &Expr| select.is_some_and(|select| is_source(dialect, select, name, expr));
    let is_meant = match expr {
        Expr::Nested(inner) => return term(dialect, body, name, inner),
        Expr::Collate { expr, collation } => {
            let is_meant = match dialect {
                Dialect::Postgres => is_source(expr),
                Dialect::Sqlite => term(dialect, body, name, expr).is_some(),
            };
            return is_meant.then(|| format!("{} COLLATE {collation}", identifier(name)));
        }
        Expr::Identifier(ident) if is_called(dialect, ident, name) => {
            let is_output = match (dialect, select) {
                (Dialect::Postgres, _) | (_, None) => true,
                (Dialect::Sqlite, Some(select)) => select.projection.iter().any(|item| {
                    matches!(item, SelectItem::ExprWithAlias { alias, .. }
                        if is_called(dialect, alias, name))
                }),
            };
            is_output || is_source(expr)
        }
        _ => is_source(expr),
    };
    is_meant.then(|| identifier(name))
}

/// Whether a window over these expressions orders by columns of which each key column is one.
pub(super) fn is_windowed(dialect: Dialect, select: &Select, key: &[String], by: &[&Expr]) -> bool {
    let is_among = |name: &String| by.iter().any(|expr| is_source(dialect, select, name, expr));
    !key.is_empty() && select.distinct.is_none() && key.iter().all(is_among)
}

/// Whether an expression over the columns that go in is the one that comes out under this name.
fn is_source(dialect: Dialect, select: &Select, name: &str, expr: &Expr) -> bool {
    let Some((qualifier, column)) = path(dialect, expr) else {
        return false;
    };
    let found = source(dialect, select, name);
    found.is_some_and(|(from, known)| {
        column == known && (qualifier == from || single(select).is_some())
    })
}

/// The column that comes out under this name, if it is a plain one.
fn source(dialect: Dialect, select: &Select, name: &str) -> Option<Path> {
    for item in &select.projection {
        match item {
            SelectItem::ExprWithAlias { expr, alias } if is_called(dialect, alias, name) => {
                return path(dialect, expr);
            }
            SelectItem::UnnamedExpr(expr) => match path(dialect, expr) {
                Some(found) if is_name(dialect, &found.1, name) => return Some(found),
                _ => (),
            },
            _ => (),
        }
    }
    let wildcards: Vec<&SelectItem> = select.projection.iter().filter(|i| is_wildcard(i)).collect();
    let known = match dialect {
        Dialect::Postgres => name.to_owned(),
        Dialect::Sqlite => name.to_ascii_lowercase(),
    };
    match wildcards.as_slice() {
        [] => None,
        _ if single(select).is_some() => Some((None, known)),
        [SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(table), _)] => {
            Some((Some(last(dialect, table)?), known))
        }
        _ => None,
    }
}

pub(super) fn is_wildcard(item: &SelectItem) -> bool {
    matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..))
}

/// The one table or subquery that a SELECT reads, if it is one.
pub(super) fn single(select: &Select) -> Option<&TableFactor> {
    match select.from.as_slice() {
        [from] if from.joins.is_empty() => match &from.relation {
            TableFactor::Table { .. } | TableFactor::Derived { .. } => Some(&from.relation),
            _ => None,
        },
        _ => None,
    }
}

fn last(dialect: Dialect, name: &ObjectName) -> Option<String> {
    Some(folded(dialect, name.0.last()?.as_ident()?))
}

fn is_called(dialect: Dialect, ident: &Ident, name: &str) -> bool {
    is_name(dialect, &folded(dialect, ident), name)
}

/// Whether a folded name is the declared one.
fn is_name(dialect: Dialect, folded: &str, name: &str) -> bool {
    match dialect {
        Dialect::Postgres => folded == name,
        Dialect::Sqlite => folded.eq_ignore_ascii_case(name),
    }
}
