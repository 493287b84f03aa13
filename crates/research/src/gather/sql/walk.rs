//! The walk over the tree of a query.

use std::ops::ControlFlow;

use samescore_core::error::{Code, Error};
use sqlparser::ast::{
    DataType, Distinct, Expr, Function, FunctionArguments, LimitClause, NamedWindowDefinition,
    ObjectName, OrderByKind, Query, Select, SetExpr, Spanned, Statement, TableFactor, Value,
    Visitor,
};
use sqlparser::tokenizer::Span;

use super::order::{Window, column, covers, folded, is_peerwise, is_sorted_by_itself};
use super::{Dialect, Rule, exact, names};

pub(super) struct Walk<'a> {
    dialect: Dialect,
    allowed: &'a [Rule],
    key: &'a [String],
    /// How many queries are around.
    depth: usize,
    /// The outermost query has one SELECT.
    is_plain: bool,
    /// The named windows of each SELECT around.
    windows: Vec<Vec<NamedWindowDefinition>>,
    /// Where the queries around begin: the place of what has none of its own.
    places: Vec<Span>,
    functions: Vec<String>,
}

type Flow = ControlFlow<Box<Error>>;
const GO_ON: Flow = ControlFlow::Continue(());

impl<'a> Walk<'a> {
    pub(super) fn new(dialect: Dialect, allowed: &'a [Rule], key: &'a [String]) -> Self {
        let (windows, places, functions) = (Vec::new(), Vec::new(), Vec::new());
        Walk { dialect, allowed, key, depth: 0, is_plain: false, windows, places, functions }
    }

    /// The functions that were called.
    pub(super) fn functions(self) -> Vec<String> {
        if self.allowed.contains(&Rule::Volatile) {
            return Vec::new();
        }
        let mut functions = self.functions;
        functions.sort();
        functions.dedup();
        functions
    }

    fn place(&self, span: Span) -> String {
        let around = self.places.iter().rev();
        let known = std::iter::once(&span).chain(around).find(|span| span.start.line > 0);
        known.map_or("query".to_owned(), |span| {
            format!("query, line {}, column {}", span.start.line, span.start.column)
        })
    }

    fn refuse(&self, span: Span, rule: Rule, found: &str, instead: &str) -> Flow {
        if self.allowed.contains(&rule) {
            return GO_ON;
        }
        let place = self.place(span);
        let message = format!("{place}: expected the same rows on every run, found {found}");
        let remedy =
            format!("{instead}; `allow = [\"{}\"]` under [source] accepts it", rule.name());
        ControlFlow::Break(Box::new(Error::new(Code::RefusedQuery, message).remedy(remedy)))
    }

    fn refuse_for_good(&self, span: Span, found: &str) -> Flow {
        let message =
            format!("{}: expected a query that only reads, found {found}", self.place(span));
        let error = Error::new(Code::RefusedQuery, message);
        ControlFlow::Break(Box::new(error.remedy("take it out; this cannot be allowed")))
    }

    /// Whether this is the outermost query, whose rows have the declared key.
    fn is_outermost(&self) -> bool {
        self.depth == 1
    }

    fn limits(&self, query: &Query) -> Flow {
        let found = match (&query.limit_clause, &query.fetch) {
            (Some(LimitClause::LimitOffset { limit, offset, .. }), _) => match (limit, offset) {
                (Some(_), _) => "LIMIT",
                (None, Some(_)) => "OFFSET",
                (None, None) => return GO_ON,
            },
            (Some(LimitClause::OffsetCommaLimit { .. }), _) => "LIMIT",
            (None, Some(_)) => "FETCH",
            (None, None) => return GO_ON,
        };
        let span = query.limit_clause.as_ref().map_or_else(Span::empty, Spanned::span);
        let order = query.order_by.as_ref().map(|order| &order.kind);
        let Some(OrderByKind::Expressions(by)) = order else {
            let found = format!("{found} without ORDER BY");
            return self.refuse(span, Rule::Limit, &found, LIMIT_INSTEAD);
        };
        if self.is_outermost() && covers(self.dialect, self.key, by.iter().map(|by| &by.expr)) {
            return GO_ON;
        }
        let found = format!("{found} whose ORDER BY can have ties");
        self.refuse(span, Rule::Limit, &found, LIMIT_INSTEAD)
    }

