//! Names of functions and columns whose values are not those of the rows.

use super::Dialect;

/// Whether a function of that name gives another value on another run, in another session or on
/// another machine, however it is called.
pub(super) fn is_volatile(dialect: Dialect, name: &str) -> bool {
    match dialect {
        Dialect::Postgres => {
            POSTGRES_VOLATILE.contains(&name)
                || POSTGRES_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
                    && !POSTGRES_STEADY.contains(&name)
        }
        Dialect::Sqlite => SQLITE_VOLATILE.contains(&name),
    }
}

const POSTGRES_VOLATILE: [&str; 43] = [
    "clock_timestamp",
    "current_catalog",
    "current_database",
    "current_date",
    "current_query",
    "current_role",
    "current_schema",
    "current_schemas",
    "current_setting",
    "current_time",
    "current_timestamp",
    "current_user",
    "currval",
    "gen_random_bytes",
    "gen_random_uuid",
    "gen_salt",
    "inet_client_addr",
    "inet_client_port",
    "inet_server_addr",
    "inet_server_port",
    "lastval",
    "localtime",
    "localtimestamp",
    "nextval",
    "now",
    "random",
    "random_normal",
    "row_security_active",
    "session_user",
    "set_config",
    "setseed",
    "setval",
    "statement_timestamp",
    "system_user",
    "timeofday",
    "transaction_timestamp",
    "user",
    "uuid_generate_v1",
    "uuid_generate_v1mc",
    "uuid_generate_v4",
    "uuidv4",
    "uuidv7",
    "version",
];
const POSTGRES_PREFIXES: [&str; 4] = ["pg_", "txid_", "lo_", "dblink"];
/// What begins like those and depends on its arguments alone.
const POSTGRES_STEADY: [&str; 2] = ["pg_typeof", "pg_size_pretty"];

const SQLITE_VOLATILE: [&str; 11] = [
    "changes",
    "current_date",
    "current_time",
    "current_timestamp",
    "last_insert_rowid",
    "load_extension",
    "random",
    "randomblob",
    "sqlite_source_id",
    "sqlite_version",
    "total_changes",
];

/// Words that PostgreSQL's dates and times read as a moment of the clock.
pub(super) const CLOCK_WORDS: [&str; 4] = ["now", "today", "tomorrow", "yesterday"];
/// Words that SQLite's functions read as the clock or as the machine's time zone.
pub(super) const SQLITE_CLOCK_WORDS: [&str; 3] = ["now", "localtime", "utc"];

/// Functions of SQLite that take the clock when they get no time.
pub(super) fn is_sqlite_time(name: &str) -> bool {
    matches!(
        name,
        "date" | "time" | "datetime" | "julianday" | "unixepoch" | "strftime" | "timediff"
    )
}

/// Whether PostgreSQL reads a text given to that function as a date or time.
pub(super) fn is_postgres_time(name: &str) -> bool {
    matches!(name, "date" | "time" | "timetz" | "timestamp" | "timestamptz")
}

/// Whether a column of that name says where or when its row was written.
pub(super) fn is_system_column(dialect: Dialect, name: &str) -> bool {
    match dialect {
        Dialect::Postgres => {
            matches!(name, "ctid" | "xmin" | "xmax" | "cmin" | "cmax" | "tableoid" | "oid")
        }
        Dialect::Sqlite => matches!(name, "rowid" | "_rowid_" | "oid"),
    }
}

/// Aggregates that add up, whose result depends on the order of floats.
pub(super) fn is_sum(dialect: Dialect, name: &str) -> bool {
    match dialect {
        Dialect::Postgres => matches!(
            name,
            "sum"
                | "avg"
                | "stddev"
                | "stddev_pop"
                | "stddev_samp"
                | "variance"
                | "var_pop"
                | "var_samp"
        ),
        Dialect::Sqlite => matches!(name, "sum" | "avg" | "total"),
    }
}

/// Aggregates that compute in floats, whatever they get.
pub(super) fn is_float_sum(dialect: Dialect, name: &str) -> bool {
    dialect == Dialect::Postgres
        && (matches!(name, "corr" | "covar_pop" | "covar_samp") || name.starts_with("regr_"))
}

/// Aggregates whose result has the order of the rows in it.
pub(super) fn is_collecting(name: &str) -> bool {
    matches!(
        name,
        "any_value"
            | "array_agg"
            | "group_concat"
            | "json_agg"
            | "json_agg_strict"
            | "json_arrayagg"
            | "json_group_array"
            | "json_group_object"
            | "json_object_agg"
            | "json_object_agg_strict"
            | "json_object_agg_unique"
            | "json_object_agg_unique_strict"
            | "json_objectagg"
            | "jsonb_agg"
            | "jsonb_agg_strict"
            | "jsonb_group_array"
            | "jsonb_group_object"
            | "jsonb_object_agg"
            | "jsonb_object_agg_strict"
            | "jsonb_object_agg_unique"
            | "jsonb_object_agg_unique_strict"
            | "string_agg"
            | "xmlagg"
    )
}

/// Functions that, over a window, give equal rows equal values if the frame does not count rows.
pub(super) fn is_peerwise(dialect: Dialect, name: &str) -> bool {
    matches!(
        name,
        "rank"
            | "dense_rank"
            | "percent_rank"
            | "cume_dist"
            | "count"
            | "min"
            | "max"
            | "bool_and"
            | "bool_or"
            | "every"
            | "bit_and"
            | "bit_or"
            | "bit_xor"
    ) || is_sum(dialect, name)
        || is_float_sum(dialect, name)
}

/// Of those, the ones that look at no frame.
pub(super) fn is_rank(name: &str) -> bool {
    matches!(name, "rank" | "dense_rank" | "percent_rank" | "cume_dist")
}
