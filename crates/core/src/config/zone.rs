//! The time zone of a column: by name as a user writes it, or as the pinned table that it stands
//! for.
//!
//! Core has no time-zone database. Whoever reads a config from a user replaces the name by the
//! table before anything is fitted; a config with a name left is refused. In TOML
//! `zone = "Europe/Berlin"`, or the table with its five parts, which is what a resolved config
//! writes.

use std::fmt;

use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::batch::ZoneRules;
use crate::error::{Code, Error, Result};

/// A time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Zone {
    /// By its name in the time-zone database, not yet looked up.
    Named(String),
    /// By its rules.
    Pinned(ZoneRules),
}

impl Zone {
    /// The rules; none while there is a name alone.
    pub fn rules(&self) -> Option<&ZoneRules> {
        match self {
            Zone::Named(_) => None,
            Zone::Pinned(rules) => Some(rules),
        }
    }

    pub(super) fn validate(&self) -> Result<()> {
        match self {
            Zone::Pinned(rules) => rules.validate(),
            Zone::Named(name) => {
                let message =
                    format!("expected the rules of a zone, found the name {name:?} alone");
                Err(Error::new(Code::BadParameter, message)
                    .remedy("read the config with the command, which looks names up"))
            }
        }
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Zone::Named(name) => to.serialize_str(name),
            Zone::Pinned(rules) => rules.serialize(to),
        }
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Form;
        impl<'de> Visitor<'de> for Form {
            type Value = Zone;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a time zone, or the table of its rules")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Zone, E> {
                Ok(Zone::Named(name.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Zone, A::Error> {
                let from = de::value::MapAccessDeserializer::new(map);
                ZoneRules::deserialize(from).map(Zone::Pinned)
            }
        }
        from.deserialize_any(Form)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{Column, ColumnKind};
    use crate::config::Config;

    const TEXT: &str = "[data.columns]\na = \"num\"\ny = \"num\"\n\
                        at = { kind = \"time\", format = \"%d.%m.%Y\", zone = ZONE }\n\
                        [target]\ncolumn = \"y\"\n[model]\nkind = \"linear_regression\"\n";
    const TABLE: &str = "{ name = \"Etc/One\", tzdb = \"x\", until_year = 2100, \
                         first_offset = 3600, changes = [[0, 7200], [100, 3600]] }";

    fn parse(zone: &str) -> Result<Config> {
        Config::parse(&TEXT.replace("ZONE", zone))
    }

    #[test]
    fn both_forms_are_read_and_the_table_survives_toml_and_storage() {
        let named = parse("\"Europe/Berlin\"").unwrap();
        let zone = named.data.columns["at"].zone.clone();
        assert_eq!(zone, Some(Zone::Named("Europe/Berlin".to_owned())));
        let written = named.to_toml().unwrap();
        assert_eq!(Config::parse(&written).unwrap(), named);
        let pinned = parse(TABLE).unwrap();
        pinned.validate().unwrap();
        assert_eq!(Config::from_toml(&pinned.to_toml().unwrap()).unwrap(), pinned);
        let stored = crate::codec::encode(&pinned).unwrap();
        assert_eq!(crate::codec::decode::<Config>(&stored).unwrap(), pinned);
        assert_ne!(
            parse(&TABLE.replace("7200", "7201")).unwrap().fingerprint().unwrap(),
            pinned.fingerprint().unwrap()
        );
    }

    #[test]
    fn a_name_alone_and_a_zone_of_no_time_are_refused() {
        let error = parse("\"Europe/Berlin\"").unwrap().validate().unwrap_err();
        assert_eq!(
            error.to_string(),
            "column `at`: expected the rules of a zone, found the name \"Europe/Berlin\" alone \
             (read the config with the command, which looks names up)"
        );
        let text = TEXT.replace("ZONE", TABLE).replace("format = \"%d.%m.%Y\", ", "");
        let error = Config::from_toml(&text.replace("\"time\"", "\"text\"")).unwrap_err();
        let expected =
            "column `at`: expected `zone` of a time column, found it of a text (leave it out)";
        assert_eq!(error.to_string(), expected);
        assert!(parse(&TABLE.replace("tzdb =", "tz =")).is_err());
        assert!(parse(&TABLE.replace("[100", "[-1")).unwrap().validate().is_err());
    }

    #[test]
    fn the_reader_of_a_column_knows_its_zone_also_for_markers() {
        let config = parse(TABLE).unwrap();
        let reader = config.data.columns["at"].reader(&["01.01.1900".to_owned()]);
        assert_eq!(reader.kind(), ColumnKind::Time);
        let mut column = Column::empty(ColumnKind::Time);
        reader.push(&mut column, "02.01.1970").unwrap();
        let Column::Time(times) = &column else { panic!("times") };
        assert_eq!(times[0], (86_400 - 3600) * 1_000_000);
        // The marker reads as midnight of the zone.
        let midnight = reader.time(-2_208_988_800_000_000 - 3600 * 1_000_000);
        assert_eq!(midnight, crate::batch::MISSING_TIME);
    }
}
