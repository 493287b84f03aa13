//! What an SQLite file says of its tables and views, and of the rows that a query orders.

use std::collections::BTreeSet;

use rusqlite::{Connection, Result};

use super::super::sql::{Known, identifier};

/// All tables with their columns, and all views.
pub(super) fn read(connection: &Connection) -> Result<Known> {
    let text = "SELECT type, name, coalesce(sql, '') FROM sqlite_schema \
        WHERE type IN ('table', 'view')";
    let mut statement = connection.prepare(text)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let mut known = Known::default();
    for row in rows {
        let (kind, name, made): (String, String, String) = row?;
        if kind == "view" {
            known.views.insert(name.to_ascii_lowercase(), made);
            continue;
        }
        // A virtual table of a module that is not here has no columns to be seen.
        let columns = columns(connection, &name).unwrap_or_default();
        known.add_table(&name, columns, &made);
    }
    Ok(known)
}

fn columns(connection: &Connection, table: &str) -> Result<BTreeSet<String>> {
    let mut statement = connection.prepare("SELECT name FROM pragma_table_xinfo(?1)")?;
    let names = statement.query_map([table], |row| row.get::<_, String>(0))?;
    names.map(|name| name.map(|name| name.to_ascii_lowercase())).collect()
}

/// Whether a query gives rows that are equal in all of these terms.
pub(super) fn has_ties(connection: &Connection, text: &str, terms: &[String]) -> Result<bool> {
    let by = terms.join(", ");
    let counted = format!(
        "SELECT EXISTS (SELECT 1 FROM ({text}\n) AS {} GROUP BY {by} HAVING count(*) > 1)",
        identifier("uncut")
    );
    connection.query_row(&counted, [], |row| row.get(0))
}
