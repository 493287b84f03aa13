//! Text to numbers and back: one function for research and deploy.
//!
//! Numbers are read correctly rounded and written as the shortest decimal that reads back to the
//! same bits; no locale is consulted.

use std::fmt::Write;

use crate::error::{Code, Error, Result};
use crate::math;

/// The largest integer that f64 holds together with all below it.
const EXACT_INTEGER_MAX: u64 = 1 << 53;

/// Reads a decimal number, correctly rounded. `inf` and `-inf` are numbers; `nan` is not.
///
/// # Errors
/// If the text is no number, is an integer beyond 2^53, which f64 could not hold exactly, or is
/// larger than any f64.
pub fn parse_num(text: &str) -> Result<f64> {
    read_num(text).ok_or_else(|| {
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
            return beyond_exact(digits);
        }
        let is_decimal = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
        if is_decimal && text.parse::<f64>().is_ok_and(f64::is_infinite) {
            let shown = shorten(text);
            let message = format!("expected number up to 1.8e308, found {shown}");
            return Error::new(Code::BadValue, message)
                .remedy("declare it as text, or declare this text as a missing marker");
        }
        Error::new(Code::WrongKind, format!("expected number, found text {}", shorten(text)))
            .remedy("declare it as text, or declare this text as a missing marker")
    })
}

