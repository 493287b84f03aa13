//! Reading from a real PostgreSQL server, through all that it does to the order of rows and all the
//! ways in which it goes away. Where there is no PostgreSQL, each test says that it was skipped.
#![cfg(unix)]

#[path = "postgres/refused.rs"]
mod refused;
#[path = "postgres/server.rs"]
mod server;

use postgres::Client;
use samescore_core::batch::{Batch, Column, Value};
use samescore_core::config::{Config, DataConfig};
use samescore_core::error::{Code, Error};
use samescore_core::pipeline::Table;
use samescore_research::gather;
use samescore_research::gather::postgres::{Options, Rows, TlsMode, open};
use samescore_research::gather::{Address, Query, Relation};
use server::{PASSWORD, Server, query, shared, table};

const COLUMNS: &str = "[data.columns]\nid = \"num\"\nx = \"num\"\nlabel = \"text\"\n";

fn config(columns: &str, target: &str) -> Config {
    let rest = format!("[target]\ncolumn = \"{target}\"\ntask = \"regression\"\n");
    Config::from_toml(&format!("{columns}\n{rest}\n[model]\nkind = \"linear_regression\"\n"))
        .expect("a config")
}

fn data() -> DataConfig {
    config(COLUMNS, "x").data
}

/// All rows, block by block.
fn batches(rows: &mut Rows, data: &DataConfig) -> Result<Vec<Batch>, Error> {
    std::iter::from_fn(|| rows.next_batch(data, 10_000).transpose()).collect()
}

fn read(address: &Address, relation: &Relation) -> Result<Vec<Batch>, Error> {
    batches(&mut open(address, relation)?, &data())
}

/// The rows as texts, in their order.
fn lines(batches: &[Batch]) -> Vec<String> {
    let line = |batch: &Batch, row: usize| {
        let cells = batch.columns().iter().map(|column| match column.value(row) {
            Value::Num(x) => format!("{:016x}", x.to_bits()),
            other => other.to_string(),
        });
        cells.collect::<Vec<_>>().join("|")
    };
    batches.iter().flat_map(|batch| (0..batch.n_rows()).map(|row| line(batch, row))).collect()
}

fn sorted(batches: &[Batch]) -> Vec<String> {
    let mut lines = lines(batches);
    lines.sort();
    lines
}

/// The fingerprint of the rows as a fit takes it.
fn fingerprint(batches: &[Batch]) -> String {
    let schema = batches[0].schema();
    let column = |slot: usize| match batches[0].column(slot) {
        Column::Num(_) => {
            Column::num(batches.iter().flat_map(|batch| batch.num(slot).iter().copied()))
        }
        Column::Text(_) => Column::text(batches.iter().flat_map(|batch| {
            let Column::Text(text) = batch.column(slot) else { unreachable!("one schema") };
            (0..text.len()).map(|row| text.get(row))
        })),
        Column::Time(_) => unreachable!("no times here"),
    };
    let columns = (0..batches[0].columns().len()).map(column).collect();
    let whole = Batch::new(batches[0].schema().clone(), columns).expect("one batch");
    assert_eq!(whole.schema(), schema);
    Table::new(&config(COLUMNS, "x"), &whole).expect("a table").fingerprint().to_string()
}

/// A table of rows that are wide enough not to fit into any buffer on the way.
fn fill(client: &mut Client, name: &str, n_rows: u32) {
    let text = format!(
        "DROP TABLE IF EXISTS {name}; CREATE TABLE {name} AS
         SELECT i AS id, sqrt(i) * CASE WHEN i % 3 = 0 THEN -1 ELSE 1 END AS x,
                CASE WHEN i % 7 <> 0 THEN repeat(md5(i::text), 6) END AS label
         FROM generate_series(1, {n_rows}) i; ANALYZE {name}"
    );
    client.batch_execute(&text).expect("the table is filled");
}

fn server_error(error: &Error, words: &str) {
    assert_eq!(error.code(), Code::Server, "{error}");
    assert!(error.message().contains(words), "{error}");
    assert!(!error.to_string().contains(PASSWORD), "{error}");
}

