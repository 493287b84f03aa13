//! The walk over the tree of a query.

use std::ops::ControlFlow;

use samescore_core::error::{Code, Error};
use sqlparser::ast::{
    AccessExpr, BinaryOperator, Distinct, Expr, GroupByExpr, LimitClause, NamedWindowDefinition,
    ObjectName, OrderByExpr, OrderByKind, Query, Select, SetExpr, Spanned, Statement, TableFactor,
    ValueWithSpan, Visitor,
};
use sqlparser::tokenizer::Span;

use super::known::Known;
use super::order::{column, folded};
use super::{Allowed, Called, Dialect, Found, Rule, clock, cut, grouped, names, tokens};

pub(super) struct Walk<'a> {
    pub(super) dialect: Dialect,
    allowed: &'a Allowed,
    pub(super) key: &'a [String],
    known: &'a Known,
    /// What messages call the query.
    label: &'a str,
    /// How many queries are around.
    pub(super) depth: usize,
    /// The SELECT of the outermost query, if it has one.
    pub(super) outermost: Option<&'a Select>,
    /// The named windows of each SELECT around.
    pub(super) windows: Vec<Vec<NamedWindowDefinition>>,
    /// Where the queries around begin: the place of what has none of its own.
    places: Vec<Span>,
    pub(super) found: Found,
}

pub(super) type Flow = ControlFlow<Box<Error>>;
pub(super) const GO_ON: Flow = ControlFlow::Continue(());

impl<'a> Walk<'a> {
    pub(super) fn new(
        dialect: Dialect,
        allowed: &'a Allowed,
        key: &'a [String],
        known: &'a Known,
    ) -> Self {
        Walk {
            dialect,
            allowed,
            key,
            known,
            label: "query",
            depth: 0,
            outermost: None,
            windows: Vec::new(),
            places: Vec::new(),
            found: Found::default(),
        }
    }

    /// The walk over a query whose rows have the key.
    pub(super) fn outermost(mut self, query: &'a Query) -> Self {
        self.outermost = query.body.as_select();
        self
    }

    /// The walk over a view, which is never the outermost query.
    pub(super) fn of_view(mut self, label: &'a str, found: Found) -> Self {
        (self.label, self.depth, self.found) = (label, 1, found);
        self
    }

    fn place(&self, span: Span) -> String {
        let around = self.places.iter().rev();
        let known = std::iter::once(&span).chain(around).find(|span| span.start.line > 0);
        known.map_or(self.label.to_owned(), |span| {
            format!("{}, line {}, column {}", self.label, span.start.line, span.start.column)
        })
    }

    pub(super) fn refuse(&self, span: Span, rule: Rule, found: &str, instead: &str) -> Flow {
        match self.allowed.refuse(rule, &self.place(span), found, instead) {
            Ok(()) => GO_ON,
            Err(error) => ControlFlow::Break(Box::new(error)),
        }
    }

    fn refuse_for_good(&self, span: Span, found: &str) -> Flow {
        let message =
            format!("{}: expected a query that only reads, found {found}", self.place(span));
        let error = Error::new(Code::RefusedQuery, message);
        ControlFlow::Break(Box::new(error.remedy("take it out; this cannot be allowed")))
    }

    fn limits(&mut self, query: &Query) -> Flow {
        let Some(found) = cutting(query) else {
            return GO_ON;
        };
        let span = query.limit_clause.as_ref().map_or_else(Span::empty, Spanned::span);
        let order = query.order_by.as_ref().map(|order| &order.kind);
        let Some(OrderByKind::Expressions(by)) = order else {
            let found = format!("{found} without ORDER BY");
            return self.refuse(span, Rule::Limit, &found, LIMIT_INSTEAD);
        };
        let by: Vec<&Expr> = by.iter().map(|by| &by.expr).collect();
        let terms = match self.depth {
            1 => cut::ordered(self.dialect, &query.body, self.key, &by),
            _ => None,
        };
        match terms {
            Some(terms) => {
                self.found.orders.push((Rule::Limit, terms));
                GO_ON
            }
            None => {
                let found = format!("{found} whose ORDER BY can have ties");
                self.refuse(span, Rule::Limit, &found, LIMIT_INSTEAD)
            }
        }
    }

