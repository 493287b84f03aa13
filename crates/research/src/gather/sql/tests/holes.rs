//! Ways round the rules, one by one: each is refused, and what only looks alike is not.

use super::*;

/// The catalogue of one file: `t (id, a, s)`, where `s` is NOCASE, and `u (id, b, rowid)`.
fn known() -> Known {
    let mut known = Known::default();
    let columns = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let made = "CREATE TABLE t (id INTEGER PRIMARY KEY, a REAL CHECK (a > 0), s TEXT COLLATE \
        NOCASE, CHECK (s COLLATE RTRIM > ''))";
    known.add_table("T", columns(&["id", "a", "s"]), made);
    known.add_table("u", columns(&["id", "b", "rowid"]), "CREATE TABLE u (id, b, rowid)");
    for (name, query) in [
        ("plain", "SELECT id, a AS x FROM t"),
        ("dice", "SELECT random() AS x FROM t"),
        ("cut", "SELECT id FROM t ORDER BY id LIMIT 3"),
        ("over", "SELECT * FROM dice"),
        ("odd", "SELECT id FROM t INDEXED BY (("),
    ] {
        known.views.insert(name.to_owned(), format!("CREATE VIEW \"{name}\" (\"as\") AS {query}"));
    }
    known
}

fn with_tables<'a>(text: &'a str, allow: &[&str]) -> Result<Checked<'a>> {
    super::super::check(SQLITE, text, &Allowed::read(&key(allow))?, &key(&["id"]), &known())
}

fn refused_there(text: &str, allow: &str, found: &str) {
    let error = with_tables(text, &[]).expect_err(text);
    assert_eq!(error.code(), Code::RefusedQuery, "{text}");
    assert!(error.message().contains(found), "{text}: {error}");
    let remedy = error.remedy_text().unwrap_or_default();
    assert!(remedy.contains(&format!("[\"{allow}\"]")), "{text}: {remedy}");
    if let Err(error) = with_tables(text, &[allow]) {
        panic!("{text}: {error}");
    }
}

fn accepted_there(text: &str) {
    if let Err(error) = with_tables(text, &[]) {
        panic!("{text}: {error}");
    }
}

#[test]
fn table_is_a_query_like_another() {
    for text in [
        "TABLE t LIMIT 3",
        "table s.t limit 3",
        "(table t offset 197)",
        "with c as (select 1) table c limit 1",
        "with c as (table t limit 1) select * from c",
        "select * from (table t fetch first 2 rows only) s",
        "select 1 union all (table t offset 3)",
        "select a from t where b in (table u limit 2)",
    ] {
        refused(POSTGRES, text, "limit", "line 1, column ", "without ORDER BY");
    }
    for text in ["table t union all table u", "with c as (table t) table c", "(table s.t)"] {
        accepted(POSTGRES, text, &[]);
    }
    accepted(POSTGRES, "table t order by a limit 3", &["a"]);
    accepted(POSTGRES, "select \"table\" from t", &[]);
}

#[test]
fn the_key_is_ordered_as_it_comes_out() {
    for text in [
        "select t.id, u.b from t join u on true order by u.id limit 3",
        "select u.id from t left join u using (id) order by t.id limit 3",
        "select id + 1 as id from t order by t.id limit 3",
        "select * from t order by id collate nocase, a limit 3 -- no key",
    ] {
        for dialect in [POSTGRES, SQLITE] {
            let keys = if text.ends_with("no key") { key(&["b"]) } else { key(&["id"]) };
            assert!(check(dialect, text, &[], &keys).is_err(), "{text}");
        }
    }
    for text in [
        "select uid as id, row_number() over (order by id) from t",
        "select t.id, row_number() over (order by u.id) from t join u on true",
        "select distinct id, lag(x, 1, 5) over (order by id) from t",
        "select row_number() over (order by id) from t",
    ] {
        for dialect in [POSTGRES, SQLITE] {
            assert!(check(dialect, text, &[], &key(&["id"])).is_err(), "{text}");
        }
    }
    for text in [
        "select uid as id, row_number() over (order by uid) from t",
        "select t.id, row_number() over (order by t.id) from t join u on true",
        "select t.*, row_number() over (order by t.id) from t join u on true",
        "select x.id from t x order by x.id limit 3",
        "select a + 1 as id from t order by id limit 3",
    ] {
        for dialect in [POSTGRES, SQLITE] {
            accepted(dialect, text, &["id"]);
        }
    }
}

#[test]
fn what_an_order_must_hold_is_handed_on() {
    let text = "select id, x from t where x in (select y from u) order by id limit 3 offset 1; ";
    for dialect in [POSTGRES, SQLITE] {
        let found = check(dialect, text, &[], &key(&["id"])).expect("the key");
        let terms = vec!["\"id\"".to_owned()];
        assert_eq!(found.orders, [(super::super::Rule::Limit, terms)]);
        assert_eq!(found.uncut.trim_end(), &text[..text.find(" limit").expect("it is there")]);
    }
    let text = "select id from t order by id collate \"C\" fetch first 2 rows only";
    let found = check(POSTGRES, text, &[], &key(&["id"])).expect("the key");
    assert_eq!(found.orders[0].1, ["\"id\" COLLATE \"C\""]);
    let allow = key(&["limit"]);
    assert!(check(POSTGRES, text, &allow, &key(&["id"])).expect("allowed").orders.is_empty());
}