#[test]
fn every_type_is_what_a_csv_file_of_the_same_values_is() {
    let Some(server) = shared() else { return };
    let mut client = server.client();
    client
        .batch_execute(
            "CREATE TYPE mood AS ENUM ('sad', 'so \"so\"');
             CREATE DOMAIN price AS numeric(10, 2);
             CREATE TABLE types (id int, b bool, i2 int2, i8 int8, f4 real, f8 double precision,
                n numeric, p price, t text, v varchar(9), c char(4), e mood, u uuid, d date,
                ts timestamp, tz timestamptz, y float8 NOT NULL);
             INSERT INTO types VALUES
             (1, true, -5, 9007199254740992, 1.5, -0.0, 12345678901234567890.5, 3, 'a,\"b\"', 'é',
              'ab', 'sad', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '1969-07-20', '2000-02-29 \
              1:2:3.5',
              '2020-03-29 02:30:00+02', 1),
             (2, false, 32767, -1, 'NaN', 'NaN', 'NaN', -0.05, '', ' ', '', 'so \"so\"', NULL,
              '0001-01-01', '9999-12-31 23:59:59.999999', '1900-01-01 00:00:00+00', 2),
             (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
              NULL, 3),
             (4, true, 0, 0, 0.1, 0.1, 1e-20, 0, 'NA', 'x', 'd', 'sad', NULL, '2024-12-31',
              '1970-01-01', '1970-01-01 00:00:00+00', 4);",
        )
        .expect("the table of types");
    let kinds = "[data]\nmissing = [\"NA\"]\n[data.columns]\nid = \"num\"\nb = \"text\"\n\
        i2 = \"num\"\ni8 = \"num\"\nf4 = \"num\"\nf8 = \"num\"\nn = \"text\"\np = \"num\"\n\
        t = \"text\"\nv = \"text\"\nc = \"text\"\ne = \"text\"\nu = \"text\"\ny = \"num\"\n\
        d = { kind = \"time\", format = \"%Y-%m-%d\" }\n\
        ts = { kind = \"time\", format = \"%Y-%m-%d %H:%M:%S.%f\" }\n\
        tz = { kind = \"time\", format = \"%Y-%m-%d %H:%M:%S.%f\" }\n";
    let data = config(kinds, "y").data;
    let rows = |relation: &Relation| {
        let mut rows = open(&server.address(), relation).expect("the table opens");
        sorted(&batches(&mut rows, &data).expect("the table is read"))
    };
    let found = rows(&table("types"));
    assert_eq!(found.len(), 4);
    // The server's own CSV, with its real numbers in full and its times in UTC.
    let csv = server.folder().join("types.csv");
    let text = "SET timezone = 'UTC'; SET datestyle = ISO; SET extra_float_digits = 1;";
    client.batch_execute(text).expect("the forms");
    let floats = "f4::float8 AS f4";
    let text = format!(
        "COPY (SELECT id, CASE WHEN b THEN 'true' WHEN NOT b THEN 'false' END AS b, i2, i8, \
         {floats},
         f8, n, p, t, v, c, e, u, d, to_char(ts, 'YYYY-MM-DD HH24:MI:SS.US') AS ts,
         to_char(tz, 'YYYY-MM-DD HH24:MI:SS.US') AS tz, y FROM types) TO STDOUT (FORMAT csv, \
         HEADER)"
    );
    let mut copied = client.copy_out(text.as_str()).expect("a COPY");
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut copied, &mut bytes).expect("the CSV");
    let text = String::from_utf8(bytes).expect("UTF-8").replace("NaN", "");
    std::fs::write(&csv, text).expect("the CSV");
    let expected = gather::read(&csv, &data, &[]).expect("the CSV is read");
    assert!(expected.faults().is_empty(), "{:?}", expected.faults());
    assert_eq!(found, sorted(&[expected]));
    // A query that reads the same.
    assert_eq!(found, rows(&query("select * from types where true; -- all")));
}

