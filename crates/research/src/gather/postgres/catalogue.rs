//! What a server's catalogue says of a query, asked in the transaction that reads its rows.
//!
//! # Method
//! To prepare a query the server locks every relation that it reads, through all views, until the
//! transaction ends: so the locks name the views. Their definitions are judged like queries.
//! Functions and operators are looked up by name where the query would find them. A text such as
//! `'today'` is replaced by a parameter, whose type the server infers as it would the text's.

use samescore_core::error::Result;
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{Kind, ToSql, Type};

use super::super::sql::{self, Allowed, Called, Checked, Dialect, Rule};
use super::session::Session;

/// Views that the transaction has locked, by their names.
const VIEWS: &str = "SELECT n.nspname || '.' || c.relname, pg_catalog.pg_get_viewdef(c.oid)
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'v' AND c.oid IN (SELECT l.relation FROM pg_catalog.pg_lock_status() l
        WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation')
    ORDER BY 1";

/// Functions that the server says more of than their names do.
const FUNCTIONS: &str = "SELECT p.proname::text, p.provolatile::text, p.prokind::text,
        EXISTS (SELECT FROM pg_catalog.unnest(p.proargtypes::oid[]) AS a (type)
            JOIN pg_catalog.pg_type t ON t.oid = a.type
            WHERE a.type IN (700, 701, 1021, 1022) OR t.typtype IN ('p', 'd', 'c'))
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    WHERE p.prokind <> 'p' AND (p.provolatile = 'v' OR n.nspname <> 'pg_catalog'
            AND (p.provolatile <> 'i' OR p.prokind = 'a'))
        AND EXISTS (SELECT FROM ROWS FROM (pg_catalog.unnest($1::text[]),
                pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::bool[]))
                AS c (called, schema, is_field)
            WHERE c.called = p.proname::text
                AND (c.schema = n.nspname::text
                    OR c.schema = '' AND pg_catalog.pg_function_is_visible(p.oid))
                AND (NOT c.is_field OR p.pronargs = 1 AND EXISTS (
                    SELECT FROM pg_catalog.pg_type t
                    WHERE t.oid = p.proargtypes[0] AND t.typtype IN ('c', 'p'))))
    ORDER BY p.provolatile = 'v' DESC, 1, 4 DESC";

/// Operators of one's own, by the names that are used.
const OPERATORS: &str = "SELECT o.oprname::text, p.provolatile::text
    FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_proc p ON p.oid = o.oprcode
    WHERE o.oprname::text = ANY ($1) AND o.oprnamespace <> 'pg_catalog'::regnamespace
        AND (p.provolatile = 'v' OR p.provolatile = 's' AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_operator b WHERE b.oprname = o.oprname
                AND b.oprnamespace = 'pg_catalog'::regnamespace))
    ORDER BY 2 DESC, 1";

/// Operators that stand in a query without being written.
const UNWRITTEN: [&str; 10] = ["=", "<>", "<", ">", "<=", ">=", "~~", "!~~", "~~*", "!~~*"];

/// Refuses a query for what the server knows of it. It has been prepared.
///
/// # Errors
/// What is found and not allowed, and what the server says.
pub(super) fn check(
    session: &Session,
    checked: &Checked<'_>,
    allowed: &Allowed,
    columns: &[(String, Type)],
) -> Result<()> {
    let asked = Asked { session, allowed };
    asked.callees("query", checked)?;
    for row in asked.rows(VIEWS, &[])? {
        let (name, text): (String, String) = (asked.get(&row, 0)?, asked.get(&row, 1)?);
        let label = format!("view `{name}`");
        asked.callees(&label, &sql::check_view(Dialect::Postgres, &label, &text, allowed)?)?;
    }
    for (begin, end, place) in &checked.words {
        let text = checked.text;
        let asking = format!("{}$1{}", &text[..*begin], &text[*end..]);
        if asked.is_time(&asking)? {
            let found = format!("`{}` as a time", &text[*begin..*end]);
            allowed.refuse(Rule::Volatile, place, &found, "write the value into the query")?;
        }
    }
    for (rule, terms) in &checked.orders {
        asked.order(*rule, terms, checked.uncut, columns)?;
    }
    Ok(())
}

struct Asked<'a> {
    session: &'a Session,
    allowed: &'a Allowed,
}

