//! Queries that give the same rows on every run, and the reason why another one is refused.
//!
//! # Method
//! The text is read by an SQL parser in the dialect of its database, and the tree is walked: what
//! stands in a literal, a comment or a name is never taken for a construct. One query that reads is
//! accepted (`SELECT`, `WITH`, `VALUES`, `TABLE`); what changes data or locks rows is refused for
//! good. The rest of the table is refused unless `allow` has its name. What the text cannot show is
//! handed on in [`Checked`], for the database to be asked in the transaction that reads the rows:
//! the queries of views, which are judged like one's own; functions and operators; whether the
//! rows that are ordered by the key have it once; what a text such as `'today'` is taken for.
//!
//! | name in `allow` | what stands in the query |
//! |---|---|
//! | `limit` | `LIMIT`, `OFFSET`, `FETCH`; `DISTINCT ON` |
//! | `window_order` | a window function that depends on the order of equal rows |
//! | `float_aggregate` | `sum`, `avg`, `stddev`, ... of what need not be an exact number |
//! | `unordered_aggregate` | `array_agg`, ... not ordered by what they collect; one's own |
//! | `bare_column` | SQLite: a column of a group that is neither grouped nor in an aggregate |
//! | `collation` | SQLite: groups, DISTINCT, `min` of texts under NOCASE or RTRIM |
//! | `volatile` | `random()`, `now()`, functions of the session, the clock or the machine |
//! | `function` | PostgreSQL: a function of one's own that is not declared IMMUTABLE |
//! | `view` | a view whose own query the parser cannot read |
//! | `sampling` | `TABLESAMPLE` |
//! | `system_column` | `ctid`, `xmin`, `rowid`, ... : where or when a row was written |
//!
//! # Ties and order
//! An order is total if it has every declared key column, as it comes out of the outermost query,
//! and the rows before LIMIT have the key once: the database counts them, under the equality of the
//! order itself (so `a` and `A` are one under NOCASE). Texts are ordered byte by byte or not at
//! all: PostgreSQL's locales differ between machines. `rank`, `dense_rank`, counts and other
//! aggregates over a `RANGE` or `GROUPS` frame give equal rows equal values and need no total
//! order.
//!
//! # Errors
//! [`Code::RefusedQuery`] with line, column, construct, what to do instead and the name that allows
//! it. What is not found: a column whose text is `now` and is cast to a time; a function that is
//! declared IMMUTABLE and is not; a cast, a type, a row-security policy or a foreign table of one's
//! own that gives other values each time; in PostgreSQL, which of several equal values that look
//! different stands for a group (1.0 and 1.00, or texts under a nondeterministic collation).

mod calls;
mod clock;
mod collated;
mod cut;
mod exact;
mod grouped;
mod known;
mod names;
mod order;
mod rule;
mod size;
#[cfg(test)]
mod tests;
mod tokens;
mod walk;

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use samescore_core::error::{Code, Error, Result};
use sqlparser::ast::{LimitClause, OrderByKind, Query, Visit};
use sqlparser::dialect::{Dialect as Grammar, PostgreSqlDialect, SQLiteDialect};
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Span, Token, TokenWithSpan};

pub use known::Known;
pub use rule::{Allowed, Rule};

/// Whose SQL it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// PostgreSQL.
    Postgres,
    /// SQLite.
    Sqlite,
}

impl Dialect {
    fn grammar(self) -> &'static dyn Grammar {
        match self {
            Dialect::Postgres => &PostgreSqlDialect {},
            Dialect::Sqlite => &SQLiteDialect {},
        }
    }
}

/// A name as SQL writes it, whatever its characters.
pub(crate) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A function by the name that it is called by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Called {
    /// The schema before its name.
    pub schema: Option<String>,
    /// Its name, as the database knows it.
    pub name: String,
    /// It stands behind a point, where a column is likelier.
    pub is_field: bool,
}

/// What a walk comes upon and cannot judge by itself.
#[derive(Debug, Default)]
struct Found {
    functions: Vec<Called>,
    operators: Vec<String>,
    /// Tables, views and names of WITH, without their schemas.
    relations: Vec<String>,
    /// Texts with a word of the clock.
    words: Vec<Span>,
    /// Texts behind the name of a type.
    typed: Vec<Span>,
    /// Orders by the key, as terms over the rows that come out.
    orders: Vec<(Rule, Vec<String>)>,
    /// SQLite's names of row numbers, and where they stand.
    system: Vec<(String, String)>,
    notes: collated::Notes,
    /// It reads rows out of JSON, with their types.
    makes_records: bool,
}

