//! Text to numbers and times and back: one function for research and deploy.
//!
//! Numbers are read correctly rounded and written as the shortest decimal that reads back to the
//! same bits. Times are proleptic Gregorian, UTC, microseconds; no locale is consulted, and no zone
//! data but a pinned table that the caller has.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use super::{MISSING_TIME, ZoneRules};
use crate::error::{Code, Error, Result};
use crate::math;

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;
/// The largest integer that f64 holds together with all below it.
const EXACT_INTEGER_MAX: u64 = 1 << 53;

/// Reads a decimal number, correctly rounded. `inf` and `-inf` are numbers; `nan` is not.
///
/// # Errors
/// If the text is no number, or is an integer beyond 2^53, which f64 could not hold exactly.
pub fn parse_num(text: &str) -> Result<f64> {
    read_num(text).ok_or_else(|| {
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
            return beyond_exact(digits);
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

/// How a time is written in text.
///
/// `iso` reads `2010-05-01`, `2010-05-01T13:30`, `2010-05-01 13:30:05.25` and an ending `Z` or
/// `+02:00`; without one the time is UTC. Any other format is a pattern of `%Y %m %d %H %M %S %f`
/// (fraction of a second, one to six digits) and literal characters, all of which must be there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TimeFormat(pub String);

impl Default for TimeFormat {
    fn default() -> Self {
        TimeFormat("iso".to_owned())
    }
}

impl TimeFormat {
    /// Whether the pattern is one that can be read.
    ///
    /// # Errors
    /// If it has an unknown `%` letter or lacks a year, month or day.
    pub fn validate(&self) -> Result<()> {
        if self.0 == "iso" {
            return Ok(());
        }
        let mut letters = Vec::new();
        let mut chars = self.0.chars();
        while let Some(c) = chars.next() {
            if c == '%' {
                letters.push(chars.next().unwrap_or('%'));
            }
        }
        let unknown = letters.iter().find(|c| !"YmdHMSf".contains(**c));
        if unknown.is_some() || !['Y', 'm', 'd'].iter().all(|c| letters.contains(c)) {
            return Err(Error::new(
                Code::BadParameter,
                format!("expected a time format of %Y %m %d %H %M %S %f, found {:?}", self.0),
            ));
        }
        Ok(())
    }
}

/// Reads a time.
///
/// # Errors
/// If the text is not of the format or names a day or time that does not exist.
pub fn parse_time(text: &str, format: &TimeFormat) -> Result<i64> {
    read_time(text, format).ok_or_else(|| {
        Error::new(
            Code::WrongKind,
            format!("expected time as {:?}, found text {}", format.0, shorten(text)),
        )
        .remedy("declare the column's time format, or this text as a missing marker")
    })
}

/// What [`parse_time`] gives, `None` where it refuses: without making an error.
pub fn read_time(text: &str, format: &TimeFormat) -> Option<i64> {
    read_local(text, format, None)
}

/// Reads a time; one that is written without an offset is a local time of `zone`, or without a zone
/// UTC. A date is its midnight.
///
/// # Errors
/// As [`parse_time`], and if a local time is beyond the last year of the zone's table.
pub fn parse_local(text: &str, format: &TimeFormat, zone: Option<&ZoneRules>) -> Result<i64> {
    match (read_local(text, format, zone), zone) {
        (Some(micros), _) => Ok(micros),
        (None, Some(zone)) if read_time(text, format).is_some() => Err(Error::new(
            Code::BadValue,
            format!(
                "expected a local time up to {}, the last year of the pinned rules of `{}`, found \
                 text {}",
                zone.until_year,
                zone.name,
                shorten(text)
            ),
        )
        .remedy("write it with its offset, such as +01:00")),
        (None, _) => parse_time(text, format),
    }
}

/// What [`parse_local`] gives, `None` where it refuses: without making an error.
pub fn read_local(text: &str, format: &TimeFormat, zone: Option<&ZoneRules>) -> Option<i64> {
    let mut parts = Parts::default();
    let read = if format.0 == "iso" {
        read_iso(text, &mut parts)
    } else {
        read_pattern(text, &format.0, &mut parts)
    };
    let micros = read.and_then(|()| parts.micros())?;
    match zone {
        Some(zone) if !parts.has_offset => zone.instant(micros, parts.year),
        _ => Some(micros),
    }
}

/// The time as `2010-05-01T13:30:00Z`, with six decimals if it has a fraction; empty for missing.
pub fn show_time(micros: i64) -> String {
    let mut text = String::new();
    write_time(&mut text, micros);
    text
}

/// Appends what [`show_time`] gives.
pub fn write_time(text: &mut String, micros: i64) {
    if micros == MISSING_TIME {
        return;
    }
    let (year, month, day) = civil_date(micros);
    let of_day = micros.rem_euclid(MICROS_PER_DAY);
    let (second, fraction) = (of_day / MICROS_PER_SECOND, of_day % MICROS_PER_SECOND);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    // Writing into a string cannot fail.
    let _ = write!(text, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    if fraction != 0 {
        let _ = write!(text, ".{fraction:06}");
    }
    text.push('Z');
}

/// Year, month (1 to 12) and day (1 to 31) of a time, UTC.
pub fn civil_date(micros: i64) -> (i64, i64, i64) {
    let days = micros.div_euclid(MICROS_PER_DAY);
    // Days since 0000-03-01, so that the leap day ends a year.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

/// Days from 1970-01-01 to a date that exists.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let shifted_year = if month <= 2 { year - 1 } else { year };
    let era = shifted_year.div_euclid(400);
    let year_of_era = shifted_year.rem_euclid(400);
    let month_from_march = (month + 9) % 12;
    let of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
    era * 146_097 + of_era - 719_468
}

#[derive(Default)]
struct Parts {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    micro: i64,
    offset_minutes: i64,
    /// Whether the text says how far it is from UTC.
    has_offset: bool,
}

impl Parts {
    fn micros(&self) -> Option<i64> {
        let in_range = (1..=9999).contains(&self.year)
            && (1..=12).contains(&self.month)
            && (1..=31).contains(&self.day)
            && self.hour < 24
            && self.minute < 60
            && self.second < 60
            && self.offset_minutes.abs() < 24 * 60;
        if !in_range {
            return None;
        }
        let days = days_from_civil(self.year, self.month, self.day);
        let midnight = days * MICROS_PER_DAY;
        if civil_date(midnight) != (self.year, self.month, self.day) {
            return None;
        }
        let minutes = self.hour * 60 + self.minute - self.offset_minutes;
        Some(midnight + (minutes * 60 + self.second) * MICROS_PER_SECOND + self.micro)
    }
}

/// Reads `n_min..=n_max` digits from the front.
fn digits(text: &mut &str, n_min: usize, n_max: usize) -> Option<(i64, usize)> {
    let n = text.bytes().take(n_max).take_while(u8::is_ascii_digit).count();
    if n < n_min {
        return None;
    }
    let value = text[..n].parse().ok()?;
    *text = &text[n..];
    Some((value, n))
}

fn literal(text: &mut &str, c: char) -> Option<()> {
    *text = text.strip_prefix(c)?;
    Some(())
}

fn fraction(text: &mut &str) -> Option<i64> {
    let (value, n) = digits(text, 1, 6)?;
    Some(value * 10_i64.pow(6 - n as u32))
}

fn read_iso(text: &str, parts: &mut Parts) -> Option<()> {
    let mut rest = text;
    parts.year = digits(&mut rest, 4, 4)?.0;
    literal(&mut rest, '-')?;
    parts.month = digits(&mut rest, 2, 2)?.0;
    literal(&mut rest, '-')?;
    parts.day = digits(&mut rest, 2, 2)?.0;
    if rest.is_empty() {
        return Some(());
    }
    rest = rest.strip_prefix(['T', ' '])?;
    parts.hour = digits(&mut rest, 2, 2)?.0;
    literal(&mut rest, ':')?;
    parts.minute = digits(&mut rest, 2, 2)?.0;
    if literal(&mut rest, ':').is_some() {
        parts.second = digits(&mut rest, 2, 2)?.0;
        if literal(&mut rest, '.').is_some() {
            parts.micro = fraction(&mut rest)?;
        }
    }
    parts.has_offset = !rest.is_empty();
    match rest {
        "" | "Z" => Some(()),
        zone => {
            let sign = if zone.starts_with('-') { -1 } else { 1 };
            let mut rest = zone.strip_prefix(['+', '-'])?;
            let hours = digits(&mut rest, 2, 2)?.0;
            literal(&mut rest, ':')?;
            let minutes = digits(&mut rest, 2, 2)?.0;
            parts.offset_minutes = sign * (hours * 60 + minutes);
            rest.is_empty().then_some(())
        }
    }
}

fn read_pattern(text: &str, pattern: &str, parts: &mut Parts) -> Option<()> {
    let mut rest = text;
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            literal(&mut rest, c)?;
            continue;
        }
        match chars.next()? {
            'Y' => parts.year = digits(&mut rest, 4, 4)?.0,
            'm' => parts.month = digits(&mut rest, 1, 2)?.0,
            'd' => parts.day = digits(&mut rest, 1, 2)?.0,
            'H' => parts.hour = digits(&mut rest, 1, 2)?.0,
            'M' => parts.minute = digits(&mut rest, 1, 2)?.0,
            'S' => parts.second = digits(&mut rest, 1, 2)?.0,
            'f' => parts.micro = fraction(&mut rest)?,
            _ => return None,
        }
    }
    rest.is_empty().then_some(())
}

/// A text in quotes, cut to what a message can show.
fn shorten(text: &str) -> String {
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

    fn iso(text: &str) -> Option<i64> {
        parse_time(text, &TimeFormat::default()).ok()
    }

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
    }

    #[test]
    fn known_dates_have_their_day_numbers() {
        assert_eq!(iso("1970-01-01"), Some(0));
        assert_eq!(iso("2000-03-01"), Some(11_017 * MICROS_PER_DAY));
        assert_eq!(iso("1969-12-31T23:59:59.5Z"), Some(-500_000));
        assert_eq!(iso("2010-05-01T02:00+02:00"), iso("2010-05-01"));
    }

    #[test]
    fn days_that_do_not_exist_are_refused() {
        for text in ["2001-02-29", "2001-13-01", "2001-01-01T24:00", "2001-1-1", "2001-01-01x"] {
            assert_eq!(iso(text), None, "{text}");
        }
    }

    #[test]
    fn every_day_of_eight_centuries_is_shown_and_read_back() {
        for day in (-146_097..146_097).step_by(13) {
            let t = day * MICROS_PER_DAY + 1;
            assert_eq!(iso(&show_time(t)), Some(t));
        }
    }

    #[test]
    fn a_declared_pattern_is_followed_to_the_letter() {
        let format = TimeFormat("%d/%m/%Y %H.%M".to_owned());
        assert_eq!(parse_time("1/5/2010 13.30", &format).ok(), iso("2010-05-01T13:30"));
        assert!(parse_time("1-5-2010 13.30", &format).is_err());
        assert!(TimeFormat("%d/%q".to_owned()).validate().is_err());
    }
}
