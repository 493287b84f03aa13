//! Columns as the schema of an Arrow IPC file describes them.

use samescore_core::error::{Code, Error, Result};

use super::arrow::{Type, Unit};
use super::flat::Table;
use super::taker::Stored;

/// How many nodes and buffers a column has in a batch, its children's included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) n_nodes: usize,
    pub(super) n_buffers: usize,
    /// Columns of views, each of which has more buffers, as the batch says.
    pub(super) n_views: usize,
}

/// A column of a file.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: String,
    /// Of its values; those of its dictionary if it has one.
    pub(super) stored: Type,
    /// The dictionary, and the type of the indices into it.
    pub(super) dictionary: Option<(i64, Type)>,
    pub(super) layout: Layout,
}

const DEPTH_MAX: usize = 64;
/// Fields of a schema, all those below each other included: offsets could lead back.
pub(super) const FIELDS_MAX: usize = 1 << 17;

impl Field {
    /// Reads a field of a schema and takes as many off `n_fields_max` as it has below it; `None` if
    /// something of it is not there, or there are more.
    pub(super) fn read(field: &Table<'_>, n_fields_max: &mut usize) -> Option<Self> {
        let dictionary = match field.table(4) {
            None => None,
            Some(encoding) => {
                let index = encoding.table(1).map_or(Some(INDEX), |index| int(&index))?;
                Some((encoding.i64(0).unwrap_or(0), index))
            }
        };
        let layout = match dictionary {
            None => layout(field, 0, n_fields_max)?,
            Some(_) => Layout { n_nodes: 1, n_buffers: 2, n_views: 0 },
        };
        let name = field.text(0)?.to_owned();
        Some(Field { name, stored: stored(field)?, dictionary, layout })
    }

    /// The type in which cells come.
    pub(super) fn expected(&self) -> Result<Option<Stored>> {
        Ok(Some(match self.stored {
            Type::Null => return Ok(None),
            Type::Bool => Stored::Bool,
            Type::Int { .. } => Stored::Integer,
            Type::Float { .. } => Stored::Float,
            Type::Decimal { .. } | Type::Text { .. } | Type::TextView => Stored::Text,
            Type::Date { .. } | Type::Time { .. } => Stored::Time,
            Type::Other(found) => {
                let message =
                    format!("expected a bool, number, text, date or timestamp, found {found}");
                return Err(Error::new(Code::WrongKind, message)
                    .remedy("cast it where the file is written"));
            }
        }))
    }
}

/// The type of indices unless it is said.
const INDEX: Type = Type::Int { bytes: 4, is_signed: true };

fn int(table: &Table<'_>) -> Option<Type> {
    let bytes = match table.i32(0)? {
        8 => 1,
        16 => 2,
        32 => 4,
        64 => 8,
        _ => return None,
    };
    Some(Type::Int { bytes, is_signed: table.u8(1).unwrap_or(0) != 0 })
}

fn stored(field: &Table<'_>) -> Option<Type> {
    let table = field.table(3);
    let number = |slot: usize| table.and_then(|table| table.i32(slot)).unwrap_or(0);
    let unit = |default: i16| table.and_then(|table| table.i16(0)).unwrap_or(default);
    Some(match field.u8(2)? {
        1 => Type::Null,
        2 => int(&table?)?,
        3 => match unit(0) {
            0 => Type::Other("16-bit float"),
            1 => Type::Float { bytes: 4 },
            _ => Type::Float { bytes: 8 },
        },
        5 => Type::Text { offset_bytes: 4 },
        20 => Type::Text { offset_bytes: 8 },
        24 => Type::TextView,
        6 => Type::Bool,
        7 => decimal(number(0), number(1), table?.i32(2).unwrap_or(128)),
        8 => Type::Date { bytes: if unit(1) == 0 { 4 } else { 8 } },
        10 => Type::Time {
            unit: match unit(0) {
                0 => Unit::Second,
                1 => Unit::Milli,
                2 => Unit::Micro,
                _ => Unit::Nano,
            },
            has_zone: table.and_then(|table| table.text(1)).is_some_and(|zone| !zone.is_empty()),
        },
        4 | 15 | 19 | 23 => Type::Other("binary"),
        9 => Type::Other("time of day"),
        11 | 18 => Type::Other("duration"),
        12..=14 | 16 | 17 | 21 | 25 | 26 => Type::Other("nested"),
        _ => Type::Other("another type"),
    })
}

fn decimal(precision: i32, n_decimals: i32, bits: i32) -> Type {
    match (bits, usize::try_from(n_decimals)) {
        (32 | 64 | 128, Ok(n_decimals)) if precision <= 38 && n_decimals <= 38 => {
            Type::Decimal { bytes: bits as usize / 8, n_decimals }
        }
        (_, Err(_)) => Type::Other("decimal of negative scale"),
        _ => Type::Other("decimal of more than 38 digits"),
    }
}

/// The nodes and buffers of a field and of what is below it.
fn layout(field: &Table<'_>, depth: usize, n_fields_max: &mut usize) -> Option<Layout> {
    if depth > DEPTH_MAX {
        return None;
    }
    *n_fields_max = n_fields_max.checked_sub(1)?;
    let (n_buffers, n_views) = match field.u8(2)? {
        1 | 22 => (0, 0),
        4 | 5 | 19 | 20 | 25 | 26 => (3, 0),
        23 | 24 => (2, 1),
        13 | 16 => (1, 0),
        14 => (1 + usize::from(field.table(3).and_then(|t| t.i16(0)).unwrap_or(0) == 1), 0),
        _ => (2, 0),
    };
    let mut whole = Layout { n_nodes: 1, n_buffers, n_views };
    for child in field.tables(5).unwrap_or_default() {
        let below = match child.table(4) {
            Some(_) => Layout { n_nodes: 1, n_buffers: 2, n_views: 0 },
            None => layout(&child, depth + 1, n_fields_max)?,
        };
        whole.n_nodes += below.n_nodes;
        whole.n_buffers += below.n_buffers;
        whole.n_views += below.n_views;
    }
    Some(whole)
}
