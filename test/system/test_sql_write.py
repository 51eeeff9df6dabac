"""INSERT, UPDATE and DELETE with psql and psycopg, read back with the stock client."""

import threading
import time as time_module
from datetime import UTC, date, datetime, time
from decimal import Decimal

import fluss
import psycopg
import pytest
from harness import sql, streams
from harness.patience import PATIENCE_S

pytestmark = pytest.mark.sql_server


async def log_rows(client, db, name="t"):
    table = await client.get_table(fluss.TablePath(db, name))
    return (await streams.read(table)).to_pylist()


def refused(session, statement, parameters=None):
    with pytest.raises(psycopg.Error) as caught:
        session.execute(statement, parameters)
    return caught.value.sqlstate


TYPES = [
    ("boolean", True),
    ("tinyint", -128),
    ("smallint", 32767),
    ("int", -(2**31)),
    ("bigint", 2**63 - 1),
    ("float", 0.5),
    ("double", 1e-300),
    ("decimal(5, 2)", Decimal("-123.45")),
    ("decimal(38, 10)", Decimal("1234567890123456789012345678.0123456789")),
    ("text", "d\u00e4s 'ist' $1"),
    ("char(3)", "ab"),
    ("bytea", b"\x00\xff'"),
    ("binary(2)", b"\x01\x02"),
    ("date", date(1969, 12, 31)),
    ("time", time(23, 59, 59, 999000)),
    ("timestamp", datetime(1969, 12, 31, 23, 59, 59, 999999)),
    ("timestamp(3)", datetime(2026, 2, 3, 4, 5, 6, 789000)),
    ("timestamp(9)", datetime(2026, 2, 3, 4, 5, 6, 789012)),
    ("timestamptz", datetime(2026, 2, 3, 4, 5, 6, 789012, tzinfo=UTC)),
    ("int[]", [1, None, 3]),
]


@pytest.mark.parametrize("key", ["", ", primary key (id)"])
def test_all_types_by_parameters(session, key):
    columns = ", ".join(f"c{i} {kind}" for i, (kind, _) in enumerate(TYPES))
    session.execute(f"create table t (id int, {columns}{key}) with ('bucket.num' = '2')")
    markers = ", ".join(["%s"] * len(TYPES))
    values = [v for _, v in TYPES]
    for binary in (False, True):
        session.execute("delete from t") if key else None
        statement = f"insert into t values (1, {markers})"
        assert session.execute(statement, values, binary=binary).statusmessage == "INSERT 0 1"
        assert session.execute(f"insert into t values (2{', null' * len(TYPES)})").rowcount == 1
        found = sql.rows(session, "select * from t order by id")
        assert found[0][1:] == tuple(v for _, v in TYPES)
        assert all(v is None for v in found[-1][1:])


@pytest.mark.parametrize(
    ("statement", "parameters", "expected"),
    [
        ("insert into t select i, 'x' from range(%s, %s) r(i)", (0, 3), [(0, "x"), (1, "x"), (2, "x")]),
        ("insert into t select i, 'x' from range(%s, %s) r(i)", ("1", "3"), [(1, "x"), (2, "x")]),
        ("insert into t (b, a) select %s, i from generate_series(%s, 2) r(i)", ("y", 1), [(1, "y"), (2, "y")]),
        ("insert into t select %s, %s", (1, "x"), [(1, "x")]),
        ("insert into t select %s, %s", ("1", 2), [(1, "2")]),
        ("insert into t select %s, %s union all select %s, %s", (1, "x", 2, None), [(1, "x"), (2, None)]),
        ("insert into t (b) select %s", (None,), [(None, None)]),
    ],
)
def test_parameters_of_what_is_inserted(session, statement, parameters, expected):
    session.execute("create table t (a int, b text)")
    assert session.execute(statement, parameters).rowcount == len(expected)
    assert sql.rows(session, "select * from t order by a") == expected
    assert refused(session, "insert into t select 1, 2, %s from range(%s)", (3, 4)) == "42601"
    assert refused(session, "insert into t (a) select %s, i from range(%s) r(i)", (3, 4)) == "42601"