/// A query that was looked at, and what the database must say of it.
#[derive(Debug)]
pub struct Checked<'a> {
    /// The query, without a semicolon at its end.
    pub text: &'a str,
    /// The functions that it calls, each once.
    pub functions: Vec<Called>,
    /// The operators that it uses, each once.
    pub operators: Vec<String>,
    /// The query without its LIMIT, and the orders that must have no ties in it.
    pub orders: Vec<(Rule, Vec<String>)>,
    /// The text before its LIMIT.
    pub uncut: &'a str,
    /// Where a text with a word of the clock begins and ends, and what is said of it.
    pub words: Vec<(usize, usize, String)>,
}

/// Looks at a query whose rows have these declared key columns.
///
/// # Errors
/// The first construct that is not accepted.
pub fn check<'a>(
    dialect: Dialect,
    text: &'a str,
    allowed: &Allowed,
    key: &[String],
    known: &Known,
) -> Result<Checked<'a>> {
    size::check_text(text)?;
    let mut found = tokens::of(dialect, text)?;
    size::check(&found)?;
    let (end, n_statements) = tokens::statements(&found);
    if n_statements != 1 {
        let message = format!("expected one query, found {n_statements} statements");
        return Err(Error::new(Code::RefusedQuery, message).remedy("give one SELECT"));
    }
    let text = end.map_or(text, |end| &text[..tokens::offset(text, found[end].span.start)]);
    found.truncate(end.unwrap_or(found.len()));
    if !found.iter().find_map(tokens::begins_query).unwrap_or_default() {
        let message = "expected a query that reads rows, found another statement";
        return Err(Error::new(Code::RefusedQuery, message)
            .remedy("gather with SELECT, WITH, VALUES or TABLE; this cannot be allowed"));
    }
    let tokens = prepared(dialect, found)?;
    let query = parse(dialect, tokens.clone())?;
    let walk = walk::Walk::new(dialect, allowed, key, known).outermost(&query);
    let found = views(dialect, allowed, known, walked(&query, walk)?)?;
    settle(allowed, known, &found)?;
    let uncut = match found.orders.is_empty() {
        true => text,
        false => uncut(dialect, text, &tokens, &query)?,
    };
    Ok(checked(text, uncut, allowed, found))
}

/// Looks at the query of a view; `label` says which.
///
/// # Errors
/// The first construct that is not accepted.
pub fn check_view<'a>(
    dialect: Dialect,
    label: &str,
    text: &'a str,
    allowed: &Allowed,
) -> Result<Checked<'a>> {
    let text = text.trim().trim_end_matches(';');
    let Some(query) = readable(dialect, label, text, allowed)? else {
        return Ok(checked(text, text, allowed, Found::default()));
    };
    let known = Known::default();
    let walk = walk::Walk::new(dialect, allowed, &[], &known);
    Ok(checked(text, text, allowed, walked(&query, walk.of_view(label, Found::default()))?))
}

/// The query of a view; `None` if it cannot be read and that is allowed.
fn readable(
    dialect: Dialect,
    label: &str,
    text: &str,
    allowed: &Allowed,
) -> Result<Option<Box<Query>>> {
    let parsed = size::check_text(text).and_then(|()| {
        let found = tokens::of(dialect, text)?;
        size::check(&found)?;
        parse(dialect, prepared(dialect, found)?)
    });
    match parsed {
        Ok(query) => Ok(Some(query)),
        Err(error) => {
            let found = format!("a query that cannot be looked at: {}", error.message());
            let instead =
                "write the view in plainer SQL, or make it a table or a materialised view";
            allowed.refuse(Rule::View, label, &found, instead).map(|()| None)
        }
    }
}

fn walked(query: &Query, mut walk: walk::Walk<'_>) -> Result<Found> {
    match query.visit(&mut walk) {
        ControlFlow::Break(error) => Err(*error),
        ControlFlow::Continue(()) => Ok(walk.found),
    }
}

/// Walks over the views that are read, and those that they read.
fn views(dialect: Dialect, allowed: &Allowed, known: &Known, mut found: Found) -> Result<Found> {
    let (mut seen, mut next) = (BTreeSet::new(), 0);
    while let Some(name) = found.relations.get(next).cloned() {
        next += 1;
        let Some(statement) = known.views.get(&name).filter(|_| seen.insert(name.clone())) else {
            continue;
        };
        let label = format!("view `{name}`");
        let Some(text) = known::view_query(statement) else {
            let instead = "make it a table";
            allowed.refuse(Rule::View, &label, "a query that cannot be looked at", instead)?;
            continue;
        };
        if let Some(query) = readable(dialect, &label, text, allowed)? {
            let walk = walk::Walk::new(dialect, allowed, &[], known);
            found = walked(&query, walk.of_view(&label, found))?;
        }
    }
    Ok(found)
}