#[test]
fn other_types_and_infinities_are_named() {
    let Some(server) = shared() else { return };
    let mut client = server.client();
    let text = "CREATE TABLE odd (id int, x interval, label date);
        INSERT INTO odd VALUES (1, '1 day', 'infinity'), (2, '1 day', '2020-01-01')";
    client.batch_execute(text).expect("the table");
    let address = server.address();
    let error = read(&address, &table("odd")).expect_err("an interval");
    assert_eq!((error.code(), error.column_name()), (Code::WrongKind, Some("x")), "{error}");
    assert!(error.message().contains("`interval`"), "{error}");
    let columns = "[data.columns]\nid = \"num\"\nlabel = \"time\"\n";
    let data = config(columns, "id").data;
    let mut rows = open(&address, &table("odd")).expect("it opens");
    let found = batches(&mut rows, &data).expect("it is read");
    let fault = found[0].fault_of(0).expect("an infinite date");
    assert!(fault.message().contains("infinity"), "{fault}");
    assert!(found[0].fault_of(1).is_none());
    let mut rows = open(&address, &query("select 'a'::text as id, 1.5::float8 as label")).unwrap();
    let error = batches(&mut rows, &data).expect_err("a float is no time");
    assert_eq!((error.code(), error.column_name()), (Code::WrongKind, Some("label")), "{error}");
}

#[test]
fn no_way_of_storing_or_scanning_rows_changes_them() {
    let Some(server) = shared() else { return };
    let mut client = server.client();
    fill(&mut client, "moved", 60_000);
    let address = server.address();
    let first = read(&address, &table("moved")).expect("it is read");
    assert_eq!(first.iter().map(Batch::n_rows).sum::<usize>(), 60_000);
    let (order, print) = (lines(&first), fingerprint(&first));
    let mut n_orders = 0;
    for change in [
        "UPDATE moved SET label = label WHERE id % 2 = 0",
        "VACUUM FULL moved",
        "CREATE INDEX moved_by_label ON moved (label); CLUSTER moved USING moved_by_label",
        "CREATE INDEX moved_by_x ON moved (x); CLUSTER moved USING moved_by_x",
        "DELETE FROM moved WHERE id < 100; \
         INSERT INTO moved SELECT i, sqrt(i) * CASE WHEN i % 3 = 0 THEN -1 ELSE 1 END, \
         CASE WHEN i % 7 <> 0 THEN repeat(md5(i::text), 6) END FROM generate_series(1, 99) i",
    ] {
        // VACUUM stands alone.
        change.split("; ").for_each(|part| client.batch_execute(part).expect(change));
        let again = read(&address, &table("moved")).expect("it is read");
        n_orders += usize::from(lines(&again) != order);
        assert_eq!(fingerprint(&again), print, "{change}");
    }
    assert!(n_orders >= 3, "the server kept the order {n_orders} times: nothing was tested");
    client
        .batch_execute(
            "ALTER ROLE tester SET min_parallel_table_scan_size = 0;
             ALTER ROLE tester SET parallel_setup_cost = 0; ALTER ROLE tester SET \
             parallel_tuple_cost = 0;
             ALTER ROLE tester SET enable_indexscan = off",
        )
        .expect("parallel scans");
    let plan = client_plan(&server, "SELECT * FROM moved WHERE x <> 0.5");
    assert!(plan.contains("Gather"), "{plan}");
    let parallel = query("select * from moved where x <> 0.5");
    let prints = [0; 3].map(|_| fingerprint(&read(&address, &parallel).expect("it is read")));
    client.batch_execute("ALTER ROLE tester RESET ALL").expect("as before");
    assert_eq!(prints, [0; 3].map(|_| print.clone()));
}

fn client_plan(server: &Server, text: &str) -> String {
    let rows = server.client().query(&format!("EXPLAIN {text}"), &[]).expect("a plan");
    rows.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>().join("\n")
}

#[test]
fn two_readers_at_once_get_the_same_rows() {
    let Some(server) = shared() else { return };
    let mut client = server.client();
    // A scan is shared from a quarter of the buffers on.
    fill(&mut client, "large", 250_000);
    let address = server.address();
    let data = data();
    let mut first = open(&address, &table("large")).expect("it opens");
    let mut begun = vec![first.next_batch(&data, 90_000).expect("rows").expect("rows")];
    let second = read(&address, &table("large")).expect("it is read");
    begun.extend(batches(&mut first, &data).expect("the rest"));
    assert_eq!(fingerprint(&begun), fingerprint(&second));
    if lines(&begun) == lines(&second) {
        println!("the second reader did not join the first one's scan");
    }
}

