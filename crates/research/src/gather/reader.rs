//! Rows shown one after another, from a source that gives them in that way: a database.

use samescore_core::error::Result;

use super::taker::Taker;

/// How many rows of a source are asked for at a time.
pub const BLOCK_ROWS: usize = 65_536;

/// An open table or query.
pub(super) trait Reader {
    /// The names of its columns, in its own order.
    fn names(&self) -> &[String];

    /// Shows the next rows, `n_rows_max` at most: in each row the cell of column `wanted[i]` to
    /// `takers[i]`, one call each. Gives the number of rows shown; 0 means that there are no more.
    /// Row numbers in errors count from the first row of the source.
    ///
    /// # Errors
    /// If the source cannot be read on, or stores a column in a type that the taker does not
    /// expect. What was shown before is of no use then.
    fn read<T: Taker>(
        &mut self,
        wanted: &[usize],
        takers: &mut [T],
        n_rows_max: usize,
    ) -> Result<usize>;
}
