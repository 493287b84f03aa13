//! What folders called `name=value` say of the rows of the files in them.
//!
//! # Method
//! Below the beginning of the path that is fixed, each folder `name=value` is a column `name`,
//! whose cell in every row of the files in it is `value`, read as a cell of a CSV file is. `%20`
//! and the like stand for bytes, as the programs that write such folders mean it. Other folders say
//! nothing. All files of a source have the same such folders in the same order.
//!
//! # Missing
//! An empty value is missing, and so is `__HIVE_DEFAULT_PARTITION__`.
//!
//! # Errors
//! A file may have a column of that name itself, as some writers leave it in. Where it is asked
//! for, each of its cells must be the folder's value, both read as the kind of the column: `2020`
//! is 2020.0 in a num column, and `01` is not `1` in a text column. The first row that says
//! something else is an error.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use samescore_core::error::{Code, Error, Result};

use super::blocks;
use super::source::decoded;
use super::taker::Part;

/// How a missing value is written, because a folder has to be called something.
const MISSING: &str = "__HIVE_DEFAULT_PARTITION__";

/// A file, and what the folders above it say of its rows.
#[derive(Clone, Debug)]
pub(super) struct Filed {
    pub(super) path: PathBuf,
    levels: Vec<Level>,
}

/// A column that a folder gives.
#[derive(Clone, Debug)]
struct Level {
    name: String,
    /// The cell of every row; `None` is missing.
    cell: Option<String>,
    /// Whether the file has it as well.
    is_inside: bool,
}

impl Filed {
    /// A file that was named itself.
    pub(super) fn named(path: PathBuf) -> Self {
        Filed { path, levels: Vec::new() }
    }

    /// The files with what the folders below `root` say.
    ///
    /// # Errors
    /// If they do not say it of the same columns.
    pub(super) fn below(root: &Path, found: Vec<PathBuf>) -> Result<Vec<Self>> {
        let mut filed: Vec<Self> = Vec::with_capacity(found.len());
        for path in found {
            let file = Filed { levels: levels(root, &path)?, path };
            if let Some(first) = filed.first()
                && !first.names().eq(file.names())
            {
                return Err(differ(first, &file));
            }
            filed.push(file);
        }
        Ok(filed)
    }

    /// The columns that folders give.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.levels.iter().map(|level| level.name.as_str())
    }

    /// Whether folders say nothing of the rows.
    pub(super) fn is_bare(&self) -> bool {
        self.levels.is_empty()
    }

    /// The same, knowing which of these columns the file has as well.
    ///
    /// # Errors
    /// If the file cannot be looked into before it is read.
    pub(super) fn opened(&self) -> Result<Self> {
        let mut opened = self.clone();
        if self.is_bare() {
            return Ok(opened);
        }
        if !std::fs::metadata(&self.path).is_ok_and(|found| found.is_file()) {
            let path = self.path.display();
            let message = format!("`{path}`: expected a plain file in a folder of values");
            return Err(Error::new(Code::UnknownSource, message));
        }
        let inside = blocks::names_inside(&self.path)?;
        for level in &mut opened.levels {
            level.is_inside = inside.contains(&level.name);
        }
        Ok(opened)
    }

    /// Whether the file has a column that a folder gives.
    pub(super) fn is_told_twice(&self) -> bool {
        self.levels.iter().any(|level| level.is_inside)
    }

    /// The columns that folders alone give.
    pub(super) fn names_outside(&self) -> impl Iterator<Item = &str> {
        self.levels.iter().filter(|level| !level.is_inside).map(|level| level.name.as_str())
    }

    /// Those of the wanted columns that are in the file.
    pub(super) fn inside<'a>(&self, wanted: &[&'a str]) -> Vec<&'a str> {
        let is_inside = |name: &&str| !self.names_outside().any(|given| given == *name);
        wanted.iter().copied().filter(is_inside).collect()
    }

    /// All wanted columns of so many rows, of which those that are in the file have been read;
    /// `before` rows of the file stand before them.
    ///
    /// # Errors
    /// If the file says something else than a folder.
    pub(super) fn whole<T: Part>(
        &self,
        wanted: &[&str],
        columns: Vec<T>,
        (before, n_rows): (usize, usize),
        make: &(impl Fn(&str) -> T + Sync),
    ) -> Result<Vec<T>> {
        if self.is_bare() {
            return Ok(columns);
        }
        let mut read = columns.into_iter();
        let column = |name: &&str| match self.levels.iter().find(|level| level.name == **name) {
            None => read.next().map(Ok),
            Some(level) if !level.is_inside => Some(Ok(level.column(n_rows, make))),
            Some(level) => {
                let (own, given) = (read.next()?, level.column(n_rows, make));
                Some(own.same_as(given).map_err(|unlike| {
                    self.differs(level, unlike.row + before, (&unlike.expected, &unlike.found))
                }))
            }
        };
        wanted.iter().filter_map(column).collect()
    }

    /// A row of the file that says something else than a folder.
    fn differs(&self, level: &Level, row: usize, (expected, found): (&str, &str)) -> Error {
        let (path, name) = (self.path.display(), &level.name);
        let cell = level.cell.as_deref().unwrap_or(MISSING);
        let message = format!(
            "`{path}` row {row}: expected {expected}, as the folder `{name}={cell}` says, \
             found {found}"
        );
        Error::new(Code::BadValue, message).column(name).remedy(
            "move the row, write the file without the column, or name the folder without `=`",
        )
    }
}