impl Asked<'_> {
    fn rows(&self, text: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>> {
        self.session.query(text, values)
    }

    fn get<'r, T: tokio_postgres::types::FromSql<'r>>(&self, row: &'r Row, at: usize) -> Result<T> {
        row.try_get(at).map_err(|error| self.session.failed(&error))
    }

    /// Functions, aggregates and operators that are not the server's own.
    fn callees(&self, label: &str, checked: &Checked<'_>) -> Result<()> {
        let called = &checked.functions;
        let part = |of: &dyn Fn(&Called) -> String| called.iter().map(of).collect::<Vec<String>>();
        let names = part(&|called| called.name.clone());
        let schemas = part(&|called| called.schema.clone().unwrap_or_default());
        let are_fields: Vec<bool> = called.iter().map(|called| called.is_field).collect();
        for row in self.rows(FUNCTIONS, &[&names, &schemas, &are_fields])? {
            let name: String = self.get(&row, 0)?;
            let (volatility, kind): (String, String) = (self.get(&row, 1)?, self.get(&row, 2)?);
            self.function(label, &name, &volatility, &kind, self.get(&row, 3)?)?;
        }
        let mut operators = checked.operators.clone();
        operators.extend(UNWRITTEN.map(str::to_owned));
        for row in self.rows(OPERATORS, &[&operators])? {
            let (name, volatility): (String, String) = (self.get(&row, 0)?, self.get(&row, 1)?);
            let rule = if volatility == "v" { Rule::Volatile } else { Rule::Function };
            let found = format!("the operator `{name}`, whose function is not IMMUTABLE");
            self.allowed.refuse(rule, label, &found, DECLARE)?;
        }
        Ok(())
    }

    fn function(
        &self,
        label: &str,
        name: &str,
        volatility: &str,
        kind: &str,
        has_floats: bool,
    ) -> Result<()> {
        let refuse =
            |rule, found: String, instead| self.allowed.refuse(rule, label, &found, instead);
        match (kind, volatility) {
            (_, "v") => {
                let found = format!("`{name}()`, which the server declares volatile");
                refuse(Rule::Volatile, found, DECLARE)
            }
            ("a", _) if has_floats => {
                let found = format!("the aggregate `{name}` of one's own, of what may be floats");
                let instead = "gather the rows: [aggregate] of the config sums exactly";
                refuse(Rule::FloatAggregate, found, instead)
            }
            ("a", _) => {
                let found =
                    format!("the aggregate `{name}` of one's own, in the order of the rows");
                let instead = "use the server's own aggregates, or [aggregate] of the config";
                refuse(Rule::UnorderedAggregate, found, instead)
            }
            _ => {
                let found =
                    format!("`{name}()`, which is not declared IMMUTABLE and may read tables");
                refuse(Rule::Function, found, DECLARE)
            }
        }
    }

    /// Whether the server takes the parameter of a query for a time, or for what may hold one.
    fn is_time(&self, text: &str) -> Result<bool> {
        self.session.run("SAVEPOINT asked")?;
        let found = match self.session.parameters(text) {
            Ok(found) => found.first().is_none_or(may_be_time),
            // It goes as it is to a function that takes anything.
            Err(error) if error.code() == Some(&SqlState::INDETERMINATE_DATATYPE) => false,
            // Where no parameter can stand, nobody knows.
            Err(error) if error.as_db_error().is_some() => true,
            Err(error) => return Err(self.session.failed(&error)),
        };
        self.session.run("ROLLBACK TO asked")?;
        Ok(found)
    }

    /// Refuses an order by terms that have ties, or that other machines order otherwise.
    fn order(
        &self,
        rule: Rule,
        terms: &[String],
        text: &str,
        columns: &[(String, Type)],
    ) -> Result<()> {
        let known = |term: &&String| {
            columns
                .iter()
                .any(|(name, found)| term.starts_with(&sql::identifier(name)) && is_text(found))
        };
        for term in terms.iter().filter(known) {
            let asking = format!(
                "SELECT pg_catalog.pg_collation_for({term}), (SELECT datcollate::text
                    FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
                 FROM (SELECT) one LEFT JOIN ({text}\n) uncut ON true LIMIT 1"
            );
            let rows = self.rows(&asking, &[])?;
            let Some(row) = rows.first() else { continue };
            let (named, usual): (Option<String>, String) = (self.get(row, 0)?, self.get(row, 1)?);
            let named = named.unwrap_or_default();
            let named = named.trim_matches('"').trim_start_matches("pg_catalog.").trim_matches('"');
            let used = if named == "default" { &usual } else { named };
            if !is_binary(used) {
                let found = format!("an order of texts by the locale `{used}`, term {term}");
                let instead = "write COLLATE \"C\" behind the column in that order";
                self.allowed.refuse(rule, "query", &found, instead)?;
            }
        }
        let asking = format!(
            "SELECT EXISTS (SELECT FROM ({text}\n) uncut GROUP BY {} HAVING count(*) > 1)",
            terms.join(", ")
        );
        let rows = self.rows(&asking, &[])?;
        let has_ties = rows.first().map(|row| self.get::<bool>(row, 0)).transpose()?;
        match has_ties {
            Some(false) => Ok(()),
            _ => sql::refuse_ties(self.allowed, rule, terms),
        }
    }
}

const DECLARE: &str = "declare the function IMMUTABLE if it is, or write its query out";

fn is_binary(collation: &str) -> bool {
    matches!(collation, "C" | "POSIX" | "ucs_basic" | "C.UTF-8" | "C.utf8")
}

fn is_text(found: &Type) -> bool {
    match found.kind() {
        Kind::Domain(inner) => is_text(inner),
        _ => matches!(*found, Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME),
    }
}

fn may_be_time(found: &Type) -> bool {
    match found.kind() {
        Kind::Domain(inner) | Kind::Array(inner) | Kind::Range(inner) | Kind::Multirange(inner) => {
            may_be_time(inner)
        }
        Kind::Composite(_) | Kind::Pseudo => true,
        Kind::Simple => [Type::DATE, Type::TIME, Type::TIMETZ, Type::TIMESTAMP, Type::TIMESTAMPTZ]
            .contains(found),
        _ => false,
    }
}