    fn call(&mut self, function: &Function) -> Flow {
        let span = function.name.span();
        let Some(name) = self.called(&function.name) else {
            return GO_ON;
        };
        let shown = function.name.to_string();
        let n_arguments = exact::arguments(function).len();
        let is_clock = names::is_volatile(self.dialect, &name)
            || self.dialect == Dialect::Postgres && name == "age" && n_arguments == 1
            || self.reads_clock(&name, function);
        if is_clock {
            let shown = match function.args {
                FunctionArguments::None => shown.clone(),
                _ => format!("{shown}()"),
            };
            self.refuse(span, Rule::Volatile, &format!("`{shown}`"), VOLATILE_INSTEAD)?;
        }
        let is_summing = names::is_float_sum(self.dialect, &name)
            || names::is_sum(self.dialect, &name) && !self.is_exact(function);
        if is_summing {
            let found = format!("`{shown}` of what may be floats");
            self.refuse(span, Rule::FloatAggregate, &found, self.sum_instead())?;
        }
        if let Some(over) = &function.over {
            let known: Vec<NamedWindowDefinition> =
                self.windows.iter().rev().flatten().cloned().collect();
            let window = Window::of(over, &known);
            let is_total = self.is_outermost()
                && self.is_plain
                && covers(self.dialect, self.key, window.exprs.iter().copied());
            if !is_peerwise(self.dialect, &name, &window) && !is_total {
                let found = format!("`{shown}` over a window whose order can have ties");
                self.refuse(span, Rule::WindowOrder, &found, WINDOW_INSTEAD)?;
            }
        } else if names::is_collecting(&name) && !is_sorted_by_itself(function) {
            let found = format!("`{shown}` in the order in which rows come");
            self.refuse(span, Rule::UnorderedAggregate, &found, COLLECT_INSTEAD)?;
        }
        GO_ON
    }

    /// The name under which a function is known, noted for the server; `None` if it is in a schema
    /// of the user's.
    fn called(&mut self, name: &ObjectName) -> Option<String> {
        let parts: Vec<String> = name
            .0
            .iter()
            .filter_map(|part| part.as_ident())
            .map(|ident| folded(self.dialect, ident))
            .collect();
        let last = parts.last()?.clone();
        self.functions.push(last.clone());
        match parts.as_slice() {
            [_] => Some(last),
            [schema, _] if schema == "pg_catalog" => Some(last),
            _ => None,
        }
    }

    fn is_exact(&self, function: &Function) -> bool {
        let arguments = exact::arguments(function);
        let is_fit = |argument: &Option<&Expr>| {
            argument.is_some_and(|expr| exact::is_exact(self.dialect, expr))
        };
        !arguments.is_empty() && arguments.iter().all(is_fit)
    }

    /// Whether a function of dates takes the clock or the machine's time zone.
    fn reads_clock(&self, name: &str, function: &Function) -> bool {
        let arguments: Vec<&Expr> = exact::arguments(function).into_iter().flatten().collect();
        match self.dialect {
            Dialect::Postgres => {
                let has_word = arguments.iter().any(|expr| is_word(expr, &names::CLOCK_WORDS));
                names::is_postgres_time(name) && has_word
            }
            Dialect::Sqlite if names::is_sqlite_time(name) => {
                let n_formats = usize::from(name == "strftime");
                let is_time = |expr: &&&Expr| !is_word(expr, &["subsec", "subsecond"]);
                let has_word =
                    arguments.iter().any(|expr| is_word(expr, &names::SQLITE_CLOCK_WORDS));
                has_word || arguments.iter().filter(is_time).count() <= n_formats
            }
            Dialect::Sqlite => false,
        }
    }

    fn sum_instead(&self) -> &'static str {
        match self.dialect {
            Dialect::Postgres => {
                "cast the argument to integer or numeric, or gather the rows: the aggregate step \
                 of [source] sums exactly"
            }
            Dialect::Sqlite => {
                "cast the argument to integer, or gather the rows: the aggregate step of [source] \
                 sums exactly"
            }
        }
    }
}

