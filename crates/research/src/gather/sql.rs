//! Queries that give the same rows on every run, and the reason why another one is refused.
//!
//! # Method
//! The text is read by an SQL parser in the dialect of its database, and the tree is walked: what
//! stands in a literal, a comment or a name is never taken for a construct. One query that reads is
//! accepted (`SELECT`, `WITH`, `VALUES`, `TABLE`); what changes data or locks rows is refused for
//! good. The rest of the table is refused unless `allow` has its name.
//!
//! | name in `allow` | what stands in the query |
//! |---|---|
//! | `limit` | `LIMIT`, `OFFSET`, `FETCH`; `DISTINCT ON` |
//! | `window_order` | a window function that depends on the order of equal rows |
//! | `float_aggregate` | `sum`, `avg`, `stddev`, ... of what need not be an exact number |
//! | `unordered_aggregate` | `array_agg`, `string_agg`, ... not ordered by what they collect |
//! | `volatile` | `random()`, `now()`, functions of the session, the clock or the machine |
//! | `sampling` | `TABLESAMPLE` |
//! | `system_column` | `ctid`, `xmin`, `rowid`, ... : where or when a row was written |
//!
//! # Ties and order
//! An order is total if it names every declared key column as a plain column, in the outermost
//! query: there the key is unique, because gathering refuses other rows. `rank`, `dense_rank`,
//! counts and other aggregates over a `RANGE` or `GROUPS` frame give equal rows equal values and
//! need no total order.
//!
//! # Errors
//! [`Code::RefusedQuery`] with line, column, construct, what to do instead and the name that allows
//! it. What the text cannot show is not found: a view's own query, a column whose text is `now`.

mod exact;
mod names;
mod order;
mod size;
/// A name as SQL writes it, whatever its characters.
pub(crate) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests;
mod walk;

use std::ops::ControlFlow;

use samescore_core::error::{Code, Error, Result};
use sqlparser::ast::{Query, Visit};
use sqlparser::dialect::{Dialect as Grammar, PostgreSqlDialect, SQLiteDialect};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

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

/// What can be allowed although it may give other rows on another run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    Limit,
    WindowOrder,
    FloatAggregate,
    UnorderedAggregate,
    Volatile,
    Sampling,
    SystemColumn,
}

impl Rule {
    const ALL: [Rule; 7] = [
        Rule::Limit,
        Rule::WindowOrder,
        Rule::FloatAggregate,
        Rule::UnorderedAggregate,
        Rule::Volatile,
        Rule::Sampling,
        Rule::SystemColumn,
    ];

    fn name(self) -> &'static str {
        match self {
            Rule::Limit => "limit",
            Rule::WindowOrder => "window_order",
            Rule::FloatAggregate => "float_aggregate",
            Rule::UnorderedAggregate => "unordered_aggregate",
            Rule::Volatile => "volatile",
            Rule::Sampling => "sampling",
            Rule::SystemColumn => "system_column",
        }
    }
}

/// A query that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked<'a> {
    /// The query, without a semicolon at its end.
    pub text: &'a str,
    /// The functions that it calls, as the database knows their names, each once: a server can say
    /// more of them than their names do. None if `allow` has `volatile`.
    pub functions: Vec<String>,
}

/// Accepts a query that gives the same rows on every run over the same tables, for rows whose
/// declared key columns are `key`.
///
/// # Errors
/// The first construct that is not accepted, and a name in `allow` that is none.
pub fn check<'a>(
    dialect: Dialect,
    text: &'a str,
    allow: &[String],
    key: &[String],
) -> Result<Checked<'a>> {
    let allowed = allow.iter().map(|name| rule(name)).collect::<Result<Vec<Rule>>>()?;
    size::check_text(text)?;
    let mut tokens = Tokenizer::new(dialect.grammar(), text)
        .tokenize_with_location()
        .map_err(|error| unreadable(&error.to_string()))?;
    size::check(&tokens)?;
    let (end, n_statements) = statements(&tokens);
    if n_statements != 1 {
        let message = format!("expected one query, found {n_statements} statements");
        return Err(Error::new(Code::RefusedQuery, message).remedy("give one SELECT"));
    }
    let text = end.map_or(text, |end| &text[..offset(text, tokens[end].span.start)]);
    tokens.truncate(end.unwrap_or(tokens.len()));
    if !tokens.iter().find_map(begins_query).unwrap_or_default() {
        let message = "expected a query that reads rows, found another statement";
        return Err(Error::new(Code::RefusedQuery, message)
            .remedy("gather with SELECT, WITH, VALUES or TABLE; this cannot be allowed"));
    }
    let query = parse(dialect, tokens)?;
    let mut walk = walk::Walk::new(dialect, &allowed, key);
    match query.visit(&mut walk) {
        ControlFlow::Break(error) => Err(*error),
        ControlFlow::Continue(()) => Ok(Checked { text, functions: walk.functions() }),
    }
}

fn rule(name: &str) -> Result<Rule> {
    Rule::ALL.into_iter().find(|rule| rule.name() == name).ok_or_else(|| {
        let known = Rule::ALL.map(|rule| format!("`{}`", rule.name())).join(", ");
        Error::new(Code::BadParameter, format!("expected one of {known}, found `{name}`"))
            .remedy("correct `allow` under [source]")
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
        ParserError::TokenizerError(found) | ParserError::ParserError(found) => unreadable(&found),
    })
}

/// Whether a query begins with a token that is no blank.
fn begins_query(token: &TokenWithSpan) -> Option<bool> {
    match &token.token {
        Token::Whitespace(_) | Token::SemiColon => None,
        Token::LParen => Some(true),
        Token::Word(word) => Some(matches!(
            word.keyword,
            Keyword::SELECT | Keyword::WITH | Keyword::VALUES | Keyword::TABLE
        )),
        _ => Some(false),
    }
}

/// The semicolon that ends the first statement, and how many statements there are.
fn statements(tokens: &[TokenWithSpan]) -> (Option<usize>, usize) {
    let (mut end, mut n_statements, mut is_inside) = (None, 0, false);
    for (place, token) in tokens.iter().enumerate() {
        match &token.token {
            Token::Whitespace(_) | Token::EOF => (),
            Token::SemiColon => {
                if is_inside && n_statements == 1 {
                    end = Some(place);
                }
                is_inside = false;
            }
            _ if is_inside => (),
            _ => {
                n_statements += 1;
                is_inside = true;
            }
        }
    }
    (end, n_statements)
}

/// The place of a location in bytes.
fn offset(text: &str, place: Location) -> usize {
    let line = usize::try_from(place.line.saturating_sub(1)).unwrap_or(usize::MAX);
    let column = usize::try_from(place.column.saturating_sub(1)).unwrap_or(usize::MAX);
    let start = text.split_inclusive('\n').take(line).map(str::len).sum::<usize>();
    let rest = &text[start..];
    start + rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at)
}

fn unreadable(found: &str) -> Error {
    let found = found.trim_start_matches("sql parser error: ");
    Error::new(Code::RefusedQuery, format!("expected readable SQL, found: {found}"))
        .remedy("correct the query, or make it a view and gather `?table=`")
}