#[test]
fn columns_of_any_row_of_a_group() {
    for text in [
        "select id, a, count(*) from t group by id",
        "select min(a), id from t",
        "select id from t group by id having a > 2",
        "select id from t group by id order by a",
        "select id, a + count(*) from t group by id",
        "select count(*), (select max(u.b) from u where u.id = t.a) from t group by id",
        "select count(*), (select max(b) from u where a = 1) from t group by id",
        "select *, count(*) from t",
        "select id, sum(1) over (partition by a) from t group by id",
        "select t.id, u.b, count(*) from t join u on true group by t.id",
    ] {
        refused_there(text, "bare_column", "of any row of a group");
    }
    for text in [
        "select id, count(*) as n, min(a) from t group by id having n > 2 order by n",
        "select a * 2 as k, count(*) from t group by k",
        "select a * 2 as k, count(*) from t group by 1",
        "select t.id, count(*) from t group by id",
        "select id, (select max(b) from u) from t group by id",
        "select id, (select max(u.b) from u where u.id = t.id) from t group by id",
        "select t.id, u.b, count(*) from t join u on true group by t.id, u.b",
        "select count(*), max(a) - min(a) from t",
        "select id, rank() over (order by count(*)) from t group by id",
    ] {
        accepted_there(text);
    }
    accepted(POSTGRES, "select id, a, count(*) from t group by id", &[]);
}

#[test]
fn texts_that_only_count_as_equal() {
    for text in [
        "select s, count(*) from t group by s",
        "select distinct s from t",
        "select distinct * from t",
        "select s from t union select b from u",
        "select max(s) from t",
        "select x, count(*) from (select s as x from t) group by x",
        "select group_concat(s order by s) from t",
        "select b collate nocase as y from u group by b collate nocase",
    ] {
        if text.starts_with("select b ") {
            let error = with_tables(text, &[]).expect_err(text);
            assert!(error.message().contains("nocase"), "{error}");
        } else {
            refused_there(text, "collation", "whose equal texts can differ");
        }
    }
    for text in [
        "select upper(s) as k, count(*) from t group by upper(s)",
        "select distinct s collate binary from t",
        "select s from t where s = 'x'",
        "select distinct b from u",
        "select count(distinct s) from t",
        "select s from t union all select b from u",
    ] {
        accepted_there(text);
    }
}

#[test]
fn views_are_looked_into() {
    accepted_there("select * from plain");
    refused_there("select * from dice", "volatile", "view `dice`, line 1");
    refused_there("select * from \"OVER\"", "volatile", "view `dice`, line 1");
    refused_there("select * from t where id in (select id from cut)", "limit", "view `cut`");
    refused_there("select * from odd", "view", "view `odd`");
}

#[test]
fn row_numbers_are_columns_only_where_declared() {
    accepted_there("select rowid from u");
    for text in ["select rowid from t", "select t.oid from t", "select u.rowid from t, u"] {
        refused_there(text, "system_column", "the system column");
    }
    for text in ["select ctid(t) from t", "select xmin(t.*) from t", "select (t).ctid from t"] {
        refused(POSTGRES, text, "system_column", "line 1", "the system column");
    }
}

#[test]
fn clocks_in_disguise() {
    for text in [
        "select ' YESTERDAY '::date",
        "select 'today 12:00'::timestamp",
        "select 'now'::text::timestamp",
        "select cast('now' as pg_catalog.timestamp)",
        "select cast(cast('Now' as varchar) as date)",
        "select ('no' || 'w')::timestamptz",
        "select coalesce(a, 'today')::date from t",
        "select concat('n', 'ow')::date",
        "select date('no' || 'w')",
        "select timestamp 'now'",
        "select timestamptz E'n\\x6fw'",
        "select U&'n\\006fw'::date",
        "select * from jsonb_to_record('{\"d\": \"now\"}') as x(d date)",
    ] {
        refused(POSTGRES, text, "volatile", "line 1, column ", "");
    }
    for text in [
        "select (a || '-01-01')::date, '2020-01-01'::date from t",
        "select to_date('2020', 'YYYY')::timestamp from t",
        "select date_trunc('day', a)::date from t",
    ] {
        accepted(POSTGRES, text, &[]);
    }
    never(POSTGRES, "select U&\"r\\0061ndom\"() from t");
    never(POSTGRES, "select U&'n!006fw' uescape '!' from t");
    never(POSTGRES, "select 'no'\n'w' from t");
    for text in [
        "select date('no' || 'w')",
        "select date(lower('NOW'))",
        "select date(substr('xnow', 2))",
        "select date((select 'now'))",
        "select date(coalesce(null, 'now'))",
        "select datetime(a, 'local' || 'time') from t",
        "select date()",
    ] {
        refused(SQLITE, text, "volatile", "line 1, column ", "`date");
    }
    accepted(
        SQLITE,
        "select date(a || '-01'), datetime(a / 1000, 'unixepoch'), date(a, '+' || b || ' days'), \
         date(substr(a, 1, 10)), date(datetime(a)), date('2020-01-01'), date(coalesce(a, b)) \
         from t",
        &[],
    );
}

#[test]
fn what_the_server_is_asked_about() {
    let text = "select id %%% 3, t.dice from t where d >= 'today' and s = 'then'";
    let found = check(POSTGRES, text, &[], &[]).expect("the server's to judge");
    assert!(found.operators.contains(&"%%%".to_owned()), "{:?}", found.operators);
    assert!(found.functions.iter().any(|called| called.name == "dice" && called.is_field));
    let words: Vec<&str> = found.words.iter().map(|(from, to, _)| &text[*from..*to]).collect();
    assert_eq!(words, ["'today'"]);
    let view = "SELECT a FROM t LIMIT 2;";
    let allowed = Allowed::read(&[]).expect("nothing");
    let error = super::super::check_view(POSTGRES, "view `v`", view, &allowed).unwrap_err();
    assert!(error.message().starts_with("view `v`, line 1"), "{error}");
}