const LIMIT_INSTEAD: &str =
    "choose rows by a condition, or order by all declared key columns in the outermost query";
const VOLATILE_INSTEAD: &str = "write the value into the query";
const WINDOW_INSTEAD: &str =
    "order by all declared key columns in the outermost query, or use rank";
const COLLECT_INSTEAD: &str = "give it an ORDER BY with the very expressions that it collects";

/// Whether an expression is one of those words in quotes.
fn is_word(expr: &Expr, words: &[&str]) -> bool {
    let found = match expr {
        Expr::Value(value) => text(&value.value),
        // SQLite takes a name in double quotes that is no column for a text.
        Expr::Identifier(ident) if ident.quote_style == Some('"') => Some(ident.value.as_str()),
        Expr::Nested(inner) => return is_word(inner, words),
        _ => None,
    };
    found.is_some_and(|found| words.iter().any(|word| found.trim().eq_ignore_ascii_case(word)))
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::SingleQuotedString(text)
        | Value::EscapedStringLiteral(text)
        | Value::UnicodeStringLiteral(text)
        | Value::NationalStringLiteral(text) => Some(text),
        Value::DollarQuotedString(text) => Some(&text.value),
        _ => None,
    }
}

fn is_time_type(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Date
            | DataType::Time(..)
            | DataType::Timestamp(..)
            | DataType::TimestampNtz(..)
            | DataType::Datetime(_)
    )
}

impl Visitor for Walk<'_> {
    type Break = Box<Error>;

    fn pre_visit_statement(&mut self, statement: &Statement) -> Flow {
        self.refuse_for_good(statement.span(), "a statement that changes data")
    }

    fn pre_visit_query(&mut self, query: &Query) -> Flow {
        self.depth += 1;
        self.places.push(query.span());
        if self.depth == 1 {
            self.is_plain = matches!(&*query.body, SetExpr::Select(_));
        }
        if !query.locks.is_empty() {
            return self.refuse_for_good(Span::empty(), "a lock (FOR UPDATE or FOR SHARE)");
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
        match &select.top {
            Some(_) => self.refuse(select.span(), Rule::Limit, "TOP", LIMIT_INSTEAD),
            None => GO_ON,
        }
    }

    fn post_visit_select(&mut self, _: &Select) -> Flow {
        self.windows.pop();
        GO_ON
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> Flow {
        let (sample, called) = match factor {
            TableFactor::Table { sample, args, name, .. } => {
                (sample.is_some(), args.as_ref().map(|_| name))
            }
            TableFactor::Derived { sample, .. } => (sample.is_some(), None),
            TableFactor::Function { name, .. } => (false, Some(name)),
            _ => (false, None),
        };
        if sample {
            let instead = "gather all rows; `[split]` samples by row key";
            self.refuse(factor.span(), Rule::Sampling, "TABLESAMPLE", instead)?;
        }
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
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => match column(self.dialect, expr) {
                Some(name) if names::is_system_column(self.dialect, &name) => {
                    let found = format!("the system column `{name}`");
                    let instead = "name the columns of the table itself";
                    self.refuse(expr.span(), Rule::SystemColumn, &found, instead)
                }
                _ => GO_ON,
            },
            Expr::Cast { expr: inner, data_type, .. }
                if self.dialect == Dialect::Postgres
                    && is_time_type(data_type)
                    && is_word(inner, &names::CLOCK_WORDS) =>
            {
                let found = format!("`{inner}` as a time");
                self.refuse(inner.span(), Rule::Volatile, &found, VOLATILE_INSTEAD)
            }
            Expr::TypedString(typed)
                if self.dialect == Dialect::Postgres
                    && text(&typed.value.value).is_some_and(|found| {
                        names::CLOCK_WORDS.iter().any(|w| found.trim().eq_ignore_ascii_case(w))
                    }) =>
            {
                let found = format!("`{}` as a time", typed.value);
                self.refuse(typed.value.span, Rule::Volatile, &found, VOLATILE_INSTEAD)
            }
            _ => GO_ON,
        }
    }
}
