//! Local times to instants by a pinned table: the offsets of a time zone, and when each begins.
//!
//! The table is part of the config and of the artifact, with the version of the database that it
//! was made from. So a text means the same instant in training and for ever after, whatever the
//! zone rules of the machine say, and whatever a later law changes.
//!
//! **Local times that do not exist**, because clocks were put forward, are read by the offset from
//! before the change: 02:30 in the hour that Berlin leaves out is 03:30 of its summer time.
//!
//! **Local times that exist twice**, because clocks were put back, are the earlier instant.
//!
//! **Beyond the table.** Before its first change the first offset holds. After its last year a
//! local time cannot be read: no rule says what it will be. A text with an offset of its own is
//! read by that.

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};

/// No zone has ever been further from UTC, in seconds.
const OFFSET_MAX: i32 = 26 * 3600;
/// A table to the year 9999 with two changes a year stays below.
const CHANGES_MAX: usize = 20_000;
const MICROS_PER_SECOND: i64 = 1_000_000;

/// The offsets of a time zone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZoneRules {
    /// The name in the time-zone database.
    pub name: String,
    /// The version of the database.
    pub tzdb: String,
    /// The last year that the table knows.
    pub until_year: u16,
    /// Seconds east of UTC before the first change.
    pub first_offset: i32,
    /// Per change the instant in seconds since the epoch, and the offset from then on; ascending.
    pub changes: Vec<(i64, i32)>,
}

impl ZoneRules {
    /// Refuses a table that cannot be one.
    ///
    /// # Errors
    /// If a text is empty, the year or an offset is out of range, or the changes do not ascend.
    pub fn validate(&self) -> Result<()> {
        let bad = |message: String| Err(Error::new(Code::BadParameter, message));
        if self.name.is_empty() || self.tzdb.is_empty() {
            return bad("expected the name and the `tzdb` version of a zone, found none".to_owned());
        }
        if !(1970..=9999).contains(&self.until_year) {
            return bad(format!("expected until_year 1970 to 9999, found {}", self.until_year));
        }
        if self.changes.len() > CHANGES_MAX {
            let found = self.changes.len();
            return bad(format!("expected at most {CHANGES_MAX} changes, found {found}"));
        }
        let mut offsets = self.changes.iter().map(|(_, offset)| *offset).chain([self.first_offset]);
        if let Some(offset) = offsets.find(|offset| !(-OFFSET_MAX..=OFFSET_MAX).contains(offset)) {
            return bad(format!(
                "expected offsets of at most {OFFSET_MAX} seconds, found {offset}"
            ));
        }
        // Local times are seconds as well: far from the ends of i64.
        let in_range = |at: i64| (i64::MIN / 4..=i64::MAX / 4).contains(&at);
        let ascend = self.changes.windows(2).all(|pair| pair[0].0 < pair[1].0);
        match ascend && self.changes.iter().all(|(at, _)| in_range(*at)) {
            true => Ok(()),
            false => bad("expected changes of a zone in ascending order, found others".to_owned()),
        }
    }

    /// The instant of a local time, both in microseconds; the year is that of the local time.
    /// `None` beyond the last year of the table.
    pub(super) fn instant(&self, local: i64, year: i64) -> Option<i64> {
        if year > i64::from(self.until_year) {
            return None;
        }
        let seconds = local.div_euclid(MICROS_PER_SECOND);
        Some(local - i64::from(self.offset_of_local(seconds)) * MICROS_PER_SECOND)
    }