/// What [`parse_num`] gives, `None` where it refuses: without making an error, and so without
/// allocating.
pub fn read_num(text: &str) -> Option<f64> {
    if let Some(value) = read_short(text) {
        return Some(value);
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits == "inf" {
        let is_negative = text.starts_with('-');
        return Some(if is_negative { f64::NEG_INFINITY } else { f64::INFINITY });
    }
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let value: f64 = text.parse().ok()?;
    if value.is_infinite() {
        return None;
    }
    let is_integer = digits.bytes().all(|b| b.is_ascii_digit());
    if is_integer && value.abs() >= EXACT_INTEGER_MAX as f64 {
        digits.parse::<u64>().ok().filter(|n| *n <= EXACT_INTEGER_MAX)?;
    }
    Some(math::canonical(value))
}

/// A number of at most [`SHORT_DIGITS_MAX`] digits with or without a point; `None` for any other
/// text. Its digits are an integer that f64 holds, and so is the power of ten, so that one division
/// rounds once, as correct rounding does.
#[inline]
pub(super) fn read_short(text: &str) -> Option<f64> {
    let (is_negative, text) = match text.as_bytes() {
        [b'-', text @ ..] => (true, text),
        [b'+', text @ ..] => (false, text),
        text => (false, text),
    };
    if text.len() > SHORT_DIGITS_MAX + 1 {
        return None;
    }
    let (whole, n_whole) = read_digits(0, text);
    let (whole, n_decimals) = match &text[n_whole..] {
        [] => (whole, 0),
        [b'.', text @ ..] => match read_digits(whole, text) {
            (whole, n_decimals) if n_decimals == text.len() => (whole, n_decimals),
            _ => return None,
        },
        _ => return None,
    };
    if n_whole + n_decimals == 0 || n_whole + n_decimals > SHORT_DIGITS_MAX {
        return None;
    }
    let value = whole as f64 / POWERS[n_decimals];
    Some(math::canonical(if is_negative { -value } else { value }))
}

/// `whole` with the digits that `text` begins with behind its own, and how many they are. There are
/// too few of them to overflow.
#[inline]
fn read_digits(mut whole: u64, text: &[u8]) -> (u64, usize) {
    let mut n_digits = 0;
    if let Some((eight, _)) = text.split_first_chunk::<8>() {
        let word = u64::from_le_bytes(*eight);
        if is_all_digits(word) {
            whole = whole.wrapping_mul(100_000_000).wrapping_add(eight_digits(word));
            n_digits = 8;
        }
    }
    for byte in &text[n_digits..] {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        whole = whole.wrapping_mul(10).wrapping_add(u64::from(digit));
        n_digits += 1;
    }
    (whole, n_digits)
}

/// Whether all eight bytes are digits: their upper halves are 3, and still are with 6 more.
#[inline]
fn is_all_digits(word: u64) -> bool {
    const UPPER: u64 = 0xf0f0_f0f0_f0f0_f0f0;
    let carried = word.wrapping_add(0x0606_0606_0606_0606);
    (word & UPPER) | ((carried & UPPER) >> 4) == 0x3333_3333_3333_3333
}

/// What eight digits mean, the first in the lowest byte: pairs, then fours, then all.
#[inline]
fn eight_digits(word: u64) -> u64 {
    let ones = word.wrapping_sub(0x3030_3030_3030_3030);
    let pairs = ones.wrapping_mul(10).wrapping_add(ones >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_ffff_0000_ffff;
    fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xffff_ffff
}

/// 10^15 is below 2^53.
const SHORT_DIGITS_MAX: usize = 15;
/// Powers of ten, each exact.
const POWERS: [f64; SHORT_DIGITS_MAX + 1] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

fn beyond_exact(digits: &str) -> Error {
    Error::new(Code::BadValue, format!("expected integer up to 2^53, found {}", shorten(digits)))
        .remedy("declare the column as text if it is an identifier")
}

/// An integer as a number.
///
/// # Errors
/// If it is beyond 2^53, where f64 would round it.
pub fn integer_num(value: i64) -> Result<f64> {
    if value.unsigned_abs() <= EXACT_INTEGER_MAX {
        return Ok(value as f64);
    }
    Err(beyond_exact(&value.unsigned_abs().to_string()))
}

/// The shortest decimal that reads back to the same bits; empty for missing.
pub fn show_num(x: f64) -> String {
    let mut text = String::new();
    write_num(&mut text, x);
    text
}

/// Appends what [`show_num`] gives.
pub fn write_num(text: &mut String, x: f64) {
    if math::is_missing(x) {
        return;
    }
    if x.is_infinite() {
        text.push_str(if x > 0.0 { "inf" } else { "-inf" });
        return;
    }
    // Writing into a string cannot fail.
    let _ = if (SHOWN_PLAIN_MIN..=SHOWN_PLAIN_MAX).contains(&x.abs()) || x == 0.0 {
        write!(text, "{x}")
    } else {
        write!(text, "{x:e}")
    };
}

/// From here on numbers are written without an exponent.
const SHOWN_PLAIN_MIN: f64 = 1e-5;
/// Beyond it numbers are written with an exponent: more digits alone are no number to the reader.
const SHOWN_PLAIN_MAX: f64 = EXACT_INTEGER_MAX as f64;

/// A text in quotes, cut to what a message can show.
pub(super) fn shorten(text: &str) -> String {
    const SHOWN: usize = 40;
    if text.chars().count() <= SHOWN {
        return format!("{text:?}");
    }
    let head: String = text.chars().take(SHOWN).collect();
    format!("{head:?}... ({} bytes)", text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_correctly_rounded_and_written_shortest() {
        for text in [
            "0.1",
            "-2.5e-7",
            "1e300",
            "5e-324",
            "inf",
            "-inf",
            "9007199254740992",
            ".5",
            "9.007199254740994e15",
        ] {
            let x = parse_num(text).unwrap();
            assert_eq!(parse_num(&show_num(x)).unwrap().to_bits(), x.to_bits(), "{text}");
        }
        assert_eq!(parse_num("-0").unwrap().to_bits(), 0);
        assert_eq!(show_num(3.0), "3");
        assert_eq!(show_num(1e-7), "1e-7");
    }

    #[test]
    fn short_numbers_have_the_bits_of_the_standard_reader() {
        let mut state = 1u64;
        let mut next = |n: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % n
        };
        for _ in 0..200_000 {
            let n = 1 + next(17) as usize;
            let mut text: String = (0..n).map(|_| char::from(b'0' + next(10) as u8)).collect();
            if next(3) > 0 {
                text.insert(next(n as u64 + 1) as usize, '.');
            }
            let signs = ["", "-", "+"];
            let text = format!("{}{text}", signs[next(3) as usize]);
            let expected = math::canonical(text.parse::<f64>().unwrap());
            if let Some(read) = read_short(&text) {
                assert_eq!(read.to_bits(), expected.to_bits(), "{text}");
            }
            let digits = text.bytes().filter(u8::is_ascii_digit).count();
            assert_eq!(read_short(&text).is_some(), digits <= SHORT_DIGITS_MAX, "{text}");
        }
        for text in ["", ".", "-", "+.", "1e5", "1..2", "1.2.", "--1", "0x1", "\u{664}"] {
            assert_eq!(read_short(text), None, "{text}");
        }
        assert_eq!(read_short("-0.00").map(f64::to_bits), Some(0));
        assert_eq!((read_short("5."), read_short(".5")), (Some(5.0), Some(0.5)));
    }

    #[test]
    fn what_is_no_exact_number_is_refused() {
        for text in
            ["", " 1", "1 ", "nan", "NaN", "infinity", "1,5", "0x10", "9007199254740993", "1_0"]
        {
            assert!(parse_num(text).is_err(), "{text:?}");
        }
        assert_eq!(
            parse_num("-1e400").unwrap_err().message(),
            "expected number up to 1.8e308, found \"-1e400\""
        );
    }
}
