//! Any source to the takers of its columns: the one door behind which formats differ.

use std::path::Path;

use samescore_core::batch::found::absent;
use samescore_core::error::{Error, Result};
use samescore_core::par;

use super::folders::Filed;
use super::reader::{BLOCK_ROWS, Reader};
use super::taker::Part;
use super::{Format, Source, csv, gzip, ipc, json_lines, parquet, positions, sqlite};
use super::{check_names, check_size, postgres};
use crate::{file, snapshot};

/// The names of the columns that are asked for; `None` means all that there are.
pub(super) type Wanted<'a> = Option<&'a [&'a str]>;

/// What the takers of a table took.
pub(super) struct Taken<T> {
    /// The columns, as asked for.
    pub(super) names: Vec<String>,
    /// Their takers.
    pub(super) columns: Vec<T>,
    pub(super) n_rows: usize,
}

/// Shows the wanted columns of a source to takers that `make` makes for their names.
///
/// # Errors
/// If the source cannot be read, is not a table, lacks a column, or changes meanwhile.
pub(super) fn take<T: Part>(
    source: &Source,
    wanted: Wanted<'_>,
    make: &(impl Fn(&str) -> T + Sync),
) -> Result<Taken<T>> {
    match source {
        Source::Files(_) => {
            let files = source.filed()?;
            match files.as_slice() {
                [only] => take_filed(only, wanted, make),
                files => take_files(files, wanted, make),
            }
        }
        Source::Sqlite(path, relation) => {
            sqlite::open(path, relation, |reader| take_rows(path, reader, wanted, make))
        }
        Source::Postgres(address, relation) => {
            let mut reader = postgres::open(address, relation)?;
            take_rows(Path::new(&source.to_string()), &mut reader, wanted, make)
        }
    }
}

pub(super) fn take_file<T: Part>(
    path: &Path,
    wanted: Wanted<'_>,
    make: &(impl Fn(&str) -> T + Sync),
) -> Result<Taken<T>> {
    let format = Format::of(path)?;
    if format == Format::Csv {
        return csv::take_file(path, wanted, make);
    }
    let bytes = file::read(path)?;
    snapshot::check_table(path, &bytes)?;
    match format {
        Format::Csv => csv::take(path, &bytes, wanted, make),
        Format::CsvGz => csv::take(path, &gzip::unpacked(path, &bytes)?, wanted, make),
        Format::Parquet => parquet::take(path, bytes, wanted, make),
        Format::Ipc => ipc::take(path, &bytes, wanted, make),
        Format::JsonLines => json_lines::take(path, &bytes, wanted, make),
    }
}

/// A file with the columns that folders give its rows; those come behind its own.
fn take_filed<T: Part>(
    file: &Filed,
    wanted: Wanted<'_>,
    make: &(impl Fn(&str) -> T + Sync),
) -> Result<Taken<T>> {
    if file.is_bare() {
        return take_file(&file.path, wanted, make);
    }
    let file = file.opened()?;
    let inside = wanted.map(|names| file.inside(names));
    let taken = take_file(&file.path, inside.as_deref(), make)?;
    let names: Vec<String> = match wanted {
        Some(names) => names.iter().map(|name| (*name).to_owned()).collect(),
        None => taken.names.into_iter().chain(file.names_outside().map(str::to_owned)).collect(),
    };
    let shown: Vec<&str> = names.iter().map(String::as_str).collect();
    let columns = file.whole(&shown, taken.columns, (0, taken.n_rows), make)?;
    Ok(Taken { names, columns, n_rows: taken.n_rows })
}

/// Several files as one table: each must have the columns of the first.
fn take_files<T: Part>(
    files: &[Filed],
    wanted: Wanted<'_>,
    make: &(impl Fn(&str) -> T + Sync),
) -> Result<Taken<T>> {
    let mut names: Vec<String> = Vec::new();
    let first = files.first().map_or(Path::new(""), |file| &file.path);
    let mut parts = Vec::with_capacity(files.len());
    let mut n_rows = 0;
    for file in files {
        let path = &file.path;
        let taken = take_filed(file, wanted, make);
        let mut taken = taken.map_err(|e| e.within(&format!("`{}`", path.display())))?;
        match parts.is_empty() {
            true => names = taken.names,
            false => same_columns((first, &names), path, &mut taken)?,
        }
        n_rows += taken.n_rows;
        taken.columns.iter_mut().for_each(|column| column.of_file(path));
        parts.push(taken.columns);
    }
    check_size(first, n_rows, names.len())?;
    let shown: Vec<&str> = names.iter().map(String::as_str).collect();
    let columns = join(&shown, parts, make);
    Ok(Taken { names, columns, n_rows })
}

/// Puts the columns of a file into the order of the first one.
pub(super) fn same_columns<T>(
    (first, names): (&Path, &[String]),
    path: &Path,
    taken: &mut Taken<T>,
) -> Result<()> {
    if taken.names == names {
        return Ok(());
    }
    let differs = |e: Error| e.remedy("files that are one table have the same columns");
    let wanted: Vec<&str> = names.iter().map(String::as_str).collect();
    let places = positions(path, &taken.names, &wanted).map_err(differs)?;
    // Each of `names` is there, so that a name more is one that the first file lacks.
    let is_more = taken.names.len() > names.len();
    let extra = taken.names.iter().find(|name| is_more && !names.contains(name));
    if let Some(extra) = extra {
        return Err(differs(absent(&first.display().to_string(), extra, names)));
    }
    let mut columns: Vec<Option<T>> = taken.columns.drain(..).map(Some).collect();
    taken.columns = places.iter().filter_map(|&place| columns[place].take()).collect();
    Ok(())
}

/// The rows of a source that gives them one after another. `path` is what messages call it.
fn take_rows<T: Part>(
    path: &Path,
    reader: &mut impl Reader,
    wanted: Wanted<'_>,
    make: &(impl Fn(&str) -> T + Sync),
) -> Result<Taken<T>> {
    let found = reader.names().to_vec();
    check_size(path, 0, found.len())?;
    check_names(path, &found)?;
    let (names, places) = choose(path, &found, wanted)?;
    let mut columns: Vec<T> = names.iter().map(|name| make(name)).collect();
    let mut n_rows = 0;
    loop {
        match reader.read(&places, &mut columns, BLOCK_ROWS)? {
            0 => return Ok(Taken { names, columns, n_rows }),
            n => n_rows += n,
        }
        check_size(path, n_rows, found.len())?;
    }
}

/// The wanted names and where they are among those found.
pub(super) fn choose(
    path: &Path,
    found: &[String],
    wanted: Wanted<'_>,
) -> Result<(Vec<String>, Vec<usize>)> {
    match wanted {
        None => Ok((found.to_vec(), (0..found.len()).collect())),
        Some(names) => {
            let places = positions(path, found, names)?;
            Ok((names.iter().map(|name| (*name).to_owned()).collect(), places))
        }
    }
}

/// The columns of which each part of a table has its own, part by part.
pub(super) fn join<T: Part>(
    names: &[&str],
    parts: Vec<Vec<T>>,
    make: &(impl Fn(&str) -> T + Sync),
) -> Vec<T> {
    let mut columns: Vec<(&str, Vec<T>)> =
        names.iter().map(|name| (*name, Vec::with_capacity(parts.len()))).collect();
    for part in parts {
        columns.iter_mut().zip(part).for_each(|((_, parts), taker)| parts.push(taker));
    }
    par::map_mut(&mut columns, |(name, parts)| {
        let mut whole = make(name);
        whole.append(std::mem::take(parts));
        whole
    })
}