#[test]
fn what_others_write_meanwhile_is_not_seen() {
    let Some(server) = shared() else { return };
    let mut client = server.client();
    fill(&mut client, "written", 150_000);
    let address = server.address();
    let before = read(&address, &table("written")).expect("it is read");
    let data = data();
    let mut rows = open(&address, &table("written")).expect("it opens");
    let mut found = vec![rows.next_batch(&data, 100).expect("rows").expect("rows")];
    let text = "UPDATE written SET x = 0 WHERE id % 2 = 0; DELETE FROM written WHERE id % 5 = 0; \
        INSERT INTO written SELECT i, 1, 'new' FROM generate_series(200000, 210000) i";
    client.batch_execute(text).expect("a writer");
    found.extend(batches(&mut rows, &data).expect("the rest"));
    assert_eq!(fingerprint(&found), fingerprint(&before));
    let after = read(&address, &table("written")).expect("it is read");
    assert_ne!(fingerprint(&after), fingerprint(&before));
}

#[test]
fn a_server_that_goes_away_is_an_error_and_a_rerun_gives_the_same() {
    let Some(server) = Server::start() else { return };
    fill(&mut server.client(), "kept", 150_000);
    let address = server.address();
    let before = fingerprint(&read(&address, &table("kept")).expect("it is read"));
    let data = data();
    let mut rows = open(&address, &table("kept")).expect("it opens");
    rows.next_batch(&data, 100).expect("rows").expect("rows");
    server.down();
    let error = batches(&mut rows, &data).expect_err("the server is gone");
    server_error(&error, "server `");
    let error = read(&address, &table("kept")).expect_err("nobody is there");
    server_error(&error, "error connecting to server");
    server.up();
    let error = batches(&mut rows, &data).expect_err("the old connection stays closed");
    server_error(&error, "server `");
    assert_eq!(fingerprint(&read(&address, &table("kept")).expect("it is read")), before);
}

#[test]
fn a_connection_that_is_cut_is_an_error() {
    let Some(server) = shared() else { return };
    let mut client = server.client();
    fill(&mut client, "severed", 150_000);
    let data = data();
    let mut rows = open(&server.address(), &table("severed")).expect("it opens");
    rows.next_batch(&data, 100).expect("rows").expect("rows");
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
        WHERE application_name = 'samescore' AND query LIKE '%severed%'";
    assert!(!client.query(cut, &[]).expect("the cut").is_empty());
    let error = batches(&mut rows, &data).expect_err("the connection is cut");
    server_error(&error, "server `");
}

#[test]
fn a_statement_that_takes_too_long_is_given_up() {
    let Some(server) = shared() else { return };
    let options = Options { statement_timeout_seconds: Some(1), ..Options::default() };
    let address = Address { options, ..server.address() };
    let text = "select count(*)::int as id, 0 as x, '' as label from generate_series(1, 100000) a, \
        generate_series(1, 100000) b";
    let error = read(&address, &query(text)).expect_err("it takes too long");
    server_error(&error, "statement timeout (SQLSTATE 57014)");
    assert!(error.remedy_text().is_some_and(|text| text.contains("statement_timeout")));
}

#[test]
fn passwords_come_from_files_and_are_never_told() {
    let Some(server) = shared() else { return };
    fill(&mut server.client(), "guarded", 10);
    let rows = read(&server.remote(PASSWORD), &table("guarded")).expect("the right password");
    assert_eq!(rows[0].n_rows(), 10);
    let wrong = "another-secret";
    let error = read(&server.remote(wrong), &table("guarded")).expect_err("the wrong password");
    server_error(&error, "password authentication failed");
    assert!(!error.to_string().contains(wrong), "{error}");
    let address = Address { password_file: Some("absent".into()), ..server.remote(PASSWORD) };
    let error = read(&address, &table("guarded")).expect_err("no file");
    assert_eq!(error.code(), Code::Io, "{error}");
}