async def test_literals_and_nested_values(session, client, db):
    session.execute("create table t (a int, b bytea, c map<text, int>, d row<x int, y array<text>>, e array<array<int>>)")
    session.execute(
        "insert into t (e, a, b, c, d) values ([[1], null, []], 1, '\\x00ff', map {'k': 5}, {'x': 1, 'y': ['a', null]}),"
        " (null, 2, 'text', map {}, null), ([[2]], 1 + 2, DEFAULT, null, row(7, null))"
    )
    rows = sorted(await log_rows(client, db), key=lambda row: row["a"])
    assert rows == [
        {"a": 1, "b": b"\x00\xff", "c": [("k", 5)], "d": {"x": 1, "y": ["a", None]}, "e": [[1], None, []]},
        {"a": 2, "b": b"text", "c": [], "d": None, "e": None},
        {"a": 3, "b": None, "c": None, "d": {"x": 7, "y": None}, "e": [[2]]},
    ]


async def test_many_rows_of_a_query_in_all_buckets(session, client, db):
    session.execute("create table t (a bigint, b text) with ('bucket.num' = '3', 'bucket.key' = 'a')")
    done = session.execute("insert into t select x, 'row ' || x from range(200000) r(x)")
    assert done.statusmessage == "INSERT 0 200000"
    assert sql.rows(session, "select count(*), count(distinct a), sum(a) from t") == [(200000, 200000, 19999900000)]
    assert len(sql.rows(session, 'select distinct _bucket from "t$changelog"')) == 3
    assert len(await log_rows(client, db)) == 200000
    assert session.execute("insert into t (b, a) select b, a from t where a < 10 order by a limit 5").rowcount == 5
    assert session.execute("insert into t with x as (select 1) select *, 'x' from x").rowcount == 1
    assert session.execute("insert into t values (2, 'z'), (1, 'y') order by 1 limit 1").rowcount == 1
    assert session.execute("insert into t (a) select 5 where false").statusmessage == "INSERT 0 0"


async def test_buckets_are_those_of_the_clients(session, client, db):
    """A row that SQL writes is found by the client's lookup, and the other way round."""
    session.execute("create table t (k text, n int, v int, primary key (k, n)) with ('bucket.num' = '7', 'bucket.key' = 'k')")
    session.execute("insert into t select 'key ' || x, x, x from range(300) r(x)")
    table = await client.get_table(fluss.TablePath(db, "t"))
    lookup = table.new_lookup().create_lookuper()
    for number in (0, 17, 299):
        assert (await lookup.lookup({"k": f"key {number}", "n": number}))["v"] == number
    writer = table.new_upsert().create_writer()
    for number in range(300):
        writer.upsert({"k": f"key {number}", "n": number, "v": -number})
    await writer.flush()
    assert sql.rows(session, "select count(*), sum(v) from t") == [(300, -44850)]


def test_upserts_updates_and_deletes(session):
    session.execute("create table t (id int primary key, name text, n bigint)")
    session.execute("insert into t values (1, 'a', 1), (2, 'b', 2), (3, 'c', 3)")
    session.execute("insert into t values (2, 'B', 20)")
    assert session.execute("update t set n = n * 10, name = name || '!' where id >= 2").statusmessage == "UPDATE 2"
    assert sql.rows(session, "select * from t order by id") == [(1, "a", 1), (2, "B!", 200), (3, "c!", 30)]
    assert session.execute("delete from t where n = %s", [200]).statusmessage == "DELETE 1"
    assert session.execute("delete from t where id = 77").statusmessage == "DELETE 0"
    assert session.execute("update t x set n = DEFAULT where x.name is distinct from 'a'").rowcount == 1
    assert sql.rows(session, "select * from t order by id") == [(1, "a", 1), (3, "c!", None)]
    kinds = sql.rows(session, 'select _change_type, count(*) from "t$changelog" group by 1 order by 1')
    assert kinds == [("delete", 1), ("insert", 3), ("update_after", 4), ("update_before", 4)]
    session.execute("insert into t (id, n) values (1, 5), (4, 6)")  # other columns keep their values
    assert sql.rows(session, "select * from t order by id") == [(1, "a", 5), (3, "c!", None), (4, None, 6)]
    assert session.execute("delete from t").rowcount == 3
    assert sql.rows(session, "select * from t") == []