/// What the tables say of row numbers and collations.
fn settle(allowed: &Allowed, known: &Known, found: &Found) -> Result<()> {
    let tables = || found.relations.iter();
    for (place, name) in &found.system {
        let declares =
            |table: &String| known.columns.get(table).is_some_and(|found| found.contains(name));
        if found.relations.is_empty() || !tables().all(declares) {
            let found = format!("the system column `{name}`");
            let instead = "name the columns of the table itself, also the INTEGER PRIMARY KEY";
            allowed.refuse(Rule::SystemColumn, place, &found, instead)?;
        }
    }
    if let (true, Some(span)) = (found.makes_records, found.words.first()) {
        let place = format!("query, line {}, column {}", span.start.line, span.start.column);
        let found = "a word of the clock in JSON that is read with its types";
        allowed.refuse(Rule::Volatile, &place, found, "write the value into the query")?;
    }
    let collated = tables().filter_map(|table| known.collated.get(table)).flatten().cloned();
    if let Some(merged) = found.notes.first(&collated.collect()) {
        let found = format!("{}, whose equal texts can differ", merged.what);
        let instead = "put COLLATE BINARY behind the column there, or upper() around it";
        allowed.refuse(Rule::Collation, &merged.place, &found, instead)?;
    }
    Ok(())
}

/// Refuses an order by the key that does not decide between all rows.
///
/// # Errors
/// Unless it is allowed.
pub fn refuse_ties(allowed: &Allowed, rule: Rule, terms: &[String]) -> Result<()> {
    let by = terms.join(", ");
    let what = if rule == Rule::Limit { "a LIMIT by" } else { "a window by" };
    let found = format!("{what} {by}, which several of the rows that are ordered have in common");
    let instead = "declare and order by columns that are unique in all rows, in binary order";
    allowed.refuse(rule, "query", &found, instead)
}

fn checked<'a>(text: &'a str, uncut: &'a str, allowed: &Allowed, found: Found) -> Checked<'a> {
    let Found { mut functions, mut operators, mut orders, .. } = found;
    functions.sort();
    functions.dedup();
    operators.sort();
    operators.dedup();
    orders.retain(|(rule, _)| !allowed.has(*rule));
    orders.dedup();
    let words = found.words.iter().filter(|_| !allowed.has(Rule::Volatile)).map(|span| {
        let [begin, end] = [span.start, span.end].map(|place| tokens::offset(text, place));
        let place = format!("query, line {}, column {}", span.start.line, span.start.column);
        (begin, end, place)
    });
    Checked { text, functions, operators, orders, uncut, words: words.collect() }
}

fn prepared(dialect: Dialect, tokens: Vec<TokenWithSpan>) -> Result<Vec<TokenWithSpan>> {
    tokens::check_spelling(dialect, &tokens)?;
    Ok(match dialect {
        Dialect::Postgres => tokens::with_tables_spelt_out(tokens),
        Dialect::Sqlite => tokens,
    })
}

fn parse(dialect: Dialect, tokens: Vec<TokenWithSpan>) -> Result<Box<Query>> {
    let parser = Parser::new(dialect.grammar()).with_recursion_limit(size::NESTED_MAX);
    let mut parser = parser.with_tokens_with_locations(tokens);
    let parsed = parser.parse_query().and_then(|query| match parser.peek_token().token {
        Token::EOF => Ok(query),
        _ => parser.expected("the end of the query", parser.peek_token()),
    });
    parsed.map_err(|error| match error {
        ParserError::RecursionLimitExceeded => size::too_deep(),
        ParserError::TokenizerError(found) | ParserError::ParserError(found) => {
            tokens::unreadable(&found)
        }
    })
}

/// The text before the clause that cuts the rows of the outermost query.
fn uncut<'a>(
    dialect: Dialect,
    text: &'a str,
    tokens: &[TokenWithSpan],
    query: &Query,
) -> Result<&'a str> {
    let is_cut = query.fetch.is_some()
        || query.limit_clause.as_ref().is_some_and(|limit| match limit {
            LimitClause::LimitOffset { limit, offset, .. } => limit.is_some() || offset.is_some(),
            LimitClause::OffsetCommaLimit { .. } => true,
        });
    if !is_cut {
        return Ok(text);
    }
    let n_terms = |query: &Query| match query.order_by.as_ref().map(|order| &order.kind) {
        Some(OrderByKind::Expressions(by)) => Some(by.len()),
        _ => None,
    };
    let is_whole = |&place: &usize| {
        let parsed = parse(dialect, tokens[..place].to_vec());
        parsed.is_ok_and(|found| n_terms(&found) == n_terms(query))
    };
    let place = tokens::cuts(tokens).into_iter().find(is_whole);
    place
        .map(|place| &text[..tokens::offset(text, tokens[place].span.start)])
        .ok_or_else(|| tokens::unreadable("a LIMIT that cannot be told from the rest of the query"))
}
