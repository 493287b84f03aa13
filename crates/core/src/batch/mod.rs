//! Columns, batches, schemas and row keys: the only form in which rows exist in core.
//!
//! **Kinds.** `Num` is f64, `Text` is dictionary-coded UTF-8, `Time` is microseconds since
//! 1970-01-01T00:00:00 UTC as i64. Integers are numbers; those beyond 2^53 are refused at the door.
//!
//! **Missing.** One pattern per kind: the canonical NaN, [`MISSING_CODE`], [`MISSING_TIME`]. There
//! is no second way to say missing, and −0.0 does not exist in a batch.
//!
//! **Bounded.** A batch is a block of rows; a table is a list of blocks (see [`crate::aggregate`]).
//! Nothing in a batch depends on where in the table it stands: `first_row` is for messages only.
//!
//! **No allocation when warm.** [`Batch::clear`] keeps every buffer, and the `take_*` functions
//! hand out buffers that `replace`, `remove` and `clear` gave back.

mod cells;
mod column;
mod key;
mod parse;
mod rows;
mod schema;
mod text;

pub use cells::{CellReader, FIELD_BYTES_MAX, push_missing};
pub use column::{Column, Value};
pub use key::{RowKeyer, fit_keys};
pub use parse::{
    TimeFormat, civil_date, integer_num, parse_num, parse_time, read_num, read_time, show_num,
    show_time, write_num, write_time,
};
pub use rows::Batch;
pub(crate) use rows::{Codes, concerns};
pub use schema::{ColumnKind, Field, Schema};
pub use text::{MISSING_CODE, TextColumn};

/// The missing time. Real times are at least `i64::MIN + 1`.
pub const MISSING_TIME: i64 = i64::MIN;

/// How many rows a block of a table holds. Results do not depend on it; the tests vary it.
pub const BLOCK_ROWS: usize = 4096;