async def test_partitions_are_made_as_rows_come(session, client, db):
    session.execute("create table t (a int, day date, kind text, primary key (a, day, kind)) partitioned by (day, kind)")
    session.execute("insert into t select x, date '2026-01-01' + (x % 3)::int, 'k' || x % 2 from range(60) r(x)")
    names = {p.partition_name for p in await client.get_admin().list_partition_infos(fluss.TablePath(db, "t"))}
    assert names == {f"2026-01-0{d}${k}" for d in (1, 2, 3) for k in ("k0", "k1")}
    assert sql.one(session, "select count(*) from t") == 60
    assert session.execute("delete from t where kind = 'k0'").rowcount == 30
    assert refused(session, "insert into t values (1, '2026-01-01', 'no/name')") == "22023"
    assert refused(session, "insert into t values (1, '2026-01-01', null)") == "23502"


def test_auto_increment(session):
    session.execute("create table t (name text primary key, id bigint) with ('auto-increment.fields' = 'id')")
    session.execute("insert into t values ('a'), ('b')")
    session.execute("insert into t (name) values ('a'), ('c')")
    assert sql.rows(session, "select name, id from t order by name") == [("a", 1), ("b", 2), ("c", 3)]
    assert refused(session, "insert into t (name, id) values ('d', 9)") == "23502"


ERRORS = [
    ("insert into missing values (1)", "42P01"),
    ("insert into t values (1)", "42601"),
    ("insert into t values (1, 'a', 2)", "42601"),
    ("insert into t (id, name) values (1)", "42601"),
    ("insert into t (id, nothing) values (1, 2)", "42703"),
    ("insert into t (id, id) values (1, 2)", "42701"),
    ("insert into t select 1", "42601"),
    ("insert into t values ('x', 'y')", "22P02"),
    ("insert into t values (99999999999, 'y')", "22P02"),
    ("insert into t values (null, 'y')", "23502"),
    ("insert into t values (1, 'y') on conflict do nothing", "0A000"),
    ("insert into t values (1, 'y'", "42601"),
    ("insert into t", "42601"),
    ("insert into l values (1, 'toolong')", "22023"),
    ("update l set a = 2", "0A000"),
    ("delete from l", "0A000"),
    ("update t set id = 2", "0A000"),
    ("update t set nothing = 2", "42703"),
    ("update t set name = missing(1)", "42883"),
    ("update t set name = 'x' from l", "0A000"),
    ("update t set name = 'x' where nothing = 1", "42703"),
    ("delete from t using l", "0A000"),
    ("delete from m", "0A000"),
    ('insert into "t$changelog" values (1)', "42P01"),
    ("insert into t delete from t", "42000"),
]


@pytest.mark.parametrize("statement, state", ERRORS)
def test_errors(session, statement, state):
    session.execute("create table t (id int primary key, name text)")
    session.execute("create table l (a int, b char(3))")
    session.execute("create table m (a int primary key) with ('table.merge-engine' = 'first_row')")
    session.execute("insert into t values (1, 'one')")
    assert refused(session, statement) == state
    assert sql.rows(session, "select * from t") == [(1, "one")]


def test_an_error_in_the_middle_says_what_is_written(session):
    session.execute("create table t (a bigint, b text)")
    with pytest.raises(psycopg.Error) as caught:
        session.execute("insert into t select x, if(x < 250000, 'row', error('no more')) from range(300000) r(x)")
    written = sql.one(session, "select count(*) from t")
    assert 0 < written <= 250000
    assert caught.value.diag.message_hint == f"{written} rows of the statement are written, and stay."


def test_nanoseconds_have_a_range(session):
    session.execute("create table t (a timestamp_ltz(9))")
    session.execute("insert into t values ('1677-09-22 00:00:00+00'), ('2262-04-11 00:00:00+00')")
    for moment in ("1677-09-21 00:00:00+00", "2262-04-12 00:00:00+00", "2300-01-01 00:00:00+00"):
        assert refused(session, f"insert into t values ('{moment}')") == "22023"
    assert [r[0].year for r in sql.rows(session, "select a from t order by a")] == [1677, 2262]


