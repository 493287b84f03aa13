//! CSV through core's one reader of the form: what production uses, so that one text has the same
//! cells on both sides. Parts of the file are read side by side.
//!
//! # Method
//! A large file is read a piece of whole records at a time, by whichever thread is free, into a
//! buffer of its own: the text of the file is never all in memory. Whatever is not as it should be
//! ends that, and the file is read whole, which finds what is wrong and where.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use samescore_core::csv_form::{CHUNK_BYTES, CsvChunks, CsvTable, end_of_records, for_each_block};
use samescore_core::error::Result;
use samescore_core::par;

use super::check_size;
use super::table::{Taken, Wanted, join};
use super::taker::Part;
use crate::file::{self, Stamp, changed};

/// From here on a file is read in pieces.
const PIECES_BYTES_MIN: u64 = 4 << 20;

/// The wanted columns of a file.
pub(super) fn take_file<T: Part>(
    path: &Path,
    wanted: Wanted<'_>,
    make: &(impl Fn(&str) -> T + Sync),
) -> Result<Taken<T>> {
    let before = Stamp::of(path).ok();
    if let Some(before) = before.filter(|s| s.is_plain && s.n_bytes >= PIECES_BYTES_MIN)
        && let Some(taken) = take_pieces(path, CHUNK_BYTES, wanted, make)
    {
        if Stamp::of(path).ok() != Some(before) {
            return Err(changed(path));
        }
        check_size(path, taken.n_rows, taken.columns.len())?;
        return Ok(taken);
    }
    take(path, &file::read(path)?, wanted, make)
}

/// The wanted columns of a file's content.
pub(super) fn take<T: Part>(
    path: &Path,
    bytes: &[u8],
    wanted: Wanted<'_>,
    make: &(impl Fn(&str) -> T + Sync),
) -> Result<Taken<T>> {
    let shown = path.display().to_string();
    let chunks = CsvChunks::cut(&shown, bytes)?;
    let names = names(&chunks, wanted);
    let places = match chunks.places(names.iter().copied()) {
        Ok(places) => places,
        // What is wrong with the form of the file comes before what is not in it.
        Err(absent) => return Err(CsvTable::open(&shown, bytes).err().unwrap_or(absent)),
    };
    let form = Form { places, n_columns: chunks.names().len() };
    let (n_rows, parts) = chunks.map(|chunk| form.read(chunk, &names, make))?;
    let columns = join(&names, parts, make);
    Ok(Taken { names: names.into_iter().map(str::to_owned).collect(), columns, n_rows })
}

fn names<'a>(chunks: &'a CsvChunks<'_>, wanted: Wanted<'a>) -> Vec<&'a str> {
    match wanted {
        None => chunks.names().iter().map(String::as_str).collect(),
        Some(names) => names.to_vec(),
    }
}

/// The same from the file, some at a time; `None` if something is not as it should be.
fn take_pieces<T: Part>(
    path: &Path,
    piece_bytes: usize,
    wanted: Wanted<'_>,
    make: &(impl Fn(&str) -> T + Sync),
) -> Option<Taken<T>> {
    let file = File::open(path).ok()?;
    let mut pieces = Pieces { file, piece_bytes, rest: Vec::new(), n_given: 0 };
    let mut first = Vec::new();
    pieces.next(&mut first).ok()?;
    let chunks = CsvChunks::cut("", &first).ok()?;
    let names = names(&chunks, wanted);
    let places = chunks.places(names.iter().copied()).ok()?;
    let form = Form { places, n_columns: chunks.names().len() };
    let (mut n_rows, mut parts) = chunks.map(|chunk| form.read(chunk, &names, make)).ok()?;
    let pieces = Mutex::new(pieces);
    let threads: Vec<usize> = (0..par::n_threads()).collect();
    let read = par::map(&threads, |_| {
        let (mut read, mut piece) = (Vec::new(), Vec::new());
        loop {
            let next = pieces.lock().unwrap_or_else(PoisonError::into_inner).next(&mut piece);
            match next.ok()? {
                Some(number) => read.push((number, form.read(&piece, &names, make)?)),
                None => return Some(read),
            }
        }
    });
    let read: Option<Vec<_>> = read.into_iter().collect();
    let mut read: Vec<_> = read?.into_iter().flatten().collect();
    read.sort_by_key(|(number, _)| *number);
    for (_, (height, takers)) in read {
        n_rows += height;
        parts.push(takers);
    }
    let columns = join(&names, parts, make);
    Some(Taken { names: names.into_iter().map(str::to_owned).collect(), columns, n_rows })
}

