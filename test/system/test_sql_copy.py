"""COPY with psql and psycopg: what goes in comes out, what is wrong says in which line."""

import csv
import io
import subprocess
from datetime import date, datetime
from decimal import Decimal

import fluss
import psycopg
import pytest
from harness import sql, streams
from harness.patience import PATIENCE_S

pytestmark = pytest.mark.sql_server

COLUMNS = "a int, b text, c decimal(9, 2), d bytea, e int[], f timestamp, g boolean, h date"
ROWS = [
    (1, 'tab\t, quote " and \\ line\nend\r', Decimal("-1.50"), b"\x00\xff", [1, None], datetime(2026, 1, 2, 3), True, None),
    (2, "", None, b"", [], None, False, date(1969, 1, 1)),
    (3, None, Decimal("0.00"), None, None, datetime(1969, 12, 31, 23, 59, 59, 999999), None, date(2026, 2, 3)),
    (4, "\\N", Decimal("12.34"), b"text", [5], None, None, None),
    (5, "\\.", None, None, None, None, None, None),
    (None, "\u00e4\u00f6\u00fc \U0001f600", None, b"\\x00", None, None, None, None),
]


def copy_in(session, statement, data, step=None):
    data = data.encode() if isinstance(data, str) else data
    with session.cursor() as cursor:
        with cursor.copy(statement) as copy:
            for at in range(0, len(data), step or max(1, len(data))):
                copy.write(data[at : at + (step or len(data))])
        return cursor.statusmessage


def copy_out(session, statement):
    with session.cursor() as cursor, cursor.copy(statement) as copy:
        return b"".join(bytes(block) for block in copy)


def test_rows_of_the_driver(session):
    session.execute(f"create table t ({COLUMNS})")
    with session.cursor() as cursor:
        with cursor.copy("copy t from stdin") as copy:
            for row in ROWS:
                copy.write_row(row)
        assert cursor.statusmessage == f"COPY {len(ROWS)}"
    assert sql.rows(session, "select * from t order by a nulls last") == ROWS
    with session.cursor() as cursor, cursor.copy("copy (select * from t order by a nulls last) to stdout") as copy:
        copy.set_types(["int4", "text", "numeric", "bytea", "int4[]", "timestamp", "bool", "date"])
        assert list(copy.rows()) == ROWS


@pytest.mark.parametrize("step", [1, 7, None])
@pytest.mark.parametrize(
    "options",
    ["", "(format csv)", "(format csv, header, delimiter ';', quote '''', escape '!', null 'nil')", "(null '', delimiter '|')"],
)
def test_what_goes_out_comes_in_again(session, options, step):
    session.execute(f"create table t ({COLUMNS}); create table u ({COLUMNS})")
    with session.cursor() as cursor:
        cursor.executemany("insert into t values (%s, %s, %s, %s, %s, %s, %s, %s)", ROWS)
    text = copy_out(session, f"copy t (a, b, c, d, e, f, g, h) to stdout {options}")
    assert copy_in(session, f"copy u from stdin {options}", text, step) == "COPY 6"
    if options.startswith("(null ''"):  # empty texts are null then
        rows = [tuple(None if v == "" else v for v in row) for row in ROWS]
    else:
        rows = ROWS
    assert sql.rows(session, "select * from u order by a nulls last") == rows


async def test_csv_of_python(session, client, db):
    session.execute("create table t (a bigint, b text, c text) with ('bucket.num' = '3')")
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["a", "c"])
    for number in range(30000):
        writer.writerow([number, f'row "{number}",\n{"x" * (number % 40)}'])
    assert copy_in(session, "copy t (a, c) from stdin with csv header", out.getvalue(), 65536) == "COPY 30000"
    assert sql.rows(session, "select count(*), sum(a), count(b), count(distinct c) from t") == [(30000, 449985000, 0, 30000)]
    table = await client.get_table(fluss.TablePath(db, "t"))
    assert len(await streams.read(table)) == 30000
    back = copy_out(session, "copy (select a, c from t order by a) to stdout (format csv, header true)").decode()
    assert list(csv.reader(io.StringIO(back))) == list(csv.reader(io.StringIO(out.getvalue())))


def test_psql_copies_files(server, db, tmp_path):
    source, target = tmp_path / "in.csv", tmp_path / "out.txt"
    source.write_text("id,name\n1,one\n2,\n3,\"three, or more\"\n")
    out = sql.psql(
        server,
        "create table t (id int primary key, name text)",
        f"\\copy t from '{source}' with (format csv, header)",
        f"\\copy (select * from t order by id) to '{target}'",
        "copy t to stdout (format csv)",
        database=db,
    )
    assert out.splitlines()[:3] == ["CREATE TABLE", "COPY 3", "COPY 3"] and len(out.splitlines()) == 6
    assert target.read_text() == "1\tone\n2\t\\N\n3\tthree, or more\n"