    /// Columns of any row of a group.
    fn bare(&self, select: &Select, by: &[OrderByExpr]) -> Flow {
        if self.dialect != Dialect::Sqlite {
            return GO_ON;
        }
        match grouped::bare_column(select, by, self.known) {
            None => GO_ON,
            Some(expr) => {
                let found = format!("`{expr}` of any row of a group");
                let instead = "group by it as well, or take min() or max() of it; name columns \
                    of subqueries with their table";
                self.refuse(expr.span(), Rule::BareColumn, &found, instead)
            }
        }
    }

    fn merges(&mut self, select: &Select) {
        if self.dialect != Dialect::Sqlite {
            return;
        }
        let notes = &mut self.found.notes;
        notes.label = self.label.to_owned();
        notes.rename(select);
        if let GroupByExpr::Expressions(exprs, _) = &select.group_by {
            exprs.iter().for_each(|expr| notes.merge(expr, "GROUP BY"));
        }
        if select.distinct.is_some() {
            notes.merge_items(select, "DISTINCT");
        }
    }

    fn column(&mut self, expr: &Expr) -> Flow {
        let Some(name) = column(self.dialect, expr) else {
            return GO_ON;
        };
        if self.dialect == Dialect::Postgres
            && let Expr::CompoundIdentifier(_) = expr
        {
            self.found.functions.push(Called { schema: None, name: name.clone(), is_field: true });
        }
        if !names::is_system_column(self.dialect, &name) {
            return GO_ON;
        }
        if self.dialect == Dialect::Sqlite {
            self.found.system.push((self.place(expr.span()), name));
            return GO_ON;
        }
        let found = format!("the system column `{name}`");
        let instead = "name the columns of the table itself";
        self.refuse(expr.span(), Rule::SystemColumn, &found, instead)
    }

    /// Texts that become times.
    fn times(&mut self, expr: &Expr) -> Flow {
        if self.dialect != Dialect::Postgres {
            return GO_ON;
        }
        match expr {
            Expr::Cast { expr: inner, data_type, .. } if clock::is_cast_clock(inner, data_type) => {
                let found = format!("`{inner}` as a time");
                self.refuse(inner.span(), Rule::Volatile, &found, VOLATILE_INSTEAD)
            }
            Expr::TypedString(typed) => {
                self.found.typed.push(typed.value.span);
                let is_clock = clock::text(&typed.value.value).is_some_and(clock::is_worded)
                    && clock::may_hold_time(&typed.data_type);
                if !is_clock {
                    return GO_ON;
                }
                let found = format!("`{}` as a time", typed.value);
                self.refuse(typed.value.span, Rule::Volatile, &found, VOLATILE_INSTEAD)
            }
            _ => GO_ON,
        }
    }
}

/// The clause that cuts the rows of a query.
fn cutting(query: &Query) -> Option<&'static str> {
    match (&query.limit_clause, &query.fetch) {
        (Some(LimitClause::LimitOffset { limit: Some(_), .. }), _)
        | (Some(LimitClause::OffsetCommaLimit { .. }), _) => Some("LIMIT"),
        (_, Some(_)) => Some("FETCH"),
        (Some(LimitClause::LimitOffset { offset: Some(_), .. }), None) => Some("OFFSET"),
        _ => None,
    }
}

/// Whether the parser took something for TABLE and a name: it loses what follows.
fn has_table(body: &SetExpr) -> bool {
    match body {
        SetExpr::Table(_) => true,
        SetExpr::SetOperation { left, right, .. } => has_table(left) || has_table(right),
        _ => false,
    }
}

const LIMIT_INSTEAD: &str = "choose rows by a condition, or order by all declared key columns in \
    the outermost query, as they come out of it";
pub(super) const VOLATILE_INSTEAD: &str = "write the value into the query";

