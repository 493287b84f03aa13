//! What a source turns out to have: how many rows and columns, under which names, and where among
//! them those are that somebody asks for. One answer for every form of table.

use super::{COLUMNS_MAX, ROWS_MAX};
use crate::error::{Code, Error, Result};

/// How many columns a message lists.
const LISTED_COLUMNS: usize = 10;

/// Refuses tables beyond the stated limits.
///
/// # Errors
/// If there are more rows than [`ROWS_MAX`] or more columns than [`COLUMNS_MAX`].
pub fn check_size(source: &str, n_rows: usize, n_columns: usize) -> Result<()> {
    let refuse = |limit: usize, what: &str, found: usize| {
        let message = format!("`{source}`: expected at most {limit} {what}, found {found}");
        Err(Error::new(Code::LimitExceeded, message))
    };
    if n_columns > COLUMNS_MAX {
        return refuse(COLUMNS_MAX, "columns", n_columns);
    }
    if n_rows > ROWS_MAX {
        return refuse(ROWS_MAX, "rows", n_rows);
    }
    Ok(())
}

/// Refuses names that occur twice, and those with a NUL byte, which no tool shows.
///
/// # Errors
/// If one does, or has one.
pub fn check_names(source: &str, names: &[String]) -> Result<()> {
    if let Some(place) = names.iter().position(|name| name.contains('\0')) {
        let message = format!("expected names in `{source}`, found a NUL byte in that of column");
        return Err(Error::new(Code::BadValue, format!("{message} {}", place + 1))
            .remedy("write the header again at the source"));
    }
    let mut sorted: Vec<&String> = names.iter().collect();
    sorted.sort();
    match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        None => Ok(()),
        Some(pair) => Err(Error::new(
            Code::DuplicateColumn,
            format!("expected unique names in `{source}`, found it twice"),
        )
        .remedy("rename one of them at the source")
        .column(pair[0])),
    }
}

/// Where each of `wanted` stands among `names`.
///
/// # Errors
/// If one is absent; the message lists what there is.
pub fn places<'n>(
    source: &str,
    names: &[String],
    wanted: impl IntoIterator<Item = &'n str>,
) -> Result<Vec<usize>> {
    let mut by_name: Vec<(&str, usize)> =
        names.iter().enumerate().map(|(place, name)| (name.as_str(), place)).collect();
    by_name.sort();
    let place_of = |name: &str| {
        by_name
            .binary_search_by(|(known, _)| (*known).cmp(name))
            .map(|at| by_name[at].1)
            .map_err(|_| absent(source, name, names))
    };
    wanted.into_iter().map(place_of).collect()
}

/// A column that is asked for and is not there.
pub fn absent(source: &str, name: &str, names: &[String]) -> Error {
    let listed: Vec<&str> = names.iter().take(LISTED_COLUMNS).map(String::as_str).collect();
    let more = names.len().saturating_sub(listed.len());
    let tail = if more > 0 { format!(" and {more} more") } else { String::new() };
    let message = format!("expected it in `{source}`, found {}{tail}", listed.join(", "));
    let error = Error::new(Code::MissingColumn, message).column(name);
    if names.iter().any(|other| other.trim() == name.trim()) {
        return error.remedy("names are compared byte by byte, blanks included");
    }
    if names.iter().any(|other| other.eq_ignore_ascii_case(name)) {
        return error.remedy("names are compared byte by byte, capitals included");
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_beyond_the_limits_or_there_twice_is_refused() {
        assert!(check_size("t", ROWS_MAX, COLUMNS_MAX).is_ok());
        let rows = check_size("t", ROWS_MAX + 1, 1).unwrap_err();
        assert_eq!(rows.message(), "`t`: expected at most 2147483648 rows, found 2147483649");
        assert_eq!(check_size("t", 0, COLUMNS_MAX + 1).unwrap_err().code(), Code::LimitExceeded);
        let names = ["b", "a", "b"].map(str::to_owned);
        let twice = check_names("t", &names).unwrap_err();
        assert_eq!((twice.code(), twice.column_name()), (Code::DuplicateColumn, Some("b")));
        assert!(check_names("t", &names[..2]).is_ok());
        let nul = check_names("t", &["a".to_owned(), "b\0".to_owned()]).unwrap_err().to_string();
        assert!(nul.starts_with("expected names in `t`, found a NUL byte in that of column 2"));
    }

    #[test]
    fn what_is_absent_is_named_with_ten_of_those_that_are_not() {
        let names: Vec<String> = (0..12).map(|i| format!("c{i}")).collect();
        assert_eq!(places("t", &names, ["c11", "c0"]).unwrap(), [11, 0]);
        let error = places("t", &names, ["c0", "C1"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "column `C1`: expected it in `t`, found c0, c1, c2, c3, c4, c5, c6, c7, c8, c9 and 2 \
             more (names are compared byte by byte, capitals included)"
        );
    }
}
