//! Each construct by name: refused with its place, allowed by its name, or never meant.

mod holes;

use samescore_core::error::Code;

use samescore_core::error::Result;

use super::{Allowed, Checked, Dialect, Known};

const POSTGRES: Dialect = Dialect::Postgres;
const SQLITE: Dialect = Dialect::Sqlite;

fn check<'a>(
    dialect: Dialect,
    text: &'a str,
    allow: &[String],
    key: &[String],
) -> Result<Checked<'a>> {
    super::check(dialect, text, &Allowed::read(allow)?, key, &Known::default())
}

fn key(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn accepted(dialect: Dialect, text: &str, names: &[&str]) {
    if let Err(error) = check(dialect, text, &[], &key(names)) {
        panic!("{text}: {error}");
    }
}

/// Refused under that name, and only then accepted.
fn refused(dialect: Dialect, text: &str, allow: &str, place: &str, found: &str) {
    let error = check(dialect, text, &[], &[]).expect_err(text);
    assert_eq!(error.code(), Code::RefusedQuery, "{text}");
    let said = error.message();
    assert!(said.contains(found), "{text}: {said}");
    assert!(said.contains(place), "{text}: {said}");
    let remedy = error.remedy_text().unwrap_or_default();
    assert!(remedy.contains(&format!("[\"{allow}\"]")), "{text}: {remedy}");
    let allowed = check(dialect, text, &[allow.to_owned()], &[]);
    assert!(allowed.is_ok(), "{text}: {allowed:?}");
}

fn never(dialect: Dialect, text: &str) {
    let all = super::Rule::ALL.map(|rule| rule.name().to_owned());
    let error = check(dialect, text, &all, &key(&["id"])).expect_err(text);
    assert_eq!(error.code(), Code::RefusedQuery, "{text}");
}

#[test]
fn plain_queries_are_accepted() {
    for text in [
        "select * from t",
        "SELECT a, b FROM s.t WHERE a > 3 ORDER BY b;",
        "with c as (select a from t) select distinct a from c",
        "values (1, 'a'), (2, 'b')",
        "select a from t union select b from u except select c from v",
        "select a, count(*), min(b), max(b), count(distinct c) from t group by a",
        "select cast(a as integer), coalesce(b, 0), upper(c) || 'x' from t",
        "select t.a, (select max(u.b) from u where u.id = t.id) from t left join u using (id)",
        "with recursive r(n) as (select 1 union all select n + 1 from r where n < 9) select n \
         from r",
    ] {
        accepted(POSTGRES, text, &[]);
        accepted(SQLITE, text, &[]);
    }
    accepted(POSTGRES, "table t", &[]);
    accepted(POSTGRES, "select a::text, b->>'k', c @> d from t limit all", &[]);
    accepted(POSTGRES, "select * from generate_series(1, 10) with ordinality g(i, n)", &[]);
    accepted(POSTGRES, "select percentile_disc(0.5) within group (order by a) from t", &[]);
}

#[test]
fn names_in_texts_comments_and_other_roles_are_not_meant() {
    for text in [
        "select 'now()', 'LIMIT 5', 'random()' from t",
        "select a /* limit 5 */ from t -- order by random()",
        "select \"limit\", \"random\", \"now\" from \"order\"",
        "select a as random, b as now from t where status = 'today'",
        "select t.random, t.total from t",
        "select 'a'';select now()' from t",
    ] {
        accepted(POSTGRES, text, &[]);
        accepted(SQLITE, text, &[]);
    }
    accepted(POSTGRES, "select $$ now() limit 5 $$, E'it\\'s now()', \"CTID\" from t", &[]);
    accepted(POSTGRES, "select mine.random(a) from t", &[]);
    accepted(SQLITE, "select [rowid of], `limit` from t", &[]);
}

#[test]
fn limits_without_a_total_order() {
    for (text, found) in [
        ("select a from t limit 5", "LIMIT without ORDER BY"),
        ("select a from t order by a limit 5", "LIMIT whose ORDER BY can have ties"),
        ("select a from t order by a limit 5 offset 2", "LIMIT whose"),
        ("select * from (select a from t limit 1) s", "LIMIT without"),
        ("with c as (select a from t order by a limit 3) select * from c", "LIMIT whose"),
        ("select a from t where b in (select b from u limit 2)", "LIMIT without"),
        ("(select a from t limit 2) union all select 1", "LIMIT without"),
    ] {
        refused(POSTGRES, text, "limit", "line 1, column ", found);
        refused(SQLITE, text, "limit", "line 1, column ", found);
    }
    refused(POSTGRES, "select a from t\noffset 3", "limit", "line 2", "OFFSET without");
    refused(POSTGRES, "select a from t fetch first 3 rows only", "limit", "line 1", "FETCH");
    refused(
        POSTGRES,
        "select distinct on (a) a, b from t order by a",
        "limit",
        "1, column 1",
        "ON",
    );
    refused(SQLITE, "select a from t limit 2, 5", "limit", "line 1", "LIMIT");
}

#[test]
fn an_order_by_the_whole_key_is_total_where_the_key_holds() {
    let names = &["a", "b"];
    for text in [
        "select * from t order by a, b limit 5",
        "select * from t order by x desc, t.b, A desc limit 5 offset 2",
        "select a, b from t union all select a, b from u order by b, a limit 5",
        "select a, b, row_number() over (partition by a order by b) from t",
        "select a, b, lag(x) over w from t window w as (order by a, b)",
    ] {
        accepted(POSTGRES, text, names);
        accepted(SQLITE, text, names);
    }
    for text in [
        "select * from t order by a limit 5",
        "select * from t order by a, b + 0 limit 5",
        "select * from (select * from t order by a, b limit 5) s",
        "select * from (select row_number() over (order by a, b) n from t) s",
        "select distinct on (a, b) a, b, x from t order by a, b",
    ] {
        assert!(check(POSTGRES, text, &[], &key(names)).is_err(), "{text}");
    }
    assert!(check(POSTGRES, "select * from t order by \"A\" limit 5", &[], &key(&["a"])).is_err());
    accepted(POSTGRES, "select * from t order by \"A\" limit 5", &["A"]);
    accepted(SQLITE, "select * from t order by \"A\" limit 5", &["a"]);
}

#[test]
fn windows_whose_values_depend_on_ties() {
    for (text, found) in [
        ("select row_number() over (order by a) from t", "`row_number` over"),
        ("select row_number() over () from t", "`row_number` over"),
        ("select lag(x, 1) over (order by a) from t", "`lag` over"),
        ("select first_value(x) over w from t window w as (order by a)", "`first_value`"),
        ("select ntile(4) over (order by a) from t", "`ntile`"),
        ("select count(*) over (order by a rows 2 preceding) from t", "`count`"),
        ("select a from t order by sum(1) over (rows 1 preceding)", "`sum`"),
    ] {
        refused(POSTGRES, text, "window_order", "line 1, column ", found);
        refused(SQLITE, text, "window_order", "line 1, column ", found);
    }
    for text in [
        "select rank() over (order by a), dense_rank() over (order by a) from t",
        "select count(*) over (partition by a), max(x) over (order by a) from t",
        "select sum(cast(x as integer)) over (order by a) from t",
        "select count(*) over w from t window w as (partition by a), v as (w order by b)",
    ] {
        accepted(POSTGRES, text, &[]);
        accepted(SQLITE, text, &[]);
    }
}

#[test]
fn sums_of_what_may_be_floats() {
    for name in ["sum", "avg"] {
        let text = format!("select {name}(x) from t");
        refused(POSTGRES, &text, "float_aggregate", "line 1, column 8", "of what may be floats");
        refused(SQLITE, &text, "float_aggregate", "line 1, column 8", "of what may be floats");
    }
    for name in ["stddev", "stddev_pop", "var_samp", "variance", "VAR_POP", "pg_catalog.sum"] {
        let text = format!("select a,\n  {name}(x) from t group by a");
        refused(POSTGRES, &text, "float_aggregate", "line 2, column 3", name);
    }
    for text in [
        "select corr(x::int, y::int) from t",
        "select regr_slope(x, y) from t",
        "select covar_pop(1, 2) from t",
        "select sum(x::float8) from t",
        "select sum(x) over (partition by a) from t",
        "select a from t group by a having avg(x) > 2",
        "select sum(case when a then 1 else x end) from t",
    ] {
        refused(POSTGRES, text, "float_aggregate", "line 1", "of what may be floats");
    }
    for text in [
        "select sum(x::numeric), avg(cast(x as bigint)), stddev(x::numeric(12, 2)) from t",
        "select sum(1), sum(case when a > 2 then 1 else 0 end), sum(-(x::int) * 2.5) from t",
        "select sum(coalesce(x::int, 0)), sum(n) filter (where false) from (select 1) s",
    ] {
        let result = check(POSTGRES, text, &[], &[]);
        assert_eq!(result.is_ok(), !text.contains("sum(n)"), "{text}");
    }
    accepted(SQLITE, "select sum(a > 3), avg(cast(x as integer)), total(1) from t", &[]);
    refused(SQLITE, "select total(1.5) from t", "float_aggregate", "line 1", "total");
    refused(SQLITE, "select sum(cast(x as numeric)) from t", "float_aggregate", "line 1", "sum");
}

#[test]
fn collections_in_the_order_of_arrival() {
    for text in [
        "select array_agg(a) from t",
        "select string_agg(a, ',') from t",
        "select string_agg(a, ',' order by b) from t",
        "select jsonb_object_agg(a, b order by a) from t",
        "select json_agg(a) from t",
    ] {
        refused(POSTGRES, text, "unordered_aggregate", "line 1, column 8", "in the order");
    }
    refused(
        SQLITE,
        "select group_concat(a) from t",
        "unordered_aggregate",
        "line 1",
        "in the order",
    );
    accepted(
        POSTGRES,
        "select string_agg(a, ',' order by b, a), array_agg(a order by a) from t",
        &[],
    );
    accepted(SQLITE, "select group_concat(a, ',' order by a) from t", &[]);
}

#[test]
fn clocks_draws_and_sessions() {
    for text in [
        "select random() from t",
        "select a from t order by random()",
        "select RANDOM() from t",
        "select current_timestamp",
        "select current_date, a from t",
        "select a from t where b < CURRENT_TIME",
    ] {
        refused(POSTGRES, text, "volatile", "line 1, column ", "`");
        refused(SQLITE, text, "volatile", "line 1, column ", "`");
    }
    for text in [
        "select \"random\"() from t",
        "select pg_catalog.now()",
        "select now() - interval '1 day'",
        "select localtime, localtimestamp",
        "select clock_timestamp(), gen_random_uuid()",
        "select age(b) from t",
        "select nextval('s')",
        "select txid_current(), pg_backend_pid()",
        "select 'now'::timestamp",
        "select cast('Today ' as date)",
        "select date 'yesterday'",
        "select timestamp with time zone 'now'",
        "select date('now')",
        "select * from pg_ls_dir('.')",
        "select * from t, lateral pg_sleep(1)",
        "select current_user",
    ] {
        refused(POSTGRES, text, "volatile", "line 1, column ", "`");
    }
    for text in [
        "select date('now')",
        "select date(\"now\")",
        "select datetime()",
        "select strftime('%s')",
        "select strftime('%s', 'NOW')",
        "select unixepoch('subsec')",
        "select datetime(a, 'localtime') from t",
        "select julianday('now') - julianday(a) from t",
        "select randomblob(4), last_insert_rowid()",
        "select changes()",
    ] {
        refused(SQLITE, text, "volatile", "line 1, column ", "`");
    }
    accepted(POSTGRES, "select age(a, b), date '2020-01-01', pg_typeof(a) from t", &[]);
    accepted(SQLITE, "select date(a), strftime('%Y', a), datetime(a, '+1 day') from t", &[]);
}

#[test]
fn samples_and_system_columns() {
    for text in [
        "select * from t tablesample system (10)",
        "select * from t tablesample bernoulli (1) repeatable (3)",
    ] {
        refused(POSTGRES, text, "sampling", "line 1, column ", "TABLESAMPLE");
    }
    for text in ["select ctid from t", "select t.xmin from t", "select \"ctid\" from t"] {
        refused(POSTGRES, text, "system_column", "line 1, column ", "the system column");
    }
    for text in ["select rowid from t", "select t._ROWID_ from t", "select oid from t"] {
        refused(SQLITE, text, "system_column", "line 1, column ", "the system column");
    }
}

#[test]
fn what_changes_data_is_never_allowed() {
    for text in [
        "",
        ";",
        "insert into t values (1)",
        "delete from t",
        "drop table t",
        "select 1; select 2",
        "select 1; drop table t",
        "explain select 1",
        "begin",
        "set a = 1",
        "copy t to stdout",
        "selec 1",
        "select 1 from",
        "select 'open",
        "select (1",
    ] {
        never(POSTGRES, text);
        never(SQLITE, text);
    }
    for text in [
        "select * from t for update",
        "select * from (select * from t for share) s",
        "select a into u from t",
        "with d as (delete from t returning a) select * from d",
        "with d as (insert into t values (1) returning a) select * from d",
        "with d as (update t set a = 1 returning a) select * from d",
        "with d as (select 1) insert into t select * from d",
    ] {
        never(POSTGRES, text);
    }
}

#[test]
fn a_name_that_allows_nothing_is_refused() {
    let error = check(POSTGRES, "select 1", &["limits".to_owned()], &[]).unwrap_err();
    assert_eq!(error.code(), Code::BadParameter);
    assert!(error.message().contains("`limits`"), "{error}");
}

#[test]
fn deep_and_long_queries_are_errors() {
    let nested = |open: &str, close: &str, n: usize| {
        format!("select {}1{} from t", open.repeat(n), close.repeat(n))
    };
    for n in [60, 2_000, 20_000] {
        for text in [
            nested("(", ")", n),
            nested("(select ", ")", n),
            nested("abs(", ")", n),
            nested("not ", "", 80 * n),
            nested("- ", "", 80 * n),
            nested("", " + 1", 80 * n),
            nested("", "::int", 80 * n),
            nested("", "[1]", 80 * n),
            nested("", " is null", 80 * n),
            format!("select * from {}t{}", "(".repeat(n), ")".repeat(n)),
            format!("select 1{}", " union all select 1".repeat(9 * n)),
            format!("select 1{}", " union all select 1, 2".repeat(9 * n)),
            format!("select case{} end", " when a then case".repeat(80 * n)),
            format!("with a as ({}1{}) table a", "select (".repeat(n), ")".repeat(n)),
        ] {
            for dialect in [POSTGRES, SQLITE] {
                let error = check(dialect, &text, &[], &[]).expect_err(&text[..100]);
                assert_eq!(error.code(), Code::RefusedQuery);
            }
        }
    }
    // Just below the bound, and one beyond: no search that doubles with each bracket.
    for n in [20, 40, 46] {
        for text in [
            nested("(", ")", n),
            nested("(select ", ")", n),
            nested("abs(", ")", n),
            nested("case when (", ") then 1 end", n),
            format!("select * from {}t{}", "(".repeat(n), ")".repeat(n)),
            format!("select * from {}t{}", "(select * from (".repeat(n / 2), "))".repeat(n / 2)),
            format!("{}select 1{}", "(".repeat(n), ")".repeat(n)),
            format!("select a in {}1{}", "(".repeat(n), ")".repeat(n)),
        ] {
            let began = std::time::Instant::now();
            let _ = check(POSTGRES, &text, &[], &[]);
            let _ = check(SQLITE, &text, &[], &[]);
            assert!(began.elapsed().as_secs() < 5, "{text}");
        }
    }
    // What stays below the bounds is read, and given back, on a small stack.
    let wide = format!("select a from t where a in ({}0)", "1, ".repeat(50_000));
    accepted(POSTGRES, &wide, &[]);
    accepted(POSTGRES, &nested("", " + 1", 2_000), &[]);
    accepted(POSTGRES, &format!("select 1{}", " union all select 1".repeat(500)), &[]);
    accepted(POSTGRES, &nested("(", ")", 20), &[]);
}

#[test]
fn the_text_goes_on_without_its_semicolon() {
    for (text, expected) in [
        ("select 1", "select 1"),
        ("select 'ä;' -- ;\n ; ", "select 'ä;' -- ;\n "),
        ("select\n 'é' /* ; */;; -- end", "select\n 'é' /* ; */"),
    ] {
        assert_eq!(check(POSTGRES, text, &[], &[]).unwrap().text, expected);
    }
    let found =
        check(POSTGRES, "select Upper(a), lower(b), \"Mine\"(c), upper(d) from f(1)", &[], &[]);
    let functions = ["Mine", "f", "lower", "upper"].map(str::to_owned).to_vec();
    let found = found.unwrap().functions.into_iter().map(|called| called.name);
    assert_eq!(found.collect::<Vec<_>>(), functions);
}