impl Visitor for Walk<'_> {
    type Break = Box<Error>;

    fn pre_visit_statement(&mut self, statement: &Statement) -> Flow {
        self.refuse_for_good(statement.span(), "a statement that changes data")
    }

    fn pre_visit_query(&mut self, query: &Query) -> Flow {
        self.depth += 1;
        self.places.push(query.span());
        if has_table(&query.body) {
            let error = tokens::unreadable("TABLE where no query begins");
            return ControlFlow::Break(Box::new(error));
        }
        if !query.locks.is_empty() {
            return self.refuse_for_good(Span::empty(), "a lock (FOR UPDATE or FOR SHARE)");
        }
        if self.dialect == Dialect::Sqlite {
            self.found.notes.label = self.label.to_owned();
            self.found.notes.merge_sets(&query.body);
            let tables = query.with.iter().flat_map(|with| &with.cte_tables);
            tables.for_each(|cte| {
                self.found.notes.list(cte.alias.columns.iter().map(|column| &column.name));
            });
        }
        if let SetExpr::Select(select) = &*query.body
            && let Some(OrderByKind::Expressions(by)) = query.order_by.as_ref().map(|o| &o.kind)
        {
            self.bare(select, by)?;
        }
        self.limits(query)
    }

    fn post_visit_query(&mut self, _: &Query) -> Flow {
        self.depth -= 1;
        self.places.pop();
        GO_ON
    }

    fn pre_visit_select(&mut self, select: &Select) -> Flow {
        self.windows.push(select.named_window.clone());
        if let Some(into) = &select.into {
            return self.refuse_for_good(into.span(), "SELECT INTO");
        }
        if let Some(Distinct::On(_)) = &select.distinct {
            let instead = "use a GROUP BY or a join that has one row for each key";
            self.refuse(select.span(), Rule::Limit, "DISTINCT ON, which keeps any row", instead)?;
        }
        if select.top.is_some() {
            self.refuse(select.span(), Rule::Limit, "TOP", LIMIT_INSTEAD)?;
        }
        self.merges(select);
        self.bare(select, &[])
    }

    fn post_visit_select(&mut self, _: &Select) -> Flow {
        self.windows.pop();
        GO_ON
    }

    fn pre_visit_relation(&mut self, name: &ObjectName) -> Flow {
        let last = name.0.last().and_then(|part| part.as_ident());
        self.found.relations.extend(last.map(|ident| folded(self.dialect, ident)));
        GO_ON
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> Flow {
        let (sample, called, alias) = match factor {
            TableFactor::Table { sample, args, name, alias, .. } => {
                (sample.is_some(), args.as_ref().map(|_| name), alias.as_ref())
            }
            TableFactor::Derived { sample, alias, .. } => (sample.is_some(), None, alias.as_ref()),
            TableFactor::Function { name, .. } => (false, Some(name), None),
            _ => (false, None, None),
        };
        if sample {
            let instead = "gather all rows; `[split]` samples by row key";
            self.refuse(factor.span(), Rule::Sampling, "TABLESAMPLE", instead)?;
        }
        let columns = alias.iter().flat_map(|alias| &alias.columns);
        self.found.notes.list(columns.map(|column| &column.name));
        let Some(called) = called else {
            return GO_ON;
        };
        match self.called(called) {
            Some(name) if names::is_volatile(self.dialect, &name) => {
                let found = format!("`{called}()`");
                self.refuse(called.span(), Rule::Volatile, &found, VOLATILE_INSTEAD)
            }
            _ => GO_ON,
        }
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> Flow {
        match expr {
            Expr::Function(function) => self.call(function),
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => self.column(expr),
            Expr::BinaryOp { op, .. }
            | Expr::AnyOp { compare_op: op, .. }
            | Expr::AllOp { compare_op: op, .. } => {
                self.found.operators.push(match op {
                    BinaryOperator::PGCustomBinaryOperator(parts) => {
                        parts.last().cloned().unwrap_or_default()
                    }
                    other => other.to_string(),
                });
                GO_ON
            }
            Expr::UnaryOp { op, .. } => {
                self.found.operators.push(op.to_string());
                GO_ON
            }
            Expr::CompoundFieldAccess { access_chain, .. } => {
                for access in access_chain {
                    if let AccessExpr::Dot(Expr::Identifier(ident)) = access {
                        let name = folded(self.dialect, ident);
                        self.found.functions.push(Called { schema: None, name, is_field: true });
                    }
                }
                GO_ON
            }
            _ => self.times(expr),
        }
    }

    fn pre_visit_value(&mut self, value: &ValueWithSpan) -> Flow {
        let is_worded = self.dialect == Dialect::Postgres
            && clock::text(&value.value).is_some_and(clock::is_worded)
            && !self.found.typed.contains(&value.span);
        self.found.words.extend(is_worded.then_some(value.span));
        GO_ON
    }
}
