//! The text of a query as tokens: where it begins and ends, and what the parser would misread.

use samescore_core::error::{Code, Error, Result};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

use super::Dialect;

pub(super) fn of(dialect: Dialect, text: &str) -> Result<Vec<TokenWithSpan>> {
    let tokens = Tokenizer::new(dialect.grammar(), text).tokenize_with_location();
    tokens.map_err(|error| unreadable(&error.to_string()))
}

/// Whether a query begins with a token that is no blank.
pub(super) fn begins_query(token: &TokenWithSpan) -> Option<bool> {
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
pub(super) fn statements(tokens: &[TokenWithSpan]) -> (Option<usize>, usize) {
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

/// Refuses names and texts that the parser and PostgreSQL read in two ways: `U&"r\0061ndom"` is a
/// name there, and two texts on two lines are one.
pub(super) fn check_spelling(dialect: Dialect, tokens: &[TokenWithSpan]) -> Result<()> {
    if dialect != Dialect::Postgres {
        return Ok(());
    }
    for window in tokens.windows(3) {
        let [first, and, quoted] = [&window[0].token, &window[1].token, &window[2].token];
        let is_escaped = matches!(first, Token::Word(word)
                if word.quote_style.is_none() && word.value.eq_ignore_ascii_case("u"))
            && *and == Token::Ampersand
            && matches!(quoted, Token::Word(word) if word.quote_style.is_some());
        if is_escaped {
            return Err(misread("a name with Unicode escapes", window[0].span.start)
                .remedy("write the letters of the name themselves"));
        }
    }
    let mut is_text = false;
    for token in tokens {
        let is_next = match &token.token {
            Token::Whitespace(_) => continue,
            Token::Word(word) if word.quote_style.is_none() => {
                if word.value.eq_ignore_ascii_case("uescape") {
                    return Err(misread("UESCAPE", token.span.start)
                        .remedy("write the letters of the text themselves"));
                }
                false
            }
            found => is_literal(found),
        };
        if is_text && is_next {
            return Err(misread("two texts beside each other", token.span.start)
                .remedy("write them as one text"));
        }
        is_text = is_next;
    }
    Ok(())
}

fn misread(found: &str, place: Location) -> Error {
    let message = format!(
        "query, line {}, column {}: expected names and texts as they are, found {found}",
        place.line, place.column
    );
    Error::new(Code::RefusedQuery, message)
}

fn is_literal(token: &Token) -> bool {
    matches!(
        token,
        Token::SingleQuotedString(_)
            | Token::EscapedStringLiteral(_)
            | Token::UnicodeStringLiteral(_)
            | Token::NationalStringLiteral(_)
    )
}

/// The tokens with `TABLE t` as what it means, `SELECT * FROM t`: the parser takes `LIMIT 3` behind
/// it for a part of the name.
pub(super) fn with_tables_spelt_out(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut spelt: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    let mut begins = true;
    for token in tokens {
        if matches!(token.token, Token::Whitespace(_)) {
            spelt.push(token);
            continue;
        }
        let word = match &token.token {
            Token::Word(word) if word.quote_style.is_none() => word.keyword,
            _ => Keyword::NoKeyword,
        };
        if begins && word == Keyword::TABLE {
            for part in [Token::make_keyword("SELECT"), Token::Mul, Token::make_keyword("FROM")] {
                spelt.push(TokenWithSpan { token: part, span: token.span });
            }
            begins = false;
            continue;
        }
        begins = matches!(token.token, Token::LParen | Token::RParen)
            || matches!(
                word,
                Keyword::UNION
                    | Keyword::EXCEPT
                    | Keyword::INTERSECT
                    | Keyword::ALL
                    | Keyword::DISTINCT
            );
        spelt.push(token);
    }
    spelt
}

/// Where a clause that cuts may begin, outside of all brackets.
pub(super) fn cuts(tokens: &[TokenWithSpan]) -> Vec<usize> {
    let mut depth = 0_usize;
    let mut places = Vec::new();
    for (place, token) in tokens.iter().enumerate() {
        match &token.token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            Token::Word(word)
                if depth == 0
                    && matches!(
                        word.keyword,
                        Keyword::LIMIT | Keyword::OFFSET | Keyword::FETCH
                    ) =>
            {
                places.push(place);
            }
            _ => (),
        }
    }
    places
}

/// The place of a location in bytes.
pub(super) fn offset(text: &str, place: Location) -> usize {
    let line = usize::try_from(place.line.saturating_sub(1)).unwrap_or(usize::MAX);
    let column = usize::try_from(place.column.saturating_sub(1)).unwrap_or(usize::MAX);
    let start = text.split_inclusive('\n').take(line).map(str::len).sum::<usize>();
    let rest = &text[start..];
    start + rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at)
}

pub(super) fn unreadable(found: &str) -> Error {
    let found = found.trim_start_matches("sql parser error: ");
    Error::new(Code::RefusedQuery, format!("expected readable SQL, found: {found}")).remedy(
        "write it in plainer SQL; or store its rows, as a table or a materialised view, and \
         gather `?table=`; or gather a view of it, with `allow = [\"view\"]`",
    )
}
