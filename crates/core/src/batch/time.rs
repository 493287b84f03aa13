//! Text to times and back: one function for research and deploy.
//!
//! Times are proleptic Gregorian, UTC, microseconds; no locale is consulted, and no zone data but a
//! pinned table that the caller has.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use super::parse::shorten;
use super::{MISSING_TIME, ZoneRules};
use crate::error::{Code, Error, Result};

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

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

#[cfg(test)]
mod tests {
    use super::*;

    fn iso(text: &str) -> Option<i64> {
        parse_time(text, &TimeFormat::default()).ok()
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
