//! The tables of a config that say how rows are gathered, as they stand there.

use std::collections::BTreeMap;
use std::path::Path;

use samescore_core::aggregate::{GroupBy, GroupColumn};
use samescore_core::config::{ColumnConfig, ColumnForm, DataConfig};
use samescore_core::error::Result;
use serde::Deserialize;
use toml::Spanned;

use super::{Aggregate, Joined};
use crate::gather::Named;
use crate::join::{AsOf, Join, Matches, Unmatched};
use crate::zones;

/// The joins of a config, whose other tables are read elsewhere.
#[derive(Deserialize)]
pub(super) struct Tables {
    pub(super) aggregate: Option<Spanned<Grouping>>,
    #[serde(default)]
    pub(super) join: Vec<Table>,
}

/// A grouping as it stands in a config.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Grouping {
    by: Vec<String>,
    columns: BTreeMap<String, GroupColumn>,
    #[serde(default)]
    read: BTreeMap<String, ColumnForm>,
}

impl Grouping {
    pub(super) fn aggregate(grouping: Spanned<Self>) -> Result<Aggregate> {
        let (place, grouping) = (grouping.span(), grouping.into_inner());
        let groups = GroupBy { by: grouping.by, columns: grouping.columns };
        groups.validate().map_err(|e| e.at(place))?;
        Ok(Aggregate { groups, read: declared(grouping.read)? })
    }
}

/// Declared columns, their zones pinned.
fn declared(forms: BTreeMap<String, ColumnForm>) -> Result<BTreeMap<String, ColumnConfig>> {
    let columns = forms.into_iter().map(|(name, form)| (name, form.0)).collect();
    let mut data = DataConfig { columns, ..DataConfig::default() };
    zones::resolve(&mut data)?;
    Ok(data.columns)
}

/// A join as it stands in a config.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    source: Spanned<Named>,
    #[serde(default)]
    columns: BTreeMap<String, ColumnForm>,
    aggregate: Option<Spanned<Grouping>>,
    on: Spanned<Vec<String>>,
    other_on: Option<Vec<String>>,
    take: Option<Vec<String>>,
    #[serde(default)]
    prefix: String,
    #[serde(default)]
    matches: Matches,
    #[serde(default)]
    unmatched: Unmatched,
    as_of: Option<AsOf>,
}

impl Table {
    pub(super) fn joined(self, folder: &Path) -> Result<Joined> {
        let (place, span) = (self.on.span(), self.source.span());
        let join = Join {
            on: self.on.into_inner(),
            other_on: self.other_on,
            take: self.take,
            prefix: self.prefix,
            matches: self.matches,
            unmatched: self.unmatched,
            as_of: self.as_of,
        };
        join.validate().map_err(|e| e.at(place))?;
        let mut columns = declared(self.columns)?;
        let aggregate = self.aggregate.map(Grouping::aggregate).transpose()?;
        let aggregate = aggregate.map(|aggregate| {
            columns.extend(aggregate.read);
            aggregate.groups
        });
        let source = self.source.into_inner().source(folder, span)?;
        Ok(Joined { source, columns, aggregate, join })
    }
}