    /// The offset by which a local time is read.
    fn offset_of_local(&self, local: i64) -> i32 {
        let before = |place: usize| match place.checked_sub(1) {
            None => self.first_offset,
            Some(earlier) => self.changes[earlier].1,
        };
        // No change before this place can matter: it was over for longer than any offset.
        let reach = i64::from(OFFSET_MAX);
        let mut place = self.changes.partition_point(|(at, _)| *at <= local - reach);
        loop {
            let offset = before(place);
            match self.changes.get(place) {
                // The offset holds until the next change, and by it the local time is before that;
                // or it is in the gap that the change leaves, whose times go by the offset before.
                Some((at, next)) => {
                    let end = at + i64::from(offset);
                    let start_of_next = at + i64::from(*next);
                    if local < end || local < start_of_next {
                        return offset;
                    }
                }
                None => return offset,
            }
            place += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{TimeFormat, read_local, read_time};

    /// Seconds of an instant.
    fn at(text: &str) -> i64 {
        read_time(text, &TimeFormat::default()).unwrap() / MICROS_PER_SECOND
    }

    /// Central Europe in 2024 and 2025 by Directive 2000/84/EC: clocks change at 01:00 UTC on the
    /// last Sunday of March and of October.
    fn berlin() -> ZoneRules {
        let changes = vec![
            (at("2024-03-31T01:00:00Z"), 7200),
            (at("2024-10-27T01:00:00Z"), 3600),
            (at("2025-03-30T01:00:00Z"), 7200),
            (at("2025-10-26T01:00:00Z"), 3600),
        ];
        ZoneRules {
            name: "Europe/Berlin".to_owned(),
            tzdb: "by hand".to_owned(),
            until_year: 2025,
            first_offset: 3600,
            changes,
        }
    }

    /// The United States in 2024 by the Energy Policy Act of 2005: clocks change at 02:00 local
    /// time on the second Sunday of March and the first one of November.
    fn new_york() -> ZoneRules {
        let changes =
            vec![(at("2024-03-10T07:00:00Z"), -4 * 3600), (at("2024-11-03T06:00:00Z"), -5 * 3600)];
        let (name, tzdb) = ("America/New_York".to_owned(), "by hand".to_owned());
        ZoneRules { name, tzdb, until_year: 2024, first_offset: -5 * 3600, changes }
    }

    fn read(zone: &ZoneRules, text: &str) -> Option<i64> {
        read_local(text, &TimeFormat::default(), Some(zone)).map(|t| t / MICROS_PER_SECOND)
    }

    #[test]
    fn local_times_of_berlin() {
        let zone = berlin();
        zone.validate().unwrap();
        for (local, instant) in [
            ("2024-01-15T12:00:00", "2024-01-15T11:00:00Z"),
            ("2024-03-31T01:59:59", "2024-03-31T00:59:59Z"),
            // The hour that does not exist, by the offset before: 02:30 is 03:30 of summer.
            ("2024-03-31T02:00:00", "2024-03-31T01:00:00Z"),
            ("2024-03-31T02:30:00", "2024-03-31T01:30:00Z"),
            ("2024-03-31T02:59:59", "2024-03-31T01:59:59Z"),
            ("2024-03-31T03:00:00", "2024-03-31T01:00:00Z"),
            ("2024-07-01", "2024-06-30T22:00:00Z"),
            ("2024-10-27T01:59:59", "2024-10-26T23:59:59Z"),
            // The hour that exists twice: the earlier instant, which is summer time.
            ("2024-10-27T02:00:00", "2024-10-27T00:00:00Z"),
            ("2024-10-27T02:59:59", "2024-10-27T00:59:59Z"),
            ("2024-10-27T03:00:00", "2024-10-27T02:00:00Z"),
            ("2025-03-30T02:15:00", "2025-03-30T01:15:00Z"),
            ("2025-12-31T23:59:59", "2025-12-31T22:59:59Z"),
            ("1800-06-01T12:00:00", "1800-06-01T11:00:00Z"),
        ] {
            assert_eq!(read(&zone, local), Some(at(instant)), "{local}");
        }
    }

    #[test]
    fn local_times_of_new_york() {
        let zone = new_york();
        for (local, instant) in [
            ("2024-03-10T01:59:59", "2024-03-10T06:59:59Z"),
            ("2024-03-10T02:30:00", "2024-03-10T07:30:00Z"),
            ("2024-03-10T03:00:00", "2024-03-10T07:00:00Z"),
            ("2024-07-04T12:00:00", "2024-07-04T16:00:00Z"),
            ("2024-11-03T00:59:59", "2024-11-03T04:59:59Z"),
            ("2024-11-03T01:30:00", "2024-11-03T05:30:00Z"),
            ("2024-11-03T02:00:00", "2024-11-03T07:00:00Z"),
        ] {
            assert_eq!(read(&zone, local), Some(at(instant)), "{local}");
        }
    }

    #[test]
    fn an_offset_of_its_own_is_kept_and_years_beyond_the_table_are_refused() {
        let zone = berlin();
        for text in ["2024-07-01T12:00:00Z", "2024-07-01T14:00:00+02:00", "2030-01-01T00:00Z"] {
            assert_eq!(read(&zone, text), Some(at(text)), "{text}");
        }
        assert_eq!(read(&zone, "2026-01-01"), None);
        let error = crate::batch::parse_local("2026-01-01", &TimeFormat::default(), Some(&zone));
        assert_eq!(
            error.unwrap_err().to_string(),
            "expected a local time up to 2025, the last year of the pinned rules of \
             `Europe/Berlin`, found text \"2026-01-01\" (write it with its offset, such as +01:00)"
        );
        let pattern = TimeFormat("%d.%m.%Y %H:%M".to_owned());
        let read = read_local("01.07.2024 12:00", &pattern, Some(&zone));
        assert_eq!(read, Some(at("2024-07-01T10:00:00Z") * MICROS_PER_SECOND));
        let half = read_local("2024-07-01T12:00:00.25", &TimeFormat::default(), Some(&zone));
        assert_eq!(half, Some(at("2024-07-01T10:00:00Z") * MICROS_PER_SECOND + 250_000));
    }

    #[test]
    fn a_whole_day_can_be_left_out_or_come_twice() {
        // Samoa had no 30 December 2011: its offset went from -10 to +14 hours at 10:00 UTC.
        let samoa = ZoneRules {
            first_offset: -36_000,
            changes: vec![(at("2011-12-30T10:00:00Z"), 50_400)],
            ..berlin()
        };
        for (local, instant) in [
            ("2011-12-29T23:59:59", "2011-12-30T09:59:59Z"),
            ("2011-12-30T12:00:00", "2011-12-30T22:00:00Z"),
            ("2011-12-31T00:00:00", "2011-12-30T10:00:00Z"),
        ] {
            assert_eq!(read(&samoa, local), Some(at(instant)), "{local}");
        }
        // Manila in 1844 went the other way about; here a day comes twice.
        let twice = ZoneRules { first_offset: 50_400, changes: vec![(0, -36_000)], ..berlin() };
        assert_eq!(read(&twice, "1970-01-01T12:00:00"), Some(-2 * 3600));
        assert_eq!(read(&twice, "1970-01-01T14:00:00"), Some(24 * 3600));
    }

    #[test]
    fn every_instant_is_found_again_by_its_local_time_but_for_second_ones() {
        for zone in [berlin(), new_york()] {
            let (first, last) = (zone.changes[0].0 - 9000, zone.changes[1].0 + 9000);
            for instant in (first..last).step_by(900) {
                let place = zone.changes.partition_point(|(at, _)| *at <= instant);
                let offset = if place == 0 { zone.first_offset } else { zone.changes[place - 1].1 };
                let found = instant + i64::from(offset)
                    - i64::from(zone.offset_of_local(instant + i64::from(offset)));
                let is_second = (zone.changes[1].0..zone.changes[1].0 + 3600).contains(&instant);
                assert_eq!(found, if is_second { instant - 3600 } else { instant });
            }
        }
    }

    #[test]
    fn a_table_that_cannot_be_one_is_refused() {
        let refused = |change: &dyn Fn(&mut ZoneRules)| {
            let mut zone = berlin();
            change(&mut zone);
            assert_eq!(zone.validate().unwrap_err().code(), Code::BadParameter);
        };
        refused(&|zone| zone.name.clear());
        refused(&|zone| zone.tzdb.clear());
        refused(&|zone| zone.until_year = 1969);
        refused(&|zone| zone.first_offset = 100_000);
        refused(&|zone| zone.changes[1].0 = zone.changes[0].0);
        refused(&|zone| zone.changes[3].0 = i64::MAX);
    }
}
