//! Calls of functions: draws, clocks, sums, collections and windows.

use sqlparser::ast::{Function, FunctionArguments, NamedWindowDefinition, ObjectName, Spanned};

use super::order::{Window, folded, is_peerwise, is_sorted_by_itself};
use super::walk::{Flow, GO_ON, VOLATILE_INSTEAD, Walk};
use super::{Called, Dialect, Rule, clock, cut, exact, identifier, names};

const WINDOW_INSTEAD: &str =
    "order by all declared key columns in the outermost query, as they stand there, or use rank";
const COLLECT_INSTEAD: &str = "give it an ORDER BY with the very expressions that it collects";
const SYSTEM_INSTEAD: &str = "name the columns of the table itself";

impl Walk<'_> {
    pub(super) fn call(&mut self, function: &Function) -> Flow {
        let span = function.name.span();
        let Some(name) = self.called(&function.name) else {
            return GO_ON;
        };
        let shown = function.name.to_string();
        let arguments = exact::arguments(function);
        let is_postgres = self.dialect == Dialect::Postgres;
        if is_postgres
            && arguments.len() == 1
            && name != "oid"
            && names::is_system_column(self.dialect, &name)
        {
            let found = format!("the system column `{name}`");
            self.refuse(span, Rule::SystemColumn, &found, SYSTEM_INSTEAD)?;
        }
        let is_clock = names::is_volatile(self.dialect, &name)
            || is_postgres && name == "age" && arguments.len() == 1
            || clock::reads_clock(self.dialect, &name, function);
        if is_clock {
            let shown = match function.args {
                FunctionArguments::None => shown.clone(),
                _ => format!("{shown}()"),
            };
            self.refuse(span, Rule::Volatile, &format!("`{shown}`"), self.clock_instead())?;
        }
        let is_summing = names::is_float_sum(self.dialect, &name)
            || names::is_sum(self.dialect, &name) && !self.is_exact(function);
        if is_summing {
            let found = format!("`{shown}` of what may be floats");
            self.refuse(span, Rule::FloatAggregate, &found, self.sum_instead())?;
        }
        let is_choosing = matches!(name.as_str(), "min" | "max") && arguments.len() == 1;
        if !is_postgres && (is_choosing || names::is_collecting(&name)) {
            let merged = arguments.iter().flatten();
            merged.for_each(|expr| self.found.notes.merge(expr, &format!("`{shown}`")));
        }
        self.order(function, &name)
    }

    /// What depends on the order of the rows.
    fn order(&mut self, function: &Function, name: &str) -> Flow {
        let (span, shown) = (function.name.span(), &function.name);
        let Some(over) = &function.over else {
            if names::is_collecting(name) && !is_sorted_by_itself(function) {
                let found = format!("`{shown}` in the order in which rows come");
                self.refuse(span, Rule::UnorderedAggregate, &found, COLLECT_INSTEAD)?;
            }
            return GO_ON;
        };
        let known: Vec<NamedWindowDefinition> =
            self.windows.iter().rev().flatten().cloned().collect();
        let window = Window::of(over, &known);
        if is_peerwise(self.dialect, name, &window) {
            return GO_ON;
        }
        let is_total = self.depth == 1
            && self.outermost.is_some_and(|select| {
                cut::is_windowed(self.dialect, select, self.key, &window.exprs)
            });
        if !is_total {
            let found = format!("`{shown}` over a window whose order can have ties");
            return self.refuse(span, Rule::WindowOrder, &found, WINDOW_INSTEAD);
        }
        let terms = self.key.iter().map(|name| identifier(name)).collect();
        self.found.orders.push((Rule::WindowOrder, terms));
        GO_ON
    }

    /// The name under which a function is known, noted for the server; `None` if it is in a schema
    /// of the user's.
    pub(super) fn called(&mut self, name: &ObjectName) -> Option<String> {
        let parts: Vec<String> = name
            .0
            .iter()
            .filter_map(|part| part.as_ident())
            .map(|ident| folded(self.dialect, ident))
            .collect();
        let (last, before) = parts.split_last()?;
        let schema = before.last().cloned();
        self.found.makes_records |=
            last.contains("_to_record") || last.contains("_populate_record");
        let is_built_in = schema.as_ref().is_none_or(|schema| schema == "pg_catalog");
        self.found.functions.push(Called { schema, name: last.clone(), is_field: false });
        is_built_in.then(|| last.clone())
    }

    fn is_exact(&self, function: &Function) -> bool {
        let arguments = exact::arguments(function);
        !arguments.is_empty()
            && arguments
                .iter()
                .all(|argument| argument.is_some_and(|expr| exact::is_exact(self.dialect, expr)))
    }

    fn clock_instead(&self) -> &'static str {
        match self.dialect {
            Dialect::Postgres => VOLATILE_INSTEAD,
            Dialect::Sqlite => {
                "write the value into the query, and give functions of dates columns or texts as \
                 they are"
            }
        }
    }

    fn sum_instead(&self) -> &'static str {
        match self.dialect {
            Dialect::Postgres => {
                "cast the argument to integer or numeric, or gather the rows: [aggregate] of the \
                 config sums exactly"
            }
            Dialect::Sqlite => {
                "cast the argument to integer, or gather the rows: [aggregate] of the config \
                 sums exactly"
            }
        }
    }
}
