//! Columns, batches, schemas and row keys: the only form in which rows exist in core.
//!
//! **Kinds.** `Num` is f64, `Text` is dictionary-coded UTF-8, `Time` is microseconds since
//! 1970-01-01T00:00:00 UTC as i64. Integers are numbers; those beyond 2^53 are refused at the door.
//!
//! **Missing.** One pattern per kind: the canonical NaN, [`MISSING_CODE`], [`MISSING_TIME`]. There
//! is no second way to say missing, and −0.0 does not exist in a batch.
//!
//! **Bounded.** A batch is a block of at most [`ROWS_MAX`] rows and [`COLUMNS_MAX`] columns; a
//! table is a list of blocks (see [`crate::aggregate`]). Nothing in a batch depends on where in the
//! table it stands: `first_row` is for messages only.
//!
//! **No allocation when warm.** [`Batch::clear`] keeps every buffer, and the `take_*` functions
//! hand out buffers that `replace`, `remove` and `clear` gave back.

use crate::error::{Code, Error, Result};

mod cells;
mod column;
pub mod found;
mod key;
mod parse;
mod rows;
mod schema;
mod text;
mod time;
mod zone;

pub use cells::{CellReader, FIELD_BYTES_MAX, push_missing};
pub(crate) use column::Reordered;
pub use column::{Column, Value};
pub use key::{RowKeyer, fit_keys};
pub use parse::{integer_num, parse_num, read_num, show_num, write_num};
pub use rows::Batch;
pub(crate) use rows::{Codes, concerns};
pub use schema::{COLUMNS_MAX, ColumnKind, Field, Schema};
pub use text::{MISSING_CODE, TextColumn};
pub use time::{
    TimeFormat, civil_date, parse_local, parse_time, read_local, read_time, show_time, write_time,
};
pub use zone::ZoneRules;

/// The missing time. Real times are at least `i64::MIN + 1`.
pub const MISSING_TIME: i64 = i64::MIN;

/// Batches and tables with more rows are refused: positions of rows are 32-bit numbers.
pub const ROWS_MAX: usize = 1 << 31;

/// Refuses more rows than [`ROWS_MAX`].
///
/// # Errors
/// If there are more.
pub(crate) fn check_rows(n_rows: usize) -> Result<()> {
    if n_rows <= ROWS_MAX {
        return Ok(());
    }
    let message = format!("expected at most {ROWS_MAX} rows, found {n_rows}");
    Err(Error::new(Code::LimitExceeded, message).remedy("score or fit fewer rows at a time"))
}

/// How many rows a block of a table holds. Results do not depend on it; the tests vary it.
pub const BLOCK_ROWS: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_of_rows_fit_into_32_bits() {
        assert!(check_rows(ROWS_MAX).is_ok() && u32::try_from(ROWS_MAX).is_ok());
        let error = check_rows(ROWS_MAX + 1).unwrap_err();
        assert_eq!(error.code(), Code::LimitExceeded);
        assert_eq!(error.message(), "expected at most 2147483648 rows, found 2147483649");
    }
}
