//! Columns of SQLite that are taken from any row of a group.
//!
//! # Method
//! In a SELECT that groups or aggregates, a column outside of an aggregate must be grouped by, as
//! it stands. SQLite takes the value of some row for another one. Names that may be an alias or a
//! column, and columns within a subquery, are looked up in the tables; where those are not known,
//! the name counts as a column of the group.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, Function, GroupByExpr, OrderByExpr, Query, Select, SelectItem, TableFactor,
    TableWithJoins, Visit, Visitor,
};

use super::cut::{path, single};
use super::known::Known;
use super::order::folded;
use super::{Dialect, exact};

const SQLITE: Dialect = Dialect::Sqlite;

/// The first column that is neither grouped nor in an aggregate.
pub(super) fn bare_column(select: &Select, by: &[OrderByExpr], known: &Known) -> Option<Expr> {
    let items: Vec<&Expr> = select.projection.iter().filter_map(item_expr).collect();
    let groups = groups(select, known);
    let is_grouped = !groups.is_empty()
        || items.iter().any(|expr| has_aggregate(expr))
        || select.having.as_ref().is_some_and(has_aggregate)
        || by.iter().any(|by| has_aggregate(&by.expr));
    if !is_grouped {
        return None;
    }
    let wildcard = select.projection.iter().find(|item| item_expr(item).is_none());
    if wildcard.is_some() && groups.is_empty() {
        return Some(Expr::Identifier("*".into()));
    }
    let mut search =
        Search { select, groups, known, inside: 0, scopes: Vec::new(), is_late: false };
    let mut find = |expr: &Expr| match expr.visit(&mut search) {
        ControlFlow::Break(found) => Some(*found),
        ControlFlow::Continue(()) => None,
    };
    if let Some(found) = items.iter().find_map(|expr| find(expr)) {
        return Some(found);
    }
    if wildcard.is_some() {
        return Some(Expr::Identifier("*".into()));
    }
    search.is_late = true;
    let mut find = |expr: &Expr| match expr.visit(&mut search) {
        ControlFlow::Break(found) => Some(*found),
        ControlFlow::Continue(()) => None,
    };
    let having = select.having.as_ref().and_then(&mut find);
    // A name alone is an alias first.
    let is_alias = |expr: &Expr| {
        matches!(path(SQLITE, expr), Some((None, name))
        if alias(select, &name).is_some())
    };
    having.or_else(|| by.iter().filter(|by| !is_alias(&by.expr)).find_map(|by| find(&by.expr)))
}

fn item_expr(item: &SelectItem) -> Option<&Expr> {
    match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr),
        _ => None,
    }
}

/// What an alias stands for.
fn alias<'a>(select: &'a Select, name: &str) -> Option<&'a Expr> {
    select.projection.iter().find_map(|item| match item {
        SelectItem::ExprWithAlias { expr, alias } if folded(SQLITE, alias) == name => Some(expr),
        _ => None,
    })
}

/// What a SELECT groups by, without brackets and collations.
fn groups<'a>(select: &'a Select, known: &Known) -> Vec<&'a Expr> {
    let GroupByExpr::Expressions(exprs, _) = &select.group_by else {
        return Vec::new();
    };
    let mut groups = Vec::new();
    for expr in exprs {
        let expr = stripped(expr);
        groups.push(expr);
        if let Expr::Value(value) = expr {
            let place = value.value.to_string().parse::<usize>().ok();
            let item = place.and_then(|place| select.projection.get(place.checked_sub(1)?));
            groups.extend(item.and_then(item_expr).map(stripped));
        }
        if let Some((None, name)) = path(SQLITE, expr)
            && let Some(meant) = alias(select, &name)
            && !may_have(&select.from, known, &name)
        {
            groups.push(stripped(meant));
        }
    }
    groups
}

fn stripped(expr: &Expr) -> &Expr {
    match expr {
        Expr::Nested(inner) | Expr::Collate { expr: inner, .. } => stripped(inner),
        other => other,
    }
}

/// Whether one of these tables may have a column of that name: it has, or its columns are not
/// known.
fn may_have(from: &[TableWithJoins], known: &Known, name: &str) -> bool {
    factors(from).any(|factor| columns(factor, known).is_none_or(|found| found.contains(name)))
}

fn factors(from: &[TableWithJoins]) -> impl Iterator<Item = &TableFactor> {
    from.iter().flat_map(|from| {
        std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation))
    })
}

fn columns<'k>(factor: &TableFactor, known: &'k Known) -> Option<&'k BTreeSet<String>> {
    known.columns.get(&table(factor)?)
}

