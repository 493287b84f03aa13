//! What a query does not show, and the server's catalogue does.

use super::*;

const MADE: &str = "CREATE SCHEMA hid; SET search_path = hid, public;
    CREATE TABLE t (id int, grp int, x float8, d date, s text, n numeric);
    INSERT INTO t SELECT i, i % 10, sqrt(i), date '2020-01-01' + i, 'k' || i, i
        FROM generate_series(1, 200) i;
    CREATE VIEW steady AS SELECT id, s FROM t WHERE d > '2020-02-01';
    CREATE VIEW dice AS SELECT id, random() AS x, s AS label FROM t;
    CREATE VIEW over AS SELECT * FROM dice;
    CREATE VIEW cut AS SELECT id, s FROM t LIMIT 3;
    CREATE VIEW sums AS SELECT grp AS id, sum(x) AS x FROM t GROUP BY grp;
    CREATE VIEW clock AS SELECT id FROM t WHERE d < now();
    CREATE MATERIALIZED VIEW stored AS SELECT * FROM dice;
    CREATE VIEW odd AS SELECT id, COLLATION FOR (s) AS label FROM t;
    CREATE AGGREGATE mysum (float8) (sfunc = float8pl, stype = float8, initcond = '0');
    CREATE AGGREGATE last_of (int) (sfunc = int4larger, stype = int);
    CREATE FUNCTION total() RETURNS float8 LANGUAGE sql STABLE AS 'SELECT sum(x) FROM hid.t';
    CREATE FUNCTION plain(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 2 * $1';
    CREATE FUNCTION loaded(int, int) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT $1 % $2';
    CREATE OPERATOR %%% (leftarg = int, rightarg = int, function = loaded);
    CREATE FUNCTION roll(t) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1';
    CREATE TABLE dup (id int, s text); INSERT INTO dup VALUES (1, 'a'), (1, 'b'), (2, 'c')";

fn made() -> Option<(std::sync::Arc<Server>, Address)> {
    static DONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let server = shared()?;
    let _guard = DONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut client = server.client();
    let is_made: bool =
        client.query_one("SELECT to_regnamespace('hid') IS NOT NULL", &[]).expect("asked").get(0);
    if !is_made {
        client.batch_execute(MADE).expect("tables and views");
    }
    let address = server.address();
    Some((server, address))
}

fn asked(address: &Address, text: &str, allow: &[&str], key: &[&str]) -> Result<usize, Error> {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let query = Query { text: text.to_owned(), allow: owned(allow), key: owned(key) };
    let data = config("[data.columns]\nid = \"num\"\n", "id").data;
    let mut rows = open(address, &Relation::Query(query))?;
    Ok(batches(&mut rows, &data)?.iter().map(Batch::n_rows).sum())
}

fn refused(address: &Address, text: &str, allow: &str, found: &str) {
    let error = asked(address, text, &[], &["id"]).expect_err(text);
    assert_eq!(error.code(), Code::RefusedQuery, "{text}: {error}");
    assert!(error.message().contains(found), "{text}: {error}");
    let remedy = error.remedy_text().unwrap_or_default();
    assert!(remedy.contains(&format!("[\"{allow}\"]")), "{text}: {error}");
    if let Err(error) = asked(address, text, &[allow], &["id"]) {
        panic!("{text}: {error}");
    }
}

fn accepted(address: &Address, text: &str) {
    if let Err(error) = asked(address, text, &[], &["id"]) {
        panic!("{text}: {error}");
    }
}

#[test]
fn views_are_judged_like_queries() {
    let Some((_server, address)) = made() else { return };
    refused(&address, "select * from hid.dice", "volatile", "view `hid.dice`");
    refused(&address, "select id from hid.over", "volatile", "view `hid.dice`");
    refused(&address, "select 1 as id where exists (select from hid.cut)", "limit", "`hid.cut`");
    refused(&address, "select id from hid.sums", "float_aggregate", "view `hid.sums`");
    refused(&address, "select id from hid.clock", "volatile", "view `hid.clock`");
    for name in ["hid.dice", "hid.over", "hid.cut", "hid.sums"] {
        let error = open(&address, &table(name)).err().expect(name);
        assert_eq!(error.code(), Code::RefusedQuery, "{error}");
        assert!(error.message().contains("view `hid."), "{error}");
    }
    assert!(open(&address, &table("hid.stored")).is_ok());
    assert!(open(&address, &table("hid.steady")).is_ok());
    accepted(&address, "with c as (select id from hid.steady) select id from c");
    refused(&address, "select id from hid.odd", "view", "view `hid.odd`");
}

#[test]
fn functions_and_operators_of_ones_own() {
    let Some((_server, address)) = made() else { return };
    for (text, allow, found) in [
        ("select 1 as id, hid.mysum(x) from hid.t", "float_aggregate", "aggregate `mysum`"),
        ("select hid.last_of(id) as id from hid.t", "unordered_aggregate", "`last_of`"),
        ("select hid.total()::int as id", "function", "`total()`"),
        ("select 1 as id from hid.total()", "function", "`total()`"),
        ("select id operator(hid.%%%) 3 as id from hid.t", "volatile", "operator `%%%`"),
        ("select t.roll as id from hid.t", "volatile", "`roll()`"),
    ] {
        if text.contains("t.roll") {
            // Only what the path finds can stand behind a point.
            let path = "ALTER ROLE tester SET search_path = hid, public";
            _server.client().batch_execute(path).expect("the path");
        }
        refused(&address, text, allow, found);
    }
    let reset = "ALTER ROLE tester RESET search_path";
    _server.client().batch_execute(reset).expect("as before");
    accepted(&address, "select hid.plain(id) as id, id % 3, t.s from hid.t");
}

#[test]
fn texts_are_what_the_server_takes_them_for() {
    let Some((_server, address)) = made() else { return };
    for text in [
        "select id from hid.t where d < 'today'",
        "select id from hid.t where d between ' Yesterday' and E'n\\x6fw'",
        "select id from hid.t where d in ('2020-01-01', 'tomorrow')",
        "select id, coalesce(d, 'now') from hid.t",
        "select id from hid.t where daterange('2020-01-01', 'today') @> d",
        "select id from hid.t where d = any ('{today}')",
        "select id, date_trunc('day', timestamptz '2020-01-01') from hid.t where d = $$now$$",
        "select id, d from hid.t union all select 3, 'today'",
    ] {
        refused(&address, text, "volatile", "as a time");
    }
    for text in [
        "select id, 'now' as word from hid.t where s = 'today' or s in ('now', 'x')",
        "select id, concat('now', s), '{\"a\": \"now\"}'::jsonb ->> 'now' from hid.t",
    ] {
        accepted(&address, text);
    }
}

#[test]
fn a_limit_needs_a_key_that_is_unique_before_it() {
    let Some((server, address)) = made() else { return };
    let n_rows = asked(&address, "table hid.t order by id limit 3", &[], &["id"]);
    assert_eq!(n_rows.expect("the key is unique"), 3);
    accepted(&address, "select id, row_number() over (order by id) from hid.t");
    refused(&address, "select id from hid.dup order by id limit 1", "limit", "in common");
    refused(&address, "select id from hid.dup order by id offset 2", "limit", "in common");
    let text = "select id, row_number() over (order by id) from hid.dup where s < 'b' or true";
    refused(&address, text, "window_order", "in common");
    refused(&address, "table hid.t limit 3", "limit", "LIMIT without ORDER BY");
    // A locale orders texts as its machine does.
    let mut client = server.client();
    let locale: Option<String> = client
        .query_one("SELECT min(collname::text) FROM pg_collation WHERE collprovider = 'i'", &[])
        .expect("the collations")
        .get(0);
    let by = |term: &str| format!("select s, s as id from hid.t order by {term} limit 3");
    let keyed = |text: &str| {
        open(
            &address,
            &Relation::Query(Query {
                text: text.to_owned(),
                allow: Vec::new(),
                key: vec!["s".to_owned()],
            }),
        )
    };
    assert!(keyed(&by("s")).is_ok());
    assert!(keyed(&by("s collate \"C\"")).is_ok());
    let Some(locale) = locale else {
        println!("skipped: this server has no locale of ICU");
        return;
    };
    let error = keyed(&by(&format!("s collate \"{locale}\""))).err().expect("a locale");
    assert!(error.message().contains(&locale), "{error}");
}

#[test]
fn a_missing_password_and_the_readers_are_named() {
    let Some((server, address)) = made() else { return };
    let source = gather::Source::Postgres(address.clone(), table("hid.t"));
    assert!(open(&address, &table("hid.t")).is_ok());
    let readers = gather::readers([&source]);
    assert!(readers["postgresql"].starts_with(|c: char| c.is_ascii_digit()), "{readers:?}");
    assert!(readers.contains_key("tokio-postgres"));
    if ["PGPASSWORD", "PGPASSFILE"].iter().any(|name| std::env::var_os(name).is_some()) {
        println!("skipped: the environment has a password");
        return;
    }
    let remote = Address { password_file: None, ..server.remote(PASSWORD) };
    let error = open(&remote, &table("hid.t")).err().expect("no password");
    let remedy = error.remedy_text().unwrap_or_default();
    for way in ["password_file", "PGPASSWORD", "PGPASSFILE"] {
        assert!(remedy.contains(way), "{error}");
    }
}
