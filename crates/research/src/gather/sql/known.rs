//! What the catalogue of an SQLite file says, as far as a query depends on it.

use std::collections::{BTreeMap, BTreeSet};

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::{Dialect, tokens};

/// Tables and views by their names in lower case.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The columns of each table, in lower case.
    pub columns: BTreeMap<String, BTreeSet<String>>,
    /// The columns of each table whose texts are not compared byte by byte.
    pub collated: BTreeMap<String, BTreeSet<String>>,
    /// The statement that made each view.
    pub views: BTreeMap<String, String>,
}

impl Known {
    /// Takes in a table, its columns and the statement that made it.
    pub fn add_table(&mut self, name: &str, columns: BTreeSet<String>, statement: &str) {
        let name = name.to_ascii_lowercase();
        let collated = match tokens::of(Dialect::Sqlite, statement) {
            Ok(found) => collated(&found),
            // What cannot be read may compare in any way.
            Err(_) => columns.clone(),
        };
        self.collated.insert(name.clone(), collated);
        self.columns.insert(name, columns);
    }
}

/// The columns of a CREATE TABLE with a collation other than BINARY.
fn collated(found: &[TokenWithSpan]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let (mut depth, mut column, mut is_collation) = (0_usize, None, false);
    for token in found {
        let word = match &token.token {
            Token::Whitespace(_) => continue,
            Token::LParen => {
                depth += 1;
                continue;
            }
            Token::RParen => {
                depth = depth.saturating_sub(1);
                continue;
            }
            Token::Comma if depth == 1 => {
                column = None;
                continue;
            }
            Token::Word(word) => word.value.to_ascii_lowercase(),
            Token::SingleQuotedString(text) => text.to_ascii_lowercase(),
            _ => continue,
        };
        if depth != 1 {
            continue;
        }
        if is_collation && word != "binary" {
            names.extend(column.clone());
        }
        is_collation =
            matches!(&token.token, Token::Word(word) if word.keyword == Keyword::COLLATE);
        column.get_or_insert(word);
    }
    names
}

/// The query of a CREATE VIEW.
pub(super) fn view_query(statement: &str) -> Option<&str> {
    let found = tokens::of(Dialect::Sqlite, statement).ok()?;
    let mut depth = 0_usize;
    let place = found.iter().find(|token| {
        match &token.token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            _ => (),
        }
        depth == 0
            && matches!(&token.token, Token::Word(word)
                if word.quote_style.is_none() && word.keyword == Keyword::AS)
    })?;
    Some(&statement[tokens::offset(statement, place.span.end)..])
}