fn table(factor: &TableFactor) -> Option<String> {
    match factor {
        TableFactor::Table { name, args: None, .. } => {
            Some(folded(SQLITE, name.0.last()?.as_ident()?))
        }
        _ => None,
    }
}

fn factor_name(factor: &TableFactor) -> Option<String> {
    match factor {
        TableFactor::Table { alias: Some(alias), .. }
        | TableFactor::Derived { alias: Some(alias), .. } => Some(folded(SQLITE, &alias.name)),
        TableFactor::Table { name, .. } => Some(folded(SQLITE, name.0.last()?.as_ident()?)),
        _ => None,
    }
}

/// Whether a call takes all rows of a group.
fn is_aggregate(function: &Function) -> bool {
    let name = function.name.to_string().to_ascii_lowercase();
    function.over.is_none()
        && match name.as_str() {
            "min" | "max" => exact::arguments(function).len() == 1,
            "avg" | "count" | "group_concat" | "median" | "percentile" | "percentile_cont"
            | "percentile_disc" | "string_agg" | "sum" | "total" => true,
            name => name.starts_with("json_group_") || name.starts_with("jsonb_group_"),
        }
}

fn has_aggregate(expr: &Expr) -> bool {
    struct Aggregates(usize);
    impl Visitor for Aggregates {
        type Break = ();
        fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            self.0 += 1;
            ControlFlow::Continue(())
        }
        fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            self.0 -= 1;
            ControlFlow::Continue(())
        }
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            match expr {
                Expr::Function(call) if self.0 == 0 && is_aggregate(call) => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        }
    }
    expr.visit(&mut Aggregates(0)).is_break()
}

/// A table of a subquery: what it is called there, and the table that it is.
type Own = (Option<String>, Option<String>);

struct Search<'a> {
    select: &'a Select,
    groups: Vec<&'a Expr>,
    known: &'a Known,
    /// How many aggregates and grouped expressions are around.
    inside: usize,
    /// The tables of the subqueries around.
    scopes: Vec<Vec<Own>>,
    /// Names may be aliases.
    is_late: bool,
}

impl Search<'_> {
    /// Whether all of an expression is one value for each group.
    fn is_settled(&self, expr: &Expr) -> bool {
        matches!(expr, Expr::Function(call) if self.scopes.is_empty() && is_aggregate(call))
            || self.groups.iter().any(|group| self.is_same(group, expr))
    }

    fn is_same(&self, group: &Expr, expr: &Expr) -> bool {
        match (path(SQLITE, group), path(SQLITE, expr)) {
            (Some((of, name)), Some((from, column))) => {
                name == column && (of == from || single(self.select).is_some())
            }
            (None, None) => group == stripped(expr),
            _ => false,
        }
    }

    /// Whether a column of a subquery is one of its own tables'.
    fn is_own(&self, of: Option<&str>, name: &str) -> bool {
        let mut own = self.scopes.iter().flatten();
        match of {
            Some(of) => {
                let is_outer = factors(&self.select.from)
                    .any(|known| factor_name(known).as_deref() == Some(of));
                !is_outer || own.any(|(known, _)| known.as_deref() == Some(of))
            }
            None => {
                let has = |(_, table): &Own| {
                    let columns = table.as_ref().and_then(|table| self.known.columns.get(table));
                    columns.is_some_and(|found| found.contains(name))
                };
                own.any(has) || !may_have(&self.select.from, self.known, name)
            }
        }
    }
}

impl Visitor for Search<'_> {
    type Break = Box<Expr>;

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<Box<Expr>> {
        self.scopes.push(Vec::new());
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<Box<Expr>> {
        self.scopes.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Box<Expr>> {
        let own = factors(&select.from).map(|factor| (factor_name(factor), table(factor)));
        if let Some(scope) = self.scopes.last_mut() {
            scope.extend(own);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Box<Expr>> {
        if self.is_settled(expr) {
            self.inside += 1;
            return ControlFlow::Continue(());
        }
        let is_column = matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_));
        let Some((of, name)) = path(SQLITE, expr).filter(|_| is_column && self.inside == 0) else {
            return ControlFlow::Continue(());
        };
        let is_own = !self.scopes.is_empty() && self.is_own(of.as_deref(), &name);
        let is_alias = self.is_late
            && of.is_none()
            && alias(self.select, &name).is_some()
            && !may_have(&self.select.from, self.known, &name);
        match is_own || is_alias {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(Box::new(expr.clone())),
        }
    }

    fn post_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Box<Expr>> {
        self.inside -= usize::from(self.is_settled(expr));
        ControlFlow::Continue(())
    }
}