impl Level {
    fn column<T: Part>(&self, n_rows: usize, make: &(impl Fn(&str) -> T + Sync)) -> T {
        let mut taker = make(&self.name);
        taker.reserve(n_rows);
        match &self.cell {
            Some(cell) => taker.texts(std::iter::repeat_n(Cow::Borrowed(cell.as_str()), n_rows)),
            None => (0..n_rows).for_each(|_| taker.missing()),
        }
        taker
    }
}

/// The columns that the folders between `root` and a file give.
fn levels(root: &Path, path: &Path) -> Result<Vec<Level>> {
    let mut levels: Vec<Level> = Vec::new();
    let folders = path.strip_prefix(root).ok().and_then(Path::parent).unwrap_or(Path::new(""));
    for folder in folders {
        let shown = folder.to_string_lossy();
        let Some((name, cell)) = shown.split_once('=') else {
            continue;
        };
        let refused = |what: &str| {
            let message = format!("`{}`: {what} in the folder `{shown}`", path.display());
            Error::new(Code::UnknownSource, message)
        };
        if folder.to_str().is_none() {
            return Err(refused("expected UTF-8, found other bytes"));
        }
        let read = |text| {
            decoded(text).map_err(|e| refused(e.message()).remedy("write `%` itself as %25"))
        };
        let (name, cell) = (read(name)?, read(cell)?);
        if name.is_empty() {
            return Err(refused("expected the name of a column before `=`, found none"));
        }
        if levels.iter().any(|level| level.name == name) {
            return Err(refused(&format!("expected `{name}` once, found it again")));
        }
        let cell = (!cell.is_empty() && cell != MISSING).then_some(cell);
        levels.push(Level { name, cell, is_inside: false });
    }
    Ok(levels)
}

fn differ(first: &Filed, other: &Filed) -> Error {
    let shown = |filed: &Filed| match filed.levels.is_empty() {
        true => "no folder `name=value`".to_owned(),
        false => filed.names().map(|name| format!("`{name}=`")).collect::<Vec<_>>().join(", "),
    };
    let message = format!(
        "expected the same folders above every file, found {} above `{}` and {} above `{}`",
        shown(first),
        first.path.display(),
        shown(other),
        other.path.display()
    );
    Error::new(Code::UnknownSource, message).remedy("name files of the same folders by a pattern")
}

#[cfg(test)]
mod tests {
    use super::*;

    type Pair = (String, Option<String>);

    fn read(paths: &[&str]) -> Result<Vec<Vec<Pair>>> {
        let filed = Filed::below(Path::new("r/x=9"), paths.iter().map(PathBuf::from).collect())?;
        let pairs = |level: Level| (level.name, level.cell);
        Ok(filed.into_iter().map(|file| file.levels.into_iter().map(pairs).collect()).collect())
    }

    #[test]
    fn folders_below_the_beginning_are_columns() {
        let pair = |name: &str, cell: Option<&str>| (name.to_owned(), cell.map(str::to_owned));
        let files = [
            "r/x=9/year=2020/plain/m%20n=a%2Fb=c/t=1.csv",
            "r/x=9/year=/m n=__HIVE_DEFAULT_PARTITION__/b.csv",
        ];
        let expected = [
            vec![pair("year", Some("2020")), pair("m n", Some("a/b=c"))],
            vec![pair("year", None), pair("m n", None)],
        ];
        assert_eq!(read(&files).unwrap(), expected);
        assert_eq!(read(&["r/x=9/a.csv", "r/x=9/y/a.csv"]).unwrap(), [vec![], vec![]]);
    }

    #[test]
    fn folders_that_are_no_columns_are_refused() {
        for (files, said) in [
            (&["r/x=9/=1/a.csv"][..], "expected the name of a column before `=`, found none"),
            (&["r/x=9/a=1/a=2/a.csv"], "expected `a` once, found it again in the folder `a=2`"),
            (&["r/x=9/a=5%/a.csv"], "expected two hexadecimal digits behind each %, found `5%`"),
            (&["r/x=9/a=%ff/a.csv"], "expected UTF-8 behind %, found other bytes"),
            (
                &["r/x=9/a=1/b=1/a.csv", "r/x=9/b=1/a=1/b.csv"],
                "found `a=`, `b=` above `r/x=9/a=1/b=1/a.csv` and `b=`, `a=` above",
            ),
            (
                &["r/x=9/a.csv", "r/x=9/a=1/b.csv"],
                "found no folder `name=value` above `r/x=9/a.csv` and `a=` above \
                 `r/x=9/a=1/b.csv`",
            ),
        ] {
            let refused = read(files).unwrap_err().to_string();
            assert!(refused.contains(said), "{refused}");
        }
    }
}
