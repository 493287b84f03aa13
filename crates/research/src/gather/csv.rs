//! CSV through core's one reader of the form: what production uses, so that one text has the same
//! cells on both sides. Chunks of the file are read side by side.

use std::path::Path;

use samescore_core::csv_form::{CsvChunks, CsvTable, for_each_block};
use samescore_core::error::Result;

use super::table::{Taken, Wanted, join};
use super::taker::Part;

/// The wanted columns of a file's content.
pub(super) fn take<T: Part>(
    path: &Path,
    bytes: &[u8],
    wanted: Wanted<'_>,
    make: &(impl Fn(&str) -> T + Sync),
) -> Result<Taken<T>> {
    let shown = path.display().to_string();
    let chunks = CsvChunks::cut(&shown, bytes)?;
    let names: Vec<&str> = match wanted {
        None => chunks.names().iter().map(String::as_str).collect(),
        Some(names) => names.to_vec(),
    };
    let places = match chunks.places(names.iter().copied()) {
        Ok(places) => places,
        // What is wrong with the form of the file comes before what is not in it.
        Err(absent) => return Err(CsvTable::open(&shown, bytes).err().unwrap_or(absent)),
    };
    let n_columns = chunks.names().len();
    let (n_rows, parts) = chunks.map(|chunk| {
        let mut takers: Vec<T> = names.iter().map(|name| make(name)).collect();
        let n_rows = for_each_block(chunk, n_columns, |rows| {
            for (taker, &place) in takers.iter_mut().zip(&places) {
                rows.column(place).for_each(|cell| taker.text(&cell));
            }
        })?;
        Some((n_rows, takers))
    })?;
    let columns = join(&names, parts, make);
    Ok(Taken { names: names.into_iter().map(str::to_owned).collect(), columns, n_rows })
}
