//! A bound on how deep a query nests, found before it is parsed.
//!
//! # Method
//! The parser stops at a depth of its own, but chains such as `a + a + a` and casts of casts make
//! trees as deep as they are long, and a tree is given back by as many calls. Each token can make
//! the tree one deeper, but for those that a comma or a bracket sets apart.

use samescore_core::error::{Code, Error, Result};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

/// Bytes of the text.
const TEXT_MAX: usize = 1 << 20;
/// Brackets within brackets, and what the parser counts alike.
pub(super) const NESTED_MAX: usize = 48;
/// Calls within calls, and subqueries after a word: the parser tries each in two ways, so that its
/// time doubles with each.
const CALLS_MAX: usize = 16;
/// Tokens of one chain.
const CHAIN_MAX: usize = 4_096;
/// Queries that one UNION, EXCEPT or INTERSECT joins.
const SETS_MAX: usize = 512;

pub(super) fn check_text(text: &str) -> Result<()> {
    if text.len() <= TEXT_MAX {
        return Ok(());
    }
    let message = format!("expected a query of at most {TEXT_MAX} bytes, found {}", text.len());
    Err(Error::new(Code::RefusedQuery, message).remedy("put a long list into a table and join it"))
}

pub(super) fn check(tokens: &[TokenWithSpan]) -> Result<()> {
    // One chain for each open bracket; a comma begins another.
    let mut chains = vec![0_usize];
    // Whether each open bracket follows a word.
    let mut calls: Vec<bool> = Vec::new();
    let (mut n_sets, mut is_word) = (0_usize, false);
    for token in tokens {
        match &token.token {
            Token::Whitespace(_) | Token::EOF => continue,
            Token::LParen | Token::LBracket | Token::LBrace => {
                chains.push(0);
                calls.push(is_word);
            }
            Token::RParen | Token::RBracket | Token::RBrace => {
                // What is unbalanced, the parser says.
                if chains.len() > 1 {
                    chains.pop();
                    calls.pop();
                }
                deepen(&mut chains);
            }
            Token::Comma => chains.last_mut().into_iter().for_each(|chain| *chain = 0),
            Token::Word(word) if is_set(word.keyword) => {
                n_sets += 1;
                deepen(&mut chains);
            }
            _ => deepen(&mut chains),
        }
        is_word = matches!(token.token, Token::Word(_));
        let longest = chains.last().copied().unwrap_or_default();
        let n_calls = calls.iter().filter(|is_call| **is_call).count();
        let is_deep = chains.len() > NESTED_MAX || n_calls > CALLS_MAX;
        if is_deep || longest > CHAIN_MAX || n_sets > SETS_MAX {
            return Err(too_deep());
        }
    }
    Ok(())
}

fn deepen(chains: &mut [usize]) {
    chains.last_mut().into_iter().for_each(|chain| *chain += 1);
}

fn is_set(keyword: Keyword) -> bool {
    matches!(keyword, Keyword::UNION | Keyword::EXCEPT | Keyword::INTERSECT | Keyword::MINUS)
}

pub(super) fn too_deep() -> Error {
    let message = format!(
        "expected a query of at most {NESTED_MAX} nested brackets, {CALLS_MAX} nested calls, \
         chains of {CHAIN_MAX} words and {SETS_MAX} joined queries, found more"
    );
    Error::new(Code::RefusedQuery, message)
        .remedy("use IN (...) or VALUES for a long list, or put it into a table")
}