/// What a file's header says.
pub(super) struct Form {
    pub(super) n_columns: usize,
    /// Where the wanted columns stand in a row.
    pub(super) places: Vec<usize>,
}

impl Form {
    /// The number of rows of a text, and their cells; `None` if it is not well formed.
    pub(super) fn read<T: Part>(
        &self,
        text: &[u8],
        names: &[&str],
        make: &(impl Fn(&str) -> T + Sync),
    ) -> Option<(usize, Vec<T>)> {
        let mut takers: Vec<T> = names.iter().map(|name| make(name)).collect();
        let n_rows = for_each_block(text, self.n_columns, |rows| {
            for (taker, &place) in takers.iter_mut().zip(&self.places) {
                taker.texts(rows.column(place));
            }
        })?;
        Some((n_rows, takers))
    }
}

/// A file's whole records, some at a time, numbered.
struct Pieces {
    file: File,
    piece_bytes: usize,
    /// What is read and not yet given, from the beginning of a record on.
    rest: Vec<u8>,
    n_given: usize,
}

impl Pieces {
    /// Makes `piece` the next one and gives its number; `None` behind the last.
    fn next(&mut self, piece: &mut Vec<u8>) -> io::Result<Option<usize>> {
        piece.clear();
        piece.append(&mut self.rest);
        loop {
            let more = (&mut self.file).take(self.piece_bytes as u64).read_to_end(piece)?;
            if more == 0 {
                break;
            }
            if let Some(end) = end_of_records(piece) {
                self.rest.extend_from_slice(&piece[end..]);
                piece.truncate(end);
                break;
            }
        }
        let number = self.n_given;
        self.n_given += 1;
        Ok((!piece.is_empty()).then_some(number))
    }
}

#[cfg(test)]
mod tests {
    use samescore_core::batch::ColumnKind;

    use super::super::taker::Filling;
    use super::*;

    fn shown(taken: &Taken<Filling>) -> Vec<(String, Vec<String>)> {
        let cells = |filling: &Filling| {
            (0..taken.n_rows).map(|row| filling.column.value(row).to_string()).collect()
        };
        taken.names.iter().cloned().zip(taken.columns.iter().map(cells)).collect()
    }

    #[test]
    fn a_file_in_pieces_of_any_size_is_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        let make = |_: &str| Filling::new(&ColumnKind::Text.into(), &[]);
        let mut table = "\u{feff}a,\"b\nc\"\r\n".to_owned();
        for row in 0..300 {
            let cell = ["x", "\"y\n,\"\"\"", "", "\"\"", "\u{e9}"][row % 5];
            table.push_str(&format!("{row},{cell}\n"));
        }
        let texts = [&table, table.trim_end(), "a,\"b\nc\"\n1,2", "a,\"b\nc\"\n", "a,\"b\nc\""];
        for n_threads in [1, 3] {
            let threads = par::Threads::new(n_threads).unwrap();
            for (text, wanted) in texts.iter().flat_map(|t| [(t, None), (t, Some(&["b\nc"][..]))]) {
                std::fs::write(&path, text).unwrap();
                let whole = take(&path, text.as_bytes(), wanted, &make).unwrap();
                for piece_bytes in [1, 2, 7, 64, 1000, CHUNK_BYTES] {
                    let pieces = threads.run(|| take_pieces(&path, piece_bytes, wanted, &make));
                    // A header that is no whole record is left to the reading of the whole.
                    match pieces {
                        Some(pieces) => assert_eq!(shown(&pieces), shown(&whole)),
                        None => assert!(!text.contains("\n1"), "{text:?} by {piece_bytes}"),
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_not_well_formed_is_left_to_the_reading_of_the_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        let make = |_: &str| Filling::new(&ColumnKind::Text.into(), &[]);
        for text in ["", "\n\n", "a,a\n1,2\n", "a\n1\n1,2\n", "a\n1\n\"2\n", "a\n1\r2\n", "b\n1\n"]
        {
            std::fs::write(&path, text).unwrap();
            for piece_bytes in [1, 3, CHUNK_BYTES] {
                assert!(take_pieces(&path, piece_bytes, Some(&["a"]), &make).is_none(), "{text:?}");
            }
        }
    }
}