#[test]
fn what_the_server_knows_better_is_refused() {
    let Some(server) = shared() else { return };
    let mut client = server.client();
    let text = "CREATE FUNCTION dice(int) RETURNS int LANGUAGE sql AS 'SELECT $1';
        CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 2 * $1'";
    client.batch_execute(text).expect("the functions");
    let address = server.address();
    let error = open(&address, &query("select dice(3) as id")).err().expect("volatile");
    assert_eq!(error.code(), Code::RefusedQuery, "{error}");
    assert!(error.message().contains("`dice()`"), "{error}");
    let allow = vec!["volatile".to_owned()];
    let allowed = Query { text: "select dice(3) as id".to_owned(), allow, key: Vec::new() };
    assert!(open(&address, &Relation::Query(allowed)).is_ok());
    assert!(open(&address, &query("select twice(3) as id")).is_ok());
    let error = open(&address, &query("select now() as id")).err().expect("a clock");
    assert_eq!(error.code(), Code::RefusedQuery, "{error}");
    let error = open(&address, &table("no such table")).err().expect("no table");
    server_error(&error, "relation \"no such table\" does not exist");
    // A function that writes cannot, although it says that it is harmless.
    let text = "CREATE TABLE ink (id int);
        CREATE FUNCTION sly() RETURNS int LANGUAGE plpgsql STABLE AS \
        'BEGIN EXECUTE ''INSERT INTO ink VALUES (1)''; RETURN 1; END'";
    client.batch_execute(text).expect("the function");
    let columns = config("[data.columns]\nid = \"num\"\n", "id").data;
    let allow = vec!["function".to_owned()];
    let sly = Query { text: "select sly() as id".to_owned(), allow, key: Vec::new() };
    let written =
        open(&address, &Relation::Query(sly)).and_then(|mut rows| batches(&mut rows, &columns));
    server_error(&written.expect_err("a write"), "INSERT");
}

#[test]
fn tls_is_used_and_checked_as_asked() {
    let Some(server) = Server::start() else { return };
    let folder = server.folder();
    let of = |name: &str| folder.join(name).to_str().expect("UTF-8").to_owned();
    let made = std::process::Command::new("openssl")
        .args(["req", "-new", "-x509", "-days", "30", "-nodes", "-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=DNS:localhost", "-keyout", &of("key.pem")])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-out", &of("cert.pem")])
        .output();
    if !made.is_ok_and(|output| output.status.success()) {
        println!("skipped: no openssl to make a certificate with; TLS was not tested");
        return;
    }
    server.own(&folder.join("key.pem"));
    fill(&mut server.client(), "sealed", 10);
    let with = |host: &str, tls: TlsMode, root_file: Option<&str>| {
        let root_file = root_file.map(|name| folder.join(name));
        let options = Options { tls: Some(tls), root_file, ..Options::default() };
        let address = Address { host: host.to_owned(), options, ..server.remote(PASSWORD) };
        let text = "select ssl::int as id, 0 as x, '' as label from pg_stat_ssl \
            join pg_stat_activity using (pid) where application_name = 'samescore'";
        let allow = ["volatile", "system_column", "view"].map(str::to_owned).to_vec();
        let session = Query { text: text.to_owned(), allow, key: Vec::new() };
        read(&address, &Relation::Query(session)).map(|found| found[0].num(0)[0])
    };
    server_error(&with("localhost", TlsMode::Require, None).expect_err("no TLS yet"), "TLS");
    assert_eq!(with("localhost", TlsMode::Prefer, None).expect("without"), 0.0);
    let text = format!("ALTER SYSTEM SET ssl_cert_file = '{}'", of("cert.pem"));
    let mut client = server.client();
    client.batch_execute(&text).expect("the certificate");
    let text = format!("ALTER SYSTEM SET ssl_key_file = '{}'", of("key.pem"));
    client.batch_execute(&text).expect("the key");
    client.batch_execute("ALTER SYSTEM SET ssl = on").expect("TLS");
    drop(client);
    server.down();
    server.up();
    assert_eq!(with("localhost", TlsMode::Disable, None).expect("without"), 0.0);
    assert_eq!(with("localhost", TlsMode::Prefer, None).expect("with"), 1.0);
    assert_eq!(with("localhost", TlsMode::Require, None).expect("with"), 1.0);
    assert_eq!(with("localhost", TlsMode::VerifyFull, Some("cert.pem")).expect("known"), 1.0);
    let error = with("localhost", TlsMode::VerifyFull, None).expect_err("an unknown authority");
    server_error(&error, "certificate");
    let error = with("127.0.0.1", TlsMode::VerifyFull, Some("cert.pem")).expect_err("another name");
    server_error(&error, "certificate");
}