def test_psql_reads_data_in_a_script(server, db):
    at = sql.place(server)
    script = "create table t (a int, b text);\ncopy t from stdin;\n1\tx\n2\t\\N\n\\.\nselect count(*), count(b) from t;\n"
    done = subprocess.run(
        ["psql", "-X", "-A", "-t", "-h", at["host"], "-p", str(at["port"]), "-U", "test", db],
        input=script,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.stdout.splitlines() == ["CREATE TABLE", "COPY 2", "2|1"], done.stderr


ERRORS = [
    ("copy t from stdin", "1\n", "22P04", "line 1"),
    ("copy t from stdin", "1\ta\tb\n", "22P04", "line 1"),
    ("copy t from stdin", "1\ta\nx\tb\n", "22P02", "'x'"),
    ("copy t from stdin (format csv)", '1,"a\n', "22P04", "line 1"),
    ("copy t from stdin", "\\N\ta\n", "23502", '"a"'),
    ("copy t from stdin", b"1\t\xff\n", "22021", "line 1"),
    ("copy t from stdin", "1\t\\000\n", "22021", "line 1"),
]


@pytest.mark.parametrize("statement, data, state, words", ERRORS)
def test_data_that_is_wrong(session, statement, data, state, words):
    session.execute("create table t (a int not null, b text)")
    with pytest.raises(psycopg.Error) as caught:
        copy_in(session, statement, data)
    assert caught.value.sqlstate == state and words in str(caught.value)
    assert "0 rows" in caught.value.diag.message_hint
    assert sql.one(session, "select count(*) from t") == 0


REFUSED = [
    ("copy t from '/etc/passwd'", "0A000"),
    ("copy t to '/dev/null'", "0A000"),
    ("copy t from program 'true'", "0A000"),
    ("copy t from stdin (format binary, null 'x')", "42601"),
    ("copy t from stdin (format orc)", "0A000"),
    ("copy t from stdin (format parquet, header)", "42601"),
    ("copy t from stdin (delimiter 'ab')", "22023"),
    ("copy t from stdin (header match)", "0A000"),
    ("copy t (nothing) from stdin", "42703"),
    ("copy missing from stdin", "42P01"),
    ("copy missing to stdout", "42P01"),
    ("copy (select) to stdout", "42601"),
    ("copy (select 1 to stdout", "42601"),
    ("copy (create schema hidden) to stdout", None),
    ("copy (select 1) from stdin", "42601"),
    ("copy", "42601"),
]


@pytest.mark.parametrize("statement, state", REFUSED)
def test_statements_that_are_wrong(session, statement, state):
    session.execute("create table t (a int, b text)")
    with pytest.raises(psycopg.Error) as caught, session.cursor() as cursor, cursor.copy(statement):
        pass
    assert state is None or caught.value.sqlstate == state
    assert sql.one(session, "select 1") == 1


def test_a_client_that_gives_up_leaves_what_was_written(session, server, db):
    session.execute("create table t (a int)")
    with pytest.raises(ZeroDivisionError), session.cursor() as cursor, cursor.copy("copy t from stdin") as copy:
        copy.write("1\n2\n")
        raise ZeroDivisionError
    assert sql.one(session, "select count(*) from t") == 0
    other = sql.connect(server, db)
    copying = other.cursor().copy("copy t from stdin")
    copying.__enter__().write("1\n" * 100000)
    other.pgconn.finish()
    assert copy_in(session, "copy t from stdin", "7\n") == "COPY 1"
    assert sql.one(session, "select count(*) from t where a = 7") == 1


def test_a_client_that_fails_is_told_what_was_written(session):
    session.execute("create table t (a int)")
    rows = b"".join(b"%d\n" % i for i in range(250000))
    session.pgconn.exec_(b"copy t from stdin")
    session.pgconn.put_copy_data(rows)
    session.pgconn.put_copy_end(b"enough")
    result = session.pgconn.get_result()
    assert session.pgconn.get_result() is None
    written = sql.one(session, "select count(*) from t")
    assert 0 < written <= 250000
    assert result.error_field(psycopg.pq.DiagnosticField.SQLSTATE) == b"57014"
    assert b"enough" in result.error_field(psycopg.pq.DiagnosticField.MESSAGE_PRIMARY)
    hint = result.error_field(psycopg.pq.DiagnosticField.MESSAGE_HINT)
    assert hint == b"%d rows of the statement are written, and stay." % written
    session.pgconn.exec_(b"copy t from stdin")
    session.pgconn.put_copy_end(b"at once")
    assert session.pgconn.get_result().error_field(psycopg.pq.DiagnosticField.MESSAGE_HINT) is None
    assert session.pgconn.get_result() is None


def test_a_large_copy_takes_little_memory(session, server):
    session.execute("create table t (a bigint, b text) with ('bucket.num' = '2')")
    block = "".join(f"{n}\t{'x' * 100}\n" for n in range(10000)).encode()
    with session.cursor() as cursor:
        with cursor.copy("copy t from stdin") as copy:
            for _ in range(60):
                copy.write(block)
        assert cursor.statusmessage == "COPY 600000"
    assert sql.rows(session, "select count(*), sum(a) from t") == [(600000, 60 * 49995000)]
    with session.cursor() as cursor, cursor.copy("copy (select * from t limit 200000) to stdout") as copy:
        assert sum(bytes(part).count(b"\n") for part in copy) == 200000


def test_rows_by_key_are_copied_and_deleted_all_the_same(session):
    """What is answered by a lookup as a query is more than that here."""
    session.execute("create table t (id int primary key, v text)")
    session.execute("insert into t values (1, 'one'), (2, 'two')")
    for _ in range(8):  # prepared after a few
        assert copy_out(session, "copy (select * from t where id = 1) to stdout") == b"1\tone\n"
        assert session.execute("update t set v = v || %s where id = %s", ["!", 2], prepare=True).rowcount == 1
        assert session.execute("delete from t where id = %s", [3], prepare=True).rowcount == 0
    assert sql.rows(session, "select v from t where id = 2") == [("two" + "!" * 8,)]
    assert session.execute("delete from t where id = %s", [2], prepare=True).rowcount == 1
    assert sql.rows(session, "select * from t") == [(1, "one")]
