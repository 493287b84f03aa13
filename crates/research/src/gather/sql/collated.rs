//! Texts of SQLite that count as equal although they are not: which of them comes out is chance.
//!
//! # Method
//! Under NOCASE and RTRIM `a` and `A` fall into one group, and one of them stands for both. A
//! column brings its collation along, through brackets, casts and renaming. Where values are made
//! one (GROUP BY, DISTINCT, UNION, EXCEPT, INTERSECT, `min`, `max` and the aggregates that
//! collect), the columns are noted; what the tables say of them is asked at the end, when all
//! tables are known.

use std::collections::BTreeSet;

use sqlparser::ast::{
    Expr, Ident, ObjectName, Select, SelectItem, SetExpr, SetOperator, SetQuantifier, Spanned,
    UnaryOperator,
};
use sqlparser::tokenizer::Span;

use super::Dialect;
use super::order::{column, folded};

const SQLITE: Dialect = Dialect::Sqlite;

/// A place where values are made one.
#[derive(Debug)]
pub(super) struct Merged {
    pub(super) place: String,
    pub(super) what: String,
    /// The column; none means all.
    pub(super) column: Option<String>,
}

/// What brings a collation along.
enum Carried {
    Column(String),
    /// A collation that is written out and is not BINARY.
    Written(String),
}

fn carried(expr: &Expr) -> Option<Carried> {
    match expr {
        Expr::Nested(inner)
        | Expr::Cast { expr: inner, .. }
        | Expr::UnaryOp { op: UnaryOperator::Plus, expr: inner } => carried(inner),
        Expr::Collate { collation, .. } if is_binary(collation) => None,
        Expr::Collate { collation, .. } => Some(Carried::Written(collation.to_string())),
        _ => column(SQLITE, expr).map(Carried::Column),
    }
}

fn is_binary(collation: &ObjectName) -> bool {
    collation.to_string().trim_matches('"').eq_ignore_ascii_case("binary")
}

/// Notes what is merged and what is renamed in a query.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// Which query is looked at.
    pub(super) label: String,
    merged: Vec<Merged>,
    /// Columns and the names that they come out under.
    renamed: Vec<(String, String)>,
    /// Names of columns in lists behind the name of a table.
    listed: Vec<String>,
}

impl Notes {
    /// Notes one expression whose equal values are made one.
    pub(super) fn merge(&mut self, expr: &Expr, what: &str) {
        let place = self.place(expr.span());
        match carried(expr) {
            None => (),
            Some(Carried::Column(name)) => {
                let what = format!("{what} of `{name}`");
                self.merged.push(Merged { place, what, column: Some(name) });
            }
            Some(Carried::Written(collation)) => {
                // True of any table.
                let what = format!("{what} under {collation}");
                self.merged.push(Merged { place, what, column: Some(String::new()) });
            }
        }
    }

    pub(super) fn merge_items(&mut self, select: &Select, what: &str) {
        for item in &select.projection {
            match item {
                SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
                    self.merge(expr, what);
                }
                _ => {
                    let what = format!("{what} of `*`");
                    let place = self.place(select.span());
                    self.merged.push(Merged { place, what, column: None });
                }
            }
        }
    }

    /// Notes the operands of UNION, EXCEPT and INTERSECT.
    pub(super) fn merge_sets(&mut self, body: &SetExpr) {
        let SetExpr::SetOperation { left, op, set_quantifier, right } = body else {
            return;
        };
        let keeps_all = *op == SetOperator::Union && *set_quantifier == SetQuantifier::All;
        for side in [left, right] {
            match &**side {
                SetExpr::Select(select) if !keeps_all => self.merge_items(select, &op.to_string()),
                other => {
                    self.merge_sets(other);
                    if let (false, SetExpr::SetOperation { .. }) = (keeps_all, other) {
                        self.merge_leaves(other, &op.to_string());
                    }
                }
            }
        }
    }

    fn merge_leaves(&mut self, body: &SetExpr, what: &str) {
        match body {
            SetExpr::Select(select) => self.merge_items(select, what),
            SetExpr::SetOperation { left, right, .. } => {
                self.merge_leaves(left, what);
                self.merge_leaves(right, what);
            }
            _ => (),
        }
    }

    pub(super) fn rename(&mut self, select: &Select) {
        for item in &select.projection {
            if let SelectItem::ExprWithAlias { expr, alias } = item {
                match carried(expr) {
                    Some(Carried::Column(name)) => {
                        self.renamed.push((name, folded(SQLITE, alias)));
                    }
                    Some(Carried::Written(_)) => {
                        self.renamed.push((String::new(), folded(SQLITE, alias)));
                    }
                    None => (),
                }
            }
        }
    }

    /// Notes the columns in a list behind a name, and the outermost columns of a view.
    pub(super) fn list<'i>(&mut self, names: impl Iterator<Item = &'i Ident>) {
        self.listed.extend(names.map(|ident| folded(SQLITE, ident)));
    }

    /// The first place where values are made one that need not be equal, if these are the columns
    /// with other collations than BINARY.
    pub(super) fn first(&self, collated: &BTreeSet<String>) -> Option<&Merged> {
        let mut names = collated.clone();
        // What is written out counts as a column without a name.
        names.insert(String::new());
        loop {
            let more: Vec<String> = self
                .renamed
                .iter()
                .filter(|(from, to)| names.contains(from) && !names.contains(to))
                .map(|(_, to)| to.clone())
                .collect();
            if more.is_empty() {
                break;
            }
            names.extend(more);
        }
        if names.len() > 1 {
            names.extend(self.listed.iter().cloned());
        }
        self.merged.iter().find(|merged| match &merged.column {
            Some(name) => names.contains(name),
            None => names.len() > 1,
        })
    }

    fn place(&self, span: Span) -> String {
        format!("{}, line {}, column {}", self.label, span.start.line, span.start.column)
    }
}
