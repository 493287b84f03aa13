//! Orders: whether one is total, and whether a window needs one.

use sqlparser::ast::{
    Expr, Function, FunctionArgumentClause, FunctionArguments, Ident, NamedWindowDefinition,
    NamedWindowExpr, OrderByExpr, WindowFrameUnits, WindowSpec, WindowType,
};

use super::exact::arguments;
use super::{Dialect, names};

/// How the database compares names: quoted ones in PostgreSQL byte by byte, others without case.
pub(super) fn folded(dialect: Dialect, ident: &Ident) -> String {
    match (dialect, ident.quote_style) {
        (Dialect::Postgres, Some(_)) => ident.value.clone(),
        _ => ident.value.to_ascii_lowercase(),
    }
}

/// The name of a plain column.
pub(super) fn column(dialect: Dialect, expr: &Expr) -> Option<String> {
    match expr {
        Expr::Identifier(ident) => Some(folded(dialect, ident)),
        Expr::CompoundIdentifier(parts) => parts.last().map(|ident| folded(dialect, ident)),
        Expr::Nested(inner) => column(dialect, inner),
        _ => None,
    }
}

/// What a window sorts and splits by, and whether its frame counts rows.
#[derive(Default)]
pub(super) struct Window<'a> {
    /// PARTITION BY and ORDER BY.
    pub(super) exprs: Vec<&'a Expr>,
    pub(super) counts_rows: bool,
}

impl<'a> Window<'a> {
    /// The window of a call, through the names of `known`.
    pub(super) fn of(over: &'a WindowType, known: &'a [NamedWindowDefinition]) -> Self {
        let mut window = Window::default();
        match over {
            WindowType::WindowSpec(spec) => window.add(spec, known, NAMES_MAX),
            WindowType::NamedWindow(name) => window.add_named(name, known, NAMES_MAX),
        }
        window
    }

    fn add(&mut self, spec: &'a WindowSpec, known: &'a [NamedWindowDefinition], left: usize) {
        self.exprs.extend(&spec.partition_by);
        self.exprs.extend(spec.order_by.iter().map(|by| &by.expr));
        self.counts_rows |=
            spec.window_frame.as_ref().is_some_and(|frame| frame.units == WindowFrameUnits::Rows);
        if let Some(name) = &spec.window_name {
            self.add_named(name, known, left);
        }
    }

    fn add_named(&mut self, name: &Ident, known: &'a [NamedWindowDefinition], left: usize) {
        let found = known.iter().find(|definition| definition.0.value == name.value);
        match (found, left) {
            (Some(NamedWindowDefinition(_, NamedWindowExpr::WindowSpec(spec))), 1..) => {
                self.add(spec, known, left - 1);
            }
            (Some(NamedWindowDefinition(_, NamedWindowExpr::NamedWindow(name))), 1..) => {
                self.add_named(name, known, left - 1);
            }
            // Not seen: nothing is known of its frame.
            _ => self.counts_rows = true,
        }
    }
}

/// How many names of windows one leads through.
const NAMES_MAX: usize = 16;

/// Whether a call over a window gives equal rows equal values.
pub(super) fn is_peerwise(dialect: Dialect, name: &str, window: &Window) -> bool {
    names::is_rank(name) || names::is_peerwise(dialect, name) && !window.counts_rows
}

/// Whether an aggregate orders its rows by all that it collects: equal rows are then alike.
pub(super) fn is_sorted_by_itself(function: &Function) -> bool {
    let FunctionArguments::List(list) = &function.args else {
        return false;
    };
    let by: Vec<&OrderByExpr> = list
        .clauses
        .iter()
        .filter_map(|clause| match clause {
            FunctionArgumentClause::OrderBy(by) => Some(by),
            _ => None,
        })
        .flatten()
        .collect();
    let is_sorted =
        |expr: &Expr| matches!(expr, Expr::Value(_)) || by.iter().any(|order| order.expr == *expr);
    let arguments = arguments(function);
    !by.is_empty() && arguments.iter().all(|argument| argument.is_some_and(is_sorted))
}