def test_a_cancel_in_the_middle_says_what_is_written(session, server, db):
    session.execute("create table t (a bigint)")

    def cancel():
        with sql.connect(server, db) as other:
            while sql.one(other, "select count(*) from t") == 0:
                time_module.sleep(0.01)
        session.cancel()

    thread = threading.Thread(target=cancel)
    thread.start()
    with pytest.raises(psycopg.errors.QueryCanceled) as caught:
        session.execute("insert into t from range(10000000000)")
    thread.join()
    written = sql.one(session, "select count(*) from t")
    assert written > 0
    assert caught.value.diag.message_primary == "canceling statement due to user request"
    assert caught.value.diag.message_hint == f"{written} rows of the statement are written, and stay."


def test_prepared_statements_follow_the_table(session):
    session.execute("create table t (a int primary key, b text)")
    for number in range(8):
        session.execute("insert into t values (%s, %s)", [number, f"row {number}"], prepare=True)
    with session.cursor() as c:
        c.executemany("update t set b = %s where a = %s", [(f"new {n}", n) for n in range(8)])
        assert c.rowcount == 8
    session.execute("alter table t add c int")
    with pytest.raises(psycopg.Error):
        session.execute("insert into t values (%s, %s)", [9, "row"], prepare=True)
    session.execute("update t set c = a", prepare=True)
    session.execute("drop table t")
    session.execute("create table t (a int primary key, b text)")
    session.execute("insert into t values (%s, %s)", [1, "new"], prepare=True)
    assert sql.rows(session, "select * from t") == [(1, "new")]


def test_transactions_do_not_pretend(session):
    session.execute("create table t (a int)")
    notices = []
    session.add_notice_handler(lambda d: notices.append(d.message_primary))
    with session.transaction():
        session.execute("insert into t values (1)")
        session.execute("insert into t values (2)")
    assert len(notices) == 1 and "at once" in notices[0]
    session.execute("begin")
    session.execute("insert into t values (3)")
    assert refused(session, "rollback") == "0A000"
    assert session.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    session.execute("begin")
    session.execute("insert into t values (4)")
    assert refused(session, "select missing") == "42703"
    assert refused(session, "commit") == "0A000"
    session.execute("begin")
    assert session.execute("rollback").statusmessage == "ROLLBACK"
    assert sql.one(session, "select count(*) from t") == 4


def test_psql(server, db):
    out = sql.psql(
        server,
        "create table t (a int primary key, b text); insert into t values (1, 'x'), (2, 'y'); table t order by a",
        "update t set b = 'z' where a = 1",
        "delete from t where a = 2",
        database=db,
        flags=["-A", "-t"],
    )
    assert out.splitlines() == ["CREATE TABLE", "INSERT 0 2", "1|x", "2|y", "UPDATE 1", "DELETE 1"]


def test_what_was_acknowledged_survives_a_kill(launch, tmp_path):
    server = launch(options=sql.OPTIONS)
    with sql.connect(server) as c:
        c.execute("create table fluss.l (a int); create table fluss.k (a int primary key, b int)")
        for number in range(50):
            c.execute("insert into l values (%s)", [number])
            c.execute("insert into k values (%s, %s)", [number % 10, number])
    server.kill()
    server.start()
    with sql.connect(server) as c:
        assert sql.rows(c, "select count(*), sum(a) from l") == [(50, 1225)]
        assert sql.rows(c, "select count(*), sum(b) from k") == [(10, 445)]


def test_sessions_write_side_by_side(server, session, db):
    session.execute("create table t (a int primary key, b int) with ('bucket.num' = '3')")
    failed = []

    def write(worker):
        try:
            with sql.connect(server, db) as c:
                for number in range(40):
                    c.execute("insert into t values (%s, %s)", [worker * 1000 + number, worker])
        except psycopg.Error as e:
            failed.append(e)

    threads = [threading.Thread(target=write, args=[worker]) for worker in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert not failed
    assert sql.rows(session, "select b, count(*) from t group by b order by b") == [(w, 40) for w in range(6)]
